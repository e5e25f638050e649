//! The binary under test: the shipped program in a world of the tests' own.
//!
//! The shipped binary takes its state folder from the user database and its time from the system, whatever the
//! environment says. This one takes both from the environment, and can crash before a step of the journal protocol, or
//! write down each step. Nothing else differs: it calls the same `cli::main`.

mod world;

use std::process::ExitCode;

fn main() -> ExitCode {
    autoresearch::cli::main(&world::sealed())
}
