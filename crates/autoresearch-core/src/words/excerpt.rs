//! Owns the excerpt of a command's output: the first line that looks like an error, and the last lines.
//! Does not decide how a command ended; no verdict hangs on these words.
//! Invariant: an excerpt is short, in the order of the output, and no line of it is made up.

use std::borrow::Cow;

use crate::metric::screen::{DrawnLine, draw_lines};
use crate::words::text::{clip_text, escape_text};

/// How many of the last lines are shown.
const LAST: usize = 3;
/// The longest line, in characters.
const WIDTH: usize = 100;

/// How plainly a line says that something failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Plainness {
    /// It has a word such as `error` in it.
    Hint,
    /// It has the form in which tools report a failure: `not ok`, `FAIL`, `error[E0308]:`, `AssertionError:`.
    Report,
    /// It is a panic, which says more than the name of the failed test before it.
    Panic,
}

/// The lines that tell most about a failure. The last lines are of the first text that says anything. The error is looked
/// for in both texts: the plainest line that says more than these. cargo has one closing line on standard error, and the
/// failed test on standard output.
#[must_use]
pub fn make_excerpt(stderr: &str, stdout: &str) -> String {
    let drawn = [draw_text(stderr), draw_text(stdout)];
    let texts = [split_lines(&drawn[0]), split_lines(&drawn[1])];
    let last = texts.iter().find(|lines| !lines.is_empty());
    let last = last.map_or(&[][..], |lines| &lines[lines.len().saturating_sub(LAST)..]);
    let mut shown: Vec<&str> = Vec::new();
    let plainest_first = [Plainness::Panic, Plainness::Report, Plainness::Hint];
    let places = plainest_first
        .iter()
        .flat_map(|wanted| texts.iter().map(move |lines| (*wanted, lines)));
    for (wanted, lines) in places {
        shown.extend(find_error(lines, wanted));
        shown.retain(|line| !last.contains(line));
        if !shown.is_empty() {
            break;
        }
    }
    let all = shown.iter().chain(last);
    all.map(|line| clip_text(&escape_text(line), WIDTH))
        .collect::<Vec<_>>()
        .join("\n")
}

/// The first line of this plainness, with its explanation.
fn find_error<'a>(lines: &[&'a str], wanted: Plainness) -> Vec<&'a str> {
    let at = lines
        .iter()
        .position(|line| rate_plainness(line) == Some(wanted));
    at.map_or_else(Vec::new, |at| {
        let mut shown = vec![lines[at]];
        shown.extend(find_explanation(&lines[at + 1..]));
        shown
    })
}

/// The text without colours and the like: they would fill the line, and hide the words that errors have. A line of which
/// a terminal would show a mixture stays as it is.
fn draw_text(text: &str) -> Cow<'_, str> {
    let lines: Vec<_> = draw_lines(text).collect();
    if lines.iter().all(|line| line.text == line.raw) {
        return Cow::Borrowed(text);
    }
    let show = |line: &DrawnLine<'_>| {
        if line.garbled {
            line.raw.to_owned()
        } else {
            line.text.to_string()
        }
    };
    let shown = lines.iter().map(show);
    Cow::Owned(shown.collect::<Vec<_>>().join("\n"))
}

fn split_lines(text: &str) -> Vec<&str> {
    text.lines()
        .map(str::trim_end)
        .filter(|line| !line.is_empty())
        .collect()
}

/// The line after an error often names its place. After the head of a Python traceback it is the one at its end.
fn find_explanation<'a>(after: &[&'a str]) -> Option<&'a str> {
    let mut said = after.iter().filter(|line| says_something(line));
    let next = said.next()?;
    if next.starts_with("Traceback") {
        return said.find(|line| !line.starts_with(' ')).copied();
    }
    Some(next)
}

fn says_something(line: &str) -> bool {
    line.chars().any(char::is_alphanumeric)
}

/// `error[E0308]: ...`, `src/a.ts(3,4): error TS2322: ...`, `KeyError: ...`, `FAIL: test_x`, `./x.go:3:2: undefined: y`;
/// not `0 errors`, and nothing that passed.
fn rate_plainness(line: &str) -> Option<Plainness> {
    if is_passed_test(line) {
        return None;
    }
    if line.contains(" panicked at ") {
        return Some(Plainness::Panic);
    }
    let warns = line.to_ascii_lowercase().contains("warning");
    if is_report(line) || (has_place(line) && !warns) {
        return Some(Plainness::Report);
    }
    (is_hint(line) || has_place(line)).then_some(Plainness::Hint)
}

/// A test that passed may have `error` in its name.
fn is_passed_test(line: &str) -> bool {
    let line = line.trim();
    let first = line.split_whitespace().next().unwrap_or_default();
    let last = line.split_whitespace().next_back().unwrap_or_default();
    let dots = line.contains("... ") && ["ok", "PASSED", "passed"].contains(&last);
    dots || last == "PASSED"
        || [
            "ok", "PASS", "PASS:", "PASSED", "\u{2713}", "\u{2714}", "\u{221a}",
        ]
        .contains(&first)
}

/// The forms of test runners and compilers.
fn is_report(line: &str) -> bool {
    let line = line.trim_start();
    if line.starts_with("not ok") {
        return true;
    }
    let mut before = "";
    for word in line.split_whitespace() {
        let bare = word.trim_matches(|letter: char| !letter.is_alphanumeric());
        let zero = is_negation(before);
        let shouted = ["FAIL", "FAILED", "FAILURE"].contains(&bare);
        let ends = word.ends_with(':');
        let thrown = (bare.ends_with("Error") || bare.ends_with("Exception")) && bare.len() > 5;
        let coded = word.to_ascii_lowercase().starts_with("error[");
        let said = ["error", "fatal"].contains(&bare.to_ascii_lowercase().as_str());
        // `error TS2322:` has its code between the word and the colon.
        let numbered = before.eq_ignore_ascii_case("error") && ends && has_digit(bare);
        if !zero && (shouted || coded || numbered || (ends && (said || thrown))) {
            return true;
        }
        before = bare;
    }
    false
}

fn has_digit(word: &str) -> bool {
    word.bytes().any(|byte| byte.is_ascii_digit())
}

/// `0 errors`, `no error`.
fn is_negation(word: &str) -> bool {
    ["0", "no", "No", "without"].contains(&word)
}

/// Does a line have a word in it that errors have?
fn is_hint(line: &str) -> bool {
    let words: Vec<&str> = line
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    let bad = |word: &str| {
        let named = word.ends_with("Error") || word.ends_with("Exception");
        let plain = ["error", "fatal", "panicked", "fail", "failed"];
        named || plain.contains(&word.to_ascii_lowercase().as_str())
    };
    words.iter().enumerate().any(|(at, word)| {
        let none = at > 0 && is_negation(words[at - 1]);
        let zero = words.get(at + 1).is_some_and(|next| *next == "0");
        bad(word) && !none && !zero
    })
}

/// Does a line begin with a place, as `file:3:` or `file:3:2:`?
fn has_place(line: &str) -> bool {
    let Some(place) = line
        .split_whitespace()
        .next()
        .and_then(|word| word.strip_suffix(':'))
    else {
        return false;
    };
    let mut parts = place.rsplit(':');
    let number = parts.next().unwrap_or_default();
    let digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    digits && parts.next().is_some_and(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_compile_error_far_above_the_end_is_shown_with_its_place() {
        let noise = "  |\n".repeat(40);
        let stderr = format!(
            "   Compiling x v0.1.0\nerror[E0308]: mismatched types\n --> src/main.rs:3:5\n{noise}For more information, run rustc --explain\nerror: could not compile `x`\n"
        );
        insta::assert_snapshot!(make_excerpt(&stderr, "out"), @r"
        error[E0308]: mismatched types
         --> src/main.rs:3:5
          |
        For more information, run rustc --explain
        error: could not compile `x`
        ");
    }

    #[test]
    fn an_error_on_standard_output_is_shown_before_the_last_lines_of_standard_error() {
        let stdout = "src/a.ts(3,4): error TS2322: no\nFound 1 error.\n";
        assert_eq!(
            make_excerpt("npm notice\n", stdout),
            "src/a.ts(3,4): error TS2322: no\nFound 1 error.\nnpm notice"
        );
    }

    #[test]
    fn a_failed_test_of_cargo_is_shown_by_its_panic() {
        let stderr = "error: test failed, to rerun pass `--test x`\n";
        let stdout = "running 2 tests\n... 1/2\na --- FAILED\n\nfailures:\n\nthread 'a' (7) panicked at tests/x.rs:3:5:\nassertion `left == right` failed\n  left: 1\n\ntest result: FAILED. 1 passed; 1 failed\n";
        insta::assert_snapshot!(make_excerpt(stderr, stdout), @r"
        thread 'a' (7) panicked at tests/x.rs:3:5:
        assertion `left == right` failed
        error: test failed, to rerun pass `--test x`
        ");
    }

    #[test]
    fn a_traceback_is_shown_by_its_last_line() {
        let stderr = "ERROR: test_x\n-----\nTraceback (most recent call last):\n  File \"x.py\", line 3\n    f()\nValueError: free\n\n-----\nRan 1 test\n\nFAILED (errors=1)\n";
        assert_eq!(
            make_excerpt(stderr, ""),
            "ERROR: test_x\nValueError: free\n-----\nRan 1 test\nFAILED (errors=1)"
        );
    }

    #[test]
    fn colours_are_taken_off_before_the_plainest_line_is_looked_for() {
        let red = |text: &str| format!("\u{1b}[31m\u{1b}[1m{text}\u{1b}[22m\u{1b}[39m");
        let stdout = format!(
            "{}\n {}\u{1b}[2m >\u{1b}[22m adds\n{} expected 3\n 1/9\r 9/9\n{}\n{}\n",
            red("an error is expected"),
            red(" FAIL "),
            red("AssertionError:"),
            red("[1/1]"),
            "\u{1b}[39m"
        );
        assert_eq!(
            make_excerpt("", &stdout),
            "  FAIL  > adds\nAssertionError: expected 3\n 9/9\n[1/1]"
        );
        assert_eq!(make_excerpt("", "100%\r5\n"), "100%\\r5");
        let long = "x".repeat(70_000);
        let shown = make_excerpt("", &format!("{}\n", red(&long)));
        assert!(shown.contains("xxx"), "{shown}");
    }

    #[test]
    fn output_without_an_error_is_its_last_lines() {
        assert_eq!(
            make_excerpt("", "1\n2\n\n3\n4, with 0 errors\n"),
            "2\n3\n4, with 0 errors"
        );
        assert_eq!(make_excerpt("", ""), "");
    }

    #[test]
    fn errors_of_many_tools_are_recognised_and_summaries_without_one_are_not() {
        for line in [
            "KeyError: 'a'",
            "FAIL: test_x (tests.X)",
            "--- FAIL: TestX (0.00s)",
            " FAIL  src/a.test.ts > adds",
            "FAILED tests/test_x.py::test_y - assert 1 == 2",
            "not ok 3 - adds",
            "./x.go:3:2: undefined: y",
            "fatal: not a repository",
            "x.c:3:4: error: no",
            "error[E0308]: mismatched types",
            "src/a.ts(3,4): error TS2322: no",
            "E   AssertionError: assert 1 == 2",
            "ERROR: test_x",
            "test result: FAILED. 1 passed; 1 failed; 0 ignored",
        ] {
            assert_eq!(rate_plainness(line), Some(Plainness::Report), "{line}");
        }
        for line in [
            "2 failed, 3 passed",
            "Found 1 error.",
            "x.c:3:4: warning: no",
        ] {
            assert_eq!(rate_plainness(line), Some(Plainness::Hint), "{line}");
        }
        let panic = "thread 'main' panicked at src/lib.rs:1:1:";
        assert_eq!(rate_plainness(panic), Some(Plainness::Panic));
        for line in [
            "0 errors",
            "12 passed, 0 failed",
            "failed: 0, error: 0",
            "no errors",
            "No error.",
            "at 10:30: all well",
            "Checking x",
            "test error_handling ... ok",
            "ok 3 - reports an Error: as it should",
            "PASS src/error.test.ts",
            "\u{2713} fails with TypeError: as it should",
            "tests/test_error.py::test_fail PASSED",
        ] {
            assert_eq!(rate_plainness(line), None, "{line}");
        }
    }

    #[test]
    fn a_plain_report_is_shown_before_lines_that_merely_have_the_word() {
        let stdout = "error handling: 12 cases\nthe errors file was read\nan error is expected here\nnot ok 7 - adds\n  expected 3, got 4\nok 8 - fails well\n1..8\n# pass 7\n# fail 1\n";
        assert_eq!(
            make_excerpt("npm error code 1\n", stdout),
            "not ok 7 - adds\n  expected 3, got 4\nnpm error code 1"
        );
        let pytest = "collected 9 items\ntests/test_failed.py::test_error PASSED\nsome error text that was logged\nE       AssertionError: assert 3 == 4\ntests/x.py:3: AssertionError\n1\n2\n3\n";
        assert_eq!(
            make_excerpt("", pytest),
            "E       AssertionError: assert 3 == 4\ntests/x.py:3: AssertionError\n1\n2\n3"
        );
    }
}
