//! Owns the files of a user's Codex configuration: hooks, trust, rules, skills, and the list of what we added.
//! Does not ask the person: a use case shows the change and gets the yes.
//! Invariant: what is not ours keeps its bytes, and trust is given by Codex itself, never by a hash of our own making.

pub mod armed;
pub mod files;
pub mod hooks_file;
pub mod json_text;
pub mod manifest;
pub mod our_hooks;
pub mod rules;
pub mod skills;
pub mod trust;
