//! Owns the tree of an experiment: a copy of the user's files as they are, in a folder of ours.
//! Does not run anything in it.
//! Invariant: nothing of the user's is reached through it but folders of dependencies, which the sandbox keeps from being
//! written; and it goes when it is dropped, or before the next one is made.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use autoresearch_core::git_names::RepoPath;
use autoresearch_sys::error::{Failure, Result};
use autoresearch_sys::git::Git;
use autoresearch_sys::store::removal::remove_folder_below;

/// Folders with what a project depends on: git ignores them, and commands need them.
const DEPENDENCIES: [&str; 7] = [
    "node_modules",
    ".venv",
    "venv",
    "vendor",
    "deps",
    ".bundle",
    "bower_components",
];
/// More is no tree of sources.
const MOST_BYTES: u64 = 2 << 30;
/// The folder of the tree, beside the anchor.
const FOLDER: &str = "tree";

/// The copy. Dropping it removes it.
pub(super) struct ExperimentTree<'a> {
    folder: &'a Path,
    path: PathBuf,
}

impl<'a> ExperimentTree<'a> {
    /// Copies what git tracks or would track, as it is in the work tree, into a folder of ours.
    pub(super) fn copy_files(git: &Git, folder: &'a Path) -> Result<Self> {
        let _ = remove_folder_below(folder, Path::new(FOLDER));
        let tree = Self {
            folder,
            path: folder.join(FOLDER),
        };
        let failed = |error: io::Error| {
            Failure::io(
                format!("could not copy the files to {}", tree.path.display()),
                &error,
            )
        };
        fs::create_dir_all(&tree.path).map_err(failed)?;
        let mut bytes = 0;
        for path in git.list_files()? {
            bytes += tree.copy_file(git.work_tree(), &path).map_err(failed)?;
            if bytes > MOST_BYTES {
                return Err(Failure::blocked("the files of the repository are more than 2 GiB, too many to copy for an experiment")
                    .hint("give a place in a file as evidence: --at PATH:LINE --quote TEXT"));
            }
        }
        for ignored in git.list_ignored_folders()? {
            tree.link_dependencies(git.work_tree(), &ignored);
        }
        Ok(tree)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Copies one file; its length. One that is gone, and a folder of another repository, are left out.
    fn copy_file(&self, from: &Path, path: &RepoPath) -> io::Result<u64> {
        let (source, target) = (from.join(path.as_path()), self.path.join(path.as_path()));
        let Ok(meta) = source.symlink_metadata() else {
            return Ok(0);
        };
        if let Some(above) = target.parent() {
            fs::create_dir_all(above)?;
        }
        if meta.is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(&source)?, &target)?;
            return Ok(0);
        }
        if !meta.is_file() {
            return Ok(0);
        }
        let length = fs::copy(&source, &target)?;
        // What is read-only for the user need not be so here.
        let mode = meta.permissions().mode() | 0o600;
        fs::set_permissions(&target, fs::Permissions::from_mode(mode))?;
        Ok(length)
    }

    fn link_dependencies(&self, from: &Path, ignored: &str) {
        let path = Path::new(ignored);
        let is_known = path
            .file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|name| DEPENDENCIES.contains(&name));
        let target = self.path.join(path);
        if is_known && target.parent().is_some_and(Path::is_dir) {
            let _ = std::os::unix::fs::symlink(from.join(path), target);
        }
    }
}

impl Drop for ExperimentTree<'_> {
    fn drop(&mut self) {
        let _ = remove_folder_below(self.folder, Path::new(FOLDER));
    }
}
