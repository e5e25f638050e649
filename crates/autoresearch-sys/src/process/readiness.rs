//! Owns the waiting for descriptors.
//! Does not read from them.
//! Invariant: the other side's end counts as readable, so that nobody waits for the dead.

use std::io;
use std::os::fd::AsFd;
use std::process::{Child, ExitStatus};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
#[cfg(target_os = "linux")]
use rustix::process::{Pid, PidfdFlags, pidfd_open};

/// Is a descriptor readable or closed by the other side, now or within `wait`?
pub(super) fn is_ready(fds: &[&dyn AsFd], wait: Duration) -> bool {
    let mut polled: Vec<PollFd<'_>> = fds
        .iter()
        .map(|fd| PollFd::from_borrowed_fd(fd.as_fd(), PollFlags::IN))
        .collect();
    let wait = Timespec {
        tv_sec: i64::try_from(wait.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: wait.subsec_nanos().into(),
    };
    matches!(poll(&mut polled, Some(&wait)), Ok(ready) if ready > 0)
}

/// How long nobody looks at a child whose end no descriptor tells.
const BLINK: Duration = Duration::from_millis(2);

/// Waits for a child, for as long as `wait`; `None` where it lives on.
pub(crate) fn wait_for_exit(child: &mut Child, wait: Duration) -> io::Result<Option<ExitStatus>> {
    if let Some(status) = child.try_wait()? {
        return Ok(Some(status));
    }
    #[cfg(target_os = "linux")]
    if let Ok(end) = pidfd_open(Pid::from_child(child), PidfdFlags::empty()) {
        is_ready(&[&end], wait);
        return child.try_wait();
    }
    is_ready(&[], wait.min(BLINK));
    child.try_wait()
}
