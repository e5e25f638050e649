//! What is read, what is put together, and how a problem is shown.

use std::path::PathBuf;

use insta::assert_snapshot;

use super::*;

fn make_source(text: &str) -> ConfigSource {
    ConfigSource {
        path: None,
        name: "a.yaml".to_owned(),
        text: text.to_owned(),
        merged: false,
    }
}

fn fields(document: &Value) -> Map<String, Value> {
    document.as_object().unwrap().clone()
}

#[test]
fn a_file_is_read_from_the_folder_of_the_caller_without_a_byte_order_mark() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::from_process();
    world.cwd = folder.path().to_owned();
    std::fs::write(folder.path().join("a.yaml"), "\u{feff}goal: less\n").unwrap();
    let source = read_config(&world, &PathBuf::from("a.yaml")).unwrap();
    assert_eq!(
        (source.name.as_str(), source.text.as_str()),
        ("a.yaml", "goal: less\n")
    );
    assert!(!source.merged);
}

#[test]
fn a_file_that_cannot_be_read_is_refused_with_the_reason_and_how_to_get_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::from_process();
    world.cwd = folder.path().to_owned();
    let refuse = |name: &str| {
        let refused = read_config(&world, &PathBuf::from(name)).unwrap_err();
        refused.to_string()
    };
    assert_snapshot!(refuse("gone.yaml"), @"
    error: could not read the config gone.yaml
    caused by: No such file or directory (os error 2)
    hint: `autoresearch config example lint > autoresearch.yaml` writes one to start from
    ");
    std::fs::write(folder.path().join("wide.yaml"), b"\xff\xfeg\0").unwrap();
    assert_snapshot!(refuse("wide.yaml"), @"
    error: could not read the config wide.yaml
    caused by: it is UTF-16, as its byte order mark says
    hint: save it as UTF-8
    ");
    std::fs::write(folder.path().join("latin.yaml"), b"goal: gr\xf6\xdfer\n").unwrap();
    assert_snapshot!(refuse("latin.yaml"), @"
    error: could not read the config latin.yaml
    caused by: it is not UTF-8: invalid utf-8 sequence of 1 bytes from index 8
    hint: save it as UTF-8
    ");
}

#[test]
fn no_more_than_a_mebibyte_is_read() {
    let text = read_config_text(std::io::repeat(b'a')).unwrap();
    assert_eq!(text.len(), 1 << 20);
}

#[test]
fn fields_fill_a_block_key_by_key_and_replace_everything_else() {
    for (file, over, merged) in [
        ("a: 1", json!({"a": 2}), json!({"a": 2})),
        ("a: 1", json!({"b": 2}), json!({"a": 1, "b": 2})),
        (
            "a: {b: 1, c: 2}",
            json!({"a": {"c": 3}}),
            json!({"a": {"b": 1, "c": 3}}),
        ),
        ("a: [1, 2]", json!({"a": [3]}), json!({"a": [3]})),
        ("a: 1", json!({"a": {"b": 2}}), json!({"a": {"b": 2}})),
        ("a: {b: 1}", json!({"a": 2}), json!({"a": 2})),
        ("a:", json!({"a": {"b": 2}}), json!({"a": {"b": 2}})),
        ("a: 1", json!({}), json!({"a": 1})),
    ] {
        let source = merge_config(Some(make_source(file)), fields(&over)).unwrap();
        let document: Value = serde_json::from_str(&source.text).unwrap();
        assert_eq!(document, merged, "{file}");
        assert!(source.merged && source.name == "a.yaml");
    }
}

#[test]
fn a_file_that_is_no_block_of_keys_cannot_be_filled() {
    for text in ["- a", "just words", "7"] {
        let refused = merge_config(Some(make_source(text)), Map::new()).unwrap_err();
        assert_eq!(
            refused.error, "a.yaml is not a block of `key: value` lines",
            "{text}"
        );
    }
    let refused = merge_config(Some(make_source("a: [")), Map::new()).unwrap_err();
    assert_eq!(refused.error, "a.yaml is not YAML");
}

#[test]
fn a_problem_has_the_line_of_the_file_and_none_where_the_config_was_put_together() {
    let mut source = make_source("goal: less\ngaol: more\n");
    let lines = |source: &ConfigSource| -> Vec<Option<usize>> {
        let problems = check_config_text(source).problems;
        problems
            .iter()
            .filter(|problem| problem.place == "gaol")
            .map(|problem| problem.line)
            .collect()
    };
    assert_eq!(lines(&source), [Some(2)]);
    source.merged = true;
    assert_eq!(lines(&source), [None]);
}

#[test]
fn text_that_is_not_yaml_is_one_problem_without_a_place() {
    let checked = check_config_text(&make_source("goal: [\n"));
    assert!(checked.config.is_none());
    let shown: Vec<String> = checked
        .problems
        .iter()
        .map(|problem| format_problem("a.yaml", problem))
        .collect();
    assert_snapshot!(shown.join("\n"), @"a.yaml: not YAML: did not find expected node content at line 2 column 1, while parsing a flow node -> fix the YAML; `autoresearch config example lint` shows a good one");
}

#[test]
fn a_problem_is_one_line_with_its_place_as_far_as_it_is_known() {
    let at = |line, problem: Problem| Problem { line, ..problem };
    let lines = [
        at(
            Some(7),
            Problem::error("verify.command", "it is missing", "write one"),
        ),
        at(
            None,
            Problem::error("verify.command", "it is missing", "write one"),
        ),
        at(None, Problem::error("", "it is not YAML", "fix it")),
        at(
            Some(3),
            Problem::warning("scope[0]", "it matches no file", "check it"),
        ),
    ]
    .map(|problem| format_problem("a.yaml", &problem));
    assert_snapshot!(lines.join("\n"), @"
    a.yaml:7: verify.command: it is missing -> write one
    a.yaml: verify.command: it is missing -> write one
    a.yaml: it is not YAML -> fix it
    warning: a.yaml:3: scope[0]: it matches no file -> check it
    ");
}

#[test]
fn the_problems_of_a_config_are_one_failure_with_errors_as_causes_and_warnings_beside_them() {
    let problems = [
        Problem::warning("scope[0]", "it matches no file", "check it"),
        Problem::error("goal", "it is missing", "write one"),
    ];
    assert_snapshot!(config_error(&make_source(""), &problems), @"
    error: the config a.yaml has 1 error
    caused by: a.yaml: goal: it is missing -> write one
    warning: a.yaml: scope[0]: it matches no file -> check it
    hint: fix these, then run `autoresearch config check a.yaml`
    ");
    for (name, merged, next) in [
        (
            "a b.yaml",
            false,
            "run `autoresearch config check 'a b.yaml'`",
        ),
        ("standard input", false, "run the command again"),
        ("a.yaml", true, "run the command again"),
    ] {
        let source = ConfigSource {
            path: None,
            name: name.to_owned(),
            merged,
            ..make_source("")
        };
        let hint = config_error(&source, &problems).hint;
        assert_eq!(hint, Some(format!("fix these, then {next}")), "{name}");
    }
}
