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
    pub way: MeasureWay,
    /// Who reads the answer.
    pub reader: Reader,
    /// The run's separate work tree, as the reader can open it, if it has one.
    pub work_tree: Option<String>,
    /// Can an agent's sandbox perhaps not write there, as far as it can be told from here?
    pub is_tree_shut: bool,
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
pub enum MeasureWay {
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
pub enum HookReadiness {
    Armed,
    NotArmed,
    /// It cannot be told.
    Unknown,
}

impl HookReadiness {
    /// The word in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
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
    pub fn for_person() -> Self {
        Self {
            program: "autoresearch".to_owned(),
            way: MeasureWay::Trial,
            reader: Reader::Person,
            work_tree: None,
            is_tree_shut: false,
        }
    }

    /// Is everything that has to be written left to the hook, or to nobody?
    #[must_use]
    pub fn is_confined(&self) -> bool {
        !matches!(self.way, MeasureWay::Trial | MeasureWay::Long)
    }
}

/// Chooses the way for an agent in a session. `verify` is how long one verify took at start.
#[must_use]
pub fn choose_way(hooks: HookReadiness, git: GitAccess, verify: Duration) -> MeasureWay {
    match (git, hooks) {
        (GitAccess::Write, HookReadiness::Armed) if verify >= LONG => MeasureWay::Long,
        (GitAccess::Write, _) => MeasureWay::Trial,
        (GitAccess::ReadOnly, HookReadiness::Armed) => MeasureWay::Propose,
        (GitAccess::ReadOnly, HookReadiness::Unknown) => MeasureWay::ProposeUnsure,
        (GitAccess::ReadOnly, HookReadiness::NotArmed) => MeasureWay::Nothing,
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
            (HookReadiness::Armed, write, short, MeasureWay::Trial),
            (HookReadiness::Armed, write, long, MeasureWay::Long),
            (HookReadiness::Unknown, write, long, MeasureWay::Trial),
            (HookReadiness::NotArmed, write, long, MeasureWay::Trial),
            (HookReadiness::Armed, read, short, MeasureWay::Propose),
            (
                HookReadiness::Unknown,
                read,
                short,
                MeasureWay::ProposeUnsure,
            ),
            (HookReadiness::NotArmed, read, short, MeasureWay::Nothing),
        ] {
            assert_eq!(choose_way(hooks, git, verify), way, "{hooks:?} {git:?}");
        }
    }
}
