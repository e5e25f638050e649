//! What the checks of the tables do to small real projects, and what they count there.

use crate::fix::{find_program, hide_spans, hide_words, path_with_cargo, project};
use crate::shown::assert_answer;
use crate::testbed::{Testbed, note_skipped, write_program};

/// The answer of `fix check`, without how long each check took.
fn check(bed: &Testbed, more: &[&str]) -> String {
    let arguments = [&["fix", "check"], more].concat();
    hide_spans(&bed.run_with(&arguments, &[("PATH", &path_with_cargo())]))
}

#[test]
fn make_is_called_with_the_target_that_builds_and_with_no_other() {
    let makefile = |rest: &str| format!("clean:\n\trm -f *.dat *.o\n\n{rest}");
    let bed = project(&[
        ("Makefile", &makefile("all: a.o\n")),
        ("a.c", "int a;\n"),
        (".gitignore", "*.o\n"),
    ]);
    bed.write("results.dat", "a night of work\n");
    assert_answer!(check(&bed, &[]), @"
    project     C and C++ (Make) in .
    build       passes (<span>)  make -s all
    lint        passes (<span>)  make -B all > .measured/lint.txt 2>&1; if grep -E ':[0-9]+:[0-9]+: warning: ' .measu…
    next: nothing is broken; autoresearch scan proposes what to improve
    ");
    assert_eq!(bed.read("results.dat"), "a night of work\n");
    // Without one there is no check of the build, and none of its warnings.
    bed.write("Makefile", &makefile("test:\n\t@true\n"));
    assert_answer!(check(&bed, &[]), @"
    project     C and C++ (Make) in .
    tests       passes (<span>)  make -s test
    next: nothing is broken; autoresearch scan proposes what to improve
    ");
    assert_eq!(bed.read("results.dat"), "a night of work\n");
    bed.write("Makefile", &makefile(""));
    assert_answer!(check(&bed, &[]), @"
    exit code 4
    --- stderr
    error: no project with checks that are known is in the root of the repository
    hint: `autoresearch scan` names the languages that are known here, and --folder names another folder; for others write a config by hand: `autoresearch config example failing-tests`
    ");
    assert_eq!(bed.read("results.dat"), "a night of work\n");
}

/// A project of node in which a program that it has installed is a script of its own: no registry is needed for it.
fn package(dependency: &str, program: &str, script: &str) -> Testbed {
    let bed = project(&[
        (
            "package.json",
            &format!(r#"{{"devDependencies": {{"{dependency}": "1"}}}}"#),
        ),
        ("tsconfig.json", "{}"),
        ("a.js", "export const a = 1;\n"),
        (".gitignore", "node_modules/\n"),
    ]);
    let folder = bed.path("node_modules/.bin");
    std::fs::create_dir_all(&folder).unwrap();
    write_program(&folder.join(program), &format!("#!/bin/sh\n{script}\n"));
    bed
}

/// What each check came to, and the count: without the words and the statuses of a tool, which differ from one version to the next.
fn tell_ends(bed: &Testbed, more: &[&str]) -> String {
    let answer = check(bed, more);
    let lines = answer.lines().filter(|line| !line.starts_with(' '));
    let short = lines.map(|line| line.split(" (").next().unwrap_or_default());
    short.collect::<Vec<_>>().join("\n")
}

/// Only the count of an answer, with its findings.
fn count(bed: &Testbed, more: &[&str]) -> String {
    let answer = check(bed, more);
    let lines = answer.lines();
    let from = lines.skip_while(|line| !line.starts_with("count "));
    let of = from.take_while(|line| line.starts_with("count ") || line.starts_with(' '));
    of.collect::<Vec<_>>().join("\n")
}

/// The report of jest and of vitest: a line of JSON in which a file has the state of its tests, and one cannot be loaded.
const REPORT: &str = r#"{"success": false, "testResults": [{"status": "failed", "name": "ROOT/a.test.js", "message": "", "assertionResults": [{"status": "passed", "fullName": "sum adds"}, {"status": "failed", "fullName": "sum takes `a`\n 'text'"}, {"status": "pending", "fullName": "sum waits"}]}, {"status": "failed", "name": "ROOT/b.test.js", "message": "Cannot find module", "assertionResults": []}, {"status": "failed", "name": "ROOT/c.test.js", "message": "a hook threw", "assertionResults": [{"status": "passed", "fullName": "other"}]}]}"#;

#[test]
fn tests_of_jest_and_vitest_are_counted_one_by_one_with_the_files_that_do_not_load() {
    let script = "for word; do case $word in --outputFile=*) sed \"s,ROOT,$PWD,g\" report.json > \"${word#*=}\";; esac; done\ntest ! -e report.json";
    let told = ["jest", "vitest"].map(|name| {
        let bed = package(name, name, script);
        bed.write("report.json", REPORT);
        (count(&bed, &[]), bed.read(".measured/tests.txt"))
    });
    assert_eq!(told[0], told[1]);
    assert_answer!(told[0].0, @"
    count       failing_tests is 3
                FAILED sum takes `a` 'text'
                FAIL b.test.js
                FAIL c.test.js
    ");
    assert_answer!(told[0].1, @"
    PASSED sum adds
    FAILED sum takes `a` 'text'
    FAIL b.test.js
    PASSED other
    FAIL c.test.js
    ");
}

const NESTED: &str = "const { describe, it, test, before } = require('node:test');
describe('outer', () => {
  it('works', () => {});
  describe('inner', () => {
    it('breaks', () => { throw new Error('not ok 1 - x\\n  ...'); });
    it.todo('waits');
  });
});
test('parent', async (t) => {
  await t.test('sub', () => {});
  await t.test('sub breaks', () => { throw new Error('b'); });
});
test('breaks itself', async (t) => {
  await t.test('sub', () => {});
  throw new Error('c');
});
test('is left for later', { todo: true }, () => { throw new Error('d'); });
";

#[test]
fn of_tests_of_node_that_hold_others_the_inner_ones_are_counted() {
    let bed = project(&[
        ("package.json", r#"{"scripts": {"test": "node --test"}}"#),
        ("a.js", "module.exports = 1;\n"),
        ("nested.test.js", NESTED),
        ("load.test.js", "require('./absent.js');\n"),
    ]);
    assert_answer!(count(&bed, &[]), @"
    count       failing_tests is 4
                FAIL load.test.js
                FAILED breaks
                FAILED sub breaks
                FAILED breaks itself
    ");
    assert_answer!(bed.read(".measured/tests.txt"), @"
    FAIL load.test.js
    PASSED works
    FAILED breaks
    PASSED sub
    FAILED sub breaks
    PASSED parent
    PASSED sub
    FAILED breaks itself
    ");
}

#[test]
fn linters_and_checkers_of_types_that_fall_over_give_no_number() {
    let crash = |dependency: &str, program: &str| {
        let bed = package(dependency, program, "echo 'out of memory' >&2; exit 1");
        count(&bed, &[])
    };
    let all = [
        ("typescript", "tsc"),
        ("eslint", "eslint"),
        ("@biomejs/biome", "biome"),
        ("jest", "jest"),
        ("vitest", "vitest"),
    ];
    let told = all.map(|(dependency, program)| crash(dependency, program));
    assert_answer!(told.join("\n"), @"
    count       failed_runs is 2 of 2 runs, by the exit status: type_errors has no number (the command ended with 1, which `ok_exit` allows, and nothing matches: it fails for another reason than what is counted), so it fails for another reason…
    count       failed_runs is 2 of 2 runs, by the exit status: eslint_problems has no number (the command ended with 1, which `ok_exit` allows, and nothing matches: it fails for another reason than what is counted), so it fails for another re…
    count       failed_runs is 2 of 2 runs, by the exit status: biome_problems has no number (the command ended with 1, which `ok_exit` allows, and nothing matches: it fails for another reason than what is counted), so it fails for another rea…
    count       failed_runs is 2 of 2 runs, by the exit status: failing_tests has no number (the command ended with 1, which `ok_exit` allows, and nothing matches: it fails for another reason than what is counted), so it fails for another reas…
    count       failed_runs is 2 of 2 runs, by the exit status: failing_tests has no number (the command ended with 1, which `ok_exit` allows, and nothing matches: it fails for another reason than what is counted), so it fails for another reas…
    ");
}

/// Runs what a check runs.
fn run_script(bed: &Testbed, script: &str) {
    let mut command = std::process::Command::new("sh");
    command.args(["-c", script]).current_dir(&bed.repo);
    let ended = command.env_clear().envs(bed.env()).output().unwrap();
    assert!(ended.status.success(), "{script}: {ended:?}");
}

const GO_TESTS: &str = "package sum

import (
	\"os\"
	\"testing\"
)

func TestMain(m *testing.M) {
	os.WriteFile(\"../main-ran\", nil, 0o644)
	os.Exit(m.Run())
}

func TestAdds(t *testing.T) {
	if Sum(1, 2) != 3 {
		t.Fatal(\"no\")
	}
}

func TestOther(t *testing.T) {}
";

/// A module with two packages and a program, or `None` without Go.
fn go_project(sum: &str, others: &[(&str, &str)]) -> Option<Testbed> {
    if find_program("go").is_none() {
        note_skipped("no go");
        return None;
    }
    let files = [
        ("go.mod", "module x\n\ngo 1.19\n"),
        ("main.go", "package main\n\nfunc main() {}\n"),
        ("sum/sum.go", sum),
        ("sum/sum_test.go", GO_TESTS),
        (".gitignore", "main-ran\n"),
    ];
    Some(project(&[&files, others].concat()))
}

const GO_SUM: &str = "package sum\n\nimport \"fmt\"\n\nfunc Sum(a, b int) int {\n\tfmt.Printf(\"%d\", \"x\")\n\treturn a - b\n}\n";

#[test]
fn what_go_vet_finds_hides_no_test_that_fails_and_the_other_way_round() {
    let Some(bed) = go_project(GO_SUM, &[]) else {
        return;
    };
    assert_answer!(tell_ends(&bed, &["--write"]), @"
    project     Go in .
    build       passes
    tests       fails
    lint        fails
    count       failing_tests is 1
    wrote       autoresearch.yaml
    not in it   lint: no guard holds what is broken already, so look that it gets no worse
    next: read it, then autoresearch config try, then autoresearch start; at zero move it away and call autoresearch fix check --write for lint
    ");
    let tried = bed.run(&["config", "try"]);
    assert!(tried.out.contains("failing_tests = 1, 1, 1"), "{tried:?}");
    // Tests of which a part does not compile have no number.
    let broken = "package sum\n\nfunc absent() { absent2() }\n";
    bed.write("sum/more_test.go", broken);
    let tried = bed.run(&["config", "try"]);
    assert!(tried.to_string().contains("exit status 3"), "{tried:?}");
    std::fs::remove_file(bed.path("sum/more_test.go")).unwrap();
    bed.write("sum/sum.go", &GO_SUM.replace("a - b", "a + b"));
    std::fs::remove_file(bed.path("autoresearch.yaml")).unwrap();
    assert_answer!(tell_ends(&bed, &[]), @"
    project     Go in .
    build       passes
    tests       passes
    lint        fails
    count       vet_findings is 1
    next: autoresearch fix check --write writes autoresearch.yaml: vet_findings 1 -> 0
    ");
}

#[test]
fn a_build_of_go_runs_nothing_and_leaves_nothing_and_what_does_not_build_has_no_other_number() {
    let Some(bed) = go_project(
        "package sum\n\nfunc Sum(a, b int) int { return a + b }\n",
        &[],
    ) else {
        return;
    };
    assert_answer!(check(&bed, &["--dry-run"]), @"
    project     Go in .
    build       go build -o /dev/null ./...; go test -vet=off -exec true -run '^$' ./... > /dev/null
    tests       go test -count=1 -vet=off ./...
    lint        go vet ./...
    next: autoresearch fix check runs these
    ");
    let commands = bed.run(&["fix", "check", "--dry-run", "--json"]).json();
    let build = commands["checks"][0]["command"].as_str().unwrap();
    run_script(&bed, build);
    assert!(!bed.path("main-ran").exists());
    assert_answer!(bed.git(&["status", "--short"]), @"");
    run_script(&bed, commands["checks"][1]["command"].as_str().unwrap());
    assert!(bed.path("main-ran").exists());
    // A program alone would be left where it is built.
    bed.git(&["rm", "-qr", "sum"]);
    run_script(&bed, build);
    assert_answer!(bed.git(&["status", "--short", "--untracked-files"]), @"
    D  sum/sum.go
    D  sum/sum_test.go
    ");
    bed.git(&["reset", "-q", "--hard"]);
    // Tests that do not compile: they are counted as such, and no test and no finding is.
    bed.write(
        "sum/more_test.go",
        "package sum\n\nimport \"testing\"\n\nfunc TestMore(t *testing.T) { absent() }\n",
    );
    assert_answer!(tell_ends(&bed, &["--write"]), @"
    project     Go in .
    build       fails
    tests       fails
    lint        fails
    count       build_errors is 1
    wrote       autoresearch.yaml
    not in it   tests, lint: no guard holds what is broken already, so look that it gets no worse
    next: read it, then autoresearch config try, then autoresearch start; at zero move it away and call autoresearch fix check --write for tests, then lint
    ");
}

#[test]
fn another_runner_or_linter_that_is_there_counts_nothing_for_the_one_that_fails() {
    let mocha = package("mocha", "mocha", "exit 4");
    mocha.write(
        "package.json",
        r#"{"scripts": {"test": "node --test"}, "devDependencies": {"mocha": "1"}}"#,
    );
    mocha.write("a.test.js", "throw new Error('not mine')\n");
    assert_answer!(tell_ends(&mocha, &[]), @"
    project     TypeScript and JavaScript in .
    tests       fails
    count       failed_runs is 2 of 2 runs, by the exit status: nothing here counts what it finds
    next: if something is missing here, get it first; else autoresearch fix check --write writes autoresearch.yaml: failed_runs 2 -> 0
    ");
    let bed = project(&[
        (".flake8", ""),
        ("setup.cfg", ""),
        ("app/a.py", "import os\n"),
        (".gitignore", ".venv/\n"),
    ]);
    let programs = bed.path(".venv/bin");
    std::fs::create_dir_all(&programs).unwrap();
    write_program(
        &programs.join("ruff"),
        "#!/bin/sh\necho 'app/a.py:9:9: R1 of ruff'\nexit 1\n",
    );
    write_program(
        &programs.join("flake8"),
        "#!/bin/sh\necho 'app/a.py:1:1: F401 of flake8'\necho 'app/a.py:1:2: E1 of flake8'\nexit 1\n",
    );
    assert_answer!(count(&bed, &[]), @"
    count       flake8_findings is 2
                app/a.py:1:1: F401 of flake8
                app/a.py:1:2: E1 of flake8
    ");
}

/// What `ESLint` reports of a warning, of an error, and of one that a comment suppresses.
const PROBLEMS: &str = r#"[{"filePath": "ROOT/a.js", "messages": [{"ruleId": "no-undef", "severity": 2, "line": 1, "column": 2, "message": "'b' is\n not defined."}, {"ruleId": null, "severity": 1, "line": 3, "message": "a warning"}], "suppressedMessages": [{"ruleId": "no-eval", "severity": 2, "line": 4, "column": 1, "message": "hidden"}]}, {"filePath": "ROOT/b.js", "messages": [], "suppressedMessages": []}]"#;

#[test]
fn problems_of_eslint_count_as_the_check_does_errors_and_warnings_and_none_that_is_suppressed() {
    let script = "for word; do test \"$file\" != next || file=$word; test \"$word\" != --output-file || file=next; done\nif test -n \"$file\"; then sed \"s,ROOT,$PWD,g\" problems.json > \"$file\"; fi\ngrep -q severity problems.json || exit 0\nexit 1";
    let bed = package("eslint", "eslint", &format!("file=\n{script}"));
    bed.write("problems.json", PROBLEMS);
    assert_answer!(check(&bed, &["--write"]), @"
    project     TypeScript and JavaScript in .
    lint        fails (<span>)  npx --no-install eslint . --max-warnings 0
                exit status 1
    count       eslint_problems is 2
                a.js:1:2: 'b' is not defined. no-undef
                a.js:3:1: a warning
    wrote       autoresearch.yaml
    next: read it, then autoresearch config try, then autoresearch start
    ");
    bed.write("problems.json", "[]");
    assert_answer!(check(&bed, &[]), @"
    project     TypeScript and JavaScript in .
    lint        passes (<span>)  npx --no-install eslint . --max-warnings 0
    next: nothing is broken; autoresearch scan proposes what to improve
    ");
}

#[test]
fn scripts_that_git_ignores_or_that_are_gone_are_not_looked_at_and_new_ones_are() {
    if find_program("shellcheck").is_none() || find_program("bats").is_none() {
        note_skipped("no shellcheck, or no bats");
        return;
    }
    let bad = "#!/bin/sh\necho $1\n";
    let bed = project(&[
        ("good.sh", "#!/bin/sh\necho ok\n"),
        ("-x y.sh", bad),
        ("gone.sh", "if\n"),
        ("test/a.bats", "@test \"works\" { true; }\n"),
        (".gitignore", "/vendored/\n"),
    ]);
    std::fs::remove_file(bed.path("gone.sh")).unwrap();
    bed.write("vendored/broken.sh", "if\n");
    bed.write("vendored/fails.bats", "@test \"fails\" { false; }\n");
    bed.write("new one.bash", bad);
    assert_answer!(tell_ends(&bed, &[]), @"
    project     Shell in .
    build       passes
    tests       passes
    lint        fails
    count       shellcheck_findings is 2
    next: autoresearch fix check --write writes autoresearch.yaml: shellcheck_findings 2 -> 0
    ");
    assert_answer!(hide_words(&count(&bed, &[])), @"
    count       shellcheck_findings is 2
                ./new one.bash:2: <said>
                ./-x y.sh:2: <said>
    ");
    bed.write("new one.bash", "if\n");
    assert_answer!(hide_words(&count(&bed, &[])), @"
    count       build_errors is 1
                ./new one.bash: line 2: <said>
    ");
    // The config measures the same, and sees when nothing is in them.
    bed.write("new one.bash", bad);
    check(&bed, &["--write"]);
    bed.git(&["add", "-A"]);
    bed.git(&["commit", "-qm", "config"]);
    let tried = bed.run(&["config", "try"]).ok().out;
    let rows = tried.lines().skip_while(|line| !line.starts_with("scope"));
    let rows: Vec<&str> = rows.take(2).collect();
    assert_answer!(rows.join("\n"), @"
    scope     untouched  2
              emptied    3
    ");
    // Where none is left, no linter and no runner is called without a file.
    let commands = bed.run(&["fix", "check", "--dry-run", "--json"]).json();
    bed.git(&["rm", "-q", "*.sh", "*.bash", "*.bats"]);
    for check in commands["checks"].as_array().unwrap() {
        run_script(
            &bed,
            &format!("mkdir -p .measured\n{}", check["command"].as_str().unwrap()),
        );
    }
}

#[test]
fn what_python_cannot_read_is_told_of_files_of_the_project_alone() {
    let bed = project(&[
        ("setup.cfg", ""),
        (".flake8", ""),
        ("a.py", "a = 1\n"),
        ("gone.py", "a = 1\n"),
        ("notes.txt", "def (\n"),
        (".gitignore", "/env/\n.venv/\n"),
    ]);
    std::fs::remove_file(bed.path("gone.py")).unwrap();
    bed.write("env/lib/old.py", "print 1\n");
    let programs = bed.path(".venv/bin");
    std::fs::create_dir_all(&programs).unwrap();
    let flake8 = "#!/bin/sh\nfor file; do echo \"$file:1:1: E1 found\"; done\nexit 1\n";
    write_program(&programs.join("flake8"), flake8);
    assert_answer!(tell_ends(&bed, &[]), @"
    project     Python in .
    build       passes
    lint        fails
    count       flake8_findings is 1
    next: autoresearch fix check --write writes autoresearch.yaml: flake8_findings 1 -> 0
    ");
    assert_answer!(count(&bed, &[]), @"
    count       flake8_findings is 1
                ./a.py:1:1: E1 found
    ");
    bed.write("new one.py", "def (\n");
    assert_answer!(count(&bed, &[]), @"
    count       build_errors is 1
                *** Error compiling './new one.py'...
    ");
}
