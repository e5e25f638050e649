//! Owns the last line of a kept commit's message: the metric before and after.
//! Does not decide what is kept, and changes no file.
//! Invariant: tree and parent are those of the commit that was measured, which stays where the line cannot be added.

use autoresearch_core::git_names::CommitId;
use autoresearch_core::words::text::escape_text;

use crate::run::tree::Tree;
use crate::watch::tree_changes;
use autoresearch_sys::error::{Failure, FailureKind, Result};
use autoresearch_sys::git::{Hooks, NewCommit};

/// The trailer with the metric before and after.
const METRIC: &str = "Autoresearch-Metric";

/// Puts a commit in the place of a measured one, with its change of the metric as a trailer: `47 ms -> 40 ms`. The journal
/// does not know the trial's commit yet, so nothing else has to be told of it. A keep is not lost for the sake of its
/// message: where git fails, the measured commit is the kept one.
pub(super) fn name_change(
    tree: &Tree<'_>,
    trial: u32,
    measured: CommitId,
    change: &str,
) -> Result<CommitId> {
    (tree.world.step)("git keep");
    let Ok(named) = make_named_commit(tree, trial, &measured, change) else {
        return Ok(measured);
    };
    (tree.world.step)("git head kept");
    let why = format!("autoresearch: keep trial {trial}");
    let moved =
        tree.git
            .move_head_and_reference((&measured, &named), &tree.name_trial(trial), &why);
    let Err(error) = moved else {
        tree.index().note_head(&named)?;
        return Ok(named);
    };
    // A git that was killed may have done it all the same.
    match tree_changes::check_branch_checked_out(tree)? {
        head if head == named || head == measured => Ok(head),
        _ => Err(error.into()),
    }
}

fn make_named_commit(
    tree: &Tree<'_>,
    trial: u32,
    measured: &CommitId,
    change: &str,
) -> Result<CommitId> {
    let message = tree.history.message_of(measured)?;
    let message = add_trailer(&message, change);
    let Some(parent) = tree.history.parent_of(measured)? else {
        let why = format!("the commit {measured} of a trial has no parent");
        return Err(Failure::new(FailureKind::Internal, why));
    };
    let scratch = tree.layout.make_trial_folder(trial)?;
    let date = format!("{} +0000", tree.world.now().as_second());
    let new = NewCommit {
        parent: &parent,
        message: &message,
        scratch: &scratch,
        date: &date,
    };
    let held = tree.history.tree_of(measured)?;
    Ok(tree.git.commit_tree(&held, &new, Hooks::Bypass)?)
}

/// The message of a trial ends with its trailers, whatever a hook made of it.
fn add_trailer(message: &str, change: &str) -> String {
    format!(
        "{}\n{METRIC}: {}\n",
        message.trim_end(),
        escape_text(change)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_trailer_stands_behind_the_others_and_is_one_line() {
        let message = "experiment: less\n\nAutoresearch-Run: demo\nAutoresearch-Trial: 3\n";
        assert_eq!(
            add_trailer(message, "47 ms -> 40 ms"),
            format!("{message}Autoresearch-Metric: 47 ms -> 40 ms\n")
        );
        let cut = message.trim_end();
        assert_eq!(
            add_trailer(cut, "1 a\nb -> 0 a\nb"),
            format!("{message}Autoresearch-Metric: 1 a\\nb -> 0 a\\nb\n")
        );
    }
}
