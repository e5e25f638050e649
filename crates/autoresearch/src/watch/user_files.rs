//! Owns the comparison of files that no trial changes but that verify sees: what the user had dirty
//! outside the scope at start, and what verify left.
//! Does not restore them, and never commits them.
//! Invariant: no trial is measured with such a file that changed since the last look and was not named.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use autoresearch_core::journal::chain::hash_bytes;
use autoresearch_core::words::text::escape_text;

use crate::run::tree::Tree;
use crate::watch::yardstick;
use autoresearch_sys::error::Result;
use autoresearch_sys::store::{DirtyFiles, FileNotes, FileSignature, Pin, path_to_key};

/// Of a larger file only the signature is noted, so that a look at a data set costs nothing.
const LARGE: u64 = 16 << 20;

/// Whose file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileOwner {
    /// The user's, tracked by git: verify must leave it alone.
    Tracked,
    /// The user's, unknown to git: verify may write it.
    Untracked,
    /// Verify's own: a file that is gone does not count as changed, since no commit holds it either.
    LeftFile,
}

/// A file that is not as it was noted.
#[derive(Clone, Debug)]
pub(crate) struct ChangedUserFile {
    /// Its path, for messages.
    pub name: String,
    pub whose: FileOwner,
}

struct UserFile {
    key: String,
    path: PathBuf,
    whose: FileOwner,
}

fn list_user_files(dirty_files: &DirtyFiles, left_files: &BTreeSet<String>) -> Vec<UserFile> {
    let yours = dirty_files
        .list_paths()
        .map(|(key, path, tracked)| UserFile {
            key: key.clone(),
            path,
            whose: if tracked {
                FileOwner::Tracked
            } else {
                FileOwner::Untracked
            },
        });
    let left = left_files.iter().map(|text| UserFile {
        key: path_to_key(text.as_bytes()),
        path: PathBuf::from(text),
        whose: FileOwner::LeftFile,
    });
    yours.chain(left).collect()
}

/// The files that are not as they were noted.
#[must_use]
pub(crate) fn find_changed(
    root: &Path,
    dirty_files: &DirtyFiles,
    left_files: &BTreeSet<String>,
    notes: &FileNotes,
) -> Vec<ChangedUserFile> {
    let differ = |file: &UserFile| {
        let path = root.join(&file.path);
        let gone = file.whose == FileOwner::LeftFile && FileSignature::read_of(&path).is_none();
        let known = notes.get(&file.key);
        !gone && known.is_some_and(|known| differs_from_pin(&path, known.as_ref()))
    };
    list_user_files(dirty_files, left_files)
        .into_iter()
        .filter(differ)
        .map(|file| ChangedUserFile {
            name: escape_text(&file.path.to_string_lossy()),
            whose: file.whose,
        })
        .collect()
}

/// How the files are now. What did not change keeps its note.
#[must_use]
pub(crate) fn make_notes(
    root: &Path,
    dirty_files: &DirtyFiles,
    left_files: &BTreeSet<String>,
    before: &FileNotes,
) -> FileNotes {
    let now = |file: UserFile| {
        let path = root.join(&file.path);
        let known = before.get(&file.key);
        let note = match known {
            Some(Some(pin))
                if pin.signature.is_some() && pin.signature == FileSignature::read_of(&path) =>
            {
                Some(pin.clone())
            }
            _ => pin_user_file(&path),
        };
        (file.key, note)
    };
    list_user_files(dirty_files, left_files)
        .into_iter()
        .map(now)
        .collect()
}

/// The files that changed since the last look, as a void trial names them.
pub(crate) fn list_touched(tree: &Tree<'_>, left_files: &BTreeSet<String>) -> Result<Vec<String>> {
    let named = |changed: ChangedUserFile| match changed.whose {
        FileOwner::LeftFile => format!("{} (left by verify)", changed.name),
        _ => format!(
            "{} (changed before the run too; accepted as it is from now on)",
            changed.name
        ),
    };
    Ok(find_changed_since_note(tree, left_files)?
        .into_iter()
        .map(named)
        .collect())
}

/// The tracked files of the user's that changed since the last look.
pub(crate) fn list_disturbed(
    tree: &Tree<'_>,
    left_files: &BTreeSet<String>,
) -> Result<Vec<String>> {
    let tracked = |changed: &ChangedUserFile| changed.whose == FileOwner::Tracked;
    let found = find_changed_since_note(tree, left_files)?
        .into_iter()
        .filter(tracked);
    Ok(found.map(|changed| changed.name).collect())
}

fn find_changed_since_note(
    tree: &Tree<'_>,
    left_files: &BTreeSet<String>,
) -> Result<Vec<ChangedUserFile>> {
    let mut found = find_changed(
        tree.path(),
        &tree.pinned.dirty_files,
        left_files,
        &tree.notes.read_notes()?,
    );
    // What is part of the yardstick too must stay as it was at start.
    found.retain(|changed| !tree.pinned.yardstick.contains_key(&changed.name));
    Ok(found)
}

/// Accepts the files as they are now. `new` are files left by verify that the journal does not know yet.
pub(crate) fn update_notes(
    tree: &Tree<'_>,
    left_files: &BTreeSet<String>,
    new: &[String],
) -> Result<()> {
    let before = tree.notes.read_notes()?;
    let mut left_files = left_files.clone();
    left_files.extend(new.iter().cloned());
    let now = make_notes(tree.path(), &tree.pinned.dirty_files, &left_files, &before);
    if now != before {
        tree.notes.write_notes(&now)?;
    }
    Ok(())
}

fn differs_from_pin(path: &Path, pinned: Option<&Pin>) -> bool {
    match pinned {
        None => FileSignature::read_of(path).is_some(),
        Some(known)
            if known.signature.is_some() && known.signature == FileSignature::read_of(path) =>
        {
            false
        }
        Some(known) => {
            known.hash.is_empty()
                || pin_user_file(path).is_none_or(|found| found.hash != known.hash)
        }
    }
}

fn pin_user_file(path: &Path) -> Option<Pin> {
    match path.metadata() {
        // What lies in a folder (a submodule, another repository) is not looked at.
        Ok(meta) if meta.is_dir() => {
            let target = std::fs::read_link(path).unwrap_or_default();
            Some(Pin {
                hash: hash_bytes(target.as_os_str().as_encoded_bytes()),
                signature: None,
            })
        }
        Ok(meta) if !meta.is_file() || meta.len() > LARGE => Some(Pin {
            hash: String::new(),
            signature: FileSignature::read_of(path),
        }),
        _ => yardstick::make_pin(path),
    }
}
