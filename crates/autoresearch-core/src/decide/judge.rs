//! Owns the decision on one trial: which run to make next, and the outcome at the end.
//! Does not run verify or guard; the caller does what `next` says and tells what came out.
//! Invariant: nothing but what verify printed and how verify and guard ended leads to a keep.

use std::cmp::Ordering;

use crate::config::Config;
use crate::decide::evidence::Evidence;
use crate::decide::evidence::level::Side;
use crate::decide::evidence::rule::NextRun;
use crate::decide::gain::GainRange;
use crate::decide::gaming::Suspicion;
use crate::decide::incumbent::Incumbent;
use crate::decide::jump::MeasuredRange;
use crate::decide::watched::WatchedEvidence;
use crate::decide::why::{CommandFailure, Why};
use crate::journal::event::Guard;
use crate::journal::runs::{RecordedRun, RunTime};
use crate::metric::cases::{CaseChanges, Cases};
use crate::metric::measurement::Measurement;
use crate::metric::value::Value;

/// How often a trial whose guard failed may be reworked.
pub const REWORKS: u32 = 2;

/// Runs of a trial after which none is made for a further metric alone: a metric's own rule ends at so many.
const MOST_RUNS: usize = 20;

/// What the judge wants next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextCheck {
    Verify,
    /// Verify on the kept state.
    VerifyIncumbent,
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

/// The kept state that a trial is measured against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rival {
    AtHand,
    /// It cannot be measured.
    OutOfReach,
    /// The trial takes back what is worth nothing: it needs no number but one.
    Beaten,
}

/// The decision in the making.
#[derive(Debug)]
pub struct Judge<'a> {
    config: &'a Config,
    incumbent: &'a Incumbent,
    evidence: Evidence,
    watched: WatchedEvidence,
    rival: Rival,
    attempt: Attempt,
    seen: MeasuredRange,
    jump: bool,
    /// The metric is decided, and only the guard can still refuse.
    settled: bool,
    wanted: NextCheck,
    /// What single cases of the kept state gave, and how far its runs differ in each.
    cases: Cases,
    /// The candidate's measurements that count.
    measured: Vec<Measurement>,
    /// The kept state of an exact metric gave another value where it was measured again: what it gave.
    elsewhere: Option<RecordedRun>,
    runs: Vec<RecordedRun>,
    guard: Guard,
    guard_retries: u32,
    outcome: Option<TrialOutcome>,
}

/// Everything that the log wants to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    pub outcome: TrialOutcome,
    /// The measurement that counts: the only one, or the mean of all.
    pub measurement: Option<Measurement>,
    /// The runs of a noisy metric.
    pub samples: Vec<Value>,
    /// All runs of both trees that hold for what is believed from now on.
    pub runs: Vec<RecordedRun>,
    /// What is known of the gain of a noisy metric.
    pub gain: Option<GainRange>,
    /// How its cases differ from those of the kept state, where that printed some.
    pub cases: Option<CaseChanges>,
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
        evidence: Evidence,
        attempt: Attempt,
    ) -> Self {
        let mut judge = Self {
            config,
            incumbent,
            evidence,
            watched: WatchedEvidence::new(&config.watched),
            rival: Rival::AtHand,
            attempt,
            seen: MeasuredRange::of_value(&incumbent.measurement.value),
            jump: false,
            settled: false,
            wanted: NextCheck::Verify,
            cases: incumbent.measurement.cases.clone(),
            measured: Vec::new(),
            elsewhere: None,
            runs: Vec::new(),
            guard: Guard::NotRun,
            guard_retries: 0,
            outcome: None,
        };
        judge.weigh_runs();
        judge
    }

    /// The same where the kept state cannot be measured beside the trial.
    #[must_use]
    pub fn without_incumbent(mut self) -> Self {
        self.rival = Rival::OutOfReach;
        self.weigh_runs();
        self
    }

    /// The same for a trial that takes a keep back: pairs have decided that already, and what is left is that verify gives a
    /// number and that the conditions and the guard hold.
    #[must_use]
    pub fn leaving_out(mut self) -> Self {
        self.rival = Rival::Beaten;
        self.weigh_runs();
        self
    }

    /// The same, knowing what was seen of the metrics that no keep makes worse.
    #[must_use]
    pub fn with_watched(self, watched: WatchedEvidence) -> Self {
        Self { watched, ..self }
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
        } else if self.settled {
            NextCheck::Guard
        } else {
            self.wanted
        }
    }

    /// Verify ran on the candidate.
    pub fn record_verify(&mut self, measured: Result<Measurement, Why>, time: RunTime) {
        let measurement = match measured {
            Err(why) => {
                self.outcome = Some(TrialOutcome::Crash(why));
                return;
            }
            Ok(measurement) => measurement,
        };
        let was_exact = self.evidence.is_exact();
        self.record_run(Side::Candidate, &measurement, time);
        if was_exact && !self.evidence.is_exact() {
            // Its runs were chosen for being good, and count no longer.
            self.measured.clear();
        } else {
            self.measured.push(measurement);
        }
        self.weigh_runs();
    }

    /// Verify ran on the kept state; `None` where it gave no number there, and will not be asked for again.
    pub fn record_incumbent(&mut self, measured: Option<Measurement>, time: RunTime) {
        match measured {
            None => self.rival = Rival::OutOfReach,
            Some(measurement) => {
                self.cases.meet_run(&measurement.cases);
                self.take_incumbent_run(&measurement, time);
            }
        }
        self.weigh_runs();
    }

    /// The kept state of an exact metric that gives another value twice, and the same one both times, gives it because of the
    /// place: its tree tells nothing of the metric. Two different values are noise.
    fn take_incumbent_run(&mut self, measurement: &Measurement, time: RunTime) {
        let (held, value) = (&self.incumbent.measurement.value, &measurement.value);
        match self.elsewhere.take() {
            Some(first) if first.value == *value => self.rival = Rival::OutOfReach,
            Some(first) => {
                self.take_run(first);
                self.record_run(Side::Incumbent, measurement, time);
                self.forget_candidate();
            }
            None if self.evidence.is_exact() && value != held => {
                self.elsewhere = Some(self.make_run(Side::Incumbent, measurement, time));
            }
            None => self.record_run(Side::Incumbent, measurement, time),
        }
    }

    fn forget_candidate(&mut self) {
        if !self.evidence.is_exact() {
            self.measured.clear();
        }
    }

    fn make_run(&self, side: Side, measurement: &Measurement, time: RunTime) -> RecordedRun {
        RecordedRun::of_measurement(side, measurement, time, &self.config.watched)
    }

    fn record_run(&mut self, side: Side, measurement: &Measurement, time: RunTime) {
        let run = self.make_run(side, measurement, time);
        self.take_run(run);
    }

    fn take_run(&mut self, run: RecordedRun) {
        self.evidence.record_run(run.to_verify_run());
        self.watched.record_runs(std::slice::from_ref(&run));
        self.runs.push(run);
    }

    /// Decides, or says which run tells most.
    fn weigh_runs(&mut self) {
        let next = if self.rival == Rival::AtHand {
            self.evidence.find_next_run()
        } else {
            self.evidence.find_next_candidate_run()
        };
        if self.rival == Rival::Beaten {
            self.wanted = NextCheck::Verify;
            if !self.measured.is_empty() {
                self.settle_outcome(Ok(()));
            }
        } else if self.elsewhere.is_some() {
            self.wanted = NextCheck::VerifyIncumbent;
        } else if let (true, Some(first)) =
            (self.evidence.is_exact(), self.measured.first().cloned())
        {
            self.weigh_exact_runs(next, &first);
        } else {
            self.weigh_noisy_runs(next);
        }
    }

    fn weigh_noisy_runs(&mut self, next: NextRun) {
        match next {
            NextRun::Incumbent => self.wanted = NextCheck::VerifyIncumbent,
            NextRun::Candidate => self.wanted = NextCheck::Verify,
            // A trial that cannot be decided has a number all the same.
            NextRun::CannotTell if self.measured.is_empty() => self.wanted = NextCheck::Verify,
            NextRun::Worse | NextRun::CannotTell => {
                self.outcome = Some(TrialOutcome::Discard(self.explain_doubt()));
            }
            NextRun::Keep => {
                let middle = self.pick_measurement().map(|found| found.value);
                self.jump = middle.is_some_and(|value| self.is_jump(&value));
                let verdict = self.check_known_gain();
                self.settle_outcome(verdict);
            }
        }
    }

    /// The runs of an exact metric. What would be kept is measured again, and kept only when the runs agree: a program that
    /// draws its number would be kept by its luck alone. A discard costs one run.
    fn weigh_exact_runs(&mut self, next: NextRun, first: &Measurement) {
        let latest = self.measured.last().unwrap_or(first);
        if first.value != latest.value {
            // They differ only beyond what the rule sees.
            self.outcome = Some(TrialOutcome::Discard(Why::NotRepeated {
                first: first.value.clone(),
                second: latest.value.clone(),
            }));
            return;
        }
        let verdict = self
            .check_strictly_better(first)
            .and_then(|()| self.check_conditions(latest));
        self.jump = self.jump || (verdict.is_ok() && self.is_jump(&first.value));
        match (next, verdict) {
            (NextRun::Incumbent, _) => self.wanted = NextCheck::VerifyIncumbent,
            (_, Err(why)) => self.outcome = Some(TrialOutcome::Discard(why)),
            (NextRun::Candidate, Ok(())) => self.wanted = NextCheck::Verify,
            // An equal number that is kept for being simpler.
            (NextRun::Worse | NextRun::CannotTell, Ok(())) if self.measured.len() < 2 => {
                self.wanted = NextCheck::Verify;
            }
            (_, Ok(())) => self.settle_outcome(Ok(())),
        }
    }

    fn is_jump(&self, value: &Value) -> bool {
        let before = &self.incumbent.measurement.value;
        self.seen.is_jump(&self.config.metric, before, value)
    }

    /// Only a gain whose whole interval lies below nothing is a loss; anything else cannot be told.
    fn explain_doubt(&self) -> Why {
        let known = self.evidence.describe_gain();
        let range = known.as_ref().map(GainRange::from);
        if range.as_ref().is_some_and(GainRange::is_loss) {
            return Why::WorseMetric;
        }
        let count = |side| {
            let runs = self.runs.iter().filter(|run| run.side == side).count();
            u32::try_from(runs).unwrap_or(u32::MAX)
        };
        let runs = count(Side::Candidate);
        let needed = known.map_or(1, |known| self.evidence.count_needed_runs(known.gain));
        Why::CannotTell {
            runs,
            incumbent_runs: count(Side::Incumbent),
            // What did not tell it would not tell it again.
            needed: needed.max(runs.saturating_add(1)),
            gain: range.map(Box::new),
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

    /// The gain of a noisy metric: what the rule knows of it, since a mean may be of another hour than the kept one.
    fn check_known_gain(&self) -> Result<(), Why> {
        let minimum = find_least_share(self.config, &self.incumbent.measurement.value);
        match self.evidence.describe_gain() {
            Some(known) if known.gain < minimum => Err(Why::BelowMinimum),
            _ => Ok(()),
        }
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
        let before = &self.incumbent.measurement;
        if let Some(worse) = self.watched.find_worse(before, measurement) {
            return Err(Why::KeepWhen(worse));
        }
        if self.rival == Rival::Beaten {
            // Labels are what an agent says of its own trials.
            return Ok(());
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
        let verdict = metric.and_then(|()| self.check_conditions(&measurement));
        if verdict.is_ok()
            && let Some(missing) = self.find_missing_run()
        {
            self.wanted = missing;
            return;
        }
        self.settled = true;
        self.outcome = match verdict {
            Err(why) => Some(TrialOutcome::Discard(why)),
            Ok(()) if self.config.guard.is_none() => Some(TrialOutcome::Keep),
            Ok(()) => None,
        };
    }

    /// The run that a metric needs which may not get worse. Where it does not come, the trial is decided without it.
    fn find_missing_run(&self) -> Option<NextCheck> {
        if self.runs.len() >= MOST_RUNS {
            return None;
        }
        match self.watched.find_missing_run()? {
            Side::Incumbent if self.rival == Rival::AtHand => Some(NextCheck::VerifyIncumbent),
            Side::Incumbent => None,
            Side::Candidate => Some(NextCheck::Verify),
        }
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
                if self.attempt.number < REWORKS && self.rival != Rival::Beaten {
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

    /// The mean of the candidate's runs that count, which is what all of them gave where they are equal.
    fn pick_measurement(&self) -> Option<Measurement> {
        let counts = |run: &&Measurement| self.evidence.counts_value(run.value.to_double());
        let counted: Vec<Measurement> = self.measured.iter().filter(counts).cloned().collect();
        Measurement::mean_of(&counted).or_else(|| Measurement::mean_of(&self.measured))
    }

    /// The candidate's runs say nothing where its tree was not what was committed.
    fn list_lasting_runs(&self, outcome: &TrialOutcome) -> Vec<RecordedRun> {
        let is_void = matches!(outcome, TrialOutcome::Discard(why) if why.is_void());
        let runs = self.runs.iter();
        runs.filter(|run| !is_void || run.side == Side::Incumbent)
            .cloned()
            .collect()
    }

    /// The judgement, once `next` says that it is done; `None` before.
    #[must_use]
    pub fn to_judgement(&self) -> Option<Judgement> {
        let measured = self.outcome.clone()?;
        let outcome = self.doubt_keep(measured.clone());
        let found = match measured {
            TrialOutcome::Crash(_) => None,
            _ => self.pick_measurement(),
        };
        let direction = self.config.metric.direction;
        let cases = found
            .as_ref()
            .and_then(|found| CaseChanges::between(&self.cases, &found.cases, direction));
        // The next trial is compared with the cases of a keep, and with those of nobody else.
        let measurement = found.map(|mut found| {
            found.cases.learn_spreads(&self.cases);
            if outcome == TrialOutcome::Keep {
                found
            } else {
                found.without_cases()
            }
        });
        Some(Judgement {
            runs: self.list_lasting_runs(&measured),
            outcome,
            measurement,
            cases,
            samples: if self.evidence.is_exact() {
                Vec::new()
            } else {
                self.measured.iter().map(|run| run.value.clone()).collect()
            },
            gain: self.evidence.describe_gain().as_ref().map(GainRange::from),
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

/// The smallest gain that a config lets be kept, as a share of the incumbent's value; 0 when any may be.
#[must_use]
pub fn find_least_share(config: &Config, incumbent: &Value) -> f64 {
    let minimum = config.min_improvement.as_ref();
    let size = incumbent.magnitude().to_double();
    minimum.map_or(0.0, |amount| {
        let share = amount.for_incumbent(incumbent).to_double() / size;
        if share.is_finite() { share } else { 0.0 }
    })
}

#[cfg(test)]
mod tests;
