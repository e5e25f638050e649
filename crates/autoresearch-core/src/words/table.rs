//! Owns the rows of the log, as `research-results.tsv` and `log` show them.
//! Does not write files, and does not know which events have a row; `story` does.
//! Invariant: seven columns, whatever stands in a message.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use crate::git_names::CommitId;
use crate::journal::event::{
    Decision, GainRange, Interruption, Remeasured, Start, Suspicion, Verdict, Why, WorkerRow,
    list_further_metrics,
};
use crate::metric::rate::RateInterval;
use crate::metric::value::Value;
use crate::words::text::escape_text;

/// The columns, in their order.
pub const COLUMNS: [&str; 7] = [
    "iteration",
    "commit",
    "metric",
    "delta",
    "guard",
    "status",
    "description",
];

/// The statuses that a row can have.
pub const STATUSES: [&str; 12] = [
    "baseline",
    "keep",
    "discard",
    "crash",
    "no-op",
    "blocked",
    "refine",
    "pivot",
    "search",
    "interrupted",
    "remeasured",
    "measured",
];

/// What is said of a kept result that is too good to be believed at once.
pub const JUMP: &str = "far outside everything measured before; a second run agrees";

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The trial's number, or the name of a batch's worker; `-` for a row that is neither, and nothing in JSON.
    #[serde(serialize_with = "as_number")]
    pub iteration: String,
    /// The short hash of a keep; `-` for what was undone.
    pub commit: String,
    pub metric: Option<Value>,
    /// The signed difference to the incumbent before the trial.
    #[serde(serialize_with = "maybe_number")]
    pub delta: Option<String>,
    /// `pass`, `fail` or `-`.
    pub guard: &'static str,
    /// The verdict or the row's kind.
    pub status: &'static str,
    /// What was tried, and why it was not kept.
    pub description: String,
    /// What is known of the gain of a noisy metric, in per cent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gain: Option<GainRange>,
    /// What the runs say of a metric that counts cases.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<RateInterval>,
    /// Further metrics of the measurement, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metrics: BTreeMap<String, Value>,
    /// The whole hash of the trial's commit, also of one that was not kept; the table has no column for it.
    pub hash: Option<CommitId>,
}

/// What people read as a number is one in JSON too. A worker of a batch is no number.
fn as_number<S: serde::Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    match text.parse::<Value>() {
        Err(_) if text.starts_with(|first: char| first.is_ascii_digit()) => {
            text.serialize(serializer)
        }
        number => number.ok().serialize(serializer),
    }
}

#[expect(clippy::ref_option, reason = "serde hands over the field as it is")]
fn maybe_number<S: serde::Serializer>(
    text: &Option<String>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    as_number(text.as_deref().unwrap_or_default(), serializer)
}

pub(crate) fn make_baseline_row(start: &Start) -> Row {
    Row {
        iteration: "0".to_owned(),
        commit: start.base.short().to_owned(),
        metric: Some(start.measurement.value.clone()),
        delta: Some("0".to_owned()),
        guard: start.guard.as_str(),
        status: "baseline",
        description: describe_baseline(start),
        gain: None,
        rate: None,
        metrics: list_further_metrics(&start.measurement, &start.config.metric.name),
        hash: Some(start.base.clone()),
    }
}

/// What a person exempted or allowed stands where everybody looks for what the numbers are worth.
fn describe_baseline(start: &Start) -> String {
    let mut told = format!("the untouched tree, {} runs", start.samples.len());
    if let Some(reason) = &start.config.reaction.exempt {
        let reason = escape_text(reason);
        let _ = write!(told, "; no check of the reaction to the scope: {reason}");
    }
    let allowed = start.config.allow_suspect.iter();
    let allowed: Vec<&str> = allowed.map(|pattern| pattern.as_str()).collect();
    if !allowed.is_empty() {
        let _ = write!(told, "; code may be suspect of: {}", allowed.join(", "));
    }
    told
}

pub(crate) fn make_trial_row(decided: &Decision, name: &str) -> Row {
    let kept = decided.find_kept();
    let why = decided
        .why
        .as_ref()
        .map(|why| format!(" [{}: {why}]", why.as_str()))
        .unwrap_or_default();
    let retries = match decided.guard_retries {
        0 => String::new(),
        more => format!(" [the guard ran {} times]", more + 1),
    };
    let labels = if decided.labels.is_empty() {
        String::new()
    } else {
        format!(" #{}", decided.labels.join(" #"))
    };
    let picks = match decided.picks {
        Some(worker) => format!(" [picked from {worker}]"),
        None => String::new(),
    };
    Row {
        iteration: decided.trial.to_string(),
        commit: kept
            .as_ref()
            .map_or_else(|| "-".to_owned(), |kept| kept.commit.short().to_owned()),
        metric: decided
            .measurement
            .as_ref()
            .map(|measurement| measurement.value.clone()),
        delta: decided.delta.as_ref().map(Value::format_signed),
        guard: decided.guard.as_str(),
        status: decided.verdict.as_str(),
        description: format!(
            "{}{labels}{picks}{why}{retries}{}",
            decided.message,
            flag_kept(decided)
        ),
        gain: decided.gain.clone(),
        rate: None,
        metrics: decided
            .measurement
            .as_ref()
            .map(|measurement| list_further_metrics(measurement, name))
            .unwrap_or_default(),
        hash: decided.commit.clone(),
    }
}

/// What a kept trial is flagged with: nothing, mostly.
fn flag_kept(decided: &Decision) -> String {
    if decided.find_kept().is_none() {
        return String::new();
    }
    let mut flags = String::new();
    if let (Some(gain), None) = (&decided.gain, decided.leaves_out) {
        let _ = write!(flags, " [a gain of {gain}]");
    }
    if decided.jump {
        let _ = write!(flags, " [jump: {JUMP}]");
    }
    if !decided.suspects.is_empty() {
        let _ = write!(flags, " [{}]", format_suspects(&decided.suspects));
    }
    flags
}

/// `suspect: patches-clock src/a.py:12, allowed by the config; knows-input src/a.py:14`
#[must_use]
pub fn format_suspects(suspects: &[Suspicion]) -> String {
    let (flags, allowed): (Vec<_>, Vec<_>) = suspects
        .iter()
        .partition(|found| found.pattern.is_flag_only());
    let parts = [(allowed, ", allowed by the config"), (flags, "")];
    let told = parts.iter().filter(|(found, _)| !found.is_empty());
    let told = told.map(|(found, end)| list_places(found) + end);
    format!("suspect: {}", told.collect::<Vec<_>>().join("; "))
}

fn list_places(suspects: &[&Suspicion]) -> String {
    let shown: Vec<String> = suspects.iter().take(3).map(ToString::to_string).collect();
    let more = match suspects.len().saturating_sub(shown.len()) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    shown.join(", ") + &more
}

pub(crate) fn make_interrupted_row(row: &Interruption) -> Row {
    let saved = row
        .saved
        .as_ref()
        .map(|commit| format!(" [its changes are in commit {}]", commit.short()))
        .unwrap_or_default();
    Row {
        iteration: row.trial.to_string(),
        hash: row.saved.clone(),
        ..make_remark_row("interrupted", &format!("{}{saved}", row.message))
    }
}

/// What became of a worker: `measured` where it is in the choice, else the verdict that a trial would have got.
#[must_use]
pub fn name_worker_status(row: &WorkerRow) -> &'static str {
    match &row.why {
        None => "measured",
        Some(Why::NothingChanged) => Verdict::NoOp.as_str(),
        Some(Why::VerifyFailed(_) | Why::CheckFailed(_) | Why::NoMetric(_)) => {
            Verdict::Crash.as_str()
        }
        Some(_) => Verdict::Discard.as_str(),
    }
}

pub(crate) fn make_worker_row(row: &WorkerRow, name: &str) -> Row {
    let why = match &row.why {
        Some(why) => format!(" [{}: {why}]", why.as_str()),
        None => String::new(),
    };
    let picked = if row.head.is_some() {
        " [picked, and undone]"
    } else {
        ""
    };
    Row {
        iteration: row.worker.to_string(),
        metric: row
            .measurement
            .as_ref()
            .map(|measurement| measurement.value.clone()),
        delta: row.delta.as_ref().map(Value::format_signed),
        guard: row.guard.as_str(),
        metrics: row
            .measurement
            .as_ref()
            .map(|measurement| list_further_metrics(measurement, name))
            .unwrap_or_default(),
        hash: row.commit.clone(),
        ..make_remark_row(
            name_worker_status(row),
            &format!("{}{picked}{why}", row.message),
        )
    }
}

pub(crate) fn make_remeasured_row(row: &Remeasured) -> Row {
    Row {
        commit: row.commit.short().to_owned(),
        metric: row.find_median(),
        hash: Some(row.commit.clone()),
        ..make_remark_row("remeasured", &row.to_string())
    }
}

pub(crate) fn make_remark_row(status: &'static str, message: &str) -> Row {
    Row {
        iteration: "-".to_owned(),
        commit: "-".to_owned(),
        metric: None,
        delta: None,
        guard: "-",
        status,
        description: message.to_owned(),
        gain: None,
        rate: None,
        metrics: BTreeMap::new(),
        hash: None,
    }
}

/// The comment lines and the column names at the head of `research-results.tsv`.
#[must_use]
pub fn format_header(start: &Start) -> String {
    let metric = &start.config.metric;
    let comments = [
        ("format", start.format.to_string()),
        ("goal", start.config.goal.clone()),
        ("run", start.run.clone()),
        ("metric", metric.name.clone()),
        ("metric_direction", metric.direction.as_str().to_owned()),
        ("environment", start.environment.clone()),
    ];
    let mut lines: Vec<String> = comments
        .iter()
        .map(|(key, value)| format!("# {key}: {}", escape_text(value)))
        .collect();
    lines.push(COLUMNS.join("\t"));
    lines.join("\n") + "\n"
}

/// The description with the rate and the further metrics behind it, on one line.
#[must_use]
pub fn format_description(row: &Row) -> String {
    let mut description = escape_text(&row.description);
    if let Some(rate) = &row.rate {
        let _ = write!(description, " [{rate}]");
    }
    if row.metrics.is_empty() {
        description
    } else {
        format!(
            "{description} {{{}}}",
            crate::journal::event::format_further_metrics(&row.metrics)
        )
    }
}

/// A row as a line of the file.
#[must_use]
pub fn format_line(row: &Row) -> String {
    let metric = row
        .metric
        .as_ref()
        .map_or_else(|| "-".to_owned(), ToString::to_string);
    let delta = row.delta.clone().unwrap_or_else(|| "-".to_owned());
    let cells = [
        &row.iteration,
        &row.commit,
        &metric,
        &delta,
        row.guard,
        row.status,
        &format_description(row),
    ];
    cells.join("\t") + "\n"
}

#[cfg(test)]
mod tests;
