//! Owns `LineCoverage`: how many lines a coverage report calls covered, and how many there are.
//! Does not know the forms of reports.
//! Invariant: a line counts once, however often a report names it.

use std::collections::BTreeMap;

use crate::metric::value::Value;

/// The lines of a report. Of Go's profile these are statements: it knows no lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LineCoverage {
    pub covered: u64,
    pub lines: u64,
}

/// Why a report says nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CoverageError {
    #[error(
        "is not a coverage report that is known: lcov, Cobertura, Clover or JaCoCo XML, Istanbul or coverage.py JSON, `llvm-cov export`, Go's cover profile"
    )]
    Unknown,
    /// It begins like one, and goes on otherwise.
    #[error("is damaged: {0}")]
    Damaged(String),
    #[error("names no line: is anything instrumented?")]
    Empty,
}

impl LineCoverage {
    /// In per cent, with as many places as it takes to see one line.
    #[must_use]
    pub fn to_percent(self) -> Value {
        let [covered, lines] = [self.covered, self.lines]
            .map(|count| Value::from(i64::try_from(count).unwrap_or(i64::MAX)));
        let places = i64::try_from(self.lines.to_string().len()).unwrap_or(i64::MAX);
        Value::from(100)
            .times_ratio(&covered, &lines)
            .round_to(places.max(2))
    }
}

/// Lines by file, each counted once: covered where any mention of it is.
#[derive(Debug, Default)]
pub(super) struct LineTally(BTreeMap<String, BTreeMap<u64, bool>>);

impl LineTally {
    pub(super) fn note_line(&mut self, file: &str, line: u64, is_covered: bool) {
        let lines = match self.0.get_mut(file) {
            Some(lines) => lines,
            None => self.0.entry(file.to_owned()).or_default(),
        };
        *lines.entry(line).or_default() |= is_covered;
    }

    pub(super) fn count_lines(&self) -> LineCoverage {
        let all = || self.0.values().flat_map(BTreeMap::values);
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        LineCoverage {
            covered: count(all().filter(|covered| **covered).count()),
            lines: count(all().count()),
        }
    }
}
