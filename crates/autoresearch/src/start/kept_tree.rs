//! Owns the question of a start whether the kept state of a noisy metric can be measured again beside a trial.
//! Does not refuse a start: without it the rule does with less, and says so.
//! Invariant: a tree of its own whose runs could not be runs of the untouched tree is not used.

use std::ffi::OsString;
use std::time::Duration;

use autoresearch_core::decide::evidence::level::Side;
use autoresearch_core::decide::noise::Noise;
use autoresearch_core::journal::event::{IncumbentTree, RecordedRun};
use autoresearch_core::metric::value::Value;
use autoresearch_sys::env::World;
use autoresearch_sys::error::Result;
use autoresearch_sys::process::LocalExecutor;
use autoresearch_sys::store::{Pinned, TreeKind};

use crate::start::baseline::Baseline;
use crate::start::parts::StartParts;
use crate::trial::kept_state::{StateBench, StateScene};

/// A start waits no longer than this for the runs in another tree: the first trial that needs them makes them.
const PATIENCE: Duration = Duration::from_mins(5);
/// The first run there, and two that are looked at.
const RUNS: u32 = 3;

/// What was found, and the runs that count from then on.
#[derive(Default)]
pub(super) struct KeptTreeAnswer {
    pub(super) tree: Option<IncumbentTree>,
    pub(super) runs: Vec<RecordedRun>,
}

impl KeptTreeAnswer {
    fn missing(why: String) -> Self {
        Self {
            tree: Some(IncumbentTree::Missing(why)),
            runs: Vec::new(),
        }
    }
}

/// Measures the untouched tree where the kept state will be measured beside the trials. A metric that was exact has no need of
/// it yet.
pub(super) fn try_kept_tree(
    world: &World,
    parts: &StartParts<'_>,
    env: &[(OsString, OsString)],
    (baseline, pinned): (&Baseline, &Pinned),
) -> Result<KeptTreeAnswer> {
    let samples: Vec<f64> = baseline.samples.iter().map(Value::to_double).collect();
    let noise = Noise::of_runs(&samples);
    let verify = Duration::from_millis(baseline.verify_ms);
    if noise.is_deterministic() || verify * RUNS > PATIENCE {
        return Ok(KeptTreeAnswer::default());
    }
    let (git, executor) = (&parts.start_site.git, LocalExecutor::new(world, env));
    let scene = StateScene {
        world,
        checkout: git.at_folder(git.work_tree()),
        layout: &parts.layout,
        id: &parts.id,
        config: &parts.config,
        env,
        executor: &executor,
        confinement: pinned.confinement.as_ref(),
        reading: Some(baseline.reading.clone()),
        outputs: (parts.layout.make_trial_folder(0)?, "kept-".to_owned()),
        // A start that is refused leaves nothing, and so does `config try`.
        kind: TreeKind::Scratch,
        warms_up: true,
    };
    let mut bench = StateBench::new(scene, parts.start_site.base.clone());
    let mut seen = Vec::new();
    // One run in a hundred lies further off than four spreads; two do not.
    for _ in 0..2 {
        let (measured, time) = match bench.measure_state()? {
            Ok(measured) => measured,
            Err(why) => return Ok(KeptTreeAnswer::missing(why)),
        };
        if noise.could_be_run_of(&samples, measured.value.to_double()) {
            return Ok(KeptTreeAnswer {
                tree: Some(IncumbentTree::AtHand),
                runs: vec![RecordedRun::of_measurement(
                    Side::Incumbent,
                    &measured,
                    time,
                    &parts.config.watched,
                )],
            });
        }
        seen.push(measured.value.to_string());
    }
    let why = format!("it gives {} there", seen.join(" and "));
    Ok(KeptTreeAnswer::missing(why))
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
