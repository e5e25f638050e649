//! Owns the trace that a git process of ours leaves when it dies, with us or alone: a note that it keeps locked while it
//! lives, and the lock files that it leaves in the repository.
//! Does not touch a lock file that may be another program's.
//! Invariant: when a run was opened to act, no git of an earlier command is at work any more.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::error::GitError;
use crate::env::Stopwatch;
use crate::polling::wait_until;
use crate::regular_files::open_file;

/// How long an orphaned git may go on before the next command gives up waiting for it.
const ORPHAN: Duration = Duration::from_mins(1);
/// How long one lock of another program is waited for: an editor that refreshes its view of the index holds it briefly.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long locks are waited for that come and go: others are at work too, and each lets go.
const CROWD: Duration = Duration::from_secs(30);
/// Between two looks at a lock.
pub(super) const LOOK: Duration = Duration::from_millis(10);
/// git takes its locks this soon after it starts; a later one is somebody else's.
const SOON: Duration = Duration::from_secs(3);
/// File times are cut to the kernel's tick.
const TICK: Duration = Duration::from_millis(20);

/// What the gits of a run can leave behind, and where others may be at work on the same.
#[derive(Clone, Debug, Default)]
pub struct Traces {
    /// Lock files that a git of ours can hold.
    pub locks: Vec<PathBuf>,
    /// Folders of references that are the run's alone; each lock file in them is ours.
    pub references: Vec<PathBuf>,
    /// The folders of the repository. As long as another git stands in one of them, no lock is taken for a left one.
    pub folders: Vec<PathBuf>,
}

/// The note beside the anchor of a run, as long as a git of ours is at work.
pub(super) struct WorkNote {
    note: PathBuf,
    _locked: Option<File>,
}

impl WorkNote {
    /// Writes the note and locks it. A child that is started now inherits the lock, and holds it when we die. Where the
    /// note cannot be written, git works without it.
    pub(super) fn write_locked(note: &Path) -> Self {
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

    /// Removes the lock files that the git of this note left when it was killed while we live on.
    pub(super) fn clear_locks(&self, traces: &Traces) {
        if let Some(began) = read_modified(&self.note) {
            // It has just ended: whatever appeared until now can be its own.
            remove_left_locks(traces, began, began + ORPHAN);
        }
    }
}

impl Drop for WorkNote {
    /// The child has ended: nothing is left to find.
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.note);
    }
}

/// Waits for the end of a git that an earlier command left behind, and removes the lock files that it left. Returns these.
///
/// A lock file is ours when it appeared while that git was at work; everybody else's stay.
pub fn recover_locks(note: &Path, traces: &Traces) -> Result<Vec<PathBuf>, GitError> {
    let Ok(file) = open_file(note) else {
        return Ok(Vec::new());
    };
    let is_free = || !matches!(file.try_lock(), Err(TryLockError::WouldBlock));
    if !wait_until(ORPHAN, LOOK, is_free) {
        return Err(GitError::Orphan {
            note: note.to_owned(),
        });
    }
    let began = file.metadata().and_then(|meta| meta.modified());
    let removed = began.map_or_else(
        |_| Vec::new(),
        |began| remove_left_locks(traces, began, began + SOON),
    );
    let _ = std::fs::remove_file(note);
    Ok(removed)
}

/// Removes the lock files that appeared in a span of time, that nobody lets go of, and that no other git can hold.
fn remove_left_locks(traces: &Traces, began: SystemTime, end: SystemTime) -> Vec<PathBuf> {
    let user = rustix::process::geteuid().as_raw();
    let appeared = |lock: &PathBuf| {
        let found = lock.symlink_metadata().ok();
        found.is_some_and(|meta| {
            let at = meta.modified().ok();
            meta.uid() == user && at.is_some_and(|at| at + TICK >= began && at <= end)
        })
    };
    let mut left: Vec<PathBuf> = traces.locks.clone();
    left.extend(
        traces
            .references
            .iter()
            .flat_map(|folder| list_locks(folder)),
    );
    left.retain(appeared);
    // A git that lives lets go of its lock.
    left.retain(|lock| is_lock_stuck(lock));
    if left.is_empty() || is_another_at_work(&traces.folders) {
        return Vec::new();
    }
    left.retain(|lock| std::fs::remove_file(lock).is_ok());
    left
}

fn list_locks(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    paths
        .filter(|path| path.extension().is_some_and(|end| end == "lock"))
        .collect()
}

/// Does a git of this user stand in one of these folders? A `git commit` that waits for an editor holds its lock for
/// minutes, and nothing but the process tells that.
fn is_another_at_work(folders: &[PathBuf]) -> bool {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).any(|process| {
        let name = std::fs::read_to_string(process.join("comm")).unwrap_or_default();
        let is_git = name.trim_end() == "git" || name.starts_with("git-");
        is_git
            && std::fs::read_link(process.join("cwd"))
                .is_ok_and(|cwd| folders.iter().any(|folder| cwd.starts_with(folder)))
    })
}

fn read_modified(path: &Path) -> Option<SystemTime> {
    path.symlink_metadata().ok()?.modified().ok()
}

/// What tells one holding of a lock from the next: the file is made again each time.
fn read_holding(lock: &Path) -> Option<(u64, u64, i64, i64)> {
    let meta = lock.symlink_metadata().ok()?;
    Some((meta.dev(), meta.ino(), meta.mtime(), meta.mtime_nsec()))
}

/// Waiting for locks of others.
pub(super) struct LockPatience {
    begun: Stopwatch,
    since: Stopwatch,
    holding: Option<(u64, u64, i64, i64)>,
}

impl LockPatience {
    pub(super) fn begin_wait() -> Self {
        Self {
            begun: Stopwatch::start(),
            since: Stopwatch::start(),
            holding: None,
        }
    }

    /// Is a lock still worth waiting for? One that has stood all the time is not; one that came and went is, for longer.
    pub(super) fn is_worth_waiting(&mut self, lock: &Path) -> bool {
        let holding = read_holding(lock);
        if holding.is_none() || holding != self.holding {
            self.holding = holding;
            self.since = Stopwatch::start();
        }
        self.since.elapsed() < PATIENCE && self.begun.elapsed() < CROWD
    }
}

/// Waits a little for a lock file to go; whether it stands still.
#[must_use]
pub fn is_lock_stuck(lock: &Path) -> bool {
    let held = read_holding(lock);
    held.is_some() && !wait_until(PATIENCE, LOOK, || read_holding(lock) != held)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_locks_of_the_time_of_our_git_are_removed_and_none_while_another_git_stands_there() {
        let folder = tempfile::tempdir().unwrap();
        let (lock, other) = (folder.path().join("a.lock"), folder.path().join("b"));
        let traces = Traces {
            references: vec![folder.path().to_owned()],
            ..Traces::default()
        };
        std::fs::write(&lock, "").unwrap();
        std::fs::write(&other, "").unwrap();
        let now = read_modified(&lock).unwrap();
        let early = now - Duration::from_mins(1);
        assert!(
            remove_left_locks(&traces, early, early + SOON).is_empty(),
            "a later lock"
        );
        let late = now + Duration::from_mins(1);
        assert!(
            remove_left_locks(&traces, late, late + SOON).is_empty(),
            "an earlier lock"
        );
        assert_eq!(
            remove_left_locks(&traces, now, now + SOON),
            std::slice::from_ref(&lock)
        );
        assert!(!lock.exists() && other.exists());
    }

    #[test]
    fn a_lock_that_comes_and_goes_is_waited_for_longer_than_one_that_stands() {
        let folder = tempfile::tempdir().unwrap();
        let lock = folder.path().join("index.lock");
        std::fs::write(&lock, "").unwrap();
        let mut patience = LockPatience::begin_wait();
        let standing = Stopwatch::start();
        assert!(wait_until(CROWD * 4, LOOK, || !patience.is_worth_waiting(&lock)));
        assert!(standing.elapsed() >= PATIENCE);
        std::fs::remove_file(&lock).unwrap();
        assert!(patience.is_worth_waiting(&lock), "it went");
        std::fs::write(&lock, "another").unwrap();
        assert!(patience.is_worth_waiting(&lock), "it came again");
    }
}
