//! Owns `Value`: an exact decimal, the only number that a metric is ever kept in.
//! Does not know units or directions; `measurement` reads, `judge` compares.
//! Invariant: what was printed is what is logged; 0.3 - 0.1 is 0.2, and infinities cannot be represented.

use std::fmt;
use std::ops::{Add, Sub};
use std::str::FromStr;

use bigdecimal::{BigDecimal, RoundingMode, ToPrimitive, Zero};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Digits that a printed metric may have. More is not a measurement, and arithmetic on it could be made to take for
/// ever.
const MAX_DIGITS: usize = 60;
/// Powers of ten that a printed metric may reach: the range of a 64-bit float, and a little.
const MAX_EXPONENT: i64 = 330;
/// Up to this many digits a value is written out in full, above it in scientific notation.
const MAX_PLAIN: u64 = 32;

/// An exact decimal number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Value(BigDecimal);

/// Why a text is not a `Value`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// The text is no decimal number.
    #[error("`{0}` is not a decimal number")]
    NotANumber(String),
    /// The text names an infinity or a not-a-number.
    #[error("`{0}` is not a finite number")]
    NotFinite(String),
    /// The number has more digits or a larger exponent than a measurement can have.
    #[error(
        "`{0}` is out of range: at most {MAX_DIGITS} digits and powers of ten up to {MAX_EXPONENT}"
    )]
    OutOfRange(String),
}

impl Value {
    /// Zero.
    #[must_use]
    pub fn zero() -> Self {
        Self(BigDecimal::zero())
    }

    /// The nearest double, for statistics and plots only; never for a comparison that decides a deterministic trial.
    #[must_use]
    pub fn approximate(&self) -> f64 {
        self.0.to_f64().unwrap_or(f64::MAX)
    }

    /// The same number without its sign.
    #[must_use]
    pub fn magnitude(&self) -> Self {
        Self(self.0.abs())
    }

    /// `percent` per cent of this number's magnitude.
    #[must_use]
    pub fn share(&self, percent: &Self) -> Self {
        Self((self.0.abs() * &percent.0 / BigDecimal::from(100)).normalized())
    }

    /// The mean of some values, rounded to two decimal places more than the finest of them; `None` for no values.
    #[must_use]
    pub fn mean(values: &[Self]) -> Option<Self> {
        let count = u64::try_from(values.len())
            .ok()
            .filter(|count| *count > 0)?;
        let places = values
            .iter()
            .map(|value| value.0.normalized().fractional_digit_count())
            .max()?
            .max(0)
            + 2;
        let sum = values
            .iter()
            .fold(BigDecimal::zero(), |sum, value| sum + &value.0);
        Some(Self(
            (sum / BigDecimal::from(count))
                .with_scale_round(places, RoundingMode::HalfEven)
                .normalized(),
        ))
    }

    /// The number with an explicit sign: `+8`, `-6`, `0`.
    #[must_use]
    pub fn signed(&self) -> String {
        if self.0 > BigDecimal::zero() {
            format!("+{self}")
        } else {
            self.to_string()
        }
    }
}

impl Add for &Value {
    type Output = Value;
    fn add(self, other: Self) -> Value {
        Value((&self.0 + &other.0).normalized())
    }
}

impl Sub for &Value {
    type Output = Value;
    fn sub(self, other: Self) -> Value {
        Value((&self.0 - &other.0).normalized())
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self(BigDecimal::from(number))
    }
}

impl FromStr for Value {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let bare = text.trim_start_matches(['+', '-']).to_ascii_lowercase();
        if ["inf", "infinity", "nan"].contains(&bare.as_str()) {
            return Err(ValueError::NotFinite(text.to_owned()));
        }
        let (mantissa, exponent) = bare.split_once('e').unwrap_or((&bare, "0"));
        let digits = mantissa.bytes().filter(u8::is_ascii_digit).count();
        let points = mantissa.bytes().filter(|byte| *byte == b'.').count();
        let plain = digits > 0 && points <= 1 && digits + points == mantissa.len();
        let signs = text.len() - text.trim_start_matches(['+', '-']).len();
        if !plain || signs > 1 || mantissa.ends_with('.') {
            return Err(ValueError::NotANumber(text.to_owned()));
        }
        let power = exponent
            .parse::<i64>()
            .map_err(|_| ValueError::NotANumber(text.to_owned()))?;
        if digits > MAX_DIGITS || power.abs() > MAX_EXPONENT {
            return Err(ValueError::OutOfRange(text.to_owned()));
        }
        let number = BigDecimal::from_str(text.trim_start_matches('+'));
        number
            .map(|number| Self(number.normalized()))
            .map_err(|_| ValueError::NotANumber(text.to_owned()))
    }
}

impl fmt::Display for Value {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.0.normalized();
        let scale = number.fractional_digit_count();
        let length = if scale > 0 {
            number.digits().max(scale.unsigned_abs())
        } else {
            number.digits() + scale.unsigned_abs()
        };
        if length <= MAX_PLAIN {
            out.write_str(&number.to_plain_string())
        } else {
            out.write_str(&number.to_scientific_notation())
        }
    }
}

/// As a JSON number with every digit. Only for JSON: other formats have no exact numbers.
impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let number: serde_json::Number = self
            .to_string()
            .parse()
            .map_err(serde::ser::Error::custom)?;
        number.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::Number(number) => number.to_string(),
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

impl JsonSchema for Value {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Value".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "number"})
    }

    fn inline_schema() -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Value {
        text.parse().unwrap()
    }

    #[test]
    fn differences_are_exact() {
        assert_eq!((&value("0.3") - &value("0.1")).to_string(), "0.2");
        assert_eq!((&value("41") - &value("47")).signed(), "-6");
        assert_eq!((&value("49") - &value("41")).signed(), "+8");
        assert_eq!((&value("4.10") - &value("4.1")).signed(), "0");
    }

    #[test]
    fn what_is_no_finite_number_is_refused_with_its_reason() {
        for text in ["inf", "-Infinity", "NaN", "+nan"] {
            assert_eq!(
                text.parse::<Value>(),
                Err(ValueError::NotFinite(text.to_owned()))
            );
        }
        for text in [
            "", "-", ".", "1.", "1..2", "--1", "0x10", "1e", "1e2.5", "١٢", "1_000", "+-1",
        ] {
            assert_eq!(
                text.parse::<Value>(),
                Err(ValueError::NotANumber(text.to_owned())),
                "{text}"
            );
        }
        for text in ["1e999999999", "1e-331", &"9".repeat(61)] {
            assert_eq!(
                text.parse::<Value>(),
                Err(ValueError::OutOfRange(text.to_owned())),
                "{text}"
            );
        }
    }

    #[test]
    fn large_and_small_numbers_stay_readable() {
        assert_eq!(value("1e308").to_string(), "1e308");
        assert_eq!(value("1200000").to_string(), "1200000");
        assert_eq!(value(".5").to_string(), "0.5");
        assert_eq!(value("-0").to_string(), "0");
        assert_eq!(
            value("1.2345678901234567e-15")
                .to_string()
                .parse::<Value>()
                .unwrap(),
            value("1.2345678901234567e-15")
        );
    }

    #[test]
    fn json_keeps_every_digit() {
        let long = value("0.1234567890123456789012345678901");
        let json = serde_json::to_string(&long).unwrap();
        assert_eq!(json, "0.1234567890123456789012345678901");
        assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), long);
    }

    #[test]
    fn a_mean_is_rounded_two_places_finer_than_what_was_measured() {
        assert_eq!(
            Value::mean(&[value("1"), value("2"), value("2")])
                .unwrap()
                .to_string(),
            "1.67"
        );
        assert_eq!(Value::mean(&[]), None);
    }

    #[test]
    fn a_share_is_of_the_magnitude() {
        assert_eq!(value("-200").share(&value("1.5")).to_string(), "3");
    }
}
