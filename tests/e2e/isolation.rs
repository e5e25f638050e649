//! Where the trials are made: a branch, a work tree of the run's own, or the user's branch; and how they are undone.

use std::path::PathBuf;

use serde_json::Value;

use crate::config_text::ConfigText;
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
    assert!(report["detail"].as_str().unwrap().contains("count.sh"));
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
    bed.run(&["clean", "--yes"])
        .ok()
        .says("the run `demo` is active");
    assert!(side.folder.exists(), "an active run is never removed");
    // What was never measured is nowhere else.
    std::fs::write(side.folder.join("src/new"), "unmeasured\n").unwrap();
    let words = "it holds files that are not committed (src/new)";
    bed.run(&["finish"]).ok().says(words);
    bed.run(&["clean", "--yes"]).ok().says(words);
    assert!(side.folder.join("src/new").exists());
    std::fs::remove_file(side.folder.join("src/new")).unwrap();
    bed.run(&["finish"]).ok();
    assert!(!side.folder.exists(), "nothing in it was the only copy");
    bed.run(&["clean", "--yes"])
        .ok()
        .says("1 kept commit not merged yet");
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
    bed.try_start(&with("isolation: in-place"))
        .fails(4)
        .says("HEAD is detached");
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
    for delete in DELETED {
        let side = homeless("", |_| {}, delete);
        let bed = &side.bed;
        let before = bed.fingerprint();
        bed.run(&["trial", "-m", "x"])
            .fails(4)
            .says("is gone")
            .says("autoresearch resume");
        let status = bed.run(&["status", "--json"]).ok().json();
        let obstacle = status["obstacle"].as_str().unwrap();
        assert!(obstacle.contains("is gone"), "{status}");
        assert_eq!(status["incumbent"], 9, "{status}");
        bed.run(&["log"]).ok();
        for arguments in [&["doctor"][..], &["doctor", "--repair"]] {
            bed.run(arguments).fails(4).says("is gone").says("resume");
        }
        assert_eq!(bed.fingerprint(), before);
    }
}

#[test]
fn resume_makes_a_deleted_work_tree_again_and_the_run_goes_on() {
    for delete in DELETED {
        let side = homeless("", |_| {}, delete);
        let before = side.bed.fingerprint();
        side.bed.run(&["resume"]).ok().says("was recreated");
        assert_eq!(side.git(&["status", "--porcelain"]), "");
        assert_eq!(side.trial(3)["verdict"], "keep");
        side.bed.run(&["doctor"]).ok();
        assert_eq!(side.bed.fingerprint(), before);
    }
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
    for step in ["anchor start", "journal start"] {
        let bed = Testbed::new();
        let before = bed.fingerprint();
        let file = bed.home.join("config.yaml");
        std::fs::write(&file, with("isolation: worktree")).unwrap();
        let start = ["start", "--config", file.to_str().unwrap()];
        let crashed = bed.run_with(&start, &[("SEALED_CRASH_AT", step)]);
        assert_eq!(crashed.code, -1, "{crashed:?}");
        assert!(bed.git(&["branch"]).contains("autoresearch/demo"));
        bed.run(&["doctor", "--clean"])
            .ok()
            .says("refs/heads/autoresearch/demo (can be removed)");
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
    bed.run(&["clean", "--yes"])
        .ok()
        .says("no other branch holds its commit");
    assert_eq!(bed.run_commits("autoresearch/demo").len(), 1);
}

#[test]
fn a_void_trial_says_what_was_left_and_only_that() {
    let text = |bed: &Testbed| bed.run(&["trial", "-m", "x"]).ok().out;
    // A file outside the scope stays, and is named.
    let bed = Testbed::started(CONFIG);
    bed.edit(1);
    bed.write("other/new.md", "x");
    let said = text(&bed);
    assert!(
        said.contains(
            "still changed: other/new.md; restore it first, or the next trial is void too"
        ),
        "{said}"
    );
    // One that is left by nobody's fault is taken as it is: nothing has to be put back.
    let bed = Testbed::new();
    bed.write("other/notes.md", "dirty before the run");
    bed.start(CONFIG);
    bed.edit(1);
    bed.write("other/notes.md", "dirty again");
    let said = text(&bed);
    assert!(said.contains("(out-of-scope)"), "{said}");
    assert!(!said.contains("still changed"), "{said}");
    assert!(
        said.contains("your edits in the scope were undone"),
        "{said}"
    );
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
    let said = text(&bed);
    assert!(
        said.contains("your edits in the scope are still in the work tree"),
        "{said}"
    );
    assert!(said.contains("still changed: "), "{said}");
    assert!(!said.contains("were undone"), "{said}");
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
