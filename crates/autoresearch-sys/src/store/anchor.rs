//! Owns the anchor of a run, outside its repository: who the run is, and the head of its journal's chain.
//! Does not read or write the journal.
//! Invariant: a record is in the anchor whole or not at all, and stays there once it was synced.

pub(super) mod listing;

use std::path::{Path, PathBuf};

use autoresearch_core::journal::chain::ChainHead;
use serde::{Deserialize, Serialize};

use super::disk::{Disk, FormatField, encode_json};
use super::error::{StoreError, describe_damage};

/// The format of the anchor. The first one had no log: each record replaced the file.
pub const ANCHOR_FORMAT: u32 = 2;

/// Where the records since `anchor.json` was written are added, beside it.
const LOG: &str = "anchor.log";
/// From this length on, in bytes, the log is emptied: it is read each time a run is opened.
const MOST_LOG: u64 = 64 * 1024;

/// What is known of a run outside its repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anchor {
    /// The format of this file.
    pub format: u32,
    pub id: String,
    pub run: String,
    /// The main work tree of its repository.
    pub root: PathBuf,
    /// SHA-256 of the frozen config.
    pub config_hash: String,
    /// SHA-256 of the note of the holdout, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holdout_hash: Option<String>,
    /// The head of the journal's chain.
    pub head: ChainHead,
    /// The last line of the journal.
    pub last: String,
}

/// The link of a record, without its event.
#[derive(Deserialize)]
struct Link {
    seq: u64,
    prev: String,
}

/// The files of an anchor: `anchor.json`, and the log of the records since it was written. One sync makes a record of
/// the log durable, where replacing the file takes two.
pub(super) struct AnchorFile<'d> {
    disk: &'d dyn Disk,
    path: PathBuf,
    log: PathBuf,
    end: LogEnd,
}

/// How the log ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LogEnd {
    /// There is none, or nobody knows: `anchor.json` is replaced next.
    Unknown,
    /// With a whole line, at this length.
    Whole(u64),
    /// With the rest of a line behind this length: it is cut before the next one.
    Torn(u64),
}

impl Anchor {
    /// The anchor in a folder, where there is one that can be read.
    #[must_use]
    pub fn find_in(disk: &dyn Disk, anchor_folder: &Path) -> Option<Self> {
        let opened = AnchorFile::read_files(disk, anchor_folder.join("anchor.json"), "");
        opened.ok()?.map(|(anchor, _)| anchor)
    }
}

impl<'d> AnchorFile<'d> {
    /// An anchor that is not written yet.
    pub(super) fn new(disk: &'d dyn Disk, path: PathBuf) -> Self {
        let log = path.with_file_name(LOG);
        Self {
            disk,
            path,
            log,
            end: LogEnd::Unknown,
        }
    }

    /// Reads the anchor of a run, if there is one.
    pub(super) fn read_files(
        disk: &'d dyn Disk,
        path: PathBuf,
        run: &str,
    ) -> Result<Option<(Anchor, Self)>, StoreError> {
        let bytes = disk
            .read_file(&path)
            .map_err(StoreError::io_error("read", &path))?;
        let Some(bytes) = bytes else {
            return Ok(None);
        };
        let damaged = |error: serde_json::Error| StoreError::Damaged {
            run: run.to_owned(),
            path: path.clone(),
            what: describe_damage(&bytes, &error),
        };
        let found = serde_json::from_slice::<FormatField>(&bytes)
            .map_err(damaged)?
            .format;
        if found > ANCHOR_FORMAT {
            return Err(StoreError::Newer {
                path,
                found,
                known: ANCHOR_FORMAT,
            });
        }
        let mut anchor: Anchor = serde_json::from_slice(&bytes).map_err(damaged)?;
        let mut file = Self::new(disk, path);
        if found == ANCHOR_FORMAT {
            file.read_log(&mut anchor, run)?;
        }
        Ok(Some((anchor, file)))
    }

    /// Brings the anchor to the last record of the log. Lines that `anchor.json` has already are passed over: a crash
    /// came before the log was emptied. A last line that does not follow is one that the disk never got whole.
    fn read_log(&mut self, anchor: &mut Anchor, run: &str) -> Result<(), StoreError> {
        let bytes = self
            .disk
            .read_file(&self.log)
            .map_err(StoreError::io_error("read", &self.log))?;
        let damaged = |what: String| StoreError::Damaged {
            run: run.to_owned(),
            path: self.log.clone(),
            what,
        };
        let bytes = bytes.ok_or_else(|| damaged("is gone".to_owned()))?;
        let mut whole = 0;
        let mut lines = bytes.split_inclusive(|byte| *byte == b'\n').peekable();
        while let Some(line) = lines.next() {
            let text = line
                .strip_suffix(b"\n")
                .and_then(|text| std::str::from_utf8(text).ok());
            let known = anchor.head.next;
            let link = text.and_then(|text| Some((text, serde_json::from_str::<Link>(text).ok()?)));
            match link {
                Some((_, link)) if link.seq < known => {}
                Some((text, link)) if link.seq == known && link.prev == anchor.head.hash => {
                    anchor.head = anchor.head.after_line(text);
                    text.clone_into(&mut anchor.last);
                }
                _ if lines.peek().is_none() => {
                    self.end = LogEnd::Torn(whole);
                    return Ok(());
                }
                _ => {
                    return Err(damaged(format!("does not hold record {known}")));
                }
            }
            whole += line.len() as u64;
        }
        self.end = LogEnd::Whole(whole);
        Ok(())
    }

    /// Makes the last record of an anchor durable. What fails leaves the anchor as it was.
    pub(super) fn write_last(&mut self, anchor: &mut Anchor) -> Result<(), StoreError> {
        match self.end {
            LogEnd::Whole(length) if length < MOST_LOG => self.append_line(length, &anchor.last),
            LogEnd::Torn(length) if length < MOST_LOG => {
                self.disk
                    .truncate_file(&self.log, length)
                    .map_err(StoreError::io_error("cut", &self.log))?;
                self.append_line(length, &anchor.last)
            }
            _ => self.write_whole(anchor),
        }
    }

    fn append_line(&mut self, length: u64, line: &str) -> Result<(), StoreError> {
        self.end = LogEnd::Torn(length);
        let line = format!("{line}\n");
        self.disk
            .append_bytes(&self.log, line.as_bytes())
            .map_err(StoreError::io_error("append to", &self.log))?;
        self.disk
            .sync_file(&self.log)
            .map_err(StoreError::io_error("sync", &self.log))?;
        self.end = LogEnd::Whole(length + line.len() as u64);
        Ok(())
    }

    /// Writes an anchor whole, and empties its log. The name of the log is durable with the folder's sync.
    pub(super) fn write_whole(&mut self, anchor: &mut Anchor) -> Result<(), StoreError> {
        anchor.format = ANCHOR_FORMAT;
        self.disk
            .append_bytes(&self.log, b"")
            .map_err(StoreError::io_error("create", &self.log))?;
        let bytes = encode_json(&self.path, anchor)?;
        self.disk
            .replace_file(&self.path, &bytes)
            .map_err(StoreError::io_error("write", &self.path))?;
        // What stays of the log is older than the anchor, and passed over.
        self.end = match self.disk.truncate_file(&self.log, 0) {
            Ok(()) => LogEnd::Whole(0),
            Err(_) => LogEnd::Unknown,
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests;
