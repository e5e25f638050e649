//! Owns what was pinned at start, outside the repository: the environment of the commands, the git binary, the bytes of
//! the yardstick, and what was dirty before the run.
//! Does not compare; the use cases do.
//! Invariant: no secret's value is in it, only a salted hash.

pub(super) mod holdout;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use autoresearch_core::git_names::RepoPath;
use autoresearch_core::journal::chain::hash_bytes;
use serde::{Deserialize, Serialize};

use crate::process::{Confinement, TreeView};

use super::disk::{Disk, FileSignature, RealDisk, encode_with_format, find_newer_format};
use super::error::{FORMAT, StoreError, describe_damage};

/// What was pinned at start.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Pinned {
    pub git: PathBuf,
    /// The environment of verify, guard and git, but for secrets.
    pub env: BTreeMap<String, String>,
    /// The git folder that all work trees of the repository share; none where an older version started the run.
    #[serde(default)]
    pub repository: Option<PathBuf>,
    /// Variables whose values are not kept.
    pub secrets: BTreeMap<String, SealedSecret>,
    /// Is the commits' identity lent, because git knows none?
    pub lend_identity: bool,
    /// The yardstick: files that no trial may touch, by path (absolute, or from the root of the trials' work tree).
    pub yardstick: BTreeMap<String, Pin>,
    /// What was not there, and must not come to be.
    #[serde(default, skip_serializing_if = "EmptyPlaces::is_empty")]
    pub empty: EmptyPlaces,
    /// Files that no trial may change and that verify or guard wrote at start, with the same bytes: their times say nothing.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub touched: BTreeSet<String>,
    pub rules: PinnedRules,
    /// The view of the run's own tree in which verify and guard run, where they do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub view: Option<TreeView>,
    /// The sandbox of verify and guard, but for what is theirs in each tree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confinement: Option<Confinement>,
    /// What differed from HEAD before the run: it is nobody's trial.
    #[serde(rename = "dirt")]
    pub dirty_files: DirtyFiles,
}

/// Places that would decide what is measured, and where nothing was at start; named as pinned files are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmptyPlaces {
    /// No file and no link may stand here; a plain folder may.
    pub no_file: BTreeSet<String>,
    /// Nothing may.
    pub nothing: BTreeSet<String>,
    /// Patterns with all that they matched.
    pub patterns: BTreeMap<String, PinnedMatches>,
}

/// What a pattern in verify or guard matched at start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinnedMatches {
    /// Is it executed, so that a new match in the scope counts too?
    pub executed: bool,
    pub names: BTreeSet<String>,
}

impl EmptyPlaces {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What decided at start which changes git shows, and which bytes a commit holds.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct PinnedRules {
    /// The settings that count, with the hashes of their values.
    pub settings: BTreeMap<String, String>,
    /// The files outside the work tree that hold rules; without a pin those that did not exist.
    pub lists: BTreeMap<String, Option<Pin>>,
    /// The rule files in the work tree that git ignores, and so does not show.
    pub ignored: BTreeMap<String, Pin>,
}

/// The paths that differed from HEAD before the run, as lossless text, and whether git tracks them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct DirtyFiles(BTreeMap<String, bool>);

/// How files were at the last look, by lossless path; without a pin those that were not there.
pub type FileNotes = BTreeMap<String, Option<Pin>>;

impl DirtyFiles {
    pub fn add_path(&mut self, path: &RepoPath, tracked: bool) {
        self.0.insert(path_to_key(path.as_bytes()), tracked);
    }

    /// Every path that was noted, with its lossless text, and whether git tracks it.
    pub fn list_paths(&self) -> impl Iterator<Item = (&String, PathBuf, bool)> {
        let all = self.0.iter();
        all.map(|(key, tracked)| (key, path_from_key(key), *tracked))
    }

    /// Was this path noted?
    #[must_use]
    pub fn has_path(&self, path: &RepoPath) -> bool {
        self.0.contains_key(&path_to_key(path.as_bytes()))
    }

    /// How many paths were noted.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Was the tree clean?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The path of a lossless text.
#[must_use]
pub fn path_from_key(key: &str) -> PathBuf {
    let Some(hex) = key.strip_prefix("hex:") else {
        return PathBuf::from(key.strip_prefix("utf8:").unwrap_or(key));
    };
    let pairs = hex.as_bytes().chunks(2);
    let bytes = pairs.filter_map(|pair| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok());
    PathBuf::from(OsString::from_vec(bytes.collect()))
}

/// The lossless text of a path.
#[must_use]
pub fn path_to_key(path: &[u8]) -> String {
    match std::str::from_utf8(path) {
        Ok(text) => format!("utf8:{text}"),
        Err(_) => path
            .iter()
            .fold("hex:".to_owned(), |text, byte| format!("{text}{byte:02x}")),
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// SHA-256 of its bytes.
    pub hash: String,
    /// What tells that it was not touched since it was hashed.
    pub signature: Option<FileSignature>,
}

/// A variable whose value is not kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedSecret {
    salt: String,
    hash: String,
}

impl SealedSecret {
    #[must_use]
    pub fn seal_value(salt: &str, value: &str) -> Self {
        Self {
            salt: salt.to_owned(),
            hash: hash_bytes(format!("{salt}\0{value}").as_bytes()),
        }
    }

    /// Is this the sealed value?
    #[must_use]
    pub fn is_value(&self, value: &str) -> bool {
        *self == Self::seal_value(&self.salt, value)
    }
}

impl Pinned {
    pub(super) fn write_to(&self, anchor_folder: &Path) -> Result<(), StoreError> {
        let path = anchor_folder.join("pinned.json");
        RealDisk
            .replace_file(&path, &encode_with_format(&path, self)?)
            .map_err(StoreError::io_error("write", &path))
    }

    pub(super) fn read_from(anchor_folder: &Path, run: &str) -> Result<Self, StoreError> {
        let path = anchor_folder.join("pinned.json");
        let bytes = RealDisk
            .read_file(&path)
            .map_err(StoreError::io_error("read", &path))?
            .unwrap_or_default();
        if let Some(found) = find_newer_format(&bytes) {
            let known = FORMAT;
            return Err(StoreError::Newer { path, found, known });
        }
        serde_json::from_slice(&bytes).map_err(|error| StoreError::Damaged {
            run: run.to_owned(),
            what: describe_damage(&bytes, &error),
            path,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    #[test]
    fn what_a_newer_version_pinned_is_refused_and_what_the_first_one_pinned_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pinned.json");
        let git = PathBuf::from("/usr/bin/git");
        let pinned = Pinned {
            git: git.clone(),
            ..Pinned::default()
        };
        pinned.write_to(folder.path()).unwrap();
        let written = std::fs::read_to_string(&path).unwrap();
        assert!(written.starts_with(r#"{"format":1,"git":"#), "{written}");
        let read = || Pinned::read_from(folder.path(), "demo");
        assert_eq!(read().unwrap().git, git);
        std::fs::write(&path, written.replace(r#""format":1,"#, "")).unwrap();
        assert_eq!(read().unwrap().git, git);
        std::fs::write(&path, written.replace(r#""format":1"#, r#""format":7"#)).unwrap();
        assert!(matches!(read(), Err(StoreError::Newer { found: 7, .. })));
    }

    #[test]
    fn a_path_comes_back_from_its_text_byte_by_byte() {
        for path in [&b"a b"[..], b"utf8:x", b"hex:00", b"bad\xff\x00name"] {
            assert_eq!(
                path_from_key(&path_to_key(path)).as_os_str().as_bytes(),
                path
            );
        }
    }
}
