//! Owns how an answer looks in a snapshot: its exit code and all that it printed, without what differs from run to run.
//! Does not leave anything else out: a snapshot is read as a person would read the answer.
//! Invariant: what is replaced is named, so that its place is checked.

use std::fmt::{Display, Formatter, Result};

use crate::testbed::Answer;

/// What differs from run to run, and what stands for it. What comes first counts first: seven digits alone may be a hash.
pub(crate) const CHANGING: [(&str, &str); 25] = [
    (r"(/[\w.+-]+)+/autoresearch-sealed", "<program>"),
    (r"(/[\w.+-]+)*/ar-test-\w+", "<bed>"),
    (r"git: \d+(\.\d+)* at \S+", "git: <version> at <git>"),
    // A developer has a Codex on PATH, and a builder has none.
    (r"(?m)^\w+ +codex: .*(\n\w+ +(codex|git) .*)*", "<codex>"),
    // Not every system has what a sandbox needs.
    (r"(?m)^\w+ +sandbox: .*(\n {9}.*)?", "<sandbox>"),
    (r"(?m)^sandbox   .*", "<sandbox>"),
    (r"(?m)^trial     .*", "<trial>"),
    (
        r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?( [+-]\d\d:\d\d)?( \(\d\d:\d\d UTC\)|Z| UTC)?",
        "<time>",
    ),
    (r"\d{4}-\d\d-\d\d", "<date>"),
    (r"the file has \d{7} bytes", "the file has <count> bytes"),
    (
        r"an incomplete line of \d+ bytes",
        "an incomplete line of <count> bytes",
    ),
    (r"from 1 to \d{7}", "from 1 to <most>"),
    (r#""timeout": \d{7}"#, r#""timeout": <most>"#),
    (r"\b[0-9a-f]{64}\b", "<hash>"),
    (r"\b[0-9a-f]{40}\b", "<commit>"),
    (r"\b[0-9a-f]{32}\b", "<id>"),
    (r"/[0-9a-f]{12}/autoresearch-", "/<id>/autoresearch-"),
    (r"\b[0-9a-f]{7}\b", "<commit>"),
    (r#"_ms":\d+"#, r#"_ms":<ms>"#),
    (r"process \d+", "process <pid>"),
    (r"supervisor \d+", "supervisor <pid>"),
    (r"(\d+(\.\d+)?(ms|s|m|h|d) ?)+ ago", "<span> ago"),
    (r"(\d+(ms|s|m))+ a run", "<span> a run"),
    (r"(\d+(ms|s|m))+, \d+\.\d times", "<span>, <count> times"),
    (r"\d+(\.\d+)? (KiB|MiB|GiB) free", "<size> free"),
];

/// Compares a whole answer, or any other text, with its snapshot.
macro_rules! assert_answer {
    ($value:expr, @$snapshot:literal) => {
        insta::with_settings!({filters => $crate::shown::CHANGING}, {
            insta::assert_snapshot!($value.to_string(), @$snapshot);
        })
    };
}
pub(crate) use assert_answer;

impl Display for Answer {
    fn fmt(&self, to: &mut Formatter) -> Result {
        if self.code != 0 {
            writeln!(to, "exit code {}", self.code)?;
        }
        to.write_str(&self.out)?;
        if !self.err.is_empty() {
            write!(to, "--- stderr\n{}", self.err)?;
        }
        Ok(())
    }
}
