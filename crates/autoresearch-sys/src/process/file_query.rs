//! Owns `FileQuery`: what a measurement asks of the files of a work tree, and `FileAnswer`.
//! Does not look at files.
//! Invariant: both cross a process boundary as JSON.

use serde::{Deserialize, Serialize};

/// A question about files.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum FileQuery {
    /// How many bytes they have, as they are or each after gzip.
    Size { files: FileSearch, gzip: bool },
    /// How often a regular expression matches in them.
    Count { files: FileSearch, pattern: String },
    /// Takes the coverage report of before away, so that none but a new one is read.
    ClearReport { path: String },
    /// The lines of a coverage report.
    ReadReport { path: String },
}

/// The files that patterns match.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FileSearch {
    /// gitignore-style patterns from the root.
    pub patterns: Vec<String>,
    /// The folder at the root that is not looked into: ours.
    pub without: String,
}

/// An answer, as JSON on the runner's standard output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FileAnswer {
    /// A sum over so many files.
    Sum {
        amount: u64,
        files: u64,
        /// The first lines with a match, as `open_items` tells them.
        #[serde(default)]
        matched: Vec<String>,
    },
    /// The lines of a report.
    Lines {
        covered: u64,
        lines: u64,
    },
    Cleared,
    /// There is no answer, for this reason.
    Refused(String),
}
