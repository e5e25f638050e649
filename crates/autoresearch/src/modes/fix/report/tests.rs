//! What is said of checks, and what comes next.

use autoresearch_core::scan::CheckKind::{Build, Lint, Tests, Types};

use super::*;

fn row(kind: CheckKind, outcome: CheckOutcome) -> CheckRow {
    let is_missing = outcome == CheckOutcome::CannotRun;
    CheckRow {
        kind,
        command: format!("make {}", kind.as_str()),
        outcome,
        why: match outcome {
            CheckOutcome::Fails => Some("exit status 2".to_owned()),
            CheckOutcome::CannotRun => Some("missing lint".to_owned()),
            _ => None,
        },
        remedy: is_missing.then(|| "install lint".to_owned()),
        took_ms: Some(1_200),
        said: String::new(),
        timed_out: false,
    }
}

fn report(rows: &[(CheckKind, CheckOutcome)]) -> FixReport {
    FixReport {
        stack: "C".to_owned(),
        folder: ".".to_owned(),
        checks: rows
            .iter()
            .map(|(kind, outcome)| row(*kind, *outcome))
            .collect(),
        ..FixReport::default()
    }
}

#[test]
fn what_fails_is_broken_in_its_order_and_what_cannot_run_is_not() {
    let mut found = report(&[
        (Build, CheckOutcome::Passes),
        (Tests, CheckOutcome::Fails),
        (Types, CheckOutcome::CannotRun),
        (Lint, CheckOutcome::Fails),
    ]);
    found.note_broken().unwrap();
    assert_eq!(found.broken, [Tests, Lint]);
    assert_eq!(found.find_broken(), Some(Tests));
    assert!(found.passes(Build) && !found.passes(Types));
    found.metric = Some("failing_tests".to_owned());
    found.count = Some(Value::from(3));
    found.items = vec!["FAIL one".to_owned()];
    found.left = vec!["a.log".to_owned()];
    found.name_next();
    insta::assert_snapshot!(found.to_string(), @"
    project     C in .
    build       passes (1s200ms)  make build
    tests       fails (1s200ms)  make tests
                exit status 2
    types       cannot run here: missing lint: install lint
    lint        fails (1s200ms)  make lint
                exit status 2
    count       failing_tests is 3
                FAIL one
    left        by the checks, and git sees it: a.log; let git ignore it, or `start` refuses
    next: autoresearch fix check --write writes autoresearch.yaml: failing_tests 3 -> 0
    ");
    found.file = Some("autoresearch.yaml".to_owned());
    found.next = "read it".to_owned();
    found.name_next();
    insta::assert_snapshot!(found.to_string(), @"
    project     C in .
    build       passes (1s200ms)  make build
    tests       fails (1s200ms)  make tests
                exit status 2
    types       cannot run here: missing lint: install lint
    lint        fails (1s200ms)  make lint
                exit status 2
    count       failing_tests is 3
                FAIL one
    left        by the checks, and git sees it: a.log; let git ignore it, or `start` refuses
    wrote       autoresearch.yaml
    not in it   lint: no guard holds what is broken already, so look that it gets no worse
    next: read it; at zero move it away and call autoresearch fix check --write for lint
    ");
}

#[test]
fn what_comes_next_follows_from_what_was_found() {
    let next = |rows: &[(CheckKind, CheckOutcome)]| {
        let mut found = report(rows);
        let checked = found.note_broken();
        found.name_next();
        match checked {
            Ok(()) => found.next,
            Err(failure) => format!("{failure}"),
        }
    };
    let mut uncounted = report(&[(Build, CheckOutcome::Fails)]);
    uncounted.metric = Some("failed_runs".to_owned());
    uncounted.count = Some(Value::from(2));
    uncounted.instead = Some("it did not end in time".to_owned());
    uncounted.name_next();
    insta::assert_snapshot!(uncounted.to_string(), @"
    project     C in .
    build       fails (1s200ms)  make build
                exit status 2
    count       failed_runs is 2 of 2 runs, by the exit status: it did not end in time
    next: if something is missing here, get it first; else autoresearch fix check --write writes autoresearch.yaml: failed_runs 2 -> 0
    ");
    insta::assert_snapshot!(next(&[(Build, CheckOutcome::Passes)]), @"nothing is broken; autoresearch scan proposes what to improve");
    insta::assert_snapshot!(next(&[(Build, CheckOutcome::Passes), (Lint, CheckOutcome::CannotRun)]), @"nothing that can run here is broken; get what is missing and call this again, or autoresearch scan proposes what to improve");
    insta::assert_snapshot!(next(&[(Build, CheckOutcome::Fails)]), @"write a config by hand, for no source file of this project can be changed: autoresearch config example failing-tests");
    insta::assert_snapshot!(next(&[(Types, CheckOutcome::CannotRun), (Lint, CheckOutcome::CannotRun)]), @"
    error: nothing could be checked in . (C): types: missing lint; lint: missing lint
    hint: install lint
    ");
    let mut listed = report(&[(Build, CheckOutcome::NotRun)]);
    listed.name_next();
    insta::assert_snapshot!(listed.to_string(), @"
    project     C in .
    build       make build
    next: autoresearch fix check runs these
    ");
}
