//! Owns the look at the machine: cores, memory, disk, graphics card, container, and which programs are there.
//! Does not run a program to find out.
//! Invariant: a program counts only where the repository cannot have put it.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use autoresearch_core::scan::{Machine, list_programs};
use autoresearch_sys::env::World;
use autoresearch_sys::regular_files::read_text;

/// What the kernel says of memory is shorter.
const MOST: u64 = 1 << 16;

/// Looks at the machine for a repository.
pub(super) fn look_at_machine(world: &World, root: &Path) -> Machine {
    Machine {
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        memory_bytes: read_memory(),
        free_bytes: rustix::fs::statvfs(root)
            .ok()
            .map(|disk| disk.f_bavail.saturating_mul(disk.f_frsize)),
        gpu: ["/dev/nvidia0", "/dev/kfd"]
            .iter()
            .any(|path| Path::new(path).exists()),
        container: ["/.dockerenv", "/run/.containerenv"]
            .iter()
            .any(|path| Path::new(path).exists()),
        programs: find_programs(world, root),
    }
}

/// Of the memory of the machine, or what a container may use of it.
fn read_memory() -> Option<u64> {
    let info = read_text(Path::new("/proc/meminfo"), MOST).ok();
    let machine = info.as_deref().and_then(parse_total);
    let limit = read_text(Path::new("/sys/fs/cgroup/memory.max"), MOST).ok();
    let limit = limit.and_then(|text| text.trim().parse().ok());
    machine.into_iter().chain(limit).min()
}

fn parse_total(info: &str) -> Option<u64> {
    let line = info
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes << 10)
}

fn find_programs(world: &World, root: &Path) -> BTreeSet<String> {
    let Some(path) = world.find_variable("PATH") else {
        return BTreeSet::new();
    };
    let outside = |folder: &PathBuf| {
        let whole = folder.canonicalize().unwrap_or_else(|_| folder.clone());
        !whole.starts_with(root)
    };
    let folders = std::env::split_paths(path).filter(outside);
    let Ok(path) = std::env::join_paths(folders) else {
        return BTreeSet::new();
    };
    let vars = [(OsString::from("PATH"), path)].into();
    let names = list_programs().into_iter();
    names
        .filter(|name| World::find_program(&vars, name).is_some())
        .map(ToOwned::to_owned)
        .collect()
}

#[cfg(test)]
mod tests;
