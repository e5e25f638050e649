//! Owns the answer of `fix check`.
//! Does not run anything.
//! Invariant: what could not run is told apart from what fails, and the last line is the next step.

use std::fmt;
use std::time::Duration;

use autoresearch_core::config::span::format_span;
use autoresearch_core::metric::value::Value;
use autoresearch_core::scan::{CheckKind, CheckedProject};
use autoresearch_core::words::text::{clip_text, shorten_names};
use autoresearch_sys::error::{Failure, Result};
use serde::Serialize;

use super::counting::Counted;
use super::words::FixWords;
use crate::watch::traces::Traces;

/// No line is longer.
const WIDTH: usize = 120;
/// No command that ran is shown longer.
const COMMAND: usize = 85;

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckOutcome {
    Passes,
    Fails,
    /// Something is missing for it.
    CannotRun,
    /// It was not run, for `--dry-run` or because something went wrong before.
    NotRun,
}

/// A check, and what became of it.
#[derive(Clone, Debug, Serialize)]
pub struct CheckRow {
    pub kind: CheckKind,
    pub command: String,
    pub outcome: CheckOutcome,
    /// Why it does not pass.
    pub why: Option<String>,
    /// What helps, where it cannot run.
    pub remedy: Option<String>,
    pub took_ms: Option<u64>,
    /// What it printed that says most.
    pub said: String,
    #[serde(skip)]
    pub timed_out: bool,
}

/// A project that was not looked at.
#[derive(Clone, Debug, Serialize)]
pub struct OtherProject {
    pub folder: String,
    pub stack: String,
}

/// What is broken in a project.
#[derive(Clone, Debug, Default, Serialize)]
pub struct FixReport {
    /// The ecosystem.
    pub stack: String,
    /// From the root; `.` for the root.
    pub folder: String,
    pub others: Vec<OtherProject>,
    /// In the order of repair.
    pub checks: Vec<CheckRow>,
    /// What is broken, the first to be repaired first.
    pub broken: Vec<CheckKind>,
    /// What counts the first.
    pub metric: Option<String>,
    pub count: Option<Value>,
    /// Why its failed runs are the count, where they are.
    pub instead: Option<String>,
    /// The first findings.
    pub items: Vec<String>,
    /// New files of the checks that git sees.
    pub left: Vec<String>,
    /// Files that the checks changed or removed.
    pub changed: Vec<String>,
    /// The config that was written.
    pub file: Option<String>,
    pub next: String,
    /// The words of a second call.
    #[serde(skip)]
    words: String,
}

impl FixReport {
    /// Nothing has run yet.
    pub(super) fn new(project: &CheckedProject<'_>, words: &FixWords) -> Self {
        let rows = project.checks.iter().map(|check| {
            let missing = check.missing.iter();
            let (names, remedies): (Vec<_>, Vec<_>) = missing
                .map(|need| (need.name.clone(), need.remedy.clone()))
                .unzip();
            let is_missing = !names.is_empty();
            CheckRow {
                kind: check.kind,
                command: check.lines.join("; "),
                outcome: if is_missing {
                    CheckOutcome::CannotRun
                } else {
                    CheckOutcome::NotRun
                },
                why: is_missing.then(|| format!("missing {}", names.join(", "))),
                remedy: is_missing.then(|| remedies.join("; ")),
                took_ms: None,
                said: String::new(),
                timed_out: false,
            }
        });
        let others = project.others.iter();
        Self {
            stack: project.title().to_owned(),
            folder: project.folder(),
            checks: rows.collect(),
            others: others
                .map(|(folder, stack)| OtherProject {
                    folder: folder.clone(),
                    stack: stack.clone(),
                })
                .collect(),
            words: words.repeat(),
            ..Self::default()
        }
    }

    /// Notes what is broken. Where nothing ran, nothing can be said.
    pub(super) fn note_broken(&mut self) -> Result<()> {
        self.broken = self.list_with(CheckOutcome::Fails);
        let ran =
            |row: &CheckRow| matches!(row.outcome, CheckOutcome::Passes | CheckOutcome::Fails);
        if self.checks.iter().any(ran) {
            return Ok(());
        }
        let rows = self.checks.iter();
        let told = rows.map(|row| {
            let why = row.why.as_deref().unwrap_or_default();
            format!("{}: {why}", row.kind.as_str())
        });
        let mut remedies: Vec<&str> = Vec::new();
        for remedy in self.checks.iter().filter_map(|row| row.remedy.as_deref()) {
            if !remedies.contains(&remedy) {
                remedies.push(remedy);
            }
        }
        Err(Failure::environment(format!(
            "nothing could be checked in {} ({}): {}",
            self.folder,
            self.stack,
            told.collect::<Vec<_>>().join("; ")
        ))
        .hint(remedies.join("; ")))
    }

    fn list_with(&self, outcome: CheckOutcome) -> Vec<CheckKind> {
        let rows = self.checks.iter().filter(|row| row.outcome == outcome);
        rows.map(|row| row.kind).collect()
    }

    pub(super) fn find_broken(&self) -> Option<CheckKind> {
        self.broken.first().copied()
    }

    pub(super) fn passes(&self, kind: CheckKind) -> bool {
        self.list_with(CheckOutcome::Passes).contains(&kind)
    }

    pub(super) fn has_timed_out(&self, kind: CheckKind) -> bool {
        let mut rows = self.checks.iter();
        rows.any(|row| row.kind == kind && row.timed_out)
    }

    pub(super) fn take_count(&mut self, counted: &Counted) {
        let name = counted.candidate.config["metric"]["name"].as_str();
        self.metric = name.map(ToOwned::to_owned);
        self.count = Some(counted.value.clone());
        self.instead.clone_from(&counted.instead);
        self.items.clone_from(&counted.items);
    }

    pub(super) fn take_traces(&mut self, traces: Traces) {
        (self.left, self.changed) = (traces.left, traces.changed);
    }

    /// Says what comes next, also behind what a written config asks for.
    pub(super) fn name_next(&mut self) {
        let again = format!("autoresearch fix check --write{}", self.words);
        let rest = self.broken.iter().skip(1).map(|kind| kind.as_str());
        let rest = rest.collect::<Vec<_>>().join(", then ");
        self.next = if self.file.is_some() && rest.is_empty() {
            return;
        } else if self.file.is_some() {
            format!(
                "{}; at zero move it away and call {again} for {rest}",
                self.next
            )
        } else if let (Some(metric), Some(count)) = (&self.metric, &self.count) {
            // What nothing counts may fail for want of something that no edit brings.
            let first = self
                .instead
                .as_ref()
                .map_or("", |_| "if something is missing here, get it first; else ");
            format!("{first}{again} writes autoresearch.yaml: {metric} {count} -> 0")
        } else if !self.broken.is_empty() {
            "write a config by hand, for no source file of this project can be changed: autoresearch config example failing-tests".to_owned()
        } else if self
            .checks
            .iter()
            .any(|row| row.outcome == CheckOutcome::NotRun)
        {
            format!("autoresearch fix check{} runs these", self.words)
        } else if self.list_with(CheckOutcome::CannotRun).is_empty() {
            "nothing is broken; autoresearch scan proposes what to improve".to_owned()
        } else {
            "nothing that can run here is broken; get what is missing and call this again, or autoresearch scan proposes what to improve".to_owned()
        };
    }

    fn write_row(&self, out: &mut fmt::Formatter<'_>, row: &CheckRow) -> fmt::Result {
        let (kind, why) = (row.kind.as_str(), row.why.as_deref().unwrap_or_default());
        let took = row.took_ms.map(Duration::from_millis).map(format_span);
        let took = took.map_or_else(String::new, |took| format!(" ({took})"));
        let command = clip_text(&row.command, COMMAND);
        let line = match row.outcome {
            CheckOutcome::Passes => format!("passes{took}  {command}"),
            CheckOutcome::Fails => format!("fails{took}  {command}"),
            CheckOutcome::NotRun => row.command.clone(),
            CheckOutcome::CannotRun => {
                let remedy = row.remedy.as_deref().unwrap_or_default();
                format!("cannot run here: {why}: {remedy}")
            }
        };
        writeln!(out, "{kind:<11} {line}")?;
        if row.outcome == CheckOutcome::Fails {
            writeln!(out, "            {why}")?;
        }
        let is_first = Some(row.kind) == self.find_broken();
        if row.outcome == CheckOutcome::CannotRun || is_first && self.items.is_empty() {
            for line in row.said.lines() {
                writeln!(out, "            | {line}")?;
            }
        }
        Ok(())
    }

    fn describe_project(&self) -> String {
        let mut text = format!("{} in {}", self.stack, self.folder);
        if !self.others.is_empty() {
            let others = self.others.iter();
            let names: Vec<String> = others
                .map(|other| format!("{} in {}", other.stack, other.folder))
                .collect();
            text.push_str("; not looked at: ");
            text.push_str(&shorten_names(&names, names.len(), 60));
        }
        text
    }
}

impl fmt::Display for FixReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let project = format!("project     {}", self.describe_project());
        writeln!(out, "{}", clip_text(&project, WIDTH))?;
        for row in &self.checks {
            self.write_row(out, row)?;
        }
        if let (Some(metric), Some(count)) = (&self.metric, &self.count) {
            let instead = self.instead.as_ref();
            let why = instead.map(|why| format!(" of {count} runs, by the exit status: {why}"));
            let line = format!("count       {metric} is {count}{}", why.unwrap_or_default());
            writeln!(out, "{}", clip_text(&line, 2 * WIDTH))?;
        }
        for item in &self.items {
            writeln!(out, "            {item}")?;
        }
        if !self.left.is_empty() {
            let names = shorten_names(&self.left, self.left.len(), 60);
            writeln!(
                out,
                "left        by the checks, and git sees it: {names}; let git ignore it, or `start` refuses"
            )?;
        }
        if !self.changed.is_empty() {
            let names = shorten_names(&self.changed, self.changed.len(), 60);
            writeln!(
                out,
                "changed     by the checks: {names}; look at it, and keep the checks from writing what is yours"
            )?;
        }
        if let Some(file) = &self.file {
            writeln!(out, "wrote       {file}")?;
            if self.broken.len() > 1 {
                let rest = self.broken.iter().skip(1).map(|kind| kind.as_str());
                writeln!(
                    out,
                    "not in it   {}: no guard holds what is broken already, so look that it gets no worse",
                    rest.collect::<Vec<_>>().join(", ")
                )?;
            }
        }
        write!(out, "next: {}", self.next)
    }
}

#[cfg(test)]
mod tests;
