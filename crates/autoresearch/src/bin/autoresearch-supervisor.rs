//! The binary that owns a background run. `autoresearch background start` starts it; nobody else needs to.

use std::process::ExitCode;

fn main() -> ExitCode {
    autoresearch::cli::supervisor::main(&autoresearch_sys::env::World::from_process())
}
