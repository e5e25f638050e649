//! What the checks of the tables do to small real projects, and what they count there.

use crate::fix::{hide_spans, path_with_cargo, project};
use crate::shown::assert_answer;
use crate::testbed::Testbed;

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
