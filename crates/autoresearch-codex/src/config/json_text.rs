//! Owns edits of a JSON text that leave every other byte as it is.
//! Does not know what the JSON means.
//! Invariant: taking out what was put in gives the text of before.

use serde_json::Value;

/// A value and where it stands.
#[derive(Debug)]
pub struct Node {
    /// Its first byte; of a member, that of its key.
    pub start: usize,
    /// The byte after its last.
    pub end: usize,
    /// Its first byte without the key.
    pub value_start: usize,
    /// The key, if it is a member of an object.
    pub key: Option<String>,
    /// Members or elements.
    pub children: Vec<Node>,
}

impl Node {
    /// A member of an object: the last of this name, which is the one that counts.
    #[must_use]
    pub fn member(&self, key: &str) -> Option<&Self> {
        self.children
            .iter()
            .rev()
            .find(|child| child.key.as_deref() == Some(key))
    }

    /// The value.
    #[must_use]
    pub fn value(&self, text: &str) -> Value {
        serde_json::from_str(&text[self.value_start..self.end]).unwrap_or_default()
    }

    /// Does it begin with this bracket?
    #[must_use]
    pub fn opens_with(&self, text: &str, bracket: char) -> bool {
        text[self.value_start..].starts_with(bracket)
    }
}

/// Reads a text; says what is wrong with it, and where.
pub fn parse(text: &str) -> Result<Node, String> {
    // After this, the scanner below meets valid JSON of bounded depth only.
    serde_json::from_str::<Value>(text).map_err(|error| format!("is not valid JSON: {error}"))?;
    let mut scanner = Scanner {
        text,
        at: 0,
        bytes: text.as_bytes(),
    };
    Ok(scanner.node(None))
}

struct Scanner<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
}

impl Scanner<'_> {
    fn peek(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or(b'}')
    }

    fn blanks(&mut self) {
        while b" \t\r\n".contains(&self.peek()) {
            self.at += 1;
        }
    }

    fn string(&mut self) {
        self.at += 1;
        while self.at < self.bytes.len() && self.peek() != b'"' {
            self.at += if self.peek() == b'\\' { 2 } else { 1 };
        }
        self.at += 1;
    }

    fn node(&mut self, key: Option<(usize, String)>) -> Node {
        self.blanks();
        let value_start = self.at;
        let mut children = Vec::new();
        match self.peek() {
            b'"' => self.string(),
            b'{' | b'[' => self.children(&mut children),
            _ => {
                while self.at < self.bytes.len() && !b",]} \t\r\n".contains(&self.peek()) {
                    self.at += 1;
                }
            }
        }
        Node {
            start: key.as_ref().map_or(value_start, |(start, _)| *start),
            end: self.at,
            value_start,
            key: key.map(|(_, key)| key),
            children,
        }
    }

    fn children(&mut self, children: &mut Vec<Node>) {
        let in_object = self.peek() == b'{';
        self.at += 1;
        loop {
            self.blanks();
            match self.peek() {
                b'}' | b']' => break,
                b',' => self.at += 1,
                _ if in_object => {
                    let start = self.at;
                    self.string();
                    let key = serde_json::from_str(&self.text[start..self.at]).unwrap_or_default();
                    self.blanks();
                    self.at += 1;
                    children.push(self.node(Some((start, key))));
                }
                _ => children.push(self.node(None)),
            }
        }
        self.at += 1;
    }
}

/// Adds an element or member at the end of a container, in the manner of its first one.
#[must_use]
pub fn append(text: &str, container: &Node, element: &str) -> String {
    let inside = container.value_start + 1;
    let (Some(first), Some(last)) = (container.children.first(), container.children.last()) else {
        return format!("{}{element}{}", &text[..inside], &text[inside..]);
    };
    let lead = &text[inside..first.start];
    let line = lead.rfind('\n').map_or(lead, |at| {
        let with_return = at.checked_sub(1).filter(|at| lead[*at..].starts_with('\r'));
        &lead[with_return.unwrap_or(at)..]
    });
    let (before, after) = text.split_at(last.end);
    format!("{before},{line}{element}{after}")
}

/// Takes a child out of its container, with the comma that goes with it.
#[must_use]
pub fn take_out(text: &str, container: &Node, index: usize) -> String {
    let children = &container.children;
    let (from, to) = match (index.checked_sub(1), children.get(index + 1)) {
        (Some(before), _) => (children[before].end, children[index].end),
        (None, Some(next)) => (children[index].start, next.start),
        (None, None) => (children[index].start, children[index].end),
    };
    format!("{}{}", &text[..from], &text[to..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taking_out_what_was_appended_gives_every_byte_back() {
        for text in [
            "{}",
            "{ }\n",
            "[\n]",
            "[1,2]",
            "[ 1 , 2 ]",
            "[\r\n\t1,\r\n\t2\r\n]\r\n",
            "{\"a\" : [\"}\\\"\", {}] }",
        ] {
            let node = parse(text).unwrap();
            let element = if text.starts_with('{') {
                "\"k\": 1"
            } else {
                "3"
            };
            let more = append(text, &node, element);
            let grown = parse(&more).unwrap();
            assert_eq!(grown.children.len(), node.children.len() + 1, "{more}");
            assert_eq!(take_out(&more, &grown, node.children.len()), text);
        }
    }

    #[test]
    fn the_first_of_several_is_taken_out_with_its_comma() {
        let text = "[\n  1,\n  2\n]";
        assert_eq!(take_out(text, &parse(text).unwrap(), 0), "[\n  2\n]");
    }

    #[test]
    fn a_fault_is_named_with_its_line() {
        assert!(parse("{\n  oops\n}").unwrap_err().contains("line 2"));
    }
}
