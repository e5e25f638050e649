//! Owns the comparison of git with the journal: is HEAD where we left it, and whose are the changes?
//! Does not change anything.
//! Invariant: what is ours is known by its path from the repository's root, never by a file's name.

use std::collections::BTreeSet;
use std::path::PathBuf;

use autoresearch_core::config::globs::{GlobError, Globs};
use autoresearch_core::git_names::{CommitId, RepoPath};
use autoresearch_core::journal::event::Why;
use autoresearch_core::journal::state::RunState;
use autoresearch_core::words::text::{escape_text, format_count};

use crate::run::tree::Tree;
use crate::watch::empty_places;
use crate::watch::git_rules;
use crate::watch::git_rules::RuleRole;
use crate::watch::work_tree_check::tracked_runs_error;
use crate::watch::yardstick;
use autoresearch_sys::error::{Failure, Result};
use autoresearch_sys::git::status::{StatusEntry, StatusKind};
use autoresearch_sys::store::FOLDER;

/// The changes in a work tree, by owner.
#[derive(Debug, Default)]
pub struct TreeChanges {
    /// Changed files in the scope: the trial.
    pub ours: Vec<RepoPath>,
    /// Paths in the scope that the user's index has otherwise than the kept state.
    pub staged: Vec<RepoPath>,
    /// Changed files that are protected or pinned.
    pub protected: Vec<String>,
    /// Rules that let git hide something: index flags, and files such as `.gitignore`.
    pub hiding: Vec<String>,
    /// Rules by which git would write other bytes than at start: settings, lists, and `.gitattributes`.
    pub rewriting: Vec<String>,
    /// Changed files outside the scope.
    pub outside: Vec<String>,
    /// Changes in the scope that a trial cannot hold.
    pub unsupported: Vec<String>,
    /// Untracked files outside the scope.
    pub untracked_outside: Vec<String>,
    /// Tracked files outside the scope.
    pub tracked_outside: Vec<RepoPath>,
    /// What git ignores, as it names it: files, and folders by their name alone.
    pub ignored: Vec<RepoPath>,
    /// Files in the scope that git ignores and that nobody knows: they are put aside before anything is measured.
    pub unseen: Vec<PathBuf>,
    /// What was done to HEAD, where that is taken back.
    pub moved: Option<String>,
    /// Everything that is not ours and must stay out of commits.
    pub foreign: Vec<StatusEntry>,
}

impl TreeChanges {
    /// In the run's separate work tree, everything that git can hold is ours to undo.
    #[must_use]
    pub fn claim_all(mut self) -> Self {
        let (ours, foreign) = self
            .foreign
            .into_iter()
            .partition(|entry| describe_unsupported(entry).is_none());
        self.foreign = foreign;
        self.ours
            .extend(Vec::<StatusEntry>::into_iter(ours).map(|entry| entry.path));
        self
    }

    /// Rule files that a command made outside the scope count as left by it like others; in the run's separate work tree
    /// tracked ones are about to be restored.
    pub fn forgive_outside(&mut self, own: bool) {
        let mut forgiven: Vec<String> = self.untracked_outside.clone();
        if own {
            let tracked = self.tracked_outside.iter();
            forgiven.extend(tracked.map(|path| path.to_text().into_owned()));
        }
        let forgiven: Vec<String> = forgiven.iter().map(|path| escape_text(path)).collect();
        for names in [&mut self.hiding, &mut self.rewriting] {
            names.retain(|name| !forgiven.contains(name));
        }
    }

    fn note_outside(&mut self, entry: &StatusEntry, text: String) {
        match &entry.kind {
            StatusKind::Untracked | StatusKind::Ignored => self.untracked_outside.push(text),
            StatusKind::Tracked(tracked) if !tracked.submodule => {
                self.tracked_outside.push(entry.path.clone());
            }
            _ => {}
        }
    }

    /// Why these changes make a trial void, if they do.
    #[must_use]
    pub fn find_void_why(&self) -> Option<Why> {
        if let Some(moved) = &self.moved {
            return Some(Why::HeadMoved(moved.clone()));
        }
        let untouchable = [&self.protected, &self.hiding, &self.rewriting];
        if untouchable.iter().any(|names| !names.is_empty()) {
            Some(Why::Protected(
                untouchable.into_iter().flatten().cloned().collect(),
            ))
        } else if !self.unsupported.is_empty() {
            Some(Why::Unsupported(self.unsupported.clone()))
        } else if !self.outside.is_empty() {
            Some(Why::OutOfScope(self.outside.clone()))
        } else {
            None
        }
    }
}

/// Refuses to build on a HEAD that is not where the run left it; says in which way it differs.
pub(crate) fn check_head(tree: &Tree<'_>, state: &RunState) -> Result<()> {
    let expected = state.expected_head().unwrap_or(&state.head).clone();
    let found = check_branch_checked_out(tree)?;
    if found == expected {
        return Ok(());
    }
    let subject = tree.history.message_of(&found).unwrap_or_default();
    let subject = escape_text(subject.lines().next().unwrap_or_default());
    let parents = tree
        .history
        .list_commits(&expected, &found, 50)
        .unwrap_or_default();
    let on_top = parents.first().is_some_and(|(first, _)| {
        tree.history.parent_of(first).ok().flatten().as_ref() == Some(&expected)
    });
    let failure = if on_top {
        Failure::blocked(format!(
            "HEAD has {} that this run did not make; the last is {} \"{subject}\"",
            format_count(parents.len(), "commit"),
            found.short()
        ))
    } else {
        Failure::blocked(format!(
            "HEAD was moved to {} \"{subject}\"; the run left it at {}",
            found.short(),
            expected.short()
        ))
    };
    Err(failure.hint(format!(
        "nothing was changed. To continue: keep your commits elsewhere (`git branch mine`), then `git reset --soft {}` and commit or restore what that leaves",
        expected.short()
    )))
}

/// The commit of HEAD, if HEAD names the run's branch.
pub(crate) fn check_branch_checked_out(tree: &Tree<'_>) -> Result<CommitId> {
    if let Some(operation) = tree.history.find_operation() {
        return Err(
            Failure::blocked(format!("a {operation} is in progress")).hint(format!(
                "finish or abort the {operation}, then run the command again"
            )),
        );
    }
    let head = tree.history.read_head()?;
    let hint = format!(
        "nothing was changed. `git switch {}` goes back to the run",
        tree.branch.short()
    );
    match (head.branch, head.commit) {
        (Some(branch), Some(commit)) if branch == tree.branch => Ok(commit),
        (Some(branch), _) => Err(Failure::blocked(format!(
            "another branch is checked out: {} instead of {}",
            branch.short(),
            tree.branch.short()
        ))
        .hint(hint)),
        (None, commit) => Err(Failure::blocked(format!(
            "HEAD is detached at {}",
            commit.as_ref().map_or("", CommitId::short)
        ))
        .hint(hint)),
    }
}

/// The commit that HEAD names.
fn read_head_commit(tree: &Tree<'_>) -> Result<CommitId> {
    tree.history.read_head()?.commit.ok_or_else(|| {
        Failure::blocked("HEAD names no commit").hint(format!(
            "nothing was changed. `git switch {}` goes back to the run",
            tree.branch.short()
        ))
    })
}

/// What differs, through the run's own index, and the paths of which the user's index says otherwise than that one. Whoever
/// only looks, as in a sandbox, looks through the user's: a trial looks again before it believes anything.
fn read_entries(tree: &Tree<'_>) -> Result<(Vec<StatusEntry>, Vec<RepoPath>)> {
    if !tree.is_held {
        return Ok((tree.git.read_status_with_ignored()?, Vec::new()));
    }
    let (index, head) = (tree.index(), read_head_commit(tree)?);
    index.prepare(&head, tree.world.now().as_second())?;
    let users = tree.history.git_folder().join("index");
    let users = index.compare_users(&users, &head)?;
    let is_ours = |path: &RepoPath| path.as_path().starts_with(FOLDER);
    if users.differing.iter().any(is_ours) {
        return Err(tracked_runs_error());
    }
    let mut entries = index.git().read_status_with_ignored()?;
    for entry in &mut entries {
        if users.conflicts.contains(&entry.path) {
            entry.kind = StatusKind::Unmerged;
        }
    }
    Ok((entries, users.differing))
}

/// Sorts all changes in the run's work tree by owner.
pub(crate) fn read_changes(tree: &Tree<'_>, state: &RunState) -> Result<TreeChanges> {
    let owner = ChangeOwners::new(tree, state)?;
    let mut changes = TreeChanges::default();
    let (entries, staged) = read_entries(tree)?;
    for entry in entries {
        owner.sort_entry(entry, &mut changes)?;
    }
    changes.staged = staged;
    changes.staged.retain(|path| owner.may_change(path));
    let pins = &tree.pinned.yardstick;
    let mut touched = yardstick::list_changed(tree.path(), pins, &owner.protect);
    if let Some(view) = &tree.pinned.view {
        yardstick::see_in_view(view, pins, &mut touched);
    }
    touched.extend(empty_places::list_filled(
        tree.path(),
        &tree.pinned.empty,
        &owner.scope,
    ));
    for path in touched {
        if !changes.protected.contains(&path) {
            changes.protected.push(path);
        }
    }
    Ok(changes)
}

/// The same, and whether git itself still works by the rules of the start.
pub(crate) fn read_changes_and_rules(tree: &Tree<'_>, state: &RunState) -> Result<TreeChanges> {
    let mut changes = read_changes(tree, state)?;
    changes.rewriting.extend(git_rules::list_rewriting(tree)?);
    Ok(changes)
}

/// Says of a path whether a trial may change it.
pub(crate) fn make_scope_check<'t>(
    tree: &'t Tree<'t>,
    state: &'t RunState,
) -> Result<impl Fn(&RepoPath) -> bool + 't> {
    let owners = ChangeOwners::new(tree, state)?;
    Ok(move |path: &RepoPath| owners.may_change(path))
}

struct ChangeOwners<'t> {
    tree: &'t Tree<'t>,
    /// Files that verify left: nobody's change.
    left_files: &'t BTreeSet<String>,
    scope: Globs,
    protect: Globs,
}

impl<'t> ChangeOwners<'t> {
    fn new(tree: &'t Tree<'t>, state: &'t RunState) -> Result<Self> {
        let config = state.config();
        let compile = |patterns: &[String]| {
            Globs::new(patterns).map_err(|error: GlobError| Failure::config(error.to_string()))
        };
        Ok(Self {
            tree,
            left_files: &state.left_files,
            scope: compile(&config.scope)?,
            protect: compile(&config.protect)?,
        })
    }

    /// Would a change of this file be the trial's, and nobody else's?
    fn may_change(&self, path: &RepoPath) -> bool {
        path.as_str().is_some_and(|path| {
            let is_ours = path == FOLDER || path.starts_with(&format!("{FOLDER}/"));
            !is_ours
                && git_rules::find_rule_role(path).is_none()
                && self.scope.matches_path(path)
                && !self.protect.matches_path(path)
                && !self.tree.pinned.yardstick.contains_key(path)
                && !self.tree.pinned.empty.no_file.contains(path)
                && !self.left_files.contains(path)
        })
    }

    fn sort_entry(&self, entry: StatusEntry, changes: &mut TreeChanges) -> Result<()> {
        let text = entry.path.to_text().into_owned();
        let path = text.trim_end_matches('/');
        let role = git_rules::find_rule_role(path);
        if entry.kind == StatusKind::Ignored {
            changes.ignored.push(entry.path.clone());
        }
        if entry.kind == StatusKind::Ignored && (role.is_none() || path.starts_with(FOLDER)) {
            // A whole folder that git ignores is named with a slash at its end; the yardstick looks into it.
            let is_new = !text.ends_with('/')
                && !path.starts_with(FOLDER)
                && self.protect.matches_path(path)
                && !self.tree.pinned.yardstick.contains_key(path);
            if is_new {
                changes.protected.push(path.to_owned());
            }
            return Ok(());
        }
        if path == FOLDER || path.starts_with(&format!("{FOLDER}/")) {
            if !matches!(
                entry.kind,
                StatusKind::Untracked | StatusKind::NestedRepository
            ) {
                return Err(tracked_runs_error());
            }
            // A folder of this name was the user's before, or its `.gitignore` is gone: neither is a trial's.
            changes.foreign.push(entry);
            return Ok(());
        }
        let in_scope = self.scope.matches_path(path) && !self.protect.matches_path(path);
        if (!in_scope && self.tree.pinned.dirty_files.has_path(&entry.path))
            || self.left_files.contains(&text)
        {
            changes.foreign.push(entry);
            return Ok(());
        }
        let shown = escape_text(path);
        if let Some(role) = role {
            if !git_rules::is_known_rule_file(self.tree, &entry, path) {
                let names = match role {
                    RuleRole::Hides => &mut changes.hiding,
                    RuleRole::Rewrites => &mut changes.rewriting,
                };
                names.push(shown);
                if !in_scope {
                    changes.note_outside(&entry, text);
                }
                changes.foreign.push(entry);
            }
        } else if self.protect.matches_path(path) || self.tree.pinned.yardstick.contains_key(path) {
            changes.protected.push(shown);
            changes.foreign.push(entry);
        } else if !in_scope {
            changes.note_outside(&entry, text);
            changes.outside.push(shown);
            changes.foreign.push(entry);
        } else if let Some(kind) = describe_unsupported(&entry) {
            changes.unsupported.push(format!("{shown} ({kind})"));
            changes.foreign.push(entry);
        } else {
            changes.ours.push(entry.path);
        }
        Ok(())
    }
}

/// What a trial cannot contain: it could be committed, but not undone or shown safely.
pub(crate) fn describe_unsupported(entry: &StatusEntry) -> Option<&'static str> {
    match &entry.kind {
        StatusKind::Tracked(tracked) if tracked.submodule => Some("a submodule"),
        StatusKind::NestedRepository => Some("another repository"),
        StatusKind::Unmerged => Some("a conflict"),
        _ if entry.path.as_str().is_none() => Some("a name that is not UTF-8"),
        _ => None,
    }
}
