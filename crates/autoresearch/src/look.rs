//! Owns the views of a run that anybody can ask for at any time.
//! Does not lock or change a run.
//! Invariant: they say what the journal says.

pub(crate) mod log;
pub(crate) mod runs;
pub(crate) mod show;
pub(crate) mod status;
