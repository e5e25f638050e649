//! Sentences as people type them, and what is understood.

use super::*;

/// What is understood of each sentence.
fn read_all(sentences: &[&str]) -> String {
    let rows = sentences.iter().map(|sentence| {
        let wish = read_wish(sentence);
        let aim = wish.aim.map_or("-".to_owned(), |aim| format!("{aim:?}"));
        let target = wish.target.as_deref().unwrap_or("-");
        let quoted = wish.quoted.as_deref().unwrap_or("-");
        format!("{aim:<13} {target:<8} {quoted:<10} {sentence}\n")
    });
    rows.collect()
}

#[test]
fn a_sentence_says_what_is_measured_and_where_it_ends() {
    insta::assert_snapshot!(read_all(&[
        "get rid of the `any` types",
        "raise my coverage to 80 %",
        "raise test coverage to 80%",
        "make the parser faster",
        "make the tests faster",
        "make `npm test` twice as fast",
        "cut clean build time",
        "compile in under 30 seconds",
        "the tests are flaky",
        "fix the failing tests",
        "make all tests pass",
        "cut the lint warnings to zero, don't change behaviour",
        "fix all type errors",
        "fix every mypy error",
        "shrink the binary under 10 MB",
        "make the bundle smaller, keep the app working",
        "lower peak memory on the big fixture below 512 MiB",
        "reduce p95 latency by 20 %",
        "get p95 below 120 ms",
        "remove all the `console.log(` calls",
        "no more TODOs",
        "I want to optimise but don't know what",
        "improve things",
        "",
    ]), @"
    -             0        any        get rid of the `any` types
    Coverage      80       -          raise my coverage to 80 %
    Coverage      80       -          raise test coverage to 80%
    Speed         -        -          make the parser faster
    TestTime      -        -          make the tests faster
    TestTime      -        npm test   make `npm test` twice as fast
    BuildTime     -        -          cut clean build time
    BuildTime     30 seconds -          compile in under 30 seconds
    FlakyTests    -        -          the tests are flaky
    FailingTests  0        -          fix the failing tests
    FailingTests  -        -          make all tests pass
    Lint          0        -          cut the lint warnings to zero, don't change behaviour
    Types         0        -          fix all type errors
    Types         0        -          fix every mypy error
    Size          10 MB    -          shrink the binary under 10 MB
    Size          -        -          make the bundle smaller, keep the app working
    Memory        512 MiB  -          lower peak memory on the big fixture below 512 MiB
    Speed         -        -          reduce p95 latency by 20 %
    Speed         120 ms   -          get p95 below 120 ms
    -             0        console.log( remove all the `console.log(` calls
    -             0        -          no more TODOs
    -             -        -          I want to optimise but don't know what
    -             -        -          improve things
    -             -        -
    ");
}

#[test]
fn a_target_is_one_in_a_unit_of_what_is_asked_for() {
    insta::assert_snapshot!(read_all(&[
        "raise the coverage of the 10 MB parser to 80 %",
        "raise coverage under 30 seconds",
        "raise coverage without any change, and no new tests",
        "make the tests faster on 512 MB, below 20 s",
        "make the build faster for 80 % of all",
        "shrink the binary under 10",
        "shrink the bundle that loads in 2 s to 180 kB",
        "use less memory, no more than 1 GiB",
        "get the lint warnings down to 12 within 30 seconds",
        "fix all type errors in the 3 MB file",
    ]), @"
    Coverage      80       -          raise the coverage of the 10 MB parser to 80 %
    Coverage      -        -          raise coverage under 30 seconds
    Coverage      -        -          raise coverage without any change, and no new tests
    TestTime      20 s     -          make the tests faster on 512 MB, below 20 s
    BuildTime     -        -          make the build faster for 80 % of all
    Size          -        -          shrink the binary under 10
    Size          180 kB   -          shrink the bundle that loads in 2 s to 180 kB
    Memory        1 GiB    -          use less memory, no more than 1 GiB
    Lint          12       -          get the lint warnings down to 12 within 30 seconds
    Types         0        -          fix all type errors in the 3 MB file
    ");
}

#[test]
fn a_sentence_is_kept_with_single_spaces() {
    assert_eq!(
        read_wish("  raise\n my \t coverage ").text,
        "raise my coverage"
    );
    assert_eq!(read_wish("").text, "");
}

#[test]
fn one_backtick_or_an_empty_pair_names_nothing() {
    for sentence in ["a ` b", "a `` b", "a ` ` b"] {
        assert_eq!(read_wish(sentence).quoted, None, "{sentence}");
    }
    assert_eq!(read_wish("a `b` and `c`").quoted.as_deref(), Some("b"));
}

#[test]
fn a_number_without_a_lead_or_a_unit_is_no_target() {
    for sentence in [
        "update to the 3 modules of v2",
        "use http2 and utf8",
        "by 20 %",
        "python 3.12 is slow",
    ] {
        assert_eq!(read_wish(sentence).target, None, "{sentence}");
    }
}

proptest::proptest! {
    #[test]
    fn any_sentence_is_read(sentence in "(?s).{0,80}") {
        let wish = read_wish(&sentence);
        if let Some(target) = wish.target {
            proptest::prop_assert!(target.parse::<Quantity>().is_ok(), "{target}");
        }
    }

    #[test]
    fn words_that_mean_something_in_any_order_are_read(words in proptest::collection::vec("to|below|by|80|%|10|mb|tests?|fast|build|no|`|any|coverage|1e9|-3|0x2", 0..8)) {
        let wish = read_wish(&words.join(" "));
        proptest::prop_assert!(wish.target.is_none_or(|target| target.parse::<Quantity>().is_ok()));
    }
}

#[test]
fn names_of_metrics_that_mean_the_same_are_of_one_aim() {
    for (aim, names) in [
        (
            Some(Aim::Types),
            &[
                "any_count",
                "type_errors",
                "tsc",
                "mypy_errors",
                "explicit-any",
            ][..],
        ),
        (
            Some(Aim::Lint),
            &[
                "lint_findings",
                "clippy_findings",
                "compiler_warnings",
                "rubocop_offenses",
                "issues",
            ],
        ),
        (Some(Aim::Coverage), &["line_coverage", "Coverage", "cov"]),
        (Some(Aim::FailingTests), &["failing", "failed_tests"]),
        (Some(Aim::BuildErrors), &["build_errors", "build_fails"]),
        (Some(Aim::Speed), &["bench_ms", "p95", "wall", "lint_ms"]),
        (Some(Aim::TestTime), &["test_ms", "suite_seconds"]),
        (Some(Aim::BuildTime), &["build_ms", "compile_s"]),
        (
            Some(Aim::Size),
            &["bundle_bytes", "size", "test_bytes", "wheel_kb"],
        ),
        (Some(Aim::Memory), &["peak_bytes", "peak_memory", "rss_mb"]),
        (None, &["todos", "unwraps", "loss", "", "成績"]),
    ] {
        for name in names {
            assert_eq!(find_metric_aim(name), aim, "{name}");
        }
    }
}

#[test]
fn a_build_that_fails_is_asked_for_by_its_words() {
    for (sentence, aim) in [
        ("fix the build", Some(Aim::BuildErrors)),
        ("the build is broken", Some(Aim::BuildErrors)),
        ("get the compiler errors to zero", Some(Aim::BuildErrors)),
        ("make it compile: fix what fails", Some(Aim::BuildErrors)),
        ("make the build pass faster", Some(Aim::BuildTime)),
        ("fix the compiler warnings", Some(Aim::Lint)),
        ("the tests of the build fail", Some(Aim::FailingTests)),
        ("build a better parser", None),
    ] {
        assert_eq!(read_wish(sentence).aim, aim, "{sentence}");
    }
    assert!(!Aim::BuildErrors.is_offered());
}

#[test]
fn a_number_of_things_is_no_target() {
    for sentence in [
        "fix the failing tests of 3 modules",
        "the lint of 2 packages is bad",
    ] {
        let targets = read_wish(sentence).targets;
        assert!(
            !targets.iter().any(|target| target == "3" || target == "2"),
            "{sentence}"
        );
    }
    assert_eq!(read_wish("bring it to a count of 5").targets, ["5"]);
    assert_eq!(read_wish("an error rate of 1 %").targets, ["1"]);
}

#[test]
fn a_release_is_meant_only_where_nothing_else_is_and_its_number_is_no_target() {
    insta::assert_snapshot!(read_all(&[
        "ship it",
        "is it ready to release",
        "release 1.2",
        "bring the release to 1.2.0",
        "get it ready for publishing, no open ends",
        "shrink the release binary",
        "make the release build faster",
        "fix the errors of the release build",
        "fix the failing tests before the release",
        "the relationship of orders",
    ]), @"
    Release       -        -          ship it
    Release       -        -          is it ready to release
    Release       -        -          release 1.2
    Release       -        -          bring the release to 1.2.0
    Release       -        -          get it ready for publishing, no open ends
    Size          -        -          shrink the release binary
    BuildTime     -        -          make the release build faster
    BuildErrors   0        -          fix the errors of the release build
    FailingTests  0        -          fix the failing tests before the release
    -             -        -          the relationship of orders
    ");
}
