//! Owns what the next command does about a crash: finish or undo what was under way, and record it.
//! Does not start anything new.
//! Invariant: repairing twice, or crashing during a repair and repairing again, leads to the same end.

use autoresearch_core::git_names::RefName;
use autoresearch_core::journal::event::{Decision, Event, Intent, Interruption, Verdict, Why};
use autoresearch_core::journal::state::{MAX_CUT_SHORT, Stage};

use crate::run::Run;
use crate::run::lessons;
use crate::run::ready::Ready;
use crate::trees::setup::{TreeFilling, fill_once, filled_mark, is_filled};
use crate::trial::undo::{UndoResult, undo_trial};
use crate::watch::unseen_files;
use crate::watch::user_files;
use crate::watch::work_tree_check;
use autoresearch_sys::error::{Failure, Result};

/// Brings a run to rest: the branch stands, no trial is between its intention and its end, a due end is recorded. What was
/// done is added to what the run says of its repair.
pub fn repair_run(ready: &mut Ready<'_>) -> Result<()> {
    if !ready.run.store.state.ready {
        set_up_branch(ready)?;
        ready
            .repaired
            .done
            .push("the start of the run was completed".to_owned());
    }
    tell_users_index(ready)?;
    if let Some(open_trial) = ready.run.store.state.open_trial.clone() {
        let trial = open_trial.intent.trial;
        match open_trial.stage {
            Stage::AwaitingRework(_) => {}
            Stage::Intended => {
                let crashes = ready.run.store.state.counts.crash;
                let undone = interrupt_trial(ready)?;
                let saved = undone.as_ref().is_some_and(|undone| undone.tip.is_some());
                let program = &ready.run.caller.program;
                let again = if saved {
                    format!("; `{program} retry {trial}` brings its edits back")
                } else {
                    String::new()
                };
                let became = if ready.run.store.state.counts.crash > crashes {
                    "was interrupted like those before it; it was undone as a crash"
                } else {
                    "was interrupted; it was undone and does not count"
                };
                let told = format!("trial {trial} {became}{again}");
                ready.repaired.done.push(told);
                ready.repaired.taken_back = saved.then_some(trial);
                ready
                    .repaired
                    .done
                    .extend(undone.into_iter().flat_map(|undone| undone.notes));
            }
            Stage::Decided(decided) => {
                let undone = undo_trial(
                    &ready.tree,
                    &ready.run.store.state,
                    trial,
                    &open_trial.intent.message,
                    None,
                )?;
                let close = undone.to_close(&decided);
                ready.run.store.record_event(Event::Close(close))?;
                ready.repaired.done.push(format!(
                    "trial {trial} ({}) was undone",
                    decided.verdict.as_str()
                ));
                ready.repaired.done.extend(undone.notes);
            }
        }
    }
    end_if_due(&mut ready.run)
}

/// Has the user's index learn what a command that was cut short, or that found it locked, left untold.
fn tell_users_index(ready: &Ready<'_>) -> Result<()> {
    let index = ready.tree.index();
    let head = ready.tree.history.read_head()?;
    if let (true, Some(commit)) = (index.is_update_pending(), head.commit) {
        index.prepare(&commit, ready.run.world.now().as_second())?;
    }
    Ok(())
}

/// Fills the run's own tree where that was cut short, or where the tree was made again.
pub fn complete_tree(ready: &mut Ready<'_>) -> Result<()> {
    let config = ready.run.store.state.config().clone();
    let mark = filled_mark(&ready.run.store.anchor_folder);
    if !ready.tree.is_own || config.setup.is_empty() {
        return Ok(());
    }
    let checkout = ready.tree.git.at_folder(&ready.run.store.layout.root);
    if is_filled(ready.tree.path(), &mark) {
        return Ok(());
    }
    ready.run.admit_secrets()?;
    let filling = TreeFilling {
        world: ready.run.world,
        env: &ready.run.env,
        checkout: &checkout,
        tree: &ready.tree.git,
        config: &config,
        view: ready.tree.pinned.view.as_ref(),
    };
    let report = fill_once(&filling, &mark)?;
    let filled = "the run's work tree was filled again: link, copy and prepare".to_owned();
    ready.repaired.done.push(filled);
    ready.repaired.done.extend(report.notes);
    Ok(())
}

/// Makes HEAD name the run's branch, if it does not yet.
pub fn set_up_branch(ready: &mut Ready<'_>) -> Result<()> {
    let (branch, base) = (
        ready.run.store.state.start.branch.clone(),
        ready.run.store.state.start.base.clone(),
    );
    if ready.tree.history.read_head()?.branch.as_ref() != Some(&branch) {
        let there = ready.tree.history.read_reference(&branch);
        if let Some(other) = there.filter(|commit| *commit != base) {
            return Err(Failure::blocked(format!(
                "the run's branch {} was made by somebody else: it is at {} and not at {}",
                branch.short(),
                other.short(),
                base.short()
            ))
            .hint("nothing was changed. Rename that branch (`git branch -m`), then run the command again"));
        }
        work_tree_check::check_branch_alone(&ready.tree)?;
        (ready.run.world.step)("git branch");
        ready.tree.git.begin_branch(&branch, &base)?;
    }
    ready.run.store.record_event(Event::Ready)?;
    Ok(())
}

/// Undoes the open trial, whose command was cut short. Its changes stay reachable under a reference. Each measurement that
/// was cut short counts as a run of verify, and the last of several in a row is a crash.
pub fn interrupt_trial(ready: &mut Ready<'_>) -> Result<Option<UndoResult>> {
    let Some(open_trial) = ready.run.store.state.open_trial.clone() else {
        return Ok(None);
    };
    let intent = &open_trial.intent;
    let runs = u32::from(was_measured(ready, intent));
    let times = ready.run.store.state.cut_short + runs;
    if runs > 0 && times >= MAX_CUT_SHORT {
        let decision = Decision {
            verify_runs: Some(runs),
            ..Decision::without_measurement(intent, Verdict::Crash, Some(Why::CutShort(times)))
        };
        let recorded = Event::Verdict(Box::new(decision.clone()));
        ready.run.store.record_event(recorded)?;
        let undone = undo_open_trial(ready, intent, None)?;
        let close = Event::Close(undone.to_close(&decision));
        ready.run.store.record_event(close)?;
        return Ok(Some(undone));
    }
    give_back_trial(ready, intent, runs).map(Some)
}

/// Has the commit of this attempt been made? Then verify has begun, or would have a moment later.
fn was_measured(ready: &Ready<'_>, intent: &Intent) -> bool {
    let name = ready.tree.name_trial(intent.trial);
    let commit = ready.tree.history.read_reference(&name);
    intent.again || commit.is_some_and(|commit| commit != intent.parent)
}

/// Undoes the open trial and records that it was interrupted.
pub fn give_back_trial(
    ready: &mut Ready<'_>,
    intent: &Intent,
    verify_runs: u32,
) -> Result<UndoResult> {
    let trial = intent.trial;
    let name = ready.tree.name_reference(&format!("interrupted-{trial}"));
    let undone = undo_open_trial(ready, intent, Some(&name))?;
    let row = Interruption {
        trial,
        message: intent.message.clone(),
        head: undone.head.clone(),
        saved: undone.tip.clone(),
        verify_runs,
    };
    ready.run.store.record_event(Event::Interrupted(row))?;
    Ok(undone)
}

fn undo_open_trial(
    ready: &Ready<'_>,
    intent: &Intent,
    name: Option<&RefName>,
) -> Result<UndoResult> {
    let state = &ready.run.store.state;
    let undone = undo_trial(&ready.tree, state, intent.trial, &intent.message, name)?;
    // Verify may have written before it was interrupted.
    user_files::update_notes(&ready.tree, &state.left_files, &[])?;
    unseen_files::note_cut_short(&ready.tree, state.config())?;
    Ok(undone)
}

/// Records the end that the run has come to.
pub fn end_if_due(run: &mut Run<'_>) -> Result<()> {
    if let Some(ending) = run.store.state.find_due_end(run.world.now_ms()) {
        run.store.record_event(Event::End(ending))?;
        lessons::add_end_lesson(run);
    }
    Ok(())
}
