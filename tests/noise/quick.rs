//! Owns the quick slice of the simulation: sixty nights of a few landscapes, with bounds that a rule which guesses breaks.
//! Does not measure: the table of many nights does.
//! Invariant: the seeds are fixed, so a night that fails here fails everywhere.

use crate::machine::{
    AGENT_BOUND, Drift, Landscape, Pace, Printed, SimulatedMachine, VERIFY_BOUND,
};
use crate::night::{play_greedy, play_night};
use crate::table::{NightFigures, play_nights};

const NIGHTS: u64 = 60;
const SEED: u64 = 40_000;

fn play(landscape: Landscape, pace: Pace) -> NightFigures {
    play_nights(landscape, pace, SEED, NIGHTS)
}

#[track_caller]
fn assert_below(found: f64, bound: f64, what: &str) {
    assert!(found <= bound, "{what}: {found:.3}, at most {bound}");
}

#[test]
fn at_one_per_cent_of_noise_most_of_the_gain_is_found_and_the_claim_is_true() {
    for (pace, share) in [(VERIFY_BOUND, 0.62), (AGENT_BOUND, 0.75)] {
        let figures = play(Landscape::new(0.01), pace);
        assert_below(figures.mean_false_share(), 0.10, "false keeps");
        assert_below(figures.share_of_worse(), 0.02, "worse than the start");
        assert_below(figures.mean_gap().abs(), 0.003, "gap of the claim");
        assert_below(1.0 - figures.share_covered(), 0.12, "claims that miss");
        assert_below(share, figures.share_of_greedy(), "share of greedy's gain");
    }
}

#[test]
fn a_machine_that_drifts_or_becomes_faster_is_not_told_as_a_gain() {
    for drift in [Drift::Swing(0.02), Drift::Jump(-0.05, 0.3)] {
        let figures = play(Landscape::new(0.01).with_drift(drift), VERIFY_BOUND);
        assert_below(figures.mean_false_share(), 0.20, "false keeps");
        assert_below(figures.mean_gap().abs(), 0.004, "gap of the claim");
    }
}

#[test]
fn nights_in_which_nothing_works_keep_nothing() {
    let coarse = Landscape::without_effects(0.03).print_as(Printed::Whole(12.0));
    let later = Landscape::without_effects(0.01).with_late_noise();
    for landscape in [Landscape::without_effects(0.01), coarse, later] {
        let figures = play(landscape, VERIFY_BOUND);
        assert_below(
            figures.share_of_false_nights(),
            0.25,
            "nights with a false keep",
        );
    }
}

#[test]
fn an_exact_metric_costs_little_more_than_a_run_a_trial_and_is_never_wrong() {
    let figures = play(Landscape::new(0.0), VERIFY_BOUND);
    assert_below(figures.mean_runs(), 1.3, "runs a trial");
    assert_below(figures.mean_false_share(), 0.0, "false keeps");
    assert_below(figures.mean_gap().abs(), 1e-6, "gap of the claim");
}

#[test]
fn large_effects_and_noise_of_constant_size_fool_the_rule_no_more_than_small_ones() {
    for constant_noise in [false, true] {
        let landscape = Landscape::new(0.01).with_large_effects(constant_noise);
        let figures = play(landscape, VERIFY_BOUND);
        assert_below(figures.mean_false_share(), 0.10, "false keeps");
        assert_below(0.8, figures.share_of_greedy(), "share of greedy's gain");
    }
}

/// The bench itself: without a rule more than every third keep is false, and the same seed gives the same night.
#[test]
fn a_greedy_loop_breaks_these_bounds_on_the_same_nights() {
    let machine = |seed| SimulatedMachine::new(Landscape::new(0.01), VERIFY_BOUND, seed, 1);
    let shares = (0..NIGHTS).map(|night| {
        let end = play_greedy(&mut machine(SEED + night));
        let keeps = f64::from(u32::try_from(end.kept.len().max(1)).unwrap_or(1));
        f64::from(end.count_false()) / keeps
    });
    let count = f64::from(u32::try_from(NIGHTS).unwrap_or(1));
    assert_below(
        0.3,
        shares.sum::<f64>() / count,
        "a greedy loop's false keeps",
    );
    let [one, other] = [(), ()].map(|()| play_night(&mut machine(SEED)));
    assert_eq!(one.kept, other.kept);
    assert_eq!(one.claim, other.claim);
}
