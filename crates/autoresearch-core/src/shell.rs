//! Owns the reading of a shell text: its simple commands, pipes, redirections, and what only bash knows.
//! Does not expand anything and does not judge what a command does.
//! Invariant: any text is read without a panic; what is quoted is never taken for an operator.

pub mod executed;
pub mod quote;
pub mod uses;
pub mod variables;
pub mod words;

/// A word of a command, without its quotes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Word {
    /// The text. A command substitution stands in it as `$()`.
    pub text: String,
    /// Was any part of it quoted?
    pub quoted: bool,
}

/// A simple command: a program, its arguments, and where its input and output go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SimpleCommand {
    /// The words, without redirections and without words such as `if` and `do`.
    pub words: Vec<Word>,
    /// Files that are its input (`< FILE`).
    pub inputs: Vec<String>,
    /// Files that it writes (`> FILE`).
    pub outputs: Vec<String>,
    /// Is its input the output of the command before it?
    pub piped: bool,
}

/// What a shell text holds.
#[derive(Clone, Debug, Default)]
pub struct Script {
    /// The commands, in order.
    pub commands: Vec<SimpleCommand>,
    /// The texts of `$(...)`, backticks and `<(...)`.
    pub nested: Vec<String>,
    /// What only bash and its like understand, as it is written.
    pub bash: Vec<String>,
}

/// Reads a shell text. What stands in `$(...)` is given as text and not read.
#[must_use]
pub fn read_script(text: &str) -> Script {
    let mut reader = ScriptReader {
        letters: text.chars().collect(),
        ..ScriptReader::default()
    };
    while reader.at < reader.letters.len() {
        reader.read_next();
    }
    reader.end_command();
    reader.script
}

/// How deep substitutions in substitutions are read.
const DEPTH: u8 = 4;

/// Is there a pipe that hides a failure, because `sh` reports the status of the last command alone?
#[must_use]
pub fn has_pipe(text: &str) -> bool {
    any_script(text, DEPTH, &|script| {
        script.commands.iter().any(|simple| simple.piped)
    })
}

/// What a `sh` may not understand, as it is written, each once.
#[must_use]
pub fn list_bash_syntax(text: &str) -> Vec<String> {
    let found = std::cell::RefCell::new(Vec::<String>::new());
    any_script(text, DEPTH, &|script| {
        let mut found = found.borrow_mut();
        for name in &script.bash {
            if !found.contains(name) {
                found.push(name.clone());
            }
        }
        false
    });
    found.into_inner()
}

fn any_script(text: &str, depth: u8, holds: &impl Fn(&Script) -> bool) -> bool {
    let script = read_script(text);
    holds(&script)
        || (depth > 0
            && script
                .nested
                .iter()
                .any(|nested| any_script(nested, depth - 1, holds)))
}

/// Where in a `case` the reader is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CasePart {
    Pattern,
    Body,
}

/// What the next word is, if it is not an argument.
#[derive(Clone, Debug, PartialEq, Eq)]
enum RedirectTarget {
    Input,
    Output,
    /// The delimiter of a document that follows.
    Here,
    /// A text (`<<<`) or a descriptor.
    Nothing,
}

#[derive(Default)]
struct ScriptReader {
    letters: Vec<char>,
    at: usize,
    script: Script,
    current: SimpleCommand,
    word: Option<Word>,
    target: Option<RedirectTarget>,
    documents: Vec<String>,
    cases: Vec<CasePart>,
}

impl ScriptReader {
    fn peek_letter(&self, ahead: usize) -> Option<char> {
        self.letters.get(self.at + ahead).copied()
    }

    fn push_letter(&mut self, letter: char) {
        self.word.get_or_insert_default().text.push(letter);
    }

    fn append_text(&mut self, parts: &[&str]) {
        let word = self.word.get_or_insert_default();
        for part in parts {
            word.text.push_str(part);
        }
    }

    fn note_bash(&mut self, name: &str) {
        if !self.script.bash.iter().any(|known| known == name) {
            self.script.bash.push(name.to_owned());
        }
    }

    fn is_in_pattern(&self) -> bool {
        self.cases.last() == Some(&CasePart::Pattern)
    }

    fn read_next(&mut self) {
        let letter = self.letters[self.at];
        self.at += 1;
        match letter {
            '\\' => {
                if let Some(next) = self.peek_letter(0) {
                    self.at += 1;
                    if next != '\n' {
                        self.push_letter(next);
                    }
                }
            }
            '\'' => self.read_single_quotes(),
            '"' => self.read_double_quotes(),
            '$' => self.read_dollar(),
            '`' => self.read_backticks(),
            '\n' => {
                self.end_command();
                self.skip_documents();
            }
            letter if letter.is_whitespace() => self.end_word(),
            '#' if self.word.is_none() => {
                while self.peek_letter(0).is_some_and(|letter| letter != '\n') {
                    self.at += 1;
                }
            }
            ';' | '&' | '|' | '(' | ')' => self.read_operator(letter),
            '<' | '>' => self.read_redirect(letter),
            letter => self.push_letter(letter),
        }
    }

    fn read_single_quotes(&mut self) {
        self.word.get_or_insert_default().quoted = true;
        while let Some(letter) = self.peek_letter(0) {
            self.at += 1;
            if letter == '\'' {
                return;
            }
            self.push_letter(letter);
        }
    }

    fn read_double_quotes(&mut self) {
        self.word.get_or_insert_default().quoted = true;
        while let Some(letter) = self.peek_letter(0) {
            self.at += 1;
            match letter {
                '"' => return,
                '\\' => {
                    if let Some(next) = self.peek_letter(0) {
                        self.at += 1;
                        self.push_letter(next);
                    }
                }
                '$' => self.read_dollar(),
                '`' => self.read_backticks(),
                letter => self.push_letter(letter),
            }
        }
    }

    fn read_dollar(&mut self) {
        match (self.peek_letter(0), self.peek_letter(1)) {
            (Some('('), Some('(')) => {
                let text = self.read_until_closed(1, '(', ')');
                self.append_text(&["$(", &text, ")"]);
            }
            (Some('('), _) => {
                let text = self.read_until_closed(1, '(', ')');
                self.script.nested.push(text);
                self.word.get_or_insert_default().text += "$()";
            }
            (Some('{'), _) => {
                let text = self.read_until_closed(1, '{', '}');
                self.append_text(&["${", &text, "}"]);
            }
            _ => self.push_letter('$'),
        }
    }

    fn read_backticks(&mut self) {
        let mut text = String::new();
        while let Some(letter) = self.peek_letter(0) {
            self.at += 1;
            match letter {
                '`' => break,
                '\\' => {
                    text.extend(self.peek_letter(0));
                    self.at += 1;
                }
                letter => text.push(letter),
            }
        }
        self.script.nested.push(text);
        self.word.get_or_insert_default().text += "$()";
    }

    /// The text from `skip` letters ahead to the one that closes what was opened; the reader stands behind it.
    fn read_until_closed(&mut self, skip: usize, open: char, close: char) -> String {
        self.at += skip;
        let mut text = String::new();
        let (mut depth, mut quote) = (1_usize, None);
        while let Some(letter) = self.peek_letter(0) {
            self.at += 1;
            match (quote, letter) {
                (Some(mark), letter) if mark == letter => quote = None,
                (None, '\'' | '"') => quote = Some(letter),
                (None | Some('"'), '\\') => {
                    text.push(letter);
                    text.extend(self.peek_letter(0));
                    self.at += 1;
                    continue;
                }
                (None, letter) if letter == open => depth += 1,
                (None, letter) if letter == close => {
                    depth -= 1;
                    if depth == 0 {
                        break;
                    }
                }
                _ => {}
            }
            text.push(letter);
        }
        text
    }

    fn read_operator(&mut self, letter: char) {
        let next = self.peek_letter(0);
        match (letter, next) {
            ('&', Some('>')) => {
                self.end_word();
                self.at += 1;
                self.note_bash("&>");
                self.target = Some(RedirectTarget::Output);
            }
            ('(', _)
                if self
                    .word
                    .as_ref()
                    .is_some_and(|word| word.text.ends_with('=')) =>
            {
                self.read_until_closed(0, '(', ')');
                self.note_bash("an array");
            }
            ('(', Some('(')) if self.word.is_none() && self.current.words.is_empty() => {
                self.read_until_closed(0, '(', ')');
                self.note_bash("(( ))");
            }
            ('|', _) if self.is_in_pattern() && next != Some('|') => self.end_word(),
            (')', _) if self.is_in_pattern() => {
                self.word = None;
                self.current = SimpleCommand::default();
                self.cases.pop();
                self.cases.push(CasePart::Body);
            }
            ('|', Some('|')) | ('&', Some('&')) => {
                self.at += 1;
                self.end_command();
            }
            ('|', _) => {
                if next == Some('&') {
                    self.at += 1;
                    self.note_bash("|&");
                }
                self.end_command();
                self.current.piped = true;
            }
            (';', Some(';')) => {
                self.at += 1;
                self.end_command();
                if let Some(case) = self.cases.last_mut() {
                    *case = CasePart::Pattern;
                }
            }
            ('(', _) if self.is_in_pattern() => {}
            _ => self.end_command(),
        }
    }

    fn read_redirect(&mut self, letter: char) {
        // `2>`: a descriptor is not a word.
        let descriptor =
            |word: &Word| !word.quoted && word.text.chars().all(|letter| letter.is_ascii_digit());
        if self.word.as_ref().is_some_and(descriptor) {
            self.word = None;
        }
        self.end_word();
        let mut operator = String::from(letter);
        while let Some(next) = self.peek_letter(0).filter(|next| "<>&|-".contains(*next)) {
            if next == '-' && operator != "<<" {
                break;
            }
            operator.push(next);
            self.at += 1;
        }
        if self.peek_letter(0) == Some('(') && operator.len() == 1 {
            let text = self.read_until_closed(1, '(', ')');
            self.script.nested.push(text);
            self.note_bash(if letter == '<' { "<( )" } else { ">( )" });
            self.word.get_or_insert_default().text += "$()";
            return;
        }
        self.target = Some(match operator.as_str() {
            "<<" | "<<-" => RedirectTarget::Here,
            "<<<" => {
                self.note_bash("<<<");
                RedirectTarget::Nothing
            }
            "<" | "<>" => RedirectTarget::Input,
            operator if operator.ends_with('&') => RedirectTarget::Nothing,
            _ => RedirectTarget::Output,
        });
    }

    fn end_word(&mut self) {
        let Some(word) = self.word.take() else {
            return;
        };
        match self.target.take() {
            Some(RedirectTarget::Input) => self.current.inputs.push(word.text),
            Some(RedirectTarget::Output) => self.current.outputs.push(word.text),
            Some(RedirectTarget::Here) => self.documents.push(word.text),
            Some(RedirectTarget::Nothing) => {}
            None => self.add_argument(word),
        }
    }

    fn add_argument(&mut self, word: Word) {
        let openers = [
            "if", "then", "else", "elif", "while", "until", "do", "!", "{", "}", "fi", "done",
        ];
        let first = self.current.words.is_empty() && !word.quoted;
        if first && word.text == "esac" {
            self.cases.pop();
            return;
        }
        if self.is_in_pattern() || (first && openers.contains(&word.text.as_str())) {
            return;
        }
        let begins_case = self
            .current
            .words
            .first()
            .is_some_and(|first| first.text == "case");
        if begins_case && word.text == "in" {
            self.current = SimpleCommand::default();
            self.cases.push(CasePart::Pattern);
            return;
        }
        if first
            && [
                "[[",
                "source",
                "function",
                "shopt",
                "declare",
                "typeset",
                "mapfile",
                "readarray",
                "pushd",
                "popd",
                "let",
            ]
            .contains(&word.text.as_str())
        {
            let name = if word.text == "[[" {
                "[[ ]]"
            } else {
                &word.text
            };
            self.note_bash(name);
        }
        let before: Vec<&str> = self
            .current
            .words
            .iter()
            .map(|word| word.text.as_str())
            .collect();
        if word.text == "pipefail" && before.first() == Some(&"set") {
            self.note_bash("set -o pipefail");
        }
        if !word.quoted && is_brace_expansion(&word.text) {
            self.note_bash(&word.text.clone());
        }
        self.current.words.push(word);
    }

    fn end_command(&mut self) {
        self.end_word();
        self.target = None;
        let current = std::mem::take(&mut self.current);
        if !current.words.is_empty() || !current.inputs.is_empty() {
            self.script.commands.push(current);
        } else if current.piped {
            // `a | { b; }`, and a pipe at the end of a line.
            self.current.piped = true;
        }
    }

    /// Skips the documents whose delimiters stood on the line that has ended.
    fn skip_documents(&mut self) {
        for delimiter in std::mem::take(&mut self.documents) {
            while self.at < self.letters.len() {
                let rest = &self.letters[self.at..];
                let length = rest
                    .iter()
                    .position(|letter| *letter == '\n')
                    .unwrap_or(rest.len());
                let line: String = rest[..length].iter().collect();
                self.at = (self.at + length + 1).min(self.letters.len());
                if line.trim_start_matches('\t') == delimiter {
                    break;
                }
            }
        }
    }
}

/// `{1..3}` or `{a,b}`, which sh takes as it is written.
fn is_brace_expansion(text: &str) -> bool {
    let Some(open) = text.find('{').filter(|open| !text[..*open].ends_with('$')) else {
        return false;
    };
    let inner = &text[open + 1..];
    inner
        .find('}')
        .is_some_and(|close| inner[..close].contains("..") || inner[..close].contains(','))
}

#[cfg(test)]
mod tests;
