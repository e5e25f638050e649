//! Owns `Run`: a run that was found, opened and checked, with git at hand.
//! Changes only what `store` repairs when it opens a run.
//! Invariant: environment and git binary are those of the start, not those of the caller.

pub mod foreign_commits;
pub mod lessons;
pub mod lost;
pub mod raise;
pub mod repair;
pub mod resume;
pub mod session;
pub mod strategy;
pub mod tree;
pub mod under_way;
pub mod work_tree_check;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use autoresearch_core::agent::caller::{Caller, Reader};
use autoresearch_core::journal::event::End;
use autoresearch_core::journal::story::Story;
use autoresearch_core::words::brief;
use autoresearch_core::words::table::Row;

use crate::run::lost::{LostRun, find_lost_runs};
use crate::run::tree::Tree;
use crate::run::under_way::UnderWay;
use crate::watch::git_rules;
use autoresearch_sys::env::{ProcessRole, World};
use autoresearch_sys::error::{Failure, FailureKind, READ_ONLY, Result};
use autoresearch_sys::git::history::History;
use autoresearch_sys::git::locks::{Traces, is_lock_stuck, recover_locks};
use autoresearch_sys::git::{Git, is_read_only, variables};
use autoresearch_sys::store::{
    Access, FOLDER, Holder, Layout, RunStore, StoreError, TreeNotes, find_holder,
};

/// The note, beside the anchor, that a git of ours is at work.
const GIT_AT_WORK: &str = "git-at-work";

/// The folder, beside the anchor, whose lock says that a run is driven without a person.
pub const DRIVER: &str = "driver";
/// Tells what a driver starts from all other processes; its value is the run's id.
pub const MARK: &str = "AUTORESEARCH_TURN";
/// What to do about a run whose own work tree is gone.
pub const TREE_IS_GONE: &str = "`autoresearch resume` recreates it from the run's branch, `autoresearch finish` ends the run; unmeasured edits in it are lost";

/// Where a command looks for its run.
#[derive(Clone, Debug, Default)]
pub struct Place {
    /// The folder given with `-C`; the current one otherwise.
    pub directory: Option<PathBuf>,
    /// The run given with `--run`.
    pub run: Option<String>,
}

/// A run in action.
pub struct Run<'w> {
    pub world: &'w World,
    pub store: RunStore<'w>,
    /// The work tree of its trials.
    pub tree: Tree<'w>,
    /// The environment of verify and guard.
    pub env: Vec<(OsString, OsString)>,
    /// How the caller has to call the tool.
    pub caller: Caller,
    /// Lock files that a killed git of an earlier command had left, and that were removed.
    pub cleared: Vec<PathBuf>,
    /// Is the run's own work tree gone? git is then at the side of the runs' folder, and only what touches no file works.
    pub tree_is_gone: bool,
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
        Ok(split_own_worktree(&work_tree).unwrap_or((work_tree, None)))
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

/// `<root>/autoresearch-results/<run>/worktree` is the work tree of `<run>`.
fn split_own_worktree(work_tree: &Path) -> Option<(PathBuf, Option<String>)> {
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

impl<'w> Run<'w> {
    /// Finds and opens a run for a command that needs its work tree.
    pub fn open_run(
        world: &'w World,
        place: &Place,
        wanted: WantedRun,
        access: Access,
        command: &str,
    ) -> Result<Self> {
        let run = Self::open_run_anywhere(world, place, wanted, access, command)?;
        if run.tree_is_gone {
            return Err(Failure::blocked(run.describe_lost_tree()).hint(TREE_IS_GONE));
        }
        Ok(run)
    }

    /// Finds and opens a run, also where its own work tree is gone.
    pub fn open_run_anywhere(
        world: &'w World,
        place: &Place,
        wanted: WantedRun,
        access: Access,
        command: &str,
    ) -> Result<Self> {
        let layout = place.find_run(world, wanted)?;
        let store = RunStore::open_run(world, layout, access, command)?;
        Self::from_store(world, store)
    }

    /// Puts git at the side of opened files.
    pub fn from_store(world: &'w World, store: RunStore<'w>) -> Result<Self> {
        let plain: Vec<(OsString, OsString)> = store
            .pinned
            .env
            .iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        let mut for_git = plain.clone();
        variables::add_safe_places(&mut for_git, &world.vars);
        let git = Git::new(&store.pinned.git, &work_tree(&store), &for_git);
        let (history, tree_is_gone) = open_history(&store, &git)?;
        let mut env = plain.clone();
        if world.role == ProcessRole::Driver {
            env.push((MARK.into(), store.state.start.id.clone().into()));
        }
        let mut git = if tree_is_gone {
            git.at_folder(&store.layout.root)
        } else {
            git
        };
        if store.holds_lock() || world.role == ProcessRole::Command {
            git.disarm_settings(&git_rules::list_foreign_filters(&git, &store.pinned.rules));
        }
        if store.pinned.lend_identity {
            git.lend_identity();
        }
        let mut cleared = Vec::new();
        if store.holds_lock() {
            refuse_driven(world, &store)?;
            let note = store.anchor_folder.join(GIT_AT_WORK);
            let traces = list_git_traces(&history, &store);
            cleared = recover_locks(&note, &traces)?;
            git.leave_notes(&note, traces);
        }
        let caller = session::make_caller(world, &store, &history.git_folder());
        let tree = Tree {
            world,
            layout: store.layout.clone(),
            git,
            history,
            branch: store.state.start.branch.clone(),
            is_own: store.state.start.worktree.is_some(),
            pinned: Arc::clone(&store.pinned),
            notes: TreeNotes::beside_anchor(&store.anchor_folder),
        };
        Ok(Self {
            world,
            store,
            tree,
            env,
            caller,
            cleared,
            tree_is_gone,
        })
    }

    /// What is wrong with a run whose own work tree is gone.
    #[must_use]
    pub fn describe_lost_tree(&self) -> String {
        format!(
            "the run's work tree {} is gone",
            self.store.layout.worktree_path().display()
        )
    }

    /// Makes the run's own work tree again from the run's branch.
    pub fn remake_work_tree(self) -> Result<Self> {
        let path = self.store.layout.worktree_path();
        let branch = self.store.state.start.branch.clone();
        if self.tree.history.read_reference(&branch).is_none() {
            return Err(Failure::blocked(format!("{}, and so is {branch}", self.describe_lost_tree()))
                .hint("`git branch` with the commit that `autoresearch status` names recreates the branch"));
        }
        // An empty folder and git's note of the old one stand in the way of the new one.
        let _ = std::fs::remove_dir(&path);
        if path.symlink_metadata().is_err() {
            let _ = self.tree.git.discard_work_tree(&path);
        }
        self.tree
            .git
            .add_work_tree(&path, &branch)
            .map_err(|error| {
                Failure::blocked(format!(
                    "{}, and it could not be recreated",
                    self.describe_lost_tree()
                ))
                .because(&error)
                .hint("fix what git reports, then run the command again")
            })?;
        Self::from_store(self.world, self.store)
    }

    /// Refuses to act where git cannot be written, works on other files, or tracks the run's own.
    pub fn check_repository(&self) -> Result<()> {
        if is_read_only(&self.tree.history.git_folder())
            || is_read_only(&self.tree.history.common_folder())
        {
            return Err(Failure::environment("git cannot write to its folder").hint(READ_ONLY));
        }
        let locks = needed_locks(&self.tree.history, &self.store.state.start.branch);
        if let Some(lock) = locks.into_iter().find(|lock| is_lock_stuck(lock)) {
            return Err(autoresearch_sys::git::GitError::Locked { lock }.into());
        }
        let head = self.tree.history.read_head()?.commit.unwrap_or_default();
        if self.tree.history.has_at_root(&head, FOLDER)? {
            return Err(work_tree_check::tracked_runs_error());
        }
        work_tree_check::check_run_tree(&self.tree)
    }

    /// Refuses to measure where the disk is nearly full: a verify that cannot write tells nothing about the code.
    pub fn check_space(&self) -> Result<()> {
        check_free_space(&[
            &self.store.layout.run_folder(),
            &self.tree.history.common_folder(),
            &self.world.state_folder,
        ])
    }

    /// Adds the secrets of the caller to the commands' environment, if they are those of the start.
    pub fn admit_secrets(&mut self) -> Result<()> {
        for (name, sealed) in &self.store.pinned.secrets {
            let value = self
                .world
                .find_variable(name)
                .and_then(|value| value.to_str());
            match value {
                Some(value) if sealed.is_value(value) => self.env.push((name.into(), value.into())),
                Some(_) => {
                    return Err(Failure::blocked(format!(
                        "the secret `{name}` is not what it was at start"
                    ))
                    .hint("export the same value, or start a new run"));
                }
                None => {
                    return Err(Failure::blocked(format!("the secret `{name}` is not set"))
                        .hint(format!("export {name} with the value that it had at start")));
                }
            }
        }
        Ok(())
    }

    /// The last rows of the log, oldest first, without the baseline.
    pub fn read_last_rows(&self, most: usize) -> Result<Vec<Row>> {
        let records = self.store.read_last_records()?;
        Ok(Story::of(&self.store.state.start, &records).list_last_rows(most))
    }

    /// The next step in one sentence.
    #[must_use]
    pub fn next_step(&self) -> String {
        brief::format_next_step(&self.store.state, &self.caller)
    }

    /// What another process does on the run now. This process must not hold the run.
    #[must_use]
    pub fn find_under_way(&self) -> Option<UnderWay> {
        if self.store.holds_lock() {
            return None;
        }
        UnderWay::find_at(self.world, &self.store.anchor_folder)
    }

    /// Who drives the run without a person, if anybody does but this process.
    #[must_use]
    pub fn find_driver(&self) -> Option<Holder> {
        if self.world.role == ProcessRole::Driver {
            return None;
        }
        find_holder(&self.store.anchor_folder.join(DRIVER))
    }

    /// The word for what is due, and the next step, for somebody who only looks: to wait, while another process works on
    /// the run.
    #[must_use]
    pub fn next_step_meanwhile(&self) -> (&'static str, String) {
        let program = &self.caller.program;
        let own = || (self.store.state.next_step().as_str(), self.next_step());
        if self.store.state.end.is_some() {
            return own();
        }
        if let Some(under_way) = self.find_under_way() {
            return ("wait", under_way.next_step(program));
        }
        match (self.find_driver(), self.caller.reader) {
            (None, _) => own(),
            (Some(driver), Reader::Agent) => (
                "wait",
                format!(
                    "next: nothing to do, change no file: process {} works on the run without you; `{program} status` looks again",
                    driver.pid
                ),
            ),
            (Some(driver), Reader::Person) => (
                "wait",
                format!(
                    "next: nothing to do, change no file: process {} (`{}`) works on the run; `{program} background status` shows it, `{program} background pause` gives it back to you",
                    driver.pid, driver.command
                ),
            ),
        }
    }
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

/// A run that another process drives cannot be worked on by hand.
pub fn refuse_driven(world: &World, store: &RunStore<'_>) -> Result<()> {
    if world.role == ProcessRole::Driver {
        return Ok(());
    }
    match find_holder(&store.anchor_folder.join(DRIVER)) {
        None => Ok(()),
        Some(holder) => Err(
            Failure::new(FailureKind::Busy, format!("the run is driven by {holder}")).hint(
                "`autoresearch background status` shows it; `autoresearch background pause` gives the run back to you",
            ),
        ),
    }
}

/// Refuses to go on where one of these folders is on a disk that is nearly full.
pub fn check_free_space(folders: &[&Path]) -> Result<()> {
    for folder in folders {
        let Ok(disk) = rustix::fs::statvfs(*folder) else {
            continue;
        };
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        if free < needed_space(disk.f_blocks.saturating_mul(disk.f_frsize)) {
            return Err(Failure::environment(format!(
                "the disk of {} is nearly full: {} MiB are free",
                folder.display(),
                free >> 20
            ))
            .hint("free some space, then run the command again: nothing was lost"));
        }
    }
    Ok(())
}

/// What must be free on a disk of this size: 64 MiB, or a twentieth of a small one.
fn needed_space(size: u64) -> u64 {
    (64 << 20).min(size / 20)
}

/// The repository as the run's work tree shows it, and whether that work tree is gone: then it is that of the runs' folder.
fn open_history(store: &RunStore<'_>, git: &Git) -> Result<(History, bool)> {
    if store.state.start.worktree.is_none() {
        return Ok((History::open_with_git(git)?, false));
    }
    // Where it is gone, git finds the repository around it.
    let own = History::open_with_git(git).ok();
    match own.filter(|history| split_own_worktree(&history.work_tree()).is_some()) {
        Some(own) => Ok((own, false)),
        None => Ok((
            History::open_with_git(&git.at_folder(&store.layout.root))?,
            true,
        )),
    }
}

/// The lock files without which no trial can be made or undone.
fn needed_locks(history: &History, branch: &str) -> Vec<PathBuf> {
    let (own, common) = (history.git_folder(), history.common_folder());
    vec![
        own.join("index.lock"),
        own.join("HEAD.lock"),
        common.join(format!("{branch}.lock")),
    ]
}

/// What the gits of a run can leave in the repository when they are killed.
fn list_git_traces(history: &History, store: &RunStore<'_>) -> Traces {
    let (own, common) = (history.git_folder(), history.common_folder());
    let start = &store.state.start;
    let mut locks = needed_locks(history, &start.branch);
    if start.origin.starts_with("refs/") {
        locks.push(common.join(format!("{}.lock", start.origin)));
    }
    locks.push(own.join("config.worktree.lock"));
    let shared = ["HEAD", "packed-refs", "config", "shallow"];
    locks.extend(shared.map(|name| common.join(format!("{name}.lock"))));
    locks.sort();
    locks.dedup();
    Traces {
        locks,
        references: vec![common.join("refs/autoresearch").join(&start.run)],
        folders: vec![history.work_tree(), own, common],
    }
}

/// The work tree of a run's trials.
#[must_use]
pub fn work_tree(store: &RunStore<'_>) -> PathBuf {
    if store.state.start.worktree.is_some() {
        store.layout.worktree_path()
    } else {
        store.layout.root.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_disk_needs_64_mib_of_free_space_and_a_small_one_a_twentieth() {
        assert_eq!(needed_space(1 << 40), 64 << 20);
        assert_eq!(needed_space(2 << 20), (2 << 20) / 20);
        assert_eq!(needed_space(0), 0);
        check_free_space(&[Path::new("/"), Path::new("/nowhere")]).unwrap();
    }
}
