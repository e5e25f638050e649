//! Owns the cost of the rule's own looks after ten thousand runs: one look, and reading all of them again.
//! Does not test: no figure of it fails anything.
//! Invariant: the runs are those of a noisy metric without effects, which are the most that a night has.
//!
//! `cargo bench -p autoresearch-core --bench evidence` takes a second.

#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark prints and reads the clock"
)]

use std::hint::black_box;
use std::time::Instant;

use autoresearch_core::decide::evidence::Evidence;
use autoresearch_core::decide::evidence::level::Side;
use autoresearch_core::decide::evidence::rule::{NextRun, VerifyRun};
use autoresearch_core::metric::definition::Direction;

const RUNS: u32 = 10_000;
const LOOKS: u32 = 1_000;

fn main() {
    let began = Instant::now();
    let mut evidence = Evidence::new(Direction::Lower, 0.0);
    let mut at = 0.0;
    let mut word = 1_u32;
    let mut recorded = 0;
    while recorded < RUNS {
        let side = match evidence.find_next_run() {
            NextRun::Candidate => Side::Candidate,
            NextRun::Incumbent => Side::Incumbent,
            end => {
                evidence.close_trial((end == NextRun::Keep).then_some(1));
                continue;
            }
        };
        // A sum of four even numbers is as good as a normal one here.
        let noise: f64 = (0..4)
            .map(|_| {
                word = word.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                f64::from(word) / f64::from(u32::MAX) - 0.5
            })
            .sum();
        evidence.record_run(VerifyRun {
            at,
            took: 1.0,
            side,
            value: 100.0 + noise,
            digit: 1e-6,
        });
        at += 1.0;
        recorded += 1;
    }
    let all = began.elapsed();
    let began = Instant::now();
    for _ in 0..LOOKS {
        black_box(black_box(&evidence).find_next_run());
    }
    let look = began.elapsed() / LOOKS;
    println!(
        "{RUNS} runs read, with a look after each: {all:.1?}; one look after them: {look:.1?}"
    );
}
