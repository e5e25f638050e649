//! Owns what is done where a round comes to nothing: outages are waited out, measurements tried again, or the run is ended.
//! Does not drive the run.
//! Invariant: a failure outside the run never counts as a trial, and nothing is tried again at once for ever.

use autoresearch_core::agent::outage::{OutageAnswer, TurnFault};
use autoresearch_core::config::span::whole_millis;
use autoresearch_core::journal::event::End;

use super::before_turn;
use super::waiting::{self, WaitEnd};
use crate::finish;
use crate::night::audience::{Audience, DriverEvent};
use crate::run::entry::{Entry, enter_tree};
use crate::run::place::Place;
use crate::trial::give_up;
use crate::watch::tree_changes;
use autoresearch_sys::env::World;
use autoresearch_sys::error::{Failure, FailureKind, Result};

/// How often a trial is tried again that failed because of the machine and not of the run.
const TRIES: u32 = 4;

/// Failures in a row.
#[derive(Default)]
pub(super) struct RepeatedFailures {
    pub faults: u32,
    pub voids: u32,
    pub crashes: u32,
    /// Turns without an edit whose agent said that it has no idea left.
    pub empty: u32,
}

/// Waits out what has nothing to do with the run, or gives up.
pub(super) fn wait_out_outage(
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

/// Measures. A machine that cannot do its part now (somebody holds a lock, the disk is full) is given some time: the edits
/// stay, and nothing was measured.
pub(super) fn try_measuring<T>(
    world: &World,
    place: &Place,
    audience: &mut dyn Audience,
    measure: impl Fn() -> Result<T>,
) -> Result<T> {
    for count in 1..TRIES {
        let failure = match measure() {
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
    measure()
}

/// Two crashes in a row: does verify still work on the kept state? If not, it is not the trials that fail.
pub(super) fn check_kept_state(
    world: &World,
    place: &Place,
    audience: &mut dyn Audience,
) -> Result<()> {
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
pub(super) fn block_run(world: &World, place: &Place, why: &str) -> Result<()> {
    end_run(world, place, End::Blocked, why)
}

pub(super) fn end_run(world: &World, place: &Place, end: End, why: &str) -> Result<()> {
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
