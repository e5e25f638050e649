//! Owns the yardstick: the files that decide what is measured, pinned by their bytes at start.
//! Does not run anything.
//! Invariant: a pinned file that is not byte for byte what it was is reported, wherever it lies and whoever changed it.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use autoresearch_core::chain::hash;
use autoresearch_core::command_words::words;
use autoresearch_core::config::{Command, Config};
use autoresearch_core::globs::Globs;

use crate::store::{FOLDER, Pin, Signature};

/// Pins the files that the commands name, and everything under `protect`.
#[must_use]
pub fn pin(root: &Path, config: &Config, protect: &Globs) -> BTreeMap<String, Pin> {
    let mut pins = BTreeMap::new();
    let mut add = |path: &Path| {
        if let Some(pin) = measure(path) {
            pins.insert(name(root, path), pin);
        }
    };
    for file in named_files(root, config) {
        add(&file);
    }
    for file in protected_files(root, protect) {
        add(&file);
    }
    pins
}

/// The files that verify and guard name.
#[must_use]
pub fn named_files(root: &Path, config: &Config) -> Vec<PathBuf> {
    let commands = [Some(&config.verify), config.guard.as_ref()];
    commands
        .into_iter()
        .flatten()
        .flat_map(|command| files_of(root, command))
        .collect()
}

/// The name of a path in messages and in the pins: from the root where it lies below it.
#[must_use]
pub fn name(root: &Path, path: &Path) -> String {
    path.strip_prefix(root)
        .unwrap_or(path)
        .to_string_lossy()
        .into_owned()
}

/// Words of the command that are files, seen from its folder, the root, and each folder that it names.
fn files_of(root: &Path, command: &Command) -> Vec<PathBuf> {
    let base = tidy(&root.join(&command.working_directory));
    let words = words(&command.command);
    let mut folders = vec![base.clone(), root.to_owned()];
    folders.extend(
        words
            .iter()
            .map(|word| tidy(&base.join(word)))
            .filter(|path| path.is_dir() && path.starts_with(root)),
    );
    let mut files: Vec<PathBuf> = words
        .iter()
        .flat_map(|word| folders.iter().map(move |folder| tidy(&folder.join(word))))
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    files.dedup();
    // System programs change with the system; what counts is what lies in reach of an agent.
    let system = [
        "/bin", "/usr", "/sbin", "/lib", "/lib64", "/dev", "/proc", "/nix", "/opt",
    ];
    files.retain(|path| {
        path.starts_with(root) || !system.iter().any(|folder| path.starts_with(folder))
    });
    files
}

/// The path without `.` and `..`, by its text alone.
fn tidy(path: &Path) -> PathBuf {
    let mut tidy = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                tidy.pop();
            }
            part => tidy.push(part),
        }
    }
    tidy
}

/// Every file under `protect`, ignored ones too.
fn protected_files(root: &Path, protect: &Globs) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for prefix in protect.prefixes() {
        walk(root, &root.join(prefix), protect, &mut found);
    }
    found.sort();
    found.dedup();
    found
}

fn walk(root: &Path, at: &Path, protect: &Globs, found: &mut Vec<PathBuf>) {
    let Ok(meta) = at.symlink_metadata() else {
        return;
    };
    let below = at.strip_prefix(root).unwrap_or(at);
    if meta.is_dir() {
        if below.ends_with(".git") || below.starts_with(FOLDER) {
            return;
        }
        let entries = std::fs::read_dir(at).into_iter().flatten().flatten();
        for entry in entries {
            walk(root, &entry.path(), protect, found);
        }
    } else if protect.matches(&below.to_string_lossy()) {
        found.push(at.to_owned());
    }
}

/// The pin of a file or of a symbolic link and what it leads to; `None` for what is neither or is not there.
#[must_use]
pub fn measure(path: &Path) -> Option<Pin> {
    let signature = Signature::of(path);
    let meta = path.symlink_metadata().ok()?;
    let target = if meta.is_symlink() {
        std::fs::read_link(path).ok()?
    } else {
        PathBuf::new()
    };
    let mut bytes = std::fs::read(path).unwrap_or_default();
    let mode = u8::from(std::os::unix::fs::MetadataExt::mode(&meta) & 0o100 != 0);
    bytes.extend_from_slice(target.as_os_str().as_encoded_bytes());
    bytes.push(mode);
    // What a link leads to may change without the link: it is hashed every time.
    Some(Pin {
        hash: hash(&bytes),
        signature: signature.filter(|_| !meta.is_symlink()),
    })
}

/// Is this file not what was pinned, or there although nothing was?
#[must_use]
pub fn differs(path: &Path, pin: Option<&Pin>) -> bool {
    let untouched =
        pin.is_some_and(|pin| pin.signature.is_some() && Signature::of(path) == pin.signature);
    !untouched && measure(path).map(|now| now.hash) != pin.map(|pin| pin.hash.clone())
}

/// The pinned files that changed or went, and files that are new under `protect`.
#[must_use]
pub fn changed(root: &Path, pins: &BTreeMap<String, Pin>, protect: &Globs) -> Vec<String> {
    let mut found: Vec<String> = pins
        .iter()
        .filter(|(name, pin)| differs(&root.join(name), Some(pin)))
        .map(|(name, _)| name.clone())
        .collect();
    for prefix in protect
        .prefixes()
        .iter()
        .filter(|prefix| !prefix.is_empty())
    {
        let mut files = Vec::new();
        walk(root, &root.join(prefix), protect, &mut files);
        found.extend(
            files
                .iter()
                .map(|file| name(root, file))
                .filter(|name| !pins.contains_key(name)),
        );
    }
    found.sort();
    found.dedup();
    found
}
