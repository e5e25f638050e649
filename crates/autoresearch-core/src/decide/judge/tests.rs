//! Examples and random walks for the judge: every order of what verify and guard can do.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, proptest};
use serde_json::json;

use super::*;
use crate::config::SuspectPattern;
use crate::journal::sample::{make_commit, make_tree};

fn config(more: &serde_json::Value) -> Config {
    let mut document = json!({
        "goal": "g", "scope": ["src/**"], "metric": {"name": "m", "direction": "lower"}, "verify": {"command": "v"},
    });
    for (key, value) in more.as_object().unwrap() {
        document[key] = value.clone();
    }
    crate::config::check_config(&document).config.unwrap()
}

fn measured(text: &str) -> Measurement {
    let metric = &config(&json!({})).metric;
    crate::metric::measurement::read_measurement(text, metric, None)
        .unwrap()
        .0
}

fn incumbent(samples: &[f64]) -> Incumbent {
    Incumbent {
        trial: 0,
        commit: make_commit(0),
        tree: make_tree(0),
        measurement: measured("47"),
        samples: samples.to_vec(),
        labels: Vec::new(),
    }
}

fn single(config: &Config, attempt: Attempt, output: &str) -> Judgement {
    let incumbent = incumbent(&[47.0]);
    let mut judge = Judge::new(config, &incumbent, Noise::default(), attempt);
    assert_eq!(judge.next_check(), NextCheck::Verify);
    while judge.next_check() == NextCheck::Verify {
        judge.record_verify(Ok(measured(output)));
    }
    if judge.next_check() == NextCheck::Guard {
        judge.record_guard(Ok(()));
    }
    judge.to_judgement().unwrap()
}

#[test]
fn only_strictly_better_is_kept() {
    let config = config(&json!({}));
    let outcome = |output| single(&config, Attempt::default(), output).outcome;
    assert_eq!(outcome("46"), TrialOutcome::Keep);
    assert_eq!(outcome("47"), TrialOutcome::Discard(Why::Tie));
    assert_eq!(outcome("48"), TrialOutcome::Discard(Why::WorseMetric));
}

#[test]
fn what_honest_code_does_as_well_is_flagged_until_its_pattern_is_allowed() {
    let suspects = vec![Suspicion {
        pattern: SuspectPattern::RemembersAnswers,
        file: "src/a.py".to_owned(),
        line: 3,
    }];
    for (allowed, flags) in [(&[][..], &suspects[..]), (&["remembers-answers"], &[])] {
        let config = config(&json!({"allow_suspect": allowed}));
        let attempt = Attempt {
            suspects: suspects.clone(),
            ..Attempt::default()
        };
        let judged = single(&config, attempt, "46");
        assert_eq!(
            (judged.outcome, &judged.suspects[..]),
            (TrialOutcome::Keep, flags)
        );
    }
}

#[test]
fn code_that_games_the_measurement_is_not_kept_unless_its_pattern_is_allowed() {
    let suspects: Vec<Suspicion> = [SuspectPattern::PatchesClock, SuspectPattern::KeepsState]
        .map(|pattern| Suspicion {
            pattern,
            file: "src/a.py".to_owned(),
            line: 3,
        })
        .into();
    let judge = |allowed: &[&str], output| {
        let config = config(&json!({"allow_suspect": allowed}));
        let attempt = Attempt {
            suspects: suspects.clone(),
            ..Attempt::default()
        };
        single(&config, attempt, output)
    };
    let doubted = |found: &[Suspicion]| TrialOutcome::Discard(Why::Suspect(found.to_vec()));
    assert_eq!(judge(&[], "46").outcome, doubted(&suspects));
    assert_eq!(
        judge(&["patches-clock"], "46").outcome,
        doubted(&suspects[1..])
    );
    let allowed = judge(&["keeps-state", "patches-clock"], "46");
    assert_eq!(
        (allowed.outcome, allowed.suspects),
        (TrialOutcome::Keep, suspects.clone()),
        "it is kept, and known"
    );
    // A better reason is told.
    assert_eq!(
        judge(&[], "48").outcome,
        TrialOutcome::Discard(Why::WorseMetric)
    );
}

#[test]
fn a_tie_is_kept_for_a_simplification() {
    let attempt = Attempt {
        simplifies: true,
        ..Attempt::default()
    };
    assert_eq!(
        single(&config(&json!({})), attempt.clone(), "47").outcome,
        TrialOutcome::Keep
    );
    assert_eq!(
        single(&config(&json!({})), attempt, "47.5").outcome,
        TrialOutcome::Discard(Why::WorseMetric)
    );
}

#[test]
fn the_other_direction_is_judged_the_other_way_round() {
    let config = config(&json!({"metric": {"name": "m", "direction": "higher"}}));
    assert_eq!(
        single(&config, Attempt::default(), "48").outcome,
        TrialOutcome::Keep
    );
    assert_eq!(
        single(&config, Attempt::default(), "46").outcome,
        TrialOutcome::Discard(Why::WorseMetric)
    );
}

#[test]
fn min_improvement_is_a_threshold() {
    let config = config(&json!({"min_improvement": "10%"}));
    assert_eq!(
        single(&config, Attempt::default(), "43").outcome,
        TrialOutcome::Discard(Why::BelowMinimum)
    );
    assert_eq!(
        single(&config, Attempt::default(), "42.3").outcome,
        TrialOutcome::Keep
    );
}

#[test]
fn conditions_and_labels_stand_before_the_guard() {
    let config = config(&json!({
        "guard": {"command": "g"}, "required_labels": {"keep": ["real"]},
        "keep_when": [{"metric": "tests", "op": ">=", "value": 40}],
    }));
    let attempt = Attempt {
        labels: vec!["real".into()],
        ..Attempt::default()
    };
    let few = single(&config, attempt.clone(), "{\"primary\": 46, \"tests\": 39}");
    assert_eq!(
        few.outcome,
        TrialOutcome::Discard(Why::KeepWhen("tests >= 40".into()))
    );
    assert_eq!(few.guard, Guard::NotRun);
    let enough = "{\"primary\": 46, \"tests\": 40}";
    assert_eq!(
        single(&config, Attempt::default(), enough).outcome,
        TrialOutcome::Discard(Why::MissingLabel("real".into()))
    );
    let kept = single(&config, attempt, enough);
    assert_eq!(
        (kept.outcome, kept.guard),
        (TrialOutcome::Keep, Guard::Pass)
    );
}

#[test]
fn a_failed_guard_is_never_a_keep() {
    let config = config(&json!({"guard": {"command": "g"}}));
    let incumbent = incumbent(&[47.0]);
    for number in 0..=REWORKS {
        let mut judge = Judge::new(
            &config,
            &incumbent,
            Noise::default(),
            Attempt {
                number,
                ..Attempt::default()
            },
        );
        for _ in 0..2 {
            assert_eq!(judge.next_check(), NextCheck::Verify);
            judge.record_verify(Ok(measured("46")));
        }
        assert_eq!(judge.next_check(), NextCheck::Guard);
        judge.record_guard(Err(CommandFailure::Exit { status: 1 }));
        let why = Why::GuardFailed(CommandFailure::Exit { status: 1 });
        let expected = if number < REWORKS {
            TrialOutcome::Rework(why)
        } else {
            TrialOutcome::Discard(why)
        };
        assert_eq!(judge.to_judgement().unwrap().outcome, expected);
    }
}

#[test]
fn a_failed_verify_has_no_metric() {
    let (config, incumbent) = (config(&json!({})), incumbent(&[47.0]));
    let mut judge = Judge::new(&config, &incumbent, Noise::default(), Attempt::default());
    judge.record_verify(Err(Why::VerifyFailed(CommandFailure::Timeout {
        limit_ms: 1,
    })));
    let judgement = judge.to_judgement().unwrap();
    assert_eq!(judgement.measurement, None);
    assert!(matches!(judgement.outcome, TrialOutcome::Crash(_)));
}

#[test]
fn an_exact_number_is_measured_twice_before_it_is_kept() {
    let (config, incumbent) = (
        config(&json!({"guard": {"command": "g"}})),
        incumbent(&[47.0, 47.0]),
    );
    let decide = |outputs: &[&str]| {
        let mut judge = Judge::new(&config, &incumbent, Noise::default(), Attempt::default());
        let mut runs = 0;
        while judge.next_check() == NextCheck::Verify {
            judge.record_verify(Ok(measured(outputs[runs])));
            runs += 1;
        }
        if judge.next_check() == NextCheck::Guard {
            judge.record_guard(Ok(()));
        }
        let judgement = judge.to_judgement().unwrap();
        (judgement.outcome, judgement.jump, runs)
    };
    assert_eq!(decide(&["0", "0"]), (TrialOutcome::Keep, true, 2));
    assert_eq!(decide(&["46", "46"]), (TrialOutcome::Keep, false, 2));
    for (outputs, jump) in [
        (["0", "47"], true),
        (["46", "47"], false),
        (["46", "45"], false),
    ] {
        let [first, second] = outputs.map(|text| measured(text).value);
        let why = Why::NotRepeated { first, second };
        assert_eq!(decide(&outputs), (TrialOutcome::Discard(why), jump, 2));
    }
    for (output, why) in [("47", Why::Tie), ("48", Why::WorseMetric)] {
        assert_eq!(
            decide(&[output]),
            (TrialOutcome::Discard(why), false, 1),
            "a discard costs one run"
        );
    }
    // Within the range of what was seen it is not a jump.
    let mut seen = MeasuredRange::of_value(&Value::from(47));
    seen.include_value(&Value::from(1_000));
    let mut judge = Judge::new(&config, &incumbent, Noise::default(), Attempt::default())
        .with_measured_range(Some(&seen));
    for _ in 0..2 {
        assert_eq!(judge.next_check(), NextCheck::Verify);
        judge.record_verify(Ok(measured("10")));
    }
    judge.record_guard(Ok(()));
    assert!(!judge.to_judgement().unwrap().jump);
}

#[test]
fn a_condition_has_to_hold_in_both_runs_of_an_exact_metric_and_one_that_fails_costs_one_run() {
    let config = config(&json!({"keep_when": [{"metric": "tests", "op": ">=", "value": 40}]}));
    let decide = |tests: &[i64]| {
        let incumbent = incumbent(&[47.0]);
        let mut judge = Judge::new(&config, &incumbent, Noise::default(), Attempt::default());
        let mut runs = 0;
        while judge.next_check() == NextCheck::Verify {
            let output = json!({"primary": 46, "tests": tests[runs]}).to_string();
            judge.record_verify(Ok(measured(&output)));
            runs += 1;
        }
        (judge.to_judgement().unwrap().outcome, runs)
    };
    let broken = || TrialOutcome::Discard(Why::KeepWhen("tests >= 40".into()));
    assert_eq!(decide(&[39]), (broken(), 1));
    assert_eq!(decide(&[60, 39]), (broken(), 2));
    assert_eq!(decide(&[40, 60]), (TrialOutcome::Keep, 2));
}

#[test]
fn an_exact_number_whose_second_run_gives_no_number_is_a_crash() {
    let (config, incumbent) = (config(&json!({})), incumbent(&[47.0, 47.0]));
    let mut judge = Judge::new(&config, &incumbent, Noise::default(), Attempt::default());
    judge.record_verify(Ok(measured("46")));
    judge.record_verify(Err(Why::NoMetric("nothing".into())));
    assert!(matches!(
        judge.to_judgement().unwrap().outcome,
        TrialOutcome::Crash(_)
    ));
}

fn noisy(outputs: &[&str]) -> (Judgement, usize) {
    let (config, incumbent) = (
        config(&json!({})),
        incumbent(&[46.0, 47.0, 48.0, 47.0, 46.0, 48.0]),
    );
    let noise = Noise::of_runs(&incumbent.samples);
    let mut judge = Judge::new(&config, &incumbent, noise, Attempt::default());
    let mut runs = 0;
    while judge.next_check() == NextCheck::Verify {
        judge.record_verify(Ok(measured(outputs[runs])));
        runs += 1;
    }
    (judge.to_judgement().unwrap(), runs)
}

#[test]
fn a_noisy_metric_is_screened_by_one_run_and_kept_by_fresh_ones() {
    let (judgement, runs) = noisy(&["30", "40", "41"]);
    assert_eq!((judgement.outcome, runs), (TrialOutcome::Keep, 3));
    assert_eq!(judgement.measurement.unwrap().value.to_string(), "40.5");
    assert_eq!(judgement.samples.len(), 2);
}

#[test]
fn one_lucky_run_keeps_nothing() {
    let (judgement, runs) = noisy(&["40", "47.5"]);
    assert_eq!(
        (judgement.outcome, runs),
        (TrialOutcome::Discard(Why::WorseMetric), 2)
    );
    let (judgement, runs) = noisy(&["46.9"]);
    assert!(matches!(
        judgement.outcome,
        TrialOutcome::Discard(Why::CannotTell { runs: 0, .. })
    ));
    assert_eq!(runs, 1);
}

/// A run of verify or guard in a walk: which of them runs is for the judge to say.
#[derive(Clone, Copy, Debug)]
struct CommandRun {
    /// What verify prints; none where it fails.
    printed: Option<i64>,
    /// Does the guard pass?
    passes: bool,
}

/// What surrounds a decision.
#[derive(Clone, Debug)]
struct WalkCase {
    higher: bool,
    /// How often the guard may be run again; none without a guard.
    retries: Option<u32>,
    minimum: Option<i64>,
    /// The least `m` that `keep_when` asks for.
    floor: Option<i64>,
    attempt: u32,
    simplifies: bool,
    /// How far apart the incumbent's runs are; 0 for a deterministic metric.
    spread: i64,
    runs: Vec<CommandRun>,
}

fn walk_cases() -> impl Strategy<Value = WalkCase> {
    let run = (option::weighted(0.9, 0_i64..60), any::<bool>())
        .prop_map(|(printed, passes)| CommandRun { printed, passes });
    let config = (
        any::<bool>(),
        option::of(0_u32..3),
        option::of(1_i64..10),
        option::weighted(0.2, 0_i64..60),
    );
    let trial = (0..=REWORKS, any::<bool>(), 0_i64..4, vec(run, 40));
    (config, trial).prop_map(
        |((higher, retries, minimum, floor), (attempt, simplifies, spread, runs))| WalkCase {
            higher,
            retries,
            minimum,
            floor,
            attempt,
            simplifies,
            spread,
            runs,
        },
    )
}

/// What a walk came to.
#[derive(Debug)]
struct WalkResult {
    judgement: Judgement,
    printed: Vec<i64>,
    crashed: bool,
    guards: Vec<bool>,
}

const BEST: i64 = 30;

fn make_walk_config(case: &WalkCase) -> Config {
    let direction = if case.higher { "higher" } else { "lower" };
    let mut more = json!({"metric": {"name": "m", "direction": direction}});
    if let Some(retries) = case.retries {
        more["guard"] = json!({"command": "g", "retries": retries});
    }
    if let Some(minimum) = case.minimum {
        more["min_improvement"] = json!(minimum);
    }
    if let Some(floor) = case.floor {
        more["keep_when"] = json!([{"metric": "m", "op": ">=", "value": floor}]);
    }
    config(&more)
}

/// Does what the judge asks for until it is done. `None` when that takes more than any rule allows.
fn walk(case: &WalkCase) -> Option<WalkResult> {
    let config = make_walk_config(case);
    let samples: Vec<f64> = [-1, 0, 1, 0, -1, 1]
        .into_iter()
        .map(|side| Value::from(BEST + side * case.spread).to_double())
        .collect();
    let incumbent = Incumbent {
        measurement: measured(&BEST.to_string()),
        ..incumbent(&samples)
    };
    let attempt = Attempt {
        number: case.attempt,
        simplifies: case.simplifies,
        labels: Vec::new(),
        suspects: Vec::new(),
    };
    let noise = Noise::of_runs(&samples);
    let mut judge = Judge::new(&config, &incumbent, noise, attempt);
    let (mut printed, mut guards, mut crashed) = (Vec::new(), Vec::new(), false);
    for run in &case.runs {
        match judge.next_check() {
            NextCheck::Done => {
                return Some(WalkResult {
                    judgement: judge.to_judgement()?,
                    printed,
                    crashed,
                    guards,
                });
            }
            NextCheck::Verify => {
                printed.extend(run.printed);
                crashed = run.printed.is_none();
                let output = run.printed.map(|value| measured(&value.to_string()));
                judge.record_verify(output.ok_or_else(|| Why::NoMetric("nothing".into())));
            }
            NextCheck::Guard => {
                guards.push(run.passes);
                let failure = CommandFailure::Exit { status: 1 };
                judge.record_guard(run.passes.then_some(()).ok_or(failure));
            }
        }
    }
    None
}

proptest! {
    #[test]
    fn every_walk_ends_within_the_runs_that_the_rules_allow(case in walk_cases()) {
        let Some(found) = walk(&case) else {
            return Err(proptest::test_runner::TestCaseError::fail("it never ended"));
        };
        let most = if case.spread == 0 { 2 } else { 7 };
        prop_assert!(found.printed.len() + usize::from(found.crashed) <= most);
        prop_assert!(found.guards.len() <= case.retries.map_or(0, |retries| retries as usize + 1));
    }

    #[test]
    fn nothing_is_kept_without_an_improvement(case in walk_cases()) {
        let Some(found) = walk(&case) else { return Ok(()) };
        if found.judgement.outcome != TrialOutcome::Keep {
            return Ok(());
        }
        let config = make_walk_config(&case);
        let measurement = found.judgement.measurement.unwrap();
        let gain = config.metric.compute_gain(&BEST.into(), &measurement.value);
        let least = case.minimum.filter(|_| gain != Value::zero()).unwrap_or(0);
        prop_assert!(gain >= Value::from(least));
        if gain == Value::zero() {
            prop_assert!(case.simplifies && case.spread == 0, "a tie");
        }
        for condition in &config.keep_when {
            prop_assert!(condition.holds_for(&measurement));
        }
    }

    #[test]
    fn nothing_is_kept_past_a_guard_that_failed_or_a_verify_that_crashed(case in walk_cases()) {
        let Some(found) = walk(&case) else { return Ok(()) };
        let last = found.guards.last().copied();
        prop_assert_eq!(found.judgement.guard, match last {
            None => Guard::NotRun,
            Some(true) => Guard::Pass,
            Some(false) => Guard::Fail,
        });
        match &found.judgement.outcome {
            TrialOutcome::Keep => {
                prop_assert!(!found.crashed);
                prop_assert_eq!(last, case.retries.map(|_| true));
            }
            TrialOutcome::Rework(_) => {
                prop_assert_eq!(last, Some(false));
                prop_assert!(case.attempt < REWORKS);
            }
            TrialOutcome::Crash(_) => {
                prop_assert!(found.crashed && found.guards.is_empty());
                prop_assert_eq!(&found.judgement.measurement, &None);
            }
            TrialOutcome::Discard(why) => {
                prop_assert!(!found.crashed);
                prop_assert_eq!(matches!(why, Why::GuardFailed(_)), last == Some(false));
            }
        }
        let failed = found.guards.iter().filter(|passed| !**passed).count();
        let counted = found.judgement.guard_retries as usize + usize::from(last == Some(false));
        prop_assert_eq!(counted, failed, "each failure was retried or counted");
    }

    #[test]
    fn the_run_that_made_a_noisy_trial_look_good_is_no_evidence(case in walk_cases()) {
        let Some(found) = walk(&case) else { return Ok(()) };
        let fresh: Vec<Value> = found.printed.iter().skip(1).map(|value| Value::from(*value)).collect();
        if case.spread == 0 {
            prop_assert!(found.judgement.samples.is_empty());
        } else {
            prop_assert_eq!(&found.judgement.samples, &fresh);
        }
        if found.judgement.outcome == TrialOutcome::Keep && case.spread > 0 {
            prop_assert!(!fresh.is_empty());
            prop_assert_eq!(found.judgement.measurement.unwrap().value, Value::mean_of(&fresh).unwrap());
        }
    }

    #[test]
    fn an_exact_number_is_kept_only_when_two_runs_agree_and_nothing_else_costs_two(case in walk_cases()) {
        let case = WalkCase { spread: 0, ..case };
        let Some(found) = walk(&case) else { return Ok(()) };
        if found.judgement.outcome == TrialOutcome::Keep {
            prop_assert_eq!(found.printed.len(), 2);
            prop_assert_eq!(found.printed[0], found.printed[1]);
        }
        if matches!(
            &found.judgement.outcome,
            TrialOutcome::Discard(Why::WorseMetric | Why::Tie | Why::BelowMinimum | Why::KeepWhen(_))
        ) {
            prop_assert_eq!(found.printed.len(), 1);
        }
    }

    #[test]
    fn a_tree_that_is_not_what_was_committed_voids_any_outcome(case in walk_cases()) {
        let config = make_walk_config(&case);
        let incumbent = incumbent(&[47.0, 47.0]);
        let mut judge = Judge::new(&config, &incumbent, Noise::default(), Attempt::default());
        for run in &case.runs {
            match judge.next_check() {
                NextCheck::Verify => judge.record_verify(Ok(measured(&run.printed.unwrap_or(0).to_string()))),
                NextCheck::Guard => judge.record_guard(Ok(())),
                NextCheck::Done => break,
            }
        }
        let why = Why::ChangedDuringVerify(vec!["src/a".into()]);
        judge.void_trial(why.clone());
        prop_assert_eq!(judge.next_check(), NextCheck::Done);
        prop_assert_eq!(judge.to_judgement().unwrap().outcome, TrialOutcome::Discard(why));
    }
}
