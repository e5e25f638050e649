//! Owns the copies that stand in a tree for ignored files of the user's checkout: bytes, modes, links and times.
//! Does not choose what is copied, and writes nothing outside the tree.
//! Invariant: a copy with the time of its original is complete; a tracked file is never overwritten.
//!
//! Build tools take a product for good when it is newer than its sources. A product that was copied has the time at which it
//! was made, of whatever the sources were then; so every tracked file of the tree is made newer than all of them, and
//! whatever depends on a source is built again before it is measured.

use std::collections::BTreeSet;
use std::fs::{self, File, FileTimes, Metadata, Permissions};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use autoresearch_core::git_names::RepoPath;
use autoresearch_core::words::text::escape_text;
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, UTIME_NOW, UTIME_OMIT, utimensat};

use crate::trees::wanted::WantedPaths;
use crate::watch::space::check_room;
use autoresearch_sys::env::World;
use autoresearch_sys::error::{Failure, FailureKind, Result};

/// A copy above this size is announced.
const LARGE: u64 = 256 << 20;
/// How much of a file is copied before somebody's wish to stop is looked at.
const PORTION: u64 = 16 << 20;

/// A time of a file: seconds and nanoseconds.
type FileTime = (i64, i64);

/// Does the file system share the bytes of a copy with the original?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sharing {
    Unknown,
    Works,
    Fails,
}

/// Copies from the checkout into a tree.
pub(super) struct Copier<'a> {
    world: &'a World,
    checkout: &'a Path,
    tree: &'a Path,
    wanted: &'a WantedPaths,
    /// The files that git tracks in the tree below the copied paths.
    tracked: BTreeSet<RepoPath>,
    sharing: Sharing,
    /// How much all copies together take on the disk, when nothing is shared.
    size: u64,
    /// The time of the newest copied file.
    newest: Option<FileTime>,
    /// What is neither a file, a folder nor a link, from the root.
    pub(super) skipped: Vec<PathBuf>,
}

impl<'a> Copier<'a> {
    /// Copies from a checkout, its root without links in its path, into a tree in which git tracks these files.
    pub(super) fn new(
        world: &'a World,
        [checkout, tree]: [&'a Path; 2],
        wanted: &'a WantedPaths,
        tracked: BTreeSet<RepoPath>,
    ) -> Self {
        Self {
            world,
            checkout,
            tree,
            wanted,
            tracked,
            sharing: Sharing::Unknown,
            size: 0,
            newest: None,
            skipped: Vec::new(),
        }
    }

    /// Copies all chosen paths. What an earlier copying completed is left as it is.
    pub(super) fn copy_all(&mut self) -> Result<()> {
        let paths: Vec<PathBuf> = self.wanted.copy.iter().map(|it| it.path.clone()).collect();
        for path in &paths {
            self.size += self.measure_path(path)?;
        }
        if self.size > LARGE {
            let mib = self.size >> 20;
            (self.world.progress)(&format!("copies {mib} MiB into the run's tree"));
        }
        for path in &paths {
            (self.world.step)("tree copy");
            if let Some(above) = self.tree.join(path).parent() {
                fs::create_dir_all(above).map_err(explain("make", above))?;
            }
            self.copy_entry(path)?;
        }
        Ok(())
    }

    /// Makes every tracked file of the tree newer than the newest copy. A fresh tree's files are, unless a clock was put
    /// back or both were made in one moment.
    pub(super) fn make_newer(&self, tracked: &[RepoPath]) -> Result<()> {
        let Some(newest) = self.newest else {
            return Ok(());
        };
        for path in tracked {
            let path = self.tree.join(path.as_path());
            let is_newer = || {
                let meta = path.symlink_metadata();
                meta.map(|meta| meta.is_dir() || time_of(&meta) > newest)
            };
            match is_newer() {
                Ok(true) => continue,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                looked => looked.map_err(explain("read", &path))?,
            };
            set_time(&path, None).map_err(explain("touch", &path))?;
            if !is_newer().map_err(explain("read", &path))? {
                let after = (newest.0 + 1, newest.1);
                set_time(&path, Some(after)).map_err(explain("touch", &path))?;
            }
        }
        Ok(())
    }

    /// Notes how new the files of a folder are that is not copied.
    pub(super) fn note_times(&mut self, path: &Path) -> Result<()> {
        self.refuse_interrupted()?;
        let source = self.checkout.join(path);
        let Some(meta) = look_at(&source)? else {
            return Ok(());
        };
        if meta.is_dir() {
            for name in list_names(&source)? {
                self.note_times(&path.join(name))?;
            }
        } else {
            self.newest = self.newest.max(Some(time_of(&meta)));
        }
        Ok(())
    }

    /// What a path takes on the disk.
    fn measure_path(&self, path: &Path) -> Result<u64> {
        self.refuse_interrupted()?;
        let source = self.checkout.join(path);
        let Some(meta) = look_at(&source)? else {
            return Ok(0);
        };
        let mut size = meta.blocks() * 512;
        if meta.is_dir() {
            for name in list_names(&source)? {
                let path = path.join(name);
                if self.is_meant(&path) {
                    size += self.measure_path(&path)?;
                }
            }
        }
        Ok(size)
    }

    fn is_meant(&self, path: &Path) -> bool {
        self.wanted.is_copied(path) && !self.tracked.contains(path.as_os_str().as_bytes())
    }

    fn copy_entry(&mut self, path: &Path) -> Result<()> {
        self.refuse_interrupted()?;
        let (source, target) = (self.checkout.join(path), self.tree.join(path));
        // What goes away meanwhile was a temporary file of somebody's.
        let Some(meta) = look_at(&source)? else {
            return Ok(());
        };
        if meta.is_dir() {
            self.copy_folder(path, &meta)
        } else if meta.is_symlink() {
            self.copy_link(&source, &target, &meta)
        } else if meta.is_file() {
            self.newest = self.newest.max(Some(time_of(&meta)));
            if is_complete(&target, &meta) {
                return Ok(());
            }
            self.copy_file(&source, &target, &meta)
        } else {
            self.skipped.push(path.to_owned());
            Ok(())
        }
    }

    /// A folder gets its mode and its times when everything is in it.
    fn copy_folder(&mut self, path: &Path, meta: &Metadata) -> Result<()> {
        let (source, target) = (self.checkout.join(path), self.tree.join(path));
        fs::create_dir_all(&target).map_err(explain("make", &target))?;
        for name in list_names(&source)? {
            let path = path.join(name);
            if self.is_meant(&path) {
                self.copy_entry(&path)?;
            }
        }
        let mode = Permissions::from_mode(meta.mode() & 0o7777);
        fs::set_permissions(&target, mode).map_err(explain("change", &target))?;
        set_time(&target, Some(time_of(meta))).map_err(explain("touch", &target))
    }

    /// A link with an absolute path into the checkout would lead out of the tree.
    fn copy_link(&self, source: &Path, target: &Path, meta: &Metadata) -> Result<()> {
        let text = fs::read_link(source).map_err(explain("read", source))?;
        let leads_to = match text.strip_prefix(self.checkout) {
            Ok(below) => self.tree.join(below),
            Err(_) => text,
        };
        if fs::read_link(target).is_ok_and(|old| old == leads_to) {
            return Ok(());
        }
        remove_old(target)?;
        std::os::unix::fs::symlink(&leads_to, target).map_err(explain("make", target))?;
        set_time(target, Some(time_of(meta))).map_err(explain("touch", target))
    }

    fn copy_file(&mut self, source: &Path, target: &Path, meta: &Metadata) -> Result<()> {
        remove_old(target)?;
        let from = File::options()
            .read(true)
            .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed())
            .open(source)
            .map_err(explain("read", source))?;
        let to = File::options()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(target)
            .map_err(explain("make", target))?;
        if !self.share_bytes(&from, &to)? {
            self.copy_bytes(&from, &to).map_err(|error| match error {
                CopyError::Interrupted => interrupted(),
                CopyError::Io(error) => explain("copy", source)(error),
            })?;
        }
        let mode = Permissions::from_mode(meta.mode() & 0o7777);
        to.set_permissions(mode)
            .map_err(explain("change", target))?;
        let mut times = FileTimes::new();
        if let (Ok(accessed), Ok(modified)) = (meta.accessed(), meta.modified()) {
            times = times.set_accessed(accessed).set_modified(modified);
        }
        to.set_times(times).map_err(explain("touch", target))
    }

    /// Lets the copy share the bytes of the original. Where the first file cannot, all of them need room.
    fn share_bytes(&mut self, from: &File, to: &File) -> Result<bool> {
        if self.sharing == Sharing::Fails {
            return Ok(false);
        }
        let is_shared = share(from, to);
        if self.sharing == Sharing::Unknown {
            self.sharing = if is_shared {
                Sharing::Works
            } else {
                Sharing::Fails
            };
            if !is_shared {
                check_room(self.tree, self.size)?;
            }
        }
        Ok(is_shared)
    }

    fn copy_bytes(&self, from: &File, to: &File) -> std::result::Result<(), CopyError> {
        let mut to = to;
        while io::copy(&mut from.take(PORTION), &mut to).map_err(CopyError::Io)? > 0 {
            if self.world.is_interrupted() {
                return Err(CopyError::Interrupted);
            }
        }
        Ok(())
    }

    fn refuse_interrupted(&self) -> Result<()> {
        if self.world.is_interrupted() {
            return Err(interrupted());
        }
        Ok(())
    }
}

/// The bytes of a file were not copied.
enum CopyError {
    Interrupted,
    Io(io::Error),
}

/// The sentence on what was not copied.
pub(super) fn describe_skipped(skipped: &[PathBuf]) -> Option<String> {
    let first = skipped.first()?;
    let name = escape_text(&first.to_string_lossy());
    let more = match skipped.len() - 1 {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Some(format!(
        "note: not copied, because it is neither a file, a folder nor a link: {name}{more}"
    ))
}

#[cfg(target_os = "linux")]
fn share(from: &File, to: &File) -> bool {
    rustix::fs::ioctl_ficlone(to, from).is_ok()
}

#[cfg(not(target_os = "linux"))]
fn share(_: &File, _: &File) -> bool {
    false
}

fn interrupted() -> Failure {
    Failure::new(FailureKind::Interrupted, "interrupted")
}

fn explain(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Failure {
    let words = format!("could not {what} {}", path.display());
    move |error| Failure::io(words, &error)
}

/// What stands at a path, if anything does.
fn look_at(path: &Path) -> Result<Option<Metadata>> {
    match path.symlink_metadata() {
        Ok(meta) => Ok(Some(meta)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(explain("read", path)(error)),
    }
}

fn list_names(folder: &Path) -> Result<Vec<std::ffi::OsString>> {
    let entries = fs::read_dir(folder).map_err(explain("read", folder))?;
    let names = entries.map(|entry| entry.map(|entry| entry.file_name()));
    names
        .collect::<io::Result<_>>()
        .map_err(explain("read", folder))
}

fn time_of(meta: &Metadata) -> FileTime {
    (meta.mtime(), meta.mtime_nsec())
}

/// The time is set last: a copy that has it is whole.
fn is_complete(target: &Path, original: &Metadata) -> bool {
    target.symlink_metadata().is_ok_and(|meta| {
        meta.is_file() && meta.len() == original.len() && time_of(&meta) == time_of(original)
    })
}

/// Takes away what a copying that was cut short left. A folder in its place was made by somebody else, and stays.
fn remove_old(target: &Path) -> Result<()> {
    match fs::remove_file(target) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(explain("replace", target)(error))
        }
        _ => Ok(()),
    }
}

/// Sets the time of a file, a folder or a link itself; without one, to now.
fn set_time(path: &Path, time: Option<FileTime>) -> io::Result<()> {
    let second = |(tv_sec, tv_nsec): (i64, i64)| Timespec { tv_sec, tv_nsec };
    let times = Timestamps {
        last_access: second((0, UTIME_OMIT)),
        last_modification: second(time.unwrap_or((0, UTIME_NOW))),
    };
    utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW).map_err(io::Error::from)
}

#[cfg(test)]
mod tests;
