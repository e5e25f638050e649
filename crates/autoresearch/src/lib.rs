//! The product: the commands of codex-autoresearch, one room for each noun of the GUIDE.
//!
//! The map and the walls between the crates are in `crates/ARCHITECTURE.md`, the journal protocol in `crates/docs/journal.md`.

pub(crate) mod agent;
mod batch;
pub mod cli;
pub mod config;
pub(crate) mod demo;
pub(crate) mod doctor;
pub(crate) mod finish;
pub(crate) mod hook;
pub(crate) mod look;
pub mod modes;
pub mod night;
pub mod run;
pub mod scan;
pub mod start;
pub mod trees;
pub mod trial;
pub(crate) mod watch;
