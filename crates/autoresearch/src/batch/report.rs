//! Owns what `parallel` answers: the hypotheses with their trees, what each came to, and the trial that decided.
//! Does not decide what is next; the state does.
//! Invariant: every number in it comes from the journal.

use std::fmt;

use autoresearch_core::config::Measuring;
use autoresearch_core::git_names::CommitId;
use autoresearch_core::journal::batch::{Batch, WorkerId, WorkerRow};
use autoresearch_core::journal::event::Why;
use autoresearch_core::journal::state::RunState;
use autoresearch_core::journal::story::Story;
use autoresearch_core::metric::value::Value;
use autoresearch_core::words::table::name_worker_status;
use autoresearch_core::words::text::{clip_text, escape_text};
use serde::Serialize;

use crate::batch::pick::DecidedPick;
use crate::batch::worker::find_worker_tree;
use crate::run::glance::Glance;
use crate::trial::report::{TrialReport, trial_report};
use autoresearch_sys::env::World;
use autoresearch_sys::error::Result;

/// The longest hypothesis in the answer, in characters.
const WIDTH: usize = 100;

/// The answer of `parallel open`, `close` and `abort`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct BatchReport {
    pub run: String,
    /// The number of the trial that decides it.
    pub batch: u32,
    /// `open`, `closed` or `aborted`.
    pub status: &'static str,
    pub measuring: Measuring,
    /// Why it is measured so; when it is opened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub measuring_why: Option<&'static str>,
    pub workers: Vec<WorkerView>,
    /// The trials of what was picked: the one that decided, and those on top of it.
    pub trials: Vec<TrialReport>,
    /// What was repaired before, one sentence each.
    pub repaired: Vec<String>,
    pub due: &'static str,
    pub next: String,
}

/// A worker of a batch.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct WorkerView {
    pub worker: String,
    pub hypothesis: String,
    /// Its work tree, while the batch is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tree: Option<String>,
    /// `measured`, `discard`, `crash` or `no-op`; nothing before it was measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<&'static str>,
    /// Why it is not in the choice, as one word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// The same in a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delta: Option<String>,
    /// The commit of its changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hash: Option<CommitId>,
}

/// An open batch, as `status` tells of it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct OpenBatchView {
    /// The number in the names of its workers.
    pub batch: u32,
    pub measuring: Measuring,
    pub stack: bool,
    pub workers: Vec<WorkerView>,
}

impl OpenBatchView {
    /// The batch that is open in a run, if one is.
    pub(crate) fn of_run(world: &World, state: &RunState) -> Option<Self> {
        let open = state.batch.as_ref()?;
        let workers = open.batch.list_workers().map(|(worker, hypothesis)| {
            let tree = find_worker_tree(world, &state.start.id, worker);
            let view = WorkerView::new(
                worker,
                hypothesis,
                tree.map(|tree| world.path_from_here(&tree)),
            );
            match open.find_row(worker) {
                Some(row) => view.of_row(row),
                None => view,
            }
        });
        Some(Self {
            batch: open.batch.trial,
            measuring: open.batch.measuring,
            stack: open.batch.stack,
            workers: workers.collect(),
        })
    }
}

impl WorkerView {
    fn new(worker: WorkerId, hypothesis: &str, tree: Option<String>) -> Self {
        Self {
            worker: worker.to_string(),
            hypothesis: hypothesis.to_owned(),
            tree,
            status: None,
            reason: None,
            detail: None,
            value: None,
            delta: None,
            hash: None,
        }
    }

    fn of_row(mut self, row: &WorkerRow) -> Self {
        self.status = Some(name_worker_status(row));
        self.reason = row.why.as_ref().map(Why::as_str);
        self.detail = row.why.as_ref().map(ToString::to_string);
        let measurement = row.measurement.as_ref();
        self.value = measurement.map(|measurement| measurement.value.clone());
        self.delta = row.delta.as_ref().map(Value::format_signed);
        self.hash.clone_from(&row.commit);
        self
    }
}

impl BatchReport {
    fn new(glance: &Glance<'_>, batch: &Batch, status: &'static str) -> Self {
        let state = &glance.run.store.state;
        let (world, id) = (glance.run.world, &state.start.id);
        let workers = batch.list_workers().map(|(worker, hypothesis)| {
            let tree = (status == "open")
                .then(|| find_worker_tree(world, id, worker))
                .flatten()
                .map(|tree| world.path_from_here(&tree));
            WorkerView::new(worker, hypothesis, tree)
        });
        Self {
            run: state.start.run.clone(),
            batch: batch.trial,
            status,
            measuring: batch.measuring,
            measuring_why: None,
            workers: workers.collect(),
            trials: Vec::new(),
            repaired: Vec::new(),
            due: state.next_step().as_str(),
            next: glance.next_step(),
        }
    }

    /// The answer of `open`.
    pub(super) fn of_open(glance: &Glance<'_>, why: &'static str) -> Self {
        let state = &glance.run.store.state;
        let open = state.batch.as_ref();
        let nothing = Batch {
            trial: state.next_trial,
            base: state.head.clone(),
            hypotheses: Vec::new(),
            measuring: Measuring::Serial,
            stack: false,
            verify_runs: 0,
        };
        let batch = open.map_or(&nothing, |open| &open.batch);
        Self {
            measuring_why: Some(why),
            ..Self::new(glance, batch, "open")
        }
    }

    pub(super) fn of_aborted(glance: &Glance<'_>, batch: &Batch) -> Self {
        Self::new(glance, batch, "aborted")
    }

    /// The answer of `close`.
    pub(super) fn of_closed(
        glance: &Glance<'_>,
        batch: &Batch,
        picks: Vec<DecidedPick>,
    ) -> Result<Self> {
        let mut report = Self::new(glance, batch, "closed");
        let records = glance.run.store.read_records()?;
        let story = Story::of(&glance.run.store.state.start, &records);
        let workers = std::mem::take(&mut report.workers).into_iter();
        report.workers = workers
            .zip(batch.list_workers())
            .map(
                |(view, (worker, _))| match story.list_worker_rows(worker).last() {
                    Some((_, row)) => view.of_row(row),
                    None => view,
                },
            )
            .collect();
        let trials = picks.into_iter().map(|pick| {
            trial_report(glance, &pick.intent, &pick.decided, pick.timings)
                .with_before(&pick.before)
                .with_files(&pick.files)
                .with_notes(pick.notes)
        });
        report.trials = trials.collect();
        Ok(report)
    }

    pub(super) fn with_repaired(self, repaired: Vec<String>) -> Self {
        Self { repaired, ..self }
    }
}

impl fmt::Display for WorkerView {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hypothesis = clip_text(&escape_text(&self.hypothesis), WIDTH);
        write!(out, "  {} {hypothesis}", self.worker)?;
        if let Some(status) = self.status {
            write!(out, ": {status}")?;
        }
        if let Some(value) = &self.value {
            write!(out, " {value}")?;
        }
        if let Some(delta) = &self.delta {
            write!(out, " ({delta})")?;
        }
        if let Some(detail) = &self.detail {
            write!(out, ", {}", escape_text(detail))?;
        }
        match &self.tree {
            Some(tree) => write!(out, "\n     in {tree}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for BatchReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for repaired in &self.repaired {
            writeln!(out, "repaired: {repaired}")?;
        }
        match (self.status, self.measuring_why) {
            ("open", why) => {
                let how = match self.measuring {
                    Measuring::Serial => "one after the other",
                    Measuring::Concurrent => "at the same time",
                };
                writeln!(
                    out,
                    "batch {} is open: {} hypotheses, to be measured {how} ({})",
                    self.batch,
                    self.workers.len(),
                    why.unwrap_or_default()
                )?;
            }
            ("aborted", _) => writeln!(
                out,
                "batch {} was given up: nothing was measured, and it does not count; what was edited in a tree is in a reference such as `refs/autoresearch/{}/worker-{}a`",
                self.batch, self.run, self.batch
            )?,
            _ => writeln!(out, "batch {} is closed", self.batch)?,
        }
        for worker in &self.workers {
            writeln!(out, "{worker}")?;
        }
        for trial in &self.trials {
            trial.write_facts(out)?;
        }
        out.write_str(&self.next)
    }
}
