//! Owns the questions and orders about single files: what git tracks, which bytes it would write, the index's view of them.
//! Does not stage anything.
//! Invariant: paths are bytes, and each is taken literally.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use autoresearch_core::git_names::{CommitId, RepoPath};

use super::error::GitError;
use super::program::{Git, Input, join_nul, split_nul, split_paths};

/// What the index holds for a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexEntry {
    /// The kind and the rights, as git writes them: `100644`.
    pub mode: String,
    pub object: String,
    pub path: RepoPath,
}

impl IndexEntry {
    fn parse_line(line: &[u8]) -> Option<Self> {
        let at = line.iter().position(|byte| *byte == b'\t')?;
        let head = std::str::from_utf8(&line[..at]).ok()?;
        let mut words = head.split(' ').map(ToOwned::to_owned);
        Some(Self {
            mode: words.next()?,
            object: words.next()?,
            path: RepoPath::new(&line[at + 1..]),
        })
    }

    /// A file, and neither a link nor a submodule.
    #[must_use]
    pub fn is_file(&self) -> bool {
        self.mode.starts_with("100")
    }
}

impl Git {
    /// Everything in the index.
    pub fn list_index(&self) -> Result<Vec<IndexEntry>, GitError> {
        let output = self.run_git(
            ["ls-files", "-z", "--stage"].map(OsStr::new),
            Input::Nothing,
        )?;
        let lines = split_nul(&output.stdout);
        Ok(lines
            .filter_map(|line| IndexEntry::parse_line(&line))
            .collect())
    }

    /// The paths of which the index says otherwise than a commit.
    pub(super) fn list_staged(&self, commit: &CommitId) -> Result<Vec<RepoPath>, GitError> {
        let words = [
            "diff-index",
            "--cached",
            "--name-only",
            "--no-renames",
            "-z",
        ];
        let words = words.into_iter().chain([commit.as_str()]).map(OsStr::new);
        let output = self.run_git(words, Input::Nothing)?;
        Ok(split_paths(&output.stdout).collect())
    }

    /// The paths in conflict.
    pub(super) fn list_unmerged(&self) -> Result<Vec<RepoPath>, GitError> {
        let words = ["ls-files", "-z", "--unmerged"].map(OsStr::new);
        let output = self.run_git(words, Input::Nothing)?;
        let lines = split_nul(&output.stdout);
        let mut paths: Vec<RepoPath> = lines
            .filter_map(|line| IndexEntry::parse_line(&line))
            .map(|entry| entry.path)
            .collect();
        paths.dedup();
        Ok(paths)
    }

    /// Takes entries out of the index, and leaves the files alone.
    pub fn drop_from_index(&self, entries: &[IndexEntry]) -> Result<(), GitError> {
        let line = |entry: &IndexEntry| {
            let none = "0".repeat(entry.object.len());
            [format!("0 {none}\t").as_bytes(), entry.path.as_bytes()].concat()
        };
        let input = join_nul(&entries.iter().map(line).collect::<Vec<_>>());
        let arguments = ["update-index", "-z", "--index-info"].map(OsStr::new);
        self.run_git(arguments, Input::Bytes(&input)).map(drop)
    }

    /// The bytes that a checkout of a commit gives a file.
    pub fn read_checked_out(
        &self,
        commit: &CommitId,
        path: &RepoPath,
    ) -> Result<Vec<u8>, GitError> {
        let object = [commit.as_str().as_bytes(), b":", path.as_bytes()].concat();
        let arguments = ["cat-file", "--filters"].map(OsStr::new).into_iter();
        let output = self.run_git(
            arguments.chain([OsStr::from_bytes(&object)]),
            Input::Nothing,
        )?;
        Ok(output.stdout)
    }

    /// Is a file kept by git-lfs, which holds its bytes outside of git?
    pub fn is_large_file(&self, path: &RepoPath) -> Result<bool, GitError> {
        let arguments = ["check-attr", "-z", "filter", "--"]
            .map(OsStr::new)
            .into_iter();
        let output = self.run_git(arguments.chain([path.as_os_str()]), Input::Nothing)?;
        Ok(output.stdout.ends_with(b"\0lfs\0"))
    }

    /// Tracked files among these paths whose bytes, or whose absence, differ from the index.
    pub fn list_modified(&self, paths: &[RepoPath]) -> Result<Vec<RepoPath>, GitError> {
        self.list_among(&["--modified", "--deleted"], paths)
    }

    /// What `ls-files` lists of these paths.
    pub(super) fn list_among(
        &self,
        what: &[&str],
        paths: &[RepoPath],
    ) -> Result<Vec<RepoPath>, GitError> {
        let mut found = Vec::new();
        for part in paths.chunks(500) {
            let arguments = ["ls-files", "-z"].iter().chain(what).chain(&["--"]);
            let output = self.run_git(
                arguments
                    .map(OsStr::new)
                    .chain(part.iter().map(RepoPath::as_os_str)),
                Input::Nothing,
            )?;
            found.extend(split_paths(&output.stdout));
        }
        Ok(found)
    }

    /// Every file that git tracks or would track: ignored ones are left out.
    pub fn list_files(&self) -> Result<Vec<RepoPath>, GitError> {
        let output = self.run_git(
            [
                "ls-files",
                "-z",
                "--cached",
                "--others",
                "--exclude-standard",
            ]
            .map(OsStr::new),
            Input::Nothing,
        )?;
        Ok(split_paths(&output.stdout).collect())
    }

    /// Files below a folder that git tracks, as it names them; reads the index.
    pub fn list_tracked_below(&self, folder: &str) -> Result<Vec<RepoPath>, GitError> {
        let output = self.run_git(
            ["ls-files", "-z", "--", folder].map(OsStr::new),
            Input::Nothing,
        )?;
        Ok(split_paths(&output.stdout).collect())
    }

    /// Gives files the bytes that the index has for them.
    pub fn restore_from_index(&self, paths: &[RepoPath]) -> Result<(), GitError> {
        let input = join_nul(paths);
        self.run_git(
            ["checkout-index", "--force", "--index", "-z", "--stdin"].map(OsStr::new),
            Input::Bytes(&input),
        )
        .map(drop)
    }

    /// Has the index know the times of these files, so that nobody has to compare their bytes. Where that fails, the next
    /// `git status` does it.
    pub fn refresh_index(&self, paths: &[RepoPath]) {
        let exists = |path: &&RepoPath| {
            let path = self.work_tree().join(path.as_path());
            path.symlink_metadata().is_ok_and(|meta| !meta.is_dir())
        };
        // What differs from the index is somebody's change, and naming it here would stage it.
        let Ok(differing) = self.list_modified(paths) else {
            return;
        };
        let same = |path: &&RepoPath| !differing.contains(path);
        let paths: Vec<RepoPath> = paths.iter().filter(exists).filter(same).cloned().collect();
        if !paths.is_empty() {
            let arguments = ["update-index", "-z", "--stdin"].map(OsStr::new);
            let _ = self.run_git(arguments, Input::Bytes(&join_nul(&paths)));
        }
    }
}
