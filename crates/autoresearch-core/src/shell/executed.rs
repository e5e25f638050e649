//! Owns the question which files a shell command executes or takes its rules from: programs, scripts, modules, configs.
//! Does not look at the disk: it names words that would be such files, whether they exist or not.
//! Invariant: a file that is only given to a tool as data is not named; where it cannot be told, the file is named.

mod programs;
mod searches;

use self::programs::{
    InterpreterOptions, ProgramKind, find_program_kind, is_listed, to_plain_name,
};
pub use self::searches::{FileSearch, SearchKind};
use self::searches::{
    list_conftests, list_default_searches, list_module_searches, list_script_searches,
};
use crate::shell::words::name_known_places;
use crate::shell::{SimpleCommand, read_script};

/// How many values of a command's own variables are followed.
const MOST_VALUES: usize = 32;
/// How deep scripts in scripts (`sh -c '...'`, `$(...)`) are read.
const DEPTH: u8 = 4;

/// The words of a command that it executes or takes its rules from, each once: the command word, the script of an
/// interpreter, a module, a sourced file, the config of a tool, what is piped into an interpreter.
#[must_use]
pub fn list_executed_words(command: &str) -> Vec<String> {
    read_executed(command).words
}

/// Where the programs of a command look for what they execute and take their rules from.
#[must_use]
pub fn list_searches(command: &str) -> Vec<FileSearch> {
    read_executed(command).searches
}

fn read_executed(command: &str) -> ExecutedWords {
    let mut found = ExecutedWords::default();
    found.read_text(&name_known_places(command), DEPTH);
    found
}

/// The files that a command writes by a redirection and does nothing else with.
#[must_use]
pub fn list_written_words(command: &str) -> Vec<String> {
    let commands = read_script(command).commands;
    commands
        .into_iter()
        .flat_map(|simple| simple.outputs)
        .collect()
}

/// The names of the programs that a command starts, without folders and versions: `python` for `.venv/bin/python3.12`.
#[must_use]
pub fn list_programs(command: &str) -> Vec<String> {
    list_executed_words(command)
        .iter()
        .map(|word| to_plain_name(word))
        .collect()
}

/// Words that are subcommands of an interpreter or of a launcher, and not its script.
const VERBS: &str = "run test bench watch exec launch eval serve record stat";

/// Long options, besides those that speak of a config, whose value is a file of rules or of code.
const CONFIG_FLAGS: &str = "conf project tsconfig settings ini rc manifest-path ignore-path ignore-file require import \
    loader preload setup setup-files reporter plugin rulesdir env-file baseline spec build-file toolchain";
/// The options of make and its like whose value is the file of rules.
const FILE_OPTIONS: [&str; 8] = [
    "-f",
    "--file",
    "--makefile",
    "--from-file",
    "--justfile",
    "-t",
    "--taskfile",
    "--input-filter",
];
/// Endings of what a compiler takes behind `-c`.
const SOURCES: &str = "c cc cpp cxx s S rs f90 m go zig d pas cu css html";
/// Endings of what a tool takes its rules from.
const RULES: &str = "json jsonc json5 toml yaml yml ini cfg conf xml js cjs mjs ts mts cts";

#[derive(Default)]
struct ExecutedWords {
    words: Vec<String>,
    searches: Vec<FileSearch>,
    /// What the command itself gave its variables, in order.
    set: Vec<(String, String)>,
}

impl ExecutedWords {
    fn add_search(&mut self, search: FileSearch) {
        let is_plain = |place: &String| !place.is_empty() && !place.contains('$');
        if search.places.iter().all(is_plain) && !self.searches.contains(&search) {
            self.searches.push(search);
        }
    }

    /// Adds a file by the name that the command gives it.
    fn add_word(&mut self, word: &str) {
        if !word.starts_with('-') {
            self.add_search(FileSearch::execute(&[""], word));
        }
        self.add_name(word);
    }

    /// Adds a name, which may be that of a program on the `PATH`.
    fn add_name(&mut self, word: &str) {
        if word.is_empty() || self.words.iter().any(|known| known == word) {
            return;
        }
        self.words.push(word.to_owned());
        for (name, value) in self.set.clone() {
            for written in [format!("${{{name}}}"), format!("${name}")] {
                if word.contains(&written) {
                    self.add_word(&word.replace(&written, &value));
                }
            }
        }
        // `$PWD/x.sh`, `$(git rev-parse --show-toplevel)/x.sh`: seen from the folders that are looked in anyway.
        if let Some((_, rest)) = word.split_once('/').filter(|_| word.starts_with('$')) {
            self.add_word(rest);
        }
    }

    /// Notes `NAME=value` and `for NAME in values`.
    fn note_variables(&mut self, words: &[&str]) {
        let assigning = words.iter().skip_while(|word| {
            is_listed("export readonly local declare typeset", word) || word.starts_with('-')
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

    fn read_text(&mut self, text: &str, depth: u8) {
        let script = read_script(text);
        for (at, simple) in script.commands.iter().enumerate() {
            let words: Vec<&str> = simple.words.iter().map(|word| word.text.as_str()).collect();
            let waits = self.read_command(&words, depth);
            if waits {
                self.add_piped_input(&script.commands, at, simple);
            }
        }
        if depth > 0 {
            for nested in &script.nested {
                self.read_text(nested, depth - 1);
            }
        }
    }

    /// What an interpreter without a script reads as its program.
    fn add_piped_input(&mut self, commands: &[SimpleCommand], at: usize, simple: &SimpleCommand) {
        for input in &simple.inputs {
            self.add_word(input);
        }
        let mut at = at;
        while at > 0 && commands[at].piped {
            at -= 1;
            for word in &commands[at].words {
                self.add_word(&word.text);
            }
            for input in &commands[at].inputs {
                self.add_word(input);
            }
        }
    }

    /// Reads one simple command; answers whether it takes its program from standard input.
    fn read_command(&mut self, words: &[&str], depth: u8) -> bool {
        self.note_variables(words);
        let mut words = words;
        while words.first().is_some_and(|word| is_assignment(word)) {
            words = &words[1..];
        }
        let Some((program, rest)) = words.split_first() else {
            return false;
        };
        if program.contains('/') {
            self.add_word(program);
        } else {
            self.add_name(program);
        }
        if program.starts_with('$') {
            // `$PYTHON bench.py`: what it is cannot be told, so it is taken for an interpreter.
            self.add_config_files(rest, true);
            let known = self.set.iter().find(|(name, _)| program[1..] == **name);
            if let Some((_, text)) = known.cloned().filter(|_| depth > 0) {
                // `RUN="python x.py"; $RUN`
                self.read_text(&format!("{text} {}", rest.join(" ")), depth - 1);
            }
            if let Some(script) = rest.iter().find(|word| !word.starts_with('-')) {
                self.add_word(script);
            }
            return false;
        }
        self.read_program(&to_plain_name(program), rest, depth)
    }

    fn read_program(&mut self, name: &str, rest: &[&str], depth: u8) -> bool {
        let kind = find_program_kind(name);
        let given = FILE_OPTIONS.iter().any(|option| rest.contains(option));
        for search in list_default_searches(name) {
            if !given || !matches!(kind, ProgramKind::FileFlag) {
                self.add_search(search);
            }
        }
        self.add_config_files(
            rest,
            !matches!(
                kind,
                ProgramKind::Data
                    | ProgramKind::Shell
                    | ProgramKind::Interpreter(_)
                    | ProgramKind::Wrapper { .. }
                    | ProgramKind::FileFlag
            ),
        );
        match kind {
            ProgramKind::Shell => return self.read_shell(rest, depth),
            ProgramKind::Interpreter(options) => {
                return self.read_interpreter((name, rest), options, depth);
            }
            ProgramKind::Wrapper { values, verbs } => {
                return self.read_wrapper(rest, values, verbs, depth);
            }
            ProgramKind::Runner => {
                for word in rest.iter().filter(|word| !word.starts_with('-')) {
                    self.add_word(word.split("::").next().unwrap_or(word));
                    if is_listed("pytest py.test", name) {
                        for search in list_conftests(word) {
                            self.add_search(search);
                        }
                    }
                }
            }
            ProgramKind::FileFlag => {
                for (flag, value) in pair_options(rest) {
                    if FILE_OPTIONS.contains(&flag) {
                        self.add_word(value);
                    }
                }
            }
            ProgramKind::Data | ProgramKind::Other => self.read_other_program(name, rest, depth),
        }
        false
    }

    fn read_other_program(&mut self, name: &str, rest: &[&str], depth: u8) {
        match name {
            "." | "source" => {
                if let Some(file) = rest.first() {
                    self.add_word(file);
                }
            }
            "find" => {
                let starts = ["-exec", "-execdir", "-ok", "-okdir"];
                for at in (0..rest.len()).filter(|at| starts.contains(&rest[*at])) {
                    self.read_command(&rest[at + 1..], depth.saturating_sub(1));
                }
            }
            "go" if rest.first() == Some(&"run") => {
                let files = rest[1..].iter().skip_while(|word| word.starts_with('-'));
                for file in files.take_while(|word| has_ending(word, "go")) {
                    self.add_word(file);
                }
            }
            _ => {}
        }
    }

    /// `sh -euc TEXT`, `sh FILE`.
    fn read_shell(&mut self, rest: &[&str], depth: u8) -> bool {
        let mut at = 0;
        while let Some(word) = rest.get(at) {
            let short = word.starts_with(['-', '+']) && !word.starts_with("--") && word.len() > 1;
            match *word {
                "--rcfile" | "--init-file" => {
                    if let Some(file) = rest.get(at + 1) {
                        self.add_word(file);
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
                        self.read_text(text, depth - 1);
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
                self.add_word(script);
                // `busybox sh x.sh`
                if matches!(find_program_kind(script), ProgramKind::Shell) {
                    return self.read_shell(&rest[at + 1..], depth);
                }
                false
            }
            None => true,
        }
    }

    fn read_interpreter(
        &mut self,
        (name, rest): (&str, &[&str]),
        options: &InterpreterOptions,
        depth: u8,
    ) -> bool {
        let mut at = 0;
        let mut runs_code = false;
        while let Some(word) = rest.get(at) {
            let (flag, joined) = word
                .split_once('=')
                .map_or((*word, None), |(flag, value)| (flag, Some(value)));
            if is_listed(options.preloads, flag) {
                let value = joined.or_else(|| rest.get(at + 1).copied());
                self.add_word(value.unwrap_or_default());
                at += if joined.is_some() { 1 } else { 2 };
            } else if flag == "-m" {
                let module = rest.get(at + 1).copied().unwrap_or_default();
                let path = module.replace('.', "/");
                self.add_word(&format!("{path}.py"));
                self.add_word(&format!("{path}/__main__.py"));
                for search in list_module_searches(module) {
                    self.add_search(search);
                }
                let behind = rest.get(at + 2..).unwrap_or_default();
                self.read_module(module, behind, depth);
                return false;
            } else if is_listed(options.code, flag) {
                runs_code = true;
                at += if joined.is_some() { 1 } else { 2 };
            } else if is_listed(options.values, flag) && joined.is_none() {
                at += 2;
            } else if *word == "-" {
                return true;
            } else if word.starts_with('-') || is_listed(VERBS, word) {
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
                    self.add_word(word);
                    for search in list_script_searches(name, word) {
                        self.add_search(search);
                    }
                }
                if matches!(
                    find_program_kind(&to_plain_name(script)),
                    ProgramKind::Runner | ProgramKind::Interpreter(_)
                ) {
                    self.read_program(
                        &to_plain_name(script),
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
    fn read_module(&mut self, module: &str, rest: &[&str], depth: u8) {
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
            self.add_word(script.copied().unwrap_or_default());
        } else if depth > 0 {
            self.read_program(module, rest, depth - 1);
        }
    }

    fn read_wrapper(&mut self, rest: &[&str], values: &str, verbs: &str, depth: u8) -> bool {
        if depth == 0 {
            return false;
        }
        // A quoted text with blanks is a separate command: `hyperfine './bench.sh 5'`.
        for text in rest.iter().filter(|word| word.contains([' ', '\n', ';'])) {
            self.read_text(text, depth - 1);
        }
        let mut rest = rest;
        if !verbs.is_empty() {
            let Some(at) = rest.iter().position(|word| is_listed(verbs, word)) else {
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
            if is_listed(values, word) {
                at += 2;
            } else if word.starts_with('-') || is_assignment(word) || is_value(word) {
                at += 1;
            } else {
                break;
            }
        }
        let behind = rest.get(at..).unwrap_or_default();
        let waits = self.read_command(behind, depth - 1);
        // Options that are not known may have taken the program for their value.
        for later in 1..rest.len() {
            let name = to_plain_name(rest[later]);
            if later != at
                && matches!(
                    find_program_kind(&name),
                    ProgramKind::Shell | ProgramKind::Interpreter(_)
                )
            {
                self.read_command(&rest[later..], depth - 1);
            }
        }
        waits
    }

    /// The files from which a tool takes its rules.
    fn add_config_files(&mut self, rest: &[&str], short: bool) {
        for (flag, value) in pair_options(rest) {
            let long = flag.strip_prefix("--").is_some_and(|name| {
                name.contains("config") || name.contains("rcfile") || is_listed(CONFIG_FLAGS, name)
            });
            let source = has_ending(value, SOURCES);
            let rules = has_ending(value, RULES);
            if long || (short && flag == "-c" && !source) || (short && flag == "-p" && rules) {
                self.add_word(value);
            }
            if flag == "-p" || flag == "--project" {
                self.add_word(&format!("{}/tsconfig.json", value.trim_end_matches('/')));
            }
        }
    }
}

/// Each option with its value, whether that is joined by `=` or stands behind it.
fn pair_options<'w>(words: &[&'w str]) -> Vec<(&'w str, &'w str)> {
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
        .is_some_and(|(_, ending)| is_listed(endings, ending))
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
