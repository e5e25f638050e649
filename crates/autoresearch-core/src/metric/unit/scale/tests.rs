//! Which units are of one family, and how large each is.

use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

use super::*;

fn family(text: &str) -> String {
    scale_of(text).family
}

/// How large a unit is, in its family's smallest, where a prefix means 1000.
fn size(text: &str) -> (Value, Value) {
    let scale = scale_of(text);
    let kilo = Value::from(1_000).to_power(u32::try_from(scale.kilo).unwrap());
    (&scale.over * &kilo, scale.under)
}

#[test]
fn spellings_of_one_unit_are_of_one_family_and_size() {
    for spellings in [
        &["s", "sec", "secs", "second", "seconds"][..],
        &["min", "mins", "minute", "minutes"],
        &["us", "\u{b5}s", "microseconds"],
        &["%", "percent", "per cent", "pct"],
        &["problem", "problems"],
        &["query", "queries"],
        &["box", "boxes"],
        &["pass", "passes"],
        &["MB", "Mbyte", "Mbytes"],
        &["requests/s", "requests per second", "request / sec"],
        &["MBps", "MB/s"],
    ] {
        for other in spellings {
            assert_eq!(family(spellings[0]), family(other), "{other}");
            let (over, under) = size(spellings[0]);
            let (other_over, other_under) = size(other);
            assert_eq!(&over * &other_under, &other_over * &under, "{other}");
        }
    }
}

#[test]
fn units_that_measure_other_things_are_of_other_families() {
    let texts = [
        "s",
        "%",
        "MB",
        "Mbit",
        "Hz",
        "problems",
        "errors",
        "MB/s",
        "requests/s",
        "s/request",
        "m",
    ];
    for (at, one) in texts.iter().enumerate() {
        for other in &texts[at + 1..] {
            assert_ne!(family(one), family(other), "{one} and {other}");
        }
    }
}

#[test]
fn a_prefix_of_bytes_may_mean_either_and_one_of_bits_and_hertz_is_exact() {
    assert_eq!(scale_of("MB").kilo, 2);
    assert_eq!(scale_of("MiB").kilo, 0);
    assert_eq!(size("MiB").0, Value::from(1 << 20));
    assert_eq!(scale_of("Mbit").kilo, 0);
    assert_eq!(size("Mbit").0, Value::from(1_000_000));
    assert_eq!(size("GHz").0, Value::from(1_000_000_000));
    assert_eq!(
        (scale_of("K requests").kilo, family("K requests")),
        (1, "request".to_owned())
    );
}

#[test]
fn a_lone_m_is_no_prefix_and_an_i_alone_none_either() {
    assert_eq!((scale_of("m").kilo, family("m")), (0, "m".to_owned()));
    assert_eq!(family("iB"), "iB");
    assert_eq!(family("Xi"), "Xi");
}

#[test]
fn words_in_the_plural_are_folded_and_short_ones_are_not() {
    for (text, folded) in [
        ("classes", "class"),
        ("class", "class"),
        ("matches", "match"),
        ("bugs", "bug"),
        ("as", "as"),
        ("gas", "gas"),
        ("failed tests", "failed test"),
        ("  two   words ", "two word"),
    ] {
        assert_eq!(fold_words(text), folded);
    }
}

#[test]
fn a_rate_is_of_the_family_of_what_it_counts_and_as_large_as_its_time_is_short() {
    for (text, expected, over, under) in [
        ("requests/s", "request/time", 1, 1_000_000_000),
        ("requests per ms", "request/time", 1, 1_000_000),
        ("per second", "/time", 1, 1_000_000_000),
        ("/h", "/time", 1, 3_600_000_000_000),
        ("ms/op", "time/op", 1_000_000, 1),
        ("ms per operation", "time/operation", 1_000_000, 1),
        ("kbit/s", "bit/time", 1_000, 1_000_000_000),
        ("KiBps", "byte/time", 1_024, 1_000_000_000),
        ("%/min", "share/time", 10, 60_000_000_000),
        ("errors per 1k lines", "error/1k line", 1, 1),
        ("ops", "ops", 1, 1),
        ("fps", "fps", 1, 1),
    ] {
        let scale = scale_of(text);
        assert_eq!(scale.family, expected, "{text}");
        assert_eq!(
            (scale.over, scale.under),
            (Value::from(over), Value::from(under)),
            "{text}"
        );
    }
}

#[test]
fn prefixes_are_those_of_their_base_and_case() {
    for (text, expected, kilo) in [
        ("B", "byte", 0),
        ("kB", "byte", 1),
        ("KB", "byte", 1),
        ("GB", "byte", 3),
        ("PB", "byte", 5),
        ("mB", "mB", 0),
        ("EB", "EB", 0),
        ("b", "b", 0),
        ("mb", "b", 2),
        ("Tb", "b", 4),
        ("Kbytes", "byte", 1),
        ("k", "", 1),
        ("G", "", 3),
        ("g", "g", 0),
        ("M errors", "error", 2),
        ("m errors", "m error", 0),
    ] {
        let scale = scale_of(text);
        assert_eq!(
            (scale.family.as_str(), scale.kilo),
            (expected, kilo),
            "{text}"
        );
    }
}

proptest! {
    #[test]
    fn folding_twice_is_folding_once_for_words_of_any_length(word in "[a-z]{1,6}(y|ch|x)(s|es)?") {
        let once = fold_words(&word);
        prop_assert_eq!(fold_words(&once), once);
    }

    #[test]
    fn any_text_has_a_scale_above_zero(text in "\\PC{0,20}") {
        let scale = scale_of(&text);
        prop_assert!(scale.over > Value::zero() && scale.under > Value::zero());
    }
}
