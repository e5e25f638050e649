//! Owns the question where the work trees of a run lie.
//! Does not make them.
//! Invariant: never in a work tree of the repository, and in a folder that is this user's alone.

use std::path::{Path, PathBuf};

use autoresearch_sys::env::{ProcessRole, World};
use autoresearch_sys::error::{Failure, Result};
use autoresearch_sys::git::Git;
use autoresearch_sys::git::surroundings::resolve_links;
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
    /// For trees in which this program alone works: below the folder that the config names, or in the state folder.
    pub fn choose(
        world: &World,
        git: &Git,
        trees: Option<&str>,
        layout: &Layout,
        id: &str,
    ) -> Result<Self> {
        let trees = match trees {
            Some(trees) => expand_home(world, "trees", trees)?,
            None => world.state_folder.join(TREES),
        };
        Self::outside_repository(git, &trees, layout, id)
    }

    /// The same for a tree in which the caller edits. An agent in Codex's sandbox can write in its project and in the
    /// temporary folder, and not in the state folder.
    pub fn choose_for_edits(
        world: &World,
        git: &Git,
        trees: Option<&str>,
        layout: &Layout,
        id: &str,
    ) -> Result<Self> {
        let in_session = world.session.is_some() && world.role == ProcessRole::Command;
        if trees.is_some() || !in_session {
            return Self::choose(world, git, trees, layout, id);
        }
        let ours = temporary_trees(world);
        if ours.is_symlink() {
            return Err(
                Failure::environment(format!("{} is a symbolic link", ours.display()))
                    .hint("remove it, or name a folder with `trees:` in the config"),
            );
        }
        Self::outside_repository(git, &ours, layout, id)
    }

    fn outside_repository(git: &Git, trees: &Path, layout: &Layout, id: &str) -> Result<Self> {
        let place = Self::below(trees, layout, id);
        let around = git.list_work_trees()?.into_iter();
        let mut around = around.filter(|tree| place.trees.starts_with(resolve_links(&tree.path)));
        match around.next() {
            None => Ok(place),
            Some(tree) => Err(Failure::config(format!(
                "the run's work trees would lie in {}, inside the work tree {}: its tools would walk into them",
                place.trees.display(),
                tree.path.display()
            ))
            .hint("name a folder outside the repository with `trees:` in the config")),
        }
    }

    /// Below a folder that the caller vouches for.
    #[must_use]
    pub(super) fn below(trees: &Path, layout: &Layout, id: &str) -> Self {
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

/// The path that a config names under a key; `~` is the caller's home.
pub(crate) fn expand_home(world: &World, key: &str, path: &str) -> Result<PathBuf> {
    let Some(below) = path.strip_prefix("~/") else {
        return Ok(path.into());
    };
    let home = world.find_variable("HOME").map(PathBuf::from);
    let home = home.filter(|home| home.is_absolute());
    home.map(|home| home.join(below)).ok_or_else(|| {
        Failure::config(format!("`{key}: {path}` needs HOME, which is not set"))
            .hint("write the whole path")
    })
}

/// The folder of ours in the temporary folder.
fn temporary_trees(world: &World) -> PathBuf {
    find_temporary_folder(world).join(name_temporary_trees())
}

fn name_temporary_trees() -> String {
    format!("autoresearch-{}", rustix::process::geteuid().as_raw())
}

/// Does a tree of a run lie in the folder of ours in a temporary folder? Which one that is can differ from session to session.
#[must_use]
pub fn is_temporary_tree(path: &Path) -> bool {
    let trees = path.ancestors().nth(2).and_then(Path::file_name);
    trees.is_some_and(|name| name == name_temporary_trees().as_str())
}

/// The temporary folder, without links.
#[must_use]
pub fn find_temporary_folder(world: &World) -> PathBuf {
    let chosen = world.find_variable("TMPDIR").map(PathBuf::from);
    let chosen = chosen.filter(|folder| folder.is_absolute() && folder.is_dir());
    resolve_links(&chosen.unwrap_or_else(|| PathBuf::from("/tmp")))
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

    #[test]
    fn a_tree_in_a_temporary_folder_is_known_by_the_folder_of_ours() {
        let ours = name_temporary_trees();
        for (path, is_temporary) in [
            (format!("/tmp/{ours}/0123456789ab/autoresearch-demo"), true),
            (
                format!("/elsewhere/{ours}/0123456789ab/autoresearch-demo"),
                true,
            ),
            (
                "/tmp/state/trees/0123456789ab/autoresearch-demo".to_owned(),
                false,
            ),
            (format!("/{ours}"), false),
        ] {
            assert_eq!(is_temporary_tree(Path::new(&path)), is_temporary, "{path}");
        }
    }
}
