//! Owns the reaction check: in which state of the scope verify runs next, and what its runs prove.
//! Does not run verify or change a file: it is told what each run showed.
//! Invariant: runs that all show the baseline's value never prove a reaction, and there are at most four.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::decide::noise::Noise;
use crate::decide::why::Why;
use crate::metric::definition::Direction;
use crate::metric::value::Value;

/// What is done to the files of the scope before a run of verify.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScopeState {
    /// Nothing: the control.
    Untouched,
    /// Each file has no content.
    Emptied,
    /// The files are gone, from the index too.
    Deleted,
    /// Each file holds what is valid in no language.
    Garbage,
}

impl ScopeState {
    /// In the order in which they are tried.
    const ALL: [Self; 4] = [Self::Untouched, Self::Emptied, Self::Deleted, Self::Garbage];

    /// The state as a word, for people and programs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Untouched => "untouched",
            Self::Emptied => "emptied",
            Self::Deleted => "deleted",
            Self::Garbage => "garbage",
        }
    }
}

/// What one run of verify showed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProbeResult {
    /// The metric.
    Value(Value),
    /// The metric, counted among another total than at the baseline.
    OtherTotal { value: Value, total: Value },
    /// None: verify failed, or printed none.
    Failed(Why),
}

impl fmt::Display for ProbeResult {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(value) => value.fmt(out),
            Self::OtherTotal { value, total } => write!(out, "{value} of {total}"),
            Self::Failed(why) => why.fmt(out),
        }
    }
}

/// A run of verify for the check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    pub state: ScopeState,
    pub result: ProbeResult,
}

/// What the check needs next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextProbe {
    Run(ScopeState),
    Done(ReactionVerdict),
}

/// What the runs prove.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReactionVerdict {
    /// The content of the files decides: without it the metric is another one.
    Reacts,
    /// The content alone does not; only this does.
    ReactsOnly(ScopeState),
    /// Untouched files in another work tree do not give the baseline's value, so nothing can be compared.
    NoControl,
    /// Nothing that was done to the files changed the metric: it measures something else.
    Indifferent,
    /// Nothing that was done changed it beyond its noise, and that is so large that it hides nearly anything.
    TooNoisy,
    /// Nothing changed it either, and it is as bad as can be: zero where higher is better, or all runs fail. Nothing that is
    /// taken away can show.
    AtWorst,
    /// Nothing changed it either, and what is open already hides whether the files decide of it.
    StaysOpen,
}

/// How the check of a start came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReactionOutcome {
    /// The metric reacts to the content of the files.
    Reacts,
    /// It reacts to their absence or to garbage only.
    ReactsWeakly,
    /// It reacts to nothing.
    Indifferent,
    /// It could not be made, or would take too long.
    NotChecked,
    /// A person said why there is none.
    Exempt,
    /// A word of a newer version.
    #[serde(other)]
    Unknown,
}

/// Runs of the baseline that differ by more than this share of the largest hide what verify would show.
const MOST_SPREAD: f64 = 0.25;

/// The check of one metric.
#[derive(Clone, Debug)]
pub struct ReactionCheck<'a> {
    /// The runs of verify at the baseline.
    samples: &'a [Value],
    /// Their noise.
    noise: Noise,
    direction: Direction,
    /// How many there are at most, where the metric counts failed ones of them.
    cases: Option<u32>,
    /// Does it count what is open? Then only what passes can be seen to open.
    counts_open: bool,
    probes: Vec<Probe>,
}

impl<'a> ReactionCheck<'a> {
    /// A check against the runs of the baseline.
    #[must_use]
    pub fn new(samples: &'a [Value], direction: Direction) -> Self {
        let doubles: Vec<f64> = samples.iter().map(Value::to_double).collect();
        Self {
            samples,
            noise: Noise::of_runs(&doubles),
            direction,
            cases: None,
            counts_open: false,
            probes: Vec::new(),
        }
    }

    /// The same of a metric that counts the failed ones of so many.
    #[must_use]
    pub fn of_cases(self, cases: Option<u32>) -> Self {
        Self { cases, ..self }
    }

    /// The same of a metric that counts what is open, such as the gates of a release.
    #[must_use]
    pub fn of_open(self, counts_open: bool) -> Self {
        Self {
            counts_open,
            ..self
        }
    }

    /// The next state, or what is proved.
    #[must_use]
    pub fn next_probe(&self) -> NextProbe {
        let Some((last, before)) = self.probes.split_last() else {
            return NextProbe::Run(ScopeState::Untouched);
        };
        let differs = self.differs_from_baseline(&last.result);
        let verdict = match (last.state, differs) {
            (ScopeState::Untouched, true) => ReactionVerdict::NoControl,
            (ScopeState::Emptied, true) => ReactionVerdict::Reacts,
            (state, true) => ReactionVerdict::ReactsOnly(state),
            (_, false) => match ScopeState::ALL.get(before.len() + 1) {
                Some(next) => return NextProbe::Run(*next),
                None if self.is_at_worst() => ReactionVerdict::AtWorst,
                None if self.counts_open => ReactionVerdict::StaysOpen,
                None if self.is_too_noisy() => ReactionVerdict::TooNoisy,
                None => ReactionVerdict::Indifferent,
            },
        };
        NextProbe::Done(verdict)
    }

    /// Takes note of what verify showed in the state that was asked for; once the check is done, of nothing.
    pub fn record_result(&mut self, result: ProbeResult) {
        if let NextProbe::Run(state) = self.next_probe() {
            self.probes.push(Probe { state, result });
        }
    }

    /// The runs so far.
    #[must_use]
    pub fn into_probes(self) -> Vec<Probe> {
        self.probes
    }

    /// Do the runs of the baseline differ by more than this share of their mean?
    fn is_too_noisy(&self) -> bool {
        let runs: Vec<f64> = self.samples.iter().map(Value::to_double).collect();
        let low = runs.iter().copied().fold(f64::INFINITY, f64::min);
        let high = runs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        high - low > MOST_SPREAD * high.abs().max(low.abs())
    }

    fn is_at_worst(&self) -> bool {
        let worst = match (self.direction, self.cases) {
            (Direction::Higher, _) => Value::zero(),
            (Direction::Lower, Some(cases)) => Value::from(i64::from(cases)),
            (Direction::Lower, None) => return false,
        };
        self.samples.iter().all(|sample| *sample == worst)
    }

    /// Is this not what the untouched tree gives? Exactly, where all runs of the baseline agreed; beyond its noise otherwise.
    fn differs_from_baseline(&self, result: &ProbeResult) -> bool {
        match result {
            ProbeResult::Failed(_) | ProbeResult::OtherTotal { .. } => true,
            ProbeResult::Value(value) if self.noise.is_deterministic() => {
                self.samples.first() != Some(value)
            }
            ProbeResult::Value(value) => {
                let samples: Vec<f64> = self.samples.iter().map(Value::to_double).collect();
                !self.noise.could_be_run_of(&samples, value.to_double())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::decide::why::CommandFailure;

    fn value(text: &str) -> ProbeResult {
        ProbeResult::Value(text.parse().unwrap())
    }

    fn failed() -> ProbeResult {
        ProbeResult::Failed(Why::VerifyFailed(CommandFailure::Exit { status: 1 }))
    }

    /// What a check comes to with these results, and how many of them it asked for.
    fn conclude(samples: &[&str], results: &[ProbeResult]) -> (NextProbe, usize) {
        let samples: Vec<Value> = samples.iter().map(|text| text.parse().unwrap()).collect();
        let mut check = ReactionCheck::new(&samples, Direction::Lower);
        let mut results = results.iter();
        while let (NextProbe::Run(_), Some(result)) = (check.next_probe(), results.clone().next()) {
            results.next();
            check.record_result(result.clone());
        }
        (check.next_probe(), check.into_probes().len())
    }

    fn done(verdict: ReactionVerdict, runs: usize) -> (NextProbe, usize) {
        (NextProbe::Done(verdict), runs)
    }

    #[test]
    fn the_control_comes_first_and_a_tree_without_the_baselines_value_proves_nothing() {
        assert_eq!(
            conclude(&["10", "10"], &[]),
            (NextProbe::Run(ScopeState::Untouched), 0)
        );
        for result in [value("11"), failed()] {
            assert_eq!(
                conclude(&["10", "10"], &[result]),
                done(ReactionVerdict::NoControl, 1)
            );
        }
    }

    #[test]
    fn another_value_or_a_failure_of_emptied_files_is_a_reaction() {
        for result in [value("0"), value("10.1"), failed()] {
            assert_eq!(
                conclude(&["10", "10"], &[value("10.0"), result]),
                done(ReactionVerdict::Reacts, 2)
            );
        }
    }

    #[test]
    fn the_same_count_among_another_total_is_a_reaction() {
        let (value, total) = ("1".parse().unwrap(), "2".parse().unwrap());
        let other = ProbeResult::OtherTotal { value, total };
        assert_eq!(other.to_string(), "1 of 2");
        assert_eq!(
            conclude(&["1", "1"], &[self::value("1"), other.clone()]),
            done(ReactionVerdict::Reacts, 2)
        );
        assert_eq!(
            conclude(&["1", "1"], &[other]),
            done(ReactionVerdict::NoControl, 1)
        );
    }

    #[test]
    fn what_only_deleting_or_garbage_changes_is_a_reaction_that_says_so() {
        let same = value("10");
        let deleted = [same.clone(), same.clone(), value("9")];
        assert_eq!(
            conclude(&["10", "10"], &deleted),
            done(ReactionVerdict::ReactsOnly(ScopeState::Deleted), 3)
        );
        let garbage = [same.clone(), same.clone(), same.clone(), failed()];
        assert_eq!(
            conclude(&["10", "10"], &garbage),
            done(ReactionVerdict::ReactsOnly(ScopeState::Garbage), 4)
        );
        let none = [same.clone(), same.clone(), same.clone(), same];
        assert_eq!(
            conclude(&["10", "10"], &none),
            done(ReactionVerdict::Indifferent, 4)
        );
    }

    #[test]
    fn a_noisy_value_is_compared_with_the_noise_and_not_with_the_last_digit() {
        let samples = ["10.0", "10.2", "9.9", "10.1", "10.0", "9.8"];
        let within = value("10.3");
        assert_eq!(
            conclude(&samples, &[within.clone(), value("10.25"), value("9.7")]),
            (NextProbe::Run(ScopeState::Garbage), 3)
        );
        assert_eq!(
            conclude(&samples, &[value("12")]),
            done(ReactionVerdict::NoControl, 1)
        );
        assert_eq!(
            conclude(&samples, &[within, value("0.1")]),
            done(ReactionVerdict::Reacts, 2)
        );
    }

    #[test]
    fn a_metric_whose_runs_differ_by_more_than_a_quarter_is_not_called_indifferent() {
        let flaky = ["16", "12", "18", "11", "17", "14"];
        let within = [value("15"), value("14"), value("16"), value("13")];
        assert_eq!(
            conclude(&flaky, &within),
            done(ReactionVerdict::TooNoisy, 4)
        );
        let steady = ["100", "104", "98", "101", "103", "99"];
        let within = [value("101"), value("100"), value("102"), value("99")];
        assert_eq!(
            conclude(&steady, &within),
            done(ReactionVerdict::Indifferent, 4)
        );
    }

    #[test]
    fn a_metric_at_zero_that_is_to_grow_is_not_called_indifferent_as_nothing_could_show() {
        let zeros: Vec<Value> = vec![Value::zero(), "0.0".parse().unwrap()];
        let run = |direction, samples: &[Value], last: ProbeResult| {
            let mut check = ReactionCheck::new(samples, direction);
            for result in [value("0"), value("0"), value("0"), last] {
                check.record_result(result);
            }
            check.next_probe()
        };
        let at_zero = NextProbe::Done(ReactionVerdict::AtWorst);
        assert_eq!(run(Direction::Higher, &zeros, value("0")), at_zero);
        assert_eq!(
            run(Direction::Lower, &zeros, value("0")),
            NextProbe::Done(ReactionVerdict::Indifferent)
        );
        assert_eq!(
            run(Direction::Higher, &zeros, failed()),
            NextProbe::Done(ReactionVerdict::ReactsOnly(ScopeState::Garbage))
        );
    }

    #[test]
    fn a_metric_whose_runs_all_fail_is_not_called_indifferent_as_nothing_could_show() {
        let samples: Vec<Value> = vec![2.into(), 2.into(), 2.into()];
        let run = |cases: Option<u32>, value: i64| {
            let mut check = ReactionCheck::new(&samples, Direction::Lower).of_cases(cases);
            for result in [2, 2, 2, value] {
                check.record_result(ProbeResult::Value(result.into()));
            }
            check.next_probe()
        };
        let deaf = NextProbe::Done(ReactionVerdict::Indifferent);
        assert_eq!(run(Some(2), 2), NextProbe::Done(ReactionVerdict::AtWorst));
        assert_eq!(run(Some(3), 2), deaf);
        assert_eq!(run(None, 2), deaf);
        let garbage = ReactionVerdict::ReactsOnly(ScopeState::Garbage);
        assert_eq!(run(Some(2), 0), NextProbe::Done(garbage));
    }

    #[test]
    fn an_outcome_of_a_newer_version_is_read_as_unknown() {
        let read = |word: &str| serde_json::from_str::<ReactionOutcome>(word).unwrap();
        assert_eq!(read("\"reacts-weakly\""), ReactionOutcome::ReactsWeakly);
        assert_eq!(read("\"reacts-twice\""), ReactionOutcome::Unknown);
    }

    #[test]
    fn results_after_the_end_change_nothing() {
        let samples = ["1".parse().unwrap(), "1".parse().unwrap()];
        let mut check = ReactionCheck::new(&samples, Direction::Lower);
        for _ in 0..9 {
            check.record_result(failed());
        }
        assert_eq!(
            check.next_probe(),
            NextProbe::Done(ReactionVerdict::NoControl)
        );
        assert_eq!(check.into_probes().len(), 1);
    }

    fn any_result() -> impl Strategy<Value = ProbeResult> {
        prop_oneof![
            3 => (9_i64..12).prop_map(|number| ProbeResult::Value(number.into())),
            1 => Just(failed()),
        ]
    }

    proptest! {
        #[test]
        fn every_check_ends_after_at_most_four_runs_each_in_the_next_state(
            samples in proptest::collection::vec(9_i64..12, 2..7),
            results in proptest::collection::vec(any_result(), 4),
        ) {
            let samples: Vec<Value> = samples.into_iter().map(Value::from).collect();
            let mut check = ReactionCheck::new(&samples, Direction::Lower);
            for (result, state) in results.into_iter().zip(ScopeState::ALL) {
                match check.next_probe() {
                    NextProbe::Run(next) => prop_assert_eq!(next, state),
                    NextProbe::Done(_) => break,
                }
                check.record_result(result);
            }
            prop_assert!(matches!(check.next_probe(), NextProbe::Done(_)));
        }

        #[test]
        fn a_metric_that_never_differs_is_never_accepted(
            samples in proptest::collection::vec(1_i64..1_000, 2..7),
            which in proptest::collection::vec(0_usize..7, 4),
        ) {
            let samples: Vec<Value> = samples.into_iter().map(Value::from).collect();
            let mut check = ReactionCheck::new(&samples, Direction::Lower);
            for at in which {
                let again = samples[at % samples.len()].clone();
                check.record_result(ProbeResult::Value(again));
            }
            let verdict = check.next_probe();
            let is_deaf = verdict == NextProbe::Done(ReactionVerdict::Indifferent);
            let is_hidden = verdict == NextProbe::Done(ReactionVerdict::TooNoisy);
            prop_assert!(is_deaf || is_hidden, "{:?}", verdict);
        }
    }
}
