//! Owns one trial, from the agent's edits to the verdict and the next step.
//! Does not decide: `judge` does; does not know how things are measured or undone.
//! Invariant: intention, effect, completion: a crash after any line converges to the same end on the next command.

pub mod attempt;
pub mod commit_contents;
pub mod foreign_commits;
mod gauging;
pub mod give_up;
pub mod harness;
pub mod holdout;
pub mod intent;
mod kept_commit;
pub mod kept_state;
pub mod look_after;
pub mod measure;
pub mod moved_away;
pub mod remeasure;
pub mod report;
pub mod retry;
#[cfg(test)]
mod scripted;
pub mod undo;
pub(crate) mod unmeasured;
pub mod verdict;

use autoresearch_core::agent::caller::Reader;
pub use autoresearch_core::agent::session::TrialRequest;
use autoresearch_core::config::HoldoutTime;
use autoresearch_core::journal::event::{Event, Intent, Verdict, Why};
use autoresearch_core::journal::state::RunState;

use self::attempt::{AttemptInput, AttemptPlan, AttemptResult, attempt_trial, plan_attempt};
use self::holdout::ArmedHoldout;
use self::intent::make_intent;
use self::retry::{EditPlan, write_edits};
use self::unmeasured::recover_edits;
use self::verdict::{Decided, close_trial, decide_trial};
use crate::run::entry::{Entry, enter_tree};
use crate::run::glance::Glance;
use crate::run::place::Place;
use crate::run::ready::Ready;
use crate::run::tree::Tree;
use crate::trees::missing::{FailedCommand, explain_missing};
use crate::trial::measure::Timings;
use crate::trial::report::{LeftChanges, TrialReport, trial_report};
use crate::watch::git_rules;
use crate::watch::space::check_tree_space;
use crate::watch::tree_changes;
use crate::watch::tree_changes::TreeChanges;
use crate::watch::unseen_files;
use crate::watch::user_files;
use autoresearch_sys::env::{Stopwatch, World};
use autoresearch_sys::error::{Failure, Result};
use autoresearch_sys::process::LocalExecutor;
use autoresearch_sys::store::TrialPhase;

/// What became of a trial, and the answer to whoever asked for it.
pub struct EndedTrial {
    pub decided: Decided,
    pub report: TrialReport,
}

/// Runs one trial on the edits in the work tree.
pub fn run_trial(world: &World, place: &Place, request: &TrialRequest) -> Result<EndedTrial> {
    let watch = Stopwatch::start();
    let ready = enter_tree(world, place, Entry::Step("trial"))?;
    let mut ready = refuse_lost_edits(ready)?;
    let intent = make_intent(&ready.run.store.state, &ready.run.caller, request)?;
    check_tree_space(&ready.tree)?;
    let changes = find_changes(&ready.tree, &ready.run.store.state)?;
    ready.run.admit_secrets()?;
    if let Some(holdout) = ArmedHoldout::of_run(&ready.run.store) {
        holdout.check_files()?;
    }
    let base = ready.run.store.state.head.clone();
    let plan = plan_attempt(&intent, &changes)?;
    record_intention(&mut ready, &intent, &changes, &plan)?;
    let AttemptResult {
        attempted,
        mut timings,
        notes,
    } = match make_attempt(&ready, &intent, &changes, plan) {
        Ok(ended) => ended,
        Err(failure) => return Err(recover_edits(ready, &intent, failure)),
    };
    let before = ready.run.store.state.incumbent.measurement.clone();
    let decided = decide_trial(&mut ready, &intent, attempted)?;
    let undone = close_trial(&mut ready, &decided)?;
    let glance = ready.finish()?;
    let tree = glance.tree()?;
    timings.close_account(watch.elapsed(), tree.git.time_spent());
    let files = match decided.commit() {
        // With its earlier attempts.
        Some(commit) => tree.history.changed_paths(&base, commit)?,
        None => changes.ours,
    };
    let mut report = trial_report(&glance, &intent, &decided, timings)
        .with_before(&before)
        .with_undone(undone)
        .with_notes(notes)
        .with_files(&files);
    if let Some(advice) = advise_larger(&glance, &decided) {
        report = report.with_note(&advice);
    }
    if let Some(missing) = find_missing(&glance, &report) {
        report = report.with_note(&missing);
    }
    if decided.is_void() {
        report = report.with_left_changes(find_left_changes(tree, &glance.run.store.state)?);
    } else if decided.verdict() == Some(Verdict::NoOp) && glance.run.caller.reader == Reader::Person
    {
        report = report.with_note(
            "no file in the scope was changed: nothing was measured, and nothing was logged",
        );
    }
    Ok(EndedTrial { decided, report })
}

/// Runs a trial of our own, which takes the change of a kept one back as `plan` writes it. The caller has seen to it that
/// nothing is under way and nothing else is changed.
pub(crate) fn leave_out_trial(
    ready: &mut Ready<'_>,
    edits: &EditPlan,
    (leaves_out, message): (u32, String),
) -> Result<Decided> {
    check_tree_space(&ready.tree)?;
    let state = &ready.run.store.state;
    let intent = Intent {
        leaves_out: Some(leaves_out),
        ..Intent::new(state.next_trial, message, state.head.clone())
    };
    let scratch = ready.tree.layout.make_trial_folder(intent.trial)?;
    write_edits(&ready.tree, edits, &scratch)?;
    let changes = find_changes(&ready.tree, &ready.run.store.state)?;
    let plan = plan_attempt(&intent, &changes)?;
    record_intention(ready, &intent, &changes, &plan)?;
    let attempted = make_attempt(ready, &intent, &changes, plan)?.attempted;
    let decided = decide_trial(ready, &intent, attempted)?;
    close_trial(ready, &decided)?;
    Ok(decided)
}

pub(crate) fn make_attempt(
    ready: &Ready<'_>,
    intent: &Intent,
    changes: &TreeChanges,
    plan: AttemptPlan,
) -> Result<AttemptResult> {
    let run = &ready.run;
    let holdout = ArmedHoldout::of_run(&run.store)
        .filter(|holdout| holdout.note.check.every == HoldoutTime::Keep);
    let input = AttemptInput {
        holdout: holdout.as_ref(),
        state: &run.store.state,
        intent,
        changes,
        executor: &LocalExecutor::new(run.world, &run.env),
        env: &run.env,
        observe: &|phase| run.store.write_phase_note(intent.trial, phase),
    };
    attempt_trial(&ready.tree, plan, &input)
}

/// Records what is about to be done, where something is committed or has to be undone.
pub(crate) fn record_intention(
    Ready { run, tree, .. }: &mut Ready<'_>,
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
            let takes_all_back = tree.is_own && !changes.foreign.is_empty();
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

/// What to do where one trial after the other is too small to be told from noise.
fn advise_larger(glance: &Glance<'_>, decided: &Decided) -> Option<String> {
    let state = &glance.run.store.state;
    let is_undecided = matches!(decided.why(), Some(Why::CannotTell { .. }));
    (is_undecided && state.ladder.is_too_small()).then(|| {
        format!(
            "{} trials in a row were too small to be told from noise: change something larger, or a person makes verify steadier (repeat the work, print the median, count instructions)",
            state.ladder.undecided
        )
    })
}

/// What the failed command of a trial in the run's own tree misses of the user's checkout.
fn find_missing(glance: &Glance<'_>, report: &TrialReport) -> Option<String> {
    let output = report.tail.as_deref().filter(|_| report.own_work_tree)?;
    let tree = glance.tree().ok()?;
    let config = glance.run.store.state.config();
    let commands = config.list_commands().into_iter();
    explain_missing(&FailedCommand {
        checkout: &tree.git.at_folder(&glance.run.store.layout.root),
        tree: tree.path(),
        commands: commands.map(|(_, command)| command).collect(),
        output,
        view: tree.pinned.view.as_ref(),
    })
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
pub(crate) fn find_changes(tree: &Tree<'_>, state: &RunState) -> Result<TreeChanges> {
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
    let mut ready = enter_tree(world, place, Entry::Step("trial --drop"))?;
    tree_changes::check_head(&ready.tree, &ready.run.store.state)?;
    let dropped = match give_up::give_up_rework(&mut ready)? {
        Some(dropped) => dropped,
        None => give_up::give_up_edits(&mut ready)?,
    };
    let glance = ready.finish()?;
    let mut report = trial_report(
        &glance,
        &dropped.intent,
        &dropped.decided,
        Timings::default(),
    )
    .with_undone(dropped.undone);
    if let Some(rework) = dropped.rework {
        let (head, history) = (&glance.run.store.state.head, glance.seat.history());
        report = report.with_files(&history.changed_paths(head, &rework.commit)?);
    } else {
        // It never was a trial.
        report.verdict = "dropped";
    }
    Ok(EndedTrial {
        decided: dropped.decided,
        report,
    })
}

/// The edits that a caller wants measured may be those that a repair has just taken back with an interrupted trial.
fn refuse_lost_edits(ready: Ready<'_>) -> Result<Ready<'_>> {
    let Some(trial) = ready.repaired.taken_back else {
        return Ok(ready);
    };
    let program = &ready.run.caller.program;
    let failure = Failure::usage("the last trial was interrupted; it was undone now, with all edits in the scope, and does not count")
        .hint(format!("nothing was measured. `{program} retry {trial}` brings the edits back, then run the trial; `{program} show {trial} --diff` shows them"));
    Err(ready.refuse(failure))
}
