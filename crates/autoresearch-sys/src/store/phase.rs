//! Owns the note, beside the anchor, of how far the trial that is being made has come, for whoever looks meanwhile.
//! Does not tell whether one is being made: the lock does.
//! Invariant: a note counts only while the process that wrote it holds the run's lock, so a kill leaves no false one.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::disk::{open_regular_file, replace_file_unsynced};
use super::holder::Holder;
use super::lock::find_holder;

/// The file, beside the anchor.
const NOTE: &str = "phase.json";

/// What a trial is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrialPhase {
    /// The edits are committed.
    Committing,
    /// Verify runs, for this time in the trial.
    Verify(u32),
    /// Verify runs on the kept state, for this time in the trial.
    VerifyIncumbent(u32),
    Guard,
    /// The check runs that nothing in the repository names.
    Holdout,
    /// The verdict is made and recorded.
    Deciding,
    /// What is not kept is taken back.
    Undoing,
}

/// How far a trial has come, and since when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhaseNote {
    pid: u32,
    pub trial: u32,
    /// What it is at.
    pub phase: TrialPhase,
    /// Since when, in milliseconds since 1970.
    pub since_ms: u64,
    /// When the command that makes the trial began, in milliseconds since 1970.
    pub began_ms: u64,
}

impl PhaseNote {
    /// A note of this process.
    pub(super) fn of_now(trial: u32, phase: TrialPhase, since_ms: u64, began_ms: u64) -> Self {
        Self {
            pid: std::process::id(),
            trial,
            phase,
            since_ms,
            began_ms,
        }
    }

    /// Writes the note. One that cannot be written is nobody's fault, and not worth a failed trial.
    pub(super) fn write_to(&self, anchor_folder: &Path) {
        if let Ok(bytes) = serde_json::to_vec(self) {
            let _ = replace_file_unsynced(&anchor_folder.join(NOTE), &bytes);
        }
    }
}

/// Takes away what an earlier holder of the lock had noted.
pub(super) fn remove_phase_note(anchor_folder: &Path) {
    let _ = std::fs::remove_file(anchor_folder.join(NOTE));
}

/// Who acts on the run now, and what its trial is at, if it makes one.
#[must_use]
pub fn find_acting_holder(anchor_folder: &Path) -> Option<(Holder, Option<PhaseNote>)> {
    let holder = find_holder(anchor_folder)?;
    let bytes = open_regular_file(&anchor_folder.join(NOTE))
        .ok()
        .and_then(|file| {
            let mut bytes = Vec::new();
            std::io::Read::read_to_end(&mut std::io::Read::take(file, 4096), &mut bytes).ok()?;
            Some(bytes)
        });
    let note = bytes
        .and_then(|bytes| serde_json::from_slice::<PhaseNote>(&bytes).ok())
        .filter(|note| note.pid == holder.pid);
    Some((holder, note))
}
