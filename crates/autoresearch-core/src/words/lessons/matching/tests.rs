//! Which lessons a run is told, and in what order.

use super::*;

const FILE: &str = "# Lessons
- never touch the generated files
- 2026-01-01 keep: narrow handler types first (any_count -6; src/api)
- 2026-01-02 pivot: codegen gave nothing (type_errors; src/gen)
- 2026-01-03 keep: cache the table of routes (bench_ms -12; src/api)
- 2026-01-04 end: Fewer todos: todos 10 -> 9 with 1 of 2 trials kept (todos; src)
- 2025-01-05 keep: old ways with handlers (goal: Fewer any)
";

fn find<'a>(file: &'a str, goal: &str, (metric, scope): (&str, &str)) -> Vec<&'a str> {
    let scope = [scope.to_owned()];
    let query = LessonQuery {
        goal,
        topic: LessonTopic {
            metric,
            scope: &scope,
        },
        told: &[],
        today: "2026-01-10",
    };
    find_matching_lessons(file, &query, 5)
}

#[test]
fn lessons_match_by_metric_family_words_and_folders() {
    let anything = ("any_count", "src/api/**");
    insta::assert_snapshot!(find(FILE, "Get rid of the any types in handlers", anything).join("\n"), @r"
    - 2026-01-01 keep: narrow handler types first (any_count -6; src/api)
    - 2026-01-02 pivot: codegen gave nothing (type_errors; src/gen)
    - 2025-01-05 keep: old ways with handlers (goal: Fewer any)
    ");
    insta::assert_snapshot!(find(FILE, "make it faster", ("p95", "src/**")).join("\n"), @"- 2026-01-03 keep: cache the table of routes (bench_ms -12; src/api)");
    // The folder alone is no reason, and one word of another metric is none either.
    assert!(find(FILE, "Cover the routes", ("line_coverage", "src/api/**")).is_empty());
    let both = find(
        FILE,
        "Cover the table of routes",
        ("line_coverage", "lib/**"),
    );
    assert_eq!(both.len(), 1, "two words are enough: {both:?}");
    // A person's line needs one.
    assert_eq!(
        find(FILE, "cover generated code", ("line_coverage", "lib/**")),
        ["- never touch the generated files"]
    );
}

#[test]
fn an_older_lesson_weighs_less_and_of_equals_a_persons_line_comes_first() {
    let file = "\
- 2024-01-01 keep: one handler, two tables (x -1)
- handler tables are slow
- 2026-01-09 keep: handlers (x -1)
- 2026-01-10 keep: handler of tables (x -1)
";
    insta::assert_snapshot!(find(file, "Handlers and tables", ("x", "src/**")).join("\n"), @r"
    - 2026-01-10 keep: handler of tables (x -1)
    - 2026-01-09 keep: handlers (x -1)
    - handler tables are slow
    - 2024-01-01 keep: one handler, two tables (x -1)
    ");
    let equal =
        "- about handlers\n- 2026-01-10 keep: handlers (y/z -1)\n- 2026-01-10 pivot: handler\n";
    assert_eq!(
        find(equal, "handlers", ("x", "src/**")),
        ["- about handlers", "- 2026-01-10 pivot: handler"]
    );
    let named = "- 2026-01-10 keep: a (x -1)\n- for x ask Ada\n";
    let named = find(named, "whatever", ("x", "src/**"));
    assert_eq!(
        named[0], "- for x ask Ada",
        "it names the metric: {named:?}"
    );
}

#[test]
fn what_a_brief_says_anyway_is_not_quoted_again() {
    let file = "- 2026-01-10 keep: a\\tway; why: it is short (x -1)\n- 2026-01-10 keep: another way (x -1)\n";
    let told = ["a\tway [taken back by trial 3]".to_owned()];
    let query = LessonQuery {
        goal: "ways",
        topic: LessonTopic {
            metric: "x",
            scope: &[],
        },
        told: &told,
        today: "2026-01-10",
    };
    assert_eq!(
        find_matching_lessons(file, &query, 5),
        ["- 2026-01-10 keep: another way (x -1)"]
    );
    assert_eq!(
        find_matching_lessons(file, &LessonQuery { told: &[], ..query }, 1).len(),
        1
    );
}

#[test]
fn words_have_one_form_for_singular_and_plural_and_stop_words_do_not_count() {
    for (one, other) in [
        ("types", "type"),
        ("queries", "query"),
        ("caches", "cache"),
        ("classes", "class"),
        ("boxes", "box"),
        ("ошибки", "ошибок"),
        ("типы", "типов"),
        ("Größen", "Größe"),
        ("データベース接続", "接続の数"),
        ("减少类型错误", "类型错误"),
        ("오류를", "오류"),
        ("ข้อผิดพลาด", "ผิดพลาด"),
        ("API応答", "api"),
    ] {
        let (one_words, other_words) = (split_words(one), split_words(other));
        let mut words = one_words.iter();
        let shares = words.any(|word| other_words.iter().any(|other| are_alike(word, other)));
        assert!(shares, "{one_words:?} {other_words:?}");
    }
    for (one, other) in [
        ("the use of a file", "the use of a file"),
        ("42 7", "42 7"),
        ("typo", "type"),
        ("class", "clash"),
        ("тип", "тест"),
        ("します", "ました"),
        ("類型", "錯誤"),
        ("", "(!)"),
    ] {
        let (one_words, other_words) = (split_words(one), split_words(other));
        let mut words = one_words.iter();
        let shares = words.any(|word| other_words.iter().any(|other| are_alike(word, other)));
        assert!(!shares, "{one_words:?} {other_words:?}");
    }
}

#[test]
fn dates_that_are_none_and_days_to_come_are_no_trouble() {
    let file =
        "- 9999-99-99 keep: handler\n- ----------  keep: handler\n- 0000000000 keep: handler\n";
    assert_eq!(find(file, "handlers", ("x", "src/**")).len(), 3);
}

proptest::proptest! {
    #[test]
    fn any_text_is_matched_without_a_fault_and_lines_come_from_the_file(
        file in "(?s)(- .{0,30}\n){0,6}", goal in "(?s).{0,40}", metric in ".{0,8}", scope in ".{0,12}",
    ) {
        let found = find(&file, &goal, (&metric, &scope));
        proptest::prop_assert!(found.len() <= 5);
        proptest::prop_assert!(found.iter().all(|line| line.starts_with("- ") && file.contains(line)));
    }
}
