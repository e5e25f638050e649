//! The words of events, verdicts and ends, and records of older and newer versions.

use serde_json::json;

use super::*;
use crate::journal::sample::{make_commit, make_tree};

fn list_events() -> [Event; 4] {
    let close = Close {
        trial: 1,
        head: make_commit(1),
        saved: None,
    };
    let ending = Ending {
        end: End::Target,
        why: "n is 0".to_owned(),
    };
    [
        Event::Ready,
        Event::Close(close),
        Event::Raise(Raise::default()),
        Event::End(ending),
    ]
}

#[test]
fn the_word_of_an_event_is_the_one_in_the_journal_and_in_its_steps() {
    for event in list_events() {
        let word = event.as_str();
        let written = serde_json::to_value(&event).unwrap();
        let key = written.as_str().map(ToOwned::to_owned);
        let key = key.or_else(|| written.as_object().unwrap().keys().next().cloned());
        assert_eq!(key.as_deref(), Some(word));
        assert_eq!(event.to_steps().anchor, format!("anchor {word}"));
        assert_eq!(event.to_steps().journal, format!("journal {word}"));
    }
}

#[test]
fn an_end_that_a_raise_lifts_is_a_ceiling_or_an_obstacle() {
    let ends = [
        End::Target,
        End::IterationCap,
        End::TimeLimit,
        End::Budget,
        End::NeedsHuman,
        End::Blocked,
        End::UserStop,
        End::Error,
    ];
    for end in ends {
        let written = serde_json::to_value(end).unwrap();
        assert_eq!(written, end.as_str());
        assert_eq!(
            end.can_be_lifted(),
            end.is_ceiling() || end == End::Blocked,
            "{end:?}"
        );
    }
}

#[test]
fn only_a_keep_with_its_commit_tree_and_measurement_has_kept_something() {
    let intent = Intent {
        trial: 1,
        attempt: 0,
        message: "less".to_owned(),
        labels: Vec::new(),
        simplify: false,
        parent: make_commit(0),
        again: false,
        leaves_out: None,
        picks: None,
    };
    let measurement = Measurement {
        value: 3.into(),
        metrics: BTreeMap::new(),
        missing: BTreeMap::new(),
        cases: crate::metric::cases::Cases::default(),
    };
    let mut decided = Decision::without_measurement(&intent, Verdict::Keep, None);
    assert_eq!(decided.find_kept(), None);
    decided.commit = Some(make_commit(1));
    decided.tree = Some(make_tree(1));
    decided.measurement = Some(measurement.clone());
    let kept = decided.find_kept().unwrap();
    assert_eq!(*kept.commit, make_commit(1));
    assert_eq!(*kept.tree, make_tree(1));
    assert_eq!(kept.measurement, &measurement);
    decided.verdict = Verdict::Discard;
    assert_eq!(decided.find_kept(), None);
}

#[test]
fn of_many_further_metrics_the_first_are_shown_and_the_others_counted() {
    let metrics: BTreeMap<String, Value> = (0..10)
        .map(|number| (format!("m{number}"), Value::from(number)))
        .collect();
    assert_eq!(
        format_further_metrics(&metrics),
        "m0=0 m1=1 m2=2 m3=3 m4=4 m5=5 m6=6 m7=7 and 2 more"
    );
    let odd = BTreeMap::from([("a\tb".to_owned(), Value::from(1))]);
    assert_eq!(format_further_metrics(&odd), "a\\tb=1");
}

/// The words of the log and of the journal are one vocabulary: tools read both.
#[test]
fn a_verdict_and_a_guard_have_one_word_in_log_and_journal() {
    for verdict in [
        Verdict::Keep,
        Verdict::Discard,
        Verdict::Crash,
        Verdict::NoOp,
    ] {
        assert_eq!(json!(verdict), verdict.as_str());
    }
    assert_eq!(json!(Guard::Pass), Guard::Pass.as_str());
    assert_eq!(json!(Guard::Fail), Guard::Fail.as_str());
    assert_eq!(json!(Guard::NotRun), "not-run");
}

/// What older versions wrote lacks these fields, and what they would have been is the default.
#[test]
fn records_of_older_versions_are_read() {
    let intent = json!({"intent": {
        "trial": 1, "attempt": 0, "message": "m", "labels": [], "simplify": false, "parent": "p",
    }});
    let Event::Intent(intent) = serde_json::from_value(intent).unwrap() else {
        panic!("an intent")
    };
    assert!(!intent.again);
    let decision = json!({"verdict": {
        "trial": 1, "verdict": "keep", "why": null, "message": "m", "labels": [], "commit": "c", "tree": "t",
        "measurement": null, "samples": [], "delta": null, "guard": "pass", "droppings": ["x"],
    }});
    let Event::Verdict(decision) = serde_json::from_value(decision).unwrap() else {
        panic!("a verdict")
    };
    assert_eq!((decision.jump, decision.guard_retries), (false, 0));
    assert_eq!(decision.left_files, ["x"]);
    let raise: Event = serde_json::from_value(json!({"raise": {"iterations": 9}})).unwrap();
    assert!(matches!(
        raise,
        Event::Raise(Raise {
            iterations: Some(9),
            tokens: None,
            ..
        })
    ));
}

/// A field with its default is not written: an older version reads what a newer one wrote where nothing new happened.
#[test]
fn a_record_without_anything_new_has_the_fields_of_the_first_version() {
    let intent = Intent {
        trial: 1,
        attempt: 0,
        message: "m".to_owned(),
        labels: Vec::new(),
        simplify: false,
        parent: make_commit(0),
        again: false,
        leaves_out: None,
        picks: None,
    };
    assert!(json!(intent).get("again").is_none());
    let decision = Decision::without_measurement(&intent, Verdict::NoOp, None);
    let written = json!(decision);
    for field in ["jump", "guard_retries", "left_files"] {
        assert!(written.get(field).is_none(), "{field}");
    }
    assert_eq!(written["droppings"], json!([]));
}
