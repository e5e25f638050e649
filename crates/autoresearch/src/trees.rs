//! Owns the work trees of a run: the run's own and those that are lent for a while, and what is put into one before anything
//! is measured in it.
//! Does not make a trial or decide anything.
//! Invariant: no tree lies where the user's tools walk, and each is named by a note outside the repository before it is made.

mod copies;
pub(crate) mod editable_installs;
pub(crate) mod left_gits;
pub mod lending;
mod links;
pub mod making;
pub(crate) mod missing;
pub mod place;
pub(crate) mod refusals;
pub(crate) mod sandboxing;
pub(crate) mod setup;
pub(crate) mod viewing;
pub(crate) mod wanted;

#[cfg(test)]
mod scratch;
