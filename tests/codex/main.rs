//! Owns the tests with the real Codex CLI, the newest tested release, and a scripted model on loopback.
//! Does not test what needs no Codex; that is `e2e`.
//! Invariant: without the CLI a test says `SKIPPED` on standard error, and with `CI` set it fails.

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
