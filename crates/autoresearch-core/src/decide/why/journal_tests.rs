//! Owns the tests of the form that a reason has in journals, old and new.
//! Does not test its words for people; `tests` does.
//! Invariant: what is written here was written by the first version, and is never changed.

use serde_json::json;

use super::*;
use crate::decide::muting::SuppressionKind;

fn make_muted() -> Why {
    Why::Muted(vec![Suppression {
        file: "x".to_owned(),
        line: 3,
        kind: SuppressionKind::Ignore,
        text: "noqa".to_owned(),
    }])
}

fn every_reason() -> Vec<(Why, serde_json::Value)> {
    let mut reasons = reasons_of_trials();
    reasons.extend([
        (Why::OtherHead, json!("other-head")),
        (
            Why::Conflict(vec!["src/a".to_owned()]),
            json!({"conflict": ["src/a"]}),
        ),
        (
            Why::NoneImproved(WorkerId::list_of(5).take(2).collect()),
            json!({"none-improved": ["5a", "5b"]}),
        ),
    ]);
    reasons
}

fn reasons_of_trials() -> Vec<(Why, serde_json::Value)> {
    let files = || vec!["src/a".to_owned()];
    let text = || "x".to_owned();
    let number = |text: &str| -> Value { text.parse().unwrap() };
    vec![
        (Why::WorseMetric, json!("worse-metric")),
        (Why::Tie, json!("tie")),
        (Why::BelowMinimum, json!("below-minimum")),
        (
            Why::CannotTell {
                runs: 4,
                needed: 9,
                incumbent_runs: 0,
                gain: None,
            },
            json!({"cannot-tell": {"runs": 4, "needed": 9}}),
        ),
        (
            Why::NotRepeated {
                first: number("1"),
                second: number("9.5"),
            },
            json!({"not-repeated": {"first": number("1"), "second": number("9.5")}}),
        ),
        (Why::KeepWhen(text()), json!({"keep-when": "x"})),
        (Why::MissingLabel(text()), json!({"missing-label": "x"})),
        (
            Why::GuardFailed(CommandFailure::Exit { status: 3 }),
            json!({"guard-failed": {"exit": {"status": 3}}}),
        ),
        (Why::Protected(files()), json!({"protected": ["src/a"]})),
        (Why::OutOfScope(files()), json!({"out-of-scope": ["src/a"]})),
        (Why::Unsupported(files()), json!({"unsupported": ["src/a"]})),
        (
            Why::ChangedDuringVerify(files()),
            json!({"changed-during-verify": ["src/a"]}),
        ),
        (Why::CutShort(3), json!({"cut-short": 3})),
        (Why::HeadMoved(text()), json!({"head-moved": "x"})),
        (Why::HookRefused(text()), json!({"hook-refused": "x"})),
        (
            Why::VerifyFailed(CommandFailure::Timeout { limit_ms: 300 }),
            json!({"verify-failed": {"timeout": {"limit_ms": 300}}}),
        ),
        (
            Why::VerifyFailed(CommandFailure::Start { error: text() }),
            json!({"verify-failed": {"start": {"error": "x"}}}),
        ),
        (
            Why::CheckFailed(CommandFailure::Exit { status: 3 }),
            json!({"check-failed": {"exit": {"status": 3}}}),
        ),
        (Why::NoMetric(text()), json!({"no-metric": "x"})),
        (Why::NothingChanged, json!("nothing-changed")),
        (Why::Dropped, json!("dropped")),
        (Why::Holdout, json!("holdout")),
        (
            make_muted(),
            json!({"muted": [{"file": "x", "line": 3, "kind": "ignore", "text": "noqa"}]}),
        ),
    ]
}

/// The journals of all versions hold these forms. A change here is a change of the journal's format.
#[test]
fn the_form_of_a_reason_in_the_journal_is_that_of_the_first_version() {
    for (why, form) in every_reason() {
        assert_eq!(json!(why), form);
        assert_eq!(serde_json::from_value::<Why>(form).unwrap(), why);
    }
}

/// Programs that read the log and programs that read the journal know one word for a reason. A deadline is the one
/// reason with a word of its own.
#[test]
fn the_word_of_a_reason_is_its_name_in_the_journal() {
    for (why, form) in every_reason() {
        let named = form.as_str().or_else(|| {
            let name = form.as_object()?.keys().next()?;
            Some(name.as_str())
        });
        match &why {
            Why::VerifyFailed(CommandFailure::Timeout { .. }) => {
                assert_eq!(why.as_str(), "timeout");
            }
            _ => assert_eq!(Some(why.as_str()), named),
        }
    }
}

#[test]
fn a_long_list_of_files_is_cut_and_counted() {
    let files = |count: usize| {
        let names = (0..count).map(|number| format!("f{number}"));
        Why::OutOfScope(names.collect()).to_string()
    };
    assert!(files(5).ends_with(": f0, f1, f2, f3, f4"), "{}", files(5));
    assert!(
        files(7).ends_with(": f0, f1, f2, f3, f4 and 2 more"),
        "{}",
        files(7)
    );
}
