//! Owns `Traces`: what commands that check left or changed in its work tree.
//! Does not undo anything.
//! Invariant: what git ignores is nobody's concern, and a file that was changed before is compared by its content.

use std::collections::BTreeSet;
use std::path::Path;

use autoresearch_core::words::text::escape_text;
use autoresearch_sys::error::Result;
use autoresearch_sys::git::Git;
use autoresearch_sys::git::status::{StatusEntry, StatusKind};
use autoresearch_sys::store::{DirtyFiles, FileNotes};

use crate::watch::user_files;

/// What is seen of a work tree after the commands.
#[derive(Debug, Default)]
pub(crate) struct Traces {
    /// Files that are new.
    pub left: Vec<String>,
    /// Files that are tracked, or were there before, and are not as they were.
    pub changed: Vec<String>,
}

/// A work tree as it was before the commands.
pub(crate) struct TreeBefore<'g> {
    git: &'g Git,
    entries: Vec<StatusEntry>,
    dirty: DirtyFiles,
    notes: FileNotes,
}

impl<'g> TreeBefore<'g> {
    pub(crate) fn look(git: &'g Git) -> Result<Self> {
        let entries = git.read_status()?;
        let mut dirty = DirtyFiles::default();
        for entry in &entries {
            dirty.add_path(&entry.path, entry.kind != StatusKind::Untracked);
        }
        let notes = user_files::make_notes(
            git.work_tree(),
            &dirty,
            &BTreeSet::new(),
            &FileNotes::default(),
        );
        Ok(Self {
            git,
            entries,
            dirty,
            notes,
        })
    }

    /// Is there nothing that could be committed, but for this file?
    pub(crate) fn is_clean_without(&self, file: Option<&Path>) -> bool {
        let root = self.git.work_tree();
        let mut entries = self.entries.iter();
        entries.all(|entry| file.is_some_and(|file| *file == root.join(entry.path.as_path())))
    }

    /// What is there now and was not, and what is not as it was.
    pub(crate) fn find_traces(&self) -> Result<Traces> {
        let changed = user_files::find_changed(
            self.git.work_tree(),
            &self.dirty,
            &BTreeSet::new(),
            &self.notes,
        );
        let mut traces = Traces {
            left: Vec::new(),
            changed: changed.into_iter().map(|file| file.name).collect(),
        };
        let now = self.git.read_status()?;
        for entry in now.iter().filter(|entry| !self.entries.contains(entry)) {
            let name = escape_text(&entry.path.to_text());
            let is_new = entry.kind == StatusKind::Untracked;
            if is_new && !self.dirty.has_path(&entry.path) {
                traces.left.push(name);
            } else if !traces.changed.contains(&name) {
                traces.changed.push(name);
            }
        }
        Ok(traces)
    }
}
