//! Owns what is remembered of a work tree between two looks: the files that are nobody's change, and the floor of the times.
//! Does not look at the files; `watch` does.
//! Invariant: what is lost of it is made again by the next look; nothing is believed on its word alone.

use std::path::{Path, PathBuf};

use super::disk::{self, Disk, RealDisk, encode_json};
use super::error::StoreError;
use super::pinned::FileNotes;

/// The notes on the work tree of a run, in a folder outside the repository.
#[derive(Clone, Debug)]
pub struct TreeNotes {
    pub(super) folder: PathBuf,
}

impl TreeNotes {
    /// Those beside an anchor.
    #[must_use]
    pub fn beside_anchor(anchor_folder: &Path) -> Self {
        Self {
            folder: anchor_folder.to_owned(),
        }
    }

    /// How the files that are nobody's change were at the last look. Without notes nothing is held against anybody.
    pub fn read_notes(&self) -> Result<FileNotes, StoreError> {
        let path = self.folder.join("notes.json");
        let bytes = RealDisk
            .read_file(&path)
            .map_err(StoreError::io_error("read", &path))?;
        Ok(bytes
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_default())
    }

    /// Keeps how these files are now. Not synced: a loss of power costs one comparison.
    pub fn write_notes(&self, notes: &FileNotes) -> Result<(), StoreError> {
        let path = self.folder.join("notes.json");
        let bytes = encode_json(&path, notes)?;
        disk::replace_file_unsynced(&path, &bytes).map_err(StoreError::io_error("write", &path))
    }

    /// The second, since 1970, that `write_time_floor` kept.
    #[must_use]
    pub fn read_time_floor(&self) -> Option<i64> {
        let bytes = RealDisk.read_file(&self.folder.join("floor")).ok()??;
        String::from_utf8(bytes).ok()?.trim().parse().ok()
    }

    /// Keeps the latest second that files of the run were given. Not synced: losing it costs nothing but for trials that
    /// follow each other within a second.
    pub fn write_time_floor(&self, second: i64) {
        let _ = disk::replace_file_unsynced(
            &self.folder.join("floor"),
            format!("{second}\n").as_bytes(),
        );
    }
}
