//! Owns how bytes reach files outside a run: whole or not at all.
//! Does not know what they mean.
//! Invariant: a file that is replaced keeps its rights and, if it is reached by a link, the link.

use std::fs::{File, Permissions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use autoresearch_core::journal::chain;
use autoresearch_sys::regular_files;
use autoresearch_sys::replacement::{self, Durability};

use crate::error::CodexError;

/// No file that Codex or we write is longer.
const MOST_READ: u64 = 256 << 20;
/// So much of a program is in memory at a time.
const PIECE: usize = 1 << 16;

/// The bytes of a file; `None` if there is none.
pub fn read_bytes(path: &Path) -> Result<Option<Vec<u8>>, CodexError> {
    match regular_files::read_file(path, MOST_READ) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(error) => Err(CodexError::wrap_io("read", path)(error)),
    }
}

/// The text of a file; `None` if there is none.
pub fn read_text(path: &Path) -> Result<Option<String>, CodexError> {
    let Some(bytes) = read_bytes(path)? else {
        return Ok(None);
    };
    let text = String::from_utf8(bytes);
    text.map(Some).map_err(|_| CodexError::Unreadable {
        path: path.to_owned(),
        fault: "is not UTF-8".to_owned(),
    })
}

/// Where a path leads, of which the end may still have to be made; `None` if a link on the way leads nowhere.
#[must_use]
pub fn resolve_path(path: &Path) -> Option<PathBuf> {
    let above = path
        .ancestors()
        .find(|above| above.symlink_metadata().is_ok())?;
    let rest = path.strip_prefix(above).ok()?;
    let above = above.canonicalize().ok()?;
    Some(above.components().chain(rest.components()).collect())
}

/// The hash by which we know a file again.
#[must_use]
pub fn hash_bytes(bytes: &[u8]) -> String {
    chain::hash_bytes(bytes)
}

/// The same hash of a file, of which no more than a piece is held; `None` if there is none.
pub fn hash_file(path: &Path) -> Result<Option<String>, CodexError> {
    match regular_files::open_file(path).and_then(|file| copy_and_hash(file, std::io::sink())) {
        Ok(hash) => Ok(Some(hash)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(error) => Err(CodexError::wrap_io("read", path)(error)),
    }
}

fn copy_and_hash(mut from: impl Read, mut to: impl Write) -> std::io::Result<String> {
    let mut hasher = chain::PieceHasher::default();
    let mut piece = vec![0; PIECE];
    loop {
        match from.read(&mut piece)? {
            0 => return Ok(hasher.into_hash()),
            length => {
                hasher.add_piece(&piece[..length]);
                to.write_all(&piece[..length])?;
            }
        }
    }
}

/// The rights of a file, if it is there.
#[must_use]
pub fn read_mode(path: &Path) -> Option<u32> {
    let meta = path.metadata().ok()?;
    Some(meta.permissions().mode() & 0o7777)
}

/// Replaces a file, or makes it with these rights. The folder must be there.
pub fn replace_file(path: &Path, bytes: &[u8], new_mode: u32) -> Result<(), CodexError> {
    replace_by(path, new_mode, |file| file.write_all(bytes))
        .map_err(CodexError::wrap_io("write", path))
}

/// Replaces a file by a copy of another one, provided that this still has the hash.
pub fn replace_with_copy(
    path: &Path,
    source: &Path,
    hash: &str,
    new_mode: u32,
) -> Result<(), CodexError> {
    let copied = replace_by(path, new_mode, |file| {
        if copy_and_hash(regular_files::open_file(source)?, file)? == hash {
            return Ok(());
        }
        Err(std::io::Error::other("it was changed meanwhile"))
    });
    copied.map_err(CodexError::wrap_io("copy", source))
}

/// Makes a path another name of a file; a copy of it where there can be no second name.
pub fn replace_with_link(
    path: &Path,
    other: &Path,
    hash: &str,
    new_mode: u32,
) -> Result<(), CodexError> {
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let folder = real.parent().unwrap_or(&real);
    let link = || {
        let other = other.canonicalize()?;
        if other == real || is_same_file(&other, &real) {
            // To rename one name of a file to another one does nothing, and would leave both.
            return Ok(());
        }
        let linked = replacement::make_temporary()
            .make_in(folder, |name| std::fs::hard_link(&other, name))?;
        linked.persist(&real).map_err(|error| error.error)?;
        File::open(folder)?.sync_all()
    };
    // File systems refuse a hard link in many ways.
    link().or_else(|_| replace_with_copy(path, other, hash, new_mode))
}

/// Do two paths name one file?
#[must_use]
pub fn is_same_file(one: &Path, other: &Path) -> bool {
    let place = |path: &Path| path.metadata().map(|meta| (meta.dev(), meta.ino())).ok();
    place(one).is_some_and(|found| place(other) == Some(found))
}

fn replace_by(
    path: &Path,
    new_mode: u32,
    fill: impl FnOnce(&mut File) -> std::io::Result<()>,
) -> std::io::Result<()> {
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let mode = read_mode(&real).unwrap_or(new_mode);
    replacement::replace_file(&real, Durability::Synced, Some(mode), fill)
}

/// Gives a file these rights.
pub fn set_mode(path: &Path, mode: u32) -> Result<(), CodexError> {
    std::fs::set_permissions(path, Permissions::from_mode(mode))
        .map_err(CodexError::wrap_io("change the rights of", path))
}

/// Deletes a file, if it is there.
pub fn remove_if_present(path: &Path) -> Result<(), CodexError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(CodexError::wrap_io("delete", path)(error))
        }
        _ => Ok(()),
    }
}

/// The folders above a file that are not there yet, from the outside in.
#[must_use]
pub fn list_missing_folders(file: &Path) -> Vec<PathBuf> {
    let mut missing: Vec<PathBuf> = file
        .ancestors()
        .skip(1)
        .take_while(|folder| !folder.exists())
        .map(Path::to_owned)
        .collect();
    missing.reverse();
    missing
}

/// Makes the folder of a file.
pub fn make_parent_folder(file: &Path) -> Result<(), CodexError> {
    let folder = file.parent().unwrap_or(file);
    std::fs::create_dir_all(folder).map_err(CodexError::wrap_io("create", folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_name_is_the_same_file_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let (program, name) = (folder.path().join("program"), folder.path().join("name"));
        replace_file(&program, b"old", 0o755).unwrap();
        std::fs::write(&name, "a program of its own").unwrap();
        let hash = hash_bytes(b"old");
        for _ in 0..2 {
            replace_with_link(&name, &program, &hash, 0o755).unwrap();
            assert!(is_same_file(&name, &program) && !name.is_symlink());
        }
        // An update makes a new file, which the old name does not follow by itself.
        replace_file(&program, b"new", 0o755).unwrap();
        assert_eq!(std::fs::read(&name).unwrap(), b"old");
        replace_with_link(&name, &program, &hash_bytes(b"new"), 0o755).unwrap();
        assert!(is_same_file(&name, &program));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn where_there_can_be_no_second_name_there_is_a_copy() {
        let folder = tempfile::tempdir().unwrap();
        let name = folder.path().join("name");
        // A file of another file system.
        let other = Path::new("/proc/version");
        let hash = hash_file(other).unwrap().unwrap();
        replace_with_link(&name, other, &hash, 0o755).unwrap();
        assert_eq!(std::fs::read(&name).unwrap(), std::fs::read(other).unwrap());
        assert_eq!(read_mode(&name), Some(0o755));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_changed_since_it_was_looked_at_is_not_copied() {
        let folder = tempfile::tempdir().unwrap();
        let (source, copy) = (folder.path().join("source"), folder.path().join("copy"));
        std::fs::write(&source, "x".repeat(3 * PIECE + 1)).unwrap();
        let hash = hash_file(&source).unwrap().unwrap();
        assert_eq!(hash, hash_bytes(&std::fs::read(&source).unwrap()));
        std::fs::write(&copy, "before").unwrap();
        replace_with_copy(&copy, &source, "another", 0o755).unwrap_err();
        assert_eq!(std::fs::read(&copy).unwrap(), b"before");
        replace_with_copy(&copy, &source, &hash, 0o755).unwrap();
        assert_eq!(hash_file(&copy).unwrap(), Some(hash));
        assert_eq!(hash_file(&folder.path().join("none")).unwrap(), None);
    }
}
