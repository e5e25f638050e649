//! Owns the outside facts of a process: environment, clock, current directory, own path, signals.
//! Does not spawn processes or touch the files of a run.
//! Invariant: no variable of the caller's environment moves the state folder or the clock of the shipped binary.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::machine_load::read_machine_load;
use autoresearch_core::agent::outage::OutagePatience;
use autoresearch_core::agent::session::is_session_id;
use autoresearch_core::config::TimeOfDay;
use autoresearch_core::decide::calibration::MachineLoad;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// With more steps up than these, a whole path is plainer.
const MOST_UPS: usize = 5;

/// What a process knows of the world around it.
#[derive(Clone)]
pub struct World {
    pub cwd: PathBuf,
    /// Where the reader of the answer stands, if that is known: paths are shown as seen from there, and whole otherwise.
    pub reader_at: Option<PathBuf>,
    /// The path of the running program.
    pub program: PathBuf,
    /// The folder outside every repository where runs are anchored.
    pub state_folder: PathBuf,
    /// The folder where `install` puts programs and its manifest.
    pub data_folder: PathBuf,
    pub vars: BTreeMap<OsString, OsString>,
    /// Where time comes from.
    pub clock: Clock,
    /// The agent's session that this command or hook belongs to.
    pub session: Option<String>,
    /// On whose behalf this process acts.
    pub role: ProcessRole,
    /// How long failures of the agent are waited out.
    pub patience: OutagePatience,
    /// How busy the machine is, where that can be known.
    pub load: fn() -> Option<MachineLoad>,
    /// Called with the name of each step of the journal protocol, before the step. Tests crash here.
    pub step: fn(&'static str),
    /// Told what is about to take long; the edge shows it to a person who waits.
    pub progress: fn(&str),
    /// Set by SIGINT, SIGTERM and SIGHUP.
    pub interrupted: Arc<AtomicBool>,
    /// Set once an interruption is being dealt with: a further signal then ends the process at once.
    pub dealing: Arc<AtomicBool>,
}

/// Was the process asked to end, and did it begin to deal with that? Both are false where nobody can ask.
#[derive(Clone, Debug, Default)]
pub struct Interruption {
    pub(crate) asked: Arc<AtomicBool>,
    pub(crate) dealing: Arc<AtomicBool>,
}

impl Interruption {
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// From here on a further signal ends the process at once.
    pub fn begin_to_deal(&self) {
        self.dealing.store(true, Ordering::Relaxed);
    }
}

/// On whose behalf a process acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessRole {
    /// A person or an agent who calls a command.
    Command,
    /// A hook, which the agent's host runs outside the agent's sandbox.
    Hook,
    /// The driver of a run without a person.
    Driver,
}

/// A source of time.
#[derive(Clone, Copy, Debug)]
pub enum Clock {
    System,
    Fixed(Timestamp),
}

impl Clock {
    /// The time now.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the home of the clock")]
    pub fn now(self) -> Timestamp {
        match self {
            Self::System => Timestamp::now(),
            Self::Fixed(time) => time,
        }
    }

    /// The same in milliseconds since 1970.
    #[must_use]
    pub fn now_ms(self) -> u64 {
        u64::try_from(self.now().as_millisecond()).unwrap_or(0)
    }
}

impl World {
    /// The real world. State and data folder come from the user database and not from `HOME` or `XDG_STATE_HOME`: an agent
    /// that sets a variable must not get another set of anchors.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the home of environment, directory and own path"
    )]
    pub fn from_process() -> Self {
        let interrupted = Arc::new(AtomicBool::new(false));
        let dealing = Arc::new(AtomicBool::new(false));
        for signal in [
            signal_hook::consts::SIGINT,
            signal_hook::consts::SIGTERM,
            signal_hook::consts::SIGHUP,
        ] {
            // Some callers signal a process and then its group, within a moment: only a signal after we began to deal
            // with the first one means "now". Registration cannot fail for these signals.
            let _ = signal_hook::flag::register_conditional_default(signal, Arc::clone(&dealing));
            let _ = signal_hook::flag::register(signal, Arc::clone(&interrupted));
        }
        Self {
            cwd: std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/")),
            reader_at: None,
            program: std::env::current_exe().unwrap_or_else(|_| PathBuf::from("autoresearch")),
            state_folder: own_folder(".local/state/codex-autoresearch"),
            data_folder: own_folder(".local/share/codex-autoresearch"),
            vars: std::env::vars_os().collect(),
            clock: Clock::System,
            session: read_session(),
            role: ProcessRole::Command,
            patience: OutagePatience::default(),
            load: read_machine_load,
            step: |_| {},
            progress: |_| {},
            interrupted,
            dealing,
        }
    }

    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A path as its reader can open it: from where they stand, or whole.
    #[must_use]
    pub fn path_from_here(&self, path: &Path) -> String {
        let seen = self
            .reader_at
            .as_ref()
            .and_then(|here| seen_from(here, path));
        seen.unwrap_or_else(|| path.to_owned())
            .display()
            .to_string()
    }

    /// The time now, in milliseconds since 1970.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        self.clock.now_ms()
    }

    /// When it is this time of day next, by the machine's clock: milliseconds since 1970.
    #[must_use]
    pub fn next_time_of_day_ms(&self, time: TimeOfDay) -> u64 {
        let now = self
            .now()
            .to_zoned_datetime(time_zone().unwrap_or(TimeZone::UTC));
        let clock = |day: jiff::civil::Date| {
            let at = day.at(time.hour.cast_signed(), time.minute.cast_signed(), 0, 0);
            at.to_zoned_datetime(now.time_zone().clone()).ok()
        };
        let today = clock(now.date()).filter(|moment| *moment > now);
        let next = today.or_else(|| clock(now.date().tomorrow().ok()?));
        let moment = next.map_or_else(|| self.now(), |moment| moment.timestamp());
        u64::try_from(moment.as_millisecond()).unwrap_or(0)
    }

    /// The time now, as the journal writes it: UTC, to the second.
    #[must_use]
    pub fn now_text(&self) -> String {
        let now = self.now();
        let whole = now - SignedDuration::from_nanos(i64::from(now.subsec_nanosecond()));
        whole.to_string()
    }

    /// Was the process asked to end?
    #[must_use]
    pub fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }

    /// What a part of the program that knows nothing else of the world obeys.
    #[must_use]
    pub fn interruption(&self) -> Interruption {
        Interruption {
            asked: Arc::clone(&self.interrupted),
            dealing: Arc::clone(&self.dealing),
        }
    }

    /// From here on a further signal ends the process at once.
    pub fn deal_with_interruption(&self) {
        self.dealing.store(true, Ordering::Relaxed);
    }

    /// One variable of the caller's environment.
    #[must_use]
    pub fn find_variable(&self, name: &str) -> Option<&OsString> {
        self.vars.get(std::ffi::OsStr::new(name))
    }

    /// The program under the name that takes commands, by whichever of its names this process was called.
    #[must_use]
    pub fn main_program(&self) -> PathBuf {
        let name = self.program.file_name().and_then(|name| name.to_str());
        let main = name.and_then(|name| {
            let main = name.strip_suffix("-hook");
            main.or_else(|| name.strip_suffix("-supervisor"))
        });
        main.map_or_else(
            || self.program.clone(),
            |main| self.program.with_file_name(main),
        )
    }

    /// The first program of this name in the folders of `PATH` of these variables.
    #[must_use]
    pub fn find_program(vars: &BTreeMap<OsString, OsString>, name: &str) -> Option<PathBuf> {
        let path = vars.get(std::ffi::OsStr::new("PATH"))?;
        let executable = |file: &PathBuf| {
            file.metadata()
                .is_ok_and(|meta| meta.is_file() && meta.mode() & 0o111 != 0)
        };
        std::env::split_paths(path)
            .filter(|folder| folder.is_absolute())
            .map(|folder| folder.join(name))
            .find(executable)
    }
}

/// A path seen from a folder: below it, or beside it within a few steps; `None` where the whole path is plainer.
fn seen_from(folder: &Path, path: &Path) -> Option<PathBuf> {
    let common = folder.ancestors().find(|above| path.starts_with(above))?;
    let ups = folder.strip_prefix(common).ok()?.components().count();
    let down = path.strip_prefix(common).ok()?;
    let is_near = ups == 0 || (ups <= MOST_UPS && common.parent().is_some());
    let mut seen: PathBuf = std::iter::repeat_n("..", ups).collect();
    if !down.as_os_str().is_empty() {
        seen.push(down);
    }
    let seen = if seen.as_os_str().is_empty() {
        PathBuf::from(".")
    } else {
        seen
    };
    is_near.then_some(seen)
}

#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the home of the clock")]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// The time since the start.
    #[must_use]
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

/// Waits; for polling loops that have their own deadline.
#[expect(clippy::disallowed_methods, reason = "this is the home of the clock")]
pub fn sleep_for(span: Duration) {
    std::thread::sleep(span);
}

/// The time zone of the user's clock, from `TZ` or the system; `None` where neither says one.
#[must_use]
pub fn time_zone() -> Option<TimeZone> {
    TimeZone::try_system().ok()
}

/// A moment for people, in milliseconds since 1970: the local time, with UTC beside it where the two differ.
#[must_use]
pub fn clock_text(ms: u64) -> String {
    let moment = i64::try_from(ms)
        .ok()
        .and_then(|ms| Timestamp::from_millisecond(ms).ok());
    moment.map_or_else(|| "unknown".to_owned(), format_local_and_utc)
}

/// The same for a time as the journal writes it; any other text stays as it is.
#[must_use]
pub fn clock_text_of(utc: &str) -> String {
    utc.parse()
        .map_or_else(|_| utc.to_owned(), format_local_and_utc)
}

/// The milliseconds between two times as the journal writes them.
#[must_use]
pub fn count_ms_between(earlier: &str, later: &str) -> Option<u64> {
    let [earlier, later] = [earlier, later].map(|text| text.parse::<Timestamp>().ok());
    let ms = later?.as_millisecond() - earlier?.as_millisecond();
    u64::try_from(ms).ok()
}

fn format_local_and_utc(moment: Timestamp) -> String {
    let local = moment.to_zoned_datetime(time_zone().unwrap_or(TimeZone::UTC));
    let utc = moment.to_zoned_datetime(TimeZone::UTC);
    let text = local.strftime("%Y-%m-%d %H:%M:%S");
    if local.offset() == utc.offset() {
        return format!("{text} UTC");
    }
    let beside = if local.date() == utc.date() {
        utc.strftime("%H:%M:%S")
    } else {
        utc.strftime("%Y-%m-%d %H:%M:%S")
    };
    format!("{text} ({beside} UTC)")
}

/// The folder for temporary files.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "this is the home of the environment"
)]
pub fn temporary_folder() -> PathBuf {
    std::env::temp_dir()
}

/// 128 random bits in hex.
pub fn make_random_id() -> std::io::Result<String> {
    let mut bits = [0; 16];
    getrandom::fill(&mut bits)?;
    Ok(format!("{:032x}", u128::from_be_bytes(bits)))
}

/// The session in which Codex runs this command. A subagent has the session of its parent.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the home of the environment"
)]
fn read_session() -> Option<String> {
    ["CODEX_SESSION_ID", "CODEX_THREAD_ID"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|id| is_session_id(id)))
}

/// What stands for the home of a user without one, before the user's number. It is believed only where nobody else could
/// have made it (`trust_folder`): never where `/var/tmp` is everybody's, as it is on most machines.
pub const NO_HOME: &str = "/var/tmp/codex-autoresearch-";

/// A folder below the home that the user database names.
fn own_folder(below_home: &str) -> PathBuf {
    let uid = nix::unistd::getuid();
    let home = nix::unistd::User::from_uid(uid)
        .ok()
        .flatten()
        .map(|user| user.dir);
    let is_home = |home: &PathBuf| home.is_absolute() && home.is_dir() && home != Path::new("/");
    home.filter(is_home)
        .unwrap_or_else(|| PathBuf::from(format!("{NO_HOME}{uid}")))
        .join(below_home)
}

#[cfg(test)]
mod tests;
