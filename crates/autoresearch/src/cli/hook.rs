//! Owns the entry of the session hooks: the payload in, a valid answer or nothing out.
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
use crate::hook::{HookPayload, OwnedRun, StopReply};
use crate::modes::debug;
use autoresearch_sys::env::{ProcessRole, World};
use autoresearch_sys::error::Result;

/// A longer payload is not read: it holds the last message of the agent, never more than some kilobytes.
const MAX_PAYLOAD: u64 = 32 << 20;

/// Answers one hook, named by the first word.
pub(super) fn run_hook(world: World, words: &[OsString]) -> ExitCode {
    let event = words.first().and_then(|word| word.to_str());
    match event {
        Some("--version") => {
            let version = concat!("autoresearch-hook ", env!("CARGO_PKG_VERSION"), "\n");
            let _ = Printer::new(false).print_text(version);
        }
        event => answer_hook(world, event.unwrap_or_default()),
    }
    ExitCode::SUCCESS
}

/// Answers one hook: the payload is read from standard input.
pub fn answer_hook(mut world: World, event: &str) {
    let Some(payload) = read_payload(std::io::stdin()) else {
        return;
    };
    let mut owned = hook::find_owned_runs(&payload);
    let orders = hook::take_registered(&payload, event);
    if owned.is_empty() && orders.is_none() {
        return;
    }
    world.role = ProcessRole::Hook;
    world.session = payload.session_id;
    let answer = catch_unwind(AssertUnwindSafe(|| match orders {
        Some((root, orders)) => Ok(Some(go_on(&debug::carry_out_registered(
            &world, &root, &orders,
        )))),
        None => answer_event(&world, event, &mut owned),
    }));
    match answer {
        Ok(Ok(Some(answer))) => {
            let _ = Printer::new(true).print_json_line(&answer);
        }
        Ok(Ok(None)) => {}
        Ok(Err(failure)) => note_fault(&world, &owned, event, &failure.to_string()),
        Err(_) => note_fault(&world, &owned, event, "an internal error"),
    }
}

fn note_fault(world: &World, owned: &[OwnedRun], event: &str, fault: &str) {
    if let Some(owned) = owned.first() {
        let line = format!("{event}: {fault}");
        owned.log_fault(world, &line.replace('\n', "; "));
    }
}

fn read_payload(input: impl Read) -> Option<HookPayload> {
    let mut text = String::new();
    input.take(MAX_PAYLOAD).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

fn answer_event(world: &World, event: &str, owned: &mut [OwnedRun]) -> Result<Option<Value>> {
    if event == "interrupt" {
        for owned in owned {
            hook::pause_session(owned)?;
        }
        return Ok(None);
    }
    let Some(owned) = hook::choose_current_run(world, owned) else {
        return Ok(None);
    };
    Ok(match event {
        "session-start" => hook::answer_session_start(world, owned)?.map(|context| {
            json!({"hookSpecificOutput": {
                "hookEventName": "SessionStart",
                "additionalContext": context,
            }})
        }),
        "stop" => hook::answer_stop(world, owned)?.map(|reply| match reply {
            StopReply::GoOn(reason) => go_on(&reason),
            StopReply::Tell(message) => json!({"systemMessage": message}),
        }),
        _ => None,
    })
}

/// The agent goes on with this.
fn go_on(reason: &str) -> Value {
    json!({"decision": "block", "reason": reason})
}

#[cfg(test)]
mod tests;
