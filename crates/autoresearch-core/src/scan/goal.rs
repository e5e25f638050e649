//! Owns `Wish`: what a sentence asks for, as far as its words say.
//! Does not know a repository.
//! Invariant: a word that is not understood changes nothing.

use serde::{Deserialize, Serialize};

use crate::metric::unit::{Doubt, Quantity, Unit};

/// What a run can be after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Aim {
    /// More lines that tests run.
    Coverage,
    /// Fewer findings of a linter or a compiler.
    Lint,
    /// Fewer type errors.
    Types,
    /// Fewer of something in the sources.
    Count,
    /// Fewer errors of a build.
    BuildErrors,
    /// Fewer tests that fail.
    FailingTests,
    /// Fewer runs that fail.
    FlakyTests,
    /// A faster program.
    Speed,
    /// Faster tests.
    TestTime,
    /// A faster build.
    BuildTime,
    /// Fewer bytes of what is shipped.
    Size,
    /// Less memory.
    Memory,
    /// Fewer gates of a release that are open.
    Release,
}

/// A sentence, read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Wish {
    /// The sentence, with single spaces.
    pub text: String,
    /// What it asks for; `None` where no word says.
    pub aim: Option<Aim>,
    /// The value at which it is reached, in a unit of what it asks for.
    pub target: Option<String>,
    /// What stands between backticks, to be counted.
    pub quoted: Option<String>,
    /// Its words in lower case.
    #[serde(skip)]
    pub words: Vec<String>,
    /// All values that it names, in any unit.
    #[serde(skip)]
    pub targets: Vec<String>,
}

/// Words that say it alone, the first row that has one decides. A word with `*` is the beginning of one.
const WORDS: &[(Aim, &[&str])] = &[
    (Aim::Coverage, &["coverage", "covered", "uncovered"]),
    (
        Aim::FlakyTests,
        &["flak*", "intermittent*", "sporadic*", "unstable"],
    ),
    (
        Aim::Types,
        &[
            "tsc",
            "mypy",
            "pyright",
            "typecheck*",
            "type-check*",
            "typing",
        ],
    ),
    (
        Aim::Lint,
        &[
            "lint*",
            "eslint",
            "clippy",
            "ruff",
            "flake8",
            "rubocop",
            "shellcheck",
            "golangci*",
            "biome",
            "phpstan",
            "credo",
            "vet",
            "warning",
            "warnings",
        ],
    ),
    (
        Aim::Memory,
        &["memory", "ram", "rss", "heap", "leak*", "allocation*"],
    ),
    (
        Aim::Size,
        &[
            "size",
            "bundle",
            "binary",
            "smaller",
            "shrink",
            "bytes",
            "footprint",
            "slim*",
        ],
    ),
];

/// Words of what is to be sent out. They say it only where nothing else does: a release build can be slow.
const RELEASES: &[&str] = &[
    "ship",
    "shipping",
    "shippable",
    "release",
    "releasing",
    "releasable",
    "publish*",
];

/// Words of time, which need another one to say of what.
const FASTER: &[&str] = &[
    "fast*",
    "slow*",
    "speed*",
    "quick*",
    "latency",
    "throughput",
    "performance",
    "performant",
    "benchmark*",
    "time",
    "seconds",
    "p95",
    "p99",
];

fn has_word(words: &[String], row: &[&str]) -> bool {
    words
        .iter()
        .any(|word| row.iter().any(|known| fits_word(word, known)))
}

fn fits_word(word: &str, known: &str) -> bool {
    match known.split_once('*') {
        Some((start, end)) => {
            word.starts_with(start) && word.ends_with(end) && word.len() >= start.len() + end.len()
        }
        None => word == known,
    }
}

/// Reads a sentence.
#[must_use]
pub fn read_wish(sentence: &str) -> Wish {
    let text = sentence.split_whitespace().collect::<Vec<_>>().join(" ");
    let plain = |letter: char| !(letter.is_alphanumeric() || "-_./%#:@".contains(letter));
    let words: Vec<String> = text
        .to_lowercase()
        .split(plain)
        .map(|word| word.trim_matches(['.', ':']).to_owned())
        .filter(|word| !word.is_empty())
        .collect();
    let quoted = text
        .split('`')
        .nth(1)
        .filter(|_| text.matches('`').count() >= 2);
    let (aim, targets) = (find_aim(&words), list_targets(&words));
    let target = match aim {
        // The number in the sentence is a version.
        Some(Aim::Release) => None,
        Some(aim) => aim.choose_target(&targets, &aim.unit()),
        None => targets.first(),
    };
    Wish {
        aim,
        target: target.cloned(),
        targets,
        quoted: quoted
            .filter(|quoted| !quoted.trim().is_empty())
            .map(ToOwned::to_owned),
        words,
        text,
    }
}

/// Words of builds.
const BUILDS: &[&str] = &["build", "builds", "building", "compil*"];
/// Words of tests.
const TESTS: &[&str] = &["test", "tests", "suite", "spec", "specs"];

/// Words of what does not work, and shall.
const BROKEN: &[&str] = &["fail*", "broken", "red", "pass", "green"];

/// Words of metrics' names, and what they say in a sentence.
const NAMES: &[(&[&str], &str)] = &[
    (&["any", "anys"], "typing"),
    (
        &[
            "finding*",
            "issue*",
            "problem*",
            "violation*",
            "diagnostic*",
            "offense*",
            "smell*",
        ],
        "lint",
    ),
    (&["failing", "failed", "failures", "failure"], "tests"),
    (
        &[
            "ms", "s", "sec", "secs", "us", "ns", "wall", "cpu", "duration", "elapsed", "runtime",
        ],
        "time",
    ),
    (&["kb", "kib", "mb", "mib", "gb", "byte"], "bytes"),
    (&["cov"], "coverage"),
];

/// What a metric measures, as far as its name says: `type_errors`, `build_ms`, `bundle_bytes`.
#[must_use]
pub fn find_metric_aim(name: &str) -> Option<Aim> {
    let lower = name.to_lowercase();
    let parts = lower.split(|letter: char| !letter.is_alphanumeric());
    let mut words: Vec<String> = parts.map(ToOwned::to_owned).collect();
    let meant = NAMES
        .iter()
        .filter(|(known, _)| has_word(&words, known))
        .map(|(_, word)| (*word).to_owned());
    let meant: Vec<String> = meant.collect();
    words.extend(meant);
    // `lint_ms` is a time, and `test_bytes` a size.
    if has_word(&words, &["time", "seconds", "latency", "p95", "p99"]) {
        return Some(find_time_aim(&words));
    }
    if has_word(&words, &["bytes"]) {
        let is_memory = has_word(&words, &["peak", "memory", "rss", "heap", "ram"]);
        return Some(if is_memory { Aim::Memory } else { Aim::Size });
    }
    find_aim(&words)
}

/// What is to be faster.
fn find_time_aim(words: &[String]) -> Aim {
    if has_word(words, BUILDS) {
        Aim::BuildTime
    } else if has_word(words, TESTS) {
        Aim::TestTime
    } else {
        Aim::Speed
    }
}

fn find_aim(words: &[String]) -> Option<Aim> {
    let has = |row: &[&str]| has_word(words, row);
    let first = WORDS.iter().find(|(_, row)| has(row)).map(|(aim, _)| *aim);
    let tests = has(TESTS);
    let is_type_error = has(&["type", "types"]) && has(&["error", "errors"]);
    if is_type_error && first != Some(Aim::Coverage) {
        return Some(Aim::Types);
    }
    if first.is_some_and(|aim| aim != Aim::Size && aim != Aim::Memory) {
        return first;
    }
    if tests && has(BROKEN) && !has(FASTER) {
        return Some(Aim::FailingTests);
    }
    if first.is_some() {
        return first;
    }
    let is_broken = has(BROKEN) || has(&["error", "errors", "fix"]);
    if has(BUILDS) && is_broken && !has(FASTER) {
        return Some(Aim::BuildErrors);
    }
    if !has(FASTER) {
        return has(RELEASES).then_some(Aim::Release);
    }
    Some(find_time_aim(words))
}

/// The numbers behind `to`, `below` and the like, and those with a unit; nothing is left of what somebody gets rid of.
fn list_targets(words: &[String]) -> Vec<String> {
    let mut targets = list_numbers(words);
    if wants_none(words) {
        targets.push("0".to_owned());
    }
    targets
}

fn list_numbers(words: &[String]) -> Vec<String> {
    let leads = [
        "to", "below", "under", "above", "over", "least", "most", "than", "of", "reach", "until",
    ];
    let units = [
        "%", "percent", "kb", "mb", "gb", "kib", "mib", "gib", "ms", "s", "seconds", "bytes", "min",
    ];
    let mut found = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let Some(number) = read_number(word) else {
            continue;
        };
        let unit = words
            .get(at + 1)
            .filter(|unit| units.contains(&unit.as_str()));
        // The `3` of `the tests of 3 modules` is no number to end at.
        let is_counted = |lead: &str| lead == "of" && at + 1 < words.len();
        let led = at.checked_sub(1).is_some_and(|before| {
            let lead = words[before].as_str();
            leads.contains(&lead) && !is_counted(lead)
        });
        // What somebody takes off is not where they want to end: `by 20 %`.
        let is_step = at
            .checked_sub(1)
            .is_some_and(|before| words[before] == "by");
        if is_step || !(led || unit.is_some() || word.len() > number.len()) {
            continue;
        }
        found.push(match unit {
            Some(unit) if unit != "%" && unit != "percent" => {
                format!("{word} {}", restore_unit(unit))
            }
            _ => restore_units(word),
        });
    }
    found
}

fn wants_none(words: &[String]) -> bool {
    let none = words
        .windows(2)
        .any(|pair| pair == ["get", "rid"] || pair == ["to", "zero"]);
    let all = [
        "remove",
        "eliminate",
        "fix",
        "kill",
        "delete",
        "resolve",
        "replace",
        "correct",
    ];
    let is_all = has_word(words, &all) && has_word(words, &["all", "every", "the", "remaining"]);
    none || is_all || has_word(words, &["zero", "no"])
}

/// The number at the start of a word, where the rest is a unit or a per cent sign.
fn read_number(word: &str) -> Option<&str> {
    let (number, unit) = split_number(word);
    let is_unit = unit.len() <= 3
        && unit
            .chars()
            .all(|letter| letter.is_alphabetic() || letter == '%');
    let fits = number.starts_with(|letter: char| letter.is_ascii_digit())
        && is_unit
        && word.parse::<Quantity>().is_ok();
    fits.then_some(number)
}

fn split_number(word: &str) -> (&str, &str) {
    let is_digit = |letter: char| letter.is_ascii_digit() || letter == '.';
    word.split_at(word.find(|letter| !is_digit(letter)).unwrap_or(word.len()))
}

/// Units of bytes as they are written; the sentence was made lower case.
fn restore_unit(unit: &str) -> String {
    match unit {
        "kb" => "kB".to_owned(),
        "mb" | "gb" => unit.to_uppercase(),
        "kib" => "KiB".to_owned(),
        "mib" => "MiB".to_owned(),
        "gib" => "GiB".to_owned(),
        _ => unit.to_owned(),
    }
}

fn restore_units(word: &str) -> String {
    match split_number(word) {
        (number, "%") => number.to_owned(),
        (number, unit) => format!("{number}{}", restore_unit(unit)),
    }
}

impl Aim {
    /// What may stand in for it where it cannot be measured itself.
    #[must_use]
    pub fn stand_in(self) -> Option<Self> {
        (self == Self::Speed).then_some(Self::TestTime)
    }

    /// Is it proposed to somebody who asks for nothing? Whether a build or tests fail is known only to those who ran them.
    #[must_use]
    pub fn is_offered(self) -> bool {
        !matches!(
            self,
            Self::BuildErrors | Self::FailingTests | Self::FlakyTests | Self::Release
        )
    }

    /// Is it a count that somebody wants to be 0? Nobody wants a time of 0.
    fn counts_down(self) -> bool {
        matches!(
            self,
            Self::Lint
                | Self::Types
                | Self::Count
                | Self::BuildErrors
                | Self::FailingTests
                | Self::FlakyTests
                | Self::Release
        )
    }

    /// The unit in which it is measured; none for counts.
    fn unit(self) -> Unit {
        Unit::from_text(match self {
            Self::Speed | Self::TestTime | Self::BuildTime => "ms",
            Self::Size | Self::Memory => "bytes",
            Self::Coverage => "%",
            _ => "",
        })
    }

    /// The first of these values that a metric in this unit can reach. A bare number is none of bytes or of milliseconds:
    /// nobody counts in those.
    pub(super) fn choose_target<'t>(
        self,
        targets: &'t [String],
        unit: &Unit,
    ) -> Option<&'t String> {
        let is_measured = ["ms", "bytes"].contains(&unit.as_str());
        let fits = |quantity: &Quantity| {
            quantity.in_unit(unit, Doubt::Larger).is_some()
                || quantity.unit.is_none() && !is_measured
        };
        let mut fitting = targets.iter().filter(|target| {
            let quantity: Option<Quantity> = target.parse().ok();
            quantity.as_ref().is_some_and(fits) && (*target != "0" || self.counts_down())
        });
        fitting.next()
    }

    /// Which way is better.
    #[must_use]
    pub fn direction(self) -> &'static str {
        if self == Self::Coverage {
            "higher"
        } else {
            "lower"
        }
    }

    /// How good a proposal it is to somebody who does not know what to ask for.
    #[must_use]
    pub fn merit(self) -> u32 {
        match self {
            Self::Speed => 75,
            Self::Lint => 65,
            Self::Types => 62,
            Self::Coverage => 60,
            Self::Count => 58,
            Self::Size => 55,
            Self::TestTime => 50,
            Self::BuildTime => 40,
            Self::FlakyTests => 35,
            Self::BuildErrors | Self::FailingTests | Self::Release => 30,
            Self::Memory => 25,
        }
    }
}

#[cfg(test)]
mod tests;
