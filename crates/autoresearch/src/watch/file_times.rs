//! Owns the times of change of files whose bytes change between two measurements.
//! Does not change a byte.
//! Invariant: no cache that a measurement made (by whole second and size, as Python; by what is newer, as make and cargo)
//! takes a file for the one that it was made of when other bytes stand there now.
//!
//! A floor does that: a whole second that no file had later when something was measured. Bytes that come are given a later
//! second. Only where trials follow each other within a second does that lie ahead of the clock.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use autoresearch_core::git_names::RepoPath;
use autoresearch_core::journal::state::RunState;
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, UTIME_OMIT, utimensat};

use crate::run::tree::Tree;

/// A time that is further ahead of the clock, in seconds, comes from a clock that was wrong: nothing is built on it.
const AHEAD: i64 = 3_600;

/// Gives edited files a second later than the floor, where they have none: an editor was quick, or a file with an old time
/// was moved there.
pub(crate) fn advance_times(tree: &Tree<'_>, state: &RunState, paths: &[RepoPath]) {
    let floor = find_time_floor(tree, state);
    let mut highest = floor;
    for path in paths {
        let path = tree.path().join(path.as_path());
        match read_seconds(&path) {
            Some(edited) if edited <= floor => {
                set_seconds(&path, floor + 1);
                highest = highest.max(floor + 1);
            }
            Some(edited) if is_credible(tree, edited) => highest = highest.max(edited),
            _ => {}
        }
    }
    tree.notes.write_time_floor(highest);
}

/// Gives files that were just written back a second later than the floor and than the one in which they were written: it
/// may be that of the bytes that they replace, and of what a command made of those.
pub(crate) fn renew_times(tree: &Tree<'_>, state: &RunState, paths: &[RepoPath]) {
    let floor = find_time_floor(tree, state);
    let now = tree.world.now().as_second();
    if let Some(second) = give_later_times(tree.path(), paths, floor, now) {
        tree.notes.write_time_floor(second);
    }
}

/// The same for files below any folder, with a floor that the caller keeps; the second that they got.
pub(crate) fn give_later_times(
    root: &Path,
    paths: &[RepoPath],
    floor: i64,
    now: i64,
) -> Option<i64> {
    let paths: Vec<_> = paths
        .iter()
        .map(|path| root.join(path.as_path()))
        .filter(|path| read_seconds(path).is_some())
        .collect();
    let written = paths.iter().filter_map(|path| read_seconds(path));
    let written = written.filter(|second| *second <= now + AHEAD).max()?;
    let mut second = floor.max(written) + 1;
    for path in &paths {
        set_seconds(path, second);
        if read_seconds(path).is_some_and(|got| got < second) {
            // A file system that counts in steps of two seconds has cut it off.
            second += 1;
            set_seconds(path, second);
        }
    }
    Some(second)
}

/// The latest second that a measurement, or a file that was measured, can have.
fn find_time_floor(tree: &Tree<'_>, state: &RunState) -> i64 {
    // Since a measurement ended nobody wrote into its folder.
    let ended = |number| {
        let meta = tree.layout.trial_folder(number).symlink_metadata().ok()?;
        meta.is_dir().then(|| meta.mtime())
    };
    let last = (0..=state.next_trial).rev().find_map(ended);
    // A driver may have had the kept state measured in between.
    let known = [
        tree.notes.read_time_floor(),
        last,
        ended(state.incumbent.trial),
    ];
    let known = known.into_iter().flatten();
    known
        .filter(|second| is_credible(tree, *second))
        .max()
        .unwrap_or(0)
}

fn is_credible(tree: &Tree<'_>, second: i64) -> bool {
    second <= tree.world.now().as_second() + AHEAD
}

/// The whole second in which a file, or a link itself, was changed.
fn read_seconds(path: &Path) -> Option<i64> {
    let meta = path.symlink_metadata().ok()?;
    (!meta.is_dir()).then(|| meta.mtime())
}

/// A file of another owner keeps its time: then the caches of that file are what they always were.
fn set_seconds(path: &Path, second: i64) {
    let times = Timestamps {
        last_access: Timespec {
            tv_sec: 0,
            tv_nsec: UTIME_OMIT,
        },
        last_modification: Timespec {
            tv_sec: second,
            tv_nsec: 0,
        },
    };
    let _ = utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW);
}
