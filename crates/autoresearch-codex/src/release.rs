//! Owns the releases of Codex that this program is tested with, and how another one stands to them.
//! Does not ask Codex for its release.
//! Invariant: the tests install exactly these releases, so the list never claims more than was run.

use std::cmp::Ordering;

/// The releases that the tests run against, oldest first.
pub const TESTED: [&str; 2] = ["0.169.0", "0.171.0"];

/// How a release stands to the tested ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReleaseStanding {
    /// Older than all of them.
    Older,
    /// One of them, or a correction of one.
    Tested,
    /// Between two of them.
    Between,
    /// Newer than all of them.
    Newer,
    /// Its text is not a release.
    Unknown,
}

/// Judges the text of a release, such as `0.171.0` or `0.172.0-alpha.3`.
#[must_use]
pub fn judge_release(text: &str) -> ReleaseStanding {
    let Some(found) = parse_numbers(text) else {
        return ReleaseStanding::Unknown;
    };
    let orders: Vec<Ordering> = TESTED
        .iter()
        .filter_map(|tested| Some(found.cmp(&parse_numbers(tested)?)))
        .collect();
    let all = |order: Ordering| orders.iter().all(|each| *each == order);
    match () {
        () if orders.contains(&Ordering::Equal) => ReleaseStanding::Tested,
        () if all(Ordering::Less) => ReleaseStanding::Older,
        () if all(Ordering::Greater) => ReleaseStanding::Newer,
        () => ReleaseStanding::Between,
    }
}

/// The tested releases, for people.
#[must_use]
pub fn format_tested_releases() -> String {
    TESTED.join(" and ")
}

/// Major and minor number: a third number corrects, and changes nothing that we depend on.
fn parse_numbers(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.split('.');
    Some((
        parts.next()?.parse().ok()?,
        parts.next()?.split('-').next()?.parse().ok()?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_older_tested_between_newer_or_unknown() {
        for (text, release) in [
            ("0.165.0", ReleaseStanding::Older),
            ("0.99.9", ReleaseStanding::Older),
            ("0.169.0", ReleaseStanding::Tested),
            ("0.169.3", ReleaseStanding::Tested),
            ("0.170.0", ReleaseStanding::Between),
            ("0.171.0", ReleaseStanding::Tested),
            ("0.172.0-alpha.3", ReleaseStanding::Newer),
            ("1.0.0", ReleaseStanding::Newer),
            ("nightly", ReleaseStanding::Unknown),
            ("", ReleaseStanding::Unknown),
        ] {
            assert_eq!(judge_release(text), release, "{text}");
        }
    }

    #[test]
    fn the_tested_releases_are_in_order() {
        let all = TESTED.map(parse_numbers);
        assert!(all.iter().all(Option::is_some) && all.is_sorted());
    }

    #[test]
    fn texts_that_are_nearly_releases_are_unknown() {
        for text in [
            "0",
            "0.",
            ".171",
            "0.x.1",
            "v0.171.0",
            "0.-1.0",
            "0.171x.0",
            "0.99999999999.0",
        ] {
            assert_eq!(judge_release(text), ReleaseStanding::Unknown, "{text}");
        }
        assert_eq!(format_tested_releases(), TESTED.join(" and "));
    }
}
