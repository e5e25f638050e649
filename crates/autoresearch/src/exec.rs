//! Owns the running of the user's commands: a deadline that holds, output to files, and no process left behind.
//! Does not judge what a command printed.
//! Invariant: when `run` returns, every process that the command started has ended.
//!
//! A command runs under a small runner, this same program, in a session of its own. The runner adopts whatever the
//! command leaves behind (Linux: child subreaper) and ends it. The runner's standard input is a pipe from us: when we
//! die, however we die, it closes and the runner ends the command.

mod descendants;
mod runner;

use std::ffi::OsString;
use std::io::Read;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde::{Deserialize, Serialize};

pub use self::runner::main as runner_main;
use crate::env::{Stopwatch, World};

/// The hidden subcommand under which this program is the runner.
pub const RUNNER: &str = "__run";
/// Time between TERM and KILL.
pub const GRACE: Duration = Duration::from_secs(2);
/// What a command may print to each of its two streams, in bytes.
pub const MAX_OUTPUT: u64 = 64 << 20;

/// A command to run.
#[derive(Debug, Serialize, Deserialize)]
pub struct Job {
    /// The text for `/bin/sh -c`.
    pub command: String,
    /// Where it runs.
    pub directory: PathBuf,
    /// When it is ended, in milliseconds.
    pub timeout_ms: u64,
    /// Where its standard output goes.
    pub stdout: PathBuf,
    /// Where its standard error goes.
    pub stderr: PathBuf,
}

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum How {
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

/// A finished command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// How it ended.
    pub how: How,
    /// Processes that it left behind and that were ended.
    pub swept: u32,
}

/// A command could not be run at all.
#[derive(Debug, thiserror::Error)]
pub enum ExecError {
    /// The runner could not be started.
    #[error("could not start {}", program.display())]
    Start {
        /// The runner's path.
        program: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// Waiting failed.
    #[error("could not wait for `{command}`")]
    Wait {
        /// The command.
        command: String,
        /// The system's error.
        source: std::io::Error,
    },
}

/// Runs a command in the given environment and waits until all of it has ended.
pub fn run(world: &World, job: &Job, env: &[(OsString, OsString)]) -> Result<Ended, ExecError> {
    descendants::adopt();
    let spec = serde_json::to_string(job).unwrap_or_default();
    let mut runner = spawn(&world.program, &spec, env).map_err(|source| ExecError::Start {
        program: world.program.clone(),
        source,
    })?;
    let wait_error = |source| ExecError::Wait {
        command: job.command.clone(),
        source,
    };
    let report = listen(world, &mut runner, job).map_err(wait_error)?;
    runner.wait().map_err(wait_error)?;
    let swept = descendants::end_all();
    let mut ended = report.unwrap_or(Ended {
        how: How::Signalled(9),
        swept: 0,
    });
    ended.swept += swept;
    if world.is_interrupted() && !matches!(ended.how, How::Exited(_)) {
        ended.how = How::Cancelled;
    }
    Ok(ended)
}

#[expect(clippy::disallowed_methods, reason = "this is the home of spawning")]
fn spawn(program: &Path, spec: &str, env: &[(OsString, OsString)]) -> std::io::Result<Child> {
    Command::new(program)
        .args([RUNNER, spec])
        .env_clear()
        .envs(env.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
}

/// Waits for the runner's report: the last line of its output. `None` when it died without one.
fn listen(world: &World, runner: &mut Child, job: &Job) -> std::io::Result<Option<Ended>> {
    let mut lifeline = runner.stdin.take();
    let Some(mut stdout) = runner.stdout.take() else {
        return Ok(None);
    };
    let watch = Stopwatch::start();
    let patience = Duration::from_millis(job.timeout_ms) + GRACE * 4;
    let mut report = Vec::new();
    loop {
        let mut fds = [PollFd::new(&stdout, PollFlags::IN)];
        let tick = Timespec {
            tv_sec: 0,
            tv_nsec: 200_000_000,
        };
        match poll(&mut fds, Some(&tick)) {
            Ok(0) | Err(rustix::io::Errno::INTR) => {}
            Ok(_) => {
                let mut chunk = [0; 4096];
                match stdout.read(&mut chunk)? {
                    0 => break,
                    length => report.extend_from_slice(&chunk[..length]),
                }
            }
            Err(error) => return Err(error.into()),
        }
        if world.is_interrupted() {
            drop(lifeline.take());
        }
        if watch.elapsed() > patience {
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
