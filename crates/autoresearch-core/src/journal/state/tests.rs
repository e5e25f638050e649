//! Random walks through `RunState`: any events in any order, taken or refused, and what must hold at each of them.

use proptest::collection::vec;
use proptest::prelude::{TestCaseError, prop_assert, prop_assert_eq, proptest};

use super::*;
use crate::decide::why::{CommandFailure, Why};
use crate::git_names::{HeadTarget, RefName};
use crate::journal::event::{Close, End, Interruption, StrategyRow, Turn};
use crate::journal::sample::{
    make_commit, make_decision, make_intent, make_measurement, make_reading, make_records,
    make_remeasured, make_start, make_tree,
};
use crate::journal::story::Story;

/// The commits of events about a trial are numbered from here on, so that one is not taken for another.
const REWORKED: u32 = 1_000;
const CLOSED: u32 = 2_000;
const CUT: u32 = 3_000;

fn begin() -> RunState {
    RunState::from_start(Event::Start(Box::new(make_start(47)))).unwrap()
}

fn verdict(trial: u32, verdict: Verdict, value: Option<i64>) -> Event {
    Event::Verdict(Box::new(make_decision(trial, verdict, value)))
}

fn void_verdict(trial: u32, verdict: Verdict, why: Why) -> Event {
    let decided = Decision::without_measurement(&make_intent(trial, 0), verdict, Some(why));
    Event::Verdict(Box::new(decided))
}

fn rework(trial: u32, attempt: u32) -> Event {
    Event::Rework(Rework {
        trial,
        attempt,
        commit: make_commit(REWORKED + trial + attempt),
        measurement: make_measurement(30),
        why: Why::GuardFailed(CommandFailure::Exit { status: 1 }),
        left_files: vec![format!("left-{trial}")],
        guard_retries: 0,
        verify_runs: None,
        cases: None,
        runs: Vec::new(),
    })
}

fn close(trial: u32) -> Event {
    Event::Close(Close {
        trial,
        head: make_commit(CLOSED + trial),
        saved: None,
    })
}

fn interruption(trial: u32) -> Event {
    Event::Interrupted(Interruption {
        trial,
        message: "cut".to_owned(),
        head: make_commit(CUT + trial),
        saved: None,
        verify_runs: 0,
    })
}

fn strategy(strategy: Strategy) -> Event {
    Event::Strategy(StrategyRow {
        strategy,
        message: "a plan".to_owned(),
    })
}

fn ending(end: End) -> Event {
    Event::End(Ending {
        end,
        why: "so".to_owned(),
    })
}

fn take(state: &mut RunState, events: impl IntoIterator<Item = Event>) {
    for event in events {
        let told = format!("{event:?}");
        state
            .apply_event(event)
            .unwrap_or_else(|error| panic!("{error}: {told}"));
    }
}

/// A step of a walk: which event, about the trial that fits or one beside it, with a number.
type WalkStep = (u8, u8, i64);

/// The event of a step, as the state makes it likely that it follows, and not certain.
fn make_event((kind, beside, number): WalkStep, state: &RunState) -> Event {
    let open = state.open_trial.as_ref();
    let fitting = open.map_or(state.next_trial, |open_trial| open_trial.intent.trial);
    let attempt = open.map_or(0, |open_trial| open_trial.intent.attempt);
    // One in eight is about a trial that is not the one.
    let trial = fitting + u32::from(beside == 0);
    match kind {
        0..=3 if state.awaiting_rework().is_some() => {
            Event::Intent(make_intent(trial, attempt + 1))
        }
        0..=3 => Event::Intent(make_intent(trial, 0)),
        4 | 5 => verdict(trial, Verdict::Keep, Some(number)),
        6 => verdict(trial, Verdict::Discard, Some(number)),
        7 => verdict(trial, Verdict::Crash, None),
        8 => void_verdict(trial, Verdict::NoOp, Why::NothingChanged),
        9 => void_verdict(trial, Verdict::Keep, Why::Dropped),
        10 => rework(trial, attempt),
        11 | 12 => close(trial),
        13 => interruption(trial),
        14 => strategy(Strategy::Refine),
        15 => strategy(Strategy::Pivot),
        16 => strategy(Strategy::Search),
        17 => Event::Turn(Turn {
            trial,
            thread: Some("t".to_owned()),
            tokens: number.unsigned_abs(),
            ms: 1,
            hypothesis: "less".to_owned(),
            fault: None,
            worker: None,
            given_up: false,
        }),
        18 => Event::Raise(Raise {
            iterations: u32::try_from(number).ok(),
            ..Raise::default()
        }),
        19 => ending(if number % 2 == 0 {
            End::Budget
        } else {
            End::Target
        }),
        20 if number == 0 => Event::Finish(Finish {
            head: HeadTarget::Branch(RefName::of_branch("main")),
            holdout: None,
        }),
        20 => Event::Ready,
        21 => Event::Remeasured(make_remeasured(
            trial.saturating_sub(1),
            &[number, number + 1],
        )),
        _ => Event::Start(Box::new(make_start(1))),
    }
}

fn walk_steps() -> impl proptest::strategy::Strategy<Value = Vec<WalkStep>> {
    vec((0..23_u8, 0..8_u8, -50_i64..50), 0..80)
}

/// The events of a walk that were taken, as the records of a journal, and the state after them.
fn walk(steps: Vec<WalkStep>) -> Result<(Vec<Record>, RunState), TestCaseError> {
    let mut state = begin();
    let mut taken = vec![Event::Start(Box::new(make_start(47)))];
    for step in steps {
        let before = state.clone();
        let event = make_event(step, &state);
        match state.apply_event(event.clone()) {
            Ok(()) => taken.push(event),
            Err(error) => {
                prop_assert_eq!(error.event, event.as_str());
                prop_assert_eq!(&state, &before, "a refused event changed the state");
            }
        }
    }
    Ok((make_records(taken), state))
}

fn fold(records: &[Record]) -> RunState {
    let mut state = RunState::from_start(records[0].event.clone()).unwrap();
    state.take_records(&records[1..]).unwrap();
    state
}

fn reread(state: &RunState) -> RunState {
    serde_json::from_str(&serde_json::to_string(state).unwrap()).unwrap()
}

#[test]
fn a_trial_that_takes_a_keep_back_leaves_one_keep_less_and_as_many_trials() {
    let mut state = begin();
    let mut events = Vec::new();
    for (trial, leaves_out) in [(1, None), (2, None), (3, Some(1))] {
        let mut decided = make_decision(trial, Verdict::Keep, Some(40 - i64::from(trial)));
        decided.leaves_out = leaves_out;
        events.push(Event::Intent(make_intent(trial, 0)));
        events.push(Event::Verdict(Box::new(decided)));
    }
    take(&mut state, events.clone());
    assert_eq!((state.counts.keep, state.counts.discard), (1, 1));
    assert_eq!(state.left_out, [1, 3].into());
    assert_eq!(state.incumbent.trial, 3, "its commit stands on top");
    let records = make_records(events);
    let story = Story::of(&state.start, &records);
    let kept: Vec<u32> = story
        .list_kept()
        .map(|(decided, _)| decided.trial)
        .collect();
    assert_eq!(kept, [2]);
    let rows: Vec<String> = story.list_rows().map(|(_, row)| row.description).collect();
    assert!(rows[0].ends_with(" [taken back by trial 3]"), "{rows:?}");
}

proptest! {
    #[test]
    fn a_fold_from_the_beginning_is_the_state_that_grew_with_the_run(steps in walk_steps()) {
        let (records, state) = walk(steps)?;
        prop_assert_eq!(fold(&records), state);
    }

    #[test]
    fn a_state_that_was_written_and_read_again_goes_on_as_if_nothing_had_been(
        steps in walk_steps(), cut in 0_usize..80,
    ) {
        let (records, state) = walk(steps)?;
        let (first, rest) = records.split_at(cut.clamp(1, records.len()));
        let mut resumed = reread(&fold(first));
        prop_assert_eq!(&resumed, &fold(first));
        prop_assert!(resumed.take_records(rest).is_ok());
        prop_assert_eq!(resumed, state);
    }

    #[test]
    fn state_and_story_agree_on_what_was_kept_and_cut_short(steps in walk_steps()) {
        let (records, state) = walk(steps)?;
        let story = Story::of(&state.start, &records);
        prop_assert_eq!(story.list_kept().count(), state.counts.keep as usize);
        prop_assert_eq!(story.list_interruptions().count(), state.counts.interrupted as usize);
        prop_assert_eq!(story.list_decisions().count(), state.counts.count_iterations() as usize);
        let last = story.list_kept().last();
        let kept = last.map_or((make_commit(0), 0), |(decided, kept)| (kept.commit.clone(), decided.trial));
        prop_assert_eq!(kept, (state.incumbent.commit.clone(), state.incumbent.trial));
        prop_assert_eq!(story.list_best_values().pop(), Some(&state.incumbent.measurement.value));
    }

    #[test]
    fn head_is_known_exactly_where_no_repair_of_a_trial_is_due(steps in walk_steps()) {
        let (_, mut state) = walk(steps)?;
        state.ready = true;
        prop_assert_eq!(state.expected_head().is_none(), state.needs_repair());
        prop_assert!(state.next_trial > state.incumbent.trial);
        if let Some(open_trial) = &state.open_trial {
            prop_assert_eq!(open_trial.intent.trial + 1, state.next_trial);
            prop_assert_eq!(state.find_due_end(0), None, "a run does not end inside a trial");
        }
    }

    #[test]
    fn what_verify_left_is_remembered_up_to_a_limit(trials in 1_u32..4, files in 0_usize..900) {
        let mut state = begin();
        for trial in 1..=trials {
            let mut decided = make_decision(trial, Verdict::Discard, Some(50));
            decided.left_files = (0..files).map(|file| format!("{trial}/{file}")).collect();
            take(&mut state, [
                Event::Intent(make_intent(trial, 0)),
                Event::Verdict(Box::new(decided)),
                close(trial),
            ]);
        }
        let all = files * trials as usize;
        prop_assert_eq!(state.left_files.len(), all.min(MAX_LEFT_FILES));
    }
}

#[test]
fn a_journal_that_does_not_begin_with_its_start_is_refused() {
    let error = RunState::from_start(Event::Ready).unwrap_err();
    assert_eq!(error.event, "ready");
    let records = make_records([close(1)]);
    let refused = begin().take_records(&records).unwrap_err();
    assert_eq!((refused.0, refused.1.event), (0, "close"));
}

#[test]
fn a_keep_moves_head_and_incumbent_and_a_discard_waits_for_its_close() {
    let mut state = begin();
    assert!(state.needs_repair(), "the branch does not stand yet");
    take(&mut state, [Event::Ready, Event::Intent(make_intent(1, 0))]);
    assert_eq!(state.expected_head(), None);
    take(&mut state, [verdict(1, Verdict::Keep, Some(40))]);
    assert_eq!(state.expected_head(), Some(&make_commit(1)));
    assert_eq!(state.incumbent.tree, make_tree(1));
    take(
        &mut state,
        [
            Event::Intent(make_intent(2, 0)),
            verdict(2, Verdict::Discard, Some(45)),
        ],
    );
    assert!(state.needs_repair(), "it is not undone yet");
    take(&mut state, [close(2)]);
    assert_eq!(state.expected_head(), Some(&make_commit(CLOSED + 2)));
    assert_eq!(state.incumbent.commit, make_commit(1));
    assert_eq!(state.ladder.failures, 1);
}

#[test]
fn a_rework_is_awaited_at_its_commit_until_it_is_decided_given_up_or_cut_short() {
    let ends = [
        verdict(1, Verdict::Keep, Some(30)),
        verdict(1, Verdict::Discard, Some(30)),
        interruption(1),
    ];
    for end in ends {
        let mut state = begin();
        take(
            &mut state,
            [Event::Ready, Event::Intent(make_intent(1, 0)), rework(1, 0)],
        );
        assert_eq!(state.next_step(), Step::Rework { left: REWORKS });
        assert_eq!(state.expected_head(), Some(&make_commit(REWORKED + 1)));
        assert!(!state.needs_repair());
        assert_eq!(state.to_progress().attempts, 1);
        take(&mut state, [Event::Intent(make_intent(1, 1)), rework(1, 1)]);
        assert_eq!(state.next_step(), Step::Rework { left: REWORKS - 1 });
        assert_eq!(state.spent.verify_runs, 2);
        assert!(state.left_files.contains("left-1"));
        take(&mut state, [end]);
        assert_eq!(state.awaiting_rework(), None);
        assert_eq!(state.next_trial, 2);
    }
}

#[test]
fn an_attempt_that_was_made_is_not_made_again() {
    let mut state = begin();
    take(
        &mut state,
        [Event::Ready, Event::Intent(make_intent(1, 0)), rework(1, 0)],
    );
    for (trial, attempt) in [(1, 0), (2, 0), (2, 1)] {
        let again = state.apply_event(Event::Intent(make_intent(trial, attempt)));
        assert!(again.is_err(), "trial {trial}, attempt {attempt}");
    }
}

#[test]
fn a_trial_that_was_cut_short_is_no_iteration_and_its_number_is_used_up() {
    let mut state = begin();
    take(
        &mut state,
        [
            Event::Ready,
            Event::Intent(make_intent(1, 0)),
            interruption(1),
        ],
    );
    assert_eq!(state.counts.count_iterations(), 0);
    assert_eq!(state.counts.interrupted, 1);
    assert_eq!(state.next_trial, 2);
    assert_eq!(state.ladder.failures, 0);
    assert_eq!(state.next_step(), Step::Trial);
}

#[test]
fn a_number_that_was_not_believed_says_nothing_of_what_is_usual() {
    let mut suspect = make_decision(1, Verdict::Discard, Some(1));
    suspect.suspects = vec![crate::journal::event::Suspicion {
        pattern: crate::config::SuspectPattern::ForgesOutput,
        file: "src/a.py".to_owned(),
        line: 1,
    }];
    let mut state = begin();
    let decided = Event::Verdict(Box::new(suspect));
    take(&mut state, [Event::Intent(make_intent(1, 0)), decided]);
    assert!(
        state
            .seen
            .is_jump(&state.config().metric, &47.into(), &1.into())
    );
}

#[test]
fn runs_of_verify_of_older_runs_are_counted_with_the_second_look_at_a_jump() {
    let mut state = begin();
    let mut jumped = make_decision(1, Verdict::Discard, Some(1));
    jumped.jump = true;
    take(
        &mut state,
        [
            Event::Intent(make_intent(1, 0)),
            Event::Verdict(Box::new(jumped)),
            close(1),
        ],
    );
    assert_eq!(state.spent.verify_runs, 2);
    assert!(
        state
            .seen
            .is_jump(&state.config().metric, &47.into(), &1.into()),
        "a jump that was not believed says nothing of what is usual"
    );
    let mut noisy = make_decision(2, Verdict::Keep, Some(40));
    noisy.samples = vec![39.into(), 41.into()];
    take(
        &mut state,
        [
            Event::Intent(make_intent(2, 0)),
            Event::Verdict(Box::new(noisy)),
        ],
    );
    assert_eq!(state.spent.verify_runs, 5);
    assert!(
        !state.evidence.is_exact(),
        "two runs of one tree that differ end exactness"
    );
    take(
        &mut state,
        [void_verdict(3, Verdict::NoOp, Why::NothingChanged)],
    );
    assert_eq!(state.spent.verify_runs, 5, "nothing was run");
}

#[test]
fn measurements_that_were_cut_short_are_counted_until_one_comes_to_its_end() {
    let mut state = begin();
    for trial in 1..=2 {
        let Event::Interrupted(mut row) = interruption(trial) else {
            panic!("it is an interruption");
        };
        row.verify_runs = 1;
        take(
            &mut state,
            [
                Event::Intent(make_intent(trial, 0)),
                Event::Interrupted(row),
            ],
        );
    }
    assert_eq!((state.spent.verify_runs, state.cut_short), (2, 2));
    take(
        &mut state,
        [Event::Intent(make_intent(3, 0)), interruption(3)],
    );
    assert_eq!(state.cut_short, 2, "nothing was measured");
    take(
        &mut state,
        [
            Event::Intent(make_intent(4, 0)),
            verdict(4, Verdict::Discard, Some(60)),
            close(4),
        ],
    );
    assert_eq!((state.spent.verify_runs, state.cut_short), (3, 0));
}

#[test]
fn runs_of_verify_are_counted_as_they_are_written_down() {
    let mut state = begin();
    let mut twice = make_decision(1, Verdict::Discard, Some(1));
    twice.verify_runs = Some(2);
    twice.why = Some(Why::NotRepeated {
        first: 1.into(),
        second: 47.into(),
    });
    let mut kept = make_decision(2, Verdict::Keep, Some(30));
    kept.verify_runs = Some(2);
    take(
        &mut state,
        [
            Event::Intent(make_intent(1, 0)),
            Event::Verdict(Box::new(twice)),
            close(1),
        ],
    );
    assert_eq!(state.spent.verify_runs, 2);
    assert!(
        state
            .seen
            .is_jump(&state.config().metric, &47.into(), &1.into()),
        "a number that no second run gave says nothing of what is usual"
    );
    let Event::Rework(mut failed) = rework(2, 0) else {
        panic!("a rework was made");
    };
    failed.verify_runs = Some(2);
    take(
        &mut state,
        [
            Event::Intent(make_intent(2, 0)),
            Event::Rework(failed),
            Event::Verdict(Box::new(kept)),
        ],
    );
    assert_eq!(state.spent.verify_runs, 6);
}

#[test]
fn the_target_ends_a_run_before_the_ladder_and_the_ladder_before_a_ceiling() {
    let mut state = begin();
    state.start.config.metric.target = Some(crate::metric::value::Value::from(10).into());
    state.limits.iterations = Some(0);
    state.ladder.pivots = 3;
    state.incumbent.measurement = make_measurement(10);
    let end_of = |state: &RunState| state.find_due_end(0).map(|ending| (ending.end, ending.why));
    assert_eq!(end_of(&state), Some((End::Target, "n is 10".to_owned())));
    state.incumbent.measurement = make_measurement(11);
    assert_eq!(end_of(&state).unwrap().0, End::NeedsHuman);
    state.ladder = Ladder::default();
    assert_eq!(
        end_of(&state),
        Some((
            End::IterationCap,
            "all 0 iterations are used; n is 11".to_owned()
        ))
    );
    state.limits.iterations = None;
    assert_eq!(end_of(&state), None);
}

#[test]
fn an_end_names_the_metric_with_its_unit() {
    let mut state = begin();
    state.start.reading = Some(make_reading("ms"));
    state.limits.iterations = Some(0);
    let why_of = |state: &RunState| state.find_due_end(0).unwrap().why;
    assert_eq!(why_of(&state), "all 0 iterations are used; n is 47 ms");
    state.start.config.metric.target = Some(crate::metric::value::Value::from(47).into());
    assert_eq!(why_of(&state), "n is 47 ms");
}

#[test]
fn a_target_without_its_labels_ends_nothing_and_stop_when_needs_all_its_conditions() {
    let mut state = begin();
    let config = &mut state.start.config;
    config.required_labels.stop = vec!["real".to_owned()];
    config.stop_when = serde_json::from_value(serde_json::json!([
        {"metric": "n", "op": "<=", "value": 47},
        {"metric": "n", "op": ">", "value": 40},
    ]))
    .unwrap();
    assert_eq!(state.find_target_reason(), None);
    state.incumbent.labels = vec!["real".to_owned()];
    assert_eq!(
        state.find_target_reason().as_deref(),
        Some("n <= 47 and n > 40")
    );
    state.incumbent.measurement = make_measurement(40);
    assert_eq!(state.find_target_reason(), None);
}

#[test]
fn a_raise_opens_a_run_that_came_to_a_ceiling_and_no_other() {
    for (end, opened) in [
        (End::IterationCap, true),
        (End::Blocked, true),
        (End::Target, false),
        (End::UserStop, false),
    ] {
        let mut state = begin();
        take(&mut state, [ending(end), Event::Raise(Raise::default())]);
        assert_eq!(state.end.is_none(), opened, "{end:?}");
    }
    let mut state = begin();
    let head = HeadTarget::Branch(RefName::of_branch("main"));
    take(
        &mut state,
        [
            ending(End::Budget),
            Event::Finish(Finish {
                head,
                holdout: None,
            }),
        ],
    );
    assert!(state.apply_event(Event::Raise(Raise::default())).is_err());
    assert!(state.to_progress().left);
}

#[test]
fn the_ladder_asks_only_where_the_config_lets_it() {
    let mut state = begin();
    state.ladder.failures = 3;
    for (mode, step) in [
        (LadderMode::Enforce, Step::Strategy(Strategy::Refine)),
        (LadderMode::Advise, Step::Trial),
        (LadderMode::Off, Step::Trial),
    ] {
        state.start.config.ladder = mode;
        assert_eq!(state.next_step(), step, "{mode:?}");
    }
}

#[test]
fn a_state_without_a_reading_has_no_unit_and_one_with_it_shows_it_on_both_values() {
    let mut state = begin();
    assert!(state.metric_unit().is_none());
    state.incumbent.measurement = make_measurement(40);
    assert_eq!(state.describe_gain(), "47 -> 40");
    let (_, reading) =
        crate::metric::measurement::read_measurement("47 ms", &state.config().metric, None)
            .unwrap();
    state.start.reading = Some(reading);
    assert_eq!(state.metric_unit().as_str(), "ms");
    assert_eq!(state.describe_gain(), "47 ms -> 40 ms");
}

#[test]
fn runs_of_the_kept_state_that_somebody_asked_for_are_evidence_and_those_of_others_are_counted() {
    let mut state = begin();
    let keep = verdict(1, Verdict::Keep, Some(40));
    take(&mut state, [Event::Intent(make_intent(1, 0)), keep]);
    let before = state.clone();
    assert!(state.evidence.is_exact());
    take(
        &mut state,
        [Event::Remeasured(make_remeasured(0, &[47, 48]))],
    );
    assert_eq!(state.evidence, before.evidence, "the start is not kept");
    assert_eq!(state.spent.verify_runs, before.spent.verify_runs + 3);
    take(
        &mut state,
        [Event::Remeasured(make_remeasured(1, &[40, 40]))],
    );
    assert!(state.evidence.is_exact());
    take(
        &mut state,
        [Event::Remeasured(make_remeasured(1, &[40, 41]))],
    );
    assert!(!state.evidence.is_exact(), "two runs of one commit differ");
    let mut expected = before;
    for values in [[40, 40], [40, 41]] {
        record_runs(&mut expected.evidence, &make_remeasured(1, &values).runs);
        expected.evidence.close_watch();
    }
    assert_eq!(state.evidence, expected.evidence);
    assert_eq!(state.incumbent, expected.incumbent);
    assert_eq!(state.counts, expected.counts);
}

#[test]
fn nothing_is_measured_again_while_a_trial_is_open() {
    let mut state = begin();
    take(&mut state, [Event::Intent(make_intent(1, 0))]);
    let before = state.clone();
    let row = Event::Remeasured(make_remeasured(0, &[47]));
    let refused = state.apply_event(row).unwrap_err();
    assert_eq!(refused.event, "remeasured");
    assert_eq!(state, before);
}
