//! Owns the numbers: exact values, their units, and how they are read from what verify printed.
//! Does not judge them.
//! Invariant: a value keeps every digit that was printed.

pub mod cases;
pub mod coverage;
pub mod definition;
pub mod matches;
pub mod measurement;
pub mod open_items;
pub mod percent;
pub mod rate;
pub mod screen;
pub mod unit;
pub mod value;
