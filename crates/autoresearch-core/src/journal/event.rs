//! Owns the events of the journal and the words in them: verdicts, reasons, ends.
//! Does not write them; `chain` gives them their form, `state` their meaning.
//! Invariant: an event holds everything that its row of the log needs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::config::{Config, HoldoutTime};
pub use crate::decide::gain::GainRange;
pub use crate::decide::gaming::Suspicion;
use crate::decide::ladder::Strategy;
use crate::decide::reaction::ReactionOutcome;
pub use crate::decide::why::{CommandFailure, Why};
use crate::git_names::{CommitId, HeadTarget, RefName, TreeId};
pub use crate::journal::batch::{Batch, BatchEnd, WorkerId, WorkerRow};
pub use crate::journal::claim::Claim;
pub use crate::journal::guard::Guard;
pub use crate::journal::remeasured::Remeasured;
pub use crate::journal::runs::RecordedRun;
use crate::ledger::hypothesis::{Closing, Hypothesis, HypothesisResult};
use crate::ledger::opening::Opening;
use crate::metric::cases::CaseChanges;
use crate::metric::measurement::{Measurement, Reading};
use crate::metric::value::Value;

/// How many further metrics are shown to people.
const MOST_METRICS: usize = 8;

/// One line of the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Its number, from 0.
    pub seq: u64,
    /// SHA-256 of the line before it, in hex; 64 zeros for the first.
    pub prev: String,
    /// When it was written, in UTC (RFC 3339).
    pub at: String,
    pub event: Event,
}

/// Declares the events, each with its word: in the journal, in the steps of the protocol, in what is said of it.
macro_rules! declare_events {
    ($($(#[$doc:meta])* $word:literal => $event:ident $(($payload:ty))?,)+) => {
        /// What happened.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        pub enum Event {
            $($(#[$doc])* #[serde(rename = $word)] $event $(($payload))?),+
        }

        impl Event {
            /// The words of all events, in the order in which a run comes to them.
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            /// The word in the journal.
            #[must_use]
            pub fn as_str(&self) -> &'static str {
                match self { $(Self::$event { .. } => $word),+ }
            }

            /// The steps that record it, as crates/docs/journal.md lists them.
            #[must_use]
            pub fn to_steps(&self) -> RecordSteps {
                match self {
                    $(Self::$event { .. } => RecordSteps {
                        anchor: concat!("anchor ", $word),
                        journal: concat!("journal ", $word),
                    }),+
                }
            }
        }
    };
}

declare_events! {
    /// The untouched tree was measured and the run accepted: the intention to set up its branch or work tree.
    "start" => Start(Box<Start>),
    /// The branch or work tree stands.
    "ready" => Ready,
    /// A trial, or a rework of one, is about to be committed: the intention.
    "intent" => Intent(Intent),
    /// The metric improved and the guard failed; the trial waits for a rework.
    "rework" => Rework(Rework),
    /// The trial was decided.
    "verdict" => Verdict(Box<Decision>),
    /// A trial that was not kept has been undone.
    "close" => Close(Close),
    /// A crash or a person interrupted a trial, and it has been undone.
    "interrupted" => Interrupted(Interruption),
    /// The agent logged a strategy.
    "strategy" => Strategy(StrategyRow),
    /// The agent had a turn in a run without a person.
    "turn" => Turn(Turn),
    /// A person changed the ceilings; a run that had come to one is open again.
    "raise" => Raise(Raise),
    /// A state of the run was measured again, because somebody asked for it.
    "remeasured" => Remeasured(Remeasured),
    /// Hypotheses are tried at once, each in a work tree of its own.
    "batch" => Batch(Batch),
    /// A worker of a batch was measured, or its pick was undone.
    "worker" => Worker(Box<WorkerRow>),
    /// A batch has ended, and its trees were given back.
    "batch-end" => BatchEnd(BatchEnd),
    /// Hypotheses cannot be tried at once in this run, and why.
    "serial" => Serial(String),
    "end" => End(Ending),
    /// What was gained was measured afresh.
    "claim" => Claim(Claim),
    /// The user's own branch was checked out again.
    "finish" => Finish(Finish),
    /// A question is opened: the first record of a ledger that is no run.
    "opening" => Opening(Box<Opening>),
    /// What could be the cause.
    "hypothesis" => Hypothesis(Hypothesis),
    /// What became of a hypothesis, with the evidence.
    "result" => Result(Box<HypothesisResult>),
    /// A question is given up.
    "closing" => Closing(Closing),
}

/// The names of the two steps that record an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordSteps {
    pub anchor: &'static str,
    pub journal: &'static str,
}

/// The start of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Start {
    /// The format of the journal.
    pub format: u32,
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
    pub branch: RefName,
    /// What HEAD named before.
    pub origin: HeadTarget,
    /// The commit that the run started from.
    pub base: CommitId,
    pub tree: TreeId,
    /// Where the run's own work tree is, when it has one, from the repository's root.
    pub worktree: Option<String>,
    /// What verify measured on the untouched tree.
    pub measurement: Measurement,
    /// In which format and units; absent in runs of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reading: Option<Reading>,
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
    /// How often the guard was run again after a failure on the untouched tree.
    #[serde(default, skip_serializing_if = "crate::journal::unwritten::is_zero")]
    pub guard_retries: u32,
    /// How the check came out that the metric reacts to the scope; absent in runs of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reaction: Option<ReactionOutcome>,
    /// When a check runs that no record holds, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holdout: Option<HoldoutTime>,
    /// All runs of verify, of both trees, in their order; absent in runs of older versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub runs: Vec<RecordedRun>,
    /// Can the kept state be measured again in a tree of its own? Unknown for an exact metric, and in runs of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incumbent_tree: Option<IncumbentTree>,
}

/// Whether the kept state can be measured again beside a trial.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IncumbentTree {
    /// It can, in a tree of its own.
    AtHand,
    /// It cannot, and why.
    Missing(String),
}

/// A trial is about to be committed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    pub trial: u32,
    /// 0 for the trial itself, 1 and 2 for its reworks.
    pub attempt: u32,
    /// What the agent says it changed.
    pub message: String,
    pub labels: Vec<String>,
    /// Does the agent claim a simplification?
    pub simplify: bool,
    pub parent: CommitId,
    /// Is the commit of the failed guard measured once more, without an edit?
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
    /// The kept trial whose change it takes back, because pairs at the end did not show its gain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leaves_out: Option<u32>,
    /// The worker of a batch whose changes it takes over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picks: Option<WorkerId>,
}

impl Intent {
    /// The first attempt at a trial, on top of this commit.
    #[must_use]
    pub fn new(trial: u32, message: String, parent: CommitId) -> Self {
        Self {
            trial,
            attempt: 0,
            message,
            labels: Vec::new(),
            simplify: false,
            parent,
            again: false,
            leaves_out: None,
            picks: None,
        }
    }
}

/// The metric improved and the guard failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rework {
    pub trial: u32,
    pub attempt: u32,
    /// The commit that was measured.
    pub commit: CommitId,
    pub measurement: Measurement,
    /// How the guard failed.
    pub why: Why,
    /// Untracked files that appeared while verify ran.
    #[serde(rename = "droppings")]
    pub left_files: Vec<String>,
    /// How often the guard was run again after a failure.
    #[serde(default, skip_serializing_if = "crate::journal::unwritten::is_zero")]
    pub guard_retries: u32,
    /// How often verify ran in this attempt; unknown in runs of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify_runs: Option<u32>,
    /// All runs of verify, of both trees, in their order; absent in runs of older versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub runs: Vec<RecordedRun>,
    /// How its cases differ from those of the kept state.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cases: Option<CaseChanges>,
}

/// A trial was decided.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    pub trial: u32,
    pub verdict: Verdict,
    /// Why, unless it is a keep.
    pub why: Option<Why>,
    /// What the agent said it changed.
    pub message: String,
    pub labels: Vec<String>,
    /// The trial's last commit, when it has one.
    pub commit: Option<CommitId>,
    /// The tree of that commit.
    pub tree: Option<TreeId>,
    pub measurement: Option<Measurement>,
    /// The fresh runs, of a noisy metric only.
    pub samples: Vec<Value>,
    /// The difference to the incumbent before the trial.
    pub delta: Option<Value>,
    /// What the guard said.
    pub guard: Guard,
    /// Untracked files that appeared while verify ran; they are nobody's change.
    #[serde(rename = "droppings")]
    pub left_files: Vec<String>,
    /// Is the result far outside everything seen before, so that it was measured again?
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub jump: bool,
    /// How often the guard was run again after a failure.
    #[serde(default, skip_serializing_if = "crate::journal::unwritten::is_zero")]
    pub guard_retries: u32,
    /// Where its code may game the measurement.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suspects: Vec<Suspicion>,
    /// How often verify ran in this attempt; unknown in runs of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify_runs: Option<u32>,
    /// All runs of verify, of both trees, in their order; absent in runs of older versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub runs: Vec<RecordedRun>,
    /// What is known of the gain of a noisy metric.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gain: Option<GainRange>,
    /// How its cases differ from those of the kept state before it; absent where that printed none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cases: Option<CaseChanges>,
    /// The kept trial whose change it takes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leaves_out: Option<u32>,
    /// The worker of a batch whose changes it took over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picks: Option<WorkerId>,
}

/// What a trial that was kept left behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeptState<'d> {
    pub commit: &'d CommitId,
    pub tree: &'d TreeId,
    pub measurement: &'d Measurement,
}

impl Decision {
    /// The state that was kept; none for any other verdict. This is the one place that says what a keep is.
    #[must_use]
    pub fn find_kept(&self) -> Option<KeptState<'_>> {
        match (self.verdict, &self.commit, &self.tree, &self.measurement) {
            (Verdict::Keep, Some(commit), Some(tree), Some(measurement)) => Some(KeptState {
                commit,
                tree,
                measurement,
            }),
            _ => None,
        }
    }

    /// A verdict without a commit and a measurement.
    #[must_use]
    pub fn without_measurement(intent: &Intent, verdict: Verdict, why: Option<Why>) -> Self {
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
            left_files: Vec::new(),
            jump: false,
            guard_retries: 0,
            suspects: Vec::new(),
            verify_runs: None,
            runs: Vec::new(),
            gain: None,
            cases: None,
            leaves_out: intent.leaves_out,
            picks: intent.picks,
        }
    }

    /// How often verify ran for this verdict. Older versions did not write it down, and measured a jump alone twice.
    #[must_use]
    pub fn count_verify_runs(&self) -> u32 {
        let measured = self.measurement.is_some() || self.verdict == Verdict::Crash;
        let again = u32::from(self.jump && self.samples.is_empty());
        let fresh = u32::try_from(self.samples.len()).unwrap_or(0);
        let usual = if measured { 1 + fresh + again } else { 0 };
        self.verify_runs.unwrap_or(usual)
    }
}

/// A trial has been undone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Close {
    pub trial: u32,
    pub head: CommitId,
    /// The commit that still holds what was undone, where it is another one than that of the verdict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saved: Option<CommitId>,
}

/// A trial was interrupted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interruption {
    pub trial: u32,
    /// What the agent said it changed.
    pub message: String,
    pub head: CommitId,
    /// The commit that still holds what the trial had changed.
    pub saved: Option<CommitId>,
    /// Runs of verify that were cut short with it.
    #[serde(default, skip_serializing_if = "crate::journal::unwritten::is_zero")]
    pub verify_runs: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StrategyRow {
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
    /// The worker of a batch whose turn it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker: Option<WorkerId>,
    /// Is a worker not asked again although it came to no answer?
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub given_up: bool,
}

/// Ceilings that a person changed; what is absent stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Raise {
    pub iterations: Option<u32>,
    /// Time since the start, in milliseconds.
    pub time_limit_ms: Option<u64>,
    pub tokens: Option<u64>,
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
    pub head: HeadTarget,
    /// Did what was kept pass the holdout that waits for the end? Absent where none does, and where it could not be asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holdout: Option<bool>,
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
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Discard => "discard",
            Self::Crash => "crash",
            Self::NoOp => "no-op",
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

    /// Is it the end of a run that came to one of its limits?
    #[must_use]
    pub fn is_ceiling(self) -> bool {
        matches!(self, Self::IterationCap | Self::TimeLimit | Self::Budget)
    }

    /// The word in the log.
    #[must_use]
    pub fn as_str(self) -> &'static str {
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

/// The metrics of a measurement other than the config's own, whose value is this.
#[must_use]
pub fn list_further_metrics(measurement: &Measurement, name: &str) -> BTreeMap<String, Value> {
    let mut metrics = measurement.metrics.clone();
    metrics.remove(name);
    metrics
}

/// Further metrics for people: `tests=41 heap=12`, and how many more there are.
#[must_use]
pub fn format_further_metrics(metrics: &BTreeMap<String, Value>) -> String {
    let mut shown: Vec<String> = metrics
        .iter()
        .take(MOST_METRICS)
        .map(|(key, value)| format!("{}={value}", crate::words::text::escape_text(key)))
        .collect();
    if metrics.len() > MOST_METRICS {
        shown.push(format!("and {} more", metrics.len() - MOST_METRICS));
    }
    shown.join(" ")
}

#[cfg(test)]
mod tests;
