//! Owns the strategy rows: refine, pivot, search.
//! Does not decide which is due; the ladder does.
//! Invariant: a row that is due is logged before the next trial, and one that hides it is refused.

use std::fmt;

use autoresearch_core::config::LadderMode;
use autoresearch_core::decide::ladder::{Due, Strategy};
use autoresearch_core::journal::event::{Event, StrategyRow};
use autoresearch_core::words::brief;
use autoresearch_core::words::text::{clip_text, format_count};
use serde::Serialize;

use crate::run::entry::{Entry, enter_tree};
use crate::run::place::Place;
use crate::run::{lessons, repair};
use autoresearch_sys::env::World;
use autoresearch_sys::error::{Failure, Result};

/// The answer of `strategy`.
#[derive(Clone, Debug, Serialize)]
pub struct StrategyReport {
    pub run: String,
    pub logged: &'static str,
    /// Failed trials since the last keep or pivot.
    pub failures: u32,
    /// Pivots since the last keep.
    pub pivots: u32,
    /// What this row brings nearer, where nobody had asked for it.
    pub warning: Option<String>,
    /// The run's end, when it has come.
    pub end: Option<&'static str>,
    /// What is due now.
    pub due: &'static str,
    pub next: String,
}

/// Logs a strategy row.
pub fn log_strategy(
    world: &World,
    place: &Place,
    strategy: Strategy,
    message: &str,
) -> Result<StrategyReport> {
    let message = message.trim();
    if message.is_empty() {
        return Err(
            Failure::usage("the message is empty").hint("say the reason and the plan: -m \"...\"")
        );
    }
    let mut ready = enter_tree(world, place, Entry::Step("strategy"))?;
    let run = &mut ready.run;
    let next = brief::format_next_step(&run.store.state, &run.caller);
    if let Some(rework) = run.store.state.awaiting_rework() {
        return Err(
            Failure::usage(format!("trial {} waits for a rework", rework.trial))
                .hint(next.trim_start_matches("next: ")),
        );
    }
    let ladder = run.store.state.ladder;
    let enforced = run.store.state.config().ladder == LadderMode::Enforce;
    if enforced && !ladder.accepts_row(strategy) {
        let wanted = match ladder.find_due() {
            Due::Row(wanted) => wanted.as_str(),
            Due::Nothing | Due::NeedsHuman => "person",
        };
        return Err(Failure::usage(format!(
            "a {wanted} is due, and a {} does not replace it",
            strategy.as_str()
        ))
        .hint(next.trim_start_matches("next: ")));
    }
    let row = StrategyRow {
        strategy,
        message: clip_text(message, 500),
    };
    run.store.record_event(Event::Strategy(row.clone()))?;
    if strategy != Strategy::Refine {
        lessons::add_pivot_lesson(run, &row);
    }
    repair::end_if_due(run)?;
    let glance = ready.finish()?;
    let state = &glance.run.store.state;
    let asked_for = matches!(ladder.find_due(), Due::Row(_));
    let near_the_end =
        enforced && !asked_for && state.end.is_none() && state.ladder.is_last_pivot();
    Ok(StrategyReport {
        run: state.start.run.clone(),
        logged: strategy.as_str(),
        failures: state.ladder.failures,
        pivots: state.ladder.pivots,
        warning: near_the_end.then(|| format!(
            "{} without a keep: one more pivot ends the run (needs-human), and so do 5 failed trials",
            format_count(state.ladder.pivots, "pivot")
        )),
        end: state.end.as_ref().map(|ending| ending.end.as_str()),
        due: state.next_step().as_str(),
        next: glance.next_step(),
    })
}

impl fmt::Display for StrategyReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            out,
            "{} logged; {} failed since, {} without a keep",
            self.logged,
            self.failures,
            format_count(self.pivots, "pivot")
        )?;
        if let Some(warning) = &self.warning {
            writeln!(out, "warning: {warning}")?;
        }
        write!(out, "{}", self.next)
    }
}

#[cfg(test)]
mod tests;
