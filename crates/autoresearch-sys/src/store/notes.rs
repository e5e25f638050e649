//! Owns what is remembered of a work tree between two looks: the files that are nobody's change, and the floor of the times.
//! Does not look at the files; `watch` does.
//! Invariant: what is lost of it is made again by the next look; nothing is believed on its word alone.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::disk::{self, Disk, RealDisk, decode_note, encode_with_format};
use super::error::StoreError;
use super::pinned::FileNotes;

#[derive(Serialize, Deserialize)]
struct NotesFile {
    files: FileNotes,
}

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
        // The first version wrote the files alone.
        let read = |bytes: Vec<u8>| {
            decode_note::<NotesFile>(&bytes)
                .map(|note| note.files)
                .or_else(|| decode_note(&bytes))
        };
        Ok(bytes.and_then(read).unwrap_or_default())
    }

    /// Keeps how these files are now. Not synced: a loss of power costs one comparison.
    pub fn write_notes(&self, notes: &FileNotes) -> Result<(), StoreError> {
        let path = self.folder.join("notes.json");
        let files = notes.clone();
        let bytes = encode_with_format(&path, &NotesFile { files })?;
        disk::replace_file_unsynced(&path, &bytes).map_err(StoreError::io_error("write", &path))
    }

    /// The note with git's answers about its settings and its place.
    #[must_use]
    pub fn ground_path(&self) -> PathBuf {
        self.folder.join("ground.json")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_say_their_format_and_those_of_the_first_version_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notes.json");
        let notes = TreeNotes::beside_anchor(folder.path());
        assert_eq!(notes.read_notes().unwrap(), FileNotes::new());
        let files = FileNotes::from([("utf8:other/notes.md".to_owned(), None)]);
        notes.write_notes(&files).unwrap();
        let written = std::fs::read_to_string(&path).unwrap();
        assert_eq!(
            written,
            r#"{"format":1,"files":{"utf8:other/notes.md":null}}"#
        );
        assert_eq!(notes.read_notes().unwrap(), files);
        std::fs::write(&path, r#"{"utf8:other/notes.md":null}"#).unwrap();
        assert_eq!(notes.read_notes().unwrap(), files);
        for nothing in [
            written.replace(":1,", ":7,").as_str(),
            "",
            "[]",
            "{\"format\":1",
        ] {
            std::fs::write(&path, nothing).unwrap();
            assert_eq!(notes.read_notes().unwrap(), FileNotes::new(), "{nothing}");
        }
    }
}
