//! Owns the campaign of drifting nights: what `exec` claims of its kept commits, beside what thirty pairs measure afterwards.
//! Does not use the program's own measuring: it runs verify itself, in trees that git made.
//! Invariant: noise and drift come from the dice alone, and go on through the pairs as through the night.

use std::path::Path;
use std::process::Command;

use super::Figures;
use super::asked::Asked;
use super::dice::Dice;
use super::night::{Morning, Night, RUNS, SPREAD, throw_normal};
use super::rounds;

/// Ideas of a night. One in eight gains six per cent; the others have effects of two, in both directions.
const TRIALS: usize = 16;
const GOOD: f64 = 0.94;
const GOOD_CHANCE: u64 = 12;
const EFFECT: f64 = 0.02;
/// The machine swings about its mean with this deviation, as a share, and remembers so much of it from run to run.
const SWING: f64 = 0.02;
const MEMORY: f64 = 0.94;
/// Pairs of the first and the last commit.
const PAIRS: usize = 30;
/// Student's 97.5 % with 29 degrees of freedom.
const STUDENT: f64 = 2.045;

/// What the nights came to.
#[derive(Default)]
struct Claims {
    made: u32,
    /// The claim's interval and that of the pairs have values in common.
    agreed: u32,
    /// The pairs' mean lies in the claim's interval.
    met: u32,
    /// The truth lies in it.
    held: u32,
}

/// What the pairs measured, as shares: the mean gain, and half of its interval.
struct Remeasured {
    gain: f64,
    half_width: f64,
}

/// Plays nights until the time is over.
pub(crate) fn try_drifts(asked: &Asked) -> Figures {
    let mut claims = Claims::default();
    let tried = rounds::try_rounds(asked, 1, |_, dice| play_night(dice, &mut claims));
    let is_true = claims.agreed * 20 >= claims.made * 19;
    Figures {
        line: format!(
            "{}; {} claims: {PAIRS} pairs agreed with {}, their mean was in the interval of {}, the truth in that of {}",
            tried.opening(asked),
            claims.made,
            claims.agreed,
            claims.met,
            claims.held,
        ),
        held: tried.broken == 0 && (is_true || claims.made < 20),
    }
}

fn play_night(dice: &mut Dice, claims: &mut Claims) {
    let factors: Vec<f64> = (0..TRIALS).map(|_| throw_factor(dice)).collect();
    let night = Night::new(&throw_drifting(dice), &factors);
    let morning = night.live_through();
    if morning.kept == 0 {
        return;
    }
    let pairs = measure_pairs(&night, &morning);
    let (low, high) = morning.claimed();
    let truth = night.find_truth(&morning.commit);
    claims.made += 1;
    claims.met += u32::from(low <= pairs.gain && pairs.gain <= high);
    claims.held += u32::from(low <= truth && truth <= high);
    let (least, most) = (pairs.gain - pairs.half_width, pairs.gain + pairs.half_width);
    claims.agreed += u32::from(low <= most && least <= high);
}

fn throw_factor(dice: &mut Dice) -> f64 {
    if dice.chance(GOOD_CHANCE) {
        GOOD
    } else {
        1.0 + EFFECT * throw_normal(dice)
    }
}

/// Noise of a run on a machine that swings (an autoregressive process of the first order).
fn throw_drifting(dice: &mut Dice) -> Vec<f64> {
    let mut swing = SWING * throw_normal(dice);
    (0..RUNS)
        .map(|_| {
            let fresh = (1.0 - MEMORY * MEMORY).sqrt();
            swing = MEMORY * swing + SWING * fresh * throw_normal(dice);
            swing + SPREAD * throw_normal(dice)
        })
        .collect()
}

/// Runs verify on the first and the last commit in turns, the first of each pair by turns.
fn measure_pairs(night: &Night, morning: &Morning) -> Remeasured {
    let trees = ["main", &morning.commit].map(|commit| {
        let tree = night.0.base.join(format!("tree-{commit}"));
        let place = tree.display().to_string();
        night
            .0
            .git(&["worktree", "add", "-q", "--detach", &place, commit]);
        tree
    });
    let gains: Vec<f64> = (0..PAIRS)
        .map(|pair| {
            let (first, last) = if pair % 2 == 0 {
                let first = run_verify(night, &trees[0]);
                (first, run_verify(night, &trees[1]))
            } else {
                let last = run_verify(night, &trees[1]);
                (run_verify(night, &trees[0]), last)
            };
            (first - last) / first
        })
        .collect();
    let count = f64::from(u32::try_from(gains.len()).unwrap());
    let gain = gains.iter().sum::<f64>() / count;
    let squares: f64 = gains.iter().map(|one| (one - gain).powi(2)).sum();
    Remeasured {
        gain,
        half_width: STUDENT * (squares / (count - 1.0) / count).sqrt(),
    }
}

fn run_verify(night: &Night, tree: &Path) -> f64 {
    let mut verify = Command::new("sh");
    verify.arg("verify.sh").current_dir(tree);
    let out = verify.env("NIGHT", night.0.base.join("night")).output();
    let printed = String::from_utf8(out.unwrap().stdout).unwrap();
    printed.trim().parse().unwrap()
}
