//! Owns the real folder of links that stands in a tree for a folder of the user's checkout.
//! Does not choose which folder, and writes nothing outside the tree.
//! Invariant: what in the checkout leads to its own sources leads in the tree to the tree's sources.
//!
//! The folder is real, because a pattern with a slash at its end (`node_modules/`) does not ignore a link. In it each entry
//! is an absolute link to the entry of the checkout; an entry that is itself a link into the checkout's sources, as package
//! managers make them for the packages of a workspace, leads to the same place in the tree. Only its `.gitignore` is copied.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use crate::trees::wanted::WantedPaths;
use autoresearch_sys::error::{Failure, Result};
use autoresearch_sys::regular_files::{NOTE_BYTES, read_file};

/// Caches below `node_modules`: tools write there, and make them again where they are not.
const CACHES: [&str; 5] = [".cache", ".vite", ".vite-temp", ".vitest", ".tmp"];
/// git does not follow a link to its rules, and a folder may be ignored by its own: an environment of Python's is.
const IGNORE_FILE: &str = ".gitignore";

/// Links from a tree into the checkout.
pub(super) struct LinkMaker<'a> {
    /// The root of the checkout, without links in its path.
    pub checkout: &'a Path,
    /// The root of the tree.
    pub tree: &'a Path,
    pub wanted: &'a WantedPaths,
    /// Entries that lead to the tree's own sources, from the root of the checkout.
    pub rebased: Vec<PathBuf>,
}

impl LinkMaker<'_> {
    /// Makes the links for a chosen path. What stands there already, from an earlier time that was cut short, is completed.
    pub(super) fn link_path(&mut self, path: &Path) -> Result<()> {
        let source = self.checkout.join(path);
        let target = self.tree.join(path);
        if let Some(above) = target.parent() {
            fs::create_dir_all(above).map_err(|error| make_error(above, &error))?;
        }
        if source.is_dir() {
            let opened = path.file_name() == Some(OsStr::new("node_modules"));
            self.link_folder(path, opened)
        } else {
            place_link(&source, &target)
        }
    }

    /// Links the entries of a folder. Of `node_modules` (`opened`) the folders of scopes, of programs and of pnpm become
    /// real folders too, because what lies in them can lead to the packages of the workspace.
    fn link_folder(&mut self, path: &Path, opened: bool) -> Result<()> {
        let (source, target) = (self.checkout.join(path), self.tree.join(path));
        fs::create_dir_all(&target).map_err(|error| make_error(&target, &error))?;
        let entries = fs::read_dir(&source).map_err(|error| read_error(&source, &error))?;
        for entry in entries {
            let entry = entry.map_err(|error| read_error(&source, &error))?;
            let (name, path) = (entry.file_name(), path.join(entry.file_name()));
            let is_cache = opened && CACHES.iter().any(|cache| name == *cache);
            if is_cache || !self.wanted.is_linked(&path) {
                continue;
            }
            let kind = entry.file_type();
            let kind = kind.map_err(|error| read_error(&entry.path(), &error))?;
            if opened && kind.is_dir() && is_opened(&path) {
                self.link_folder(&path, true)?;
            } else if name == IGNORE_FILE && kind.is_file() {
                copy_rules(&self.checkout.join(&path), &self.tree.join(&path))?;
            } else {
                let leads_to = self.find_destination(&path, kind.is_symlink());
                place_link(&leads_to, &self.tree.join(&path))?;
            }
        }
        Ok(())
    }

    /// Where the link for an entry leads to.
    fn find_destination(&mut self, path: &Path, is_link: bool) -> PathBuf {
        let source = self.checkout.join(path);
        if !is_link {
            return source;
        }
        let Some(end) = follow_link(&source) else {
            return source;
        };
        match self.find_source(&end) {
            Some(below) => {
                let destination = self.tree.join(below);
                self.rebased.push(path.to_owned());
                destination
            }
            None => end,
        }
    }

    /// The path in the checkout, unless it lies in what is linked: there the checkout's is meant.
    fn find_source(&self, end: &Path) -> Option<PathBuf> {
        let below = end.strip_prefix(self.checkout).ok()?;
        let linked = self.wanted.linked_paths();
        let is_linked = linked.iter().any(|linked| below.starts_with(linked));
        (!is_linked).then(|| below.to_owned())
    }
}

/// Is a folder below `node_modules` itself a real folder in the tree?
fn is_opened(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    let above = path.parent().and_then(Path::file_name);
    name.as_bytes().starts_with(b"@")
        || name == ".bin"
        || name == ".pnpm"
        || (name == "node_modules" && above == Some(OsStr::new(".pnpm")))
}

/// Where a link ends; where its end is not there, where it points to. `None` where it cannot be read.
fn follow_link(link: &Path) -> Option<PathBuf> {
    if let Ok(end) = link.canonicalize() {
        return Some(end);
    }
    let text = fs::read_link(link).ok()?;
    let mut end = link.parent()?.canonicalize().ok()?;
    for part in text.components() {
        match part {
            Component::ParentDir => drop(end.pop()),
            Component::CurDir => {}
            part => end.push(part),
        }
    }
    Some(end)
}

/// Makes a link, or leaves what stands there: a link of ours is replaced, anything else was made in the tree.
fn place_link(leads_to: &Path, link: &Path) -> Result<()> {
    match std::os::unix::fs::symlink(leads_to, link) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            if fs::read_link(link).is_ok_and(|old| old != leads_to) {
                fs::remove_file(link).map_err(|error| make_error(link, &error))?;
                return std::os::unix::fs::symlink(leads_to, link)
                    .map_err(|error| make_error(link, &error));
            }
            Ok(())
        }
        made => made.map_err(|error| make_error(link, &error)),
    }
}

/// Gives the tree the rules themselves.
fn copy_rules(source: &Path, target: &Path) -> Result<()> {
    let rules = read_file(source, NOTE_BYTES).map_err(|error| read_error(source, &error))?;
    if target.is_symlink() {
        fs::remove_file(target).map_err(|error| make_error(target, &error))?;
    }
    fs::write(target, rules).map_err(|error| make_error(target, &error))
}

fn make_error(path: &Path, error: &io::Error) -> Failure {
    Failure::io(format!("could not make {}", path.display()), error)
}

fn read_error(path: &Path, error: &io::Error) -> Failure {
    Failure::io(format!("could not read {}", path.display()), error)
}

#[cfg(test)]
mod tests;
