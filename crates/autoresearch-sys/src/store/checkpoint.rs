//! Owns the checkpoint beside the anchor: the folded state at a record, so that the journal need not be read again.
//! Does not judge whether it still holds; whoever reads it compares it with the anchor and the journal.
//! Invariant: losing it costs one reading of the journal, and nothing else.

use std::path::Path;

use autoresearch_core::journal::chain::ChainHead;
use autoresearch_core::journal::state::RunState;
use serde::{Deserialize, Serialize};

use super::disk::{
    FileSignature, decode_note, encode_with_format, read_output, replace_file_unsynced,
};
use super::error::StoreError;

/// The file, beside the anchor.
const NAME: &str = "checkpoint.json";
/// No state of a run is longer.
const MOST: u64 = 1 << 30;

#[derive(Serialize, Deserialize)]
pub(super) struct Checkpoint {
    pub(super) journal: FileSignature,
    pub(super) head: ChainHead,
    pub(super) state: RunState,
    pub(super) table: Option<FileSignature>,
}

impl Checkpoint {
    /// The checkpoint in a folder, if there is one that can be read.
    pub(super) fn read_from(anchor_folder: &Path) -> Option<Self> {
        let bytes = read_output(&anchor_folder.join(NAME), MOST).ok()?;
        decode_note(&bytes)
    }

    pub(super) fn write_to(&self, anchor_folder: &Path) -> Result<(), StoreError> {
        let path = anchor_folder.join(NAME);
        let bytes = encode_with_format(&path, self)?;
        replace_file_unsynced(&path, &bytes).map_err(StoreError::io_error("write", &path))
    }
}
