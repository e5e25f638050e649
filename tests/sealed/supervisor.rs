//! The supervisor under test: the shipped one in the world of the tests.

mod world;

use std::process::ExitCode;

fn main() -> ExitCode {
    autoresearch::cli::supervisor::main(&world::sealed())
}
