//! Owns the search for the harness's own input in the code under work: an answer that is known by heart begins with it.
//! Does not read files.
//! Invariant: what a file held before, and what every program holds, is no input.

use std::collections::BTreeSet;

use super::tokens::{Token, TokenKind};

/// Numbers with fewer digits stand everywhere.
const DIGITS: usize = 3;
/// Texts that are shorter may be names that both sides share.
const LETTERS: usize = 12;
/// What stands beside a literal that decides something.
const COMPARISONS: [&str; 8] = ["==", "===", "!=", "!==", "=>", "case", "is", "when"];

/// The numbers and the longer texts of some code.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Literals(BTreeSet<String>);

impl Literals {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn add_tokens(&mut self, tokens: &[Token]) {
        self.0.extend(tokens.iter().filter_map(read_literal));
    }

    /// The added lines that hold literals of the harness which the file did not hold before: one that something is
    /// compared with, or several of them.
    pub(super) fn find_known(
        &self,
        tokens: &[Token],
        before: &[Token],
        new: &BTreeSet<u32>,
    ) -> BTreeSet<u32> {
        let mut old = Self::default();
        old.add_tokens(before);
        let mut known = Vec::new();
        for (at, token) in tokens.iter().enumerate() {
            let literal = read_literal(token);
            let is_known = |literal: &String| self.0.contains(literal) && !old.0.contains(literal);
            if let Some(literal) = literal.filter(is_known)
                && new.contains(&token.line)
            {
                known.push((at, literal));
            }
        }
        let numbers = known.iter().filter(|(at, _)| !tokens[*at].is_string());
        let numbers: BTreeSet<&String> = numbers.map(|(_, literal)| literal).collect();
        let is_several = numbers.len() > 1 && numbers.iter().any(|number| !is_round(number));
        let is_told = |(at, literal): &&(usize, String)| match tokens[*at].kind {
            TokenKind::Number => is_several || (!is_round(literal) && is_compared(tokens, *at)),
            _ => is_compared(tokens, *at),
        };
        let told = known.iter().filter(is_told);
        told.map(|(at, _)| tokens[*at].line).collect()
    }
}

/// A number without its separators and its type, or a text, if it is long enough to mean something.
fn read_literal(token: &Token) -> Option<String> {
    match token.kind {
        TokenKind::Number => {
            let plain = token.text.replace('_', "");
            let end = plain.find(|letter: char| !letter.is_ascii_digit() && letter != '.');
            let number = plain[..end.unwrap_or(plain.len())].trim_end_matches('.');
            let digits = number.trim_start_matches(['0', '.']).len();
            (digits >= DIGITS).then(|| number.to_owned())
        }
        TokenKind::Text => {
            let text = token.text.trim();
            (text.chars().count() >= LETTERS).then(|| text.to_owned())
        }
        TokenKind::Name | TokenKind::Sign => None,
    }
}

/// Is it a number that everybody likes: a power of ten or of two?
fn is_round(number: &str) -> bool {
    let is_ten = number.trim_end_matches('0') == "1";
    is_ten || number.parse().is_ok_and(u64::is_power_of_two)
}

fn is_compared(tokens: &[Token], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|at| tokens.get(at));
    let mut beside = [before, tokens.get(at + 1)].into_iter().flatten();
    beside.any(|token| !token.is_string() && COMPARISONS.contains(&token.text.as_str()))
}
