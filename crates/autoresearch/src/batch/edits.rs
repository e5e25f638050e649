//! Owns what was edited in a worker's tree: whose the changes are, and the commit of exactly those in the scope.
//! Does not measure it, and moves no branch: the commit hangs on a reference of the run.
//! Invariant: a commit holds paths of the scope only.

use autoresearch_core::git_names::{CommitId, RepoPath};
use autoresearch_core::journal::batch::{Batch, WorkerId};
use autoresearch_core::journal::event::Why;
use autoresearch_core::journal::state::RunState;
use autoresearch_core::words::text::escape_text;

use crate::run::tree::Tree;
use crate::trees::lending::LentTree;
use crate::trial::undo::{commit_subject, describe_refused};
use crate::watch::tree_changes::{describe_unsupported, make_scope_check};
use autoresearch_sys::error::Result;
use autoresearch_sys::git::history::History;
use autoresearch_sys::git::status::StatusKind;
use autoresearch_sys::git::{Hooks, NewCommit};
use autoresearch_sys::store::FOLDER;

/// What a worker edited.
pub(super) struct WorkerEdits {
    /// The commit that holds it, also where it is out: nothing of it is lost.
    pub commit: Option<CommitId>,
    /// Lines that it adds and removes.
    pub lines: u32,
    /// Why it is not measured.
    pub why: Option<Why>,
}

impl WorkerEdits {
    fn refused(why: Why) -> Self {
        Self {
            commit: None,
            lines: 0,
            why: Some(why),
        }
    }
}

/// Commits what a worker edited in the scope.
pub(super) fn commit_worker_edits(
    tree: &Tree<'_>,
    state: &RunState,
    lent: &LentTree<'_>,
    (batch, worker, message): (&Batch, WorkerId, &str),
) -> Result<WorkerEdits> {
    let git = lent.git();
    let history = History::open_with_git(git)?;
    let reference = tree.name_reference(&format!("worker-{worker}"));
    let head = history.read_head()?;
    if let Some(known) = find_own_commit(tree, &history, (batch, worker))?
        && head.branch.is_none()
        && head.commit.as_ref() == Some(&known)
    {
        // Measuring it was cut short.
        let size = history.count_changed_lines(&batch.base, &known)?;
        return Ok(WorkerEdits {
            commit: Some(known),
            lines: u32::try_from(size.added + size.removed).unwrap_or(u32::MAX),
            why: None,
        });
    }
    if head.branch.is_some() || head.commit.as_ref() != Some(&batch.base) {
        if let Some(commit) = &head.commit {
            tree.git.set_reference(&reference, commit)?;
        }
        return Ok(WorkerEdits {
            commit: head.commit,
            ..WorkerEdits::refused(Why::OtherHead)
        });
    }
    let (ours, why) = sort_changes(tree, state, lent)?;
    if ours.is_empty() {
        return Ok(WorkerEdits::refused(why.unwrap_or(Why::NothingChanged)));
    }
    (tree.world.step)("worker commit");
    let refused = git.stage_paths(&ours)?;
    if !refused.is_empty() {
        let named = refused.iter().map(describe_refused).collect();
        return Ok(WorkerEdits::refused(Why::Unsupported(named)));
    }
    let scratch = tree.layout.make_trial_folder(batch.trial)?;
    let message = format!("{}\n\nworker {worker}\n", commit_subject(message));
    let date = format!("{} +0000", tree.world.now().as_second());
    let new = NewCommit {
        parent: &batch.base,
        message: &message,
        scratch: &scratch,
        date: &date,
    };
    let staged = git.write_index_tree(&new, Hooks::Bypass)?;
    if staged == history.tree_of(&batch.base)? {
        return Ok(WorkerEdits::refused(why.unwrap_or(Why::NothingChanged)));
    }
    let commit = git.commit_tree(&staged, &new, Hooks::Bypass)?;
    tree.git.set_reference(&reference, &commit)?;
    let size = history.count_changed_lines(&batch.base, &commit)?;
    Ok(WorkerEdits {
        commit: Some(commit),
        lines: u32::try_from(size.added + size.removed).unwrap_or(u32::MAX),
        why,
    })
}

/// The commit that was made of this worker's edits before, if one was.
fn find_own_commit(
    tree: &Tree<'_>,
    history: &History,
    (batch, worker): (&Batch, WorkerId),
) -> Result<Option<CommitId>> {
    let name = tree.name_reference(&format!("worker-{worker}"));
    let Some(known) = history.read_reference(&name) else {
        return Ok(None);
    };
    let parent = history.parent_of(&known)?;
    Ok((parent.as_ref() == Some(&batch.base)).then_some(known))
}

/// The changed paths of the scope, and why they are no trial where something else was changed too.
fn sort_changes(
    tree: &Tree<'_>,
    state: &RunState,
    lent: &LentTree<'_>,
) -> Result<(Vec<RepoPath>, Option<Why>)> {
    let is_editable = make_scope_check(tree, state)?;
    let (mut ours, mut outside, mut unsupported) = (Vec::new(), Vec::new(), Vec::new());
    for entry in lent.git().read_status()? {
        let text = entry.path.to_text().into_owned();
        let is_left = state.left_files.contains(&text) || entry.path.as_path().starts_with(FOLDER);
        if entry.kind == StatusKind::Ignored || is_left {
            continue;
        }
        if let Some(kind) = describe_unsupported(&entry) {
            unsupported.push(format!("{} ({kind})", escape_text(&text)));
        } else if is_editable(&entry.path) {
            ours.push(entry.path);
        } else {
            outside.push(escape_text(&text));
        }
    }
    let why = if !unsupported.is_empty() {
        Some(Why::Unsupported(unsupported))
    } else if !outside.is_empty() {
        Some(Why::OutOfScope(outside))
    } else {
        None
    };
    Ok((ours, why))
}
