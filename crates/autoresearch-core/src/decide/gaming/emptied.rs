//! Owns the search for checks that a trial empties: tests that ask less than before.
//! Does not read rows; what a test is skipped with stands in the tables.
//! Invariant: what moves from one test to another is not missing.

use super::tokens::{Language, Token, TokenKind};

/// What a test asks with.
const QUESTIONS: [&str; 4] = ["assert", "expect", "prop_assert", "should"];

/// What the tests of some code ask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::decide) struct Asked {
    tests: usize,
    questions: usize,
    /// Marks that run one test with many inputs.
    tables: usize,
}

impl Asked {
    pub(super) fn add(&mut self, other: Self) {
        self.tests += other.tests;
        self.questions += other.questions;
        self.tables += other.tables;
    }

    /// Has it more tables, into which tests may have gone?
    pub(in crate::decide) fn has_more_tables_than(self, other: Self) -> bool {
        self.tables > other.tables
    }

    /// What is told of tests that ask less than before.
    pub(in crate::decide) fn tell_less_than(self, other: Self) -> String {
        if self.questions < other.questions {
            format!(
                "the tests ask {} times, not {}",
                self.questions, other.questions
            )
        } else {
            format!("{} tests, not {}", self.tests, other.tests)
        }
    }

    /// Does it ask less?
    pub(in crate::decide) fn is_less_than(self, other: Self) -> bool {
        self.tests < other.tests || self.questions < other.questions
    }
}

/// Counts what tests ask: all of a file that is one, else what stands on these lines.
pub(super) fn count_asked(
    tokens: &[Token],
    language: Language,
    is_test: &dyn Fn(u32) -> bool,
) -> Asked {
    let mut asked = Asked::default();
    for (at, token) in tokens.iter().enumerate() {
        if token.kind != TokenKind::Name || !is_test(token.line) {
            continue;
        }
        let name = token.text.as_str();
        let before = at.checked_sub(1).map_or("", |at| tokens[at].text.as_str());
        let after = tokens.get(at + 1).map_or("", |token| token.text.as_str());
        let is_question = QUESTIONS.iter().any(|word| name.starts_with(word));
        let is_listed = matches!(before, "," | "{") && matches!(after, "," | "}");
        let is_named = is_listed || matches!(before, "import" | "from");
        asked.questions += usize::from(is_question && !is_named);
        asked.tests += usize::from(match language {
            Language::Python => before == "def" && name.starts_with("test"),
            Language::Script => matches!(name, "it" | "test") && after == "(" && before != ".",
            Language::Rust => name == "test" && matches!(before, "[" | "::") && after == "]",
            _ => before == "func" && name.starts_with("Test"),
        });
        asked.tables += usize::from(match name {
            "parametrize" | "subTest" => true,
            "each" => before == "." && matches!(after, "(" | "`"),
            "case" | "rstest" => before == "[",
            _ => false,
        });
    }
    asked
}
