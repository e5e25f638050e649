//! Owns what the commands of a search for a cause answer.
//! Does not decide anything.
//! Invariant: each answer ends with the next step, and evidence is shown as it was seen.

use std::fmt;

use autoresearch_core::ledger::debug::{DebugEnd, DebugLedger, HypothesisStory};
use autoresearch_core::words::text::escape_text;
use serde::Serialize;

/// How a search stands.
#[derive(Clone, Debug, Serialize)]
pub struct DebugReport {
    pub search: String,
    /// Its folder, with `summary.md`, `findings.md`, `eliminated.md` and `debug.json`.
    pub folder: String,
    pub symptom: String,
    /// What was done now; empty where it was only looked at.
    pub done: String,
    /// The evidence, as it was seen now.
    pub seen: Vec<String>,
    pub hypotheses: Vec<HypothesisStory>,
    /// How it has ended.
    pub end: Option<DebugEnd>,
    /// In a sentence.
    pub why: Option<String>,
    pub next: String,
}

impl DebugReport {
    pub(super) fn new(
        ledger: DebugLedger,
        (folder, done): (String, String),
        program: &str,
    ) -> Self {
        Self {
            search: ledger.opening.name.clone(),
            symptom: ledger.opening.subject.clone(),
            end: ledger.find_end(),
            why: ledger.describe_end(),
            next: name_next(&ledger, &folder, program),
            hypotheses: ledger.hypotheses,
            seen: Vec::new(),
            folder,
            done,
        }
    }
}

fn name_next(ledger: &DebugLedger, folder: &str, program: &str) -> String {
    match ledger.find_end() {
        Some(DebugEnd::Confirmed) => format!(
            "tell the person the cause with its evidence ({folder}/summary.md) and offer a fix; on their yes: {program} debug fix"
        ),
        Some(_) => format!(
            "tell the person what was ruled out ({folder}/summary.md), and what would help: logs, access, a way to reproduce it"
        ),
        None => match ledger.find_open() {
            Some(open) => format!(
                "look for what would be seen if it were true and not otherwise, then: {program} hypothesis result {} confirmed|disproven|inconclusive|lead -m \"what it says\" with --at PATH:LINE --quote TEXT, or --command COMMAND --expect-exit STATUS",
                open.hypothesis.number
            ),
            None => format!(
                "name what could be the cause: {program} hypothesis add -m \"...\" --predicts \"what would be seen\""
            ),
        },
    }
}

impl fmt::Display for DebugReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.done.is_empty() {
            writeln!(out, "{}: {}", self.search, escape_text(&self.symptom))?;
            for story in &self.hypotheses {
                writeln!(out, "  {story}")?;
            }
            writeln!(out, "pages       {}", self.folder)?;
        } else {
            writeln!(out, "{}: {}", self.search, self.done)?;
        }
        for seen in &self.seen {
            writeln!(out, "seen        {seen}")?;
        }
        if let Some(why) = &self.why {
            writeln!(out, "ended       {why}")?;
        }
        write!(out, "next: {}", self.next)
    }
}

/// The searches of a repository.
#[derive(Clone, Debug, Serialize)]
pub struct SearchList {
    pub searches: Vec<SearchRow>,
}

/// One of them.
#[derive(Clone, Debug, Serialize)]
pub struct SearchRow {
    pub name: String,
    /// How it has ended, or `open`.
    pub end: &'static str,
    pub symptom: String,
    pub hypotheses: u32,
}

impl fmt::Display for SearchList {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.searches.is_empty() {
            return out.write_str("no search for a cause was opened here");
        }
        for (index, row) in self.searches.iter().enumerate() {
            let line = if index == 0 { "" } else { "\n" };
            let SearchRow {
                name,
                end,
                symptom,
                hypotheses,
            } = row;
            write!(out, "{line}{name:<10} {end:<10} {hypotheses:>3}  {symptom}")?;
        }
        Ok(())
    }
}
