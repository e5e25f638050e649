//! Owns what the journal says of a batch: hypotheses that are tried at once, each in a work tree of its own.
//! Does not measure or choose; `choice` ranks, `state` says what may follow.
//! Invariant: what a worker's tree gave changes nothing that is kept: only the trial that picks its changes does.

use serde::{Deserialize, Serialize};

use crate::config::Measuring;
use crate::decide::why::Why;
use crate::git_names::CommitId;
use crate::journal::guard::Guard;
use crate::journal::runs::RecordedRun;
pub use crate::journal::worker_id::{MOST_WORKERS, NoWorker, WorkerId};
use crate::metric::measurement::Measurement;
use crate::metric::value::Value;

/// Hypotheses are about to be tried at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// The number of the trial that decides it.
    pub trial: u32,
    /// The kept state on which all of them begin.
    pub base: CommitId,
    /// What each worker tries, in the order of their letters.
    pub hypotheses: Vec<String>,
    /// Do their measurements run at the same time?
    pub measuring: Measuring,
    /// Are further winners tried on top of the first?
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stack: bool,
    /// Runs of verify that showed that a tree of its own gives what the run's gives.
    #[serde(default, skip_serializing_if = "crate::journal::unwritten::is_zero")]
    pub verify_runs: u32,
}

impl WorkerRow {
    /// The row of a worker of which nothing is known yet.
    #[must_use]
    pub fn new(worker: WorkerId, message: &str) -> Self {
        Self {
            worker,
            message: message.to_owned(),
            why: None,
            commit: None,
            measurement: None,
            delta: None,
            guard: Guard::NotRun,
            lines: 0,
            verify_runs: 0,
            left_files: Vec::new(),
            runs: Vec::new(),
            head: None,
        }
    }
}

impl Batch {
    /// Its workers, each with what it tries.
    pub fn list_workers(&self) -> impl Iterator<Item = (WorkerId, &str)> {
        WorkerId::list_of(self.trial).zip(self.hypotheses.iter().map(String::as_str))
    }

    fn has_worker(&self, worker: WorkerId) -> bool {
        worker.batch == self.trial && worker.index() < self.hypotheses.len()
    }
}

/// What came of a worker: measured in its own tree; or picked, measured in the run's tree, and undone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorkerRow {
    pub worker: WorkerId,
    /// What it tried.
    pub message: String,
    /// Why it is not in the choice; nothing where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Why>,
    /// The commit of its changes, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<CommitId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measurement: Option<Measurement>,
    /// The difference to the kept state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delta: Option<Value>,
    pub guard: Guard,
    /// Lines that it adds and removes.
    #[serde(default, skip_serializing_if = "crate::journal::unwritten::is_zero")]
    pub lines: u32,
    /// How often verify ran for this row.
    pub verify_runs: u32,
    /// Untracked files that verify left in the run's tree, where it was picked.
    #[serde(default, rename = "droppings", skip_serializing_if = "Vec::is_empty")]
    pub left_files: Vec<String>,
    /// The runs of both trees, where it was picked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub runs: Vec<RecordedRun>,
    /// Where HEAD is since its pick was undone; nothing before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<CommitId>,
}

/// A batch has ended, and its trees were given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchEnd {
    pub trial: u32,
    /// Was it given up, so that it counts as nothing?
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub aborted: bool,
}

/// A batch that is open.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpenBatch {
    pub batch: Batch,
    /// The latest row of each worker that has one, in the order of their letters.
    pub rows: Vec<WorkerRow>,
    /// The workers whose changes a trial took over.
    pub picked: Vec<WorkerId>,
    /// The workers whose agent has had its turn, in a run without a person.
    #[serde(default)]
    pub answered: Vec<WorkerId>,
    /// The trial that decided it.
    pub decided: Option<u32>,
}

impl OpenBatch {
    #[must_use]
    pub fn new(batch: Batch) -> Self {
        Self {
            batch,
            rows: Vec::new(),
            picked: Vec::new(),
            answered: Vec::new(),
            decided: None,
        }
    }

    #[must_use]
    pub fn find_row(&self, worker: WorkerId) -> Option<&WorkerRow> {
        self.rows.iter().find(|row| row.worker == worker)
    }

    /// The workers that were not measured yet, each with what it tries.
    pub fn list_unmeasured(&self) -> impl Iterator<Item = (WorkerId, &str)> {
        let workers = self.batch.list_workers();
        workers.filter(|(worker, _)| self.find_row(*worker).is_none())
    }

    /// The workers that wait for a turn of an agent, each with what it tries.
    pub fn list_waiting(&self) -> impl Iterator<Item = (WorkerId, &str)> {
        let answered = |worker: &WorkerId| self.answered.contains(worker);
        self.list_unmeasured()
            .filter(move |(worker, _)| !answered(worker))
    }

    /// The rows among which is chosen now.
    pub fn list_candidates(&self) -> impl Iterator<Item = &WorkerRow> {
        self.rows.iter().filter(|row| {
            row.why.is_none() && row.commit.is_some() && !self.picked.contains(&row.worker)
        })
    }

    /// Is this worker in the choice?
    #[must_use]
    pub fn is_candidate(&self, worker: WorkerId) -> bool {
        self.list_candidates().any(|row| row.worker == worker)
    }

    /// Takes in a row of a worker; whether it belongs here.
    pub(super) fn take_row(&mut self, row: WorkerRow) -> bool {
        if !self.batch.has_worker(row.worker) {
            return false;
        }
        self.rows.retain(|known| known.worker != row.worker);
        self.rows.push(row);
        self.rows.sort_by_key(|row| row.worker);
        true
    }

    /// May this intention follow? One that picks nothing can only be taken back: edits that belong to no worker are.
    pub(super) fn admits_picks(&self, picks: Option<WorkerId>) -> bool {
        let may_pick = self.decided.is_none() || self.batch.stack;
        match picks {
            Some(picks) => may_pick && self.is_candidate(picks),
            None => true,
        }
    }
}

#[cfg(test)]
mod tests;
