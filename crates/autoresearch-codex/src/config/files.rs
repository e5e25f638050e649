//! Owns how bytes reach files outside a run: whole or not at all.
//! Does not know what they mean.
//! Invariant: a file that is replaced keeps its rights and, if it is reached by a link, the link.

use std::fs::{File, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use autoresearch_core::journal::chain;

use crate::home::CodexError;

/// The bytes of a file; `None` if there is none.
pub fn read_bytes(path: &Path) -> Result<Option<Vec<u8>>, CodexError> {
    match std::fs::read(path) {
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

/// The rights of a file, if it is there.
#[must_use]
pub fn read_mode(path: &Path) -> Option<u32> {
    let meta = path.metadata().ok()?;
    Some(meta.permissions().mode() & 0o7777)
}

/// Replaces a file, or makes it with these rights. The folder must be there.
pub fn replace_file(path: &Path, bytes: &[u8], new_mode: u32) -> Result<(), CodexError> {
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let folder = real.parent().unwrap_or(&real);
    let write = || {
        let mut file = tempfile::Builder::new()
            .prefix(".autoresearch-")
            .tempfile_in(folder)?;
        file.write_all(bytes)?;
        let rights = Permissions::from_mode(read_mode(&real).unwrap_or(new_mode));
        file.as_file().set_permissions(rights)?;
        file.as_file().sync_all()?;
        file.persist(&real)?;
        File::open(folder)?.sync_all()
    };
    write().map_err(CodexError::wrap_io("write", path))
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
