//! The file over time: what stays, what is merged, what goes.

use super::*;

fn make_lesson(text: &str) -> Lesson<'_> {
    Lesson {
        kind: LessonKind::Keep,
        text,
        topic: LessonTopic {
            metric: "any_count",
            scope: &[],
        },
        delta: "-1",
    }
}

/// Adds lessons `idea 0`, `idea 1`, ... of these metrics in turn.
fn add_many(mut file: String, count: usize, metrics: &[&str]) -> String {
    for number in 0..count {
        let text = format!("idea {number}");
        let mut lesson = make_lesson(&text);
        lesson.topic.metric = metrics[number % metrics.len()];
        file = add_lesson(&file, "2026-01-02", &lesson);
    }
    file
}

fn list_ours(file: &str) -> Vec<&str> {
    let lines = file.lines();
    lines.filter(|line| RunLine::read(line).is_some()).collect()
}

#[test]
fn a_lesson_is_one_line_with_its_metric_and_its_folders() {
    let scope = ["src/api/**".to_owned()];
    let mut lesson = make_lesson(" narrow handler types first\nand \u{1b}[31m");
    lesson.topic.scope = &scope;
    let file = add_lesson("", "2026-01-01", &lesson);
    insta::assert_snapshot!(file, @r"
    # Lessons

    Lessons from the runs in this repository, the newest last. Only lines that begin with `- ` are read. Edit this file freely. A run adds lines `- DATE keep|no-gain|pivot|end|cause: TEXT (METRIC; FOLDERS)`. Beyond 50 of these, the oldest that are alike become one line, and where none are, the oldest goes. Every other line stays.

    - 2026-01-01 keep: narrow handler types first\nand \u{1b}[31m (any_count -1; src/api)
    ");
    let long = "word ".repeat(200);
    let file = add_lesson(&file, "2026-01-02", &make_lesson(&long));
    let last = file.lines().last().unwrap();
    assert!(last.chars().count() < 350 && last.ends_with("… (any_count -1)"));
}

#[test]
fn a_lesson_that_comes_again_replaces_its_older_self_of_the_same_kind() {
    let mut file = add_many(String::new(), 3, &["any_count"]);
    let again = Lesson {
        delta: "-9",
        ..make_lesson("idea 1")
    };
    file = add_lesson(&file, "2026-02-01", &again);
    assert_eq!(
        list_ours(&file),
        [
            "- 2026-01-02 keep: idea 0 (any_count -1)",
            "- 2026-01-02 keep: idea 2 (any_count -1)",
            "- 2026-02-01 keep: idea 1 (any_count -9)"
        ]
    );
    let pivot = Lesson {
        kind: LessonKind::Pivot,
        ..again
    };
    file = add_lesson(&file, "2026-02-01", &pivot);
    assert_eq!(list_ours(&file).len(), 4, "what was kept is not abandoned");
}

#[test]
fn beyond_fifty_the_oldest_of_a_kind_are_merged_and_none_is_lost_before_lines_are_full() {
    let file = add_many(String::new(), 53, &["any_count", "build_ms"]);
    let ours = list_ours(&file);
    assert_eq!(ours.len(), MAX);
    assert_eq!(
        ours[..4],
        [
            "- 2026-01-02 keep: 2 keeps: idea 3 (-1); idea 1 (-1) (build_ms)",
            "- 2026-01-02 keep: 3 keeps: idea 4 (-1); idea 2 (-1); idea 0 (-1) (any_count)",
            "- 2026-01-02 keep: idea 5 (build_ms -1)",
            "- 2026-01-02 keep: idea 6 (any_count -1)",
        ]
    );
    let file = add_many(String::new(), 150, &["any_count"]);
    assert_eq!(list_ours(&file).len(), MAX);
    for number in 0..150 {
        let is_there = [" ", ";"].map(|end| file.contains(&format!("idea {number}{end}")));
        assert!(is_there.contains(&true), "idea {number} is lost: {file}");
    }
    let full = add_many(String::new(), 400, &["any_count"]);
    let ours = list_ours(&full);
    assert_eq!(ours.len(), MAX);
    assert!(ours[0].contains(" 5 keeps: idea "), "{}", ours[0]);
    assert!(!full.contains("idea 0 ") && ours[MAX - 1].contains("idea 399 "));
}

#[test]
fn where_none_are_alike_the_oldest_goes() {
    let names: Vec<String> = (0..60)
        .map(|number| {
            format!(
                "metric{}",
                char::from(b'a' + number % 26)
                    .to_string()
                    .repeat(1 + usize::from(number) / 26)
            )
        })
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let file = add_many(String::new(), 60, &names);
    let ours = list_ours(&file);
    assert_eq!(ours.len(), MAX);
    assert!(ours[0].contains(": idea 10 ("), "{}", ours[0]);
}

#[test]
fn a_file_with_far_too_many_lines_is_brought_to_fifty_at_once() {
    let line = "- 2026-01-01 keep: idea (any_count -1)\n- mine\r\n";
    let file = add_lesson(&line.repeat(20_000), "2026-01-02", &make_lesson("new"));
    assert_eq!(list_ours(&file).len(), MAX);
    assert_eq!(file.matches("- mine\r\n").count(), 20_000);
    assert!(file.ends_with("- 2026-01-02 keep: new (any_count -1)\n"));
}

#[test]
fn headings_notes_and_lessons_that_people_wrote_stay_where_they_are() {
    let mine = "# Ours\r\n\n## Types\n- never touch the generated files\n- 2026-01-01 keep: old\n- 2026-01-01 no-gain: older\n\n## Speed\nAsk Ada.";
    let file = add_many(mine.to_owned(), 300, &["any_count"]);
    let others = file.lines().filter(|line| RunLine::read(line).is_none());
    assert_eq!(
        others.collect::<Vec<_>>(),
        [
            "# Ours",
            "",
            "## Types",
            "- never touch the generated files",
            "",
            "## Speed",
            "Ask Ada."
        ]
    );
    assert!(file.starts_with("# Ours\r\n"));
    assert!(!file.contains("keep: old"), "the oldest of a run goes");
    assert!(!file.contains("no-gain: older"), "it is of a run too");
    assert_eq!(list_ours(&file).len(), MAX);
    assert!(
        file.ends_with("idea 298 (any_count -1)\n- 2026-01-02 keep: idea 299 (any_count -1)\n")
    );
}

proptest::proptest! {
    #[test]
    fn what_people_wrote_stays_and_the_newest_lessons_stay_as_they_are(
        mine in proptest::collection::vec("(# |- |)[a-zé :]{0,20}\r?", 0..8),
        added in proptest::collection::vec(("[ -~\n\té]{1,70}", 0_usize..4, "(any_count|build_ms|x)"), 1..80),
    ) {
        let mut file = mine.join("\n");
        let mut newest: Vec<String> = Vec::new();
        for (at, (text, kind, metric)) in added.iter().enumerate() {
            let text = format!("{at} {text}");
            let kind = [LessonKind::Keep, LessonKind::NoGain, LessonKind::Pivot, LessonKind::End][*kind];
            let topic = LessonTopic { metric, scope: &[] };
            let lesson = Lesson { kind, text: &text, topic, delta: "" };
            file = add_lesson(&file, "2026-01-01", &lesson);
            proptest::prop_assert_eq!(add_lesson(&file, "2026-01-01", &lesson), file.clone(), "it comes again");
            newest.push(lesson.format_line("2026-01-01"));
        }
        let ours = list_ours(&file);
        proptest::prop_assert_eq!(ours.len(), added.len().min(MAX));
        let kept = newest.len().saturating_sub(NEWEST);
        let last = ours.len().saturating_sub(NEWEST);
        proptest::prop_assert_eq!(&newest[kept..], &ours[last..]);
        let mut others = file.split_terminator('\n').filter(|line| RunLine::read(line).is_none());
        for line in mine.iter().filter(|line| !line.trim().is_empty()) {
            proptest::prop_assert!(others.any(|found| found == line), "{} is gone or moved", line);
        }
    }
}

/// Each bracket may begin a tail: a line of many is read in a time that its length sets.
#[test]
fn a_line_of_many_brackets_is_read_at_once() {
    let line = format!("- 2026-01-01 keep: {})\n", " (+".repeat(300_000));
    let lesson = Lesson {
        kind: LessonKind::Keep,
        text: "narrow the handlers",
        topic: LessonTopic {
            metric: "any_count",
            scope: &[],
        },
        delta: "-1",
    };
    let after = add_lesson(&line, "2026-01-02", &lesson);
    assert!(after.starts_with(&line), "the line stays");
    assert!(after.ends_with("narrow the handlers (any_count -1)\n"));
}
