//! Commands of tables, filled with the words of projects.

use super::*;
use crate::scan::project::list_projects;
use crate::scan::survey::sample::make_survey;

/// A command filled for the first project of a repository.
fn fill(files: &[(&str, &str)], programs: &str, text: &str) -> Option<String> {
    let survey = make_survey(files, programs);
    let projects = list_projects(&survey);
    let patterns = FilePatterns::of_project(&projects[0]);
    let words = CommandWords {
        project: &projects[0],
        patterns: &patterns,
    };
    words.fill_command(text)
}

#[test]
fn words_of_a_rust_project() {
    let files = [
        (
            "Cargo.toml",
            r#"{"package": {"name": "tool"}, "workspace": {}, "bench": [{"name": "parse"}]}"#,
        ),
        ("Cargo.lock", ""),
        ("src/main.rs", "x"),
    ];
    let filled = fill(&files, "cargo", "{test} | {exe} | {bench} | {src} | {out}");
    assert_eq!(
        filled.as_deref(),
        Some("cargo test --locked --workspace --quiet | tool | parse | src | .measured")
    );
    let bare = [("Cargo.toml", "{}"), ("src/lib.rs", "x")];
    assert_eq!(
        fill(&bare, "", "{test}").as_deref(),
        Some("cargo test --quiet")
    );
    assert_eq!(fill(&bare, "", "{exe}"), None);
    assert_eq!(fill(&bare, "", "{bench}"), None);
}

#[test]
fn braces_of_the_shell_stay() {
    let files = [("Cargo.toml", "{}"), ("src/lib.rs", "x")];
    let text = "find . -exec x {} + | awk '{print $1}' > ${HOME}";
    assert_eq!(fill(&files, "", text).as_deref(), Some(text));
    assert_eq!(fill(&files, "", "an open { brace"), None);
}

#[test]
fn the_manager_of_packages_is_that_of_the_lock_file() {
    for (lock, command) in [
        ("pnpm-lock.yaml", "pnpm -s run"),
        ("yarn.lock", "yarn run"),
        ("bun.lock", "bun run"),
        ("package-lock.json", "npm run -s"),
    ] {
        let files = [("package.json", "{}"), ("a.js", "x"), (lock, "")];
        assert_eq!(fill(&files, "", "{pm}").as_deref(), Some(command));
    }
}

#[test]
fn the_python_is_that_of_the_project() {
    let base = [("pyproject.toml", "{}"), ("m.py", "x")];
    assert_eq!(fill(&base, "python3", "{py}").as_deref(), Some("python3"));
    let own = [
        base[0],
        base[1],
        (".venv/bin/python", ""),
        (".venv/bin/python3", ""),
    ];
    assert_eq!(
        fill(&own, "python3", "{py}").as_deref(),
        Some(".venv/bin/python3")
    );
    let uv = [base[0], base[1], ("uv.lock", "")];
    assert_eq!(
        fill(&uv, "python3 uv", "{py}").as_deref(),
        Some("uv run --no-sync python")
    );
    assert_eq!(fill(&uv, "python3", "{py}").as_deref(), Some("python3"));
}

#[test]
fn names_of_files_are_quoted() {
    let files = [
        ("setup.py", "x"),
        ("my app/a.py", "x"),
        ("$(touch x)/b.py", "x"),
        ("tools/bench_it's.py", "x"),
    ];
    assert_eq!(
        fill(&files, "", "{src}").as_deref(),
        Some("'$(touch x)' 'my app'")
    );
    assert_eq!(
        fill(&files, "", "{script}").as_deref(),
        Some(r"'tools/bench_it'\''s.py'")
    );
}

#[test]
fn a_go_program_is_found_at_the_root_or_among_the_commands() {
    for (file, folder) in [("main.go", "./"), ("cmd/app/main.go", "./cmd/app")] {
        let files = [("go.mod", "module x"), (file, "package main")];
        assert_eq!(fill(&files, "", "{main}").as_deref(), Some(folder));
    }
    assert_eq!(
        fill(
            &[("go.mod", "module x"), ("internal/main.go", "x")],
            "",
            "{main}"
        ),
        None
    );
    // `domain.go` ends like it, and is no program.
    for file in ["cmd/x/domain.go", "domain.go"] {
        let files = [("go.mod", "module x"), (file, "package x")];
        assert_eq!(fill(&files, "", "{main}"), None, "{file}");
    }
}

#[test]
fn no_name_of_a_file_is_taken_for_an_option() {
    let files = [("setup.py", "x"), ("-rf/a.py", "x"), ("-c/bench.py", "x")];
    assert_eq!(fill(&files, "", "{src}").as_deref(), Some("./-rf"));
    assert_eq!(
        fill(&files, "", "python3 {script}").as_deref(),
        Some("python3 ./-c/bench.py")
    );
    let root = [("setup.py", "x"), ("-x $(y)/bench.py", "x")];
    assert_eq!(
        fill(&root, "", "{script}").as_deref(),
        Some("'./-x $(y)/bench.py'")
    );
}

#[test]
fn names_of_programs_stand_in_patterns_and_paths_as_they_are_read_there() {
    let mut survey = make_survey(&[("Cargo.toml", "{}"), ("src/main.rs", "x")], "");
    survey.manifests.clear();
    let mut projects = list_projects(&survey);
    projects[0].facts.executables = vec!["a[b] c".to_owned()];
    let patterns = FilePatterns::of_project(&projects[0]);
    let words = CommandWords {
        project: &projects[0],
        patterns: &patterns,
    };
    let text = "/{out}/{exe}";
    assert_eq!(
        words.fill_command(text).as_deref(),
        Some("/.measured/'a[b] c'")
    );
    assert_eq!(
        words.fill_pattern(text).as_deref(),
        Some(r"/.measured/a\[b\] c")
    );
    assert_eq!(words.fill_path(text).as_deref(), Some("/.measured/a[b] c"));
}

#[test]
fn a_benchmark_is_a_script_with_such_a_name() {
    for (file, found) in [
        ("bench.py", true),
        ("tools/benchmark_io.py", true),
        ("bench/x.py", false),
        ("workbench.py", false),
        ("bench-a.txt", false),
    ] {
        let files = [("setup.py", "x"), ("m.py", "x"), (file, "x")];
        assert_eq!(fill(&files, "", "{script}").is_some(), found, "{file}");
    }
}

#[test]
fn a_tool_that_is_not_there_is_called_by_its_name() {
    let files = [
        ("composer.json", "{}"),
        ("a.php", "x"),
        ("vendor/bin/phpunit", ""),
    ];
    assert_eq!(
        fill(&files, "", "{tool:phpunit} {tool:pest}").as_deref(),
        Some("vendor/bin/phpunit pest")
    );
}

#[test]
fn a_makefile_without_a_target_that_builds_has_no_goal() {
    let fill_goal = |text: &str| {
        let files = [("Makefile", text), ("a.c", "x")];
        fill(&files, "make", "make -s {goal}")
    };
    let found = fill_goal("clean:\n\trm -f *.dat\n\ntool: a.o\n\nbuild: tool\n");
    assert_eq!(found.as_deref(), Some("make -s build"));
    assert_eq!(fill_goal("clean:\n\trm -f *.dat\n\ntool: a.o\n"), None);
}
