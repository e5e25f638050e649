//! Owns the scale on which runs are compared, and the spread of a single run there.
//! Does not know levels that wander or effects: it compares runs of one tree among themselves.
//! Invariant: the spread is above zero, and no single run moves it far.

use serde::{Deserialize, Serialize};

use super::normal::{count_as_double, find_mean, find_median, find_robust_deviation};
use crate::metric::definition::Direction;

/// Distances from the centre count up to this many spreads: Huber's bounded influence (1964), at the value that costs normal
/// runs 2 % of their information and bounds what one run that met a backup does.
const BOUND: f64 = 2.5;
/// The median deviation of six runs is on average so much too small (Croux and Rousseeuw 1992, table of `b_n` for n = 6).
const SIX_RUNS: f64 = 1.2;
/// Steps from the median towards the bounded mean; a fourth changes nothing that can be seen.
const STEPS: usize = 3;
/// Degrees of freedom that are remembered: the spread of the latest thirty to forty repeats, since machines get busier.
const MEMORY: f64 = 40.0;
/// Only a lead of e^2 in likelihood decides whether noise grows with the value; until then the larger spread is taken.
const DECIDED: f64 = 2.0;
/// A lead is bounded, so that it can turn.
const FARTHEST: f64 = 6.0;
/// A value that flips between two neighbours has at most this standard deviation, in parts of their distance: that of a coin.
const COIN: f64 = 0.5;
/// Below this the digits of a double end.
const LEAST: f64 = 1e-12;
/// Shares beyond this are as good as infinite: their squares' squares still fit a double.
const LARGEST: f64 = 1e70;
/// Ratios beyond e^300 are as good as infinite.
const FAR: f64 = 300.0;

/// How printed values become numbers that are compared: smaller is better, and differences are shares.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ValueScale {
    direction: Direction,
    /// The magnitude that is 1 or, as a logarithm, 0.
    reference: f64,
    /// Are all values above zero? Then ratios are compared, which is what a change of code does to a time or a size.
    logarithmic: bool,
}

impl ValueScale {
    /// A scale by the first value, logarithmic as long as all are above zero.
    #[must_use]
    pub fn new(direction: Direction, first: f64, logarithmic: bool) -> Self {
        let reference = if first.abs() > 0.0 { first.abs() } else { 1.0 };
        Self {
            direction,
            reference,
            logarithmic,
        }
    }

    #[must_use]
    pub fn is_logarithmic(&self) -> bool {
        self.logarithmic
    }

    /// The place of a value on the scale, in shares of the reference (logarithmic: natural logarithm of the ratio).
    #[must_use]
    pub fn place_value(&self, value: f64) -> f64 {
        let place = if self.logarithmic {
            value.max(f64::MIN_POSITIVE).ln() - self.reference.ln()
        } else {
            (value / self.reference).clamp(-LARGEST, LARGEST)
        };
        match self.direction {
            Direction::Lower => place,
            Direction::Higher => -place,
        }
    }

    /// The gain that a step down the scale is, as a share of the value where it began; above zero is better.
    #[must_use]
    pub fn describe_gain(&self, step: f64) -> f64 {
        match (self.logarithmic, self.direction) {
            (false, _) => -step,
            (true, Direction::Lower) => -step.clamp(-FAR, FAR).exp_m1(),
            (true, Direction::Higher) => (-step.clamp(-FAR, FAR)).exp_m1(),
        }
    }

    /// No two values of a night are further apart.
    fn find_largest(&self) -> f64 {
        if self.logarithmic { FAR } else { LARGEST }
    }

    /// The value at a place of a scale without logarithms.
    fn find_value(&self, place: f64) -> f64 {
        match self.direction {
            Direction::Lower => place * self.reference,
            Direction::Higher => -place * self.reference,
        }
    }

    /// The value that a share is of, on a scale without logarithms.
    #[must_use]
    pub fn reference(&self) -> f64 {
        self.reference
    }

    /// The same reference without logarithms.
    pub(super) fn to_linear(self) -> Self {
        Self {
            logarithmic: false,
            ..self
        }
    }

    /// A place of this scale on the one without logarithms.
    pub(super) fn convert_to_linear(&self, place: f64) -> f64 {
        match (self.logarithmic, self.direction) {
            (false, _) => place,
            (true, Direction::Lower) => self.size_at(place).min(LARGEST),
            (true, Direction::Higher) => -self.size_at(place).min(LARGEST),
        }
    }

    /// The magnitude of the value at a place, in parts of the reference: what a constant amount is divided by there.
    fn size_at(&self, place: f64) -> f64 {
        match (self.logarithmic, self.direction) {
            (false, _) => 1.0,
            (true, Direction::Lower) => place.clamp(-FAR, FAR).exp(),
            (true, Direction::Higher) => (-place).clamp(-FAR, FAR).exp(),
        }
    }

    /// The value at a place, in parts of the reference.
    fn amount_at(&self, place: f64) -> f64 {
        if self.logarithmic {
            self.size_at(place)
        } else {
            place
        }
    }
}

/// Squared distances, and how many of them are free.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Squares {
    sum: f64,
    freedom: f64,
}

impl Squares {
    fn find_variance(&self) -> f64 {
        (self.sum / self.freedom.max(1.0)).max(LEAST * LEAST)
    }

    fn add_squares(&mut self, sum: f64, freedom: f64) {
        self.sum = (self.sum + sum).min(LARGEST * LARGEST);
        self.freedom += freedom;
        if self.freedom > MEMORY {
            self.sum *= MEMORY / self.freedom;
            self.freedom = MEMORY;
        }
    }
}

/// The spread of single runs under both ways in which noise can depend on the value, and which of them foretells the runs.
/// A timer's jitter stays when a program becomes ten times as fast; a slower clock slows everything by the same share.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    scale: ValueScale,
    /// Noise as a share of the value.
    proportional: Squares,
    /// Noise as an amount, in parts of the reference.
    constant: Squares,
    /// Log-likelihood of `constant` over `proportional`.
    lead: f64,
    /// The smallest difference between two runs of one tree, in parts of the reference.
    step: Option<f64>,
    /// Were two runs of one tree equal while others were not? Then values are coarse.
    ties: bool,
    /// Of how many cases each value is a count, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cases: Option<u32>,
}

impl Spread {
    #[must_use]
    pub fn new(scale: ValueScale) -> Self {
        Self {
            scale,
            proportional: Squares::default(),
            constant: Squares::default(),
            lead: 0.0,
            step: None,
            ties: false,
            cases: None,
        }
    }

    /// The spread of counts of so many cases, on a scale without logarithms.
    #[must_use]
    pub fn of_cases(self, cases: Option<u32>) -> Self {
        Self { cases, ..self }
    }

    /// The same noise as amounts, on the scale without logarithms.
    pub(super) fn to_linear(self) -> Self {
        Self {
            scale: self.scale.to_linear(),
            proportional: self.constant,
            ..self
        }
    }

    /// Learns from the first runs of one tree, given as places on the scale, and answers their centre.
    pub fn calibrate_places(&mut self, places: &[f64]) -> f64 {
        self.learn_steps(places);
        let bound = BOUND * SIX_RUNS * find_robust_deviation(places);
        let mut centre = find_median(places);
        let bounded = |centre: f64| -> Vec<f64> {
            let distances = places.iter().map(|place| place - centre);
            if bound > 0.0 {
                distances.map(|far| far.clamp(-bound, bound)).collect()
            } else {
                distances.collect()
            }
        };
        for _ in 0..STEPS {
            centre += find_mean(&bounded(centre));
        }
        let sum: f64 = bounded(centre).iter().map(|far| far * far).sum();
        self.add_sum(sum, places.len(), centre);
        centre
    }

    /// Learns from repeated runs of one tree, given as places on the scale.
    pub fn learn_places(&mut self, places: &[f64]) {
        if places.len() < 2 {
            return;
        }
        self.learn_steps(places);
        let middle = find_median(places);
        let bound = BOUND * self.find_variance(middle).sqrt();
        let bounded: Vec<f64> = places
            .iter()
            .map(|place| (place - middle).clamp(-bound, bound))
            .collect();
        let mean = find_mean(&bounded);
        let sum = bounded.iter().map(|far| (far - mean).powi(2)).sum();
        self.add_sum(sum, places.len(), middle);
    }

    /// Learns from two different places of one tree.
    pub fn learn_difference(&mut self, one: f64, other: f64) {
        let difference = (self.scale.amount_at(one) - self.scale.amount_at(other)).abs();
        if difference > 0.0 {
            let known = self.step.unwrap_or(difference);
            self.step = Some(known.min(difference));
        }
    }

    fn learn_steps(&mut self, places: &[f64]) {
        let mut sorted = places.to_vec();
        sorted.sort_by(f64::total_cmp);
        for pair in sorted.windows(2) {
            self.ties |= pair[0].total_cmp(&pair[1]).is_eq();
            self.learn_difference(pair[0], pair[1]);
        }
    }

    fn add_sum(&mut self, sum: f64, runs: usize, place: f64) {
        if !sum.is_finite() {
            return;
        }
        let freedom = count_as_double(runs.saturating_sub(1));
        let size = self.scale.size_at(place);
        if self.constant.freedom > 0.0 && self.scale.is_logarithmic() {
            let fit = |variance: f64| -0.5 * (sum / variance + freedom * variance.ln());
            let constant = self.constant.find_variance() / (size * size);
            self.lead += fit(constant) - fit(self.proportional.find_variance());
            self.lead = self.lead.clamp(-FARTHEST, FARTHEST);
        }
        self.proportional.add_squares(sum, freedom);
        self.constant.add_squares(sum * size * size, freedom);
    }

    /// The variance of a single run at this place of the scale.
    #[must_use]
    pub fn find_variance(&self, place: f64) -> f64 {
        let size = self.scale.size_at(place);
        let proportional = self.proportional.find_variance();
        let constant = self.constant.find_variance() / (size * size);
        let found = if self.lead > DECIDED {
            constant
        } else if self.lead < -DECIDED {
            proportional
        } else {
            proportional.max(constant)
        };
        found
            .max((COIN * self.find_step(place)).powi(2))
            .max(self.find_counting_variance(place))
            .clamp(LEAST * LEAST, self.scale.find_largest().powi(2))
    }

    /// The variance that counting alone gives: that of a binomial count, at the rate that Jeffreys' prior makes of the value.
    /// So a count of none, or of all, has one too, however often it was repeated.
    fn find_counting_variance(&self, place: f64) -> f64 {
        let Some(cases) = self.cases.map(f64::from) else {
            return 0.0;
        };
        let count = self.scale.find_value(place).clamp(0.0, cases);
        let rate = (count + 0.5) / (cases + 1.0);
        cases * rate * (1.0 - rate) / (self.scale.reference * self.scale.reference)
    }

    /// The distance of two neighbouring values at this place of the scale; 0 where values are fine.
    #[must_use]
    pub fn find_step(&self, place: f64) -> f64 {
        match self.step {
            Some(step) if self.ties => step / self.scale.size_at(place),
            _ => 0.0,
        }
    }

    /// How many free distances the spread is made of.
    #[must_use]
    pub fn find_freedom(&self) -> f64 {
        self.proportional.freedom
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place_all(spread: &Spread, values: &[f64]) -> Vec<f64> {
        values
            .iter()
            .map(|value| spread.scale.place_value(*value))
            .collect()
    }

    fn lower(first: f64) -> ValueScale {
        ValueScale::new(Direction::Lower, first, true)
    }

    fn calibrated(values: &[f64]) -> (Spread, f64) {
        let mut spread = Spread::new(lower(values[0]));
        let centre = spread.calibrate_places(&place_all(&spread, values));
        (spread, centre)
    }

    #[test]
    fn a_count_varies_as_counting_does_however_equal_its_runs_are() {
        for (direction, sign) in [(Direction::Lower, 1.0), (Direction::Higher, -1.0)] {
            let scale = ValueScale::new(direction, 30.0, false);
            let mut spread = Spread::new(scale).of_cases(Some(60));
            spread.calibrate_places(&[sign; 6]);
            let deviation =
                |count: f64| 30.0 * spread.find_variance(scale.place_value(count)).sqrt();
            assert!((deviation(30.0) - 15.0_f64.sqrt()).abs() < 1e-9);
            assert!((deviation(0.0) - deviation(60.0)).abs() < 1e-9);
            assert!((0.65..0.75).contains(&deviation(0.0)), "{}", deviation(0.0));
        }
        let mut torn =
            Spread::new(ValueScale::new(Direction::Lower, 1.0, false)).of_cases(Some(60));
        torn.calibrate_places(&[0.0, 20.0, 40.0, 1.0, 30.0, 10.0]);
        assert!(
            torn.find_variance(15.0).sqrt() > 10.0,
            "cases that fail together vary more"
        );
    }

    fn find_deviation(values: &[f64]) -> f64 {
        let (spread, centre) = calibrated(values);
        spread.find_variance(centre).sqrt()
    }

    #[test]
    fn a_step_down_the_scale_is_a_gain_whichever_way_is_better() {
        let higher = ValueScale::new(Direction::Higher, 50.0, true);
        let step = higher.place_value(55.0) - higher.place_value(50.0);
        assert!((higher.describe_gain(step) - 0.1).abs() < 1e-12);
        let step = lower(50.0).place_value(45.0) - lower(50.0).place_value(50.0);
        assert!((lower(50.0).describe_gain(step) - 0.1).abs() < 1e-12);
        let linear = ValueScale::new(Direction::Lower, -2.0, false);
        let step = linear.place_value(-3.0) - linear.place_value(-2.0);
        assert!((linear.describe_gain(step) - 0.5).abs() < 1e-12);
    }

    #[test]
    fn one_slow_run_of_six_does_not_make_the_spread_its_own() {
        let calm = find_deviation(&[100.0, 101.0, 99.0, 100.5, 99.5, 100.0]);
        let wild = find_deviation(&[100.0, 101.0, 99.0, 100.5, 99.5, 180.0]);
        assert!((0.003..0.012).contains(&calm), "{calm}");
        assert!(wild < 3.0 * calm, "{wild} beside {calm}");
    }

    #[test]
    fn coarse_values_spread_at_least_like_a_coin() {
        let coarse = find_deviation(&[12.0, 12.0, 12.0, 12.0, 12.0, 13.0]);
        assert!((coarse - 0.5 / 12.0).abs() < 0.01, "{coarse}");
        let (fine, centre) = calibrated(&[12.0, 12.1, 12.3, 12.2, 12.05, 12.4]);
        assert!(fine.find_step(centre).abs() < f64::MIN_POSITIVE);
    }

    #[test]
    fn noise_of_constant_size_is_found_when_the_value_falls() {
        let around = |value: f64, size: f64| [value + size, value - size, value + size, value];
        let (mut spread, centre) = calibrated(&around(100.0, 1.0));
        let before = spread.find_variance(centre).sqrt();
        let there = lower(101.0).place_value(10.0);
        assert!(
            spread.find_variance(there).sqrt() > 9.0 * before,
            "the larger until told"
        );
        for _ in 0..5 {
            spread.learn_places(&place_all(&spread, &around(10.0, 0.1)));
        }
        let told = spread.find_variance(there).sqrt();
        assert!(told < 2.0 * before, "{told} beside {before}");
        let (mut other, _) = calibrated(&around(100.0, 1.0));
        for _ in 0..5 {
            other.learn_places(&place_all(&other, &around(10.0, 1.0)));
        }
        assert!(other.find_variance(there).sqrt() > 7.0 * before);
    }

    #[test]
    fn values_at_the_ends_of_what_a_double_holds_give_a_finite_spread() {
        for values in [
            [0.0; 3],
            [f64::MAX, f64::MIN_POSITIVE, 1.0],
            [-1e300, 1e300, 0.0],
        ] {
            for logarithmic in [false, true] {
                for direction in [Direction::Lower, Direction::Higher] {
                    let scale = ValueScale::new(direction, values[0], logarithmic);
                    let mut spread = Spread::new(scale);
                    let places = place_all(&spread, &values);
                    let centre = spread.calibrate_places(&places);
                    spread.learn_places(&places);
                    let variance = spread.find_variance(centre);
                    assert!(
                        variance.is_finite() && variance > 0.0,
                        "{values:?}: {variance}"
                    );
                }
            }
        }
    }
}
