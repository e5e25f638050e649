//! The one program: people and agents call it as `autoresearch`, Codex as `autoresearch-hook`. Everything is in the library,
//! so that the tests can call it too.

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut world = autoresearch_sys::env::World::from_process();
    world.progress = autoresearch::cli::show_progress;
    autoresearch::cli::main(&world)
}
