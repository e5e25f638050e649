//! Owns `Measurement`: what verify printed, read as numbers.
//! Does not run verify, and does not look at its exit status.
//! Invariant: two readings that contradict each other are no measurement; nothing is guessed.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::value::{Value, ValueError};

/// How verify prints its metric.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// `METRIC` lines when there are any, otherwise the last line, as JSON or as a number.
    #[default]
    Auto,
    /// The last non-empty line is a number, with an optional unit behind it: `58%`, `12 problems`.
    Number,
    /// The last non-empty line is a JSON object with a `primary` number, and more metrics.
    Json,
    /// Lines of the form `METRIC name=value`, anywhere.
    Lines,
}

/// The numbers of one run of verify.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measurement {
    /// The metric of the config.
    pub value: Value,
    /// Every metric that was printed, by name, the one of the config included.
    pub metrics: BTreeMap<String, Value>,
}

/// Why an output holds no measurement.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoMetric {
    /// Nothing but white space was printed.
    #[error("verify printed nothing on stdout")]
    Empty,
    /// The last line does not begin with a number.
    #[error("the last line `{0}` is not a number with an optional unit")]
    NotANumber(String),
    /// The line holds several numbers.
    #[error("the last line `{0}` holds more than one number: print the metric alone")]
    SeveralNumbers(String),
    /// The number cannot be used.
    #[error(transparent)]
    BadValue(#[from] ValueError),
    /// The last line is no JSON object with numbers.
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
}

/// Reads the stdout of verify. `name` is the metric's name in the config.
pub fn read(stdout: &str, name: &str, format: Format) -> Result<Measurement, NoMetric> {
    match format {
        Format::Number => number_line(last_line(stdout)?, name),
        Format::Json => json_line(last_line(stdout)?, name),
        Format::Lines => metric_lines(stdout, name),
        Format::Auto if stdout.lines().any(|line| metric_line(line).is_some()) => {
            metric_lines(stdout, name)
        }
        Format::Auto => match last_line(stdout)? {
            line if line.starts_with('{') => json_line(line, name),
            line => number_line(line, name),
        },
    }
}

fn last_line(stdout: &str) -> Result<&str, NoMetric> {
    stdout
        .lines()
        .rev()
        .map(str::trim)
        .find(|line| !line.is_empty())
        .ok_or(NoMetric::Empty)
}

fn number_line(line: &str, name: &str) -> Result<Measurement, NoMetric> {
    let (number, unit) = split_number(line);
    if number.is_empty() {
        let word = line.split_whitespace().next().unwrap_or(line);
        return match word.parse::<Value>() {
            Err(error @ ValueError::NotFinite(_)) => Err(error.into()),
            _ => Err(NoMetric::NotANumber(shorten(line))),
        };
    }
    if unit.chars().any(|letter| letter.is_ascii_digit()) {
        return Err(NoMetric::SeveralNumbers(shorten(line)));
    }
    if unit.starts_with([',', '.', ':', '=']) {
        return Err(NoMetric::NotANumber(shorten(line)));
    }
    Ok(single(name, number.parse()?))
}

/// The longest start of the line that has the letters of a number, and what follows it.
fn split_number(line: &str) -> (&str, &str) {
    let bytes = line.as_bytes();
    let mut end = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
    let digits_from = end;
    while end < bytes.len() && (bytes[end].is_ascii_digit() || bytes[end] == b'.') {
        end += 1;
    }
    if end == digits_from {
        return ("", line);
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let from = end + 1 + sign;
        let digits = bytes[from.min(bytes.len())..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        if digits > 0 {
            end = from + digits;
        }
    }
    (&line[..end], &line[end..])
}

fn json_line(line: &str, name: &str) -> Result<Measurement, NoMetric> {
    let bad = |reason: String| NoMetric::BadJson(reason);
    let fields: BTreeMap<String, Box<RawValue>> =
        serde_json::from_str(line).map_err(|error| bad(error.to_string()))?;
    let mut metrics = BTreeMap::new();
    for (key, raw) in &fields {
        match raw.get().parse::<Value>() {
            Ok(value) => drop(metrics.insert(key.clone(), value)),
            Err(ValueError::OutOfRange(text)) => return Err(ValueError::OutOfRange(text).into()),
            Err(_) if key == "primary" || key == name => {
                return Err(bad(format!("`{key}` is {}", shorten(raw.get()))));
            }
            Err(_) => {}
        }
    }
    let value = match (metrics.remove("primary"), metrics.get(name)) {
        (Some(primary), Some(named)) if primary != *named => {
            return Err(NoMetric::Contradiction(name.to_owned()));
        }
        (Some(primary), _) => primary,
        (None, Some(named)) => named.clone(),
        (None, None) => return Err(NoMetric::NoPrimary(name.to_owned())),
    };
    metrics.insert(name.to_owned(), value.clone());
    Ok(Measurement { value, metrics })
}

fn metric_line(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.trim().strip_prefix("METRIC ")?.split_once('=')?;
    Some((name.trim(), value.trim()))
}

fn metric_lines(stdout: &str, name: &str) -> Result<Measurement, NoMetric> {
    let mut metrics = BTreeMap::new();
    for (key, text) in stdout.lines().filter_map(metric_line) {
        let value = number_line(text, key)?.value;
        if metrics
            .insert(key.to_owned(), value.clone())
            .is_some_and(|before| before != value)
        {
            return Err(NoMetric::Contradiction(key.to_owned()));
        }
    }
    let value = metrics
        .get(name)
        .cloned()
        .ok_or_else(|| NoMetric::NoLine(name.to_owned()))?;
    Ok(Measurement { value, metrics })
}

fn single(name: &str, value: Value) -> Measurement {
    Measurement {
        metrics: BTreeMap::from([(name.to_owned(), value.clone())]),
        value,
    }
}

/// The first 80 letters, without control characters: the line goes into a message and into the log.
fn shorten(line: &str) -> String {
    let clean: String = line
        .chars()
        .filter(|letter| !letter.is_control())
        .take(80)
        .collect();
    if line.chars().count() > 80 {
        format!("{clean}…")
    } else {
        clean
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn auto(stdout: &str) -> Result<String, NoMetric> {
        read(stdout, "m", Format::Auto).map(|found| found.value.to_string())
    }

    #[test]
    fn the_last_line_is_a_number_with_an_optional_unit() {
        for (stdout, value) in [
            ("47\n", "47"),
            ("58%", "58"),
            ("building\n12 problems\n\n", "12"),
            ("3.20ms", "3.2"),
            ("-0.5 dB", "-0.5"),
            ("1e-3", "0.001"),
            ("5em", "5"),
            ("  7  \r\n", "7"),
            ("+4", "4"),
            ("12 µs", "12"),
            (".5 s", "0.5"),
        ] {
            assert_eq!(auto(stdout).as_deref(), Ok(value), "{stdout}");
        }
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_no_metric() {
        assert_eq!(
            auto("12 of 40"),
            Err(NoMetric::SeveralNumbers("12 of 40".into()))
        );
        assert_eq!(auto("1,234"), Err(NoMetric::SeveralNumbers("1,234".into())));
        assert_eq!(
            auto("3: error"),
            Err(NoMetric::NotANumber("3: error".into()))
        );
        assert_eq!(
            auto("Total: 12"),
            Err(NoMetric::NotANumber("Total: 12".into()))
        );
        assert_eq!(auto(" \n\n"), Err(NoMetric::Empty));
        assert_eq!(
            auto("Infinity"),
            Err(ValueError::NotFinite("Infinity".into()).into())
        );
        assert_eq!(auto("nan"), Err(ValueError::NotFinite("nan".into()).into()));
        assert_eq!(
            auto("METRIC m=3\nMETRIC m=4"),
            Err(NoMetric::Contradiction("m".into()))
        );
        assert!(matches!(auto("1..2"), Err(NoMetric::BadValue(_))));
    }

    #[test]
    fn a_json_object_has_a_primary_metric_and_more() {
        let found = read(
            "log\n{\"primary\": 0.30, \"tests\": 41, \"note\": \"x\"}",
            "loss",
            Format::Auto,
        )
        .unwrap();
        assert_eq!(found.value.to_string(), "0.3");
        assert_eq!(found.metrics.keys().collect::<Vec<_>>(), ["loss", "tests"]);
        assert_eq!(
            read("{\"loss\": 2}", "loss", Format::Json).unwrap().value,
            Value::from(2)
        );
        assert!(matches!(
            read("{\"primary\": \"2\"}", "loss", Format::Auto),
            Err(NoMetric::BadJson(_))
        ));
        assert!(matches!(
            read("{\"primary\": NaN}", "loss", Format::Auto),
            Err(NoMetric::BadJson(_))
        ));
        assert!(matches!(
            read("{\"primary\": 1, \"loss\": 2}", "loss", Format::Auto),
            Err(NoMetric::Contradiction(_))
        ));
        assert!(matches!(
            read("{}", "loss", Format::Auto),
            Err(NoMetric::NoPrimary(_))
        ));
    }

    #[test]
    fn metric_lines_may_stand_anywhere() {
        let found = read(
            "METRIC m=3 ms\nnoise\nMETRIC heap=12\n99",
            "m",
            Format::Auto,
        )
        .unwrap();
        assert_eq!(found.value, Value::from(3));
        assert_eq!(found.metrics["heap"], Value::from(12));
        assert_eq!(
            read("METRIC other=3", "m", Format::Auto),
            Err(NoMetric::NoLine("m".into()))
        );
        assert_eq!(
            read("12", "m", Format::Lines),
            Err(NoMetric::NoLine("m".into()))
        );
    }

    proptest::proptest! {
        #[test]
        fn any_output_is_read_without_a_panic(stdout in "(?s).{0,200}", format in 0..4_usize) {
            let format = [Format::Auto, Format::Number, Format::Json, Format::Lines][format];
            let _ = read(&stdout, "m", format);
        }

        #[test]
        fn numbers_survive_printing(whole in -1_000_000_i64..1_000_000, part in 0_u32..1_000_000) {
            let text = format!("{whole}.{part:06}");
            let value = read(&text, "m", Format::Number).unwrap().value;
            proptest::prop_assert_eq!(read(&value.to_string(), "m", Format::Number).unwrap().value, value);
        }
    }
}
