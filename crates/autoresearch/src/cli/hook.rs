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
use crate::env::World;
use crate::error::Result;
use crate::hooks::{self, Owned, Payload, Reply};

/// A longer payload is not read: it holds the last message of the agent, never more than some kilobytes.
const MAX_PAYLOAD: u64 = 32 << 20;

/// Answers one hook.
#[must_use]
pub fn main(mut world: World) -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().collect();
    if let Some(code) = super::runner(&words) {
        return code;
    }
    if matches!(
        words.get(1).and_then(|word| word.to_str()),
        Some("--version")
    ) {
        let _ = Printer::new(false).text(concat!(
            "autoresearch-hook ",
            env!("CARGO_PKG_VERSION"),
            "\n"
        ));
        return ExitCode::SUCCESS;
    }
    let event = words.get(1).cloned().unwrap_or_default();
    let Some(payload) = payload() else {
        return ExitCode::SUCCESS;
    };
    let Some(mut owned) = hooks::owned(&payload) else {
        return ExitCode::SUCCESS;
    };
    world.is_hook = true;
    world.session = payload.session_id;
    let answer = catch_unwind(AssertUnwindSafe(|| answer(&world, &event, &mut owned)));
    match answer {
        Ok(Ok(Some(answer))) => {
            let _ = Printer::new(true).line(&answer);
        }
        Ok(Ok(None)) => {}
        Ok(Err(failure)) => owned.note(
            &world,
            &format!("{}: {failure}", event.display()).replace('\n', "; "),
        ),
        Err(_) => owned.note(
            &world,
            &format!("{}: a fault of this program", event.display()),
        ),
    }
    ExitCode::SUCCESS
}

fn payload() -> Option<Payload> {
    let mut text = String::new();
    std::io::stdin()
        .take(MAX_PAYLOAD)
        .read_to_string(&mut text)
        .ok()?;
    serde_json::from_str(&text).ok()
}

fn answer(world: &World, event: &OsString, owned: &mut Owned) -> Result<Option<Value>> {
    Ok(match event.to_str() {
        Some("session-start") => hooks::session_start(world, owned)?.map(|context| {
            json!({"hookSpecificOutput": {
                "hookEventName": "SessionStart",
                "additionalContext": context,
            }})
        }),
        Some("stop") => hooks::stop(world, owned)?.map(|reply| match reply {
            Reply::GoOn(reason) => json!({"decision": "block", "reason": reason}),
            Reply::Tell(message) => json!({"systemMessage": message}),
        }),
        Some("interrupt") => {
            hooks::interrupt(owned)?;
            None
        }
        _ => None,
    })
}
