//! Owns the same tests as `main`, with the release of Codex before the newest tested one; `install` tells them apart.
//! Does not have a test of its own.
//! Invariant: its modules are those of `main`, which `tidy` compares.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test stops at the first surprise, and starts what it likes"
)]
#![expect(
    dead_code,
    reason = "the repository's bench is shared with the other end-to-end tests, and each uses a part of it"
)]

mod app_server;
mod batches;
mod bench;
#[path = "../e2e/config_text.rs"]
mod config_text;
mod foreground;
mod install;
mod installer;
mod model;
mod night;
mod permissions;
mod proof;
mod questions;
mod reply;
mod request;
mod running;
mod scene;
mod separate_tree;
mod sessions;
mod skill;
#[path = "../e2e/testbed.rs"]
mod testbed;
mod turns;
mod wizard;
