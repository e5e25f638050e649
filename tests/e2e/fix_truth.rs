//! What a fix run may not claim: a zero of a suite that still fails, a config that cannot begin, a file that was left alone.

use crate::fix::{hide_spans, path_with_cargo, project};
use crate::shown::assert_answer;
use crate::testbed::{Answer, Testbed};

fn run(bed: &Testbed, arguments: &[&str]) -> Answer {
    bed.run_with(arguments, &[("PATH", &path_with_cargo())])
}

const MANIFEST: &str = "[package]\nname = \"own\"\nversion = \"0.1.0\"\nedition = \"2021\"\n";
const LOCK: &str = "version = 3\n\n[[package]]\nname = \"own\"\nversion = \"0.1.0\"\n";
const LIB: &str = "pub fn sum(a: i32, b: i32) -> i32 {\n    a - b\n}\n\npub fn end() {\n    std::process::abort()\n}\n\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn adds() {\n        assert_eq!(super::sum(1, 2), 3);\n    }\n}\n";

/// One test fails, and the program of another ends in the middle: what fails besides the counted tests is no zero.
#[test]
fn a_suite_that_crashes_beside_its_tests_is_no_zero() {
    let bed = project(&[
        ("Cargo.toml", MANIFEST),
        ("Cargo.lock", LOCK),
        ("src/lib.rs", LIB),
        ("tests/end.rs", "#[test]\nfn ends() {\n    own::end();\n}\n"),
        (".gitignore", "/target\n"),
    ]);
    let found = run(&bed, &["fix", "check", "--write"]).ok();
    assert!(
        found.out.contains("count       failing_tests is 1\n"),
        "{found:?}"
    );
    run(&bed, &["start"]).ok();
    let adds = LIB.replace("a - b", "a + b");
    bed.write("src/lib.rs", &adds);
    let report = run(&bed, &["trial", "-m", "add", "--json"]).json();
    assert_eq!(report["verdict"], "crash", "{report}");
    let detail = report["detail"].as_str().unwrap();
    assert_answer!(detail, @"the command ended with 101, which `ok_exit` allows, and nothing matches: it fails for another reason than what is counted");
    // Both together are the cause of the failing suite.
    bed.write("src/lib.rs", &adds.replace("std::process::abort()", ""));
    let report = run(&bed, &["trial", "-m", "add and end", "--json"]).json();
    assert_eq!(
        (&report["verdict"], &report["end"]),
        (&"keep".into(), &"target".into()),
        "{report}"
    );
}

const MAKEFILE: &str = "all:\n\t@true\n\ntest: all\n\tgrep -q right src.c\n";

#[test]
fn what_nothing_counts_begins_with_runs_that_all_fail_and_ends_when_they_pass() {
    let bed = project(&[("Makefile", MAKEFILE), ("src.c", "int wrong;\n")]);
    let found = hide_spans(&run(&bed, &["fix", "check", "--write"]).ok());
    assert_answer!(found, @"
    project     C and C++ (Make) in .
    build       passes (<span>)  make -s all
    tests       fails (<span>)  make -s test
                exit status 2
                | make: *** [Makefile:5: test] Error 1
    lint        passes (<span>)  make -B all > .measured/lint.txt 2>&1; if grep -E ':[0-9]+:[0-9]+: warning: ' .measu…
    count       failed_runs is 2 of 2 runs, by the exit status: nothing here counts what it finds
    wrote       autoresearch.yaml
    next: read it, then autoresearch config try, then autoresearch start
    ");
    let tried = run(&bed, &["config", "try"]).ok();
    assert!(
        tried.out.contains("failed_runs is as bad as can be"),
        "{tried:?}"
    );
    run(&bed, &["start"]).ok();
    bed.write("src.c", "int right;\n");
    let report = run(&bed, &["trial", "-m", "right", "--json"]).json();
    assert_eq!(report["end"], "target", "{report}");
}

#[test]
fn a_check_that_does_not_end_gets_a_config_that_measures_it() {
    let makefile = "all:\n\t@true\n\ntest: all\n\tgrep -q right src.c || sleep 1000\n";
    let bed = project(&[("Makefile", makefile), ("src.c", "int wrong;\n")]);
    let found = run(&bed, &["fix", "check", "--write", "--timeout", "2s"]).ok();
    assert!(
        found.out.contains("failed_runs is 2 of 2 runs"),
        "{found:?}"
    );
    let tried = run(&bed, &["config", "try"]).ok();
    assert!(
        tried
            .out
            .contains("failed_runs = 2, 2, 2, 2, 2, 2 (each run alike, "),
        "{tried:?}"
    );
}

#[test]
fn what_checks_change_of_somebodys_files_is_named_whatever_it_was_before() {
    let makefile =
        "all:\n\techo more >> mine.c\n\techo more >> kept.c\n\trm -f notes\n\ttouch built\n";
    let bed = project(&[
        ("Makefile", makefile),
        ("mine.c", "int a;\n"),
        ("kept.c", "int b;\n"),
        ("same.c", "int c;\n"),
    ]);
    bed.write("mine.c", "int changed;\n");
    bed.write("same.c", "int changed;\n");
    bed.write("notes", "mine\n");
    let found = hide_spans(&run(&bed, &["fix", "check"]).ok());
    assert_answer!(found, @"
    project     C and C++ (Make) in .
    build       passes (<span>)  make -s all
    lint        passes (<span>)  make -B all > .measured/lint.txt 2>&1; if grep -E ':[0-9]+:[0-9]+: warning: ' .measu…
    left        by the checks, and git sees it: built; let git ignore it, or `start` refuses
    changed     by the checks: mine.c, notes, kept.c; look at it, and keep the checks from writing what is yours
    next: nothing is broken; autoresearch scan proposes what to improve
    ");
    let report = run(&bed, &["fix", "check", "--json"]).ok().json();
    assert_eq!(report["left"].as_array().unwrap().len(), 0, "{report}");
}
