//! Owns the search for a quotation in a file: does it stand where somebody says it does?
//! Does not read the file.
//! Invariant: blanks do not count, and nothing else is forgiven.

/// A shorter quotation stands in every file.
const LEAST: usize = 3;
/// So much of a line is shown.
const MOST_SHOWN: usize = 200;

/// Where a quotation stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QuoteFound {
    /// Where it was said to stand.
    There,
    /// At another line, from 1: the nearest.
    Moved(u32),
    /// Nowhere. This stands at the line, where there is one.
    Missing(Option<String>),
}

/// A quotation, as it is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote(Vec<String>);

impl Quote {
    /// Reads one; `None` where it is too short to say anything.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let lines: Vec<String> = text.trim().lines().map(squeeze_line).collect();
        let letters: usize = lines.iter().map(|line| line.chars().count()).sum();
        (letters >= LEAST).then_some(Self(lines))
    }

    /// Looks for it in a text, first at a line, from 1.
    #[must_use]
    pub fn find_in(&self, text: &str, line: u32) -> QuoteFound {
        let lines: Vec<String> = text.lines().map(squeeze_line).collect();
        let numbers = (1_u32..).zip(0..lines.len());
        let found = numbers.filter(|(_, index)| self.stands_at(&lines[*index..]));
        let nearest = found
            .map(|(number, _)| number)
            .min_by_key(|number| number.abs_diff(line));
        match nearest {
            Some(number) if number == line => QuoteFound::There,
            Some(number) => QuoteFound::Moved(number),
            None => {
                let index = usize::try_from(line)
                    .ok()
                    .and_then(|line| line.checked_sub(1));
                let there = index.and_then(|index| text.lines().nth(index));
                QuoteFound::Missing(
                    there.map(|there| crate::words::text::clip_text(there.trim(), MOST_SHOWN)),
                )
            }
        }
    }

    /// Do these lines begin with it? The first line may have more before it, the last one more behind.
    fn stands_at(&self, lines: &[String]) -> bool {
        let (first, rest) = (&self.0[0], &self.0[1..]);
        if rest.is_empty() {
            return lines[0].contains(first.as_str());
        }
        let (last, middle) = (&rest[rest.len() - 1], &rest[..rest.len() - 1]);
        lines.len() >= self.0.len()
            && lines[0].ends_with(first.as_str())
            && lines[rest.len()].starts_with(last.as_str())
            && lines[1..rest.len()] == *middle
    }
}

/// A line with single blanks, and none at its ends.
fn squeeze_line(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "fn a() {\n    let limit = 10;\n    if n > limit {\n        return Err(503);\n    }\n}\nfn b() {\n    let limit = 10;\n}\n";

    fn find(quote: &str, line: u32) -> QuoteFound {
        Quote::read(quote).unwrap().find_in(TEXT, line)
    }

    #[test]
    fn a_quotation_stands_where_it_is_said_to_whatever_its_blanks() {
        for (quote, line) in [
            ("let limit = 10;", 2),
            ("\tlet  limit =\u{a0}10; ", 2),
            ("limit", 3),
            ("if n > limit {\n  return Err(503);", 3),
            ("n > limit {\nreturn Err(503);\n}", 3),
            ("let limit = 10;", 8),
        ] {
            assert_eq!(find(quote, line), QuoteFound::There, "{quote}");
        }
    }

    #[test]
    fn one_that_moved_is_found_at_the_nearest_line() {
        assert_eq!(find("let limit = 10;", 3), QuoteFound::Moved(2));
        assert_eq!(find("let limit = 10;", 6), QuoteFound::Moved(8));
        assert_eq!(find("return Err(503);", 0), QuoteFound::Moved(4));
        assert_eq!(find("return Err(503);", 900), QuoteFound::Moved(4));
    }

    #[test]
    fn what_stands_nowhere_is_told_with_what_is_there() {
        let there = |text: &str| QuoteFound::Missing(Some(text.to_owned()));
        assert_eq!(find("let limit = 11;", 2), there("let limit = 10;"));
        assert_eq!(find("Let limit = 10;", 2), there("let limit = 10;"));
        assert_eq!(find("if n > limit {\n}", 3), there("if n > limit {"));
        assert_eq!(find("if n > limit {\nfn b() {", 3), there("if n > limit {"));
        assert_eq!(find("}\nfn c() {", 900), QuoteFound::Missing(None));
    }

    #[test]
    fn a_quotation_of_nothing_is_none() {
        for text in ["", " \n ", "}", "a b"] {
            let read = Quote::read(text);
            assert_eq!(read.is_some(), text == "a b", "{text:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn every_line_of_a_text_is_found_in_it(
            lines in proptest::collection::vec("[ \tabc(){};=]{0,12}", 1..9), at in 0_usize..9, more in 0_usize..3,
        ) {
            let at = at % lines.len();
            let end = (at + 1 + more).min(lines.len());
            let Some(quote) = Quote::read(&lines[at..end].join("\n")) else {
                return Ok(());
            };
            let found = quote.find_in(&lines.join("\n"), 1);
            proptest::prop_assert!(!matches!(found, QuoteFound::Missing(_)), "{:?}", quote);
        }
    }
}
