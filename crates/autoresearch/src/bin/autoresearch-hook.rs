//! The binary that Codex calls at the start of a session, at the end of a turn and at an interruption. It never fails:
//! where it is not sure, it says nothing.

use std::process::ExitCode;

fn main() -> ExitCode {
    autoresearch::cli::hook::main(autoresearch_sys::env::World::from_process())
}
