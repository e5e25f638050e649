//! Owns `Version`: a version as people write it, in a sentence, a tag or a manifest.
//! Does not know where it stands.
//! Invariant: it holds digits, letters, dots and dashes alone, so that it may stand in a command.

use std::cmp::Ordering;
use std::fmt;

/// A version such as `1.2`, `1.2.0` or `1.2.0-rc.1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    numbers: Vec<u64>,
    /// What stands behind the dash.
    pre: Option<String>,
}

/// No version has more parts.
const MOST_PARTS: usize = 4;

/// The version at the end of a word: `v1.2.0`, `app-1.2.0`, `refs/tags/app@1.2.0`.
#[must_use]
pub fn find_version(word: &str) -> Option<Version> {
    let starts = word.match_indices(|letter: char| letter.is_ascii_digit());
    let mut starts = starts.map(|(at, _)| at).filter(|at| {
        let before = word[..*at].chars().next_back();
        before.is_none_or(|letter| !letter.is_ascii_digit() && letter != '.')
    });
    starts.find_map(|at| parse_version(&word[at..]))
}

fn parse_version(text: &str) -> Option<Version> {
    let (numbers, pre) = match text.split_once('-') {
        Some((numbers, pre)) => (numbers, Some(pre)),
        None => (text, None),
    };
    let parts: Option<Vec<u64>> = numbers.split('.').map(|part| part.parse().ok()).collect();
    let numbers = parts.filter(|parts| (2..=MOST_PARTS).contains(&parts.len()))?;
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '.';
    let fits =
        pre.is_none_or(|pre| !pre.is_empty() && pre.len() <= 20 && pre.chars().all(is_plain));
    fits.then(|| Version {
        numbers,
        pre: pre.map(ToOwned::to_owned),
    })
}

impl Version {
    /// As an extended regular expression: `1.2` is `1.2.0` as well.
    #[must_use]
    pub fn to_pattern(&self) -> String {
        let plain = self.to_string().replace('.', "\\.");
        if self.numbers.len() == 2 && self.pre.is_none() {
            plain + "(\\.0)?"
        } else {
            plain
        }
    }

    /// Which of two is the newer one. What comes before a version is older.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Ordering {
        let part = |version: &Self, at: usize| version.numbers.get(at).copied().unwrap_or_default();
        let numbers = (0..MOST_PARTS).map(|at| part(self, at).cmp(&part(other, at)));
        let by_number = numbers.fold(Ordering::Equal, Ordering::then);
        by_number.then_with(|| match (&self.pre, &other.pre) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            (Some(one), Some(two)) => one.cmp(two),
        })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers: Vec<String> = self.numbers.iter().map(ToString::to_string).collect();
        out.write_str(&numbers.join("."))?;
        match &self.pre {
            Some(pre) => write!(out, "-{pre}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_found_in_words_tags_and_manifests() {
        for (word, found) in [
            ("1.2.0", "1.2.0"),
            ("v1.2", "1.2"),
            ("app-2.10.1", "2.10.1"),
            ("web@3.0.0-rc.1", "3.0.0-rc.1"),
            ("release/2024.11", "2024.11"),
        ] {
            assert_eq!(find_version(word).unwrap().to_string(), found, "{word}");
        }
        for word in [
            "",
            "12",
            "v2",
            "1.",
            "1.2.3.4.5",
            "1.2-",
            "1.2-a$(x)",
            "1.x",
            "a.b",
        ] {
            assert_eq!(find_version(word), None, "{word}");
        }
    }

    #[test]
    fn newer_is_by_number_and_what_comes_before_is_older() {
        let ordered = ["0.9.9", "1.0.0-rc.1", "1.0", "1.2.9", "1.10.0", "2.0.0"];
        for pair in ordered.windows(2) {
            let [one, two] = [pair[0], pair[1]].map(|text| find_version(text).unwrap());
            assert_eq!(one.compare(&two), Ordering::Less, "{pair:?}");
            assert_eq!(two.compare(&one), Ordering::Greater, "{pair:?}");
        }
        let [short, long] = ["1.0", "1.0.0"].map(|text| find_version(text).unwrap());
        assert_eq!(short.compare(&long), Ordering::Equal);
    }

    #[test]
    fn a_version_in_a_pattern_is_that_version_alone() {
        let pattern = |text: &str| find_version(text).unwrap().to_pattern();
        assert_eq!(pattern("1.2.0"), r"1\.2\.0");
        assert_eq!(pattern("1.2"), r"1\.2(\.0)?");
        assert_eq!(pattern("1.2-rc.1"), r"1\.2-rc\.1");
    }
}
