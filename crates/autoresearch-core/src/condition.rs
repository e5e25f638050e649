//! Owns `Condition`: one `{metric, op, value}` of `keep_when` and `stop_when`.
//! Does not decide what follows from it.
//! Invariant: a metric that was not printed satisfies no condition.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::value::Value;

/// A comparison of a printed metric with a number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// The metric's name: the one of `metric.name`, or another that verify prints.
    pub metric: String,
    /// How to compare.
    pub op: Op,
    /// The number to compare with.
    pub value: Value,
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
}

impl Condition {
    /// Does it hold for these metrics?
    #[must_use]
    pub fn holds(&self, metrics: &BTreeMap<String, Value>) -> bool {
        metrics
            .get(&self.metric)
            .is_some_and(|found| match self.op {
                Op::Less => found < &self.value,
                Op::AtMost => found <= &self.value,
                Op::Greater => found > &self.value,
                Op::AtLeast => found >= &self.value,
                Op::Equal => found == &self.value,
                Op::Unequal => found != &self.value,
            })
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
        };
        write!(out, "{} {op} {}", self.metric, self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_that_was_not_printed_satisfies_nothing() {
        let metrics = BTreeMap::from([("p95".to_owned(), Value::from(30))]);
        let condition = |metric: &str, op| Condition {
            metric: metric.into(),
            op,
            value: Value::from(30),
        };
        assert!(condition("p95", Op::AtMost).holds(&metrics));
        assert!(!condition("p95", Op::Less).holds(&metrics));
        assert!(!condition("p99", Op::Unequal).holds(&metrics));
    }
}
