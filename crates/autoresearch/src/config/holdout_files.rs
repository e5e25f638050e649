//! Owns what the repository tells of a holdout: does it lie where the agent reads it?
//! Does not run it.
//! Invariant: a file below the work tree, also by way of a link, is no place for a secret.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use autoresearch_core::config::globs::Globs;
use autoresearch_core::config::{Config, Gauge, Holdout, Problem};

use crate::watch::command_files::{CommandSite, PinWhy, find_named_files, name_path, tidy_path};
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
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let file = tidy_path(file);
    file.starts_with(root) || file.starts_with(real(root)) || real(&file).starts_with(real(root))
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
}
