//! Owns what becomes of a trial that was begun and could not be measured to its end.
//! Does not decide on trials that were measured.
//! Invariant: the edits stay in the work tree, or in a commit that is named.

use autoresearch_core::journal::event::{Event, Intent, Interruption};

use crate::run::ready::Ready;
use crate::run::repair::interrupt_trial;
use crate::watch::tree_changes;
use autoresearch_sys::error::{Failure, FailureKind};

/// What becomes of the edits of an attempt that failed; the failure, as the caller is told of it.
pub(crate) fn recover_edits(ready: Ready<'_>, intent: &Intent, failure: Failure) -> Failure {
    if failure.kind == FailureKind::Interrupted {
        undo_cut_short(ready, intent.trial, failure)
    } else {
        leave_edits(ready, intent, failure)
    }
}

/// Nothing could be committed for a reason of the machine, such as a lock that somebody holds: the trial is closed without
/// an undo, so that the same edits can be tried again.
fn leave_edits(mut ready: Ready<'_>, intent: &Intent, failure: Failure) -> Failure {
    let is_open = ready.run.store.state.open_trial.is_some();
    let at_parent =
        tree_changes::check_branch_checked_out(&ready.tree).is_ok_and(|head| head == intent.parent);
    if failure.kind != FailureKind::Environment || intent.attempt > 0 || !is_open || !at_parent {
        return failure;
    }
    let closed = ready
        .run
        .store
        .record_event(Event::Interrupted(Interruption {
            trial: intent.trial,
            message: intent.message.clone(),
            head: intent.parent.clone(),
            saved: None,
            verify_runs: 0,
        }));
    match closed.map_err(Failure::from).and_then(|()| ready.finish()) {
        Ok(_) => Failure {
            error: format!(
                "{}; nothing was measured, and your edits are still in the work tree",
                failure.error
            ),
            ..failure
        },
        // The next command repairs: it takes the edits back and keeps them reachable.
        Err(_) => failure,
    }
}

/// A person or a signal ended the command: the trial is undone now.
fn undo_cut_short(mut ready: Ready<'_>, trial: u32, failure: Failure) -> Failure {
    let program = ready.run.caller.program.clone();
    let crashes = ready.run.store.state.counts.crash;
    let cut = interrupt_trial(&mut ready);
    let told = if ready.run.store.state.counts.crash > crashes {
        "the trial was interrupted like those before it, and undone as a crash"
    } else {
        "the trial was interrupted and undone; it does not count"
    };
    let undone =
        cut.and_then(|undone| ready.finish().map(|_| undone.and_then(|undone| undone.tip)));
    match undone {
        Ok(Some(_)) => Failure::new(FailureKind::Interrupted, told)
            .hint(format!("`{program} retry {trial}` brings its changes back")),
        Ok(None) => failure,
        Err(error) => error.hint("run `autoresearch resume`: it undoes the interrupted trial"),
    }
}
