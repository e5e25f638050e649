//! Owns the decision on one trial: which run to make next, and the outcome at the end.
//! Does not run verify or guard; the caller does what `next` says and tells what came out.
//! Invariant: nothing but what verify printed and how verify and guard ended leads to a keep.

use std::cmp::Ordering;

use crate::config::Config;
use crate::decide::incumbent::Incumbent;
use crate::decide::jump::MeasuredRange;
use crate::decide::noise;
use crate::decide::noise::{EvidenceResult, Noise};
use crate::decide::why::{CommandFailure, Why};
use crate::journal::event::Guard;
use crate::metric::definition::Direction;
use crate::metric::measurement::Measurement;
use crate::metric::value::Value;

/// How often a trial whose guard failed may be reworked.
pub const REWORKS: u32 = 2;

/// What the judge wants next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextCheck {
    Verify,
    Guard,
    /// Nothing: take the outcome.
    Done,
}

/// The outcome of a trial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrialOutcome {
    Keep,
    Discard(Why),
    /// It is undone: verify gave no number.
    Crash(Why),
    /// The metric improved and the guard failed: the agent may rework it.
    Rework(Why),
}

/// What the agent said about a trial, and what git knows of it.
#[derive(Clone, Debug, Default)]
pub struct Attempt {
    pub labels: Vec<String>,
    /// Does the trial claim to simplify, and does its diff remove more lines than it adds?
    pub simplifies: bool,
    /// Which attempt of the trial this is, from 0.
    pub number: u32,
}

/// The decision in the making.
#[derive(Debug)]
pub struct Judge<'a> {
    config: &'a Config,
    incumbent: &'a Incumbent,
    noise: Noise,
    attempt: Attempt,
    seen: MeasuredRange,
    jump: bool,
    settled: bool,
    screen: Option<Measurement>,
    fresh: Vec<Measurement>,
    guard: Guard,
    guard_retries: u32,
    outcome: Option<TrialOutcome>,
}

/// Everything that the log wants to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    pub outcome: TrialOutcome,
    /// The measurement that counts: the only one, or the mean of the fresh ones.
    pub measurement: Option<Measurement>,
    /// The fresh runs, of a noisy metric only.
    pub samples: Vec<Value>,
    /// What the guard said.
    pub guard: Guard,
    /// Is the result far outside everything seen before?
    pub jump: bool,
    /// How often it was run again after a failure.
    pub guard_retries: u32,
}

impl<'a> Judge<'a> {
    /// Begins a decision against an incumbent.
    #[must_use]
    pub fn new(
        config: &'a Config,
        incumbent: &'a Incumbent,
        noise: Noise,
        attempt: Attempt,
    ) -> Self {
        Self {
            config,
            incumbent,
            noise,
            attempt,
            seen: MeasuredRange::of_value(&incumbent.measurement.value),
            jump: false,
            settled: false,
            screen: None,
            fresh: Vec::new(),
            guard: Guard::NotRun,
            guard_retries: 0,
            outcome: None,
        }
    }

    /// The same, knowing the range of everything that the run has measured.
    #[must_use]
    pub fn with_measured_range(self, seen: Option<&MeasuredRange>) -> Self {
        Self {
            seen: seen.cloned().unwrap_or_else(|| self.seen.clone()),
            ..self
        }
    }

    /// What to do next.
    #[must_use]
    pub fn next_check(&self) -> NextCheck {
        if self.outcome.is_some() {
            NextCheck::Done
        } else if self.needs_evidence() {
            NextCheck::Verify
        } else {
            NextCheck::Guard
        }
    }

    fn needs_evidence(&self) -> bool {
        let again = if self.noise.is_deterministic() {
            // A jump is measured once more.
            self.jump
        } else {
            self.test_evidence() == EvidenceResult::Again
        };
        // The outcome is open: a jump that was confirmed has been settled, and waits for the guard alone.
        self.screen.is_none() || (again && !self.settled)
    }

    fn test_evidence(&self) -> EvidenceResult {
        self.noise
            .test_gains(&self.list_gains(), self.incumbent.samples.len())
    }

    fn list_gains(&self) -> Vec<f64> {
        self.fresh
            .iter()
            .map(|run| self.compute_gain(&run.value))
            .collect()
    }

    /// The gain of a single run over the incumbent's mean.
    fn compute_gain(&self, value: &Value) -> f64 {
        let middle = noise::mean_of(noise::latest_runs(&self.incumbent.samples));
        match self.config.metric.direction {
            Direction::Lower => middle - value.to_double(),
            Direction::Higher => value.to_double() - middle,
        }
    }

    pub fn record_verify(&mut self, measured: Result<Measurement, Why>) {
        match measured {
            Err(why) => self.outcome = Some(TrialOutcome::Crash(why)),
            Ok(measurement) if self.noise.is_deterministic() => self.weigh_exact_run(measurement),
            Ok(measurement) if self.screen.is_none() => {
                let gain = self.compute_gain(&measurement.value);
                self.screen = Some(measurement);
                if !self.noise.is_promising(gain) {
                    self.outcome = Some(TrialOutcome::Discard(self.explain_doubt(gain)));
                }
            }
            Ok(measurement) => {
                self.fresh.push(measurement);
                match self.test_evidence() {
                    EvidenceResult::Again => {}
                    EvidenceResult::GiveUp => {
                        self.outcome = Some(TrialOutcome::Discard(
                            self.explain_doubt(noise::mean_of(&self.list_gains())),
                        ));
                    }
                    EvidenceResult::Better => {
                        let middle = self.pick_measurement().map(|found| found.value);
                        self.jump = middle.is_some_and(|value| self.is_jump(&value));
                        let verdict = self.check_mean_gain();
                        self.settle_outcome(verdict);
                    }
                }
            }
        }
    }

    /// A run of a deterministic metric. A jump is measured once more, and kept only when the second run agrees.
    fn weigh_exact_run(&mut self, measurement: Measurement) {
        let Some(first) = self.screen.take() else {
            let verdict = self.check_strictly_better(&measurement);
            self.jump = verdict.is_ok() && self.is_jump(&measurement.value);
            self.screen = Some(measurement);
            if !self.jump {
                self.settle_outcome(verdict);
            }
            return;
        };
        if first.value != measurement.value {
            self.outcome = Some(TrialOutcome::Discard(Why::NotRepeated {
                first: first.value.clone(),
                second: measurement.value,
            }));
            self.screen = Some(first);
            return;
        }
        self.screen = Measurement::mean_of(&[first, measurement]);
        self.settle_outcome(Ok(()));
    }

    fn is_jump(&self, value: &Value) -> bool {
        let before = &self.incumbent.measurement.value;
        self.seen.is_jump(&self.config.metric, before, value)
    }

    fn explain_doubt(&self, gain: f64) -> Why {
        if gain <= 0.0 {
            Why::WorseMetric
        } else {
            Why::CannotTell {
                runs: u32::try_from(self.fresh.len()).unwrap_or(u32::MAX),
                needed: self.noise.runs_needed(gain),
            }
        }
    }

    /// A deterministic metric: better means strictly better, and a tie counts only for a simplification.
    fn check_strictly_better(&self, measurement: &Measurement) -> Result<(), Why> {
        let gain = self
            .config
            .metric
            .compute_gain(&self.incumbent.measurement.value, &measurement.value);
        match gain.cmp(&Value::zero()) {
            Ordering::Less => Err(Why::WorseMetric),
            Ordering::Equal if self.attempt.simplifies => Ok(()),
            Ordering::Equal => Err(Why::Tie),
            Ordering::Greater => self.check_minimum(&gain),
        }
    }

    fn check_mean_gain(&self) -> Result<(), Why> {
        let middle = self.pick_measurement().map(|measurement| measurement.value);
        let gain = middle.map(|value| {
            self.config
                .metric
                .compute_gain(&self.incumbent.measurement.value, &value)
        });
        gain.map_or(Ok(()), |gain| self.check_minimum(&gain))
    }

    fn check_minimum(&self, gain: &Value) -> Result<(), Why> {
        let minimum = self
            .config
            .min_improvement
            .as_ref()
            .map(|amount| amount.for_incumbent(&self.incumbent.measurement.value));
        if minimum.is_some_and(|minimum| *gain < minimum) {
            Err(Why::BelowMinimum)
        } else {
            Ok(())
        }
    }

    /// The metric is decided; conditions and labels come before the guard because they cost nothing.
    fn settle_outcome(&mut self, metric: Result<(), Why>) {
        let Some(measurement) = self.pick_measurement() else {
            return;
        };
        self.settled = true;
        let config = self.config;
        let condition = || {
            config
                .keep_when
                .iter()
                .find(|condition| !condition.holds_for(&measurement))
        };
        let label = || {
            config
                .required_labels
                .keep
                .iter()
                .find(|label| !self.attempt.labels.contains(label))
        };
        self.outcome = match metric {
            Err(why) => Some(TrialOutcome::Discard(why)),
            Ok(()) => match (condition(), label()) {
                (Some(condition), _) => {
                    let told = condition.explain_for(&measurement);
                    Some(TrialOutcome::Discard(Why::KeepWhen(told)))
                }
                (None, Some(label)) => {
                    Some(TrialOutcome::Discard(Why::MissingLabel(label.clone())))
                }
                (None, None) if config.guard.is_none() => Some(TrialOutcome::Keep),
                (None, None) => None,
            },
        };
    }

    /// The guard ran. A failure that the config lets be retried decides nothing yet.
    pub fn record_guard(&mut self, passed: Result<(), CommandFailure>) {
        let retries = self.config.guard.as_ref().map_or(0, |guard| guard.retries);
        if passed.is_err() && self.guard_retries < retries {
            self.guard_retries += 1;
            return;
        }
        self.outcome = Some(match passed {
            Ok(()) => {
                self.guard = Guard::Pass;
                TrialOutcome::Keep
            }
            Err(failure) => {
                self.guard = Guard::Fail;
                let why = Why::GuardFailed(failure);
                if self.attempt.number < REWORKS {
                    TrialOutcome::Rework(why)
                } else {
                    TrialOutcome::Discard(why)
                }
            }
        });
    }

    /// The tree was found not to be what was committed: whatever was measured does not count.
    pub fn void_trial(&mut self, why: Why) {
        self.outcome = Some(TrialOutcome::Discard(why));
    }

    /// The single run of a deterministic metric, the mean of the fresh runs of a noisy one, or the screening run.
    fn pick_measurement(&self) -> Option<Measurement> {
        Measurement::mean_of(&self.fresh).or_else(|| self.screen.clone())
    }

    /// The judgement, once `next` says that it is done; `None` before.
    #[must_use]
    pub fn to_judgement(&self) -> Option<Judgement> {
        self.outcome.clone().map(|outcome| Judgement {
            measurement: if matches!(outcome, TrialOutcome::Crash(_)) {
                None
            } else {
                self.pick_measurement()
            },
            samples: self.fresh.iter().map(|run| run.value.clone()).collect(),
            guard: self.guard,
            jump: self.jump,
            guard_retries: self.guard_retries,
            outcome,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn config(more: &serde_json::Value) -> Config {
        let mut document = json!({
            "goal": "g", "scope": ["src/**"], "metric": {"name": "m", "direction": "lower"}, "verify": {"command": "v"},
        });
        for (key, value) in more.as_object().unwrap() {
            document[key] = value.clone();
        }
        crate::config::check_config(&document).config.unwrap()
    }

    fn measured(text: &str) -> Measurement {
        let metric = &config(&json!({})).metric;
        crate::metric::measurement::read_measurement(text, metric, None)
            .unwrap()
            .0
    }

    fn incumbent(samples: &[f64]) -> Incumbent {
        Incumbent {
            trial: 0,
            commit: "c".into(),
            tree: "t".into(),
            measurement: measured("47"),
            samples: samples.to_vec(),
            labels: Vec::new(),
        }
    }

    fn single(config: &Config, attempt: Attempt, output: &str) -> Judgement {
        let incumbent = incumbent(&[47.0]);
        let mut judge = Judge::new(config, &incumbent, Noise::default(), attempt);
        assert_eq!(judge.next_check(), NextCheck::Verify);
        judge.record_verify(Ok(measured(output)));
        if judge.next_check() == NextCheck::Guard {
            judge.record_guard(Ok(()));
        }
        judge.to_judgement().unwrap()
    }

    #[test]
    fn only_strictly_better_is_kept() {
        let config = config(&json!({}));
        let outcome = |output| single(&config, Attempt::default(), output).outcome;
        assert_eq!(outcome("46"), TrialOutcome::Keep);
        assert_eq!(outcome("47"), TrialOutcome::Discard(Why::Tie));
        assert_eq!(outcome("48"), TrialOutcome::Discard(Why::WorseMetric));
    }

    #[test]
    fn a_tie_is_kept_for_a_simplification() {
        let attempt = Attempt {
            simplifies: true,
            ..Attempt::default()
        };
        assert_eq!(
            single(&config(&json!({})), attempt.clone(), "47").outcome,
            TrialOutcome::Keep
        );
        assert_eq!(
            single(&config(&json!({})), attempt, "47.5").outcome,
            TrialOutcome::Discard(Why::WorseMetric)
        );
    }

    #[test]
    fn the_other_direction_is_judged_the_other_way_round() {
        let config = config(&json!({"metric": {"name": "m", "direction": "higher"}}));
        assert_eq!(
            single(&config, Attempt::default(), "48").outcome,
            TrialOutcome::Keep
        );
        assert_eq!(
            single(&config, Attempt::default(), "46").outcome,
            TrialOutcome::Discard(Why::WorseMetric)
        );
    }

    #[test]
    fn min_improvement_is_a_threshold() {
        let config = config(&json!({"min_improvement": "10%"}));
        assert_eq!(
            single(&config, Attempt::default(), "43").outcome,
            TrialOutcome::Discard(Why::BelowMinimum)
        );
        assert_eq!(
            single(&config, Attempt::default(), "42.3").outcome,
            TrialOutcome::Keep
        );
    }

    #[test]
    fn conditions_and_labels_stand_before_the_guard() {
        let config = config(&json!({
            "guard": {"command": "g"}, "required_labels": {"keep": ["real"]},
            "keep_when": [{"metric": "tests", "op": ">=", "value": 40}],
        }));
        let attempt = Attempt {
            labels: vec!["real".into()],
            ..Attempt::default()
        };
        let few = single(&config, attempt.clone(), "{\"primary\": 46, \"tests\": 39}");
        assert_eq!(
            few.outcome,
            TrialOutcome::Discard(Why::KeepWhen("tests >= 40".into()))
        );
        assert_eq!(few.guard, Guard::NotRun);
        let enough = "{\"primary\": 46, \"tests\": 40}";
        assert_eq!(
            single(&config, Attempt::default(), enough).outcome,
            TrialOutcome::Discard(Why::MissingLabel("real".into()))
        );
        let kept = single(&config, attempt, enough);
        assert_eq!(
            (kept.outcome, kept.guard),
            (TrialOutcome::Keep, Guard::Pass)
        );
    }

    #[test]
    fn a_failed_guard_is_never_a_keep() {
        let config = config(&json!({"guard": {"command": "g"}}));
        let incumbent = incumbent(&[47.0]);
        for number in 0..=REWORKS {
            let mut judge = Judge::new(
                &config,
                &incumbent,
                Noise::default(),
                Attempt {
                    number,
                    ..Attempt::default()
                },
            );
            judge.record_verify(Ok(measured("46")));
            assert_eq!(judge.next_check(), NextCheck::Guard);
            judge.record_guard(Err(CommandFailure::Exit { status: 1 }));
            let why = Why::GuardFailed(CommandFailure::Exit { status: 1 });
            let expected = if number < REWORKS {
                TrialOutcome::Rework(why)
            } else {
                TrialOutcome::Discard(why)
            };
            assert_eq!(judge.to_judgement().unwrap().outcome, expected);
        }
    }

    #[test]
    fn a_failed_verify_has_no_metric() {
        let (config, incumbent) = (config(&json!({})), incumbent(&[47.0]));
        let mut judge = Judge::new(&config, &incumbent, Noise::default(), Attempt::default());
        judge.record_verify(Err(Why::VerifyFailed(CommandFailure::Timeout {
            limit_ms: 1,
        })));
        let judgement = judge.to_judgement().unwrap();
        assert_eq!(judgement.measurement, None);
        assert!(matches!(judgement.outcome, TrialOutcome::Crash(_)));
    }

    #[test]
    fn a_jump_is_measured_twice_before_it_is_kept() {
        let (config, incumbent) = (
            config(&json!({"guard": {"command": "g"}})),
            incumbent(&[47.0, 47.0]),
        );
        let decide = |outputs: &[&str]| {
            let mut judge = Judge::new(&config, &incumbent, Noise::default(), Attempt::default());
            let mut runs = 0;
            while judge.next_check() == NextCheck::Verify {
                judge.record_verify(Ok(measured(outputs[runs])));
                runs += 1;
            }
            if judge.next_check() == NextCheck::Guard {
                judge.record_guard(Ok(()));
            }
            let judgement = judge.to_judgement().unwrap();
            (judgement.outcome, judgement.jump, runs)
        };
        assert_eq!(decide(&["0", "0"]), (TrialOutcome::Keep, true, 2));
        assert_eq!(decide(&["46"]), (TrialOutcome::Keep, false, 1));
        let (first, second) = (Value::from(0), Value::from(47));
        let why = Why::NotRepeated { first, second };
        assert_eq!(decide(&["0", "47"]), (TrialOutcome::Discard(why), true, 2));
        // Within the range of what was seen it is not a jump.
        let mut seen = MeasuredRange::of_value(&Value::from(47));
        seen.include_value(&Value::from(1_000));
        let mut judge = Judge::new(&config, &incumbent, Noise::default(), Attempt::default())
            .with_measured_range(Some(&seen));
        judge.record_verify(Ok(measured("10")));
        assert_eq!(judge.next_check(), NextCheck::Guard);
    }

    #[test]
    fn a_jump_whose_second_run_gives_no_number_is_a_crash() {
        let (config, incumbent) = (config(&json!({})), incumbent(&[47.0, 47.0]));
        let mut judge = Judge::new(&config, &incumbent, Noise::default(), Attempt::default());
        judge.record_verify(Ok(measured("1")));
        judge.record_verify(Err(Why::NoMetric("nothing".into())));
        assert!(matches!(
            judge.to_judgement().unwrap().outcome,
            TrialOutcome::Crash(_)
        ));
    }

    fn noisy(outputs: &[&str]) -> (Judgement, usize) {
        let (config, incumbent) = (
            config(&json!({})),
            incumbent(&[46.0, 47.0, 48.0, 47.0, 46.0, 48.0]),
        );
        let noise = Noise::of_runs(&incumbent.samples);
        let mut judge = Judge::new(&config, &incumbent, noise, Attempt::default());
        let mut runs = 0;
        while judge.next_check() == NextCheck::Verify {
            judge.record_verify(Ok(measured(outputs[runs])));
            runs += 1;
        }
        (judge.to_judgement().unwrap(), runs)
    }

    #[test]
    fn a_noisy_metric_is_screened_by_one_run_and_kept_by_fresh_ones() {
        let (judgement, runs) = noisy(&["30", "40", "41"]);
        assert_eq!((judgement.outcome, runs), (TrialOutcome::Keep, 3));
        assert_eq!(judgement.measurement.unwrap().value.to_string(), "40.5");
        assert_eq!(judgement.samples.len(), 2);
    }

    #[test]
    fn one_lucky_run_keeps_nothing() {
        let (judgement, runs) = noisy(&["40", "47.5"]);
        assert_eq!(
            (judgement.outcome, runs),
            (TrialOutcome::Discard(Why::WorseMetric), 2)
        );
        let (judgement, runs) = noisy(&["46.9"]);
        assert!(matches!(
            judgement.outcome,
            TrialOutcome::Discard(Why::CannotTell { runs: 0, .. })
        ));
        assert_eq!(runs, 1);
    }
}
