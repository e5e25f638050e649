//! Owns `GainRange`: how much better a tree is than another, with its interval, as people and records are told it.
//! Does not compute it; `evidence` does.
//! Invariant: its digits end where its interval begins to be a guess.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::decide::evidence::ClaimedGain;
use crate::decide::evidence::rule::KnownGain;
use crate::metric::value::Value;

/// More digits behind the point are not shown, however narrow the interval is.
const MOST_PLACES: f64 = 4.0;
/// A gain of more per cent is as good as this one.
const MOST: f64 = 1e12;

/// A gain in per cent of the value that it was compared with. Above zero is better. `low` and `high` are the ends of the
/// interval that holds the true gain in 95 of 100 cases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GainRange {
    pub gain: Value,
    pub low: Value,
    pub high: Value,
}

impl GainRange {
    /// A range from shares: a tenth is ten per cent.
    #[must_use]
    pub fn of_shares(gain: f64, low: f64, high: f64) -> Self {
        let places = find_places((high - low) * 50.0);
        let percent = |share: f64| round_percent(share * 100.0, places);
        Self {
            gain: percent(gain),
            low: percent(low),
            high: percent(high),
        }
    }

    /// Is it better, whatever within the interval is true?
    #[must_use]
    pub fn is_gain(&self) -> bool {
        self.low > Value::zero()
    }

    /// Is it not better, whatever within the interval is true?
    #[must_use]
    pub fn is_loss(&self) -> bool {
        self.high < Value::zero()
    }

    /// What the interval says, in words: a gain, a loss, or neither.
    #[must_use]
    pub fn describe(&self) -> String {
        let word = if self.is_gain() {
            "a gain of"
        } else if self.is_loss() {
            "a loss:"
        } else {
            "cannot be told from nothing:"
        };
        format!("{word} {self}, 95 % interval")
    }
}

impl From<&KnownGain> for GainRange {
    fn from(known: &KnownGain) -> Self {
        Self::of_shares(known.gain, known.low, known.high)
    }
}

impl From<&ClaimedGain> for GainRange {
    fn from(claim: &ClaimedGain) -> Self {
        Self::of_shares(claim.gain, claim.low, claim.high)
    }
}

impl fmt::Display for GainRange {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} % ({} to {})", self.gain, self.low, self.high)
    }
}

/// The digits behind the point that show half of an interval, in per cent, with two digits.
fn find_places(half_width: f64) -> f64 {
    if half_width > 0.0 {
        (1.0 - half_width.log10().floor()).clamp(0.0, MOST_PLACES)
    } else {
        2.0
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "clamped to a handful of places"
)]
fn round_percent(percent: f64, places: f64) -> Value {
    let bounded = if percent.is_nan() {
        0.0
    } else {
        percent.clamp(-MOST, MOST)
    };
    let exact: Value = format!("{bounded:.6}")
        .parse()
        .unwrap_or_else(|_| Value::zero());
    exact.round_to(places as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_interval_on_one_side_of_nothing_is_called_a_gain_or_a_loss() {
        for (low, high, told) in [
            (0.01, 0.03, "a gain of 2 % (1 to 3), 95 % interval"),
            (-0.03, -0.01, "a loss: -2 % (-3 to -1), 95 % interval"),
            (
                -0.01,
                0.03,
                "cannot be told from nothing: 1 % (-1 to 3), 95 % interval",
            ),
        ] {
            let range = GainRange::of_shares(f64::midpoint(low, high), low, high);
            assert_eq!(range.describe(), told);
        }
    }

    #[test]
    fn digits_end_where_the_noise_begins() {
        let shown = |gain, low, high| GainRange::of_shares(gain, low, high).to_string();
        assert_eq!(shown(0.041_23, 0.032_1, 0.049_8), "4.12 % (3.21 to 4.98)");
        assert_eq!(shown(0.041_23, -0.1, 0.2), "4 % (-10 to 20)");
        assert_eq!(shown(0.25, 0.25, 0.25), "25 % (25 to 25)");
        assert_eq!(
            shown(f64::NAN, f64::NEG_INFINITY, f64::INFINITY),
            "0 % (-1000000000000 to 1000000000000)"
        );
    }

    #[test]
    fn only_an_interval_on_one_side_tells() {
        let range = |low, high| GainRange::of_shares(0.01, low, high);
        assert!(range(0.001, 0.1).is_gain() && !range(0.0, 0.1).is_gain());
        assert!(range(-0.1, -0.001).is_loss() && !range(-0.1, 0.001).is_loss());
    }
}
