//! Owns the way from the words of verify and guard to files: where a word is looked for, and what a pattern matches.
//! Does not choose what is pinned, and reads no file.
//! Invariant: a word that names a file is followed to it from each folder in which the command may stand.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use autoresearch_core::config::globs::Globs;
use autoresearch_core::config::{Config, UserCommand};
use autoresearch_core::shell::executed::{
    FileSearch, SearchKind, list_executed_words, list_searches, list_written_words,
};
use autoresearch_core::shell::uses::find_file_uses;
use autoresearch_core::shell::words::list_command_words;

use autoresearch_sys::env::World;

/// Why a file is pinned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum PinWhy {
    /// Verify or guard name it, and it lies outside the scope.
    Named,
    /// Verify or guard execute it, or take their rules from it.
    Executed,
    /// `pin` or `protect` match it.
    Said,
}

/// Where the words of a command are looked for.
#[derive(Clone, Debug)]
pub(crate) struct CommandSite<'a> {
    /// The work tree.
    pub root: &'a Path,
    /// What `~` stands for.
    pub home: Option<PathBuf>,
}

impl<'a> CommandSite<'a> {
    pub(crate) fn new(world: &World, root: &'a Path) -> Self {
        let home = world.find_variable("HOME").map(PathBuf::from);
        let home = home.filter(|home| home.is_absolute());
        Self { root, home }
    }

    /// Another work tree of the same person.
    pub(crate) fn at<'b>(&self, root: &'b Path) -> CommandSite<'b> {
        let home = self.home.clone();
        CommandSite { root, home }
    }

    /// The path that a word names in a folder.
    pub(crate) fn join_word(&self, folder: &Path, word: &str) -> PathBuf {
        match (word.strip_prefix("~/"), &self.home) {
            (Some(below), Some(home)) => tidy_path(&home.join(below)),
            _ => tidy_path(&folder.join(word)),
        }
    }

    /// The folders in which a command may stand: its own, the root, and each that it names.
    pub(crate) fn list_folders(&self, command: &UserCommand) -> Vec<PathBuf> {
        let base = tidy_path(&self.root.join(&command.working_directory));
        let words = list_command_words(&command.command);
        let named = words.iter().map(|word| tidy_path(&base.join(word)));
        let named = named.filter(|path| path.is_dir() && path.starts_with(self.root));
        let mut folders = vec![base.clone(), self.root.to_owned()];
        folders.extend(named);
        keep_first(folders)
    }

    /// The folders that its words name, wherever they are.
    pub(crate) fn list_named_folders(&self, command: &UserCommand) -> Vec<PathBuf> {
        let words = list_command_words(&command.command);
        let folders = self.list_folders(command);
        let paths = words.iter().flat_map(|word| {
            let folders = folders.iter();
            folders.map(move |folder| self.join_word(folder, word))
        });
        keep_first(paths.filter(|path| path.is_dir()).collect())
    }

    /// Those in which it may stand, and those above each: tools look for their rules there.
    pub(crate) fn list_folders_above(&self, command: &UserCommand) -> Vec<PathBuf> {
        let folders = self.list_folders(command);
        let above = folders.iter().flat_map(|folder| folder.ancestors());
        keep_first(
            above
                .filter(|folder| folder.starts_with(self.root))
                .map(Path::to_owned)
                .collect(),
        )
    }
}

fn keep_first(paths: Vec<PathBuf>) -> Vec<PathBuf> {
    let mut seen = BTreeSet::new();
    let mut paths = paths;
    paths.retain(|path| seen.insert(path.clone()));
    paths
}

/// What a search finds in a folder: the first place that is a file or matches some, and the places before it.
pub(crate) struct SearchResult {
    pub found: Vec<PathBuf>,
    /// In the order of the search; a pattern that matched is the last of them.
    pub before: Vec<PathBuf>,
}

/// Looks in a folder as the program does.
pub(crate) fn search_folder(
    site: &CommandSite<'_>,
    folder: &Path,
    search: &FileSearch,
) -> SearchResult {
    let mut before = Vec::new();
    for place in &search.places {
        let path = site.join_word(folder, place);
        if has_wildcard(&path) {
            let found: Vec<PathBuf> = expand_pattern(&path).into_iter().collect();
            before.push(path);
            if !found.is_empty() {
                return SearchResult { found, before };
            }
        } else if path.is_file() {
            let found = vec![path];
            return SearchResult { found, before };
        } else {
            before.push(path);
        }
    }
    let found = Vec::new();
    SearchResult { found, before }
}

/// Does a path stand for the files that it matches?
pub(crate) fn has_wildcard(path: &Path) -> bool {
    path.as_os_str()
        .as_encoded_bytes()
        .iter()
        .any(|byte| b"*?[".contains(byte))
}

/// The files that a path with wildcards matches, as a shell expands it: a star stops at a slash, and passes over names with
/// a dot.
pub(crate) fn expand_pattern(path: &Path) -> BTreeSet<PathBuf> {
    let mut found = vec![PathBuf::new()];
    for part in path.components() {
        let name = Path::new(&part);
        if !has_wildcard(name) {
            for at in &mut found {
                at.push(name);
            }
            continue;
        }
        let text = name.to_string_lossy().into_owned();
        let Ok(globs) = Globs::new(&[format!("/{text}")]) else {
            return BTreeSet::new();
        };
        let matches = |entry: &std::fs::DirEntry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            (!name.starts_with('.') || text.starts_with('.')) && globs.matches_path(&name)
        };
        found = found
            .iter()
            .flat_map(|folder| std::fs::read_dir(folder).into_iter().flatten().flatten())
            .filter(matches)
            .map(|entry| entry.path())
            .collect();
    }
    found.into_iter().filter(|path| path.is_file()).collect()
}

/// The files that verify and guard name, and whether they execute them.
pub(crate) fn find_named_files(
    site: &CommandSite<'_>,
    config: &Config,
) -> BTreeMap<PathBuf, PinWhy> {
    let mut found = BTreeMap::new();
    for (_, command) in config.list_commands() {
        let executed = list_executed_words(&command.command);
        let written = list_written_words(&command.command);
        let mut all = list_command_words(&command.command);
        all.retain(|word| !written.contains(word));
        let read = find_file_uses(&command.command).read;
        all.retain(|word| read.contains(word) || !has_wildcard(Path::new(word)));
        for file in find_command_files(site, command, &all) {
            found.entry(file).or_insert(PinWhy::Named);
        }
        for file in find_command_files(site, command, &executed) {
            found.insert(file, PinWhy::Executed);
        }
        for search in list_searches(&command.command) {
            let why = tell_why(search.kind);
            for file in find_searched_files(site, command, &search) {
                let known = found.entry(file).or_insert(why);
                *known = (*known).max(why);
            }
        }
    }
    found
}

/// What a search means for what it finds.
pub(crate) fn tell_why(kind: SearchKind) -> PinWhy {
    match kind {
        SearchKind::Executed => PinWhy::Executed,
        SearchKind::Default => PinWhy::Named,
    }
}

fn find_searched_files(
    site: &CommandSite<'_>,
    command: &UserCommand,
    search: &FileSearch,
) -> Vec<PathBuf> {
    let folders = match search.kind {
        SearchKind::Executed => site.list_folders(command),
        SearchKind::Default => site.list_folders_above(command),
    };
    let found = folders
        .iter()
        .flat_map(|folder| search_folder(site, folder, search).found);
    found.filter(|file| is_in_reach(site.root, file)).collect()
}

/// The scripts in a work tree that verify and guard execute.
#[must_use]
pub(crate) fn find_executed_files(site: &CommandSite<'_>, config: &Config) -> Vec<PathBuf> {
    let named = find_named_files(site, config).into_iter();
    named
        .filter(|(_, because)| *because == PinWhy::Executed)
        .map(|(file, _)| file)
        .collect()
}

/// The folders through which verify and guard are led to their files, from the root: a link that takes the place of one
/// leads them elsewhere.
#[must_use]
pub(crate) fn list_ways(config: &Config) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    for (_, command) in config.list_commands() {
        let base = Path::new(&command.working_directory);
        let mut through = |path: &Path, whole: bool| {
            let mut at = PathBuf::new();
            let mut parts = path.components().peekable();
            while let Some(part) = parts.next() {
                at = tidy_path(&at.join(part));
                if whole || parts.peek().is_some() {
                    found.insert(at.clone());
                }
            }
        };
        through(base, true);
        for word in list_command_words(&command.command) {
            if word.contains('/') && !word.starts_with('/') {
                through(&base.join(&word), false);
                through(Path::new(&word), false);
            }
        }
    }
    found
}

/// The name of a path in messages and in the pins: from the root where it lies below it.
#[must_use]
pub(crate) fn name_path(root: &Path, path: &Path) -> String {
    path.strip_prefix(root)
        .unwrap_or(path)
        .to_string_lossy()
        .into_owned()
}

/// Words of the command that are files, or match some.
fn find_command_files(
    site: &CommandSite<'_>,
    command: &UserCommand,
    words: &[String],
) -> Vec<PathBuf> {
    let folders = site.list_folders(command);
    let paths = words.iter().flat_map(|word| {
        let folders = folders.iter();
        folders.map(move |folder| site.join_word(folder, word))
    });
    let mut files: Vec<PathBuf> = paths
        .flat_map(|path| {
            if has_wildcard(&path) && !path.is_file() {
                expand_pattern(&path)
            } else {
                BTreeSet::from([path])
            }
        })
        .filter(|path| path.is_file() && is_in_reach(site.root, path))
        .collect();
    files.sort();
    files.dedup();
    files
}

/// Is it more than a part of the system? System programs change with the system; what counts is what lies in reach of an
/// agent.
pub(crate) fn is_in_reach(root: &Path, path: &Path) -> bool {
    let system = [
        "/bin", "/usr", "/sbin", "/lib", "/lib64", "/dev", "/proc", "/nix", "/opt",
    ];
    path.starts_with(root) || !system.iter().any(|folder| path.starts_with(folder))
}

/// The path without `.` and `..`, by its text alone.
pub(crate) fn tidy_path(path: &Path) -> PathBuf {
    let mut tidy = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                tidy.pop();
            }
            part => tidy.push(part),
        }
    }
    tidy
}

#[cfg(test)]
mod tests;
