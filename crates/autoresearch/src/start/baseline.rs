//! Owns the measurement of the untouched tree, and the refusal of a metric that cannot work.
//! Does not make a run.
//! Invariant: a metric is accepted only after it gave a finite number at least twice, and left the tree as it was.

use std::ffi::OsString;
use std::time::Duration;

use autoresearch_core::config::condition::WatchedMetric;
use autoresearch_core::config::span::whole_millis;
use autoresearch_core::config::{Config, GaugeKind, Shell, UserCommand};
use autoresearch_core::decide::evidence::Evidence;
use autoresearch_core::decide::evidence::level::Side;
use autoresearch_core::decide::evidence::rule::CALIBRATION_RUNS;
use autoresearch_core::decide::watched::WatchedEvidence;
use autoresearch_core::journal::event::{CommandFailure as How, Guard, Why};
use autoresearch_core::journal::measured::read_cases;
use autoresearch_core::journal::runs::{RecordedRun, record_runs};
use autoresearch_core::metric::definition::Direction;
use autoresearch_core::metric::measurement::{Measurement, Reading};
use autoresearch_core::metric::value::Value;
use autoresearch_core::shell::list_bash_syntax;

use crate::start::own_files::{OwnFiles, REMEDY, differ_by_more_than_noise};
use crate::trial::measure::Bench;
use autoresearch_sys::env::World;
use autoresearch_sys::error::{Failure, FailureKind, Result};
use autoresearch_sys::git::Git;
use autoresearch_sys::git::status::StatusEntry;
use autoresearch_sys::process::{Confinement, LocalExecutor, TreeView};
use autoresearch_sys::store::write_open_items;

/// A metric that cannot be repeated is not accepted.
const LEAST_RUNS: usize = 2;
/// No more runs than these where one takes longer than this, since the person waits: the first trial makes the others.
const PATIENCE: Duration = Duration::from_mins(5);

/// What the untouched tree gave.
pub struct Baseline {
    /// The measurement: the only value, or the mean.
    pub measurement: Measurement,
    /// Its format and units.
    pub reading: Reading,
    pub samples: Vec<Value>,
    /// The same with their times.
    pub runs: Vec<RecordedRun>,
    /// What the guard said.
    pub guard: Guard,
    /// The mean time of one run of verify, in milliseconds.
    pub verify_ms: u64,
    /// The mean time of one run of the guard, in milliseconds.
    pub guard_ms: u64,
    /// The last lines that verify wrote to standard error.
    pub said: String,
    /// How often the guard was run again after a failure.
    pub guard_retries: u32,
}

/// Runs verify as often as the rule needs and the guard once, and refuses what cannot work.
pub fn measure_baseline(
    world: &World,
    git: &Git,
    env: &[(OsString, OsString)],
    config: &Config,
    (own, view, confinement): (&OwnFiles<'_>, Option<&TreeView>, Option<&Confinement>),
) -> Result<Baseline> {
    let before = git.read_status()?;
    let executor = LocalExecutor::new(world, env);
    let folder = own.output_folder();
    let mut bench = Bench::new(
        &executor,
        (world.progress, world.clock),
        git.work_tree(),
        folder,
        "",
    );
    bench.most = config.outputs.file_bytes();
    bench.view = view.cloned();
    bench.confine(confinement);
    let (first, guard) = run_guard_first(&mut bench, config, own, || {
        check_clean(git, &before, "the guard")
    })?;
    let mut runs = BaselineRuns::default();
    runs.add(first, &bench, &config.watched);
    while runs.list.len() < LEAST_RUNS
        || (!runs.are_enough(config, bench.reading.as_ref())
            && bench.verify_time / bench.runs < PATIENCE)
    {
        let number = runs.list.len();
        let run = run_verify_again(&mut bench, config, own, number)?;
        runs.add(run, &bench, &config.watched);
    }
    check_own_files(&mut bench, config, own, &mut runs)?;
    let said = std::mem::take(&mut bench.said);
    check_clean(git, &before, "verify")?;
    let baseline = runs
        .to_baseline(guard, &bench)
        .map(|baseline| Baseline { said, ..baseline })
        .ok_or_else(|| Failure::new(FailureKind::Internal, "no run of verify was made"))?;
    check_headroom(&convert_to_units(config, &baseline)?, &baseline)?;
    own.take_away()?;
    write_open_items(&bench.folder, &bench.open_items)?;
    own.bring_outputs()?;
    Ok(baseline)
}

/// What in a command for `sh` is bash's.
fn find_bash_syntax(command: &UserCommand) -> Option<String> {
    let syntax = list_bash_syntax(&command.command);
    syntax
        .into_iter()
        .next()
        .filter(|_| command.shell == Shell::Sh)
}

/// One more run: every second one has the run's own files in sight. The first is number 0.
fn run_verify_again(
    bench: &mut Bench<'_>,
    config: &Config,
    own: &OwnFiles<'_>,
    number: usize,
) -> Result<Measurement> {
    if number.is_multiple_of(2) {
        own.take_away()?;
        return run_verify_once(bench, config);
    }
    own.lay_out()?;
    let found = run_verify_once(bench, config);
    if found.is_err() && own.are_in_sight() {
        own.take_away()?;
        run_verify_once(bench, config)?;
        return Err(baseline_error(
            bench,
            "verify works on the untouched tree, and fails when the run's own files are in it"
                .to_owned(),
            REMEDY,
        ));
    }
    found
}

/// A metric that counts the run's own files grows with the log.
fn check_own_files(
    bench: &mut Bench<'_>,
    config: &Config,
    own: &OwnFiles<'_>,
    runs: &mut BaselineRuns,
) -> Result<()> {
    let differ = |runs: &BaselineRuns| {
        let list = runs.list.iter();
        let values: Vec<f64> = list.map(|run| run.value.to_double()).collect();
        differ_by_more_than_noise(&values)
    };
    if !own.are_in_sight() || !differ(runs) {
        return Ok(());
    }
    // A metric of two values comes out like this once in a while: asked again, it does not.
    for _ in 0..4 {
        let number = runs.list.len();
        let run = run_verify_again(bench, config, own, number)?;
        runs.add(run, bench, &config.watched);
    }
    if !differ(runs) {
        return Ok(());
    }
    Err(Failure::config(format!(
        "verify counts the run's own files: {} is {} without them and {} with them",
        config.metric.name, runs.list[0].value, runs.list[1].value
    ))
    .hint(REMEDY))
}

/// Runs the guard with the run's own files in sight, as it will run after each trial.
fn run_guard_in_sight(
    bench: &mut Bench<'_>,
    command: &UserCommand,
    own: &OwnFiles<'_>,
) -> Result<std::result::Result<(), How>> {
    own.lay_out()?;
    let found = run_guard_retrying(bench, command)?;
    own.take_away()?;
    if found.is_err() && own.are_in_sight() && run_guard_retrying(bench, command)?.is_ok() {
        own.lay_out()?;
        if run_guard_retrying(bench, command)?.is_ok() {
            // It fails now and then, with the files and without.
            return Ok(found);
        }
        return Err(baseline_error(
            bench,
            "the guard passes on the untouched tree, and fails when the run's own files are in it"
                .to_owned(),
            REMEDY,
        ));
    }
    Ok(found)
}

/// Runs the guard and verify once, the guard first: whoever has to fix it should not wait for all runs of verify. A guard
/// that fails then may need what verify builds, and gets a second chance.
fn run_guard_first(
    bench: &mut Bench<'_>,
    config: &Config,
    own: &OwnFiles<'_>,
    after_guard: impl Fn() -> Result<()>,
) -> Result<(Measurement, Guard)> {
    let Some(command) = &config.guard else {
        return Ok((run_verify_once(bench, config)?, Guard::NotRun));
    };
    let passed = run_guard_in_sight(bench, command, own)?;
    after_guard()?;
    let tail = bench.tail.clone();
    let first = match passed {
        Err(how) if !matches!(how, How::Exit { .. }) => {
            return Err(guard_error(bench, command, &how));
        }
        _ => run_verify_once(bench, config)?,
    };
    if let Err(how) = passed {
        bench.guard_runs = 0;
        if run_guard_in_sight(bench, command, own)?.is_err() {
            bench.tail = tail;
            return Err(guard_error(bench, command, &how));
        }
    }
    Ok((first, Guard::Pass))
}

/// Runs the guard, as often as the config lets a failure be retried.
fn run_guard_retrying(
    bench: &mut Bench<'_>,
    guard: &UserCommand,
) -> Result<std::result::Result<(), How>> {
    for _ in 0..guard.retries {
        if bench.run_guard(guard)?.is_ok() {
            return Ok(Ok(()));
        }
    }
    bench.run_guard(guard)
}

fn guard_error(bench: &Bench<'_>, guard: &UserCommand, how: &How) -> Failure {
    let hint = find_bash_syntax(guard).map_or_else(
        || "a guard must pass before the first trial: fix the code or the guard; for a flaky guard, there is `guard.retries`".to_owned(),
        |first| format!("`{first}` is bash syntax, and `sh` does not support it on every machine: add `shell: bash` to guard"),
    );
    baseline_error(
        bench,
        format!("the guard fails on the untouched tree: {how}"),
        &hint,
    )
}

fn run_verify_once(bench: &mut Bench<'_>, config: &Config) -> Result<Measurement> {
    bench.run_verify(config)?.map_err(|why| {
        let counting = autoresearch_core::shell::words::ends_in_counting_grep(&config.verify.command);
        let syntax = find_bash_syntax(&config.verify);
        if let Some(first) = syntax {
            let hint = format!("`{first}` is bash syntax, and `sh` does not support it on every machine: add `shell: bash` to verify");
            return baseline_error(bench, format!("verify gives no metric on the untouched tree: {why}"), &hint);
        }
        let hint = match &why {
            Why::VerifyFailed(How::Exit { status: 1 }) if counting => "`grep -c` exits with 1 when it counts zero: add `ok_exit: [0, 1]` to verify",
            Why::VerifyFailed(How::Timeout { .. }) => "raise `verify.timeout`, or make verify faster",
            Why::VerifyFailed(How::Exit { status: 127 }) => "verify sees PATH as it is now, and only the variables named under `env`",
            Why::CheckFailed(_) => "`verify.check` must pass on the untouched tree too: run it by hand",
            Why::NoMetric(_) if config.gauge.kind == GaugeKind::Gates => "`autoresearch ship check` tells what each gate lacks: get it, or take the gate out",
            Why::NoMetric(_) if config.gauge.kind != GaugeKind::Printed => "`config try` measures again; what `verify` may hold is in the GUIDE under \"Let the tool measure\"",
            Why::VerifyFailed(_) => "run the command by hand; statuses that count as success belong in `verify.ok_exit`",
            _ => "verify must end with the number alone on its last line, or a JSON object with `primary`, or `METRIC name=value` lines",
        };
        baseline_error(bench, format!("verify gives no metric on the untouched tree: {why}"), hint)
    })
}

fn baseline_error(bench: &Bench<'_>, error: String, hint: &str) -> Failure {
    let mut failure = Failure::config(error).hint(hint);
    if !bench.tail.is_empty() {
        failure.causes.push(format!(
            "its last lines: {}",
            bench.tail.replace('\n', " | ")
        ));
    }
    failure
}

/// The runs of verify on the untouched tree.
#[derive(Default)]
struct BaselineRuns {
    list: Vec<Measurement>,
    recorded: Vec<RecordedRun>,
}

impl BaselineRuns {
    /// Adds the run that the bench has just made.
    fn add(&mut self, run: Measurement, bench: &Bench<'_>, watched: &[WatchedMetric]) {
        let time = bench.last_run;
        let recorded = RecordedRun::of_measurement(Side::Incumbent, &run, time, watched);
        self.recorded.push(recorded);
        self.list.push(run);
    }

    /// Does the rule know the metric well enough?
    fn are_enough(&self, config: &Config, reading: Option<&Reading>) -> bool {
        let cases = read_cases(config, reading);
        let mut evidence = Evidence::new(config.metric.direction, 0.0).of_cases(cases);
        record_runs(&mut evidence, &self.recorded);
        let mut watched = WatchedEvidence::new(&config.watched);
        watched.record_runs(&self.recorded);
        // A further metric that is not printed is refused later.
        let is_known = watched
            .find_missing_run()
            .is_none_or(|side| side == Side::Candidate);
        evidence.is_calibrated() && (is_known || self.list.len() >= CALIBRATION_RUNS)
    }

    /// What all runs together say; `None` for none.
    fn to_baseline(&self, guard: Guard, bench: &Bench<'_>) -> Option<Baseline> {
        Some(Baseline {
            measurement: Measurement::mean_of(&self.list)?,
            reading: bench.reading.clone()?,
            samples: self.list.iter().map(|run| run.value.clone()).collect(),
            runs: self.recorded.clone(),
            guard,
            verify_ms: whole_millis(bench.verify_time) / u64::from(bench.runs.max(1)),
            guard_ms: whole_millis(bench.guard_time) / u64::from(bench.guard_runs.max(1)),
            said: String::new(),
            guard_retries: bench.guard_runs.saturating_sub(1),
        })
    }
}

/// The amounts of the config in the units that verify printed.
pub fn convert_to_units(config: &Config, baseline: &Baseline) -> Result<Config> {
    config
        .clone()
        .into_metric_units(&baseline.reading)
        .map_err(|other| {
            let unit = if other.unit.is_none() {
                "without a unit".to_owned()
            } else {
                format!("in `{}`", other.unit.as_str())
            };
            Failure::config(format!(
                "`{}` is `{}`, and verify prints {} {unit}: one does not convert into the other",
                other.place, other.typed, other.metric
            ))
            .hint("write the number alone, in the unit of the metric")
        })
}

/// Verify and guard must leave git's view of the tree as it was.
pub(super) fn check_clean(git: &Git, before: &[StatusEntry], who: &str) -> Result<()> {
    let after = git.read_status()?;
    let new: Vec<String> = after
        .iter()
        .filter(|entry| !before.contains(entry))
        .map(|entry| entry.path.to_string())
        .collect();
    let Some(first) = new.first() else {
        return Ok(());
    };
    let more = if new.len() > 1 {
        format!(" and {} more", new.len() - 1)
    } else {
        String::new()
    };
    Err(Failure::config(format!("{who} leaves the tree dirty: {first}{more}")).hint(
        "let it write to a temporary or ignored folder: add the file to .gitignore or .git/info/exclude (and remove it), or restore it if git tracks it",
    ))
}

/// Refuses what the tool measures itself and is as good as can be: nothing of what is counted, or all of the lines.
fn check_bound(config: &Config, baseline: &Baseline) -> Result<()> {
    let value = &baseline.measurement.value;
    let best = match (&config.gauge.kind, config.metric.direction) {
        (GaugeKind::Covered { .. }, Direction::Higher) => Value::from(100),
        (
            GaugeKind::Count { .. }
            | GaugeKind::ExitRate { .. }
            | GaugeKind::Size { .. }
            | GaugeKind::Gates,
            Direction::Lower,
        ) => Value::zero(),
        _ => return Ok(()),
    };
    if *value != best {
        return Ok(());
    }
    let name = &config.metric.name;
    let shown = baseline.reading.unit_of(name);
    let shown = shown.format_number(&value.to_string());
    let failure = Failure::config(format!("{name} is {shown} already, and cannot be better"));
    Err(failure.hint("nothing is left to do here: take another candidate of `autoresearch scan`"))
}

/// A run whose target is met, or cannot be, has nothing to do.
fn check_headroom(config: &Config, baseline: &Baseline) -> Result<()> {
    let value = &baseline.measurement.value;
    if config.metric.is_target_reached(value) {
        let name = &config.metric.name;
        let unit = baseline.reading.unit_of(name);
        let side = if config.metric.direction == Direction::Lower {
            "lower"
        } else {
            "higher"
        };
        return Err(Failure::config(format!(
            "the target is already met: {name} is {}",
            unit.format_number(&value.to_string())
        ))
        .hint(format!(
            "nothing is left to do here: take another candidate of `autoresearch scan`, or set a {side} `metric.target`"
        )));
    }
    check_bound(config, baseline)?;
    let met = !config.stop_when.is_empty()
        && config
            .stop_when
            .iter()
            .all(|condition| condition.holds_for(&baseline.measurement));
    if met {
        return Err(
            Failure::config("`stop_when` already holds on the untouched tree")
                .hint("raise its values, or leave it out"),
        );
    }
    let printed: Vec<&str> = baseline
        .measurement
        .metrics
        .keys()
        .map(String::as_str)
        .collect();
    let conditions = config.keep_when.iter().chain(&config.stop_when);
    let conditions = conditions.map(|condition| (&condition.metric, condition.to_string()));
    let watched = config.watched.iter();
    let watched = watched.map(|watched| (&watched.metric, watched.to_string()));
    let unknown = conditions
        .chain(watched)
        .find(|(metric, _)| !printed.contains(&metric.as_str()));
    match unknown {
        Some((metric, condition)) => Err(Failure::config(format!(
            "the condition `{condition}` names a metric that verify does not print{}",
            baseline
                .measurement
                .missing
                .get(metric)
                .map(|why| format!(": {why}"))
                .unwrap_or_default()
        ))
        .hint(format!("verify prints: {}", printed.join(", ")))),
        None => Ok(()),
    }
}
