//! Owns the search for code that games a measurement instead of improving what is measured.
//! Does not read files and does not decide what follows; `judge` does.
//! Invariant: only code on lines that a trial added counts; what it moved or indented anew was there before.

mod built;
mod emptied;
mod functions;
mod inputs;
mod patterns;
mod put_off;
pub(super) mod tokens;

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

pub(super) use self::emptied::Asked;
use self::emptied::count_asked;
use self::functions::Code;
use self::inputs::Literals;
use self::patterns::{Reach, Rule, list_rules};
use self::put_off::find_put_off;
use self::tokens::{Language, Token, find_main_lines, find_test_lines, split_tokens};
use crate::config::Config;
use crate::config::SuspectPattern;
use crate::config::globs::Globs;
use crate::git_names::RepoPath;
use crate::shell::executed::list_executed_words;

/// How many places are recorded of one trial.
const MOST: usize = 20;
/// No rule spans more tokens than this.
const LONGEST_MATCH: usize = 60;
/// A source file is not longer than this, in bytes.
const LONGEST: usize = 8 << 20;
/// Modules of Python that a benchmark imports: a new file of this name can take their place.
const MODULES: &str = "time timeit statistics random json math os sys unittest datetime io signal gc inspect builtins";
/// Files that Python loads by itself.
const SELF_LOADED: [&str; 2] = ["sitecustomize", "usercustomize"];
/// Endings of scripts that a command of the user's executes.
const SCRIPTS: [&str; 12] = [
    "py", "js", "mjs", "cjs", "ts", "mts", "cts", "sh", "bash", "rb", "pl", "rs",
];

/// A file that a commit changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangedFile {
    pub path: String,
    /// Its text before; none of a new file.
    pub before: Option<String>,
    /// Its text now; empty when it is gone.
    pub after: String,
    /// The numbers of the lines that were added, from 1.
    pub added: BTreeSet<u32>,
    pub removed: Vec<String>,
}

/// One suspicious place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Suspicion {
    pub pattern: SuspectPattern,
    pub file: String,
    pub line: u32,
}

impl fmt::Display for Suspicion {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = crate::words::text::escape_text(&self.file);
        write!(out, "{} {file}:{}", self.pattern.as_str(), self.line)
    }
}

/// The scripts of verify and guard, which the code under work has no reason to name, and what stands in them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Harness {
    names: BTreeSet<String>,
    literals: Literals,
}

impl Harness {
    /// What verify and guard execute, where it is not a file that trials may change.
    #[must_use]
    pub fn of_config(config: &Config) -> Self {
        let scope = Globs::new(&config.scope).ok();
        let in_scope = |word: &str| {
            let path = word.trim_start_matches("./");
            scope.as_ref().is_some_and(|scope| scope.matches_path(path))
        };
        let gates = config.gates.iter().filter(|gate| config.counts_gate(gate));
        let commands = std::iter::once(&config.verify).chain(&config.guard);
        let commands = commands.chain(gates.map(|gate| &gate.command));
        let words = commands.flat_map(|command| list_executed_words(&command.command));
        let outside = words.filter(|word| !in_scope(word));
        let names = outside.filter_map(|word| {
            let name = word.rsplit('/').next().unwrap_or_default();
            let (stem, ending) = name.rsplit_once('.')?;
            (stem.len() > 2 && SCRIPTS.contains(&ending)).then(|| name.to_owned())
        });
        Self {
            names: names.collect(),
            literals: Literals::default(),
        }
    }

    /// Takes in a file of the harness: the numbers and texts that it measures with.
    pub fn add_file(&mut self, path: &str, text: &str) {
        let tokens = split_tokens(text, Language::of_file(path, text));
        self.literals.add_tokens(&tokens);
    }

    /// The new lines that name it.
    fn find_named(&self, tokens: &[Token], new: &BTreeSet<u32>) -> BTreeSet<u32> {
        let named = (0..tokens.len()).filter(|at| self.is_named_by(tokens, *at));
        let lines = named.map(|at| tokens[at].line);
        lines.filter(|line| new.contains(line)).collect()
    }

    fn is_named_by(&self, tokens: &[Token], at: usize) -> bool {
        let token = &tokens[at];
        if token.is_string() {
            return self.names.iter().any(|name| holds_name(&token.text, name));
        }
        let imports = at > 0 && matches!(tokens[at - 1].text.as_str(), "import" | "from");
        let module = |name: &String| {
            name.strip_suffix(".py")
                .is_some_and(|stem| stem == token.text)
        };
        imports && self.names.iter().any(module)
    }
}

/// Does a text hold a file name, and not only as the end of a longer one?
fn holds_name(text: &str, name: &str) -> bool {
    let is_part = |letter: char| letter.is_alphanumeric() || "_-.".contains(letter);
    text.match_indices(name).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + name.len()..].chars().next();
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

/// Searches what a commit adds.
#[must_use]
pub fn find_suspicions(files: &[ChangedFile], harness: &Harness) -> Vec<Suspicion> {
    let mut gone: BTreeMap<&str, usize> = BTreeMap::new();
    for line in files.iter().flat_map(|file| &file.removed) {
        *gone.entry(line.trim()).or_default() += 1;
    }
    let mut found = BTreeSet::new();
    for file in files {
        let mut new = file.added.clone();
        for (number, line) in (1_u32..).zip(file.after.lines()) {
            if let Some(left @ 1..) = gone.get_mut(line.trim())
                && new.remove(&number)
            {
                *left -= 1;
            }
        }
        search_file(file, &new, harness, &mut found);
    }
    if let Some(emptied) = find_emptied(files) {
        found.insert(emptied);
    }
    // One place says enough of a line that does one thing in several ways.
    found.into_iter().take(MOST).collect()
}

fn search_file(
    file: &ChangedFile,
    new: &BTreeSet<u32>,
    harness: &Harness,
    found: &mut BTreeSet<Suspicion>,
) {
    let language = Language::of_file(&file.path, &file.after);
    let mut note = |pattern: SuspectPattern, line: u32| {
        found.insert(Suspicion {
            pattern,
            file: file.path.clone(),
            line,
        });
    };
    if let Some(pattern) = judge_unread(file) {
        note(pattern, 1);
        return;
    }
    if language == Language::Prose || new.is_empty() {
        return;
    }
    if file.before.is_none() && is_shadowing(&file.path) {
        note(SuspectPattern::ShadowsModule, 1);
    }
    let tokens = split_tokens(&file.after, language);
    let before = OnceCell::new();
    let text = file.before.as_deref().unwrap_or_default();
    let before = || -> &Vec<Token> { before.get_or_init(|| split_tokens(text, language)) };
    let starts = list_starts(&tokens, new);
    let is_test = is_test_file(&file.path);
    let tests = find_test_lines(&tokens, language);
    let main = find_main_lines(&file.after, &tokens, language);
    let is_library = |line: u32| !is_test && !tests.contains(&line) && !main.contains(&line);
    for rule in list_rules(language) {
        let mut lines = find_rule(&rule, &tokens, &starts, new);
        lines.retain(|line| match rule.reach {
            Reach::Always => true,
            Reach::Library | Reach::New => is_library(*line),
            Reach::Module => is_library(*line) && is_outermost(&file.after, *line),
        });
        let was_there = || has_rule(&rule, language, before());
        if !lines.is_empty() && (rule.reach != Reach::New || !was_there()) {
            for line in lines {
                note(rule.pattern, line);
            }
        }
    }
    let mut note_library = |pattern: SuspectPattern, lines: BTreeSet<u32>| {
        for line in lines.into_iter().filter(|line| is_library(*line)) {
            note(pattern, line);
        }
    };
    let now = Code::new(&file.after, &tokens, language);
    let late = find_put_off(&now, new, || Code::new(text, before(), language));
    note_library(SuspectPattern::PutsOffWork, late);
    if !harness.literals.is_empty() {
        let known = harness.literals.find_known(&tokens, before(), new);
        note_library(SuspectPattern::KnowsInput, known);
    }
    if !is_test {
        for line in harness.find_named(&tokens, new) {
            note(SuspectPattern::NamesHarness, line);
        }
    }
}

/// What is told of a file that is not read.
fn judge_unread(file: &ChangedFile) -> Option<SuspectPattern> {
    let is_prose = Language::of_file(&file.path, &file.after) == Language::Prose;
    if built::is_built(&file.path, &file.after) {
        Some(SuspectPattern::BringsBuild)
    } else {
        let is_long = file.after.len() > LONGEST && !file.added.is_empty();
        (is_long && !is_prose).then_some(SuspectPattern::HidesCode)
    }
}

/// The first file that asks less, where the tests of all files together ask less than before.
fn find_emptied(files: &[ChangedFile]) -> Option<Suspicion> {
    let (before, after) = count_asked_by(files);
    if !after.is_less_than(before) {
        return None;
    }
    let file = find_least(files)?;
    Some(Suspicion {
        pattern: SuspectPattern::EmptiesChecks,
        file: file.path.clone(),
        line: file.added.first().copied().unwrap_or(1),
    })
}

/// The first file that asks less than before.
pub(super) fn find_least(files: &[ChangedFile]) -> Option<&ChangedFile> {
    files.iter().find(|file| {
        let (before, now) = count_asked_by(std::slice::from_ref(*file));
        now.is_less_than(before)
    })
}

/// What the tests of all files ask: before, and now.
pub(super) fn count_asked_by(files: &[ChangedFile]) -> (Asked, Asked) {
    let (mut before, mut after) = (Asked::default(), Asked::default());
    for file in files {
        before.add(count_file(
            &file.path,
            file.before.as_deref().unwrap_or_default(),
        ));
        after.add(count_file(&file.path, &file.after));
    }
    (before, after)
}

/// Where code skips a test or asks nothing, by the same table: the first and the last of its tokens.
pub(super) fn find_skips(tokens: &[Token], language: Language) -> Vec<(usize, usize)> {
    let rules = list_rules(language).filter(|rule| rule.pattern == SuspectPattern::EmptiesChecks);
    let rules = rules.filter(|rule| !rule.code.contains("should_panic"));
    let mut found = BTreeMap::new();
    for rule in rules {
        for at in 0..tokens.len() {
            if let Some(end) = rule.match_at(tokens, at) {
                found.insert(at, end - 1);
            }
        }
    }
    found.into_iter().collect()
}

/// What the tests in a file ask.
fn count_file(path: &str, text: &str) -> Asked {
    let language = Language::of_file(path, text);
    if matches!(language, Language::Prose | Language::Data) || text.len() > LONGEST {
        return Asked::default();
    }
    let is_test = is_test_file(path);
    if !is_test && language != Language::Rust {
        return Asked::default();
    }
    let tokens = split_tokens(text, language);
    let lines = find_test_lines(&tokens, language);
    count_asked(&tokens, language, &|line| is_test || lines.contains(&line))
}

/// Does this line, from 1, begin without an indent?
fn is_outermost(text: &str, line: u32) -> bool {
    let index = usize::try_from(line)
        .unwrap_or(usize::MAX)
        .saturating_sub(1);
    let found = text.lines().nth(index).unwrap_or_default();
    found.starts_with(|letter: char| !letter.is_whitespace())
}

/// Did the file do anything of the kind before, by any rule that asks for it to be new?
fn has_rule(rule: &Rule, language: Language, before: &[Token]) -> bool {
    let kin = list_rules(language)
        .filter(|other| other.pattern == rule.pattern && other.reach == Reach::New);
    let mut everywhere = kin.flat_map(|rule| (0..before.len()).map(move |at| (rule, at)));
    everywhere.any(|(rule, at)| rule.match_at(before, at).is_some())
}

/// The first added line of each place where a rule holds.
fn find_rule(
    rule: &Rule,
    tokens: &[Token],
    starts: &Starts<'_>,
    new: &BTreeSet<u32>,
) -> BTreeSet<u32> {
    let places = match rule.first_word() {
        Some(word) => starts.by_word.get(word),
        None => Some(&starts.all),
    };
    let spans = places
        .into_iter()
        .flatten()
        .filter_map(|at| Some(*at..rule.match_at(tokens, *at)?));
    spans
        .filter_map(|span| {
            let mut lines = tokens[span].iter().flat_map(Token::list_lines);
            lines.find(|line| new.contains(line))
        })
        .collect()
}

/// Where code that reaches into an added line can begin.
#[derive(Default)]
struct Starts<'t> {
    all: Vec<usize>,
    by_word: BTreeMap<&'t str, Vec<usize>>,
}

fn list_starts<'t>(tokens: &'t [Token], new: &BTreeSet<u32>) -> Starts<'t> {
    let is_new = |token: &Token| new.range(token.list_lines()).next().is_some();
    let places = (0..tokens.len()).filter(|at| is_new(&tokens[*at]));
    let near = places.flat_map(|at| at.saturating_sub(LONGEST_MATCH)..=at);
    let mut starts = Starts::default();
    for at in near.collect::<BTreeSet<usize>>() {
        starts.all.push(at);
        let same = starts.by_word.entry(tokens[at].text.as_str()).or_default();
        same.push(at);
    }
    starts
}

/// Would Python load this new file in place of a module, or without being asked?
fn is_shadowing(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    match name.rsplit_once('.') {
        Some((stem, "py")) => {
            SELF_LOADED.contains(&stem) || MODULES.split(' ').any(|module| module == stem)
        }
        Some((_, "pth")) => true,
        _ => false,
    }
}

/// Tests replace clocks and write temporary files in all honesty.
pub(super) fn is_test_file(path: &str) -> bool {
    let mut parts: Vec<&str> = path.split('/').collect();
    let name = parts.pop().unwrap_or_default();
    let stem = name.split('.').next().unwrap_or_default();
    let is_folder =
        parts.first().is_some_and(|first| *first == "tests") || parts.contains(&"__tests__");
    let is_name = matches!(stem, "conftest" | "tests")
        || stem.starts_with("test_")
        || stem.ends_with("_test")
        || name.contains(".test.")
        || name.contains(".spec.");
    is_folder || is_name
}

/// The file as a commit names it.
impl ChangedFile {
    #[must_use]
    pub fn at_path(path: &RepoPath) -> Self {
        Self {
            path: path.to_text().into_owned(),
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod kinds_tests;
#[cfg(test)]
mod tests;
