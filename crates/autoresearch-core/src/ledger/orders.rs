//! Owns what can be asked of a ledger, as plain data: a command does it at once, or a hook at the end of a turn.
//! Does not do it.
//! Invariant: no order holds evidence, only where to look for it.

use serde::{Deserialize, Serialize};

use crate::ledger::evidence::Expectation;
use crate::ledger::hypothesis::Outcome;
use crate::ledger::opening::LedgerLimits;

/// What is asked of the search for a cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DebugOrder {
    /// Open one.
    Open {
        symptom: String,
        limits: LedgerLimits,
    },
    /// Add what could be the cause.
    Add { message: String, predicts: String },
    /// Say what became of a hypothesis.
    Result(Box<ClaimedResult>),
    /// Give it up.
    Stop { message: String },
}

/// What is claimed of a hypothesis, and where the evidence is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimedResult {
    pub hypothesis: u32,
    pub outcome: Outcome,
    pub message: String,
    pub places: Vec<ClaimedPlace>,
    pub experiment: Option<PlannedExperiment>,
}

/// A place in a file, with what is said to stand there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimedPlace {
    pub path: String,
    /// From 1.
    pub line: u32,
    pub quote: String,
}

/// A command, and what it is expected to show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedExperiment {
    pub command: String,
    pub expects: Expectation,
    pub runs: u32,
    /// In so many runs it has to be as expected.
    pub at_least: u32,
    /// How long a run may take.
    pub timeout_ms: u64,
}

/// What a session registered for the end of its turn, in this order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisteredOrders {
    pub session: String,
    pub orders: Vec<DebugOrder>,
}

impl ClaimedPlace {
    /// Reads `PATH:LINE`.
    pub fn parse(place: &str, quote: &str) -> Result<Self, String> {
        let read = place.rsplit_once(':').and_then(|(path, line)| {
            let line = line.parse().ok().filter(|line| *line > 0)?;
            (!path.is_empty()).then_some((path, line))
        });
        let (path, line) = read.ok_or_else(|| {
            format!("`{place}` is no place: PATH:LINE is meant, such as src/api.rs:12")
        })?;
        Ok(Self {
            path: path.to_owned(),
            line,
            quote: quote.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_path_and_a_line() {
        for (text, path, line) in [("src/a.rs:12", "src/a.rs", 12), ("a:b:1", "a:b", 1)] {
            let place = ClaimedPlace::parse(text, "q").unwrap();
            assert_eq!((place.path.as_str(), place.line), (path, line));
        }
        for text in ["", "a", ":1", "a:", "a:0", "a:-1", "a:1x", "a:99999999999"] {
            assert!(ClaimedPlace::parse(text, "q").is_err(), "{text}");
        }
    }
}
