//! Owns the running of verify and guard for one trial, and the files of their output.
//! Does not decide what follows.
//! Invariant: what is returned is what the command printed and how it ended, and the whole output is on disk.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use autoresearch_core::config::span::whole_millis;
use autoresearch_core::config::{Config, Gate, GaugeKind, Outputs, UserCommand, Zone, ZoneForm};
use autoresearch_core::decide::gate::{GateOutcome, judge_gate};
use autoresearch_core::decide::judge::{Judge, NextCheck};
use autoresearch_core::decide::muting::counts_down;
use autoresearch_core::journal::event::{CommandFailure as How, Why};
use autoresearch_core::journal::runs::RunTime;
use autoresearch_core::metric::measurement::{
    Measurement, Reading, read_measurement, take_measurement,
};
use autoresearch_core::metric::open_items::OpenItems;
use autoresearch_core::metric::value::Value;
use autoresearch_core::words::excerpt::make_excerpt;
use autoresearch_core::words::text::{clip_text, escape_text};
use serde::Serialize;

use super::gauging::{GaugeTools, Gauged, GaugedRun, take_gauge};
use crate::trees::sandboxing::{confine_to_tree, explain_open_sandbox, reveal_holdout};
use crate::trees::viewing::{explain_closed_view, translate_output};
use autoresearch_sys::env::{Clock, Stopwatch};
use autoresearch_sys::error::{Failure, FailureKind, Result};
use autoresearch_sys::machine_zones::has_zone;
use autoresearch_sys::process::{
    CommandEnd, CommandLine, CommandOutput, Confinement, EndedCommand, Executor, FileAnswer,
    FileQuery, Job, JobConditions, MAX_OUTPUT, TreeView,
};
use autoresearch_sys::store::{TrialPhase, cut_middle, make_holdout_folder, write_output};

/// Of an output so many bytes are looked through for what to tell, half of them at its end.
const MOST_TOLD: u64 = 2 << 20;

/// Where and with what the commands of a trial run.
pub struct Bench<'a> {
    executor: &'a dyn Executor,
    /// Told what is about to take long.
    progress: fn(&str),
    clock: Clock,
    pub work_tree: &'a Path,
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
    /// When verify ran last, and how long.
    pub last_run: RunTime,
    /// Time spent in the guard.
    pub guard_time: Duration,
    /// What the last output says most clearly, for messages.
    pub tail: String,
    /// The last lines that the last command wrote to standard error.
    pub said: String,
    /// What the last output names as still open.
    named: OpenItems,
    /// Where the first of what was counted stands.
    matched: Vec<String>,
    /// What is still open after the last run of verify.
    pub open_items: Vec<String>,
    /// Processes that commands left behind and that were ended.
    pub swept: u32,
    /// The runs of `exit_rate` with `vary` that failed in any measurement, by their number.
    pub failed_runs: BTreeMap<u32, String>,
    /// How verify's output is read; without one, the first output shows it.
    pub reading: Option<Reading>,
    /// How many bytes of an output are kept.
    pub most: u64,
    /// How the commands see the work tree; as it is otherwise.
    pub view: Option<TreeView>,
    /// The sandbox in which they run; none otherwise.
    confinement: Option<Confinement>,
}

/// What one measurement gave, and how it is read from then on.
type VerifyResult = std::result::Result<(Measurement, Reading), Why>;

/// The outcome of a command that was not cancelled.
pub type CommandResult = std::result::Result<String, How>;

impl<'a> Bench<'a> {
    /// A bench whose output goes to a folder that exists.
    #[must_use]
    pub fn new(
        executor: &'a dyn Executor,
        (progress, clock): (fn(&str), Clock),
        work_tree: &'a Path,
        folder: PathBuf,
        prefix: &str,
    ) -> Self {
        Self {
            executor,
            progress,
            clock,
            work_tree,
            folder,
            prefix: prefix.to_owned(),
            runs: 0,
            guard_runs: 0,
            verify_time: Duration::ZERO,
            last_run: RunTime::default(),
            guard_time: Duration::ZERO,
            tail: String::new(),
            said: String::new(),
            named: OpenItems::default(),
            matched: Vec::new(),
            open_items: Vec::new(),
            swept: 0,
            failed_runs: BTreeMap::new(),
            reading: None,
            most: Outputs::default().file_bytes(),
            view: None,
            confinement: None,
        }
    }

    /// Lets the commands run in this sandbox, which is closed around the tree as they see it.
    pub fn confine(&mut self, confinement: Option<&Confinement>) {
        self.confinement =
            confinement.map(|chosen| confine_to_tree(chosen, self.work_tree, self.view.as_ref()));
    }

    /// Runs verify once and reads its metric.
    pub fn run_verify(&mut self, config: &Config) -> Result<std::result::Result<Measurement, Why>> {
        self.runs += 1;
        let name = format!("verify-{}", self.runs);
        let (at_ms, watch) = (self.clock.now_ms(), Stopwatch::start());
        let measured = self.measure_once(config, &name)?;
        self.verify_time += watch.elapsed();
        self.last_run = RunTime {
            at_ms,
            took_ms: whole_millis(watch.elapsed()),
        };
        self.open_items.clear();
        Ok(measured.map(|(measurement, reading)| {
            self.open_items = self.choose_open_items(config, &measurement, &reading);
            self.reading = Some(reading);
            measurement
        }))
    }

    /// What a measurement leaves to do. Of what is no count of findings only tests that failed are told.
    fn choose_open_items(
        &mut self,
        config: &Config,
        measurement: &Measurement,
        reading: &Reading,
    ) -> Vec<String> {
        let (named, matched) = (
            std::mem::take(&mut self.named),
            std::mem::take(&mut self.matched),
        );
        let value = &measurement.value;
        let is_count = counts_down(config, (&reading.unit_of(&config.metric.name), value));
        match config.gauge.kind {
            _ if is_count && *value == Value::zero() => Vec::new(),
            GaugeKind::Count { .. } | GaugeKind::Gates if is_count => matched,
            GaugeKind::Printed | GaugeKind::ExitRate { .. } if is_count => named.into_findings(),
            GaugeKind::Printed => named.tests,
            _ => Vec::new(),
        }
    }

    fn measure_once(&mut self, config: &Config, name: &str) -> Result<VerifyResult> {
        if let Some(check) = &config.gauge.check
            && let Err(how) = self.run_command(check, &format!("{name}-check"))?
        {
            return Ok(Err(Why::CheckFailed(how)));
        }
        let taken = if config.gauge.kind == GaugeKind::Printed {
            match self.run_command(&config.verify, name)? {
                Err(how) => return Ok(Err(Why::VerifyFailed(how))),
                Ok(stdout) => read_measurement(&stdout, &config.metric, self.reading.as_ref()),
            }
        } else {
            match self.take_gauge(config, name)? {
                Err(why) => return Ok(Err(why)),
                Ok(metrics) => take_measurement(metrics, &config.metric, self.reading.as_ref()),
            }
        };
        Ok(taken.map_err(|reason| Why::NoMetric(escape_text(&reason.to_string()))))
    }

    /// Measures what is not printed. The output of all its runs goes to one file, with the figures between them.
    fn take_gauge(&mut self, config: &Config, name: &str) -> Result<Gauged> {
        let mut tools = BenchTools {
            timeout: config.verify.timeout,
            name,
            printed: CommandOutput::default(),
            matched: Vec::new(),
            bench: self,
        };
        let gauged = take_gauge(config, &mut tools);
        let (printed, matched) = (tools.printed, tools.matched);
        self.keep_output(name, &printed)?;
        self.matched = matched;
        gauged
    }

    /// Runs a command that passes or fails, by this name.
    pub fn run_check(
        &mut self,
        command: &UserCommand,
        name: &str,
    ) -> Result<std::result::Result<(), How>> {
        Ok(self.run_command(command, name)?.map(drop))
    }

    /// Runs a gate by this name, and judges it. What it printed that says most is the bench's `tail`.
    pub fn run_gate(&mut self, gate: &Gate, name: &str) -> Result<GateOutcome> {
        let (ended, printed) = self.run_job(&gate.command, name, JobConditions::default())?;
        self.keep_output(name, &printed)?;
        judge_printed_gate(gate, ended.how, &printed)
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

    /// Runs the holdout: what it printed, for whoever may know. Its output goes to its folder beside the anchor, by this
    /// name.
    pub fn run_holdout(
        &mut self,
        anchor_folder: &Path,
        (command, name): (&UserCommand, &str),
    ) -> Result<CommandResult> {
        self.folder = make_holdout_folder(anchor_folder)?;
        if let Some(confinement) = &mut self.confinement {
            reveal_holdout(anchor_folder, confinement);
        }
        let watch = Stopwatch::start();
        let usual = JobConditions::default();
        let (ended, printed) = self.run_job(command, "the holdout", usual)?;
        let outcome = self.end_command(command, ended, (name, &printed));
        self.guard_time += watch.elapsed();
        outcome
    }

    fn run_command(&mut self, command: &UserCommand, name: &str) -> Result<CommandResult> {
        let (ended, printed) = self.run_job(command, name, JobConditions::default())?;
        self.end_command(command, ended, (name, &printed))
    }

    fn end_command(
        &mut self,
        command: &UserCommand,
        ended: EndedCommand,
        (name, printed): (&str, &CommandOutput),
    ) -> Result<CommandResult> {
        self.keep_output(name, printed)?;
        let limit_ms = whole_millis(command.timeout);
        let ended = judge_end(ended.how, &command.ok_exit, limit_ms)?;
        Ok(ended.map(|_| String::from_utf8_lossy(&printed.stdout).into_owned()))
    }

    fn run_job(
        &mut self,
        command: &UserCommand,
        name: &str,
        conditions: JobConditions,
    ) -> Result<(EndedCommand, CommandOutput)> {
        let limit = autoresearch_core::config::span::format_span(command.timeout);
        (self.progress)(&format!("{name} runs, for at most {limit}"));
        let directory = self.work_tree.join(&command.working_directory);
        let job = Job {
            command: CommandLine::from(command),
            directory,
            timeout_ms: whole_millis(command.timeout),
            input: None,
            own_temporary: true,
            view: self.view.clone(),
            confinement: self.confinement.clone(),
            conditions,
        };
        let (ended, printed) = self.executor.run_job(&job)?;
        self.swept += ended.swept;
        Ok((ended, printed))
    }

    /// A text of a command, as it is for who does not see the view.
    fn tell(&self, text: String) -> String {
        match &self.view {
            Some(view) => translate_output(view, &text),
            None => text,
        }
    }

    fn excerpt_of(&self, printed: &CommandOutput) -> String {
        let [stdout, stderr] = cut_outputs(printed);
        self.tell(make_excerpt(&stderr, &stdout))
    }

    /// Writes what was printed, and notes what of it is told.
    fn keep_output(&mut self, name: &str, printed: &CommandOutput) -> Result<()> {
        for (end, bytes) in [("out", &printed.stdout), ("err", &printed.stderr)] {
            write_output(
                &self.folder.join(format!("{}{name}.{end}", self.prefix)),
                &cut_middle(bytes, self.most),
            )?;
        }
        let [stdout, stderr] = cut_outputs(printed);
        let (tail, said) = (
            self.tell(make_excerpt(&stderr, &stdout)),
            self.tell(last_lines(&stderr)),
        );
        (self.tail, self.said) = (tail, said);
        let checkout = self.view.as_ref().map(|view| view.checkout.as_path());
        let roots = [Some(self.work_tree), checkout];
        let roots: Vec<&str> = roots
            .into_iter()
            .flatten()
            .filter_map(Path::to_str)
            .collect();
        self.named = OpenItems::read([&stdout, &stderr], &roots);
        Ok(())
    }
}

/// The exit status of a command that succeeded, or how it failed.
fn judge_end(
    end: CommandEnd,
    ok_exit: &[u8],
    limit_ms: u64,
) -> Result<std::result::Result<i32, How>> {
    let ok = |status: &i32| u8::try_from(*status).is_ok_and(|status| ok_exit.contains(&status));
    Ok(match end {
        CommandEnd::Exited(status) if ok(&status) => Ok(status),
        CommandEnd::Exited(status) => Err(How::Exit { status }),
        CommandEnd::Signalled(signal) => Err(How::Signal { signal }),
        CommandEnd::TimedOut => Err(How::Timeout { limit_ms }),
        CommandEnd::Flooded => Err(How::Flood { limit: MAX_OUTPUT }),
        CommandEnd::NotShown(error) => return Err(explain_closed_view(&error)),
        CommandEnd::NotConfined(error) => return Err(explain_open_sandbox(&error)),
        CommandEnd::NotStarted(error) => Err(How::Start { error }),
        CommandEnd::Cancelled => {
            return Err(Failure::new(FailureKind::Interrupted, "interrupted"));
        }
    })
}

/// What of both outputs is looked through for what to tell.
fn cut_outputs(printed: &CommandOutput) -> [String; 2] {
    [&printed.stdout, &printed.stderr].map(|bytes| {
        let told = cut_middle(bytes, MOST_TOLD);
        String::from_utf8_lossy(&told).into_owned()
    })
}

fn judge_printed_gate(
    gate: &Gate,
    end: CommandEnd,
    printed: &CommandOutput,
) -> Result<GateOutcome> {
    let limit_ms = whole_millis(gate.command.timeout);
    let ended = judge_end(end, &gate.command.ok_exit, limit_ms)?;
    let outputs = [&printed.stdout[..], &printed.stderr[..]];
    Ok(judge_gate(gate, ended.as_ref().map(drop), outputs))
}

/// The bench as a gauge uses it.
struct BenchTools<'b, 'a> {
    bench: &'b mut Bench<'a>,
    name: &'b str,
    /// How long a question about files may take.
    timeout: Duration,
    /// What all runs printed.
    printed: CommandOutput,
    /// Where the first of what is counted stands.
    matched: Vec<String>,
}

impl BenchTools<'_, '_> {
    /// Adds to what was printed. Not all of it is kept: a hundred runs could print a hundred times the most.
    fn add_output(&mut self, printed: &CommandOutput) {
        for (all, more) in [
            (&mut self.printed.stdout, &printed.stdout),
            (&mut self.printed.stderr, &printed.stderr),
        ] {
            all.extend_from_slice(more);
            if let Cow::Owned(shorter) = cut_middle(all, self.bench.most) {
                *all = shorter;
            }
        }
    }
}

impl GaugeTools for BenchTools<'_, '_> {
    fn run_command(
        &mut self,
        command: &UserCommand,
        label: &str,
        conditions: JobConditions,
    ) -> Result<GaugedRun> {
        let name = format!("{} ({label})", self.name);
        let (ended, printed) = self.bench.run_job(command, &name, conditions)?;
        self.add_output(&printed);
        let used = ended.used;
        let limit_ms = whole_millis(command.timeout);
        let ended = judge_end(ended.how, &command.ok_exit, limit_ms)?;
        Ok(GaugedRun { ended, used })
    }

    fn run_gate(&mut self, gate: &Gate, label: &str) -> Result<(GateOutcome, String)> {
        let name = format!("{} ({label})", self.name);
        let usual = JobConditions::default();
        let (ended, printed) = self.bench.run_job(&gate.command, &name, usual)?;
        self.add_output(&printed);
        let outcome = judge_printed_gate(gate, ended.how, &printed)?;
        Ok((outcome, self.bench.excerpt_of(&printed)))
    }

    fn ask_files(&mut self, query: &FileQuery) -> Result<std::result::Result<FileAnswer, How>> {
        let job = Job {
            own_temporary: false,
            command: CommandLine::Files(query.clone()),
            directory: self.bench.work_tree.to_owned(),
            timeout_ms: whole_millis(self.timeout),
            input: None,
            view: self.bench.view.clone(),
            confinement: None,
            conditions: JobConditions::default(),
        };
        let (ended, printed) = self.bench.executor.run_job(&job)?;
        let limit_ms = job.timeout_ms;
        judge_end(ended.how, &[0], limit_ms)?.map_or_else(
            |how| Ok(Err(how)),
            |_| {
                let answer = serde_json::from_slice(&printed.stdout);
                answer.map(Ok).map_err(|error| {
                    let message = format!("the runner gave no answer about files: {error}");
                    Failure::new(FailureKind::Internal, message)
                })
            },
        )
    }

    fn note_failed(&mut self, run: u32, told: &str) {
        self.bench.failed_runs.insert(run, told.to_owned());
    }

    fn choose_zone_form(&self, zone: &Zone) -> ZoneForm {
        if has_zone(zone.name) {
            ZoneForm::Name
        } else {
            ZoneForm::Rule
        }
    }

    fn note_line(&mut self, line: &str) {
        let is_open = self
            .printed
            .stdout
            .last()
            .is_some_and(|last| *last != b'\n');
        let line = format!("{}[{line}]\n", if is_open { "\n" } else { "" });
        self.printed.stdout.extend_from_slice(line.as_bytes());
    }

    fn note_matches(&mut self, matched: Vec<String>) {
        self.matched = matched;
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
    /// What is still open after the last run of verify.
    #[serde(skip)]
    pub open_items: Vec<String>,
    /// Processes that were left behind and ended.
    #[serde(skip)]
    pub swept: u32,
    /// The runs of `exit_rate` that failed in any measurement, by their number.
    #[serde(skip)]
    pub failed_runs: BTreeMap<u32, String>,
}

impl Timings {
    /// Adds what a bench measured.
    pub fn take_from_bench(&mut self, bench: &Bench<'_>) {
        self.verify_ms += to_millis(bench.verify_time);
        self.guard_ms += to_millis(bench.guard_time);
        self.tail.clone_from(&bench.tail);
        let failed = bench.failed_runs.iter();
        self.failed_runs
            .extend(failed.map(|(run, met)| (*run, met.clone())));
        self.open_items.clone_from(&bench.open_items);
        self.swept += bench.swept;
    }

    /// Adds what verify took elsewhere, and the processes that it left there.
    pub fn add_verify(&mut self, time: Duration, swept: u32) {
        self.verify_ms += to_millis(time);
        self.swept += swept;
    }

    /// Adds the time of a bench whose output is not shown.
    pub fn add_time_of(&mut self, bench: &Bench<'_>) {
        self.guard_ms += to_millis(bench.guard_time);
        self.swept += bench.swept;
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

/// A run of verify on the kept state: what it gave, if it gave a number.
pub(crate) type IncumbentRun = (Option<Measurement>, RunTime);

/// Runs verify and guard until the judge has seen enough. `begin` is told what runs next, and `measure_incumbent` runs verify
/// on the kept state.
pub(crate) fn run_checks(
    bench: &mut Bench<'_>,
    config: &Config,
    judge: &mut Judge,
    begin: impl Fn(TrialPhase),
    mut measure_incumbent: impl FnMut() -> Result<IncumbentRun>,
) -> Result<()> {
    let mut incumbent_runs = 0;
    loop {
        match (judge.next_check(), &config.guard) {
            (NextCheck::Verify, _) => {
                begin(TrialPhase::Verify(bench.runs + 1));
                let measured = bench.run_verify(config)?;
                judge.record_verify(measured, bench.last_run);
            }
            (NextCheck::VerifyIncumbent, _) => {
                incumbent_runs += 1;
                begin(TrialPhase::VerifyIncumbent(incumbent_runs));
                let (measured, time) = measure_incumbent()?;
                judge.record_incumbent(measured, time);
            }
            (NextCheck::Guard, Some(guard)) => {
                begin(TrialPhase::Guard);
                judge.record_guard(bench.run_guard(guard)?);
            }
            (NextCheck::Done, _) | (NextCheck::Guard, None) => return Ok(()),
        }
    }
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

#[cfg(test)]
mod tests;
