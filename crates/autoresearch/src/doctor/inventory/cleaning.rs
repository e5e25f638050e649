//! Owns the removal of what the list says can go.
//! Does not ask again what the list has answered, and never forces git.
//! Invariant: what could not be removed keeps everything that is needed to remove it later.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::checks;
use super::scene::{InventoryItem, list_start_notes, open_git_in};
use crate::run::place::history_around;
use crate::trees::left_gits::{
    forget_half_record, recover_left_gits, start_lock_folder, watch_git,
};
use crate::trees::making::{remove_note, remove_tree};
use crate::trees::place::OWN;
use autoresearch_core::git_names::{CommitId, RefName};
use autoresearch_sys::env::World;
use autoresearch_sys::error::{Failure, Result};
use autoresearch_sys::git::Git;
use autoresearch_sys::git::history::History;
use autoresearch_sys::store::{
    FORMAT, HeldLock, Layout, MadeNote, TreeKind, TreeNote, removal, take_lock,
};

/// Removes what can go. A reason is added to what could not be removed, and to what waits for it.
pub(crate) fn remove_items(world: &World, root: &Path, items: &mut [InventoryItem]) -> Result<()> {
    let git = open_git_in(world, root)?;
    let history = history_around(world, root)?;
    // Nobody starts a run or works on one of these meanwhile.
    let starting = start_lock_folder(world, &history);
    let _starting = items
        .iter()
        .any(|item| item.kept_because.is_none())
        .then(|| take_lock(&starting, world, "clean"))
        .transpose()?;
    recover_left_gits(world, &git, root)?;
    let git = watch_git(&git, git.work_tree(), &starting);
    let mut locks: BTreeMap<String, HeldLock> = BTreeMap::new();
    let mut stuck = BTreeSet::new();
    for item in items
        .iter()
        .filter(|item| item.kind == "anchor" && item.kept_because.is_none())
    {
        match take_lock(Path::new(&item.name), world, "clean") {
            Ok(lock) => drop(locks.insert(item.run.clone(), lock)),
            Err(_) => drop(stuck.insert(item.run.clone())),
        }
    }
    for at in 0..items.len() {
        let staying = list_staying_references(&items[..at], &items[at]);
        let item = &mut items[at];
        if item.kept_because.is_some() {
            continue;
        }
        let gone = if item.kind != "reference" && stuck.contains(&item.run) {
            Err(Failure::blocked(
                "something of the same run could not be removed",
            ))
        } else {
            remove_item(world, root, &git, item, staying)
        };
        if let Err(failure) = gone {
            let causes = failure.causes.iter().map(|cause| format!(": {cause}"));
            item.kept_because = Some(causes.fold(failure.error, |text, cause| text + &cause));
            stuck.insert(item.run.clone());
        }
    }
    remove_spent_notes(world, root, &history);
    Ok(())
}

/// The references of an anchor's run that stay, with their commits.
fn list_staying_references(
    before: &[InventoryItem],
    item: &InventoryItem,
) -> BTreeMap<RefName, CommitId> {
    let of_run = |other: &&InventoryItem| other.kind == "reference" && other.run == item.run;
    before
        .iter()
        .filter(of_run)
        .filter(|other| other.noted && other.kept_because.is_some())
        .filter_map(|other| other.reference.clone())
        .collect()
}

fn remove_item(
    world: &World,
    root: &Path,
    git: &Git,
    item: &InventoryItem,
    staying: BTreeMap<RefName, CommitId>,
) -> Result<()> {
    let layout = Layout::of_folder(root, &item.run);
    match item.kind {
        "worktree" => remove_worktree(world, root, git, item),
        "trials" => Ok(git.delete_references(&item.trials)?),
        "branch" | "reference" => item
            .reference
            .iter()
            .try_for_each(|(name, commit)| Ok(git.delete_branch(name, commit)?)),
        "folder" => {
            // Looked at again: it must not have got anything since.
            if let Some(reason) = checks::check_folder(&layout) {
                return Err(Failure::blocked(reason));
            }
            remove_run_folder(root, &checks::path_below_root(&layout))
        }
        _ => {
            let folder = Path::new(&item.name);
            forget_own_record(world, git, folder)?;
            remove_anchor(world, root, folder, &item.run, staying)
        }
    }
}

fn remove_run_folder(root: &Path, below: &Path) -> Result<()> {
    removal::remove_folder_below(root, below)
        .map_err(|error| Failure::blocked(checks::to_reason(&error)))
}

/// Removes a run's work tree. git refuses to remove one with submodules unless it is forced to: there, where it was found
/// that nothing in it is the only copy, the files go first, and git then forgets it. A lent tree holds nothing of anybody's.
fn remove_worktree(world: &World, root: &Path, git: &Git, item: &InventoryItem) -> Result<()> {
    if let Some(note) = item.tree.as_ref().filter(|note| note.kind != TreeKind::Own) {
        return remove_tree(world, git, note);
    }
    let path = Path::new(&item.name);
    // An empty folder stands for nothing.
    let _ = std::fs::remove_dir(path);
    let is_there = path.symlink_metadata().is_ok();
    if is_there
        && !open_git_in(world, path)?
            .list_populated_submodules()?
            .is_empty()
    {
        let (top, below) = checks::split_tree_path(root, path);
        remove_run_folder(&top, &below)?;
    }
    (world.step)("git worktree remove");
    if git.list_work_trees()?.iter().any(|tree| tree.path == path) {
        git.remove_work_tree(path)?;
    }
    item.tree.as_ref().map_or(Ok(()), |note| {
        forget_half_record(git, note)?;
        remove_note(world, note)
    })
}

/// With an anchor goes the note of the run's own tree, by which git's record of a tree that is gone is known to be ours.
fn forget_own_record(world: &World, git: &Git, anchor_folder: &Path) -> Result<()> {
    let id = anchor_folder.file_name().and_then(|name| name.to_str());
    let note = id.and_then(|id| TreeNote::read(&world.state_folder, id, OWN));
    match note.filter(|note| note.path.symlink_metadata().is_err()) {
        Some(note) => forget_half_record(git, &note),
        None => Ok(()),
    }
}

/// Removes what is known of a run outside the repository; of references that stay, the note that they are ours stays too.
fn remove_anchor(
    world: &World,
    root: &Path,
    folder: &Path,
    run: &str,
    references: BTreeMap<RefName, CommitId>,
) -> Result<()> {
    let below = folder.strip_prefix(&world.state_folder).ok();
    let is_anchor = |below: &&Path| {
        let above = below.parent();
        above == Some(Path::new("runs")) || above == Some(Path::new("ledgers"))
    };
    let (Some(below), Some(name)) = (below.filter(is_anchor), folder.file_name()) else {
        return Err(Failure::blocked("it lies outside the state folder"));
    };
    let failed = |error: removal::SweepError| Failure::blocked(checks::to_reason(&error));
    if references.is_empty() {
        return removal::remove_folder_below(&world.state_folder, below).map_err(failed);
    }
    let note = MadeNote {
        format: FORMAT,
        id: name.to_string_lossy().into_owned(),
        run: run.to_owned(),
        root: root.to_owned(),
        references,
        ..MadeNote::default()
    };
    removal::remove_folder_below(&world.state_folder, below).map_err(failed)?;
    Ok(note.write_to(folder)?)
}

/// Notes of references that are all gone are needed no more.
fn remove_spent_notes(world: &World, root: &Path, history: &History) {
    for (folder, made) in list_start_notes(world, root) {
        let mut names = made.references.keys();
        if !made.references.is_empty() && names.all(|name| history.read_reference(name).is_none()) {
            MadeNote::remove_from(&folder);
        }
    }
}
