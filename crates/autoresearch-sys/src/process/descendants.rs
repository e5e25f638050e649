//! Owns the ending of processes that a command left behind, also those that left its process group and session.
//! Does not touch processes that are no descendants of this one, but for those that carry a mark.
//! Invariant: after `end_all_children` this process has no children; after `end_orphans` it has none but its own.

use std::collections::BTreeSet;
use std::io;
use std::process::{Child, Command};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::{
    Pid, RawPid, Signal, WaitId, WaitIdOptions, WaitOptions, getpid, kill_process, wait, waitid,
    waitpid,
};

use crate::polling::wait_until;

/// How long a killed process may take to go.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between two looks at what was killed.
const PAUSE: Duration = Duration::from_millis(1);

/// Children of this process that make sessions of their own, and that are no orphans: the runners of jobs, and what
/// outlives us.
static KEPT: Mutex<BTreeSet<RawPid>> = Mutex::new(BTreeSet::new());

fn lock_kept() -> MutexGuard<'static, BTreeSet<RawPid>> {
    KEPT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Makes orphaned descendants our children, where the system can (Linux).
pub(super) fn adopt_orphans() {
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_child_subreaper(Some(getpid()));
}

/// Starts a child that no sweep takes for an orphan. The lock is held meanwhile: a sweep knows every child that it sees.
pub(super) fn spawn_kept(command: &mut Command) -> io::Result<Child> {
    let mut kept = lock_kept();
    let child = command.spawn()?;
    kept.extend(RawPid::try_from(child.id()).ok());
    Ok(child)
}

/// The child was waited for: its number may come again as somebody else's.
pub(super) fn forget_kept(child: &Child) {
    if let Ok(pid) = RawPid::try_from(child.id()) {
        lock_kept().remove(&pid);
    }
}

/// Kills and reaps what became our child because the runner that looked after it was killed, and all of its descendants.
/// Returns how many were reaped. Jobs whose runners live are not touched: their processes are below these.
///
/// An orphan is told by its session. A runner begins a session, and a process can leave one, but never enter another that
/// exists. So whatever a job started is in no session of ours; what we start ourselves (git, a server) is in ours, or is
/// kept.
pub(super) fn end_orphans() -> u32 {
    let mut reaped = 0;
    wait_until(PATIENCE, PAUSE, || {
        // The everyday case costs one call of the system.
        if !has_children() {
            return true;
        }
        let orphans = list_orphans();
        for orphan in &orphans {
            for pid in [*orphan].into_iter().chain(list_descendants(*orphan)) {
                let _ = kill_process(pid, Signal::KILL);
            }
            if matches!(waitpid(Some(*orphan), WaitOptions::NOHANG), Ok(Some(_))) {
                reaped += 1;
            }
        }
        orphans.is_empty()
    });
    reaped
}

fn has_children() -> bool {
    let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    waitid(WaitId::All, look).is_ok()
}

fn list_orphans() -> Vec<Pid> {
    let all = list_processes();
    let Some(own) = all.iter().find(|process| process.pid == getpid()) else {
        return Vec::new();
    };
    let kept = lock_kept();
    all.iter()
        .filter(|process| process.is_orphan_of(own))
        .map(|process| process.pid)
        .filter(|pid| !kept.contains(&pid.as_raw_nonzero().get()))
        .collect()
}

/// Waits a moment for children that end by themselves. Returns how many did, and whether any is left.
pub(super) fn await_children(patience: Duration) -> (u32, bool) {
    let mut reaped = 0;
    let mut left = true;
    wait_until(patience, PAUSE, || {
        loop {
            match wait(WaitOptions::NOHANG) {
                Ok(Some(_)) => reaped += 1,
                Ok(None) => return false,
                Err(_) => {
                    left = false;
                    return true;
                }
            }
        }
    });
    (reaped, left)
}

/// Kills and reaps all children, and theirs, until none is left. Returns how many were reaped. For a runner, whose whole
/// process belongs to one job; call it only when no child is waited for elsewhere.
pub(super) fn end_all_children() -> u32 {
    let mut reaped = 0;
    wait_until(PATIENCE, PAUSE, || {
        loop {
            match wait(WaitOptions::NOHANG) {
                Ok(Some(_)) => reaped += 1,
                Ok(None) => break,
                Err(_) => return true,
            }
        }
        for pid in list_descendants(getpid()) {
            let _ = kill_process(pid, Signal::KILL);
        }
        false
    });
    reaped
}

/// Ends every process of this user whose environment holds this text (`NAME=value`), and says how many there were. It
/// finds what a turn left whose supervisor and runner were both killed. Linux only; elsewhere it finds nothing.
#[must_use]
pub fn end_marked_processes(mark: &str) -> u32 {
    let own = getpid();
    let is_marked = |pid: &Pid| {
        let environment = std::fs::read(format!("/proc/{}/environ", pid.as_raw_nonzero()));
        *pid != own
            && environment.is_ok_and(|bytes| {
                bytes
                    .split(|byte| *byte == 0)
                    .any(|entry| entry == mark.as_bytes())
            })
    };
    let mut ended = BTreeSet::new();
    wait_until(PATIENCE, PAUSE * 5, || {
        let all = list_processes().into_iter().map(|process| process.pid);
        let marked: Vec<Pid> = all.filter(is_marked).collect();
        for pid in &marked {
            let _ = kill_process(*pid, Signal::KILL);
            ended.insert(pid.as_raw_nonzero());
        }
        marked.is_empty()
    });
    u32::try_from(ended.len()).unwrap_or(u32::MAX)
}

/// Reaps children that have ended. The command itself must have been waited for before.
pub(super) fn reap_children() {
    while matches!(wait(WaitOptions::NOHANG), Ok(Some(_))) {}
}

/// All descendants of a process, nearest first.
fn list_descendants(pid: Pid) -> Vec<Pid> {
    let processes = list_processes();
    let mut found = vec![pid];
    let mut at = 0;
    while at < found.len() {
        let above = found[at].as_raw_nonzero().get();
        let children = processes.iter().filter(|process| process.parent == above);
        found.extend(children.map(|child| child.pid));
        at += 1;
    }
    found.split_off(1)
}

/// What `/proc/PID/stat` says of a process.
#[derive(Debug, PartialEq, Eq)]
struct ProcessEntry {
    pid: Pid,
    /// 0 for one whose parent is outside of our process namespace, as the first of a container.
    parent: RawPid,
    /// 0 for a session that began outside of our process namespace (a container's), and for a process that is being reaped
    /// right now. That is why it is a plain number, and is not asked of `getsid`, whose answer has no place for it.
    session: RawPid,
}

impl ProcessEntry {
    fn read(stat: &str) -> Option<Self> {
        let pid = stat.split(' ').next()?;
        // The name in brackets may hold anything; state, parent, group and session follow the last bracket.
        let fields: Vec<&str> = stat.rsplit(") ").next()?.split(' ').collect();
        Some(Self {
            pid: Pid::from_raw(pid.parse().ok()?)?,
            parent: fields.get(1)?.parse().ok()?,
            session: fields.get(3)?.parse().ok()?,
        })
    }

    /// A child of this process in another session. One in session 0 is none: it is in ours, which then is 0 too, or somebody
    /// reaps it just now.
    fn is_orphan_of(&self, own: &Self) -> bool {
        self.parent == own.pid.as_raw_nonzero().get()
            && self.session != 0
            && self.session != own.session
    }
}

/// Every process of the system, from `/proc`; empty where there is none.
fn list_processes() -> Vec<ProcessEntry> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<RawPid>().ok());
    pids.filter_map(|pid| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        ProcessEntry::read(&stat)
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::ProcessEntry;

    fn read(stat: &str) -> ProcessEntry {
        ProcessEntry::read(stat).expect("a line of stat")
    }

    #[test]
    fn an_orphan_is_a_child_in_another_session() {
        let ours = read("40 (autoresearch) S 7 40 40 34816 40 4194304 1 2\n");
        for (stat, is_orphan) in [
            ("50 (sleep) S 40 50 50 0 -1 0", true),
            ("50 (a ) S 1 1 1 (b) S 40 50 50 0 -1 0", true),
            ("50 (git) S 40 40 40 0 -1 0", false),
            ("50 (sleep) S 41 50 50 0 -1 0", false),
            // Another thread reaps it at this moment: the system has taken its session away already.
            ("50 (sleep) Z 40 0 0 0 -1 0", false),
        ] {
            assert_eq!(read(stat).is_orphan_of(&ours), is_orphan, "{stat}");
        }
    }

    #[test]
    fn a_process_that_was_sent_into_a_container_has_no_parent_and_session_there() {
        let ours = read("40 (autoresearch) S 0 0 0 0 -1 0");
        assert!(read("50 (sleep) S 40 50 50 0 -1 0").is_orphan_of(&ours));
        assert!(!read("50 (git) S 40 0 0 0 -1 0").is_orphan_of(&ours));
    }

    #[test]
    fn what_is_no_line_of_stat_is_no_process() {
        for stat in [
            "",
            "50",
            "50 (sleep) S",
            "0 (x) S 1 1 1",
            "50 (sleep) S 1 1 x",
        ] {
            assert_eq!(ProcessEntry::read(stat), None, "{stat}");
        }
    }
}
