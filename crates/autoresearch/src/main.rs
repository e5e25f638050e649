//! The binary that the agent and people call. Everything is in the library, so that the tests can call it too.

use std::process::ExitCode;

fn main() -> ExitCode {
    autoresearch::cli::main(&autoresearch::env::World::real())
}
