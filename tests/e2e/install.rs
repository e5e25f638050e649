//! `install`, `uninstall` and `hooks`: what is the user's has the same bytes afterwards, whatever happened in between.
//!
//! Codex itself is not needed here: a script stands in where its absence or presence matters.

use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::shown::assert_answer;
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
    assert_answer!(bed.run(&EVERYTHING).ok(), @"
    wrote   <bed>/home/.local/share/codex-autoresearch/bin/autoresearch
    wrote   <bed>/home/.local/share/codex-autoresearch/bin/autoresearch-hook
    wrote   <bed>/home/.local/share/codex-autoresearch/bin/autoresearch-supervisor
    wrote   <bed>/home/.agents/skills/codex-autoresearch/SKILL.md
    wrote   <bed>/home/.agents/skills/codex-autoresearch/agents/openai.yaml
    wrote   <bed>/home/.agents/skills/codex-autoresearch/config.schema.json
    wrote   <bed>/home/.agents/skills/codex-autoresearch/references/debug.md
    wrote   <bed>/home/.agents/skills/codex-autoresearch/references/exec.md
    wrote   <bed>/home/.agents/skills/codex-autoresearch/references/fix.md
    wrote   <bed>/home/.agents/skills/codex-autoresearch/references/loop.md
    wrote   <bed>/home/.agents/skills/codex-autoresearch/references/plan.md
    wrote   <bed>/home/.agents/skills/codex-autoresearch/references/security.md
    wrote   <bed>/home/.agents/skills/codex-autoresearch/references/ship.md
    wrote   <bed>/home/.agents/skills/codex-autoresearch/scripts/autoresearch
    wrote   <bed>/home/.agents/skills/codex-autoresearch/scripts/autoresearch-hook
    wrote   <bed>/home/.codex/rules/autoresearch.rules
    changed <bed>/home/.codex/hooks.json
    warning: codex was not found on PATH, so the hooks are not armed: run `autoresearch hooks install` where it is, or trust them in Codex with /hooks
    SessionStart  not armed  (autoresearch hooks install)
    Stop          not armed  (autoresearch hooks install)
    Interrupt     not armed  (autoresearch hooks install)
    install: done
    next: in Codex, type $codex-autoresearch and one sentence, such as: get rid of the any types
    ");
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
    assert_answer!(bed.run(&["uninstall", "--yes"]).ok(), @"
    deleted <bed>/home/.local/share/codex-autoresearch/bin/autoresearch
    deleted <bed>/home/.local/share/codex-autoresearch/bin/autoresearch-hook
    deleted <bed>/home/.local/share/codex-autoresearch/bin/autoresearch-supervisor
    deleted <bed>/home/.agents/skills/codex-autoresearch/SKILL.md
    deleted <bed>/home/.agents/skills/codex-autoresearch/agents/openai.yaml
    deleted <bed>/home/.agents/skills/codex-autoresearch/config.schema.json
    deleted <bed>/home/.agents/skills/codex-autoresearch/references/debug.md
    deleted <bed>/home/.agents/skills/codex-autoresearch/references/exec.md
    deleted <bed>/home/.agents/skills/codex-autoresearch/references/fix.md
    deleted <bed>/home/.agents/skills/codex-autoresearch/references/loop.md
    deleted <bed>/home/.agents/skills/codex-autoresearch/references/plan.md
    deleted <bed>/home/.agents/skills/codex-autoresearch/references/security.md
    deleted <bed>/home/.agents/skills/codex-autoresearch/references/ship.md
    deleted <bed>/home/.agents/skills/codex-autoresearch/scripts/autoresearch
    deleted <bed>/home/.agents/skills/codex-autoresearch/scripts/autoresearch-hook
    deleted <bed>/home/.codex/rules/autoresearch.rules
    deleted <bed>/repo/.agents/skills/codex-autoresearch/SKILL.md
    deleted <bed>/repo/.agents/skills/codex-autoresearch/agents/openai.yaml
    deleted <bed>/repo/.agents/skills/codex-autoresearch/config.schema.json
    deleted <bed>/repo/.agents/skills/codex-autoresearch/references/debug.md
    deleted <bed>/repo/.agents/skills/codex-autoresearch/references/exec.md
    deleted <bed>/repo/.agents/skills/codex-autoresearch/references/fix.md
    deleted <bed>/repo/.agents/skills/codex-autoresearch/references/loop.md
    deleted <bed>/repo/.agents/skills/codex-autoresearch/references/plan.md
    deleted <bed>/repo/.agents/skills/codex-autoresearch/references/security.md
    deleted <bed>/repo/.agents/skills/codex-autoresearch/references/ship.md
    deleted <bed>/repo/.agents/skills/codex-autoresearch/scripts/autoresearch
    deleted <bed>/repo/.agents/skills/codex-autoresearch/scripts/autoresearch-hook
    changed <bed>/home/.codex/hooks.json
    uninstall: done
    ");
    assert_eq!(bed.all(), before);
    assert_answer!(bed.run(&["uninstall", "--yes"]).ok(), @"nothing is installed");
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
    assert_answer!(bed.run(&["hooks", "uninstall", "--yes"]).ok(), @"nothing is installed");
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
    assert_answer!(bed.run(&["uninstall", "--yes"]).ok(), @"
    deleted <bed>/home/.local/share/codex-autoresearch/bin/autoresearch
    deleted <bed>/home/.local/share/codex-autoresearch/bin/autoresearch-hook
    deleted <bed>/home/.local/share/codex-autoresearch/bin/autoresearch-supervisor
    deleted <bed>/home/.agents/skills/codex-autoresearch/SKILL.md
    deleted <bed>/home/.agents/skills/codex-autoresearch/agents/openai.yaml
    deleted <bed>/home/.agents/skills/codex-autoresearch/references/debug.md
    deleted <bed>/home/.agents/skills/codex-autoresearch/references/exec.md
    deleted <bed>/home/.agents/skills/codex-autoresearch/references/fix.md
    deleted <bed>/home/.agents/skills/codex-autoresearch/references/loop.md
    deleted <bed>/home/.agents/skills/codex-autoresearch/references/plan.md
    deleted <bed>/home/.agents/skills/codex-autoresearch/references/security.md
    deleted <bed>/home/.agents/skills/codex-autoresearch/references/ship.md
    deleted <bed>/home/.agents/skills/codex-autoresearch/scripts/autoresearch
    deleted <bed>/home/.agents/skills/codex-autoresearch/scripts/autoresearch-hook
    deleted <bed>/home/.codex/rules/autoresearch.rules
    changed <bed>/home/.codex/hooks.json
    changed <bed>/home/.codex/config.toml
    warning: <bed>/home/.agents/skills/codex-autoresearch/config.schema.json was changed by somebody else and stays
    uninstall: done
    ");
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
    assert_answer!(bed.run(&["hooks", "install", "--yes"]).fails(6), @"
    exit code 6
    --- stderr
    error: CODEX_HOME is <bed>/nowhere, which does not exist
    hint: create that folder, or unset CODEX_HOME to use ~/.codex
    ");
}

#[test]
fn a_file_that_codex_could_not_read_is_named_and_nothing_is_written() {
    let bed = Machine::new().with_codex_home();
    let install_with = |name: &str, text: &str| {
        std::fs::write(bed.codex("hooks.json"), HOOKS).unwrap();
        std::fs::write(bed.codex("config.toml"), CONFIG).unwrap();
        std::fs::write(bed.codex(name), text).unwrap();
        let before = bed.all();
        let answer = bed.run(&EVERYTHING).fails(4);
        assert_eq!(bed.all(), before);
        answer
    };
    assert_answer!(install_with("hooks.json", "{\n  \"hooks\": {,}\n}"), @"
    exit code 4
    --- stderr
    error: <bed>/home/.codex/hooks.json is not valid JSON: key must be a string at line 2 column 13
    hint: nothing was written. Fix <bed>/home/.codex/hooks.json and run the command again
    ");
    assert_answer!(install_with("hooks.json", "[]"), @"
    exit code 4
    --- stderr
    error: <bed>/home/.codex/hooks.json is not a JSON object
    hint: nothing was written. Fix <bed>/home/.codex/hooks.json and run the command again
    ");
    assert_answer!(install_with("config.toml", "model = \n"), @"
    exit code 4
    --- stderr
    error: <bed>/home/.codex/config.toml is not valid TOML: string values must be quoted, expected literal string at line 1
    hint: nothing was written. Fix <bed>/home/.codex/config.toml and run the command again
    ");
}

#[test]
fn a_second_install_changes_nothing_and_says_so() {
    let bed = Machine::new().with_codex_home();
    bed.run(&EVERYTHING).ok();
    let before = bed.all();
    assert_answer!(bed.run(&["install", "--hooks", "--rule"]).ok(), @"
    warning: codex was not found on PATH, so the hooks are not armed: run `autoresearch hooks install` where it is, or trust them in Codex with /hooks
    already installed
    ");
    let report = bed.run(&["hooks", "install", "--json"]).ok().json();
    assert_eq!(report["state"], "nothing-to-do");
    assert_eq!(bed.all(), before);
}

#[test]
fn without_a_yes_nothing_is_written_and_the_plan_is_shown() {
    let bed = Machine::new().with_codex_home();
    let before = bed.all();
    assert_answer!(bed.run(&["install"]).fails(4), @"
    exit code 4
    --- stderr
    error: `install` needs a yes, and there is no terminal to ask at
    hint: nothing was written. Look at what it would do with --dry-run, then run it with --yes
    ");
    assert_answer!(bed.run(&["install", "--hooks", "--rule", "--json"]).fails(4), @r#"
    exit code 4
    {"caused_by":[],"error":"`install` needs a yes, and there is no terminal to ask at","exit_code":4,"hint":"nothing was written. Look at what it would do with --dry-run, then run it with --yes","kind":"blocked","warnings":[]}
    "#);
    assert_answer!(bed.run(&["hooks", "install"]).fails(4), @"
    exit code 4
    --- stderr
    error: `hooks install` needs a yes, and there is no terminal to ask at
    hint: nothing was written. Look at what it would do with --dry-run, then run it with --yes
    ");
    assert_eq!(bed.all(), before);
    assert_answer!(bed.run(&["install", "--hooks", "--rule", "--dry-run"]).ok(), @r#"
    write  <bed>/home/.local/share/codex-autoresearch/bin/autoresearch
    write  <bed>/home/.local/share/codex-autoresearch/bin/autoresearch-hook
    write  <bed>/home/.local/share/codex-autoresearch/bin/autoresearch-supervisor
    write  <bed>/home/.agents/skills/codex-autoresearch/SKILL.md
    write  <bed>/home/.agents/skills/codex-autoresearch/agents/openai.yaml
    write  <bed>/home/.agents/skills/codex-autoresearch/config.schema.json
    write  <bed>/home/.agents/skills/codex-autoresearch/references/debug.md
    write  <bed>/home/.agents/skills/codex-autoresearch/references/exec.md
    write  <bed>/home/.agents/skills/codex-autoresearch/references/fix.md
    write  <bed>/home/.agents/skills/codex-autoresearch/references/loop.md
    write  <bed>/home/.agents/skills/codex-autoresearch/references/plan.md
    write  <bed>/home/.agents/skills/codex-autoresearch/references/security.md
    write  <bed>/home/.agents/skills/codex-autoresearch/references/ship.md
    write  <bed>/home/.agents/skills/codex-autoresearch/scripts/autoresearch
    write  <bed>/home/.agents/skills/codex-autoresearch/scripts/autoresearch-hook
    write  <bed>/home/.codex/rules/autoresearch.rules

    --- /dev/null
    +++ <bed>/home/.codex/rules/autoresearch.rules
    @@ -0,0 +1,13 @@
    +# Written by `autoresearch install --rule`; `autoresearch uninstall` removes it.
    +prefix_rule(
    +    pattern = ["<bed>/home/.local/share/codex-autoresearch/bin/autoresearch", ["trial", "parallel", "retry", "remeasure", "propose", "strategy", "status", "log", "show", "runs", "resume", "stop", "finish", "doctor", "debug", "hypothesis"]],
    +    decision = "allow",
    +    justification = "autoresearch commits, measures and undoes trials, for which git must be writable",
    +    match = [["<bed>/home/.local/share/codex-autoresearch/bin/autoresearch", "trial", "-m", "x"]],
    +    not_match = [["<bed>/home/.local/share/codex-autoresearch/bin/autoresearch", "install"], ["autoresearch", "trial"]],
    +)
    +prefix_rule(
    +    pattern = ["<bed>/home/.local/share/codex-autoresearch/bin/autoresearch", "start"],
    +    decision = "prompt",
    +    justification = "start runs the verify and guard commands of the config: read them first",
    +)

    --- <bed>/home/.codex/hooks.json
    +++ <bed>/home/.codex/hooks.json
    @@ -1,2 +1,2 @@
     { "version":1,
    -	"hooks" :{"Stop":[ {"hooks":[{"type":"command","command":"mine"}]} ] , "SessionStart":[]}}
    \ No newline at end of file
    +	"hooks" :{"Stop":[ {"hooks":[{"type":"command","command":"mine"}]}, {"hooks": [{"type": "command", "command": "<bed>/home/.local/share/codex-autoresearch/bin/autoresearch-hook stop", "timeout": <most>, "statusMessage": "autoresearch: measuring"}]} ] , "SessionStart":[{"hooks": [{"type": "command", "command": "<bed>/home/.local/share/codex-autoresearch/bin/autoresearch-hook session-start", "timeout": 10}]}],"Interrupt": [{"hooks": [{"type": "command", "command": "<bed>/home/.local/share/codex-autoresearch/bin/autoresearch-hook interrupt", "timeout": 3}]}]}}
    \ No newline at end of file

    note: with this rule verify and guard, and so any code they execute that the agent has edited, run outside Codex's sandbox, with network and without a question; only `start`, which fixes the commands of a run, still asks you (and is refused where nobody can be asked)
    note: hooks run outside Codex's sandbox, in every session; ours do nothing unless a run of that session is open, and in a run they execute its verify and guard, and so code that the agent has edited
    warning: codex was not found on PATH, so the hooks are not armed: run `autoresearch hooks install` where it is, or trust them in Codex with /hooks
    nothing was written yet
    "#);
    let plan = bed
        .run(&["install", "--rule-start", "--dry-run", "--json"])
        .ok()
        .json();
    assert_eq!(plan["state"], "planned");
    assert_answer!(plan["changes"][0]["diff"].as_str().unwrap(), @r#"
    --- /dev/null
    +++ <bed>/home/.codex/rules/autoresearch.rules
    @@ -0,0 +1,8 @@
    +# Written by `autoresearch install --rule`; `autoresearch uninstall` removes it.
    +prefix_rule(
    +    pattern = ["<bed>/home/.local/share/codex-autoresearch/bin/autoresearch", ["trial", "parallel", "retry", "remeasure", "propose", "strategy", "status", "log", "show", "runs", "resume", "stop", "finish", "doctor", "debug", "hypothesis", "start"]],
    +    decision = "allow",
    +    justification = "autoresearch commits, measures and undoes trials, for which git must be writable",
    +    match = [["<bed>/home/.local/share/codex-autoresearch/bin/autoresearch", "trial", "-m", "x"]],
    +    not_match = [["<bed>/home/.local/share/codex-autoresearch/bin/autoresearch", "install"], ["autoresearch", "trial"]],
    +)
    "#);
    assert_eq!(bed.all(), before);
    bed.run(&["install", "--yes"]).ok();
    assert_answer!(bed.run(&["uninstall"]).fails(4), @"
    exit code 4
    --- stderr
    error: `uninstall` needs a yes, and there is no terminal to ask at
    hint: nothing was written. Look at what it would do with --dry-run, then run it with --yes
    ");
    assert_answer!(bed.run(&["install", "--yes", "--dry-run"]).fails(2), @"
    exit code 2
    --- stderr
    error: the argument '--yes' cannot be used with '--dry-run'

    Usage: autoresearch-sealed install --yes

    For more information, try '--help'.
    ");
    assert_answer!(bed.run(&["install", "--project", "nowhere", "--yes"]).fails(2), @"
    exit code 2
    --- stderr
    error: <bed>/repo/nowhere is not a folder
    hint: name the root of the project: autoresearch install --project DIR
    ");
}

#[test]
fn a_path_with_spaces_and_quotes_is_one_word_for_the_shell() {
    let bed = Machine::at("a home's place");
    let before = bed.all();
    let told = bed
        .run(&[&EVERYTHING[..], &["--json"]].concat())
        .ok()
        .json();
    assert_answer!(told["warnings"][0].as_str().unwrap(), @"Codex applies a rule only to a command typed without quotes, so the rule has no effect for <bed>/a home's place/.local/share/codex-autoresearch/bin/autoresearch");
    assert_eq!(told["warnings"].as_array().unwrap().len(), 2, "{told}");
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
    assert_answer!(answer["warnings"], @r#"["<bed>/repo/.agents/skills/other-folder is another copy of this skill: Codex loads neither of two skills with one name. Remove one of them"]"#);
}

#[test]
fn an_update_replaces_our_files_and_reports_those_that_the_user_edited() {
    let bed = Machine::new();
    let before = bed.all();
    bed.run(&EVERYTHING).ok();
    bed.program(&bed.base().join("programs/autoresearch"), "exit 7\n");
    assert_answer!(bed.run(&EVERYTHING).ok(), @"
    wrote   <bed>/home/.local/share/codex-autoresearch/bin/autoresearch
    wrote   <bed>/home/.local/share/codex-autoresearch/bin/autoresearch-hook
    wrote   <bed>/home/.local/share/codex-autoresearch/bin/autoresearch-supervisor
    warning: codex was not found on PATH, so the hooks are not armed: run `autoresearch hooks install` where it is, or trust them in Codex with /hooks
    SessionStart  not armed  (autoresearch hooks install)
    Stop          not armed  (autoresearch hooks install)
    Interrupt     not armed  (autoresearch hooks install)
    install: done
    next: in Codex, type $codex-autoresearch and one sentence, such as: get rid of the any types
    ");
    bed.is_one_program("exit 7");
    let schema = bed
        .home
        .join(".agents/skills/codex-autoresearch/config.schema.json");
    let text = std::fs::read(&schema).unwrap();
    std::fs::write(&schema, "mine").unwrap();
    assert_answer!(bed.run(&EVERYTHING).ok(), @"
    warning: <bed>/home/.agents/skills/codex-autoresearch/config.schema.json was changed by somebody else and is left as it is; move it away and install again to get the new one
    warning: codex was not found on PATH, so the hooks are not armed: run `autoresearch hooks install` where it is, or trust them in Codex with /hooks
    already installed
    ");
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
    assert_answer!(bed.run(&["hooks", "install", "--yes"]).fails(6), @"
    exit code 6
    --- stderr
    error: <bed>/programs/autoresearch cannot be read, and <bed>/home/.local/share/codex-autoresearch/bin/autoresearch-hook is not there
    hint: build it: cargo install --path crates/autoresearch --locked --force
    ");
    assert_eq!(bed.all(), before);
}

#[test]
fn a_manifest_of_a_newer_version_is_refused() {
    let bed = Machine::new();
    bed.run(&["install", "--yes"]).ok();
    let mut manifest = bed.manifest();
    manifest["format"] = 9.into();
    std::fs::write(bed.data().join("manifest.json"), manifest.to_string()).unwrap();
    assert_answer!(bed.run(&["uninstall", "--yes"]).fails(4), @"
    exit code 4
    --- stderr
    error: <bed>/home/.local/share/codex-autoresearch/manifest.json has format 9, which this version does not know
    hint: update autoresearch
    ");
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
    assert_answer!(bed.run(&["doctor"]).fails(4), @"
    exit code 4
    ok       git: <version> at <git>
    ok       runs: no run was started here
    <sandbox>
    <codex>
    PROBLEM  hook SessionStart: unknown
             `codex app-server` ended before it answered `initialize`; when Codex works again: autoresearch hooks status
    PROBLEM  hook Stop: unknown
             `codex app-server` ended before it answered `initialize`; when Codex works again: autoresearch hooks status
    PROBLEM  hook Interrupt: unknown
             `codex app-server` ended before it answered `initialize`; when Codex works again: autoresearch hooks status
    note     skill $codex-autoresearch: not installed
             autoresearch install
    note     execution rule: none
             autoresearch install --rule adds it, if trials are to run outside Codex's sandbox
    3 problems
    ");
    assert_eq!(bed.all(), before);
}

#[test]
fn a_codex_that_hangs_or_leaves_processes_behind_is_ended() {
    let bed = Machine::new().with_codex_home();
    let script =
        "sleep 4321 &\ncase $1 in --version) echo codex-cli 0.168.0; cat; exit;; esac\nexit 1\n";
    bed.program(&bed.base().join("path/codex"), script);
    let mark = bed.base().join("path/codex").display().to_string();
    assert_answer!(bed.run(&["hooks", "install", "--yes"]).fails(6), @"
    exit code 6
    --- stderr
    error: Codex did not answer
    caused by: `codex app-server` ended before it answered `initialize`
    hint: the hooks are registered but not armed: `autoresearch hooks status` says what is missing; in Codex, /hooks trusts them
    ");
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
    assert_answer!(bed.run(&["install", "--yes"]).fails(4), @"
    exit code 4
    --- stderr
    error: <bed>/home/.local/share/codex-autoresearch is not a folder of yours
    hint: nothing was written. Move it away and run the command again
    ");
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
    assert_answer!(machine.run(&["install", "--hooks", "--yes"]).fails(4), @"
    exit code 4
    --- stderr
    error: <bed>/home/.codex/hooks.json is a broken link
    hint: nothing was written. Create the file that it points to, or remove the link
    ");
    assert!(link.is_symlink());
}
