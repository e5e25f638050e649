//! Owns the work trees of a batch, and the measurement of what was edited in one.
//! Does not choose, and records nothing.
//! Invariant: what goes wrong in a tree is that worker's row, and nobody else's.

use std::ffi::OsString;
use std::path::PathBuf;

use autoresearch_core::config::{Config, Measuring};
use autoresearch_core::decide::choice::ChoiceScene;
use autoresearch_core::git_names::CommitId;
use autoresearch_core::journal::batch::WorkerId;
use autoresearch_core::journal::event::{Guard, Why, WorkerRow};
use autoresearch_core::journal::state::RunState;
use autoresearch_core::words::text::{clip_text, escape_text};

use crate::run::ready::Ready;
use crate::run::tree::Tree;
use crate::trees::lending::{
    ReadyTree, TreeNeeds, TreeSource, lend_ready_tree_named, reopen_ready_tree,
};
use crate::trees::place::TreePlace;
use crate::trees::wanted::choose_viewed_config;
use crate::trial::measure::Bench;
use autoresearch_sys::env::World;
use autoresearch_sys::error::{Failure, FailureKind, Result};
use autoresearch_sys::git::Git;
use autoresearch_sys::process::{Confinement, LocalExecutor, TreeView};
use autoresearch_sys::store::{Layout, TreeKind, TreeNote};

/// What the trees of a batch are made and measured with.
pub(super) struct WorkerScene<'a> {
    pub world: &'a World,
    pub state: &'a RunState,
    layout: &'a Layout,
    checkout: Git,
    place: TreePlace,
    viewed: Option<Config>,
    /// The environment of verify and guard.
    env: &'a [(OsString, OsString)],
    confinement: Option<&'a Confinement>,
}

/// A worker whose edits are committed.
pub(super) struct CommittedWorker<'w> {
    /// What is known of it so far.
    pub row: WorkerRow,
    /// Its tree, where it is to be measured.
    pub ready: Option<ReadyTree<'w>>,
}

/// Where a worker's tree is, as its note says.
pub(crate) fn find_worker_tree(world: &World, id: &str, worker: WorkerId) -> Option<PathBuf> {
    let note = TreeNote::read(&world.state_folder, id, &name_tree(worker))?;
    Some(note.path)
}

/// A run has one tree for each letter, which is used for one batch after the other.
fn name_tree(worker: WorkerId) -> String {
    format!("worker-{}", worker.letter())
}

/// Brings the trees of these workers back to the commit of their batch, as for a first turn; a tree that is gone is made
/// again. What an interrupted turn left there is nobody's change.
pub(crate) fn restore_trees(ready: &Ready<'_>, workers: &[WorkerId]) -> Result<()> {
    let (run, tree) = (&ready.run, &ready.tree);
    let state = &run.store.state;
    let Some(open) = &state.batch else {
        return Ok(());
    };
    let scene = WorkerScene::of_run(tree, state, &run.env)?;
    for worker in workers {
        let brought = scene.reopen_tree(*worker).and_then(|lent| {
            lent.tree.bring_to(&open.batch.base)?;
            Ok(lent)
        });
        let lent = match brought {
            Ok(lent) => lent,
            Err(failure) if failure.kind == FailureKind::Interrupted => return Err(failure),
            Err(_) => scene.lend_tree(*worker, &open.batch.base)?,
        };
        lent.tree.leave_borrowed();
    }
    Ok(())
}

impl<'a> WorkerScene<'a> {
    pub(super) fn of_run(
        tree: &'a Tree<'_>,
        state: &'a RunState,
        env: &'a [(OsString, OsString)],
    ) -> Result<Self> {
        let (world, config) = (tree.world, state.config());
        let checkout = tree.git.at_folder(&tree.layout.root);
        let trees = config.trees.as_deref();
        Ok(Self {
            place: TreePlace::choose_for_edits(
                world,
                &checkout,
                trees,
                &tree.layout,
                &state.start.id,
            )?,
            viewed: choose_viewed_config(&checkout, config)?,
            world,
            state,
            layout: &tree.layout,
            checkout,
            env,
            confinement: tree.pinned.confinement.as_ref(),
        })
    }

    fn source(&self) -> TreeSource<'_> {
        TreeSource {
            git: &self.checkout,
            place: &self.place,
            kind: TreeKind::Lent,
        }
    }

    fn needs(&self) -> TreeNeeds<'_> {
        TreeNeeds {
            env: self.env,
            config: self.state.config(),
            in_view: self.viewed.as_ref(),
        }
    }

    /// A worker's tree at a commit, untouched.
    pub(super) fn lend_tree(&self, worker: WorkerId, commit: &CommitId) -> Result<ReadyTree<'a>> {
        let name = name_tree(worker);
        let wanted = (name.as_str(), commit);
        lend_ready_tree_named(self.world, &self.source(), wanted, &self.needs())
    }

    /// A worker's tree as its agent left it.
    pub(super) fn reopen_tree(&self, worker: WorkerId) -> Result<ReadyTree<'a>> {
        reopen_ready_tree(
            self.world,
            &self.source(),
            &name_tree(worker),
            &self.needs(),
        )
    }

    /// The measurement of a worker whose commit stands in this tree.
    fn make_job(&self, row: &WorkerRow, ready: &ReadyTree<'_>) -> Result<WorkerJob<'a>> {
        let mut env = self.env.to_vec();
        let parallel = &self.state.config().parallel;
        if let Some((variable, device)) = parallel.find_device(row.worker.index()) {
            env.push((variable.into(), device.into()));
        }
        let is_exact = self.state.evidence.is_exact();
        Ok(WorkerJob {
            world: self.world,
            state: self.state,
            env,
            confinement: self.confinement,
            folder: self.layout.make_trial_folder(row.worker.batch)?,
            spread: (!is_exact).then(|| self.state.find_run_spread()),
            path: ready.tree.path().to_owned(),
            view: ready.view.clone(),
            row: row.clone(),
        })
    }
}

/// A worker whose commit stands in its tree.
struct StandingWorker<'a, 'w> {
    row: WorkerRow,
    /// What is to be measured, and its tree.
    work: Option<(WorkerJob<'a>, ReadyTree<'w>)>,
}

/// What is measured, where, and with what: everything that a thread needs.
struct WorkerJob<'a> {
    world: &'a World,
    state: &'a RunState,
    /// The environment of verify and guard, with the worker's device.
    env: Vec<(OsString, OsString)>,
    confinement: Option<&'a Confinement>,
    /// Where their output goes.
    folder: PathBuf,
    /// The standard deviation of a run; nothing for an exact metric.
    spread: Option<f64>,
    path: PathBuf,
    view: Option<TreeView>,
    row: WorkerRow,
}

/// Measures the workers, one after the other or at the same time, and hands each row over, in their order. Where measuring is
/// cut short, the trees of those without a row stay borrowed.
pub(super) fn measure_workers(
    scene: &WorkerScene<'_>,
    workers: Vec<CommittedWorker<'_>>,
    measuring: Measuring,
    mut record: impl FnMut(WorkerRow) -> Result<()>,
) -> Result<()> {
    let mut standing = Vec::new();
    for worker in workers {
        standing.push(stand_worker(scene, worker)?);
    }
    let groups: Vec<Vec<StandingWorker<'_, '_>>> = match measuring {
        Measuring::Serial => standing.into_iter().map(|worker| vec![worker]).collect(),
        Measuring::Concurrent => vec![standing],
    };
    let mut broken = None;
    for group in groups {
        if broken.is_some() {
            let trees = group.into_iter().filter_map(|worker| worker.work);
            trees.for_each(|(_, ready)| ready.tree.leave_borrowed());
            continue;
        }
        for (measured, ready) in run_group(group) {
            match settle_worker(measured, ready) {
                Ok(row) => record(row)?,
                Err(failure) => broken = Some(failure),
            }
        }
    }
    broken.map_or(Ok(()), Err)
}

/// What a worker's measurement came to, with the row of before.
type MeasuredRow = (WorkerRow, Result<WorkerRow>);

/// What these measured, in their order; they run at the same time.
fn run_group<'w>(group: Vec<StandingWorker<'_, 'w>>) -> Vec<(MeasuredRow, Option<ReadyTree<'w>>)> {
    let (mut rows, mut jobs, mut trees) = (Vec::new(), Vec::new(), Vec::new());
    for worker in group {
        let (job, ready) = worker.work.unzip();
        rows.push(worker.row);
        jobs.push(job);
        trees.push(ready);
    }
    let measured: Vec<Option<Result<WorkerRow>>> = std::thread::scope(|scope| {
        let started: Vec<_> = jobs
            .into_iter()
            .map(|job| job.map(|job| scope.spawn(move || job.measure_row())))
            .collect();
        let gone = || Failure::new(FailureKind::Internal, "its measurement broke off");
        let ended = started
            .into_iter()
            .map(|thread| thread.map(|thread| thread.join().unwrap_or_else(|_| Err(gone()))));
        ended.collect()
    });
    let measured = rows.into_iter().zip(measured).map(|(row, measured)| {
        let known = row.clone();
        (row, measured.unwrap_or(Ok(known)))
    });
    measured.zip(trees).collect()
}

/// Brings a worker's tree to its commit. One whose tree cannot be brought there is a crash.
fn stand_worker<'a, 'w>(
    scene: &WorkerScene<'a>,
    CommittedWorker { mut row, ready }: CommittedWorker<'w>,
) -> Result<StandingWorker<'a, 'w>> {
    let (Some(ready), Some(commit)) = (ready, &row.commit) else {
        return Ok(StandingWorker { row, work: None });
    };
    match ready.tree.bring_to(commit) {
        Err(failure) if failure.kind == FailureKind::Interrupted => {
            ready.tree.leave_borrowed();
            Err(failure)
        }
        Err(failure) => {
            ready.tree.discard();
            row.why = Some(explain_failure(&failure));
            Ok(StandingWorker { row, work: None })
        }
        Ok(()) => Ok(StandingWorker {
            work: Some((scene.make_job(&row, &ready)?, ready)),
            row,
        }),
    }
}

/// Gives the tree back. Where its measurement failed it is removed, since what the worker left in it may be why.
fn settle_worker((row, measured): MeasuredRow, ready: Option<ReadyTree<'_>>) -> Result<WorkerRow> {
    let Some(ready) = ready else {
        return measured;
    };
    match measured {
        Ok(row) => {
            if row.measurement.is_none() || row.guard == Guard::Fail {
                ready.tree.discard();
            }
            Ok(row)
        }
        Err(failure) if failure.kind == FailureKind::Interrupted => {
            ready.tree.leave_borrowed();
            Err(failure)
        }
        Err(failure) => {
            ready.tree.discard();
            Ok(WorkerRow {
                why: Some(explain_failure(&failure)),
                ..row
            })
        }
    }
}

impl WorkerJob<'_> {
    /// One run of verify, and the guard where it is in the choice.
    fn measure_row(self) -> Result<WorkerRow> {
        let Self {
            world,
            state,
            mut row,
            ..
        } = self;
        let config = state.config();
        let executor = LocalExecutor::new(world, &self.env);
        let telling = (world.progress, world.clock);
        let prefix = format!("{}-", row.worker.letter());
        let mut bench = Bench::new(&executor, telling, &self.path, self.folder, &prefix);
        bench.most = config.outputs.file_bytes();
        bench.view = self.view;
        bench.confine(self.confinement);
        bench.reading.clone_from(&state.start.reading);
        (world.step)("verify of a worker");
        let measured = bench.run_verify(config)?;
        row.verify_runs = bench.runs;
        let measurement = match measured {
            Ok(measurement) => measurement,
            Err(why) => {
                row.why = Some(why);
                return Ok(row);
            }
        };
        let before = &state.incumbent.measurement.value;
        let choice = ChoiceScene {
            metric: &config.metric,
            before,
            spread: self.spread,
        };
        row.delta = Some(&measurement.value - before);
        row.why = choice.find_refusal(&measurement.value);
        row.measurement = Some(measurement);
        if let (None, Some(guard)) = (&row.why, &config.guard) {
            match bench.run_guard(guard)? {
                Ok(()) => row.guard = Guard::Pass,
                Err(how) => {
                    row.guard = Guard::Fail;
                    row.why = Some(Why::GuardFailed(how));
                }
            }
        }
        Ok(row)
    }
}

/// A tree that could not be used is a crash of its worker.
pub(super) fn explain_failure(failure: &Failure) -> Why {
    let text = clip_text(&escape_text(&failure.error), 200);
    Why::NoMetric(format!("its tree could not be measured: {text}"))
}
