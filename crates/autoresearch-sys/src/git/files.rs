//! Owns the questions and orders about single files: what git tracks, which bytes it would write, the index's view of them.
//! Does not stage anything.
//! Invariant: paths are bytes, and each is taken literally.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use autoresearch_core::git_names::CommitId;

use super::error::GitError;
use super::program::{Git, Input, join_nul, split_nul};

impl Git {
    /// The bytes that a checkout of a commit gives a file.
    pub fn read_checked_out(&self, commit: &CommitId, path: &[u8]) -> Result<Vec<u8>, GitError> {
        let object = [commit.as_str().as_bytes(), b":", path].concat();
        let arguments = ["cat-file", "--filters"].map(OsStr::new).into_iter();
        let output = self.run_git(
            arguments.chain([OsStr::from_bytes(&object)]),
            Input::Nothing,
        )?;
        Ok(output.stdout)
    }

    /// Is a file kept by git-lfs, which holds its bytes outside of git?
    pub fn is_large_file(&self, path: &[u8]) -> Result<bool, GitError> {
        let arguments = ["check-attr", "-z", "filter", "--"]
            .map(OsStr::new)
            .into_iter();
        let output = self.run_git(arguments.chain([OsStr::from_bytes(path)]), Input::Nothing)?;
        Ok(output.stdout.ends_with(b"\0lfs\0"))
    }

    /// Tracked files among these paths whose bytes, or whose absence, differ from the index.
    pub fn list_modified(&self, paths: &[Vec<u8>]) -> Result<Vec<Vec<u8>>, GitError> {
        self.list_among(&["--modified", "--deleted"], paths)
    }

    /// What `ls-files` lists of these paths.
    pub(super) fn list_among(
        &self,
        what: &[&str],
        paths: &[Vec<u8>],
    ) -> Result<Vec<Vec<u8>>, GitError> {
        let mut found = Vec::new();
        for part in paths.chunks(500) {
            let arguments = ["ls-files", "-z"].iter().chain(what).chain(&["--"]);
            let output = self.run_git(
                arguments
                    .map(OsStr::new)
                    .chain(part.iter().map(|path| OsStr::from_bytes(path))),
                Input::Nothing,
            )?;
            found.extend(split_nul(&output.stdout));
        }
        Ok(found)
    }

    /// Every file that git tracks or would track: ignored ones are left out.
    pub fn list_files(&self) -> Result<Vec<Vec<u8>>, GitError> {
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
        Ok(split_nul(&output.stdout).collect())
    }

    /// Files below a folder that git tracks, as it names them; reads the index.
    pub fn list_tracked_below(&self, folder: &str) -> Result<Vec<Vec<u8>>, GitError> {
        let output = self.run_git(
            ["ls-files", "-z", "--", folder].map(OsStr::new),
            Input::Nothing,
        )?;
        Ok(split_nul(&output.stdout).collect())
    }

    /// Gives files the bytes that the index has for them.
    pub fn restore_from_index(&self, paths: &[Vec<u8>]) -> Result<(), GitError> {
        let input = join_nul(paths);
        self.run_git(
            ["checkout-index", "--force", "--index", "-z", "--stdin"].map(OsStr::new),
            Input::Bytes(&input),
        )
        .map(drop)
    }

    /// Has the index know the times of these files, so that nobody has to compare their bytes. Where that fails, the next
    /// `git status` does it.
    pub fn refresh_index(&self, paths: &[Vec<u8>]) {
        let exists = |path: &&Vec<u8>| {
            let path = self.work_tree().join(OsStr::from_bytes(path));
            path.symlink_metadata().is_ok_and(|meta| !meta.is_dir())
        };
        // What differs from the index is somebody's change, and naming it here would stage it.
        let Ok(differing) = self.list_modified(paths) else {
            return;
        };
        let same = |path: &&Vec<u8>| !differing.contains(path);
        let paths: Vec<Vec<u8>> = paths.iter().filter(exists).filter(same).cloned().collect();
        if !paths.is_empty() {
            let arguments = ["update-index", "-z", "--stdin"].map(OsStr::new);
            let _ = self.run_git(arguments, Input::Bytes(&join_nul(&paths)));
        }
    }
}
