//! Owns the nights in which the metric counts cases that fail by chance.
//! Does not look inside: it draws counts, feeds them and reads answers.
//! Invariant: a seed decides every draw, so that a figure stays what it is.

use std::fmt::Write as _;

use super::super::level::Side;
use super::super::rule::{NextRun, VerifyRun};
use super::Evidence;
use crate::metric::definition::Direction;

/// Cases whose failures are drawn, and what the rule learns of them.
struct CountedNight {
    evidence: Evidence,
    cases: u32,
    at: f64,
    seed: u64,
}

impl CountedNight {
    /// A night whose first tree fails at this rate.
    fn begin(seed: u64, cases: u32, rate: f64) -> Self {
        let mut night = Self {
            evidence: Evidence::new(Direction::Lower, 0.0).of_cases(Some(cases)),
            cases,
            at: 0.0,
            seed: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
        };
        while !night.evidence.is_calibrated() {
            night.run(Side::Incumbent, rate);
        }
        night
    }

    /// A number from 0 to 1 (xorshift64*, Vigna 2016).
    fn draw(&mut self) -> f64 {
        self.seed ^= self.seed >> 12;
        self.seed ^= self.seed << 25;
        self.seed ^= self.seed >> 27;
        let high = self.seed.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32;
        f64::from(u32::try_from(high).unwrap()) / f64::from(u32::MAX)
    }

    fn count_failures(&mut self, rate: f64) -> u32 {
        let cases = 0..self.cases;
        u32::try_from(cases.filter(|_| self.draw() < rate).count()).unwrap()
    }

    fn run(&mut self, side: Side, rate: f64) {
        let value = self.count_failures(rate).into();
        self.evidence.record_run(VerifyRun {
            at: self.at,
            took: 10.0,
            side,
            value,
            digit: 1.0,
        });
        self.at += 10.0;
    }

    /// Is a candidate of this rate kept beside an incumbent of that one?
    fn try_rate(&mut self, number: u32, incumbent: f64, candidate: f64) -> bool {
        let kept = loop {
            match self.evidence.find_next_run() {
                NextRun::Candidate => self.run(Side::Candidate, candidate),
                NextRun::Incumbent => self.run(Side::Incumbent, incumbent),
                NextRun::Keep => break true,
                NextRun::Worse | NextRun::CannotTell => break false,
            }
        };
        self.evidence.close_trial(kept.then_some(number));
        self.at += 20.0;
        kept
    }
}

const NIGHTS: u64 = 200;
const TRIALS: u32 = 16;
/// Few cases and many, from failures that are rare to a coin.
const LANDSCAPES: [(u32, f64); 7] = [
    (10, 0.1),
    (10, 0.5),
    (20, 0.05),
    (60, 0.02),
    (60, 0.1),
    (60, 0.5),
    (300, 0.03),
];

#[test]
fn few_nights_without_a_better_candidate_keep_something() {
    let mut told = String::new();
    for (cases, rate) in LANDSCAPES {
        let mut false_nights = 0;
        for seed in 1..=NIGHTS {
            let mut night = CountedNight::begin(seed, cases, rate);
            let mut kept = 0;
            for number in 1..=TRIALS {
                kept += u32::from(night.try_rate(number, rate, rate));
            }
            false_nights += u32::from(kept > 0);
        }
        writeln!(
            told,
            "{cases} cases at {rate}: {false_nights} of {NIGHTS} nights"
        )
        .unwrap();
        assert!(u64::from(false_nights) * 100 <= 15 * NIGHTS, "{told}");
    }
    insta::assert_snapshot!(told, @"
            10 cases at 0.1: 0 of 200 nights
            10 cases at 0.5: 9 of 200 nights
            20 cases at 0.05: 0 of 200 nights
            60 cases at 0.02: 0 of 200 nights
            60 cases at 0.1: 3 of 200 nights
            60 cases at 0.5: 7 of 200 nights
            300 cases at 0.03: 1 of 200 nights
            ");
}

/// Of a hundred ideas 15 take half of the failures away, 40 add a quarter, and the others do nothing.
#[test]
fn few_keeps_are_false_where_some_candidates_are_better() {
    let mut told = String::new();
    for (cases, first) in LANDSCAPES {
        let (mut kept, mut wrong, mut good) = (0, 0, 0);
        for seed in 1..=NIGHTS {
            let mut rate = first;
            let mut night = CountedNight::begin(seed, cases, rate);
            for number in 1..=TRIALS {
                let idea = night.draw();
                let factor = match idea {
                    better if better < 0.15 => 0.5,
                    worse if worse < 0.55 => 1.25,
                    _ => 1.0,
                };
                good += u32::from(factor < 1.0);
                let candidate = rate * factor;
                if night.try_rate(number, rate, candidate) {
                    kept += 1;
                    wrong += u32::from(factor >= 1.0);
                    rate = candidate;
                }
            }
        }
        writeln!(
            told,
            "{cases} cases at {first}: {wrong} of {kept} keeps, of {good} good ideas"
        )
        .unwrap();
        assert!(wrong * 100 <= 8 * kept, "{told}");
    }
    insta::assert_snapshot!(told, @"
            10 cases at 0.1: 0 of 1 keeps, of 481 good ideas
            10 cases at 0.5: 5 of 181 keeps, of 486 good ideas
            20 cases at 0.05: 0 of 0 keeps, of 474 good ideas
            60 cases at 0.02: 0 of 0 keeps, of 470 good ideas
            60 cases at 0.1: 2 of 113 keeps, of 452 good ideas
            60 cases at 0.5: 9 of 359 keeps, of 467 good ideas
            300 cases at 0.03: 2 of 170 keeps, of 478 good ideas
            ");
}

#[test]
fn equal_counts_are_never_exact_and_a_clear_fix_is_kept() {
    let mut night = CountedNight::begin(7, 60, 0.0);
    assert!(!night.evidence.is_exact());
    assert!(night.evidence.find_visible_cases().unwrap() > 0.5);
    assert!(!night.try_rate(1, 0.0, 0.0));
    let mut broken = CountedNight::begin(7, 60, 1.0);
    assert!(broken.try_rate(1, 1.0, 0.0), "from all to none");
    assert!(!broken.try_rate(2, 0.0, 0.5), "and half is no fix then");
}
