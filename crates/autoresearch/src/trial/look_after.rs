//! Owns the look at a work tree after verify and guard: what they changed, and what they left.
//! Does not run anything, and decides nothing.
//! Invariant: nothing that they left without the commit decides a later trial: it is put aside, restored, or voids this one.

use std::path::{Path, PathBuf};

use autoresearch_core::git_names::RepoPath;
use autoresearch_core::journal::state::RunState;

use crate::run::tree::Tree;
use crate::trial::moved_away;
use crate::trial::moved_away::MovedWhy;
use crate::watch::file_times;
use crate::watch::git_rules;
use crate::watch::tree_changes;
use crate::watch::tree_changes::TreeChanges;
use crate::watch::unseen_files;
use crate::watch::user_files;
use autoresearch_sys::error::Result;

/// So often the tree is looked at again where something was put aside: a rule file that goes shows what it hid.
const ROUNDS: usize = 4;

/// What a look found.
#[derive(Debug, Default)]
pub struct LookAfter {
    /// What was changed and must not be, by name.
    pub changed: Vec<String>,
    /// Untracked files outside the scope that stay: those in the caches of tools.
    pub left_files: Vec<String>,
    /// Was anything put aside?
    pub has_moved: bool,
    /// What was put aside, one sentence each.
    pub notes: Vec<String>,
    planted: Vec<String>,
}

impl LookAfter {
    /// What this look and a later one found. What stays is as the later one has it.
    #[must_use]
    pub fn followed_by(mut self, later: Self) -> Self {
        self.changed.extend(later.changed);
        self.notes.extend(later.notes);
        Self {
            changed: self.changed,
            notes: self.notes,
            has_moved: self.has_moved || later.has_moved,
            ..later
        }
    }

    /// The files that were put aside, as the trial tells them whose guard fails without them.
    #[must_use]
    pub fn name_planted(&self) -> Vec<String> {
        let names = self.planted.iter();
        names
            .map(|name| format!("{name} (left by verify or guard; without it the guard fails)"))
            .collect()
    }
}

/// The files that changed while verify and guard ran, and the untracked files that these left. Before a keep git's own
/// rules are compared once more.
pub fn look_after(tree: &Tree<'_>, state: &RunState, trial: u32, keep: bool) -> Result<LookAfter> {
    (tree.world.step)("look after");
    let mut found = LookAfter::default();
    let mut after = read_after(tree, state, keep)?;
    for _ in 0..ROUNDS {
        let (caches, left): (Vec<String>, Vec<String>) =
            std::mem::take(&mut after.untracked_outside)
                .into_iter()
                .partition(|name| is_in_tools_cache(tree.path(), Path::new(name)));
        found.left_files = caches;
        let paths: Vec<PathBuf> = left.iter().map(PathBuf::from).collect();
        let moved = moved_away::move_away(tree, trial, &paths, MovedWhy::Left)?;
        if moved.is_empty() {
            break;
        }
        found.has_moved = true;
        found
            .planted
            .extend(moved.iter().map(|aside| aside.path.clone()));
        found.notes.extend(moved.iter().map(ToString::to_string));
        after = read_after(tree, state, keep)?;
    }
    if tree.is_own && !after.tracked_outside.is_empty() {
        restore_tracked(tree, state, trial, &mut after)?;
    }
    let changed = after.ours.iter().chain(&after.tracked_outside);
    found.changed = changed.map(ToString::to_string).collect();
    let more = [
        after.protected,
        after.unsupported,
        after.hiding,
        after.rewriting,
    ];
    found.changed.extend(more.into_iter().flatten());
    let disturbed = user_files::list_disturbed(tree, &state.left_files)?;
    found.changed.extend(disturbed);
    user_files::update_notes(tree, &state.left_files, &found.left_files)?;
    unseen_files::note_unseen(tree, state.config(), &after.ignored)?;
    Ok(found)
}

fn read_after(tree: &Tree<'_>, state: &RunState, keep: bool) -> Result<TreeChanges> {
    let mut after = if keep {
        tree_changes::read_changes_and_rules(tree, state)?
    } else {
        tree_changes::read_changes(tree, state)?
    };
    after.forgive_outside(tree.is_own);
    Ok(after)
}

/// In the run's own tree, what git tracks outside the scope gets its bytes back.
fn restore_tracked(
    tree: &Tree<'_>,
    state: &RunState,
    trial: u32,
    after: &mut TreeChanges,
) -> Result<()> {
    let outside: Vec<&Path> = after
        .tracked_outside
        .iter()
        .map(RepoPath::as_path)
        .collect();
    let known = outside.iter().map(|path| (*path).to_owned()).collect();
    let way = moved_away::find_foreign_files(tree.path(), &outside, &known);
    moved_away::move_away(tree, trial, &way, MovedWhy::InTheWay)?;
    tree.index()
        .git()
        .restore_from_index(&after.tracked_outside)?;
    file_times::renew_times(tree, state, &after.tracked_outside);
    tree.index().git().refresh_index(&after.tracked_outside);
    after.tracked_outside.clear();
    Ok(())
}

/// Is a file part of what a tool keeps to be faster the next time, by a name or a mark that such folders have?
fn is_in_tools_cache(root: &Path, path: &Path) -> bool {
    let mut above = path.ancestors().skip(1);
    above.any(|folder| {
        let is_named = folder.file_name().is_some_and(|name| name == "__pycache__");
        is_named || (folder != Path::new("") && git_rules::is_tagged_cache(&root.join(folder)))
    })
}
