//! Owns the mounts of a sandbox: all read-only but those of the job's folders, and what it may not reach covered: the sockets of
//! other programs, and what is hidden from it.
//! Does not refuse anything by the file; Landlock does.
//! Invariant: a mount that stays writable is the job's, or one that this user cannot reach.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::mount::{MsFlags, mount};

use crate::process::confinement::Confinement;
use crate::process::namespaces::{bind_path, name_step};
use crate::regular_files::read_file;

/// Where programs share memory.
pub(super) const SHARED_MEMORY: &str = "/dev/shm";

/// So long may a list of the system be.
const MOST_LISTED: u64 = 64 << 20;

/// A mount as the system lists it.
#[derive(Debug, PartialEq, Eq)]
struct ListedMount {
    place: PathBuf,
    /// The flags that have to stay when it is mounted anew.
    flags: MsFlags,
}

/// Makes everything read-only but the job's folders, and gives it shared memory of its own.
pub(super) fn close_mounts(confinement: &Confinement) -> io::Result<()> {
    let own = confinement.list_writable();
    let kept = confinement.read_only.iter().map(PathBuf::as_path);
    // What lies below the folder of another is mounted after it.
    let places: BTreeSet<&Path> = own
        .chain(kept.filter(|place| place.parent().is_some_and(|it| confinement.may_write(it))))
        .collect();
    for place in places {
        let exists = place.symlink_metadata().is_ok();
        if !exists && !confinement.may_write(place) {
            continue;
        }
        bind_path(place, place).map_err(|error| name_step(&place.to_string_lossy(), &error))?;
    }
    for listed in list_mounts(&read_file(Path::new("/proc/self/mountinfo"), MOST_LISTED)?) {
        if !confinement.may_write(&listed.place) {
            close_mount(&listed)?;
        }
    }
    give_shared_memory(confinement)
}

fn close_mount(listed: &ListedMount) -> io::Result<()> {
    let again = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY;
    let none = None::<&Path>;
    match mount(none, &listed.place, none, again | listed.flags, none) {
        // Another mount lies over it, or this user cannot come to it: nor can the job.
        Ok(()) | Err(Errno::EACCES | Errno::ENOENT | Errno::EINVAL) => Ok(()),
        Err(error) => Err(name_step(&listed.place.to_string_lossy(), &error.into())),
    }
}

/// What one job leaves in shared memory, no other finds.
fn give_shared_memory(confinement: &Confinement) -> io::Result<()> {
    let place = Path::new(SHARED_MEMORY);
    let all = confinement.list_writable().map(Path::to_owned);
    let mut all = all.chain(confinement.read_only.clone());
    if !place.is_dir() || all.any(|path| path.starts_with(place)) {
        return Ok(());
    }
    let (kind, flags) = (Some("tmpfs"), MsFlags::MS_NOSUID | MsFlags::MS_NODEV);
    mount(kind, place, kind, flags, Some("mode=1777"))
        .map_err(|error| name_step(SHARED_MEMORY, &error.into()))
}

/// The mounts of `/proc/self/mountinfo` that can be written.
fn list_mounts(text: &[u8]) -> Vec<ListedMount> {
    let lines = text.split(|byte| *byte == b'\n');
    lines.filter_map(read_mount).collect()
}

fn read_mount(line: &[u8]) -> Option<ListedMount> {
    let mut fields = line.split(|byte| *byte == b' ').skip(4);
    let place = PathBuf::from(OsString::from_vec(unescape_octal(fields.next()?)));
    let options = std::str::from_utf8(fields.next()?).ok()?;
    let mut flags = MsFlags::empty();
    for option in options.split(',') {
        flags |= match option {
            "ro" => return None,
            "nosuid" => MsFlags::MS_NOSUID,
            "nodev" => MsFlags::MS_NODEV,
            "noexec" => MsFlags::MS_NOEXEC,
            _ => MsFlags::empty(),
        };
    }
    Some(ListedMount { place, flags })
}

/// The system writes a blank as `\040`.
fn unescape_octal(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    let mut rest = text;
    while let [first, after @ ..] = rest {
        let code = after.get(..3).and_then(|it| std::str::from_utf8(it).ok());
        let byte = code.and_then(|code| u8::from_str_radix(code, 8).ok());
        let is_code = *first == b'\\' && byte.is_some();
        plain.push(byte.filter(|_| is_code).unwrap_or(*first));
        rest = if is_code { &after[3..] } else { after };
    }
    plain
}

/// The Unix sockets at which other programs listen, where the job is not to reach any. Read in their network namespace.
pub(super) fn list_sockets(confinement: &Confinement) -> io::Result<BTreeSet<PathBuf>> {
    if confinement.network {
        return Ok(BTreeSet::new());
    }
    let listed = read_file(Path::new("/proc/self/net/unix"), MOST_LISTED)?;
    let lines = listed.split(|byte| *byte == b'\n').skip(1);
    let places = lines.filter_map(|line| {
        let at = line.iter().position(|byte| *byte == b'/')?;
        Some(PathBuf::from(OsString::from_vec(line[at..].to_vec())))
    });
    let is_socket = |place: &PathBuf| {
        let found = place.symlink_metadata();
        found.is_ok_and(|found| found.file_type().is_socket())
    };
    let places = places.filter(is_socket);
    Ok(places
        .filter(|place| !confinement.may_write(place))
        .collect())
}

/// A program outside does for whoever asks what the sandbox forbids.
pub(super) fn cover_sockets(sockets: &BTreeSet<PathBuf>) -> io::Result<()> {
    for socket in sockets {
        match bind_path(Path::new("/dev/null"), socket) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(name_step(&socket.to_string_lossy(), &error));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Puts nothing in the place of what the job may not read. What is not there needs no cover: nobody else writes meanwhile.
pub(super) fn cover_hidden(places: &[PathBuf]) -> io::Result<()> {
    let (kind, flags) = (Some("tmpfs"), MsFlags::MS_RDONLY | MsFlags::MS_NOSUID);
    for place in places {
        let covered = if place.is_dir() {
            mount(kind, place, kind, flags, Some("mode=0500")).map_err(io::Error::from)
        } else {
            bind_path(Path::new("/dev/null"), place)
        };
        match covered {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(name_step(&place.to_string_lossy(), &error));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Is there nothing to be read at this path?
pub(super) fn is_covered(place: &Path) -> bool {
    match place.symlink_metadata() {
        Err(_) => true,
        Ok(found) if found.is_dir() => place.read_dir().is_ok_and(|mut all| all.next().is_none()),
        Ok(found) => !found.is_file(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_written_is_listed_with_the_flags_that_stay() {
        let text = b"22 1 0:21 / /proc rw,nosuid,nodev,noexec,relatime shared:5 - proc proc rw\n\
            23 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n\
            24 23 8:1 /a /mnt/a\\040b\\134c ro,noatime - ext4 /dev/sda1 rw\n\
            25 23 8:1 /a /mnt/a\\040b\\134c rw,nodev - ext4 /dev/sda1 rw\n\n";
        let listed = |place: &str, flags| ListedMount {
            place: place.into(),
            flags,
        };
        assert_eq!(
            list_mounts(text),
            [
                listed(
                    "/proc",
                    MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC
                ),
                listed("/", MsFlags::empty()),
                listed("/mnt/a b\\c", MsFlags::MS_NODEV),
            ]
        );
    }

    #[test]
    fn a_backslash_that_is_no_code_stays() {
        for (text, plain) in [("a\\", "a\\"), ("\\9z", "\\9z"), ("\\011", "\t")] {
            assert_eq!(unescape_octal(text.as_bytes()), plain.as_bytes());
        }
    }
}
