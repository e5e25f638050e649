//! Owns the ledgers of questions: what was claimed, and the evidence that the tool saw for it.
//! Does not read a file or run a command; it is handed what was found.
//! Invariant: nothing is confirmed or ruled out without evidence that was checked.

pub mod debug;
pub mod debug_pages;
pub mod evidence;
pub mod hypothesis;
pub mod opening;
pub mod orders;
pub mod quote;
