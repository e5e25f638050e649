//! Owns the loop of a run without a person: a turn of the agent, then the trial of what it edited, until a named end.
//! Does not decide on a trial, and does not know whether a terminal, a CI job or nobody listens.
//! Invariant: between two turns the run is at rest and was checked; a failure outside the run never counts as a trial.

mod batch_round;
mod before_turn;
mod notify;
mod setbacks;
mod turn_record;
mod waiting;

use std::path::Path;
use std::time::Duration;

use autoresearch_core::agent::answer::AgentAnswer;
use autoresearch_core::journal::event::{End, Event, Raise, Verdict};
use autoresearch_core::journal::state::Step;

use self::batch_round::{drive_batch, open_batch};
use self::setbacks::{
    RepeatedFailures, block_run, check_kept_state, end_run, try_measuring, wait_out_outage,
};
use self::turn_record::describe_turn;
use crate::agent::{self, EndedTurn, TurnOutcome, TurnRequest};
use crate::finish;
use crate::night::audience::{Audience, DriverEvent, DriverOrder};
use crate::night::driver::before_turn::BeforeTurn;
use crate::run::driven::DRIVER;
use crate::run::entry::{Entry, enter_tree, hold_run};
use crate::run::place::Place;
use crate::run::{session, strategy};
use crate::trial::{self, EndedTrial, TrialRequest};
use autoresearch_sys::env::{Stopwatch, World};
use autoresearch_sys::error::{Failure, FailureKind, Result};
use autoresearch_sys::store;

/// After this many void trials in a row that leave something to restore, a person must act.
const VOIDS: u32 = 3;

/// After this many turns in a row without an idea, a person must act.
const EMPTY: u32 = 3;
/// How the driver left a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DriverExit {
    Ended,
    /// It can continue.
    Open,
}

/// Drives a run to its end, or until it is to be left. The caller holds the lock of `DRIVER`.
pub fn drive_run(world: &World, place: &Place, audience: &mut dyn Audience) -> Result<DriverExit> {
    let left = drive_rounds(world, place, audience);
    if let Err(failure) = &left {
        notify::notify_stuck(world, place, failure, audience);
    }
    left
}

fn drive_rounds(world: &World, place: &Place, audience: &mut dyn Audience) -> Result<DriverExit> {
    let mut failures = RepeatedFailures::default();
    let mut driven = false;
    let mut serial = false;
    loop {
        if let Some(left) = obey_order(world, place, audience)? {
            return Ok(left);
        }
        let Some(before) = before_turn::prepare_turn(world, place, serial)? else {
            if driven {
                finish::claim_gain(world, place)?;
                notify::notify_end(world, place, audience);
            }
            return Ok(DriverExit::Ended);
        };
        driven = true;
        if before.step == Step::Batch {
            drive_batch(world, place, audience, &mut failures)?;
            continue;
        }
        if failures.voids >= VOIDS && !before.foreign.is_empty() {
            let why = format!(
                "{} trials in a row were void, and these files are still changed: {}",
                failures.voids,
                before.foreign.join(", ")
            );
            block_run(world, place, &why)?;
            continue;
        }
        audience.hear_event(&DriverEvent::Turn {
            trial: before.trial,
        });
        let watch = Stopwatch::start();
        let ended = agent::run_turn(world, &make_ask(&before))?;
        record_turn(world, place, &before, (&ended, watch.elapsed()))?;
        match ended.outcome {
            TurnOutcome::Cancelled => before_turn::take_back_turn(world, place)?,
            TurnOutcome::Failed(fault) => {
                failures.faults += 1;
                before_turn::take_back_turn(world, place)?;
                audience.hear_event(&DriverEvent::Failed(&fault));
                wait_out_outage(world, place, audience, &fault, failures.faults)?;
            }
            TurnOutcome::Answered(answer) => {
                failures.faults = 0;
                let answer = answer.unwrap_or_default();
                if before.proposes && answer.hypotheses.len() > 1 {
                    serial = !open_batch(world, place, audience, &answer.hypotheses)?;
                    continue;
                }
                measure_edits(world, place, audience, (&before, &answer), &mut failures)?;
            }
        }
    }
}

fn make_ask(before: &BeforeTurn) -> TurnRequest<'_> {
    TurnRequest {
        agent: &before.agent,
        brief: &before.brief,
        work_tree: before.work_tree.clone(),
        scratch: before.scratch.clone(),
        id: &before.id,
        thread: before.thread.clone(),
        thread_tokens: before.thread_tokens,
        limit: before.limit,
    }
}

/// Does what a person has ordered, and what a signal asks for.
fn obey_order(
    world: &World,
    place: &Place,
    audience: &mut dyn Audience,
) -> Result<Option<DriverExit>> {
    match audience.read_order() {
        Some(DriverOrder::Stop) => {
            end_run(world, place, End::UserStop, "stopped by a person")?;
            Ok(Some(DriverExit::Ended))
        }
        Some(DriverOrder::Pause) => Ok(Some(DriverExit::Open)),
        None if world.is_interrupted() => Ok(Some(DriverExit::Open)),
        None => Ok(None),
    }
}

fn record_turn(
    world: &World,
    place: &Place,
    before: &BeforeTurn,
    ended: (&EndedTurn, Duration),
) -> Result<()> {
    let turn = describe_turn(before.trial, ended);
    let mut held = hold_run(world, place, Entry::Driver)?;
    held.run.store.record_event(Event::Turn(turn))?;
    held.finish().map(drop)
}

/// Has what the agent edited measured, as the run's state asks for it.
fn measure_edits(
    world: &World,
    place: &Place,
    audience: &mut dyn Audience,
    (before, answer): (&BeforeTurn, &AgentAnswer),
    failures: &mut RepeatedFailures,
) -> Result<()> {
    if let Step::Strategy(due) = before.step {
        let plan = answer.strategy.as_deref().unwrap_or(&answer.message);
        let plan = if plan.is_empty() {
            "the agent gave no reason"
        } else {
            plan
        };
        let report = strategy::log_strategy(world, place, due, plan)?;
        audience.hear_event(&DriverEvent::Strategy(&report));
        if report.end.is_some() {
            return Ok(());
        }
    }
    audience.hear_event(&DriverEvent::Measuring);
    let ended = match try_trial(world, place, audience, &make_trial_request(before, answer)) {
        // Nothing was fixed: the rework is given up.
        Err(failure)
            if failure.kind == FailureKind::Usage && matches!(before.step, Step::Rework { .. }) =>
        {
            trial::drop_changes(world, place)?
        }
        // The next look at the run finds out why.
        Err(failure) if failure.kind == FailureKind::Interrupted => return Ok(()),
        other => other?,
    };
    let EndedTrial { decided, report } = &ended;
    failures.voids = if decided.is_void() {
        failures.voids + 1
    } else {
        0
    };
    failures.crashes = if decided.verdict() == Some(Verdict::Crash) {
        failures.crashes + 1
    } else {
        0
    };
    failures.empty = if decided.verdict() == Some(Verdict::NoOp) && answer.nothing_more {
        failures.empty + 1
    } else {
        0
    };
    audience.hear_event(&DriverEvent::Trial(report));
    if decided.verdict() == Some(Verdict::Keep) {
        notify::notify_keep(world, place, report, audience);
    }
    if failures.empty >= EMPTY && report.end.is_none() {
        let why = format!("the agent has nothing more to try: {}", answer.message);
        return end_run(world, place, End::NeedsHuman, &why);
    }
    if failures.crashes >= 2 {
        failures.crashes = 0;
        check_kept_state(world, place, audience)?;
    }
    Ok(())
}

/// Runs a trial, as often as the machine needs.
fn try_trial(
    world: &World,
    place: &Place,
    audience: &mut dyn Audience,
    request: &TrialRequest,
) -> Result<EndedTrial> {
    let measure = || trial::run_trial(world, place, request);
    try_measuring(world, place, audience, measure)
}

fn make_trial_request(before: &BeforeTurn, answer: &AgentAnswer) -> TrialRequest {
    let message = if answer.message.is_empty() {
        "the agent did not say what it changed".to_owned()
    } else {
        answer.message.clone()
    };
    TrialRequest {
        message,
        labels: answer.labels.clone(),
        simplify: answer.simplify,
        rework: matches!(before.step, Step::Rework { .. }),
        again: false,
    }
}

/// Opens a run again that an obstacle has ended, and sets ceilings that lift nothing.
pub fn reopen_run(world: &World, place: &Place, ceilings: Raise) -> Result<()> {
    let mut ready = enter_tree(world, place, Entry::Driver)?;
    ready.run.store.record_event(Event::Raise(ceilings))?;
    session::reopen_session(&ready.finish()?.run.store.layout);
    Ok(())
}

/// Takes the place of the driver of a run: held as long as the file is open.
pub fn take_driver_lock(
    world: &World,
    anchor_folder: &Path,
    command: &str,
) -> Result<store::HeldLock> {
    store::take_lock(&anchor_folder.join(DRIVER), world, command).map_err(Failure::from)
}
