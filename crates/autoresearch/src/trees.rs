//! Owns the work trees that the tool makes outside the repository: the run's own, and those that are lent for a while.
//! Does not make a trial or decide anything.
//! Invariant: no tree lies where the user's tools walk, and each is named by a note outside the repository before it is made.

pub mod lending;
pub mod making;
pub mod place;

#[cfg(test)]
mod scratch;
