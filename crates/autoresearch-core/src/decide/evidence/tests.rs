//! Owns the examples of the rule as a whole, and random walks through it.
//! Does not look inside: it feeds runs and reads answers.
//! Invariant: each run comes ten seconds after the one before.

mod counts;

use proptest::prelude::*;

use super::level::Side;
use super::rule::{NextRun, VerifyRun};
use super::{ClaimedGain, Evidence};
use crate::metric::definition::Direction;

/// Feeds an `Evidence` with runs ten seconds apart.
struct RuleBench {
    evidence: Evidence,
    at: f64,
    digit: f64,
}

impl RuleBench {
    fn new(direction: Direction, digit: f64) -> Self {
        Self {
            evidence: Evidence::new(direction, 0.0),
            at: 0.0,
            digit,
        }
    }

    fn calibrated(values: &[f64]) -> Self {
        let mut bench = Self::new(Direction::Lower, 1e-6);
        bench.run_all(Side::Incumbent, values);
        assert!(bench.evidence.is_calibrated());
        bench
    }

    fn run(&mut self, side: Side, value: f64) {
        self.evidence.record_run(VerifyRun {
            at: self.at,
            took: 10.0,
            side,
            value,
            digit: self.digit,
        });
        self.at += 10.0;
    }

    fn run_all(&mut self, side: Side, values: &[f64]) {
        for value in values {
            self.run(side, *value);
        }
    }

    /// Answers each wish with the next value of that tree until the rule decides.
    fn try_candidate(&mut self, candidate: &[f64], incumbent: &[f64]) -> (NextRun, String) {
        let (mut candidate, mut incumbent) = (candidate.iter().cycle(), incumbent.iter().cycle());
        let mut runs = String::new();
        loop {
            let next = self.evidence.find_next_run();
            let (side, value, letter) = match next {
                NextRun::Candidate => (Side::Candidate, candidate.next(), 'c'),
                NextRun::Incumbent => (Side::Incumbent, incumbent.next(), 'i'),
                end => {
                    self.evidence
                        .close_trial((end == NextRun::Keep).then_some(1));
                    return (end, runs);
                }
            };
            runs.push(letter);
            assert!(runs.len() <= 30, "{runs}");
            self.run(side, *value.unwrap());
        }
    }
}

/// Six runs of about 100 with a spread of about 1 %.
const CALM: [f64; 6] = [100.0, 101.0, 99.0, 100.5, 99.5, 100.2];

#[test]
fn three_equal_runs_make_a_metric_exact_and_six_that_differ_a_noisy_one() {
    let mut bench = RuleBench::new(Direction::Lower, 1.0);
    bench.run_all(Side::Incumbent, &[7.0, 7.0]);
    assert_eq!(bench.evidence.find_next_run(), NextRun::Incumbent);
    bench.run(Side::Incumbent, 7.0);
    assert!(bench.evidence.is_exact());
    assert_eq!(bench.evidence.find_next_run(), NextRun::Candidate);
    let noisy = RuleBench::calibrated(&CALM);
    assert!(!noisy.evidence.is_exact());
    let spread = noisy.evidence.find_run_spread();
    assert!((0.004..0.012).contains(&spread), "{spread}");
}

#[test]
fn an_exact_keep_needs_a_second_equal_run_and_a_third_where_the_gain_is_one_digit() {
    let mut bench = RuleBench::new(Direction::Higher, 1.0);
    bench.run_all(Side::Incumbent, &[40.0; 3]);
    let tried = |bench: &mut RuleBench, value: f64| bench.try_candidate(&[value], &[-1.0]);
    assert_eq!(tried(&mut bench, 45.0), (NextRun::Keep, "cc".to_owned()));
    assert_eq!(tried(&mut bench, 46.0), (NextRun::Keep, "ccc".to_owned()));
    assert_eq!(tried(&mut bench, 46.0), (NextRun::Worse, "c".to_owned()));
    assert_eq!(tried(&mut bench, 45.0), (NextRun::Worse, "c".to_owned()));
}

#[test]
fn after_ten_trials_without_a_proof_an_exact_incumbent_is_run_again() {
    let mut bench = RuleBench::new(Direction::Lower, 1.0);
    bench.run_all(Side::Incumbent, &[40.0; 3]);
    let runs: Vec<String> = (0..20)
        .map(|_| bench.try_candidate(&[41.0], &[40.0]).1)
        .collect();
    let watched: Vec<usize> = (0..20).filter(|at| runs[*at] == "ci").collect();
    assert_eq!(watched, [9, 19]);
}

#[test]
fn a_metric_whose_runs_differ_once_is_noisy_for_good_and_its_lucky_candidate_is_judged_anew() {
    let mut bench = RuleBench::new(Direction::Lower, 1.0);
    bench.run_all(Side::Incumbent, &[40.0; 3]);
    let (end, runs) = bench.try_candidate(&[39.0, 40.0, 41.0, 40.0, 41.0], &[40.0, 40.0, 41.0]);
    assert_ne!(end, NextRun::Keep);
    assert!(runs.starts_with("cciiiiiic"), "{runs}");
    for _ in 0..30 {
        bench.try_candidate(&[40.0], &[40.0]);
        assert!(!bench.evidence.is_exact());
    }
}

#[test]
fn an_incumbent_that_gives_another_value_ends_exactness_too() {
    let mut bench = RuleBench::new(Direction::Lower, 1.0);
    bench.run_all(Side::Incumbent, &[40.0; 3]);
    for _ in 0..9 {
        bench.try_candidate(&[41.0], &[40.0]);
    }
    let (_, runs) = bench.try_candidate(&[41.0], &[40.0, 41.0]);
    assert!(runs.starts_with("ci"), "{runs}");
    let (_, runs) = bench.try_candidate(&[41.0], &[41.0, 40.0, 40.0]);
    assert!(!bench.evidence.is_exact() || runs == "c", "{runs}");
}

#[test]
fn a_gain_of_many_spreads_is_kept_after_two_runs_and_the_next_trial_is_judged_by_it() {
    let mut bench = RuleBench::calibrated(&CALM);
    let (end, runs) = bench.try_candidate(&[80.0, 80.5], &[100.0]);
    assert_eq!(end, NextRun::Keep);
    assert!(["cc", "cci"].contains(&runs.as_str()), "{runs}");
    let (end, runs) = bench.try_candidate(&[90.0], &[80.0]);
    assert_eq!((end, runs.as_str()), (NextRun::Worse, "c"));
}

#[test]
fn a_loss_of_many_spreads_costs_one_run() {
    let mut bench = RuleBench::calibrated(&CALM);
    for _ in 0..8 {
        let tried = bench.try_candidate(&[120.0], &[100.0]);
        assert_eq!(tried, (NextRun::Worse, "c".to_owned()));
    }
}

#[test]
fn a_long_time_after_its_last_run_the_incumbent_is_run_before_a_keep() {
    let mut bench = RuleBench::calibrated(&CALM);
    bench.at += 1_000.0;
    let (end, runs) = bench.try_candidate(&[90.0, 90.4], &[100.0]);
    assert_eq!(end, NextRun::Keep);
    assert!(runs.contains('i'), "{runs}");
}

#[test]
fn runs_of_the_incumbent_before_a_trial_do_not_vouch_for_it() {
    let mut bench = RuleBench::calibrated(&CALM);
    // The start runs the kept state once more in another tree, and then an agent thinks for an hour.
    bench.run(Side::Incumbent, 100.0);
    bench.evidence.close_watch();
    bench.at += 3_600.0;
    let (next, runs) = bench.try_candidate(&[90.0, 90.4, 89.7], &[90.1, 89.8, 90.3]);
    assert_ne!(next, NextRun::Keep, "{runs}: the machine got faster");
    assert!(runs.contains('i'), "{runs}");
}

#[test]
fn it_does_not_matter_when_the_clock_began_even_where_a_verify_takes_a_millisecond() {
    let judge_since = |origin: f64| {
        let mut evidence = Evidence::new(Direction::Lower, 0.0);
        let mut at = origin;
        let incumbent = CALM.map(|value| (Side::Incumbent, value));
        let candidate = [99.0, 98.8].map(|value| (Side::Candidate, value));
        for (number, (side, value)) in incumbent.into_iter().chain(candidate).enumerate() {
            at += if number == CALM.len() { 0.3 } else { 0.001 };
            evidence.record_run(VerifyRun {
                at,
                took: 0.001,
                side,
                value,
                digit: 1e-6,
            });
        }
        (evidence.find_next_run(), evidence.describe_gain().unwrap())
    };
    let ((next, gain), (early_next, early_gain)) = (judge_since(1_795_833_942.0), judge_since(0.0));
    assert_eq!(next, early_next);
    assert!(
        (gain.score - early_gain.score).abs() < 1e-3,
        "{gain:?} is not {early_gain:?}"
    );
}

/// A busy machine, on which a run takes up to half as long again.
const BUSY: [f64; 6] = [100.0, 131.0, 92.0, 148.0, 107.0, 96.0];

#[test]
fn what_falls_to_a_few_per_cent_is_kept_though_its_noise_is_large_beside_what_is_left() {
    for candidate in [[4.0, 3.1, 5.2, 4.4], [1.2, 0.4, 2.0, 0.9]] {
        let mut bench = RuleBench::calibrated(&BUSY);
        let (end, runs) = bench.try_candidate(&candidate, &[118.0, 99.0, 104.0, 140.0]);
        assert_eq!(end, NextRun::Keep, "{runs}");
    }
    let mut bench = RuleBench::calibrated(&BUSY);
    bench.run_all(Side::Candidate, &[4.0, 3.1]);
    let gain = bench.evidence.describe_gain().unwrap();
    assert!(gain.gain > 0.9 && gain.gain < 1.0, "{gain:?}");
    assert!(gain.low > 0.3 && gain.high < 1.6, "{gain:?}");
    let mut bench = RuleBench::calibrated(&BUSY);
    let (end, runs) = bench.try_candidate(&[95.0, 88.0, 120.0, 101.0], &[118.0, 99.0, 104.0]);
    assert_ne!(end, NextRun::Keep, "{runs}");
}

#[test]
fn a_machine_that_became_faster_is_noticed_before_its_speed_is_kept() {
    let mut bench = RuleBench::calibrated(&CALM);
    bench.at += 1_000.0;
    let faster = [94.9, 95.3, 94.6, 95.2];
    let (end, runs) = bench.try_candidate(&faster, &[95.0, 94.8, 95.2]);
    assert_ne!(end, NextRun::Keep, "{runs}");
    // From here on 95 is nothing, and a real gain over it is one.
    assert_ne!(bench.try_candidate(&faster, &[95.0]).0, NextRun::Keep);
    let better = [88.0, 88.3];
    assert_eq!(bench.try_candidate(&better, &[95.0]).0, NextRun::Keep);
}

#[test]
fn one_wild_run_of_the_incumbent_does_not_void_what_was_known() {
    let mut bench = RuleBench::calibrated(&CALM);
    bench.at += 1_000.0;
    let (end, runs) = bench.try_candidate(&[96.0, 95.9, 96.1], &[140.0, 100.0, 100.1]);
    assert!(runs.contains("ii"), "{runs}");
    assert_eq!(end, NextRun::Keep, "{runs}");
    let worse = bench.try_candidate(&[99.0], &[96.0]).0;
    assert_ne!(worse, NextRun::Keep);
}

#[test]
fn a_guard_that_refuses_leaves_the_incumbents_level_where_it_was() {
    let mut bench = RuleBench::calibrated(&CALM);
    bench.run_all(Side::Candidate, &[80.0, 80.5]);
    bench.run(Side::Incumbent, 100.3);
    assert_eq!(bench.evidence.find_next_run(), NextRun::Keep);
    bench.evidence.close_trial(None);
    assert_eq!(
        bench.try_candidate(&[85.0, 85.2], &[100.0]).0,
        NextRun::Keep
    );
    assert!(bench.evidence.list_weak_keeps().is_empty());
}

#[test]
fn values_that_reach_zero_are_judged_as_shares_of_the_first() {
    let mut bench = RuleBench::calibrated(&[5.0, 5.1, 4.9, 5.05, 4.95, 5.0]);
    assert_eq!(bench.try_candidate(&[1.0, 1.02], &[5.0]).0, NextRun::Keep);
    assert_eq!(bench.try_candidate(&[0.0, 0.1], &[1.0]).0, NextRun::Keep);
    assert_eq!(bench.try_candidate(&[-2.0, -2.1], &[0.1]).0, NextRun::Keep);
    assert_eq!(bench.try_candidate(&[1.0], &[-2.0]).0, NextRun::Worse);
}

#[test]
fn what_is_known_of_a_candidate_is_told_as_shares_with_an_interval() {
    let mut bench = RuleBench::calibrated(&CALM);
    assert_eq!(bench.evidence.describe_gain(), None);
    bench.run_all(Side::Candidate, &[90.0, 90.2, 89.8]);
    let known = bench.evidence.describe_gain().unwrap();
    assert!((known.gain - 0.1).abs() < 0.006, "{known:?}");
    assert!(known.low < known.gain && known.gain < known.high);
    assert!(known.score > known.needed);
    let visible = bench.evidence.find_visible_gain();
    assert!((0.005..0.03).contains(&visible), "{visible}");
}

#[test]
fn after_a_long_pause_the_incumbent_is_run_before_a_candidate_is_given_up() {
    let mut bench = RuleBench::calibrated(&CALM);
    for _ in 0..3 {
        assert_ne!(bench.try_candidate(&[100.1], &[100.0]).0, NextRun::Keep);
    }
    bench.at += 1e7;
    let (end, runs) = bench.try_candidate(&[50.0, 50.2], &[99.8]);
    assert_eq!((end, &runs[..2]), (NextRun::Keep, "ci"), "{runs}");
}

#[test]
fn a_weak_keep_stays_only_where_the_stack_is_better_with_it() {
    let bench = RuleBench::calibrated(&CALM);
    assert!(bench.evidence.is_worth_keeping(&[(100.0, 98.0)]));
    assert!(!bench.evidence.is_worth_keeping(&[(100.0, 99.9)]));
    assert!(!bench.evidence.is_worth_keeping(&[(100.0, 101.0)]));
    assert!(bench.evidence.is_worth_keeping(&[]));
}

#[test]
fn the_claim_is_a_share_of_the_start_and_holds_for_metrics_that_grow_or_cross_zero() {
    let claimed = |direction, calibration: &[f64], pairs: &[(f64, f64)]| -> ClaimedGain {
        let mut bench = RuleBench::new(direction, 1e-6);
        bench.run_all(Side::Incumbent, calibration);
        bench.evidence.describe_pairs(pairs).unwrap()
    };
    let noisy = claimed(Direction::Higher, &CALM, &[(100.0, 120.0), (100.0, 120.0)]);
    assert!((noisy.gain - 0.2).abs() < 1e-9 && noisy.low > 0.15 && noisy.high < 0.25);
    let exact = claimed(Direction::Lower, &[8.0; 3], &[(8.0, 6.0)]);
    assert!((exact.gain - 0.25).abs() < 1e-9 && (exact.high - exact.low).abs() < 1e-12);
    let across = claimed(Direction::Lower, &CALM, &[(100.0, -100.0)]);
    assert!((across.gain - 2.0).abs() < 1e-9);
}

fn any_value() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => 90.0_f64..110.0,
        2 => (9_i32..13).prop_map(f64::from),
        1 => any::<f64>(),
        1 => prop_oneof![
            Just(0.0), Just(-0.0), Just(f64::NAN), Just(f64::INFINITY), Just(f64::NEG_INFINITY),
            Just(f64::MAX), Just(f64::MIN_POSITIVE), Just(-1e300),
        ],
    ]
}

#[derive(Clone, Copy, Debug)]
enum Deed {
    Run(Side, f64, f64),
    Close(bool),
}

fn any_deed() -> impl Strategy<Value = Deed> {
    let side = prop_oneof![Just(Side::Incumbent), Just(Side::Candidate)];
    prop_oneof![
        5 => (side, any_value(), -5.0_f64..50.0).prop_map(|(side, value, wait)| Deed::Run(side, value, wait)),
        1 => any::<bool>().prop_map(Deed::Close),
    ]
}

fn record_all(deeds: &[Deed], direction: Direction) -> Evidence {
    let mut evidence = Evidence::new(direction, 0.0);
    let mut at = 0.0;
    for deed in deeds {
        match *deed {
            Deed::Run(side, value, wait) => {
                at += wait;
                evidence.record_run(VerifyRun {
                    at,
                    took: 1.0,
                    side,
                    value,
                    digit: 1.0,
                });
            }
            Deed::Close(kept) => evidence.close_trial(kept.then_some(1)),
        }
        let _ = evidence.find_next_run();
    }
    evidence
}

proptest! {
    #[test]
    fn any_runs_in_any_order_give_an_answer_and_finite_figures(
        deeds in proptest::collection::vec(any_deed(), 0..120),
        higher in any::<bool>(),
    ) {
        let direction = if higher { Direction::Higher } else { Direction::Lower };
        let evidence = record_all(&deeds, direction);
        prop_assert!(evidence.find_run_spread().is_finite());
        prop_assert!(!evidence.find_visible_gain().is_nan());
        if let Some(known) = evidence.describe_gain() {
            prop_assert!(!known.gain.is_nan() && !known.score.is_nan(), "{known:?}");
        }
        if let Some(claim) = evidence.describe_pairs(&[(1.0, 0.5), (3.0, -2.0), (1e300, 1e-300)]) {
            prop_assert!(!claim.gain.is_nan() && !claim.low.is_nan() && !claim.high.is_nan());
        }
    }

    #[test]
    fn a_trial_ends_after_at_most_twenty_runs_and_six_of_a_calibration(
        deeds in proptest::collection::vec(any_deed(), 0..60),
        values in proptest::collection::vec(any_value(), 40),
    ) {
        let mut evidence = record_all(&deeds, Direction::Lower);
        evidence.close_trial(None);
        let mut at = 1e6;
        let mut runs = 0;
        for value in values.iter().cycle().filter(|value| value.is_finite()) {
            let side = match evidence.find_next_run() {
                NextRun::Candidate => Side::Candidate,
                NextRun::Incumbent => Side::Incumbent,
                _ => break,
            };
            evidence.record_run(VerifyRun { at, took: 1.0, side, value: *value, digit: 1.0 });
            at += 1.0;
            runs += 1;
            prop_assert!(runs <= 31, "{runs}");
            if !values.iter().any(|value| value.is_finite()) { break; }
        }
    }

    #[test]
    fn two_folds_of_the_same_records_believe_the_same(
        deeds in proptest::collection::vec(any_deed(), 0..80),
    ) {
        let [one, other] = [(), ()].map(|()| record_all(&deeds, Direction::Lower));
        prop_assert_eq!(one.find_next_run(), other.find_next_run());
        prop_assert_eq!(one.find_run_spread().to_bits(), other.find_run_spread().to_bits());
    }

    #[test]
    fn what_is_believed_is_the_same_after_it_was_written_down(
        deeds in proptest::collection::vec(any_deed(), 0..80),
    ) {
        let evidence = record_all(&deeds, Direction::Lower);
        let written = serde_json::to_vec(&evidence).unwrap();
        let read: Evidence = serde_json::from_slice(&written).unwrap();
        prop_assert_eq!(&read, &evidence);
    }
}
