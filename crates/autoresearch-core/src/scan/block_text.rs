//! Owns the text of a proposed config: block YAML with a comment where a person may want to change something.
//! Does not choose what it says.
//! Invariant: read as YAML, the text is the config, whatever letters its values hold.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use crate::scan::candidate::Candidate;
use crate::words::text::escape_line;

/// The keys in the order in which a person reads them.
const ORDER: [&str; 33] = [
    "goal",
    "mode",
    "scope",
    "protect",
    "metric",
    "name",
    "direction",
    "target",
    "verify",
    "wall",
    "peak_memory",
    "exit_rate",
    "runs",
    "vary",
    "count",
    "pattern",
    "files",
    "covered",
    "size",
    "gzip",
    "command",
    "warmup",
    "repeats",
    "expect",
    "exit",
    "prints",
    "timeout",
    "working_directory",
    "required",
    "gates",
    "guard",
    "keep_when",
    "min_improvement",
];

/// What is said above a key.
const REMARKS: [(&str, &str); 7] = [
    ("scope", "What a trial may change."),
    (
        "protect",
        "What no trial may change: tests and settings are the yardstick.",
    ),
    ("verify", "How the number is made."),
    (
        "gates",
        "What must hold before the release: `autoresearch ship check` runs these.",
    ),
    ("guard", "Must pass before a trial is kept."),
    (
        "keep_when",
        "Must hold besides: fewer files, lines or tests are no better program.",
    ),
    ("min_improvement", "Smaller gains are not worth a change."),
];

/// The config of a candidate as a file. `by` are the words of the command that proposes it.
#[must_use]
pub fn format_config_text(candidate: &Candidate, by: &str) -> String {
    let then = match candidate.config.get("gates") {
        Some(_) => "ship check",
        None => "config try",
    };
    let mut text = format!(
        "# Proposed by `autoresearch {by}`. Change what you like, then: autoresearch {then}\n"
    );
    let _ = writeln!(text, "# Why: {}", escape_line(&candidate.reason));
    if let Some(keys) = candidate.config.as_object() {
        for key in sort_keys(keys) {
            if let Some((_, remark)) = REMARKS.iter().find(|(known, _)| known == key) {
                let _ = writeln!(text, "\n# {remark}");
            } else if key == "metric" || key == "iterations" {
                text.push('\n');
            }
            write_entry(&mut text, "", key, &keys[key]);
        }
    }
    text.push_str(
        "\n# To go on working in these files meanwhile, let the run work in a separate tree:\n",
    );
    let mut lines = String::new();
    if let Some(keys) = candidate.worktree.as_object() {
        for key in sort_keys(keys) {
            write_entry(&mut lines, "", key, &keys[key]);
        }
    }
    for line in lines.lines() {
        let _ = writeln!(text, "# {line}");
    }
    text
}

fn sort_keys(keys: &Map<String, Value>) -> Vec<&String> {
    let mut sorted: Vec<&String> = keys.keys().collect();
    sorted.sort_by_key(|key| {
        (
            ORDER
                .iter()
                .position(|known| known == key)
                .unwrap_or(ORDER.len()),
            key.as_str(),
        )
    });
    sorted
}

fn write_entry(text: &mut String, indent: &str, key: &str, value: &Value) {
    let deeper = format!("{indent}  ");
    match value {
        Value::Object(keys) => {
            let _ = writeln!(text, "{indent}{key}:");
            for key in sort_keys(keys) {
                write_entry(text, &deeper, key, &keys[key]);
            }
        }
        Value::Array(items) if !items.iter().all(Value::is_number) => {
            let _ = writeln!(text, "{indent}{key}:");
            for item in items {
                match item {
                    Value::Object(keys) if key == "gates" => write_block(text, &deeper, keys),
                    item => {
                        let _ = writeln!(text, "{deeper}- {}", write_scalar(item));
                    }
                }
            }
        }
        Value::String(lines) if is_block(lines) => {
            let _ = writeln!(text, "{indent}{key}: |");
            for line in lines.lines() {
                let _ = writeln!(text, "{deeper}{line}");
            }
        }
        value => {
            let _ = writeln!(text, "{indent}{key}: {}", write_scalar(value));
        }
    }
}

/// A block of a list: its first key stands beside the dash.
fn write_block(text: &mut String, indent: &str, keys: &Map<String, Value>) {
    let mut block = String::new();
    for key in sort_keys(keys) {
        write_entry(&mut block, &format!("{indent}  "), key, &keys[key]);
    }
    let inside = block.strip_prefix(indent).unwrap_or(&block);
    let _ = write!(text, "{indent}- {}", inside.trim_start());
}

/// Can a text stand in a block of lines as it is?
fn is_block(text: &str) -> bool {
    let plain = |line: &str| {
        !line.is_empty()
            && !line.starts_with([' ', '\t'])
            && !line.ends_with([' ', '\t'])
            && line == escape_line(line)
    };
    text.lines().count() > 1
        && text.ends_with('\n')
        && !text.contains('\r')
        && !text.ends_with("\n\n")
        && text.lines().all(plain)
}

/// A value on one line. A text stands bare where no reader of YAML could take it for something else.
fn write_scalar(value: &Value) -> String {
    let Value::String(text) = value else {
        return write_flow(value);
    };
    let plain = |letter: char| letter.is_ascii_alphanumeric() || " ._/-".contains(letter);
    let words = ["true", "false", "yes", "no", "null", "on", "off", "y", "n"];
    let is_bare = text.starts_with(|letter: char| letter.is_ascii_alphabetic())
        && text.chars().all(plain)
        && !text.ends_with(' ')
        && !words.contains(&text.to_lowercase().as_str());
    if is_bare || is_span(text) {
        return text.clone();
    }
    let is_single = text == &escape_line(text) && !text.contains('\t');
    if is_single {
        format!("'{}'", text.replace('\'', "''"))
    } else {
        write_flow(value)
    }
}

/// `15m`, `2%`: digits and a unit.
fn is_span(text: &str) -> bool {
    let unit = text.trim_start_matches(|letter: char| letter.is_ascii_digit());
    unit.len() < text.len() && ["m", "h", "s", "%"].contains(&unit)
}

/// JSON is YAML, but for letters that some readers of YAML refuse.
fn write_flow(value: &Value) -> String {
    match value {
        Value::String(text) => {
            let mut quoted = String::from("\"");
            for letter in text.chars() {
                match letter {
                    '"' | '\\' => quoted.extend(['\\', letter]),
                    ' '..='~' => quoted.push(letter),
                    letter if letter.is_alphanumeric() => quoted.push(letter),
                    letter => {
                        let _ = write!(quoted, "\\U{:08x}", u32::from(letter));
                    }
                }
            }
            quoted + "\""
        }
        Value::Object(keys) => {
            let pairs = sort_keys(keys)
                .into_iter()
                .map(|key| format!("{key}: {}", write_scalar(&keys[key])));
            format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(write_scalar).collect();
            format!("[{}]", items.join(", "))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests;
