//! Owns what mutes a finding, as it is compared with what was there before, and as it is told.
//! Does not find it.
//! Invariant: of two forms of one name the narrower may take the wider one's place.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use crate::decide::gaming::ChangedFile;
use crate::words::text::{clip_text, escape_text};

/// How many are compared of one file; no file of a person's has so many.
pub(super) const MOST_OF_FILE: usize = 20_000;
/// How much is shown of what was added.
const SHOWN: usize = 60;
/// How much of it is kept, in letters.
const KEPT: usize = 200;

/// How findings are muted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SuppressionKind {
    /// A comment or an attribute that turns a tool off for some code.
    Ignore,
    /// A test that does not run, or asks less.
    Skip,
    /// A rule of a tool that asks less, or of fewer files.
    Rule,
    /// Code that says what no tool can check.
    Escape,
    /// Code that coverage does not count.
    Uncounted,
}

/// One suppression that a trial adds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Suppression {
    pub file: String,
    pub line: u32,
    pub kind: SuppressionKind,
    /// What was added.
    pub text: String,
}

impl Suppression {
    /// With no more of the text than a record has room for.
    pub(super) fn new(file: &ChangedFile, line: u32, kind: SuppressionKind, text: &str) -> Self {
        Self {
            file: file.path.clone(),
            line,
            kind,
            text: clip_text(text, KEPT),
        }
    }
}

impl fmt::Display for Suppression {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (file, text) = (escape_text(&self.file), escape_text(&self.text));
        write!(out, "{file}:{} `{}`", self.line, clip_text(&text, SHOWN))
    }
}

/// How much one of them mutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Width {
    Line,
    File,
    Project,
}

/// Something that mutes, wherever it was before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mute {
    pub kind: SuppressionKind,
    /// Forms of one name take each other's place.
    pub name: String,
    /// What it mutes; everything when it is empty.
    pub codes: BTreeSet<String>,
    pub width: Width,
    pub lines: RangeInclusive<u32>,
    pub text: String,
}

impl Mute {
    /// Takes away what the other one mutes; is nothing left? A rule holds for all that begin as it does.
    pub(super) fn use_up(&mut self, other: &Self) -> bool {
        if self.kind == SuppressionKind::Rule {
            return false;
        }
        self.codes.retain(|code| !other.codes.contains(code));
        self.codes.is_empty()
    }

    /// Did this one mute all that the other does?
    pub(super) fn covers(&self, other: &Self) -> bool {
        let holds = |code: &String| {
            let begins = |own: &String| {
                let own = own.trim_end_matches('*');
                self.kind == SuppressionKind::Rule && !own.is_empty() && code.starts_with(own)
            };
            self.codes.contains(code) || self.codes.iter().any(begins)
        };
        let all = !other.codes.is_empty() && other.codes.iter().all(holds);
        self.name == other.name && self.width >= other.width && (self.codes.is_empty() || all)
    }
}

impl Mute {
    pub(super) fn into_suppression(self, file: &ChangedFile) -> Suppression {
        let added = file.added.range(self.lines.clone()).next();
        let line = match (self.kind, added) {
            (SuppressionKind::Rule, _) => find_line(file, &clip_text(&self.text, KEPT)),
            (_, Some(line)) => *line,
            (_, None) => *self.lines.start(),
        };
        Suppression::new(file, line, self.kind, &self.text)
    }
}

/// The added line on which a setting stands: a guess by its longest words, since the readers do not say.
pub(super) fn find_line(file: &ChangedFile, text: &str) -> u32 {
    let mut words: Vec<&str> = text
        .split([' ', '=', '"', '.'])
        .filter(|word| word.len() > 1)
        .collect();
    words.reverse();
    let lines = || (1_u32..).zip(file.after.lines());
    let added = || lines().filter(|(number, _)| file.added.contains(number));
    let found = words
        .iter()
        .find_map(|word| added().find(|(_, line)| line.contains(word)));
    let first = file.added.first().copied();
    found.map_or(first.unwrap_or(1), |(number, _)| number)
}
