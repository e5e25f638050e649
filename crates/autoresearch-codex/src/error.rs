//! Owns what can go wrong with Codex and its files, and what a person is told of it.
//! Does not touch a file.
//! Invariant: an error names the file or the command, and its hint says what was not written.

use std::path::{Path, PathBuf};

use autoresearch_sys::error::Failure;

/// Something about the Codex configuration did not work.
#[derive(Debug, thiserror::Error)]
pub enum CodexError {
    /// The file system said no.
    #[error("could not {what} {}", path.display())]
    Io {
        what: &'static str,
        path: PathBuf,
        source: std::io::Error,
    },
    /// A file of the user's is not what Codex expects there.
    #[error("{} {fault}", path.display())]
    Unreadable {
        path: PathBuf,
        /// What is wrong with it, and where.
        fault: String,
    },
    /// A manifest of a newer version.
    #[error("{} has format {format}, which this version does not know", path.display())]
    Newer { path: PathBuf, format: u64 },
    /// Codex would have to be asked with a home that goes again, and none can be made.
    #[error("no temporary folder can be made")]
    NoScratch(#[source] std::io::Error),
    /// Codex has no home.
    #[error("{0}")]
    NoHome(String),
    /// Codex did not answer as expected.
    #[error("`{command}` {fault}")]
    Codex { command: String, fault: String },
}

impl CodexError {
    /// Wraps an error of the file system.
    pub fn wrap_io(what: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { what, path, source }
    }

    /// Names the file in which something is wrong.
    pub fn wrap_fault(path: &Path) -> impl Fn(String) -> Self {
        let path = path.to_owned();
        move |fault| Self::Unreadable {
            path: path.clone(),
            fault,
        }
    }
}

impl From<CodexError> for Failure {
    fn from(error: CodexError) -> Self {
        use CodexError as E;
        match &error {
            E::Io { what, path, source } => {
                Self::io(format!("could not {what} {}", path.display()), source)
            }
            E::Unreadable { path, .. } => Self::blocked(error.to_string()).hint(format!(
                "nothing was written. Fix {} and run the command again",
                path.display()
            )),
            E::Newer { .. } => Self::blocked(error.to_string()).hint("update autoresearch"),
            E::NoScratch(_) => Self::environment("Codex was not asked")
                .because(&error)
                .hint("set TMPDIR to a folder that this process can write"),
            E::NoHome(_) => Self::environment(error.to_string())
                .hint("create that folder, or unset CODEX_HOME to use ~/.codex"),
            E::Codex { .. } => Self::environment("Codex did not answer")
                .because(&error)
                .hint("`codex --version` must work here, and `codex doctor` says what is wrong with Codex itself"),
        }
    }
}
