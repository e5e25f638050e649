//! Owns what `trial` answers: one object for programs, and at most 300 tokens for the agent, ending with the next step.
//! Does not decide what is next; the state does.
//! Invariant: every number in it comes from the journal.

use std::collections::BTreeMap;
use std::fmt;

use autoresearch_core::git_names::{CommitId, RepoPath};
use autoresearch_core::journal::event::{
    Decision, GainRange, Guard, Intent, Start, Suspicion, Verdict, Why, format_further_metrics,
    list_further_metrics,
};
use autoresearch_core::journal::measured::{count_cases, find_decided_rate};
use autoresearch_core::metric::cases::CaseChanges;
use autoresearch_core::metric::measurement::Measurement;
use autoresearch_core::metric::percent::format_percent;
use autoresearch_core::metric::rate::RateInterval;
use autoresearch_core::metric::unit::Unit;
use autoresearch_core::metric::value::Value;
use autoresearch_core::words::table::{JUMP, format_suspects};
use autoresearch_core::words::text::{clip_text, escape_text, format_count, shorten_names};
use serde::Serialize;

use crate::run::glance::Glance;
use crate::trial::gauging::name_failed_runs;
use crate::trial::measure::Timings;
use crate::trial::undo::UndoResult;
use crate::trial::verdict::Decided;

/// How many files of a trial are named.
const MOST_FILES: usize = 50;

/// How many further metrics are shown with what they were before.
const MOST_METRICS: usize = 6;

/// The answer of `trial`.
#[derive(Clone, Debug, Serialize)]
pub struct TrialReport {
    pub run: String,
    pub trial: u32,
    /// `keep`, `discard`, `crash`, `no-op`, or `rework` when the guard failed and the trial waits; `dropped` for edits
    /// that were no trial.
    pub verdict: &'static str,
    /// Why it is not a keep, as one word.
    pub reason: Option<&'static str>,
    /// The same in a sentence.
    pub detail: Option<String>,
    /// The files that it changed; at most 50 are named.
    pub files: Vec<String>,
    /// How many these are.
    pub files_count: usize,
    pub metric: String,
    pub value: Option<Value>,
    /// The unit of the metric, if it has one.
    #[serde(skip_serializing_if = "Unit::is_none")]
    pub unit: Unit,
    /// Further metrics that were printed.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metrics: BTreeMap<String, Value>,
    /// After a keep, those of them that are others now, with what they were before.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metrics_before: BTreeMap<String, Value>,
    /// After a keep, the first places or tests that are still open, as verify printed them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub open: Vec<String>,
    /// The difference to the incumbent before the trial.
    pub delta: Option<String>,
    /// The same of an exact metric in per cent of the incumbent's value, where that means something.
    pub percent: Option<String>,
    /// What is known of the gain of a noisy metric, in per cent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gain: Option<GainRange>,
    /// What its runs say of a metric that counts cases.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<RateInterval>,
    /// The runs of an `exit_rate` with `vary` that failed, each with what it met.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failed_runs: Vec<String>,
    /// How its cases differ from those of the kept state before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cases: Option<CaseChanges>,
    /// `pass`, `fail` or `-`.
    pub guard: &'static str,
    /// Is a kept result far outside everything measured before? It was measured twice, and somebody should look at it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub jump: bool,
    /// Where the code may game the measurement, whether it was kept or not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub suspects: Vec<Suspicion>,
    /// How often the guard was run again after a failure.
    #[serde(skip_serializing_if = "autoresearch_core::journal::unwritten::is_zero")]
    pub guard_retries: u32,
    /// The commit of a keep.
    pub commit: Option<CommitId>,
    /// The trial's commit, whatever became of it; none where nothing was committed.
    pub hash: Option<CommitId>,
    /// The commit that still holds what was undone.
    pub undone: Option<CommitId>,
    /// Files that git does not hold and that the undoing met: where they are now, one sentence each.
    pub notes: Vec<String>,
    /// The incumbent's value now.
    pub incumbent: Value,
    /// The trial that made it.
    pub incumbent_trial: u32,
    /// After a void trial: files that are still changed and would void the next trial too.
    pub left: Vec<String>,
    /// Untracked files that verify left.
    #[serde(rename = "droppings")]
    pub left_files: Vec<String>,
    /// Processes that verify or guard left behind and that were ended.
    pub swept: u32,
    /// Where the whole output is, as the reader can open it.
    pub output: String,
    /// The first line of verify's or the guard's output that looks like an error, and the last ones, for a trial that failed.
    pub tail: Option<String>,
    /// The run's end, when it has come.
    pub end: Option<&'static str>,
    /// `trial`, `rework`, `refine`, `pivot`, `search` or `finish`.
    pub due: &'static str,
    /// The next step in one sentence.
    pub next: String,
    /// Where the time went.
    pub timings: Timings,
    /// For a void trial, what became of its edits in the scope.
    #[serde(skip)]
    pub void: Option<VoidEdits>,
    /// Is the trial's work tree the run's own?
    #[serde(skip)]
    pub own_work_tree: bool,
}

/// What became of the edits of a void trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VoidEdits {
    TakenBack,
    /// They are still in the work tree.
    Left,
}

/// What a void trial has left in the work tree.
#[derive(Clone, Debug, Default)]
pub struct LeftChanges {
    /// Are there edits in the scope?
    pub edits: bool,
    /// What would void the next trial too.
    pub others: Vec<String>,
}

/// Makes the answer from the state after the trial.
#[must_use]
pub fn trial_report(
    glance: &Glance<'_>,
    intent: &Intent,
    decided: &Decided,
    timings: Timings,
) -> TrialReport {
    let (run, state) = (&glance.run, &glance.run.store.state);
    let measured = MeasuredParts::of_trial(decided, &state.incumbent.measurement.value);
    let kept = match decided {
        Decided::Verdict(decision) if decision.verdict == Verdict::Keep => Some(decision.as_ref()),
        _ => None,
    };
    let jump = kept.filter(|decision| decision.jump);
    TrialReport {
        run: state.start.run.clone(),
        trial: intent.trial,
        verdict: decided.verdict().map_or("rework", Verdict::as_str),
        reason: decided.why().map(Why::as_str),
        detail: decided.why().map(ToString::to_string),
        files: Vec::new(),
        files_count: 0,
        metric: state.config().metric.name.clone(),
        value: measured.value.map(|found| found.value.clone()),
        percent: find_percent(&state.metric_unit(), &measured, state.evidence.is_exact()),
        delta: measured.delta.as_ref().map(Value::format_signed),
        gain: match decided {
            Decided::Verdict(decision) => decision.gain.clone(),
            Decided::Rework(_) => None,
        },
        rate: find_trial_rate(&state.start, decided),
        failed_runs: timings.failed_runs.values().cloned().collect(),
        cases: match decided {
            Decided::Verdict(decision) => decision.cases.clone(),
            Decided::Rework(rework) => rework.cases.clone(),
        },
        unit: state.metric_unit(),
        metrics: further_metrics_of(measured.value, &state.config().metric.name),
        metrics_before: BTreeMap::new(),
        open: kept.map_or_else(Vec::new, |_| timings.open_items.clone()),
        guard: measured.guard.as_str(),
        jump: jump.is_some(),
        suspects: match decided {
            Decided::Verdict(decision) => decision.suspects.clone(),
            Decided::Rework(_) => Vec::new(),
        },
        guard_retries: measured.guard_retries,
        commit: kept.and_then(|decision| decision.commit.clone()),
        hash: decided.commit().cloned(),
        undone: None,
        notes: Vec::new(),
        incumbent: state.incumbent.measurement.value.clone(),
        incumbent_trial: state.incumbent.trial,
        left: Vec::new(),
        left_files: measured.left_files.to_vec(),
        swept: timings.swept,
        output: run
            .world
            .path_from_here(&run.store.layout.trial_folder(intent.trial)),
        tail: shown_tail(&timings, decided, jump),
        end: state.end.as_ref().map(|ending| ending.end.as_str()),
        due: state.next_step().as_str(),
        next: glance.next_step(),
        timings,
        void: decided.is_void().then_some(VoidEdits::TakenBack),
        own_work_tree: state.start.worktree.is_some(),
    }
}

/// What a trial changed of an exact metric, in per cent. Of a noisy one that is its gain, with an interval.
fn find_percent(unit: &Unit, measured: &MeasuredParts<'_>, is_exact: bool) -> Option<String> {
    let value = &measured.value.filter(|_| is_exact)?.value;
    let before = value - measured.delta.as_ref()?;
    format_percent(unit, &before, value, 0.0)
}

/// What the runs of its commit say of a metric that counts cases.
fn find_trial_rate(start: &Start, decided: &Decided) -> Option<RateInterval> {
    let cases = count_cases(start)?;
    match decided {
        Decided::Verdict(decision) => find_decided_rate(decision, cases),
        Decided::Rework(rework) => RateInterval::of_runs([&rework.measurement.value], cases),
    }
}

/// What was measured, of a verdict or of a trial that waits for a rework.
struct MeasuredParts<'a> {
    value: Option<&'a Measurement>,
    delta: Option<Value>,
    guard: Guard,
    guard_retries: u32,
    left_files: &'a [String],
}

impl<'a> MeasuredParts<'a> {
    fn of_trial(decided: &'a Decided, incumbent: &Value) -> Self {
        match decided {
            Decided::Verdict(decision) => Self {
                value: decision.measurement.as_ref(),
                delta: decision.delta.clone(),
                guard: decision.guard,
                guard_retries: decision.guard_retries,
                left_files: &decision.left_files,
            },
            Decided::Rework(rework) => Self {
                value: Some(&rework.measurement),
                delta: Some(&rework.measurement.value - incumbent),
                guard: Guard::Fail,
                guard_retries: rework.guard_retries,
                left_files: &rework.left_files,
            },
        }
    }
}

/// The output at hand is that of the last command. It is shown for a failure, and for a jump without a guard.
fn shown_tail(timings: &Timings, decided: &Decided, jump: Option<&Decision>) -> Option<String> {
    let failed = matches!(decided.verdict(), None | Some(Verdict::Crash));
    let lonely = jump.is_some_and(|decided| decided.guard == Guard::NotRun);
    (!timings.tail.is_empty() && (failed || lonely)).then(|| timings.tail.clone())
}

fn further_metrics_of(measurement: Option<&Measurement>, name: &str) -> BTreeMap<String, Value> {
    measurement.map_or_else(BTreeMap::new, |found| list_further_metrics(found, name))
}

impl TrialReport {
    /// Adds what the undoing left.
    #[must_use]
    pub fn with_undone(self, undone: Option<UndoResult>) -> Self {
        match undone {
            Some(undone) => Self {
                hash: self.hash.or_else(|| undone.tip.clone()),
                undone: undone.tip,
                notes: undone.notes,
                ..self
            },
            None => self,
        }
    }

    /// Adds what further metrics were in the state that a keep replaces.
    #[must_use]
    pub fn with_before(mut self, before: &Measurement) -> Self {
        if self.commit.is_some() {
            let mut old = list_further_metrics(before, &self.metric);
            old.retain(|name, value| self.metrics.get(name).is_some_and(|now| now != value));
            self.metrics_before = old;
        }
        self
    }

    /// Adds what was said of the files before they were measured.
    #[must_use]
    pub fn with_notes(self, mut notes: Vec<String>) -> Self {
        notes.extend(self.notes);
        Self { notes, ..self }
    }

    /// Adds the files that the trial changed.
    #[must_use]
    pub fn with_files(self, paths: &[RepoPath]) -> Self {
        let names = paths.iter().take(MOST_FILES);
        Self {
            files: names.map(ToString::to_string).collect(),
            files_count: paths.len(),
            ..self
        }
    }

    /// Adds what a look at the work tree found after a void trial.
    #[must_use]
    pub fn with_left_changes(self, still: LeftChanges) -> Self {
        let left = still.others.into_iter().take(MOST_FILES).collect();
        Self {
            left,
            void: Some(if still.edits {
                VoidEdits::Left
            } else {
                VoidEdits::TakenBack
            }),
            ..self
        }
    }

    #[must_use]
    pub fn with_note(mut self, note: &str) -> Self {
        self.notes.push(note.to_owned());
        self
    }

    /// The first notes; each has its line.
    fn write_notes(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for note in self.notes.iter().take(2) {
            writeln!(out, "{}", clip_text(note, 300))?;
        }
        if let more @ 1.. = self.notes.len().saturating_sub(2) {
            writeln!(out, "and {more} more like these: `--json` has them all")?;
        }
        Ok(())
    }

    /// Further metrics: `warnings 12 -> 14; ran=148`.
    fn format_metrics(&self) -> String {
        let changed: Vec<String> = self
            .metrics_before
            .iter()
            .filter_map(|(name, old)| {
                let now = self.metrics.get(name)?;
                Some(format!("{} {old} -> {now}", escape_text(name)))
            })
            .take(MOST_METRICS)
            .collect();
        let mut same = self.metrics.clone();
        same.retain(|name, _| !self.metrics_before.contains_key(name));
        let parts = [changed.join(", "), format_further_metrics(&same)];
        let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        parts.join("; ")
    }

    fn write_guard(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.guard, self.guard_retries) {
            ("-", _) => Ok(()),
            (said, 0) => write!(out, ", guard {said}"),
            (said, more) => write!(out, ", guard {said} (it ran {} times)", more + 1),
        }
    }

    /// What became of the edits of a void trial: only what was seen afterwards.
    fn write_void(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(edits) = self.void else {
            return Ok(());
        };
        let edits_left = edits == VoidEdits::Left;
        let is_clean = self.left.is_empty() && !edits_left;
        match &self.undone {
            Some(commit) if self.own_work_tree && is_clean => writeln!(
                out,
                "the run's work tree was restored; what was there is in commit {}",
                commit.short()
            )?,
            Some(commit) if !edits_left => writeln!(
                out,
                "your edits in the scope were undone; they are in commit {}",
                commit.short()
            )?,
            Some(commit) => writeln!(
                out,
                "your edits in the scope were undone as far as git could; they are in commit {}",
                commit.short()
            )?,
            None if edits_left => {
                writeln!(out, "your edits in the scope are still in the work tree")?;
            }
            None => {}
        }
        if self.left.is_empty() {
            return Ok(());
        }
        writeln!(
            out,
            "still changed: {}; restore {} first, or the next trial is void too",
            shorten_names(&self.left, self.left.len(), 80),
            if self.left.len() == 1 { "it" } else { "them" }
        )
    }

    /// What was left behind.
    fn write_left_behind(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(first) = self.left_files.first() {
            let more = if self.left_files.len() > 1 {
                format!(" and {} more", self.left_files.len() - 1)
            } else {
                String::new()
            };
            writeln!(
                out,
                "verify left untracked files, which no trial commits: {}{more}",
                escape_text(first)
            )?;
        }
        self.write_notes(out)?;
        if self.swept > 0 {
            writeln!(
                out,
                "verify or guard left {} running; {} killed",
                format_count(self.swept, "process"),
                if self.swept == 1 {
                    "it was"
                } else {
                    "they were"
                }
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for TrialReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_facts(out)?;
        write!(out, "{}", self.next)
    }
}

impl TrialReport {
    /// What is known of the value besides the value.
    fn write_measured(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Some(gain), Some(_)) = (&self.gain, &self.commit) {
            writeln!(out, "gain: {gain}, 95 % interval")?;
        }
        if let Some(rate) = &self.rate {
            writeln!(out, "rate: {rate}")?;
        }
        if !self.failed_runs.is_empty() {
            let shown = name_failed_runs(&self.failed_runs);
            writeln!(out, "failed: {shown}; what they printed: {}", self.output)?;
        }
        if let Some(cases) = &self.cases {
            writeln!(out, "cases: {cases}")?;
        }
        if !self.metrics.is_empty() {
            writeln!(out, "also: {}", self.format_metrics())?;
        }
        if !self.open.is_empty() {
            writeln!(out, "still open:")?;
        }
        for item in &self.open {
            writeln!(out, "  | {item}")?;
        }
        Ok(())
    }

    /// Everything but the next step, each line with its end.
    pub(crate) fn write_facts(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "trial {}: {}", self.trial, self.verdict)?;
        if let Some(reason) = self.reason {
            write!(out, " ({reason})")?;
        }
        if let (Some(value), Some(delta)) = (&self.value, &self.delta) {
            let value = self.unit.format_number(&value.to_string());
            write!(out, ", {} {value} ({delta}", self.metric)?;
            match &self.percent {
                Some(percent) => write!(out, ", {percent})")?,
                None => out.write_str(")")?,
            }
        }
        self.write_guard(out)?;
        match &self.commit {
            Some(commit) => writeln!(out, ", commit {}", commit.short())?,
            None => writeln!(
                out,
                "; the best is {} from trial {}",
                self.incumbent, self.incumbent_trial
            )?,
        }
        if let Some(detail) = &self.detail {
            writeln!(out, "why: {}", clip_text(detail, 300))?;
        }
        self.write_measured(out)?;
        if self.jump {
            writeln!(
                out,
                "jump: {JUMP}; make sure that verify still measures what it should: {}",
                self.output
            )?;
        }
        if self.commit.is_some() && !self.suspects.is_empty() {
            let suspects = format_suspects(&self.suspects);
            writeln!(out, "{suspects}; look at it before you go on")?;
        }
        if self.files_count > 0 {
            let shown = shorten_names(&self.files, self.files_count, 80);
            writeln!(out, "files: {shown}")?;
        }
        self.write_void(out)?;
        if let Some(tail) = &self.tail {
            for line in tail.lines() {
                writeln!(out, "  | {line}")?;
            }
            writeln!(out, "whole output: {}", self.output)?;
        }
        self.write_left_behind(out)
    }
}

#[cfg(test)]
mod tests;
