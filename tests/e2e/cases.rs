//! `METRIC_CASE` lines: what single cases gave is compared with the kept state, and told, and decides nothing.

use crate::config_text::ConfigText;
use crate::shown::assert_answer;
use crate::testbed::Testbed;

/// A repository whose verify prints the file `src/out`.
fn printing(text: &str) -> Testbed {
    let bed = Testbed::new();
    bed.write("print.sh", "cat src/out\n");
    bed.write("src/out", text);
    bed.git(&["add", "-A"]);
    bed.git(&["commit", "-qm", "out"]);
    bed
}

fn config() -> String {
    ConfigText::demo()
        .goal("More passing tests")
        .metric("passing")
        .verify("sh print.sh")
        .without_guard()
        .to_string()
        .replace("lower", "higher")
}

/// Sixty tests of which these fail, with their sum or as a count.
fn print_tests(failing: &[u32], sum: &str) -> String {
    let case = |id| {
        let word = if failing.contains(&id) {
            "fail"
        } else {
            "pass"
        };
        format!("METRIC_CASE tests/test_{id}.py {word}\n")
    };
    let cases: String = (1..=60).map(case).collect();
    let passing = 60 - failing.len();
    format!("collected 60 tests\n{cases}METRIC passing={passing}{sum}\n")
}

fn answer(bed: &Testbed, text: &str) -> String {
    bed.write("src/out", text);
    let told = bed.run(&["trial", "-m", "a change"]).ok().out;
    let told = told.lines().filter(|line| !line.starts_with("next:"));
    // The hash of a commit has the time in it.
    let told = told.map(|line| line.split(", commit ").next().unwrap());
    told.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_better_rate_lists_the_cases_that_it_broke() {
    let bed = printing(&print_tests(&[1, 2, 3, 4, 5, 6, 7, 8], ""));
    bed.start(&config());
    assert_answer!(answer(&bed, &print_tests(&[7, 8, 30, 31], "")), @"
    trial 1: keep, passing 56 (+4, +7.7 %)
    cases: 2 of 60 worse: tests/test_30.py 1 -> 0, tests/test_31.py 1 -> 0; 6 better; sign test p = 0.14
    files: src/out
    ");
    let shown = bed.run(&["show", "1"]).ok().out;
    let cases: Vec<&str> = shown
        .lines()
        .filter(|line| line.contains("cases"))
        .collect();
    assert_answer!(cases.join("\n"), @"  cases     2 of 60 worse: tests/test_30.py 1 -> 0, tests/test_31.py 1 -> 0; 6 better; sign test p = 0.14");
    let shown = bed.run(&["show", "1", "--json"]).ok().json();
    insta::assert_snapshot!(shown["cases"], @r#"{"added":0,"better":6,"chance":0.14,"compared":60,"named":[{"after":0,"before":1,"case":"tests/test_30.py"},{"after":0,"before":1,"case":"tests/test_31.py"}],"vanished":0,"worse":2}"#);

    // The next trial is compared with what was kept, and a discard tells as much.
    assert_answer!(answer(&bed, &print_tests(&[7, 8, 30, 32, 33], "")), @"
    trial 2: discard (worse-metric), passing 55 (-1, -1.8 %); the best is 56 from trial 1
    why: the metric is not better
    cases: 2 of 60 worse: tests/test_32.py 1 -> 0, tests/test_33.py 1 -> 0; 1 better
    files: src/out
    ");
    let gone = print_tests(&[], "").replace("METRIC_CASE tests/test_9.py pass\n", "");
    let report = {
        bed.write("src/out", &gone);
        bed.trial("one test less")
    };
    insta::assert_snapshot!(report["cases"], @r#"{"added":0,"better":4,"compared":60,"named":[{"after":null,"before":1,"case":"tests/test_9.py"}],"vanished":1,"worse":1}"#);

    // Whole cases are recorded of the baseline and of keeps alone.
    let journal = bed.read("autoresearch-results/demo/journal.jsonl");
    let whole = journal
        .lines()
        .filter(|line| line.contains(r#""cases":{"values""#));
    let events: Vec<bool> = whole
        .map(|line| line.contains(r#""verdict":"discard""#))
        .collect();
    assert_eq!(events, [false, false, false], "the start and two keeps");
}

#[test]
fn cases_that_vary_between_runs_are_no_regressions_and_no_sign_test_is_made_of_them() {
    let bed = Testbed::new();
    // A case that fails every other time, beside a metric that counts.
    bed.write(
        "print.sh",
        "n=$(cat ../count 2>/dev/null || echo 0); echo $((n+1)) > ../count\n\
         if [ $((n % 2)) -eq 0 ]; then word=pass; else word=fail; fi\n\
         echo \"METRIC_CASE flaky $word\"; cat src/out\n",
    );
    let steady = |word: &str| format!("METRIC_CASE steady {word}\nMETRIC passing=30 of 60\n");
    bed.write("src/out", &steady("pass"));
    bed.git(&["add", "-A"]);
    bed.git(&["commit", "-qm", "out"]);
    bed.start(&config());
    let baseline = bed.read("autoresearch-results/demo/journal.jsonl");
    assert!(
        baseline.contains(r#""cases":{"values":{"flaky":0.5,"steady":1},"spreads":{"flaky":1}}"#)
    );
    bed.write("src/out", &steady("fail"));
    let report = bed.trial("a change");
    insta::assert_snapshot!(report["cases"], @r#"{"added":0,"better":0,"compared":2,"named":[{"after":0,"before":1,"case":"steady"}],"vanished":0,"worse":1}"#);
}

#[test]
fn what_is_no_case_is_refused_by_its_line() {
    let bed = printing(&print_tests(&[1], ""));
    bed.start(&config());
    let twice = format!(
        "{}METRIC_CASE tests/test_1.py pass\n",
        print_tests(&[1], "")
    );
    assert_answer!(answer(&bed, &twice), @"
    trial 1: crash (no-metric); the best is 59 from trial 0
    why: the line `METRIC_CASE tests/test_1.py pass` gives a case that was printed before: each case needs an id of its own, such as its file and its name
    files: src/out
      | METRIC_CASE tests/test_1.py fail
      | METRIC_CASE tests/test_2.py pass
      | METRIC_CASE tests/test_60.py pass
      | METRIC passing=59
      | METRIC_CASE tests/test_1.py pass
    whole output: autoresearch-results/demo/trials/1
    ");
    let bed = printing(&print_tests(&[1], "").replace("passing=59", "passing=58 of 60"));
    bed.write("autoresearch.yaml", &config());
    let refused = bed.run(&["start"]);
    assert_answer!(refused.err, @"
    error: verify gives no metric on the untouched tree: the metric `passing` is 58 of 60, and the `METRIC_CASE` lines make 59 of them (`pass` counts 1): print both from one list
    caused by: its last lines: METRIC_CASE tests/test_1.py fail | METRIC_CASE tests/test_2.py pass | METRIC_CASE tests/test_59.py pass | METRIC_CASE tests/test_60.py pass | METRIC passing=58 of 60
    hint: verify must end with the number alone on its last line, or a JSON object with `primary`, or `METRIC name=value` lines
    ");
}

/// Cases decide nothing, and an id that a tree chose cannot break the answer.
#[test]
fn an_id_with_hostile_letters_moves_no_cursor() {
    let bed = printing("METRIC_CASE a\\b'\"$(x) 1\nMETRIC passing=1\n");
    bed.start(&config());
    assert_answer!(answer(&bed, "METRIC passing=2\n"), @r#"
    trial 1: keep, passing 2 (+1, +100 %)
    cases: 1 of 1 worse: a\\b'"$(x) 1 -> gone; 0 better
    files: src/out
    "#);
    assert_answer!(answer(&bed, "METRIC_CASE \u{1b}[1A\u{202e} 1\nMETRIC passing=3\n"), @r#"
    trial 2: crash (no-metric); the best is 2 from trial 1
    why: the line `METRIC_CASE \u{1b}[1A\u{202e} 1` overwrites only a part of itself, or moves the cursor (carriage return, backspace or escape sequence): print the metric on a separate line, without a progress bar
    files: src/out
      | METRIC_CASE \u{1b}[1A\u{202e} 1
      | METRIC passing=3
    whole output: autoresearch-results/demo/trials/2
    "#);
    assert_answer!(answer(&bed, "METRIC_CASE \u{202e} 1\nMETRIC passing=3\n"), @r#"
    trial 3: crash (no-metric); the best is 2 from trial 1
    why: the line `METRIC_CASE \u{202e} 1` has a character in its id that a terminal does not show: take it out
    files: src/out
      | METRIC_CASE \u{202e} 1
      | METRIC passing=3
    whole output: autoresearch-results/demo/trials/3
    "#);
}
