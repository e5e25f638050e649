//! Owns the finding of runs whose files in the repository are gone, while their anchors are left.
//! Does not bring anything back, and changes nothing.
//! Invariant: what is said to be left was looked at in the repository.

use std::path::{Path, PathBuf};

use autoresearch_core::config::Isolation;
use autoresearch_core::git_names::{HeadTarget, RefName};
use autoresearch_core::journal::state::RunState;
use autoresearch_core::words::text::format_count;

use autoresearch_sys::env::World;
use autoresearch_sys::error::Failure;
use autoresearch_sys::git::history::History;
use autoresearch_sys::store::{FOLDER, Layout, MadeNote, list_anchors, read_remembered_state};

/// A run of this work tree without a journal.
pub struct LostRun {
    /// Where its files were.
    pub layout: Layout,
    /// Its folder outside the repository.
    pub anchor_folder: PathBuf,
    /// Where it stood, as far as its last command left a note of it.
    pub state: Option<RunState>,
}

/// Every run that was started in this work tree and whose journal is gone. An interrupted start does not count.
#[must_use]
pub fn find_lost_runs(world: &World, history: &History, root: &Path) -> Vec<LostRun> {
    let mut found = Vec::new();
    for (anchor_folder, anchor) in list_anchors(&world.state_folder) {
        let layout = Layout::new(root, &anchor.run);
        let is_start = anchor.head.next <= 1 && MadeNote::read_from(&anchor_folder).is_some();
        if is_start || layout.journal_path().symlink_metadata().is_ok() {
            continue;
        }
        let state = read_remembered_state(&anchor_folder, &anchor);
        // A repository that was moved has another root, and the run's branch as the run left it.
        let is_moved = || {
            let stands = |state: &RunState| {
                history.read_reference(&state.start.branch).as_ref() == Some(&state.head)
            };
            !anchor.root.exists() && state.as_ref().is_some_and(stands)
        };
        if anchor.root == root || is_moved() {
            found.push(LostRun {
                layout,
                anchor_folder,
                state,
            });
        }
    }
    found
}

impl LostRun {
    /// Does the run still need somebody: it was never finished, or its branch is checked out?
    #[must_use]
    pub fn is_open(&self, history: &History) -> bool {
        let Some(state) = &self.state else {
            return true;
        };
        let unfinished = state.finish.is_none() && state.config().isolation == Isolation::Branch;
        state.end.is_none() || unfinished || self.is_checked_out(history)
    }

    fn is_checked_out(&self, history: &History) -> bool {
        let branch = self.branch_name();
        history
            .read_head()
            .is_ok_and(|head| head.branch == Some(branch))
            && self
                .state
                .as_ref()
                .is_none_or(|state| state.config().isolation != Isolation::InPlace)
    }

    fn branch_name(&self) -> RefName {
        self.state.as_ref().map_or_else(
            || RefName::of_trials(&self.layout.run),
            |state| state.start.branch.clone(),
        )
    }

    /// What is gone, and what is left.
    #[must_use]
    pub fn describe_loss(&self, history: &History) -> String {
        let run = &self.layout.run;
        let gone = if self.layout.run_folder().symlink_metadata().is_ok() {
            format!("its journal {FOLDER}/{run}/journal.jsonl is gone")
        } else {
            format!(
                "its folder {FOLDER}/{run} is gone (`git clean -x` deletes it, because git ignores it)"
            )
        };
        let branch = self.branch_name();
        let plain = branch.short();
        let left = match (history.read_reference(&branch), &self.state) {
            (Some(_), Some(state)) if state.counts.keep == 0 => "no trial was kept".to_owned(),
            (Some(_), Some(state)) => format!(
                "{} on {plain} ({} {})",
                format_count(state.counts.keep, "kept commit"),
                state.config().metric.name,
                state.describe_gain()
            ),
            (Some(tip), None) => format!("what was kept is on {plain}, at {}", tip.short()),
            (None, _) => format!("and the branch {plain} is gone too"),
        };
        format!("{gone}; {left}")
    }

    #[must_use]
    pub fn advise_next(&self, history: &History) -> String {
        let branch = self.branch_name();
        let plain = branch.short();
        let mut steps = vec![
            "if you moved it, put it back, and the run can continue. Otherwise this run cannot continue, and its log is lost; no commit and no file of yours was touched".to_owned(),
        ];
        let origin = self.state.as_ref().map(|state| &state.start.origin);
        let back = match origin {
            Some(HeadTarget::Branch(branch)) if branch.is_branch() => {
                format!("git switch {}", branch.short())
            }
            Some(HeadTarget::Branch(other)) => format!("git switch --detach {other}"),
            Some(HeadTarget::Commit(commit)) => {
                format!("git switch --detach {}", commit.short())
            }
            None => "git switch BRANCH".to_owned(),
        };
        if self.is_checked_out(history) {
            steps.push(format!("{plain} is still checked out: `{back}` goes back"));
        }
        if history.read_reference(&branch).is_some()
            && let Some(state) = &self.state
            && state.counts.keep > 0
            && state.config().isolation != Isolation::InPlace
        {
            steps.push(format!(
                "`git log -p {}..{plain}` shows what was kept, `git merge {plain}` merges it, and `autoresearch start` on {plain} starts a new run from there",
                state.start.base.short()
            ));
        }
        steps.push("`autoresearch clean` shows what is left and what can be removed".to_owned());
        steps.join(". ")
    }

    /// The refusal of a command that means this run.
    #[must_use]
    pub fn refuse_command(&self, history: &History) -> Failure {
        let run = &self.layout.run;
        Failure::blocked(format!(
            "the run `{run}` was started here, but {}",
            self.describe_loss(history)
        ))
        .hint(self.advise_next(history))
    }
}
