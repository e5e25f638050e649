//! Owns the opening of a batch: may there be one, and a work tree for each hypothesis.
//! Does not edit or measure hypotheses.
//! Invariant: the record of a batch is written when all its trees stand; where that cannot be, nothing is left open.

use autoresearch_core::config::Isolation;
use autoresearch_core::journal::batch::{Batch, MOST_WORKERS};
use autoresearch_core::journal::event::Event;
use autoresearch_core::journal::state::Step;
use autoresearch_core::words::brief;
use autoresearch_core::words::text::clip_text;

use crate::batch::report::BatchReport;
use crate::batch::worker::WorkerScene;
use crate::run::entry::{Entry, enter_tree};
use crate::run::place::Place;
use crate::run::ready::Ready;
use crate::trees::lending::ReadyTree;
use crate::trial::measure::Bench;
use crate::trial::retry::refuse_unmeasured;
use crate::watch::space::{check_room_for_trees, check_tree_space};
use crate::watch::tree_changes;
use autoresearch_sys::env::World;
use autoresearch_sys::error::{Failure, FailureKind, Result};
use autoresearch_sys::machine_memory::read_memory;
use autoresearch_sys::process::LocalExecutor;

/// The longest hypothesis, in characters.
const MAX_MESSAGE: usize = 500;
/// Less memory than this for each worker is too little: a compiler or an interpreter alone takes as much.
const MEMORY: u64 = 256 << 20;

/// What a batch is asked for with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct BatchRequest {
    /// One for each worker.
    pub hypotheses: Vec<String>,
    /// Are further winners tried on top of the first?
    pub stack: bool,
}

/// Opens a batch: each hypothesis gets a work tree at the kept state.
pub(crate) fn open_batch(
    world: &World,
    place: &Place,
    request: &BatchRequest,
) -> Result<BatchReport> {
    let mut ready = enter_tree(world, place, Entry::Step("parallel open"))?;
    match open_in(&mut ready, request) {
        Ok(why) => {
            let repaired = ready.repaired.done.clone();
            let glance = ready.finish()?;
            Ok(BatchReport::of_open(&glance, why).with_repaired(repaired))
        }
        Err(failure) => Err(ready.refuse(failure)),
    }
}

/// Opens it; returns why it is measured as it is.
fn open_in(ready: &mut Ready<'_>, request: &BatchRequest) -> Result<&'static str> {
    let hypotheses = read_hypotheses(request)?;
    refuse_untimely(ready)?;
    let state = &ready.run.store.state;
    tree_changes::check_head(&ready.tree, state)?;
    // Edits in the run's own tree belong to no hypothesis.
    let edits = tree_changes::read_changes(&ready.tree, state)?.ours;
    refuse_unmeasured(&ready.run, &edits, "open the batch")?;
    check_tree_space(&ready.tree)?;
    ready.run.admit_secrets()?;
    let state = &ready.run.store.state;
    let (measuring, why) = state
        .config()
        .parallel
        .choose_measuring(&state.config().gauge.kind, state.evidence.is_exact());
    let batch = Batch {
        trial: state.next_trial,
        base: state.head.clone(),
        hypotheses,
        measuring,
        stack: request.stack || state.config().parallel.stack,
        verify_runs: 0,
    };
    let verify_runs = match lend_trees(ready, &batch) {
        Ok(runs) => runs,
        Err(failure) if failure.kind == FailureKind::Interrupted => return Err(failure),
        Err(failure) => {
            let told = clip_text(&failure.error, 300);
            let serial = Event::Serial(told.clone());
            ready.run.store.record_event(serial)?;
            return Err(Failure {
                error: format!("hypotheses cannot be tried at once here: {told}"),
                ..failure
            }
            .hint("nothing is open, and this run does not try it again: go on with one trial after the other"));
        }
    };
    let batch = Batch {
        verify_runs,
        ..batch
    };
    ready.run.store.record_event(Event::Batch(batch))?;
    Ok(why)
}

fn read_hypotheses(request: &BatchRequest) -> Result<Vec<String>> {
    let hypotheses: Vec<String> = request
        .hypotheses
        .iter()
        .map(|text| clip_text(text.trim(), MAX_MESSAGE))
        .collect();
    if !(2..=MOST_WORKERS).contains(&hypotheses.len()) {
        let given = hypotheses.len();
        return Err(Failure::usage(format!(
            "a batch is two or three hypotheses, and {given} was given"
        ))
        .hint("say -m for each: -m A -m B -m C"));
    }
    if hypotheses.iter().any(String::is_empty) {
        return Err(
            Failure::usage("a hypothesis is empty").hint("say what each tree is for: -m A -m B")
        );
    }
    Ok(hypotheses)
}

/// Is a trial what comes next, and can a batch stand for one?
fn refuse_untimely(ready: &Ready<'_>) -> Result<()> {
    let state = &ready.run.store.state;
    let next = brief::format_next_step(state, &ready.run.caller);
    let next = next.trim_start_matches("next: ").to_owned();
    if let Some(open) = &state.batch {
        return Err(Failure::usage(format!("batch {} is open", open.batch.trial)).hint(next));
    }
    if state.next_step() != Step::Trial {
        let due = state.next_step();
        return Err(
            Failure::usage(format!("a {} is due before the next trial", due.as_str())).hint(next),
        );
    }
    if let Some(why) = &state.serial {
        return Err(Failure::blocked(format!(
            "hypotheses cannot be tried at once in this run: {why}"
        ))
        .hint("go on with one trial after the other; a new run tries it again"));
    }
    if !state.config().required_labels.keep.is_empty() {
        return Err(
            Failure::usage("the config requires labels for a keep, and a batch has none")
                .hint("try one hypothesis after the other"),
        );
    }
    Ok(())
}

/// Makes the trees, and leaves them borrowed until the batch ends. In the first batch of a run the first tree is measured:
/// numbers that another place changes would tell nothing of a hypothesis. Returns how often verify ran for that.
fn lend_trees(ready: &Ready<'_>, batch: &Batch) -> Result<u32> {
    let (run, tree) = (&ready.run, &ready.tree);
    let state = &run.store.state;
    let scene = WorkerScene::of_run(tree, state, &run.env)?;
    refuse_submodules(ready)?;
    check_memory(batch.hypotheses.len())?;
    check_room_for_trees(tree, batch.hypotheses.len())?;
    let mut trees = Vec::new();
    for (worker, message) in batch.list_workers() {
        (run.world.progress)(&format!("a work tree for {worker}: {message}"));
        trees.push(scene.lend_tree(worker, &batch.base)?);
        (run.world.step)("worker tree");
    }
    let runs = match trees.first() {
        Some(first) if state.counts.batches == 0 => probe_tree(ready, first)?,
        _ => 0,
    };
    for ready in trees {
        ready.tree.leave_borrowed();
    }
    Ok(runs)
}

/// A tree of a run gets no submodules.
fn refuse_submodules(ready: &Ready<'_>) -> Result<()> {
    let config = ready.run.store.state.config();
    let has = config.isolation != Isolation::Worktree
        && !ready.tree.git.list_populated_submodules()?.is_empty();
    if has {
        return Err(Failure::blocked(
            "the repository has submodules, which a work tree of its own would lack",
        ));
    }
    Ok(())
}

fn check_memory(workers: usize) -> Result<()> {
    let needed = MEMORY.saturating_mul(u64::try_from(workers).unwrap_or_default());
    match read_memory().available {
        Some(free) if free < needed => Err(Failure::environment(format!(
            "{} MiB of memory are free, and {workers} workers need {} MiB",
            free >> 20,
            needed >> 20
        ))),
        _ => Ok(()),
    }
}

/// Does verify give in a worker's tree what it gives in the run's?
fn probe_tree(ready: &Ready<'_>, first: &ReadyTree<'_>) -> Result<u32> {
    let (run, state) = (&ready.run, &ready.run.store.state);
    (run.world.progress)("verify of the kept state runs in the first tree");
    let executor = LocalExecutor::new(run.world, &run.env);
    let telling = (run.world.progress, run.world.clock);
    let folder = ready.tree.layout.make_trial_folder(state.next_trial)?;
    let mut bench = Bench::new(&executor, telling, first.tree.path(), folder, "probe-");
    bench.most = state.config().outputs.file_bytes();
    bench.view.clone_from(&first.view);
    bench.confine(ready.tree.pinned.confinement.as_ref());
    bench.reading.clone_from(&state.start.reading);
    let mut measure = || {
        let measured = bench.run_verify(state.config())?;
        measured.map(|found| found.value).map_err(|why| {
            Failure::blocked(format!(
                "verify gives no number in a tree of its own: {why}"
            ))
        })
    };
    let value = measure()?;
    let known = &state.incumbent.measurement.value;
    // Two runs there that differ are noise, and no matter of the place.
    if state.evidence.is_exact() && value != *known && measure()? == value {
        return Err(Failure::blocked(format!(
            "verify gives {value} in a tree of its own, and {known} in the run's: it depends on the place, or on files that git does not hold"
        )));
    }
    Ok(bench.runs)
}
