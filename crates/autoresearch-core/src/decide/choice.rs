//! Owns the choice among the workers of a batch: who is out, and in which order the others are tried.
//! Does not keep anything: what is chosen is measured afresh and judged like any trial.
//! Invariant: the runs that a choice was made by are no evidence for what was chosen.

use std::cmp::Reverse;

use crate::decide::why::Why;
use crate::journal::batch::WorkerRow;
use crate::metric::definition::Metric;
use crate::metric::value::Value;

/// A single run of a noisy metric that is worse by so many spreads is not tried again: of no change at all, one run in a
/// thousand is (normal tail beyond 3).
const CLEARLY_WORSE: f64 = 3.0;

/// What a choice is made against.
#[derive(Clone, Copy, Debug)]
pub struct ChoiceScene<'a> {
    pub metric: &'a Metric,
    /// What the kept state measures.
    pub before: &'a Value,
    /// The standard deviation of a single run, in the metric's unit; nothing for an exact metric.
    pub spread: Option<f64>,
}

impl ChoiceScene<'_> {
    /// Why a worker that measured this is out of the choice, if it is. An equal number is no improvement; a noisy one tells
    /// only what is clearly worse.
    #[must_use]
    pub fn find_refusal(&self, value: &Value) -> Option<Why> {
        let gain = self.metric.compute_gain(self.before, value);
        match self.spread {
            Some(spread) => {
                (gain.to_double() < -CLEARLY_WORSE * spread).then_some(Why::WorseMetric)
            }
            None if gain > Value::zero() => None,
            None if gain == Value::zero() => Some(Why::Tie),
            None => Some(Why::WorseMetric),
        }
    }

    /// The rows in the order in which they are tried: the best number first, of equal ones that with fewer changed lines, then
    /// the first.
    #[must_use]
    pub fn rank_rows<'r>(&self, rows: impl Iterator<Item = &'r WorkerRow>) -> Vec<&'r WorkerRow> {
        let mut measured: Vec<(Value, &WorkerRow)> = rows
            .filter_map(|row| {
                let value = &row.measurement.as_ref()?.value;
                Some((self.metric.compute_gain(self.before, value), row))
            })
            .collect();
        measured.sort_by(|(left_gain, left), (right_gain, right)| {
            Reverse(left_gain)
                .cmp(&Reverse(right_gain))
                .then(left.lines.cmp(&right.lines))
                .then(left.worker.cmp(&right.worker))
        });
        measured.into_iter().map(|(_, row)| row).collect()
    }
}

/// May the next best be tried where a pick came to this? A noisy metric gets one answer for each batch: asked once for
/// each worker, luck alone would be kept up to three times as often.
#[must_use]
pub fn allows_next(why: &Why, is_exact: bool) -> bool {
    let is_by_number = matches!(
        why,
        Why::WorseMetric
            | Why::Tie
            | Why::BelowMinimum
            | Why::CannotTell { .. }
            | Why::NotRepeated { .. }
    );
    is_exact || !is_by_number
}

#[cfg(test)]
mod tests;
