//! Every line that the answer of `raise` can have, and what programs get of it.

use insta::assert_snapshot;

use super::*;

fn make_report() -> RaiseReport {
    RaiseReport {
        run: "fewer-any".to_owned(),
        reopened: true,
        iterations: Some(80),
        iterations_used: 50,
        time_limit_ms: Some(12 * 3_600_000),
        until_ms: Some(0),
        tokens: Some(4_000_000),
        verify_runs: Some(900),
        due: "trial",
        next: "next: change one thing".to_owned(),
    }
}

#[test]
fn every_limit_that_is_set_has_a_line_and_a_run_that_had_ended_is_open_again() {
    let text = make_report().to_string();
    let text = text.replace(&autoresearch_sys::env::clock_text(0), "<time>");
    assert_snapshot!(text, @"
    run `fewer-any`: it had ended, and is open again
      trials      50 of 80
      time        12h since the start
      until       <time>
      tokens      4000000
      verify runs 900
    next: change one thing
    ");
}

#[test]
fn limits_that_are_not_set_have_no_line_and_trials_without_a_limit_say_so() {
    let report = RaiseReport {
        reopened: false,
        iterations: None,
        time_limit_ms: None,
        until_ms: None,
        tokens: None,
        verify_runs: None,
        ..make_report()
    };
    assert_snapshot!(report, @"
    run `fewer-any`
      trials      50
    next: change one thing
    ");
}

#[test]
fn programs_get_every_limit() {
    assert_snapshot!(serde_json::to_string_pretty(&make_report()).unwrap(), @r#"
    {
      "run": "fewer-any",
      "reopened": true,
      "iterations": 80,
      "iterations_used": 50,
      "time_limit_ms": 43200000,
      "until_ms": 0,
      "tokens": 4000000,
      "verify_runs": 900,
      "due": "trial",
      "next": "next: change one thing"
    }
    "#);
}
