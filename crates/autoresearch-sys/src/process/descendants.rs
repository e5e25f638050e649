//! Owns the ending of processes that a command left behind, also those that left its process group and session.
//! Does not touch processes that are no descendants of this one.
//! Invariant: after `end_all` this process has no children.

use std::time::Duration;

use rustix::process::{Pid, Signal, WaitOptions, kill_process, wait};

use crate::env::{Stopwatch, sleep_for};

/// How long a killed process may take to go.
const PATIENCE: Duration = Duration::from_secs(5);

/// Makes orphaned descendants our children, where the system can (Linux).
pub(super) fn adopt_orphans() {
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
}

/// Kills and reaps all children, and theirs, until none is left. Returns how many were reaped. Call it only when no
/// child is waited for elsewhere.
pub(super) fn end_all_children() -> u32 {
    let mut reaped = 0;
    let watch = Stopwatch::start();
    loop {
        match wait(WaitOptions::NOHANG) {
            Ok(Some(_)) => reaped += 1,
            Ok(None) if watch.elapsed() < PATIENCE => {
                for pid in list_descendants(rustix::process::getpid()) {
                    let _ = kill_process(pid, Signal::KILL);
                }
                sleep_for(Duration::from_millis(1));
            }
            Ok(None) | Err(_) => return reaped,
        }
    }
}

/// Kills every process of this user whose environment holds this text, and waits until they are gone.
pub(super) fn end_marked_processes(mark: &str) -> u32 {
    let own = rustix::process::getpid();
    let is_marked = |pid: &Pid| {
        let environment = std::fs::read(format!("/proc/{}/environ", pid.as_raw_nonzero()));
        *pid != own
            && environment.is_ok_and(|bytes| {
                bytes
                    .split(|byte| *byte == 0)
                    .any(|entry| entry == mark.as_bytes())
            })
    };
    let mut ended = std::collections::BTreeSet::new();
    let watch = Stopwatch::start();
    loop {
        let marked: Vec<Pid> = list_parents()
            .into_iter()
            .map(|(pid, _)| pid)
            .filter(is_marked)
            .collect();
        if marked.is_empty() || watch.elapsed() > PATIENCE {
            return u32::try_from(ended.len()).unwrap_or(u32::MAX);
        }
        for pid in marked {
            let _ = kill_process(pid, Signal::KILL);
            ended.insert(pid.as_raw_nonzero());
        }
        sleep_for(Duration::from_millis(5));
    }
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
