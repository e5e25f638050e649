//! Owns which paths of the user's checkout a tree gets: what the patterns of `link` and `copy` name among the ignored files.
//! Does not read what is in them, and changes nothing.
//! Invariant: a chosen path is ignored by git, no link, and lies in no other one; a pattern that chooses nothing is a problem.

use std::path::{Path, PathBuf};

use autoresearch_core::config::globs::{GlobError, Globs, is_literal};
use autoresearch_core::config::{Config, Isolation, Problem, TreeSetup};

use autoresearch_sys::error::{Failure, Result};
use autoresearch_sys::git::Git;
use autoresearch_sys::store::FOLDER;

/// Letters that mean something in a pattern.
const GLOB_LETTERS: [char; 6] = ['*', '?', '[', ']', '!', '\\'];

/// A path that a tree gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WantedPath {
    /// The key and the place in its list, such as `link[0]`.
    pub place: String,
    /// From the root of the checkout.
    pub path: PathBuf,
}

/// Everything that a tree gets, in the order of the config.
#[derive(Debug)]
pub(crate) struct WantedPaths {
    pub link: Vec<WantedPath>,
    pub copy: Vec<WantedPath>,
    link_globs: Globs,
    copy_globs: Globs,
}

impl WantedPaths {
    /// Paths that patterns of the same text name.
    #[cfg(test)]
    pub(crate) fn of(link: &[&str], copy: &[&str]) -> Self {
        let owned = |list: &[&str]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
        let paths = |key: &str, list: &[&str]| {
            let chosen = list.iter().filter(|pattern| !pattern.starts_with('!'));
            let path = |(index, path): (usize, &&str)| WantedPath {
                place: format!("{key}[{index}]"),
                path: PathBuf::from(path),
            };
            chosen.enumerate().map(path).collect()
        };
        Self {
            link: paths("link", link),
            copy: paths("copy", copy),
            link_globs: Globs::new(&owned(link)).unwrap(),
            copy_globs: Globs::new(&owned(copy)).unwrap(),
        }
    }

    /// The chosen paths that `link` names, without their places.
    #[must_use]
    pub(crate) fn linked_paths(&self) -> Vec<&Path> {
        let paths = self.link.iter().map(|wanted| wanted.path.as_path());
        paths.collect()
    }

    /// Is something in a linked folder linked too? `!` takes it out.
    #[must_use]
    pub(crate) fn is_linked(&self, path: &Path) -> bool {
        matches_path(&self.link_globs, path)
    }

    /// Is something in a copied folder copied too? `!` takes it out.
    #[must_use]
    pub(crate) fn is_copied(&self, path: &Path) -> bool {
        matches_path(&self.copy_globs, path)
    }
}

/// A name that is not text was not excluded by one.
fn matches_path(globs: &Globs, path: &Path) -> bool {
    path.to_str().is_none_or(|path| globs.matches_path(path))
}

/// Chooses what the patterns name in the checkout that git works in. What is wrong with a pattern is returned beside it.
pub(crate) fn choose_paths(
    checkout: &Git,
    setup: &TreeSetup,
) -> Result<(WantedPaths, Vec<Problem>)> {
    let globs = |patterns: &[String]| {
        Globs::new(patterns).map_err(|error: GlobError| Failure::config(error.to_string()))
    };
    let mut wanted = WantedPaths {
        link: Vec::new(),
        copy: Vec::new(),
        link_globs: globs(&setup.link)?,
        copy_globs: globs(&setup.copy)?,
    };
    if setup.link.is_empty() && setup.copy.is_empty() {
        return Ok((wanted, Vec::new()));
    }
    let mut search = IgnoredSearch {
        checkout,
        folders: list_names(checkout, false)?,
        files: None,
        problems: Vec::new(),
    };
    wanted.link = search.choose_all("link", &setup.link, &wanted.link_globs)?;
    wanted.copy = search.choose_all("copy", &setup.copy, &wanted.copy_globs)?;
    let mut problems = search.problems;
    problems.extend(find_overlaps(&wanted));
    Ok((wanted, problems))
}

/// The ignored paths that can be written down, each with the word whether it is a folder.
fn list_names(checkout: &Git, every_file: bool) -> Result<Vec<(String, bool)>> {
    let listed = checkout.list_ignored(every_file)?.into_iter();
    let named = listed.filter_map(|(path, folder)| Some((path.as_str()?.to_owned(), folder)));
    let ours = |name: &str| Path::new(name).starts_with(FOLDER);
    Ok(named.filter(|(name, _)| !ours(name)).collect())
}

/// The search for what patterns name among the ignored files.
struct IgnoredSearch<'a> {
    checkout: &'a Git,
    /// Folders as a whole, and files outside of them.
    folders: Vec<(String, bool)>,
    /// Every file, listed when a pattern names something inside an ignored folder.
    files: Option<Vec<(String, bool)>>,
    problems: Vec<Problem>,
}

impl IgnoredSearch<'_> {
    fn choose_all(
        &mut self,
        key: &str,
        patterns: &[String],
        all: &Globs,
    ) -> Result<Vec<WantedPath>> {
        let mut chosen: Vec<WantedPath> = Vec::new();
        for (index, pattern) in patterns.iter().enumerate() {
            if pattern.starts_with('!') {
                continue;
            }
            let place = format!("{key}[{index}]");
            let mut found = self.find_matches(pattern)?;
            if found.is_empty() {
                let problem = self.explain_nothing(&place, pattern)?;
                self.problems.push(problem);
            }
            // A folder that a later pattern takes out is not looked into.
            found.retain(|name| all.matches_path(name) || all.matches_path(&inside(name)));
            for name in found {
                let path = PathBuf::from(name);
                if self.is_link(&place, &path) || chosen.iter().any(|known| known.path == path) {
                    continue;
                }
                chosen.push(WantedPath {
                    place: place.clone(),
                    path,
                });
            }
        }
        Ok(chosen)
    }

    /// What a pattern matches: whole ignored folders and files, or else what is in an ignored folder.
    fn find_matches(&mut self, pattern: &str) -> Result<Vec<String>> {
        let globs = Globs::new(std::slice::from_ref(&pattern.to_owned()))
            .map_err(|error| Failure::config(error.to_string()))?;
        let whole = self.folders.iter().filter(|(name, is_folder)| {
            globs.matches_path(name) || (*is_folder && globs.matches_path(&inside(name)))
        });
        let found: Vec<String> = whole.map(|(name, _)| name.clone()).collect();
        if !found.is_empty() {
            return Ok(found);
        }
        if self.files.is_none() {
            self.files = Some(list_names(self.checkout, true)?);
        }
        let files = self.files.iter().flatten();
        let mut found: Vec<String> = files
            .filter(|(name, _)| globs.matches_path(name))
            .map(|(name, _)| find_uppermost_match(&globs, name))
            .collect();
        found.dedup();
        Ok(found)
    }

    fn is_link(&mut self, place: &str, path: &Path) -> bool {
        let whole = self.checkout.work_tree().join(path);
        let is_link = whole.is_symlink();
        if is_link {
            self.problems.push(Problem::error(
                place,
                format!("`{}` is a symbolic link in your checkout", path.display()),
                "let `prepare` make the link in each tree, such as `ln -s /data data`",
            ));
        }
        is_link
    }

    /// Why a pattern names nothing that a tree could get.
    fn explain_nothing(&self, place: &str, pattern: &str) -> Result<Problem> {
        let root = self.checkout.work_tree();
        let problem = |message: String, remedy: &str| Problem::error(place, message, remedy);
        if Path::new(pattern).starts_with(root) {
            let below = Path::new(pattern).strip_prefix(root).unwrap_or(root);
            return Ok(problem(
                format!("`{pattern}` is an absolute path"),
                &format!(
                    "write it from the repository's root: `/{}`",
                    below.display()
                ),
            ));
        }
        let name = pattern.trim_matches('/');
        if !is_literal(pattern) || root.join(name).symlink_metadata().is_err() {
            return Ok(problem(
                format!("`{pattern}` names nothing that git ignores in your checkout"),
                "make it there first (install, build), let `prepare` make it in each tree, or remove it",
            ));
        }
        if !self.checkout.list_tracked_below(name)?.is_empty() {
            return Ok(problem(
                format!("`{name}` is tracked by git, so each tree has it as it was committed"),
                "remove it",
            ));
        }
        Ok(problem(
            format!("git does not ignore `{name}`, so in a tree it would be an edit"),
            "add it to .gitignore or .git/info/exclude, or commit it",
        ))
    }
}

/// A name in a folder that no pattern names.
fn inside(folder: &str) -> String {
    format!("{folder}/\u{1}")
}

/// The path itself, or the highest folder above it that the patterns match too.
fn find_uppermost_match(globs: &Globs, name: &str) -> String {
    let ends = name.match_indices('/').map(|(index, _)| index);
    ends.map(|end| &name[..end])
        .find(|above| globs.matches_path(above))
        .unwrap_or(name)
        .to_owned()
}

/// A path cannot be linked and copied, nor be a part of another one.
fn find_overlaps(wanted: &WantedPaths) -> Vec<Problem> {
    let all: Vec<&WantedPath> = wanted.link.iter().chain(&wanted.copy).collect();
    let mut problems = Vec::new();
    for inner in &all {
        let around = all
            .iter()
            .find(|outer| !std::ptr::eq(**outer, *inner) && inner.path.starts_with(&outer.path));
        if let Some(outer) = around {
            problems.push(Problem::error(
                &inner.place,
                format!("`{}` is named by {} too", inner.path.display(), outer.place),
                "link or copy it once; `!` takes a path out of a list",
            ));
        }
    }
    problems
}

/// A run in the user's checkout has there what git ignores. Where the system opens a view, verify sees these folders in it;
/// copied in full, builds in them would name the checkout. `None` for a run that has a tree of its own.
pub(crate) fn choose_viewed_config(checkout: &Git, config: &Config) -> Result<Option<Config>> {
    if config.isolation == Isolation::Worktree {
        return Ok(None);
    }
    let mut folders = checkout.list_ignored_folders()?;
    folders
        .retain(|folder| !Path::new(folder).starts_with(FOLDER) && !folder.contains(GLOB_LETTERS));
    let mut viewed = config.clone();
    viewed.setup.copy = folders;
    let (_, problems) = choose_paths(checkout, &viewed.setup)?;
    let is_wanted = !viewed.setup.copy.is_empty() && problems.is_empty();
    Ok(is_wanted.then_some(viewed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_in_an_ignored_folder_is_chosen_by_its_uppermost_match() {
        let globs = |pattern: &str| Globs::new(&[pattern.to_owned()]).unwrap();
        for (pattern, name, chosen) in [
            ("/out/cache", "out/cache/a/b", "out/cache"),
            ("cache", "out/cache/a/cache/b", "out/cache"),
            ("/out/*.bin", "out/a.bin", "out/a.bin"),
            ("a/**", "a/b/c", "a/b"),
        ] {
            assert_eq!(
                find_uppermost_match(&globs(pattern), name),
                chosen,
                "{pattern}"
            );
        }
    }

    #[test]
    fn a_path_that_two_entries_name_is_a_problem_and_a_folder_that_is_taken_out_is_not_there() {
        let show = |wanted: &WantedPaths| {
            let problems = find_overlaps(wanted).into_iter();
            let lines = problems.map(|problem| format!("{}: {}", problem.place, problem.message));
            lines.collect::<Vec<_>>()
        };
        assert_eq!(
            show(&WantedPaths::of(&["a", "b"], &["ab"])),
            [] as [&str; 0]
        );
        assert_eq!(
            show(&WantedPaths::of(&["a"], &["a/b"])),
            ["copy[0]: `a/b` is named by link[0] too"]
        );
        let wanted = WantedPaths::of(&["a", "!/a/x"], &["c", "!d"]);
        assert!(wanted.is_linked(Path::new("a/y")) && !wanted.is_linked(Path::new("a/x/y")));
        assert!(wanted.is_copied(Path::new("c/y")) && !wanted.is_copied(Path::new("c/d/y")));
    }
}
