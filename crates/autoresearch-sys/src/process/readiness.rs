//! Owns the waiting for descriptors.
//! Does not read from them.
//! Invariant: the other side's end counts as readable, so that nobody waits for the dead.

use std::os::fd::AsFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

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
