//! Owns the ending of processes that a command left behind, also those that left its process group and session.
//! Does not touch processes that are no descendants of this one, but for those that carry a mark.
//! Invariant: after `end_all_children` this process has no children; after `end_orphans` it has none but its own.

use std::collections::BTreeSet;
use std::io;
use std::process::{Child, Command};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::{
    Pid, RawPid, Signal, WaitId, WaitIdOptions, WaitOptions, getpid, getsid, kill_process, wait,
    waitid, waitpid,
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
    let Ok(session) = getsid(None) else {
        return Vec::new();
    };
    let kept = lock_kept();
    let children = list_parents()
        .into_iter()
        .filter(|(_, parent)| *parent == getpid());
    children
        .map(|(child, _)| child)
        .filter(|child| !kept.contains(&child.as_raw_nonzero().get()))
        .filter(|child| getsid(Some(*child)).is_ok_and(|other| other != session))
        .collect()
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
        let all = list_parents().into_iter().map(|(pid, _)| pid);
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
    let parents = list_parents();
    let mut found = vec![pid];
    let mut at = 0;
    while at < found.len() {
        let above = found[at];
        found.extend(
            parents
                .iter()
                .filter(|(_, parent)| *parent == above)
                .map(|(child, _)| *child),
        );
        at += 1;
    }
    found.split_off(1)
}

/// Every process of the system with its parent, from `/proc`; empty where there is none.
fn list_parents() -> Vec<(Pid, Pid)> {
    let number = |text: &str| text.parse().ok().and_then(Pid::from_raw);
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| number(entry.file_name().to_str()?));
    pids.filter_map(|pid| {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?;
        // The name in brackets may hold anything; state and parent follow the last bracket.
        let parent = stat.rsplit(") ").next()?.split(' ').nth(1)?;
        Some((pid, number(parent)?))
    })
    .collect()
}
