//! Owns the filling of a tree: links, copies and the command that prepares it, and the mark that it is complete.
//! Does not make the tree, and measures nothing.
//! Invariant: a tree with a mark was filled to its end; cut anywhere, the filling is done again and comes to the same.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use autoresearch_core::config::span::{format_span, whole_millis};
use autoresearch_core::config::{Config, Problem, UserCommand};
use autoresearch_core::git_names::RepoPath;
use autoresearch_core::words::excerpt::make_excerpt;

use crate::trees::copies::{Copier, describe_skipped};
use crate::trees::links::LinkMaker;
use crate::trees::refusals::find_refusals;
use crate::trees::sandboxing::explain_open_sandbox;
use crate::trees::viewing::explain_closed_view;
use crate::trees::wanted::{WantedPath, WantedPaths, choose_paths};
use crate::watch::space::check_free_space;
use autoresearch_sys::env::World;
use autoresearch_sys::error::{Failure, FailureKind, Result};
use autoresearch_sys::git::status::StatusEntry;
use autoresearch_sys::git::{Git, is_behind_link};
use autoresearch_sys::process::{
    CommandEnd, CommandLine, Executor, Job, JobConditions, LocalExecutor, TreeView,
};
use autoresearch_sys::regular_files::{NOTE_BYTES, read_text};
use autoresearch_sys::store::removal::folder_inode;
use autoresearch_sys::store::write_output;

/// A tree that is to be filled.
pub(crate) struct TreeFilling<'a> {
    pub world: &'a World,
    /// The environment of the command that prepares it: that of verify.
    pub env: &'a [(OsString, OsString)],
    /// git in the user's checkout.
    pub checkout: &'a Git,
    /// git in the tree.
    pub tree: &'a Git,
    /// The run's config: its `setup`, and the commands that will run in the tree.
    pub config: &'a Config,
    /// The view in which they run, which has its folders from the checkout itself.
    pub view: Option<&'a TreeView>,
}

/// What a filling did that is worth a word.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FillReport {
    /// One sentence each.
    pub notes: Vec<String>,
}

/// The mark of the run's own tree, beside its anchor.
#[must_use]
pub(crate) fn filled_mark(anchor_folder: &Path) -> PathBuf {
    anchor_folder.join("filled")
}

/// Fills a tree unless its mark says that this was done. `mark` is a file outside every tree.
pub(crate) fn fill_once(filling: &TreeFilling<'_>, mark: &Path) -> Result<FillReport> {
    let (tree, setup) = (filling.tree.work_tree(), &filling.config.setup);
    if setup.is_empty() || is_filled(tree, mark) {
        return Ok(FillReport::default());
    }
    let report = fill_tree(filling)?;
    (filling.world.step)("tree filled");
    write_output(mark, describe_tree(tree).as_bytes())?;
    Ok(report)
}

/// Does the mark stand for this very tree?
#[must_use]
pub(crate) fn is_filled(tree: &Path, mark: &Path) -> bool {
    read_text(mark, NOTE_BYTES).is_ok_and(|known| known == describe_tree(tree))
}

/// A tree is known by the number of its folder and the time at which that was made: one that was made again is another.
fn describe_tree(tree: &Path) -> String {
    let inode = folder_inode(tree).unwrap_or_default();
    let made = tree.metadata().and_then(|meta| meta.created()).ok();
    let since = made.and_then(|made| made.duration_since(UNIX_EPOCH).ok());
    format!("{inode} {}\n", since.unwrap_or_default().as_nanos())
}

/// Fills a tree from the user's checkout, and runs `prepare` in it. What an earlier filling left is completed.
pub(crate) fn fill_tree(filling: &TreeFilling<'_>) -> Result<FillReport> {
    check_free_space(&[filling.tree.work_tree()])?;
    let before = filling.tree.read_status()?;
    let (mut wanted, problems) = choose_paths(filling.checkout, &filling.config.setup)?;
    refuse_problems(&problems)?;
    let root = filling.checkout.work_tree();
    let mut refusals = find_refusals(root, filling.config, &wanted);
    refuse_links_in_the_way(filling, &wanted)?;
    if let Some(view) = filling.view {
        leave_to_view(view, &mut wanted, &mut refusals);
    }
    refuse_problems(&refusals)?;
    let checkout = filling.checkout.work_tree();
    let checkout = checkout
        .canonicalize()
        .map_err(|error| Failure::io(format!("could not read {}", checkout.display()), &error))?;
    link_paths(filling, &checkout, &wanted)?;
    let report = copy_paths(filling, &checkout, &wanted)?;
    if let Some(prepare) = &filling.config.setup.prepare {
        (filling.world.step)("tree prepare");
        run_prepare(filling, prepare)?;
    }
    refuse_visible(filling, &wanted, &before)?;
    Ok(report)
}

/// Takes out what the view shows. Links stand in the tree all the same, for an agent that tries something there by hand,
/// unless they would lead it to the checkout.
fn leave_to_view(view: &TreeView, wanted: &mut WantedPaths, refusals: &mut Vec<Problem>) {
    let is_shown = |wanted: &WantedPath| view.folders.contains(&wanted.path);
    let all = wanted.link.iter().chain(&wanted.copy);
    let shown: Vec<String> = all
        .filter(|path| is_shown(path))
        .map(|path| path.place.clone())
        .collect();
    let is_refused = |path: &WantedPath| refusals.iter().any(|it| it.place == path.place);
    wanted
        .link
        .retain(|path| !is_shown(path) || !is_refused(path));
    wanted.copy.retain(|path| !is_shown(path));
    refusals.retain(|problem| !shown.contains(&problem.place));
}

/// What is wrong with `link` and `copy` stops the filling.
fn refuse_problems(problems: &[Problem]) -> Result<()> {
    let Some(first) = problems.first() else {
        return Ok(());
    };
    let mut failure =
        Failure::config(format!("{}: {}", first.place, first.message)).hint(first.remedy.clone());
    let more = problems.iter().skip(1);
    failure.causes = more
        .map(|problem| format!("{}: {}", problem.place, problem.message))
        .collect();
    Err(failure)
}

/// A commit of the run's may hold a link where the checkout has a folder: nothing is written through it.
fn refuse_links_in_the_way(filling: &TreeFilling<'_>, wanted: &WantedPaths) -> Result<()> {
    let (checkout, tree) = (filling.checkout.work_tree(), filling.tree.work_tree());
    let all = wanted.link.iter().chain(&wanted.copy);
    for path in all.map(|wanted| &wanted.path) {
        // A single file that an earlier filling linked is ours.
        let foreign = |link: PathBuf| !link.ends_with(path) || !link.starts_with(checkout);
        if is_behind_link(tree, path) || tree.join(path).read_link().is_ok_and(foreign) {
            return Err(Failure::blocked(format!(
                "a symbolic link stands in the way of `{}` in {}",
                path.display(),
                tree.display()
            ))
            .hint("nothing was written through it: remove the link from the run's commits"));
        }
    }
    Ok(())
}

fn link_paths(filling: &TreeFilling<'_>, checkout: &Path, wanted: &WantedPaths) -> Result<()> {
    let mut links = LinkMaker {
        checkout,
        tree: filling.tree.work_tree(),
        wanted,
        rebased: Vec::new(),
    };
    for path in &wanted.link {
        (filling.world.step)("tree link");
        links.link_path(&path.path)?;
    }
    Ok(())
}

fn copy_paths(
    filling: &TreeFilling<'_>,
    checkout: &Path,
    wanted: &WantedPaths,
) -> Result<FillReport> {
    if wanted.copy.is_empty() && filling.view.is_none() {
        return Ok(FillReport::default());
    }
    let tracked = filling.tree.list_tracked_below(".")?;
    let below = |path: &&RepoPath| {
        let path = path.as_path();
        let mut copies = wanted.copy.iter();
        copies.any(|wanted| path.starts_with(&wanted.path))
    };
    let hidden = tracked.iter().filter(below).cloned().collect();
    let folders = [checkout, filling.tree.work_tree()];
    let mut copier = Copier::new(filling.world, folders, wanted, hidden);
    copier.copy_all()?;
    for folder in filling.view.iter().flat_map(|view| &view.folders) {
        copier.note_times(folder)?;
    }
    (filling.world.step)("tree touch");
    copier.make_newer(&tracked)?;
    let skipped = describe_skipped(&copier.skipped);
    Ok(FillReport {
        notes: skipped.into_iter().collect(),
    })
}

/// Runs the command that prepares a tree, where its links and copies are.
fn run_prepare(filling: &TreeFilling<'_>, prepare: &UserCommand) -> Result<()> {
    let limit = format_span(prepare.timeout);
    (filling.world.progress)(&format!("prepare runs, for at most {limit}"));
    let job = Job {
        command: CommandLine::from(prepare),
        directory: filling.tree.work_tree().join(&prepare.working_directory),
        timeout_ms: whole_millis(prepare.timeout),
        input: None,
        own_temporary: false,
        view: filling.view.cloned(),
        confinement: None,
        conditions: JobConditions::default(),
    };
    let (ended, printed) = LocalExecutor::new(filling.world, filling.env).run_job(&job)?;
    let how = match &ended.how {
        CommandEnd::Exited(status) if is_good_status(prepare, *status) => return Ok(()),
        CommandEnd::Cancelled => return Err(Failure::new(FailureKind::Interrupted, "interrupted")),
        CommandEnd::Exited(status) => format!("exit status {status}"),
        CommandEnd::Signalled(signal) => format!("signal {signal}"),
        CommandEnd::TimedOut => format!("it ran longer than {limit}"),
        CommandEnd::Flooded => "it printed too much".to_owned(),
        CommandEnd::NotShown(error) => return Err(explain_closed_view(error)),
        CommandEnd::NotConfined(error) => return Err(explain_open_sandbox(error)),
        CommandEnd::NotStarted(error) => format!("it was not started: {error}"),
    };
    let [stdout, stderr] =
        [&printed.stdout, &printed.stderr].map(|bytes| String::from_utf8_lossy(bytes));
    let mut failure = Failure::config(format!("`prepare` failed in the run's tree: {how}"));
    let tail = make_excerpt(&stderr, &stdout);
    if !tail.is_empty() {
        let tail = tail.replace('\n', " | ");
        failure.causes.push(format!("its last lines: {tail}"));
    }
    Err(failure.hint(match ended.how {
        CommandEnd::TimedOut => "raise `prepare.timeout`, or let it do less",
        CommandEnd::Exited(127) => {
            "it sees PATH as it was at the start, and only the variables named under `env`"
        }
        _ => "run it by hand in a fresh `git worktree`: it starts there with the tracked files, `link` and `copy` alone",
    }))
}

fn is_good_status(command: &UserCommand, status: i32) -> bool {
    u8::try_from(status).is_ok_and(|status| command.ok_exit.contains(&status))
}

/// What a tree gets must not show in git's view of it: it would be taken for an edit.
fn refuse_visible(
    filling: &TreeFilling<'_>,
    wanted: &WantedPaths,
    before: &[StatusEntry],
) -> Result<()> {
    let after = filling.tree.read_status()?;
    let bringer_of = |entry: &StatusEntry| {
        let path = entry.path.as_path();
        let mut all = wanted.link.iter().chain(&wanted.copy);
        all.find(|wanted| path.starts_with(&wanted.path))
    };
    let is_new = |entry: &&StatusEntry| !before.contains(entry) || bringer_of(entry).is_some();
    let Some(new) = after.iter().find(is_new) else {
        return Ok(());
    };
    let name = new.path.to_string();
    Err(match bringer_of(new) {
        Some(path) => Failure::config(format!(
            "{}: git ignores `{}` in your checkout and not in the run's tree",
            path.place,
            path.path.display()
        ))
        .hint("commit the .gitignore that ignores it, or name it in .git/info/exclude"),
        None => Failure::config(format!("`prepare` leaves the run's tree dirty: {name}")).hint(
            "let it write to ignored files alone (such as `npm ci` instead of `npm install`), or add the file to .gitignore and commit that",
        ),
    })
}

#[cfg(test)]
mod tests;
