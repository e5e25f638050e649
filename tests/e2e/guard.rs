//! The guard: never a keep without it, and a rework at most twice.

use crate::config_text::ConfigText;
use crate::shown::assert_answer;
use crate::testbed::{CONFIG, Testbed};

fn break_guard(bed: &Testbed) -> serde_json::Value {
    bed.edit(1);
    bed.write("src/state", "broken\n");
    bed.trial("better, but broken")
}

#[test]
fn a_failed_guard_awaits_a_rework_that_can_become_a_keep() {
    let bed = Testbed::started(CONFIG);
    let report = break_guard(&bed);
    assert_eq!(
        (
            report["verdict"].as_str(),
            report["due"].as_str(),
            report["value"].as_u64()
        ),
        (Some("rework"), Some("rework"), Some(6))
    );
    assert_eq!(bed.rows().len(), 1, "a trial that waits has no row yet");
    assert_answer!(bed.run(&["trial", "-m", "another idea"]), @"
    exit code 2
    --- stderr
    error: trial 1 waits for a rework: its guard failed
    hint: `autoresearch trial --rework -m MSG` measures it again, `autoresearch trial --drop` gives it up
    ");
    assert_answer!(bed.run(&["trial", "--rework", "-m", "nothing"]), @"
    exit code 2
    --- stderr
    error: nothing was changed since the guard failed
    hint: fix it first, or give it up: autoresearch trial --drop. If the guard is flaky, autoresearch trial --again measures the same commit again
    ");
    assert_answer!(bed.run(&["strategy", "refine", "-m", "x"]), @r#"
    exit code 2
    --- stderr
    error: trial 1 waits for a rework
    hint: fix what the guard found without losing the gain (2 of 2 reworks left), then run: autoresearch trial --rework -m "what you fixed"; or give it up: autoresearch trial --drop
    "#);
    bed.write("src/state", "ok\n");
    let report = bed
        .run(&["trial", "--rework", "-m", "mended", "--json"])
        .ok()
        .json();
    assert_eq!(
        (report["verdict"].as_str(), report["trial"].as_u64()),
        (Some("keep"), Some(1))
    );
    assert_eq!(bed.rows()[1][6], "better, but broken; rework: mended");
    assert_eq!(bed.run_commits("autoresearch/demo").len(), 2);
}

#[test]
fn a_third_failed_guard_is_a_discard() {
    let bed = Testbed::started(CONFIG);
    let before = bed.fingerprint();
    break_guard(&bed);
    for (attempt, verdict) in [(1, "rework"), (2, "discard")] {
        bed.write("src/state", &format!("still broken {attempt}\n"));
        let report = bed
            .run(&["trial", "--rework", "-m", "mend", "--json"])
            .ok()
            .json();
        assert_eq!(report["verdict"], verdict);
        assert_eq!(report["reason"], "guard-failed");
    }
    assert_eq!(bed.rows()[1][4], "fail");
    assert_eq!(bed.fingerprint(), before);
    assert_answer!(bed.run(&["trial", "--rework", "-m", "again"]), @"
    exit code 2
    --- stderr
    error: no trial waits for a rework
    hint: leave out --rework
    ");
}

#[test]
fn a_rework_that_loses_the_gain_is_a_discard() {
    let bed = Testbed::started(CONFIG);
    break_guard(&bed);
    bed.edit(5);
    bed.write("src/state", "ok\n");
    let report = bed
        .run(&["trial", "--rework", "-m", "mended by undoing", "--json"])
        .ok()
        .json();
    assert_eq!(
        (report["verdict"].as_str(), report["reason"].as_str()),
        (Some("discard"), Some("tie"))
    );
}

#[test]
fn a_rework_can_be_given_up() {
    let bed = Testbed::started(CONFIG);
    let before = bed.fingerprint();
    break_guard(&bed);
    bed.edit(0);
    let report = bed.run(&["trial", "--drop", "--json"]).ok().json();
    assert_eq!(
        (report["verdict"].as_str(), report["reason"].as_str()),
        (Some("discard"), Some("dropped"))
    );
    assert_eq!(bed.fingerprint(), before);
    assert_eq!(
        bed.rows()[1][4..6],
        ["fail".to_owned(), "discard".to_owned()]
    );
}

#[test]
fn edits_that_were_never_measured_can_be_dropped_and_stay_reachable() {
    let bed = Testbed::started(CONFIG);
    let before = bed.fingerprint();
    bed.edit(2);
    bed.write("src/new file", "x");
    let report = bed.run(&["trial", "--drop", "--json"]).ok().json();
    assert_eq!(report["verdict"], "dropped");
    assert_eq!(bed.fingerprint(), before);
    assert_eq!(
        bed.git(&["show", "refs/autoresearch/demo/interrupted-1:src/new file"]),
        "x"
    );
    assert_answer!(bed.run(&["trial", "--drop"]), @"
    exit code 2
    --- stderr
    error: there is nothing to drop: no file in the scope was changed
    ");
    assert_eq!(bed.run(&["status", "--json"]).ok().json()["failures"], 0);
}

#[test]
fn the_guard_does_not_run_when_the_metric_is_not_better() {
    let bed = Testbed::new();
    let marker = bed.home.join("guard-ran");
    bed.write("guard.sh", &format!("echo x >> {}\n", marker.display()));
    bed.git(&["commit", "-qam", "guard"]);
    bed.start(CONFIG);
    bed.try_count(9);
    bed.try_count(4);
    assert_eq!(
        std::fs::read_to_string(marker).unwrap().lines().count(),
        2,
        "once at start, once for the keep"
    );
}

#[test]
fn a_guard_that_times_out_has_failed() {
    let bed = Testbed::new();
    bed.write("guard.sh", "grep -qx ok src/state || sleep 1000\n");
    bed.git(&["commit", "-qam", "guard"]);
    bed.start(&ConfigText::demo().guard_with("timeout", "3s"));
    let report = break_guard(&bed);
    assert_eq!(report["verdict"], "rework");
    assert_answer!(report["detail"].as_str().unwrap(), @"the guard failed: timed out after 3s");
}
