//! Owns `StoreError`: how the files of a run can fail to be used.
//! Does not say what to do about it; `Failure` does.
//! Invariant: each kind names the run or the file, and holds its source.

use std::path::{Path, PathBuf};

use autoresearch_core::journal::chain::ChainError;
use autoresearch_core::journal::state::FoldError;

use super::holder::Holder;

/// The format of journal, notes and views.
pub const FORMAT: u32 = 1;

/// A run's files could not be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file system failed.
    #[error("could not {what} {}", path.display())]
    Io {
        what: &'static str,
        path: PathBuf,
        source: std::io::Error,
    },
    /// The run has no anchor on this machine.
    #[error("the run `{run}` was not started by this user on this machine: it has no anchor")]
    NoAnchor { run: String },
    /// The run's files are not what the tool left.
    #[error("the run `{run}` was changed from outside: {what}")]
    Tampered { run: String, what: String },
    /// The folder is a copy of another run's.
    #[error("the run `{run}` is a copy: the original is in {}", original.display())]
    Copied {
        run: String,
        /// Where the original is.
        original: PathBuf,
    },
    /// The chain of the journal is broken.
    #[error("the journal of `{run}` cannot be trusted")]
    Chain { run: String, source: ChainError },
    /// The events cannot have happened in this order.
    #[error("the journal of `{run}` makes no sense at record {seq}")]
    Fold {
        run: String,
        seq: u64,
        source: FoldError,
    },
    /// A newer version wrote the file.
    #[error("{} has format {found}; this version reads up to format {known}", path.display())]
    Newer {
        path: PathBuf,
        found: u32,
        /// The newest one that this version reads.
        known: u32,
    },
    /// The anchor, or what was pinned beside it, cannot be read any more.
    #[error("{} of the run `{run}` {what}", path.display())]
    Damaged {
        run: String,
        path: PathBuf,
        what: String,
    },
    /// The repository was moved to where its path cannot be written down.
    #[error("the run `{run}` was moved to a path that is not UTF-8: {}", root.display())]
    NotText { run: String, root: PathBuf },
    /// This user has no home folder, so there is no place that is only this user's.
    #[error(
        "this user has no home folder in the user database, so the tool has no private folder for its records"
    )]
    NoHome,
    /// Somebody else could have written what stands there.
    #[error("{} {why}, so nothing in it can be trusted", path.display())]
    Untrusted {
        /// The folder or file.
        path: PathBuf,
        why: String,
    },
    /// A symbolic link stands where a file or folder of ours should be.
    #[error("{} is a symbolic link", .0.display())]
    Link(PathBuf),
    /// Another process holds the run.
    #[error("the run is held by {0}")]
    Busy(Holder),
}

impl StoreError {
    pub(crate) fn io_error<'a>(
        what: &'static str,
        path: &'a Path,
    ) -> impl FnOnce(std::io::Error) -> Self + 'a {
        move |source| Self::Io {
            what,
            path: path.to_owned(),
            source,
        }
    }
}

/// Why these bytes are not a file of ours.
pub(super) fn describe_damage(bytes: &[u8], error: &serde_json::Error) -> String {
    if bytes.is_empty() {
        "is empty".to_owned()
    } else {
        format!("cannot be read ({error})")
    }
}
