//! Owns `Run`: the records of a run, and who asks: everything that a run has besides its work tree.
//! Does not know git, and is not opened here: `Glance`, `Held` and `Ready` hold one.
//! Invariant: environment and caller are those of the start and of this process, and nobody changes them in between.

pub mod driven;
pub mod entry;
pub mod glance;
pub mod held;
pub mod lessons;
pub mod lost;
pub mod place;
pub mod raise;
pub mod ready;
pub mod repair;
pub mod resume;
pub mod session;
pub mod strategy;
pub mod tree;
pub mod under_way;

use std::ffi::OsString;

use autoresearch_core::agent::caller::{Caller, Reader};
use autoresearch_core::journal::story::Story;
use autoresearch_core::words::brief;
use autoresearch_core::words::table::Row;

use crate::run::under_way::UnderWay;
use autoresearch_sys::env::{ProcessRole, World};
use autoresearch_sys::error::{Failure, Result};
use autoresearch_sys::store::{Holder, RunStore};

pub use self::place::Place;

/// A run without its work tree.
pub struct Run<'w> {
    pub world: &'w World,
    pub store: RunStore<'w>,
    /// The environment of verify and guard.
    pub env: Vec<(OsString, OsString)>,
    /// How the caller has to call the tool.
    pub caller: Caller,
}

impl Run<'_> {
    /// Adds the secrets of the caller to the commands' environment, if they are those of the start.
    pub fn admit_secrets(&mut self) -> Result<()> {
        for (name, sealed) in &self.store.pinned.secrets {
            let value = self
                .world
                .find_variable(name)
                .and_then(|value| value.to_str());
            match value {
                Some(value) if sealed.is_value(value) => self.env.push((name.into(), value.into())),
                Some(_) => {
                    return Err(Failure::blocked(format!(
                        "the secret `{name}` has changed since the start"
                    ))
                    .hint("export the same value, or start a new run"));
                }
                None => {
                    return Err(Failure::blocked(format!("the secret `{name}` is not set"))
                        .hint(format!("export {name} with the value that it had at start")));
                }
            }
        }
        Ok(())
    }

    /// The last rows of the log, oldest first, without the baseline.
    pub fn read_last_rows(&self, most: usize) -> Result<Vec<Row>> {
        let records = self.store.read_last_records()?;
        Ok(Story::of(&self.store.state.start, &records).list_last_rows(most))
    }

    /// The next step in one sentence.
    #[must_use]
    pub(super) fn next_step(&self) -> String {
        brief::format_next_step(&self.store.state, &self.caller)
    }

    /// What another process does on the run now. This process must not hold the run.
    #[must_use]
    pub fn find_under_way(&self) -> Option<UnderWay> {
        if self.store.holds_lock() {
            return None;
        }
        UnderWay::find_at(self.world, &self.store.anchor_folder)
    }

    /// Who drives the run without a person, if anybody does but this process.
    #[must_use]
    pub fn find_driver(&self) -> Option<Holder> {
        if self.world.role == ProcessRole::Driver {
            return None;
        }
        driven::find_driver(&self.store.anchor_folder)
    }

    /// The word for what is due, and the next step, for somebody who only looks: to wait, while another process works on
    /// the run.
    #[must_use]
    pub fn next_step_meanwhile(&self) -> (&'static str, String) {
        let program = &self.caller.program;
        let own = || (self.store.state.next_step().as_str(), self.next_step());
        if self.store.state.end.is_some() {
            return own();
        }
        if let Some(under_way) = self.find_under_way() {
            return ("wait", under_way.next_step(program));
        }
        match (self.find_driver(), self.caller.reader) {
            (None, _) => own(),
            (Some(driver), Reader::Agent) => (
                "wait",
                format!(
                    "next: nothing to do, change no file: process {} works on the run without you; `{program} status` looks again",
                    driver.pid
                ),
            ),
            (Some(driver), Reader::Person) => (
                "wait",
                format!(
                    "next: nothing to do, change no file: process {} (`{}`) works on the run; `{program} background status` shows it, `{program} background pause` gives it back to you",
                    driver.pid, driver.command
                ),
            ),
        }
    }
}
