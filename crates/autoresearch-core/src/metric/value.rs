//! Owns `Value`: an exact decimal, the only number that a metric is ever kept in.
//! Does not know units or directions; `measurement` reads, `judge` compares.
//! Invariant: what was printed is what is logged; 0.3 - 0.1 is 0.2, and infinities cannot be represented.

use std::fmt;
use std::num::NonZeroU64;
use std::ops::{Add, Mul, Sub};
use std::str::FromStr;

use crate::words::text::clip_text;
use bigdecimal::{BigDecimal, RoundingMode, ToPrimitive, Zero};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Digits that a printed metric may have. More is not a measurement, and arithmetic on it could be made to take for
/// ever.
const MAX_DIGITS: usize = 60;
/// Powers of ten that a printed metric may reach: the range of a 64-bit float, and a little.
const MAX_EXPONENT: i64 = 330;
/// How much of a text is quoted in an error.
const MAX_QUOTED: usize = 80;
/// Digits that a recorded value may have: a difference of two printed numbers can have as many.
const MAX_RECORDED: usize = 2_000;
/// Digits of a quotient that are exact, and of one that has more, such as a third.
const EXACT: u64 = 40;
const ROUNDED: NonZeroU64 = NonZeroU64::new(20).expect("twenty is not zero");
/// Up to this many digits a value is written out in full, above it in scientific notation.
const MAX_PLAIN: u64 = 32;

/// An exact decimal number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Value(BigDecimal);

/// Why a text is not a `Value`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// The text is not a decimal number.
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
    pub fn to_double(&self) -> f64 {
        self.0.to_f64().unwrap_or(f64::MAX)
    }

    /// One unit of its last digit behind the point; 1 for a whole number.
    #[must_use]
    pub fn last_digit(&self) -> f64 {
        let places = self.0.normalized().fractional_digit_count().clamp(0, 300);
        10.0_f64.powi(-i32::try_from(places).unwrap_or(0))
    }

    /// Is it a whole number, as a count is?
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.0.is_integer()
    }

    /// The same number without its sign.
    #[must_use]
    pub fn magnitude(&self) -> Self {
        Self(self.0.abs())
    }

    /// `percent` per cent of this number's magnitude.
    #[must_use]
    pub fn take_percent(&self, percent: &Self) -> Self {
        Self((self.0.abs() * &percent.0 / BigDecimal::from(100)).normalized())
    }

    /// This number times `over / under`: exact where a decimal can be, else to 20 digits. Nothing is divided by zero.
    #[must_use]
    pub fn times_ratio(&self, over: &Self, under: &Self) -> Self {
        if under.0.is_zero() {
            return self.clone();
        }
        let exact = (&self.0 * &over.0 / &under.0).normalized();
        if exact.digits() > EXACT {
            Self(
                exact
                    .with_precision_round(ROUNDED, RoundingMode::HalfEven)
                    .normalized(),
            )
        } else {
            Self(exact)
        }
    }

    /// The number with at most this many decimal places.
    #[must_use]
    pub fn round_to(&self, places: i64) -> Self {
        let rounded = self.0.with_scale_round(places, RoundingMode::HalfEven);
        Self(rounded.normalized())
    }

    /// The middle of some values, or the mean of the middle two; `None` for no values.
    #[must_use]
    pub fn median_of(values: &[Self]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort();
        let middle = sorted.len() / 2;
        if sorted.len().is_multiple_of(2) {
            Self::mean_of(sorted.get(middle.checked_sub(1)?..=middle)?)
        } else {
            sorted.get(middle).cloned()
        }
    }

    /// This number to a small power.
    #[must_use]
    pub fn to_power(&self, power: u32) -> Self {
        (0..power).fold(Self::from(1), |product, _| &product * self)
    }

    /// The mean of some values, rounded to two decimal places more than the finest of them; `None` for no values.
    #[must_use]
    pub fn mean_of(values: &[Self]) -> Option<Self> {
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
    pub fn format_signed(&self) -> String {
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

impl Mul for &Value {
    type Output = Value;
    fn mul(self, other: Self) -> Value {
        Value((&self.0 * &other.0).normalized())
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
        read_decimal(text, MAX_DIGITS)
    }
}

/// Reads a decimal number of at most this many digits. A text of any length is looked at and quoted in part only.
fn read_decimal(text: &str, most: usize) -> Result<Value, ValueError> {
    let quoted = || clip_text(text, MAX_QUOTED);
    let bare = text.trim_start_matches(['+', '-']).to_ascii_lowercase();
    if ["inf", "infinity", "nan"].contains(&bare.as_str()) {
        return Err(ValueError::NotFinite(quoted()));
    }
    let (mantissa, exponent) = bare.split_once('e').unwrap_or((&bare, "0"));
    let digits = mantissa.bytes().filter(u8::is_ascii_digit).count();
    let points = mantissa.bytes().filter(|byte| *byte == b'.').count();
    let plain = digits > 0 && points <= 1 && digits + points == mantissa.len();
    let signs = text.len() - text.trim_start_matches(['+', '-']).len();
    let unsigned = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let whole = !unsigned.is_empty() && unsigned.bytes().all(|byte| byte.is_ascii_digit());
    if !plain || !whole || signs > 1 || mantissa.ends_with('.') {
        return Err(ValueError::NotANumber(quoted()));
    }
    let reach = MAX_EXPONENT.max(i64::try_from(most).unwrap_or(MAX_EXPONENT));
    let power = exponent.parse::<i64>().ok();
    let Some(power) = power.filter(|power| digits <= most && power.abs() <= reach) else {
        return Err(ValueError::OutOfRange(quoted()));
    };
    let start = text.len() - bare.len();
    let number = format!(
        "{}{mantissa}e{power}",
        if text[..start].starts_with('-') {
            "-"
        } else {
            ""
        }
    );
    BigDecimal::from_str(&number)
        .map(|number| Value(number.normalized()))
        .map_err(|_| ValueError::NotANumber(quoted()))
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
        read_decimal(&text, MAX_RECORDED).map_err(de::Error::custom)
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
        assert_eq!((&value("41") - &value("47")).format_signed(), "-6");
        assert_eq!((&value("49") - &value("41")).format_signed(), "+8");
        assert_eq!((&value("4.10") - &value("4.1")).format_signed(), "0");
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
        for text in [
            "1e999999999",
            "1e-331",
            "1e99999999999999999999",
            &"9".repeat(61),
        ] {
            assert_eq!(
                text.parse::<Value>(),
                Err(ValueError::OutOfRange(text.to_owned())),
                "{text}"
            );
        }
    }

    #[test]
    fn a_text_of_any_length_is_quoted_in_part_only() {
        let long = "9".repeat(1_000_000);
        let error = long.parse::<Value>().unwrap_err().to_string();
        assert!(error.len() < 300, "{}", error.len());
    }

    #[test]
    fn what_was_computed_from_printed_numbers_can_be_read_again() {
        let far = &value("1e308") - &value("1.5e-300");
        let json = serde_json::to_string(&far).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), far);
        let long = value(&format!("0.{}", "7".repeat(59)));
        let mean = Value::mean_of(&[long.clone(), value("1"), value("2")]).unwrap();
        let json = serde_json::to_string(&mean).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), mean);
    }

    #[test]
    fn a_ratio_is_exact_where_a_decimal_can_be() {
        let ratio = |number: &str, over: i64, under: i64| {
            value(number)
                .times_ratio(&Value::from(over), &Value::from(under))
                .to_string()
        };
        assert_eq!(ratio("998", 1, 1_000), "0.998");
        assert_eq!(ratio("1", 1, 1_024), "0.0009765625");
        assert_eq!(ratio("100", 1, 60), "1.6666666666666666667");
        assert_eq!(value("1024").to_power(3).to_string(), "1073741824");
        assert_eq!(value("5").to_power(0).to_string(), "1");
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
            Value::mean_of(&[value("1"), value("2"), value("2")])
                .unwrap()
                .to_string(),
            "1.67"
        );
        assert_eq!(Value::mean_of(&[]), None);
    }

    #[test]
    fn a_median_is_the_middle_or_the_mean_of_the_middle_two() {
        let median = |texts: &[&str]| {
            let values: Vec<Value> = texts.iter().map(|text| value(text)).collect();
            Value::median_of(&values).map(|found| found.to_string())
        };
        assert_eq!(median(&["9", "1", "2.5"]).as_deref(), Some("2.5"));
        assert_eq!(median(&["9", "1", "2", "3"]).as_deref(), Some("2.5"));
        assert_eq!(median(&["7"]).as_deref(), Some("7"));
        assert_eq!(median(&[]), None);
    }

    #[test]
    fn a_share_is_of_the_magnitude() {
        assert_eq!(value("-200").take_percent(&value("1.5")).to_string(), "3");
    }
}
