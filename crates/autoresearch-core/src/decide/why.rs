//! Owns the reasons for which a trial is not kept, and how a command failed.
//! Does not find them; the judge and the use cases do.
//! Invariant: a reason prints as a fragment that an agent can act on, and names what it is about.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::decide::gain::GainRange;
use crate::decide::gaming::Suspicion;
use crate::decide::muting::Suppression;
use crate::journal::worker_id::WorkerId;
use crate::metric::value::Value;
use crate::words::text::format_count;

/// How a command ended, other than well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CommandFailure {
    /// It was ended at its deadline.
    Timeout {
        /// The deadline, in milliseconds.
        limit_ms: u64,
    },
    /// It exited with a status that is not in `ok_exit`.
    Exit { status: i32 },
    /// A signal ended it.
    Signal { signal: i32 },
    /// It printed more than is kept, and was ended.
    Flood {
        /// The limit in bytes.
        limit: u64,
    },
    /// It could not be started.
    Start { error: String },
}

impl fmt::Display for CommandFailure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Timeout { limit_ms } => {
                write!(
                    out,
                    "timed out after {}",
                    crate::config::span::format_span(std::time::Duration::from_millis(*limit_ms))
                )
            }
            Self::Exit { status: 127 } => out.write_str("exit status 127 (command not found)"),
            Self::Exit { status } => write!(out, "exit status {status}"),
            Self::Signal { signal } => write!(out, "killed by signal {signal}"),
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
        /// Runs of the kept state that were made.
        #[serde(default, skip_serializing_if = "crate::journal::unwritten::is_zero")]
        incumbent_runs: u32,
        /// What is known of the gain; absent in runs of older versions.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        gain: Option<Box<GainRange>>,
    },
    /// An exact metric was better, and a second run of the same commit gave another number.
    NotRepeated {
        /// What the first run gave.
        first: Value,
        /// What the second run gave.
        second: Value,
    },
    /// A condition of `keep_when` does not hold.
    KeepWhen(String),
    /// A required label is missing.
    MissingLabel(String),
    GuardFailed(CommandFailure),
    /// Protected or pinned files were changed.
    Protected(Vec<String>),
    /// Files outside the scope were changed.
    OutOfScope(Vec<String>),
    /// Files of a kind that a trial cannot contain: submodules, nested repositories, names that are not UTF-8.
    Unsupported(Vec<String>),
    /// Files changed while verify or guard ran.
    ChangedDuringVerify(Vec<String>),
    /// An agent moved HEAD in the run's own work tree: it committed, switched or reset.
    HeadMoved(String),
    /// The work tree of a batch is at another commit than the batch.
    OtherHead,
    /// A git hook of the repository refused the commit.
    HookRefused(String),
    VerifyFailed(CommandFailure),
    /// The command that must succeed before anything is measured did not.
    CheckFailed(CommandFailure),
    /// Verify gave no usable number.
    NoMetric(String),
    /// The measurement was cut short, as the last of so many in a row.
    CutShort(u32),
    /// Nothing in the scope had changed.
    NothingChanged,
    /// The agent gave the trial up.
    Dropped,
    /// Its changes could not be brought onto the kept state: these files stand in the way.
    Conflict(Vec<String>),
    /// No worker of the batch improved.
    NoneImproved(Vec<WorkerId>),
    /// It would be kept, and its code games a measurement in a way that nobody allowed.
    Suspect(Vec<Suspicion>),
    /// It mutes findings instead of fixing them.
    Muted(Vec<Suppression>),
    /// The holdout failed or fell. How is not said: each figure would be a hint at what nobody is to see.
    Holdout,
}

impl Why {
    /// Was what stood in the work tree no change that can be a trial: not of exactly the files in the scope, or one that mutes
    /// what is counted? Then it is void.
    #[must_use]
    pub fn is_void(&self) -> bool {
        matches!(
            self,
            Self::Protected(_)
                | Self::OutOfScope(_)
                | Self::Unsupported(_)
                | Self::ChangedDuringVerify(_)
                | Self::HeadMoved(_)
                | Self::Muted(_)
        )
    }

    /// The reason as one word, for the log and for programs.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::WorseMetric => "worse-metric",
            Self::Tie => "tie",
            Self::BelowMinimum => "below-minimum",
            Self::CannotTell { .. } => "cannot-tell",
            Self::NotRepeated { .. } => "not-repeated",
            Self::KeepWhen(_) => "keep-when",
            Self::MissingLabel(_) => "missing-label",
            Self::GuardFailed(_) => "guard-failed",
            Self::Protected(_) => "protected",
            Self::OutOfScope(_) => "out-of-scope",
            Self::Unsupported(_) => "unsupported",
            Self::ChangedDuringVerify(_) => "changed-during-verify",
            Self::HeadMoved(_) => "head-moved",
            Self::OtherHead => "other-head",
            Self::HookRefused(_) => "hook-refused",
            Self::VerifyFailed(CommandFailure::Timeout { .. }) => "timeout",
            Self::VerifyFailed(_) => "verify-failed",
            Self::CheckFailed(_) => "check-failed",
            Self::NoMetric(_) => "no-metric",
            Self::CutShort(_) => "cut-short",
            Self::NothingChanged => "nothing-changed",
            Self::Dropped => "dropped",
            Self::Conflict(_) => "conflict",
            Self::NoneImproved(_) => "none-improved",
            Self::Suspect(_) => "suspect",
            Self::Muted(_) => "muted",
            Self::Holdout => "holdout",
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WorseMetric => out.write_str("the metric is not better"),
            Self::Tie => out.write_str("the metric is equal"),
            Self::BelowMinimum => out.write_str("the improvement is below min_improvement"),
            Self::CannotTell {
                runs,
                needed,
                incumbent_runs,
                gain,
            } => write_doubt(out, (*runs, *incumbent_runs, *needed), gain.as_deref()),
            Self::NotRepeated { first, second } => write!(
                out,
                "verify gave {first}, and in a second run of the same commit {second}"
            ),
            Self::KeepWhen(condition) => write!(out, "keep_when `{condition}` does not hold"),
            Self::MissingLabel(label) => write!(out, "the label `{label}` is required for a keep"),
            Self::GuardFailed(failure) => write!(out, "the guard failed: {failure}"),
            Self::Protected(files) => {
                write!(out, "protected files were changed: {}", FileList(files))
            }
            Self::OutOfScope(files) => write!(
                out,
                "files outside the scope were changed: {}",
                FileList(files)
            ),
            Self::Unsupported(files) => write!(out, "a trial cannot contain: {}", FileList(files)),
            Self::ChangedDuringVerify(files) => {
                write!(out, "files changed while verify ran: {}", FileList(files))
            }
            Self::OtherHead => out.write_str(
                "git was used in its tree, which is not at the commit of the batch any more",
            ),
            Self::HeadMoved(what) => write!(
                out,
                "git was used during the turn, so HEAD was moved back: {what}"
            ),
            Self::HookRefused(output) => write!(out, "a git hook refused the commit: {output}"),
            Self::VerifyFailed(failure) => write!(out, "verify failed: {failure}"),
            Self::CheckFailed(failure) => write!(out, "the check before verify failed: {failure}"),
            Self::NoMetric(reason) => out.write_str(reason),
            Self::CutShort(times) => write!(
                out,
                "{times} measurements in a row were interrupted: something ends the tool while verify or guard runs"
            ),
            Self::NothingChanged => out.write_str("no file in the scope was changed"),
            Self::Dropped => out.write_str("the agent gave up the trial"),
            Self::Conflict(files) => write!(
                out,
                "its changes do not fit onto the kept state: {}",
                FileList(files)
            ),
            Self::NoneImproved(workers) => {
                let names: Vec<String> = workers.iter().map(ToString::to_string).collect();
                write!(out, "none of {} improved", names.join(", "))
            }
            Self::Suspect(found) => write_suspicions(out, found),
            Self::Muted(found) => write_suppressions(out, found),
            Self::Holdout => out.write_str("a check that is not shown did not pass"),
        }
    }
}

/// How far the runs tell, and how many would. A gain that is not above zero is not asked for.
fn write_doubt(
    out: &mut fmt::Formatter<'_>,
    (runs, incumbent_runs, needed): (u32, u32, u32),
    gain: Option<&GainRange>,
) -> fmt::Result {
    let Some(range) = gain else {
        return write!(
            out,
            "the noise is larger than the difference after {runs} fresh runs; about {needed} would be needed"
        );
    };
    write!(out, "cannot be told from noise: a gain of {range} after ")?;
    write!(out, "{}", format_count(runs, "run"))?;
    if incumbent_runs > 0 {
        write!(out, " and {incumbent_runs} of the kept state")?;
    }
    if range.gain > Value::zero() {
        write!(out, "; about {needed} of each would tell it")?;
    }
    Ok(())
}

/// The places, and what to do about them.
fn write_suspicions(out: &mut fmt::Formatter<'_>, found: &[Suspicion]) -> fmt::Result {
    let places: Vec<String> = found.iter().map(ToString::to_string).collect();
    let patterns: BTreeSet<&str> = found.iter().map(|place| place.pattern.as_str()).collect();
    let patterns = patterns.into_iter().collect::<Vec<_>>().join(", ");
    write!(
        out,
        "it may game the measurement: {}; improve the code without it, or a person allows it for a new run with `allow_suspect: [{patterns}]`",
        FileList(&places)
    )
}

/// The places with what was added there, and what to do instead. A message is clipped: the remedy stands first.
fn write_suppressions(out: &mut fmt::Formatter<'_>, found: &[Suppression]) -> fmt::Result {
    let places: Vec<String> = found.iter().map(ToString::to_string).collect();
    write!(
        out,
        "it mutes findings: fix their cause without this, or ask the person for `suppressions: allow` in a new run: {}",
        FileList(&places)
    )
}

/// A list of files that stays short in a message.
struct FileList<'a>(&'a [String]);

impl fmt::Display for FileList<'_> {
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

#[cfg(test)]
mod journal_tests;
#[cfg(test)]
mod tests;
