//! Owns the modes that have commands of their own: each is a room.
//! Does not know a run's loop.
//! Invariant: no mode uses another one.

pub mod debug;
pub mod fix;
pub mod ship;
