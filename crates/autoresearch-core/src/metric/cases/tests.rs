//! What a line says of a case, and what two trees differ in.

use std::fmt::Write as _;

use super::line::{CaseError, MAX_ID, parse_case_line};
use super::*;

fn run(cases: &[(&str, i64)]) -> Cases {
    let value = |(id, value): &(&str, i64)| ((*id).to_owned(), Value::from(*value));
    Cases::of_run(cases.iter().map(value).collect())
}

fn compare(before: &Cases, after: &Cases) -> String {
    let changes = CaseChanges::between(before, after, Direction::Higher);
    changes.map_or("-".to_owned(), |changes| changes.to_string())
}

#[test]
fn only_a_line_that_begins_with_the_word_is_that_of_a_case() {
    for line in ["METRIC a=1", "see METRIC_CASE a 1", "METRIC_CASES a 1"] {
        assert_eq!(parse_case_line(line), None, "{line}");
    }
    let read = |line: &'static str| {
        let (id, result) = parse_case_line(line).unwrap().unwrap();
        let both = [Direction::Lower, Direction::Higher].map(|way| result.to_value(way));
        format!(
            "{id}: {} where lower is better, {} where higher is",
            both[0], both[1]
        )
    };
    insta::assert_snapshot!(read("METRIC_CASE a/b::c[1-x] 12.50"), @"a/b::c[1-x]: 12.5 where lower is better, 12.5 where higher is");
    insta::assert_snapshot!(read("  METRIC_CASE\t a  pass\r"), @"a: 0 where lower is better, 1 where higher is");
    insta::assert_snapshot!(read("METRIC_CASE é fail"), @"é: 1 where lower is better, 0 where higher is");
}

#[test]
fn what_is_no_case_is_refused_with_a_remedy() {
    let long = format!("METRIC_CASE {} 1", "x".repeat(MAX_ID + 1));
    let mut told = String::new();
    for line in [
        "METRIC_CASE",
        "METRIC_CASE  ",
        "METRIC_CASE a",
        "METRIC_CASE a 1 ms",
        "METRIC_CASE a passed",
        "METRIC_CASE a NaN",
        "METRIC_CASE a 1e999999",
        "METRIC_CASE a\u{0}b 1",
        "METRIC_CASE a\u{202e}b 1",
        &long,
    ] {
        match parse_case_line(line) {
            None => writeln!(told, "no case"),
            Some(Ok(case)) => writeln!(told, "{case:?}"),
            Some(Err(error)) => writeln!(told, "{error}"),
        }
        .unwrap();
    }
    insta::assert_snapshot!(told, @"
    does not give a case: print `METRIC_CASE <id> <value>`
    does not give a case: print `METRIC_CASE <id> <value>`
    does not give a case: print `METRIC_CASE <id> <value>`
    has more than an id and a value: an id has no white space, and a value no unit
    has no usable value: print a number, `pass` or `fail`
    has no usable value: print a number, `pass` or `fail`
    has no usable value: print a number, `pass` or `fail`
    has a character in its id that a terminal does not show: take it out
    has a character in its id that a terminal does not show: take it out
    has an id of more than 200 bytes: shorten it
    ");
    let longest = format!("METRIC_CASE {} 1", "x".repeat(MAX_ID));
    assert!(parse_case_line(&longest).unwrap().is_ok());
    assert_ne!(
        parse_case_line("METRIC_CASE a").unwrap(),
        Err(CaseError::Twice)
    );
}

#[test]
fn regressions_are_named_the_vanished_first_and_then_the_worst() {
    let before = run(&[("a", 1), ("b", 9), ("c", 5), ("d", 5), ("e", 0)]);
    let after = run(&[("a", 1), ("c", 4), ("d", 2), ("e", 3), ("f", 1)]);
    insta::assert_snapshot!(compare(&before, &after), @"3 of 5 worse: b 9 -> gone, d 5 -> 2, c 5 -> 4; 1 better; 1 new");
    insta::assert_snapshot!(compare(&before, &before), @"none of 5 worse; 0 better");
    insta::assert_snapshot!(compare(&before, &Cases::default()), @"5 of 5 worse: a 1 -> gone, b 9 -> gone, c 5 -> gone, d 5 -> gone, e 0 -> gone; 0 better");
    insta::assert_snapshot!(compare(&Cases::default(), &after), @"-");
    let many: Vec<String> = (10..40).map(|number| format!("case-{number}")).collect();
    let all = |value| {
        run(&many
            .iter()
            .map(|id| (id.as_str(), value))
            .collect::<Vec<_>>())
    };
    insta::assert_snapshot!(compare(&all(1), &all(0)), @"30 of 30 worse: case-10 1 -> 0, case-11 1 -> 0, case-12 1 -> 0, case-13 1 -> 0, case-14 1 -> 0 and 25 more; 0 better");
    insta::assert_snapshot!(compare(&all(0), &all(1)), @"none of 30 worse; 30 better; sign test p < 0.0001");
    let lower = CaseChanges::between(&all(1), &all(0), Direction::Lower).unwrap();
    assert_eq!((lower.better, lower.worse), (30, 0));
}

#[test]
fn an_id_that_somebody_chose_moves_no_cursor_and_is_short() {
    let id = format!("a\\b{}", "x".repeat(90));
    let before = run(&[(&id, 1)]);
    insta::assert_snapshot!(compare(&before, &run(&[(&id, 0)])), @r#"1 of 1 worse: a\\bxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx… 1 -> 0; 0 better"#);
}

#[test]
fn a_case_that_differs_by_no_more_than_its_runs_is_no_regression() {
    let runs = [
        run(&[("flaky", 1), ("ms", 10)]),
        run(&[("flaky", 0), ("ms", 14)]),
    ];
    let before = Cases::mean_of(&runs);
    assert_eq!(before.values["flaky"].to_string(), "0.5");
    insta::assert_snapshot!(compare(&before, &run(&[("flaky", 0), ("ms", 8)])), @"none of 2 worse; 0 better");
    insta::assert_snapshot!(compare(&before, &run(&[("flaky", 0), ("ms", 7)])), @"1 of 2 worse: ms 12 -> 7; 0 better");
    // The trial's own runs count as much.
    let spread = Cases::mean_of(&[run(&[("a", 1)]), run(&[("a", 0)])]);
    insta::assert_snapshot!(compare(&run(&[("a", 1)]), &spread), @"none of 1 worse; 0 better");
    // A kept trial that met no variation inherits what was known.
    let mut kept = run(&[("flaky", 1), ("ms", 9)]);
    kept.learn_spreads(&before);
    insta::assert_snapshot!(compare(&kept, &run(&[("flaky", 0), ("ms", 4)])), @"1 of 2 worse: ms 9 -> 4; 0 better");
    // So does one more run of the same tree.
    let mut watched = run(&[("ms", 10)]);
    watched.meet_run(&run(&[("ms", 6), ("other", 1)]));
    insta::assert_snapshot!(compare(&watched, &run(&[("ms", 6)])), @"none of 1 worse; 0 better");
    insta::assert_snapshot!(compare(&watched, &run(&[("ms", 5)])), @"1 of 1 worse: ms 10 -> 5; 0 better");
}

#[test]
fn a_case_that_one_run_left_out_is_that_of_the_others() {
    let mean = Cases::mean_of(&[run(&[("a", 1), ("b", 1)]), run(&[("a", 1)])]);
    assert_eq!((mean.len(), mean.count_ones()), (2, Some(2)));
    assert_eq!(run(&[("a", 2)]).count_ones(), None);
}

#[test]
fn a_journal_holds_a_spread_only_where_a_case_varied() {
    let steady = Cases::mean_of(&[run(&[("a", 1)]), run(&[("a", 1)])]);
    let told = serde_json::to_string(&steady).unwrap();
    insta::assert_snapshot!(told, @r#"{"values":{"a":1}}"#);
    let varied = Cases::mean_of(&[run(&[("a", 1)]), run(&[("a", 2)])]);
    let told = serde_json::to_string(&varied).unwrap();
    insta::assert_snapshot!(told, @r#"{"values":{"a":1.5},"spreads":{"a":1}}"#);
    assert_eq!(serde_json::from_str::<Cases>(&told).unwrap(), varied);
    let many = (0..1_000).map(|number| {
        (
            format!("tests/test_parser.py::test_{number:03}"),
            Value::from(1),
        )
    });
    let many = Cases::of_run(many.collect());
    // The figure in crates/docs/journal.md.
    assert_eq!(serde_json::to_string(&many).unwrap().len() / 1_000, 35);
    // What a verdict holds does not grow with the cases.
    let changes = CaseChanges::between(&many, &Cases::default(), Direction::Higher).unwrap();
    let told = serde_json::to_string(&changes).unwrap();
    insta::assert_snapshot!(told, @r#"{"compared":1000,"better":0,"worse":1000,"vanished":1000,"added":0,"named":[{"case":"tests/test_parser.py::test_000","before":1,"after":null},{"case":"tests/test_parser.py::test_001","before":1,"after":null},{"case":"tests/test_parser.py::test_002","before":1,"after":null},{"case":"tests/test_parser.py::test_003","before":1,"after":null},{"case":"tests/test_parser.py::test_004","before":1,"after":null}]}"#);
}

#[test]
fn the_sign_test_gives_the_figures_of_the_tables() {
    // `binom.test(better, better + worse, alternative = "greater")` of R.
    for (better, worse, known) in [
        (0, 0, 1.0),
        (1, 0, 0.5),
        (5, 0, 0.031_25),
        (5, 1, 0.109_375),
        (8, 2, 0.054_687_5),
        (15, 5, 0.020_694_73),
        (0, 4, 1.0),
    ] {
        let found = find_sign_chance(better, worse);
        assert!((found - known).abs() < 1e-8, "{better} {worse}: {found}");
    }
    assert!(find_sign_chance(1_000, 0) > 0.0);
    let both = CaseChanges::between(
        &run(&[("a", 0), ("b", 0)]),
        &run(&[("a", 1), ("b", 1)]),
        Direction::Higher,
    );
    assert_eq!(both.unwrap().chance.unwrap().to_string(), "0.25");
}

#[test]
fn there_is_no_sign_test_where_cases_varied_or_are_other_ones() {
    let chance = |before: &Cases, after: &Cases| {
        CaseChanges::between(before, after, Direction::Higher)
            .unwrap()
            .chance
    };
    let (old, new) = (run(&[("a", 0), ("b", 0)]), run(&[("a", 1), ("b", 0)]));
    assert!(chance(&old, &new).is_some());
    assert_eq!(chance(&old, &old), None, "nothing changed");
    assert_eq!(chance(&old, &run(&[("a", 1)])), None, "one vanished");
    assert_eq!(chance(&run(&[("a", 0)]), &new), None, "one is new");
    let varied = Cases::mean_of(&[old.clone(), run(&[("a", 0), ("b", 1)])]);
    assert_eq!(chance(&varied, &new), None, "one varied");
}

/// A number from 0 to 1 (xorshift64*, Vigna 2016).
fn draw(seed: &mut u64) -> f64 {
    *seed ^= *seed >> 12;
    *seed ^= *seed << 25;
    *seed ^= *seed >> 27;
    let high = seed.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32;
    f64::from(u32::try_from(high).unwrap()) / f64::from(u32::MAX)
}

/// Of two trees that are the same, how many of a hundred cases that only vary are called worse?
#[test]
fn few_cases_that_only_vary_are_named() {
    let mut seed = 0x9e37_79b9_7f4a_7c15;
    // About normal: the sum of twelve draws (central limit).
    let mut run_cases = || {
        let cases = (0..100).map(|number| {
            let sum: f64 = (0..12).map(|_| draw(&mut seed)).sum();
            let text = format!("{:.4}", 100.0 + sum - 6.0);
            (number.to_string(), text.parse().unwrap())
        });
        Cases::of_run(cases.collect())
    };
    let mut told = String::new();
    for (baseline, runs) in [(3, 1), (6, 1), (6, 2), (6, 4)] {
        let mut worse = 0;
        for _ in 0..50 {
            let mut mean_of = |count: u32| {
                let runs: Vec<Cases> = (0..count).map(|_| run_cases()).collect();
                Cases::mean_of(&runs)
            };
            let (before, after) = (mean_of(baseline), mean_of(runs));
            worse += CaseChanges::between(&before, &after, Direction::Lower)
                .unwrap()
                .worse;
        }
        writeln!(told, "{baseline} runs against {runs}: {worse} of 5000").unwrap();
    }
    insta::assert_snapshot!(told, @"
    3 runs against 1: 613 of 5000
    6 runs against 1: 129 of 5000
    6 runs against 2: 38 of 5000
    6 runs against 4: 4 of 5000
    ");
}

proptest::proptest! {
    #[test]
    fn any_line_is_read_without_a_panic(line in "METRIC_CASE [ -~\u{0}\u{1b}é\u{202e}]{0,30}") {
        if let Some(Ok((id, _))) = parse_case_line(&line) {
            proptest::prop_assert_eq!(escape_text(id).replace("\\\\", "\\"), id);
        }
    }

    #[test]
    fn both_chances_and_the_tie_make_one(better in 0_usize..200, worse in 0_usize..200) {
        let (up, down) = (find_sign_chance(better, worse), find_sign_chance(worse, better));
        // At least so many, and at most so many, count what was seen twice.
        let seen = up - if worse > 0 { find_sign_chance(better + 1, worse - 1) } else { 0.0 };
        proptest::prop_assert!((up + down - 1.0 - seen).abs() < 1e-9);
    }

    #[test]
    fn each_case_is_better_worse_or_as_it_was(
        old in proptest::collection::vec(0_i64..3, 1..8), new in proptest::collection::vec(0_i64..3, 0..8),
    ) {
        let named = |values: &[i64]| {
            let cases = values.iter().enumerate();
            Cases::of_run(cases.map(|(id, value)| (id.to_string(), Value::from(*value))).collect())
        };
        let (old, new) = (named(&old), named(&new));
        let up = CaseChanges::between(&old, &new, Direction::Higher).unwrap();
        let down = CaseChanges::between(&old, &new, Direction::Lower).unwrap();
        proptest::prop_assert_eq!(up.better, down.worse - down.vanished);
        proptest::prop_assert_eq!(up.worse - up.vanished, down.better);
        proptest::prop_assert_eq!(up.named.len(), up.worse.min(5));
        proptest::prop_assert_eq!(up.compared + up.added, up.vanished + new.len());
    }
}
