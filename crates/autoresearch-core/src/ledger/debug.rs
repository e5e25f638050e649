//! Owns `DebugLedger`: the search for a cause as hypotheses with their results, and where it ends.
//! Does not see evidence; it is handed what was seen.
//! Invariant: no hypothesis is confirmed or disproven without evidence, and what is decided stays so.

use std::fmt;

use serde::Serialize;

use crate::journal::event::{Event, Record};
use crate::journal::ledger::Ledger;
use crate::journal::state::FoldError;
use crate::ledger::hypothesis::{Hypothesis, HypothesisResult, Outcome};
use crate::ledger::opening::Opening;
use crate::words::text::{escape_text, format_count};

/// How a search has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DebugEnd {
    /// A cause is confirmed.
    Confirmed,
    /// All hypotheses that its limit allows were looked at.
    Cap,
    /// Too many results in a row led nowhere.
    NoLead,
    /// Somebody stopped it.
    Stopped,
}

impl DebugEnd {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Cap => "cap",
            Self::NoLead => "no-lead",
            Self::Stopped => "stopped",
        }
    }
}

/// A hypothesis with its results.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HypothesisStory {
    #[serde(flatten)]
    pub hypothesis: Hypothesis,
    pub results: Vec<HypothesisResult>,
}

/// `1 hypothesis`, `3 hypotheses`.
#[must_use]
pub fn count_hypotheses(count: u32) -> String {
    let word = if count == 1 {
        "hypothesis"
    } else {
        "hypotheses"
    };
    format!("{count} {word}")
}

impl HypothesisStory {
    /// What is known of it now; `None` while nothing is.
    #[must_use]
    pub fn outcome(&self) -> Option<Outcome> {
        self.results.last().map(|result| result.outcome)
    }
}

/// The search for a cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DebugLedger {
    pub opening: Opening,
    pub hypotheses: Vec<HypothesisStory>,
    /// Why it was stopped.
    pub stopped: Option<String>,
    /// Results in a row that are neither a cause nor a lead.
    fruitless: u32,
}

/// Why something cannot be recorded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DebugRefusal {
    #[error("the search has ended: {0}")]
    Ended(String),
    #[error("there is no hypothesis {number}: there are {there}")]
    Unknown { number: u32, there: u32 },
    #[error("hypothesis {number} is {outcome} already")]
    Decided { number: u32, outcome: &'static str },
    #[error("`{0}` takes evidence: a place in a file, or a command that was run")]
    Unproven(&'static str),
    #[error("{} hypotheses are open or looked at, and the limit is as many", .0)]
    Full(u32),
}

impl DebugLedger {
    /// The search that these records make.
    pub fn from_records(records: &[Record]) -> Result<Self, (u64, FoldError)> {
        let refuse = |event: &'static str| (0, FoldError { event });
        let (first, rest) = records.split_first().ok_or_else(|| refuse("nothing"))?;
        let Event::Opening(opening) = &first.event else {
            return Err(refuse(first.event.as_str()));
        };
        let mut ledger = Self {
            opening: (**opening).clone(),
            hypotheses: Vec::new(),
            stopped: None,
            fruitless: 0,
        };
        ledger.take_records(rest)?;
        Ok(ledger)
    }

    /// How it has ended, if it has.
    #[must_use]
    pub fn find_end(&self) -> Option<DebugEnd> {
        let limits = self.opening.limits;
        let is_full = self.count() >= limits.hypotheses;
        if self.find_cause().is_some() {
            Some(DebugEnd::Confirmed)
        } else if self.stopped.is_some() {
            Some(DebugEnd::Stopped)
        } else if self.fruitless >= limits.fruitless {
            Some(DebugEnd::NoLead)
        } else if is_full && self.find_open().is_none() {
            Some(DebugEnd::Cap)
        } else {
            None
        }
    }

    /// The hypothesis that is the cause.
    #[must_use]
    pub fn find_cause(&self) -> Option<&HypothesisStory> {
        let mut stories = self.hypotheses.iter();
        stories.find(|story| story.outcome() == Some(Outcome::Confirmed))
    }

    /// The first hypothesis of which nothing is known.
    #[must_use]
    pub fn find_open(&self) -> Option<&HypothesisStory> {
        let mut stories = self.hypotheses.iter();
        stories.find(|story| story.results.is_empty())
    }

    /// How many hypotheses there are.
    #[must_use]
    pub fn count(&self) -> u32 {
        u32::try_from(self.hypotheses.len()).unwrap_or(u32::MAX)
    }

    /// The number of the next hypothesis, where one may be added.
    pub fn next_number(&self) -> Result<u32, DebugRefusal> {
        self.refuse_ended()?;
        let count = self.count();
        if count >= self.opening.limits.hypotheses {
            return Err(DebugRefusal::Full(count));
        }
        Ok(count + 1)
    }

    /// May this be recorded of a hypothesis, with so much evidence?
    pub fn check_result(
        &self,
        number: u32,
        outcome: Outcome,
        evidence: usize,
    ) -> Result<(), DebugRefusal> {
        self.refuse_ended()?;
        let there = self.count();
        let story = usize::try_from(number)
            .ok()
            .and_then(|number| number.checked_sub(1));
        let story = story.and_then(|index| self.hypotheses.get(index));
        let story = story.ok_or(DebugRefusal::Unknown { number, there })?;
        if let Some(outcome) = story.outcome().filter(|outcome| outcome.decides()) {
            let outcome = outcome.as_str();
            return Err(DebugRefusal::Decided { number, outcome });
        }
        if outcome.decides() && evidence == 0 {
            return Err(DebugRefusal::Unproven(outcome.as_str()));
        }
        Ok(())
    }

    /// Refuses more where it has ended.
    pub fn refuse_ended(&self) -> Result<(), DebugRefusal> {
        match self.describe_end() {
            Some(end) => Err(DebugRefusal::Ended(end)),
            None => Ok(()),
        }
    }

    /// How it has ended, in a sentence.
    #[must_use]
    pub fn describe_end(&self) -> Option<String> {
        let limits = self.opening.limits;
        Some(match self.find_end()? {
            DebugEnd::Confirmed => {
                let cause = self.find_cause()?;
                let hypothesis = &cause.hypothesis;
                format!(
                    "the cause is confirmed, hypothesis {}: {}",
                    hypothesis.number,
                    escape_text(&hypothesis.message)
                )
            }
            DebugEnd::Cap => format!(
                "all of {} were looked at",
                count_hypotheses(limits.hypotheses)
            ),
            DebugEnd::NoLead => format!(
                "{} in a row led nowhere",
                format_count(limits.fruitless, "result")
            ),
            DebugEnd::Stopped => {
                let why = self.stopped.as_deref().unwrap_or_default();
                format!("it was stopped: {}", escape_text(why))
            }
        })
    }

    fn take_result(&mut self, result: &HypothesisResult) -> bool {
        let checked = self.check_result(result.hypothesis, result.outcome, result.evidence.len());
        let index = usize::try_from(result.hypothesis)
            .unwrap_or_default()
            .wrapping_sub(1);
        let story = self.hypotheses.get_mut(index).filter(|_| checked.is_ok());
        let Some(story) = story else {
            return false;
        };
        story.results.push(result.clone());
        self.fruitless = match result.outcome {
            Outcome::Confirmed | Outcome::Lead => 0,
            Outcome::Disproven | Outcome::Inconclusive => self.fruitless + 1,
        };
        true
    }
}

impl<'r> Ledger<'r> for DebugLedger {
    type Refusal = FoldError;

    fn take_record(&mut self, record: &'r Record) -> Result<(), FoldError> {
        let follows = match &record.event {
            Event::Hypothesis(hypothesis) if self.next_number() == Ok(hypothesis.number) => {
                self.hypotheses.push(HypothesisStory {
                    hypothesis: hypothesis.clone(),
                    results: Vec::new(),
                });
                true
            }
            Event::Result(result) => self.take_result(result),
            Event::Closing(closing) if self.refuse_ended().is_ok() => {
                self.stopped = Some(closing.message.clone());
                true
            }
            _ => false,
        };
        if follows {
            Ok(())
        } else {
            Err(FoldError {
                event: record.event.as_str(),
            })
        }
    }
}

impl fmt::Display for HypothesisStory {
    /// `2 disproven  the cache is stale`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outcome = self.outcome().map_or("open", Outcome::as_str);
        let Hypothesis {
            number, message, ..
        } = &self.hypothesis;
        write!(out, "{number:>2} {outcome:<12} {}", escape_text(message))
    }
}

#[cfg(test)]
pub(crate) mod tests;
