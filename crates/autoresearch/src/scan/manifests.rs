//! Owns the reading of manifests: JSON and TOML become documents, all else stays text.
//! Does not know what they mean.
//! Invariant: a manifest that is broken, too long or not text says nothing, and stops nothing.

use std::path::Path;

use autoresearch_core::config::globs::Globs;
use autoresearch_core::scan::{Manifest, ManifestContent, list_stacks};
use autoresearch_sys::regular_files::{open_unlinked, read_whole};
use serde_json::{Map, Value};
use toml_edit::{DocumentMut, Item, TableLike};

/// No manifest is longer.
const MOST: u64 = 1 << 20;

/// Is a file one that describes a project?
pub(super) fn is_manifest(path: &str) -> bool {
    use std::sync::LazyLock;
    static NAMES: LazyLock<Option<Globs>> = LazyLock::new(|| {
        let names = list_stacks()
            .iter()
            .flat_map(|stack| stack.manifests.clone());
        Globs::new(&names.collect::<Vec<_>>()).ok()
    });
    let name = path.rsplit('/').next().unwrap_or(path);
    NAMES.as_ref().is_some_and(|names| names.matches_path(name))
}

/// What a manifest holds, as far as it can be read.
pub(super) fn read_manifest(root: &Path, path: &str) -> Option<Manifest> {
    let opened = open_unlinked(&root.join(path)).ok()?;
    let text = String::from_utf8(read_whole(&opened, MOST).ok()?).ok()?;
    let content = if has_ending(path, "json") {
        ManifestContent::Document(serde_json::from_str(&text).ok()?)
    } else if has_ending(path, "toml") {
        ManifestContent::Document(toml_to_json(&text)?)
    } else {
        ManifestContent::Text(text)
    };
    Some(Manifest {
        path: path.to_owned(),
        content,
    })
}

fn has_ending(path: &str, ending: &str) -> bool {
    Path::new(path)
        .extension()
        .is_some_and(|found| found == ending)
}

/// A document of TOML as JSON.
fn toml_to_json(text: &str) -> Option<Value> {
    let document: DocumentMut = text.parse().ok()?;
    Some(table_to_json(document.as_table()))
}

fn table_to_json(table: &dyn TableLike) -> Value {
    let fields = table
        .iter()
        .map(|(key, item)| (key.to_owned(), item_to_json(item)));
    Value::Object(fields.collect::<Map<_, _>>())
}

fn item_to_json(item: &Item) -> Value {
    match item {
        Item::None => Value::Null,
        Item::Value(value) => value_to_json(value),
        Item::Table(table) => table_to_json(table),
        Item::ArrayOfTables(tables) => tables.iter().map(|table| table_to_json(table)).collect(),
    }
}

fn value_to_json(value: &toml_edit::Value) -> Value {
    use toml_edit::Value as Toml;
    match value {
        Toml::String(text) => Value::from(text.value().as_str()),
        Toml::Integer(number) => Value::from(*number.value()),
        Toml::Float(number) => Value::from(*number.value()),
        Toml::Boolean(truth) => Value::from(*truth.value()),
        Toml::Datetime(time) => Value::from(time.value().to_string()),
        Toml::Array(items) => items.iter().map(value_to_json).collect(),
        Toml::InlineTable(table) => table_to_json(table),
    }
}

#[cfg(test)]
mod tests;
