//! Owns the pick: the changes of a worker become edits in the run's tree, and a trial of their own.
//! Does not choose whom to pick.
//! Invariant: what is kept was measured in the run's tree, by runs that no choice was made by.

use autoresearch_core::decide::choice::allows_next;
use autoresearch_core::decide::judge::TrialOutcome;
use autoresearch_core::git_names::RepoPath;
use autoresearch_core::journal::event::{Decision, Event, Guard, Intent, Why, WorkerRow};
use autoresearch_core::metric::measurement::Measurement;

use crate::run::ready::Ready;
use crate::trial::attempt::{AttemptResult, Attempted, plan_attempt};
use crate::trial::measure::Timings;
use crate::trial::moved_away::show_path;
use crate::trial::retry::{EditPlan, find_in_the_way, plan_merge, write_edits};
use crate::trial::undo::undo_trial;
use crate::trial::unmeasured::recover_edits;
use crate::trial::verdict::{Decided, close_trial, decide_trial, record_verdict};
use crate::trial::{find_changes, make_attempt, record_intention};
use crate::watch::git_rules::refuse_other_rules;
use autoresearch_sys::env::Stopwatch;
use autoresearch_sys::error::{Failure, Result};

/// A trial of picked changes that has its verdict.
pub(super) struct DecidedPick {
    pub intent: Intent,
    pub decided: Decided,
    pub timings: Timings,
    /// What was measured of the state that it is compared with.
    pub before: Measurement,
    /// What it changed.
    pub files: Vec<RepoPath>,
    /// What was done to files, one sentence each.
    pub notes: Vec<String>,
}

impl DecidedPick {
    /// Records a verdict without a pick.
    pub(super) fn record(
        ready: &mut Ready<'_>,
        intent: Intent,
        decision: Decision,
    ) -> Result<Self> {
        let before = ready.run.store.state.incumbent.measurement.clone();
        let decided = record_verdict(&mut ready.run, decision)?;
        close_trial(ready, &decided)?;
        Ok(Self {
            intent,
            decided,
            timings: Timings::default(),
            before,
            files: Vec::new(),
            notes: Vec::new(),
        })
    }
}

/// Picks a worker's changes and measures them. Without a decision the worker is out, and the run stands as before.
pub(super) fn pick_worker<'w>(
    mut ready: Ready<'w>,
    row: &WorkerRow,
) -> Result<(Ready<'w>, Option<DecidedPick>)> {
    let (watch, git) = (Stopwatch::start(), ready.tree.git.time_spent());
    let state = &ready.run.store.state;
    let (Some(open), Some(commit)) = (&state.batch, &row.commit) else {
        return Ok((ready, None));
    };
    let is_last = open.decided.is_some() || open.list_candidates().count() < 2;
    let scratch = ready.tree.layout.make_trial_folder(state.next_trial)?;
    let sides = (&open.batch.base, commit);
    let plan = match plan_merge(&ready.tree, state, sides, &scratch)? {
        Ok(plan) => plan,
        Err(paths) => return drop_worker(ready, row, conflict_of(&paths)),
    };
    let found = find_changes(&ready.tree, state)?;
    // git would write, and undo, by other rules than those of the start.
    refuse_other_rules(&found.rewriting)?;
    let edits = found.ours;
    refuse_other_edits(&ready, &plan, &edits)?;
    let in_the_way = find_in_the_way(&ready.tree, &plan, &edits);
    if !in_the_way.is_empty() {
        let names = in_the_way.iter().map(|path| show_path(path).clone());
        let why = Why::Conflict(names.collect());
        return drop_worker(ready, row, why);
    }
    if plan.wanted.is_empty() {
        return drop_worker(ready, row, Why::NothingChanged);
    }
    write_edits(&ready.tree, &plan, &scratch)?;
    let changes = find_changes(&ready.tree, &ready.run.store.state)?;
    let intent = make_pick_intent(&ready, row);
    let plan = plan_attempt(&intent, &changes)?;
    record_intention(&mut ready, &intent, &changes, &plan)?;
    let ended = match make_attempt(&ready, &intent, &changes, plan) {
        Ok(ended) => ended,
        Err(failure) => return Err(recover_edits(ready, &intent, failure)),
    };
    let files = changes.ours;
    let (ready, pick) = close_pick(ready, row, (intent, ended), is_last)?;
    let pick = pick.map(|mut pick| {
        let git = ready.tree.git.time_spent().saturating_sub(git);
        pick.timings.close_account(watch.elapsed(), git);
        DecidedPick { files, ..pick }
    });
    Ok((ready, pick))
}

/// Gives the trial its verdict; or undoes it without one, where the next best can be tried.
fn close_pick<'w>(
    mut ready: Ready<'w>,
    row: &WorkerRow,
    (intent, ended): (Intent, AttemptResult),
    is_last: bool,
) -> Result<(Ready<'w>, Option<DecidedPick>)> {
    let AttemptResult {
        attempted,
        timings,
        mut notes,
    } = ended;
    let is_exact = ready.run.store.state.evidence.is_exact();
    let why = find_failure(&attempted);
    if ready.run.store.state.open_trial.is_none() {
        // Nothing was committed, so there is no trial to decide.
        return drop_worker(ready, row, why.unwrap_or(Why::NothingChanged));
    }
    if let Some(why) = why.filter(|why| !is_last && allows_next(why, is_exact)) {
        let (tree, state) = (&ready.tree, &ready.run.store.state);
        let undone = undo_trial(tree, state, intent.trial, &intent.message, None)?;
        let mut row = WorkerRow {
            why: Some(why),
            verify_runs: 0,
            head: Some(undone.head),
            ..row.clone()
        };
        if let Attempted::Measured(measured) = attempted {
            row.verify_runs = measured.verify_runs;
            row.runs = measured.judgement.runs;
            row.left_files = measured.left_files;
            row.guard = measured.judgement.guard;
            if let Some(measurement) = measured.judgement.measurement {
                let before = &ready.run.store.state.incumbent.measurement.value;
                row.delta = Some(&measurement.value - before);
                row.measurement = Some(measurement);
            }
        }
        ready.run.store.record_event(Event::Worker(Box::new(row)))?;
        return Ok((ready, None));
    }
    let before = ready.run.store.state.incumbent.measurement.clone();
    let decided = decide_trial(&mut ready, &intent, attempted)?;
    let undone = close_trial(&mut ready, &decided)?;
    notes.extend(undone.into_iter().flat_map(|undone| undone.notes));
    let pick = DecidedPick {
        intent,
        decided,
        timings,
        before,
        files: Vec::new(),
        notes,
    };
    Ok((ready, Some(pick)))
}

/// Why the attempt is no keep, if it is none.
fn find_failure(attempted: &Attempted) -> Option<Why> {
    match attempted {
        Attempted::Void(why) | Attempted::Refused(why) => Some(why.clone()),
        Attempted::NoOp => Some(Why::NothingChanged),
        Attempted::Measured(measured) => match &measured.judgement.outcome {
            TrialOutcome::Keep => None,
            TrialOutcome::Discard(why) | TrialOutcome::Crash(why) | TrialOutcome::Rework(why) => {
                Some(why.clone())
            }
        },
    }
}

/// The worker is out, and no trial began.
fn drop_worker<'w>(
    mut ready: Ready<'w>,
    row: &WorkerRow,
    why: Why,
) -> Result<(Ready<'w>, Option<DecidedPick>)> {
    let row = WorkerRow {
        why: Some(why),
        guard: Guard::NotRun,
        verify_runs: 0,
        ..row.clone()
    };
    ready.run.store.record_event(Event::Worker(Box::new(row)))?;
    Ok((ready, None))
}

fn conflict_of(paths: &[RepoPath]) -> Why {
    Why::Conflict(paths.iter().map(ToString::to_string).collect())
}

/// Edits that an interrupted pick has made are in their place already; others belong to nobody's hypothesis.
fn refuse_other_edits(ready: &Ready<'_>, plan: &EditPlan, edits: &[RepoPath]) -> Result<()> {
    if edits.is_empty() {
        return Ok(());
    }
    let tree = &ready.tree;
    let scratch = tree
        .layout
        .make_trial_folder(ready.run.store.state.next_trial)?;
    let others = tree.git.list_other_than(&plan.tree, edits, &scratch)?;
    let Some(first) = others.first() else {
        return Ok(());
    };
    let program = &ready.run.caller.program;
    Err(Failure::usage(format!(
        "there are unmeasured edits in the run's own tree, such as {first}"
    ))
    .hint(format!(
        "nothing was changed. Edit in the trees of the batch only: `{program} trial --drop` undoes these edits; then close the batch"
    )))
}

fn make_pick_intent(ready: &Ready<'_>, row: &WorkerRow) -> Intent {
    let state = &ready.run.store.state;
    Intent {
        picks: Some(row.worker),
        ..Intent::new(state.next_trial, row.message.clone(), state.head.clone())
    }
}
