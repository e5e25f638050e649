//! Owns the runner: the process between us and a user's command, which keeps the deadline and sweeps up.
//! Does not know runs or trials.
//! Invariant: it ends its command when its deadline passes, its output floods, or its standard input closes.

use std::fs::File;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

use super::{Ended, GRACE, How, Job, MAX_OUTPUT, What, descendants, is_ready};
use crate::env::Stopwatch;

/// How often the size of the output is looked at.
const GLANCE: Duration = Duration::from_millis(50);

/// Runs the job given as JSON and sends the report through standard input, a socket. Returns the exit code.
#[must_use]
pub fn main(spec: &str) -> u8 {
    // A session of our own: the terminal's signals reach us only through the pipe.
    let _ = rustix::process::setsid();
    descendants::adopt();
    let ended = match serde_json::from_str::<Job>(spec) {
        Ok(job) => run(&job).unwrap_or_else(|error| Ended {
            how: How::NotStarted(error.to_string()),
            swept: 0,
        }),
        Err(error) => Ended {
            how: How::NotStarted(error.to_string()),
            swept: 0,
        },
    };
    // Without a report the run is told that its runner failed, never that the command printed nothing.
    let Ok(report) = serde_json::to_vec(&ended) else {
        return 1;
    };
    u8::from(rustix::io::write(std::io::stdin().as_fd(), &report).is_err())
}

fn run(job: &Job) -> std::io::Result<Ended> {
    let (wake, child_ended) = UnixStream::pair()?;
    child_ended.set_nonblocking(true)?;
    signal_hook::low_level::pipe::register(signal_hook::consts::SIGCHLD, wake)?;
    let mut child = spawn(job)?;
    let outputs = [
        File::from(std::io::stdout().as_fd().try_clone_to_owned()?),
        File::from(std::io::stderr().as_fd().try_clone_to_owned()?),
    ];
    let watch = Stopwatch::start();
    let deadline = Duration::from_millis(job.timeout_ms);
    let stdin = std::io::stdin();
    let reason = loop {
        if let Some(status) = child.try_wait()? {
            let how = status
                .code()
                .map_or_else(|| How::Signalled(status.signal().unwrap_or(9)), How::Exited);
            return Ok(Ended {
                how,
                swept: sweep(&child),
            });
        }
        let left = deadline.saturating_sub(watch.elapsed());
        if left.is_zero() {
            break How::TimedOut;
        }
        if outputs
            .iter()
            .any(|file| file.metadata().is_ok_and(|meta| meta.len() > MAX_OUTPUT))
        {
            break How::Flooded;
        }
        if is_ready(&[&child_ended, &stdin], left.min(GLANCE)) {
            if is_ready(&[&stdin], Duration::ZERO) {
                break How::Cancelled;
            }
            drain(&child_ended);
        }
    };
    end(&mut child)?;
    Ok(Ended {
        how: reason,
        swept: sweep(&child),
    })
}

#[expect(clippy::disallowed_methods, reason = "this is the home of spawning")]
fn spawn(job: &Job) -> std::io::Result<Child> {
    let mut command = match &job.command {
        What::Shell(text) => {
            let mut shell = Command::new("/bin/sh");
            shell.arg("-c").arg(text);
            shell
        }
        What::Bash(text) => {
            let mut shell = Command::new("bash");
            shell.args(["-o", "pipefail", "-c"]).arg(text);
            shell
        }
        What::Words(words) => {
            let mut words = words.iter();
            let mut command = Command::new(words.next().map_or("", String::as_str));
            command.args(words);
            command
        }
    };
    let input = match &job.input {
        Some(file) => File::open(file)?.into(),
        None => Stdio::null(),
    };
    command
        .current_dir(&job.directory)
        .stdin(input)
        .process_group(0)
        .spawn()
}

fn drain(stream: &UnixStream) {
    let mut chunk = [0; 64];
    while matches!(rustix::io::read(stream.as_fd(), &mut chunk), Ok(length) if length == chunk.len())
    {
    }
}

/// TERM to the group, time to clean up, then KILL.
fn end(child: &mut Child) -> std::io::Result<()> {
    signal(child, Signal::TERM);
    let watch = Stopwatch::start();
    while watch.elapsed() < GRACE {
        if child.try_wait()?.is_some() && !has_group(child) {
            return Ok(());
        }
        crate::env::pause(Duration::from_millis(5));
    }
    signal(child, Signal::KILL);
    child.wait()?;
    Ok(())
}

fn sweep(child: &Child) -> u32 {
    signal(child, Signal::KILL);
    descendants::end_all()
}

fn signal(child: &Child, signal: Signal) {
    if let Some(group) = group(child) {
        let _ = kill_process_group(group, signal);
    }
}

/// Does the command's process group still have a member that is not a zombie of ours?
fn has_group(child: &Child) -> bool {
    descendants::reap();
    group(child).is_some_and(|group| rustix::process::test_kill_process_group(group).is_ok())
}

fn group(child: &Child) -> Option<Pid> {
    i32::try_from(child.id()).ok().and_then(Pid::from_raw)
}
