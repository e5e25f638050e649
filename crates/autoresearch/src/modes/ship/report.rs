//! Owns the answer of `ship check`, as text, as JSON and as a checklist for people.
//! Does not run anything.
//! Invariant: a required gate that could not run is open, and the last line is the next step.

use std::fmt;
use std::time::Duration;

use autoresearch_core::config::Gate;
use autoresearch_core::config::span::format_span;
use autoresearch_core::decide::gate::GateOutcome;
use autoresearch_core::git_names::CommitId;
use autoresearch_core::shell::quote::quote_word;
use autoresearch_core::words::text::{clip_text, escape_line, format_count, shorten_names};
use serde::Serialize;

use crate::config::{CONFIG_FILE, ConfigSource};
use crate::watch::traces::Traces;

/// No line is longer.
const WIDTH: usize = 120;
/// No name of a gate takes more room in the table.
const NAME: usize = 40;

/// How a gate ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum GateWord {
    Passes,
    Open,
    /// Something is missing for it.
    CannotRun,
    /// It was not run, for `--dry-run`.
    NotRun,
}

/// A gate, and what became of it.
#[derive(Clone, Debug, Serialize)]
pub struct GateRow {
    pub name: String,
    pub command: String,
    pub required: bool,
    /// What must hold, in words.
    pub expect: String,
    pub outcome: GateWord,
    /// Why it does not pass.
    pub why: Option<String>,
    pub took_ms: Option<u64>,
    /// What it printed that says most.
    pub said: String,
}

impl GateRow {
    fn new(gate: &Gate) -> Self {
        Self {
            name: gate.name.clone(),
            command: gate.command.command.trim().to_owned(),
            required: gate.required,
            expect: describe_expectation(gate),
            outcome: GateWord::NotRun,
            why: None,
            took_ms: None,
            said: String::new(),
        }
    }

    pub(super) fn take_outcome(&mut self, outcome: &GateOutcome, took_ms: u64, said: &str) {
        self.outcome = match outcome {
            GateOutcome::Passes => GateWord::Passes,
            GateOutcome::Open(_) => GateWord::Open,
            GateOutcome::CannotRun(_) => GateWord::CannotRun,
        };
        self.why = outcome.why().map(ToOwned::to_owned);
        self.took_ms = Some(took_ms);
        said.clone_into(&mut self.said);
    }

    /// Does it stand in the way of the release?
    fn is_open(&self) -> bool {
        self.required && matches!(self.outcome, GateWord::Open | GateWord::CannotRun)
    }

    /// What became of it, and how long that took.
    fn describe(&self) -> String {
        let word = match self.outcome {
            GateWord::Passes => "passes",
            GateWord::Open => "open",
            GateWord::CannotRun => "cannot run here",
            GateWord::NotRun => return self.describe_plan(),
        };
        let took = self.took_ms.map(Duration::from_millis).map(format_span);
        let took = took.map_or_else(String::new, |took| format!(" ({took})"));
        let aside = if self.required { "" } else { ", not required" };
        let why = self.why.as_ref();
        let why = why.map_or_else(String::new, |why| format!(": {why}"));
        format!("{word}{took}{aside}{why}")
    }

    /// What would run.
    fn describe_plan(&self) -> String {
        let aside = if self.required { "" } else { "not required: " };
        let expect = if self.expect == "exit status 0" {
            String::new()
        } else {
            format!("  (expects {})", self.expect)
        };
        format!("{aside}{}{expect}", self.shown_command())
    }

    /// Its command in one line.
    fn shown_command(&self) -> String {
        let lines: Vec<&str> = self.command.lines().map(str::trim).collect();
        escape_line(&lines.join("; "))
    }
}

/// What must hold, in words.
fn describe_expectation(gate: &Gate) -> String {
    let status = gate.command.ok_exit.first().copied().unwrap_or_default();
    let prints = gate.prints.as_deref();
    let prints_not = gate.prints_not.as_deref();
    let parts = [
        Some(format!("exit status {status}")),
        prints.map(|pattern| format!("prints what `{}` matches", escape_line(pattern))),
        prints_not.map(|pattern| format!("prints nothing that `{}` matches", escape_line(pattern))),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    parts.join(", and ")
}

/// How far a release is.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ShipReport {
    /// The config.
    pub file: String,
    /// When it was checked.
    pub at: Option<String>,
    /// The commit of HEAD then.
    pub commit: Option<String>,
    /// Was there nothing to commit?
    pub clean: Option<bool>,
    /// In the order in which they run.
    pub gates: Vec<GateRow>,
    /// How many must pass.
    pub required: usize,
    /// How many of these do not.
    pub open: usize,
    /// New files of the gates that git sees.
    pub left: Vec<String>,
    /// Files that the gates changed or removed.
    pub changed: Vec<String>,
    /// The checklist that was written.
    pub checklist: Option<String>,
    pub next: String,
}

impl ShipReport {
    /// Nothing has run yet.
    pub(super) fn new(file: &str, gates: &[Gate]) -> Self {
        Self {
            file: file.to_owned(),
            required: gates.iter().filter(|gate| gate.required).count(),
            gates: gates.iter().map(GateRow::new).collect(),
            ..Self::default()
        }
    }

    pub(super) fn note_state(&mut self, at: String, commit: &CommitId, clean: bool) {
        self.at = Some(at);
        self.commit = Some(commit.as_str().to_owned());
        self.clean = Some(clean);
    }

    pub(super) fn take_traces(&mut self, traces: Traces) {
        (self.left, self.changed) = (traces.left, traces.changed);
    }

    /// Is nothing left that a release waits for? Where nothing ran, that is not said.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.open == 0
    }

    /// Counts what is open, and says what comes next.
    pub(super) fn name_next(&mut self, source: &ConfigSource) {
        self.open = self.gates.iter().filter(|row| row.is_open()).count();
        let config = if source.name == CONFIG_FILE {
            String::new()
        } else {
            format!(" --config {}", quote_word(&source.name))
        };
        let again = format!("autoresearch ship check{config}");
        let mut rows = self.gates.iter().filter(|row| row.is_open());
        self.next = if self.at.is_none() {
            format!("{again} runs these")
        } else if let Some(first) = rows.next() {
            let verb = match first.outcome {
                GateWord::CannotRun => "get what is missing for",
                _ => "close",
            };
            format!("{verb} `{}`, then: {again}", first.name)
        } else if self.clean == Some(false) || !self.changed.is_empty() {
            format!(
                "every required gate passes, with changes that no commit holds: commit them, then: {again}"
            )
        } else {
            "every required gate passes; what leaves this machine (merge, tag, push, publish) is for a person".to_owned()
        };
    }

    /// How many pass, of which state.
    fn describe_state(&self) -> String {
        let passing = self.required - self.open;
        let of = format_count(self.required, "required gate");
        let verb = if self.required == 1 { "passes" } else { "pass" };
        let commit = self.commit.as_deref().unwrap_or_default();
        let commit = &commit[..commit.len().min(7)];
        let changes = match self.clean {
            Some(false) => " and uncommitted changes",
            _ => "",
        };
        format!("{passing} of {of} {verb}, at commit {commit}{changes}")
    }

    /// The checklist for people.
    pub(super) fn to_markdown(&self) -> String {
        let at = self.at.as_deref().unwrap_or_default();
        let mut rows = vec![format!(
            "# Release checklist\n\n{} ({at}).\n",
            self.describe_state()
        )];
        for row in &self.gates {
            let passes = row.outcome == GateWord::Passes;
            let mark = if passes { "x" } else { " " };
            rows.push(format!("- [{mark}] {}: {}", row.name, row.describe()));
            if !passes {
                rows.push(format!("\n      {}", row.shown_command()));
                rows.extend(row.said.lines().map(|line| format!("      | {line}")));
                rows.push(String::new());
            }
        }
        rows.join("\n") + "\n"
    }
}

impl fmt::Display for ShipReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.gates.iter().map(|row| row.name.chars().count());
        let width = names.max().unwrap_or_default().clamp(7, NAME);
        let indent = " ".repeat(width + 2);
        for row in &self.gates {
            let line = format!("{:<width$}  {}", row.name, row.describe());
            writeln!(out, "{}", clip_text(&line, WIDTH))?;
            if matches!(row.outcome, GateWord::Open | GateWord::CannotRun) {
                for line in row.said.lines() {
                    writeln!(out, "{indent}| {line}")?;
                }
            }
        }
        if self.at.is_some() {
            writeln!(out, "{:<width$}  {}", "ready", self.describe_state())?;
        }
        for (word, files, remedy) in [
            (
                "left",
                &self.left,
                "let git ignore it, or let the gate remove it",
            ),
            (
                "changed",
                &self.changed,
                "look at it, and keep the gates from writing what is yours",
            ),
        ] {
            if !files.is_empty() {
                let names = shorten_names(files, files.len(), 60);
                writeln!(out, "{word:<width$}  by the gates: {names}; {remedy}")?;
            }
        }
        if let Some(file) = &self.checklist {
            writeln!(out, "{:<width$}  {file}", "wrote")?;
        }
        write!(out, "next: {}", self.next)
    }
}

#[cfg(test)]
mod tests;
