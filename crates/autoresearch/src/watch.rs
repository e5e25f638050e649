//! Owns the looks at a work tree: whose changes are these, and are verify and git what they were at start?
//! Does not change a file's bytes.
//! Invariant: what changed is told by path and bytes, never by what an agent says.

pub(crate) mod command_files;
pub(crate) mod empty_places;
pub(crate) mod file_times;
pub(crate) mod git_rules;
pub(crate) mod space;
pub(crate) mod touched;
pub(crate) mod traces;
pub(crate) mod tree_changes;
pub(crate) mod unseen_files;
pub(crate) mod user_files;
pub(crate) mod work_tree_check;
pub(crate) mod yardstick;
