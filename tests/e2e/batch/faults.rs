//! What goes wrong in the tree of a worker costs that worker alone.

use std::process::Command;

use super::{CLOSE, OPEN, close, edited, leaves_nothing, put, put_any, tree};
use crate::config_text::ConfigText;
use crate::shown::assert_answer;
use crate::testbed::{Testbed, processes_with};

fn git_in(bed: &Testbed, letter: char, words: &[&str]) {
    let status = Command::new("git")
        .args(["-c", "user.name=w", "-c", "user.email=w@localhost"])
        .args(words)
        .current_dir(tree(bed, letter))
        .env_clear()
        .envs(bed.env())
        .status()
        .unwrap();
    assert!(status.success(), "{words:?}");
}

#[test]
fn a_worker_that_runs_too_long_is_a_crash_and_the_others_go_on() {
    let bed = Testbed::new();
    bed.write(
        "count.sh",
        "test ! -e src/slow || sleep 1000\ncat src/* | grep -c '^any$'\n",
    );
    bed.git(&["commit", "-qam", "count"]);
    bed.start(&ConfigText::demo().verify_with("timeout", "10s"));
    bed.run(&OPEN).ok();
    put(&bed, 'a', "src/slow", "x\n");
    put_any(&bed, 'b', "src/b", 0);
    assert_answer!(close(&bed), @r#"
    batch 1 is closed
      1a one: crash, verify failed: timed out after 10s
      1b two: measured 7 (-3)
      1c three: no-op, no file in the scope was changed
    trial 1: keep, any_count 7 (-3, -30 %), guard pass, commit <commit>
    files: src/b
    next: change one thing in scope (src/**), leave git alone, then run: autoresearch trial -m "what you changed"
    "#);
    leaves_nothing(&bed);
}

#[test]
fn edits_outside_the_scope_a_moved_head_and_a_deleted_tree_cost_their_worker_alone() {
    let bed = edited(&ConfigText::demo().to_string());
    put(&bed, 'a', "count.sh", "echo 0\n");
    std::fs::remove_dir_all(tree(&bed, 'c')).unwrap();
    assert_answer!(close(&bed), @r#"
    batch 1 is closed
      1a one: discard, files outside the scope were changed: count.sh
      1b two: measured 7 (-3)
      1c three: crash, its tree could not be measured: the work tree `worker-c` is gone
    trial 1: keep, any_count 7 (-3, -30 %), guard pass, commit <commit>
    files: src/b
    next: change one thing in scope (src/**), leave git alone, then run: autoresearch trial -m "what you changed"
    "#);
    bed.run(&OPEN).ok();
    // A commit of its own, and another branch.
    put_any(&bed, 'a', "src/a", 1);
    git_in(&bed, 'a', &["commit", "-qam", "mine"]);
    put_any(&bed, 'b', "src/a", 2);
    git_in(&bed, 'b', &["checkout", "-qb", "elsewhere"]);
    put_any(&bed, 'c', "src/a", 4);
    assert_answer!(close(&bed), @r#"
    batch 2 is closed
      2a one: discard, git was used in its tree, which is not at the commit of the batch any more
      2b two: discard, git was used in its tree, which is not at the commit of the batch any more
      2c three: measured 6 (-1)
    trial 2: keep, any_count 6 (-1, -14 %), guard pass, commit <commit>
    files: src/a
    next: change one thing in scope (src/**), leave git alone, then run: autoresearch trial -m "what you changed"
    "#);
    // The trees are usable again, and what was committed there is not lost.
    bed.git(&["show", "refs/autoresearch/demo/worker-2a:src/a"]);
    bed.run(&OPEN).ok();
    assert_eq!(
        std::fs::read_to_string(tree(&bed, 'b').join("src/a")).unwrap(),
        "any\n".repeat(4)
    );
    put_any(&bed, 'b', "src/a", 0);
    close(&bed).says("trial 3: keep");
    leaves_nothing(&bed);
}

#[test]
fn files_that_no_commit_holds_change_the_number_of_their_worker_and_none_that_is_kept() {
    let bed = Testbed::new();
    bed.write(".gitignore", "*.log\n");
    bed.write(
        "count.sh",
        "test ! -e cache.log || { echo 0; exit; }\ncat src/* | grep -c '^any$'\n",
    );
    bed.git(&["add", "-A"]);
    bed.git(&["commit", "-qm", "ignore"]);
    bed.start(&ConfigText::demo());
    bed.run(&OPEN).ok();
    // Its own tree says 0, the run's says 10.
    put(&bed, 'a', "src/a", &("any\n".repeat(5) + "more\n"));
    put(&bed, 'a', "cache.log", "x\n");
    for number in 0..300 {
        put(&bed, 'b', &format!("junk/{number}/file.log"), "x\n");
    }
    put_any(&bed, 'b', "src/b", 0);
    put(&bed, 'c', "junk/file", "x\n");
    put_any(&bed, 'c', "src/c", 0);
    assert_answer!(close(&bed), @r#"
    batch 1 is closed
      1a one: discard 10 (0), the metric is equal
      1b two: measured 7 (-3)
      1c three: discard, files outside the scope were changed: junk/file
    trial 1: keep, any_count 7 (-3, -30 %), guard pass, commit <commit>
    files: src/b
    next: change one thing in scope (src/**), leave git alone, then run: autoresearch trial -m "what you changed"
    "#);
    leaves_nothing(&bed);
}

#[test]
fn processes_that_a_worker_leaves_behind_are_ended() {
    let bed = Testbed::new();
    let mark = format!("worker-sleeper-{}", std::process::id());
    bed.write(
        "count.sh",
        &format!("test ! -e src/leave || (exec -a {mark} sleep 1000 >/dev/null 2>&1 &)\ncat src/* | grep -c '^any$'\n"),
    );
    bed.git(&["commit", "-qam", "count"]);
    bed.start(&ConfigText::demo().verify_with("shell", "bash"));
    bed.run(&OPEN).ok();
    put_any(&bed, 'a', "src/a", 4);
    put(&bed, 'a', "src/leave", "x\n");
    put_any(&bed, 'b', "src/b", 2);
    bed.run(&CLOSE).ok().says("trial 1: keep");
    assert_eq!(processes_with(&mark), Vec::<String>::new());
    leaves_nothing(&bed);
}
