//! Owns the ends that people ask for: `stop`, `finish`, and an obstacle.
//! Does not delete anything of a run.
//! Invariant: the user's branch is where it was; the run's branch stays.

use std::fmt;
use std::path::PathBuf;

use autoresearch_core::config::Isolation;
use autoresearch_core::journal::event::{End, Ending, Event, Finish};
use autoresearch_core::journal::story::Story;
use autoresearch_core::metric::unit::Unit;
use autoresearch_core::metric::value::Value;
use autoresearch_core::shell::quote::quote_path;
use autoresearch_core::words::table::JUMP;
use autoresearch_core::words::text::{escape_text, format_count, shorten_hash};
use serde::Serialize;

use crate::run::lessons;
use crate::run::repair::repair_run;
use crate::run::work_tree_check;
use crate::run::{Place, Run, WantedRun};
use crate::trial::give_up;
use crate::trial::moved_away;
use crate::trial::undo::commit_subject;
use crate::watch::file_times;
use crate::watch::tree_changes;
use autoresearch_sys::env::World;
use autoresearch_sys::error::{Failure, Result};
use autoresearch_sys::git::history::History;
use autoresearch_sys::git::surroundings::BranchHolder;
use autoresearch_sys::store::Access;

/// The answer of `stop` and `finish`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct EndReport {
    pub run: String,
    pub end: &'static str,
    /// What led to it.
    pub why: String,
    pub metric: String,
    /// Its value at start.
    pub baseline: Value,
    pub value: Value,
    /// Its unit, if it has one.
    #[serde(skip_serializing_if = "Unit::is_none")]
    pub unit: Unit,
    pub improved: bool,
    /// The branch with the kept commits.
    pub branch: String,
    /// The kept trials, oldest first.
    pub kept: Vec<KeptTrial>,
    /// What is checked out now, when the run was left.
    pub returned_to: Option<String>,
    /// What is checked out in each folder that the run touched, once it is finished.
    pub checked_out: Vec<CheckedOutHead>,
    /// Where edits went that were never measured.
    pub saved: Option<String>,
    /// Files that git does not hold and that the taking back met: where they are now, one sentence each.
    pub notes: Vec<String>,
    /// What the run leaves here once it is finished: its branch, its folder, the config.
    pub left: Vec<String>,
    /// The command that merges the kept commits.
    pub merge: Option<String>,
    pub next: String,
}

/// What is checked out in a folder.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct CheckedOutHead {
    /// The root of the work tree.
    pub folder: PathBuf,
    /// The branch, or the commit of a detached HEAD.
    pub head: String,
    pub detached: bool,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct KeptTrial {
    pub commit: String,
    pub subject: String,
    /// Was its result far outside everything measured before?
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub jump: bool,
}

/// Ends the run on a person's word. What is in the work tree stays.
pub(crate) fn stop_run(world: &World, place: &Place, why: &str) -> Result<EndReport> {
    let mut run = Run::open_run_anywhere(world, place, WantedRun::Latest, Access::Write, "stop")?;
    if run.tree_is_gone && run.store.state.needs_repair() {
        run = run.remake_work_tree()?;
    }
    run.check_repository()?;
    repair_run(&mut run)?;
    record_end(&mut run, End::UserStop, why)?;
    run.store.write_views()?;
    make_end_report(&run, None)
}

/// Ends the run because something only a person can change stands in the way.
pub(crate) fn block_run(world: &World, place: &Place, why: &str) -> Result<EndReport> {
    let mut run = crate::trial::open_active_run(world, place, "strategy block")?;
    record_end(&mut run, End::Blocked, why)?;
    run.store.write_views()?;
    make_end_report(&run, None)
}

/// Records an end, unless the run has one: the first reason is the true one.
fn record_end(run: &mut Run<'_>, end: End, why: &str) -> Result<()> {
    if run.store.state.end.is_none() {
        run.store.record_event(Event::End(Ending {
            end,
            why: autoresearch_core::words::text::clip_text(why.trim(), 500),
        }))?;
        lessons::add_end_lesson(run);
    }
    Ok(())
}

/// Ends the run if it is still open, and checks out what was checked out before it. The run's branch stays.
pub(crate) fn finish_run(world: &World, place: &Place) -> Result<EndReport> {
    let mut run = Run::open_run_anywhere(
        world,
        place,
        WantedRun::Latest,
        Access::WriteChecked,
        "finish",
    )?;
    if run.tree_is_gone && (run.store.state.open_trial.is_some() || !run.store.state.ready) {
        // There is a trial to take back.
        run = run.remake_work_tree()?;
    }
    run.check_repository()?;
    repair_run(&mut run)?;
    if run.tree_is_gone {
        return finish_without_tree(run);
    }
    let here = run.tree.history.read_head()?.branch;
    let left = here.as_deref() != Some(run.store.state.start.branch.as_str());
    if run.store.state.finish.is_some() || left {
        record_end(&mut run, End::UserStop, "finished by a person")?;
        if run.store.state.finish.is_none() {
            let head = here.clone().unwrap_or_else(|| "HEAD".to_owned());
            run.store.record_event(Event::Finish(Finish { head }))?;
        }
        run.store.write_views()?;
        return make_end_report(&run, here);
    }
    tree_changes::check_head(&run.tree, &run.store.state)?;
    give_up::give_up_rework(&mut run)?;
    let leaves = run.store.state.config().isolation == Isolation::Branch;
    let taken = if leaves {
        give_up::take_back_edits(&mut run, "unmeasured edits")?
    } else {
        None
    };
    let (saved, notes) = match taken {
        Some((intent, undone)) => {
            let name = run
                .tree
                .name_reference(&format!("interrupted-{}", intent.trial));
            (undone.tip.map(|_| name), undone.notes)
        }
        None => (None, Vec::new()),
    };
    record_end(&mut run, End::UserStop, "finished by a person")?;
    let left = leave_run(&mut run)?;
    run.store.write_views()?;
    let mut report = make_end_report(&run, left.head)?;
    if let Some(holder) = left.holder {
        report.note_detached(&run.store.state.start.origin, &holder);
    }
    report.saved = saved;
    report.notes.extend(notes);
    Ok(report)
}

/// Ends a run whose own work tree is gone: the branch with the kept commits is all that a reviewer needs.
fn finish_without_tree(mut run: Run<'_>) -> Result<EndReport> {
    record_end(&mut run, End::UserStop, "finished by a person")?;
    if run.store.state.finish.is_none() {
        let head = run.store.state.start.branch.clone();
        run.store.record_event(Event::Finish(Finish { head }))?;
    }
    run.store.write_views()?;
    let mut report = make_end_report(&run, None)?;
    report
        .notes
        .push(run.describe_lost_tree() + "; unmeasured edits in it are lost");
    Ok(report)
}

/// How a run was left.
#[derive(Default)]
struct LeaveResult {
    /// What is checked out now, if that changed.
    head: Option<String>,
    /// The other work tree that holds the branch of before, so that this one is at its commit without a branch.
    holder: Option<BranchHolder>,
}

/// Checks out what was checked out before the run. A branch that another work tree holds meanwhile is not checked out a
/// second time: files and index are those of its commit, and HEAD names the commit.
fn leave_run(run: &mut Run<'_>) -> Result<LeaveResult> {
    let start = &run.store.state.start;
    let origin = start.origin.clone();
    if start.config.isolation != Isolation::Branch {
        run.store.record_event(Event::Finish(Finish {
            head: start.branch.clone(),
        }))?;
        return Ok(LeaveResult::default());
    }
    let target = if origin.starts_with("refs/") {
        run.tree.history.read_reference(&origin)
    } else {
        Some(origin.clone())
    };
    let target = target.ok_or_else(|| {
        Failure::blocked(format!("the branch {origin} is gone"))
            .hint("check out a branch yourself; the kept commits are on the run's branch")
    })?;
    let head = run.store.state.head.clone();
    let holder = work_tree_check::find_branch_holder(&run.tree, &origin)?;
    let goal = match &holder {
        Some(_) => target.clone(),
        None => origin.clone(),
    };
    let paths = run.tree.history.changed_paths(&head, &target)?;
    if let Some(first) = moved_away::find_in_the_way(&run.tree, &head, &target, &paths)?.first() {
        return Err(Failure::blocked(format!("could not go back to {origin}: {} is in the way of one of its files, and git does not track it", moved_away::show_path(first)))
            .hint("nothing was changed. Move it away, then run the command again"));
    }
    run.tree.git.check_out(&head, &target, &goal).map_err(|error| {
        Failure::blocked(format!("could not go back to {origin}"))
            .because(&error)
            .hint("nothing was changed: a file of yours would have been overwritten. Move it away, then run the command again")
    })?;
    file_times::renew_times(&run.tree, &run.store.state, &paths);
    run.tree.git.refresh_index(&paths);
    run.store
        .record_event(Event::Finish(Finish { head: goal.clone() }))?;
    Ok(LeaveResult {
        head: Some(goal),
        holder,
    })
}

/// What is checked out in the folders that a finished run touched: where its trials were made, and where it was started.
fn list_checked_out(run: &Run<'_>) -> Result<Vec<CheckedOutHead>> {
    let place = |history: &History| -> Result<CheckedOutHead> {
        let head = history.read_head()?;
        Ok(CheckedOutHead {
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
    let mut places = vec![place(&run.tree.history)?];
    if run.store.state.start.worktree.is_some() && !run.tree_is_gone {
        places.push(place(&History::open_with_git(
            &run.tree.git.at_folder(&run.store.layout.root),
        )?)?);
    }
    Ok(places)
}

fn make_end_report(run: &Run<'_>, returned_to: Option<String>) -> Result<EndReport> {
    let state = &run.store.state;
    let plain = |reference: &str| reference.trim_start_matches("refs/heads/").to_owned();
    let metric = &state.config().metric;
    let branch = plain(&state.start.branch);
    let kept = list_kept(run)?;
    let isolation = state.config().isolation;
    let held_by = if kept.is_empty() || isolation == Isolation::InPlace {
        None
    } else {
        find_merging_branch(run)?
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
        end: ending.end.as_str(),
        why: escape_text(&ending.why),
        metric: metric.name.clone(),
        baseline: state.start.measurement.value.clone(),
        value: state.incumbent.measurement.value.clone(),
        unit: state.metric_unit(),
        improved: metric.compute_gain(
            &state.start.measurement.value,
            &state.incumbent.measurement.value,
        ) > Value::zero(),
        notes: advise_signing(run, &kept).into_iter().collect(),
        branch,
        kept,
        returned_to: returned_to.map(|head| plain(&head)),
        checked_out: list_checked_out(run)?,
        saved: None,
        left: list_left_behind(run),
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
    let base = shorten_hash(&state.start.base);
    match (merge, isolation) {
        _ if state.finish.is_none() => {
            "next: `autoresearch finish` goes back to your branch".to_owned()
        }
        (Some(merge), Isolation::Worktree) => format!(
            "next: look at it with `git log -p {base}..{branch}`, then `{merge}`; `autoresearch clean --yes` removes the run's work tree"
        ),
        (Some(merge), _) => {
            format!(
                "next: look at it with `git log -p {base}..{branch}`, then `{merge}`; `git branch -D {branch}` discards it"
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
fn list_left_behind(run: &Run<'_>) -> Vec<String> {
    let (state, layout) = (&run.store.state, &run.store.layout);
    if state.finish.is_none() {
        return Vec::new();
    }
    let mut left = Vec::new();
    let branch = &state.start.branch;
    let is_own = state.config().isolation != Isolation::InPlace;
    if is_own && run.tree.history.read_reference(branch).is_some() {
        left.push(format!(
            "branch {}",
            branch.trim_start_matches("refs/heads/")
        ));
    }
    for (what, path) in [
        ("work tree", layout.worktree_path()),
        ("folder", layout.run_folder()),
        ("config", layout.root.join("autoresearch.yaml")),
    ] {
        if path.symlink_metadata().is_ok() {
            left.push(format!("{what} {}", run.world.path_from_here(&path)));
        }
    }
    left
}

/// The branch that holds what the run kept: merged, squashed or picked.
fn find_merging_branch(run: &Run<'_>) -> Result<Option<String>> {
    let state = &run.store.state;
    let (start, head) = (&state.start, &state.head);
    if run.tree.history.read_reference(&start.origin).is_some()
        && run.tree.history.is_merged(head, &start.origin)?
    {
        return Ok(Some(start.origin.clone()));
    }
    Ok(run
        .tree
        .history
        .find_content_holder(&start.base, head, &start.origin)?)
}

/// How the kept commits can be signed, for a user who signs.
fn advise_signing(run: &Run<'_>, kept: &[KeptTrial]) -> Option<String> {
    let finished = run.store.state.finish.is_some();
    if kept.is_empty() || !finished || !run.tree.git.is_setting_on("commit.gpgsign") {
        return None;
    }
    let start = &run.store.state.start;
    let branch = start.branch.trim_start_matches("refs/heads/");
    let (there, which) = match run.store.state.config().isolation {
        Isolation::Worktree => {
            let folder = quote_path(&run.store.layout.worktree_path());
            (format!("git -C {folder}"), String::new())
        }
        Isolation::InPlace => ("git".to_owned(), String::new()),
        Isolation::Branch => ("git".to_owned(), format!(" {branch}")),
    };
    Some(format!(
        "the kept commits are not signed: `{there} rebase --force-rebase --gpg-sign {}{which}` signs them, before they are merged",
        shorten_hash(&start.base)
    ))
}

/// The last commit of each kept trial, oldest first.
fn list_kept(run: &Run<'_>) -> Result<Vec<KeptTrial>> {
    let records = run.store.read_records()?;
    Ok(Story::of(&run.store.state.start, &records)
        .list_kept()
        .map(|(decided, kept)| KeptTrial {
            commit: kept.commit.to_owned(),
            subject: commit_subject(&decided.message),
            jump: decided.jump,
        })
        .collect())
}

impl EndReport {
    /// The branch of before is checked out in another work tree: says why this one has none, and where to merge.
    fn note_detached(&mut self, origin: &str, holder: &BranchHolder) {
        let branch = origin.trim_start_matches("refs/heads/");
        let root = holder.root.display();
        self.notes.push(format!(
            "{branch} is {} in {root}, and git allows a branch in one work tree only: this one is at the same commit without a branch",
            holder.how
        ));
        if let Some(merge) = &mut self.merge {
            let folder = quote_path(&holder.root);
            let there = merge.replacen("git ", &format!("git -C {folder} "), 1);
            self.next = self.next.replace(merge.as_str(), &there);
            *merge = there;
        }
    }
}

impl fmt::Display for CheckedOutHead {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.detached {
            write!(out, "{} without a branch", shorten_hash(&self.head))
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
            "{verdict}: {} {} -> {}, {} kept on {}",
            self.metric,
            self.baseline,
            self.unit.format_number(&self.value.to_string()),
            format_count(self.kept.len(), "trial"),
            self.branch
        )?;
        for kept in &self.kept {
            let jump = if kept.jump {
                format!(" [jump: {JUMP}; look at it before you merge]")
            } else {
                String::new()
            };
            writeln!(
                out,
                "  {} {}{jump}",
                shorten_hash(&kept.commit),
                kept.subject
            )?;
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
                "unmeasured edits were undone; they are saved in {saved}"
            )?;
        }
        for note in &self.notes {
            writeln!(out, "{note}")?;
        }
        if !self.left.is_empty() {
            writeln!(
                out,
                "left here: {}; `autoresearch clean` lists what can be removed",
                self.left.join(", ")
            )?;
        }
        write!(out, "{}", self.next)
    }
}
