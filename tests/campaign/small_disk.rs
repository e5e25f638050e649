//! Owns a disk that is small enough to be filled.
//! Does not need a person's consent: it is mounted in a namespace that ends with this process.
//! Invariant: nobody else sees the mount, and it goes with its owner.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// The size of the disk: a repository and a run have room on it.
#[cfg(target_os = "linux")]
const SIZE: &str = "size=24m";

/// A mounted disk.
pub(crate) struct SmallDisk {
    place: PathBuf,
}

#[cfg(target_os = "linux")]
mod mounts {
    use std::path::Path;

    use nix::mount::{MntFlags, MsFlags, mount, umount2};
    use nix::sched::{CloneFlags, unshare};

    /// Lets this process mount, in a namespace of its own; why it cannot.
    pub(super) fn unshare_mounts() -> nix::Result<()> {
        let uid = rustix::process::geteuid();
        let gid = rustix::process::getegid();
        if uid.is_root() {
            unshare(CloneFlags::CLONE_NEWNS)?;
        } else {
            unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNS)?;
            let write = |file: &str, text: String| {
                std::fs::write(format!("/proc/self/{file}"), text).map_err(|_| nix::Error::EPERM)
            };
            write("setgroups", "deny".to_owned())?;
            write("uid_map", format!("{0} {0} 1", uid.as_raw()))?;
            write("gid_map", format!("{0} {0} 1", gid.as_raw()))?;
        }
        let (none, root): (Option<&str>, &str) = (None, "/");
        mount(
            none,
            root,
            none,
            MsFlags::MS_REC | MsFlags::MS_PRIVATE,
            none,
        )
    }

    pub(super) fn mount_memory(place: &Path, size: &str) -> nix::Result<()> {
        let kind = Some("tmpfs");
        mount(kind, place, kind, MsFlags::empty(), Some(size))
    }

    pub(super) fn unmount(place: &Path) {
        let _ = umount2(place, MntFlags::MNT_DETACH);
    }
}

/// Makes mounting possible for this process; why it is not.
#[cfg(target_os = "linux")]
pub(crate) fn can_mount() -> Result<(), String> {
    let allowed = mounts::unshare_mounts().and_then(|()| {
        let folder = tempfile::tempdir().map_err(|_| nix::Error::EIO)?;
        mounts::mount_memory(folder.path(), SIZE)?;
        mounts::unmount(folder.path());
        Ok(())
    });
    allowed.map_err(|error| error.to_string())
}

/// Makes mounting possible for this process; why it is not.
#[cfg(not(target_os = "linux"))]
pub(crate) fn can_mount() -> Result<(), String> {
    Err("only on Linux".to_owned())
}

impl SmallDisk {
    /// Mounts one at a folder that is made for it.
    pub(crate) fn mount(place: &Path) -> Self {
        std::fs::create_dir_all(place).unwrap();
        #[cfg(target_os = "linux")]
        mounts::mount_memory(place, SIZE).unwrap();
        Self {
            place: place.to_owned(),
        }
    }

    fn filler(&self) -> PathBuf {
        self.place.join("filler")
    }

    /// Fills it, but for so many bytes.
    pub(crate) fn fill(&self, left: u64) {
        let mut file = File::create(self.filler()).unwrap();
        let mut length = 0;
        for piece in [1 << 20, 1 << 16, 1 << 12] {
            while file.write_all(&vec![0; piece]).is_ok() {
                length += piece as u64;
            }
            // What was written of a piece that did not fit goes again.
            let _ = file.set_len(length);
            let _ = std::io::Seek::seek(&mut file, std::io::SeekFrom::Start(length));
        }
        let _ = file.set_len(length.saturating_sub(left));
    }

    /// There is room again.
    pub(crate) fn make_room(&self) {
        std::fs::remove_file(self.filler()).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        #[cfg(target_os = "linux")]
        mounts::unmount(&self.place);
    }
}
