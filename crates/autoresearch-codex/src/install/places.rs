//! Owns where an installation puts the program and its other names.
//! Does not write there.
//! Invariant: a path that one of Codex's files names stays the same from version to version.

use std::path::{Path, PathBuf};

use autoresearch_sys::env::World;
use autoresearch_sys::error::{Failure, Result};

/// The program, by the name that takes commands.
pub const PROGRAM: &str = "autoresearch";
/// The program, by the name that hooks call.
pub const HOOK_NAME: &str = "autoresearch-hook";
/// All further names of the program. In old installations they are programs too.
pub(super) const OTHER_NAMES: [&str; 2] = [HOOK_NAME, "autoresearch-supervisor"];

/// The installed place of the program under one of its names.
#[must_use]
pub fn installed_path(world: &World, name: &str) -> PathBuf {
    world.data_folder.join("bin").join(name)
}

/// A path as text, for places where it must be.
pub(super) fn path_to_text(path: &Path) -> Result<String> {
    path.to_str().map(ToOwned::to_owned).ok_or_else(|| {
        Failure::environment(format!("{} is not UTF-8", path.display()))
            .hint("Codex's files can only name paths that are UTF-8")
    })
}
