//! Owns the intention of a trial: which trial and which attempt the edits are, or why there can be none now.
//! Does not look at the edits, and does not record anything.
//! Invariant: each commit is measured again once at most, and that uses up a rework.

use autoresearch_core::agent::caller::Caller;
use autoresearch_core::agent::session::TrialRequest;
use autoresearch_core::journal::event::Intent;
use autoresearch_core::journal::state::{RunState, Step};
use autoresearch_core::words::brief;
use autoresearch_core::words::text::clip_text;

use autoresearch_sys::error::{Failure, Result};

/// The longest description of a trial, in characters.
const MAX_MESSAGE: usize = 500;

/// The intention, if the run's state allows it.
pub fn make_intent(state: &RunState, caller: &Caller, request: &TrialRequest) -> Result<Intent> {
    let program = &caller.program;
    let message = request.message.trim();
    if request.again {
        return make_intent_again(state, program);
    }
    if message.is_empty() {
        return Err(Failure::usage("the message is empty")
            .hint("say what you changed: -m \"what you changed\""));
    }
    let (trial, attempt) = match (state.next_step(), state.awaiting_rework(), request.rework) {
        (Step::Strategy(strategy), ..) => {
            return Err(Failure::usage(format!(
                "a {} is due before the next trial",
                strategy.as_str()
            ))
            .hint(brief::format_next_step(state, caller).trim_start_matches("next: ")));
        }
        (Step::Batch, ..) => {
            return Err(Failure::usage("a batch is open")
                .hint(brief::format_next_step(state, caller).trim_start_matches("next: ")));
        }
        (_, Some(rework), true) => (rework.trial, rework.attempt + 1),
        (_, Some(rework), false) => {
            return Err(Failure::usage(format!("trial {} waits for a rework: its guard failed", rework.trial))
                .hint(format!("`{program} trial --rework -m MSG` measures it again, `{program} trial --drop` gives it up")));
        }
        (_, None, true) => {
            return Err(Failure::usage("no trial waits for a rework").hint("leave out --rework"));
        }
        (_, None, false) => (state.next_trial, 0),
    };
    let told = match &state.open_trial {
        Some(open_trial) => format!("{}; rework: {message}", open_trial.intent.message),
        None => message.to_owned(),
    };
    Ok(Intent {
        trial,
        attempt,
        message: clip_text(&told, MAX_MESSAGE),
        labels: request.labels.clone(),
        simplify: request.simplify,
        parent: state.expected_head().unwrap_or(&state.head).to_owned(),
        again: false,
        leaves_out: None,
        picks: None,
    })
}

/// The intention to measure the commit of a failed guard once more. Each commit once, and it uses up a rework: whoever
/// asks until the guard passes measures luck.
fn make_intent_again(state: &RunState, program: &str) -> Result<Intent> {
    let (Some(rework), Some(open_trial)) = (state.awaiting_rework(), &state.open_trial) else {
        return Err(Failure::usage(
            "no trial waits for a rework, so there is nothing to measure again",
        )
        .hint("`--again` is for a trial whose guard failed; a verdict that was given stays"));
    };
    if open_trial.intent.again {
        return Err(Failure::usage(format!(
            "trial {} was measured again already, and its guard failed again",
            rework.trial
        ))
        .hint(format!("`{program} trial --rework -m MSG` measures it with what you fixed, `{program} trial --drop` gives it up")));
    }
    Ok(Intent {
        attempt: rework.attempt + 1,
        parent: rework.commit.clone(),
        again: true,
        ..open_trial.intent.clone()
    })
}

#[cfg(test)]
mod tests;
