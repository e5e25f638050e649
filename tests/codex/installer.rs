//! Each way of installing, with the real Codex: it is set up, a run works in it, and it is gone again to the byte.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::bench::Bench;
use crate::reply::{say, shell};
use crate::scene::{Agent, built, copy, person, scene_without_skill, set, skill};

/// Files that Codex itself makes or changes in its home, whatever is installed.
const CODEXS_OWN: [&str; 4] = ["sessions", "tmp", ".tmp", "shell_snapshots"];

/// Every file below a folder: rights and bytes.
fn everything(root: &Path) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
    fn walk(root: &Path, at: &Path, found: &mut BTreeMap<PathBuf, (u32, Vec<u8>)>) {
        for entry in std::fs::read_dir(at).into_iter().flatten().flatten() {
            let path = entry.path();
            let meta = path.symlink_metadata().unwrap();
            if meta.is_dir() {
                walk(root, &path, found);
            } else {
                let below = path.strip_prefix(root).unwrap().to_owned();
                let bytes = std::fs::read(&path).unwrap_or_default();
                found.insert(below, (meta.permissions().mode(), bytes));
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(root, root, &mut found);
    found
}

/// The Codex home without what Codex itself writes there.
fn codex_home(bench: &Bench) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
    let mut found = everything(&bench.codex_home);
    found.retain(|path, _| {
        let name = path.to_string_lossy();
        !name.contains(".sqlite") && !CODEXS_OWN.iter().any(|own| name.starts_with(own))
    });
    found
}

/// A run that a person starts, and that the skill takes to its target in the sandbox.
fn run_in_the_sandbox(bench: &Bench, engine: &Path, skill: &str) {
    person(bench, engine, &["start"]).ok();
    let (first, second) = (set(3), set(0));
    let agent = Agent::of(engine, "resume", &[&first, &second]);
    bench.model.react(move |request| agent.answer(request));
    let prompt = format!("${skill} go on with the run");
    bench.exec(&prompt).sandbox("workspace-write").run().ok();
    let seen = bench.model.last().texts_of("user");
    assert!(
        seen.iter().any(|text| text.starts_with("<skill>")),
        "{seen:?}"
    );
    assert_eq!(bench.bed.story(), ["0 baseline", "1 keep", "2 keep"]);
}

#[test]
fn install_use_and_uninstall_leave_the_home_and_the_project_as_they_were() {
    let Some(bench) = scene_without_skill() else {
        return;
    };
    let built = built(&bench.root.join("built"));
    let theirs = "{ \"hooks\": {\"Stop\": [ {\"hooks\":[{\"type\":\"command\",\"command\":\"true\"}]} ]} }\n";
    std::fs::write(bench.codex_home.join("hooks.json"), theirs).unwrap();
    bench.trust_hooks();
    // Codex has been used before, so that what it makes for itself is there.
    bench.model.play([say("hello")]);
    bench.exec("hello").run().ok();
    let asked = bench.model.requests().len();
    let before = (
        codex_home(&bench),
        everything(&bench.bed.home),
        bench.bed.fingerprint(),
    );
    person(
        &bench,
        &built,
        &["install", "--hooks", "--rule", "--dry-run"],
    )
    .ok();
    assert_eq!(codex_home(&bench), before.0, "a dry run writes nothing");
    person(&bench, &built, &["install", "--hooks", "--yes"]).ok();
    person(&bench, &built, &["install", "--hooks", "--yes"])
        .ok()
        .says("already installed");
    let engine = bench.bed.home.join("data/bin/autoresearch");
    let hooks = person(&bench, &engine, &["hooks", "status", "--json"]).ok();
    assert_eq!(hooks.out.matches("\"armed\"").count(), 3, "{hooks:?}");
    let doctor = person(&bench, &engine, &["doctor"]).ok();
    assert!(
        doctor
            .out
            .contains(&format!("codex: {} at ", crate::install::release())),
        "{doctor:?}"
    );
    let used = bench.model.requests().len();
    assert_eq!(used, asked, "installing asks no model");
    run_in_the_sandbox(&bench, &engine, "codex-autoresearch");
    person(&bench, &engine, &["uninstall", "--yes"]).ok();
    let mut home = everything(&bench.bed.home);
    // Codex's own, below HOME.
    home.retain(|path, _| before.1.contains_key(path) || !path.starts_with(".cache"));
    assert_eq!(codex_home(&bench), before.0);
    assert_eq!(home, before.1);
    assert!(!bench.bed.home.join(".agents").exists() && !bench.bed.home.join("data").exists());
    assert_eq!(bench.bed.fingerprint(), before.2);
}

#[test]
fn an_installed_rule_lets_trials_out_of_the_sandbox_and_asks_before_a_start() {
    let Some(bench) = scene_without_skill() else {
        return;
    };
    let built = built(&bench.root.join("built"));
    person(&bench, &built, &["install", "--rule", "--yes"]).ok();
    let engine = bench.bed.home.join("data/bin/autoresearch");
    let start = format!("{} start", engine.display());
    bench.model.play([shell(&start), say("told")]);
    bench.exec("go").sandbox("workspace-write").run().ok();
    assert!(!bench.bed.path("autoresearch-results").exists());
    run_in_the_sandbox(&bench, &engine, "codex-autoresearch");
    let outputs = bench.model.last().outputs().join("\n");
    assert!(
        outputs.contains("trial 1: keep"),
        "no hook was needed: {outputs}"
    );
    person(&bench, &engine, &["uninstall", "--yes"]).ok();
    assert!(!bench.codex_home.join("rules").exists());
}

#[test]
fn looking_makes_no_codex_home_where_there_was_none() {
    let Some(bench) = scene_without_skill() else {
        return;
    };
    let built = built(&bench.root.join("built"));
    let before = everything(&bench.bed.home);
    let look = |words: &[&str]| {
        let path = format!(
            "{}:{}",
            bench.codex.native.parent().unwrap().display(),
            std::env::var("PATH").unwrap()
        );
        let mut command = std::process::Command::new(&built);
        command
            .args(words)
            .current_dir(&bench.bed.repo)
            .env_clear()
            .envs(bench.bed.env())
            .env("PATH", path);
        crate::testbed::finish(command)
    };
    // The release is told all the same.
    let doctor = look(&["doctor"]).ok();
    let release = format!("codex: {} at ", crate::install::release());
    assert!(doctor.out.contains(&release), "{doctor:?}");
    assert!(
        doctor.out.contains("Codex was never used here"),
        "{doctor:?}"
    );
    look(&["hooks", "status"]).ok();
    look(&["install", "--hooks", "--rule", "--dry-run"]).ok();
    assert_eq!(everything(&bench.bed.home), before);
    assert!(!bench.bed.home.join(".codex").exists());
}

#[test]
fn in_a_read_only_sandbox_looking_works_and_doctor_tells_the_truth() {
    let Some(bench) = scene_without_skill() else {
        return;
    };
    person(&bench, &Bench::engine(), &["start"]).ok();
    let engine = Bench::engine().display().to_string();
    let calls = ["doctor", "status", "log", "config check"];
    let calls = calls.map(|call| shell(&format!("{engine} {call}; echo code $?")));
    bench.model.play(calls.into_iter().chain([say("seen")]));
    bench.exec("look").sandbox("read-only").run().ok();
    let outputs = bench.model.last().outputs();
    let doctor = &outputs[0];
    for words in [
        "ok       git: ",
        "HEAD is where the run left it",
        &format!("codex: {} runs this session", crate::install::release()),
        "PROBLEM  git folder: read-only for this process, which runs in Codex's sandbox",
        "code 4",
    ] {
        assert!(doctor.contains(words), "{words}: {doctor}");
    }
    assert!(!doctor.contains("reinstall"), "{doctor}");
    for output in &outputs[1..] {
        assert!(output.contains("code 0"), "{output}");
    }
}

#[test]
fn a_copy_of_the_skill_finds_the_programs_and_works_with_hooks_that_were_registered_alone() {
    let Some(bench) = scene_without_skill() else {
        return;
    };
    copy(
        &skill(),
        &bench.bed.home.join(".agents/skills/codex-autoresearch"),
    );
    let cargo = built(&bench.bed.home.join(".cargo/bin"));
    person(&bench, &cargo, &["hooks", "install", "--yes"]).ok();
    let launcher = bench
        .bed
        .home
        .join(".agents/skills/codex-autoresearch/scripts/autoresearch");
    let found = person(&bench, &launcher, &["--where"]).ok();
    run_in_the_sandbox(&bench, Path::new(found.out.trim()), "codex-autoresearch");
}

/// A clone of this project with what a plugin needs of it, committed.
fn clone(bench: &Bench) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let clone = bench.root.join("clone");
    for folder in ["skill", "hooks", ".agents"] {
        copy(&root.join(folder), &clone.join(folder));
    }
    let clone_text = clone.to_str().unwrap();
    bench.bed.git(&["init", "-q", clone_text]);
    bench.bed.git(&["-C", clone_text, "add", "-A"]);
    bench
        .bed
        .git(&["-C", clone_text, "commit", "-qm", "the project"]);
    clone
}

#[test]
fn the_plugin_gives_the_skill_and_hooks_that_fire_once_they_are_trusted() {
    let Some(bench) = scene_without_skill() else {
        return;
    };
    let cargo = built(&bench.bed.home.join(".cargo/bin"));
    let clone = clone(&bench);
    bench
        .run(&["plugin", "marketplace", "add", clone.to_str().unwrap()])
        .ok();
    bench
        .run(&[
            "plugin",
            "add",
            "codex-autoresearch@codex-autoresearch",
            "--json",
        ])
        .ok();
    let mut server = bench.app_server();
    let skills = server.skills();
    let name = "codex-autoresearch:codex-autoresearch";
    assert!(
        skills.iter().any(|skill| skill["name"] == name),
        "{skills:?}"
    );
    let hooks = server.hooks();
    assert_eq!(hooks.len(), 3);
    assert!(hooks.iter().all(|hook| hook["trustStatus"] == "untrusted"));
    drop(server);
    // Not trusted: the session ends as if there were no hook.
    bench.model.play([say("hello")]);
    bench.exec("hello").run().ok();
    bench.trust_hooks();
    run_in_the_sandbox(&bench, &cargo, name);
    let prompts = bench.model.last().hook_prompts();
    assert!(prompts[0].contains("trial 1: keep"), "{prompts:?}");
}
