//! `install`, `uninstall` and `hooks`: what is the user's has the same bytes afterwards, whatever happened in between.
//!
//! Codex itself is not needed here: a script stands in where its absence or presence matters.

use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::testbed::{Answer, Testbed, finish};

pub(crate) const HOOKS: &str = "{ \"version\":1,\n\t\"hooks\" :{\"Stop\":[ {\"hooks\":[{\"type\":\"command\",\"command\":\"mine\"}]} ] , \"SessionStart\":[]}}";
pub(crate) const CONFIG: &str =
    "# mine\nmodel = \"m\"   # odd\n\n[projects.\"/x\"]\ntrust_level=\"trusted\"  # yes\n";

/// A home, a project, a program to install, and a `PATH` without Codex.
pub(crate) struct Machine {
    bed: Testbed,
    pub(crate) home: PathBuf,
    codex_home: Option<PathBuf>,
}

impl Machine {
    pub(crate) fn new() -> Self {
        Self::at("home")
    }

    fn at(home: &str) -> Self {
        let bed = Testbed::bare();
        let base = bed.folder.path().canonicalize().unwrap();
        let home = base.join(home);
        std::fs::create_dir_all(&home).unwrap();
        let bed = Self {
            bed,
            home,
            codex_home: None,
        };
        bed.program(&bed.base().join("programs/autoresearch"), "echo \"$1\"\n");
        std::fs::create_dir(bed.base().join("path")).unwrap();
        for name in ["git", "sh", "cat", "sleep"] {
            let found = std::env::split_paths(&std::env::var_os("PATH").unwrap())
                .map(|folder| folder.join(name))
                .find(|file| file.exists());
            symlink(found.unwrap(), bed.base().join("path").join(name)).unwrap();
        }
        bed
    }

    fn base(&self) -> PathBuf {
        self.bed.folder.path().canonicalize().unwrap()
    }

    fn program(&self, path: &Path, script: &str) {
        assert!(path.starts_with(self.base()));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        crate::testbed::write_program(path, &format!("#!/bin/sh\n{script}"));
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.home.join(".local/share/codex-autoresearch")
    }

    pub(crate) fn codex(&self, name: &str) -> PathBuf {
        self.home.join(".codex").join(name)
    }

    /// A Codex home with hooks in an odd form, and a configuration with comments.
    pub(crate) fn with_codex_home(self) -> Self {
        std::fs::create_dir(self.home.join(".codex")).unwrap();
        std::fs::write(self.codex("hooks.json"), HOOKS).unwrap();
        std::fs::write(self.codex("config.toml"), CONFIG).unwrap();
        self
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Answer {
        self.run_with(arguments, &[])
    }

    pub(crate) fn run_with(&self, arguments: &[&str], more: &[(&str, &str)]) -> Answer {
        let mut command = self.bed.command(arguments);
        command
            .env("HOME", &self.home)
            .env("PATH", self.base().join("path"))
            .env("SEALED_DATA", self.data())
            .env("SEALED_PROGRAM", self.base().join("programs/autoresearch"));
        if let Some(home) = &self.codex_home {
            command.env("CODEX_HOME", home);
        }
        command.envs(more.iter().copied());
        finish(command)
    }

    fn hooks(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.codex("hooks.json")).unwrap()).unwrap()
    }

    fn manifest(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.data().join("manifest.json")).unwrap()).unwrap()
    }

    /// Everything below the home and the project, with rights and links.
    pub(crate) fn all(&self) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
        let mut found = BTreeMap::new();
        for folder in [&self.home, &self.bed.repo] {
            everything(folder, &mut found);
        }
        found
    }

    /// Each name in the stable folder is the same file, with this in it.
    #[track_caller]
    pub(crate) fn is_one_program(&self, text: &str) {
        let bin = self.data().join("bin");
        let program = bin.join("autoresearch").metadata().unwrap();
        assert_eq!(std::fs::read_dir(&bin).unwrap().count(), 3);
        assert_eq!((program.nlink(), program.mode() & 0o777), (3, 0o755));
        for name in ["autoresearch-hook", "autoresearch-supervisor"] {
            // Not a symbolic link, which a Codex plugin would drop.
            let found = bin.join(name).symlink_metadata().unwrap();
            assert_eq!(found.ino(), program.ino(), "{name}");
        }
        let found = std::fs::read_to_string(bin.join("autoresearch")).unwrap();
        assert!(found.contains(text), "{found}");
    }

    /// The states of the three hooks.
    pub(crate) fn states(&self) -> Vec<String> {
        let report = self.run(&["hooks", "status", "--json"]).ok().json();
        let hooks = report["hooks"].as_array().unwrap().clone();
        hooks
            .iter()
            .map(|hook| hook["state"].as_str().unwrap().to_owned())
            .collect()
    }
}

fn everything(folder: &Path, found: &mut BTreeMap<PathBuf, (u32, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let meta = path.symlink_metadata().unwrap();
        let bytes = if meta.is_dir() {
            everything(&path, found);
            Vec::new()
        } else if meta.is_symlink() {
            let target = std::fs::read_link(&path).unwrap();
            target.into_os_string().into_encoded_bytes()
        } else {
            std::fs::read(&path).unwrap()
        };
        found.insert(path, (meta.permissions().mode(), bytes));
    }
}

pub(crate) const EVERYTHING: [&str; 4] = ["install", "--hooks", "--rule", "--yes"];

#[test]
fn install_and_uninstall_leave_an_empty_home_and_a_project_byte_for_byte_as_they_were() {
    let bed = Machine::new();
    bed.bed.write("autoresearch-results/.gitignore", "*\n");
    bed.bed.write("sub/file", "");
    let before = bed.all();
    bed.run(&EVERYTHING).ok().says("install: done");
    bed.is_one_program("echo");
    bed.run(&["-C", "sub", "install", "--project", "..", "--yes"])
        .ok();
    for (path, executable) in [
        (bed.data().join("bin/autoresearch"), true),
        (bed.data().join("bin/autoresearch-hook"), true),
        (
            bed.home
                .join(".agents/skills/codex-autoresearch/config.schema.json"),
            false,
        ),
        (
            bed.bed
                .path(".agents/skills/codex-autoresearch/config.schema.json"),
            false,
        ),
        (bed.codex("hooks.json"), false),
        (bed.codex("rules/autoresearch.rules"), false),
    ] {
        let meta = path
            .metadata()
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!(meta.permissions().mode() & 0o100 != 0, executable);
    }
    bed.run(&["uninstall", "--yes"])
        .ok()
        .says("uninstall: done");
    assert_eq!(bed.all(), before);
    bed.run(&["uninstall", "--yes"])
        .ok()
        .says("nothing is installed");
}

#[test]
fn our_hooks_stand_behind_the_users_and_uninstall_gives_odd_formatting_and_comments_back() {
    let bed = Machine::new().with_codex_home();
    let before = bed.all();
    bed.run(&EVERYTHING).ok().says("hooks are not armed");
    let hooks = bed.hooks();
    let stop = &hooks["hooks"]["Stop"];
    assert_eq!(stop[0]["hooks"][0]["command"], "mine");
    assert_eq!(stop[1]["hooks"][0]["timeout"], 1_000_000);
    let start = &hooks["hooks"]["SessionStart"][0]["hooks"][0];
    let program = bed.data().join("bin/autoresearch-hook");
    assert_eq!(
        start["command"],
        format!("{} session-start", program.display())
    );
    assert_eq!(hooks["hooks"]["Interrupt"][0]["hooks"][0]["timeout"], 3);
    bed.run(&["hooks", "uninstall", "--yes"]).ok();
    assert_eq!(
        std::fs::read_to_string(bed.codex("hooks.json")).unwrap(),
        HOOKS
    );
    bed.run(&["hooks", "uninstall", "--yes"])
        .ok()
        .says("nothing is installed");
    bed.run(&["uninstall", "--yes"]).ok();
    assert_eq!(bed.all(), before);
}

#[test]
fn what_others_changed_in_between_stays_and_only_our_parts_go() {
    let bed = Machine::new().with_codex_home();
    bed.run(&EVERYTHING).ok();
    let text = std::fs::read_to_string(bed.codex("hooks.json")).unwrap();
    let theirs = "{\"hooks\":[{\"type\":\"command\",\"command\":\"behind\"}]}";
    let more = text
        .replacen("} ] , \"Sess", &format!("}} , {theirs} ] , \"Sess"), 1)
        .replace("\"version\":1", "\"version\":  2");
    assert_ne!(text, more);
    std::fs::write(bed.codex("hooks.json"), more).unwrap();
    let file = bed.codex("hooks.json").display().to_string();
    let trusted = format!(
        "{CONFIG}\n[hooks.state.\"{file}:stop:1:0\"]\ntrusted_hash = \"sha256:ours\"\n\n[hooks.state.\"{file}:stop:2:0\"]\ntrusted_hash = \"sha256:theirs\"\n# the end\n"
    );
    std::fs::write(bed.codex("config.toml"), trusted).unwrap();
    let schema = bed
        .home
        .join(".agents/skills/codex-autoresearch/config.schema.json");
    std::fs::write(&schema, "mine now").unwrap();
    bed.run(&["uninstall", "--yes"])
        .ok()
        .says("config.schema.json was changed by somebody else and stays");
    assert_eq!(
        std::fs::read_to_string(bed.codex("hooks.json")).unwrap(),
        HOOKS
            .replace("} ] , \"Sess", &format!("}} , {theirs} ] , \"Sess"))
            .replace("\"version\":1", "\"version\":  2")
    );
    // The trust of the hook behind ours went up with it.
    assert_eq!(
        std::fs::read_to_string(bed.codex("config.toml")).unwrap(),
        format!(
            "{CONFIG}\n[hooks.state.\"{file}:stop:1:0\"]\ntrusted_hash = \"sha256:theirs\"\n# the end\n"
        )
    );
    assert_eq!(std::fs::read_to_string(schema).unwrap(), "mine now");
    assert!(!bed.data().exists() && !bed.codex("rules").exists());
}

#[test]
fn a_codex_home_behind_links_is_known_by_its_real_path_and_the_links_stay() {
    let mut bed = Machine::new().with_codex_home();
    let link = bed.base().join("link");
    symlink(bed.home.join(".codex"), &link).unwrap();
    let dots = bed.base().join("dots.json");
    std::fs::rename(bed.codex("hooks.json"), &dots).unwrap();
    symlink(&dots, bed.codex("hooks.json")).unwrap();
    bed.codex_home = Some(link);
    let before = bed.all();
    bed.run(&["hooks", "install", "--yes"]).ok();
    let hooks = &bed.manifest()["hooks"][0];
    assert_eq!(hooks["home"], bed.home.join(".codex").to_str().unwrap());
    assert_eq!(
        hooks["keys"][1][0],
        format!("{}:stop:1:0", bed.codex("hooks.json").display())
    );
    assert!(
        std::fs::read_to_string(&dots)
            .unwrap()
            .contains("autoresearch-hook")
    );
    bed.run(&["uninstall", "--yes"]).ok();
    assert_eq!(std::fs::read_to_string(&dots).unwrap(), HOOKS);
    assert_eq!(bed.all(), before);
    bed.codex_home = Some(bed.base().join("nowhere"));
    bed.run(&["hooks", "install", "--yes"])
        .fails(6)
        .says("CODEX_HOME is");
}

#[test]
fn a_file_that_codex_could_not_read_is_named_and_nothing_is_written() {
    let bed = Machine::new().with_codex_home();
    for (name, text, says) in [
        ("hooks.json", "{\n  \"hooks\": {,}\n}", "line 2"),
        ("hooks.json", "[]", "is not a JSON object"),
        ("config.toml", "model = \n", "is not valid TOML"),
    ] {
        std::fs::write(bed.codex("hooks.json"), HOOKS).unwrap();
        std::fs::write(bed.codex("config.toml"), CONFIG).unwrap();
        std::fs::write(bed.codex(name), text).unwrap();
        let before = bed.all();
        let answer = bed.run(&EVERYTHING).fails(4).says(says).says(name);
        assert!(
            answer.err.contains("hint: nothing was written"),
            "{answer:?}"
        );
        assert_eq!(bed.all(), before);
    }
}

#[test]
fn a_second_install_changes_nothing_and_says_so() {
    let bed = Machine::new().with_codex_home();
    bed.run(&EVERYTHING).ok();
    let before = bed.all();
    bed.run(&["install", "--hooks", "--rule"])
        .ok()
        .says("already installed");
    let report = bed.run(&["hooks", "install", "--json"]).ok().json();
    assert_eq!(report["state"], "nothing-to-do");
    assert_eq!(bed.all(), before);
}

#[test]
fn without_a_yes_nothing_is_written_and_the_plan_is_shown() {
    let bed = Machine::new().with_codex_home();
    let before = bed.all();
    for words in [
        &["install"][..],
        &["install", "--hooks", "--rule", "--json"],
        &["hooks", "install"],
    ] {
        bed.run(words).fails(4).says("--dry-run");
        assert_eq!(bed.all(), before);
    }
    let shown = bed
        .run(&["install", "--hooks", "--rule", "--dry-run"])
        .ok()
        .says("nothing was written yet")
        .says("outside Codex's sandbox");
    let file = bed.codex("hooks.json").display().to_string();
    for line in [
        format!("+++ {file}"),
        "+    decision = \"prompt\",".to_owned(),
    ] {
        assert!(shown.out.contains(&line), "{line}: {}", shown.out);
    }
    let plan = bed
        .run(&["install", "--rule-start", "--dry-run", "--json"])
        .ok()
        .json();
    assert_eq!(plan["state"], "planned");
    let diff = plan["changes"][0]["diff"].as_str().unwrap();
    assert!(
        diff.contains("\"start\"") && !diff.contains("prompt"),
        "{diff}"
    );
    assert_eq!(bed.all(), before);
    bed.run(&["install", "--yes"]).ok();
    bed.run(&["uninstall"]).fails(4).says("--dry-run");
    bed.run(&["install", "--yes", "--dry-run"]).fails(2);
    bed.run(&["install", "--project", "nowhere", "--yes"])
        .fails(2)
        .says("is not a folder");
}

#[test]
fn a_path_with_spaces_and_quotes_is_one_word_for_the_shell() {
    let bed = Machine::at("a home's place");
    let before = bed.all();
    bed.run(&EVERYTHING).ok().says("no effect");
    let hooks = bed.hooks();
    let command = hooks["hooks"]["Stop"][0]["hooks"][0]["command"].clone();
    let mut shell = Command::new("sh");
    shell.args(["-c", command.as_str().unwrap()]);
    assert_eq!(finish(shell).ok().out, "stop\n");
    bed.run(&["uninstall", "--yes"]).ok();
    assert_eq!(bed.all(), before);
}

#[test]
fn a_second_copy_of_the_skill_is_warned_about() {
    let bed = Machine::new();
    let skill = "---\nname: codex-autoresearch\ndescription: x\n---\n";
    bed.bed.write(".agents/skills/other-folder/SKILL.md", skill);
    bed.bed.write(
        ".agents/skills/unrelated/SKILL.md",
        "---\nname: x\ndescription: x\n---\n",
    );
    let answer = bed.run(&["install", "--yes", "--json"]).ok().json();
    let warnings = answer["warnings"].as_array().unwrap();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    let warning = warnings[0].as_str().unwrap();
    assert!(
        warning.contains("other-folder is another copy"),
        "{warning}"
    );
}

#[test]
fn an_update_replaces_our_files_and_reports_those_that_the_user_edited() {
    let bed = Machine::new();
    let before = bed.all();
    bed.run(&EVERYTHING).ok();
    bed.program(&bed.base().join("programs/autoresearch"), "exit 7\n");
    bed.run(&EVERYTHING).ok().says("wrote  ");
    bed.is_one_program("exit 7");
    let schema = bed
        .home
        .join(".agents/skills/codex-autoresearch/config.schema.json");
    let text = std::fs::read(&schema).unwrap();
    std::fs::write(&schema, "mine").unwrap();
    bed.run(&EVERYTHING)
        .ok()
        .says("config.schema.json was changed by somebody else and is left as it is");
    assert_eq!(std::fs::read_to_string(&schema).unwrap(), "mine");
    std::fs::remove_file(&schema).unwrap();
    bed.run(&EVERYTHING).ok();
    assert_eq!(std::fs::read(&schema).unwrap(), text);
    bed.run(&["uninstall", "--yes"]).ok();
    assert_eq!(bed.all(), before);
}

#[test]
fn hooks_are_armed_only_if_codex_confirmed_the_trust_and_nothing_changed_since() {
    let bed = Machine::new().with_codex_home();
    assert_eq!(bed.states(), ["not-armed"; 3]);
    bed.run(&["hooks", "install", "--yes"]).ok();
    assert_eq!(bed.states(), ["not-armed"; 3]);
    // The user trusts them in Codex: their hash was not told to us.
    let mut manifest = bed.manifest();
    let mut config = CONFIG.to_owned();
    for key in manifest["hooks"][0]["keys"].as_array_mut().unwrap() {
        config = format!(
            "{config}\n[hooks.state.{}]\ntrusted_hash = \"sha256:1\"\n",
            key[0]
        );
        key[1] = "sha256:1".into();
    }
    std::fs::write(bed.codex("config.toml"), &config).unwrap();
    assert_eq!(bed.states(), ["unknown"; 3]);
    std::fs::write(bed.data().join("manifest.json"), manifest.to_string()).unwrap();
    assert_eq!(bed.states(), ["armed"; 3]);
    for (name, from, to) in [
        ("config.toml", "sha256:1", "sha256:2"),
        ("config.toml", "# mine", "features = {hooks = false}"),
        (
            "config.toml",
            "trusted_hash",
            "enabled = false\ntrusted_hash",
        ),
        ("hooks.json", "[ {", "[ {\"hooks\":[]}, {"),
        ("hooks.json", "1000000", "5"),
    ] {
        let text = std::fs::read_to_string(bed.codex(name)).unwrap();
        std::fs::write(bed.codex(name), text.replacen(from, to, 1)).unwrap();
        assert!(
            bed.states().iter().all(|state| state != "armed"),
            "{name} {to}"
        );
        std::fs::write(bed.codex(name), text).unwrap();
        assert_eq!(bed.states(), ["armed"; 3]);
    }
    // A Codex that does not answer makes them unknown, not fine.
    bed.program(&bed.base().join("path/codex"), "exit 1\n");
    assert_eq!(bed.states(), ["unknown"; 3]);
    std::fs::remove_file(bed.base().join("path/codex")).unwrap();
    bed.run(&["uninstall", "--yes"]).ok();
    assert_eq!(
        std::fs::read_to_string(bed.codex("config.toml")).unwrap(),
        CONFIG
    );
}

#[test]
fn hooks_need_the_program() {
    let bed = Machine::new();
    std::fs::remove_file(bed.base().join("programs/autoresearch")).unwrap();
    let before = bed.all();
    bed.run(&["hooks", "install", "--yes"])
        .fails(6)
        .says("cargo install --path crates/autoresearch");
    assert_eq!(bed.all(), before);
}

#[test]
fn a_manifest_of_a_newer_version_is_refused() {
    let bed = Machine::new();
    bed.run(&["install", "--yes"]).ok();
    let mut manifest = bed.manifest();
    manifest["format"] = 9.into();
    std::fs::write(bed.data().join("manifest.json"), manifest.to_string()).unwrap();
    bed.run(&["uninstall", "--yes"]).fails(4).says("format 9");
}

#[test]
fn doctor_speaks_of_codex_in_one_line_where_it_is_not_installed() {
    let bed = Machine::new().with_codex_home();
    bed.bed.write("a", "");
    bed.bed.git(&["add", "-A"]);
    bed.bed.git(&["commit", "-qm", "first"]);
    let answer = bed.run(&["doctor"]).ok().says("no problems");
    assert_eq!(answer.out.matches("codex").count(), 1, "{answer:?}");
    let script = "case $1 in --version) echo codex-cli 0.169.3;; *) exit 1;; esac\n";
    bed.program(&bed.base().join("path/codex"), script);
    let before = bed.all();
    bed.run(&["doctor"])
        .fails(4)
        .says("0.169.3")
        .says("hook Stop: unknown")
        .says("execution rule: none");
    assert_eq!(bed.all(), before);
}

#[test]
fn a_codex_that_hangs_or_leaves_processes_behind_is_ended() {
    let bed = Machine::new().with_codex_home();
    let script =
        "sleep 4321 &\ncase $1 in --version) echo codex-cli 0.168.0; cat; exit;; esac\nexit 1\n";
    bed.program(&bed.base().join("path/codex"), script);
    let mark = bed.base().join("path/codex").display().to_string();
    bed.run(&["hooks", "install", "--yes"])
        .fails(6)
        .says("registered but not armed");
    assert_eq!(crate::testbed::processes_with(&mark), Vec::<String>::new());
    bed.run(&["uninstall", "--yes"]).ok();
    assert_eq!(
        std::fs::read_to_string(bed.codex("hooks.json")).unwrap(),
        HOOKS
    );
}

#[test]
fn an_installation_or_a_removal_that_is_killed_at_any_step_can_be_finished_and_undone() {
    let whole = |bed: &Machine| -> Vec<_> {
        let all = bed.all().into_iter();
        all.filter(|(path, _)| !path.ends_with("manifest.json"))
            .map(|(path, found)| (path.strip_prefix(bed.base()).unwrap().to_owned(), found.0))
            .collect()
    };
    let complete = Machine::new().with_codex_home();
    complete.run(&EVERYTHING).ok();
    for command in [&EVERYTHING[..], &["uninstall", "--yes"]] {
        for step in 1.. {
            let bed = Machine::new().with_codex_home();
            let before = bed.all();
            if command[0] == "uninstall" {
                bed.run(&EVERYTHING).ok();
            }
            let at = step.to_string();
            if bed.run_with(command, &[("SEALED_CRASH_AT", &at)]).code == 0 {
                assert!(step > 4, "{command:?} has {step} steps");
                break;
            }
            if step % 2 == 0 {
                bed.run(&EVERYTHING).ok();
                assert_eq!(whole(&bed), whole(&complete), "{command:?} step {step}");
            }
            bed.run(&["uninstall", "--yes"]).ok();
            assert_eq!(bed.all(), before, "{command:?} step {step}");
        }
    }
}

#[test]
fn inside_a_codex_session_files_are_read_and_no_second_codex_is_started() {
    let bed = Machine::new().with_codex_home();
    bed.run(&["hooks", "install", "--yes"]).ok();
    let started = bed.base().join("started");
    bed.program(
        &bed.base().join("path/codex"),
        &format!("echo > '{}'\n", started.display()),
    );
    let session = [("CODEX_THREAD_ID", "t-1")];
    let report = bed.run_with(&["hooks", "status", "--json"], &session).ok();
    assert_eq!(report.json()["asked"], false);
    assert_eq!(report.json()["hooks"][1]["state"], "not-armed");
    assert!(!started.exists());
}

#[test]
fn programs_whose_manifest_is_gone_are_listed_again_and_a_file_in_the_way_is_refused() {
    let bed = Machine::new();
    let before = bed.all();
    bed.run(&["hooks", "install", "--yes"]).ok();
    let manifest = bed.data().join("manifest.json");
    let folders = bed.manifest()["folders"].clone();
    std::fs::remove_file(&manifest).unwrap();
    bed.run(&["hooks", "install", "--yes"]).ok();
    let mut again = bed.manifest();
    assert_eq!(again["files"].as_array().unwrap().len(), 3);
    again["folders"] = folders;
    std::fs::write(&manifest, again.to_string()).unwrap();
    bed.run(&["uninstall", "--yes"]).ok();
    let left: Vec<PathBuf> = bed.all().into_keys().collect();
    // What was there when the manifest was lost counts as the user's: their file holds no hook of ours any more.
    assert!(left.contains(&bed.codex("hooks.json")), "{left:?}");
    assert!(!bed.data().exists());
    std::fs::remove_dir_all(bed.home.join(".codex")).unwrap();
    assert_eq!(bed.all(), before);
    std::fs::create_dir_all(bed.data().parent().unwrap()).unwrap();
    std::fs::write(bed.data(), "").unwrap();
    bed.run(&["install", "--yes"])
        .fails(4)
        .says("is not a folder of yours");
}

#[test]
fn a_project_whose_links_lead_the_skill_elsewhere_is_refused_and_nothing_is_written() {
    for link in [
        ".agents",
        ".agents/skills",
        ".agents/skills/codex-autoresearch/scripts",
    ] {
        let machine = Machine::new();
        let (project, elsewhere) = (machine.base().join("project"), machine.base().join("else"));
        let place = project.join(link);
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        std::fs::create_dir(&elsewhere).unwrap();
        symlink(&elsewhere, &place).unwrap();
        let before = machine.all();
        machine
            .run(&["install", "--project", project.to_str().unwrap(), "--yes"])
            .fails(4)
            .says("leads elsewhere");
        assert_eq!(machine.all(), before, "{link}");
    }
    // The user's own folder may be kept elsewhere.
    let machine = Machine::new();
    let elsewhere = machine.base().join("dotfiles");
    std::fs::create_dir(&elsewhere).unwrap();
    symlink(&elsewhere, machine.home.join(".agents")).unwrap();
    machine.run(&["install", "--yes"]).ok();
    assert!(
        elsewhere
            .join("skills/codex-autoresearch/SKILL.md")
            .exists()
    );
}

#[test]
fn a_link_that_leads_nowhere_is_named_and_stays() {
    let machine = Machine::new().with_codex_home();
    let link = machine.codex("hooks.json");
    std::fs::remove_file(&link).unwrap();
    symlink(machine.base().join("nowhere"), &link).unwrap();
    machine
        .run(&["install", "--hooks", "--yes"])
        .fails(4)
        .says("hooks.json is a broken link");
    assert!(link.is_symlink());
}
