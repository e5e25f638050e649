//! HEAD is not where the run left it: every command says in which way, changes nothing, and goes on once it is put right.

use std::collections::BTreeMap;

use crate::shown::assert_answer;
use crate::testbed::{CONFIG, Testbed};

/// Everything that git knows and every file: what a refused command must leave alone.
fn everything(bed: &Testbed) -> BTreeMap<String, String> {
    let mut all = bed.fingerprint();
    all.insert(
        "(all refs)".to_owned(),
        bed.git(&["for-each-ref", "--format=%(refname) %(objectname)"]),
    );
    all.insert(
        "(reflog)".to_owned(),
        bed.try_git(&["reflog", "--all", "--format=%H %gs"]).out,
    );
    all.insert(
        "(journal)".to_owned(),
        std::fs::read_to_string(bed.run_file("journal.jsonl")).unwrap(),
    );
    all
}

/// A run with one keep (4 any in `src/a`), and an edit that would be a keep.
fn under_way() -> Testbed {
    let bed = Testbed::started(CONFIG);
    assert_eq!(bed.try_count(4), "keep");
    bed
}

/// An edit that would be kept is refused with these words, and nothing moves.
#[track_caller]
fn refused(bed: &Testbed, code: i32, words: &[&str]) {
    bed.edit(1);
    let before = everything(bed);
    for arguments in [
        &["trial", "-m", "on top of it", "--json"][..],
        &["trial", "--drop", "--json"],
    ] {
        let answer = bed.run(arguments).fails(code);
        let object = answer.json();
        let said = format!(
            "{} {} {}",
            object["error"], object["caused_by"], object["hint"]
        );
        for word in words {
            assert!(said.contains(word), "`{word}` is missing in {said}");
        }
        assert_eq!(object["exit_code"], code);
        assert_eq!(everything(bed), before, "{arguments:?}");
    }
}

/// The run goes on: the edit becomes a keep on top of the one before.
#[track_caller]
fn goes_on(bed: &Testbed, kept: &str) {
    assert_eq!(bed.try_count(1), "keep");
    assert_eq!(bed.git(&["rev-parse", "autoresearch/demo~1"]).trim(), kept);
    assert_eq!(bed.story(), ["0 baseline", "1 keep", "2 keep"]);
    assert_eq!(bed.git(&["status", "--porcelain"]), "");
}

#[test]
fn another_branch_is_named_and_nothing_is_built_on_it() {
    let bed = under_way();
    let kept = bed.head();
    bed.git(&["switch", "-q", "main"]);
    refused(
        &bed,
        4,
        &[
            "another branch is checked out: main instead of autoresearch/demo",
            "git switch autoresearch/demo",
        ],
    );
    bed.git(&["checkout", "-q", "--", "src"]);
    bed.git(&["switch", "-q", "autoresearch/demo"]);
    goes_on(&bed, &kept);
}

#[test]
fn another_branch_at_the_same_commit_is_still_another_branch() {
    let bed = under_way();
    let kept = bed.head();
    bed.git(&["switch", "-q", "-c", "mine"]);
    refused(&bed, 4, &["another branch is checked out: mine"]);
    bed.git(&["switch", "-q", "autoresearch/demo"]);
    goes_on(&bed, &kept);
}

#[test]
fn a_detached_head_is_named_even_at_the_right_commit() {
    let bed = under_way();
    let kept = bed.head();
    bed.git(&["checkout", "-q", "--detach"]);
    refused(
        &bed,
        4,
        &[
            "HEAD is detached at",
            &kept[..7],
            "git switch autoresearch/demo",
        ],
    );
    bed.git(&["switch", "-q", "autoresearch/demo"]);
    goes_on(&bed, &kept);
}

#[test]
fn foreign_commits_on_top_are_counted_and_the_last_is_quoted() {
    let bed = under_way();
    let kept = bed.head();
    bed.write("src/c", "");
    bed.git(&["commit", "-qam", "my own idea"]);
    refused(
        &bed,
        4,
        &[
            "1 commit that this run did not make",
            "my own idea",
            "git reset --soft",
        ],
    );
    bed.write("other/notes.md", "more\n");
    bed.git(&["commit", "-qm", "and another", "other/notes.md"]);
    refused(
        &bed,
        4,
        &["2 commits that this run did not make", "and another"],
    );
    bed.git(&["branch", "mine"]);
    bed.git(&["reset", "-q", "--hard", &kept]);
    goes_on(&bed, &kept);
}

#[test]
fn a_foreign_commit_with_the_runs_own_trailers_is_foreign_all_the_same() {
    let bed = under_way();
    let kept = bed.head();
    let message = bed.git(&["log", "-1", "--format=%B"]);
    bed.git(&["commit", "-q", "--allow-empty", "-m", &message]);
    refused(&bed, 4, &["1 commit that this run did not make"]);
    bed.git(&["reset", "-q", "--soft", &kept]);
    goes_on(&bed, &kept);
}

#[test]
fn a_branch_that_was_moved_back_is_named_with_both_commits() {
    let bed = under_way();
    let kept = bed.head();
    bed.git(&["reset", "-q", "--hard", "HEAD~1"]);
    let base = bed.head();
    refused(
        &bed,
        4,
        &[
            "HEAD was moved to",
            &base[..7],
            "the run left it at",
            &kept[..7],
        ],
    );
    bed.git(&["checkout", "-q", "--", "src"]);
    bed.git(&["reset", "-q", "--hard", &kept]);
    goes_on(&bed, &kept);
}

#[test]
fn an_amended_commit_is_not_the_one_that_was_measured() {
    let bed = under_way();
    let kept = bed.head();
    bed.git(&["commit", "-q", "--amend", "-m", "better words"]);
    refused(&bed, 4, &["HEAD was moved to", "better words", &kept[..7]]);
    bed.git(&["reset", "-q", "--soft", &kept]);
    goes_on(&bed, &kept);
}

#[test]
fn the_advice_of_the_message_leads_back_to_the_run() {
    let bed = under_way();
    let kept = bed.head();
    bed.write("other/notes.md", "mine\n");
    bed.git(&["commit", "-qam", "my own idea"]);
    refused(
        &bed,
        4,
        &[
            "git branch mine",
            &format!("git reset --soft {}", &kept[..7]),
        ],
    );
    bed.git(&["branch", "mine"]);
    bed.git(&["reset", "-q", "--soft", &kept[..7]]);
    bed.git(&["restore", "--staged", "--worktree", "other/notes.md"]);
    goes_on(&bed, &kept);
    assert_eq!(bed.git(&["show", "mine:other/notes.md"]), "mine\n");
}

#[test]
fn a_merge_under_way_is_named() {
    let bed = under_way();
    let kept = bed.head();
    bed.git(&["branch", "side", "main"]);
    bed.git(&[
        "worktree",
        "add",
        "-q",
        bed.home.join("side").to_str().unwrap(),
        "side",
    ]);
    std::fs::write(bed.home.join("side/src/a"), "conflict\n").unwrap();
    let side = bed.home.join("side");
    bed.git(&["-C", side.to_str().unwrap(), "commit", "-qam", "side"]);
    bed.try_git(&["merge", "-q", "side"]).fails(1);
    let before = everything(&bed);
    assert_answer!(bed.run(&["trial", "-m", "in the middle"]), @"
    exit code 4
    --- stderr
    error: a merge is in progress
    hint: finish or abort the merge, then run the command again
    ");
    assert_eq!(everything(&bed), before);
    bed.git(&["merge", "--abort"]);
    goes_on(&bed, &kept);
}

#[test]
fn a_rebase_under_way_is_named() {
    let bed = under_way();
    let kept = bed.head();
    bed.git(&[
        "-c",
        "sequence.editor=sed -i s/^pick/edit/",
        "rebase",
        "-q",
        "-i",
        "main",
    ]);
    let before = everything(&bed);
    assert_answer!(bed.run(&["trial", "-m", "in the middle"]), @"
    exit code 4
    --- stderr
    error: a rebase is in progress
    hint: finish or abort the rebase, then run the command again
    ");
    assert_eq!(everything(&bed), before);
    bed.git(&["rebase", "--abort"]);
    goes_on(&bed, &kept);
}

#[test]
fn a_lock_of_another_git_process_is_named_and_nothing_is_undone_half() {
    let bed = under_way();
    let kept = bed.head();
    bed.write(".git/index.lock", "");
    bed.edit(1);
    let (head, refs) = (bed.head(), bed.git(&["for-each-ref"]));
    let answer = bed.run(&["trial", "-m", "locked out"]).fails(6);
    assert_answer!(answer, @"
    exit code 6
    --- stderr
    error: the git repository is locked
    caused by: the repository is locked by <bed>/repo/.git/index.lock
    hint: wait for the other git process; if none is running, delete <bed>/repo/.git/index.lock
    ");
    assert_eq!((bed.head(), bed.git(&["for-each-ref"])), (head, refs));
    assert_eq!(bed.read("src/a"), "any\n", "the edit is still there");
    assert!(
        bed.path(".git/index.lock").exists(),
        "the lock is another's"
    );
    std::fs::remove_file(bed.path(".git/index.lock")).unwrap();
    assert_eq!(bed.try_count(1), "keep");
    assert_eq!(bed.git(&["rev-parse", "HEAD~1"]).trim(), kept);
    assert_eq!(bed.git(&["status", "--porcelain"]), "");
}

#[test]
fn status_and_doctor_name_the_obstacle_without_failing_to_look() {
    let bed = under_way();
    bed.git(&["switch", "-q", "main"]);
    let status = bed.run(&["status", "--json"]).ok().json();
    assert_answer!(status["obstacle"].as_str().unwrap(), @"another branch is checked out: main instead of autoresearch/demo");
    assert_answer!(bed.run(&["doctor"]), @"
    exit code 4
    ok       git: <version> at <git>
    ok       run demo: 4 records, chain and anchor agree
    PROBLEM  run demo: another branch is checked out: main instead of autoresearch/demo
             nothing was changed. `git switch autoresearch/demo` goes back to the run
    <sandbox>
    <codex>
    1 problem
    ");
    assert_answer!(bed.run(&["resume"]), @"
    exit code 4
    --- stderr
    error: another branch is checked out: main instead of autoresearch/demo
    hint: nothing was changed. `git switch autoresearch/demo` goes back to the run
    ");
}
