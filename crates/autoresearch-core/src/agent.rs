//! Owns what is known of an agent: what it says of an edit, whose session a run is, why a turn failed.
//! Does not start one.
//! Invariant: nothing that an agent says becomes a number or a verdict.

pub mod answer;
pub mod caller;
pub mod outage;
pub mod session;
