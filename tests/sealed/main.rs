//! The binary under test: the shipped program in a world of the tests' own.
//!
//! The shipped binary takes its folders from the user database and its time from the system, whatever the environment
//! says. This one takes its folders, and the program that an installation copies, from the environment, and can crash before
//! a step of the journal protocol, or write down each step. Nothing else differs: it calls the same `cli::main`.

mod world;

use std::process::ExitCode;

fn main() -> ExitCode {
    autoresearch::cli::main(&world::sealed())
}
