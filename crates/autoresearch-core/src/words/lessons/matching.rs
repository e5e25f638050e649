//! Owns the choice of the lessons that a brief quotes: by words, scope and family of the metric, and by age.
//! Does not read the file.
//! Invariant: what shares nothing with a run is not quoted; of equals a person's line comes first, then the newer one.

use std::collections::BTreeSet;

use super::line::{LessonTopic, MetricFamily, RunLine, list_folders};
use crate::words::text::escape_text;

/// After so many days a lesson weighs half.
const HALF: u64 = 180;
/// What a lesson of the same metric weighs in words.
const METRIC: u64 = 3;
/// The same of a metric of the same family.
const FAMILY: u64 = 2;
/// What a folder of the scope adds.
const SCOPE: u64 = 1;
/// A run that asks what earlier ones learned.
#[derive(Clone, Copy, Debug)]
pub struct LessonQuery<'a> {
    pub goal: &'a str,
    pub topic: LessonTopic<'a>,
    /// Texts that the reader is told anyway.
    pub told: &'a [String],
    /// The day of today, `2026-01-31`.
    pub today: &'a str,
}

/// A line of the file, as it is matched.
struct Candidate<'a> {
    words: BTreeSet<String>,
    /// Is it of the same metric, or of its family?
    likeness: u64,
    is_of_another_metric: bool,
    shares_folder: bool,
    is_of_a_person: bool,
    age_days: u64,
    line: &'a str,
}

/// The lessons that match a run best, at most so many: those that share words with its goal, or whose metric is of the same
/// family. A lesson of another metric needs two words.
///
/// A lesson weighs a point for each shared word, three for the same metric or two for one of its family, and one for a
/// folder of the scope. The points fall with its age: `points * 180 / (180 + days)`. What a person wrote does not age.
#[must_use]
pub fn find_matching_lessons<'a>(
    file: &'a str,
    query: &LessonQuery<'_>,
    most: usize,
) -> Vec<&'a str> {
    let wanted = split_words(query.goal);
    let told: Vec<String> = query.told.iter().map(|text| escape_text(text)).collect();
    let lines = file
        .lines()
        .map(str::trim_end)
        .filter(|line| line.starts_with("- "));
    let mut found: Vec<_> = lines
        .enumerate()
        .filter_map(|(at, line)| {
            let candidate = Candidate::read(line, query, &told)?;
            let weight = candidate.weigh(&wanted)?;
            Some((weight, candidate.is_of_a_person, at, candidate.line))
        })
        .collect();
    found.sort_by_key(|(weight, is_of_a_person, at, _)| {
        std::cmp::Reverse((*weight, *is_of_a_person, *at))
    });
    found
        .into_iter()
        .take(most)
        .map(|(.., line)| line)
        .collect()
}

impl<'a> Candidate<'a> {
    /// Nothing, where the reader is told it anyway.
    fn read(line: &'a str, query: &LessonQuery<'_>, told: &[String]) -> Option<Self> {
        let topic = query.topic;
        let Some(lesson) = RunLine::read(line) else {
            let text = line.trim_start_matches("- ");
            let is_name_part = |letter: char| letter.is_alphanumeric() || "_-/%".contains(letter);
            let mut names = text.split(|letter: char| !is_name_part(letter));
            return Some(Self {
                words: split_words(text),
                likeness: METRIC * u64::from(names.any(|name| name == topic.metric)),
                is_of_another_metric: false,
                shares_folder: false,
                is_of_a_person: true,
                age_days: 0,
                line,
            });
        };
        // A row says behind the message why it is none of those that are kept.
        let is_told = |told: &String| {
            told.strip_prefix(lesson.deed())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(" ["))
        };
        if told.iter().any(is_told) {
            return None;
        }
        let is_same_family = lesson.family() == Some(MetricFamily::of_name(topic.metric));
        let folders = list_folders(topic.scope);
        let mut theirs = lesson.list_folders().into_iter();
        Some(Self {
            words: split_words(lesson.text),
            likeness: match lesson.metric() {
                Some(metric) if metric == topic.metric => METRIC,
                _ => FAMILY * u64::from(is_same_family),
            },
            is_of_another_metric: lesson.metric().is_some() && !is_same_family,
            shares_folder: theirs.any(|one| folders.iter().any(|other| is_within(one, other))),
            is_of_a_person: false,
            age_days: count_days(query.today).saturating_sub(count_days(lesson.date)),
            line,
        })
    }

    /// What it weighs for a run, in thousandths of a word; nothing, where it does not match.
    fn weigh(&self, wanted: &BTreeSet<String>) -> Option<u64> {
        let shared = wanted
            .iter()
            .filter(|word| self.words.iter().any(|other| are_alike(word, other)));
        let shared = u64::try_from(shared.count()).unwrap_or(u64::MAX);
        let needed = if self.is_of_another_metric { 2 } else { 1 };
        if shared < needed && self.likeness == 0 {
            return None;
        }
        let points = shared + self.likeness + SCOPE * u64::from(self.shares_folder);
        Some(points * 1_000 * HALF / (HALF + self.age_days))
    }
}

/// Does one of two folders lie in the other?
fn is_within(one: &str, other: &str) -> bool {
    let below = |inner: &str, outer: &str| {
        inner
            .strip_prefix(outer)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    below(one, other) || below(other, one)
}

/// The days of a date since the year 0, with years of 365 days and months of 30: near enough to tell what is old.
fn count_days(date: &str) -> u64 {
    let mut parts = date.split('-').map(|part| part.parse().unwrap_or(0_u64));
    let mut next = || parts.next().unwrap_or(0);
    let (years, months, days) = (next(), next(), next());
    years
        .saturating_mul(365)
        .saturating_add(months.saturating_mul(30))
        .saturating_add(days)
}

/// Words that stand in any goal, or only join others.
const STOP: &str = "a about above all also am an and are as at be been below but by can change changed code decrease do does \
    down each every few fewer file files first fix for from get getting gets give go goal had has have higher how if improve \
    in increase into is it its keep kept keeps less lower make makes many more most my new no not now of off on one only or \
    other our out over raise reduce remove replace rid run runs should so some than that the their them then there these \
    they this to too trial trials under until up use used uses using was we were what when where which will with without \
    you your";

/// The words that count, each in one form for singular and plural. Scripts without spaces give pairs of letters.
fn split_words(text: &str) -> BTreeSet<String> {
    let lower = text.to_lowercase();
    let pieces = lower.split(|letter: char| !letter.is_alphanumeric());
    let mut words = BTreeSet::new();
    for piece in pieces {
        for run in split_scripts(piece) {
            if run.starts_with(is_unspaced) {
                words.extend(pair_letters(run));
            } else if is_telling(run) {
                words.insert(to_singular(run));
            }
        }
    }
    words
}

/// A word of two letters or more that is no number and no stop word.
fn is_telling(word: &str) -> bool {
    word.chars().nth(1).is_some()
        && !word.chars().all(char::is_numeric)
        && STOP.split_whitespace().all(|stop| stop != word)
}

/// Is it of a script that puts no spaces between words? Chinese, Japanese, and those of South-East Asia; Korean, whose words
/// end in particles, is cut in pairs too.
fn is_unspaced(letter: char) -> bool {
    is_kana(letter)
        || matches!(letter, '\u{0e00}'..='\u{0eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
            | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// Hiragana and Katakana.
fn is_kana(letter: char) -> bool {
    matches!(letter, '\u{3040}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}')
}

/// Hiragana is grammar: it says little of what a text is about.
fn is_grammar(letter: char) -> bool {
    matches!(letter, '\u{3040}'..='\u{309f}')
}

/// The parts of a word in scripts with and without spaces, each by itself: `API応答` is two.
fn split_scripts(piece: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut before = None;
    for (at, letter) in piece.char_indices() {
        let unspaced = is_unspaced(letter);
        if before.is_some_and(|before| before != unspaced) {
            parts.push(&piece[start..at]);
            start = at;
        }
        before = Some(unspaced);
    }
    if start < piece.len() {
        parts.push(&piece[start..]);
    }
    parts
}

/// Each letter with the next one; the letter alone, where there is but one.
fn pair_letters(run: &str) -> Vec<String> {
    let letters: Vec<char> = run.chars().collect();
    if letters.len() == 1 {
        return vec![run.to_owned()];
    }
    let pairs = letters.windows(2);
    pairs
        .filter(|pair| !pair.iter().copied().all(is_grammar))
        .map(|pair| pair.iter().collect())
        .collect()
}

/// English words in one form: `queries` and `query`, `caches` and `cache`, `types` and `type`. It need not be a word.
fn to_singular(word: &str) -> String {
    let mut stem = word;
    if stem.is_ascii() && stem.len() > 3 {
        if let Some(shorter) = stem.strip_suffix('s').filter(|rest| !rest.ends_with('s')) {
            stem = shorter;
        }
        if stem.len() > 3 {
            stem = stem.strip_suffix('e').unwrap_or(stem);
        }
        if let Some(start) = stem.strip_suffix('y') {
            return format!("{start}i");
        }
    }
    stem.to_owned()
}

/// The same word, or, in other alphabets, one with another ending: `ошибка`, `ошибок`; `тип`, `типов`.
fn are_alike(one: &str, other: &str) -> bool {
    if one == other {
        return true;
    }
    if one.is_ascii() || other.is_ascii() || one.starts_with(is_unspaced) {
        return false;
    }
    let shared = one.chars().zip(other.chars());
    let shared = shared.take_while(|(one, other)| one == other).count();
    shared >= 3 && one.chars().count() <= shared + 2 && other.chars().count() <= shared + 2
}

#[cfg(test)]
mod tests;
