//! Owns the running of the user's commands: a deadline that holds, output to files, and no process left behind.
//! Does not judge what a command printed.
//! Invariant: when `run` returns, every process that the command started has ended.
//!
//! A command runs under a small runner, this same program, in a session of its own. The runner adopts whatever the
//! command leaves behind (Linux: child subreaper) and ends it. The runner's standard input is a socket to us: when we
//! die, however we die, it closes and the runner ends the command; the runner's report comes back through it. What the
//! command prints goes to files without a name, so that nobody else can write into them.

mod descendants;
mod runner;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::{Read, Seek};
use std::net::Shutdown;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use autoresearch_core::config::Shell;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde::{Deserialize, Serialize};

pub use self::runner::main as runner_main;
use crate::env::{Stopwatch, World};

/// The hidden subcommand under which this program is the runner.
pub const RUNNER: &str = "__run";
/// Time between TERM and KILL.
pub const GRACE: Duration = Duration::from_secs(2);
/// A second signal within this time after the first is an echo of it.
const ECHO: Duration = Duration::from_millis(500);
/// What a command may print to each of its two streams, in bytes.
pub const MAX_OUTPUT: u64 = 64 << 20;

/// A command to run.
#[derive(Debug, Serialize, Deserialize)]
pub struct Job {
    /// The text for a shell, or the words of a program that is started without a shell.
    pub command: CommandLine,
    pub directory: PathBuf,
    /// How long it may run, in milliseconds.
    pub timeout_ms: u64,
    /// The file that is its standard input; nothing otherwise.
    pub input: Option<PathBuf>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum CommandLine {
    /// A text for `/bin/sh -c`.
    Shell(String),
    /// A text for `bash -o pipefail -c`.
    Bash(String),
    /// A program and its arguments.
    Words(Vec<String>),
}

impl From<&autoresearch_core::config::UserCommand> for CommandLine {
    fn from(command: &autoresearch_core::config::UserCommand) -> Self {
        let text = command.command.clone();
        match command.shell {
            Shell::Sh => Self::Shell(text),
            Shell::Bash => Self::Bash(text),
        }
    }
}

impl std::fmt::Display for CommandLine {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Shell(text) | Self::Bash(text) => out.write_str(text),
            Self::Words(words) => out.write_str(&words.join(" ")),
        }
    }
}

/// What a command printed.
#[derive(Debug, Default)]
pub struct CommandOutput {
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
}

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CommandEnd {
    /// It exited with this status.
    Exited(i32),
    /// A signal ended it.
    Signalled(i32),
    /// It was ended at its deadline.
    TimedOut,
    /// It was ended because it printed too much.
    Flooded,
    /// It was ended because we were asked to end.
    Cancelled,
    /// It could not be started.
    NotStarted(String),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndedCommand {
    pub how: CommandEnd,
    /// Processes that it left behind and that were ended.
    pub swept: u32,
}

/// A command could not be run at all.
#[derive(Debug, thiserror::Error)]
pub enum ExecError {
    /// The runner could not be started.
    #[error("could not start {}", program.display())]
    Start {
        program: PathBuf,
        source: std::io::Error,
    },
    #[error("could not wait for `{command}`")]
    Wait {
        command: String,
        source: std::io::Error,
    },
}

/// Runs a command in the given environment and waits until all of it has ended.
pub fn run_command(
    world: &World,
    job: &Job,
    env: &[(OsString, OsString)],
) -> Result<(EndedCommand, CommandOutput), ExecError> {
    descendants::adopt_orphans();
    let start_error = |source| ExecError::Start {
        program: world.program.clone(),
        source,
    };
    let wait_error = |source| ExecError::Wait {
        command: job.command.to_string(),
        source,
    };
    let nameless = || tempfile::tempfile_in(&world.state_folder).map_err(start_error);
    let (stdout, stderr) = (nameless()?, nameless()?);
    let (ours, theirs) = UnixStream::pair().map_err(start_error)?;
    let mut runner = spawn_runner(
        world,
        job,
        env,
        [
            OwnedFd::from(theirs).into(),
            copy_to_stdio(&stdout)?,
            copy_to_stdio(&stderr)?,
        ],
    )
    .map_err(start_error)?;
    let report = wait_for_report(world, &mut runner, ours, job).map_err(wait_error)?;
    let ended_well = runner.wait().map_err(wait_error)?.success();
    let swept = descendants::end_all_children();
    // A runner that was killed has reported nothing, whatever came through its socket.
    let mut ended = report.filter(|_| ended_well).unwrap_or(EndedCommand {
        how: CommandEnd::Signalled(9),
        swept: 0,
    });
    ended.swept += swept;
    if [&stdout, &stderr]
        .iter()
        .any(|file| file.metadata().is_ok_and(|meta| meta.len() > MAX_OUTPUT))
    {
        ended.how = CommandEnd::Flooded;
    }
    if world.is_interrupted() && !matches!(ended.how, CommandEnd::Exited(_)) {
        ended.how = CommandEnd::Cancelled;
    }
    let printed = CommandOutput {
        stdout: read_output(&stdout).map_err(wait_error)?,
        stderr: read_output(&stderr).map_err(wait_error)?,
    };
    Ok((ended, printed))
}

fn copy_to_stdio(file: &File) -> Result<Stdio, ExecError> {
    let copied = file.try_clone();
    copied.map(Stdio::from).map_err(|source| ExecError::Start {
        program: PathBuf::from("output"),
        source,
    })
}

/// At most `MAX_OUTPUT` bytes from the start of a file.
fn read_output(mut file: &File) -> std::io::Result<Vec<u8>> {
    file.rewind()?;
    let mut bytes = Vec::new();
    file.take(MAX_OUTPUT).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[expect(clippy::disallowed_methods, reason = "this is the home of spawning")]
fn spawn_runner(
    world: &World,
    job: &Job,
    env: &[(OsString, OsString)],
    [stdin, stdout, stderr]: [Stdio; 3],
) -> std::io::Result<Child> {
    Command::new(&world.program)
        .args([RUNNER, &serde_json::to_string(job)?])
        .env_clear()
        .envs(env.iter().map(|(name, value)| (name, value)))
        .stdin(stdin)
        .stdout(stdout)
        .stderr(stderr)
        .spawn()
}

/// Starts a program that outlives us: nothing of ours is connected to it.
#[expect(clippy::disallowed_methods, reason = "this is the home of spawning")]
pub fn spawn_detached(
    program: &Path,
    words: &[OsString],
    env: &BTreeMap<OsString, OsString>,
) -> Result<Child, ExecError> {
    let child = Command::new(program)
        .args(words)
        .env_clear()
        .envs(env)
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    child.map_err(|source| ExecError::Start {
        program: program.to_owned(),
        source,
    })
}

/// Ends every process of this user whose environment holds this text (`NAME=value`), and says how many there were. It
/// finds what a turn left whose supervisor and runner were both killed. Linux only; elsewhere it finds nothing.
#[must_use]
pub fn end_marked_processes(mark: &str) -> u32 {
    descendants::end_marked_processes(mark)
}

/// Waits for the runner's report, which it sends before it ends. `None` when it died without one.
fn wait_for_report(
    world: &World,
    runner: &mut Child,
    mut runner_end: UnixStream,
    job: &Job,
) -> std::io::Result<Option<EndedCommand>> {
    let watch = Stopwatch::start();
    let patience = Duration::from_millis(job.timeout_ms) + GRACE * 4;
    let mut report = Vec::new();
    let mut noticed = None;
    loop {
        if is_ready(&[&runner_end], Duration::from_millis(200)) {
            let mut chunk = [0; 4096];
            match runner_end.read(&mut chunk) {
                Ok(0) | Err(_) => break,
                Ok(length) => report.extend_from_slice(&chunk[..length]),
            }
        }
        if world.is_interrupted() {
            // The runner sees the end of its input; its report can still come.
            let _ = runner_end.shutdown(Shutdown::Write);
            if noticed.get_or_insert_with(Stopwatch::start).elapsed() > ECHO {
                world.deal_with_interruption();
            }
        }
        // A runner that somebody stopped keeps no deadline.
        let hangs = noticed
            .as_ref()
            .is_some_and(|since| since.elapsed() > GRACE * 4);
        if hangs || watch.elapsed() > patience {
            runner.kill()?;
        }
    }
    Ok(serde_json::from_slice(&report).ok())
}

/// Is a descriptor readable or closed by the other side, now or within `wait`?
fn is_ready(fds: &[&dyn AsFd], wait: Duration) -> bool {
    let mut polled: Vec<PollFd<'_>> = fds
        .iter()
        .map(|fd| PollFd::from_borrowed_fd(fd.as_fd(), PollFlags::IN))
        .collect();
    let wait = Timespec {
        tv_sec: i64::try_from(wait.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: wait.subsec_nanos().into(),
    };
    matches!(poll(&mut polled, Some(&wait)), Ok(ready) if ready > 0)
}
