//! Which trial and attempt some edits are, and why there can be none.

use autoresearch_core::agent::caller::{MeasureWay, Reader};
use autoresearch_core::config::check_config;
use autoresearch_core::decide::ladder::Strategy;
use autoresearch_core::git_names::{CommitId, HeadTarget, RefName, TreeId};
use autoresearch_core::journal::event::{
    CommandFailure, Event, Guard, Rework, Start, StrategyRow, Why,
};
use autoresearch_core::metric::measurement::Measurement;
use insta::assert_snapshot;
use serde_json::json;

use super::*;

fn make_commit(number: u32) -> CommitId {
    CommitId::parse(&format!("c{number:039}")).unwrap()
}

fn make_measurement(value: i64) -> Measurement {
    Measurement {
        value: value.into(),
        metrics: [("n".to_owned(), value.into())].into(),
        missing: std::collections::BTreeMap::new(),
        cases: autoresearch_core::metric::cases::Cases::default(),
    }
}

/// A run at 47 that is ready for its first trial.
fn make_state() -> RunState {
    let document = json!({
        "goal": "less", "scope": ["src/**"], "metric": {"name": "n", "direction": "lower"},
        "verify": {"command": "./count"}, "guard": {"command": "./test"},
    });
    let start = Start {
        format: 1,
        run: "less".to_owned(),
        id: "0".repeat(32),
        version: "0.0.0".to_owned(),
        started_ms: 0,
        config: check_config(&document).config.unwrap(),
        branch: RefName::of_trials("less"),
        origin: HeadTarget::Branch(RefName::of_branch("main")),
        base: make_commit(0),
        tree: TreeId::from_bytes(&[7; 20]),
        worktree: None,
        measurement: make_measurement(47),
        reading: None,
        samples: vec![47.into(), 47.into()],
        guard: Guard::Pass,
        verify_ms: 1,
        environment: "test".to_owned(),
        until_ms: None,
        guard_retries: 0,
        reaction: None,
        holdout: None,
        runs: Vec::new(),
        incumbent_tree: None,
    };
    let mut state = RunState::from_start(Event::Start(Box::new(start))).unwrap();
    state.ready = true;
    state
}

/// The guard failed behind the commit `make_commit(attempt + 1)` of this intention.
fn fail_guard(state: &mut RunState, intent: &Intent) {
    state.apply_event(Event::Intent(intent.clone())).unwrap();
    let rework = Rework {
        trial: intent.trial,
        attempt: intent.attempt,
        commit: make_commit(intent.attempt + 1),
        measurement: make_measurement(30),
        why: Why::GuardFailed(CommandFailure::Exit { status: 1 }),
        left_files: Vec::new(),
        guard_retries: 0,
        verify_runs: None,
        cases: None,
        runs: Vec::new(),
    };
    state.apply_event(Event::Rework(rework)).unwrap();
}

fn ask(message: &str) -> TrialRequest {
    TrialRequest {
        message: message.to_owned(),
        ..TrialRequest::default()
    }
}

fn rework(message: &str) -> TrialRequest {
    TrialRequest {
        rework: true,
        ..ask(message)
    }
}

fn again() -> TrialRequest {
    TrialRequest {
        again: true,
        ..TrialRequest::default()
    }
}

fn intend(state: &RunState, request: &TrialRequest) -> Result<Intent> {
    let caller = Caller {
        program: "autoresearch".to_owned(),
        way: MeasureWay::Trial,
        reader: Reader::Agent,
        work_tree: None,
        is_tree_shut: false,
    };
    make_intent(state, &caller, request)
}

fn refuse(state: &RunState, request: &TrialRequest) -> String {
    intend(state, request).unwrap_err().to_string()
}

#[test]
fn the_first_attempt_of_the_next_trial_builds_on_the_kept_state_with_what_was_asked() {
    let request = TrialRequest {
        message: "  the idea \n".to_owned(),
        labels: vec!["real".to_owned()],
        simplify: true,
        ..TrialRequest::default()
    };
    let expected = Intent {
        trial: 1,
        attempt: 0,
        message: "the idea".to_owned(),
        labels: vec!["real".to_owned()],
        simplify: true,
        parent: make_commit(0),
        again: false,
        leaves_out: None,
        picks: None,
    };
    assert_eq!(intend(&make_state(), &request).unwrap(), expected);
}

#[test]
fn a_message_is_needed_and_a_long_one_is_cut() {
    assert_snapshot!(refuse(&make_state(), &ask(" \n ")), @r#"
    error: the message is empty
    hint: say what you changed: -m "what you changed"
    "#);
    let cut = intend(&make_state(), &ask(&"a".repeat(900))).unwrap();
    assert_eq!(cut.message.chars().count(), 500);
}

#[test]
fn a_rework_is_the_next_attempt_on_the_commit_that_failed_and_its_message_follows_the_first() {
    let mut state = make_state();
    let first = intend(&state, &ask("the idea")).unwrap();
    fail_guard(&mut state, &first);
    let second = intend(&state, &rework("the fix")).unwrap();
    assert_eq!((second.trial, second.attempt), (1, 1));
    assert_eq!(second.parent, make_commit(1));
    assert_eq!(second.message, "the idea; rework: the fix");
}

#[test]
fn while_a_rework_is_awaited_no_other_trial_begins_and_without_one_there_is_no_rework() {
    let mut state = make_state();
    assert_snapshot!(refuse(&state, &rework("the fix")), @"
    error: no trial waits for a rework
    hint: leave out --rework
    ");
    let first = intend(&state, &ask("the idea")).unwrap();
    fail_guard(&mut state, &first);
    assert_snapshot!(refuse(&state, &ask("another idea")), @"
    error: trial 1 waits for a rework: its guard failed
    hint: `autoresearch trial --rework -m MSG` measures it again, `autoresearch trial --drop` gives it up
    ");
}

#[test]
fn a_commit_is_measured_again_once_and_that_is_an_attempt_of_its_own() {
    let mut state = make_state();
    assert_snapshot!(refuse(&state, &again()), @"
    error: no trial waits for a rework, so there is nothing to measure again
    hint: `--again` is for a trial whose guard failed; a verdict that was given stays
    ");
    let first = intend(&state, &ask("the idea")).unwrap();
    fail_guard(&mut state, &first);
    let second = intend(&state, &again()).unwrap();
    let expected = Intent {
        attempt: 1,
        parent: make_commit(1),
        again: true,
        ..first
    };
    assert_eq!(second, expected);
    fail_guard(&mut state, &second);
    assert_snapshot!(refuse(&state, &again()), @"
    error: trial 1 was measured again already, and its guard failed again
    hint: `autoresearch trial --rework -m MSG` measures it with what you fixed, `autoresearch trial --drop` gives it up
    ");
}

#[test]
fn a_strategy_that_is_due_comes_before_the_next_trial() {
    let mut state = make_state();
    while state.next_step() == Step::Trial {
        let trial = state.next_trial;
        let intent = intend(&state, &ask("the idea")).unwrap();
        assert!(trial < 50, "a strategy is due at last");
        let decision = autoresearch_core::journal::event::Decision::without_measurement(
            &intent,
            autoresearch_core::journal::event::Verdict::NoOp,
            Some(Why::NothingChanged),
        );
        state
            .apply_event(Event::Verdict(Box::new(decision)))
            .unwrap();
    }
    assert_snapshot!(refuse(&state, &ask("the idea")), @r#"
    error: a refine is due before the next trial
    hint: 3 trials in a row failed; say how you will adjust within the strategy: autoresearch strategy refine -m "reason and plan"
    "#);
    let row = StrategyRow {
        strategy: Strategy::Refine,
        message: "leaf modules only".to_owned(),
    };
    state.apply_event(Event::Strategy(row)).unwrap();
    assert!(intend(&state, &ask("the idea")).is_ok());
}
