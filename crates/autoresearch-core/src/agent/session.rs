//! Owns what binds a run to one session of an agent: who owns it, whether it is paused, what was registered for the stop
//! of the turn, and how a stop is answered.
//! Does not hold a number or a verdict: losing it loses nothing of the run.
//! Invariant: an id that is empty owns nothing, and no more than `CONTINUATIONS` stops in a row are answered while the run
//! comes no further.

use serde::{Deserialize, Serialize};

use crate::decide::ladder::Strategy;
use crate::journal::state::Progress;

/// How many stops in a row send the agent on although the run came no further since.
pub const CONTINUATIONS: u32 = 3;

/// The session that works on a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Session {
    /// Its id, as the agent's host tells it to commands and hooks.
    pub id: String,
    /// What the session's commands could do with git when they were last seen.
    pub git: GitAccess,
    /// Was a hook seen at work in this session?
    pub hooked: bool,
    /// Did the person interrupt it?
    pub paused: bool,
    /// Was the end of the run told?
    pub told: bool,
}

/// The stops that were answered while the run came no further. It is kept where the session cannot write.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stops {
    /// The session that stopped.
    pub session: String,
    /// How far the run had come.
    pub progress: Progress,
    /// Stops in a row that were answered since.
    pub answered: u32,
}

/// What a session's commands can do with git.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GitAccess {
    #[default]
    Write,
    /// Look: a sandbox keeps the git folder from being written.
    ReadOnly,
}

/// What a session registered, to be done when its turn ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    pub session: String,
    /// The number of records in the journal when it was registered: with another number it is out of date.
    pub records: u64,
    /// What is to be done.
    pub order: ProposedOrder,
}

/// What can be registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProposedOrder {
    /// Measure what is changed.
    Trial(TrialRequest),
    /// Give up what is changed, or the trial that waits for a rework.
    Drop,
    /// Bring a trial's changes back as edits.
    Retry {
        trial: u32,
    },
    /// Log a strategy row.
    Strategy {
        strategy: Strategy,
        /// The reason and the plan.
        message: String,
    },
    /// End the run: a person must act.
    Block {
        message: String,
    },
    /// End the run on a person's word.
    Stop {
        message: String,
    },
    Finish,
}

/// A trial as the agent asks for it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrialRequest {
    pub message: String,
    pub labels: Vec<String>,
    /// Does it claim a simplification?
    pub simplify: bool,
    /// Is this a rework of the trial whose guard failed?
    pub rework: bool,
    /// Is the trial whose guard failed to be measured once more as it is?
    #[serde(default)]
    pub again: bool,
}

/// How a stop while the run is open is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopAnswer {
    /// The agent is sent on with the next step.
    GoOn,
    /// The session may end.
    Allow,
}

/// Is this an id that can own something?
#[must_use]
pub fn is_session_id(id: &str) -> bool {
    !id.trim().is_empty() && id != "null" && id.len() <= 200
}

impl Session {
    /// A session that takes a run over.
    #[must_use]
    pub fn new(id: &str, git: GitAccess) -> Self {
        Self {
            id: id.to_owned(),
            git,
            ..Self::default()
        }
    }

    /// Is the run this session's?
    #[must_use]
    pub fn matches_id(&self, id: &str) -> bool {
        is_session_id(id) && self.id == id
    }
}

impl Stops {
    /// Has the run come further since the last stop of this session? Then the count starts again.
    pub fn reset_if_moved(&mut self, session: &str, progress: Progress) -> bool {
        let moved = self.session != session || progress > self.progress;
        if moved {
            *self = Self {
                session: session.to_owned(),
                progress,
                answered: 0,
            };
        }
        moved
    }

    /// Answers a stop of an open run, and counts it.
    pub fn answer_stop(&mut self, session: &str, progress: Progress) -> StopAnswer {
        self.reset_if_moved(session, progress);
        if self.answered >= CONTINUATIONS {
            return StopAnswer::Allow;
        }
        self.answered += 1;
        StopAnswer::GoOn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(iterations: u32) -> Progress {
        Progress {
            iterations,
            ..Progress::default()
        }
    }

    #[test]
    fn three_stops_without_progress_are_answered_and_no_more() {
        let mut stops = Stops::default();
        let answers: Vec<StopAnswer> = (0..6).map(|_| stops.answer_stop("a", after(7))).collect();
        let (go_on, allow) = (StopAnswer::GoOn, StopAnswer::Allow);
        assert_eq!(answers, [go_on, go_on, go_on, allow, allow, allow]);
        assert_eq!(
            stops.answer_stop("a", after(6)),
            allow,
            "that is not progress"
        );
        assert_eq!(
            stops.answer_stop("a", after(8)),
            go_on,
            "a trial resets the count"
        );
        assert_eq!(stops.answered, 1);
        assert_eq!(stops.answer_stop("b", after(8)), go_on);
        assert_eq!(stops.answered, 1, "another session has its own stops");
    }

    #[test]
    fn an_empty_id_owns_nothing() {
        for id in ["", " ", "null"] {
            assert!(!Session::new(id, GitAccess::Write).matches_id(id), "{id:?}");
        }
        assert!(Session::new("a", GitAccess::Write).matches_id("a"));
        assert!(!Session::new("a", GitAccess::Write).matches_id("b"));
        assert!(!Session::default().matches_id(""));
    }
}
