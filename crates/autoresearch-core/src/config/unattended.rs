//! Owns the part of a config that is for runs without a person: the agent that edits, the budget, whom to notify.
//! Does not read it; `meaning` turns what was typed into what is true.
//! Invariant: nothing in it changes what is measured.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Who edits in background and exec runs. Default: Codex, in its sandbox.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AgentFile {
    /// A command that gets the brief on standard input and edits files, instead of Codex. It is not sandboxed.
    #[serde(default)]
    pub command: Option<String>,
    /// What Codex may do in a turn.
    #[serde(default)]
    pub sandbox: Sandbox,
    /// The model. Default: the one that Codex is set up with.
    #[serde(default)]
    pub model: Option<String>,
    /// How long a turn may take, such as `20m`. Default: 30m.
    #[serde(default)]
    pub timeout: Option<String>,
    /// Start a new thread, with the brief, after this many turns. Default: 8.
    #[serde(default = "default_turns_per_thread")]
    #[schemars(range(min = 1, max = 1_000))]
    pub turns_per_thread: u32,
    /// Start a new thread after this many tokens. Default: 150000.
    #[serde(default = "default_tokens_per_thread")]
    #[schemars(range(min = 1))]
    pub tokens_per_thread: u64,
}

impl Default for AgentFile {
    fn default() -> Self {
        Self {
            command: None,
            sandbox: Sandbox::default(),
            model: None,
            timeout: None,
            turns_per_thread: default_turns_per_thread(),
            tokens_per_thread: default_tokens_per_thread(),
        }
    }
}

/// Ceilings besides `iterations` and `time_limit`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BudgetFile {
    /// The run ends when the agent has used this many tokens, as Codex counts them. Default: no limit.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub tokens: Option<u64>,
    /// The run ends when verify has run this many times in trials. Default: no limit.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub verify_runs: Option<u32>,
    /// The run ends at this time of day, such as `07:00`, by the machine's clock. Default: no limit.
    #[serde(default)]
    pub until: Option<String>,
}

/// What Codex may do in a turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Sandbox {
    /// Edit files in the work tree; no git, no network.
    #[default]
    WorkspaceWrite,
    /// Anything.
    FullAccess,
}

/// Who edits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agent {
    /// A command instead of Codex.
    pub command: Option<String>,
    /// What Codex may do.
    pub sandbox: Sandbox,
    /// Codex's model.
    pub model: Option<String>,
    /// How long a turn may take.
    #[serde(with = "crate::config::span::millis", rename = "timeout_ms")]
    pub timeout: Duration,
    /// Turns in one thread.
    pub turns_per_thread: u32,
    /// Tokens in one thread.
    pub tokens_per_thread: u64,
}

/// Ceilings that can be raised while a run exists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Budget {
    /// Tokens of the agent.
    pub tokens: Option<u64>,
    /// Runs of verify in trials.
    pub verify_runs: Option<u32>,
    /// A time of day.
    pub until: Option<TimeOfDay>,
}

/// A time of day on the machine's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeOfDay {
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
}

impl TimeOfDay {
    /// Reads `7:00`, `07:00`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (hour, minute) = text.trim().split_once(':')?;
        let number = |text: &str, most: u8| {
            let digits = text.len() <= 2 && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse()
                .ok()
                .filter(|number: &u8| digits && *number <= most)
        };
        Some(Self {
            hour: number(hour, 23)?,
            minute: number(minute, 59)?,
        })
    }
}

fn default_turns_per_thread() -> u32 {
    8
}

fn default_tokens_per_thread() -> u64 {
    150_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_that_is_missing_and_one_that_is_empty_mean_the_same() {
        let empty: AgentFile = serde_json::from_str("{}").unwrap();
        assert_eq!(empty, AgentFile::default());
        let empty: BudgetFile = serde_json::from_str("{}").unwrap();
        assert_eq!(empty, BudgetFile::default());
    }

    #[test]
    fn a_time_of_the_day_is_hours_and_minutes() {
        let seven = TimeOfDay { hour: 7, minute: 5 };
        assert_eq!(TimeOfDay::parse("07:05"), Some(seven));
        assert_eq!(TimeOfDay::parse(" 7:05 "), Some(seven));
        for wrong in [
            "", "7", "24:00", "07:60", "+7:00", "07:005", "7:-1", "07:00:00",
        ] {
            assert_eq!(TimeOfDay::parse(wrong), None, "{wrong}");
        }
    }
}
