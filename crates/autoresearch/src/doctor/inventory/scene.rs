//! Owns what the inventory is made from, and one item of it.
//! Does not list anything.
//! Invariant: git is asked with nothing of the caller's that could lead it elsewhere.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::run::place::caller_variables;
use autoresearch_core::git_names::{CommitId, RefName};
use autoresearch_sys::env::World;
use autoresearch_sys::error::{Failure, Result};
use autoresearch_sys::git::Git;
use autoresearch_sys::git::history::History;
use autoresearch_sys::git::worktrees::WorkTree;
use autoresearch_sys::store::{MadeNote, TreeNote, list_anchor_folders};

/// Something that the tool made.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct InventoryItem {
    /// `folder`, `branch`, `worktree`, `reference`, `trials` or `anchor`.
    pub kind: &'static str,
    /// Its path or name.
    pub name: String,
    /// Why it stays; absent when it can go.
    pub kept_because: Option<String>,
    /// The run that it belongs to: what is needed to remove the rest later goes last.
    #[serde(skip)]
    pub(crate) run: String,
    /// What it is for git, if it is a branch or reference, and the commit that this must still name to be deleted.
    #[serde(skip)]
    pub(super) reference: Option<(RefName, CommitId)>,
    /// The references to the trials of a run, with the commits that they must still name to be deleted.
    #[serde(skip)]
    pub(super) trials: Vec<(RefName, CommitId)>,
    /// The note of a work tree outside the repository.
    #[serde(skip)]
    pub(super) tree: Option<TreeNote>,
    /// Is it a reference that a note outside the repository names as ours?
    #[serde(skip)]
    pub(super) noted: bool,
}

/// What the list is made from.
pub(super) struct InventoryScene<'w> {
    pub(super) world: &'w World,
    pub(super) root: &'w Path,
    pub(super) history: History,
    pub(super) worktrees: Vec<WorkTree>,
    /// Who starts a run just now.
    pub(super) starting: Option<String>,
}

impl InventoryItem {
    pub(crate) fn new(
        kind: &'static str,
        run: &str,
        name: impl Into<String>,
        kept_because: Option<String>,
    ) -> Self {
        Self {
            kind,
            name: name.into(),
            kept_because,
            run: run.to_owned(),
            reference: None,
            trials: Vec::new(),
            tree: None,
            noted: false,
        }
    }

    pub(crate) fn of_reference(
        kind: &'static str,
        run: &str,
        (name, commit): (&RefName, CommitId),
        kept_because: Option<String>,
    ) -> Self {
        Self {
            reference: Some((name.clone(), commit)),
            ..Self::new(kind, run, name.as_str(), kept_because)
        }
    }
}

/// The notes of starts in this work tree.
pub(super) fn list_start_notes(world: &World, root: &Path) -> Vec<(PathBuf, MadeNote)> {
    let all = list_anchor_folders(&world.state_folder).into_iter();
    all.filter_map(|anchor_folder| {
        MadeNote::read_from(&anchor_folder).map(|made| (anchor_folder, made))
    })
    .filter(|(_, made)| made.root == root)
    .collect()
}

/// git, at work in a folder of the repository, with nothing of the caller's that could lead it elsewhere.
pub(super) fn open_git_in(world: &World, folder: &Path) -> Result<Git> {
    let program = World::find_program(&world.vars, "git")
        .ok_or_else(|| Failure::environment("git was not found on PATH"))?;
    Ok(Git::new(&program, folder, &caller_variables(world)).obeying(world))
}
