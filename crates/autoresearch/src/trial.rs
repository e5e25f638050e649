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
pub use autoresearch_core::agent::session::Request;
use autoresearch_core::config::RepositoryHooks;
use autoresearch_core::decide::judge::{Attempt, Judge, Judgement, Next, Outcome};
use autoresearch_core::journal::event::{
    Close, Decided, Event, Guard, Intent, Rework, Verdict, Why,
};
use autoresearch_core::journal::state::Step;
use autoresearch_core::words::table::escape;

use self::again::intend_again;
use self::unmeasured::{cut_short, leave_edits};
use crate::run::foreign_commits;
use crate::run::lessons;
use crate::run::repair::{Repaired, end_if_due, repair};
use crate::run::session;
use crate::run::work_tree_check;
use crate::run::{Place, Run, Wanted};
use crate::trial::measure::Bench;
use crate::trial::moved_away::Whence;
use crate::trial::report::{Still, Timings, TrialReport, trial_report};
use crate::trial::undo::{Committed, Undone, commit, named, subject, undo};
use crate::watch::file_times;
use crate::watch::git_rules;
use crate::watch::tree_changes;
use crate::watch::tree_changes::Survey;
use crate::watch::unseen_files;
use crate::watch::user_files;
use autoresearch_sys::env::{Stopwatch, World};
use autoresearch_sys::error::{Failure, Kind, Result};
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
struct Finding {
    judgement: Judgement,
    droppings: Vec<String>,
}

/// Runs one trial on the edits in the work tree.
pub fn run(world: &World, place: &Place, request: &Request) -> Result<TrialReport> {
    let watch = Stopwatch::start();
    let (mut run, repaired) = opened(world, place, "trial")?;
    refuse_lost_edits(&mut run, repaired)?;
    let intent = intend(&run, request)?;
    run.check_space()?;
    let survey = look(&run)?;
    run.admit_secrets()?;
    let base = run.store.state.head.clone();
    let (mut timings, mut notes) = (Timings::default(), Vec::new());
    let decided = match attempt(&mut run, &intent, &survey, &mut timings, &mut notes) {
        Err(failure) if failure.kind == Kind::Interrupted => {
            return Err(cut_short(&mut run, failure));
        }
        other => other?,
    };
    let undone = match &decided {
        Some(decided) => conclude(&mut run, decided)?,
        None => None,
    };
    run.store.write_views()?;
    timings.close(watch.elapsed(), run.git.spent());
    let files = files(&run, &base, &survey, decided.as_ref())?;
    let report = trial_report(&run, &intent, decided.as_ref(), timings)
        .with(undone)
        .noting(notes)
        .of_files(&files);
    Ok(if report.is_void() {
        report.left(still_there(&run)?)
    } else if report.verdict == Verdict::NoOp.word() && run.caller.reader == Reader::Person {
        report
            .noted("no file in the scope was changed: nothing was measured, and nothing was logged")
    } else {
        report
    })
}

/// What a void trial has left in the work tree, and what would void the next one too.
fn still_there(run: &Run<'_>) -> Result<Still> {
    let after = tree_changes::look_behind(run)?;
    let edits = !after.ours.is_empty();
    let names = [
        after.protected,
        after.hiding,
        after.rewriting,
        after.unsupported,
        after.outside,
    ];
    Ok(Still {
        edits,
        others: names.concat(),
    })
}

/// Whose are the changes, and what is there that no commit would hold?
fn look(run: &Run<'_>) -> Result<Survey> {
    let moved = foreign_commits::take_back_head(run)?;
    tree_changes::check_head(run)?;
    let mut survey = tree_changes::look_behind(run)?;
    survey.moved = moved;
    survey.outside.extend(user_files::touched(run)?);
    let strange = unseen_files::compare(run, &survey.ignored)?;
    let named = |name: String| {
        format!("{name} (ignored by git, and there before the run; taken as it is from now on)")
    };
    survey
        .outside
        .extend(strange.changed.into_iter().map(named));
    survey.unseen = strange.new;
    Ok(survey)
}

/// Puts aside what git ignores and nobody knows.
fn put_unseen_aside(
    run: &Run<'_>,
    trial: u32,
    survey: &Survey,
    notes: &mut Vec<String>,
) -> Result<()> {
    let moved = moved_away::put_aside(run, trial, &survey.unseen, Whence::Unseen)?;
    notes.extend(moved.iter().map(ToString::to_string));
    Ok(())
}

/// Gives up what is in the work tree or awaits a rework: it is taken back, and stays reachable.
pub fn drop_changes(world: &World, place: &Place) -> Result<TrialReport> {
    let mut run = open(world, place, "trial --drop")?;
    tree_changes::check_head(&run)?;
    let Some(rework) = run.store.state.awaiting_rework().cloned() else {
        return crate::finish::discard_edits(&mut run);
    };
    let Some(flight) = run.store.state.flight.clone() else {
        return Err(Failure::usage("no trial awaits a rework"));
    };
    let (decided, undone) = give_up(&mut run, &flight.intent, &rework)?;
    run.store.write_views()?;
    let report = trial_report(&run, &flight.intent, Some(&decided), Timings::default());
    let files = run
        .history
        .changed_paths(&run.store.state.head, &rework.commit)?;
    Ok(report.with(undone).of_files(&files))
}

/// Discards the trial that awaits a rework: first the verdict, then the undoing.
pub fn give_up(
    run: &mut Run<'_>,
    intent: &Intent,
    rework: &Rework,
) -> Result<(Decided, Option<Undone>)> {
    let before = &run.store.state.incumbent.measurement.value;
    let decided = Decided {
        delta: Some(&rework.measurement.value - before),
        measurement: Some(rework.measurement.clone()),
        guard: Guard::Fail,
        guard_retries: rework.guard_retries,
        commit: Some(rework.commit.clone()),
        ..Decided::bare(intent, Verdict::Discard, Some(Why::Dropped))
    };
    run.store
        .record(Event::Verdict(Box::new(decided.clone())))?;
    let undone = conclude(run, &decided)?;
    Ok((decided, undone))
}

/// Opens a run that has not ended, and repairs what a crash left.
pub fn open<'w>(world: &'w World, place: &Place, command: &str) -> Result<Run<'w>> {
    opened(world, place, command).map(|(run, _)| run)
}

/// The edits that a caller wants measured may be those that a repair has just taken back with an interrupted trial.
fn refuse_lost_edits(run: &mut Run<'_>, repaired: Repaired) -> Result<()> {
    let Some(commit) = repaired.taken_back else {
        return Ok(());
    };
    run.store.write_views()?;
    let commit = autoresearch_core::words::table::short(&commit);
    Err(Failure::usage("the last trial was cut short; it was undone now, with all edits in the scope, and does not count")
        .hint(format!("nothing was measured. The edits are in commit {commit} (`git show {commit}`): make them again, then run the trial")))
}

fn opened<'w>(world: &'w World, place: &Place, command: &str) -> Result<(Run<'w>, Repaired)> {
    session::refuse_confined(world, || {
        let run = Run::open(world, place, Wanted::Active, Access::Read, command)?;
        Ok(run.next_meanwhile().1)
    })?;
    let mut run = Run::open(world, place, Wanted::Active, Access::Write, command)?;
    run.check_ground()?;
    session::refuse_paused(&run)?;
    work_tree_check::check_branch_alone(&run)?;
    let repaired = repair(&mut run)?;
    session::claim(&run);
    if let Some(ending) = run.store.state.end.clone() {
        run.store.write_views()?;
        return Err(Failure::usage(format!(
            "the run `{}` has ended: {} ({})",
            run.store.layout.run,
            ending.end.word(),
            escape(&ending.why)
        ))
        .hint(if ending.end.is_ceiling() && run.caller.reader == Reader::Person {
            "`autoresearch raise` sets a higher limit, and the run goes on; `autoresearch finish` goes back to your branch"
        } else {
            "`autoresearch finish` goes back to your branch; `autoresearch start` begins a new run"
        }));
    }
    Ok((run, repaired))
}

/// The intention, if the run's state allows it.
pub fn intend(run: &Run<'_>, request: &Request) -> Result<Intent> {
    let state = &run.store.state;
    let program = &run.caller.program;
    let message = request.message.trim();
    if request.again {
        return intend_again(state, program);
    }
    if message.is_empty() {
        return Err(Failure::usage("the message is empty")
            .hint("say what you changed: -m \"what you changed\""));
    }
    let (trial, attempt) = match (state.step(), state.awaiting_rework(), request.rework) {
        (Step::Strategy(strategy), ..) => {
            return Err(Failure::usage(format!(
                "a {} is due before the next trial",
                strategy.word()
            ))
            .hint(run.next().trim_start_matches("next: ")));
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
    let told = match &state.flight {
        Some(flight) => format!("{}; rework: {message}", flight.intent.message),
        None => message.to_owned(),
    };
    Ok(Intent {
        trial,
        attempt,
        message: autoresearch_core::words::brief::clip(&told, MAX_MESSAGE),
        labels: request.labels.clone(),
        simplify: request.simplify,
        parent: state.expected_head().unwrap_or(&state.head).to_owned(),
        again: false,
    })
}

/// Commits and measures. `None` when the trial now awaits a rework.
fn attempt(
    run: &mut Run<'_>,
    intent: &Intent,
    survey: &Survey,
    timings: &mut Timings,
    notes: &mut Vec<String>,
) -> Result<Option<Decided>> {
    if let Some(why) = survey.void() {
        let decided = void(run, intent, survey, why)?;
        user_files::note(run, &[])?;
        unseen_files::accept(run)?;
        return Ok(Some(decided));
    }
    if intent.again {
        if !survey.ours.is_empty() {
            return Err(
                Failure::usage("files in the scope were changed since the guard failed")
                    .hint("`--again` measures what was measured: use --rework, with a message"),
            );
        }
        run.store.record(Event::Intent(intent.clone()))?;
        let candidate = candidate(run, intent, intent.parent.clone())?;
        let finding = examine(run, &candidate, timings)?;
        return record(run, candidate, finding);
    }
    if survey.ours.is_empty() {
        if intent.attempt > 0 {
            return Err(Failure::usage("nothing was changed since the guard failed")
                .hint("mend it first, or give it up: autoresearch trial --drop. If the guard fails now and then without a cause, autoresearch trial --again measures the same once more"));
        }
        put_unseen_aside(run, intent.trial, survey, notes)?;
        let decided = Decided::bare(intent, Verdict::NoOp, Some(Why::NothingChanged));
        if run.caller.reader == Reader::Person {
            // Only an agent has to learn that a trial without a change leads nowhere.
            return Ok(Some(decided));
        }
        run.store
            .record(Event::Verdict(Box::new(decided.clone())))?;
        return Ok(Some(decided));
    }
    run.store.note_phase(intent.trial, TrialPhase::Committing);
    run.store.record(Event::Intent(intent.clone()))?;
    put_unseen_aside(run, intent.trial, survey, notes)?;
    let candidate = match make(run, intent, survey, notes) {
        Err(failure) => return Err(leave_edits(run, intent, failure)),
        Ok(Ok(candidate)) => candidate,
        Ok(Err(why)) => {
            let decided = Decided::bare(intent, Verdict::Discard, Some(why));
            run.store
                .record(Event::Verdict(Box::new(decided.clone())))?;
            return Ok(Some(decided));
        }
    };
    let finding = examine(run, &candidate, timings)?;
    record(run, candidate, finding)
}

/// Records a trial that is void before it is measured.
fn void(run: &mut Run<'_>, intent: &Intent, survey: &Survey, why: Why) -> Result<Decided> {
    if !survey.rewriting.is_empty() {
        // git would undo the edits by other rules than those of the start: they stay as they are.
        if run.store.state.flight.is_some() {
            git_rules::refuse(&survey.rewriting)?;
        }
        let decided = Decided::bare(intent, Verdict::Discard, Some(why));
        run.store
            .record(Event::Verdict(Box::new(decided.clone())))?;
        return Ok(decided);
    }
    let own = run.store.state.start.worktree.is_some() && !survey.foreign.is_empty();
    if !survey.ours.is_empty() || own || run.store.state.flight.is_some() {
        run.store.record(Event::Intent(intent.clone()))?;
    }
    let decided = Decided::bare(intent, Verdict::Discard, Some(why));
    run.store
        .record(Event::Verdict(Box::new(decided.clone())))?;
    Ok(decided)
}

/// Commits exactly the paths in scope, and makes sure that nothing else got in.
fn make(
    run: &Run<'_>,
    intent: &Intent,
    survey: &Survey,
    notes: &mut Vec<String>,
) -> Result<Result<Candidate, Why>> {
    let hooks = match run.store.state.config().repository_hooks {
        RepositoryHooks::Bypass => Hooks::Bypass,
        RepositoryHooks::Run => Hooks::Run,
    };
    file_times::advance(run, &survey.ours);
    let commit = match commit(run, survey, intent.trial, &subject(&intent.message), hooks)? {
        Committed::Made(commit) => commit,
        Committed::Refused(words) => return Ok(Err(Why::HookRefused(words))),
        Committed::NotTaken(refused) => {
            return Ok(Err(Why::Unsupported(refused.iter().map(named).collect())));
        }
    };
    let paths = run.history.changed_paths(&intent.parent, &commit)?;
    if paths.is_empty() {
        return Ok(Err(Why::NothingChanged));
    }
    let ours: BTreeSet<&Vec<u8>> = survey.ours.iter().collect();
    let strangers: Vec<String> = paths
        .iter()
        .filter(|path| !ours.contains(path))
        .map(|path| escape(&String::from_utf8_lossy(path)))
        .collect();
    if !strangers.is_empty() {
        return Ok(Err(Why::OutOfScope(strangers)));
    }
    let likeness = commit_contents::compare(run, &commit, &paths, hooks)?;
    notes.extend(likeness.notes);
    if let Some(why) = likeness.why {
        return Ok(Err(why));
    }
    candidate(run, intent, commit).map(Ok)
}

/// A commit with what the judge wants to know of it.
fn candidate(run: &Run<'_>, intent: &Intent, commit: String) -> Result<Candidate> {
    let simplifies = intent.simplify && {
        let size = run.history.size(&run.store.state.head, &commit)?;
        size.removed > size.added
    };
    let tree = run.history.tree_of(&commit)?;
    Ok(Candidate {
        intent: intent.clone(),
        commit,
        tree,
        simplifies,
    })
}

/// Runs verify and guard as the judge asks, and looks at the tree afterwards.
fn examine(run: &Run<'_>, candidate: &Candidate, timings: &mut Timings) -> Result<Finding> {
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
        run.work_tree(),
        &run.env,
        run.store.layout.make_trial(intent.trial)?,
        &prefix,
    );
    bench.most = config.outputs.file();
    bench.reading.clone_from(&state.start.reading);
    let mut judge =
        Judge::new(config, &state.incumbent, state.noise, attempt).with_seen(Some(&state.seen));
    run.store.mark_measuring(true)?;
    loop {
        match (judge.next(), &config.guard) {
            (Next::Verify, _) => {
                run.store
                    .note_phase(intent.trial, TrialPhase::Verify(bench.runs + 1));
                (run.world.step)("verify");
                judge.verified(bench.verify(config)?);
            }
            (Next::Guard, Some(guard)) => {
                run.store.note_phase(intent.trial, TrialPhase::Guard);
                (run.world.step)("guard");
                judge.guarded(bench.guard(guard)?);
            }
            (Next::Done, _) | (Next::Guard, None) => break,
        }
    }
    timings.measured(&bench);
    run.store.bound_outputs(intent.trial, config.outputs)?;
    run.store.note_phase(intent.trial, TrialPhase::Deciding);
    if tree_changes::check_branch(run)? != candidate.commit {
        return Err(Failure::blocked("HEAD was moved while verify or guard ran")
            .hint("nothing was recorded. Put foreign commits on a branch of their own, then run `autoresearch resume`"));
    }
    let keep = |judged: Judgement| judged.outcome == Outcome::Keep;
    let (changed, droppings) = aftermath(run, intent.trial, judge.judgement().is_some_and(keep))?;
    if !changed.is_empty() {
        judge.voided(Why::ChangedDuringVerify(changed));
    }
    let judgement = judge
        .judgement()
        .ok_or_else(|| Failure::new(Kind::Internal, "the judge came to no end"))?;
    Ok(Finding {
        judgement,
        droppings,
    })
}

/// The files that changed while verify and guard ran, and the untracked files that these left. Before a keep git's own
/// rules are compared once more.
fn aftermath(run: &Run<'_>, trial: u32, keep: bool) -> Result<(Vec<String>, Vec<String>)> {
    (run.world.step)("look after");
    let mut after = if keep {
        tree_changes::look_behind(run)?
    } else {
        tree_changes::look(run)?
    };
    after.forgive_outside(run.store.state.start.worktree.is_some());
    if run.store.state.start.worktree.is_some() && !after.tracked_outside.is_empty() {
        let outside = after
            .tracked_outside
            .iter()
            .map(|path| moved_away::as_path(path));
        let outside: Vec<&std::path::Path> = outside.collect();
        let known = outside.iter().map(|path| (*path).to_owned()).collect();
        let way = moved_away::strangers(run.work_tree(), &outside, &known);
        let moved = moved_away::put_aside(run, trial, &way, Whence::InTheWay)?;
        let places = moved.into_iter().map(|aside| aside.place);
        after.untracked_outside.extend(places);
        run.git.restore_from_index(&after.tracked_outside)?;
        file_times::renew(run, &after.tracked_outside);
        after.tracked_outside.clear();
    }
    let text = |path: &Vec<u8>| escape(&String::from_utf8_lossy(path));
    let mut changed: Vec<String> = after.ours.iter().map(text).collect();
    changed.extend(after.tracked_outside.iter().map(text));
    let more = [
        after.protected,
        after.unsupported,
        after.hiding,
        after.rewriting,
    ];
    changed.extend(more.into_iter().flatten());
    changed.extend(user_files::disturbed(run)?);
    user_files::note(run, &after.untracked_outside)?;
    unseen_files::note(run, &after.ignored)?;
    Ok((changed, after.untracked_outside))
}

/// Records the verdict, or that the trial awaits a rework.
fn record(run: &mut Run<'_>, candidate: Candidate, finding: Finding) -> Result<Option<Decided>> {
    let Candidate {
        intent,
        commit,
        tree,
        ..
    } = candidate;
    let Finding {
        judgement,
        droppings,
    } = finding;
    let (verdict, why) = match (judgement.outcome, judgement.measurement.clone()) {
        (Outcome::Rework(why), Some(measurement)) => {
            run.store.record(Event::Rework(Rework {
                trial: intent.trial,
                attempt: intent.attempt,
                commit,
                measurement,
                why,
                droppings,
                guard_retries: judgement.guard_retries,
            }))?;
            return Ok(None);
        }
        (Outcome::Keep, _) => (Verdict::Keep, None),
        (Outcome::Discard(why) | Outcome::Rework(why), _) => (Verdict::Discard, Some(why)),
        (Outcome::Crash(why), _) => (Verdict::Crash, Some(why)),
    };
    let before = &run.store.state.incumbent.measurement.value;
    let decided = Decided {
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
        droppings,
        ..Decided::bare(&intent, verdict, why)
    };
    run.store
        .record(Event::Verdict(Box::new(decided.clone())))?;
    Ok(Some(decided))
}

/// Undoes what was not kept, closes the trial, adds the lesson, and ends the run if it has come to an end.
/// Returns what the undoing left.
fn conclude(run: &mut Run<'_>, decided: &Decided) -> Result<Option<Undone>> {
    let mut undone = None;
    if run.store.state.flight.is_some() {
        run.store.note_phase(decided.trial, TrialPhase::Undoing);
        let done = undo(run, decided.trial, &decided.message, None)?;
        run.store.record(Event::Close(Close {
            trial: decided.trial,
            head: done.head.clone(),
        }))?;
        undone = Some(done);
    }
    if decided.verdict == Verdict::Keep {
        (run.world.step)("lesson");
        lessons::after_keep(run, decided);
    }
    end_if_due(run)?;
    Ok(undone)
}

/// The files that a trial changed: those of its commit, with its earlier attempts, or else the edits that came to nothing.
fn files(
    run: &Run<'_>,
    base: &str,
    survey: &Survey,
    decided: Option<&Decided>,
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
        Some(commit) => Ok(run.history.changed_paths(base, &commit)?),
        None => Ok(survey.ours.clone()),
    }
}
