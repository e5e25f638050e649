//! Owns the few ways in which bytes reach the disk.
//! Does not know what the bytes mean.
//! Invariant: no symbolic link is followed to a file of ours, and no pipe or device is waited for; a replacement is whole or
//! absent.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::error::{FORMAT, StoreError};
use crate::regular_files::{FileLinks, open_with_options, read_whole};
use crate::replacement::{Durability, replace_file};

/// What the journal needs of a disk. Tests have one that lies.
pub trait Disk: Sync {
    /// The whole file; `None` when there is none.
    fn read_file(&self, path: &Path) -> io::Result<Option<Vec<u8>>>;
    /// The length of the file; 0 when there is none.
    fn file_length(&self, path: &Path) -> io::Result<u64>;
    /// The bytes from an offset to the end.
    fn read_file_from(&self, path: &Path, offset: u64) -> io::Result<Vec<u8>>;
    /// Adds bytes to the end, in one write.
    fn append_bytes(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;
    fn truncate_file(&self, path: &Path, length: u64) -> io::Result<()>;
    /// Makes what was appended or cut survive a loss of power.
    fn sync_file(&self, path: &Path) -> io::Result<()>;
    /// Replaces the file by these bytes, whole and durably.
    fn replace_file(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;
}

pub struct RealDisk;

/// The longest file that is read whole: a journal of a million records has half of it.
const MOST_READ: u64 = 1 << 30;

fn open_own_file(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    open_with_options(options, path, FileLinks::Refuse)
}

/// Opens a file to read it.
pub(super) fn open_regular_file(path: &Path) -> io::Result<File> {
    open_own_file(OpenOptions::new().read(true), path)
}

impl Disk for RealDisk {
    fn read_file(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        match open_regular_file(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            opened => read_whole(&opened?, MOST_READ).map(Some),
        }
    }

    fn file_length(&self, path: &Path) -> io::Result<u64> {
        match std::fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
            found => Ok(found?.len()),
        }
    }

    fn read_file_from(&self, path: &Path, offset: u64) -> io::Result<Vec<u8>> {
        let mut file = open_regular_file(path)?;
        io::Seek::seek(&mut file, io::SeekFrom::Start(offset))?;
        read_whole(&file, MOST_READ)
    }

    fn append_bytes(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut file = open_own_file(OpenOptions::new().append(true).create(true), path)?;
        file.write_all(bytes)
    }

    fn truncate_file(&self, path: &Path, length: u64) -> io::Result<()> {
        open_own_file(OpenOptions::new().write(true), path)?.set_len(length)
    }

    fn sync_file(&self, path: &Path) -> io::Result<()> {
        open_regular_file(path)?.sync_data()
    }

    fn replace_file(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        replace_file(path, Durability::Synced, None, |file| file.write_all(bytes))
    }
}

/// Replaces a file whole, without waiting for the disk: for what can be made again.
pub(super) fn replace_file_unsynced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace_file(path, Durability::Unsynced, None, |file| {
        file.write_all(bytes)
    })
}

/// The JSON text of a value, for this file. A value without one (a path that is not UTF-8) is an error and never an
/// empty file.
pub fn encode_json(path: &Path, value: &impl Serialize) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(value)
        .map_err(io::Error::from)
        .map_err(StoreError::io_error("make the contents of", path))
}

/// The same with the format by which a later version knows how to read it.
pub(super) fn encode_with_format(
    path: &Path,
    content: &impl Serialize,
) -> Result<Vec<u8>, StoreError> {
    #[derive(Serialize)]
    struct Numbered<'a, T> {
        format: u32,
        #[serde(flatten)]
        content: &'a T,
    }
    let format = FORMAT;
    encode_json(path, &Numbered { format, content })
}

/// What is read of a file before the rest of it: the number of its format.
#[derive(Deserialize)]
pub(super) struct FormatField {
    pub format: u32,
}

/// The format of a file, where it is one that this version does not know. The first files had no number.
pub(super) fn find_newer_format(bytes: &[u8]) -> Option<u32> {
    let found = serde_json::from_slice::<FormatField>(bytes).ok()?.format;
    (found > FORMAT).then_some(found)
}

/// What a note holds; nothing, where it cannot be read or a newer version wrote it.
pub(super) fn decode_note<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    find_newer_format(bytes)
        .is_none()
        .then(|| serde_json::from_slice(bytes).ok())
        .flatten()
}

/// The same for people: on several lines, with a line end.
pub fn encode_pretty_json(path: &Path, value: &impl Serialize) -> Result<Vec<u8>, StoreError> {
    let mut text = serde_json::to_vec_pretty(value)
        .map_err(io::Error::from)
        .map_err(StoreError::io_error("make the contents of", path))?;
    text.push(b'\n');
    Ok(text)
}

/// Removes a file, if it is there.
pub(super) fn remove_file_if_there(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// Writes the output of a command. What stands in its place, a symbolic link too, is replaced and not followed.
pub fn write_output(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    replace_file_unsynced(path, bytes).map_err(StoreError::io_error("write", path))
}

/// Reads what `write_output` or `append_line` wrote, as far as `most` bytes.
pub fn read_output(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open_regular_file(path)?
        .take(most)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Adds a line to a log that anybody may lose. A symbolic link in its place is not followed.
pub fn append_line(path: &Path, line: &str) -> io::Result<()> {
    RealDisk.append_bytes(path, format!("{line}\n").as_bytes())
}

/// Creates a folder, and those above it, that only its owner can read; makes the names of the new ones durable.
pub(crate) fn make_private_folder(path: &Path) -> Result<(), StoreError> {
    let is_absent = |folder: &&Path| folder.symlink_metadata().is_err();
    let new: Vec<&Path> = path.ancestors().take_while(is_absent).collect();
    let created = std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path);
    created.map_err(StoreError::io_error("create", path))?;
    for parent in new.iter().filter_map(|folder| folder.parent()) {
        File::open(parent)
            .and_then(|folder| folder.sync_all())
            .map_err(StoreError::io_error("sync", parent))?;
    }
    Ok(())
}

/// What tells, without reading it, that a file was not touched: any write changes the time of change, which no program
/// can set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileSignature {
    length: u64,
    device: u64,
    inode: u64,
    changed: (i64, i64),
    modified: (i64, i64),
}

impl FileSignature {
    /// The signature of a file, if it exists. Of a symbolic link, that of the link.
    #[must_use]
    pub fn read_of(path: &Path) -> Option<Self> {
        let meta = std::fs::symlink_metadata(path).ok()?;
        Some(Self {
            length: meta.len(),
            device: meta.dev(),
            inode: meta.ino(),
            changed: (meta.ctime(), meta.ctime_nsec()),
            modified: (meta.mtime(), meta.mtime_nsec()),
        })
    }

    /// Did it grow or shrink? Then its bytes are others, and need not be read to tell.
    #[must_use]
    pub fn has_other_length(&self, other: &Self) -> bool {
        self.length != other.length
    }
}
