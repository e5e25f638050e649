//! The ladder out of a dead end: obligations that cannot be forgotten.

use crate::testbed::{CONFIG, Testbed};

/// One failing trial; returns what is due and the end.
fn fail(bed: &Testbed, count: usize) -> (String, Option<String>) {
    bed.edit(count);
    let report = bed.trial("worse");
    assert_ne!(report["verdict"], "keep");
    (
        report["due"].as_str().unwrap().to_owned(),
        report["end"].as_str().map(ToOwned::to_owned),
    )
}

#[test]
fn fifteen_failed_trials_walk_the_ladder_and_end_in_needs_human() {
    let bed = Testbed::started(CONFIG);
    let mut walk = Vec::new();
    for trial in 1..=15 {
        let (due, end) = fail(&bed, 6 + trial % 3);
        if due != "trial" {
            walk.push(format!("{trial} {due}"));
        }
        if end.is_none() && due != "trial" {
            bed.edit(1);
            bed.run(&["trial", "-m", "the obligation is skipped"])
                .fails(2)
                .says("is due before the next trial");
            bed.git(&["checkout", "-q", "--", "src"]);
            bed.run(&["strategy", &due, "-m", "reason and plan"]).ok();
        }
        assert_eq!(end.is_some(), trial == 15);
    }
    assert_eq!(
        walk,
        [
            "3 refine",
            "5 pivot",
            "8 refine",
            "10 search",
            "13 refine",
            "15 finish"
        ]
    );
    let status = bed.run(&["status", "--json"]).ok().json();
    assert_eq!(status["end"], "needs-human");
    let story = bed.story();
    assert_eq!(story.len(), 1 + 15 + 5);
    assert_eq!(story[4], "- refine");
    bed.edit(1);
    bed.run(&["trial", "-m", "one more"])
        .fails(2)
        .says("needs-human");
}

#[test]
fn a_keep_in_between_resets_the_ladder() {
    let bed = Testbed::started(CONFIG);
    for _ in 0..4 {
        let (due, _) = fail(&bed, 9);
        if due == "refine" {
            bed.run(&["strategy", "refine", "-m", "adjust"]).ok();
        }
    }
    assert_eq!(bed.try_count(4), "keep");
    let status = bed.run(&["status", "--json"]).ok().json();
    assert_eq!(
        (status["failures"].as_u64(), status["pivots"].as_u64()),
        (Some(0), Some(0))
    );
    for expected in ["trial", "trial", "refine"] {
        assert_eq!(fail(&bed, 9).0, expected);
    }
}

#[test]
fn a_row_that_hides_what_is_due_is_refused() {
    let bed = Testbed::started(CONFIG);
    for trial in 1..=5 {
        let (due, _) = fail(&bed, 9);
        if trial == 3 {
            assert_eq!(due, "refine");
            bed.run(&["strategy", "search", "-m", "x"])
                .fails(2)
                .says("a refine is due");
            bed.run(&["strategy", "refine", "-m", "adjust"]).ok();
        }
    }
    bed.run(&["strategy", "refine", "-m", "x"])
        .fails(2)
        .says("a pivot is due");
    bed.run(&["strategy", "pivot", "-m", " "])
        .fails(2)
        .says("message is empty");
    let answer = bed
        .run(&["strategy", "pivot", "-m", "another way", "--json"])
        .ok()
        .json();
    assert_eq!(
        (
            answer["failures"].as_u64(),
            answer["pivots"].as_u64(),
            answer["due"].as_str()
        ),
        (Some(0), Some(1), Some("trial"))
    );
}

#[test]
fn block_ends_the_run_with_its_reason_in_the_log() {
    let bed = Testbed::started(CONFIG);
    let report = bed
        .run(&["strategy", "block", "-m", "the key has expired", "--json"])
        .ok()
        .json();
    assert_eq!(report["end"], "blocked");
    assert_eq!(bed.rows().last().unwrap()[5], "blocked");
    assert_eq!(bed.rows().last().unwrap()[6], "the key has expired");
    // Stop does not rewrite the reason of a run that has ended.
    bed.run(&["stop", "-m", "later"]).ok();
    assert_eq!(bed.run(&["status", "--json"]).ok().json()["end"], "blocked");
}

#[test]
fn a_ladder_that_is_off_or_advises_refuses_nothing_and_ends_nothing() {
    for (mode, told) in [("off", false), ("advise", true)] {
        let bed = Testbed::started(&format!("{CONFIG}ladder: {mode}\n"));
        for trial in 1..=16 {
            let (due, end) = fail(&bed, 6 + trial % 3);
            assert_eq!(
                (due.as_str(), end),
                ("trial", None),
                "{mode}: trial {trial}"
            );
        }
        let next = bed.run(&["status", "--json"]).ok().json()["next"].to_string();
        let advice = "(advice: 16 trials in a row and 0 pivots without a keep: choose another strategy) change one thing";
        assert_eq!(next.contains(advice), told, "{mode}: {next}");
        // Rows of one's own accord are logged as ever, and never end the run.
        for _ in 0..4 {
            let row = bed
                .run(&["strategy", "pivot", "-m", "another", "--json"])
                .ok()
                .json();
            assert!(
                row["end"].is_null() && row["warning"].is_null(),
                "{mode}: {row}"
            );
        }
    }
    Testbed::new()
        .try_start(&format!("{CONFIG}ladder: maybe\n"))
        .fails(3)
        .says("use one of `off`, `advise`, `enforce`");
}

#[test]
fn a_pivot_that_nobody_asked_for_warns_before_the_next_one_ends_the_run() {
    let bed = Testbed::started(CONFIG);
    let pivot = || {
        bed.run(&["strategy", "pivot", "-m", "another", "--json"])
            .ok()
            .json()
    };
    assert!(pivot()["warning"].is_null());
    let second = pivot();
    assert_eq!(
        second["warning"],
        "2 pivots without a keep: one more pivot ends the run (needs-human), and so do 5 failed trials"
    );
    assert!(second["end"].is_null());
    assert_eq!(pivot()["end"], "needs-human");
    // A keep in between, and a pivot that was due, are no reason to warn.
    let bed = Testbed::started(CONFIG);
    bed.run(&["strategy", "pivot", "-m", "one"]).ok();
    assert_eq!(bed.try_count(4), "keep");
    let row = bed
        .run(&["strategy", "pivot", "-m", "two", "--json"])
        .ok()
        .json();
    assert!(row["warning"].is_null(), "{row}");
    let text = bed.run(&["strategy", "pivot", "-m", "three"]).ok().out;
    assert!(text.contains("warning: 2 pivots without a keep"), "{text}");
}

#[test]
fn a_trial_without_an_edit_costs_a_person_nothing_and_an_agent_a_row() {
    let bed = Testbed::started(CONFIG);
    for _ in 0..4 {
        let answer = bed.run(&["trial", "-m", "forgot to save"]).ok();
        assert!(answer.out.contains("trial 1: no-op"), "{answer:?}");
        assert!(
            answer
                .out
                .contains("nothing was measured, and nothing was logged")
        );
    }
    assert_eq!(bed.story(), ["0 baseline"]);
    let status = bed.run(&["status", "--json"]).ok().json();
    assert_eq!(
        (status["failures"].as_u64(), status["iterations"].as_u64()),
        (Some(0), Some(0))
    );
    assert_eq!(bed.try_count(4), "keep");
    // An agent, with a session or without one, has to learn that it leads nowhere.
    bed.agent("s1", &["trial", "-m", "nothing"]).ok();
    assert_eq!(bed.agents_trial("nothing again")["verdict"], "no-op");
    assert_eq!(bed.story(), ["0 baseline", "1 keep", "2 no-op", "3 no-op"]);
    let status = bed.run(&["status", "--json"]).ok().json();
    assert_eq!(status["failures"], 2);
}
