//! Another program's files and protocol: the user's Codex configuration, one turn of `codex exec`, its app server, and the
//! installation of our skill and hooks there.
//!
//! Does not know a run.
//! Invariant: what is not ours keeps its bytes.

pub mod app_server;
pub mod config;
pub mod error;
pub mod home;
pub mod install;
pub mod release;
pub mod turn;
