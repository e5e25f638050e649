//! Owns the running of verify and guard for one trial, and the files of their output.
//! Does not decide what follows.
//! Invariant: what is returned is what the command printed and how it ended, and the whole output is on disk.

use std::path::{Path, PathBuf};
use std::time::Duration;

use autoresearch_core::config::span::whole_millis;
use autoresearch_core::config::{Config, Outputs, UserCommand};
use autoresearch_core::journal::event::{CommandFailure as How, Why};
use autoresearch_core::metric::measurement::{Measurement, Reading, read_measurement};
use autoresearch_core::words::excerpt::make_excerpt;
use autoresearch_core::words::text::{clip_text, escape_text};
use serde::Serialize;

use autoresearch_sys::env::{Stopwatch, World};
use autoresearch_sys::error::{Failure, FailureKind, Result};
use autoresearch_sys::process;
use autoresearch_sys::process::{CommandLine, Job, MAX_OUTPUT};
use autoresearch_sys::store::{cut_middle, write_output};

/// Where and with what the commands of a trial run.
pub struct Bench<'a> {
    pub world: &'a World,
    pub work_tree: &'a Path,
    pub env: &'a [(std::ffi::OsString, std::ffi::OsString)],
    /// The folder for the output.
    pub folder: PathBuf,
    /// The beginning of the output files' names.
    pub prefix: String,
    /// Runs of verify so far.
    pub runs: u32,
    /// Runs of the guard so far.
    pub guard_runs: u32,
    /// Time spent in verify.
    pub verify_time: Duration,
    /// Time spent in the guard.
    pub guard_time: Duration,
    /// What the last output says most clearly, for messages.
    pub tail: String,
    /// The last lines that the last command wrote to standard error.
    pub said: String,
    /// Processes that commands left behind and that were ended.
    pub swept: u32,
    /// How verify's output is read; without one, the first output shows it.
    pub reading: Option<Reading>,
    /// How many bytes of an output are kept.
    pub most: u64,
}

/// The outcome of a command that was not cancelled.
type CommandResult = std::result::Result<String, How>;

impl<'a> Bench<'a> {
    /// A bench whose output goes to a folder that exists.
    #[must_use]
    pub fn new(
        world: &'a World,
        work_tree: &'a Path,
        env: &'a [(std::ffi::OsString, std::ffi::OsString)],
        folder: PathBuf,
        prefix: &str,
    ) -> Self {
        Self {
            world,
            work_tree,
            env,
            folder,
            prefix: prefix.to_owned(),
            runs: 0,
            guard_runs: 0,
            verify_time: Duration::ZERO,
            guard_time: Duration::ZERO,
            tail: String::new(),
            said: String::new(),
            swept: 0,
            reading: None,
            most: Outputs::default().file_bytes(),
        }
    }

    /// Runs verify once and reads its metric.
    pub fn run_verify(&mut self, config: &Config) -> Result<std::result::Result<Measurement, Why>> {
        self.runs += 1;
        let name = format!("verify-{}", self.runs);
        let watch = Stopwatch::start();
        let outcome = self.run_command(&config.verify, &name)?;
        self.verify_time += watch.elapsed();
        Ok(match outcome {
            Err(how) => Err(Why::VerifyFailed(how)),
            Ok(stdout) => match read_measurement(&stdout, &config.metric, self.reading.as_ref()) {
                Ok((measurement, reading)) => {
                    self.reading = Some(reading);
                    Ok(measurement)
                }
                Err(reason) => Err(Why::NoMetric(escape_text(&reason.to_string()))),
            },
        })
    }

    pub fn run_guard(&mut self, guard: &UserCommand) -> Result<std::result::Result<(), How>> {
        self.guard_runs += 1;
        let name = match self.guard_runs {
            1 => "guard".to_owned(),
            more => format!("guard-{more}"),
        };
        let watch = Stopwatch::start();
        let outcome = self.run_command(guard, &name)?;
        self.guard_time += watch.elapsed();
        Ok(outcome.map(drop))
    }

    fn run_command(&mut self, command: &UserCommand, name: &str) -> Result<CommandResult> {
        let limit = autoresearch_core::config::span::format_span(command.timeout);
        (self.world.progress)(&format!("{name} runs, for at most {limit}"));
        let directory = self.work_tree.join(&command.working_directory);
        let job = Job {
            command: CommandLine::from(command),
            directory,
            timeout_ms: whole_millis(command.timeout),
            input: None,
        };
        let (ended, printed) = process::run_command(self.world, &job, self.env)?;
        self.swept += ended.swept;
        for (end, bytes) in [("out", &printed.stdout), ("err", &printed.stderr)] {
            write_output(
                &self.folder.join(format!("{}{name}.{end}", self.prefix)),
                &cut_middle(bytes, self.most),
            )?;
        }
        let [stdout, stderr] =
            [&printed.stdout, &printed.stderr].map(|bytes| String::from_utf8_lossy(bytes));
        self.tail = make_excerpt(&stderr, &stdout);
        self.said = last_lines(&stderr);
        let ok = |status: &i32| {
            u8::try_from(*status).is_ok_and(|status| command.ok_exit.contains(&status))
        };
        Ok(match ended.how {
            process::CommandEnd::Exited(status) if ok(&status) => Ok(stdout.into_owned()),
            process::CommandEnd::Exited(status) => Err(How::Exit { status }),
            process::CommandEnd::Signalled(signal) => Err(How::Signal { signal }),
            process::CommandEnd::TimedOut => Err(How::Timeout {
                limit_ms: job.timeout_ms,
            }),
            process::CommandEnd::Flooded => Err(How::Flood { limit: MAX_OUTPUT }),
            process::CommandEnd::NotStarted(error) => Err(How::Start { error }),
            process::CommandEnd::Cancelled => {
                return Err(Failure::new(FailureKind::Interrupted, "interrupted"));
            }
        })
    }
}

/// Where the time of a trial went, in milliseconds.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Timings {
    /// In verify, all runs.
    pub verify_ms: f64,
    pub guard_ms: f64,
    pub git_ms: f64,
    /// In everything else: our own cost.
    pub own_ms: f64,
    /// The end of the last command's output.
    #[serde(skip)]
    pub tail: String,
    /// Processes that were left behind and ended.
    #[serde(skip)]
    pub swept: u32,
}

impl Timings {
    /// Takes over what the bench measured.
    pub fn take_from_bench(&mut self, bench: &Bench<'_>) {
        self.verify_ms = to_millis(bench.verify_time);
        self.guard_ms = to_millis(bench.guard_time);
        self.tail.clone_from(&bench.tail);
        self.swept = bench.swept;
    }

    /// Closes the account: what is left of the whole is our own.
    pub fn close_account(&mut self, whole: Duration, git: Duration) {
        self.git_ms = to_millis(git);
        let others = self.verify_ms + self.guard_ms + self.git_ms;
        self.own_ms = ((to_millis(whole) - others) * 1e3).round() / 1e3;
    }
}

fn to_millis(span: Duration) -> f64 {
    (span.as_secs_f64() * 1e6).round() / 1e3
}

/// The last lines with anything on them, at most three and short.
fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let last = lines.iter().skip(lines.len().saturating_sub(3));
    let shown: Vec<String> = last
        .map(|line| clip_text(&escape_text(line.trim_end()), 160))
        .collect();
    shown.join("\n")
}
