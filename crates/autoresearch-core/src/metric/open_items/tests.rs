//! Outputs of tools as they print them, and what of them is still open.

use super::*;

fn list(stdout: &str) -> Vec<String> {
    OpenItems::read([stdout, ""], &["/repo"]).into_findings()
}

#[test]
fn places_are_read_in_the_forms_of_compilers_and_linters() {
    for (line, item) in [
        (
            "src/a.ts(3,4): error TS2322: no",
            "src/a.ts(3,4): error TS2322: no",
        ),
        (
            "src/a.ts:3:4 - error TS2322: no",
            "src/a.ts:3:4 - error TS2322: no",
        ),
        ("src/a.py:3: error: no  [x]", "src/a.py:3: error: no [x]"),
        ("/repo/src/a.py:1:8: F401 `os`", "src/a.py:1:8: F401 `os`"),
        ("./main.go:7:2: undefined: y", "main.go:7:2: undefined: y"),
        ("a.c:3:1: Fehler: unbekannt", "a.c:3:1: Fehler: unbekannt"),
        ("src/a.ts:3:const x: any = 1", "src/a.ts:3:const x: any = 1"),
        ("[ERROR] /repo/src/A.java:[3,4] no", "src/A.java:[3,4] no"),
        ("C:\\src\\a.ts:3:4: no", "C:\\\\src\\\\a.ts:3:4: no"),
        (
            "app/(group)/[id]/page.tsx(3,4): no",
            "app/(group)/[id]/page.tsx(3,4): no",
        ),
        ("файл.py:3: ошибка", "файл.py:3: ошибка"),
        ("\u{1b}[31msrc/a.py\u{1b}[0m:3:1: no", "src/a.py:3:1: no"),
    ] {
        assert_eq!(list(line), [item], "{line}");
    }
}

#[test]
fn times_addresses_bare_places_and_what_lies_elsewhere_are_no_items() {
    for line in [
        "12:30:45 GET /index.html",
        "2026-11-28T10:39:59: started",
        "http://localhost:3000: listening",
        "127.0.0.1:8080: listening",
        "localhost:8080: listening",
        "src/a.py:3",
        "src/a.py:3:",
        "/usr/lib/python3/site-packages/x.py:12: UserWarning: no",
        "/usr/lib/x.py:12: UserWarning: no",
        "node_modules/x/index.d.ts(3,4): error",
        "Found 3 errors in 1 file",
        "METRIC errors=3",
        "3",
        "",
    ] {
        assert!(list(line).is_empty(), "{line}");
    }
}

#[test]
fn failed_tests_are_read_in_the_forms_of_runners() {
    for (line, is_item) in [
        ("FAILED tests/test_a.py::test_x - assert 1 == 2", true),
        ("not ok 3 - adds", true),
        ("    not ok 3 - adds", true),
        ("test math::adds ... FAILED", true),
        ("--- FAIL: TestAdds (0.00s)", true),
        ("FAIL src/a.test.ts", true),
        ("FAIL: test_x (mod.Case)", true),
        ("        FAIL [   0.005s] (1/2) core math::adds", true),
        ("[  FAILED  ] Math.Adds (1 ms)", true),
        ("CalcTest > adds FAILED", true),
        ("\u{25cf} calc \u{203a} adds", true),
        ("\u{2717} adds", true),
        ("not ok 3 - adds # TODO later", false),
        ("not ok 3 # skip no network", false),
        ("not okay", false),
        ("ok 3 - adds", false),
        ("FAILED (failures=2)", false),
        ("test result: FAILED. 1 passed; 1 failed", false),
        ("FAIL", false),
        ("\u{2716} 3 problems (3 errors, 0 warnings)", false),
    ] {
        let tests = OpenItems::read([line, ""], &[]).tests;
        assert_eq!(tests.len(), usize::from(is_item), "{line}");
        assert_eq!(list(line), tests, "{line}");
    }
}

#[test]
fn what_stands_on_a_line_before_is_told_with_the_place() {
    let rustc = "\
error: unused variable: `x`
 --> src/main.rs:2:9
  |
2 |     let x = 1;
  |         ^ help: _x
note: the lint level is defined here
 --> src/lib.rs:1:9

warning: this is wrong
   --> src/other.rs:40:1

error: could not compile
";
    insta::assert_snapshot!(list(rustc).join("\n"), @r"
    src/main.rs:2:9: error: unused variable: `x`
    src/other.rs:40:1: warning: this is wrong
    ");
    let eslint = "\n/repo/src/a.js\n  1:10  error  Unexpected any  no-any\n  12:1   warning  Long\n\n/else/b.js\n  3:1  error  x\n\n\u{2716} 3 problems\n";
    insta::assert_snapshot!(list(eslint).join("\n"), @r"
    src/a.js:1:10 error Unexpected any no-any
    src/a.js:12:1 warning Long
    ");
    let pytest = "\
tests/test_a.py:3: in test_x
tests/test_a.py:9: AssertionError
=== short test summary info ===
FAILED tests/test_a.py::test_x - assert 1 == 2
FAILED tests/test_a.py::test_x - assert 1 == 2
2 failed, 3 passed
";
    assert_eq!(
        list(pytest),
        ["FAILED tests/test_a.py::test_x - assert 1 == 2"]
    );
    let both = OpenItems::read([pytest, ""], &[]);
    assert_eq!((both.tests.len(), both.places.len()), (1, 2));
}

#[test]
fn the_first_five_are_told_of_standard_output_first_and_each_is_short() {
    let lines = [1, 2, 3, 4, 5, 6].map(|line| format!("src/a.py:{line}: no"));
    let lines = lines.join("\n");
    assert_eq!(list(&lines).len(), MOST_OPEN);
    let both = OpenItems::read(["src/a.py:1: one", "src/b.py:2: two"], &[]);
    assert_eq!(both.into_findings(), ["src/a.py:1: one", "src/b.py:2: two"]);
    let long = format!("src/a.py:1: {}\n", "ü".repeat(1 << 20));
    let items = list(&long);
    assert!(items[0].chars().count() == WIDTH && items[0].ends_with('…'));
    let hostile = "src/a.py:1: \u{1b}[1m\u{202e}no\u{7}\nsrc/a.py:2: \u{1b}[2Jno\n";
    let items = ["src/a.py:1: \\u{202e}no"];
    assert_eq!(list(hostile), items, "what clears a screen is left out");
}

#[test]
fn a_match_is_told_with_its_place_and_a_line_of_a_report_as_it_is() {
    for (line, item) in [
        ("  const x: any = 1;", "src/a.ts:7: const x: any = 1;"),
        (
            "src/b.ts(3,4): error TS2322: no",
            "src/b.ts(3,4): error TS2322: no",
        ),
        ("not ok 3 - adds", "not ok 3 - adds"),
        ("\u{1b}[31mno", "src/a.ts:7: \\u{1b}[31mno"),
        ("", "src/a.ts:7:"),
    ] {
        assert_eq!(describe_match("src/a.ts", 7, line), item);
    }
}

#[test]
fn a_blank_between_the_root_and_a_name_is_no_place_and_breaks_nothing() {
    for line in ["./ é:1: x", "/repo/ é:1: x", "./\tü(1,2): x", " é:1: x"] {
        let found = OpenItems::read([line, ""], &["/repo"]);
        assert_eq!(found.into_findings(), [""; 0], "{line}");
        assert!(
            describe_match("a.rs", 1, line).starts_with("a.rs:1: "),
            "{line}"
        );
    }
}

#[test]
fn the_message_of_a_place_is_the_last_before_it_and_no_note() {
    let cargo = "\nwarning: `a` (lib) generated 1 warning\n    Checking b v0.1.0\nerror[E0308]: mismatched types\n --> b/src/lib.rs:1:9\nnote: required by this\n --> b/src/lib.rs:4:4\n";
    assert_eq!(
        list(cargo),
        ["b/src/lib.rs:1:9: error[E0308]: mismatched types"]
    );
}

#[test]
fn a_call_with_a_number_is_no_report_of_a_place() {
    for line in ["items.at(0) as any;", "queue.pop(3) // any"] {
        let told = format!("src/a.ts:7: {line}");
        assert_eq!(describe_match("src/a.ts", 7, line), told);
    }
    assert_eq!(
        describe_match("r", 1, "a.c(3): error C1: x"),
        "a.c(3): error C1: x"
    );
}

#[test]
fn a_mark_is_a_failed_test_only_where_no_place_is_named() {
    let biome = "src/a.ts:2:9 lint/no-any ━━━\n\n  × Unexpected any.\n";
    assert_eq!(list(biome), ["src/a.ts:2:9 lint/no-any ━━━"]);
    assert_eq!(
        list("  × adds two numbers\n  ✓ subtracts\n"),
        ["× adds two numbers"]
    );
}

proptest::proptest! {
    #[test]
    fn any_output_gives_few_short_lines_without_control_characters(
        stdout in "(?s)([ -~\n\t\u{1b}é:(]|a\\.b:1: |not ok |--> |\\./ é:1: |/repo/ ){0,200}", stderr in "(?s).{0,100}",
    ) {
        let OpenItems { tests, places } = OpenItems::read([&stdout, &stderr], &["/repo", ""]);
        proptest::prop_assert!(tests.len() <= MOST_OPEN && places.len() <= MOST_OPEN);
        for item in tests.iter().chain(&places) {
            proptest::prop_assert!(item.chars().count() <= WIDTH && !item.chars().any(char::is_control));
        }
        proptest::prop_assert_eq!(read_noted_items(&tests.join("\n")), tests);
        for item in read_noted_items(&stdout) {
            proptest::prop_assert!(item.chars().count() <= WIDTH);
        }
        let _ = describe_match(&stderr, 1, &stdout);
    }
}
