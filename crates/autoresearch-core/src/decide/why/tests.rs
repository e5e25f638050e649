//! Every reason, as the log and people see it.

use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

use super::*;
use crate::config::SuspectPattern;
use crate::decide::gain::GainRange;
use crate::decide::muting::SuppressionKind;

fn list_failures() -> Vec<CommandFailure> {
    vec![
        CommandFailure::Timeout { limit_ms: 90_000 },
        CommandFailure::Exit { status: 2 },
        CommandFailure::Exit { status: 127 },
        CommandFailure::Signal { signal: 9 },
        CommandFailure::Flood { limit: 64 << 20 },
        CommandFailure::Start {
            error: "no such folder".to_owned(),
        },
    ]
}

fn make_muted() -> Why {
    Why::Muted(vec![
        Suppression {
            file: "src/a.py".to_owned(),
            line: 12,
            kind: SuppressionKind::Ignore,
            text: "type: ignore[arg-type]".to_owned(),
        },
        Suppression {
            file: "src/a\n.py".to_owned(),
            line: 13,
            kind: SuppressionKind::Escape,
            text: "cast(Any".to_owned(),
        },
    ])
}

fn list_further_reasons() -> [Why; 4] {
    [
        make_muted(),
        Why::OtherHead,
        Why::Conflict(vec!["src/a".to_owned()]),
        Why::NoneImproved(WorkerId::list_of(5).collect()),
    ]
}

fn list_reasons() -> Vec<Why> {
    let files = || vec!["a".to_owned(), "b".to_owned()];
    let mut reasons = vec![
        Why::WorseMetric,
        Why::Tie,
        Why::BelowMinimum,
        Why::CannotTell {
            runs: 6,
            needed: 40,
            incumbent_runs: 0,
            gain: None,
        },
        Why::CannotTell {
            runs: 7,
            needed: 31,
            incumbent_runs: 4,
            gain: Some(Box::new(GainRange::of_shares(0.012, -0.006, 0.03))),
        },
        Why::CannotTell {
            runs: 1,
            needed: 31,
            incumbent_runs: 0,
            gain: Some(Box::new(GainRange::of_shares(-0.012, -0.06, 0.03))),
        },
        Why::NotRepeated {
            first: 1.into(),
            second: 47.into(),
        },
        Why::KeepWhen("tests >= 40".to_owned()),
        Why::MissingLabel("real".to_owned()),
        Why::Protected(files()),
        Why::OutOfScope(files()),
        Why::Unsupported(files()),
        Why::ChangedDuringVerify(files()),
        Why::HeadMoved("a commit".to_owned()),
        Why::HookRefused("no tests".to_owned()),
        Why::NoMetric("verify printed nothing on stdout".to_owned()),
        Why::CutShort(3),
        Why::NothingChanged,
        Why::Dropped,
        Why::Suspect(vec![
            Suspicion {
                pattern: SuspectPattern::PatchesClock,
                file: "src/a.py".to_owned(),
                line: 12,
            },
            Suspicion {
                pattern: SuspectPattern::ExitsEarly,
                file: "src/a\n.py".to_owned(),
                line: 13,
            },
        ]),
        Why::Holdout,
    ];
    reasons.extend(list_further_reasons());
    for failure in list_failures() {
        reasons.push(Why::GuardFailed(failure.clone()));
        reasons.push(Why::VerifyFailed(failure.clone()));
        reasons.push(Why::CheckFailed(failure));
    }
    reasons
}

#[test]
fn every_reason_is_a_word_for_programs_and_a_fragment_for_people() {
    let told: Vec<String> = list_reasons()
        .iter()
        .map(|why| format!("{}: {why}", why.as_str()))
        .collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn every_reason_is_read_from_a_journal_as_it_was_written() {
    for why in list_reasons() {
        let written = serde_json::to_string(&why).unwrap();
        assert_eq!(serde_json::from_str::<Why>(&written).unwrap(), why);
        let is_fragment = !why.to_string().ends_with('.');
        assert!(is_fragment, "{why}");
    }
}

#[test]
fn the_word_in_the_log_is_the_one_in_the_journal_except_for_a_deadline() {
    for why in list_reasons() {
        let written = serde_json::to_value(&why).unwrap();
        let key = written.as_str().map(ToOwned::to_owned);
        let key =
            key.unwrap_or_else(|| written.as_object().unwrap().keys().next().unwrap().clone());
        let is_deadline = matches!(why, Why::VerifyFailed(CommandFailure::Timeout { .. }));
        let expected = if is_deadline { "timeout" } else { key.as_str() };
        assert_eq!(why.as_str(), expected);
    }
}

#[test]
fn a_void_trial_is_one_whose_tree_was_not_a_change_of_the_scope_alone_or_that_mutes() {
    let words: Vec<&str> = list_reasons()
        .iter()
        .filter(|why| why.is_void())
        .map(Why::as_str)
        .collect();
    assert_eq!(
        words,
        [
            "protected",
            "out-of-scope",
            "unsupported",
            "changed-during-verify",
            "head-moved",
            "muted"
        ]
    );
}

proptest! {
    #[test]
    fn of_many_files_five_are_named_and_the_others_counted(count in 0_usize..40) {
        let files: Vec<String> = (0..count).map(|file| format!("f{file}")).collect();
        let told = Why::OutOfScope(files).to_string();
        prop_assert_eq!(told.matches('f').count() - 1, count.min(5), "one is of `files`");
        prop_assert_eq!(told.contains("more"), count > 5);
        if count > 5 {
            let more = format!("and {} more", count - 5);
            prop_assert!(told.ends_with(&more));
        }
    }
}
