//! What an open batch admits, by hand and in random walks over its events.

use proptest::collection::vec;
use proptest::prelude::{TestCaseError, prop_assert, prop_assert_eq, proptest};

use super::*;
use crate::config::Measuring;
use crate::journal::event::{Close, Event, Interruption, Verdict, WorkerId};
use crate::journal::sample::{
    make_commit, make_decision, make_intent, make_measurement, make_start,
};
use crate::journal::state::Step;

/// The commits of workers, and of HEAD after an undone pick, are numbered from here on.
const WORKED: u32 = 4_000;
const UNDONE: u32 = 5_000;

fn begin() -> RunState {
    RunState::from_start(Event::Start(Box::new(make_start(47)))).unwrap()
}

fn batch(state: &RunState, workers: usize, stack: bool) -> Event {
    Event::Batch(Batch {
        trial: state.next_trial,
        base: state.head.clone(),
        hypotheses: vec!["less".to_owned(); workers],
        measuring: Measuring::Serial,
        stack,
        verify_runs: 0,
    })
}

fn worker(batch: u32, index: usize) -> WorkerId {
    WorkerId::list_of(batch).nth(index).unwrap()
}

fn row(worker: WorkerId, why: Option<Why>) -> WorkerRow {
    WorkerRow {
        commit: Some(make_commit(WORKED + u32::try_from(worker.index()).unwrap())),
        measurement: Some(make_measurement(40)),
        why,
        verify_runs: 1,
        ..WorkerRow::new(worker, "less")
    }
}

fn measured(worker: WorkerId) -> Event {
    Event::Worker(Box::new(row(worker, None)))
}

fn undone(worker: WorkerId, head: u32) -> Event {
    Event::Worker(Box::new(WorkerRow {
        head: Some(make_commit(UNDONE + head)),
        ..row(worker, Some(Why::Tie))
    }))
}

fn pick(trial: u32, picks: WorkerId) -> Event {
    Event::Intent(Intent {
        picks: Some(picks),
        ..make_intent(trial, 0)
    })
}

fn verdict(trial: u32, word: Verdict, value: i64) -> Event {
    Event::Verdict(Box::new(make_decision(trial, word, Some(value))))
}

fn none_improved(trial: u32, batch: u32) -> Event {
    let why = Some(Why::NoneImproved(WorkerId::list_of(batch).collect()));
    let intent = make_intent(trial, 0);
    Event::Verdict(Box::new(Decision::without_measurement(
        &intent,
        Verdict::Discard,
        why,
    )))
}

fn close(trial: u32) -> Event {
    Event::Close(Close {
        trial,
        head: make_commit(0),
        saved: None,
    })
}

fn interruption(trial: u32) -> Event {
    Event::Interrupted(Interruption {
        trial,
        message: "cut".to_owned(),
        head: make_commit(0),
        saved: None,
        verify_runs: 0,
    })
}

fn end(trial: u32, aborted: bool) -> Event {
    Event::BatchEnd(BatchEnd { trial, aborted })
}

#[track_caller]
fn take(state: &mut RunState, event: Event) {
    let told = format!("{event:?}");
    state
        .apply_event(event)
        .unwrap_or_else(|error| panic!("{error}: {told}"));
}

/// A run with an open batch of two that were measured.
fn open() -> RunState {
    let mut state = begin();
    let event = batch(&state, 2, false);
    take(&mut state, event);
    take(&mut state, measured(worker(1, 0)));
    take(&mut state, measured(worker(1, 1)));
    state
}

#[test]
fn a_pick_that_is_kept_decides_its_batch_and_the_number_counts_once() {
    let mut state = open();
    assert_eq!(state.next_step(), Step::Batch);
    assert_eq!(state.spent.verify_runs, 2);
    take(&mut state, pick(1, worker(1, 0)));
    take(&mut state, verdict(1, Verdict::Keep, 40));
    assert_eq!(state.batch.as_ref().unwrap().decided, Some(1));
    take(&mut state, end(1, false));
    assert!(state.batch.is_none());
    assert_eq!((state.next_trial, state.counts.count_iterations()), (2, 1));
    assert_eq!(state.next_step(), Step::Trial);
}

#[test]
fn an_undone_pick_frees_its_number_and_is_out() {
    let mut state = open();
    take(&mut state, pick(1, worker(1, 0)));
    take(&mut state, undone(worker(1, 0), 1));
    assert_eq!(
        (state.next_trial, &state.head),
        (1, &make_commit(UNDONE + 1))
    );
    assert!(state.apply_event(pick(1, worker(1, 0))).is_err());
}

#[test]
fn an_interrupted_pick_can_be_made_again_under_the_next_number() {
    let mut state = open();
    take(&mut state, pick(1, worker(1, 0)));
    take(&mut state, interruption(1));
    take(&mut state, pick(2, worker(1, 0)));
    assert_eq!(state.counts.count_iterations(), 0);
}

#[test]
fn edits_that_belong_to_no_worker_can_be_taken_back_and_are_never_decided() {
    let mut state = open();
    take(&mut state, Event::Intent(make_intent(1, 0)));
    let decided = verdict(1, Verdict::Keep, 40);
    assert!(state.clone().apply_event(decided).is_err());
    take(&mut state, interruption(1));
    take(&mut state, pick(2, worker(1, 1)));
}

#[test]
fn none_improved_closes_a_batch_once_and_is_no_verdict_without_one() {
    let mut state = begin();
    assert!(state.clone().apply_event(none_improved(1, 1)).is_err());
    let event = batch(&state, 3, false);
    take(&mut state, event);
    take(&mut state, none_improved(1, 1));
    assert!(state.clone().apply_event(none_improved(2, 1)).is_err());
    take(&mut state, end(1, false));
    assert_eq!(
        (state.counts.count_iterations(), state.ladder.failures),
        (1, 1)
    );
}

#[test]
fn a_batch_that_is_given_up_counts_as_nothing_and_its_number_is_gone() {
    let mut state = open();
    take(&mut state, end(1, true));
    assert_eq!((state.next_trial, state.counts.count_iterations()), (2, 0));
    let event = batch(&state, 4, false);
    assert!(
        state.clone().apply_event(event).is_err(),
        "four are too many"
    );
    let event = batch(&state, 1, false);
    assert!(state.apply_event(event).is_err(), "one is none");
}

/// A step of a walk: which event, about which worker, with a number.
type WalkStep = (u8, usize, i64);

fn make_event((kind, index, number): WalkStep, state: &RunState) -> Event {
    let open_trial = state.open_trial.as_ref();
    let trial = open_trial.map_or(state.next_trial, |open| open.intent.trial);
    let named = state.batch.as_ref().map_or(trial, |open| open.batch.trial);
    let picks = open_trial.and_then(|open| open.intent.picks);
    let picked = picks.unwrap_or_else(|| worker(named, index));
    match kind {
        0 | 1 => batch(state, 1 + index, number % 2 == 0),
        2..=4 => measured(worker(named, index)),
        5..=7 => pick(trial, picked),
        8 => Event::Intent(make_intent(trial, 0)),
        9 => verdict(trial, Verdict::Keep, number),
        10 => verdict(trial, Verdict::Discard, number),
        11 => undone(picked, trial),
        12 => interruption(trial),
        13 => close(trial),
        14 => none_improved(trial, named),
        15 => end(named, index == 0),
        _ => Event::Serial("so".to_owned()),
    }
}

proptest! {
    #[test]
    fn in_any_walk_a_batch_counts_once_and_no_decided_number_is_used_again(
        steps in vec((0u8..17, 0usize..3, 0i64..60), 0..80)
    ) {
        let mut state = begin();
        let mut taken = Vec::new();
        let mut decided: Vec<u32> = Vec::new();
        for step in steps {
            let event = make_event(step, &state);
            let before = state.clone();
            if state.apply_event(event.clone()).is_err() {
                prop_assert_eq!(&state, &before, "what is refused changes nothing");
                continue;
            }
            check_step(&before, &event, &state)?;
            if let Event::Intent(intent) = &event {
                prop_assert!(!decided.contains(&intent.trial), "{} again", intent.trial);
            }
            if let Event::Verdict(verdict) = &event {
                decided.push(verdict.trial);
            }
            taken.push(event);
        }
        let mut again = begin();
        for event in taken {
            prop_assert!(again.apply_event(event).is_ok());
        }
        prop_assert_eq!(again, state);
    }
}

/// What must hold at each event that a walk takes.
fn check_step(before: &RunState, event: &Event, state: &RunState) -> Result<(), TestCaseError> {
    let iterations = state.counts.count_iterations();
    let known = before.counts.count_iterations();
    prop_assert!(iterations >= known && iterations <= known + 1);
    let Some(open) = &before.batch else {
        return Ok(());
    };
    if let Event::Verdict(_) = event {
        let picks = before
            .open_trial
            .as_ref()
            .and_then(|open| open.intent.picks);
        prop_assert!(picks.is_some() || open.decided.is_none());
        prop_assert_eq!(iterations, known + u32::from(open.decided.is_none()));
    }
    if before.open_trial.is_none() && before.head != state.head {
        return Err(TestCaseError::fail("HEAD moved without a pick"));
    }
    Ok(())
}
