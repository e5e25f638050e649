//! Owns moving HEAD back in the run's separate work tree, where an agent has moved it: committed, switched, reset.
//! Does not touch files: what they hold now is the trial's change, and the trial is void.
//! Invariant: only a driver does it, only in the run's separate work tree; what HEAD and the branch named stays reachable.

use autoresearch_core::journal::state::RunState;
use autoresearch_core::words::text::escape_text;

use crate::run::tree::Tree;
use crate::watch::tree_changes;
use autoresearch_sys::env::ProcessRole;
use autoresearch_sys::error::Result;

/// Puts HEAD, the run's branch and the index back to where the run left them; what was done to them, if anything.
pub fn take_back_head(tree: &Tree<'_>, state: &RunState) -> Result<Option<String>> {
    let expected = state.expected_head().unwrap_or(&state.head).to_owned();
    let (head, operation) = (tree.history.read_head()?, tree.history.find_operation());
    let at_rest = head.branch.as_ref() == Some(&tree.branch)
        && head.commit.as_ref() == Some(&expected)
        && operation.is_none();
    if at_rest || tree.world.role != ProcessRole::Driver || !tree.is_own {
        return Ok(None);
    }
    // Where an operation is under way, `check_head` says only that.
    let mut told = match operation {
        Some(operation) => format!("a {operation} was left unfinished"),
        None => match tree_changes::check_head(tree, state) {
            Err(failure) => failure.error,
            Ok(()) => String::new(),
        },
    };
    let branch = tree.history.read_reference(&tree.branch);
    let branch = branch.filter(|tip| head.commit.as_ref() != Some(tip));
    for (name, commit) in [("foreign", head.commit), ("foreign-branch", branch)] {
        let Some(commit) = commit.filter(|commit| *commit != expected) else {
            continue;
        };
        let name = tree.name_reference(&format!("{name}-{}", state.next_trial));
        (tree.world.step)("git reference");
        tree.git.set_reference(&name, &commit)?;
        told = format!("{told}; commit {} is kept as {name}", commit.short());
    }
    if let Some(operation) = operation {
        tree.git.quit_operation(operation)?;
    }
    (tree.world.step)("git head back");
    tree.git.point_head(&tree.branch, &expected)?;
    Ok(Some(escape_text(&told)))
}
