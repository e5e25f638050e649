//! Where the trials are made: a branch, a work tree of the run's own, or the user's branch; and how they are undone.

use std::path::PathBuf;

use serde_json::Value;

use crate::config_text::ConfigText;
use crate::shown::assert_answer;
use crate::testbed::{Answer, CONFIG, Testbed, finish};

fn with(extra: &str) -> String {
    format!("{CONFIG}{extra}\n")
}

fn branch_of(bed: &Testbed) -> String {
    bed.git(&["rev-parse", "--abbrev-ref", "HEAD"])
        .trim()
        .to_owned()
}

fn commit_of(bed: &Testbed, name: &str) -> String {
    bed.git(&["rev-parse", name]).trim().to_owned()
}

#[test]
fn a_branch_run_leaves_the_users_branch_alone_and_finish_returns_to_it() {
    let bed = Testbed::new();
    bed.git(&["switch", "-q", "-c", "work"]);
    bed.write("other/notes.md", "not committed\n");
    bed.write("other/staged", "staged\n");
    bed.git(&["add", "other/staged"]);
    let before = bed.fingerprint();
    bed.start(CONFIG);
    assert_eq!(branch_of(&bed), "autoresearch/demo");
    for (count, verdict) in [(4, "keep"), (20, "discard"), (3, "keep")] {
        assert_eq!(bed.try_count(count), verdict);
    }
    let report = bed.run(&["finish", "--json"]).ok().json();
    assert_eq!(report["returned_to"], "work");
    assert_eq!(report["merge"], "git merge autoresearch/demo");
    assert_eq!(report["kept"].as_array().unwrap().len(), 2);
    assert_eq!(
        bed.fingerprint(),
        before,
        "files, index, HEAD and branches are the user's again"
    );
    assert_eq!(bed.run_commits("autoresearch/demo").len(), 2);
    bed.git(&["merge", "-q", "autoresearch/demo"]);
    assert_eq!(
        bed.read("src/a"),
        "any\n".repeat(3),
        "what was promised can be merged"
    );
}

#[test]
fn a_branch_run_that_began_on_a_detached_head_returns_to_that_commit() {
    let bed = Testbed::new();
    bed.git(&["commit", "-q", "--allow-empty", "-m", "second"]);
    bed.git(&["checkout", "-q", "--detach", "main~1"]);
    let before = bed.fingerprint();
    bed.start(CONFIG);
    assert_eq!(bed.try_count(4), "keep");
    let report = bed.run(&["finish", "--json"]).ok().json();
    assert_eq!(
        report["returned_to"].as_str(),
        Some(before["(HEAD)"].trim())
    );
    assert_eq!(bed.fingerprint(), before);
    assert_eq!(branch_of(&bed), "HEAD", "still detached");
}

#[test]
fn finish_saves_edits_that_were_never_measured_and_says_where() {
    let bed = Testbed::new();
    let before = bed.fingerprint();
    bed.start(CONFIG);
    bed.edit(1);
    bed.write("src/new", "never measured\n");
    let report = bed.run(&["finish", "--json"]).ok().json();
    let saved = report["saved"].as_str().unwrap();
    assert_eq!(
        bed.git(&["show", &format!("{saved}:src/new")]),
        "never measured\n"
    );
    assert_eq!(bed.fingerprint(), before);
}

/// A run in a work tree of its own, beside a user who is in the middle of something.
struct Beside {
    bed: Testbed,
    folder: PathBuf,
}

impl Beside {
    fn started(extra: &str) -> Self {
        let bed = Testbed::new();
        bed.write("src/b", "the user is at work here\n");
        bed.write("src/unknown", "untracked in the scope\n");
        bed.write("src/c", "staged\n");
        bed.git(&["add", "src/c"]);
        bed.write("src/c", "and changed again\n");
        bed.write("other/notes.md", "dirty\n");
        let before = bed.fingerprint();
        bed.start(&with(&format!("isolation: worktree\n{extra}")));
        assert_eq!(
            bed.fingerprint(),
            before,
            "start leaves the user's work tree alone"
        );
        let folder = bed.own_tree();
        Self { bed, folder }
    }

    fn edit(&self, count: usize) {
        std::fs::write(self.folder.join("src/a"), "any\n".repeat(count)).unwrap();
    }

    /// The binary, called inside the run's work tree without `--run`.
    fn inside(&self, arguments: &[&str]) -> Answer {
        let mut command = self.bed.command(arguments);
        command.current_dir(self.folder.join("src"));
        finish(command)
    }

    fn trial(&self, count: usize) -> Value {
        self.edit(count);
        self.inside(&["trial", "-m", "from inside", "--json"])
            .ok()
            .json()
    }

    fn git(&self, arguments: &[&str]) -> String {
        self.bed
            .git(&[&["-C", self.folder.to_str().unwrap()][..], arguments].concat())
    }
}

#[test]
fn a_worktree_run_never_changes_a_byte_of_the_users_work_tree() {
    let side = Beside::started("");
    let bed = &side.bed;
    let (before, main) = (bed.fingerprint(), commit_of(bed, "main"));
    assert_eq!(
        std::fs::read_to_string(side.folder.join("src/b")).unwrap(),
        "any\n".repeat(3),
        "the run began at the commit"
    );
    for (count, verdict) in [(4, "keep"), (20, "discard"), (4, "no-op"), (3, "keep")] {
        assert_eq!(side.trial(count)["verdict"], verdict, "{count}");
        assert_eq!(bed.fingerprint(), before);
    }
    assert_eq!(side.git(&["status", "--porcelain"]), "");
    assert_eq!(
        side.git(&["rev-parse", "--abbrev-ref", "HEAD"]).trim(),
        "autoresearch/demo"
    );
    let report = bed.run(&["finish", "--json"]).ok().json();
    assert_eq!(report["kept"].as_array().unwrap().len(), 2);
    assert_eq!((bed.fingerprint(), commit_of(bed, "main")), (before, main));
}

#[test]
fn a_trial_of_a_worktree_run_works_from_the_main_work_tree_too() {
    let side = Beside::started("");
    side.edit(4);
    assert_eq!(side.bed.trial("from outside")["verdict"], "keep");
    assert_eq!(
        side.bed.try_count(1),
        "no-op",
        "the user's own edits are no trial"
    );
}

#[test]
fn edits_outside_the_scope_are_void_and_restored_in_a_worktree_of_the_runs_own() {
    let side = Beside::started("");
    let before = side.bed.fingerprint();
    std::fs::write(side.folder.join("other/notes.md"), "out of scope\n").unwrap();
    std::fs::write(side.folder.join("other/new"), "out of scope, new\n").unwrap();
    std::fs::write(side.folder.join("count.sh"), "echo 0\n").unwrap();
    let report = side.trial(1);
    assert_eq!(
        (report["verdict"].as_str(), report["reason"].as_str()),
        (Some("discard"), Some("protected")),
        "{report}"
    );
    assert_answer!(report["detail"].as_str().unwrap(), @"protected files were changed: count.sh");
    assert_eq!(
        side.git(&["status", "--porcelain"]),
        "",
        "all of it was taken back"
    );
    assert_eq!(
        std::fs::read_to_string(side.folder.join("other/notes.md")).unwrap(),
        "notes\n"
    );
    std::fs::write(side.folder.join("other/notes.md"), "again\n").unwrap();
    let report = side.trial(1);
    assert_eq!(report["reason"], "out-of-scope");
    assert_eq!(
        std::fs::read_to_string(side.folder.join("other/notes.md")).unwrap(),
        "notes\n"
    );
    assert_eq!(side.trial(4)["verdict"], "keep");
    assert_eq!(
        side.git(&["diff", "--name-only", "main", "HEAD"]),
        "src/a\n"
    );
    assert_eq!(side.bed.fingerprint(), before);
}

#[test]
fn edits_outside_the_scope_alone_are_void_and_restored_too() {
    let side = Beside::started("");
    std::fs::write(side.folder.join("other/notes.md"), "out of scope\n").unwrap();
    let report = side
        .inside(&["trial", "-m", "outside only", "--json"])
        .ok()
        .json();
    assert_eq!(report["reason"], "out-of-scope", "{report}");
    assert_eq!(side.git(&["status", "--porcelain"]), "");
}

#[test]
fn finish_removes_the_work_tree_with_nothing_unmeasured_in_it_and_the_unmerged_branch_stays() {
    let side = Beside::started("");
    let bed = &side.bed;
    let before = bed.fingerprint();
    side.trial(4);
    assert_answer!(bed.run(&["clean", "--yes"]).ok(), @"
    ok       git: <version> at <git>
    ok       run demo: 4 records, chain and anchor agree
    ok       run demo: HEAD is where the run left it
    <sandbox>
    <codex>
    removed, or kept for the reason given:
      worktree   <bed>/state/trees/<id>/autoresearch-demo (keep: the run `demo` is active)
      branch     refs/heads/autoresearch/demo (keep: the run `demo` is active)
      trials     refs/autoresearch/demo/trial/* (1 trial) (keep: their log, the run's folder, stays)
      folder     <bed>/repo/autoresearch-results/demo (keep: the run `demo` is active)
      anchor     <bed>/state/runs/<id> (keep: the run `demo` is active, and the anchor is needed to remove it later)
    no problems
    ");
    assert!(side.folder.exists(), "an active run is never removed");
    // What was never measured is nowhere else.
    std::fs::write(side.folder.join("src/new"), "unmeasured\n").unwrap();
    assert_answer!(bed.run(&["finish"]).ok(), @"
    run `demo` ended: user-stop (finished by a person)
    improved: any_count 10 -> 9, 1 trial kept on autoresearch/demo
    claim: a gain of 10 %: a clean checkout of the last commit was measured again
      <commit> experiment: from inside
    checked out: autoresearch/demo in <bed>/state/trees/<id>/autoresearch-demo
    checked out: main in <bed>/repo
    the work tree <bed>/state/trees/<id>/autoresearch-demo stays: it holds files that are not committed (src/new); `git worktree remove --force <bed>/state/trees/<id>/autoresearch-demo` removes it with them
    left here: branch autoresearch/demo, work tree <bed>/state/trees/<id>/autoresearch-demo, folder autoresearch-results/demo; `autoresearch clean` lists what can be removed
    next: look at it with `git log -p <commit>..autoresearch/demo`, then `git merge autoresearch/demo`
    ");
    assert_answer!(bed.run(&["clean", "--yes"]).ok(), @"
    ok       git: <version> at <git>
    ok       run demo: 7 records, chain and anchor agree
    <sandbox>
    <codex>
    removed, or kept for the reason given:
      worktree   <bed>/state/trees/<id>/autoresearch-demo (keep: it holds files that are not committed (src/new); `git worktree remove --force <bed>/state/trees/<id>/autoresearch-demo` removes it with them)
      branch     refs/heads/autoresearch/demo (keep: its work tree stays)
      trials     refs/autoresearch/demo/trial/* (1 trial) (keep: their log, the run's folder, stays)
      folder     <bed>/repo/autoresearch-results/demo (keep: its work tree stays)
      anchor     <bed>/state/runs/<id> (keep: its work tree stays, and the anchor is needed to remove it later)
    no problems
    ");
    assert!(side.folder.join("src/new").exists());
    std::fs::remove_file(side.folder.join("src/new")).unwrap();
    assert_answer!(bed.run(&["finish"]).ok(), @"
    run `demo` ended: user-stop (finished by a person)
    improved: any_count 10 -> 9, 1 trial kept on autoresearch/demo
    claim: a gain of 10 %: a clean checkout of the last commit was measured again
      <commit> experiment: from inside
    checked out: main
    left here: branch autoresearch/demo, folder autoresearch-results/demo; `autoresearch clean` lists what can be removed
    next: look at it with `git log -p <commit>..autoresearch/demo`, then `git merge autoresearch/demo`; `git branch -D autoresearch/demo` discards it
    ");
    assert!(!side.folder.exists(), "nothing in it was the only copy");
    assert_answer!(bed.run(&["clean", "--yes"]).ok(), @"
    ok       git: <version> at <git>
    ok       run demo: 7 records, chain and anchor agree
    <sandbox>
    <codex>
    removed, or kept for the reason given:
      branch     refs/heads/autoresearch/demo (keep: 1 kept commit not merged yet; `git branch -D autoresearch/demo` deletes it)
      trials     refs/autoresearch/demo/trial/* (1 trial) (keep: their log, the run's folder, stays)
      folder     <bed>/repo/autoresearch-results/demo (keep: it is the log of autoresearch/demo, which stays)
      anchor     <bed>/state/runs/<id> (keep: it is the log of autoresearch/demo, which stays, and the anchor is needed to remove it later)
    no problems
    ");
    assert_eq!(
        bed.git(&["worktree", "list"]).lines().count(),
        1,
        "git does not know it any more"
    );
    assert_eq!(
        bed.run_commits("autoresearch/demo").len(),
        1,
        "the branch was not merged, so it stays"
    );
    assert_eq!(bed.fingerprint(), before);
}

#[test]
fn an_in_place_run_commits_on_the_users_branch_and_reverts_what_fails() {
    let bed = Testbed::new();
    let base = bed.head();
    bed.start(&with("isolation: in-place"));
    assert_eq!(branch_of(&bed), "main");
    assert_eq!(bed.try_count(4), "keep");
    let kept = bed.head();
    assert_eq!(bed.git(&["rev-parse", "main~1"]).trim(), base);
    bed.write("src/new", "x\n");
    assert_eq!(bed.try_count(20), "discard");
    assert_eq!(bed.read("src/a"), "any\n".repeat(4));
    assert!(!bed.path("src/new").exists());
    let log: Vec<String> = bed
        .git(&["log", "--format=%s", &format!("{kept}..main")])
        .lines()
        .map(ToOwned::to_owned)
        .collect();
    assert_eq!(
        log,
        ["Revert trial 2", "experiment: 20 any"],
        "nothing of the user's branch is taken away"
    );
    assert_eq!(
        commit_of(&bed, "main^{tree}"),
        commit_of(&bed, &format!("{kept}^{{tree}}"))
    );
    assert_eq!(bed.git(&["status", "--porcelain"]), "");
    assert_eq!(bed.try_count(3), "keep", "the run goes on from the revert");
    let tip = bed.head();
    let report = bed.run(&["finish", "--json"]).ok().json();
    assert_eq!((branch_of(&bed).as_str(), bed.head()), ("main", tip));
    assert!(
        report["merge"].is_null(),
        "there is nothing to merge: {report}"
    );
    assert_eq!(bed.run(&["status", "--json"]).ok().json()["state"], "ended");
}

#[test]
fn an_in_place_trial_that_fails_its_guard_three_times_is_reverted_whole() {
    let bed = Testbed::new();
    let (base, tree) = (bed.head(), commit_of(&bed, "main^{tree}"));
    bed.start(&with("isolation: in-place"));
    bed.write("src/state", "broken\n");
    bed.edit(1);
    assert_eq!(bed.trial("broken")["verdict"], "rework");
    for verdict in ["rework", "discard"] {
        bed.write("src/state", &format!("still broken before {verdict}\n"));
        let report = bed
            .run(&["trial", "--rework", "-m", "mend", "--json"])
            .ok()
            .json();
        assert_eq!(report["verdict"], verdict);
    }
    assert_eq!(commit_of(&bed, "main^{tree}"), tree);
    assert_eq!(
        bed.git(&["log", "--format=%s", &format!("{base}..main")])
            .lines()
            .next(),
        Some("Revert trial 1")
    );
    assert_eq!(
        (
            bed.read("src/state").as_str(),
            bed.git(&["status", "--porcelain"]).as_str()
        ),
        ("ok\n", "")
    );
    assert_eq!(bed.try_count(4), "keep");
}

#[test]
fn an_in_place_run_needs_a_branch() {
    let bed = Testbed::new();
    bed.git(&["checkout", "-q", "--detach"]);
    let before = bed.fingerprint();
    assert_answer!(bed.try_start(&with("isolation: in-place")).fails(4), @"
    exit code 4
    --- stderr
    error: HEAD is detached, and `in-place` needs a branch
    hint: check out a branch, or use `isolation: branch`
    ");
    assert_eq!(bed.fingerprint(), before);
}

#[test]
fn finish_of_an_in_place_run_leaves_unmeasured_edits_where_they_are() {
    let bed = Testbed::started(&with("isolation: in-place"));
    assert_eq!(bed.try_count(4), "keep");
    bed.edit(1);
    bed.run(&["finish"]).ok();
    assert_eq!(
        (branch_of(&bed).as_str(), bed.read("src/a").as_str()),
        ("main", "any\n")
    );
}

#[test]
fn rollback_revert_on_a_branch_keeps_the_whole_history() {
    let bed = Testbed::new();
    let before = bed.fingerprint();
    bed.start(&with("rollback: revert"));
    assert_eq!(bed.try_count(20), "discard");
    assert_eq!(bed.try_count(4), "keep");
    assert_eq!(bed.try_count(20), "discard");
    let subjects: Vec<String> = bed
        .git(&["log", "--reverse", "--format=%s", "main..autoresearch/demo"])
        .lines()
        .map(ToOwned::to_owned)
        .collect();
    assert_eq!(
        subjects,
        [
            "experiment: 20 any",
            "Revert trial 1",
            "experiment: 4 any",
            "experiment: 20 any",
            "Revert trial 3"
        ]
    );
    assert_eq!(bed.read("src/a"), "any\n".repeat(4));
    assert_eq!(bed.git(&["status", "--porcelain"]), "");
    assert_eq!(
        bed.run(&["finish", "--json"]).ok().json()["returned_to"],
        "main"
    );
    assert_eq!(bed.fingerprint(), before);
}

#[test]
fn what_finish_promises_to_merge_holds_no_failed_trial_after_a_revert() {
    let bed = Testbed::started(&with("rollback: revert"));
    assert_eq!(bed.try_count(20), "discard");
    assert_eq!(bed.try_count(4), "keep");
    let report = bed.run(&["finish", "--json"]).ok().json();
    let subjects: Vec<&str> = report["kept"]
        .as_array()
        .unwrap()
        .iter()
        .map(|kept| kept["subject"].as_str().unwrap())
        .collect();
    assert_eq!(
        subjects,
        ["experiment: 4 any"],
        "`kept` lists kept commits only"
    );
}

/// The run's own work tree, deleted by hand in this way; the user's files are as they were in the end.
fn homeless(extra: &str, before: fn(&Beside), delete: fn(&Beside)) -> Beside {
    let side = Beside::started(extra);
    assert_eq!(side.trial(4)["verdict"], "keep");
    before(&side);
    delete(&side);
    side
}

fn by_hand(side: &Beside) {
    std::fs::remove_dir_all(&side.folder).unwrap();
}

fn leaving_an_empty_folder(side: &Beside) {
    by_hand(side);
    std::fs::create_dir(&side.folder).unwrap();
}

fn with_gits_note_of_it(side: &Beside) {
    by_hand(side);
    side.bed.git(&["worktree", "prune"]);
}

const DELETED: [fn(&Beside); 3] = [by_hand, leaving_an_empty_folder, with_gits_note_of_it];

#[test]
fn every_command_says_that_the_work_tree_was_deleted_and_the_users_files_are_not_taken_for_it() {
    let told_after = |delete: fn(&Beside)| {
        let side = homeless("", |_| {}, delete);
        let bed = &side.bed;
        let before = bed.fingerprint();
        let mut told = bed.run(&["trial", "-m", "x"]).fails(4).to_string();
        let status = bed.run(&["status", "--json"]).ok().json();
        told = told + status["obstacle"].as_str().unwrap() + "\n";
        assert_eq!(status["incumbent"], 9, "{status}");
        bed.run(&["log"]).ok();
        let examined = bed.run(&["doctor"]).fails(4).to_string();
        let repair = bed.run(&["doctor", "--repair"]).fails(4);
        assert_eq!(repair.to_string(), examined, "there is nothing to repair");
        told += &examined;
        assert_eq!(bed.fingerprint(), before);
        told
    };
    assert_answer!(told_after(by_hand), @"
    exit code 4
    --- stderr
    error: the run's work tree <bed>/state/trees/<id>/autoresearch-demo is gone
    hint: `autoresearch resume` recreates it from the run's branch, `autoresearch finish` ends the run; unmeasured edits in it are lost
    the run's work tree <bed>/state/trees/<id>/autoresearch-demo is gone: `autoresearch resume` recreates it from the run's branch, `autoresearch finish` ends the run; unmeasured edits in it are lost
    exit code 4
    ok       git: <version> at <git>
    ok       run demo: 4 records, chain and anchor agree
    PROBLEM  run demo: the run's work tree <bed>/state/trees/<id>/autoresearch-demo is gone
             `autoresearch resume` recreates it from the run's branch, `autoresearch finish` ends the run; unmeasured edits in it are lost
    <sandbox>
    <codex>
    1 problem
    ");
    assert_answer!(told_after(leaving_an_empty_folder), @"
    exit code 4
    --- stderr
    error: the run's work tree <bed>/state/trees/<id>/autoresearch-demo is gone
    hint: `autoresearch resume` recreates it from the run's branch, `autoresearch finish` ends the run; unmeasured edits in it are lost
    the run's work tree <bed>/state/trees/<id>/autoresearch-demo is gone: `autoresearch resume` recreates it from the run's branch, `autoresearch finish` ends the run; unmeasured edits in it are lost
    exit code 4
    ok       git: <version> at <git>
    ok       run demo: 4 records, chain and anchor agree
    PROBLEM  run demo: the run's work tree <bed>/state/trees/<id>/autoresearch-demo is gone
             `autoresearch resume` recreates it from the run's branch, `autoresearch finish` ends the run; unmeasured edits in it are lost
    <sandbox>
    <codex>
    1 problem
    ");
    assert_answer!(told_after(with_gits_note_of_it), @"
    exit code 4
    --- stderr
    error: the run's work tree <bed>/state/trees/<id>/autoresearch-demo is gone
    hint: `autoresearch resume` recreates it from the run's branch, `autoresearch finish` ends the run; unmeasured edits in it are lost
    the run's work tree <bed>/state/trees/<id>/autoresearch-demo is gone: `autoresearch resume` recreates it from the run's branch, `autoresearch finish` ends the run; unmeasured edits in it are lost
    exit code 4
    ok       git: <version> at <git>
    ok       run demo: 4 records, chain and anchor agree
    PROBLEM  run demo: the run's work tree <bed>/state/trees/<id>/autoresearch-demo is gone
             `autoresearch resume` recreates it from the run's branch, `autoresearch finish` ends the run; unmeasured edits in it are lost
    <sandbox>
    <codex>
    1 problem
    ");
}

#[test]
fn resume_makes_a_deleted_work_tree_again_and_the_run_goes_on() {
    let mut told = String::new();
    for delete in DELETED {
        let side = homeless("", |_| {}, delete);
        let before = side.bed.fingerprint();
        let resumed = side.bed.run(&["resume", "--json"]).ok().json();
        told += &(resumed["repaired"].to_string() + "\n");
        assert_eq!(side.git(&["status", "--porcelain"]), "");
        assert_eq!(side.trial(3)["verdict"], "keep");
        side.bed.run(&["doctor"]).ok();
        assert_eq!(side.bed.fingerprint(), before);
    }
    assert_answer!(told, @r#"
    ["the run's work tree was gone; it was recreated from its branch, without its unmeasured edits"]
    ["the run's work tree was gone; it was recreated from its branch, without its unmeasured edits"]
    ["the run's work tree was gone; it was recreated from its branch, without its unmeasured edits"]
    "#);
}

#[test]
fn finish_and_stop_end_a_run_whose_work_tree_was_deleted_and_the_branch_can_be_merged() {
    for delete in DELETED {
        for command in [&["finish"][..], &["stop", "-m", "enough"]] {
            let side = homeless("", |_| {}, delete);
            let bed = &side.bed;
            let before = bed.fingerprint();
            bed.run(command).ok();
            let report = bed.run(&["finish", "--json"]).ok().json();
            assert_eq!(report["kept"].as_array().unwrap().len(), 1, "{report}");
            assert_eq!(report["merge"], "git merge autoresearch/demo");
            assert_eq!(bed.run(&["status", "--json"]).ok().json()["state"], "ended");
            bed.run(&["doctor"]).ok();
            bed.run(&["clean", "--yes"]).ok();
            assert_eq!(bed.git(&["worktree", "list"]).lines().count(), 1);
            assert_eq!(bed.run_commits("autoresearch/demo").len(), 1);
            assert!(
                bed.run_file("journal.jsonl").exists(),
                "the log of a branch that stays"
            );
            bed.git(&["branch", "-qD", "autoresearch/demo"]);
            bed.run(&["clean", "--yes"]).ok();
            assert!(!bed.run_file("").exists(), "all of the run is gone");
            assert_eq!(bed.fingerprint(), before);
        }
    }
}

#[test]
fn finish_takes_a_trial_back_whose_work_tree_was_deleted_before_it_was_closed() {
    let cut = |side: &Beside| {
        side.edit(1);
        let trial = ["trial", "-m", "cut"];
        // Before the look at the tree after verify: the branch names the trial's commit.
        let crashed = side.bed.run_with(&trial, &[("SEALED_CRASH_AT", "8")]);
        assert_eq!(crashed.code, -1, "{crashed:?}");
        assert_eq!(side.bed.run_commits("autoresearch/demo").len(), 2);
    };
    let side = homeless("", cut, by_hand);
    side.bed.run(&["finish"]).ok();
    assert_eq!(side.bed.run_commits("autoresearch/demo").len(), 1);
}

#[test]
fn what_a_killed_start_left_of_a_work_tree_and_its_branch_is_removed() {
    // Before the anchor is written, and between the anchor and the journal.
    let mut told = String::new();
    for step in ["anchor start", "journal start"] {
        let bed = Testbed::new();
        let before = bed.fingerprint();
        let file = bed.home.join("config.yaml");
        std::fs::write(&file, with("isolation: worktree")).unwrap();
        let start = ["start", "--config", file.to_str().unwrap()];
        let crashed = bed.run_with(&start, &[("SEALED_CRASH_AT", step)]);
        assert_eq!(crashed.code, -1, "{crashed:?}");
        assert!(bed.git(&["branch"]).contains("autoresearch/demo"));
        told += &bed.run(&["doctor", "--clean"]).ok().to_string();
        bed.run(&["clean", "--yes"]).ok();
        assert!(!bed.git(&["branch"]).contains("autoresearch"), "{step}");
        assert_eq!(bed.git(&["worktree", "list"]).lines().count(), 1);
        assert!(!bed.run_file("").exists(), "{step}");
        let anchors = std::fs::read_dir(bed.state.join("runs"))
            .into_iter()
            .flatten();
        let anchors =
            anchors.filter(|entry| entry.as_ref().unwrap().path().join("anchor.json").exists());
        assert_eq!(anchors.count(), 0, "{step}");
        assert_eq!(bed.fingerprint(), before);
        bed.run(&start).ok();
    }
    assert_answer!(told, @"
    ok       git: <version> at <git>
    ok       runs: no run was started here
    <sandbox>
    <codex>
    made by this tool (nothing was removed; `autoresearch clean --yes` removes what it can):
      worktree   <bed>/state/trees/<id>/autoresearch-demo (can be removed)
      branch     refs/heads/autoresearch/demo (can be removed)
      folder     <bed>/repo/autoresearch-results/demo (can be removed)
      anchor     <bed>/state/runs/<id> (can be removed)
    no problems
    ok       git: <version> at <git>
    ok       runs: no run was started here
    <sandbox>
    <codex>
    made by this tool (nothing was removed; `autoresearch clean --yes` removes what it can):
      worktree   <bed>/state/trees/<id>/autoresearch-demo (can be removed)
      branch     refs/heads/autoresearch/demo (can be removed)
      folder     <bed>/repo/autoresearch-results/demo (can be removed)
      anchor     <bed>/state/runs/<id> (can be removed)
    no problems
    ");
}

#[test]
fn a_branch_that_got_commits_after_a_killed_start_stays() {
    let bed = Testbed::new();
    let file = bed.home.join("config.yaml");
    std::fs::write(&file, with("isolation: worktree")).unwrap();
    let start = ["start", "--config", file.to_str().unwrap()];
    bed.run_with(&start, &[("SEALED_CRASH_AT", "anchor start")]);
    let folder = bed.own_tree();
    let at = ["-C", folder.to_str().unwrap()];
    bed.git(&[&at[..], &["commit", "-q", "--allow-empty", "-m", "mine"]].concat());
    assert_answer!(bed.run(&["clean", "--yes"]).ok(), @"
    ok       git: <version> at <git>
    ok       runs: no run was started here
    <sandbox>
    <codex>
    removed, or kept for the reason given:
      worktree   <bed>/state/trees/<id>/autoresearch-demo (removed)
      branch     refs/heads/autoresearch/demo (keep: no other branch holds its commit; `git branch -D autoresearch/demo` deletes it)
      folder     <bed>/repo/autoresearch-results/demo (removed)
      anchor     <bed>/state/runs/<id> (removed)
    no problems
    ");
    assert_eq!(bed.run_commits("autoresearch/demo").len(), 1);
}

#[test]
fn a_void_trial_says_what_was_left_and_only_that() {
    let tried = |bed: &Testbed| bed.run(&["trial", "-m", "x"]).ok();
    // A file outside the scope stays, and is named.
    let bed = Testbed::started(CONFIG);
    bed.edit(1);
    bed.write("other/new.md", "x");
    assert_answer!(tried(&bed), @r#"
    trial 1: discard (out-of-scope); the best is 10 from trial 0
    why: files outside the scope were changed: other/new.md
    files: src/a
    your edits in the scope were undone; they are in commit <commit>
    still changed: other/new.md; restore it first, or the next trial is void too
    next: change one thing in scope (src/**), leave git alone, then run: autoresearch trial -m "what you changed"
    "#);
    // One that is left by nobody's fault is taken as it is: nothing has to be put back.
    let bed = Testbed::new();
    bed.write("other/notes.md", "dirty before the run");
    bed.start(CONFIG);
    bed.edit(1);
    bed.write("other/notes.md", "dirty again");
    assert_answer!(tried(&bed), @r#"
    trial 1: discard (out-of-scope); the best is 10 from trial 0
    why: files outside the scope were changed: other/notes.md (changed before the run too; accepted as it is from now on)
    files: src/a
    your edits in the scope were undone; they are in commit <commit>
    next: change one thing in scope (src/**), leave git alone, then run: autoresearch trial -m "what you changed"
    "#);
    assert_eq!(
        bed.try_count(1),
        "keep",
        "and the next trial is no longer void"
    );
    // In a work tree of the run's own everything is put back.
    let bed = Testbed::started(&ConfigText::demo().isolation("worktree"));
    std::fs::write(bed.own_tree().join("src/a"), "").unwrap();
    std::fs::write(bed.own_tree().join("other/notes.md"), "x").unwrap();
    let report = bed.run(&["trial", "-m", "x", "--json"]).ok().json();
    assert_eq!(report["reason"], "out-of-scope");
    assert_eq!(report["left"], serde_json::json!([]));
    // What git would undo in other bytes stays, and is said to stay.
    let bed = Testbed::started(CONFIG);
    bed.edit(1);
    bed.git(&["config", "core.autocrlf", "true"]);
    assert_answer!(tried(&bed), @r#"
    trial 1: discard (protected); the best is 10 from trial 0
    why: protected files were changed: git config core.autocrlf
    files: src/a
    your edits in the scope are still in the work tree
    still changed: git config core.autocrlf; restore it first, or the next trial is void too
    next: change one thing in scope (src/**), leave git alone, then run: autoresearch trial -m "what you changed"
    "#);
}

/// A config whose verify fails in the run's own work tree, after it did something to git there.
fn refused_in_a_work_tree(bed: &Testbed, verify: &str) -> Answer {
    let config = ConfigText::demo()
        .isolation("worktree")
        .verify(&format!("{verify}; exit 9"));
    bed.try_start(&config).fails(3)
}

/// Every reference, and every work tree.
fn of_git(bed: &Testbed) -> (String, String) {
    let all = bed.git(&["for-each-ref", "--format=%(objectname) %(refname)"]);
    (all, bed.git(&["worktree", "list", "--porcelain"]))
}

#[test]
fn a_refused_start_takes_away_its_branch_and_work_tree_and_no_others() {
    let bed = Testbed::new();
    let other = bed.home.join("autoresearch-results/demo/worktree");
    bed.git(&["branch", "autoresearch/demo"]);
    bed.git(&["branch", "autoresearch/demo-3"]);
    bed.git(&[
        "update-ref",
        "refs/autoresearch/demo-2/interrupted-1",
        "HEAD",
    ]);
    let add = ["worktree", "add", "-q", other.to_str().unwrap()];
    bed.git(&[&add[..], &["autoresearch/demo-3"]].concat());
    std::fs::write(other.join("untracked"), "x\n").unwrap();
    let before = of_git(&bed);
    refused_in_a_work_tree(&bed, "touch left-by-verify");
    assert_eq!(of_git(&bed), before);
    assert!(other.join("untracked").exists());
    assert!(!bed.path("autoresearch-results").exists());
    let anchors = bed.state.join("runs").read_dir().map(Iterator::count);
    assert_eq!(anchors.unwrap_or(0), 0, "no anchor is left");
    // A name under which an earlier run put edits aside is taken as well.
    bed.start(&with("isolation: worktree"))
        .says("run `demo-4` started");
}

#[test]
fn a_refused_start_keeps_a_commit_that_verify_made_on_its_branch() {
    let bed = Testbed::new();
    refused_in_a_work_tree(
        &bed,
        "git -c user.name=v -c user.email=v@v commit -q --allow-empty -m made",
    );
    let kept = bed.git(&["log", "-1", "--format=%s", "autoresearch/demo"]);
    assert_eq!(kept.trim(), "made");
    let list = bed.git(&["worktree", "list", "--porcelain"]);
    assert_eq!(list.matches("worktree ").count(), 1, "{list}");
    // The name is taken now.
    bed.start(&with("isolation: worktree"))
        .says("run `demo-2` started");
}

#[test]
fn a_start_without_a_work_tree_of_its_own_deletes_no_branch_when_it_is_refused() {
    let bed = Testbed::new();
    let before = of_git(&bed);
    for isolation in ["branch", "in-place"] {
        bed.try_start(&ConfigText::demo().isolation(isolation).verify("exit 9"))
            .fails(3);
        assert_eq!(of_git(&bed), before);
        assert_eq!(branch_of(&bed), "main");
    }
}
