//! Owns where the functions of a file stand: their names, their heads and their bodies, as places among its tokens.
//! Does not know what is suspicious.
//! Invariant: each search is linear in the file; brackets are paired once.

use std::ops::Range;

use super::tokens::{Language, Token};

/// A head is not longer than this, in tokens.
const LONGEST_HEAD: usize = 120;
/// What stands before brackets and a block, and is not a function of JavaScript.
const KEYWORDS: [&str; 10] = [
    "if", "for", "while", "switch", "catch", "with", "function", "return", "await", "typeof",
];

/// A function, a method, or a name that is given one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Function {
    pub name: String,
    /// From its name to its body.
    pub head: Range<usize>,
    pub body: Range<usize>,
}

/// The tokens of a file, and where its brackets close.
pub(super) struct Code<'t> {
    pub tokens: &'t [Token],
    pub language: Language,
    closes: Vec<Option<usize>>,
    /// How far each line is indented.
    indents: Vec<usize>,
}

impl<'t> Code<'t> {
    pub(super) fn new(text: &str, tokens: &'t [Token], language: Language) -> Self {
        let indent = |line: &str| line.len() - line.trim_start().len();
        Self {
            tokens,
            language,
            closes: pair_brackets(tokens),
            indents: text.lines().map(indent).collect(),
        }
    }

    pub(super) fn word(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |token| token.text.as_str())
    }

    fn word_before(&self, at: usize) -> &str {
        at.checked_sub(1).map_or("", |before| self.word(before))
    }

    /// Is it this sign or name, and not a string that holds it?
    pub(super) fn is_word(&self, at: usize, word: &str) -> bool {
        let token = self.tokens.get(at);
        token.is_some_and(|token| !token.is_string() && token.text == word)
    }

    pub(super) fn close_of(&self, at: usize) -> Option<usize> {
        self.closes.get(at).copied().flatten()
    }

    pub(super) fn find_functions(&self) -> Vec<Function> {
        let found = |at| match self.language {
            Language::Python => self.read_python(at),
            Language::Script => self.read_script(at),
            Language::Rust => self.read_rust(at),
            _ => None,
        };
        (0..self.tokens.len()).filter_map(found).collect()
    }

    fn indent_of(&self, at: usize) -> usize {
        let line = self.tokens.get(at).map_or(1, |token| token.line);
        let line = usize::try_from(line).unwrap_or(usize::MAX);
        let indent = self.indents.get(line.saturating_sub(1));
        indent.copied().unwrap_or_default()
    }

    /// Where a statement of Python ends that begins on the line of this token: what is indented more belongs to it.
    fn end_of_block(&self, at: usize) -> usize {
        let (line, indent) = (self.tokens[at].line, self.indent_of(at));
        let ends = |next: &usize| {
            let token = &self.tokens[*next];
            let is_first = token.line > self.tokens[next - 1].last;
            let closes = matches!(token.text.as_str(), ")" | "]" | "}");
            token.line > line && is_first && !closes && self.indent_of(*next) <= indent
        };
        let end = (at + 1..self.tokens.len()).find(ends);
        end.unwrap_or(self.tokens.len())
    }

    /// `def name`, `name = lambda`, `"name": f` and `setattr(A, "name", f)`.
    fn read_python(&self, at: usize) -> Option<Function> {
        let follows = |word: &str| self.is_word(at + 1, word);
        let name = self.word(at);
        let is_special = name.starts_with("__") && name.ends_with("__");
        let is_given = is_special && (follows("=") || follows(":") || follows(","));
        if self.word_before(at) != "def"
            && !is_given
            && !(follows("=") && self.is_word(at + 2, "lambda"))
        {
            return None;
        }
        let open = at + 1;
        let body = self.close_of(open).unwrap_or(open);
        let end = self.end_of_block(at);
        (body < end).then(|| Function {
            name: name.to_owned(),
            head: at..body,
            body: body..end,
        })
    }

    /// `function name() {}`, `name() {}`, `name = () => x`, `name: function () {}`.
    fn read_script(&self, at: usize) -> Option<Function> {
        let token = &self.tokens[at];
        let name = token.text.as_str();
        if KEYWORDS.contains(&name) {
            return None;
        }
        let is_member = self.word_before(at) == ".";
        // `[Symbol.toPrimitive]() {}`
        let after = at + 1 + usize::from(self.is_word(at + 1, "]"));
        let body = if self.is_word(after, "(") {
            let close = self.close_of(after)?;
            let is_named = !is_member || after > at + 1;
            is_named.then(|| self.find_open(close + 1)).flatten()?
        } else if self.is_word(after, "=") || self.is_word(after, ":") {
            self.find_value(after + 1)?
        } else {
            return None;
        };
        Some(Function {
            name: name.to_owned(),
            head: at..body,
            body: body..self.end_of_value(body),
        })
    }

    /// The brace that opens a block, where nothing but a type stands before it.
    fn find_open(&self, from: usize) -> Option<usize> {
        if self.is_word(from, "{") {
            return Some(from);
        }
        if !self.is_word(from, ":") {
            return None;
        }
        let ends = |at: &usize| matches!(self.word(*at), "{" | ";" | "=" | "=>" | ")");
        let end = (from..self.tokens.len().min(from + LONGEST_HEAD)).find(ends)?;
        self.is_word(end, "{").then_some(end)
    }

    /// The body of a function that stands as a value.
    fn find_value(&self, from: usize) -> Option<usize> {
        let from = from + usize::from(self.is_word(from, "async"));
        if self.is_word(from, "function") {
            let most = self.tokens.len().min(from + LONGEST_HEAD);
            let open = (from..most).find(|at| self.is_word(*at, "("))?;
            return self.find_open(self.close_of(open)? + 1);
        }
        let last = if self.is_word(from, "(") {
            self.close_of(from)?
        } else {
            from
        };
        let most = self.tokens.len().min(last + 1 + LONGEST_HEAD);
        let ends = |at: &usize| matches!(self.word(*at), "=>" | ";" | "," | "=" | "{");
        let arrow = (last + 1..most).find(ends)?;
        let is_typed = arrow == last + 1 || self.is_word(last + 1, ":");
        (is_typed && self.is_word(arrow, "=>")).then_some(arrow + 1)
    }

    /// Where a block, or an expression, ends that begins here.
    fn end_of_value(&self, from: usize) -> usize {
        if let Some(close) = self.close_of(from).filter(|_| self.is_word(from, "{")) {
            return close + 1;
        }
        let mut at = from;
        while at < self.tokens.len() {
            if let Some(close) = self.close_of(at) {
                at = close;
            } else if matches!(self.word(at), "," | ";" | ")" | "]" | "}") {
                return at;
            }
            at += 1;
        }
        at
    }

    fn read_rust(&self, at: usize) -> Option<Function> {
        if self.word_before(at) != "fn" {
            return None;
        }
        let open = self.find_block(at)?;
        Some(Function {
            name: self.word(at).to_owned(),
            head: at..open,
            body: open..self.close_of(open)? + 1,
        })
    }

    /// The brace that opens the block of an item of Rust.
    pub(super) fn find_block(&self, from: usize) -> Option<usize> {
        let most = self.tokens.len().min(from + LONGEST_HEAD);
        let mut at = from;
        while at < most {
            match self.word(at) {
                "{" => return Some(at),
                ";" => return None,
                _ => at = self.close_of(at).unwrap_or(at) + 1,
            }
        }
        None
    }
}

fn pair_brackets(tokens: &[Token]) -> Vec<Option<usize>> {
    let mut closes = vec![None; tokens.len()];
    let mut open: Vec<(usize, &str)> = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        if token.is_string() {
            continue;
        }
        match token.text.as_str() {
            "(" => open.push((at, ")")),
            "[" => open.push((at, "]")),
            "{" => open.push((at, "}")),
            close @ (")" | "]" | "}") => {
                if let Some((begin, _)) = open.pop_if(|(_, wanted)| *wanted == close) {
                    closes[begin] = Some(at);
                }
            }
            _ => {}
        }
    }
    closes
}
