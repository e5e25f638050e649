//! Texts that are numbers with a unit and texts that are not, what converts into what, and how it is shown.

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
