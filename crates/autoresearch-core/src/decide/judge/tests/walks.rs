//! Random walks for the judge: every order of what verify and guard can do.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, proptest};

use super::*;

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
    let trial = (0..=REWORKS, any::<bool>(), 0_i64..4, vec(run, 60));
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
    let prints = [-1, 0, 1, 0, -1, 1].map(|side| BEST + side * case.spread);
    let incumbent = Incumbent {
        measurement: measured(&BEST.to_string()),
        ..incumbent()
    };
    let attempt = Attempt {
        number: case.attempt,
        simplifies: case.simplifies,
        labels: Vec::new(),
        suspects: Vec::new(),
    };
    let evidence = believe(&config, &prints);
    let mut judge = Judge::new(&config, &incumbent, evidence, attempt);
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
                judge.record_verify(output.ok_or_else(|| Why::NoMetric("nothing".into())), NOW);
            }
            NextCheck::VerifyIncumbent => {
                let output = run.printed.map(|_| measured(&BEST.to_string()));
                judge.record_incumbent(output, NOW);
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
        // Three that made it look exact, and what a noisy trial may have.
        let most = if case.spread == 0 { 3 + 20 } else { 20 };
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
        if let Some(known) = found.judgement.gain {
            prop_assert!(known.gain > Value::zero(), "{known}");
        } else {
            prop_assert!(gain >= Value::from(least));
            prop_assert!(case.simplifies || gain != Value::zero(), "a tie");
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
    fn every_run_that_counts_is_in_the_mean_of_a_noisy_trial(case in walk_cases()) {
        let Some(found) = walk(&case) else { return Ok(()) };
        let printed: Vec<Value> = found.printed.iter().map(|value| Value::from(*value)).collect();
        if case.spread > 0 {
            prop_assert_eq!(&found.judgement.samples, &printed);
        }
        if found.judgement.outcome == TrialOutcome::Keep && !found.judgement.samples.is_empty() {
            prop_assert!(found.judgement.samples.len() > 1);
            let middle = found.judgement.measurement.unwrap().value;
            prop_assert!(printed.iter().any(|value| *value <= middle));
            prop_assert!(printed.iter().any(|value| *value >= middle));
        }
    }

    #[test]
    fn an_exact_number_is_kept_only_when_two_runs_agree_and_nothing_else_costs_two(case in walk_cases()) {
        let case = WalkCase { spread: 0, ..case };
        let Some(found) = walk(&case) else { return Ok(()) };
        if found.judgement.outcome == TrialOutcome::Keep && found.judgement.samples.is_empty() {
            prop_assert!((2..=3).contains(&found.printed.len()));
            prop_assert!(found.printed.windows(2).all(|pair| pair[0] == pair[1]));
        }
        if found.judgement.samples.is_empty() && matches!(
            &found.judgement.outcome,
            TrialOutcome::Discard(Why::WorseMetric | Why::Tie | Why::BelowMinimum | Why::KeepWhen(_))
        ) {
            prop_assert_eq!(found.printed.len(), 1);
        }
    }

    #[test]
    fn a_tree_that_is_not_what_was_committed_voids_any_outcome(case in walk_cases()) {
        let config = make_walk_config(&case);
        let incumbent = incumbent();
        let mut judge = Judge::new(&config, &incumbent, exact(&config), Attempt::default());
        for run in &case.runs {
            match judge.next_check() {
                NextCheck::Verify => judge.record_verify(Ok(measured(&run.printed.unwrap_or(0).to_string())), NOW),
                NextCheck::VerifyIncumbent => judge.record_incumbent(None, NOW),
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
