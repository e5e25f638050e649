//! Owns the closing of a batch: what was edited is measured, the best is picked, the trees are given back; or all is given up.
//! Does not decide on a trial.
//! Invariant: each step is recorded before the next, so that closing again after a crash goes on where it stopped.

use autoresearch_core::decide::choice::ChoiceScene;
use autoresearch_core::journal::batch::{BatchEnd, WorkerId, WorkerRow};
use autoresearch_core::journal::event::{Decision, Event, Intent, Verdict, Why};
use autoresearch_core::journal::state::RunState;

use crate::batch::edits::commit_worker_edits;
use crate::batch::pick::{DecidedPick, pick_worker};
use crate::batch::report::BatchReport;
use crate::batch::worker::{CommittedWorker, WorkerScene, explain_failure, measure_workers};
use crate::run::entry::{Entered, Entry, enter_run, enter_tree};
use crate::run::place::Place;
use crate::run::ready::Ready;
use crate::run::repair::end_if_due;
use crate::trial::holdout::ArmedHoldout;
use crate::watch::space::check_tree_space;
use crate::watch::tree_changes;
use autoresearch_sys::env::World;
use autoresearch_sys::error::{Failure, FailureKind, Result};

/// Measures what was edited in the trees of the open batch, and decides.
pub(crate) fn close_batch(world: &World, place: &Place) -> Result<BatchReport> {
    let mut ready = enter_tree(world, place, Entry::Step("parallel close"))?;
    let Some(open) = ready.run.store.state.batch.clone() else {
        let program = &ready.run.caller.program;
        let failure = Failure::usage("no batch is open")
            .hint(format!("`{program} parallel open -m A -m B` opens one"));
        return Err(ready.refuse(failure));
    };
    if let Err(failure) = measure_edits(&mut ready) {
        return Err(ready.refuse(failure));
    }
    let mut picks = Vec::new();
    while let Some(row) = find_next_pick(&ready.run.store.state) {
        let (after, pick) = pick_worker(ready, &row)?;
        ready = after;
        picks.extend(pick);
    }
    let is_decided = |state: &RunState| {
        let open = state.batch.as_ref();
        open.is_some_and(|open| open.decided.is_some())
    };
    if !is_decided(&ready.run.store.state) {
        picks.push(record_none_improved(&mut ready)?);
    }
    give_trees_back(&ready)?;
    record_batch_end(&mut ready, false)?;
    end_if_due(&mut ready.run)?;
    let repaired = ready.repaired.done.clone();
    let glance = ready.finish()?;
    let report = BatchReport::of_closed(&glance, &open.batch, picks)?;
    Ok(report.with_repaired(repaired))
}

/// Gives the open batch up: its edits stay reachable, and it counts as nothing.
pub(crate) fn abort_batch(world: &World, place: &Place) -> Result<BatchReport> {
    let mut ready = match enter_run(world, place, Entry::Stop)? {
        Entered::Ready(ready) => *ready,
        Entered::Lost(held) => held.take_tree()?,
    };
    let Some(open) = ready.run.store.state.batch.clone() else {
        return Err(
            ready.refuse(Failure::usage("no batch is open").hint("there is nothing to give up"))
        );
    };
    give_up_batch(&mut ready)?;
    let repaired = ready.repaired.done.clone();
    let glance = ready.finish()?;
    Ok(BatchReport::of_aborted(&glance, &open.batch).with_repaired(repaired))
}

/// Gives up the batch of a run, if one is open. What was edited in its trees is committed and stays reachable.
pub(crate) fn give_up_batch(ready: &mut Ready<'_>) -> Result<()> {
    let Some(open) = ready.run.store.state.batch.clone() else {
        return Ok(());
    };
    let (run, tree) = (&ready.run, &ready.tree);
    let state = &run.store.state;
    let scene = WorkerScene::of_run(tree, state, &run.env)?;
    let unmeasured: Vec<(WorkerId, &str)> = open.list_unmeasured().collect();
    for (worker, message) in unmeasured {
        // A tree that is gone or broken holds nothing that could be saved.
        if let Ok(lent) = scene.reopen_tree(worker) {
            let _ = commit_worker_edits(tree, state, &lent.tree, (&open.batch, worker, message));
        }
    }
    give_trees_back(ready)?;
    record_batch_end(ready, true)
}

/// Commits and measures what was edited, of each worker that has no row yet.
fn measure_edits(ready: &mut Ready<'_>) -> Result<()> {
    let state = &ready.run.store.state;
    tree_changes::check_head(&ready.tree, state)?;
    check_tree_space(&ready.tree)?;
    ready.run.admit_secrets()?;
    if let Some(holdout) = ArmedHoldout::of_run(&ready.run.store) {
        holdout.check_files()?;
    }
    let state = ready.run.store.state.clone();
    let Some(open) = &state.batch else {
        return Ok(());
    };
    if open.decided.is_some() {
        return Ok(());
    }
    let env = ready.run.env.clone();
    let Ready { run, tree, .. } = ready;
    let scene = WorkerScene::of_run(tree, &state, &env)?;
    let mut workers = Vec::new();
    for (worker, message) in open.list_unmeasured() {
        let mut row = WorkerRow::new(worker, message);
        let found = scene.reopen_tree(worker).and_then(|lent| {
            let asked = (&open.batch, worker, message);
            commit_worker_edits(tree, &state, &lent.tree, asked).map(|edits| (lent, edits))
        });
        match found {
            Ok((lent, edits)) => {
                (row.commit, row.lines, row.why) = (edits.commit, edits.lines, edits.why);
                // The tree of one that is not measured is given back here.
                let ready = row.why.is_none().then_some(lent);
                workers.push(CommittedWorker { row, ready });
            }
            Err(failure) if failure.kind == FailureKind::Interrupted => return Err(failure),
            Err(failure) => {
                row.why = Some(explain_failure(&failure));
                workers.push(CommittedWorker { row, ready: None });
            }
        }
    }
    measure_workers(&scene, workers, open.batch.measuring, |row| {
        Ok(run.store.record_event(Event::Worker(Box::new(row)))?)
    })
}

/// The worker that is tried next, if one is.
fn find_next_pick(state: &RunState) -> Option<WorkerRow> {
    let open = state.batch.as_ref()?;
    if state.end.is_some() || (open.decided.is_some() && !open.batch.stack) {
        return None;
    }
    let choice = ChoiceScene {
        metric: &state.config().metric,
        before: &state.incumbent.measurement.value,
        spread: None,
    };
    let ranked = choice.rank_rows(open.list_candidates());
    ranked.first().map(|row| (*row).clone())
}

/// Nothing is left to pick: the batch is one failed trial.
fn record_none_improved(ready: &mut Ready<'_>) -> Result<DecidedPick> {
    let state = &ready.run.store.state;
    let workers = state.batch.iter().flat_map(|open| {
        let workers = open.batch.list_workers();
        workers.map(|(worker, _)| worker)
    });
    let workers: Vec<WorkerId> = workers.collect();
    let message = format!("a batch of {} hypotheses", workers.len());
    let intent = Intent::new(state.next_trial, message, state.head.clone());
    let why = Some(Why::NoneImproved(workers));
    let decision = Decision::without_measurement(&intent, Verdict::Discard, why);
    DecidedPick::record(ready, intent, decision)
}

/// Gives back the trees that nobody gave back: those of workers that were not measured.
fn give_trees_back(ready: &Ready<'_>) -> Result<()> {
    let (run, tree) = (&ready.run, &ready.tree);
    let state = &run.store.state;
    let Some(open) = &state.batch else {
        return Ok(());
    };
    let scene = WorkerScene::of_run(tree, state, &run.env)?;
    for (worker, _) in open.batch.list_workers() {
        if let Ok(lent) = scene.reopen_tree(worker) {
            drop(lent);
        }
    }
    Ok(())
}

fn record_batch_end(ready: &mut Ready<'_>, aborted: bool) -> Result<()> {
    let Some(open) = &ready.run.store.state.batch else {
        return Ok(());
    };
    let end = BatchEnd {
        trial: open.batch.trial,
        aborted,
    };
    Ok(ready.run.store.record_event(Event::BatchEnd(end))?)
}
