//! Owns `Claim`: what a run gained, measured afresh in clean checkouts of its first and its last commit.
//! Does not measure; it is recorded at the end of a run, and shown by every report.
//! Invariant: a claim is of one commit, and no run that chose a keep is part of it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::decide::gain::GainRange;
use crate::git_names::CommitId;
use crate::metric::value::Value;
use crate::words::text::{escape_text, format_count};

/// Fresh pairs that a noisy metric gets at least: their middle bears one wild run.
pub const LEAST_PAIRS: u32 = 6;
/// And at most.
pub const MOST_PAIRS: u32 = 20;
/// Runs beside the pairs: the first run in each of both trees is no measurement.
pub const WARM_RUNS: u32 = 2;
/// What the least claim needs.
pub const CLAIM_RUNS: u32 = 2 * LEAST_PAIRS + WARM_RUNS;
/// What is kept back for weak keeps beside it: four pairs for one and a first pair for the next, each with two warm trees.
pub const WEAK_RUNS: u32 = 14;

/// What was gained, measured afresh.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The last commit that it is of.
    pub commit: CommitId,
    /// What was gained over the start; none where it could not be measured.
    pub gain: Option<GainRange>,
    /// Pairs of runs, one of each commit; 0 for an exact metric, whose last commit alone was measured again.
    pub pairs: u32,
    /// The mean of the first commit; none for an exact metric.
    pub before: Option<Value>,
    /// The mean of the last commit.
    pub after: Option<Value>,
    /// Runs of verify that it took.
    pub verify_runs: u32,
    /// Why it could not be measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

impl Claim {
    /// One that could not be made.
    #[must_use]
    pub fn without_gain(commit: CommitId, verify_runs: u32, why: String) -> Self {
        Self {
            commit,
            gain: None,
            pairs: 0,
            before: None,
            after: None,
            verify_runs,
            why: Some(why),
        }
    }
}

impl fmt::Display for Claim {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.gain, &self.why) {
            (Some(gain), _) if self.pairs == 0 => write!(
                out,
                "a gain of {} %: a clean checkout of the last commit was measured again",
                gain.gain
            ),
            (Some(gain), _) => write!(
                out,
                "{}, measured afresh in {}",
                gain.describe(),
                format_count(self.pairs, "pair")
            ),
            (None, why) => write!(
                out,
                "not checked in a clean checkout: {}",
                escape_text(why.as_deref().unwrap_or_default())
            ),
        }
    }
}

/// How many pairs show a gain of this size, a share, beside noise of this size: so many that half of the interval is half of
/// the gain, at least six and at most twenty.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to 6..=20"
)]
pub fn choose_pairs(gain: f64, run_spread: f64) -> u32 {
    let needed = 2.0 * (4.0 * run_spread / gain).powi(2);
    if needed.is_nan() {
        return LEAST_PAIRS;
    }
    needed
        .ceil()
        .clamp(f64::from(LEAST_PAIRS), f64::from(MOST_PAIRS)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::sample::make_commit;

    fn claim(pairs: u32, gain: (f64, f64, f64)) -> Claim {
        Claim {
            commit: make_commit(3),
            gain: Some(GainRange::of_shares(gain.0, gain.1, gain.2)),
            pairs,
            before: None,
            after: None,
            verify_runs: 1,
            why: None,
        }
    }

    #[test]
    fn a_claim_says_no_more_than_its_interval() {
        let lost =
            Claim::without_gain(make_commit(3), 1, "verify failed: exit status 1".to_owned());
        let told = [
            claim(6, (0.041, 0.032, 0.05)),
            claim(6, (0.01, -0.01, 0.03)),
            claim(20, (-0.04, -0.06, -0.02)),
            claim(0, (0.25, 0.25, 0.25)),
            lost,
        ]
        .map(|claim| claim.to_string());
        insta::assert_snapshot!(told.join("\n"), @"
        a gain of 4.1 % (3.2 to 5), 95 % interval, measured afresh in 6 pairs
        cannot be told from nothing: 1 % (-1 to 3), 95 % interval, measured afresh in 6 pairs
        a loss: -4 % (-6 to -2), 95 % interval, measured afresh in 20 pairs
        a gain of 25 %: a clean checkout of the last commit was measured again
        not checked in a clean checkout: verify failed: exit status 1
        ");
    }

    #[test]
    fn pairs_follow_from_the_noise_and_the_gain() {
        assert_eq!(choose_pairs(0.1, 0.01), LEAST_PAIRS);
        assert_eq!(choose_pairs(0.02, 0.01), 8);
        assert_eq!(choose_pairs(0.001, 0.01), MOST_PAIRS);
        assert_eq!(choose_pairs(0.0, 0.0), LEAST_PAIRS);
        assert_eq!(choose_pairs(0.0, 0.01), MOST_PAIRS);
    }
}
