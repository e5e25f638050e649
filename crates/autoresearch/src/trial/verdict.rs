//! Owns the verdict on a trial: what is recorded of an attempt, and the close that follows.
//! Does not measure, and does not decide what is better: `judge` does.
//! Invariant: nobody else writes a verdict; one that does not keep is followed by the undoing and a close.

use autoresearch_core::agent::caller::Reader;
use autoresearch_core::decide::judge::TrialOutcome;
use autoresearch_core::git_names::CommitId;
use autoresearch_core::journal::event::{
    Decision, Event, Guard, Intent, Rework, Suspicion, Verdict, Why,
};

use crate::run::Run;
use crate::run::lessons;
use crate::run::ready::Ready;
use crate::run::repair::end_if_due;
use crate::run::tree::Tree;
use crate::trial::attempt::{Attempted, MeasuredCommit};
use crate::trial::kept_commit::{METRIC, SUSPECT, name_facts};
use crate::trial::undo::{UndoResult, undo_trial};
use crate::watch::unseen_files;
use crate::watch::user_files;
use autoresearch_sys::error::Result;
use autoresearch_sys::store::TrialPhase;

/// What became of a trial.
pub enum Decided {
    /// It has a verdict.
    Verdict(Box<Decision>),
    /// The metric improved and the guard failed: it waits for a rework.
    Rework(Box<Rework>),
}

impl Decided {
    /// The verdict; none while a rework is awaited.
    #[must_use]
    pub fn verdict(&self) -> Option<Verdict> {
        match self {
            Self::Verdict(decision) => Some(decision.verdict),
            Self::Rework(_) => None,
        }
    }

    /// Why it is not a keep.
    #[must_use]
    pub fn why(&self) -> Option<&Why> {
        match self {
            Self::Verdict(decision) => decision.why.as_ref(),
            Self::Rework(rework) => Some(&rework.why),
        }
    }

    /// Was what stood in the work tree not a change of exactly the files in the scope?
    #[must_use]
    pub fn is_void(&self) -> bool {
        self.why().is_some_and(Why::is_void)
    }

    /// The commit that was measured.
    #[must_use]
    pub fn commit(&self) -> Option<&CommitId> {
        match self {
            Self::Verdict(decision) => decision.commit.as_ref(),
            Self::Rework(rework) => Some(&rework.commit),
        }
    }
}

/// Records what came of an attempt: the verdict, or that the trial waits for a rework.
pub fn decide_trial(
    Ready { run, tree, .. }: &mut Ready<'_>,
    intent: &Intent,
    attempted: Attempted,
) -> Result<Decided> {
    let without = |verdict, why| Decision::without_measurement(intent, verdict, Some(why));
    match attempted {
        Attempted::Void(why) => {
            let decided = record_verdict(run, without(Verdict::Discard, why))?;
            let left_files = &run.store.state.left_files;
            user_files::update_notes(tree, left_files, &[])?;
            unseen_files::accept_changed(tree)?;
            Ok(decided)
        }
        Attempted::NoOp => {
            let decision = without(Verdict::NoOp, Why::NothingChanged);
            // Only an agent has to learn that a trial without a change leads nowhere.
            if run.caller.reader == Reader::Person {
                return Ok(Decided::Verdict(Box::new(decision)));
            }
            record_verdict(run, decision)
        }
        Attempted::Refused(why) => record_verdict(run, without(Verdict::Discard, why)),
        Attempted::Measured(measured) => decide_measured(run, tree, intent, *measured),
    }
}

fn decide_measured(
    run: &mut Run<'_>,
    tree: &Tree<'_>,
    intent: &Intent,
    measured: MeasuredCommit,
) -> Result<Decided> {
    let MeasuredCommit {
        mut commit,
        tree: held,
        judgement,
        left_files,
        verify_runs,
    } = measured;
    let outputs = run.store.state.config().outputs;
    run.store.bound_outputs(intent.trial, outputs)?;
    let (verdict, why) = match (judgement.outcome, judgement.measurement.clone()) {
        (TrialOutcome::Rework(why), Some(measurement)) => {
            let rework = Rework {
                trial: intent.trial,
                attempt: intent.attempt,
                commit,
                measurement,
                why,
                left_files,
                guard_retries: judgement.guard_retries,
                verify_runs: Some(verify_runs),
                runs: judgement.runs,
                cases: judgement.cases,
            };
            run.store.record_event(Event::Rework(rework.clone()))?;
            return Ok(Decided::Rework(Box::new(rework)));
        }
        (TrialOutcome::Keep, _) => (Verdict::Keep, None),
        (TrialOutcome::Discard(why) | TrialOutcome::Rework(why), _) => {
            (Verdict::Discard, Some(why))
        }
        (TrialOutcome::Crash(why), _) => (Verdict::Crash, Some(why)),
    };
    let before = &run.store.state.incumbent.measurement.value;
    if let (Verdict::Keep, Some(measurement)) = (verdict, &judgement.measurement) {
        let unit = run.store.state.metric_unit();
        let change = unit.format_change(before, &measurement.value);
        let facts = list_facts(change, &judgement.suspects);
        commit = name_facts(tree, intent.trial, commit, &facts)?;
    }
    let decision = Decision {
        delta: judgement
            .measurement
            .as_ref()
            .map(|measurement| &measurement.value - before),
        measurement: judgement.measurement,
        samples: judgement.samples,
        guard: judgement.guard,
        jump: judgement.jump,
        guard_retries: judgement.guard_retries,
        suspects: judgement.suspects,
        runs: judgement.runs,
        gain: judgement.gain,
        cases: judgement.cases,
        commit: Some(commit),
        tree: Some(held),
        left_files,
        verify_runs: Some(verify_runs),
        ..Decision::without_measurement(intent, verdict, why)
    };
    record_verdict(run, decision)
}

/// What the message of a kept commit says of it.
fn list_facts(change: String, suspects: &[Suspicion]) -> Vec<(&'static str, String)> {
    let suspects = suspects.iter().map(|place| (SUSPECT, place.to_string()));
    std::iter::once((METRIC, change)).chain(suspects).collect()
}

/// Discards the trial that waits for a rework: the verdict alone, the close follows.
pub fn discard_rework(run: &mut Run<'_>, intent: &Intent, rework: &Rework) -> Result<Decided> {
    let before = &run.store.state.incumbent.measurement.value;
    let decision = Decision {
        delta: Some(&rework.measurement.value - before),
        measurement: Some(rework.measurement.clone()),
        guard: Guard::Fail,
        guard_retries: rework.guard_retries,
        commit: Some(rework.commit.clone()),
        cases: rework.cases.clone(),
        verify_runs: Some(0),
        ..Decision::without_measurement(intent, Verdict::Discard, Some(Why::Dropped))
    };
    record_verdict(run, decision)
}

pub(crate) fn record_verdict(run: &mut Run<'_>, decision: Decision) -> Result<Decided> {
    let decision = Box::new(decision);
    run.store.record_event(Event::Verdict(decision.clone()))?;
    Ok(Decided::Verdict(decision))
}

/// Undoes what was not kept, closes the trial, adds the lesson, and ends the run if it has come to an end. Returns what the
/// undoing left. A trial that waits for a rework stays open.
pub fn close_trial(
    Ready { run, tree, .. }: &mut Ready<'_>,
    decided: &Decided,
) -> Result<Option<UndoResult>> {
    let Decided::Verdict(decision) = decided else {
        return Ok(None);
    };
    let mut undone = None;
    if run.store.state.open_trial.is_some() {
        run.store
            .write_phase_note(decision.trial, TrialPhase::Undoing);
        let state = &run.store.state;
        let done = undo_trial(tree, state, decision.trial, &decision.message, None)?;
        run.store
            .record_event(Event::Close(done.to_close(decision)))?;
        undone = Some(done);
    }
    if decision.verdict == Verdict::Keep {
        (run.world.step)("lesson");
        if decision.leaves_out.is_some() {
            lessons::add_no_gain_lesson(run, decision);
        } else {
            lessons::add_keep_lesson(run, decision);
        }
    }
    end_if_due(run)?;
    Ok(undone)
}
