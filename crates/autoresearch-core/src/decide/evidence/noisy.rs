//! Owns what is believed of a noisy metric: its scale, its spread, the incumbent's level, and this trial's candidate.
//! Does not decide what to run or to keep; `rule` does.
//! Invariant: a belief follows from runs alone; verdicts only say whose the level is next.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::level::{Bank, Belief, Side, Sight};
use super::normal::{convert_student_score, find_median};
use super::spread::{Spread, ValueScale};

/// The standard deviation that is expected of effects, as a share: most changes do little, and a good one gives one to five per
/// cent. With 1.5 % the false keeps in simulation were 7 % in place of 4 %, for 2 % more gain.
const EFFECT: f64 = 0.02;
/// Where noise is larger, effects that can be told at all are: half of a run's spread.
const EFFECT_OF_SPREAD: f64 = 0.5;
/// A few effects are larger than the rest: one in ten, ten times as large. Only the level is told by this mixture; a keep is not.
const WIDE: f64 = 10.0;
const WIDE_SHARE: f64 = 0.1;
/// The mean effect of candidates starts at nothing, with the weight of so many candidates.
const MEAN_WEIGHT: f64 = 3.0;
/// Of three or more runs one that is four spreads off their median does not count.
const ASTRAY: f64 = 4.0;
/// A run of the incumbent is a surprise beyond three spreads; a second one beyond two to the same side is a new machine. Both
/// by chance: 1 in 30,000.
const SURPRISE: f64 = 3.0;
const AGAIN: f64 = 2.0;
/// A level that may have wandered five spreads is seen again before anything is compared with it.
const STALE: f64 = 25.0;
/// The variance, in parts of a run's, of a level or an effect of which nothing is known.
const UNKNOWN: f64 = 1e6;
/// A candidate that fell to less than half, where noise would be more than twice as large, is compared by amounts.
const FALL: f64 = std::f64::consts::LN_2;
const SWELLS: f64 = 4.0;
/// What an effect is expected to be before it is measured, and what a run varies by: variances on the scale.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Expected {
    pub(super) noise: f64,
    pub(super) prior: f64,
    /// The mean effect of candidates so far. Above zero is worse.
    pub(super) mean: f64,
}

impl Expected {
    /// What a decision starts from. Candidates that were good so far are no reason to keep the next one.
    pub(super) fn find_decision_mean(&self) -> f64 {
        self.mean.max(0.0)
    }

    /// The effect and its variance when one effect in ten is ten times as large: what is far out is not pulled back.
    fn weigh_wide_prior(&self, raw: f64, variance: f64) -> (f64, f64) {
        let far = raw - self.mean;
        let part = |share: f64, width: f64| {
            let all = width + variance;
            let fit = share.ln() - 0.5 * (far * far / all + all.ln());
            (fit, self.mean + far * width / all, width * variance / all)
        };
        let usual = part(1.0 - WIDE_SHARE, self.prior);
        let wide = part(WIDE_SHARE, WIDE * WIDE * self.prior);
        let share = 1.0 / (1.0 + (usual.0 - wide.0).clamp(-500.0, 500.0).exp());
        let between = share * (1.0 - share) * (wide.1 - usual.1).powi(2);
        (
            share * wide.1 + (1.0 - share) * usual.1,
            share * wide.2 + (1.0 - share) * usual.2 + between,
        )
    }
}

impl Expected {
    /// The level after the runs of a trial: the candidate's when it was kept.
    fn settle_trial(&self, belief: &Belief, rate: f64, sights: &[Sight], kept: bool) -> Belief {
        let after = belief.expect_effect(0.0, UNKNOWN * self.noise).after_runs(
            sights,
            self.noise,
            rate * self.noise,
        );
        if count_side(sights, Side::Candidate) == 0 {
            return after.settle_level(0.0, 0.0, false);
        }
        let (effect, variance) = self.weigh_wide_prior(after.effect, after.effect_variance);
        after.settle_level(effect, variance, kept)
    }
}

/// What is believed of a noisy metric, and the trial under way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Noisy {
    pub(super) scale: ValueScale,
    pub(super) spread: Spread,
    pub(super) bank: Bank,
    /// The runs of this trial that count.
    sights: Vec<Sight>,
    /// A run of the incumbent that was a surprise, until it was run again.
    surprise: Option<Surprise>,
    /// Weight and weighted sum of the candidates' first effects.
    effects: (f64, f64),
}

/// What was foretold of a run of the incumbent that came out otherwise, and how surely.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Surprise {
    foretold: f64,
    deviation: f64,
    size: f64,
}

impl Noisy {
    /// Some runs of one tree become a scale, a spread and a level.
    pub(super) fn of_runs(
        sights: &[Sight],
        scale: ValueScale,
        known: Option<(f64, f64)>,
        cases: Option<u32>,
    ) -> Self {
        let mut spread = Spread::new(scale).of_cases(cases);
        if let Some((one, other)) = known {
            spread.learn_difference(scale.place_value(one), scale.place_value(other));
        }
        let places: Vec<f64> = sights.iter().map(|sight| sight.value).collect();
        let centre = spread.calibrate_places(&places);
        Self {
            scale,
            bank: Bank::of_runs(sights, centre, spread.find_variance(centre)),
            spread,
            sights: Vec::new(),
            surprise: None,
            effects: (0.0, 0.0),
        }
    }

    /// Takes a run of either tree.
    pub(super) fn take_sight(&mut self, sight: Sight, least_gain: f64) {
        match sight.side {
            Side::Incumbent => self.watch_incumbent(sight, least_gain),
            Side::Candidate => self.sights.push(sight),
        }
    }

    /// What is believed of ratios becomes what is believed of differences.
    pub(super) fn end_logarithms(&mut self) {
        let before = self.scale;
        self.scale = before.to_linear();
        self.spread = self.spread.to_linear();
        self.bank.change_each(|belief, _| {
            let level = before.convert_to_linear(belief.level);
            belief.restart_level(level, belief.level_variance * level * level, belief.at)
        });
        for sight in &mut self.sights {
            sight.value = before.convert_to_linear(sight.value);
        }
        self.surprise = None;
        self.effects = (0.0, 0.0);
    }

    /// The same on the scale where the trial's candidate is clearest. The logarithm of a value that fell to a few per cent makes
    /// huge distances of noise that stayed what it was; as an amount it is what it was.
    pub(super) fn choose_scale(&self) -> Cow<'_, Self> {
        let values = self.list_values(Side::Candidate);
        if !self.scale.is_logarithmic() || values.is_empty() {
            return Cow::Borrowed(self);
        }
        let level = self.bank.pick_belief().0.level;
        let middle = find_median(&values);
        let grows = self.spread.find_variance(middle) > SWELLS * self.spread.find_variance(level);
        if middle - level > -FALL || !grows {
            return Cow::Borrowed(self);
        }
        let mut amounts = self.clone();
        amounts.end_logarithms();
        Cow::Owned(amounts)
    }

    pub(super) fn is_surprised(&self) -> bool {
        self.surprise.is_some()
    }

    pub(super) fn find_expected(&self, least_gain: f64) -> Expected {
        let level = self.bank.pick_belief().0.level;
        let candidate: Vec<f64> = self
            .sights
            .iter()
            .filter(|sight| sight.side == Side::Candidate)
            .map(|sight| sight.value)
            .collect();
        let at_level = self.spread.find_variance(level);
        // A candidate far below the level is judged by the larger of the two spreads.
        let noise = if candidate.is_empty() {
            at_level
        } else {
            at_level.max(self.spread.find_variance(find_median(&candidate)))
        };
        let width = EFFECT
            .max(EFFECT_OF_SPREAD * noise.sqrt())
            .max(2.0 * least_gain);
        let (weight, sum) = self.effects;
        Expected {
            noise,
            prior: width * width,
            mean: sum / (weight + MEAN_WEIGHT),
        }
    }

    /// The belief that is acted on, after these runs, and without a prior of the effect.
    pub(super) fn read_runs(&self, sights: &[Sight], expected: &Expected) -> Belief {
        let (belief, rate) = self.bank.pick_belief();
        belief
            .expect_effect(0.0, UNKNOWN * expected.noise)
            .after_runs(sights, expected.noise, rate * expected.noise)
    }

    /// The belief that is acted on, after these runs.
    pub(super) fn believe(&self, sights: &[Sight], expected: &Expected) -> Belief {
        self.read_runs(sights, expected)
            .meet_prior(expected.find_decision_mean(), expected.prior)
    }

    /// Has the level had so much time to wander since it was seen that a candidate cannot be compared with it? Without a run of
    /// the incumbent even a large effect then looks like none.
    pub(super) fn is_level_stale(&self, expected: &Expected) -> bool {
        let (belief, rate) = self.bank.pick_belief();
        let Some(first) = self.sights.first() else {
            return false;
        };
        let waited = belief.wait_until(first.at, rate * expected.noise);
        waited.level_variance > STALE * expected.noise
    }

    pub(super) fn find_score(&self, belief: &Belief) -> f64 {
        let deviation = belief.effect_variance.max(f64::MIN_POSITIVE).sqrt();
        convert_student_score(-belief.effect / deviation, self.spread.find_freedom())
    }

    /// The trial's runs without those of the candidate that met something else.
    pub(super) fn list_counted(&self) -> Vec<Sight> {
        let values: Vec<f64> = self.list_values(Side::Candidate);
        if values.len() < 3 {
            return self.sights.clone();
        }
        let middle = find_median(&values);
        let level = self.bank.pick_belief().0.level;
        let noise = self
            .spread
            .find_variance(middle)
            .max(self.spread.find_variance(level));
        let bound = ASTRAY * noise.sqrt();
        self.sights
            .iter()
            .filter(|sight| sight.side == Side::Incumbent || (sight.value - middle).abs() <= bound)
            .copied()
            .collect()
    }

    fn list_values(&self, side: Side) -> Vec<f64> {
        self.sights
            .iter()
            .filter(|sight| sight.side == side)
            .map(|sight| sight.value)
            .collect()
    }

    /// A run of the incumbent. Two surprises in a row to one side mean that the machine changed: what was known of the level,
    /// and what this trial measured before, is void. One surprise alone was a wild run, and is forgotten.
    fn watch_incumbent(&mut self, sight: Sight, least_gain: f64) {
        let expected = self.find_expected(least_gain);
        if let Some(first) = self.surprise.take() {
            let again = (sight.value - first.foretold) / first.deviation;
            if again * first.size.signum() > AGAIN {
                let before = self.sights.pop().map_or(sight.value, |one| one.value);
                self.sights.clear();
                let level = f64::midpoint(before, sight.value);
                let noise = expected.noise;
                self.bank.change_each(|belief, _| {
                    belief.restart_level(level, UNKNOWN * noise, sight.at)
                });
                self.sights.push(Sight {
                    value: before,
                    ..sight
                });
            } else {
                self.sights.pop();
            }
            self.sights.push(sight);
            return;
        }
        let (belief, rate) = self.bank.pick_belief();
        let belief = expected.settle_trial(&belief, rate, &self.list_counted(), false);
        let belief = belief.wait_until(sight.at, rate * expected.noise);
        let deviation = (belief.level_variance + expected.noise).sqrt();
        let size = (sight.value - belief.level) / deviation;
        if size.abs() > SURPRISE {
            self.surprise = Some(Surprise {
                foretold: belief.level,
                deviation,
                size,
            });
        }
        self.sights.push(sight);
    }

    pub(super) fn end_trial(&mut self, kept: bool, least_gain: f64) {
        let expected = self.find_expected(least_gain);
        let sights = self.list_counted();
        self.learn_mean(&sights, &expected);
        let (_, picked_rate) = self.bank.pick_belief();
        self.bank
            .change_each(|belief, rate| expected.settle_trial(belief, rate, &sights, kept));
        self.bank.fade_weights();
        for side in [Side::Candidate, Side::Incumbent] {
            // Where the level wanders, runs of the incumbent differ by more than the noise of a run.
            if side == Side::Candidate || picked_rate <= 0.0 {
                let of_side = sights.iter().filter(|sight| sight.side == side);
                let values: Vec<f64> = of_side.map(|sight| sight.value).collect();
                self.spread.learn_places(&values);
            }
        }
        self.sights.clear();
        self.surprise = None;
    }

    /// The candidate's first run tells how far ideas go on average; the later ones were made because it was good.
    fn learn_mean(&mut self, sights: &[Sight], expected: &Expected) {
        let first = sights
            .iter()
            .position(|sight| sight.side == Side::Candidate);
        let Some(first) = first else {
            return;
        };
        let (_, rate) = self.bank.pick_belief();
        let before = self
            .read_runs(&sights[..first], expected)
            .wait_until(sights[first].at, rate * expected.noise);
        let noise = expected.noise + before.level_variance;
        let all = expected.prior + noise;
        let weight = (expected.prior / all).powi(2);
        let bound = 2.0 * all.sqrt();
        if !weight.is_finite() || !bound.is_finite() {
            return;
        }
        let far = (sights[first].value - before.level).clamp(-bound, bound);
        self.effects.0 += weight;
        self.effects.1 += weight * far;
    }
}

/// How many of the runs are of this side.
pub(super) fn count_side(sights: &[Sight], side: Side) -> usize {
    sights.iter().filter(|sight| sight.side == side).count()
}
