//! What can be typed under `verify`, and what of it means nothing.

use serde_json::{Value, json};

use crate::config::{Config, GaugeKind, check_config};

fn document(verify: Value, more: &Value) -> Value {
    let mut document = json!({
        "goal": "faster", "scope": ["src/**"], "metric": {"name": "m", "direction": "lower"},
        "guard": {"command": "make test"},
    });
    document["verify"] = verify;
    for (key, value) in more.as_object().into_iter().flatten() {
        document[key] = value.clone();
    }
    document
}

fn resolve(verify: Value) -> Config {
    let checked = check_config(&document(verify, &json!({})));
    checked
        .config
        .unwrap_or_else(|| panic!("{:?}", checked.problems))
}

/// Every problem, one a line.
fn list_problems(verify: Value, more: &Value) -> String {
    let problems = check_config(&document(verify, more)).problems;
    let rows = problems.iter().map(|problem| {
        format!(
            "{:?} {}: {} -> {}",
            problem.severity, problem.place, problem.message, problem.remedy
        )
    });
    rows.collect::<Vec<_>>().join("\n")
}

#[test]
fn each_kind_has_its_defaults_and_its_command() {
    for (verify, key, command, runs) in [
        (json!({"command": "./bench"}), "command", "./bench", (0, 1)),
        (json!({"wall": "./app"}), "wall", "./app", (1, 3)),
        (
            json!({"cpu": "./app", "warmup": 0, "repeats": 7}),
            "cpu",
            "./app",
            (0, 7),
        ),
        (
            json!({"peak_memory": "./app"}),
            "peak_memory",
            "./app",
            (0, 1),
        ),
        (json!({"size": "dist/**"}), "size", "", (0, 1)),
        (
            json!({"size": ["dist/**"], "gzip": true, "command": "make"}),
            "size",
            "make",
            (0, 1),
        ),
        (
            json!({"count": {"pattern": "any", "files": "src/**"}}),
            "count",
            "",
            (0, 1),
        ),
        (
            json!({"exit_rate": "make test"}),
            "exit_rate",
            "make test",
            (0, 1),
        ),
        (
            json!({"covered": "lcov.info", "command": "make cov"}),
            "covered",
            "make cov",
            (0, 1),
        ),
    ] {
        let config = resolve(verify);
        assert_eq!(config.gauge.kind.key(), key);
        assert_eq!(config.verify.command, command, "{key}");
        assert_eq!((config.gauge.warmup, config.gauge.repeats), runs, "{key}");
    }
    assert_eq!(
        resolve(json!({"exit_rate": "x"})).gauge.kind,
        GaugeKind::ExitRate {
            runs: 10,
            vary: Vec::new(),
        }
    );
}

#[test]
fn the_commands_that_measure_are_listed_with_the_check_and_without_one_that_is_not_there() {
    let list = |verify| {
        let config = resolve(verify);
        let commands = config.list_commands().into_iter();
        let rows = commands.map(|(key, command)| format!("{key}: {}", command.command));
        rows.collect::<Vec<_>>()
    };
    assert_eq!(
        list(json!({"wall": "./app", "check": "sh check.sh"})),
        [
            "verify: ./app",
            "verify.check: sh check.sh",
            "guard: make test"
        ]
    );
    assert_eq!(
        list(json!({"size": "dist/**", "check": {"command": "x", "shell": "bash"}})),
        ["verify.check: x", "guard: make test"]
    );
}

#[test]
fn a_config_with_a_printed_metric_is_frozen_as_it_always_was() {
    let text = serde_json::to_string(&resolve(json!({"command": "./bench"}))).unwrap();
    assert!(!text.contains("gauge"), "{text}");
    let frozen: Config = serde_json::from_str(&text).unwrap();
    assert!(frozen.gauge.is_default());
    let gauged = resolve(json!({"wall": "./app", "check": "x"}));
    let text = serde_json::to_string(&gauged).unwrap();
    assert_eq!(serde_json::from_str::<Config>(&text).unwrap(), gauged);
}

#[test]
fn two_kinds_or_none_are_one_clear_error() {
    insta::assert_snapshot!(list_problems(json!({"command": "./bench", "wall": "./app"}), &json!({})), @"
    Error verify: `command` and `wall` are given, and only one of them can be the metric -> keep `wall` alone to let the tool measure, or `command` alone to read what it prints; what must succeed before is `check`
    ");
    insta::assert_snapshot!(list_problems(json!({"cpu": "./app", "size": "dist/**"}), &json!({})), @"
    Error verify: `cpu` and `size` are given, and only one of them can be the metric -> keep one
    ");
    insta::assert_snapshot!(list_problems(json!({"timeout": "5m"}), &json!({})), @"Error verify: nothing says how the metric is measured -> add `command` (it prints the metric), or `wall`, `cpu`, `peak_memory`, `size`, `count`, `exit_rate`, `gates` or `covered`, which the tool measures itself");
    insta::assert_snapshot!(list_problems(json!({"covered": "lcov.info"}), &json!({})), @"
    Error verify.covered: nothing makes the report -> add `command`, such as `cargo llvm-cov --lcov --output-path lcov.info`
    Warning metric.direction: of `covered`, `lower` is rarely better -> write `direction: higher`, unless it is meant
    ");
    insta::assert_snapshot!(list_problems(json!({"wall": " "}), &json!({})), @"
    Error verify.wall: the command is empty -> write the command that the shell should run
    ");
    insta::assert_snapshot!(list_problems(json!({"wall": "./app", "tiemout": "5m"}), &json!({})), @"
    Error verify.tiemout: unknown key `tiemout` -> did you mean `timeout`?
    ");
}

#[test]
fn an_option_of_another_kind_is_refused_by_its_key() {
    insta::assert_snapshot!(list_problems(json!({"command": "./bench", "repeats": 3, "warmup": 1, "gzip": true, "runs": 5}), &json!({})), @"
    Error verify.gzip: `gzip` belongs to `size`, and verify has `command` -> remove it
    Error verify.runs: `runs` belongs to `exit_rate`, and verify has `command` -> remove it
    Error verify.warmup: `warmup` belongs to `wall`, `cpu` and `peak_memory`, and verify has `command` -> remove it
    Error verify.repeats: `repeats` belongs to `wall`, `cpu` and `peak_memory`, and verify has `command` -> remove it
    ");
    insta::assert_snapshot!(list_problems(json!({"size": ["!dist/**"], "repeats": 3}), &json!({})), @"
    Error verify.size: no file is named -> name the files, such as `dist/**/*.js`
    Error verify.repeats: `repeats` belongs to `wall`, `cpu` and `peak_memory`, and verify has `size` -> remove it
    ");
    insta::assert_snapshot!(list_problems(json!({"count": {"pattern": "a(", "files": ["../x"]}}), &json!({})), @r"
    Error verify.count.pattern: `a(` is not a regular expression: unclosed group -> write a regular expression for what is to be counted; `\` makes the next letter plain
    Error verify.count.files[0]: pattern `../x`: `.` and `..` are not allowed: patterns start at the repository's root -> write a gitignore-style pattern from the repository's root
    ");
    insta::assert_snapshot!(list_problems(json!({"covered": "../lcov.info", "command": "make"}), &json!({"metric": {"name": "m", "direction": "higher"}})), @"
    Error verify.covered: `../lcov.info` is not a file of the repository -> name the report that the command writes, from the repository's root
    ");
    insta::assert_snapshot!(list_problems(json!({"wall": "a | b", "check": {"command": " ", "ok_exit": []}}), &json!({})), @"
    Warning verify.wall: `sh` reports only the status of the last command in a pipe, so an earlier failure is hidden -> add `shell: bash` to verify, which fails when any part of a pipe fails
    Error verify.check.command: the command is empty -> write the command that the shell should run
    Error verify.check.ok_exit: no exit status would count as success -> list the good ones, such as [0]
    ");
}

#[test]
fn what_is_varied_belongs_to_an_exit_rate_and_is_written_once() {
    let config = resolve(json!({"exit_rate": "x", "vary": ["seed", "zone", "load"]}));
    let text = serde_json::to_string(&config.gauge).unwrap();
    insta::assert_snapshot!(text, @r#"{"kind":{"exit-rate":{"runs":10,"vary":["seed","zone","load"]}},"warmup":0,"repeats":1,"check":null}"#);
    let plain = serde_json::to_string(&resolve(json!({"exit_rate": "x"})).gauge).unwrap();
    insta::assert_snapshot!(plain, @r#"{"kind":{"exit-rate":{"runs":10}},"warmup":0,"repeats":1,"check":null}"#);
    insta::assert_snapshot!(list_problems(json!({"wall": "x", "vary": ["seed"]}), &json!({})), @"Error verify.vary: `vary` belongs to `exit_rate`, and verify has `wall` -> remove it");
    insta::assert_snapshot!(list_problems(json!({"exit_rate": "x", "vary": ["seed", "load", "seed"]}), &json!({})), @"Error verify.vary[2]: `seed` stands there twice -> remove one");
    insta::assert_snapshot!(list_problems(json!({"exit_rate": "x", "vary": ["sead"]}), &json!({})), @"Error verify.vary[0]: unknown word `sead` -> did you mean `seed`? Known: `seed`, `zone`, `load`");
    insta::assert_snapshot!(list_problems(json!({"exit_rate": "x", "vary": "seed"}), &json!({})), @"Error verify.vary: expected a list, found `seed` -> write a list");
}

#[test]
fn what_is_printed_is_neither_a_metric_nor_a_condition() {
    let more = json!({
        "metric": {"name": "m", "direction": "higher", "format": "lines"},
        "keep_when": [{"metric": "m", "op": ">", "value": 0}, {"metric": "peak_memory", "op": "<=", "value": "64 MiB"}, {"metric": "errors", "op": "==", "value": 0}],
    });
    insta::assert_snapshot!(list_problems(json!({"wall": "./app"}), &more), @"
    Error metric.format: with `verify.wall` nothing that is printed is read -> remove it
    Warning metric.direction: of `wall`, `higher` is rarely better -> write `direction: lower`, unless it is meant
    Error keep_when[2].metric: with `verify.wall` nothing that is printed is read, so there is no `errors` -> use one of m, wall, cpu, peak_memory
    ");
}
