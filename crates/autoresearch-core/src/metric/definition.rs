//! Owns `Metric`: what a config says of the number to improve: its name, which way is better, how far, in which form.
//! Does not read or judge a value.
//! Invariant: a gain is above zero exactly where the new value is better.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::metric::unit::Quantity;
use crate::metric::value::Value;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metric {
    /// Its name in the log.
    pub name: String,
    /// Which way is better.
    pub direction: Direction,
    /// The run ends when the incumbent reaches this value. During a run it is in the metric's unit.
    pub target: Option<Quantity>,
    /// How verify prints it.
    pub format: Format,
}

/// Which way of the metric is better. There is no default: a config says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// Smaller is better.
    Lower,
    /// Larger is better.
    Higher,
}

impl Direction {
    /// The word in files and commands.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Lower => "lower",
            Self::Higher => "higher",
        }
    }
}

/// How verify prints its metric.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// `METRIC` lines when there are any, otherwise the last line, as JSON or as a number. What the baseline printed holds
    /// for the whole run.
    #[default]
    Auto,
    /// The last non-empty line is a number, with an optional unit behind it: `58%`, `12 problems`.
    Number,
    /// The output ends with a JSON object with a `primary` number, and more metrics.
    Json,
    /// Lines of the form `METRIC name=value`, anywhere.
    Lines,
    /// Not at all: the tool measured it. Nobody types this.
    #[schemars(skip)]
    Measured,
}

impl Metric {
    /// By how much `new` is better than `old`; negative when it is worse.
    #[must_use]
    pub fn compute_gain(&self, old: &Value, new: &Value) -> Value {
        match self.direction {
            Direction::Lower => old - new,
            Direction::Higher => new - old,
        }
    }

    /// The target in the metric's unit; only a run has it so.
    #[must_use]
    pub fn target_number(&self) -> Option<Value> {
        self.target.as_ref().map(|target| target.number.clone())
    }

    /// Has a value reached the target?
    #[must_use]
    pub fn is_target_reached(&self, value: &Value) -> bool {
        self.target
            .as_ref()
            .is_some_and(|target| self.compute_gain(&target.number, value) >= Value::zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn make_metric(direction: Direction, target: Option<i64>) -> Metric {
        Metric {
            name: "m".into(),
            direction,
            target: target.map(|target| Value::from(target).into()),
            format: Format::Auto,
        }
    }

    #[test]
    fn without_a_target_no_value_reaches_it() {
        let metric = make_metric(Direction::Lower, None);
        assert!(!metric.is_target_reached(&Value::from(-1_000_000)));
        assert_eq!(metric.target_number(), None);
    }

    proptest::proptest! {
        #[test]
        fn a_gain_is_above_zero_exactly_where_the_value_is_better(old in -50_i64..50, new in -50_i64..50) {
            let gain = |direction| make_metric(direction, None).compute_gain(&old.into(), &new.into());
            proptest::prop_assert_eq!(gain(Direction::Lower) > Value::zero(), new < old);
            proptest::prop_assert_eq!(gain(Direction::Higher) > Value::zero(), new > old);
        }

        #[test]
        fn a_target_is_reached_by_itself_and_by_all_that_is_better(target in -50_i64..50, value in -50_i64..50) {
            let reached = |direction| make_metric(direction, Some(target)).is_target_reached(&value.into());
            proptest::prop_assert_eq!(reached(Direction::Lower), value <= target);
            proptest::prop_assert_eq!(reached(Direction::Higher), value >= target);
        }
    }
}
