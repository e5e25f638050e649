//! Owns `Holder`: who holds a run, as its lock file says.
//! Does not take or look at a lock.
//! Invariant: it is read as input that anybody may have written.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::env::clock_text_of;

/// Who holds a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    pub pid: u32,
    pub command: String,
    /// Since when, in UTC.
    pub since: String,
}

impl Holder {
    /// Somebody who has not said who it is.
    pub(super) fn unknown() -> Self {
        Self {
            pid: 0,
            command: "unknown".to_owned(),
            since: "unknown".to_owned(),
        }
    }

    /// The number of the process. To the system 0 is everybody in the group of whoever asks, so it is told to nobody.
    #[must_use]
    pub fn known_pid(&self) -> Option<u32> {
        (self.pid != 0).then_some(self.pid)
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "process {} (`{}`, since {})",
            self.pid,
            self.command,
            clock_text_of(&self.since)
        )
    }
}
