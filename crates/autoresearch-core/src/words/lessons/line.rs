//! Owns one line of the lessons file that a run wrote: date, kind, text, and a tail with the metric and the folders.
//! Does not know the other lines.
//! Invariant: a line that is read and written again says the same; lines of older versions, without a tail, are read too.

use crate::scan::{Aim, find_metric_aim};
use crate::words::text::{clip_text, escape_text};

/// What stands in a lesson between what was done and why.
pub const WHY: &str = "; why: ";

/// The longest text of a lesson.
const TEXT: usize = 300;
/// The longest text of one that is merged with others.
const MERGED_TEXT: usize = 60;
/// How many lessons one line holds.
const MERGED: usize = 5;
/// How many folders a tail names, and how long one is.
const FOLDERS: (usize, usize) = (3, 60);
/// A tail is not longer than this, in bytes.
const LONGEST_TAIL: usize = 2_000;

/// What taught the lesson.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LessonKind {
    /// What was kept.
    Keep,
    /// What was kept, and taken back at the end: fresh pairs showed no gain of it.
    NoGain,
    /// What was abandoned.
    Pivot,
    /// How a run ended.
    End,
    /// The cause of a symptom.
    Cause,
}

impl LessonKind {
    const ALL: [Self; 5] = [
        Self::Keep,
        Self::NoGain,
        Self::Pivot,
        Self::End,
        Self::Cause,
    ];

    /// The word in the file.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::NoGain => "no-gain",
            Self::Pivot => "pivot",
            Self::End => "end",
            Self::Cause => "cause",
        }
    }
}

/// What a lesson is about, besides its words.
#[derive(Clone, Copy, Debug)]
pub struct LessonTopic<'a> {
    pub metric: &'a str,
    /// The scope's patterns.
    pub scope: &'a [String],
}

/// A lesson to be added.
#[derive(Clone, Copy, Debug)]
pub struct Lesson<'a> {
    pub kind: LessonKind,
    pub text: &'a str,
    pub topic: LessonTopic<'a>,
    /// What it brought: `-6`; empty where that is not known.
    pub delta: &'a str,
}

impl Lesson<'_> {
    pub(super) fn format_line(&self, date: &str) -> String {
        let text = clip_text(&escape_text(self.text.trim()), TEXT);
        let tail = LessonTail {
            metric: self.topic.metric,
            delta: self.delta,
            folders: list_folders(self.topic.scope).join(", "),
        };
        format!("- {date} {}: {text}{}", self.kind.as_str(), tail.format())
    }
}

/// The folders that patterns lie in: `src/api/**/*.ts` gives `src/api`, `**/*.py` gives `*.py`.
pub(super) fn list_folders(scope: &[String]) -> Vec<String> {
    let mut folders: Vec<String> = Vec::new();
    for pattern in scope.iter().filter(|pattern| !pattern.starts_with('!')) {
        let is_glob = |part: &&str| part.contains(['*', '?', '[', '{']);
        let parts: Vec<&str> = pattern.trim_matches('/').split('/').collect();
        let plain = parts.iter().take_while(|part| !is_glob(part));
        let folder = plain.copied().collect::<Vec<_>>().join("/");
        let last = parts.last().copied().filter(|last| last.contains('.'));
        let folder = if folder.is_empty() {
            last.unwrap_or_default()
        } else {
            &folder
        };
        let folder = clip_text(&escape_text(folder), FOLDERS.1);
        if !folder.is_empty() && !folders.contains(&folder) {
            folders.push(folder);
        }
    }
    folders.truncate(FOLDERS.0);
    folders
}

/// The end of a line: `(any_count -6; src/api, src/web)`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct LessonTail<'a> {
    metric: &'a str,
    delta: &'a str,
    /// With commas between them.
    folders: String,
}

impl<'a> LessonTail<'a> {
    fn format(&self) -> String {
        let delta = match self.delta {
            "" => String::new(),
            delta => format!(" {delta}"),
        };
        let folders = match self.folders.as_str() {
            "" => String::new(),
            folders => format!("; {folders}"),
        };
        format!(" ({}{delta}{folders})", self.metric)
    }

    /// Reads the text and the tail behind it, where there is one. Texts and folders may have brackets too.
    fn split(text: &'a str) -> (&'a str, Option<Self>) {
        let Some(inner) = text.strip_suffix(')') else {
            return (text, None);
        };
        let first = inner.floor_char_boundary(inner.len().saturating_sub(LONGEST_TAIL));
        let mut starts = inner[first..].rmatch_indices(" (");
        let found = starts.find_map(|(at, open)| {
            let at = first + at;
            Some((at, Self::read(&inner[at + open.len()..])?))
        });
        match found {
            Some((at, tail)) => (&text[..at], Some(tail)),
            None => (text, None),
        }
    }

    fn read(inner: &'a str) -> Option<Self> {
        let (head, folders) = inner.split_once("; ").unwrap_or((inner, ""));
        let (metric, delta) = head.split_once(' ').unwrap_or((head, ""));
        let is_plain = |letter: char| letter.is_alphanumeric() || "_-./%".contains(letter);
        let is_named = !metric.is_empty() && metric.chars().all(is_plain);
        let is_number = delta.is_empty()
            || delta.starts_with(|letter: char| "+-0123456789".contains(letter))
                && !delta.contains(' ');
        (is_named && is_number).then(|| Self {
            metric,
            delta,
            folders: folders.to_owned(),
        })
    }
}

/// What a metric measures: names that mean the same are one family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum MetricFamily {
    Aim(Aim),
    Name(String),
}

impl MetricFamily {
    pub(super) fn of_name(name: &str) -> Self {
        find_metric_aim(name).map_or_else(|| Self::Name(name.to_lowercase()), Self::Aim)
    }
}

/// A lesson that a run wrote.
#[derive(Clone, Debug)]
pub(super) struct RunLine<'a> {
    pub(super) date: &'a str,
    kind: LessonKind,
    pub(super) text: &'a str,
    tail: Option<LessonTail<'a>>,
}

impl<'a> RunLine<'a> {
    /// A date, a kind, a text; nothing, where a person wrote the line.
    pub(super) fn read(line: &'a str) -> Option<Self> {
        let (date, rest) = line.strip_prefix("- ")?.split_once(' ')?;
        let (kind, text) = rest.split_once(": ")?;
        let is_date = date.len() == 10
            && date
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'-');
        let kind = LessonKind::ALL
            .into_iter()
            .find(|known| known.as_str() == kind)?;
        let (text, tail) = LessonTail::split(text.trim_end());
        is_date.then_some(Self {
            date,
            kind,
            text,
            tail,
        })
    }

    /// What was done, without the reason.
    pub(super) fn deed(&self) -> &'a str {
        self.text
            .split_once(WHY)
            .map_or(self.text, |(deed, _)| deed)
    }

    /// Are both about the same, in the same words?
    pub(super) fn says_the_same(&self, other: &Self) -> bool {
        self.text == other.text && self.name_likeness() == other.name_likeness()
    }

    /// What lessons have in common that can stand in one line: kind, family of the metric, folders.
    pub(super) fn name_likeness(&self) -> String {
        let folders = self.tail.as_ref().map(|tail| tail.folders.as_str());
        format!("{:?} {:?} {folders:?}", self.kind, self.family())
    }

    pub(super) fn metric(&self) -> Option<&'a str> {
        self.tail.as_ref().map(|tail| tail.metric)
    }

    pub(super) fn family(&self) -> Option<MetricFamily> {
        self.metric().map(MetricFamily::of_name)
    }

    pub(super) fn list_folders(&self) -> Vec<&str> {
        let folders = self.tail.as_ref().map_or("", |tail| &tail.folders);
        let folders = folders.split(", ");
        folders.filter(|folder| !folder.is_empty()).collect()
    }

    /// How many lessons it holds, and their texts.
    fn split_merged(&self) -> (usize, String) {
        let merged = self.text.split_once(' ').and_then(|(count, rest)| {
            let count: usize = count.parse().ok().filter(|count| *count > 1)?;
            let texts = rest.strip_prefix(self.kind.as_str())?.strip_prefix("s: ")?;
            Some((count, texts.to_owned()))
        });
        merged.unwrap_or_else(|| {
            let delta = self.tail.as_ref().map_or("", |tail| tail.delta);
            let delta = match delta {
                "" => String::new(),
                delta => format!(" ({delta})"),
            };
            (1, format!("{}{delta}", clip_text(self.text, MERGED_TEXT)))
        })
    }

    /// One line for this lesson and an older one, where that has room: `- DATE keep: 2 keeps: A (-6); B (-2) (any_count; src)`.
    pub(super) fn merge_with(&self, older: &Self) -> Option<String> {
        let (newer_count, newer) = self.split_merged();
        let (older_count, older) = older.split_merged();
        let count = newer_count
            .checked_add(older_count)
            .filter(|count| *count <= MERGED)?;
        let tail = self.tail.as_ref().map(|tail| LessonTail {
            delta: "",
            ..tail.clone()
        });
        let kind = self.kind.as_str();
        Some(format!(
            "- {} {kind}: {count} {kind}s: {newer}; {older}{}",
            self.date,
            tail.map(|tail| tail.format()).unwrap_or_default()
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(scope: &[&str]) -> Vec<String> {
        list_folders(
            &scope
                .iter()
                .map(|part| (*part).to_owned())
                .collect::<Vec<_>>(),
        )
    }

    #[test]
    fn a_scope_is_told_by_its_folders() {
        for (scope, folders) in [
            (&["src/api/**/*.ts", "src/api/*.tsx"][..], &["src/api"][..]),
            (&["**/*.py"], &["*.py"]),
            (&["**"], &[]),
            (&["/src/main.rs", "!src/gen/**"], &["src/main.rs"]),
            (&["a/**", "b/", "c/*", "d/**"], &["a", "b", "c"]),
            (&["src\n/**"], &["src\\n"]),
        ] {
            assert_eq!(list(scope), folders, "{scope:?}");
        }
    }

    #[test]
    fn a_line_is_read_as_it_was_written_whatever_brackets_are_in_it() {
        let scope = ["app/(group)/**".to_owned(), "(odd)/**".to_owned()];
        for (text, delta) in [
            ("narrow (some) types", "-6"),
            ("use a map (faster)", ""),
            ("a: b; c", "+0.5"),
            ("no) (", "-1"),
        ] {
            let lesson = Lesson {
                kind: LessonKind::Keep,
                text,
                topic: LessonTopic {
                    metric: "lib/any_count",
                    scope: &scope,
                },
                delta,
            };
            let line = lesson.format_line("2026-01-01");
            let read = RunLine::read(&line).unwrap();
            assert_eq!((read.date, read.text), ("2026-01-01", text));
            assert_eq!(read.metric(), Some("lib/any_count"));
            assert_eq!(read.list_folders(), ["app/(group)", "(odd)"]);
        }
    }

    #[test]
    fn lines_of_older_versions_are_read_and_those_of_people_are_told_from_them() {
        for (line, found) in [
            (
                "- 2026-01-01 keep: 4 any (any_count -1)",
                Some(("4 any", Some("any_count"))),
            ),
            (
                "- 2026-01-01 pivot: codegen (goal: Fewer any)\r",
                Some(("codegen (goal: Fewer any)", None)),
            ),
            (
                "- 2026-01-01 no-gain: take trial 1 back",
                Some(("take trial 1 back", None)),
            ),
            ("- 2026-01-01 note: mine", None),
            ("- 2026-01-01 keep it small", None),
            ("- never touch src/gen", None),
            ("2026-01-01 keep: no dash", None),
            ("- 2026-1-1 keep: no date", None),
        ] {
            let read = RunLine::read(line).map(|read| (read.text, read.metric()));
            assert_eq!(read, found, "{line}");
        }
    }

    #[test]
    fn lessons_are_merged_newer_first_until_a_line_is_full() {
        let one = "- 2026-01-01 keep: one (any_count -4; src)";
        let two = "- 2026-01-02 keep: two (any_errors -1; src)";
        let read = |line| RunLine::read(line).unwrap();
        assert_eq!(read(one).name_likeness(), read(two).name_likeness());
        let both = read(two).merge_with(&read(one)).unwrap();
        assert_eq!(
            both,
            "- 2026-01-02 keep: 2 keeps: two (-1); one (-4) (any_errors; src)"
        );
        let four = read(&both).merge_with(&read(&both)).unwrap();
        assert!(four.contains(" keep: 4 keeps: two (-1); one (-4); two (-1); one (-4) ("));
        assert_eq!(read(&four).merge_with(&read(&both)), None);
        assert!(read(&four).merge_with(&read(one)).is_some());
        let absurd = format!("- 2026-01-01 keep: {} keeps: x", usize::MAX);
        assert_eq!(read(one).merge_with(&read(&absurd)), None);
    }
}
