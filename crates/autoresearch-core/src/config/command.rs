//! Owns `UserCommand`: a command of the user's as it is run, with every default in its place.
//! Does not run it.
//! Invariant: what an older config wrote down is read as it was meant.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::config::choices::Shell;

/// A command of the user's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserCommand {
    /// The text for the shell.
    pub command: String,
    #[serde(default)]
    pub shell: Shell,
    /// How long it may run.
    #[serde(with = "crate::config::span::millis", rename = "timeout_ms")]
    pub timeout: Duration,
    /// Where it runs, from the repository's root.
    pub working_directory: String,
    /// Exit statuses that count as success.
    pub ok_exit: Vec<u8>,
    /// How often a guard that failed is run again.
    #[serde(default)]
    pub retries: u32,
}
