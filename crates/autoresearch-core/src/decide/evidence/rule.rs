//! Owns the rule: what each run changes in what is believed, which run tells most, and when a trial is decided.
//! Does not keep the records; `evidence` does, and reads them again when logarithms end.
//! Invariant: nothing but runs and closes changes what is believed.

use serde::{Deserialize, Serialize};

use super::level::{Belief, Side, Sight};
use super::noisy::{Expected, Noisy, count_side};
use super::normal::{count_as_double, find_density, find_median, find_probability};
use super::spread::{Spread, ValueScale};
use crate::metric::definition::Direction;

/// Equal runs at the start that make a metric exact, until it proves otherwise. With two, a coarse metric at 3 % noise passed in
/// 14 to 72 % of starts.
const EXACT_RUNS: usize = 3;
/// Runs that a spread is learned from: five degrees of freedom, with which 97.5 % of Student's distribution lie below 2.57 and not
/// 1.96; twelve runs would make it 2.20.
pub const CALIBRATION_RUNS: usize = 6;
/// Trials without a run of the incumbent after which it is run anyway.
const EXACT_WATCH: u32 = 10;
const NOISY_WATCH: u32 = 12;
/// An incumbent's run so many runs ago still vouches for a level that does not wander.
const FRESH: f64 = 8.0;
/// Runs of one candidate, and of both trees in one trial.
const CANDIDATE_RUNS: usize = 10;
pub const TRIAL_RUNS: u32 = 20;
/// No candidate is kept on one run, which may be a wild one.
const LEAST_RUNS: usize = 2;
/// Logarithm, doubled, of the Bayes factor that keeps while one trial in twelve is kept: e^(1.8/2), about 2.5. In simulation
/// 1.6 gave half a point more of false keeps at 1 % noise and two points more of flaky tests, for 1 % more gain.
const FACTOR: f64 = 1.8;
/// How the factor follows the rate of keeps: a run that keeps half as often must be 1.4 times as sure, since more of what it
/// keeps is false (the idea of LORD, Javanmard and Montanari 2018, without its proof). A run that keeps more than usual is not
/// trusted more: with large effects and noise of constant size that gave 8 % false keeps in place of 6 %. Counts begin at
/// `RATE_KEEPS` of `RATE_TRIALS`.
const RATE_POWER: f64 = 1.0;
const RATE_USUAL: f64 = 0.08;
const RATE_KEEPS: f64 = 2.0;
const RATE_TRIALS: f64 = 25.0;
/// What a run must be expected to gain, in standard deviations of effects, when a proposal costs no time. At 0.12 a trial took
/// 5 % more runs in simulation and gained as much.
const PRICE: f64 = 0.16;
/// Plans of up to so many further runs are weighed.
const PLANNED: u32 = 6;
/// The incumbent is run in a trial only when that tells more than twice as much (in variance, four times): a run of the
/// candidate also learns the spread.
const PREFERENCE: f64 = 4.0;
/// A verify takes at least this long, in seconds.
const SHORTEST: f64 = 1e-4;
/// No run began later, in units of one verify: where that is a millisecond, today is 1.8e12 since 1970.
const LATEST: f64 = 1e14;
/// The normal score of an interval that holds 95 %.
const COVERS: f64 = 1.959_963_985;
/// A gain of a larger share is as good as this one.
const MOST_GAIN: f64 = 1e200;
/// The score of what no noise can have made.
const BEYOND_DOUBT: f64 = 1e9;
/// The pause between two trials in units of one verify, before one was seen, and how many are remembered.
const PAUSE: f64 = 2.0;
const PAUSES: usize = 15;
/// One run of verify, as the journal holds it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct VerifyRun {
    /// When it began, in seconds since any fixed moment.
    pub at: f64,
    /// How long it took, in seconds.
    pub took: f64,
    pub side: Side,
    /// What it printed.
    pub value: f64,
    /// One unit of the last digit that it printed.
    pub digit: f64,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextRun {
    Candidate,
    Incumbent,
    /// None: the candidate is better.
    Keep,
    /// None: the candidate is worse, or as good.
    Worse,
    /// None: it may be better, and no number of runs that is worth its time would tell.
    CannotTell,
}

/// What has been learned of the candidate of this trial. Shares of the incumbent's value; above zero is better.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KnownGain {
    pub gain: f64,
    /// The ends of the interval that holds the gain with 95 %.
    pub low: f64,
    pub high: f64,
    /// How many standard deviations it is away from nothing, as a normal score, and the score that keeps.
    pub score: f64,
    pub needed: f64,
}

/// A kept trial, and its score.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeptScore {
    /// Its number, as the caller gave it.
    pub trial: u32,
    pub score: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Mode {
    /// Runs of the incumbent are collected.
    Calibrating(Vec<VerifyRun>),
    /// Every run of the incumbent printed `held`; the candidate's runs so far.
    Exact {
        held: f64,
        runs: Vec<VerifyRun>,
    },
    Noisy(Box<Noisy>),
}

/// The rule's state. `Evidence` feeds it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct KeepRule {
    direction: Direction,
    least_gain: f64,
    /// As long as all values are above zero.
    logarithmic: bool,
    may_be_exact: bool,
    /// Of how many cases each value is a count. Such a metric is never exact: equal counts are chance too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cases: Option<u32>,
    mode: Mode,
    /// One verify, in seconds.
    unit: f64,
    /// Two different values of one tree of a metric that was exact.
    difference: Option<(f64, f64)>,
    /// Runs in this trial, of both trees.
    runs: u32,
    /// Was the incumbent run in this trial?
    watched: bool,
    /// Trials since the incumbent's latest run, and when that was, in units of one verify.
    since_watch: u32,
    watched_at: f64,
    /// When the latest run ended, in seconds.
    ended_at: f64,
    trials: u32,
    kept: Vec<KeptScore>,
    pauses: Vec<f64>,
}

impl KeepRule {
    pub(super) fn new(direction: Direction, least_gain: f64) -> Self {
        Self {
            direction,
            least_gain,
            logarithmic: true,
            may_be_exact: true,
            cases: None,
            mode: Mode::Calibrating(Vec::new()),
            unit: 1.0,
            difference: None,
            runs: 0,
            watched: false,
            since_watch: 0,
            watched_at: 0.0,
            ended_at: 0.0,
            trials: 0,
            kept: Vec::new(),
            pauses: Vec::new(),
        }
    }

    /// The rule for counts of so many cases. They reach zero, so differences are compared.
    pub(super) fn of_cases(self, cases: Option<u32>) -> Self {
        Self {
            logarithmic: cases.is_none(),
            may_be_exact: cases.is_none(),
            cases,
            ..self
        }
    }

    pub(super) fn counts_cases(&self) -> bool {
        self.cases.is_some()
    }

    pub(super) fn direction(&self) -> Direction {
        self.direction
    }

    pub(super) fn is_calibrated(&self) -> bool {
        !matches!(self.mode, Mode::Calibrating(_))
    }

    pub(super) fn is_exact(&self) -> bool {
        matches!(self.mode, Mode::Exact { .. })
    }

    /// The keeps so far, in their order.
    pub(super) fn list_keeps(&self) -> &[KeptScore] {
        &self.kept
    }

    /// The scale and the spread of a noisy metric.
    pub(super) fn find_spread(&self) -> Option<(&ValueScale, &Spread, f64)> {
        match &self.mode {
            Mode::Noisy(noisy) => {
                let level = noisy.bank.pick_belief().0.level;
                Some((&noisy.scale, &noisy.spread, level))
            }
            _ => None,
        }
    }

    // ---- what a run changes

    pub(super) fn take_run(&mut self, run: &VerifyRun) {
        let begun = run.side == Side::Candidate && self.runs == 0;
        if begun && self.is_calibrated() {
            self.note_pause(run.at);
        }
        self.ended_at = run.at + run.took.max(0.0);
        self.runs += 1;
        if !run.value.is_finite() || !run.at.is_finite() {
            return;
        }
        if run.value <= 0.0 {
            self.end_logarithms();
        }
        match (&mut self.mode, run.side) {
            (Mode::Calibrating(_), Side::Candidate) => {}
            (Mode::Calibrating(runs), Side::Incumbent) => {
                runs.push(*run);
                let runs = std::mem::take(runs);
                self.try_calibration(runs);
            }
            (Mode::Exact { held, runs }, side) => {
                let before = match side {
                    Side::Incumbent => Some(*held),
                    Side::Candidate => runs.first().map(|first| first.value),
                };
                if side == Side::Candidate {
                    runs.push(*run);
                } else {
                    self.watched = true;
                }
                if let Some(before) = before
                    && !is_equal(before, run.value)
                {
                    self.end_exactness(before, run);
                }
            }
            (Mode::Noisy(_), _) => self.take_noisy_run(run),
        }
    }

    /// Ratios end at nothing: from here on differences are compared, as shares of the first value.
    fn end_logarithms(&mut self) {
        if self.logarithmic
            && let Mode::Noisy(noisy) = &mut self.mode
        {
            noisy.end_logarithms();
        }
        self.logarithmic = false;
    }

    fn note_pause(&mut self, at: f64) {
        if self.pauses.len() == PAUSES {
            self.pauses.remove(0);
        }
        let pause = (at - self.ended_at) / self.unit;
        self.pauses.push(pause.clamp(0.0, 1e3));
    }

    fn try_calibration(&mut self, runs: Vec<VerifyRun>) {
        let first = runs[0].value;
        let equal = runs.iter().all(|run| is_equal(run.value, first));
        let took: Vec<f64> = runs.iter().map(|run| run.took).collect();
        self.unit = Some(find_median(&took))
            .filter(|unit| unit.is_finite() && *unit > SHORTEST)
            .unwrap_or(1.0);
        self.mode = if self.may_be_exact && equal && runs.len() == EXACT_RUNS {
            Mode::Exact {
                held: first,
                runs: Vec::new(),
            }
        } else if runs.len() < CALIBRATION_RUNS {
            Mode::Calibrating(runs)
        } else {
            self.calibrate_noise(&runs)
        };
        if self.is_calibrated() {
            self.runs = 0;
        }
    }

    fn calibrate_noise(&mut self, runs: &[VerifyRun]) -> Mode {
        self.may_be_exact = false;
        let scale = ValueScale::new(self.direction, runs[0].value, self.logarithmic);
        let sights: Vec<Sight> = runs.iter().map(|run| self.place_run(&scale, run)).collect();
        self.watched = true;
        self.watched_at = sights.last().map_or(0.0, |sight| sight.at);
        Mode::Noisy(Box::new(Noisy::of_runs(
            &sights,
            scale,
            self.difference,
            self.cases,
        )))
    }

    /// One tree gave two values: the metric never was exact. The candidate's runs were chosen for being good, and are
    /// forgotten.
    fn end_exactness(&mut self, before: f64, run: &VerifyRun) {
        self.difference = Some((before, run.value));
        self.may_be_exact = false;
        let incumbent = (run.side == Side::Incumbent).then_some(*run);
        self.mode = Mode::Calibrating(incumbent.into_iter().collect());
    }

    fn place_run(&self, scale: &ValueScale, run: &VerifyRun) -> Sight {
        Sight {
            at: (run.at / self.unit).clamp(-LATEST, LATEST),
            value: scale.place_value(run.value),
            side: run.side,
        }
    }

    fn take_noisy_run(&mut self, run: &VerifyRun) {
        let least_gain = self.least_gain;
        let Mode::Noisy(noisy) = &self.mode else {
            return;
        };
        let sight = self.place_run(&noisy.scale, run);
        if let Mode::Noisy(noisy) = &mut self.mode {
            noisy.take_sight(sight, least_gain);
        }
        if sight.side == Side::Incumbent {
            self.watched = true;
            self.watched_at = sight.at;
        }
    }

    // ---- what a close changes

    pub(super) fn end_trial(&mut self, kept: Option<u32>) {
        if self.runs == 0 {
            return;
        }
        let score = self.find_trial_score();
        match &mut self.mode {
            Mode::Calibrating(_) => {}
            Mode::Exact { held, runs } => {
                if kept.is_some()
                    && let Some(run) = runs.first()
                {
                    // Its equal runs are as good a proof as a run of the incumbent.
                    *held = run.value;
                    self.watched = true;
                }
                runs.clear();
            }
            Mode::Noisy(noisy) => noisy.end_trial(kept.is_some(), self.least_gain),
        }
        self.runs = 0;
        self.since_watch = if self.watched {
            0
        } else {
            self.since_watch + 1
        };
        self.watched = false;
        self.trials += 1;
        self.kept
            .extend(kept.map(|trial| KeptScore { trial, score }));
    }

    /// Runs of the incumbent outside of a trial are over: they say where the level is, and vouch for no trial to come.
    pub(super) fn end_watch(&mut self) {
        if let Mode::Noisy(noisy) = &mut self.mode {
            noisy.end_trial(false, self.least_gain);
        }
        self.runs = 0;
        if self.watched {
            self.since_watch = 0;
        }
        self.watched = false;
    }

    /// The score of the candidate as it stands; that of an exact metric is beyond doubt.
    fn find_trial_score(&self) -> f64 {
        match &self.mode {
            Mode::Noisy(noisy) => {
                let noisy = noisy.choose_scale();
                let expected = noisy.find_expected(self.least_gain);
                let belief = noisy.believe(&noisy.list_counted(), &expected);
                let score = noisy.find_score(&belief);
                // Values beyond all measure leave none; a record has no infinity.
                if score.is_nan() {
                    0.0
                } else {
                    score.clamp(-BEYOND_DOUBT, BEYOND_DOUBT)
                }
            }
            _ => BEYOND_DOUBT,
        }
    }

    // ---- what to do next

    pub(super) fn find_next_run(&self, at_hand: bool) -> NextRun {
        match &self.mode {
            Mode::Calibrating(_) if at_hand => NextRun::Incumbent,
            Mode::Calibrating(_) => NextRun::CannotTell,
            Mode::Exact { held, runs } => self.judge_exact(*held, runs, at_hand),
            Mode::Noisy(noisy) => self.judge_noisy(noisy, at_hand),
        }
    }

    fn judge_exact(&self, held: f64, runs: &[VerifyRun], at_hand: bool) -> NextRun {
        let Some(first) = runs.first() else {
            return NextRun::Candidate;
        };
        let gain = match self.direction {
            Direction::Lower => held - first.value,
            Direction::Higher => first.value - held,
        };
        // The smallest gain that can be printed is what rounding makes of noise: a third run has to agree.
        let wanted = if gain <= 1.5 * first.digit { 3 } else { 2 };
        if gain > 0.0 && runs.len() < wanted {
            NextRun::Candidate
        } else if gain > 0.0 {
            NextRun::Keep
        } else if at_hand && self.since_watch + 1 >= EXACT_WATCH && !self.watched {
            NextRun::Incumbent
        } else {
            NextRun::Worse
        }
    }

    /// Without the incumbent at hand, its level is what the earlier runs say, and a keep is not protected against a machine
    /// that got faster since.
    fn judge_noisy(&self, noisy: &Noisy, at_hand: bool) -> NextRun {
        if noisy.is_surprised() && at_hand {
            return NextRun::Incumbent;
        }
        let noisy = noisy.choose_scale();
        let counted = noisy.list_counted();
        let runs = count_side(&counted, Side::Candidate);
        if runs == 0 {
            let due = at_hand && self.since_watch >= NOISY_WATCH && !self.watched;
            return match (due, self.runs < TRIAL_RUNS) {
                (true, true) => NextRun::Incumbent,
                (false, true) => NextRun::Candidate,
                (_, false) => NextRun::CannotTell,
            };
        }
        let expected = noisy.find_expected(self.least_gain);
        if at_hand && !self.watched && noisy.is_level_stale(&expected) {
            return NextRun::Incumbent;
        }
        let belief = noisy.believe(&counted, &expected);
        let (_, rate) = noisy.bank.pick_belief();
        let belief = belief.wait_until(self.ended_at / self.unit, rate * expected.noise);
        let bound = self.find_bound(belief.effect_variance, expected.prior);
        let clear = noisy.find_score(&belief) >= bound;
        if clear && runs >= LEAST_RUNS {
            let watched = count_side(&counted, Side::Incumbent) > 0;
            let fresh = self.ended_at / self.unit - self.watched_at <= FRESH;
            if watched || (rate <= 0.0 && fresh) || !at_hand {
                return NextRun::Keep;
            }
            if self.runs < TRIAL_RUNS {
                return NextRun::Incumbent;
            }
        }
        let spent = runs >= CANDIDATE_RUNS || self.runs >= TRIAL_RUNS;
        if spent || (!clear && !self.is_worth_running(&belief, &expected)) {
            return if belief.effect < 0.0 {
                NextRun::CannotTell
            } else {
                NextRun::Worse
            };
        }
        let news = |side| belief.foresee_news(side, expected.noise);
        if at_hand && PREFERENCE * news(Side::Incumbent) > news(Side::Candidate) {
            NextRun::Incumbent
        } else {
            NextRun::Candidate
        }
    }

    /// The score that keeps an effect that is known with this variance: that of a Bayes factor of `FACTOR` for "normal with
    /// the prior's variance" against "nothing", corrected for the rate of keeps.
    fn find_bound(&self, variance: f64, prior: f64) -> f64 {
        let data = 1.0 / (1.0 / variance.max(f64::MIN_POSITIVE) - 1.0 / prior).max(1e-9 / prior);
        let kept = count_as_double(self.kept.len()) + RATE_KEEPS;
        let rate = kept / (f64::from(self.trials + 1) + RATE_TRIALS);
        let factor = FACTOR + RATE_POWER * (RATE_USUAL / rate).ln().max(0.0);
        (factor + (prior / data).ln_1p()).max(1.0).sqrt()
    }

    /// Is there a plan of one to six further runs, of the candidate or of both trees, that is expected to gain more than its
    /// runs cost? The gain of a plan is that of a call option: the expected part of the effect beyond the bound, before the
    /// runs are made (value of information, Raiffa and Schlaifer 1961).
    fn is_worth_running(&self, belief: &Belief, expected: &Expected) -> bool {
        let width = expected.prior.sqrt();
        let pause = if self.pauses.is_empty() {
            PAUSE
        } else {
            find_median(&self.pauses)
        };
        let price = PRICE * width / (1.0 + expected.noise.sqrt() / width) / (1.0 + pause);
        let gain = -belief.effect;
        (1..=PLANNED).map(f64::from).any(|runs| {
            [false, true].into_iter().any(|both| {
                let after = belief
                    .foresee_variance(runs, expected.noise, both)
                    .max(f64::MIN_POSITIVE);
                let told = (belief.effect_variance - after)
                    .max(f64::MIN_POSITIVE)
                    .sqrt();
                let bound = self.find_bound(after, expected.prior) * after.sqrt();
                let score = (gain - bound) / told;
                let value = gain * find_probability(score) + told * find_density(score);
                value > price * runs * if both { 2.0 } else { 1.0 }
            })
        })
    }

    // ---- what people are told

    /// Does a run of the candidate with this value count? All of an exact metric do.
    pub(super) fn counts_value(&self, value: f64) -> bool {
        let Mode::Noisy(noisy) = &self.mode else {
            return true;
        };
        let noisy = noisy.choose_scale();
        let place = noisy.scale.place_value(value);
        let is_same =
            |sight: &Sight| sight.side == Side::Candidate && sight.value.total_cmp(&place).is_eq();
        noisy.list_counted().iter().any(is_same)
    }

    /// How many runs of each tree would have told a gain of this size, a share, from nothing; `None` for an exact metric.
    pub(super) fn count_needed_runs(&self, gain: f64) -> Option<f64> {
        let Mode::Noisy(noisy) = &self.mode else {
            return None;
        };
        let expected = noisy.find_expected(self.least_gain);
        let score = self.find_bound(gain * gain / 4.0, expected.prior);
        let runs = 2.0 * expected.noise * (score / gain).powi(2);
        Some(runs.ceil()).filter(|runs| runs.is_finite())
    }

    /// What is known of this trial's candidate; `None` before its first run, and for an exact metric.
    pub(super) fn describe_gain(&self) -> Option<KnownGain> {
        let Mode::Noisy(noisy) = &self.mode else {
            return None;
        };
        let began_as_ratio = noisy.scale.is_logarithmic();
        let noisy = noisy.choose_scale();
        let counted = noisy.list_counted();
        if count_side(&counted, Side::Candidate) == 0 {
            return None;
        }
        // Amounts are told as shares of the level, as ratios are.
        let whole = if began_as_ratio && !noisy.scale.is_logarithmic() {
            noisy.bank.pick_belief().0.level.max(f64::MIN_POSITIVE)
        } else {
            1.0
        };
        let expected = noisy.find_expected(self.least_gain);
        let belief = noisy.believe(&counted, &expected);
        let raw = noisy.read_runs(&counted, &expected);
        let wide = COVERS * raw.effect_variance.sqrt();
        let raw = raw.effect;
        let share = |step| (noisy.scale.describe_gain(step) / whole).clamp(-MOST_GAIN, MOST_GAIN);
        Some(KnownGain {
            gain: share(raw),
            low: share(raw + wide),
            high: share(raw - wide),
            score: noisy.find_score(&belief),
            needed: self.find_bound(belief.effect_variance, expected.prior),
        })
    }

    /// The gain that half of the candidates that have it are kept for in one trial of as many runs as a trial may have.
    pub(super) fn find_visible_gain(&self) -> f64 {
        let Mode::Noisy(noisy) = &self.mode else {
            return 0.0;
        };
        let expected = noisy.find_expected(self.least_gain);
        let belief = noisy
            .bank
            .pick_belief()
            .0
            .expect_effect(0.0, expected.prior);
        let after = belief.foresee_variance(f64::from(TRIAL_RUNS) / 2.0, expected.noise, true);
        let told = (1.0 - after / expected.prior).max(f64::MIN_POSITIVE);
        let step = self.find_bound(after, expected.prior) * after.sqrt() / told;
        noisy.scale.describe_gain(-step)
    }
}

/// Are two printed values the same number?
fn is_equal(one: f64, other: f64) -> bool {
    one.partial_cmp(&other)
        .is_some_and(std::cmp::Ordering::is_eq)
}
