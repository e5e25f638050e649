//! Owns the making and the removal of a work tree outside the repository.
//! Does not choose its place, and never removes what its note does not name.
//! Invariant: note, folder, git's work tree, in this order; they go in the other order, so that a crash between any two
//! leaves a note.

use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use autoresearch_core::git_names::{CommitId, RefName};
use autoresearch_sys::env::World;
use autoresearch_sys::error::{Failure, Result};
use autoresearch_sys::git::Git;
use autoresearch_sys::git::history::History;
use autoresearch_sys::git::surroundings::resolve_links;
use autoresearch_sys::store::removal::{folder_inode, remove_folder_below};
use autoresearch_sys::store::{TreeNote, check_folder_trust};

use crate::trees::left_gits::{forget_half_record, recover_git, watch_git};
use crate::watch::work_tree_check;
use autoresearch_sys::regular_files::{NOTE_BYTES, read_text};

/// What is checked out in a new tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checkout<'a> {
    /// A branch that is made at a commit.
    NewBranch {
        branch: &'a RefName,
        base: &'a CommitId,
    },
    /// A branch that is there.
    Branch(&'a RefName),
    /// A commit, without a branch.
    Commit(&'a CommitId),
}

/// Makes the tree of a note: of a failure nothing is left. `git` is at work in a work tree of the repository.
pub fn make_tree(
    world: &World,
    git: &Git,
    note: TreeNote,
    checkout: Checkout<'_>,
) -> Result<TreeNote> {
    if note.path.symlink_metadata().is_ok() {
        return Err(
            Failure::blocked(format!("{} is in the way", note.path.display()))
                .hint("move it away, then run the command again"),
        );
    }
    (world.step)("tree note");
    note.write(&world.state_folder)?;
    let mut note = note;
    match make_noted_tree(world, git, &mut note, checkout) {
        Ok(()) => Ok(note),
        Err(failure) => {
            let _ = remove_tree(world, git, &note);
            Err(failure)
        }
    }
}

fn make_noted_tree(
    world: &World,
    git: &Git,
    note: &mut TreeNote,
    checkout: Checkout<'_>,
) -> Result<()> {
    (world.step)("tree folder");
    make_folder(&note.path)?;
    note.inode = folder_inode(&note.path);
    note.write(&world.state_folder)?;
    (world.step)("git worktree add");
    let folder = note.folder(&world.state_folder);
    recover_git(git, &folder)?;
    let git = watch_git(git, git.work_tree(), &folder);
    match checkout {
        Checkout::NewBranch { branch, base } => {
            git.create_branch(branch, base)?;
            let added = add_and_check(&git, &note.path, checkout);
            if added.is_err() {
                let _ = git.delete_branch(branch, base);
            }
            added
        }
        Checkout::Branch(_) | Checkout::Commit(_) => add_and_check(&git, &note.path, checkout),
    }
}

/// Adds a work tree; git must take it for one.
fn add_and_check(git: &Git, path: &Path, checkout: Checkout<'_>) -> Result<()> {
    match checkout {
        Checkout::NewBranch { branch, .. } | Checkout::Branch(branch) => {
            git.add_work_tree(path, branch)?;
        }
        Checkout::Commit(commit) => git.add_detached_work_tree(path, commit)?,
    }
    let inside = git.at_folder(path);
    let seen = History::open_with_git(&inside)?;
    work_tree_check::check_root(&inside, path, &seen.git_folder())
}

/// Makes a tree again that is gone, or of which an empty folder is left. What stands in its place stays.
pub fn remake_tree(world: &World, git: &Git, note: TreeNote, checkout: Checkout<'_>) -> Result<()> {
    let _ = std::fs::remove_dir(&note.path);
    if note.path.symlink_metadata().is_err() {
        let _ = git.forget_work_tree(&note.path);
    }
    make_tree(world, git, note, checkout).map(drop)
}

/// Makes the tree's folder, and those above it for their owner alone.
fn make_folder(path: &Path) -> Result<()> {
    let fail = |error: &std::io::Error| {
        Failure::io(format!("could not create {}", path.display()), error)
            .hint("`trees:` in the config names another place for the run's work trees")
    };
    let above = path.parent().unwrap_or(path);
    check_folder_trust(above)?;
    let mut private = std::fs::DirBuilder::new();
    let made = private.recursive(true).mode(0o700).create(above);
    made.map_err(|error| fail(&error))?;
    // Again: where it was not there yet, somebody may have been faster.
    check_folder_trust(above)?;
    std::fs::create_dir(path).map_err(|error| fail(&error))
}

/// Removes a tree with whatever is in it, and its note. What stands in its place and was not made by us stays, and is
/// refused.
pub fn remove_tree(world: &World, git: &Git, note: &TreeNote) -> Result<()> {
    clear_tree(world, git, note)?;
    remove_note(world, note)
}

/// The same, but for the note: a tree is made in the same place.
pub(super) fn clear_tree(world: &World, git: &Git, note: &TreeNote) -> Result<()> {
    let folder = note.folder(&world.state_folder);
    recover_git(git, &folder)?;
    (world.step)("tree removal");
    remove_files(note)?;
    (world.step)("git worktree remove");
    let git = watch_git(git, git.work_tree(), &folder);
    let known = git.list_work_trees()?;
    if known.iter().any(|tree| tree.path == note.path) {
        git.forget_work_tree(&note.path)?;
    }
    forget_half_record(&git, note)
}

/// Is what stands there the tree that was made, and does git work there on its files alone? What ran in it may have led
/// its `.git` elsewhere.
pub(super) fn is_noted_tree(main: &Git, note: &TreeNote) -> bool {
    if note.inode.is_none() || folder_inode(&note.path) != note.inode {
        return false;
    }
    let inside = main.at_folder(&note.path);
    let (Ok(here), Ok(there)) = (
        History::open_with_git(main),
        History::open_with_git(&inside),
    ) else {
        return false;
    };
    let own = there.git_folder();
    let named = read_text(&own.join("gitdir"), NOTE_BYTES).unwrap_or_default();
    let is_linked = resolve_links(&here.common_folder().join("worktrees"))
        == own.parent().map(resolve_links).unwrap_or_default();
    is_linked
        && Path::new(named.trim_end()) == note.path.join(".git")
        && work_tree_check::check_root(&inside, &note.path, &own).is_ok()
}

/// Takes away the note of a tree that is gone, and the run's folder of trees with the last of them.
pub fn remove_note(world: &World, note: &TreeNote) -> Result<()> {
    (world.step)("tree note removal");
    note.remove(&world.state_folder)
        .map_err(|error| Failure::blocked(error.to_string()))?;
    if let Some(above) = note.path.parent() {
        // Another tree of the run may be in it.
        let _ = std::fs::remove_dir(above);
    }
    Ok(())
}

fn remove_files(note: &TreeNote) -> Result<()> {
    let path = &note.path;
    // Before it has a number nothing but an empty folder can be ours.
    let _ = std::fs::remove_dir(path);
    let Ok(_) = path.symlink_metadata() else {
        return Ok(());
    };
    let (Some(above), Some(last)) = (path.parent(), path.file_name()) else {
        return Err(Failure::blocked(format!(
            "{} is not a folder",
            path.display()
        )));
    };
    if note.inode.is_none() || folder_inode(path) != note.inode {
        return Err(Failure::blocked(format!(
            "{} is not the folder that was made for the run",
            path.display()
        )));
    }
    remove_folder_below(above, Path::new(last)).map_err(|error| Failure::blocked(error.to_string()))
}
