//! Owns `remeasure`: verify once more on a state of the run, a few times, because somebody asks for it.
//! Does not judge what it gives: runs of the kept state join the evidence, others are only recorded.
//! Invariant: it runs in a clean checkout; neither the user's work tree nor a branch is touched.

mod report;

use autoresearch_core::decide::evidence::level::Side;
use autoresearch_core::git_names::CommitId;
use autoresearch_core::journal::event::{Event, Remeasured, Why};
use autoresearch_core::journal::remeasured::NamedState;
use autoresearch_core::journal::runs::RecordedRun;
use autoresearch_core::journal::story::{Story, TrialStory};
use autoresearch_core::words::brief;
use autoresearch_core::words::text::format_count;

pub use self::report::RemeasureReport;
use self::report::{WhatWasBelieved, make_report};
use crate::run::entry::{Entry, enter_tree};
use crate::run::place::Place;
use crate::run::ready::Ready;
use crate::run::repair::end_if_due;
use crate::trial::kept_state::{StateBench, StateScene};
use crate::watch::space::check_tree_space;
use crate::watch::tree_changes;
use autoresearch_sys::env::World;
use autoresearch_sys::error::{Failure, FailureKind, Result};
use autoresearch_sys::process::LocalExecutor;
use autoresearch_sys::store::TreeKind;

/// Which state is wanted, as it is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WantedState {
    Incumbent,
    Start,
    Trial(u32),
}

/// A state that can be measured.
struct FoundState {
    state: NamedState,
    trial: u32,
    commit: CommitId,
}

/// What was measured, and whether somebody wanted it to stop.
struct MeasuredRuns {
    row: Remeasured,
    interrupted: bool,
}

/// Measures a state of the run again, and records what it gave.
pub fn remeasure_state(
    world: &World,
    place: &Place,
    wanted: WantedState,
    count: u32,
) -> Result<RemeasureReport> {
    let mut ready = enter_tree(world, place, Entry::Remeasure)?;
    let measured = match measure_wanted(&mut ready, wanted, count) {
        Ok(measured) => measured,
        // A refusal leaves what was repaired, with its views.
        Err(failure) => return Err(ready.refuse(failure)),
    };
    let MeasuredRuns { row, interrupted } = measured;
    let believed = WhatWasBelieved::of(&ready.run.store.state, &row);
    ready
        .run
        .store
        .record_event(Event::Remeasured(row.clone()))?;
    if ready.run.store.state.finish.is_none() {
        end_if_due(&mut ready.run)?;
    }
    let repaired = ready.repaired.done.clone();
    let glance = ready.finish()?;
    let state = &glance.run.store.state;
    let mut report = make_report(state, &row, believed);
    report.interrupted = interrupted;
    report.repaired = repaired;
    report.next = brief::format_next_step(state, &glance.run.caller);
    Ok(report)
}

fn measure_wanted(ready: &mut Ready<'_>, wanted: WantedState, count: u32) -> Result<MeasuredRuns> {
    refuse_open_trial(ready)?;
    let found = find_state(ready, wanted)?;
    refuse_other_yardstick(ready)?;
    check_tree_space(&ready.tree)?;
    ready.run.admit_secrets()?;
    refuse_without_budget(ready, count)?;
    let measured = run_verify_again(ready, &found, count)?;
    if let (0, Some(why)) = (measured.row.verify_runs, &measured.row.why) {
        return Err(
            Failure::blocked(format!("there is no tree to measure in: {why}")).hint(
                "nothing was measured. `autoresearch doctor` looks for what stands in the way",
            ),
        );
    }
    Ok(measured)
}

/// A trial that waits for a rework is under way: what is measured now would stand between its attempts.
fn refuse_open_trial(ready: &Ready<'_>) -> Result<()> {
    let state = &ready.run.store.state;
    let Some(rework) = state.awaiting_rework() else {
        return Ok(());
    };
    let next = brief::format_next_step(state, &ready.run.caller);
    Err(Failure::usage(format!(
        "trial {} is under way: it waits for a rework",
        rework.trial
    ))
    .hint(next.trim_start_matches("next: ")))
}

fn find_state(ready: &Ready<'_>, wanted: WantedState) -> Result<FoundState> {
    let state = &ready.run.store.state;
    let found = match wanted {
        WantedState::Incumbent => FoundState {
            state: NamedState::Incumbent,
            trial: state.incumbent.trial,
            commit: state.incumbent.commit.clone(),
        },
        WantedState::Start => FoundState {
            state: NamedState::Start,
            trial: 0,
            commit: state.start.base.clone(),
        },
        WantedState::Trial(number) => find_trial(ready, number)?,
    };
    if ready.tree.history.tree_of(&found.commit).is_err() {
        return Err(Failure::usage(format!(
            "the repository has no commit {} of {} any more",
            found.commit.short(),
            match found.state {
                NamedState::Trial => format!("trial {}", found.trial),
                NamedState::Start => "the start".to_owned(),
                NamedState::Incumbent => "the kept state".to_owned(),
            }
        ))
        .hint("fetch it from a clone of that time that still has it, then run the command again"));
    }
    Ok(found)
}

fn find_trial(ready: &Ready<'_>, number: u32) -> Result<FoundState> {
    let (store, program) = (&ready.run.store, &ready.run.caller.program);
    let records = store.read_records()?;
    let told = Story::of(&store.state.start, &records);
    let Some(trial) = told.find_trial(number) else {
        return Err(Failure::usage(format!(
            "the run `{}` has no trial {number}",
            store.layout.run
        ))
        .hint(format!("`{program} log` lists its trials")));
    };
    let Some(commit) = TrialStory::find_commit(trial) else {
        return Err(
            Failure::usage(format!("trial {number} has no commit to measure"))
                .hint(format!("`{program} show {number}` says what became of it")),
        );
    };
    Ok(FoundState {
        state: NamedState::Trial,
        trial: number,
        commit: commit.clone(),
    })
}

/// What a trial is measured by must be what the run began with. A run that was left measures what its commits hold.
fn refuse_other_yardstick(ready: &Ready<'_>) -> Result<()> {
    let (state, tree) = (&ready.run.store.state, &ready.tree);
    if state.finish.is_some() {
        return Ok(());
    }
    tree_changes::check_head(tree, state)?;
    let changes = tree_changes::read_changes_and_rules(tree, state)?;
    let names = [changes.protected, changes.hiding, changes.rewriting].concat();
    if names.is_empty() {
        return Ok(());
    }
    let why = Why::Protected(names);
    Err(Failure::blocked(format!("nothing was measured: {why}"))
        .hint("restore them as they were at the start, then run the command again; what you want to measure otherwise needs a new run"))
}

/// No more is asked for than the ceilings leave, of a run that goes on.
fn refuse_without_budget(ready: &Ready<'_>, count: u32) -> Result<()> {
    let state = &ready.run.store.state;
    let left = state.count_runs_left(0, ready.run.world.now_ms());
    let (Some(left), None) = (left, &state.end) else {
        return Ok(());
    };
    // The first run in a fresh tree is no measurement of a noisy metric.
    let needed = u64::from(count) + u64::from(!state.evidence.is_exact());
    if needed <= left {
        return Ok(());
    }
    let runs = |count: u64| format_count(count, "run");
    Err(Failure::usage(format!(
        "{} of verify are needed, and the limits of the run leave {left}",
        runs(needed)
    ))
    .hint("ask for fewer with `--runs`, or a person raises the limit: `autoresearch raise`"))
}

fn run_verify_again(ready: &Ready<'_>, found: &FoundState, count: u32) -> Result<MeasuredRuns> {
    let (run, tree) = (&ready.run, &ready.tree);
    let state = &run.store.state;
    let executor = LocalExecutor::new(run.world, &run.env);
    let outputs = (
        tree.layout.make_trial_folder(found.trial)?,
        "again-".to_owned(),
    );
    // Nothing that an earlier trial left in a tree is to be in these runs.
    let scene = StateScene::of_run(
        tree,
        state,
        (&run.env, &executor),
        TreeKind::Scratch,
        outputs,
    );
    let mut bench = StateBench::new(scene, found.commit.clone());
    let side = if found.commit == state.incumbent.commit {
        Side::Incumbent
    } else {
        Side::Candidate
    };
    let mut row = Remeasured {
        state: found.state,
        trial: found.trial,
        commit: found.commit.clone(),
        runs: Vec::new(),
        verify_runs: 0,
        why: None,
    };
    let mut interrupted = false;
    for number in 1..=count {
        match bench.measure_state() {
            Ok(Ok((measured, time))) => {
                let value = state
                    .metric_unit()
                    .format_number(&measured.value.to_string());
                (run.world.progress)(&format!("run {number} of {count}: {value}"));
                row.runs.push(RecordedRun::of_measurement(
                    side,
                    &measured,
                    time,
                    &state.config().watched,
                ));
            }
            Ok(Err(why)) => {
                row.why = Some(why);
                break;
            }
            Err(failure) if failure.kind == FailureKind::Interrupted && !row.runs.is_empty() => {
                interrupted = true;
                break;
            }
            Err(failure) => return Err(failure),
        }
    }
    row.verify_runs = bench.runs;
    Ok(MeasuredRuns { row, interrupted })
}
