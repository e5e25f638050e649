//! Owns the records of a run: what happened, their chain, and the folds over them.
//! Does not store them.
//! Invariant: everything that a run shows follows from its records.

pub mod batch;
pub mod chain;
pub mod claim;
pub mod event;
pub mod guard;
pub mod ledger;
pub mod measured;
pub mod remeasured;
pub mod runs;
#[cfg(test)]
pub(crate) mod sample;
pub mod state;
pub mod story;
pub mod trial_story;
pub mod unwritten;
pub mod worker_id;
