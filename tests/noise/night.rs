//! Owns one simulated night: trial after trial by the real rule, then the claim; and the same night played greedily.
//! Does not know what the rule believes; it runs what the rule asks for, and closes as the rule says.
//! Invariant: nothing of the landscape reaches the rule but printed numbers and their times.

use autoresearch_core::decide::evidence::claim::starts_with_first;
use autoresearch_core::decide::evidence::level::Side;
use autoresearch_core::decide::evidence::rule::{NextRun, VerifyRun};
use autoresearch_core::decide::evidence::{Evidence, WEAK_PAIRS};
use autoresearch_core::metric::definition::Direction;

use crate::machine::{PrintedNumber, SimulatedMachine};

/// Pairs that are kept back for the claim.
const PAIRS: u32 = 3;
/// The time of so many trials is kept back for trying weak keeps again.
const TRIED_AGAIN: f64 = 2.0;

/// How a night ended.
#[derive(Clone, Debug, Default)]
pub(crate) struct NightEnd {
    pub trials: u32,
    pub runs: u32,
    /// The effects of what is kept, in the order of the keeps, with the trial of each.
    pub kept: Vec<(u32, f64)>,
    pub true_gain: f64,
    /// Gain, low and high of the claim.
    pub claim: Option<(f64, f64, f64)>,
    /// Was the metric still exact at the end?
    pub exact: bool,
}

impl NightEnd {
    pub(crate) fn count_false(&self) -> u32 {
        let count = self
            .kept
            .iter()
            .filter(|(_, effect)| *effect >= 0.0)
            .count();
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    fn find_level(&self) -> f64 {
        self.kept.iter().map(|(_, effect)| effect).sum()
    }
}

fn record(evidence: &mut Evidence, printed: PrintedNumber, side: Side) {
    evidence.record_run(VerifyRun {
        at: printed.at * 10.0,
        took: 10.0,
        side,
        value: printed.value,
        digit: printed.digit,
    });
}

/// Plays a night by the rule.
pub(crate) fn play_night(machine: &mut SimulatedMachine) -> NightEnd {
    let direction = if machine.landscape.higher {
        Direction::Higher
    } else {
        Direction::Lower
    };
    let mut evidence = Evidence::new(direction, 0.0);
    let mut end = NightEnd::default();
    let whole = machine.pace.night;
    let until = whole - TRIED_AGAIN * (machine.pace.idea + 1.0) - 2.0 * f64::from(PAIRS);
    while !evidence.is_calibrated() {
        let printed = machine.run_verify(0.0);
        record(&mut evidence, printed, Side::Incumbent);
    }
    while machine.has_time(machine.pace.idea + 1.0, until) {
        let effect = machine.take_idea();
        end.trials += 1;
        let kept = try_idea(machine, &mut evidence, end.find_level(), effect, until);
        evidence.close_trial(kept.then_some(end.trials));
        if kept {
            end.kept.push((end.trials, effect));
        }
    }
    drop_weak_keeps(machine, &evidence, &mut end);
    end.exact = evidence.is_exact();
    claim_gain(machine, &evidence, &mut end);
    end.runs = machine.runs;
    end.true_gain = machine.find_true_gain(end.find_level());
    end
}

fn try_idea(
    machine: &mut SimulatedMachine,
    evidence: &mut Evidence,
    level: f64,
    effect: f64,
    until: f64,
) -> bool {
    loop {
        let (side, level) = match evidence.find_next_run() {
            NextRun::Keep => return true,
            NextRun::Worse | NextRun::CannotTell => return false,
            NextRun::Candidate => (Side::Candidate, level + effect),
            NextRun::Incumbent => (Side::Incumbent, level),
        };
        if !machine.has_time(1.0, until) {
            return false;
        }
        let printed = machine.run_verify(level);
        record(evidence, printed, side);
    }
}

/// Each weak keep is left out in a few pairs, while the reserve lasts, and dropped where the stack is no worse without it.
fn drop_weak_keeps(machine: &mut SimulatedMachine, evidence: &Evidence, end: &mut NightEnd) {
    let weak = evidence.list_weak_keeps();
    let mut pairs = vec![Vec::new(); weak.len()];
    for number in 0..WEAK_PAIRS {
        for (weak, pairs) in weak.iter().zip(&mut pairs) {
            let enough = 2.0 + 2.0 * f64::from(PAIRS);
            if !machine.has_time(enough, machine.pace.night) {
                return;
            }
            let with = end.find_level();
            let Some(place) = end.kept.iter().position(|kept| kept.0 == weak.trial) else {
                continue;
            };
            pairs.push(run_pair(machine, number, with - end.kept[place].1, with));
            if !evidence.is_worth_keeping(pairs) {
                end.kept.remove(place);
            }
        }
    }
}

fn run_pair(machine: &mut SimulatedMachine, number: usize, first: f64, second: f64) -> (f64, f64) {
    if starts_with_first(number) {
        let one = machine.run_verify(first).value;
        (one, machine.run_verify(second).value)
    } else {
        let other = machine.run_verify(second).value;
        (machine.run_verify(first).value, other)
    }
}

fn claim_gain(machine: &mut SimulatedMachine, evidence: &Evidence, end: &mut NightEnd) {
    if end.kept.is_empty() {
        return;
    }
    let level = end.find_level();
    let mut pairs = Vec::new();
    let enough = |pairs: usize| evidence.is_exact() && pairs > 0;
    while machine.has_time(2.0, machine.pace.night) && !enough(pairs.len()) {
        let pair = run_pair(machine, pairs.len(), 0.0, level);
        pairs.push(pair);
    }
    end.claim = evidence
        .describe_pairs(&pairs)
        .map(|claim| (claim.gain, claim.low, claim.high));
}

/// Plays a night as a loop without a rule does: a number that is better than the best one so far is kept.
pub(crate) fn play_greedy(machine: &mut SimulatedMachine) -> NightEnd {
    let mut end = NightEnd::default();
    let better =
        |one: f64, other: f64, higher: bool| if higher { one > other } else { one < other };
    let mut best = machine.run_verify(0.0).value;
    let whole = machine.pace.night;
    while machine.has_time(machine.pace.idea + 1.0, whole) {
        let effect = machine.take_idea();
        end.trials += 1;
        let value = machine.run_verify(end.find_level() + effect).value;
        if better(value, best, machine.landscape.higher) {
            best = value;
            end.kept.push((end.trials, effect));
        }
    }
    end.true_gain = machine.find_true_gain(end.find_level());
    end.runs = machine.runs;
    end
}
