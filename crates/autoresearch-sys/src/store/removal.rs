//! Owns the walk through a folder of ours and its removal, one component at a time.
//! Does not decide what may go.
//! Invariant: no symbolic link is followed, no mount point is entered, and nothing above or beside the folder is touched.

use std::ffi::{CStr, OsStr};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, AtFlags, Dir, FileType, Mode, OFlags, StatxAttributes, StatxFlags};

/// A folder cannot be walked or removed.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// A link stands in its place, or on the way to it.
    #[error("{} is a symbolic link", .0.display())]
    Link(PathBuf),
    /// Something else stands there.
    #[error("{} is not a folder", .0.display())]
    NotAFolder(PathBuf),
    /// Another file system, or another place of this one, is mounted there.
    #[error("{} is a mount point", .0.display())]
    Mount(PathBuf),
    /// The file system failed.
    #[error("could not {what} {}: {source}", path.display())]
    Io {
        what: &'static str,
        path: PathBuf,
        source: io::Error,
    },
}

/// Something in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderEntry {
    /// Its path from that folder.
    pub path: PathBuf,
    pub kind: FileType,
}

impl SweepError {
    fn io_error<'a>(
        what: &'static str,
        path: &'a Path,
    ) -> impl FnOnce(rustix::io::Errno) -> Self + 'a {
        move |errno| Self::Io {
            what,
            path: path.to_owned(),
            source: errno.into(),
        }
    }
}

/// Opens the folder `below` a root: each part of the way has to be a folder and no mount point. `None` if it is not there.
fn open_folder_below(root: &Path, below: &Path) -> Result<Option<OwnedFd>, SweepError> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut folder =
        rustix::fs::open(root, flags, Mode::empty()).map_err(SweepError::io_error("open", root))?;
    let mut path = root.to_owned();
    for part in below.components() {
        path.push(part);
        folder = match open_child_folder(folder.as_fd(), part.as_os_str(), &path) {
            Err(SweepError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                return Ok(None);
            }
            entered => entered?,
        };
    }
    Ok(Some(folder))
}

/// Opens a folder in a folder; `path` is for the words.
fn open_child_folder(
    folder: BorrowedFd<'_>,
    name: &OsStr,
    path: &Path,
) -> Result<OwnedFd, SweepError> {
    let found = rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)
        .map_err(SweepError::io_error("look at", path))?;
    match FileType::from_raw_mode(found.st_mode) {
        FileType::Directory => {}
        FileType::Symlink => return Err(SweepError::Link(path.to_owned())),
        _ => return Err(SweepError::NotAFolder(path.to_owned())),
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let opened = rustix::fs::openat(folder, name, flags, Mode::empty())
        .map_err(SweepError::io_error("open", path))?;
    if is_mount_point(&opened).map_err(SweepError::io_error("look at", path))? {
        return Err(SweepError::Mount(path.to_owned()));
    }
    Ok(opened)
}

/// Is something mounted here? A bind mount has the device of what is around it, so the kernel is asked.
fn is_mount_point(folder: &OwnedFd) -> Result<bool, rustix::io::Errno> {
    let found = rustix::fs::statx(folder, c"", AtFlags::EMPTY_PATH, StatxFlags::BASIC_STATS)?;
    Ok(found.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
}

/// The names in a folder.
fn list_names(folder: &OwnedFd, path: &Path) -> Result<Vec<Vec<u8>>, SweepError> {
    let entries = Dir::read_from(folder).map_err(SweepError::io_error("read", path))?;
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(SweepError::io_error("read", path))?;
        let name: &CStr = entry.file_name();
        if ![&b"."[..], b".."].contains(&name.to_bytes()) {
            found.push(name.to_bytes().to_vec());
        }
    }
    found.sort();
    Ok(found)
}

/// Everything in the folder `below` a root but what `skip` names, in the order of the names; `None` if it is not there.
pub fn list_folder(
    root: &Path,
    below: &Path,
    skip: &dyn Fn(&Path) -> bool,
) -> Result<Option<Vec<FolderEntry>>, SweepError> {
    let Some(folder) = open_folder_below(root, below)? else {
        return Ok(None);
    };
    let walk = FolderWalk {
        top: &root.join(below),
        skip,
        is_removal: false,
    };
    let mut found = Vec::new();
    walk.walk_into(&folder, Path::new(""), &mut found)?;
    Ok(Some(found))
}

/// A walk through a folder.
struct FolderWalk<'a> {
    top: &'a Path,
    skip: &'a dyn Fn(&Path) -> bool,
    /// Is all of it about to go? Then a folder that nobody may read is made readable.
    is_removal: bool,
}

impl FolderWalk<'_> {
    fn walk_into(
        &self,
        folder: &OwnedFd,
        at: &Path,
        found: &mut Vec<FolderEntry>,
    ) -> Result<(), SweepError> {
        for name in list_names(folder, &self.top.join(at))? {
            let name = OsStr::from_bytes(&name);
            let path = at.join(name);
            if (self.skip)(&path) {
                continue;
            }
            let whole = self.top.join(&path);
            let meta = rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)
                .map_err(SweepError::io_error("look at", &whole))?;
            let kind = FileType::from_raw_mode(meta.st_mode);
            found.push(FolderEntry {
                path: path.clone(),
                kind,
            });
            if kind == FileType::Directory {
                if self.is_removal {
                    make_accessible(folder.as_fd(), name);
                }
                let inner = open_child_folder(folder.as_fd(), name, &whole)?;
                self.walk_into(&inner, &path, found)?;
            }
        }
        Ok(())
    }
}

/// A package manager makes folders read-only, and the system keeps one of an overlay that not even its owner may open.
fn make_accessible(folder: BorrowedFd<'_>, name: &OsStr) {
    let closed = rustix::fs::accessat(
        folder,
        name,
        Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK,
        AtFlags::EACCESS,
    )
    .is_err();
    // Held while it is changed, so that no link can come in its place.
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    if closed && let Ok(held) = rustix::fs::openat(folder, name, flags, Mode::empty()) {
        let path = format!("/proc/self/fd/{}", held.as_raw_fd());
        let _ = rustix::fs::chmod(path, Mode::RWXU);
    }
}

/// Removes the folder `below` a root with everything in it. A link in it is removed, not followed; a mount point anywhere
/// in it, and nothing is removed.
pub fn remove_folder_below(root: &Path, below: &Path) -> Result<(), SweepError> {
    let whole = root.join(below);
    let Some(folder) = open_folder_below(root, below)? else {
        return Ok(());
    };
    let walk = FolderWalk {
        top: &whole,
        skip: &|_| false,
        is_removal: true,
    };
    walk.walk_into(&folder, Path::new(""), &mut Vec::new())?;
    let (Some(above), Some(name)) = (below.parent(), below.file_name()) else {
        return Err(SweepError::NotAFolder(whole));
    };
    let Some(above) = open_folder_below(root, above)? else {
        return Ok(());
    };
    remove_contents(above.as_fd(), name, &whole)?;
    rustix::fs::unlinkat(&above, name, AtFlags::REMOVEDIR)
        .map_err(SweepError::io_error("remove", &whole))
}

/// Removes everything in a folder.
fn remove_contents(above: BorrowedFd<'_>, name: &OsStr, path: &Path) -> Result<(), SweepError> {
    let folder = open_child_folder(above, name, path)?;
    for name in list_names(&folder, path)? {
        let name = OsStr::from_bytes(&name);
        let inner = path.join(name);
        let meta = rustix::fs::statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW)
            .map_err(SweepError::io_error("look at", &inner))?;
        let is_folder = FileType::from_raw_mode(meta.st_mode) == FileType::Directory;
        let flags = if is_folder {
            remove_contents(folder.as_fd(), name, &inner)?;
            AtFlags::REMOVEDIR
        } else {
            AtFlags::empty()
        };
        rustix::fs::unlinkat(&folder, name, flags)
            .map_err(SweepError::io_error("remove", &inner))?;
    }
    Ok(())
}

/// The number by which the file system knows a folder; `None` for anything else.
#[must_use]
pub fn folder_inode(path: &Path) -> Option<u64> {
    let meta = path.symlink_metadata().ok()?;
    meta.is_dir()
        .then(|| std::os::unix::fs::MetadataExt::ino(&meta))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(_: &Path) -> bool {
        false
    }

    #[test]
    fn a_mount_point_is_neither_walked_nor_removed() {
        let walked = list_folder(Path::new("/"), Path::new("proc"), &whole);
        assert!(matches!(walked, Err(SweepError::Mount(_))), "{walked:?}");
        let walked = list_folder(Path::new("/"), Path::new("proc/self"), &whole);
        assert!(matches!(walked, Err(SweepError::Mount(_))), "{walked:?}");
        let removed = remove_folder_below(Path::new("/"), Path::new("proc"));
        assert!(matches!(removed, Err(SweepError::Mount(_))), "{removed:?}");
    }

    #[test]
    fn folders_that_may_not_be_read_or_changed_go_and_a_link_to_one_stays_what_it_is() {
        use std::os::unix::fs::PermissionsExt;
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        let set = |below: &str, mode| {
            std::fs::set_permissions(root.join(below), PermissionsExt::from_mode(mode)).unwrap();
        };
        for (folder, mode) in [
            ("ours/read-only", 0o555),
            ("ours/closed", 0o000),
            ("theirs", 0o500),
        ] {
            std::fs::create_dir_all(root.join(folder).join("inner")).unwrap();
            set(folder, mode);
        }
        std::os::unix::fs::symlink(root.join("theirs"), root.join("ours/link")).unwrap();
        remove_folder_below(root, Path::new("ours")).unwrap();
        assert!(!root.join("ours").exists());
        let left = root.join("theirs").metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!((left, root.join("theirs/inner").is_dir()), (0o500, true));
    }

    #[test]
    fn a_link_is_removed_and_not_followed_and_one_on_the_way_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        std::fs::create_dir_all(root.join("ours/inner")).unwrap();
        std::fs::create_dir_all(root.join("theirs/inner")).unwrap();
        std::fs::write(root.join("theirs/inner/file"), "mine").unwrap();
        std::os::unix::fs::symlink(root.join("theirs"), root.join("ours/inner/link")).unwrap();
        std::os::unix::fs::symlink(root.join("theirs"), root.join("way")).unwrap();
        for below in ["way", "way/inner"] {
            let removed = remove_folder_below(root, Path::new(below));
            assert!(matches!(removed, Err(SweepError::Link(_))), "{removed:?}");
        }
        remove_folder_below(root, Path::new("ours")).unwrap();
        assert!(!root.join("ours").exists() && root.join("theirs/inner/file").exists());
        remove_folder_below(root, Path::new("ours")).unwrap();
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_removed_with_what_is_in_it() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("a/b");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("file"), "x").unwrap();
        rustix::fs::chmod(&folder, Mode::RUSR | Mode::XUSR).unwrap();
        remove_folder_below(root.path(), Path::new("a")).unwrap();
        assert!(!root.path().join("a").exists());
    }
}
