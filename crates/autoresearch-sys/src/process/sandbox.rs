//! Owns the sandbox of a job: no network but a loopback of its own, and no writes but below the folders that it names.
//! Does not choose these folders.
//! Invariant: a job whose sandbox could not be closed, or did not hold when it was tried, is not started.
//!
//! Two walls of the kernel's, and one stands where the other has a gap. In namespaces of the job every mount is read-only
//! but those of its folders: that keeps contents, times, modes and names, also of what lies inside a folder and is not the
//! job's, as `.git`. Landlock refuses the same writes by the file, whatever is mounted where, and refuses all mounting, so
//! that not even root opens the first wall again.

#[cfg(target_os = "linux")]
mod landlocked;
#[cfg(target_os = "linux")]
mod loopback;
#[cfg(target_os = "linux")]
mod read_only;

use std::io;

use super::confinement::Confinement;

/// Closes the sandbox around this process and all that it starts, and tries it. For a process with one thread, before it
/// starts anything.
#[cfg(target_os = "linux")]
pub(super) fn close_sandbox(confinement: &Confinement) -> io::Result<()> {
    use nix::sched::CloneFlags;

    use super::namespaces::{enter_namespaces, name_step};

    let sockets = read_only::list_sockets(confinement)?;
    let private = if confinement.network {
        CloneFlags::empty()
    } else {
        CloneFlags::CLONE_NEWNET
    };
    enter_namespaces(private).map_err(|error| name_step("no namespaces", &error))?;
    if !confinement.network {
        loopback::raise_loopback().map_err(|error| name_step("no loopback", &error))?;
    }
    read_only::close_mounts(confinement)?;
    read_only::cover_sockets(&sockets)?;
    read_only::cover_hidden(&confinement.hidden)?;
    landlocked::restrict_process(confinement)?;
    try_sandbox(confinement)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn close_sandbox(_: &Confinement) -> io::Result<()> {
    Err(io::Error::new(
        io::ErrorKind::Unsupported,
        "this system has no Landlock",
    ))
}

/// Writes where it must not work and where it must, and looks for a way out.
#[cfg(target_os = "linux")]
fn try_sandbox(confinement: &Confinement) -> io::Result<()> {
    use std::fs::{OpenOptions, remove_file};
    use std::net::{Ipv4Addr, UdpSocket};
    use std::path::Path;

    use super::namespaces::name_step;

    let write_in = |folder: &Path| {
        let file = folder.join(format!(".sandbox-test-{}", std::process::id()));
        let made = OpenOptions::new().write(true).create_new(true).open(&file);
        made.and_then(|_| remove_file(&file))
    };
    for folder in confinement.read_only.iter().filter(|it| it.is_dir()) {
        if write_in(folder).is_ok() {
            let place = folder.display();
            return Err(io::Error::other(format!(
                "it does not hold: {place} can be written"
            )));
        }
    }
    for place in &confinement.hidden {
        if !read_only::is_covered(place) {
            let place = place.display();
            return Err(io::Error::other(format!(
                "it does not hold: {place} can be read"
            )));
        }
    }
    if let Some(folder) = &confinement.temporary {
        write_in(folder).map_err(|error| name_step("its own folder is closed", &error))?;
    }
    // Nothing is sent: the system only looks for the way. The address is one that documents use.
    let way_out = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))
        .and_then(|socket| socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)));
    if !confinement.network && way_out.is_ok() {
        return Err(io::Error::other(
            "it does not hold: there is a way into the network",
        ));
    }
    Ok(())
}
