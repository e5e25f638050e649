//! Owns `PrintedMetrics`: the quantities that an output of verify holds, in the units in which they were printed.
//! Does not compare units; `measurement` does.
//! Invariant: two readings that contradict each other are refused; nothing is guessed.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::metric::cases::line::{CASE_WORD, CaseError, CaseResult, MAX_CASES, parse_case_line};
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
    /// What single cases gave, by id.
    pub cases: BTreeMap<String, CaseResult>,
}

/// Why an output holds no measurement.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoMetric {
    /// The tool measures, and reads no output.
    #[error("the tool measures this metric, and nothing that is printed counts")]
    Measured,
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
    /// A line begins like that of a case, and is none.
    #[error("the line `{line}` {error}")]
    Case { line: String, error: CaseError },
    /// The metric counts the cases that were printed, and counts other ones.
    #[error(
        "the metric `{metric}` is {printed}, and the `METRIC_CASE` lines make {ones} of them (`{counted}` counts 1): print both from one list"
    )]
    CasesDiffer {
        metric: String,
        /// `57 of 60`
        printed: String,
        ones: usize,
        /// The word of a case that the metric counts.
        counted: &'static str,
    },
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
        Format::Measured => Err(NoMetric::Measured),
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
        cases: BTreeMap::new(),
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
        cases: BTreeMap::new(),
    };
    for line in draw_lines(stdout) {
        let is_ours = |word| line.raw.contains(word);
        if line.garbled && ["METRIC ", CASE_WORD].into_iter().any(is_ours) {
            return Err(NoMetric::Garbled(clip_text(line.raw.trim(), MAX_QUOTED)));
        }
        if !line.garbled {
            found.take_case_line(&line.text)?;
        }
        let Some((key, text)) = parse_metric_line(&line) else {
            continue;
        };
        match Quantity::read_count(text).map_or_else(|| text.parse(), Ok) {
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
    /// Takes the line of a case; passes over any other.
    fn take_case_line(&mut self, line: &str) -> Result<(), NoMetric> {
        let parsed = match parse_case_line(line) {
            None => return Ok(()),
            Some(Ok((id, _))) if self.cases.contains_key(id) => Err(CaseError::Twice),
            Some(Ok(_)) if self.cases.len() == MAX_CASES => Err(CaseError::TooMany),
            Some(parsed) => parsed,
        };
        let (id, result) = parsed.map_err(|error| NoMetric::Case {
            line: clip_text(line.trim(), MAX_QUOTED),
            error,
        })?;
        self.cases.insert(id.to_owned(), result);
        Ok(())
    }

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
        cases: BTreeMap::new(),
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
mod tests;
