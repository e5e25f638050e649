//! Owns the search for findings that a trial mutes instead of fixing: an ignore, a skipped test, a looser rule, an escape.
//! Does not read files; which runs it holds for is `subject`'s.
//! Invariant: what counts is what all files together have more of than before, so what moves or narrows is none.

mod code;
mod comments;
mod mute;
mod settings;
mod subject;

use std::collections::{BTreeMap, BTreeSet};

use self::code::list_code_mutes;
use self::comments::list_comment_mutes;
use self::mute::{MOST_OF_FILE, Mute};
pub use self::mute::{Suppression, SuppressionKind};
pub use self::settings::read::ReadSettings;
use self::settings::{list_setting_mutes, list_taken_rules};
pub use self::subject::MuteSubject;
use crate::decide::gaming::ChangedFile;
use crate::decide::gaming::count_questions;
use crate::decide::gaming::tokens::{Language, split_text};

/// How many are recorded of one trial.
const MOST: usize = 20;
/// A source file is not longer than this, in bytes.
const LONGEST: usize = 8 << 20;
/// How far from its beginning a file says that a program wrote it, in lines.
const HEAD: usize = 10;
/// With how many older ones of its name one is compared, that is none of them.
const MOST_COMPARED: usize = 500;
/// For how many of a trial's the line is sought.
const MOST_SOUGHT: usize = 200;

/// What a trial adds, of all kinds that would better the metric without any work.
#[must_use]
pub fn find_suppressions(
    files: &[ChangedFile],
    subject: MuteSubject,
    read: ReadSettings<'_>,
) -> Vec<Suppression> {
    let mut before = Vec::new();
    let mut after: Vec<(usize, Mute)> = Vec::new();
    for (index, file) in files.iter().enumerate() {
        let old = file.before.as_deref().unwrap_or_default();
        if is_foreign(&file.path, old) {
            continue;
        }
        before.extend(list_mutes(&file.path, old, read));
        let now = list_mutes(&file.path, &file.after, read);
        after.extend(now.into_iter().map(|mute| (index, mute)));
    }
    let is_new = |(index, mute): &(usize, Mute)| {
        let mut added = files[*index].added.range(mute.lines.clone());
        mute.kind == SuppressionKind::Rule || added.next().is_some()
    };
    // What stands on old lines was there before, and takes its place first.
    after.sort_by_key(is_new);
    let mut more = take_known(before, after);
    more.retain(is_new);
    let (asked, asks) = count_questions(files);
    // A new test may know where it cannot run.
    more.retain(|(_, mute)| mute.name != code::SKIP_IF || asks <= asked);
    let mut found: BTreeSet<Suppression> = more
        .into_iter()
        .filter(|(_, mute)| subject.asks_for(mute))
        .take(MOST_SOUGHT)
        .map(|(index, mute)| mute.into_suppression(&files[index]))
        .collect();
    if subject.findings {
        found.extend(list_taken_rules(files, read));
    }
    if subject.tests && asks < asked {
        let told = format!("the tests ask {asks} times, not {asked}");
        found.extend(find_emptied(files, &told));
    }
    found.into_iter().take(MOST).collect()
}

/// What is left when all that was there before has its place.
fn take_known(before: Vec<Mute>, after: Vec<(usize, Mute)>) -> Vec<(usize, Mute)> {
    let mut same: BTreeMap<_, Vec<Mute>> = BTreeMap::new();
    for old in before {
        let key = (old.name.clone(), old.codes.clone(), old.width);
        same.entry(key).or_default().push(old);
    }
    let mut more = Vec::new();
    for (index, mute) in after {
        let key = (mute.name.clone(), mute.codes.clone(), mute.width);
        if same.get_mut(&key).and_then(Vec::pop).is_none() {
            more.push((index, mute));
        }
    }
    let mut left: BTreeMap<String, Vec<Mute>> = BTreeMap::new();
    for old in same.into_values().flatten() {
        left.entry(old.name.clone()).or_default().push(old);
    }
    more.retain(|(_, mute)| {
        let Some(before) = left.get_mut(&mute.name) else {
            return true;
        };
        let mut near = before.iter().take(MOST_COMPARED);
        let Some(at) = near.position(|old| old.covers(mute)) else {
            return true;
        };
        // A wider one may become several that are narrower.
        if before[at].width == mute.width {
            before.swap_remove(at);
        }
        false
    });
    more
}

fn list_mutes(path: &str, text: &str, read: ReadSettings<'_>) -> Vec<Mute> {
    if text.is_empty() || text.len() > LONGEST {
        return Vec::new();
    }
    let mut found = list_setting_mutes(path, text, read);
    let language = Language::of_file(path, text);
    if language != Language::Prose {
        let (tokens, comments) = split_text(text, language);
        found.extend(list_comment_mutes(path, &comments));
        found.extend(list_code_mutes(path, language, &tokens));
    }
    found.truncate(MOST_OF_FILE);
    found
}

/// Was it no person's work before the trial either: written by a program, or brought from elsewhere? A new file is not.
fn is_foreign(path: &str, before: &str) -> bool {
    let says = |line: &str| line.contains("@generated") || line.contains("DO NOT EDIT");
    let brought = ["vendor", "third_party", "node_modules"];
    let lies = path.split('/').any(|part| brought.contains(&part));
    !before.is_empty() && (lies || before.lines().take(HEAD).any(says))
}

/// Tests that together ask less, and are not brought into a table.
fn find_emptied(files: &[ChangedFile], told: &str) -> Option<Suppression> {
    let tables = |text: &str| {
        let words = ["parametrize", ".each(", "subTest(", "#[case", "rstest"];
        words
            .iter()
            .map(|word| text.matches(word).count())
            .sum::<usize>()
    };
    let has_tables = |file: &ChangedFile| {
        tables(&file.after) > tables(file.before.as_deref().unwrap_or_default())
    };
    if files.iter().any(has_tables) {
        return None;
    }
    let asks_less = |file: &&ChangedFile| {
        let (before, now) = count_questions(std::slice::from_ref(*file));
        now < before
    };
    let file = files.iter().find(asks_less)?;
    let line = file.added.first().copied().unwrap_or(1);
    Some(Suppression::new(file, line, SuppressionKind::Skip, told))
}

#[cfg(test)]
mod tests;
