//! Owns what is believed of the metrics that no keep makes worse, each by the rule of a metric.
//! Does not decide what is kept: the judge asks it.
//! Invariant: only a fall that the noise of both trees does not explain is worse.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::config::condition::WatchedMetric;
use crate::decide::evidence::Evidence;
use crate::decide::evidence::level::Side;
use crate::decide::gain::GainRange;
use crate::journal::runs::{RecordedRun, record_runs};
use crate::metric::definition::Direction;
use crate::metric::measurement::Measurement;

/// One evidence a metric, by its name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WatchedEvidence(BTreeMap<String, WatchedOne>);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct WatchedOne {
    direction: Direction,
    evidence: Evidence,
}

impl WatchedEvidence {
    /// Nothing seen of these.
    #[must_use]
    pub fn new(watched: &[WatchedMetric]) -> Self {
        let begin = |watched: &WatchedMetric| {
            let one = WatchedOne {
                direction: watched.direction,
                evidence: Evidence::new(watched.direction, 0.0),
            };
            (watched.metric.clone(), one)
        };
        Self(watched.iter().map(begin).collect())
    }

    /// Takes runs. One that did not print a metric says nothing of it.
    pub fn record_runs(&mut self, runs: &[RecordedRun]) {
        for (name, one) in &mut self.0 {
            let printed = runs.iter().filter_map(|run| run.of_watched(name));
            record_runs(&mut one.evidence, &printed.collect::<Vec<_>>());
        }
    }

    /// The runs of the start are over.
    pub fn close_watch(&mut self) {
        for one in self.0.values_mut() {
            one.evidence.close_watch();
        }
    }

    /// A trial is over: its number when it was kept.
    pub fn close_trial(&mut self, kept: Option<u32>) {
        for one in self.0.values_mut() {
            one.evidence.close_trial(kept);
        }
    }

    /// Whose run is missing, before anything can be said of a candidate: one that varies is not known before it was run six
    /// times on the kept state, and on the candidate since then.
    #[must_use]
    pub fn find_missing_run(&self) -> Option<Side> {
        let missing = |side| {
            self.0
                .values()
                .any(|one| one.find_missing_run() == Some(side))
        };
        [Side::Incumbent, Side::Candidate]
            .into_iter()
            .find(|side| missing(*side))
    }

    /// The first metric that a candidate makes worse or does not print, in words.
    #[must_use]
    pub fn find_worse(&self, before: &Measurement, candidate: &Measurement) -> Option<String> {
        self.0
            .iter()
            .find_map(|(name, one)| one.explain_worse(name, before, candidate))
    }
}

impl WatchedOne {
    fn find_missing_run(&self) -> Option<Side> {
        if !self.evidence.is_calibrated() {
            Some(Side::Incumbent)
        } else if !self.evidence.is_exact() && self.evidence.describe_gain().is_none() {
            Some(Side::Candidate)
        } else {
            None
        }
    }

    fn explain_worse(
        &self,
        name: &str,
        before: &Measurement,
        candidate: &Measurement,
    ) -> Option<String> {
        let Some(value) = candidate.metrics.get(name) else {
            return Some(match candidate.missing.get(name) {
                Some(why) => format!("{name} not-worse ({name}: {why})"),
                None => format!("{name} not-worse ({name} was not printed)"),
            });
        };
        if self.evidence.is_exact() {
            let held = before.metrics.get(name)?;
            let is_worse = match self.direction {
                Direction::Lower => value > held,
                Direction::Higher => value < held,
            };
            return is_worse.then(|| format!("{name} not-worse: {held} -> {value}"));
        }
        let range = GainRange::from(&self.evidence.describe_gain()?);
        range
            .is_loss()
            .then(|| format!("{name} not-worse: a gain of {range}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::runs::RunTime;

    fn measure(memory: &str) -> Measurement {
        Measurement {
            value: 10.into(),
            metrics: [("memory".to_owned(), memory.parse().unwrap())].into(),
            missing: BTreeMap::new(),
            cases: crate::metric::cases::Cases::default(),
        }
    }

    /// Runs of both sides, a second apart: the incumbent's before the watch is closed.
    fn see(incumbent: &[&str], candidate: &[&str], direction: Direction) -> WatchedEvidence {
        let watched = [WatchedMetric {
            metric: "memory".to_owned(),
            direction,
        }];
        let mut evidence = WatchedEvidence::new(&watched);
        let mut at_ms = 0;
        let mut list = |side, values: &[&str]| -> Vec<RecordedRun> {
            let runs = values.iter().map(|value| {
                at_ms += 1_000;
                let time = RunTime {
                    at_ms,
                    took_ms: 1_000,
                };
                RecordedRun::of_measurement(side, &measure(value), time, &watched)
            });
            runs.collect()
        };
        evidence.record_runs(&list(Side::Incumbent, incumbent));
        evidence.close_watch();
        evidence.record_runs(&list(Side::Candidate, candidate));
        evidence
    }

    #[test]
    fn an_exact_metric_may_not_get_worse_by_anything() {
        let held = ["64"; 3];
        for (direction, value, worse) in [
            (Direction::Lower, "65", Some("memory not-worse: 64 -> 65")),
            (Direction::Lower, "64", None),
            (Direction::Lower, "63", None),
            (Direction::Higher, "63", Some("memory not-worse: 64 -> 63")),
            (Direction::Higher, "65", None),
        ] {
            let evidence = see(&held, &[value, value], direction);
            let found = evidence.find_worse(&measure("64"), &measure(value));
            assert_eq!(found.as_deref(), worse, "{direction:?} {value}");
        }
    }

    #[test]
    fn a_noisy_metric_may_get_worse_within_its_noise() {
        let held = ["100", "102", "98", "101", "99", "100.5"];
        let within = see(&held, &["101", "102"], Direction::Lower);
        assert_eq!(within.find_worse(&measure("100"), &measure("101.5")), None);
        let beyond = see(&held, &["120", "121"], Direction::Lower);
        let found = beyond.find_worse(&measure("100"), &measure("120.5"));
        let found = found.unwrap();
        assert!(
            found.starts_with("memory not-worse: a gain of -2"),
            "{found}"
        );
        let better = see(&held, &["120", "121"], Direction::Higher);
        assert_eq!(better.find_worse(&measure("100"), &measure("120.5")), None);
    }

    #[test]
    fn one_that_varies_is_run_on_both_sides_before_anything_is_said_of_it() {
        let known = ["100", "102", "98", "101", "99", "100.5"];
        for (incumbent, candidate, missing) in [
            (&["64"; 3][..], &["64"][..], None),
            (&known[..3], &["101"], Some(Side::Incumbent)),
            (&known, &[], Some(Side::Candidate)),
            (&known, &["101"], None),
            // It was equal three times, and varies now.
            (&["64"; 3], &["64", "70"], Some(Side::Incumbent)),
        ] {
            let evidence = see(incumbent, candidate, Direction::Lower);
            assert_eq!(
                evidence.find_missing_run(),
                missing,
                "{incumbent:?} {candidate:?}"
            );
        }
        assert_eq!(WatchedEvidence::default().find_missing_run(), None);
    }

    #[test]
    fn what_is_not_printed_is_no_keep_and_nothing_is_watched_by_default() {
        let evidence = see(&["64"; 3], &[], Direction::Lower);
        let silent = Measurement {
            metrics: BTreeMap::new(),
            ..measure("64")
        };
        assert_eq!(
            evidence.find_worse(&measure("64"), &silent).as_deref(),
            Some("memory not-worse (memory was not printed)")
        );
        let nothing = WatchedEvidence::default();
        assert_eq!(nothing.find_worse(&measure("64"), &silent), None);
    }
}
