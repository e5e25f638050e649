//! Owns the folders that an undoing has to write in and cannot: opened for it, and closed again as they were found.
//! Does not look outside the folders of the trial's own files, and never through a link.
//! Invariant: a folder that stays has the rights that it had; each one that was opened is named.

use std::collections::BTreeSet;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use autoresearch_core::git_names::RepoPath;

use crate::trial::moved_away::show_path;

/// Owner may write and enter.
const OPEN: u32 = 0o300;

/// Folders that were opened.
#[derive(Debug, Default)]
pub(super) struct OpenedFolders {
    folders: Vec<OpenedFolder>,
}

#[derive(Debug)]
struct OpenedFolder {
    path: PathBuf,
    name: String,
    mode: u32,
}

/// Opens the folders of these files that cannot be written and that belong to this user, from the top downwards.
pub(super) fn open_locked_folders(root: &Path, paths: &[RepoPath]) -> OpenedFolders {
    let mut opened = OpenedFolders::default();
    let mut seen = BTreeSet::new();
    for path in paths {
        let mut above: Vec<&Path> = path.as_path().ancestors().skip(1).collect();
        above.reverse();
        for folder in above {
            let at = root.join(folder);
            if !at.symlink_metadata().is_ok_and(|meta| meta.is_dir()) {
                break;
            }
            // The first of the ancestors is the root itself, which is nobody's trial.
            if !folder.as_os_str().is_empty() && seen.insert(folder) {
                opened.folders.extend(open_locked_folder(at, folder));
            }
        }
    }
    opened
}

fn open_locked_folder(at: PathBuf, name: &Path) -> Option<OpenedFolder> {
    if access(&at, Access::WRITE_OK | Access::EXEC_OK).is_ok() {
        return None;
    }
    let mode = at.symlink_metadata().ok()?.mode() & 0o7777;
    set_mode(&at, mode | OPEN).ok()?;
    Some(OpenedFolder {
        path: at,
        name: show_path(name),
        mode,
    })
}

impl OpenedFolders {
    /// Gives the folders that are still there the rights that they had; one sentence for each that was opened.
    pub(super) fn close_folders(self) -> Vec<String> {
        let mut notes = Vec::new();
        for folder in self.folders.into_iter().rev() {
            if folder
                .path
                .symlink_metadata()
                .is_ok_and(|meta| meta.is_dir())
            {
                let _ = set_mode(&folder.path, folder.mode);
            }
            notes.push(format!(
                "{}: this folder was read-only; it was made writable to undo the trial's changes in it",
                folder.name
            ));
        }
        notes
    }
}

fn set_mode(path: &Path, mode: u32) -> std::io::Result<()> {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
}
