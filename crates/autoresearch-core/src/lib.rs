//! What codex-autoresearch decides: the meaning of a config, the reading of a metric, the verdict on a trial, the
//! ladder out of a dead end, the events of the journal and the state they add up to.
//!
//! Does not touch files, processes, clock, environment or terminal: the crate's `clippy.toml` forbids them.
//! Invariant: the same input gives the same answer, on any machine, at any time.

pub mod agent;
pub mod config;
pub mod decide;
pub mod git_names;
pub mod journal;
pub mod ledger;
pub mod metric;
pub mod scan;
pub mod shell;
pub mod words;
