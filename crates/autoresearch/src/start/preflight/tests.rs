//! The parts of the look before a start that need no repository.

use std::os::unix::ffi::OsStringExt;

use autoresearch_sys::error::FailureKind;

use super::*;

#[test]
fn the_first_five_names_are_shown_and_the_rest_is_counted() {
    let names: Vec<String> = (1..=7).map(|number| number.to_string()).collect();
    for (count, shown) in [
        (1, "1"),
        (5, "1, 2, 3, 4, 5"),
        (6, "1, 2, 3, 4, 5 and 1 more"),
        (7, "1, 2, 3, 4, 5 and 2 more"),
    ] {
        assert_eq!(show_first_names(&names[..count]), shown);
    }
}

#[test]
fn secrets_are_sealed_for_the_run_and_open_for_the_baseline() {
    let mut world = World::from_process();
    world.vars = [
        ("A_TOKEN".into(), "one".into()),
        ("B_TOKEN".into(), "two".into()),
    ]
    .into();
    let (sealed, open) = seal_secrets(&world, &["A_TOKEN".to_owned()], "salt").unwrap();
    assert_eq!(open, [("A_TOKEN".into(), "one".into())]);
    assert_eq!(sealed.keys().collect::<Vec<_>>(), ["A_TOKEN"]);
    let written = serde_json::to_string(&sealed).unwrap();
    assert!(!written.contains("one"), "{written}");
}

#[test]
fn a_secret_that_is_not_set_or_not_utf8_is_refused_with_its_name() {
    let mut world = World::from_process();
    let bytes = std::ffi::OsString::from_vec(b"\xff".to_vec());
    world.vars = [("ODD_TOKEN".into(), bytes)].into();
    for name in ["ODD_TOKEN", "GONE_TOKEN"] {
        let refused = seal_secrets(&world, &[name.to_owned()], "salt")
            .err()
            .unwrap();
        assert_eq!(refused.kind, FailureKind::Config);
        assert_eq!(refused.error, format!("the secret `{name}` is not set"));
        assert_eq!(
            refused.hint,
            Some(format!("export {name}, then start again"))
        );
    }
}

#[test]
fn a_clock_that_nobody_set_is_refused_with_what_it_says() {
    for seconds in [1_112_832_000, 1_795_000_000, 4_102_444_799] {
        check_clock(seconds, "now").unwrap();
    }
    for seconds in [0, 86_400, 1_112_831_999, 4_102_444_800, u64::MAX] {
        let refused = check_clock(seconds, "1970-01-01T00:00:00Z").unwrap_err();
        assert_eq!(refused.kind, FailureKind::Environment);
        assert_eq!(
            refused.error,
            "the clock of this machine says 1970-01-01T00:00:00Z"
        );
    }
}
