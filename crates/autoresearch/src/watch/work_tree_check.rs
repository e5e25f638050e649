//! Owns the questions that git itself answers before anything is staged: does it work on the files that we mean, and does
//! no other work tree hold the branch?
//! Does not change anything.
//! Invariant: a run whose git stands elsewhere commits, moves and restores nothing.

use std::path::Path;

use autoresearch_core::git_names::RefName;
use autoresearch_core::shell::quote::quote_path;
use autoresearch_core::words::text::escape_text;

use crate::run::tree::Tree;
use crate::watch::git_rules;
use crate::watch::git_rules::GroundScene;
use autoresearch_sys::error::{Failure, Result};
use autoresearch_sys::git::history::{History, HistoryError};
use autoresearch_sys::git::surroundings::{BranchHolder, resolve_links};
use autoresearch_sys::git::{Git, GitError};
use autoresearch_sys::store::FOLDER;

/// Refuses a folder that git does not take for the root of a work tree, or for which it uses another git folder.
pub(crate) fn check_root(git: &Git, root: &Path, git_folder: &Path) -> Result<()> {
    let shown = |path: &Path| escape_text(&path.to_string_lossy());
    let seen = match git.read_surroundings() {
        Ok(seen) => seen,
        Err(error @ GitError::Failed { .. }) => {
            if let Some(root) = git.find_refused_root() {
                return Err(HistoryError::Owner(root).into());
            }
            return Err(Failure::blocked(format!(
                "git does not recognize {} as a work tree",
                shown(root)
            ))
            .because(&error)
            .hint(ELSEWHERE));
        }
        Err(error) => return Err(error.into()),
    };
    if resolve_links(&seen.root) != resolve_links(root) {
        return Err(Failure::blocked(format!(
            "in {} git works on the files of {}",
            shown(root),
            shown(&seen.root)
        ))
        .hint(ELSEWHERE));
    }
    if resolve_links(&seen.git_folder) != resolve_links(git_folder) {
        return Err(Failure::blocked(format!(
            "in {} git uses {} and not {}",
            shown(root),
            shown(&seen.git_folder),
            shown(git_folder)
        ))
        .hint("nothing was changed. Look at the file `.git` there: it names the git folder"));
    }
    Ok(())
}

/// Refuses a folder from which git looks at the files of another one.
pub(crate) fn check_inside(folder: &Path, root: &Path) -> Result<()> {
    if resolve_links(folder).starts_with(resolve_links(root)) {
        return Ok(());
    }
    Err(Failure::blocked(format!(
        "in {} git works on the files of {}",
        escape_text(&folder.to_string_lossy()),
        escape_text(&root.to_string_lossy())
    ))
    .hint(ELSEWHERE))
}

/// What to do where git looks at another folder.
const ELSEWHERE: &str = "nothing was changed. `git config --show-origin --get-all core.worktree` (and core.bare) says which setting does it. For a submodule with extensions.worktreeConfig, move it to where only one work tree has it: in the submodule `git config --worktree core.worktree \"$(git config core.worktree)\"`, then `git config --local --unset core.worktree`";

/// The same for the place where git works for a run; and its repository is still the one of the start.
pub(crate) fn check_run_tree(
    git: &Git,
    history: &History,
    repository: Option<&Path>,
    scene: &GroundScene<'_>,
) -> Result<()> {
    if !git_rules::is_place_known(git, scene.notes) {
        check_root(git, git.work_tree(), &history.git_folder())?;
        git_rules::note_place(git, history, scene)?;
    }
    let common = history.common_folder();
    // A repository that was moved as a whole has nothing left where it was.
    match repository.filter(|repository| repository.exists()) {
        Some(repository) if resolve_links(repository) != resolve_links(&common) => {
            Err(Failure::blocked(format!(
                "the git folder of this work tree is {} now; the run was started with {}",
                escape_text(&common.to_string_lossy()),
                escape_text(&repository.to_string_lossy())
            ))
            .hint("nothing was changed. Restore the file or folder `.git`"))
        }
        _ => Ok(()),
    }
}

/// The other work tree that holds a branch. Where the repository has one work tree only, git is not asked.
pub(crate) fn find_branch_holder(
    tree: &Tree<'_>,
    branch: &RefName,
) -> Result<Option<BranchHolder>> {
    let (own, common) = (tree.history.git_folder(), tree.history.common_folder());
    if own == common && !has_entries(&common.join("worktrees")) {
        return Ok(None);
    }
    Ok(tree.git.find_branch_holder(branch)?)
}

/// Refuses to move the run's branch under the feet of another work tree.
pub(crate) fn check_branch_alone(tree: &Tree<'_>) -> Result<()> {
    let branch = &tree.branch;
    match find_branch_holder(tree, branch)? {
        None => Ok(()),
        Some(holder) => Err(branch_taken_error(branch, &holder)),
    }
}

/// A branch that another work tree holds cannot be worked on.
#[must_use]
pub(crate) fn branch_taken_error(branch: &RefName, holder: &BranchHolder) -> Failure {
    let plain = branch.short();
    let root = quote_path(&holder.root);
    let remedy = match holder.how {
        "checked out" => format!("`git -C {root} switch --detach` frees it there"),
        _ => "finish or abort that first".to_owned(),
    };
    Failure::blocked(format!(
        "the branch {plain} is {} in another work tree, {}: what is committed here would show there as changes",
        holder.how,
        escape_text(&holder.root.to_string_lossy())
    ))
    .hint(format!("nothing was changed. {remedy}; then run the command again"))
}

/// Files of a run came with the repository.
#[must_use]
pub(crate) fn tracked_runs_error() -> Failure {
    Failure::blocked(format!(
        "git tracks files in {FOLDER}: a run must not come with a repository"
    ))
    .hint(format!(
        "nothing of it was run. `git rm -r --cached {FOLDER}` and commit, if the files are yours"
    ))
}

fn has_entries(folder: &Path) -> bool {
    std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some())
}
