//! Owns `lessons.md`: what earlier runs in this repository taught, one line each.
//! Does not read or write the file.
//! Invariant: at most 50 lessons; a lesson that comes again replaces its older self and counts as new.

/// How many lessons the file holds.
const MAX: usize = 50;

/// The head of a new file.
const HEAD: &str = "# Lessons\n\nWhat the runs in this repository taught, the newest last. Lines that begin with `- ` are read; edit them freely.\n\n";

/// Adds a lesson to the text of the file and returns the new text. `date` is a day, `kind` is `keep`, `pivot` or `end`.
#[must_use]
pub fn add(file: &str, date: &str, kind: &str, text: &str) -> String {
    let text = crate::table::escape(text.trim());
    let entry = format!("- {date} {kind}: {text}");
    let mut lessons: Vec<&str> = entries(file).filter(|old| said(old) != text).collect();
    lessons.push(&entry);
    let kept = &lessons[lessons.len().saturating_sub(MAX)..];
    format!("{HEAD}{}\n", kept.join("\n"))
}

fn entries(file: &str) -> impl Iterator<Item = &str> {
    file.lines().filter(|line| line.starts_with("- "))
}

/// The lesson without its date and kind.
fn said(entry: &str) -> &str {
    entry.split_once(": ").map_or(entry, |(_, text)| text)
}

/// The lessons that share most words with a goal, best first, newer before older; none that share nothing.
#[must_use]
pub fn matching<'a>(file: &'a str, goal: &str, most: usize) -> Vec<&'a str> {
    let wanted = words(goal);
    let mut scored: Vec<(usize, usize, &str)> = entries(file)
        .enumerate()
        .map(|(at, entry)| {
            (
                words(entry)
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

fn words(text: &str) -> Vec<String> {
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
        let mut file = add(
            "",
            "2026-01-01",
            "keep",
            "narrow handler types first\n(any_count -6)",
        );
        file = add(&file, "2026-01-02", "pivot", "codegen gave nothing");
        assert_eq!(
            file.lines().filter(|line| line.starts_with("- ")).count(),
            2
        );
        assert_eq!(
            matching(&file, "fewer any types", 3),
            ["- 2026-01-01 keep: narrow handler types first\\n(any_count -6)"]
        );
        assert!(matching(&file, "faster build", 3).is_empty());
    }

    #[test]
    fn a_lesson_that_comes_again_replaces_its_older_self_and_the_oldest_leave_at_fifty() {
        let mut file = String::new();
        for number in 0..60 {
            file = add(&file, "2026-01-01", "keep", &format!("idea {number}"));
        }
        assert_eq!(entries(&file).count(), MAX);
        assert!(!file.contains("idea 9\n"));
        file = add(&file, "2026-02-01", "keep", "idea 20");
        assert_eq!(entries(&file).count(), MAX);
        assert!(file.ends_with("- 2026-02-01 keep: idea 20\n"));
    }
}
