//! Owns the reaction check of a start: verify in a scratch tree, on the files of the scope as they are and as they are not.
//! Does not decide what its runs prove, and never refuses: the caller does.
//! Invariant: what cannot be checked is said; no file outside the scratch tree is changed for it.

use std::ffi::OsString;
use std::fmt;
use std::time::Duration;

use autoresearch_core::config::span::{format_span, whole_millis};
use autoresearch_core::config::{Config, GaugeKind, Isolation, TOTAL};
use autoresearch_core::decide::reaction::{
    NextProbe, Probe, ProbeResult, ReactionCheck, ReactionOutcome, ReactionVerdict, ScopeState,
};
use autoresearch_core::journal::event::Why;
use autoresearch_core::metric::definition::Direction;
use autoresearch_core::metric::measurement::Measurement;
use autoresearch_core::metric::screen::describe_drawing;
use autoresearch_core::metric::value::Value;
use autoresearch_core::words::text::{escape_text, format_count, shorten_names};
use serde::Serialize;

use crate::config::CONFIG_FILE;
use crate::start::baseline::Baseline;
use crate::start::parts::StartParts;
use crate::start::scope_files::ScopeFiles;
use crate::trees::lending::{ReadyTree, TreeNeeds, TreeSource, lend_ready_tree};
use crate::trees::missing::{FailedCommand, list_missing_names};
use crate::trees::place::TreePlace;
use crate::trees::wanted::choose_viewed_config;
use crate::trial::measure::Bench;
use autoresearch_sys::env::{Stopwatch, World};
use autoresearch_sys::error::{Failure, FailureKind, Result};
use autoresearch_sys::process::{Confinement, LocalExecutor};
use autoresearch_sys::store::{DirtyFiles, TreeKind, read_output};

/// A start makes the check where all of its runs together take no longer than this, as the baseline took.
const PATIENCE: Duration = Duration::from_mins(1);
/// The most runs that a check makes.
const MOST_RUNS: u32 = 4;

/// So much of an output shows how it was read.
const MOST_SHOWN: u64 = 1 << 20;

/// How long whoever asked waits for the check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CheckPatience {
    /// A start: a minute.
    Brief,
    /// `config try`: as long as verify may take.
    Full,
}

/// The check, as it is shown.
#[derive(Clone, Debug, Serialize)]
pub struct ReactionReport {
    pub outcome: ReactionOutcome,
    /// The runs of verify, in their order.
    pub runs: Vec<ShownProbe>,
    /// How many files were changed for it.
    pub files: usize,
    /// How long all of it took, the work tree included.
    pub took_ms: u64,
    /// What is to be said of it; nothing where all is as it should be.
    pub remark: Option<String>,
    /// The first of the files, by name.
    #[serde(skip)]
    pub names: String,
    /// How the output was read, where not as it is.
    #[serde(skip)]
    pub drawing: Option<&'static str>,
}

/// One run of the check.
#[derive(Clone, Debug, Serialize)]
pub struct ShownProbe {
    pub state: &'static str,
    pub value: Option<Value>,
    /// What it was counted among, where that is another number than at the baseline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<Value>,
    pub failed: Option<String>,
}

impl From<Probe> for ShownProbe {
    fn from(probe: Probe) -> Self {
        let (value, total, failed) = match probe.result {
            ProbeResult::Value(value) => (Some(value), None, None),
            ProbeResult::OtherTotal { value, total } => (Some(value), Some(total), None),
            ProbeResult::Failed(why) => (None, None, Some(why.to_string())),
        };
        Self {
            state: probe.state.as_str(),
            value,
            total,
            failed,
        }
    }
}

impl fmt::Display for ShownProbe {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:<9}  ", self.state)?;
        match (&self.value, &self.total) {
            (Some(value), None) => value.fmt(out),
            (Some(value), Some(total)) => write!(out, "{value} of {total}"),
            (None, _) => write!(out, "{}", self.failed.as_deref().unwrap_or_default()),
        }
    }
}

impl ReactionReport {
    fn without_runs(outcome: ReactionOutcome, remark: String) -> Self {
        Self {
            outcome,
            runs: Vec::new(),
            files: 0,
            took_ms: 0,
            remark: Some(remark),
            names: String::new(),
            drawing: None,
        }
    }

    /// Why a start refuses what was found, if it does.
    pub(super) fn find_refusal(&self, config: &Config) -> Option<Failure> {
        self.refuse_indifferent(&config.metric.name)
            .or_else(|| self.refuse_guards_product(config))
    }

    /// The refusal of a metric that reacted to nothing.
    fn refuse_indifferent(&self, metric: &str) -> Option<Failure> {
        let mut failure = Failure::config(format!(
            "{metric} does not react to the files of the scope: verify measures something else"
        ));
        let drawing = self.drawing.map(|how| format!("output     {how}"));
        let runs = self.runs.iter().map(ToString::to_string);
        failure.causes = runs.chain(drawing).collect();
        let is_deaf = self.outcome == ReactionOutcome::Indifferent;
        is_deaf.then(|| failure.hint(self.explain_indifference()))
    }

    /// The refusal of a verify that passes in a tree of the run only where the guard has run: a trial runs verify first, and
    /// would measure what the guard of the trial before has built.
    fn refuse_guards_product(&self, config: &Config) -> Option<Failure> {
        let control = self.runs.first()?;
        let is_fresh = config.isolation == Isolation::Worktree && config.guard.is_some();
        let failed = self.outcome == ReactionOutcome::NotChecked && control.failed.is_some();
        let mut failure = Failure::config(
            "verify passes in the run's tree only after the guard: each trial would measure what the guard of the trial before has built",
        );
        let why = self.remark.iter();
        failure.causes = why
            .map(|why| why.trim_start_matches("not checked: ").to_owned())
            .collect();
        (is_fresh && failed).then(|| {
            failure.hint("let verify build what it measures, or bring what is missing with prepare, link or copy")
        })
    }

    /// Where to look, and what a person can say.
    fn explain_indifference(&self) -> String {
        format!(
            "verify gave the same for {} ({}) untouched, emptied, deleted and full of garbage. It may test an installed copy, read a cached result, or count the lines of a command that fails in front of a pipe (`shell: bash` shows that): empty one of the files, and run verify by hand. Where it is right all the same, a person says why in `reaction: {{exempt: \"REASON\"}}`",
            format_count(self.files, "file"),
            self.names
        )
    }
}

/// What a check is made with.
pub(super) struct ReactionScene<'a> {
    pub(super) world: &'a World,
    pub(super) parts: &'a StartParts<'a>,
    /// The environment of the baseline.
    pub(super) env: &'a [(OsString, OsString)],
    pub(super) baseline: &'a Baseline,
    /// The sandbox of verify, if it has one.
    pub(super) confinement: Option<&'a Confinement>,
    /// What was changed before the start.
    pub(super) changed: &'a DirtyFiles,
    pub(super) patience: CheckPatience,
}

/// Checks whether the metric reacts to the files of the scope.
pub(super) fn check_reaction(scene: &ReactionScene<'_>) -> Result<ReactionReport> {
    if let Some(reason) = &scene.parts.config.reaction.exempt {
        let remark = format!("not checked, exempt: {reason}");
        return Ok(ReactionReport::without_runs(
            ReactionOutcome::Exempt,
            remark,
        ));
    }
    let verify = Duration::from_millis(scene.baseline.verify_ms);
    if let Some(why) = explain_delay(scene.patience, verify) {
        return Ok(not_checked(&why));
    }
    let watch = Stopwatch::start();
    let checked = make_check(scene).map(|report| ReactionReport {
        took_ms: whole_millis(watch.elapsed()),
        ..report
    });
    match checked {
        Err(failure) if failure.kind != FailureKind::Interrupted => {
            let causes = failure.causes.iter().map(|cause| format!(": {cause}"));
            Ok(not_checked(
                &causes.fold(failure.error, |text, cause| text + &cause),
            ))
        }
        checked => checked,
    }
}

/// Why nobody waits for the check, if verify takes so long.
fn explain_delay(patience: CheckPatience, verify: Duration) -> Option<String> {
    let is_long = patience == CheckPatience::Brief && verify * MOST_RUNS > PATIENCE;
    is_long.then(|| {
        let span = format_span(Duration::from_secs(verify.as_secs()));
        format!("verify takes {span}; `autoresearch config try` checks it")
    })
}

fn not_checked(why: &str) -> ReactionReport {
    ReactionReport::without_runs(ReactionOutcome::NotChecked, format!("not checked: {why}"))
}

fn make_check(scene: &ReactionScene<'_>) -> Result<ReactionReport> {
    let parts = scene.parts;
    let git = &parts.start_site.git;
    let viewed = choose_viewed_config(git, &parts.config)?;
    let trees = parts.config.trees.as_deref();
    let place = TreePlace::choose(scene.world, git, trees, &parts.layout, &parts.id)?;
    let source = TreeSource {
        git,
        place: &place,
        // Nobody else is to work where files were emptied and deleted.
        kind: TreeKind::Scratch,
    };
    let ready = lend_ready_tree(
        scene.world,
        &source,
        &parts.start_site.base,
        &TreeNeeds {
            env: scene.env,
            config: &parts.config,
            in_view: viewed.as_ref(),
        },
    )?;
    let files = ScopeFiles::find(ready.tree.git(), &parts.config)?;
    if files.len() == 0 {
        return Ok(not_checked(
            "no tracked file of the scope stands in a fresh work tree",
        ));
    }
    let direction = parts.config.metric.direction;
    let cases = parts.config.gauge.kind.count_cases();
    let mut check = ReactionCheck::new(&scene.baseline.samples, direction)
        .of_cases(cases)
        .of_open(parts.config.gauge.kind == GaugeKind::Gates);
    let (verdict, said) = run_probes(scene, (&ready, &files), &mut check)?;
    let probes = check.into_probes();
    let (outcome, remark) = match verdict {
        ReactionVerdict::NoControl => {
            let why = explain_control(scene, &ready, probes.first().map(|it| &it.result), &said);
            (
                ReactionOutcome::NotChecked,
                Some(format!("not checked: {why}")),
            )
        }
        other => describe_verdict((&parts.config.metric.name, direction), other),
    };
    Ok(ReactionReport {
        outcome,
        runs: probes.into_iter().map(ShownProbe::from).collect(),
        files: files.len(),
        took_ms: 0,
        remark,
        names: files.shorten_names(),
        drawing: describe_printed(scene)?,
    })
}

/// How the output of the first run was read, where not as it is.
fn describe_printed(scene: &ReactionScene<'_>) -> Result<Option<&'static str>> {
    let folder = scene.parts.layout.make_trial_folder(0)?;
    let file = folder.join(format!(
        "{}verify-1.out",
        name_outputs(ScopeState::Untouched)
    ));
    let printed = read_output(&file, MOST_SHOWN).unwrap_or_default();
    Ok(describe_drawing(&String::from_utf8_lossy(&printed)))
}

/// The beginning of the names of output files.
fn name_outputs(state: ScopeState) -> String {
    format!("reaction-{}-", state.as_str())
}

/// Runs verify in one state of the files after the other, until it is clear what that proves; also what the last run said.
fn run_probes(
    scene: &ReactionScene<'_>,
    (ready, files): (&ReadyTree<'_>, &ScopeFiles<'_>),
    check: &mut ReactionCheck<'_>,
) -> Result<(ReactionVerdict, String)> {
    let (mut said, mut floor) = (String::new(), 0);
    loop {
        match check.next_probe() {
            NextProbe::Run(state) => {
                let is_changed = state != ScopeState::Untouched;
                if is_changed {
                    // What verify left must not be taken for a reaction.
                    ready.tree.bring_to(&scene.parts.start_site.base)?;
                }
                files.change_to(state)?;
                if is_changed {
                    floor = files.renew_times(scene.world, floor);
                }
                check.record_result(run_probe(scene, ready, (state, &mut said))?);
            }
            NextProbe::Done(verdict) => return Ok((verdict, said)),
        }
    }
}

/// Runs verify in the tree as the baseline ran it; a start waits no longer than its patience for a tree that is cold.
fn run_probe(
    scene: &ReactionScene<'_>,
    ready: &ReadyTree<'_>,
    (state, said): (ScopeState, &mut String),
) -> Result<ProbeResult> {
    (scene.world.step)("reaction");
    // The run keeps the outputs beside those of the baseline.
    let folder = scene.parts.layout.make_trial_folder(0)?;
    let executor = LocalExecutor::new(scene.world, scene.env);
    let prefix = name_outputs(state);
    let progress = (scene.world.progress, scene.world.clock);
    let mut bench = Bench::new(&executor, progress, ready.tree.path(), folder, &prefix);
    bench.view.clone_from(&ready.view);
    bench.confine(scene.confinement);
    bench.most = scene.parts.config.outputs.file_bytes();
    bench.reading = Some(scene.baseline.reading.clone());
    let mut config = scene.parts.config.clone();
    if scene.patience == CheckPatience::Brief {
        config.verify.timeout = config.verify.timeout.min(PATIENCE);
        for gate in &mut config.gates {
            gate.command.timeout = gate.command.timeout.min(PATIENCE);
        }
    }
    let measured = bench.run_verify(&config)?;
    *said = std::mem::take(&mut bench.tail);
    Ok(match measured {
        Ok(measurement) => compare_totals(&config, &measurement, &scene.baseline.measurement),
        Err(why) => ProbeResult::Failed(why),
    })
}

/// The value of a run, with its total where that is not the baseline's.
fn compare_totals(config: &Config, run: &Measurement, baseline: &Measurement) -> ProbeResult {
    let value = run.value.clone();
    let is_part = matches!(&config.gauge.kind, GaugeKind::Count { of: Some(_), .. });
    let totals = (run.metrics.get(TOTAL), baseline.metrics.get(TOTAL));
    match totals {
        (Some(total), Some(before)) if is_part && total != before => ProbeResult::OtherTotal {
            value,
            total: total.clone(),
        },
        _ => ProbeResult::Value(value),
    }
}

/// The outcome of a check whose control gave the baseline's value, and what is to be said of it.
fn describe_verdict(
    (name, direction): (&str, Direction),
    verdict: ReactionVerdict,
) -> (ReactionOutcome, Option<String>) {
    match verdict {
        ReactionVerdict::Reacts => (ReactionOutcome::Reacts, None),
        ReactionVerdict::Indifferent | ReactionVerdict::NoControl => {
            (ReactionOutcome::Indifferent, None)
        }
        ReactionVerdict::TooNoisy => {
            let remark = format!(
                "not checked: the runs of {name} differ too much to tell; make sure by hand that it changes with the files of the scope"
            );
            (ReactionOutcome::NotChecked, Some(remark))
        }
        ReactionVerdict::StaysOpen => {
            let remark = format!(
                "not checked: no gate that passes needs the files of the scope, and {name} says nothing of one that is open already; make sure by hand that these files can close it"
            );
            (ReactionOutcome::NotChecked, Some(remark))
        }
        ReactionVerdict::AtWorst => {
            let remark = match direction {
                Direction::Higher => format!(
                    "not checked: {name} is 0, and stays 0 whatever is taken away; make sure by hand that it grows with the files of the scope"
                ),
                Direction::Lower => format!(
                    "not checked: {name} is as bad as can be, whatever is taken away; make sure by hand that it gets better with the files of the scope"
                ),
            };
            (ReactionOutcome::NotChecked, Some(remark))
        }
        ReactionVerdict::ReactsOnly(state) => {
            let (only, not) = match state {
                ScopeState::Deleted => ("deleting", "emptying"),
                _ => ("filling", "emptying or deleting"),
            };
            let with = if state == ScopeState::Garbage {
                " with garbage"
            } else {
                ""
            };
            let remark = format!(
                "only {only} the files of the scope{with} changes {name}, {not} them does not: look at what verify measures"
            );
            (ReactionOutcome::ReactsWeakly, Some(remark))
        }
    }
}

/// Why a fresh work tree does not give the baseline's value, and what it misses.
fn explain_control(
    scene: &ReactionScene<'_>,
    ready: &ReadyTree<'_>,
    result: Option<&ProbeResult>,
    said: &str,
) -> String {
    let config = &scene.parts.config;
    let what = match result {
        Some(ProbeResult::Value(value)) => format!(
            "{} is {value} in a fresh work tree, not {}",
            config.metric.name, scene.baseline.measurement.value
        ),
        Some(other @ ProbeResult::OtherTotal { .. }) => {
            format!("{} is {other} in a fresh work tree", config.metric.name)
        }
        Some(ProbeResult::Failed(Why::VerifyFailed(how))) => {
            format!("verify fails in a fresh work tree ({how})")
        }
        Some(ProbeResult::Failed(why)) => format!("verify fails in a fresh work tree ({why})"),
        None => "verify was not run in a fresh work tree".to_owned(),
    };
    let failed = FailedCommand {
        checkout: &scene.parts.start_site.git,
        tree: ready.tree.path(),
        commands: vec![&config.verify],
        output: said,
        view: ready.view.as_ref(),
    };
    let mut lacks = list_missing_names(&failed);
    let changed = scene.changed.list_paths();
    for (_, path, _) in changed {
        let path = escape_text(&path.to_string_lossy());
        if !lacks.contains(&path) {
            lacks.push(path);
        }
    }
    // The run's config is not what verify measures.
    lacks.retain(|path| path != CONFIG_FILE);
    if lacks.is_empty() {
        return what;
    }
    let shown = shorten_names(&lacks, lacks.len(), 80);
    format!("{what}; such a tree lacks {shown}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_waits_a_minute_for_four_runs_and_config_try_as_long_as_they_take() {
        let quick = Duration::from_secs(15);
        let slow = Duration::from_millis(15_900);
        for verify in [Duration::ZERO, quick] {
            assert_eq!(explain_delay(CheckPatience::Brief, verify), None);
        }
        insta::assert_snapshot!(
            explain_delay(CheckPatience::Brief, slow).unwrap(),
            @"verify takes 15s; `autoresearch config try` checks it"
        );
        assert_eq!(explain_delay(CheckPatience::Full, slow * 1_000), None);
    }

    #[test]
    fn what_only_absence_or_garbage_changes_is_told_in_a_sentence() {
        let tell = |verdict| describe_verdict(("any", Direction::Lower), verdict);
        assert_eq!(
            tell(ReactionVerdict::Reacts),
            (ReactionOutcome::Reacts, None)
        );
        let (outcome, remark) = tell(ReactionVerdict::ReactsOnly(ScopeState::Deleted));
        assert_eq!(outcome, ReactionOutcome::ReactsWeakly);
        insta::assert_snapshot!(
            remark.unwrap(),
            @"only deleting the files of the scope changes any, emptying them does not: look at what verify measures"
        );
        let (_, remark) = tell(ReactionVerdict::ReactsOnly(ScopeState::Garbage));
        insta::assert_snapshot!(
            remark.unwrap(),
            @"only filling the files of the scope with garbage changes any, emptying or deleting them does not: look at what verify measures"
        );
    }
}
