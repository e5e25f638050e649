//! The text of a config, as a person reads it.

use serde_json::json;

use super::*;
use crate::scan::goal::read_wish;
use crate::scan::ranking::propose_configs;
use crate::scan::survey::sample::make_survey;

#[test]
fn a_config_is_written_in_blocks_with_comments() {
    let files = [
        (
            "web/package.json",
            r#"{"devDependencies": {"vitest": "3"}}"#,
        ),
        ("web/src/a.js", "x"),
        ("web/src/a.test.js", "x"),
        ("web/node_modules/.bin/vitest", ""),
    ];
    let proposals = propose_configs(
        &make_survey(&files, "node npm npx"),
        &read_wish("raise coverage to 80 %"),
    );
    insta::assert_snapshot!(format_config_text(&proposals.candidates[0], "scan"), @"
    # Proposed by `autoresearch scan`. Change what you like, then: autoresearch config try
    # Why: the tool reads the report itself; trials change tests alone. vitest needs @vitest/coverage-v8 for it
    goal: 'raise coverage to 80 %'

    # What a trial may change.
    scope:
      - 'web/src/**/*.{test,spec}.*'

    # What no trial may change: tests and settings are the yardstick.
    protect:
      - 'web/src/**/*.js'
      - web/package.json
      - '!web/src/**/*.{test,spec}.*'

    metric:
      name: line_coverage
      direction: higher
      target: 80

    # How the number is made.
    verify:
      covered: web/.measured/coverage/lcov.info
      command: |
        set -eu
        mkdir -p .measured
        echo '*' > .measured/.gitignore
        CI=1 npx --no-install vitest run --coverage.enabled --coverage.reporter=lcovonly --coverage.reportsDirectory=.measured/coverage
      timeout: 15m
      working_directory: web

    # Must pass before a trial is kept.
    guard:
      command: 'CI=1 npx --no-install vitest run'
      timeout: 15m
      working_directory: web

    # Must hold besides: fewer files, lines or tests are no better program.
    keep_when:
      - {metric: lines, direction: higher, op: not-worse}

    iterations: 40
    time_limit: 8h

    # To go on working in these files meanwhile, let the run work in a separate tree:
    # isolation: worktree
    # link:
    #   - '/web/node_modules'
    ");
}

#[test]
fn a_value_is_quoted_where_it_could_be_read_as_something_else() {
    for (value, text) in [
        (json!("src/lib.rs"), "src/lib.rs"),
        (json!("15m"), "15m"),
        (json!("2%"), "2%"),
        (json!("yes"), "'yes'"),
        (json!("12"), "'12'"),
        (json!(""), "''"),
        (json!("it's"), "'it''s'"),
        (json!("*.rs"), "'*.rs'"),
        (json!("a: b"), "'a: b'"),
        (json!("a #b"), "'a #b'"),
        (json!("a\nb"), "\"a\\U0000000ab\""),
        (json!("a\u{202e}b"), "\"a\\U0000202eb\""),
        (json!(12), "12"),
        (json!(true), "true"),
        (json!({"value": 1, "metric": "m"}), "{metric: m, value: 1}"),
        (json!(["a", 1]), "[a, 1]"),
    ] {
        assert_eq!(write_scalar(&value), text);
    }
}

#[test]
fn lines_stand_in_a_block_where_they_are_read_back_as_they_are() {
    for (text, block) in [
        ("a\nb\n", true),
        ("a\n", false),
        ("a\nb", false),
        (" a\nb\n", false),
        ("a \nb\n", false),
        ("a\n\nb\n", false),
        ("a\nb\n\n", false),
        ("a\r\nb\n", false),
    ] {
        assert_eq!(is_block(text), block, "{text:?}");
    }
}
