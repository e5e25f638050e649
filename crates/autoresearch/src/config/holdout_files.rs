//! Owns where a holdout lies: where the agent reads it, and what edited code in a sandbox must not read.
//! Does not run it.
//! Invariant: a file below the work tree, also by way of a link, is no place for a secret.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use autoresearch_core::config::globs::Globs;
use autoresearch_core::config::{Config, Gauge, Holdout, Problem};

use crate::watch::command_files::{
    CommandSite, PinWhy, find_named_files, is_in_reach, name_path, tidy_path,
};
use autoresearch_sys::env::World;

/// Everything that the repository tells of a holdout. Without a path the config came from no file.
pub(super) fn find_holdout_problems(
    world: &World,
    root: &Path,
    file: Option<&Path>,
    (config, holdout): (&Config, &Holdout),
) -> Vec<Problem> {
    let mut problems = Vec::new();
    if file.is_some_and(|file| lies_below(root, file)) {
        problems.push(Problem::error(
            "holdout",
            "this config lies in the work tree, where the agent reads it",
            "move the config outside the repository, as to `~/night.yaml`, and start with `--config ~/night.yaml`",
        ));
    }
    let scope = Globs::new(&config.scope).ok();
    let files = list_holdout_files(world, root, (config, holdout));
    let mut executed = files
        .iter()
        .filter(|(path, why)| **why == PinWhy::Executed && path.starts_with(root));
    // What the scope holds is the subject, which the holdout may well execute.
    let is_subject = |path: &PathBuf| {
        scope
            .as_ref()
            .is_none_or(|scope| scope.matches_path(&name_path(root, path)))
    };
    if executed.any(|(path, _)| !is_subject(path)) {
        problems.push(Problem::warning(
            "holdout.command",
            "it executes a file of the work tree, which the agent reads",
            "keep the check itself outside the repository",
        ));
    }
    problems
}

fn lies_below(root: &Path, file: &Path) -> bool {
    let (file, real) = (tidy_path(file), resolve_links(root));
    file.starts_with(root) || file.starts_with(&real) || resolve_links(&file).starts_with(real)
}

/// The files that it names, and whether it executes them.
pub(crate) fn list_holdout_files(
    world: &World,
    root: &Path,
    (config, holdout): (&Config, &Holdout),
) -> BTreeMap<PathBuf, PinWhy> {
    let alone = Config {
        verify: holdout.command.clone(),
        gauge: Gauge::default(),
        guard: None,
        ..config.clone()
    };
    find_named_files(&CommandSite::new(world, root), &alone)
}

/// What no command of a run is to read, where a sandbox keeps it away: the config that holds a holdout, and the files and
/// folders outside the work tree that the holdout names. What verify or guard name too, they need.
pub(crate) fn list_secret_places(
    world: &World,
    root: &Path,
    file: Option<&Path>,
    (config, holdout): (&Config, &Holdout),
) -> Vec<PathBuf> {
    let site = CommandSite::new(world, root);
    let files = list_holdout_files(world, root, (config, holdout)).into_keys();
    let folders = site.list_named_folders(&holdout.command);
    let config_file = file.map(Path::to_owned);
    let commands = config.list_commands().into_iter();
    let named = commands.flat_map(|(_, command)| site.list_named_folders(command));
    let named = named.chain(find_named_files(&site, config).into_keys());
    let temporary = world.find_variable("TMPDIR").map(PathBuf::from);
    let ours = [root.to_owned(), world.state_folder.clone(), "/tmp".into()];
    let needed: Vec<PathBuf> = named
        .chain(ours)
        .chain(site.home.clone())
        .chain(temporary)
        .flat_map(|path| [resolve_links(&path), path])
        .collect();
    let is_secret = |place: &PathBuf| {
        let is_needed = needed.iter().any(|path| path.starts_with(place));
        !lies_below(root, place) && is_in_reach(root, place) && !is_needed
    };
    let places = files.chain(folders).chain(config_file);
    let mut places: Vec<PathBuf> = places
        .map(|place| resolve_links(&tidy_path(&place)))
        .filter(is_secret)
        .collect();
    places.sort();
    places.dedup();
    places
}

fn resolve_links(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_below_the_work_tree_is_found_by_its_name_and_through_links() {
        let folder = tempfile::tempdir().unwrap();
        let (root, home) = (folder.path().join("repo"), folder.path().join("home"));
        for path in [&root, &home] {
            std::fs::create_dir(path).unwrap();
        }
        std::fs::write(home.join("night.yaml"), "").unwrap();
        std::fs::write(root.join("inside.yaml"), "").unwrap();
        std::os::unix::fs::symlink(home.join("night.yaml"), root.join("to-home.yaml")).unwrap();
        std::os::unix::fs::symlink(&root, home.join("to-repo")).unwrap();
        for inside in [
            root.join("inside.yaml"),
            root.join("to-home.yaml"),
            root.join("sub/../inside.yaml"),
            home.join("../repo/inside.yaml"),
            home.join("to-repo/inside.yaml"),
        ] {
            assert!(lies_below(&root, &inside), "{}", inside.display());
        }
        for outside in [home.join("night.yaml"), root.join("../home/night.yaml")] {
            assert!(!lies_below(&root, &outside), "{}", outside.display());
        }
        assert!(!lies_below(&root, &folder.path().join("repo2/night.yaml")));
    }

    #[test]
    fn what_nobody_is_to_read_is_what_the_holdout_alone_names() {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().canonicalize().unwrap();
        for path in [
            "repo/src",
            "home/night/samples",
            "home/shared/more",
            "state",
        ] {
            std::fs::create_dir_all(base.join(path)).unwrap();
        }
        for path in [
            "repo/bench.py",
            "home/night.yaml",
            "home/check.sh",
            "home/shared/list",
        ] {
            std::fs::write(base.join(path), "").unwrap();
        }
        let config = serde_json::json!({
            "goal": "g", "scope": ["src/**"], "metric": {"name": "m", "direction": "lower"},
            "verify": {"command": "python3 bench.py ~/shared/list"},
            "holdout": {"command": "cd ~ && sh ~/check.sh ~/night/samples ~/shared ~/shared/list src bench.py /usr/bin / /tmp"},
        });
        let checked = autoresearch_core::config::check_config(&config);
        let what = (&checked.config.unwrap(), &checked.holdout.unwrap());
        let home = base.join("home").to_str().unwrap().to_owned();
        let world = World {
            state_folder: base.join("state"),
            vars: [("HOME".into(), home.into())].into(),
            ..World::from_process()
        };
        let file = base.join("home/night.yaml");
        let found = list_secret_places(&world, &base.join("repo"), Some(&file), what);
        let names = found.iter().map(|path| path.strip_prefix(&base).unwrap());
        insta::assert_snapshot!(
            names.map(Path::to_string_lossy).collect::<Vec<_>>().join("\n"),
            @"
        home/check.sh
        home/night/samples
        home/night.yaml
        "
        );
    }
}
