//! Owns the finding of a run: from a folder and a name to its files.
//! Does not open it for work, and changes nothing.
//! Invariant: a run that was named, or whose work tree this is, is never taken for another one.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use autoresearch_core::journal::event::End;

use crate::run::lost::{LostRun, find_lost_runs};
use crate::watch::work_tree_check;
use autoresearch_sys::env::World;
use autoresearch_sys::error::{Failure, Result};
use autoresearch_sys::git::history::History;
use autoresearch_sys::git::surroundings::resolve_links;
use autoresearch_sys::git::{Git, variables};
use autoresearch_sys::store::{Access, FOLDER, Layout, RunStore, StoreError, TreeKind, TreeNote};

/// Where a command looks for its run.
#[derive(Clone, Debug, Default)]
pub struct Place {
    /// The folder given with `-C`; the current one otherwise.
    pub directory: Option<PathBuf>,
    /// The run given with `--run`.
    pub run: Option<String>,
}

impl Place {
    /// The folder to look from.
    #[must_use]
    pub fn search_folder(&self, world: &World) -> PathBuf {
        self.directory
            .as_ref()
            .map_or_else(|| world.cwd.clone(), |directory| world.cwd.join(directory))
    }

    /// The work tree that holds the runs, and the run whose own work tree this is.
    pub fn find_root(&self, world: &World) -> Result<(PathBuf, Option<String>)> {
        let folder = self.search_folder(world);
        if !folder.is_dir() {
            return Err(Failure::usage(format!(
                "{} is not a folder",
                folder.display()
            )));
        }
        let work_tree = history_around(world, &folder)?.work_tree();
        work_tree_check::check_inside(&folder, &work_tree)?;
        let own = find_noted_tree(world, &work_tree).or_else(|| split_old_worktree(&work_tree));
        Ok(own.unwrap_or((work_tree, None)))
    }

    /// Finds the run that a command means: the one that was named, the one whose work tree this is, the only active one,
    /// or, where that is enough, the last one that ended.
    pub fn find_run(&self, world: &World, wanted: WantedRun) -> Result<Layout> {
        let (root, inside) = self.find_root(world)?;
        if let Some(run) = self.run.clone().or(inside) {
            if !autoresearch_core::config::name::is_run_name(&run)
                || !Layout::list_runs(&root).contains(&run)
            {
                if let Some(lost) = refuse_lost_here(world, &root, |lost| lost.layout.run == run) {
                    return Err(lost);
                }
                let known = Layout::list_runs(&root).join(", ");
                let hint = if known.is_empty() {
                    "no run was started here".to_owned()
                } else {
                    format!("the runs here: {known}")
                };
                return Err(Failure::usage(format!(
                    "there is no run `{run}` in {}",
                    root.display()
                ))
                .hint(hint));
            }
            return Ok(Layout::new(&root, &run));
        }
        choose_run(world, &root, wanted)
    }
}

/// Which runs a command can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WantedRun {
    /// One that has not ended.
    Active,
    /// An active one, or else the one that was started last.
    Latest,
}

/// The refusal of the first run like this whose journal is gone.
fn refuse_lost_here(
    world: &World,
    root: &Path,
    is_meant: impl Fn(&LostRun) -> bool,
) -> Option<Failure> {
    let history = History::open_folder(root).ok()?;
    let lost = find_lost_runs(world, &history, root);
    let meant = lost.iter().find(|lost| is_meant(lost))?;
    Some(meant.refuse_command(&history))
}

/// Did the tool make this work tree for a run?
#[must_use]
pub fn is_own_tree(world: &World, work_tree: &Path) -> bool {
    let path = resolve_links(work_tree);
    let mut notes = TreeNote::list_all(&world.state_folder).into_iter();
    notes.any(|note| note.path == path) || split_old_worktree(work_tree).is_some()
}

/// The root and the name of the run whose own work tree this is, as the note of the tree says.
fn find_noted_tree(world: &World, work_tree: &Path) -> Option<(PathBuf, Option<String>)> {
    // Only a linked work tree can be one, and has a file here.
    if !work_tree.join(".git").is_file() {
        return None;
    }
    let path = resolve_links(work_tree);
    let mut notes = TreeNote::list_all(&world.state_folder).into_iter();
    let note = notes.find(|note| note.kind == TreeKind::Own && note.path == path)?;
    Some((note.root, Some(note.run)))
}

/// The same for runs of the first versions: `<root>/autoresearch-results/<run>/worktree` is the work tree of `<run>`.
fn split_old_worktree(work_tree: &Path) -> Option<(PathBuf, Option<String>)> {
    let run = work_tree.parent()?;
    let all = run.parent()?;
    let named = work_tree.file_name()? == "worktree" && all.file_name()? == FOLDER;
    let run_name = run.file_name()?.to_str()?.to_owned();
    named.then(|| Some((all.parent()?.to_owned(), Some(run_name))))?
}

/// A run as `choose` sees it.
struct RunCandidate {
    layout: Layout,
    started_ms: u64,
    end: Option<End>,
}

fn choose_run(world: &World, root: &Path, wanted: WantedRun) -> Result<Layout> {
    let mut unusable = Vec::new();
    let mut candidates = Vec::new();
    for name in Layout::list_runs(root) {
        let layout = Layout::new(root, &name);
        match RunStore::open_run(world, layout.clone(), Access::Glance, "look") {
            Ok(store) => candidates.push(RunCandidate {
                layout,
                started_ms: store.state.start.started_ms,
                end: store.state.end.as_ref().map(|ending| ending.end),
            }),
            Err(error) => unusable.push(error),
        }
    }
    let active: Vec<&RunCandidate> = candidates
        .iter()
        .filter(|candidate| candidate.end.is_none())
        .collect();
    if active.is_empty() && unusable.is_empty() {
        let history = History::open_folder(root)?;
        if let Some(lost) = refuse_lost_here(world, root, |lost| lost.is_open(&history)) {
            return Err(lost);
        }
    }
    match (active.as_slice(), wanted) {
        ([only], _) => Ok(only.layout.clone()),
        ([], WantedRun::Latest) if !candidates.is_empty() => Ok(candidates
            .iter()
            .max_by_key(|candidate| candidate.started_ms)
            .map_or_else(|| Layout::new(root, ""), |last| last.layout.clone())),
        ([], _) => Err(no_run_error(root, unusable, &candidates)),
        (several, _) => {
            let names: Vec<&str> = several
                .iter()
                .map(|candidate| candidate.layout.run.as_str())
                .collect();
            Err(Failure::usage("several runs are active here")
                .hint(format!("name one with --run: {}", names.join(", "))))
        }
    }
}

fn no_run_error(root: &Path, unusable: Vec<StoreError>, candidates: &[RunCandidate]) -> Failure {
    if let Some(error) = unusable.into_iter().next() {
        return error.into();
    }
    if let Some(last) = candidates
        .iter()
        .max_by_key(|candidate| candidate.started_ms)
    {
        let end = last.end.map_or("", End::as_str);
        return Failure::usage(format!(
            "no run is active here: `{}` has ended ({end})",
            last.layout.run
        ))
        .hint(
            "`autoresearch status` shows it; `autoresearch start --config FILE` starts a new one",
        );
    }
    Failure::usage(format!("no run was started in {}", root.display()))
        .hint("`autoresearch start --config FILE` starts one; `autoresearch config example DOMAIN` prints a config to start from")
}

/// The repository around a folder, with the variables of the caller.
pub fn history_around(world: &World, folder: &Path) -> Result<History> {
    let program = World::find_program(&world.vars, "git").unwrap_or_default();
    Ok(History::open_with_git(&Git::new(
        &program,
        folder,
        &caller_variables(world),
    ))?)
}

/// The variables of the caller, without those of git's own that do not count.
#[must_use]
pub fn caller_variables(world: &World) -> Vec<(OsString, OsString)> {
    let all = world.vars.iter();
    let plain = all.filter(|(name, _)| !name.as_encoded_bytes().starts_with(b"GIT_"));
    let plain = plain.map(|(name, value)| (name.clone(), value.clone()));
    let chosen = variables::choose_variables(&world.vars).into_iter();
    plain
        .chain(chosen.map(|(name, value)| (name.into(), value.into())))
        .collect()
}
