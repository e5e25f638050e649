//! Owns the world of the binary under test.
//! Does not differ from the real one but in where the state folder is and in the crash before a step.
//! Invariant: the shipped binary has none of it.

use std::fs::OpenOptions;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use autoresearch_core::decide::calibration::MachineLoad;
use autoresearch_sys::env::World;

/// A file would have grown beyond the limit of the process (the same number on every Linux that is supported).
const SIGXFSZ: i32 = 25;

static STEPS: AtomicU64 = AtomicU64::new(0);

/// Dies as if by `kill -9` before step number `SEALED_CRASH_AT`, or before the first step of that name; adds the step's name to the file `SEALED_STEPS`.
fn step(name: &'static str) {
    let number = STEPS.fetch_add(1, Ordering::Relaxed) + 1;
    let world = World::from_process();
    if let Some(file) = world.find_variable("SEALED_STEPS")
        && let Ok(mut file) = OpenOptions::new().append(true).create(true).open(file)
    {
        let _ = writeln!(file, "{name}");
    }
    fill_disk(&world, name);
    let crash_at = world
        .find_variable("SEALED_CRASH_AT")
        .and_then(|text| text.to_str());
    if crash_at.is_some_and(|at| at == name || at.parse() == Ok(number)) {
        let _ =
            rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    }
}

/// From the step that `SEALED_FULL` names (`STEP:BYTES`) on, no file of this process and of those that it starts grows
/// beyond so many bytes: to write more fails, as on a full disk, and may leave a part.
fn fill_disk(world: &World, name: &str) {
    let wanted = world
        .find_variable("SEALED_FULL")
        .and_then(|text| text.to_str());
    let Some((step, bytes)) = wanted.and_then(|text| text.rsplit_once(':')) else {
        return;
    };
    if step != name {
        return;
    }
    // Without a handler the first write beyond the limit would end the process.
    let _ = signal_hook::flag::register(SIGXFSZ, Arc::default());
    let limit = rustix::process::Rlimit {
        current: bytes.parse().ok(),
        maximum: None,
    };
    let _ = rustix::process::setrlimit(rustix::process::Resource::Fsize, limit);
}

/// How busy a test wants the machine to be: `SEALED_LOAD=8.1/2`. Otherwise it is not known, so that no answer depends on it.
fn load() -> Option<MachineLoad> {
    let world = World::from_process();
    let told = world.find_variable("SEALED_LOAD")?.to_str()?;
    let (running, cores) = told.split_once('/')?;
    Some(MachineLoad {
        running: running.parse().ok()?,
        cores: cores.parse().ok()?,
    })
}

/// The world of a test: what the environment says, where the shipped binary would not ask it.
pub(crate) fn sealed() -> World {
    let mut world = World::from_process();
    world.step = step;
    world.load = load;
    if let Some(folder) = world.find_variable("SEALED_STATE").cloned() {
        world.state_folder = folder.into();
    }
    if let Some(folder) = world.find_variable("SEALED_DATA").cloned() {
        world.data_folder = folder.into();
    }
    if let Some(program) = world.find_variable("SEALED_PROGRAM").cloned() {
        world.program = program.into();
    }
    // `SEALED_PATIENCE`: the first wait after a failure of the agent, in milliseconds; the longest is four times that.
    let first = world
        .find_variable("SEALED_PATIENCE")
        .and_then(|text| text.to_str()?.parse().ok());
    if let Some(first) = first.map(Duration::from_millis) {
        world.patience.first = first;
        world.patience.most = first * 4;
    }
    world
}
