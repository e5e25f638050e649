//! Owns what git says of places: which folder it takes for a work tree, and which other work tree holds a branch.
//! Does not change anything.
//! Invariant: git itself is asked, because settings can make it see another folder than the one that it stands in.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use autoresearch_core::git_names::RefName;

use super::error::GitError;
use super::program::{Git, Input};
use crate::regular_files::{NOTE_BYTES, read_file, read_text};

/// What git takes for the repository around a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Surroundings {
    /// The root of the work tree.
    pub root: PathBuf,
    /// The git folder of this work tree.
    pub git_folder: PathBuf,
    /// The git folder that all work trees share.
    pub common_folder: PathBuf,
}

/// Another work tree holds a branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BranchHolder {
    pub root: PathBuf,
    /// What it does with the branch: it is checked out, or a rebase or a bisect will come back to it.
    pub how: &'static str,
}

impl Git {
    /// What git itself takes for the repository around the folder in which it is at work.
    pub fn read_surroundings(&self) -> Result<Surroundings, GitError> {
        let ask = |what: &str| {
            let arguments = ["rev-parse", "--path-format=absolute", what].map(OsStr::new);
            let mut answer = self.run_git(arguments, Input::Nothing)?.stdout;
            let _ = answer.pop();
            Ok::<PathBuf, GitError>(OsString::from_vec(answer).into())
        };
        let all = [
            "rev-parse",
            "--path-format=absolute",
            "--show-toplevel",
            "--git-dir",
            "--git-common-dir",
        ];
        let answer = self.run_git(all.map(OsStr::new), Input::Nothing)?.stdout;
        let mut lines = answer
            .strip_suffix(b"\n")
            .unwrap_or(&answer)
            .split(|byte| *byte == b'\n');
        match (lines.next(), lines.next(), lines.next(), lines.next()) {
            (Some(root), Some(own), Some(common), None) => Ok(Surroundings {
                root: path_from_bytes(root),
                git_folder: path_from_bytes(own),
                common_folder: path_from_bytes(common),
            }),
            // A path with a line break in it.
            _ => Ok(Surroundings {
                root: ask("--show-toplevel")?,
                git_folder: ask("--git-dir")?,
                common_folder: ask("--git-common-dir")?,
            }),
        }
    }

    /// The root of the repository around, if git refuses it for nothing but the owner of its folder.
    #[must_use]
    pub fn find_refused_root(&self) -> Option<PathBuf> {
        let trusting = ["-c", "safe.directory=*", "rev-parse", "--show-toplevel"].map(OsStr::new);
        let mut root = self.run_git(trusting, Input::Nothing).ok()?.stdout;
        let _ = root.pop();
        Some(OsString::from_vec(root).into())
    }

    /// The work tree, other than this one, that holds a branch, as git would refuse to check it out a
    /// second time.
    pub fn find_branch_holder(&self, branch: &RefName) -> Result<Option<BranchHolder>, GitError> {
        let own = resolve_links(self.work_tree());
        let others = self.list_work_trees()?.into_iter();
        let mut others = others.filter(|other| !other.gone && resolve_links(&other.path) != own);
        Ok(others.find_map(|other| {
            let how = if other.branch.as_ref() == Some(branch) {
                "checked out"
            } else {
                find_pending_return(&git_folder_of(&other.path), branch)?
            };
            Some(BranchHolder {
                root: other.path,
                how,
            })
        }))
    }
}

/// Does something that is under way in a work tree come back to a branch?
fn find_pending_return(git_folder: &Path, branch: &RefName) -> Option<&'static str> {
    let read = |name: &str| read_text(&git_folder.join(name), NOTE_BYTES).unwrap_or_default();
    let rebased = ["rebase-merge/head-name", "rebase-apply/head-name"]
        .iter()
        .any(|name| read(name).trim() == branch.as_str());
    let moved = read("rebase-merge/update-refs");
    if rebased || moved.lines().any(|line| line == branch.as_str()) {
        return Some("being rebased");
    }
    let start = read("BISECT_START");
    (branch.is_branch() && branch.short() == start.trim()).then_some("being bisected")
}

/// The git folder of a work tree: `.git`, or what the file `.git` names; of a bare repository the folder itself.
fn git_folder_of(root: &Path) -> PathBuf {
    let link = root.join(".git");
    match read_file(&link, NOTE_BYTES) {
        Ok(text) => {
            let named = text.strip_prefix(b"gitdir: ").unwrap_or(&text);
            root.join(path_from_bytes(named.trim_ascii_end()))
        }
        Err(_) if link.is_dir() => link,
        Err(_) => root.to_owned(),
    }
}

/// A path without links, where it exists.
#[must_use]
pub fn resolve_links(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

fn path_from_bytes(bytes: &[u8]) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(bytes))
}
