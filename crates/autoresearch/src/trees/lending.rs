//! Owns the lending of work trees: a tree at a commit, filled where that is wanted, borrowed for a while, and given back by
//! being dropped.
//! Does not know what is done in it.
//! Invariant: one borrower has a tree at a time, and a tree whose borrower died is not used again.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use autoresearch_core::config::Config;
use autoresearch_core::git_names::CommitId;
use autoresearch_sys::env::World;
use autoresearch_sys::error::{Failure, Result};
use autoresearch_sys::git::{Git, is_behind_link};
use autoresearch_sys::process::TreeView;
use autoresearch_sys::regular_files::{NOTE_BYTES, read_text};
use autoresearch_sys::store::removal::remove_folder_below;
use autoresearch_sys::store::{
    HeldLock, StoreError, TreeKind, TreeNote, TreeNotes, take_lock, tree_note_folder,
};

use crate::trees::left_gits::{recover_git, watch_git};
use crate::trees::making::{Checkout, clear_tree, is_noted_tree, make_tree, remove_tree};
use crate::trees::place::TreePlace;
use crate::trees::setup::{TreeFilling, fill_once, filled_mark};
use crate::trees::viewing::ViewChoice;
use crate::watch::file_times::give_later_times;

/// More trees than these are never lent at once.
const MOST: u32 = 64;
/// The file beside a tree's note, as long as the tree is in somebody's hands.
const BORROWED: &str = "borrowed";
/// The file beside a tree's note with the commit at which verify has run in it.
const WARM: &str = "warm";

/// What trees are lent from.
#[derive(Clone, Copy)]
pub struct TreeSource<'a> {
    /// git, at work in the user's work tree.
    pub git: &'a Git,
    pub place: &'a TreePlace,
    /// Are they kept for the next borrower?
    pub kind: TreeKind,
}

/// A tree that is borrowed. Dropping it gives it back.
#[must_use = "a tree that is dropped is given back"]
pub struct LentTree<'w> {
    world: &'w World,
    /// git, at work in the user's work tree.
    main: Git,
    inside: Git,
    note: TreeNote,
    /// Does it stay borrowed when this process lets go of it?
    stays: bool,
    _lock: HeldLock,
}

/// What a tree needs before commands of a run can be run in it.
pub(crate) struct TreeNeeds<'a> {
    /// The environment of these commands.
    pub env: &'a [(OsString, OsString)],
    pub config: &'a Config,
    /// The config that counts instead, where the system opens the view that it asks for.
    pub in_view: Option<&'a Config>,
}

/// A tree in which the commands of a run can be run: filled as the run's own is.
pub(crate) struct ReadyTree<'w> {
    pub tree: LentTree<'w>,
    /// How the commands see it; as it is otherwise.
    pub view: Option<TreeView>,
}

impl LentTree<'_> {
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.note.path
    }

    /// git, at work in the tree.
    #[must_use]
    pub fn git(&self) -> &Git {
        &self.inside
    }

    /// Has verify run here at this commit, so that what it builds and caches is there?
    #[must_use]
    pub fn is_warm_at(&self, commit: &CommitId) -> bool {
        let known = read_text(&self.warm_mark(), NOTE_BYTES);
        known.is_ok_and(|known| known == commit.as_str())
    }

    /// Notes that verify has run here at this commit. A note that cannot be written costs a run.
    pub fn mark_warm(&self, commit: &CommitId) {
        let _ = std::fs::write(self.warm_mark(), commit.as_str());
    }

    fn note_folder(&self) -> PathBuf {
        self.note.folder(&self.world.state_folder)
    }

    fn warm_mark(&self) -> PathBuf {
        self.note_folder().join(WARM)
    }

    /// Lets go of the tree and leaves it borrowed: `reopen_ready_tree` takes it up again.
    pub fn leave_borrowed(mut self) {
        self.stays = true;
    }

    /// Gives the tree back and removes it: nobody works in it again.
    pub fn discard(mut self) {
        self.note.kind = TreeKind::Scratch;
    }

    /// Brings the tree to another commit. What git ignores stays, so that nothing has to be built that did not change.
    pub fn bring_to(&self, commit: &CommitId) -> Result<()> {
        bring_tree(self.world, &self.inside, &self.note, commit)
    }
}

impl Drop for LentTree<'_> {
    /// A kept tree stays as it is: it is brought to a commit when it is borrowed again. What fails here is left with its
    /// mark, and is made anew or cleaned up by whoever comes next.
    fn drop(&mut self) {
        if self.stays {
            return;
        }
        (self.world.step)("tree give back");
        match self.note.kind {
            TreeKind::Scratch => {
                let _ = remove_tree(self.world, &self.main, &self.note);
            }
            TreeKind::Own | TreeKind::Lent => {
                let _ = std::fs::remove_file(mark_of(self.world, &self.note));
            }
        }
    }
}

/// Lends a tree at a commit: one that was given back, or a new one.
pub fn lend_tree<'w>(
    world: &'w World,
    source: &TreeSource<'_>,
    commit: &CommitId,
) -> Result<LentTree<'w>> {
    let named = take_free_name(world, source.place.id(), source.kind)?;
    lend_named_tree(world, source, commit, named)
}

fn lend_named_tree<'w>(
    world: &'w World,
    source: &TreeSource<'_>,
    commit: &CommitId,
    (name, lock): (String, HeldLock),
) -> Result<LentTree<'w>> {
    let id = source.place.id();
    let folder = tree_note_folder(&world.state_folder, id, &name);
    recover_git(source.git, &folder)?;
    let main = watch_git(source.git, source.git.work_tree(), &folder);
    let watch_inside = |note: &TreeNote| watch_git(&main, &note.path, &folder);
    let known = TreeNote::read(&world.state_folder, id, &name);
    if let Some(note) = &known
        && is_usable(world, &main, note)
    {
        (world.step)("tree borrow");
        mark_borrowed(world, note)?;
        let inside = watch_inside(note);
        if bring_tree(world, &inside, note, commit).is_ok() {
            return Ok(LentTree {
                world,
                main,
                inside,
                note: note.clone(),
                stays: false,
                _lock: lock,
            });
        }
    }
    if let Some(note) = &known {
        clear_tree(world, &main, note)?;
    }
    // What ran in an earlier tree of this name has built nothing here.
    let _ = std::fs::remove_file(folder.join(WARM));
    let note = source.place.make_note(&name, source.kind);
    let note = make_tree(world, &main, note, Checkout::Commit(commit))?;
    mark_borrowed(world, &note)?;
    Ok(LentTree {
        world,
        inside: watch_inside(&note),
        main,
        note,
        stays: false,
        _lock: lock,
    })
}

/// Lends a tree at a commit, with what the config gives to each tree of a run. Of a tree that was given back whole, nothing
/// is done again.
pub(crate) fn lend_ready_tree<'w>(
    world: &'w World,
    source: &TreeSource<'_>,
    commit: &CommitId,
    needs: &TreeNeeds<'_>,
) -> Result<ReadyTree<'w>> {
    make_ready(world, source, lend_tree(world, source, commit)?, needs)
}

/// The same for a tree of this name, which nobody else asks for.
pub(crate) fn lend_ready_tree_named<'w>(
    world: &'w World,
    source: &TreeSource<'_>,
    (name, commit): (&str, &CommitId),
    needs: &TreeNeeds<'_>,
) -> Result<ReadyTree<'w>> {
    let named = (name.to_owned(), lock_name(world, source, name)?);
    let tree = lend_named_tree(world, source, commit, named)?;
    make_ready(world, source, tree, needs)
}

/// Takes up a tree of this name that was left borrowed, as it stands.
pub(crate) fn reopen_ready_tree<'w>(
    world: &'w World,
    source: &TreeSource<'_>,
    name: &str,
    needs: &TreeNeeds<'_>,
) -> Result<ReadyTree<'w>> {
    let id = source.place.id();
    let folder = tree_note_folder(&world.state_folder, id, name);
    let gone = || Failure::blocked(format!("the work tree `{name}` is gone"));
    // The lock alone would be a note of nothing, which nobody removes.
    TreeNote::read(&world.state_folder, id, name).ok_or_else(gone)?;
    let lock = lock_name(world, source, name)?;
    let known = TreeNote::read(&world.state_folder, id, name);
    recover_git(source.git, &folder)?;
    let main = watch_git(source.git, source.git.work_tree(), &folder);
    let Some(note) = known.filter(|note| is_noted_tree(&main, note)) else {
        return Err(gone());
    };
    let tree = LentTree {
        world,
        inside: watch_git(&main, &note.path, &folder),
        main,
        note,
        stays: false,
        _lock: lock,
    };
    make_ready(world, source, tree, needs)
}

fn lock_name(world: &World, source: &TreeSource<'_>, name: &str) -> Result<HeldLock> {
    let folder = tree_note_folder(&world.state_folder, source.place.id(), name);
    Ok(take_lock(&folder, world, "tree")?)
}

fn make_ready<'w>(
    world: &'w World,
    source: &TreeSource<'_>,
    tree: LentTree<'w>,
    needs: &TreeNeeds<'_>,
) -> Result<ReadyTree<'w>> {
    let note_folder = tree.note.folder(&world.state_folder);
    let choose_view = |config| {
        let choice = ViewChoice {
            world,
            checkout: source.git,
            tree: tree.path(),
            note_folder: &note_folder,
            config,
        };
        choice.choose_view()
    };
    let viewed = needs.in_view.map_or(Ok(None), choose_view)?;
    let (config, view) = match (viewed, needs.in_view) {
        (Some(view), Some(config)) => (config, Some(view)),
        _ => (needs.config, choose_view(needs.config)?),
    };
    let filling = TreeFilling {
        world,
        env: needs.env,
        checkout: source.git,
        tree: tree.git(),
        config,
        view: view.as_ref(),
    };
    fill_once(&filling, &filled_mark(&note_folder))?;
    Ok(ReadyTree { tree, view })
}

fn bring_tree(world: &World, inside: &Git, note: &TreeNote, commit: &CommitId) -> Result<()> {
    let changed = inside.list_differing(commit)?;
    (world.step)("tree reset");
    inside.force_detached(commit)?;
    for path in inside.list_untracked()? {
        remove_untracked(&note.path, &path)?;
    }
    // What a cache in the tree was made of must not look like what stands there now.
    let notes = TreeNotes::beside_anchor(&note.folder(&world.state_folder));
    let floor = notes.read_time_floor().unwrap_or(0);
    let now = world.now().as_second();
    if let Some(second) = give_later_times(&note.path, &changed, floor, now) {
        notes.write_time_floor(second);
        inside.refresh_index(&changed);
    }
    Ok(())
}

/// The first tree of a run that nobody holds. Who wants a new one does not get what earlier borrowers worked in.
fn take_free_name(world: &World, id: &str, kind: TreeKind) -> Result<(String, HeldLock)> {
    for number in 1..=MOST {
        let name = number.to_string();
        let known = TreeNote::read(&world.state_folder, id, &name);
        if kind == TreeKind::Scratch && known.is_some_and(|note| note.kind == TreeKind::Lent) {
            continue;
        }
        let folder = tree_note_folder(&world.state_folder, id, &name);
        match take_lock(&folder, world, "tree") {
            Ok(lock) => return Ok((name, lock)),
            Err(StoreError::Busy(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Failure::blocked(format!(
        "{MOST} work trees of the run are in use"
    )))
}

/// Was the tree given back, and does it stand as it was made?
fn is_usable(world: &World, main: &Git, note: &TreeNote) -> bool {
    let was_given_back = mark_of(world, note).symlink_metadata().is_err();
    was_given_back && is_noted_tree(main, note)
}

/// The file that is there while somebody has the tree.
fn mark_of(world: &World, note: &TreeNote) -> PathBuf {
    note.folder(&world.state_folder).join(BORROWED)
}

fn mark_borrowed(world: &World, note: &TreeNote) -> Result<()> {
    let mark = mark_of(world, note);
    std::fs::write(&mark, "")
        .map_err(|error| Failure::io(format!("could not write {}", mark.display()), &error))
}

/// Removes what git neither tracks nor ignores, with the folders that are empty then.
fn remove_untracked(root: &Path, path: &Path) -> Result<()> {
    let failed = |error: &dyn std::fmt::Display| {
        Failure::blocked(format!(
            "could not remove {}: {error}",
            root.join(path).display()
        ))
    };
    if is_behind_link(root, path) {
        return Ok(());
    }
    let whole = root.join(path);
    match whole.symlink_metadata() {
        Ok(meta) if meta.is_dir() => {
            remove_folder_below(root, path).map_err(|error| failed(&error))?;
        }
        Ok(_) => std::fs::remove_file(&whole).map_err(|error| failed(&error))?,
        Err(_) => return Ok(()),
    }
    let mut above = path.ancestors().skip(1);
    let _ = above.all(|folder| {
        !folder.as_os_str().is_empty() && std::fs::remove_dir(root.join(folder)).is_ok()
    });
    Ok(())
}

#[cfg(test)]
mod tests;
