//! Owns the bringing of a commit's changes onto another state: a three-way merge in an index aside, and the writing of
//! chosen files of what came out of it.
//! Does not touch the repository's index or a reference, and starts no merge program that anybody's settings name.
//! Invariant: where two changes meet in one place nothing is guessed: the file is named, and nothing was written but objects.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};

use autoresearch_core::git_names::{BlobId, CommitId, RepoPath, TreeId};

use super::error::GitError;
use super::program::{Git, Input, join_nul, split_nul};
use super::reading::{read_blob_id, read_tree_id};

/// What came of a merge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MergeResult {
    /// The tree that holds both changes.
    Tree(TreeId),
    /// The files that both changed in a way that does not go together.
    Conflicts(Vec<RepoPath>),
}

/// How two states differ in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileChange {
    pub path: RepoPath,
    /// Does the older state have it?
    pub before: bool,
    /// Does the newer one?
    pub after: bool,
}

/// One side of a file that needs a merge: its mode and its object.
type MergeSide = (String, BlobId);

/// The index aside in a folder of ours, without what a command that was killed left there.
fn begin_index_aside(scratch: &Path) -> PathBuf {
    let index = scratch.join(".autoresearch-index");
    let _ = std::fs::remove_file(&index);
    let _ = std::fs::remove_file(scratch.join(".autoresearch-index.lock"));
    index
}

impl Git {
    /// Merges what leads from `base` to `theirs` into `ours`. The folder is the run's own, and nobody else uses it now.
    pub fn merge_aside(
        &self,
        (base, ours, theirs): (&CommitId, &CommitId, &CommitId),
        scratch: &Path,
    ) -> Result<MergeResult, GitError> {
        let index = begin_index_aside(scratch);
        let env = [("GIT_INDEX_FILE", index.as_os_str())];
        let run = |arguments: &[&str], input: Input<'_>| {
            self.run_with_env(arguments.iter().map(OsStr::new), input, &env)
        };
        let merge = [
            "read-tree",
            "-i",
            "-m",
            "--aggressive",
            "--no-sparse-checkout",
        ];
        run(
            &[&merge[..], &[base, ours, theirs].map(CommitId::as_str)].concat(),
            Input::Nothing,
        )?;
        let unmerged = run(&["ls-files", "--unmerged", "-z"], Input::Nothing)?;
        let mut conflicts = Vec::new();
        let mut lines = Vec::new();
        for (path, sides) in group_by_path(&unmerged.stdout)? {
            match self.merge_file(&sides, scratch)? {
                Some((mode, object)) => lines.push((path, mode, object)),
                None => conflicts.push(path),
            }
        }
        if !conflicts.is_empty() {
            return Ok(MergeResult::Conflicts(conflicts));
        }
        if !lines.is_empty() {
            let update = ["update-index", "-z", "--index-info"];
            run(&update, Input::Bytes(&format_index_lines(&lines)))?;
        }
        let tree = run(&["write-tree"], Input::Nothing)?;
        read_tree_id("write-tree", &tree.stdout).map(MergeResult::Tree)
    }

    /// The files in which a tree differs from a commit.
    pub fn list_changes(&self, from: &CommitId, to: &TreeId) -> Result<Vec<FileChange>, GitError> {
        let arguments = [
            "diff-tree",
            "-r",
            "-z",
            "--no-renames",
            "--name-status",
            from.as_str(),
            to.as_str(),
        ];
        let output = self.run_git(arguments.map(OsStr::new), Input::Nothing)?;
        let words: Vec<Vec<u8>> = split_nul(&output.stdout).collect();
        let changes = words.chunks_exact(2).map(|pair| FileChange {
            path: RepoPath::new(pair[1].as_slice()),
            before: pair[0] != b"A",
            after: pair[0] != b"D",
        });
        Ok(changes.collect())
    }

    /// Files among these that are not what a tree holds: other bytes, or there where the tree has none.
    pub fn list_other_than(
        &self,
        tree: &TreeId,
        paths: &[RepoPath],
        scratch: &Path,
    ) -> Result<Vec<RepoPath>, GitError> {
        let index = self.read_index_aside(tree, scratch)?;
        let env = [("GIT_INDEX_FILE", index.as_os_str())];
        let list = |what: &[&str], path: &RepoPath| {
            let words = [&["ls-files", "-z"], what, &["--"]].concat();
            let words = words.into_iter().map(OsStr::new);
            self.run_with_env(words.chain([path.as_os_str()]), Input::Nothing, &env)
                .map(|output| !output.stdout.is_empty())
        };
        let mut others = Vec::new();
        for path in paths {
            let stands = || {
                let file = self.work_tree().join(path.as_path());
                file.symlink_metadata().is_ok_and(|meta| !meta.is_dir())
            };
            let differs = if list(&[], path)? {
                list(&["--modified", "--deleted"], path)?
            } else {
                stands()
            };
            if differs {
                others.push(path.clone());
            }
        }
        Ok(others)
    }

    /// Writes files of a tree into the work tree, over what stands there. The repository's index stays as it is, so each is
    /// an edit like any other.
    pub fn write_files_of(
        &self,
        tree: &TreeId,
        paths: &[RepoPath],
        scratch: &Path,
    ) -> Result<(), GitError> {
        let index = self.read_index_aside(tree, scratch)?;
        let env = [("GIT_INDEX_FILE", index.as_os_str())];
        let arguments = ["checkout-index", "--force", "-z", "--stdin"].map(OsStr::new);
        self.run_with_env(arguments, Input::Bytes(&join_nul(paths)), &env)?;
        let _ = std::fs::remove_file(&index);
        Ok(())
    }

    fn read_index_aside(&self, tree: &TreeId, scratch: &Path) -> Result<PathBuf, GitError> {
        let index = begin_index_aside(scratch);
        let env = [("GIT_INDEX_FILE", index.as_os_str())];
        let tree = tree.as_str();
        let arguments = ["read-tree", "-i", "--reset", "--no-sparse-checkout", tree];
        self.run_with_env(arguments.map(OsStr::new), Input::Nothing, &env)?;
        Ok(index)
    }

    /// Merges a file that both sides changed; none where that cannot be done without a choice.
    fn merge_file(
        &self,
        sides: &[Option<MergeSide>; 3],
        scratch: &Path,
    ) -> Result<Option<MergeSide>, GitError> {
        let [Some(base), Some(ours), Some(theirs)] = sides else {
            return Ok(None);
        };
        let is_file = |side: &MergeSide| side.0.starts_with("100");
        if ![base, ours, theirs].into_iter().all(is_file) {
            return Ok(None);
        }
        let Some(mode) = choose_side(&base.0, &ours.0, &theirs.0) else {
            return Ok(None);
        };
        if let Some(object) = choose_side(&base.1, &ours.1, &theirs.1) {
            return Ok(Some((mode.clone(), object.clone())));
        }
        let mut files = Vec::new();
        for (name, side) in [("ours", ours), ("base", base), ("theirs", theirs)] {
            let file = scratch.join(format!(".autoresearch-{name}"));
            let object = ["cat-file", "blob", side.1.as_str()].map(OsStr::new);
            let bytes = self.run_git(object, Input::Nothing)?.stdout;
            write_scratch(&file, &bytes)?;
            files.push(file);
        }
        let words = ["merge-file", "-p"].map(OsStr::new).into_iter();
        let merged = self.run_git(
            words.chain(files.iter().map(|file| file.as_os_str())),
            Input::Nothing,
        );
        for file in &files {
            let _ = std::fs::remove_file(file);
        }
        match merged {
            Ok(output) => {
                let write = ["hash-object", "-w", "--stdin"].map(OsStr::new);
                let written = self.run_git(write, Input::Bytes(&output.stdout))?;
                let object = read_blob_id("hash-object", &written.stdout)?;
                Ok(Some((mode.clone(), object)))
            }
            // Its status is the number of places where both changed the same lines; binary files are refused.
            Err(GitError::Failed { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn write_scratch(file: &Path, bytes: &[u8]) -> Result<(), GitError> {
    let _ = std::fs::remove_file(file);
    std::fs::File::create_new(file)
        .and_then(|mut file| file.write_all(bytes))
        .map_err(|source| GitError::NoScratch { source })
}

/// What both sides come to, if at most one of them has changed it or both alike.
fn choose_side<'a, T: PartialEq>(base: &T, ours: &'a T, theirs: &'a T) -> Option<&'a T> {
    if ours == theirs || theirs == base {
        Some(ours)
    } else if ours == base {
        Some(theirs)
    } else {
        None
    }
}

/// The sides of each file that needs a merge: base, ours, theirs.
fn group_by_path(printed: &[u8]) -> Result<BTreeMap<RepoPath, [Option<MergeSide>; 3]>, GitError> {
    let mut found: BTreeMap<RepoPath, [Option<MergeSide>; 3]> = BTreeMap::new();
    for item in split_nul(printed) {
        let Some(tab) = item.iter().position(|byte| *byte == b'\t') else {
            continue;
        };
        let head = String::from_utf8_lossy(&item[..tab]).into_owned();
        let words: Vec<&str> = head.split(' ').collect();
        let [mode, object, stage] = words[..] else {
            continue;
        };
        let stage = stage.parse::<usize>().unwrap_or(0);
        if let Some(side) = stage.checked_sub(1).and_then(|at| {
            found
                .entry(RepoPath::new(&item[tab + 1..]))
                .or_default()
                .get_mut(at)
        }) {
            *side = Some((
                mode.to_owned(),
                read_blob_id("ls-files", object.as_bytes())?,
            ));
        }
    }
    Ok(found)
}

/// Lines for `update-index --index-info` that put merged files in the place of their three sides.
fn format_index_lines(lines: &[(RepoPath, String, BlobId)]) -> Vec<u8> {
    let mut text = Vec::new();
    for (path, mode, object) in lines {
        let nothing = object.to_null();
        for head in [format!("0 {nothing}\t"), format!("{mode} {object}\t")] {
            text.extend_from_slice(head.as_bytes());
            text.extend_from_slice(path.as_bytes());
            text.push(0);
        }
    }
    text
}

#[cfg(test)]
mod tests;
