//! Owns git's work trees: making and removing one, and what git tells of them: which there are, what is not committed in
//! one, what its submodules hold.
//! Does not decide which may be removed.
//! Invariant: a question that git does not answer is an error, never a no.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use autoresearch_core::git_names::{CommitId, RefName, RepoPath};

use super::error::GitError;
use super::program::{Git, Input, split_nul, split_paths};
use super::reading::{read_commit_id, read_ref_name};

/// A work tree of the repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkTree {
    pub path: PathBuf,
    /// The branch that is checked out there.
    pub branch: Option<RefName>,
    /// Did somebody lock it?
    pub locked: bool,
    /// Is its folder gone, with nothing to keep git from forgetting it?
    pub gone: bool,
}

/// A submodule whose files are there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submodule {
    /// Its path from the root of the work tree.
    pub path: PathBuf,
    /// What only it holds, if it holds anything.
    pub only_copy: Option<&'static str>,
}

impl Git {
    /// Creates a work tree on a branch that exists.
    pub fn add_work_tree(&self, path: &Path, branch: &RefName) -> Result<(), GitError> {
        let arguments = ["worktree", "add", "--quiet"].map(OsStr::new);
        let names = [path.as_os_str(), OsStr::new(branch.short())];
        self.run_git(arguments.into_iter().chain(names), Input::Nothing)
            .map(drop)
    }

    /// Creates a work tree at a commit, without a branch.
    pub fn add_detached_work_tree(&self, path: &Path, commit: &CommitId) -> Result<(), GitError> {
        let arguments = ["worktree", "add", "--quiet", "--detach"].map(OsStr::new);
        self.run_git(
            arguments
                .into_iter()
                .chain([path.as_os_str(), commit.as_ref()]),
            Input::Nothing,
        )
        .map(drop)
    }

    /// Brings index and tracked files of this work tree to a commit, whatever was done to them, and leaves HEAD without a
    /// branch. Files that have the right bytes keep their times; what git does not track stays, unless it is in the way.
    pub fn force_detached(&self, commit: &CommitId) -> Result<(), GitError> {
        self.run_for_text(&[
            "checkout",
            "--quiet",
            "--force",
            "--detach",
            commit.as_str(),
        ])
        .map(drop)
    }

    /// Tracked files whose bytes here, or whose absence, differ from a commit.
    pub fn list_differing(&self, commit: &CommitId) -> Result<Vec<RepoPath>, GitError> {
        let compare = [
            "diff",
            "--name-only",
            "-z",
            "--no-renames",
            "--no-ext-diff",
            "--ignore-submodules=all",
            commit.as_str(),
        ];
        let output = self.run_git(compare.map(OsStr::new), Input::Nothing)?;
        Ok(split_paths(&output.stdout).collect())
    }

    /// Files and nested repositories that git neither tracks nor ignores; of a repository only its folder.
    pub fn list_untracked(&self) -> Result<Vec<PathBuf>, GitError> {
        let list = ["ls-files", "-z", "--others", "--exclude-standard"].map(OsStr::new);
        let output = self.run_git(list, Input::Nothing)?;
        Ok(split_paths(&output.stdout)
            .map(|path| path.as_path().to_owned())
            .collect())
    }

    /// Has git forget a work tree whose folder is gone, locked or not.
    pub fn forget_work_tree(&self, path: &Path) -> Result<(), GitError> {
        let arguments = ["worktree", "remove", "--force", "--force"].map(OsStr::new);
        self.run_git(
            arguments.into_iter().chain([path.as_os_str()]),
            Input::Nothing,
        )
        .map(drop)
    }

    /// Removes a work tree of ours; git refuses when it holds changes or untracked files.
    pub fn remove_work_tree(&self, path: &Path) -> Result<(), GitError> {
        let arguments = ["worktree", "remove"].map(OsStr::new);
        self.run_git(
            arguments.into_iter().chain([path.as_os_str()]),
            Input::Nothing,
        )
        .map(drop)
    }

    /// Removes a work tree that was only just made, with whatever a command left in it.
    pub fn discard_work_tree(&self, path: &Path) -> Result<(), GitError> {
        let arguments = ["worktree", "remove", "--force"].map(OsStr::new);
        self.run_git(
            arguments.into_iter().chain([path.as_os_str()]),
            Input::Nothing,
        )
        .map(drop)
    }

    /// Every work tree of the repository, the main one first.
    pub fn list_work_trees(&self) -> Result<Vec<WorkTree>, GitError> {
        let list = ["worktree", "list", "--porcelain", "-z"].map(OsStr::new);
        parse_work_trees(&self.run_git(list, Input::Nothing)?.stdout)
    }

    /// The first path that differs from HEAD or that git does not know, whatever a config would hide; submodules are
    /// looked into.
    pub fn find_first_uncommitted(&self) -> Result<Option<String>, GitError> {
        let status = [
            "status",
            "--porcelain",
            "-z",
            "--no-renames",
            "--untracked-files=all",
            "--ignore-submodules=none",
        ];
        let output = self.run_git(status.map(OsStr::new), Input::Nothing)?;
        let first = split_nul(&output.stdout).next();
        Ok(first
            .map(|line| String::from_utf8_lossy(line.get(3..).unwrap_or_default()).into_owned()))
    }

    /// The submodules whose files are there, with those inside them.
    pub fn list_populated_submodules(&self) -> Result<Vec<Submodule>, GitError> {
        let output = self.run_git(
            ["ls-files", "-z", "--stage"].map(OsStr::new),
            Input::Nothing,
        )?;
        let mut found = Vec::new();
        for line in split_nul(&output.stdout) {
            let Some(rest) = line.strip_prefix(b"160000 ") else {
                continue;
            };
            let mut parts = rest.splitn(2, |byte| *byte == b'\t');
            let (Some(head), Some(path)) = (parts.next(), parts.next()) else {
                continue;
            };
            let path = Path::new(OsStr::from_bytes(path));
            let folder = self.work_tree().join(path);
            if folder.join(".git").symlink_metadata().is_err() {
                continue;
            }
            let recorded = head.split(|byte| *byte == b' ').next().unwrap_or_default();
            let recorded = read_commit_id("ls-files", recorded)?;
            let inside = Self::new(self.program(), &folder, &self.env);
            found.push(Submodule {
                path: path.to_owned(),
                only_copy: inside.find_only_copy(&recorded)?,
            });
            let deeper = inside.list_populated_submodules()?.into_iter();
            found.extend(deeper.map(|deeper| Submodule {
                path: path.join(&deeper.path),
                ..deeper
            }));
        }
        Ok(found)
    }

    /// What a clone holds besides this commit and what its remotes have.
    fn find_only_copy(&self, recorded: &CommitId) -> Result<Option<&'static str>, GitError> {
        let commits = [
            "rev-list",
            "--max-count=1",
            "HEAD",
            "--branches",
            "--not",
            "--remotes",
            recorded.as_str(),
        ];
        if !self.run_for_text(&commits)?.is_empty() {
            return Ok(Some("commits that no remote has"));
        }
        if !self
            .run_for_text(&["for-each-ref", "refs/stash"])?
            .is_empty()
        {
            return Ok(Some("a stash"));
        }
        Ok(self
            .find_first_uncommitted()?
            .map(|_| "changes that are not committed"))
    }
}

/// Reads `worktree list --porcelain -z`: a block for each work tree, an empty item behind it.
fn parse_work_trees(bytes: &[u8]) -> Result<Vec<WorkTree>, GitError> {
    let mut found: Vec<WorkTree> = Vec::new();
    for item in split_nul(bytes) {
        let mut parts = item.splitn(2, |byte| *byte == b' ');
        let (key, value) = (
            parts.next().unwrap_or_default(),
            parts.next().unwrap_or_default(),
        );
        match (key, found.last_mut()) {
            (b"worktree", _) => found.push(WorkTree {
                path: PathBuf::from(OsStr::from_bytes(value)),
                ..WorkTree::default()
            }),
            (b"branch", Some(last)) => {
                last.branch = Some(read_ref_name(
                    "worktree list",
                    &String::from_utf8_lossy(value),
                )?);
            }
            (b"locked", Some(last)) => last.locked = true,
            (b"prunable", Some(last)) => last.gone = true,
            _ => {}
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
