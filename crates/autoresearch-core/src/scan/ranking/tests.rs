//! What each ecosystem suggests, and in which order.

use std::fmt::Write as _;

use super::*;
use crate::scan::goal::read_wish;
use crate::scan::survey::sample::make_survey;

type Files<'a> = &'a [(&'a str, &'a str)];

/// The proposals in a line each: the command that measures, then the guard.
fn describe(files: Files<'_>, programs: &str, sentence: &str) -> String {
    let proposals = propose_configs(&make_survey(files, programs), &read_wish(sentence));
    let last = |value: &serde_json::Value| {
        let text = value.as_str().unwrap_or("-").trim_end();
        let mut lines = text.lines().filter(|line| *line != "exit $status");
        lines.next_back().unwrap_or("-").to_owned()
    };
    let mut text = String::new();
    for candidate in &proposals.candidates {
        let verify = &candidate.config["verify"];
        let keys = ["wall", "peak_memory", "exit_rate", "command"];
        let measured = keys.iter().find(|key| verify.get(**key).is_some());
        let measured = measured.map_or_else(
            || verify["count"]["pattern"].clone(),
            |key| verify[*key].clone(),
        );
        let guard = last(&candidate.config["guard"]["command"]);
        let _ = writeln!(
            text,
            "{}: {}
    {}
    guard: {guard}",
            candidate.title,
            candidate.config["metric"],
            last(&measured)
        );
    }
    for candidate in &proposals.not_here {
        let missing: Vec<&str> = candidate
            .missing
            .iter()
            .map(|need| need.name.as_str())
            .collect();
        let _ = writeln!(
            text,
            "not here: {} ({})",
            candidate.title,
            missing.join(", ")
        );
    }
    text
}

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

#[test]
fn rust_without_a_wish_and_with_everything_there() {
    insta::assert_snapshot!(describe(RUST, "cargo cargo-clippy cargo-llvm-cov", ""), @r#"
    Make the benchmark parse faster: {"direction":"lower","name":"ns_per_iter"}
        awk '/ns\/iter/ {gsub(",", "", $5); sum += $5; n++} END {if (!n) exit 1; print "METRIC ns_per_iter=" sum}' .measured/bench.txt
        guard: cargo test --locked --quiet
    Fix what clippy finds: {"direction":"lower","name":"clippy_findings","target":0}
        cargo clippy --locked --message-format short -- --cap-lints warn 2> .measured/clippy.txt
        guard: cargo test --locked --quiet
    Raise the line coverage: {"direction":"higher","name":"line_coverage"}
        cargo llvm-cov --locked --lcov --output-path .measured/lcov.info
        guard: cargo test --locked --quiet
    Shrink the release binary tool: {"direction":"lower","name":"binary_bytes"}
        cargo build --locked --release --quiet --bin tool --target-dir .measured/target
        guard: cargo test --locked --quiet
    Make the tests faster: {"direction":"lower","name":"test_ms"}
        cargo test --locked --quiet
        guard: cargo test --locked --quiet
    Lower the time of a clean build: {"direction":"lower","name":"build_ms"}
        CARGO_INCREMENTAL=0 RUSTC_WRAPPER= cargo build --locked --offline --quiet --target-dir .measured/clean
        guard: cargo test --locked --quiet
    Get rid of the unwrap calls: {"direction":"lower","name":"unwraps","target":0}
        \.unwrap\(\)
        guard: cargo test --locked --quiet
    "#);
}

const NODE: Files<'_> = &[
    (
        "package.json",
        r#"{"scripts": {"build": "vite build", "bench": "node b.js"}, "devDependencies": {"typescript": "5", "vitest": "3", "eslint": "9", "vite": "6"}}"#,
    ),
    ("tsconfig.json", "{}"),
    ("src/a.ts", "let a: any; let b = a as any;"),
    ("src/a.test.ts", "x"),
    ("node_modules", ""),
    ("node_modules/.bin/tsc", ""),
    ("node_modules/.bin/vitest", ""),
    ("node_modules/.bin/eslint", ""),
];

#[test]
fn typescript_without_a_wish_and_with_everything_there() {
    insta::assert_snapshot!(describe(NODE, "node npm npx", ""), @r#"
    Make the benchmark faster: {"direction":"lower","name":"bench_ms"}
        npm run -s bench
        guard: CI=1 npx --no-install vitest run
    Correct what ESLint reports: {"direction":"lower","name":"eslint_problems","target":0}
        node -e 'for (const file of JSON.parse(require("fs").readFileSync(process.argv[1]))) for (const it of file.messages) console.log([require("path").relative("", file.filePath), it.line || 1, it.column || 1, " " + it.message.replace(/\s+/g, " ")].join(":"), it.ruleId || "")' .measured/eslint.json > .measured/eslint.txt
        guard: CI=1 npx --no-install vitest run
    Correct every type error: {"direction":"lower","name":"type_errors","target":0}
        npx --no-install tsc --noEmit --incremental false --pretty false > .measured/tsc.txt || status=$?
        guard: CI=1 npx --no-install vitest run
    Raise the line coverage: {"direction":"higher","name":"line_coverage"}
        CI=1 npx --no-install vitest run --coverage.enabled --coverage.reporter=lcovonly --coverage.reportsDirectory=.measured/coverage
        guard: CI=1 npx --no-install vitest run
    Shrink what the build makes: {"direction":"lower","name":"gzip_bytes"}
        npm run -s build
        guard: CI=1 npx --no-install vitest run
    Make the tests faster: {"direction":"lower","name":"test_ms"}
        CI=1 npx --no-install vitest run
        guard: CI=1 npx --no-install vitest run
    Lower the time of a build: {"direction":"lower","name":"build_ms"}
        npm run -s build
        guard: CI=1 npx --no-install vitest run
    Lower the memory of the tests: {"direction":"lower","name":"peak_bytes"}
        CI=1 npx --no-install vitest run
        guard: CI=1 npx --no-install vitest run
    "#);
}

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

#[test]
fn python_without_a_wish_and_with_a_linter_missing() {
    insta::assert_snapshot!(describe(PYTHON, "python3", ""), @r#"
    Make bench.py faster: {"direction":"lower","name":"script_ms"}
        PYTHONDONTWRITEBYTECODE=1 .venv/bin/python3 bench.py
        guard: PYTHONDONTWRITEBYTECODE=1 .venv/bin/python3 -m pytest -q -p no:cacheprovider
    Correct every error that mypy reports: {"direction":"lower","name":"type_errors","target":0}
        .venv/bin/mypy --no-error-summary --cache-dir=/dev/null app > .measured/mypy.txt || status=$?
        guard: PYTHONDONTWRITEBYTECODE=1 .venv/bin/python3 -m pytest -q -p no:cacheprovider
    Raise the line coverage: {"direction":"higher","name":"line_coverage"}
        .venv/bin/python3 -m coverage xml -q -o .measured/coverage.xml --omit='*/test_*,*/tests/*,*/conftest.py'
        guard: PYTHONDONTWRITEBYTECODE=1 .venv/bin/python3 -m pytest -q -p no:cacheprovider
    Make the tests faster: {"direction":"lower","name":"test_ms"}
        PYTHONDONTWRITEBYTECODE=1 .venv/bin/python3 -m pytest -q -p no:cacheprovider
        guard: PYTHONDONTWRITEBYTECODE=1 .venv/bin/python3 -m pytest -q -p no:cacheprovider
    Lower the memory of bench.py: {"direction":"lower","name":"peak_bytes"}
        PYTHONDONTWRITEBYTECODE=1 .venv/bin/python3 bench.py
        guard: PYTHONDONTWRITEBYTECODE=1 .venv/bin/python3 -m pytest -q -p no:cacheprovider
    Give real types in place of Any and type: ignore: {"direction":"lower","name":"untyped","target":0}
        # *type: *ignore|\bAny\b
        guard: PYTHONDONTWRITEBYTECODE=1 .venv/bin/python3 -m pytest -q -p no:cacheprovider
    not here: Fix what flake8 finds (flake8)
    not here: Fix what ruff finds (ruff)
    "#);
}

const GO: Files<'_> = &[
    ("go.mod", "module x"),
    ("cmd/app/main.go", "package main // interface{}"),
    ("parser/p.go", "package parser"),
    ("parser/p_test.go", "func BenchmarkParse(b *testing.B) {}"),
];

#[test]
fn go_without_a_wish() {
    insta::assert_snapshot!(describe(GO, "go", ""), @r#"
    Make the benchmarks faster: {"direction":"lower","name":"bench_ms"}
        go test -vet=off -run '^$' -bench . -benchtime 20x ./...
        guard: go test -count=1 -vet=off ./...
    Fix what go vet finds: {"direction":"lower","name":"vet_findings","target":0}
        go vet ./... 2> .measured/vet.txt || status=$?
        guard: go test -count=1 -vet=off ./...
    Raise the coverage: {"direction":"higher","name":"coverage"}
        go test -count=1 -vet=off -coverpkg=./... -coverprofile=.measured/cover.out ./...
        guard: go test -count=1 -vet=off ./...
    Shrink the binary of ./cmd/app: {"direction":"lower","name":"binary_bytes"}
        CGO_ENABLED=0 go build -mod=readonly -trimpath -buildvcs=false -ldflags='-s -w' -o .measured/app ./cmd/app
        guard: go test -count=1 -vet=off ./...
    Make the tests faster: {"direction":"lower","name":"test_ms"}
        go test -count=1 -vet=off ./...
        guard: go test -count=1 -vet=off ./...
    Lower the time of a build: {"direction":"lower","name":"build_ms"}
        GOCACHE=$PWD/.measured/cache go build -o /dev/null ./...
        guard: go test -count=1 -vet=off ./...
    Give real types in place of any and interface{}: {"direction":"lower","name":"empty_interfaces","target":0}
        \binterface\{\}|\bany\b
        guard: go test -count=1 -vet=off ./...
    not here: Fix what golangci-lint finds (golangci-lint)
    "#);
}

#[test]
fn maven_with_jacoco() {
    let files = [
        ("pom.xml", "<plugin>jacoco-maven-plugin</plugin>"),
        ("mvnw", ""),
        ("src/main/java/A.java", "@SuppressWarnings"),
        ("src/test/java/ATest.java", "x"),
    ];
    insta::assert_snapshot!(describe(&files, "java", ""), @r#"
    Fix what the compiler warns of: {"direction":"lower","name":"compiler_warnings","target":0}
        ./mvnw -B clean test-compile -Dmaven.compiler.showWarnings=true -Dmaven.compiler.compilerArgument=-Xlint:all > .measured/build.txt
        guard: ./mvnw -B -q test
    Raise the line coverage: {"direction":"higher","name":"line_coverage"}
        ./mvnw -B -q test jacoco:report
        guard: ./mvnw -B -q test
    Shrink the jar: {"direction":"lower","name":"jar_bytes"}
        ./mvnw -B -q -DskipTests clean package
        guard: ./mvnw -B -q test
    Make the tests faster: {"direction":"lower","name":"test_ms"}
        ./mvnw -B -q test
        guard: ./mvnw -B -q test
    Lower the time of a clean build: {"direction":"lower","name":"build_ms"}
        ./mvnw -B -q -o -DskipTests clean package
        guard: ./mvnw -B -q test
    Fix what is suppressed: {"direction":"lower","name":"suppressions","target":0}
        @Suppress(?:Warnings)?\b|NOSONAR
        guard: ./mvnw -B -q test
    "#);
}

#[test]
fn gradle_without_its_wrapper_needs_the_program() {
    let files = [
        ("build.gradle.kts", "plugins { jacoco }"),
        ("src/main/kotlin/A.kt", "x"),
        ("src/test/kotlin/ATest.kt", "x"),
    ];
    insta::assert_snapshot!(describe(&files, "java", ""), @"
    not here: Fix what the compiler warns of (gradle)
    not here: Raise the line coverage (gradle)
    not here: Make the tests faster (gradle)
    not here: Lower the time of a clean build (gradle)
    ");
    insta::assert_snapshot!(describe(&files, "java gradle", "raise coverage to 90 %"), @r#"
    Raise the line coverage: {"direction":"higher","name":"line_coverage","target":90}
        gradle --no-daemon -q cleanTest test jacocoTestReport
        guard: gradle --no-daemon -q cleanTest test
    "#);
}

#[test]
fn c_with_cmake_and_with_make() {
    let cmake = [
        (
            "CMakeLists.txt",
            "add_executable(app src/a.c)\nadd_test(NAME t COMMAND app)",
        ),
        ("src/a.c", "// TODO"),
        ("tests/t.c", "x"),
    ];
    insta::assert_snapshot!(describe(&cmake, "cmake ctest make", ""), @r#"
    Fix what the compiler warns of: {"direction":"lower","name":"compiler_warnings","target":0}
        cmake --build .measured/lint --clean-first > .measured/warnings.txt 2>&1
        guard: ctest --test-dir .measured/build --output-on-failure
    Shrink the program app: {"direction":"lower","name":"binary_bytes"}
        cmake --build .measured/build --parallel > /dev/null
        guard: ctest --test-dir .measured/build --output-on-failure
    Make the tests faster: {"direction":"lower","name":"test_ms"}
        ctest --test-dir .measured/build --output-on-failure
        guard: ctest --test-dir .measured/build --output-on-failure
    Lower the time of a clean build: {"direction":"lower","name":"build_ms"}
        cmake --build .measured/clean --parallel > /dev/null
        guard: ctest --test-dir .measured/build --output-on-failure
    Resolve every TODO: {"direction":"lower","name":"todos","target":0}
        \b(?:TODO|FIXME|HACK|XXX)\b
        guard: ctest --test-dir .measured/build --output-on-failure
    not here: Raise the line coverage (gcovr)
    "#);
    let make = [("Makefile", "all: a\nbench: a\ntest: a\n"), ("a.c", "x")];
    insta::assert_snapshot!(describe(&make, "make", ""), @r#"
    Make the benchmark faster: {"direction":"lower","name":"bench_ms"}
        make -s bench
        guard: make -s test
    Fix what the compiler warns of: {"direction":"lower","name":"compiler_warnings","target":0}
        make -B all > .measured/warnings.txt 2>&1
        guard: make -s test
    Make the tests faster: {"direction":"lower","name":"test_ms"}
        make -s test
        guard: make -s test
    Lower the time of a whole build: {"direction":"lower","name":"build_ms"}
        make -s -B all
        guard: make -s test
    "#);
}

#[test]
fn ruby_php_dotnet_elixir_and_swift() {
    let ruby = [
        ("Gemfile", "gem 'rubocop'\ngem 'simplecov-cobertura'"),
        ("lib/a.rb", "# rubocop:disable X"),
        ("spec/a_spec.rb", "x"),
    ];
    insta::assert_snapshot!(describe(&ruby, "ruby bundle", ""), @r#"
    Correct what RuboCop reports: {"direction":"lower","name":"rubocop_offenses","target":0}
        bundle exec rubocop --cache false --format emacs > .measured/rubocop.txt || status=$?
        guard: bundle exec rspec
    Raise the line coverage: {"direction":"higher","name":"line_coverage"}
        bundle exec rspec
        guard: bundle exec rspec
    Make the tests faster: {"direction":"lower","name":"test_ms"}
        bundle exec rspec
        guard: bundle exec rspec
    Fix what is suppressed by comments: {"direction":"lower","name":"suppressions","target":0}
        rubocop:(?:disable|todo)
        guard: bundle exec rspec
    "#);
    let php = [
        (
            "composer.json",
            r#"{"require-dev": {"phpunit/phpunit": "11", "phpstan/phpstan": "2"}}"#,
        ),
        ("src/A.php", "x"),
        ("tests/ATest.php", "x"),
        ("vendor/bin/phpunit", ""),
        ("vendor/bin/phpstan", ""),
    ];
    insta::assert_snapshot!(describe(&php, "php", ""), @r#"
    Correct what PHPStan reports: {"direction":"lower","name":"phpstan_errors","target":0}
        vendor/bin/phpstan analyse --no-progress --error-format=raw > .measured/phpstan.txt || status=$?
        guard: vendor/bin/phpunit
    Raise the line coverage: {"direction":"higher","name":"line_coverage"}
        XDEBUG_MODE=coverage vendor/bin/phpunit --coverage-clover .measured/clover.xml
        guard: vendor/bin/phpunit
    Make the tests faster: {"direction":"lower","name":"test_ms"}
        vendor/bin/phpunit
        guard: vendor/bin/phpunit
    "#);
    let dotnet = [
        ("App.sln", ""),
        ("App/App.csproj", "<Project/>"),
        ("App/A.cs", "x"),
        ("App.Tests/ATests.cs", "x"),
    ];
    insta::assert_snapshot!(describe(&dotnet, "dotnet", ""), @r#"
    Fix what the compiler warns of: {"direction":"lower","name":"compiler_warnings","target":0}
        dotnet build --no-incremental -v q --nologo -clp:NoSummary > .measured/build.txt
        guard: dotnet test -v q --nologo
    Raise the line coverage: {"direction":"higher","name":"line_coverage"}
        cp .measured/results/*/coverage.cobertura.xml .measured/coverage.xml
        guard: dotnet test -v q --nologo
    Make the tests faster: {"direction":"lower","name":"test_ms"}
        dotnet test -v q --nologo
        guard: dotnet test -v q --nologo
    Lower the time of a whole build: {"direction":"lower","name":"build_ms"}
        dotnet build --no-incremental --no-restore -v q --nologo
        guard: dotnet test -v q --nologo
    "#);
    let elixir = [
        ("mix.exs", "{:credo, \"~> 1\"}, {:excoveralls, \"x\"}"),
        ("lib/a.ex", "x"),
        ("test/a_test.exs", "x"),
    ];
    insta::assert_snapshot!(describe(&elixir, "mix", ""), @r#"
    Correct what Credo reports: {"direction":"lower","name":"credo_issues","target":0}
        mix credo --strict --format oneline --mute-exit-status > .measured/credo.txt
        guard: mix test
    Raise the line coverage: {"direction":"higher","name":"line_coverage"}
        MIX_ENV=test mix coveralls.lcov --output-dir .measured
        guard: mix test
    Make the tests faster: {"direction":"lower","name":"test_ms"}
        mix test
        guard: mix test
    "#);
    let swift = [
        ("Package.swift", "x"),
        ("Sources/A/a.swift", "let a = b!.c"),
        ("Tests/ATests/a.swift", "x"),
    ];
    insta::assert_snapshot!(describe(&swift, "swift", ""), @r#"
    Fix what the compiler warns of: {"direction":"lower","name":"compiler_warnings","target":0}
        swift build --build-path .measured/build > .measured/build.txt 2>&1
        guard: swift test -q
    Raise the line coverage: {"direction":"higher","name":"line_coverage"}
        cp "$(swift test --show-codecov-path)" .measured/coverage.json
        guard: swift test -q
    Make the tests faster: {"direction":"lower","name":"test_ms"}
        swift test -q
        guard: swift test -q
    Lower the time of a clean build: {"direction":"lower","name":"build_ms"}
        swift build -q --build-path .measured/clean
        guard: swift test -q
    Get rid of force unwraps: {"direction":"lower","name":"force_unwraps","target":0}
        [A-Za-z0-9_)\]]!(?:[.\[(,)\s]|$)|\btry!|\bas!
        guard: swift test -q
    "#);
}

#[test]
fn shell_scripts_need_no_manifest() {
    let files = [
        ("install.sh", "# shellcheck disable=SC2086"),
        ("lib/a.sh", "x"),
        ("test/a.bats", "x"),
    ];
    insta::assert_snapshot!(describe(&files, "bash bats shellcheck", ""), @r#"
    Fix what ShellCheck finds: {"direction":"lower","name":"shellcheck_findings","target":0}
        xargs -0 sh -c 'for f; do shift; [ ! -f "$f" ] || set -- "$@" "./$f"; done; [ $# -eq 0 ] || exec shellcheck -f gcc "$@"' sh < .measured/files > .measured/shellcheck.txt || status=$?
        guard: xargs -0 sh -c 'for f; do shift; [ ! -f "$f" ] || set -- "$@" "./$f"; done; [ $# -eq 0 ] || exec bats "$@"' sh < .measured/bats
    Make the tests faster: {"direction":"lower","name":"test_ms"}
        xargs -0 sh -c 'for f; do shift; [ ! -f "$f" ] || set -- "$@" "./$f"; done; [ $# -eq 0 ] || exec bats "$@"' sh < .measured/bats
        guard: xargs -0 sh -c 'for f; do shift; [ ! -f "$f" ] || set -- "$@" "./$f"; done; [ $# -eq 0 ] || exec bats "$@"' sh < .measured/bats
    Fix what is suppressed by comments: {"direction":"lower","name":"suppressions","target":0}
        shellcheck disable
        guard: xargs -0 sh -c 'for f; do shift; [ ! -f "$f" ] || set -- "$@" "./$f"; done; [ $# -eq 0 ] || exec bats "$@"' sh < .measured/bats
    "#);
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn a_sentence_chooses_what_is_proposed() {
    for (sentence, files, programs, first) in [
        (
            "get rid of the `any` types",
            NODE,
            "node npm npx",
            "Get rid of the any types",
        ),
        (
            "remove every as any",
            NODE,
            "node npm npx",
            "Get rid of the any types",
        ),
        (
            "raise coverage to 80 %",
            PYTHON,
            "python3",
            "Raise the line coverage",
        ),
        (
            "fix the failing tests",
            RUST,
            "cargo",
            "Make every test pass",
        ),
        (
            "the tests are flaky",
            GO,
            "go",
            "Make the tests pass in every run",
        ),
        (
            "make parse faster",
            RUST,
            "cargo",
            "Make the benchmark parse faster",
        ),
        ("make it faster", PYTHON, "python3", "Make bench.py faster"),
        (
            "shrink the binary below 10 MB",
            RUST,
            "cargo",
            "Shrink the release binary tool",
        ),
        (
            "use less memory",
            PYTHON,
            "python3",
            "Lower the memory of bench.py",
        ),
        (
            "get rid of the unwraps",
            RUST,
            "cargo",
            "Get rid of the unwrap calls",
        ),
        ("faster builds", GO, "go", "Lower the time of a build"),
    ] {
        let proposals = propose_configs(&make_survey(files, programs), &read_wish(sentence));
        let found = proposals
            .candidates
            .first()
            .map(|candidate| candidate.title.as_str());
        assert_eq!(found, Some(first), "{sentence}");
        assert_eq!(proposals.candidates[0].config["goal"], sentence);
    }
}

#[test]
fn a_word_that_a_table_counts_is_a_word_like_others_where_the_sentence_has_an_aim() {
    let c = &[
        ("CMakeLists.txt", "add_test(x)"),
        ("src/a.c", "malloc(new); TODO"),
    ][..];
    let python = &[("setup.py", "x"), ("app/a.py", "except: # TODO")][..];
    for (sentence, files, aim) in [
        ("fix any lint warnings", NODE, Some(Aim::Lint)),
        ("fix any lint warnings", GO, Some(Aim::Lint)),
        ("make git clone faster", RUST, Some(Aim::Speed)),
        (
            "raise coverage without any change to the tests",
            NODE,
            Some(Aim::Coverage),
        ),
        (
            "raise coverage without any change to the tests",
            GO,
            Some(Aim::Coverage),
        ),
        ("get rid of the `any` types", NODE, Some(Aim::Count)),
        ("fewer unwraps", RUST, Some(Aim::Count)),
        (
            "no `unwrap` in the build, and keep it fast",
            RUST,
            Some(Aim::Count),
        ),
        ("allow new users to log in", RUST, None),
        ("support a new protocol", c, None),
        ("clean up all modules except the old ones", python, None),
        ("no bare except", python, Some(Aim::Count)),
        ("get rid of malloc", c, Some(Aim::Count)),
    ] {
        let proposals = propose_configs(&make_survey(files, ""), &read_wish(sentence));
        assert_eq!(proposals.aim, aim, "{sentence}");
    }
}

#[test]
fn the_target_of_the_sentence_is_that_of_the_config() {
    for (sentence, target) in [
        ("raise coverage to 80 %", serde_json::json!(80)),
        ("raise coverage", serde_json::Value::Null),
        ("shrink the binary below 10 MB", serde_json::json!("10 MB")),
        (
            "shrink the binary and get rid of bloat",
            serde_json::Value::Null,
        ),
        ("cut unwraps to 12", serde_json::json!(12)),
        ("get rid of unwraps", serde_json::json!(0)),
    ] {
        let survey = make_survey(RUST, "cargo cargo-llvm-cov");
        let proposals = propose_configs(&survey, &read_wish(sentence));
        assert_eq!(
            proposals.candidates[0].config["metric"]["target"], target,
            "{sentence}"
        );
    }
}

#[test]
fn what_stands_between_backticks_is_counted_where_no_table_knows_it() {
    let mut survey = make_survey(RUST, "cargo");
    survey.is_counted = false;
    let proposals = propose_configs(&survey, &read_wish("get rid of `lazy_static!`"));
    let verify = &proposals.candidates[0].config["verify"]["count"];
    assert_eq!(verify["pattern"], r"\blazy_static!");
    let counted = count_quoted(&read_wish("no `a.b(` here")).unwrap();
    assert_eq!(counted.pattern, r"\ba\.b\(");
    assert!(count_quoted(&read_wish("nothing")).is_none());
}

#[test]
fn what_the_machine_lacks_is_never_proposed_and_is_named() {
    insta::assert_snapshot!(describe(RUST, "", "raise coverage"), @"not here: Raise the line coverage (cargo, cargo-llvm-cov)");
    insta::assert_snapshot!(describe(PYTHON, "python3", "fix the lint findings"), @"
    not here: Fix what flake8 finds (flake8)
    not here: Fix what ruff finds (ruff)
    ");
}

#[test]
fn nothing_is_proposed_where_nothing_is_left_to_count() {
    let files = [("Cargo.toml", "{}"), ("src/lib.rs", "fn f() {}")];
    assert_eq!(describe(&files, "cargo", "get rid of the unwraps"), "");
}

#[test]
fn a_repository_without_sources_suggests_nothing() {
    for files in [&[][..], &[("README.md", "x")], &[("package.json", "{}")]] {
        assert_eq!(describe(files, "node cargo", ""), "");
        assert_eq!(describe(files, "node cargo", "make it faster"), "");
    }
}

#[test]
fn in_a_monorepo_the_best_project_is_proposed_and_the_others_are_named() {
    let package = r#"{"devDependencies": {"typescript": "5"}}"#;
    let files = [
        ("packages/api/package.json", package),
        ("packages/api/tsconfig.json", "{}"),
        (
            "packages/api/src/a.ts",
            "let a: any; let b: any; let c: any;",
        ),
        ("packages/web/package.json", package),
        ("packages/web/tsconfig.json", "{}"),
        ("packages/web/src/a.ts", "let a: any"),
        ("packages/web/node_modules/.bin/tsc", ""),
        ("packages/api/node_modules/.bin/tsc", ""),
    ];
    insta::assert_snapshot!(describe(&files, "node npm npx", "get rid of the any types"), @r#"
    Get rid of the any types in packages/api: {"direction":"lower","name":"any_count","target":0}
        (?:[:<>,|&(=]|\bextends) *any\b|\bas any\b|\bas unknown as\b|@ts-(?:ignore|expect-error|nocheck)|eslint-disable
        guard: npx --no-install tsc --noEmit --incremental false
    "#);
    let first = |sentence: &str, here: &str| {
        let mut survey = make_survey(&files, "node npm npx");
        here.clone_into(&mut survey.here);
        let candidate = propose_configs(&survey, &read_wish(sentence))
            .candidates
            .remove(0);
        (candidate.folder, candidate.also)
    };
    assert_eq!(
        first("get rid of the any types", ""),
        ("packages/api".to_owned(), vec!["packages/web".to_owned()])
    );
    assert_eq!(
        first("get rid of the any types in web", "").0,
        "packages/web"
    );
    assert_eq!(
        first("get rid of the any types", "packages/web/src").0,
        "packages/web"
    );
}

#[test]
fn a_repository_full_of_projects_is_told_in_few_candidates() {
    let names: Vec<String> = (0..30)
        .flat_map(|at| [format!("p{at}/Cargo.toml"), format!("p{at}/src/main.rs")])
        .collect();
    let files: Vec<(&str, &str)> = names
        .iter()
        .map(|name| (name.as_str(), "x.unwrap()"))
        .collect();
    let proposals = propose_configs(&make_survey(&files, "cargo cargo-clippy"), &read_wish(""));
    assert!(proposals.candidates.len() <= MOST && proposals.not_here.len() <= MOST_NOT_HERE);
    assert_eq!(proposals.candidates[0].also.len(), 29);
}

#[test]
fn a_folder_is_no_other_folder_of_itself() {
    let package = r#"{"scripts": {"test": "node --test"}}"#;
    let files = [
        ("a/package.json", package),
        ("a/bench.js", "x"),
        ("b/package.json", package),
        ("b/bench.js", "x"),
    ];
    let survey = make_survey(&files, "node npm");
    let memory = &propose_configs(&survey, &read_wish("less memory")).candidates[0];
    assert_eq!(
        (memory.folder.as_str(), &memory.also),
        ("a", &vec!["b".to_owned()])
    );
}
