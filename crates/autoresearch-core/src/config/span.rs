//! Owns spans of time as people write them: `90s`, `10m`, `8h`, `1h30m`, `2d`.
//! Does not read a clock.
//! Invariant: what is parsed is at least one millisecond and at most a year.

use std::time::Duration;

/// The longest span that makes sense in a config: one year.
const MAX: Duration = Duration::from_hours(366 * 24);

/// Reads a span such as `500ms`, `90s`, `10m`, `1h30m` or `2d`.
pub fn parse_span(text: &str) -> Result<Duration, SpanError> {
    let fail = || SpanError {
        text: text.to_owned(),
    };
    let mut rest = text.trim();
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest
            .find(|letter: char| !letter.is_ascii_digit())
            .ok_or_else(fail)?;
        let number: u32 = rest[..digits].parse().map_err(|_| fail())?;
        let unit_end = rest[digits..]
            .find(|letter: char| letter.is_ascii_digit())
            .map_or(rest.len(), |end| digits + end);
        let unit = match rest[digits..unit_end].trim() {
            "ms" => Duration::from_millis(1),
            "s" => Duration::from_secs(1),
            "m" | "min" => Duration::from_mins(1),
            "h" => Duration::from_hours(1),
            "d" => Duration::from_hours(24),
            _ => return Err(fail()),
        };
        total = unit
            .checked_mul(number)
            .and_then(|part| total.checked_add(part))
            .ok_or_else(fail)?;
        rest = &rest[unit_end..];
    }
    if total.is_zero() || total > MAX {
        Err(fail())
    } else {
        Ok(total)
    }
}

/// A span in whole milliseconds; one that no `u64` holds is the longest.
#[must_use]
pub fn whole_millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// Writes a span in the form that `parse` reads, in at most two units: `1h30m`, `45s`, `250ms`.
#[must_use]
pub fn format_span(span: Duration) -> String {
    let (seconds, millis) = (span.as_secs(), span.subsec_millis());
    let pair = |large: u64, unit: &str, small: u64, small_unit: &str| {
        if small == 0 {
            format!("{large}{unit}")
        } else {
            format!("{large}{unit}{small}{small_unit}")
        }
    };
    match seconds {
        0 => format!("{millis}ms"),
        1..10 if millis > 0 => format!("{seconds}s{millis}ms"),
        1..60 => format!("{seconds}s"),
        60..3_600 => pair(seconds / 60, "m", seconds % 60, "s"),
        3_600..86_400 => pair(seconds / 3_600, "h", seconds % 3_600 / 60, "m"),
        _ => pair(seconds / 86_400, "d", seconds % 86_400 / 3_600, "h"),
    }
}

/// For serde: a span as whole milliseconds.
pub mod millis {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    /// Writes the span's milliseconds.
    pub fn serialize<S: Serializer>(span: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(crate::config::span::whole_millis(*span))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_millis)
    }
}

/// A text is not a span of time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a span of time between 1ms and 366d")]
pub struct SpanError {
    pub text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_and_written_alike() {
        for text in ["500ms", "90s", "10m", "1h30m", "2d", "45s", "8h"] {
            let span = parse_span(text).unwrap();
            assert_eq!(parse_span(&format_span(span)).unwrap(), span, "{text}");
        }
        assert_eq!(format_span(Duration::from_secs(90)), "1m30s");
    }

    #[test]
    fn what_is_no_span_is_refused() {
        for text in [
            "",
            "10",
            "m",
            "0s",
            "-5m",
            "5 parsecs",
            "1.5h",
            "400d",
            "99999999999s",
        ] {
            assert!(parse_span(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_span_is_read_in_every_unit_and_in_sums_of_them() {
        for (text, millis) in [
            ("1ms", 1),
            ("1s", 1_000),
            ("1m", 60_000),
            ("1min", 60_000),
            ("1h", 3_600_000),
            ("1d", 86_400_000),
            ("007s", 7_000),
            (" 10 m ", 600_000),
            ("1h 30 m", 5_400_000),
            ("30m1h", 5_400_000),
            ("1s1s", 2_000),
            ("1d2h3m4s5ms", 93_784_005),
            ("0s1ms", 1),
            ("366d", 31_622_400_000),
            ("31622400s", 31_622_400_000),
        ] {
            let span = parse_span(text).unwrap();
            assert_eq!(whole_millis(span), millis, "{text}");
        }
        assert_eq!(whole_millis(Duration::MAX), u64::MAX);
    }

    #[test]
    fn a_refusal_quotes_the_text() {
        for text in [
            " ",
            "s",
            "1",
            "1h30",
            "1H",
            "1 hour",
            "1,5h",
            "١m",
            "1µs",
            "1w",
            "0ms",
            "366d1ms",
            "4294967296s",
            "4294967295d",
            "1m-1s",
            "+1m",
        ] {
            let error = parse_span(text).unwrap_err();
            let expected = format!("`{text}` is not a span of time between 1ms and 366d");
            assert_eq!(error.to_string(), expected);
        }
    }

    #[test]
    fn a_span_is_written_in_at_most_two_units() {
        for (millis, text) in [
            (0, "0ms"),
            (250, "250ms"),
            (1_000, "1s"),
            (9_999, "9s999ms"),
            (10_999, "10s"),
            (59_999, "59s"),
            (60_000, "1m"),
            (3_599_999, "59m59s"),
            (3_600_000, "1h"),
            (3_659_000, "1h"),
            (5_400_000, "1h30m"),
            (86_399_000, "23h59m"),
            (86_400_000, "1d"),
            (90_000_000, "1d1h"),
            (31_622_400_000, "366d"),
        ] {
            assert_eq!(format_span(Duration::from_millis(millis)), text);
        }
    }

    #[test]
    fn a_span_is_a_number_of_milliseconds_in_json() {
        #[derive(serde::Serialize, serde::Deserialize)]
        struct Waited(#[serde(with = "millis")] Duration);
        let text = serde_json::to_string(&Waited(Duration::from_micros(1_500_700))).unwrap();
        assert_eq!(text, "1500");
        let Waited(span) = serde_json::from_str(&text).unwrap();
        assert_eq!(span, Duration::from_millis(1_500));
        assert!(serde_json::from_str::<Waited>("-1").is_err());
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_is_read_and_written_alike(millis in 1..=31_622_400_000_u64) {
            let text = format_span(Duration::from_millis(millis));
            let read = parse_span(&text).unwrap();
            proptest::prop_assert!(read <= Duration::from_millis(millis));
            proptest::prop_assert_eq!(format_span(read), text);
        }

        #[test]
        fn any_text_is_a_span_within_the_bounds_or_refused(text in "[0-9dhms ]{0,8}", wild in ".{0,12}") {
            for text in [&text, &wild] {
                let span = parse_span(text);
                proptest::prop_assert!(span.is_err() || (1..=31_622_400_000).contains(&whole_millis(span.unwrap())));
            }
        }
    }
}
