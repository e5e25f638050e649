//! Owns the ends that people ask for: `stop`, `finish`, and giving up edits that were never measured.
//! Does not delete anything of a run.
//! Invariant: the user's branch is where it was; the run's branch stays.

use std::fmt;
use std::path::PathBuf;

use autoresearch_core::config::Isolation;
use autoresearch_core::journal::event::{
    Decided, End, Ending, Event, Finish, Intent, Verdict, Why,
};
use autoresearch_core::metric::unit::Unit;
use autoresearch_core::metric::value::Value;
use autoresearch_core::words::table::{JUMP, escape, short};
use serde::Serialize;

use crate::run::lessons;
use crate::run::repair::{reference, repair};
use crate::run::work_tree_check;
use crate::run::{Place, Run, Wanted};
use crate::trial::moved_away;
use crate::trial::report::{Timings, TrialReport, trial_report};
use crate::trial::undo::{Undone, subject};
use crate::watch::file_times;
use crate::watch::git_rules;
use crate::watch::tree_changes;
use autoresearch_sys::env::World;
use autoresearch_sys::error::{Failure, Result};
use autoresearch_sys::git::history::History;
use autoresearch_sys::git::surroundings::Holder;
use autoresearch_sys::store::Access;

/// The answer of `stop` and `finish`.
#[derive(Clone, Debug, Serialize)]
pub struct EndReport {
    /// The run.
    pub run: String,
    /// The named end.
    pub end: &'static str,
    /// What led to it.
    pub why: String,
    /// The metric's name.
    pub metric: String,
    /// Its value at start.
    pub baseline: Value,
    /// Its value now.
    pub value: Value,
    /// Its unit, if it has one.
    #[serde(skip_serializing_if = "Unit::is_none")]
    pub unit: Unit,
    /// Whether it improved.
    pub improved: bool,
    /// The branch with the kept commits.
    pub branch: String,
    /// The kept trials, oldest first.
    pub kept: Vec<Kept>,
    /// What is checked out now, when the run was left.
    pub returned_to: Option<String>,
    /// What is checked out in each folder that the run touched, once it is finished.
    pub checked_out: Vec<CheckedOut>,
    /// Where edits went that were never measured.
    pub saved: Option<String>,
    /// Files that git does not hold and that the taking back met: where they are now, one sentence each.
    pub notes: Vec<String>,
    /// What the run leaves here once it is finished: its branch, its folder, the config.
    pub left: Vec<String>,
    /// The command that merges the kept commits.
    pub merge: Option<String>,
    /// The next step.
    pub next: String,
}

/// What is checked out in a folder.
#[derive(Clone, Debug, Serialize)]
pub struct CheckedOut {
    /// The root of the work tree.
    pub folder: PathBuf,
    /// The branch, or the commit of a detached HEAD.
    pub head: String,
    /// Is HEAD detached?
    pub detached: bool,
}

/// A kept trial.
#[derive(Clone, Debug, Serialize)]
pub struct Kept {
    /// Its last commit.
    pub commit: String,
    /// Its first line.
    pub subject: String,
    /// Was its result far outside everything measured before?
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub jump: bool,
}

/// Ends the run on a person's word. What is in the work tree stays.
pub fn stop(world: &World, place: &Place, why: &str) -> Result<EndReport> {
    let mut run = Run::open_anywhere(world, place, Wanted::Latest, Access::Write, "stop")?;
    if run.homeless && run.store.state.needs_repair() {
        run = run.rehouse()?;
    }
    run.check_ground()?;
    repair(&mut run)?;
    end(&mut run, End::UserStop, why)?;
    run.store.write_views()?;
    report(&run, None)
}

/// Ends the run because something only a person can change stands in the way.
pub fn block(world: &World, place: &Place, why: &str) -> Result<EndReport> {
    let mut run = crate::trial::open(world, place, "strategy block")?;
    end(&mut run, End::Blocked, why)?;
    run.store.write_views()?;
    report(&run, None)
}

/// Records an end, unless the run has one: the first reason is the true one.
fn end(run: &mut Run<'_>, end: End, why: &str) -> Result<()> {
    if run.store.state.end.is_none() {
        run.store.record(Event::End(Ending {
            end,
            why: autoresearch_core::words::brief::clip(why.trim(), 500),
        }))?;
        lessons::at_end(run);
    }
    Ok(())
}

/// Ends the run if it is still open, and checks out what was checked out before it. The run's branch stays.
pub fn finish(world: &World, place: &Place) -> Result<EndReport> {
    let mut run = Run::open_anywhere(world, place, Wanted::Latest, Access::WriteChecked, "finish")?;
    if run.homeless && (run.store.state.flight.is_some() || !run.store.state.ready) {
        // There is a trial to take back.
        run = run.rehouse()?;
    }
    run.check_ground()?;
    repair(&mut run)?;
    if run.homeless {
        return finish_homeless(run);
    }
    let here = run.history.head()?.branch;
    let left = here.as_deref() != Some(run.store.state.start.branch.as_str());
    if run.store.state.finish.is_some() || left {
        end(&mut run, End::UserStop, "finished by a person")?;
        if run.store.state.finish.is_none() {
            let head = here.clone().unwrap_or_else(|| "HEAD".to_owned());
            run.store.record(Event::Finish(Finish { head }))?;
        }
        run.store.write_views()?;
        return report(&run, here);
    }
    tree_changes::check_head(&run)?;
    let waiting = run
        .store
        .state
        .flight
        .clone()
        .zip(run.store.state.awaiting_rework().cloned());
    if let Some((flight, rework)) = waiting {
        crate::trial::give_up(&mut run, &flight.intent, &rework)?;
    }
    let leaves = run.store.state.config().isolation == Isolation::Branch;
    let taken = if leaves {
        take_back_edits(&mut run, "edits that were never measured")?
    } else {
        None
    };
    let (saved, notes) = match taken {
        Some((intent, undone)) => {
            let name = reference(&run, &format!("interrupted-{}", intent.trial));
            (undone.tip.map(|_| name), undone.notes)
        }
        None => (None, Vec::new()),
    };
    end(&mut run, End::UserStop, "finished by a person")?;
    let left = leave(&mut run)?;
    run.store.write_views()?;
    let mut report = report(&run, left.head)?;
    if let Some(holder) = left.holder {
        report.stay_detached(&run.store.state.start.origin, &holder);
    }
    report.saved = saved;
    report.notes.extend(notes);
    Ok(report)
}

/// Ends a run whose own work tree is gone: the branch with the kept commits is all that a reviewer needs.
fn finish_homeless(mut run: Run<'_>) -> Result<EndReport> {
    end(&mut run, End::UserStop, "finished by a person")?;
    if run.store.state.finish.is_none() {
        let head = run.store.state.start.branch.clone();
        run.store.record(Event::Finish(Finish { head }))?;
    }
    run.store.write_views()?;
    let mut report = report(&run, None)?;
    report
        .notes
        .push(run.lost() + "; edits that were not measured went with it");
    Ok(report)
}

/// Takes back edits in the scope that were never measured. They are committed first and stay reachable under a reference
/// that is named after the trial. The log shows them as interrupted.
pub fn take_back_edits(run: &mut Run<'_>, why: &str) -> Result<Option<(Intent, Undone)>> {
    let survey = tree_changes::look(run)?;
    if survey.ours.is_empty() {
        return Ok(None);
    }
    git_rules::refuse(&[git_rules::rewriting(run)?, survey.rewriting.clone()].concat())?;
    let trial = run.store.state.next_trial;
    let parent = run.store.state.head.clone();
    let intent = Intent {
        trial,
        attempt: 0,
        message: why.to_owned(),
        labels: Vec::new(),
        simplify: false,
        parent,
        again: false,
    };
    run.store.record(Event::Intent(intent.clone()))?;
    // The undoing commits them first.
    let undone = crate::run::repair::interrupt(run)?;
    Ok(undone.map(|undone| (intent, undone)))
}

/// `trial --drop` without a rework: the edits in the scope are taken back and stay reachable.
pub fn discard_edits(run: &mut Run<'_>) -> Result<TrialReport> {
    let taken = take_back_edits(run, "edits given up before they were measured")?;
    let Some((intent, undone)) = taken else {
        return Err(Failure::usage(
            "there is nothing to drop: no file in the scope was changed",
        ));
    };
    run.store.write_views()?;
    let dropped = Decided {
        why: Some(Why::Dropped),
        ..Decided::bare(&intent, Verdict::Discard, None)
    };
    let report = trial_report(run, &intent, Some(&dropped), Timings::default());
    Ok(TrialReport {
        verdict: "dropped",
        ..report.with(Some(undone))
    })
}

/// How a run was left.
#[derive(Default)]
struct Left {
    /// What is checked out now, if that changed.
    head: Option<String>,
    /// The other work tree that holds the branch of before, so that this one is at its commit without a branch.
    holder: Option<Holder>,
}

/// Checks out what was checked out before the run. A branch that another work tree holds meanwhile is not checked out a
/// second time: files and index are those of its commit, and HEAD names the commit.
fn leave(run: &mut Run<'_>) -> Result<Left> {
    let start = &run.store.state.start;
    let origin = start.origin.clone();
    if start.config.isolation != Isolation::Branch {
        run.store.record(Event::Finish(Finish {
            head: start.branch.clone(),
        }))?;
        return Ok(Left::default());
    }
    let target = if origin.starts_with("refs/") {
        run.history.reference(&origin)
    } else {
        Some(origin.clone())
    };
    let target = target.ok_or_else(|| {
        Failure::blocked(format!("the branch {origin} is gone"))
            .hint("check out a branch yourself; the kept commits are on the run's branch")
    })?;
    let head = run.store.state.head.clone();
    let holder = work_tree_check::holder(run, &origin)?;
    let goal = match &holder {
        Some(_) => target.clone(),
        None => origin.clone(),
    };
    let paths = run.history.changed_paths(&head, &target)?;
    if let Some(first) = moved_away::in_the_way(run, &head, &target, &paths)?.first() {
        return Err(Failure::blocked(format!("could not go back to {origin}: {} stands where a file of it comes back, and git does not hold it", moved_away::shown(first)))
            .hint("nothing was changed. Put it aside, then run the command again"));
    }
    run.git.leave(&head, &target, &goal).map_err(|error| {
        Failure::blocked(format!("could not go back to {origin}"))
            .because(&error)
            .hint("nothing was changed: a file of yours would have been overwritten. Put it aside, then run the command again")
    })?;
    file_times::renew(run, &paths);
    run.git.refresh(&paths);
    run.store
        .record(Event::Finish(Finish { head: goal.clone() }))?;
    Ok(Left {
        head: Some(goal),
        holder,
    })
}

/// What is checked out in the folders that a finished run touched: where its trials were made, and where it was started.
fn checked_out(run: &Run<'_>) -> Result<Vec<CheckedOut>> {
    let place = |history: &History| -> Result<CheckedOut> {
        let head = history.head()?;
        Ok(CheckedOut {
            folder: history.work_tree(),
            detached: head.branch.is_none(),
            head: match (head.branch, head.commit) {
                (Some(branch), _) => branch.trim_start_matches("refs/heads/").to_owned(),
                (None, commit) => commit.unwrap_or_default(),
            },
        })
    };
    if run.store.state.finish.is_none() {
        return Ok(Vec::new());
    }
    let mut places = vec![place(&run.history)?];
    if run.store.state.start.worktree.is_some() && !run.homeless {
        places.push(place(&History::open(&run.git.at(&run.store.layout.root))?)?);
    }
    Ok(places)
}

fn report(run: &Run<'_>, returned_to: Option<String>) -> Result<EndReport> {
    let state = &run.store.state;
    let plain = |reference: &str| reference.trim_start_matches("refs/heads/").to_owned();
    let metric = &state.config().metric;
    let branch = plain(&state.start.branch);
    let kept = kept(run)?;
    let isolation = state.config().isolation;
    let held_by = if kept.is_empty() || isolation == Isolation::InPlace {
        None
    } else {
        find_merged(run)?
    };
    let merge = (!kept.is_empty() && isolation != Isolation::InPlace && held_by.is_none())
        .then(|| format!("git merge {branch}"));
    let next = say_next(run, merge.as_deref(), kept.is_empty(), held_by.as_deref());
    let ending = state.end.clone().unwrap_or(Ending {
        end: End::UserStop,
        why: String::new(),
    });
    Ok(EndReport {
        run: state.start.run.clone(),
        end: ending.end.word(),
        why: escape(&ending.why),
        metric: metric.name.clone(),
        baseline: state.start.measurement.value.clone(),
        value: state.incumbent.measurement.value.clone(),
        unit: state.unit(),
        improved: metric.gain(
            &state.start.measurement.value,
            &state.incumbent.measurement.value,
        ) > Value::zero(),
        notes: unsigned(run, &kept).into_iter().collect(),
        branch,
        kept,
        returned_to: returned_to.map(|head| plain(&head)),
        checked_out: checked_out(run)?,
        saved: None,
        left: find_left(run),
        merge,
        next,
    })
}

/// The next step of a person whose run has ended. `held_by` is the branch that has its commits already.
fn say_next(
    run: &Run<'_>,
    merge: Option<&str>,
    nothing_kept: bool,
    held_by: Option<&str>,
) -> String {
    let state = &run.store.state;
    let plain = |reference: &str| reference.trim_start_matches("refs/heads/").to_owned();
    let branch = plain(&state.start.branch);
    let isolation = state.config().isolation;
    let base = short(&state.start.base);
    match (merge, isolation) {
        _ if state.finish.is_none() => {
            "next: `autoresearch finish` goes back to your branch".to_owned()
        }
        (Some(merge), Isolation::Worktree) => format!(
            "next: look at it with `git log -p {base}..{branch}`, then `{merge}`; `autoresearch clean --yes` removes the run's work tree"
        ),
        (Some(merge), _) => {
            format!(
                "next: look at it with `git log -p {base}..{branch}`, then `{merge}`; `git branch -D {branch}` throws it away"
            )
        }
        (None, _) if held_by.is_some() => format!(
            "next: what was kept is in {} already; `autoresearch clean --yes` removes the run's branch and folder",
            plain(held_by.unwrap_or_default())
        ),
        (None, Isolation::InPlace) if !nothing_kept => {
            "next: the kept commits are on your branch already".to_owned()
        }
        (None, _) => "next: nothing to merge; `autoresearch log` shows what was tried".to_owned(),
    }
}

/// What a finished run leaves in the repository and its folder.
fn find_left(run: &Run<'_>) -> Vec<String> {
    let (state, layout) = (&run.store.state, &run.store.layout);
    if state.finish.is_none() {
        return Vec::new();
    }
    let mut left = Vec::new();
    let branch = &state.start.branch;
    let is_own = state.config().isolation != Isolation::InPlace;
    if is_own && run.history.reference(branch).is_some() {
        left.push(format!(
            "branch {}",
            branch.trim_start_matches("refs/heads/")
        ));
    }
    for (what, path) in [
        ("work tree", layout.worktree()),
        ("folder", layout.folder()),
        ("config", layout.root.join("autoresearch.yaml")),
    ] {
        if path.symlink_metadata().is_ok() {
            left.push(format!("{what} {}", run.world.path_from_here(&path)));
        }
    }
    left
}

/// The branch that holds what the run kept: merged, squashed or picked.
fn find_merged(run: &Run<'_>) -> Result<Option<String>> {
    let state = &run.store.state;
    let (start, head) = (&state.start, &state.head);
    if run.history.reference(&start.origin).is_some()
        && run.history.is_merged(head, &start.origin)?
    {
        return Ok(Some(start.origin.clone()));
    }
    Ok(run
        .history
        .is_content_in(&start.base, head, &start.origin)?)
}

/// How the kept commits can be signed, for a user who signs.
fn unsigned(run: &Run<'_>, kept: &[Kept]) -> Option<String> {
    let finished = run.store.state.finish.is_some();
    if kept.is_empty() || !finished || !run.git.is_set("commit.gpgsign") {
        return None;
    }
    let start = &run.store.state.start;
    let branch = start.branch.trim_start_matches("refs/heads/");
    let (there, which) = match run.store.state.config().isolation {
        Isolation::Worktree => {
            let folder = work_tree_check::shell_word(&run.store.layout.worktree());
            (format!("git -C {folder}"), String::new())
        }
        Isolation::InPlace => ("git".to_owned(), String::new()),
        Isolation::Branch => ("git".to_owned(), format!(" {branch}")),
    };
    Some(format!(
        "the kept commits are not signed: `{there} rebase --force-rebase --gpg-sign {}{which}` signs them, before they are merged",
        short(&start.base)
    ))
}

/// The last commit of each kept trial, oldest first.
fn kept(run: &Run<'_>) -> Result<Vec<Kept>> {
    let mut kept = Vec::new();
    for record in run.store.records()?.iter() {
        if let Event::Verdict(decided) = &record.event
            && let (Verdict::Keep, Some(commit)) = (decided.verdict, decided.commit.clone())
        {
            kept.push(Kept {
                commit,
                subject: subject(&decided.message),
                jump: decided.jump,
            });
        }
    }
    Ok(kept)
}

impl EndReport {
    /// The branch of before is checked out in another work tree: says why this one has none, and where to merge.
    fn stay_detached(&mut self, origin: &str, holder: &Holder) {
        let branch = origin.trim_start_matches("refs/heads/");
        let root = holder.root.display();
        self.notes.push(format!(
            "{branch} is {} in {root}, and git lets one work tree have a branch: this one is at the same commit without a branch",
            holder.how
        ));
        if let Some(merge) = &mut self.merge {
            let folder = work_tree_check::shell_word(&holder.root);
            let there = merge.replacen("git ", &format!("git -C {folder} "), 1);
            self.next = self.next.replace(merge.as_str(), &there);
            *merge = there;
        }
    }
}

impl fmt::Display for CheckedOut {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.detached {
            write!(out, "{} without a branch", short(&self.head))
        } else {
            out.write_str(&self.head)
        }
    }
}

impl fmt::Display for EndReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.improved {
            "improved"
        } else {
            "no improvement"
        };
        writeln!(out, "run `{}` ended: {} ({})", self.run, self.end, self.why)?;
        writeln!(
            out,
            "{verdict}: {} {} -> {}, {} trial(s) kept on {}",
            self.metric,
            self.baseline,
            self.unit.show(&self.value.to_string()),
            self.kept.len(),
            self.branch
        )?;
        for kept in &self.kept {
            let jump = if kept.jump {
                format!(" [jump: {JUMP}; look at it before you merge]")
            } else {
                String::new()
            };
            writeln!(out, "  {} {}{jump}", short(&kept.commit), kept.subject)?;
        }
        // With one folder there is no question where.
        let several = self.checked_out.len() > 1;
        for place in &self.checked_out {
            let folder = place.folder.display();
            if several {
                writeln!(out, "checked out: {place} in {folder}")?;
            } else {
                writeln!(out, "checked out: {place}")?;
            }
        }
        if let Some(saved) = &self.saved {
            writeln!(
                out,
                "edits that were never measured were taken back; they are in {saved}"
            )?;
        }
        for note in &self.notes {
            writeln!(out, "{note}")?;
        }
        if !self.left.is_empty() {
            writeln!(
                out,
                "left here: {}; `autoresearch clean` lists what can go",
                self.left.join(", ")
            )?;
        }
        write!(out, "{}", self.next)
    }
}
