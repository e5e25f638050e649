//! Owns the form of a line `METRIC_CASE <id> <value>`.
//! Does not find such lines in an output, and does not know which way is better.
//! Invariant: an id is one word that a terminal shows as it is.

use crate::metric::definition::Direction;
use crate::metric::value::Value;
use crate::words::text::is_unsafe_mark;

/// The most cases that one run of verify may print.
pub const MAX_CASES: usize = 1_000;
/// The longest id, in bytes.
pub const MAX_ID: usize = 200;
/// What begins the line of a case.
pub const CASE_WORD: &str = "METRIC_CASE";

/// What a line says of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CaseResult {
    Number(Value),
    Pass,
    Fail,
}

/// Why a line that begins like that of a case is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CaseError {
    #[error("does not give a case: print `METRIC_CASE <id> <value>`")]
    NoValue,
    #[error("has more than an id and a value: an id has no white space, and a value no unit")]
    TooManyWords,
    #[error("has an id of more than {MAX_ID} bytes: shorten it")]
    LongId,
    #[error("has a character in its id that a terminal does not show: take it out")]
    HiddenLetter,
    #[error("has no usable value: print a number, `pass` or `fail`")]
    BadValue,
    #[error(
        "gives a case that was printed before: each case needs an id of its own, such as its file and its name"
    )]
    Twice,
    #[error(
        "is one case too many: at most {MAX_CASES} are read; print one for each group of cases, or only those that matter"
    )]
    TooMany,
}

impl CaseResult {
    /// A case that passes is better than one that fails, whichever way is: each is a share of what the metric counts.
    #[must_use]
    pub fn to_value(&self, direction: Direction) -> Value {
        let one_if = |counted: bool| Value::from(i64::from(counted));
        match self {
            Self::Number(value) => value.clone(),
            Self::Pass => one_if(direction == Direction::Higher),
            Self::Fail => one_if(direction == Direction::Lower),
        }
    }
}

/// Reads a line that may be that of a case; `None` where it does not begin like one.
#[must_use]
pub fn parse_case_line(line: &str) -> Option<Result<(&str, CaseResult), CaseError>> {
    let rest = line.trim().strip_prefix(CASE_WORD)?;
    let is_word = rest.is_empty() || rest.starts_with(char::is_whitespace);
    is_word.then(|| parse_case(rest))
}

fn parse_case(text: &str) -> Result<(&str, CaseResult), CaseError> {
    let mut words = text.split_whitespace();
    let (Some(id), Some(value)) = (words.next(), words.next()) else {
        return Err(CaseError::NoValue);
    };
    if words.next().is_some() {
        return Err(CaseError::TooManyWords);
    }
    if id.len() > MAX_ID {
        return Err(CaseError::LongId);
    }
    if id
        .chars()
        .any(|letter| letter.is_control() || is_unsafe_mark(letter))
    {
        return Err(CaseError::HiddenLetter);
    }
    let result = match value {
        "pass" => CaseResult::Pass,
        "fail" => CaseResult::Fail,
        number => CaseResult::Number(number.parse().map_err(|_| CaseError::BadValue)?),
    };
    Ok((id, result))
}
