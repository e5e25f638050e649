//! What verify prints is never guessed: units, formats, escape sequences, and numbers in other notations.

use crate::config_text::ConfigText;
use crate::testbed::Testbed;

fn config() -> ConfigText {
    ConfigText::demo()
        .goal("Smaller")
        .metric("m")
        .verify("sh print.sh")
        .without_guard()
}

/// A repository whose verify prints the file `src/out`.
fn printing(text: &str) -> Testbed {
    let bed = Testbed::new();
    bed.write("print.sh", "cat src/out\n");
    bed.write("src/out", text);
    bed.git(&["add", "-A"]);
    bed.git(&["commit", "-qm", "out"]);
    bed
}

/// What a trial says whose verify prints this.
fn says(bed: &Testbed, text: &str) -> String {
    bed.write("src/out", text);
    let answer = bed.run(&["trial", "-m", "a change"]).ok().out;
    let lines = answer
        .lines()
        .filter(|line| !line.starts_with("files:") && !line.starts_with("next:"));
    // The hash of a commit has the time in it.
    let told = lines.map(|line| line.split(", commit ").next().unwrap());
    told.collect::<Vec<_>>().join("\n")
}

/// Trials, each with what verify prints.
fn transcript(bed: &Testbed, texts: &[&str]) -> String {
    let told = |text: &&str| format!("{text:?}\n  {}", says(bed, text).replace('\n', "\n  "));
    texts.iter().map(told).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_unit_is_a_part_of_the_value() {
    let bed = printing("998 ms\n");
    bed.start(&config());
    insta::assert_snapshot!(transcript(&bed, &["1.02 s\n", "950000 µs\n", "0.9 parsecs\n"]), @r#"
    "1.02 s\n"
      trial 1: discard (worse-metric), m 1020 ms (+22, +2.2 %); the best is 998 from trial 0
      why: the metric is not better
    "950000 µs\n"
      trial 2: keep, m 950 ms (-48, -4.8 %)
    "0.9 parsecs\n"
      trial 3: crash (no-metric); the best is 950 from trial 2
      why: the unit changed: verify printed `0.9 parsecs`, and the baseline had `ms`; one cannot be converted into the other
        | 0.9 parsecs
      whole output: autoresearch-results/demo/trials/3
    "#);
    let record = bed.read("autoresearch-results/demo/journal.jsonl");
    assert!(record.contains(r#""reading":{"format":"number","units":{"m":"ms"}}"#));

    let bed = printing("950K\n");
    bed.start(&config());
    insta::assert_snapshot!(transcript(&bed, &["1.1M\n", "949\n"]), @r#"
    "1.1M\n"
      trial 1: discard (worse-metric), m 1126.4 K (+176.4, +19 %); the best is 950 from trial 0
      why: the metric is not better
    "949\n"
      trial 2: keep, m 0.949 K (-949.051, -99.9 %)
      jump: far outside everything measured before; a second run agrees; make sure that verify still measures what it should: autoresearch-results/demo/trials/2
        | 949
      whole output: autoresearch-results/demo/trials/2
    "#);

    let bed = printing("12 problems\n");
    bed.start(&config());
    insta::assert_snapshot!(transcript(&bed, &["11 errors\n", "11\n", "1 problem\n"]), @r#"
    "11 errors\n"
      trial 1: crash (no-metric); the best is 12 from trial 0
      why: the unit changed: verify printed `11 errors`, and the baseline had `problems`; one cannot be converted into the other
        | 11 errors
      whole output: autoresearch-results/demo/trials/1
    "11\n"
      trial 2: crash (no-metric); the best is 12 from trial 0
      why: the unit changed: verify printed `11`, and the baseline had `problems`; one cannot be converted into the other
        | 11
      whole output: autoresearch-results/demo/trials/2
    "1 problem\n"
      trial 3: keep, m 1 problems (-11, -92 %)
      jump: far outside everything measured before; a second run agrees; make sure that verify still measures what it should: autoresearch-results/demo/trials/3
        | 1 problem
      whole output: autoresearch-results/demo/trials/3
    "#);
}

#[test]
fn the_format_of_the_baseline_is_frozen() {
    let bed = printing("7\n");
    bed.start(&config());
    insta::assert_snapshot!(transcript(&bed, &["METRIC m=0\n7\n", "METRIC m=0\n", "{\"m\": 0}\n"]), @r#"
    "METRIC m=0\n7\n"
      trial 1: discard (tie), m 7 (0); the best is 7 from trial 0
      why: the metric is equal
    "METRIC m=0\n"
      trial 2: crash (no-metric); the best is 7 from trial 0
      why: the last line `METRIC m=0` is not a number with an optional unit
        | METRIC m=0
      whole output: autoresearch-results/demo/trials/2
    "{\"m\": 0}\n"
      trial 3: crash (no-metric); the best is 7 from trial 0
      why: the last line `{"m": 0}` is not a number with an optional unit
        | {"m": 0}
      whole output: autoresearch-results/demo/trials/3
    "#);

    let bed = printing("METRIC m=7\n");
    bed.start(&config());
    insta::assert_snapshot!(transcript(&bed, &["METRIC m=7\nMETRIC m=0\n", "0\n"]), @r#"
    "METRIC m=7\nMETRIC m=0\n"
      trial 1: crash (no-metric); the best is 7 from trial 0
      why: the metric `m` was printed twice with different values
        | METRIC m=7
        | METRIC m=0
      whole output: autoresearch-results/demo/trials/1
    "0\n"
      trial 2: crash (no-metric); the best is 7 from trial 0
      why: no line `METRIC m=<number>` was printed
        | 0
      whole output: autoresearch-results/demo/trials/2
    "#);
}

#[test]
fn colours_and_progress_bars_are_taken_off_before_reading() {
    for (text, value) in [
        ("\u{1b}[32m10\u{1b}[0m\n", 10),
        ("\u{1b}[1mMETRIC m=11\u{1b}[0m\n", 11),
        ("10%\r55%\r100%\rMETRIC m=12\n", 12),
        (
            "{\n  \"m\": 13,\n  \"parts\": [\n    {\n      \"m\": 1\n    }\n  ]\n}\n",
            13,
        ),
    ] {
        let bed = printing(text);
        let started = bed.start(&config());
        assert!(
            started.out.contains(&format!("m = {value} ")),
            "{started:?}"
        );
    }
    let bed = printing("100%\r5\n");
    let refused = bed.try_start(&config()).fails(3);
    insta::assert_snapshot!(refused.err, @r"
    error: verify gives no metric on the untouched tree: the line `100%\r5` overwrites only a part of itself, or moves the cursor (carriage return, backspace or escape sequence): print the metric on a separate line, without a progress bar
    caused by: its last lines: 100%\r5
    hint: verify must end with the number alone on its last line, or a JSON object with `primary`, or `METRIC name=value` lines
    ");
}

#[test]
fn a_number_in_another_notation_is_no_metric() {
    let bed = printing("50\n");
    bed.start(&config());
    let texts = [
        "0xff\n",
        "1,234\n",
        "1_2\n",
        "\u{ff11}\u{ff12}\n",
        "12:34\n",
    ];
    insta::assert_snapshot!(transcript(&bed, &texts[..2]), @r#"
    "0xff\n"
      trial 1: crash (no-metric); the best is 50 from trial 0
      why: the last line `0xff` is not a number with an optional unit
        | 0xff
      whole output: autoresearch-results/demo/trials/1
    "1,234\n"
      trial 2: crash (no-metric); the best is 50 from trial 0
      why: the last line `1,234` holds more than one number: print the metric alone, without separators
        | 1,234
      whole output: autoresearch-results/demo/trials/2
    "#);
    bed.run(&["strategy", "refine", "-m", "r"]);
    for text in &texts[2..4] {
        assert!(says(&bed, text).starts_with("trial "), "{text}");
    }
    let log = bed.run(&["log", "--json"]).ok().json();
    let rows = log["rows"].as_array().unwrap();
    assert!(rows[1..].iter().all(|row| row["metric"].is_null()), "{log}");
}

#[test]
fn a_duplicate_key_and_a_long_output_are_refused_in_few_words() {
    let bed = printing("{\"m\": 5}\n");
    bed.start(&config());
    insta::assert_snapshot!(transcript(&bed, &["{\"m\": 5, \"m\": 1}\n"]), @r#"
    "{\"m\": 5, \"m\": 1}\n"
      trial 1: crash (no-metric); the best is 5 from trial 0
      why: the metric `m` was printed twice with different values
        | {"m": 5, "m": 1}
      whole output: autoresearch-results/demo/trials/1
    "#);
    let long = says(&bed, &format!("{{\"m\": {}}}\n", "9".repeat(50_000)));
    assert!(long.len() < 1_000, "{}", long.len());
}

#[test]
fn a_further_metric_without_a_number_is_missing_and_holds_no_condition() {
    let bed = printing("{\"m\": 5, \"loss\": 1.5}\n");
    bed.start(&config());
    assert!(says(&bed, "{\"m\": 4, \"loss\": NaN}\n").contains("keep"));
    bed.run(&["finish"]).ok();

    let bed = printing("{\"m\": 5, \"loss\": 1.5}\n");
    let conditional = "keep_when: [{metric: loss, op: \"<\", value: 2}]\n";
    bed.start(&format!("{}{conditional}", config()));
    insta::assert_snapshot!(transcript(&bed, &["{\"m\": 4, \"loss\": NaN}\n", "{\"m\": 4}\n", "{\"m\": 4, \"loss\": 1}\n"]), @r#"
    "{\"m\": 4, \"loss\": NaN}\n"
      trial 1: discard (keep-when), m 4 (-1, -20 %); the best is 5 from trial 0
      why: keep_when `loss < 2 (loss: `NaN` is not a finite number)` does not hold
    "{\"m\": 4}\n"
      trial 2: discard (keep-when), m 4 (-1, -20 %); the best is 5 from trial 0
      why: keep_when `loss < 2 (loss was not printed)` does not hold
    "{\"m\": 4, \"loss\": 1}\n"
      trial 3: keep, m 4 (-1, -20 %)
      also: loss 1.5 -> 1
    "#);
}

#[test]
fn amounts_of_the_config_may_have_units() {
    let more = "min_improvement: 10 ms\nkeep_when: [{metric: heap, op: \"<=\", value: 1 GiB}]\n";
    let text = format!("{}{more}", config().target("0.5 s"));
    let bed = printing("METRIC m=998 ms\nMETRIC heap=100 MiB\n");
    bed.start(&text);
    insta::assert_snapshot!(transcript(&bed, &[
        "METRIC m=0.99 s\nMETRIC heap=100 MiB\n",
        "METRIC m=0.9 s\nMETRIC heap=2 GiB\n",
        "METRIC m=0.5 s\nMETRIC heap=1 GiB\n",
    ]), @r#"
    "METRIC m=0.99 s\nMETRIC heap=100 MiB\n"
      trial 1: discard (below-minimum), m 990 ms (-8, -0.8 %); the best is 998 from trial 0
      why: the improvement is below min_improvement
      also: heap=100
    "METRIC m=0.9 s\nMETRIC heap=2 GiB\n"
      trial 2: discard (keep-when), m 900 ms (-98, -9.8 %); the best is 998 from trial 0
      why: keep_when `heap <= 1024` does not hold
      also: heap=2048
    "METRIC m=0.5 s\nMETRIC heap=1 GiB\n"
      trial 3: keep, m 500 ms (-498, -50 %)
      also: heap 100 -> 1024
    "#);

    for (text, words) in [
        (
            "998\n",
            "`metric.target` is `0.5 s`, and verify prints m without a unit",
        ),
        ("998 problems\n", "verify prints m in `problems`"),
    ] {
        let bed = printing(text);
        let known = config().target("0.5 s");
        bed.try_start(&known).fails(3).says(words).says("hint: ");
    }
    let bed = printing("998 ms\n");
    let several = config().target("\"1,000 ms\"");
    bed.try_start(&several)
        .fails(3)
        .says("metric.target")
        .says("more than one number");
}
