//! Every line that the answer of `status` can have, and what programs get of it.

use insta::assert_snapshot;

use super::*;

fn make_report() -> StatusReport {
    StatusReport {
        percent: Some("-13 %".to_owned()),
        run: "fewer-any".to_owned(),
        goal: "remove every any".to_owned(),
        state: "active",
        end: None,
        why: None,
        metric: "any".to_owned(),
        direction: "lower",
        target: Some(0.into()),
        baseline: 47.into(),
        incumbent: 41.into(),
        unit: Unit::from_text("ms"),
        metrics: BTreeMap::from([("lines".to_owned(), 120.into())]),
        incumbent_trial: 2,
        incumbent_commit: CommitId::parse(&"01234567".repeat(5)).unwrap(),
        deterministic: true,
        iterations: 6,
        iterations_limit: Some(50),
        keep: 2,
        discard: 2,
        crash: 1,
        no_op: 1,
        interrupted: 0,
        failures: 3,
        pivots: 1,
        branch: "autoresearch/fewer-any".to_owned(),
        holder: None,
        under_way: None,
        batch: None,
        obstacle: None,
        due: "trial",
        next: "next: change one thing".to_owned(),
        started_ms: 0,
        age_ms: 3_723_456,
        values: vec![47.0, 44.0, 44.0, 41.0],
        width: 0,
    }
}

/// The line with the time of day, which depends on the machine's zone, says the same everywhere here.
fn show(report: &StatusReport) -> String {
    let text = report.to_string();
    text.replace(&clock_text(0), "<time>")
}

#[test]
fn a_run_that_nobody_works_on_shows_its_values_trials_and_ladder() {
    assert_snapshot!(show(&make_report()), @"
    run `fewer-any`: remove every any
      active    no process works on it now
      started   <time>, 1h2m ago
      metric    any (lower is better)
      start     47 ms
      best      41 ms (-13 %) from trial 2, commit 0123456, target 0 ms
      also      lines=120
      trials    6 of 50: 2 keep, 2 discard, 1 crash, 1 no-op
      ladder    3 failed in a row, 1 pivot without a keep
      branch    autoresearch/fewer-any
    next: change one thing
    ");
}

#[test]
fn a_run_that_somebody_works_on_says_who_and_what_is_being_done() {
    let report = StatusReport {
        state: "running",
        holder: Some("process 7 (`trial`)".to_owned()),
        under_way: Some(UnderWay {
            pid: Some(7),
            command: "trial".to_owned(),
            trial: Some(4),
            phase: Some("guard"),
            verify_run: None,
            phase_ms: Some(900),
            elapsed_ms: Some(65_000),
        }),
        deterministic: false,
        target: None,
        metrics: BTreeMap::new(),
        ..make_report()
    };
    assert_snapshot!(show(&report), @"
    run `fewer-any`: remove every any
      running   process 7 (`trial`)
      now       trial 4 is being measured: guard for 0s, 1m5s in all
      started   <time>, 1h2m ago
      metric    any (lower is better, noisy)
      start     47 ms
      best      41 ms (-13 %) from trial 2, commit 0123456
      trials    6 of 50: 2 keep, 2 discard, 1 crash, 1 no-op
      ladder    3 failed in a row, 1 pivot without a keep
      branch    autoresearch/fewer-any
    next: change one thing
    ");
}

#[test]
fn a_run_that_ended_shows_its_end_with_odd_letters_escaped_and_interrupted_trials_are_counted() {
    let report = StatusReport {
        state: "ended",
        end: Some("blocked"),
        why: Some("the key\nhas expired".to_owned()),
        interrupted: 2,
        iterations_limit: None,
        ..make_report()
    };
    assert_snapshot!(show(&report), @r#"
    run `fewer-any`: remove every any
      ended     blocked (the key\nhas expired)
      started   <time>, 1h2m ago
      metric    any (lower is better)
      start     47 ms
      best      41 ms (-13 %) from trial 2, commit 0123456, target 0 ms
      also      lines=120
      trials    6: 2 keep, 2 discard, 1 crash, 1 no-op, 2 interrupted
      ladder    3 failed in a row, 1 pivot without a keep
      branch    autoresearch/fewer-any
    next: change one thing
    "#);
}

#[test]
fn what_stands_in_the_way_is_said_before_the_values() {
    let report = StatusReport {
        obstacle: Some("HEAD is at another branch".to_owned()),
        ..make_report()
    };
    let text = show(&report);
    assert_eq!(
        text.lines().nth(3),
        Some("  obstacle  HEAD is at another branch")
    );
}

#[test]
fn the_plot_is_for_a_terminal_alone_and_no_wider_than_it() {
    let plain = show(&make_report()).lines().count();
    for width in [20, 40, 80, 300] {
        let report = StatusReport {
            width,
            ..make_report()
        };
        let text = show(&report);
        assert!(text.lines().count() > plain, "{text}");
        let plotted = text
            .lines()
            .filter(|line| line.contains('│') || line.contains('┤'));
        for line in plotted {
            assert!(line.chars().count() <= width.min(80), "{width}: {line}");
        }
    }
}

#[test]
fn programs_get_every_count_and_not_the_plot() {
    assert_snapshot!(serde_json::to_string_pretty(&make_report()).unwrap(), @r#"
    {
      "run": "fewer-any",
      "goal": "remove every any",
      "state": "active",
      "end": null,
      "why": null,
      "metric": "any",
      "direction": "lower",
      "target": 0,
      "baseline": 47,
      "incumbent": 41,
      "percent": "-13 %",
      "unit": "ms",
      "metrics": {
        "lines": 120
      },
      "incumbent_trial": 2,
      "incumbent_commit": "0123456701234567012345670123456701234567",
      "deterministic": true,
      "iterations": 6,
      "iterations_limit": 50,
      "keep": 2,
      "discard": 2,
      "crash": 1,
      "no_op": 1,
      "interrupted": 0,
      "failures": 3,
      "pivots": 1,
      "branch": "autoresearch/fewer-any",
      "holder": null,
      "under_way": null,
      "obstacle": null,
      "due": "trial",
      "next": "next: change one thing",
      "started_ms": 0
    }
    "#);
}

#[test]
fn the_word_for_the_state_is_ended_before_it_is_running() {
    let words = [(false, false), (false, true), (true, false), (true, true)]
        .map(|(ended, held)| state_word(ended, held));
    assert_eq!(words, ["active", "running", "ended", "ended"]);
}
