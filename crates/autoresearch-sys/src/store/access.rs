//! Owns `Access`: what a process wants of a run when it opens it.
//! Does not open anything.
//! Invariant: only the two kinds that write take the run's lock.

/// How a run is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// To look at the state alone: nothing is written or locked, and lines checked before are not read again.
    Glance,
    /// To look: nothing is written, nothing is locked, every line is checked.
    Read,
    /// To act: locked, and repaired if a crash left something.
    Write,
    /// To act, with every line of the journal checked again.
    WriteChecked,
}

impl Access {
    pub(super) fn is_writing(self) -> bool {
        matches!(self, Self::Write | Self::WriteChecked)
    }
}
