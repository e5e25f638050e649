//! Owns what moves references, HEAD and the checked-out state: branches, checkouts, a new repository.
//! Does not make a trial's commit.
//! Invariant: a reference moves only from the commit that the caller names, or the call says that it may be anywhere.

use std::ffi::OsStr;

use autoresearch_core::git_names::{CommitId, HeadTarget, RefName, RepoPath};

use super::error::GitError;
use super::program::{Git, Input};

impl Git {
    /// Makes a new repository in the work tree, with an empty branch `main`.
    pub fn init_repository(&self) -> Result<(), GitError> {
        self.run_for_text(&["init", "--quiet", "-b", "main"])
            .map(drop)
    }

    /// Commits these paths as the first commit of an empty branch.
    pub fn make_first_commit(&self, paths: &[RepoPath], message: &str) -> Result<(), GitError> {
        if let Some(refused) = self.stage_paths(paths)?.into_iter().next() {
            return Err(GitError::Unexpected {
                arguments: "update-index".into(),
                answer: refused.words,
            });
        }
        let tree = self.run_for_text(&["write-tree"])?;
        let commit = self.run_for_text(&["commit-tree", "--no-gpg-sign", "-m", message, &tree])?;
        self.run_for_text(&["update-ref", "HEAD", &commit])
            .map(drop)
    }

    /// Creates a branch at a commit and makes HEAD name it. Files and index stay as they are. Idempotent.
    pub fn begin_branch(&self, branch: &RefName, commit: &CommitId) -> Result<(), GitError> {
        self.run_for_text(&[
            "update-ref",
            "-m",
            "autoresearch: start",
            branch.as_str(),
            commit.as_str(),
        ])?;
        self.run_for_text(&[
            "symbolic-ref",
            "-m",
            "autoresearch: start",
            "HEAD",
            branch.as_str(),
        ])
        .map(drop)
    }

    /// Creates a branch at a commit; fails where it exists.
    pub fn create_branch(&self, branch: &RefName, commit: &CommitId) -> Result<(), GitError> {
        let none = commit.to_null();
        self.run_for_text(&[
            "update-ref",
            "-m",
            "autoresearch: start",
            branch.as_str(),
            commit.as_str(),
            none.as_str(),
        ])
        .map(drop)
    }

    /// Deletes a branch if it names this commit.
    pub fn delete_branch(&self, branch: &RefName, commit: &CommitId) -> Result<(), GitError> {
        self.run_for_text(&["update-ref", "-d", branch.as_str(), commit.as_str()])
            .map(drop)
    }

    /// Points a reference of ours at a commit.
    pub fn set_reference(&self, reference: &RefName, commit: &CommitId) -> Result<(), GitError> {
        self.run_for_text(&["update-ref", reference.as_str(), commit.as_str()])
            .map(drop)
    }

    /// Checks out another state: index and files move from one commit to another exactly where these differ, HEAD then
    /// names `head`. Other changes and staged hunks stay.
    pub fn check_out(
        &self,
        from: &CommitId,
        to: &CommitId,
        head: &HeadTarget,
    ) -> Result<(), GitError> {
        // `read-tree` takes a file whose time the index does not know for a changed one.
        let _ = self.run_for_text(&["update-index", "-q", "--refresh"]);
        self.move_tree(from, to)?;
        let why = "autoresearch: finish";
        match head {
            HeadTarget::Branch(branch) => {
                self.run_for_text(&["symbolic-ref", "-m", why, "HEAD", branch.as_str()])
            }
            HeadTarget::Commit(commit) => self.run_for_text(&[
                "update-ref",
                "--no-deref",
                "-m",
                why,
                "HEAD",
                commit.as_str(),
            ]),
        }
        .map(drop)
    }

    /// Moves index and files from one commit to another, where these differ.
    pub fn move_tree(&self, from: &CommitId, to: &CommitId) -> Result<(), GitError> {
        self.run_for_text(&["read-tree", "-m", "-u", from.as_str(), to.as_str()])
            .map(drop)
    }

    /// Moves HEAD's branch from one commit to another; fails when it names neither.
    pub fn move_head(&self, from: &CommitId, to: &CommitId, why: &str) -> Result<(), GitError> {
        self.run_for_text(&["update-ref", "-m", why, "HEAD", to.as_str(), from.as_str()])
            .map(drop)
    }

    /// The same, and points a reference of ours at the new commit: both or neither.
    pub fn move_head_and_reference(
        &self,
        (from, to): (&CommitId, &CommitId),
        reference: &RefName,
        why: &str,
    ) -> Result<(), GitError> {
        let orders = format!("update HEAD {to} {from}\nupdate {reference} {to}\n");
        let arguments = ["update-ref", "-m", why, "--stdin"].map(OsStr::new);
        self.run_git(arguments, Input::Bytes(orders.as_bytes()))
            .map(drop)
    }

    /// Deletes references of ours that still name these commits: all or none.
    pub fn delete_references(&self, references: &[(RefName, CommitId)]) -> Result<(), GitError> {
        let orders: Vec<String> = references
            .iter()
            .map(|(name, commit)| format!("delete {name} {commit}\n"))
            .collect();
        let orders = orders.concat();
        let arguments = ["update-ref", "--stdin"].map(OsStr::new);
        self.run_git(arguments, Input::Bytes(orders.as_bytes()))
            .map(drop)
    }

    /// Makes HEAD name a branch and the branch a commit, and the index hold that commit. Files stay as they are.
    pub fn point_head(&self, branch: &RefName, commit: &CommitId) -> Result<(), GitError> {
        let why = "autoresearch: move HEAD back";
        self.run_for_text(&["update-ref", "-m", why, branch.as_str(), commit.as_str()])?;
        self.run_for_text(&["symbolic-ref", "-m", why, "HEAD", branch.as_str()])?;
        self.run_for_text(&["read-tree", "--reset", commit.as_str()])
            .map(drop)
    }

    /// Forgets an operation that is under way, such as a merge. Files and commits stay as they are.
    pub fn quit_operation(&self, operation: &str) -> Result<(), GitError> {
        let arguments = match operation {
            "bisect" => ["bisect", "reset", "HEAD"].as_slice(),
            operation => &[operation, "--quit"],
        };
        self.run_for_text(arguments).map(drop)
    }
}
