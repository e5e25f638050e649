//! Owns `Project`: a folder with a manifest, and what holds of it.
//! Does not know recipes.
//! Invariant: a condition that is not understood does not hold.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::config::globs::{Globs, is_literal};
use crate::scan::check_kind::CheckKind;
use crate::scan::manifest::ManifestFacts;
use crate::scan::names::{find_ending, is_plain_name};
use crate::scan::stack::{Stack, StackCommand, list_stacks};
use crate::scan::survey::{PACKAGES, Survey};

/// No more projects of a stack are looked at.
const MOST_PROJECTS: usize = 40;
/// Where a project has its own programs, from its folder or one above.
const PROGRAM_FOLDERS: [&str; 4] = ["node_modules/.bin", ".venv/bin", "venv/bin", "vendor/bin"];
/// Folders whose manifests describe something that is only read.
const SAMPLES: [&str; 6] = [
    "fixtures",
    "testdata",
    "templates",
    "examples",
    "example",
    "samples",
];

/// Folders whose sources are not the project's own work.
const FOREIGN: [&str; 12] = [
    "vendor",
    "node_modules",
    "third_party",
    "third-party",
    "external",
    "dist",
    "target",
    "generated",
    "testdata",
    "fixtures",
    "migrations",
    ".measured",
];

/// A program that is not there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct MissingNeed {
    pub name: String,
    pub remedy: String,
}

/// A project of a stack.
pub(super) struct Project<'s> {
    pub stack: &'static Stack,
    pub survey: &'s Survey,
    /// From the repository's root; empty at the root.
    pub folder: String,
    pub facts: ManifestFacts,
    /// Its files, from its folder, sorted.
    pub files: Vec<&'s str>,
    /// Does it lie in another project of its stack?
    pub is_nested: bool,
    /// Bytes of its sources in a hundred of all sources.
    pub share: u64,
}

/// Patterns that the tables have are right; one that is not matches nothing.
pub(super) fn match_any<'f>(
    patterns: &[String],
    files: impl Iterator<Item = &'f str>,
) -> Vec<&'f str> {
    let Ok(globs) = Globs::new(patterns) else {
        return Vec::new();
    };
    files.filter(|file| globs.matches_path(file)).collect()
}

pub(super) fn is_foreign(path: &str) -> bool {
    let folders = path.rsplit_once('/').map_or("", |(folders, _)| folders);
    folders.split('/').any(|folder| FOREIGN.contains(&folder))
}

fn split_path(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

fn is_sample(folder: &str) -> bool {
    folder.split('/').any(|part| SAMPLES.contains(&part))
}

fn join_path(folder: &str, inside: &str) -> String {
    if folder.is_empty() {
        inside.to_owned()
    } else {
        format!("{folder}/{inside}")
    }
}

/// A folder, and those above it up to the root.
fn list_folders_up(folder: &str) -> Vec<&str> {
    let above = std::iter::successors(Some(folder), |folder| {
        (!folder.is_empty()).then(|| split_path(folder).0)
    });
    above.collect()
}

/// The path from a folder, if it lies below it.
pub(super) fn strip_folder<'p>(path: &'p str, folder: &str) -> Option<&'p str> {
    if folder.is_empty() {
        return Some(path);
    }
    path.strip_prefix(folder)?.strip_prefix('/')
}

/// Where the projects of a survey may have programs of their own, from the root: git ignores these, so they have to be
/// looked for.
#[must_use]
pub fn list_installed_places(survey: &Survey) -> BTreeSet<String> {
    list_projects(survey)
        .iter()
        .flat_map(Project::list_installed_places)
        .collect()
}

/// The projects of all stacks; those nearest to the root first.
pub(super) fn list_projects(survey: &Survey) -> Vec<Project<'_>> {
    let known = survey
        .files
        .iter()
        .filter(|file| crate::scan::survey::find_stack_of(&file.path).is_some());
    let all = known.map(|file| file.bytes).sum::<u64>().max(1);
    let mut found = Vec::new();
    for stack in list_stacks() {
        let folders = find_folders(survey, stack);
        for folder in &folders {
            let mut facts = ManifestFacts::default();
            let own = survey
                .manifests
                .iter()
                .filter(|manifest| split_path(&manifest.path).0 == folder);
            for manifest in own.filter(|manifest| is_manifest(stack, &manifest.path)) {
                facts.add_manifest(manifest);
            }
            let is_nested = folders
                .iter()
                .any(|other| other != folder && strip_folder(folder, other).is_some());
            let mut project = Project {
                stack,
                survey,
                folder: folder.clone(),
                facts,
                files: Vec::new(),
                is_nested,
                share: 0,
            };
            project.gather_files(all);
            if project.share > 0 || project.files.iter().any(|file| project.is_source(file)) {
                project.name_parts();
                found.push(project);
            }
        }
    }
    found
}

fn is_manifest(stack: &Stack, path: &str) -> bool {
    !match_any(&stack.manifests, std::iter::once(split_path(path).1)).is_empty()
}

fn find_folders(survey: &Survey, stack: &Stack) -> Vec<String> {
    let Ok(globs) = Globs::new(&stack.manifests) else {
        return Vec::new();
    };
    let paths = survey.files.iter().map(|file| split_path(&file.path));
    let found = paths.filter(|(folder, name)| {
        globs.matches_path(name) && !is_foreign(&format!("{folder}/x")) && !is_sample(folder)
    });
    let folders: BTreeSet<&str> = found.map(|(folder, _)| folder).collect();
    let mut folders: Vec<String> = folders.into_iter().map(ToOwned::to_owned).collect();
    folders.sort_by_key(|folder| {
        (
            folder.split('/').count() * usize::from(!folder.is_empty()),
            folder.clone(),
        )
    });
    folders.truncate(MOST_PROJECTS);
    if folders.is_empty() && stack.loose {
        folders.push(String::new());
    }
    folders
}

impl Project<'_> {
    fn is_source(&self, file: &str) -> bool {
        self.stack
            .endings
            .iter()
            .any(|ending| ending == find_ending(file))
            && !is_foreign(file)
    }

    fn gather_files(&mut self, all: u64) {
        let mut bytes = 0;
        for file in &self.survey.files {
            if let Some(inside) = strip_folder(&file.path, &self.folder) {
                self.files.push(inside);
                if self.is_source(inside) {
                    bytes += file.bytes;
                }
            }
        }
        self.files.sort_unstable();
        self.share = bytes * 100 / all;
    }

    /// What the files say of its parts, where the manifest says nothing.
    fn name_parts(&mut self) {
        let stems = |folder: &str| -> Vec<String> {
            let inside = self
                .files
                .iter()
                .filter_map(|file| file.strip_prefix(folder)?.strip_suffix(".rs"));
            inside
                .filter(|stem| !stem.contains('/') && is_plain_name(stem))
                .map(ToOwned::to_owned)
                .collect()
        };
        let (benches, programs) = (stems("benches/"), stems("src/bin/"));
        if self.facts.benches.is_empty() {
            self.facts.benches = benches;
        }
        if self.facts.executables.is_empty() && self.files.binary_search(&"src/main.rs").is_ok() {
            self.facts.executables.extend(self.facts.name.clone());
        }
        if self.facts.executables.is_empty() {
            self.facts.executables = programs;
        }
    }

    /// Does a condition of a table hold?
    pub(super) fn holds(&self, condition: &str) -> bool {
        if condition.contains('|') {
            return condition.split('|').any(|other| self.holds(other));
        }
        if let Some(other) = condition.strip_prefix('!') {
            return !self.holds(other);
        }
        let (kind, word) = condition.split_once(':').unwrap_or((condition, ""));
        match kind {
            "file" => self.has_file(word),
            "dep" => self.facts.dependencies.contains(word),
            "script" => self.facts.scripts.contains(word),
            "text" => self.facts.text.contains(word),
            "program" => self.survey.machine.programs.contains(word),
            "local" => self.find_tool(word).is_some(),
            "counted" => self
                .sum_counts(word, None)
                .is_some_and(|(matches, _)| matches > 0),
            "workspace" => self.facts.is_workspace,
            "bench" => !self.facts.benches.is_empty(),
            "program-name" => !self.facts.executables.is_empty(),
            _ => false,
        }
    }

    pub(super) fn holds_all(&self, conditions: &[String]) -> bool {
        conditions.iter().all(|condition| self.holds(condition))
    }

    fn has_file(&self, pattern: &str) -> bool {
        if is_literal(pattern) && !pattern.contains('{') {
            return self
                .files
                .binary_search(&pattern.trim_start_matches('/'))
                .is_ok();
        }
        !match_any(&[pattern.to_owned()], self.files.iter().copied()).is_empty()
    }

    /// How a program is called from the project's folder: its own, or one on `PATH`.
    pub(super) fn find_tool(&self, name: &str) -> Option<String> {
        let own = PROGRAM_FOLDERS
            .iter()
            .find_map(|programs| self.find_installed(&format!("{programs}/{name}")));
        own.or_else(|| {
            self.survey
                .machine
                .programs
                .contains(name)
                .then(|| name.to_owned())
        })
    }

    /// Something that is installed in the project's folder or one above, as seen from there.
    fn find_installed(&self, inside: &str) -> Option<String> {
        let folders = list_folders_up(&self.folder).into_iter().enumerate();
        let mut found = folders
            .filter(|(_, folder)| self.survey.installed.contains(&join_path(folder, inside)));
        found
            .next()
            .map(|(ups, _)| format!("{}{inside}", "../".repeat(ups)))
    }

    /// Paths, from the root, at which it may have something installed.
    pub(super) fn list_installed_places(&self) -> Vec<String> {
        let recipes = self
            .stack
            .recipes
            .iter()
            .flat_map(|recipe| recipe.needs.iter().chain(&recipe.when));
        let words = self.stack.list_commands();
        let words = words.flat_map(|command| command.needs.iter().chain(&command.when));
        let names: BTreeSet<&str> = recipes
            .chain(words)
            .flat_map(|need| need.split('|'))
            .filter_map(|need| need.trim_start_matches('!').strip_prefix("local:"))
            .collect();
        let mut places = Vec::new();
        for folder in list_folders_up(&self.folder) {
            places.push(join_path(folder, "node_modules"));
            for name in &names {
                places.extend(
                    PROGRAM_FOLDERS
                        .iter()
                        .map(|programs| join_path(folder, &format!("{programs}/{name}"))),
                );
            }
        }
        places
    }

    /// The command that a word of the table stands for here.
    pub(super) fn choose_word(&self, name: &str) -> Option<&StackCommand> {
        let mut commands = self.stack.words.get(name)?.iter();
        commands.find(|command| self.holds_all(&command.when))
    }

    /// Adds what the words between the braces of a command need.
    fn gather_needs(&self, text: &str, needs: &mut Vec<String>) {
        let names = text.split('{').skip(1);
        for name in names.filter_map(|rest| Some(rest.split_once('}')?.0)) {
            let command = match name {
                "test" => self.choose_check(&[CheckKind::Tests]),
                name => self.choose_word(name),
            };
            if let Some(command) = command {
                needs.extend_from_slice(&command.needs);
                self.gather_needs(&command.command, needs);
            }
        }
    }

    /// What is not there of that which commands need, by themselves and by the words that they use.
    pub(super) fn list_missing_for(&self, own: &[String], commands: &[String]) -> Vec<MissingNeed> {
        let mut needs = own.to_vec();
        for command in commands {
            self.gather_needs(command, &mut needs);
        }
        let mut known = BTreeSet::new();
        needs.retain(|need| known.insert(need.clone()));
        self.list_missing(&needs)
    }

    /// What is not there for a command of the table.
    pub(super) fn list_missing_of(&self, command: &StackCommand) -> Vec<MissingNeed> {
        self.list_missing_for(&command.needs, std::slice::from_ref(&command.command))
    }

    /// What of these is not there, each with how to get it.
    pub(super) fn list_missing(&self, needs: &[String]) -> Vec<MissingNeed> {
        let missing = needs
            .iter()
            .filter(|need| match need.strip_prefix("local:") {
                Some(name) => self.find_tool(name).is_none(),
                None if *need == PACKAGES => {
                    !self.facts.dependencies.is_empty()
                        && self.find_installed("node_modules").is_none()
                }
                None => !self.survey.machine.programs.contains(need.as_str()),
            });
        missing
            .map(|need| {
                let name = need.strip_prefix("local:").unwrap_or(need);
                let remedies = &self.stack.remedies;
                let remedy = remedies
                    .get(name)
                    .or_else(|| remedies.get(if need == name { "" } else { "local" }));
                MissingNeed {
                    name: name.to_owned(),
                    remedy: remedy.cloned().unwrap_or_else(|| format!("install {name}")),
                }
            })
            .collect()
    }

    /// The first check of these kinds whose conditions hold, one that can run before others.
    pub(super) fn choose_check(&self, kinds: &[CheckKind]) -> Option<&'static StackCommand> {
        let mut fitting = self.stack.list_checks(kinds);
        fitting.retain(|command| self.holds_all(&command.when));
        let able = fitting
            .iter()
            .find(|command| self.list_missing_of(command).is_empty());
        able.or(fitting.first()).copied()
    }

    /// Does its folder hold a file that describes it?
    pub(super) fn has_manifest(&self) -> bool {
        let mut own = self.files.iter().filter(|file| !file.contains('/'));
        own.any(|file| is_manifest(self.stack, file))
    }

    /// Matches of a counted pattern in these files, or in all of its sources, and in how many files they are; `None` where
    /// not everything was read.
    pub(super) fn sum_counts(
        &self,
        metric: &str,
        files: Option<&[String]>,
    ) -> Option<(u64, usize)> {
        let globs = files.map(Globs::new).transpose().ok()?;
        let chosen = self.survey.files.iter().filter(|file| match &globs {
            Some(globs) => globs.matches_path(&file.path),
            None => {
                strip_folder(&file.path, &self.folder).is_some_and(|inside| self.is_source(inside))
            }
        });
        let counts: Vec<u64> = chosen
            .filter_map(|file| file.counts.get(metric).copied())
            .collect();
        self.survey
            .is_counted
            .then(|| (counts.iter().sum(), counts.len()))
    }
}

#[cfg(test)]
mod tests;
