//! Owns the turn of a plain command: it gets the brief on standard input and edits files.
//! Does not sandbox it: it is the user's own command.
//! Invariant: what it prints is read as an answer, and as nothing else.

use autoresearch_core::agent::answer::Answer;
use autoresearch_core::agent::outage::Fault;

use super::{Ask, Ended, Outcome, environment, run};
use autoresearch_sys::env::World;
use autoresearch_sys::error::Result;
use autoresearch_sys::process::{How, What};

/// The status by which a command says that its service cannot be had now (`EX_TEMPFAIL` of sysexits.h).
const TEMPORARY: i32 = 75;

/// Runs the command.
pub fn turn(world: &World, ask: &Ask<'_>, shell: &str) -> Result<Ended> {
    let command = What::Shell(shell.to_owned());
    let (ended, printed) = run(world, ask, command, &environment(world, ask))?;
    let said = String::from_utf8_lossy(&printed.stdout);
    let last = String::from_utf8_lossy(&printed.stderr);
    let last = last.lines().last().unwrap_or_default().to_owned();
    let outcome = match ended.how {
        How::Exited(0) => Outcome::Answered(Answer::read(&said)),
        How::Exited(TEMPORARY) => Outcome::Failed(Fault::Server(last)),
        How::Exited(127) => Outcome::Failed(Fault::Setup(last)),
        How::Exited(status) => {
            Outcome::Failed(Fault::Other(format!("exit status {status}: {last}")))
        }
        How::Signalled(signal) => {
            Outcome::Failed(Fault::Other(format!("ended by signal {signal}")))
        }
        How::TimedOut => Outcome::Failed(Fault::Deadline),
        How::Flooded => Outcome::Failed(Fault::Other("it printed too much".to_owned())),
        How::NotStarted(error) => Outcome::Failed(Fault::Setup(error)),
        How::Cancelled => Outcome::Cancelled,
    };
    Ok(Ended {
        thread: None,
        tokens: 0,
        outcome,
    })
}
