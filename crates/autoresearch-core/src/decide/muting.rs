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
pub use self::subject::{MuteSubject, counts_down};
use crate::decide::gaming::tokens::{Language, split_text};
use crate::decide::gaming::{Asked, ChangedFile, count_asked_by, find_least};

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
    let asked = count_asked_by(files);
    let asks_more = asked.0.is_less_than(asked.1);
    more.retain(|(index, mute)| {
        mute.name != code::SKIP_IF || !asks_more || !skips_new_test(&files[*index], mute)
    });
    let mut found: BTreeSet<Suppression> = more
        .into_iter()
        .filter(|(_, mute)| subject.asks_for(mute))
        .take(MOST_SOUGHT)
        .map(|(index, mute)| mute.into_suppression(&files[index]))
        .collect();
    if subject.findings {
        found.extend(list_taken_rules(files, read));
    }
    if subject.tests {
        found.extend(find_emptied(files, asked));
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
        if before[at].width == mute.width && before[at].use_up(mute) {
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
fn find_emptied(files: &[ChangedFile], (before, now): (Asked, Asked)) -> Option<Suppression> {
    if !now.is_less_than(before) || now.has_more_tables_than(before) {
        return None;
    }
    let file = find_least(files)?;
    let line = file.added.first().copied().unwrap_or(1);
    let told = now.tell_less_than(before);
    Some(Suppression::new(file, line, SuppressionKind::Skip, &told))
}

/// Is the test new that a mark skips somewhere? A new one may know where it cannot run.
fn skips_new_test(file: &ChangedFile, mute: &Mute) -> bool {
    let (first, last) = (*mute.lines.start(), *mute.lines.end());
    let lines = || (1_u32..).zip(file.after.lines());
    let heads = ["def ", "async def ", "class "];
    let is_head = |line: &str| {
        let plain = line.trim_start();
        heads.iter().any(|head| plain.starts_with(head))
    };
    let is_mark = lines().any(|(at, line)| at == first && line.trim_start().starts_with('@'));
    let is_python = Language::of_file(&file.path, "") == Language::Python;
    let head = if !is_python {
        lines().find(|(at, line)| *at > last && !line.trim().is_empty())
    } else if is_mark {
        lines().find(|(at, line)| *at > last && is_head(line))
    } else {
        let above = lines().take_while(|(at, _)| *at < first);
        above.filter(|(_, line)| is_head(line)).last()
    };
    head.map_or(file.before.is_none(), |(at, _)| file.added.contains(&at))
}

#[cfg(test)]
mod tests;
