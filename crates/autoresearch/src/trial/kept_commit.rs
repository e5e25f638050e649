//! Owns the last lines of a kept commit's message: the metric before and after, and where its code is suspect.
//! Does not decide what is kept, and changes no file.
//! Invariant: tree and parent are those of the commit that was measured, which stays where the line cannot be added.

use autoresearch_core::git_names::CommitId;
use autoresearch_core::words::text::escape_text;

use crate::run::tree::Tree;
use crate::watch::tree_changes;
use autoresearch_sys::error::{Failure, FailureKind, Result};
use autoresearch_sys::git::{Hooks, NewCommit};

/// The trailer with the metric before and after: `47 ms -> 40 ms`.
pub(super) const METRIC: &str = "Autoresearch-Metric";
/// The trailer with a place that is suspect and allowed: `patches-clock src/a.py:12`.
pub(super) const SUSPECT: &str = "Autoresearch-Suspect";

/// Puts a commit in the place of a measured one, with what is known of it as trailers. The journal
/// does not know the trial's commit yet, so nothing else has to be told of it. A keep is not lost for the sake of its
/// message: where git fails, the measured commit is the kept one.
pub(super) fn name_facts(
    tree: &Tree<'_>,
    trial: u32,
    measured: CommitId,
    facts: &[(&str, String)],
) -> Result<CommitId> {
    (tree.world.step)("git keep");
    let Ok(named) = make_named_commit(tree, trial, &measured, facts) else {
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
    facts: &[(&str, String)],
) -> Result<CommitId> {
    if let Some(copy) = tree.history.copy_commit(measured, &format_trailers(facts)) {
        return Ok(copy);
    }
    let message = tree.history.message_of(measured)?;
    let message = add_trailers(&message, facts);
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
fn add_trailers(message: &str, facts: &[(&str, String)]) -> String {
    format!("{}\n{}", message.trim_end(), format_trailers(facts))
}

fn format_trailers(facts: &[(&str, String)]) -> String {
    let line = |(name, fact): &(&str, String)| format!("{name}: {}\n", escape_text(fact));
    facts.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_trailers_stand_behind_the_others_and_each_is_one_line() {
        let add = |message: &str, change: &str| {
            let suspect = (SUSPECT, "reads-frames src/a.py:3".to_owned());
            add_trailers(message, &[(METRIC, change.to_owned()), suspect])
        };
        let message = "experiment: less\n\nAutoresearch-Run: demo\nAutoresearch-Trial: 3\n";
        let suspect = "Autoresearch-Suspect: reads-frames src/a.py:3\n";
        assert_eq!(
            add(message, "47 ms -> 40 ms"),
            format!("{message}Autoresearch-Metric: 47 ms -> 40 ms\n{suspect}")
        );
        let cut = message.trim_end();
        assert_eq!(
            add(cut, "1 a\nb -> 0 a\nb"),
            format!("{message}Autoresearch-Metric: 1 a\\nb -> 0 a\\nb\n{suspect}")
        );
    }
}
