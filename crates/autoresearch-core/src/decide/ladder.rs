//! Owns the ladder out of a dead end: refine, pivot, search, and at last a person.
//! Does not know what the trials were about.
//! Invariant: what is due is a function of the counts alone, so it cannot be forgotten.

use serde::{Deserialize, Serialize};

/// Failed trials in a row after which the strategy is refined.
const REFINE_AT: u32 = 3;
/// Failed trials in a row after which the strategy is abandoned.
const PIVOT_AT: u32 = 5;
/// Pivots without a keep after which a person is needed.
const HELP_AT: u32 = 3;

/// Undecided trials in a row after which something larger is advised.
const ADVISE_AT: u32 = 4;
/// Undecided trials without a keep after which a person is needed. Where one trial in twelve is kept, a run of as many without
/// one comes about by chance in one case of 30; a strict ladder ended 86 to 100 % of noisy runs early.
const UNDECIDED_AT: u32 = 40;

/// A strategy row of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Strategy {
    /// Adjust within the strategy.
    Refine,
    /// Abandon the strategy and choose another.
    Pivot,
    /// Abandon the strategy and look outside for another.
    Search,
}

impl Strategy {
    /// The word in the log and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Refine => "refine",
            Self::Pivot => "pivot",
            Self::Search => "search",
        }
    }
}

/// What the ladder asks for before the next trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    Nothing,
    /// Log this strategy row first.
    Row(Strategy),
    /// Stop: scope, metric or goal must change.
    NeedsHuman,
}

/// The counts since the last keep.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ladder {
    /// Failed trials since the last keep or pivot (f).
    pub failures: u32,
    /// Pivots since the last keep (p).
    pub pivots: u32,
    /// Has a refine been logged since the last keep or pivot?
    pub refined: bool,
    /// Trials since the last keep that noise left undecided. They are no failures of the strategy.
    #[serde(default, skip_serializing_if = "crate::journal::unwritten::is_zero")]
    pub undecided: u32,
}

impl Ladder {
    /// A trial failed: discard, crash or no-op.
    pub fn record_failure(&mut self) {
        self.failures += 1;
    }

    /// A trial was made whose effect is smaller than what the runs can tell.
    pub fn record_undecided(&mut self) {
        self.undecided += 1;
    }

    /// Were so many trials left undecided that an advice is due, which is other than more of the same?
    #[must_use]
    pub fn is_too_small(&self) -> bool {
        self.undecided >= ADVISE_AT
    }

    /// Is the run at its end because all ideas are too small?
    #[must_use]
    pub fn is_undecidable(&self) -> bool {
        self.undecided >= UNDECIDED_AT
    }

    /// A trial was kept.
    pub fn record_keep(&mut self) {
        *self = Self::default();
    }

    /// A strategy row was logged. A search counts as the pivot that it replaces when one is due.
    pub fn record_strategy(&mut self, strategy: Strategy) {
        match strategy {
            Strategy::Refine => self.refined = true,
            Strategy::Search if self.find_due() != Due::Row(Strategy::Search) => {}
            Strategy::Pivot | Strategy::Search => {
                *self = Self {
                    failures: 0,
                    pivots: self.pivots + 1,
                    refined: false,
                    ..*self
                }
            }
        }
    }

    /// What is due now.
    #[must_use]
    pub fn find_due(&self) -> Due {
        if self.is_undecidable() {
            return Due::NeedsHuman;
        }
        match (self.failures, self.pivots) {
            (_, HELP_AT..) => Due::NeedsHuman,
            (PIVOT_AT.., pivots) if pivots + 1 >= HELP_AT => Due::NeedsHuman,
            (PIVOT_AT.., 1..) => Due::Row(Strategy::Search),
            (PIVOT_AT.., 0) => Due::Row(Strategy::Pivot),
            (REFINE_AT.., _) if !self.refined => Due::Row(Strategy::Refine),
            _ => Due::Nothing,
        }
    }

    /// Would one more pivot without a keep end the run?
    #[must_use]
    pub fn is_last_pivot(&self) -> bool {
        self.pivots + 1 == HELP_AT
    }

    /// Would logging this row do what is due? A stronger row does: a pivot where a refine is due.
    #[must_use]
    pub fn accepts_row(&self, strategy: Strategy) -> bool {
        match (self.find_due(), strategy) {
            (Due::Row(due), logged) => {
                due == logged || (due == Strategy::Refine && logged == Strategy::Pivot)
            }
            (Due::Nothing, _) => true,
            (Due::NeedsHuman, _) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fifteen_failures_in_a_row_walk_the_whole_ladder() {
        let mut ladder = Ladder::default();
        let mut walk = Vec::new();
        for trial in 1..=15 {
            ladder.record_failure();
            match ladder.find_due() {
                Due::Nothing => {}
                Due::Row(strategy) => {
                    walk.push(format!("{trial} {}", strategy.as_str()));
                    assert!(ladder.accepts_row(strategy));
                    ladder.record_strategy(strategy);
                    assert_eq!(ladder.find_due(), Due::Nothing);
                }
                Due::NeedsHuman => walk.push(format!("{trial} needs-human")),
            }
        }
        assert_eq!(
            walk,
            [
                "3 refine",
                "5 pivot",
                "8 refine",
                "10 search",
                "13 refine",
                "15 needs-human"
            ]
        );
    }

    #[test]
    fn trials_that_cannot_be_told_are_no_failures_and_end_a_run_after_forty() {
        let mut ladder = Ladder::default();
        for trial in 1..=39 {
            ladder.record_undecided();
            assert_eq!(ladder.find_due(), Due::Nothing, "{trial}");
            assert_eq!(ladder.is_too_small(), trial >= 4);
        }
        ladder.record_strategy(Strategy::Pivot);
        ladder.record_undecided();
        assert!(ladder.is_undecidable());
        assert_eq!(ladder.find_due(), Due::NeedsHuman);
    }

    #[test]
    fn a_keep_resets_all_counts() {
        let mut ladder = Ladder {
            failures: 4,
            pivots: 2,
            refined: true,
            undecided: 9,
        };
        ladder.record_keep();
        assert_eq!(ladder, Ladder::default());
    }

    #[test]
    fn a_row_of_ones_own_accord_never_hides_what_is_due() {
        let mut ladder = Ladder {
            failures: 5,
            pivots: 1,
            refined: true,
            undecided: 0,
        };
        assert!(!ladder.accepts_row(Strategy::Refine));
        assert!(!ladder.accepts_row(Strategy::Pivot));
        ladder = Ladder {
            failures: 3,
            pivots: 0,
            refined: false,
            undecided: 0,
        };
        assert!(ladder.accepts_row(Strategy::Pivot));
        assert!(!ladder.accepts_row(Strategy::Search));
        ladder = Ladder::default();
        ladder.record_strategy(Strategy::Search);
        assert_eq!(ladder, Ladder::default());
        for _ in 0..3 {
            ladder.record_strategy(Strategy::Pivot);
        }
        assert_eq!(ladder.find_due(), Due::NeedsHuman);
    }

    proptest::proptest! {
        #[test]
        fn a_trial_is_never_free_for_ever(steps in proptest::collection::vec(0..4_u8, 1..200)) {
            let mut ladder = Ladder::default();
            let mut since_keep = 0;
            for step in steps {
                match (ladder.find_due(), step) {
                    (Due::NeedsHuman, _) => break,
                    (Due::Row(due), _) => ladder.record_strategy(due),
                    (Due::Nothing, 0) => { ladder.record_keep(); since_keep = 0; }
                    (Due::Nothing, 1) => ladder.record_strategy(Strategy::Refine),
                    (Due::Nothing, _) => { ladder.record_failure(); since_keep += 1; }
                }
                proptest::prop_assert!(since_keep <= 15);
            }
        }

        #[test]
        fn any_walk_keeps_the_promises_of_the_ladder(steps in proptest::collection::vec(0..5_u8, 0..120)) {
            let mut ladder = Ladder::default();
            for step in steps {
                let before = ladder;
                let row = [Strategy::Refine, Strategy::Pivot, Strategy::Search];
                match step {
                    0 => ladder.record_keep(),
                    1 => ladder.record_failure(),
                    _ => {
                        let row = row[usize::from(step) - 2];
                        if !ladder.accepts_row(row) {
                            proptest::prop_assert_ne!(ladder.find_due(), Due::Nothing);
                            continue;
                        }
                        ladder.record_strategy(row);
                        let helped = before.pivots + 1 >= HELP_AT;
                        proptest::prop_assert!(
                            matches!(before.find_due(), Due::Nothing) || ladder.find_due() == Due::Nothing || helped,
                            "an accepted row does what was due"
                        );
                    }
                }
                proptest::prop_assert!(ladder.pivots >= before.pivots || step == 0, "only a keep takes pivots back");
                if ladder.find_due() == Due::NeedsHuman {
                    proptest::prop_assert!(ladder.pivots + 1 >= HELP_AT);
                    proptest::prop_assert!(!row.into_iter().any(|row| ladder.accepts_row(row)));
                }
                let written = serde_json::to_string(&ladder).unwrap();
                proptest::prop_assert_eq!(serde_json::from_str::<Ladder>(&written).unwrap(), ladder);
            }
        }
    }
}
