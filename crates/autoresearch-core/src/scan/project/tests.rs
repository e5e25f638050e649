//! Projects of a repository, and what holds of them.

use super::*;
use crate::scan::survey::sample::make_survey;

#[test]
fn a_monorepo_has_a_project_for_each_manifest_but_not_for_samples_and_vendored_code() {
    let survey = make_survey(
        &[
            ("Cargo.toml", r#"{"workspace": {}}"#),
            ("crates/a/Cargo.toml", r#"{"package": {"name": "a"}}"#),
            ("crates/a/src/main.rs", "fn main() {}"),
            ("web/package.json", r#"{"name": "web"}"#),
            ("web/src/a.ts", "let a;"),
            ("web/node_modules/.bin/tsc", ""),
            ("examples/x/package.json", "{}"),
            ("vendor/y/package.json", "{}"),
            ("third_party/z/go.mod", "module z"),
            ("empty/go.mod", "module e"),
            ("tools/run.py", "print()"),
        ],
        "",
    );
    let told: Vec<String> = list_projects(&survey)
        .iter()
        .map(|project| {
            let nested = if project.is_nested { ", nested" } else { "" };
            format!(
                "{} at `{}`, {} %{nested}",
                project.stack.title, project.folder, project.share
            )
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"), @"
    Rust at ``, 46 %
    Rust at `crates/a`, 46 %, nested
    TypeScript and JavaScript at `web`, 25 %
    Python at ``, 28 %
    ");
}

#[test]
fn a_condition_holds_or_not_and_one_that_is_unknown_never_does() {
    let survey = make_survey(
        &[
            (
                "package.json",
                r#"{"scripts": {"build": "x"}, "devDependencies": {"jest": "1"}, "packageManager": "yarn@4"}"#,
            ),
            ("src/a.ts", "as any"),
            ("src/a.test.ts", "x"),
            ("node_modules/.bin/jest", ""),
        ],
        "node",
    );
    let projects = list_projects(&survey);
    let project = &projects[0];
    for condition in [
        "file:package.json",
        "file:/package.json",
        "file:*.test.ts",
        "file:**/*.{ts,tsx}",
        "dep:jest",
        "script:build",
        "text:manager=yarn",
        "program:node",
        "local:jest",
        "local:node",
        "counted:any_count",
        "!dep:vitest",
    ] {
        assert!(project.holds(condition), "{condition}");
        assert!(!project.holds(&format!("!{condition}")), "{condition}");
    }
    for condition in [
        "file:x",
        "file:a[",
        "dep:x",
        "script:test",
        "text:x=y",
        "program:deno",
        "local:tsc",
        "counted:todos",
        "workspace",
        "bench",
        "program-name",
        "unknown:x",
        "",
    ] {
        assert!(!project.holds(condition), "{condition}");
    }
    // Of several one is enough.
    for (condition, holds) in [
        ("program:deno|program:node", true),
        ("program:deno|!dep:x", true),
        ("program:deno|dep:x", false),
        ("!dep:jest|dep:x", false),
    ] {
        assert_eq!(project.holds(condition), holds, "{condition}");
    }
}

#[test]
fn a_program_of_the_project_or_of_a_folder_above_comes_before_one_on_the_path() {
    let survey = make_survey(
        &[
            ("pyproject.toml", "{}"),
            ("packages/a/pyproject.toml", "{}"),
            ("packages/a/m.py", "x"),
            (".venv/bin/ruff", ""),
            ("packages/a/.venv/bin/mypy", ""),
        ],
        "ruff pytest",
    );
    let projects = list_projects(&survey);
    let inner = projects
        .iter()
        .find(|project| project.folder == "packages/a")
        .unwrap();
    assert_eq!(
        inner.find_tool("ruff").as_deref(),
        Some("../../.venv/bin/ruff")
    );
    assert_eq!(inner.find_tool("mypy").as_deref(), Some(".venv/bin/mypy"));
    assert_eq!(inner.find_tool("pytest").as_deref(), Some("pytest"));
    assert_eq!(inner.find_tool("coverage"), None);
    let places = list_installed_places(&survey);
    for place in [
        ".venv/bin/ruff",
        "packages/.venv/bin/ruff",
        "packages/a/venv/bin/mypy",
        "packages/a/node_modules",
    ] {
        assert!(places.contains(place), "{place}");
    }
}

#[test]
fn what_is_missing_is_named_with_how_to_get_it() {
    let survey = make_survey(&[("package.json", "{}"), ("a.js", "x")], "");
    let projects = list_projects(&survey);
    let needs: Vec<String> = ["node", "packages", "local:eslint", "strange"]
        .map(ToOwned::to_owned)
        .into();
    let missing = projects[0].list_missing(&needs);
    let told: Vec<String> = missing
        .iter()
        .map(|need| format!("{}: {}", need.name, need.remedy))
        .collect();
    insta::assert_snapshot!(told.join("\n"), @"
    node: install Node.js
    eslint: install the packages of the project (npm ci, pnpm install, yarn)
    strange: install strange
    ");
}

#[test]
fn more_projects_than_anybody_has_are_not_all_looked_at() {
    let names: Vec<String> = (0..MOST_PROJECTS + 20)
        .map(|at| format!("p{at:03}/go.mod"))
        .collect();
    let mut files: Vec<(&str, &str)> = names
        .iter()
        .map(|name| (name.as_str(), "module x"))
        .collect();
    let sources: Vec<String> = names
        .iter()
        .map(|name| name.replace("go.mod", "a.go"))
        .collect();
    files.extend(sources.iter().map(|name| (name.as_str(), "x")));
    assert_eq!(list_projects(&make_survey(&files, "")).len(), MOST_PROJECTS);
}

#[test]
fn counts_are_summed_over_the_files_that_a_gauge_would_look_at() {
    let mut survey = make_survey(
        &[
            ("Cargo.toml", "{}"),
            ("src/a.rs", "x.unwrap().unwrap()"),
            ("tests/b.rs", "x.unwrap()"),
        ],
        "",
    );
    let sum = |survey: &Survey, files: Option<&[String]>| {
        list_projects(survey)[0].sum_counts("unwraps", files)
    };
    assert_eq!(sum(&survey, None), Some((3, 2)));
    assert_eq!(sum(&survey, Some(&["src/**".to_owned()])), Some((2, 1)));
    survey.is_counted = false;
    assert_eq!(sum(&survey, None), None);
}

#[test]
fn parts_with_names_that_a_command_should_not_hold_are_no_parts() {
    let manifest = r#"{"bin": [{"name": "../../etc"}, {"name": "-x"}, {"name": "/abs"}, {"name": "a b"}], "bench": [{"name": "x/../y"}]}"#;
    let survey = make_survey(
        &[
            ("Cargo.toml", manifest),
            ("src/bin/-o.rs", "x"),
            ("src/bin/$(x).rs", "x"),
            ("src/bin/*.rs", "x"),
            ("src/bin/tool.rs", "x"),
            ("benches/-b.rs", "x"),
            ("benches/a b.rs", "x"),
            ("benches/parse.rs", "x"),
        ],
        "",
    );
    let projects = list_projects(&survey);
    assert_eq!(projects[0].facts.executables, ["tool"]);
    assert_eq!(projects[0].facts.benches, ["parse"]);
}
