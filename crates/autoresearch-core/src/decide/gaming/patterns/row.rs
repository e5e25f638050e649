//! Owns how a row of the table is written, and how it is compared with code.
//! Does not know files or lines.
//! Invariant: a row is written as the code that it finds.
//!
//! Between blanks stand tokens. `@` is any name but `self`, `cls` and `this`, and `@@` the sign itself; `#` a number; `..` at most sixteen tokens of
//! one function, `,,` of one statement; `!A` a name that is not a member's; `%A` a name or a string that begins with `A`;
//! `'A` the string `A`; `"A` a string with a line whose first word is `A`; `^A` one that begins with `A`; `~A` one that
//! holds `A`.

use crate::config::SuspectPattern;
use crate::decide::gaming::tokens::{Token, TokenKind};

/// Where a rule looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Everywhere.
    Always,
    /// Not in tests, nor where a program begins.
    Library,
    /// The same, in files that did nothing of the kind before.
    New,
    /// As `Library`, on lines without an indent.
    Module,
}

/// One row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    pub pattern: SuspectPattern,
    pub reach: Reach,
    pub code: &'static str,
}

/// Rows of one pattern: a code a line.
pub(super) type Rows = (SuspectPattern, Reach, &'static str);

/// How many tokens `..` stands for.
const GAP: usize = 16;
/// What begins another function.
const FUNCTION: [&str; 4] = ["fn", "def", "class", "function"];
/// What begins another statement.
const STATEMENT: [&str; 9] = ["if", "for", "while", "return", "with", "as", "{", "}", ";"];
/// What stands before the name of a member, or before a name that is declared.
const OWNERS: [&str; 5] = [".", "::", "fn", "def", "function"];

impl Rule {
    /// The token that it begins with, if that is a certain one.
    pub(crate) fn first_word(&self) -> Option<&'static str> {
        let first = self.code.split(' ').next()?;
        let first = first.strip_prefix('!').unwrap_or(first);
        let is_certain =
            first.starts_with(|letter: char| letter.is_alphanumeric() || letter == '_');
        is_certain.then_some(first)
    }

    /// Where the code ends that begins here and is this rule's.
    pub(crate) fn match_at(&self, tokens: &[Token], at: usize) -> Option<usize> {
        let mut words = self.code.split(' ');
        let first = words.next()?;
        let free = first.strip_prefix('!').filter(|name| !name.is_empty());
        let is_member = at > 0 && OWNERS.contains(&tokens[at - 1].text.as_str());
        if !is_token(free.unwrap_or(first), tokens.get(at)?) || (free.is_some() && is_member) {
            return None;
        }
        match_words(words, tokens, at + 1)
    }
}

fn match_words<'w>(
    mut words: impl Iterator<Item = &'w str> + Clone,
    tokens: &[Token],
    at: usize,
) -> Option<usize> {
    let Some(word) = words.next() else {
        return Some(at);
    };
    if let ".." | ",," = word {
        let ends: &[&str] = if word == ",," { &STATEMENT } else { &[] };
        let passed = tokens.get(at..)?.iter().take(GAP).take_while(|token| {
            let text = token.text.as_str();
            token.is_string() || !(FUNCTION.contains(&text) || ends.contains(&text))
        });
        let most = at + passed.count();
        return (at..=most).find_map(|from| match_words(words.clone(), tokens, from));
    }
    if is_token(word, tokens.get(at)?) {
        return match_words(words, tokens, at + 1);
    }
    None
}

fn is_token(word: &str, token: &Token) -> bool {
    let text = token.text.as_str();
    let is_string = token.is_string();
    match (word.split_at_checked(1), word) {
        (_, "@") => {
            token.kind == TokenKind::Name && !matches!(text, "self" | "cls" | "this" | "super")
        }
        (_, "@@") => !is_string && text == "@",
        (_, "#") => token.kind == TokenKind::Number,
        (Some(("%", start)), _) if !start.is_empty() && start != "=" => {
            (is_string || token.kind == TokenKind::Name) && text.starts_with(start)
        }
        (Some(("\"", first)), _) => is_string && is_first_word(text, first),
        (Some(("'", whole)), _) => is_string && text == whole,
        (Some(("^", start)), _) if start.len() > 1 => is_string && text.starts_with(start),
        (Some(("~", part)), _) if !part.is_empty() => is_string && text.contains(part),
        _ => !is_string && text == word,
    }
}

/// A string may begin with an escaped line end, or with a placeholder for nothing.
fn is_first_word(text: &str, word: &str) -> bool {
    let lines = text.split('\n').flat_map(|line| line.split("\\n"));
    let mut firsts = lines.filter_map(|line| line.split_whitespace().next());
    firsts.any(|first| first == word) && text.contains(' ')
}
