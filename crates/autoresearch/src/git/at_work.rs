//! Owns the trace that a git process of ours leaves when we die before it: a note that it keeps locked while it lives, and
//! the lock files that it leaves in the repository when it is killed too.
//! Does not touch a lock file that may be another program's.
//! Invariant: when a run was opened to act, no git of an earlier command is at work any more.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::GitError;
use crate::env::{Stopwatch, pause};

/// How long an orphaned git may go on before the next command gives up waiting for it.
const ORPHAN: Duration = Duration::from_mins(1);
/// How long the lock of another program is waited for: an editor that refreshes its view of the index holds it briefly.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);
/// Between two looks at a lock.
pub(super) const LOOK: Duration = Duration::from_millis(10);
/// git takes its locks this soon after it starts; a later one is somebody else's.
const SOON: Duration = Duration::from_secs(3);
/// File times are cut to the kernel's tick.
const TICK: Duration = Duration::from_millis(20);

/// The note beside the anchor of a run, as long as a git of ours is at work.
pub(super) struct AtWork {
    note: PathBuf,
    _locked: Option<File>,
}

impl AtWork {
    /// Writes the note and locks it. A child that is started now inherits the lock, and holds it when we die. Where the
    /// note cannot be written, git works without it.
    pub(super) fn begin(note: &Path) -> Self {
        let opened = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .open(note);
        let locked = opened.ok().filter(|mut file| {
            // The byte gives the note the time of now, by the clock that also stamps the lock files.
            let stamped = file.write_all(b"1").is_ok();
            let inherited = rustix::io::fcntl_setfd(file, rustix::io::FdFlags::empty()).is_ok();
            stamped && inherited && file.try_lock().is_ok()
        });
        Self {
            note: note.to_owned(),
            _locked: locked,
        }
    }
}

impl Drop for AtWork {
    /// The child has ended: nothing is left to find.
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.note);
    }
}

/// Waits for the end of a git that an earlier command left behind, and removes the lock files that it left. Returns these.
///
/// `places` are the lock files that a git of ours can hold. One of them is ours when it appeared while that git was at
/// work; everybody else's stay.
pub fn recover(note: &Path, places: &[PathBuf]) -> Result<Vec<PathBuf>, GitError> {
    let Ok(file) = File::open(note) else {
        return Ok(Vec::new());
    };
    let watch = Stopwatch::start();
    while let Err(TryLockError::WouldBlock) = file.try_lock() {
        if watch.elapsed() > ORPHAN {
            return Err(GitError::Orphan {
                note: note.to_owned(),
            });
        }
        pause(LOOK);
    }
    let began = file.metadata().and_then(|meta| meta.modified());
    let mut removed = Vec::new();
    for place in places {
        if let Ok(began) = began
            && appeared(place).is_some_and(|at| at + TICK >= began && at <= began + SOON)
            && std::fs::remove_file(place).is_ok()
        {
            removed.push(place.clone());
        }
    }
    let _ = std::fs::remove_file(note);
    Ok(removed)
}

fn appeared(lock: &Path) -> Option<SystemTime> {
    lock.symlink_metadata().ok()?.modified().ok()
}

/// Waits a little for a lock file to go; whether it stands still.
#[must_use]
pub fn stands(lock: &Path) -> bool {
    let watch = Stopwatch::start();
    while lock.symlink_metadata().is_ok() {
        if watch.elapsed() > PATIENCE {
            return true;
        }
        pause(LOOK);
    }
    false
}
