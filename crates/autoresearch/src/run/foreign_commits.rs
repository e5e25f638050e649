//! Owns the taking back of HEAD in a work tree of the run's own, where an agent has moved it: committed, switched, reset.
//! Does not touch files: what they hold now is the trial's change, and the trial is void.
//! Invariant: only a driver does it, only in a work tree of the run's own; what HEAD and the branch named stays reachable.

use autoresearch_core::words::text::{escape_text, shorten_hash};

use crate::run::Run;
use crate::run::repair::name_reference;
use crate::watch::tree_changes;
use autoresearch_sys::env::ProcessRole;
use autoresearch_sys::error::Result;

/// Puts HEAD, the run's branch and the index back to where the run left them; what was done to them, if anything.
pub fn take_back_head(run: &Run<'_>) -> Result<Option<String>> {
    let state = &run.store.state;
    let expected = state.expected_head().unwrap_or(&state.head).to_owned();
    let (head, operation) = (run.history.read_head()?, run.history.find_operation());
    let at_rest = head.branch.as_ref() == Some(&state.start.branch)
        && head.commit.as_ref() == Some(&expected)
        && operation.is_none();
    if at_rest || run.world.role != ProcessRole::Driver || state.start.worktree.is_none() {
        return Ok(None);
    }
    // Where an operation is under way, `check_head` says only that.
    let mut told = match operation {
        Some(operation) => format!("a {operation} was left under way"),
        None => match tree_changes::check_head(run) {
            Err(failure) => failure.error,
            Ok(()) => String::new(),
        },
    };
    let branch = run.history.read_reference(&state.start.branch);
    let branch = branch.filter(|tip| head.commit.as_ref() != Some(tip));
    for (name, commit) in [("foreign", head.commit), ("foreign-branch", branch)] {
        let Some(commit) = commit.filter(|commit| *commit != expected) else {
            continue;
        };
        let name = name_reference(run, &format!("{name}-{}", state.next_trial));
        (run.world.step)("git reference");
        run.git.set_reference(&name, &commit)?;
        told = format!("{told}; commit {} is kept as {name}", shorten_hash(&commit));
    }
    if let Some(operation) = operation {
        run.git.quit_operation(operation)?;
    }
    (run.world.step)("git head back");
    run.git.point_head(&state.start.branch, &expected)?;
    Ok(Some(escape_text(&told)))
}
