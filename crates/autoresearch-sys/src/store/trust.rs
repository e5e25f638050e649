//! Owns the question whether a folder of ours can be believed: it is this user's alone, and nobody else can put another
//! one in its place.
//! Does not make or change anything but the rights of our own folder.
//! Invariant: every folder on the way, also behind a link, belongs to this user or to root, and no other may write there.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Component, Path, PathBuf};

use crate::env::NO_HOME;

use super::error::StoreError;

/// A path with more links than this leads nowhere.
const MOST_LINKS: usize = 40;
/// The sticky bit: what others have in this folder is theirs alone.
const STICKY: u32 = 0o1000;

/// Refuses a folder that another user could have made, could write to, or could put another one in the place of. What is
/// not there yet is fine.
pub fn check_folder_trust(folder: &Path) -> Result<(), StoreError> {
    if folder.to_string_lossy().starts_with(NO_HOME) {
        check_home_substitute(Path::new(NO_HOME))?;
    }
    let Some(own) = resolve_trusted_path(folder)? else {
        return Ok(());
    };
    check_own_path(&own)
}

/// The substitute of a home has a name that everybody can guess, so even a sticky folder above it is not good enough.
fn check_home_substitute(substitute: &Path) -> Result<(), StoreError> {
    for above in substitute.ancestors().skip(1) {
        let meta = read_metadata(above)?.ok_or(StoreError::NoHome)?;
        if meta.is_symlink()
            || check_path_owner(above, &meta).is_err()
            || is_writable_by_others(&meta)
        {
            return Err(StoreError::NoHome);
        }
    }
    Ok(())
}

/// May others write to it?
fn is_writable_by_others(meta: &std::fs::Metadata) -> bool {
    let mode = meta.mode();
    mode & 0o002 != 0 || (mode & 0o020 != 0 && !is_private_group(meta.gid()))
}

/// Refuses a file or folder of ours that is not this user's, or that others may write to. What is not there is fine.
pub(super) fn check_own_path(path: &Path) -> Result<(), StoreError> {
    let Some(meta) = read_metadata(path)? else {
        return Ok(());
    };
    let me = rustix::process::geteuid().as_raw();
    if meta.uid() != me && meta.uid() != 0 {
        return Err(untrusted_error(
            path,
            format!("belongs to another user ({})", meta.uid()),
        ));
    }
    if !meta.is_symlink() && meta.mode() & 0o022 != 0 {
        return Err(untrusted_error(path, "is writable by others".to_owned()));
    }
    Ok(())
}

/// Refuses what is kept of a run outside the repository, if it is not this user's alone.
pub(super) fn check_anchor_folder(anchor_folder: &Path) -> Result<(), StoreError> {
    let files = [
        "anchor.json",
        "anchor.log",
        "pinned.json",
        "checkpoint.json",
        "made.json",
        "notes.json",
    ];
    let files = files.iter().map(|file| anchor_folder.join(file));
    let folders = anchor_folder
        .parent()
        .into_iter()
        .chain([anchor_folder])
        .map(Path::to_owned);
    folders
        .chain(files)
        .try_for_each(|path| check_own_path(&path))
}

/// Takes everybody else's rights to a folder of ours away.
pub(super) fn make_folder_private(folder: &Path) -> Result<(), StoreError> {
    let meta = folder
        .metadata()
        .map_err(StoreError::io_error("look at", folder))?;
    if meta.mode() & 0o777 == 0o700 {
        return Ok(());
    }
    let rights = std::fs::Permissions::from_mode(0o700);
    std::fs::set_permissions(folder, rights).map_err(StoreError::io_error("close", folder))
}

/// Goes to a folder step by step, as the kernel does. Returns where it is; `None` where it still has to be made.
fn resolve_trusted_path(folder: &Path) -> Result<Option<PathBuf>, StoreError> {
    let mut left: VecDeque<OsString> = split_path(folder);
    let mut at = PathBuf::from("/");
    let mut links = 0;
    check_folder_above(&at)?;
    while let Some(part) = left.pop_front() {
        if part == ".." {
            at.pop();
            continue;
        }
        let next = at.join(&part);
        let Some(meta) = read_metadata(&next)? else {
            return Ok(None);
        };
        if !meta.is_symlink() {
            if !left.is_empty() {
                check_folder_above(&next)?;
            }
            at = next;
            continue;
        }
        check_path_owner(&next, &meta)?;
        links += 1;
        if links > MOST_LINKS {
            return Err(untrusted_error(&next, "is a broken link".to_owned()));
        }
        let target = std::fs::read_link(&next).map_err(StoreError::io_error("read", &next))?;
        if target.is_absolute() {
            at = PathBuf::from("/");
        }
        for part in split_path(&target).into_iter().rev() {
            left.push_front(part);
        }
    }
    Ok(Some(at))
}

/// The names of a path, without its root.
fn split_path(path: &Path) -> VecDeque<OsString> {
    path.components()
        .filter_map(|part| match part {
            Component::Normal(name) => Some(name.to_owned()),
            Component::ParentDir => Some("..".into()),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
        })
        .collect()
}

fn read_metadata(path: &Path) -> Result<Option<std::fs::Metadata>, StoreError> {
    match path.symlink_metadata() {
        Ok(meta) => Ok(Some(meta)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(error) => Err(StoreError::io_error("look at", path)(error)),
    }
}

/// A folder above ours: in one with the sticky bit, such as `/tmp`, others cannot touch what is this user's.
fn check_folder_above(folder: &Path) -> Result<(), StoreError> {
    let Some(meta) = read_metadata(folder)? else {
        return Ok(());
    };
    check_path_owner(folder, &meta)?;
    if is_writable_by_others(&meta) && meta.mode() & STICKY == 0 {
        return Err(untrusted_error(folder, "is writable by others".to_owned()));
    }
    Ok(())
}

fn check_path_owner(path: &Path, meta: &std::fs::Metadata) -> Result<(), StoreError> {
    let owner = meta.uid();
    if owner == 0 || owner == rustix::process::geteuid().as_raw() || is_mapped_root(owner) {
        return Ok(());
    }
    Err(untrusted_error(
        path,
        format!("belongs to another user ({owner})"),
    ))
}

fn untrusted_error(path: &Path, why: String) -> StoreError {
    StoreError::Untrusted {
        path: path.to_owned(),
        why,
    }
}

/// Is this root's group, or the user's own group of one, as many systems make it?
fn is_private_group(gid: u32) -> bool {
    if gid == 0 {
        return true;
    }
    let user = nix::unistd::User::from_uid(nix::unistd::geteuid())
        .ok()
        .flatten();
    let group = nix::unistd::Group::from_gid(nix::unistd::Gid::from_raw(gid))
        .ok()
        .flatten();
    let (Some(user), Some(group)) = (user, group) else {
        return false;
    };
    user.gid.as_raw() == gid
        && group.name == user.name
        && group.mem.iter().all(|member| *member == user.name)
}

/// In a sandbox with a user namespace root has no number: the kernel shows the one of nobody.
fn is_mapped_root(owner: u32) -> bool {
    let read = |file: &str| std::fs::read_to_string(file).unwrap_or_default();
    let map = read("/proc/self/uid_map");
    let is_everybody = map.split_whitespace().eq(["0", "0", "4294967295"]);
    let nobody = read("/proc/sys/kernel/overflowuid")
        .trim()
        .parse()
        .unwrap_or(65_534);
    !map.is_empty() && !is_everybody && owner == nobody
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set_mode(path: &Path, mode: u32) {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_folder_is_trusted_only_where_no_other_can_write_on_the_way() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        let (open, link) = (root.join("open"), root.join("link"));
        std::fs::create_dir_all(open.join("state")).unwrap();
        set_mode(&open.join("state"), 0o700);
        std::os::unix::fs::symlink("open/../open/state", &link).unwrap();
        for (mode, is_trusted) in [
            (0o755, true),
            (0o777, false),
            (0o1777, true),
            (0o757, false),
        ] {
            set_mode(&open, mode);
            for path in [
                open.join("state"),
                open.join("new"),
                link.clone(),
                link.join("deeper"),
            ] {
                assert_eq!(
                    check_folder_trust(&path).is_ok(),
                    is_trusted,
                    "{mode:o} {}",
                    path.display()
                );
            }
        }
        set_mode(&open, 0o755);
        for mode in [0o777, 0o1777, 0o770] {
            set_mode(&open.join("state"), mode);
            assert!(check_folder_trust(&open.join("state")).is_err(), "{mode:o}");
        }
        set_mode(&open.join("state"), 0o755);
        check_folder_trust(&open.join("state")).unwrap();
        make_folder_private(&open.join("state")).unwrap();
        let mode = open.join("state").metadata().unwrap().mode();
        assert_eq!(mode & 0o777, 0o700);
    }

    #[test]
    fn links_that_go_round_and_a_user_without_a_home_are_refused() {
        let root = tempfile::tempdir().unwrap();
        let (one, two) = (root.path().join("one"), root.path().join("two"));
        std::os::unix::fs::symlink(&two, &one).unwrap();
        std::os::unix::fs::symlink(&one, &two).unwrap();
        assert!(matches!(
            check_folder_trust(&one),
            Err(StoreError::Untrusted { .. })
        ));
        assert!(matches!(
            check_home_substitute(&root.path().join("one/codex-autoresearch-")),
            Err(StoreError::NoHome)
        ));
        let open = root.path().join("open");
        std::fs::create_dir(&open).unwrap();
        // Who could take the name first, also where the sticky bit keeps others from what is there.
        for mode in [0o777, 0o1777, 0o757] {
            set_mode(&open, mode);
            let substitute = open.join("codex-autoresearch-");
            assert!(
                matches!(check_home_substitute(&substitute), Err(StoreError::NoHome)),
                "{mode:o}"
            );
        }
    }
}
