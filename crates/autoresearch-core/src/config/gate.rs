//! Owns `Gate`: a check that must pass before a release, as it is typed and as it is meant.
//! Does not judge an output; `decide/gate` does.
//! Invariant: what a gate expects is fixed with its command, so that nothing which is printed can choose it.

mod meaning;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::choices::Shell;
use crate::config::command::UserCommand;

/// A check that must pass before a release.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GateFile {
    /// What stands in the checklist, in a few words.
    pub name: String,
    /// The text for the shell.
    pub command: String,
    /// What must hold for it to pass. Default: the exit status 0.
    #[serde(default)]
    pub expect: ExpectFile,
    /// Does it have to pass? One that does not is told, and not counted. Default: true.
    #[serde(default = "yes")]
    pub required: bool,
    /// The shell: `sh`, or `bash` with `-o pipefail`.
    #[serde(default)]
    pub shell: Shell,
    /// How long it may run, such as `90s` or `10m`. Default: 10m.
    #[serde(default)]
    pub timeout: Option<String>,
    /// Where it runs, from the repository's root. Default: the root.
    #[serde(default)]
    pub working_directory: Option<String>,
}

/// What must hold for a gate to pass: all that is written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpectFile {
    /// The exit status. Default: 0.
    #[serde(default)]
    pub exit: u8,
    /// A regular expression that its output must match somewhere; `^` and `$` are the ends of a line.
    #[serde(default)]
    pub prints: Option<String>,
    /// A regular expression that its output must match nowhere.
    #[serde(default)]
    pub prints_not: Option<String>,
}

fn yes() -> bool {
    true
}

/// A check that must pass before a release, with every default in its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
    pub name: String,
    /// Its `ok_exit` is the one status with which it passes.
    pub command: UserCommand,
    /// What its output must match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prints: Option<String>,
    /// What its output must not match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prints_not: Option<String>,
    /// Is it counted?
    pub required: bool,
}
