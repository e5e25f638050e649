//! Examples for the judge; `walks` takes random ones.

use serde_json::json;

use super::*;
use crate::config::SuspectPattern;
use crate::journal::runs::{imply_runs, record_runs};
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

fn incumbent() -> Incumbent {
    Incumbent {
        trial: 0,
        commit: make_commit(0),
        tree: make_tree(0),
        measurement: measured("47"),
        labels: Vec::new(),
    }
}

/// All runs of these tests take a second, at once.
const NOW: RunTime = RunTime {
    at_ms: 0,
    took_ms: 1_000,
};

/// What is believed after these runs of the kept state.
fn believe(config: &Config, values: &[i64]) -> Evidence {
    let values: Vec<Value> = values.iter().map(|value| Value::from(*value)).collect();
    let mut evidence = Evidence::new(config.metric.direction, 0.0);
    record_runs(&mut evidence, &imply_runs(Side::Incumbent, &values, NOW));
    assert!(evidence.is_calibrated());
    evidence
}

fn exact(config: &Config) -> Evidence {
    believe(config, &[47; 3])
}

fn single(config: &Config, attempt: Attempt, output: &str) -> Judgement {
    let incumbent = incumbent();
    let mut judge = Judge::new(config, &incumbent, exact(config), attempt);
    assert_eq!(judge.next_check(), NextCheck::Verify);
    while judge.next_check() == NextCheck::Verify {
        judge.record_verify(Ok(measured(output)), NOW);
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
    let incumbent = incumbent();
    for number in 0..=REWORKS {
        let mut judge = Judge::new(
            &config,
            &incumbent,
            exact(&config),
            Attempt {
                number,
                ..Attempt::default()
            },
        );
        for _ in 0..2 {
            assert_eq!(judge.next_check(), NextCheck::Verify);
            judge.record_verify(Ok(measured("40")), NOW);
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
    let (config, incumbent) = (config(&json!({})), incumbent());
    let mut judge = Judge::new(&config, &incumbent, exact(&config), Attempt::default());
    judge.record_verify(
        Err(Why::VerifyFailed(CommandFailure::Timeout { limit_ms: 1 })),
        NOW,
    );
    let judgement = judge.to_judgement().unwrap();
    assert_eq!(judgement.measurement, None);
    assert!(matches!(judgement.outcome, TrialOutcome::Crash(_)));
}

#[test]
fn an_exact_number_is_measured_twice_before_it_is_kept() {
    let (config, incumbent) = (config(&json!({"guard": {"command": "g"}})), incumbent());
    let decide = |outputs: &[&str]| {
        let mut judge = Judge::new(&config, &incumbent, exact(&config), Attempt::default());
        let mut runs = 0;
        while judge.next_check() == NextCheck::Verify && runs < outputs.len() {
            judge.record_verify(Ok(measured(outputs[runs])), NOW);
            runs += 1;
        }
        if judge.next_check() == NextCheck::VerifyIncumbent {
            return (TrialOutcome::Discard(Why::Dropped), judge.jump, runs);
        }
        if judge.next_check() == NextCheck::Guard {
            judge.record_guard(Ok(()));
        }
        let judgement = judge.to_judgement().unwrap();
        (judgement.outcome, judgement.jump, runs)
    };
    assert_eq!(decide(&["0", "0"]), (TrialOutcome::Keep, true, 2));
    assert_eq!(decide(&["45", "45"]), (TrialOutcome::Keep, false, 2));
    assert_eq!(
        decide(&["46", "46", "46"]),
        (TrialOutcome::Keep, false, 3),
        "what rounding makes of noise is measured once more"
    );
    for (outputs, jump) in [
        (&["0", "47"][..], true),
        (&["46", "47"], false),
        (&["45", "46"], false),
        (&["46", "46", "47"], false),
    ] {
        // It was never exact: the kept state has to show how it varies.
        let again = TrialOutcome::Discard(Why::Dropped);
        assert_eq!(decide(outputs), (again, jump, outputs.len()));
    }
    let long = ["3", "4"].map(|tail| format!("0.9007199254740993000000{tail}"));
    let [first, second] = [&long[0], &long[1]].map(|text| measured(text).value);
    let outcome = decide(&[&long[0], &long[1]]).0;
    assert_eq!(
        outcome,
        TrialOutcome::Discard(Why::NotRepeated { first, second }),
        "a double does not see this"
    );
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
    let mut judge = Judge::new(&config, &incumbent, exact(&config), Attempt::default())
        .with_measured_range(Some(&seen));
    for _ in 0..2 {
        assert_eq!(judge.next_check(), NextCheck::Verify);
        judge.record_verify(Ok(measured("10")), NOW);
    }
    judge.record_guard(Ok(()));
    assert!(!judge.to_judgement().unwrap().jump);
}

#[test]
fn a_condition_has_to_hold_in_both_runs_of_an_exact_metric_and_one_that_fails_costs_one_run() {
    let config = config(&json!({"keep_when": [{"metric": "tests", "op": ">=", "value": 40}]}));
    let decide = |tests: &[i64]| {
        let incumbent = incumbent();
        let mut judge = Judge::new(&config, &incumbent, exact(&config), Attempt::default());
        let mut runs = 0;
        while judge.next_check() == NextCheck::Verify {
            let output = json!({"primary": 40, "tests": tests[runs]}).to_string();
            judge.record_verify(Ok(measured(&output)), NOW);
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
    let (config, incumbent) = (config(&json!({})), incumbent());
    let mut judge = Judge::new(&config, &incumbent, exact(&config), Attempt::default());
    judge.record_verify(Ok(measured("46")), NOW);
    judge.record_verify(Err(Why::NoMetric("nothing".into())), NOW);
    assert!(matches!(
        judge.to_judgement().unwrap().outcome,
        TrialOutcome::Crash(_)
    ));
}

/// Six runs of the kept state around 470, with a spread of about four.
const RUNS: [i64; 6] = [470, 474, 466, 472, 468, 471];

/// What comes of a noisy trial whose runs print these, and how: `c` is a run of the candidate, `i` one of the kept state.
fn noisy(candidate: &[i64], incumbent_prints: &[i64]) -> (Judgement, String) {
    let config = config(&json!({}));
    let incumbent = Incumbent {
        measurement: measured("470"),
        ..incumbent()
    };
    let evidence = believe(&config, &RUNS);
    let mut judge = Judge::new(&config, &incumbent, evidence, Attempt::default());
    let mut runs = String::new();
    let mut prints = [candidate, incumbent_prints].map(|values| values.iter().cycle());
    loop {
        let time = RunTime {
            at_ms: 1_000 * (10 + u64::try_from(runs.len()).unwrap()),
            ..NOW
        };
        match judge.next_check() {
            NextCheck::Verify => {
                let value = prints[0].next().unwrap();
                judge.record_verify(Ok(measured(&value.to_string())), time);
                runs.push('c');
            }
            NextCheck::VerifyIncumbent => {
                let value = prints[1].next();
                let output = value.map(|value| measured(&value.to_string()));
                judge.record_incumbent(output, time);
                runs.push('i');
            }
            NextCheck::Guard | NextCheck::Done => return (judge.to_judgement().unwrap(), runs),
        }
    }
}

#[test]
fn a_clear_gain_of_a_noisy_metric_is_kept_after_two_runs_and_one_of_the_kept_state() {
    let (judgement, runs) = noisy(&[400, 404], &[471]);
    assert_eq!((judgement.outcome, &runs[..]), (TrialOutcome::Keep, "cci"));
    assert_eq!(judgement.measurement.unwrap().value.to_string(), "402");
    assert_eq!(judgement.samples.len(), 2);
    assert_eq!(judgement.runs.len(), 3);
    let gain = judgement.gain.unwrap();
    assert!(gain.is_gain(), "{gain}");
}

#[test]
fn one_lucky_run_keeps_nothing_and_is_no_loss_either() {
    let (judgement, runs) = noisy(&[462, 474, 470, 471], &[470]);
    let TrialOutcome::Discard(Why::CannotTell { runs: told, .. }) = judgement.outcome else {
        panic!("{:?}", judgement.outcome);
    };
    assert_eq!(told, u32::try_from(runs.matches('c').count()).unwrap());
    let (judgement, runs) = noisy(&[560], &[470]);
    assert_eq!(
        (judgement.outcome, &runs[..]),
        (TrialOutcome::Discard(Why::WorseMetric), "c")
    );
}

#[test]
fn a_machine_that_got_faster_is_no_gain() {
    let (judgement, runs) = noisy(&[400, 404, 402, 401], &[401, 403, 402, 400]);
    assert!(
        matches!(judgement.outcome, TrialOutcome::Discard(_)),
        "{runs}: {:?}",
        judgement.outcome
    );
}

#[test]
fn where_the_kept_state_cannot_be_measured_a_trial_is_decided_without_it() {
    let (judgement, runs) = noisy(&[400, 404], &[]);
    assert_eq!((judgement.outcome, &runs[..]), (TrialOutcome::Keep, "cci"));
    let config = config(&json!({}));
    let incumbent = incumbent();
    let judge = Judge::new(
        &config,
        &incumbent,
        believe(&config, &RUNS),
        Attempt::default(),
    );
    assert_eq!(judge.without_incumbent().next_check(), NextCheck::Verify);
}

/// The eleventh trial of an exact metric, whose run is worse, and what the kept state gives where it is measured again.
fn watch(prints: &[&str]) -> (Judgement, usize) {
    let (config, incumbent) = (config(&json!({})), incumbent());
    let mut evidence = exact(&config);
    for _ in 0..10 {
        record_runs(
            &mut evidence,
            &imply_runs(Side::Candidate, &[48.into()], NOW),
        );
        evidence.close_trial(None);
    }
    let mut judge = Judge::new(&config, &incumbent, evidence, Attempt::default());
    judge.record_verify(Ok(measured("48")), NOW);
    let mut runs = 0;
    while judge.next_check() == NextCheck::VerifyIncumbent {
        judge.record_incumbent(prints.get(runs).map(|text| measured(text)), NOW);
        runs += 1;
    }
    if judge.next_check() == NextCheck::Verify {
        judge.record_verify(Ok(measured("60")), NOW);
    }
    (judge.to_judgement().unwrap(), runs)
}

#[test]
fn an_exact_metric_is_watched_and_noise_is_told_from_a_place_that_gives_another_value() {
    let worse = TrialOutcome::Discard(Why::WorseMetric);
    let (judgement, runs) = watch(&["47"]);
    assert_eq!((judgement.outcome, runs), (worse.clone(), 1));
    assert_eq!(judgement.runs.len(), 2);
    let (judgement, runs) = watch(&["45", "45"]);
    assert_eq!((judgement.outcome, runs), (worse.clone(), 2));
    assert_eq!(judgement.runs.len(), 1, "the place says nothing");
    let (judgement, runs) = watch(&[]);
    assert_eq!((judgement.outcome, runs), (worse, 1));
    // Two values of one tree: it is measured afresh, and the trial again.
    let (judgement, runs) = watch(&["45", "47", "46", "48", "45", "47"]);
    assert_eq!(runs, 6);
    assert!(matches!(judgement.outcome, TrialOutcome::Discard(_)));
    assert_eq!(judgement.samples, ["60".parse().unwrap()]);
}

mod walks;

/// A measurement with what each of its cases gave.
fn measure_cases(value: i64, cases: &[(&str, i64)]) -> Measurement {
    let lines = cases
        .iter()
        .map(|(id, value)| format!("METRIC_CASE {id} {value}\n"));
    measured(&format!("METRIC m={value}\n{}", lines.collect::<String>()))
}

fn describe_cases(judged: &Judgement) -> String {
    let told = judged.cases.as_ref().map(ToString::to_string);
    let held = judged.measurement.as_ref().unwrap();
    format!(
        "{:?}: {}; {} held",
        judged.outcome,
        told.as_deref().unwrap_or("-"),
        held.cases.len()
    )
}

#[test]
fn a_keep_holds_its_cases_and_every_verdict_how_they_differ() {
    let config = config(&json!({}));
    let judge = |before: Measurement, after: Measurement| {
        let incumbent = Incumbent {
            measurement: before,
            ..incumbent()
        };
        let mut judge = Judge::new(&config, &incumbent, exact(&config), Attempt::default());
        while judge.next_check() == NextCheck::Verify {
            judge.record_verify(Ok(after.clone()), NOW);
        }
        if judge.next_check() == NextCheck::Guard {
            judge.record_guard(Ok(()));
        }
        describe_cases(&judge.to_judgement().unwrap())
    };
    let before = measure_cases(47, &[("a", 5), ("b", 0)]);
    insta::assert_snapshot!(judge(before.clone(), measure_cases(46, &[("a", 1), ("b", 1)])), @"Keep: 1 of 2 worse: b 0 -> 1; 1 better; 2 held");
    insta::assert_snapshot!(judge(before.clone(), measure_cases(48, &[("a", 6), ("b", 0)])), @"Discard(WorseMetric): 1 of 2 worse: a 5 -> 6; 0 better; 0 held");
    insta::assert_snapshot!(judge(before, measured("METRIC m=46")), @"Keep: 2 of 2 worse: a 5 -> gone, b 0 -> gone; 0 better; 0 held");
    insta::assert_snapshot!(judge(measured("METRIC m=47"), measure_cases(46, &[("a", 1)])), @"Keep: -; 1 held");
}

#[test]
fn a_run_of_the_kept_state_beside_the_trial_tells_how_far_its_cases_vary() {
    let config = config(&json!({}));
    let incumbent = Incumbent {
        measurement: measure_cases(100, &[("a", 10), ("b", 10)]),
        ..incumbent()
    };
    let evidence = believe(&config, &[100, 104, 97, 102, 99, 103]);
    let mut judge = Judge::new(&config, &incumbent, evidence, Attempt::default());
    let mut beside = 0;
    // A large gain is told only beside a run of the kept state.
    loop {
        match judge.next_check() {
            NextCheck::Verify => {
                let run = measure_cases(50, &[("a", 14), ("b", 14)]);
                judge.record_verify(Ok(run), NOW);
            }
            NextCheck::VerifyIncumbent => {
                beside += 1;
                let run = measure_cases(100, &[("a", 15), ("b", 10)]);
                judge.record_incumbent(Some(run), NOW);
            }
            NextCheck::Guard => judge.record_guard(Ok(())),
            NextCheck::Done => break,
        }
    }
    let judged = judge.to_judgement().unwrap();
    insta::assert_snapshot!(format!("{beside} beside; {}", describe_cases(&judged)), @"1 beside; Keep: 1 of 2 worse: b 10 -> 14; 0 better; 2 held");
    // The next trial knows it, too.
    let kept = serde_json::to_string(&judged.measurement.unwrap().cases).unwrap();
    insta::assert_snapshot!(kept, @r#"{"values":{"a":14,"b":14},"spreads":{"a":5}}"#);
}
