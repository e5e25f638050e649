//! Owns the making of a trial's commit and the undoing of a trial.
//! Does not decide which trials are undone.
//! Invariant: only commits of this run are ever taken back, and only the files they changed move; what an undoing could
//! not move is named, and stops the run.

mod locked;

use autoresearch_core::config::Rollback;
use autoresearch_core::config::globs::Globs;
use autoresearch_core::words::brief;
use autoresearch_core::words::table::{escape, short};

use crate::run::Run;
use crate::trial::moved_away;
use crate::trial::moved_away::Whence;
use crate::watch::file_times;
use crate::watch::git_rules;
use crate::watch::tree_changes;
use crate::watch::tree_changes::Survey;
use autoresearch_sys::error::{Failure, Result};
use autoresearch_sys::git::{GitError, Hooks, NewCommit, Refused, is_behind_link};

/// The trailer that names the run.
const RUN: &str = "Autoresearch-Run";
/// The trailer that names the trial.
const TRIAL: &str = "Autoresearch-Trial";
/// More own commits than this never stand on top of the kept state: a trial, its reworks, and what was salvaged.
const MOST: usize = 8;

/// A commit that was asked for.
#[derive(Debug)]
pub enum Committed {
    /// It is HEAD now.
    Made(String),
    /// A hook of the repository refused it, with these words.
    Refused(String),
    /// Nothing was committed: git does not take these paths.
    NotTaken(Vec<Refused>),
}

/// What an undoing left.
#[derive(Debug)]
pub struct Undone {
    /// HEAD now.
    pub head: String,
    /// The commit that still holds what was undone.
    pub tip: Option<String>,
    /// What was put aside and where it is, and what git does not take and was left: one sentence each.
    pub notes: Vec<String>,
}

/// Commits exactly the changes that are ours on top of HEAD.
pub fn commit(
    run: &Run<'_>,
    survey: &Survey,
    trial: u32,
    subject: &str,
    hooks: Hooks,
) -> Result<Committed> {
    let head = tree_changes::check_branch(run)?;
    let message = format!(
        "{subject}\n\n{RUN}: {}\n{TRIAL}: {trial}\n",
        run.store.state.start.run
    );
    let scratch = run.store.layout.make_trial(trial)?;
    let date = format!("{} +0000", run.world.now().as_second());
    let new = NewCommit {
        parent: &head,
        message: &message,
        scratch: &scratch,
        date: &date,
    };
    (run.world.step)("git stage");
    let refused = run.git.stage(&survey.ours)?;
    if !refused.is_empty() {
        return Ok(Committed::NotTaken(refused));
    }
    (run.world.step)("git tree");
    let tree = run.git.tree_without(&survey.foreign, &new, hooks);
    (run.world.step)("git commit");
    let commit = match tree.and_then(|tree| run.git.commit_tree(&tree, &new, hooks)) {
        Err(error @ GitError::Hook { .. }) => {
            return Ok(Committed::Refused(escape(&error.to_string())));
        }
        commit => commit?,
    };
    (run.world.step)("git head");
    run.git
        .move_head(&head, &commit, &format!("autoresearch: trial {trial}"))?;
    if hooks == Hooks::Run {
        // A hook may have rewritten files: the index follows the work tree.
        run.git.stage(&survey.ours)?;
    }
    Ok(Committed::Made(commit))
}

/// `name` is a reference for what is undone, set before anything moves.
///
/// Takes back everything of a trial: files that are changed and not committed are committed first, so that nothing is
/// lost; then HEAD, index and files go back to the kept state. What git does not take stays as it is, and is put aside
/// where a kept file comes back; so is what git ignores.
pub fn undo(run: &Run<'_>, trial: u32, message: &str, name: Option<&str>) -> Result<Undone> {
    let tip = tree_changes::check_branch(run)?;
    let kept = run.store.state.head.clone();
    check_own(run, &kept, &tip)?;
    let (made, refused) = salvage(run, trial, message)?;
    let tip = made.unwrap_or(tip);
    if tip == kept {
        let notes = refused.iter().map(left).collect();
        return Ok(Undone {
            head: kept,
            tip: None,
            notes,
        });
    }
    if let Some(name) = name {
        (run.world.step)("git reference");
        run.git.set_reference(name, &tip)?;
    }
    let paths = run.history.changed_paths(&kept, &tip)?;
    let (blocking, staying): (Vec<&Refused>, Vec<&Refused>) = refused
        .iter()
        .partition(|refused| paths.contains(&refused.path));
    let mut way = moved_away::in_the_way(run, &tip, &kept, &paths)?;
    let files = blocking
        .iter()
        .map(|refused| moved_away::as_path(&refused.path).to_owned())
        .filter(|path| run.work_tree().join(path).symlink_metadata().is_ok());
    way.extend(files);
    way.sort();
    // What lies in a folder goes with it.
    way.dedup_by(|path, above| path.starts_with(above));
    let opened = locked::open_folders(run.work_tree(), &paths);
    let taken = moved_away::put_aside(run, trial, &way, Whence::InTheWay)
        .and_then(|moved| Ok((moved, take_back(run, &paths, (&tip, &kept), trial)?)));
    let mut notes = opened.close();
    let (moved, head) = taken?;
    notes.extend(moved.iter().map(ToString::to_string));
    notes.extend(staying.into_iter().map(left));
    check_tree(run, &paths, &kept)?;
    check_gone(run, &paths, &kept)?;
    run.git.refresh(&paths);
    Ok(Undone {
        head,
        tip: Some(tip),
        notes,
    })
}

/// Commits what is changed and not committed, as far as git takes it. Returns the commit, and what git does not take.
fn salvage(run: &Run<'_>, trial: u32, message: &str) -> Result<(Option<String>, Vec<Refused>)> {
    let mut survey = tree_changes::look(run)?;
    git_rules::refuse(&[git_rules::rewriting(run)?, survey.rewriting.clone()].concat())?;
    if run.store.state.start.worktree.is_some() {
        survey = survey.all_ours();
    }
    let mut refused = Vec::new();
    while !survey.ours.is_empty() {
        match commit(run, &survey, trial, &subject(message), Hooks::Bypass)? {
            Committed::Made(commit) => return Ok((Some(commit), refused)),
            Committed::Refused(_) => break,
            Committed::NotTaken(paths) => {
                survey
                    .ours
                    .retain(|path| !paths.iter().any(|refused| refused.path == *path));
                refused.extend(paths);
            }
        }
    }
    Ok((None, refused))
}

/// Says that a file stayed.
fn left(refused: &Refused) -> String {
    format!("{} was left as it is", named(refused))
}

/// A path that git does not take, with git's words.
#[must_use]
pub fn named(refused: &Refused) -> String {
    format!(
        "{} (git: {})",
        moved_away::shown(moved_away::as_path(&refused.path)),
        brief::clip(&escape(&refused.words), 160)
    )
}

fn take_back(
    run: &Run<'_>,
    paths: &[Vec<u8>],
    (tip, kept): (&str, &str),
    trial: u32,
) -> Result<String> {
    (run.world.step)("git restore");
    run.git.move_tree(tip, kept)?;
    file_times::renew(run, paths);
    let why = format!("autoresearch: undo trial {trial}");
    if run.store.state.config().rollback == Rollback::Reset {
        (run.world.step)("git head back");
        run.git.move_head(tip, kept, &why)?;
        return Ok(kept.to_owned());
    }
    let tree = run.history.tree_of(kept)?;
    let message = format!(
        "Revert trial {trial}\n\nThis reverts the changes up to {tip}.\n\n{RUN}: {}\n{TRIAL}: {trial}\n",
        run.store.state.start.run
    );
    let date = format!("{} +0000", run.world.now().as_second());
    let scratch = run.store.layout.trial(trial);
    let new = NewCommit {
        parent: tip,
        message: &message,
        scratch: &scratch,
        date: &date,
    };
    (run.world.step)("git revert");
    let revert = run.git.commit_tree(&tree, &new, Hooks::Bypass)?;
    (run.world.step)("git head back");
    run.git.move_head(tip, &revert, &why)?;
    Ok(revert)
}

/// The first line of a trial's commit.
#[must_use]
pub fn subject(message: &str) -> String {
    format!("experiment: {}", escape(message))
}

/// Every commit between the kept state and the tip must be one of ours.
fn check_own(run: &Run<'_>, kept: &str, tip: &str) -> Result<()> {
    let mut at = tip.to_owned();
    for _ in 0..MOST {
        if at == kept {
            return Ok(());
        }
        if !is_own(run, &at)? {
            break;
        }
        match run.history.parent_of(&at)? {
            Some(parent) => at = parent,
            None => break,
        }
    }
    Err(Failure::blocked(format!("HEAD is {}, which is not a trial of this run on top of {}", short(tip), short(kept)))
        .hint(format!("nothing was changed. Put your commits on a branch of their own, then `git reset --soft {}`", short(kept))))
}

fn is_own(run: &Run<'_>, commit: &str) -> Result<bool> {
    let message = run.history.message_of(commit)?;
    Ok(message.contains(&format!("\n{RUN}: {}\n", run.store.state.start.run)))
}

/// After an undo the files must be those of the kept state, byte for byte as git sees them.
fn check_tree(run: &Run<'_>, paths: &[Vec<u8>], kept: &str) -> Result<()> {
    let head = run.history.head()?.commit.unwrap_or_default();
    if run.history.tree_of(&head)? != run.history.tree_of(kept)? {
        return Err(Failure::new(
            autoresearch_sys::error::Kind::Internal,
            "after the undo, HEAD does not hold the kept state's tree",
        ));
    }
    let scope = Globs::new(&run.store.state.config().scope)
        .map_err(|error| Failure::config(error.to_string()))?;
    let paths: Vec<Vec<u8>> = paths
        .iter()
        .filter(|path| scope.matches(&String::from_utf8_lossy(path)))
        .cloned()
        .collect();
    let left = run.git.modified(&paths)?;
    if left.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = left
        .iter()
        .take(5)
        .map(|path| escape(&String::from_utf8_lossy(path)))
        .collect();
    Err(Failure::blocked(format!(
        "after the undo these files differ from the kept state: {}",
        names.join(", ")
    ))
    .hint("something else is writing to them: stop it, then run `autoresearch resume`"))
}

/// After an undo nothing that the trial added may stand: git only warns of a file that it cannot delete.
fn check_gone(run: &Run<'_>, paths: &[Vec<u8>], kept: &str) -> Result<()> {
    let mut left = Vec::new();
    for path in paths {
        let added = !run.history.has_file(kept, path)?;
        let stands = || {
            !is_behind_link(run.work_tree(), path)
                && run
                    .work_tree()
                    .join(moved_away::as_path(path))
                    .symlink_metadata()
                    .is_ok_and(|meta| !meta.is_dir())
        };
        if added && stands() {
            left.push(moved_away::shown(moved_away::as_path(path)));
        }
    }
    let Some(first) = left.first() else {
        return Ok(());
    };
    let more = match left.len() {
        1 => String::new(),
        count => format!(" and {} more", count - 1),
    };
    Err(Failure::blocked(format!(
        "after the undo these files of the trial are still there: {first}{more}"
    ))
    .hint("nothing is built on them and no commit takes them. Remove them (the system does not let this user do it: the folder belongs to somebody else, or the file is immutable), then run `autoresearch resume`"))
}
