//! Owns what is done to the files of the scope in a scratch tree: emptied, deleted, filled with garbage.
//! Does not run anything in it.
//! Invariant: nothing outside the tree is written: no link is followed, and a file is replaced, never written into.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use autoresearch_core::config::Config;
use autoresearch_core::config::globs::Globs;
use autoresearch_core::decide::reaction::ScopeState;
use autoresearch_core::git_names::RepoPath;
use autoresearch_core::words::text::shorten_names;

use crate::watch::command_files::CommandSite;
use crate::watch::file_times::give_later_times;
use crate::watch::yardstick;
use autoresearch_sys::env::World;
use autoresearch_sys::error::{Failure, Result};
use autoresearch_sys::git::{Git, IndexEntry, is_behind_link};

/// Text in no language: neither UTF-8 nor brackets, quotes or indents that match.
const GARBAGE: &[u8] = b"\xff\x00 )]}'\"\\ <<<<<<< this file was replaced for a check\n\t;;=>}{(\n";

/// The tracked files of the scope in a tree, but for those that no trial may change.
pub(super) struct ScopeFiles<'g> {
    git: &'g Git,
    entries: Vec<IndexEntry>,
}

impl<'g> ScopeFiles<'g> {
    /// Those that stand in the tree; a sparse checkout or a submodule may leave some out.
    pub(super) fn find(git: &'g Git, config: &Config) -> Result<Self> {
        let root = git.work_tree();
        let failed =
            |error: autoresearch_core::config::globs::GlobError| Failure::config(error.to_string());
        let scope = Globs::new(&config.scope).map_err(failed)?;
        // What lies in a home is in no scope.
        let site = CommandSite { root, home: None };
        let pinned = yardstick::choose_files(&site, config, &[]).map_err(failed)?;
        let is_subject = |entry: &IndexEntry| {
            let whole = root.join(entry.path.as_path());
            let stands = whole.symlink_metadata().is_ok_and(|meta| !meta.is_dir());
            entry
                .path
                .as_str()
                .is_some_and(|name| scope.matches_path(name))
                && !pinned.files.contains_key(&whole)
                && stands
                && !is_behind_link(root, entry.path.as_path())
        };
        let mut entries = git.list_index()?;
        entries.retain(is_subject);
        Ok(Self { git, entries })
    }

    #[must_use]
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Their number, and the first names.
    #[must_use]
    pub(super) fn shorten_names(&self) -> String {
        let names: Vec<String> = self
            .entries
            .iter()
            .map(|entry| entry.path.to_string())
            .collect();
        shorten_names(&names, names.len(), 60)
    }

    /// Gives the changed files a later second than what verify made of the others, and than `floor`, so that no cache in the
    /// tree takes them for these; the second that they got.
    pub(super) fn renew_times(&self, world: &World, floor: i64) -> i64 {
        let files = self.entries.iter().filter(|entry| self.is_in_tree(entry));
        let paths: Vec<RepoPath> = files.map(|entry| entry.path.clone()).collect();
        let now = world.now().as_second();
        let root = self.git.work_tree();
        give_later_times(root, &paths, floor.max(now), now).unwrap_or(floor)
    }

    /// Changes the files, which are those of the commit. Links are deleted with the rest, and otherwise left as they are.
    pub(super) fn change_to(&self, state: ScopeState) -> Result<()> {
        match state {
            ScopeState::Untouched => Ok(()),
            ScopeState::Emptied => self.replace_files(b""),
            ScopeState::Deleted => {
                for entry in self.entries.iter().filter(|entry| self.is_in_tree(entry)) {
                    remove_file(&self.whole_path(entry))?;
                }
                Ok(self.git.drop_from_index(&self.entries)?)
            }
            ScopeState::Garbage => self.replace_files(GARBAGE),
        }
    }

    fn whole_path(&self, entry: &IndexEntry) -> PathBuf {
        self.git.work_tree().join(entry.path.as_path())
    }

    /// Asked each time: verify may have put a link in the place of a folder.
    fn is_in_tree(&self, entry: &IndexEntry) -> bool {
        !is_behind_link(self.git.work_tree(), entry.path.as_path())
    }

    fn replace_files(&self, content: &[u8]) -> Result<()> {
        let files = self.entries.iter().filter(|entry| entry.is_file());
        for entry in files.filter(|entry| self.is_in_tree(entry)) {
            replace_file(&self.whole_path(entry), &entry.mode, content)?;
        }
        Ok(())
    }
}

fn remove_file(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Failure::io(
            format!("could not remove {}", path.display()),
            &error,
        )),
        _ => Ok(()),
    }
}

/// A new file in the place of one: what else has the old bytes under another name keeps them.
fn replace_file(path: &Path, mode: &str, content: &[u8]) -> Result<()> {
    remove_file(path)?;
    let write = || {
        // Verify may have taken the folder away with the last file in it.
        path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?;
        file.write_all(content)?;
        let rights = if mode == "100755" { 0o755 } else { 0o644 };
        file.set_permissions(std::fs::Permissions::from_mode(rights))
    };
    write().map_err(|error| Failure::io(format!("could not write {}", path.display()), &error))
}
