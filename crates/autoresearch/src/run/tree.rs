//! Owns `Tree`: a work tree in which trials are made, and what git has to keep to in it.
//! Does not know the journal, the lock or the caller: what the journal says is handed in as a value.
//! Invariant: git works in this folder alone, and the rules and files of the start are those that are compared.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use autoresearch_core::git_names::RefName;
use autoresearch_sys::env::World;
use autoresearch_sys::git::history::History;
use autoresearch_sys::git::{Git, PrivateIndex};
use autoresearch_sys::store::{Layout, Pinned, TreeNotes};

/// The work tree of a run's trials.
pub struct Tree<'w> {
    /// Its clock and its steps.
    pub world: &'w World,
    /// Where the files of its trials are.
    pub layout: Layout,
    pub git: Git,
    /// The same repository, for reading.
    pub history: History,
    /// The file of the run's own index.
    pub index_file: PathBuf,
    /// Does this process hold the run? Without it, that index is neither written nor looked through.
    pub is_held: bool,
    /// The branch that HEAD names here.
    pub branch: RefName,
    /// Was it made for the run? The user's own otherwise.
    pub is_own: bool,
    /// The rules and the files of the start.
    pub pinned: Arc<Pinned>,
    /// What the last look left.
    pub notes: TreeNotes,
}

impl Tree<'_> {
    #[must_use]
    pub fn path(&self) -> &Path {
        self.git.work_tree()
    }

    /// The run's own index of this tree. What is seen, staged and committed is so through it.
    #[must_use]
    pub fn index(&self) -> PrivateIndex<'_> {
        PrivateIndex::new(&self.git, &self.index_file)
    }

    /// A reference of the run, outside the branches.
    #[must_use]
    pub fn name_reference(&self, name: &str) -> RefName {
        RefName::of_run(&self.layout.run, name)
    }

    /// The reference by which a trial can be seen again, whatever became of it.
    #[must_use]
    pub fn name_trial(&self, trial: u32) -> RefName {
        RefName::of_trial(&self.layout.run, trial)
    }
}
