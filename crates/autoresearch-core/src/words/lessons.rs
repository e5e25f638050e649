//! Owns `lessons.md`: what earlier runs in this repository taught, one line each.
//! Does not read or write the file.
//! Invariant: at most 50 lessons of runs; one that comes again replaces its older self; what people wrote stays.

/// How many lessons of runs the file holds.
const MAX: usize = 50;

/// The head of a new file.
const HEAD: &str = "# Lessons\n\nLessons from the runs in this repository, the newest last. Only lines that begin with `- ` are read. Edit this file freely: a run adds lines, and removes only its own oldest ones.\n\n";

/// Adds a lesson to the text of the file and returns the new text. `date` is a day, `kind` is `keep`, `pivot` or `end`.
/// Every other line stays: people write their own headings and lessons between ours.
#[must_use]
pub fn add_lesson(file: &str, date: &str, kind: &str, text: &str) -> String {
    let text = crate::words::text::escape_text(text.trim());
    let is_old = |line: &str| is_run_lesson(line) && read_lesson_text(line) == text;
    let mut lines: Vec<&str> = file.lines().filter(|line| !is_old(line)).collect();
    let ours = lines.iter().filter(|line| is_run_lesson(line)).count();
    let mut surplus = (ours + 1).saturating_sub(MAX);
    lines.retain(|line| {
        let goes = surplus > 0 && is_run_lesson(line);
        surplus -= usize::from(goes);
        !goes
    });
    let entry = format!("- {date} {kind}: {text}\n");
    if lines.iter().all(|line| line.trim().is_empty()) {
        return format!("{HEAD}{entry}");
    }
    format!("{}\n{entry}", lines.join("\n"))
}

fn list_lesson_lines(file: &str) -> impl Iterator<Item = &str> {
    file.lines().filter(|line| line.starts_with("- "))
}

/// Is this a lesson that `add` wrote: a date, a kind, a text?
fn is_run_lesson(line: &str) -> bool {
    let mut words = line.splitn(4, ' ');
    let (dash, date, kind) = (words.next(), words.next(), words.next());
    let is_date = |date: &str| {
        date.len() == 10
            && date
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'-')
    };
    dash == Some("-")
        && date.is_some_and(is_date)
        && matches!(kind, Some("keep:" | "pivot:" | "end:"))
}

/// The lesson without its date and kind.
fn read_lesson_text(entry: &str) -> &str {
    entry.split_once(": ").map_or(entry, |(_, text)| text)
}

/// The lessons that share most words with a goal, best first, newer before older; none that share nothing.
#[must_use]
pub fn find_matching_lessons<'a>(file: &'a str, goal: &str, most: usize) -> Vec<&'a str> {
    let wanted = split_words(goal);
    let mut scored: Vec<(usize, usize, &str)> = list_lesson_lines(file)
        .enumerate()
        .map(|(at, entry)| {
            (
                split_words(entry)
                    .iter()
                    .filter(|word| wanted.contains(word))
                    .count(),
                at,
                entry,
            )
        })
        .filter(|(shared, ..)| *shared > 0)
        .collect();
    scored.sort_by_key(|(shared, at, _)| std::cmp::Reverse((*shared, *at)));
    scored
        .into_iter()
        .take(most)
        .map(|(.., entry)| entry)
        .collect()
}

fn split_words(text: &str) -> Vec<String> {
    let split = text.split(|letter: char| !letter.is_alphanumeric());
    split
        .filter(|word| word.len() > 2)
        .map(str::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lesson_is_one_line_and_comes_back_for_a_goal_that_matches() {
        let mut file = add_lesson(
            "",
            "2026-01-01",
            "keep",
            "narrow handler types first\n(any_count -6)",
        );
        file = add_lesson(&file, "2026-01-02", "pivot", "codegen gave nothing");
        assert_eq!(
            file.lines().filter(|line| line.starts_with("- ")).count(),
            2
        );
        assert_eq!(
            find_matching_lessons(&file, "fewer any types", 3),
            ["- 2026-01-01 keep: narrow handler types first\\n(any_count -6)"]
        );
        assert!(find_matching_lessons(&file, "faster build", 3).is_empty());
    }

    #[test]
    fn a_lesson_that_comes_again_replaces_its_older_self_and_the_oldest_leave_at_fifty() {
        let mut file = String::new();
        for number in 0..60 {
            file = add_lesson(&file, "2026-01-01", "keep", &format!("idea {number}"));
        }
        assert_eq!(list_lesson_lines(&file).count(), MAX);
        assert!(!file.contains("idea 9\n"));
        file = add_lesson(&file, "2026-02-01", "keep", "idea 20");
        assert_eq!(list_lesson_lines(&file).count(), MAX);
        assert!(file.ends_with("- 2026-02-01 keep: idea 20\n"));
    }

    #[test]
    fn headings_notes_and_lessons_that_people_wrote_stay_where_they_are() {
        let mine = "# Ours\n\n## Types\n- never touch the generated files\n- 2026-01-01 keep: old\n\n## Speed\nAsk Ada.\n";
        let mut file = mine.to_owned();
        for number in 0..60 {
            file = add_lesson(&file, "2026-01-02", "keep", &format!("idea {number}"));
        }
        for line in [
            "# Ours",
            "## Types",
            "- never touch the generated files",
            "## Speed",
            "Ask Ada.",
        ] {
            assert!(
                file.lines().any(|found| found == line),
                "{line} is gone: {file}"
            );
        }
        assert!(!file.contains("keep: old"), "the oldest of a run goes");
        assert_eq!(file.lines().filter(|line| is_run_lesson(line)).count(), MAX);
        assert!(file.ends_with("idea 58\n- 2026-01-02 keep: idea 59\n"));
        assert_eq!(
            find_matching_lessons(&file, "generated code", 3),
            ["- never touch the generated files"]
        );
    }

    proptest::proptest! {
        #[test]
        fn a_lesson_is_one_line_at_the_end_and_what_people_wrote_stays(
            mine in proptest::collection::vec("(# |- )?[a-z ]{1,20}", 1..8), text in "(?s)[ -~\n\té]{1,60}",
        ) {
            let before = mine.join("\n") + "\n";
            let after = add_lesson(&before, "2026-01-01", "keep", &text);
            proptest::prop_assert!(after.lines().last().unwrap().starts_with("- 2026-01-01 keep: "));
            if mine.iter().any(|line| !line.trim().is_empty()) {
                proptest::prop_assert_eq!(after.lines().count(), mine.len() + 1);
                proptest::prop_assert!(after.starts_with(before.trim_end_matches('\n')));
            }
            proptest::prop_assert_eq!(add_lesson(&after, "2026-01-01", "keep", &text), after, "it comes again");
        }
    }
}
