//! Owns one trial, from the agent's edits to the verdict and the next step.
//! Does not decide: `judge` does; does not know how things are undone or recorded.
//! Invariant: intention, effect, completion: a crash after any line converges to the same end on the next command.

mod again;
pub mod commit_contents;
pub mod measure;
pub mod moved_away;
pub mod report;
pub mod undo;
mod unmeasured;

use std::collections::BTreeSet;

use autoresearch_core::agent::caller::Reader;
pub use autoresearch_core::agent::session::TrialRequest;
use autoresearch_core::config::RepositoryHooks;
use autoresearch_core::decide::judge::{Attempt, Judge, Judgement, NextCheck, TrialOutcome};
use autoresearch_core::journal::event::{
    Close, Decision, Event, Guard, Intent, Rework, Verdict, Why,
};
use autoresearch_core::journal::state::Step;
use autoresearch_core::words::text::escape_text;

use self::again::make_intent_again;
use self::unmeasured::{leave_edits, undo_cut_short};
use crate::run::foreign_commits;
use crate::run::lessons;
use crate::run::repair::{RepairResult, end_if_due, repair_run};
use crate::run::session;
use crate::run::work_tree_check;
use crate::run::{Place, Run, WantedRun};
use crate::trial::measure::Bench;
use crate::trial::moved_away::MovedWhy;
use crate::trial::report::{LeftChanges, Timings, TrialReport, trial_report};
use crate::trial::undo::{
    CommitResult, UndoResult, commit_subject, commit_trial, describe_refused, undo_trial,
};
use crate::watch::file_times;
use crate::watch::git_rules;
use crate::watch::tree_changes;
use crate::watch::tree_changes::TreeChanges;
use crate::watch::unseen_files;
use crate::watch::user_files;
use autoresearch_sys::env::{Stopwatch, World};
use autoresearch_sys::error::{Failure, FailureKind, Result};
use autoresearch_sys::git::Hooks;
use autoresearch_sys::store::{Access, TrialPhase};

/// The longest description of a trial, in characters.
const MAX_MESSAGE: usize = 500;

/// A commit under test.
struct Candidate {
    intent: Intent,
    commit: String,
    tree: String,
    simplifies: bool,
}

/// What was found out about a candidate.
struct TrialFinding {
    judgement: Judgement,
    left_files: Vec<String>,
}

/// Runs one trial on the edits in the work tree.
pub fn run_trial(world: &World, place: &Place, request: &TrialRequest) -> Result<TrialReport> {
    let watch = Stopwatch::start();
    let (mut run, repaired) = open_and_repair(world, place, "trial")?;
    refuse_lost_edits(&mut run, repaired)?;
    let intent = make_intent(&run, request)?;
    run.check_space()?;
    let changes = find_changes(&run)?;
    run.admit_secrets()?;
    let base = run.store.state.head.clone();
    let (mut timings, mut notes) = (Timings::default(), Vec::new());
    let decided = match attempt_trial(&mut run, &intent, &changes, &mut timings, &mut notes) {
        Err(failure) if failure.kind == FailureKind::Interrupted => {
            return Err(undo_cut_short(&mut run, failure));
        }
        other => other?,
    };
    let undone = match &decided {
        Some(decided) => close_trial(&mut run, decided)?,
        None => None,
    };
    run.store.write_views()?;
    timings.close_account(watch.elapsed(), run.tree.git.time_spent());
    let files = list_trial_files(&run, &base, &changes, decided.as_ref())?;
    let report = trial_report(&run, &intent, decided.as_ref(), timings)
        .with_undone(undone)
        .with_notes(notes)
        .with_files(&files);
    Ok(if report.is_void() {
        report.with_left_changes(find_left_changes(&run)?)
    } else if report.verdict == Verdict::NoOp.as_str() && run.caller.reader == Reader::Person {
        report.with_note(
            "no file in the scope was changed: nothing was measured, and nothing was logged",
        )
    } else {
        report
    })
}

/// What a void trial has left in the work tree, and what would void the next one too.
fn find_left_changes(run: &Run<'_>) -> Result<LeftChanges> {
    let after = tree_changes::read_changes_and_rules(&run.tree, &run.store.state)?;
    let edits = !after.ours.is_empty();
    let names = [
        after.protected,
        after.hiding,
        after.rewriting,
        after.unsupported,
        after.outside,
    ];
    Ok(LeftChanges {
        edits,
        others: names.concat(),
    })
}

/// Whose are the changes, and what is there that no commit would hold?
fn find_changes(run: &Run<'_>) -> Result<TreeChanges> {
    let moved = foreign_commits::take_back_head(&run.tree, &run.store.state)?;
    tree_changes::check_head(&run.tree, &run.store.state)?;
    let mut changes = tree_changes::read_changes_and_rules(&run.tree, &run.store.state)?;
    changes.moved = moved;
    changes.outside.extend(user_files::list_touched(
        &run.tree,
        &run.store.state.left_files,
    )?);
    let strange =
        unseen_files::compare_unseen(&run.tree, run.store.state.config(), &changes.ignored)?;
    let named = |name: String| {
        format!("{name} (ignored by git, and there before the run; taken as it is from now on)")
    };
    changes
        .outside
        .extend(strange.changed.into_iter().map(named));
    changes.unseen = strange.new;
    Ok(changes)
}

/// Puts aside what git ignores and nobody knows.
fn move_unseen_away(
    run: &Run<'_>,
    trial: u32,
    changes: &TreeChanges,
    notes: &mut Vec<String>,
) -> Result<()> {
    let moved = moved_away::move_away(&run.tree, trial, &changes.unseen, MovedWhy::Unseen)?;
    notes.extend(moved.iter().map(ToString::to_string));
    Ok(())
}

/// Gives up what is in the work tree or awaits a rework: it is taken back, and stays reachable.
pub fn drop_changes(world: &World, place: &Place) -> Result<TrialReport> {
    let mut run = open_active_run(world, place, "trial --drop")?;
    tree_changes::check_head(&run.tree, &run.store.state)?;
    let Some(rework) = run.store.state.awaiting_rework().cloned() else {
        return crate::finish::discard_edits(&mut run);
    };
    let Some(open_trial) = run.store.state.open_trial.clone() else {
        return Err(Failure::usage("no trial awaits a rework"));
    };
    let (decided, undone) = discard_rework(&mut run, &open_trial.intent, &rework)?;
    run.store.write_views()?;
    let report = trial_report(&run, &open_trial.intent, Some(&decided), Timings::default());
    let files = run
        .tree
        .history
        .changed_paths(&run.store.state.head, &rework.commit)?;
    Ok(report.with_undone(undone).with_files(&files))
}

/// Discards the trial that awaits a rework: first the verdict, then the undoing.
pub fn discard_rework(
    run: &mut Run<'_>,
    intent: &Intent,
    rework: &Rework,
) -> Result<(Decision, Option<UndoResult>)> {
    let before = &run.store.state.incumbent.measurement.value;
    let decided = Decision {
        delta: Some(&rework.measurement.value - before),
        measurement: Some(rework.measurement.clone()),
        guard: Guard::Fail,
        guard_retries: rework.guard_retries,
        commit: Some(rework.commit.clone()),
        ..Decision::without_measurement(intent, Verdict::Discard, Some(Why::Dropped))
    };
    run.store
        .record_event(Event::Verdict(Box::new(decided.clone())))?;
    let undone = close_trial(run, &decided)?;
    Ok((decided, undone))
}

/// Opens a run that has not ended, and repairs what a crash left.
pub fn open_active_run<'w>(world: &'w World, place: &Place, command: &str) -> Result<Run<'w>> {
    open_and_repair(world, place, command).map(|(run, _)| run)
}

/// The edits that a caller wants measured may be those that a repair has just taken back with an interrupted trial.
fn refuse_lost_edits(run: &mut Run<'_>, repaired: RepairResult) -> Result<()> {
    let Some(commit) = repaired.taken_back else {
        return Ok(());
    };
    run.store.write_views()?;
    let commit = autoresearch_core::words::text::shorten_hash(&commit);
    Err(Failure::usage("the last trial was cut short; it was undone now, with all edits in the scope, and does not count")
        .hint(format!("nothing was measured. The edits are in commit {commit} (`git show {commit}`): make them again, then run the trial")))
}

fn open_and_repair<'w>(
    world: &'w World,
    place: &Place,
    command: &str,
) -> Result<(Run<'w>, RepairResult)> {
    session::refuse_confined(world, || {
        let run = Run::open_run(world, place, WantedRun::Active, Access::Read, command)?;
        Ok(run.next_step_meanwhile().1)
    })?;
    let mut run = Run::open_run(world, place, WantedRun::Active, Access::Write, command)?;
    run.check_repository()?;
    session::refuse_paused(&run)?;
    work_tree_check::check_branch_alone(&run.tree)?;
    let repaired = repair_run(&mut run)?;
    session::claim_run(&run);
    if let Some(ending) = run.store.state.end.clone() {
        run.store.write_views()?;
        return Err(Failure::usage(format!(
            "the run `{}` has ended: {} ({})",
            run.store.layout.run,
            ending.end.as_str(),
            escape_text(&ending.why)
        ))
        .hint(if ending.end.is_ceiling() && run.caller.reader == Reader::Person {
            "`autoresearch raise` sets a higher limit, and the run goes on; `autoresearch finish` goes back to your branch"
        } else {
            "`autoresearch finish` goes back to your branch; `autoresearch start` starts a new run"
        }));
    }
    Ok((run, repaired))
}

/// The intention, if the run's state allows it.
pub fn make_intent(run: &Run<'_>, request: &TrialRequest) -> Result<Intent> {
    let state = &run.store.state;
    let program = &run.caller.program;
    let message = request.message.trim();
    if request.again {
        return make_intent_again(state, program);
    }
    if message.is_empty() {
        return Err(Failure::usage("the message is empty")
            .hint("say what you changed: -m \"what you changed\""));
    }
    let (trial, attempt) = match (state.next_step(), state.awaiting_rework(), request.rework) {
        (Step::Strategy(strategy), ..) => {
            return Err(Failure::usage(format!(
                "a {} is due before the next trial",
                strategy.as_str()
            ))
            .hint(run.next_step().trim_start_matches("next: ")));
        }
        (_, Some(rework), true) => (rework.trial, rework.attempt + 1),
        (_, Some(rework), false) => {
            return Err(Failure::usage(format!("trial {} awaits a rework: its guard failed", rework.trial))
                .hint(format!("`{program} trial --rework -m MSG` measures it again, `{program} trial --drop` gives it up")));
        }
        (_, None, true) => {
            return Err(Failure::usage("no trial awaits a rework").hint("leave out --rework"));
        }
        (_, None, false) => (state.next_trial, 0),
    };
    let told = match &state.open_trial {
        Some(open_trial) => format!("{}; rework: {message}", open_trial.intent.message),
        None => message.to_owned(),
    };
    Ok(Intent {
        trial,
        attempt,
        message: autoresearch_core::words::text::clip_text(&told, MAX_MESSAGE),
        labels: request.labels.clone(),
        simplify: request.simplify,
        parent: state.expected_head().unwrap_or(&state.head).to_owned(),
        again: false,
    })
}

/// Commits and measures. `None` when the trial now awaits a rework.
fn attempt_trial(
    run: &mut Run<'_>,
    intent: &Intent,
    changes: &TreeChanges,
    timings: &mut Timings,
    notes: &mut Vec<String>,
) -> Result<Option<Decision>> {
    if let Some(why) = changes.find_void_why() {
        let decided = record_void(run, intent, changes, why)?;
        user_files::update_notes(&run.tree, &run.store.state.left_files, &[])?;
        unseen_files::accept_changed(&run.tree)?;
        return Ok(Some(decided));
    }
    if intent.again {
        if !changes.ours.is_empty() {
            return Err(
                Failure::usage("files in the scope were changed since the guard failed")
                    .hint("`--again` measures what was measured: use --rework, with a message"),
            );
        }
        run.store.record_event(Event::Intent(intent.clone()))?;
        let candidate = make_candidate(run, intent, intent.parent.clone())?;
        let finding = examine_candidate(run, &candidate, timings)?;
        return record_verdict(run, candidate, finding);
    }
    if changes.ours.is_empty() {
        if intent.attempt > 0 {
            return Err(Failure::usage("nothing was changed since the guard failed")
                .hint("mend it first, or give it up: autoresearch trial --drop. If the guard fails now and then without a cause, autoresearch trial --again measures the same once more"));
        }
        move_unseen_away(run, intent.trial, changes, notes)?;
        let decided =
            Decision::without_measurement(intent, Verdict::NoOp, Some(Why::NothingChanged));
        if run.caller.reader == Reader::Person {
            // Only an agent has to learn that a trial without a change leads nowhere.
            return Ok(Some(decided));
        }
        run.store
            .record_event(Event::Verdict(Box::new(decided.clone())))?;
        return Ok(Some(decided));
    }
    run.store
        .write_phase_note(intent.trial, TrialPhase::Committing);
    run.store.record_event(Event::Intent(intent.clone()))?;
    move_unseen_away(run, intent.trial, changes, notes)?;
    let candidate = match commit_edits(run, intent, changes, notes) {
        Err(failure) => return Err(leave_edits(run, intent, failure)),
        Ok(Ok(candidate)) => candidate,
        Ok(Err(why)) => {
            let decided = Decision::without_measurement(intent, Verdict::Discard, Some(why));
            run.store
                .record_event(Event::Verdict(Box::new(decided.clone())))?;
            return Ok(Some(decided));
        }
    };
    let finding = examine_candidate(run, &candidate, timings)?;
    record_verdict(run, candidate, finding)
}

/// Records a trial that is void before it is measured.
fn record_void(
    run: &mut Run<'_>,
    intent: &Intent,
    changes: &TreeChanges,
    why: Why,
) -> Result<Decision> {
    if !changes.rewriting.is_empty() {
        // git would undo the edits by other rules than those of the start: they stay as they are.
        if run.store.state.open_trial.is_some() {
            git_rules::refuse_other_rules(&changes.rewriting)?;
        }
        let decided = Decision::without_measurement(intent, Verdict::Discard, Some(why));
        run.store
            .record_event(Event::Verdict(Box::new(decided.clone())))?;
        return Ok(decided);
    }
    let own = run.tree.is_own && !changes.foreign.is_empty();
    if !changes.ours.is_empty() || own || run.store.state.open_trial.is_some() {
        run.store.record_event(Event::Intent(intent.clone()))?;
    }
    let decided = Decision::without_measurement(intent, Verdict::Discard, Some(why));
    run.store
        .record_event(Event::Verdict(Box::new(decided.clone())))?;
    Ok(decided)
}

/// Commits exactly the paths in scope, and makes sure that nothing else got in.
fn commit_edits(
    run: &Run<'_>,
    intent: &Intent,
    changes: &TreeChanges,
    notes: &mut Vec<String>,
) -> Result<Result<Candidate, Why>> {
    let hooks = match run.store.state.config().repository_hooks {
        RepositoryHooks::Bypass => Hooks::Bypass,
        RepositoryHooks::Run => Hooks::Run,
    };
    file_times::advance_times(&run.tree, &run.store.state, &changes.ours);
    let commit = match commit_trial(
        &run.tree,
        changes,
        intent.trial,
        &commit_subject(&intent.message),
        hooks,
    )? {
        CommitResult::Made(commit) => commit,
        CommitResult::Refused(words) => return Ok(Err(Why::HookRefused(words))),
        CommitResult::NotTaken(refused) => {
            return Ok(Err(Why::Unsupported(
                refused.iter().map(describe_refused).collect(),
            )));
        }
    };
    let paths = run.tree.history.changed_paths(&intent.parent, &commit)?;
    if paths.is_empty() {
        return Ok(Err(Why::NothingChanged));
    }
    let ours: BTreeSet<&Vec<u8>> = changes.ours.iter().collect();
    let strangers: Vec<String> = paths
        .iter()
        .filter(|path| !ours.contains(path))
        .map(|path| escape_text(&String::from_utf8_lossy(path)))
        .collect();
    if !strangers.is_empty() {
        return Ok(Err(Why::OutOfScope(strangers)));
    }
    let likeness = commit_contents::compare_with_commit(
        &run.tree,
        run.store.state.config(),
        &commit,
        &paths,
        hooks,
    )?;
    notes.extend(likeness.notes);
    if let Some(why) = likeness.why {
        return Ok(Err(why));
    }
    make_candidate(run, intent, commit).map(Ok)
}

/// A commit with what the judge wants to know of it.
fn make_candidate(run: &Run<'_>, intent: &Intent, commit: String) -> Result<Candidate> {
    let simplifies = intent.simplify && {
        let size = run
            .tree
            .history
            .count_changed_lines(&run.store.state.head, &commit)?;
        size.removed > size.added
    };
    let tree = run.tree.history.tree_of(&commit)?;
    Ok(Candidate {
        intent: intent.clone(),
        commit,
        tree,
        simplifies,
    })
}

/// Runs verify and guard as the judge asks, and looks at the tree afterwards.
fn examine_candidate(
    run: &Run<'_>,
    candidate: &Candidate,
    timings: &mut Timings,
) -> Result<TrialFinding> {
    let state = &run.store.state;
    let config = state.config();
    let intent = &candidate.intent;
    let attempt = Attempt {
        labels: intent.labels.clone(),
        simplifies: candidate.simplifies,
        number: intent.attempt,
    };
    let prefix = if intent.attempt == 0 {
        String::new()
    } else {
        format!("rework-{}-", intent.attempt)
    };
    let mut bench = Bench::new(
        run.world,
        run.tree.path(),
        &run.env,
        run.store.layout.make_trial_folder(intent.trial)?,
        &prefix,
    );
    bench.most = config.outputs.file_bytes();
    bench.reading.clone_from(&state.start.reading);
    let mut judge = Judge::new(config, &state.incumbent, state.noise, attempt)
        .with_measured_range(Some(&state.seen));
    run.tree.notes.mark_measuring(true)?;
    run_checks(run, intent.trial, &mut bench, &mut judge)?;
    timings.take_from_bench(&bench);
    run.store.bound_outputs(intent.trial, config.outputs)?;
    run.store
        .write_phase_note(intent.trial, TrialPhase::Deciding);
    if tree_changes::check_branch_checked_out(&run.tree)? != candidate.commit {
        return Err(Failure::blocked("HEAD was moved while verify or guard ran")
            .hint("nothing was recorded. Put foreign commits on a branch of their own, then run `autoresearch resume`"));
    }
    let keep = |judged: Judgement| judged.outcome == TrialOutcome::Keep;
    let (changed, left_files) =
        find_changes_after(run, intent.trial, judge.to_judgement().is_some_and(keep))?;
    if !changed.is_empty() {
        judge.void_trial(Why::ChangedDuringVerify(changed));
    }
    let judgement = judge
        .to_judgement()
        .ok_or_else(|| Failure::new(FailureKind::Internal, "the judge came to no end"))?;
    Ok(TrialFinding {
        judgement,
        left_files,
    })
}

/// Runs verify and guard until the judge has seen enough.
fn run_checks(run: &Run<'_>, trial: u32, bench: &mut Bench<'_>, judge: &mut Judge) -> Result<()> {
    let config = run.store.state.config();
    loop {
        match (judge.next_check(), &config.guard) {
            (NextCheck::Verify, _) => {
                run.store
                    .write_phase_note(trial, TrialPhase::Verify(bench.runs + 1));
                (run.world.step)("verify");
                judge.record_verify(bench.run_verify(config)?);
            }
            (NextCheck::Guard, Some(guard)) => {
                run.store.write_phase_note(trial, TrialPhase::Guard);
                (run.world.step)("guard");
                judge.record_guard(bench.run_guard(guard)?);
            }
            (NextCheck::Done, _) | (NextCheck::Guard, None) => return Ok(()),
        }
    }
}

/// The files that changed while verify and guard ran, and the untracked files that these left. Before a keep git's own
/// rules are compared once more.
fn find_changes_after(run: &Run<'_>, trial: u32, keep: bool) -> Result<(Vec<String>, Vec<String>)> {
    (run.world.step)("look after");
    let mut after = if keep {
        tree_changes::read_changes_and_rules(&run.tree, &run.store.state)?
    } else {
        tree_changes::read_changes(&run.tree, &run.store.state)?
    };
    after.forgive_outside(run.tree.is_own);
    if run.tree.is_own && !after.tracked_outside.is_empty() {
        let outside = after
            .tracked_outside
            .iter()
            .map(|path| moved_away::as_path(path));
        let outside: Vec<&std::path::Path> = outside.collect();
        let known = outside.iter().map(|path| (*path).to_owned()).collect();
        let way = moved_away::find_foreign_files(run.tree.path(), &outside, &known);
        let moved = moved_away::move_away(&run.tree, trial, &way, MovedWhy::InTheWay)?;
        let places = moved.into_iter().map(|aside| aside.place);
        after.untracked_outside.extend(places);
        run.tree.git.restore_from_index(&after.tracked_outside)?;
        file_times::renew_times(&run.tree, &run.store.state, &after.tracked_outside);
        after.tracked_outside.clear();
    }
    let text = |path: &Vec<u8>| escape_text(&String::from_utf8_lossy(path));
    let mut changed: Vec<String> = after.ours.iter().map(text).collect();
    changed.extend(after.tracked_outside.iter().map(text));
    let more = [
        after.protected,
        after.unsupported,
        after.hiding,
        after.rewriting,
    ];
    changed.extend(more.into_iter().flatten());
    changed.extend(user_files::list_disturbed(
        &run.tree,
        &run.store.state.left_files,
    )?);
    user_files::update_notes(
        &run.tree,
        &run.store.state.left_files,
        &after.untracked_outside,
    )?;
    unseen_files::note_unseen(&run.tree, run.store.state.config(), &after.ignored)?;
    Ok((changed, after.untracked_outside))
}

/// Records the verdict, or that the trial awaits a rework.
fn record_verdict(
    run: &mut Run<'_>,
    candidate: Candidate,
    finding: TrialFinding,
) -> Result<Option<Decision>> {
    let Candidate {
        intent,
        commit,
        tree,
        ..
    } = candidate;
    let TrialFinding {
        judgement,
        left_files,
    } = finding;
    let (verdict, why) = match (judgement.outcome, judgement.measurement.clone()) {
        (TrialOutcome::Rework(why), Some(measurement)) => {
            run.store.record_event(Event::Rework(Rework {
                trial: intent.trial,
                attempt: intent.attempt,
                commit,
                measurement,
                why,
                left_files,
                guard_retries: judgement.guard_retries,
            }))?;
            return Ok(None);
        }
        (TrialOutcome::Keep, _) => (Verdict::Keep, None),
        (TrialOutcome::Discard(why) | TrialOutcome::Rework(why), _) => {
            (Verdict::Discard, Some(why))
        }
        (TrialOutcome::Crash(why), _) => (Verdict::Crash, Some(why)),
    };
    let before = &run.store.state.incumbent.measurement.value;
    let decided = Decision {
        delta: judgement
            .measurement
            .as_ref()
            .map(|measurement| &measurement.value - before),
        measurement: judgement.measurement,
        samples: judgement.samples,
        guard: judgement.guard,
        jump: judgement.jump,
        guard_retries: judgement.guard_retries,
        commit: Some(commit),
        tree: Some(tree),
        left_files,
        ..Decision::without_measurement(&intent, verdict, why)
    };
    run.store
        .record_event(Event::Verdict(Box::new(decided.clone())))?;
    Ok(Some(decided))
}

/// Undoes what was not kept, closes the trial, adds the lesson, and ends the run if it has come to an end.
/// Returns what the undoing left.
fn close_trial(run: &mut Run<'_>, decided: &Decision) -> Result<Option<UndoResult>> {
    let mut undone = None;
    if run.store.state.open_trial.is_some() {
        run.store
            .write_phase_note(decided.trial, TrialPhase::Undoing);
        let done = undo_trial(
            &run.tree,
            &run.store.state,
            decided.trial,
            &decided.message,
            None,
        )?;
        run.store.record_event(Event::Close(Close {
            trial: decided.trial,
            head: done.head.clone(),
        }))?;
        undone = Some(done);
    }
    if decided.verdict == Verdict::Keep {
        (run.world.step)("lesson");
        lessons::add_keep_lesson(run, decided);
    }
    end_if_due(run)?;
    Ok(undone)
}

/// The files that a trial changed: those of its commit, with its earlier attempts, or else the edits that came to nothing.
fn list_trial_files(
    run: &Run<'_>,
    base: &str,
    changes: &TreeChanges,
    decided: Option<&Decision>,
) -> Result<Vec<Vec<u8>>> {
    let commit = match decided {
        Some(decided) => decided.commit.clone(),
        None => run
            .store
            .state
            .awaiting_rework()
            .map(|rework| rework.commit.clone()),
    };
    match commit {
        Some(commit) => Ok(run.tree.history.changed_paths(base, &commit)?),
        None => Ok(changes.ours.clone()),
    }
}
