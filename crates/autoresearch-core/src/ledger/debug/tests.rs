//! A search by its records: what ends it, what is refused, and that it is the same however it is read.

use proptest::prelude::*;

use super::*;
use crate::git_names::CommitId;
use crate::ledger::evidence::{Evidence, Expectation, Experiment, FileState, Place};
use crate::ledger::hypothesis::Closing;
use crate::ledger::opening::{LedgerKind, LedgerLimits};

pub(crate) fn make_opening(limits: LedgerLimits) -> Opening {
    Opening {
        format: 1,
        name: "debug-1".to_owned(),
        id: "0123456789abcdef0123456789abcdef".to_owned(),
        version: "0.1.0".to_owned(),
        kind: LedgerKind::Debug,
        subject: "the API answers 503".to_owned(),
        commit: commit(),
        limits,
    }
}

pub(crate) fn commit() -> CommitId {
    CommitId::parse(&"c0ffee".repeat(7)[..40]).unwrap()
}

pub(crate) fn place() -> Evidence {
    Evidence::Place(Place {
        path: "src/api.rs".to_owned(),
        line: 12,
        moved_from: None,
        quote: "if n > limit {".to_owned(),
        found_in: FileState::Commit(commit()),
    })
}

pub(crate) fn experiment(met: u32, runs: u32) -> Evidence {
    Evidence::Experiment(Box::new(Experiment {
        command: "sh probe.sh".to_owned(),
        expects: Expectation {
            exit: Some("1".parse().unwrap()),
            ..Expectation::default()
        },
        runs,
        met,
        at_least: 1,
        ended: "exit status 1".to_owned(),
        said: "HTTP 503".to_owned(),
        output: "evidence/3.txt".to_owned(),
        output_hash: "ab".repeat(32),
        commit: commit(),
        changed: 2,
        sandboxed: true,
    }))
}

pub(crate) fn add(number: u32) -> Event {
    Event::Hypothesis(Hypothesis {
        number,
        message: format!("cause {number}"),
        predicts: "it is seen".to_owned(),
    })
}

pub(crate) fn result(number: u32, outcome: Outcome, evidence: Vec<Evidence>) -> Event {
    Event::Result(Box::new(HypothesisResult {
        hypothesis: number,
        outcome,
        message: format!("{} it is", outcome.as_str()),
        evidence,
    }))
}

pub(crate) fn read(
    limits: LedgerLimits,
    events: Vec<Event>,
) -> Result<DebugLedger, (u64, FoldError)> {
    let opening = Event::Opening(Box::new(make_opening(limits)));
    let events = std::iter::once(opening).chain(events);
    let records: Vec<Record> = (0..)
        .zip(events)
        .map(|(seq, event)| Record {
            seq,
            prev: String::new(),
            at: "2026-01-01T00:00:00Z".to_owned(),
            event,
        })
        .collect();
    DebugLedger::from_records(&records)
}

fn find_end(limits: LedgerLimits, events: Vec<Event>) -> Option<DebugEnd> {
    read(limits, events).unwrap().find_end()
}

const LIMITS: LedgerLimits = LedgerLimits {
    hypotheses: 3,
    fruitless: 2,
};

#[test]
fn a_confirmed_hypothesis_ends_it_and_nothing_follows() {
    let cause = vec![add(1), add(2), result(2, Outcome::Confirmed, vec![place()])];
    let ledger = read(LIMITS, cause.clone()).unwrap();
    assert_eq!(ledger.find_end(), Some(DebugEnd::Confirmed));
    insta::assert_snapshot!(ledger.describe_end().unwrap(), @"the cause is confirmed, hypothesis 2: cause 2");
    insta::assert_snapshot!(ledger.next_number().unwrap_err(), @"the search has ended: the cause is confirmed, hypothesis 2: cause 2");
    for more in [
        add(3),
        result(1, Outcome::Disproven, vec![place()]),
        Event::Closing(Closing {
            message: "enough".to_owned(),
        }),
        Event::Ready,
    ] {
        let word = more.as_str();
        let events = [cause.clone(), vec![more]].concat();
        assert_eq!(read(LIMITS, events), Err((4, FoldError { event: word })));
    }
}

#[test]
fn without_a_cause_it_ends_at_its_limits_or_when_somebody_stops_it() {
    let fruitless = |number| result(number, Outcome::Disproven, vec![place()]);
    let lead = |number| result(number, Outcome::Lead, Vec::new());
    assert_eq!(
        find_end(LIMITS, vec![add(1), add(2), fruitless(1), fruitless(2)]),
        Some(DebugEnd::NoLead)
    );
    let kept_up = vec![add(1), add(2), fruitless(1), lead(2), add(3)];
    assert_eq!(find_end(LIMITS, kept_up.clone()), None);
    let all = [kept_up, vec![fruitless(3)]].concat();
    let ledger = read(LIMITS, all).unwrap();
    assert_eq!(ledger.find_end(), Some(DebugEnd::Cap));
    insta::assert_snapshot!(ledger.describe_end().unwrap(), @"all of 3 hypotheses were looked at");
    let stopped = Event::Closing(Closing {
        message: "no time".to_owned(),
    });
    let ledger = read(LIMITS, vec![add(1), stopped]).unwrap();
    assert_eq!(ledger.find_end(), Some(DebugEnd::Stopped));
    insta::assert_snapshot!(ledger.describe_end().unwrap(), @"it was stopped: no time");
}

#[test]
fn what_is_not_proven_or_not_there_is_refused() {
    let ledger = read(
        LIMITS,
        vec![add(1), add(2), result(1, Outcome::Disproven, vec![place()])],
    )
    .unwrap();
    let refuse = |number, outcome, evidence| {
        ledger
            .check_result(number, outcome, evidence)
            .unwrap_err()
            .to_string()
    };
    insta::assert_snapshot!(refuse(2, Outcome::Confirmed, 0), @"`confirmed` takes evidence: a place in a file, or a command that was run");
    insta::assert_snapshot!(refuse(2, Outcome::Disproven, 0), @"`disproven` takes evidence: a place in a file, or a command that was run");
    insta::assert_snapshot!(refuse(3, Outcome::Lead, 0), @"there is no hypothesis 3: there are 2");
    insta::assert_snapshot!(refuse(0, Outcome::Lead, 0), @"there is no hypothesis 0: there are 2");
    insta::assert_snapshot!(refuse(1, Outcome::Confirmed, 1), @"hypothesis 1 is disproven already");
    assert_eq!(ledger.check_result(2, Outcome::Lead, 0), Ok(()));
    let full = read(LIMITS, vec![add(1), add(2), add(3)]).unwrap();
    insta::assert_snapshot!(full.next_number().unwrap_err(), @"3 hypotheses are open or looked at, and the limit is as many");
    assert_eq!(
        read(LIMITS, vec![add(2)]),
        Err((
            1,
            FoldError {
                event: "hypothesis"
            }
        ))
    );
    assert_eq!(
        read(
            LIMITS,
            vec![add(1), result(1, Outcome::Confirmed, Vec::new())]
        ),
        Err((2, FoldError { event: "result" }))
    );
}

proptest! {
    #[test]
    fn whatever_is_asked_what_it_takes_in_keeps_its_promises(
        steps in proptest::collection::vec((0_u8..3, 0_u32..5, 0_u8..4, any::<bool>()), 0..30),
    ) {
        let mut events = Vec::new();
        for (kind, number, outcome, proven) in steps {
            let outcome = [Outcome::Confirmed, Outcome::Disproven, Outcome::Inconclusive, Outcome::Lead][usize::from(outcome)];
            let evidence = if proven { vec![experiment(1, 1)] } else { Vec::new() };
            let event = match kind {
                0 => add(number),
                1 => result(number, outcome, evidence),
                _ => Event::Closing(Closing { message: "m".to_owned() }),
            };
            let tried = [events.clone(), vec![event.clone()]].concat();
            if read(LIMITS, tried).is_ok() {
                events.push(event);
            }
        }
        let ledger = read(LIMITS, events.clone()).unwrap();
        prop_assert!(ledger.count() <= LIMITS.hypotheses);
        for story in &ledger.hypotheses {
            for (index, result) in story.results.iter().enumerate() {
                let is_last = index + 1 == story.results.len();
                prop_assert!(!result.outcome.decides() || (is_last && !result.evidence.is_empty()));
            }
        }
        // Before its last record it had not ended.
        if let Some((_, before)) = events.split_last() {
            prop_assert_eq!(read(LIMITS, before.to_vec()).unwrap().find_end(), None);
        }
    }
}
