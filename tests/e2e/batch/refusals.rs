//! What does not go together with an open batch, and where there are no batches.

use super::{ABORT, CLOSE, OPEN, close, edited, leaves_nothing, put_any};
use crate::config_text::ConfigText;
use crate::shown::assert_answer;
use crate::testbed::{Answer, Testbed};

fn told(answers: &[Answer]) -> String {
    let texts: Vec<String> = answers.iter().map(ToString::to_string).collect();
    texts.join("\n")
}

#[test]
fn while_a_batch_is_open_no_other_trial_begins() {
    let bed = Testbed::started(&ConfigText::demo());
    assert_eq!(bed.try_count(6), "discard");
    bed.run(&OPEN).ok();
    let calls: [&[&str]; 7] = [
        &["trial", "-m", "x"],
        &["trial", "--rework", "-m", "x"],
        &["retry", "1"],
        &["parallel", "open", "-m", "x", "-m", "y"],
        &["parallel", "open", "-m", "x"],
        &["parallel", "open", "-m", "x", "-m", " "],
        &["parallel", "open", "-n", "3", "-m", "x", "-m", "y"],
    ];
    let answers = calls.map(|call| bed.run(call).fails(2));
    assert_answer!(told(&answers), @"
    exit code 2
    --- stderr
    error: a batch is open
    hint: edit in the tree of each hypothesis of the open batch, leave git alone there, then run: autoresearch parallel close; or give it up: autoresearch parallel abort (`autoresearch status` names the trees)

    exit code 2
    --- stderr
    error: a batch is open
    hint: edit in the tree of each hypothesis of the open batch, leave git alone there, then run: autoresearch parallel close; or give it up: autoresearch parallel abort (`autoresearch status` names the trees)

    exit code 2
    --- stderr
    error: a batch is open
    hint: edit in the tree of each hypothesis of the open batch, leave git alone there, then run: autoresearch parallel close; or give it up: autoresearch parallel abort (`autoresearch status` names the trees)

    exit code 2
    --- stderr
    error: batch 2 is open
    hint: edit in the tree of each hypothesis of the open batch, leave git alone there, then run: autoresearch parallel close; or give it up: autoresearch parallel abort (`autoresearch status` names the trees)

    exit code 2
    --- stderr
    error: a batch is two or three hypotheses, and 1 was given
    hint: say -m for each: -m A -m B -m C

    exit code 2
    --- stderr
    error: a hypothesis is empty
    hint: say what each tree is for: -m A -m B

    exit code 2
    --- stderr
    error: -n asks for 3 hypotheses, and 2 are given
    hint: give -m once for each tree, or leave out -n
    ");
    bed.run(&ABORT).ok();
    leaves_nothing(&bed);
}

#[test]
fn edits_in_the_runs_own_tree_refuse_open_and_close_and_nothing_is_lost() {
    let bed = Testbed::started(&ConfigText::demo());
    bed.edit(4);
    let refused = bed.run(&OPEN).fails(2);
    bed.run(&["trial", "--drop"]).ok();
    bed.run(&OPEN).ok();
    put_any(&bed, 'a', "src/a", 4);
    bed.write("src/b", "mine\n");
    assert_answer!(told(&[refused, bed.run(&CLOSE).fails(2)]), @r#"
    exit code 2
    --- stderr
    error: there are unmeasured edits in the scope: src/a
    hint: nothing was changed. `autoresearch trial -m "what you changed"` measures them, `autoresearch trial --drop` undoes them; then open the batch

    exit code 2
    --- stderr
    error: there are unmeasured edits in the run's own tree, such as src/b
    hint: nothing was changed. Edit in the trees of the batch only: `autoresearch trial --drop` undoes these edits; then close the batch
    "#);
    assert_eq!(bed.read("src/b"), "mine\n");
    bed.run(&["trial", "--drop"]).ok();
    // The edits that were taken back twice have a number each.
    close(&bed).says("trial 3: keep");
    leaves_nothing(&bed);
}

#[test]
fn a_batch_that_is_given_up_counts_as_nothing_and_its_edits_stay_reachable() {
    let bed = edited(&ConfigText::demo().to_string());
    assert_answer!(bed.run(&ABORT).ok(), @r#"
    batch 1 was given up: nothing was measured, and it does not count; what was edited in a tree is in a reference such as `refs/autoresearch/demo/worker-1a`
      1a one
      1b two
      1c three
    next: change one thing in scope (src/**), leave git alone, then run: autoresearch trial -m "what you changed"
    "#);
    bed.run(&ABORT).fails(2).says("no batch is open");
    let at = |worker: &str, file: &str| {
        bed.git(&[
            "show",
            &format!("refs/autoresearch/demo/worker-{worker}:{file}"),
        ])
    };
    assert_eq!(at("1a", "src/a"), "any\n".repeat(4));
    assert_eq!(at("1b", "src/b"), "");
    let status = bed.run(&["status", "--json"]).ok().json();
    assert_eq!(
        (&status["iterations"], &status["failures"]),
        (&0.into(), &0.into())
    );
    // `stop` leaves an open one, and `finish` gives it up.
    bed.run(&OPEN).ok();
    put_any(&bed, 'c', "src/c", 1);
    bed.run(&["stop"]).ok();
    bed.run(&["finish"]).ok();
    assert_eq!(at("2c", "src/c"), "any\n");
    assert_eq!(bed.git(&["worktree", "list"]).lines().count(), 1);
}

/// A run whose verify gives another number in a work tree of a batch.
pub(super) fn without_batches() -> Testbed {
    let bed = Testbed::new();
    let runs = bed.home.join("runs");
    bed.write(
        "count.sh",
        &format!(
            "echo run >>{}\ncase $PWD in *-worker-?) echo 3; exit;; esac\ncat src/* | grep -c '^any$'\n",
            runs.display()
        ),
    );
    bed.git(&["commit", "-qam", "count"]);
    bed.start(&ConfigText::demo());
    bed
}

/// Refused once, with the reason; the second time at once, without a tree or a measurement.
#[test]
fn where_there_can_be_no_batch_that_is_said_once_and_the_run_goes_on() {
    let bed = without_batches();
    let runs = bed.home.join("runs");
    let first = bed.run(&OPEN).fails(4);
    let measured = std::fs::read_to_string(&runs).unwrap();
    let second = bed.run(&OPEN).fails(4);
    assert_eq!(std::fs::read_to_string(&runs).unwrap(), measured);
    assert_answer!(told(&[first, second]), @"
    exit code 4
    --- stderr
    error: hypotheses cannot be tried at once here: verify gives 3 in a tree of its own, and 10 in the run's: it depends on the place, or on files that git does not hold
    hint: nothing is open, and this run does not try it again: go on with one trial after the other

    exit code 4
    --- stderr
    error: hypotheses cannot be tried at once in this run: verify gives 3 in a tree of its own, and 10 in the run's: it depends on the place, or on files that git does not hold
    hint: go on with one trial after the other; a new run tries it again
    ");
    assert_eq!(bed.try_count(4), "keep");
    leaves_nothing(&bed);
}

#[test]
fn a_repository_with_submodules_has_no_batches() {
    let bed = Testbed::new();
    let inner = bed.home.join("inner");
    bed.git(&["init", "-q", inner.to_str().unwrap()]);
    let inside = |words: &[&str]| bed.git(&[&["-C", inner.to_str().unwrap()], words].concat());
    std::fs::write(inner.join("file"), "x\n").unwrap();
    inside(&["add", "-A"]);
    inside(&["commit", "-qm", "inner"]);
    bed.git(&[
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "--quiet",
        "add",
        inner.to_str().unwrap(),
        "vendor",
    ]);
    bed.git(&["commit", "-qam", "vendor"]);
    bed.start(&ConfigText::demo());
    assert_answer!(bed.run(&OPEN).fails(4), @"
    exit code 4
    --- stderr
    error: hypotheses cannot be tried at once here: the repository has submodules, which a work tree of its own would lack
    hint: nothing is open, and this run does not try it again: go on with one trial after the other
    ");
    assert_eq!(bed.try_count(4), "keep");
    leaves_nothing(&bed);
}

#[test]
fn a_config_that_asks_for_labels_has_no_batches() {
    let config = format!("{}required_labels: {{keep: [real]}}\n", ConfigText::demo());
    let bed = Testbed::started(&config);
    assert_answer!(bed.run(&OPEN).fails(2), @"
    exit code 2
    --- stderr
    error: the config requires labels for a keep, and a batch has none
    hint: try one hypothesis after the other
    ");
    leaves_nothing(&bed);
}

#[test]
fn a_close_under_other_rules_of_git_changes_nothing_and_goes_on_when_they_are_back() {
    let bed = Testbed::started(&ConfigText::demo());
    bed.run(&OPEN).ok();
    put_any(&bed, 'a', "src/a", 3);
    bed.git(&["config", "core.autocrlf", "input"]);
    let refused = bed.run(&CLOSE).fails(4);
    refused.says("core.autocrlf");
    assert_eq!(bed.git(&["status", "--short"]), "", "nothing was written");
    bed.git(&["config", "--unset", "core.autocrlf"]);
    close(&bed).says("trial 1: keep");
    leaves_nothing(&bed);
}
