//! Owns the measuring of what verify does not print: time, memory, bytes, matches, failures and coverage.
//! Does not run a command or write a file: it is given both.
//! Invariant: a number is what the runner or the files gave; what a command prints is kept and never read.

use std::collections::BTreeMap;

use autoresearch_core::config::{
    Config, Gate, GaugeKind, RunCondition, TOTAL, UserCommand, Vary, Zone, ZoneForm,
};
use autoresearch_core::decide::gate::GateOutcome;
use autoresearch_core::journal::event::{CommandFailure as How, Why};
use autoresearch_core::metric::coverage::LineCoverage;
use autoresearch_core::metric::unit::{Quantity, Unit};
use autoresearch_core::metric::value::Value;
use autoresearch_core::words::text::{escape_line, escape_text, format_count};
use autoresearch_sys::error::{Failure, FailureKind, Result};
use autoresearch_sys::process::{FileAnswer, FileQuery, FileSearch, JobConditions, ResourceUse};
use autoresearch_sys::store::FOLDER;

/// The shell could not find or start the command: that is no failure of what is tested.
const NOT_FOUND: [i32; 2] = [126, 127];

/// HUP, INT, KILL and TERM: somebody else ended the command, or the system for want of memory. That says nothing of what is tested.
const FROM_OUTSIDE: [i32; 4] = [1, 2, 9, 15];

/// So many failed runs are named where they are counted; each has its line in the output.
const MOST_NAMED: usize = 5;

/// What is measured with: commands, and questions about files.
pub(super) trait GaugeTools {
    /// Runs a command under these conditions; `label` says which run it is.
    fn run_command(
        &mut self,
        command: &UserCommand,
        label: &str,
        conditions: JobConditions,
    ) -> Result<GaugedRun>;
    /// Runs a gate; `label` says which one it is. What it printed that says most comes with the outcome.
    fn run_gate(&mut self, gate: &Gate, label: &str) -> Result<(GateOutcome, String)>;
    /// How `TZ` can name this zone here.
    fn choose_zone_form(&self, zone: &Zone) -> ZoneForm;
    fn ask_files(&mut self, query: &FileQuery) -> Result<std::result::Result<FileAnswer, How>>;
    /// This run failed under conditions that others do not have.
    fn note_failed(&mut self, run: u32, told: &str);
    /// Adds a line to the output of the measurement.
    fn note_line(&mut self, line: &str);
    /// Hears where the first of what is counted stands.
    fn note_matches(&mut self, matched: Vec<String>);
}

/// A run of a command that was not cancelled.
#[derive(Debug)]
pub(super) struct GaugedRun {
    /// Its exit status, one that counts as success, or how it failed.
    pub ended: std::result::Result<i32, How>,
    pub used: ResourceUse,
}

/// The metric and what was measured along with it, by name.
type GaugedMetrics = BTreeMap<String, Quantity>;

/// These, or why there are none.
pub(super) type Gauged = std::result::Result<GaugedMetrics, Why>;

/// Measures once, as the config says. What a command prints as its metric is not asked for here.
pub(super) fn take_gauge(config: &Config, tools: &mut dyn GaugeTools) -> Result<Gauged> {
    match &config.gauge.kind {
        GaugeKind::Printed => Ok(Ok(BTreeMap::new())),
        GaugeKind::Wall | GaugeKind::Cpu | GaugeKind::PeakMemory => gauge_runs(config, tools),
        GaugeKind::ExitRate { runs, vary } => gauge_failures(config, (*runs, vary), tools),
        GaugeKind::Gates => gauge_gates(config, tools),
        GaugeKind::Size { files, gzip } => {
            let query = FileQuery::Size {
                files: make_search(files),
                gzip: *gzip,
            };
            gauge_files(config, &query, tools)
        }
        GaugeKind::Count { files, pattern, of } => {
            let query = make_count_query(files, pattern);
            match of {
                None => gauge_files(config, &query, tools),
                Some(of) => gauge_files_of(config, (&query, &make_count_query(files, of)), tools),
            }
        }
        GaugeKind::Covered { report } => gauge_coverage(config, report, tools),
    }
}

fn make_count_query(files: &[String], pattern: &str) -> FileQuery {
    FileQuery::Count {
        files: make_search(files),
        pattern: pattern.to_owned(),
    }
}

fn make_search(patterns: &[String]) -> FileSearch {
    FileSearch {
        patterns: patterns.to_vec(),
        without: FOLDER.to_owned(),
    }
}

/// Names the metric of the config; a further metric of that name gives way to it.
fn name_metrics(config: &Config, value: Value, further: Vec<(&str, Value, &str)>) -> GaugedMetrics {
    let further = further.into_iter().map(|(name, number, unit)| {
        let unit = Unit::from_text(unit);
        (name.to_owned(), Quantity { number, unit })
    });
    let mut metrics: GaugedMetrics = further.collect();
    let unit = config.gauge.kind.unit();
    let own = Quantity {
        number: value,
        unit,
    };
    metrics.insert(config.metric.name.clone(), own);
    metrics
}

fn refuse(why: impl AsRef<str>) -> Why {
    Why::NoMetric(escape_text(why.as_ref()))
}

fn to_value(number: u64) -> Value {
    Value::from(i64::try_from(number).unwrap_or(i64::MAX))
}

fn to_millis(micros: u64) -> Value {
    to_value(micros).times_ratio(&Value::from(1), &Value::from(1_000))
}

/// The three figures of a run, in the order of the names in the config.
fn list_figures(used: &ResourceUse) -> [(&'static str, Value, &'static str); 3] {
    [
        ("wall", to_millis(used.wall_us), "ms"),
        ("cpu", to_millis(used.cpu_us), "ms"),
        ("peak_memory", to_value(used.peak_bytes), "bytes"),
    ]
}

/// Time and memory: the runs before those that count, then those of which the median counts.
fn gauge_runs(config: &Config, tools: &mut dyn GaugeTools) -> Result<Gauged> {
    let gauge = &config.gauge;
    let mut samples: Vec<ResourceUse> = Vec::new();
    for number in 1..=gauge.warmup + gauge.repeats {
        let label = match number.checked_sub(gauge.warmup).filter(|run| *run > 0) {
            None => format!("warmup {number} of {}", gauge.warmup),
            Some(run) => format!("run {run} of {}", gauge.repeats),
        };
        let run = tools.run_command(&config.verify, &label, JobConditions::default())?;
        if let Err(how) = run.ended {
            return Ok(Err(Why::VerifyFailed(how)));
        }
        let figures = list_figures(&run.used);
        let shown = figures
            .each_ref()
            .map(|(name, value, unit)| format!("{name} {value} {unit}"));
        tools.note_line(&format!("{label}: {}", shown.join(", ")));
        if run.used.runs_on {
            return Ok(Err(refuse(
                "the command ended before a process that it had started, so what it takes is not known: let it wait for all of them",
            )));
        }
        if number > gauge.warmup {
            samples.push(run.used);
        }
    }
    let medians = [0, 1, 2].map(|at| {
        let values: Vec<Value> = samples
            .iter()
            .map(|used| list_figures(used)[at].1.clone())
            .collect();
        Value::median_of(&values).unwrap_or_else(Value::zero)
    });
    let own = list_figures(&ResourceUse::default())
        .iter()
        .position(|(name, ..)| *name == gauge.kind.key())
        .unwrap_or_default();
    let further = list_figures(&ResourceUse::default())
        .into_iter()
        .zip(&medians);
    let further = further.map(|((name, _, unit), value)| (name, value.clone(), unit));
    let value = medians[own].clone();
    tools.note_line(&format!(
        "{}: {} {}",
        config.metric.name,
        value,
        gauge.kind.unit().as_str()
    ));
    Ok(Ok(name_metrics(config, value, further.collect())))
}

/// How many runs fail. A timeout is a failure too: a suite that hangs now and then is as flaky.
fn gauge_failures(
    config: &Config,
    (runs, vary): (u32, &[Vary]),
    tools: &mut dyn GaugeTools,
) -> Result<Gauged> {
    let mut failed = Vec::new();
    for number in 1..=runs {
        let condition = RunCondition::of_run(number, vary);
        let zone = condition.zone();
        let form = zone.map_or(ZoneForm::Name, |zone| tools.choose_zone_form(zone));
        let met = condition.tell(form);
        let comma = if met.is_empty() { "" } else { ", " };
        let label = format!("run {number} of {runs}{comma}{met}");
        let conditions = make_conditions(&condition, form);
        let run = tools.run_command(&config.verify, &label, conditions)?;
        let told = match &run.ended {
            Ok(_) => "succeeded".to_owned(),
            Err(how) => how.to_string(),
        };
        tools.note_line(&format!("{label}: {told}"));
        match run.ended {
            Ok(_) => {}
            Err(How::Exit { status }) if NOT_FOUND.contains(&status) => {
                return Ok(Err(Why::VerifyFailed(How::Exit { status })));
            }
            Err(How::Signal { signal }) if FROM_OUTSIDE.contains(&signal) => {
                return Ok(Err(Why::VerifyFailed(How::Signal { signal })));
            }
            Err(How::Exit { .. } | How::Signal { .. } | How::Timeout { .. }) => {
                let named = name_run(number, &met);
                if !vary.is_empty() {
                    tools.note_failed(number, &named);
                }
                failed.push(named);
            }
            Err(how) => return Ok(Err(Why::VerifyFailed(how))),
        }
    }
    let count = failed.len();
    let mut line = format!("{}: {count} of {runs} runs failed", config.metric.name);
    if !vary.is_empty() && count > 0 {
        line = format!("{line}: {}", name_failed_runs(&failed));
    }
    tools.note_line(&line);
    let count = to_value(u64::try_from(count).unwrap_or(u64::MAX));
    Ok(Ok(name_metrics(config, count, Vec::new())))
}

/// How many of the required gates are open. One that cannot run gives no number: nothing is known of what it checks.
fn gauge_gates(config: &Config, tools: &mut dyn GaugeTools) -> Result<Gauged> {
    let required = config.gates.iter().filter(|gate| config.counts_gate(gate));
    let required: Vec<&Gate> = required.collect();
    let mut open = Vec::new();
    for (at, gate) in required.iter().enumerate() {
        let label = format!("gate {} of {}, {}", at + 1, required.len(), gate.name);
        let (outcome, said) = tools.run_gate(gate, &label)?;
        let told = match &outcome {
            GateOutcome::Passes => "passes".to_owned(),
            GateOutcome::Open(why) => format!("open: {why}"),
            GateOutcome::CannotRun(why) => format!("cannot run: {why}"),
        };
        tools.note_line(&format!("{label}: {told}"));
        match outcome {
            GateOutcome::Passes => {}
            GateOutcome::Open(why) => open.push(describe_open_gate(&gate.name, &why, &said)),
            GateOutcome::CannotRun(why) => {
                let name = &gate.name;
                return Ok(Err(refuse(format!("the gate `{name}` cannot run: {why}"))));
            }
        }
    }
    let count = to_value(u64::try_from(open.len()).unwrap_or(u64::MAX));
    tools.note_line(&format!(
        "{}: {count} of {} open",
        config.metric.name,
        format_count(required.len(), "gate")
    ));
    tools.note_matches(open);
    Ok(Ok(name_metrics(config, count, Vec::new())))
}

/// An open gate in one line, with the last that was printed.
fn describe_open_gate(name: &str, why: &str, said: &str) -> String {
    let last = said.lines().last().map(str::trim).unwrap_or_default();
    let end = if last.is_empty() || why.contains(last) {
        String::new()
    } else {
        format!(": {last}")
    };
    escape_line(&format!("{name}: {why}{end}"))
}

fn make_conditions(condition: &RunCondition, form: ZoneForm) -> JobConditions {
    let variables = condition.list_variables(form).into_iter();
    JobConditions {
        variables: variables
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
        busy_cores: condition.is_under_load(),
    }
}

/// A run with what it met.
fn name_run(number: u32, met: &str) -> String {
    if met.is_empty() {
        format!("run {number}")
    } else {
        format!("run {number} ({met})")
    }
}

/// The first of these runs, and how many there are besides.
pub(super) fn name_failed_runs(failed: &[String]) -> String {
    let named = &failed[..failed.len().min(MOST_NAMED)];
    match failed.len() - named.len() {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

/// Bytes or matches, behind the command that makes the files, where there is one.
fn gauge_files(config: &Config, query: &FileQuery, tools: &mut dyn GaugeTools) -> Result<Gauged> {
    let status = match run_maker(config, tools)? {
        Ok(status) => status,
        Err(why) => return Ok(Err(why)),
    };
    let (amount, files) = match ask(query, tools)? {
        Ok(FileAnswer::Sum {
            amount,
            files,
            matched,
        }) => {
            tools.note_matches(matched);
            (amount, files)
        }
        Ok(other) => return Err(confused(&other)),
        Err(why) => return Ok(Err(why)),
    };
    let value = to_value(amount);
    let unit = config.gauge.kind.unit().format_number(&value.to_string());
    tools.note_line(&format!(
        "{}: {unit} in {}",
        config.metric.name,
        format_count(files, "file")
    ));
    if let Some(why) = find_contradiction(config, status, amount) {
        return Ok(Err(why));
    }
    Ok(Ok(name_metrics(
        config,
        value,
        vec![("files", to_value(files), "")],
    )))
}

/// A command that ends with "something was found", and in whose report nothing is: its 0 would be no success.
fn find_contradiction(config: &Config, status: i32, amount: u64) -> Option<Why> {
    let is_count = matches!(config.gauge.kind, GaugeKind::Count { .. });
    (is_count && status != 0 && amount == 0).then(|| {
        refuse(format!(
            "the command ended with {status}, which `ok_exit` allows, and nothing matches: it fails for another reason than what is counted"
        ))
    })
}

/// Matches, and all among which they are counted, as one report has both.
fn gauge_files_of(
    config: &Config,
    (query, of): (&FileQuery, &FileQuery),
    tools: &mut dyn GaugeTools,
) -> Result<Gauged> {
    let mut metrics = match gauge_files(config, query, tools)? {
        Ok(metrics) => metrics,
        Err(why) => return Ok(Err(why)),
    };
    let total = match ask(of, tools)? {
        Ok(FileAnswer::Sum { amount, .. }) => to_value(amount),
        Ok(other) => return Err(confused(&other)),
        Err(why) => return Ok(Err(why)),
    };
    tools.note_line(&format!("{TOTAL}: {total}"));
    let quantity = Quantity {
        number: total,
        unit: Unit::default(),
    };
    metrics.entry(TOTAL.to_owned()).or_insert(quantity);
    Ok(Ok(metrics))
}

fn gauge_coverage(config: &Config, report: &str, tools: &mut dyn GaugeTools) -> Result<Gauged> {
    let path = report.to_owned();
    if let Err(why) = ask(&FileQuery::ClearReport { path }, tools)? {
        return Ok(Err(why));
    }
    if let Err(why) = run_maker(config, tools)? {
        return Ok(Err(why));
    }
    let path = report.to_owned();
    let found = match ask(&FileQuery::ReadReport { path }, tools)? {
        Ok(FileAnswer::Lines { covered, lines }) => LineCoverage { covered, lines },
        Ok(other) => return Err(confused(&other)),
        Err(why) => return Ok(Err(why)),
    };
    let LineCoverage { covered, lines } = found;
    let value = found.to_percent();
    tools.note_line(&format!(
        "{}: {value}% ({covered} of {lines} lines in {report})",
        config.metric.name
    ));
    Ok(Ok(name_metrics(
        config,
        value,
        vec![("lines", to_value(lines), "")],
    )))
}

/// The exit status of the command that makes the files; 0 where there is none.
fn run_maker(config: &Config, tools: &mut dyn GaugeTools) -> Result<std::result::Result<i32, Why>> {
    if config.verify.command.is_empty() {
        return Ok(Ok(0));
    }
    let run = tools.run_command(&config.verify, "run", JobConditions::default())?;
    Ok(run.ended.map_err(Why::VerifyFailed))
}

fn ask(
    query: &FileQuery,
    tools: &mut dyn GaugeTools,
) -> Result<std::result::Result<FileAnswer, Why>> {
    Ok(match tools.ask_files(query)? {
        Ok(FileAnswer::Refused(why)) => Err(refuse(why)),
        Ok(answer) => Ok(answer),
        Err(how) => Err(Why::VerifyFailed(how)),
    })
}

fn confused(answer: &FileAnswer) -> Failure {
    Failure::new(
        FailureKind::Internal,
        format!("the runner answered another question: {answer:?}"),
    )
}

#[cfg(test)]
mod tests;
