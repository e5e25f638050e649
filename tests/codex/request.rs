//! Owns one request that Codex made to the model, and what a test asks about it.
//! Does not answer it.
//! Invariant: the body is kept as it came, and everything else is read from it.

use std::collections::BTreeMap;
use std::time::Instant;

use serde_json::Value;

/// A request of the Responses API.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// Counted from 0 over all conversations of the server.
    pub number: usize,
    pub headers: BTreeMap<String, String>,
    pub body: Value,
    pub bytes: usize,
    pub arrived: Instant,
}

impl Request {
    /// The conversation. A subagent and a review have conversations of their own.
    pub(crate) fn thread(&self) -> &str {
        self.header("thread-id")
    }

    /// What kind of helper asks (`review`, `collab_spawn`, `guardian`, ...); empty for the main conversation.
    pub(crate) fn agent(&self) -> &str {
        self.header("x-openai-subagent")
    }

    /// Whether Codex asks for a summary, in order to go on with it alone. This takes a turn of the script.
    pub(crate) fn is_compaction(&self) -> bool {
        let metadata: Value =
            serde_json::from_str(self.header("x-codex-turn-metadata")).unwrap_or_default();
        metadata["request_kind"] == "compaction"
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// Everything that the model is given besides the general instructions and the tools.
    pub(crate) fn input(&self) -> &[Value] {
        self.body["input"].as_array().map_or(&[], Vec::as_slice)
    }

    /// Role and text of each message in the input, in order. What agents send each other has the sender for a role
    /// (`/root`, `/root/<task name>`).
    pub(crate) fn texts(&self) -> Vec<(String, String)> {
        let is = |item: &&Value| item["type"] == "message" || item["type"] == "agent_message";
        let messages = self.input().iter().filter(is);
        messages
            .flat_map(|item| {
                let role = item["role"].as_str().or(item["author"].as_str());
                let role = role.unwrap_or_default().to_owned();
                let parts = item["content"].as_array().cloned().unwrap_or_default();
                parts.into_iter().map(move |part| {
                    // A task for a subagent is "encrypted": by the service, so a scripted one stays as it was.
                    let text = part["text"].as_str().or(part["encrypted_content"].as_str());
                    (role.clone(), text.unwrap_or_default().to_owned())
                })
            })
            .collect()
    }

    /// The texts of one role: `user`, `developer`, `assistant`, or an agent.
    pub(crate) fn texts_of(&self, role: &str) -> Vec<String> {
        let texts = self.texts().into_iter().filter(|(who, _)| who == role);
        texts.map(|(_, text)| text).collect()
    }

    /// The last text of the user's side, which is a prompt or what a hook said.
    pub(crate) fn last_user_text(&self) -> String {
        self.texts_of("user").pop().unwrap_or_default()
    }

    /// The reasons with which `Stop` hooks made the model go on, oldest first, as the hooks wrote them.
    ///
    /// Codex escapes `&`, `<` and `>` in them for XML; `texts_of("user")` has what the model really read.
    pub(crate) fn hook_prompts(&self) -> Vec<String> {
        let texts = self.texts_of("user");
        texts
            .iter()
            .filter_map(|text| {
                let inner = text.strip_prefix("<hook_prompt ")?.split_once('>')?.1;
                let reason = inner.strip_suffix("</hook_prompt>")?;
                let reason = reason.replace("&lt;", "<").replace("&gt;", ">");
                Some(reason.replace("&amp;", "&"))
            })
            .collect()
    }

    /// What the calls of tools gave, oldest first.
    pub(crate) fn outputs(&self) -> Vec<String> {
        let outputs = self.input().iter().filter(|item| {
            item["type"]
                .as_str()
                .is_some_and(|kind| kind.ends_with("_call_output"))
        });
        outputs.map(|item| text_of(&item["output"])).collect()
    }

    /// Whether the input mentions this anywhere.
    pub(crate) fn saw(&self, words: &str) -> bool {
        self.input().iter().any(|item| mentions(item, words))
    }

    /// The size of the input as JSON.
    pub(crate) fn input_bytes(&self) -> usize {
        self.body["input"].to_string().len()
    }
}

/// An output is a text, or a list of parts with texts.
fn text_of(output: &Value) -> String {
    match output {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            let texts = parts.iter().filter_map(|part| part["text"].as_str());
            texts.collect::<Vec<_>>().join("\n")
        }
        other => other.to_string(),
    }
}

fn mentions(value: &Value, words: &str) -> bool {
    match value {
        Value::String(text) => text.contains(words),
        Value::Array(values) => values.iter().any(|value| mentions(value, words)),
        Value::Object(fields) => fields.values().any(|value| mentions(value, words)),
        _ => false,
    }
}
