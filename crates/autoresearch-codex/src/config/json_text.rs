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
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    fn blanks() -> impl Strategy<Value = String> {
        "[ \t\r\n]{0,3}"
    }

    /// Elements or members between two brackets, with any blanks.
    fn fill_brackets(
        open: char,
        close: char,
        inner: impl Strategy<Value = String>,
    ) -> impl Strategy<Value = String> {
        let each = (blanks(), inner, blanks());
        let each = each.prop_map(|(before, inner, behind)| format!("{before}{inner}{behind}"));
        (prop::collection::vec(each, 0..4), blanks()).prop_map(move |(inner, blank)| {
            let inside = if inner.is_empty() {
                blank
            } else {
                inner.join(",")
            };
            format!("{open}{inside}{close}")
        })
    }

    /// Any JSON as people and programs write it: odd blanks, escapes, brackets in strings, a key twice.
    pub(in crate::config) fn json_texts() -> BoxedStrategy<String> {
        let string = r#""(\\["\\/bfnrt]|\\u00[0-9a-f]{2}|[ -!#-\[\]-~éü])*""#;
        let leaf = prop_oneof![
            "null|true|false",
            "-?(0|[1-9][0-9]{0,4})(\\.[0-9]{1,3})?([eE][+-]?[0-9]{1,2})?",
            string,
        ];
        let value = leaf.prop_recursive(4, 24, 4, move |inner| {
            let key = prop_oneof!["\"[a-c]\"", string];
            let member = (key, blanks(), blanks(), inner.clone());
            let member = member
                .prop_map(|(key, before, behind, inner)| format!("{key}{before}:{behind}{inner}"));
            prop_oneof![
                fill_brackets('[', ']', inner),
                fill_brackets('{', '}', member)
            ]
        });
        value.boxed()
    }

    /// Every list and object of a text.
    fn list_containers<'n>(text: &str, node: &'n JsonNode, found: &mut Vec<&'n JsonNode>) {
        if node.opens_with(text, '[') || node.opens_with(text, '{') {
            found.push(node);
        }
        for child in &node.children {
            list_containers(text, child, found);
        }
    }

    fn check_node(text: &str, node: &JsonNode, value: &Value) {
        assert_eq!(node.parse_value(text), *value);
        let mut at = node.value_start;
        for child in &node.children {
            assert!(at <= child.start && child.start <= child.value_start);
            assert!(child.value_start < child.end && child.end <= node.end);
            at = child.end;
        }
        match value {
            Value::Array(elements) => {
                assert_eq!(node.children.len(), elements.len());
                for (child, element) in node.children.iter().zip(elements) {
                    assert_eq!(child.key, None);
                    check_node(text, child, element);
                }
            }
            Value::Object(members) => {
                for (key, member) in members {
                    check_node(text, node.find_member(key).unwrap(), member);
                }
                assert!(node.find_member("no such key").is_none());
            }
            _ => assert!(node.children.is_empty()),
        }
    }

    proptest! {
        #[test]
        fn each_value_stands_where_another_reader_of_json_finds_it(
            text in json_texts(), before in blanks(), behind in blanks(),
        ) {
            let text = format!("{before}{text}{behind}");
            let value: Value = serde_json::from_str(&text).unwrap();
            let node = parse_json(&text).unwrap();
            prop_assert_eq!((node.start, node.end), (before.len(), text.len() - behind.len()));
            check_node(&text, &node, &value);
        }

        #[test]
        fn taking_out_what_was_appended_to_any_list_or_object_gives_every_byte_back(
            text in fill_brackets('[', ']', json_texts()), which in any::<prop::sample::Index>(), element in json_texts(),
        ) {
            let root = parse_json(&text).unwrap();
            let mut containers = Vec::new();
            list_containers(&text, &root, &mut containers);
            let at = which.index(containers.len());
            let container = containers[at];
            let count = container.children.len();
            let element = if container.opens_with(&text, '{') { format!("\"new\": {element}") } else { element };
            let more = append_child(&text, container, &element);
            let root = parse_json(&more).unwrap();
            let mut grown = Vec::new();
            list_containers(&more, &root, &mut grown);
            let added = &grown[at].children[count];
            prop_assert_eq!(&more[added.start..added.end], &element);
            prop_assert_eq!(remove_child(&more, grown[at], count), text);
        }

        #[test]
        fn a_child_that_is_taken_out_leaves_the_others_as_they_are_written(
            text in fill_brackets('[', ']', json_texts()), which in any::<prop::sample::Index>(),
        ) {
            let root = parse_json(&text).unwrap();
            prop_assume!(!root.children.is_empty());
            let at = which.index(root.children.len());
            let mut expected: Vec<&str> = root.children.iter().map(|child| &text[child.start..child.end]).collect();
            expected.remove(at);
            let less = remove_child(&text, &root, at);
            let left = parse_json(&less).unwrap();
            let left: Vec<&str> = left.children.iter().map(|child| &less[child.start..child.end]).collect();
            prop_assert_eq!(left, expected);
        }

        #[test]
        fn any_text_is_read_or_refused_without_a_panic(text in "[\\[\\]{}\",: 0-9ae\\\\\n\u{e9}]{0,40}", wild in "(?s).{0,40}") {
            for text in [&text, &wild] {
                prop_assert_eq!(parse_json(text).is_ok(), serde_json::from_str::<Value>(text).is_ok());
            }
        }
    }

    #[test]
    fn what_is_appended_stands_as_the_first_one_does() {
        for (text, element, expected) in [
            ("[]", "1", "[1]"),
            ("[ ]", "1", "[1 ]"),
            ("[\n]", "1", "[1\n]"),
            ("[1]", "2", "[1,2]"),
            ("[ 1 ]", "2", "[ 1, 2 ]"),
            ("[\t1,2 , 3\t]", "4", "[\t1,2 , 3,\t4\t]"),
            ("[\n  1\n]", "2", "[\n  1,\n  2\n]"),
            ("[\n\n  1\n]", "2", "[\n\n  1,\n  2\n]"),
            ("[\r\n\t1\r\n]\r\n", "2", "[\r\n\t1,\r\n\t2\r\n]\r\n"),
            (" {\"a\":1} ", "\"b\":2", " {\"a\":1,\"b\":2} "),
            ("{\n \"a\" : [1]}", "\"b\":2", "{\n \"a\" : [1],\n \"b\":2}"),
        ] {
            let root = parse_json(text).unwrap();
            assert_eq!(append_child(text, &root, element), expected);
        }
    }

    #[test]
    fn a_child_is_taken_out_with_the_comma_and_the_blanks_that_go_with_it() {
        for (text, index, expected) in [
            ("[1]", 0, "[]"),
            ("[ 1 ]", 0, "[  ]"),
            ("[1,2,3]", 0, "[2,3]"),
            ("[1,2,3]", 1, "[1,3]"),
            ("[1,2,3]", 2, "[1,2]"),
            ("[1 , 2 , 3]", 1, "[1 , 3]"),
            ("[\n  1,\n  2\n]", 0, "[\n  2\n]"),
            ("[\n  1,\n  2\n]", 1, "[\n  1\n]"),
            ("{\"a\" : {}, \"b\":[\",\"]}", 1, "{\"a\" : {}}"),
            ("{\"a\" : {}, \"b\":[\",\"]}", 0, "{\"b\":[\",\"]}"),
        ] {
            let root = parse_json(text).unwrap();
            assert_eq!(remove_child(text, &root, index), expected, "{text}");
        }
    }

    #[test]
    fn of_a_member_that_stands_twice_the_last_one_counts() {
        let text = r#"{"a": 1, "\u0061": [2], "b": 3}"#;
        let root = parse_json(text).unwrap();
        assert_eq!(root.children.len(), 3);
        let member = root.find_member("a").unwrap();
        assert_eq!(&text[member.start..member.end], r#""\u0061": [2]"#);
        assert_eq!(&text[member.value_start..member.end], "[2]");
        assert!(member.opens_with(text, '[') && !member.opens_with(text, '{'));
    }

    #[test]
    fn a_fault_is_named_with_its_place() {
        for (text, fault) in [
            ("", "EOF while parsing a value at line 1 column 0"),
            ("{\n  oops\n}", "key must be a string at line 2 column 3"),
            ("[1,]", "trailing comma at line 1 column 4"),
            ("[1] 2", "trailing characters at line 1 column 5"),
            ("{\"a\" 1}", "expected `:` at line 1 column 6"),
            ("// mine\n{}", "expected value at line 1 column 1"),
            (
                "\"\u{1}\"",
                "control character (\\u0000-\\u001F) found while parsing a string at line 1 column 2",
            ),
        ] {
            let expected = format!("is not valid JSON: {fault}");
            assert_eq!(parse_json(text).unwrap_err(), expected);
        }
    }

    #[test]
    fn a_text_that_is_nested_deeper_than_any_file_of_codexs_is_refused() {
        let nest = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse_json(&nest(100)).is_ok());
        let fault = parse_json(&nest(100_000)).unwrap_err();
        assert_eq!(
            fault,
            "is not valid JSON: recursion limit exceeded at line 1 column 128"
        );
    }
}
