//! Owns the intention to measure a trial once more whose guard failed.
//! Does not run anything.
//! Invariant: each commit is measured again once at most, and that uses up a rework.

use autoresearch_core::journal::event::Intent;
use autoresearch_core::journal::state::RunState;

use autoresearch_sys::error::{Failure, Result};

/// The intention to measure the commit of a failed guard once more. Each commit once, and it uses up a rework: whoever
/// asks until the guard passes measures luck.
pub(super) fn make_intent_again(state: &RunState, program: &str) -> Result<Intent> {
    let (Some(rework), Some(open_trial)) = (state.awaiting_rework(), &state.open_trial) else {
        return Err(Failure::usage(
            "no trial awaits a rework, so there is nothing to measure again",
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
