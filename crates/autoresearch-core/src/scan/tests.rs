//! The configs of every ecosystem: all pass the check, and one of each is shown whole.

use crate::config::{Severity, check_config};
use crate::scan::block_text::format_config_text;
use crate::scan::goal::read_wish;
use crate::scan::ranking::propose_configs;
use crate::scan::stack::list_stacks;
use crate::scan::survey::sample::make_survey;

type Files<'a> = &'a [(&'a str, &'a str)];

const RUST: Files<'_> = &[
    (
        "Cargo.toml",
        r#"{"package": {"name": "tool"}, "dev-dependencies": {"criterion": "0.5"}, "bench": [{"name": "parse"}]}"#,
    ),
    ("Cargo.lock", ""),
    ("src/main.rs", "fn main() { x.unwrap(); }"),
    ("tests/all.rs", "x"),
    ("benches/parse.rs", "x"),
];

const PYTHON: Files<'_> = &[
    (
        "pyproject.toml",
        r#"{"project": {"name": "app", "dependencies": ["flask"]}}"#,
    ),
    ("app/core.py", "def f(a: Any): # type: ignore"),
    ("tests/test_core.py", "x"),
    ("bench.py", "x"),
    (".venv/bin/python3", ""),
    (".venv/bin/pytest", ""),
    (".venv/bin/coverage", ""),
    (".venv/bin/mypy", ""),
];

const GO: Files<'_> = &[
    ("go.mod", "module x"),
    ("cmd/app/main.go", "package main // interface{}"),
    ("parser/p.go", "package parser"),
    ("parser/p_test.go", "func BenchmarkParse(b *testing.B) {}"),
];

/// Every stack with everything that its recipes ask for.
#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn every_config_that_can_be_proposed_passes_the_check() {
    let all = "cargo cargo-clippy cargo-llvm-cov node npm npx python3 go golangci-lint java mvn gradle cmake ctest gcovr make ruby bundle php dotnet mix swift bash bats shellcheck";
    let node = r#"{"scripts": {"build": "x", "bench": "x", "test": "node --test"}, "devDependencies": {"DEP": "1", "typescript": "5", "eslint": "9", "@biomejs/biome": "2"}}"#;
    let vitest = node.replace("DEP", "vitest");
    let jest = node.replace("DEP", "jest");
    let mocha = node.replace("DEP", "mocha").replace("bench", "benchmark");
    let mut checked = 0;
    for (files, tools) in [
        (RUST.to_vec(), ""),
        (
            vec![
                ("p/package.json", vitest.as_str()),
                ("p/tsconfig.json", "{}"),
                ("p/src/a.ts", "as any"),
                ("p/src/a.test.ts", "x"),
            ],
            "tsc eslint biome vitest",
        ),
        (
            vec![
                ("package.json", jest.as_str()),
                ("src/a.js", "console.log(1)"),
                ("test/a.js", "x"),
            ],
            "eslint jest",
        ),
        (
            vec![
                ("package.json", mocha.as_str()),
                ("src/a.js", "x"),
                ("bench.js", "x"),
                ("test/a.js", "x"),
            ],
            "mocha",
        ),
        (PYTHON.to_vec(), "ruff flake8 pyright"),
        (GO.to_vec(), ""),
        (
            vec![
                ("pom.xml", "jacoco"),
                ("src/main/java/A.java", "NOSONAR"),
                ("src/test/java/T.java", "x"),
            ],
            "",
        ),
        (
            vec![
                ("a b/build.gradle", "jacoco"),
                ("a b/src/main/java/A.java", "x"),
                ("a b/src/test/java/T.java", "x"),
            ],
            "",
        ),
        (
            vec![
                ("CMakeLists.txt", "add_executable(app a.c)\nadd_test(x)"),
                ("a.c", "TODO"),
                ("tests/t.c", "x"),
            ],
            "",
        ),
        (
            vec![("Makefile", "test: a\nbench: a\n"), ("a.c", "TODO")],
            "",
        ),
        (
            vec![
                ("Gemfile", "rubocop simplecov-cobertura"),
                ("lib/a.rb", "TODO"),
                ("spec/a.rb", "x"),
            ],
            "",
        ),
        (
            vec![
                (
                    "composer.json",
                    r#"{"require-dev": {"phpunit/phpunit": "1", "phpstan/phpstan": "1"}}"#,
                ),
                ("src/a.php", "TODO"),
                ("tests/T.php", "x"),
            ],
            "phpunit phpstan",
        ),
        (
            vec![
                ("App.sln", ""),
                ("App/A.cs", "TODO"),
                ("App.Tests/T.cs", "x"),
            ],
            "",
        ),
        (
            vec![
                ("mix.exs", "credo excoveralls"),
                ("lib/a.ex", "TODO"),
                ("test/t.exs", "x"),
            ],
            "",
        ),
        (
            vec![
                ("Package.swift", ""),
                ("Sources/a.swift", "a!.b"),
                ("Tests/t.swift", "x"),
            ],
            "",
        ),
        (
            vec![("a.sh", "TODO"), ("test/a.bats", "x"), ("bench.sh", "x")],
            "",
        ),
    ] {
        let programs = format!("{all} {tools}");
        let survey = make_survey(&files, &programs);
        for sentence in [
            "",
            "coverage to 80 %",
            "flaky tests",
            "failing tests",
            "lint",
            "type errors",
            "faster",
            "faster tests",
            "faster build",
            "size below 10 MB",
            "memory",
            "TODOs",
            "suppressions",
            "unwrap",
            "any types",
        ] {
            let proposals = propose_configs(&survey, &read_wish(sentence));
            for candidate in proposals.candidates.iter().chain(&proposals.not_here) {
                let problems = check_config(&candidate.config).problems;
                let errors = problems.iter().filter(|problem| {
                    problem.severity == Severity::Error || problem.place != "guard"
                });
                let errors: Vec<_> = errors.collect();
                assert!(
                    errors.is_empty(),
                    "{}: {errors:#?}\n{:#}",
                    candidate.title,
                    candidate.config
                );
                checked += 1;
            }
        }
    }
    assert!(checked > 100, "{checked}");
    assert_eq!(list_stacks().len(), 14);
}

/// The file that the first candidate becomes.
fn write_first(files: Files<'_>, programs: &str, sentence: &str) -> String {
    let proposals = propose_configs(&make_survey(files, programs), &read_wish(sentence));
    format_config_text(&proposals.candidates[0], "scan")
}

#[test]
fn a_benchmark_of_rust_is_read_from_what_criterion_prints() {
    insta::assert_snapshot!(write_first(RUST, "cargo", "make parse faster"), @r#"
    # Proposed by `autoresearch scan`. Change what you like, then: autoresearch config try
    # Why: criterion runs for a fixed time, so what it prints counts, and not its time
    goal: make parse faster

    # What a trial may change.
    scope:
      - 'src/**/*.rs'

    # What no trial may change: tests and settings are the yardstick.
    protect:
      - 'tests/**'
      - 'benches/**'
      - '/Cargo.toml'
      - '/Cargo.lock'

    metric:
      name: ns_per_iter
      direction: lower

    # How the number is made.
    verify:
      command: |
        set -eu
        mkdir -p .measured
        echo '*' > .measured/.gitignore
        cargo bench --locked --quiet --bench parse -- --output-format bencher > .measured/bench.txt
        awk '/ns\/iter/ {gsub(",", "", $5); sum += $5; n++} END {if (!n) exit 1; print "METRIC ns_per_iter=" sum}' .measured/bench.txt
      timeout: 15m

    # Must pass before a trial is kept.
    guard:
      command: cargo test --locked --quiet
      timeout: 15m

    iterations: 40
    time_limit: 8h

    # To go on working in these files meanwhile, let the run work in a separate tree:
    # isolation: worktree
    "#);
}

#[test]
fn a_bundle_is_packed_and_counted_by_the_tool() {
    let files = [
        (
            "package.json",
            r#"{"scripts": {"build": "vite build"}, "devDependencies": {"vite": "6", "vitest": "3"}}"#,
        ),
        ("pnpm-lock.yaml", ""),
        ("src/main.js", "x"),
        ("vite.config.js", "x"),
        ("node_modules", ""),
        ("node_modules/.bin/vitest", ""),
    ];
    insta::assert_snapshot!(write_first(&files, "node npx pnpm", "shrink the bundle below 180 kB"), @"
    # Proposed by `autoresearch scan`. Change what you like, then: autoresearch config try
    # Why: the tool packs and counts the files itself; a build is exact
    goal: shrink the bundle below 180 kB

    # What a trial may change.
    scope:
      - 'src/**/*.js'

    # What no trial may change: tests and settings are the yardstick.
    protect:
      - '/package.json'
      - '/pnpm-lock.yaml'
      - '/vite.config.*'

    metric:
      name: gzip_bytes
      direction: lower
      target: '180 kB'

    # How the number is made.
    verify:
      size:
        - '/dist/**'
        - '!/dist/**/*.map'
      gzip: true
      command: |
        set -eu
        rm -rf dist
        pnpm -s run build
      timeout: 15m

    # Must pass before a trial is kept.
    guard:
      command: 'CI=1 npx --no-install vitest run'
      timeout: 15m

    iterations: 40
    time_limit: 8h

    # To go on working in these files meanwhile, let the run work in a separate tree:
    # isolation: worktree
    # link:
    #   - '/node_modules'
    ");
}

#[test]
fn the_coverage_of_python_is_that_of_its_environment() {
    insta::assert_snapshot!(write_first(PYTHON, "python3", "raise my coverage to 80 %"), @"
    # Proposed by `autoresearch scan`. Change what you like, then: autoresearch config try
    # Why: the tool reads the report itself; trials change tests alone
    goal: 'raise my coverage to 80 %'

    # What a trial may change.
    scope:
      - 'tests/**'

    # What no trial may change: tests and settings are the yardstick.
    protect:
      - 'app/**/*.py'
      - '/pyproject.toml'
      - '/bench*.py'

    metric:
      name: line_coverage
      direction: higher
      target: 80

    # How the number is made.
    verify:
      covered: '.measured/coverage.xml'
      command: |
        set -eu
        mkdir -p .measured
        echo '*' > .measured/.gitignore
        export PYTHONDONTWRITEBYTECODE=1 COVERAGE_FILE=.measured/coverage.data
        .venv/bin/python3 -m coverage run --source=. -m pytest -q -p no:cacheprovider
        .venv/bin/python3 -m coverage xml -q -o .measured/coverage.xml --omit='*/test_*,*/tests/*,*/conftest.py'
      timeout: 15m

    # Must pass before a trial is kept.
    guard:
      command: 'PYTHONDONTWRITEBYTECODE=1 .venv/bin/python3 -m pytest -q -p no:cacheprovider'
      timeout: 15m

    # Must hold besides: fewer files, lines or tests are no better program.
    keep_when:
      - {metric: lines, direction: higher, op: not-worse}

    iterations: 40
    time_limit: 8h

    # To go on working in these files meanwhile, let the run work in a separate tree:
    # isolation: worktree
    # link:
    #   - '/.venv'
    ");
}

#[test]
fn a_binary_of_go_is_built_the_same_each_time() {
    insta::assert_snapshot!(write_first(GO, "go", "binary under 10 MB"), @"
    # Proposed by `autoresearch scan`. Change what you like, then: autoresearch config try
    # Why: the tool counts the bytes; without the commit in it a build is the same each time
    goal: binary under 10 MB

    # What a trial may change.
    scope:
      - 'cmd/**/*.go'
      - 'parser/**/*.go'
      - '!parser/**/*_test.go'

    # What no trial may change: tests and settings are the yardstick.
    protect:
      - 'parser/**/*_test.go'
      - '/go.mod'

    metric:
      name: binary_bytes
      direction: lower
      target: '10 MB'

    # How the number is made.
    verify:
      size:
        - '/.measured/app'
      command: |
        set -eu
        mkdir -p .measured
        echo '*' > .measured/.gitignore
        CGO_ENABLED=0 go build -mod=readonly -trimpath -buildvcs=false -ldflags='-s -w' -o .measured/app ./cmd/app
      timeout: 15m

    # Must pass before a trial is kept.
    guard:
      command: 'go test -count=1 -vet=off ./...'
      timeout: 15m

    iterations: 40
    time_limit: 8h

    # To go on working in these files meanwhile, let the run work in a separate tree:
    # isolation: worktree
    ");
}

#[test]
fn failing_tests_of_maven_are_counted_in_its_reports() {
    let files = [
        ("pom.xml", "<project/>"),
        ("mvnw", ""),
        ("src/main/java/A.java", "x"),
        ("src/test/java/ATest.java", "x"),
    ];
    insta::assert_snapshot!(write_first(&files, "java", "fix the failing tests"), @"
    # Proposed by `autoresearch scan`. Change what you like, then: autoresearch config try
    # Why: counts failures and errors in the reports of surefire
    goal: fix the failing tests

    # What a trial may change.
    scope:
      - 'src/**/*.java'
      - '!src/test/**'

    # What no trial may change: tests and settings are the yardstick.
    protect:
      - 'src/test/**'
      - '/pom.xml'
      - '/mvnw'

    metric:
      name: failing_tests
      direction: lower
      target: 0

    # How the number is made.
    verify:
      count:
        pattern: '<(?:failure|error)[ >]'
        files:
          - '.measured/tests.txt'
        of: '<testcase[ >]'
      command: |
        set -eu
        mkdir -p .measured
        echo '*' > .measured/.gitignore
        ./mvnw -B -q clean test-compile
        ./mvnw -B -q -Dmaven.test.failure.ignore=true test
        find . -path '*/surefire-reports/*.xml' -exec cat {} + > .measured/tests.txt
        grep -q '<testsuite' .measured/tests.txt
      timeout: 15m

    # Must pass before a trial is kept.
    guard:
      command: './mvnw -B -q test-compile'
      timeout: 15m

    # Must hold besides: fewer files, lines or tests are no better program.
    keep_when:
      - {metric: total, direction: higher, op: not-worse}

    iterations: 40
    time_limit: 8h

    # To go on working in these files meanwhile, let the run work in a separate tree:
    # isolation: worktree
    ");
}

#[test]
fn warnings_of_cmake_are_those_of_a_clean_build() {
    let files = [
        ("lib/CMakeLists.txt", "add_test(NAME t COMMAND app)"),
        ("lib/src/a.c", "x"),
        ("lib/tests/t.c", "x"),
    ];
    insta::assert_snapshot!(write_first(&files, "cmake ctest", "fix the compiler warnings"), @r#"
    # Proposed by `autoresearch scan`. Change what you like, then: autoresearch config try
    # Why: a clean build repeats exactly; code that does not build gives no number
    goal: fix the compiler warnings

    # What a trial may change.
    scope:
      - 'lib/src/**/*.c'

    # What no trial may change: tests and settings are the yardstick.
    protect:
      - 'lib/tests/**'
      - lib/CMakeLists.txt

    metric:
      name: compiler_warnings
      direction: lower
      target: 0

    # How the number is made.
    verify:
      count:
        pattern: ':\d+:\d+: warning: '
        files:
          - lib/.measured/warnings.txt
      command: |
        set -eu
        mkdir -p .measured
        echo '*' > .measured/.gitignore
        cmake -S . -B .measured/lint -DCMAKE_C_FLAGS='-Wall -Wextra' -DCMAKE_CXX_FLAGS='-Wall -Wextra' > /dev/null
        cmake --build .measured/lint --clean-first > .measured/warnings.txt 2>&1
      timeout: 15m
      working_directory: lib

    # Must pass before a trial is kept.
    guard:
      command: |
        set -eu
        mkdir -p .measured
        echo '*' > .measured/.gitignore
        cmake -S . -B .measured/build -DCMAKE_BUILD_TYPE=Release > /dev/null
        cmake --build .measured/build --parallel > /dev/null
        ctest --test-dir .measured/build --output-on-failure
      timeout: 15m
      working_directory: lib

    iterations: 40
    time_limit: 8h

    # To go on working in these files meanwhile, let the run work in a separate tree:
    # isolation: worktree
    "#);
}

#[test]
fn shell_scripts_are_looked_at_by_shellcheck() {
    let files = [
        ("install.sh", "x"),
        ("lib/a.bash", "x"),
        ("test/a.bats", "x"),
    ];
    insta::assert_snapshot!(write_first(&files, "bats shellcheck", "lint"), @r#"
    # Proposed by `autoresearch scan`. Change what you like, then: autoresearch config try
    # Why: ShellCheck repeats exactly
    goal: lint

    # What a trial may change.
    scope:
      - 'lib/**/*.{sh,bash}'
      - '/*.{sh,bash}'

    # What no trial may change: tests and settings are the yardstick.
    protect:
      - 'test/**'

    metric:
      name: shellcheck_findings
      direction: lower
      target: 0

    # How the number is made.
    verify:
      count:
        pattern: '^[^:]+:\d+:\d+: '
        files:
          - '.measured/shellcheck.txt'
      command: |
        set -eu
        mkdir -p .measured
        echo '*' > .measured/.gitignore
        status=0
        git ls-files -zco --exclude-standard -- '*.sh' '*.bash' > .measured/files || exit 3
        xargs -0 sh -c 'for f; do shift; [ ! -f "$f" ] || set -- "$@" "./$f"; done; [ $# -eq 0 ] || exec shellcheck -f gcc "$@"' sh < .measured/files > .measured/shellcheck.txt || status=$?
        exit $status
      timeout: 15m
      ok_exit: [0, 1, 123]

    # Must pass before a trial is kept.
    guard:
      command: |
        set -eu
        mkdir -p .measured
        echo '*' > .measured/.gitignore
        git ls-files -zco --exclude-standard -- '*.bats' > .measured/bats
        xargs -0 sh -c 'for f; do shift; [ ! -f "$f" ] || set -- "$@" "./$f"; done; [ $# -eq 0 ] || exec bats "$@"' sh < .measured/bats
      timeout: 15m

    iterations: 40
    time_limit: 8h

    # To go on working in these files meanwhile, let the run work in a separate tree:
    # isolation: worktree
    "#);
}

#[test]
fn what_a_service_checks_comes_behind_what_has_room_unless_it_is_asked_for() {
    let code = "fn main() { a.unwrap(); b.unwrap(); c.unwrap(); d.unwrap(); e.unwrap(); }";
    let mut files = vec![
        ("Cargo.toml", r#"{"package": {"name": "tool"}}"#),
        ("Cargo.lock", ""),
        ("src/main.rs", code),
    ];
    let order = |files: &[(&str, &str)], sentence: &str| -> Vec<String> {
        let survey = make_survey(files, "cargo cargo-clippy");
        let proposals = propose_configs(&survey, &read_wish(sentence));
        let names = proposals.candidates.iter();
        names
            .map(|it| it.config["metric"]["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(order(&files, "")[..2], ["clippy_findings", "unwraps"]);
    files.push((".github/workflows/ci.yml", "on: push"));
    assert_eq!(order(&files, "")[0], "unwraps");
    assert_eq!(order(&files, "fix the lint")[0], "clippy_findings");
    files[2].1 = "fn main() { a.unwrap(); }";
    assert_eq!(order(&files, "")[0], "binary_bytes");
}
