//! Owns `retry`: the changes of a trial that was not kept come back as edits on top of the kept state.
//! Does not measure or commit them, and records nothing: they are edits like any other.
//! Invariant: where anything stands in the way nothing is changed; retrying again after a crash comes to the same edits.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use autoresearch_core::git_names::{CommitId, RepoPath, TreeId};
use autoresearch_core::journal::state::RunState;
use autoresearch_core::journal::story::Story;
use autoresearch_core::words::brief;
use autoresearch_core::words::text::{format_count, shorten_names};
use serde::Serialize;

use crate::run::Run;
use crate::run::entry::{Entry, enter_tree};
use crate::run::place::Place;
use crate::run::ready::Ready;
use crate::run::tree::Tree;
use crate::trial::moved_away::{find_foreign_files, show_path};
use crate::watch::git_rules::refuse_other_rules;
use crate::watch::tree_changes;
use autoresearch_sys::env::World;
use autoresearch_sys::error::{Failure, Result};
use autoresearch_sys::git::{FileChange, MergeResult};

/// How wide a list of names is in a sentence.
const WIDTH: usize = 160;

/// The answer of `retry`.
#[derive(Clone, Debug, Serialize)]
pub struct RetryReport {
    pub run: String,
    pub trial: u32,
    /// The trial's commit.
    pub hash: CommitId,
    /// The kept state that its changes are on now.
    pub base: CommitId,
    /// The files that it brought back.
    pub files: Vec<String>,
    /// What it changed that no trial may change, and that was left out.
    pub left_out: Vec<String>,
    /// What was repaired before, one sentence each.
    pub repaired: Vec<String>,
    pub due: &'static str,
    pub next: String,
}

/// A trial that can be brought back.
struct RetriedTrial {
    base: CommitId,
    commit: CommitId,
}

/// What is to be written.
pub(crate) struct EditPlan {
    /// The tree that holds the kept state and the trial's changes.
    pub tree: TreeId,
    /// The files in the scope.
    pub wanted: Vec<FileChange>,
    /// The others.
    pub left_out: Vec<String>,
}

/// Brings the changes of a trial back as edits.
pub fn retry_trial(world: &World, place: &Place, number: u32) -> Result<RetryReport> {
    let ready = enter_tree(world, place, Entry::Step("retry"))?;
    // A refusal leaves what was repaired, with its views.
    match bring_back(&ready, number) {
        Ok((trial, plan)) => {
            let repaired = ready.repaired.done.clone();
            let glance = ready.finish()?;
            let state = &glance.run.store.state;
            let files = plan.wanted.iter().map(|change| change.path.to_string());
            Ok(RetryReport {
                run: state.start.run.clone(),
                trial: number,
                hash: trial.commit,
                base: state.head.clone(),
                files: files.collect(),
                left_out: plan.left_out,
                repaired,
                due: state.next_step().as_str(),
                next: brief::format_retried_step(state, &glance.run.caller),
            })
        }
        Err(failure) => Err(ready.refuse(failure)),
    }
}

fn bring_back(ready: &Ready<'_>, number: u32) -> Result<(RetriedTrial, EditPlan)> {
    let (run, tree) = (&ready.run, &ready.tree);
    let state = &run.store.state;
    if state.batch.is_some() {
        return Err(Failure::usage("a batch is open")
            .hint(brief::format_next_step(state, &run.caller).trim_start_matches("next: ")));
    }
    if let Some(rework) = state.awaiting_rework() {
        return Err(
            Failure::usage(format!("trial {} waits for a rework", rework.trial))
                .hint(brief::format_next_step(state, &run.caller).trim_start_matches("next: ")),
        );
    }
    let trial = find_retried(run, tree, number)?;
    tree_changes::check_head(tree, state)?;
    let changes = tree_changes::read_changes_and_rules(tree, state)?;
    refuse_other_rules(&changes.rewriting)?;
    let scratch = tree.layout.make_trial_folder(number)?;
    let plan = plan_edits(run, tree, number, &trial)?;
    if !changes.ours.is_empty() {
        // Edits that an interrupted retry has made are in their place already.
        let others = tree
            .git
            .list_other_than(&plan.tree, &changes.ours, &scratch)?;
        refuse_unmeasured(run, &others, "retry again")?;
    }
    refuse_foreign_files(tree, number, &plan, &changes.ours)?;
    write_edits(tree, &plan, &scratch)?;
    Ok((trial, plan))
}

/// The commit of a trial that was not kept, and what it was made on.
fn find_retried(run: &Run<'_>, tree: &Tree<'_>, number: u32) -> Result<RetriedTrial> {
    let program = &run.caller.program;
    let records = run.store.read_records()?;
    let story = Story::of(&run.store.state.start, &records);
    let Some(trial) = story.find_trial(number) else {
        return Err(Failure::usage(format!(
            "the run `{}` has no trial {number} to retry",
            run.store.layout.run
        ))
        .hint(format!("`{program} log` lists its trials")));
    };
    if trial.is_kept() {
        return Err(Failure::usage(format!(
            "trial {number} was kept: what it changed is in the kept state"
        ))
        .hint(format!(
            "`{program} show {number} --diff` shows it; `retry` is for a trial that was undone"
        )));
    }
    let found = (trial.find_base(), trial.find_commit());
    let (Some(base), Some(commit)) = found else {
        return Err(
            Failure::usage(format!("trial {number} has no commit to bring back"))
                .hint(format!("`{program} show {number}` says what became of it")),
        );
    };
    let gone = [base, commit]
        .into_iter()
        .find(|commit| tree.history.tree_of(commit).is_err());
    match gone {
        None => Ok(RetriedTrial {
            base: base.clone(),
            commit: commit.clone(),
        }),
        Some(gone) => Err(Failure::usage(format!(
            "the repository has no commit {} of trial {number} any more",
            gone.short()
        ))
        .hint("make its changes again by hand; a clone of that time may have the commit")),
    }
}

/// Merges what leads from a base to a commit into the kept state, and sorts out what no trial may change; the files in
/// which both changed the same places, where they did.
pub(crate) fn plan_merge(
    tree: &Tree<'_>,
    state: &RunState,
    (base, commit): (&CommitId, &CommitId),
    scratch: &Path,
) -> Result<std::result::Result<EditPlan, Vec<RepoPath>>> {
    (tree.world.step)("git merge");
    let sides = (base, &state.head, commit);
    let merged = match tree.git.merge_aside(sides, scratch)? {
        MergeResult::Tree(merged) => merged,
        MergeResult::Conflicts(paths) => return Ok(Err(paths)),
    };
    let (mut wanted, mut left_out) = (Vec::new(), Vec::new());
    let is_editable = tree_changes::make_scope_check(tree, state)?;
    for change in tree.git.list_changes(&state.head, &merged)? {
        if is_editable(&change.path) {
            wanted.push(change);
        } else {
            left_out.push(change.path.to_string());
        }
    }
    Ok(Ok(EditPlan {
        tree: merged,
        wanted,
        left_out,
    }))
}

/// The trial's changes as edits of the kept state.
fn plan_edits(
    run: &Run<'_>,
    tree: &Tree<'_>,
    number: u32,
    trial: &RetriedTrial,
) -> Result<EditPlan> {
    let state = &run.store.state;
    let scratch = tree.layout.make_trial_folder(number)?;
    let plan = match plan_merge(tree, state, (&trial.base, &trial.commit), &scratch)? {
        Ok(plan) => plan,
        Err(paths) => return Err(refuse_conflicts(run, number, &paths)),
    };
    if plan.wanted.is_empty() {
        let (why, hint) = if plan.left_out.is_empty() {
            (
                "is in the kept state already",
                "there is nothing to bring back".to_owned(),
            )
        } else {
            (
                "lies outside of what a trial may change",
                format!(
                    "it changed: {}",
                    shorten_names(&plan.left_out, plan.left_out.len(), WIDTH)
                ),
            )
        };
        return Err(Failure::usage(format!("what trial {number} changed {why}")).hint(hint));
    }
    Ok(plan)
}

fn refuse_conflicts(run: &Run<'_>, number: u32, paths: &[RepoPath]) -> Failure {
    let names: Vec<String> = paths.iter().map(ToString::to_string).collect();
    let program = &run.caller.program;
    Failure::usage(format!(
        "trial {number} and what was kept since changed the same places of {}: {}",
        format_count(names.len(), "file"),
        shorten_names(&names, names.len(), WIDTH)
    ))
    .hint(format!(
        "nothing was changed. `{program} show {number} --diff` shows what it changed: make of it by hand what still fits, then run a trial"
    ))
}

/// Edits that nobody has measured are in the way of what `then` says.
pub(crate) fn refuse_unmeasured(run: &Run<'_>, others: &[RepoPath], then: &str) -> Result<()> {
    if others.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = others.iter().map(ToString::to_string).collect();
    let program = &run.caller.program;
    Err(Failure::usage(format!(
        "there are unmeasured edits in the scope: {}",
        shorten_names(&names, names.len(), WIDTH)
    ))
    .hint(format!(
        "nothing was changed. `{program} trial -m \"what you changed\"` measures them, `{program} trial --drop` undoes them; then {then}"
    )))
}

/// What git would write over, and no commit holds.
pub(crate) fn find_in_the_way(
    tree: &Tree<'_>,
    plan: &EditPlan,
    edits: &[RepoPath],
) -> Vec<PathBuf> {
    let tracked = plan.wanted.iter().filter(|change| change.before);
    let known = tracked.map(|change| &change.path).chain(edits);
    let known: BTreeSet<PathBuf> = known.map(|path| path.as_path().to_owned()).collect();
    let written = plan.wanted.iter().filter(|change| change.after);
    let written: Vec<_> = written.map(|change| change.path.as_path()).collect();
    find_foreign_files(tree.path(), &written, &known)
}

fn refuse_foreign_files(
    tree: &Tree<'_>,
    number: u32,
    plan: &EditPlan,
    edits: &[RepoPath],
) -> Result<()> {
    match find_in_the_way(tree, plan, edits).first() {
        None => Ok(()),
        Some(first) => Err(Failure::blocked(format!(
            "{} is in the way of a file of trial {number}, and git does not track it",
            show_path(first)
        ))
        .hint("nothing was changed. Move it away, then run the command again")),
    }
}

/// Deletes what the trial deleted, and writes what it wrote. The index is not touched.
pub(crate) fn write_edits(tree: &Tree<'_>, plan: &EditPlan, scratch: &Path) -> Result<()> {
    (tree.world.step)("bring back");
    for change in plan.wanted.iter().filter(|change| !change.after) {
        delete_file(tree, &change.path)?;
    }
    (tree.world.step)("git write");
    let written = plan.wanted.iter().filter(|change| change.after);
    let paths: Vec<RepoPath> = written.map(|change| change.path.clone()).collect();
    Ok(tree.git.write_files_of(&plan.tree, &paths, scratch)?)
}

/// Deletes a file, and the folders that are empty without it, as git does.
fn delete_file(tree: &Tree<'_>, path: &RepoPath) -> Result<()> {
    let file = tree.path().join(path.as_path());
    match std::fs::remove_file(&file) {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => {
            let text = format!("{} could not be deleted", file.display());
            return Err(Failure::io(text, &error)
                .hint("`autoresearch trial --drop` undoes what was brought back so far"));
        }
    }
    let above = file.ancestors().skip(1);
    for folder in above.take_while(|folder| *folder != tree.path()) {
        if std::fs::remove_dir(folder).is_err() {
            break;
        }
    }
    Ok(())
}

impl fmt::Display for RetryReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for repaired in &self.repaired {
            writeln!(out, "repaired: {repaired}")?;
        }
        writeln!(
            out,
            "trial {} is back as edits on top of {}: {}",
            self.trial,
            self.base.short(),
            shorten_names(&self.files, self.files.len(), WIDTH)
        )?;
        if !self.left_out.is_empty() {
            writeln!(
                out,
                "left out, because no trial may change it: {}",
                shorten_names(&self.left_out, self.left_out.len(), WIDTH)
            )?;
        }
        out.write_str(&self.next)
    }
}
