//! Owns the walk of a document along a JSON Schema: every wrong key, type and word at once, each with its place.
//! Does not know configs: it understands the part of JSON Schema that schemars writes for our types.
//! Invariant: a document without faults deserialises into the type that the schema was made from.

use serde_json::{Map, Value};

/// A fault in a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaFault {
    /// The path of keys from the document's root.
    pub path: Vec<String>,
    pub message: String,
    pub remedy: String,
}

/// Finds every fault of `document` under `schema`.
#[must_use]
pub fn find_faults(schema: &Value, document: &Value) -> Vec<SchemaFault> {
    let mut walk = SchemaWalk {
        root: schema,
        path: Vec::new(),
        faults: Vec::new(),
    };
    walk.check_value(schema, document);
    walk.faults
}

struct SchemaWalk<'a> {
    root: &'a Value,
    path: Vec<String>,
    faults: Vec<SchemaFault>,
}

impl<'a> SchemaWalk<'a> {
    fn note_fault(&mut self, message: String, remedy: String) {
        self.faults.push(SchemaFault {
            path: self.path.clone(),
            message,
            remedy,
        });
    }

    fn resolve_reference(&self, schema: &'a Value) -> &'a Value {
        let target = schema["$ref"]
            .as_str()
            .and_then(|name| name.strip_prefix("#/$defs/"));
        target.map_or(schema, |name| &self.root["$defs"][name])
    }

    fn check_value(&mut self, schema: &'a Value, document: &Value) {
        let schema = self.resolve_reference(schema);
        if let Some(choices) = schema["anyOf"].as_array() {
            self.check_choices(choices, document);
            return;
        }
        let words = list_known_words(schema);
        if !words.is_empty() {
            self.check_word(&words, document);
        } else if self.check_type(schema, document) {
            match document {
                Value::Object(fields) => self.check_object(schema, fields),
                Value::Array(items) => self.check_items(schema, items),
                Value::Number(number) => self.check_range(schema, number),
                _ => {}
            }
        }
    }

    /// The first choice of the document's type is meant, and the first of all where none is.
    fn check_choices(&mut self, choices: &'a [Value], document: &Value) {
        if document.is_null() {
            return;
        }
        let found = type_name(document);
        let of_type = |choice: &&Value| self.resolve_reference(choice)["type"] == found;
        let mut meant = choices.iter().filter(|choice| choice["type"] != "null");
        let first = meant.clone().next();
        if let Some(choice) = meant.find(of_type).or(first) {
            self.check_value(choice, document);
        }
    }

    fn check_type(&mut self, schema: &Value, document: &Value) -> bool {
        let allowed: Vec<&str> = match &schema["type"] {
            Value::String(one) => vec![one],
            Value::Array(many) => many.iter().filter_map(Value::as_str).collect(),
            _ => return true,
        };
        let fits = allowed.iter().any(|name| match *name {
            "integer" => document.is_i64() || document.is_u64(),
            "number" => document.is_number(),
            name => name == type_name(document),
        });
        if !fits {
            let wanted = allowed
                .iter()
                .filter(|name| **name != "null")
                .map(|name| describe_type(name))
                .collect::<Vec<_>>()
                .join(" or ");
            self.note_fault(
                format!("expected {wanted}, found {}", show_value(document)),
                match schema["description"].as_str() {
                    Some(meaning) if wanted == "a string" => {
                        format!("write {wanted} ({})", meaning.trim_end_matches('.'))
                    }
                    _ if wanted == describe_type("object") => {
                        format!("write {wanted}, such as `{{command: ...}}` for a command")
                    }
                    _ => format!("write {wanted}"),
                },
            );
        }
        fits
    }

    fn check_range(&mut self, schema: &Value, number: &serde_json::Number) {
        let Some(found) = number.as_f64() else { return };
        let (low, high) = (schema["minimum"].as_f64(), schema["maximum"].as_f64());
        if low.is_some_and(|low| found < low) || high.is_some_and(|high| found > high) {
            let bound = |value: &Value| {
                if value.is_null() {
                    "any".to_owned()
                } else {
                    value.to_string()
                }
            };
            let range = format!(
                "{} to {}",
                bound(&schema["minimum"]),
                bound(&schema["maximum"])
            );
            self.note_fault(
                format!("{number} is out of range"),
                format!("write a number from {range}"),
            );
        }
    }

    fn check_word(&mut self, words: &[&str], document: &Value) {
        if document
            .as_str()
            .is_some_and(|found| words.contains(&found))
        {
            return;
        }
        let list = words
            .iter()
            .map(|word| format!("`{word}`"))
            .collect::<Vec<_>>()
            .join(", ");
        let remedy = match document
            .as_str()
            .and_then(|found| find_nearest_word(found, words))
        {
            Some(near) => format!("did you mean `{near}`? Known: {list}"),
            None => format!("use one of {list}"),
        };
        self.note_fault(format!("unknown word {}", show_value(document)), remedy);
    }

    fn check_object(&mut self, schema: &'a Value, fields: &Map<String, Value>) {
        let Some(known) = schema["properties"].as_object() else {
            return;
        };
        let names: Vec<&str> = known.keys().map(String::as_str).collect();
        for (key, value) in fields {
            self.path.push(key.clone());
            if let Some(property) = known.get(key) {
                self.check_value(property, value);
            } else {
                let remedy = match find_nearest_word(key, &names) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("remove it; known here: {}", names.join(", ")),
                };
                self.note_fault(format!("unknown key `{key}`"), remedy);
            }
            self.path.pop();
        }
        for missing in schema["required"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
        {
            if !fields.contains_key(missing) {
                let described = known[missing]["description"]
                    .as_str()
                    .or_else(|| self.resolve_reference(&known[missing])["description"].as_str());
                let remedy = format!(
                    "add `{missing}:` ({})",
                    described.unwrap_or_default().trim_end_matches('.')
                );
                self.note_fault(format!("`{missing}` is missing"), remedy);
            }
        }
    }

    fn check_items(&mut self, schema: &'a Value, items: &[Value]) {
        for (index, item) in items.iter().enumerate() {
            self.path.push(index.to_string());
            self.check_value(&schema["items"], item);
            self.path.pop();
        }
    }
}

/// The words of a closed set: schemars writes them as `enum`, or as `oneOf` with a `const` each.
fn list_known_words(schema: &Value) -> Vec<&str> {
    let listed = schema["enum"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    let each = schema["oneOf"].as_array().into_iter().flatten();
    let each = each.flat_map(|choice| {
        choice["const"].as_str().into_iter().chain(
            choice["enum"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str),
        )
    });
    listed.chain(each).collect()
}

/// The known word that is most like `found`, when one is near enough to be meant.
#[must_use]
pub fn find_nearest_word<'a>(found: &str, known: &[&'a str]) -> Option<&'a str> {
    let like = |word: &&str| strsim::jaro_winkler(&found.to_lowercase(), word);
    let best = known
        .iter()
        .copied()
        .max_by(|a, b| like(a).total_cmp(&like(b)))?;
    (like(&best) > 0.8).then_some(best)
}

fn type_name(document: &Value) -> &'static str {
    match document {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn describe_type(name: &str) -> &str {
    match name {
        "integer" => "a whole number",
        "number" => "a number",
        "string" => "a string",
        "array" => "a list",
        "object" => "a block of keys",
        "boolean" => "true or false",
        other => other,
    }
}

fn show_value(document: &Value) -> String {
    match document {
        Value::Object(_) => "a block of keys".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Null => "nothing".to_owned(),
        other => format!(
            "`{}`",
            other
                .to_string()
                .trim_matches('"')
                .chars()
                .take(40)
                .collect::<String>()
        ),
    }
}

#[cfg(test)]
mod tests;
