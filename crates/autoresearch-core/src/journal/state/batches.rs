//! Owns what a batch changes in the state of a run.
//! Does not choose among its workers.
//! Invariant: while a batch is open no other trial is decided, and only one that picks a worker's changes moves HEAD.

use crate::journal::batch::{Batch, BatchEnd, MOST_WORKERS, OpenBatch, WorkerRow};
use crate::journal::event::{Decision, Intent, Turn, Why};
use crate::journal::state::{RunState, Stage};

impl RunState {
    /// Does the trial that is decided now go on top of the one that decided its batch? It counts for no limit then.
    pub(super) fn is_stacking(&self) -> bool {
        let batch = self.batch.as_ref();
        batch.is_some_and(|open| open.decided.is_some())
    }

    /// Is this the intention of a trial that the open batch lets begin, or of any where none is open?
    pub(super) fn admits_intent(&self, intent: &Intent) -> bool {
        match &self.batch {
            Some(open) => open.admits_picks(intent.picks),
            None => intent.picks.is_none(),
        }
    }

    /// While a batch is open a verdict is that of a pick, or says that none improved.
    pub(super) fn admits_verdict(&self, decided: &Decision) -> bool {
        let says_none = matches!(decided.why, Some(Why::NoneImproved(_)));
        match (&self.batch, &self.open_trial) {
            (None, _) => !says_none,
            (Some(_), Some(open_trial)) => open_trial.intent.picks.is_some() && !says_none,
            (Some(open), None) => says_none && open.decided.is_none(),
        }
    }

    /// A worker that answered, or that is not asked again, has had its turn.
    pub(super) fn note_turn(&mut self, turn: &Turn) {
        if let (Some(open), Some(worker)) = (&mut self.batch, turn.worker)
            && (turn.fault.is_none() || turn.given_up)
            && !open.answered.contains(&worker)
        {
            open.answered.push(worker);
        }
    }

    // Each of these says whether the event follows, and changes nothing where it does not.

    pub(super) fn apply_batch(&mut self, batch: Batch) -> bool {
        let follows = self.open_trial.is_none()
            && self.batch.is_none()
            && self.end.is_none()
            && batch.trial == self.next_trial
            && batch.base == self.head
            && (2..=MOST_WORKERS).contains(&batch.hypotheses.len());
        if follows {
            self.counts.batches += 1;
            self.spent.verify_runs = self.spent.verify_runs.saturating_add(batch.verify_runs);
            self.batch = Some(OpenBatch::new(batch));
        }
        follows
    }

    /// A worker was measured; or the trial that picked it was undone without a verdict, and its number is free again.
    pub(super) fn apply_worker(&mut self, row: WorkerRow) -> bool {
        let Some(open) = &mut self.batch else {
            return false;
        };
        let undone = match (&self.open_trial, &row.head) {
            (None, None) => None,
            // One that has its verdict keeps its number.
            (Some(trial), Some(head))
                if trial.stage == Stage::Intended && trial.intent.picks == Some(row.worker) =>
            {
                Some(head.clone())
            }
            _ => return false,
        };
        let (verify_runs, runs) = (row.verify_runs, row.runs.clone());
        let left_files = row.left_files.clone();
        if !open.take_row(row) {
            return false;
        }
        self.spent.verify_runs = self.spent.verify_runs.saturating_add(verify_runs);
        if let Some(head) = undone {
            self.next_trial -= 1;
            self.open_trial = None;
            self.head = head;
            self.cut_short = 0;
            self.note_left_files(&left_files);
            self.close_evidence(&runs, None);
        }
        true
    }

    pub(super) fn end_batch(&mut self, end: BatchEnd) -> bool {
        let is_it = |open: &OpenBatch| open.batch.trial == end.trial;
        let follows = self.open_trial.is_none() && self.batch.as_ref().is_some_and(is_it);
        if follows && let Some(open) = self.batch.take() {
            // Rows of its workers have its number: nobody else gets it.
            let used = if open.decided.is_none() {
                end.trial + 1
            } else {
                0
            };
            self.next_trial = self.next_trial.max(used);
        }
        follows
    }

    /// Notes that a trial was decided: the first one in an open batch decides the batch.
    pub(super) fn note_decided(&mut self, trial: u32) {
        if let Some(open) = &mut self.batch {
            if open.decided.is_some() {
                self.counts.stacked += 1;
            }
            open.decided.get_or_insert(trial);
        }
    }

    /// A pick that was cut short can be made again.
    pub(super) fn forget_pick(&mut self) {
        let picks = self
            .open_trial
            .as_ref()
            .and_then(|trial| trial.intent.picks);
        if let (Some(open), Some(picks)) = (&mut self.batch, picks) {
            open.picked.retain(|known| *known != picks);
        }
    }

    pub(super) fn note_picked(&mut self, intent: &Intent) {
        if let (Some(open), Some(picks)) = (&mut self.batch, intent.picks) {
            open.picked.push(picks);
        }
    }
}

#[cfg(test)]
mod tests;
