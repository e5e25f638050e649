//! What flags, variables and the file say together.

use std::os::unix::ffi::OsStringExt;

use autoresearch_sys::error::FailureKind;
use clap::Parser;
use serde_json::json;

use super::*;

#[derive(Parser, Debug)]
struct OnlyFlags {
    #[command(flatten)]
    flags: ConfigFlags,
}

fn parse_flags(words: &[&str]) -> ConfigFlags {
    let all = ["start"].iter().chain(words);
    OnlyFlags::try_parse_from(all).unwrap().flags
}

fn make_world(variables: &[(&str, &str)]) -> World {
    let mut world = World::from_process();
    world.vars = variables
        .iter()
        .map(|(name, value)| (name.into(), value.into()))
        .collect();
    world
}

fn overlay(words: &[&str], variables: &[(&str, &str)]) -> (Value, Vec<String>) {
    let read = read_overlay(&make_world(variables), &parse_flags(words)).unwrap();
    (Value::Object(read.fields), read.variables)
}

#[test]
fn without_flags_and_variables_nothing_is_said() {
    assert_eq!(overlay(&[], &[]), (json!({}), Vec::new()));
}

#[test]
fn every_flag_is_its_key_of_the_config() {
    for (words, expected) in [
        (&["--goal", "-fewer"][..], json!({"goal": "-fewer"})),
        (&["--tag", "a"], json!({"tag": "a"})),
        (
            &["--scope", "a/**", "--scope", "!b"],
            json!({"scope": ["a/**", "!b"]}),
        ),
        (&["--protect", "t/**"], json!({"protect": ["t/**"]})),
        (&["--pin", "p"], json!({"pin": ["p"]})),
        (&["--metric", "n"], json!({"metric": {"name": "n"}})),
        (
            &["--direction", "lower"],
            json!({"metric": {"direction": "lower"}}),
        ),
        (&["--target", "-1.5"], json!({"metric": {"target": -1.5}})),
        (
            &["--target", "250 ms"],
            json!({"metric": {"target": "250 ms"}}),
        ),
        (&["--verify", "./v"], json!({"verify": {"command": "./v"}})),
        (
            &["--verify-shell", "bash"],
            json!({"verify": {"shell": "bash"}}),
        ),
        (
            &["--verify-timeout", "9s"],
            json!({"verify": {"timeout": "9s"}}),
        ),
        (
            &["--verify-wall", "./w"],
            json!({"verify": {"wall": "./w"}}),
        ),
        (&["--verify-cpu", "./w"], json!({"verify": {"cpu": "./w"}})),
        (
            &["--verify-peak-memory", "./w"],
            json!({"verify": {"peak_memory": "./w"}}),
        ),
        (
            &[
                "--verify-size",
                "a/**",
                "--verify-size",
                "b",
                "--verify-gzip",
            ],
            json!({"verify": {"size": ["a/**", "b"], "gzip": true}}),
        ),
        (
            &["--verify-covered", "lcov.info"],
            json!({"verify": {"covered": "lcov.info"}}),
        ),
        (
            &["--verify-check", "./c"],
            json!({"verify": {"check": "./c"}}),
        ),
        (&["--verify-sandbox"], json!({"verify": {"sandbox": true}})),
        (&["--guard", "./g"], json!({"guard": {"command": "./g"}})),
        (&["--guard-shell", "sh"], json!({"guard": {"shell": "sh"}})),
        (
            &["--guard-timeout", "8s"],
            json!({"guard": {"timeout": "8s"}}),
        ),
        (
            &["--prepare", "./p"],
            json!({"prepare": {"command": "./p"}}),
        ),
        (
            &["--prepare-timeout", "1h"],
            json!({"prepare": {"timeout": "1h"}}),
        ),
        (&["--link", "a", "--link", "b"], json!({"link": ["a", "b"]})),
        (&["--copy", "out"], json!({"copy": ["out"]})),
        (&["--view", "off"], json!({"view": "off"})),
        (&["--trees", "/t"], json!({"trees": "/t"})),
        (&["--iterations", "5"], json!({"iterations": 5})),
        (&["--iterations", "none"], json!({"iterations": "none"})),
        (&["--time-limit", "8h"], json!({"time_limit": "8h"})),
        (&["--tokens", "7"], json!({"budget": {"tokens": 7}})),
        (
            &["--verify-runs", "6"],
            json!({"budget": {"verify_runs": 6}}),
        ),
        (&["--until", "07:00"], json!({"budget": {"until": "07:00"}})),
        (
            &["--isolation", "worktree"],
            json!({"isolation": "worktree"}),
        ),
        (&["--ladder", "off"], json!({"ladder": "off"})),
        (
            &["--min-improvement", "2%"],
            json!({"min_improvement": "2%"}),
        ),
        (
            &["--agent-command", "./a"],
            json!({"agent": {"command": "./a"}}),
        ),
        (&["--agent-model", "m"], json!({"agent": {"model": "m"}})),
        (
            &["--agent-sandbox", "full-access"],
            json!({"agent": {"sandbox": "full-access"}}),
        ),
        (
            &["--agent-timeout", "1m"],
            json!({"agent": {"timeout": "1m"}}),
        ),
    ] {
        assert_eq!(overlay(words, &[]), (expected, Vec::new()), "{words:?}");
    }
}

#[test]
fn every_key_has_a_variable_of_its_name_and_a_variable_that_counts_is_told() {
    let keys = parse_flags(&[]).list_keys();
    assert_eq!(keys.len(), 41);
    for (key, flag) in keys {
        assert_eq!(flag, None);
        let name = format!("AUTORESEARCH_{}", key.replace('.', "_").to_uppercase());
        let (fields, told) = overlay(&[], &[(&name, "text")]);
        let pointer = format!("/{}", key.replace('.', "/"));
        let expected =
            if ["scope", "protect", "pin", "link", "copy", "verify.size"].contains(&key.as_str()) {
                json!(["text"])
            } else {
                json!("text")
            };
        assert_eq!(fields.pointer(&pointer), Some(&expected), "{key}");
        assert_eq!(told, [name]);
    }
}

#[test]
fn a_variable_has_lists_by_line_and_numbers_as_numbers() {
    for (name, text, expected) in [
        ("SCOPE", " a/**\n\n!b \n", json!({"scope": ["a/**", "!b"]})),
        ("PIN", "", json!({"pin": []})),
        (
            "VERIFY_SIZE",
            "a\nb",
            json!({"verify": {"size": ["a", "b"]}}),
        ),
        ("VERIFY_GZIP", "true", json!({"verify": {"gzip": true}})),
        (
            "VERIFY_SANDBOX",
            "true",
            json!({"verify": {"sandbox": true}}),
        ),
        ("ITERATIONS", "10", json!({"iterations": 10})),
        ("ITERATIONS", "none", json!({"iterations": "none"})),
        ("METRIC_TARGET", " 0.5 ", json!({"metric": {"target": 0.5}})),
        ("BUDGET_TOKENS", "9", json!({"budget": {"tokens": 9}})),
        (
            "BUDGET_VERIFY_RUNS",
            "9",
            json!({"budget": {"verify_runs": 9}}),
        ),
        ("MIN_IMPROVEMENT", "1", json!({"min_improvement": "1"})),
        ("TAG", "7", json!({"tag": "7"})),
    ] {
        let name = format!("AUTORESEARCH_{name}");
        assert_eq!(overlay(&[], &[(&name, text)]).0, expected, "{name}");
    }
}

#[test]
fn a_flag_wins_over_its_variable_which_is_then_not_told_and_one_block_has_both() {
    let variables = [
        ("AUTORESEARCH_VERIFY_COMMAND", "./variable"),
        ("AUTORESEARCH_VERIFY_TIMEOUT", "1m"),
        ("AUTORESEARCH_NOTHING", "x"),
        ("GOAL", "x"),
    ];
    let (fields, told) = overlay(&["--verify", "./flag"], &variables);
    let expected = json!({"verify": {"command": "./flag", "timeout": "1m"}});
    assert_eq!(fields, expected);
    assert_eq!(told, ["AUTORESEARCH_VERIFY_TIMEOUT"]);
}

#[test]
fn a_variable_that_is_not_utf8_is_refused_unless_a_flag_takes_its_place() {
    let mut world = make_world(&[]);
    let bytes = std::ffi::OsString::from_vec(b"\xff".to_vec());
    world.vars.insert("AUTORESEARCH_GOAL".into(), bytes);
    let refused = read_overlay(&world, &parse_flags(&[])).err().unwrap();
    assert_eq!(refused.kind, FailureKind::Config);
    assert_eq!(refused.error, "AUTORESEARCH_GOAL is not UTF-8");
    assert!(read_overlay(&world, &parse_flags(&["--goal", "less"])).is_ok());
}

#[test]
fn the_file_is_named_by_its_flag_before_its_variable() {
    let variable = [("AUTORESEARCH_CONFIG", "variable.yaml")];
    for (words, variables, named) in [
        (&[][..], &[][..], None),
        (&[], &variable, Some("variable.yaml")),
        (&["--config", "flag.yaml"], &variable, Some("flag.yaml")),
    ] {
        let found = find_named_file(&make_world(variables), &parse_flags(words));
        assert_eq!(found, named.map(PathBuf::from));
    }
}

#[test]
fn a_start_takes_the_file_as_it_was_typed_and_merges_only_where_something_else_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = make_world(&[]);
    world.cwd = folder.path().to_owned();
    let read = |world: &World, words: &[&str]| read_start_config(world, &parse_flags(words));

    let missing = read(&world, &[]).unwrap_err();
    assert_eq!(missing.error, "could not read the config autoresearch.yaml");
    let (made, _) = read(&world, &["--goal", "less"]).unwrap();
    assert_eq!(
        (made.name.as_str(), made.merged),
        ("made of the flags", true)
    );

    let text = "goal: fewer  # as typed\n";
    std::fs::write(folder.path().join(CONFIG_FILE), text).unwrap();
    let (whole, told) = read(&world, &[]).unwrap();
    assert_eq!((whole.text.as_str(), whole.merged), (text, false));
    assert_eq!(told, Vec::<String>::new());

    world.vars.insert("AUTORESEARCH_TAG".into(), "night".into());
    let (merged, told) = read(&world, &[]).unwrap();
    assert_eq!(
        merged.text,
        "{\n  \"goal\": \"fewer\",\n  \"tag\": \"night\"\n}"
    );
    assert_eq!(told, ["AUTORESEARCH_TAG"]);
}
