//! Owns `Condition`: one `{metric, op, value}` of `keep_when` and `stop_when`; and `WatchedMetric`, which `not-worse` makes.
//! Does not decide what follows from it.
//! Invariant: a metric that was not printed satisfies no condition.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::metric::definition::Direction;
use crate::metric::measurement::Measurement;
use crate::metric::unit::Quantity;

/// A comparison of a printed metric with a number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// The metric's name: the one of `metric.name`, or another that verify prints.
    pub metric: String,
    /// How to compare.
    pub op: Op,
    /// What to compare with. During a run it is in the metric's unit.
    pub value: Quantity,
}

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Op {
    /// less
    #[serde(rename = "<")]
    Less,
    /// less or equal
    #[serde(rename = "<=")]
    AtMost,
    /// greater
    #[serde(rename = ">")]
    Greater,
    /// greater or equal
    #[serde(rename = ">=")]
    AtLeast,
    /// equal
    #[serde(rename = "==")]
    Equal,
    /// not equal
    #[serde(rename = "!=")]
    Unequal,
    /// not worse than the kept state, as far as the noise of both tells (`keep_when` only, and without a value)
    #[serde(rename = "not-worse")]
    NotWorse,
}

/// A further metric that no keep makes worse: `{metric: NAME, op: not-worse, direction: lower}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WatchedMetric {
    /// Its name, as verify prints it.
    pub metric: String,
    /// Which way is better.
    pub direction: Direction,
}

impl Condition {
    /// Does it hold for this measurement?
    #[must_use]
    pub fn holds_for(&self, measurement: &Measurement) -> bool {
        let bound = &self.value.number;
        measurement
            .metrics
            .get(&self.metric)
            .is_some_and(|found| match self.op {
                Op::Less => found < bound,
                Op::AtMost => found <= bound,
                Op::Greater => found > bound,
                Op::AtLeast => found >= bound,
                Op::Equal => found == bound,
                Op::Unequal => found != bound,
                // One measurement cannot tell: it is a `WatchedMetric`, which the judge compares.
                Op::NotWorse => true,
            })
    }

    /// The condition, and what this measurement has instead of its metric, if it has none.
    #[must_use]
    pub fn explain_for(&self, measurement: &Measurement) -> String {
        match measurement.missing.get(&self.metric) {
            Some(why) => format!("{self} ({}: {why})", self.metric),
            None if measurement.metrics.contains_key(&self.metric) => self.to_string(),
            None => format!("{self} ({} was not printed)", self.metric),
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let op = match self.op {
            Op::Less => "<",
            Op::AtMost => "<=",
            Op::Greater => ">",
            Op::AtLeast => ">=",
            Op::Equal => "==",
            Op::Unequal => "!=",
            Op::NotWorse => "not-worse",
        };
        write!(out, "{} {op} {}", self.metric, self.value)
    }
}

impl fmt::Display for WatchedMetric {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} not-worse", self.metric)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_that_was_not_printed_satisfies_nothing() {
        let measurement = Measurement {
            value: 30.into(),
            metrics: [("p95".to_owned(), 30.into())].into(),
            missing: [("loss".to_owned(), "`NaN` is not a finite number".to_owned())].into(),
            cases: crate::metric::cases::Cases::default(),
        };
        let condition = |metric: &str, op| Condition {
            metric: metric.into(),
            op,
            value: 30.into(),
        };
        assert!(condition("p95", Op::AtMost).holds_for(&measurement));
        assert!(!condition("p95", Op::Less).holds_for(&measurement));
        assert!(!condition("p99", Op::Unequal).holds_for(&measurement));
        assert!(!condition("loss", Op::Unequal).holds_for(&measurement));
        let told = |metric| condition(metric, Op::Less).explain_for(&measurement);
        assert_eq!(told("p95"), "p95 < 30");
        assert_eq!(told("p99"), "p99 < 30 (p99 was not printed)");
        assert_eq!(
            told("loss"),
            "loss < 30 (loss: `NaN` is not a finite number)"
        );
    }
}
