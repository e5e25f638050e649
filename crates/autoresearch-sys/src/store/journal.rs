//! Owns the protocol of journal and anchor: what is written in which order, and how a crash is repaired.
//! Does not know what the events mean.
//! Invariant: the anchor is written first and holds the record itself; the journal may lag by that one record and by
//! nothing else. A record that the anchor does not know was not written by us.

use std::path::PathBuf;

use autoresearch_core::journal::chain::{ChainHead, hash_bytes};
use autoresearch_core::journal::event::{Event, Record};
use serde::Serialize;

use super::access::Access;
use super::anchor::{Anchor, AnchorFile};
use super::disk::Disk;
use super::error::StoreError;
use super::layout::Layout;

/// How much of the end of a journal is read for the last records.
const TAIL: u64 = 64 * 1024;

/// What had to be repaired in a journal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct JournalRepair {
    /// Bytes of a torn line that were set aside.
    pub torn_bytes: u64,
    /// Was the last record missing, and written again?
    pub restored: bool,
}

/// A journal with its anchor.
pub struct Journal<'d> {
    disk: &'d dyn Disk,
    /// Where the journal is.
    pub path: PathBuf,
    file: AnchorFile<'d>,
    pub anchor: Anchor,
}

impl<'d> Journal<'d> {
    /// A journal without records.
    pub fn new(disk: &'d dyn Disk, path: PathBuf, anchor_path: PathBuf, anchor: Anchor) -> Self {
        Self {
            disk,
            path,
            file: AnchorFile::new(disk, anchor_path),
            anchor,
        }
    }

    /// Reads the anchor of a journal.
    pub fn open_anchored(
        disk: &'d dyn Disk,
        path: PathBuf,
        anchor_path: PathBuf,
        layout: &Layout,
    ) -> Result<Self, StoreError> {
        let opened = AnchorFile::read_files(disk, anchor_path, &layout.run)?;
        let (anchor, file) = opened.ok_or_else(|| StoreError::NoAnchor {
            run: layout.run.clone(),
        })?;
        Ok(Self {
            disk,
            path,
            file,
            anchor,
        })
    }

    /// Is the run where its anchor says? A repository that was moved is followed, a copy is refused.
    pub fn check_place(&mut self, layout: &Layout, access: Access) -> Result<(), StoreError> {
        if self.anchor.run != layout.run {
            return Err(self.tampered_error(format!("it was renamed from `{}`", self.anchor.run)));
        }
        if self.anchor.root == layout.root {
            return Ok(());
        }
        let original = layout.at_root(&self.anchor.root);
        if original.journal_path().exists() {
            return Err(StoreError::Copied {
                run: layout.run.clone(),
                original: original.run_folder(),
            });
        }
        if layout.root.to_str().is_none() {
            return Err(StoreError::NotText {
                run: layout.run.clone(),
                root: layout.root.clone(),
            });
        }
        self.anchor.root.clone_from(&layout.root);
        if access.is_writing() {
            self.file.write_whole(&mut self.anchor)
        } else {
            Ok(())
        }
    }

    fn tampered_error(&self, what: impl Into<String>) -> StoreError {
        StoreError::Tampered {
            run: self.anchor.run.clone(),
            what: what.into(),
        }
    }

    /// Records an event. `step` is told what comes next.
    pub fn append_event(
        &mut self,
        at: &str,
        event: Event,
        step: fn(&'static str),
    ) -> Result<(), StoreError> {
        let steps = event.to_steps();
        let before = self.anchor.clone();
        let line = before.head.format_record(at, event);
        self.anchor.head = before.head.after_line(&line);
        self.anchor.last = line;
        step(steps.anchor);
        if let Err(error) = self.file.write_last(&mut self.anchor) {
            self.anchor = before;
            return Err(error);
        }
        step(steps.journal);
        self.write_last_line()
    }

    fn write_last_line(&self) -> Result<(), StoreError> {
        let line = format!("{}\n", self.anchor.last);
        self.disk
            .append_bytes(&self.path, line.as_bytes())
            .map_err(StoreError::io_error("append to", &self.path))?;
        self.disk
            .sync_file(&self.path)
            .map_err(StoreError::io_error("sync", &self.path))
    }

    /// Brings the journal to the anchor's head after a crash: a torn line is set aside, a missing last record written.
    pub fn repair_tail(&mut self, step: fn(&'static str)) -> Result<JournalRepair, StoreError> {
        let length = self.file_length()?;
        let whole = self.anchor.head.length;
        let before = self.length_before_last();
        let mut mended = JournalRepair::default();
        if length < before {
            return Err(self.tampered_error(format!(
                "its journal is {} bytes shorter than it was",
                before - length
            )));
        }
        if length == whole {
            self.check_last_line()?;
            return Ok(mended);
        }
        let keep = if length > whole { whole } else { before };
        let tail = self
            .disk
            .read_file_from(&self.path, keep)
            .map_err(StoreError::io_error("read", &self.path))?;
        if tail.contains(&b'\n') {
            return Err(
                self.tampered_error("its journal holds records that this tool did not write")
            );
        }
        if !tail.is_empty() {
            step("repair torn line");
            self.save_torn_line(&tail)?;
            self.disk
                .truncate_file(&self.path, keep)
                .map_err(StoreError::io_error("cut", &self.path))?;
            self.disk
                .sync_file(&self.path)
                .map_err(StoreError::io_error("sync", &self.path))?;
            mended.torn_bytes = tail.len() as u64;
        }
        if keep == before {
            step("repair last record");
            self.write_last_line()?;
            mended.restored = true;
        }
        self.check_last_line()?;
        Ok(mended)
    }

    fn save_torn_line(&self, tail: &[u8]) -> Result<(), StoreError> {
        let path = self.path.with_extension("torn");
        self.disk
            .append_bytes(&path, tail)
            .and_then(|()| self.disk.append_bytes(&path, b"\n"))
            .map_err(StoreError::io_error("append to", &path))
    }

    fn file_length(&self) -> Result<u64, StoreError> {
        self.disk
            .file_length(&self.path)
            .map_err(StoreError::io_error("look at", &self.path))
    }

    fn length_before_last(&self) -> u64 {
        let last = if self.anchor.last.is_empty() {
            0
        } else {
            self.anchor.last.len() as u64 + 1
        };
        self.anchor.head.length - last
    }

    fn check_last_line(&self) -> Result<(), StoreError> {
        let tail = self
            .disk
            .read_file_from(&self.path, self.length_before_last())
            .map_err(StoreError::io_error("read", &self.path))?;
        let line = tail.strip_suffix(b"\n").unwrap_or(&tail);
        if hash_bytes(line) == self.anchor.head.hash {
            Ok(())
        } else {
            Err(self.tampered_error("the last line of its journal was edited"))
        }
    }

    /// Every record, each checked against the chain, and the chain against the anchor. A record that only the anchor
    /// holds yet is part of it.
    pub fn read_records(&self) -> Result<Vec<Record>, StoreError> {
        let bytes = self
            .disk
            .read_file(&self.path)
            .map_err(StoreError::io_error("read", &self.path))?
            .unwrap_or_default();
        let text = String::from_utf8(bytes)
            .map_err(|_| self.tampered_error("its journal is not UTF-8"))?;
        let complete = &text[..text.rfind('\n').map_or(0, |end| end + 1)];
        let mut head = ChainHead::default();
        let mut records = Vec::new();
        let mut take = |head: &mut ChainHead, line: &str| {
            let record = head
                .parse_record(line)
                .map_err(|source| StoreError::Chain {
                    run: self.anchor.run.clone(),
                    source,
                })?;
            *head = head.after_line(line);
            records.push(record);
            Ok::<(), StoreError>(())
        };
        for line in complete.lines() {
            take(&mut head, line)?;
        }
        if head.length == self.length_before_last() && head.next + 1 == self.anchor.head.next {
            take(&mut head, &self.anchor.last.clone())?;
        }
        if head == self.anchor.head {
            Ok(records)
        } else if head.next == self.anchor.head.next {
            Err(self.tampered_error("the last line of its journal was edited"))
        } else {
            Err(self.tampered_error(format!(
                "its journal ends at record {}, its anchor at record {}",
                head.next, self.anchor.head.next
            )))
        }
    }
}

impl Journal<'_> {
    /// The records at the end of the journal, oldest first, checked backwards from the anchor: for texts that quote the
    /// last few, whatever the length of the journal.
    pub fn read_last_records(&self) -> Result<Vec<Record>, StoreError> {
        let from = self.anchor.head.length.saturating_sub(TAIL);
        let bytes = self
            .disk
            .read_file_from(&self.path, from)
            .map_err(StoreError::io_error("read", &self.path))?;
        let text = String::from_utf8_lossy(&bytes);
        let mut lines: Vec<&str> = text.lines().skip(usize::from(from > 0)).collect();
        if self.file_length()? < self.anchor.head.length {
            // A crash came between the anchor and the journal.
            lines.push(&self.anchor.last);
        }
        let mut wanted = self.anchor.head.hash.clone();
        let mut records = Vec::new();
        for line in lines.into_iter().rev() {
            let record: Record = match serde_json::from_str(line) {
                Ok(record) if hash_bytes(line.as_bytes()) == wanted => record,
                _ => return Err(self.tampered_error("the end of its journal was edited")),
            };
            wanted.clone_from(&record.prev);
            records.push(record);
        }
        records.reverse();
        Ok(records)
    }
}
