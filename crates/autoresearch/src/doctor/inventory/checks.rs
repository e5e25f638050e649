//! Owns the questions that are asked before something of a run is removed.
//! Does not change anything.
//! Invariant: a reason that keeps something says what it is and how a person removes it.

use std::path::{Path, PathBuf};

use autoresearch_core::git_names::{CommitId, HeadTarget, RefName};
use autoresearch_core::journal::state::RunState;
use autoresearch_core::words::text::{escape_text, format_count};
use rustix::fs::FileType;

use super::scene::{InventoryScene, open_git_in};
use autoresearch_sys::error::Result;
use autoresearch_sys::git::worktrees::Submodule;
use autoresearch_sys::store::removal::{FolderEntry, SweepError, folder_inode, list_folder};
use autoresearch_sys::store::{FOLDER, Layout, OPEN_ITEMS, TreeNote};

/// The files that the tool writes into a run's folder.
const OURS: [&str; 14] = [
    ".gitignore",
    "journal.jsonl",
    "journal.torn",
    "research-results.tsv",
    "autoresearch-state.json",
    "config.yaml",
    "session.json",
    "proposal.json",
    "proposal.taken",
    "hooks.log",
    "launch.json",
    "runtime.json",
    "runtime.log",
    "runtime.log.1",
];
/// Those of a search for a cause.
const OF_A_SEARCH: [&str; 7] = [
    ".gitignore",
    "ledger.jsonl",
    "ledger.torn",
    "summary.md",
    "findings.md",
    "eliminated.md",
    "debug.json",
];
/// The files without an ending that it writes into a trial's folder.
const OF_A_TRIAL: [&str; 4] = ["index", "index.lock", "message", "patch"];

/// Why nothing below the folder of the runs is looked at.
pub(super) fn check_place(root: &Path) -> Option<String> {
    // Only the folder itself is opened.
    let opened = list_folder(root, Path::new(FOLDER), &|_| true);
    opened.err().map(|error| error.to_string())
}

/// Why a run's own work tree stays.
pub(super) fn check_worktree(
    scene: &InventoryScene<'_>,
    path: &Path,
    note: Option<&TreeNote>,
    branch: &RefName,
) -> Result<Option<String>> {
    let known = scene.worktrees.iter().find(|tree| tree.path == path);
    let (top, below) = split_tree_path(scene.root, path);
    if !top.exists() {
        return Ok(None);
    }
    let entries = match list_folder(&top, &below, &|_| false) {
        Ok(entries) => entries,
        Err(error) => return Ok(Some(error.to_string())),
    };
    let Some(entries) = entries else {
        // Somebody deleted it; at most git's note of it is left.
        return Ok(None);
    };
    let inode = note.and_then(|note| note.inode);
    let is_noted = inode.is_some() && folder_inode(path) == inode;
    if top != scene.root && !entries.is_empty() && !is_noted {
        let reason = "no note outside the repository says that this tool made it";
        return Ok(Some(reason.to_owned()));
    }
    let shown = path.display();
    let Some(known) = known else {
        let reason = "git no longer knows it as a work tree, but it holds files";
        return Ok((!entries.is_empty()).then(|| reason.to_owned()));
    };
    if entries.is_empty() {
        return Ok(None);
    }
    if known.locked {
        return Ok(Some(format!(
            "it is locked; `git worktree unlock {shown}` unlocks it"
        )));
    }
    if known.branch.as_ref() != Some(branch) {
        return Ok(Some(format!(
            "another branch than the run's is checked out in it; `git worktree remove {shown}` removes it"
        )));
    }
    let git = open_git_in(scene.world, path)?;
    if let Some(first) = git.find_first_uncommitted()? {
        return Ok(Some(format!(
            "it holds files that are not committed ({}); `git worktree remove --force {shown}` removes it with them",
            escape_text(&first)
        )));
    }
    let submodules = git.list_populated_submodules()?;
    Ok(check_inside(&entries, &submodules)
        .map(|why| format!("{why}; `git worktree remove --force {shown}` removes it anyway")))
}

/// The folder from which the way to a work tree is walked without following a link, and that way. The first versions made
/// the tree in the run's folder.
pub(super) fn split_tree_path(root: &Path, path: &Path) -> (PathBuf, PathBuf) {
    if let Ok(below) = path.strip_prefix(root) {
        return (root.to_owned(), below.to_owned());
    }
    let above = path.parent().unwrap_or(path);
    let last = path.file_name().map(PathBuf::from).unwrap_or_default();
    (above.to_owned(), last)
}

/// What in a clean work tree is in no repository but one that would go with it.
fn check_inside(entries: &[FolderEntry], submodules: &[Submodule]) -> Option<String> {
    let only = submodules.iter().find_map(|submodule| {
        let what = submodule.only_copy?;
        Some(format!(
            "its submodule {} holds {what}",
            escape_text(&submodule.path.to_string_lossy())
        ))
    });
    let is_known = |folder: &Path| {
        folder == Path::new("") || submodules.iter().any(|submodule| submodule.path == folder)
    };
    let nested = entries.iter().find(|entry| {
        entry.path.file_name().is_some_and(|name| name == ".git")
            && !entry.path.parent().is_some_and(is_known)
    });
    only.or_else(|| {
        let folder = nested?.path.parent()?;
        Some(format!(
            "it contains another repository: {}",
            escape_text(&folder.to_string_lossy())
        ))
    })
}

/// Why a run's branch stays.
pub(super) fn check_branch(
    scene: &InventoryScene<'_>,
    layout: &Layout,
    state: &RunState,
    tip: &CommitId,
) -> Result<Option<String>> {
    let start = &state.start;
    let plain = start.branch.short();
    let elsewhere = scene.worktrees.iter().find(|tree| {
        tree.branch.as_ref() == Some(&start.branch)
            && Some(&tree.path) != layout.own_tree(start).as_ref()
    });
    if let Some(tree) = elsewhere {
        return Ok(Some(format!(
            "it is checked out in {}",
            tree.path.display()
        )));
    }
    if *tip != state.head {
        return Ok(Some(format!(
            "it names {} and not {}, where the run left it; `git branch -D {plain}` deletes it",
            tip.short(),
            state.head.short()
        )));
    }
    let merged = *tip == start.base
        || scene.history.is_held_elsewhere(&start.branch, tip)?
        || is_content_merged(scene, &start.base, tip, &start.origin)?;
    Ok((!merged).then(|| {
        format!(
            "{} not merged yet; `git branch -D {plain}` deletes it",
            format_count(state.counts.keep, "kept commit")
        )
    }))
}

fn is_content_merged(
    scene: &InventoryScene<'_>,
    base: &CommitId,
    tip: &CommitId,
    origin: &HeadTarget,
) -> Result<bool> {
    Ok(scene
        .history
        .find_content_holder(base, tip, origin)?
        .is_some())
}

/// Why a run's folder stays: something in it is not the tool's, or is not where the tool puts it.
pub(super) fn check_folder(layout: &Layout) -> Option<String> {
    // A run's own work tree has its own checks, and goes before the folder.
    let skip = |path: &Path| path == Path::new("worktree");
    let entries = match list_folder(&layout.root, &path_below_root(layout), &skip) {
        Ok(entries) => entries?,
        Err(error) => return Some(error.to_string()),
    };
    let stranger = entries
        .iter()
        .find(|entry| entry.kind != FileType::Directory && !is_our_file(layout, entry))?;
    let shown = format!(
        "{FOLDER}/{}/{}",
        layout.run,
        escape_text(&stranger.path.to_string_lossy())
    );
    Some(if is_moved_away(&stranger.path) {
        format!("it holds the only copy of a file that was moved away: {shown}; move it out first")
    } else {
        format!("it holds a file that this tool did not write: {shown}; move it out first")
    })
}

/// Is this a file that the tool wrote, where it writes it?
fn is_our_file(layout: &Layout, entry: &FolderEntry) -> bool {
    let parts: Option<Vec<&str>> = entry.path.iter().map(|part| part.to_str()).collect();
    let is_temporary = |name: &str| name.starts_with(".autoresearch-");
    let is_number = |name: &str| name.bytes().all(|byte| byte.is_ascii_digit());
    let is_output = |name: &str| {
        let ending = Path::new(name).extension().and_then(|end| end.to_str());
        name == OPEN_ITEMS
            || OF_A_TRIAL.contains(&name)
            || matches!(ending, Some("out" | "err" | "gz"))
    };
    entry.kind == FileType::RegularFile
        && match parts.as_deref() {
            Some([name]) if layout.is_ledger() => OF_A_SEARCH.contains(name) || is_temporary(name),
            Some(["evidence", name]) if layout.is_ledger() => {
                name.strip_suffix(".txt").is_some_and(is_number) || is_temporary(name)
            }
            Some([name]) => OURS.contains(name) || is_temporary(name),
            Some(["trials", number, name]) => {
                is_number(number) && (is_output(name) || is_temporary(name))
            }
            _ => false,
        }
}

/// Is this below a folder into which files of the user's are put aside?
fn is_moved_away(path: &Path) -> bool {
    let parts: Vec<_> = path.iter().take(4).collect();
    parts.len() == 4 && parts[0] == "trials"
}

/// A run's folder, from the root.
pub(super) fn path_below_root(layout: &Layout) -> PathBuf {
    Path::new(FOLDER).join(&layout.run)
}

/// A refusal of the file system, as a reason.
pub(super) fn to_reason(error: &SweepError) -> String {
    error.to_string()
}
