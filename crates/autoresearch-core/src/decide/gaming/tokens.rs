//! Owns the splitting of source text into tokens: names, numbers, strings, signs, each with its lines.
//! Does not parse a language; comments and texts that document are left out.
//! Invariant: code within a string that a language evaluates, and behind a string without an end, is split too; time and memory
//! are linear in the text, however its quotes nest.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

/// Files without an ending whose comments begin with `#`.
const HASHED: [&str; 4] = ["Makefile", "Dockerfile", "Rakefile", "Gemfile"];

/// What is known of a file's language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::decide) enum Language {
    Python,
    /// JavaScript and TypeScript.
    Script,
    Rust,
    Shell,
    /// Another language whose comments begin with `#`: Ruby, Perl, Elixir, makefiles.
    Hashed,
    /// Settings and other data.
    Data,
    /// Code in any other language.
    Other,
    /// Nothing that runs.
    Prose,
}

impl Language {
    pub(in crate::decide) fn of_file(path: &str, text: &str) -> Self {
        let name = path.rsplit('/').next().unwrap_or_default();
        let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
        match ending.to_ascii_lowercase().as_str() {
            "py" | "pyi" | "pyw" | "pyx" | "pth" => Self::Python,
            "js" | "mjs" | "cjs" | "jsx" | "ts" | "mts" | "cts" | "tsx" | "vue" | "svelte" => {
                Self::Script
            }
            "rs" => Self::Rust,
            "sh" | "bash" | "zsh" | "envrc" => Self::Shell,
            "json" | "jsonc" | "json5" | "toml" | "yaml" | "yml" | "ini" | "cfg" | "conf"
            | "xml" => Self::Data,
            "md" | "txt" | "rst" | "adoc" | "csv" | "tsv" | "svg" | "html" | "css" | "lock"
            | "png" | "jpg" | "gif" | "pdf" => Self::Prose,
            "rb" | "rake" | "gemspec" | "pl" | "pm" | "ex" | "exs" | "r" | "jl" | "mk" | "tf" => {
                Self::Hashed
            }
            _ if HASHED.contains(&name) => Self::Hashed,
            _ => Self::of_first_line(text),
        }
    }

    fn of_first_line(text: &str) -> Self {
        let first = text.lines().next().unwrap_or_default();
        let names = |word: &str| first.starts_with("#!") && first.contains(word);
        match () {
            () if names("python") => Self::Python,
            () if names("node") || names("deno") || names("bun") => Self::Script,
            () if names("sh") => Self::Shell,
            () if names("ruby") || names("perl") => Self::Hashed,
            () => Self::Other,
        }
    }

    fn has_hash_comments(self) -> bool {
        matches!(self, Self::Python | Self::Shell | Self::Data | Self::Hashed)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::decide) enum TokenKind {
    Name,
    Number,
    Text,
    Sign,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::decide) struct Token {
    pub kind: TokenKind,
    pub text: String,
    /// The first and the last line.
    pub line: u32,
    pub last: u32,
}

impl Token {
    pub(in crate::decide) fn is_string(&self) -> bool {
        self.kind == TokenKind::Text
    }

    pub(in crate::decide) fn list_lines(&self) -> RangeInclusive<u32> {
        self.line..=self.last
    }
}

/// Signs of several characters, the longest first.
const SIGNS: [&str; 30] = [
    "===", "!==", "...", "..=", "**=", "//=", "==", "!=", "<=", ">=", "=>", "->", "::", "+=", "-=",
    "*=", "/=", "%=", "|=", "&=", "^=", ":=", "&&", "||", "??", "?.", "..", "**", "<<", ">>",
];

/// A comment with the signs that begin and end it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::decide) struct Comment {
    pub text: String,
    /// The line on which it begins.
    pub line: u32,
    /// Is it the first thing on that line?
    pub is_alone: bool,
}

/// What stands before the first quote of a string is shorter: `br#####`.
const LONGEST_PREFIX: usize = 12;
/// So deep may strings stand in each other's code. Below it a quote is a sign, and what follows is code.
const DEEPEST: u8 = 6;

struct Splitter<'t> {
    language: Language,
    rest: &'t str,
    line: u32,
    tokens: Vec<Token>,
    comments: Vec<Comment>,
    /// Has anything but blanks been seen on this line?
    begun: bool,
    /// In the code of how many strings does it stand?
    depth: u8,
}

/// The tokens of a text.
pub(super) fn split_tokens(text: &str, language: Language) -> Vec<Token> {
    let (tokens, _) = split_text(text, language);
    match language {
        Language::Python => follow_aliases(tokens),
        Language::Script => name_members(&tokens),
        _ => tokens,
    }
}

/// The tokens as they are written, and the comments between them.
pub(in crate::decide) fn split_text(text: &str, language: Language) -> (Vec<Token>, Vec<Comment>) {
    let mut splitter = Splitter {
        language,
        rest: text,
        line: 1,
        tokens: Vec::new(),
        comments: Vec::new(),
        begun: false,
        depth: 0,
    };
    while splitter.take_next() {}
    (splitter.tokens, splitter.comments)
}

impl<'t> Splitter<'t> {
    /// Takes what comes next; is there any?
    fn take_next(&mut self) -> bool {
        let Some(first) = self.rest.chars().next() else {
            return false;
        };
        if first.is_whitespace() {
            self.skip(first.len_utf8());
            return true;
        }
        if !self.skip_comment() && !self.take_string(first) {
            self.take_plain(first);
            self.begun = true;
        }
        true
    }

    /// Goes on behind these bytes, and counts their lines.
    fn skip(&mut self, bytes: usize) -> &'t str {
        let (passed, rest) = self.rest.split_at(bytes);
        let lines = passed.matches('\n').count();
        self.line += u32::try_from(lines).unwrap_or(u32::MAX);
        if lines > 0 {
            self.begun = false;
        }
        self.rest = rest;
        passed
    }

    fn skip_comment(&mut self) -> bool {
        let to_end = |rest: &str| rest.find('\n').unwrap_or(rest.len());
        let slashes = !self.language.has_hash_comments();
        let is_line = if slashes {
            self.rest.starts_with("//") || self.rest.starts_with("#!/")
        } else {
            self.rest.starts_with('#')
        };
        if is_line {
            self.take_comment(to_end(self.rest));
            return true;
        }
        if slashes && self.rest.starts_with("/*") {
            let end = self.rest[2..].find("*/").map(|end| end + 4);
            self.take_comment(end.unwrap_or(self.rest.len()));
            return true;
        }
        false
    }

    fn take_comment(&mut self, bytes: usize) {
        let (line, is_alone) = (self.line, !self.begun);
        let text = self.skip(bytes).to_owned();
        self.comments.push(Comment {
            text,
            line,
            is_alone,
        });
    }

    fn push(&mut self, kind: TokenKind, text: &str, line: u32) {
        self.tokens.push(Token {
            kind,
            text: text.to_owned(),
            line,
            last: self.line,
        });
    }

    fn take_plain(&mut self, first: char) {
        let line = self.line;
        let is_name = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == '$';
        if is_name(first) {
            let length = self.rest.find(|letter| !is_name(letter));
            let text = self.skip(length.unwrap_or(self.rest.len()));
            let kind = if first.is_ascii_digit() {
                TokenKind::Number
            } else {
                TokenKind::Name
            };
            self.push(kind, text, line);
            return;
        }
        let sign = SIGNS.iter().find(|sign| self.rest.starts_with(**sign));
        let text = self.skip(sign.map_or(first.len_utf8(), |sign| sign.len()));
        // What may be absent is reached in the same way.
        let text = if text == "?." { "." } else { text };
        self.push(TokenKind::Sign, text, line);
    }

    /// Takes a string with its prefix, if one begins here.
    fn take_string(&mut self, first: char) -> bool {
        let begin = self.rest.bytes().take(LONGEST_PREFIX);
        let prefix = begin
            .enumerate()
            .find(|(_, byte)| matches!(byte, b'"' | b'\'' | b'`'))
            .map(|(at, _)| at);
        let prefix = prefix.filter(|at| {
            let before = &self.rest[..*at];
            match self.language {
                Language::Python => {
                    before.len() < 3 && before.chars().all(|c| "rbfuRBFU".contains(c))
                }
                Language::Rust => is_raw_prefix(before),
                _ => before.is_empty(),
            }
        });
        let Some(prefix) = prefix else {
            return false;
        };
        if self.language == Language::Rust {
            return self.take_rust_string(prefix, first);
        }
        if self.depth == DEEPEST {
            self.skip(prefix + 1);
            self.begun = true;
            return true;
        }
        let quote = self.rest[prefix..].chars().next().unwrap_or('"');
        let written = self.rest[..prefix].to_ascii_lowercase();
        let triple = String::from_iter([quote; 3]);
        let is_triple =
            self.language == Language::Python && self.rest[prefix..].starts_with(&triple);
        let open = if is_triple { triple } else { quote.to_string() };
        let spans_lines = is_triple || quote == '`' || self.language == Language::Shell;
        let documents = is_triple && !self.begun;
        let line = self.line;
        self.skip(prefix + open.len());
        self.begun = true;
        let end = find_end(self.rest, &open, spans_lines);
        let (inner, closed) = end.map_or((self.rest, false), |end| (&self.rest[..end], true));
        let to_line_end = inner.find('\n').filter(|_| !closed && !spans_lines);
        let inner = &inner[..to_line_end.unwrap_or(inner.len())];
        self.skip(inner.len() + if closed { open.len() } else { 0 });
        if !documents {
            self.push(TokenKind::Text, inner, line);
        }
        let evaluated = match self.language {
            Language::Python if written.contains('f') => list_braced(inner, "{"),
            Language::Script if quote == '`' => list_braced(inner, "${"),
            Language::Shell if quote == '"' => list_braced(inner, "$("),
            _ if !closed => vec![inner],
            _ => Vec::new(),
        };
        for code in evaluated {
            self.split_inner(code, line, closed);
        }
        true
    }

    /// Splits the code within a string, and behind a quote that opened none the comments too.
    fn split_inner(&mut self, code: &str, line: u32, closed: bool) {
        let mut inner = Splitter {
            language: self.language,
            rest: code,
            line,
            tokens: std::mem::take(&mut self.tokens),
            comments: Vec::new(),
            begun: !closed,
            depth: self.depth + 1,
        };
        while inner.take_next() {}
        self.tokens = inner.tokens;
        if !closed {
            self.comments.extend(inner.comments);
        }
    }

    fn take_rust_string(&mut self, prefix: usize, first: char) -> bool {
        let line = self.line;
        let quote = self.rest.as_bytes()[prefix];
        if quote == b'`' {
            return false;
        }
        if quote == b'\'' {
            // A letter in quotes; a lifetime is one without an end.
            let inner = &self.rest[prefix + 1..];
            let length = inner.chars().next().map_or(0, char::len_utf8);
            let end = if inner.starts_with('\\') {
                inner
                    .get(2..)
                    .and_then(|rest| rest.find('\''))
                    .map(|end| end + 2)
            } else {
                Some(length).filter(|end| inner[*end..].starts_with('\''))
            };
            let bytes = end.filter(|end| *end < 12).map_or(1, |end| end + 2);
            self.skip(prefix + bytes);
            return true;
        }
        let hashes = self.rest[..prefix].matches('#').count();
        let is_raw = self.rest[..prefix].contains('r');
        let close = format!("\"{}", "#".repeat(hashes));
        self.skip(prefix + 1);
        let end = if is_raw {
            self.rest.find(&close)
        } else {
            find_end(self.rest, "\"", true)
        };
        let inner = &self.rest[..end.unwrap_or(self.rest.len())];
        self.skip(inner.len() + end.map_or(0, |_| close.len()));
        self.push(TokenKind::Text, inner, line);
        first != '\0'
    }
}

fn is_raw_prefix(before: &str) -> bool {
    let letters = before.trim_end_matches('#');
    matches!(letters, "" | "b" | "c" | "r" | "br" | "cr")
        && (letters.len() == before.len() || letters.ends_with('r'))
}

/// Where a string ends; nowhere when its line ends first.
fn find_end(rest: &str, close: &str, spans_lines: bool) -> Option<usize> {
    let mut letters = rest.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => {
                letters.next();
            }
            '\n' if !spans_lines => return None,
            _ if rest[at..].starts_with(close) => return Some(at),
            _ => {}
        }
    }
    None
}

/// What stands between an opening and its closing brace.
fn list_braced<'t>(text: &'t str, open: &str) -> Vec<&'t str> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(open) {
        let inner = &rest[at + open.len()..];
        let mut depth = 1_u32;
        let end = inner.find(|letter: char| {
            match letter {
                '{' | '(' => depth += 1,
                '}' | ')' => depth -= 1,
                _ => {}
            }
            depth == 0
        });
        let end = end.unwrap_or(inner.len());
        found.push(&inner[..end]);
        rest = &inner[end..];
    }
    found
}

/// Python: puts the module's name where the file gave it another one.
fn follow_aliases(mut tokens: Vec<Token>) -> Vec<Token> {
    let imports = tokens
        .windows(4)
        .filter(|four| four[0].text == "import" || four[0].text == ",")
        .filter(|four| four[2].text == "as" && four[1].kind == TokenKind::Name);
    let mut aliases = BTreeMap::new();
    for four in imports {
        let name = four[3].text.clone();
        aliases.entry(name).or_insert_with(|| four[1].text.clone());
    }
    for at in 0..tokens.len() {
        let is_member = at > 0 && tokens[at - 1].text == ".";
        if tokens[at].kind != TokenKind::Name || is_member {
            continue;
        }
        if let Some(module) = aliases.get(&tokens[at].text) {
            tokens[at].text.clone_from(module);
        }
    }
    tokens
}

/// JavaScript: `a["b"]` is `a.b`, and `(a as any).b` too.
fn name_members(tokens: &[Token]) -> Vec<Token> {
    let is_name = |text: &str| {
        !text.is_empty()
            && text
                .chars()
                .all(|letter| letter.is_alphanumeric() || letter == '_')
    };
    let mut named: Vec<Token> = Vec::with_capacity(tokens.len());
    let mut rest = tokens;
    loop {
        match rest {
            [] => return named,
            [open, key, close, more @ ..]
                if open.text == "["
                    && close.text == "]"
                    && key.is_string()
                    && is_name(&key.text)
                    && named
                        .last()
                        .is_some_and(|last| last.kind == TokenKind::Name || last.text == ")") =>
            {
                let (sign, name) = (TokenKind::Sign, TokenKind::Name);
                named.push(Token {
                    kind: sign,
                    text: ".".to_owned(),
                    ..open.clone()
                });
                named.push(Token {
                    kind: name,
                    ..key.clone()
                });
                rest = more;
            }
            [open, name, word, kind, close, more @ ..]
                if open.text == "("
                    && word.text == "as"
                    && matches!(kind.text.as_str(), "any" | "unknown" | "never")
                    && close.text == ")" =>
            {
                named.push(name.clone());
                rest = more;
            }
            [first, more @ ..] => {
                named.push(first.clone());
                rest = more;
            }
        }
    }
}

/// Rust: the lines of modules that only tests compile.
pub(in crate::decide) fn find_test_lines(tokens: &[Token], language: Language) -> BTreeSet<u32> {
    let mut lines = BTreeSet::new();
    if language != Language::Rust {
        return lines;
    }
    let mark = ["#", "[", "cfg", "(", "test", ")", "]", "mod"];
    // Within one such module, another adds no lines.
    let mut passed = 0;
    for at in 0..tokens.len() {
        let here = tokens[at..].iter().map(|token| token.text.as_str());
        if at < passed || !here.take(mark.len()).eq(mark) {
            continue;
        }
        let mut depth = 0_u32;
        for (place, token) in (at + mark.len()..).zip(&tokens[at + mark.len()..]) {
            lines.insert(token.line);
            passed = place;
            match (token.kind, token.text.as_str()) {
                (TokenKind::Sign, "{") => depth += 1,
                (TokenKind::Sign, "}") => depth = depth.saturating_sub(1),
                _ => continue,
            }
            if depth == 0 {
                break;
            }
        }
    }
    lines
}

/// Python: the lines that run only when the file is the program.
pub(super) fn find_main_lines(text: &str, tokens: &[Token], language: Language) -> BTreeSet<u32> {
    let mut lines = BTreeSet::new();
    if language != Language::Python {
        return lines;
    }
    let is_question = |three: &&[Token]| {
        let words = ["if", "__name__", "=="];
        three.iter().map(|token| token.text.as_str()).eq(words)
    };
    let all: Vec<(u32, &str)> = (1..).zip(text.lines()).collect();
    for asked in tokens.windows(3).filter(is_question).map(|three| &three[1]) {
        let first = usize::try_from(asked.line).unwrap_or(usize::MAX);
        // The block that holds this line ends where its own does.
        if !lines.insert(asked.line) {
            continue;
        }
        let block = all.get(first..).unwrap_or_default().iter();
        let block =
            block.take_while(|(_, line)| line.trim().is_empty() || line.starts_with([' ', '\t']));
        lines.extend(block.map(|(number, _)| *number));
    }
    lines
}
