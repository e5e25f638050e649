//! The product: the commands of codex-autoresearch, one room for each noun of the GUIDE.
//!
//! The map, the walls between the crates and the journal protocol are in `crates/ARCHITECTURE.md`.

pub mod agent;
pub mod cli;
pub mod config;
pub mod demo;
pub mod doctor;
pub mod finish;
pub mod hook;
pub mod look;
pub mod night;
pub mod run;
pub mod start;
pub mod trial;
pub mod watch;
