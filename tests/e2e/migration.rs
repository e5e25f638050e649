//! An installation of the version before, which had three programs: it goes on working, and goes away to the byte.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::install::{CONFIG, EVERYTHING, HOOKS, Machine};
use crate::testbed::finish;

/// What stood in the rule file of an installation of three programs.
const OLD_RULE: &str = r#"# Written by `autoresearch install --rule`; `autoresearch uninstall` removes it.
prefix_rule(
    pattern = ["BIN/autoresearch", ["trial", "propose", "strategy", "status", "log", "resume", "stop", "finish", "doctor"]],
    decision = "allow",
    justification = "autoresearch commits, measures and undoes trials, for which git must be writable",
    match = [["BIN/autoresearch", "trial", "-m", "x"]],
    not_match = [["BIN/autoresearch", "install"], ["autoresearch", "trial"]],
)
prefix_rule(
    pattern = ["BIN/autoresearch", "start"],
    decision = "prompt",
    justification = "start runs the verify and guard commands of the config: read them first",
)
"#;

const OLD_HOOKS: &str = r#"{"hooks": {"Stop": [{"hooks":[{"type":"command","command":"mine"}]}, {"hooks": [{"type": "command", "command": "BIN/autoresearch-hook stop", "timeout": 1000000, "statusMessage": "autoresearch: measuring"}]}], "SessionStart": [{"hooks": [{"type": "command", "command": "BIN/autoresearch-hook session-start", "timeout": 10}]}], "Interrupt": [{"hooks": [{"type": "command", "command": "BIN/autoresearch-hook interrupt", "timeout": 3}]}]}}"#;

/// The keys of our hooks, and a configuration in which they are trusted.
fn old_trust(hooks: &Path) -> (Vec<String>, String) {
    let keys: Vec<String> = ["session_start:0:0", "stop:1:0", "interrupt:0:0"]
        .map(|place| format!("{}:{place}", hooks.display()))
        .into();
    let mut config = format!("{CONFIG}\n[hooks.state]\n");
    for key in &keys {
        config = format!("{config}\n[hooks.state.\"{key}\"]\ntrusted_hash = \"sha256:1\"\n");
    }
    (keys, config)
}

/// The folders that it had made.
fn old_folders(bed: &Machine) -> [PathBuf; 9] {
    let (bin, skill) = (
        bed.data().join("bin"),
        bed.home.join(".agents/skills/codex-autoresearch"),
    );
    [
        bed.home.join(".local"),
        bed.home.join(".local/share"),
        bed.data(),
        bin,
        bed.home.join(".agents"),
        bed.home.join(".agents/skills"),
        skill.clone(),
        skill.join("references"),
        bed.codex("rules"),
    ]
}

/// Lays out an installation of the version before, which had three programs, with hooks that Codex trusts.
fn lay_out_three_programs(bed: &Machine) {
    let put = |path: PathBuf, text: &str| {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        let hash = autoresearch_core::journal::chain::hash_bytes(text.as_bytes());
        (path, hash)
    };
    let bin = bed.data().join("bin");
    let skill = bed.home.join(".agents/skills/codex-autoresearch");
    let mut files = Vec::new();
    for name in [
        "autoresearch",
        "autoresearch-hook",
        "autoresearch-supervisor",
    ] {
        files.push(put(
            bin.join(name),
            &format!("#!/bin/sh\necho old {name}\n"),
        ));
        std::fs::set_permissions(bin.join(name), PermissionsExt::from_mode(0o755)).unwrap();
    }
    files.push(put(skill.join("SKILL.md"), "the old skill\n"));
    files.push(put(skill.join("references/gone.md"), "no longer shipped\n"));
    let at_bin = |text: &str| text.replace("BIN", bin.to_str().unwrap());
    files.push(put(
        bed.codex("rules/autoresearch.rules"),
        &at_bin(OLD_RULE),
    ));
    let (hooks, hooks_hash) = put(bed.codex("hooks.json"), &at_bin(OLD_HOOKS));
    let (keys, text) = old_trust(&hooks);
    let (config, config_hash) = put(bed.codex("config.toml"), &text);
    let files: Vec<Value> = files
        .into_iter()
        .map(|(path, hash)| serde_json::json!({"path": path, "hashes": [hash]}))
        .collect();
    let manifest = serde_json::json!({
        "format": 1,
        "version": "0.1.0",
        "files": files,
        "folders": old_folders(bed),
        "changed": [
            {"path": hooks, "original": HOOKS, "mode": 0o644, "written": hooks_hash},
            {"path": config, "original": CONFIG, "mode": 0o644, "written": config_hash},
        ],
        "hooks": [{
            "home": bed.home.join(".codex"),
            "program": bin.join("autoresearch-hook"),
            "keys": keys.iter().map(|key| (key, "sha256:1")).collect::<Vec<_>>(),
        }],
    });
    put(bed.data().join("manifest.json"), &manifest.to_string());
}

#[test]
fn an_installation_of_three_programs_becomes_one_with_two_more_names_and_nothing_else_changes() {
    let bed = Machine::new().with_codex_home();
    let before = bed.all();
    lay_out_three_programs(&bed);
    assert_eq!(bed.states(), ["armed"; 3]);
    let codexs = || {
        let names = ["hooks.json", "config.toml", "rules/autoresearch.rules"];
        names.map(|name| std::fs::read_to_string(bed.codex(name)).unwrap())
    };
    let old = codexs();
    // There is no Codex on the PATH: what is trusted is not asked for again.
    let report = bed
        .run(&["install", "--hooks", "--rule", "--yes", "--json"])
        .ok()
        .json();
    // The rule has words that it had not then.
    let changes = report["changes"].as_array().unwrap();
    assert_eq!(changes.len(), 1, "{report}");
    assert!(
        changes[0]["path"]
            .as_str()
            .unwrap()
            .ends_with("rules/autoresearch.rules")
    );
    assert_eq!(report["warnings"], serde_json::json!([]));
    bed.is_one_program("echo");
    let words = |text: &str| text.replace(", ", " ").replace(['"', '[', ']'], "");
    let [hooks, config, rule] = codexs();
    assert_eq!([&hooks, &config], [&old[0], &old[1]]);
    let rule = words(&rule)
        .replace("trial parallel retry remeasure", "trial")
        .replace("log show runs", "log")
        .replace("doctor debug hypothesis", "doctor");
    assert_eq!(rule, words(&old[2]));
    assert_eq!(bed.states(), ["armed"; 3]);
    let skill = bed.home.join(".agents/skills/codex-autoresearch");
    assert!(!skill.join("references/gone.md").exists());
    // The command that Codex runs is the new program's hook.
    let mut hook = Command::new(bed.data().join("bin/autoresearch-hook"));
    hook.arg("stop");
    assert_eq!(finish(hook).ok().out, "stop\n");
    bed.run(&["install", "--hooks", "--rule"])
        .ok()
        .says("already installed");
    bed.run(&["uninstall", "--yes"]).ok();
    assert_eq!(bed.all(), before);
}

#[test]
fn an_installation_of_three_programs_is_taken_out_to_the_byte() {
    let bed = Machine::new().with_codex_home();
    let before = bed.all();
    lay_out_three_programs(&bed);
    bed.run(&["uninstall", "--yes"]).ok();
    assert_eq!(bed.all(), before);
}

#[test]
fn a_migration_that_is_killed_at_any_step_can_be_finished_and_undone() {
    for step in 1.. {
        let bed = Machine::new().with_codex_home();
        let before = bed.all();
        lay_out_three_programs(&bed);
        let crash = step.to_string();
        let ended = bed.run_with(&EVERYTHING, &[("SEALED_CRASH_AT", &crash)]);
        if ended.code == 0 {
            assert!(step > 4, "there are {step} steps");
            break;
        }
        assert_eq!(bed.states(), ["armed"; 3], "step {step}");
        if step % 2 == 0 {
            bed.run(&EVERYTHING).ok();
            bed.is_one_program("echo");
        }
        bed.run(&["uninstall", "--yes"]).ok();
        assert_eq!(bed.all(), before, "step {step}");
    }
}
