//! Owns the putting aside of files that git does not hold: where files of the kept state come back, and where verify would
//! see what no commit holds.
//! Does not read or delete them: they are renamed, whole, into the folder of the trial.
//! Invariant: what is moved is named, and nothing that is in the way is ever written over.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use autoresearch_core::git_names::{CommitId, RepoPath};
use autoresearch_core::words::text::escape_text;

use crate::run::tree::Tree;
use autoresearch_sys::error::{Failure, Result};
use autoresearch_sys::store::FOLDER;

/// Files of `to` that do not stand in `from` come back when git goes from the one to the other. These are the paths, from
/// the root, of what git would write over there: ignored files, mostly.
pub fn find_in_the_way(
    tree: &Tree<'_>,
    from: &CommitId,
    to: &CommitId,
    paths: &[RepoPath],
) -> Result<Vec<PathBuf>> {
    let mut known = BTreeSet::new();
    let mut returning = Vec::new();
    for path in paths {
        if tree.history.has_file(from, path)? {
            known.insert(path.as_path().to_owned());
        } else if tree.history.has_file(to, path)? {
            returning.push(path.as_path());
        }
    }
    Ok(find_foreign_files(tree.path(), &returning, &known))
}

/// What stands at these paths, above them or below them, and is none of the known files.
#[must_use]
pub fn find_foreign_files(root: &Path, paths: &[&Path], known: &BTreeSet<PathBuf>) -> Vec<PathBuf> {
    let mut found = BTreeSet::new();
    for path in paths {
        let mut above: Vec<&Path> = path.ancestors().collect();
        above.reverse();
        // The first of the ancestors is the empty path: the root itself.
        for at in above.into_iter().skip(1) {
            match root.join(at).symlink_metadata() {
                Err(_) => break,
                Ok(meta) if meta.is_dir() && at == *path => {
                    collect_below(root, at, known, &mut found);
                }
                Ok(meta) if meta.is_dir() => {}
                Ok(_) => {
                    if !known.contains(at) {
                        found.insert(at.to_owned());
                    }
                    break;
                }
            }
        }
    }
    found.into_iter().collect()
}

/// Everything in a folder but the known files; a folder without any of these is one find.
fn collect_below(root: &Path, at: &Path, known: &BTreeSet<PathBuf>, found: &mut BTreeSet<PathBuf>) {
    let entries = std::fs::read_dir(root.join(at)).into_iter().flatten();
    for entry in entries.flatten() {
        let path = at.join(entry.file_name());
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_folder && known.iter().any(|file| file.starts_with(&path)) {
            collect_below(root, &path, known, found);
        } else if !known.contains(&path) {
            found.insert(path);
        }
    }
}

/// Something that was put aside; prints as a sentence.
#[derive(Clone, Debug)]
pub struct MovedFile {
    /// Where it stood, from the root of the work tree.
    pub path: String,
    /// Where it is now, from the folder of the runs' work tree.
    pub place: String,
    /// Why it was moved.
    pub why: MovedWhy,
}

/// Why something is put aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MovedWhy {
    /// A kept file comes back there.
    InTheWay,
    /// Verify or guard left it.
    Left,
    /// git ignores it, so verify would see it and no commit would hold it.
    Unseen,
}

impl fmt::Display for MovedFile {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = match self.why {
            MovedWhy::InTheWay => "was in the way of a kept file",
            MovedWhy::Left => {
                "was left by verify or guard, and neither committed nor ignored; no other trial is measured with it"
            }
            MovedWhy::Unseen => {
                "is ignored by git, so no commit can hold it; the trial was measured without it"
            }
        };
        write!(out, "{} {why}; it is now {}", self.path, self.place)
    }
}

/// Moves these paths into a new folder of the trial.
pub fn move_away(
    tree: &Tree<'_>,
    trial: u32,
    paths: &[PathBuf],
    why: MovedWhy,
) -> Result<Vec<MovedFile>> {
    if paths.is_empty() {
        return Ok(Vec::new());
    }
    (tree.world.step)("put aside");
    let above = tree.layout.make_trial_folder(trial)?;
    let name = make_fresh_folder(&above).map_err(|error| {
        Failure::io(
            format!("could not make a folder in {}", above.display()),
            &error,
        )
    })?;
    let mut moved_aside = Vec::new();
    for path in paths {
        let (from, to) = (tree.path().join(path), above.join(&name).join(path));
        let folder = to.parent().unwrap_or(&above);
        let moved = std::fs::create_dir_all(folder).and_then(|()| std::fs::rename(&from, &to));
        moved.map_err(|error| {
            let stands = match why {
                MovedWhy::InTheWay => "is in the way of a kept file",
                MovedWhy::Left => "was left by verify or guard",
                MovedWhy::Unseen => "is ignored by git, so no commit can hold it",
            };
            let text = format!("{} {stands}, and could not be moved away", from.display());
            Failure::io(text, &error).hint("move it away yourself, then run `autoresearch resume`")
        })?;
        let path = show_path(path);
        let run = &tree.layout.run;
        let place = format!("{FOLDER}/{run}/trials/{trial}/{name}/{path}");
        moved_aside.push(MovedFile { path, place, why });
    }
    Ok(moved_aside)
}

/// Makes the first of `aside-1`, `aside-2`, ... that nobody has made.
fn make_fresh_folder(above: &Path) -> std::io::Result<String> {
    let mut number = 1;
    loop {
        let name = format!("aside-{number}");
        match std::fs::create_dir(above.join(&name)) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => number += 1,
            made => return made.map(|()| name),
        }
    }
}

/// A path in a message.
#[must_use]
pub fn show_path(path: &Path) -> String {
    escape_text(&path.to_string_lossy())
}
