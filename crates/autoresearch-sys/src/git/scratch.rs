//! Owns a repository in a temporary folder, for the tests of what git is asked and told.
//! Does not exist outside tests.
//! Invariant: no setting of the machine or of its user counts in it, and its commits have one date.

#![cfg(test)]

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use autoresearch_core::git_names::CommitId;

use super::Git;

pub(in crate::git) struct ScratchRepository {
    folder: tempfile::TempDir,
    pub(in crate::git) git: Git,
}

impl ScratchRepository {
    /// A repository without a commit, with the branch `main`.
    pub(in crate::git) fn init() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap().join("repo");
        std::fs::create_dir(&root).unwrap();
        let git = Git::new(Path::new("git"), &root, &list_variables(&root));
        git.init_repository().unwrap();
        // It has looked whether the disk tells upper from lower case, before there was anything to look at.
        let git = git.at_folder(&root);
        Self { folder, git }
    }

    /// A repository with one commit that holds these files, each with its name for a text.
    pub(in crate::git) fn with_files(names: &[&str]) -> Self {
        let repository = Self::init();
        for name in names {
            repository.write(name, &format!("{name}\n"));
        }
        repository.commit("first");
        repository
    }

    pub(in crate::git) fn root(&self) -> &Path {
        self.git.work_tree()
    }

    /// A folder beside the repository.
    pub(in crate::git) fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join(name)
    }

    pub(in crate::git) fn write(&self, name: impl AsRef<Path>, text: &str) {
        let path = self.root().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub(in crate::git) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.root().join(name)).unwrap()
    }

    /// Runs git and returns what it printed.
    pub(in crate::git) fn run(&self, arguments: &[&str]) -> String {
        self.git.run_for_text(arguments).unwrap()
    }

    /// Commits everything that is there; the commit.
    pub(in crate::git) fn commit(&self, message: &str) -> CommitId {
        self.run(&["add", "--all"]);
        self.run(&["commit", "--quiet", "--allow-empty", "-m", message]);
        self.find_commit("HEAD")
    }

    pub(in crate::git) fn find_commit(&self, revision: &str) -> CommitId {
        CommitId::parse(&self.run(&["rev-parse", revision])).unwrap()
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the tests find git where the machine has it"
)]
fn list_variables(root: &Path) -> Vec<(OsString, OsString)> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let date = OsStr::new("2026-01-02T03:04:05Z");
    [
        ("PATH", path.as_os_str()),
        ("HOME", root.parent().unwrap().as_os_str()),
        ("GIT_CONFIG_NOSYSTEM", OsStr::new("1")),
        ("GIT_CONFIG_GLOBAL", OsStr::new("/dev/null")),
        ("GIT_AUTHOR_NAME", OsStr::new("A U Thor")),
        ("GIT_AUTHOR_EMAIL", OsStr::new("author@example.org")),
        ("GIT_AUTHOR_DATE", date),
        ("GIT_COMMITTER_NAME", OsStr::new("C O Mitter")),
        ("GIT_COMMITTER_EMAIL", OsStr::new("committer@example.org")),
        ("GIT_COMMITTER_DATE", date),
    ]
    .map(|(name, value)| (name.into(), value.to_owned()))
    .into()
}
