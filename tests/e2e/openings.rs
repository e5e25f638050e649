//! Repositories that git opens and libgit2 does not, and those that git refuses: the run works, or the reason is git's.

use std::path::Path;

use serde_json::Value;

use crate::testbed::{Answer, CONFIG, Testbed, finish};

/// A keep, a discard, a rework that is dropped, a simplification, a crash that is repaired, and the end, in the
/// repository at hand.
fn whole_run(bed: &Testbed) {
    bed.start(CONFIG);
    let base = bed.head();
    assert_eq!(bed.try_count(4), "keep");
    let kept = bed.head();
    assert_eq!(bed.git(&["rev-parse", "HEAD~1"]).trim(), base);
    assert_eq!(bed.try_count(20), "discard");
    assert_eq!(bed.head(), kept);
    bed.write("src/state", "broken\n");
    assert_eq!(bed.try_count(3), "rework");
    bed.run(&["trial", "--drop"]).ok();
    assert_eq!(
        (bed.head(), bed.read("src/state")),
        (kept.clone(), "ok\n".into())
    );
    bed.write("src/state", "ok\nok\nok\n");
    bed.edit(3);
    assert_eq!(bed.trial("longer")["verdict"], "keep");
    bed.write("src/state", "ok\n");
    let simpler = bed.run(&["trial", "--simplify", "-m", "simpler", "--json"]);
    assert_eq!(simpler.ok().json()["verdict"], "keep");
    bed.edit(2);
    bed.run_with(&["trial", "-m", "dies"], &[("SEALED_CRASH_AT", "7")]);
    bed.run(&["resume"]).ok().says("interrupted");
    assert_eq!(bed.git(&["status", "--porcelain"]), "");
    let report = bed.run(&["finish", "--json"]).ok().json();
    assert_eq!(report["kept"].as_array().map(Vec::len), Some(3));
    assert_eq!(report["returned_to"], "main");
    assert_eq!(bed.head(), base);
    bed.run(&["doctor"]).ok().says("no problems");
    bed.git(&["merge", "-q", "autoresearch/demo"]);
    let clean = bed
        .run(&["doctor", "--clean", "--yes", "--json"])
        .ok()
        .json();
    let kept: Vec<&Value> = clean["made"].as_array().unwrap().iter().collect();
    let branch = kept.iter().find(|item| item["kind"] == "branch");
    assert_eq!(branch.unwrap()["kept_because"], Value::Null, "{clean}");
}

/// The files of a fresh bed in a repository that `git init` makes with these words; `None` where this git knows them not.
fn made_with(words: &[&str]) -> Option<Testbed> {
    let bed = Testbed::new();
    std::fs::remove_dir_all(bed.path(".git")).unwrap();
    let init = ["init", "-q", "-b", "main", "--template="];
    if bed.try_git(&[&init[..], words].concat()).code != 0 {
        return None;
    }
    bed.git(&["add", "-A"]);
    bed.git(&["commit", "-qm", "first"]);
    Some(bed)
}

#[test]
fn a_repository_with_sha_256_objects_is_the_place_of_a_run() {
    whole_run(&made_with(&["--object-format=sha256"]).unwrap());
}

#[test]
fn a_repository_with_reftables_is_the_place_of_a_run() {
    // git has known them since 2.45.
    if let Some(bed) = made_with(&["--ref-format=reftable"]) {
        whole_run(&bed);
    }
}

#[test]
fn a_partial_clone_is_the_place_of_a_run() {
    let mut bed = Testbed::new();
    bed.git(&["config", "uploadpack.allowFilter", "true"]);
    bed.write("src/b", "any\n");
    bed.git(&["commit", "-qam", "an older version is not fetched"]);
    let from = format!("file://{}", bed.repo.display());
    let to = bed.repo.with_file_name("partial");
    bed.git(&[
        "clone",
        "-q",
        "--filter=blob:none",
        &from,
        to.to_str().unwrap(),
    ]);
    bed.repo = to;
    bed.write("src/b", &"any\n".repeat(3));
    bed.git(&["commit", "-qam", "ten again"]);
    // Older versions of git, and tools, leave this extension; libgit2 refuses what it does not know.
    bed.git(&["config", "core.repositoryFormatVersion", "1"]);
    bed.git(&["config", "extensions.partialClone", "origin"]);
    whole_run(&bed);
}

#[test]
fn a_work_tree_of_a_bare_clone_is_the_place_of_a_run() {
    let mut bed = Testbed::new();
    let (bare, tree) = (
        bed.repo.with_file_name("bare.git"),
        bed.repo.with_file_name("tree"),
    );
    let from = bed.repo.to_str().unwrap().to_owned();
    bed.git(&["clone", "-q", "--bare", &from, bare.to_str().unwrap()]);
    bed.git(&[
        "--git-dir",
        bare.to_str().unwrap(),
        "symbolic-ref",
        "HEAD",
        "refs/heads/none",
    ]);
    bed.git(&[
        "--git-dir",
        bare.to_str().unwrap(),
        "worktree",
        "add",
        "-q",
        tree.to_str().unwrap(),
        "main",
    ]);
    bed.repo = tree;
    whole_run(&bed);
}

#[test]
fn a_repository_whose_git_folder_lies_elsewhere_is_the_place_of_a_run() {
    let bed = Testbed::new();
    let folder = bed.repo.with_file_name("git folder");
    bed.git(&["init", "-q", "--separate-git-dir", folder.to_str().unwrap()]);
    assert!(bed.path(".git").is_file());
    whole_run(&bed);
}

#[test]
fn what_git_cannot_open_either_is_refused_in_its_words() {
    let bed = Testbed::new();
    bed.git(&["config", "core.repositoryFormatVersion", "1"]);
    bed.git(&["config", "extensions.fromTheFuture", "true"]);
    let answer = bed.try_start(CONFIG).fails(6);
    let said = answer.err.replace(bed.repo.to_str().unwrap(), "/repo");
    insta::assert_snapshot!(said.trim_end(), @r"
    error: the repository cannot be used
    caused by: git cannot use the repository at /repo
    caused by: `git rev-parse --path-format=absolute --show-toplevel --git-dir --git-common-dir` failed in /repo: fatal: unknown repository extension found:
    	fromthefuture
    hint: `git status` there must work first
    ");
    assert!(!bed.path("autoresearch-results").exists());
}

/// Gives the repository to another user; only root can, and only root is then somebody else.
fn give_away(bed: &Testbed) -> bool {
    rustix::process::geteuid().is_root()
        && std::process::Command::new("chown")
            .args(["-R", "4242:4242"])
            .arg(&bed.repo)
            .status()
            .is_ok_and(|status| status.success())
}

fn start_with(bed: &Testbed, env: &[(&str, &str)]) -> Answer {
    let file = bed.home.join("config.yaml");
    std::fs::write(&file, CONFIG).unwrap();
    bed.run_with(&["start", "--config", file.to_str().unwrap()], env)
}

/// A trial in the given-away repository, with an environment that knows nothing of it.
fn keeps(bed: &Testbed, count: usize) {
    bed.edit(count);
    let mut command = bed.command(&["trial", "-m", "fewer", "--json"]);
    command.env("SEALED_NOTHING", "1");
    assert_eq!(finish(command).ok().json()["verdict"], "keep");
}

fn trust(bed: &Testbed, pattern: &Path) {
    let settings = format!("[safe]\n\tdirectory = {}\n", pattern.display());
    std::fs::write(bed.home.join(".gitconfig"), settings).unwrap();
}

#[test]
fn a_repository_of_another_owner_is_refused_with_the_setting_that_admits_it() {
    let bed = Testbed::new();
    if !give_away(&bed) {
        return;
    }
    let answer = bed.try_start(CONFIG).fails(6);
    let said = answer.err.replace(bed.repo.to_str().unwrap(), "/repo");
    insta::assert_snapshot!(said.trim_end(), @r"
    error: the repository cannot be used
    caused by: git refuses the repository at /repo: it belongs to another user
    hint: `git config --global --add safe.directory /repo` lets git use it, if you trust what is in it
    ");
    for command in ["status", "doctor", "finish"] {
        bed.run(&[command]).fails(6).says("safe.directory");
    }
}

#[test]
fn a_repository_of_another_owner_that_git_was_told_to_trust_is_the_place_of_a_run() {
    for pattern in ["repo", "*"] {
        let bed = Testbed::new();
        if !give_away(&bed) {
            return;
        }
        trust(&bed, &bed.repo.with_file_name(pattern));
        bed.start(CONFIG);
        keeps(&bed, 4);
        bed.run(&["status"]).ok().says("any_count");
        bed.run(&["finish"]).ok().says("checked out: main");
    }
}

#[test]
fn trust_from_the_environment_counts_as_git_counts_it() {
    let bed = Testbed::new();
    if !give_away(&bed) {
        return;
    }
    let trusting = [
        ("GIT_CONFIG_COUNT", "1"),
        ("GIT_CONFIG_KEY_0", "safe.directory"),
        ("GIT_CONFIG_VALUE_0", "*"),
    ];
    start_with(&bed, &trusting).ok();
    // As in git, each command needs it.
    bed.run(&["status"]).fails(6).says("safe.directory");
    bed.edit(4);
    bed.run_with(&["trial", "-m", "fewer"], &trusting)
        .ok()
        .says("keep");
    bed.run_with(&["finish"], &trusting).ok();
    let elsewhere = bed.home.join("settings");
    std::fs::write(&elsewhere, "[safe]\n\tdirectory = *\n").unwrap();
    let elsewhere = [("GIT_CONFIG_GLOBAL", elsewhere.to_str().unwrap())];
    start_with(&bed, &elsewhere).ok().says("demo-2");
}
