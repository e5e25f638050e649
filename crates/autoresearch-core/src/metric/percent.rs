//! Owns how far a value is from another in per cent, as people are told it beside the exact difference.
//! Does not say which way is better; a sign here is that of the difference.
//! Invariant: nothing is told where a per cent of the old value means nothing, and digits end where the noise begins.

use crate::metric::unit::Unit;
use crate::metric::value::Value;

/// More digits behind the point are not shown.
const MOST_PLACES: f64 = 4.0;
/// So much in per cent is no change of the old value but another one.
const MOST: f64 = 100_000.0;

/// A change in per cent of the old value, with its sign: `-19 %`. `noise` is the spread of a run as a share, 0 for an exact
/// metric. `None` where the values are equal, where the old one is zero or of another sign, and for what is a percentage itself.
#[must_use]
pub fn format_percent(unit: &Unit, before: &Value, after: &Value, noise: f64) -> Option<String> {
    let is_percentage = unit.as_str().starts_with(['%', '‰'])
        || matches!(unit.as_str(), "percent" | "pct" | "pp" | "points");
    let (old, difference) = (before.to_double(), (after - before).to_double());
    let percent = 100.0 * difference / old.abs();
    let is_other_sign = old * after.to_double() < 0.0;
    if is_percentage || is_other_sign || !percent.is_finite() || percent.abs() >= MOST {
        return None;
    }
    let told = round_percent(percent, noise * 100.0)?;
    Some(format!("{} %", told.format_signed()))
}

/// Two digits that count, or the two of the noise; `None` for what is nothing then.
#[expect(
    clippy::cast_possible_truncation,
    reason = "clamped to a handful of places"
)]
fn round_percent(percent: f64, noise: f64) -> Option<Value> {
    // What is left of almost all keeps its digits: only nothing is a hundred per cent less.
    let is_almost_all = percent > -100.0 && percent < -99.5;
    let smallest = match noise {
        noise if noise > 0.0 => noise,
        _ if is_almost_all => 100.0 + percent,
        _ => percent.abs(),
    };
    let places = (1.0 - smallest.log10().floor()).clamp(0.0, MOST_PLACES);
    let exact: Value = format!("{percent:.6}").parse().ok()?;
    let told = exact.round_to(places as i64);
    (told != Value::zero()).then_some(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(unit: &str, before: &str, after: &str, noise: f64) -> String {
        let [before, after] = [before, after].map(|text| text.parse().unwrap());
        let told = format_percent(&Unit::from_text(unit), &before, &after, noise);
        told.unwrap_or_else(|| "-".to_owned())
    }

    #[test]
    fn an_exact_change_has_two_digits_that_count() {
        for (before, after, percent) in [
            ("63", "51", "-19 %"),
            ("52", "56", "+7.7 %"),
            ("3", "0", "-100 %"),
            ("40", "50", "+25 %"),
            ("2", "9", "+350 %"),
            ("11190272", "11189248", "-0.0092 %"),
            ("950", "0.949", "-99.9 %"),
            ("-10", "-8", "+20 %"),
            ("0.3", "0.1", "-67 %"),
        ] {
            assert_eq!(told("", before, after, 0.0), percent, "{before} {after}");
        }
    }

    #[test]
    fn digits_end_where_the_noise_begins() {
        assert_eq!(told("ms", "184.6", "162.3", 0.03), "-12.1 %");
        assert_eq!(told("ms", "184.6", "162.3", 0.2), "-12 %");
        assert_eq!(told("ms", "1000", "999", 0.3), "-");
        assert_eq!(told("ms", "1000", "990", 0.001), "-1 %");
        assert_eq!(told("ms", "1000", "993", 0.001), "-0.7 %");
    }

    #[test]
    fn nothing_is_told_where_a_per_cent_means_nothing() {
        for (unit, before, after) in [
            ("", "0", "5"),
            ("", "5", "5"),
            ("", "-1", "1"),
            ("", "0.0001", "1000"),
            ("%", "58", "60"),
            ("percent", "58", "60"),
            ("", "1000000000", "1000000001"),
        ] {
            assert_eq!(
                told(unit, before, after, 0.0),
                "-",
                "{before} {after} {unit}"
            );
        }
        assert_eq!(told("of 60", "30", "3", 0.0), "-90 %");
    }

    proptest::proptest! {
        #[test]
        fn a_percent_has_the_sign_of_the_difference(before in 1_i64..1_000_000, after in 0_i64..1_000_000, noise in 0.0..0.5_f64) {
            let told = format_percent(&Unit::default(), &before.into(), &after.into(), noise);
            if let Some(told) = told {
                proptest::prop_assert_eq!(told.starts_with('+'), after > before, "{}", told);
                proptest::prop_assert_eq!(told.starts_with('-'), after < before, "{}", told);
            }
        }
    }
}
