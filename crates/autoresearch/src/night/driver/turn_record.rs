//! Owns a turn as it is recorded.
//! Does not record it.
//! Invariant: what an agent said is clipped before it is written down.

use std::time::Duration;

use autoresearch_core::config::span::whole_millis;
use autoresearch_core::journal::event::Turn;

use crate::agent::{EndedTurn, TurnOutcome};

/// A turn as it is recorded.
pub(super) fn describe_turn(trial: u32, (ended, span): (&EndedTurn, Duration)) -> Turn {
    let (hypothesis, fault) = match &ended.outcome {
        TurnOutcome::Answered(Some(answer)) => (answer.hypothesis.clone(), None),
        TurnOutcome::Answered(None) => (
            String::new(),
            Some("its answer could not be read".to_owned()),
        ),
        TurnOutcome::Failed(fault) => (String::new(), Some(fault.to_string())),
        TurnOutcome::Cancelled => (String::new(), Some("ended by us".to_owned())),
    };
    let fresh = matches!(&ended.outcome, TurnOutcome::Failed(fault) if fault.ends_thread());
    Turn {
        trial,
        thread: ended.thread.clone().filter(|_| !fresh),
        tokens: ended.tokens,
        ms: whole_millis(span),
        hypothesis: autoresearch_core::words::text::clip_text(&hypothesis, 300),
        fault: fault.map(|fault| autoresearch_core::words::text::clip_text(&fault, 300)),
        worker: None,
        given_up: false,
    }
}
