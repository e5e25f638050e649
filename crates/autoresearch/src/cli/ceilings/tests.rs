//! What each flag for a ceiling raises, and what is refused.

use autoresearch_sys::env::Clock;
use autoresearch_sys::error::FailureKind;

use super::*;

const NONE: Ceilings = Ceilings {
    iterations: None,
    time_limit: None,
    tokens: None,
    verify_runs: None,
    until: None,
};

fn make_world() -> World {
    let mut world = World::from_process();
    world.clock = Clock::Fixed("2026-01-01T12:00:00Z".parse().unwrap());
    world
}

#[test]
fn what_is_not_given_raises_nothing() {
    assert_eq!(NONE.to_raise(&make_world()).unwrap(), Raise::default());
}

#[test]
fn every_flag_raises_its_own_ceiling() {
    let given = Ceilings {
        iterations: Some(TrialCount::Most(80)),
        time_limit: Some("1h30m".to_owned()),
        tokens: Some(4_000_000),
        verify_runs: Some(900),
        until: None,
    };
    let expected = Raise {
        iterations: Some(80),
        time_limit_ms: Some(5_400_000),
        tokens: Some(4_000_000),
        verify_runs: Some(900),
        until_ms: None,
    };
    assert_eq!(given.to_raise(&make_world()).unwrap(), expected);
}

#[test]
fn a_time_of_day_is_the_next_one_within_a_day() {
    let world = make_world();
    for text in ["00:00", "07:00", "12:00", "23:59"] {
        let given = Ceilings {
            until: Some(text.to_owned()),
            ..NONE
        };
        let until = given.to_raise(&world).unwrap().until_ms.unwrap();
        // A day on which the clock is changed has 25 hours.
        let ahead = until - world.now_ms();
        assert!(ahead > 0 && ahead <= 25 * 3_600_000, "{text}: {ahead}");
    }
}

#[test]
fn a_wrong_ceiling_is_refused_with_its_flag_and_how_to_write_it() {
    let time = |text: &str| Ceilings {
        time_limit: Some(text.to_owned()),
        ..NONE
    };
    let until = |text: &str| Ceilings {
        until: Some(text.to_owned()),
        ..NONE
    };
    let unlimited = Ceilings {
        iterations: Some(TrialCount::Unlimited),
        ..NONE
    };
    for (given, begins, hint) in [
        (
            time("soon"),
            "--time-limit: ",
            "write it like `90m` or `8h`",
        ),
        (time(""), "--time-limit: ", "write it like `90m` or `8h`"),
        (
            until("7"),
            "--until: `7` is not a time of day",
            "write hours and minutes, such as `07:00`",
        ),
        (
            until("24:00"),
            "--until: `24:00` is not a time of day",
            "write hours and minutes, such as `07:00`",
        ),
        (
            unlimited,
            "--iterations: a run has a number of trials from its start on",
            "write a number; `iterations: none` is for the config of a new run",
        ),
    ] {
        let refused = given.to_raise(&make_world()).unwrap_err();
        assert_eq!(refused.kind, FailureKind::Usage, "{refused}");
        assert!(refused.error.starts_with(begins), "{refused}");
        assert_eq!(refused.hint.as_deref(), Some(hint));
    }
}

#[test]
fn a_number_of_trials_is_above_zero_or_the_word_none() {
    for (text, read, json) in [
        ("1", TrialCount::Most(1), serde_json::json!(1)),
        (
            "4294967295",
            TrialCount::Most(u32::MAX),
            serde_json::json!(u32::MAX),
        ),
        ("none", TrialCount::Unlimited, serde_json::json!("none")),
    ] {
        let count: TrialCount = text.parse().unwrap();
        assert_eq!((count, count.to_json()), (read, json));
    }
    for text in ["", "0", "-1", "1.5", "4294967296", "None", "many", " 1"] {
        let refused = text.parse::<TrialCount>().unwrap_err();
        assert_eq!(
            refused, "write a number of trials, such as 50, or `none`",
            "{text}"
        );
    }
}
