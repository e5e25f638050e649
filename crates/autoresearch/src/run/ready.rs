//! Owns `Ready`: a held run that can be acted on: repository checked, crash repaired, work tree at hand.
//! Does not make a run ready; `entry` does.
//! Invariant: the way back to a `Glance`, from which every answer is made, writes the views.

use autoresearch_sys::error::{Failure, Result};

use crate::run::Run;
use crate::run::glance::{Glance, Seat};
use crate::run::tree::Tree;

/// What a repair did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RepairResult {
    /// One sentence for each thing that was done.
    pub done: Vec<String>,
    /// The interrupted trial with which edits were taken back; its commit holds them.
    pub taken_back: Option<u32>,
}

/// A run that can be acted on.
#[must_use = "a command that writes ends in `finish`"]
pub struct Ready<'w> {
    pub run: Run<'w>,
    pub tree: Tree<'w>,
    /// What was repaired on the way here.
    pub repaired: RepairResult,
}

impl<'w> Ready<'w> {
    /// Leaves the run: the views are written, and what is answered is made from the glance.
    pub fn finish(mut self) -> Result<Glance<'w>> {
        self.run.store.write_views()?;
        Ok(Glance {
            run: self.run,
            seat: Seat::Tree(Box::new(self.tree)),
        })
    }

    /// Leaves a run that was repaired and is not acted on.
    #[must_use]
    pub fn refuse(self, failure: Failure) -> Failure {
        match self.finish() {
            Ok(_) => failure,
            Err(error) => error,
        }
    }
}
