//! Owns text for people's eyes: escaped and clipped.
//! Does not know what a text is about; it is the lowest file of the core.
//! Invariant: an escaped text is one line and cannot move a cursor; a clipped one is no longer than asked for.

/// A text without tabs, line ends or control characters: those become backslash escapes.
#[must_use]
pub fn escape_text(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\\' => plain.push_str("\\\\"),
            '\t' => plain.push_str("\\t"),
            '\n' => plain.push_str("\\n"),
            '\r' => plain.push_str("\\r"),
            letter if letter.is_control() || is_unsafe_mark(letter) => {
                plain.extend(letter.escape_unicode());
            }
            letter => plain.push(letter),
        }
    }
    plain
}

/// A line of somebody's text as it is, but for what could move a cursor, hide something or ring.
#[must_use]
pub fn escape_line(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    for letter in line.chars() {
        if letter != '\t' && (letter.is_control() || is_unsafe_mark(letter)) {
            plain.extend(letter.escape_unicode());
        } else {
            plain.push(letter);
        }
    }
    plain
}

/// Marks that turn the direction of a line on a terminal, line separators, and marks that nobody sees.
pub(crate) fn is_unsafe_mark(letter: char) -> bool {
    matches!(letter, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{feff}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}' | '\u{e0000}'..='\u{e007f}' | '\u{e0100}'..='\u{e01ef}')
}

/// A number with its noun: `1 process`, `2 processes`.
#[must_use]
pub fn format_count<T: std::fmt::Display + PartialEq + From<u8> + Copy>(
    count: T,
    noun: &str,
) -> String {
    if count == T::from(1) {
        format!("{count} {noun}")
    } else if noun.ends_with('s') {
        format!("{count} {noun}es")
    } else {
        format!("{count} {noun}s")
    }
}

/// The first `most` characters, with an ellipsis when there were more.
#[must_use]
pub fn clip_text(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        text.to_owned()
    } else {
        text.chars()
            .take(most.saturating_sub(1))
            .chain(['…'])
            .collect()
    }
}

/// As many names as fit into a width, at least one, and how many more there are.
#[must_use]
pub fn shorten_names(names: &[String], count: usize, width: usize) -> String {
    let mut shown = clip_text(names.first().map_or("", String::as_str), width);
    let mut more = count.saturating_sub(1);
    for name in names.iter().skip(1) {
        if shown.chars().count() + name.chars().count() + 2 > width {
            break;
        }
        shown = format!("{shown}, {name}");
        more -= 1;
    }
    match more {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_can_be_told_from_what_was_typed() {
        assert_eq!(escape_text("a\tb\nc\\td"), "a\\tb\\nc\\\\td");
        assert_eq!(escape_text("\u{1b}[31m"), "\\u{1b}[31m");
    }

    #[test]
    fn a_line_keeps_its_tabs_and_backslashes_and_nothing_that_moves_a_cursor() {
        let line = "\ta\\b \u{1b}[31mred\u{7}\r\u{202e}";
        let shown = "\ta\\b \\u{1b}[31mred\\u{7}\\u{d}\\u{202e}";
        assert_eq!(escape_line(line), shown);
    }

    #[test]
    fn a_short_text_stays_and_a_long_one_ends_with_an_ellipsis() {
        assert_eq!(clip_text("über", 4), "über");
        assert_eq!(clip_text("übers", 4), "übe…");
        assert_eq!(clip_text("", 0), "");
    }

    proptest::proptest! {
        #[test]
        fn an_escaped_text_is_one_line_without_marks_that_move_or_hide(text in "(?s).{0,60}") {
            let plain = escape_text(&text);
            proptest::prop_assert!(!plain.chars().any(|letter| letter.is_control() || is_unsafe_mark(letter)));
        }

        #[test]
        fn texts_that_differ_are_escaped_differently(one in "[\\\\\\t\\nnt]{0,6}", other in "[\\\\\\t\\nnt]{0,6}") {
            proptest::prop_assert_eq!(one == other, escape_text(&one) == escape_text(&other));
        }
    }

    #[test]
    fn names_are_shortened_to_a_width_but_for_the_first_and_the_rest_is_counted() {
        let names: Vec<String> = ["one", "two", "three"].map(str::to_owned).to_vec();
        for (count, width, shown) in [
            (3, 80, "one, two, three"),
            (3, 15, "one, two, three"),
            (3, 14, "one, two and 1 more"),
            (3, 8, "one, two and 1 more"),
            (3, 7, "one and 2 more"),
            (60, 80, "one, two, three and 57 more"),
        ] {
            assert_eq!(
                shorten_names(&names, count, width),
                shown,
                "{count} in {width}"
            );
        }
        assert_eq!(shorten_names(&[], 0, 80), "");
    }
}
