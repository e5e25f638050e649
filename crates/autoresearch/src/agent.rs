//! Owns one turn of an agent in a run without a person: Codex, or a command of the user's, gets a brief and edits files.
//! Does not measure, commit or decide anything.
//! Invariant: when a turn has ended, every process that it started has ended, and nothing that it said is believed to be
//! more than words.

mod codex;
mod command;
mod turn;

pub(crate) use self::turn::{EndedTurn, TurnOutcome, TurnRequest};
use autoresearch_sys::env::World;
use autoresearch_sys::error::Result;

pub(crate) fn run_turn(world: &World, ask: &TurnRequest<'_>) -> Result<EndedTurn> {
    match &ask.agent.command {
        Some(shell) => command::run_command_turn(world, ask, shell),
        None => codex::run_codex_turn(world, ask),
    }
}
