//! Owns the small files that bind a run to a session: who works on it, what it registered, how often it was sent on.
//! Does not hold anything of the run itself: each can be deleted at any time.
//! Invariant: those in the run's folder are read as input that anybody may have written; no symbolic link is followed.

use std::path::Path;

use autoresearch_core::agent::session::{Proposal, Session, Stops};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::disk::{Disk, RealDisk, encode_json, replace_file_unsynced};
use super::error::StoreError;
use super::layout::Layout;
use super::run_store::RunStore;

/// A larger file is not one of ours.
const MAX: u64 = 64 * 1024;
/// The log of the hooks is cut when it is longer.
const MAX_LOG: u64 = 256 * 1024;
/// The stops, beside the anchor.
const STOPS: &str = "stops.json";

impl Layout {
    /// The session that works on the run, if one does.
    #[must_use]
    pub fn read_session(&self) -> Option<Session> {
        read_small_json(&self.run_folder().join("session.json"))
    }

    /// Notes the session that works on the run.
    pub fn write_session(&self, session: &Session) -> Result<(), StoreError> {
        write_json_line(&self.run_folder().join("session.json"), session)
    }

    /// No session owns the run any more.
    pub fn remove_session(&self) {
        let _ = std::fs::remove_file(self.run_folder().join("session.json"));
        let _ = self.take_proposal();
    }

    /// What is registered for the end of the turn.
    #[must_use]
    pub fn read_proposal(&self) -> Option<Proposal> {
        read_small_json(&self.run_folder().join("proposal.json"))
    }

    /// Registers something; what was registered before is replaced.
    pub fn write_proposal(&self, proposal: &Proposal) -> Result<(), StoreError> {
        write_json_line(&self.run_folder().join("proposal.json"), proposal)
    }

    /// Takes what is registered away, and returns it to the one caller that took it.
    #[must_use]
    pub fn take_proposal(&self) -> Option<Proposal> {
        let taken = self.run_folder().join("proposal.taken");
        std::fs::rename(self.run_folder().join("proposal.json"), &taken).ok()?;
        let proposal = read_small_json(&taken);
        let _ = std::fs::remove_file(&taken);
        proposal
    }

    /// Adds a line to the log of the hooks; a log that cannot be written fails nothing.
    pub fn append_hook_log(&self, at: &str, line: &str) {
        let path = self.run_folder().join("hooks.log");
        if RealDisk
            .file_length(&path)
            .is_ok_and(|length| length > MAX_LOG)
        {
            let _ = RealDisk.truncate_file(&path, 0);
        }
        let _ = RealDisk.append_bytes(&path, format!("{at} {line}\n").as_bytes());
    }
}

impl RunStore<'_> {
    /// The stops that were answered since the run last came further. They are counted outside the repository: a session
    /// that could write the count would be kept for ever by its own mistake.
    #[must_use]
    pub fn read_stops(&self) -> Stops {
        read_small_json(&self.anchor_folder.join(STOPS)).unwrap_or_default()
    }

    pub fn write_stops(&self, stops: &Stops) -> Result<(), StoreError> {
        write_json_line(&self.anchor_folder.join(STOPS), stops)
    }
}

fn read_small_json<T: DeserializeOwned>(path: &Path) -> Option<T> {
    if RealDisk.file_length(path).ok()? > MAX {
        return None;
    }
    let bytes = RealDisk.read_file(path).ok()??;
    serde_json::from_slice(&bytes).ok()
}

fn write_json_line(path: &Path, value: &impl Serialize) -> Result<(), StoreError> {
    let mut bytes = encode_json(path, value)?;
    bytes.push(b'\n');
    replace_file_unsynced(path, &bytes).map_err(StoreError::io_error("write", path))
}
