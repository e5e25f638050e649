//! Owns the edge of the session hooks: the payload in, a valid answer or nothing out.
//! Does not decide; `hooks` does.
//! Invariant: exit code 0, and not one byte where the session owns no run; a fault inside lets the session go on as if
//! there were no hook, and leaves a line in the run's `hooks.log`.

use std::ffi::OsString;
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use serde_json::{Value, json};

use super::print::Printer;
use crate::hook;
use crate::hook::{Owned, Payload, Reply};
use autoresearch_sys::env::{Role, World};
use autoresearch_sys::error::Result;

/// A longer payload is not read: it holds the last message of the agent, never more than some kilobytes.
const MAX_PAYLOAD: u64 = 32 << 20;

/// Answers one hook, named by the first argument of the process.
#[must_use]
pub fn main(world: World) -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().collect();
    if let Some(code) = super::runner(&words) {
        return code;
    }
    let event = words.get(1).and_then(|word| word.to_str());
    match event {
        Some("--version") => {
            let version = concat!("autoresearch-hook ", env!("CARGO_PKG_VERSION"), "\n");
            let _ = Printer::new(false).text(version);
        }
        event => run(world, event.unwrap_or_default()),
    }
    ExitCode::SUCCESS
}

/// Answers one hook: the payload is read from standard input.
pub fn run(mut world: World, event: &str) {
    let Some(payload) = payload() else { return };
    let mut owned = hook::owned(&payload);
    if owned.is_empty() {
        return;
    }
    world.role = Role::Hook;
    world.session = payload.session_id;
    let answer = catch_unwind(AssertUnwindSafe(|| answer(&world, event, &mut owned)));
    match answer {
        Ok(Ok(Some(answer))) => {
            let _ = Printer::new(true).line(&answer);
        }
        Ok(Ok(None)) => {}
        Ok(Err(failure)) => note(&world, &owned, event, &failure.to_string()),
        Err(_) => note(&world, &owned, event, "a fault of this program"),
    }
}

fn note(world: &World, owned: &[Owned], event: &str, fault: &str) {
    if let Some(owned) = owned.first() {
        let line = format!("{event}: {fault}");
        owned.note(world, &line.replace('\n', "; "));
    }
}

fn payload() -> Option<Payload> {
    let mut text = String::new();
    std::io::stdin()
        .take(MAX_PAYLOAD)
        .read_to_string(&mut text)
        .ok()?;
    serde_json::from_str(&text).ok()
}

fn answer(world: &World, event: &str, owned: &mut [Owned]) -> Result<Option<Value>> {
    if event == "interrupt" {
        for owned in owned {
            hook::interrupt(owned)?;
        }
        return Ok(None);
    }
    let Some(owned) = hook::current(world, owned) else {
        return Ok(None);
    };
    Ok(match event {
        "session-start" => hook::session_start(world, owned)?.map(|context| {
            json!({"hookSpecificOutput": {
                "hookEventName": "SessionStart",
                "additionalContext": context,
            }})
        }),
        "stop" => hook::stop(world, owned)?.map(|reply| match reply {
            Reply::GoOn(reason) => json!({"decision": "block", "reason": reason}),
            Reply::Tell(message) => json!({"systemMessage": message}),
        }),
        _ => None,
    })
}
