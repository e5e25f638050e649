//! Owns the supervisor of a background run: one process that drives the run and says on disk how it stands.
//! Does not answer anybody; `background` reads what it wrote.
//! Invariant: it holds the driver's lock for life, so that a held lock means that it lives.

use std::path::{Path, PathBuf};

use autoresearch_core::words::text::{clip_text, escape_text, format_count};
use serde::{Deserialize, Serialize};

use crate::night::audience::{Audience, DriverEvent, DriverOrder};
use crate::night::driver;
use crate::night::driver::DriverExit;
use crate::run::driven::{DRIVER, MARK};
use crate::run::glance::Glance;
use crate::run::place::{Place, WantedRun};
use autoresearch_sys::env::{ProcessRole, World};
use autoresearch_sys::error::Result;
use autoresearch_sys::process;
use autoresearch_sys::regular_files::{NOTE_BYTES, read_file};
use autoresearch_sys::store;
use autoresearch_sys::store::{Access, FORMAT, Layout};

/// When the log of the supervisor is longer, a new one is started; the one before it stays beside it.
const MAX_LOG: u64 = 1 << 20;

/// What an agent or its service said is cut to this many characters.
const MAX_LINE: usize = 1_000;

/// What a supervisor says that it does, in the lock that it holds.
pub const SUPERVISE: &str = "supervise";

/// What the supervisor is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SupervisorPhase {
    /// It was just started.
    Starting,
    Turn,
    /// A trial is measured.
    Measuring,
    /// It waits until the agent's service is back.
    Waiting,
    /// It has left the run, which can continue.
    Paused,
    /// It has left the run: something is wrong that a person must fix.
    Blocked,
    /// The run has ended.
    Ended,
}

impl SupervisorPhase {
    /// The word in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
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
pub struct SupervisorRuntime {
    /// The format of this file.
    pub format: u32,
    pub phase: SupervisorPhase,
    pub trial: u32,
    /// Why it waits, or was left.
    pub why: Option<String>,
    /// Until when it waits, in milliseconds since 1970.
    pub until_ms: Option<u64>,
    pub pid: u32,
    /// When this was written, in UTC.
    pub at: String,
}

/// The supervisor as the audience of its run.
struct SupervisorLog<'w> {
    world: &'w World,
    layout: Layout,
    orders: PathBuf,
    runtime: SupervisorRuntime,
}

/// Drives a run to its end. The exit code is that of a command.
pub fn supervise_run(world: &World, place: &Place) -> Result<()> {
    // The session of whoever started us may end.
    let _ = rustix::process::setsid();
    let world = World {
        role: ProcessRole::Driver,
        session: None,
        ..world.clone()
    };
    let glance = Glance::open_run(
        &world,
        place,
        WantedRun::Latest,
        Access::Glance,
        "supervise",
    )?;
    let run = glance.with_tree()?.run;
    let _driver = driver::take_driver_lock(&world, &run.store.anchor_folder, SUPERVISE)?;
    let mut log = SupervisorLog {
        world: &world,
        layout: run.store.layout.clone(),
        orders: order_path(&run.store.anchor_folder),
        runtime: SupervisorRuntime {
            format: FORMAT,
            phase: SupervisorPhase::Starting,
            trial: run.store.state.next_trial,
            why: None,
            until_ms: None,
            pid: std::process::id(),
            at: String::new(),
        },
    };
    let swept = process::end_marked_processes(&format!("{MARK}={}", run.store.state.start.id));
    log.layout.remove_session();
    drop(run);
    log.log_line(&format!("supervisor {} starts", std::process::id()));
    if swept > 0 {
        log.log_line(&format!(
            "killed {} of an earlier turn",
            format_count(swept, "process")
        ));
    }
    log.enter_phase(SupervisorPhase::Starting, None, None);
    let left = driver::drive_run(&world, place, &mut log);
    let _ = std::fs::remove_file(&log.orders);
    match &left {
        Ok(DriverExit::Ended) => log.enter_phase(SupervisorPhase::Ended, None, None),
        Ok(DriverExit::Open) => log.enter_phase(SupervisorPhase::Paused, None, None),
        Err(failure) => {
            let why = failure.to_string().replace('\n', "; ");
            log.log_line(&why);
            log.enter_phase(SupervisorPhase::Blocked, Some(why), None);
        }
    }
    log.log_line("supervisor ends");
    left.map(drop)
}

/// The file with a person's order, out of reach of the agent.
#[must_use]
pub fn order_path(anchor_folder: &Path) -> PathBuf {
    anchor_folder.join(DRIVER).join("order.json")
}

impl SupervisorLog<'_> {
    fn enter_phase(&mut self, phase: SupervisorPhase, why: Option<String>, until_ms: Option<u64>) {
        self.runtime.phase = phase;
        self.runtime.why = why.map(|why| clip_text(&why, MAX_LINE));
        self.runtime.until_ms = until_ms;
        self.runtime.at = self.world.now_text();
        // A run folder that is gone is found by the next look at the run.
        let path = self.layout.runtime_path();
        let _ = store::encode_pretty_json(&path, &self.runtime)
            .and_then(|text| store::write_output(&path, &text));
    }

    fn log_line(&self, text: &str) {
        let path = self.layout.runtime_log_path();
        if std::fs::symlink_metadata(&path).is_ok_and(|meta| meta.len() > MAX_LOG) {
            let _ = std::fs::rename(&path, path.with_extension("log.1"));
        }
        let at = self.world.now_text();
        let _ = store::append_line(
            &path,
            &format!("{at} {}", escape_text(&clip_text(text, MAX_LINE))),
        );
    }
}

impl Audience for SupervisorLog<'_> {
    fn hear_event(&mut self, happening: &DriverEvent<'_>) {
        match happening {
            DriverEvent::Turn { trial } => {
                self.runtime.trial = *trial;
                self.enter_phase(SupervisorPhase::Turn, None, None);
                self.log_line(&format!("trial {trial}: the agent edits"));
            }
            DriverEvent::Failed(fault) => self.log_line(&format!("no answer: {fault}")),
            DriverEvent::Waiting { why, until_ms } => {
                self.enter_phase(
                    SupervisorPhase::Waiting,
                    Some((*why).to_owned()),
                    Some(*until_ms),
                );
                let seconds = until_ms.saturating_sub(self.world.now_ms()) / 1_000;
                self.log_line(&format!("waiting for {seconds} s: {why}"));
            }
            DriverEvent::Measuring => self.enter_phase(SupervisorPhase::Measuring, None, None),
            DriverEvent::Trial(report) => {
                let text = report.to_string();
                self.log_line(text.lines().next().unwrap_or_default());
            }
            DriverEvent::Strategy(report) => self.log_line(&format!("{} logged", report.logged)),
            DriverEvent::Note(note) => self.log_line(note),
        }
    }

    fn read_order(&mut self) -> Option<DriverOrder> {
        let bytes = read_file(&self.orders, NOTE_BYTES).ok()?;
        serde_json::from_slice(&bytes).ok()
    }
}

/// Reads how the supervisor of a run stands, as it last said.
#[must_use]
pub fn read_runtime(layout: &Layout) -> Option<SupervisorRuntime> {
    let bytes = store::read_output(&layout.runtime_path(), MAX_LOG).ok()?;
    serde_json::from_slice(&bytes).ok()
}
