//! Owns the looks at a work tree: whose changes are these, and are verify and git what they were at start?
//! Does not change a file's bytes.
//! Invariant: what changed is told by path and bytes, never by what an agent says.

pub mod file_times;
pub mod git_rules;
pub mod tree_changes;
pub mod unseen_files;
pub mod user_files;
pub mod yardstick;
