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

use autoresearch_core::agent::outage::OutagePatience;
use autoresearch_core::agent::session::is_session_id;
use autoresearch_core::config::TimeOfDay;
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
    /// Called with the name of each step of the journal protocol, before the step. Tests crash here.
    pub step: fn(&'static str),
    /// Told what is about to take long; the edge shows it to a person who waits.
    pub progress: fn(&str),
    /// Set by SIGINT, SIGTERM and SIGHUP.
    pub interrupted: Arc<AtomicBool>,
    /// Set once an interruption is being dealt with: a further signal then ends the process at once.
    pub dealing: Arc<AtomicBool>,
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
            step: |_| {},
            progress: |_| {},
            interrupted,
            dealing,
        }
    }

    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the home of the clock")]
    pub fn now(&self) -> Timestamp {
        match self.clock {
            Clock::System => Timestamp::now(),
            Clock::Fixed(time) => time,
        }
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
        u64::try_from(self.now().as_millisecond()).unwrap_or(0)
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
mod tests {
    use super::*;

    #[test]
    fn a_random_id_has_32_digits_and_is_another_each_time() {
        let (one, other) = (make_random_id().unwrap(), make_random_id().unwrap());
        for id in [&one, &other] {
            assert_eq!(id.len(), 32);
            assert!(id.bytes().all(|byte| b"0123456789abcdef".contains(&byte)));
        }
        assert_ne!(one, other);
    }

    #[test]
    fn a_program_is_the_first_executable_file_of_an_absolute_folder_of_path() {
        use std::os::unix::fs::PermissionsExt;
        let base = tempfile::tempdir().unwrap();
        let file = |name: &str, mode: u32| {
            let path = base.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, "").unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            path
        };
        file("text/tool", 0o644);
        std::fs::create_dir_all(base.path().join("folder/tool")).unwrap();
        let tool = file("bin/tool", 0o755);
        file("later/tool", 0o755);
        let found = |folders: &[&str]| {
            let folders = folders.iter().map(|folder| base.path().join(folder));
            let path = std::env::join_paths(folders).unwrap();
            World::find_program(&BTreeMap::from([("PATH".into(), path)]), "tool")
        };
        assert_eq!(
            found(&["text", "folder", "absent", "bin", "later"]),
            Some(tool)
        );
        assert_eq!(found(&["text"]), None);
        let relative = BTreeMap::from([("PATH".into(), OsString::from("bin:."))]);
        assert_eq!(World::find_program(&relative, "tool"), None);
        assert_eq!(World::find_program(&BTreeMap::new(), "tool"), None);
    }

    #[test]
    fn a_time_that_is_none_is_shown_as_it_is() {
        for text in ["", "yesterday", "2026-13-01T00:00:00Z"] {
            assert_eq!(clock_text_of(text), text);
        }
        let known = clock_text_of("2026-11-25T23:58:53Z");
        assert!(known.contains(":58:53") && known.contains("UTC"), "{known}");
        assert_eq!(clock_text(u64::MAX), "unknown");
    }

    #[test]
    fn a_path_is_shown_as_it_is_seen_from_a_folder() {
        let seen = |folder: &str, path: &str| {
            let seen = seen_from(Path::new(folder), Path::new(path));
            seen.map(|seen| seen.display().to_string())
        };
        let path = "/home/a/repo/results/x";
        assert_eq!(seen("/home/a/repo", path).as_deref(), Some("results/x"));
        assert_eq!(seen("/", path).as_deref(), Some("home/a/repo/results/x"));
        assert_eq!(
            seen("/home/a/repo/src/api", path).as_deref(),
            Some("../../results/x")
        );
        assert_eq!(seen("/home/a/repo/results/x", path).as_deref(), Some("."));
        assert_eq!(seen("/tmp", path), None, "nothing in common but the root");
        assert_eq!(seen("/home/a/1/2/3/4/5/6", path), None, "too far");
    }

    fn make_world(program: &str, now: &str) -> World {
        World {
            cwd: PathBuf::from("/r"),
            reader_at: None,
            program: PathBuf::from(program),
            state_folder: PathBuf::from("/s"),
            data_folder: PathBuf::from("/d"),
            vars: BTreeMap::from([("NAME".into(), "value".into())]),
            clock: Clock::Fixed(now.parse().unwrap()),
            session: None,
            role: ProcessRole::Command,
            patience: OutagePatience::default(),
            step: |_| {},
            progress: |_| {},
            interrupted: Arc::new(AtomicBool::new(false)),
            dealing: Arc::new(AtomicBool::new(false)),
        }
    }

    #[test]
    fn a_clock_that_stands_still_is_told_in_whole_seconds_and_in_milliseconds() {
        for (now, text, ms) in [
            (
                "2026-01-02T03:04:05.678Z",
                "2026-01-02T03:04:05Z",
                1_767_323_045_678,
            ),
            (
                "2026-01-02T03:04:05Z",
                "2026-01-02T03:04:05Z",
                1_767_323_045_000,
            ),
            (
                "2026-01-02T05:04:05.9999+02:00",
                "2026-01-02T03:04:05Z",
                1_767_323_045_999,
            ),
            ("1969-12-31T23:59:59Z", "1969-12-31T23:59:59Z", 0),
        ] {
            let world = make_world("/bin/autoresearch", now);
            assert_eq!(
                (world.now_text().as_str(), world.now_ms()),
                (text, ms),
                "{now}"
            );
        }
    }

    #[test]
    fn the_next_time_of_day_is_within_a_day_and_shows_that_time_on_the_clock_of_the_user() {
        let day = Duration::from_hours(24).as_millis();
        for now in [
            "2026-01-02T03:04:05Z",
            "2026-06-30T23:59:59.999Z",
            "2028-02-29T12:00:00Z",
        ] {
            let world = make_world("/bin/autoresearch", now);
            for text in ["0:00", "7:30", "12:00", "23:59"] {
                let time = TimeOfDay::parse(text).unwrap();
                let ms = world.next_time_of_day_ms(time);
                let wait = u128::from(ms - world.now_ms());
                // Summer time begins and ends with a day that is an hour shorter or longer.
                assert!(
                    wait <= day + day / 24 && ms > world.now_ms(),
                    "{now} {text}: {wait}"
                );
                let moment = Timestamp::from_millisecond(ms.try_into().unwrap()).unwrap();
                let local = moment.to_zoned_datetime(time_zone().unwrap_or(TimeZone::UTC));
                let shown = local.strftime("%-H:%M:%S").to_string();
                assert_eq!(shown, format!("{text}:00"), "{now}");
            }
        }
    }

    #[test]
    fn the_main_program_is_beside_its_other_names() {
        for (called, main) in [
            ("/opt/bin/autoresearch", "/opt/bin/autoresearch"),
            ("/opt/bin/autoresearch-hook", "/opt/bin/autoresearch"),
            ("/opt/bin/autoresearch-supervisor", "/opt/bin/autoresearch"),
            ("/opt/bin-hook/other", "/opt/bin-hook/other"),
            ("/", "/"),
        ] {
            let world = make_world(called, "2026-01-02T03:04:05Z");
            assert_eq!(world.main_program(), Path::new(main), "{called}");
        }
    }

    #[test]
    fn a_path_is_whole_where_nobody_is_known_to_read_it_or_where_they_stand_far_away() {
        let mut world = make_world("/bin/autoresearch", "2026-01-02T03:04:05Z");
        let show = |world: &World| world.path_from_here(Path::new("/r/autoresearch-results/fast"));
        assert_eq!(show(&world), "/r/autoresearch-results/fast");
        for (place, shown) in [
            ("/r", "autoresearch-results/fast"),
            ("/r/src", "../autoresearch-results/fast"),
            ("/elsewhere", "/r/autoresearch-results/fast"),
        ] {
            world.reader_at = Some(PathBuf::from(place));
            assert_eq!(show(&world), shown, "{place}");
        }
    }

    #[test]
    fn a_variable_is_found_by_its_whole_name() {
        let world = make_world("/bin/autoresearch", "2026-01-02T03:04:05Z");
        assert_eq!(world.find_variable("NAME"), Some(&OsString::from("value")));
        assert_eq!(
            ["NAM", "name", ""].map(|name| world.find_variable(name)),
            [None; 3]
        );
    }

    #[test]
    fn an_interruption_is_seen_by_every_copy_of_the_world() {
        let world = make_world("/bin/autoresearch", "2026-01-02T03:04:05Z");
        let copy = world.clone();
        assert!(!copy.is_interrupted());
        world.interrupted.store(true, Ordering::Relaxed);
        assert!(copy.is_interrupted() && !copy.dealing.load(Ordering::Relaxed));
        copy.deal_with_interruption();
        assert!(world.dealing.load(Ordering::Relaxed));
    }

    proptest::proptest! {
        #[test]
        fn a_path_that_is_shown_from_a_folder_leads_back_to_it(
            folder in proptest::collection::vec("[ab]", 0..7),
            path in proptest::collection::vec("[ab]", 0..7),
        ) {
            let absolute = |parts: &[String]| Path::new("/").join(parts.join("/"));
            let (folder, path) = (absolute(&folder), absolute(&path));
            if let Some(seen) = seen_from(&folder, &path) {
                let mut at = folder;
                for part in seen.components() {
                    match part {
                        std::path::Component::ParentDir => assert!(at.pop()),
                        std::path::Component::CurDir => {}
                        part => at.push(part),
                    }
                }
                assert_eq!(at, path);
            } else {
                assert!(!path.starts_with(&folder), "below the folder it is always shown");
            }
        }
    }
}
