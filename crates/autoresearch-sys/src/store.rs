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

use autoresearch_core::journal::chain::{ChainError, Head, hash};
use autoresearch_core::journal::event::{Event, Record};
use autoresearch_core::journal::state::{FoldError, RunState};
use serde::{Deserialize, Serialize};

pub use self::disk::{
    Disk, RealDisk, Signature, append_line, encode_json, encode_pretty, read_output, write_output,
};
pub use self::journal::{Anchor, Journal, Mended};
pub use self::layout::{Extent, FOLDER, Layout, vault, vaults};
pub use self::lock::{Holder, hold, holder};
pub use self::made::Made;
pub use self::outputs::cut_middle;
pub use self::phase::{PhaseNote, TrialPhase, acting};
pub use self::pinned::{Dirt, Notes, Pin, Pinned, Rules, Secret, dirt_key, key_path};
pub use self::unseen::{Known, Unseen};
use crate::env::{Role, Stopwatch, World, pause};
pub use crate::store::anchors::{anchors, remembered_state};
pub use crate::store::trust::trust_folder;

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
        /// What was attempted.
        what: &'static str,
        /// On which file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The run has no anchor on this machine.
    #[error("the run `{run}` was not started by this user on this machine: it has no anchor")]
    NoAnchor {
        /// The run.
        run: String,
    },
    /// The run's files are not what the tool left.
    #[error("the run `{run}` was changed from outside: {what}")]
    Tampered {
        /// The run.
        run: String,
        /// What differs.
        what: String,
    },
    /// The folder is a copy of another run's.
    #[error("the run `{run}` is a copy: the original is in {}", original.display())]
    Copied {
        /// The run.
        run: String,
        /// Where the original is.
        original: PathBuf,
    },
    /// The chain of the journal is broken.
    #[error("the journal of `{run}` cannot be believed")]
    Chain {
        /// The run.
        run: String,
        /// Where it breaks.
        source: ChainError,
    },
    /// The events cannot have happened in this order.
    #[error("the journal of `{run}` makes no sense at record {seq}")]
    Fold {
        /// The run.
        run: String,
        /// The record.
        seq: u64,
        /// What is wrong.
        source: FoldError,
    },
    /// A newer version wrote the file.
    #[error("{} has format {found}; this version reads up to format {FORMAT}", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
    },
    /// The anchor, or what was pinned beside it, cannot be read any more.
    #[error("{} of the run `{run}` {what}", path.display())]
    Damaged {
        /// The run.
        run: String,
        /// The file.
        path: PathBuf,
        /// In which way.
        what: String,
    },
    /// The repository was moved to where its path cannot be written down.
    #[error("the run `{run}` was moved to a path that is not UTF-8: {}", root.display())]
    NotText {
        /// The run.
        run: String,
        /// Where it is.
        root: PathBuf,
    },
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
        /// In which way.
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
    fn io<'a>(what: &'static str, path: &'a Path) -> impl FnOnce(std::io::Error) -> Self + 'a {
        move |source| Self::Io {
            what,
            path: path.to_owned(),
            source,
        }
    }
}

/// A run, opened.
pub struct RunStore<'w> {
    world: &'w World,
    /// Where its files are.
    pub layout: Layout,
    /// Its folder outside the repository.
    pub vault: PathBuf,
    /// What was pinned at start.
    pub pinned: Pinned,
    /// What the journal adds up to.
    pub state: RunState,
    journal: Journal<'static>,
    table: Option<Signature>,
    /// The records, where opening the run read them all: for a reader, as they were then.
    seen: Option<Vec<Record>>,
    /// What had to be mended when it was opened.
    pub mended: Mended,
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
    fn writes(self) -> bool {
        matches!(self, Self::Write | Self::WriteChecked)
    }
}

/// A cache of the folded state, beside the anchor. Losing it costs one reading of the journal.
#[derive(Serialize, Deserialize)]
struct Checkpoint {
    journal: Signature,
    head: Head,
    state: RunState,
    table: Option<Signature>,
}

static DISK: RealDisk = RealDisk;

impl<'w> RunStore<'w> {
    /// Creates a run's files and records its start. The folder of the run exists already. Where that fails, half a run is
    /// taken away again: its journal first, so that no journal is ever without its anchor.
    pub fn create(
        world: &'w World,
        layout: Layout,
        event: Event,
        pinned: Pinned,
        config: &str,
    ) -> Result<Self, StoreError> {
        let Event::Start(start) = &event else {
            return Err(fold_error(&layout, 0, FoldError { event: "no start" }));
        };
        let (journal, vault) = (layout.journal(), vault(&world.state_folder, &start.id));
        let created = Self::create_files(world, layout, event, pinned, config);
        if created.is_err() && disk::remove_file(&journal).is_ok() {
            let _ = std::fs::remove_dir_all(&vault);
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
        let vault = vault(&world.state_folder, &start.id);
        trust_folder(&world.state_folder)?;
        disk::private_folder(&vault)?;
        let lock = hold(&vault, world, "start")?;
        DISK.replace(&layout.config(), config.as_bytes())
            .map_err(StoreError::io("write", &layout.config()))?;
        pinned.write(&vault)?;
        let anchor = Anchor {
            format: FORMAT,
            id: start.id.clone(),
            run: layout.run.clone(),
            root: layout.root.clone(),
            config_hash: hash(config.as_bytes()),
            head: Head::default(),
            last: String::new(),
        };
        let state =
            RunState::begin(event.clone()).map_err(|source| fold_error(&layout, 0, source))?;
        let mut journal = Journal::new(&DISK, layout.journal(), vault.join("anchor.json"), anchor);
        journal.append(&world.now_text(), event, world.step)?;
        Ok(Self {
            world,
            layout,
            vault,
            pinned,
            state,
            journal,
            table: None,
            seen: None,
            mended: Mended::default(),
            lock: Some(lock),
            opened_ms: world.now_ms(),
        })
    }

    /// Opens a run, after checking that it is what this tool left.
    pub fn open(
        world: &'w World,
        layout: Layout,
        access: Access,
        command: &str,
    ) -> Result<Self, StoreError> {
        layout.check_links()?;
        let id = find_id(world, &layout)?;
        trust_folder(&world.state_folder)?;
        let vault = vault(&world.state_folder, &id);
        trust::check_vault(&vault)?;
        let anchor_path = vault.join("anchor.json");
        if !anchor_path.is_file() {
            return Err(StoreError::NoAnchor { run: layout.run });
        }
        let lock = if access.writes() {
            Some(hold_in_turn(&vault, world, command)?)
        } else {
            None
        };
        let mut looks = 0;
        loop {
            looks += 1;
            match Self::load(world, &layout, &vault, access) {
                // A reader may fall between the anchor and the journal of a process that is writing.
                Err(StoreError::Tampered { .. } | StoreError::Chain { .. })
                    if !access.writes() && looks < LOOKS =>
                {
                    pause(Duration::from_millis(5));
                }
                Err(error) => return Err(error),
                Ok(loaded) => {
                    let Loaded {
                        journal,
                        state,
                        table,
                        seen,
                        mended,
                    } = loaded;
                    let pinned = Pinned::read(&vault, &layout.run)?;
                    return Ok(Self {
                        world,
                        layout,
                        vault,
                        pinned,
                        state,
                        journal,
                        table,
                        seen,
                        mended,
                        lock,
                        opened_ms: world.now_ms(),
                    });
                }
            }
        }
    }

    fn load(
        world: &World,
        layout: &Layout,
        vault: &Path,
        access: Access,
    ) -> Result<Loaded, StoreError> {
        let mut journal =
            Journal::open(&DISK, layout.journal(), vault.join("anchor.json"), layout)?;
        journal.check_place(layout, access)?;
        check_config(layout, &journal.anchor)?;
        let mended = if access.writes() {
            journal.mend(world.step)?
        } else {
            Mended::default()
        };
        if matches!(access, Access::Write | Access::Glance)
            && let Some(found) = Self::checkpoint(vault, &journal)
        {
            return Ok(Loaded {
                journal,
                state: found.state,
                table: found.table,
                seen: None,
                mended,
            });
        }
        let records = journal.records()?;
        let state = fold(layout, &records)?;
        let seen = Some(records);
        Ok(Loaded {
            journal,
            state,
            table: None,
            seen,
            mended,
        })
    }

    /// The checkpoint, if the journal is untouched since it was written.
    fn checkpoint(vault: &Path, journal: &Journal<'_>) -> Option<Checkpoint> {
        let bytes = std::fs::read(vault.join("checkpoint.json")).ok()?;
        let found: Checkpoint = serde_json::from_slice(&bytes).ok()?;
        let untouched =
            Signature::of(&journal.path).is_some_and(|signature| signature == found.journal);
        (untouched && found.head == journal.anchor.head).then_some(found)
    }

    /// Records an event: first in the anchor, then in the journal, both synced, then in the state.
    pub fn record(&mut self, event: Event) -> Result<(), StoreError> {
        let at = self.world.now_text();
        let Head {
            next: seq,
            hash: prev,
            ..
        } = self.journal.anchor.head.clone();
        let mut state = self.state.clone();
        state
            .apply(event.clone())
            .map_err(|source| fold_error(&self.layout, seq, source))?;
        let row = autoresearch_core::words::table::row(&event, &self.state.config().metric.name);
        self.journal.append(&at, event.clone(), self.world.step)?;
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
                Signature::of(&self.layout.table())
            } else {
                None
            };
        }
        Ok(())
    }

    /// How the files that are nobody's change were at the last look. Without notes nothing is held against anybody.
    pub fn notes(&self) -> Result<Notes, StoreError> {
        let path = self.vault.join("notes.json");
        let bytes = DISK.read(&path).map_err(StoreError::io("read", &path))?;
        Ok(bytes
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_default())
    }

    /// Keeps how these files are now. Not synced: a loss of power costs one comparison.
    pub fn write_notes(&self, notes: &Notes) -> Result<(), StoreError> {
        let path = self.vault.join("notes.json");
        let bytes = encode_json(&path, notes)?;
        disk::replace_unsynced(&path, &bytes).map_err(StoreError::io("write", &path))
    }

    /// The second, since 1970, that `write_floor` kept.
    #[must_use]
    pub fn floor(&self) -> Option<i64> {
        let bytes = DISK.read(&self.vault.join("floor")).ok()??;
        String::from_utf8(bytes).ok()?.trim().parse().ok()
    }

    /// Keeps the latest second that files of the run were given. Not synced: losing it costs nothing but for trials that
    /// follow each other within a second.
    pub fn write_floor(&self, second: i64) {
        let _ = disk::replace_unsynced(&self.vault.join("floor"), format!("{second}\n").as_bytes());
    }

    /// Brings the table and the snapshot up to date, and the checkpoint.
    pub fn write_views(&mut self) -> Result<(), StoreError> {
        (self.world.step)("view table");
        if self.table.is_none() || Signature::of(&self.layout.table()) != self.table {
            views::write_table(&self.layout, &self.state.start, &self.records()?)?;
            self.table = Signature::of(&self.layout.table());
        }
        (self.world.step)("view snapshot");
        views::write_snapshot(&self.layout, &self.state, &self.journal.anchor.head)?;
        if let Some(journal) = Signature::of(&self.layout.journal()) {
            let checkpoint = Checkpoint {
                journal,
                head: self.journal.anchor.head.clone(),
                state: self.state.clone(),
                table: self.table,
            };
            let path = self.vault.join("checkpoint.json");
            let bytes = encode_json(&path, &checkpoint)?;
            disk::replace_unsynced(&path, &bytes).map_err(StoreError::io("write", &path))?;
        }
        Ok(())
    }

    /// Makes the table anew from the journal, whatever it holds now.
    pub fn rebuild_views(&mut self) -> Result<(), StoreError> {
        self.table = None;
        self.write_views()
    }

    /// Every record of the journal, each checked.
    pub fn records(&self) -> Result<Cow<'_, [Record]>, StoreError> {
        match &self.seen {
            Some(seen) => Ok(Cow::Borrowed(seen)),
            None => self.journal.records().map(Cow::Owned),
        }
    }

    /// Is the run held by this process, to act on it?
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.lock.is_some()
    }

    /// The last records, oldest first: as many as the end of the journal holds, and each checked against the one after it.
    pub fn last_records(&self) -> Result<Vec<Record>, StoreError> {
        match &self.seen {
            Some(seen) => Ok(seen[seen.len().saturating_sub(LAST)..].to_vec()),
            None => self.journal.last_records(),
        }
    }

    /// The last link of the chain.
    #[must_use]
    pub fn head(&self) -> &Head {
        &self.journal.anchor.head
    }
}

/// What opening a run found.
struct Loaded {
    journal: Journal<'static>,
    state: RunState,
    table: Option<Signature>,
    seen: Option<Vec<Record>>,
    mended: Mended,
}

/// The id of a run. A crash may have torn the first line of its journal, or kept it from being written: then the anchor
/// holds that line.
fn find_id(world: &World, layout: &Layout) -> Result<String, StoreError> {
    let unreadable = match layout.id() {
        Err(error @ StoreError::Tampered { .. }) => error,
        found => return found,
    };
    let path = layout.journal();
    let begun = DISK.read(&path).map_err(StoreError::io("read", &path))?;
    let begun = begun.unwrap_or_default();
    let anchors = vaults(&world.state_folder).into_iter().filter_map(|vault| {
        let bytes = DISK.read(&vault.join("anchor.json")).ok()??;
        serde_json::from_slice::<Anchor>(&bytes).ok()
    });
    let mut found = anchors.filter(|anchor| {
        let is_here = anchor.root == layout.root && anchor.run == layout.run;
        is_here && anchor.head.next == 1 && anchor.last.as_bytes().starts_with(&begun)
    });
    found.next().map_or(Err(unreadable), |anchor| Ok(anchor.id))
}

/// Takes a run's lock. A driver waits for it: a command that is refused because of the driver holds it for a moment too.
fn hold_in_turn(vault: &Path, world: &World, command: &str) -> Result<File, StoreError> {
    let watch = Stopwatch::start();
    loop {
        match hold(vault, world, command) {
            Err(StoreError::Busy(_))
                if world.role == Role::Driver && watch.elapsed() < DRIVER_WAITS =>
            {
                pause(Duration::from_millis(5));
            }
            held => {
                if held.is_ok() {
                    phase::forget_phase(vault);
                }
                return held;
            }
        }
    }
}

fn check_config(layout: &Layout, anchor: &Anchor) -> Result<(), StoreError> {
    let path = layout.config();
    let length = DISK
        .length(&path)
        .map_err(StoreError::io("look at", &path))?;
    let bytes = if length > MAX_CONFIG {
        Some(Vec::new())
    } else {
        DISK.read(&path).map_err(StoreError::io("read", &path))?
    };
    match bytes {
        Some(bytes) if hash(&bytes) == anchor.config_hash => Ok(()),
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

fn fold(layout: &Layout, records: &[Record]) -> Result<RunState, StoreError> {
    let (first, rest) = records
        .split_first()
        .ok_or_else(|| fold_error(layout, 0, FoldError { event: "nothing" }))?;
    let mut state =
        RunState::begin(first.event.clone()).map_err(|source| fold_error(layout, 0, source))?;
    for record in rest {
        state
            .apply(record.event.clone())
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
