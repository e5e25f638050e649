//! A disk that lies: it loses what was not synced, tears lines, and gets full.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use autoresearch_core::journal::chain::ChainHead;
use autoresearch_core::journal::event::{End, Ending, Event};
use autoresearch_sys::store::{ANCHOR_FORMAT, Anchor, Disk, Journal, Layout};

/// A file: what would survive, and what a reader sees now.
#[derive(Clone, Default)]
struct File {
    durable: Vec<u8>,
    seen: Vec<u8>,
}

/// A disk in memory.
#[derive(Default)]
struct LyingDisk {
    files: Mutex<BTreeMap<PathBuf, File>>,
    /// Bytes that still fit.
    room: Mutex<Option<usize>>,
}

impl LyingDisk {
    /// The power goes: of each file, `keep` per mille of the bytes that were not synced survive.
    fn lose_power(&self, keep: usize) {
        for file in self.files.lock().unwrap().values_mut() {
            let common = file
                .durable
                .iter()
                .zip(&file.seen)
                .take_while(|(a, b)| a == b)
                .count();
            if common == file.durable.len() {
                let more = (file.seen.len() - common) * keep / 1000;
                file.durable = file.seen[..common + more].to_vec();
            }
            file.seen.clone_from(&file.durable);
        }
    }

    fn take(&self, wanted: usize) -> usize {
        let mut room = self.room.lock().unwrap();
        match room.as_mut() {
            None => wanted,
            Some(left) => {
                let given = wanted.min(*left);
                *left -= given;
                given
            }
        }
    }

    fn text(&self, path: &Path) -> String {
        String::from_utf8(self.read_file(path).unwrap().unwrap_or_default()).unwrap()
    }
}

impl Disk for LyingDisk {
    fn read_file(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        Ok(self
            .files
            .lock()
            .unwrap()
            .get(path)
            .map(|file| file.seen.clone()))
    }
    fn file_length(&self, path: &Path) -> io::Result<u64> {
        Ok(self.read_file(path)?.map_or(0, |bytes| bytes.len() as u64))
    }
    fn read_file_from(&self, path: &Path, offset: u64) -> io::Result<Vec<u8>> {
        let bytes = self.read_file(path)?.unwrap_or_default();
        Ok(bytes
            .get(usize::try_from(offset).unwrap()..)
            .unwrap_or_default()
            .to_vec())
    }
    fn append_bytes(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let given = self.take(bytes.len());
        self.files
            .lock()
            .unwrap()
            .entry(path.to_owned())
            .or_default()
            .seen
            .extend_from_slice(&bytes[..given]);
        if given == bytes.len() {
            Ok(())
        } else {
            Err(io::ErrorKind::StorageFull.into())
        }
    }
    fn truncate_file(&self, path: &Path, length: u64) -> io::Result<()> {
        self.files
            .lock()
            .unwrap()
            .entry(path.to_owned())
            .or_default()
            .seen
            .truncate(usize::try_from(length).unwrap());
        Ok(())
    }
    fn sync_file(&self, path: &Path) -> io::Result<()> {
        let mut files = self.files.lock().unwrap();
        let file = files.entry(path.to_owned()).or_default();
        file.durable.clone_from(&file.seen);
        Ok(())
    }
    fn replace_file(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        if self.take(bytes.len()) < bytes.len() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let file = File {
            durable: bytes.to_vec(),
            seen: bytes.to_vec(),
        };
        self.files.lock().unwrap().insert(path.to_owned(), file);
        Ok(())
    }
}

fn layout() -> Layout {
    Layout::new(Path::new("/repo"), "demo")
}

fn begun(disk: &'static LyingDisk) -> Journal<'static> {
    let anchor = Anchor {
        format: ANCHOR_FORMAT,
        id: "0".repeat(32),
        run: "demo".to_owned(),
        root: "/repo".into(),
        config_hash: String::new(),
        holdout_hash: None,
        head: ChainHead::default(),
        last: String::new(),
    };
    let mut journal = Journal::new(
        disk,
        layout().journal_path(),
        "/state/anchor.json".into(),
        anchor,
    );
    for _ in 0..3 {
        journal
            .append_event("2026-01-01T00:00:00Z", Event::Ready, |_| {})
            .unwrap();
    }
    journal
}

fn opened(disk: &'static LyingDisk) -> Journal<'static> {
    Journal::open_anchored(
        disk,
        layout().journal_path(),
        "/state/anchor.json".into(),
        &layout(),
    )
    .unwrap()
}

fn event(number: usize) -> Event {
    Event::End(Ending {
        end: End::UserStop,
        why: "x".repeat(number),
    })
}

#[test]
fn a_record_that_was_reported_survives_any_loss_of_power() {
    for keep in [0, 300, 999, 1000] {
        let disk: &'static LyingDisk = Box::leak(Box::default());
        let mut journal = begun(disk);
        journal
            .append_event("2026-01-01T00:00:00Z", event(40), |_| {})
            .unwrap();
        disk.lose_power(keep);
        let mut after = opened(disk);
        after.repair_tail(|_| {}).unwrap();
        assert_eq!(after.read_records().unwrap().len(), 4);
    }
}

#[test]
fn a_line_that_is_torn_anywhere_is_set_aside_and_written_again() {
    let whole = {
        let disk: &'static LyingDisk = Box::leak(Box::default());
        begun(disk)
            .append_event("2026-01-01T00:00:00Z", event(40), |_| {})
            .unwrap();
        disk.text(&layout().journal_path())
    };
    let before = whole[..whole.len() - 1].rfind('\n').unwrap() + 1;
    for cut in before..=whole.len() {
        let disk: &'static LyingDisk = Box::leak(Box::default());
        begun(disk)
            .append_event("2026-01-01T00:00:00Z", event(40), |_| {})
            .unwrap();
        disk.truncate_file(&layout().journal_path(), cut as u64)
            .unwrap();
        let mended = opened(disk).repair_tail(|_| {}).unwrap();
        assert_eq!(
            mended.torn_bytes,
            if cut == whole.len() {
                0
            } else {
                (cut - before) as u64
            }
        );
        assert_eq!(disk.text(&layout().journal_path()), whole);
        let again = opened(disk).repair_tail(|_| {}).unwrap();
        assert!(!again.restored && again.torn_bytes == 0);
    }
}

#[test]
fn a_full_disk_is_an_error_that_loses_nothing_wherever_it_strikes() {
    let needed = 2_000;
    for room in (0..needed).step_by(7) {
        let disk: &'static LyingDisk = Box::leak(Box::default());
        let mut journal = begun(disk);
        *disk.room.lock().unwrap() = Some(room);
        let done = journal
            .append_event("2026-01-01T00:00:00Z", event(40), |_| {})
            .is_ok();
        *disk.room.lock().unwrap() = None;
        let mut after = opened(disk);
        after.repair_tail(|_| {}).unwrap();
        let records = after.read_records().unwrap().len();
        assert!(
            records == 3 && !done || records == 4,
            "room {room}: {records}"
        );
        after
            .append_event("2026-01-01T00:00:00Z", event(1), |_| {})
            .unwrap();
        assert_eq!(opened(disk).read_records().unwrap().len(), records + 1);
    }
}
