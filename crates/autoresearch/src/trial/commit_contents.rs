//! Owns the question whether a trial's commit holds what verify is about to see: links that lead out of it, and files whose
//! bytes a checkout would give otherwise.
//! Does not look at files that the trial did not change.
//! Invariant: where a checkout gives other bytes than the work tree has, the work tree gets those of the checkout before
//! anything is measured, or the trial is void.

use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use autoresearch_core::config::Config;
use autoresearch_core::git_names::{CommitId, RepoPath};
use autoresearch_core::journal::event::Why;

use crate::run::tree::Tree;
use crate::trial::moved_away::show_path;
use crate::watch::command_files;
use autoresearch_sys::error::{Failure, Result};
use autoresearch_sys::git::history::TreeContent;
use autoresearch_sys::git::{Hooks, is_behind_link};
use autoresearch_sys::regular_files::{open_file, read_file};
use autoresearch_sys::replacement::{Durability, replace_file};
use autoresearch_sys::store::FOLDER;

/// What was found out about a commit that is about to be measured.
#[derive(Debug, Default)]
pub struct CommitLikeness {
    /// Why it cannot be measured.
    pub why: Option<Why>,
    /// Files that were checked out again, one sentence each.
    pub notes: Vec<String>,
}

/// Makes files of their own of those that have another name too; one sentence for each. Nothing may be done to a file of the
/// trial before: it would be done to whatever has the other name.
pub fn cut_hard_links(tree: &Tree<'_>, paths: &[RepoPath]) -> Result<Vec<String>> {
    let mut notes = Vec::new();
    for path in paths {
        let file = tree.path().join(path.as_path());
        if !is_behind_link(tree.path(), path.as_path()) && give_own_bytes(&file)? {
            notes.push(format!(
                "{path}: it was a hard link; it is a file of its own now"
            ));
        }
    }
    Ok(notes)
}

/// Compares the files of a trial with its commit.
pub fn compare_with_commit(
    tree: &Tree<'_>,
    config: &Config,
    commit: &CommitId,
    paths: &[RepoPath],
    hooks: Hooks,
) -> Result<CommitLikeness> {
    let root = tree.path();
    let ways = command_files::list_ways(config);
    let mut likeness = CommitLikeness::default();
    let (mut astray, mut detours, mut other) = (Vec::new(), Vec::new(), Vec::new());
    for path in paths {
        match tree.history.read_content(commit, path)? {
            Some(TreeContent::Link) => {
                let link = path.as_path();
                if ways.contains(link) {
                    detours.push(format!("{path} (a link on the way to verify's files)"));
                } else if let Some(words) = describe_astray_link(tree, commit, link)? {
                    astray.push(format!("{path} ({words})"));
                }
            }
            // Where its object is not known, the bytes are compared.
            Some(TreeContent::File(object))
                if hooks == Hooks::Bypass
                    && (object.is_none()
                        || tree.history.hash_of(&root.join(path.as_path()))? != object) =>
            {
                other.push(path.clone());
            }
            _ => {}
        }
    }
    if !detours.is_empty() {
        likeness.why = Some(Why::Protected(detours));
        return Ok(likeness);
    }
    for path in other {
        if tree.git.is_large_file(&path)? || is_as_checked_out(tree, commit, &path)? {
            continue;
        }
        // git leaves a file alone that is what it was when it was staged.
        let _ = std::fs::remove_file(root.join(path.as_path()));
        tree.index()
            .git()
            .restore_from_index(std::slice::from_ref(&path))?;
        let name = path.to_string();
        if is_as_checked_out(tree, commit, &path)? {
            likeness.notes.push(format!(
                "{name}: git holds other bytes than the file had (line ends or a filter); it was measured as a checkout gives it"
            ));
        } else {
            astray.push(format!("{name} (a checkout gives other bytes)"));
        }
    }
    if !astray.is_empty() {
        likeness.why = Some(Why::Unsupported(astray));
    }
    Ok(likeness)
}

/// Makes a file that has another name too, wherever, one that has not: else what is written to the one is written to the
/// other. Was it such a file?
fn give_own_bytes(path: &Path) -> Result<bool> {
    let Ok(meta) = path.symlink_metadata() else {
        return Ok(false);
    };
    if !meta.is_file() || meta.nlink() < 2 {
        return Ok(false);
    }
    let copied = replace_file(
        path,
        Durability::Unsynced,
        Some(meta.mode() & 0o7777),
        |to| {
            std::io::copy(&mut open_file(path)?, to)?;
            to.set_modified(meta.modified()?)
        },
    );
    copied.map_err(|error| Failure::io(format!("could not copy {}", path.display()), &error))?;
    Ok(true)
}

/// Is the file what a checkout of the commit would give?
fn is_as_checked_out(tree: &Tree<'_>, commit: &CommitId, path: &RepoPath) -> Result<bool> {
    let wanted = tree.git.read_checked_out(commit, path)?;
    let here = read_file(&tree.path().join(path.as_path()), wanted.len() as u64);
    Ok(here.is_ok_and(|here| here == wanted))
}

/// Where a link leads that no commit holds; `None` for one that stays in the commit, or leads nowhere.
fn describe_astray_link(tree: &Tree<'_>, commit: &CommitId, path: &Path) -> Result<Option<String>> {
    let root = tree.path();
    let target = std::fs::read_link(root.join(path)).unwrap_or_default();
    if target.is_absolute() {
        return Ok(Some("a link by an absolute path".to_owned()));
    }
    let folder = path.parent().unwrap_or(Path::new(""));
    let out = || Ok(Some("a link out of the repository".to_owned()));
    if resolve_inside(&folder.join(&target)).is_none() {
        return out();
    }
    let (Ok(root), Ok(end)) = (root.canonicalize(), root.join(path).canonicalize()) else {
        return Ok(None);
    };
    let Ok(inside) = end.strip_prefix(&root) else {
        return out();
    };
    let hidden = inside.starts_with(".git") || inside.starts_with(FOLDER);
    let holds = inside.as_os_str().is_empty() || tree.history.has_path(commit, inside)?;
    // What was dirty before the run stands in the tree with other bytes than the commit has.
    let named = RepoPath::new(inside.as_os_str().as_encoded_bytes());
    if hidden || !holds || tree.pinned.dirty_files.has_path(&named) {
        return Ok(Some(format!(
            "a link to {}, which the commit does not hold",
            show_path(inside)
        )));
    }
    Ok(None)
}

/// The path without `.` and `..`, unless it leaves the root.
fn resolve_inside(path: &Path) -> Option<PathBuf> {
    let mut at = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => at.push(name),
            Component::ParentDir if !at.pop() => return None,
            _ => {}
        }
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_leaves_the_root_is_told_from_one_that_comes_back() {
        assert_eq!(
            resolve_inside(Path::new("src/../lib/./a")),
            Some("lib/a".into())
        );
        assert_eq!(resolve_inside(Path::new("src/..")), Some(PathBuf::new()));
        assert_eq!(resolve_inside(Path::new("src/../../x")), None);
    }
}
