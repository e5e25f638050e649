//! Owns the measurement of a kept state beside a trial: verify at a commit, in a tree of its own.
//! Does not judge what it gives.
//! Invariant: the first run at a commit, which builds what the later ones find, is no measurement of a noisy metric.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use autoresearch_core::config::Config;
use autoresearch_core::git_names::CommitId;
use autoresearch_core::journal::event::Why;
use autoresearch_core::journal::runs::RunTime;
use autoresearch_core::journal::state::RunState;
use autoresearch_core::metric::measurement::{Measurement, Reading};

use crate::run::tree::Tree;
use crate::trees::lending::{ReadyTree, TreeNeeds, TreeSource, lend_ready_tree};
use crate::trees::place::TreePlace;
use crate::trees::wanted::choose_viewed_config;
use crate::trial::measure::Bench;
use autoresearch_sys::env::World;
use autoresearch_sys::error::{FailureKind, Result};
use autoresearch_sys::git::Git;
use autoresearch_sys::process::{Confinement, Executor};
use autoresearch_sys::store::{Layout, TreeKind};

/// What a kept state is measured with.
pub struct StateScene<'a> {
    pub world: &'a World,
    /// git, at work in the user's work tree.
    pub checkout: Git,
    pub layout: &'a Layout,
    /// The run's id.
    pub id: &'a str,
    pub config: &'a Config,
    /// The environment of the commands.
    pub env: &'a [(OsString, OsString)],
    pub executor: &'a dyn Executor,
    pub confinement: Option<&'a Confinement>,
    pub reading: Option<Reading>,
    /// The folder for the output, and the beginning of its files' names.
    pub outputs: (PathBuf, String),
    /// What becomes of the tree afterwards.
    pub kind: TreeKind,
    /// Is the first run at a commit no measurement?
    pub warms_up: bool,
}

/// A commit in a tree of its own, which is borrowed at the first run and given back when this is dropped.
pub struct StateBench<'a> {
    scene: StateScene<'a>,
    commit: CommitId,
    ready: Option<ReadyTree<'a>>,
    /// Runs of verify so far, also those that are no measurement.
    pub runs: u32,
    /// Time spent in verify.
    pub verify_time: Duration,
    /// Processes that verify left behind and that were ended.
    pub swept: u32,
}

/// What a run gave, and when.
type StateRun = (std::result::Result<Measurement, Why>, RunTime);

/// A measurement and its time, or why there is none.
pub type StateMeasurement = std::result::Result<(Measurement, RunTime), String>;

impl<'a> StateScene<'a> {
    /// The scene of a run that is under way.
    #[must_use]
    pub fn of_run(
        tree: &'a Tree<'_>,
        state: &'a RunState,
        (env, executor): (&'a [(OsString, OsString)], &'a dyn Executor),
        kind: TreeKind,
        outputs: (PathBuf, String),
    ) -> Self {
        Self {
            world: tree.world,
            checkout: tree.git.at_folder(&tree.layout.root),
            layout: &tree.layout,
            id: &state.start.id,
            config: state.config(),
            env,
            executor,
            confinement: tree.pinned.confinement.as_ref(),
            reading: state.start.reading.clone(),
            outputs,
            kind,
            warms_up: !state.evidence.is_exact(),
        }
    }
}

impl<'a> StateBench<'a> {
    #[must_use]
    pub fn new(scene: StateScene<'a>, commit: CommitId) -> Self {
        Self {
            scene,
            commit,
            ready: None,
            runs: 0,
            verify_time: Duration::ZERO,
            swept: 0,
        }
    }

    /// One measurement. That verify gives no number, or that there is no tree to run it in, is an answer; an interruption is
    /// none.
    pub fn measure_state(&mut self) -> Result<StateMeasurement> {
        match self.run_verify() {
            Ok((Ok(measurement), time)) => Ok(Ok((measurement, time))),
            Ok((Err(why), _)) => Ok(Err(why.to_string())),
            Err(failure) if failure.kind == FailureKind::Interrupted => Err(failure),
            Err(failure) => {
                let causes = failure.causes.iter().map(|cause| format!(": {cause}"));
                Ok(Err(causes.fold(failure.error, |text, cause| text + &cause)))
            }
        }
    }

    /// Runs verify; the first time at a commit twice.
    fn run_verify(&mut self) -> Result<StateRun> {
        let ready = match self.ready.take() {
            Some(ready) => ready,
            None => self.borrow_tree()?,
        };
        if self.scene.warms_up && !ready.tree.is_warm_at(&self.commit) {
            let first = self.run_once(&ready)?;
            if first.0.is_err() {
                return Ok(first);
            }
            ready.tree.mark_warm(&self.commit);
        }
        let run = self.run_once(&ready)?;
        self.ready = Some(ready);
        Ok(run)
    }

    fn borrow_tree(&self) -> Result<ReadyTree<'a>> {
        let scene = &self.scene;
        let trees = scene.config.trees.as_deref();
        let place = TreePlace::choose(scene.world, &scene.checkout, trees, scene.layout, scene.id)?;
        let viewed = choose_viewed_config(&scene.checkout, scene.config)?;
        let source = TreeSource {
            git: &scene.checkout,
            place: &place,
            kind: scene.kind,
        };
        let needs = TreeNeeds {
            env: scene.env,
            config: scene.config,
            in_view: viewed.as_ref(),
        };
        lend_ready_tree(scene.world, &source, &self.commit, &needs)
    }

    fn run_once(&mut self, ready: &ReadyTree<'_>) -> Result<StateRun> {
        let scene = &self.scene;
        (scene.world.step)("verify of a kept state");
        let (folder, prefix) = scene.outputs.clone();
        let telling = (scene.world.progress, scene.world.clock);
        let mut bench = Bench::new(scene.executor, telling, ready.tree.path(), folder, &prefix);
        bench.runs = self.runs;
        bench.most = scene.config.outputs.file_bytes();
        bench.view.clone_from(&ready.view);
        bench.confine(scene.confinement);
        bench.reading.clone_from(&scene.reading);
        let measured = bench.run_verify(scene.config)?;
        self.runs = bench.runs;
        self.verify_time += bench.verify_time;
        self.swept += bench.swept;
        Ok((measured, bench.last_run))
    }
}
