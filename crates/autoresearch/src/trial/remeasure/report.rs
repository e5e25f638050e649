//! Owns the answer of `remeasure`: the values of a state, and how they differ from what the run believes.
//! Does not measure.
//! Invariant: what is compared with is what the run believed before these runs.

use std::fmt;

use autoresearch_core::decide::gain::GainRange;
use autoresearch_core::git_names::CommitId;
use autoresearch_core::journal::event::Remeasured;
use autoresearch_core::journal::remeasured::NamedState;
use autoresearch_core::journal::state::RunState;
use autoresearch_core::metric::unit::Unit;
use autoresearch_core::metric::value::Value;
use autoresearch_core::words::text::{escape_text, format_count};
use serde::Serialize;

/// The answer of `remeasure`.
#[derive(Clone, Debug, Serialize)]
pub struct RemeasureReport {
    pub run: String,
    /// `incumbent`, `start` or `trial`.
    pub state: NamedState,
    pub trial: u32,
    pub hash: CommitId,
    pub metric: String,
    /// Which way is better.
    pub direction: &'static str,
    #[serde(skip_serializing_if = "Unit::is_none")]
    pub unit: Unit,
    pub values: Vec<Value>,
    pub median: Option<Value>,
    pub low: Option<Value>,
    pub high: Option<Value>,
    /// The value of the kept state that the run believed before.
    pub believed: Value,
    /// The median against it, signed.
    pub delta: Option<String>,
    /// How much better than that the state is, with its interval, where the metric is noisy.
    pub gain: Option<GainRange>,
    /// Do its runs count for what the run believes?
    pub joined: bool,
    /// The standard deviation of a single run, in per cent, as the run knows it now; 0 of an exact metric.
    pub spread: f64,
    pub verify_runs: u32,
    /// Why the last run gave no number.
    pub why: Option<String>,
    pub interrupted: bool,
    /// What was repaired before, one sentence each.
    pub repaired: Vec<String>,
    pub next: String,
    #[serde(skip)]
    told: String,
    /// Was the metric exact until now?
    #[serde(skip)]
    turned_noisy: bool,
}

/// What the run believed before.
pub(super) struct WhatWasBelieved {
    value: Value,
    gain: Option<GainRange>,
    was_exact: bool,
}

impl WhatWasBelieved {
    pub(super) fn of(state: &RunState, row: &Remeasured) -> Self {
        let value = state.incumbent.measurement.value.clone();
        let was_exact = state.evidence.is_exact();
        let kept = value.to_double();
        let pairs: Vec<(f64, f64)> = row
            .runs
            .iter()
            .map(|run| (kept, run.value.to_double()))
            .collect();
        let gain = state
            .evidence
            .describe_pairs(&pairs)
            .filter(|_| !was_exact)
            .map(|claimed| GainRange::from(&claimed));
        Self {
            value,
            gain,
            was_exact,
        }
    }
}

/// The answer; who measured adds how it ended and what comes next.
pub(super) fn make_report(
    state: &RunState,
    row: &Remeasured,
    believed: WhatWasBelieved,
) -> RemeasureReport {
    let metric = &state.config().metric;
    let median = row.find_median();
    let (low, high) = row.find_ends().unzip();
    let delta = median
        .as_ref()
        .map(|median| (median - &believed.value).format_signed());
    RemeasureReport {
        run: state.start.run.clone(),
        state: row.state,
        trial: row.trial,
        hash: row.commit.clone(),
        metric: metric.name.clone(),
        direction: metric.direction.as_str(),
        unit: state.metric_unit(),
        values: row.list_values(),
        median,
        low,
        high,
        believed: believed.value,
        delta,
        gain: believed.gain,
        joined: row.commit == state.incumbent.commit && !row.runs.is_empty(),
        spread: (state.evidence.find_run_spread() * 10_000.0).round() / 100.0,
        verify_runs: row.verify_runs,
        why: row.why.clone(),
        interrupted: false,
        repaired: Vec::new(),
        next: String::new(),
        told: row.describe_state(),
        turned_noisy: believed.was_exact && !state.evidence.is_exact(),
    }
}

impl RemeasureReport {
    fn show(&self, value: &Value) -> String {
        self.unit.format_number(&value.to_string())
    }

    fn write_values(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Some(median), Some(low), Some(high)) = (&self.median, &self.low, &self.high) else {
            return writeln!(out, "  values    none");
        };
        let values: Vec<String> = self.values.iter().map(ToString::to_string).collect();
        writeln!(out, "  values    {}", values.join(" "))?;
        let spread = if low == high {
            "all equal".to_owned()
        } else {
            format!("{low} to {high}")
        };
        writeln!(
            out,
            "  median    {}, {spread} ({})",
            self.show(median),
            format_count(self.values.len(), "run")
        )?;
        write!(
            out,
            "  believed  {} of the kept state",
            self.show(&self.believed)
        )?;
        let delta = self.delta.as_deref().unwrap_or("0");
        writeln!(
            out,
            "; the median differs by {delta} ({} is better)",
            self.direction
        )?;
        match &self.gain {
            Some(gain) => writeln!(out, "  against   {}", gain.describe()),
            None => Ok(()),
        }
    }
}

impl fmt::Display for RemeasureReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for done in &self.repaired {
            writeln!(out, "repaired: {done}")?;
        }
        writeln!(
            out,
            "{} of run `{}` once more, commit {}",
            self.told,
            self.run,
            self.hash.short()
        )?;
        self.write_values(out)?;
        if let Some(why) = &self.why {
            writeln!(out, "  then      {}", escape_text(why))?;
        }
        if self.interrupted {
            writeln!(out, "  then      interrupted")?;
        }
        let evidence = match (self.joined, self.turned_noisy) {
            (true, true) => {
                "the metric is noisy from now on: two runs of one commit differ".to_owned()
            }
            (true, false) if self.spread > 0.0 => format!(
                "these runs count for the next trial; a run spreads by {} %",
                self.spread
            ),
            (true, false) => "these runs count for the next trial".to_owned(),
            _ => "recorded; nothing that the run believes changes".to_owned(),
        };
        writeln!(out, "  evidence  {evidence}")?;
        writeln!(
            out,
            "  cost      {} of verify",
            format_count(self.verify_runs, "run")
        )?;
        out.write_str(&self.next)
    }
}

#[cfg(test)]
mod tests;
