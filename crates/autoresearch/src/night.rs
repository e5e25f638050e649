//! Owns the runs without a person: the loop, its process in the background, and the CI job.
//! Does not decide on a trial.
//! Invariant: a failure outside the run never counts as a trial.

pub mod audience;
pub mod background;
pub mod driver;
pub mod exec;
pub mod supervisor;
