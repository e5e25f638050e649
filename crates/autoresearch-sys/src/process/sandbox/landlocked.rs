//! Owns what Landlock and the capabilities of a process say in a sandbox.
//! Does not mount anything.
//! Invariant: what is forbidden here stays so for the process and all that it starts, whatever they enter later.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, AccessFs, BitFlags, PathBeneath, PathFd, Ruleset, RulesetAttr, RulesetCreated,
    RulesetCreatedAttr, RulesetError, RulesetStatus, Scope,
};
use rustix::thread::{CapabilitySet, remove_capability_from_bounding_set};

use super::read_only::SHARED_MEMORY;
use crate::process::confinement::Confinement;

/// The newest form of Landlock of which this speaks; the system does what it knows of it.
const NEWEST: ABI = ABI::V10;
/// Devices that hold nothing, terminals, and what computes.
const DEVICES: [&str; 9] = [
    "null", "zero", "full", "random", "urandom", "tty", "ptmx", "kfd", "pts",
];
/// The beginnings of the names of what computes, which are files or folders.
const COMPUTING: [&str; 3] = ["nvidia", "dri", "accel"];
/// What root could open a wall with, or reach around it.
const DROPPED: [CapabilitySet; 9] = [
    CapabilitySet::SYS_ADMIN,
    CapabilitySet::SYS_PTRACE,
    CapabilitySet::SYS_MODULE,
    CapabilitySet::SYS_RAWIO,
    CapabilitySet::SYS_BOOT,
    CapabilitySet::SYS_TIME,
    CapabilitySet::MKNOD,
    CapabilitySet::BPF,
    CapabilitySet::PERFMON,
];

/// Forbids this process what the job may not do.
pub(super) fn restrict_process(confinement: &Confinement) -> io::Result<()> {
    for capability in DROPPED {
        remove_capability_from_bounding_set(capability)?;
    }
    let status = make_rules(confinement)
        .and_then(RulesetCreated::restrict_self)
        .map_err(|error| io::Error::other(format!("Landlock: {error}")))?;
    if status.ruleset == RulesetStatus::NotEnforced {
        return Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "this system has no Landlock",
        ));
    }
    Ok(())
}

fn make_rules(confinement: &Confinement) -> Result<RulesetCreated, RulesetError> {
    // Terminals and what computes are spoken to by ioctl.
    let mut handled = AccessFs::from_write(NEWEST) & !AccessFs::IoctlDev;
    let mut scopes = BitFlags::from(Scope::Signal);
    if confinement.network {
        handled.remove(AccessFs::ResolveUnix);
    } else {
        scopes |= Scope::AbstractUnixSocket;
    }
    let in_folders = handled & !(AccessFs::MakeChar | AccessFs::MakeBlock);
    let in_files = handled & AccessFs::from_file(NEWEST);
    let mut rules = Ruleset::default()
        .handle_access(handled)?
        .scope(scopes)?
        .create()?;
    let shared = Path::new(SHARED_MEMORY);
    for folder in confinement.list_writable().chain([shared]) {
        // One that is not there was refused before; shared memory may be missing.
        if let Ok(opened) = PathFd::new(folder) {
            rules = rules.add_rule(PathBeneath::new(opened, in_folders))?;
        }
    }
    for device in list_devices() {
        if let Ok(opened) = PathFd::new(device) {
            rules = rules.add_rule(PathBeneath::new(opened, in_files))?;
        }
    }
    for output in list_outputs() {
        rules = rules.add_rule(PathBeneath::new(output, in_files))?;
    }
    Ok(rules)
}

/// The files of the output, which a command may open again as `/dev/stdout`. What is no file is not found by a path.
fn list_outputs() -> impl Iterator<Item = File> {
    let outputs = [
        io::stdout().as_fd().try_clone_to_owned(),
        io::stderr().as_fd().try_clone_to_owned(),
    ];
    let opened = outputs.into_iter().flatten().map(File::from);
    opened.filter(|file| file.metadata().is_ok_and(|it| it.is_file()))
}

fn list_devices() -> Vec<PathBuf> {
    let entries = fs::read_dir("/dev").into_iter().flatten().flatten();
    let chosen = entries.filter(|entry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        DEVICES.contains(&&*name) || COMPUTING.iter().any(|begins| name.starts_with(begins))
    });
    chosen.map(|entry| entry.path()).collect()
}
