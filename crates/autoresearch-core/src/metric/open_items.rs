//! Owns the reading of what is still open: the first places and tests that an output names, or that a pattern matches.
//! Does not judge, and knows no language: the forms in which tools report are recognised, not their words.
//! Invariant: at most five items, each one short line that cannot move a cursor, and none that was not printed.

use crate::metric::screen::draw_lines;
use crate::words::text::{clip_text, escape_line, escape_text};

/// How many items are told.
pub const MOST_OPEN: usize = 5;
/// The longest item, in characters.
const WIDTH: usize = 120;
/// What of a line is read, in bytes.
const LONGEST: usize = 2_000;

/// The first items that an output names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenItems {
    /// Tests that failed.
    pub tests: Vec<String>,
    /// Places in files, with what is said of them.
    pub places: Vec<String>,
}

impl OpenItems {
    /// Reads standard output before standard error. Places are told from the root of the tree, which has these names; what
    /// lies elsewhere is nobody's to fix here.
    #[must_use]
    pub fn read([stdout, stderr]: [&str; 2], roots: &[&str]) -> Self {
        let mut found = Self::default();
        let mut marked = Vec::new();
        for output in [stdout, stderr] {
            let mut reader = PlaceReader::new(roots);
            for line in draw_lines(output).filter(|line| !line.garbled) {
                let text = cut_line(&line.text);
                if is_failed_test(text.trim()) {
                    add_item(&mut found.tests, text);
                } else if is_marked(text.trim()) {
                    add_item(&mut marked, text);
                } else if found.places.len() < MOST_OPEN
                    && let Some(place) = reader.read_line(text)
                {
                    add_item(&mut found.places, &place);
                }
                if found.tests.len() == MOST_OPEN {
                    return found;
                }
            }
        }
        // Where places are named, such a mark is a linter's.
        if found == Self::default() {
            found.tests = marked;
        }
        found
    }

    /// What is still open of a metric that counts findings: a failed test names places too, those of its trace.
    #[must_use]
    pub fn into_findings(self) -> Vec<String> {
        if self.tests.is_empty() {
            self.places
        } else {
            self.tests
        }
    }
}

/// Items that were written to a file, one a line.
#[must_use]
pub fn read_noted_items(text: &str) -> Vec<String> {
    let lines = text.lines().take(MOST_OPEN);
    lines
        .map(|line| clip_text(&escape_line(cut_line(line)), WIDTH))
        .collect()
}

/// A line that a pattern matches, as an item. Where the line itself is one, of a report that a tool wrote, it is told alone.
#[must_use]
pub fn describe_match(path: &str, number: usize, line: &str) -> String {
    let line = cut_line(line).trim();
    let is_item = is_failed_test(line) || read_place(line, &[]).is_some();
    if is_item {
        tidy_item(line)
    } else {
        tidy_item(&format!("{path}:{number}: {line}"))
    }
}

/// Adds an item that is not there yet: tools repeat at the end what failed.
fn add_item(items: &mut Vec<String>, text: &str) {
    let item = tidy_item(text);
    if items.len() < MOST_OPEN && !items.contains(&item) {
        items.push(item);
    }
}

fn tidy_item(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    clip_text(&escape_text(&words.join(" ")), WIDTH)
}

fn cut_line(line: &str) -> &str {
    &line[..line.floor_char_boundary(LONGEST)]
}

/// `FAILED tests/a.py::test_x`, `not ok 3 - name`, `test x ... FAILED`, `--- FAIL: TestX`, `FAIL src/a.test.ts`, `Suite > x FAILED`.
fn is_failed_test(line: &str) -> bool {
    if let Some(rest) = line.strip_prefix("not ok") {
        let upper = rest.to_ascii_uppercase();
        return rest.starts_with(' ') && !upper.contains("# TODO") && !upper.contains("# SKIP");
    }
    if let Some(name) = line.strip_suffix(" FAILED") {
        return (name.starts_with("test ") && name.ends_with(" ...")) || name.contains(" > ");
    }
    if line.starts_with("--- FAIL: ") || line.starts_with("[  FAILED  ] ") {
        return true;
    }
    let (first, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    // `FAILED (failures=2)` is a sum.
    let names_something = rest
        .trim_start()
        .starts_with(|letter: char| letter.is_alphanumeric() || "[./_@".contains(letter));
    match first {
        "FAIL" | "FAILED" | "FAIL:" => names_something,
        "\u{25cf}" => rest.contains(" \u{203a} "),
        _ => false,
    }
}

/// `✗ name`, as runners of tests mark one that failed, and linters what they found.
fn is_marked(line: &str) -> bool {
    let mark = line.split_whitespace().next().unwrap_or_default();
    let says_something = line[mark.len()..].chars().any(char::is_alphanumeric);
    matches!(mark, "\u{2717}" | "\u{2718}" | "\u{2715}" | "\u{d7}") && says_something
}

/// Reads places from line to line: some tools name the file, or say what is wrong, on a line before.
struct PlaceReader<'a> {
    roots: &'a [&'a str],
    /// The file of the lines below, as `eslint` prints it.
    file: Option<String>,
    /// What is wrong at the place below, as `rustc` prints it.
    message: Option<String>,
}

impl<'a> PlaceReader<'a> {
    fn new(roots: &'a [&'a str]) -> Self {
        Self {
            roots,
            file: None,
            message: None,
        }
    }

    fn read_line(&mut self, line: &str) -> Option<String> {
        let text = line.trim();
        if text.is_empty() {
            return None;
        }
        if let Some(place) = text.strip_prefix("--> ") {
            let message = self.message.take()?;
            let place = own_path(place.trim(), self.roots)?;
            return split_position(place).map(|_| format!("{place}: {message}"));
        }
        if line.starts_with([' ', '\t']) {
            let (position, message) = text.split_once(char::is_whitespace)?;
            let (line, column) = position.split_once(':')?;
            let file = self.file.as_ref()?;
            let is_position = is_number(line) && is_number(column);
            return is_position.then(|| format!("{file}:{position} {}", message.trim()));
        }
        if let Some(place) = read_place(text, self.roots) {
            return Some(place);
        }
        let is_path = !text.contains(char::is_whitespace) && names_file(text);
        self.file = own_path(text, self.roots)
            .filter(|_| is_path)
            .map(ToOwned::to_owned);
        // The places of a note belong to what was told before.
        let is_aside = ["note:", "help:"]
            .iter()
            .any(|aside| text.starts_with(aside));
        self.message = (!is_aside).then(|| text.to_owned());
        None
    }
}

/// A line that begins with a place and goes on: `src/a.ts:3:10: ...`, `src/a.ts(3,4): ...`, `[ERROR] src/A.java:[3,4] ...`.
fn read_place(line: &str, roots: &[&str]) -> Option<String> {
    let line = match line
        .strip_prefix('[')
        .and_then(|rest| rest.split_once("] "))
    {
        Some((mark, rest)) if !mark.contains(char::is_whitespace) => rest.trim_start(),
        _ => line,
    };
    let line = own_path(line, roots)?;
    let (_, rest) = split_position(line)?;
    let says_something = rest.chars().any(char::is_alphanumeric);
    says_something.then(|| line.to_owned())
}

/// A path as it is from the root; nothing, where it lies elsewhere or was installed.
fn own_path<'a>(text: &'a str, roots: &[&str]) -> Option<&'a str> {
    let mut inside = roots
        .iter()
        .filter_map(|root| text.strip_prefix(root)?.strip_prefix('/'));
    let path = inside.next().unwrap_or(text);
    let path = path.strip_prefix("./").unwrap_or(path);
    let word = path.split_whitespace().next().unwrap_or_default();
    let is_installed = ["node_modules/", "site-packages/", ".venv/"]
        .iter()
        .any(|folder| word.contains(folder));
    let is_own = !path.starts_with('/') && !path.starts_with(char::is_whitespace);
    (is_own && !is_installed).then_some(path)
}

/// The path at the beginning of a line, and what stands behind the position.
fn split_position(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_start();
    let word = line.split_whitespace().next()?;
    for (at, mark) in word.match_indices([':', '(']) {
        let (path, after) = (&line[..at], &line[at + 1..]);
        let rest = if mark == "(" {
            // `items.at(0) as any` is a call.
            let inner = after.split(')').next().unwrap_or_default();
            let rest = skip_numbers(after).and_then(|rest| rest.strip_prefix(')'));
            rest.filter(|rest| rest.starts_with(':') || inner.contains(','))
        } else if let Some(inner) = after.strip_prefix('[') {
            skip_numbers(inner).and_then(|rest| rest.strip_prefix(']'))
        } else {
            skip_numbers(after)
        };
        if let Some(rest) = rest
            && (rest.is_empty() || rest.starts_with([':', ' ', '\t']))
            && names_file(path)
        {
            return Some((path, rest));
        }
    }
    None
}

/// What stands behind `3`, `3:10` or `3,10`.
fn skip_numbers(text: &str) -> Option<&str> {
    let skip = |text: &str| {
        let rest = text.trim_start_matches(|letter: char| letter.is_ascii_digit());
        text.len() - rest.len()
    };
    let first = skip(text);
    let rest = &text[first..];
    let second = rest.strip_prefix([':', ',']).map_or(0, skip);
    let rest = match second {
        0 => rest,
        digits => &rest[1 + digits..],
    };
    (first > 0).then_some(rest)
}

/// Is it the name of a file? Not a time, an address or a word.
fn names_file(path: &str) -> bool {
    let is_odd = |letter: char| letter.is_control() || "\"'`<>|=,;*".contains(letter);
    path.contains(['.', '/', '\\'])
        && path.chars().any(char::is_alphabetic)
        && !path.contains("://")
        && !path.chars().any(is_odd)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests;
