//! Owns `GitError`: how a git command can fail.
//! Does not tell the kinds apart; that is `messages`.
//! Invariant: each kind names what was asked, or the file that stands in the way.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

/// A git command failed.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// The binary could not be started.
    #[error("could not start {}", program.display())]
    Start {
        program: PathBuf,
        source: std::io::Error,
    },
    /// There is no place for what it prints.
    #[error("cannot create a temporary file for git's output")]
    NoScratch {
        /// The system's error, which names the folder.
        source: std::io::Error,
    },
    /// It exited with an error.
    #[error("`git {arguments}` failed in {}: {stderr}", work_tree.display())]
    Failed {
        arguments: String,
        work_tree: PathBuf,
        stderr: String,
    },
    /// Another git process holds a lock of the repository, or died holding it.
    #[error("the repository is locked by {}", lock.display())]
    Locked { lock: PathBuf },
    /// A git that an earlier command started does not end.
    #[error("a git process of an earlier command is still running (it holds {})", note.display())]
    Orphan {
        /// The file that it holds.
        note: PathBuf,
    },
    /// The repository cannot be written.
    #[error("git cannot write to its folder: {stderr}")]
    ReadOnly { stderr: String },
    /// A lock file could not be created: git has done nothing.
    #[error("git could not create {}: {stderr}", lock.display())]
    NoLock { lock: PathBuf, stderr: String },
    #[error("`git {arguments}` was killed by signal {signal}")]
    Killed { arguments: String, signal: i32 },
    /// It did not end by itself.
    #[error("`git {arguments}` was ended {cause}")]
    Stopped { arguments: String, cause: StopCause },
    /// A hook of the repository refused the commit.
    #[error("the {hook} hook refused the commit: {output}")]
    Hook { hook: &'static str, output: String },
    /// It answered what it never should.
    #[error("`git {arguments}` gave an unexpected answer: {answer}")]
    Unexpected { arguments: String, answer: String },
}

/// Why a git was ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopCause {
    /// It took longer than any git that works.
    Deadline(Duration),
    /// The process was asked to end.
    Interruption,
}

impl fmt::Display for StopCause {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deadline(time) => write!(out, "after {} minutes", time.as_secs() / 60),
            Self::Interruption => out.write_str("because this command was asked to end"),
        }
    }
}
