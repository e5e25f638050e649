//! Owns the files of a run: where they are, the journal with its anchor, the lock, the views made from it.
//! Does not decide what is recorded, and never touches git.
//! Invariant: nothing of a run is believed or executed unless the anchor outside the repository agrees with it.

mod anchors;
mod disk;
mod journal;
mod layout;
mod lock;
mod made;
mod outputs;
mod phase;
mod pinned;
pub mod removal;
mod session;
mod trust;
mod unseen;
mod views;

use std::borrow::Cow;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use autoresearch_core::journal::chain::{ChainError, ChainHead, hash_bytes};
use autoresearch_core::journal::event::{Event, Record};
use autoresearch_core::journal::state::{FoldError, RunState};
use serde::{Deserialize, Serialize};

pub use self::disk::{
    Disk, FileSignature, RealDisk, append_line, encode_json, encode_pretty_json, read_output,
    write_output,
};
pub use self::journal::{Anchor, Journal, JournalRepair};
pub use self::layout::{CreatedFolders, FOLDER, Layout, anchor_folder, list_anchor_folders};
pub use self::lock::{Holder, find_holder, take_lock};
pub use self::made::MadeNote;
pub use self::outputs::cut_middle;
pub use self::phase::{PhaseNote, TrialPhase, find_acting_holder};
pub use self::pinned::{
    DirtyFiles, FileNotes, Pin, Pinned, PinnedRules, SealedSecret, path_from_key, path_to_key,
};
pub use self::unseen::{KnownFile, UnseenFiles};
use crate::env::{ProcessRole, Stopwatch, World, sleep_for};
pub use crate::store::anchors::{list_anchors, read_remembered_state};
pub use crate::store::trust::check_folder_trust;

/// How often a reader looks at a journal that does not agree with its anchor. A number of looks and no time: on a busy
/// machine one look takes longer than all of them should.
const LOOKS: u32 = 40;
/// How long a driver waits for a command that holds its run.
const DRIVER_WAITS: Duration = Duration::from_secs(30);

/// So many of the last records are enough for every text that quotes them.
const LAST: usize = 200;

/// The format of journal, anchor and views.
pub const FORMAT: u32 = 1;

/// A longer frozen config is not one that was accepted.
const MAX_CONFIG: u64 = 1 << 20;

/// A run's files could not be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file system failed.
    #[error("could not {what} {}", path.display())]
    Io {
        what: &'static str,
        path: PathBuf,
        source: std::io::Error,
    },
    /// The run has no anchor on this machine.
    #[error("the run `{run}` was not started by this user on this machine: it has no anchor")]
    NoAnchor { run: String },
    /// The run's files are not what the tool left.
    #[error("the run `{run}` was changed from outside: {what}")]
    Tampered { run: String, what: String },
    /// The folder is a copy of another run's.
    #[error("the run `{run}` is a copy: the original is in {}", original.display())]
    Copied {
        run: String,
        /// Where the original is.
        original: PathBuf,
    },
    /// The chain of the journal is broken.
    #[error("the journal of `{run}` cannot be believed")]
    Chain { run: String, source: ChainError },
    /// The events cannot have happened in this order.
    #[error("the journal of `{run}` makes no sense at record {seq}")]
    Fold {
        run: String,
        seq: u64,
        source: FoldError,
    },
    /// A newer version wrote the file.
    #[error("{} has format {found}; this version reads up to format {FORMAT}", path.display())]
    Newer { path: PathBuf, found: u32 },
    /// The anchor, or what was pinned beside it, cannot be read any more.
    #[error("{} of the run `{run}` {what}", path.display())]
    Damaged {
        run: String,
        path: PathBuf,
        what: String,
    },
    /// The repository was moved to where its path cannot be written down.
    #[error("the run `{run}` was moved to a path that is not UTF-8: {}", root.display())]
    NotText { run: String, root: PathBuf },
    /// This user has no home folder, so there is no place that is only this user's.
    #[error(
        "this user has no home folder in the user database, so the tool has no place that is this user's alone"
    )]
    NoHome,
    /// Somebody else could have written what stands there.
    #[error("{} {why}, so nothing below it can be believed", path.display())]
    Untrusted {
        /// The folder or file.
        path: PathBuf,
        why: String,
    },
    /// A symbolic link stands where a file or folder of ours should be.
    #[error("{} is a symbolic link", .0.display())]
    Link(PathBuf),
    /// Another process holds the run.
    #[error("the run is held by {0}")]
    Busy(Holder),
}

impl StoreError {
    fn io_error<'a>(
        what: &'static str,
        path: &'a Path,
    ) -> impl FnOnce(std::io::Error) -> Self + 'a {
        move |source| Self::Io {
            what,
            path: path.to_owned(),
            source,
        }
    }
}

pub struct RunStore<'w> {
    world: &'w World,
    /// Where its files are.
    pub layout: Layout,
    /// Its folder outside the repository.
    pub anchor_folder: PathBuf,
    /// What was pinned at start.
    pub pinned: Pinned,
    /// What the journal adds up to.
    pub state: RunState,
    journal: Journal<'static>,
    table: Option<FileSignature>,
    /// The records, where opening the run read them all: for a reader, as they were then.
    seen: Option<Vec<Record>>,
    /// What had to be mended when it was opened.
    pub repaired: JournalRepair,
    lock: Option<File>,
    /// When it was opened, in milliseconds since 1970.
    opened_ms: u64,
}

/// How a run is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// To look at the state alone: nothing is written or locked, and lines checked before are not read again.
    Glance,
    /// To look: nothing is written, nothing is locked, every line is checked.
    Read,
    /// To act: locked, and mended if a crash left something.
    Write,
    /// To act, with every line of the journal checked again.
    WriteChecked,
}

impl Access {
    fn is_writing(self) -> bool {
        matches!(self, Self::Write | Self::WriteChecked)
    }
}

/// A cache of the folded state, beside the anchor. Losing it costs one reading of the journal.
#[derive(Serialize, Deserialize)]
struct Checkpoint {
    journal: FileSignature,
    head: ChainHead,
    state: RunState,
    table: Option<FileSignature>,
}

static DISK: RealDisk = RealDisk;

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
            return Err(fold_error(&layout, 0, FoldError { event: "no start" }));
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
            return Err(fold_error(&layout, 0, FoldError { event: "no start" }));
        };
        let anchor_folder = anchor_folder(&world.state_folder, &start.id);
        check_folder_trust(&world.state_folder)?;
        disk::make_private_folder(&anchor_folder)?;
        let lock = take_lock(&anchor_folder, world, "start")?;
        DISK.replace_file(&layout.config_path(), config.as_bytes())
            .map_err(StoreError::io_error("write", &layout.config_path()))?;
        pinned.write_to(&anchor_folder)?;
        let anchor = Anchor {
            format: FORMAT,
            id: start.id.clone(),
            run: layout.run.clone(),
            root: layout.root.clone(),
            config_hash: hash_bytes(config.as_bytes()),
            head: ChainHead::default(),
            last: String::new(),
        };
        let state =
            RunState::from_start(event.clone()).map_err(|source| fold_error(&layout, 0, source))?;
        let mut journal = Journal::new(
            &DISK,
            layout.journal_path(),
            anchor_folder.join("anchor.json"),
            anchor,
        );
        journal.append_event(&world.now_text(), event, world.step)?;
        Ok(Self {
            world,
            layout,
            anchor_folder,
            pinned,
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
        trust::check_anchor_folder(&anchor_folder)?;
        let anchor_path = anchor_folder.join("anchor.json");
        if !anchor_path.is_file() {
            return Err(StoreError::NoAnchor { run: layout.run });
        }
        let lock = if access.is_writing() {
            Some(take_lock_in_turn(&anchor_folder, world, command)?)
        } else {
            None
        };
        let mut looks = 0;
        loop {
            looks += 1;
            match Self::load_run(world, &layout, &anchor_folder, access) {
                // A reader may fall between the anchor and the journal of a process that is writing.
                Err(StoreError::Tampered { .. } | StoreError::Chain { .. })
                    if !access.is_writing() && looks < LOOKS =>
                {
                    sleep_for(Duration::from_millis(5));
                }
                Err(error) => return Err(error),
                Ok(loaded) => {
                    let LoadedRun {
                        journal,
                        state,
                        table,
                        seen,
                        repaired: mended,
                    } = loaded;
                    let pinned = Pinned::read_from(&anchor_folder, &layout.run)?;
                    return Ok(Self {
                        world,
                        layout,
                        anchor_folder,
                        pinned,
                        state,
                        journal,
                        table,
                        seen,
                        repaired: mended,
                        lock,
                        opened_ms: world.now_ms(),
                    });
                }
            }
        }
    }

    fn load_run(
        world: &World,
        layout: &Layout,
        anchor_folder: &Path,
        access: Access,
    ) -> Result<LoadedRun, StoreError> {
        let mut journal = Journal::open_anchored(
            &DISK,
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
        let bytes = std::fs::read(anchor_folder.join("checkpoint.json")).ok()?;
        let found: Checkpoint = serde_json::from_slice(&bytes).ok()?;
        let untouched = FileSignature::read_of(&journal.path)
            .is_some_and(|signature| signature == found.journal);
        (untouched && found.head == journal.anchor.head).then_some(found)
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
        let row =
            autoresearch_core::words::table::make_row(&event, &self.state.config().metric.name);
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

    /// How the files that are nobody's change were at the last look. Without notes nothing is held against anybody.
    pub fn read_notes(&self) -> Result<FileNotes, StoreError> {
        let path = self.anchor_folder.join("notes.json");
        let bytes = DISK
            .read_file(&path)
            .map_err(StoreError::io_error("read", &path))?;
        Ok(bytes
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_default())
    }

    /// Keeps how these files are now. Not synced: a loss of power costs one comparison.
    pub fn write_notes(&self, notes: &FileNotes) -> Result<(), StoreError> {
        let path = self.anchor_folder.join("notes.json");
        let bytes = encode_json(&path, notes)?;
        disk::replace_file_unsynced(&path, &bytes).map_err(StoreError::io_error("write", &path))
    }

    /// The second, since 1970, that `write_floor` kept.
    #[must_use]
    pub fn read_time_floor(&self) -> Option<i64> {
        let bytes = DISK.read_file(&self.anchor_folder.join("floor")).ok()??;
        String::from_utf8(bytes).ok()?.trim().parse().ok()
    }

    /// Keeps the latest second that files of the run were given. Not synced: losing it costs nothing but for trials that
    /// follow each other within a second.
    pub fn write_time_floor(&self, second: i64) {
        let _ = disk::replace_file_unsynced(
            &self.anchor_folder.join("floor"),
            format!("{second}\n").as_bytes(),
        );
    }

    /// Brings the table and the snapshot up to date, and the checkpoint.
    pub fn write_views(&mut self) -> Result<(), StoreError> {
        (self.world.step)("view table");
        if self.table.is_none() || FileSignature::read_of(&self.layout.table_path()) != self.table {
            views::write_table(&self.layout, &self.state.start, &self.read_records()?)?;
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
            let path = self.anchor_folder.join("checkpoint.json");
            let bytes = encode_json(&path, &checkpoint)?;
            disk::replace_file_unsynced(&path, &bytes)
                .map_err(StoreError::io_error("write", &path))?;
        }
        Ok(())
    }

    /// Makes the table anew from the journal, whatever it holds now.
    pub fn rebuild_views(&mut self) -> Result<(), StoreError> {
        self.table = None;
        self.write_views()
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
fn find_run_id(world: &World, layout: &Layout) -> Result<String, StoreError> {
    let unreadable = match layout.read_run_id() {
        Err(error @ StoreError::Tampered { .. }) => error,
        found => return found,
    };
    let path = layout.journal_path();
    let begun = DISK
        .read_file(&path)
        .map_err(StoreError::io_error("read", &path))?;
    let begun = begun.unwrap_or_default();
    let anchors = list_anchor_folders(&world.state_folder)
        .into_iter()
        .filter_map(|anchor_folder| {
            let bytes = DISK.read_file(&anchor_folder.join("anchor.json")).ok()??;
            serde_json::from_slice::<Anchor>(&bytes).ok()
        });
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
) -> Result<File, StoreError> {
    let watch = Stopwatch::start();
    loop {
        match take_lock(anchor_folder, world, command) {
            Err(StoreError::Busy(_))
                if world.role == ProcessRole::Driver && watch.elapsed() < DRIVER_WAITS =>
            {
                sleep_for(Duration::from_millis(5));
            }
            held => {
                if held.is_ok() {
                    phase::remove_phase_note(anchor_folder);
                }
                return held;
            }
        }
    }
}

fn check_frozen_config(layout: &Layout, anchor: &Anchor) -> Result<(), StoreError> {
    let path = layout.config_path();
    let length = DISK
        .file_length(&path)
        .map_err(StoreError::io_error("look at", &path))?;
    let bytes = if length > MAX_CONFIG {
        Some(Vec::new())
    } else {
        DISK.read_file(&path)
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
    for record in rest {
        state
            .apply_event(record.event.clone())
            .map_err(|source| fold_error(layout, record.seq, source))?;
    }
    Ok(state)
}

/// Why these bytes are no file of ours.
fn describe_damage(bytes: &[u8], error: &serde_json::Error) -> String {
    if bytes.is_empty() {
        "is empty".to_owned()
    } else {
        format!("cannot be read ({error})")
    }
}

fn fold_error(layout: &Layout, seq: u64, source: FoldError) -> StoreError {
    StoreError::Fold {
        run: layout.run.clone(),
        seq,
        source,
    }
}
