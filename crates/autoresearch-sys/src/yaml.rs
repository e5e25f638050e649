//! Owns the reading of YAML: one function, so that the archived parser below it can be replaced in an hour.
//! Does not know what the document means.
//! Invariant: at most 64 KiB go in, and an error names line and column.

/// The largest config, in bytes.
const MAX: usize = 64 * 1024;

/// Why a text is not read.
#[derive(Debug, thiserror::Error)]
pub enum YamlError {
    /// The text is too long for a config.
    #[error("the file has {0} bytes; a config has at most {MAX}")]
    TooLong(usize),
    /// The document is YAML that cannot be a config: keys that are not strings.
    #[error("the keys of a config must be words: {0}")]
    Keys(#[from] serde_json::Error),
    /// The text is not YAML.
    #[error("not YAML: {0}")]
    Syntax(#[from] serde_yaml::Error),
}

/// Reads a YAML document as JSON.
pub fn parse_yaml(text: &str) -> Result<serde_json::Value, YamlError> {
    if text.len() > MAX {
        return Err(YamlError::TooLong(text.len()));
    }
    // By way of YAML's own value, which refuses a key that stands twice.
    let document: serde_yaml::Value = serde_yaml::from_str(text)?;
    Ok(serde_json::to_value(document)?)
}

/// The line, from 1, on which the key of a place such as `verify.timeout` or `scope[1]` stands; `None` when it cannot be
/// told. A guess from the text: the parser does not say.
#[must_use]
pub fn find_line_of(text: &str, place: &str) -> Option<usize> {
    let lines: Vec<&str> = text.lines().collect();
    let mut from = 0;
    let mut found = None;
    for part in place.split('.') {
        let (key, index) = match part.split_once('[') {
            Some((key, index)) => (key, index.trim_end_matches(']').parse().ok()),
            None => (part, None),
        };
        if key.is_empty() {
            continue;
        }
        // A key of the same name may stand in a block before.
        let of_the_root = |line: &&str| found.is_none() && line.starts_with(key);
        let rest = lines.get(from..).unwrap_or_default();
        let at = rest
            .iter()
            .position(|line| of_the_root(line) && has_key(line, key))
            .or_else(|| rest.iter().position(|line| has_key(line, key)))?;
        from += at;
        if let Some(item) = index.and_then(|index| find_block(&lines, from, index)) {
            from = item;
        }
        found = Some(from + 1);
    }
    found
}

/// The line of a block in the list below a key, where the list stands in lines of its own.
fn find_block(lines: &[&str], key: usize, index: usize) -> Option<usize> {
    let below = lines.iter().enumerate().skip(key + 1);
    let is_said = |line: &str| !line.is_empty() && !line.starts_with('#');
    let mut said = below.filter(|(_, line)| is_said(line.trim_start()));
    let indent = |line: &str| line.len() - line.trim_start().len();
    let (_, first) = said.clone().next()?;
    let depth = indent(first);
    let in_list = |line: &str| {
        indent(line) > depth || indent(line) == depth && line.trim_start().starts_with("- ")
    };
    let (at, item) = said
        .by_ref()
        .take_while(|(_, line)| in_list(line))
        .filter(|(_, line)| indent(line) == depth)
        .nth(index)?;
    let item = item.trim_start().trim_start_matches("- ").trim_start();
    let is_block =
        item.starts_with('{') || item.split_once(':').is_some_and(|(key, _)| is_word(key));
    is_block.then_some(at)
}

fn is_word(text: &str) -> bool {
    text.chars()
        .all(|letter| letter.is_alphanumeric() || letter == '_')
}

fn has_key(line: &str, key: &str) -> bool {
    let code = line.split(" #").next().unwrap_or(line);
    !line.trim_start().starts_with('#')
        && code.match_indices(key).any(|(at, _)| {
            let before = code[..at].trim_end_matches(['"', '\'']).chars().next_back();
            let after = code[at + key.len()..]
                .trim_start_matches(['"', '\''])
                .trim_start();
            after.starts_with(':') && before.is_none_or(|letter| " {,-".contains(letter))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_found_in_block_and_flow_style() {
        let text = "goal: x\n# verify: no\nverify:\n  command: y\n  timout: 5\nmetric: {name: a, direction: b}\nscope:\n  - a\n";
        assert_eq!(find_line_of(text, "verify.timout"), Some(5));
        assert_eq!(find_line_of(text, "metric.direction"), Some(6));
        assert_eq!(find_line_of(text, "scope[0]"), Some(7));
        assert_eq!(find_line_of(text, "absent"), None);
        let text = "verify: {gates: true}\ngates:\n  # the first\n  - {name: a, command: b}\n  - name: c\n    command: d\n    expect:\n      exit: 1\n\n  - command: e\nmetric: {name: f}\nscope: [a, b]\n";
        for (place, line) in [
            ("gates", 2),
            ("gates[0]", 4),
            ("gates[0].name", 4),
            ("gates[1]", 5),
            ("gates[1].command", 6),
            ("gates[1].expect.exit", 8),
            ("gates[2]", 10),
            ("gates[3]", 2),
            ("metric.name", 11),
            ("scope[1]", 12),
        ] {
            assert_eq!(find_line_of(text, place), Some(line), "{place}");
        }
        assert_eq!(find_line_of(text, ""), None);
    }

    #[test]
    fn long_and_broken_texts_are_refused() {
        assert!(matches!(
            parse_yaml(&"x".repeat(MAX + 1)),
            Err(YamlError::TooLong(_))
        ));
        assert!(
            parse_yaml("a: [1")
                .unwrap_err()
                .to_string()
                .contains("line")
        );
        assert!(parse_yaml("a: 1\na: 2").is_err());
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "(?s).{0,200}", place in "[a-z.\\[\\]0-9]{0,12}") {
            let _ = parse_yaml(&text);
            let _ = find_line_of(&text, &place);
        }
    }

    #[test]
    fn a_document_is_read_as_json_with_the_types_of_yaml() {
        let text = "a: 1\nb: [x, 'y', 2.5, true, null]\nc:\n  d: |\n    two\n    lines\ne: 0x10\nf: 2026-01-02\ng: 7:30\n";
        let document = parse_yaml(text).unwrap();
        insta::assert_snapshot!(document, @r#"{"a":1,"b":["x","y",2.5,true,null],"c":{"d":"two\nlines\n"},"e":16,"f":"2026-01-02","g":"7:30"}"#);
        assert_eq!(parse_yaml("").unwrap(), serde_json::Value::Null);
    }

    #[test]
    fn each_fault_of_a_document_is_told_with_its_place() {
        let told = [
            "a: [1",
            "a: 1\na: 2",
            "a:\n  b: 1\n c: 2",
            "\tx: 1",
            "? [1, 2]\n: 3",
            "a: *b",
            "a: 1\n---\nb: 2",
            "a: !!binary x\nb: \"\\q\"",
        ];
        let told = told.map(|text| format!("{text:?}: {}", parse_yaml(text).unwrap_err()));
        insta::assert_snapshot!(told.join("\n"), @r#"
        "a: [1": not YAML: did not find expected ',' or ']' at line 2 column 1, while parsing a flow sequence at line 1 column 4
        "a: 1\na: 2": not YAML: duplicate entry with key "a"
        "a:\n  b: 1\n c: 2": not YAML: did not find expected key at line 3 column 2, while parsing a block mapping
        "\tx: 1": not YAML: found character that cannot start any token, while scanning for the next token
        "? [1, 2]\n: 3": the keys of a config must be words: key must be a string
        "a: *b": not YAML: unknown anchor at line 1 column 4
        "a: 1\n---\nb: 2": not YAML: deserializing from YAML containing more than one document is not supported
        "a: !!binary x\nb: \"\\q\"": not YAML: found unknown escape character at line 2 column 5, while parsing a quoted scalar at line 2 column 4
        "#);
        let long = "x".repeat(MAX + 1);
        insta::assert_snapshot!(parse_yaml(&long).unwrap_err(), @"the file has 65537 bytes; a config has at most 65536");
        parse_yaml(&long[1..]).unwrap();
    }

    #[test]
    fn the_line_of_a_place_is_that_of_its_last_key_below_the_keys_before_it() {
        let text = "# verify: none\nverify:\n  command: 'timeout 5 ./x' # timeout: 3\n  \"timeout\": 5\nguard:\n  timeout: 6\nlist:\n  - timeout: 7\nmetric: {timeout: 8}\n";
        for (place, line) in [
            ("verify", Some(2)),
            ("verify.timeout", Some(4)),
            ("guard.timeout", Some(6)),
            ("list[0].timeout", Some(8)),
            ("metric.timeout", Some(9)),
            ("command", Some(3)),
            ("timeout", Some(4)),
            ("guard.command", None),
            ("time", None),
            ("[0]", None),
        ] {
            assert_eq!(find_line_of(text, place), line, "{place}");
        }
    }
}
