//! Owns `Opening`: the first record of a ledger that answers a question.
//! Does not hold what is found.
//! Invariant: its id names the anchor, and its limits end the ledger whoever works on it.

use serde::{Deserialize, Serialize};

use crate::git_names::CommitId;

/// What kind of question it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LedgerKind {
    /// Why something goes wrong.
    Debug,
}

impl LedgerKind {
    /// The word, with which the names of its ledgers begin.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
        }
    }
}

/// A question is opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// The format of the journal.
    pub format: u32,
    /// The name of the ledger, such as `debug-1`.
    pub name: String,
    /// A random id, by which the anchor outside the repository is found.
    pub id: String,
    /// The version of the tool that opened it.
    pub version: String,
    pub kind: LedgerKind,
    /// The question: for `debug` the symptom.
    pub subject: String,
    /// The commit of HEAD.
    pub commit: CommitId,
    pub limits: LedgerLimits,
}

/// Where a ledger ends although no answer was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerLimits {
    /// So many hypotheses are looked at.
    pub hypotheses: u32,
    /// So many results in a row may be neither a cause nor a lead.
    pub fruitless: u32,
}

impl Default for LedgerLimits {
    fn default() -> Self {
        Self {
            hypotheses: 20,
            fruitless: 6,
        }
    }
}
