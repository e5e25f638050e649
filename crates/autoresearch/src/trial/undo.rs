//! Owns the making of a trial's commit and the undoing of a trial.
//! Does not decide which trials are undone.
//! Invariant: only commits of this run are ever taken back, and only the files they changed move; what an undoing could
//! not move is named, and stops the run.

mod locked;

use autoresearch_core::config::globs::Globs;
use autoresearch_core::config::{Config, Rollback};
use autoresearch_core::git_names::{CommitId, RefName, RepoPath};
use autoresearch_core::journal::event::{Close, Decision};
use autoresearch_core::journal::state::RunState;
use autoresearch_core::words::text::{clip_text, escape_text};

use crate::run::tree::Tree;
use crate::trial::moved_away;
use crate::trial::moved_away::MovedWhy;
use crate::watch::file_times;
use crate::watch::git_rules;
use crate::watch::tree_changes;
use crate::watch::tree_changes::TreeChanges;
use autoresearch_sys::error::{Failure, Result};
use autoresearch_sys::git::{GitError, Hooks, NewCommit, RefusedPath, is_behind_link};

/// The trailer that names the run.
const RUN: &str = "Autoresearch-Run";
/// The trailer that names the trial.
const TRIAL: &str = "Autoresearch-Trial";
/// More own commits than this never stand on top of the kept state: a trial, its reworks, and what was salvaged.
const MOST: usize = 8;
/// So often an undoing begins again, where somebody writes while git moves the files.
const TRIES: usize = 5;

/// A commit that was asked for.
#[derive(Debug)]
pub enum CommitResult {
    /// It is HEAD now.
    Made(CommitId),
    /// A hook of the repository refused it, with these words.
    Refused(String),
    /// Nothing was committed: git does not take these paths.
    NotTaken(Vec<RefusedPath>),
}

/// What an undoing left.
#[derive(Debug)]
pub struct UndoResult {
    pub head: CommitId,
    /// The commit that still holds what was undone.
    pub tip: Option<CommitId>,
    /// What was put aside and where it is, and what git does not take and was left: one sentence each.
    pub notes: Vec<String>,
}

impl UndoResult {
    /// The close of a decided trial that was undone so.
    #[must_use]
    pub fn to_close(&self, decided: &Decision) -> Close {
        Close {
            trial: decided.trial,
            head: self.head.clone(),
            saved: self.tip.clone().filter(|_| self.tip != decided.commit),
        }
    }
}

/// Commits exactly the changes that are ours on top of HEAD. The reference of the trial names the commit from the moment
/// at which HEAD does.
pub fn commit_trial(
    tree: &Tree<'_>,
    changes: &TreeChanges,
    trial: u32,
    subject: &str,
    hooks: Hooks,
) -> Result<CommitResult> {
    let head = tree_changes::check_branch_checked_out(tree)?;
    let message = format!(
        "{subject}\n\n{RUN}: {}\n{TRIAL}: {trial}\n",
        tree.layout.run
    );
    let scratch = tree.layout.make_trial_folder(trial)?;
    let date = format!("{} +0000", tree.world.now().as_second());
    let new = NewCommit {
        parent: &head,
        message: &message,
        scratch: &scratch,
        date: &date,
    };
    let index = tree.index();
    (tree.world.step)("git stage");
    let refused = index.git().stage_paths(&changes.ours)?;
    if !refused.is_empty() {
        return Ok(CommitResult::NotTaken(refused));
    }
    (tree.world.step)("git tree");
    let staged = index.git().write_index_tree(&new, hooks);
    (tree.world.step)("git commit");
    let commit = match staged.and_then(|staged| tree.git.commit_tree(&staged, &new, hooks)) {
        Err(error @ GitError::Hook { .. }) => {
            return Ok(CommitResult::Refused(escape_text(&error.to_string())));
        }
        commit => commit?,
    };
    let told = [&changes.ours[..], &changes.staged].concat();
    index.expect_update(&told)?;
    (tree.world.step)("git head");
    let why = format!("autoresearch: trial {trial}");
    tree.git
        .move_head_and_reference((&head, &commit), &tree.name_trial(trial), &why)?;
    if hooks == Hooks::Run {
        // A hook may have rewritten files: the index follows the work tree.
        index.git().stage_paths(&changes.ours)?;
    }
    index.note_head(&commit)?;
    (tree.world.step)("git index");
    index.update_users(&told, &commit)?;
    Ok(CommitResult::Made(commit))
}

/// `name` is a reference for what is undone, set before anything moves.
///
/// Takes back everything of a trial: files that are changed and not committed are committed first, so that nothing is
/// lost; then HEAD, index and files go back to the kept state. What git does not take stays as it is, and is put aside
/// where a kept file comes back; so is what git ignores.
pub fn undo_trial(
    tree: &Tree<'_>,
    state: &RunState,
    trial: u32,
    message: &str,
    name: Option<&RefName>,
) -> Result<UndoResult> {
    let mut notes = Vec::new();
    for _ in 0..TRIES {
        if let Some(undone) = undo_once(tree, state, (trial, message, name), &mut notes)? {
            return Ok(UndoResult { notes, ..undone });
        }
    }
    Err(Failure::blocked("files of the trial change while they are taken back").hint(WRITING))
}

/// What to do where an undoing meets somebody who writes.
const WRITING: &str = "something else is writing to them: stop it, then run `autoresearch resume`";

/// The same, where nobody writes to the files meanwhile; else nothing but the commit of the trial was made.
fn undo_once(
    tree: &Tree<'_>,
    state: &RunState,
    (trial, message, name): (u32, &str, Option<&RefName>),
    notes: &mut Vec<String>,
) -> Result<Option<UndoResult>> {
    let tip = tree_changes::check_branch_checked_out(tree)?;
    let kept = state.head.clone();
    check_own_commits(tree, &kept, &tip)?;
    let (made, refused) = commit_remaining(tree, state, trial, message)?;
    let tip = made.unwrap_or(tip);
    if tip == kept {
        notes.extend(refused.iter().map(describe_left));
        return Ok(Some(UndoResult {
            head: kept,
            tip: None,
            notes: Vec::new(),
        }));
    }
    let trial_name = tree.name_trial(trial);
    // Commits of older versions have no name yet.
    let unnamed = tree.history.read_reference(&trial_name).is_none();
    for name in name.into_iter().chain(unnamed.then_some(&trial_name)) {
        (tree.world.step)("git reference");
        tree.git.set_reference(name, &tip)?;
    }
    let paths = tree.history.changed_paths(&kept, &tip)?;
    let (blocking, staying): (Vec<&RefusedPath>, Vec<&RefusedPath>) = refused
        .iter()
        .partition(|refused| paths.contains(&refused.path));
    let mut way = moved_away::find_in_the_way(tree, &tip, &kept, &paths)?;
    let files = blocking
        .iter()
        .map(|refused| refused.path.as_path().to_owned())
        .filter(|path| tree.path().join(path).symlink_metadata().is_ok());
    way.extend(files);
    way.sort();
    // What lies in a folder goes with it.
    way.dedup_by(|path, above| path.starts_with(above));
    let opened = locked::open_locked_folders(tree.path(), &paths);
    let taken = moved_away::move_away(tree, trial, &way, MovedWhy::InTheWay).and_then(|moved| {
        Ok((
            moved,
            restore_kept(tree, state, &paths, (&tip, &kept), trial)?,
        ))
    });
    notes.extend(opened.close_folders());
    let (moved, restored) = taken?;
    notes.extend(moved.iter().map(ToString::to_string));
    let Some(head) = restored else {
        return Ok(None);
    };
    notes.extend(staying.into_iter().map(describe_left));
    check_restored_tree(tree, state.config(), &paths, &kept)?;
    check_added_gone(tree, &paths, &kept)?;
    Ok(Some(UndoResult {
        head,
        tip: Some(tip),
        notes: Vec::new(),
    }))
}

/// Commits what is changed and not committed, as far as git takes it. Returns the commit, and what git does not take.
fn commit_remaining(
    tree: &Tree<'_>,
    state: &RunState,
    trial: u32,
    message: &str,
) -> Result<(Option<CommitId>, Vec<RefusedPath>)> {
    let mut changes = tree_changes::read_changes(tree, state)?;
    git_rules::refuse_other_rules(
        &[git_rules::list_rewriting(tree)?, changes.rewriting.clone()].concat(),
    )?;
    if tree.is_own {
        changes = changes.claim_all();
    }
    let mut refused = Vec::new();
    while !changes.ours.is_empty() {
        match commit_trial(
            tree,
            &changes,
            trial,
            &commit_subject(message),
            Hooks::Bypass,
        )? {
            CommitResult::Made(commit) => return Ok((Some(commit), refused)),
            CommitResult::Refused(_) => break,
            CommitResult::NotTaken(paths) => {
                changes
                    .ours
                    .retain(|path| !paths.iter().any(|refused| refused.path == *path));
                refused.extend(paths);
            }
        }
    }
    Ok((None, refused))
}

/// Says that a file stayed.
fn describe_left(refused: &RefusedPath) -> String {
    format!("{} was left as it is", describe_refused(refused))
}

/// A path that git does not take, with git's words.
#[must_use]
pub fn describe_refused(refused: &RefusedPath) -> String {
    format!(
        "{} (git: {})",
        refused.path,
        clip_text(&escape_text(&refused.words), 160)
    )
}

/// Brings the kept state back; nothing where somebody wrote to the files a moment ago, which git does not overwrite.
fn restore_kept(
    tree: &Tree<'_>,
    state: &RunState,
    paths: &[RepoPath],
    (tip, kept): (&CommitId, &CommitId),
    trial: u32,
) -> Result<Option<CommitId>> {
    (tree.world.step)("git restore");
    let index = tree.index();
    // The index may have been made anew of a commit in between.
    index.prepare(tip, tree.world.now().as_second())?;
    if let Err(error) = index.git().move_tree(tip, kept) {
        let is_written = !index.git().list_modified(paths)?.is_empty()
            || !moved_away::find_in_the_way(tree, tip, kept, paths)?.is_empty();
        return if is_written {
            Ok(None)
        } else {
            Err(error.into())
        };
    }
    file_times::renew_times(tree, state, paths);
    index.git().refresh_index(paths);
    index.expect_update(paths)?;
    let head = move_head_back(tree, state, (tip, kept), trial)?;
    index.note_head(&head)?;
    (tree.world.step)("git index");
    index.update_users(paths, &head)?;
    Ok(Some(head))
}

/// Makes HEAD name the kept state: the kept commit, or a new one with its tree.
fn move_head_back(
    tree: &Tree<'_>,
    state: &RunState,
    (tip, kept): (&CommitId, &CommitId),
    trial: u32,
) -> Result<CommitId> {
    let why = format!("autoresearch: undo trial {trial}");
    if state.config().rollback == Rollback::Reset {
        (tree.world.step)("git head back");
        tree.git.move_head(tip, kept, &why)?;
        return Ok(kept.clone());
    }
    let kept_tree = tree.history.tree_of(kept)?;
    let message = format!(
        "Revert trial {trial}\n\nThis reverts the changes up to {tip}.\n\n{RUN}: {}\n{TRIAL}: {trial}\n",
        tree.layout.run
    );
    let date = format!("{} +0000", tree.world.now().as_second());
    let scratch = tree.layout.trial_folder(trial);
    let new = NewCommit {
        parent: tip,
        message: &message,
        scratch: &scratch,
        date: &date,
    };
    (tree.world.step)("git revert");
    let revert = tree.git.commit_tree(&kept_tree, &new, Hooks::Bypass)?;
    (tree.world.step)("git head back");
    tree.git.move_head(tip, &revert, &why)?;
    Ok(revert)
}

/// The first line of a trial's commit.
#[must_use]
pub fn commit_subject(message: &str) -> String {
    format!("experiment: {}", escape_text(message))
}

/// Every commit between the kept state and the tip must be one of ours.
fn check_own_commits(tree: &Tree<'_>, kept: &CommitId, tip: &CommitId) -> Result<()> {
    let mut at = tip.clone();
    for _ in 0..MOST {
        if at == *kept {
            return Ok(());
        }
        if !is_own_commit(tree, &at)? {
            break;
        }
        match tree.history.parent_of(&at)? {
            Some(parent) => at = parent,
            None => break,
        }
    }
    Err(Failure::blocked(format!(
        "HEAD is {}, which is not a trial of this run on top of {}",
        tip.short(),
        kept.short()
    ))
    .hint(format!(
        "nothing was changed. Move your commits to another branch, then `git reset --soft {}`",
        kept.short()
    )))
}

fn is_own_commit(tree: &Tree<'_>, commit: &CommitId) -> Result<bool> {
    let message = tree.history.message_of(commit)?;
    Ok(message.contains(&format!("\n{RUN}: {}\n", tree.layout.run)))
}

/// After an undo the files must be those of the kept state, byte for byte as git sees them.
fn check_restored_tree(
    tree: &Tree<'_>,
    config: &Config,
    paths: &[RepoPath],
    kept: &CommitId,
) -> Result<()> {
    let head = tree.history.read_head()?.commit;
    let found = head.map(|head| tree.history.tree_of(&head)).transpose()?;
    if found != Some(tree.history.tree_of(kept)?) {
        return Err(Failure::new(
            autoresearch_sys::error::FailureKind::Internal,
            "after the undo, HEAD does not hold the kept state's tree",
        ));
    }
    let scope = Globs::new(&config.scope).map_err(|error| Failure::config(error.to_string()))?;
    let paths: Vec<RepoPath> = paths
        .iter()
        .filter(|path| scope.matches_path(&path.to_text()))
        .cloned()
        .collect();
    let left = tree.index().git().list_modified(&paths)?;
    if left.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = left.iter().take(5).map(ToString::to_string).collect();
    Err(Failure::blocked(format!(
        "after the undo these files differ from the kept state: {}",
        names.join(", ")
    ))
    .hint(WRITING))
}

/// After an undo nothing that the trial added may stand: git only warns of a file that it cannot delete.
fn check_added_gone(tree: &Tree<'_>, paths: &[RepoPath], kept: &CommitId) -> Result<()> {
    let mut left = Vec::new();
    for path in paths {
        let added = !tree.history.has_file(kept, path)?;
        let stands = || {
            !is_behind_link(tree.path(), path.as_path())
                && tree
                    .path()
                    .join(path.as_path())
                    .symlink_metadata()
                    .is_ok_and(|meta| !meta.is_dir())
        };
        if added && stands() {
            left.push(path.to_string());
        }
    }
    let Some(first) = left.first() else {
        return Ok(());
    };
    let more = match left.len() {
        1 => String::new(),
        count => format!(" and {} more", count - 1),
    };
    Err(Failure::blocked(format!(
        "after the undo these files of the trial are still there: {first}{more}"
    ))
    .hint("they are in no commit, and nothing is built on them. Remove them (the system does not allow it to this user: the folder belongs to somebody else, or the file is immutable), then run `autoresearch resume`"))
}
