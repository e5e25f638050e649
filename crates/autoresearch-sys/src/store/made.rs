//! Owns the note of what a start is about to make, and of what is left of a run that was cleaned up.
//! Does not make or remove anything of it.
//! Invariant: the note is outside the repository and is written before the first thing that it names is made.

pub(super) mod tree_note;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use autoresearch_core::git_names::{CommitId, RefName};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::disk::{Disk, RealDisk, encode_json, make_private_folder};
use super::error::{FORMAT, StoreError};

/// The note's file, in the run's folder outside the repository.
const FILE: &str = "made.json";
/// A larger file is not one of ours.
const MAX: u64 = 1 << 20;

/// What the tool made for a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeNote {
    /// The format of this file.
    pub format: u32,
    pub id: String,
    pub run: String,
    /// The main work tree of its repository.
    pub root: PathBuf,
    /// The run's branch, if it made one.
    pub branch: Option<RefName>,
    /// The commit at which that branch begins; an empty text on disk where the run is gone.
    #[serde(serialize_with = "write_or_empty", deserialize_with = "read_or_empty")]
    pub base: Option<CommitId>,
    /// The number by which the file system knows the run's folder, once it was made.
    pub inode: Option<u64>,
    /// After a clean-up: the references of the run that stay, with their commits.
    #[serde(default)]
    pub references: BTreeMap<RefName, CommitId>,
}

#[expect(clippy::ref_option, reason = "serde hands over the field as it is")]
fn write_or_empty<S: Serializer>(
    commit: &Option<CommitId>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(commit.as_ref().map_or("", CommitId::as_str))
}

fn read_or_empty<'d, D: Deserializer<'d>>(deserializer: D) -> Result<Option<CommitId>, D::Error> {
    let commit = CommitId::deserialize(deserializer)?;
    Ok(Some(commit).filter(|commit| !commit.as_str().is_empty()))
}

impl MadeNote {
    /// Writes the note durably.
    pub fn write_to(&self, anchor_folder: &Path) -> Result<(), StoreError> {
        make_private_folder(anchor_folder)?;
        let path = anchor_folder.join(FILE);
        RealDisk
            .replace_file(&path, &encode_json(&path, self)?)
            .map_err(StoreError::io_error("write", &path))
    }

    /// The note in a folder, if there is one that can be read.
    #[must_use]
    pub fn read_from(anchor_folder: &Path) -> Option<Self> {
        let path = anchor_folder.join(FILE);
        if RealDisk.file_length(&path).ok()? > MAX {
            return None;
        }
        let bytes = RealDisk.read_file(&path).ok()??;
        let made: Self = serde_json::from_slice(&bytes).ok()?;
        (made.format <= FORMAT).then_some(made)
    }

    /// Takes the note away, and its folder if nothing else is in it: the start made nothing.
    pub fn remove_from(anchor_folder: &Path) {
        let _ = std::fs::remove_file(anchor_folder.join(FILE));
        let _ = std::fs::remove_dir(anchor_folder);
    }
}
