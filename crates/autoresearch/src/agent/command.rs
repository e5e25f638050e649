//! Owns the turn of a plain command: it gets the brief on standard input and edits files.
//! Does not sandbox it: it is the user's own command.
//! Invariant: what it prints is read as an answer, and as nothing else.

use autoresearch_core::agent::answer::AgentAnswer;
use autoresearch_core::agent::outage::TurnFault;

use super::turn::{EndedTurn, TurnOutcome, TurnRequest, make_environment, run_with_brief};
use autoresearch_sys::env::World;
use autoresearch_sys::error::Result;
use autoresearch_sys::process::{CommandEnd, CommandLine};

/// The status by which a command says that its service cannot be had now (`EX_TEMPFAIL` of sysexits.h).
const TEMPORARY: i32 = 75;

pub(super) fn run_command_turn(
    world: &World,
    ask: &TurnRequest<'_>,
    shell: &str,
) -> Result<EndedTurn> {
    let command = CommandLine::Shell(shell.to_owned());
    let (ended, printed) = run_with_brief(world, ask, command, &make_environment(world, ask))?;
    let said = String::from_utf8_lossy(&printed.stdout);
    let last = String::from_utf8_lossy(&printed.stderr);
    let last = last.lines().last().unwrap_or_default().to_owned();
    let outcome = match ended.how {
        CommandEnd::Exited(0) => TurnOutcome::Answered(AgentAnswer::find_in_text(&said)),
        CommandEnd::Exited(TEMPORARY) => TurnOutcome::Failed(TurnFault::Server(last)),
        CommandEnd::Exited(127) => TurnOutcome::Failed(TurnFault::Setup(last)),
        CommandEnd::Exited(status) => {
            TurnOutcome::Failed(TurnFault::Other(format!("exit status {status}: {last}")))
        }
        CommandEnd::Signalled(signal) => {
            TurnOutcome::Failed(TurnFault::Other(format!("killed by signal {signal}")))
        }
        CommandEnd::TimedOut => TurnOutcome::Failed(TurnFault::Deadline),
        CommandEnd::Flooded => {
            TurnOutcome::Failed(TurnFault::Other("it printed too much".to_owned()))
        }
        CommandEnd::NotStarted(error)
        | CommandEnd::NotShown(error)
        | CommandEnd::NotConfined(error) => TurnOutcome::Failed(TurnFault::Setup(error)),
        CommandEnd::Cancelled => TurnOutcome::Cancelled,
    };
    Ok(EndedTurn {
        thread: None,
        tokens: 0,
        outcome,
    })
}
