//! A crash before every step of opening, closing and giving up a batch: nothing is lost, and the same command comes to the
//! same end.

use std::collections::BTreeSet;

use super::{ABORT, CLOSE, OPEN, edited, leaves_nothing, put, put_any, tree};
use crate::config_text::ConfigText;
use crate::crash::{Saved, steps_of};
use crate::testbed::Testbed;

/// `concurrent` measuring meets its steps in any order, so a crash is named by the number of a step in serial measuring.
fn serial() -> String {
    format!(
        "{}parallel: {{measuring: serial, stack: true}}\n",
        ConfigText::demo()
    )
}

fn crash(bed: &Testbed, words: &[&str], step: usize) {
    let crashed = bed.run_with(words, &[("SEALED_CRASH_AT", &step.to_string())]);
    assert_eq!(crashed.code, -1, "step {step} of {words:?}: {crashed:?}");
}

/// The next command repairs what a crash left, and nobody finds a fault.
fn repairs(bed: &Testbed, place: &str) {
    let resumed = bed.run(&["resume"]);
    assert_eq!(resumed.code, 0, "{place}: {resumed:?}");
    let doctor = bed.run(&["doctor"]);
    assert_eq!(doctor.code, 0, "{place}: {doctor:?}");
}

/// A batch in which the guard fails where the best was picked, the next one is kept, and one more goes on top of it.
fn eventful() -> Testbed {
    let bed = Testbed::new();
    bed.write(
        "guard.sh",
        "case $PWD in *-worker-?) exit 0;; esac\n! grep -q elsewhere src/a\n",
    );
    bed.git(&["commit", "-qam", "guard"]);
    bed.start(&serial());
    bed.run(&OPEN).ok();
    put(&bed, 'a', "src/a", "elsewhere\n");
    put_any(&bed, 'b', "src/b", 0);
    put_any(&bed, 'c', "src/c", 1);
    bed
}

#[test]
fn a_crash_at_every_step_of_an_open_leaves_no_batch_or_a_whole_one() {
    let bed = Testbed::started(&serial());
    let before = Saved::of(&bed, "before");
    let steps = steps_of(&bed, &OPEN);
    assert!(steps.contains(&"worker tree".to_owned()), "{steps:?}");
    for step in 1..=steps.len() {
        let place = format!("open: crash before step {step}, {}", steps[step - 1]);
        before.lay_back(&bed);
        crash(&bed, &OPEN, step);
        repairs(&bed, &place);
        if bed.run(&["status", "--json"]).ok().json()["due"] != "batch" {
            let opened = bed.run(&OPEN);
            assert_eq!(opened.code, 0, "{place}: {opened:?}");
        }
        put_any(&bed, 'b', "src/b", 0);
        let closed = bed.run(&CLOSE);
        assert_eq!(closed.code, 0, "{place}: {closed:?}");
        assert!(closed.out.contains("trial 1: keep"), "{place}: {closed:?}");
        leaves_nothing(&bed);
    }
}

#[test]
fn a_crash_at_every_step_of_a_close_comes_to_the_same_end() {
    let bed = eventful();
    let before = Saved::of(&bed, "before");
    let steps: Vec<String> = steps_of(&bed, &CLOSE);
    let wanted = [
        "worker commit",
        "verify of a worker",
        "git merge",
        "git write",
        "journal batch-end",
    ];
    for step in wanted {
        assert!(steps.iter().any(|met| met == step), "{step}: {steps:?}");
    }
    let ends = |bed: &Testbed| {
        let rows = bed.story();
        let last: BTreeSet<String> = rows
            .into_iter()
            .filter(|row| !row.ends_with("interrupted"))
            .collect();
        (
            last,
            bed.read("src/a"),
            bed.read("src/b"),
            bed.read("src/c"),
        )
    };
    for step in 1..=steps.len() {
        let place = format!("close: crash before step {step}, {}", steps[step - 1]);
        before.lay_back(&bed);
        crash(&bed, &CLOSE, step);
        repairs(&bed, &place);
        if bed.run(&["status", "--json"]).ok().json()["due"] == "batch" {
            let closed = bed.run(&CLOSE);
            assert_eq!(closed.code, 0, "{place}: {closed:?}");
        }
        let (rows, a, b, c) = ends(&bed);
        assert_eq!(
            (a.as_str(), b.as_str(), c.as_str()),
            ("any\nany\nany\nany\nany\n", "", "any\n"),
            "{place}: {rows:?}"
        );
        let keeps = rows.iter().filter(|row| row.ends_with(" keep")).count();
        assert_eq!(keeps, 2, "{place}: {rows:?}");
        let status = bed.run(&["status", "--json"]).ok().json();
        assert_eq!(status["incumbent"], 6, "{place}: {status}");
        assert_eq!(status["iterations"], 1, "{place}: {status}");
        assert_eq!(bed.git(&["status", "--porcelain"]), "", "{place}");
        leaves_nothing(&bed);
    }
}

#[test]
fn a_crash_at_every_step_of_giving_up_keeps_the_edits_reachable() {
    let bed = edited(&serial());
    let before = Saved::of(&bed, "before");
    let steps = steps_of(&bed, &ABORT);
    for step in 1..=steps.len() {
        let place = format!("abort: crash before step {step}, {}", steps[step - 1]);
        before.lay_back(&bed);
        crash(&bed, &ABORT, step);
        repairs(&bed, &place);
        if bed.run(&["status", "--json"]).ok().json()["due"] == "batch" {
            let aborted = bed.run(&ABORT);
            assert_eq!(aborted.code, 0, "{place}: {aborted:?}");
        }
        for (worker, file, text) in [
            ("1a", "src/a", "any\n".repeat(4)),
            ("1b", "src/b", String::new()),
        ] {
            let name = format!("refs/autoresearch/demo/worker-{worker}:{file}");
            let found = bed.try_git(&["show", &name]);
            assert_eq!(found.out, text, "{place}: {found:?}");
        }
        leaves_nothing(&bed);
    }
}

/// The steps that these tests crash at.
pub(crate) fn list_steps() -> BTreeSet<String> {
    let bed = Testbed::started(&serial());
    let mut met: BTreeSet<String> = steps_of(&bed, &OPEN).into_iter().collect();
    put_any(&bed, 'b', "src/b", 0);
    assert!(tree(&bed, 'b').join("src/b").exists());
    met.extend(steps_of(&bed, &CLOSE));
    let bed = super::refusals::without_batches();
    let file = bed.home.join("steps");
    bed.run_with(&OPEN, &[("SEALED_STEPS", file.to_str().unwrap())])
        .fails(4);
    let text = std::fs::read_to_string(&file).unwrap();
    met.extend(text.lines().map(ToOwned::to_owned));
    met
}
