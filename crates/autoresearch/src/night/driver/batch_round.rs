//! Owns a batch in a run without a person: hypotheses are proposed in one turn, tried in turns at the same time, and closed.
//! Does not measure or choose.
//! Invariant: a turn that failed for a reason of the account or the service is made again, and no other turn with it.

use std::path::PathBuf;
use std::time::Duration;

use autoresearch_core::agent::outage::TurnFault;
use autoresearch_core::config::Agent;
use autoresearch_core::journal::batch::WorkerId;
use autoresearch_core::journal::event::{Event, Turn, Verdict};
use autoresearch_core::words::brief::TurnTask;

use super::before_turn::{make_turn_brief, turn_limit};
use super::notify;
use super::setbacks::{RepeatedFailures, check_kept_state, try_measuring, wait_out_outage};
use super::turn_record::describe_turn;
use crate::agent::{self, EndedTurn, TurnOutcome, TurnRequest};
use crate::batch::{self, BatchReport, BatchRequest, find_worker_tree, restore_trees};
use crate::night::audience::{Audience, DriverEvent};
use crate::night::driver::before_turn;
use crate::run::entry::{Entry, enter_tree, hold_run};
use crate::run::place::Place;
use autoresearch_sys::env::{Stopwatch, World};
use autoresearch_sys::error::{Failure, FailureKind, Result};

/// The turn of a worker, before it begins.
struct WorkerTurn {
    worker: WorkerId,
    brief: String,
    work_tree: PathBuf,
    /// A folder outside of it for the turn's own files.
    scratch: PathBuf,
}

/// The turns of a batch that are made now.
struct BatchTurns {
    trial: u32,
    id: String,
    agent: Agent,
    limit: Duration,
    turns: Vec<WorkerTurn>,
}

/// Opens a batch of what a turn proposed. What that turn edited all the same is taken back. Returns whether batches can be
/// had; where they cannot, the run goes on without.
pub(super) fn open_batch(
    world: &World,
    place: &Place,
    audience: &mut dyn Audience,
    hypotheses: &[String],
) -> Result<bool> {
    before_turn::take_back_turn(world, place)?;
    let request = BatchRequest {
        hypotheses: hypotheses.to_vec(),
        stack: false,
    };
    match batch::open_batch(world, place, &request) {
        Ok(_) => Ok(true),
        // The next look at the run finds out why.
        Err(failure) if failure.kind == FailureKind::Interrupted => Ok(true),
        Err(failure) => {
            let told = format!(
                "{}; it goes on with one trial after the other",
                failure.error
            );
            audience.hear_event(&DriverEvent::Note(&told));
            Ok(false)
        }
    }
}

/// Goes on with the open batch: the turns that are left, at the same time; or its close.
pub(super) fn drive_batch(
    world: &World,
    place: &Place,
    audience: &mut dyn Audience,
    failures: &mut RepeatedFailures,
) -> Result<()> {
    let turns = prepare_turns(world, place)?;
    if turns.turns.is_empty() {
        return close_batch(world, place, audience, failures);
    }
    audience.hear_event(&DriverEvent::Turn { trial: turns.trial });
    let ended = run_turns(world, &turns);
    let mut outage = None;
    let mut records = Vec::new();
    for (worker, ended) in turns.turns.iter().map(|turn| turn.worker).zip(ended) {
        let (ended, span) = ended?;
        let fault = match &ended.outcome {
            TurnOutcome::Failed(fault) => Some(fault.clone()),
            TurnOutcome::Answered(_) | TurnOutcome::Cancelled => None,
        };
        let told = describe_turn(turns.trial, (&ended, span));
        // An answer that cannot be read may have left edits all the same.
        let answered = matches!(ended.outcome, TurnOutcome::Answered(_));
        records.push(Turn {
            fault: told.fault.filter(|_| !answered),
            worker: Some(worker),
            given_up: fault.as_ref().is_some_and(TurnFault::is_of_turn),
            thread: None,
            ..told
        });
        if let Some(fault) = fault {
            audience.hear_event(&DriverEvent::Failed(&fault));
            if !fault.is_of_turn() {
                outage.get_or_insert(fault);
            }
        }
    }
    record_turns(world, place, records)?;
    match outage {
        None => {
            failures.faults = 0;
            Ok(())
        }
        Some(fault) => {
            failures.faults += 1;
            wait_out_outage(world, place, audience, &fault, failures.faults)
        }
    }
}

/// What the workers without an answer are asked, each in a tree as it was when the batch was opened.
fn prepare_turns(world: &World, place: &Place) -> Result<BatchTurns> {
    let ready = enter_tree(world, place, Entry::Driver)?;
    let state = &ready.run.store.state;
    let mut prepared = BatchTurns {
        trial: state.next_trial,
        id: state.start.id.clone(),
        agent: state.config().agent.clone(),
        limit: turn_limit(state, world.now_ms()),
        turns: Vec::new(),
    };
    let Some(open) = state.batch.clone().filter(|_| state.end.is_none()) else {
        ready.finish()?;
        return Ok(prepared);
    };
    prepared.trial = open.batch.trial;
    let waiting: Vec<WorkerId> = open.list_waiting().map(|(worker, _)| worker).collect();
    restore_trees(&ready, &waiting)?;
    for (worker, hypothesis) in open.list_waiting() {
        let siblings = open.batch.list_workers();
        let others: Vec<&str> = siblings
            .filter(|(other, _)| *other != worker)
            .map(|(_, other)| other)
            .collect();
        let task = TurnTask::Try {
            hypothesis,
            others: &others,
        };
        let scratch = ready
            .run
            .store
            .anchor_folder
            .join(format!("turn-{}", worker.letter()));
        std::fs::create_dir_all(&scratch).map_err(|error| {
            Failure::io(format!("could not create {}", scratch.display()), &error)
        })?;
        let work_tree = find_worker_tree(world, &state.start.id, worker);
        prepared.turns.push(WorkerTurn {
            worker,
            brief: make_turn_brief(&ready.run, &ready.tree, &[], task)?,
            work_tree: work_tree.ok_or_else(|| {
                Failure::new(FailureKind::Internal, "the tree of a worker has no note")
            })?,
            scratch,
        });
    }
    ready.finish()?;
    Ok(prepared)
}

/// Runs the turns at the same time. Each ends with everything that it started.
fn run_turns(world: &World, turns: &BatchTurns) -> Vec<Result<(EndedTurn, Duration)>> {
    let run_one = |turn: &WorkerTurn| {
        let watch = Stopwatch::start();
        let ask = TurnRequest {
            agent: &turns.agent,
            brief: &turn.brief,
            work_tree: turn.work_tree.clone(),
            scratch: turn.scratch.clone(),
            id: &turns.id,
            thread: None,
            thread_tokens: 0,
            limit: turns.limit,
        };
        agent::run_turn(world, &ask).map(|ended| (ended, watch.elapsed()))
    };
    std::thread::scope(|scope| {
        let started: Vec<_> = turns
            .turns
            .iter()
            .map(|turn| scope.spawn(move || run_one(turn)))
            .collect();
        let ended = started.into_iter().map(|thread| {
            let gone = || Failure::new(FailureKind::Internal, "a turn broke off");
            thread.join().unwrap_or_else(|_| Err(gone()))
        });
        ended.collect()
    })
}

fn record_turns(world: &World, place: &Place, turns: Vec<Turn>) -> Result<()> {
    let mut held = hold_run(world, place, Entry::Driver)?;
    for turn in turns {
        held.run.store.record_event(Event::Turn(turn))?;
    }
    held.finish().map(drop)
}

/// Has what the workers edited measured.
fn close_batch(
    world: &World,
    place: &Place,
    audience: &mut dyn Audience,
    failures: &mut RepeatedFailures,
) -> Result<()> {
    audience.hear_event(&DriverEvent::Measuring);
    let report = match try_measuring(world, place, audience, || batch::close_batch(world, place)) {
        Ok(report) => report,
        // The next look at the run finds out why.
        Err(failure) if failure.kind == FailureKind::Interrupted => return Ok(()),
        // A ceiling was reached meanwhile: the run has ended.
        Err(failure) if failure.kind == FailureKind::Usage && has_ended(world, place)? => {
            return Ok(());
        }
        Err(failure) => return Err(failure),
    };
    for line in describe_workers(&report) {
        audience.hear_event(&DriverEvent::Note(&line));
    }
    for trial in &report.trials {
        audience.hear_event(&DriverEvent::Trial(trial));
        if trial.verdict == Verdict::Keep.as_str() {
            notify::notify_keep(world, place, trial, audience);
        }
    }
    failures.voids = 0;
    failures.empty = 0;
    let crash = Some(Verdict::Crash.as_str());
    if report.workers.iter().all(|worker| worker.status == crash) {
        check_kept_state(world, place, audience)?;
    }
    Ok(())
}

fn has_ended(world: &World, place: &Place) -> Result<bool> {
    let held = hold_run(world, place, Entry::Driver)?;
    let ended = held.run.store.state.end.is_some();
    held.finish()?;
    Ok(ended)
}

/// One line for each worker, for the log.
fn describe_workers(report: &BatchReport) -> Vec<String> {
    let workers = report.workers.iter();
    workers
        .map(|worker| worker.to_string().trim_start().to_owned())
        .collect()
}
