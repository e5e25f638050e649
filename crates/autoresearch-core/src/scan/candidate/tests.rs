//! Whole configs of candidates.

use super::*;
use crate::scan::goal::read_wish;
use crate::scan::ranking::propose_configs;
use crate::scan::survey::sample::make_survey;

/// The config of the first candidate.
fn first_config(files: &[(&str, &str)], programs: &str, sentence: &str) -> String {
    let proposals = propose_configs(&make_survey(files, programs), &read_wish(sentence));
    format!("{:#}", proposals.candidates[0].config)
}

#[test]
fn a_linter_writes_a_report_and_the_tool_counts_it() {
    let files = [
        ("Cargo.toml", "{}"),
        ("src/lib.rs", "x"),
        ("src/tests.rs", "x"),
        ("tests/all.rs", "x"),
    ];
    insta::assert_snapshot!(first_config(&files, "cargo cargo-clippy", "fix the clippy warnings"), @r#"
    {
      "goal": "fix the clippy warnings",
      "guard": {
        "command": "cargo test --quiet",
        "timeout": "15m"
      },
      "iterations": 40,
      "metric": {
        "direction": "lower",
        "name": "clippy_findings",
        "target": 0
      },
      "protect": [
        "tests/**",
        "src/**/tests.rs",
        "/Cargo.toml"
      ],
      "scope": [
        "src/**/*.rs",
        "!src/**/tests.rs"
      ],
      "time_limit": "8h",
      "verify": {
        "command": "set -eu\nmkdir -p .measured\necho '*' > .measured/.gitignore\ncargo clippy --message-format short -- --cap-lints warn 2> .measured/clippy.txt\n",
        "count": {
          "files": [
            ".measured/clippy.txt"
          ],
          "pattern": "^[^ ]+:\\d+:\\d+: (?:warning|error)"
        },
        "timeout": "15m"
      }
    }
    "#);
}

#[test]
fn coverage_is_raised_by_tests_alone_and_those_beside_the_sources_are_in_the_scope() {
    let files = [
        ("web/package.json", r#"{"devDependencies": {"jest": "29"}}"#),
        ("web/src/a.js", "x"),
        ("web/src/a.test.js", "x"),
        ("web/node_modules/.bin/jest", ""),
    ];
    insta::assert_snapshot!(first_config(&files, "node npm npx", "raise coverage to 80 %"), @r#"
    {
      "goal": "raise coverage to 80 %",
      "guard": {
        "command": "CI=1 npx --no-install jest",
        "timeout": "15m",
        "working_directory": "web"
      },
      "iterations": 40,
      "keep_when": [
        {
          "direction": "higher",
          "metric": "lines",
          "op": "not-worse"
        }
      ],
      "metric": {
        "direction": "higher",
        "name": "line_coverage",
        "target": 80
      },
      "protect": [
        "web/src/**/*.js",
        "web/package.json",
        "!web/src/**/*.{test,spec}.*"
      ],
      "scope": [
        "web/src/**/*.{test,spec}.*"
      ],
      "time_limit": "8h",
      "verify": {
        "command": "set -eu\nmkdir -p .measured\necho '*' > .measured/.gitignore\nCI=1 npx --no-install jest --coverage --coverageReporters=lcovonly --coverageDirectory=.measured/coverage\n",
        "covered": "web/.measured/coverage/lcov.info",
        "timeout": "15m",
        "working_directory": "web"
      }
    }
    "#);
}

#[test]
fn a_flaky_suite_is_run_often_and_its_guard_is_retried() {
    let files = [("go.mod", "module x"), ("a.go", "x"), ("a_test.go", "x")];
    insta::assert_snapshot!(first_config(&files, "go", "the tests are flaky"), @r#"
    {
      "goal": "the tests are flaky",
      "guard": {
        "command": "go test -count=1 -vet=off ./...",
        "retries": 3,
        "timeout": "15m"
      },
      "iterations": 40,
      "metric": {
        "direction": "lower",
        "name": "failed_runs",
        "target": 0
      },
      "protect": [
        "/go.mod"
      ],
      "scope": [
        "/*.go",
        "/*_test.go"
      ],
      "time_limit": "8h",
      "verify": {
        "exit_rate": "go test -count=1 -vet=off -shuffle=$AUTORESEARCH_SEED ./...",
        "runs": 20,
        "timeout": "15m",
        "vary": [
          "seed",
          "zone",
          "load"
        ]
      }
    }
    "#);
}

#[test]
fn a_guard_that_cannot_run_gives_way_to_one_that_can() {
    let package = r#"{"devDependencies": {"vitest": "3", "typescript": "5"}}"#;
    let files = [
        ("package.json", package),
        ("tsconfig.json", "{}"),
        ("src/a.ts", "as any"),
        ("node_modules/.bin/tsc", ""),
    ];
    let text = first_config(&files, "node npm npx", "get rid of the any types");
    assert!(text.contains("npx --no-install tsc --noEmit"), "{text}");
}

#[test]
fn a_separate_tree_gets_what_is_installed() {
    let worktree = |files: &[(&str, &str)]| {
        let proposals = propose_configs(
            &make_survey(files, "node npm npx python3 cargo"),
            &read_wish("TODO"),
        );
        proposals.candidates[0].worktree.to_string()
    };
    assert_eq!(
        worktree(&[("Cargo.toml", "{}"), ("src/a.rs", "TODO")]),
        r#"{"isolation":"worktree"}"#
    );
    let files = [
        ("a/package.json", "{}"),
        ("a/b.js", "TODO"),
        ("node_modules", ""),
        ("a/node_modules/.bin/tsc", ""),
        ("a/node_modules/.bin/jest", ""),
    ];
    assert_eq!(
        worktree(&files),
        r#"{"isolation":"worktree","link":["/a/node_modules","/node_modules"]}"#
    );
}

#[test]
fn a_script_of_one_plain_line_stays_a_line() {
    let write = |lines: &[&str]| {
        let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        write_script(&lines)
    };
    assert_eq!(write(&["make"]), "make");
    assert_eq!(write(&["a", "b"]), "set -eu\na\nb\n");
    assert_eq!(
        write(&["x > .measured/y"]),
        "set -eu\nmkdir -p .measured\necho '*' > .measured/.gitignore\nx > .measured/y\n"
    );
}

#[test]
fn a_config_that_the_check_refuses_is_not_proposed() {
    let survey = make_survey(
        &[("Cargo.toml", "{}"), ("src/lib.rs", "x")],
        "cargo cargo-clippy",
    );
    let proposals = propose_configs(&survey, &read_wish(""));
    let candidate = &proposals.candidates[0];
    assert!(candidate.is_accepted());
    let mut refused = candidate.clone();
    refused.config["scope"] = serde_json::json!(["a["]);
    assert!(!refused.is_accepted());
}

#[test]
fn whatever_names_a_repository_has_what_is_proposed_passes_the_check() {
    for name in [
        "-rf",
        "a\u{fffe}b",
        "$(x)",
        "[id]",
        "{x}",
        "!a",
        "a*",
        "it's",
        "..a",
        "\u{301}",
    ] {
        let names = [
            format!("{name}/Cargo.toml"),
            format!("{name}/src/main.rs"),
            format!("{name}/src/bin/{name}.rs"),
            format!("{name}/benches/{name}.rs"),
            format!("{name}/tests/{name}.rs"),
            format!("{name}/go.mod"),
            format!("{name}/cmd/{name}/main.go"),
            format!("{name}/bench.py"),
            format!("{name}/setup.py"),
        ];
        let files: Vec<(&str, &str)> = names
            .iter()
            .map(|name| (name.as_str(), "x.unwrap() TODO"))
            .collect();
        let survey = make_survey(&files, "cargo cargo-clippy go python3");
        for sentence in ["", "faster", "TODO", "size"] {
            let proposals = propose_configs(&survey, &read_wish(sentence));
            let all = proposals.candidates.iter().chain(&proposals.not_here);
            assert!(all.clone().count() > 0, "{name}: {sentence}");
            assert!(
                all.clone().all(Candidate::is_accepted),
                "{name}: {sentence}"
            );
        }
    }
}

#[test]
fn a_target_is_written_where_its_unit_is_that_of_the_metric() {
    let files = [
        (
            "Cargo.toml",
            r#"{"package": {"name": "tool"}, "dev-dependencies": {"criterion": "0.5"}, "bench": [{"name": "parse"}]}"#,
        ),
        ("src/main.rs", "x.unwrap()"),
        ("tests/a.rs", "x"),
    ];
    let survey = make_survey(&files, "cargo cargo-clippy cargo-llvm-cov");
    for (sentence, metric, target) in [
        (
            "coverage of the 10 MB parser to 80 %",
            "line_coverage",
            json!(80),
        ),
        ("coverage to 10 MB", "line_coverage", Value::Null),
        ("binary below 10 MB in 3 s", "binary_bytes", json!("10 MB")),
        ("binary below 10", "binary_bytes", Value::Null),
        ("make the tests faster than 20 s", "test_ms", json!("20 s")),
        ("make the tests faster, below 5 MB", "test_ms", Value::Null),
        ("make parse faster than 120 ms", "ns_per_iter", Value::Null),
        ("clippy warnings to 12", "clippy_findings", json!(12)),
        ("clippy warnings below 5 MB", "clippy_findings", json!(0)),
        ("unwraps below 5 s, to 3", "unwraps", json!(3)),
    ] {
        let config = propose_configs(&survey, &read_wish(sentence))
            .candidates
            .remove(0)
            .config;
        let found = (&config["metric"]["name"], &config["metric"]["target"]);
        assert_eq!(found, (&json!(metric), &target), "{sentence}");
    }
}

#[test]
fn a_manager_of_packages_that_is_not_there_is_missing_and_never_called() {
    let package =
        r#"{"scripts": {"build": "x", "bench": "x"}, "devDependencies": {"vitest": "3"}}"#;
    for (lock, manager) in [
        ("pnpm-lock.yaml", "pnpm"),
        ("yarn.lock", "yarn"),
        ("bun.lock", "bun"),
        ("package-lock.json", "npm"),
    ] {
        let files = [
            ("package.json", package),
            (lock, "x"),
            ("src/a.js", "x"),
            ("node_modules", ""),
            ("node_modules/.bin/vitest", ""),
        ];
        let propose = |programs: &str| {
            let proposals = propose_configs(&make_survey(&files, programs), &read_wish("faster"));
            (proposals.candidates, proposals.not_here)
        };
        let (able, lacking) = propose("node npx");
        let calls = |candidate: &Candidate| {
            let command = candidate.config["verify"]["wall"].as_str();
            command.is_some_and(|command| command.starts_with(manager))
        };
        assert!(!able.iter().any(calls), "{manager}: {able:#?}");
        let missing = lacking.iter().map(|candidate| &candidate.missing);
        let names: Vec<&str> = missing.flatten().map(|need| need.name.as_str()).collect();
        assert_eq!(names, [manager]);
        let (able, lacking) = propose(&format!("node npx {manager}"));
        assert!(able.iter().any(calls) && lacking.is_empty(), "{manager}");
        // Without npx neither the tests nor what is guarded by them can run.
        let (able, lacking) = propose(&format!("node {manager}"));
        assert!(
            able.is_empty() && lacking.len() == 2,
            "{manager}: {able:#?}"
        );
    }
}
