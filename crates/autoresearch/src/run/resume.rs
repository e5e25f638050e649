//! Owns `resume`: a fresh agent finds the run as it is, with everything repaired, and a brief to go on from.
//! Does not need anything but the files of the run.
//! Invariant: the brief is under 1,500 characters and ends with the next step.

use std::fmt;

use autoresearch_core::words::brief;
use serde::Serialize;

use crate::run::driven::refuse_driven;
use crate::run::entry::{Entry, enter_run};
use crate::run::glance::Glance;
use crate::run::lessons::read_quotes;
use crate::run::place::{Place, WantedRun};
use crate::run::session;
use crate::watch::tree_changes;
use autoresearch_sys::env::World;
use autoresearch_sys::error::Result;
use autoresearch_sys::store::Access;

/// How many rows the brief quotes.
const ROWS: usize = 5;

/// The answer of `resume`.
#[derive(Clone, Debug, Serialize)]
pub struct ResumeReport {
    pub run: String,
    pub repaired: Vec<String>,
    /// Files in the scope that are changed and not measured yet.
    pub unmeasured: Vec<String>,
    pub brief: String,
    /// The run's end, when it has come.
    pub end: Option<&'static str>,
    pub due: &'static str,
}

/// Finds, checks and repairs the run.
pub fn resume_run(world: &World, place: &Place) -> Result<ResumeReport> {
    let confined = session::is_confined(world);
    let (glance, done) = if confined {
        look_confined(world, place)?
    } else {
        let entered = enter_run(world, place, Entry::Resume)?;
        let done = entered.list_repairs().to_vec();
        (entered.finish()?, done)
    };
    let (run, state) = (&glance.run, &glance.run.store.state);
    session::take_up_run(run, glance.seat.history());
    let mut unmeasured = Vec::new();
    if state.end.is_none() {
        let tree = glance.tree()?;
        if !state.needs_repair() {
            tree_changes::check_head(tree, state)?;
        }
        unmeasured = tree_changes::read_changes(tree, state)?
            .ours
            .iter()
            .map(ToString::to_string)
            .collect();
    }
    let rows = run.read_last_rows(ROWS)?;
    let waits = confined.then(|| run.next_step_meanwhile());
    let quoted = read_quotes(run, &rows);
    let mut brief = brief::format_brief(state, &rows, &quoted, &run.caller);
    let mut due_now = state.next_step().as_str();
    if let Some(("wait", next)) = waits {
        brief = brief::format_busy_brief(&brief, &next);
        due_now = "wait";
    }
    Ok(ResumeReport {
        run: state.start.run.clone(),
        repaired: done,
        unmeasured,
        brief,
        end: state.end.as_ref().map(|ending| ending.end.as_str()),
        due: due_now,
    })
}

/// In a sandbox nothing can be repaired.
fn look_confined<'w>(world: &'w World, place: &Place) -> Result<(Glance<'w>, Vec<String>)> {
    let glance = Glance::open_run(world, place, WantedRun::Latest, Access::Read, "resume")?;
    refuse_driven(world, &glance.run.store.anchor_folder)?;
    let mut done = Vec::new();
    if glance.run.store.state.needs_repair() {
        done.push("nothing yet: a command was interrupted, and the session hook undoes it when this turn ends".to_owned());
    }
    Ok((glance, done))
}

impl fmt::Display for ResumeReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for done in &self.repaired {
            writeln!(out, "repaired: {done}")?;
        }
        if let Some(first) = self.unmeasured.first() {
            let (more, which) = match self.unmeasured.len() - 1 {
                0 => (String::new(), "it"),
                more => (format!(" and {more} more"), "them"),
            };
            writeln!(
                out,
                "changed and not measured: {first}{more}; a trial measures {which}, `autoresearch trial --drop` undoes {which}"
            )?;
        }
        write!(out, "{}", self.brief)
    }
}

#[cfg(test)]
mod tests;
