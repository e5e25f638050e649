//! Owns one attempt at a trial: its commit, and the runs of verify and guard.
//! Does not record anything, and gives no verdict: what came out is handed back.
//! Invariant: it touches its work tree and the folder of its trial, so that attempts in other work trees can go on beside it.

use std::collections::BTreeSet;
use std::ffi::OsString;

use autoresearch_core::config::RepositoryHooks;
use autoresearch_core::decide::gaming::{ChangedFile, Suspicion, find_suspicions};
use autoresearch_core::decide::judge::{Attempt, Judge, Judgement, REWORKS, TrialOutcome};
use autoresearch_core::git_names::{CommitId, RepoPath, TreeId};
use autoresearch_core::journal::event::{IncumbentTree, Intent, Why};
use autoresearch_core::journal::runs::RunTime;
use autoresearch_core::journal::state::RunState;
use autoresearch_core::words::text::escape_text;

use crate::run::tree::Tree;
use crate::trial::commit_contents;
use crate::trial::harness::muting::find_muted;
use crate::trial::harness::read_harness;
use crate::trial::holdout::{ArmedHoldout, HoldoutQuestion};
use crate::trial::kept_state::{StateBench, StateScene};
use crate::trial::look_after::{LookAfter, look_after};
use crate::trial::measure::{Bench, IncumbentRun, Timings, run_checks};
use crate::trial::moved_away;
use crate::trial::moved_away::MovedWhy;
use crate::trial::undo::{CommitResult, commit_subject, commit_trial, describe_refused};
use crate::watch::file_times;
use crate::watch::touched::{TouchScene, describe_touched};
use crate::watch::tree_changes;
use crate::watch::tree_changes::TreeChanges;
use autoresearch_sys::error::{Failure, FailureKind, Result};
use autoresearch_sys::git::Hooks;
use autoresearch_sys::process::Executor;
use autoresearch_sys::store::{TreeKind, TrialPhase, write_open_items};

/// What is to be done about the changes in a work tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttemptPlan {
    /// They are not a change of exactly the files in the scope.
    Refuse(Why),
    /// There are none.
    Skip,
    /// They are committed, and the commit is measured.
    Commit,
    /// The commit of the attempt before is measured once more.
    Repeat,
}

/// What came of an attempt.
pub enum Attempted {
    /// The changes are not a change of exactly the files in the scope: nothing was committed.
    Void(Why),
    /// No file in the scope was changed.
    NoOp,
    /// git or a hook did not take the commit, or it does not hold what verify would see.
    Refused(Why),
    /// Verify and guard have run as the judge asked.
    Measured(Box<MeasuredCommit>),
}

/// A commit that was measured.
pub struct MeasuredCommit {
    pub commit: CommitId,
    pub tree: TreeId,
    pub judgement: Judgement,
    /// Untracked files that verify and guard left.
    pub left_files: Vec<String>,
    /// How often verify ran.
    pub verify_runs: u32,
}

/// What an attempt knows besides its work tree.
pub struct AttemptInput<'a> {
    pub state: &'a RunState,
    pub intent: &'a Intent,
    pub changes: &'a TreeChanges,
    /// Runs verify and guard, in their environment.
    pub executor: &'a dyn Executor,
    /// That environment.
    pub env: &'a [(OsString, OsString)],
    /// The check that a keep has to pass too, where there is one at a keep.
    pub holdout: Option<&'a ArmedHoldout<'a>>,
    /// Hears how far it has come.
    pub observe: &'a dyn Fn(TrialPhase),
}

/// An attempt that came to an end.
pub struct AttemptResult {
    pub attempted: Attempted,
    pub timings: Timings,
    /// What was done to files before they were measured, one sentence each.
    pub notes: Vec<String>,
}

/// A commit under test.
struct Candidate {
    commit: CommitId,
    tree: TreeId,
    simplifies: bool,
    /// Where its code may game the measurement.
    suspects: Vec<Suspicion>,
}

/// What is to be done about these changes; refuses an attempt that says another thing than they do.
pub fn plan_attempt(intent: &Intent, changes: &TreeChanges) -> Result<AttemptPlan> {
    let is_changed = !changes.ours.is_empty();
    match (changes.find_void_why(), intent.again) {
        (Some(why), _) => Ok(AttemptPlan::Refuse(why)),
        (None, true) if is_changed => Err(Failure::usage(
            "files in the scope were changed since the guard failed",
        )
        .hint("`--again` measures what was measured: use --rework, with a message")),
        (None, true) => Ok(AttemptPlan::Repeat),
        (None, false) if is_changed => Ok(AttemptPlan::Commit),
        (None, false) if intent.attempt > 0 => Err(Failure::usage(
            "nothing was changed since the guard failed",
        )
        .hint("fix it first, or give it up: autoresearch trial --drop. If the guard is flaky, autoresearch trial --again measures the same commit again")),
        (None, false) => Ok(AttemptPlan::Skip),
    }
}

/// Does what was planned. The intention of a commit must be recorded before.
pub fn attempt_trial(
    tree: &Tree<'_>,
    plan: AttemptPlan,
    input: &AttemptInput<'_>,
) -> Result<AttemptResult> {
    let (mut timings, mut notes) = (Timings::default(), Vec::new());
    let attempted = match plan {
        AttemptPlan::Refuse(why) => Attempted::Void(why),
        AttemptPlan::Skip => {
            notes.extend(move_unseen_away(tree, input)?);
            Attempted::NoOp
        }
        AttemptPlan::Commit => {
            notes.extend(move_unseen_away(tree, input)?);
            match commit_edits(tree, input, &mut notes)? {
                Ok(candidate) => {
                    measure_candidate(tree, input, candidate, (&mut timings, &mut notes))?
                }
                Err(why) => Attempted::Refused(why),
            }
        }
        AttemptPlan::Repeat => {
            let commit = input.intent.parent.clone();
            let files = read_changes(tree, input, &commit)?;
            let candidate = make_candidate(tree, input, commit, &files)?;
            measure_candidate(tree, input, candidate, (&mut timings, &mut notes))?
        }
    };
    Ok(AttemptResult {
        attempted,
        timings,
        notes,
    })
}

/// Puts aside what git ignores and nobody knows; one sentence for each.
fn move_unseen_away(tree: &Tree<'_>, input: &AttemptInput<'_>) -> Result<Vec<String>> {
    let (trial, unseen) = (input.intent.trial, &input.changes.unseen);
    let moved = moved_away::move_away(tree, trial, unseen, MovedWhy::Unseen)?;
    Ok(moved.iter().map(ToString::to_string).collect())
}

/// Commits exactly the paths in scope, and makes sure that nothing else got in; why there is nothing to measure otherwise.
fn commit_edits(
    tree: &Tree<'_>,
    input: &AttemptInput<'_>,
    notes: &mut Vec<String>,
) -> Result<Result<Candidate, Why>> {
    let (intent, changes, config) = (input.intent, input.changes, input.state.config());
    let hooks = match config.repository_hooks {
        RepositoryHooks::Bypass => Hooks::Bypass,
        RepositoryHooks::Run => Hooks::Run,
    };
    notes.extend(commit_contents::cut_hard_links(tree, &changes.ours)?);
    file_times::advance_times(tree, input.state, &changes.ours);
    let commit = match commit_trial(
        tree,
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
    let paths = tree.history.changed_paths(&intent.parent, &commit)?;
    if paths.is_empty() {
        return Ok(Err(Why::NothingChanged));
    }
    let ours: BTreeSet<&RepoPath> = changes.ours.iter().collect();
    let strangers: Vec<String> = paths
        .iter()
        .filter(|path| !ours.contains(path))
        .map(ToString::to_string)
        .collect();
    if !strangers.is_empty() {
        return Ok(Err(Why::OutOfScope(strangers)));
    }
    let likeness = commit_contents::compare_with_commit(tree, config, &commit, &paths, hooks)?;
    notes.extend(likeness.notes);
    if let Some(why) = likeness.why {
        return Ok(Err(why));
    }
    let files = read_changes(tree, input, &commit)?;
    // What takes a keep back may bring back what the keep took away.
    if intent.leaves_out.is_none()
        && let Some(why) = find_muted(tree, input.state, &files)
    {
        return Ok(Err(why));
    }
    make_candidate(tree, input, commit, &files).map(Ok)
}

/// A commit with what the judge wants to know of it.
fn make_candidate(
    tree: &Tree<'_>,
    input: &AttemptInput<'_>,
    commit: CommitId,
    files: &[ChangedFile],
) -> Result<Candidate> {
    let simplifies = input.intent.simplify && {
        let size = tree
            .history
            .count_changed_lines(&input.state.head, &commit)?;
        size.removed > size.added
    };
    Ok(Candidate {
        tree: tree.history.tree_of(&commit)?,
        suspects: find_suspicions(files, &read_harness(tree, input.state.config())),
        commit,
        simplifies,
    })
}

/// One measurement of a commit, with the look at what it left.
struct MeasuredRound<'a> {
    judge: Judge<'a>,
    after: LookAfter,
    /// Files that no trial may change and that were written all the same.
    touched: BTreeSet<String>,
    verify_runs: u32,
    /// Why the kept state could not be measured, if that was so.
    lost: Option<String>,
}

/// Runs verify and guard as the judge asks, and looks at the tree afterwards. A measurement during which a file was written
/// that no trial may change is made once more, since what wrote it may be an accident.
fn measure_candidate(
    tree: &Tree<'_>,
    input: &AttemptInput<'_>,
    candidate: Candidate,
    (timings, notes): (&mut Timings, &mut Vec<String>),
) -> Result<Attempted> {
    tree.notes.mark_measuring(true)?;
    let mut round = measure_round(tree, input, &candidate, ("", timings))?;
    let mut verify_runs = round.verify_runs;
    if round.after.changed.is_empty()
        && let Some(first) = round.touched.first()
    {
        notes.push(format!(
            "{} was written while verify or guard ran, and has its bytes again: that measurement was thrown away, and repeated",
            escape_text(first)
        ));
        // What it left was put aside all the same.
        notes.append(&mut round.after.notes);
        round = measure_round(tree, input, &candidate, ("second-", timings))?;
        round.after.changed.extend(describe_touched(&round.touched));
        verify_runs += round.verify_runs;
    }
    let MeasuredRound {
        mut judge,
        after,
        lost,
        ..
    } = round;
    notes.extend(after.notes);
    notes.extend(lost);
    if !after.changed.is_empty() {
        judge.void_trial(Why::ChangedDuringVerify(after.changed));
    }
    let judgement = judge
        .to_judgement()
        .ok_or_else(|| Failure::new(FailureKind::Internal, "the judge reached no verdict"))?;
    if judgement.outcome == TrialOutcome::Keep {
        let folder = tree.layout.trial_folder(input.intent.trial);
        write_open_items(&folder, &timings.open_items)?;
    }
    Ok(Attempted::Measured(Box::new(MeasuredCommit {
        commit: candidate.commit,
        tree: candidate.tree,
        judgement,
        left_files: after.left_files,
        verify_runs,
    })))
}

/// One measurement; its output files begin with a word.
fn measure_round<'a>(
    tree: &'a Tree<'_>,
    input: &AttemptInput<'a>,
    candidate: &Candidate,
    (word, timings): (&str, &mut Timings),
) -> Result<MeasuredRound<'a>> {
    let (state, intent) = (input.state, input.intent);
    let config = state.config();
    let mut bench = make_bench(tree, input, word)?;
    let mut judge = make_judge(input, candidate);
    let mut kept = make_kept_bench(tree, input, word)?;
    let mut lost = None;
    let index = tree.index();
    let scene = TouchScene {
        index: &index,
        head: &candidate.commit,
        config,
        yardstick: &tree.pinned.yardstick,
    };
    let before = scene.note_times();
    run_checks(
        &mut bench,
        config,
        &mut judge,
        |phase| {
            (input.observe)(phase);
            let step = if phase == TrialPhase::Guard {
                "guard"
            } else {
                "verify"
            };
            (tree.world.step)(step);
        },
        || measure_kept(&mut kept, &mut lost),
    )?;
    (input.observe)(TrialPhase::Deciding);
    if tree_changes::check_branch_checked_out(tree)? != candidate.commit {
        return Err(Failure::blocked("HEAD was moved while verify or guard ran")
            .hint("nothing was recorded. Move foreign commits to another branch, then run `autoresearch resume`"));
    }
    let keep = |judged: Judgement| judged.outcome == TrialOutcome::Keep;
    let is_keep = judge.to_judgement().is_some_and(keep);
    let mut after = look_after(tree, state, intent.trial, is_keep)?;
    if is_keep && after.has_moved && config.guard.is_some() {
        after = ask_guard_again(tree, input, &mut bench, after)?;
    }
    timings.take_from_bench(&bench);
    let mut round = MeasuredRound {
        judge,
        after,
        touched: BTreeSet::new(),
        verify_runs: bench.runs + kept.runs,
        lost,
    };
    timings.add_verify(kept.verify_time, kept.swept);
    drop(kept);
    ask_holdout(tree, input, candidate, (&mut round, timings))?;
    round.touched = scene.list_touched(&before)?;
    let unstable = &tree.pinned.touched;
    round.touched.retain(|name| !unstable.contains(name));
    Ok(round)
}

fn make_judge<'a>(input: &AttemptInput<'a>, candidate: &Candidate) -> Judge<'a> {
    let (state, intent) = (input.state, input.intent);
    let attempt = Attempt {
        labels: intent.labels.clone(),
        simplifies: candidate.simplifies,
        // What is picked from a batch is not reworked: the next best is tried instead.
        number: intent.picks.map_or(intent.attempt, |_| REWORKS),
        suspects: candidate.suspects.clone(),
    };
    let evidence = state.evidence.clone();
    let judge = Judge::new(state.config(), &state.incumbent, evidence, attempt)
        .with_measured_range(Some(&state.seen))
        .with_watched(state.watched.clone());
    if intent.leaves_out.is_some() {
        return judge.leaving_out();
    }
    match state.start.incumbent_tree {
        Some(IncumbentTree::Missing(_)) => judge.without_incumbent(),
        _ => judge,
    }
}

/// Where the kept state is measured, if the judge asks for it.
fn make_kept_bench<'a>(
    tree: &'a Tree<'_>,
    input: &AttemptInput<'a>,
    word: &str,
) -> Result<StateBench<'a>> {
    let (state, trial) = (input.state, input.intent.trial);
    let outputs = (
        tree.layout.make_trial_folder(trial)?,
        format!("{}kept-", name_attempt(input.intent.attempt, word)),
    );
    let commands = (input.env, input.executor);
    let scene = StateScene::of_run(tree, state, commands, TreeKind::Lent, outputs);
    Ok(StateBench::new(scene, state.incumbent.commit.clone()))
}

/// One run on the kept state. What stands in its way decides no trial: it is told, and the trial goes on without.
fn measure_kept(kept: &mut StateBench<'_>, lost: &mut Option<String>) -> Result<IncumbentRun> {
    let why = match kept.measure_state()? {
        Ok((measurement, time)) => return Ok((Some(measurement), time)),
        Err(why) => why,
    };
    *lost = Some(format!(
        "the kept state could not be measured again in a tree of its own: {why}; a machine that got faster or slower since may have decided this trial"
    ));
    Ok((None, RunTime::default()))
}

/// Runs the guard without what was put aside.
fn ask_guard_again(
    tree: &Tree<'_>,
    input: &AttemptInput<'_>,
    bench: &mut Bench<'_>,
    mut after: LookAfter,
) -> Result<LookAfter> {
    let Some(guard) = &input.state.config().guard else {
        return Ok(after);
    };
    let passes = bench.run_guard(guard)?.is_ok();
    let planted = after.name_planted();
    // The guard may leave it again.
    after = after.followed_by(look_after(tree, input.state, input.intent.trial, true)?);
    if !passes {
        after.changed.extend(planted);
    }
    Ok(after)
}

/// Asks the holdout where everything else says keep, and looks at what it left.
fn ask_holdout(
    tree: &Tree<'_>,
    input: &AttemptInput<'_>,
    candidate: &Candidate,
    (round, timings): (&mut MeasuredRound<'_>, &mut Timings),
) -> Result<()> {
    let Some(holdout) = input.holdout else {
        return Ok(());
    };
    let keep = |judged: Judgement| judged.outcome == TrialOutcome::Keep;
    if !round.after.changed.is_empty() || !round.judge.to_judgement().is_some_and(keep) {
        return Ok(());
    }
    let trial = input.intent.trial;
    (input.observe)(TrialPhase::Holdout);
    (tree.world.step)("holdout");
    tree.notes.mark_measuring(true)?;
    let mut bench = make_bench(tree, input, "")?;
    let question = HoldoutQuestion {
        state: input.state,
        tree: &candidate.tree,
        name: format!("trial-{trial}"),
    };
    let passes = holdout.ask(&mut bench, &question)?;
    timings.add_time_of(&bench);
    (input.observe)(TrialPhase::Deciding);
    let after = std::mem::take(&mut round.after);
    round.after = after.followed_by(look_after(tree, input.state, trial, true)?);
    if !passes {
        round.judge.void_trial(Why::Holdout);
    }
    Ok(())
}

/// What the trial adds to the kept state, with its earlier attempts.
fn read_changes(
    tree: &Tree<'_>,
    input: &AttemptInput<'_>,
    commit: &CommitId,
) -> Result<Vec<ChangedFile>> {
    Ok(tree.history.read_changed_files(&input.state.head, commit)?)
}

fn make_bench<'a>(tree: &'a Tree<'_>, input: &AttemptInput<'a>, word: &str) -> Result<Bench<'a>> {
    let prefix = name_attempt(input.intent.attempt, word);
    let folder = tree.layout.make_trial_folder(input.intent.trial)?;
    let progress = (tree.world.progress, tree.world.clock);
    let mut bench = Bench::new(input.executor, progress, tree.path(), folder, &prefix);
    bench.most = input.state.config().outputs.file_bytes();
    bench.reading.clone_from(&input.state.start.reading);
    bench.view.clone_from(&tree.pinned.view);
    bench.confine(tree.pinned.confinement.as_ref());
    Ok(bench)
}

/// The beginning of the names of an attempt's output files.
fn name_attempt(attempt: u32, word: &str) -> String {
    match attempt {
        0 => word.to_owned(),
        attempt => format!("rework-{attempt}-{word}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn intent(attempt: u32, again: bool) -> Intent {
        Intent {
            trial: 4,
            attempt,
            message: "the idea".to_owned(),
            labels: Vec::new(),
            simplify: false,
            parent: CommitId::from_bytes(&[0xc0; 20]),
            again,
            leaves_out: None,
            picks: None,
        }
    }

    fn edited() -> TreeChanges {
        TreeChanges {
            ours: vec![RepoPath::new("src/a")],
            ..TreeChanges::default()
        }
    }

    #[test]
    fn edits_in_the_scope_are_committed_and_none_are_skipped() {
        let first = intent(0, false);
        assert_eq!(
            plan_attempt(&first, &edited()).unwrap(),
            AttemptPlan::Commit
        );
        let rework = intent(1, false);
        assert_eq!(
            plan_attempt(&rework, &edited()).unwrap(),
            AttemptPlan::Commit
        );
        let none = TreeChanges::default();
        assert_eq!(plan_attempt(&first, &none).unwrap(), AttemptPlan::Skip);
    }

    #[test]
    fn a_rework_needs_an_edit_and_a_repetition_must_have_none() {
        let none = TreeChanges::default();
        let repeated = intent(1, true);
        assert_eq!(plan_attempt(&repeated, &none).unwrap(), AttemptPlan::Repeat);
        for (asked, changes) in [(intent(1, false), none), (repeated, edited())] {
            let refused = plan_attempt(&asked, &changes).unwrap_err();
            assert_eq!(refused.kind, FailureKind::Usage, "{refused}");
        }
    }

    #[test]
    fn a_change_outside_the_scope_makes_every_attempt_void() {
        let changes = TreeChanges {
            outside: vec!["elsewhere".to_owned()],
            ..edited()
        };
        for asked in [intent(0, false), intent(1, false), intent(1, true)] {
            let AttemptPlan::Refuse(why) = plan_attempt(&asked, &changes).unwrap() else {
                panic!("it was not refused");
            };
            assert!(why.is_void());
            assert_eq!(why.as_str(), "out-of-scope");
        }
    }
}
