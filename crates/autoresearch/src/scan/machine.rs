//! Owns the look at the machine: cores, memory, disk, graphics card, container, and which programs are there.
//! Does not run a program to find out.
//! Invariant: a program counts only where the repository cannot have put it.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use autoresearch_core::scan::{Machine, list_programs};
use autoresearch_sys::env::World;
use autoresearch_sys::machine_memory::read_memory;

/// Looks at the machine for a repository.
pub(super) fn look_at_machine(world: &World, root: &Path) -> Machine {
    Machine {
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        memory_bytes: read_memory().total,
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
