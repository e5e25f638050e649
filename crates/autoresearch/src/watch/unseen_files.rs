//! Owns the unseen files: files in the scope that git ignores, so that verify sees them and no commit holds them.
//! Does not move them (`aside` does), and does not walk folders that the scope does not reach.
//! Invariant: no trial is measured with an unseen file that neither was there at start nor was made by verify or guard.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use autoresearch_core::config::Config;
use autoresearch_core::config::globs::{GlobError, Globs};
use autoresearch_core::git_names::RepoPath;

use crate::run::tree::Tree;
use crate::trial::moved_away::show_path;
use crate::watch::git_rules;
use crate::watch::yardstick;
use autoresearch_sys::error::{Failure, Result};
use autoresearch_sys::git::Git;
use autoresearch_sys::git::status::StatusKind;
use autoresearch_sys::store::{
    FOLDER, FileSignature, KnownFile, Pin, UnseenFiles, path_from_key, path_to_key,
};

/// Files of the user's are compared by their bytes as far as there are no more than this.
const MOST_HASHED: usize = 2_000;
/// Of a larger file only the signature is noted.
const LARGE: u64 = 16 << 20;

/// What a look before a trial found.
#[derive(Debug, Default)]
pub(crate) struct UnseenChanges {
    /// Files and folders that appeared, and files of verify's that somebody changed: to be put aside.
    pub new: Vec<PathBuf>,
    /// Files that were there at start and are not as they were.
    pub changed: Vec<String>,
}

struct UnseenScan<'a> {
    root: &'a Path,
    scope: Globs,
    protect: Globs,
    pins: &'a BTreeMap<String, Pin>,
    /// Cache folders that are known.
    caches: &'a BTreeSet<String>,
    /// Are cache folders that are not known looked into?
    thorough: bool,
}

#[derive(Default)]
struct ScannedFiles {
    files: BTreeMap<String, FileSignature>,
    caches: BTreeSet<String>,
}

impl<'a> UnseenScan<'a> {
    fn new(root: &'a Path, config: &Config, pins: &'a BTreeMap<String, Pin>) -> Result<Self> {
        const NONE: &BTreeSet<String> = &BTreeSet::new();
        let compile = |patterns: &[String]| {
            Globs::new(patterns).map_err(|error: GlobError| Failure::config(error.to_string()))
        };
        Ok(Self {
            root,
            scope: compile(&config.scope)?,
            protect: compile(&config.protect)?,
            pins,
            caches: NONE,
            thorough: false,
        })
    }

    /// Everything in these paths that git ignores: files, or folders by their name alone.
    fn scan_ignored(&self, ignored: &[RepoPath]) -> ScannedFiles {
        let mut found = ScannedFiles::default();
        for path in ignored {
            // A folder has a slash at its end.
            let path = path.as_path().components().as_path();
            if path.starts_with(FOLDER) {
                continue;
            }
            let mut above = path.ancestors().skip(1);
            if !above.any(|folder| self.is_known_cache(folder)) {
                self.scan_path(path, &mut found);
            }
        }
        found
    }

    fn scan_path(&self, at: &Path, found: &mut ScannedFiles) {
        let path = self.root.join(at);
        let Ok(meta) = path.symlink_metadata() else {
            return;
        };
        let text = at.to_string_lossy();
        if !meta.is_dir() {
            let ours = self.scope.matches_path(&text) && !self.protect.matches_path(&text);
            if ours && git_rules::find_rule_role(&text).is_none() && !self.pins.contains_key(&*text)
            {
                let signature = FileSignature::read_of(&path);
                found
                    .files
                    .extend(signature.map(|signature| (path_key(at), signature)));
            }
            return;
        }
        if !self.reaches_scope(&text) || self.is_known_cache(at) {
            return;
        }
        if git_rules::is_tagged_cache(&path) {
            found.caches.insert(path_key(at));
            if !self.thorough {
                return;
            }
        }
        for entry in std::fs::read_dir(&path).into_iter().flatten().flatten() {
            self.scan_path(&at.join(entry.file_name()), found);
        }
    }

    fn is_known_cache(&self, folder: &Path) -> bool {
        !self.caches.is_empty() && self.caches.contains(&path_key(folder))
    }

    /// Can anything below this folder be in the scope?
    fn reaches_scope(&self, folder: &str) -> bool {
        let folder = Path::new(folder);
        let mut prefixes = self.scope.literal_prefixes().iter().map(Path::new);
        prefixes.any(|prefix| folder.starts_with(prefix) || prefix.starts_with(folder))
    }
}

fn path_key(path: &Path) -> String {
    path_to_key(path.as_os_str().as_encoded_bytes())
}

/// Of what git ignores, what is there before the run: it is the user's.
pub(crate) fn find_at_start(
    git: &Git,
    config: &Config,
    pins: &BTreeMap<String, Pin>,
) -> Result<UnseenFiles> {
    let look = UnseenScan::new(git.work_tree(), config, pins)?;
    let found = look.scan_ignored(&list_ignored(git)?);
    let few = found.files.len() <= MOST_HASHED;
    let files = found.files.into_iter().map(|(key, signature)| {
        let hash = few
            .then(|| hash_small_file(&git.work_tree().join(path_from_key(&key))))
            .flatten();
        let known = KnownFile {
            yours: true,
            signature,
            hash,
        };
        (key, known)
    });
    Ok(UnseenFiles {
        files: files.collect(),
        caches: found.caches,
    })
}

/// The same after verify and guard ran on the untouched tree: what is new is theirs.
pub(crate) fn find_after_baseline(
    git: &Git,
    config: &Config,
    pins: &BTreeMap<String, Pin>,
    before: &UnseenFiles,
) -> Result<UnseenFiles> {
    let mut look = UnseenScan::new(git.work_tree(), config, pins)?;
    look.caches = &before.caches;
    let found = look.scan_ignored(&list_ignored(git)?);
    Ok(merge_scanned(git.work_tree(), before, found))
}

fn list_ignored(git: &Git) -> Result<Vec<RepoPath>> {
    let entries = git.read_status_with_ignored()?.into_iter();
    let ignored = entries.filter(|entry| entry.kind == StatusKind::Ignored);
    Ok(ignored.map(|entry| entry.path).collect())
}

/// Compares the unseen files with how they were at the last look. `ignored` is what git ignores now.
pub(crate) fn compare_unseen(
    tree: &Tree<'_>,
    config: &Config,
    ignored: &[RepoPath],
) -> Result<UnseenChanges> {
    let Some(known) = tree.notes.read_unseen()? else {
        // An older version began the run, or the memory is lost: from now on.
        note_unseen(tree, config, ignored)?;
        return Ok(UnseenChanges::default());
    };
    let root = tree.path();
    let mut look = UnseenScan::new(root, config, &tree.pinned.yardstick)?;
    look.caches = &known.caches;
    look.thorough = true;
    let found = look.scan_ignored(ignored);
    let mut new = BTreeSet::new();
    let mut changed = Vec::new();
    for (key, signature) in &found.files {
        let path = path_from_key(key);
        match known.files.get(key) {
            Some(known) if known.signature == *signature => {}
            Some(known) if known.yours => {
                if known.hash.is_none() || hash_small_file(&root.join(&path)) != known.hash {
                    changed.push(show_path(&path));
                }
            }
            _ => drop(new.insert(path)),
        }
    }
    let yours = known.files.iter().filter(|(_, known)| known.yours);
    let gone = yours
        .map(|(key, _)| path_from_key(key))
        .filter(|path| root.join(path).symlink_metadata().is_err());
    changed.extend(gone.map(|path| show_path(&path)));
    Ok(UnseenChanges {
        new: fold_whole_folders(root, &new, ignored),
        changed,
    })
}

/// Files of the user's that changed were named once: they are taken as they are. What is new stays unknown.
pub(crate) fn accept_changed(tree: &Tree<'_>) -> Result<()> {
    let Some(mut known) = tree.notes.read_unseen()? else {
        return Ok(());
    };
    let root = tree.path();
    let before = known.clone();
    known.files.retain(|key, known| {
        if !known.yours {
            return true;
        }
        let path = root.join(path_from_key(key));
        let Some(signature) = FileSignature::read_of(&path) else {
            return false;
        };
        if signature != known.signature {
            known.hash = known
                .hash
                .is_some()
                .then(|| hash_small_file(&path))
                .flatten();
            known.signature = signature;
        }
        true
    });
    if known != before {
        tree.notes.write_unseen(&known)?;
    }
    Ok(())
}

/// Takes the unseen files as they are: verify and guard have run since the last look.
pub(crate) fn note_unseen(tree: &Tree<'_>, config: &Config, ignored: &[RepoPath]) -> Result<()> {
    let kept = tree.notes.read_unseen()?;
    let before = kept.clone().unwrap_or_default();
    let mut look = UnseenScan::new(tree.path(), config, &tree.pinned.yardstick)?;
    look.caches = &before.caches;
    let now = merge_scanned(tree.path(), &before, look.scan_ignored(ignored));
    if kept.as_ref() != Some(&now) {
        tree.notes.write_unseen(&now)?;
    }
    tree.notes.mark_measuring(false)?;
    Ok(())
}

/// After an interrupted verify or guard: what they left is theirs, as far as they had begun at all.
pub(crate) fn note_cut_short(tree: &Tree<'_>, config: &Config) -> Result<()> {
    if tree.notes.was_measuring() {
        note_unseen(tree, config, &list_ignored(&tree.git)?)?;
    }
    Ok(())
}

fn merge_scanned(root: &Path, before: &UnseenFiles, found: ScannedFiles) -> UnseenFiles {
    let mut caches = before.caches.clone();
    caches.extend(found.caches);
    let files = found.files.into_iter().map(|(key, signature)| {
        let known = match before.files.get(&key) {
            Some(known) if known.signature == signature => known.clone(),
            Some(known) if known.yours => KnownFile {
                yours: true,
                signature,
                hash: known
                    .hash
                    .is_some()
                    .then(|| hash_small_file(&root.join(path_from_key(&key))))
                    .flatten(),
            },
            _ => KnownFile {
                yours: false,
                signature,
                hash: None,
            },
        };
        (key, known)
    });
    UnseenFiles {
        files: files.collect(),
        caches,
    }
}

fn hash_small_file(path: &Path) -> Option<String> {
    let meta = path.symlink_metadata().ok()?;
    (meta.len() <= LARGE)
        .then(|| yardstick::make_pin(path).map(|pin| pin.hash))
        .flatten()
}

/// The same finds with folders in place of everything in them, where nothing else lies there.
fn fold_whole_folders(root: &Path, new: &BTreeSet<PathBuf>, ignored: &[RepoPath]) -> Vec<PathBuf> {
    let rules: BTreeSet<&Path> = ignored
        .iter()
        .map(RepoPath::as_path)
        .filter(|path| git_rules::find_rule_role(&path.to_string_lossy()).is_some())
        .collect();
    let mut asked = BTreeMap::new();
    let mut found = BTreeSet::new();
    for file in new {
        let mut top = file.as_path();
        for above in file.ancestors().skip(1) {
            if above.as_os_str().is_empty() || !holds_only(root, above, (new, &rules), &mut asked) {
                break;
            }
            top = above;
        }
        found.insert(top.to_owned());
    }
    found.into_iter().collect()
}

fn holds_only(
    root: &Path,
    folder: &Path,
    (new, rules): (&BTreeSet<PathBuf>, &BTreeSet<&Path>),
    asked: &mut BTreeMap<PathBuf, bool>,
) -> bool {
    if let Some(known) = asked.get(folder) {
        return *known;
    }
    let Ok(entries) = std::fs::read_dir(root.join(folder)) else {
        return false;
    };
    let mut only = true;
    for entry in entries {
        let Ok(entry) = entry else {
            only = false;
            break;
        };
        let path = folder.join(entry.file_name());
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        only = if is_folder {
            holds_only(root, &path, (new, rules), asked)
        } else {
            new.contains(&path) || rules.contains(path.as_path())
        };
        if !only {
            break;
        }
    }
    asked.insert(folder.to_owned(), only);
    only
}

#[cfg(test)]
mod tests;
