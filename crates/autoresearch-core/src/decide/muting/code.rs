//! Owns what mutes in code itself: attributes and pragmas, skipped tests, and escapes from what a tool checks.
//! Does not know which of them a run asks for; `subject` does.
//! Invariant: it reads tokens, so a word in a comment or in a text is none.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::mute::{MOST_OF_FILE, Mute, SuppressionKind, Width};
use crate::decide::gaming::tokens::{Language, Token, TokenKind, find_test_lines};
use crate::decide::gaming::{find_skips, is_test_file};

/// Endings of files with types.
const TYPED: [&str; 6] = [".ts", ".tsx", ".mts", ".cts", ".vue", ".svelte"];
/// What may follow `x!`, where it says that x is there.
const BEHIND: [&str; 16] = [
    ".", ";", ",", ")", "]", "}", "[", "=", "+", "-", "*", "/", "??", "&&", "||", ":",
];
/// The name of a mark that skips a test in some places.
pub(super) const SKIP_IF: &str = "skip if";
/// Folders of tests, beside those that the search for gaming knows.
const TEST_FOLDERS: [&str; 5] = ["test", "tests", "spec", "specs", "e2e"];
/// An attribute is not longer than this, in tokens.
const LONGEST_ATTRIBUTE: usize = 400;
/// A call or a pragma is not longer than this, in tokens.
const LONGEST_CALL: usize = 40;
/// What an attribute of Rust stands before.
const ITEMS: [&str; 11] = [
    "mod", "impl", "trait", "fn", "struct", "enum", "type", "let", "const", "static", "use",
];
/// Of no code is more kept, in bytes.
const LONGEST_TEXT: usize = 1_000;

struct Reader<'t> {
    path: &'t str,
    is_test: bool,
    /// Is there `from typing import cast`?
    imports_cast: bool,
    tokens: &'t [Token],
    found: Vec<Mute>,
}

/// Does a file take `cast` out of the module of types?
fn imports_typing_cast(tokens: &[Token]) -> bool {
    let word = |at: usize| tokens.get(at).map_or("", |token| token.text.as_str());
    let mut imports = (0..tokens.len()).filter(|at| {
        word(*at) == "from"
            && matches!(word(at + 1), "typing" | "typing_extensions")
            && word(at + 2) == "import"
    });
    imports.any(|at| {
        let names = tokens[at + 3..].iter().take(LONGEST_ATTRIBUTE);
        let mut names = names.take_while(|token| {
            token.kind == TokenKind::Name && !matches!(token.text.as_str(), "from" | "import")
                || matches!(token.text.as_str(), "," | "(")
        });
        names.any(|token| token.text == "cast")
    })
}

pub(super) fn list_code_mutes(path: &str, language: Language, tokens: &[Token]) -> Vec<Mute> {
    let mut folders = path.split('/');
    let stem = path.rsplit('/').next().unwrap_or_default();
    let stem = stem.split('.').next().unwrap_or_default();
    let is_test = is_test_file(path)
        || stem.ends_with("_spec")
        || folders.any(|part| TEST_FOLDERS.contains(&part));
    let mut reader = Reader {
        path,
        is_test,
        imports_cast: language == Language::Python && imports_typing_cast(tokens),
        tokens,
        found: Vec::new(),
    };
    reader.add_skips(language);
    for at in 0..tokens.len() {
        if reader.found.len() >= MOST_OF_FILE {
            break;
        }
        match language {
            Language::Python => reader.read_python(at),
            Language::Script => reader.read_script(at),
            Language::Rust => reader.read_rust(at),
            Language::Other => reader.read_other(at),
            _ => {}
        }
    }
    reader.found
}

impl Reader<'_> {
    fn word(&self, at: usize) -> &str {
        let token = self.tokens.get(at);
        token.map_or("", |token| {
            if token.is_string() {
                "\""
            } else {
                token.text.as_str()
            }
        })
    }

    fn before(&self, at: usize, steps: usize) -> &str {
        at.checked_sub(steps).map_or("", |at| self.word(at))
    }

    /// Do these words stand here?
    fn has(&self, at: usize, words: &str) -> bool {
        let mut all = words.split(' ').enumerate();
        all.all(|(step, word)| self.word(at + step) == word)
    }

    fn add(&mut self, kind: SuppressionKind, name: &str, from: usize, to: usize) {
        self.add_codes(kind, name, (from, to), BTreeSet::new());
    }

    fn add_codes(
        &mut self,
        kind: SuppressionKind,
        name: &str,
        (from, to): (usize, usize),
        codes: BTreeSet<String>,
    ) {
        let to = to.min(self.tokens.len() - 1);
        let lines = self.tokens[from].line..=self.tokens[to].last;
        let text = show_tokens(&self.tokens[from..=to]);
        self.found.push(Mute {
            kind,
            name: name.to_owned(),
            codes,
            width: Width::Line,
            lines,
            text,
        });
    }

    fn escape(&mut self, name: &str, from: usize, to: usize) {
        self.add(SuppressionKind::Escape, name, from, to);
    }

    fn add_skips(&mut self, language: Language) {
        if matches!(language, Language::Shell | Language::Data) {
            return;
        }
        if language == Language::Script && !self.is_test {
            return;
        }
        let lines = find_test_lines(self.tokens, language);
        let has_tests = self.is_test || (0..self.tokens.len()).any(|at| self.has(at, "@ Test"));
        for (from, to) in find_skips(self.tokens, language) {
            let is_mark = self.word(from) == "[" && self.before(from, 1) == "#";
            let here = match language {
                Language::Rust => {
                    is_mark || (self.word(from) != "[" && lines.contains(&self.tokens[from].line))
                }
                // A word alone may be any name.
                Language::Other | Language::Hashed => {
                    has_tests || (from..=to).any(|at| self.word(at) == "(")
                }
                _ => true,
            };
            if here {
                let mut words = (from..=to).map(|at| self.word(at).to_ascii_lowercase());
                let is_some = words
                    .any(|word| matches!(word.as_str(), "skipif" | "skipunless" | "importorskip"));
                let name = if is_some { SKIP_IF } else { "skip" };
                self.add(SuppressionKind::Skip, name, from, to);
            }
        }
    }

    fn read_python(&mut self, at: usize) {
        match self.word(at) {
            "Any" => self.read_python_any(at),
            "cast" if self.word(at + 1) == "(" && self.is_typing_cast(at) => {
                self.escape("cast", at, at + 2);
            }
            "no_type_check" if self.before(at, 1) == "@" || self.before(at, 1) == "." => {
                self.add(SuppressionKind::Ignore, "types", at, at);
            }
            "except" => self.read_python_except(at),
            "suppress" if self.word(at + 1) == "(" => {
                if matches!(self.word(at + 2), "Exception" | "BaseException") {
                    self.escape("swallow", at, at + 3);
                }
            }
            _ => {}
        }
    }

    fn read_python_any(&mut self, at: usize) {
        let first = match at.checked_sub(2) {
            Some(module) if self.before(at, 1) == "." => module,
            _ => at,
        };
        let sign = self.before(first, 1);
        let is_cast = sign == "(" && self.before(first, 2) == "cast";
        let is_open = !matches!(self.word(at + 1), "." | "[" | "|");
        if is_cast {
            self.escape("any", first - 2, at);
        } else if (sign == "->" || sign == ":") && is_open {
            self.escape("any", first - 1, at);
        }
    }

    /// Many packages have a `cast`; that of `typing` is told by its module or its import.
    fn is_typing_cast(&self, at: usize) -> bool {
        let module = self.before(at, 2);
        match self.before(at, 1) {
            "." => matches!(module, "typing" | "t" | "typing_extensions"),
            "def" => false,
            _ => self.imports_cast,
        }
    }

    /// `except: pass`, and the same of every exception.
    fn read_python_except(&mut self, at: usize) {
        let mut colon = at + 1;
        if matches!(self.word(colon), "Exception" | "BaseException") {
            colon += 1;
            if self.word(colon) == "as" {
                colon += 2;
            }
        }
        let body = self.word(colon + 1);
        if self.word(colon) == ":" && matches!(body, "pass" | "..." | "continue") {
            self.escape("swallow", at, colon + 1);
        }
    }

    fn read_script(&mut self, at: usize) {
        if self.word(at) == "catch" {
            self.read_catch(at);
        }
        if !TYPED.iter().any(|ending| self.path.ends_with(ending)) {
            return;
        }
        match self.word(at) {
            "any" if matches!(self.before(at, 1), ":" | "as" | "=>" | "<" | "|" | "&") => {
                self.escape("any", at - 1, at);
            }
            "any" if self.before(at, 1) == "=" && self.before(at, 3) == "type" => {
                self.escape("any", at - 3, at);
            }
            "any" if self.before(at, 1) == "extends" => self.escape("any", at - 1, at),
            "any" if self.before(at, 1) == "," && matches!(self.word(at + 1), ">" | ">>") => {
                self.escape("any", at, at);
            }
            "as" if self.has(at, "as unknown as") => self.escape("as unknown as", at, at + 2),
            "as" if self.word(at + 1) == "never" => self.escape("as never", at, at + 1),
            // A test finds out by itself.
            "!" if !self.is_test => self.read_bang(at),
            "is" => self.read_predicate(at),
            _ => {}
        }
    }

    /// `x!.y`: x is said to be there.
    fn read_bang(&mut self, at: usize) {
        let Some(owner) = at.checked_sub(1).map(|at| &self.tokens[at]) else {
            return;
        };
        let is_value = match owner.kind {
            TokenKind::Name => !matches!(
                owner.text.as_str(),
                "return" | "case" | "typeof" | "await" | "in" | "of" | "if" | "else" | "do"
            ),
            TokenKind::Sign => matches!(owner.text.as_str(), ")" | "]"),
            _ => false,
        };
        let is_near = owner.last == self.tokens[at].line;
        let is_end = self.tokens.get(at + 1).is_none_or(|next| {
            next.line > self.tokens[at].line || BEHIND.contains(&self.word(at + 1))
        });
        let is_if = self.word(at - 1) == ")" && self.word(at + 1) == "(";
        if is_value && is_near && is_end && !is_if {
            self.escape("non-null", at - 1, at);
        }
    }

    /// `x is T` of a function that answers yes to everything.
    fn read_predicate(&mut self, at: usize) {
        let is_type = self.before(at, 2) == ":" && self.before(at, 3) == ")";
        if !is_type {
            return;
        }
        let open = (at..at + 14).find(|at| matches!(self.word(*at), "{" | "=>"));
        let Some(open) = open else {
            return;
        };
        if self.has(open, "{ return true") || self.has(open, "=> true") {
            self.escape("predicate", at - 1, open + 2);
        } else if self.has(open, "=> { return true") {
            self.escape("predicate", at - 1, open + 3);
        }
    }

    /// An empty handler of whatever is thrown.
    fn read_catch(&mut self, at: usize) {
        if self.before(at, 1) != "." {
            let open = match self.word(at + 1) {
                "(" => (at + 1..at + 8)
                    .find(|at| self.word(*at) == ")")
                    .map(|at| at + 1),
                _ => Some(at + 1),
            };
            if let Some(open) = open.filter(|open| self.has(*open, "{ }")) {
                self.escape("swallow", at, open + 1);
            }
        } else if self.has(at, "catch ( ( ) => { } )") {
            self.escape("swallow", at, at + 7);
        }
    }

    fn read_rust(&mut self, at: usize) {
        let is_inner = self.has(at, "# ! [");
        let open = at + 1 + usize::from(is_inner);
        if self.word(at) == "#" && self.word(open) == "[" {
            self.read_attribute(at, open, is_inner);
        }
        if self.has(at, "# [ cfg (") {
            self.read_condition(at);
        }
        if self.word(at) == "unwrap_unchecked" {
            self.escape("unwrap", at, at);
        }
        let is_empty = self
            .tokens
            .get(at + 2)
            .is_some_and(|token| token.text.is_empty());
        if self.has(at, "expect ( \" )") && is_empty {
            self.escape("unwrap", at, at + 3);
        }
        if self.word(at) == "unwrap_or_else" {
            let panics = (at..at + 9).find(|at| matches!(self.word(*at), "panic" | "unreachable"));
            if let Some(end) = panics {
                self.escape("unwrap", at, end + 1);
            }
        }
    }

    /// `#[cfg(any())]`: what stands behind it is never built. Another condition at a test lets it run in some places only.
    fn read_condition(&mut self, at: usize) {
        const NEVER: [&str; 4] = [
            "any ( ) ) ]",
            "false ) ]",
            "FALSE ) ]",
            "not ( all ( ) ) ) ]",
        ];
        if let Some(never) = NEVER.iter().find(|never| self.has(at + 4, never)) {
            let end = at + 3 + never.split(' ').count();
            return self.add(SuppressionKind::Skip, "skip", at, end);
        }
        let most = (at..at + LONGEST_CALL).find(|at| self.word(*at) == "]");
        let is_test = |end: usize| {
            self.has(end + 1, "# [ test ]")
                || at
                    .checked_sub(4)
                    .is_some_and(|at| self.has(at, "# [ test ]"))
        };
        if let Some(end) = most.filter(|end| is_test(*end)) {
            self.add(SuppressionKind::Skip, SKIP_IF, at, end);
        }
    }

    /// `#[allow(a, b)]`, `#[expect(a, reason = "")]`, `#[cfg_attr(x, allow(a))]`.
    fn read_attribute(&mut self, from: usize, open: usize, is_inner: bool) {
        let mut depth = 0_u32;
        let mut end = open;
        let mut codes = BTreeSet::new();
        let mut lists: Option<u32> = None;
        let mut path = String::new();
        let most = self.tokens.len().min(open + LONGEST_ATTRIBUTE);
        while end < most {
            let text = self.word(end);
            match text {
                "(" | "[" => {
                    depth += 1;
                    let word = self.before(end, 1);
                    let starts = matches!(self.before(end, 2), "[" | "," | "(");
                    if matches!(word, "allow" | "expect") && starts && text == "(" {
                        lists = Some(depth);
                        path.clear();
                    }
                }
                ")" | "]" => {
                    if lists == Some(depth) {
                        take_lint(&mut path, &mut codes);
                        lists = None;
                    }
                    depth -= 1;
                }
                "," if lists.is_some() => take_lint(&mut path, &mut codes),
                _ if lists.is_some() => path.push_str(text),
                _ => {}
            }
            if depth == 0 {
                break;
            }
            end += 1;
        }
        if codes.is_empty() {
            return;
        }
        self.add_codes(SuppressionKind::Ignore, "allow", (from, end), codes);
        let items = (end + 1..end + LONGEST_CALL).map(|at| self.word(at));
        let mut items =
            items.skip_while(|word| !ITEMS.contains(word) && !matches!(*word, ";" | "}"));
        let is_block = items
            .next()
            .is_some_and(|word| matches!(word, "mod" | "impl" | "trait"));
        if let (true, Some(last)) = (is_inner || is_block, self.found.last_mut()) {
            last.width = Width::File;
        }
    }

    fn read_other(&mut self, at: usize) {
        let ignore = SuppressionKind::Ignore;
        match self.word(at) {
            "@" if matches!(
                self.word(at + 1),
                "SuppressWarnings" | "Suppress" | "SuppressFBWarnings" | "SuppressLint" | "nowarn"
            ) =>
            {
                let end = self.end_of_call(at + 2);
                self.add_texts("suppress", at, end);
            }
            "[" if self.word(at + 1) == "SuppressMessage" => {
                let end = self.end_of_call(at + 2);
                self.add_texts("suppress", at, end);
            }
            "#" if self.has(at, "# pragma warning disable") => {
                let end = self.end_of_line(at);
                let codes = self.tokens[at + 4..=end].iter();
                let codes = codes.filter(|token| token.kind != TokenKind::Sign);
                let codes = codes.map(|token| token.text.clone()).collect();
                self.add_codes(ignore, "pragma", (at, end), codes);
            }
            "#" if self.has(at, "# nullable disable") => self.add(ignore, "nullable", at, at + 2),
            "#" if self.word(at + 1) == "pragma" && self.has(at + 3, "diagnostic ignored") => {
                self.add_texts("pragma", at, self.end_of_line(at));
            }
            "#" if self.has(at, "# pragma warning ( disable") => {
                self.add(ignore, "pragma", at, self.end_of_line(at));
            }
            "catch" => self.read_catch(at),
            _ => {}
        }
    }

    /// The codes are the texts in between.
    fn add_texts(&mut self, name: &str, from: usize, to: usize) {
        let to = to.min(self.tokens.len() - 1);
        let texts = self.tokens[from..=to]
            .iter()
            .filter(|token| token.is_string());
        let codes = texts.map(|token| token.text.clone()).collect();
        self.add_codes(SuppressionKind::Ignore, name, (from, to), codes);
    }

    fn end_of_call(&self, open: usize) -> usize {
        if self.word(open) != "(" {
            return open - 1;
        }
        let close = (open..open + LONGEST_CALL).find(|at| self.word(*at) == ")");
        close.unwrap_or(open)
    }

    fn end_of_line(&self, at: usize) -> usize {
        let line = self.tokens[at].line;
        let rest = self.tokens[at..].iter().take(LONGEST_CALL);
        at + rest.take_while(|token| token.line == line).count() - 1
    }
}

/// A lint's name; the reason is none.
fn take_lint(path: &mut String, codes: &mut BTreeSet<String>) {
    let lint = std::mem::take(path);
    if !lint.is_empty() && !lint.starts_with("reason=") {
        codes.insert(lint);
    }
}

/// Tokens as code, with blanks between names.
fn show_tokens(tokens: &[Token]) -> String {
    let mut shown = String::new();
    let mut was_name = false;
    for token in tokens {
        let is_name = matches!(token.kind, TokenKind::Name | TokenKind::Number);
        if was_name && is_name {
            shown.push(' ');
        }
        if token.is_string() {
            let _ = write!(shown, "\"{}\"", token.text);
        } else {
            shown.push_str(&token.text);
        }
        was_name = is_name;
        if shown.len() > LONGEST_TEXT {
            break;
        }
    }
    shown
}
