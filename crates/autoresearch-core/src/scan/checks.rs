//! Owns the checks of a project: what passes or fails, in the order of repair, and the config that brings a broken one to zero.
//! Does not run one: it is told what passed.
//! Invariant: a guard holds what passed, and nothing that is broken.

use std::time::Duration;

use serde_json::{Value, json};

use crate::config::span::format_span;
use crate::scan::candidate::{Candidate, CandidateMaker, write_script};
use crate::scan::check_kind::CheckKind;
use crate::scan::goal::Wish;
use crate::scan::names::find_ending;
use crate::scan::patterns::FilePatterns;
use crate::scan::project::{MissingNeed, Project, list_projects, strip_folder};
use crate::scan::stack::{Measure, Recipe};
use crate::scan::survey::Survey;

/// The metric of what nothing counts.
const FAILED_RUNS: &str = "failed_runs";
/// So many runs of a check are made where its exit status is all that is known of it: no fewer can be asked for.
pub const STATUS_RUNS: u32 = 2;

/// A command of a project that passes or fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    pub kind: CheckKind,
    /// Whose findings it tells, where they can be counted.
    pub tool: Option<String>,
    /// Each has to succeed.
    pub lines: Vec<String>,
    /// What this machine lacks for it.
    pub missing: Vec<MissingNeed>,
}

impl Check {
    /// The lines as a script that ends at the first failure.
    #[must_use]
    pub fn to_script(&self) -> String {
        write_script(&self.lines)
    }
}

/// Which project is meant: of the one in a folder, from the root, or of those around it; and of which stack.
#[derive(Clone, Debug, Default)]
pub struct WantedProject {
    pub folder: String,
    /// A part of the stack's title.
    pub stack: Option<String>,
}

/// A project whose checks are known.
pub struct CheckedProject<'s> {
    project: Project<'s>,
    patterns: FilePatterns,
    /// Nobody asked for anything.
    wish: Wish,
    pub checks: Vec<Check>,
    /// The other projects: the folder, and the stack.
    pub others: Vec<(String, String)>,
}

/// The projects in the nearest folder at or above the wanted one; where no file describes one there, also those below it.
fn find_nearest(projects: &[Project<'_>], wanted: &WantedProject) -> Option<usize> {
    let named = wanted.stack.as_ref().map(|stack| stack.to_lowercase());
    let fits = |project: &Project<'_>| {
        let title = project.stack.title.to_lowercase();
        named.as_ref().is_none_or(|named| title.contains(named))
    };
    let all = || {
        projects
            .iter()
            .enumerate()
            .filter(|(_, project)| fits(project))
    };
    let is_around = |project: &Project<'_>| {
        wanted.folder == project.folder || strip_folder(&wanted.folder, &project.folder).is_some()
    };
    let around = all().filter(|(_, project)| is_around(project));
    let nearest = around.map(|(_, project)| project.folder.len()).max();
    let here = || all().filter(|(_, it)| is_around(it) && Some(it.folder.len()) == nearest);
    let below = || all().filter(|(_, it)| strip_folder(&it.folder, &wanted.folder).is_some());
    let described: Vec<_> = here()
        .filter(|(_, project)| project.has_manifest())
        .collect();
    let choices: Vec<_> = if described.is_empty() {
        here().chain(below()).collect()
    } else {
        described
    };
    // Of equal ones the first: those nearest to the root, in the order of the tables.
    let best = choices
        .into_iter()
        .rev()
        .max_by_key(|(_, project)| project.share);
    best.map(|(at, _)| at)
}

impl<'s> CheckedProject<'s> {
    /// The project that is meant; `None` where there is none.
    #[must_use]
    pub fn find(survey: &'s Survey, wanted: &WantedProject) -> Option<Self> {
        let mut projects = list_projects(survey);
        let project = projects.remove(find_nearest(&projects, wanted)?);
        // A workspace checks its members.
        let is_member = |other: &Project<'_>| {
            let mut all = projects.iter().chain([&project]);
            all.any(|whole| {
                whole.facts.is_workspace
                    && other.stack.title == whole.stack.title
                    && other.folder != whole.folder
                    && strip_folder(&other.folder, &whole.folder).is_some()
            })
        };
        let others = projects.iter().filter(|other| !is_member(other));
        let others = others
            .map(|other| (show_folder(&other.folder), other.stack.title.clone()))
            .collect();
        let mut checked = Self {
            patterns: FilePatterns::of_project(&project),
            project,
            wish: Wish::default(),
            checks: Vec::new(),
            others,
        };
        checked.checks = checked.list_checks();
        Some(checked)
    }

    fn list_checks(&self) -> Vec<Check> {
        let maker = self.maker();
        let kinds = self.project.stack.checks.keys();
        let checks = kinds.filter_map(|kind| {
            let command = self.project.choose_check(&[*kind])?;
            let text = maker.words().fill_command(&command.command)?;
            Some(Check {
                kind: *kind,
                tool: command.tool.clone(),
                lines: text.lines().map(ToOwned::to_owned).collect(),
                missing: self.project.list_missing_of(command),
            })
        });
        checks.collect()
    }

    fn maker(&self) -> CandidateMaker<'_, 's> {
        CandidateMaker {
            project: &self.project,
            patterns: &self.patterns,
            wish: &self.wish,
        }
    }

    /// Patterns of its sources and tests, from the root.
    pub(super) fn list_code_patterns(&self) -> Vec<String> {
        [&self.patterns.sources[..], &self.patterns.tests].concat()
    }

    /// The endings of its sources that there are.
    pub(super) fn list_endings(&self) -> Vec<&'s str> {
        let endings = self.project.stack.endings.iter().map(String::as_str);
        let has = |ending: &&str| {
            let mut files = self.project.files.iter();
            files.any(|file| find_ending(file) == *ending)
        };
        endings.filter(has).collect()
    }

    /// The keys with which it could be released from a separate work tree.
    pub(super) fn write_worktree(&self) -> Value {
        self.maker().write_worktree()
    }

    /// What its stack is called.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.project.stack.title
    }

    /// Its folder from the root; `.` for the root.
    #[must_use]
    pub fn folder(&self) -> String {
        show_folder(&self.project.folder)
    }

    /// A config that counts what a check finds, where the recipe of its tool can run here. It has no guard yet.
    #[must_use]
    pub fn make_counter(&self, check: &Check) -> Option<Candidate> {
        let tool = check.tool.as_ref()?;
        let mut recipes = self.project.stack.recipes.iter();
        let counts =
            |recipe: &&Recipe| recipe.aim == check.kind.aim() && recipe.tool.as_ref() == Some(tool);
        let candidate = self.make_fix(recipes.find(counts)?)?;
        candidate.missing.is_empty().then_some(candidate)
    }

    /// A config that counts how many of a few runs of a check fail: for what nothing counts. It has no guard yet.
    #[must_use]
    pub fn make_status(&self, check: &Check) -> Option<Candidate> {
        let goal = match check.kind {
            CheckKind::Build => "Make the build pass",
            CheckKind::Tests => "Make the tests pass",
            CheckKind::Types => "Make the check of types pass",
            CheckKind::Lint => "Make the linter pass",
        };
        let recipe = Recipe {
            aim: check.kind.aim(),
            tool: None,
            goal: goal.to_owned(),
            when: Vec::new(),
            needs: Vec::new(),
            measure: Measure::ExitRate(String::new()),
            target: Some("0".to_owned()),
            scope: Vec::new(),
            why: "nothing counts what it finds, so the runs of it that fail are the number"
                .to_owned(),
            metric: FAILED_RUNS.to_owned(),
        };
        let mut candidate = self.make_fix(&recipe)?;
        let verify = candidate.config["verify"].as_object_mut()?;
        verify.remove("vary");
        verify.insert("exit_rate".to_owned(), json!(check.to_script()));
        verify.insert("runs".to_owned(), json!(STATUS_RUNS));
        Some(candidate)
    }

    fn make_fix(&self, recipe: &Recipe) -> Option<Candidate> {
        let mut candidate = self.maker().write_recipe(recipe)?;
        let keys = candidate.config.as_object_mut()?;
        keys.remove("guard");
        keys.insert("mode".to_owned(), json!("fix"));
        Some(candidate)
    }

    /// Gives a config its time limits, and has it keep what passed: each of these has to pass, in one script.
    pub fn guard_with(&self, candidate: &mut Candidate, passing: &[&Check], limit: Duration) {
        candidate.config["verify"]["timeout"] = json!(format_span(limit));
        let Ok(checks) = u32::try_from(passing.len()) else {
            return;
        };
        if checks == 0 {
            return;
        }
        let mut lines: Vec<String> = Vec::new();
        for line in passing.iter().flat_map(|check| &check.lines) {
            // What a later check repeats of an earlier one has passed already.
            if !lines.contains(line) {
                lines.push(line.clone());
            }
        }
        let mut guard = self.maker().write_guard(&lines);
        guard["timeout"] = json!(format_span(limit.saturating_mul(checks)));
        candidate.config["guard"] = guard;
    }
}

fn show_folder(folder: &str) -> String {
    if folder.is_empty() { "." } else { folder }.to_owned()
}

#[cfg(test)]
mod tests;
