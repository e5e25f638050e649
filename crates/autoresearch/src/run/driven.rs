//! Owns the marks of a run that is driven without a person: the lock of its driver, and the variable in what a driver starts.
//! Does not drive it.
//! Invariant: whether a driver lives is told by its lock, and by nothing else.

use std::path::Path;

use autoresearch_sys::env::{ProcessRole, World};
use autoresearch_sys::error::{Failure, FailureKind, Result};
use autoresearch_sys::store::{Holder, find_holder};

/// The folder, beside the anchor, whose lock says that a run is driven without a person.
pub const DRIVER: &str = "driver";
/// Tells what a driver starts from all other processes; its value is the run's id.
pub const MARK: &str = "AUTORESEARCH_TURN";

/// Who drives the run of this anchor, if anybody does.
#[must_use]
pub fn find_driver(anchor_folder: &Path) -> Option<Holder> {
    find_holder(&anchor_folder.join(DRIVER))
}

/// A run that another process drives cannot be worked on by hand.
pub fn refuse_driven(world: &World, anchor_folder: &Path) -> Result<()> {
    if world.role == ProcessRole::Driver {
        return Ok(());
    }
    match find_driver(anchor_folder) {
        None => Ok(()),
        Some(holder) => Err(
            Failure::new(FailureKind::Busy, format!("the run is driven by {holder}")).hint(
                "`autoresearch background status` shows it; `autoresearch background pause` gives the run back to you",
            ),
        ),
    }
}
