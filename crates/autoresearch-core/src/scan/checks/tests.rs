//! Which checks a project has, which project is meant, and the config for what is broken.

use std::fmt::Write as _;
use std::time::Duration;

use super::*;
use crate::config::check_config;
use crate::scan::survey::sample::make_survey;

const LIMIT: Duration = Duration::from_mins(15);

/// The checks of the project that is meant, and the others.
fn show(survey: &Survey, folder: &str, stack: Option<&str>) -> String {
    let wanted = WantedProject {
        folder: folder.to_owned(),
        stack: stack.map(ToOwned::to_owned),
    };
    let Some(found) = CheckedProject::find(survey, &wanted) else {
        return "none".to_owned();
    };
    let mut text = format!("{} in {}\n", found.title(), found.folder());
    for check in &found.checks {
        let lines = check.lines.join("; ");
        let _ = write!(text, "{}: {lines}", check.kind.as_str());
        for need in &check.missing {
            let _ = write!(text, " [{}: {}]", need.name, need.remedy);
        }
        text.push('\n');
    }
    for (folder, title) in &found.others {
        let _ = writeln!(text, "also {title} in {folder}");
    }
    text
}

fn show_here(files: &[(&str, &str)], programs: &str) -> String {
    show(&make_survey(files, programs), "", None)
}

const WEB: &str = r#"{"scripts": {"build": "vite build", "lint": "x"}, "devDependencies": {"typescript": "5", "vitest": "3", "eslint": "9"}}"#;

#[test]
fn each_stack_names_its_checks_in_the_order_of_repair() {
    let web = [
        ("package.json", WEB),
        ("tsconfig.json", "{}"),
        ("src/a.ts", "x"),
        ("node_modules/.bin/tsc", ""),
        ("node_modules/.bin/vitest", ""),
        ("node_modules", ""),
    ];
    insta::assert_snapshot!(show_here(&web, "node npm npx"), @"
    TypeScript and JavaScript in .
    build: npm run -s build
    tests: CI=1 npx --no-install vitest run
    types: npx --no-install tsc --noEmit --incremental false
    lint: npm run -s lint
    ");
    let rust = [
        ("Cargo.toml", r#"{"workspace": {}}"#),
        ("Cargo.lock", ""),
        ("src/lib.rs", "x"),
    ];
    insta::assert_snapshot!(show_here(&rust, "cargo"), @"
    Rust in .
    build: cargo check --locked --workspace --quiet; cargo check --locked --workspace --quiet --tests
    tests: cargo test --locked --workspace --quiet
    lint: cargo clippy --locked --workspace --quiet -- -D warnings [cargo-clippy: rustup component add clippy]
    ");
    let python = [
        ("pyproject.toml", r#"{"tool": {"mypy": {}, "ruff": {}}}"#),
        ("app/a.py", "x"),
        ("tests/test_a.py", "x"),
    ];
    insta::assert_snapshot!(show_here(&python, "python3 mypy"), @r#"
    Python in .
    build: git --literal-pathspecs ls-files -zco --exclude-standard -- app > .measured/files; PYTHONPYCACHEPREFIX=.measured/pycache xargs -0 sh -c 'for f; do shift; case $f in *.py) [ ! -f "$f" ] || set -- "$@" "./$f";; esac; done; [ $# -eq 0 ] || exec python3 -m compileall -q -f -x "/[.]?venv/" "$@"' sh < .measured/files
    tests: PYTHONDONTWRITEBYTECODE=1 python3 -c 'import sys, unittest; it = unittest.main(None, argv=["", "discover", "-q"], exit=False).result; sys.exit(not it.wasSuccessful() if it.testsRun else "no test ran")'
    types: mypy --no-error-summary --cache-dir=/dev/null app
    lint: ruff check --no-cache app [ruff: python3 -m pip install ruff]
    "#);
    let go = [("go.mod", "module x"), ("a.go", "x"), ("a_test.go", "x")];
    insta::assert_snapshot!(show_here(&go, "go"), @"
    Go in .
    build: go build -o /dev/null ./...; go test -vet=off -exec true -run '^$' ./... > /dev/null
    tests: go test -count=1 -vet=off ./...
    lint: go vet ./...
    ");
    let make = [("Makefile", "all:\n\ncheck: all\n"), ("a.c", "x")];
    insta::assert_snapshot!(show_here(&make, "make"), @"
    C and C++ (Make) in .
    build: make -s all
    tests: make -s check
    lint: make -B all > .measured/lint.txt 2>&1; if grep -E ':[0-9]+:[0-9]+: warning: ' .measured/lint.txt; then exit 1; fi
    ");
    let java = [("pom.xml", "<project/>"), ("src/main/java/A.java", "x")];
    insta::assert_snapshot!(show_here(&java, ""), @"
    Java (Maven) in .
    build: mvn -B -q test-compile [java: install a JDK] [mvn: install Maven]
    tests: mvn -B -q test [java: install a JDK] [mvn: install Maven]
    ");
}

#[test]
fn a_package_without_dependencies_needs_none_installed() {
    let plain = [
        ("package.json", r#"{"scripts": {"build": "node build.js"}}"#),
        ("a.js", "x"),
    ];
    insta::assert_snapshot!(show_here(&plain, "node npm"), @"
    TypeScript and JavaScript in .
    build: npm run -s build
    ");
    let other = [
        (
            "package.json",
            r#"{"scripts": {"build": "vite build"}, "dependencies": {"vite": "7"}}"#,
        ),
        ("a.js", "x"),
    ];
    insta::assert_snapshot!(show_here(&other, "node npm"), @"
    TypeScript and JavaScript in .
    build: npm run -s build [packages: install the packages of the project (npm ci, pnpm install, yarn)]
    ");
}

#[test]
fn the_project_is_that_of_the_folder_or_around_it_and_the_others_are_named() {
    let files = [
        ("web/package.json", r#"{"scripts": {"build": "x"}}"#),
        ("web/src/a.ts", "const a = 1; const b = 2;"),
        ("api/go.mod", "module x"),
        ("api/a.go", "package a"),
        ("run.sh", "true"),
    ];
    let survey = make_survey(&files, "node npm go bash");
    insta::assert_snapshot!(show(&survey, "api/inner", None), @"
    Go in api
    build: go build -o /dev/null ./...; go test -vet=off -exec true -run '^$' ./... > /dev/null
    lint: go vet ./...
    also TypeScript and JavaScript in web
    also Shell in .
    ");
    // A script at the root makes no project of the whole, where there are others.
    insta::assert_snapshot!(show(&survey, "", None), @"
    TypeScript and JavaScript in web
    build: npm run -s build
    also Go in api
    also Shell in .
    ");
    insta::assert_snapshot!(show(&survey, "", Some("shell")), @r#"
    Shell in .
    build: git ls-files -zco --exclude-standard -- '*.sh' '*.bash' > .measured/files; xargs -0 sh -c 's=0; for f; do [ ! -f "$f" ] || bash -n "./$f" || s=1; done; exit $s' sh < .measured/files
    also TypeScript and JavaScript in web
    also Go in api
    "#);
    insta::assert_snapshot!(show(&survey, "", Some("cobol")), @"none");
    insta::assert_snapshot!(show(&Survey::default(), "", None), @"none");
}

#[test]
fn of_two_stacks_in_a_folder_the_larger_is_meant_and_members_of_a_workspace_are_not_others() {
    let files = [
        ("Cargo.toml", r#"{"workspace": {}}"#),
        ("Makefile", "all:\n"),
        ("a.c", "x"),
        ("core/Cargo.toml", r#"{"package": {"name": "core"}}"#),
        ("core/src/lib.rs", "fn a() {} fn b() {}"),
    ];
    let survey = make_survey(&files, "cargo make");
    insta::assert_snapshot!(show(&survey, "", None), @"
    Rust in .
    build: cargo check --workspace --quiet; cargo check --workspace --quiet --tests
    tests: cargo test --workspace --quiet
    lint: cargo clippy --workspace --quiet -- -D warnings [cargo-clippy: rustup component add clippy]
    also C and C++ (Make) in .
    ");
    insta::assert_snapshot!(show(&survey, "", Some("make")), @"
    C and C++ (Make) in .
    build: make -s all
    lint: make -B all > .measured/lint.txt 2>&1; if grep -E ':[0-9]+:[0-9]+: warning: ' .measured/lint.txt; then exit 1; fi
    also Rust in .
    ");
}

/// The config for the first check of this kind, with what the others say as a guard.
fn fix(files: &[(&str, &str)], programs: &str, kind: CheckKind, passing: &[CheckKind]) -> String {
    let survey = make_survey(files, programs);
    let found = CheckedProject::find(&survey, &WantedProject::default()).unwrap();
    let broken = found
        .checks
        .iter()
        .find(|check| check.kind == kind)
        .unwrap();
    let mut candidate = found
        .make_counter(broken)
        .or_else(|| found.make_status(broken))
        .unwrap();
    let passed = found
        .checks
        .iter()
        .filter(|check| passing.contains(&check.kind));
    found.guard_with(&mut candidate, &passed.collect::<Vec<_>>(), LIMIT);
    let config = check_config(&candidate.config).config.unwrap();
    assert_eq!(config.guard.is_some(), !passing.is_empty());
    crate::scan::format_config_text(&candidate, "fix check")
}

const RUST: [(&str, &str); 3] = [
    ("Cargo.toml", "{}"),
    ("src/lib.rs", "x"),
    ("tests/all.rs", "x"),
];

#[test]
fn a_config_counts_the_first_that_is_broken_and_guards_what_passed() {
    let config = fix(
        &RUST,
        "cargo cargo-clippy",
        CheckKind::Tests,
        &[CheckKind::Build, CheckKind::Lint],
    );
    insta::assert_snapshot!(config, @r#"
    # Proposed by `autoresearch fix check`. Change what you like, then: autoresearch config try
    # Why: counts failed tests in the report of cargo; code that does not build gives no number
    goal: Make every test pass
    mode: fix

    # What a trial may change.
    scope:
      - 'src/**/*.rs'

    # What no trial may change: tests and settings are the yardstick.
    protect:
      - 'tests/**'
      - '/Cargo.toml'

    metric:
      name: failing_tests
      direction: lower
      target: 0

    # How the number is made.
    verify:
      count:
        pattern: '^test .* \.\.\. FAILED$'
        files:
          - '.measured/tests.txt'
        of: '^test .* \.\.\. (?:ok|FAILED)$'
      command: |
        set -eu
        mkdir -p .measured
        echo '*' > .measured/.gitignore
        status=0
        cargo test --no-fail-fast > .measured/tests.txt || status=$?
        grep -q '^test result:' .measured/tests.txt
        exit $status
      timeout: 15m
      ok_exit: [0, 101]

    # Must pass before a trial is kept.
    guard:
      command: |
        set -eu
        cargo check --quiet
        cargo check --quiet --tests
        cargo clippy --quiet -- -D warnings
      timeout: 30m

    # Must hold besides: fewer files, lines or tests are no better program.
    keep_when:
      - {metric: total, direction: higher, op: not-worse}

    iterations: 40
    time_limit: 8h

    # To go on working in these files meanwhile, let the run work in a separate tree:
    # isolation: worktree
    "#);
}

#[test]
fn what_nothing_counts_has_its_exit_status_for_a_number() {
    let make = [("we b/Makefile", "all:\n\ntest: all\n"), ("we b/a.c", "x")];
    let config = fix(&make, "make", CheckKind::Tests, &[]);
    insta::assert_snapshot!(config, @"
    # Proposed by `autoresearch fix check`. Change what you like, then: autoresearch config try
    # Why: nothing counts what it finds, so the runs of it that fail are the number
    goal: Make the tests pass in we b
    mode: fix

    # What a trial may change.
    scope:
      - 'we b/*.c'

    # What no trial may change: tests and settings are the yardstick.
    protect:
      - we b/Makefile

    metric:
      name: failed_runs
      direction: lower
      target: 0

    # How the number is made.
    verify:
      exit_rate: make -s test
      runs: 2
      timeout: 15m
      working_directory: we b

    iterations: 40
    time_limit: 8h

    # To go on working in these files meanwhile, let the run work in a separate tree:
    # isolation: worktree
    ");
    let lines = [("a.go", "x"), ("go.mod", "module x")];
    let survey = make_survey(&lines, "go");
    let found = CheckedProject::find(&survey, &WantedProject::default()).unwrap();
    let status = found.make_status(&found.checks[0]).unwrap();
    let check = &found.checks[0];
    assert!(check.lines.len() > 1, "{check:?}");
    assert_eq!(status.config["verify"]["exit_rate"], check.to_script());
}

#[test]
fn a_recipe_whose_tool_is_missing_counts_nothing() {
    let survey = make_survey(&RUST, "cargo");
    let found = CheckedProject::find(&survey, &WantedProject::default()).unwrap();
    let find = |kind| found.checks.iter().find(|check| check.kind == kind);
    let counter = |kind| found.make_counter(find(kind).unwrap());
    assert!(counter(CheckKind::Lint).is_none());
    assert_eq!(counter(CheckKind::Tests).unwrap().config["mode"], "fix");
}

/// Which command counts what a check of this kind finds.
fn tell_counter(files: &[(&str, &str)], programs: &str, kind: CheckKind) -> String {
    let survey = make_survey(files, programs);
    let found = CheckedProject::find(&survey, &WantedProject::default()).unwrap();
    let check = found.checks.iter().find(|check| check.kind == kind);
    let check = check.unwrap();
    let Some(counter) = found.make_counter(check) else {
        return format!("{}: its exit status\n", check.lines.join("; "));
    };
    let command = counter.config["verify"]["command"].as_str().unwrap();
    let mut lines = command.lines();
    let counts = lines.find(|line| line.ends_with("|| status=$?"));
    format!("{}: {}\n", check.lines.join("; "), counts.unwrap())
}

#[test]
fn what_a_check_finds_is_counted_by_its_own_tool_whatever_else_is_there() {
    let mut told = String::new();
    let mut package = |dependencies: &str, installed: &[&str], kind| {
        let text = format!(
            r#"{{"scripts": {{"test": "node --test", "lint": "x"}}, "devDependencies": {{{dependencies}}}}}"#
        );
        let places: Vec<String> = installed
            .iter()
            .map(|name| format!("node_modules/.bin/{name}"))
            .collect();
        let mut files = vec![
            ("package.json", text.as_str()),
            ("a.js", "x"),
            ("node_modules", ""),
        ];
        files.extend(places.iter().map(|place| (place.as_str(), "")));
        told += &tell_counter(&files, "node npm npx", kind);
    };
    for name in ["mocha", "ava", "vitest", "jest"] {
        package(&format!(r#""{name}": "1""#), &[name], CheckKind::Tests);
    }
    package(r#""vitest": "1", "jest": "1""#, &["jest"], CheckKind::Tests);
    package("", &[], CheckKind::Tests);
    let both = r#""eslint": "1", "@biomejs/biome": "1""#;
    package(both, &["eslint", "biome"], CheckKind::Lint);
    package(both, &["biome"], CheckKind::Lint);
    package(both, &[], CheckKind::Lint);
    let python = [
        ("setup.cfg", ""),
        (".flake8", ""),
        ("app/a.py", "x"),
        ("test_a.py", "x"),
    ];
    told += &tell_counter(&python, "python3 ruff flake8 pytest", CheckKind::Lint);
    told += &tell_counter(&python, "python3 ruff flake8 pytest", CheckKind::Tests);
    told += &tell_counter(&python, "python3", CheckKind::Tests);
    let go = [("go.mod", "module x"), ("a.go", "x")];
    told += &tell_counter(&go, "go golangci-lint", CheckKind::Lint);
    told += &tell_counter(&go, "go", CheckKind::Lint);
    insta::assert_snapshot!(told, @r#"
    npx --no-install mocha: its exit status
    CI=1 npx --no-install ava: its exit status
    CI=1 npx --no-install vitest run: CI=1 npx --no-install vitest run --reporter=json --outputFile=.measured/tests.json || status=$?
    CI=1 npx --no-install jest: CI=1 npx --no-install jest --json --outputFile=.measured/tests.json || status=$?
    CI=1 npx --no-install jest: CI=1 npx --no-install jest --json --outputFile=.measured/tests.json || status=$?
    node --test: node --test --test-reporter=tap > .measured/tests.tap || status=$?
    npx --no-install eslint . --max-warnings 0: npx --no-install eslint . --max-warnings 0 --format json --output-file .measured/eslint.json || status=$?
    npx --no-install biome lint --error-on-warnings .: npx --no-install biome lint --error-on-warnings --reporter=github --max-diagnostics=none . > .measured/biome.txt || status=$?
    npm run -s lint: its exit status
    git --literal-pathspecs ls-files -zco --exclude-standard -- app > .measured/files; xargs -0 sh -c 'for f; do shift; case $f in *.py) [ ! -f "$f" ] || set -- "$@" "./$f";; esac; done; [ $# -eq 0 ] || exec flake8 "$@"' sh < .measured/files: xargs -0 sh -c 'for f; do shift; case $f in *.py) [ ! -f "$f" ] || set -- "$@" "./$f";; esac; done; [ $# -eq 0 ] || exec flake8 "$@"' sh < .measured/files > .measured/flake8.txt || status=$?
    PYTHONDONTWRITEBYTECODE=1 python3 -m pytest -q -p no:cacheprovider: PYTHONDONTWRITEBYTECODE=1 python3 -m pytest -q -p no:cacheprovider -rpfE --tb=no > .measured/tests.txt || status=$?
    PYTHONDONTWRITEBYTECODE=1 python3 -c 'import sys, unittest; it = unittest.main(None, argv=["", "discover", "-q"], exit=False).result; sys.exit(not it.wasSuccessful() if it.testsRun else "no test ran")': PYTHONDONTWRITEBYTECODE=1 python3 -m unittest discover 2> .measured/tests.txt || status=$?
    golangci-lint run ./...: golangci-lint run --issues-exit-code=1 --max-issues-per-linter=0 --max-same-issues=0 ./... > .measured/lint.txt || status=$?
    go vet ./...: go vet ./... 2> .measured/vet.txt || status=$?
    "#);
}

#[test]
fn what_two_checks_have_in_common_runs_once_in_a_guard() {
    let cmake = [("CMakeLists.txt", "add_test(x)"), ("a.c", "x")];
    let survey = make_survey(&cmake, "cmake ctest");
    let found = CheckedProject::find(&survey, &WantedProject::default()).unwrap();
    let mut candidate = found.make_status(&found.checks[0]).unwrap();
    found.guard_with(
        &mut candidate,
        &found.checks.iter().collect::<Vec<_>>(),
        LIMIT,
    );
    insta::assert_snapshot!(candidate.config["guard"]["command"].as_str().unwrap(), @"
    set -eu
    mkdir -p .measured
    echo '*' > .measured/.gitignore
    cmake -S . -B .measured/build -DCMAKE_BUILD_TYPE=Release > /dev/null
    cmake --build .measured/build --parallel > /dev/null
    ctest --test-dir .measured/build --output-on-failure
    ");
}
