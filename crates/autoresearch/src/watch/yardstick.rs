//! Owns the yardstick: the files that decide what is measured, pinned by their bytes at start.
//! Does not run anything.
//! Invariant: a pinned file that is not byte for byte what it was is reported, wherever it lies and whoever changed it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::Metadata;
use std::path::{Path, PathBuf};

use autoresearch_core::config::Config;
use autoresearch_core::config::globs::{GlobError, Globs};
use autoresearch_core::git_names::RepoPath;
use autoresearch_core::journal::chain::PieceHasher;

use crate::watch::command_files::{CommandSite, PinWhy, find_named_files, list_ways, name_path};
use autoresearch_sys::process::TreeView;
use autoresearch_sys::regular_files::{hash_into, open_file};
use autoresearch_sys::store::{FOLDER, FileSignature, Pin};

/// A pattern that matches files in folders that git ignores, without naming such a folder: they are not pinned.
#[derive(Clone, Debug)]
pub(crate) struct UnreachedPattern {
    /// The key and the place in its list.
    pub place: String,
    pub pattern: String,
    pub count: usize,
    /// The folders, from the root.
    pub folders: Vec<String>,
}

/// What is pinned, before it is hashed.
#[derive(Debug, Default)]
pub(crate) struct PinChoice {
    /// The files, and why.
    pub files: BTreeMap<PathBuf, PinWhy>,
    /// What was left out.
    pub unreached: Vec<UnreachedPattern>,
}

/// Chooses the files that are pinned. `ignored` are the folders that git ignores, from the root.
///
/// A file that verify or guard name is pinned when they execute it or when it lies outside the scope; in the scope it is
/// the subject of the work. A file that the scope names without a wildcard is the subject always, unless `pin` or
/// `protect` match it.
pub(crate) fn choose_files(
    site: &CommandSite<'_>,
    config: &Config,
    ignored: &[String],
) -> Result<PinChoice, GlobError> {
    let root = site.root;
    let scope = Globs::new(&config.scope)?;
    let mut choice = PinChoice::default();
    for (file, because) in find_named_files(site, config) {
        let name = name_path(root, &file);
        let inside = scope.matches_path(&name);
        if scope.names_file(&name) || (inside && because == PinWhy::Named) {
            continue;
        }
        choice.files.insert(file, because);
    }
    for way in list_ways(config) {
        let path = root.join(&way);
        if path.is_symlink() && !scope.matches_path(&way.to_string_lossy()) {
            choice.files.insert(path, PinWhy::Executed);
        }
    }
    for (key, patterns) in [("protect", &config.protect), ("pin", &config.pin)] {
        for file in find_matched_files(root, &Globs::new(patterns)?, ignored) {
            choice.files.insert(file, PinWhy::Said);
        }
        choice
            .unreached
            .extend(find_unreached(root, (key, patterns), ignored)?);
    }
    Ok(choice)
}

/// Chooses the files that are pinned, also those that verify and guard find in a view alone.
pub(crate) fn choose_in_view(
    site: &CommandSite<'_>,
    view: Option<&TreeView>,
    config: &Config,
    ignored: &[String],
) -> Result<PinChoice, GlobError> {
    let mut choice = choose_files(site, config, ignored)?;
    if let Some(view) = view {
        choose_shown_files((&site.at(&view.checkout), view), config, &mut choice)?;
    }
    Ok(choice)
}

/// Chooses further files that verify and guard find in a view alone: in folders that they see from the user's checkout.
fn choose_shown_files(
    (site, view): (&CommandSite<'_>, &TreeView),
    config: &Config,
    choice: &mut PinChoice,
) -> Result<(), GlobError> {
    let scope = Globs::new(&config.scope)?;
    for (file, because) in find_named_files(site, config) {
        let name = name_path(&view.checkout, &file);
        // What the tree has is pinned there, also where a link leads to the checkout.
        let is_elsewhere = view.tree.join(&name).is_file() || !view.shows_path(&file);
        let is_subject = scope.matches_path(&name) && because == PinWhy::Named;
        if !is_elsewhere && !is_subject && !scope.names_file(&name) {
            choice.files.insert(file, because);
        }
    }
    Ok(())
}

/// Takes out what verify or guard wrote in a view: that is made, and not what it is measured with.
pub(crate) fn drop_written(
    view: Option<&TreeView>,
    choice: &PinChoice,
    pins: &mut BTreeMap<String, Pin>,
) {
    let Some(view) = view else { return };
    for file in choice.files.keys() {
        if view.find_written(file).is_some() {
            pins.remove(&name_path(&view.tree, file));
        }
    }
}

/// Corrects the changed files by a view: where a command of a trial wrote a pinned file, all see that one from then on, and
/// where a folder is gone the view cannot be opened, which is said when it is tried.
pub(crate) fn see_in_view(
    view: &TreeView,
    pins: &BTreeMap<String, Pin>,
    changed: &mut Vec<String>,
) {
    let is_gone = |path: &Path| view.lists_path(path) && !view.shows_path(path);
    changed.retain(|name| !is_gone(Path::new(name)));
    let written = pins
        .keys()
        .filter_map(|name| view.find_written(Path::new(name)));
    changed.extend(written.map(|path| path.to_string_lossy().into_owned()));
}

/// Pins the files that were chosen.
#[must_use]
pub(crate) fn pin_files(root: &Path, choice: &PinChoice) -> BTreeMap<String, Pin> {
    let files = choice.files.keys();
    files
        .filter_map(|file| Some((name_path(root, file), make_pin(file)?)))
        .collect()
}

/// Takes out what verify or guard wrote again, even with the same bytes, and git ignores or does not have: that is made and
/// measured, and not what it is measured with. What `pin` and `protect` say stays in, and so does an executed file whose
/// bytes changed: a script that writes itself measures what it likes. `known` are git's files.
pub(crate) fn drop_products(
    root: &Path,
    choice: &PinChoice,
    pins: &mut BTreeMap<String, Pin>,
    known: &BTreeSet<RepoPath>,
) {
    for (file, because) in &choice.files {
        let name = name_path(root, file);
        let before = pins.get(&name).and_then(|pin| pin.signature);
        let written = before.is_some() && FileSignature::read_of(file) != before;
        let made = match because {
            PinWhy::Named => written,
            PinWhy::Executed => written && !differs_from_pin(file, pins.get(&name)),
            PinWhy::Said => false,
        };
        if made && !known.contains(name.as_bytes()) {
            pins.remove(&name);
        }
    }
}

/// Every file that the patterns match. Ignored ones too, where a pattern names the ignored folder or begins above it with
/// a folder of its own; a pattern that begins anywhere does not reach into what git ignores.
fn find_matched_files(root: &Path, globs: &Globs, ignored: &[String]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for prefix in globs.literal_prefixes() {
        let skipped: Vec<&String> = if prefix.is_empty() {
            let named = |folder: &&String| !globs.names_folder(folder);
            ignored.iter().filter(named).collect()
        } else {
            Vec::new()
        };
        walk_matching(root, &root.join(prefix), globs, &skipped, &mut found);
    }
    found.sort();
    found.dedup();
    found
}

/// For each pattern what it matches in folders that git ignores, and that it does not pin.
fn find_unreached(
    root: &Path,
    (key, patterns): (&str, &[String]),
    ignored: &[String],
) -> Result<Vec<UnreachedPattern>, GlobError> {
    let mut all = Vec::new();
    let whole = Globs::new(patterns)?;
    for (index, pattern) in patterns.iter().enumerate() {
        let alone = Globs::new(std::slice::from_ref(pattern))?;
        if !alone.literal_prefixes().iter().any(String::is_empty) {
            continue;
        }
        let (mut count, mut folders) = (0, Vec::new());
        for folder in ignored.iter().filter(|folder| !whole.names_folder(folder)) {
            let mut found = Vec::new();
            walk_matching(root, &root.join(folder), &alone, &[], &mut found);
            found.retain(|file| whole.matches_path(&name_path(root, file)));
            if !found.is_empty() {
                count += found.len();
                folders.push(format!("{folder}/"));
            }
        }
        if count > 0 {
            all.push(UnreachedPattern {
                place: format!("{key}[{index}]"),
                pattern: pattern.clone(),
                count,
                folders,
            });
        }
    }
    Ok(all)
}

fn walk_matching(
    root: &Path,
    at: &Path,
    globs: &Globs,
    skipped: &[&String],
    found: &mut Vec<PathBuf>,
) {
    let Ok(meta) = at.symlink_metadata() else {
        return;
    };
    let below = at.strip_prefix(root).unwrap_or(at);
    if meta.is_dir() {
        let skip = |folder: &&String| below == Path::new(folder.as_str());
        if below.ends_with(".git") || below.starts_with(FOLDER) || skipped.iter().any(skip) {
            return;
        }
        let entries = std::fs::read_dir(at).into_iter().flatten().flatten();
        for entry in entries {
            walk_matching(root, &entry.path(), globs, skipped, found);
        }
    } else if globs.matches_path(&below.to_string_lossy()) {
        found.push(at.to_owned());
    }
}

/// The pin of a file or of a symbolic link and what it leads to; `None` for what is neither or is not there.
#[must_use]
pub(crate) fn make_pin(path: &Path) -> Option<Pin> {
    let signature = FileSignature::read_of(path);
    let meta = path.symlink_metadata().ok()?;
    let target = if meta.is_symlink() {
        std::fs::read_link(path).ok()?
    } else {
        PathBuf::new()
    };
    let mut hasher = PieceHasher::default();
    if is_no_file(path, &meta) {
        hasher.add_piece(b"not a file");
    } else if let Ok(file) = open_file(path) {
        // What cannot be read to its end has another hash than what can.
        let _ = hash_into(&file, &mut hasher);
    }
    let mode = u8::from(std::os::unix::fs::MetadataExt::mode(&meta) & 0o100 != 0);
    hasher.add_piece(target.as_os_str().as_encoded_bytes());
    hasher.add_piece(&[mode]);
    // What a link leads to may change without the link: it is hashed every time.
    Some(Pin {
        hash: hasher.into_hash(),
        signature: signature.filter(|_| !meta.is_symlink()),
    })
}

/// Is it a folder, or at its end a pipe, a device or a socket? Nothing is read from these, and an empty file is none.
fn is_no_file(path: &Path, meta: &Metadata) -> bool {
    let kind = path.metadata().map(|end| end.file_type());
    meta.is_dir() || kind.is_ok_and(|end| !end.is_file() && !end.is_dir())
}

/// Is this file not what was pinned, or there although nothing was?
#[must_use]
pub(crate) fn differs_from_pin(path: &Path, pin: Option<&Pin>) -> bool {
    let (now, before) = (
        FileSignature::read_of(path),
        pin.and_then(|pin| pin.signature),
    );
    let resized = now
        .zip(before)
        .is_some_and(|(now, before)| now.has_other_length(&before));
    let untouched = before.is_some() && now == before;
    resized || (!untouched && make_pin(path).map(|now| now.hash) != pin.map(|pin| pin.hash.clone()))
}

/// The pinned files that changed or went, and files that are new under `protect`.
#[must_use]
pub(crate) fn list_changed(
    root: &Path,
    pins: &BTreeMap<String, Pin>,
    protect: &Globs,
) -> Vec<String> {
    let mut found: Vec<String> = pins
        .iter()
        .filter(|(name, pin)| differs_from_pin(&root.join(name), Some(pin)))
        .map(|(name, _)| name.clone())
        .collect();
    for prefix in protect
        .literal_prefixes()
        .iter()
        .filter(|prefix| !prefix.is_empty())
    {
        let mut files = Vec::new();
        walk_matching(root, &root.join(prefix), protect, &[], &mut files);
        found.extend(
            files
                .iter()
                .map(|file| name_path(root, file))
                .filter(|name| !pins.contains_key(name)),
        );
    }
    found.sort();
    found.dedup();
    found
}

#[cfg(test)]
mod tests;
