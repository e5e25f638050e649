//! Owns the bench of a campaign: a lived-in repository, its state folder, and the commands that are called in it.
//! Does not judge what they answer.
//! Invariant: everything is below one temporary folder, and goes with it, and so does every process that knows it.

use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};
use serde_json::Value;
use tempfile::TempDir;

use super::rounds;
use super::small_disk::SmallDisk;

/// A command that takes longer is stuck.
const DEADLINE: Duration = Duration::from_mins(3);
/// Between two looks at a command.
const PAUSE: Duration = Duration::from_millis(1);

/// Where the parts of a bench are.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    pub repo: PathBuf,
    pub state: PathBuf,
    pub temporary: PathBuf,
}

/// A repository with everything that belongs to it.
pub(crate) struct Bench {
    /// On which a part of it may be. Goes before the folder in which it is mounted.
    pub disk: Option<SmallDisk>,
    /// Dropped last.
    _folder: TempDir,
    pub base: PathBuf,
    pub places: Places,
}

/// What a command answered.
pub(crate) struct Said {
    /// -1 where a signal ended it.
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl std::fmt::Debug for Said {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "code {}: {}{}", self.code, self.out, self.err)
    }
}

impl Said {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(self.out.trim()).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    #[track_caller]
    pub(crate) fn ok(self, place: &str) -> Self {
        assert_eq!(self.code, 0, "{place}: {self:?}");
        self
    }
}

/// A folder for one round.
pub(crate) fn make_folder() -> TempDir {
    tempfile::Builder::new()
        .prefix("ar-campaign-")
        .tempdir()
        .unwrap()
}

impl Bench {
    /// A bench below a folder, with its parts in these places.
    pub(crate) fn new(folder: TempDir, places: impl FnOnce(&Path) -> Places) -> Self {
        let base = folder.path().canonicalize().unwrap();
        let places = places(&base);
        let bench = Self {
            disk: None,
            _folder: folder,
            base,
            places,
        };
        let home = bench.base.join("home");
        for place in [&home, &bench.places.repo, &bench.places.temporary] {
            std::fs::create_dir_all(place).unwrap();
        }
        bench
    }

    /// The usual places.
    pub(crate) fn side_by_side(base: &Path) -> Places {
        Places {
            repo: base.join("repo"),
            state: base.join("state"),
            temporary: base.join("tmp"),
        }
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        write_file(&self.places.repo.join(name), text);
    }

    /// A program in the surroundings of the bench, and in a process group of its own.
    fn prepare(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(&self.places.repo)
            .process_group(0)
            .stdin(std::process::Stdio::null())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.base.join("home"))
            .env("TMPDIR", &self.places.temporary)
            .env("SEALED_STATE", &self.places.state)
            .env("SEALED_DATA", self.base.join("home/data"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("LANG", "C.UTF-8");
        command
    }

    /// The program under test: this one, by other words.
    pub(crate) fn tool(&self, words: &[&str]) -> Command {
        let mut command = self.prepare(&std::env::current_exe().unwrap());
        command.args(words);
        command
    }

    pub(crate) fn run(&self, words: &[&str]) -> Said {
        self.started(self.tool(words)).finish()
    }

    /// git, as the user would call it.
    pub(crate) fn try_git(&self, words: &[&str]) -> Said {
        let mut command = self.prepare(Path::new("git"));
        command.args(words).env("GIT_CONFIG_GLOBAL", "/dev/null");
        for who in ["AUTHOR", "COMMITTER"] {
            command
                .env(format!("GIT_{who}_NAME"), "Tester")
                .env(format!("GIT_{who}_EMAIL"), "tester@localhost")
                .env(format!("GIT_{who}_DATE"), "2026-01-01T00:00:00Z");
        }
        self.started(command).finish()
    }

    #[track_caller]
    pub(crate) fn git(&self, words: &[&str]) -> String {
        let said = self.try_git(words);
        assert_eq!(said.code, 0, "git {words:?}: {said:?}");
        said.out
    }

    /// Starts a command; what it prints goes to files, which nobody waits for.
    pub(crate) fn started(&self, mut command: Command) -> Started<'_> {
        let out = tempfile::tempfile_in(&self.base).unwrap();
        let err = tempfile::tempfile_in(&self.base).unwrap();
        let child = command
            .stdout(out.try_clone().unwrap())
            .stderr(err.try_clone().unwrap())
            .spawn()
            .unwrap();
        Started {
            bench: self,
            child,
            out,
            err,
            begun: Instant::now(),
        }
    }

    /// The processes that know this bench.
    pub(crate) fn processes(&self) -> Vec<(Pid, String)> {
        list_processes(&self.base)
    }

    /// Kills every process that knows this bench.
    pub(crate) fn kill_all(&self) {
        kill_processes(&self.base);
    }

    /// Waits for the end of every process that knows this bench.
    #[track_caller]
    pub(crate) fn expect_no_process(&self, place: &str) {
        let begun = Instant::now();
        while !self.processes().is_empty() {
            rounds::end_if_interrupted();
            assert!(
                begun.elapsed() < DEADLINE,
                "{place}: processes were left: {:?}",
                self.processes()
            );
            std::thread::sleep(PAUSE * 5);
        }
    }
}

/// The processes that know a folder: their environment names it.
fn list_processes(folder: &Path) -> Vec<(Pid, String)> {
    let mark = folder.to_string_lossy().into_owned().into_bytes();
    let own = std::process::id();
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let mut found = Vec::new();
    for number in numbers.filter(|number: &i32| u32::try_from(*number) != Ok(own)) {
        let read = |file| std::fs::read(format!("/proc/{number}/{file}")).unwrap_or_default();
        let environment = read("environ");
        let is_ours = environment
            .windows(mark.len())
            .any(|part| part == mark.as_slice());
        if let (true, Some(pid)) = (is_ours, Pid::from_raw(number)) {
            let name = String::from_utf8_lossy(&read("comm")).trim().to_owned();
            found.push((pid, name));
        }
    }
    found
}

/// Kills every process that knows a folder.
pub(crate) fn kill_processes(folder: &Path) {
    loop {
        let left = list_processes(folder);
        if left.is_empty() {
            return;
        }
        for (pid, _) in left {
            let _ = rustix::process::kill_process(pid, Signal::KILL);
        }
        std::thread::sleep(PAUSE);
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.kill_all();
    }
}

/// Makes a file with its folders.
pub(crate) fn write_file(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// A command that runs.
pub(crate) struct Started<'b> {
    bench: &'b Bench,
    child: Child,
    out: File,
    err: File,
    begun: Instant,
}

impl Started<'_> {
    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Is it still at work when the time is over?
    pub(crate) fn outlasts(&mut self, time: Duration) -> bool {
        while self.begun.elapsed() < time {
            if self.has_ended() {
                return false;
            }
            std::thread::sleep(PAUSE / 5);
        }
        !self.has_ended()
    }

    /// How long it has run until now.
    pub(crate) fn age(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Waits for its end, within the deadline.
    pub(crate) fn finish(mut self) -> Said {
        let status = self.wait();
        let read = |file: &mut File| {
            let mut bytes = Vec::new();
            std::io::Seek::rewind(file).unwrap();
            std::io::Read::read_to_end(file, &mut bytes).unwrap();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        Said {
            code: status.code().unwrap_or(-1),
            out: read(&mut self.out),
            err: read(&mut self.err),
        }
    }

    fn wait(&mut self) -> ExitStatus {
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            if rounds::is_interrupted() || self.begun.elapsed() > DEADLINE {
                self.bench.kill_all();
                let _ = self.child.wait();
                rounds::end_if_interrupted();
                panic!("a command is stuck after {DEADLINE:?}");
            }
            std::thread::sleep(PAUSE);
        }
    }
}
