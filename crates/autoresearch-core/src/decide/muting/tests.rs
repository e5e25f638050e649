//! What mutes findings, and honest changes that look alike: a table of both, and what a run's metric counts.

mod asked;
mod hostile;
mod others;
mod python;
mod rust;
mod script;
mod settings;

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::*;
use crate::config::{Config, check_config};
use crate::metric::unit::Unit;

/// A file, with the indent of the table.
struct Row {
    path: &'static str,
    before: &'static str,
    after: &'static str,
}

/// A text as it stands in a file: without its first line, and without the indent of all its lines.
fn take_indent(text: &str) -> String {
    let Some(text) = text.strip_prefix('\n') else {
        return text.to_owned();
    };
    let lines: Vec<&str> = text.trim_end_matches(' ').lines().collect();
    let indent = |line: &&str| line.len() - line.trim_start_matches(' ').len();
    let filled = lines.iter().filter(|line| !line.is_empty());
    let least = filled.map(indent).min().unwrap_or(0);
    let cut = lines.iter().map(|line| line.get(least..).unwrap_or(""));
    cut.flat_map(|line| [line, "\n"]).collect()
}

fn search_row(row: &Row) -> String {
    search(row.path, &take_indent(row.before), &take_indent(row.after))
}

const CHEATS: [&[Row]; 5] = [
    python::CHEATS,
    script::CHEATS,
    rust::CHEATS,
    settings::CHEATS,
    others::CHEATS,
];
const HONEST: [&[Row]; 5] = [
    python::HONEST,
    script::HONEST,
    rust::HONEST,
    settings::HONEST,
    others::HONEST,
];

/// Everything that a run can ask for.
const ALL: MuteSubject = MuteSubject {
    findings: true,
    types: true,
    tests: true,
    unwraps: true,
    coverage: true,
};

fn change(path: &str, before: &str, after: &str) -> ChangedFile {
    let old: Vec<&str> = before.lines().collect();
    let lines = (1_u32..).zip(after.lines());
    let added = lines.filter(|(_, line)| !old.contains(line));
    ChangedFile {
        path: path.to_owned(),
        before: (!before.is_empty()).then(|| before.to_owned()),
        after: after.to_owned(),
        added: added.map(|(number, _)| number).collect(),
        removed: Vec::new(),
    }
}

/// Where a test writes TOML or YAML, it writes JSON: the readers are the product's.
fn read(_: &str, text: &str) -> Option<Value> {
    serde_json::from_str(text).ok()
}

fn search_all(files: &[ChangedFile], subject: MuteSubject) -> String {
    let found = find_suppressions(files, subject, &read);
    let shown: Vec<String> = found.iter().map(ToString::to_string).collect();
    shown.join(", ")
}

fn search(path: &str, before: &str, after: &str) -> String {
    search_all(&[change(path, before, after)], ALL)
}

#[test]
fn each_way_to_mute_a_finding_is_told_with_its_line_and_its_text() {
    let (mut shown, mut missed) = (String::new(), Vec::new());
    for row in CHEATS.into_iter().flatten() {
        let (found, after) = (search_row(row), take_indent(row.after));
        if found.is_empty() || !search(row.path, &after, &after).is_empty() {
            missed.push((row.path, after));
        }
        let _ = writeln!(shown, "{found}");
    }
    assert!(missed.is_empty(), "{missed:#?}");
    insta::assert_snapshot!(shown);
}

#[test]
fn an_honest_change_that_looks_alike_mutes_nothing() {
    let rows = HONEST.into_iter().flatten();
    let searched = rows.map(|row| (search_row(row), row.path, row.after));
    let told: Vec<_> = searched.filter(|(found, _, _)| !found.is_empty()).collect();
    assert!(told.is_empty(), "{told:#?}");
}

#[test]
fn what_moves_to_another_file_is_not_new_and_what_is_copied_is() {
    let line = "x = f()  # type: ignore[misc]\n";
    let gone = change("a.py", &format!("{line}y = 1\n"), "y = 1\n");
    let renamed = ChangedFile {
        after: String::new(),
        ..change("a.py", line, "")
    };
    let moved = change("b.py", "", line);
    assert_eq!(search_all(&[gone, moved.clone()], ALL), "");
    assert_eq!(search_all(&[renamed, moved.clone()], ALL), "");
    let kept = change("a.py", line, &format!("{line}y = 1\n"));
    let copied = search_all(&[kept, moved], ALL);
    assert_eq!(copied, "b.py:1 `type: ignore[misc]`");
    let settings = "[mypy]\nignore_missing_imports = True\n";
    let ini = ChangedFile {
        after: String::new(),
        ..change("mypy.ini", settings, "")
    };
    let project = "{\"tool\": {\"mypy\": {\"ignore_missing_imports\": true}}}";
    let project = change("pyproject.toml", "{}", project);
    assert_eq!(search_all(&[ini, project], ALL), "");
}

#[test]
fn a_test_that_moves_to_another_file_asks_as_much_as_before() {
    let test = "def test_a():\n    assert f()\n";
    let from = change("tests/test_a.py", &format!("{test}x = 1\n"), "x = 1\n");
    let to = change("tests/test_b.py", "", test);
    assert_eq!(search_all(&[from.clone(), to], ALL), "");
    assert_eq!(
        search_all(&[from], ALL),
        "tests/test_a.py:1 `the tests ask 0 times, not 1`"
    );
}

#[test]
fn a_file_that_a_program_wrote_or_that_was_brought_may_change_and_a_new_one_may_not() {
    let head = "// Code generated by x. DO NOT EDIT.\n";
    let after = format!("{head}/* eslint-disable */\n");
    assert_eq!(search("src/a.ts", head, &after), "");
    assert_eq!(search("vendor/a.ts", "f();\n", "// @ts-nocheck\n"), "");
    assert_ne!(search("src/a.ts", "", &after), "");
    assert_ne!(search("vendor/a.ts", "", "// @ts-nocheck\n"), "");
}

fn make_config(name: &str, verify: &str, more: &Value) -> Config {
    let mut config = json!({
        "goal": "g", "scope": ["src/**"], "metric": {"name": name, "direction": "lower"},
        "verify": {"command": verify},
    });
    for (key, value) in more.as_object().unwrap() {
        config[key] = value.clone();
    }
    let checked = check_config(&config);
    checked
        .config
        .unwrap_or_else(|| panic!("{:?}", checked.problems))
}

fn describe(config: &Config, known: Option<(&str, &str)>, more: &[&str]) -> String {
    let known = known.map(|(unit, value)| (Unit::from_text(unit), value.parse().unwrap()));
    let known = known.as_ref().map(|(unit, value)| (unit, value));
    let more: Vec<String> = more.iter().map(ToString::to_string).collect();
    let subject = MuteSubject::of_config(config, known, &more);
    let parts = [
        ("findings", subject.findings),
        ("types", subject.types),
        ("tests", subject.tests),
        ("unwraps", subject.unwraps),
        ("coverage", subject.coverage),
    ];
    let held = parts.into_iter().filter(|(_, held)| *held);
    held.map(|(name, _)| name).collect::<Vec<_>>().join(" ")
}

#[test]
fn the_name_the_tool_the_mode_and_the_gauge_say_what_a_metric_counts() {
    let plain = json!({});
    let rows = [
        ("type_errors", "npx tsc --noEmit", &plain, "findings types"),
        ("lint", "sh count.sh", &plain, "findings"),
        ("failing", "sh count.sh", &plain, "findings tests"),
        ("any_count", "sh count.sh", &plain, "findings types"),
        ("left", "ruff check src | wc -l", &plain, "findings"),
        ("left", "node_modules/.bin/eslint .", &plain, "findings"),
        ("left", "sh x.sh", &plain, ""),
        ("left", "sh x.sh", &json!({"mode": "fix"}), "findings"),
        (
            "left",
            "sh x.sh",
            &json!({"suppressions": "void"}),
            "findings",
        ),
        (
            "type_errors",
            "npx tsc",
            &json!({"suppressions": "allow"}),
            "",
        ),
        ("ms", "pytest bench", &plain, ""),
        ("mean_error", "python3 eval.py", &plain, ""),
        ("bundle_bytes", "npx tsc && wc -c x", &plain, ""),
        ("uncovered", "sh x.sh", &plain, "coverage"),
    ];
    for (name, verify, more, wanted) in rows {
        let config = make_config(name, verify, more);
        assert_eq!(describe(&config, None, &[]), wanted, "{name}: {verify}");
    }
    let grown = json!({"metric": {"name": "passed", "direction": "higher"}});
    assert_eq!(describe(&make_config("x", "pytest", &grown), None, &[]), "");
}

#[test]
fn what_is_counted_down_has_places_and_an_amount_has_none() {
    let plain = json!({});
    let counted = json!({"verify": {"count": {"pattern": "x", "files": ["src/**"]}}});
    let wall = json!({"verify": {"wall": "npx tsc"}});
    let grown = json!({"metric": {"name": "passed", "direction": "higher"}});
    for (name, more, (unit, value), wanted) in [
        ("left", &plain, ("", "12"), true),
        ("todos", &plain, ("problems", "12"), true),
        ("failed", &plain, ("of 60 cases", "12"), false),
        ("left", &plain, ("", "1.5"), false),
        ("left", &plain, ("ms", "12"), false),
        ("build_ms", &plain, ("", "12"), false),
        ("bundle_bytes", &plain, ("", "12"), false),
        ("lines", &plain, ("", "12"), false),
        ("lines", &counted, ("", "12"), true),
        ("errors", &wall, ("ms", "12"), false),
        ("passed", &grown, ("", "12"), false),
    ] {
        let config = make_config(name, "sh x.sh", more);
        let value = value.parse().unwrap();
        let found = counts_down(&config, (&Unit::from_text(unit), &value));
        assert_eq!(found, wanted, "{name} {unit} {value}");
    }
}

#[test]
fn what_the_baseline_printed_and_the_scripts_of_verify_say_more() {
    let config = make_config("left", "sh count.sh", &json!({}));
    let script = ["npx mypy src"];
    assert_eq!(
        describe(&config, Some(("", "12")), &script),
        "findings types"
    );
    assert_eq!(
        describe(&config, Some(("errors", "12")), &script),
        "findings types"
    );
    assert_eq!(describe(&config, Some(("ms", "12")), &script), "");
    assert_eq!(describe(&config, Some(("", "12.5")), &script), "");
    let gauge = json!({"verify": {"count": {"pattern": "\\.unwrap\\(", "files": ["src/**"]}}});
    let gauge = make_config("x", "x", &gauge);
    assert_eq!(describe(&gauge, None, &[]), "findings unwraps");
    let wall = json!({"verify": {"wall": "npx tsc"}});
    assert_eq!(describe(&make_config("errors", "x", &wall), None, &[]), "");
}

#[test]
fn what_a_metric_does_not_count_may_be_muted() {
    let only = |subject: MuteSubject, path: &str, after: &str| {
        search_all(&[change(path, "", after)], subject)
    };
    let lint = MuteSubject {
        findings: true,
        ..MuteSubject::default()
    };
    let covered = MuteSubject {
        coverage: true,
        ..MuteSubject::default()
    };
    assert_eq!(only(lint, "a.ts", "f(x as any, y!.z);\n"), "");
    assert_eq!(only(lint, "a.ts", "try { f(); } catch {}\n"), "");
    assert_eq!(only(lint, "a.py", "f()  # pragma: no cover\n"), "");
    assert_ne!(only(lint, "a.py", "f()  # noqa\n"), "");
    let skip = "@pytest.mark.skipif(WINDOWS)\n";
    assert_eq!(only(lint, "tests/test_a.py", skip), "");
    assert_ne!(only(ALL, "tests/test_a.py", skip), "");
    let new = format!("{skip}def test_a():\n    assert f()\n");
    assert_eq!(only(ALL, "tests/test_a.py", &new), "", "a new test");
    assert_eq!(only(covered, "a.py", "f()  # noqa\n"), "");
    assert_ne!(only(covered, "a.py", "f()  # pragma: no cover\n"), "");
}
