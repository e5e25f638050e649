//! Owns mode fix: what is broken in a project is found by running its checks, and becomes a config.
//! Does not repair anything, and makes no run.
//! Invariant: nothing runs but the checks of the tables, each under its deadline, as verify and guard do.

mod check;
mod counting;
mod report;
mod words;

pub use self::check::check_project;
pub use self::words::FixWords;
