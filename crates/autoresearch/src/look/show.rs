//! Owns `show`: one trial as people want to see it again, with what it changed and what its commands printed.
//! Does not lock or change a run, and starts no program but git.
//! Invariant: which commit is a trial's is what the journal says; a reference is never asked.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use autoresearch_core::git_names::CommitId;
use autoresearch_core::journal::event::{
    Decision, Event, GainRange, Guard, Record, Suspicion, Why, WorkerId, format_further_metrics,
    list_further_metrics,
};
use autoresearch_core::journal::measured::find_start_rate;
use autoresearch_core::journal::story::{Story, TrialResult, TrialStory};
use autoresearch_core::metric::cases::CaseChanges;
use autoresearch_core::metric::measurement::Measurement;
use autoresearch_core::metric::percent::format_percent;
use autoresearch_core::metric::rate::RateInterval;
use autoresearch_core::metric::unit::Unit;
use autoresearch_core::metric::value::Value;
use autoresearch_core::words::table::name_worker_status;
use autoresearch_core::words::text::{escape_text, format_count};
use serde::Serialize;

use crate::run::glance::Glance;
use crate::run::place::{Place, WantedRun};
use crate::run::under_way::show_whole_seconds;
use autoresearch_sys::env::{World, clock_text_of, count_ms_between};
use autoresearch_sys::error::{Failure, Result};
use autoresearch_sys::git::FileDifference;
use autoresearch_sys::store::{Access, OutputTail, read_output_tails};

/// How many files the story of a trial names.
const MOST_FILES: usize = 20;
/// How much of the end of an output is shown.
const TAIL: u64 = 8 << 10;

/// What is shown: a trial, or a worker of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ShownName {
    Trial(u32),
    Worker(WorkerId),
}

impl ShownName {
    fn describe(self) -> String {
        match self {
            Self::Trial(number) => format!("trial {number}"),
            Self::Worker(worker) => format!("worker {worker}"),
        }
    }
}

impl fmt::Display for ShownName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trial(number) => write!(out, "{number}"),
            Self::Worker(worker) => write!(out, "{worker}"),
        }
    }
}

impl FromStr for ShownName {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let worker = text.parse().map(Self::Worker);
        let number = text.parse().map(Self::Trial);
        number.or(worker).map_err(|_| {
            "it is neither the number of a trial nor a worker of a batch, such as 5 or 5b"
                .to_owned()
        })
    }
}

/// What is asked of a trial besides its story.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ShownPart {
    Story,
    Figures,
    Patch,
    Outputs,
}

/// The answer of `show`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct TrialView {
    pub run: String,
    pub trial: u32,
    /// The worker of a batch that it is, where it is one; `trial` is the number of the batch then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worker: Option<WorkerId>,
    /// What became of the workers of the batch that it decided, such as `5a measured`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub workers: Vec<String>,
    /// `keep`, `discard`, `crash`, `no-op`, `interrupted`; `baseline`; `rework` while it waits for one, `open` while it is
    /// made.
    pub verdict: &'static str,
    /// Why it is not a keep, as one word.
    pub reason: Option<&'static str>,
    /// The same in a sentence.
    pub detail: Option<String>,
    /// What the agent said it changed.
    pub message: String,
    /// What the agent expected of it, in a run without a person.
    pub hypothesis: Option<String>,
    pub labels: Vec<String>,
    pub metric: String,
    /// Which way is better.
    pub direction: &'static str,
    /// What it had to beat.
    pub before: Option<Value>,
    pub value: Option<Value>,
    pub delta: Option<String>,
    /// The same of an exact metric in per cent of what it had to beat, where that means something.
    pub percent: Option<String>,
    /// What is known of the gain of a noisy metric, in per cent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gain: Option<GainRange>,
    /// What its runs say of a metric that counts cases.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<RateInterval>,
    /// How its cases differ from those of the kept state before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cases: Option<CaseChanges>,
    #[serde(skip_serializing_if = "Unit::is_none")]
    pub unit: Unit,
    /// Where the code may game the measurement.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub suspects: Vec<Suspicion>,
    /// Further metrics that were printed.
    pub metrics: BTreeMap<String, Value>,
    /// `pass`, `fail` or `-`.
    pub guard: &'static str,
    /// When its first and its last record were written, in UTC.
    pub began: Option<String>,
    pub ended: Option<String>,
    /// Its commit, whatever became of it.
    pub hash: Option<CommitId>,
    /// The commit that its changes were made on.
    pub base: Option<CommitId>,
    pub files: Vec<FileFigures>,
    /// The folder of its whole output, as the reader can open it.
    pub output: String,
    /// What its commit gave when somebody measured it again, one sentence each time.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remeasured: Vec<String>,
    /// With `--diff`: what it changed, as a patch.
    pub diff: Option<String>,
    /// With `--output`: the end of what each command printed.
    pub outputs: Option<Vec<ShownOutput>>,
    pub next: Option<String>,
    /// The bytes of the patch.
    #[serde(skip)]
    pub patch: Vec<u8>,
}

/// How many lines of a file a trial added and removed; none of a file that is not text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct FileFigures {
    pub path: String,
    pub added: Option<usize>,
    pub removed: Option<usize>,
}

/// The end of an output.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ShownOutput {
    pub name: String,
    /// The length of the whole file.
    pub bytes: u64,
    pub tail: String,
}

/// Looks at a trial of a run.
pub(crate) fn read_trial(
    world: &World,
    place: &Place,
    name: ShownName,
    part: ShownPart,
) -> Result<TrialView> {
    let glance = Glance::open_run(world, place, WantedRun::Latest, Access::Read, "show")?;
    let records = glance.run.store.read_records()?;
    let story = Story::of(&glance.run.store.state.start, &records);
    let found = match name {
        ShownName::Trial(0) => Some(view_baseline(&glance)),
        ShownName::Trial(number) => story
            .find_trial(number)
            .map(|trial| view_trial(&glance, &story, number, trial)),
        ShownName::Worker(worker) => view_worker(&glance, &records, worker),
    };
    let Some(mut view) = found else {
        return Err(refuse_unknown(&glance, &story, name));
    };
    let again = story.remeasured.iter();
    let again = again.filter(|row| Some(&row.commit) == view.hash.as_ref());
    view.remeasured = again.map(|row| row.describe_runs()).collect();
    let wants_commit = matches!(part, ShownPart::Figures | ShownPart::Patch);
    match (view.base.clone(), view.hash.clone()) {
        (Some(base), Some(hash)) => compare_commits(&glance, &mut view, (&base, &hash), part)?,
        _ if wants_commit => return Err(refuse_without_commit(&view)),
        _ => {}
    }
    if part == ShownPart::Outputs {
        let mut tails = read_output_tails(&glance.run.store.layout, view.trial, TAIL);
        if let Some(worker) = view.worker {
            let prefix = format!("{}-", worker.letter());
            tails.retain(|tail| tail.name.starts_with(&prefix));
        }
        if tails.is_empty() {
            return Err(Failure::usage(format!(
                "nothing that verify or the guard printed in {} is stored",
                view.subject()
            ))
            .hint(format!(
                "`{} show {name}` tells what became of it",
                glance.run.caller.program
            )));
        }
        view.outputs = Some(tails.into_iter().map(ShownOutput::from).collect());
    }
    Ok(view)
}

/// Adds what the trial changed. A commit that git has deleted is only missed where it is asked for.
fn compare_commits(
    glance: &Glance<'_>,
    view: &mut TrialView,
    (base, hash): (&CommitId, &CommitId),
    part: ShownPart,
) -> Result<()> {
    let (git, history) = (glance.seat.git(), glance.seat.history());
    let gone = [base, hash]
        .into_iter()
        .find(|commit| history.tree_of(commit).is_err());
    if let Some(gone) = gone {
        view.next = None;
        if matches!(part, ShownPart::Story | ShownPart::Outputs) {
            return Ok(());
        }
        return Err(Failure::usage(format!(
            "the repository has no commit {} of {} any more",
            gone.short(),
            view.subject()
        ))
        .hint("a run that an older version began, or a reference that somebody deleted, does not keep it from `git gc`; a clone of that time may have it"));
    }
    let files = git.list_differences(base, hash)?;
    view.files = files.into_iter().map(FileFigures::from).collect();
    if part == ShownPart::Patch {
        view.patch = git.read_difference(base, hash)?;
        view.diff = Some(String::from_utf8_lossy(&view.patch).into_owned());
    }
    Ok(())
}

fn refuse_unknown(glance: &Glance<'_>, story: &Story<'_>, name: ShownName) -> Failure {
    let run = &glance.run;
    let last = story.list_numbered().next_back();
    let known = match last {
        Some((last, _)) => format!("its trials are 1 to {last}, and 0 is the baseline"),
        None => "it has no trial yet; 0 is the baseline".to_owned(),
    };
    Failure::usage(format!(
        "the run `{}` has no {}",
        run.store.layout.run,
        name.describe()
    ))
    .hint(format!("{known}: `{} log` lists them", run.caller.program))
}

fn refuse_without_commit(view: &TrialView) -> Failure {
    let failure = match (view.verdict, &view.detail) {
        ("baseline", _) => Failure::usage("the baseline changed nothing"),
        ("open", _) => Failure::usage(format!(
            "trial {} is being made, and its commit is not known yet",
            view.trial
        )),
        (_, Some(detail)) => Failure::usage(format!("{} has no commit: {detail}", view.subject())),
        _ => Failure::usage(format!("{} has no commit", view.subject())),
    };
    failure.hint(format!(
        "`autoresearch show {}` shows what is known of it",
        view.name()
    ))
}

/// What is the same for every trial of a run.
fn view_empty(glance: &Glance<'_>, trial: u32) -> TrialView {
    let (run, state) = (&glance.run, &glance.run.store.state);
    let metric = &state.config().metric;
    TrialView {
        run: state.start.run.clone(),
        trial,
        worker: None,
        workers: Vec::new(),
        verdict: "open",
        reason: None,
        detail: None,
        message: String::new(),
        hypothesis: None,
        labels: Vec::new(),
        metric: metric.name.clone(),
        direction: metric.direction.as_str(),
        before: None,
        value: None,
        delta: None,
        percent: None,
        gain: None,
        rate: None,
        cases: None,
        unit: state.metric_unit(),
        suspects: Vec::new(),
        metrics: BTreeMap::new(),
        guard: Guard::NotRun.as_str(),
        began: None,
        ended: None,
        hash: None,
        base: None,
        files: Vec::new(),
        output: run
            .world
            .path_from_here(&run.store.layout.trial_folder(trial)),
        remeasured: Vec::new(),
        diff: None,
        outputs: None,
        next: None,
        patch: Vec::new(),
    }
}

fn view_baseline(glance: &Glance<'_>) -> TrialView {
    let start = &glance.run.store.state.start;
    let mut view = TrialView {
        verdict: "baseline",
        message: format!("the untouched tree, {} runs", start.samples.len()),
        guard: start.guard.as_str(),
        hash: Some(start.base.clone()),
        ..view_empty(glance, 0)
    };
    view.add_measurement(&start.measurement);
    view.rate = find_start_rate(start);
    view
}

fn view_trial(
    glance: &Glance<'_>,
    story: &Story<'_>,
    number: u32,
    trial: &TrialStory<'_>,
) -> TrialView {
    let state = &glance.run.store.state;
    let owned = |text: &str| text.to_owned();
    let turns = story.turns.iter().rev();
    let mut hypotheses = turns.filter(|turn| turn.trial == number && !turn.hypothesis.is_empty());
    let mut view = TrialView {
        hypothesis: hypotheses.next().map(|turn| turn.hypothesis.clone()),
        before: trial.before.cloned(),
        began: trial.began.map(owned),
        ended: trial.ended.map(owned),
        hash: trial.find_commit().cloned(),
        base: trial.find_base().cloned(),
        rate: story.find_trial_rate(number),
        workers: list_workers(story, number),
        ..view_empty(glance, number)
    };
    if let Some(intent) = trial.intents.last() {
        view.message.clone_from(&intent.message);
        view.labels.clone_from(&intent.labels);
    }
    match (trial.result, trial.reworks.last()) {
        (Some(TrialResult::Decided(decided)), _) => view.add_decision(decided),
        (Some(TrialResult::Interrupted(interrupted)), _) => {
            view.verdict = "interrupted";
            view.message.clone_from(&interrupted.message);
        }
        (None, Some(rework)) if state.awaiting_rework().is_some() => {
            view.verdict = "rework";
            view.add_why(Some(&rework.why));
            view.guard = Guard::Fail.as_str();
            view.cases.clone_from(&rework.cases);
            view.add_measurement(&rework.measurement);
        }
        (None, _) => {}
    }
    let is_open = matches!(view.verdict, "open" | "rework");
    if view.hash.is_some() && !is_open {
        let program = &glance.run.caller.program;
        let again = if trial.is_kept() || state.end.is_some() {
            String::new()
        } else {
            format!("; `{program} retry {number}` brings it back as edits")
        };
        view.next = Some(format!(
            "next: `{program} show {number} --diff` shows what it changed, `--output` what was printed{again}"
        ));
    }
    view
}

/// What became of the workers of a batch.
fn list_workers(story: &Story<'_>, batch: u32) -> Vec<String> {
    let workers = story.list_workers(batch).into_iter();
    let told = workers.filter_map(|worker| {
        let (_, row) = story.list_worker_rows(worker).last()?;
        Some(format!("{worker} {}", name_worker_status(row)))
    });
    told.collect()
}

/// A worker of a batch, as its latest row tells of it; one without a row by its hypothesis.
fn view_worker(glance: &Glance<'_>, records: &[Record], worker: WorkerId) -> Option<TrialView> {
    let opened = records.iter().find_map(|record| match &record.event {
        Event::Batch(batch) if batch.trial == worker.batch => Some((&record.at, batch)),
        _ => None,
    });
    let (began, batch) = opened?;
    let (_, hypothesis) = batch.list_workers().find(|(known, _)| *known == worker)?;
    let mut view = TrialView {
        worker: Some(worker),
        message: hypothesis.to_owned(),
        began: Some(began.clone()),
        base: Some(batch.base.clone()),
        ..view_empty(glance, worker.batch)
    };
    let mut rows = records.iter().filter_map(|record| match &record.event {
        Event::Worker(row) if row.worker == worker => Some((&record.at, row)),
        _ => None,
    });
    let Some((at, row)) = rows.next_back() else {
        return Some(view);
    };
    view.verdict = name_worker_status(row);
    view.add_why(row.why.as_ref());
    view.guard = row.guard.as_str();
    view.ended = Some(at.clone());
    view.hash.clone_from(&row.commit);
    view.delta = row.delta.as_ref().map(Value::format_signed);
    if let Some(measurement) = &row.measurement {
        let before = row.delta.as_ref().map(|delta| &measurement.value - delta);
        view.before = before;
        view.add_measurement(measurement);
    }
    if view.hash.is_some() {
        view.next = Some(format!(
            "next: `{} show {worker} --diff` shows what it changed, `--output` what was printed",
            glance.run.caller.program
        ));
    }
    Some(view)
}

impl TrialView {
    /// `5`, or `5b`.
    fn name(&self) -> ShownName {
        match self.worker {
            Some(worker) => ShownName::Worker(worker),
            None => ShownName::Trial(self.trial),
        }
    }

    /// `trial 5`, or `worker 5b`.
    fn subject(&self) -> String {
        self.name().describe()
    }

    fn add_decision(&mut self, decided: &Decision) {
        self.verdict = decided.verdict.as_str();
        self.add_why(decided.why.as_ref());
        self.message.clone_from(&decided.message);
        self.labels.clone_from(&decided.labels);
        self.delta = decided.delta.as_ref().map(Value::format_signed);
        self.guard = decided.guard.as_str();
        self.suspects.clone_from(&decided.suspects);
        self.cases.clone_from(&decided.cases);
        if let Some(measurement) = &decided.measurement {
            self.add_measurement(measurement);
        }
        self.gain.clone_from(&decided.gain);
        self.percent = match (&self.before, &self.value, &self.gain) {
            (Some(before), Some(value), None) => format_percent(&self.unit, before, value, 0.0),
            _ => None,
        };
    }

    fn add_why(&mut self, why: Option<&Why>) {
        self.reason = why.map(Why::as_str);
        self.detail = why.map(ToString::to_string);
    }

    fn add_measurement(&mut self, measurement: &Measurement) {
        self.value = Some(measurement.value.clone());
        self.metrics = list_further_metrics(measurement, &self.metric);
    }

    /// `2 files changed, +3 -1`
    pub(crate) fn format_sum(&self) -> String {
        let sum = |of: fn(&FileFigures) -> Option<usize>| -> usize {
            self.files.iter().filter_map(of).sum()
        };
        format!(
            "{} changed, +{} -{}",
            format_count(self.files.len(), "file"),
            sum(|file| file.added),
            sum(|file| file.removed)
        )
    }

    fn write_metric(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |value: &Value| self.unit.format_number(&value.to_string());
        write!(out, "  metric    {} ", self.metric)?;
        match (&self.before, &self.value) {
            (Some(before), Some(value)) => {
                out.write_str(&self.unit.format_change(before, value))?;
            }
            (None, Some(value)) => out.write_str(&shown(value))?,
            (Some(before), None) => write!(out, "not measured, {} to beat", shown(before))?,
            (None, None) => out.write_str("not measured")?,
        }
        out.write_str(" (")?;
        for part in [&self.delta, &self.percent].into_iter().flatten() {
            write!(out, "{part}, ")?;
        }
        writeln!(out, "{} is better)", self.direction)?;
        // A sentence of its own tells what cannot be told.
        let is_told = self.reason == Some("cannot-tell");
        if let Some(gain) = self.gain.as_ref().filter(|_| !is_told) {
            writeln!(out, "  gain      {}", gain.describe())?;
        }
        if let Some(rate) = &self.rate {
            writeln!(out, "  rate      {rate}")?;
        }
        if let Some(cases) = &self.cases {
            writeln!(out, "  cases     {cases}")?;
        }
        if !self.metrics.is_empty() {
            writeln!(out, "  also      {}", format_further_metrics(&self.metrics))?;
        }
        Ok(())
    }

    fn write_time(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(began) = &self.began else {
            return Ok(());
        };
        let lasted = self
            .ended
            .as_ref()
            .and_then(|ended| count_ms_between(began, ended))
            .map(|ms| format!(", took {}", show_whole_seconds(ms)));
        let lasted = lasted.unwrap_or_default();
        writeln!(out, "  time      {}{lasted}", clock_text_of(began))
    }

    fn write_commit(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(hash) = &self.hash else {
            return writeln!(out, "  commit    none");
        };
        match &self.base {
            Some(base) => writeln!(out, "  commit    {hash} on {}", base.short())?,
            None => writeln!(out, "  commit    {hash}")?,
        }
        if self.files.is_empty() {
            return Ok(());
        }
        writeln!(out, "  files     {}", self.format_sum())?;
        for file in self.files.iter().take(MOST_FILES) {
            writeln!(out, "    {file}")?;
        }
        match self.files.len().saturating_sub(MOST_FILES) {
            0 => Ok(()),
            more => writeln!(out, "    and {more} more: `--stat` names them all"),
        }
    }
}

impl From<FileDifference> for FileFigures {
    fn from(file: FileDifference) -> Self {
        Self {
            path: file.path.to_string(),
            added: file.lines.map(|(added, _)| added),
            removed: file.lines.map(|(_, removed)| removed),
        }
    }
}

impl From<OutputTail> for ShownOutput {
    fn from(output: OutputTail) -> Self {
        Self {
            name: output.name,
            bytes: output.bytes,
            tail: String::from_utf8_lossy(&output.tail).into_owned(),
        }
    }
}

impl fmt::Display for FileFigures {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.added, self.removed) {
            (Some(added), Some(removed)) => write!(out, "{}  +{added} -{removed}", self.path),
            _ => write!(out, "{}  binary", self.path),
        }
    }
}

impl fmt::Display for TrialView {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outcome = match self.verdict {
            "open" => "not decided yet",
            "rework" => "waits for a rework",
            "interrupted" => "interrupted, undone, does not count",
            verdict => verdict,
        };
        writeln!(out, "{} of run `{}`: {outcome}", self.subject(), self.run)?;
        if let (Some(reason), Some(detail)) = (self.reason, &self.detail) {
            writeln!(out, "  why       {reason}: {}", escape_text(detail))?;
        }
        let labels: Vec<String> = self
            .labels
            .iter()
            .map(|label| format!(" #{label}"))
            .collect();
        let message = escape_text(&format!("{}{}", self.message, labels.concat()));
        writeln!(out, "  change    {message}")?;
        if let Some(hypothesis) = &self.hypothesis {
            writeln!(out, "  expected  {}", escape_text(hypothesis))?;
        }
        self.write_metric(out)?;
        writeln!(out, "  guard     {}", self.guard)?;
        if !self.workers.is_empty() {
            writeln!(out, "  workers   {}", self.workers.join(", "))?;
        }
        for place in &self.suspects {
            writeln!(out, "  suspect   {place}")?;
        }
        for told in &self.remeasured {
            writeln!(out, "  again     {told}")?;
        }
        self.write_time(out)?;
        self.write_commit(out)?;
        write!(out, "  output    {}", self.output)?;
        match &self.next {
            Some(next) => write!(out, "\n{next}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
