//! Owns what a git leaves that was killed while it made, reset or removed a work tree, a branch or references of ours.
//! Does not watch the gits of a trial: these leave their trace beside the anchor.
//! Invariant: whoever acts in a checkout next waits for such a git, and no lock of it stands afterwards.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use autoresearch_core::journal::chain::hash_bytes;
use autoresearch_sys::env::World;
use autoresearch_sys::error::{Failure, Result};
use autoresearch_sys::git::Git;
use autoresearch_sys::git::history::History;
use autoresearch_sys::git::locks::{Traces, recover_locks};
use autoresearch_sys::regular_files::{NOTE_BYTES, read_text};
use autoresearch_sys::store::TreeNote;
use autoresearch_sys::store::removal::remove_folder_below;

/// The file in the folder of a note, as long as such a git is at work.
const GIT_AT_WORK: &str = "git-at-work";
/// The files of git's record of a work tree. Where one of them is empty, as a kill can leave it, no git lists any tree.
const RECORD_FILES: [&str; 3] = ["gitdir", "HEAD", "commondir"];
/// With this begin the names that git has for our work trees.
const OWN_NAME: &[u8] = b"autoresearch-";

/// The folder of the lock that a start holds: one start at a time in a repository.
#[must_use]
pub(crate) fn start_lock_folder(world: &World, history: &History) -> PathBuf {
    let repository = history.common_folder();
    let key = hash_bytes(repository.as_os_str().as_encoded_bytes());
    world.state_folder.join("starts").join(key)
}

/// git in a work tree, with a note in the folder of a tree's note that it is at work: whoever comes after a kill waits for a
/// git that is left over, and removes what it left locked for all work trees.
pub(crate) fn watch_git(git: &Git, work_tree: &Path, note_folder: &Path) -> Git {
    let mut watched = git.at_folder(work_tree);
    watched.leave_notes(&note_folder.join(GIT_AT_WORK), list_shared_traces(git));
    watched
}

/// Waits for a git that a killed command left at work on a tree, and removes what it left locked.
pub(crate) fn recover_git(git: &Git, note_folder: &Path) -> Result<Vec<PathBuf>> {
    let note = note_folder.join(GIT_AT_WORK);
    Ok(recover_locks(&note, &list_shared_traces(git))?)
}

/// The same for every tree of this checkout, also that of a start which never became a run, and for what removed trees,
/// branches and references. Returns the locks.
pub(crate) fn recover_left_gits(world: &World, git: &Git, root: &Path) -> Result<Vec<PathBuf>> {
    let mut removed = Vec::new();
    let is_left = |folder: &Path| folder.join(GIT_AT_WORK).exists();
    for note in TreeNote::list_all(&world.state_folder) {
        let folder = note.folder(&world.state_folder);
        if note.root == root && is_left(&folder) {
            removed.extend(recover_git(git, &folder)?);
            forget_broken_record(git, &note)?;
        }
    }
    if let Ok(history) = History::open_with_git(git) {
        let folder = start_lock_folder(world, &history);
        if is_left(&folder) {
            removed.extend(recover_git(git, &folder)?);
        }
    }
    Ok(removed)
}

/// Removes git's record of a tree where a kill cut short what wrote it.
fn forget_broken_record(git: &Git, note: &TreeNote) -> Result<()> {
    let record = find_record(git, note);
    let is_broken = record.is_some_and(|(records, name)| {
        RECORD_FILES.iter().any(|file| {
            let text = read_text(&records.join(&name).join(file), NOTE_BYTES);
            text.unwrap_or_default().trim().is_empty()
        })
    });
    if is_broken {
        forget_half_record(git, note)?;
    }
    Ok(())
}

/// Removes git's own record of a tree, which git itself neither lists nor prunes when a kill cut short its making or its
/// removal, while `git fsck` complains.
pub(crate) fn forget_half_record(git: &Git, note: &TreeNote) -> Result<()> {
    let Some((records, name)) = find_record(git, note) else {
        return Ok(());
    };
    remove_folder_below(&records, Path::new(&name)).map_err(|error| {
        let record = records.join(&name);
        Failure::blocked(format!("could not remove {}: {error}", record.display()))
    })
}

/// The folder of git's records of work trees, and the name of that of this tree, if there is one. It is named by the last part of
/// the path, and it is the tree's when it names the tree or nothing.
fn find_record(git: &Git, note: &TreeNote) -> Option<(PathBuf, OsString)> {
    let name = note.path.file_name()?.to_owned();
    let records = History::open_with_git(git)
        .ok()?
        .common_folder()
        .join("worktrees");
    let record = records.join(&name);
    if !record.symlink_metadata().is_ok_and(|meta| meta.is_dir()) {
        return None;
    }
    let named = read_text(&record.join("gitdir"), NOTE_BYTES).unwrap_or_default();
    let named = named.trim_end();
    let is_ours = named.is_empty() || Path::new(named) == note.path.join(".git");
    is_ours.then_some((records, name))
}

/// What a git that makes, resets or removes a tree can leave in the folder that all work trees share: it also locks the
/// packed references, to forget a merge that never was. What it leaves in the tree's own git folder goes with the tree.
fn list_shared_traces(git: &Git) -> Traces {
    // Where the repository cannot be opened there is nothing to lock.
    let Ok(history) = History::open_with_git(git) else {
        return Traces::default();
    };
    let common = history.common_folder();
    let names = ["packed-refs.lock", "config.lock"];
    let mut locks: Vec<PathBuf> = names.map(|name| common.join(name)).into();
    // `git worktree remove` looks for changes first.
    let trees = std::fs::read_dir(common.join("worktrees"));
    let trees = trees.into_iter().flatten().flatten();
    let ours = trees.filter(|tree| tree.file_name().as_encoded_bytes().starts_with(OWN_NAME));
    locks.extend(ours.map(|tree| tree.path().join("index.lock")));
    let kept = common.join("refs/autoresearch");
    let runs = std::fs::read_dir(&kept).into_iter().flatten().flatten();
    let mut references: Vec<PathBuf> = runs
        .flat_map(|run| [run.path(), run.path().join("trial")])
        .collect();
    references.push(common.join("refs/heads/autoresearch"));
    Traces {
        locks,
        references,
        folders: vec![history.work_tree(), history.git_folder(), common],
    }
}
