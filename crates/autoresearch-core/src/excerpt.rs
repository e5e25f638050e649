//! Owns the excerpt of a command's output: the first line that looks like an error, and the last lines.
//! Does not decide how a command ended; no verdict hangs on these words.
//! Invariant: an excerpt is short, in the order of the output, and no line of it is made up.

use crate::brief::clip;
use crate::table::escape;

/// How many of the last lines are shown.
const LAST: usize = 3;
/// The longest line, in characters.
const WIDTH: usize = 100;

/// The lines that tell most about a failure. The last lines are of the first text that says anything. The error is looked
/// for in both texts, until one says more than these: cargo has one closing line on standard error, and the failed test on
/// standard output.
#[must_use]
pub fn excerpt(stderr: &str, stdout: &str) -> String {
    let texts = [lines(stderr), lines(stdout)];
    let last = texts.iter().find(|lines| !lines.is_empty());
    let last = last.map_or(&[][..], |lines| &lines[lines.len().saturating_sub(LAST)..]);
    let mut shown: Vec<&str> = Vec::new();
    for lines in &texts {
        shown.extend(error(lines));
        shown.retain(|line| !last.contains(line));
        if !shown.is_empty() {
            break;
        }
    }
    let all = shown.iter().chain(last);
    all.map(|line| clip(&escape(line), WIDTH))
        .collect::<Vec<_>>()
        .join("\n")
}

/// The first line that looks like an error, with its explanation. A panic says more than the name of the failed test
/// before it.
fn error<'a>(lines: &[&'a str]) -> Vec<&'a str> {
    let panic = lines.iter().position(|line| line.contains(" panicked at "));
    let at = panic.or_else(|| lines.iter().position(|line| looks_like_an_error(line)));
    at.map_or_else(Vec::new, |at| {
        let mut shown = vec![lines[at]];
        shown.extend(explanation(&lines[at + 1..]));
        shown
    })
}

fn lines(text: &str) -> Vec<&str> {
    text.lines()
        .map(str::trim_end)
        .filter(|line| !line.is_empty())
        .collect()
}

/// The line after an error often names its place. After the head of a Python traceback it is the one at its end.
fn explanation<'a>(after: &[&'a str]) -> Option<&'a str> {
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
/// not `0 errors`.
fn looks_like_an_error(line: &str) -> bool {
    let words: Vec<&str> = line
        .split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    let bad = |word: &str| {
        let named = word.ends_with("Error") || word.ends_with("Exception");
        let plain = ["error", "fatal", "panicked", "fail", "failed"];
        named || plain.contains(&word.to_ascii_lowercase().as_str())
    };
    let none = |word: &str| ["0", "no", "without"].contains(&word);
    let said = words
        .iter()
        .enumerate()
        .any(|(at, word)| bad(word) && (at == 0 || !none(words[at - 1])));
    said || has_place(line)
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
        insta::assert_snapshot!(excerpt(&stderr, "out"), @r"
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
            excerpt("npm notice\n", stdout),
            "src/a.ts(3,4): error TS2322: no\nFound 1 error.\nnpm notice"
        );
    }

    #[test]
    fn a_failed_test_of_cargo_is_shown_by_its_panic() {
        let stderr = "error: test failed, to rerun pass `--test x`\n";
        let stdout = "running 2 tests\n... 1/2\na --- FAILED\n\nfailures:\n\nthread 'a' (7) panicked at tests/x.rs:3:5:\nassertion `left == right` failed\n  left: 1\n\ntest result: FAILED. 1 passed; 1 failed\n";
        insta::assert_snapshot!(excerpt(stderr, stdout), @r"
        thread 'a' (7) panicked at tests/x.rs:3:5:
        assertion `left == right` failed
        error: test failed, to rerun pass `--test x`
        ");
    }

    #[test]
    fn a_traceback_is_shown_by_its_last_line() {
        let stderr = "ERROR: test_x\n-----\nTraceback (most recent call last):\n  File \"x.py\", line 3\n    f()\nValueError: free\n\n-----\nRan 1 test\n\nFAILED (errors=1)\n";
        assert_eq!(
            excerpt(stderr, ""),
            "ERROR: test_x\nValueError: free\n-----\nRan 1 test\nFAILED (errors=1)"
        );
    }

    #[test]
    fn output_without_an_error_is_its_last_lines() {
        assert_eq!(
            excerpt("", "1\n2\n\n3\n4, with 0 errors\n"),
            "2\n3\n4, with 0 errors"
        );
        assert_eq!(excerpt("", ""), "");
    }

    #[test]
    fn errors_of_many_tools_are_recognised_and_summaries_without_one_are_not() {
        for line in [
            "KeyError: 'a'",
            "FAIL: test_x (tests.X)",
            "./x.go:3:2: undefined: y",
            "thread 'main' panicked at src/lib.rs:1:1:",
            "fatal: not a repository",
            "x.c:3:4: error: no",
        ] {
            assert!(looks_like_an_error(line), "{line}");
        }
        for line in [
            "0 errors",
            "12 passed, 0 failed",
            "at 10:30: all well",
            "Checking x",
        ] {
            assert!(!looks_like_an_error(line), "{line}");
        }
    }
}
