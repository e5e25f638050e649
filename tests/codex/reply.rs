//! Owns what the scripted model can answer, and how each answer looks on the wire.
//! Does not choose the answer; that is the script in `model`.
//! Invariant: a reply knows nothing of the request that it answers.

use serde_json::{Value, json};

/// One answer of the model.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub kind: Kind,
    /// The number of tokens that the answer claims to have cost. Codex compacts by this number.
    pub tokens: u64,
    /// Headers of the answer, besides those of HTTP itself.
    pub headers: Vec<(&'static str, String)>,
}

/// What an answer is.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// A whole stream with these output items.
    Items(Vec<Value>),
    /// A whole stream with these events behind the first one.
    Events(Vec<Value>),
    /// An HTTP error.
    Status(u16, Value),
    /// A stream that ends after its first event.
    Dropped,
    /// A stream that stays open after its first event, until Codex gives up or the model is dropped.
    Silent,
}

impl Reply {
    fn new(kind: Kind) -> Self {
        Self {
            kind,
            tokens: 100,
            headers: Vec::new(),
        }
    }

    /// The same answer, which claims to have cost so many tokens.
    pub(crate) fn costing(mut self, tokens: u64) -> Self {
        self.tokens = tokens;
        self
    }

    /// The same answer with one more header.
    pub(crate) fn header(mut self, name: &'static str, value: &impl ToString) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }

    /// The same answer with the items of another one behind its own: several calls in one turn.
    pub(crate) fn and(mut self, other: Self) -> Self {
        if let (Kind::Items(items), Kind::Items(more)) = (&mut self.kind, other.kind) {
            items.extend(more);
        }
        self
    }
}

/// A message; with nothing else in the answer, it ends the turn.
pub(crate) fn say(text: &str) -> Reply {
    item(json!({
        "type": "message",
        "role": "assistant",
        "content": [{"type": "output_text", "text": text}],
    }))
}

/// A shell command. Codex waits for it as long as it ever does in one call (30 s).
pub(crate) fn shell(command: &str) -> Reply {
    shell_with(&json!({"cmd": command, "yield_time_ms": 30_000}))
}

/// A shell command with all its arguments: `cmd`, `workdir`, `tty`, `sandbox_permissions`, ...
pub(crate) fn shell_with(arguments: &Value) -> Reply {
    code(&format!(
        "const r = await tools.exec_command({arguments}); text(r.output)"
    ))
}

/// An edit in the format of `apply_patch`, without the lines `*** Begin Patch` and `*** End Patch`.
pub(crate) fn patch(body: &str) -> Reply {
    let whole = Value::from(format!("*** Begin Patch\n{}\n*** End Patch\n", body.trim()));
    code(&format!(
        "const r = await tools.apply_patch({whole}); text(JSON.stringify(r))"
    ))
}

/// JavaScript for the one tool `exec` that the bundled models have ("code mode").
///
/// What `exec_command` gives has `output`, `exit_code`, `wall_time_seconds`, and `session_id` when it still runs.
pub(crate) fn code(script: &str) -> Reply {
    item(json!({"type": "custom_tool_call", "name": "exec", "input": script}))
}

/// A call of a tool that is not nested in `exec`, such as `collaboration` / `spawn_agent`.
fn call(namespace: &str, name: &str, arguments: &Value) -> Reply {
    item(json!({
        "type": "function_call",
        "namespace": namespace,
        "name": name,
        "arguments": arguments.to_string(),
    }))
}

/// A turn that has a subagent work on a message, waits for it, and ends with these words.
pub(crate) fn helped(message: &str, words: &str) -> [Reply; 3] {
    let task = json!({"task_name": "helper", "message": message, "fork_turns": "none"});
    let patience = json!({"timeout_ms": 120_000});
    [
        call("collaboration", "spawn_agent", &task),
        call("collaboration", "wait_agent", &patience),
        say(words),
    ]
}

/// Any output item. Its ids are filled in when they are missing.
pub(crate) fn item(value: Value) -> Reply {
    Reply::new(Kind::Items(vec![value]))
}

/// A stream with these events behind the first one, such as `response.failed`.
pub(crate) fn events_only(events: Vec<Value>) -> Reply {
    Reply::new(Kind::Events(events))
}

/// An HTTP error with the body that the service would send.
pub(crate) fn status(code: u16, body: Value) -> Reply {
    Reply::new(Kind::Status(code, body))
}

/// The account's limit is used up until a time in seconds since 1970. Codex fails at once, without a retry.
pub(crate) fn usage_limit(resets_at: i64) -> Reply {
    status(
        429,
        json!({"error": {
            "type": "usage_limit_reached",
            "message": "The usage limit has been reached",
            "plan_type": "plus",
            "resets_at": resets_at,
            "resets_in_seconds": 60,
        }}),
    )
}

/// The same, with the headers by which the service tells the state of an account's window: Codex keeps these to the
/// second, and of the body it only shows the minute.
pub(crate) fn usage_limit_with_headers(resets_at: i64) -> Reply {
    usage_limit(resets_at)
        .header("x-codex-primary-used-percent", &"100.0")
        .header("x-codex-primary-window-minutes", &"300")
        .header("x-codex-primary-reset-at", &resets_at)
}

/// The connection is lost in the middle of the answer.
pub(crate) fn dropped() -> Reply {
    Reply::new(Kind::Dropped)
}

/// The answer never comes.
pub(crate) fn silent() -> Reply {
    Reply::new(Kind::Silent)
}

/// The events of a whole stream; `number` makes the ids of the items unique.
pub(crate) fn events(items: &[Value], tokens: u64, number: usize) -> Vec<Value> {
    let mut events = vec![created(number)];
    for (index, item) in items.iter().enumerate() {
        let mut item = item.clone();
        let fields = item.as_object_mut().expect("an item is an object");
        fields
            .entry("id")
            .or_insert_with(|| format!("item_{number}_{index}").into());
        if fields["type"]
            .as_str()
            .is_some_and(|kind| kind.ends_with("_call"))
        {
            fields
                .entry("call_id")
                .or_insert_with(|| format!("call_{number}_{index}").into());
        }
        events.push(json!({"type": "response.output_item.done", "item": item}));
    }
    events.push(json!({"type": "response.completed", "response": {
        "id": format!("resp_{number}"),
        "usage": {
            "input_tokens": tokens,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": 1,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": tokens + 1,
        },
    }}));
    events
}

/// The first event of every stream.
pub(crate) fn created(number: usize) -> Value {
    json!({"type": "response.created", "response": {"id": format!("resp_{number}")}})
}
