//! Owns the note of a work tree that the tool makes: whose it is, where it lies, and the file system's number for it.
//! Does not make or remove the work tree.
//! Invariant: the note is outside the repository, and durable before anything that it names is made.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::store::disk::{Disk, RealDisk, decode_note, encode_json, make_private_folder};
use crate::store::error::{FORMAT, StoreError};
use crate::store::removal::{SweepError, remove_folder_below};
use crate::store::trust::check_folder_trust;

/// The folder of the notes, in the state folder.
const NOTES: &str = "tree-notes";
/// The note's file.
const FILE: &str = "tree.json";
/// A larger file is not one of ours.
const MAX: u64 = 1 << 20;

/// What a work tree is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TreeKind {
    /// The run's own: its trials are made there.
    Own,
    /// Borrowed for a while, and kept for the next one who borrows.
    Lent,
    /// Borrowed once: it goes when it is given back.
    Scratch,
}

/// A work tree that the tool made, or is about to make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TreeNote {
    /// The format of this file.
    pub format: u32,
    /// The id of the run.
    pub id: String,
    pub run: String,
    /// Which of the run's work trees it is.
    pub name: String,
    /// The work tree in which the run's folder is.
    pub root: PathBuf,
    pub path: PathBuf,
    pub kind: TreeKind,
    /// The number by which the file system knows its folder, once it was made.
    pub inode: Option<u64>,
}

impl TreeNote {
    /// The note of a tree that is not there yet.
    #[must_use]
    pub fn new(id: &str, run: &str, name: &str, kind: TreeKind) -> Self {
        Self {
            format: FORMAT,
            id: id.to_owned(),
            run: run.to_owned(),
            name: name.to_owned(),
            root: PathBuf::new(),
            path: PathBuf::new(),
            kind,
            inode: None,
        }
    }

    /// Where the note is, with the lock of whoever uses the tree.
    #[must_use]
    pub fn folder(&self, state_folder: &Path) -> PathBuf {
        tree_note_folder(state_folder, &self.id, &self.name)
    }

    /// Writes the note durably.
    pub fn write(&self, state_folder: &Path) -> Result<(), StoreError> {
        check_folder_trust(state_folder)?;
        let folder = self.folder(state_folder);
        make_private_folder(&folder)?;
        let path = folder.join(FILE);
        RealDisk
            .replace_file(&path, &encode_json(&path, self)?)
            .map_err(StoreError::io_error("write", &path))
    }

    /// The note of a tree of a run, if there is one that can be read.
    #[must_use]
    pub fn read(state_folder: &Path, id: &str, name: &str) -> Option<Self> {
        read_note(&tree_note_folder(state_folder, id, name))
    }

    /// All notes, in the order of their names.
    #[must_use]
    pub fn list_all(state_folder: &Path) -> Vec<Self> {
        let entries = std::fs::read_dir(state_folder.join(NOTES));
        let entries = entries.into_iter().flatten().flatten();
        let mut folders: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        folders.sort();
        folders.iter().filter_map(|path| read_note(path)).collect()
    }

    /// Takes the note away, with the lock beside it: nothing of the tree is left.
    pub fn remove(&self, state_folder: &Path) -> Result<(), SweepError> {
        let name = format!("{}-{}", self.id, self.name);
        remove_folder_below(state_folder, &Path::new(NOTES).join(name))
    }
}

/// The folder of the note and the lock of one tree of a run.
#[must_use]
pub fn tree_note_folder(state_folder: &Path, id: &str, name: &str) -> PathBuf {
    state_folder.join(NOTES).join(format!("{id}-{name}"))
}

fn read_note(folder: &Path) -> Option<TreeNote> {
    let path = folder.join(FILE);
    if RealDisk.file_length(&path).ok()? > MAX {
        return None;
    }
    let note: TreeNote = decode_note(&RealDisk.read_file(&path).ok()??)?;
    // A note is believed where it lies only.
    let named = format!("{}-{}", note.id, note.name);
    (folder.file_name()?.to_str()? == named).then_some(note)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn make_note(name: &str) -> TreeNote {
        TreeNote {
            root: "/repo".into(),
            path: format!("/trees/{name}").into(),
            ..TreeNote::new("0f", "demo", name, TreeKind::Lent)
        }
    }

    #[test]
    fn a_note_is_read_as_it_was_written_and_goes_with_its_lock() {
        let state = tempfile::tempdir().unwrap();
        let state = state.path();
        let (one, two) = (make_note("1"), make_note("work"));
        assert_eq!(TreeNote::list_all(state), []);
        one.write(state).unwrap();
        two.write(state).unwrap();
        assert_eq!(TreeNote::list_all(state), [one.clone(), two.clone()]);
        assert_eq!(TreeNote::read(state, "0f", "1"), Some(one.clone()));
        std::fs::write(one.folder(state).join("lock"), "").unwrap();
        one.remove(state).unwrap();
        one.remove(state).unwrap();
        assert_eq!(TreeNote::list_all(state), [two]);
        assert!(!one.folder(state).exists());
    }

    #[test]
    fn a_note_that_was_copied_linked_torn_or_is_of_a_newer_version_names_nothing() {
        let state = tempfile::tempdir().unwrap();
        let state = state.path();
        let note = make_note("1");
        note.write(state).unwrap();
        let file = note.folder(state).join(FILE);
        let other = tree_note_folder(state, "0f", "2");
        std::fs::create_dir(&other).unwrap();
        std::fs::copy(&file, other.join(FILE)).unwrap();
        assert_eq!(TreeNote::read(state, "0f", "2"), None, "copied");
        assert_eq!(TreeNote::list_all(state).len(), 1);
        let newer = TreeNote {
            format: FORMAT + 1,
            ..note.clone()
        };
        newer.write(state).unwrap();
        assert_eq!(TreeNote::list_all(state), [], "newer");
        std::fs::write(&file, "{").unwrap();
        assert_eq!(TreeNote::list_all(state), [], "torn");
        std::fs::remove_file(&file).unwrap();
        std::os::unix::fs::symlink(other.join(FILE), &file).unwrap();
        assert_eq!(TreeNote::list_all(state), [], "linked");
    }
}
