//! Owns the rule for a metric: what is believed after the recorded runs, which run tells most, and when a trial is decided.
//! Does not run anything, and knows no config, guard or journal: runs go in with their time, their tree and their value.
//! Invariant: two folds of the same records believe the same, to the last bit.
//!
//! One estimator serves all metrics. A run of the candidate is compared with a level of the incumbent that may wander
//! (`level`), by a spread that is learned from repeats of one tree (`spread`). Every run counts, the first one too, because
//! the effect has a prior that is centred on nothing. The same prior makes the score a Bayes factor against "no effect", which
//! may be looked at after each run (Johari, Pekelis and Walsh, Always Valid Inference, 2015). A metric that repeats itself
//! is exact until two runs of one tree differ, once, and then never again. A count of cases is never exact: its spread is at
//! least that of a binomial count.

pub mod claim;
pub mod level;
mod noisy;
pub mod normal;
pub mod rule;
pub mod spread;

use serde::{Deserialize, Serialize};

use self::claim::{PairClaim, RunNoise};
use self::normal::find_median;
use self::rule::{KeepRule, KeptScore, KnownGain, NextRun, VerifyRun};
use self::spread::ValueScale;
use crate::metric::definition::Direction;

/// A keep with a lower score is tried again at the end.
const WEAK: f64 = 3.2;
/// It is dropped when its pairs show less than this part of a pair's deviation on average: one pair shows it for one in three
/// that do nothing, four pairs for one in five. What is as small as that would not have been kept.
const DROPPED: f64 = 0.4;
/// So many pairs at most for each weak keep.
pub const WEAK_PAIRS: usize = 4;

/// What the pairs at the end claim. Shares of the starting value; above zero is better.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClaimedGain {
    pub gain: f64,
    /// The ends of the interval that holds the true gain in 95 of 100 claims.
    pub low: f64,
    pub high: f64,
    pub pairs: usize,
}

/// What is believed after the recorded runs. It does not grow with them, but for two numbers a keep.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Evidence {
    rule: KeepRule,
}

impl Default for Evidence {
    /// Nothing recorded of a metric of which nothing is known.
    fn default() -> Self {
        Self::new(Direction::Lower, 0.0)
    }
}

impl Evidence {
    /// Nothing recorded. `least_gain` is the smallest gain that matters, as a share of the value; 0 when any does.
    #[must_use]
    pub fn new(direction: Direction, least_gain: f64) -> Self {
        let least_gain = if least_gain.is_finite() {
            least_gain.max(0.0)
        } else {
            0.0
        };
        Self {
            rule: KeepRule::new(direction, least_gain),
        }
    }

    /// The same for a metric whose values count some of so many cases: what counting alone makes of them is noise, and equal
    /// values prove nothing.
    #[must_use]
    pub fn of_cases(self, cases: Option<u32>) -> Self {
        Self {
            rule: self.rule.of_cases(cases),
        }
    }

    /// Takes one run. What is no finite number is a run that told nothing.
    pub fn record_run(&mut self, run: VerifyRun) {
        self.rule.take_run(&run);
    }

    /// The trial is over: its number when it was kept. The verdict is the caller's: a guard may have refused what the numbers
    /// would keep.
    pub fn close_trial(&mut self, kept: Option<u32>) {
        self.rule.end_trial(kept);
    }

    /// Runs of the incumbent that belong to no trial are over, those of the start and those that a person asked for. Without
    /// this the next trial would take them for its own, however long ago they were made.
    pub fn close_watch(&mut self) {
        self.rule.end_watch();
    }

    /// What to do next. Until the metric is calibrated that is always a run of the incumbent, with or without a trial.
    #[must_use]
    pub fn find_next_run(&self) -> NextRun {
        self.rule.find_next_run(true)
    }

    /// The same where the incumbent's tree cannot be measured: its runs are never asked for, and what needs them is lost.
    #[must_use]
    pub fn find_next_candidate_run(&self) -> NextRun {
        self.rule.find_next_run(false)
    }

    /// Are the runs made that the start needs: three equal ones, or six?
    #[must_use]
    pub fn is_calibrated(&self) -> bool {
        self.rule.is_calibrated()
    }

    /// Did every run of one tree print one value so far?
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.rule.is_exact()
    }

    /// The standard deviation of a single run of the incumbent, as a share of its value; 0 when none was seen.
    #[must_use]
    pub fn find_run_spread(&self) -> f64 {
        self.rule
            .find_spread()
            .map_or(0.0, |(_, spread, level)| spread.find_variance(level).sqrt())
    }

    /// The gain, as a share, that half of the candidates that have it are kept for in one trial; 0 for an exact metric.
    #[must_use]
    pub fn find_visible_gain(&self) -> f64 {
        self.rule.find_visible_gain()
    }

    /// The same in cases, where the metric counts them and its noise is known.
    #[must_use]
    pub fn find_visible_cases(&self) -> Option<f64> {
        let (scale, ..) = self.rule.find_spread()?;
        let counts = self.rule.counts_cases();
        counts.then(|| self.find_visible_gain() * scale.reference())
    }

    /// How many runs of each tree would have told a gain of this size, a share, from nothing: at most 9,999, and 1 for an
    /// exact metric.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to 1..=9999"
    )]
    pub fn count_needed_runs(&self, gain: f64) -> u32 {
        let needed = self.rule.count_needed_runs(gain).unwrap_or(1.0);
        needed.clamp(1.0, 9_999.0) as u32
    }

    /// What is known of this trial's candidate; `None` before its first run, and for an exact metric.
    #[must_use]
    pub fn describe_gain(&self) -> Option<KnownGain> {
        self.rule.describe_gain()
    }

    /// Does a run of this trial's candidate with this value count, or did it meet something else than the others?
    #[must_use]
    pub fn counts_value(&self, value: f64) -> bool {
        self.rule.counts_value(value)
    }

    /// The kept trials that noise alone may have made, weakest first: each is worth a pair of the kept stack without and with
    /// it before the claim.
    #[must_use]
    pub fn list_weak_keeps(&self) -> Vec<KeptScore> {
        let mut weak: Vec<KeptScore> = self
            .rule
            .list_keeps()
            .iter()
            .copied()
            .filter(|kept| kept.score < WEAK)
            .collect();
        weak.sort_by(|one, other| one.score.total_cmp(&other.score));
        weak
    }

    /// Does the stack do better with a trial than without it? `pairs` are values without it and with it, and the answer may be
    /// asked for after each of up to `WEAK_PAIRS`.
    #[must_use]
    pub fn is_worth_keeping(&self, pairs: &[(f64, f64)]) -> bool {
        let Some(claim) = self.judge_pairs(pairs) else {
            return true;
        };
        let noise = self.find_pair_noise(&self.find_scale(pairs), pairs);
        claim.step < 0.0 && -claim.step >= DROPPED * (2.0 * noise.variance).sqrt()
    }

    /// The claim of fresh pairs of values, the starting tree's and the final one's, on a scale where a smaller number is
    /// better; `None` without pairs.
    #[must_use]
    pub fn judge_pairs(&self, pairs: &[(f64, f64)]) -> Option<PairClaim> {
        let scale = self.find_scale(pairs);
        let differences: Vec<f64> = pairs
            .iter()
            .map(|(first, second)| scale.place_value(*second) - scale.place_value(*first))
            .collect();
        claim::judge_differences(&differences, &self.find_pair_noise(&scale, pairs))
    }

    /// What fresh pairs say, as gains: shares of the starting value, above zero is better.
    #[must_use]
    pub fn describe_pairs(&self, pairs: &[(f64, f64)]) -> Option<ClaimedGain> {
        let found = self.judge_pairs(pairs)?;
        let scale = self.find_scale(pairs);
        Some(ClaimedGain {
            gain: scale.describe_gain(found.step),
            low: scale.describe_gain(found.step + found.half_width),
            high: scale.describe_gain(found.step - found.half_width),
            pairs: found.pairs,
        })
    }

    /// The scale of the night, or for an exact metric and for values that its logarithm cannot hold one of the pairs' own.
    fn find_scale(&self, pairs: &[(f64, f64)]) -> ValueScale {
        let above_zero = pairs.iter().all(|(one, other)| *one > 0.0 && *other > 0.0);
        match self.rule.find_spread() {
            Some((scale, ..)) if above_zero || !scale.is_logarithmic() => *scale,
            _ => {
                let first = pairs.first().map_or(1.0, |pair| pair.0);
                ValueScale::new(self.rule.direction(), first, above_zero)
            }
        }
    }

    /// The noise of single runs at both trees' values, as far as the night knows it on this scale.
    fn find_pair_noise(&self, scale: &ValueScale, pairs: &[(f64, f64)]) -> RunNoise {
        let Some((_, spread, _)) = self.rule.find_spread().filter(|known| known.0 == scale) else {
            return RunNoise::default();
        };
        let middle = |pick: fn(&(f64, f64)) -> f64| {
            scale.place_value(find_median(&pairs.iter().map(pick).collect::<Vec<f64>>()))
        };
        let places = [middle(|pair| pair.0), middle(|pair| pair.1)];
        let [one, other] = places.map(|place| spread.find_variance(place));
        let [near, far] = places.map(|place| spread.find_step(place));
        RunNoise {
            variance: f64::midpoint(one, other),
            freedom: spread.find_freedom(),
            step: near.max(far),
        }
    }
}

#[cfg(test)]
mod tests;
