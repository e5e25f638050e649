//! Owns the normal distribution and the few sums of small samples that the evidence is made of.
//! Does not know runs, trees or trials.
//! Invariant: finite numbers in, finite numbers out.

use std::f64::consts::{PI, SQRT_2};

/// The median absolute deviation of a normal distribution is this part of its standard deviation: its quantile at 3/4.
const DEVIATION_OF_NORMAL: f64 = 0.674_489_750_196_081_7;

/// Density of the standard normal distribution.
#[must_use]
pub fn find_density(x: f64) -> f64 {
    (-0.5 * x * x).exp() / (2.0 * PI).sqrt()
}

/// Probability that a standard normal number is at most `x`, to about 1e-7: the error function's rational approximation
/// of Numerical Recipes (2nd edition, 6.2, `erfcc`), which is relative, so that small tails keep their digits.
#[must_use]
pub fn find_probability(x: f64) -> f64 {
    const SERIES: [f64; 10] = [
        -1.265_512_23,
        1.000_023_68,
        0.374_091_96,
        0.096_784_18,
        -0.186_288_06,
        0.278_868_07,
        -1.135_203_98,
        1.488_515_87,
        -0.822_152_23,
        0.170_872_77,
    ];
    let z = x.abs() / SQRT_2;
    let t = 1.0 / (1.0 + 0.5 * z);
    let sum = SERIES.iter().rev().fold(0.0, |sum, term| sum * t + term);
    let tail = 0.5 * t * (sum - z * z).exp();
    if x < 0.0 { tail } else { 1.0 - tail }
}

/// The normal score that is as rare as a score of Student's distribution with `freedom` degrees: Wallace's approximation
/// (Annals of Mathematical Statistics 30, 1959), within 0.02 for three degrees and more.
#[must_use]
pub fn convert_student_score(score: f64, freedom: f64) -> f64 {
    let freedom = freedom.max(1.0);
    let size = (freedom * (score * score / freedom).ln_1p()).sqrt();
    size.copysign(score) * (8.0 * freedom + 1.0) / (8.0 * freedom + 3.0)
}

/// The score of Student's distribution that is as rare as a normal `score`: Wallace's approximation solved for it.
#[must_use]
pub fn find_student_score(score: f64, freedom: f64) -> f64 {
    let freedom = freedom.max(1.0);
    let plain = score * (8.0 * freedom + 3.0) / (8.0 * freedom + 1.0);
    (freedom * (plain * plain / freedom).exp_m1())
        .sqrt()
        .copysign(score)
}

/// The arithmetic mean; 0 for no numbers.
#[must_use]
pub fn find_mean(numbers: &[f64]) -> f64 {
    numbers.iter().sum::<f64>() / count_as_double(numbers.len().max(1))
}

/// The middle number, or the mean of the middle two; 0 for none.
#[must_use]
pub fn find_median(numbers: &[f64]) -> f64 {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |place: usize| sorted.get(place).copied().unwrap_or(0.0);
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 {
        at(middle)
    } else {
        f64::midpoint(at(middle.saturating_sub(1)), at(middle))
    }
}

/// The standard deviation that the median distance from the median speaks for, in the unit of the numbers.
#[must_use]
pub fn find_robust_deviation(numbers: &[f64]) -> f64 {
    let middle = find_median(numbers);
    let distances: Vec<f64> = numbers.iter().map(|x| (x - middle).abs()).collect();
    find_median(&distances) / DEVIATION_OF_NORMAL
}

/// The median of the means of all pairs of the numbers, each with itself too: Hodges and Lehmann (Annals of Mathematical
/// Statistics 34, 1963). One wild number in four does not move it, and for normal numbers it is worth 95 % of the mean.
#[must_use]
pub fn find_middle_of_pairs(numbers: &[f64]) -> f64 {
    let means: Vec<f64> = numbers
        .iter()
        .enumerate()
        .flat_map(|(at, first)| {
            numbers[at..]
                .iter()
                .map(move |second| f64::midpoint(*first, *second))
        })
        .collect();
    find_median(&means)
}

/// A count as a number.
#[must_use]
pub fn count_as_double(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_near(found: f64, known: f64, within: f64) {
        assert!((found - known).abs() <= within, "{found} for {known}");
    }

    #[test]
    fn probabilities_are_those_of_the_tables() {
        for (x, known) in [
            (0.0, 0.5),
            (1.0, 0.841_344_746),
            (-1.959_964, 0.025),
            (2.5, 0.993_790_335),
        ] {
            assert_near(find_probability(x), known, 2e-7);
        }
        assert_near(find_probability(-6.0) / 9.865_876e-10, 1.0, 1e-5);
        assert_near(find_density(0.0), 0.398_942_28, 1e-8);
        assert!(find_probability(-1e6) >= 0.0 && find_probability(1e6) <= 1.0);
    }

    #[test]
    fn scores_of_student_are_those_of_the_tables() {
        // 97.5 % of Student's distribution with five degrees lies below 2.571, with sixty below 2.000.
        assert_near(convert_student_score(2.571, 5.0), 1.96, 0.01);
        assert_near(convert_student_score(2.0, 60.0), 1.96, 0.01);
        assert_near(convert_student_score(-2.571, 5.0), -1.96, 0.01);
        for freedom in [1.0, 5.0, 60.0] {
            let there = find_student_score(1.7, freedom);
            assert_near(convert_student_score(there, freedom), 1.7, 1e-9);
        }
    }

    #[test]
    fn one_wild_number_of_seven_moves_neither_the_middle_nor_the_deviation() {
        let calm = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0];
        let wild = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7e9];
        assert_near(find_median(&wild), 4.0, 1e-12);
        assert_near(
            find_robust_deviation(&wild),
            find_robust_deviation(&calm),
            1e-12,
        );
        assert_near(find_middle_of_pairs(&calm), 4.0, 1e-12);
        assert!(find_middle_of_pairs(&wild) < 6.0);
        assert_near(find_median(&[1.0, 4.0]), 2.5, 1e-12);
        assert_near(find_median(&[]), 0.0, 0.0);
        assert_near(find_mean(&[]), 0.0, 0.0);
    }
}
