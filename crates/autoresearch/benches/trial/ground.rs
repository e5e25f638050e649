//! Owns the ground of every benchmark: a world with a state folder of its own, and the place of its run.
//! Does not make a repository.
//! Invariant: nothing of the user's state is touched.

use std::path::Path;

use autoresearch::env::World;
use autoresearch::run::Place;

/// Where a run is.
pub fn place(root: &Path) -> Place {
    Place {
        directory: Some(root.to_owned()),
        run: None,
    }
}

/// The world with a state folder of the benchmark's own.
pub fn world(state: &Path) -> World {
    World {
        data_folder: state.join("data"),
        state_folder: state.to_owned(),
        session: None,
        ..World::real()
    }
}
