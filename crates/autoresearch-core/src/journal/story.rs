//! Owns `Story`: what the records of a run tell people. Log, table, plot, briefs and the list of what was kept are its views.
//! Does not decide what comes next; `state` does.
//! Invariant: what was kept is said by `Decision::find_kept` alone, so that no two views differ about it.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt::Write as _;

use crate::journal::event::{
    Decision, End, Event, Interruption, KeptState, Record, Remeasured, Start, Turn, WorkerId,
    WorkerRow,
};
use crate::journal::ledger::Ledger;
use crate::journal::measured::{count_cases, find_decided_rate, find_start_rate};
pub use crate::journal::trial_story::{TrialResult, TrialStory};
use crate::metric::measurement::Measurement;
use crate::metric::rate::RateInterval;
use crate::metric::value::Value;
use crate::words::table::{
    Row, make_baseline_row, make_interrupted_row, make_remark_row, make_remeasured_row,
    make_trial_row, make_worker_row,
};

/// The story that some records of a run tell: all of them, or the last ones.
#[derive(Debug)]
pub struct Story<'r> {
    /// The name of the run's metric.
    metric: &'r str,
    /// Of how many cases the metric is a count; none where it is no rate.
    cases: Option<u32>,
    records: Vec<&'r Record>,
    /// What was measured on the untouched tree; none where only the last records are told.
    baseline: Option<&'r Measurement>,
    /// How the trials came out, oldest first.
    pub trials: Vec<TrialResult<'r>>,
    /// What is told of each trial, by its number.
    numbered: BTreeMap<u32, TrialStory<'r>>,
    /// The best kept value so far, as far as it is known.
    best: Option<&'r Value>,
    /// The turns of the agent, in a run without a person.
    pub turns: Vec<&'r Turn>,
    /// What was measured again because somebody asked for it.
    pub remeasured: Vec<&'r Remeasured>,
    /// What came of the workers of batches, each with the time at which it was written.
    pub workers: Vec<(&'r str, &'r WorkerRow)>,
    /// The kept trials that were taken back at an end, with the trial that did it.
    taken_back: BTreeMap<u32, u32>,
}

impl<'r> Story<'r> {
    /// The story of a run that began so, as these records tell it.
    #[must_use]
    pub fn of(start: &'r Start, records: &'r [Record]) -> Self {
        let mut story = Self {
            metric: &start.config.metric.name,
            cases: count_cases(start),
            records: Vec::with_capacity(records.len()),
            baseline: None,
            trials: Vec::new(),
            numbered: BTreeMap::new(),
            best: None,
            turns: Vec::new(),
            remeasured: Vec::new(),
            workers: Vec::new(),
            taken_back: BTreeMap::new(),
        };
        let Ok(()) = story.take_records(records);
        story
    }

    /// The rows of the log, oldest first, each with the time at which it was written.
    #[must_use]
    pub fn list_rows(&self) -> impl DoubleEndedIterator<Item = (&'r str, Row)> {
        self.records
            .iter()
            .filter_map(|record| Some((record.at.as_str(), self.make_row_of(&record.event)?)))
    }

    /// What an event's runs say of a metric that counts cases.
    fn find_rate(&self, event: &Event) -> Option<RateInterval> {
        match event {
            Event::Start(start) => find_start_rate(start),
            Event::Verdict(decided) => find_decided_rate(decided, self.cases?),
            _ => None,
        }
    }

    /// What the runs of a trial say of the rate; those of the untouched tree for trial 0.
    #[must_use]
    pub fn find_trial_rate(&self, trial: u32) -> Option<RateInterval> {
        let made_it = |record: &&&Record| match &record.event {
            Event::Start(_) => trial == 0,
            Event::Verdict(decided) => decided.trial == trial,
            _ => false,
        };
        let record = self.records.iter().find(made_it)?;
        self.find_rate(&record.event)
    }

    /// The row of an event, with a commit that only a later record tells.
    fn make_row_of(&self, event: &Event) -> Option<Row> {
        let mut row = make_row(event, self.metric)?;
        row.rate = self.find_rate(event);
        if let Event::Verdict(decided) = event
            && row.hash.is_none()
        {
            let trial = self.find_trial(decided.trial);
            let commit = trial.and_then(TrialStory::find_commit);
            row.hash = commit.cloned();
        }
        if let Event::Verdict(decided) = event
            && let Some(later) = self.taken_back.get(&decided.trial)
        {
            let _ = write!(row.description, " [taken back by trial {later}]");
        }
        Some(row)
    }

    /// What is told of a trial.
    #[must_use]
    pub fn find_trial(&self, number: u32) -> Option<&TrialStory<'r>> {
        self.numbered.get(&number)
    }

    /// The rows of a worker, oldest first, each with the time at which it was written.
    pub fn list_worker_rows(
        &self,
        worker: WorkerId,
    ) -> impl Iterator<Item = (&'r str, &'r WorkerRow)> {
        let rows = self.workers.iter().copied();
        rows.filter(move |(_, row)| row.worker == worker)
    }

    /// The workers of a batch that have a row, in the order of their letters.
    #[must_use]
    pub fn list_workers(&self, batch: u32) -> Vec<WorkerId> {
        let workers = WorkerId::list_of(batch);
        workers
            .filter(|worker| self.list_worker_rows(*worker).next().is_some())
            .collect()
    }

    /// What is told of each trial, in the order of their numbers.
    #[must_use]
    pub fn list_numbered(&self) -> impl DoubleEndedIterator<Item = (u32, &TrialStory<'r>)> {
        self.numbered.iter().map(|(number, trial)| (*number, trial))
    }

    /// The trial of a record, which begins with it or goes on.
    fn take_trial(&mut self, number: u32, record: &'r Record) -> &mut TrialStory<'r> {
        let trial = self.numbered.entry(number).or_default();
        trial.began.get_or_insert(&record.at);
        trial
    }

    fn take_decision(&mut self, decided: &'r Decision, record: &'r Record) {
        let before = self.best;
        let trial = self.take_trial(decided.trial, record);
        trial.result = Some(TrialResult::Decided(decided));
        trial.before = before;
        trial.ended = Some(&record.at);
        let kept = decided.find_kept();
        if let (Some(_), Some(taken)) = (&kept, decided.leaves_out) {
            self.taken_back.insert(taken, decided.trial);
        }
        self.best = kept.map(|kept| &kept.measurement.value).or(before);
        self.trials.push(TrialResult::Decided(decided));
    }

    /// The last rows, oldest first, without the baseline.
    #[must_use]
    pub fn list_last_rows(&self, most: usize) -> Vec<Row> {
        let later = self.list_rows().rev().map(|(_, row)| row);
        let mut rows: Vec<Row> = later
            .filter(|row| row.status != "baseline")
            .take(most)
            .collect();
        rows.reverse();
        rows
    }

    /// The decided trials, oldest first.
    #[must_use]
    pub fn list_decisions(&self) -> impl DoubleEndedIterator<Item = &'r Decision> {
        self.trials.iter().filter_map(|trial| match trial {
            TrialResult::Decided(decided) => Some(*decided),
            TrialResult::Interrupted(_) => None,
        })
    }

    /// The trials that were cut short, oldest first.
    pub fn list_interruptions(&self) -> impl Iterator<Item = &'r Interruption> {
        self.trials.iter().filter_map(|trial| match trial {
            TrialResult::Decided(_) => None,
            TrialResult::Interrupted(interrupted) => Some(*interrupted),
        })
    }

    /// The kept line: each trial that was kept, with what it left, oldest first. Neither those that were taken back nor the
    /// trials that did it are part of it.
    pub fn list_kept(&self) -> impl Iterator<Item = (&'r Decision, KeptState<'r>)> {
        self.list_decisions()
            .filter(|decided| decided.leaves_out.is_none())
            .filter(|decided| !self.taken_back.contains_key(&decided.trial))
            .filter_map(|decided| Some((decided, decided.find_kept()?)))
    }

    /// The best kept value after the baseline and after each decided trial, as far as it is known.
    #[must_use]
    pub fn list_best_values(&self) -> Vec<&'r Value> {
        let mut best = self.baseline.map(|measurement| &measurement.value);
        let mut values: Vec<&'r Value> = best.into_iter().collect();
        for decided in self.list_decisions() {
            best = decided
                .find_kept()
                .map(|kept| &kept.measurement.value)
                .or(best);
            values.extend(best);
        }
        values
    }
}

impl<'r> Ledger<'r> for Story<'r> {
    type Refusal = Infallible;

    fn take_record(&mut self, record: &'r Record) -> Result<(), Infallible> {
        match &record.event {
            Event::Start(start) => {
                self.baseline = Some(&start.measurement);
                self.best = Some(&start.measurement.value);
            }
            Event::Intent(intent) => self.take_trial(intent.trial, record).intents.push(intent),
            Event::Rework(rework) => self.take_trial(rework.trial, record).reworks.push(rework),
            Event::Verdict(decided) => self.take_decision(decided, record),
            Event::Close(close) => self.take_trial(close.trial, record).close = Some(close),
            Event::Interrupted(row) => {
                let trial = self.take_trial(row.trial, record);
                trial.result = Some(TrialResult::Interrupted(row));
                trial.ended = Some(&record.at);
                self.trials.push(TrialResult::Interrupted(row));
            }
            Event::Turn(turn) => self.turns.push(turn),
            Event::Remeasured(row) => self.remeasured.push(row),
            Event::Worker(row) => self.workers.push((&record.at, row)),
            Event::Ready
            | Event::Batch(_)
            | Event::BatchEnd(_)
            | Event::Serial(_)
            | Event::Strategy(_)
            | Event::Raise(_)
            | Event::End(_)
            | Event::Claim(_)
            | Event::Finish(_)
            | Event::Opening(_)
            | Event::Hypothesis(_)
            | Event::Result(_)
            | Event::Closing(_) => {}
        }
        self.records.push(record);
        Ok(())
    }
}

/// The row of an event, when it has one. `metric` is the name of the run's metric.
#[must_use]
pub fn make_row(event: &Event, metric: &str) -> Option<Row> {
    match event {
        Event::Start(start) => Some(make_baseline_row(start)),
        Event::Verdict(decided) => Some(make_trial_row(decided, metric)),
        Event::Interrupted(row) => Some(make_interrupted_row(row)),
        Event::Strategy(row) => Some(make_remark_row(row.strategy.as_str(), &row.message)),
        Event::Remeasured(row) => Some(make_remeasured_row(row)),
        Event::Worker(row) => Some(make_worker_row(row, metric)),
        Event::End(ending) if ending.end == End::Blocked => {
            Some(make_remark_row("blocked", &ending.why))
        }
        Event::Ready
        | Event::Batch(_)
        | Event::BatchEnd(_)
        | Event::Serial(_)
        | Event::Intent(_)
        | Event::Rework(_)
        | Event::Close(_)
        | Event::Turn(_)
        | Event::Raise(_)
        | Event::End(_)
        | Event::Claim(_)
        | Event::Finish(_)
        | Event::Opening(_)
        | Event::Hypothesis(_)
        | Event::Result(_)
        | Event::Closing(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::ladder::Strategy;
    use crate::git_names::CommitId;
    use crate::journal::event::{Ending, StrategyRow, Verdict};
    use crate::journal::sample::{make_commit, make_decision, make_records, make_start};

    fn list_statuses(rows: &[Row]) -> Vec<&'static str> {
        rows.iter().map(|row| row.status).collect()
    }

    /// A keep at 40, a discard at 45, a strategy, an interruption, a keep at 30 and an obstacle.
    fn make_journal() -> Vec<Record> {
        let interrupted = Interruption {
            trial: 3,
            message: "cut".to_owned(),
            head: make_commit(1),
            saved: Some(make_commit(3)),
            verify_runs: 0,
        };
        let row = StrategyRow {
            strategy: Strategy::Refine,
            message: "smaller steps".to_owned(),
        };
        let ending = Ending {
            end: End::Blocked,
            why: "no network".to_owned(),
        };
        let verdict = |trial, verdict, value| {
            Event::Verdict(Box::new(make_decision(trial, verdict, Some(value))))
        };
        make_records([
            Event::Start(Box::new(make_start(47))),
            Event::Ready,
            verdict(1, Verdict::Keep, 40),
            verdict(2, Verdict::Discard, 45),
            Event::Strategy(row),
            Event::Interrupted(interrupted),
            verdict(4, Verdict::Keep, 30),
            Event::End(ending),
        ])
    }

    #[test]
    fn the_log_has_a_row_for_each_trial_strategy_and_obstacle_in_their_order() {
        let (start, records) = (make_start(47), make_journal());
        let rows: Vec<Row> = Story::of(&start, &records)
            .list_rows()
            .map(|(_, row)| row)
            .collect();
        assert_eq!(
            list_statuses(&rows),
            [
                "baseline",
                "keep",
                "discard",
                "refine",
                "interrupted",
                "keep",
                "blocked"
            ]
        );
        assert_eq!(rows[1].commit, "c000001");
        assert_eq!(rows[2].commit, "-", "what was undone has no commit");
        assert!(
            rows[4]
                .description
                .ends_with("[its changes are in commit c000003]")
        );
    }

    #[test]
    fn the_last_rows_leave_out_the_baseline_and_are_in_order() {
        let (start, records) = (make_start(47), make_journal());
        let story = Story::of(&start, &records);
        assert_eq!(list_statuses(&story.list_last_rows(2)), ["keep", "blocked"]);
        assert_eq!(story.list_last_rows(99).len(), 6);
        assert!(story.list_last_rows(0).is_empty());
    }

    #[test]
    fn the_kept_line_and_its_values_agree() {
        let (start, records) = (make_start(47), make_journal());
        let story = Story::of(&start, &records);
        let kept: Vec<&CommitId> = story.list_kept().map(|(_, kept)| kept.commit).collect();
        assert_eq!(kept, [&make_commit(1), &make_commit(4)]);
        let values: Vec<String> = story
            .list_best_values()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(values, ["47", "40", "40", "30"]);
        assert_eq!(story.list_interruptions().count(), 1);
        assert_eq!(
            story
                .list_decisions()
                .next_back()
                .map(|decided| decided.trial),
            Some(4)
        );
    }

    #[test]
    fn the_last_records_alone_tell_no_value_that_they_do_not_know() {
        let (start, records) = (make_start(47), make_journal());
        let story = Story::of(&start, &records[3..]);
        let values: Vec<String> = story
            .list_best_values()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            values,
            ["30"],
            "what was kept before the discard is not known"
        );
        assert_eq!(story.list_last_rows(9).len(), 5);
    }

    #[test]
    fn a_story_that_goes_on_is_the_story_of_all_records() {
        let (start, records) = (make_start(47), make_journal());
        let whole: Vec<Row> = Story::of(&start, &records)
            .list_rows()
            .map(|(_, row)| row)
            .collect();
        for cut in 0..=records.len() {
            let (first, rest) = records.split_at(cut);
            let mut story = Story::of(&start, first);
            let Ok(()) = story.take_records(rest);
            assert_eq!(story.trials, Story::of(&start, &records).trials);
            assert_eq!(
                story.list_rows().map(|(_, row)| row).collect::<Vec<_>>(),
                whole
            );
        }
    }
}
