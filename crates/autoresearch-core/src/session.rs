//! Owns what binds a run to one session of an agent: who owns it, whether it is paused, what was registered for the stop
//! of the turn, and how a stop is answered.
//! Does not hold a number or a verdict: losing it loses nothing of the run.
//! Invariant: an id that is empty owns nothing, and no more than `CONTINUATIONS` stops in a row are answered without a new
//! record in the journal.

use serde::{Deserialize, Serialize};

use crate::ladder::Strategy;

/// How many stops in a row send the agent on although nothing was recorded since.
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
    /// The number of records in the journal at the last stop.
    pub records: u64,
    /// Stops in a row that were answered at that number.
    pub stops: u32,
    /// Was the end of the run told?
    pub told: bool,
}

/// What a session's commands can do with git.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GitAccess {
    /// Commit.
    #[default]
    Write,
    /// Look: a sandbox keeps the git folder from being written.
    ReadOnly,
}

/// What a session registered, to be done when its turn ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// The session.
    pub session: String,
    /// The number of records in the journal when it was registered: with another number it is out of date.
    pub records: u64,
    /// What is to be done.
    pub order: Order,
}

/// What can be registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// Measure what is changed.
    Trial(Request),
    /// Give up what is changed, or the trial that awaits a rework.
    Drop,
    /// Log a strategy row.
    Strategy {
        /// Which.
        strategy: Strategy,
        /// The reason and the plan.
        message: String,
    },
    /// End the run: a person must act.
    Block {
        /// Why.
        message: String,
    },
    /// End the run on a person's word.
    Stop {
        /// Why.
        message: String,
    },
    /// Leave the run.
    Finish,
}

/// A trial as the agent asks for it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// What it changed.
    pub message: String,
    /// Its labels.
    pub labels: Vec<String>,
    /// Does it claim a simplification?
    pub simplify: bool,
    /// Is this a rework of the trial whose guard failed?
    pub rework: bool,
}

/// How the stop of a turn is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopAnswer {
    /// The agent is sent on with the next step.
    GoOn,
    /// The session may end, and is told that the run has ended.
    TellEnd,
    /// The session may end.
    Allow,
}

/// Is this an id that can own something?
#[must_use]
pub fn is_id(id: &str) -> bool {
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
    pub fn is(&self, id: &str) -> bool {
        is_id(id) && self.id == id
    }

    /// Answers a stop, and counts it. `records` is the number of records in the journal now.
    pub fn stop(&mut self, records: u64, ended: bool) -> StopAnswer {
        if self.paused {
            return StopAnswer::Allow;
        }
        if ended {
            let told = std::mem::replace(&mut self.told, true);
            return if told {
                StopAnswer::Allow
            } else {
                StopAnswer::TellEnd
            };
        }
        if records != self.records {
            self.records = records;
            self.stops = 0;
        }
        if self.stops >= CONTINUATIONS {
            return StopAnswer::Allow;
        }
        self.stops += 1;
        StopAnswer::GoOn
    }

    /// What was just recorded is no progress that the stops were waiting for, or it is: counting starts anew from here.
    pub fn moved(&mut self, records: u64) {
        self.records = records;
        self.stops = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_stops_without_a_record_are_answered_and_no_more() {
        let mut session = Session::new("a", GitAccess::Write);
        let answers: Vec<StopAnswer> = (0..6).map(|_| session.stop(7, false)).collect();
        let (go_on, allow) = (StopAnswer::GoOn, StopAnswer::Allow);
        assert_eq!(answers, [go_on, go_on, go_on, allow, allow, allow]);
        assert_eq!(session.stop(8, false), go_on, "a new record counts anew");
    }

    #[test]
    fn the_end_is_told_once() {
        let mut session = Session::new("a", GitAccess::Write);
        assert_eq!(session.stop(7, true), StopAnswer::TellEnd);
        assert_eq!(session.stop(7, true), StopAnswer::Allow);
    }

    #[test]
    fn a_paused_session_is_left_alone() {
        let mut session = Session {
            paused: true,
            ..Session::new("a", GitAccess::Write)
        };
        assert_eq!(session.stop(7, false), StopAnswer::Allow);
        assert_eq!(session.stop(7, true), StopAnswer::Allow);
    }

    #[test]
    fn an_empty_id_owns_nothing() {
        for id in ["", " ", "null"] {
            assert!(!Session::new(id, GitAccess::Write).is(id), "{id:?}");
        }
        assert!(Session::new("a", GitAccess::Write).is("a"));
        assert!(!Session::new("a", GitAccess::Write).is("b"));
        assert!(!Session::default().is(""));
    }
}
