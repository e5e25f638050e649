//! Owns the words of the modes that have commands of their own.
//! Does not act on them.
//! Invariant: a mode's words are in a file of its own.

pub(super) mod debug;
pub(super) mod fix;
pub(super) mod ship;
