//! Hypotheses at once: each is edited and measured in a work tree of its own, and the best becomes a trial.

pub(crate) mod crash;
mod faults;
mod refusals;

use std::path::PathBuf;

use crate::config_text::ConfigText;
use crate::shown::assert_answer;
use crate::shown_again::without_span;
use crate::testbed::{Answer, Testbed, wait_until};

pub(crate) const OPEN: [&str; 8] = ["parallel", "open", "-m", "one", "-m", "two", "-m", "three"];
pub(crate) const CLOSE: [&str; 2] = ["parallel", "close"];
pub(crate) const ABORT: [&str; 2] = ["parallel", "abort"];

/// The work tree of a worker of the run `demo`.
pub(crate) fn tree(bed: &Testbed, letter: char) -> PathBuf {
    let runs = std::fs::read_dir(bed.state.join("trees")).unwrap();
    let name = format!("autoresearch-demo-worker-{letter}");
    let mut trees = runs.map(|run| run.unwrap().path().join(&name));
    trees.find(|tree| tree.exists()).unwrap()
}

pub(crate) fn put(bed: &Testbed, letter: char, file: &str, text: &str) {
    let path = tree(bed, letter).join(file);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// Sets the number of `any` in a file of a worker.
pub(crate) fn put_any(bed: &Testbed, letter: char, file: &str, count: usize) {
    put(bed, letter, file, &"any\n".repeat(count));
}

/// A run with an open batch of three: 9, 7 and 17 where nothing else is edited.
pub(crate) fn edited(config: &str) -> Testbed {
    let bed = Testbed::started(config);
    bed.run(&OPEN).ok();
    put_any(&bed, 'a', "src/a", 4);
    put_any(&bed, 'b', "src/b", 0);
    put_any(&bed, 'c', "src/c", 9);
    bed
}

pub(crate) fn close(bed: &Testbed) -> Answer {
    bed.run(&CLOSE).ok()
}

/// No batch is open, every tree was given back and goes with the run, and nobody finds a fault.
#[track_caller]
pub(crate) fn leaves_nothing(bed: &Testbed) {
    assert_eq!(bed.run(&CLOSE).fails(2).err.lines().count(), 2);
    bed.run(&["doctor"]).ok().says("no problems");
    bed.run(&["finish"]).ok();
    let notes = std::fs::read_dir(bed.state.join("tree-notes"));
    assert_eq!(notes.map_or(0, Iterator::count), 0);
    assert_eq!(bed.git(&["worktree", "list"]).lines().count(), 1);
}

#[test]
fn the_best_of_three_becomes_the_trial_that_decides_and_each_has_a_row() {
    let bed = Testbed::started(&ConfigText::demo());
    assert_answer!(bed.run(&OPEN).ok(), @"
    batch 1 is open: 3 hypotheses, to be measured at the same time (the metric is exact, so neighbours do not change it)
      1a one
         in ../state/trees/<id>/autoresearch-demo-worker-a
      1b two
         in ../state/trees/<id>/autoresearch-demo-worker-b
      1c three
         in ../state/trees/<id>/autoresearch-demo-worker-c
    next: edit in the tree of each hypothesis of the open batch, leave git alone there, then run: autoresearch parallel close; or give it up: autoresearch parallel abort (`autoresearch status` names the trees)
    ");
    put_any(&bed, 'a', "src/a", 4);
    put_any(&bed, 'b', "src/b", 0);
    put_any(&bed, 'c', "src/c", 9);
    assert_answer!(bed.run(&["status"]).ok(), @"
    run `demo`: Fewer any
      active    no process works on it now
      started   <time>, <span> ago
      metric    any_count (lower is better)
      start     10
      best      10 from trial 0, commit <commit>
      trials    0 of 100: 0 keep, 0 discard, 0 crash, 0 no-op
      ladder    0 failed in a row, 0 pivots without a keep
      branch    autoresearch/demo
      batch     1 is open: 3 hypotheses
      1a one
         in ../state/trees/<id>/autoresearch-demo-worker-a
      1b two
         in ../state/trees/<id>/autoresearch-demo-worker-b
      1c three
         in ../state/trees/<id>/autoresearch-demo-worker-c
    next: edit in the tree of each hypothesis of the open batch, leave git alone there, then run: autoresearch parallel close; or give it up: autoresearch parallel abort (`autoresearch status` names the trees)
    ");
    assert_answer!(close(&bed), @r#"
    batch 1 is closed
      1a one: measured 9 (-1)
      1b two: measured 7 (-3)
      1c three: discard 17 (+7), the metric is not better
    trial 1: keep, any_count 7 (-3, -30 %), guard pass, commit <commit>
    files: src/b
    next: change one thing in scope (src/**), leave git alone, then run: autoresearch trial -m "what you changed"
    "#);
    assert_answer!(bed.run(&["log"]).ok(), @"
    iter  commit       metric     delta  guard  status       description
       0  <commit>          10         0  pass   baseline     the untouched tree, 3 runs
      1a  -                 9        -1  pass   measured     one (<commit>)
      1b  -                 7        -3  pass   measured     two (<commit>)
      1c  -                17        +7  -      discard      three [worse-metric: the metric is not better] (<commit>)
       1  <commit>           7        -3  pass   keep         two [picked from 1b]
    ");
    assert_answer!(bed.run(&["log", "--status", "measured"]).ok(), @"
    iter  commit       metric     delta  guard  status       description
      1a  -                 9        -1  pass   measured     one (<commit>)
      1b  -                 7        -3  pass   measured     two (<commit>)
    ");
    assert_answer!(without_span(&bed.run(&["show", "1"]).ok()), @"
    trial 1 of run `demo`: keep
      change    two
      metric    any_count 10 -> 7 (-3, -30 %, lower is better)
      guard     pass
      workers   1a measured, 1b measured, 1c discard
      time      <time>, took <span>
      commit    <commit> on <commit>
      files     1 file changed, +0 -3
        src/b  +0 -3
      output    autoresearch-results/demo/trials/1
    next: `autoresearch show 1 --diff` shows what it changed, `--output` what was printed
    ");
    assert_answer!(without_span(&bed.run(&["show", "1b"]).ok()), @"
    worker 1b of run `demo`: measured
      change    two
      metric    any_count 10 -> 7 (-3, lower is better)
      guard     pass
      time      <time>, took <span>
      commit    <commit> on <commit>
      files     1 file changed, +0 -3
        src/b  +0 -3
      output    autoresearch-results/demo/trials/1
    next: `autoresearch show 1b --diff` shows what it changed, `--output` what was printed
    ");
    assert_answer!(bed.run(&["show", "1b", "--diff"]).ok(), @"
    diff --git a/src/b b/src/b
    index <commit>..<commit> 100644
    --- a/src/b
    +++ b/src/b
    @@ -1,3 +0,0 @@
    -any
    -any
    -any
    ");
    assert_answer!(bed.run(&["show", "1a", "--output"]).ok(), @"
    == a-verify-1.out
    9
    ");
    assert_answer!(bed.run(&["show", "2a"]), @"
    exit code 2
    --- stderr
    error: the run `demo` has no worker 2a
    hint: its trials are 1 to 1, and 0 is the baseline: `autoresearch log` lists them
    ");
    assert_answer!(bed.run(&["show", "1d"]), @"
    exit code 2
    --- stderr
    error: invalid value '1d' for '<N>': it is neither the number of a trial nor a worker of a batch, such as 5 or 5b

    For more information, try '--help'.
    ");
    assert_eq!(bed.read("src/b"), "");
    assert_eq!(bed.read("src/a"), "any\n".repeat(5));
    assert_eq!(bed.git(&["status", "--porcelain"]), "");
    let status = bed.run(&["status", "--json"]).ok().json();
    assert_eq!(status["iterations"], 1);
    assert_eq!(bed.run_commits("autoresearch/demo").len(), 1);
    leaves_nothing(&bed);
}

#[test]
fn of_equal_numbers_the_smaller_change_is_picked() {
    let bed = edited(&ConfigText::demo().to_string());
    put(&bed, 'a', "src/a", &("any\n".repeat(4) + "one\ntwo\n"));
    put_any(&bed, 'b', "src/b", 2);
    close(&bed).says("trial 1: keep").says("two");
    assert_eq!(
        bed.story(),
        [
            "0 baseline",
            "1a measured",
            "1b measured",
            "1c discard",
            "1 keep"
        ]
    );
    assert_eq!(bed.read("src/b"), "any\n".repeat(2));
}

/// What is measured in the tree of a worker is not what stands in the run's.
#[test]
fn where_the_best_does_not_fit_or_its_guard_fails_here_the_next_best_is_tried() {
    let bed = Testbed::new();
    // The guard looks at the folder that it runs in.
    bed.write(
        "guard.sh",
        "case $PWD in *-worker-?) exit 0;; esac\n! grep -q elsewhere src/a\n",
    );
    bed.write(".gitignore", "*.log\n");
    bed.git(&["add", "-A"]);
    bed.git(&["commit", "-qm", "guard"]);
    // A file that git ignores, where one of the workers adds another.
    bed.write("src/notes/mine.log", "mine\n");
    bed.start(&ConfigText::demo());
    bed.run(&OPEN).ok();
    put(&bed, 'a', "src/a", "elsewhere\n");
    put_any(&bed, 'b', "src/b", 0);
    put(&bed, 'b', "src/notes", "theirs\n");
    put_any(&bed, 'b', "src/c", 0);
    put_any(&bed, 'c', "src/c", 1);
    assert_answer!(close(&bed), @r#"
    batch 1 is closed
      1a one: discard 5 (-5), the guard failed: exit status 1
      1b two: discard 5 (-5), its changes do not fit onto the kept state: src/notes/mine.log
      1c three: measured 9 (-1)
    trial 1: keep, any_count 9 (-1, -10 %), guard pass, commit <commit>
    files: src/c
    next: change one thing in scope (src/**), leave git alone, then run: autoresearch trial -m "what you changed"
    "#);
    assert_answer!(bed.run(&["log"]).ok(), @"
    iter  commit       metric     delta  guard  status       description
       0  <commit>          10         0  pass   baseline     the untouched tree, 3 runs
      1a  -                 5        -5  pass   measured     one (<commit>)
      1b  -                 5        -5  pass   measured     two (<commit>)
      1c  -                 9        -1  pass   measured     three (<commit>)
      1a  -                 5        -5  fail   discard      one [picked, and undone] [guard-failed: the guard failed: exit status 1] (<commit>)
      1b  -                 5        -5  -      discard      two [conflict: its changes do not fit onto the kept state: src/notes/mine.log] (<commit>)
       1  <commit>           9        -1  pass   keep         three [picked from 1c]
    ");
    assert_eq!(bed.read("src/notes/mine.log"), "mine\n");
    assert_eq!(bed.read("src/a"), "any\n".repeat(5));
    let status = bed.run(&["status", "--json"]).ok().json();
    assert_eq!(
        (&status["iterations"], &status["failures"]),
        (&1.into(), &0.into())
    );
    leaves_nothing(&bed);
}

#[test]
fn with_stack_further_winners_follow_and_one_that_changes_the_same_lines_is_dropped() {
    let bed = Testbed::started(&ConfigText::demo());
    bed.run(&[&OPEN[..], &["--stack"]].concat()).ok();
    put_any(&bed, 'a', "src/a", 1);
    put_any(&bed, 'b', "src/a", 3);
    put_any(&bed, 'c', "src/c", 1);
    assert_answer!(close(&bed), @r#"
    batch 1 is closed
      1a one: measured 6 (-4)
      1b two: discard 8 (-2), its changes do not fit onto the kept state: src/a
      1c three: measured 9 (-1)
    trial 1: keep, any_count 6 (-4, -40 %), guard pass, commit <commit>
    files: src/a
    trial 2: keep, any_count 5 (-1, -17 %), guard pass, commit <commit>
    files: src/c
    next: change one thing in scope (src/**), leave git alone, then run: autoresearch trial -m "what you changed"
    "#);
    assert_eq!(
        bed.story(),
        [
            "0 baseline",
            "1a measured",
            "1b measured",
            "1c measured",
            "1 keep",
            "1b discard",
            "2 keep"
        ]
    );
    let status = bed.run(&["status", "--json"]).ok().json();
    assert_eq!(
        (&status["iterations"], &status["keep"]),
        (&1.into(), &2.into())
    );
    leaves_nothing(&bed);
}

#[test]
fn a_batch_in_which_none_improves_is_one_failure_and_one_iteration() {
    let bed = Testbed::started(&ConfigText::demo());
    for number in 1..=2 {
        bed.run(&OPEN).ok();
        put_any(&bed, 'a', "src/a", 6);
        put(&bed, 'b', "src/b", &("any\n".repeat(3) + "more\n"));
        close(&bed).says(&format!("trial {number}: discard (none-improved)"));
    }
    assert_answer!(bed.run(&["log", "--last", "4"]).ok(), @"
    iter  commit       metric     delta  guard  status       description
      2a  -                11        +1  -      discard      one [worse-metric: the metric is not better] (<commit>)
      2b  -                10         0  -      discard      two [tie: the metric is equal] (<commit>)
      2c  -                 -         -  -      no-op        three [nothing-changed: no file in the scope was changed]
       2  -                 -         -  -      discard      a batch of 3 hypotheses [none-improved: none of 2a, 2b, 2c improved]
    ");
    let status = bed.run(&["status", "--json"]).ok().json();
    assert_eq!(
        (&status["iterations"], &status["failures"]),
        (&2.into(), &2.into())
    );
    bed.run(&OPEN).ok();
    close(&bed).says("refine");
    // The ladder asks for its row before another batch.
    bed.run(&OPEN).fails(2).says("a refine is due");
    leaves_nothing(&bed);
}

#[test]
fn each_worker_finds_its_device_in_the_variable_of_the_config() {
    let bed = Testbed::new();
    bed.write(
        "count.sh",
        "echo \"device=${GPU-none}\" >&2\ncat src/* | grep -c '^any$'\n",
    );
    bed.git(&["commit", "-qam", "count"]);
    let config = ConfigText::demo();
    bed.start(&format!(
        "{config}parallel: {{devices: [\"0\", \"1\"], device_variable: GPU}}\n"
    ));
    bed.run(&OPEN).ok();
    for letter in ['a', 'b', 'c'] {
        put_any(&bed, letter, "src/a", 9);
    }
    close(&bed);
    let seen = |name: &str| bed.read(&format!("autoresearch-results/demo/trials/1/{name}.err"));
    assert_eq!(seen("a-verify-1"), "device=0\n");
    assert_eq!(seen("b-verify-1"), "device=1\n");
    assert_eq!(seen("c-verify-1"), "device=0\n");
    assert_eq!(seen("probe-verify-1"), "device=none\n");
}

#[test]
fn in_each_isolation_the_batch_leaves_the_users_work_alone() {
    for isolation in ["branch", "worktree", "in-place"] {
        let bed = Testbed::new();
        bed.write("other/mine", "mine\n");
        bed.start(&ConfigText::demo().isolation(isolation));
        bed.run(&OPEN).ok();
        put_any(&bed, 'a', "src/a", 4);
        put_any(&bed, 'b', "src/b", 0);
        let before = bed.fingerprint();
        close(&bed).says("trial 1: keep");
        assert_eq!(bed.read("other/mine"), "mine\n", "{isolation}");
        if isolation == "worktree" {
            assert!(before == bed.fingerprint(), "{isolation}");
        }
        let kept = if isolation == "worktree" {
            bed.own_tree()
        } else {
            bed.repo.clone()
        };
        assert_eq!(
            std::fs::read_to_string(kept.join("src/b")).unwrap(),
            "",
            "{isolation}"
        );
        bed.run(&OPEN).ok();
        put_any(&bed, 'c', "src/c", 0);
        bed.run(&ABORT).ok();
        leaves_nothing(&bed);
    }
}

/// Two runs of one repository have a batch each, at the same time.
#[test]
fn two_runs_at_once_have_batches_of_their_own() {
    let bed = Testbed::new();
    bed.start(&ConfigText::demo().isolation("worktree"));
    bed.start(&ConfigText::demo().tag("other").isolation("worktree"));
    let in_run = |run: &str, words: &[&str]| {
        let mut command = bed.command(words);
        command.current_dir(bed.own_tree_of(run));
        crate::testbed::finish(command).ok()
    };
    in_run("demo", &OPEN);
    in_run("other", &OPEN);
    put_any(&bed, 'a', "src/a", 4);
    let theirs = in_run("other", &["status", "--json"]).json();
    assert_eq!(theirs["batch"]["workers"][1]["worker"], "1b");
    in_run("demo", &CLOSE).says("trial 1: keep");
    in_run("other", &CLOSE).says("trial 1: discard (none-improved)");
    for run in ["demo", "other"] {
        in_run(run, &["finish"]);
    }
    assert!(!bed.git(&["worktree", "list"]).contains("worker"));
}

/// A noisy metric gets one answer: where the number of the one that was picked does not hold, the next is not asked.
#[test]
fn a_noisy_metric_is_measured_one_after_the_other_and_gets_one_answer() {
    let bed = Testbed::new();
    let counter = bed.home.join("counter");
    let script = "n=$(cat COUNTER 2>/dev/null || echo 0); n=$((n+1)); echo $n >COUNTER\n\
        test ! -e RUNNING || echo overlap >>OVERLAP\n: >RUNNING\n\
        b=$(cat src/* | grep -c '^any$')\n\
        case $PWD in *-worker-?) b=$((b-5));; esac\n\
        rm -f RUNNING\necho $((b * 100 + n % 3))\n";
    let script = script
        .replace("COUNTER", counter.to_str().unwrap())
        .replace("RUNNING", bed.home.join("running").to_str().unwrap())
        .replace("OVERLAP", bed.home.join("overlap").to_str().unwrap());
    bed.write("count.sh", &script);
    bed.git(&["commit", "-qam", "count"]);
    bed.start(&ConfigText::demo());
    bed.run(&OPEN)
        .ok()
        .says("one after the other (the metric is noisy");
    for (letter, file) in [('a', "src/a"), ('b', "src/b"), ('c', "src/c")] {
        put(&bed, letter, file, &(bed.read(file) + "more\n"));
    }
    close(&bed).says("trial 1: discard");
    assert!(!bed.home.join("overlap").exists());
    let picked = bed
        .story()
        .iter()
        .filter(|row| row.starts_with("1 "))
        .count();
    assert_eq!(picked, 1, "{:?}", bed.story());
    assert_eq!(bed.story().len(), 5, "{:?}", bed.story());
    leaves_nothing(&bed);
}

/// Ctrl-C while workers are measured: nothing is lost, and closing again comes to the same end.
#[test]
fn a_close_that_is_interrupted_goes_on_where_it_stopped() {
    let bed = Testbed::new();
    let wait = bed.home.join("wait");
    let at_work = bed.home.join("at-work");
    bed.write(
        "count.sh",
        &format!(
            "case $PWD in *-worker-?) : >{}; while test -e {}; do sleep 0.01; done;; esac\ncat src/* | grep -c '^any$'\n",
            at_work.display(),
            wait.display()
        ),
    );
    bed.git(&["commit", "-qam", "count"]);
    bed.start(&ConfigText::demo());
    bed.run(&OPEN).ok();
    put_any(&bed, 'a', "src/a", 4);
    put_any(&bed, 'b', "src/b", 0);
    std::fs::remove_file(&at_work).unwrap();
    std::fs::write(&wait, "").unwrap();
    let child = bed.command(&CLOSE).spawn().unwrap();
    wait_until("a worker is measured", || at_work.exists());
    let pid = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(130));
    std::fs::remove_file(&wait).unwrap();
    bed.run(&["doctor"]).ok();
    close(&bed).says("trial 1: keep");
    assert_eq!(bed.read("src/b"), "");
    leaves_nothing(&bed);
}
