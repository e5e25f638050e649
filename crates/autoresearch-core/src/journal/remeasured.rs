//! Owns `Remeasured`: runs of a state of the run that somebody asked for again, as the journal holds them.
//! Does not measure, and judges nothing.
//! Invariant: runs of the kept state join the evidence; those of any other state are only told.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::git_names::CommitId;
use crate::journal::runs::RecordedRun;
use crate::metric::value::Value;
use crate::words::text::{escape_text, format_count};

/// Which state was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NamedState {
    /// What a trial must beat.
    Incumbent,
    /// The commit that the run started from.
    Start,
    /// The commit of a trial, whatever became of it.
    Trial,
}

/// Runs of one state, one after the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remeasured {
    pub state: NamedState,
    /// The trial that made it; 0 for the start.
    pub trial: u32,
    pub commit: CommitId,
    pub runs: Vec<RecordedRun>,
    /// Runs of verify that it took, also those that are no measurement.
    pub verify_runs: u32,
    /// Why the last one gave no number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

impl Remeasured {
    #[must_use]
    pub fn list_values(&self) -> Vec<Value> {
        self.runs.iter().map(|run| run.value.clone()).collect()
    }

    #[must_use]
    pub fn find_median(&self) -> Option<Value> {
        Value::median_of(&self.list_values())
    }

    /// The lowest and the highest value.
    #[must_use]
    pub fn find_ends(&self) -> Option<(Value, Value)> {
        let values = self.list_values();
        Some((values.iter().min()?.clone(), values.iter().max()?.clone()))
    }

    /// The state as people call it: `the kept state (trial 2)`.
    #[must_use]
    pub fn describe_state(&self) -> String {
        match (self.state, self.trial) {
            (NamedState::Start, _) => "the start".to_owned(),
            (NamedState::Incumbent, 0) => "the kept state (the start)".to_owned(),
            (NamedState::Incumbent, trial) => format!("the kept state (trial {trial})"),
            (NamedState::Trial, trial) => format!("trial {trial}"),
        }
    }
}

impl Remeasured {
    /// `5 runs, 40 to 42; then verify failed: exit status 1`
    #[must_use]
    pub fn describe_runs(&self) -> String {
        let runs = format_count(self.runs.len(), "run");
        let told = match self.find_ends() {
            Some((low, high)) if low == high => format!("{runs}, all {low}"),
            Some((low, high)) => format!("{runs}, {low} to {high}"),
            None => "no number".to_owned(),
        };
        match &self.why {
            Some(why) => format!("{told}; then {}", escape_text(why)),
            None => told,
        }
    }
}

impl fmt::Display for Remeasured {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{} once more: {}",
            self.describe_state(),
            self.describe_runs()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::sample::{make_commit, make_remeasured};

    #[test]
    fn a_state_is_told_with_the_ends_of_its_runs_and_with_what_stopped_them() {
        let state = |state, trial| Remeasured {
            state,
            trial,
            ..make_remeasured(3, &[42, 40, 41])
        };
        let stopped = Remeasured {
            why: Some("verify failed: exit status 1".to_owned()),
            ..make_remeasured(3, &[])
        };
        let told = [
            state(NamedState::Incumbent, 3),
            state(NamedState::Incumbent, 0),
            state(NamedState::Start, 0),
            state(NamedState::Trial, 2),
            make_remeasured(3, &[40, 40]),
            make_remeasured(3, &[40]),
            stopped,
        ]
        .map(|row| row.to_string());
        insta::assert_snapshot!(told.join("\n"), @"
        the kept state (trial 3) once more: 3 runs, 40 to 42
        the kept state (the start) once more: 3 runs, 40 to 42
        the start once more: 3 runs, 40 to 42
        trial 2 once more: 3 runs, 40 to 42
        trial 3 once more: 2 runs, all 40
        trial 3 once more: 1 run, all 40
        trial 3 once more: no number; then verify failed: exit status 1
        ");
    }

    #[test]
    fn the_middle_of_its_runs_is_their_median() {
        let middle = |values: &[i64]| make_remeasured(1, values).find_median();
        assert_eq!(middle(&[9, 1, 2]), Some(2.into()));
        assert_eq!(middle(&[]), None);
        assert_eq!(make_remeasured(1, &[]).find_ends(), None);
    }

    #[test]
    fn the_journal_has_it_without_what_did_not_happen() {
        let row = make_remeasured(1, &[40]);
        let text = serde_json::to_string(&row).unwrap();
        assert_eq!(row.commit, make_commit(1));
        insta::assert_snapshot!(text, @r#"{"state":"trial","trial":1,"commit":"c000001000000000000000000000000000000000","runs":[{"side":"incumbent","value":40,"at_ms":0,"took_ms":10}],"verify_runs":2}"#);
        assert_eq!(serde_json::from_str::<Remeasured>(&text).unwrap(), row);
    }
}
