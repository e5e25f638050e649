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
