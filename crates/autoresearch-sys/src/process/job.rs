//! Owns what is said of a command: the job, what it printed, how it ended, and why it could not be run.
//! Does not run anything.
//! Invariant: a job and its end are plain data, which cross a process boundary as JSON.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use autoresearch_core::config::Shell;
use serde::{Deserialize, Serialize};

use super::confinement::Confinement;
use super::file_query::FileQuery;
use super::view::TreeView;

/// The hidden subcommand under which this program is the runner.
pub const RUNNER: &str = "__run";
/// Time between TERM and KILL.
pub const GRACE: Duration = Duration::from_secs(2);
/// What a command may print to each of its two streams, in bytes.
pub const MAX_OUTPUT: u64 = 64 << 20;

/// A command to run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Job {
    /// The text for a shell, or the words of a program that is started without a shell.
    pub command: CommandLine,
    pub directory: PathBuf,
    /// How long it may run, in milliseconds.
    pub timeout_ms: u64,
    /// The file that is its standard input; nothing otherwise.
    pub input: Option<PathBuf>,
    /// Does it get a temporary folder that no other job has had, and that goes with it?
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub own_temporary: bool,
    /// How it is to see the work tree that holds `directory`; as it is otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub view: Option<TreeView>,
    /// The sandbox in which it runs; none otherwise. The runner answers questions about files without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confinement: Option<Confinement>,
    /// What it meets besides, where runs are to differ.
    #[serde(default, skip_serializing_if = "JobConditions::is_usual")]
    pub conditions: JobConditions,
}

/// What a job meets that others do not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct JobConditions {
    /// Variables besides those of the executor; they win over these.
    pub variables: BTreeMap<String, String>,
    /// Does each core have something else to do while it runs?
    pub busy_cores: bool,
}

impl JobConditions {
    /// Is there nothing besides?
    #[must_use]
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum CommandLine {
    /// A text for `/bin/sh -c`.
    Shell(String),
    /// A text for `bash -o pipefail -c`.
    Bash(String),
    /// A program and its arguments.
    Words(Vec<String>),
    /// No program: the runner itself answers a question about files, as JSON on standard output.
    Files(FileQuery),
}

impl From<&autoresearch_core::config::UserCommand> for CommandLine {
    fn from(command: &autoresearch_core::config::UserCommand) -> Self {
        let text = command.command.clone();
        match command.shell {
            Shell::Sh => Self::Shell(text),
            Shell::Bash => Self::Bash(text),
        }
    }
}

impl std::fmt::Display for CommandLine {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Shell(text) | Self::Bash(text) => out.write_str(text),
            Self::Words(words) => out.write_str(&words.join(" ")),
            Self::Files(_) => out.write_str("a question about files"),
        }
    }
}

/// What a command printed.
#[derive(Debug, Default)]
pub struct CommandOutput {
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
}

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CommandEnd {
    /// It exited with this status.
    Exited(i32),
    /// A signal ended it.
    Signalled(i32),
    /// It was ended at its deadline.
    TimedOut,
    /// It was ended because it printed too much.
    Flooded,
    /// It was ended because we were asked to end.
    Cancelled,
    /// It could not be started.
    NotStarted(String),
    /// It was not started, because the view in which it was to run could not be opened.
    NotShown(String),
    /// It was not started, because its sandbox could not be closed.
    NotConfined(String),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndedCommand {
    pub how: CommandEnd,
    /// Processes that it left behind and that were ended.
    pub swept: u32,
    #[serde(default)]
    pub used: ResourceUse,
}

/// What a command used, with all that it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceUse {
    /// From its start until it ended, in microseconds.
    pub wall_us: u64,
    /// Processor time in its own code and in the system's, in microseconds. What runs under a parent that asked the system
    /// not to tell of its children's ends is not seen.
    pub cpu_us: u64,
    /// The memory of the largest process, in bytes; never less than that of the runner, from which it begins.
    pub peak_bytes: u64,
    /// Did anything that it started run on when it had ended?
    pub runs_on: bool,
}

impl EndedCommand {
    /// One of which nothing but its end is known.
    #[must_use]
    pub fn without_use(how: CommandEnd) -> Self {
        Self {
            how,
            swept: 0,
            used: ResourceUse::default(),
        }
    }
}

/// A command could not be run at all.
#[derive(Debug, thiserror::Error)]
pub enum ExecError {
    /// The runner could not be started.
    #[error("could not start {}", program.display())]
    Start {
        program: PathBuf,
        source: std::io::Error,
    },
    #[error("could not make a temporary folder in {}", folder.display())]
    Temporary {
        folder: PathBuf,
        source: std::io::Error,
    },
    #[error("could not wait for `{command}`")]
    Wait {
        command: String,
        source: std::io::Error,
    },
}
