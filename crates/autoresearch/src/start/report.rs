//! Owns what `start` answers.
//! Does not measure or decide anything.
//! Invariant: every number in it is the one that was recorded.

use std::fmt;
use std::path::PathBuf;

use autoresearch_core::config::{Config, GaugeKind, span, warn_of_zone_rules};
use autoresearch_core::decide::calibration::{Calibration, MachineLoad};
use autoresearch_core::journal::measured::find_start_rate;
use autoresearch_core::journal::state::RunState;
use autoresearch_core::metric::rate::RateInterval;
use autoresearch_core::metric::value::Value;
use autoresearch_core::words::text::{clip_text, format_count, shorten_names};
use autoresearch_sys::machine_zones::has_zone;
use serde::Serialize;

use crate::run::glance::Glance;
use crate::start::reaction::ReactionReport;

/// The answer of `start`.
#[derive(Clone, Debug, Serialize)]
pub struct StartReport {
    pub run: String,
    /// Its folder, as the reader can open it.
    pub folder: String,
    pub goal: String,
    pub scope: Vec<String>,
    /// The files that are pinned.
    pub pinned: Vec<String>,
    pub metric: String,
    /// Which way is better.
    pub direction: &'static str,
    pub target: Option<Value>,
    /// The value at start.
    pub baseline: Value,
    /// Every run of the baseline.
    pub samples: Vec<Value>,
    /// Did all runs give the same value?
    pub deterministic: bool,
    /// The standard deviation of one run.
    pub spread: f64,
    /// What all runs say of a metric that counts cases.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<RateInterval>,
    /// What a noisy metric lets be told.
    pub noise: Option<Calibration>,
    /// The guard on the untouched tree.
    pub guard: &'static str,
    /// Must each keep pass a check that nothing in the repository names?
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub holdout: bool,
    /// The branch of the trials.
    pub branch: String,
    /// The work tree of the trials.
    pub work_tree: PathBuf,
    /// How many files were dirty outside the scope; they are left alone.
    pub left_alone: usize,
    pub limits: String,
    /// The check that the metric reacts to the files of the scope; absent where the run was started before.
    pub reaction: Option<ReactionReport>,
    /// The last lines that verify wrote to standard error, although it succeeded.
    pub stderr: Option<String>,
    /// What should be looked at, without stopping the run.
    pub warnings: Vec<String>,
    pub next: String,
}

pub(super) fn make_start_report(
    glance: &Glance<'_>,
    left_alone: usize,
    (pinned, load): (Vec<String>, Option<MachineLoad>),
) -> StartReport {
    let noise = find_calibration(&glance.run.store.state).map(|noise| noise.with_load(load));
    let (run, state) = (&glance.run, &glance.run.store.state);
    let (start, config) = (&state.start, state.config());
    let time = config
        .time_limit
        .map(|limit| format!(", {}", span::format_span(limit.span)))
        .unwrap_or_default();
    StartReport {
        run: start.run.clone(),
        folder: run.world.path_from_here(&run.store.layout.run_folder()),
        goal: config.goal.clone(),
        scope: config.scope.clone(),
        pinned,
        metric: config.metric.name.clone(),
        direction: config.metric.direction.as_str(),
        target: config.metric.target_number(),
        baseline: start.measurement.value.clone(),
        samples: start.samples.clone(),
        deterministic: state.evidence.is_exact(),
        spread: state.find_run_spread(),
        rate: find_start_rate(start),
        noise: noise.clone(),
        guard: start.guard.as_str(),
        holdout: start.holdout.is_some(),
        branch: start.branch.short().to_owned(),
        work_tree: glance.seat.git().work_tree().to_owned(),
        left_alone,
        reaction: None,
        stderr: None,
        limits: match config.iterations {
            Some(most) => format!("{most} iterations{time}{}", describe_reserve(state)),
            None => format!("no limit of trials{time}{}", describe_reserve(state)),
        },
        warnings: warn_of_flaky_guard(start.guard_retries)
            .into_iter()
            .chain(warn_of_missing_zones(config))
            .chain(warn_of_noise(noise.as_ref()))
            .collect(),
        next: glance.next_step(),
    }
}

/// What is kept back for the measurement at the end.
fn describe_reserve(state: &RunState) -> String {
    let reserve = state.limits.reserve;
    if reserve.verify_runs == 0 {
        return String::new();
    }
    let whole_seconds = std::time::Duration::from_secs(reserve.ms.div_ceil(1_000));
    format!(
        "; {} runs of verify ({}) are kept back for weak keeps and the claim at the end",
        reserve.verify_runs,
        span::format_span(whole_seconds)
    )
}

/// What the baseline says of the noise.
fn find_calibration(state: &RunState) -> Option<Calibration> {
    let samples = state.start.samples.iter();
    let values: Vec<f64> = samples.map(Value::to_double).collect();
    Calibration::find(&state.evidence, &values)
}

/// What a person can do about the noise before anything is lost in it.
pub(super) fn warn_of_noise(noise: Option<&Calibration>) -> Option<String> {
    let noise = noise?;
    let remedies = noise.list_remedies().join("; ");
    let word = if noise.is_too_noisy() {
        "warning"
    } else {
        "note"
    };
    (!remedies.is_empty()).then(|| {
        format!(
            "{word}: runs of the untouched tree differ by {} %: {remedies}",
            noise.spread_percent
        )
    })
}

/// Zones that verify's runs should meet and cannot, for want of the machine's data.
pub(super) fn warn_of_missing_zones(config: &Config) -> Option<String> {
    match &config.gauge.kind {
        GaugeKind::ExitRate { vary, .. } => warn_of_zone_rules(vary, has_zone),
        _ => None,
    }
}

/// A guard that failed on the untouched tree before it passed.
fn warn_of_flaky_guard(retries: u32) -> Option<String> {
    (retries > 0).then(|| {
        format!("warning: the guard failed {} before it passed on the untouched tree: its result does not depend only on the code", format_count(retries, "time"))
    })
}

impl fmt::Display for StartReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for warning in &self.warnings {
            writeln!(out, "{warning}")?;
        }
        let target = self
            .target
            .as_ref()
            .map(|target| format!(", target {target}"))
            .unwrap_or_default();
        writeln!(out, "run `{}` started: {}", self.run, self.goal)?;
        writeln!(
            out,
            "  metric    {} = {} ({} is better{target})",
            self.metric, self.baseline, self.direction
        )?;
        if let Some(rate) = &self.rate {
            writeln!(out, "  rate      {rate}")?;
        }
        if self.deterministic {
            writeln!(
                out,
                "  noise     none: {} equal runs; a keep takes two equal runs or three, a discard one",
                self.samples.len()
            )?;
        } else if let Some(noise) = &self.noise {
            writeln!(out, "  noise     {noise}")?;
        } else {
            writeln!(
                out,
                "  noise     {} runs of {} do not tell: the first trial measures the untouched tree further",
                self.samples.len(),
                self.metric
            )?;
        }
        self.write_details(out)
    }
}

impl StartReport {
    fn write_details(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let remark = |reaction: &ReactionReport| reaction.remark.clone();
        if let Some(remark) = self.reaction.as_ref().and_then(remark) {
            writeln!(out, "  reaction  {remark}")?;
        }
        if let Some(said) = &self.stderr {
            writeln!(out, "  stderr    of verify, although it succeeded:")?;
            for line in said.lines() {
                writeln!(out, "            | {line}")?;
            }
        }
        writeln!(
            out,
            "  guard     {}",
            if self.guard == "-" {
                "none"
            } else {
                self.guard
            }
        )?;
        if self.holdout {
            writeln!(
                out,
                "  holdout   it passed; each keep must pass it, and nobody is shown it"
            )?;
        }
        writeln!(out, "  scope     {}", clip_text(&self.scope.join(" "), 160))?;
        if self.pinned.is_empty() {
            writeln!(out, "  pinned    none")?;
        } else {
            writeln!(
                out,
                "  pinned    {}: {}; a trial that changes one is void",
                format_count(self.pinned.len(), "file"),
                shorten_names(&self.pinned, self.pinned.len(), 80)
            )?;
        }
        if self.left_alone > 0 {
            writeln!(
                out,
                "  yours     {} outside the scope: left alone, never committed",
                format_count(self.left_alone, "changed file")
            )?;
        }
        writeln!(
            out,
            "  branch    {} in {}",
            self.branch,
            self.work_tree.display()
        )?;
        writeln!(out, "  limits    {}", self.limits)?;
        writeln!(out, "  log       {}/research-results.tsv", self.folder)?;
        write!(out, "{}", self.next)
    }
}

#[cfg(test)]
mod tests;
