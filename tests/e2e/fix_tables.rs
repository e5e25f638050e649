//! What the checks of the tables do to small real projects, and what they count there.

use crate::fix::{hide_spans, path_with_cargo, project};
use crate::shown::assert_answer;
use crate::testbed::{Testbed, write_program};

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
    for name in ["jest", "vitest"] {
        let script = "for word; do case $word in --outputFile=*) sed \"s,ROOT,$PWD,g\" report.json > \"${word#*=}\";; esac; done\ntest ! -e report.json";
        let bed = package(name, name, script);
        bed.write("report.json", REPORT);
        let found = count(&bed, &[]);
        assert_answer!(found, @"
        count       failing_tests is 3
                    FAILED sum takes `a` 'text'
                    FAIL b.test.js
                    FAIL c.test.js
        ");
        assert_answer!(bed.read(".measured/tests.txt"), @"
        PASSED sum adds
        FAILED sum takes `a` 'text'
        FAIL b.test.js
        PASSED other
        FAIL c.test.js
        ");
    }
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
