//! Owns what is known of runs outside their repositories, without opening one.
//! Does not check a journal: nothing that is found here is acted on without that.
//! Invariant: what cannot be read is left out.

use std::path::{Path, PathBuf};

use autoresearch_core::journal::state::RunState;

use super::Anchor;
use crate::store::checkpoint::Checkpoint;
use crate::store::disk::RealDisk;
use crate::store::layout::list_anchor_folders;
use crate::store::trust::{check_anchor_folder, check_folder_trust};

/// The anchors of every run of this user that can be read, with their folders.
#[must_use]
pub fn list_anchors(state_folder: &Path) -> Vec<(PathBuf, Anchor)> {
    let read = |anchor_folder: PathBuf| {
        check_anchor_folder(&anchor_folder).ok()?;
        let anchor = Anchor::find_in(&RealDisk, &anchor_folder)?;
        Some((anchor_folder, anchor))
    };
    if check_folder_trust(state_folder).is_err() {
        return Vec::new();
    }
    list_anchor_folders(state_folder)
        .into_iter()
        .filter_map(read)
        .collect()
}

/// Where a run stood at its anchor's last record, by the note that its last command left: for a run without a journal.
#[must_use]
pub fn read_remembered_state(anchor_folder: &Path, anchor: &Anchor) -> Option<RunState> {
    let found = Checkpoint::read_from(anchor_folder)?;
    (found.head == anchor.head).then_some(found.state)
}
