//! Owns what the next command does about a crash: finish or undo what was under way, and record it.
//! Does not start anything new.
//! Invariant: repairing twice, or crashing during a repair and repairing again, leads to the same end.

use autoresearch_core::journal::event::{Close, Event, Interruption};
use autoresearch_core::journal::state::Stage;
use autoresearch_core::words::text::shorten_hash;

use crate::run::Run;
use crate::run::lessons;
use crate::run::work_tree_check;
use crate::trial::undo::{UndoResult, undo_trial};
use crate::watch::unseen_files;
use crate::watch::user_files;
use autoresearch_sys::error::{Failure, Result};

/// What a repair did.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct RepairResult {
    /// One sentence for each thing that was done.
    pub done: Vec<String>,
    /// The commit that holds the edits that were taken back with an interrupted trial.
    pub taken_back: Option<String>,
}

/// Brings a run to rest: the branch stands, no trial is between its intention and its end, a due end is recorded.
pub fn repair_run(run: &mut Run<'_>) -> Result<RepairResult> {
    let mut repaired = RepairResult::default();
    for lock in std::mem::take(&mut run.cleared) {
        repaired.done.push(format!(
            "{} was removed: a git process of this run was killed while it held this lock",
            lock.display()
        ));
    }
    let mended = run.store.repaired;
    if mended.torn_bytes > 0 {
        repaired.done.push(format!(
            "an incomplete line of {} bytes was moved to journal.torn",
            mended.torn_bytes
        ));
    }
    if mended.restored {
        repaired
            .done
            .push("the last record was written to the journal again".to_owned());
    }
    if !run.store.state.ready {
        set_up_branch(run)?;
        repaired
            .done
            .push("the start of the run was completed".to_owned());
    }
    if let Some(open_trial) = run.store.state.open_trial.clone() {
        let trial = open_trial.intent.trial;
        match open_trial.stage {
            Stage::AwaitingRework(_) => {}
            Stage::Intended => {
                let undone = interrupt_trial(run)?;
                repaired.done.push(format!(
                    "trial {trial} was interrupted; it was undone and does not count"
                ));
                if let Some(undone) = undone {
                    repaired.taken_back = undone.tip;
                    repaired.done.extend(undone.notes);
                }
            }
            Stage::Decided(decided) => {
                let undone = undo_trial(
                    &run.tree,
                    &run.store.state,
                    trial,
                    &open_trial.intent.message,
                    None,
                )?;
                let head = undone.head;
                run.store
                    .record_event(Event::Close(Close { trial, head }))?;
                repaired.done.push(format!(
                    "trial {trial} ({}) was undone",
                    decided.verdict.as_str()
                ));
                repaired.done.extend(undone.notes);
            }
        }
    }
    end_if_due(run)?;
    Ok(repaired)
}

/// Makes HEAD name the run's branch, if it does not yet.
pub fn set_up_branch(run: &mut Run<'_>) -> Result<()> {
    let (branch, base) = (
        run.store.state.start.branch.clone(),
        run.store.state.start.base.clone(),
    );
    if run.tree.history.read_head()?.branch.as_ref() != Some(&branch) {
        let there = run.tree.history.read_reference(&branch);
        if let Some(other) = there.filter(|commit| *commit != base) {
            return Err(Failure::blocked(format!(
                "the run's branch {} was made by somebody else: it is at {} and not at {}",
                branch.trim_start_matches("refs/heads/"),
                shorten_hash(&other),
                shorten_hash(&base)
            ))
            .hint("nothing was changed. Rename that branch (`git branch -m`), then run the command again"));
        }
        work_tree_check::check_branch_alone(&run.tree)?;
        (run.world.step)("git branch");
        run.tree.git.begin_branch(&branch, &base)?;
    }
    run.store.record_event(Event::Ready)?;
    Ok(())
}

/// Undoes the open trial and records that it was interrupted. Its changes stay reachable under a reference.
pub fn interrupt_trial(run: &mut Run<'_>) -> Result<Option<UndoResult>> {
    let Some(open_trial) = run.store.state.open_trial.clone() else {
        return Ok(None);
    };
    let trial = open_trial.intent.trial;
    let name = run.tree.name_reference(&format!("interrupted-{trial}"));
    let undone = undo_trial(
        &run.tree,
        &run.store.state,
        trial,
        &open_trial.intent.message,
        Some(&name),
    )?;
    // Verify may have written before it was interrupted.
    user_files::update_notes(&run.tree, &run.store.state.left_files, &[])?;
    unseen_files::note_cut_short(&run.tree, run.store.state.config())?;
    let message = open_trial.intent.message;
    run.store.record_event(Event::Interrupted(Interruption {
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
