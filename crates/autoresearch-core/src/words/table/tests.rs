//! Every kind of row, whole, and the seven columns that each has whatever was typed.

use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

use super::*;
use crate::config::SuspectPattern;
use crate::decide::why::{CommandFailure, Why};
use crate::journal::event::{Guard, Verdict};
use crate::journal::sample::{make_commit, make_decision, make_remeasured, make_start};

fn list_rows() -> Vec<Row> {
    let mut kept = make_decision(1, Verdict::Keep, Some(40));
    kept.labels = vec!["real".to_owned(), "fast".to_owned()];
    kept.delta = Some((-7).into());
    kept.guard = Guard::Pass;
    kept.guard_retries = 1;
    let measurement = kept.measurement.as_mut().unwrap();
    measurement.metrics.insert("heap".to_owned(), 12.into());
    let mut jumped = make_decision(2, Verdict::Keep, Some(1));
    jumped.jump = true;
    let mut suspect = make_decision(3, Verdict::Keep, Some(0));
    suspect.jump = true;
    let place = |line| Suspicion {
        pattern: SuspectPattern::KeepsState,
        file: "src/a.py".to_owned(),
        line,
    };
    suspect.suspects = (1..=4).map(place).collect();
    suspect.suspects.push(Suspicion {
        pattern: SuspectPattern::KnowsInput,
        ..place(5)
    });
    let mut failed = make_decision(3, Verdict::Discard, Some(39));
    failed.guard = Guard::Fail;
    failed.why = Some(Why::GuardFailed(CommandFailure::Exit { status: 1 }));
    let mut crashed = make_decision(4, Verdict::Crash, None);
    crashed.why = Some(Why::NoMetric("verify printed nothing on stdout".to_owned()));
    let cut = |saved| Interruption {
        trial: 5,
        message: "cut".to_owned(),
        head: make_commit(2),
        saved,
        verify_runs: 0,
    };
    vec![
        make_baseline_row(&make_start(47)),
        make_trial_row(&kept, "n"),
        make_trial_row(&jumped, "n"),
        make_trial_row(&suspect, "n"),
        make_trial_row(&failed, "n"),
        make_trial_row(&crashed, "n"),
        make_interrupted_row(&cut(Some(make_commit(5)))),
        make_interrupted_row(&cut(None)),
        make_remeasured_row(&make_remeasured(2, &[1, 3])),
        make_remark_row("pivot", "another\tway"),
    ]
}

#[test]
fn the_table_has_a_head_and_a_line_for_each_row() {
    let lines: String = list_rows().iter().map(format_line).collect();
    insta::assert_snapshot!(format_header(&make_start(47)) + &lines);
}

#[test]
fn in_json_a_number_is_a_number_and_what_is_none_is_null() {
    let rows = list_rows();
    let kept = serde_json::to_value(&rows[1]).unwrap();
    assert_eq!(kept["iteration"], 1);
    assert_eq!(kept["delta"], -7);
    assert_eq!(kept["metrics"]["heap"], 12);
    assert!(
        kept["metrics"].get("n").is_none(),
        "the metric has a column"
    );
    let remark = serde_json::to_value(rows.last().unwrap()).unwrap();
    assert!(remark["iteration"].is_null() && remark["delta"].is_null());
    assert!(remark.get("metrics").is_none());
}

#[test]
fn every_row_has_a_status_that_the_log_can_be_filtered_by() {
    for row in list_rows() {
        assert!(STATUSES.contains(&row.status), "{}", row.status);
    }
}

proptest! {
    #[test]
    fn any_description_makes_one_line_of_seven_columns(text in "(?s).{0,60}") {
        let line = format_line(&make_remark_row("refine", &text));
        prop_assert_eq!(line.matches('\t').count(), 6);
        prop_assert_eq!(line.lines().count(), 1);
        prop_assert!(!line.trim_end().chars().any(|letter| letter.is_control() && letter != '\t'));
    }

    #[test]
    fn any_words_in_a_config_keep_the_head_of_the_table_in_its_lines(goal in "(?s).{0,60}", run in "(?s).{0,20}") {
        let mut start = make_start(47);
        let lines = format_header(&start).lines().count();
        start.config.goal = goal;
        start.run = run;
        let header = format_header(&start);
        prop_assert_eq!(header.lines().count(), lines);
        let columns = COLUMNS.join("\t");
        prop_assert_eq!(header.lines().last(), Some(columns.as_str()));
    }
}

#[test]
fn what_a_person_allowed_to_be_suspect_stands_in_the_first_row() {
    let mut start = make_start(47);
    start.config.allow_suspect = vec![SuspectPattern::KeepsState, SuspectPattern::ReadsFrames];
    let row = make_baseline_row(&start);
    assert!(
        row.description
            .ends_with("; code may be suspect of: keeps-state, reads-frames"),
        "{}",
        row.description
    );
}
