//! Owns the local executor: a job under its runner, on this machine.
//! Does not keep the deadline; the runner does, and is ended here when it does not.
//! Invariant: a runner that was killed has reported nothing, whatever came through its socket.

use std::borrow::Cow;
use std::ffi::OsString;
use std::fs::File;
use std::io::{Read, Seek};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustix::fs::OFlags;

use super::descendants::{adopt_orphans, end_orphans, forget_kept, spawn_kept};
use super::executor::Executor;
use super::job::{
    CommandEnd, CommandOutput, EndedCommand, ExecError, GRACE, Job, MAX_OUTPUT, RUNNER,
};
use super::readiness::is_ready;
use super::temporary::TemporaryFolder;
use crate::env::{Stopwatch, World};

/// The variables by which programs find their temporary folder.
const TEMPORARY: [&str; 3] = ["TMPDIR", "TMP", "TEMP"];
/// A second signal within this time after the first is an echo of it.
const ECHO: Duration = Duration::from_millis(500);

/// Runs jobs on this machine, in the given environment.
pub struct LocalExecutor<'a> {
    world: &'a World,
    env: &'a [(OsString, OsString)],
    cancelled: AtomicBool,
}

impl<'a> LocalExecutor<'a> {
    #[must_use]
    pub fn new(world: &'a World, env: &'a [(OsString, OsString)]) -> Self {
        Self {
            world,
            env,
            cancelled: AtomicBool::new(false),
        }
    }

    fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    fn spawn_runner(
        &self,
        job: &Job,
        [stdin, stdout, stderr]: [Stdio; 3],
        temporary: Option<&TemporaryFolder>,
    ) -> std::io::Result<Child> {
        let place = temporary.map(TemporaryFolder::path);
        let mut job = Cow::Borrowed(job);
        if let Some(place) = place.as_ref().filter(|_| job.confinement.is_some()) {
            let confinement = job.to_mut().confinement.as_mut();
            let place = place.canonicalize()?;
            confinement.map(|it| it.temporary.replace(place));
        }
        let named = place
            .iter()
            .flat_map(|place| TEMPORARY.map(|name| (name, place)));
        #[expect(clippy::disallowed_methods, reason = "this is the home of spawning")]
        let mut command = Command::new(&self.world.program);
        command
            .args([RUNNER, &serde_json::to_string(&*job)?])
            .env_clear()
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .envs(named)
            .stdin(stdin)
            .stdout(stdout)
            .stderr(stderr);
        spawn_kept(&mut command)
    }

    fn make_temporary(&self, job: &Job) -> Result<Option<TemporaryFolder>, ExecError> {
        let state = &self.world.state_folder;
        let wanted = job.own_temporary.then(|| TemporaryFolder::make(state));
        wanted.transpose().map_err(|source| ExecError::Temporary {
            folder: state.clone(),
            source,
        })
    }

    /// A file without a name for what a command prints. Whoever goes back in it writes at its end nevertheless.
    fn make_output(&self) -> std::io::Result<File> {
        let file = tempfile::tempfile_in(&self.world.state_folder)?;
        let flags = rustix::fs::fcntl_getfl(&file)?;
        rustix::fs::fcntl_setfl(&file, flags | OFlags::APPEND)?;
        Ok(file)
    }

    /// Waits for the runner's report, which it sends before it ends. `None` when it died without one.
    fn wait_for_report(
        &self,
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
            if self.world.is_interrupted() || self.is_cancelled() {
                // The runner sees the end of its input; its report can still come.
                let _ = runner_end.shutdown(Shutdown::Write);
                let since = noticed.get_or_insert_with(Stopwatch::start).elapsed();
                if self.world.is_interrupted() && since > ECHO {
                    self.world.deal_with_interruption();
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

    /// Waits until the runner and everything below it have ended.
    fn end_runner(
        &self,
        mut runner: Child,
        ours: UnixStream,
        job: &Job,
    ) -> std::io::Result<EndedCommand> {
        let report = self.wait_for_report(&mut runner, ours, job)?;
        let ended_well = runner.wait()?.success();
        forget_kept(&runner);
        let swept = end_orphans();
        let killed = || EndedCommand::without_use(CommandEnd::Signalled(9));
        let mut ended = report.filter(|_| ended_well).unwrap_or_else(killed);
        ended.swept += swept;
        Ok(ended)
    }
}

impl Executor for LocalExecutor<'_> {
    fn run_job(&self, job: &Job) -> Result<(EndedCommand, CommandOutput), ExecError> {
        if self.is_cancelled() {
            let ended = EndedCommand::without_use(CommandEnd::Cancelled);
            return Ok((ended, CommandOutput::default()));
        }
        adopt_orphans();
        let start_error = |source| ExecError::Start {
            program: self.world.program.clone(),
            source,
        };
        let wait_error = |source| ExecError::Wait {
            command: job.command.to_string(),
            source,
        };
        let nameless = || self.make_output().map_err(start_error);
        let (stdout, stderr) = (nameless()?, nameless()?);
        let temporary = self.make_temporary(job)?;
        let (ours, theirs) = UnixStream::pair().map_err(start_error)?;
        let streams = [
            OwnedFd::from(theirs).into(),
            copy_to_stdio(&stdout)?,
            copy_to_stdio(&stderr)?,
        ];
        let runner = self
            .spawn_runner(job, streams, temporary.as_ref())
            .map_err(start_error)?;
        let mut ended = self.end_runner(runner, ours, job).map_err(wait_error)?;
        if [&stdout, &stderr]
            .iter()
            .any(|file| file.metadata().is_ok_and(|meta| meta.len() > MAX_OUTPUT))
        {
            ended.how = CommandEnd::Flooded;
        }
        let was_asked = self.world.is_interrupted() || self.is_cancelled();
        if was_asked && !matches!(ended.how, CommandEnd::Exited(_)) {
            ended.how = CommandEnd::Cancelled;
        }
        let printed = CommandOutput {
            stdout: read_output(&stdout).map_err(wait_error)?,
            stderr: read_output(&stderr).map_err(wait_error)?,
        };
        Ok((ended, printed))
    }

    fn cancel_jobs(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }
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
