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
/// More cases than these are not counted one by one.
const MAX_CASES: u32 = 1_000_000;
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

    /// Of how many cases a number in this unit is a count: 60 for `of 60`.
    #[must_use]
    pub fn count_cases(&self) -> Option<u32> {
        let digits = self.0.strip_prefix("of ")?;
        let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
        let cases: u32 = digits.parse().ok()?;
        (is_plain && cases <= MAX_CASES).then_some(cases)
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
    /// `3 of 60`: a count whose cases are its unit, so that a run keeps their number. `None` for anything else.
    #[must_use]
    pub fn read_count(text: &str) -> Option<Self> {
        let (digits, cases) = text.split_once(" of ")?;
        let unit = Unit::from_text(&format!("of {cases}"));
        let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit());
        let count: u32 = digits.parse().ok()?;
        (is_plain && count <= unit.count_cases()?).then(|| Self {
            number: Value::from(i64::from(count)),
            unit,
        })
    }

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
mod tests;
