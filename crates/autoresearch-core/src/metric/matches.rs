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

/// A line with a match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatchedLine {
    /// The first is 1.
    pub number: usize,
    /// The line; of a long one, what begins shortly before the match.
    pub text: String,
}

/// So many bytes of a line are told, and of these so many before the match.
const TOLD: usize = 400;
const BEFORE: usize = 80;

impl MatchPattern {
    /// The first lines with a match, each once.
    #[must_use]
    pub fn find_lines(&self, bytes: &[u8], most: usize) -> Vec<MatchedLine> {
        let mut found: Vec<MatchedLine> = Vec::new();
        if most == 0 {
            return found;
        }
        let (mut number, mut counted) = (1, 0);
        for matched in self.0.find_iter(bytes).filter(|found| !found.is_empty()) {
            if found.len() == most {
                break;
            }
            let at = matched.start();
            number += bytes[counted..at].split(|byte| *byte == b'\n').count() - 1;
            counted = at;
            if found.last().is_some_and(|last| last.number == number) {
                continue;
            }
            let line = bytes[..at].iter().rposition(|byte| *byte == b'\n');
            let line = line.map_or(0, |end| end + 1);
            let start = if at - line > TOLD - BEFORE {
                at - BEFORE
            } else {
                line
            };
            let told = &bytes[start..bytes.len().min(start + TOLD)];
            let told = told.split(|byte| *byte == b'\n').next().unwrap_or(told);
            let text = String::from_utf8_lossy(told).into_owned();
            found.push(MatchedLine { number, text });
        }
        found
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
    fn the_first_lines_with_a_match_are_found_each_once_with_its_number() {
        let pattern = MatchPattern::new(r"\bany\b").unwrap();
        let lines = pattern.find_lines(b"a\nany: any\r\n\n x any\n\xff any\nany", 3);
        let told: Vec<(usize, &str)> = lines
            .iter()
            .map(|line| (line.number, line.text.as_str()))
            .collect();
        assert_eq!(
            told,
            [(2, "any: any\r"), (4, " x any"), (5, "\u{fffd} any")]
        );
        assert!(pattern.find_lines(b"many", 3).is_empty());
        let whole = MatchPattern::new("a\nb")
            .unwrap()
            .find_lines(b"x\nza\nb", 3);
        assert_eq!((whole[0].number, whole[0].text.as_str()), (2, "za"));
    }

    #[test]
    fn of_a_line_without_an_end_only_what_is_around_the_match_is_told() {
        let long = format!("{}any{}", "x ".repeat(1 << 19), " y".repeat(1 << 19));
        let lines = MatchPattern::new(r"\bany\b")
            .unwrap()
            .find_lines(long.as_bytes(), 3);
        assert_eq!(
            (lines.len(), lines[0].number, lines[0].text.len()),
            (1, 1, TOLD)
        );
        assert_eq!(lines[0].text.find("any"), Some(BEFORE));
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
