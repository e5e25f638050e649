//! Owns the reading of how much memory there is: the machine's, or what a control group lets this process have of it.
//! Does not say how much is enough.
//! Invariant: where the system does not tell it, nothing is told.

use std::path::{Component, Path, PathBuf};

use crate::regular_files::read_text;

/// What the kernel says of memory is shorter.
const MOST: u64 = 1 << 20;

/// Bytes of memory, where the system tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MachineMemory {
    pub total: Option<u64>,
    /// What can be had without swapping.
    pub available: Option<u64>,
}

/// The memory that this process can have.
#[must_use]
pub fn read_memory() -> MachineMemory {
    read_memory_below(Path::new("/"))
}

fn read_memory_below(root: &Path) -> MachineMemory {
    let info = read_text(&root.join("proc/meminfo"), MOST).unwrap_or_default();
    let mut memory = MachineMemory {
        total: find_kibibytes(&info, "MemTotal:"),
        available: find_kibibytes(&info, "MemAvailable:"),
    };
    for group in list_groups(root) {
        memory.limit_to(&group);
    }
    memory
}

/// The folders of the control group of this process and of those above it: the smallest limit of them counts.
fn list_groups(root: &Path) -> Vec<PathBuf> {
    let text = read_text(&root.join("proc/self/cgroup"), MOST).unwrap_or_default();
    let own = text.lines().find_map(|line| line.strip_prefix("0::/"));
    let own = Path::new(own.unwrap_or_default());
    // In a container the own group may lie above what can be seen; the root of what can be seen counts then.
    let is_seen = own
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    let own = if is_seen { own } else { Path::new("") };
    let groups = root.join("sys/fs/cgroup");
    own.ancestors().map(|group| groups.join(group)).collect()
}

/// From the text of /proc/meminfo, which counts in KiB.
fn find_kibibytes(info: &str, name: &str) -> Option<u64> {
    let line = info.lines().find_map(|line| line.strip_prefix(name))?;
    let number: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    number.checked_mul(1024)
}

impl MachineMemory {
    fn limit_to(&mut self, group: &Path) {
        let read = |name: &str| -> Option<u64> {
            let text = read_text(&group.join(name), MOST).ok()?;
            text.trim().parse().ok()
        };
        // `max` is no number, and no limit.
        let Some(limit) = read("memory.max") else {
            return;
        };
        self.total = Some(self.total.map_or(limit, |total| total.min(limit)));
        let used = read("memory.current").unwrap_or(0);
        // Pages of files that nobody uses count as used, and are given back when they are needed.
        let statistics = read_text(&group.join("memory.stat"), MOST).unwrap_or_default();
        let idle = statistics
            .lines()
            .find_map(|line| line.strip_prefix("inactive_file "));
        let idle: u64 = idle
            .and_then(|number| number.trim().parse().ok())
            .unwrap_or(0);
        let free = limit.saturating_sub(used.saturating_sub(idle));
        self.available = Some(self.available.map_or(free, |known| known.min(free)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INFO: &str = "MemTotal:       24576 kB\nMemFree: 1 kB\nMemAvailable:    8192 kB\n";

    /// The memory that is read of these files.
    fn read(files: &[(&str, &str)]) -> (Option<u64>, Option<u64>) {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let memory = read_memory_below(root.path());
        (memory.total, memory.available)
    }

    #[test]
    fn the_machine_tells_its_memory_and_what_of_it_is_free() {
        let whole = (Some(24 << 20), Some(8 << 20));
        assert_eq!(read(&[("proc/meminfo", INFO)]), whole);
        let unlimited = [
            ("proc/meminfo", INFO),
            ("sys/fs/cgroup/memory.max", "max\n"),
            ("sys/fs/cgroup/memory.current", "1\n"),
        ];
        assert_eq!(read(&unlimited), whole);
    }

    #[test]
    fn what_is_not_told_is_not_known() {
        assert_eq!(read(&[]), (None, None));
        for text in [
            "MemTotal:",
            "MemTotal: x kB",
            "MemTotal: 1",
            "MemFree: 1 kB",
        ] {
            assert_eq!(read(&[("proc/meminfo", text)]), (None, None), "{text}");
        }
    }

    #[test]
    fn the_smallest_limit_of_the_groups_above_counts_without_pages_that_can_be_given_back() {
        let files = [
            ("proc/meminfo", INFO),
            ("proc/self/cgroup", "1:name=x:/y\n0::/a/b\n"),
            ("sys/fs/cgroup/a/memory.max", "4194304\n"),
            ("sys/fs/cgroup/a/memory.current", "3145728\n"),
            (
                "sys/fs/cgroup/a/memory.stat",
                "anon 5\ninactive_file 1048576\n",
            ),
            ("sys/fs/cgroup/a/b/memory.max", "6291456\n"),
            ("sys/fs/cgroup/a/b/memory.current", "9999999\n"),
        ];
        assert_eq!(read(&files), (Some(4 << 20), Some(0)));
        assert_eq!(read(&files[..5]), (Some(4 << 20), Some(2 << 20)));
    }

    #[test]
    fn a_group_that_lies_above_what_can_be_seen_is_that_of_the_root() {
        let files = [
            ("proc/meminfo", INFO),
            ("proc/self/cgroup", "0::/../../x\n"),
            ("sys/fs/cgroup/memory.max", "1048576\n"),
        ];
        assert_eq!(read(&files), (Some(1 << 20), Some(1 << 20)));
    }

    #[test]
    fn this_machine_has_memory() {
        let is_linux = cfg!(target_os = "linux");
        assert!(!is_linux || read_memory().total.is_some_and(|total| total > 0));
    }
}
