//! Owns `Held`: a run that this process has locked, with what a killed git of an earlier command left taken away.
//! Does not repair a trial, and does not look at the work tree's files.
//! Invariant: nobody else works on a held run; its own work tree may be gone.

use std::path::PathBuf;

use autoresearch_core::git_names::RefName;
use autoresearch_sys::env::World;
use autoresearch_sys::error::{Failure, READ_ONLY, Result};
use autoresearch_sys::git::history::History;
use autoresearch_sys::git::locks::{Traces, is_lock_stuck, recover_locks};
use autoresearch_sys::git::{GitError, is_read_only};
use autoresearch_sys::store::{Access, FOLDER, Layout, RunStore, TreeKind, TreeNote, TreeNotes};

use crate::run::Run;
use crate::run::driven::refuse_driven;
use crate::run::glance::{Glance, INDEX, Seat, describe_lost_tree, lost_tree_error};
use crate::run::ready::{Ready, RepairResult};
use crate::trees::left_gits::recover_left_gits;
use crate::trees::making::{Checkout, remake_tree};
use crate::trees::place::OWN;
use crate::trees::setup::filled_mark;
use crate::watch::git_rules::GroundScene;
use crate::watch::work_tree_check;

/// The note, beside the anchor, that a git of ours is at work.
const GIT_AT_WORK: &str = "git-at-work";

/// A run that is held by this process.
#[must_use = "a command that writes ends in `finish`"]
pub struct Held<'w> {
    pub run: Run<'w>,
    pub seat: Seat<'w>,
    /// What was repaired already, one sentence each.
    pub repaired: Vec<String>,
    /// Lock files that a killed git of an earlier command had left, and that were removed.
    cleared: Vec<PathBuf>,
}

impl<'w> Held<'w> {
    /// Opens the run of these files and takes its lock.
    pub fn open_run(
        world: &'w World,
        layout: Layout,
        access: Access,
        command: &str,
    ) -> Result<Self> {
        let store = RunStore::open_run(world, layout, access, command)?;
        Self::from_store(world, store)
    }

    /// The same for files that were opened to be written.
    pub fn from_store(world: &'w World, store: RunStore<'w>) -> Result<Self> {
        let Glance { run, mut seat } = Glance::from_store(world, store)?;
        refuse_driven(world, &run.store.anchor_folder)?;
        let note = run.store.anchor_folder.join(GIT_AT_WORK);
        let traces = list_git_traces(seat.history(), &run.store);
        let mut cleared = recover_locks(&note, &traces)?;
        cleared.extend(recover_left_gits(
            world,
            seat.git(),
            &run.store.layout.root,
        )?);
        seat.git_mut().leave_notes(&note, traces);
        Ok(Self {
            run,
            seat,
            repaired: Vec::new(),
            cleared,
        })
    }

    /// Makes the run's own work tree again from the run's branch.
    pub fn remake_work_tree(self) -> Result<Self> {
        let store = &self.run.store;
        let (git, branch) = (self.seat.git(), &store.state.start.branch);
        if self.seat.history().read_reference(branch).is_none() {
            return Err(Failure::blocked(format!(
                "{}, and so is {branch}",
                describe_lost_tree(store)
            ))
            .hint("`git branch` with the commit that `autoresearch status` names recreates the branch"));
        }
        let _ = std::fs::remove_file(filled_mark(&store.anchor_folder));
        remake_tree(
            self.run.world,
            git,
            note_own_tree(store),
            Checkout::Branch(branch),
        )
        .map_err(|failure| {
            let why = failure.causes.into_iter();
            let mut lost = Failure::blocked(format!(
                "{}, and it could not be recreated",
                describe_lost_tree(store)
            ))
            .hint("fix what git reports, then run the command again");
            lost.causes = [failure.error].into_iter().chain(why).collect();
            lost
        })?;
        let mut repaired = self.repaired;
        repaired.push("the run's work tree was gone; it was recreated from its branch, without its unmeasured edits".to_owned());
        Ok(Self {
            repaired,
            ..Self::from_store(self.run.world, self.run.store)?
        })
    }

    /// Refuses to act where git cannot be written, works on other files, or tracks the run's own.
    pub fn check_repository(&self) -> Result<()> {
        let (git, history) = (self.seat.git(), self.seat.history());
        if is_read_only(&history.git_folder()) || is_read_only(&history.common_folder()) {
            return Err(Failure::environment("git cannot write to its folder").hint(READ_ONLY));
        }
        let locks = needed_locks(history, &self.run.store.state.start.branch);
        if let Some(lock) = locks.into_iter().find(|lock| is_lock_stuck(lock)) {
            return Err(GitError::Locked { lock }.into());
        }
        if let Some(head) = history.read_head()?.commit
            && history.has_at_root(&head, FOLDER)?
        {
            return Err(work_tree_check::tracked_runs_error());
        }
        let repository = self.run.store.pinned.repository.as_deref();
        let notes = TreeNotes::beside_anchor(&self.run.store.anchor_folder);
        let scene = GroundScene {
            notes: &notes,
            now: self.run.world.now().as_second(),
            is_held: true,
        };
        work_tree_check::check_run_tree(git, history, repository, &scene)
    }

    /// The run with its work tree, as it is: whoever calls it has checked the repository and repairs the run.
    pub fn take_tree(self) -> Result<Ready<'w>> {
        match self.seat {
            Seat::Tree(tree) => Ok(Ready {
                run: self.run,
                tree: *tree,
                repaired: RepairResult::default(),
            }),
            Seat::Gone(_) => Err(lost_tree_error(&self.run.store)),
        }
    }

    /// What opening the run has repaired, one sentence for each.
    pub fn take_repaired(&mut self) -> Vec<String> {
        let mut done = std::mem::take(&mut self.repaired);
        for lock in std::mem::take(&mut self.cleared) {
            done.push(format!(
                "{} was removed: a git process of this run was killed while it held this lock",
                lock.display()
            ));
        }
        let repaired = self.run.store.repaired;
        if repaired.torn_bytes > 0 {
            done.push(format!(
                "an incomplete line of {} bytes was moved to journal.torn",
                repaired.torn_bytes
            ));
        }
        if repaired.restored {
            done.push("the last record was written to the journal again".to_owned());
        }
        done
    }

    /// Leaves the run: the views are written, and what is answered is made from the glance.
    pub fn finish(mut self) -> Result<Glance<'w>> {
        self.run.store.write_views()?;
        Ok(Glance {
            run: self.run,
            seat: self.seat,
        })
    }
}

/// The note of the run's own work tree, as its start made it.
fn note_own_tree(store: &RunStore<'_>) -> TreeNote {
    let start = &store.state.start;
    TreeNote {
        root: store.layout.root.clone(),
        path: store.layout.own_tree(start).unwrap_or_default(),
        ..TreeNote::new(&start.id, &start.run, OWN, TreeKind::Own)
    }
}

/// The lock files without which no trial can be made or undone.
fn needed_locks(history: &History, branch: &RefName) -> Vec<PathBuf> {
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
    if let Some(branch) = start.origin.branch() {
        locks.push(common.join(format!("{branch}.lock")));
    }
    locks.push(own.join("config.worktree.lock"));
    locks.push(store.anchor_folder.join(INDEX).with_extension("lock"));
    let shared = ["HEAD", "packed-refs", "config", "shallow"];
    locks.extend(shared.map(|name| common.join(format!("{name}.lock"))));
    locks.sort();
    locks.dedup();
    let ours = common.join("refs/autoresearch").join(&start.run);
    Traces {
        locks,
        references: vec![ours.join("trial"), ours],
        folders: vec![history.work_tree(), own, common],
    }
}
