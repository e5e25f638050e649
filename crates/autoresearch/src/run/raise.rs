//! Owns `raise`: a person changes the limits of a run, and one that had ended at a limit is open again.
//! Does not start anything: the next trial, or `background start`, goes on.
//! Invariant: no agent lifts a limit; one that is set and reached already is refused, so that no run ends again at once.

use std::fmt;

use autoresearch_core::config::span;
use autoresearch_core::decide::limits::Ceiling;
use autoresearch_core::journal::event::{Event, Raise};
use autoresearch_core::journal::state::RunState;
use autoresearch_core::words::brief::format_used_of_limit;
use serde::Serialize;

use crate::run::Run;
use crate::run::entry::{Entry, enter_run};
use crate::run::place::Place;
use crate::run::session;
use autoresearch_sys::env::World;
use autoresearch_sys::error::{Failure, Result};

/// The answer of `raise`.
#[derive(Clone, Debug, Serialize)]
pub struct RaiseReport {
    pub run: String,
    /// Had it ended, and is it open again?
    pub reopened: bool,
    /// The limit of trials; `null` where there is none.
    pub iterations: Option<u32>,
    /// Trials that count against it.
    pub iterations_used: u32,
    /// The limit of the time since the start, in milliseconds.
    pub time_limit_ms: Option<u64>,
    /// A moment at which the run ends, in milliseconds since 1970.
    pub until_ms: Option<u64>,
    /// The limit of the agent's tokens.
    pub tokens: Option<u64>,
    /// The limit of verify's runs in trials.
    pub verify_runs: Option<u32>,
    pub due: &'static str,
    pub next: String,
}

pub fn raise_limits(world: &World, place: &Place, raise: Raise) -> Result<RaiseReport> {
    session::refuse_agent(world, "to raise a ceiling")?;
    let mut entered = enter_run(world, place, Entry::Raise)?;
    let run = entered.run_mut();
    if let Err(failure) = check_limits(run, &raise) {
        return Err(entered.refuse(failure));
    }
    let reopened = run.store.state.end.is_some();
    run.store.record_event(Event::Raise(raise))?;
    let glance = entered.finish()?;
    session::reopen_session(&glance.run.store.layout);
    let state = &glance.run.store.state;
    let limits = state.limits;
    Ok(RaiseReport {
        run: state.start.run.clone(),
        reopened,
        iterations: limits.iterations,
        iterations_used: state.counts.count_iterations(),
        time_limit_ms: limits.time_limit_ms,
        until_ms: limits.until_ms,
        tokens: limits.tokens,
        verify_runs: limits.verify_runs,
        due: state.next_step().as_str(),
        next: format!(
            "{}; or hand it over: autoresearch background start",
            glance.next_step()
        ),
    })
}

/// Can these limits be set, so that the run goes on?
pub fn check_limits(run: &Run<'_>, raise: &Raise) -> Result<()> {
    let state = &run.store.state;
    if *raise == Raise::default() {
        return Err(Failure::usage("no limit was named")
            .hint(format!("name one: {}", suggest_raise(state, run.world))));
    }
    refuse_final(state)?;
    match state.find_ceiling_with(raise, run.world.now_ms()) {
        None => Ok(()),
        Some((ceiling, why)) => Err(Failure::usage(format!(
            "the run would end again at once: {why}"
        ))
        .hint(format!(
            "nothing was changed. Limits count from the start of the run, all in all: set {} higher than what is used",
            ceiling.as_flag()
        ))),
    }
}

/// Refuses a run that has ended for good.
pub fn refuse_final(state: &RunState) -> Result<()> {
    let run = &state.start.run;
    if state.finish.is_some() {
        return Err(Failure::usage(format!(
            "the run `{run}` is finished: `finish` has checked out what was there before it"
        ))
        .hint("`autoresearch start` starts a new run"));
    }
    match state
        .end
        .as_ref()
        .filter(|ending| !ending.end.can_be_lifted())
    {
        None => Ok(()),
        Some(ending) => Err(Failure::usage(format!(
            "the run `{run}` has ended: {}",
            ending.end.as_str()
        ))
        .hint(
            "only a run that reached a limit or was blocked can be reopened; `autoresearch start` starts a new run",
        )),
    }
}

/// The command that lifts the limit that the run has come to.
#[must_use]
pub fn suggest_raise(state: &RunState, world: &World) -> String {
    let reached = state.find_ceiling_with(&Raise::default(), world.now_ms());
    let ceiling = reached.map_or(Ceiling::Iterations, |(ceiling, _)| ceiling);
    format!("`autoresearch raise {}`", ceiling.as_flag())
}

impl fmt::Display for RaiseReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let open = if self.reopened {
            ": it had ended, and is open again"
        } else {
            ""
        };
        writeln!(out, "run `{}`{open}", self.run)?;
        let used = format_used_of_limit(self.iterations_used, self.iterations);
        writeln!(out, "  trials      {used}")?;
        if let Some(limit) = self.time_limit_ms {
            let limit = span::format_span(std::time::Duration::from_millis(limit));
            writeln!(out, "  time        {limit} since the start")?;
        }
        if let Some(until) = self.until_ms {
            writeln!(
                out,
                "  until       {}",
                autoresearch_sys::env::clock_text(until)
            )?;
        }
        if let Some(tokens) = self.tokens {
            writeln!(out, "  tokens      {tokens}")?;
        }
        if let Some(runs) = self.verify_runs {
            writeln!(out, "  verify runs {runs}")?;
        }
        write!(out, "{}", self.next)
    }
}

#[cfg(test)]
mod tests;
