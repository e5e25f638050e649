//! Owns `Survey`: the facts about a repository and a machine from which configs are proposed.
//! Does not collect them.
//! Invariant: a path in it is plain text: no control character, no folder above.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::scan::manifest::Manifest;
use crate::scan::names::find_ending;
use crate::scan::stack::{CountedPattern, Stack, list_stacks};

/// A need that is met where the packages of a project are installed.
pub(super) const PACKAGES: &str = "packages";

/// What was found out without running anything.
#[derive(Clone, Debug, Default)]
pub struct Survey {
    pub files: Vec<SurveyFile>,
    pub manifests: Vec<Manifest>,
    /// Files that git ignores and that were looked for: programs that a project has installed.
    pub installed: BTreeSet<String>,
    /// The last release, where it was asked for and there is one.
    pub release: Option<LastRelease>,
    /// The folder from which somebody asks, from the root; empty at the root.
    pub here: String,
    /// Files with names that no command line should hold.
    pub left_out: usize,
    /// Were all sources read, so that what was counted is what a gauge would count?
    pub is_counted: bool,
    pub machine: Machine,
}

/// The last release that git knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LastRelease {
    pub tag: String,
    /// What its commit changed, from the root.
    pub files: Vec<String>,
}

/// A file that git tracks or would track.
#[derive(Clone, Debug, Default)]
pub struct SurveyFile {
    /// From the repository's root.
    pub path: String,
    pub bytes: u64,
    /// Matches of the patterns of its stack, by metric.
    pub counts: BTreeMap<String, u64>,
}

/// What the machine has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Machine {
    pub cores: usize,
    pub memory_bytes: Option<u64>,
    pub free_bytes: Option<u64>,
    pub gpu: bool,
    pub container: bool,
    /// Programs on `PATH`, of those that a stack names.
    pub programs: BTreeSet<String>,
}

/// How much of the repository is in a language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Language {
    pub name: String,
    pub files: usize,
    pub bytes: u64,
}

impl Survey {
    /// The languages, the largest first. Stacks with the same sources, such as two build tools, are one.
    #[must_use]
    pub fn list_languages(&self) -> Vec<Language> {
        let mut found: BTreeMap<&str, Language> = BTreeMap::new();
        for file in &self.files {
            let Some(stack) = find_stack_of(&file.path) else {
                continue;
            };
            let name = stack.endings.first().map_or("", String::as_str);
            let language = found.entry(name).or_insert_with(|| Language {
                name: stack
                    .title
                    .split(" (")
                    .next()
                    .unwrap_or_default()
                    .to_owned(),
                files: 0,
                bytes: 0,
            });
            language.files += 1;
            language.bytes += file.bytes;
        }
        let mut all: Vec<Language> = found.into_values().collect();
        all.sort_by(|one, other| other.bytes.cmp(&one.bytes).then(one.name.cmp(&other.name)));
        all
    }

    /// Files that say how continuous integration runs.
    #[must_use]
    pub fn list_ci_files(&self) -> Vec<&str> {
        let known = [
            ".gitlab-ci.yml",
            ".travis.yml",
            "azure-pipelines.yml",
            "Jenkinsfile",
            ".circleci/config.yml",
            ".cirrus.yml",
        ];
        let paths = self.files.iter().map(|file| file.path.as_str());
        paths
            .filter(|path| {
                let is_action = path
                    .strip_prefix(".github/workflows/")
                    .is_some_and(|name| !name.contains('/'));
                is_action || known.contains(path)
            })
            .collect()
    }
}

/// The first stack whose sources end as this path does.
#[must_use]
pub fn find_stack_of(path: &str) -> Option<&'static Stack> {
    let ending = find_ending(path);
    list_stacks()
        .iter()
        .find(|stack| stack.endings.iter().any(|known| known == ending))
}

/// What is counted in a path's sources, by the stack of its ending: each metric once. Stacks with the same sources, such as
/// two build tools, count together.
#[must_use]
pub fn list_counts_of(stack: &Stack) -> Vec<&'static CountedPattern> {
    let same = list_stacks()
        .iter()
        .filter(|other| other.endings.first() == stack.endings.first());
    let mut counts: Vec<&CountedPattern> = Vec::new();
    for counted in same.flat_map(|stack| &stack.counts) {
        if !counts.iter().any(|known| known.metric == counted.metric) {
            counts.push(counted);
        }
    }
    counts
}

/// Every program that some stack may need, to be looked for on `PATH`.
#[must_use]
pub fn list_programs() -> BTreeSet<&'static str> {
    let mut programs = BTreeSet::new();
    for stack in list_stacks() {
        let commands = stack
            .list_commands()
            .map(|command| (&command.needs, &command.when));
        let recipes = stack
            .recipes
            .iter()
            .map(|recipe| (&recipe.needs, &recipe.when));
        for (needs, conditions) in commands.chain(recipes) {
            let needs = needs.iter().filter(|need| *need != PACKAGES);
            // What a project has not installed may be there for all.
            programs.extend(needs.map(|need| need.strip_prefix("local:").unwrap_or(need)));
            let conditions = conditions.iter().flat_map(|one| one.split('|'));
            programs.extend(conditions.filter_map(|condition| {
                let bare = condition.trim_start_matches('!');
                bare.strip_prefix("program:")
                    .or_else(|| bare.strip_prefix("local:"))
            }));
        }
    }
    programs
}

#[cfg(test)]
mod tests;

#[cfg(test)]
pub(super) mod sample;
