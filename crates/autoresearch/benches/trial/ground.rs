//! Owns the ground of every benchmark: a world with a state folder of its own, the place of its run, and the end of its process.
//! Does not make a repository.
//! Invariant: nothing of the user's state is touched.

use std::path::Path;
use std::process::ExitCode;

use autoresearch::run::Place;
use autoresearch_sys::env::World;

/// What stops a benchmark.
pub(crate) type Stop = Box<dyn std::error::Error>;

/// The end of a benchmark's process.
pub(crate) fn exit(done: Result<(), Stop>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(stop) => {
            println!("the benchmark stopped: {stop}");
            ExitCode::FAILURE
        }
    }
}

/// Where a run is.
pub(crate) fn place(root: &Path) -> Place {
    Place {
        directory: Some(root.to_owned()),
        run: None,
    }
}

/// The world with a state folder of the benchmark's own.
pub(crate) fn world(state: &Path) -> World {
    World {
        data_folder: state.join("data"),
        state_folder: state.to_owned(),
        session: None,
        ..World::from_process()
    }
}
