//! Owns the question whether verify, run in a separate work tree, would measure the person's checkout instead.
//! Does not run anything: it reads the commands, and the files by which Python finds an editable install.
//! Invariant: a warning names the file that leads to the checkout.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use autoresearch_core::config::{Config, Problem, UserCommand};
use autoresearch_core::shell::words::list_command_words;

use autoresearch_sys::env::World;
use autoresearch_sys::regular_files::{NOTE_BYTES, read_text};
use autoresearch_sys::store::FOLDER;

/// What leads from the run's work tree back to the checkout at `root`. `ignored` are the folders that git ignores there.
#[must_use]
pub(crate) fn find_checkout_problems(
    world: &World,
    config: &Config,
    root: &Path,
    ignored: &[String],
) -> Vec<Problem> {
    let mut found = Vec::new();
    for (key, command) in config.list_commands() {
        found.extend(find_named_path(&key, command, root, ignored));
        if !command.command.contains("PYTHONPATH=") {
            found.extend(find_editable_install(world, &key, command, root));
        }
    }
    for name in &config.env {
        let value = world.find_variable(name).cloned().unwrap_or_default();
        if std::env::split_paths(&value).any(|path| is_checkout_source(&path, root, ignored)) {
            found.push(Problem::warning(
                "env",
                format!("`{name}` names a folder of your checkout, and the trials are made in a separate work tree: that folder would be measured instead"),
                "set it in verify to a path from the work tree's root, or use `isolation: branch`",
            ));
        }
    }
    found
}

/// A path in the checkout that is not in a folder that git ignores: sources, and not an environment or a cache.
fn is_checkout_source(path: &Path, root: &Path, ignored: &[String]) -> bool {
    path.starts_with(root)
        && path.exists()
        && !path.starts_with(root.join(FOLDER))
        && !ignored
            .iter()
            .any(|folder| path.starts_with(root.join(folder)))
}

fn find_named_path(
    key: &str,
    command: &UserCommand,
    root: &Path,
    ignored: &[String],
) -> Option<Problem> {
    let words = list_command_words(&command.command);
    let path = words
        .iter()
        .find(|word| is_checkout_source(Path::new(word), root, ignored))?;
    Some(Problem::warning(
        &format!("{key}.command"),
        format!(
            "`{path}` lies in your checkout, and the trials are made in a separate work tree: {key} would not see them"
        ),
        "write it from the work tree's root, or use `isolation: branch`",
    ))
}

/// A Python environment that the command uses, and that imports packages from the checkout.
fn find_editable_install(
    world: &World,
    key: &str,
    command: &UserCommand,
    root: &Path,
) -> Option<Problem> {
    let python = autoresearch_core::shell::executed::list_programs(&command.command);
    let tools = ["python", "pytest", "py.test", "coverage", "ipython"];
    if !tools
        .iter()
        .any(|tool| python.iter().any(|name| name == tool))
    {
        return None;
    }
    let named = list_command_words(&command.command)
        .into_iter()
        .map(PathBuf::from);
    let path = world.find_variable("PATH").cloned().unwrap_or_default();
    let mut programs: Vec<PathBuf> = named.filter(|word| word.is_absolute()).collect();
    programs.extend(std::env::split_paths(&path).map(|folder| folder.join("python")));
    let mut environments: BTreeSet<PathBuf> = programs
        .iter()
        .filter_map(|program| Some(program.parent()?.parent()?.to_owned()))
        .collect();
    environments.extend(world.find_variable("VIRTUAL_ENV").map(PathBuf::from));
    environments.extend(world.find_variable("CONDA_PREFIX").map(PathBuf::from));
    let home = world.find_variable("HOME").map(PathBuf::from);
    environments.extend(home.map(|home| home.join(".local")));
    let link = environments
        .iter()
        .find_map(|environment| find_link_to(environment, root))?;
    Some(Problem::warning(
        &format!("{key}.command"),
        format!(
            "{} makes Python import from your checkout, and the trials are made in a separate work tree: {key} would not see them",
            link.display()
        ),
        format!(
            "begin {key} with `PYTHONPATH=` and the folder of the sources, such as `PYTHONPATH=src`, or use `isolation: branch`"
        ),
    ))
}

/// The file in an environment that leads to the checkout.
pub(crate) fn find_link_to(environment: &Path, root: &Path) -> Option<PathBuf> {
    let entries = |folder: &Path| {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect::<Vec<_>>()
    };
    let is_python = |library: &PathBuf| {
        let name = library.file_name().unwrap_or_default();
        name.as_encoded_bytes().starts_with(b"python")
    };
    let libraries = entries(&environment.join("lib")).into_iter();
    let packages = libraries.filter(is_python).flat_map(|library| {
        ["site-packages", "dist-packages"].map(|packages| library.join(packages))
    });
    let mut files: Vec<PathBuf> = packages.flat_map(|folder| entries(&folder)).collect();
    files.sort();
    files
        .into_iter()
        .find(|file| leads_to_checkout(file, environment, root))
}

fn leads_to_checkout(file: &Path, environment: &Path, root: &Path) -> bool {
    let ending = file.extension().and_then(OsStr::to_str).unwrap_or_default();
    let finder = file
        .file_name()
        .is_some_and(|name| name.as_encoded_bytes().starts_with(b"__editable__"));
    if ending == "dist-info" {
        return is_editable_of(&file.join("direct_url.json"), root);
    }
    let link = ["pth", "egg-link"].contains(&ending) || (finder && ending == "py");
    if !link {
        return false;
    }
    let text = read_text(file, NOTE_BYTES).unwrap_or_default();
    // A `.pth` holds a path a line; the finder of setuptools holds them as quoted texts.
    text.split(['\n', '\'', '"']).any(|piece| {
        let path = Path::new(piece.trim());
        let own = environment.starts_with(root) && path.starts_with(environment);
        path.starts_with(root) && !own
    })
}

/// What pip notes of where a package came from: is it the checkout, in place?
fn is_editable_of(note: &Path, root: &Path) -> bool {
    let text = read_text(note, NOTE_BYTES).unwrap_or_default();
    let note: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    let url = note["url"].as_str().unwrap_or_default();
    let path = url.strip_prefix("file://").map(Path::new);
    note["dir_info"]["editable"] == true && path.is_some_and(|path| path.starts_with(root))
}

#[cfg(test)]
mod tests;
