//! Owns an experiment: a command that is run in a copy of the user's files, and held against what it is expected to show.
//! Does not record it.
//! Invariant: a command that no person confirmed runs in the sandbox of the tool, or not at all.

use std::ffi::OsString;

use autoresearch_core::config::SandboxRule;
use autoresearch_core::config::span::format_span;
use autoresearch_core::journal::chain::hash_bytes;
use autoresearch_core::ledger::evidence::{ExpectedEnd, Experiment, RunEnd};
use autoresearch_core::ledger::orders::PlannedExperiment;
use autoresearch_core::words::excerpt::make_excerpt;
use autoresearch_core::words::text::{clip_text, escape_text, format_count};
use autoresearch_sys::error::{Failure, FailureKind, Result};
use autoresearch_sys::ledger_store::LedgerStore;
use autoresearch_sys::process::{
    CommandEnd, CommandLine, CommandOutput, Confinement, Executor, Job, JobConditions,
    LocalExecutor,
};
use autoresearch_sys::store::{cut_middle, write_output};

use super::experiment_tree::ExperimentTree;
use super::scene::SearchScene;
use crate::trees::sandboxing::{SANDBOX_NEEDS, choose_confinement, confine_to_tree};

/// So much of an output is kept.
const MOST_KEPT: u64 = 4 << 20;
/// So much of it is recorded and shown.
const MOST_SAID: usize = 2_000;
/// The shell could not find or start the command: that shows nothing.
const NOT_FOUND: [i32; 2] = [126, 127];

/// Where an experiment runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enclosure {
    /// In the sandbox of the tool: no network, and it writes only in the copy.
    Sandbox,
    /// Outside of it: a person said yes to this very call.
    Open,
}

/// One run.
struct SeenRun {
    end: RunEnd,
    printed: String,
    said: String,
    is_met: bool,
}

impl SearchScene<'_> {
    /// Runs an experiment. One that does not show what it is said to show is refused.
    pub(super) fn run_experiment(
        &self,
        store: &LedgerStore<'_>,
        planned: &PlannedExperiment,
        enclosure: Enclosure,
    ) -> Result<Experiment> {
        check_plan(planned)?;
        let tree = ExperimentTree::copy_files(&self.site.git, &store.anchor_folder)?;
        let changed = self.site.git.read_own_status()?.len();
        let confinement = match enclosure {
            Enclosure::Sandbox => Some(self.choose_experiment_confinement(&tree)?),
            Enclosure::Open => None,
        };
        let pairs = self.site.env.iter();
        let env: Vec<(OsString, OsString)> = pairs
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        let executor = LocalExecutor::new(self.world, &env);
        let job = Job {
            command: CommandLine::Shell(planned.command.clone()),
            directory: tree.path().to_owned(),
            timeout_ms: planned.timeout_ms,
            input: None,
            own_temporary: true,
            view: None,
            confinement,
            conditions: JobConditions::default(),
        };
        let (mut met, mut shown) = (0, None::<SeenRun>);
        for run in 1..=planned.runs {
            let limit = format_span(std::time::Duration::from_millis(planned.timeout_ms));
            let label = format!("run {run} of {}, for at most {limit}", planned.runs);
            (self.world.progress)(&label);
            let seen = run_once(&executor, &job, planned)?;
            met += u32::from(seen.is_met);
            // The first that is as expected; else the last.
            if !shown.as_ref().is_some_and(|shown| shown.is_met) {
                shown = Some(seen);
            }
        }
        let shown = shown.ok_or_else(|| Failure::usage("an experiment has at least one run"))?;
        let output = format!("evidence/{}.txt", store.next_record());
        let experiment = Experiment {
            command: planned.command.clone(),
            expects: planned.expects.clone(),
            runs: planned.runs,
            met,
            at_least: planned.at_least,
            ended: shown.end.to_string(),
            said: clip_text(&shown.said, MOST_SAID),
            output_hash: hash_bytes(shown.printed.as_bytes()),
            output,
            commit: self.site.base.clone(),
            changed: u32::try_from(changed).unwrap_or(u32::MAX),
            sandboxed: enclosure == Enclosure::Sandbox,
        };
        if !experiment.is_met() {
            return Err(refuse_experiment(&experiment));
        }
        let file = store.layout.run_folder().join(&experiment.output);
        write_output(&file, shown.printed.as_bytes())?;
        Ok(experiment)
    }

    /// The sandbox of an experiment: it writes in the copy alone, and cannot read what lies beside the anchors of runs.
    fn choose_experiment_confinement(&self, tree: &ExperimentTree<'_>) -> Result<Confinement> {
        let base = choose_confinement(self.world, &self.root, &SandboxRule::default())?;
        let mut confined = confine_to_tree(&base, tree.path(), None);
        confined.read_only.push(self.root.clone());
        let runs = self.world.state_folder.join("runs");
        confined.hidden.extend(runs.canonicalize().ok());
        Ok(confined)
    }
}

fn check_plan(planned: &PlannedExperiment) -> Result<()> {
    let refuse = |error: &str, hint: &str| {
        Err(Failure::usage(error).hint(format!("nothing was run or recorded. {hint}")))
    };
    if planned.command.trim().is_empty() {
        return refuse("the experiment has no command", "Give one with --command");
    }
    if planned.expects.is_empty() {
        return refuse(
            "it is not said what the command shows",
            "Add --expect-exit STATUS (or fails, hangs), --expect-output TEXT or --expect-no-output TEXT: what would be seen if the claim is true, and not otherwise",
        );
    }
    if planned.at_least == 0 || planned.at_least > planned.runs {
        return refuse(
            "--at-least is more than the runs, or nothing",
            "Say in how many of --runs it has to be seen",
        );
    }
    Ok(())
}

fn run_once(executor: &dyn Executor, job: &Job, planned: &PlannedExperiment) -> Result<SeenRun> {
    let (ended, printed) = executor.run_job(job)?;
    let end = match ended.how {
        CommandEnd::Exited(status) => RunEnd::Status(status),
        CommandEnd::Signalled(signal) => RunEnd::Signal(signal),
        CommandEnd::TimedOut => RunEnd::TimedOut,
        CommandEnd::Flooded => {
            return Err(Failure::usage("the command prints more than is kept")
                .hint("nothing was recorded. Let it print what matters alone"));
        }
        CommandEnd::NotConfined(error) => return Err(explain_no_sandbox(&error)),
        CommandEnd::NotStarted(error) | CommandEnd::NotShown(error) => {
            return Err(
                Failure::usage(format!("the command could not be started: {error}"))
                    .hint("nothing was recorded"),
            );
        }
        CommandEnd::Cancelled => {
            return Err(Failure::new(FailureKind::Interrupted, "interrupted"));
        }
    };
    let CommandOutput { stdout, stderr } = &printed;
    let [stdout, stderr] = [stdout, stderr].map(|bytes| cut_middle(bytes, MOST_KEPT));
    let [stdout, stderr] = [&stdout, &stderr].map(|bytes| String::from_utf8_lossy(bytes));
    let said = make_excerpt(&stderr, &stdout);
    let printed = format!("{stdout}{stderr}");
    if let RunEnd::Status(status) = end
        && NOT_FOUND.contains(&status)
        && planned.expects.exit != u8::try_from(status).ok().map(ExpectedEnd::Status)
    {
        return Err(Failure::usage(format!(
            "the command, or one that it calls, was not found or could not be started (exit status {status}): {}",
            escape_text(&said)
        ))
        .hint("nothing was recorded. The command runs in a copy of what git tracks or would track, without `.git`"));
    }
    let is_met = planned.expects.is_met(end, &printed);
    Ok(SeenRun {
        end,
        printed,
        said,
        is_met,
    })
}

/// The refusal of a command that does not show what it should.
fn refuse_experiment(experiment: &Experiment) -> Failure {
    let wanted = if experiment.runs == 1 {
        String::new()
    } else {
        let Experiment {
            met,
            runs,
            at_least,
            ..
        } = experiment;
        format!(
            " in {met} of {}, and at least {at_least} were asked for",
            format_count(*runs, "run")
        )
    };
    let said = match experiment.said.trim() {
        "" => "it printed nothing".to_owned(),
        said => format!("it printed: {}", escape_text(said)),
    };
    Failure::usage(format!(
        "the command does not show it: expected: {}{wanted}; seen: {}; {said}",
        experiment.expects, experiment.ended
    ))
    .hint("nothing was recorded. What was seen may speak against the hypothesis, or the command does not test it")
}

fn explain_no_sandbox(error: &str) -> Failure {
    Failure::environment(format!("the sandbox for experiments cannot be closed: {error}")).hint(
        format!("nothing was run: {SANDBOX_NEEDS}. Without one, `autoresearch experiment` with the same words runs the command outside of a sandbox; a person says yes to that call. A place in a file needs no sandbox: --at PATH:LINE --quote TEXT"),
    )
}
