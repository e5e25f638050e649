//! Owns `TrialStory`: what the records of a run tell of one trial, from its intention to its end.
//! Does not read records; `story` hands each one over.
//! Invariant: which commit is shown as a trial's is said here alone, whatever became of the trial.

use crate::git_names::CommitId;
use crate::journal::event::{Close, Decision, Intent, Interruption, Rework, Verdict};
use crate::metric::value::Value;

/// How a trial came out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TrialResult<'r> {
    Decided(&'r Decision),
    Interrupted(&'r Interruption),
}

/// What the records tell of one trial.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrialStory<'r> {
    /// Its intention and those of its reworks; none of a trial without a commit.
    pub intents: Vec<&'r Intent>,
    /// Each time that its guard failed and it waited.
    pub reworks: Vec<&'r Rework>,
    /// None while it is under way.
    pub result: Option<TrialResult<'r>>,
    /// How it was undone.
    pub close: Option<&'r Close>,
    /// When the first record of it was written.
    pub began: Option<&'r str>,
    /// When its result was written.
    pub ended: Option<&'r str>,
    /// What it had to beat, as far as it is known.
    pub before: Option<&'r Value>,
}

impl<'r> TrialStory<'r> {
    /// Its commit with all its attempts: of a trial that was decided the one that was measured, if there is one, or else the
    /// one that holds what was undone.
    #[must_use]
    pub fn find_commit(&self) -> Option<&'r CommitId> {
        match self.result {
            Some(TrialResult::Decided(decided)) => {
                let saved = || self.close.and_then(|close| close.saved.as_ref());
                decided.commit.as_ref().or_else(saved)
            }
            Some(TrialResult::Interrupted(interrupted)) => interrupted.saved.as_ref(),
            None => self.reworks.last().map(|rework| &rework.commit),
        }
    }

    /// The state that its changes were made on.
    #[must_use]
    pub fn find_base(&self) -> Option<&'r CommitId> {
        self.intents.first().map(|intent| &intent.parent)
    }

    /// Every commit that the run's reference to this trial can name.
    #[must_use]
    pub fn list_commits(&self) -> Vec<&'r CommitId> {
        let reworked = self.reworks.iter().map(|rework| &rework.commit);
        let saved = self.close.and_then(|close| close.saved.as_ref());
        reworked.chain(self.find_commit()).chain(saved).collect()
    }

    #[must_use]
    pub fn is_kept(&self) -> bool {
        matches!(self.result, Some(TrialResult::Decided(decided)) if decided.verdict == Verdict::Keep)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::event::{Event, Record};
    use crate::journal::sample::{
        make_commit, make_decision, make_intent, make_measurement, make_records, make_start,
    };
    use crate::journal::story::Story;

    /// The commit of an attempt before the one that was decided.
    const FIRST: u32 = 100;
    /// The commit that holds what was undone.
    const SAVED: u32 = 101;

    fn tell(records: &[Record]) -> TrialStory<'_> {
        // The story borrows its start too, which a test has no other use for.
        let start = Box::leak(Box::new(make_start(47)));
        let story = Story::of(start, records);
        story.find_trial(1).unwrap().clone()
    }

    fn make_rework() -> Event {
        Event::Rework(Rework {
            trial: 1,
            attempt: 0,
            commit: make_commit(FIRST),
            measurement: make_measurement(40),
            why: crate::journal::event::Why::WorseMetric,
            left_files: Vec::new(),
            guard_retries: 0,
            verify_runs: None,
            cases: None,
            runs: Vec::new(),
        })
    }

    fn make_close(saved: u32) -> Event {
        Event::Close(Close {
            trial: 1,
            head: make_commit(0),
            saved: Some(make_commit(saved)),
        })
    }

    #[test]
    fn a_discard_shows_what_was_measured_and_its_reference_may_hold_more() {
        let records = make_records([
            Event::Intent(make_intent(1, 0)),
            Event::Verdict(Box::new(make_decision(1, Verdict::Discard, Some(48)))),
            make_close(SAVED),
        ]);
        let trial = tell(&records);
        assert_eq!(trial.find_commit(), Some(&make_commit(1)));
        assert_eq!(trial.find_base(), Some(&make_commit(0)));
        assert_eq!(trial.list_commits(), [&make_commit(1), &make_commit(SAVED)]);
        assert_eq!(trial.began, Some("2026-01-01T00:00:00Z"));
        assert_eq!(trial.ended, Some("2026-01-01T00:00:01Z"));
        assert!(!trial.is_kept());
    }

    #[test]
    fn a_void_trial_has_the_commit_in_which_it_was_undone_and_a_no_op_none() {
        let void = Decision {
            commit: None,
            ..make_decision(1, Verdict::Discard, None)
        };
        let records = make_records([
            Event::Intent(make_intent(1, 0)),
            Event::Verdict(Box::new(void)),
            make_close(SAVED),
        ]);
        assert_eq!(tell(&records).find_commit(), Some(&make_commit(SAVED)));
        let no_op = Decision::without_measurement(&make_intent(1, 0), Verdict::NoOp, None);
        let records = make_records([Event::Verdict(Box::new(no_op))]);
        let trial = tell(&records);
        assert_eq!((trial.find_commit(), trial.find_base()), (None, None));
    }

    #[test]
    fn a_reworked_trial_is_told_from_its_first_intention_to_its_last_commit() {
        let mut records = make_records([Event::Intent(make_intent(1, 0)), make_rework()]);
        let waiting = tell(&records);
        assert_eq!(waiting.find_commit(), Some(&make_commit(FIRST)));
        assert_eq!(waiting.result, None);
        let rest = make_records([
            Event::Intent(crate::journal::event::Intent {
                parent: make_commit(FIRST),
                ..make_intent(1, 1)
            }),
            Event::Verdict(Box::new(make_decision(1, Verdict::Keep, Some(40)))),
        ]);
        records.extend(rest);
        let kept = tell(&records);
        assert_eq!(
            (kept.find_base(), kept.is_kept()),
            (Some(&make_commit(0)), true)
        );
        assert_eq!(kept.list_commits(), [&make_commit(FIRST), &make_commit(1)]);
    }

    #[test]
    fn an_interrupted_trial_has_the_commit_that_was_saved() {
        let records = make_records([
            Event::Intent(make_intent(1, 0)),
            Event::Interrupted(Interruption {
                trial: 1,
                message: "cut".to_owned(),
                head: make_commit(0),
                saved: Some(make_commit(SAVED)),
                verify_runs: 0,
            }),
        ]);
        assert_eq!(tell(&records).find_commit(), Some(&make_commit(SAVED)));
    }

    #[test]
    fn what_a_trial_had_to_beat_is_the_best_value_before_it() {
        let records = make_records([
            Event::Start(Box::new(make_start(47))),
            Event::Verdict(Box::new(make_decision(1, Verdict::Keep, Some(40)))),
            Event::Verdict(Box::new(make_decision(2, Verdict::Discard, Some(45)))),
        ]);
        let start = make_start(47);
        let story = Story::of(&start, &records);
        let before = |number| story.find_trial(number).unwrap().before.cloned();
        assert_eq!(before(1), Some(47.into()));
        assert_eq!(before(2), Some(40.into()));
    }
}
