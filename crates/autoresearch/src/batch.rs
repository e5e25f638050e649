//! Owns a batch: hypotheses that are tried at once, each in a work tree of its own.
//! Does not keep anything by what was measured there: what is chosen is a trial like any other, with runs of its own.
//! Invariant: one record says that a batch is open; trees that no record knows are made anew when they are asked for.

mod close;
mod edits;
mod open;
mod pick;
pub(crate) mod report;
mod worker;

pub(crate) use self::close::{abort_batch, close_batch, give_up_batch};
pub(crate) use self::open::{BatchRequest, open_batch};
pub(crate) use self::report::BatchReport;
pub(crate) use self::worker::{find_worker_tree, restore_trees};
