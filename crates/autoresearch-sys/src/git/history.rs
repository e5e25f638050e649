//! Owns the door to the reading of a repository.
//! Does not write anything but the copy of a commit object, and reads no index.
//! Invariant: the environment has no say in which repository is opened.

mod changed_lines;
mod copied_commit;
mod merged;
mod repository;
mod tags;

pub use self::repository::{History, HistoryError, TreeContent};
pub use super::reading::{DiffSize, HeadState};
