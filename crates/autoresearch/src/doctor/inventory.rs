//! Owns the list of everything that the tool made for the runs of a work tree.
//! Does not take the shape of a folder for a proof: what can go is named by a note outside the repository.
//! Invariant: the list is the same whether it is only shown or also carried out, and what a run that stays needs is kept.

mod checks;
mod cleaning;
mod scene;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use autoresearch_core::config::Isolation;
use autoresearch_core::git_names::{CommitId, RefName};
use autoresearch_core::journal::state::RunState;
use autoresearch_core::journal::story::Story;
use autoresearch_core::ledger::debug::DebugLedger;
use autoresearch_core::words::text::format_count;

use self::checks::{check_branch, check_folder, check_worktree};
pub(crate) use self::cleaning::remove_items;
pub(crate) use self::scene::InventoryItem;
use self::scene::{InventoryScene, list_start_notes, open_git_in};
use crate::modes::ship::is_checklist_folder;
use crate::run::driven::DRIVER;
use crate::run::lost::{LostRun, find_lost_runs};
use crate::run::place::history_around;
use crate::trees::left_gits::start_lock_folder;
use crate::trees::place::OWN;
use autoresearch_sys::env::World;
use autoresearch_sys::error::{Failure, Result};
use autoresearch_sys::ledger_store::LedgerStore;
use autoresearch_sys::store::{
    Access, FOLDER, Layout, MadeNote, RunStore, TreeKind, TreeNote, check_folder_trust,
    find_holder, removal,
};

/// Everything of the named runs, and what is left of runs and starts that are gone.
pub(crate) fn list_items(
    world: &World,
    root: &Path,
    names: &[String],
) -> Result<Vec<InventoryItem>> {
    check_folder_trust(&world.state_folder)?;
    let scene = InventoryScene::new(world, root)?;
    let mut items = Vec::new();
    if let Some(reason) = checks::check_place(root) {
        items.push(InventoryItem::new(
            "folder",
            "",
            root.join(FOLDER).display().to_string(),
            Some(reason),
        ));
        return Ok(items);
    }
    let mut known: Vec<String> = Layout::list_runs(root);
    for name in names {
        let layout = Layout::new(root, name);
        match RunStore::open_run(world, layout.clone(), Access::Read, "doctor") {
            Ok(store) => scene.list_run(&store, &mut items)?,
            Err(error) => items.push(InventoryItem::new(
                "folder",
                name,
                layout.run_folder().display().to_string(),
                Some(Failure::from(error).error),
            )),
        }
    }
    for name in Layout::list_ledgers(root) {
        scene.list_search(Layout::of_ledger(root, &name), &mut items);
        known.push(name);
    }
    for lost in find_lost_runs(world, &scene.history, root) {
        scene.list_lost(&lost, &mut items)?;
        known.push(lost.layout.run);
    }
    for (anchor_folder, made) in list_start_notes(world, root) {
        if !known.contains(&made.run) && made.references.is_empty() {
            scene.list_unfinished(&anchor_folder, &made, &mut items)?;
            known.push(made.run);
        }
    }
    scene.list_other_trees(&known, &mut items)?;
    scene.list_unknown_folders(&known, &mut items);
    scene.list_strays(&known, &mut items)?;
    Ok(items)
}

impl<'w> InventoryScene<'w> {
    fn new(world: &'w World, root: &'w Path) -> Result<Self> {
        let history = history_around(world, root)?;
        let starting = find_holder(&start_lock_folder(world, &history))
            .map(|holder| format!("another start is running: {holder}"));
        Ok(Self {
            world,
            root,
            worktrees: open_git_in(world, root)?.list_work_trees()?,
            history,
            starting,
        })
    }

    fn list_run(&self, store: &RunStore<'_>, items: &mut Vec<InventoryItem>) -> Result<()> {
        let state = &store.state;
        let run = &state.start.run;
        let open = self.explain_open(store);
        let made = MadeReferences::of_run(store)?;
        let mut trials = Vec::new();
        for reference in self.history.list_references(&RefName::folder_of_run(run))? {
            if made.trials.contains(&reference) {
                trials.push(reference);
            } else {
                items.push(self.make_reference_item(run, reference, &made.saved, open.clone())?);
            }
        }
        let mut rest = self.list_rest(&store.layout, state, &store.anchor_folder, open)?;
        if !trials.is_empty() {
            insert_trials(&mut rest, run, trials);
        }
        items.extend(rest);
        Ok(())
    }

    /// The folder and the anchor of a search for a cause, which made nothing else.
    fn list_search(&self, layout: Layout, items: &mut Vec<InventoryItem>) {
        let name = layout.run.clone();
        let folder = layout.run_folder().display().to_string();
        let opened = LedgerStore::open_ledger(self.world, layout, Access::Read, "clean");
        let read = opened.and_then(|store| {
            let ledger = store.fold_records(DebugLedger::from_records)?;
            Ok((store, ledger))
        });
        match read {
            Ok((store, ledger)) => {
                let is_open = ledger.find_end().is_none();
                let open = is_open.then(|| format!("the search `{name}` is open"));
                let folders = (&store.layout, store.anchor_folder.as_path());
                items.extend(list_folders(folders.0, folders.1, "anchor", open, || None));
            }
            Err(error) => {
                let reason = Some(Failure::from(error).error);
                items.push(InventoryItem::new("folder", &name, folder, reason));
            }
        }
    }

    /// Why nothing of a run can go yet.
    fn explain_open(&self, store: &RunStore<'_>) -> Option<String> {
        let state = &store.state;
        let run = &state.start.run;
        let holder = find_holder(&store.anchor_folder)
            .or_else(|| find_holder(&store.anchor_folder.join(DRIVER)));
        let named = store.read_anchored_root();
        match (&state.end, &state.finish) {
            _ if named != self.root => Some(format!(
                "its anchor names {}; if the repository was moved here, `autoresearch finish --run {run}` records its new place",
                named.display()
            )),
            (None, _) => Some(format!("the run `{run}` is active")),
            (_, None) if state.config().isolation == Isolation::Branch => {
                Some(format!("`autoresearch finish --run {run}` first"))
            }
            _ => holder.map(|holder| format!("held by {holder}")),
        }
    }

    /// Work tree, branch, folder and anchor of a run: each waits for the one before it.
    fn list_rest(
        &self,
        layout: &Layout,
        state: &RunState,
        anchor_folder: &Path,
        open: Option<String>,
    ) -> Result<Vec<InventoryItem>> {
        let run = layout.run.as_str();
        let mut items = Vec::new();
        let mut waits = open;
        let branch = &state.start.branch;
        if let Some(path) = layout.own_tree(&state.start) {
            let note = TreeNote::read(&self.world.state_folder, &state.start.id, OWN);
            // `finish` has taken most away.
            let is_known = self.worktrees.iter().any(|tree| tree.path == path);
            if note.is_some() || is_known || path.symlink_metadata().is_ok() {
                items.push(self.make_tree_item(run, &path, note, (branch, &mut waits))?);
            }
        }
        if state.config().isolation != Isolation::InPlace
            && let Some(tip) = self.history.read_reference(branch)
        {
            let own = waits.clone();
            let reason = own.map_or_else(
                || check_branch(self, layout, state, &tip),
                |why| Ok(Some(why)),
            )?;
            if waits.is_none() && reason.is_some() {
                waits = Some(format!("it is the log of {}, which stays", branch.short()));
            }
            items.push(InventoryItem::of_reference(
                "branch",
                run,
                (branch, tip),
                reason,
            ));
        }
        items.extend(list_folders(layout, anchor_folder, "anchor", waits, || {
            None
        }));
        Ok(items)
    }

    /// A reference to edits that no branch holds is their only copy: it is named, and a person deletes it.
    fn make_reference_item(
        &self,
        run: &str,
        (name, commit): (RefName, CommitId),
        ours: &BTreeMap<RefName, CommitId>,
        open: Option<String>,
    ) -> Result<InventoryItem> {
        let delete = format!("`git update-ref -d {name}` deletes it");
        let noted = ours.get(&name) == Some(&commit);
        let reason = if open.is_some() {
            open
        } else if !noted {
            Some(format!(
                "no note outside the repository says that this tool made it; {delete}"
            ))
        } else if self.history.is_held_elsewhere(&name, &commit)? {
            None
        } else {
            Some(format!(
                "the only copy of interrupted or dropped edits; {delete}"
            ))
        };
        Ok(InventoryItem {
            noted,
            ..InventoryItem::of_reference("reference", run, (&name, commit), reason)
        })
    }

    /// References of runs whose folders are gone.
    fn list_strays(&self, known: &[String], items: &mut Vec<InventoryItem>) -> Result<()> {
        let notes = list_start_notes(self.world, self.root).into_iter();
        let ours: BTreeMap<RefName, CommitId> =
            notes.flat_map(|(_, made)| made.references).collect();
        let mut trials: BTreeMap<String, usize> = BTreeMap::new();
        for (name, commit) in self.history.list_references("refs/autoresearch/")? {
            let run = name.as_str().split('/').nth(2);
            let run = run.unwrap_or_default().to_owned();
            if known.contains(&run) {
                continue;
            }
            if name.as_str().starts_with(&RefName::folder_of_trials(&run)) {
                *trials.entry(run).or_default() += 1;
            } else {
                items.push(self.make_reference_item(&run, (name, commit), &ours, None)?);
            }
        }
        for (run, count) in trials {
            let all = RefName::folder_of_trials(&run);
            let reason = format!(
                "the log that names these trials is gone; `git for-each-ref --format='delete %(refname)' {all} | git update-ref --stdin` deletes them"
            );
            let name = format!("{all}* ({})", format_count(count, "trial"));
            items.push(InventoryItem::new("trials", &run, name, Some(reason)));
        }
        Ok(())
    }

    /// A run whose journal is gone: its branch is what is left, and its anchor says what it was.
    fn list_lost(&self, lost: &LostRun, items: &mut Vec<InventoryItem>) -> Result<()> {
        let Some(state) = &lost.state else {
            let reason = format!(
                "the run's journal is gone and nothing says what it made; if you need nothing of it, delete {}",
                lost.anchor_folder.display()
            );
            items.push(InventoryItem::new(
                "anchor",
                &lost.layout.run,
                lost.anchor_folder.display().to_string(),
                Some(reason),
            ));
            return Ok(());
        };
        let open = lost.is_open(&self.history).then(|| {
            format!("the run `{}` was not finished, and its journal is gone: `autoresearch doctor` says what to do", lost.layout.run)
        });
        items.extend(self.list_rest(&lost.layout, state, &lost.anchor_folder, open)?);
        Ok(())
    }

    /// What a start that was killed left: its folder, and with `isolation: worktree` a work tree and a branch.
    fn list_unfinished(
        &self,
        anchor_folder: &Path,
        made: &MadeNote,
        items: &mut Vec<InventoryItem>,
    ) -> Result<()> {
        let layout = Layout::new(self.root, &made.run);
        let run = made.run.as_str();
        let mut waits = self.starting.clone();
        let note = TreeNote::read(&self.world.state_folder, &made.id, OWN);
        let old = layout.run_folder().join("worktree");
        let path = note.as_ref().map_or(&old, |note| &note.path).clone();
        let mine = note.is_some()
            || self
                .worktrees
                .iter()
                .any(|tree| tree.path == path && tree.branch == made.branch);
        if let Some(branch) = made.branch.as_ref().filter(|_| mine) {
            items.push(self.make_tree_item(run, &path, note, (branch, &mut waits))?);
            if let Some(commit) = self.history.read_reference(branch) {
                let held = self.history.is_held_elsewhere(branch, &commit)?;
                let only = || {
                    let name = branch.short();
                    format!("no other branch holds its commit; `git branch -D {name}` deletes it")
                };
                let reason = waits.clone().or_else(|| (!held).then(only));
                items.push(InventoryItem::of_reference(
                    "branch",
                    run,
                    (branch, commit),
                    reason,
                ));
            }
        }
        let check_made = || {
            let inode = made.inode?;
            let is_other = removal::folder_inode(&layout.run_folder()) != Some(inode);
            is_other.then(|| "it is not the folder that the start made".to_owned())
        };
        items.extend(list_folders(
            &layout,
            anchor_folder,
            "note",
            waits,
            check_made,
        ));
        Ok(())
    }

    /// The run's own work tree. `waits` is why an earlier item stays, and is set when this one does.
    fn make_tree_item(
        &self,
        run: &str,
        path: &Path,
        note: Option<TreeNote>,
        (branch, waits): (&RefName, &mut Option<String>),
    ) -> Result<InventoryItem> {
        let reason = match waits.clone() {
            Some(why) => Some(why),
            None => check_worktree(self, path, note.as_ref(), branch)?,
        };
        if waits.is_none() && reason.is_some() {
            *waits = Some("its work tree stays".to_owned());
        }
        Ok(InventoryItem {
            tree: note,
            ..InventoryItem::new("worktree", run, path.display().to_string(), reason)
        })
    }

    /// Trees that were lent, and own trees of runs of which nothing else is left.
    fn list_other_trees(&self, known: &[String], items: &mut Vec<InventoryItem>) -> Result<()> {
        for note in TreeNote::list_all(&self.world.state_folder) {
            let is_known = note.kind == TreeKind::Own && known.contains(&note.run);
            if note.root != self.root || is_known {
                continue;
            }
            let path = note.path.clone();
            let reason = match note.kind {
                TreeKind::Own => {
                    let branch = RefName::of_trials(&note.run);
                    check_worktree(self, &path, Some(&note), &branch)?
                }
                TreeKind::Lent | TreeKind::Scratch => self.explain_lent(&note),
            };
            items.push(InventoryItem {
                tree: Some(note.clone()),
                ..InventoryItem::new("worktree", &note.run, path.display().to_string(), reason)
            });
        }
        Ok(())
    }

    /// Why a lent tree stays.
    fn explain_lent(&self, note: &TreeNote) -> Option<String> {
        if let Some(holder) = find_holder(&note.folder(&self.world.state_folder)) {
            return Some(format!("held by {holder}"));
        }
        let layout = Layout::new(self.root, &note.run);
        let store = RunStore::open_run(self.world, layout, Access::Glance, "doctor").ok()?;
        let start = &store.state.start;
        (start.id == note.id && store.state.end.is_none())
            .then(|| format!("the run `{}` is active", note.run))
    }

    /// Folders among the runs that no note knows: they are named, and stay.
    fn list_unknown_folders(&self, known: &[String], items: &mut Vec<InventoryItem>) {
        let entries = std::fs::read_dir(self.root.join(FOLDER))
            .into_iter()
            .flatten();
        let mut names: Vec<_> = entries.flatten().map(|entry| entry.file_name()).collect();
        names.sort();
        for name in names {
            let path = self.root.join(FOLDER).join(&name);
            let is_known = name
                .to_str()
                .is_some_and(|name| known.iter().any(|run| run == name));
            let is_folder = path.metadata().is_ok_and(|meta| meta.is_dir());
            if is_folder && !is_known && !is_checklist_folder(&path) {
                let reason =
                    "no note outside the repository says that this tool made it".to_owned();
                items.push(InventoryItem::new(
                    "folder",
                    "",
                    path.display().to_string(),
                    Some(reason),
                ));
            }
        }
    }
}

/// What goes last of a run: its folder, and then its anchor, which holds the `noun` that tells what else is ours. `waits` is
/// why an earlier item stays; `check_more` tells of a folder that is there why it stays.
fn list_folders(
    layout: &Layout,
    anchor_folder: &Path,
    noun: &str,
    mut waits: Option<String>,
    check_more: impl FnOnce() -> Option<String>,
) -> Vec<InventoryItem> {
    let mut items = Vec::new();
    let folder = layout.run_folder();
    if folder.symlink_metadata().is_ok() {
        let own = waits.clone().or_else(check_more);
        let reason = own.or_else(|| check_folder(layout));
        if waits.is_none() && reason.is_some() {
            waits = Some("its folder stays".to_owned());
        }
        let name = folder.display().to_string();
        items.push(InventoryItem::new("folder", &layout.run, name, reason));
    }
    let reason = waits.map(|why| format!("{why}, and the {noun} is needed to remove it later"));
    let name = anchor_folder.display().to_string();
    items.push(InventoryItem::new("anchor", &layout.run, name, reason));
    items
}

/// The trials of a run can be seen as long as its folder, which is their log, stands: they go just before it.
fn insert_trials(rest: &mut Vec<InventoryItem>, run: &str, trials: Vec<(RefName, CommitId)>) {
    let folder = rest
        .iter()
        .position(|item| item.kind == "folder")
        .unwrap_or(rest.len());
    let waits = rest
        .get(folder)
        .filter(|folder| folder.kept_because.is_some())
        .map(|_| "their log, the run's folder, stays".to_owned());
    let name = format!(
        "{}* ({})",
        RefName::folder_of_trials(run),
        format_count(trials.len(), "trial")
    );
    let item = InventoryItem {
        trials,
        ..InventoryItem::new("trials", run, name, waits)
    };
    rest.insert(folder, item);
}

/// The references that a run's journal says it made, with the commits that they can name.
struct MadeReferences {
    /// Those to edits that were interrupted or dropped.
    saved: BTreeMap<RefName, CommitId>,
    trials: BTreeSet<(RefName, CommitId)>,
}

impl MadeReferences {
    fn of_run(store: &RunStore<'_>) -> Result<Self> {
        let run = &store.state.start.run;
        let records = store.read_records()?;
        let told = Story::of(&store.state.start, &records);
        let saved = told.list_interruptions().filter_map(|interrupted| {
            let name = RefName::of_run(run, &format!("interrupted-{}", interrupted.trial));
            Some((name, interrupted.saved.clone()?))
        });
        let trials = told.list_numbered().flat_map(|(number, trial)| {
            let name = RefName::of_trial(run, number);
            let commits = trial.list_commits().into_iter();
            commits.map(move |commit| (name.clone(), commit.clone()))
        });
        Ok(Self {
            saved: saved.collect(),
            trials: trials.collect(),
        })
    }
}
