//! Owns the claim at the end: what the final tree gained over the starting tree, measured afresh in pairs.
//! Does not choose the trees or the number of pairs, and uses no run that chose a keep.
//! Invariant: a claim says its interval, and runs of a night that found nothing are not made into one.

use super::normal::{
    count_as_double, find_mean, find_median, find_middle_of_pairs, find_robust_deviation,
    find_student_score,
};

/// The normal score of an interval that covers 95 %.
const COVERS: f64 = 1.959_963_985;
/// From so many differences on their middle of pairs is taken; of fewer, its breakdown at three in ten is less than one.
const ENOUGH: usize = 5;
/// A difference so many deviations off the median of three or four is a run that met something else. Of 10,000 normal
/// differences fewer than one is.
const ASTRAY: f64 = 4.0;
/// The night's spread counts as at most this many degrees beside the pairs' own: pairs made under a drift vary more than the
/// repeats within a trial do, and six pairs must be able to say so.
const BORROWED: f64 = 12.0;
/// The median deviation of about six differences is on average so much too small (Croux and Rousseeuw 1992, `b_n`).
const SIX_PAIRS: f64 = 1.2;
/// What the middle of pairs loses against the mean for normal numbers: pi / 3.
const LOSS_OF_MIDDLE: f64 = std::f64::consts::PI / 3.0;

/// The step down the scale from the first tree to the second, and how surely. Negative is better.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PairClaim {
    pub step: f64,
    /// Half of the interval that covers the true step in 95 of 100 claims.
    pub half_width: f64,
    /// How many pairs it was made of.
    pub pairs: usize,
}

/// What the night says of single runs: their variance, how many degrees of freedom it has, and the distance of two
/// neighbouring values, all on the scale of the differences.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RunNoise {
    pub variance: f64,
    pub freedom: f64,
    pub step: f64,
}

/// Does the first tree of a pair run first? A B, B A, A B, B A: a trend and what warms up cancel in every two pairs.
#[must_use]
pub fn starts_with_first(pair: usize) -> bool {
    pair.is_multiple_of(2)
}

/// The claim of some differences (second tree less first, each of one pair); `None` for none.
#[must_use]
pub fn judge_differences(differences: &[f64], noise: &RunNoise) -> Option<PairClaim> {
    let prior = 2.0 * noise.variance;
    let counted = drop_astray(differences, prior.sqrt());
    if counted.is_empty() {
        return None;
    }
    let robust = counted.len() >= ENOUGH;
    let step = if robust {
        find_middle_of_pairs(&counted)
    } else {
        find_mean(&counted)
    };
    let borrowed = noise.freedom.min(BORROWED);
    let own = count_as_double(counted.len()) - 1.0;
    let squares = if robust {
        own * (SIX_PAIRS * find_robust_deviation(&counted)).powi(2)
    } else {
        counted.iter().map(|far| (far - step).powi(2)).sum()
    };
    let freedom = borrowed + own;
    let variance = (borrowed * prior + squares) / freedom.max(1.0);
    let loss = if robust { LOSS_OF_MIDDLE } else { 1.0 };
    let of_mean = loss * variance / count_as_double(counted.len()) + find_rounding(noise);
    let half_width = if of_mean > 0.0 {
        find_student_score(COVERS, freedom) * of_mean.sqrt()
    } else {
        0.0
    };
    Some(PairClaim {
        step,
        half_width,
        pairs: differences.len(),
    })
}

/// Does the claim's whole interval lie on the better side?
#[must_use]
pub fn is_gain(claim: &PairClaim) -> bool {
    claim.step + claim.half_width < 0.0
}

/// The variance that rounding adds to a difference of two means, however many runs they are of. A mean of rounded values is
/// off by the sum of a Fourier series (Widrow, Statistical Analysis of Amplitude-Quantized Sampled-Data Systems, 1961) whose
/// terms fade with exp(-2 pi^2 (s/step)^2): noise of half a step hides it, no noise leaves a uniform error.
fn find_rounding(noise: &RunNoise) -> f64 {
    if noise.step <= 0.0 {
        return 0.0;
    }
    let uniform = noise.step * noise.step / 12.0;
    let before_rounding = (noise.variance - uniform).max(0.0);
    let fades = 4.0 * std::f64::consts::PI.powi(2) * before_rounding / (noise.step * noise.step);
    2.0 * uniform * (-fades).exp()
}

/// Of three or four differences those that met something else are dropped; from five on, the middle of pairs bears them.
fn drop_astray(differences: &[f64], deviation: f64) -> Vec<f64> {
    let finite: Vec<f64> = differences
        .iter()
        .copied()
        .filter(|difference| difference.is_finite())
        .collect();
    if finite.len() < 3 || finite.len() >= ENOUGH || deviation <= 0.0 {
        return finite;
    }
    let middle = find_median(&finite);
    finite
        .into_iter()
        .filter(|difference| (difference - middle).abs() <= ASTRAY * deviation)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(deviation: f64) -> RunNoise {
        RunNoise {
            variance: deviation * deviation,
            freedom: 40.0,
            step: 0.0,
        }
    }

    fn claim(differences: &[f64], noise: &RunNoise) -> PairClaim {
        judge_differences(differences, noise).unwrap()
    }

    #[test]
    fn the_interval_is_as_wide_as_the_noise_and_the_number_of_pairs_say() {
        let few = claim(&[-0.1, -0.1, -0.1, -0.1], &noise(0.01));
        assert!((few.step + 0.1).abs() < 1e-12);
        // Four equal differences speak for a smaller spread than the night's twelve degrees do.
        let known = 2.13 * (2.0 * 1e-4 * 12.0 / 15.0 / 4.0_f64).sqrt();
        assert!((few.half_width - known).abs() < 1e-4, "{}", few.half_width);
        assert!(is_gain(&few));
        let many = claim(&[-0.1; 40], &noise(0.01));
        assert!(many.half_width < few.half_width / 3.0);
    }

    #[test]
    fn pairs_that_vary_more_than_the_night_did_widen_the_interval() {
        let calm = claim(&[-0.02, -0.021, -0.019, -0.02, -0.02, -0.02], &noise(0.003));
        let torn = claim(&[-0.08, 0.05, -0.03, -0.06, 0.02, -0.01], &noise(0.003));
        assert!(is_gain(&calm) && !is_gain(&torn));
        assert!(torn.half_width > 2.0 * calm.half_width);
    }

    #[test]
    fn a_run_that_met_a_backup_does_not_make_the_claim() {
        for differences in [
            vec![-0.05, -0.05, 0.4],
            vec![-0.05, -0.05, 0.4, -0.05, -0.05, -0.05],
        ] {
            let found = claim(&differences, &noise(0.01));
            assert!((found.step + 0.05).abs() < 0.01, "{found:?}");
            assert_eq!(found.pairs, differences.len());
        }
    }

    #[test]
    fn an_exact_metric_has_an_exact_claim_and_coarse_values_a_wide_one() {
        let exact = claim(&[-0.25], &RunNoise::default());
        assert!((exact.step + 0.25).abs() < 1e-15 && exact.half_width.abs() < 1e-15);
        let coarse = RunNoise {
            step: 0.08,
            ..noise(0.001)
        };
        let found = claim(&[-0.08; 6], &coarse);
        assert!(found.half_width > 0.05, "{found:?}");
        let dithered = RunNoise {
            step: 0.005,
            ..noise(0.01)
        };
        assert!(find_rounding(&dithered) < 1e-12);
    }

    #[test]
    fn without_pairs_there_is_no_claim() {
        assert_eq!(judge_differences(&[], &noise(0.01)), None);
        assert_eq!(judge_differences(&[f64::NAN], &noise(0.01)), None);
    }

    #[test]
    fn the_order_of_pairs_is_first_second_second_first() {
        let order: Vec<bool> = (0..4).map(starts_with_first).collect();
        assert_eq!(order, [true, false, true, false]);
    }
}
