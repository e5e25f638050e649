//! Owns what is known of runs outside their repositories, without opening one.
//! Does not check a journal: nothing that is found here is acted on without that.
//! Invariant: what cannot be read is left out.

use std::path::{Path, PathBuf};

use autoresearch_core::journal::state::RunState;

use super::{Anchor, Checkpoint, DISK, Disk, RunStore, check_folder_trust, list_anchor_folders};
use crate::store::trust::check_anchor_folder;

/// The anchors of every run of this user that can be read, with their folders.
#[must_use]
pub fn list_anchors(state_folder: &Path) -> Vec<(PathBuf, Anchor)> {
    let read = |anchor_folder: PathBuf| {
        check_anchor_folder(&anchor_folder).ok()?;
        let bytes = DISK.read_file(&anchor_folder.join("anchor.json")).ok()??;
        Some((anchor_folder, serde_json::from_slice(&bytes).ok()?))
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
    let bytes = DISK
        .read_file(&anchor_folder.join("checkpoint.json"))
        .ok()??;
    let found: Checkpoint = serde_json::from_slice(&bytes).ok()?;
    (found.head == anchor.head).then_some(found.state)
}

impl RunStore<'_> {
    /// Where the anchor file says that the run is: not yet here, where a moved repository was only looked at.
    #[must_use]
    pub fn read_anchored_root(&self) -> PathBuf {
        let bytes = DISK
            .read_file(&self.anchor_folder.join("anchor.json"))
            .ok()
            .flatten();
        let anchor = bytes.and_then(|bytes| serde_json::from_slice::<Anchor>(&bytes).ok());
        anchor.map_or_else(PathBuf::new, |anchor| anchor.root)
    }
}
