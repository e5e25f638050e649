//! Owns the lock of a run: one process acts on it at a time, and the next one learns who.
//! Does not wait, but for whoever just looks.
//! Invariant: the kernel releases the lock when its holder dies; the file is never deleted.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use super::disk::{encode_json, make_private_folder};
use super::error::StoreError;
use super::holder::Holder;
use crate::env::World;
use crate::polling::{PollLimit, poll_until, wait_until};
use crate::regular_files::open_file;
use crate::store::trust::{check_folder_trust, make_folder_private};

/// A look at a lock is over after this.
const LOOK: Duration = Duration::from_millis(50);
/// Whoever changes a file that runs share has done so after this.
const MOMENT: Duration = Duration::from_secs(5);
/// How often a lock is read again whose holder has not written into it yet.
const LOOKS: u32 = 20;

/// A lock that this process holds; dropping it lets it go.
#[derive(Debug)]
#[must_use = "a lock that is dropped is let go"]
pub struct HeldLock(File);

impl Drop for HeldLock {
    /// To close the file is not enough: a process that is being started has it too, until it runs its own program.
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}

/// Takes the lock in a folder and writes down who holds it.
pub fn take_lock(folder: &Path, world: &World, command: &str) -> Result<HeldLock, StoreError> {
    check_folder_trust(&world.state_folder)?;
    make_private_folder(folder)?;
    // Again: where it was not there yet, somebody may have been faster.
    check_folder_trust(&world.state_folder)?;
    if folder.starts_with(&world.state_folder) {
        make_folder_private(&world.state_folder)?;
    }
    let path = folder.join("lock");
    let opened = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path);
    let mut file = opened.map_err(StoreError::io_error("open", &path))?;
    // Whoever looks whether the lock is held has it for a moment.
    let pause = Duration::from_millis(1);
    let taken = poll_until(PollLimit::Time(LOOK), pause, || match file.try_lock() {
        Err(TryLockError::WouldBlock) => ControlFlow::Continue(Err(TryLockError::WouldBlock)),
        taken => ControlFlow::Break(taken),
    });
    match taken {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(StoreError::Busy(read_holder(&mut file))),
        Err(TryLockError::Error(source)) => {
            return Err(StoreError::Io {
                what: "lock",
                path,
                source,
            });
        }
    }
    let holder = Holder {
        pid: std::process::id(),
        command: command.to_owned(),
        since: world.now_text(),
    };
    let bytes = encode_json(&path, &holder)?;
    let written = file.set_len(0).and_then(|()| file.write_all(&bytes));
    written.map_err(StoreError::io_error("write", &path))?;
    Ok(HeldLock(file))
}

/// Takes the lock of a folder itself: for a file in it that more than one run changes, each for a moment. Nothing, where
/// it cannot be had in that time.
#[must_use]
pub fn lock_folder(folder: &Path) -> Option<HeldLock> {
    let file = File::open(folder).ok()?;
    let pause = Duration::from_millis(2);
    let is_taken = wait_until(MOMENT, pause, || file.try_lock().is_ok());
    is_taken.then_some(HeldLock(file))
}

/// Who holds the lock in a folder now, if anybody.
#[must_use]
pub fn find_holder(folder: &Path) -> Option<Holder> {
    let mut file = open_file(&folder.join("lock")).ok()?;
    if let Err(TryLockError::WouldBlock) = file.try_lock_shared() {
        return Some(read_holder(&mut file));
    }
    let _ = file.unlock();
    None
}

/// Whoever took the lock a moment ago has not said yet who it is: that is waited for, and then it is not known.
fn read_holder(file: &mut File) -> Holder {
    let pause = Duration::from_millis(1);
    poll_until(PollLimit::Looks(LOOKS), pause, || {
        let mut text = String::new();
        let _ = file.rewind().and_then(|()| file.read_to_string(&mut text));
        match serde_json::from_str(&text) {
            Ok(holder) => ControlFlow::Break(holder),
            Err(_) => ControlFlow::Continue(Holder::unknown()),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_holder_that_says_nothing_has_no_number_that_anybody_could_signal() {
        let folder = tempfile::tempdir().unwrap();
        for said in [
            "",
            "{\"pid\":47",
            "{\"pid\":0,\"command\":\"x\",\"since\":\"y\"}",
        ] {
            std::fs::write(folder.path().join("lock"), said).unwrap();
            let held = File::open(folder.path().join("lock")).unwrap();
            held.lock().unwrap();
            let holder = find_holder(folder.path()).unwrap();
            assert_eq!(holder.known_pid(), None, "{said}");
        }
    }

    #[test]
    fn a_folder_is_locked_by_one_at_a_time_and_leaves_nothing_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let held = lock_folder(folder.path()).unwrap();
        assert!(File::open(folder.path()).unwrap().try_lock().is_err());
        drop(held);
        assert!(lock_folder(folder.path()).is_some());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        assert!(lock_folder(&folder.path().join("none")).is_none());
    }

    #[test]
    fn a_lock_that_was_dropped_is_free_although_a_process_that_is_being_started_has_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let mut world = World::from_process();
        world.state_folder = folder.path().join("state");
        let place = world.state_folder.join("runs/1");
        let lock = take_lock(&place, &world, "test").unwrap();
        // What a fork does: one open file, and two who have it.
        let inherited = lock.0.try_clone().unwrap();
        assert!(find_holder(&place).is_some());
        drop(lock);
        assert_eq!(find_holder(&place), None);
        drop(take_lock(&place, &world, "again").unwrap());
        drop(inherited);
    }
}
