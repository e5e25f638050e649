//! Owns `MatchPattern`: a regular expression whose matches are counted.
//! Does not open the files.
//! Invariant: it takes time in proportion to the text, and never matches nothing.

use regex::bytes::{Regex, RegexBuilder};

/// A regular expression; `^` and `$` are the ends of a line.
#[derive(Clone, Debug)]
pub struct MatchPattern(Regex);

/// Why a text cannot be counted by.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    #[error("`{pattern}` is not a regular expression: {reason}")]
    Syntax { pattern: String, reason: String },
    #[error("`{0}` matches an empty text, so it would match between any two letters")]
    Empty(String),
}

impl MatchPattern {
    pub fn new(pattern: &str) -> Result<Self, PatternError> {
        let built = RegexBuilder::new(pattern).multi_line(true).build();
        let regex = built.map_err(|error| PatternError::Syntax {
            pattern: pattern.to_owned(),
            // The last line says what is wrong; those before draw where.
            reason: error
                .to_string()
                .lines()
                .last()
                .unwrap_or_default()
                .trim_start_matches("error: ")
                .to_owned(),
        })?;
        if regex.is_match(b"") {
            return Err(PatternError::Empty(pattern.to_owned()));
        }
        Ok(Self(regex))
    }

    /// How often it matches, without overlaps.
    #[must_use]
    pub fn count_in(&self, bytes: &[u8]) -> u64 {
        let matches = self.0.find_iter(bytes).filter(|found| !found.is_empty());
        u64::try_from(matches.count()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_are_counted_by_line_and_in_any_bytes() {
        for (pattern, text, count) in [
            ("any", &b"any many ANY"[..], 2),
            ("^any$", b"any\nmany\nany\n", 2),
            (r"\bTODO\b", b"TODO TODOS // TODO", 2),
            ("a.b", b"a\nb a\xffb axb", 1),
            ("(?i)any", b"Any ANY", 2),
            ("x", b"", 0),
        ] {
            let found = MatchPattern::new(pattern).unwrap().count_in(text);
            assert_eq!(found, count, "{pattern}");
        }
    }

    #[test]
    fn what_cannot_be_counted_by_is_refused_in_one_line() {
        for (pattern, error) in [
            ("a(", "`a(` is not a regular expression: unclosed group"),
            (
                "a*",
                "`a*` matches an empty text, so it would match between any two letters",
            ),
        ] {
            assert_eq!(MatchPattern::new(pattern).unwrap_err().to_string(), error);
        }
    }
}
