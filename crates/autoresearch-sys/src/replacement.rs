//! Owns the replacing of a file: by way of a temporary file beside it, which then takes its name.
//! Does not know what is written, and follows no link; whoever means the file behind one resolves it before.
//! Invariant: whoever opens the path sees the old file or the new one, each whole.

use std::fs::{File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Does a replacement outlive a loss of power?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// It does once the call has returned.
    Synced,
    /// It need not: for what can be made again.
    Unsynced,
}

/// A maker of names that nobody else takes for a file of theirs.
#[must_use]
pub fn make_temporary() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".autoresearch-");
    builder
}

/// Replaces a file by what `fill` writes, with these rights; without any, only this user can read it.
pub fn replace_file(
    path: &Path,
    durability: Durability,
    mode: Option<u32>,
    fill: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<()> {
    let folder = path.parent().unwrap_or(path);
    let mut temporary = make_temporary().tempfile_in(folder)?;
    fill(temporary.as_file_mut())?;
    if let Some(mode) = mode {
        let rights = Permissions::from_mode(mode);
        temporary.as_file().set_permissions(rights)?;
    }
    if durability == Durability::Synced {
        match mode {
            // The rights are no data.
            Some(_) => temporary.as_file().sync_all()?,
            None => temporary.as_file().sync_data()?,
        }
    }
    temporary.persist(path)?;
    if durability == Durability::Synced {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn list_names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap().flatten();
        entries
            .map(|entry| entry.file_name().into_string().unwrap())
            .collect()
    }

    #[test]
    fn a_replacement_has_the_rights_that_were_asked_for_and_replaces_a_link_itself() {
        let folder = tempfile::tempdir().unwrap();
        let (path, target) = (folder.path().join("file"), folder.path().join("target"));
        std::fs::write(&target, "others").unwrap();
        for (durability, mode, found) in [
            (Durability::Synced, None, 0o600),
            (Durability::Unsynced, Some(0o755), 0o755),
            (Durability::Synced, Some(0o644), 0o644),
        ] {
            let _ = std::fs::remove_file(&path);
            std::os::unix::fs::symlink(&target, &path).unwrap();
            replace_file(&path, durability, mode, |file| file.write_all(b"new")).unwrap();
            assert_eq!(std::fs::read(&path).unwrap(), b"new");
            let meta = path.symlink_metadata().unwrap();
            assert!(meta.is_file());
            assert_eq!(meta.permissions().mode() & 0o7777, found);
        }
        assert_eq!(std::fs::read(&target).unwrap(), b"others");
    }

    #[test]
    fn a_replacement_that_fails_leaves_the_old_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "old").unwrap();
        let failed = replace_file(&path, Durability::Synced, None, |file| {
            file.write_all(b"half")?;
            Err(io::ErrorKind::StorageFull.into())
        });
        assert_eq!(failed.unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        assert_eq!(list_names(folder.path()), ["file"]);
    }
}
