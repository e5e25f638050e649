//! How things are done: git, processes, files and the facts of the machine. Knows no trial.
//!
//! Does not decide anything; `autoresearch_core` does.
//! Invariant: each effect has one home, and `clippy.toml` forbids it elsewhere.

pub mod embedded;
pub mod env;
pub mod error;
pub mod git;
pub mod ledger_store;
mod machine_load;
pub mod machine_memory;
pub mod machine_zones;
pub mod polling;
pub mod process;
pub mod regular_files;
pub mod replacement;
pub mod store;
pub mod toml;
pub mod yaml;
