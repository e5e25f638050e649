//! Owns the questions that are asked before a run starts: is this ground on which it can work?
//! Does not change anything.
//! Invariant: what is refused is refused before anything was made or run, with what to change.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use autoresearch_core::config::globs::Globs;
use autoresearch_core::config::{Config, Isolation};
use autoresearch_core::git_names::{CommitId, HeadTarget, RefName};
use autoresearch_core::words::text::escape_text;

use crate::config::variables;
use crate::watch::work_tree_check;
use crate::watch::work_tree_check::tracked_runs_error;
use autoresearch_sys::env::World;
use autoresearch_sys::error::{Failure, READ_ONLY, Result};
use autoresearch_sys::git::history::History;
use autoresearch_sys::git::status::StatusKind;
use autoresearch_sys::git::{Git, OLDEST, PrivateIndex, is_read_only};
use autoresearch_sys::store::{Access, DirtyFiles, FOLDER, Layout, RunStore, SealedSecret};

/// The day of git's first commit, in seconds since 1970.
const FIRST_SECOND: u64 = 1_112_832_000;
/// The year 2100: git reads no later date.
const LAST_SECOND: u64 = 4_102_444_800;

/// The ground of a run.
pub struct StartSite {
    /// git, in the work tree where the run starts.
    pub git: Git,
    pub history: History,
    /// git's version, for the log.
    pub git_version: String,
    /// What HEAD names.
    pub origin: HeadTarget,
    /// The commit of HEAD.
    pub base: CommitId,
    /// The environment of the commands, without secrets.
    pub env: BTreeMap<String, String>,
    /// Is the commits' identity lent?
    pub lend_identity: bool,
}

/// Looks at the repository that a folder lies in. `env` are names of variables to pass on, besides the usual ones.
pub fn read_start_site(world: &World, folder: &Path, names: &[String]) -> Result<StartSite> {
    let program = World::find_program(&world.vars, "git").ok_or_else(|| {
        Failure::environment("git was not found on PATH").hint("install git 2.36 or newer")
    })?;
    let env = variables::collect_passed(world, names)?;
    let plain: Vec<(OsString, OsString)> = env
        .iter()
        .map(|(name, value)| (name.into(), value.into()))
        .collect();
    let around = Git::new(&program, folder, &plain).obeying(world);
    let history = History::open_with_git(&around)?;
    work_tree_check::check_inside(folder, &history.work_tree())?;
    check_utf8_paths(world, &history, &program)?;
    let mut git = around.at_folder(&history.work_tree());
    let (version, git_version) = git.read_version()?;
    if version < OLDEST {
        return Err(
            Failure::environment(format!("git {git_version} is too old"))
                .hint(format!("install git {}.{} or newer", OLDEST.0, OLDEST.1)),
        );
    }
    let head = history.read_head()?;
    let Some(base) = head.commit else {
        return Err(Failure::blocked("the repository has no commit yet")
            .hint("commit something first: a run starts from a commit"));
    };
    let lend_identity = !git.knows_identity();
    if lend_identity {
        git.lend_identity();
    }
    Ok(StartSite {
        origin: head
            .branch
            .map_or_else(|| HeadTarget::Commit(base.clone()), HeadTarget::Branch),
        git,
        history,
        git_version,
        base,
        env,
        lend_identity,
    })
}

/// Refuses folders whose paths cannot be written down: journal and anchor are JSON, and would not find the run again.
fn check_utf8_paths(world: &World, history: &History, program: &Path) -> Result<()> {
    let paths = [
        ("the repository", history.work_tree()),
        ("the git folder", history.git_folder()),
        ("the git folder", history.common_folder()),
        ("the state folder", world.state_folder.clone()),
        ("the git program", program.to_owned()),
    ];
    match paths.iter().find(|(_, path)| path.to_str().is_none()) {
        Some((what, path)) => Err(Failure::blocked(format!(
            "the path of {what} is not UTF-8: {}",
            escape_text(&path.to_string_lossy())
        ))
        .hint("nothing was made. Rename the folder, or start the run in a clone at another path")),
        None => Ok(()),
    }
}

/// Secrets as they are kept, and as the commands get them.
pub type SealedSecrets = (BTreeMap<String, SealedSecret>, Vec<(OsString, OsString)>);

/// Seals the values of the secrets, and gives them for the baseline.
pub fn seal_secrets(world: &World, names: &[String], salt: &str) -> Result<SealedSecrets> {
    let mut sealed = BTreeMap::new();
    let mut open = Vec::new();
    for name in names {
        let value = world.find_variable(name).and_then(|value| value.to_str());
        let value = value.ok_or_else(|| {
            Failure::config(format!("the secret `{name}` is not set"))
                .hint(format!("export {name}, then start again"))
        })?;
        sealed.insert(name.clone(), SealedSecret::seal_value(salt, value));
        open.push((name.into(), value.into()));
    }
    Ok((sealed, open))
}

/// Refuses a repository in which a run could not work or could do harm.
pub fn check_start_site(world: &World, site: &StartSite, config: &Config) -> Result<()> {
    check_clock(world.now_ms() / 1000, &world.now_text())?;
    let history = &site.history;
    if let Some(operation) = history.find_operation() {
        return Err(Failure::blocked(format!("a {operation} is in progress"))
            .hint(format!("finish or abort the {operation} first")));
    }
    if is_read_only(&history.git_folder()) || is_read_only(&history.common_folder()) {
        return Err(Failure::environment("git cannot write to its folder").hint(READ_ONLY));
    }
    work_tree_check::check_root(&site.git, &history.work_tree(), &history.git_folder())?;
    if config.isolation == Isolation::InPlace
        && let Some(branch) = site.origin.branch()
        && let Some(holder) = site.git.find_branch_holder(branch)?
    {
        return Err(work_tree_check::branch_taken_error(branch, &holder));
    }
    if history.has_at_root(&site.base, FOLDER)? || !site.git.list_tracked_below(FOLDER)?.is_empty()
    {
        return Err(tracked_runs_error());
    }
    if history
        .read_reference(&RefName::of_branch("autoresearch"))
        .is_some()
    {
        return Err(Failure::blocked(
            "a branch called `autoresearch` exists, so `autoresearch/<run>` cannot",
        )
        .hint("rename it: git branch -m autoresearch autoresearch-old"));
    }
    if config.isolation == Isolation::InPlace && site.origin.branch().is_none() {
        return Err(
            Failure::blocked("HEAD is detached, and `in-place` needs a branch")
                .hint("check out a branch, or use `isolation: branch`"),
        );
    }
    if config.isolation == Isolation::Worktree {
        Ok(())
    } else {
        check_alone(world, site)
    }
}

/// Refuses a clock that nobody set: git takes no dates of it, and no time of a file would say which is newer.
fn check_clock(seconds: u64, text: &str) -> Result<()> {
    if (FIRST_SECOND..LAST_SECOND).contains(&seconds) {
        return Ok(());
    }
    let error = format!("the clock of this machine says {text}");
    Err(Failure::environment(error).hint("set it (`date` shows it), then start again"))
}

/// What of the user's settings is not followed, one sentence each.
#[must_use]
pub fn list_remarks(git: &Git) -> Vec<String> {
    let mut remarks = Vec::new();
    if git.is_setting_on("commit.gpgsign") {
        remarks.push("note: trial commits are not signed, although commit.gpgsign is true, because a key that asks for a passphrase would stop the run; `finish` says how to sign what was kept".to_owned());
    }
    if git.tells_case() && git.is_setting_on("core.ignoreCase") {
        remarks.push("note: core.ignoreCase is true, but this disk tells upper from lower case: git works here as if it were false".to_owned());
    }
    remarks
}

/// Two runs must not share a work tree.
pub fn check_alone(world: &World, site: &StartSite) -> Result<()> {
    let root = site.history.work_tree();
    for name in Layout::list_runs(&root) {
        let Ok(store) =
            RunStore::open_run(world, Layout::new(&root, &name), Access::Glance, "start")
        else {
            continue;
        };
        let state = &store.state;
        let here = state.start.worktree.is_none();
        if here
            && (state.end.is_none()
                || (state.finish.is_none()
                    && state.config().isolation == Isolation::Branch
                    && site.origin.branch() == Some(&state.start.branch)))
        {
            let hint = if state.end.is_some() {
                format!("`autoresearch finish --run {name}` goes back to your branch")
            } else {
                format!(
                    "continue it (`autoresearch resume`), end it (`autoresearch finish --run {name}`), or use `isolation: worktree`"
                )
            };
            return Err(
                Failure::blocked(format!("the run `{name}` works in this work tree")).hint(hint),
            );
        }
    }
    Ok(())
}

/// What the index tells git not to look at: outside the scope it is noted like what is dirty, inside it is refused.
/// Files that a sparse checkout left out are none; git looks at them as soon as they are there.
fn note_flagged_files(git: &Git, scope: &Globs, dirty_files: &mut DirtyFiles) -> Result<()> {
    let flagged = git.list_flagged()?;
    if flagged.is_empty() {
        return Ok(());
    }
    let sparse = git
        .read_settings()?
        .get("core.sparsecheckout")
        .is_some_and(|value| value == "true");
    for flagged in flagged {
        let path = flagged.path.as_path();
        let text = flagged.path.to_text();
        if sparse && git.work_tree().join(path).symlink_metadata().is_err() {
            continue;
        }
        if scope.matches_path(text.trim_end_matches('/')) {
            return Err(Failure::blocked(format!(
                "the index flag {} hides a file in the scope from git: {}",
                flagged.flag,
                escape_text(&text)
            ))
            .hint(format!(
                "`git update-index --no-{} PATH` shows it again; or take it out of the scope",
                flagged.flag
            )));
        }
        dirty_files.add_path(&flagged.path, true);
    }
    Ok(())
}

/// Notes what is dirty outside the scope, and refuses what is dirty inside it.
pub fn find_dirty_files(
    index: &PrivateIndex<'_>,
    site: &StartSite,
    config: &Config,
) -> Result<DirtyFiles> {
    let git = index.git();
    let scope = Globs::new(&config.scope).map_err(|error| Failure::config(error.to_string()))?;
    let mut dirty_files = DirtyFiles::default();
    let users = site.history.git_folder().join("index");
    let users = index.compare_users(&users, &site.base)?;
    let unmerged: Vec<String> = users.conflicts.iter().map(ToString::to_string).collect();
    let staged = users.differing.iter().map(|path| path.to_text());
    let staged = staged.filter(|path| scope.matches_path(path) && !path.starts_with(FOLDER));
    let mut inside: Vec<String> = staged.map(|path| escape_text(&path)).collect();
    for entry in git.read_status()? {
        let text = entry.path.to_text();
        if Path::new(&*text).starts_with(FOLDER) {
            // Files of the user's in the folder of the runs are never a trial's, and lessons are ours.
            continue;
        }
        if scope.matches_path(text.trim_end_matches('/')) {
            inside.push(escape_text(&text));
        } else {
            let unknown = matches!(
                entry.kind,
                StatusKind::Untracked | StatusKind::NestedRepository
            );
            dirty_files.add_path(&entry.path, !unknown);
        }
    }
    inside.sort();
    inside.dedup();
    if !unmerged.is_empty() {
        return Err(Failure::blocked(format!("files are in conflict: {}", show_first_names(&unmerged)))
            .hint("git can neither commit a trial nor go back to your branch beside a conflict. Edit the files and `git add` them, or give the conflict up with `git checkout HEAD -- FILE`; then start again"));
    }
    note_flagged_files(&site.git, &scope, &mut dirty_files)?;
    if inside.is_empty() {
        return Ok(dirty_files);
    }
    Err(Failure::blocked(format!("files in the scope have uncommitted changes: {}", show_first_names(&inside)))
        .hint("commit them, move them away, or remove them from the scope: what is in the scope belongs to the trials"))
}

/// The first few names, and how many more there are.
fn show_first_names(names: &[String]) -> String {
    let shown = names[..names.len().min(5)].join(", ");
    match names.len().saturating_sub(5) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests;
