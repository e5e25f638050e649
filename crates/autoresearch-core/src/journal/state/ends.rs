//! Owns the ends that a state of a run has come to.
//! Does not record them.
//! Invariant: a target comes before the ladder, the ladder before a ceiling.

use crate::decide::ladder::Due;
use crate::decide::limits::Ceiling;
use crate::journal::event::{End, Ending, Raise};
use crate::journal::state::RunState;

impl RunState {
    /// The end that the run has come to and that is not recorded yet. `now_ms` is milliseconds since 1970.
    #[must_use]
    pub fn find_due_end(&self, now_ms: u64) -> Option<Ending> {
        if self.end.is_some() || self.open_trial.is_some() {
            return None;
        }
        let ending = |end, why: String| Some(Ending { end, why });
        if let Some(why) = self.find_target_reason() {
            return ending(End::Target, why);
        }
        if self.ladder_due() == Due::NeedsHuman {
            let why = if self.ladder.is_undecidable() {
                "the ideas since the last keep are smaller than the noise: the benchmark must become steadier, or the ideas larger"
            } else {
                "the ladder is at its end: refine and pivot brought no progress; scope, metric or goal must change"
            };
            return ending(End::NeedsHuman, why.to_owned());
        }
        self.find_ceiling_end(now_ms)
    }

    /// The ceiling that the run has come to.
    fn find_ceiling_end(&self, now_ms: u64) -> Option<Ending> {
        let found = self.find_ceiling_with(&Raise::default(), now_ms);
        found.map(|(ceiling, why)| Ending {
            end: ceiling.to_end(),
            why: format!("{why}; {}", self.describe_incumbent()),
        })
    }

    /// The ceiling that the run has come to if a person sets these, and why.
    #[must_use]
    pub fn find_ceiling_with(&self, raise: &Raise, now_ms: u64) -> Option<(Ceiling, String)> {
        let mut limits = self.limits;
        limits.apply_raise(raise);
        let elapsed = now_ms.saturating_sub(self.start.started_ms);
        limits.find_reached(&self.spent, self.counts.count_iterations(), elapsed, now_ms)
    }

    /// Why the incumbent ends the run, when it does.
    #[must_use]
    pub fn find_target_reason(&self) -> Option<String> {
        let config = self.config();
        let labelled = config
            .required_labels
            .stop
            .iter()
            .all(|label| self.incumbent.labels.contains(label));
        if !labelled {
            return None;
        }
        let value = &self.incumbent.measurement.value;
        if config.metric.is_target_reached(value) {
            return Some(self.describe_incumbent());
        }
        let satisfied = !config.stop_when.is_empty()
            && config
                .stop_when
                .iter()
                .all(|condition| condition.holds_for(&self.incumbent.measurement));
        satisfied.then(|| {
            config
                .stop_when
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(" and ")
        })
    }
}
