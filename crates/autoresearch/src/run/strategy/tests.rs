//! Every line that the answer of `strategy` can have, and what programs get of it.

use insta::assert_snapshot;

use super::*;

fn make_report() -> StrategyReport {
    StrategyReport {
        run: "fewer-any".to_owned(),
        logged: "pivot",
        failures: 0,
        pivots: 1,
        warning: None,
        end: None,
        due: "trial",
        next: "next: change one thing".to_owned(),
    }
}

#[test]
fn a_logged_strategy_says_how_far_down_the_ladder_the_run_is() {
    assert_snapshot!(make_report(), @"
    pivot logged; 0 failed since, 1 pivot without a keep
    next: change one thing
    ");
}

#[test]
fn the_last_pivot_warns_of_the_end() {
    let report = StrategyReport {
        pivots: 2,
        failures: 1,
        warning: Some("2 pivots without a keep: one more pivot ends the run".to_owned()),
        ..make_report()
    };
    assert_snapshot!(report, @"
    pivot logged; 1 failed since, 2 pivots without a keep
    warning: 2 pivots without a keep: one more pivot ends the run
    next: change one thing
    ");
}

#[test]
fn programs_get_every_field_of_a_strategy() {
    assert_snapshot!(serde_json::to_string_pretty(&make_report()).unwrap(), @r#"
    {
      "run": "fewer-any",
      "logged": "pivot",
      "failures": 0,
      "pivots": 1,
      "warning": null,
      "end": null,
      "due": "trial",
      "next": "next: change one thing"
    }
    "#);
}
