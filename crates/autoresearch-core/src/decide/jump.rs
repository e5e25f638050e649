//! Owns the rule for a result that is too good to be believed at once.
//! Does not decide what follows; `judge` has it measured again.
//! Invariant: the rule looks at measured values only, and at the same values it always says the same.
//!
//! A gain is a jump when it is larger than the whole range measured so far and more than halves (or doubles) the
//! incumbent, or when it is a tenfold change and larger than a quarter of that range. So the first trial that halves the
//! metric is looked at twice, and so is a fall to a fraction after a long history; the last of many counted problems is not.
//! Whole numbers that differ by no more than a handful are counts, and one edit can remove a handful of anything.

use serde::{Deserialize, Serialize};

use crate::metric::definition::{Direction, Metric};
use crate::metric::value::Value;

/// A change of this factor is a jump when it is also larger than the range so far.
const LARGE: i64 = 2;
/// A change of this factor is a jump when it is also larger than a quarter of the range so far.
const HUGE: i64 = 10;

/// A gain of this many counted things is never a jump.
const HANDFUL: i64 = 5;

/// The range of everything that a run has measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeasuredRange {
    lowest: Value,
    highest: Value,
}

impl MeasuredRange {
    /// The range of one value.
    #[must_use]
    pub fn of_value(value: &Value) -> Self {
        Self {
            lowest: value.clone(),
            highest: value.clone(),
        }
    }

    /// Takes in one more value.
    pub fn include_value(&mut self, value: &Value) {
        if *value < self.lowest {
            self.lowest = value.clone();
        }
        if *value > self.highest {
            self.highest = value.clone();
        }
    }

    /// Is `found` far outside everything seen so far, on the better side of the incumbent?
    #[must_use]
    pub fn is_jump(&self, metric: &Metric, incumbent: &Value, found: &Value) -> bool {
        let gain = metric.compute_gain(incumbent, found);
        if gain <= Value::zero() {
            return false;
        }
        if incumbent.is_whole() && found.is_whole() && gain <= Value::from(HANDFUL) {
            return false;
        }
        let range = &self.highest - &self.lowest;
        let beyond = |factor: i64| is_beyond(metric.direction, incumbent, found, factor);
        let quarters = &gain * &Value::from(4);
        (gain > range && beyond(LARGE)) || (quarters > range && beyond(HUGE))
    }
}

/// Is the better value away from the incumbent by more than a factor of two, or by a larger factor at least? From zero,
/// and across it, any change is.
fn is_beyond(direction: Direction, incumbent: &Value, found: &Value, factor: i64) -> bool {
    let zero = Value::zero();
    let (near, far) = match direction {
        Direction::Lower => (found, incumbent),
        Direction::Higher => (incumbent, found),
    };
    // `near` is below `far`. On the negative side their parts are exchanged.
    let (small, large) = if *far > zero && *near >= zero {
        (near.clone(), far.clone())
    } else if *far <= zero && *near < zero {
        (far.magnitude(), near.magnitude())
    } else {
        return true;
    };
    let grown = &small * &Value::from(factor);
    if factor == LARGE {
        grown < large
    } else {
        grown <= large
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::definition::Format;

    fn is_jump(direction: Direction, seen: &[i64], found: i64) -> bool {
        let metric = Metric {
            name: "m".into(),
            direction,
            target: None,
            format: Format::Auto,
        };
        let mut range = MeasuredRange::of_value(&Value::from(seen[0]));
        for value in seen {
            range.include_value(&Value::from(*value));
        }
        let best = match direction {
            Direction::Lower => seen.iter().min(),
            Direction::Higher => seen.iter().max(),
        };
        range.is_jump(&metric, &Value::from(*best.unwrap()), &Value::from(found))
    }

    #[test]
    fn what_is_far_outside_everything_seen_is_a_jump() {
        for (seen, found) in [
            (&[150_000][..], 20),
            (&[150_000, 148_000, 151_000], 20),
            (&[150_000, 60_000], 20),
            (&[12], 0),
            (&[12], 5),
            (&[5], -1),
            (&[-5], -11),
        ] {
            assert!(
                is_jump(Direction::Lower, seen, found),
                "{seen:?} -> {found}"
            );
        }
        for (seen, found) in [
            (&[100, 104][..], 2_000),
            (&[0], 30),
            (&[40], 81),
            (&[-30], -2),
        ] {
            assert!(
                is_jump(Direction::Higher, seen, found),
                "{seen:?} -> {found}"
            );
        }
    }

    #[test]
    fn steady_progress_and_the_last_of_many_are_none() {
        for (seen, found) in [
            (&[150_000][..], 149_000),
            (&[150_000], 75_000),
            (&[10], 5),
            (&[10, 8, 5, 3, 1], 0),
            (&[4, 3], 0),
            (&[5], 0),
            (&[3], -2),
            (&[47, 40, 12, 2], 0),
            (&[10], 11),
            (&[10], 10),
            (&[-5], -6),
        ] {
            assert!(
                !is_jump(Direction::Lower, seen, found),
                "{seen:?} -> {found}"
            );
        }
        for (seen, found) in [(&[40, 50, 80][..], 95), (&[40], 80), (&[40], 39)] {
            assert!(
                !is_jump(Direction::Higher, seen, found),
                "{seen:?} -> {found}"
            );
        }
    }

    #[test]
    fn a_fraction_is_measured_and_not_counted() {
        let metric = Metric {
            name: "m".into(),
            direction: Direction::Lower,
            target: None,
            format: Format::Auto,
        };
        let (before, found) = ("3.5".parse().unwrap(), "0.5".parse().unwrap());
        assert!(MeasuredRange::of_value(&before).is_jump(&metric, &before, &found));
    }

    proptest::proptest! {
        #[test]
        fn a_step_no_larger_than_a_quarter_of_the_range_is_never_a_jump(
            first in 1_i64..1_000_000, range in 4_i64..1_000_000, step in 0_i64..1_000_000,
        ) {
            let step = step.min(range / 4);
            proptest::prop_assert!(!is_jump(Direction::Lower, &[first + range, first], first - step));
            proptest::prop_assert!(!is_jump(Direction::Higher, &[first, first + range], first + range + step));
        }

        #[test]
        fn a_worse_value_is_never_a_jump(best in -1_000_000_i64..1_000_000, worse in 0_i64..1_000_000) {
            proptest::prop_assert!(!is_jump(Direction::Lower, &[best], best + worse));
            proptest::prop_assert!(!is_jump(Direction::Higher, &[best], best - worse));
        }
    }

    #[test]
    fn the_range_of_what_was_seen_grows_and_is_read_again_as_it_was_written() {
        let mut range = MeasuredRange::of_value(&Value::from(5));
        for value in [7, 6, -3] {
            range.include_value(&Value::from(value));
        }
        assert_eq!(
            (&range.lowest, &range.highest),
            (&Value::from(-3), &Value::from(7))
        );
        let written = serde_json::to_string(&range).unwrap();
        assert_eq!(
            serde_json::from_str::<MeasuredRange>(&written).unwrap(),
            range
        );
    }
}
