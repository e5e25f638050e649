//! Owns a repository, and a world with a state folder, in a temporary folder, for the tests of the trees.
//! Does not exist outside tests.
//! Invariant: nothing outside the folder is touched, and no setting of the machine counts.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use autoresearch_core::git_names::{CommitId, RepoPath};
use autoresearch_sys::env::World;
use autoresearch_sys::git::Git;
use autoresearch_sys::git::history::History;
use autoresearch_sys::store::{Layout, TreeKind, TreeNote};

use super::lending::{LentTree, TreeSource, lend_tree};
use super::place::TreePlace;

pub(super) const ID: &str = "0123456789abcdef0123456789abcdef";

pub(super) struct TreeBed {
    folder: tempfile::TempDir,
    pub(super) world: World,
    pub(super) git: Git,
    pub(super) place: TreePlace,
}

impl TreeBed {
    /// A repository with `src/a`, `src/b` and an ignored folder `build`.
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().canonicalize().unwrap();
        let root = base.join("repo");
        std::fs::create_dir_all(root.join("src")).unwrap();
        let mut world = World::from_process();
        world.state_folder = base.join("state");
        let program = World::find_program(&world.vars, "git").unwrap();
        let path = world.find_variable("PATH").cloned().unwrap_or_default();
        let env: Vec<(OsString, OsString)> = [
            ("PATH", path.as_os_str()),
            ("HOME", base.as_os_str()),
            ("GIT_CONFIG_NOSYSTEM", OsStr::new("1")),
        ]
        .map(|(name, value)| (name.into(), value.into()))
        .into();
        let mut git = Git::new(&program, &root, &env);
        git.take_own_identity();
        git.init_repository().unwrap();
        let place = TreePlace::below(&base.join("state/trees"), &Layout::new(&root, "demo"), ID);
        let bed = Self {
            folder,
            world,
            git,
            place,
        };
        bed.write("src/a", "one\n");
        bed.write("src/b", "one\n");
        bed.write(".gitignore", "build\n");
        let paths = ["src/a", "src/b", ".gitignore"].map(RepoPath::new);
        bed.git.make_first_commit(&paths, "first").unwrap();
        bed
    }

    pub(super) fn base(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap()
    }

    pub(super) fn root(&self) -> PathBuf {
        self.base().join("repo")
    }

    pub(super) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.root().join(name), text).unwrap();
    }

    pub(super) fn head(&self) -> CommitId {
        let history = History::open_folder(&self.root()).unwrap();
        history.read_head().unwrap().commit.unwrap()
    }

    /// Commits these files of the user's work tree.
    pub(super) fn commit(&self, names: &[&str]) -> CommitId {
        let paths: Vec<RepoPath> = names.iter().map(|name| RepoPath::new(*name)).collect();
        // A commit without a parent is as good as any other.
        self.git.make_first_commit(&paths, "next").unwrap();
        self.head()
    }

    pub(super) fn lend(&self, kind: TreeKind, commit: &CommitId) -> LentTree<'_> {
        let source = TreeSource {
            git: &self.git,
            place: &self.place,
            kind,
        };
        lend_tree(&self.world, &source, commit).unwrap()
    }

    pub(super) fn notes(&self) -> Vec<TreeNote> {
        TreeNote::list_all(&self.world.state_folder)
    }

    /// How many work trees git knows besides the user's.
    pub(super) fn count_linked(&self) -> usize {
        self.git.list_work_trees().unwrap().len() - 1
    }
}
