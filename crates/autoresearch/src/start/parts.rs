//! Owns what a start makes before it is recorded: name, folder, branch and work tree, and how they go again.
//! Does not record the start.
//! Invariant: what is about to be made is noted outside the repository first, and a refused start takes away that alone.

use std::cell::{Cell, RefCell};
use std::path::{Path, PathBuf};

use autoresearch_core::config::name::make_run_name;
use autoresearch_core::config::{Config, Holdout, Isolation};
use autoresearch_core::decide::calibration::MachineLoad;
use autoresearch_core::git_names::{HeadTarget, RefName};

use crate::start::preflight::StartSite;
use crate::trees::making::{Checkout, make_tree, remove_tree};
use crate::trees::place::{OWN, TreePlace};
use crate::trees::viewing::ViewChoice;
use autoresearch_sys::env::{World, make_random_id};
use autoresearch_sys::error::{Failure, Result};
use autoresearch_sys::process::TreeView;
use autoresearch_sys::store;
use autoresearch_sys::store::{CreatedFolders, Layout, TreeKind, TreeNote};

/// What `start` makes outside git and the state folder, to be taken away again when it is refused.
pub(super) struct StartParts<'g> {
    pub(super) start_site: &'g StartSite,
    pub(super) layout: Layout,
    /// What making the run's folder made.
    extent: Cell<CreatedFolders>,
    pub(super) branch: RefName,
    pub(super) config: Config,
    pub(super) holdout: Option<Holdout>,
    /// What of the holdout no command of the run may read, where a sandbox keeps it away.
    pub(super) secrets: Vec<PathBuf>,
    /// The run's id, by which its notes outside the repository are found.
    pub(super) id: String,
    /// How busy the machine was before any command of the config ran.
    pub(super) load: Option<MachineLoad>,
    /// Where the run's own work tree is to be, if it gets one.
    place: Option<TreePlace>,
    /// That work tree, once it was made with the run's branch, so that a refusal takes both away.
    made_tree: RefCell<Option<TreeNote>>,
}

/// Makes the run's folder. What is about to be made is noted outside the repository first: after a kill, the note and not
/// the shape of what lies there tells what is ours.
pub(super) fn make_run_folder(world: &World, parts: &StartParts<'_>) -> Result<()> {
    let anchor_folder = store::anchor_folder(&world.state_folder, &parts.id);
    let mut made = store::MadeNote {
        format: store::FORMAT,
        id: parts.id.clone(),
        run: parts.layout.run.clone(),
        root: parts.layout.root.clone(),
        branch: (parts.config.isolation != Isolation::InPlace).then(|| parts.branch.clone()),
        base: Some(parts.start_site.base.clone()),
        ..store::MadeNote::default()
    };
    let created = made
        .write_to(&anchor_folder)
        .and_then(|()| parts.layout.create_folders());
    match created {
        Ok(extent) => parts.extent.set(extent),
        Err(error) => {
            store::MadeNote::remove_from(&anchor_folder);
            return Err(error.into());
        }
    }
    made.inode = store::removal::folder_inode(&parts.layout.run_folder());
    if let Err(error) = made.write_to(&anchor_folder) {
        remove_made_parts(world, parts);
        return Err(error.into());
    }
    Ok(())
}

/// The names that nobody has yet, and what is to be made.
pub(super) fn gather_parts<'g>(
    world: &World,
    site: &'g StartSite,
    (config, holdout): (Config, Option<Holdout>),
) -> Result<StartParts<'g>> {
    let layout = choose_name(site, &config);
    let branch = match (config.isolation, &site.origin) {
        (Isolation::InPlace, HeadTarget::Branch(branch)) => branch.clone(),
        _ => RefName::of_trials(&layout.run),
    };
    let id = make_random_id().map_err(|error| Failure::io("no random id can be made", &error))?;
    let trees = config.trees.as_deref();
    let place = match config.isolation {
        Isolation::Worktree => Some(TreePlace::choose_for_edits(
            world, &site.git, trees, &layout, &id,
        )?),
        Isolation::Branch | Isolation::InPlace => None,
    };
    Ok(StartParts {
        start_site: site,
        layout,
        extent: Cell::new(CreatedFolders::Run),
        branch,
        config,
        holdout,
        secrets: Vec::new(),
        id,
        load: (world.load)(),
        place,
        made_tree: RefCell::default(),
    })
}

/// The first name that no folder, no branch and no edits that an earlier run put aside have: a reference to these is often
/// their only copy, and would be overwritten.
fn choose_name(site: &StartSite, config: &Config) -> Layout {
    let root = site.history.work_tree();
    let base = config
        .tag
        .clone()
        .unwrap_or_else(|| make_run_name(&config.goal));
    let taken = |layout: &Layout| {
        layout.run_folder().symlink_metadata().is_ok()
            || site
                .history
                .read_reference(&RefName::of_trials(&layout.run))
                .is_some()
            || site
                .history
                .list_references(&RefName::folder_of_run(&layout.run))
                .is_ok_and(|found| !found.is_empty())
    };
    let first = Layout::new(&root, &base);
    if !taken(&first) {
        return first;
    }
    (2..1_000)
        .map(|number| Layout::new(&root, &format!("{base}-{number}")))
        .find(|layout| !taken(layout))
        .unwrap_or(first)
}

impl StartParts<'_> {
    /// The note of the run's own work tree, if it gets one.
    pub(super) fn own_tree(&self) -> Option<TreeNote> {
        let place = self.place.as_ref()?;
        Some(place.make_note(OWN, TreeKind::Own))
    }

    /// The view of that work tree, which was made, if its commands run in one.
    pub(super) fn choose_view(&self, world: &World) -> Result<Option<TreeView>> {
        let Some(note) = self.own_tree() else {
            return Ok(None);
        };
        let choice = ViewChoice {
            world,
            checkout: &self.start_site.git,
            tree: &note.path,
            note_folder: &note.folder(&world.state_folder),
            config: &self.config,
        };
        choice.choose_view()
    }
}

/// Makes the run's branch and its work tree, noted as made as soon as they are. Without a tree of its own the run works
/// in the user's.
pub(super) fn make_work_tree(world: &World, parts: &StartParts<'_>) -> Result<PathBuf> {
    let Some(note) = parts.own_tree() else {
        return Ok(parts.start_site.history.work_tree());
    };
    let checkout = Checkout::NewBranch {
        branch: &parts.branch,
        base: &parts.start_site.base,
    };
    let made = make_tree(world, &parts.start_site.git, note, checkout)?;
    let path = made.path.clone();
    parts.made_tree.replace(Some(made));
    Ok(path)
}

/// Takes away what a refused start had made, and nothing else. A branch that verify committed to stays: it holds the only
/// copy of that.
pub(super) fn remove_made_parts(world: &World, parts: &StartParts<'_>) {
    let git = &parts.start_site.git;
    if let Some(note) = parts.made_tree.take() {
        let _ = remove_tree(world, git, &note);
        let _ = git.delete_branch(&parts.branch, &parts.start_site.base);
    }
    parts.layout.remove_folders(parts.extent.get());
    // Without an anchor nothing outside the repository belongs to a run.
    let anchor_folder = store::anchor_folder(&world.state_folder, &parts.id);
    if !anchor_folder.join("anchor.json").exists() {
        let below = Path::new("runs").join(&parts.id);
        let _ = store::removal::remove_folder_below(&world.state_folder, &below);
    }
}
