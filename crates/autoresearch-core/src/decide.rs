//! Owns the decisions: on one trial, on a result that is too good, on a stuck run, on a ceiling.
//! Does not record them.
//! Invariant: a decision needs nothing but its arguments.

pub mod calibration;
pub mod choice;
pub mod evidence;
pub mod fall;
pub mod gain;
pub mod gaming;
pub mod gate;
pub mod incumbent;
pub mod judge;
pub mod jump;
pub mod ladder;
pub mod limits;
pub mod muting;
pub mod noise;
pub mod reaction;
pub mod watched;
pub mod why;
