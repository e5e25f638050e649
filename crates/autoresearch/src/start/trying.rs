//! Owns `config try`: what a start would find, without a run.
//! Does not record anything.
//! Invariant: what it makes is what a start makes before it is recorded, and is taken away again whatever it found.

use std::fmt;

use autoresearch_core::config::span::format_span;
use autoresearch_core::decide::calibration::{Calibration, MachineLoad};
use autoresearch_core::decide::evidence::Evidence;
use autoresearch_core::decide::reaction::ReactionOutcome;
use autoresearch_core::journal::event::Start;
use autoresearch_core::journal::measured::count_cases;
use autoresearch_core::journal::runs::record_runs;
use autoresearch_core::metric::value::Value;
use autoresearch_core::words::text::format_count;
use serde::Serialize;

use crate::config::{ConfigSource, format_problem};
use crate::run::place::Place;
use crate::start::parts::remove_made_parts;
use crate::start::reaction::{CheckPatience, ReactionReport};
use crate::start::report::warn_of_missing_zones;
use crate::start::sandboxed::SandboxReport;
use crate::start::trial_time::TrialTime;
use crate::start::{begin_start, prepare_start, read_wanted_start};
use crate::trees::left_gits::start_lock_folder;
use autoresearch_sys::env::World;
use autoresearch_sys::error::{Failure, Result};
use autoresearch_sys::store;

/// The answer of `config try`.
#[derive(Clone, Debug, Serialize)]
pub struct TryReport {
    pub file: String,
    /// Would `start` accept it?
    pub ok: bool,
    pub metric: String,
    /// Which way is better.
    pub direction: &'static str,
    pub target: Option<Value>,
    /// The guard on the untouched tree.
    pub guard: &'static str,
    /// The value of the untouched tree.
    pub baseline: Value,
    /// Every run of verify on it.
    pub samples: Vec<Value>,
    /// Did all runs give the same value?
    pub deterministic: bool,
    /// The standard deviation of one run.
    pub spread: f64,
    /// What a noisy metric lets be told.
    pub noise: Option<Calibration>,
    /// How long one run of verify takes.
    pub verify_ms: u64,
    /// What the measuring of trials costs, and how many fit.
    pub trial: TrialTime,
    pub reaction: ReactionReport,
    /// Whether verify and guard work in a sandbox.
    pub sandbox: Option<SandboxReport>,
    /// The last lines that verify wrote to standard error, although it succeeded.
    pub stderr: Option<String>,
    pub warnings: Vec<String>,
    /// What it comes to.
    pub verdict: String,
}

/// Measures the untouched tree and checks the reaction to the scope, as a start does, and leaves nothing behind.
pub fn try_config(world: &World, place: &Place, source: &ConfigSource) -> Result<TryReport> {
    let wanted = read_wanted_start(world, place, source)?;
    let _starting = store::take_lock(
        &start_lock_folder(world, &wanted.site.history),
        world,
        "config try",
    )?;
    let (parts, mut pinned) = begin_start(world, &wanted)?;
    let prepared = prepare_start(world, &parts, &mut pinned, CheckPatience::Full);
    remove_made_parts(world, &parts);
    let prepared = prepared?;
    let problems = wanted.problems.iter();
    let warnings = problems.map(|problem| format_problem(&source.name, problem));
    Ok(TryReport {
        stderr: Some(prepared.said).filter(|said| !said.is_empty()),
        warnings: warnings
            .chain(warn_of_missing_zones(&wanted.config))
            .collect(),
        sandbox: prepared.sandbox,
        ..make_try_report(
            (&source.name, parts.load),
            (prepared.start, prepared.guard_ms),
            prepared.reaction,
        )
    })
}

fn make_try_report(
    (file, load): (&str, Option<MachineLoad>),
    (start, guard_ms): (Start, u64),
    reaction: ReactionReport,
) -> TryReport {
    let values: Vec<f64> = start.samples.iter().map(Value::to_double).collect();
    let direction = start.config.metric.direction;
    let mut evidence = Evidence::new(direction, 0.0).of_cases(count_cases(&start));
    record_runs(&mut evidence, &start.runs);
    let noise = Calibration::find(&evidence, &values).map(|noise| noise.with_load(load));
    let size = start.measurement.value.magnitude().to_double();
    let spread = evidence.find_run_spread() * size;
    let metric = &start.config.metric;
    let refusal = reaction.find_refusal(&start.config);
    let most_runs = noise.as_ref().map(|noise| u64::from(noise.trial_runs));
    let times = (start.verify_ms, guard_ms);
    let trial = TrialTime::estimate(&start.config, times, most_runs);
    TryReport {
        file: file.to_owned(),
        ok: refusal.is_none(),
        metric: metric.name.clone(),
        direction: metric.direction.as_str(),
        target: metric.target_number(),
        guard: start.guard.as_str(),
        baseline: start.measurement.value,
        samples: start.samples,
        deterministic: evidence.is_exact(),
        spread,
        noise,
        verify_ms: start.verify_ms,
        trial,
        verdict: refusal.map_or_else(
            || describe_outcome(&metric.name, &reaction),
            |refusal| describe_refusal(&refusal),
        ),
        reaction,
        sandbox: None,
        stderr: None,
        warnings: Vec::new(),
    }
}

fn describe_outcome(metric: &str, reaction: &ReactionReport) -> String {
    let remark = reaction.remark.as_deref().unwrap_or_default();
    match reaction.outcome {
        ReactionOutcome::Reacts => format!("{metric} reacts to the files of the scope"),
        ReactionOutcome::ReactsWeakly => format!("{metric} reacts, but {remark}"),
        ReactionOutcome::NotChecked
        | ReactionOutcome::Exempt
        | ReactionOutcome::Indifferent
        | ReactionOutcome::Unknown => {
            format!("whether {metric} reacts to the files of the scope is {remark}")
        }
    }
}

fn describe_refusal(refusal: &Failure) -> String {
    let hint = refusal.hint.as_deref().unwrap_or_default();
    format!("`start` refuses it: {}. {hint}", refusal.error)
}

impl TryReport {
    /// How long the check took, and how long beside one run of verify.
    fn describe_cost(&self) -> String {
        let took = self.reaction.took_ms;
        // Tenths, without a double.
        let tenths = took.saturating_mul(10) / self.verify_ms.max(1);
        let span = format_span(std::time::Duration::from_millis(took));
        format!(
            "{} in {span}, {}.{} times one run of verify",
            format_count(self.reaction.runs.len(), "run"),
            tenths / 10,
            tenths % 10
        )
    }
}

impl fmt::Display for TryReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for warning in &self.warnings {
            writeln!(out, "{warning}")?;
        }
        let guard = if self.guard == "-" {
            "none"
        } else {
            self.guard
        };
        writeln!(out, "guard     {guard}")?;
        let samples: Vec<String> = self.samples.iter().map(ToString::to_string).collect();
        let noise = match &self.noise {
            _ if self.deterministic => "no noise".to_owned(),
            // Counted cases are never exact, whatever they were this time.
            Some(_) if samples.windows(2).all(|pair| pair[0] == pair[1]) => {
                "each run alike".to_owned()
            }
            Some(noise) => format!("differing by {} %", noise.spread_percent),
            None => "too few runs to tell the noise".to_owned(),
        };
        let took = format_span(std::time::Duration::from_millis(self.verify_ms));
        writeln!(
            out,
            "verify    {} = {} ({noise}, {took} a run)",
            self.metric,
            samples.join(", ")
        )?;
        if let Some(noise) = &self.noise {
            writeln!(out, "noise     {noise}")?;
            for remedy in noise.list_remedies() {
                writeln!(out, "          {remedy}")?;
            }
        }
        writeln!(out, "trial     {}", self.trial)?;
        if let Some(said) = &self.stderr {
            writeln!(out, "stderr    of verify, although it succeeded:")?;
            for line in said.lines() {
                writeln!(out, "          | {line}")?;
            }
        }
        for (at, run) in self.reaction.runs.iter().enumerate() {
            let head = if at == 0 { "scope" } else { "" };
            writeln!(out, "{head:<9} {run}")?;
        }
        if !self.reaction.runs.is_empty() {
            writeln!(out, "check     {}", self.describe_cost())?;
        }
        if let Some(sandbox) = &self.sandbox {
            writeln!(out, "sandbox   {}", sandbox.said)?;
        }
        write!(out, "verdict   {}", self.verdict)
    }
}
