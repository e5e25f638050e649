//! Owns the way from a confirmed cause to a fix: the experiment that showed it becomes verify.
//! Does not start a run.
//! Invariant: what is measured is the command that the tool saw fail, and the config that is written passes the check.

use std::fmt;

use autoresearch_core::ledger::debug::DebugLedger;
use autoresearch_core::ledger::evidence::{Evidence, ExpectedEnd, Experiment};
use autoresearch_core::ledger::hypothesis::Outcome;
use autoresearch_core::scan::{Aim, Candidate};
use autoresearch_core::shell::quote::quote_word;
use autoresearch_sys::env::World;
use autoresearch_sys::error::{Failure, Result};
use autoresearch_sys::store::Access;
use serde::Serialize;
use serde_json::json;

use super::scene::SearchScene;
use super::search::WantedSearch;
use crate::run::place::Place;
use crate::scan::{refuse_written_config, survey_repository, write_candidate};

/// So often a reproduction runs in a measurement: a failure that comes now and then has to be met.
const FEWEST: u32 = 2;
const MOST: u32 = 100;

/// The answer of `debug fix`.
#[derive(Clone, Debug, Serialize)]
pub struct FixReport {
    pub search: String,
    pub file: String,
    /// What verify runs.
    pub command: String,
    pub next: String,
}

/// Writes autoresearch.yaml of mode fix for the cause that is confirmed. `scope` are patterns of what a trial may change; the
/// files of the evidence otherwise.
pub fn write_fix(world: &World, place: &Place, scope: &[String]) -> Result<FixReport> {
    refuse_written_config(world, place)?;
    let scene = SearchScene::open(world, place)?;
    let (store, ledger) = scene.find_search(WantedSearch::Latest, Access::Read, "debug fix")?;
    let (experiment, files) = find_reproduction(&ledger)?;
    let scope = if scope.is_empty() { &files } else { scope };
    if scope.is_empty() {
        return Err(
            Failure::usage("it is not known which files the fix may change")
                .hint("nothing was written. Name them: autoresearch debug fix --scope 'src/**'"),
        );
    }
    let command = write_reproduction(experiment)?;
    let candidate = make_candidate(&ledger, experiment, (&command, scope));
    let scanned = survey_repository(
        world,
        &Place {
            run: None,
            ..place.clone()
        },
        "",
    )?;
    let written = write_candidate(world, place, &scanned, (candidate, "debug fix"))?;
    Ok(FixReport {
        search: store.layout.run.clone(),
        file: written.file,
        command,
        next: written.next,
    })
}

/// The experiment that showed the cause, and the files in which it lies.
fn find_reproduction(ledger: &DebugLedger) -> Result<(&Experiment, Vec<String>)> {
    let cause = ledger.find_cause().ok_or_else(|| {
        Failure::usage("no cause is confirmed")
            .hint("nothing was written. `autoresearch debug status` says what is next")
    })?;
    let results = cause.results.iter();
    let confirmed = results.filter(|result| result.outcome == Outcome::Confirmed);
    let evidence: Vec<&Evidence> = confirmed.flat_map(|result| &result.evidence).collect();
    let mut files: Vec<String> = Vec::new();
    for evidence in &evidence {
        if let Evidence::Place(place) = evidence
            && !files.contains(&place.path)
        {
            files.push(place.path.clone());
        }
    }
    let experiment = evidence.iter().find_map(|evidence| match evidence {
        Evidence::Experiment(experiment) => Some(&**experiment),
        Evidence::Place(_) => None,
    });
    let experiment = experiment.ok_or_else(|| {
        Failure::usage("the cause was confirmed by reading alone: no command shows it")
            .hint("nothing was written. Fix it by hand with a test that fails first, or write a config: autoresearch config example failing-tests")
    })?;
    Ok((experiment, files))
}

/// A command that fails as long as the fault is there.
fn write_reproduction(experiment: &Experiment) -> Result<String> {
    let (command, expects) = (&experiment.command, &experiment.expects);
    let fails = matches!(
        expects.exit,
        Some(ExpectedEnd::Fails | ExpectedEnd::Hangs | ExpectedEnd::Status(1..))
    );
    match &expects.prints {
        _ if fails => Ok(command.clone()),
        Some(text) => Ok(format!(
            "if ( {command} ) 2>&1 | grep -qF -- {}; then exit 1; fi",
            quote_word(text)
        )),
        None => Err(Failure::usage(
            "the command that shows the cause succeeds, so its exit status does not tell when it is fixed",
        )
        .hint("nothing was written. Confirm it with a command that fails, or that prints the fault (--expect-output)")),
    }
}

fn make_candidate(
    ledger: &DebugLedger,
    experiment: &Experiment,
    (command, scope): (&str, &[String]),
) -> Candidate {
    let symptom = &ledger.opening.subject;
    let cause = ledger.find_cause().map(|cause| &cause.hypothesis.message);
    let timeout = match experiment.expects.exit {
        Some(ExpectedEnd::Hangs) => "30s",
        _ => "10m",
    };
    let config = json!({
        "goal": format!("Fix the cause of: {symptom}"),
        "mode": "fix",
        "scope": scope,
        "metric": {"name": "failed_runs", "direction": "lower", "target": 0},
        "verify": {
            "exit_rate": command,
            "runs": experiment.runs.clamp(FEWEST, MOST),
            "timeout": timeout,
        },
    });
    Candidate {
        title: format!("Fix the cause of: {symptom}"),
        aim: Aim::FlakyTests,
        stack: String::new(),
        folder: ".".to_owned(),
        also: Vec::new(),
        reason: format!(
            "{}: {}",
            ledger.opening.name,
            cause.map_or("", String::as_str)
        ),
        today: None,
        missing: Vec::new(),
        config,
        worktree: json!({"isolation": "worktree"}),
        score: 0,
        report: None,
    }
}

impl fmt::Display for FixReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "wrote       {}", self.file)?;
        writeln!(out, "verify      {}", self.command.replace('\n', "; "))?;
        writeln!(
            out,
            "guard       none yet: add what must keep passing, such as the tests"
        )?;
        write!(out, "next: {}", self.next)
    }
}
