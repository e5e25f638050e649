//! Which findings of a report are shown.

use autoresearch_core::scan::Aim;
use serde_json::json;

use super::*;

/// A config that counts this pattern in `report.txt`.
fn counts(pattern: &str) -> Candidate {
    Candidate {
        title: String::new(),
        aim: Aim::Lint,
        stack: String::new(),
        folder: ".".to_owned(),
        also: Vec::new(),
        reason: String::new(),
        today: None,
        missing: Vec::new(),
        config: json!({"verify": {"count": {"pattern": pattern}}}),
        worktree: json!({}),
        score: 0,
        report: Some("report.txt".to_owned()),
    }
}

fn show(text: &[u8], pattern: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("report.txt"), text).unwrap();
    list_items(folder.path(), &counts(pattern))
}

#[test]
fn the_first_findings_are_shown_each_as_its_line_says_it() {
    let text = b"made a\nx.c:1:2: error: one\n  x.c:2:2: error: \x1b[31mtwo\xff\r\nx.c:3:2: warning: none\n";
    insta::assert_debug_snapshot!(show(text, ": error: "), @r#"
    [
        "x.c:1:2: error: one",
        "x.c:2:2: error: \\u{1b}[31mtwo�",
    ]
    "#);
    let many: Vec<u8> = (0..9)
        .flat_map(|n| format!("not ok {n}\n").into_bytes())
        .collect();
    insta::assert_debug_snapshot!(show(&many, "^not ok"), @r#"
    [
        "not ok 0",
        "not ok 1",
        "not ok 2",
        "not ok 3",
        "not ok 4",
    ]
    "#);
}

#[test]
fn a_report_on_one_line_shows_nothing_and_a_long_line_is_cut() {
    let json = format!("[{}]", "{\"ruleId\": 1},".repeat(100));
    assert!(show(json.as_bytes(), "\"ruleId\":").is_empty());
    let long = format!("a.c:1: error: {}", "x".repeat(300));
    assert_eq!(show(long.as_bytes(), "error")[0].chars().count(), WIDTH);
}

#[test]
fn a_report_that_is_not_there_or_is_a_link_shows_nothing() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("secret"), "error\n").unwrap();
    let link = folder.path().join("report.txt");
    let candidate = counts("error");
    assert!(list_items(folder.path(), &candidate).is_empty());
    std::os::unix::fs::symlink("secret", &link).unwrap();
    assert!(list_items(folder.path(), &candidate).is_empty());
}
