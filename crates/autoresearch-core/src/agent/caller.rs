//! Owns how the agent is told to call the tool: the program's name, and by which way its trials are measured.
//! Does not look at the machine; it is told what was found.
//! Invariant: what is proposed can work from where the agent is, or the sentence says that nothing can.

use std::time::Duration;

use serde::Serialize;

use crate::agent::session::GitAccess;

/// From here on a trial is worth registering instead of waiting for it. A command of Codex that takes longer is polled by
/// the model, and each poll costs a request.
pub const LONG: Duration = Duration::from_secs(20);

/// Who calls, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The program as the agent has to write it.
    pub program: String,
    /// How its trials are measured.
    pub way: Way,
    /// Who reads the answer.
    pub reader: Reader,
    /// The work tree of the run's own, as the reader can open it, if it has one.
    pub work_tree: Option<String>,
}

/// Who reads an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// A person at a terminal.
    Person,
    /// An agent, who works for a person.
    Agent,
}

/// How trials are measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// By `trial`, at once.
    Trial,
    /// By `propose`, because verify takes long: the hook at the end of the turn measures it, and nobody polls.
    Long,
    /// By `propose`, because git cannot be written from here: the hook does what has to be written.
    Propose,
    /// By `propose`, though it is not known whether the hook is at work.
    ProposeUnsure,
    /// Not at all: git cannot be written from here, and no hook is at work.
    Nothing,
}

/// Will Codex run the session hooks?
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Armed {
    /// Yes.
    Armed,
    /// No.
    NotArmed,
    /// It cannot be told.
    Unknown,
}

impl Armed {
    /// The word in reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Armed => "armed",
            Self::NotArmed => "not armed",
            Self::Unknown => "unknown",
        }
    }
}

impl Caller {
    /// A person in a terminal.
    #[must_use]
    pub fn plain() -> Self {
        Self {
            program: "autoresearch".to_owned(),
            way: Way::Trial,
            reader: Reader::Person,
            work_tree: None,
        }
    }

    /// Is everything that has to be written left to the hook, or to nobody?
    #[must_use]
    pub fn is_confined(&self) -> bool {
        !matches!(self.way, Way::Trial | Way::Long)
    }
}

/// Chooses the way for an agent in a session. `verify` is how long one verify took at start.
#[must_use]
pub fn choose(hooks: Armed, git: GitAccess, verify: Duration) -> Way {
    match (git, hooks) {
        (GitAccess::Write, Armed::Armed) if verify >= LONG => Way::Long,
        (GitAccess::Write, _) => Way::Trial,
        (GitAccess::ReadOnly, Armed::Armed) => Way::Propose,
        (GitAccess::ReadOnly, Armed::Unknown) => Way::ProposeUnsure,
        (GitAccess::ReadOnly, Armed::NotArmed) => Way::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_follows_from_git_hooks_and_the_length_of_verify() {
        let (short, long) = (Duration::from_secs(1), LONG);
        let (write, read) = (GitAccess::Write, GitAccess::ReadOnly);
        for (hooks, git, verify, way) in [
            (Armed::Armed, write, short, Way::Trial),
            (Armed::Armed, write, long, Way::Long),
            (Armed::Unknown, write, long, Way::Trial),
            (Armed::NotArmed, write, long, Way::Trial),
            (Armed::Armed, read, short, Way::Propose),
            (Armed::Unknown, read, short, Way::ProposeUnsure),
            (Armed::NotArmed, read, short, Way::Nothing),
        ] {
            assert_eq!(choose(hooks, git, verify), way, "{hooks:?} {git:?}");
        }
    }
}
