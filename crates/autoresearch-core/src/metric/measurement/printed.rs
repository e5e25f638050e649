//! Owns `PrintedMetrics`: the quantities that an output of verify holds, in the units in which they were printed.
//! Does not compare units; `measurement` does.
//! Invariant: two readings that contradict each other are refused; nothing is guessed.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::metric::definition::Format;
use crate::metric::screen::{DrawnLine, draw_lines};
use crate::metric::unit::{Doubt, Quantity, QuantityError};
use crate::metric::value::{Value, ValueError};
use crate::words::text::clip_text;

/// The longest JSON object at the end of an output, in bytes.
const MAX_OBJECT: usize = 64 * 1024;
/// How many lines of an output's end are tried as the first line of that object.
const MAX_BEGINNINGS: usize = 200;
/// The most metrics that one run of verify may print.
const MAX_METRICS: usize = 100;
/// The longest name of a metric.
const MAX_NAME: usize = 100;
/// How much of a line is quoted.
const MAX_QUOTED: usize = 80;

/// What an output holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PrintedMetrics {
    /// How it was printed; never `Auto`.
    pub format: Format,
    /// Every metric by its name, the one of the config included.
    pub metrics: BTreeMap<String, Quantity>,
    /// Further metrics that are not a usable number, and what they are instead.
    pub missing: BTreeMap<String, String>,
}

/// Why an output holds no measurement.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoMetric {
    /// Nothing but white space was printed.
    #[error("verify printed nothing on stdout")]
    Empty,
    /// The last line, or the value of a `METRIC` line, is not a number with a unit.
    #[error("the last line {0}")]
    Quantity(#[from] QuantityError),
    /// What a terminal shows is a mixture, or hangs on what stood there before.
    #[error(
        "the line `{0}` overwrites only a part of itself, or moves the cursor (carriage return, backspace or escape sequence): print the metric on a separate line, without a progress bar"
    )]
    Garbled(String),
    /// The output ends with no JSON object with numbers.
    #[error("the last line is not a JSON object with numbers: {0}")]
    BadJson(String),
    /// The JSON object has neither `primary` nor a key of the metric's name.
    #[error("the JSON object has no key `primary` and none called `{0}`")]
    NoPrimary(String),
    /// No `METRIC` line carries the name.
    #[error("no line `METRIC {0}=<number>` was printed")]
    NoLine(String),
    /// A metric was printed twice with different numbers.
    #[error("the metric `{0}` was printed twice with different values")]
    Contradiction(String),
    /// More metrics than anybody reads.
    #[error("more than {0} metrics were printed")]
    TooMany(usize),
    /// The name of a metric is a text.
    #[error("`{0}` is too long for a metric name")]
    LongName(String),
    /// The unit is another one than the baseline's.
    #[error(
        "the unit changed: verify printed `{printed}`, and the baseline had {unit}; one cannot be converted into the other"
    )]
    UnitChanged {
        /// What was printed.
        printed: String,
        /// The unit of the run, in words.
        unit: String,
    },
}

/// Reads the stdout of verify. `name` is the metric's name in the config; the result holds it.
pub(super) fn read_output(
    stdout: &str,
    name: &str,
    format: Format,
) -> Result<PrintedMetrics, NoMetric> {
    match format {
        Format::Number => read_number_line(&find_last_line(stdout)?, name),
        Format::Json => read_json_object(stdout, name),
        Format::Lines => read_metric_lines(stdout, name),
        Format::Auto if draw_lines(stdout).any(|line| parse_metric_line(&line).is_some()) => {
            read_metric_lines(stdout, name)
        }
        Format::Auto => {
            let last = find_last_line(stdout)?;
            let text = last.text.trim();
            if text.starts_with('{') || text.ends_with('}') {
                read_json_object(stdout, name)
            } else {
                read_number_line(&last, name)
            }
        }
    }
}

fn find_last_line(stdout: &str) -> Result<DrawnLine<'_>, NoMetric> {
    draw_lines(stdout)
        .rev()
        .find(|line| line.garbled || !line.text.trim().is_empty())
        .ok_or(NoMetric::Empty)
}

fn read_number_line(line: &DrawnLine<'_>, name: &str) -> Result<PrintedMetrics, NoMetric> {
    if line.garbled {
        return Err(NoMetric::Garbled(clip_text(line.raw.trim(), MAX_QUOTED)));
    }
    let found = line.text.parse::<Quantity>()?;
    Ok(PrintedMetrics {
        format: Format::Number,
        metrics: BTreeMap::from([(name.to_owned(), found)]),
        missing: BTreeMap::new(),
    })
}

/// The name and the value of a `METRIC` line.
fn parse_metric_line<'l>(line: &'l DrawnLine<'_>) -> Option<(&'l str, &'l str)> {
    let shown = if line.garbled { line.raw } else { &line.text };
    let (name, value) = shown.trim().strip_prefix("METRIC ")?.split_once('=')?;
    Some((name.trim(), value.trim()))
}

fn read_metric_lines(stdout: &str, name: &str) -> Result<PrintedMetrics, NoMetric> {
    let mut found = PrintedMetrics {
        format: Format::Lines,
        metrics: BTreeMap::new(),
        missing: BTreeMap::new(),
    };
    for line in draw_lines(stdout) {
        if line.garbled && line.raw.contains("METRIC ") {
            return Err(NoMetric::Garbled(clip_text(line.raw.trim(), MAX_QUOTED)));
        }
        let Some((key, text)) = parse_metric_line(&line) else {
            continue;
        };
        match text.parse::<Quantity>() {
            Ok(quantity) => found.add_metric(key, quantity)?,
            Err(QuantityError::BadValue(
                error @ (ValueError::NotFinite(_) | ValueError::OutOfRange(_)),
            )) if key != name => found.add_missing(key, error.to_string())?,
            Err(error) => return Err(error.into()),
        }
    }
    if found.metrics.contains_key(name) {
        Ok(found)
    } else {
        Err(NoMetric::NoLine(name.to_owned()))
    }
}

impl PrintedMetrics {
    fn add_metric(&mut self, name: &str, quantity: Quantity) -> Result<(), NoMetric> {
        self.check_room(name)?;
        let same = |before: &Quantity| {
            before.in_unit(&quantity.unit, Doubt::Refuse).as_ref() == Some(&quantity.number)
        };
        if self.missing.contains_key(name)
            || self.metrics.get(name).is_some_and(|before| !same(before))
        {
            return Err(NoMetric::Contradiction(name.to_owned()));
        }
        self.metrics.insert(name.to_owned(), quantity);
        Ok(())
    }

    fn add_missing(&mut self, name: &str, why: String) -> Result<(), NoMetric> {
        self.check_room(name)?;
        if self.metrics.contains_key(name) {
            return Err(NoMetric::Contradiction(name.to_owned()));
        }
        self.missing.insert(name.to_owned(), why);
        Ok(())
    }

    fn check_room(&self, name: &str) -> Result<(), NoMetric> {
        if name.chars().count() > MAX_NAME {
            return Err(NoMetric::LongName(clip_text(name, MAX_NAME)));
        }
        if self.metrics.len() + self.missing.len() >= MAX_METRICS
            && !self.metrics.contains_key(name)
        {
            return Err(NoMetric::TooMany(MAX_METRICS));
        }
        Ok(())
    }
}

/// The JSON object at the end of the output, on one line or on several.
fn read_json_object(stdout: &str, name: &str) -> Result<PrintedMetrics, NoMetric> {
    let text = find_last_object(stdout)?;
    let JsonFields(fields) =
        serde_json::from_str(&text).map_err(|error| make_json_error(&error))?;
    let mut found = PrintedMetrics {
        format: Format::Json,
        metrics: BTreeMap::new(),
        missing: BTreeMap::new(),
    };
    for (key, raw) in fields {
        let main = key == "primary" || key == name;
        match read_field(raw.get()) {
            Ok(number) => found.add_metric(&key, number.into())?,
            Err(ValueError::NotANumber(_)) if !main => {}
            Err(error) if !main => found.add_missing(&key, error.to_string())?,
            Err(ValueError::NotANumber(text)) => {
                return Err(NoMetric::BadJson(format!("`{key}` is {text}")));
            }
            Err(error) => return Err(QuantityError::from(error).into()),
        }
    }
    let primary = found.metrics.remove("primary");
    match (primary, found.metrics.get(name)) {
        (Some(primary), Some(named)) if primary != *named => {
            Err(NoMetric::Contradiction(name.to_owned()))
        }
        (Some(primary), _) => {
            found.metrics.insert(name.to_owned(), primary);
            Ok(found)
        }
        (None, Some(_)) => Ok(found),
        (None, None) => Err(NoMetric::NoPrimary(name.to_owned())),
    }
}

/// A field's number. What Python prints for infinities was put between quotation marks.
fn read_field(raw: &str) -> Result<Value, ValueError> {
    let bare = raw.trim_matches('"');
    match bare {
        "NaN" | "Infinity" | "-Infinity" => Err(ValueError::NotFinite(bare.to_owned())),
        _ => raw.parse(),
    }
}

fn make_json_error(error: &serde_json::Error) -> NoMetric {
    NoMetric::BadJson(clip_text(&error.to_string(), MAX_QUOTED))
}

/// The text of the object that ends with the last line: its first line begins with `{`.
fn find_last_object(stdout: &str) -> Result<String, NoMetric> {
    let mut lines: Vec<String> = Vec::new();
    let (mut size, mut beginnings) = (0, 0);
    let mut reason = None;
    let written = |line: &DrawnLine<'_>| line.garbled || !line.text.trim().is_empty();
    for line in draw_lines(stdout).rev().skip_while(|line| !written(line)) {
        size += line.text.len() + 1;
        if line.garbled || size > MAX_OBJECT {
            break;
        }
        let begins = line.text.trim_start().starts_with('{');
        if lines.is_empty() && !begins && !line.text.trim_end().ends_with('}') {
            let last = clip_text(line.text.trim(), MAX_QUOTED);
            return Err(NoMetric::BadJson(format!("`{last}`")));
        }
        lines.push(line.text.into_owned());
        if !begins {
            continue;
        }
        let whole: Vec<&str> = lines.iter().rev().map(String::as_str).collect();
        let text = quote_infinities(&whole.join("\n"));
        match serde_json::from_str::<IgnoredAny>(&text) {
            Ok(_) => return Ok(text),
            Err(error) => reason = Some(reason.unwrap_or_else(|| make_json_error(&error))),
        }
        beginnings += 1;
        if beginnings == MAX_BEGINNINGS {
            break;
        }
    }
    Err(reason.unwrap_or(if lines.is_empty() {
        NoMetric::Empty
    } else {
        NoMetric::BadJson("no line starts with `{`".to_owned())
    }))
}

/// JSON has no infinities; many programs print them all the same.
fn quote_infinities(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len());
    let (mut inside, mut escaped) = (false, false);
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        if !inside
            && let Some(word) = ["-Infinity", "Infinity", "NaN"]
                .iter()
                .find(|word| rest.starts_with(**word))
        {
            quoted.push('"');
            quoted.push_str(word);
            quoted.push('"');
            rest = &rest[word.len()..];
            continue;
        }
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = inside,
            '"' => inside = !inside,
            _ => {}
        }
        quoted.push(letter);
        rest = &rest[letter.len_utf8()..];
    }
    quoted
}

/// The fields of an object as they were printed: a key that comes twice is there twice.
struct JsonFields(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for JsonFields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldVisitor;
        impl<'de> Visitor<'de> for FieldVisitor {
            type Value = JsonFields;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<JsonFields, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(JsonFields(fields))
            }
        }
        deserializer.deserialize_map(FieldVisitor)
    }
}

#[cfg(test)]
mod tests {
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
}
