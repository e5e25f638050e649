//! Files made to break the search: none of them may end it, keep it busy without end, or fill the journal.

use super::super::code::list_code_mutes;
use super::super::settings::list_setting_mutes;
use super::*;
use crate::decide::gaming::tokens::{Token, TokenKind};

/// Longer than any record of a trial.
const LONG: usize = 400_000;

fn repeat_to(part: &str, bytes: usize) -> String {
    part.repeat(bytes / part.len())
}

fn measure(tokens: &[Token]) -> usize {
    tokens.iter().map(|token| token.text.len()).sum()
}

#[test]
fn quotes_that_nest_without_end_are_split_in_linear_space() {
    let rows = [
        (Language::Script, r#""\"\"#),
        (Language::Python, r#"f"{f\"{f\""#),
        (Language::Shell, r#""$(\""#),
        (Language::Shell, r#""$(\"$("#),
        (Language::Script, "`${\\`${"),
        (Language::Other, r#""\"'\'"#),
        (Language::Python, "'''\"\"\"\\'"),
    ];
    for (language, part) in rows {
        for text in [
            repeat_to(part, LONG),
            format!("\"{}\"", repeat_to(part, LONG)),
        ] {
            let (tokens, _) = split_text(&text, language);
            let held = measure(&tokens);
            assert!(held <= 8 * text.len(), "{part}: {held}");
        }
    }
}

#[test]
fn code_behind_quotes_that_nest_too_deep_is_split_still() {
    let text = format!("{} eval(x)\n", repeat_to(r#""\"\"#, 100));
    let (tokens, _) = split_text(&text, Language::Script);
    let is_eval = |token: &Token| token.kind == TokenKind::Name && token.text == "eval";
    assert!(tokens.iter().any(is_eval));
}

#[test]
fn what_stands_in_a_list_of_a_program_is_read_once_for_its_key() {
    let text = repeat_to("a: [", 40_000);
    assert_eq!(list_setting_mutes("eslint.config.js", &text, &read), []);
    let lists = format!("x = {{{}}}", repeat_to("ignores: ['a', ", 60_000));
    let found = list_setting_mutes("eslint.config.js", &lists, &read);
    assert_eq!(found.len(), 60_000 / "ignores: ['a', ".len());
    let nested = "x = { ignores: ['a', ['b'], 'c'], rules: { 'no-x': ['off', { y: 1 }] } };";
    let found = list_setting_mutes("eslint.config.js", nested, &read);
    let codes: Vec<_> = found.iter().flat_map(|mute| &mute.codes).collect();
    assert_eq!(codes, ["a", "b", "c", "no-x"]);
}

#[test]
fn a_file_of_settings_without_end_has_no_more_values_than_a_person_writes() {
    let key = "k".repeat(LONG);
    let values: Vec<String> = (0..30_000).map(|at| format!("{at}a")).collect();
    let ini = format!(
        "[flake8]\nignore = {}\n[{key}]\n{key} = 1\n",
        values.join(",")
    );
    assert_eq!(list_setting_mutes(".flake8", &ini, &read).len(), 20_000);
    let json = json!({key.clone(): {"ignore": values}, "ignore": ["E1"]}).to_string();
    let found = list_setting_mutes("ruff.toml", &json, &read);
    assert!(found.iter().all(|mute| mute.text.len() < 1_000));
    let long = format!("[flake8]\nignore = E1\n# {}\n", "x".repeat(LONGEST));
    assert_eq!(list_setting_mutes(".flake8", &long, &read), []);
    let deep = format!("{}\"E1\"{}", "{\"ignore\":".repeat(100), "}".repeat(100));
    assert_eq!(list_setting_mutes("ruff.toml", &deep, &read), []);
}

#[test]
fn a_look_ahead_ends_after_so_many_tokens() {
    let rows = [
        ("a.rs", "#[", 0),
        ("a.rs", "#[allow(a,", 400),
        ("a.cs", "#pragma warning disable a ", 40),
        ("a.cs", "#pragma GCC diagnostic ignored \"a\" ", 40),
    ];
    for (path, part, most) in rows {
        let text = repeat_to(part, LONG / 10);
        let language = Language::of_file(path, &text);
        let (tokens, _) = split_text(&text, language);
        let found = list_code_mutes(path, language, &tokens);
        assert!(found.len() <= MOST_OF_FILE, "{part}");
        let codes = found.iter().map(|mute| mute.codes.len()).max();
        assert!(codes.unwrap_or(0) <= most, "{part}: {codes:?}");
        let texts = found.iter().map(|mute| mute.text.len()).max();
        assert!(texts.unwrap_or(0) < 1_100, "{part}: {texts:?}");
    }
}

#[test]
fn a_thousand_mutes_of_one_name_are_compared_with_a_few() {
    let make = |letter: char| {
        let lines = (0..4_000).map(|at| format!("f()  # noqa: {letter}{at}"));
        lines.collect::<Vec<_>>().join("\n")
    };
    let (old, new) = (make('A'), make('B'));
    let lint = MuteSubject {
        findings: true,
        ..MuteSubject::default()
    };
    let found = find_suppressions(&[change_all(&old, &new)], lint, &read);
    assert_eq!(found.len(), MOST);
    let found = find_suppressions(&[change_all(&old, &old)], lint, &read);
    assert_eq!(found, []);
}

/// A change of every line, without the comparison of the lines.
fn change_all(before: &str, after: &str) -> ChangedFile {
    let lines = (1_u32..).zip(after.lines());
    ChangedFile {
        path: "a.py".to_owned(),
        before: Some(before.to_owned()),
        after: after.to_owned(),
        added: lines.map(|(number, _)| number).collect(),
        removed: Vec::new(),
    }
}

#[test]
fn a_type_that_begins_a_file_has_nothing_before_it() {
    assert_eq!(search("a.py", "", ".Any\n"), "");
    assert_eq!(search("a.py", "", "Any\n"), "");
    assert_ne!(search("a.py", "", "x: t.Any\n"), "");
}

#[test]
fn a_record_keeps_the_beginning_of_what_was_added() {
    let why = "x".repeat(LONG);
    let comment = format!("f()  # noqa: E1 {why}\n");
    let value = format!("[flake8]\nignore = {why}\n");
    let picked = format!("[flake8]\nselect = {why}\n");
    let rows = [
        change("a.py", "", &comment),
        change("setup.cfg", "[flake8]\n", &value),
        change("setup.cfg", &picked, "[flake8]\n"),
    ];
    for file in rows {
        let found = find_suppressions(std::slice::from_ref(&file), ALL, &read);
        let [only] = found.as_slice() else {
            panic!("{} of {}", found.len(), file.path);
        };
        assert_eq!(only.text.chars().count(), 200);
    }
}

#[test]
fn a_list_that_lost_many_rules_tells_a_few() {
    let values: Vec<String> = (0..5_000).map(|at| format!("A{at}")).collect();
    let before = json!({"select": values}).to_string();
    let file = change("ruff.toml", &before, "{\"select\": []}");
    let found = find_suppressions(&[file], ALL, &read);
    assert_eq!(found.len(), MOST);
}
