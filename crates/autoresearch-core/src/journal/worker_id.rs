//! Owns the name of a worker of a batch: the batch's number and a letter.
//! Does not know what the worker tries.
//! Invariant: a name is written and read in one form.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// At most so many hypotheses are tried at once.
pub const MOST_WORKERS: usize = 3;

/// The letters of workers, in their order.
const LETTERS: [char; MOST_WORKERS] = ['a', 'b', 'c'];

/// A worker of a batch: `5b` is the second one of the batch that trial 5 decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct WorkerId {
    pub batch: u32,
    letter: char,
}

/// A text that names no worker.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` names no worker: it is the number of a batch and a letter from a to c, such as 5b")]
pub struct NoWorker(String);

impl WorkerId {
    /// The workers of a batch, in their order.
    pub fn list_of(batch: u32) -> impl Iterator<Item = Self> {
        LETTERS.iter().map(move |letter| Self {
            batch,
            letter: *letter,
        })
    }

    /// `a`, `b` or `c`.
    #[must_use]
    pub fn letter(self) -> char {
        self.letter
    }

    /// Its place among the workers of its batch, from 0.
    #[must_use]
    pub fn index(self) -> usize {
        let mut letters = LETTERS.iter();
        letters
            .position(|letter| *letter == self.letter)
            .unwrap_or_default()
    }
}

impl fmt::Display for WorkerId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}{}", self.batch, self.letter)
    }
}

impl FromStr for WorkerId {
    type Err = NoWorker;

    fn from_str(text: &str) -> Result<Self, NoWorker> {
        let refused = || NoWorker(crate::words::text::clip_text(text, 40));
        let letter = text.chars().next_back().ok_or_else(refused)?;
        let number = &text[..text.len() - letter.len_utf8()];
        let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
        let batch = number.parse().map_err(|_| refused())?;
        if !is_number || !LETTERS.contains(&letter) {
            return Err(refused());
        }
        Ok(Self { batch, letter })
    }
}

impl From<WorkerId> for String {
    fn from(worker: WorkerId) -> Self {
        worker.to_string()
    }
}

impl TryFrom<String> for WorkerId {
    type Error = NoWorker;

    fn try_from(text: String) -> Result<Self, NoWorker> {
        text.parse()
    }
}
