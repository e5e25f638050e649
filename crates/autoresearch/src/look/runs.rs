//! Owns `runs`: the runs of a repository, in each of its work trees, the newest first.
//! Does not lock or change a run, and measures nothing.
//! Invariant: a run that cannot be read is named with its reason, and hides no other.

use std::cmp::Reverse;
use std::fmt;
use std::path::{Path, PathBuf};

use autoresearch_core::metric::unit::Unit;
use autoresearch_core::metric::value::Value;
use autoresearch_core::words::text::{clip_text, escape_text, format_count};
use serde::Serialize;

use crate::night::supervisor::{SupervisorPhase, read_runtime};
use crate::run::driven::find_driver;
use crate::run::lost::{LostRun, find_lost_runs};
use crate::run::place::{Place, caller_variables, history_around, is_own_tree};
use autoresearch_sys::env::{World, clock_text};
use autoresearch_sys::error::{Failure, Result};
use autoresearch_sys::git::Git;
use autoresearch_sys::store::{Access, Layout, RunStore, find_holder};

/// How much of a goal stands in a line of the text.
const GOAL: usize = 60;

/// The answer of `runs`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct RunList {
    pub runs: Vec<ListedRun>,
}

/// A run of the repository.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ListedRun {
    pub run: String,
    /// The work tree in which it was started.
    pub folder: String,
    /// `running` (a process works on it), `active`, `paused`, `ended`, `lost` (its files are gone) or `unreadable`.
    pub state: &'static str,
    /// Its named end, when it has come.
    pub end: Option<&'static str>,
    /// Was it left for the branch of before?
    pub finished: bool,
    /// What is wrong with one that is lost or unreadable.
    pub problem: Option<String>,
    pub goal: Option<String>,
    pub metric: Option<String>,
    /// Which way is better.
    pub direction: Option<&'static str>,
    #[serde(skip_serializing_if = "Unit::is_none")]
    pub unit: Unit,
    /// The value at start.
    pub baseline: Option<Value>,
    /// The best kept value.
    pub best: Option<Value>,
    /// Trials that count.
    pub trials: u32,
    pub kept: u32,
    pub branch: Option<String>,
    /// When it began, in milliseconds since 1970.
    pub started_ms: Option<u64>,
    /// Does the text have to name its folder?
    #[serde(skip)]
    pub elsewhere: bool,
}

/// Looks at every run of the repository; of one name only, where one was given.
pub(crate) fn list_runs(world: &World, place: &Place) -> Result<RunList> {
    let (root, inside) = place.find_root(world)?;
    let wanted = place.run.clone().or(inside);
    let mut runs = Vec::new();
    for folder in list_folders(world, &root)? {
        let mut here: Vec<ListedRun> = Layout::list_runs(&folder)
            .iter()
            .map(|name| look_at_run(world, &Layout::new(&folder, name)))
            .collect();
        if let Ok(history) = history_around(world, &folder) {
            let lost = find_lost_runs(world, &history, &folder);
            here.extend(lost.iter().map(|lost| {
                let problem = lost.describe_loss(&history);
                describe_lost_run(world, lost, problem)
            }));
        }
        for run in &mut here {
            run.elsewhere = folder != root;
        }
        runs.extend(here);
    }
    if let Some(wanted) = &wanted {
        runs.retain(|run| run.run == *wanted);
        if runs.is_empty() && place.run.is_some() {
            return Err(
                Failure::usage(format!("there is no run `{wanted}` in this repository"))
                    .hint("`autoresearch runs` without --run lists all of them"),
            );
        }
    }
    runs.sort_by_key(|run| (Reverse(run.started_ms), run.folder.clone(), run.run.clone()));
    Ok(RunList { runs })
}

/// The work trees in which runs can have been started: this one first, and none that a run made for itself.
fn list_folders(world: &World, root: &Path) -> Result<Vec<PathBuf>> {
    let program = World::find_program(&world.vars, "git")
        .ok_or_else(|| Failure::environment("git was not found on PATH"))?;
    let git = Git::new(&program, root, &caller_variables(world)).obeying(world);
    let mut folders = vec![root.to_owned()];
    for tree in git.list_work_trees()? {
        let is_own = is_own_tree(world, &tree.path);
        if tree.path != root && !is_own && tree.path.is_dir() {
            folders.push(tree.path);
        }
    }
    Ok(folders)
}

fn look_at_run(world: &World, layout: &Layout) -> ListedRun {
    let store = match RunStore::open_run(world, layout.clone(), Access::Glance, "look") {
        Ok(store) => store,
        Err(error) => {
            return ListedRun {
                problem: Some(Failure::from(error).error),
                ..make_unknown(world, layout, "unreadable")
            };
        }
    };
    let state = &store.state;
    let config = state.config();
    ListedRun {
        state: find_state_word(&store),
        end: state.end.as_ref().map(|ending| ending.end.as_str()),
        finished: state.finish.is_some(),
        goal: Some(config.goal.clone()),
        metric: Some(config.metric.name.clone()),
        direction: Some(config.metric.direction.as_str()),
        unit: state.metric_unit(),
        baseline: Some(state.start.measurement.value.clone()),
        best: Some(state.incumbent.measurement.value.clone()),
        trials: state.counts.count_iterations(),
        kept: state.counts.keep,
        branch: Some(state.start.branch.short().to_owned()),
        started_ms: Some(state.start.started_ms),
        ..make_unknown(world, layout, "active")
    }
}

fn find_state_word(store: &RunStore<'_>) -> &'static str {
    let folder = &store.anchor_folder;
    if store.state.end.is_some() {
        return "ended";
    }
    if find_holder(folder).is_some() || find_driver(folder).is_some() {
        return "running";
    }
    let session = store.layout.read_session();
    let left = read_runtime(&store.layout);
    let is_paused = session.is_some_and(|session| session.paused)
        || left.is_some_and(|runtime| runtime.phase == SupervisorPhase::Paused);
    if is_paused { "paused" } else { "active" }
}

fn describe_lost_run(world: &World, lost: &LostRun, problem: String) -> ListedRun {
    let state = lost.state.as_ref();
    let known = state.map(|state| (&state.start, state.config()));
    ListedRun {
        problem: Some(problem),
        goal: known.map(|(_, config)| config.goal.clone()),
        metric: known.map(|(_, config)| config.metric.name.clone()),
        direction: known.map(|(_, config)| config.metric.direction.as_str()),
        baseline: known.map(|(start, _)| start.measurement.value.clone()),
        best: state.map(|state| state.incumbent.measurement.value.clone()),
        trials: state.map_or(0, |state| state.counts.count_iterations()),
        kept: state.map_or(0, |state| state.counts.keep),
        branch: known.map(|(start, _)| start.branch.short().to_owned()),
        started_ms: known.map(|(start, _)| start.started_ms),
        ..make_unknown(world, &lost.layout, "lost")
    }
}

/// A run of which nothing is known but its place.
fn make_unknown(world: &World, layout: &Layout, state: &'static str) -> ListedRun {
    ListedRun {
        run: layout.run.clone(),
        folder: world.path_from_here(&layout.root),
        state,
        end: None,
        finished: false,
        problem: None,
        goal: None,
        metric: None,
        direction: None,
        unit: Unit::default(),
        baseline: None,
        best: None,
        trials: 0,
        kept: 0,
        branch: None,
        started_ms: None,
        elsewhere: false,
    }
}

impl ListedRun {
    /// `ended: target`, and what is still to do about it.
    fn format_state(&self) -> String {
        match (self.end, self.finished) {
            (Some(end), true) => format!("ended: {end}"),
            (Some(end), false) => format!("ended: {end}, not finished"),
            (None, _) => self.state.to_owned(),
        }
    }

    /// `any_count 47 ms -> 40 ms`
    fn format_standing(&self) -> Option<String> {
        let (metric, baseline, best) = (
            self.metric.as_ref()?,
            self.baseline.as_ref()?,
            self.best.as_ref()?,
        );
        let change = self.unit.format_change(baseline, best);
        Some(format!("{metric} {change}"))
    }
}

impl fmt::Display for ListedRun {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}  {}", self.run, self.format_state())?;
        if let Some(standing) = self.format_standing() {
            let trials = format_count(self.trials, "trial");
            write!(out, ", {standing}, {trials}, {} kept", self.kept)?;
        }
        if self.elsewhere {
            write!(out, ", in {}", self.folder)?;
        }
        if let Some(started) = self.started_ms {
            write!(out, ", started {}", clock_text(started))?;
        }
        if let Some(goal) = &self.goal {
            write!(out, "\n  {}", clip_text(&escape_text(goal), GOAL))?;
        }
        match &self.problem {
            Some(problem) => write!(out, "\n  {}", escape_text(problem)),
            None => Ok(()),
        }
    }
}

impl fmt::Display for RunList {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.runs.is_empty() {
            return out.write_str(
                "no run was started in this repository; `autoresearch start --config FILE` starts one",
            );
        }
        let lines: Vec<String> = self.runs.iter().map(ToString::to_string).collect();
        out.write_str(&lines.join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn make_run() -> ListedRun {
        ListedRun {
            run: "fewer-any".to_owned(),
            folder: "/home/you/shop".to_owned(),
            state: "ended",
            end: Some("target"),
            finished: true,
            problem: None,
            goal: Some("Fewer\nany".to_owned()),
            metric: Some("any".to_owned()),
            direction: Some("lower"),
            unit: Unit::from_text("ms"),
            baseline: Some(47.into()),
            best: Some(40.into()),
            trials: 1,
            kept: 1,
            branch: Some("autoresearch/fewer-any".to_owned()),
            started_ms: None,
            elsewhere: false,
        }
    }

    #[test]
    fn a_run_is_told_in_a_line_with_its_goal_below() {
        let unfinished = ListedRun {
            finished: false,
            elsewhere: true,
            trials: 3,
            ..make_run()
        };
        let list = RunList {
            runs: vec![make_run(), unfinished],
        };
        insta::assert_snapshot!(list, @r"
        fewer-any  ended: target, any 47 ms -> 40 ms, 1 trial, 1 kept
          Fewer\nany
        fewer-any  ended: target, not finished, any 47 ms -> 40 ms, 3 trials, 1 kept, in /home/you/shop
          Fewer\nany
        ");
    }

    #[test]
    fn a_run_that_cannot_be_read_says_why_and_nothing_that_is_not_known() {
        let list = RunList {
            runs: vec![ListedRun {
                state: "unreadable",
                end: None,
                problem: Some("its journal was edited".to_owned()),
                goal: None,
                metric: None,
                ..make_run()
            }],
        };
        insta::assert_snapshot!(list, @r"
        fewer-any  unreadable
          its journal was edited
        ");
        let none = RunList { runs: Vec::new() };
        assert!(none.to_string().starts_with("no run was started"));
    }
}
