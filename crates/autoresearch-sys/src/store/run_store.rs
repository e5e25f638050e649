//! Owns an opened run: its journal with its anchor, its state, its lock, and the views made from it.
//! Does not decide what is recorded, and never touches git.
//! Invariant: nothing of a run is believed or executed unless the anchor outside the repository agrees with it.

use std::borrow::Cow;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use autoresearch_core::journal::chain::{ChainHead, hash_bytes};
use autoresearch_core::journal::event::{Event, Record};
use autoresearch_core::journal::ledger::Ledger;
use autoresearch_core::journal::state::{FoldError, RunState};
use autoresearch_core::journal::story::{Story, make_row};

use super::access::Access;
use super::anchor::{ANCHOR_FORMAT, Anchor};
use super::checkpoint::Checkpoint;
use super::disk::{self, Disk, FileSignature, RealDisk};
use super::error::StoreError;
use super::journal::{Journal, JournalRepair};
use super::layout::{Layout, anchor_folder};
use super::lock::{HeldLock, take_lock};
use super::phase::{PhaseNote, TrialPhase, remove_phase_note};
use super::pinned::Pinned;
use super::pinned::holdout::HoldoutNote;
use super::trust::{check_anchor_folder, check_folder_trust};
use super::views;
use crate::env::{ProcessRole, World};
use crate::polling::{PollLimit, poll_until};

/// How often a reader looks at a journal that does not agree with its anchor. A number of looks and no time: on a busy
/// machine one look takes longer than all of them should.
const LOOKS: u32 = 40;
/// How long a driver waits for a command that holds its run.
const DRIVER_WAITS: Duration = Duration::from_secs(30);

/// How many of the last records are enough for every text that quotes them.
const LAST: usize = 200;

/// A longer frozen config is not one that was accepted.
const MAX_CONFIG: u64 = 1 << 20;

pub struct RunStore<'w> {
    pub(super) world: &'w World,
    /// Where its files are.
    pub layout: Layout,
    /// Its folder outside the repository.
    pub anchor_folder: PathBuf,
    /// What was pinned at start.
    pub pinned: Arc<Pinned>,
    /// The check that nothing in the repository names, where there is one.
    pub holdout: Option<HoldoutNote>,
    /// What the journal adds up to.
    pub state: RunState,
    journal: Journal<'static>,
    table: Option<FileSignature>,
    /// The records, where opening the run read them all: for a reader, as they were then.
    seen: Option<Vec<Record>>,
    /// What had to be repaired when it was opened.
    pub repaired: JournalRepair,
    lock: Option<HeldLock>,
    /// When it was opened, in milliseconds since 1970.
    opened_ms: u64,
}

impl<'w> RunStore<'w> {
    /// Creates a run's files and records its start. The folder of the run exists already. Where that fails, half a run is
    /// taken away again: its journal first, so that no journal is ever without its anchor.
    pub fn create_run(
        world: &'w World,
        layout: Layout,
        event: Event,
        pinned: Pinned,
        config: &str,
    ) -> Result<Self, StoreError> {
        let Event::Start(start) = &event else {
            let source = FoldError {
                event: event.as_str(),
            };
            return Err(fold_error(&layout, 0, source));
        };
        let (journal, anchor_folder) = (
            layout.journal_path(),
            anchor_folder(&world.state_folder, &start.id),
        );
        let created = Self::create_files(world, layout, event, pinned, config);
        if created.is_err() && disk::remove_file_if_there(&journal).is_ok() {
            let _ = std::fs::remove_dir_all(&anchor_folder);
        }
        created
    }

    fn create_files(
        world: &'w World,
        layout: Layout,
        event: Event,
        pinned: Pinned,
        config: &str,
    ) -> Result<Self, StoreError> {
        let Event::Start(start) = &event else {
            let source = FoldError {
                event: event.as_str(),
            };
            return Err(fold_error(&layout, 0, source));
        };
        let anchor_folder = anchor_folder(&world.state_folder, &start.id);
        check_folder_trust(&world.state_folder)?;
        disk::make_private_folder(&anchor_folder)?;
        let lock = take_lock(&anchor_folder, world, "start")?;
        RealDisk
            .replace_file(&layout.config_path(), config.as_bytes())
            .map_err(StoreError::io_error("write", &layout.config_path()))?;
        pinned.write_to(&anchor_folder)?;
        let anchor = Anchor {
            format: ANCHOR_FORMAT,
            id: start.id.clone(),
            run: layout.run.clone(),
            root: layout.root.clone(),
            config_hash: hash_bytes(config.as_bytes()),
            holdout_hash: HoldoutNote::find_hash(&anchor_folder)?,
            head: ChainHead::default(),
            last: String::new(),
        };
        let state =
            RunState::from_start(event.clone()).map_err(|source| fold_error(&layout, 0, source))?;
        let mut journal = Journal::new(
            &RealDisk,
            layout.journal_path(),
            anchor_folder.join("anchor.json"),
            anchor,
        );
        journal.append_event(&world.now_text(), event, world.step)?;
        let hash = journal.anchor.holdout_hash.as_deref();
        let holdout = HoldoutNote::read_from(&anchor_folder, &layout.run, hash)?;
        Ok(Self {
            world,
            holdout,
            layout,
            anchor_folder,
            pinned: Arc::new(pinned),
            state,
            journal,
            table: None,
            seen: None,
            repaired: JournalRepair::default(),
            lock: Some(lock),
            opened_ms: world.now_ms(),
        })
    }

    /// Opens a run, after checking that it is what this tool left.
    pub fn open_run(
        world: &'w World,
        layout: Layout,
        access: Access,
        command: &str,
    ) -> Result<Self, StoreError> {
        layout.check_links()?;
        let id = find_run_id(world, &layout)?;
        check_folder_trust(&world.state_folder)?;
        let anchor_folder = anchor_folder(&world.state_folder, &id);
        check_anchor_folder(&anchor_folder)?;
        let anchor_path = anchor_folder.join("anchor.json");
        if !anchor_path.is_file() {
            return Err(StoreError::NoAnchor { run: layout.run });
        }
        let lock = if access.is_writing() {
            Some(take_lock_in_turn(&anchor_folder, world, command)?)
        } else {
            None
        };
        let is_reader = !access.is_writing();
        let pause = Duration::from_millis(5);
        let loaded = poll_until(PollLimit::Looks(LOOKS), pause, || {
            match Self::load_run(world, &layout, &anchor_folder, access) {
                // A reader may fall between the anchor and the journal of a process that is writing.
                Err(error @ (StoreError::Tampered { .. } | StoreError::Chain { .. }))
                    if is_reader =>
                {
                    ControlFlow::Continue(Err(error))
                }
                loaded => ControlFlow::Break(loaded),
            }
        })?;
        let pinned = Pinned::read_from(&anchor_folder, &layout.run)?;
        let hash = loaded.journal.anchor.holdout_hash.as_deref();
        let holdout = HoldoutNote::read_from(&anchor_folder, &layout.run, hash)?;
        Ok(Self {
            world,
            holdout,
            layout,
            anchor_folder,
            pinned: Arc::new(pinned),
            state: loaded.state,
            journal: loaded.journal,
            table: loaded.table,
            seen: loaded.seen,
            repaired: loaded.repaired,
            lock,
            opened_ms: world.now_ms(),
        })
    }

    fn load_run(
        world: &World,
        layout: &Layout,
        anchor_folder: &Path,
        access: Access,
    ) -> Result<LoadedRun, StoreError> {
        let mut journal = Journal::open_anchored(
            &RealDisk,
            layout.journal_path(),
            anchor_folder.join("anchor.json"),
            layout,
        )?;
        journal.check_place(layout, access)?;
        check_frozen_config(layout, &journal.anchor)?;
        let mended = if access.is_writing() {
            journal.repair_tail(world.step)?
        } else {
            JournalRepair::default()
        };
        if matches!(access, Access::Write | Access::Glance)
            && let Some(found) = Self::read_checkpoint(anchor_folder, &journal)
        {
            return Ok(LoadedRun {
                journal,
                state: found.state,
                table: found.table,
                seen: None,
                repaired: mended,
            });
        }
        let records = journal.read_records()?;
        let state = fold_records(layout, &records)?;
        let seen = Some(records);
        Ok(LoadedRun {
            journal,
            state,
            table: None,
            seen,
            repaired: mended,
        })
    }

    /// The checkpoint, if the journal is untouched since it was written.
    fn read_checkpoint(anchor_folder: &Path, journal: &Journal<'_>) -> Option<Checkpoint> {
        let found = Checkpoint::read_from(anchor_folder)?;
        let untouched = FileSignature::read_of(&journal.path)
            .is_some_and(|signature| signature == found.journal);
        // An older version wrote no evidence: the journal has it.
        let is_whole = found.state.evidence.is_calibrated();
        (is_whole && untouched && found.head == journal.anchor.head).then_some(found)
    }

    /// Records an event: first in the anchor, then in the journal, both synced, then in the state.
    pub fn record_event(&mut self, event: Event) -> Result<(), StoreError> {
        let at = self.world.now_text();
        let ChainHead {
            next: seq,
            hash: prev,
            ..
        } = self.journal.anchor.head.clone();
        let mut state = self.state.clone();
        state
            .apply_event(event.clone())
            .map_err(|source| fold_error(&self.layout, seq, source))?;
        let row = make_row(&event, &self.state.config().metric.name);
        self.journal
            .append_event(&at, event.clone(), self.world.step)?;
        if let Some(seen) = &mut self.seen {
            seen.push(Record {
                seq,
                prev,
                at,
                event,
            });
        }
        self.state = state;
        if let (Some(row), Some(known)) = (row, self.table) {
            let appended = views::append_row(&self.layout, known, &row).is_ok();
            self.table = if appended {
                FileSignature::read_of(&self.layout.table_path())
            } else {
                None
            };
        }
        Ok(())
    }

    /// Brings the table and the snapshot up to date, and the checkpoint.
    pub fn write_views(&mut self) -> Result<(), StoreError> {
        (self.world.step)("view table");
        if self.table.is_none() || FileSignature::read_of(&self.layout.table_path()) != self.table {
            let records = self.read_records()?;
            let start = &self.state.start;
            views::write_table(&self.layout, start, &Story::of(start, &records))?;
            self.table = FileSignature::read_of(&self.layout.table_path());
        }
        (self.world.step)("view snapshot");
        views::write_snapshot(&self.layout, &self.state, &self.journal.anchor.head)?;
        if let Some(journal) = FileSignature::read_of(&self.layout.journal_path()) {
            let checkpoint = Checkpoint {
                journal,
                head: self.journal.anchor.head.clone(),
                state: self.state.clone(),
                table: self.table,
            };
            checkpoint.write_to(&self.anchor_folder)?;
        }
        Ok(())
    }

    /// Rebuilds the table from the journal when the views are written next, whatever it holds now.
    pub fn distrust_table(&mut self) {
        self.table = None;
    }

    /// Every record of the journal, each checked.
    pub fn read_records(&self) -> Result<Cow<'_, [Record]>, StoreError> {
        match &self.seen {
            Some(seen) => Ok(Cow::Borrowed(seen)),
            None => self.journal.read_records().map(Cow::Owned),
        }
    }

    /// Is the run held by this process, to act on it?
    #[must_use]
    pub fn holds_lock(&self) -> bool {
        self.lock.is_some()
    }

    /// The last records, oldest first: as many as the end of the journal holds, and each checked against the one after it.
    pub fn read_last_records(&self) -> Result<Vec<Record>, StoreError> {
        match &self.seen {
            Some(seen) => Ok(seen[seen.len().saturating_sub(LAST)..].to_vec()),
            None => self.journal.read_last_records(),
        }
    }

    /// The last link of the chain.
    #[must_use]
    pub fn journal_head(&self) -> &ChainHead {
        &self.journal.anchor.head
    }

    /// Notes what the trial is at, for whoever looks meanwhile.
    pub fn write_phase_note(&self, trial: u32, phase: TrialPhase) {
        if self.holds_lock() {
            PhaseNote::of_now(trial, phase, self.world.now_ms(), self.opened_ms)
                .write_to(&self.anchor_folder);
        }
    }

    /// Where the anchor file says that the run is: not yet here, where a moved repository was only looked at.
    #[must_use]
    pub fn read_anchored_root(&self) -> PathBuf {
        let anchor = Anchor::find_in(&RealDisk, &self.anchor_folder);
        anchor.map_or_else(PathBuf::new, |anchor| anchor.root)
    }
}

/// What opening a run found.
struct LoadedRun {
    journal: Journal<'static>,
    state: RunState,
    table: Option<FileSignature>,
    seen: Option<Vec<Record>>,
    repaired: JournalRepair,
}

/// The id of a run. A crash may have torn the first line of its journal, or kept it from being written: then the anchor
/// holds that line.
pub(crate) fn find_run_id(world: &World, layout: &Layout) -> Result<String, StoreError> {
    let unreadable = match layout.read_run_id() {
        Err(error @ StoreError::Tampered { .. }) => error,
        found => return found,
    };
    let path = layout.journal_path();
    let begun = RealDisk
        .read_file(&path)
        .map_err(StoreError::io_error("read", &path))?;
    let begun = begun.unwrap_or_default();
    let anchors = layout
        .list_anchor_folders(&world.state_folder)
        .into_iter()
        .filter_map(|anchor_folder| Anchor::find_in(&RealDisk, &anchor_folder));
    let mut found = anchors.filter(|anchor| {
        let is_here = anchor.root == layout.root && anchor.run == layout.run;
        is_here && anchor.head.next == 1 && anchor.last.as_bytes().starts_with(&begun)
    });
    found.next().map_or(Err(unreadable), |anchor| Ok(anchor.id))
}

/// Takes a run's lock. A driver waits for it: a command that is refused because of the driver holds it for a moment too.
fn take_lock_in_turn(
    anchor_folder: &Path,
    world: &World,
    command: &str,
) -> Result<HeldLock, StoreError> {
    let limit = match world.role {
        ProcessRole::Driver => PollLimit::Time(DRIVER_WAITS),
        ProcessRole::Command | ProcessRole::Hook => PollLimit::Looks(1),
    };
    let held = poll_until(limit, Duration::from_millis(5), || {
        match take_lock(anchor_folder, world, command) {
            Err(StoreError::Busy(holder)) => ControlFlow::Continue(Err(StoreError::Busy(holder))),
            held => ControlFlow::Break(held),
        }
    });
    if held.is_ok() {
        remove_phase_note(anchor_folder);
    }
    held
}

fn check_frozen_config(layout: &Layout, anchor: &Anchor) -> Result<(), StoreError> {
    let path = layout.config_path();
    let length = RealDisk
        .file_length(&path)
        .map_err(StoreError::io_error("look at", &path))?;
    let bytes = if length > MAX_CONFIG {
        Some(Vec::new())
    } else {
        RealDisk
            .read_file(&path)
            .map_err(StoreError::io_error("read", &path))?
    };
    match bytes {
        Some(bytes) if hash_bytes(&bytes) == anchor.config_hash => Ok(()),
        Some(_) => Err(StoreError::Tampered {
            run: layout.run.clone(),
            what: "its frozen config.yaml was edited".to_owned(),
        }),
        None => Err(StoreError::Tampered {
            run: layout.run.clone(),
            what: "its frozen config.yaml is gone".to_owned(),
        }),
    }
}

fn fold_records(layout: &Layout, records: &[Record]) -> Result<RunState, StoreError> {
    let (first, rest) = records
        .split_first()
        .ok_or_else(|| fold_error(layout, 0, FoldError { event: "nothing" }))?;
    let mut state = RunState::from_start(first.event.clone())
        .map_err(|source| fold_error(layout, 0, source))?;
    state
        .take_records(rest)
        .map_err(|(seq, source)| fold_error(layout, seq, source))?;
    Ok(state)
}

fn fold_error(layout: &Layout, seq: u64, source: FoldError) -> StoreError {
    StoreError::Fold {
        run: layout.run.clone(),
        seq,
        source,
    }
}

#[cfg(test)]
mod tests;
