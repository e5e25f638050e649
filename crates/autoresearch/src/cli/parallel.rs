//! Owns the words of `parallel`: hypotheses that are tried at once.
//! Does not act on them.
//! Invariant: what a session in a sandbox cannot do is refused before anything is done.

use std::process::ExitCode;

use clap::Subcommand;

use super::print::Printer;
use crate::batch::{BatchRequest, abort_batch, close_batch, open_batch};
use crate::run::Place;
use autoresearch_sys::env::World;
use autoresearch_sys::error::{Failure, Result};

/// What can be done with a batch.
#[derive(Subcommand, Debug)]
pub(super) enum ParallelCommand {
    /// Open a batch: make a work tree at the kept state for each hypothesis
    #[command(
        after_help = "Example:\n  autoresearch parallel open -n 3 -m \"cache the parse\" -m \"drop the copy\" -m \"sort once\"\n\nThe answer names a tree for each hypothesis: edit there, and leave git alone. Until the batch is closed no other trial begins.\n\nWhere the disk, the memory or the repository does not allow it, that is said, nothing is left open, and the run goes on with one trial after the other."
    )]
    Open(OpenWords),
    /// Measure what was edited in the trees, keep the best where it holds, give the trees back
    #[command(
        after_help = "Example:\n  autoresearch parallel close\n\nEach tree is measured once. The best that passes the guard becomes a trial of its own: its changes are brought into the run's tree and measured afresh, and only that decides. Where it does not hold, the next best is tried. All of it is one trial for the limits.\n\nCalled again after an interruption, it goes on where it stopped."
    )]
    Close,
    /// Give the open batch up: it counts as nothing, and what was edited stays reachable
    #[command(after_help = "Example:\n  autoresearch parallel abort")]
    Abort,
}

/// What a batch is opened with.
#[derive(clap::Args, Debug)]
pub(super) struct OpenWords {
    /// How many hypotheses: 2 or 3
    #[arg(short = 'n', long, value_name = "N")]
    number: Option<usize>,
    /// A hypothesis, in one sentence; once for each tree
    #[arg(
        short,
        long,
        value_name = "MSG",
        required = true,
        allow_hyphen_values = true
    )]
    message: Vec<String>,
    /// Try further winners on top of the first, each in a trial of its own
    #[arg(long)]
    stack: bool,
}

pub(super) fn run_batch(
    world: &World,
    place: &Place,
    printer: &Printer,
    command: ParallelCommand,
) -> Result<ExitCode> {
    match command {
        ParallelCommand::Open(words) => {
            let request = to_request(words)?;
            printer.print_report(&open_batch(world, place, &request)?)
        }
        ParallelCommand::Close => printer.print_report(&close_batch(world, place)?),
        ParallelCommand::Abort => printer.print_report(&abort_batch(world, place)?),
    }
}

fn to_request(words: OpenWords) -> Result<BatchRequest> {
    let given = words.message.len();
    match words.number {
        Some(number) if number != given => Err(Failure::usage(format!(
            "-n asks for {number} hypotheses, and {given} are given"
        ))
        .hint("give -m once for each tree, or leave out -n")),
        _ => Ok(BatchRequest {
            hypotheses: words.message,
            stack: words.stack,
        }),
    }
}
