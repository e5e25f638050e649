//! Owns the waiting between turns: without a busy loop, by the clock on the wall, and ended by an order or a ceiling.
//! Does not know what is waited for.
//! Invariant: a clock that jumps, or a machine that slept, never makes the wait longer than it was meant to be.

use std::ops::ControlFlow;
use std::time::Duration;

use crate::night::audience::Audience;
use crate::run::glance::Glance;
use crate::run::place::{Place, WantedRun};
use autoresearch_sys::env::World;
use autoresearch_sys::error::Result;
use autoresearch_sys::polling::{PollLimit, poll_until};
use autoresearch_sys::store::Access;

/// How often orders and the clock are looked at.
const GLANCE: Duration = Duration::from_millis(200);

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WaitEnd {
    /// The moment has come, or the run's own time is up.
    Over,
    Called,
}

/// Waits until a moment, in milliseconds since 1970.
pub(super) fn wait_until(
    world: &World,
    place: &Place,
    audience: &mut dyn Audience,
    until_ms: u64,
) -> Result<WaitEnd> {
    let glance = Glance::open_run(world, place, WantedRun::Latest, Access::Glance, "driver")?;
    let (state, meant) = (
        glance.with_tree()?.run.store.state,
        until_ms.saturating_sub(world.now_ms()),
    );
    let watch = autoresearch_sys::env::Stopwatch::start();
    Ok(poll_until(PollLimit::Endless, GLANCE, || {
        let now = world.now_ms();
        let over = now >= until_ms || watch.elapsed() >= Duration::from_millis(meant);
        if over || state.find_due_end(now).is_some() {
            return ControlFlow::Break(WaitEnd::Over);
        }
        if world.is_interrupted() || audience.read_order().is_some() {
            return ControlFlow::Break(WaitEnd::Called);
        }
        ControlFlow::Continue(WaitEnd::Over)
    }))
}
