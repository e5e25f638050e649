//! Owns the answer of an agent that was asked for one edit: the schema it is asked for, and how it is read.
//! Does not decide what follows from it; it carries no number and no verdict.
//! Invariant: any text can be read, and every field of the result is one short line without control characters.

use crate::journal::batch::MOST_WORKERS;
use crate::words::text::{clip_text, is_unsafe_mark};
use serde_json::{Map, Value};

/// The JSON Schema of the answer, in the strict form that the Responses API asks for: every property is required, and
/// no other is allowed. Nobody checks that an answer keeps to it, so `Answer::read` does not rely on that.
pub const SCHEMA: &str = r#"{
  "type": "object",
  "properties": {
    "message": {
      "type": "string",
      "description": "What you changed, in one sentence. If you changed nothing, why."
    },
    "hypothesis": {
      "type": "string",
      "description": "Why the change should move the metric, in one sentence."
    },
    "labels": {
      "type": "array",
      "items": {"type": "string"},
      "description": "The labels that the task asks for, else an empty list."
    },
    "simplify": {
      "type": "boolean",
      "description": "True if the change is meant to make the code simpler at an equal metric."
    },
    "strategy": {
      "type": ["string", "null"],
      "description": "The reason and the plan, when the task asks for a refine, a pivot or a search; else null."
    },
    "hypotheses": {
      "type": "array",
      "items": {"type": "string"},
      "description": "The hypotheses, when the task asks for several, the best first; else an empty list."
    },
    "nothing_more": {
      "type": "boolean",
      "description": "True if you have no idea left that is worth a trial."
    }
  },
  "required": ["message", "hypothesis", "labels", "simplify", "strategy", "hypotheses", "nothing_more"],
  "additionalProperties": false
}
"#;

/// The longest sentence, in characters.
const SENTENCE: usize = 300;
/// The longest strategy, in characters.
const PLAN: usize = 1_000;
/// The longest label, in characters.
const LABEL: usize = 60;
const LABELS: usize = 16;
/// How many places of a text are tried for an object; a longer search would only find what nobody meant.
const TRIES: usize = 100;

/// What an agent says of its edit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AgentAnswer {
    /// What was changed, in one sentence; empty if it was not said.
    pub message: String,
    /// Why that should help; empty if it was not said.
    pub hypothesis: String,
    /// The labels of the change.
    pub labels: Vec<String>,
    /// Is it meant as a simplification?
    pub simplify: bool,
    /// The reason and the plan of a new strategy, when one was due.
    pub strategy: Option<String>,
    /// What it would try at once, when it was asked for that.
    pub hypotheses: Vec<String>,
    /// Has the agent no idea left?
    pub nothing_more: bool,
}

impl AgentAnswer {
    /// Reads what an agent wrote: the first JSON object with at least one of the fields, also inside other text or in
    /// another object. A field that is missing or of another type counts as not said. `None` without such an object.
    #[must_use]
    pub fn find_in_text(text: &str) -> Option<Self> {
        let starts = text.match_indices('{').take(TRIES);
        starts
            .filter_map(|(at, _)| {
                let mut objects =
                    serde_json::Deserializer::from_str(&text[at..]).into_iter::<Map<_, _>>();
                objects.next()?.ok()
            })
            .find_map(|fields| Self::from_fields(&fields))
    }

    fn from_fields(fields: &Map<String, Value>) -> Option<Self> {
        let names = [
            "message",
            "hypothesis",
            "labels",
            "simplify",
            "strategy",
            "hypotheses",
            "nothing_more",
        ];
        if !names.iter().any(|name| fields.contains_key(*name)) {
            return None;
        }
        let line = |name: &str, most| {
            let said = fields.get(name).and_then(Value::as_str);
            to_one_line(said.unwrap_or_default(), most)
        };
        let flag = |name: &str| match fields.get(name) {
            Some(Value::Bool(flag)) => *flag,
            Some(Value::String(word)) => word.trim().eq_ignore_ascii_case("true"),
            _ => false,
        };
        let strategy = line("strategy", PLAN);
        Some(Self {
            message: line("message", SENTENCE),
            hypothesis: line("hypothesis", SENTENCE),
            labels: read_labels(fields.get("labels")),
            simplify: flag("simplify"),
            strategy: Some(strategy).filter(|plan| !plan.is_empty() && plan != "null"),
            hypotheses: read_hypotheses(fields.get("hypotheses")),
            nothing_more: flag("nothing_more"),
        })
    }
}

/// Different sentences, at most one for each worker.
fn read_hypotheses(value: Option<&Value>) -> Vec<String> {
    let said = value.and_then(Value::as_array);
    let mut hypotheses = Vec::new();
    for said in said.into_iter().flatten().filter_map(Value::as_str) {
        let said = to_one_line(said, SENTENCE);
        if !said.is_empty() && !hypotheses.contains(&said) && hypotheses.len() < MOST_WORKERS {
            hypotheses.push(said);
        }
    }
    hypotheses
}

/// A list of labels, or one text with commas between them.
fn read_labels(value: Option<&Value>) -> Vec<String> {
    let said: Vec<&str> = match value {
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(text)) => text.split(',').collect(),
        _ => Vec::new(),
    };
    let mut labels = Vec::new();
    for label in said {
        let label = to_one_line(label, LABEL);
        if !label.is_empty() && !labels.contains(&label) && labels.len() < LABELS {
            labels.push(label);
        }
    }
    labels
}

/// The words of a text with single spaces between them, clipped to `most` characters.
fn to_one_line(text: &str, most: usize) -> String {
    let apart =
        |letter: char| letter.is_whitespace() || letter.is_control() || is_unsafe_mark(letter);
    let words = text.split(apart).filter(|word| !word.is_empty());
    clip_text(&words.collect::<Vec<_>>().join(" "), most)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn whole() -> Value {
        json!({
            "message": "Cached the table", "hypothesis": "It is built twice", "labels": ["cache", "fast"],
            "simplify": true, "strategy": "Less work, then less memory", "nothing_more": true,
            "hypotheses": ["cache", "sort once"],
        })
    }

    #[test]
    fn an_answer_that_keeps_to_the_schema_is_read_field_by_field() {
        let answer = AgentAnswer::find_in_text(&whole().to_string()).unwrap();
        let expected = AgentAnswer {
            message: "Cached the table".into(),
            hypothesis: "It is built twice".into(),
            labels: vec!["cache".into(), "fast".into()],
            simplify: true,
            strategy: Some("Less work, then less memory".into()),
            hypotheses: vec!["cache".into(), "sort once".into()],
            nothing_more: true,
        };
        assert_eq!(answer, expected);
    }

    #[test]
    fn the_schema_is_strict_and_names_the_fields_that_are_read() {
        let schema: Value = serde_json::from_str(SCHEMA).unwrap();
        let properties = schema["properties"].as_object().unwrap();
        let required = schema["required"].as_array().unwrap();
        assert_eq!(required.len(), properties.len());
        assert!(
            required
                .iter()
                .all(|name| properties.contains_key(name.as_str().unwrap()))
        );
        assert_eq!(schema["additionalProperties"], false);
        let example = whole();
        let names = example.as_object().unwrap().keys();
        assert!(
            names
                .zip(properties.keys())
                .all(|(read, asked)| read == asked)
        );
    }

    #[test]
    fn an_object_in_other_text_is_found_and_missing_fields_are_not_said() {
        let fenced = "Done in {src}. Like {}:\n```json\n{\"message\": \"Cached it\"}\n```\nBye.";
        let answer = AgentAnswer::find_in_text(fenced).unwrap();
        assert_eq!(answer.message, "Cached it");
        assert_eq!(
            (answer.labels, answer.strategy, answer.nothing_more),
            (vec![], None, false)
        );
        let nested = r#"{"answer": {"nothing_more": "true", "strategy": ""}}"#;
        let answer = AgentAnswer::find_in_text(nested).unwrap();
        assert_eq!((answer.nothing_more, answer.strategy), (true, None));
        for text in ["", "done", "{", "{}", "[1]", r#"{"other": 1}"#, "null"] {
            assert_eq!(AgentAnswer::find_in_text(text), None, "{text}");
        }
    }

    #[test]
    fn fields_of_another_type_are_not_said_and_one_text_can_hold_all_labels() {
        let odd = json!({"message": 3, "labels": "a, b,a", "simplify": 1, "strategy": ["x"]});
        let answer = AgentAnswer::find_in_text(&odd.to_string()).unwrap();
        let expected = AgentAnswer {
            labels: vec!["a".into(), "b".into()],
            ..AgentAnswer::default()
        };
        assert_eq!(answer, expected);
    }

    #[test]
    fn hypotheses_are_different_sentences_and_no_more_than_there_are_workers() {
        let odd = json!({"hypotheses": ["a\nb", "", 7, "a b", "c", "d", "e"]});
        let answer = AgentAnswer::find_in_text(&odd.to_string()).unwrap();
        assert_eq!(answer.hypotheses, ["a b", "c", "d"]);
        let text = json!({"hypotheses": "one sentence"});
        let answer = AgentAnswer::find_in_text(&text.to_string()).unwrap();
        assert_eq!(answer.hypotheses, [""; 0]);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "(?s).{0,200}|[{}\\[\\]\":,a\\\\é]{0,200}") {
            let _ = AgentAnswer::find_in_text(&text);
        }

        #[test]
        fn any_fields_become_short_lines_without_control_characters(
            message in "(?s).{0,400}",
            strategy in "(?s).{0,1200}",
            labels in proptest::collection::vec("(?s).{0,80}", 0..20),
            before in "[^{]{0,20}",
        ) {
            let fields = json!({"message": message, "strategy": strategy, "labels": labels});
            let answer = AgentAnswer::find_in_text(&format!("{before}{fields} and more")).unwrap();
            let plan = answer.strategy.unwrap_or_default();
            prop_assert!(answer.message.chars().count() <= SENTENCE && plan.chars().count() <= PLAN);
            prop_assert!(answer.labels.len() <= LABELS);
            for line in answer.labels.iter().chain([&answer.message, &plan]) {
                prop_assert!(!line.chars().any(|letter| letter.is_control() || is_unsafe_mark(letter)));
                prop_assert_eq!(line.trim(), line);
            }
        }

        #[test]
        fn an_answer_cut_anywhere_is_read_without_a_panic(at in 0_usize..200) {
            let text = whole().to_string();
            let cut = &text[..at.min(text.len())];
            prop_assert!(cut.len() == text.len() || AgentAnswer::find_in_text(cut).is_none());
        }
    }
}
