//! Owns `Glance`: a run that was found and opened to be looked at, and the place where git works for it.
//! Does not lock or change anything.
//! Invariant: environment and git binary are those of the start, not those of the caller.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use autoresearch_sys::env::{ProcessRole, World};
use autoresearch_sys::error::{Failure, Result};
use autoresearch_sys::git::history::History;
use autoresearch_sys::git::surroundings::resolve_links;
use autoresearch_sys::git::{Git, variables};
use autoresearch_sys::store::{Access, RunStore, TreeNotes};

use crate::run::Run;
use crate::run::driven::MARK;
use crate::run::place::{Place, WantedRun};
use crate::run::session;
use crate::run::tree::Tree;
use crate::watch::git_rules;

/// What to do about a run whose own work tree is gone.
pub const TREE_IS_GONE: &str = "`autoresearch resume` recreates it from the run's branch, `autoresearch finish` ends the run; unmeasured edits in it are lost";

/// The run's own index, beside its anchor.
pub const INDEX: &str = "index";

/// A run that was found and opened to be looked at. Every answer is made from one: a command that wrote comes back to it
/// by `Ready::finish`.
pub struct Glance<'w> {
    pub run: Run<'w>,
    pub seat: Seat<'w>,
}

/// Where git works for a run.
pub enum Seat<'w> {
    /// In the work tree of its trials.
    Tree(Box<Tree<'w>>),
    /// In the folder of the runs, because the run's own work tree is gone: no file can be touched.
    Gone(Box<Repository>),
}

/// A repository, and git in one of its work trees.
pub struct Repository {
    pub git: Git,
    /// The same repository, for reading.
    pub history: History,
}

impl<'w> Seat<'w> {
    #[must_use]
    pub fn git(&self) -> &Git {
        match self {
            Self::Tree(tree) => &tree.git,
            Self::Gone(repository) => &repository.git,
        }
    }

    pub fn git_mut(&mut self) -> &mut Git {
        match self {
            Self::Tree(tree) => &mut tree.git,
            Self::Gone(repository) => &mut repository.git,
        }
    }

    #[must_use]
    pub fn history(&self) -> &History {
        match self {
            Self::Tree(tree) => &tree.history,
            Self::Gone(repository) => &repository.history,
        }
    }

    /// The work tree, if it stands.
    #[must_use]
    pub fn tree(&self) -> Option<&Tree<'w>> {
        match self {
            Self::Tree(tree) => Some(tree),
            Self::Gone(_) => None,
        }
    }
}

impl<'w> Glance<'w> {
    /// Finds and opens a run.
    pub fn open_run(
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
        let mut env: Vec<(OsString, OsString)> = store
            .pinned
            .env
            .iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        let mut for_git = env.clone();
        variables::add_safe_places(&mut for_git, &world.vars);
        let seat = seat_git(
            world,
            &store,
            Git::new(&store.pinned.git, &work_tree_path(&store), &for_git).obeying(world),
        )?;
        if world.role == ProcessRole::Driver {
            env.push((MARK.into(), store.state.start.id.clone().into()));
        }
        let caller = session::make_caller(world, &store, &seat.history().git_folder());
        Ok(Self {
            run: Run {
                world,
                store,
                env,
                caller,
            },
            seat,
        })
    }

    /// The same for a command that needs the work tree.
    pub fn with_tree(self) -> Result<Self> {
        self.tree()?;
        Ok(self)
    }

    /// The work tree of the run's trials.
    pub fn tree(&self) -> Result<&Tree<'w>> {
        let store = &self.run.store;
        self.seat.tree().ok_or_else(|| lost_tree_error(store))
    }

    /// The next step in one sentence.
    #[must_use]
    pub fn next_step(&self) -> String {
        self.run.next_step()
    }
}

/// What is wrong with a run whose own work tree is gone.
#[must_use]
pub fn describe_lost_tree(store: &RunStore<'_>) -> String {
    let path = work_tree_path(store);
    format!("the run's work tree {} is gone", path.display())
}

/// The refusal of what needs a work tree that is gone.
#[must_use]
pub fn lost_tree_error(store: &RunStore<'_>) -> Failure {
    Failure::blocked(describe_lost_tree(store)).hint(TREE_IS_GONE)
}

/// Where git works for the run of these files.
fn seat_git<'w>(world: &'w World, store: &RunStore<'w>, git: Git) -> Result<Seat<'w>> {
    let is_own = store.state.start.worktree.is_some();
    let is_here =
        |history: &History| resolve_links(&history.work_tree()) == resolve_links(git.work_tree());
    let here = match History::open_with_git(&git) {
        // Where the run's own work tree is gone, git can find another repository around its place.
        Ok(history) if !is_own || is_here(&history) => Some(history),
        Err(error) if !is_own => return Err(error.into()),
        _ => None,
    };
    let Some(history) = here else {
        let git = git.at_folder(&store.layout.root);
        let history = History::open_with_git(&git)?;
        let git = adapt_git(world, store, (git, &history));
        return Ok(Seat::Gone(Box::new(Repository { git, history })));
    };
    Ok(Seat::Tree(Box::new(Tree {
        world,
        layout: store.layout.clone(),
        git: adapt_git(world, store, (git, &history)),
        history,
        branch: store.state.start.branch.clone(),
        is_own,
        pinned: Arc::clone(&store.pinned),
        index_file: store.anchor_folder.join(INDEX),
        is_held: store.holds_lock(),
        notes: TreeNotes::beside_anchor(&store.anchor_folder),
    })))
}

/// git as the start has it: without filters that came since, and with an identity where the user has none.
fn adapt_git(world: &World, store: &RunStore<'_>, (mut git, history): (Git, &History)) -> Git {
    if store.holds_lock() || world.role == ProcessRole::Command {
        let notes = TreeNotes::beside_anchor(&store.anchor_folder);
        let scene = git_rules::GroundScene {
            notes: &notes,
            now: world.now().as_second(),
            is_held: store.holds_lock(),
        };
        let rules = &store.pinned.rules;
        let foreign = git_rules::list_foreign_filters(&git, history, rules, &scene);
        git.disarm_settings(&foreign);
    }
    if store.pinned.lend_identity {
        git.lend_identity();
    }
    git
}

/// The work tree of a run's trials.
fn work_tree_path(store: &RunStore<'_>) -> PathBuf {
    let own = store.layout.own_tree(&store.state.start);
    own.unwrap_or_else(|| store.layout.root.clone())
}
