//! The binary under test: the shipped program in a world of the tests' own.
//!
//! The shipped binary takes its state folder from the user database and its time from the system, whatever the
//! environment says. This one takes both from the environment, and can crash before a step of the journal protocol, or
//! write down each step. Nothing else differs: it calls the same `cli::main`.

use std::fs::OpenOptions;
use std::io::Write;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};

use autoresearch::env::World;

static STEPS: AtomicU64 = AtomicU64::new(0);

/// Dies as if by `kill -9` before step number `SEALED_CRASH_AT`; adds the step's name to the file `SEALED_STEPS`.
fn step(name: &'static str) {
    let number = STEPS.fetch_add(1, Ordering::Relaxed) + 1;
    let world = World::real();
    if let Some(file) = world.var("SEALED_STEPS")
        && let Ok(mut file) = OpenOptions::new().append(true).create(true).open(file)
    {
        let _ = writeln!(file, "{name}");
    }
    let crash_at = world
        .var("SEALED_CRASH_AT")
        .and_then(|text| text.to_str()?.parse::<u64>().ok());
    if crash_at == Some(number) {
        let _ =
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    }
}

fn main() -> ExitCode {
    let mut world = World::real();
    world.step = step;
    if let Some(folder) = world.var("SEALED_STATE").cloned() {
        world.state_folder = folder.into();
    }
    autoresearch::cli::main(&world)
}
