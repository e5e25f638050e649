//! `fix check`: what is broken in small real projects, each kind in turn, and the config that is written for it.

use std::path::{Path, PathBuf};

use crate::shown::assert_answer;
use crate::testbed::{Answer, Testbed, processes_with, wait_until, write_program};

/// A repository with these files, committed.
pub(crate) fn project(files: &[(&str, &str)]) -> Testbed {
    let bed = Testbed::bare();
    for (path, text) in files {
        bed.write(path, text);
    }
    bed.git(&["add", "-A"]);
    bed.git(&["commit", "-qm", "first"]);
    bed
}

/// The path on which cargo and the compiler come first; the tests were built by them.
pub(crate) fn path_with_cargo() -> String {
    let programs = Path::new(env!("CARGO")).parent().unwrap();
    format!("{}:{}", programs.display(), std::env::var("PATH").unwrap())
}

pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap();
    let mut found = std::env::split_paths(&path).map(|folder| folder.join(name));
    found.find(|file| file.is_file())
}

/// An answer without how long each check took.
pub(crate) fn hide_spans(answer: &Answer) -> String {
    let text = answer.to_string();
    let mut parts = text.split('(');
    let mut shown = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let inside = part.split(')').next().unwrap_or_default();
        let is_span = inside.starts_with(|letter: char| letter.is_ascii_digit())
            && inside.ends_with(['s', 'm', 'h'])
            && !inside.contains(' ');
        shown.push('(');
        shown += &if is_span {
            part.replacen(inside, "<span>", 1)
        } else {
            part.to_owned()
        };
    }
    shown
}

fn check(bed: &Testbed, more: &[&str]) -> String {
    check_on(bed, more, &path_with_cargo())
}

fn check_on(bed: &Testbed, more: &[&str], path: &str) -> String {
    let arguments = [&["fix", "check"], more].concat();
    hide_spans(&bed.run_with(&arguments, &[("PATH", path)]))
}

/// The same without the words of a compiler or a shell, which differ from one version to the next.
fn check_without_words(bed: &Testbed, more: &[&str]) -> String {
    hide_words(&check(bed, more))
}

pub(crate) fn hide_words(text: &str) -> String {
    // One xargs tells with 123 that a program failed, another with 1.
    let text = text.replace("exit status 123", "exit status 1");
    let lines = text.lines().map(|line| {
        let known = [": error: ", ": warning: ", ": note: ", ": syntax error"];
        let at = known.iter().find_map(|known| line.find(known));
        match at.filter(|_| line.starts_with(' ')) {
            Some(at) => {
                let place: Vec<&str> = line[..at].split(':').take(2).collect();
                format!("{}: <said>", place.join(":"))
            }
            None => line.to_owned(),
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

const MAKEFILE: &str = "CFLAGS = -Wall\n\nprogram: main.o sum.o\n\t$(CC) -o program main.o sum.o\n\ntest: program\n\t./program\n";
const MAIN: &str = "int sum(int, int);\nint main(void) { return sum(1, 2) == 3 ? 0 : 1; }\n";
const SUM: &str = "int sum(int a, int b) { return a + b; }\n";

fn c_project(sum: &str) -> Testbed {
    project(&[
        ("Makefile", MAKEFILE),
        ("main.c", MAIN),
        ("sum.c", sum),
        (".gitignore", "*.o\n/program\n"),
    ])
}

#[test]
fn a_build_that_is_broken_comes_first_and_its_errors_are_counted() {
    let bed = c_project("int sum(int a, int b) { return a + c; }\nint one(void) { return d; }\n");
    assert_answer!(check_without_words(&bed, &[]), @"
    project     C and C++ (Make) in .
    build       fails (<span>)  make -s program
                exit status 2
    tests       fails (<span>)  make -s test
                exit status 2
    lint        fails (<span>)  make -B program > .measured/lint.txt 2>&1; if grep -E ':[0-9]+:[0-9]+: warning: ' .m…
                exit status 2
    count       build_errors is 2
                sum.c:1: <said>
                sum.c:2: <said>
    next: autoresearch fix check --write writes autoresearch.yaml: build_errors 2 -> 0
    ");
    assert_answer!(bed.git(&["status", "--short"]), @"");
    assert_answer!(check_without_words(&bed, &["--write"]), @"
    project     C and C++ (Make) in .
    build       fails (<span>)  make -s program
                exit status 2
    tests       fails (<span>)  make -s test
                exit status 2
    lint        fails (<span>)  make -B program > .measured/lint.txt 2>&1; if grep -E ':[0-9]+:[0-9]+: warning: ' .m…
                exit status 2
    count       build_errors is 2
                sum.c:1: <said>
                sum.c:2: <said>
    wrote       autoresearch.yaml
    not in it   tests, lint: no guard holds what is broken already, so look that it gets no worse
    next: read it, then autoresearch config try, then autoresearch start; at zero move it away and call autoresearch fix check --write for tests, then lint
    ");
    assert_answer!(bed.read("autoresearch.yaml"), @"
    # Proposed by `autoresearch fix check`. Change what you like, then: autoresearch config try
    # Why: counts the errors that the compiler reports; a build that fails without one gives no number
    goal: Make it build
    mode: fix

    # What a trial may change.
    scope:
      - '/*.c'

    # What no trial may change: tests and settings are the yardstick.
    protect:
      - '/Makefile'

    metric:
      name: build_errors
      direction: lower
      target: 0

    # How the number is made.
    verify:
      count:
        pattern: ': (?:fatal )?error: |: undefined reference to '
        files:
          - '.measured/errors.txt'
      command: |
        set -eu
        mkdir -p .measured
        echo '*' > .measured/.gitignore
        LC_ALL=C make -k program > .measured/errors.txt 2>&1 || grep -qE ': (fatal )?error: |: undefined reference to ' .measured/errors.txt
      timeout: 15m

    iterations: 40
    time_limit: 8h

    # To go on working in these files meanwhile, let the run work in a separate tree:
    # isolation: worktree
    ");
    // A config that is there is nobody's to overwrite, and nothing is run before that is said.
    assert_answer!(check_without_words(&bed, &["--write"]), @"
    exit code 4
    --- stderr
    error: autoresearch.yaml exists already
    hint: nothing was written. Look at it with `autoresearch config check`, or move it away and call this again
    ");
}

#[test]
fn tests_that_fail_are_next_and_what_passes_guards_them() {
    let bed = c_project("int sum(int a, int b) { int unused; return a - b; }\n");
    assert_answer!(check(&bed, &["--write"]), @"
    project     C and C++ (Make) in .
    build       passes (<span>)  make -s program
    tests       fails (<span>)  make -s test
                exit status 2
                | make: *** [Makefile:7: test] Error 1
    lint        fails (<span>)  make -B program > .measured/lint.txt 2>&1; if grep -E ':[0-9]+:[0-9]+: warning: ' .m…
                exit status 1
    count       failed_runs is 2 of 2 runs, by the exit status: nothing here counts what it finds
    wrote       autoresearch.yaml
    not in it   lint: no guard holds what is broken already, so look that it gets no worse
    next: read it, then autoresearch config try, then autoresearch start; at zero move it away and call autoresearch fix check --write for lint
    ");
    assert_answer!(bed.read("autoresearch.yaml"), @"
    # Proposed by `autoresearch fix check`. Change what you like, then: autoresearch config try
    # Why: nothing counts what it finds, so the runs of it that fail are the number
    goal: Make the tests pass
    mode: fix

    # What a trial may change.
    scope:
      - '/*.c'

    # What no trial may change: tests and settings are the yardstick.
    protect:
      - '/Makefile'

    metric:
      name: failed_runs
      direction: lower
      target: 0

    # How the number is made.
    verify:
      exit_rate: make -s test
      runs: 2
      timeout: 15m

    # Must pass before a trial is kept.
    guard:
      command: make -s program
      timeout: 15m

    iterations: 40
    time_limit: 8h

    # To go on working in these files meanwhile, let the run work in a separate tree:
    # isolation: worktree
    ");
    assert_answer!(bed.run(&["config", "check"]), @"autoresearch.yaml: no problems");
}

#[test]
fn warnings_of_a_compiler_are_last_and_then_nothing_is_broken() {
    let bed = c_project("int sum(int a, int b) { int unused; return a + b; }\n");
    assert_answer!(check_without_words(&bed, &[]), @"
    project     C and C++ (Make) in .
    build       passes (<span>)  make -s program
    tests       passes (<span>)  make -s test
    lint        fails (<span>)  make -B program > .measured/lint.txt 2>&1; if grep -E ':[0-9]+:[0-9]+: warning: ' .m…
                exit status 1
    count       compiler_warnings is 1
                sum.c:1: <said>
    next: autoresearch fix check --write writes autoresearch.yaml: compiler_warnings 1 -> 0
    ");
    // What is edited and not committed counts as it is.
    bed.write("sum.c", SUM);
    assert_answer!(check_without_words(&bed, &[]), @"
    project     C and C++ (Make) in .
    build       passes (<span>)  make -s program
    tests       passes (<span>)  make -s test
    lint        passes (<span>)  make -B program > .measured/lint.txt 2>&1; if grep -E ':[0-9]+:[0-9]+: warning: ' .m…
    next: nothing is broken; autoresearch scan proposes what to improve
    ");
    assert_answer!(check_without_words(&bed, &["--write"]), @"
    project     C and C++ (Make) in .
    build       passes (<span>)  make -s program
    tests       passes (<span>)  make -s test
    lint        passes (<span>)  make -B program > .measured/lint.txt 2>&1; if grep -E ':[0-9]+:[0-9]+: warning: ' .m…
    next: nothing is broken; autoresearch scan proposes what to improve
    ");
    assert!(!bed.path("autoresearch.yaml").exists());
}

const WEB: &str = r#"{"name": "web", "scripts": {"build": "node build.js", "test": "node --test"}, "devDependencies": {"typescript": "5"}}"#;
const TEST: &str = "const test = require('node:test');\nconst assert = require('node:assert');\nconst { sum } = require('./sum.js');\ntest('adds', () => assert.equal(sum(1, 2), 3));\ntest('adds nothing', () => assert.equal(sum(0, 0), 0));\ntest('takes a text', () => assert.equal(sum('1', 2), 3));\n";

/// A package whose compiler of types is a script of its own: no registry is needed for it.
fn web_project(sum: &str, tsc: &str) -> Testbed {
    let bed = project(&[
        ("package.json", WEB),
        ("tsconfig.json", "{}"),
        (
            "build.js",
            "require('fs').writeFileSync('built.txt', require('./sum.js').sum(1, 1) + '\\n');\n",
        ),
        ("sum.js", sum),
        ("sum.test.js", TEST),
        (".gitignore", "node_modules/\n"),
    ]);
    let folder = bed.path("node_modules/.bin");
    std::fs::create_dir_all(&folder).unwrap();
    write_program(
        &folder.join("tsc"),
        &format!("#!/bin/sh\n[ \"$1\" != --version ] || exit 0\n{tsc}\n"),
    );
    bed
}

#[test]
fn tests_of_node_are_counted_and_what_a_build_leaves_in_sight_of_git_is_said() {
    let bed = web_project("exports.sum = (a, b) => (a ? a + b : 1);\n", "exit 0");
    assert_answer!(check(&bed, &[]), @"
    project     TypeScript and JavaScript in .
    build       passes (<span>)  npm run -s build
    tests       fails (<span>)  node --test
                exit status 1
    types       passes (<span>)  npx --no-install tsc --noEmit --incremental false
    count       failing_tests is 2
                FAILED adds nothing
                FAILED takes a text
    left        by the checks, and git sees it: built.txt; let git ignore it, or `start` refuses
    next: autoresearch fix check --write writes autoresearch.yaml: failing_tests 2 -> 0
    ");
    assert_answer!(bed.git(&["status", "--short"]), @"?? built.txt");
}

#[test]
fn type_errors_are_counted_where_build_and_tests_pass() {
    let sum = "exports.sum = (a, b) => Number(a) + b;\n";
    let bed = web_project(sum, "echo 'sum.js(1,2): error TS2322: no number'\nexit 2");
    assert_answer!(check(&bed, &[]), @"
    project     TypeScript and JavaScript in .
    build       passes (<span>)  npm run -s build
    tests       passes (<span>)  node --test
    types       fails (<span>)  npx --no-install tsc --noEmit --incremental false
                exit status 2
    count       type_errors is 1
                sum.js(1,2): error TS2322: no number
    left        by the checks, and git sees it: built.txt; let git ignore it, or `start` refuses
    next: autoresearch fix check --write writes autoresearch.yaml: type_errors 1 -> 0
    ");
    // A compiler that falls over has found nothing.
    let other = web_project(sum, "echo 'panic: out of memory' >&2\nexit 3");
    assert_answer!(check(&other, &[]), @"
    project     TypeScript and JavaScript in .
    build       passes (<span>)  npm run -s build
    tests       passes (<span>)  node --test
    types       fails (<span>)  npx --no-install tsc --noEmit --incremental false
                exit status 3
                | panic: out of memory
    count       failed_runs is 2 of 2 runs, by the exit status: type_errors has no number (verify failed: exit status 3), so it fails for another reason than findings
    left        by the checks, and git sees it: built.txt; let git ignore it, or `start` refuses
    next: if something is missing here, get it first; else autoresearch fix check --write writes autoresearch.yaml: failed_runs 2 -> 0
    ");
}

#[test]
fn what_cannot_start_is_told_apart_from_what_fails() {
    let package = r#"{"scripts": {"test": "no-such-runner"}, "devDependencies": {"typescript": "5", "eslint": "9"}}"#;
    let bed = project(&[
        ("package.json", package),
        ("tsconfig.json", "{}"),
        ("a.js", "x\n"),
    ]);
    assert_answer!(check(&bed, &[]), @"
    exit code 6
    --- stderr
    error: nothing could be checked in . (TypeScript and JavaScript): tests: exit status 127 (command not found); types: missing tsc; lint: missing eslint
    hint: install what the command names, or what its script calls; install the packages of the project (npm ci, pnpm install, yarn)
    ");
    assert_answer!(check(&bed, &["--dry-run"]), @"
    project     TypeScript and JavaScript in .
    tests       CI=1 npm run -s test
    types       cannot run here: missing tsc: install the packages of the project (npm ci, pnpm install, yarn)
    lint        cannot run here: missing eslint: install the packages of the project (npm ci, pnpm install, yarn)
    next: autoresearch fix check runs these
    ");
}

#[test]
fn python_is_read_file_by_file_and_its_tests_are_counted() {
    let bed = project(&[
        ("app/a.py", "def f(:\n    pass\n"),
        ("app/b.py", "def g()\n    pass\n"),
        (
            "test_app.py",
            "import unittest\n\n\nclass Tests(unittest.TestCase):\n    def test_f(self):\n        from app.a import f\n        self.assertEqual(f(), 1)\n\n    def test_g(self):\n        self.assertTrue(True)\n",
        ),
        ("setup.cfg", "[metadata]\nname = app\n"),
    ]);
    assert_answer!(check_without_words(&bed, &[]), @"
    project     Python in .
    build       fails (<span>)  git --literal-pathspecs ls-files -zco --exclude-standard -- app > .measured/files; P…
                exit status 1
    tests       fails (<span>)  PYTHONDONTWRITEBYTECODE=1 python3 -c 'import sys, unittest; it = unittest.main(None,…
                exit status 1
    count       build_errors is 2
                *** Error compiling './app/a.py'...
                *** Error compiling './app/b.py'...
    next: autoresearch fix check --write writes autoresearch.yaml: build_errors 2 -> 0
    ");
    bed.write("app/a.py", "def f():\n    return 2\n");
    bed.write("app/b.py", "");
    assert_answer!(check(&bed, &["--write"]), @"
    project     Python in .
    build       passes (<span>)  git --literal-pathspecs ls-files -zco --exclude-standard -- app > .measured/files; P…
    tests       fails (<span>)  PYTHONDONTWRITEBYTECODE=1 python3 -c 'import sys, unittest; it = unittest.main(None,…
                exit status 1
    count       failing_tests is 1
                FAIL: test_f (test_app.Tests.test_f)
    wrote       autoresearch.yaml
    next: read it, then autoresearch config try, then autoresearch start
    ");
    assert_answer!(bed.read("autoresearch.yaml"), @r#"
    # Proposed by `autoresearch fix check`. Change what you like, then: autoresearch config try
    # Why: counts failed tests in the report of unittest
    goal: Make every test pass
    mode: fix

    # What a trial may change.
    scope:
      - 'app/**/*.py'

    # What no trial may change: tests and settings are the yardstick.
    protect:
      - '/test_*.py'
      - '/setup.cfg'

    metric:
      name: failing_tests
      direction: lower
      target: 0

    # How the number is made.
    verify:
      count:
        pattern: '^(?:FAIL|ERROR): '
        files:
          - '.measured/tests.txt'
        of: '^ran$'
      command: |
        set -eu
        mkdir -p .measured
        echo '*' > .measured/.gitignore
        status=0
        PYTHONDONTWRITEBYTECODE=1 python3 -m unittest discover 2> .measured/tests.txt || status=$?
        awk '/^Ran / {seen = 1; ran = $2} /skipped=/ {sub(/.*skipped=/, ""); ran -= $0 + 0} END {if (!seen) exit 3; while (ran-- > 0) print "ran"}' .measured/tests.txt > .measured/ran.txt
        cat .measured/ran.txt >> .measured/tests.txt
        exit $status
      timeout: 15m
      ok_exit: [0, 1]

    # Must pass before a trial is kept.
    guard:
      command: |
        set -eu
        mkdir -p .measured
        echo '*' > .measured/.gitignore
        git --literal-pathspecs ls-files -zco --exclude-standard -- app > .measured/files
        PYTHONPYCACHEPREFIX=.measured/pycache xargs -0 sh -c 'for f; do shift; case $f in *.py) [ ! -f "$f" ] || set -- "$@" "./$f";; esac; done; [ $# -eq 0 ] || exec python3 -m compileall -q -f -x "/[.]?venv/" "$@"' sh < .measured/files
      timeout: 15m

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
fn scripts_of_a_shell_need_no_manifest_and_odd_names_are_read_as_they_are() {
    let bed = project(&[
        ("we b's/run it.sh", "if true\n"),
        ("we b's/-x.sh", "echo ok\n"),
        ("we b's/$(touch pwned).sh", "case\n"),
    ]);
    // Whether this machine has one is not what is asked here.
    let linter = bed.home.join("linter");
    std::fs::create_dir(&linter).unwrap();
    write_program(&linter.join("shellcheck"), "#!/bin/sh\nexit 0\n");
    let path = format!("{}:{}", linter.display(), path_with_cargo());
    let found = check_on(&bed, &["--stack", "shell"], &path);
    assert_answer!(hide_words(&found), @"
    project     Shell in .
    build       fails (<span>)  git ls-files -zco --exclude-standard -- '*.sh' '*.bash' > .measured/files; xargs -0 …
                exit status 1
    lint        passes (<span>)  git ls-files -zco --exclude-standard -- '*.sh' '*.bash' > .measured/files; xargs -0 …
    count       build_errors is 2
                ./we b's/$(touch pwned).sh: line 1: <said>
                ./we b's/run it.sh: line 2: <said>
    next: autoresearch fix check --write --stack shell writes autoresearch.yaml: build_errors 2 -> 0
    ");
    let files = [
        (
            "we b's/Makefile",
            "all:\n\t@true\n\ntest:\n\t@echo no; exit 3\n",
        ),
        ("we b's/a.c", "int a;\n"),
    ];
    let other = project(&files);
    assert_answer!(check(&other, &["--folder", "we b's", "--write"]), @"
    project     C and C++ (Make) in we b's
    build       passes (<span>)  make -s all
    tests       fails (<span>)  make -s test
                exit status 2
                | make: *** [Makefile:5: test] Error 3
    lint        passes (<span>)  make -B all > .measured/lint.txt 2>&1; if grep -E ':[0-9]+:[0-9]+: warning: ' .measu…
    count       failed_runs is 2 of 2 runs, by the exit status: nothing here counts what it finds
    wrote       autoresearch.yaml
    next: read it, then autoresearch config try, then autoresearch start
    ");
    assert_answer!(other.read("autoresearch.yaml"), @"
    # Proposed by `autoresearch fix check`. Change what you like, then: autoresearch config try
    # Why: nothing counts what it finds, so the runs of it that fail are the number
    goal: 'Make the tests pass in we b''s'
    mode: fix

    # What a trial may change.
    scope:
      - 'we b''s/*.c'

    # What no trial may change: tests and settings are the yardstick.
    protect:
      - 'we b''s/Makefile'

    metric:
      name: failed_runs
      direction: lower
      target: 0

    # How the number is made.
    verify:
      exit_rate: make -s test
      runs: 2
      timeout: 15m
      working_directory: 'we b''s'

    # Must pass before a trial is kept.
    guard:
      command: |
        set -eu
        mkdir -p .measured
        echo '*' > .measured/.gitignore
        make -s all
        make -B all > .measured/lint.txt 2>&1
        if grep -E ':[0-9]+:[0-9]+: warning: ' .measured/lint.txt; then exit 1; fi
      timeout: 30m
      working_directory: 'we b''s'

    iterations: 40
    time_limit: 8h

    # To go on working in these files meanwhile, let the run work in a separate tree:
    # isolation: worktree
    ");
    assert!(!bed.path("we b's/pwned").exists() && !bed.path("pwned").exists());
}

#[test]
fn in_a_monorepo_the_project_of_the_folder_is_checked_and_the_others_are_named() {
    let bed = project(&[
        (
            "web/package.json",
            r#"{"scripts": {"build": "exit 1", "test": "exit 0"}}"#,
        ),
        ("web/a.js", "const a = 1;\n"),
        ("tool/Makefile", "all:\n"),
        ("tool/a.c", "int a;\n"),
    ]);
    assert_answer!(check(&bed, &[]), @"
    project     TypeScript and JavaScript in web; not looked at: C and C++ (Make) in tool
    build       fails (<span>)  npm run -s build
                exit status 1
    tests       passes (<span>)  CI=1 npm run -s test
    count       failed_runs is 2 of 2 runs, by the exit status: build_errors has no number (verify failed: exit status 1), so it fails for another reason than findings
    next: if something is missing here, get it first; else autoresearch fix check --write writes autoresearch.yaml: failed_runs 2 -> 0
    ");
    assert_answer!(check(&bed, &["--folder", "tool"]), @"
    project     C and C++ (Make) in tool; not looked at: TypeScript and JavaScript in web
    build       passes (<span>)  make -s all
    lint        passes (<span>)  make -B all > .measured/lint.txt 2>&1; if grep -E ':[0-9]+:[0-9]+: warning: ' .measu…
    next: nothing is broken; autoresearch scan proposes what to improve
    ");
    assert_answer!(check(&bed, &["-C", "tool", "--dry-run"]), @"
    project     C and C++ (Make) in tool; not looked at: TypeScript and JavaScript in web
    build       make -s all
    lint        make -B all > .measured/lint.txt 2>&1; if grep -E ':[0-9]+:[0-9]+: warning: ' .measured/lint.txt; then exit 1; fi
    next: autoresearch fix check runs these
    ");
    assert_answer!(check(&bed, &["--folder", "absent"]), @"
    exit code 2
    --- stderr
    error: absent is not a folder
    ");
    assert_answer!(check(&bed, &["--folder", ".."]), @"
    exit code 2
    --- stderr
    error: .. lies outside the repository <bed>/repo
    ");
    assert_answer!(check(&bed, &["--stack", "python"]), @"
    exit code 4
    --- stderr
    error: no project of `python` has a check in the root of the repository
    hint: `autoresearch scan` names the languages that are known here, and --folder names another folder; for others write a config by hand: `autoresearch config example failing-tests`
    ");
    assert_answer!(check(&bed, &["--timeout", "soon"]), @"
    exit code 2
    --- stderr
    error: invalid value 'soon' for '--timeout <SPAN>': `soon` is not a span of time between 1ms and 366d

    For more information, try '--help'.
    ");
}

#[test]
fn where_nothing_can_run_nothing_is_said_of_it() {
    let bed = project(&[("go.mod", "module x\n"), ("a.go", "package a\n")]);
    let git = bed.home.join("only-git");
    std::fs::create_dir(&git).unwrap();
    std::os::unix::fs::symlink(find_program("git").unwrap(), git.join("git")).unwrap();
    let answer = bed.run_with(&["fix", "check"], &[("PATH", git.to_str().unwrap())]);
    assert_answer!(answer, @"
    exit code 6
    --- stderr
    error: nothing could be checked in . (Go): build: missing go; lint: missing go
    hint: install Go from https://go.dev/dl
    ");
    assert_answer!(project(&[("README", "x\n")]).run(&["fix", "check"]), @"
    exit code 4
    --- stderr
    error: no project with checks that are known is in the root of the repository
    hint: `autoresearch scan` names the languages that are known here, and --folder names another folder; for others write a config by hand: `autoresearch config example failing-tests`
    ");
}

const HANGS: &str = r#"{"scripts": {"test": "echo waits; touch at-work; sleep 1000"}}"#;

#[test]
fn a_check_that_hangs_ends_at_its_limit_and_is_broken() {
    let bed = project(&[
        ("package.json", HANGS),
        ("a.js", "x\n"),
        (".gitignore", "at-work\n"),
    ]);
    assert_answer!(check(&bed, &["--timeout", "2s", "--write"]), @"
    project     TypeScript and JavaScript in .
    tests       fails (<span>)  CI=1 npm run -s test
                timed out after 2s
                | waits
    count       failed_runs is 2 of 2 runs, by the exit status: it did not end in time
    wrote       autoresearch.yaml
    next: read it, then autoresearch config try, then autoresearch start
    ");
    assert_answer!(bed.read("autoresearch.yaml"), @"
    # Proposed by `autoresearch fix check`. Change what you like, then: autoresearch config try
    # Why: nothing counts what it finds, so the runs of it that fail are the number
    goal: Make the tests pass
    mode: fix

    # What a trial may change.
    scope:
      - '/*.js'

    # What no trial may change: tests and settings are the yardstick.
    protect:
      - '/package.json'

    metric:
      name: failed_runs
      direction: lower
      target: 0

    # How the number is made.
    verify:
      exit_rate: 'CI=1 npm run -s test'
      runs: 2
      timeout: 2s

    iterations: 40
    time_limit: 8h

    # To go on working in these files meanwhile, let the run work in a separate tree:
    # isolation: worktree
    ");
    assert_eq!(
        processes_with(bed.repo.to_str().unwrap()),
        Vec::<String>::new()
    );
}

#[test]
fn an_interruption_leaves_nothing_running_and_nothing_behind() {
    let bed = project(&[
        ("package.json", HANGS),
        ("a.js", "x\n"),
        (".gitignore", "at-work\n"),
    ]);
    let child = bed.command(&["fix", "check", "--write"]).spawn().unwrap();
    wait_until("the tests run", || bed.path("at-work").exists());
    // Two at once would disturb each other.
    assert_answer!(check(&bed, &[]), @"
    exit code 5
    --- stderr
    error: the run is held by process <pid> (`fix check`, since <time>)
    hint: wait until it is done: `autoresearch status` shows what it does, and for how long. A dead process holds no lock
    ");
    let pid = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(130));
    assert_eq!(
        processes_with(bed.repo.to_str().unwrap()),
        Vec::<String>::new()
    );
    assert!(!bed.path("autoresearch.yaml").exists());
    assert_answer!(bed.git(&["status", "--short"]), @"");
}

#[test]
fn a_run_that_works_in_this_tree_is_not_disturbed() {
    let bed = Testbed::new();
    bed.write("run.sh", "true\n");
    bed.git(&["add", "-A"]);
    bed.git(&["commit", "-qm", "script"]);
    bed.start(&crate::config_text::ConfigText::demo());
    assert_answer!(check(&bed, &[]), @"
    exit code 4
    --- stderr
    error: the run `demo` works in this work tree
    hint: continue it (`autoresearch resume`), end it (`autoresearch finish --run demo`), or use `isolation: worktree`
    ");
}

const CRATE: &str = "[package]\nname = \"own\"\nversion = \"0.1.0\"\nedition = \"2021\"\n";

#[test]
fn errors_of_cargo_are_counted_once_each_in_sources_and_tests() {
    let bed = project(&[
        ("Cargo.toml", CRATE),
        (
            "src/lib.rs",
            "pub fn one() -> i32 {\n    a\n}\n\npub fn two() -> i32 {\n    b\n}\n",
        ),
        (
            "tests/all.rs",
            "#[test]\nfn works() {\n    assert_eq!(own::one(), 1);\n}\n",
        ),
        (".gitignore", "/target\n/Cargo.lock\n"),
    ]);
    let found = check(&bed, &[]).replace(": error[", ": error: [");
    assert_answer!(hide_words(&found), @"
    project     Rust in .
    build       fails (<span>)  cargo check --quiet; cargo check --quiet --tests
                exit status 101
    tests       fails (<span>)  cargo test --quiet
                exit status 101
    lint        fails (<span>)  cargo clippy --quiet -- -D warnings
                exit status 101
    count       build_errors is 2
                src/lib.rs:2: <said>
                src/lib.rs:6: <said>
    next: autoresearch fix check --write writes autoresearch.yaml: build_errors 2 -> 0
    ");
    // What the compiler cannot even begin with is no count of 0.
    bed.write(
        "Cargo.toml",
        &format!("{CRATE}[dependencies]\nabsent = {{path = \"absent\"}}\n"),
    );
    let found = check(&bed, &["--json"]);
    let found: serde_json::Value = serde_json::from_str(&found).unwrap();
    assert_eq!(found["metric"], "failed_runs");
    assert_eq!(found["count"], 2);
    assert!(
        found["instead"]
            .as_str()
            .unwrap()
            .starts_with("build_errors has no number"),
        "{found}"
    );
    // Code that builds, and a test that does not.
    bed.write("Cargo.toml", CRATE);
    bed.write("src/lib.rs", "pub fn one() -> i32 {\n    1\n}\n");
    bed.write(
        "tests/all.rs",
        "#[test]\nfn works() {\n    assert_eq!(own::three(), 1);\n}\n",
    );
    let found = check(&bed, &[]).replace(": error[", ": error: [");
    assert_answer!(hide_words(&found), @"
    project     Rust in .
    build       fails (<span>)  cargo check --quiet; cargo check --quiet --tests
                exit status 101
    tests       fails (<span>)  cargo test --quiet
                exit status 101
    lint        passes (<span>)  cargo clippy --quiet -- -D warnings
    count       build_errors is 1
                tests/all.rs:3: <said>
    next: autoresearch fix check --write writes autoresearch.yaml: build_errors 1 -> 0
    ");
}
