//! Owns the safety page of the GUIDE: each promise on it names a test, and the test is there.
//! Does not run those tests.
//! Invariant: a promise whose test was renamed or removed is found here.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn list_sources(below: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(below).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            list_sources(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

/// The tests of a file, each with the name of its module, as the page writes it.
fn list_tests(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap();
    let stem = |path: &Path| path.file_stem().unwrap().to_string_lossy().into_owned();
    let module = match stem(path).as_str() {
        "tests" => format!("{}::tests", stem(path.parent().unwrap())),
        name if text.contains("mod tests {") => format!("{name}::tests"),
        name => name.to_owned(),
    };
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let after_mark = lines.windows(2).filter(|pair| pair[0] == "#[test]");
    after_mark
        .filter_map(|pair| pair[1].strip_prefix("fn ")?.split('(').next())
        .map(|name| format!("{module}::{name}"))
        .collect()
}

#[test]
fn each_promise_of_the_safety_page_names_tests_that_are_there() {
    let mut sources = Vec::new();
    list_sources(&root().join("tests"), &mut sources);
    list_sources(&root().join("crates"), &mut sources);
    let tests: BTreeSet<String> = sources.iter().flat_map(|path| list_tests(path)).collect();
    let guide = std::fs::read_to_string(root().join("GUIDE.md")).unwrap();
    let page = guide.split("\n## Safety\n").nth(1).unwrap();
    let page = page.split("\n## ").next().unwrap();
    let rows: Vec<&str> = page
        .lines()
        .skip_while(|line| !line.starts_with("|---"))
        .skip(1)
        .take_while(|line| line.starts_with("| "))
        .collect();
    assert!(rows.len() > 20, "the table is the first of the page");
    for row in rows {
        let held_by = row.trim_end_matches('|').rsplit('|').next().unwrap();
        let named: Vec<&str> = held_by.split('`').skip(1).step_by(2).collect();
        assert!(!named.is_empty(), "no test: {row}");
        for name in named {
            assert!(tests.contains(name), "no such test: {name}");
        }
    }
}

#[test]
fn each_row_about_the_sandbox_names_tests_that_are_there() {
    let mut sources = Vec::new();
    list_sources(&root().join("tests/e2e"), &mut sources);
    list_sources(&root().join("crates/autoresearch-sys/tests"), &mut sources);
    let texts: Vec<String> = sources
        .iter()
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect();
    let guide = std::fs::read_to_string(root().join("GUIDE.md")).unwrap();
    let table = guide.split("\n| it tries to |").nth(1).unwrap();
    let rows = table.lines().take_while(|line| !line.is_empty());
    let cells = rows.filter_map(|row| row.trim_end_matches('|').rsplit('|').next());
    let names: BTreeSet<&str> = cells
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .map(|name| name.rsplit("::").next().unwrap())
        .collect();
    assert!(names.len() > 6, "{names:?}");
    for name in names {
        let head = format!("fn {name}(");
        assert!(
            texts.iter().any(|text| text.contains(&head)),
            "no such test: {name}"
        );
    }
}
