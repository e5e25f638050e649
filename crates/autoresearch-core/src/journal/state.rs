//! Owns `RunState`: what the events of a journal add up to.
//! Does not read the journal; it is handed one event after the other.
//! Invariant: the same events give the same state, so the state can be thrown away at any time.

mod batches;
mod ends;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::config::{Config, LadderMode};
use crate::decide::evidence::Evidence;
use crate::decide::gain::GainRange;
use crate::decide::incumbent::Incumbent;
use crate::decide::judge::REWORKS;
use crate::decide::jump::MeasuredRange;
use crate::decide::ladder::{Due, Ladder, Strategy};
use crate::decide::limits::{Limits, Spent};
use crate::decide::watched::WatchedEvidence;
use crate::git_names::CommitId;
use crate::journal::batch::OpenBatch;
use crate::journal::event::{
    Claim, Decision, Ending, Event, Finish, Intent, Raise, Record, Remeasured, Rework, Start,
    Verdict, Why,
};
use crate::journal::ledger::Ledger;
use crate::journal::measured::{begin_evidence, begin_watched, list_decided_runs};
use crate::journal::runs::{RecordedRun, record_runs};
use crate::metric::unit::Unit;
use crate::metric::value::Value;

/// How many left files of verify the state remembers; it must not grow with the log.
const MAX_LEFT_FILES: usize = 1_000;

/// So many measurements in a row that are cut short are a crash: what was edited may end the tool that measures it.
pub const MAX_CUT_SHORT: u32 = 3;

/// The state of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunState {
    /// How the run began.
    pub start: Start,
    /// Does the branch or work tree stand?
    pub ready: bool,
    /// The commit that HEAD must name while no trial is open.
    pub head: CommitId,
    /// What a trial must beat.
    pub incumbent: Incumbent,
    /// What the runs of verify say of the metric; nothing in a state that an older version wrote.
    #[serde(default)]
    pub evidence: Evidence,
    /// And of the metrics that no keep makes worse.
    #[serde(default)]
    pub watched: WatchedEvidence,
    /// The range of everything that was measured.
    pub seen: MeasuredRange,
    pub ladder: Ladder,
    pub counts: Counts,
    /// What was used up so far.
    pub spent: Spent,
    /// Measurements that were cut short since the last one that came to its end.
    #[serde(default)]
    pub cut_short: u32,
    /// The ceilings as they are now.
    pub limits: Limits,
    /// The number of the next trial.
    pub next_trial: u32,
    /// The trial that is not finished.
    #[serde(rename = "flight")]
    pub open_trial: Option<OpenTrial>,
    /// The end, when it was reached.
    pub end: Option<Ending>,
    /// What was gained, measured afresh.
    #[serde(default)]
    pub claim: Option<Claim>,
    /// Set when the user's branch was checked out again.
    pub finish: Option<Finish>,
    /// Untracked files that verify left, by path: no trial is blamed for them, and none commits them.
    #[serde(rename = "droppings")]
    pub left_files: BTreeSet<String>,
    /// Kept trials that were taken back at an end, and the trials that did it.
    #[serde(default)]
    pub left_out: BTreeSet<u32>,
    /// The hypotheses that are tried at once.
    #[serde(default)]
    pub batch: Option<OpenBatch>,
    /// Why this run tries one hypothesis after the other, where it cannot do otherwise.
    #[serde(default)]
    pub serial: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub keep: u32,
    pub discard: u32,
    pub crash: u32,
    pub no_op: u32,
    /// Interrupted trials; they do not count as attempts.
    pub interrupted: u32,
    /// Batches that were opened.
    #[serde(default, skip_serializing_if = "crate::journal::unwritten::is_zero")]
    pub batches: u32,
    /// Trials on top of one that decided their batch: a batch is one iteration.
    #[serde(default, skip_serializing_if = "crate::journal::unwritten::is_zero")]
    pub stacked: u32,
}

impl Counts {
    /// All trials that count as iterations.
    #[must_use]
    pub fn count_iterations(&self) -> u32 {
        (self.keep + self.discard + self.crash + self.no_op).saturating_sub(self.stacked)
    }
}

/// How far a run has come. It grows with what has a limit (trials, rungs of the ladder, reworks, the end) and with nothing
/// else: neither interrupted or dropped trials nor strategy rows that nobody asked for lead further.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct Progress {
    pub iterations: u32,
    /// Pivots since the last keep.
    pub pivots: u32,
    /// Was a refine logged since?
    pub refined: bool,
    /// Attempts at the trial that waits for a rework.
    pub attempts: u32,
    /// Has the run ended?
    pub ended: bool,
    pub left: bool,
}

/// A trial between its intention and its end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpenTrial {
    pub intent: Intent,
    /// How far it came.
    pub stage: Stage,
}

/// How far an open trial came.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Stage {
    /// The intention is recorded; the commit may or may not exist.
    Intended,
    /// The guard failed; the agent may rework it.
    AwaitingRework(Box<Rework>),
    /// It is decided and not kept; the undoing may or may not have happened.
    Decided(Box<Decision>),
}

/// What the agent has to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Edit files, then ask for a trial.
    Trial,
    /// Fix what the guard found, then ask for the rework.
    Rework {
        /// How many reworks are left.
        left: u32,
    },
    /// Log this strategy row first.
    Strategy(Strategy),
    /// Edit in the trees of the open batch, then close it.
    Batch,
    /// The run has ended.
    Ended(Ending),
}

impl Step {
    /// The word for programs.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Trial => "trial",
            Self::Rework { .. } => "rework",
            Self::Strategy(strategy) => strategy.as_str(),
            Self::Batch => "batch",
            Self::Ended(_) => "finish",
        }
    }
}

/// An event that cannot follow what came before.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the journal says `{event}` where it cannot occur")]
pub struct FoldError {
    pub event: &'static str,
}

impl RunState {
    /// The state after the first event.
    pub fn from_start(event: Event) -> Result<Self, FoldError> {
        let Event::Start(start) = event else {
            return Err(FoldError {
                event: event.as_str(),
            });
        };
        let incumbent = Incumbent {
            trial: 0,
            commit: start.base.clone(),
            tree: start.tree.clone(),
            measurement: start.measurement.clone(),
            labels: Vec::new(),
        };
        Ok(Self {
            ready: false,
            head: start.base.clone(),
            incumbent,
            evidence: begin_evidence(&start),
            watched: begin_watched(&start),
            seen: MeasuredRange::of_value(&start.measurement.value),
            ladder: Ladder::default(),
            counts: Counts::default(),
            spent: Spent::default(),
            cut_short: 0,
            limits: Limits::of_start(&start),
            next_trial: 1,
            open_trial: None,
            end: None,
            claim: None,
            finish: None,
            left_files: BTreeSet::new(),
            left_out: BTreeSet::new(),
            batch: None,
            serial: None,
            start: *start,
        })
    }

    /// Takes in the event that follows. One that cannot follow is refused and changes nothing.
    pub fn apply_event(&mut self, event: Event) -> Result<(), FoldError> {
        let refusal = FoldError {
            event: event.as_str(),
        };
        let follows = match event {
            Event::Start(_)
            | Event::Opening(_)
            | Event::Hypothesis(_)
            | Event::Result(_)
            | Event::Closing(_) => false,
            Event::Ready => {
                self.ready = true;
                true
            }
            Event::Intent(intent) => self.apply_intent(intent),
            Event::Rework(rework) => self.apply_rework(rework),
            Event::Verdict(decided) => self.apply_verdict(*decided),
            Event::Close(close) => self.close_trial(close.trial, close.head),
            Event::Interrupted(row) => {
                self.forget_pick();
                let closed = self.close_trial(row.trial, row.head);
                self.counts.interrupted += u32::from(closed);
                let runs = if closed { row.verify_runs } else { 0 };
                self.spent.verify_runs = self.spent.verify_runs.saturating_add(runs);
                self.cut_short += u32::from(runs > 0);
                closed
            }
            Event::Strategy(row) => {
                self.ladder.record_strategy(row.strategy);
                true
            }
            Event::Turn(turn) => {
                self.note_turn(&turn);
                self.spent.add_turn(turn);
                true
            }
            Event::Raise(raise) => self.apply_raise(&raise),
            Event::Remeasured(row) => self.apply_remeasured(&row),
            Event::End(ending) => {
                self.end = Some(ending);
                true
            }
            Event::Batch(batch) => self.apply_batch(batch),
            Event::Worker(row) => self.apply_worker(*row),
            Event::BatchEnd(end) => self.end_batch(end),
            Event::Serial(why) => {
                self.serial = Some(why);
                true
            }
            Event::Claim(claim) => self.apply_claim(claim),
            Event::Finish(finish) => {
                self.finish = Some(finish);
                true
            }
        };
        if follows { Ok(()) } else { Err(refusal) }
    }

    // Each of these says whether the event follows, and changes nothing where it does not.

    fn apply_claim(&mut self, claim: Claim) -> bool {
        let follows = self.open_trial.is_none() && claim.commit == self.incumbent.commit;
        if follows {
            self.spent.verify_runs = self.spent.verify_runs.saturating_add(claim.verify_runs);
            self.claim = Some(claim);
        }
        follows
    }

    /// Runs of the kept state say where its level is; those of another state say nothing of what comes next.
    fn apply_remeasured(&mut self, row: &Remeasured) -> bool {
        let follows = self.open_trial.is_none();
        if follows {
            self.spent.verify_runs = self.spent.verify_runs.saturating_add(row.verify_runs);
        }
        if follows && row.commit == self.incumbent.commit {
            record_runs(&mut self.evidence, &row.runs);
            self.evidence.close_watch();
            self.watched.record_runs(&row.runs);
            self.watched.close_watch();
        }
        follows
    }

    fn apply_raise(&mut self, raise: &Raise) -> bool {
        if self.finish.is_some() {
            return false;
        }
        self.limits.apply_raise(raise);
        if self
            .end
            .as_ref()
            .is_some_and(|ending| ending.end.can_be_lifted())
        {
            self.end = None;
        }
        true
    }

    fn apply_intent(&mut self, intent: Intent) -> bool {
        let follows = match &self.open_trial {
            None => {
                intent.trial == self.next_trial
                    && intent.attempt == 0
                    && self.admits_intent(&intent)
            }
            Some(OpenTrial {
                intent: before,
                stage: Stage::AwaitingRework(rework),
            }) => intent.trial == before.trial && intent.attempt > rework.attempt,
            Some(_) => false,
        };
        if follows {
            self.note_picked(&intent);
            self.next_trial = intent.trial + 1;
            self.open_trial = Some(OpenTrial {
                intent,
                stage: Stage::Intended,
            });
        }
        follows
    }

    fn apply_verdict(&mut self, decided: Decision) -> bool {
        let in_flight = self
            .open_trial
            .as_ref()
            .map(|open_trial| open_trial.intent.trial);
        if in_flight.unwrap_or(self.next_trial) != decided.trial
            || (in_flight.is_none() && decided.commit.is_some())
            || (decided.verdict == Verdict::Keep && decided.find_kept().is_none())
            || !self.admits_verdict(&decided)
        {
            return false;
        }
        self.next_trial = decided.trial + 1;
        self.note_left_files(&decided.left_files);
        self.spent.verify_runs = self
            .spent
            .verify_runs
            .saturating_add(decided.count_verify_runs());
        if decided.count_verify_runs() > 0 {
            self.cut_short = 0;
        }
        // What was not believed says nothing of what is usual.
        let doubted = decided.jump
            || !decided.suspects.is_empty()
            || matches!(decided.why, Some(Why::NotRepeated { .. }));
        let believed = !doubted || decided.verdict == Verdict::Keep;
        if let Some(measurement) = decided.measurement.as_ref().filter(|_| believed) {
            self.seen.include_value(&measurement.value);
        }
        let runs = list_decided_runs(&self.start, &decided, self.spent.verify_runs);
        let kept = decided.find_kept();
        self.close_evidence(&runs, kept.is_some().then_some(decided.trial));
        let trial = decided.trial;
        match kept {
            Some(kept) => {
                self.incumbent = Incumbent {
                    trial: decided.trial,
                    commit: kept.commit.clone(),
                    tree: kept.tree.clone(),
                    measurement: kept.measurement.clone(),
                    labels: decided.labels.clone(),
                };
                self.claim = None;
                kept.commit.clone_into(&mut self.head);
                self.count_keep(&decided);
                self.open_trial = None;
            }
            None => self.fail_trial(decided),
        }
        self.note_decided(trial);
        true
    }

    /// One more keep; or one less, which counts among the discarded from now on, so that the sum is that of the agent's trials.
    fn count_keep(&mut self, decided: &Decision) {
        let Some(trial) = decided.leaves_out else {
            self.counts.keep += 1;
            self.ladder.record_keep();
            return;
        };
        self.left_out.extend([trial, decided.trial]);
        self.counts.keep = self.counts.keep.saturating_sub(1);
        self.counts.discard += 1;
    }

    /// Kept trials that noise alone may have made, weakest first.
    #[must_use]
    pub fn list_weak_keeps(&self) -> Vec<u32> {
        let weak = self.evidence.list_weak_keeps().into_iter();
        weak.map(|kept| kept.trial)
            .filter(|trial| !self.left_out.contains(trial))
            .collect()
    }

    /// Runs of verify that the ceilings leave, after `made` that are not recorded yet; `None` where nothing limits them.
    #[must_use]
    pub fn count_runs_left(&self, made: u32, now_ms: u64) -> Option<u64> {
        let spent = self.spent.verify_runs.saturating_add(made);
        let times = (self.start.started_ms, now_ms);
        self.limits
            .count_runs_left(spent, times, self.start.verify_ms)
    }

    /// A trial ends for the rule with each commit that was measured.
    fn close_evidence(&mut self, runs: &[RecordedRun], kept: Option<u32>) {
        record_runs(&mut self.evidence, runs);
        self.evidence.close_trial(kept);
        self.watched.record_runs(runs);
        self.watched.close_trial(kept);
    }

    /// The standard deviation of a single run of the kept state, in the metric's unit.
    #[must_use]
    pub fn find_run_spread(&self) -> f64 {
        let middle = self.incumbent.measurement.value.magnitude().to_double();
        self.evidence.find_run_spread() * middle
    }

    fn apply_rework(&mut self, rework: Rework) -> bool {
        match &mut self.open_trial {
            Some(open_trial) if open_trial.intent.trial == rework.trial && self.batch.is_none() => {
                let runs = rework.verify_runs.unwrap_or(1);
                self.spent.verify_runs = self.spent.verify_runs.saturating_add(runs);
                self.cut_short = 0;
                let (left_files, seen) = (rework.left_files.clone(), rework.runs.clone());
                open_trial.stage = Stage::AwaitingRework(Box::new(rework));
                self.close_evidence(&seen, None);
                self.note_left_files(&left_files);
                true
            }
            _ => false,
        }
    }

    fn note_left_files(&mut self, left_files: &[String]) {
        let room = MAX_LEFT_FILES.saturating_sub(self.left_files.len());
        self.left_files
            .extend(left_files.iter().take(room).cloned());
    }

    fn fail_trial(&mut self, decided: Decision) {
        match decided.verdict {
            Verdict::Crash => self.counts.crash += 1,
            Verdict::NoOp => self.counts.no_op += 1,
            Verdict::Discard | Verdict::Keep => self.counts.discard += 1,
        }
        match decided.why {
            _ if self.is_stacking() => {}
            Some(Why::CannotTell { .. }) => self.ladder.record_undecided(),
            _ => self.ladder.record_failure(),
        }
        match &mut self.open_trial {
            Some(open_trial) => open_trial.stage = Stage::Decided(Box::new(decided)),
            None => self.open_trial = None,
        }
    }

    fn close_trial(&mut self, trial: u32, head: CommitId) -> bool {
        let is_open =
            matches!(&self.open_trial, Some(open_trial) if open_trial.intent.trial == trial);
        if is_open {
            self.open_trial = None;
            self.head = head;
        }
        is_open
    }

    /// Is anything of what was kept left? Where every keep was taken back the files are those of the start.
    #[must_use]
    pub fn holds_change(&self) -> bool {
        self.incumbent.trial > 0 && self.incumbent.tree != self.start.tree
    }

    /// Is the last commit better than the start? A fresh measurement says so where there is one; where a noisy metric could
    /// not be measured afresh, nothing does.
    #[must_use]
    pub fn is_improved(&self) -> bool {
        let [before, now] = [&self.start.measurement, &self.incumbent.measurement];
        let metric = &self.config().metric;
        let gained = metric.compute_gain(&before.value, &now.value) > Value::zero();
        match &self.claim {
            Some(claim) => claim
                .gain
                .as_ref()
                .map_or(gained && self.evidence.is_exact(), GainRange::is_gain),
            None => gained && self.holds_change(),
        }
    }

    /// The unit in which the metric is shown; none in runs of older versions.
    #[must_use]
    pub fn metric_unit(&self) -> Unit {
        let reading = self.start.reading.as_ref();
        reading
            .map(|reading| reading.unit_of(&self.config().metric.name))
            .unwrap_or_default()
    }

    /// How far the run has brought its metric: `47 ms -> 40 ms`.
    #[must_use]
    pub fn describe_gain(&self) -> String {
        let [before, now] = [&self.start.measurement, &self.incumbent.measurement];
        self.metric_unit().format_change(&before.value, &now.value)
    }

    /// Where the metric stands: `verify is 40 ms`.
    fn describe_incumbent(&self) -> String {
        let value = self.incumbent.measurement.value.to_string();
        let value = self.metric_unit().format_number(&value);
        format!("{} is {value}", self.config().metric.name)
    }

    /// The config of the run.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.start.config
    }

    /// The commit that HEAD must name now; `None` while a repair is due.
    #[must_use]
    pub fn expected_head(&self) -> Option<&CommitId> {
        match &self.open_trial {
            None => Some(&self.head),
            Some(OpenTrial {
                stage: Stage::AwaitingRework(rework),
                ..
            }) => Some(&rework.commit),
            Some(_) => None,
        }
    }

    /// Was a trial left between its intention and its end by a crash?
    #[must_use]
    pub fn needs_repair(&self) -> bool {
        !self.ready || (self.open_trial.is_some() && self.awaiting_rework().is_none())
    }

    /// The rework that is awaited.
    #[must_use]
    pub fn awaiting_rework(&self) -> Option<&Rework> {
        match &self.open_trial {
            Some(OpenTrial {
                stage: Stage::AwaitingRework(rework),
                ..
            }) => Some(rework),
            _ => None,
        }
    }

    /// What the ladder asks for before the next trial, where the config lets it ask.
    #[must_use]
    pub fn ladder_due(&self) -> Due {
        match self.config().ladder {
            LadderMode::Enforce => self.ladder.find_due(),
            LadderMode::Advise | LadderMode::Off => Due::Nothing,
        }
    }

    /// How far the run has come.
    #[must_use]
    pub fn to_progress(&self) -> Progress {
        Progress {
            iterations: self.counts.count_iterations(),
            pivots: self.ladder.pivots,
            refined: self.ladder.refined,
            attempts: self
                .awaiting_rework()
                .map_or(0, |rework| rework.attempt + 1),
            ended: self.end.is_some(),
            left: self.finish.is_some(),
        }
    }

    /// What the agent has to do next.
    #[must_use]
    pub fn next_step(&self) -> Step {
        if let Some(ending) = &self.end {
            return Step::Ended(ending.clone());
        }
        if let Some(rework) = self.awaiting_rework() {
            return Step::Rework {
                left: REWORKS - rework.attempt.min(REWORKS),
            };
        }
        if self.batch.is_some() {
            return Step::Batch;
        }
        match self.ladder_due() {
            Due::Row(strategy) => Step::Strategy(strategy),
            Due::Nothing | Due::NeedsHuman => Step::Trial,
        }
    }
}

impl<'r> Ledger<'r> for RunState {
    type Refusal = FoldError;

    fn take_record(&mut self, record: &'r Record) -> Result<(), FoldError> {
        self.apply_event(record.event.clone())
    }
}

#[cfg(test)]
mod tests;
