//! Owns the choice whether verify and guard see the run's tree in a view, at the path of the user's checkout.
//! Does not open one for a command of the user's; the runner of a job does.
//! Invariant: a view that is chosen was opened once on this machine, for this tree.
//!
//! A build folder, a workspace link or an editable installation names the checkout's path. In a view the tree stands at that
//! path and the folders lie over it, copied on write, so that each of these measures the tree.

use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use autoresearch_core::config::{Config, UserCommand, ViewUse};
use autoresearch_core::shell::words::list_command_words;
use autoresearch_core::words::text::{escape_text, shorten_names};

use crate::trees::editable_installs::find_checkout_problems;
use crate::trees::place::find_temporary_folder;
use crate::trees::wanted::choose_paths;
use autoresearch_sys::env::{World, make_random_id};
use autoresearch_sys::error::{Failure, Result};
use autoresearch_sys::git::Git;
use autoresearch_sys::process::{
    CommandEnd, CommandLine, Executor, Job, JobConditions, LocalExecutor, TreeView,
};
use autoresearch_sys::store::FOLDER as RUNS;
use autoresearch_sys::store::removal::remove_folder_below;

/// Programs whose work another process does, one that was started outside and finds the user's checkout at the path.
const CLIENTS: [&str; 20] = [
    "docker",
    "docker-compose",
    "podman",
    "nerdctl",
    "bazel",
    "bazelisk",
    "buck",
    "buck2",
    "pants",
    "gradle",
    "gradlew",
    "mvnd",
    "sbt",
    "sbtn",
    "bloop",
    "nx",
    "turbo",
    "watchman",
    "flow",
    "sccache",
];
/// The folder of a view, beside the note of its tree.
const FOLDER: &str = "view";
/// How long the trial of a view may take.
const PATIENCE_MS: u64 = 30_000;

/// A tree for which a view is to be chosen.
pub(crate) struct ViewChoice<'a> {
    pub world: &'a World,
    /// git in the user's checkout.
    pub checkout: &'a Git,
    /// The tree, which git has made.
    pub tree: &'a Path,
    /// The folder of the tree's note.
    pub note_folder: &'a Path,
    pub config: &'a Config,
}

impl ViewChoice<'_> {
    /// The view of the tree, where the config allows one and the system opens it. What an earlier tree in the same place
    /// wrote is gone.
    pub(crate) fn choose_view(&self) -> Result<Option<TreeView>> {
        if !may_use_view(self.config) {
            return Ok(None);
        }
        let checkout = self.checkout.work_tree();
        let (folders, leads_back) = self.list_folders()?;
        if folders.is_empty() && !leads_back {
            return Ok(None);
        }
        let Ok(checkout) = checkout.canonicalize() else {
            return Ok(None);
        };
        let _ = remove_folder_below(self.note_folder, Path::new(FOLDER));
        let view = TreeView {
            tree: self.tree.to_owned(),
            checkout,
            folders,
            writes: self.note_folder.join(FOLDER),
        };
        let opens = opens_view(self.world, &view);
        if !opens {
            let _ = remove_folder_below(self.note_folder, Path::new(FOLDER));
        }
        Ok(opens.then_some(view))
    }

    /// The folders of the checkout that commands need beside the tree: those of `link` and `copy`, and those that git ignores
    /// and that a command names by a whole path. Also whether something leads a command back to the checkout's sources.
    fn list_folders(&self) -> Result<(Vec<PathBuf>, bool)> {
        let root = self.checkout.work_tree();
        let (wanted, _) = choose_paths(self.checkout, &self.config.setup)?;
        let all = wanted.link.iter().chain(&wanted.copy);
        let chosen = all.map(|wanted| wanted.path.clone());
        let ignored = self.checkout.list_ignored_folders()?;
        let words = list_commands(self.config).flat_map(|it| list_command_words(&it.command));
        let words: Vec<PathBuf> = words.map(PathBuf::from).collect();
        let is_named = |folder: &&String| {
            let whole = root.join(folder);
            let named = |word: &PathBuf| word.starts_with(&whole) && word.exists();
            *folder != RUNS && words.iter().any(named)
        };
        let named = ignored.iter().filter(is_named).map(PathBuf::from);
        let mut folders: Vec<PathBuf> = chosen
            .chain(named)
            .filter(|folder| root.join(folder).is_dir())
            .collect();
        folders.sort();
        // Sorted, a folder stands before what is in it.
        folders.dedup_by(|inner, outer| inner.starts_with(outer));
        let back = find_checkout_problems(self.world, self.config, root, &ignored);
        Ok((folders, !back.is_empty()))
    }
}

/// Would the system open a view of these folders, where there is no tree yet?
pub(crate) fn could_view(world: &World, checkout: &Git, config: &Config) -> bool {
    let Ok(id) = make_random_id() else {
        return false;
    };
    let above = find_temporary_folder(world);
    let below = PathBuf::from(format!("autoresearch-{id}"));
    let place = above.join(&below);
    let tree = place.join("tree");
    let mut private = std::fs::DirBuilder::new();
    let made = private
        .mode(0o700)
        .create(&place)
        .and_then(|()| std::fs::create_dir(&tree))
        .and_then(|()| std::fs::write(tree.join(".git"), "gitdir: /nowhere\n"));
    // A job notes what it prints in the state folder, which a check does not make.
    let here = World {
        state_folder: place.clone(),
        ..world.clone()
    };
    let choice = ViewChoice {
        world: &here,
        checkout,
        tree: &tree,
        note_folder: &place,
        config,
    };
    let view = made.is_ok().then(|| choice.choose_view().ok().flatten());
    let _ = remove_folder_below(&above, &below);
    view.flatten().is_some()
}

/// May the commands of this config run in a view? A pattern with `!` takes something out of a folder, which a view cannot.
fn may_use_view(config: &Config) -> bool {
    let setup = &config.setup;
    let mut patterns = setup.link.iter().chain(&setup.copy);
    setup.view == ViewUse::Auto
        && patterns.all(|pattern| !pattern.starts_with('!'))
        && !list_commands(config).any(calls_client)
}

/// The commands that run in a tree.
fn list_commands(config: &Config) -> impl Iterator<Item = &UserCommand> {
    let measuring = config.list_commands().into_iter();
    measuring
        .map(|(_, command)| command)
        .chain(config.setup.prepare.as_ref())
}

fn calls_client(command: &UserCommand) -> bool {
    let words = list_command_words(&command.command);
    words.iter().any(|word| {
        let name = Path::new(word).file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| CLIENTS.contains(&name))
    })
}

/// Runs a command that does nothing in the view.
fn opens_view(world: &World, view: &TreeView) -> bool {
    let job = Job {
        command: CommandLine::Shell(":".to_owned()),
        directory: view.tree.clone(),
        timeout_ms: PATIENCE_MS,
        input: None,
        own_temporary: false,
        view: Some(view.clone()),
        confinement: None,
        conditions: JobConditions::default(),
    };
    let ended = LocalExecutor::new(world, &[]).run_job(&job);
    ended.is_ok_and(|(ended, _)| ended.how == CommandEnd::Exited(0))
}

/// What commands say of the checkout's path, as it reads outside their view: there the same file is in the tree.
pub(crate) fn translate_output(view: &TreeView, text: &str) -> String {
    let (checkout, tree) = (view.checkout.as_os_str(), view.tree.as_os_str());
    let (Ok(checkout), Ok(tree)) = (
        std::str::from_utf8(checkout.as_bytes()),
        std::str::from_utf8(tree.as_bytes()),
    ) else {
        return text.to_owned();
    };
    text.replace(&format!("{checkout}/"), &format!("{tree}/"))
}

/// What a person is told of a view.
pub(crate) fn describe_view(view: &TreeView) -> String {
    if view.folders.is_empty() {
        return "note: verify and guard see the run's tree at the path of your checkout".to_owned();
    }
    let names: Vec<String> = view
        .folders
        .iter()
        .map(|folder| format!("{}/", escape_text(&folder.to_string_lossy())))
        .collect();
    let names = shorten_names(&names, names.len(), 80);
    format!(
        "note: verify and guard see the run's tree at the path of your checkout, with its {names} copied on write"
    )
}

/// The refusal of a command whose view could not be opened: measured without it, it would measure something else.
pub(crate) fn explain_closed_view(error: &str) -> Failure {
    Failure::environment(error).hint(
        "nothing was measured. This run's commands see its tree in a view since its start: bring back what is named, or call the command where the system opens views (outside a sandbox or container); a new run with `view: off` gets links and copies instead",
    )
}
