//! Owns the supervisor of a background run: one process that drives the run and says on disk how it stands.
//! Does not answer anybody; `background` reads what it wrote.
//! Invariant: it holds the driver's lock for life, so that a held lock means that it lives.

use std::path::PathBuf;

use autoresearch_core::words::brief::clip;
use autoresearch_core::words::table::escape;
use serde::{Deserialize, Serialize};

use crate::night::driver;
use crate::night::driver::{Audience, Happening, Left, Order};
use crate::run::{DRIVER, MARK, Place, Run, Wanted};
use autoresearch_sys::env::{Role, World};
use autoresearch_sys::error::Result;
use autoresearch_sys::process;
use autoresearch_sys::store;
use autoresearch_sys::store::{Access, FORMAT, Layout};

/// The log of the supervisor is begun anew when it is longer; the one before it stays beside it.
const MAX_LOG: u64 = 1 << 20;

/// What an agent or its service said is cut to so many characters.
const MAX_LINE: usize = 1_000;

/// What a supervisor says that it does, in the lock that it holds.
pub const SUPERVISE: &str = "supervise";

/// What the supervisor is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// It was just started.
    Starting,
    /// The agent edits.
    Turn,
    /// A trial is measured.
    Measuring,
    /// It waits for better weather.
    Waiting,
    /// It has left the run, which can be gone on with.
    Paused,
    /// It has left the run: something is wrong that a person must put right.
    Blocked,
    /// The run has ended.
    Ended,
}

impl Phase {
    /// The word in reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Turn => "turn",
            Self::Measuring => "measuring",
            Self::Waiting => "waiting",
            Self::Paused => "paused",
            Self::Blocked => "blocked",
            Self::Ended => "ended",
        }
    }
}

/// `runtime.json`: how the supervisor stands. It is a view; the journal is the truth.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Runtime {
    /// The format of this file.
    pub format: u32,
    /// What it does.
    pub phase: Phase,
    /// For which trial.
    pub trial: u32,
    /// Why it waits, or was left.
    pub why: Option<String>,
    /// Until when it waits, in milliseconds since 1970.
    pub until_ms: Option<u64>,
    /// Its process.
    pub pid: u32,
    /// When this was written, in UTC.
    pub at: String,
}

/// The supervisor as the audience of its run.
struct Log<'w> {
    world: &'w World,
    layout: Layout,
    orders: PathBuf,
    runtime: Runtime,
}

/// Drives a run to its end. The exit code is that of a command.
pub fn run(world: &World, place: &Place) -> Result<()> {
    // The session of whoever started us may end.
    let _ = rustix::process::setsid();
    let world = World {
        role: Role::Driver,
        session: None,
        ..world.clone()
    };
    let run = Run::open(&world, place, Wanted::Latest, Access::Glance, "supervise")?;
    let _driver = driver::hold(&world, &run, SUPERVISE)?;
    let mut log = Log {
        world: &world,
        layout: run.store.layout.clone(),
        orders: orders(&run),
        runtime: Runtime {
            format: FORMAT,
            phase: Phase::Starting,
            trial: run.store.state.next_trial,
            why: None,
            until_ms: None,
            pid: std::process::id(),
            at: String::new(),
        },
    };
    let swept = process::end_marked(&format!("{MARK}={}", run.store.state.start.id));
    log.layout.forget_session();
    drop(run);
    log.line(&format!("supervisor {} begins", std::process::id()));
    if swept > 0 {
        log.line(&format!(
            "{swept} process(es) of an earlier turn were ended"
        ));
    }
    log.enter(Phase::Starting, None, None);
    let left = driver::drive(&world, place, &mut log);
    let _ = std::fs::remove_file(&log.orders);
    match &left {
        Ok(Left::Ended) => log.enter(Phase::Ended, None, None),
        Ok(Left::Open) => log.enter(Phase::Paused, None, None),
        Err(failure) => {
            let why = failure.to_string().replace('\n', "; ");
            log.line(&why);
            log.enter(Phase::Blocked, Some(why), None);
        }
    }
    log.line("supervisor ends");
    left.map(drop)
}

/// The file with a person's order, out of reach of the agent.
pub fn orders(run: &Run<'_>) -> PathBuf {
    run.store.vault.join(DRIVER).join("order.json")
}

impl Log<'_> {
    fn enter(&mut self, phase: Phase, why: Option<String>, until_ms: Option<u64>) {
        self.runtime.phase = phase;
        self.runtime.why = why.map(|why| clip(&why, MAX_LINE));
        self.runtime.until_ms = until_ms;
        self.runtime.at = self.world.now_text();
        // A run folder that is gone is found by the next look at the run.
        let path = self.layout.runtime();
        let _ = store::encode_pretty(&path, &self.runtime)
            .and_then(|text| store::write_output(&path, &text));
    }

    fn line(&self, text: &str) {
        let path = self.layout.runtime_log();
        if std::fs::symlink_metadata(&path).is_ok_and(|meta| meta.len() > MAX_LOG) {
            let _ = std::fs::rename(&path, path.with_extension("log.1"));
        }
        let at = self.world.now_text();
        let _ = store::append_line(&path, &format!("{at} {}", escape(&clip(text, MAX_LINE))));
    }
}

impl Audience for Log<'_> {
    fn hear(&mut self, happening: &Happening<'_>) {
        match happening {
            Happening::Turn { trial } => {
                self.runtime.trial = *trial;
                self.enter(Phase::Turn, None, None);
                self.line(&format!("trial {trial}: the agent edits"));
            }
            Happening::Failed(fault) => self.line(&format!("no answer: {fault}")),
            Happening::Waiting { why, until_ms } => {
                self.enter(Phase::Waiting, Some((*why).to_owned()), Some(*until_ms));
                let seconds = until_ms.saturating_sub(self.world.now_ms()) / 1_000;
                self.line(&format!("waiting for {seconds} s: {why}"));
            }
            Happening::Measuring => self.enter(Phase::Measuring, None, None),
            Happening::Trial(report) => {
                let text = report.to_string();
                self.line(text.lines().next().unwrap_or_default());
            }
            Happening::Strategy(report) => self.line(&format!("{} logged", report.logged)),
            Happening::Note(note) => self.line(note),
        }
    }

    fn order(&mut self) -> Option<Order> {
        let bytes = std::fs::read(&self.orders).ok()?;
        serde_json::from_slice(&bytes).ok()
    }
}

/// Reads how the supervisor of a run stands, as it last said.
#[must_use]
pub fn runtime(layout: &Layout) -> Option<Runtime> {
    let bytes = store::read_output(&layout.runtime(), MAX_LOG).ok()?;
    serde_json::from_slice(&bytes).ok()
}
