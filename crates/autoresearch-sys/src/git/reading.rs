//! Owns the answers of the git program to what is otherwise read with libgit2.
//! Does not decide which of the two is asked; `history` does.
//! Invariant: each answer is what libgit2 would say, where it could open the repository.

use std::ffi::OsStr;

use autoresearch_core::git_names::{BlobId, CommitId, HeadTarget, RefName, RepoPath, TreeId};

use super::error::GitError;
use super::program::{Git, Input, split_paths};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeadState {
    /// The branch, unless HEAD is detached.
    pub branch: Option<RefName>,
    /// The commit, unless the branch has none yet.
    pub commit: Option<CommitId>,
}

impl HeadState {
    /// What HEAD names: a branch, or else a commit.
    #[must_use]
    pub fn target(&self) -> Option<HeadTarget> {
        let branch = self.branch.clone().map(HeadTarget::Branch);
        branch.or_else(|| self.commit.clone().map(HeadTarget::Commit))
    }
}

/// How many lines a difference adds and removes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DiffSize {
    pub added: usize,
    pub removed: usize,
}

impl Git {
    pub(super) fn ask_head(&self) -> Result<HeadState, GitError> {
        let branch = self.ask_optional(&["symbolic-ref", "-q", "HEAD"])?;
        Ok(HeadState {
            branch: branch
                .map(|name| read_ref_name("symbolic-ref", &name))
                .transpose()?,
            commit: self.ask_commit_of("HEAD")?,
        })
    }

    /// The commit that a reference names.
    pub(super) fn ask_reference(&self, name: &RefName) -> Result<Option<CommitId>, GitError> {
        self.ask_commit_of(name.as_str())
    }

    fn ask_commit_of(&self, name: &str) -> Result<Option<CommitId>, GitError> {
        self.ask_commit(&format!("{name}^{{commit}}"))
    }

    fn ask_commit(&self, revision: &str) -> Result<Option<CommitId>, GitError> {
        let arguments = ["rev-parse", "-q", "--verify", "--end-of-options", revision];
        let answer = self.ask_optional(&arguments)?;
        answer
            .map(|commit| read_commit_id("rev-parse", commit.as_bytes()))
            .transpose()
    }

    /// The references whose full names begin with a prefix, with their commits.
    pub(super) fn ask_references(
        &self,
        prefix: &str,
    ) -> Result<Vec<(RefName, CommitId)>, GitError> {
        let all = self.run_for_text(&["for-each-ref", "--format=%(objectname) %(refname)"])?;
        let pairs = all.lines().filter_map(|line| line.split_once(' '));
        pairs
            .filter(|(_, name)| name.starts_with(prefix))
            .map(|(commit, name)| {
                let commit = read_commit_id("for-each-ref", commit.as_bytes())?;
                Ok((read_ref_name("for-each-ref", name)?, commit))
            })
            .collect()
    }

    /// The tags of commits, by their short names.
    pub(super) fn ask_tags(&self) -> Result<Vec<(String, CommitId)>, GitError> {
        // Of an annotated tag the second names are those of what it is of.
        let format =
            "--format=%(objecttype) %(objectname) %(refname)%00%(*objecttype) %(*objectname)";
        let all = self.run_for_text(&["for-each-ref", format, "refs/tags/"])?;
        let mut tags = Vec::new();
        for line in all.lines() {
            let (own, peeled) = line.split_once('\0').unwrap_or((line, ""));
            let mut words = own.splitn(3, ' ');
            let (kind, object, name) = (words.next(), words.next(), words.next());
            let commit = match (kind, peeled.split_once(' ')) {
                (Some("commit"), _) => object,
                (Some("tag"), Some(("commit", commit))) => Some(commit),
                _ => None,
            };
            let name = name.and_then(|name| name.strip_prefix("refs/tags/"));
            if let (Some(name), Some(commit)) = (name, commit) {
                let commit = read_commit_id("for-each-ref", commit.as_bytes())?;
                tags.push((name.to_owned(), commit));
            }
        }
        Ok(tags)
    }

    /// Is a commit an ancestor of another, or the same?
    pub(super) fn ask_is_ancestor(
        &self,
        commit: &CommitId,
        tip: &CommitId,
    ) -> Result<bool, GitError> {
        let arguments = ["merge-base", "--is-ancestor", commit.as_str(), tip.as_str()];
        Ok(self.ask_optional(&arguments)?.is_some())
    }

    /// The tree of a commit.
    pub(super) fn ask_tree(&self, commit: &CommitId) -> Result<TreeId, GitError> {
        let tree = format!("{commit}^{{tree}}");
        let answer = self.run_for_text(&["rev-parse", "-q", "--verify", &tree])?;
        read_tree_id("rev-parse", answer.as_bytes())
    }

    /// The first parent of a commit.
    pub(super) fn ask_parent(&self, commit: &CommitId) -> Result<Option<CommitId>, GitError> {
        self.ask_commit(&format!("{commit}^"))
    }

    /// The message of a commit.
    pub(super) fn ask_message(&self, commit: &CommitId) -> Result<String, GitError> {
        let output = self.run_git(
            ["cat-file", "commit", commit.as_str()].map(OsStr::new),
            Input::Nothing,
        )?;
        let text = String::from_utf8_lossy(&output.stdout);
        Ok(text
            .split_once("\n\n")
            .map_or("", |(_, message)| message)
            .to_owned())
    }

    /// The mode of a path in a commit's tree.
    pub(super) fn ask_mode(
        &self,
        commit: &CommitId,
        path: &RepoPath,
    ) -> Result<Option<String>, GitError> {
        let arguments = ["ls-tree", "-z", commit.as_str(), "--"].map(OsStr::new);
        let output = self.run_git(
            arguments.into_iter().chain([path.as_os_str()]),
            Input::Nothing,
        )?;
        let line = String::from_utf8_lossy(&output.stdout).into_owned();
        Ok(line.split_once(' ').map(|(mode, _)| mode.to_owned()))
    }

    /// The paths in which two commits differ.
    pub(super) fn ask_changed_paths(
        &self,
        from: &CommitId,
        to: &CommitId,
    ) -> Result<Vec<RepoPath>, GitError> {
        let arguments = [
            "diff-tree",
            "-r",
            "-z",
            "--no-renames",
            "--name-only",
            from.as_str(),
            to.as_str(),
        ];
        let output = self.run_git(arguments.map(OsStr::new), Input::Nothing)?;
        let mut found: Vec<RepoPath> = split_paths(&output.stdout).collect();
        found.sort();
        found.dedup();
        Ok(found)
    }

    /// By how many lines two commits differ.
    pub(super) fn ask_diff_size(
        &self,
        from: &CommitId,
        to: &CommitId,
    ) -> Result<DiffSize, GitError> {
        let mut size = DiffSize::default();
        for file in self.list_differences(from, to)? {
            let (added, removed) = file.lines.unwrap_or_default();
            size.added += added;
            size.removed += removed;
        }
        Ok(size)
    }

    /// What git printed; nothing where it says no, which it does with the status 1 and without a word.
    fn ask_optional(&self, arguments: &[&str]) -> Result<Option<String>, GitError> {
        match self.run_for_text(arguments) {
            Ok(answer) => Ok(Some(answer)),
            Err(GitError::Failed { stderr, .. }) if stderr.is_empty() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// A name in the answer of git to a command.
pub(super) fn read_ref_name(command: &str, text: &str) -> Result<RefName, GitError> {
    RefName::parse(text).ok_or_else(|| refuse_answer(command, text))
}

/// The same for a commit, with a line end or without.
pub(super) fn read_commit_id(command: &str, answer: &[u8]) -> Result<CommitId, GitError> {
    let text = String::from_utf8_lossy(answer);
    CommitId::parse(text.trim()).ok_or_else(|| refuse_answer(command, &text))
}

/// The same for a tree, with a line end or without.
pub(super) fn read_tree_id(command: &str, answer: &[u8]) -> Result<TreeId, GitError> {
    let text = String::from_utf8_lossy(answer);
    TreeId::parse(text.trim()).ok_or_else(|| refuse_answer(command, &text))
}

/// The same for the bytes of a file.
pub(super) fn read_blob_id(command: &str, answer: &[u8]) -> Result<BlobId, GitError> {
    let text = String::from_utf8_lossy(answer);
    BlobId::parse(text.trim()).ok_or_else(|| refuse_answer(command, &text))
}

fn refuse_answer(command: &str, answer: &str) -> GitError {
    GitError::Unexpected {
        arguments: command.to_owned(),
        answer: answer.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_is_not_the_name_of_an_object_is_an_error_that_shows_it() {
        let hash = "0123456789".repeat(4);
        let line = format!("{hash}\n");
        let commit = read_commit_id("rev-parse", line.as_bytes()).unwrap();
        assert_eq!(commit.as_str(), hash);
        let refused = read_commit_id("rev-parse", b"HEAD\n").unwrap_err();
        insta::assert_snapshot!(refused, @"`git rev-parse` gave an unexpected answer: HEAD");
        let refused = read_tree_id("write-tree", b"").unwrap_err();
        insta::assert_snapshot!(refused, @"`git write-tree` gave an unexpected answer: ");
        let refused = read_blob_id("hash-object", &hash.as_bytes()[1..]).unwrap_err();
        insta::assert_snapshot!(refused, @"`git hash-object` gave an unexpected answer: 123456789012345678901234567890123456789");
        let refused = read_ref_name("symbolic-ref", "main").unwrap_err();
        insta::assert_snapshot!(refused, @"`git symbolic-ref` gave an unexpected answer: main");
    }
}
