//! Owns `Failure`: the one error type at the edge, with its kind, its causes and a hint.
//! Does not print.
//! Invariant: the kind alone decides the exit code, and no error is recognised by its text.

use std::fmt;

use autoresearch_core::shell::quote::quote_word;
use serde::Serialize;

/// The kinds of errors. Their exit codes are public: the skill branches on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// The call is wrong.
    Usage,
    /// The config is wrong, or cannot work.
    Config,
    /// A person must act.
    Blocked,
    /// Another process holds the run.
    Busy,
    /// Something of the machine is missing: git, space, rights.
    Environment,
    /// A fault of this program.
    Internal,
    /// A signal ended the command.
    Interrupted,
}

impl FailureKind {
    /// All kinds, for documents and tests.
    pub const ALL: [Self; 7] = [
        Self::Usage,
        Self::Config,
        Self::Blocked,
        Self::Busy,
        Self::Environment,
        Self::Internal,
        Self::Interrupted,
    ];

    /// The exit code of a process that fails with this kind.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Usage => 2,
            Self::Config => 3,
            Self::Blocked => 4,
            Self::Busy => 5,
            Self::Environment => 6,
            Self::Internal => 70,
            Self::Interrupted => 130,
        }
    }

    /// The word in JSON and documents.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Usage => "usage",
            Self::Config => "config",
            Self::Blocked => "blocked",
            Self::Busy => "busy",
            Self::Environment => "environment",
            Self::Internal => "internal",
            Self::Interrupted => "interrupted",
        }
    }
}

/// An error as the person or the agent sees it.
#[derive(Debug)]
pub struct Failure {
    pub kind: FailureKind,
    pub error: String,
    /// Why, from the outside in.
    pub causes: Vec<String>,
    /// What else was noticed, and is not a cause.
    pub warnings: Vec<String>,
    pub hint: Option<String>,
}

/// The result of a use case.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

impl Failure {
    /// A failure without cause and hint.
    pub fn new(kind: FailureKind, error: impl Into<String>) -> Self {
        Self {
            kind,
            error: error.into(),
            causes: Vec::new(),
            warnings: Vec::new(),
            hint: None,
        }
    }

    /// The call is wrong.
    pub fn usage(error: impl Into<String>) -> Self {
        Self::new(FailureKind::Usage, error)
    }

    /// The config is wrong or cannot work.
    pub fn config(error: impl Into<String>) -> Self {
        Self::new(FailureKind::Config, error)
    }

    /// A person must act.
    pub fn blocked(error: impl Into<String>) -> Self {
        Self::new(FailureKind::Blocked, error)
    }

    /// Something of the machine is missing.
    pub fn environment(error: impl Into<String>) -> Self {
        Self::new(FailureKind::Environment, error)
    }

    /// Adds what to do.
    #[must_use]
    pub fn also_hint(mut self, hint: &str) -> Self {
        self.hint = Some(match self.hint {
            Some(first) => format!("{first}; {hint}"),
            None => hint.to_owned(),
        });
        self
    }

    /// Adds what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds a cause and the causes below it.
    #[must_use]
    pub fn because(mut self, error: &(dyn std::error::Error + 'static)) -> Self {
        let mut cause = Some(error);
        while let Some(error) = cause {
            let text = error.to_string();
            if self.causes.last() != Some(&text) {
                self.causes.push(text);
            }
            cause = error.source();
        }
        self
    }

    /// A fault of the machine or of the file system below us.
    pub fn io(what: impl Into<String>, error: &std::io::Error) -> Self {
        let failure = Self::environment(what).because(error);
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => failure.hint("free some disk space, then run the command again: nothing was lost"),
            std::io::ErrorKind::ReadOnlyFilesystem | std::io::ErrorKind::PermissionDenied => failure.hint(
                "this process may not write there. Inside a Codex sandbox, run this command outside it: call it again with `sandbox_permissions: \"require_escalated\"` and a `justification`, and the person is asked",
            ),
            _ => failure,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "error: {}", self.error)?;
        for cause in &self.causes {
            write!(out, "\ncaused by: {cause}")?;
        }
        for warning in &self.warnings {
            write!(out, "\n{warning}")?;
        }
        if let Some(hint) = &self.hint {
            write!(out, "\nhint: {hint}")?;
        }
        Ok(())
    }
}

impl From<crate::git::GitError> for Failure {
    fn from(error: crate::git::GitError) -> Self {
        use crate::git::{GitError as E, StopCause};
        match &error {
            E::Locked { lock } => Self::environment("the git repository is locked")
                .because(&error)
                .hint(format!(
                    "wait for the other git process; if none is running, delete {}",
                    lock.display()
                )),
            E::Orphan { .. } => Self::new(
                FailureKind::Busy,
                "a git process of an earlier command is still running",
            )
            .because(&error)
            .hint("wait until it ends, or kill it; nothing was changed"),
            E::NoLock { .. } => Self::environment("git cannot write to its folder")
                .because(&error)
                .hint("fix what git reports, then run the command again: nothing was lost"),
            E::Killed { .. } => Self::environment("git was killed")
                .because(&error)
                .hint("out of memory, or a limit of the shell: remove the cause, then run the command again"),
            E::Stopped { cause: StopCause::Interruption, .. } => Self::new(FailureKind::Interrupted, "interrupted while git was at work")
                .because(&error)
                .hint("run the command again: it goes on from where this one was"),
            E::Stopped { .. } => Self::environment("git did not end")
                .because(&error)
                .hint("a filter, a hook, a network folder or a lock may hold it up: run that git command by hand to see. The next command repairs what was begun"),
            E::ReadOnly { .. } => Self::environment("git cannot write to its folder")
                .because(&error)
                .hint(READ_ONLY),
            E::NoScratch { .. } => Self::environment("git was not started")
                .because(&error)
                .hint("set TMPDIR to a folder that this process can write"),
            _ => Self::environment("git failed").because(&error),
        }
    }
}

/// What to do where the git folder is read-only.
pub const READ_ONLY: &str = "inside a Codex sandbox, run this command outside it: call it again with `sandbox_permissions: \"require_escalated\"` and a `justification`, and the person is asked; where nobody can be asked (codex exec), a person runs it in a terminal. Once the run is started, trials work from inside with `autoresearch install --hooks` or `--rule`";

impl From<crate::git::history::HistoryError> for Failure {
    fn from(error: crate::git::history::HistoryError) -> Self {
        use crate::git::history::HistoryError as E;
        let failure = Self::environment("the repository cannot be used").because(&error);
        match error {
            E::NotFound(_) => failure.hint(
                "run this inside a git repository, or name one with -C; `git init` makes one",
            ),
            E::Bare(_) => failure.hint("run this in a clone that has files"),
            E::Owner(root) => failure.hint(format!(
                "`git config --global --add safe.directory {}` lets git use it, if you trust what is in it",
                quote_word(&root.to_string_lossy())
            )),
            E::Open { .. } | E::Refused { .. } | E::Asked(_) => {
                failure.hint("`git status` there must work first")
            }
            E::Read { .. } => failure.hint("`git fsck` tells whether the repository is damaged"),
        }
    }
}

impl From<crate::store::StoreError> for Failure {
    fn from(error: crate::store::StoreError) -> Self {
        use crate::store::StoreError as E;
        match &error {
            E::Io { what, path, source } => Self::io(format!("could not {what} {}", path.display()), source),
            E::Busy(_) => Self::new(FailureKind::Busy, error.to_string()).hint("wait until it is done: `autoresearch status` shows what it does, and for how long. A dead process holds no lock"),
            E::NoAnchor { .. } => Self::blocked(error.to_string())
                .hint("nothing of it was run. If you did not expect this run, delete its folder in autoresearch-results; a new `start` makes your own run"),
            E::Tampered { .. } | E::Chain { .. } | E::Fold { .. } => Self::blocked("the run's files are not what this tool left")
                .because(&error)
                .hint("nothing of it was run. Restore the file, or delete the run's folder in autoresearch-results and start a new run: the branch autoresearch/<run> still holds what was kept"),
            E::Damaged { run, path, .. } => Self::blocked(error.to_string()).hint(format!(
                "nothing was run, and this run cannot continue: only a backup of that file could restore it. The branch autoresearch/{run} still holds what was kept. Delete autoresearch-results/{run} and {}, then start a new run",
                path.parent().unwrap_or(path).display()
            )),
            E::NotText { .. } => Self::blocked(error.to_string())
                .hint("nothing was run or changed. Move the repository to a path in UTF-8, and the run can continue"),
            E::NoHome => Self::environment(error.to_string()).hint(
                "nothing was run. Give the user a home folder (`usermod -d FOLDER USER`), or run this as a user who has one; HOME is ignored, because whoever sets it could choose which files are trusted",
            ),
            E::Untrusted { path, .. } => Self::blocked(error.to_string()).hint(format!(
                "nothing was run. If what is in it is yours, `chmod go-w {}` as its owner; if not, move it away",
                quote_word(&path.to_string_lossy())
            )),
            E::Copied { .. } => Self::blocked(error.to_string()).hint("work in the original, or delete the copied folder"),
            E::Newer { .. } => Self::blocked(error.to_string()).hint("update autoresearch"),
            E::Link(_) => Self::blocked(error.to_string()).hint("nothing was run. Remove the link"),
        }
    }
}

impl From<crate::process::ExecError> for Failure {
    fn from(error: crate::process::ExecError) -> Self {
        Self::environment("a command could not be run").because(&error)
    }
}

#[cfg(test)]
mod tests;
