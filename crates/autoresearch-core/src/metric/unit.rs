//! Owns `Unit` and `Quantity`: what stands behind a printed number, and what converts into what.
//! Does not read outputs.
//! Invariant: a conversion is exact wherever decimals can be; what does not convert is refused, never compared.

mod scale;

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use self::scale::scale_of;
use crate::metric::value::{Value, ValueError};
use crate::words::text::clip_text;

/// Longer units are kept but not shown.
const MAX_SHOWN: usize = 16;
/// The longest unit; more is a sentence.
const MAX_UNIT: usize = 80;

/// What stands behind a number, as it was printed: `ms`, `%`, `problems`; empty for nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Unit(String);

/// A number with its unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quantity {
    /// The number.
    pub number: Value,
    /// What it counts or measures.
    pub unit: Unit,
}

/// Which of two readings counts where a prefix may mean a power of 1000 or of 1024.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// The larger number.
    Larger,
    /// The smaller number.
    Smaller,
    /// Neither: there is no conversion.
    Refuse,
}

/// Why a text is not a quantity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    /// It does not begin with a number, or what follows is not a unit.
    #[error("`{0}` is not a number with an optional unit")]
    NotANumber(String),
    /// There are more digits behind the number.
    #[error("`{0}` holds more than one number: print the metric alone, without separators")]
    SeveralNumbers(String),
    /// The number cannot be used.
    #[error(transparent)]
    BadValue(#[from] ValueError),
}

impl Unit {
    /// A unit from its text: white space is evened out, and the two letters that look like a micro sign become one.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        let words: Vec<&str> = text.split_whitespace().collect();
        Self(words.join(" ").replace('\u{3bc}', "\u{b5}"))
    }

    /// Is there none?
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.0.is_empty()
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A number in this unit, for people: `998 ms`, `58%`, `12 problems`.
    #[must_use]
    pub fn format_number(&self, number: &str) -> String {
        if self.is_none() || self.0.chars().count() > MAX_SHOWN {
            number.to_owned()
        } else if self.0.starts_with(['%', '‰', '°']) {
            format!("{number}{}", self.0)
        } else {
            format!("{number} {}", self.0)
        }
    }

    /// How a value became another, for people: `47 ms -> 40 ms`.
    #[must_use]
    pub fn format_change(&self, before: &Value, after: &Value) -> String {
        let [before, after] = [before, after].map(|value| self.format_number(&value.to_string()));
        format!("{before} -> {after}")
    }
}

impl Quantity {
    /// The number in another unit; `None` when nothing converts one into the other.
    #[must_use]
    pub fn in_unit(&self, unit: &Unit, doubt: Doubt) -> Option<Value> {
        if self.unit == *unit {
            return Some(self.number.clone());
        }
        let (from, to) = (scale_of(&self.unit.0), scale_of(&unit.0));
        if from.family != to.family {
            return None;
        }
        let read = |base: i64| {
            let steps = from.kilo - to.kilo;
            let power = Value::from(base).to_power(steps.unsigned_abs());
            let one = Value::from(1);
            let (up, down) = if steps < 0 {
                (one, power)
            } else {
                (power, one)
            };
            let over = &(&from.over * &to.under) * &up;
            let under = &(&from.under * &to.over) * &down;
            self.number.times_ratio(&over, &under)
        };
        let (thousands, binary) = (read(1_000), read(1_024));
        if thousands == binary {
            return Some(thousands);
        }
        match doubt {
            Doubt::Larger => Some(thousands.max(binary)),
            Doubt::Smaller => Some(thousands.min(binary)),
            Doubt::Refuse => None,
        }
    }
}

impl std::str::FromStr for Quantity {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        // Some programs end a line as C ends a text; a terminal shows nothing of it.
        let text = text.trim().trim_end_matches('\0').trim_end();
        let (number, rest) = split_number(text);
        let refused = || QuantityError::NotANumber(clip_text(text, MAX_UNIT));
        if number.is_empty() {
            let word = text.split_whitespace().next().unwrap_or(text);
            return match word.parse::<Value>() {
                Err(error @ ValueError::NotFinite(_)) => Err(error.into()),
                _ => Err(refused()),
            };
        }
        if rest.chars().any(is_digit) {
            return Err(QuantityError::SeveralNumbers(clip_text(text, MAX_UNIT)));
        }
        let unit = rest.trim();
        if !is_unit(unit) || is_other_notation(number, rest) {
            return Err(refused());
        }
        Ok(Self {
            number: number.parse()?,
            unit: Unit::from_text(unit),
        })
    }
}

/// A digit of any script. The raised ones of `m²` are part of a unit.
fn is_digit(letter: char) -> bool {
    letter.is_numeric() && !matches!(letter, '\u{b2}' | '\u{b3}')
}

/// Could this stand behind a number, and mean what is counted?
fn is_unit(text: &str) -> bool {
    let first = text.chars().next();
    let begins = |letter: char| letter.is_alphabetic() || "%‰°$€£µ(/[".contains(letter);
    first.is_none_or(begins)
        && text.chars().count() <= MAX_UNIT
        && !text.chars().any(|letter| {
            letter.is_control()
                || letter == char::REPLACEMENT_CHARACTER
                || crate::words::text::is_unsafe_mark(letter)
        })
}

/// A number in another notation that begins like a decimal one: `0xff`, or an exponent that was cut off.
fn is_other_notation(number: &str, rest: &str) -> bool {
    let bare = number.trim_start_matches(['+', '-']);
    let other = |letter: char| "xXoObB".contains(letter);
    let zero = bare == "0" && rest.starts_with(other) && rest.trim_end().len() > 1;
    let named = ["bytes", "bits", "byte", "bit", "bps", "bugs", "oct"];
    let word = rest.split_whitespace().next().unwrap_or_default();
    let known = named.iter().any(|name| word.starts_with(name)) || word.contains('/');
    (zero && !known) || matches!(rest.trim_end(), "e" | "E" | "e+" | "e-" | "E+" | "E-")
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

impl From<i64> for Quantity {
    fn from(number: i64) -> Self {
        Self::from(Value::from(number))
    }
}

impl From<Value> for Quantity {
    fn from(number: Value) -> Self {
        Self {
            number,
            unit: Unit::default(),
        }
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.unit.format_number(&self.number.to_string()))
    }
}

/// A number where there is no unit, otherwise a text.
impl Serialize for Quantity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.unit.is_none() {
            self.number.serialize(serializer)
        } else {
            format!("{} {}", self.number, self.unit.0).serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::Number(number) => {
                return serde_json::from_value::<Value>(number.into())
                    .map(Self::from)
                    .map_err(de::Error::custom);
            }
            serde_json::Value::String(text) => text,
            other => {
                return Err(de::Error::custom(format!(
                    "expected a number, found {other}"
                )));
            }
        };
        text.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for Quantity {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Quantity".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": ["number", "string"]})
    }

    fn inline_schema() -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quantity(text: &str) -> Quantity {
        text.parse().unwrap()
    }

    fn convert(text: &str, unit: &str) -> Option<String> {
        let unit = Unit::from_text(unit);
        quantity(text)
            .in_unit(&unit, Doubt::Refuse)
            .map(|value| value.to_string())
    }

    #[test]
    fn known_families_convert_exactly() {
        for (text, unit, number) in [
            ("1.02 s", "ms", "1020"),
            ("998ms", "s", "0.998"),
            ("1.2e-3 s", "µs", "1200"),
            ("3 \u{3bc}s", "\u{b5}s", "3"),
            ("250 us", "ms", "0.25"),
            ("90 s", "min", "1.5"),
            ("2 h", "seconds", "7200"),
            ("1.5 GiB", "MiB", "1536"),
            ("4 Ki", "", "4096"),
            ("2048 B", "KiB", "2"),
            ("1 byte", "bytes", "1"),
            ("3 Mbit/s", "kbit/s", "3000"),
            ("50 percent", "%", "50"),
            ("5 \u{2030}", "%", "0.5"),
            ("120 ops/min", "ops/s", "2"),
            ("1.5 µs/op", "ns/op", "1500"),
            ("1 problem", "problems", "1"),
            ("3 entries", "entry", "3"),
            ("3 matches", "match", "3"),
            ("7", "", "7"),
        ] {
            assert_eq!(
                convert(text, unit).as_deref(),
                Some(number),
                "{text} in {unit}"
            );
        }
    }

    #[test]
    fn what_does_not_convert_is_refused() {
        for (text, unit) in [
            ("12 errors", "problems"),
            ("12 passing", "failing"),
            ("12", "ms"),
            ("12 ms", ""),
            ("58%", ""),
            ("58%", "points"),
            ("12 m", "min"),
            ("12 m", "M"),
            ("12 m", "s"),
            ("12 MB", "Mbit"),
            ("12 kb", "kB"),
            ("12 MB/s", "MB"),
            ("12 ns/op", "ns/iter"),
            ("12 x", "%"),
            ("12 pass", "pas"),
        ] {
            assert_eq!(convert(text, unit), None, "{text} in {unit}");
        }
    }

    #[test]
    fn a_prefix_that_may_be_1000_or_1024_counts_by_the_reading_that_is_asked_for() {
        let read = |text: &str, unit: &str, doubt| {
            quantity(text)
                .in_unit(&Unit::from_text(unit), doubt)
                .map(|value| value.to_string())
        };
        assert_eq!(read("1.0M", "K", Doubt::Larger).as_deref(), Some("1024"));
        assert_eq!(read("1.0M", "K", Doubt::Smaller).as_deref(), Some("1000"));
        assert_eq!(read("950K", "M", Doubt::Larger).as_deref(), Some("0.95"));
        assert_eq!(
            read("12.5kb", "mb", Doubt::Larger).as_deref(),
            Some("0.0125")
        );
        assert_eq!(
            read("1 KB", "KiB", Doubt::Smaller).as_deref(),
            Some("0.9765625")
        );
        assert_eq!(read("1.2K", "", Doubt::Smaller).as_deref(), Some("1200"));
        assert_eq!(
            read("1.2 K req/s", "req/s", Doubt::Smaller).as_deref(),
            Some("1200")
        );
        assert_eq!(read("1.0M", "K", Doubt::Refuse), None);
        // The same prefix on both sides leaves no doubt.
        assert_eq!(read("1.5 MB", "MB", Doubt::Refuse).as_deref(), Some("1.5"));
    }

    #[test]
    fn other_notations_and_separators_are_no_quantities() {
        for text in [
            "0xff",
            "0XFF",
            "0xdead",
            "0b101",
            "0o17",
            "1,234",
            "1_234",
            "1 234",
            "1'234",
            "1\u{a0}234",
            "1\u{202f}234",
            "1.234,5",
            "1.234.567",
            "1,5",
            "1/3",
            "12:34",
            "12:",
            "12;",
            "3 of 10",
            "5.",
            "1..2",
            "1e",
            "1e+",
            "12,",
            "=12",
            "12=",
            "\u{ff11}\u{ff12}",
            "1\u{ff12}",
            "\u{661}\u{662}",
            "12\u{66b}5",
            "60\u{2212}5",
            "\u{2212}5",
            "\u{feff}12",
            "12\0ms",
            "12\u{fffd}",
            "12\u{202e}ms",
            "--1",
            "+-1",
            "1e999999999",
            "1e-999999999",
            "1h30m",
            "nan",
            "-inf",
            "",
            "-",
            ".",
            "0xff ms",
        ] {
            assert!(
                text.parse::<Quantity>().is_err(),
                "{text:?} was read as {:?}",
                text.parse::<Quantity>()
            );
        }
    }

    #[test]
    fn plain_numbers_with_any_sign_and_exponent_are_quantities() {
        for (text, number, unit) in [
            ("1e3", "1000", ""),
            ("+5", "5", ""),
            ("-0", "0", ""),
            (".5", "0.5", ""),
            ("1E-2ms", "0.01", "ms"),
            ("1.5x", "1.5", "x"),
            ("0B", "0", "B"),
            ("0 bytes", "0", "bytes"),
            ("0 bugs", "0", "bugs"),
            ("5em", "5", "em"),
            ("12 m²", "12", "m²"),
            ("12 [ms]", "12", "[ms]"),
            ("-3.5 dB", "-3.5", "dB"),
        ] {
            let found = quantity(text);
            assert_eq!(
                (found.number.to_string().as_str(), found.unit.as_str()),
                (number, unit)
            );
        }
    }

    #[test]
    fn a_quantity_is_a_number_in_json_unless_it_has_a_unit() {
        for (text, json) in [("500", "500"), ("500 ms", "\"500 ms\"")] {
            let found = quantity(text);
            assert_eq!(serde_json::to_string(&found).unwrap(), json);
            assert_eq!(serde_json::from_str::<Quantity>(json).unwrap(), found);
        }
    }

    proptest::proptest! {
        #[test]
        fn a_conversion_and_its_way_back_give_the_same_number(
            number in -1_000_000_i64..1_000_000, from in 0..4_usize, to in 0..4_usize, family in 0..3_usize,
        ) {
            let units = [["ns", "µs", "ms", "s"], ["B", "KiB", "MiB", "GiB"], ["bit", "kbit", "Mbit", "Gbit"]][family];
            let (from, to) = (Unit::from_text(units[from]), Unit::from_text(units[to]));
            let first = Quantity { number: Value::from(number), unit: from.clone() };
            let there = Quantity { number: first.in_unit(&to, Doubt::Refuse).unwrap(), unit: to };
            proptest::prop_assert_eq!(there.in_unit(&from, Doubt::Refuse).unwrap(), first.number);
        }

        #[test]
        fn a_larger_quantity_stays_larger_in_every_unit(
            one in 0_i64..1_000_000, other in 0_i64..1_000_000, unit in 0..6_usize,
        ) {
            let unit = Unit::from_text(["ns", "µs", "ms", "s", "min", "h"][unit]);
            let read = |number: i64| Quantity { number: Value::from(number), unit: Unit::from_text("s") }.in_unit(&unit, Doubt::Refuse).unwrap();
            proptest::prop_assert_eq!(one.cmp(&other), read(one).cmp(&read(other)));
        }

        #[test]
        fn any_text_is_read_or_refused_and_what_is_read_survives_printing(text in "\\PC{0,40}") {
            if let Ok(found) = text.parse::<Quantity>() {
                let printed = format!("{} {}", found.number, found.unit.as_str());
                proptest::prop_assert_eq!(printed.parse::<Quantity>().unwrap(), found);
            }
        }
    }

    #[test]
    fn a_number_is_shown_with_its_unit_as_people_write_it() {
        for (unit, shown) in [
            ("", "58"),
            ("%", "58%"),
            ("‰", "58‰"),
            ("°C", "58°C"),
            ("ms", "58 ms"),
            ("failed tests", "58 failed tests"),
            ("sixteen letters!", "58 sixteen letters!"),
            ("more than sixteen", "58"),
        ] {
            let unit = Unit::from_text(unit);
            assert_eq!(unit.format_number("58"), shown);
            assert_eq!(
                unit.format_change(&60.into(), &58.into()),
                format!("{} -> {shown}", shown.replace("58", "60"))
            );
        }
        assert_eq!(
            quantity(" 1.50   failed  tests\0 ").to_string(),
            "1.5 failed tests"
        );
    }

    #[test]
    fn a_refusal_says_what_a_text_is_not() {
        for (text, error) in [
            ("fast", "`fast` is not a number with an optional unit"),
            ("12;", "`12;` is not a number with an optional unit"),
            (
                "0x12",
                "`0x12` holds more than one number: print the metric alone, without separators",
            ),
            ("0xf", "`0xf` is not a number with an optional unit"),
            (
                "1,234",
                "`1,234` holds more than one number: print the metric alone, without separators",
            ),
            (
                "3 of 10",
                "`3 of 10` holds more than one number: print the metric alone, without separators",
            ),
            ("nan ms", "`nan` is not a finite number"),
            ("1.", "`1.` is not a decimal number"),
            (
                "1e999",
                "`1e999` is out of range: at most 60 digits and powers of ten up to 330",
            ),
        ] {
            let found = text.parse::<Quantity>().map_err(|error| error.to_string());
            assert_eq!(found.unwrap_err(), error, "{text}");
        }
        for (json, error) in [
            ("true", "expected a number, found true"),
            ("[1]", "expected a number, found [1]"),
            ("\"fast\"", "`fast` is not a number with an optional unit"),
        ] {
            let found = serde_json::from_str::<Quantity>(json);
            assert_eq!(found.unwrap_err().to_string(), error);
        }
    }
}
