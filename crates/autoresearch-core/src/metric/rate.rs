//! Owns `RateInterval`: what a count of cases says of the true rate, as people and programs are told it.
//! Does not judge a trial; `evidence` does.
//! Invariant: no count is a rate of nothing or of all: 0 of 60 has an upper limit, and 60 of 60 a lower one.

use std::fmt;

use serde::Serialize;

use crate::metric::value::Value;

/// What a limit or an interval covers.
const COVERS: f64 = 0.95;
/// Halvings of an interval of rates: after so many a double has no further digits.
const HALVINGS: u32 = 60;
/// Terms of the continued fraction; a million cases need about a thousand.
const TERMS: u32 = 10_000;
/// Where its terms change nothing any more, and what stands for zero in it.
const ENOUGH: f64 = 1e-14;
const TINY: f64 = 1e-300;

/// A count of cases with the rates that it leaves possible, in per cent with two digits that count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RateInterval {
    /// The cases that were counted, in all runs.
    pub count: u32,
    /// All cases of these runs.
    pub of: u32,
    /// The ends of the exact interval (Clopper and Pearson 1934) that holds the true rate in 95 of 100 cases at least. Where
    /// no case or each one was counted, the other end is the limit that is passed in 5 of 100.
    pub low: Value,
    pub high: Value,
}

impl RateInterval {
    /// What the counts of some runs of `cases` each say together. `None` for no run, and for what is no count of them.
    #[must_use]
    pub fn of_runs<'v>(counts: impl IntoIterator<Item = &'v Value>, cases: u32) -> Option<Self> {
        let (mut count, mut of) = (0_u32, 0_u32);
        for value in counts {
            let one = value.to_string().parse::<u32>().ok();
            count = count.checked_add(one.filter(|one| *one <= cases)?)?;
            of = of.checked_add(cases)?;
        }
        (of > 0).then(|| {
            let (low, high) = find_interval(count, of);
            // What is near to all keeps its distance from there.
            let near_all = |share: f64| &Value::from(100) - &round_percent(1.0 - share);
            let shown = |share: f64| {
                if share > 0.9 {
                    near_all(share)
                } else {
                    round_percent(share)
                }
            };
            Self {
                count,
                of,
                low: shown(low),
                high: shown(high),
            }
        })
    }

    /// The same of some runs of which the mean is known.
    #[must_use]
    pub fn of_mean(mean: &Value, runs: u32, cases: u32) -> Option<Self> {
        let sum = (mean * &Value::from(i64::from(runs))).round_to(0);
        Self::of_runs([&sum], runs.checked_mul(cases)?)
    }
}

impl fmt::Display for RateInterval {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            count,
            of,
            low,
            high,
        } = self;
        write!(out, "{count} of {of}: ")?;
        match *count {
            0 => write!(out, "at most {high} %, with 95 % confidence"),
            all if all == *of => write!(out, "at least {low} %, with 95 % confidence"),
            _ => {
                let share = round_percent(f64::from(*count) / f64::from(*of));
                write!(out, "{share} % ({low} to {high}), 95 % interval")
            }
        }
    }
}

/// The true rates, as shares, that a count leaves possible.
#[must_use]
pub fn find_interval(count: u32, of: u32) -> (f64, f64) {
    let (count, of) = (f64::from(count), f64::from(of));
    let both = count > 0.0 && count < of;
    let beyond = (1.0 - COVERS) / if both { 2.0 } else { 1.0 };
    let low = if count > 0.0 {
        find_beta_quantile(beyond, count, of - count + 1.0)
    } else {
        0.0
    };
    let high = if count < of {
        find_beta_quantile(1.0 - beyond, count + 1.0, of - count)
    } else {
        1.0
    };
    (low, high)
}

/// The share below which a beta distribution has this probability.
fn find_beta_quantile(probability: f64, a: f64, b: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(low, high);
        if find_beta_probability(middle, a, b) < probability {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

/// The regularized incomplete beta function, by its continued fraction (Numerical Recipes, 2nd edition, 6.4).
fn find_beta_probability(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return if x <= 0.0 { 0.0 } else { 1.0 };
    }
    let logarithm = find_log_gamma(a + b) - find_log_gamma(a) - find_log_gamma(b)
        + a * x.ln()
        + b * (-x).ln_1p();
    let front = logarithm.exp();
    if x < (a + 1.0) / (a + b + 2.0) {
        front * find_beta_fraction(x, a, b) / a
    } else {
        1.0 - front * find_beta_fraction(1.0 - x, b, a) / b
    }
}

/// The continued fraction, by the modified method of Lentz.
fn find_beta_fraction(x: f64, a: f64, b: f64) -> f64 {
    let away = |number: f64| {
        if number.abs() < TINY { TINY } else { number }
    };
    let mut upper = 1.0;
    let mut lower = 1.0 / away(1.0 - (a + b) * x / (a + 1.0));
    let mut found = lower;
    for m in (1..=TERMS).map(f64::from) {
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let before = found;
        for term in [even, odd] {
            lower = 1.0 / away(1.0 + term * lower);
            upper = away(1.0 + term / upper);
            found *= lower * upper;
        }
        if (found / before - 1.0).abs() < ENOUGH {
            break;
        }
    }
    found
}

/// The logarithm of the gamma function above zero, to 1e-10 (Lanczos; Numerical Recipes, 2nd edition, 6.1).
fn find_log_gamma(x: f64) -> f64 {
    const SERIES: [f64; 6] = [
        76.180_091_729_471_46,
        -86.505_320_329_416_77,
        24.014_098_240_830_91,
        -1.231_739_572_450_155,
        0.120_865_097_386_617_9e-2,
        -0.539_523_938_495_3e-5,
    ];
    let base = x + 5.5;
    let sum = SERIES
        .iter()
        .zip(1_u32..)
        .fold(1.000_000_000_190_015, |sum, (term, at)| {
            sum + term / (x + f64::from(at))
        });
    (x + 0.5) * base.ln() - base + (2.506_628_274_631_000_5 * sum / x).ln()
}

/// A share in per cent with two digits that count.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to a handful of places"
)]
fn round_percent(share: f64) -> Value {
    let percent = share * 100.0;
    let places = if percent > 0.0 {
        (1.0 - percent.log10().floor()).clamp(0.0, 9.0)
    } else {
        0.0
    };
    let text = format!("{percent:.*}", places as usize);
    text.parse().unwrap_or_else(|_| Value::zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_near(found: f64, known: f64) {
        assert!((found - known).abs() < 5e-7, "{found} for {known}");
    }

    fn describe(counts: &[i64], cases: u32) -> Option<String> {
        let counts: Vec<Value> = counts.iter().copied().map(Value::from).collect();
        RateInterval::of_runs(&counts, cases).map(|rate| rate.to_string())
    }

    #[test]
    fn nothing_seen_has_the_limit_of_the_rule_of_three() {
        for of in [1, 3, 20, 60, 300, 1_000, 1_000_000] {
            let exact = -(0.05_f64.ln() / f64::from(of)).exp_m1();
            let (low, high) = find_interval(0, of);
            assert_near(low, 0.0);
            assert_near(high, exact);
            let (low, high) = find_interval(of, of);
            assert_near(low, 1.0 - exact);
            assert_near(high, 1.0);
        }
    }

    #[test]
    fn intervals_are_those_of_the_tables() {
        // `binom.test` of R and `scipy.stats.binomtest(...).proportion_ci("exact")` give these.
        for (count, of, low, high) in [
            (1, 2, 0.012_579_12, 0.987_420_88),
            (1, 10, 0.002_528_579, 0.445_016_1),
            (5, 10, 0.187_086_0, 0.812_914_0),
        ] {
            let found = find_interval(count, of);
            assert!(
                (found.0 - low).abs() < 1e-6 && (found.1 - high).abs() < 1e-6,
                "{found:?}"
            );
        }
    }

    /// The ends are where the sums of the binomial distribution say, whatever function finds them.
    #[test]
    fn at_either_end_the_count_is_as_rare_as_the_interval_says() {
        let sum = |from: u32, to: u32, of: u32, share: f64| -> f64 {
            let choose = |count: u32| -> f64 {
                (0..count)
                    .map(|at| f64::from(of - at) / f64::from(at + 1))
                    .product()
            };
            (from..=to)
                .map(|count| {
                    let other = f64::from(of - count);
                    choose(count) * share.powf(f64::from(count)) * (1.0 - share).powf(other)
                })
                .sum()
        };
        for (count, of) in [(1, 60), (3, 60), (30, 60), (59, 60), (7, 400)] {
            let (low, high) = find_interval(count, of);
            assert_near(sum(count, of, of, low), 0.025);
            assert_near(sum(0, count, of, high), 0.025);
        }
    }

    #[test]
    fn what_fails_and_what_succeeds_have_mirrored_intervals() {
        for of in [1, 2, 7, 60, 399] {
            for count in [0, 1, of / 3, of / 2, of - 1, of] {
                let (low, high) = find_interval(count, of);
                let (other_low, other_high) = find_interval(of - count, of);
                assert_near(low, 1.0 - other_high);
                assert_near(high, 1.0 - other_low);
                let share = f64::from(count) / f64::from(of);
                assert!(low <= share && share <= high, "{count} of {of}");
            }
        }
    }

    #[test]
    fn more_cases_leave_less_possible_and_a_higher_count_a_higher_rate() {
        let width = |count, of| {
            let (low, high) = find_interval(count, of);
            high - low
        };
        for times in [2, 10, 100, 10_000] {
            assert!(width(3 * times, 60 * times) < width(3, 60), "{times}");
            assert!(width(0, 60 * times) < width(0, 60), "{times}");
        }
        for count in 0..60 {
            let (low, high) = find_interval(count, 60);
            let (next_low, next_high) = find_interval(count + 1, 60);
            // Where one end begins to be a limit for one side alone, the other 2.5 in a hundred are given to it.
            let is_inner = count > 0 && count + 1 < 60;
            assert!(!is_inner || (low < next_low && high < next_high), "{count}");
        }
    }

    /// Whatever the true rate is, of all counts that it may give those with an interval around it come in 95 of 100 cases.
    #[test]
    fn the_true_rate_lies_within_as_often_as_is_promised() {
        let of = 40_u32;
        let intervals: Vec<(f64, f64)> = (0..=of).map(|count| find_interval(count, of)).collect();
        for rate in (1..100).map(|step| f64::from(step) / 100.0) {
            let mut chance = (f64::from(of) * (-rate).ln_1p()).exp();
            let mut covered = 0.0;
            for (count, (low, high)) in (0..=of).zip(&intervals) {
                if *low <= rate && rate <= *high {
                    covered += chance;
                }
                chance *= f64::from(of - count) / f64::from(count + 1) * rate / (1.0 - rate);
            }
            // A count of none or all has its limit at 5 in 100 on one side, beside the 2.5 of the others on the other.
            assert!(covered >= 0.925, "{rate}: {covered}");
            let is_inner = (0.2..0.8).contains(&rate);
            assert!(!is_inner || covered >= COVERS, "{rate}: {covered}");
        }
    }

    #[test]
    fn programs_get_the_counts_and_both_ends() {
        let count = Value::from(3);
        let rate = RateInterval::of_runs([&count, &count], 60).unwrap();
        let told = serde_json::to_string(&rate).unwrap();
        insta::assert_snapshot!(told, @r#"{"count":6,"of":120,"low":1.9,"high":11}"#);
    }

    #[test]
    fn a_count_is_told_with_what_it_leaves_possible() {
        let shown = |counts: &[i64], cases| describe(counts, cases).unwrap();
        insta::assert_snapshot!(shown(&[0], 60), @"0 of 60: at most 4.9 %, with 95 % confidence");
        insta::assert_snapshot!(shown(&[0, 0, 0, 0], 60), @"0 of 240: at most 1.2 %, with 95 % confidence");
        insta::assert_snapshot!(shown(&[60], 60), @"60 of 60: at least 95.1 %, with 95 % confidence");
        insta::assert_snapshot!(shown(&[3], 60), @"3 of 60: 5 % (1 to 14), 95 % interval");
        insta::assert_snapshot!(shown(&[2, 3], 8), @"5 of 16: 31 % (11 to 59), 95 % interval");
        insta::assert_snapshot!(shown(&[1], 1_000_000), @"1 of 1000000: 0.0001 % (0.0000025 to 0.00056), 95 % interval");
    }

    #[test]
    fn what_is_no_count_of_these_cases_has_no_rate() {
        assert_eq!(describe(&[], 60), None);
        assert_eq!(describe(&[61], 60), None);
        assert_eq!(describe(&[-1], 60), None);
        assert_eq!(describe(&[0], 0), None);
        let half: Value = "2.5".parse().unwrap();
        assert_eq!(RateInterval::of_runs([&half], 60), None);
        let both = RateInterval::of_mean(&half, 2, 60).unwrap();
        assert_eq!((both.count, both.of), (5, 120));
    }
}
