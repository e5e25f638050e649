//! Owns the look at a run before each turn: is everything as it was left, and what is the turn to be told?
//! Does not start the turn.
//! Invariant: what is wrong is said and stops the run; nothing is built on it.

use std::path::PathBuf;
use std::time::Duration;

use autoresearch_core::config::Agent;
use autoresearch_core::git_names::RefName;
use autoresearch_core::journal::event::Why;
use autoresearch_core::journal::state::{RunState, Step};
use autoresearch_core::journal::story::Story;
use autoresearch_core::words::brief::{self, TurnTask};
use autoresearch_core::words::text::clip_text;

use crate::run::Run;
use crate::run::entry::{Entry, enter_tree};
use crate::run::lessons::read_quotes;
use crate::run::place::Place;
use crate::run::ready::Ready;
use crate::run::tree::Tree;
use crate::trial::foreign_commits;
use crate::trial::give_up;
use crate::trial::measure::Bench;
use crate::watch::space::check_tree_space;
use crate::watch::{tree_changes, unseen_files};
use autoresearch_sys::env::World;
use autoresearch_sys::error::{Failure, Result};
use autoresearch_sys::process::LocalExecutor;
use autoresearch_sys::store::RunStore;

/// How many rows a turn is told.
const ROWS: usize = 12;

/// A run that is ready for a turn.
pub(super) struct BeforeTurn {
    pub work_tree: PathBuf,
    /// A folder outside of it for the turn's own files.
    pub scratch: PathBuf,
    pub id: String,
    /// The trial that the turn is for.
    pub trial: u32,
    pub step: Step,
    pub agent: Agent,
    /// What it is told.
    pub brief: String,
    /// The thread to go on with.
    pub thread: Option<String>,
    pub thread_tokens: u64,
    /// When the turn is ended.
    pub limit: Duration,
    /// Files outside the scope that are not as they were.
    pub foreign: Vec<String>,
    /// Is it a turn that proposes hypotheses and edits nothing?
    pub proposes: bool,
}

/// Checks a run and makes it ready for a turn; `None` when it has ended.
///
/// `serial` says that hypotheses are tried one after the other, whatever the config wants.
pub(super) fn prepare_turn(
    world: &World,
    place: &Place,
    serial: bool,
) -> Result<Option<BeforeTurn>> {
    let mut ready = enter_tree(world, place, Entry::Driver)?;
    if ready.run.store.state.end.is_some() {
        ready.finish()?;
        return Ok(None);
    }
    // An interrupted turn may have moved HEAD.
    foreign_commits::take_back_head(&ready.tree, &ready.run.store.state)?;
    tree_changes::check_head(&ready.tree, &ready.run.store.state)?;
    check_tree_space(&ready.tree)?;
    if ready.run.store.state.awaiting_rework().is_none() {
        // What an interrupted turn left belongs to no trial.
        give_up::take_back_edits(&mut ready, "edits of an interrupted turn")?;
    }
    let glance = ready.finish()?;
    let (run, tree) = (&glance.run, glance.tree()?);
    let foreign = find_foreign_files(tree, &run.store.state)?;
    let scratch = run.store.anchor_folder.join("turn");
    std::fs::create_dir_all(&scratch)
        .map_err(|error| Failure::io(format!("could not create {}", scratch.display()), &error))?;
    let state = &run.store.state;
    let (config, spent) = (state.config(), &state.spent);
    let workers = count_workers(state).filter(|_| !serial);
    let task = workers.map_or(TurnTask::Step, TurnTask::Propose);
    let goes_on = spent.thread_turns < config.agent.turns_per_thread
        && spent.thread_tokens < config.agent.tokens_per_thread;
    Ok(Some(BeforeTurn {
        work_tree: tree.path().to_owned(),
        scratch,
        id: state.start.id.clone(),
        trial: state
            .awaiting_rework()
            .map_or(state.next_trial, |rework| rework.trial),
        step: state.next_step(),
        agent: config.agent.clone(),
        brief: make_turn_brief(run, tree, &foreign, task)?,
        thread: spent.thread.clone().filter(|_| goes_on),
        thread_tokens: spent.thread_tokens,
        limit: turn_limit(state, world.now_ms()),
        foreign,
        proposes: workers.is_some(),
    }))
}

/// How many hypotheses the next step is for, where it is for several.
fn count_workers(state: &RunState) -> Option<usize> {
    let config = state.config();
    let workers = usize::try_from(config.parallel.workers).unwrap_or(1);
    let is_wanted = workers > 1
        && state.next_step() == Step::Trial
        && state.serial.is_none()
        && config.required_labels.keep.is_empty();
    is_wanted.then_some(workers)
}

/// Files that make each trial void until they are put back.
fn find_foreign_files(tree: &Tree<'_>, state: &RunState) -> Result<Vec<String>> {
    let changes = tree_changes::read_changes(tree, state)?;
    Ok([changes.protected, changes.unsupported, changes.outside].concat())
}

pub(super) fn make_turn_brief(
    run: &Run<'_>,
    tree: &Tree<'_>,
    foreign: &[String],
    task: TurnTask<'_>,
) -> Result<String> {
    let state = &run.store.state;
    let rows = run.read_last_rows(ROWS)?;
    let quoted = read_quotes(run, &rows);
    let mut notes: Vec<String> = foreign
        .iter()
        .map(|path| format!("`{path}` is not yours to change: restore its old contents"))
        .take(20)
        .collect();
    notes.extend(describe_git_use(&run.store, tree)?);
    Ok(brief::format_turn_brief(
        state,
        &rows,
        (&quoted, &notes),
        task,
    ))
}

/// The last trial was void because the agent committed, switched or reset.
fn describe_git_use(store: &RunStore<'_>, tree: &Tree<'_>) -> Result<Option<String>> {
    let records = store.read_last_records()?;
    let told = Story::of(&store.state.start, &records);
    let last = told.list_decisions().next_back();
    let Some(decided) = last else {
        return Ok(None);
    };
    let Some(why @ Why::HeadMoved(_)) = &decided.why else {
        return Ok(None);
    };
    let (run, trial) = (&store.state.start.run, decided.trial);
    let names = [
        RefName::of_run(run, &format!("foreign-{trial}")),
        RefName::of_trial(run, trial),
    ];
    let held = names
        .iter()
        .find(|name| tree.history.read_reference(name).is_some());
    let shown = held.map_or(String::new(), |name| {
        format!(" (`git show {name}` reads them)")
    });
    Ok(Some(format!(
        "{}. The edits of that turn were not measured and were undone{shown}: make them again without git; the program commits",
        clip_text(&why.to_string(), 300)
    )))
}

/// The turn's own limit, or what is left of the run's time.
pub(super) fn turn_limit(state: &RunState, now_ms: u64) -> Duration {
    let ends = [
        state
            .limits
            .time_limit_ms
            .map(|limit| state.start.started_ms.saturating_add(limit)),
        state.limits.until_ms,
    ];
    let left = ends.into_iter().flatten().min();
    let left = left.map(|end| Duration::from_millis(end.saturating_sub(now_ms)));
    let own = state.config().agent.timeout;
    left.map_or(own, |left| left.min(own))
        .max(Duration::from_secs(1))
}

/// Undoes what an interrupted turn edited; a rework that waits stays.
pub(super) fn take_back_turn(world: &World, place: &Place) -> Result<()> {
    let mut ready = enter_tree(world, place, Entry::Driver)?;
    let state = &ready.run.store.state;
    if state.end.is_none() && state.awaiting_rework().is_none() {
        give_up::take_back_edits(&mut ready, "edits of an interrupted turn")?;
    }
    ready.finish().map(drop)
}

/// Runs verify on the kept state; why it fails, if it does.
pub(super) fn probe_kept_state(world: &World, place: &Place) -> Result<Option<String>> {
    let mut ready = enter_tree(world, place, Entry::Driver)?;
    if ready.run.store.state.end.is_some() {
        ready.finish()?;
        return Ok(None);
    }
    ready.run.admit_secrets()?;
    let Ready { run, tree, .. } = &ready;
    let state = &run.store.state;
    let folder = tree.layout.make_trial_folder(state.incumbent.trial)?;
    let executor = LocalExecutor::new(world, &run.env);
    let mut bench = Bench::new(
        &executor,
        (world.progress, world.clock),
        tree.path(),
        folder,
        "probe-",
    );
    bench.view.clone_from(&tree.pinned.view);
    bench.confine(tree.pinned.confinement.as_ref());
    tree.notes.mark_measuring(true)?;
    let failed = bench.run_verify(state.config())?.err();
    unseen_files::note_cut_short(tree, state.config())?;
    ready.finish()?;
    Ok(failed.map(|why| why.to_string()))
}
