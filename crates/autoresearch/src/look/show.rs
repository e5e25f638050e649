//! Owns `show`: one trial as people want to see it again, with what it changed and what its commands printed.
//! Does not lock or change a run, and starts no program but git.
//! Invariant: which commit is a trial's is what the journal says; a reference is never asked.

mod view;

use std::collections::BTreeMap;

use autoresearch_core::git_names::CommitId;
use autoresearch_core::journal::event::{Event, Guard, Record, WorkerId};
use autoresearch_core::journal::measured::find_start_rate;
use autoresearch_core::journal::story::{Story, TrialResult, TrialStory};
use autoresearch_core::metric::value::Value;
use autoresearch_core::words::table::name_worker_status;

pub(crate) use self::view::{FileFigures, ShownName, ShownOutput, TrialView};
use crate::run::glance::Glance;
use crate::run::place::{Place, WantedRun};
use autoresearch_sys::env::World;
use autoresearch_sys::error::{Failure, Result};
use autoresearch_sys::store::{Access, read_output_tails};

/// How much of the end of an output is shown.
const TAIL: u64 = 8 << 10;

/// What is asked of a trial besides its story.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ShownPart {
    Story,
    Figures,
    Patch,
    Outputs,
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
