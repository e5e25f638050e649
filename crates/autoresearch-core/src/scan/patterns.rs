//! Owns the patterns of a proposed config: which files are sources, tests and settings of a project, as few patterns as say it.
//! Does not know what is measured.
//! Invariant: a folder's name stands in a pattern literally, whatever letters it has, and no scope holds a protected file.

use std::collections::BTreeSet;

use crate::scan::names::find_ending;
use crate::scan::project::{Project, is_foreign, match_any};

/// With more folders than these, a pattern for each says less than one for all.
const MOST_FOLDERS: usize = 4;
/// Which files of a project, as patterns from the repository's root.
pub(super) struct FilePatterns {
    pub sources: Vec<String>,
    pub tests: Vec<String>,
    pub configs: Vec<String>,
    /// Folders of the sources, from the project's folder.
    pub source_folders: Vec<String>,
}

/// Letters that mean something in a pattern, made plain.
pub(super) fn escape_pattern(name: &str) -> String {
    let mut plain = String::new();
    for letter in name.chars() {
        if r"*?[]{}\!".contains(letter) {
            plain.push('\\');
        }
        plain.push(letter);
    }
    plain
}

/// A pattern of a project's folder, from the repository's root.
pub(super) fn root_pattern(folder: &str, pattern: &str) -> String {
    let bare = pattern.trim_start_matches('/');
    let is_anchored = bare.len() < pattern.len() || bare.trim_end_matches('/').contains('/');
    match (folder.is_empty(), is_anchored) {
        (true, _) => pattern.to_owned(),
        (false, true) => format!("{}/{bare}", escape_pattern(folder)),
        (false, false) => format!("{}/**/{bare}", escape_pattern(folder)),
    }
}

impl FilePatterns {
    pub(super) fn of_project(project: &Project<'_>) -> Self {
        let stack = project.stack;
        let existing = |patterns: &[String]| list_existing(patterns, &project.files);
        let (tests, configs) = (existing(&stack.tests), existing(&stack.configs));
        let no_source: BTreeSet<&str> = match_any(
            &[&tests[..], &configs[..]].concat(),
            project.files.iter().copied(),
        )
        .into_iter()
        .collect();
        let is_source = |file: &&&str| {
            stack
                .endings
                .iter()
                .any(|ending| ending == find_ending(file))
                && !is_foreign(file)
                && !no_source.contains(**file)
        };
        let sources: Vec<&str> = project.files.iter().filter(is_source).copied().collect();
        let rooted = |patterns: Vec<String>| {
            patterns
                .iter()
                .map(|pattern| root_pattern(&project.folder, pattern))
                .collect()
        };
        let (patterns, source_folders) = summarise_sources(&stack.endings, &sources);
        Self {
            sources: rooted(patterns),
            tests: rooted(tests),
            configs: rooted(configs),
            source_folders,
        }
    }
}

/// The patterns that name something, without those that name nothing new.
fn list_existing(patterns: &[String], files: &[&str]) -> Vec<String> {
    let mut known = BTreeSet::new();
    let mut found = Vec::new();
    for pattern in patterns
        .iter()
        .flat_map(|pattern| narrow_pattern(pattern, files))
    {
        let matched = match_any(std::slice::from_ref(&pattern), files.iter().copied());
        let before = known.len();
        known.extend(matched);
        if known.len() > before {
            found.push(pattern);
        }
    }
    found
}

/// A pattern of any depth as patterns of the folders that have such files: one of any depth would also name what git
/// ignores, such as installed packages. None where no file matches.
fn narrow_pattern(pattern: &String, files: &[&str]) -> Vec<String> {
    let matched: Vec<&str> = match_any(std::slice::from_ref(pattern), files.iter().copied())
        .into_iter()
        .filter(|file| !is_foreign(file))
        .collect();
    let Some(rest) = pattern.strip_prefix("**/").filter(|_| !matched.is_empty()) else {
        return if matched.is_empty() {
            Vec::new()
        } else {
            vec![pattern.clone()]
        };
    };
    let tops: BTreeSet<&str> = matched
        .iter()
        .map(|file| file.split_once('/').map_or("", |(top, _)| top))
        .collect();
    if tops.len() > MOST_FOLDERS {
        return vec![pattern.clone()];
    }
    let narrowed = tops.into_iter().map(|top| {
        let below = matched.iter().copied();
        let below = below.filter(|file| file.split_once('/').map_or("", |(top, _)| top) == top);
        narrow_to_top(top, rest, &below.collect::<Vec<_>>())
    });
    let narrowed: Option<Vec<Vec<String>>> = narrowed.collect();
    narrowed.map_or_else(|| vec![pattern.clone()], |patterns| patterns.concat())
}

/// `**/rest` as patterns below one folder that match all of these files; `None` where none do. `src/test/**` has files
/// below `src` itself and deeper, so one form alone could leave tests out.
fn narrow_to_top(top: &str, rest: &str, files: &[&str]) -> Option<Vec<String>> {
    if top.is_empty() {
        return Some(vec![format!("/{rest}")]);
    }
    let deep = format!("{}/**/{rest}", escape_pattern(top));
    let begins = |(first, _): &(&str, &str)| {
        !match_any(&[format!("/{first}")], std::iter::once(top)).is_empty()
    };
    let short = rest
        .split_once('/')
        .filter(begins)
        .map(|(_, inner)| format!("{}/{inner}", escape_pattern(top)));
    let matches_all =
        |patterns: &[String]| match_any(patterns, files.iter().copied()).len() == files.len();
    let choices = match short {
        Some(short) => vec![vec![short.clone()], vec![deep.clone()], vec![short, deep]],
        None => vec![vec![deep]],
    };
    choices.into_iter().find(|patterns| matches_all(patterns))
}

/// Patterns for these files, and the folders that they name.
fn summarise_sources(endings: &[String], sources: &[&str]) -> (Vec<String>, Vec<String>) {
    let present: Vec<&str> = endings
        .iter()
        .map(String::as_str)
        .filter(|ending| sources.iter().any(|file| find_ending(file) == *ending))
        .collect();
    let ending = match present.as_slice() {
        [] => return (Vec::new(), Vec::new()),
        [one] => (*one).to_owned(),
        several => format!("{{{}}}", several.join(",")),
    };
    let tops: BTreeSet<&str> = sources
        .iter()
        .filter_map(|file| Some(file.split_once('/')?.0))
        .collect();
    let at_root = sources.iter().any(|file| !file.contains('/'));
    if tops.len() > MOST_FOLDERS {
        return (vec![format!("**/*.{ending}")], Vec::new());
    }
    let folders = tops
        .iter()
        .map(|top| format!("{}/**/*.{ending}", escape_pattern(top)));
    let root = at_root.then(|| format!("/*.{ending}"));
    let names = if at_root {
        Vec::new()
    } else {
        tops.iter().map(|top| (*top).to_owned()).collect()
    };
    (folders.chain(root).collect(), names)
}

/// The patterns of a scope, without the files that others protect.
pub(super) fn take_out<'f>(
    scope: Vec<String>,
    others: &[String],
    files: impl Iterator<Item = &'f str> + Clone,
) -> Vec<String> {
    let inside = match_any(&scope, files);
    let overlaps = others.iter().filter(|pattern| {
        !pattern.starts_with('!')
            && !match_any(std::slice::from_ref(pattern), inside.iter().copied()).is_empty()
    });
    let out: Vec<String> = overlaps.map(|pattern| format!("!{pattern}")).collect();
    [scope, out].concat()
}

#[cfg(test)]
mod tests;
