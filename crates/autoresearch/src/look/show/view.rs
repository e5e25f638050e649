//! Owns the answer of `show`: what is shown of a trial or of a worker, and its words.
//! Does not read a run; what is in it is handed in.
//! Invariant: what was typed by others is escaped on its way to a terminal.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use autoresearch_core::git_names::CommitId;
use autoresearch_core::journal::event::{
    Decision, GainRange, Suspicion, Why, WorkerId, format_further_metrics, list_further_metrics,
};
use autoresearch_core::metric::cases::CaseChanges;
use autoresearch_core::metric::measurement::Measurement;
use autoresearch_core::metric::percent::format_percent;
use autoresearch_core::metric::rate::RateInterval;
use autoresearch_core::metric::unit::Unit;
use autoresearch_core::metric::value::Value;
use autoresearch_core::words::text::{escape_text, format_count};
use serde::Serialize;

use crate::run::under_way::show_whole_seconds;
use autoresearch_sys::env::{clock_text_of, count_ms_between};
use autoresearch_sys::git::FileDifference;
use autoresearch_sys::store::OutputTail;

/// How many files the story of a trial names.
const MOST_FILES: usize = 20;
/// What is shown: a trial, or a worker of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ShownName {
    Trial(u32),
    Worker(WorkerId),
}

impl ShownName {
    pub(super) fn describe(self) -> String {
        match self {
            Self::Trial(number) => format!("trial {number}"),
            Self::Worker(worker) => format!("worker {worker}"),
        }
    }
}

impl fmt::Display for ShownName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trial(number) => write!(out, "{number}"),
            Self::Worker(worker) => write!(out, "{worker}"),
        }
    }
}

impl FromStr for ShownName {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let worker = text.parse().map(Self::Worker);
        let number = text.parse().map(Self::Trial);
        number.or(worker).map_err(|_| {
            "it is neither the number of a trial nor a worker of a batch, such as 5 or 5b"
                .to_owned()
        })
    }
}

/// The answer of `show`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct TrialView {
    pub run: String,
    pub trial: u32,
    /// The worker of a batch that it is, where it is one; `trial` is the number of the batch then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worker: Option<WorkerId>,
    /// What became of the workers of the batch that it decided, such as `5a measured`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub workers: Vec<String>,
    /// `keep`, `discard`, `crash`, `no-op`, `interrupted`; `baseline`; `rework` while it waits for one, `open` while it is
    /// made.
    pub verdict: &'static str,
    /// Why it is not a keep, as one word.
    pub reason: Option<&'static str>,
    /// The same in a sentence.
    pub detail: Option<String>,
    /// What the agent said it changed.
    pub message: String,
    /// What the agent expected of it, in a run without a person.
    pub hypothesis: Option<String>,
    pub labels: Vec<String>,
    pub metric: String,
    /// Which way is better.
    pub direction: &'static str,
    /// What it had to beat.
    pub before: Option<Value>,
    pub value: Option<Value>,
    pub delta: Option<String>,
    /// The same of an exact metric in per cent of what it had to beat, where that means something.
    pub percent: Option<String>,
    /// What is known of the gain of a noisy metric, in per cent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gain: Option<GainRange>,
    /// What its runs say of a metric that counts cases.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<RateInterval>,
    /// How its cases differ from those of the kept state before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cases: Option<CaseChanges>,
    #[serde(skip_serializing_if = "Unit::is_none")]
    pub unit: Unit,
    /// Where the code may game the measurement.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub suspects: Vec<Suspicion>,
    /// Further metrics that were printed.
    pub metrics: BTreeMap<String, Value>,
    /// `pass`, `fail` or `-`.
    pub guard: &'static str,
    /// When its first and its last record were written, in UTC.
    pub began: Option<String>,
    pub ended: Option<String>,
    /// Its commit, whatever became of it.
    pub hash: Option<CommitId>,
    /// The commit that its changes were made on.
    pub base: Option<CommitId>,
    pub files: Vec<FileFigures>,
    /// The folder of its whole output, as the reader can open it.
    pub output: String,
    /// What its commit gave when somebody measured it again, one sentence each time.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remeasured: Vec<String>,
    /// With `--diff`: what it changed, as a patch.
    pub diff: Option<String>,
    /// With `--output`: the end of what each command printed.
    pub outputs: Option<Vec<ShownOutput>>,
    pub next: Option<String>,
    /// The bytes of the patch.
    #[serde(skip)]
    pub patch: Vec<u8>,
}

/// How many lines of a file a trial added and removed; none of a file that is not text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct FileFigures {
    pub path: String,
    pub added: Option<usize>,
    pub removed: Option<usize>,
}

/// The end of an output.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ShownOutput {
    pub name: String,
    /// The length of the whole file.
    pub bytes: u64,
    pub tail: String,
}

impl TrialView {
    /// `5`, or `5b`.
    pub(super) fn name(&self) -> ShownName {
        match self.worker {
            Some(worker) => ShownName::Worker(worker),
            None => ShownName::Trial(self.trial),
        }
    }

    /// `trial 5`, or `worker 5b`.
    pub(super) fn subject(&self) -> String {
        self.name().describe()
    }

    pub(super) fn add_decision(&mut self, decided: &Decision) {
        self.verdict = decided.verdict.as_str();
        self.add_why(decided.why.as_ref());
        self.message.clone_from(&decided.message);
        self.labels.clone_from(&decided.labels);
        self.delta = decided.delta.as_ref().map(Value::format_signed);
        self.guard = decided.guard.as_str();
        self.suspects.clone_from(&decided.suspects);
        self.cases.clone_from(&decided.cases);
        if let Some(measurement) = &decided.measurement {
            self.add_measurement(measurement);
        }
        self.gain.clone_from(&decided.gain);
        self.percent = match (&self.before, &self.value, &self.gain) {
            (Some(before), Some(value), None) => format_percent(&self.unit, before, value, 0.0),
            _ => None,
        };
    }

    pub(super) fn add_why(&mut self, why: Option<&Why>) {
        self.reason = why.map(Why::as_str);
        self.detail = why.map(ToString::to_string);
    }

    pub(super) fn add_measurement(&mut self, measurement: &Measurement) {
        self.value = Some(measurement.value.clone());
        self.metrics = list_further_metrics(measurement, &self.metric);
    }

    /// `2 files changed, +3 -1`
    pub(crate) fn format_sum(&self) -> String {
        let sum = |of: fn(&FileFigures) -> Option<usize>| -> usize {
            self.files.iter().filter_map(of).sum()
        };
        format!(
            "{} changed, +{} -{}",
            format_count(self.files.len(), "file"),
            sum(|file| file.added),
            sum(|file| file.removed)
        )
    }

    fn write_metric(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |value: &Value| self.unit.format_number(&value.to_string());
        write!(out, "  metric    {} ", self.metric)?;
        match (&self.before, &self.value) {
            (Some(before), Some(value)) => {
                out.write_str(&self.unit.format_change(before, value))?;
            }
            (None, Some(value)) => out.write_str(&shown(value))?,
            (Some(before), None) => write!(out, "not measured, {} to beat", shown(before))?,
            (None, None) => out.write_str("not measured")?,
        }
        out.write_str(" (")?;
        for part in [&self.delta, &self.percent].into_iter().flatten() {
            write!(out, "{part}, ")?;
        }
        writeln!(out, "{} is better)", self.direction)?;
        // A sentence of its own tells what cannot be told.
        let is_told = self.reason == Some("cannot-tell");
        if let Some(gain) = self.gain.as_ref().filter(|_| !is_told) {
            writeln!(out, "  gain      {}", gain.describe())?;
        }
        if let Some(rate) = &self.rate {
            writeln!(out, "  rate      {rate}")?;
        }
        if let Some(cases) = &self.cases {
            writeln!(out, "  cases     {cases}")?;
        }
        if !self.metrics.is_empty() {
            writeln!(out, "  also      {}", format_further_metrics(&self.metrics))?;
        }
        Ok(())
    }

    fn write_time(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(began) = &self.began else {
            return Ok(());
        };
        let lasted = self
            .ended
            .as_ref()
            .and_then(|ended| count_ms_between(began, ended))
            .map(|ms| format!(", took {}", show_whole_seconds(ms)));
        let lasted = lasted.unwrap_or_default();
        writeln!(out, "  time      {}{lasted}", clock_text_of(began))
    }

    fn write_commit(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(hash) = &self.hash else {
            return writeln!(out, "  commit    none");
        };
        match &self.base {
            Some(base) => writeln!(out, "  commit    {hash} on {}", base.short())?,
            None => writeln!(out, "  commit    {hash}")?,
        }
        if self.files.is_empty() {
            return Ok(());
        }
        writeln!(out, "  files     {}", self.format_sum())?;
        for file in self.files.iter().take(MOST_FILES) {
            writeln!(out, "    {file}")?;
        }
        match self.files.len().saturating_sub(MOST_FILES) {
            0 => Ok(()),
            more => writeln!(out, "    and {more} more: `--stat` names them all"),
        }
    }
}

impl From<FileDifference> for FileFigures {
    fn from(file: FileDifference) -> Self {
        Self {
            path: file.path.to_string(),
            added: file.lines.map(|(added, _)| added),
            removed: file.lines.map(|(_, removed)| removed),
        }
    }
}

impl From<OutputTail> for ShownOutput {
    fn from(output: OutputTail) -> Self {
        Self {
            name: output.name,
            bytes: output.bytes,
            tail: String::from_utf8_lossy(&output.tail).into_owned(),
        }
    }
}

impl fmt::Display for FileFigures {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.added, self.removed) {
            (Some(added), Some(removed)) => write!(out, "{}  +{added} -{removed}", self.path),
            _ => write!(out, "{}  binary", self.path),
        }
    }
}

impl fmt::Display for TrialView {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outcome = match self.verdict {
            "open" => "not decided yet",
            "rework" => "waits for a rework",
            "interrupted" => "interrupted, undone, does not count",
            verdict => verdict,
        };
        writeln!(out, "{} of run `{}`: {outcome}", self.subject(), self.run)?;
        if let (Some(reason), Some(detail)) = (self.reason, &self.detail) {
            writeln!(out, "  why       {reason}: {}", escape_text(detail))?;
        }
        let labels: Vec<String> = self
            .labels
            .iter()
            .map(|label| format!(" #{label}"))
            .collect();
        let message = escape_text(&format!("{}{}", self.message, labels.concat()));
        writeln!(out, "  change    {message}")?;
        if let Some(hypothesis) = &self.hypothesis {
            writeln!(out, "  expected  {}", escape_text(hypothesis))?;
        }
        self.write_metric(out)?;
        writeln!(out, "  guard     {}", self.guard)?;
        if !self.workers.is_empty() {
            writeln!(out, "  workers   {}", self.workers.join(", "))?;
        }
        for place in &self.suspects {
            writeln!(out, "  suspect   {place}")?;
        }
        for told in &self.remeasured {
            writeln!(out, "  again     {told}")?;
        }
        self.write_time(out)?;
        self.write_commit(out)?;
        write!(out, "  output    {}", self.output)?;
        match &self.next {
            Some(next) => write!(out, "\n{next}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
