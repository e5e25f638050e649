//! Owns what is known of the guard in a record.
//! Does not run it.
//! Invariant: the words here are those of the log.

use serde::{Deserialize, Serialize};

/// What is known of the guard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Guard {
    /// There is none, or it did not run.
    NotRun,
    Pass,
    Fail,
}

impl Guard {
    /// The word in the log.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotRun => "-",
            Self::Pass => "pass",
            Self::Fail => "fail",
        }
    }
}
