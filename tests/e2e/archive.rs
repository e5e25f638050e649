//! Runs that an older version made: this version says the same of them, goes on with them, finishes them and removes them.
//!
//! `tests/archive/make` made them with that version and wrote down what it said; they are not made again.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::testbed::{Answer, Testbed, finish};

/// Where the archived runs were made. The test lays them out somewhere else, and names the new place in their files.
const PLACE: &str = "/tmp/autoresearch-archive";
/// The git program that they pinned.
const GIT: &str = "/usr/bin/git";

/// What an answer tells people, in words that may change from version to version.
const PROSE: [&str; 2] = ["next", "why"];

fn archive(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("archive")
        .join(name)
}

/// What the old program said under this heading.
fn said(name: &str, heading: &str) -> String {
    let text = std::fs::read_to_string(archive(&format!("{name}.said"))).unwrap();
    let (_, rest) = text.split_once(&format!("## {heading}\n")).unwrap();
    rest.split("\n## ").next().unwrap().trim().to_owned()
}

/// Lays an archived repository out, with its run and its anchor.
fn lay_out(name: &str) -> Testbed {
    let folder = tempfile::Builder::new()
        .prefix("ar-test-")
        .tempdir()
        .unwrap();
    let base = folder.path().canonicalize().unwrap();
    let mut unpack = Command::new("tar");
    unpack
        .args(["--no-same-owner", "-xzpf"])
        .arg(archive(&format!("{name}.tar.gz")))
        .arg("-C")
        .arg(&base);
    finish(unpack).ok();
    rename_place(&base, &base);
    let bed = Testbed {
        repo: base.join("repo"),
        state: base.join("state"),
        home: base.join("home"),
        folder,
    };
    adopt_inode(&bed);
    bed
}

/// Names the new place wherever a file of git's or of ours named the old one.
fn rename_place(base: &Path, at: &Path) {
    let git = find_on_path("git");
    for entry in std::fs::read_dir(at).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.is_symlink() {
            rename_place(base, &path);
        } else if let Ok(text) = std::fs::read_to_string(&path)
            && (text.contains(PLACE) || text.contains(GIT))
        {
            let text = text
                .replace(PLACE, base.to_str().unwrap())
                .replace(GIT, git.to_str().unwrap());
            std::fs::write(&path, text).unwrap();
        }
    }
}

fn find_on_path(program: &str) -> PathBuf {
    let folders = std::env::var_os("PATH").unwrap();
    std::env::split_paths(&folders)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
        .unwrap()
}

/// The file system of this machine knows the run's folder by another number; a run that moved with its disk would keep it.
fn adopt_inode(bed: &Testbed) {
    let path = bed.vault().join("made.json");
    let mut made: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let inode = std::os::unix::fs::MetadataExt::ino(&bed.run_file("").metadata().unwrap());
    made["inode"] = inode.into();
    std::fs::write(&path, made.to_string()).unwrap();
}

/// An answer without its words, and without what tells where and when it was asked.
fn facts(mut answer: Value) -> Value {
    let fields = answer.as_object_mut().unwrap();
    for word in PROSE {
        fields.remove(word);
    }
    // The old version did not say it; it follows from the two values that stay.
    fields.remove("percent");
    answer
}

fn status(bed: &Testbed) -> Value {
    facts(bed.run(&["status", "--json"]).ok().json())
}

/// A log or a table without the program's own words: the baseline's description, and what follows a reason's code.
fn without_prose(text: &str) -> String {
    let mut kept = String::new();
    for part in text.split_inclusive(['\n', '}']) {
        let part = part.replace("the untouched tree, 2 runs", "");
        match (part.find(" ["), part.rfind(']')) {
            (Some(from), Some(to)) if from < to => {
                let code = part[from..to].split(':').next().unwrap();
                for text in [&part[..from], code, &part[to..]] {
                    kept.push_str(text);
                }
            }
            _ => kept.push_str(&part),
        }
    }
    kept.trim().to_owned()
}

/// A log without what the old version did not say: the hash of each row.
fn without_hashes(log: &str) -> String {
    let mut parts = log.split(r#","hash":"#);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |kept, part| {
        kept + part.trim_start_matches(|letter| letter != '}')
    })
}

/// This version says of the run what the old one said.
#[track_caller]
fn says_the_same(name: &str) -> Testbed {
    let bed = lay_out(name);
    let old: Value = serde_json::from_str(&said(name, "status")).unwrap();
    assert_eq!(status(&bed), facts(old), "{name}");
    let log = bed.run(&["log", "--json"]).ok().out;
    assert_eq!(
        without_prose(&without_hashes(&log)),
        without_prose(&said(name, "log")),
        "{name}"
    );
    bed
}

/// The views that this version makes of the old journal are, byte for byte or field for field, those of the old version.
#[track_caller]
fn makes_the_same_views(bed: &Testbed, name: &str) {
    let snapshot = bed.run_file("autoresearch-state.json");
    let read = || -> Value { serde_json::from_slice(&std::fs::read(&snapshot).unwrap()).unwrap() };
    let old = read();
    std::fs::remove_file(&snapshot).unwrap();
    std::fs::remove_file(bed.run_file("research-results.tsv")).unwrap();
    bed.run(&["doctor", "--repair"]).ok();
    let table = std::fs::read_to_string(bed.run_file("research-results.tsv")).unwrap();
    assert_eq!(
        without_prose(&table),
        without_prose(&said(name, "table")),
        "{name}"
    );
    assert_eq!(read(), old, "{name}");
}

/// What was kept is merged, and the run is removed.
#[track_caller]
fn goes(bed: &Testbed) {
    assert_eq!(bed.git(&["branch", "--show-current"]).trim(), "main");
    bed.git(&["merge", "-q", "autoresearch/demo"]);
    bed.run(&["clean", "--yes"]).ok();
    assert!(!bed.path("autoresearch-results/demo").exists());
    assert_eq!(bed.git(&["branch", "--list", "autoresearch/*"]), "");
}

/// The run is finished and removed; the user's branch and file are as they were.
fn finishes_and_goes(bed: &Testbed) -> Answer {
    let finished = bed.run(&["finish"]).ok();
    goes(bed);
    assert_eq!(bed.read("other/notes.md"), "notes\nmine\n");
    finished
}

#[test]
fn an_old_run_with_every_verdict_and_a_strategy_goes_on() {
    let bed = says_the_same("kept");
    makes_the_same_views(&bed, "kept");
    assert_eq!(bed.try_count(0), "keep");
    assert_eq!(bed.try_count(3), "discard");
    finishes_and_goes(&bed).says("10 -> 5");
}

#[test]
fn an_old_trial_that_was_cut_short_is_undone() {
    let bed = lay_out("interrupted");
    bed.run(&["resume"]).ok();
    assert_eq!(bed.story(), ["0 baseline", "1 keep", "2 interrupted"]);
    assert_eq!(bed.read("src/a"), "any\n".repeat(4));
    assert_eq!(bed.try_count(3), "keep");
    finishes_and_goes(&bed);
}

#[test]
fn an_old_journal_that_lags_its_anchor_gets_its_last_record() {
    let bed = lay_out("lagging");
    bed.run(&["resume"]).ok();
    assert_eq!(bed.story(), ["0 baseline", "1 keep", "2 keep"]);
    assert_eq!(bed.try_count(2), "keep");
    finishes_and_goes(&bed);
}

#[test]
fn an_old_trial_that_awaits_a_rework_can_be_mended() {
    let bed = says_the_same("rework");
    assert_eq!(status(&bed)["due"], "rework");
    bed.write("src/state", "ok\n");
    let words = ["trial", "--rework", "-m", "mended", "--json"];
    assert_eq!(bed.run(&words).ok().json()["verdict"], "keep");
    assert_eq!(bed.story(), ["0 baseline", "1 keep", "2 keep"]);
    finishes_and_goes(&bed);
}

#[test]
fn an_old_run_that_was_raised_and_ended_again_is_raised_once_more() {
    let bed = says_the_same("raised");
    makes_the_same_views(&bed, "raised");
    bed.edit(1);
    bed.run(&["trial", "-m", "one"]).fails(2);
    bed.git(&["checkout", "--", "src/a"]);
    bed.run(&["raise", "--iterations", "4"]).ok();
    assert_eq!(bed.try_count(1), "keep");
    assert_eq!(status(&bed)["end"], "iteration-cap");
    finishes_and_goes(&bed);
}

#[test]
fn an_old_run_that_is_finished_is_shown_and_removed() {
    let bed = says_the_same("finished");
    assert_eq!(status(&bed)["state"], "ended");
    goes(&bed);
}

#[test]
fn an_old_run_in_a_work_tree_of_its_own_goes_on_there() {
    let bed = says_the_same("worktree");
    bed.write("autoresearch-results/demo/worktree/src/a", "any\n");
    assert_eq!(bed.trial("one")["verdict"], "keep");
    assert_eq!(bed.read("src/a"), "any\n".repeat(5));
    finishes_and_goes(&bed);
}

#[test]
fn an_old_night_is_read_with_its_turns_and_raised_for_another() {
    let bed = says_the_same("night");
    makes_the_same_views(&bed, "night");
    bed.run(&["background", "status"]).ok();
    std::fs::write(bed.home.join("moves"), "1\n").unwrap();
    bed.run(&["raise", "--iterations", "4"]).ok();
    bed.supervise(&[]).ok();
    assert_eq!(
        bed.story(),
        ["0 baseline", "1 keep", "2 discard", "3 keep", "4 keep"]
    );
    finishes_and_goes(&bed);
}

#[test]
fn an_old_run_follows_its_repository_to_another_place() {
    let mut bed = lay_out("kept");
    let moved = bed.folder.path().canonicalize().unwrap().join("moved");
    std::fs::rename(&bed.repo, &moved).unwrap();
    bed.repo = moved;
    bed.run(&["resume"]).ok();
    assert_eq!(bed.try_count(0), "keep");
    finishes_and_goes(&bed);
}

#[test]
fn an_old_run_without_its_journal_is_remembered_by_its_old_checkpoint() {
    let bed = lay_out("kept");
    std::fs::remove_file(bed.run_file("journal.jsonl")).unwrap();
    bed.run(&["status"]).fails(4).says("any_count 10 -> 6");
}

#[test]
fn an_old_config_that_was_edited_is_noticed() {
    let bed = lay_out("kept");
    let path = bed.run_file("config.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text + "\n").unwrap();
    bed.edit(0);
    bed.run(&["trial", "-m", "x"])
        .fails(4)
        .says("config.yaml was edited");
}
