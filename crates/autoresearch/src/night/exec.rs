//! Owns `exec`: a whole bounded run in one command, for a CI job.
//! Does not ask anything, and never writes a lesson.
//! Invariant: the user's branch is checked out again at the end, and the summary says what the journal says.

use autoresearch_core::config::Mode;
use autoresearch_core::git_names::CommitId;
use autoresearch_core::journal::event::Claim;
use autoresearch_core::journal::state::RunState;
use autoresearch_core::metric::value::Value;
use serde::Serialize;
use serde_json::{Map, json};

use crate::config::ConfigSource;
use crate::finish::claim::ClaimPatience;
use crate::night::audience::Audience;
use crate::night::driver;
use crate::night::driver::DriverExit;
use crate::run::glance::Glance;
use crate::run::place::{Place, WantedRun};
use crate::run::session;
use crate::{finish, start};
use autoresearch_sys::env::{ProcessRole, Stopwatch, World};
use autoresearch_sys::error::{Failure, FailureKind, Result};
use autoresearch_sys::store::Access;

/// How often a fault of the service is waited out; after that a CI job needs an answer.
const TRIES: u32 = 6;

/// Why a session in a sandbox cannot call it, and who can.
const ALONE: &str = "`exec` cannot run in a sandbox: tell the person to run this same line in CI or in a terminal; a session with full access can run it too";

/// What a run used up.
#[derive(Clone, Debug, Serialize)]
pub struct RunCost {
    /// Turns of the agent.
    pub turns: u32,
    pub tokens: u64,
    /// Runs of verify in trials.
    pub verify_runs: u32,
    /// Seconds, all in all.
    pub seconds: u64,
}

/// The last line of `exec`.
#[derive(Clone, Debug, Serialize)]
pub struct ExecSummary {
    /// `summary`, to tell it from the trials.
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub run: String,
    pub status: &'static str,
    /// What led to it.
    pub why: String,
    pub metric: String,
    /// The value at start.
    pub baseline: Value,
    /// The best kept value.
    pub best: Value,
    /// The trial that made it; 0 is the start.
    pub best_iteration: u32,
    pub counts: autoresearch_core::journal::state::Counts,
    /// Why hypotheses were tried one after the other, where they were to be tried at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// Is the best better than the start? A noisy metric says so only where the fresh measurement does.
    pub improved: bool,
    /// `holdout`, where what was kept did not pass the check of the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// What was gained, measured afresh.
    pub claim: Option<Claim>,
    pub cost: RunCost,
    /// The branch with the kept commits.
    pub branch: String,
    /// The last kept commit.
    pub commit: CommitId,
    /// The command that merges them, if there are any.
    pub merge: Option<String>,
}

/// The keys of a config that come by other ways than the file, as it has them.
pub type ConfigFields = Map<String, serde_json::Value>;

/// Puts a config together: a file's, overlaid by fields, in the mode of a run without a person.
pub fn make_exec_source(
    file: Option<ConfigSource>,
    mut fields: ConfigFields,
) -> Result<ConfigSource> {
    fields.insert("mode".to_owned(), json!(Mode::Exec.as_str()));
    crate::config::merge_config(file, fields)
}

/// Starts a run, drives it to its end, and leaves it.
pub fn exec_run(
    world: &World,
    place: &Place,
    source: &ConfigSource,
    audience: &mut dyn Audience,
) -> Result<ExecSummary> {
    let watch = Stopwatch::start();
    session::refuse_confined(world, || Ok(ALONE.to_owned()))?;
    let has_holdout = crate::config::check_config_text(source).holdout.is_some();
    start::refuse_agent_start(world, has_holdout)?;
    let mut world = World {
        role: ProcessRole::Driver,
        session: None,
        ..world.clone()
    };
    world.patience.tries = world.patience.tries.or(Some(TRIES));
    let started = start::start_run(&world, place, source)?;
    let place = Place {
        directory: Some(place.search_folder(&world)),
        run: Some(started.run),
    };
    let _driver = {
        let glance = Glance::open_run(&world, &place, WantedRun::Latest, Access::Glance, "exec")?;
        let run = glance.with_tree()?.run;
        driver::take_driver_lock(&world, &run.store.anchor_folder, "exec")?
    };
    let left = driver::drive_run(&world, &place, audience);
    let finished = finish::finish_run(&world, &place, ClaimPatience::Whole);
    let left = left?;
    let finished = finished?;
    let run = Glance::open_run(&world, &place, WantedRun::Latest, Access::Read, "exec")?.run;
    if left == DriverExit::Open {
        return Err(
            Failure::new(FailureKind::Interrupted, "interrupted; the run has ended")
                .hint(format!("what was kept is on {}", finished.branch)),
        );
    }
    Ok(make_summary(
        &run.store.state,
        &finished,
        watch.elapsed().as_secs(),
    ))
}

fn make_summary(
    state: &RunState,
    finished: &finish::report::EndReport,
    seconds: u64,
) -> ExecSummary {
    ExecSummary {
        kind: "summary",
        run: finished.run.clone(),
        status: finished.end,
        why: finished.why.clone(),
        metric: finished.metric.clone(),
        baseline: finished.baseline.clone(),
        best: finished.value.clone(),
        best_iteration: state.incumbent.trial,
        counts: state.counts,
        serial: state.serial.clone(),
        improved: finished.improved,
        reason: finished.reason,
        claim: finished.claim.clone(),
        cost: RunCost {
            turns: state.spent.turns,
            tokens: state.spent.tokens,
            verify_runs: state.spent.verify_runs,
            seconds,
        },
        branch: finished.branch.clone(),
        commit: state.incumbent.commit.clone(),
        merge: finished.merge.clone(),
    }
}

#[cfg(test)]
mod tests;
