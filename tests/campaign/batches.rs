//! Owns the campaign of batches: nights without a good idea, with three ideas at once and with one after the other.
//! Does not know the rule, nor how a batch chooses.
//! Invariant: both kinds of night see noise of the same dice.

use super::Figures;
use super::asked::Asked;
use super::dice::Dice;
use super::night::{Morning, Night, RUNS, SPREAD, throw_normal};
use super::rounds;

/// Trials, or batches, of a night.
const TRIALS: usize = 8;

/// What the nights of a kind came to.
#[derive(Clone, Copy, Debug, Default)]
struct Keeps {
    iterations: u64,
    kept: u64,
}

impl Keeps {
    fn add(&mut self, morning: &Morning) {
        self.iterations += morning.iterations;
        self.kept += morning.kept;
    }

    fn find_rate(self) -> f64 {
        to_float(self.kept) / to_float(self.iterations.max(1))
    }
}

/// Plays pairs of nights until the time is over.
pub(crate) fn try_batches(asked: &Asked) -> Figures {
    let (mut single, mut batches) = (Keeps::default(), Keeps::default());
    let tried = rounds::try_rounds(asked, 1, |_, dice| {
        single.add(&Night::new(&throw_noise(dice), &[1.0; TRIALS]).live_through());
        batches.add(&Night::of_batches(&throw_noise(dice), TRIALS).live_through());
    });
    Figures {
        line: format!(
            "{}; no idea helps: {} of {} batches of three kept something ({:.2} %), {} of {} single trials ({:.2} %)",
            tried.opening(asked),
            batches.kept,
            batches.iterations,
            100.0 * batches.find_rate(),
            single.kept,
            single.iterations,
            100.0 * single.find_rate(),
        ),
        held: tried.broken == 0 && is_no_more(batches, single),
    }
}

/// Is the first share no more than the second, as far as both counts can tell? Two deviations of their difference.
fn is_no_more(batches: Keeps, single: Keeps) -> bool {
    let iterations = to_float((batches.iterations + single.iterations).max(1));
    let pooled = to_float(batches.kept + single.kept) / iterations;
    let parts =
        1.0 / to_float(batches.iterations.max(1)) + 1.0 / to_float(single.iterations.max(1));
    let deviation = (pooled * (1.0 - pooled) * parts).sqrt();
    batches.find_rate() <= single.find_rate() + 2.0 * deviation
}

fn throw_noise(dice: &mut Dice) -> Vec<f64> {
    (0..RUNS).map(|_| SPREAD * throw_normal(dice)).collect()
}

fn to_float(count: u64) -> f64 {
    u32::try_from(count).map_or(f64::MAX, f64::from)
}
