//! Owns the events of the journal and the words in them: verdicts, reasons, ends.
//! Does not write them; `chain` gives them their form, `state` their meaning.
//! Invariant: an event holds everything that its row of the log needs.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::ladder::Strategy;
use crate::measurement::Measurement;
use crate::value::Value;

/// One line of the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Its number, from 0.
    pub seq: u64,
    /// SHA-256 of the line before it, in hex; 64 zeros for the first.
    pub prev: String,
    /// When it was written, in UTC (RFC 3339).
    pub at: String,
    /// What happened.
    pub event: Event,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// The untouched tree was measured and the run accepted: the intention to set up its branch or work tree.
    Start(Box<Start>),
    /// The branch or work tree stands.
    Ready,
    /// A trial, or a rework of one, is about to be committed: the intention.
    Intent(Intent),
    /// The metric improved and the guard failed; the trial waits for a rework.
    Rework(Rework),
    /// The trial was decided.
    Verdict(Box<Decided>),
    /// A trial that was not kept has been undone.
    Close(Close),
    /// A trial was cut short by a crash or by a person, and has been undone.
    Interrupted(Interrupted),
    /// The agent logged a strategy.
    Strategy(StrategyRow),
    /// The agent had a turn in a run without a person.
    Turn(Turn),
    /// A person changed the ceilings; a run that had come to one is open again.
    Raise(Raise),
    /// The run ended.
    End(Ending),
    /// The user's own branch was checked out again.
    Finish(Finish),
}

/// The start of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Start {
    /// The format of the journal.
    pub format: u32,
    /// The run's name.
    pub run: String,
    /// A random id, by which the anchor outside the repository is found.
    pub id: String,
    /// The version of the tool that started it.
    pub version: String,
    /// When, in milliseconds since 1970.
    pub started_ms: u64,
    /// The config with its defaults.
    pub config: Config,
    /// The reference that HEAD names during the run.
    pub branch: String,
    /// What HEAD named before: a reference, or a commit when it was detached.
    pub origin: String,
    /// The commit that the run started from.
    pub base: String,
    /// Its tree.
    pub tree: String,
    /// Where the run's own work tree is, when it has one, from the repository's root.
    pub worktree: Option<String>,
    /// What verify measured on the untouched tree.
    pub measurement: Measurement,
    /// Every run of it.
    pub samples: Vec<Value>,
    /// Whether a guard passed, or there is none.
    pub guard: Guard,
    /// How long one run of verify took, in milliseconds: the median.
    pub verify_ms: u64,
    /// System, git and tool, for the log.
    pub environment: String,
    /// When the run ends by the clock, in milliseconds since 1970.
    #[serde(default)]
    pub until_ms: Option<u64>,
}

/// A trial is about to be committed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// The trial's number.
    pub trial: u32,
    /// 0 for the trial itself, 1 and 2 for its reworks.
    pub attempt: u32,
    /// What the agent says it changed.
    pub message: String,
    /// The agent's labels.
    pub labels: Vec<String>,
    /// Does the agent claim a simplification?
    pub simplify: bool,
    /// The commit below.
    pub parent: String,
}

/// The metric improved and the guard failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rework {
    /// The trial's number.
    pub trial: u32,
    /// Which attempt failed.
    pub attempt: u32,
    /// The commit that was measured.
    pub commit: String,
    /// What was measured.
    pub measurement: Measurement,
    /// How the guard failed.
    pub why: Why,
    /// Untracked files that appeared while verify ran.
    pub droppings: Vec<String>,
}

/// A trial was decided.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decided {
    /// The trial's number.
    pub trial: u32,
    /// The verdict.
    pub verdict: Verdict,
    /// Why, unless it is a keep.
    pub why: Option<Why>,
    /// What the agent said it changed.
    pub message: String,
    /// The agent's labels.
    pub labels: Vec<String>,
    /// The trial's last commit, when it has one.
    pub commit: Option<String>,
    /// The tree of that commit.
    pub tree: Option<String>,
    /// What verify measured.
    pub measurement: Option<Measurement>,
    /// The fresh runs, of a noisy metric only.
    pub samples: Vec<Value>,
    /// The difference to the incumbent before the trial.
    pub delta: Option<Value>,
    /// What the guard said.
    pub guard: Guard,
    /// Untracked files that appeared while verify ran; they are nobody's change.
    pub droppings: Vec<String>,
}

impl Decided {
    /// A verdict without a commit and a measurement.
    #[must_use]
    pub fn bare(intent: &Intent, verdict: Verdict, why: Option<Why>) -> Self {
        Self {
            trial: intent.trial,
            verdict,
            why,
            message: intent.message.clone(),
            labels: intent.labels.clone(),
            commit: None,
            tree: None,
            measurement: None,
            samples: Vec::new(),
            delta: None,
            guard: Guard::NotRun,
            droppings: Vec::new(),
        }
    }
}

/// A trial has been undone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Close {
    /// The trial's number.
    pub trial: u32,
    /// HEAD now.
    pub head: String,
}

/// A trial was cut short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interrupted {
    /// The trial's number.
    pub trial: u32,
    /// What the agent said it changed.
    pub message: String,
    /// HEAD now.
    pub head: String,
    /// The commit that still holds what the trial had changed.
    pub saved: Option<String>,
}

/// A strategy row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StrategyRow {
    /// Which.
    pub strategy: Strategy,
    /// The reason and the plan, in the agent's words.
    pub message: String,
}

/// A turn of the agent in a run without a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// The trial that it was for.
    pub trial: u32,
    /// The agent's thread, if it has threads.
    pub thread: Option<String>,
    /// The tokens that it used, as the agent's host counts them.
    pub tokens: u64,
    /// How long it took, in milliseconds.
    pub ms: u64,
    /// What the agent expected of its change, in its words.
    pub hypothesis: String,
    /// What went wrong, if it did not come to an answer.
    pub fault: Option<String>,
}

/// Ceilings that a person changed; what is absent stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Raise {
    /// Trials.
    pub iterations: Option<u32>,
    /// Time since the start, in milliseconds.
    pub time_limit_ms: Option<u64>,
    /// Tokens.
    pub tokens: Option<u64>,
    /// Runs of verify.
    pub verify_runs: Option<u32>,
    /// A moment, in milliseconds since 1970.
    pub until_ms: Option<u64>,
}

/// The end of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    /// Which of the named ends.
    pub end: End,
    /// What led to it.
    pub why: String,
}

/// The user's branch was checked out again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finish {
    /// What HEAD names now.
    pub head: String,
}

/// The verdict on a trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It improved the metric and stays.
    Keep,
    /// It was measured, or void, and is undone.
    Discard,
    /// Verify gave no number; it is undone.
    Crash,
    /// Nothing in the scope had changed.
    NoOp,
}

impl Verdict {
    /// The word in the log.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Discard => "discard",
            Self::Crash => "crash",
            Self::NoOp => "no-op",
        }
    }
}

/// What is known of the guard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Guard {
    /// There is none, or it did not run.
    NotRun,
    /// It passed.
    Pass,
    /// It failed.
    Fail,
}

impl Guard {
    /// The word in the log.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::NotRun => "-",
            Self::Pass => "pass",
            Self::Fail => "fail",
        }
    }
}

/// How a command ended, other than well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Failure {
    /// It was ended at its deadline.
    Timeout {
        /// The deadline, in milliseconds.
        limit_ms: u64,
    },
    /// It exited with a status that is not in `ok_exit`.
    Exit {
        /// The status.
        status: i32,
    },
    /// A signal ended it.
    Signal {
        /// The signal's number.
        signal: i32,
    },
    /// It printed more than is kept, and was ended.
    Flood {
        /// The limit in bytes.
        limit: u64,
    },
    /// It could not be started.
    Start {
        /// The system's words.
        error: String,
    },
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Timeout { limit_ms } => {
                write!(
                    out,
                    "ended at its deadline of {}",
                    crate::span::show(std::time::Duration::from_millis(*limit_ms))
                )
            }
            Self::Exit { status: 127 } => {
                out.write_str("exit status 127 (a command was not found)")
            }
            Self::Exit { status } => write!(out, "exit status {status}"),
            Self::Signal { signal } => write!(out, "ended by signal {signal}"),
            Self::Flood { limit } => write!(out, "printed more than {} MiB", limit >> 20),
            Self::Start { error } => write!(out, "could not be started: {error}"),
        }
    }
}

/// Why a trial was not kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// The metric is not better.
    WorseMetric,
    /// The metric is equal.
    Tie,
    /// The metric is better by less than `min_improvement`.
    BelowMinimum,
    /// The metric is noisy and the evidence does not tell.
    CannotTell {
        /// Fresh runs that were made.
        runs: u32,
        /// Runs that a gain of this size would have needed.
        needed: u32,
    },
    /// A condition of `keep_when` does not hold.
    KeepWhen(String),
    /// A required label is missing.
    MissingLabel(String),
    /// The guard failed.
    GuardFailed(Failure),
    /// Protected or pinned files were changed.
    Protected(Vec<String>),
    /// Files outside the scope were changed.
    OutOfScope(Vec<String>),
    /// Files of a kind that a trial cannot hold: submodules, nested repositories, names that are not UTF-8.
    Unsupported(Vec<String>),
    /// Files changed while verify or guard ran.
    ChangedDuringVerify(Vec<String>),
    /// A git hook of the repository refused the commit.
    HookRefused(String),
    /// Verify failed.
    VerifyFailed(Failure),
    /// Verify printed no usable number.
    NoMetric(String),
    /// Nothing in the scope had changed.
    NothingChanged,
    /// The agent gave the trial up.
    Dropped,
}

impl Why {
    /// The reason as one word, for the log and for programs.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::WorseMetric => "worse-metric",
            Self::Tie => "tie",
            Self::BelowMinimum => "below-minimum",
            Self::CannotTell { .. } => "cannot-tell",
            Self::KeepWhen(_) => "keep-when",
            Self::MissingLabel(_) => "missing-label",
            Self::GuardFailed(_) => "guard-failed",
            Self::Protected(_) => "protected",
            Self::OutOfScope(_) => "out-of-scope",
            Self::Unsupported(_) => "unsupported",
            Self::ChangedDuringVerify(_) => "changed-during-verify",
            Self::HookRefused(_) => "hook-refused",
            Self::VerifyFailed(Failure::Timeout { .. }) => "timeout",
            Self::VerifyFailed(_) => "verify-failed",
            Self::NoMetric(_) => "no-metric",
            Self::NothingChanged => "nothing-changed",
            Self::Dropped => "dropped",
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WorseMetric => out.write_str("the metric is not better"),
            Self::Tie => out.write_str("the metric is equal"),
            Self::BelowMinimum => out.write_str("the improvement is below min_improvement"),
            Self::CannotTell { runs, needed } => {
                write!(
                    out,
                    "the noise is larger than the difference after {runs} fresh runs; about {needed} would be needed"
                )
            }
            Self::KeepWhen(condition) => write!(out, "keep_when `{condition}` does not hold"),
            Self::MissingLabel(label) => write!(out, "the label `{label}` is required for a keep"),
            Self::GuardFailed(failure) => write!(out, "the guard failed: {failure}"),
            Self::Protected(files) => {
                write!(out, "protected files were touched: {}", Listed(files))
            }
            Self::OutOfScope(files) => write!(
                out,
                "files outside the scope were changed: {}",
                Listed(files)
            ),
            Self::Unsupported(files) => write!(out, "a trial cannot hold: {}", Listed(files)),
            Self::ChangedDuringVerify(files) => {
                write!(out, "files changed while verify ran: {}", Listed(files))
            }
            Self::HookRefused(output) => write!(out, "a git hook refused the commit: {output}"),
            Self::VerifyFailed(failure) => write!(out, "verify failed: {failure}"),
            Self::NoMetric(reason) => out.write_str(reason),
            Self::NothingChanged => out.write_str("no file in the scope was changed"),
            Self::Dropped => out.write_str("the agent gave the trial up"),
        }
    }
}

/// A list of files that stays short in a message.
struct Listed<'a>(&'a [String]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self
            .0
            .iter()
            .take(5)
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(", ");
        match self.0.len() {
            0..=5 => out.write_str(&shown),
            more => write!(out, "{shown} and {} more", more - 5),
        }
    }
}

/// The named ends of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    /// The target or `stop_when` was reached.
    Target,
    /// All iterations were used.
    IterationCap,
    /// The time limit passed.
    TimeLimit,
    /// Another limit was used up.
    Budget,
    /// The ladder is at its end: scope, metric or goal must change.
    NeedsHuman,
    /// Something only a person can change stands in the way.
    Blocked,
    /// A person stopped it.
    UserStop,
    /// A fault of the tool or of the machine.
    Error,
}

impl End {
    /// Can a person open the run again, by raising a ceiling or putting an obstacle right?
    #[must_use]
    pub fn can_be_lifted(self) -> bool {
        matches!(
            self,
            Self::IterationCap | Self::TimeLimit | Self::Budget | Self::Blocked
        )
    }

    /// The word in the log.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Target => "target",
            Self::IterationCap => "iteration-cap",
            Self::TimeLimit => "time-limit",
            Self::Budget => "budget",
            Self::NeedsHuman => "needs-human",
            Self::Blocked => "blocked",
            Self::UserStop => "user-stop",
            Self::Error => "error",
        }
    }
}

/// The metrics of a measurement other than the config's own, for people: `tests=41 heap=12`.
#[must_use]
pub fn others(metrics: &BTreeMap<String, Value>, name: &str) -> String {
    metrics
        .iter()
        .filter(|(key, _)| *key != name)
        .map(|(key, value)| format!("{key}={value}"))
        .collect::<Vec<_>>()
        .join(" ")
}
