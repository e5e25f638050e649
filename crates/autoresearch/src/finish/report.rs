//! Owns what `stop` and `finish` answer: what was kept, what is checked out, what is left, and the command that merges.
//! Does not change anything.
//! Invariant: what is said to be left or checked out was looked at.

use std::fmt;
use std::path::PathBuf;

use autoresearch_core::config::Isolation;
use autoresearch_core::git_names::{CommitId, HeadTarget, RefName};
use autoresearch_core::journal::event::{Claim, End, Ending, Suspicion, Why};
use autoresearch_core::journal::measured::count_cases;
use autoresearch_core::journal::story::Story;
use autoresearch_core::metric::rate::RateInterval;
use autoresearch_core::metric::unit::Unit;
use autoresearch_core::metric::value::Value;
use autoresearch_core::shell::quote::quote_path;
use autoresearch_core::words::brief::format_run_percent;
use autoresearch_core::words::table::{JUMP, format_suspects};
use autoresearch_core::words::text::{escape_text, format_count};
use serde::{Serialize, Serializer};

use super::last_holdout::waits_for_end;
use crate::run::glance::Glance;
use crate::trial::undo::commit_subject;
use autoresearch_sys::error::{Failure, Result};
use autoresearch_sys::git::history::History;
use autoresearch_sys::git::surroundings::BranchHolder;
use autoresearch_sys::store::RunStore;

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
    /// The way from the one to the other in per cent, where that means something.
    pub percent: Option<String>,
    /// Its unit, if it has one.
    #[serde(skip_serializing_if = "Unit::is_none")]
    pub unit: Unit,
    /// What is known of the rate of a metric that counts cases.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<RateInterval>,
    pub improved: bool,
    /// Why what was kept is not to be trusted: `holdout`, where it did not pass a check that is not shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// What was gained, measured afresh.
    pub claim: Option<Claim>,
    /// The branch with the kept commits.
    pub branch: String,
    /// The kept trials, oldest first.
    pub kept: Vec<KeptTrial>,
    /// What is checked out now, when the run was left.
    pub returned_to: Option<String>,
    /// What is checked out in each folder that the run touched, once it is finished.
    pub checked_out: Vec<CheckedOutHead>,
    /// Where edits went that were never measured.
    pub saved: Option<RefName>,
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
    /// The branch by its short name, or the commit of a detached HEAD.
    #[serde(serialize_with = "as_short_name")]
    pub head: HeadTarget,
    pub detached: bool,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct KeptTrial {
    pub commit: CommitId,
    pub subject: String,
    /// Was its result far outside everything measured before?
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub jump: bool,
    /// Where its code may game the measurement, as the config allows.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub suspects: Vec<Suspicion>,
}

/// Does the run's own work tree still stand?
fn has_own_tree(glance: &Glance<'_>) -> bool {
    glance.seat.tree().is_some_and(|tree| tree.is_own)
}

fn as_short_name<S: Serializer>(head: &HeadTarget, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(head.short())
}

/// What is checked out in the folders that a finished run touched: where its trials were made, and where it was started.
fn list_checked_out(glance: &Glance<'_>) -> Result<Vec<CheckedOutHead>> {
    let place = |history: &History| -> Result<CheckedOutHead> {
        let head = history.read_head()?.target().ok_or_else(|| {
            Failure::blocked("HEAD names neither a branch nor a commit")
                .hint("`git switch` checks out a branch")
        })?;
        Ok(CheckedOutHead {
            folder: history.work_tree(),
            detached: head.branch().is_none(),
            head,
        })
    };
    let run = &glance.run;
    if run.store.state.finish.is_none() {
        return Ok(Vec::new());
    }
    let mut places = vec![place(glance.seat.history())?];
    if has_own_tree(glance) {
        places.push(place(&History::open_with_git(
            &glance.seat.git().at_folder(&run.store.layout.root),
        )?)?);
    }
    Ok(places)
}

pub(super) fn make_end_report(
    glance: &Glance<'_>,
    returned_to: Option<HeadTarget>,
) -> Result<EndReport> {
    let (run, state) = (&glance.run, &glance.run.store.state);
    let metric = &state.config().metric;
    let branch = state.start.branch.short();
    let kept = list_kept(&run.store)?;
    let isolation = state.config().isolation;
    let held_by = if kept.is_empty() || isolation == Isolation::InPlace {
        None
    } else {
        find_merging_branch(glance)?
    };
    let merge = (!kept.is_empty() && isolation != Isolation::InPlace && held_by.is_none())
        .then(|| format!("git merge {branch}"));
    let next = say_next(glance, merge.as_deref(), kept.is_empty(), held_by.as_ref());
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
        rate: find_last_rate(&run.store)?,
        percent: format_run_percent(state),
        improved: state.is_improved(),
        claim: state.claim.clone(),
        reason: find_failed_holdout(&run.store),
        notes: advise_signing(glance, &kept).into_iter().collect(),
        branch: branch.to_owned(),
        kept,
        returned_to: returned_to.map(|head| head.short().to_owned()),
        checked_out: list_checked_out(glance)?,
        saved: None,
        left: list_left_behind(glance),
        merge,
        next,
    })
}

/// The reason, where a holdout that waits for the end did not pass, or could not be asked before the run was left.
fn find_failed_holdout(store: &RunStore<'_>) -> Option<&'static str> {
    let finish = store.state.finish.as_ref()?;
    let passed = finish.holdout == Some(true) || !waits_for_end(store);
    (!passed).then(|| Why::Holdout.as_str())
}

/// The next step of a person whose run has ended. `held_by` is the branch that has its commits already.
fn say_next(
    glance: &Glance<'_>,
    merge: Option<&str>,
    nothing_kept: bool,
    held_by: Option<&HeadTarget>,
) -> String {
    let state = &glance.run.store.state;
    let branch = state.start.branch.short();
    let isolation = state.config().isolation;
    let base = state.start.base.short();
    match (merge, held_by, isolation) {
        _ if state.finish.is_none() => {
            "next: `autoresearch finish` goes back to your branch".to_owned()
        }
        // A work tree that stays says itself what removes it, and git deletes no branch of such a tree.
        (Some(merge), ..) if has_own_tree(glance) => {
            format!("next: look at it with `git log -p {base}..{branch}`, then `{merge}`")
        }
        (Some(merge), ..) => {
            format!(
                "next: look at it with `git log -p {base}..{branch}`, then `{merge}`; `git branch -D {branch}` discards it"
            )
        }
        (None, Some(holder), _) => format!(
            "next: what was kept is in {} already; `autoresearch clean --yes` removes the run's branch and folder",
            holder.short()
        ),
        (None, None, Isolation::InPlace) if !nothing_kept => {
            "next: the kept commits are on your branch already".to_owned()
        }
        (None, None, _) => {
            "next: nothing to merge; `autoresearch log` shows what was tried".to_owned()
        }
    }
}

/// What a finished run leaves in the repository and its folder.
fn list_left_behind(glance: &Glance<'_>) -> Vec<String> {
    let (run, history) = (&glance.run, glance.seat.history());
    let (state, layout) = (&run.store.state, &run.store.layout);
    if state.finish.is_none() {
        return Vec::new();
    }
    let mut left = Vec::new();
    let branch = &state.start.branch;
    let is_own = state.config().isolation != Isolation::InPlace;
    if is_own && history.read_reference(branch).is_some() {
        left.push(format!("branch {}", branch.short()));
    }
    let own = layout
        .own_tree(&state.start)
        .map(|path| ("work tree", path));
    let others = [
        ("folder", layout.run_folder()),
        ("config", layout.root.join("autoresearch.yaml")),
    ];
    for (what, path) in own.into_iter().chain(others) {
        if path.symlink_metadata().is_ok() {
            let shown = if path.starts_with(&layout.root) {
                run.world.path_from_here(&path)
            } else {
                path.display().to_string()
            };
            left.push(format!("{what} {shown}"));
        }
    }
    left
}

/// The branch that holds what the run kept: merged, squashed or picked.
fn find_merging_branch(glance: &Glance<'_>) -> Result<Option<HeadTarget>> {
    let (state, history) = (&glance.run.store.state, glance.seat.history());
    let (start, head) = (&state.start, &state.head);
    let tip = start
        .origin
        .branch()
        .and_then(|branch| history.read_reference(branch));
    if let Some(tip) = tip
        && history.is_merged(head, &tip)?
    {
        return Ok(Some(start.origin.clone()));
    }
    Ok(history.find_content_holder(&start.base, head, &start.origin)?)
}

/// How the kept commits can be signed, for a user who signs.
fn advise_signing(glance: &Glance<'_>, kept: &[KeptTrial]) -> Option<String> {
    let (run, git) = (&glance.run, glance.seat.git());
    let finished = run.store.state.finish.is_some();
    if kept.is_empty() || !finished || !git.is_setting_on("commit.gpgsign") {
        return None;
    }
    let start = &run.store.state.start;
    let branch = start.branch.short();
    let (there, which) = match run.store.state.config().isolation {
        Isolation::Worktree if has_own_tree(glance) => {
            let folder = quote_path(git.work_tree());
            (format!("git -C {folder}"), String::new())
        }
        Isolation::InPlace => ("git".to_owned(), String::new()),
        Isolation::Branch | Isolation::Worktree => ("git".to_owned(), format!(" {branch}")),
    };
    Some(format!(
        "the kept commits are not signed: `{there} rebase --force-rebase --gpg-sign {}{which}` signs them, before they are merged",
        start.base.short()
    ))
}

/// What is known of the last commit's rate: by the runs of the claim, which chose nothing, or else by those that kept it.
fn find_last_rate(store: &RunStore<'_>) -> Result<Option<RateInterval>> {
    let state = &store.state;
    let Some(cases) = count_cases(&state.start) else {
        return Ok(None);
    };
    let fresh = state.claim.as_ref().filter(|claim| claim.pairs > 0);
    if let Some((claim, after)) = fresh.and_then(|claim| Some((claim, claim.after.as_ref()?))) {
        return Ok(RateInterval::of_mean(after, claim.pairs, cases));
    }
    let records = store.read_records()?;
    Ok(Story::of(&state.start, &records).find_trial_rate(state.incumbent.trial))
}

/// The last commit of each kept trial, oldest first.
fn list_kept(store: &RunStore<'_>) -> Result<Vec<KeptTrial>> {
    let records = store.read_records()?;
    Ok(Story::of(&store.state.start, &records)
        .list_kept()
        .map(|(decided, kept)| KeptTrial {
            commit: kept.commit.to_owned(),
            subject: commit_subject(&decided.message),
            jump: decided.jump,
            suspects: decided.suspects.clone(),
        })
        .collect())
}

impl EndReport {
    /// The branch of before is checked out in another work tree: says why this one has none, and where to merge.
    pub(super) fn note_detached(&mut self, origin: &RefName, holder: &BranchHolder) {
        let branch = origin.short();
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
        match &self.head {
            HeadTarget::Branch(branch) => out.write_str(branch.short()),
            HeadTarget::Commit(commit) => write!(out, "{} without a branch", commit.short()),
        }
    }
}

impl EndReport {
    fn find_verdict(&self) -> &'static str {
        let gain = self.claim.as_ref().and_then(|claim| claim.gain.as_ref());
        match gain {
            _ if self.improved => "improved",
            Some(gain) if !gain.is_loss() => "cannot tell",
            None if self.claim.is_some() => "cannot tell",
            _ => "no improvement",
        }
    }

    /// The way to the value, and in per cent; a claim tells that with its interval.
    fn describe_change(&self) -> String {
        let change = self.unit.format_change(&self.baseline, &self.value);
        match &self.percent {
            Some(percent) if self.claim.is_none() => format!("{change} ({percent})"),
            _ => change,
        }
    }

    /// What a clean checkout gives stands before everything else where it is not what the run measured.
    fn write_difference(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(claim) = self.claim.as_ref().filter(|claim| claim.pairs == 0) else {
            return Ok(());
        };
        match &claim.after {
            Some(after) if *after != self.value => writeln!(
                out,
                "a clean checkout of the last commit gives {after} and not {}: verify depends on files that are not committed",
                self.value
            ),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for EndReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(reason) = self.reason {
            writeln!(
                out,
                "{reason}: what was kept did not pass a check that is not shown; do not merge it as it is"
            )?;
        }
        self.write_difference(out)?;
        let verdict = self.find_verdict();
        writeln!(out, "run `{}` ended: {} ({})", self.run, self.end, self.why)?;
        writeln!(
            out,
            "{verdict}: {} {}, {} kept on {}",
            self.metric,
            self.describe_change(),
            format_count(self.kept.len(), "trial"),
            self.branch
        )?;
        if let Some(rate) = &self.rate {
            writeln!(out, "rate: {rate}")?;
        }
        if let Some(claim) = &self.claim {
            writeln!(out, "claim: {claim}")?;
        }
        for kept in &self.kept {
            write!(out, "  {} {}", kept.commit.short(), kept.subject)?;
            if kept.jump {
                write!(out, " [jump: {JUMP}; look at it before you merge]")?;
            }
            if !kept.suspects.is_empty() {
                let suspects = format_suspects(&kept.suspects);
                write!(out, " [{suspects}; look at it before you merge]")?;
            }
            writeln!(out)?;
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

#[cfg(test)]
mod tests;
