//! Owns the temporary folders of single commands: each is new and empty, nobody else's, and gone when the command has ended.
//! Does not say who gets one.
//! Invariant: what a crash left is removed by whoever makes the next one; a folder in use is locked, and stays.

use std::fs::{File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};

use crate::store::disk::make_private_folder;
use crate::store::removal::remove_folder_below;

/// The folder for all of them in the state folder. Its name is short: sockets in them have paths of 107 bytes at most.
const PARENT: &str = "tmp";

/// A folder for the temporary files of one command.
#[derive(Debug)]
pub(super) struct TemporaryFolder {
    root: PathBuf,
    /// From the root.
    below: PathBuf,
    /// Locked; the kernel lets it go when this process dies.
    held: File,
}

impl TemporaryFolder {
    /// Makes a new one in the state folder, and removes what nobody uses any more.
    pub(super) fn make(state_folder: &Path) -> std::io::Result<Self> {
        let parent = state_folder.join(PARENT);
        make_private_folder(&parent).map_err(std::io::Error::other)?;
        // Nobody looks at a folder between its making and its lock.
        let flags = OFlags::CREATE | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let gate = rustix::fs::open(parent.join("lock"), flags, Mode::RUSR | Mode::WUSR)?;
        let gate = File::from(gate);
        gate.lock()?;
        remove_unused(state_folder, &parent);
        let made = tempfile::Builder::new()
            .prefix("")
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(&parent)?;
        let held = open_folder(made.path())?;
        held.lock()?;
        let path = made.keep();
        let below = Path::new(PARENT).join(path.file_name().unwrap_or_default());
        gate.unlock()?;
        Ok(Self {
            root: state_folder.to_owned(),
            below,
            held,
        })
    }

    #[must_use]
    pub(super) fn path(&self) -> PathBuf {
        self.root.join(&self.below)
    }
}

impl Drop for TemporaryFolder {
    /// What cannot be removed now is removed by the next one.
    fn drop(&mut self) {
        let _ = remove_folder_below(&self.root, &self.below);
        let _ = self.held.unlock();
    }
}

/// Opens a folder; what a link names is none.
fn open_folder(path: &Path) -> std::io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(File::from(rustix::fs::open(path, flags, Mode::empty())?))
}

fn remove_unused(state_folder: &Path, parent: &Path) {
    for entry in std::fs::read_dir(parent).into_iter().flatten().flatten() {
        if open_folder(&entry.path()).is_ok_and(|folder| folder.try_lock().is_ok()) {
            let below = Path::new(PARENT).join(entry.file_name());
            let _ = remove_folder_below(state_folder, &below);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list_names(state: &Path) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(state.join(PARENT)).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        paths.filter(|path| path.is_dir()).collect()
    }

    #[test]
    fn each_is_new_private_and_gone_with_everything_in_it() {
        let state = tempfile::tempdir().unwrap();
        let one = TemporaryFolder::make(state.path()).unwrap();
        let other = TemporaryFolder::make(state.path()).unwrap();
        assert_ne!(one.path(), other.path());
        let rights = one.path().metadata().unwrap().permissions().mode();
        assert_eq!(rights & 0o777, 0o700);
        std::fs::create_dir_all(one.path().join("a/b")).unwrap();
        std::fs::write(one.path().join("a/b/c"), "x").unwrap();
        std::os::unix::fs::symlink(state.path(), one.path().join("link")).unwrap();
        let closed = one.path().join("a");
        std::fs::set_permissions(&closed, PermissionsExt::from_mode(0o500)).unwrap();
        drop(one);
        assert_eq!(list_names(state.path()), [other.path()]);
        drop(other);
        assert!(list_names(state.path()).is_empty());
    }

    #[test]
    fn what_a_crash_left_goes_with_the_next_and_what_is_in_use_stays() {
        let state = tempfile::tempdir().unwrap();
        let used = TemporaryFolder::make(state.path()).unwrap();
        let left = state.path().join(PARENT).join("left");
        std::fs::create_dir_all(left.join("deep")).unwrap();
        let kept = state.path().join("kept");
        std::fs::create_dir(&kept).unwrap();
        std::fs::write(kept.join("file"), "x").unwrap();
        std::os::unix::fs::symlink(&kept, state.path().join(PARENT).join("link")).unwrap();
        let next = TemporaryFolder::make(state.path()).unwrap();
        assert!(!left.exists());
        assert!(used.path().exists() && next.path().exists());
        assert!(kept.join("file").exists(), "a link is not followed");
    }
}
