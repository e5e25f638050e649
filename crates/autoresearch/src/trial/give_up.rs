//! Owns what is given up without being measured: edits in the scope, and a trial that waits for a rework.
//! Does not delete anything.
//! Invariant: what is taken back is in a commit that has a name, and the log has a row for it.

use autoresearch_core::journal::event::{Decision, Event, Intent, Rework, Verdict, Why};

use crate::run::ready::Ready;
use crate::run::repair::give_back_trial;
use crate::trial::undo::UndoResult;
use crate::trial::verdict::{Decided, close_trial, discard_rework};
use crate::watch::git_rules;
use crate::watch::tree_changes;
use autoresearch_sys::error::{Failure, Result};

/// A trial that was given up.
pub struct GivenUp {
    pub intent: Intent,
    pub decided: Decided,
    pub undone: Option<UndoResult>,
    /// The rework that was awaited, if one was.
    pub rework: Option<Rework>,
}

/// Gives up the trial that waits for a rework, if one does.
pub fn give_up_rework(ready: &mut Ready<'_>) -> Result<Option<GivenUp>> {
    let state = &ready.run.store.state;
    let waiting = state
        .open_trial
        .clone()
        .zip(state.awaiting_rework().cloned());
    let Some((open_trial, rework)) = waiting else {
        return Ok(None);
    };
    let intent = open_trial.intent;
    let decided = discard_rework(&mut ready.run, &intent, &rework)?;
    let undone = close_trial(ready, &decided)?;
    Ok(Some(GivenUp {
        intent,
        decided,
        undone,
        rework: Some(rework),
    }))
}

/// Gives up edits that were to be a trial.
pub fn give_up_edits(ready: &mut Ready<'_>) -> Result<GivenUp> {
    let taken = take_back_edits(ready, "edits given up before they were measured")?;
    let Some((intent, undone)) = taken else {
        return Err(Failure::usage(
            "there is nothing to drop: no file in the scope was changed",
        ));
    };
    let dropped = Decision::without_measurement(&intent, Verdict::Discard, Some(Why::Dropped));
    Ok(GivenUp {
        intent,
        decided: Decided::Verdict(Box::new(dropped)),
        undone: Some(undone),
        rework: None,
    })
}

/// Takes back edits in the scope that were never measured. They are committed first and stay reachable under a reference
/// that is named after the trial. The log shows them as interrupted.
pub fn take_back_edits(ready: &mut Ready<'_>, why: &str) -> Result<Option<(Intent, UndoResult)>> {
    let changes = tree_changes::read_changes(&ready.tree, &ready.run.store.state)?;
    if changes.ours.is_empty() {
        return Ok(None);
    }
    git_rules::refuse_other_rules(
        &[
            git_rules::list_rewriting(&ready.tree)?,
            changes.rewriting.clone(),
        ]
        .concat(),
    )?;
    let state = &ready.run.store.state;
    let intent = Intent::new(state.next_trial, why.to_owned(), state.head.clone());
    ready
        .run
        .store
        .record_event(Event::Intent(intent.clone()))?;
    // The undoing commits them first.
    let undone = give_back_trial(ready, &intent, 0)?;
    Ok(Some((intent, undone)))
}
