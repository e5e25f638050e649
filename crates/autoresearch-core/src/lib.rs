//! What codex-autoresearch decides: the meaning of a config, the reading of a metric, the verdict on a trial, the
//! ladder out of a dead end, the events of the journal and the state they add up to.
//!
//! Does not touch files, processes, clock, environment or terminal: the crate's `clippy.toml` forbids them.
//! Invariant: the same input gives the same answer, on any machine, at any time.

pub mod answer;
pub mod brief;
pub mod caller;
pub mod chain;
pub mod command_words;
pub mod condition;
pub mod config;
pub mod event;
pub mod excerpt;
pub mod executed;
pub mod globs;
pub mod judge;
pub mod jump;
pub mod ladder;
pub mod lessons;
pub mod limits;
pub mod measurement;
pub mod name;
pub mod noise;
pub mod plot;
pub mod schema;
pub mod screen;
pub mod session;
pub mod shell;
pub mod shell_variables;
pub mod span;
pub mod state;
pub mod table;
pub mod unit;
pub mod value;
pub mod weather;
pub mod why;
