//! Owns the runner: the process between us and a user's command, which keeps the deadline and sweeps up.
//! Does not know runs or trials.
//! Invariant: it ends its command when its deadline passes, its output floods, or its standard input closes.

use std::fs::File;
use std::io::Write;
use std::ops::ControlFlow;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use rustix::process::{Pid, Signal, kill_process_group};

use super::busy_cores::BusyCores;
use super::descendants;
use super::file_answers::answer_query;
use super::file_query::FileQuery;
use super::job::{CommandEnd, CommandLine, EndedCommand, GRACE, Job, MAX_OUTPUT, ResourceUse};
use super::readiness::is_ready;
use super::sandbox::close_sandbox;
use super::view::open_view;
use crate::env::Stopwatch;
use crate::polling::{PollLimit, poll_until};
use crate::regular_files::open_file;

/// How often the size of the output is looked at.
const GLANCE: Duration = Duration::from_millis(50);
/// How long what a command left behind may take to end by itself, as the last part of a pipe does.
const LINGERING: Duration = Duration::from_millis(100);
/// In what the system counts memory: bytes on macOS, KiB elsewhere.
const RSS_UNIT: u64 = if cfg!(target_os = "macos") { 1 } else { 1_024 };

/// Runs the job given as JSON and sends the report through standard input, a socket. Returns the exit code.
#[must_use]
pub fn main(spec: &str) -> u8 {
    // A session of our own: the terminal's signals reach us only through the pipe.
    let _ = rustix::process::setsid();
    descendants::adopt_orphans();
    let ended = match serde_json::from_str::<Job>(spec) {
        Ok(job) => run_job(&job).unwrap_or_else(|error| refuse_start(&error)),
        Err(error) => refuse_start(&error),
    };
    // Without a report the run is told that its runner failed, never that the command printed nothing.
    let Ok(report) = serde_json::to_vec(&ended) else {
        return 1;
    };
    u8::from(rustix::io::write(std::io::stdin().as_fd(), &report).is_err())
}

fn refuse_start(error: &impl ToString) -> EndedCommand {
    EndedCommand::without_use(CommandEnd::NotStarted(error.to_string()))
}

fn run_job(job: &Job) -> std::io::Result<EndedCommand> {
    if let Some(Err(error)) = job.view.as_ref().map(open_view) {
        let how = CommandEnd::NotShown(error.to_string());
        return Ok(EndedCommand::without_use(how));
    }
    if let CommandLine::Files(query) = &job.command {
        return answer_files(job, query);
    }
    if let Some(Err(error)) = job.confinement.as_ref().map(close_sandbox) {
        let how = CommandEnd::NotConfined(error.to_string());
        return Ok(EndedCommand::without_use(how));
    }
    let (wake, child_ended) = UnixStream::pair()?;
    child_ended.set_nonblocking(true)?;
    signal_hook::low_level::pipe::register(signal_hook::consts::SIGCHLD, wake)?;
    let _beside = if job.conditions.busy_cores {
        Some(BusyCores::start()?)
    } else {
        None
    };
    let watch = Stopwatch::start();
    let mut child = spawn_command(job)?;
    let outputs = [
        File::from(std::io::stdout().as_fd().try_clone_to_owned()?),
        File::from(std::io::stderr().as_fd().try_clone_to_owned()?),
    ];
    let deadline = Duration::from_millis(job.timeout_ms);
    let stdin = std::io::stdin();
    let reason = loop {
        if let Some(status) = child.try_wait()? {
            let how = status.code().map_or_else(
                || CommandEnd::Signalled(status.signal().unwrap_or(9)),
                CommandEnd::Exited,
            );
            return Ok(end_measured(&child, how, watch.elapsed()));
        }
        let left = deadline.saturating_sub(watch.elapsed());
        if left.is_zero() {
            break CommandEnd::TimedOut;
        }
        if outputs
            .iter()
            .any(|file| file.metadata().is_ok_and(|meta| meta.len() > MAX_OUTPUT))
        {
            break CommandEnd::Flooded;
        }
        if is_ready(&[&child_ended, &stdin], left.min(GLANCE)) {
            if is_ready(&[&stdin], Duration::ZERO) {
                break CommandEnd::Cancelled;
            }
            drain_stream(&child_ended);
        }
    };
    end_command(&mut child)?;
    Ok(EndedCommand {
        swept: end_left_processes(&child),
        ..EndedCommand::without_use(reason)
    })
}

/// Sweeps up behind a command that has ended, and says what it used. Its children have all been waited for then, so that
/// the system has added theirs.
fn end_measured(child: &Child, how: CommandEnd, wall: Duration) -> EndedCommand {
    let (reaped, runs_on) = descendants::await_children(LINGERING);
    let swept = reaped + end_left_processes(child);
    let whole = |micros: u128| u64::try_from(micros).unwrap_or(u64::MAX);
    let mut used = ResourceUse {
        wall_us: whole(wall.as_micros()),
        runs_on,
        ..ResourceUse::default()
    };
    if let Ok(usage) = getrusage(UsageWho::RUSAGE_CHILDREN) {
        let cpu = usage.user_time() + usage.system_time();
        used.cpu_us = u64::try_from(cpu.num_microseconds()).unwrap_or_default();
        used.peak_bytes = u64::try_from(usage.max_rss()).unwrap_or_default() * RSS_UNIT;
    }
    EndedCommand { how, swept, used }
}

/// Answers a question about files; the answer goes to standard output.
fn answer_files(job: &Job, query: &FileQuery) -> std::io::Result<EndedCommand> {
    let watch = Stopwatch::start();
    let deadline = Duration::from_millis(job.timeout_ms);
    let stdin = std::io::stdin();
    let end_check = || {
        if is_ready(&[&stdin], Duration::ZERO) {
            Some(CommandEnd::Cancelled)
        } else {
            (watch.elapsed() > deadline).then_some(CommandEnd::TimedOut)
        }
    };
    let how = match answer_query(&find_directory(job), query, &end_check) {
        Ok(answer) => {
            let mut out = std::io::stdout().lock();
            out.write_all(&serde_json::to_vec(&answer)?)?;
            out.flush()?;
            CommandEnd::Exited(0)
        }
        Err(how) => how,
    };
    Ok(EndedCommand::without_use(how))
}

/// Where the job runs, as it sees it.
fn find_directory(job: &Job) -> PathBuf {
    match &job.view {
        Some(view) => view.translate_path(&job.directory),
        None => job.directory.clone(),
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the home of spawning")]
fn spawn_command(job: &Job) -> std::io::Result<Child> {
    let mut command = match &job.command {
        CommandLine::Shell(text) => {
            let mut shell = Command::new("/bin/sh");
            shell.arg("-c").arg(text);
            shell
        }
        CommandLine::Bash(text) => {
            let mut shell = Command::new("bash");
            shell.args(["-o", "pipefail", "-c"]).arg(text);
            shell
        }
        CommandLine::Words(words) => {
            let mut words = words.iter();
            let mut command = Command::new(words.next().map_or("", String::as_str));
            command.args(words);
            command
        }
        CommandLine::Files(_) => return Err(std::io::Error::other("a query is not a program")),
    };
    let input = match &job.input {
        Some(file) => open_file(file)?.into(),
        None => Stdio::null(),
    };
    command
        .current_dir(find_directory(job))
        .envs(&job.conditions.variables)
        .stdin(input)
        .process_group(0)
        .spawn()
}

fn drain_stream(stream: &UnixStream) {
    let mut chunk = [0; 64];
    while matches!(rustix::io::read(stream.as_fd(), &mut chunk), Ok(length) if length == chunk.len())
    {
    }
}

/// TERM to the group, time to clean up, then KILL.
fn end_command(child: &mut Child) -> std::io::Result<()> {
    signal_group(child, Signal::TERM);
    let pause = Duration::from_millis(5);
    let has_gone = poll_until(PollLimit::Time(GRACE), pause, || match child.try_wait() {
        Err(error) => ControlFlow::Break(Err(error)),
        Ok(Some(_)) if !is_group_alive(child) => ControlFlow::Break(Ok(true)),
        Ok(_) => ControlFlow::Continue(Ok(false)),
    })?;
    if has_gone {
        return Ok(());
    }
    signal_group(child, Signal::KILL);
    child.wait()?;
    Ok(())
}

fn end_left_processes(child: &Child) -> u32 {
    signal_group(child, Signal::KILL);
    descendants::end_all_children()
}

fn signal_group(child: &Child, signal: Signal) {
    if let Some(group) = find_group(child) {
        let _ = kill_process_group(group, signal);
    }
}

/// Does the command's process group still have a member that is not a zombie of ours?
fn is_group_alive(child: &Child) -> bool {
    descendants::reap_children();
    find_group(child).is_some_and(|group| rustix::process::test_kill_process_group(group).is_ok())
}

fn find_group(child: &Child) -> Option<Pid> {
    i32::try_from(child.id()).ok().and_then(Pid::from_raw)
}
