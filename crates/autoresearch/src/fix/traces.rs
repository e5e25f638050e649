//! Owns `Traces`: what the checks of a project left or changed in its work tree.
//! Does not undo anything.
//! Invariant: what git ignores is nobody's concern, and a file that was changed before is compared by its content.

use std::collections::BTreeSet;

use autoresearch_core::words::text::escape_text;
use autoresearch_sys::error::Result;
use autoresearch_sys::git::Git;
use autoresearch_sys::git::status::{StatusEntry, StatusKind};
use autoresearch_sys::store::{DirtyFiles, FileNotes};

use crate::watch::user_files;

/// What is seen of a work tree after the checks.
#[derive(Debug, Default)]
pub(super) struct Traces {
    /// Files that are new.
    pub left: Vec<String>,
    /// Files that are tracked, or were there before, and are not as they were.
    pub changed: Vec<String>,
}

/// A work tree as it was before the checks.
pub(super) struct TreeBefore<'g> {
    git: &'g Git,
    entries: Vec<StatusEntry>,
    dirty: DirtyFiles,
    notes: FileNotes,
}

impl<'g> TreeBefore<'g> {
    pub(super) fn look(git: &'g Git) -> Result<Self> {
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

    /// What is there now and was not, and what is not as it was.
    pub(super) fn find_traces(&self) -> Result<Traces> {
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
