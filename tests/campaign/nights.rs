//! Owns the campaign of nights: whole `exec` runs on a noisy metric, most of them without a good idea.
//! Does not know the rule.
//! Invariant: the noise comes from the dice alone.

use super::Figures;
use super::asked::Asked;
use super::dice::Dice;
use super::night::{Night, RUNS, SPREAD, throw_normal};
use super::rounds;

/// Trials of a night.
const TRIALS: usize = 16;
/// What the good idea makes of the cost: a gain of three spreads.
const GOOD: f64 = 1.0 - 3.0 * SPREAD;
/// Three nights of thirteen have a good idea: 60 of 260.
const GOOD_NIGHTS: [u64; 3] = [4, 8, 12];
const CYCLE: u64 = 13;

/// What the nights came to.
#[derive(Default)]
struct Nights {
    null: u32,
    null_told_as_gain: u32,
    good: u32,
    good_found: u32,
    /// Claims whose interval holds the truth.
    claims: u32,
    held: u32,
}

/// Plays nights until the time is over.
pub(crate) fn try_nights(asked: &Asked) -> Figures {
    let mut nights = Nights::default();
    let tried = rounds::try_rounds(asked, 1, |round, dice| {
        let is_good = GOOD_NIGHTS.contains(&(round % CYCLE));
        play_night(is_good, dice, &mut nights);
    });
    let is_whole = nights.null >= 200 && nights.good >= 60;
    let is_true = nights.null_told_as_gain * 200 <= nights.null * 7
        && nights.good_found * 60 >= nights.good * 48;
    Figures {
        line: format!(
            "{}; {} of {} nights without a good idea were told as a gain, {} of {} with one; the interval held the truth in {} of {} claims",
            tried.opening(asked),
            nights.null_told_as_gain,
            nights.null,
            nights.good_found,
            nights.good,
            nights.held,
            nights.claims
        ),
        held: tried.broken == 0 && (is_true || !is_whole),
    }
}

fn play_night(is_good: bool, dice: &mut Dice, nights: &mut Nights) {
    let mut factors = [1.0; TRIALS];
    if is_good {
        factors[dice.index(TRIALS)] = GOOD;
    }
    let noise: Vec<f64> = (0..RUNS).map(|_| SPREAD * throw_normal(dice)).collect();
    let night = Night::new(&noise, &factors);
    let morning = night.live_through();
    nights.count(is_good, morning.is_told);
    if morning.kept > 0 {
        let truth = night.find_truth(&morning.commit);
        let (low, high) = morning.claimed();
        nights.claims += 1;
        nights.held += u32::from(low <= truth && truth <= high);
    }
}

impl Nights {
    fn count(&mut self, is_good: bool, is_told: bool) {
        let (all, told) = if is_good {
            (&mut self.good, &mut self.good_found)
        } else {
            (&mut self.null, &mut self.null_told_as_gain)
        };
        *all += 1;
        *told += u32::from(is_told);
    }
}
