//! Owns the question of a start whether the kept state of a noisy metric can be measured again beside a trial.
//! Does not refuse a start: without it the rule does with less, and says so.
//! Invariant: a tree of its own whose runs could not be runs of the untouched tree is not used.

use std::time::Duration;

use autoresearch_core::decide::evidence::level::Side;
use autoresearch_core::decide::noise::Noise;
use autoresearch_core::git_names::CommitId;
use autoresearch_core::journal::event::{IncumbentTree, RecordedRun};
use autoresearch_core::metric::value::Value;
use autoresearch_sys::error::{FailureKind, Result};

use crate::start::baseline::Baseline;
use crate::trial::kept_state::{StateBench, StateRun, StateScene};

/// A start waits no longer than this for the runs in another tree: the first trial that needs them makes them.
const PATIENCE: Duration = Duration::from_mins(5);
/// The first run there, and two that are looked at.
const RUNS: u32 = 3;

/// What was found, and the runs that count from then on.
pub(super) struct KeptTreeAnswer {
    pub(super) tree: Option<IncumbentTree>,
    pub(super) runs: Vec<RecordedRun>,
}

/// Measures the untouched tree in a tree of its own. A metric that was exact has no need of it yet.
pub(super) fn try_kept_tree(
    baseline: &Baseline,
    scene: StateScene<'_>,
    base: &CommitId,
) -> Result<KeptTreeAnswer> {
    let samples: Vec<f64> = baseline.samples.iter().map(Value::to_double).collect();
    let noise = Noise::of_runs(&samples);
    let mut answer = KeptTreeAnswer {
        tree: None,
        runs: Vec::new(),
    };
    let verify = Duration::from_millis(baseline.verify_ms);
    if noise.is_deterministic() || verify * RUNS > PATIENCE {
        return Ok(answer);
    }
    let mut bench = StateBench::new(scene, base.clone());
    let mut seen = Vec::new();
    // One run in a hundred lies further off than four spreads; two do not.
    for _ in 0..2 {
        match run_there(&mut bench)? {
            Err(why) => {
                answer.tree = Some(IncumbentTree::Missing(why));
                return Ok(answer);
            }
            Ok((Ok(measured), time)) => {
                let value = measured.value;
                if noise.could_be_run_of(&samples, value.to_double()) {
                    answer.tree = Some(IncumbentTree::AtHand);
                    answer
                        .runs
                        .push(RecordedRun::new(Side::Incumbent, value, time));
                    return Ok(answer);
                }
                seen.push(value.to_string());
            }
            Ok((Err(why), _)) => {
                answer.tree = Some(IncumbentTree::Missing(why.to_string()));
                return Ok(answer);
            }
        }
    }
    answer.tree = Some(IncumbentTree::Missing(format!(
        "it gives {} there",
        seen.join(" and ")
    )));
    Ok(answer)
}

/// One run; in place of a tree that cannot be had, why.
fn run_there(bench: &mut StateBench<'_>) -> Result<std::result::Result<StateRun, String>> {
    match bench.run_verify() {
        Ok(run) => Ok(Ok(run)),
        Err(failure) if failure.kind == FailureKind::Interrupted => Err(failure),
        Err(failure) => {
            let causes = failure.causes.iter().map(|cause| format!(": {cause}"));
            Ok(Err(causes.fold(failure.error, |text, cause| text + &cause)))
        }
    }
}

/// What is to be said of it; nothing where all is as it should be.
pub(super) fn describe_kept_tree(tree: Option<&IncumbentTree>) -> Option<String> {
    let Some(IncumbentTree::Missing(why)) = tree else {
        return None;
    };
    Some(format!(
        "warning: the kept state cannot be measured again in a tree of its own ({why}): a machine that gets faster or slower during the run is not told from a change. What git ignores and verify needs comes into such a tree by `isolation: worktree` with `prepare`, `link` or `copy`"
    ))
}
