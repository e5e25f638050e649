//! Owns `lessons.md`: what earlier runs in this repository taught, one line each.
//! Does not read or write the file, and does not choose what a brief quotes: `matching` does.
//! Invariant: at most 50 lessons of runs, of which the newest ten stay as they are; what people wrote stays where it is.

mod line;
pub mod matching;

use std::collections::HashMap;

use line::RunLine;
pub use line::{Lesson, LessonKind, LessonTopic, WHY};

/// How many lessons of runs the file holds.
const MAX: usize = 50;
/// So many of the newest are never merged.
const NEWEST: usize = 10;

/// The head of a new file.
const HEAD: &str = "# Lessons\n\nLessons from the runs in this repository, the newest last. Only lines that begin with `- ` are read. Edit this file freely. A run adds lines `- DATE keep|no-gain|pivot|end|cause: TEXT (METRIC; FOLDERS)`. Beyond 50 of these, the oldest that are alike become one line, and where none are, the oldest goes. Every other line stays.\n\n";

/// Adds a lesson to the text of the file and returns the new text. `date` is a day. One that comes again replaces its older
/// self. Every line of another form stays: people write their own headings and lessons between ours.
#[must_use]
pub fn add_lesson(file: &str, date: &str, lesson: &Lesson<'_>) -> String {
    let entry = lesson.format_line(date);
    let added = RunLine::read(&entry);
    let is_old = |line: &str| {
        RunLine::read(line)
            .zip(added.as_ref())
            .is_some_and(|(old, new)| old.says_the_same(new))
    };
    let mut lines: Vec<String> = file
        .split_terminator('\n')
        .filter(|line| !is_old(line))
        .map(ToOwned::to_owned)
        .collect();
    make_room(&mut lines);
    if lines.iter().all(|line| line.trim().is_empty()) {
        return format!("{HEAD}{entry}\n");
    }
    format!("{}\n{entry}\n", lines.join("\n"))
}

/// Makes room for one more lesson of a run: the oldest that are alike are merged, and only where none are, the oldest go.
fn make_room(lines: &mut Vec<String>) {
    let ours: Vec<usize> = (0..lines.len())
        .filter(|at| RunLine::read(&lines[*at]).is_some())
        .collect();
    let mut surplus = (ours.len() + 1).saturating_sub(MAX);
    let mut gone: Vec<bool> = vec![false; lines.len()];
    // The last line of each kind that has room for another lesson.
    let mut open: HashMap<String, usize> = HashMap::new();
    let is_recent = ours.len().saturating_sub(NEWEST - 1);
    for at in ours.iter().take(is_recent).copied() {
        if surplus == 0 {
            break;
        }
        let Some(newer) = RunLine::read(&lines[at]) else {
            continue;
        };
        let older = open.insert(newer.name_likeness(), at);
        let merged = older.and_then(|older| {
            let older_line = RunLine::read(&lines[older])?;
            Some((older, newer.merge_with(&older_line)?))
        });
        if let Some((older, merged)) = merged {
            lines[at] = merged;
            gone[older] = true;
            surplus -= 1;
        }
    }
    let left: Vec<usize> = ours.into_iter().filter(|at| !gone[*at]).collect();
    for at in left.into_iter().take(surplus) {
        gone[at] = true;
    }
    let mut goes = gone.into_iter();
    lines.retain(|_| goes.next() != Some(true));
}

#[cfg(test)]
mod tests;
