//! Faults of documents along small schemas, and of configs along the real one.

use proptest::prelude::{Just, Strategy, prop_assert, prop_assert_eq, prop_oneof, proptest};
use serde_json::json;

use super::*;
use crate::config::{ConfigFile, make_config_schema};

fn list_faults(schema: &Value, document: &Value) -> Vec<String> {
    find_faults(schema, document)
        .into_iter()
        .map(|fault| {
            format!(
                "{}: {} -> {}",
                fault.path.join("/"),
                fault.message,
                fault.remedy
            )
        })
        .collect()
}

fn make_schema() -> Value {
    json!({
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": {"type": "string", "description": "Its name."},
            "count": {"type": ["integer", "null"], "minimum": 1, "maximum": 9},
            "share": {"type": "number", "minimum": 0},
            "colour": {"enum": ["red", "green"]},
            "size": {"oneOf": [{"const": "small"}, {"enum": ["large"]}]},
            "parts": {"type": "array", "items": {"$ref": "#/$defs/Part"}},
            "spare": {"anyOf": [{"$ref": "#/$defs/Part"}, {"type": "null"}]},
            "anything": {},
        },
        "$defs": {"Part": {"type": "object", "properties": {"on": {"type": "boolean"}}}},
    })
}

#[test]
fn a_document_that_fits_has_no_fault() {
    let document = json!({
        "name": "n", "count": null, "share": 0.5, "colour": "red", "size": "large",
        "parts": [{"on": true}, {}], "spare": null, "anything": [1, {"a": 2}],
    });
    assert!(list_faults(&make_schema(), &document).is_empty());
}

#[test]
fn every_fault_is_found_at_once_with_its_place_and_a_remedy() {
    let document = json!({
        "nmae": "n", "count": 10, "share": -1, "colour": "gren", "size": 3,
        "parts": [{"on": "yes"}, 4, {"off": true}], "spare": {"no": 1},
    });
    insta::assert_snapshot!(list_faults(&make_schema(), &document).join("\n"));
}

#[test]
fn what_was_found_is_shown_short() {
    for (document, shown) in [
        (json!({}), "a block of keys"),
        (json!([]), "a list"),
        (json!(null), "nothing"),
        (json!(1.5), "`1.5`"),
        (json!(true), "`true`"),
    ] {
        assert_eq!(show_value(&document), shown);
    }
    let long = show_value(&json!("x".repeat(400)));
    assert_eq!(long, format!("`{}`", "x".repeat(40)));
}

#[test]
fn a_near_word_is_meant_and_a_far_one_is_not() {
    let known = ["verify", "guard", "metric"];
    assert_eq!(find_nearest_word("verfiy", &known), Some("verify"));
    assert_eq!(find_nearest_word("GUARD", &known), Some("guard"));
    assert_eq!(find_nearest_word("colour", &known), None);
    assert_eq!(find_nearest_word("verify", &[]), None);
}

/// Values that may stand where a config wants another.
fn any_value() -> impl Strategy<Value = serde_json::Value> {
    prop_oneof![
        Just(json!(null)),
        Just(json!(true)),
        Just(json!(-1)),
        Just(json!(0)),
        Just(json!(3)),
        Just(json!(2.5)),
        Just(json!("")),
        Just(json!("lower")),
        Just(json!("branch")),
        Just(json!("none")),
        Just(json!([])),
        Just(json!(["src/**"])),
        Just(json!([1])),
        Just(json!({})),
        Just(json!({"command": "x"})),
        Just(json!({"name": "n", "direction": "lower"})),
    ]
}

proptest! {
    #[test]
    fn a_config_without_faults_can_be_read(
        key in 0_usize..40, value in any_value(), other in 0_usize..40, second in any_value(),
    ) {
        let schema = make_config_schema();
        let keys: Vec<&String> = schema["properties"].as_object().unwrap().keys().collect();
        let mut document = json!({
            "goal": "less", "scope": "src/**", "metric": {"name": "n", "direction": "lower"},
            "verify": {"command": "./count"},
        });
        document[keys[key % keys.len()]] = value;
        document[keys[other % keys.len()]] = second;
        let faults = find_faults(&schema, &document);
        let read = serde_json::from_value::<ConfigFile>(document);
        if faults.is_empty() {
            prop_assert!(read.is_ok(), "{:?}", read);
        } else {
            prop_assert!(faults.iter().all(|fault| !fault.remedy.is_empty()));
        }
    }

    #[test]
    fn a_fault_lies_at_the_key_that_is_wrong(key in "[a-z]{3,12}") {
        let schema = make_config_schema();
        let known = schema["properties"].as_object().unwrap();
        let document = json!({
            "goal": "less", "scope": "src/**", "metric": {"name": "n", "direction": "lower"},
            "verify": {"command": "./count"}, key.as_str(): {},
        });
        let faults = find_faults(&schema, &document);
        if !known.contains_key(&key) {
            prop_assert_eq!(faults.len(), 1);
            prop_assert_eq!(&faults[0].path, &[key]);
        }
    }
}
