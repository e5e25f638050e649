//! What verify can print, in each format, and what is read of it or said against it.

use super::*;

fn auto(stdout: &str) -> Result<String, NoMetric> {
    read_output(stdout, "m", Format::Auto).map(|found| {
        let quantity = &found.metrics["m"];
        format!("{} {}", quantity.number, quantity.unit.as_str())
            .trim_end()
            .to_owned()
    })
}

#[test]
fn the_last_line_is_a_number_with_an_optional_unit() {
    for (stdout, value) in [
        ("47\n", "47"),
        ("58%", "58 %"),
        ("building\n12 problems\n\n", "12 problems"),
        ("3.20ms", "3.2 ms"),
        ("-0.5 dB", "-0.5 dB"),
        ("1e-3", "0.001"),
        ("  7  \r\n", "7"),
        ("\u{1b}[32m10\u{1b}[0m\n", "10"),
        ("10%\r55%\r100%\r1047\n", "1047"),
        ("10%\r55%\r100%\n47\n\u{1b}[0m\n", "47"),
        ("\u{1b}[1mMETRIC m=10\u{1b}[0m\n", "10"),
        ("10%\r100%\rMETRIC m=10 ms\n", "10 ms"),
    ] {
        assert_eq!(auto(stdout).as_deref(), Ok(value), "{stdout:?}");
    }
}

#[test]
fn what_could_be_read_in_two_ways_is_no_metric() {
    let several = |text: &str| Err(QuantityError::SeveralNumbers(text.into()).into());
    let refused = |text: &str| Err(QuantityError::NotANumber(text.into()).into());
    assert_eq!(auto("12 of 40"), several("12 of 40"));
    assert_eq!(auto("1,234"), several("1,234"));
    assert_eq!(auto("3: error"), refused("3: error"));
    assert_eq!(auto("0xff"), refused("0xff"));
    assert_eq!(auto("Total: 12"), refused("Total: 12"));
    assert_eq!(auto(" \n\n"), Err(NoMetric::Empty));
    for (text, word) in [("Infinity", "Infinity"), ("nan ms", "nan")] {
        assert_eq!(
            auto(text),
            Err(NoMetric::Quantity(
                ValueError::NotFinite(word.into()).into()
            ))
        );
    }
    for text in [
        "METRIC m=3\nMETRIC m=4",
        "METRIC m=3 ms\nMETRIC m=3 s",
        "METRIC m=3\nMETRIC m=3 s",
    ] {
        assert_eq!(
            auto(text),
            Err(NoMetric::Contradiction("m".into())),
            "{text}"
        );
    }
    for text in ["100%\r5", "METRIC m=60\rMETRIC m=1\n", "12\n\u{1b}[1A13"] {
        assert!(matches!(auto(text), Err(NoMetric::Garbled(_))), "{text:?}");
    }
}

#[test]
fn the_same_metric_may_be_printed_twice() {
    assert_eq!(auto("METRIC m=60\nMETRIC m=60.0").as_deref(), Ok("60"));
    assert_eq!(
        auto("METRIC m=1 s\nMETRIC m=1000 ms").as_deref(),
        Ok("1000 ms")
    );
    assert_eq!(auto("{\"m\": 1, \"m\": 1.0}").as_deref(), Ok("1"));
}

#[test]
fn a_json_object_has_a_primary_metric_and_more() {
    let found = read_output(
        "log\n{\"primary\": 0.30, \"tests\": 41, \"note\": \"x\"}",
        "loss",
        Format::Auto,
    )
    .unwrap();
    assert_eq!(found.metrics.keys().collect::<Vec<_>>(), ["loss", "tests"]);
    assert_eq!(found.metrics["loss"].to_string(), "0.3");
    for text in [
        "{\"primary\": \"2\"}",
        "{\"primary\": null}",
        "[1]}",
        "}",
        "{\"m\": 1}}",
        "{\"m\": {\"m\": 1}}",
    ] {
        assert!(
            matches!(auto(text), Err(NoMetric::BadJson(_))),
            "{text}: {:?}",
            auto(text)
        );
    }
    for text in [
        "{\"primary\": 1, \"m\": 2}",
        "{\"m\": 1, \"m\": 2}",
        "{\"m\": 1, \"x\": 1, \"x\": 2}",
    ] {
        assert!(
            matches!(auto(text), Err(NoMetric::Contradiction(_))),
            "{text}"
        );
    }
    assert!(matches!(auto("{}"), Err(NoMetric::NoPrimary(_))));
}

#[test]
fn a_json_object_may_stand_on_several_lines() {
    for text in [
        "{\n  \"m\": 10\n}\n",
        "noise {\n}\n{\n  \"m\": 10,\n  \"parts\": [\n    {\n      \"m\": 1\n    }\n  ]\n}\n\n",
        "{\"m\": 10,\n \"x\": {\n\"m\": 1}\n}",
        "\u{1b}[1m{\n\u{1b}[34m  \"m\"\u{1b}[0m: 10\n}\u{1b}[0m\n",
        "{\r\n  \"m\": 10\r\n}\r\n",
    ] {
        assert_eq!(auto(text).as_deref(), Ok("10"), "{text:?}");
        let json = read_output(text, "m", Format::Json).unwrap();
        assert_eq!(json.format, Format::Json);
    }
    assert!(matches!(
        auto("[\n{\n\"m\": 1\n}\n]"),
        Err(NoMetric::Quantity(_))
    ));
}

#[test]
fn a_further_metric_that_is_no_finite_number_is_missing() {
    for text in [
        "{\"m\": 1, \"x\": NaN}",
        "{\"m\": 1, \"x\": -Infinity, \"note\": \"NaN \\\" Infinity\"}",
        "{\"m\": 1, \"x\": 1e999}",
        "METRIC m=1\nMETRIC x=nan\n",
        "METRIC x=-inf\nMETRIC m=1\n",
    ] {
        let found = read_output(text, "m", Format::Auto).unwrap();
        assert_eq!(found.missing.keys().collect::<Vec<_>>(), ["x"], "{text}");
        assert!(!found.metrics.contains_key("x"));
    }
    for text in [
        "{\"m\": NaN}",
        "{\"primary\": Infinity}",
        "METRIC m=nan",
        "METRIC m=1\nMETRIC x=1,2",
    ] {
        assert!(auto(text).is_err(), "{text}");
    }
}

#[test]
fn metric_lines_may_stand_anywhere() {
    let found = read_output(
        "METRIC m=3 ms\nnoise\nMETRIC heap=12\n99",
        "m",
        Format::Auto,
    )
    .unwrap();
    assert_eq!(found.metrics["m"].to_string(), "3 ms");
    assert_eq!(found.metrics["heap"].to_string(), "12");
    for (text, format) in [("METRIC other=3", Format::Auto), ("12", Format::Lines)] {
        assert_eq!(
            read_output(text, "m", format),
            Err(NoMetric::NoLine("m".into()))
        );
    }
    // A line that another format overrides is not a metric.
    assert!(read_output("METRIC m=0", "m", Format::Number).is_err());
    assert_eq!(
        read_output("METRIC m=0\n7", "m", Format::Number)
            .unwrap()
            .metrics["m"]
            .to_string(),
        "7"
    );
}

#[test]
fn no_output_makes_a_large_measurement() {
    use std::fmt::Write;
    let mut many = String::from("METRIC m=1\n");
    for number in 0..1_000 {
        let _ = writeln!(many, "METRIC x{number}=1");
    }
    assert_eq!(auto(&many), Err(NoMetric::TooMany(MAX_METRICS)));
    let long = format!("METRIC m=1\nMETRIC {}=1\n", "x".repeat(100_000));
    assert!(matches!(auto(&long), Err(NoMetric::LongName(_))));
    for text in [
        "9".repeat(1_000_000),
        format!("{{\"m\": {}}}", "9".repeat(60_000)),
        format!("METRIC m={}", "9".repeat(1_000_000)),
    ] {
        assert!(auto(&text).unwrap_err().to_string().len() < 500);
    }
}

proptest::proptest! {
    #[test]
    fn any_output_is_read_without_a_panic(stdout in "(?s).{0,200}", format in 0..4_usize) {
        let format = [Format::Auto, Format::Number, Format::Json, Format::Lines][format];
        let _ = read_output(&stdout, "m", format);
    }

    #[test]
    fn any_object_is_read_without_a_panic(stdout in "[{}\\[\\]\":,NaIfinty0-9em \n\r\u{1b}-]{0,80}") {
        let _ = read_output(&stdout, "m", Format::Json);
    }

    #[test]
    fn a_number_survives_any_frame(number in -1_000_000_i64..1_000_000, frame in 0..5_usize) {
        let text = [
            format!("{number}\n"),
            format!("\u{1b}[31m{number}\u{1b}[0m\r\n"),
            format!("METRIC m={number}"),
            format!("{{\n \"m\":\n {number}\n}}"),
            format!("10%\r{:<12}\r{number}\n", ""),
        ];
        proptest::prop_assert_eq!(auto(&text[frame]).unwrap(), number.to_string());
    }
}

#[test]
fn a_line_may_print_a_count_with_its_cases_and_nothing_that_only_looks_like_one() {
    for (stdout, value, cases) in [
        ("METRIC m=3 of 60", "3", 60),
        ("METRIC m=0 of 1", "0", 1),
        ("METRIC m=60 of 60", "60", 60),
        ("METRIC m=7 of 1000000", "7", 1_000_000),
    ] {
        let found = read_output(stdout, "m", Format::Auto).unwrap();
        let quantity = &found.metrics["m"];
        assert_eq!(quantity.number.to_string(), value, "{stdout}");
        assert_eq!(quantity.unit.count_cases(), Some(cases), "{stdout}");
    }
    for stdout in [
        "METRIC m=61 of 60",
        "METRIC m=+3 of 60",
        "METRIC m=-3 of 60",
        "METRIC m=2.5 of 60",
        "METRIC m=3 of 060",
        "METRIC m=3 of 0",
        "METRIC m=3 of 1000001",
        "METRIC m=3 of 60 tests",
        "METRIC m=3/60",
        "3 of 60",
    ] {
        assert!(read_output(stdout, "m", Format::Auto).is_err(), "{stdout}");
    }
}

fn read_cases(stdout: &str, format: Format) -> String {
    match read_output(stdout, "m", format) {
        Ok(found) => format!("{:?}", found.cases.keys().collect::<Vec<_>>()),
        Err(error) => error.to_string().replace('\r', "\\r"),
    }
}

#[test]
fn cases_stand_beside_a_metric_line_and_nowhere_else() {
    let printed = "log METRIC_CASE a 1\n METRIC_CASE \u{1b}[32mb\u{1b}[0m pass\nMETRIC_CASES 3\nMETRIC m=1\nMETRIC_CASE c 2\n";
    for format in [Format::Auto, Format::Lines] {
        insta::allow_duplicates! {
            insta::assert_snapshot!(read_cases(printed, format), @r#"["b", "c"]"#);
        }
    }
    let ended = "METRIC_CASE a nothing\n7\n";
    insta::assert_snapshot!(read_cases(ended, Format::Auto), @"[]");
    insta::assert_snapshot!(read_cases(ended, Format::Lines), @"the line `METRIC_CASE a nothing` has no usable value: print a number, `pass` or `fail`");
    insta::assert_snapshot!(read_cases("METRIC_CASE a 1\n{\"m\": 1}\n", Format::Json), @"[]");
}

#[test]
fn a_bad_case_is_refused_by_its_line() {
    let read = |lines: &str| read_cases(&format!("METRIC m=1\n{lines}\n"), Format::Lines);
    insta::assert_snapshot!(read("METRIC_CASE a 1\nMETRIC_CASE a 1"), @"the line `METRIC_CASE a 1` gives a case that was printed before: each case needs an id of its own, such as its file and its name");
    insta::assert_snapshot!(read("METRIC_CASE a 3 of 4"), @"the line `METRIC_CASE a 3 of 4` has more than an id and a value: an id has no white space, and a value no unit");
    insta::assert_snapshot!(read("50%\rMETRIC_CASE a 1\rMETRIC_CASE b"), @r"the line `50%\rMETRIC_CASE a 1\rMETRIC_CASE b` overwrites only a part of itself, or moves the cursor (carriage return, backspace or escape sequence): print the metric on a separate line, without a progress bar");
    let many: Vec<String> = (0..=1_000)
        .map(|id| format!("METRIC_CASE {id} 1"))
        .collect();
    insta::assert_snapshot!(read(&many.join("\n")), @"the line `METRIC_CASE 1000 1` is one case too many: at most 1000 are read; print one for each group of cases, or only those that matter");
    assert!(read(&many[1..].join("\n")).starts_with("[\""));
}
