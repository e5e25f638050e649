//! Owns the waiting for a git: how long it may take, and how it is ended.
//! Does not start one, and does not read what it says.
//! Invariant: a git is asked to end before it is killed, so that it can remove its locks, with all that it started.

use std::io;
use std::process::{Child, ExitStatus};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

use crate::env::{Interruption, Stopwatch};
use crate::git::error::StopCause;
use crate::process::wait_for_exit;

/// No git that does its work takes longer: a status of a million files takes a minute. A filter that waits for a network
/// or a lock that nobody lets go of does.
const DEADLINE: Duration = Duration::from_mins(30);
/// How long a git may go on when the process was asked to end: what it began is better finished.
const GRACE: Duration = Duration::from_secs(10);
/// How long it may take to end itself.
const LAST: Duration = Duration::from_secs(5);
/// How often somebody looks whether the process was asked to end.
const TICK: Duration = Duration::from_millis(200);

/// How long a git may take.
#[derive(Clone, Debug)]
pub(crate) struct GitPatience {
    deadline: Duration,
    grace: Duration,
    pub(super) interruption: Interruption,
}

impl Default for GitPatience {
    fn default() -> Self {
        Self {
            deadline: DEADLINE,
            grace: GRACE,
            interruption: Interruption::default(),
        }
    }
}

impl GitPatience {
    /// Waits for a git that leads a process group. Says why it was ended, where it was.
    pub(super) fn wait_for_git(
        &self,
        child: &mut Child,
    ) -> io::Result<(ExitStatus, Option<StopCause>)> {
        let (since_start, mut since_asked) = (Stopwatch::start(), None);
        loop {
            if let Some(status) = wait_for_exit(child, TICK)? {
                return Ok((status, None));
            }
            let asked = self.interruption.is_asked();
            if asked && since_asked.is_none() {
                since_asked = Some(Stopwatch::start());
                // Whoever asks once more does not want to wait.
                self.interruption.begin_to_deal();
            }
            let waited = since_asked.map(Stopwatch::elapsed);
            let cause = if since_start.elapsed() > self.deadline {
                StopCause::Deadline(self.deadline)
            } else if waited.is_some_and(|waited| waited > self.grace) {
                StopCause::Interruption
            } else {
                continue;
            };
            return Ok((end_git(child)?, Some(cause)));
        }
    }
}

fn end_git(child: &mut Child) -> io::Result<ExitStatus> {
    let group = Pid::from_child(child);
    let _ = kill_process_group(group, Signal::TERM);
    let ended = wait_for_exit(child, LAST)?;
    // What it started may not have listened.
    let _ = kill_process_group(group, Signal::KILL);
    match ended {
        Some(status) => Ok(status),
        None => child.wait(),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::{CommandExt, ExitStatusExt};
    use std::process::Command;
    use std::sync::atomic::Ordering;

    use super::*;

    fn spawn(script: &str) -> Child {
        #[expect(clippy::disallowed_methods, reason = "a test of waiting for a child")]
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", script])
            .process_group(0)
            .spawn()
            .unwrap()
    }

    /// Nobody waits here, but for a deadline or for a grace that is over.
    fn make_patience(deadline: Duration, grace: Duration) -> GitPatience {
        GitPatience {
            deadline,
            grace,
            ..GitPatience::default()
        }
    }

    #[test]
    fn a_git_that_ends_is_left_alone_also_when_the_process_was_asked_to_end() {
        for is_asked in [false, true] {
            let patience = make_patience(DEADLINE, DEADLINE);
            patience
                .interruption
                .asked
                .store(is_asked, Ordering::Relaxed);
            let (status, cause) = patience
                .wait_for_git(&mut spawn("sleep 0.3; exit 7"))
                .unwrap();
            assert_eq!((status.code(), cause), (Some(7), None));
        }
    }

    #[test]
    fn a_git_that_takes_too_long_is_asked_to_end() {
        let patience = make_patience(Duration::ZERO, DEADLINE);
        let (status, cause) = patience.wait_for_git(&mut spawn("sleep 1000")).unwrap();
        let deadline = StopCause::Deadline(Duration::ZERO);
        assert_eq!((status.signal(), cause), (Some(15), Some(deadline)));
    }

    #[test]
    fn a_git_that_does_not_listen_is_killed_with_all_that_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let mark = folder.path().join("child");
        let script = format!(
            "trap '' TERM; sleep 1000 & echo $! > {0}.new; mv {0}.new {0}; wait; wait",
            mark.display()
        );
        let mut deaf = spawn(&script);
        let watch = Stopwatch::start();
        let wait_until = |is_so: &dyn Fn() -> bool| {
            while !is_so() {
                assert!(watch.elapsed() < Duration::from_mins(2), "it never happens");
                std::thread::yield_now();
            }
        };
        wait_until(&|| mark.exists());
        let patience = make_patience(DEADLINE, Duration::ZERO);
        patience.interruption.asked.store(true, Ordering::Relaxed);
        let (status, cause) = patience.wait_for_git(&mut deaf).unwrap();
        let expected = (Some(9), Some(StopCause::Interruption));
        assert_eq!((status.signal(), cause), expected);
        assert!(patience.interruption.dealing.load(Ordering::Relaxed));
        let child = std::fs::read_to_string(mark).unwrap();
        wait_until(&|| {
            let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.trim()));
            stat.map_or(true, |stat| stat.contains(") Z "))
        });
    }
}
