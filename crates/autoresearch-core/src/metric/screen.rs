//! Owns what a terminal would show of an output: lines without escape sequences, with carriage returns carried out.
//! Does not know metrics.
//! Invariant: a line that shows the rest of an overwritten text, or hangs on lines above it, is marked and never guessed.

use std::borrow::Cow;

/// A longer line is not drawn: it is text of a size that nobody looks at.
const MAX_DRAWN: usize = 64 * 1024;
/// No cursor movement leads further to the right.
const MAX_COLUMN: usize = 4 * 1024;

/// One line of an output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrawnLine<'a> {
    /// What a terminal shows.
    pub text: Cow<'a, str>,
    pub raw: &'a str,
    /// Is what is shown a mixture of several texts, or moved about the screen?
    pub garbled: bool,
}

/// The lines of an output as a terminal shows them.
pub fn draw_lines(output: &str) -> impl DoubleEndedIterator<Item = DrawnLine<'_>> {
    output.lines().map(draw_line)
}

/// What was done to an output before its metric was read; `None` where it was read as it is.
#[must_use]
pub fn describe_drawing(output: &str) -> Option<&'static str> {
    let text = output.trim();
    let is_overwritten = text.lines().any(|line| line.trim_end().contains('\r'));
    if text.contains(['\u{1b}', '\u{9b}']) {
        Some("read without its colours and other escape sequences")
    } else if is_overwritten {
        Some("read without what a carriage return overwrote, such as a progress bar")
    } else if text.starts_with('{') && text.lines().nth(1).is_some() {
        Some("read as one JSON object over more than one line")
    } else {
        None
    }
}

fn draw_line(raw: &str) -> DrawnLine<'_> {
    let moves = |letter| matches!(letter, '\u{7}' | '\u{8}' | '\r' | '\u{1b}' | '\u{9b}');
    if !raw.contains(moves) {
        return DrawnLine {
            text: Cow::Borrowed(raw),
            raw,
            garbled: false,
        };
    }
    if raw.len() > MAX_DRAWN {
        return DrawnLine {
            text: Cow::Borrowed(""),
            raw,
            garbled: true,
        };
    }
    let mut pen = LineCursor::default();
    let mut letters = raw.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\u{7}' => {}
            '\u{8}' => pen.move_to(pen.at.saturating_sub(1)),
            '\r' => pen.move_to(0),
            '\u{9b}' => pen.read_control(&mut letters),
            '\u{1b}' => pen.read_escape(&mut letters),
            letter => pen.write_letter(letter),
        }
    }
    let garbled = pen.is_mixed();
    let text: String = pen.cells.iter().map(|cell| cell.0).collect();
    DrawnLine {
        text: Cow::Owned(text),
        raw,
        garbled,
    }
}

type Letters<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// A cursor in one line. Each cell knows after which movement of the cursor it was written.
#[derive(Default)]
struct LineCursor {
    cells: Vec<(char, u32)>,
    at: usize,
    pass: u32,
    strayed: bool,
}

impl LineCursor {
    fn write_letter(&mut self, letter: char) {
        while self.cells.len() <= self.at {
            self.cells.push((' ', self.pass));
        }
        self.cells[self.at] = (letter, self.pass);
        self.at += 1;
    }

    fn move_to(&mut self, to: usize) {
        self.at = to.min(MAX_COLUMN);
        self.pass += 1;
    }

    /// Is there more than one text to be seen?
    fn is_mixed(&self) -> bool {
        let mut passes = self
            .cells
            .iter()
            .filter(|cell| !cell.0.is_whitespace())
            .map(|cell| cell.1);
        let first = passes.next();
        self.strayed || passes.any(|pass| Some(pass) != first)
    }

    fn read_escape(&mut self, letters: &mut Letters<'_>) {
        match letters.next() {
            Some('[') => self.read_control(letters),
            Some(']' | 'P' | 'X' | '^' | '_') => self.skip_string(letters),
            Some(' '..='/') => {
                // A character set, with its one letter.
                while letters
                    .next_if(|letter| (' '..='/').contains(letter))
                    .is_some()
                {}
                letters.next();
            }
            Some('=' | '>') | None => {}
            Some(_) => self.strayed = true,
        }
    }

    /// A text for the terminal itself, such as a title or the target of a link. It ends with BEL or ESC \.
    fn skip_string(&mut self, letters: &mut Letters<'_>) {
        while let Some(letter) = letters.next() {
            match letter {
                '\u{7}' | '\u{9c}' => return,
                '\u{1b}' if letters.next_if_eq(&'\\').is_some() => return,
                _ => {}
            }
        }
        self.strayed = true;
    }

    /// A control sequence: parameters, then the letter that says what to do.
    fn read_control(&mut self, letters: &mut Letters<'_>) {
        let mut parameters = String::new();
        while let Some(letter) = letters.next_if(|letter| (' '..='?').contains(letter)) {
            parameters.push(letter);
        }
        let number = parameters.parse::<usize>().ok();
        let steps = number.unwrap_or(1).clamp(1, MAX_COLUMN);
        match letters.next() {
            // Colours, modes, cursor shapes, questions: nothing to be seen in the text.
            Some('m' | 'h' | 'l' | 'n' | 'q' | 't' | 'c') => {}
            Some('G') => self.move_to(steps - 1),
            Some('C') => self.move_to(self.at + steps),
            Some('D') => self.move_to(self.at.saturating_sub(steps)),
            Some('K') => self.erase_cells(number.unwrap_or(0)),
            Some('J') if number.unwrap_or(0) == 0 => self.erase_cells(0),
            _ => self.strayed = true,
        }
    }

    /// 0 erases to the end of the line, 1 to its beginning, 2 all of it.
    fn erase_cells(&mut self, what: usize) {
        let all = self.cells.len();
        let (from, to) = match what {
            0 => (self.at.min(all), all),
            1 => (0, (self.at + 1).min(all)),
            _ => (0, all),
        };
        for cell in &mut self.cells[from..to] {
            cell.0 = ' ';
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(output: &str) -> Vec<(String, bool)> {
        draw_lines(output)
            .map(|line| (line.text.trim_end().to_owned(), line.garbled))
            .collect()
    }

    fn one(output: &str) -> (String, bool) {
        shown(output).into_iter().next().unwrap()
    }

    fn clear(text: &str) -> (String, bool) {
        (text.to_owned(), false)
    }

    #[test]
    fn what_was_done_to_an_output_is_told() {
        let told = |output| describe_drawing(output).unwrap_or("-");
        let outputs = [
            "10\n",
            "10\r\n",
            "{\"m\": 10}\n",
            "\u{1b}[32m10\u{1b}[0m\n",
            "10%\r55%\rMETRIC m=10\n",
            "{\n  \"m\": 10\n}\n",
        ];
        let lines: Vec<&str> = outputs.into_iter().map(told).collect();
        insta::assert_snapshot!(lines.join("\n"), @"
        -
        -
        -
        read without its colours and other escape sequences
        read without what a carriage return overwrote, such as a progress bar
        read as one JSON object over more than one line
        ");
    }

    #[test]
    fn colours_titles_and_links_are_taken_off() {
        for output in [
            "\u{1b}[32m10\u{1b}[0m",
            "\u{1b}[1;38;5;200m10\u{1b}[m",
            "\u{9b}1m10\u{9b}0m",
            "\u{1b}]0;a title\u{7}10",
            "\u{1b}]8;;https://example.org\u{1b}\\10\u{1b}]8;;\u{1b}\\",
            "\u{1b}(B10\u{1b}[?25h",
            "10\u{7}",
        ] {
            assert_eq!(one(output), clear("10"), "{output:?}");
        }
    }

    #[test]
    fn a_progress_bar_leaves_what_was_written_last() {
        assert_eq!(one("10%\r55%\r100%\rMETRIC m=10"), clear("METRIC m=10"));
        assert_eq!(one("loading ...\r           \r47"), clear("47"));
        assert_eq!(one("loading ...\u{1b}[2K\r47"), clear("47"));
        assert_eq!(one("loading ...\r\u{1b}[K47"), clear("47"));
        assert_eq!(one("loading ...\u{1b}[1G\u{1b}[0J47"), clear("47"));
        assert_eq!(one("100%\r\r\n"), clear("100%"));
    }

    #[test]
    fn a_line_that_shows_two_texts_at_once_is_marked() {
        for output in [
            "100%\r5",
            "METRIC m=60\rMETRIC m=1",
            "123\u{8}\u{8}5",
            "1000\r5\r",
            "12\u{1b}[1D5",
        ] {
            assert!(one(output).1, "{output:?}");
        }
    }

    #[test]
    fn a_cursor_that_leaves_the_line_marks_it() {
        for output in [
            "\u{1b}[1A13",
            "\u{1b}[2J\u{1b}[H13",
            "\u{1b}c13",
            "\u{1b}]0;never closed 13",
            "1\u{1b}[2P3",
        ] {
            assert!(one(output).1, "{output:?}");
        }
    }

    #[test]
    fn a_huge_line_is_not_drawn() {
        let line = format!("\u{1b}[0m{}", "9".repeat(MAX_DRAWN));
        assert!(one(&line).1);
        assert_eq!(one("\u{1b}[999999999C7").0.trim(), "7");
    }

    proptest::proptest! {
        #[test]
        fn plain_text_is_shown_as_it_is(text in "[ -~µé]{0,80}") {
            let line = draw_line(&text);
            proptest::prop_assert_eq!(line.text.as_ref(), text.as_str());
            proptest::prop_assert!(!line.garbled);
        }

        #[test]
        fn any_bytes_are_drawn_without_a_panic(text in "[\u{1b}\r\u{8}\u{9b}\\[\\]0-9;mKGCDAJ a-z]{0,120}") {
            draw_lines(&text).for_each(drop);
        }

        #[test]
        fn colour_never_changes_a_number(number in "-?[0-9]{1,9}(\\.[0-9]{1,4})?", colour in 0..256_u32) {
            let coloured = format!("\u{1b}[38;5;{colour}m{number}\u{1b}[0m");
            proptest::prop_assert_eq!(one(&coloured), (number, false));
        }
    }

    #[test]
    fn each_line_of_an_output_is_drawn_by_itself() {
        let output = "start\r\n10%\r100%\n\u{1b}[1mMETRIC\u{1b}[0m m=5\n\nlong text\rshort\n\u{1b}[1Aup\nend";
        let lines = [
            ("start", false),
            ("100%", false),
            ("METRIC m=5", false),
            ("", false),
            ("shorttext", true),
            ("up", true),
            ("end", false),
        ];
        let expected = lines.map(|(text, garbled)| (text.to_owned(), garbled));
        assert_eq!(shown(output), expected);
        let raw: Vec<&str> = draw_lines(output).map(|line| line.raw).collect();
        assert_eq!(raw, output.lines().collect::<Vec<_>>());
    }

    #[test]
    fn a_cursor_goes_where_each_sequence_says() {
        for (output, text, garbled) in [
            ("abc\u{1b}[2DX", "aXc", true),
            ("abc\u{1b}[9DX", "Xbc", true),
            ("\u{1b}[3Cabc", "   abc", false),
            ("abc\u{1b}[2GX", "aXc", true),
            ("abc\u{1b}[GX", "Xbc", true),
            ("abcdef\u{1b}[3D\u{1b}[K", "abc", false),
            ("abcdef\u{1b}[3D\u{1b}[1K", "    ef", false),
            ("abcdef\u{1b}[3D\u{1b}[2Kx", "   x", false),
            ("abcdef\u{1b}[3D\u{1b}[J", "abc", false),
            ("abc\u{1b}[1J", "abc", true),
            ("ab\u{8}c", "ac", true),
            ("\u{8}ab", "ab", false),
            ("a\u{1b}=b\u{1b}>c", "abc", false),
            ("a\u{1b}", "a", false),
            ("a\u{1b}[", "a", true),
            ("a\u{1b}[12", "a", true),
            ("a\u{1b}Mb", "ab", true),
            ("a\u{1b}P1;2q\u{1b}\\b", "ab", false),
        ] {
            assert_eq!(one(output), (text.to_owned(), garbled), "{output:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_drawn_is_drawn_as_it_is(text in "[\u{1b}\r\u{8}\u{9b}\\[\\]0-9;mKGCDAJ a-zé]{0,80}") {
            for line in draw_lines(&text) {
                proptest::prop_assert_eq!(draw_line(&line.text).text, line.text.clone());
            }
        }

        #[test]
        fn a_longer_text_behind_a_return_is_all_that_is_shown(before in "[a-z%]{0,20}", text in "[0-9]{21,30}") {
            proptest::prop_assert_eq!(one(&format!("{before}\r{text}")), (text, false));
        }
    }
}
