//! Owns edits of a JSON text that leave every other byte as it is.
//! Does not know what the JSON means.
//! Invariant: taking out what was put in gives the text of before.

use serde_json::Value;

/// A value and where it stands.
#[derive(Debug)]
pub struct JsonNode {
    /// Its first byte; of a member, that of its key.
    pub start: usize,
    /// The byte after its last.
    pub end: usize,
    /// Its first byte without the key.
    pub value_start: usize,
    /// The key, if it is a member of an object.
    pub key: Option<String>,
    pub children: Vec<JsonNode>,
}

impl JsonNode {
    /// A member of an object: the last of this name, which is the one that counts.
    #[must_use]
    pub fn find_member(&self, key: &str) -> Option<&Self> {
        self.children
            .iter()
            .rev()
            .find(|child| child.key.as_deref() == Some(key))
    }

    #[must_use]
    pub fn parse_value(&self, text: &str) -> Value {
        serde_json::from_str(&text[self.value_start..self.end]).unwrap_or_default()
    }

    /// Does it begin with this bracket?
    #[must_use]
    pub fn opens_with(&self, text: &str, bracket: char) -> bool {
        text[self.value_start..].starts_with(bracket)
    }
}

/// Reads a text; says what is wrong with it, and where.
pub fn parse_json(text: &str) -> Result<JsonNode, String> {
    // After this, the scanner below meets valid JSON of bounded depth only.
    serde_json::from_str::<Value>(text).map_err(|error| format!("is not valid JSON: {error}"))?;
    let mut scanner = JsonScanner {
        text,
        at: 0,
        bytes: text.as_bytes(),
    };
    Ok(scanner.scan_node(None))
}

struct JsonScanner<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
}

impl JsonScanner<'_> {
    fn peek_byte(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or(b'}')
    }

    fn skip_blanks(&mut self) {
        while b" \t\r\n".contains(&self.peek_byte()) {
            self.at += 1;
        }
    }

    fn skip_string(&mut self) {
        self.at += 1;
        while self.at < self.bytes.len() && self.peek_byte() != b'"' {
            self.at += if self.peek_byte() == b'\\' { 2 } else { 1 };
        }
        self.at += 1;
    }

    fn scan_node(&mut self, key: Option<(usize, String)>) -> JsonNode {
        self.skip_blanks();
        let value_start = self.at;
        let mut children = Vec::new();
        match self.peek_byte() {
            b'"' => self.skip_string(),
            b'{' | b'[' => self.scan_children(&mut children),
            _ => {
                while self.at < self.bytes.len() && !b",]} \t\r\n".contains(&self.peek_byte()) {
                    self.at += 1;
                }
            }
        }
        JsonNode {
            start: key.as_ref().map_or(value_start, |(start, _)| *start),
            end: self.at,
            value_start,
            key: key.map(|(_, key)| key),
            children,
        }
    }

    fn scan_children(&mut self, children: &mut Vec<JsonNode>) {
        let in_object = self.peek_byte() == b'{';
        self.at += 1;
        loop {
            self.skip_blanks();
            match self.peek_byte() {
                b'}' | b']' => break,
                b',' => self.at += 1,
                _ if in_object => {
                    let start = self.at;
                    self.skip_string();
                    let key = serde_json::from_str(&self.text[start..self.at]).unwrap_or_default();
                    self.skip_blanks();
                    self.at += 1;
                    children.push(self.scan_node(Some((start, key))));
                }
                _ => children.push(self.scan_node(None)),
            }
        }
        self.at += 1;
    }
}

/// Adds an element or member at the end of a container, in the manner of its first one.
#[must_use]
pub fn append_child(text: &str, container: &JsonNode, element: &str) -> String {
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
pub fn remove_child(text: &str, container: &JsonNode, index: usize) -> String {
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
            let node = parse_json(text).unwrap();
            let element = if text.starts_with('{') {
                "\"k\": 1"
            } else {
                "3"
            };
            let more = append_child(text, &node, element);
            let grown = parse_json(&more).unwrap();
            assert_eq!(grown.children.len(), node.children.len() + 1, "{more}");
            assert_eq!(remove_child(&more, &grown, node.children.len()), text);
        }
    }

    #[test]
    fn the_first_of_several_is_taken_out_with_its_comma() {
        let text = "[\n  1,\n  2\n]";
        assert_eq!(
            remove_child(text, &parse_json(text).unwrap(), 0),
            "[\n  2\n]"
        );
    }

    #[test]
    fn a_fault_is_named_with_its_line() {
        assert!(parse_json("{\n  oops\n}").unwrap_err().contains("line 2"));
    }
}
