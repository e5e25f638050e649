//! Owns the trying again of weak keeps at the end of a run: pairs of the kept state without and with each, and the taking back
//! of those that show no gain.
//! Does not judge the pairs: `evidence` does.
//! Invariant: what is taken back is taken back by a trial like any other, whose commit stands on top. No commit is rewritten.

use std::time::Duration;

use autoresearch_core::config::{ClaimMode, Isolation};
use autoresearch_core::decide::evidence::WEAK_PAIRS;
use autoresearch_core::git_names::CommitId;
use autoresearch_core::journal::claim::{CLAIM_RUNS, WARM_RUNS};
use autoresearch_core::journal::event::{IncumbentTree, Verdict};
use autoresearch_core::journal::story::Story;
use autoresearch_core::words::text::{clip_text, format_count};

use super::claim::{ClaimPatience, make_bench, measure_pair};
use crate::run::ready::Ready;
use crate::run::repair;
use crate::trial::leave_out_trial;
use crate::trial::retry::EditPlan;
use crate::watch::tree_changes;
use autoresearch_sys::error::{FailureKind, Result};
use autoresearch_sys::git::{Hooks, MergeResult, NewCommit};
use autoresearch_sys::process::LocalExecutor;

/// What is told of the change that is taken back, in characters at most.
const LONGEST: usize = 200;

/// What was tried again.
#[derive(Debug, Default)]
pub(super) struct TriedKeeps {
    /// Runs of verify that no record holds yet.
    pub verify_runs: u32,
    /// What became of it, one sentence each.
    pub notes: Vec<String>,
}

/// The kept state without the change of one trial.
struct StateWithout {
    commit: CommitId,
    edits: EditPlan,
    message: String,
}

/// What the pairs of one keep said.
enum PairsAnswer {
    Stays,
    IsWorthNothing,
    /// Verify gave no number in one of the trees, or what was kept back is used up.
    Untold,
}

/// Tries each weak keep again, weakest first, and takes back what is worth nothing. Whoever interrupts it wants the end
/// without it.
pub(super) fn try_weak_keeps(ready: &mut Ready<'_>, patience: ClaimPatience) -> Result<TriedKeeps> {
    let mut tried = TriedKeeps::default();
    let weak = ready.run.store.state.list_weak_keeps();
    if weak.is_empty() || !can_be_tried(ready, patience, weak.len())? {
        return Ok(tried);
    }
    for trial in weak {
        match try_weak_keep(ready, trial, &mut tried) {
            Ok(()) => {}
            Err(failure) if failure.kind == FailureKind::Interrupted => {
                repair::repair_run(ready)?;
                let untold =
                    format!("whether trial {trial} is worth its place was not measured to the end");
                tried.notes.push(untold);
                break;
            }
            Err(failure) => return Err(failure),
        }
    }
    Ok(tried)
}

/// Is the run at rest on its branch with a kept state that can be measured, and is there time?
fn can_be_tried(ready: &Ready<'_>, patience: ClaimPatience, weak: usize) -> Result<bool> {
    let (state, tree) = (&ready.run.store.state, &ready.tree);
    let lost = matches!(state.start.incumbent_tree, Some(IncumbentTree::Missing(_)));
    let is_wanted = state.config().claim == ClaimMode::Auto && state.claim.is_none() && !lost;
    let pairs = u32::try_from(weak * WEAK_PAIRS).unwrap_or(u32::MAX);
    let runs = pairs
        .saturating_mul(2)
        .saturating_add(CLAIM_RUNS + WARM_RUNS);
    let in_time = match patience {
        ClaimPatience::Whole => true,
        ClaimPatience::Within(limit) => {
            Duration::from_millis(state.start.verify_ms).saturating_mul(runs) <= limit
        }
        ClaimPatience::Never => false,
    };
    let at_rest = state.open_trial.is_none() && state.finish.is_none();
    if !is_wanted || !in_time || !at_rest {
        return Ok(false);
    }
    // In a work tree of the run's own edits may stand that nobody has measured: they stay as they are.
    let is_edited = state.config().isolation == Isolation::Worktree
        && !tree_changes::read_changes(tree, state)?.ours.is_empty();
    Ok(!is_edited)
}

fn try_weak_keep(ready: &mut Ready<'_>, trial: u32, tried: &mut TriedKeeps) -> Result<()> {
    let Some(without) = build_without(ready, trial)? else {
        let note = format!(
            "trial {trial} may be noise alone; what was kept later builds on it, so it stays"
        );
        tried.notes.push(note);
        return Ok(());
    };
    match run_pairs(ready, trial, &without.commit, &mut tried.verify_runs)? {
        PairsAnswer::Stays | PairsAnswer::Untold => return Ok(()),
        PairsAnswer::IsWorthNothing => {}
    }
    let order = (trial, without.message);
    let decided = leave_out_trial(ready, &without.edits, order)?;
    tried.notes.push(if decided.verdict() == Some(Verdict::Keep) {
        format!("trial {trial} was taken back: fresh pairs without it and with it showed no gain")
    } else {
        format!("fresh pairs showed no gain of trial {trial}; it stays, because the run does not pass without it (`show` of the last trial says what fails)")
    });
    Ok(())
}

/// The kept state without a trial, as a commit that no reference names; none where later changes build on it.
fn build_without(ready: &Ready<'_>, trial: u32) -> Result<Option<StateWithout>> {
    let (run, tree) = (&ready.run, &ready.tree);
    let state = &run.store.state;
    let records = run.store.read_records()?;
    let story = Story::of(&state.start, &records);
    let Some(told) = story.find_trial(trial) else {
        return Ok(None);
    };
    // With all attempts of a trial that was reworked.
    let (Some(kept), Some(before)) = (told.find_commit(), told.find_base()) else {
        return Ok(None);
    };
    let change = told.intents.last().map_or("", |intent| &intent.message);
    let scratch = tree.layout.make_trial_folder(trial)?;
    let sides = (kept, &state.head, before);
    let MergeResult::Tree(merged) = tree.git.merge_aside(sides, &scratch)? else {
        return Ok(None);
    };
    let wanted = tree.git.list_changes(&state.head, &merged)?;
    let is_editable = tree_changes::make_scope_check(tree, state)?;
    if wanted.is_empty() || !wanted.iter().all(|change| is_editable(&change.path)) {
        return Ok(None);
    }
    let change = clip_text(change, LONGEST);
    let message =
        format!("take trial {trial} back, \"{change}\": fresh pairs showed no gain of it");
    let date = format!("{} +0000", tree.world.now().as_second());
    let new = NewCommit {
        parent: &state.head,
        message: &message,
        scratch: &scratch,
        date: &date,
    };
    Ok(Some(StateWithout {
        commit: tree.git.commit_tree(&merged, &new, Hooks::Bypass)?,
        edits: EditPlan {
            tree: merged,
            wanted,
            left_out: Vec::new(),
        },
        message,
    }))
}

/// Measures the kept state without the trial and with it in turns, until it is clear that it is worth nothing, or the pairs
/// are made.
fn run_pairs(
    ready: &Ready<'_>,
    trial: u32,
    without: &CommitId,
    made: &mut u32,
) -> Result<PairsAnswer> {
    let state = &ready.run.store.state;
    let executor = LocalExecutor::new(ready.run.world, &ready.run.env);
    let mut first = make_bench(ready, &executor, without.clone(), "without")?;
    let mut last = make_bench(ready, &executor, state.incumbent.commit.clone(), "with")?;
    let before = *made;
    let mut pairs = Vec::new();
    for number in 0..WEAK_PAIRS {
        let now_ms = ready.run.world.now_ms();
        let needed = u64::from(CLAIM_RUNS + 2);
        if state
            .count_runs_left(*made, now_ms)
            .is_some_and(|left| left < needed)
        {
            return Ok(PairsAnswer::Untold);
        }
        (ready.run.world.progress)(&format!(
            "trial {trial} once more: {} of the kept state without it and with it",
            format_count(number + 1, "pair")
        ));
        let (one, other) = measure_pair(&mut first, &mut last, number)?;
        *made = before + first.runs + last.runs;
        let (Ok((one, _)), Ok((other, _))) = (one, other) else {
            return Ok(PairsAnswer::Untold);
        };
        pairs.push((one.value.to_double(), other.value.to_double()));
        if !state.evidence.is_worth_keeping(&pairs) {
            return Ok(PairsAnswer::IsWorthNothing);
        }
    }
    Ok(PairsAnswer::Stays)
}
