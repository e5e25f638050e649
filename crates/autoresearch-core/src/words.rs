//! Owns the text that people and agents read: rows, briefs, excerpts, plots, lessons.
//! Does not decide anything.
//! Invariant: nothing in it can move a terminal's cursor or break a table.

pub mod brief;
pub mod excerpt;
pub mod lessons;
pub mod plot;
pub mod table;
pub mod text;
