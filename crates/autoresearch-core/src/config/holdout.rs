//! Owns `Holdout`: the check that the one who edits is not shown, as it is typed and as it is meant.
//! Does not know where it is kept.
//! Invariant: no part of it is in a `Config`, so that nothing which freezes or shows a config can hold it.

mod meaning;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::choices::Shell;
use crate::config::command::UserCommand;

/// A check that the one who edits is not shown. Only a config outside the repository may hold it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HoldoutFile {
    /// The text for the shell. A status other than 0 fails; a line `METRIC name=value` with the metric of the config must not get worse.
    pub command: String,
    /// When it runs: before each `keep`, or once at the `end`.
    #[serde(default)]
    pub every: HoldoutTime,
    /// The shell: `sh`, or `bash` with `-o pipefail`.
    #[serde(default)]
    pub shell: Shell,
    /// How long it may run, such as `90s` or `10m`. Default: 10m.
    #[serde(default)]
    pub timeout: Option<String>,
    /// Where it runs, from the repository's root. Default: the root.
    #[serde(default)]
    pub working_directory: Option<String>,
    /// Exit statuses that count as success. Default: only 0.
    #[serde(default = "default_ok_exit")]
    pub ok_exit: Vec<u8>,
}

fn default_ok_exit() -> Vec<u8> {
    vec![0]
}

/// When a holdout runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum HoldoutTime {
    /// Before each keep.
    #[default]
    Keep,
    /// Once, on what was kept, when the run is left.
    End,
}

/// The check as it is run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holdout {
    pub command: UserCommand,
    pub every: HoldoutTime,
}
