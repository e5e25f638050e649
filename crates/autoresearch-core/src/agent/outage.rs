//! Owns what is done about a turn that failed for reasons outside the run: wait, probe, take a fresh thread, or give up.
//! Does not wait; it says how long.
//! Invariant: no failure is answered with an immediate retry more than once, and a limit with a known end is slept out.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Why a turn came to no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TurnFault {
    /// The account's limit is used up.
    UsageLimit {
        /// Until when, in seconds since 1970, if it was said.
        resets_at: Option<u64>,
    },
    /// The account is not accepted.
    Auth(String),
    /// The service is ill, overloaded, or dropped the answer.
    Server(String),
    /// The service cannot be reached.
    Network(String),
    /// The thread is full.
    Context,
    /// The thread cannot be resumed.
    Thread(String),
    /// The agent cannot be started as it is set up.
    Setup(String),
    /// The turn's deadline passed.
    Deadline,
    Other(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutageAnswer {
    /// Wait this long, then try again.
    Wait(Duration),
    /// Wait until this moment, in seconds since 1970, then try again.
    Until(u64),
    /// Try again at once, in a fresh thread.
    Fresh,
    /// A person must act.
    GiveUp(String),
}

/// How long failures are waited out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutagePatience {
    /// The first wait; each further one is twice as long.
    pub first: Duration,
    /// The longest wait, and the time between two probes.
    pub most: Duration,
    /// After this many failures in a row, give up; `None`: never.
    pub tries: Option<u32>,
}

impl Default for OutagePatience {
    /// From 5 seconds to a probe each 10 minutes, for ever: the run's own ceilings end it.
    fn default() -> Self {
        Self {
            first: Duration::from_secs(5),
            most: Duration::from_mins(10),
            tries: None,
        }
    }
}

/// After this many timeouts in a row, a person must look.
const DEADLINES: u32 = 3;
/// After this many unknown faults in a row, a person must look.
const UNKNOWN: u32 = 5;
/// A limit resets a little later than it says.
const AFTER_RESET: u64 = 2;

impl TurnFault {
    /// What to do about the `count`-th failure in a row (from 1).
    #[must_use]
    pub fn choose_answer(&self, count: u32, patience: OutagePatience) -> OutageAnswer {
        let given_up = patience.tries.is_some_and(|tries| count >= tries);
        match self {
            Self::Auth(why) => OutageAnswer::GiveUp(format!(
                "the agent's account was rejected ({why}): log in again (`codex login`)"
            )),
            Self::Setup(why) => OutageAnswer::GiveUp(format!("the agent cannot be started: {why}")),
            Self::UsageLimit {
                resets_at: Some(moment),
            } => OutageAnswer::Until(moment.saturating_add(AFTER_RESET)),
            Self::Deadline if count >= DEADLINES => OutageAnswer::GiveUp(format!(
                "{count} turns in a row timed out: raise `agent.timeout`, or find out what the agent waits for"
            )),
            Self::Other(why) if count >= UNKNOWN => {
                OutageAnswer::GiveUp(format!("{count} turns in a row failed: {why}"))
            }
            _ if given_up => OutageAnswer::GiveUp(format!("{count} turns in a row failed: {self}")),
            Self::Context | Self::Thread(_) | Self::Deadline if count == 1 => OutageAnswer::Fresh,
            Self::UsageLimit { resets_at: None } => OutageAnswer::Wait(patience.most),
            _ => OutageAnswer::Wait(patience.compute_wait(count)),
        }
    }

    /// Is it a fault of this one turn, which says nothing of the next one or of its neighbours?
    #[must_use]
    pub fn is_of_turn(&self) -> bool {
        matches!(self, Self::Context | Self::Deadline | Self::Other(_))
    }

    /// Is a fresh thread needed after it?
    #[must_use]
    pub fn ends_thread(&self) -> bool {
        matches!(self, Self::Context | Self::Thread(_) | Self::Deadline)
    }
}

impl OutagePatience {
    /// How long the `count`-th failure in a row (from 1) is waited out, where nothing better is known.
    #[must_use]
    pub fn compute_wait(self, count: u32) -> Duration {
        let doubled = 1_u32
            .checked_shl(count.saturating_sub(1))
            .unwrap_or(u32::MAX);
        self.first.saturating_mul(doubled).min(self.most)
    }
}

impl std::fmt::Display for TurnFault {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (fault, why) = match self {
            Self::UsageLimit { .. } => ("the usage limit is reached", ""),
            Self::Auth(why) => ("account rejected", why.as_str()),
            Self::Server(why) => ("the service failed", why.as_str()),
            Self::Network(why) => ("the service cannot be reached", why.as_str()),
            Self::Context => ("the thread is full", ""),
            Self::Thread(why) => ("the thread cannot be resumed", why.as_str()),
            Self::Setup(why) => ("the agent cannot be started", why.as_str()),
            Self::Deadline => ("the turn timed out", ""),
            Self::Other(why) => ("the turn failed", why.as_str()),
        };
        match why {
            "" => out.write_str(fault),
            why => write!(out, "{fault}: {why}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(fault: &TurnFault, patience: OutagePatience) -> Vec<OutageAnswer> {
        (1..=9)
            .map(|count| fault.choose_answer(count, patience))
            .collect()
    }

    #[test]
    fn a_fault_is_told_with_its_reason_where_there_is_one() {
        let told = |why: &str| TurnFault::Server(why.to_owned()).to_string();
        assert_eq!(told("busy"), "the service failed: busy");
        assert_eq!(told(""), "the service failed");
    }

    #[test]
    fn a_failing_service_is_asked_less_and_less_and_never_given_up_by_default() {
        let seconds: Vec<u64> = waits(&TurnFault::Server("500".into()), OutagePatience::default())
            .into_iter()
            .map(|answer| match answer {
                OutageAnswer::Wait(span) => span.as_secs(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(seconds, [5, 10, 20, 40, 80, 160, 320, 600, 600]);
        let far =
            TurnFault::Network("refused".into()).choose_answer(4_000, OutagePatience::default());
        assert_eq!(far, OutageAnswer::Wait(Duration::from_mins(10)));
    }

    #[test]
    fn a_bounded_patience_gives_up() {
        let patience = OutagePatience {
            tries: Some(3),
            ..OutagePatience::default()
        };
        let answers = waits(&TurnFault::Server("500".into()), patience);
        assert!(matches!(answers[1], OutageAnswer::Wait(_)));
        assert!(matches!(answers[2], OutageAnswer::GiveUp(_)));
    }

    #[test]
    fn a_usage_limit_is_slept_out_until_its_reset_and_a_login_is_given_up_at_once() {
        let limit = TurnFault::UsageLimit {
            resets_at: Some(1_000),
        };
        assert_eq!(
            limit.choose_answer(1, OutagePatience::default()),
            OutageAnswer::Until(1_002)
        );
        assert_eq!(
            limit.choose_answer(50, OutagePatience::default()),
            OutageAnswer::Until(1_002)
        );
        let unknown = TurnFault::UsageLimit { resets_at: None };
        let probe = OutageAnswer::Wait(Duration::from_mins(10));
        assert_eq!(unknown.choose_answer(1, OutagePatience::default()), probe);
        let auth = TurnFault::Auth("401".into());
        assert!(matches!(
            auth.choose_answer(1, OutagePatience::default()),
            OutageAnswer::GiveUp(_)
        ));
    }

    #[test]
    fn a_full_thread_is_left_at_once_but_not_for_ever() {
        let answers = waits(&TurnFault::Context, OutagePatience::default());
        assert_eq!(answers[0], OutageAnswer::Fresh);
        assert!(matches!(answers[1], OutageAnswer::Wait(_)));
        assert!(matches!(
            waits(&TurnFault::Deadline, OutagePatience::default())[2],
            OutageAnswer::GiveUp(_)
        ));
    }
}
