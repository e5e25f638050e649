//! Owns the memory of unseen files: files in the scope that git ignores, as they were at the last look.
//! Does not look at them.
//! Invariant: what is lost of it is made again by the next look; nothing is believed on its word alone.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::disk::{self, Disk, FileSignature, RealDisk, decode_note, encode_with_format};
use super::error::StoreError;
use super::notes::TreeNotes;

/// The unseen files of a run, by lossless path.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct UnseenFiles {
    /// Each file that was there at start, or that verify or guard made.
    pub files: BTreeMap<String, KnownFile>,
    /// Cache folders of tools, which mark themselves; what is in them is not looked at.
    pub caches: BTreeSet<String>,
}

/// An unseen file that is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownFile {
    /// Was it there before the run? Verify and guard made the others.
    pub yours: bool,
    /// How it was at the last look.
    pub signature: FileSignature,
    /// SHA-256 of its bytes, where it is yours and small.
    #[serde(default)]
    pub hash: Option<String>,
}

impl TreeNotes {
    /// The unseen files at the last look; `None` where no look was kept.
    pub fn read_unseen(&self) -> Result<Option<UnseenFiles>, StoreError> {
        let path = self.folder.join("unseen.json");
        let bytes = RealDisk
            .read_file(&path)
            .map_err(StoreError::io_error("read", &path))?;
        Ok(bytes.and_then(|bytes| decode_note(&bytes)))
    }

    /// Keeps a look. Not synced: a loss of power costs one comparison.
    pub fn write_unseen(&self, unseen: &UnseenFiles) -> Result<(), StoreError> {
        let path = self.folder.join("unseen.json");
        let bytes = encode_with_format(&path, unseen)?;
        disk::replace_file_unsynced(&path, &bytes).map_err(StoreError::io_error("write", &path))
    }

    /// Notes that verify or guard may write from now on, or that they have ended.
    pub fn mark_measuring(&self, begins: bool) -> Result<(), StoreError> {
        let path = self.folder.join("measuring");
        if begins {
            return disk::replace_file_unsynced(&path, b"")
                .map_err(StoreError::io_error("write", &path));
        }
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(StoreError::io_error("remove", &path)(error))
            }
            _ => Ok(()),
        }
    }

    /// Were verify or guard interrupted, so that what they left is not noted yet?
    #[must_use]
    pub fn was_measuring(&self) -> bool {
        self.folder.join("measuring").symlink_metadata().is_ok()
    }
}
