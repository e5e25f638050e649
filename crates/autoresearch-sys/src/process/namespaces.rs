//! Owns the entering of namespaces, and mounts of one path at another.
//! Does not choose what a job sees or reaches there.
//! Invariant: whoever enters stays the same user, and no mount that is made there shows outside.

use std::fs;
use std::io;
use std::path::Path;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use rustix::process::{getegid, geteuid};

/// Enters a mount namespace, and others of these kinds. For a process with one thread. Root needs no user namespace; anybody
/// else gets one in which they are still themselves.
pub(super) fn enter_namespaces(others: CloneFlags) -> io::Result<()> {
    let kinds = CloneFlags::CLONE_NEWNS | others;
    if geteuid().is_root() {
        unshare(kinds)?;
    } else {
        let (user, group) = (geteuid().as_raw(), getegid().as_raw());
        unshare(CloneFlags::CLONE_NEWUSER | kinds)?;
        fs::write("/proc/self/setgroups", "deny")?;
        fs::write("/proc/self/uid_map", format!("{user} {user} 1"))?;
        fs::write("/proc/self/gid_map", format!("{group} {group} 1"))?;
    }
    let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    let none = None::<&Path>;
    Ok(mount(none, Path::new("/"), none, private, none)?)
}

/// An error with the step at which it came.
pub(super) fn name_step(step: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{step}: {error}"))
}

/// Shows what is at one path at another too.
pub(super) fn bind_path(from: &Path, to: &Path) -> io::Result<()> {
    let flags = MsFlags::MS_BIND | MsFlags::MS_REC;
    Ok(mount(Some(from), to, None::<&Path>, flags, None::<&Path>)?)
}
