//! Owns the question whether the disks that a run writes to have room.
//! Does not free any.
//! Invariant: a verify that cannot write tells nothing about the code, so nothing is measured on a disk that is nearly full.

use std::path::Path;

use crate::run::tree::Tree;
use autoresearch_sys::error::{Failure, Result};

/// Refuses to measure where a disk that a trial writes to is nearly full.
pub(crate) fn check_tree_space(tree: &Tree<'_>) -> Result<()> {
    check_free_space(&[
        &tree.layout.run_folder(),
        &tree.history.common_folder(),
        &tree.world.state_folder,
    ])
}

/// Refuses to go on where one of these folders is on a disk that is nearly full.
pub(crate) fn check_free_space(folders: &[&Path]) -> Result<()> {
    for folder in folders {
        let Some((free, spare)) = read_free_space(folder) else {
            continue;
        };
        if free < spare {
            return Err(Failure::environment(format!(
                "the disk of {} is nearly full: {} MiB are free",
                folder.display(),
                free >> 20
            ))
            .hint("free some space, then run the command again: nothing was lost"));
        }
    }
    Ok(())
}

/// Refuses to make so many further work trees where they would fill the disk.
pub(crate) fn check_room_for_trees(tree: &Tree<'_>, trees: usize) -> Result<()> {
    let tracked = tree.git.list_tracked_below(".")?;
    let lengths = tracked.iter().map(|path| {
        let meta = tree.path().join(path.as_path()).symlink_metadata();
        meta.map_or(0, |meta| meta.len())
    });
    let bytes = lengths.fold(0, u64::saturating_add);
    let bytes = bytes.saturating_mul(u64::try_from(trees).unwrap_or(u64::MAX));
    let Some((free, spare)) = read_free_space(&tree.world.state_folder) else {
        return Ok(());
    };
    if free >= bytes.saturating_add(spare) {
        return Ok(());
    }
    Err(Failure::environment(format!(
        "the disk of {} has no room for {trees} work trees of {} MiB in all: {} MiB are free",
        tree.world.state_folder.display(),
        bytes >> 20,
        free >> 20
    )))
}

/// The free bytes of a folder's disk, and those that must stay free.
fn read_free_space(folder: &Path) -> Option<(u64, u64)> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let size = disk.f_blocks.saturating_mul(disk.f_frsize);
    Some((free, needed_space(size)))
}

/// Refuses to write this much where it would fill the disk of a folder.
pub(crate) fn check_room(folder: &Path, bytes: u64) -> Result<()> {
    let Some((free, spare)) = read_free_space(folder) else {
        return Ok(());
    };
    if free >= bytes.saturating_add(spare) {
        return Ok(());
    }
    Err(Failure::environment(format!(
        "the disk of {} has no room for {} MiB of copies: {} MiB are free",
        folder.display(),
        bytes >> 20,
        free >> 20
    ))
    .hint("free some space, or copy less: `!` takes a path out of `copy`"))
}

/// What must be free on a disk of this size: 64 MiB, or a twentieth of a small one.
fn needed_space(size: u64) -> u64 {
    (64 << 20).min(size / 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_that_would_fill_the_disk_are_refused_and_those_of_nothing_are_not() {
        check_room(Path::new("/nowhere"), u64::MAX).unwrap();
        check_room(&autoresearch_sys::env::temporary_folder(), 1).unwrap();
        let failure = check_room(&autoresearch_sys::env::temporary_folder(), 1 << 60).unwrap_err();
        let start = "1099511627776 MiB of copies";
        assert!(failure.error.contains(start), "{failure}");
    }

    #[test]
    fn a_large_disk_needs_64_mib_of_free_space_and_a_small_one_a_twentieth() {
        assert_eq!(needed_space(1 << 40), 64 << 20);
        assert_eq!(needed_space(2 << 20), (2 << 20) / 20);
        assert_eq!(needed_space(0), 0);
        check_free_space(&[Path::new("/"), Path::new("/nowhere")]).unwrap();
    }
}
