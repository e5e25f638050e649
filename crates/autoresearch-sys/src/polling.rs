//! Owns the one loop that looks, pauses and looks again.
//! Does not know what is waited for.
//! Invariant: there is a look before the first pause and none is cut short, so whatever is true already costs no time.

use std::ops::ControlFlow;
use std::time::Duration;

use crate::env::{Stopwatch, sleep_for};

/// When a wait is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PollLimit {
    /// At the first look after this time.
    Time(Duration),
    /// After this many looks: on a busy machine one look may take longer than all of them should.
    Looks(u32),
    /// Never: the look itself knows when to stop.
    Endless,
}

/// Looks until a look breaks off, with a pause between two looks. When the wait is given up, what the last look saw.
pub fn poll_until<T>(
    limit: PollLimit,
    pause: Duration,
    mut look: impl FnMut() -> ControlFlow<T, T>,
) -> T {
    let watch = Stopwatch::start();
    let mut looks = 0_u32;
    loop {
        let seen = match look() {
            ControlFlow::Break(found) => return found,
            ControlFlow::Continue(seen) => seen,
        };
        looks = looks.saturating_add(1);
        let is_over = match limit {
            PollLimit::Time(time) => watch.elapsed() >= time,
            PollLimit::Looks(most) => looks >= most,
            PollLimit::Endless => false,
        };
        if is_over {
            return seen;
        }
        sleep_for(pause);
    }
}

/// Waits until something is true; whether it became true in time.
pub fn wait_until(patience: Duration, pause: Duration, mut is_so: impl FnMut() -> bool) -> bool {
    poll_until(PollLimit::Time(patience), pause, || {
        if is_so() {
            ControlFlow::Break(true)
        } else {
            ControlFlow::Continue(false)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_hours(1);

    #[test]
    fn what_is_true_already_is_seen_without_a_pause_and_without_patience() {
        assert!(wait_until(Duration::ZERO, LONG, || true));
        assert!(!wait_until(Duration::ZERO, LONG, || false));
    }

    #[test]
    fn a_number_of_looks_is_kept_and_the_last_one_counts() {
        let mut looks = 0;
        let seen = poll_until(PollLimit::Looks(3), Duration::ZERO, || {
            looks += 1;
            ControlFlow::Continue(looks)
        });
        assert_eq!((seen, looks), (3, 3));
    }

    #[test]
    fn a_look_that_breaks_off_ends_the_wait() {
        for limit in [
            PollLimit::Endless,
            PollLimit::Time(LONG),
            PollLimit::Looks(9),
        ] {
            let mut looks = 0;
            let seen = poll_until(limit, Duration::ZERO, || {
                looks += 1;
                if looks == 5 {
                    ControlFlow::Break("found")
                } else {
                    ControlFlow::Continue("nothing yet")
                }
            });
            assert_eq!((seen, looks), ("found", 5));
        }
    }
}
