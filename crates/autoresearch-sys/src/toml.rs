//! Owns the reading of TOML as JSON.
//! Does not know what the document means, and does not keep how it is written.
//! Invariant: each kind of value of TOML has one of JSON; a date is a text.

use serde_json::{Map, Value};
use toml_edit::{DocumentMut, Item, TableLike};

/// A document of TOML as JSON; `None` where it is not TOML.
#[must_use]
pub fn parse_toml(text: &str) -> Option<Value> {
    let document: DocumentMut = text.parse().ok()?;
    Some(read_table(document.as_table()))
}

fn read_table(table: &dyn TableLike) -> Value {
    let fields = table.iter();
    let fields = fields.filter_map(|(key, item)| Some((key.to_owned(), read_item(item)?)));
    Value::Object(fields.collect::<Map<_, _>>())
}

fn read_item(item: &Item) -> Option<Value> {
    Some(match item {
        Item::None => return None,
        Item::Value(value) => read_value(value),
        Item::Table(table) => read_table(table),
        Item::ArrayOfTables(tables) => tables.iter().map(|table| read_table(table)).collect(),
    })
}

fn read_value(value: &toml_edit::Value) -> Value {
    use toml_edit::Value as Toml;
    match value {
        Toml::String(text) => Value::from(text.value().as_str()),
        Toml::Integer(number) => Value::from(*number.value()),
        Toml::Float(number) => Value::from(*number.value()),
        Toml::Boolean(truth) => Value::from(*truth.value()),
        Toml::Datetime(time) => Value::from(time.value().to_string()),
        Toml::Array(items) => items.iter().map(read_value).collect(),
        Toml::InlineTable(table) => read_table(table),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_kind_of_value_has_one_of_json() {
        let text = "a = 1\nb = [\"x\", 2.5, true]\nc = {d = 2026-01-02}\n[e.f]\ng = 'h'\n[[i]]\nname = \"one\"\n[[i]]\nname = \"two\"\n";
        let expected = json!({
            "a": 1, "b": ["x", 2.5, true], "c": {"d": "2026-01-02"}, "e": {"f": {"g": "h"}}, "i": [{"name": "one"}, {"name": "two"}],
        });
        assert_eq!(parse_toml(text), Some(expected));
        assert_eq!(parse_toml("a = nan"), Some(json!({"a": null})));
        assert_eq!(parse_toml(""), Some(json!({})));
    }

    #[test]
    fn what_is_no_toml_is_nothing() {
        let deep = format!("a = {}{}", "[".repeat(5_000), "]".repeat(5_000));
        for text in ["a = [", "[a", "a: 1", deep.as_str()] {
            assert_eq!(parse_toml(text), None);
        }
    }
}
