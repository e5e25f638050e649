//! Owns the loop of a run without a person: a turn of the agent, then the trial of what it edited, until a named end.
//! Does not decide on a trial, and does not know whether a terminal, a CI job or nobody listens.
//! Invariant: between two turns the run is at rest and was checked; a failure outside the run never counts as a trial.

mod before_turn;
mod notify;
mod waiting;

use std::path::Path;
use std::time::Duration;

use autoresearch_core::agent::answer::AgentAnswer;
use autoresearch_core::agent::outage::{OutageAnswer, TurnFault};
use autoresearch_core::config::span::whole_millis;
use autoresearch_core::journal::event::{End, Event, Raise, Turn, Verdict};
use autoresearch_core::journal::state::Step;

use self::waiting::WaitEnd;
use crate::agent::{self, EndedTurn, TurnOutcome, TurnRequest};
use crate::finish;
use crate::night::audience::{Audience, DriverEvent, DriverOrder};
use crate::night::driver::before_turn::BeforeTurn;
use crate::run::driven::DRIVER;
use crate::run::entry::{Entry, enter_tree, hold_run};
use crate::run::place::Place;
use crate::run::{session, strategy};
use crate::trial::give_up;
use crate::trial::{self, EndedTrial, TrialRequest};
use crate::watch::tree_changes;
use autoresearch_sys::env::{Stopwatch, World};
use autoresearch_sys::error::{Failure, FailureKind, Result};
use autoresearch_sys::store;

/// After this many void trials in a row that leave something to restore, a person must act.
const VOIDS: u32 = 3;

/// After this many turns in a row without an idea, a person must act.
const EMPTY: u32 = 3;
/// How often a trial is tried again that failed because of the machine and not of the run.
const TRIES: u32 = 4;

/// How the driver left a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DriverExit {
    Ended,
    /// It can continue.
    Open,
}

/// Failures in a row.
#[derive(Default)]
struct RepeatedFailures {
    faults: u32,
    voids: u32,
    crashes: u32,
    /// Turns without an edit whose agent said that it has no idea left.
    empty: u32,
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
    loop {
        if let Some(left) = obey_order(world, place, audience)? {
            return Ok(left);
        }
        let Some(before) = before_turn::prepare_turn(world, place)? else {
            if driven {
                finish::claim_gain(world, place)?;
                notify::notify_end(world, place, audience);
            }
            return Ok(DriverExit::Ended);
        };
        driven = true;
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
    (ended, span): (&EndedTurn, Duration),
) -> Result<()> {
    let (hypothesis, fault) = match &ended.outcome {
        TurnOutcome::Answered(Some(answer)) => (answer.hypothesis.clone(), None),
        TurnOutcome::Answered(None) => (
            String::new(),
            Some("its answer could not be read".to_owned()),
        ),
        TurnOutcome::Failed(fault) => (String::new(), Some(fault.to_string())),
        TurnOutcome::Cancelled => (String::new(), Some("ended by us".to_owned())),
    };
    let fresh = matches!(&ended.outcome, TurnOutcome::Failed(fault) if fault.ends_thread());
    let mut held = hold_run(world, place, Entry::Driver)?;
    held.run.store.record_event(Event::Turn(Turn {
        trial: before.trial,
        thread: ended.thread.clone().filter(|_| !fresh),
        tokens: ended.tokens,
        ms: whole_millis(span),
        hypothesis: autoresearch_core::words::text::clip_text(&hypothesis, 300),
        fault: fault.map(|fault| autoresearch_core::words::text::clip_text(&fault, 300)),
    }))?;
    held.finish().map(drop)
}

/// Waits out what has nothing to do with the run, or gives up.
fn wait_out_outage(
    world: &World,
    place: &Place,
    audience: &mut dyn Audience,
    fault: &TurnFault,
    count: u32,
) -> Result<()> {
    let now = world.now_ms();
    let why = fault.to_string();
    let until_ms = match fault.choose_answer(count, world.patience) {
        OutageAnswer::Fresh => return Ok(()),
        OutageAnswer::GiveUp(why) => return block_run(world, place, &why),
        OutageAnswer::Wait(span) => now + whole_millis(span),
        // A limit that was to be over and is not must not be asked about without a pause.
        OutageAnswer::Until(moment) if count > 1 => moment
            .saturating_mul(1_000)
            .max(now + whole_millis(world.patience.compute_wait(count))),
        OutageAnswer::Until(moment) => moment.saturating_mul(1_000),
    };
    audience.hear_event(&DriverEvent::Waiting {
        why: &why,
        until_ms,
    });
    // Over or called: the next round looks at both.
    waiting::wait_until(world, place, audience, until_ms).map(drop)
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

/// Runs a trial. A machine that cannot do its part now (somebody holds a lock, the disk is full) is given some time: the
/// edits stay, and nothing was measured.
fn try_trial(
    world: &World,
    place: &Place,
    audience: &mut dyn Audience,
    request: &TrialRequest,
) -> Result<EndedTrial> {
    for count in 1..TRIES {
        let failure = match trial::run_trial(world, place, request) {
            Err(failure) if failure.kind == FailureKind::Environment => failure,
            // The edits were taken back after all: the next round looks at the run again.
            Err(failure) if count > 1 && failure.kind == FailureKind::Usage => {
                return Err(Failure::new(FailureKind::Interrupted, failure.error));
            }
            other => return other,
        };
        let until_ms = world.now_ms() + whole_millis(world.patience.compute_wait(count));
        audience.hear_event(&DriverEvent::Waiting {
            why: &failure.error,
            until_ms,
        });
        if waiting::wait_until(world, place, audience, until_ms)? == WaitEnd::Called {
            return Err(Failure::new(FailureKind::Interrupted, failure.error));
        }
    }
    trial::run_trial(world, place, request)
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

/// Two crashes in a row: does verify still work on the kept state? If not, it is not the trials that fail.
fn check_kept_state(world: &World, place: &Place, audience: &mut dyn Audience) -> Result<()> {
    for count in 1.. {
        let Some(why) = before_turn::probe_kept_state(world, place)? else {
            return Ok(());
        };
        let told = format!("verify fails on the kept state too: {why}");
        audience.hear_event(&DriverEvent::Note(&told));
        let tries = world.patience.tries.unwrap_or(3).min(3);
        if count >= tries {
            return block_run(
                world,
                place,
                &format!("{told}; the machine or what verify needs has changed"),
            );
        }
        let wait = TurnFault::Server(why).choose_answer(count, world.patience);
        if let OutageAnswer::Wait(span) = wait {
            let until_ms = world.now_ms() + whole_millis(span);
            audience.hear_event(&DriverEvent::Waiting {
                why: &told,
                until_ms,
            });
            if waiting::wait_until(world, place, audience, until_ms)? == WaitEnd::Called {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Ends the run: a person must act. It can be opened again.
fn block_run(world: &World, place: &Place, why: &str) -> Result<()> {
    end_run(world, place, End::Blocked, why)
}

fn end_run(world: &World, place: &Place, end: End, why: &str) -> Result<()> {
    let mut ready = enter_tree(world, place, Entry::Driver)?;
    if ready.run.store.state.awaiting_rework().is_some() {
        tree_changes::check_head(&ready.tree, &ready.run.store.state)?;
        give_up::give_up_rework(&mut ready)?;
    } else if ready.run.store.state.end.is_none() {
        give_up::take_back_edits(&mut ready, "edits of an interrupted turn")?;
    }
    finish::record_end(&mut ready.run, end, why)?;
    ready.finish().map(drop)
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
