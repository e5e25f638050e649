//! `scan` and `init`: what a repository suggests, and that nothing of it is run to find out.
//!
//! Programs are stubs in a folder that is the whole `PATH`: whoever runs one leaves a mark.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::shown::assert_answer;
use crate::testbed::{Answer, Testbed, write_program};

/// A repository with these files, committed, and the folder of stubs.
struct Scene {
    bed: Testbed,
    bin: PathBuf,
}

fn find_git() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap();
    std::env::split_paths(&path)
        .map(|folder| folder.join("git"))
        .find(|file| file.is_file())
        .unwrap()
}

impl Scene {
    fn new(files: &[(&str, &str)], programs: &[&str]) -> Self {
        let scene = Self::uncommitted(files, programs);
        scene.bed.git(&["add", "-A"]);
        scene.bed.git(&["commit", "-qm", "first"]);
        scene
    }

    fn uncommitted(files: &[(&str, &str)], programs: &[&str]) -> Self {
        let bed = Testbed::bare();
        for (path, text) in files {
            bed.write(path, text);
        }
        let bin = bed.home.join("stubs");
        std::fs::create_dir(&bin).unwrap();
        std::os::unix::fs::symlink(find_git(), bin.join("git")).unwrap();
        let scene = Self { bed, bin };
        for program in programs {
            scene.put_program(&scene.bin.join(program));
        }
        scene
    }

    /// A program that leaves a mark when it runs.
    fn put_program(&self, path: &Path) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mark = self.mark();
        write_program(path, &format!("#!/bin/sh\n: > '{}'\n", mark.display()));
    }

    fn mark(&self) -> PathBuf {
        self.bed.home.join("something-ran")
    }

    fn ask(&self, arguments: &[&str]) -> Answer {
        self.ask_with_path(arguments, &self.bin.display().to_string())
    }

    fn ask_with_path(&self, arguments: &[&str], path: &str) -> Answer {
        let answer = self.bed.run_with(arguments, &[("PATH", path)]);
        assert!(!self.mark().exists(), "something ran: {answer:?}");
        answer
    }

    /// A scan as text, without what the machine is.
    fn scan(&self, sentence: &str) -> String {
        let answer = if sentence.is_empty() {
            self.ask(&["scan"])
        } else {
            self.ask(&["scan", "--goal", sentence])
        };
        let text = answer.ok().out;
        assert!(text.len() <= 1_600, "{}: {text}", text.len());
        let lines = text.lines().map(|line| match line.strip_prefix("machine") {
            Some(machine) => format!(
                "machine     <machine>; {}",
                machine.split("; ").last().unwrap()
            ),
            None => line.to_owned(),
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}

const RUST: &[(&str, &str)] = &[
    (
        "Cargo.toml",
        "[package]\nname = \"tool\"\nversion = \"0.1.0\"\n",
    ),
    ("Cargo.lock", "version = 4\n"),
    (".gitignore", "/target\n"),
    (
        "src/main.rs",
        "fn main() { std::env::args().next().unwrap(); }\n",
    ),
    ("tests/all.rs", "#[test]\nfn works() {}\n"),
    (".github/workflows/ci.yml", "on: push\n"),
];

#[test]
fn a_rust_repository() {
    let scene = Scene::new(RUST, &["cargo", "cargo-clippy"]);
    assert_answer!(scene.scan(""), @"
    repository  Rust (2 files); CI: .github/workflows/ci.yml
    machine     <machine>; programs: cargo, cargo-clippy
     1  Shrink the release binary tool
        binary_bytes: the tool counts the bytes of the release build, which are the same each time
     2  Make the tests faster
        test_ms: the tool times the tests from outside, after a run that builds them
     3  Lower the time of a clean build
        build_ms: each run builds from nothing, and the tool times it
     4  Fix what clippy finds -> 0
        clippy_findings: clippy repeats exactly, and code that does not build gives no number
     5  Get rid of the unwrap calls -> 0
        unwraps: 1 match in 1 file now; the tool counts them itself
    not here    Raise the line coverage; missing cargo-llvm-cov: cargo install cargo-llvm-cov
    next: autoresearch init writes candidate 1 as autoresearch.yaml (another: --candidate N), then autoresearch config try
    ");
}

const NODE: &[(&str, &str)] = &[
    (
        "package.json",
        r#"{"name": "web", "scripts": {"build": "vite build", "preinstall": "exit 1"}, "devDependencies": {"typescript": "5", "vitest": "3", "eslint": "9"}}"#,
    ),
    ("tsconfig.json", "{}"),
    (".gitignore", "node_modules/\ndist/\n"),
    (
        "src/a.ts",
        "export const a: any = 1;\nexport const b = a as any;\n",
    ),
    ("src/a.test.ts", "test('x', () => {});\n"),
];

/// A repository of TypeScript with its packages installed.
fn make_node_scene() -> Scene {
    let scene = Scene::new(NODE, &["node", "npx", "npm"]);
    for program in ["tsc", "vitest", "eslint"] {
        scene.put_program(&scene.bed.path(&format!("node_modules/.bin/{program}")));
    }
    scene
}

#[test]
fn a_typescript_repository_with_and_without_its_packages() {
    let scene = make_node_scene();
    assert_answer!(scene.scan(""), @"
    repository  TypeScript and JavaScript (2 files)
    machine     <machine>; programs: node, npm, npx
     1  Correct what ESLint reports -> 0
        eslint_problems: errors and warnings count alike; a trial that adds a disable comment is void
     2  Correct every type error -> 0
        type_errors: tsc repeats exactly; the tests show that the behaviour stays
     3  Raise the line coverage
        line_coverage: the tool reads the report itself; trials change tests alone. vitest needs @vitest/coverage-v8 for it
     4  Shrink what the build makes
        gzip_bytes: the tool packs and counts the files itself; a build is exact
     5  Make the tests faster
        test_ms: the tool times the tests from outside
        3 more with --json
    next: autoresearch init writes candidate 1 as autoresearch.yaml (another: --candidate N), then autoresearch config try
    ");
    assert_answer!(scene.scan("get rid of the `any` types"), @"
    repository  TypeScript and JavaScript (2 files)
    machine     <machine>; programs: node, npm, npx
     1  Get rid of the any types -> 0
        any_count: 2 matches in 1 file now; the tool counts them itself
    next: autoresearch init --goal 'get rid of the `any` types' writes candidate 1 as autoresearch.yaml, then autoresearch config try
    ");
    std::fs::remove_dir_all(scene.bed.path("node_modules")).unwrap();
    assert_answer!(scene.scan("fix the type errors"), @"
    repository  TypeScript and JavaScript (2 files)
    machine     <machine>; programs: node, npm, npx
    Nothing that fits can run here.
    not here    Correct every type error; missing tsc, vitest: install the packages of the project (npm ci, pnpm install, y…
    next: get what is missing (tsc, vitest: install the packages of the project (npm ci, pnpm install, yarn)), then scan again
    ");
}

#[test]
fn a_python_repository() {
    let scene = Scene::new(
        &[
            (
                "pyproject.toml",
                "[project]\nname = \"app\"\nversion = \"1\"\n[tool.ruff]\nline-length = 100\n",
            ),
            (
                "app/core.py",
                "from typing import Any\n\n\ndef f(a: Any) -> Any:\n    return a\n",
            ),
            ("tests/test_core.py", "def test_f():\n    pass\n"),
            ("bench.py", "print(1)\n"),
        ],
        &["python3", "pytest", "ruff", "coverage"],
    );
    assert_answer!(scene.scan(""), @"
    repository  Python (3 files)
    machine     <machine>; programs: coverage, pytest, python3, ruff
     1  Make bench.py faster
        script_ms: the tool times it from outside: right where the script does a fixed amount of work
     2  Fix what ruff finds -> 0
        ruff_findings: ruff repeats exactly; a trial that adds a noqa comment is void
     3  Raise the line coverage
        line_coverage: the tool reads the report itself; trials change tests alone
     4  Make the tests faster
        test_ms: the tool times the tests from outside
     5  Lower the memory of bench.py
        peak_bytes: the tool reads the peak from the system
        1 more with --json
    not here    Correct every error that mypy reports; missing mypy: python3 -m pip install mypy
    next: autoresearch init writes candidate 1 as autoresearch.yaml (another: --candidate N), then autoresearch config try
    ");
    assert_answer!(scene.scan("raise my coverage to 80 %"), @"
    repository  Python (3 files)
    machine     <machine>; programs: coverage, pytest, python3, ruff
     1  Raise the line coverage -> 80
        line_coverage: the tool reads the report itself; trials change tests alone
    next: autoresearch init --goal 'raise my coverage to 80 %' writes candidate 1 as autoresearch.yaml, then autoresearch config try
    ");
}

#[test]
fn a_go_repository() {
    let scene = Scene::new(
        &[
            ("go.mod", "module example.org/app\n"),
            ("cmd/app/main.go", "package main\n\nfunc main() {}\n"),
            ("parser/parser.go", "package parser\n"),
            (
                "parser/parser_test.go",
                "package parser\n\nfunc BenchmarkParse(b *testing.B) {}\n",
            ),
        ],
        &["go"],
    );
    assert_answer!(scene.scan(""), @"
    repository  Go (3 files)
    machine     <machine>; programs: go
     1  Make the benchmarks faster
        bench_ms: each benchmark runs 20 times, so the time from outside is that of a fixed amount of work
     2  Fix what go vet finds -> 0
        vet_findings: go vet repeats exactly; code that does not build gives no number
     3  Raise the coverage
        coverage: the tool reads the profile itself; trials change tests alone
     4  Shrink the binary of ./cmd/app
        binary_bytes: the tool counts the bytes; without the commit in it a build is the same each time
     5  Make the tests faster
        test_ms: the tool times the tests from outside, after a run that builds them
        1 more with --json
    not here    Fix what golangci-lint finds; missing golangci-lint: install golangci-lint
    next: autoresearch init writes candidate 1 as autoresearch.yaml (another: --candidate N), then autoresearch config try
    ");
}

#[test]
fn java_c_and_shell_repositories() {
    let java = Scene::new(
        &[
            ("pom.xml", "<project/>\n"),
            ("src/main/java/A.java", "class A {}\n"),
            ("src/test/java/ATest.java", "class ATest {}\n"),
        ],
        &["java", "mvn"],
    );
    assert_answer!(java.scan(""), @"
    repository  Java (2 files)
    machine     <machine>; programs: java, mvn
     1  Fix what the compiler warns of -> 0
        compiler_warnings: a clean build repeats exactly; code that does not build gives no number
     2  Shrink the jar
        jar_bytes: the tool counts the bytes of the jar
     3  Make the tests faster
        test_ms: the tool times the tests from outside
     4  Lower the time of a clean build
        build_ms: each run builds from nothing, and the tool times it
    next: autoresearch init writes candidate 1 as autoresearch.yaml (another: --candidate N), then autoresearch config try
    ");
    let cmake = Scene::new(
        &[
            (
                "CMakeLists.txt",
                "add_executable(app src/a.c)\nadd_test(NAME t COMMAND app)\n",
            ),
            ("src/a.c", "int main(void) { return 0; } // TODO\n"),
        ],
        &["cmake", "ctest"],
    );
    assert_answer!(cmake.scan(""), @"
    repository  C and C++ (1 file)
    machine     <machine>; programs: cmake, ctest
     1  Fix what the compiler warns of -> 0
        compiler_warnings: a clean build repeats exactly; code that does not build gives no number
     2  Shrink the program app
        binary_bytes: the tool counts the bytes of the release build
     3  Make the tests faster
        test_ms: the tool times the tests from outside, after a run that builds them
     4  Lower the time of a clean build
        build_ms: each run builds from nothing, and the tool times it
     5  Resolve every TODO -> 0
        todos: 1 match in 1 file now; the tool counts them itself
    next: autoresearch init writes candidate 1 as autoresearch.yaml (another: --candidate N), then autoresearch config try
    ");
    let shell = Scene::new(
        &[
            ("install.sh", "#!/bin/sh\necho $1\n"),
            ("test/install.bats", "@test x {\n}\n"),
        ],
        &["bash", "bats"],
    );
    assert_answer!(shell.scan(""), @"
    repository  Shell (2 files)
    machine     <machine>; programs: bash, bats
     1  Make the tests faster
        test_ms: the tool times the tests from outside
    not here    Fix what ShellCheck finds; missing shellcheck: install ShellCheck
    next: autoresearch init writes candidate 1 as autoresearch.yaml, then autoresearch config try
    ");
}

#[test]
fn ruby_php_dotnet_elixir_and_swift_repositories() {
    for (files, programs, first) in [
        (
            &[
                ("Gemfile", "gem 'rubocop'\n"),
                ("lib/a.rb", "x\n"),
                ("spec/a_spec.rb", "x\n"),
            ][..],
            &["ruby", "bundle"][..],
            "Correct what RuboCop reports",
        ),
        (
            &[("composer.json", "{}"), ("src/A.php", "<?php // TODO\n")],
            &["php"],
            "",
        ),
        (
            &[("App.sln", ""), ("App/A.cs", "class A {}\n")],
            &["dotnet"],
            "Fix what the compiler warns of",
        ),
        (
            &[("mix.exs", "x\n"), ("lib/a.ex", "x\n")],
            &["mix"],
            "Fix what the compiler warns of",
        ),
        (
            &[("Package.swift", "x\n"), ("Sources/a.swift", "let a = 1\n")],
            &["swift"],
            "Fix what the compiler warns of",
        ),
    ] {
        let scene = Scene::new(files, programs);
        let report = scene.ask(&["scan", "--json"]).ok().json();
        let title = report["candidates"][0]["title"]
            .as_str()
            .unwrap_or_default();
        assert_eq!(title, first, "{report:#}");
    }
}

#[test]
fn an_empty_repository_suggests_nothing_and_has_no_config_to_write() {
    let scene = Scene::uncommitted(&[], &["cargo"]);
    assert_answer!(scene.scan(""), @"
    repository  0 files, none in a language that is known
    machine     <machine>; programs: cargo
    Nothing that fits can run here.
    next: write a config by hand: autoresearch config example lists some to start from
    ");
    assert_answer!(scene.ask(&["init"]), @"
    exit code 4
    --- stderr
    error: nothing in this repository suggests a config
    hint: write one by hand: `autoresearch config example` lists some to start from
    ");
    assert!(!scene.bed.path("autoresearch.yaml").exists());
}

#[test]
fn outside_a_repository_it_says_so() {
    let scene = Scene::uncommitted(&[], &[]);
    let outside = scene.bed.home.join("elsewhere");
    std::fs::create_dir(&outside).unwrap();
    let answer = scene.ask(&["-C", outside.to_str().unwrap(), "scan"]);
    assert_answer!(answer, @"
    exit code 6
    --- stderr
    error: the repository cannot be used
    caused by: <bed>/home/elsewhere is not inside a git repository
    hint: run this inside a git repository, or name one with -C; `git init` makes one
    ");
}

#[test]
fn a_monorepo_is_asked_from_a_folder_or_by_its_name() {
    let package = r#"{"devDependencies": {"typescript": "5"}}"#;
    let scene = Scene::new(
        &[
            ("Cargo.toml", "[workspace]\nmembers = [\"crates/*\"]\n"),
            ("crates/core/Cargo.toml", "[package]\nname = \"core\"\n"),
            (
                "crates/core/src/lib.rs",
                "pub fn f() { None::<u8>.unwrap(); }\n",
            ),
            ("packages/api/package.json", package),
            (
                "packages/api/src/a.ts",
                "let a: any; let b: any; let c: any;\n",
            ),
            ("packages/web/package.json", package),
            ("packages/web/src/a.ts", "let a: any;\n"),
        ],
        &["cargo", "cargo-clippy", "node", "npm", "npx"],
    );
    assert_answer!(scene.scan(""), @"
    repository  TypeScript and JavaScript (2 files), Rust (1 file)
    machine     <machine>; programs: cargo, cargo-clippy, node, npm, npx
     1  Fix what clippy finds -> 0 (also in crates/core)
        clippy_findings: clippy repeats exactly, and code that does not build gives no number
     2  Make the tests faster (also in crates/core)
        test_ms: the tool times the tests from outside, after a run that builds them
     3  Lower the time of a clean build (also in crates/core)
        build_ms: each run builds from nothing, and the tool times it
     4  Get rid of the unwrap calls -> 0 (also in crates/core)
        unwraps: 1 match in 1 file now; the tool counts them itself
     5  Get rid of the any types in packages/api -> 0 (also in packages/web)
        any_count: 3 matches in 1 file now; the tool counts them itself
    not here    Raise the line coverage; missing cargo-llvm-cov: cargo install cargo-llvm-cov
    next: autoresearch init writes candidate 1 as autoresearch.yaml (another: --candidate N), then autoresearch config try
    ");
    assert_answer!(scene.scan("get rid of the any types in packages/web"), @"
    repository  TypeScript and JavaScript (2 files), Rust (1 file)
    machine     <machine>; programs: cargo, cargo-clippy, node, npm, npx
     1  Get rid of the any types in packages/web -> 0 (also in packages/api)
        any_count: 1 match in 1 file now; the tool counts them itself
    next: autoresearch init --goal 'get rid of the any types in packages/web' writes candidate 1 as autoresearch.yaml, then autoresearch config try
    ");
    let web = scene.bed.path("packages/web");
    let report = scene
        .ask(&[
            "-C",
            web.to_str().unwrap(),
            "scan",
            "--goal",
            "any types",
            "--json",
        ])
        .ok()
        .json();
    assert_eq!(report["candidates"][0]["folder"], "packages/web");
}

#[test]
fn a_config_is_written_once_and_passes_the_check() {
    let scene = make_node_scene();
    assert_answer!(scene.ask(&["init", "--goal", "get rid of the `any` types"]), @"
    wrote autoresearch.yaml: Get rid of the any types
    next: read it, then autoresearch config try, then autoresearch start
    ");
    assert_answer!(scene.bed.read("autoresearch.yaml"), @r#"
    # Proposed by `autoresearch scan`. Change what you like, then: autoresearch config try
    # Why: 2 matches in 1 file now; the tool counts them itself
    goal: 'get rid of the `any` types'

    # What a trial may change.
    scope:
      - 'src/**/*.ts'
      - '!src/**/*.{test,spec}.*'

    # What no trial may change: tests and settings are the yardstick.
    protect:
      - 'src/**/*.{test,spec}.*'
      - '/package.json'
      - '/tsconfig*.json'

    metric:
      name: any_count
      direction: lower
      target: 0

    # How the number is made.
    verify:
      count:
        pattern: '(?:[:<>,|&(=]|\bextends) *any\b|\bas any\b|\bas unknown as\b|@ts-(?:ignore|expect-error|nocheck)|eslint-disable'
        files:
          - 'src/**/*.ts'
          - '!src/**/*.{test,spec}.*'

    # Must pass before a trial is kept.
    guard:
      command: 'CI=1 npx --no-install vitest run'
      timeout: 15m

    # Must hold besides: fewer files, lines or tests are no better program.
    keep_when:
      - {metric: files, direction: higher, op: not-worse}

    iterations: 40
    time_limit: 8h

    # To go on working in these files meanwhile, let the run work in a separate tree:
    # isolation: worktree
    # link:
    #   - '/node_modules'
    "#);
    assert_answer!(scene.ask(&["config", "check"]), @"autoresearch.yaml: no problems");
    assert_answer!(scene.ask(&["init"]), @"
    exit code 4
    --- stderr
    error: autoresearch.yaml exists already
    hint: nothing was written. Look at it with `autoresearch config check`, or move it away and call this again
    ");
    let before = scene.bed.read("autoresearch.yaml");
    assert_eq!(scene.ask(&["init", "--candidate", "2", "--json"]).code, 4);
    assert_eq!(scene.bed.read("autoresearch.yaml"), before);
}

#[test]
fn another_candidate_is_written_by_its_number_and_one_that_is_not_there_is_refused() {
    let scene = make_node_scene();
    assert_answer!(scene.ask(&["init", "--candidate", "9"]), @"
    exit code 2
    --- stderr
    error: there is no candidate 9; the scan has 8 candidates
    hint: `autoresearch scan` with the same goal lists them
    ");
    let report = scene
        .ask(&["init", "--candidate", "3", "--json"])
        .ok()
        .json();
    assert_eq!(report["candidate"]["title"], "Raise the line coverage");
    assert!(
        scene
            .bed
            .read("autoresearch.yaml")
            .contains(".measured/coverage/lcov.info")
    );
    scene.ask(&["config", "check"]).ok();
}

#[test]
fn a_config_for_what_cannot_run_here_is_not_written() {
    let scene = Scene::new(RUST, &["cargo"]);
    assert_answer!(scene.ask(&["init", "--goal", "raise coverage"]), @"
    exit code 6
    --- stderr
    error: nothing that fits can run here: Raise the line coverage is not possible
    hint: cargo-llvm-cov: cargo install cargo-llvm-cov
    ");
    assert!(!scene.bed.path("autoresearch.yaml").exists());
}

#[test]
fn a_goal_that_fits_nothing_is_told_so_and_led_to_what_does() {
    let scene = Scene::new(RUST, &["cargo", "cargo-clippy"]);
    assert_answer!(scene.scan("use less memory"), @"
    repository  Rust (2 files); CI: .github/workflows/ci.yml
    machine     <machine>; programs: cargo, cargo-clippy
    Nothing here fits this goal.
    next: autoresearch scan without --goal lists what this repository suggests
    ");
    assert_answer!(scene.ask(&["init", "--goal", "use less memory"]), @"
    exit code 4
    --- stderr
    error: nothing in this repository fits this goal
    hint: `autoresearch scan` without --goal lists what it suggests
    ");
    assert!(!scene.bed.path("autoresearch.yaml").exists());
}

#[test]
fn a_config_of_a_link_that_leads_nowhere_is_not_written_through() {
    let scene = Scene::new(RUST, &["cargo", "cargo-clippy"]);
    let outside = scene.bed.home.join("target.yaml");
    std::os::unix::fs::symlink(&outside, scene.bed.path("autoresearch.yaml")).unwrap();
    assert_eq!(scene.ask(&["init"]).code, 4);
    assert!(!outside.exists());
}

#[test]
fn every_candidate_of_a_scan_is_a_config_that_the_program_accepts() {
    let scene = make_node_scene();
    let mut checked = 0;
    for sentence in [
        "",
        "coverage to 80 %",
        "flaky tests",
        "failing tests",
        "type errors",
        "lint",
        "faster tests",
        "faster build",
        "smaller bundle below 100 kB",
        "less memory",
    ] {
        let report = scene
            .ask(&["scan", "--goal", sentence, "--json"])
            .ok()
            .json();
        for candidate in report["candidates"].as_array().unwrap() {
            let file = scene.bed.home.join("candidate.yaml");
            std::fs::write(&file, candidate["config"].to_string()).unwrap();
            scene.ask(&["config", "check", file.to_str().unwrap()]).ok();
            checked += 1;
        }
    }
    assert!(checked > 12, "{checked}");
}

#[test]
fn nothing_of_the_repository_runs_whatever_it_brings() {
    let scene = make_node_scene();
    let bed = &scene.bed;
    let mark = scene.mark().display().to_string();
    for hook in ["pre-commit", "post-index-change", "fsmonitor-watchman"] {
        scene.put_program(&bed.path(&format!(".git/hooks/{hook}")));
    }
    bed.git(&["config", "core.fsmonitor", &format!("touch {mark}")]);
    bed.git(&["config", "filter.evil.clean", &format!("touch {mark}")]);
    bed.git(&["config", "filter.evil.smudge", &format!("touch {mark}")]);
    bed.git(&["config", "diff.external", &format!("touch {mark}")]);
    bed.write(".gitattributes", "* filter=evil diff=evil\n");
    bed.write("src/a.ts", "export const changed: any = 2;\n");
    bed.write("build.rs", "fn main() {}\n");
    bed.write("Makefile", &format!("X := $(shell touch {mark})\nall:\n"));
    bed.write("mvnw", "#!/bin/sh\n");
    // Programs that the repository put on PATH do not count.
    for program in ["cargo", "go", "python3", "pytest"] {
        scene.put_program(&bed.path(&format!("bin/{program}")));
    }
    bed.write("main.go", "package main\n");
    bed.write("go.mod", "module x\n");
    let path = format!("{}:{}", bed.path("bin").display(), scene.bin.display());
    let report = scene.ask_with_path(&["scan", "--json"], &path).ok().json();
    let programs: Vec<&str> = report["machine"]["programs"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert_eq!(programs, ["node", "npm", "npx"]);
    let go = |candidate: &Value| candidate["stack"] == "Go" && candidate["aim"] != "count";
    assert!(!report["candidates"].as_array().unwrap().iter().any(go));
    scene.ask_with_path(&["init"], &path).ok();
}

#[test]
fn what_git_does_not_track_is_no_source_unless_nothing_is_tracked() {
    let scene = Scene::new(
        &[
            ("pyproject.toml", "[project]\nname = \"shop\"\n"),
            ("shop/a.py", "x = 1\n"),
        ],
        &["python3", "ruff"],
    );
    scene
        .bed
        .write("env/lib/package.py", "from typing import Any\nx: Any\n");
    let told = scene.ask(&["init", "--goal", "fix the lint"]).ok();
    assert!(told.out.contains("ruff"), "{told:?}");
    let config = scene.bed.read("autoresearch.yaml");
    assert!(
        config.contains(" shop ") && !config.contains("env/lib"),
        "{config}"
    );
    let fresh = Scene::uncommitted(&[("shop/a.py", "x = 1\n")], &["python3", "ruff"]);
    let told = fresh.scan("fix the lint");
    assert!(told.contains("Fix what ruff finds"), "{told}");
}

#[test]
fn hostile_names_are_quoted_in_commands_and_left_out_where_they_cannot_be_shown() {
    let folder = "a'; touch pwned; '[x] {b}";
    let package = r#"{"name": "x; rm -rf", "scripts": {"build": "x"}, "devDependencies": {"typescript": "5", "vitest": "3"}}"#;
    let scene = Scene::new(
        &[
            (&format!("{folder}/package.json"), package),
            (&format!("{folder}/src/a.ts"), "let a: any;\n"),
            (&format!("{folder}/$(touch pwned).js"), "1\n"),
            ("evil\u{1b}[31m/package.json", package),
            ("evil\u{1b}[31m/src/a.ts", "let a: any;\n"),
            ("new\nline/go.mod", "module x\n"),
            ("new\nline/a.go", "package x\n"),
        ],
        &["node", "npx", "go", "vitest"],
    );
    let text = scene.scan("get rid of the any types");
    assert!(!text.contains('\u{1b}'), "{text:?}");
    assert_answer!(text, @"
    repository  TypeScript and JavaScript (2 files); 4 files left out for unusual names
    machine     <machine>; programs: go, node, npx, vitest
     1  Get rid of the any types in a'; touch pwned; '[x] {b} -> 0
        any_count: 1 match in 1 file now; the tool counts them itself
    next: autoresearch init --goal 'get rid of the any types' writes candidate 1 as autoresearch.yaml, then autoresearch config try
    ");
    scene
        .ask(&["init", "--goal", "get rid of the any types"])
        .ok();
    assert_answer!(scene.bed.read("autoresearch.yaml"), @r#"
    # Proposed by `autoresearch scan`. Change what you like, then: autoresearch config try
    # Why: 1 match in 1 file now; the tool counts them itself
    goal: get rid of the any types

    # What a trial may change.
    scope:
      - 'a''; touch pwned; ''\[x\] \{b\}/src/**/*.{ts,js}'
      - 'a''; touch pwned; ''\[x\] \{b\}/*.{ts,js}'

    # What no trial may change: tests and settings are the yardstick.
    protect:
      - 'a''; touch pwned; ''\[x\] \{b\}/package.json'

    metric:
      name: any_count
      direction: lower
      target: 0

    # How the number is made.
    verify:
      count:
        pattern: '(?:[:<>,|&(=]|\bextends) *any\b|\bas any\b|\bas unknown as\b|@ts-(?:ignore|expect-error|nocheck)|eslint-disable'
        files:
          - 'a''; touch pwned; ''\[x\] \{b\}/src/**/*.{ts,js}'
          - 'a''; touch pwned; ''\[x\] \{b\}/*.{ts,js}'

    # Must pass before a trial is kept.
    guard:
      command: 'CI=1 npx --no-install vitest run'
      timeout: 15m
      working_directory: 'a''; touch pwned; ''[x] {b}'

    # Must hold besides: fewer files, lines or tests are no better program.
    keep_when:
      - {metric: files, direction: higher, op: not-worse}

    iterations: 40
    time_limit: 8h

    # To go on working in these files meanwhile, let the run work in a separate tree:
    # isolation: worktree
    "#);
    assert_answer!(scene.ask(&["config", "check"]), @"autoresearch.yaml: no problems");
    assert!(!scene.bed.path("pwned").exists());
}

#[test]
fn a_repository_of_twenty_thousand_files_is_looked_at_whole() {
    let scene = Scene::uncommitted(RUST, &["cargo", "cargo-clippy"]);
    for folder in 0..200 {
        std::fs::create_dir_all(scene.bed.path(&format!("src/m{folder}"))).unwrap();
        for file in 0..100 {
            std::fs::write(
                scene.bed.path(&format!("src/m{folder}/f{file}.rs")),
                "x.unwrap();\n",
            )
            .unwrap();
        }
    }
    let report = scene
        .ask(&["scan", "--goal", "unwraps", "--json"])
        .ok()
        .json();
    assert_eq!(report["candidates"][0]["today"], 20_001);
    assert_eq!(report["files"], 20_006);
}
