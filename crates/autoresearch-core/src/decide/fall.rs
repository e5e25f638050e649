//! Owns whether the value of a holdout fell below one that was accepted before.
//! Does not judge a trial: the metric of the config, which is shown, decides that.
//! Invariant: an exact metric may not fall at all; a noisy one may by what chance alone does, and never by that much twice.

use crate::metric::definition::Metric;
use crate::metric::value::Value;

/// How many standard deviations of one run are chance.
const CHANCE: f64 = 2.0;

/// The value that a later one must not fall below, where this one did not fall; `None` where it did. It is the better of
/// the two, so that many small falls do not add up.
///
/// `spread` is the standard deviation of a run of the run's metric, as a share, since the holdout runs once; 0 for an exact
/// metric.
#[must_use]
pub fn accept_value(metric: &Metric, accepted: &Value, now: &Value, spread: f64) -> Option<Value> {
    let gain = metric.compute_gain(accepted, now);
    if gain >= Value::zero() {
        return Some(now.clone());
    }
    if spread <= 0.0 {
        return None;
    }
    let fall = -gain.to_double() / accepted.magnitude().to_double().max(f64::MIN_POSITIVE);
    (fall <= CHANCE * spread).then(|| accepted.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::definition::{Direction, Format};

    fn make_metric(direction: Direction) -> Metric {
        Metric {
            name: "p95".to_owned(),
            direction,
            target: None,
            format: Format::Auto,
        }
    }

    fn accept(direction: Direction, spread: f64, accepted: i64, now: i64) -> Option<Value> {
        let metric = make_metric(direction);
        accept_value(&metric, &accepted.into(), &now.into(), spread)
    }

    #[test]
    fn an_exact_metric_may_stay_or_get_better_and_not_fall_by_one() {
        for (direction, better, worse) in [(Direction::Lower, 49, 51), (Direction::Higher, 51, 49)]
        {
            assert_eq!(accept(direction, 0.0, 50, 50), Some(50.into()));
            assert_eq!(accept(direction, 0.0, 50, better), Some(better.into()));
            assert_eq!(accept(direction, 0.0, 50, worse), None);
        }
    }

    #[test]
    fn a_noisy_metric_may_fall_by_chance_in_proportion_and_small_falls_do_not_add_up() {
        // Two spreads of a tenth are chance.
        let spread = 0.1;
        assert_eq!(
            accept(Direction::Lower, spread, 1_000, 1_190),
            Some(1_000.into()),
            "what was accepted before stays the bound"
        );
        assert_eq!(accept(Direction::Lower, spread, 1_000, 1_210), None);
        assert_eq!(
            accept(Direction::Higher, spread, 1_000, 810),
            Some(1_000.into())
        );
        assert_eq!(accept(Direction::Higher, spread, 1_000, 790), None);
        assert_eq!(
            accept(Direction::Higher, spread, 1_000, 1_300),
            Some(1_300.into())
        );
    }

    #[test]
    fn from_zero_a_noisy_metric_may_not_fall() {
        let spread = 0.1;
        assert_eq!(accept(Direction::Lower, spread, 0, 1), None);
        assert_eq!(accept(Direction::Lower, spread, 0, 0), Some(0.into()));
    }
}
