//! Owns the known units: to which family a unit belongs, and how large it is.
//! Does not convert; `unit` does.
//! Invariant: a unit that is not known is a family by itself.

use crate::metric::value::Value;

/// What a unit measures, and how large it is: `over / under`, times 1000 or 1024 to the power of `kilo`.
pub(super) struct Scale {
    /// What it measures; only units of one family convert.
    pub family: String,
    /// How large it is: `over / under`.
    pub over: Value,
    pub under: Value,
    /// The power of 1000, or of 1024.
    pub kilo: i32,
}

/// The scale of a unit's text.
pub(super) fn scale_of(text: &str) -> Scale {
    if text == "per cent" {
        // No rate: one of the words for `%`.
        return read_plain_unit(text);
    }
    let (top, per) = text
        .strip_prefix("per ")
        .map(|per| ("", per))
        .or_else(|| text.split_once(" per "))
        .or_else(|| text.split_once('/'))
        .map_or((text, None), |(top, per)| (top.trim(), Some(per.trim())));
    let Some(per) = per else {
        return read_rate_word(text).unwrap_or_else(|| read_plain_unit(text));
    };
    let top = read_plain_unit(top);
    match read_time_unit(per) {
        Some((over, under)) => Scale {
            family: format!("{}/time", top.family),
            over: &top.over * &Value::from(under),
            under: &top.under * &Value::from(over),
            kilo: top.kilo,
        },
        None => Scale {
            family: format!("{}/{}", top.family, fold_words(per)),
            ..top
        },
    }
}

/// The size of a span of time in nanoseconds, as a fraction.
fn read_time_unit(word: &str) -> Option<(i64, i64)> {
    let nanoseconds = match word {
        "ns" | "nsec" | "nanos" | "nanosecond" | "nanoseconds" => 1,
        "us" | "\u{b5}s" | "usec" | "micros" | "microsecond" | "microseconds" => 1_000,
        "ms" | "msec" | "millis" | "millisecond" | "milliseconds" => 1_000_000,
        "s" | "sec" | "secs" | "second" | "seconds" => 1_000_000_000,
        "min" | "mins" | "minute" | "minutes" => 60_000_000_000,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3_600_000_000_000,
        "d" | "day" | "days" => 86_400_000_000_000,
        _ => return None,
    };
    Some((nanoseconds, 1))
}

/// `Mbps` and `MBps`: a rate without a stroke.
fn read_rate_word(text: &str) -> Option<Scale> {
    let top = text.strip_suffix("ps")?;
    let scale = read_prefixed_unit(top).filter(|_| top.ends_with(['b', 'B']))?;
    Some(Scale {
        family: format!("{}/time", scale.family),
        over: scale.over,
        under: &scale.under * &Value::from(1_000_000_000),
        kilo: scale.kilo,
    })
}

/// A unit without a stroke. What is not known is a family by itself.
fn read_plain_unit(text: &str) -> Scale {
    let of = |family: &str, over: i64, under: i64| Scale {
        family: family.to_owned(),
        over: Value::from(over),
        under: Value::from(under),
        kilo: 0,
    };
    if let Some((over, under)) = read_time_unit(text) {
        return of("time", over, under);
    }
    match text {
        "%" | "percent" | "per cent" | "pct" => return of("share", 10, 1),
        "\u{2030}" => return of("share", 1, 1),
        _ => {}
    }
    if let Some(scale) = read_prefixed_unit(text) {
        return scale;
    }
    // `12 K requests`
    if let Some((first, rest)) = text.split_once(' ')
        && let Some(scale) = read_prefixed_unit(first).filter(|scale| scale.family.is_empty())
    {
        return Scale {
            family: fold_words(rest),
            ..scale
        };
    }
    of(&fold_words(text), 1, 1)
}

/// A unit of bytes, bits or hertz, or a bare prefix of a count. A lone `m` is none: it may be minutes, metres or milli.
fn read_prefixed_unit(text: &str) -> Option<Scale> {
    let bases = [
        ("bytes", "byte"),
        ("byte", "byte"),
        ("bits", "bit"),
        ("bit", "bit"),
        ("Hz", "Hz"),
        ("B", "byte"),
        ("b", "b"),
        ("", ""),
    ];
    let (prefix, base, family) = bases
        .iter()
        .find_map(|(base, family)| Some((text.strip_suffix(base)?, *base, *family)))?;
    let letters = ["k", "m", "g", "t", "p"];
    let (letter, binary) = prefix
        .strip_suffix('i')
        .map_or((prefix, false), |letter| (letter, true));
    let power = match letter {
        "" if binary => return None,
        "" => 0,
        // In `mb` and `gb` nothing is meant but mega and giga.
        _ if base == "b" && !binary => {
            letters
                .iter()
                .position(|known| *known == letter.to_ascii_lowercase())?
                + 1
        }
        "k" | "K" => 1,
        "M" => 2,
        "G" => 3,
        "T" => 4,
        "P" => 5,
        _ => return None,
    };
    let steps = u32::try_from(power).ok()?;
    let exact = binary || ["bit", "Hz"].contains(&family);
    let base = Value::from(if binary { 1_024 } else { 1_000 });
    Some(Scale {
        family: family.to_owned(),
        over: if exact {
            base.to_power(steps)
        } else {
            Value::from(1)
        },
        under: Value::from(1),
        kilo: if exact { 0 } else { i32::try_from(steps).ok()? },
    })
}

/// The words in the singular, so that `1 problem` and `2 problems` have the same unit.
fn fold_words(text: &str) -> String {
    let fold = |word: &str| -> String {
        let ends = |end: &str| word.len() > end.len() + 2 && word.ends_with(end);
        // `xes` holds a letter of the word itself, as in `fixes`.
        let ends_in_es = |end: &&str| word.len() > end.len() + 1 && word.ends_with(end);
        let cut = |length: usize| &word[..word.len() - length];
        if ends("ies") {
            format!("{}y", cut(3))
        } else if ["sses", "xes", "ches", "shes"].iter().any(ends_in_es) {
            cut(2).to_owned()
        } else if ends("s") && !word.ends_with("ss") {
            cut(1).to_owned()
        } else {
            word.to_owned()
        }
    };
    text.split_whitespace()
        .map(fold)
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests;
