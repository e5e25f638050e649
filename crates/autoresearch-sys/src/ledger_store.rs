//! Owns an opened ledger that answers a question: its journal with its anchor, its lock, its evidence.
//! Does not know what its records mean, and never touches git.
//! Invariant: nothing of it is believed unless the anchor outside the repository agrees with it.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Duration;

use autoresearch_core::journal::chain::ChainHead;
use autoresearch_core::journal::event::{Event, Record};
use autoresearch_core::journal::state::FoldError;
use autoresearch_core::ledger::opening::Opening;
use autoresearch_core::ledger::orders::RegisteredOrders;

use crate::env::World;
use crate::polling::{PollLimit, poll_until};
use crate::regular_files::read_file;
use crate::store::{
    ANCHOR_FORMAT, Access, Anchor, Disk, FOLDER, HeldLock, Journal, Layout, RealDisk, StoreError,
    check_folder_trust, encode_json, find_run_id, take_lock,
};

/// How often a reader looks at a journal that somebody is writing.
const LOOKS: u32 = 40;

/// An opened ledger.
pub struct LedgerStore<'w> {
    world: &'w World,
    /// Where its files are.
    pub layout: Layout,
    /// Its folder outside the repository.
    pub anchor_folder: PathBuf,
    journal: Journal<'static>,
    /// All records, each checked.
    records: Vec<Record>,
    _lock: Option<HeldLock>,
}

impl<'w> LedgerStore<'w> {
    /// Creates a ledger and records its opening. Its folder is made, and taken away again where that fails.
    pub fn create_ledger(
        world: &'w World,
        root: &Path,
        opening: Opening,
    ) -> Result<Self, StoreError> {
        check_folder_trust(&world.state_folder)?;
        let layout = Layout::of_ledger(root, &opening.name);
        let made = layout.create_folders()?;
        let anchor_folder = layout.anchor_folder(&world.state_folder, &opening.id);
        let created = Self::create_files(world, layout.clone(), anchor_folder.clone(), opening);
        if created.is_err() {
            layout.remove_folders(made);
            let _ = std::fs::remove_dir_all(&anchor_folder);
        }
        created
    }

    fn create_files(
        world: &'w World,
        layout: Layout,
        anchor_folder: PathBuf,
        opening: Opening,
    ) -> Result<Self, StoreError> {
        let lock = take_lock(&anchor_folder, world, "opening")?;
        let anchor = Anchor {
            format: ANCHOR_FORMAT,
            id: opening.id.clone(),
            run: layout.run.clone(),
            root: layout.root.clone(),
            config_hash: String::new(),
            holdout_hash: None,
            head: ChainHead::default(),
            last: String::new(),
        };
        let (path, anchor_path) = (layout.journal_path(), anchor_folder.join("anchor.json"));
        let journal = Journal::new(&RealDisk, path, anchor_path, anchor);
        let mut store = Self {
            world,
            layout,
            anchor_folder,
            journal,
            records: Vec::new(),
            _lock: Some(lock),
        };
        store.record_event(Event::Opening(Box::new(opening)))?;
        Ok(store)
    }

    /// Opens a ledger, after checking that it is what this tool left. To write it is locked, and repaired where a crash left
    /// something.
    pub fn open_ledger(
        world: &'w World,
        layout: Layout,
        access: Access,
        command: &str,
    ) -> Result<Self, StoreError> {
        layout.check_links()?;
        check_folder_trust(&world.state_folder)?;
        let id = find_run_id(world, &layout)?;
        let anchor_folder = layout.anchor_folder(&world.state_folder, &id);
        let anchor_path = anchor_folder.join("anchor.json");
        if !anchor_path.is_file() {
            return Err(StoreError::NoAnchor { run: layout.run });
        }
        let is_writing = matches!(access, Access::Write | Access::WriteChecked);
        let lock = if is_writing {
            Some(take_lock(&anchor_folder, world, command)?)
        } else {
            None
        };
        let (journal, records) = poll_until(
            PollLimit::Looks(LOOKS),
            Duration::from_millis(5),
            || match read_journal(world, &layout, &anchor_path, access) {
                // A reader may fall between the anchor and the journal of a process that is writing.
                Err(error @ (StoreError::Tampered { .. } | StoreError::Chain { .. }))
                    if !is_writing =>
                {
                    ControlFlow::Continue(Err(error))
                }
                read => ControlFlow::Break(read),
            },
        )?;
        Ok(Self {
            world,
            layout,
            anchor_folder,
            journal,
            records,
            _lock: lock,
        })
    }

    /// Records an event: first in the anchor, then in the journal, both synced.
    pub fn record_event(&mut self, event: Event) -> Result<(), StoreError> {
        let at = self.world.now_text();
        let head = self.journal.anchor.head.clone();
        self.journal
            .append_event(&at, event.clone(), self.world.step)?;
        self.records.push(Record {
            seq: head.next,
            prev: head.hash,
            at,
            event,
        });
        Ok(())
    }

    /// What its records add up to.
    pub fn fold_records<T>(
        &self,
        fold: impl FnOnce(&[Record]) -> Result<T, (u64, FoldError)>,
    ) -> Result<T, StoreError> {
        fold(&self.records).map_err(|(seq, source)| StoreError::Fold {
            run: self.layout.run.clone(),
            seq,
            source,
        })
    }

    /// The number of the next record.
    #[must_use]
    pub fn next_record(&self) -> u64 {
        self.journal.anchor.head.next
    }

    /// Writes a file that is made of the records, beside the journal.
    pub fn write_view(&self, name: &str, text: &str) -> Result<(), StoreError> {
        let path = self.layout.run_folder().join(name);
        (self.world.step)("view page");
        RealDisk
            .replace_file(&path, text.as_bytes())
            .map_err(StoreError::io_error("write", &path))
    }
}

/// The file with what a session registered, in the folder of all runs.
const ORDERS: &str = "orders.json";
/// A larger file is not one of ours.
const MOST_ORDERS: u64 = 256 * 1024;

/// What is registered for the end of a turn, if anything is.
#[must_use]
pub fn read_orders(root: &Path) -> Option<RegisteredOrders> {
    read_orders_in(&root.join(FOLDER).join(ORDERS))
}

/// Registers something in place of what was registered.
pub fn write_orders(root: &Path, orders: &RegisteredOrders) -> Result<(), StoreError> {
    let folder = Layout::make_shared_folder(root)?;
    let path = folder.join(ORDERS);
    let bytes = encode_json(&path, orders)?;
    RealDisk
        .replace_file(&path, &bytes)
        .map_err(StoreError::io_error("write", &path))
}

/// Takes away what this session registered, for the one caller that gets it.
#[must_use]
pub fn take_orders(root: &Path, session: &str) -> Option<RegisteredOrders> {
    let is_own = |orders: &RegisteredOrders| orders.session == session;
    read_orders(root).filter(is_own)?;
    let folder = root.join(FOLDER);
    let taken = folder.join(format!("{ORDERS}.taken"));
    std::fs::rename(folder.join(ORDERS), &taken).ok()?;
    let orders = read_orders_in(&taken);
    let _ = std::fs::remove_file(&taken);
    orders.filter(is_own)
}

fn read_orders_in(path: &Path) -> Option<RegisteredOrders> {
    let bytes = read_file(path, MOST_ORDERS).ok()?;
    serde_json::from_slice(&bytes).ok()
}

fn read_journal(
    world: &World,
    layout: &Layout,
    anchor_path: &Path,
    access: Access,
) -> Result<(Journal<'static>, Vec<Record>), StoreError> {
    let (path, anchor_path) = (layout.journal_path(), anchor_path.to_owned());
    let mut journal = Journal::open_anchored(&RealDisk, path, anchor_path, layout)?;
    journal.check_place(layout, access)?;
    if matches!(access, Access::Write | Access::WriteChecked) {
        journal.repair_tail(world.step)?;
    }
    let records = journal.read_records()?;
    Ok((journal, records))
}

#[cfg(test)]
mod tests {
    use autoresearch_core::git_names::CommitId;
    use autoresearch_core::ledger::hypothesis::{Closing, Hypothesis};
    use autoresearch_core::ledger::opening::{LedgerKind, LedgerLimits};

    use super::*;
    use crate::store::scratch_world;

    const ID: &str = "0123456789abcdef0123456789abcdef";

    struct Scratch {
        _folder: tempfile::TempDir,
        world: World,
        layout: Layout,
    }

    fn make_opening() -> Opening {
        Opening {
            format: 1,
            name: "debug-1".to_owned(),
            id: ID.to_owned(),
            version: "0.1.0".to_owned(),
            kind: LedgerKind::Debug,
            subject: "it hangs".to_owned(),
            commit: CommitId::parse(&"ab".repeat(20)).unwrap(),
            limits: LedgerLimits::default(),
        }
    }

    fn add(number: u32) -> Event {
        Event::Hypothesis(Hypothesis {
            number,
            message: "a lock".to_owned(),
            predicts: "it is seen".to_owned(),
        })
    }

    impl Scratch {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let base = folder.path().canonicalize().unwrap();
            let world = scratch_world(&base);
            let root = base.join("repo");
            std::fs::create_dir(&root).unwrap();
            let mut store = LedgerStore::create_ledger(&world, &root, make_opening()).unwrap();
            store.record_event(add(1)).unwrap();
            let layout = store.layout.clone();
            drop(store);
            Self {
                _folder: folder,
                world,
                layout,
            }
        }

        fn open(&self, access: Access) -> Result<LedgerStore<'_>, StoreError> {
            LedgerStore::open_ledger(&self.world, self.layout.clone(), access, "test")
        }

        fn words(&self, access: Access) -> Vec<&'static str> {
            let store = self.open(access).unwrap();
            store
                .records
                .iter()
                .map(|record| record.event.as_str())
                .collect()
        }
    }

    #[test]
    fn a_ledger_is_read_as_it_was_written_and_is_no_run() {
        let scratch = Scratch::new();
        for access in [Access::Read, Access::Write] {
            assert_eq!(scratch.words(access), ["opening", "hypothesis"]);
        }
        let root = &scratch.layout.root;
        assert_eq!(Layout::list_runs(root), Vec::<String>::new());
        assert_eq!(Layout::list_ledgers(root), ["debug-1"]);
    }

    #[test]
    fn a_line_that_a_crash_tore_is_written_again() {
        let scratch = Scratch::new();
        let path = scratch.layout.journal_path();
        let whole = std::fs::read(&path).unwrap();
        let first = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        for length in [0, 5, first, first + 7, whole.len() - 1] {
            std::fs::write(&path, &whole[..length]).unwrap();
            let opened = scratch.open(Access::Write);
            if length < first {
                // Only the last record can be missing.
                assert!(opened.is_err(), "{length}");
            } else {
                assert_eq!(opened.unwrap().records.len(), 2, "{length}");
                assert_eq!(std::fs::read(&path).unwrap(), whole);
            }
        }
    }

    #[test]
    fn what_somebody_else_wrote_is_not_believed() {
        let scratch = Scratch::new();
        let path = scratch.layout.journal_path();
        let text = std::fs::read_to_string(&path).unwrap();
        for edited in [
            text.replace("a lock", "a leak"),
            text.replace("it hangs", "it crashes"),
        ] {
            std::fs::write(&path, edited).unwrap();
            let error = scratch.open(Access::Read).err().unwrap();
            assert!(
                matches!(
                    error,
                    StoreError::Tampered { .. } | StoreError::Chain { .. }
                ),
                "{error}"
            );
        }
        std::fs::write(&path, text).unwrap();
        let other = Layout::of_ledger(&scratch.layout.root, "debug-2");
        std::fs::create_dir(other.run_folder()).unwrap();
        std::fs::copy(&path, other.journal_path()).unwrap();
        let copied = LedgerStore::open_ledger(&scratch.world, other, Access::Read, "test");
        assert!(copied.is_err());
    }

    #[test]
    fn one_process_writes_at_a_time_and_a_reader_sees_what_is_there() {
        let scratch = Scratch::new();
        let mut writer = scratch.open(Access::Write).unwrap();
        assert!(matches!(
            scratch.open(Access::Write).err().unwrap(),
            StoreError::Busy(_)
        ));
        assert_eq!(scratch.words(Access::Read), ["opening", "hypothesis"]);
        let closing = Event::Closing(Closing {
            message: "enough".to_owned(),
        });
        writer.record_event(closing).unwrap();
        assert_eq!(writer.next_record(), 3);
        assert_eq!(
            scratch.words(Access::Read),
            ["opening", "hypothesis", "closing"]
        );
    }

    #[test]
    fn a_ledger_that_cannot_be_made_leaves_nothing() {
        let scratch = Scratch::new();
        let root = scratch.layout.root.join("other");
        std::fs::create_dir(&root).unwrap();
        let anchor = scratch
            .layout
            .anchor_folder(&scratch.world.state_folder, &"f".repeat(32));
        std::fs::write(&anchor, "in the way").unwrap();
        let opening = Opening {
            id: "f".repeat(32),
            ..make_opening()
        };
        assert!(LedgerStore::create_ledger(&scratch.world, &root, opening).is_err());
        assert_eq!(std::fs::read_dir(&root).unwrap().count(), 0);
    }
}
