//! Owns the question which files a shell command executes or takes its rules from: programs, scripts, modules, configs.
//! Does not look at the disk: it names words that would be such files, whether they exist or not.
//! Invariant: a file that is only given to a tool as data is not named; where it cannot be told, the file is named.

mod programs;

use self::programs::{Kind, Options, kind, lists, plain_name};
use crate::shell::{Simple, read_script};

/// How many values of a command's own variables are followed.
const MOST_VALUES: usize = 32;
/// How deep scripts in scripts (`sh -c '...'`, `$(...)`) are read.
const DEPTH: u8 = 4;

/// The words of a command that it executes or takes its rules from, each once: the command word, the script of an
/// interpreter, a module, a sourced file, the config of a tool, what is piped into an interpreter.
#[must_use]
pub fn executed_words(command: &str) -> Vec<String> {
    let mut found = Found::default();
    found.text(command, DEPTH);
    found.words
}

/// The files that a command writes by a redirection and does nothing else with.
#[must_use]
pub fn written_words(command: &str) -> Vec<String> {
    let commands = read_script(command).commands;
    commands
        .into_iter()
        .flat_map(|simple| simple.outputs)
        .collect()
}

/// The names of the programs that a command starts, without folders and versions: `python` for `.venv/bin/python3.12`.
#[must_use]
pub fn programs(command: &str) -> Vec<String> {
    executed_words(command)
        .iter()
        .map(|word| plain_name(word))
        .collect()
}

/// Words that are subcommands of an interpreter or of a launcher, and not its script.
const VERBS: &str = "run test bench watch exec launch eval serve record stat";

/// Long options, besides those that speak of a config, whose value is a file of rules or of code.
const CONFIG_FLAGS: &str = "conf project tsconfig settings ini rc manifest-path ignore-path ignore-file require import \
    loader preload setup setup-files reporter plugin rulesdir env-file baseline spec build-file toolchain";
/// Endings of what a compiler takes behind `-c`.
const SOURCES: &str = "c cc cpp cxx s S rs f90 m go zig d pas cu css html";
/// Endings of what a tool takes its rules from.
const RULES: &str = "json jsonc json5 toml yaml yml ini cfg conf xml js cjs mjs ts mts cts";

#[derive(Default)]
struct Found {
    words: Vec<String>,
    /// What the command itself gave its variables, in order.
    set: Vec<(String, String)>,
}

impl Found {
    fn add(&mut self, word: &str) {
        if word.is_empty() || self.words.iter().any(|known| known == word) {
            return;
        }
        self.words.push(word.to_owned());
        for (name, value) in self.set.clone() {
            for written in [format!("${{{name}}}"), format!("${name}")] {
                if word.contains(&written) {
                    self.add(&word.replace(&written, &value));
                }
            }
        }
        // `$PWD/x.sh`, `$(git rev-parse --show-toplevel)/x.sh`: seen from the folders that are looked in anyway.
        if let Some((_, rest)) = word.split_once('/').filter(|_| word.starts_with('$')) {
            self.add(rest);
        }
    }

    /// Notes `NAME=value` and `for NAME in values`.
    fn note(&mut self, words: &[&str]) {
        let assigning = words.iter().skip_while(|word| {
            lists("export readonly local declare typeset", word) || word.starts_with('-')
        });
        for word in assigning.take_while(|word| is_assignment(word)) {
            if let Some((name, value)) = word.split_once('=') {
                self.set.push((name.to_owned(), value.to_owned()));
            }
        }
        if let ["for", name, "in", values @ ..] = words {
            let values = values
                .iter()
                .map(|value| ((*name).to_owned(), (*value).to_owned()));
            self.set.extend(values);
        }
        // A value that holds its own name would be put in for ever.
        self.set.retain(|(_, value)| !value.contains('$'));
        self.set.truncate(MOST_VALUES);
    }

    fn text(&mut self, text: &str, depth: u8) {
        let script = read_script(text);
        for (at, simple) in script.commands.iter().enumerate() {
            let words: Vec<&str> = simple.words.iter().map(|word| word.text.as_str()).collect();
            let waits = self.command(&words, depth);
            if waits {
                self.input_of(&script.commands, at, simple);
            }
        }
        if depth > 0 {
            for nested in &script.nested {
                self.text(nested, depth - 1);
            }
        }
    }

    /// What an interpreter without a script reads as its program.
    fn input_of(&mut self, commands: &[Simple], at: usize, simple: &Simple) {
        for input in &simple.inputs {
            self.add(input);
        }
        let mut at = at;
        while at > 0 && commands[at].piped {
            at -= 1;
            for word in &commands[at].words {
                self.add(&word.text);
            }
            for input in &commands[at].inputs {
                self.add(input);
            }
        }
    }

    /// Reads one simple command; answers whether it takes its program from standard input.
    fn command(&mut self, words: &[&str], depth: u8) -> bool {
        self.note(words);
        let mut words = words;
        while words.first().is_some_and(|word| is_assignment(word)) {
            words = &words[1..];
        }
        let Some((program, rest)) = words.split_first() else {
            return false;
        };
        self.add(program);
        if program.starts_with('$') {
            // `$PYTHON bench.py`: what it is cannot be told, so it is taken for an interpreter.
            self.config(rest, true);
            let known = self.set.iter().find(|(name, _)| program[1..] == **name);
            if let Some((_, text)) = known.cloned().filter(|_| depth > 0) {
                // `RUN="python x.py"; $RUN`
                self.text(&format!("{text} {}", rest.join(" ")), depth - 1);
            }
            if let Some(script) = rest.iter().find(|word| !word.starts_with('-')) {
                self.add(script);
            }
            return false;
        }
        self.named(&plain_name(program), rest, depth)
    }

    fn named(&mut self, name: &str, rest: &[&str], depth: u8) -> bool {
        let kind = kind(name);
        self.config(
            rest,
            !matches!(
                kind,
                Kind::Data
                    | Kind::Shell
                    | Kind::Interpreter(_)
                    | Kind::Wrapper { .. }
                    | Kind::FileFlag
            ),
        );
        match kind {
            Kind::Shell => return self.shell(rest, depth),
            Kind::Interpreter(options) => return self.interpreter(rest, options, depth),
            Kind::Wrapper { values, verbs } => return self.wrapped(rest, values, verbs, depth),
            Kind::Runner => {
                for word in rest.iter().filter(|word| !word.starts_with('-')) {
                    self.add(word.split("::").next().unwrap_or(word));
                }
            }
            Kind::FileFlag => {
                for (flag, value) in pairs(rest) {
                    if [
                        "-f",
                        "--file",
                        "--makefile",
                        "--from-file",
                        "--justfile",
                        "-t",
                        "--taskfile",
                        "--input-filter",
                    ]
                    .contains(&flag)
                    {
                        self.add(value);
                    }
                }
            }
            Kind::Data | Kind::Other => self.other(name, rest, depth),
        }
        false
    }

    fn other(&mut self, name: &str, rest: &[&str], depth: u8) {
        match name {
            "." | "source" => {
                if let Some(file) = rest.first() {
                    self.add(file);
                }
            }
            "find" => {
                let starts = ["-exec", "-execdir", "-ok", "-okdir"];
                for at in (0..rest.len()).filter(|at| starts.contains(&rest[*at])) {
                    self.command(&rest[at + 1..], depth.saturating_sub(1));
                }
            }
            "go" if rest.first() == Some(&"run") => {
                let files = rest[1..].iter().skip_while(|word| word.starts_with('-'));
                for file in files.take_while(|word| has_ending(word, "go")) {
                    self.add(file);
                }
            }
            _ => {}
        }
    }

    /// `sh -euc TEXT`, `sh FILE`.
    fn shell(&mut self, rest: &[&str], depth: u8) -> bool {
        let mut at = 0;
        while let Some(word) = rest.get(at) {
            let short = word.starts_with(['-', '+']) && !word.starts_with("--") && word.len() > 1;
            match *word {
                "--rcfile" | "--init-file" => {
                    if let Some(file) = rest.get(at + 1) {
                        self.add(file);
                    }
                    at += 2;
                }
                "--" => {
                    at += 1;
                    break;
                }
                "-s" | "-" => return true,
                word if short && word.contains('c') => {
                    let text = rest[at + 1..].iter().find(|word| !word.starts_with('-'));
                    if let Some(text) = text.filter(|_| depth > 0) {
                        self.text(text, depth - 1);
                    }
                    return false;
                }
                word if short && word.ends_with(['o', 'O']) => at += 2,
                word if short || word.starts_with("--") => at += 1,
                _ => break,
            }
        }
        match rest.get(at) {
            Some(script) => {
                self.add(script);
                // `busybox sh x.sh`
                if matches!(kind(script), Kind::Shell) {
                    return self.shell(&rest[at + 1..], depth);
                }
                false
            }
            None => true,
        }
    }

    fn interpreter(&mut self, rest: &[&str], options: &Options, depth: u8) -> bool {
        let mut at = 0;
        let mut runs_code = false;
        while let Some(word) = rest.get(at) {
            let (flag, joined) = word
                .split_once('=')
                .map_or((*word, None), |(flag, value)| (flag, Some(value)));
            if lists(options.preloads, flag) {
                let value = joined.or_else(|| rest.get(at + 1).copied());
                self.add(value.unwrap_or_default());
                at += if joined.is_some() { 1 } else { 2 };
            } else if flag == "-m" {
                let module = rest.get(at + 1).copied().unwrap_or_default();
                let path = module.replace('.', "/");
                self.add(&format!("{path}.py"));
                self.add(&format!("{path}/__main__.py"));
                let behind = rest.get(at + 2..).unwrap_or_default();
                self.module(module, behind, depth);
                return false;
            } else if lists(options.code, flag) {
                runs_code = true;
                at += if joined.is_some() { 1 } else { 2 };
            } else if lists(options.values, flag) && joined.is_none() {
                at += 2;
            } else if *word == "-" {
                return true;
            } else if word.starts_with('-') || lists(VERBS, word) {
                at += 1;
            } else {
                break;
            }
        }
        match rest.get(at) {
            _ if runs_code => false,
            Some(script) => {
                // `node --test a.js b.js`, `bun test a.ts`
                let all = rest[..at]
                    .iter()
                    .any(|word| ["--test", "test", "bench"].contains(word));
                for word in rest[at..].iter().take(if all { usize::MAX } else { 1 }) {
                    self.add(word);
                }
                if matches!(
                    kind(&plain_name(script)),
                    Kind::Runner | Kind::Interpreter(_)
                ) {
                    self.named(
                        &plain_name(script),
                        &rest[at + 1..],
                        depth.saturating_sub(1),
                    );
                }
                false
            }
            None => true,
        }
    }

    /// What a module such as `pytest` or `cProfile` does with its arguments.
    fn module(&mut self, module: &str, rest: &[&str], depth: u8) {
        let launchers = [
            "cProfile",
            "profile",
            "trace",
            "pdb",
            "runpy",
            "torch.distributed.run",
            "torch.distributed.launch",
            "line_profiler",
            "memory_profiler",
        ];
        if launchers.contains(&module) {
            let script = rest.iter().find(|word| has_ending(word, "py"));
            self.add(script.copied().unwrap_or_default());
        } else if depth > 0 {
            self.named(module, rest, depth - 1);
        }
    }

    fn wrapped(&mut self, rest: &[&str], values: &str, verbs: &str, depth: u8) -> bool {
        if depth == 0 {
            return false;
        }
        // A quoted text with blanks is a command of its own: `hyperfine './bench.sh 5'`.
        for text in rest.iter().filter(|word| word.contains([' ', '\n', ';'])) {
            self.text(text, depth - 1);
        }
        let mut rest = rest;
        if !verbs.is_empty() {
            let Some(at) = rest.iter().position(|word| lists(verbs, word)) else {
                return false;
            };
            rest = &rest[at + 1..];
        }
        let is_value = |word: &str| {
            word.starts_with(|letter: char| letter.is_ascii_digit())
                && !word.contains('/')
                && word
                    .chars()
                    .all(|letter| letter.is_ascii_alphanumeric() || ".,-+%".contains(letter))
        };
        let mut at = 0;
        while let Some(word) = rest.get(at) {
            if lists(values, word) {
                at += 2;
            } else if word.starts_with('-') || is_assignment(word) || is_value(word) {
                at += 1;
            } else {
                break;
            }
        }
        let behind = rest.get(at..).unwrap_or_default();
        let waits = self.command(behind, depth - 1);
        // Options that are not known may have taken the program for their value.
        for later in 1..rest.len() {
            let name = plain_name(rest[later]);
            if later != at && matches!(kind(&name), Kind::Shell | Kind::Interpreter(_)) {
                self.command(&rest[later..], depth - 1);
            }
        }
        waits
    }

    /// The files from which a tool takes its rules.
    fn config(&mut self, rest: &[&str], short: bool) {
        for (flag, value) in pairs(rest) {
            let long = flag.strip_prefix("--").is_some_and(|name| {
                name.contains("config") || name.contains("rcfile") || lists(CONFIG_FLAGS, name)
            });
            let source = has_ending(value, SOURCES);
            let rules = has_ending(value, RULES);
            if long || (short && flag == "-c" && !source) || (short && flag == "-p" && rules) {
                self.add(value);
            }
            if flag == "-p" || flag == "--project" {
                self.add(&format!("{}/tsconfig.json", value.trim_end_matches('/')));
            }
        }
    }
}

/// Each option with its value, whether that is joined by `=` or stands behind it.
fn pairs<'w>(words: &[&'w str]) -> Vec<(&'w str, &'w str)> {
    let options = words
        .iter()
        .enumerate()
        .filter(|(_, word)| word.starts_with('-'));
    options
        .filter_map(|(at, word)| match word.split_once('=') {
            Some(pair) => Some(pair),
            None => words.get(at + 1).map(|next| (*word, *next)),
        })
        .filter(|(_, value)| !value.starts_with('-'))
        .collect()
}

fn has_ending(word: &str, endings: &str) -> bool {
    let name = word.rsplit('/').next().unwrap_or(word);
    name.rsplit_once('.')
        .is_some_and(|(_, ending)| lists(endings, ending))
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty()
            && !name.starts_with(|letter: char| letter.is_ascii_digit())
            && name
                .chars()
                .all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
    })
}

#[cfg(test)]
mod tests;
