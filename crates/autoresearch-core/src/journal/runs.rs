//! Owns `RecordedRun`: a run of verify as the journal holds it, and the runs that older journals imply.
//! Does not judge them; `evidence` does.
//! Invariant: what the rule believes follows from recorded runs and verdicts alone.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::config::condition::WatchedMetric;

use crate::decide::evidence::Evidence;
use crate::decide::evidence::level::Side;
use crate::decide::evidence::rule::VerifyRun;
use crate::metric::measurement::Measurement;
use crate::metric::value::Value;

/// One run of verify.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedRun {
    /// Whose run it was.
    pub side: Side,
    pub value: Value,
    /// When it began, in milliseconds since 1970.
    pub at_ms: u64,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// What it printed of the metrics that no keep makes worse.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub watched: BTreeMap<String, Value>,
}

/// When a run began and how long it took, in milliseconds, the first since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunTime {
    pub at_ms: u64,
    pub took_ms: u64,
}

impl RecordedRun {
    #[must_use]
    pub fn new(side: Side, value: Value, time: RunTime) -> Self {
        Self {
            side,
            value,
            at_ms: time.at_ms,
            took_ms: time.took_ms,
            watched: BTreeMap::new(),
        }
    }

    /// A run as it came out.
    #[must_use]
    pub fn of_measurement(
        side: Side,
        measurement: &Measurement,
        time: RunTime,
        watched: &[WatchedMetric],
    ) -> Self {
        let printed = watched.iter().filter_map(|watched| {
            let value = measurement.metrics.get(&watched.metric)?;
            Some((watched.metric.clone(), value.clone()))
        });
        Self {
            watched: printed.collect(),
            ..Self::new(side, measurement.value.clone(), time)
        }
    }

    /// The same run of a watched metric; none where it was not printed.
    #[must_use]
    pub fn of_watched(&self, metric: &str) -> Option<Self> {
        let value = self.watched.get(metric)?.clone();
        Some(Self::new(self.side, value, self.time()))
    }

    #[must_use]
    pub fn time(&self) -> RunTime {
        RunTime {
            at_ms: self.at_ms,
            took_ms: self.took_ms,
        }
    }

    /// The same, for the rule.
    #[must_use]
    pub fn to_verify_run(&self) -> VerifyRun {
        let seconds = |ms: u64| std::time::Duration::from_millis(ms).as_secs_f64();
        VerifyRun {
            at: seconds(self.at_ms),
            took: seconds(self.took_ms),
            side: self.side,
            value: self.value.to_double(),
            digit: self.value.last_digit(),
        }
    }
}

/// Hands runs to the rule.
pub fn record_runs(evidence: &mut Evidence, runs: &[RecordedRun]) {
    for run in runs {
        evidence.record_run(run.to_verify_run());
    }
}

/// Runs of one tree of which only the values are known, as journals of older versions tell them: one after the other.
#[must_use]
pub fn imply_runs(side: Side, values: &[Value], first: RunTime) -> Vec<RecordedRun> {
    let run = |(number, value): (u64, &Value)| {
        let passed = number.saturating_mul(first.took_ms);
        let time = RunTime {
            at_ms: first.at_ms.saturating_add(passed),
            ..first
        };
        RecordedRun::new(side, value.clone(), time)
    };
    (0..).zip(values).map(run).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::metric::definition::Direction;

    #[test]
    fn a_run_is_handed_over_in_seconds_with_the_digit_that_its_value_ends_at() {
        let values: Vec<Value> = ["20.53", "7", "1200"]
            .map(|text| text.parse().unwrap())
            .into();
        let first = RunTime {
            at_ms: 1_500,
            took_ms: 500,
        };
        let runs = imply_runs(Side::Incumbent, &values, first);
        let handed: Vec<(f64, f64)> = runs
            .iter()
            .map(|run| (run.to_verify_run().at, run.to_verify_run().digit))
            .collect();
        assert_eq!(handed, [(1.5, 0.01), (2.0, 1.0), (2.5, 1.0)]);
    }

    #[test]
    fn a_run_holds_of_the_further_metrics_those_that_are_watched_and_were_printed() {
        let measurement = Measurement {
            value: 40.into(),
            metrics: [("memory", 64), ("errors", 0)]
                .map(|(name, value)| (name.to_owned(), value.into()))
                .into(),
            missing: BTreeMap::new(),
            cases: crate::metric::cases::Cases::default(),
        };
        let watched = ["memory", "disk"].map(|metric| WatchedMetric {
            metric: metric.to_owned(),
            direction: Direction::Lower,
        });
        let time = RunTime {
            at_ms: 7,
            took_ms: 2,
        };
        let run = RecordedRun::of_measurement(Side::Candidate, &measurement, time, &watched);
        assert_eq!(
            serde_json::to_value(&run).unwrap(),
            json!({
                "side": "candidate",
                "value": 40,
                "at_ms": 7,
                "took_ms": 2,
                "watched": {"memory": 64},
            })
        );
        let memory = run.of_watched("memory").unwrap();
        assert_eq!(
            memory,
            RecordedRun::new(Side::Candidate, 64.into(), time),
            "the same run with another value"
        );
        assert_eq!(run.of_watched("disk"), None);
        assert_eq!(run.of_watched("errors"), None, "nobody watches it");
    }

    #[test]
    fn the_journal_has_a_run_on_one_level() {
        let time = RunTime {
            at_ms: 7,
            took_ms: 2,
        };
        let run = RecordedRun::new(Side::Candidate, "4.5".parse().unwrap(), time);
        let text = serde_json::to_string(&run).unwrap();
        insta::assert_snapshot!(text, @r#"{"side":"candidate","value":4.5,"at_ms":7,"took_ms":2}"#);
        assert_eq!(serde_json::from_str::<RecordedRun>(&text).unwrap(), run);
    }
}
