//! Owns the decision on one trial: which run to make next, and the outcome at the end.
//! Does not run verify or guard; the caller does what `next` says and tells what came out.
//! Invariant: nothing but what verify printed and how verify and guard ended leads to a keep.

use std::cmp::Ordering;

use crate::config::Config;
use crate::decide::gaming::Suspicion;
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
    /// Where its code may game the measurement.
    pub suspects: Vec<Suspicion>,
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
    /// Does an exact metric look like a keep, so that a second run has to agree?
    repeats: bool,
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
    /// Where the code may game the measurement.
    pub suspects: Vec<Suspicion>,
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
            repeats: false,
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
            self.repeats
        } else {
            self.test_evidence() == EvidenceResult::Again
        };
        // The outcome is open: what a second run confirmed has been settled, and waits for the guard alone.
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

    /// A run of a deterministic metric. What would be kept is measured once more, and kept only when the second run agrees:
    /// a program that draws its number would be kept by its luck alone. A discard costs one run.
    fn weigh_exact_run(&mut self, measurement: Measurement) {
        let Some(first) = self.screen.take() else {
            let verdict = self
                .check_strictly_better(&measurement)
                .and_then(|()| self.check_conditions(&measurement));
            self.jump = verdict.is_ok() && self.is_jump(&measurement.value);
            self.repeats = verdict.is_ok();
            self.screen = Some(measurement);
            if let Err(why) = verdict {
                self.outcome = Some(TrialOutcome::Discard(why));
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
        let verdict = self.check_conditions(&measurement);
        self.screen = Measurement::mean_of(&[first, measurement]);
        self.settle_outcome(verdict);
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

    /// Conditions and labels come before further runs and the guard because they cost nothing.
    fn check_conditions(&self, measurement: &Measurement) -> Result<(), Why> {
        let broken = self
            .config
            .keep_when
            .iter()
            .find(|condition| !condition.holds_for(measurement));
        if let Some(condition) = broken {
            return Err(Why::KeepWhen(condition.explain_for(measurement)));
        }
        let labels = &self.config.required_labels.keep;
        let missing = labels
            .iter()
            .find(|label| !self.attempt.labels.contains(label));
        missing.map_or(Ok(()), |label| Err(Why::MissingLabel(label.clone())))
    }

    /// The metric is decided: what is left is the guard.
    fn settle_outcome(&mut self, metric: Result<(), Why>) {
        let Some(measurement) = self.pick_measurement() else {
            return;
        };
        self.settled = true;
        self.outcome = match metric.and_then(|()| self.check_conditions(&measurement)) {
            Err(why) => Some(TrialOutcome::Discard(why)),
            Ok(()) if self.config.guard.is_none() => Some(TrialOutcome::Keep),
            Ok(()) => None,
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

    /// The run of a deterministic metric (of two that agree, what both gave), the mean of the fresh runs of a noisy one, or the screening run.
    fn pick_measurement(&self) -> Option<Measurement> {
        Measurement::mean_of(&self.fresh).or_else(|| self.screen.clone())
    }

    /// The judgement, once `next` says that it is done; `None` before.
    #[must_use]
    pub fn to_judgement(&self) -> Option<Judgement> {
        self.outcome.clone().map(|outcome| Judgement {
            outcome: self.doubt_keep(outcome.clone()),
            measurement: if matches!(outcome, TrialOutcome::Crash(_)) {
                None
            } else {
                self.pick_measurement()
            },
            samples: self.fresh.iter().map(|run| run.value.clone()).collect(),
            guard: self.guard,
            jump: self.jump,
            guard_retries: self.guard_retries,
            suspects: self.list_flags(),
        })
    }

    /// What a keep is flagged with. What honest code does as well is not, once a person allowed it.
    fn list_flags(&self) -> Vec<Suspicion> {
        let allowed = &self.config.allow_suspect;
        let is_told = |found: &&Suspicion| {
            !(found.pattern.is_flag_only() && allowed.contains(&found.pattern))
        };
        self.attempt
            .suspects
            .iter()
            .filter(is_told)
            .cloned()
            .collect()
    }

    /// What verify and guard would keep is not kept where its code games them in a way that nobody allowed.
    fn doubt_keep(&self, outcome: TrialOutcome) -> TrialOutcome {
        let allowed = &self.config.allow_suspect;
        let suspects = self.attempt.suspects.iter();
        let doubted = suspects
            .filter(|found| !found.pattern.is_flag_only() && !allowed.contains(&found.pattern));
        let doubted: Vec<Suspicion> = doubted.cloned().collect();
        match outcome {
            TrialOutcome::Keep if !doubted.is_empty() => {
                TrialOutcome::Discard(Why::Suspect(doubted))
            }
            outcome => outcome,
        }
    }
}

#[cfg(test)]
mod tests;
