//! Owns the ends that people ask for: `stop`, `finish`, and an obstacle.
//! Does not delete anything of a run.
//! Invariant: the user's branch is where it was; the run's branch stays.

pub(crate) mod claim;
mod last_holdout;
mod own_tree;
pub(crate) mod report;
mod weak_keeps;

use autoresearch_core::config::Isolation;
use autoresearch_core::git_names::HeadTarget;
use autoresearch_core::journal::event::{End, Ending, Event, Finish};
use autoresearch_core::words::text::clip_text;

use self::claim::{ClaimPatience, make_claim};
use self::last_holdout::ask_last_holdout;
use self::own_tree::leave_own_tree;
use self::report::{EndReport, make_end_report};
use self::weak_keeps::try_weak_keeps;
use crate::batch::give_up_batch;
use crate::run::Run;
use crate::run::entry::{Entered, Entry, enter_run, enter_tree};
use crate::run::glance::describe_lost_tree;
use crate::run::held::Held;
use crate::run::lessons;
use crate::run::place::Place;
use crate::run::ready::Ready;
use crate::trial::give_up;
use crate::trial::moved_away;
use crate::watch::file_times;
use crate::watch::tree_changes;
use crate::watch::work_tree_check;
use autoresearch_sys::env::World;
use autoresearch_sys::error::{Failure, Result};
use autoresearch_sys::git::surroundings::BranchHolder;

/// Why a run ends that is finished while it is open.
const FINISHED: &str = "finished by a person";

/// Ends the run on a person's word. What is in the work tree stays.
pub(crate) fn stop_run(world: &World, place: &Place, why: &str) -> Result<EndReport> {
    let mut entered = enter_run(world, place, Entry::Stop)?;
    record_end(entered.run_mut(), End::UserStop, why)?;
    make_end_report(&entered.finish()?, None)
}

/// Ends the run because something only a person can change stands in the way.
pub(crate) fn block_run(world: &World, place: &Place, why: &str) -> Result<EndReport> {
    let mut ready = enter_tree(world, place, Entry::Step("strategy block"))?;
    record_end(&mut ready.run, End::Blocked, why)?;
    make_end_report(&ready.finish()?, None)
}

/// Records an end, unless the run has one: the first reason is the true one.
pub(crate) fn record_end(run: &mut Run<'_>, end: End, why: &str) -> Result<()> {
    if run.store.state.end.is_none() {
        run.store.record_event(Event::End(Ending {
            end,
            why: clip_text(why.trim(), 500),
        }))?;
        lessons::add_end_lesson(run);
    }
    Ok(())
}

/// Measures afresh what a run gained that has ended, and leaves it as it is.
pub(crate) fn claim_gain(world: &World, place: &Place) -> Result<()> {
    let mut ready = enter_tree(world, place, Entry::Driver)?;
    give_up_batch(&mut ready)?;
    let patience = ClaimPatience::Whole;
    let measured = try_weak_keeps(&mut ready, patience)
        .and_then(|tried| make_claim(&mut ready, patience, tried.verify_runs));
    ready.finish()?;
    measured.map(drop)
}

/// Ends the run if it is still open, and checks out what was checked out before it. The run's branch stays.
pub(crate) fn finish_run(
    world: &World,
    place: &Place,
    patience: ClaimPatience,
) -> Result<EndReport> {
    let mut ready = match enter_run(world, place, Entry::Finish)? {
        Entered::Ready(ready) => *ready,
        Entered::Lost(held) => return finish_without_tree(*held),
    };
    let here = ready.tree.history.read_head()?;
    if ready.run.store.state.finish.is_some() || here.branch.as_ref() != Some(&ready.tree.branch) {
        let named = here
            .target()
            .ok_or_else(|| Failure::blocked("HEAD names neither a branch nor a commit"))?;
        record_finish(&mut ready.run, named)?;
        // Its end has come: what was not waited for then can be asked for.
        if patience == ClaimPatience::Whole {
            make_claim(&mut ready, patience, 0)?;
        }
        let (glance, notes) = leave_own_tree(ready.finish()?)?;
        let mut report = make_end_report(&glance, here.branch.map(HeadTarget::Branch))?;
        report.notes.extend(notes);
        return Ok(report);
    }
    tree_changes::check_head(&ready.tree, &ready.run.store.state)?;
    give_up_batch(&mut ready)?;
    give_up::give_up_rework(&mut ready)?;
    let leaves = ready.run.store.state.config().isolation == Isolation::Branch;
    let taken = if leaves {
        give_up::take_back_edits(&mut ready, "unmeasured edits")?
    } else {
        None
    };
    let (saved, notes) = match taken {
        Some((intent, undone)) => {
            let name = format!("interrupted-{}", intent.trial);
            let name = ready.tree.name_reference(&name);
            (undone.tip.map(|_| name), undone.notes)
        }
        None => (None, Vec::new()),
    };
    let tried = try_weak_keeps(&mut ready, patience)?;
    let passes = ask_last_holdout(&mut ready)?;
    record_end(&mut ready.run, End::UserStop, FINISHED)?;
    let unclaimed = make_claim(&mut ready, patience, tried.verify_runs)?;
    let left = leave_run(&mut ready, passes)?;
    let (glance, stays) = leave_own_tree(ready.finish()?)?;
    let mut report = make_end_report(&glance, left.head)?;
    let origin = glance.run.store.state.start.origin.branch();
    if let (Some(holder), Some(branch)) = (left.holder, origin) {
        report.note_detached(branch, &holder);
    }
    report.saved = saved;
    report.notes.extend(
        tried
            .notes
            .into_iter()
            .chain(unclaimed)
            .chain(notes)
            .chain(stays),
    );
    Ok(report)
}

/// Ends a run whose own work tree is gone: the branch with the kept commits is all that a reviewer needs.
fn finish_without_tree(mut held: Held<'_>) -> Result<EndReport> {
    let was_finished = held.run.store.state.finish.is_some();
    let branch = held.run.store.state.start.branch.clone();
    record_finish(&mut held.run, HeadTarget::Branch(branch))?;
    let (glance, mut notes) = leave_own_tree(held.finish()?)?;
    let mut report = make_end_report(&glance, None)?;
    // The first `finish` took it away itself.
    if !was_finished {
        notes.push(describe_lost_tree(&glance.run.store) + "; unmeasured edits in it are lost");
    }
    report.notes.extend(notes);
    Ok(report)
}

/// Records that a run was left which is not checked out any more.
fn record_finish(run: &mut Run<'_>, head: HeadTarget) -> Result<()> {
    record_end(run, End::UserStop, FINISHED)?;
    if run.store.state.finish.is_none() {
        run.store.record_event(Event::Finish(Finish {
            head,
            holdout: None,
        }))?;
    }
    Ok(())
}

/// How a run was left.
#[derive(Default)]
struct LeaveResult {
    /// What is checked out now, if that changed.
    head: Option<HeadTarget>,
    /// The other work tree that holds the branch of before, so that this one is at its commit without a branch.
    holder: Option<BranchHolder>,
}

/// Checks out what was checked out before the run. A branch that another work tree holds meanwhile is not checked out a
/// second time: files and index are those of its commit, and HEAD names the commit.
fn leave_run(
    Ready { run, tree, .. }: &mut Ready<'_>,
    holdout: Option<bool>,
) -> Result<LeaveResult> {
    let start = &run.store.state.start;
    let origin = start.origin.clone();
    if start.config.isolation != Isolation::Branch {
        run.store.record_event(Event::Finish(Finish {
            head: HeadTarget::Branch(start.branch.clone()),
            holdout,
        }))?;
        return Ok(LeaveResult::default());
    }
    let target = tree.history.read_target(&origin).ok_or_else(|| {
        Failure::blocked(format!("the branch {origin} is gone"))
            .hint("check out a branch yourself; the kept commits are on the run's branch")
    })?;
    let head = run.store.state.head.clone();
    let holder = match origin.branch() {
        Some(branch) => work_tree_check::find_branch_holder(tree, branch)?,
        None => None,
    };
    let goal = match &holder {
        Some(_) => HeadTarget::Commit(target.clone()),
        None => origin.clone(),
    };
    let paths = tree.history.changed_paths(&head, &target)?;
    if let Some(first) = moved_away::find_in_the_way(tree, &head, &target, &paths)?.first() {
        return Err(Failure::blocked(format!("could not go back to {origin}: {} is in the way of one of its files, and git does not track it", moved_away::show_path(first)))
            .hint("nothing was changed. Move it away, then run the command again"));
    }
    tree.git.check_out(&head, &target, &goal).map_err(|error| {
        Failure::blocked(format!("could not go back to {origin}"))
            .because(&error)
            .hint("nothing was changed: a file of yours would have been overwritten. Move it away, then run the command again")
    })?;
    file_times::renew_times(tree, &run.store.state, &paths);
    tree.git.refresh_index(&paths);
    run.store.record_event(Event::Finish(Finish {
        head: goal.clone(),
        holdout,
    }))?;
    Ok(LeaveResult {
        head: Some(goal),
        holder,
    })
}
