//! Owns the claim at the end of a run: its first and its last commit, measured afresh side by side.
//! Does not decide what is kept.
//! Invariant: what the run measured before is no part of it, and what stands in its way is its answer.

use std::time::Duration;

use autoresearch_core::config::span::format_span;
use autoresearch_core::config::{ClaimMode, Isolation};
use autoresearch_core::decide::evidence::claim::starts_with_first;
use autoresearch_core::decide::gain::GainRange;
use autoresearch_core::git_names::CommitId;
use autoresearch_core::journal::claim::{Claim, WARM_RUNS, choose_pairs};
use autoresearch_core::journal::event::Event;
use autoresearch_core::journal::state::RunState;
use autoresearch_core::metric::value::Value;

use crate::run::ready::Ready;
use crate::trial::kept_state::{StateBench, StateMeasurement, StateScene};
use autoresearch_sys::error::{FailureKind, Result};
use autoresearch_sys::process::{Executor, LocalExecutor};
use autoresearch_sys::store::TreeKind;

/// How long whoever ends a run waits for the claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClaimPatience {
    /// As long as it takes: time was kept back for it.
    Whole,
    Within(Duration),
    /// Not at all.
    Never,
}

/// What was measured, or why not.
type PairsResult = std::result::Result<Vec<(Value, Value)>, String>;

/// Measures what the run gained, and records it; what is to be said where it was not measured.
/// `made` runs of verify came before it that no record holds.
pub(super) fn make_claim(
    ready: &mut Ready<'_>,
    patience: ClaimPatience,
    made: u32,
) -> Result<Option<String>> {
    let state = &ready.run.store.state;
    let is_wanted = state.config().claim == ClaimMode::Auto && patience != ClaimPatience::Never;
    if !state.holds_change() || state.claim.is_some() {
        return Ok(None);
    }
    let unmeasured = "the gain is what the trials measured: it was not measured afresh";
    if !is_wanted {
        return Ok(Some(unmeasured.to_owned()));
    }
    let pairs = count_pairs(state);
    if let ClaimPatience::Within(limit) = patience {
        let runs = if pairs == 0 { 1 } else { 2 * pairs + WARM_RUNS };
        let whole = Duration::from_millis(state.start.verify_ms) * runs;
        if whole > limit {
            let span = format_span(Duration::from_secs(whole.as_secs()));
            // A run's own work tree goes when it is finished.
            let later = if state.config().isolation == Isolation::Worktree {
                ""
            } else {
                "; `autoresearch finish --claim` does it"
            };
            return Ok(Some(format!(
                "{unmeasured}, which takes about {span}{later}"
            )));
        }
    }
    let claim = if pairs == 0 {
        check_exact(ready)
    } else {
        measure_pairs(ready, pairs)
    };
    match claim {
        // Whoever interrupts it wants the end without it.
        Err(failure) if failure.kind == FailureKind::Interrupted => {
            Ok(Some(format!("{unmeasured}, because that was interrupted")))
        }
        claim => {
            let mut claim = claim?;
            claim.verify_runs = claim.verify_runs.saturating_add(made);
            ready.run.store.record_event(Event::Claim(claim))?;
            Ok(None)
        }
    }
}

/// The pairs that a noisy metric needs; none for an exact one.
fn count_pairs(state: &RunState) -> u32 {
    if state.evidence.is_exact() {
        return 0;
    }
    let [before, now] = [&state.start.measurement, &state.incumbent.measurement]
        .map(|measurement| measurement.value.to_double());
    choose_pairs((now - before) / before, state.evidence.find_run_spread())
}

/// A clean checkout of the last commit, measured once: an exact metric gives there what the run measured, or it measured
/// what is not committed.
fn check_exact(ready: &Ready<'_>) -> Result<Claim> {
    let state = &ready.run.store.state;
    let executor = LocalExecutor::new(ready.run.world, &ready.run.env);
    let last = state.incumbent.commit.clone();
    let mut bench = make_bench(ready, &executor, last.clone(), "last")?;
    let value = match bench.measure_state()? {
        Ok((measured, _)) => measured.value,
        Err(why) => return Ok(Claim::without_gain(last, bench.runs, why)),
    };
    let before = &state.start.measurement.value;
    let gain = state.config().metric.compute_gain(before, &value);
    let size = before.magnitude().to_double();
    let share = if size > 0.0 {
        gain.to_double() / size
    } else {
        gain.to_double().clamp(-1.0, 1.0)
    };
    Ok(Claim {
        commit: last,
        gain: Some(GainRange::of_shares(share, share, share)),
        pairs: 0,
        before: None,
        after: Some(value),
        verify_runs: bench.runs,
        why: None,
    })
}

/// Runs of the first and the last commit in turns.
fn measure_pairs(ready: &Ready<'_>, count: u32) -> Result<Claim> {
    let state = &ready.run.store.state;
    let executor = LocalExecutor::new(ready.run.world, &ready.run.env);
    let last = state.incumbent.commit.clone();
    let mut benches = [
        make_bench(ready, &executor, state.start.base.clone(), "first")?,
        make_bench(ready, &executor, last.clone(), "last")?,
    ];
    let measured = run_pairs(ready, &mut benches, count)?;
    let verify_runs = benches.iter().map(|bench| bench.runs).sum();
    let pairs = match measured {
        Ok(pairs) => pairs,
        Err(why) => return Ok(Claim::without_gain(last, verify_runs, why)),
    };
    let doubles: Vec<(f64, f64)> = pairs
        .iter()
        .map(|(first, last)| (first.to_double(), last.to_double()))
        .collect();
    let (before, after): (Vec<Value>, Vec<Value>) = pairs.into_iter().unzip();
    let claimed = state.evidence.describe_pairs(&doubles);
    Ok(Claim {
        commit: last,
        gain: claimed.as_ref().map(GainRange::from),
        pairs: count,
        before: Value::mean_of(&before),
        after: Value::mean_of(&after),
        verify_runs,
        why: None,
    })
}

fn run_pairs(
    ready: &Ready<'_>,
    [first, last]: &mut [StateBench<'_>; 2],
    count: u32,
) -> Result<PairsResult> {
    let mut pairs = Vec::new();
    for number in 0..count {
        (ready.run.world.progress)(&format!("the claim: pair {} of {count}", number + 1));
        let index = usize::try_from(number).unwrap_or(0);
        let (one, other) = measure_pair(first, last, index)?;
        match (one, other) {
            (Ok((one, _)), Ok((other, _))) => pairs.push((one.value, other.value)),
            (Err(why), _) => return Ok(Err(format!("the first commit: {why}"))),
            (_, Err(why)) => return Ok(Err(why)),
        }
    }
    Ok(Ok(pairs))
}

/// A run of each, the first one by turns.
pub(super) fn measure_pair(
    first: &mut StateBench<'_>,
    last: &mut StateBench<'_>,
    index: usize,
) -> Result<(StateMeasurement, StateMeasurement)> {
    if starts_with_first(index) {
        let one = first.measure_state()?;
        Ok((one, last.measure_state()?))
    } else {
        let other = last.measure_state()?;
        Ok((first.measure_state()?, other))
    }
}

pub(super) fn make_bench<'a>(
    ready: &'a Ready<'_>,
    executor: &'a dyn Executor,
    commit: CommitId,
    word: &str,
) -> Result<StateBench<'a>> {
    let (run, tree) = (&ready.run, &ready.tree);
    let state = &run.store.state;
    let outputs = (
        tree.layout.make_trial_folder(state.incumbent.trial)?,
        format!("claim-{word}-"),
    );
    // Nothing that an earlier trial left in a tree is to be in the claim.
    let scene = StateScene::of_run(
        tree,
        state,
        (&run.env, executor),
        TreeKind::Scratch,
        outputs,
    );
    Ok(StateBench::new(scene, commit))
}
