//! Owns the answer to a command that failed in a tree of a run: what it names that the user's checkout has and the tree has
//! not.
//! Does not run anything, and brings nothing.
//! Invariant: what is named is ignored or untracked in the checkout, and is not in the tree.

use std::fs;
use std::path::{Component, Path, PathBuf};

use autoresearch_core::config::UserCommand;
use autoresearch_core::shell::words::list_command_words;
use autoresearch_core::words::text::escape_text;

use autoresearch_sys::error::Result;
use autoresearch_sys::git::Git;
use autoresearch_sys::git::status::StatusKind;
use autoresearch_sys::process::TreeView;
use autoresearch_sys::store::FOLDER;

/// Words by which programs say that something is not there.
const MARKERS: [&str; 22] = [
    "no such file",
    "not found",
    "cannot find",
    "can't find",
    "could not find",
    "does not exist",
    "doesn't exist",
    "enoent",
    "chdir",
    "can't cd",
    "can't open",
    "cannot open",
    "cannot access",
    "no module named",
    "could not resolve",
    "can't resolve",
    "not a directory",
    "couldn't read",
    "no matching files",
    "no rule to make",
    "failed to open",
    "failed to load",
];
/// More names than these are not read.
const MOST: usize = 3;

/// What a tree does not have of the checkout.
#[derive(Clone, Debug, PartialEq, Eq)]
struct AbsentPath {
    /// From the root.
    path: PathBuf,
    is_folder: bool,
    is_ignored: bool,
}

impl AbsentPath {
    /// Its name in a sentence.
    fn show(&self) -> String {
        let mark = if self.is_folder { "/" } else { "" };
        format!("`{}{mark}`", escape_text(&self.path.to_string_lossy()))
    }
}

/// What failed in a tree.
pub(crate) struct FailedCommand<'a> {
    /// git in the user's checkout.
    pub checkout: &'a Git,
    pub tree: &'a Path,
    /// The commands, of which one failed.
    pub commands: Vec<&'a UserCommand>,
    /// The end of its output.
    pub output: &'a str,
    /// The view in which it ran.
    pub view: Option<&'a TreeView>,
}

/// The sentence on what the failed command misses, if its output or its text names it.
pub(crate) fn explain_missing(failed: &FailedCommand<'_>) -> Option<String> {
    let absent = list_absent(failed).ok()?;
    let named = find_named(failed, &absent);
    let (ignored, untracked): (Vec<&AbsentPath>, Vec<_>) =
        named.into_iter().partition(|path| path.is_ignored);
    let join = |paths: &[&AbsentPath]| {
        let shown = paths.iter().take(MOST).map(|path| path.show());
        let verb = if paths.len() == 1 { "is" } else { "are" };
        format!("{} {verb}", shown.collect::<Vec<_>>().join(", "))
    };
    if !ignored.is_empty() {
        return Some(format!(
            "{} ignored and not in the run's tree: add prepare, link or copy",
            join(&ignored)
        ));
    }
    (!untracked.is_empty()).then(|| {
        format!(
            "{} not committed and not in the run's tree: commit it, or ignore it and add link or copy",
            join(&untracked)
        )
    })
}

/// What the failed command names and the tree does not have; else all that the tree does not have of the checkout.
pub(crate) fn list_missing_names(failed: &FailedCommand<'_>) -> Vec<String> {
    let absent = list_absent(failed).unwrap_or_default();
    let named = find_named(failed, &absent);
    let all = if named.is_empty() {
        absent.iter().collect()
    } else {
        named
    };
    let shown = all.iter().map(|path| path.show());
    shown
        .map(|name| name.trim_matches('`').to_owned())
        .collect()
}

/// What git ignores in the checkout and the tree does not have, for a failure that names nothing of it.
pub(crate) fn list_ignored_names(failed: &FailedCommand<'_>) -> Vec<String> {
    let absent = list_absent(failed).unwrap_or_default().into_iter();
    let ignored = absent.filter(|path| path.is_ignored);
    ignored
        .map(|path| path.show().trim_matches('`').to_owned())
        .collect()
}

fn list_absent(failed: &FailedCommand<'_>) -> Result<Vec<AbsentPath>> {
    let ignored = failed.checkout.list_ignored(false)?.into_iter();
    let mut found: Vec<AbsentPath> = ignored
        .filter_map(|(path, is_folder)| {
            Some(AbsentPath {
                path: path.as_str()?.into(),
                is_folder,
                is_ignored: true,
            })
        })
        .collect();
    for entry in failed.checkout.read_status()? {
        if entry.kind == StatusKind::Untracked
            && let Some(path) = entry.path.as_str()
        {
            found.push(AbsentPath {
                path: path.into(),
                is_folder: false,
                is_ignored: false,
            });
        }
    }
    let shown = || failed.view.iter().flat_map(|view| &view.folders);
    let is_shown = |absent: &AbsentPath| shown().any(|folder| absent.path.starts_with(folder));
    found.retain(|absent| {
        !absent.path.starts_with(FOLDER)
            && failed.tree.join(&absent.path).symlink_metadata().is_err()
            && !is_shown(absent)
    });
    Ok(found)
}

/// What the output says is not there; else what the text of a command names.
fn find_named<'a>(failed: &FailedCommand<'_>, absent: &'a [AbsentPath]) -> Vec<&'a AbsentPath> {
    let says_missing = |line: &&str| {
        let lower = line.to_lowercase();
        MARKERS.iter().any(|marker| lower.contains(marker))
    };
    let lines = failed.output.split(['\n', '|']).filter(says_missing);
    let words: Vec<&str> = lines.flat_map(split_words).collect();
    let mut named: Vec<&AbsentPath> = absent
        .iter()
        .filter(|path| words.iter().any(|word| is_meant(failed, path, word)))
        .collect();
    if named.is_empty() {
        let holds = |path: &&AbsentPath| words.iter().any(|word| has_inside(failed, path, word));
        named = absent.iter().filter(holds).collect();
    }
    if named.is_empty() {
        let words = list_named_words(&failed.commands);
        let holds = |path: &&AbsentPath| words.iter().any(|word| is_meant(failed, path, word));
        named = absent.iter().filter(holds).collect();
    }
    named
}

fn split_words(line: &str) -> impl Iterator<Item = &str> {
    let ends = |letter: char| letter.is_whitespace() || "'\"`:,;()[]<>=‘’“”".contains(letter);
    line.split(ends)
        .map(|word| word.trim_end_matches('.'))
        .filter(|word| word.len() > 1)
}

/// Words of commands that are paths by their look, or follow an option or `cd`.
fn list_named_words(commands: &[&UserCommand]) -> Vec<String> {
    let mut found = Vec::new();
    for command in commands {
        let words = list_command_words(&command.command);
        for (index, word) in words.iter().enumerate() {
            let before = index.checked_sub(1).map_or("", |index| &words[index]);
            let is_argument = before.starts_with('-') || before == "cd";
            if word.contains('/') || word.starts_with('.') || is_argument {
                found.push(word.clone());
            }
        }
    }
    found
}

/// Does a word lead to what is absent, or into it, seen from the root or from where a command runs?
fn is_meant(failed: &FailedCommand<'_>, absent: &AbsentPath, word: &str) -> bool {
    let path = Path::new(word);
    let below = path.strip_prefix(failed.tree).unwrap_or(path);
    if below.is_absolute() {
        return false;
    }
    let bases = failed
        .commands
        .iter()
        .map(|it| it.working_directory.as_str());
    let mut bases = bases.chain(["."]);
    bases.any(|base| tidy(&Path::new(base).join(below)).starts_with(&absent.path))
        || is_module(absent, word)
}

/// Is it a module of Python that a build made: `pkg._version` for `src/pkg/_version.py`?
fn is_module(absent: &AbsentPath, word: &str) -> bool {
    let name = absent
        .path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy();
    let stem = name.split('.').next().unwrap_or_default();
    let is_python = absent.is_folder || name.ends_with(".py") || name.ends_with(".so");
    let module = PathBuf::from(word.replace('.', "/"));
    is_python && word.contains('.') && absent.path.with_file_name(stem).ends_with(module)
}

/// Does an absent folder of packages hold a program or a module of this name?
fn has_inside(failed: &FailedCommand<'_>, absent: &AbsentPath, word: &str) -> bool {
    if !absent.is_folder || word.starts_with(['/', '.', '-']) || word.contains("..") {
        return false;
    }
    let folder = failed.checkout.work_tree().join(&absent.path);
    let is_node = absent.path.ends_with("node_modules");
    let is_environment = folder.join("pyvenv.cfg").is_file();
    if is_node {
        return folder.join(".bin").join(word).symlink_metadata().is_ok()
            || folder.join(word).symlink_metadata().is_ok();
    }
    if !is_environment {
        return false;
    }
    let top = word.split('.').next().unwrap_or(word);
    let libraries = fs::read_dir(folder.join("lib")).into_iter().flatten();
    let mut packages = libraries
        .flatten()
        .map(|entry| entry.path().join("site-packages"));
    folder.join("bin").join(word).symlink_metadata().is_ok()
        || packages.any(|packages| {
            packages.join(top).is_dir() || packages.join(format!("{top}.py")).is_file()
        })
}

/// A path without `.` and `..`.
fn tidy(path: &Path) -> PathBuf {
    let mut found = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(found.pop()),
            part => found.push(part),
        }
    }
    found
}

#[cfg(test)]
mod tests;
