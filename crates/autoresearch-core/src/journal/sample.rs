//! Owns small starts, decisions and records for the tests of the folds over a journal.
//! Does not exist outside tests.
//! Invariant: a kept trial of it has the commit `make_commit(trial)`, and a lower value is better.

use std::collections::BTreeMap;

use serde_json::json;

use crate::config::check_config;
use crate::decide::evidence::level::Side;
use crate::git_names::{CommitId, HeadTarget, RefName, TreeId};
use crate::journal::event::{
    Decision, Event, Guard, Intent, Record, Remeasured, Start, Verdict, Why,
};
use crate::journal::remeasured::NamedState;
use crate::journal::runs::{RunTime, imply_runs};
use crate::metric::definition::Format;
use crate::metric::measurement::{Measurement, Reading};
use crate::metric::unit::Unit;
use crate::metric::value::Value;

/// A hash for a commit that never was; its first seven digits tell the number.
pub(crate) fn make_commit(number: u32) -> CommitId {
    CommitId::parse(&format!("c{number:06}{:033}", 0)).unwrap()
}

/// The same for a tree.
pub(crate) fn make_tree(number: u32) -> TreeId {
    TreeId::parse(&format!("7{number:06}{:033}", 0)).unwrap()
}

pub(crate) fn make_measurement(value: i64) -> Measurement {
    Measurement {
        value: value.into(),
        metrics: BTreeMap::from([("n".to_owned(), value.into())]),
        missing: BTreeMap::new(),
        cases: crate::metric::cases::Cases::default(),
    }
}

/// The start of a run that lowers `n` from this value.
pub(crate) fn make_start(value: i64) -> Start {
    let document = json!({
        "goal": "less", "scope": ["src/**"], "metric": {"name": "n", "direction": "lower"},
        "verify": {"command": "./count"}, "guard": {"command": "./test"},
    });
    Start {
        format: 1,
        run: "less".to_owned(),
        id: "0".repeat(32),
        version: "0.0.0".to_owned(),
        started_ms: 0,
        config: check_config(&document).config.unwrap(),
        branch: RefName::of_trials("less"),
        origin: HeadTarget::Branch(RefName::of_branch("main")),
        base: make_commit(0),
        tree: make_tree(0),
        worktree: None,
        measurement: make_measurement(value),
        reading: None,
        samples: vec![value.into(), value.into()],
        guard: Guard::Pass,
        verify_ms: 1,
        environment: "test".to_owned(),
        until_ms: None,
        guard_retries: 0,
        reaction: None,
        holdout: None,
        runs: Vec::new(),
        incumbent_tree: None,
    }
}

/// A reading that shows the metric of the sample in a unit.
pub(crate) fn make_reading(unit: &str) -> Reading {
    Reading {
        format: Format::Number,
        units: BTreeMap::from([("n".to_owned(), Unit::from_text(unit))]),
    }
}

pub(crate) fn make_intent(trial: u32, attempt: u32) -> Intent {
    Intent {
        trial,
        attempt,
        message: format!("idea {trial}"),
        labels: Vec::new(),
        simplify: false,
        parent: make_commit(0),
        again: false,
        leaves_out: None,
        picks: None,
    }
}

/// A decision on a trial that was committed.
pub(crate) fn make_decision(trial: u32, verdict: Verdict, value: Option<i64>) -> Decision {
    let why = (verdict != Verdict::Keep).then_some(Why::WorseMetric);
    Decision {
        commit: Some(make_commit(trial)),
        tree: Some(make_tree(trial)),
        measurement: value.map(make_measurement),
        ..Decision::without_measurement(&make_intent(trial, 0), verdict, why)
    }
}

/// Runs of a trial's commit that somebody asked for, the first of which warms the tree up.
pub(crate) fn make_remeasured(trial: u32, values: &[i64]) -> Remeasured {
    let values: Vec<Value> = values.iter().map(|value| (*value).into()).collect();
    let first = RunTime {
        at_ms: 0,
        took_ms: 10,
    };
    Remeasured {
        state: NamedState::Trial,
        trial,
        commit: make_commit(trial),
        verify_runs: u32::try_from(values.len()).unwrap() + 1,
        runs: imply_runs(Side::Incumbent, &values, first),
        why: None,
    }
}

/// The events as records, one a second.
pub(crate) fn make_records(events: impl IntoIterator<Item = Event>) -> Vec<Record> {
    let record = |(seq, event)| Record {
        seq,
        prev: String::new(),
        at: format!("2026-01-01T00:00:{seq:02}Z"),
        event,
    };
    (0..).zip(events).map(record).collect()
}
