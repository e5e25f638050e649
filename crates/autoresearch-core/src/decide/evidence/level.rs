//! Owns what is believed of two trees at once: the incumbent's level, which may wander, and the candidate's effect on it.
//! Does not know when to run which, nor what is kept.
//! Invariant: a variance is never negative, and what wanders faster is never believed to be better known.
//!
//! It is a Kalman filter with two states (Kalman 1960; West and Harrison, Bayesian Forecasting, 1997, chapter 2): the level is
//! a random walk, the effect a constant with a normal prior. A rate of zero makes all runs of the incumbent one mean; a large
//! rate compares each run of the candidate with the nearest runs of the incumbent, as interleaved pairs do. The rate is
//! unknown, so a bank of filters runs beside each other (multiple models; Magill 1965), each weighed by how well it foretold
//! the runs.

use serde::{Deserialize, Serialize};

/// Rates at which the level may wander: variance that is added in the time of one verify, in parts of a run's variance.
/// A decade in two steps from what 200 runs can hardly show to a level that is new with each run.
pub const RATES: [f64; 7] = [0.0, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0];
/// Prior weight of a level that stays: most machines show no drift within a night, half of them is cautious.
const STAYS: f64 = 0.5;
/// The slowest rate is believed whose weight, with those below it, reaches this. Above one half, so that a doubt about drift is
/// answered by fresh runs of the incumbent: at 0.55 38 % of the nights without effects on a machine that swings
/// kept something, at 0.6 29 %.
const BELIEVED: f64 = 0.6;
/// A surprise of more than three deviations moves a level or an effect no further than three: a wild run is not followed.
const REACH: f64 = 3.0;
/// Weights forget with this factor a trial, so that a machine that begins to drift at noon is believed by evening: the
/// memory is fifty trials.
const MEMORY: f64 = 0.98;
/// No rate loses more than this (a factor of e^12) against the best one, so that it can come back within a few trials.
const DEEPEST: f64 = -12.0;

/// The variances and the relation of level and effect, all on the evidence's scale (log ratios).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Belief {
    pub level: f64,
    pub level_variance: f64,
    pub effect: f64,
    pub effect_variance: f64,
    /// Covariance of level and effect.
    pub shared: f64,
    /// When the latest run began, in units of one verify.
    pub at: f64,
    /// Logarithm of the probability of the runs seen so far.
    pub fit: f64,
    /// Has the candidate been seen?
    met: bool,
}

/// One run of a trial, on the evidence's scale.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sight {
    /// When it began, in units of one verify.
    pub at: f64,
    pub value: f64,
    pub side: Side,
}

/// Whose run it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    Incumbent,
    Candidate,
}

impl Belief {
    /// A level that is known with this variance, before any candidate.
    #[must_use]
    pub fn of_level(level: f64, level_variance: f64, at: f64) -> Self {
        Self {
            level,
            level_variance,
            at,
            ..Self::default()
        }
    }

    fn is_finite(&self) -> bool {
        let Self {
            level,
            level_variance,
            effect,
            effect_variance,
            shared,
            at,
            fit,
            met: _,
        } = self;
        let all = [
            level,
            level_variance,
            effect,
            effect_variance,
            shared,
            at,
            fit,
        ];
        all.into_iter().all(|number| number.is_finite())
    }

    /// The same level with a new candidate, whose effect is expected as normal with this mean and variance.
    #[must_use]
    pub fn expect_effect(self, mean: f64, variance: f64) -> Self {
        Self {
            effect: mean,
            effect_variance: variance,
            shared: 0.0,
            met: false,
            ..self
        }
    }

    /// The belief when the effect is also expected to be normal with this mean and variance. It comes after the runs, and not
    /// before them, so that a large effect does not make each run of its candidate a surprise.
    #[must_use]
    pub fn meet_prior(self, mean: f64, variance: f64) -> Self {
        let all = self.effect_variance + variance;
        let far = mean - self.effect;
        Self {
            level: self.level + self.shared / all * far,
            effect: self.effect + self.effect_variance / all * far,
            level_variance: (self.level_variance - self.shared * (self.shared / all)).max(0.0),
            effect_variance: self.effect_variance * (variance / all),
            shared: self.shared * (variance / all),
            ..self
        }
    }

    /// The belief at a later time: the level has wandered by `rate` a unit of time.
    #[must_use]
    pub fn wait_until(self, at: f64, rate: f64) -> Self {
        Self {
            level_variance: self.level_variance + rate * (at - self.at).max(0.0),
            at: self.at.max(at),
            ..self
        }
    }

    /// The belief after a run with the variance `noise`. The candidate's first run is taken as it is and says nothing of the
    /// fit: how far an idea goes is no news about the machine.
    #[must_use]
    pub fn after_run(self, sight: &Sight, noise: f64, rate: f64) -> Self {
        let mut now = self.wait_until(sight.at, rate);
        let (foretold, to_level, to_effect) = match sight.side {
            Side::Incumbent => (now.level, now.level_variance, now.shared),
            Side::Candidate => (
                now.level + now.effect,
                now.level_variance + now.shared,
                now.shared + now.effect_variance,
            ),
        };
        let known = match sight.side {
            Side::Incumbent => to_level,
            Side::Candidate => to_level + to_effect,
        };
        // Rounding can make a sum of large variances and their covariance fall below nothing.
        let variance = known.max(0.0) + noise;
        let mut surprise = sight.value - foretold;
        if sight.side == Side::Incumbent || now.met {
            let reach = REACH * variance.sqrt();
            now.fit -= 0.5 * ((surprise * surprise / variance).min(REACH * REACH) + variance.ln());
            surprise = surprise.clamp(-reach, reach);
        }
        now.met |= sight.side == Side::Candidate;
        now.level += to_level / variance * surprise;
        now.effect += to_effect / variance * surprise;
        now.level_variance = (now.level_variance - to_level * (to_level / variance)).max(0.0);
        now.effect_variance = (now.effect_variance - to_effect * (to_effect / variance)).max(0.0);
        now.shared -= to_level * (to_effect / variance);
        now
    }

    /// The belief after some runs.
    #[must_use]
    pub fn after_runs(self, sights: &[Sight], noise: f64, rate: f64) -> Self {
        sights
            .iter()
            .fold(self, |belief, sight| belief.after_run(sight, noise, rate))
    }

    /// The effect's variance if `runs` more runs of the candidate were made, after as many of the incumbent when `both`.
    #[must_use]
    pub fn foresee_variance(&self, runs: f64, noise: f64, both: bool) -> f64 {
        let (mut level, mut shared, mut effect) =
            (self.level_variance, self.shared, self.effect_variance);
        if both {
            let all = level + noise / runs;
            effect -= shared * shared / all;
            shared -= level * shared / all;
            level -= level * level / all;
        }
        let told = shared + effect;
        effect - told * told / (level + 2.0 * shared + effect + noise / runs)
    }

    /// How much one run of this side would take off the effect's variance.
    #[must_use]
    pub fn foresee_news(&self, side: Side, noise: f64) -> f64 {
        match side {
            Side::Incumbent => self.shared * self.shared / (self.level_variance + noise),
            Side::Candidate => self.effect_variance - self.foresee_variance(1.0, noise, false),
        }
    }

    /// The level after the trial, when the effect turned out to be this with this variance: the incumbent's, or with `kept`
    /// the candidate's, which is the next incumbent. Level and effect are jointly normal, so the level moves with the effect
    /// along their regression.
    #[must_use]
    pub fn settle_level(&self, effect: f64, variance: f64, kept: bool) -> Self {
        let slope = if self.effect_variance > 0.0 {
            self.shared / self.effect_variance
        } else {
            0.0
        };
        let rest = (self.level_variance - slope * self.shared).max(0.0);
        let level = self.level + slope * (effect - self.effect);
        let (level, slope) = if kept {
            (level + effect, 1.0 + slope)
        } else {
            (level, slope)
        };
        self.restart_level(level, rest + slope * slope * variance, self.at)
    }

    /// Another level in its place, with the fit of before.
    #[must_use]
    pub fn restart_level(&self, level: f64, variance: f64, at: f64) -> Self {
        Self {
            fit: self.fit,
            ..Self::of_level(level, variance, at)
        }
    }
}

/// The filters of all rates.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bank([Belief; RATES.len()]);

impl Bank {
    /// The bank after runs of one tree. `middle` is their robust centre, which is what a level that stays is.
    #[must_use]
    pub fn of_runs(sights: &[Sight], middle: f64, noise: f64) -> Self {
        let Some((first, later)) = sights.split_first() else {
            return Self([Belief::of_level(middle, noise, 0.0); RATES.len()]);
        };
        let count = super::normal::count_as_double(sights.len());
        Self(RATES.map(|rate| {
            let start = Belief::of_level(first.value, noise, first.at);
            let seen = start.after_runs(later, noise, rate * noise);
            if rate > 0.0 {
                seen
            } else {
                Belief {
                    fit: seen.fit,
                    ..Belief::of_level(middle, noise / count, seen.at)
                }
            }
        }))
    }

    /// The belief to act on, with its rate in parts of a run's variance.
    #[must_use]
    pub fn pick_belief(&self) -> (Belief, f64) {
        let best = self.find_best_fit();
        let weights = self
            .0
            .iter()
            .zip(RATES)
            .map(|(belief, rate)| {
                let others = super::normal::count_as_double(RATES.len() - 1);
                let prior = if rate > 0.0 {
                    (1.0 - STAYS) / others
                } else {
                    STAYS
                };
                prior * (belief.fit - best).exp()
            })
            .collect::<Vec<f64>>();
        let all: f64 = weights.iter().sum();
        let mut sum = 0.0;
        for ((weight, belief), rate) in weights.iter().zip(&self.0).zip(RATES) {
            sum += weight / all;
            if sum >= BELIEVED {
                return (*belief, rate);
            }
        }
        (self.0[RATES.len() - 1], RATES[RATES.len() - 1])
    }

    /// Changes each belief, given its rate in parts of a run's variance. What is no number any more, since values of a run were
    /// hundreds of digits apart, is not believed: the one before stays.
    pub fn change_each(&mut self, change: impl Fn(&Belief, f64) -> Belief) {
        for (belief, rate) in self.0.iter_mut().zip(RATES) {
            let changed = change(belief, rate);
            if changed.is_finite() {
                *belief = changed;
            }
        }
    }

    /// After a trial: weights fade and are kept within reach of each other.
    pub fn fade_weights(&mut self) {
        let best = self.find_best_fit();
        for belief in &mut self.0 {
            belief.fit = (MEMORY * (belief.fit - best)).max(DEEPEST);
        }
    }

    fn find_best_fit(&self) -> f64 {
        self.0
            .iter()
            .map(|belief| belief.fit)
            .fold(f64::NEG_INFINITY, f64::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn see(side: Side, runs: &[(f64, f64)]) -> Vec<Sight> {
        runs.iter()
            .map(|&(at, value)| Sight { at, value, side })
            .collect()
    }

    fn assert_near(found: f64, known: f64) {
        assert!((found - known).abs() < 1e-6, "{found} for {known}");
    }

    #[test]
    fn a_level_that_stays_is_the_mean_of_its_runs() {
        let runs = see(Side::Incumbent, &[(0.0, 1.0), (1.0, 2.0), (9.0, 6.0)]);
        let belief = Belief::of_level(0.0, 1e9, 0.0).after_runs(&runs, 4.0, 0.0);
        assert_near(belief.level, 3.0);
        assert_near(belief.level_variance, 4.0 / 3.0);
    }

    #[test]
    fn with_a_flat_prior_the_effect_is_the_difference_of_the_means() {
        let mut runs = see(Side::Incumbent, &[(0.0, 1.0), (1.0, 2.0)]);
        runs.extend(see(Side::Candidate, &[(2.0, 0.2), (3.0, 0.4)]));
        let belief = Belief::of_level(0.0, 1e9, 0.0)
            .expect_effect(0.0, 1e9)
            .after_runs(&runs, 1.0, 0.0);
        assert_near(belief.effect, 0.3 - 1.5);
        assert_near(belief.effect_variance, 1.0);
        let kept = belief.settle_level(belief.effect, belief.effect_variance, true);
        assert_near(kept.level, 0.3);
        assert_near(kept.level_variance, 0.5);
        let back = belief.settle_level(belief.effect, belief.effect_variance, false);
        assert_near(back.level, 1.5);
    }

    #[test]
    fn a_prior_after_the_runs_is_the_same_as_before_them() {
        let mut runs = see(Side::Candidate, &[(0.0, -1.0), (1.0, -1.5)]);
        runs.extend(see(Side::Incumbent, &[(2.0, 0.1)]));
        let level = Belief::of_level(0.0, 0.3, 0.0);
        let before = level.expect_effect(0.2, 2.0).after_runs(&runs, 1.0, 0.0);
        let after = level
            .expect_effect(0.0, 1e9)
            .after_runs(&runs, 1.0, 0.0)
            .meet_prior(0.2, 2.0);
        for (found, known) in [
            (after.level, before.level),
            (after.effect, before.effect),
            (after.level_variance, before.level_variance),
            (after.effect_variance, before.effect_variance),
            (after.shared, before.shared),
        ] {
            assert_near(found, known);
        }
    }

    #[test]
    fn what_is_foreseen_comes_true() {
        let known = Belief::of_level(0.0, 0.3, 0.0)
            .expect_effect(0.0, 2.0)
            .after_runs(&see(Side::Candidate, &[(0.0, -1.0)]), 1.0, 0.0);
        let mut both = see(Side::Incumbent, &[(1.0, 0.1)]);
        both.extend(see(Side::Candidate, &[(2.0, -0.4)]));
        let after = known.after_runs(&both, 1.0, 0.0);
        assert_near(
            known.foresee_variance(1.0, 1.0, true),
            after.effect_variance,
        );
        let alone = known.after_run(&both[1], 1.0, 0.0);
        assert_near(
            known.effect_variance - alone.effect_variance,
            known.foresee_news(Side::Candidate, 1.0),
        );
        let other = known.after_run(&both[0], 1.0, 0.0);
        assert_near(
            known.effect_variance - other.effect_variance,
            known.foresee_news(Side::Incumbent, 1.0),
        );
    }

    #[test]
    fn what_is_no_number_is_not_believed() {
        let runs = see(Side::Incumbent, &[(0.0, 1.0), (1.0, 2.0)]);
        let before = Bank::of_runs(&runs, 1.5, 0.3);
        let mut bank = before;
        bank.change_each(|belief, _| Belief {
            level_variance: f64::INFINITY - f64::INFINITY,
            ..*belief
        });
        assert_eq!(bank, before);
        bank.change_each(|belief, _| Belief {
            level: 3.0,
            ..*belief
        });
        assert_near(bank.pick_belief().0.level, 3.0);
    }

    #[test]
    fn a_wild_run_moves_the_level_by_three_deviations_at_most() {
        let wild = see(Side::Incumbent, &[(0.0, 1e9)]);
        let belief = Belief::of_level(0.0, 1.0, 0.0).after_runs(&wild, 1.0, 0.0);
        assert_near(belief.level, 0.5 * 3.0 * 2_f64.sqrt());
    }

    #[test]
    fn the_bank_believes_in_drift_where_there_is_some_and_forgets_it_in_time() {
        let steady: Vec<(f64, f64)> = (0..20)
            .map(|at| (f64::from(at), f64::from(at % 2)))
            .collect();
        let wanders: Vec<(f64, f64)> = (0..20)
            .map(|at| (f64::from(at), f64::from(at) + f64::from(at % 2)))
            .collect();
        let bank = |runs: &[(f64, f64)]| Bank::of_runs(&see(Side::Incumbent, runs), 0.5, 0.3);
        assert!(bank(&steady).pick_belief().1 <= 0.01);
        let mut drifting = bank(&wanders);
        assert!(drifting.pick_belief().1 > 0.01);
        for _ in 0..400 {
            drifting.fade_weights();
        }
        assert!(drifting.pick_belief().1 <= 0.01);
    }
}
