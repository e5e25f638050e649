//! Owns what the next command does about a crash: finish or undo what was under way, and record it.
//! Does not start anything new.
//! Invariant: repairing twice, or crashing during a repair and repairing again, leads to the same end.

use autoresearch_core::journal::event::{Event, Interruption};
use autoresearch_core::journal::state::Stage;

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
                let undone = interrupt_trial(ready)?;
                let saved = undone.as_ref().is_some_and(|undone| undone.tip.is_some());
                let program = &ready.run.caller.program;
                let again = if saved {
                    format!("; `{program} retry {trial}` brings its edits back")
                } else {
                    String::new()
                };
                ready.repaired.done.push(format!(
                    "trial {trial} was interrupted; it was undone and does not count{again}"
                ));
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

/// Undoes the open trial and records that it was interrupted. Its changes stay reachable under a reference.
pub fn interrupt_trial(ready: &mut Ready<'_>) -> Result<Option<UndoResult>> {
    let Some(open_trial) = ready.run.store.state.open_trial.clone() else {
        return Ok(None);
    };
    let trial = open_trial.intent.trial;
    let name = ready.tree.name_reference(&format!("interrupted-{trial}"));
    let undone = undo_trial(
        &ready.tree,
        &ready.run.store.state,
        trial,
        &open_trial.intent.message,
        Some(&name),
    )?;
    // Verify may have written before it was interrupted.
    user_files::update_notes(&ready.tree, &ready.run.store.state.left_files, &[])?;
    unseen_files::note_cut_short(&ready.tree, ready.run.store.state.config())?;
    let message = open_trial.intent.message;
    ready
        .run
        .store
        .record_event(Event::Interrupted(Interruption {
            trial,
            message,
            head: undone.head.clone(),
            saved: undone.tip.clone(),
        }))?;
    Ok(Some(undone))
}

/// Records the end that the run has come to.
pub fn end_if_due(run: &mut Run<'_>) -> Result<()> {
    if let Some(ending) = run.store.state.find_due_end(run.world.now_ms()) {
        run.store.record_event(Event::End(ending))?;
        lessons::add_end_lesson(run);
    }
    Ok(())
}
