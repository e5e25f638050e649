//! Owns what git says of places: which folder it takes for a work tree, and which other work tree holds a branch.
//! Does not change anything.
//! Invariant: git itself is asked, because settings can make it see another folder than the one that it stands in.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use super::error::GitError;
use super::program::{Git, Input};

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

/// One of the work trees of a repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkTreeHead {
    pub root: PathBuf,
    /// The full name of the branch that its HEAD names.
    pub branch: Option<String>,
    /// Is its folder gone, with nothing to keep git from forgetting it?
    pub gone: bool,
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

    /// All work trees of the repository, the main one first.
    pub fn list_work_tree_heads(&self) -> Result<Vec<WorkTreeHead>, GitError> {
        let arguments = ["worktree", "list", "--porcelain", "-z"].map(OsStr::new);
        Ok(parse_work_trees(
            &self.run_git(arguments, Input::Nothing)?.stdout,
        ))
    }

    /// The work tree, other than this one, that holds a branch (a full reference), as git would refuse to check it out a
    /// second time.
    pub fn find_branch_holder(&self, branch: &str) -> Result<Option<BranchHolder>, GitError> {
        if !branch.starts_with("refs/") {
            return Ok(None);
        }
        let own = resolve_links(self.work_tree());
        let others = self.list_work_tree_heads()?.into_iter();
        let mut others = others.filter(|other| !other.gone && resolve_links(&other.root) != own);
        Ok(others.find_map(|other| {
            let how = if other.branch.as_deref() == Some(branch) {
                "checked out"
            } else {
                find_pending_return(&git_folder_of(&other.root), branch)?
            };
            Some(BranchHolder {
                root: other.root,
                how,
            })
        }))
    }
}

/// Does something that is under way in a work tree come back to a branch?
fn find_pending_return(git_folder: &Path, branch: &str) -> Option<&'static str> {
    let read = |name: &str| std::fs::read_to_string(git_folder.join(name)).unwrap_or_default();
    let rebased = ["rebase-merge/head-name", "rebase-apply/head-name"]
        .iter()
        .any(|name| read(name).trim() == branch);
    let moved = read("rebase-merge/update-refs");
    if rebased || moved.lines().any(|line| line == branch) {
        return Some("being rebased");
    }
    let start = read("BISECT_START");
    (branch.strip_prefix("refs/heads/") == Some(start.trim())).then_some("being bisected")
}

/// The git folder of a work tree: `.git`, or what the file `.git` names; of a bare repository the folder itself.
fn git_folder_of(root: &Path) -> PathBuf {
    let link = root.join(".git");
    match std::fs::read(&link) {
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

/// Reads `worktree list --porcelain -z`: a block for each work tree, an empty item behind it.
fn parse_work_trees(bytes: &[u8]) -> Vec<WorkTreeHead> {
    let mut found: Vec<WorkTreeHead> = Vec::new();
    for item in bytes.split(|byte| *byte == 0) {
        let (key, value) = match item.iter().position(|byte| *byte == b' ') {
            Some(at) => (&item[..at], &item[at + 1..]),
            None => (item, &[][..]),
        };
        match (key, found.last_mut()) {
            (b"worktree", _) => found.push(WorkTreeHead {
                root: path_from_bytes(value),
                ..WorkTreeHead::default()
            }),
            (b"branch", Some(last)) => {
                last.branch = Some(String::from_utf8_lossy(value).into_owned());
            }
            (b"prunable", Some(last)) => last.gone = true,
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_work_tree_is_read_from_the_list() {
        let text = b"worktree /a b\0HEAD 1\0branch refs/heads/main\0\0worktree /c\nd\0HEAD 2\0detached\0\0\
            worktree /e\0HEAD 3\0branch refs/heads/x\0prunable gitdir file points to nothing\0\0worktree /f\0bare\0\0";
        let tree = |root: &str, branch: Option<&str>, gone| WorkTreeHead {
            root: root.into(),
            branch: branch.map(Into::into),
            gone,
        };
        assert_eq!(
            parse_work_trees(text),
            [
                tree("/a b", Some("refs/heads/main"), false),
                tree("/c\nd", None, false),
                tree("/e", Some("refs/heads/x"), true),
                tree("/f", None, false),
            ]
        );
    }
}
