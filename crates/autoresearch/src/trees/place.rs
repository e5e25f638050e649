//! Owns the question where the work trees of a run lie.
//! Does not make them.
//! Invariant: never in a work tree of the repository, and in a folder that is this user's alone.

use std::path::{Path, PathBuf};

use autoresearch_sys::env::World;
use autoresearch_sys::store::{Layout, TreeKind, TreeNote};

/// The folder of all trees, in the state folder.
const TREES: &str = "trees";
/// So much of a run's id is in its trees' paths: a socket's path has room for 100 letters.
const ID_LETTERS: usize = 12;

/// The name of a run's own tree, among the trees of the run.
pub const OWN: &str = "work";

/// Where the work trees of a run lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreePlace {
    layout: Layout,
    id: String,
    /// The folder of all trees.
    trees: PathBuf,
}

impl TreePlace {
    /// In the state folder.
    #[must_use]
    pub fn in_state_folder(world: &World, layout: &Layout, id: &str) -> Self {
        Self::below(&world.state_folder.join(TREES), layout, id)
    }

    /// Below a folder of the user's.
    #[must_use]
    pub fn below(trees: &Path, layout: &Layout, id: &str) -> Self {
        Self {
            layout: layout.clone(),
            id: id.to_owned(),
            trees: resolve_existing(trees),
        }
    }

    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The note of a tree of the run. git names its own record of a tree by the last part of the path, so that says whose
    /// it is.
    #[must_use]
    pub fn make_note(&self, name: &str, kind: TreeKind) -> TreeNote {
        let run = &self.layout.run;
        let last = match kind {
            TreeKind::Own => format!("autoresearch-{run}"),
            TreeKind::Lent | TreeKind::Scratch => format!("autoresearch-{run}-{name}"),
        };
        let short = &self.id[..self.id.len().min(ID_LETTERS)];
        TreeNote {
            root: self.layout.root.clone(),
            path: self.trees.join(short).join(last),
            ..TreeNote::new(&self.id, run, name, kind)
        }
    }
}

/// The path without links, as far as it exists: git writes down real paths.
fn resolve_existing(path: &Path) -> PathBuf {
    let mut above = path.ancestors();
    above
        .find_map(|there| {
            let rest = path.strip_prefix(there).ok()?;
            Some(there.canonicalize().ok()?.join(rest))
        })
        .map_or_else(|| path.to_owned(), |path| path.components().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_tree_of_a_run_has_its_path_and_links_on_the_way_are_resolved() {
        let base = tempfile::tempdir().unwrap();
        let base = base.path().canonicalize().unwrap();
        std::fs::create_dir(base.join("real")).unwrap();
        std::os::unix::fs::symlink("real", base.join("link")).unwrap();
        let layout = Layout::new(Path::new("/repo"), "demo");
        let place = TreePlace::below(&base.join("link/new"), &layout, "0123456789abcdef");
        let paths = [
            place.make_note(OWN, TreeKind::Own),
            place.make_note("1", TreeKind::Lent),
            place.make_note("2", TreeKind::Scratch),
        ]
        .map(|note| note.path.strip_prefix(&base).unwrap().display().to_string());
        insta::assert_snapshot!(paths.join("\n"), @"
        real/new/0123456789ab/autoresearch-demo
        real/new/0123456789ab/autoresearch-demo-1
        real/new/0123456789ab/autoresearch-demo-2
        ");
    }
}
