//! Owns one trial, from the agent's edits to the verdict and the next step.
//! Does not decide: `judge` does; does not know how things are measured or undone.
//! Invariant: intention, effect, completion: a crash after any line converges to the same end on the next command.

pub mod attempt;
pub mod commit_contents;
pub mod give_up;
pub mod intent;
pub mod measure;
pub mod moved_away;
pub mod report;
#[cfg(test)]
mod scripted;
pub mod undo;
mod unmeasured;
pub mod verdict;

use autoresearch_core::agent::caller::Reader;
pub use autoresearch_core::agent::session::TrialRequest;
use autoresearch_core::journal::event::{Event, Intent, Verdict};
use autoresearch_core::journal::state::RunState;
use autoresearch_core::words::text::{escape_text, shorten_hash};

use self::attempt::{AttemptInput, AttemptPlan, AttemptResult, attempt_trial, plan_attempt};
use self::intent::make_intent;
use self::unmeasured::recover_edits;
use self::verdict::{Decided, close_trial, decide_trial};
use crate::run::foreign_commits;
use crate::run::repair::{RepairResult, repair_run};
use crate::run::session;
use crate::run::tree::Tree;
use crate::run::work_tree_check;
use crate::run::{Place, Run, WantedRun};
use crate::trial::measure::Timings;
use crate::trial::report::{LeftChanges, TrialReport, trial_report};
use crate::watch::git_rules;
use crate::watch::tree_changes;
use crate::watch::tree_changes::TreeChanges;
use crate::watch::unseen_files;
use crate::watch::user_files;
use autoresearch_sys::env::{Stopwatch, World};
use autoresearch_sys::error::{Failure, Result};
use autoresearch_sys::process::LocalExecutor;
use autoresearch_sys::store::{Access, TrialPhase};

/// What became of a trial, and the answer to whoever asked for it.
pub struct EndedTrial {
    pub decided: Decided,
    pub report: TrialReport,
}

/// Runs one trial on the edits in the work tree.
pub fn run_trial(world: &World, place: &Place, request: &TrialRequest) -> Result<EndedTrial> {
    let watch = Stopwatch::start();
    let (mut run, repaired) = open_and_repair(world, place, "trial")?;
    refuse_lost_edits(&mut run, repaired)?;
    let intent = make_intent(&run.store.state, &run.caller, request)?;
    run.check_space()?;
    let changes = find_changes(&run.tree, &run.store.state)?;
    run.admit_secrets()?;
    let base = run.store.state.head.clone();
    let plan = plan_attempt(&intent, &changes)?;
    record_intention(&mut run, &intent, &changes, &plan)?;
    let AttemptResult {
        attempted,
        mut timings,
        notes,
    } = match make_attempt(&run, &intent, &changes, plan) {
        Ok(ended) => ended,
        Err(failure) => return Err(recover_edits(&mut run, &intent, failure)),
    };
    let decided = decide_trial(&mut run, &intent, attempted)?;
    let undone = close_trial(&mut run, &decided)?;
    run.store.write_views()?;
    timings.close_account(watch.elapsed(), run.tree.git.time_spent());
    let files = match decided.commit() {
        // With its earlier attempts.
        Some(commit) => run.tree.history.changed_paths(&base, commit)?,
        None => changes.ours,
    };
    let mut report = trial_report(&run, &intent, &decided, timings)
        .with_undone(undone)
        .with_notes(notes)
        .with_files(&files);
    if decided.is_void() {
        report = report.with_left_changes(find_left_changes(&run.tree, &run.store.state)?);
    } else if decided.verdict() == Some(Verdict::NoOp) && run.caller.reader == Reader::Person {
        report = report.with_note(
            "no file in the scope was changed: nothing was measured, and nothing was logged",
        );
    }
    Ok(EndedTrial { decided, report })
}

fn make_attempt(
    run: &Run<'_>,
    intent: &Intent,
    changes: &TreeChanges,
    plan: AttemptPlan,
) -> Result<AttemptResult> {
    let input = AttemptInput {
        state: &run.store.state,
        intent,
        changes,
        executor: &LocalExecutor::new(run.world, &run.env),
        observe: &|phase| run.store.write_phase_note(intent.trial, phase),
    };
    attempt_trial(&run.tree, plan, &input)
}

/// Records what is about to be done, where something is committed or has to be undone.
fn record_intention(
    run: &mut Run<'_>,
    intent: &Intent,
    changes: &TreeChanges,
    plan: &AttemptPlan,
) -> Result<()> {
    let is_open = run.store.state.open_trial.is_some();
    let undoes = match plan {
        AttemptPlan::Refuse(_) if !changes.rewriting.is_empty() => {
            // git would undo the edits by other rules than those of the start: they stay as they are.
            if is_open {
                git_rules::refuse_other_rules(&changes.rewriting)?;
            }
            false
        }
        AttemptPlan::Refuse(_) => {
            let takes_all_back = run.tree.is_own && !changes.foreign.is_empty();
            !changes.ours.is_empty() || takes_all_back || is_open
        }
        AttemptPlan::Skip => false,
        AttemptPlan::Repeat => true,
        AttemptPlan::Commit => {
            run.store
                .write_phase_note(intent.trial, TrialPhase::Committing);
            true
        }
    };
    if undoes {
        run.store.record_event(Event::Intent(intent.clone()))?;
    }
    Ok(())
}

/// What a void trial has left in the work tree, and what would void the next one too.
fn find_left_changes(tree: &Tree<'_>, state: &RunState) -> Result<LeftChanges> {
    let after = tree_changes::read_changes_and_rules(tree, state)?;
    let edits = !after.ours.is_empty();
    let names = [
        after.protected,
        after.hiding,
        after.rewriting,
        after.unsupported,
        after.outside,
    ];
    Ok(LeftChanges {
        edits,
        others: names.concat(),
    })
}

/// Whose are the changes, and what is there that no commit would hold?
fn find_changes(tree: &Tree<'_>, state: &RunState) -> Result<TreeChanges> {
    let moved = foreign_commits::take_back_head(tree, state)?;
    tree_changes::check_head(tree, state)?;
    let mut changes = tree_changes::read_changes_and_rules(tree, state)?;
    changes.moved = moved;
    changes
        .outside
        .extend(user_files::list_touched(tree, &state.left_files)?);
    let strange = unseen_files::compare_unseen(tree, state.config(), &changes.ignored)?;
    let named = |name: String| {
        format!("{name} (ignored by git, and there before the run; accepted as it is from now on)")
    };
    changes
        .outside
        .extend(strange.changed.into_iter().map(named));
    changes.unseen = strange.new;
    Ok(changes)
}

/// Gives up what is in the work tree or waits for a rework: it is taken back, and stays reachable.
pub fn drop_changes(world: &World, place: &Place) -> Result<EndedTrial> {
    let mut run = open_active_run(world, place, "trial --drop")?;
    tree_changes::check_head(&run.tree, &run.store.state)?;
    let dropped = match give_up::give_up_rework(&mut run)? {
        Some(dropped) => dropped,
        None => give_up::give_up_edits(&mut run)?,
    };
    run.store.write_views()?;
    let mut report = trial_report(&run, &dropped.intent, &dropped.decided, Timings::default())
        .with_undone(dropped.undone);
    if let Some(rework) = dropped.rework {
        let head = &run.store.state.head;
        report = report.with_files(&run.tree.history.changed_paths(head, &rework.commit)?);
    } else {
        // It never was a trial.
        report.verdict = "dropped";
    }
    Ok(EndedTrial {
        decided: dropped.decided,
        report,
    })
}

/// Opens a run that has not ended, and repairs what a crash left.
pub fn open_active_run<'w>(world: &'w World, place: &Place, command: &str) -> Result<Run<'w>> {
    open_and_repair(world, place, command).map(|(run, _)| run)
}

/// The edits that a caller wants measured may be those that a repair has just taken back with an interrupted trial.
fn refuse_lost_edits(run: &mut Run<'_>, repaired: RepairResult) -> Result<()> {
    let Some(commit) = repaired.taken_back else {
        return Ok(());
    };
    run.store.write_views()?;
    let commit = shorten_hash(&commit);
    Err(Failure::usage("the last trial was interrupted; it was undone now, with all edits in the scope, and does not count")
        .hint(format!("nothing was measured. The edits are in commit {commit} (`git show {commit}`): make them again, then run the trial")))
}

fn open_and_repair<'w>(
    world: &'w World,
    place: &Place,
    command: &str,
) -> Result<(Run<'w>, RepairResult)> {
    session::refuse_confined(world, || {
        let run = Run::open_run(world, place, WantedRun::Active, Access::Read, command)?;
        Ok(run.next_step_meanwhile().1)
    })?;
    let mut run = Run::open_run(world, place, WantedRun::Active, Access::Write, command)?;
    run.check_repository()?;
    session::refuse_paused(&run)?;
    work_tree_check::check_branch_alone(&run.tree)?;
    let repaired = repair_run(&mut run)?;
    session::claim_run(&run);
    if let Some(ending) = run.store.state.end.clone() {
        run.store.write_views()?;
        return Err(Failure::usage(format!(
            "the run `{}` has ended: {} ({})",
            run.store.layout.run,
            ending.end.as_str(),
            escape_text(&ending.why)
        ))
        .hint(if ending.end.is_ceiling() && run.caller.reader == Reader::Person {
            "`autoresearch raise` sets a higher limit, and the run goes on; `autoresearch finish` goes back to your branch"
        } else {
            "`autoresearch finish` goes back to your branch; `autoresearch start` starts a new run"
        }));
    }
    Ok((run, repaired))
}
