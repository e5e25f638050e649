//! Owns `status`: where a run stands, for people with a plot, for programs as one object.
//! Does not change or lock anything.
//! Invariant: it says the same as the journal, also while a trial is running.

use std::collections::BTreeMap;
use std::fmt;

use autoresearch_core::git_names::CommitId;
use autoresearch_core::journal::event::{format_further_metrics, list_further_metrics};
use autoresearch_core::journal::story::Story;
use autoresearch_core::metric::unit::Unit;
use autoresearch_core::metric::value::Value;
use autoresearch_core::words::brief::format_run_percent;
use autoresearch_core::words::brief::format_used_of_limit;
use autoresearch_core::words::plot;
use autoresearch_core::words::text::{escape_text, format_count};
use serde::Serialize;

use crate::batch::report::OpenBatchView;
use crate::run::Run;
use crate::run::glance::{Glance, TREE_IS_GONE, describe_lost_tree};
use crate::run::place::{Place, WantedRun};
use crate::run::under_way::{UnderWay, show_whole_seconds};
use crate::watch::tree_changes;
use autoresearch_sys::env::{World, clock_text};
use autoresearch_sys::error::Result;
use autoresearch_sys::store::{Access, RunStore, find_holder};

/// The answer of `status`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct StatusReport {
    pub run: String,
    pub goal: String,
    /// `active`, `running` (a command holds it) or `ended`.
    pub state: &'static str,
    pub end: Option<&'static str>,
    /// What led to the end.
    pub why: Option<String>,
    pub metric: String,
    /// Which way is better.
    pub direction: &'static str,
    pub target: Option<Value>,
    /// The value at start.
    pub baseline: Value,
    /// The best kept value: the incumbent's.
    pub incumbent: Value,
    /// The way from the baseline there in per cent, where that means something.
    pub percent: Option<String>,
    /// The unit of the metric, if it has one.
    #[serde(skip_serializing_if = "Unit::is_none")]
    pub unit: Unit,
    /// Further metrics of the incumbent.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metrics: BTreeMap<String, Value>,
    /// The trial that made it.
    pub incumbent_trial: u32,
    pub incumbent_commit: CommitId,
    /// Did all baseline runs give the same value?
    pub deterministic: bool,
    pub iterations: u32,
    /// Their limit; `null` where something else ends the run.
    pub iterations_limit: Option<u32>,
    pub keep: u32,
    pub discard: u32,
    pub crash: u32,
    /// Trials without a change.
    pub no_op: u32,
    /// Interrupted trials.
    pub interrupted: u32,
    /// Failed trials since the last keep or pivot.
    pub failures: u32,
    /// Pivots since the last keep.
    pub pivots: u32,
    pub branch: String,
    /// Who works on the run now.
    pub holder: Option<String>,
    /// What that process does, and for how long.
    pub under_way: Option<UnderWay>,
    /// What stands in the way: HEAD elsewhere, a foreign commit, a repair that is due.
    pub obstacle: Option<String>,
    /// The batch that is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch: Option<OpenBatchView>,
    pub due: &'static str,
    pub next: String,
    /// When the run began, in milliseconds since 1970.
    pub started_ms: u64,
    /// How long ago that was, in milliseconds.
    #[serde(skip)]
    age_ms: u64,
    /// The metric of every measured trial, for the plot.
    #[serde(skip)]
    values: Vec<f64>,
    /// The columns that the plot may use; 0 for no plot.
    #[serde(skip)]
    pub width: usize,
}

/// Looks at a run.
pub(crate) fn read_status(world: &World, place: &Place) -> Result<StatusReport> {
    let glance = Glance::open_run(world, place, WantedRun::Latest, Access::Read, "status")?;
    let (run, state) = (&glance.run, &glance.run.store.state);
    let (config, counts) = (state.config(), &state.counts);
    let under_way = run.find_under_way();
    let holder = find_worker(run);
    let obstacle = if holder.is_some() || state.end.is_some() {
        None
    } else {
        find_obstacle(&glance)
    };
    let (due, next) = next_step(run, obstacle.is_some());
    Ok(StatusReport {
        run: state.start.run.clone(),
        goal: config.goal.clone(),
        state: state_word(state.end.is_some(), holder.is_some()),
        end: state.end.as_ref().map(|ending| ending.end.as_str()),
        why: state.end.as_ref().map(|ending| ending.why.clone()),
        metric: config.metric.name.clone(),
        direction: config.metric.direction.as_str(),
        target: config.metric.target_number(),
        baseline: state.start.measurement.value.clone(),
        incumbent: state.incumbent.measurement.value.clone(),
        percent: format_run_percent(state),
        unit: state.metric_unit(),
        metrics: list_further_metrics(&state.incumbent.measurement, &config.metric.name),
        incumbent_trial: state.incumbent.trial,
        incumbent_commit: state.incumbent.commit.clone(),
        deterministic: state.evidence.is_exact(),
        iterations: counts.count_iterations(),
        iterations_limit: state.limits.iterations,
        keep: counts.keep,
        discard: counts.discard,
        crash: counts.crash,
        no_op: counts.no_op,
        interrupted: counts.interrupted,
        failures: state.ladder.failures,
        pivots: state.ladder.pivots,
        branch: state.start.branch.short().to_owned(),
        holder,
        under_way,
        obstacle,
        batch: OpenBatchView::of_run(world, state),
        due,
        next,
        started_ms: state.start.started_ms,
        age_ms: world.now_ms().saturating_sub(state.start.started_ms),
        values: list_kept_values(&run.store)?,
        width: 0,
    })
}

/// Who works on the run now, by hand or without a person.
fn find_worker(run: &Run<'_>) -> Option<String> {
    let holder = find_holder(&run.store.anchor_folder).or_else(|| run.find_driver());
    holder.map(|holder| holder.to_string())
}

/// The word for what is due, and the next step.
fn next_step(run: &Run<'_>, is_obstructed: bool) -> (&'static str, String) {
    let (due, next) = run.next_step_meanwhile();
    let program = &run.caller.program;
    if is_obstructed {
        let resume = format!("next: fix the cause, then run `{program} resume`");
        return (due, resume);
    }
    (due, next)
}

fn state_word(ended: bool, held: bool) -> &'static str {
    match (ended, held) {
        (true, _) => "ended",
        (false, true) => "running",
        (false, false) => "active",
    }
}

/// What stands in the way of the next trial.
fn find_obstacle(glance: &Glance<'_>) -> Option<String> {
    let run = &glance.run;
    let session = run.store.layout.read_session();
    if run.store.state.needs_repair() {
        Some("a command was interrupted: `autoresearch resume` repairs it".to_owned())
    } else if glance.seat.tree().is_none() {
        Some(format!(
            "{}: {TREE_IS_GONE}",
            describe_lost_tree(&run.store)
        ))
    } else if session.is_some_and(|session| session.paused) {
        Some("paused: the person interrupted the session".to_owned())
    } else {
        glance
            .tree()
            .and_then(|tree| tree_changes::check_head(tree, &run.store.state))
            .err()
            .map(|failure| failure.error)
    }
}

/// The incumbent's value after the baseline and after each trial.
fn list_kept_values(store: &RunStore<'_>) -> Result<Vec<f64>> {
    let records = store.read_records()?;
    Ok(Story::of(&store.state.start, &records)
        .list_best_values()
        .into_iter()
        .map(Value::to_double)
        .collect())
}

impl StatusReport {
    /// The start, the best, and what else was printed there.
    fn write_values(&self, out: &mut fmt::Formatter<'_>, target: &str) -> fmt::Result {
        let shown = |value: &Value| self.unit.format_number(&value.to_string());
        let percent = self.percent.as_ref().map(|percent| format!(" ({percent})"));
        writeln!(out, "  start     {}", shown(&self.baseline))?;
        writeln!(
            out,
            "  best      {}{} from trial {}, commit {}{target}",
            shown(&self.incumbent),
            percent.unwrap_or_default(),
            self.incumbent_trial,
            self.incumbent_commit.short()
        )?;
        if !self.metrics.is_empty() {
            writeln!(out, "  also      {}", format_further_metrics(&self.metrics))?;
        }
        Ok(())
    }
}

impl fmt::Display for StatusReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "run `{}`: {}", self.run, escape_text(&self.goal))?;
        match (&self.end, &self.holder) {
            (Some(end), _) => writeln!(
                out,
                "  ended     {end} ({})",
                escape_text(self.why.as_deref().unwrap_or_default())
            )?,
            (None, Some(holder)) => {
                writeln!(out, "  running   {holder}")?;
                if let Some(under_way) = &self.under_way {
                    writeln!(out, "  now       {}", under_way.describe_work())?;
                }
            }
            (None, None) => writeln!(out, "  active    no process works on it now")?,
        }
        writeln!(
            out,
            "  started   {}, {} ago",
            clock_text(self.started_ms),
            show_whole_seconds(self.age_ms)
        )?;
        self.write_details(out)
    }
}

impl StatusReport {
    fn write_details(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(obstacle) = &self.obstacle {
            writeln!(out, "  obstacle  {obstacle}")?;
        }
        let target = self
            .target
            .as_ref()
            .map(|target| format!(", target {}", self.unit.format_number(&target.to_string())))
            .unwrap_or_default();
        let noise = if self.deterministic { "" } else { ", noisy" };
        writeln!(
            out,
            "  metric    {} ({} is better{noise})",
            self.metric, self.direction
        )?;
        self.write_values(out, &target)?;
        let interrupted = if self.interrupted > 0 {
            format!(", {} interrupted", self.interrupted)
        } else {
            String::new()
        };
        writeln!(
            out,
            "  trials    {}: {} keep, {} discard, {} crash, {} no-op{interrupted}",
            format_used_of_limit(self.iterations, self.iterations_limit),
            self.keep,
            self.discard,
            self.crash,
            self.no_op
        )?;
        writeln!(
            out,
            "  ladder    {} failed in a row, {} without a keep",
            self.failures,
            format_count(self.pivots, "pivot")
        )?;
        writeln!(out, "  branch    {}", self.branch)?;
        if let Some(open) = &self.batch {
            writeln!(
                out,
                "  batch     {} is open: {} hypotheses",
                open.batch,
                open.workers.len()
            )?;
            for worker in &open.workers {
                writeln!(out, "{worker}")?;
            }
        }
        if self.width > 0 {
            for line in
                plot::draw_plot(&self.values, self.width.saturating_sub(2).min(78), 7).lines()
            {
                writeln!(out, "  {line}")?;
            }
        }
        write!(out, "{}", self.next)
    }
}

#[cfg(test)]
mod tests;
