//! Owns what is recorded of a hypothesis, and what can become of it.
//! Does not decide whether it may be recorded; `debug` does.
//! Invariant: a result holds its evidence.

use serde::{Deserialize, Serialize};

use crate::ledger::evidence::Evidence;

/// What could be the cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hypothesis {
    /// From 1.
    pub number: u32,
    pub message: String,
    /// What would be seen if it were true, and not otherwise.
    pub predicts: String,
}

/// What became of a hypothesis.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HypothesisResult {
    pub hypothesis: u32,
    pub outcome: Outcome,
    /// What it says.
    pub message: String,
    pub evidence: Vec<Evidence>,
}

/// How a hypothesis came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It is the cause.
    Confirmed,
    /// It is not.
    Disproven,
    /// It cannot be told.
    Inconclusive,
    /// It is not the cause, and leads on.
    Lead,
}

impl Outcome {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Disproven => "disproven",
            Self::Inconclusive => "inconclusive",
            Self::Lead => "lead",
        }
    }

    /// Does it decide a hypothesis, so that it takes evidence?
    #[must_use]
    pub fn decides(self) -> bool {
        matches!(self, Self::Confirmed | Self::Disproven)
    }
}

/// The search ends before there is a cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closing {
    /// Why.
    pub message: String,
}
