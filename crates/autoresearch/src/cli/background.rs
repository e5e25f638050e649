//! Owns the edge of `background`: its words, and what each prints.
//! Does not start or end anything itself.
//! Invariant: `attach` ends with Ctrl-C, and looking never touches the run.

use std::path::PathBuf;
use std::process::ExitCode;

use autoresearch_core::journal::event::Raise;
use clap::Subcommand;

use super::ceilings::Ceilings;
use super::log::{LogStyle, show_log};
use super::print::Printer;
use crate::look::log;
use crate::night::audience::DriverOrder;
use crate::night::background;
use crate::night::background::OrderPace;
use crate::run::Place;
use autoresearch_sys::env::World;
use autoresearch_sys::error::Result;

/// The commands about background runs.
#[derive(Subcommand, Debug)]
pub(super) enum BackgroundCommand {
    /// Hand a run over to a supervisor, which continues it to its end; with --config, start the run first
    #[command(
        after_help = "Examples:\n  autoresearch background start --config autoresearch.yaml --until 07:00\n  autoresearch background start                    (the run that is open here)\n  autoresearch background start --iterations 30    (ends after 30 trials in total)"
    )]
    Start {
        /// Start a run with this config first
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
        /// Ceilings to set
        #[command(flatten)]
        ceilings: Ceilings,
    },
    /// Show whether a supervisor is at work, and where the run stands
    #[command(after_help = "Example:\n  autoresearch background status --json")]
    Status,
    /// End the run: a trial that is being measured finishes first, unmeasured edits are undone
    #[command(
        after_help = "Examples:\n  autoresearch background stop\n  autoresearch background stop --now"
    )]
    Stop {
        /// Undo the current trial instead of finishing it
        #[arg(long)]
        now: bool,
    },
    /// Pause the run: continue it later, in the background or by hand
    #[command(after_help = "Example:\n  autoresearch background pause")]
    Pause {
        /// Undo the current trial instead of finishing it
        #[arg(long)]
        now: bool,
    },
    /// Continue a run that was paused, or whose supervisor died
    #[command(after_help = "Example:\n  autoresearch background resume")]
    Resume,
    /// Show what the supervisor did
    #[command(after_help = "Example:\n  autoresearch background logs --last 20")]
    Logs {
        /// Only the last N lines
        #[arg(long, value_name = "N", default_value_t = 50)]
        last: usize,
    },
    /// Show the rows as they come, until the run ends or Ctrl-C; the run continues
    #[command(after_help = "Example:\n  autoresearch background attach")]
    Attach,
}

/// Runs one of them.
pub(super) fn run_background_command(
    world: &World,
    place: &Place,
    printer: &Printer,
    command: &BackgroundCommand,
) -> Result<ExitCode> {
    let when = |now: &bool| {
        if *now {
            OrderPace::Now
        } else {
            OrderPace::Gracefully
        }
    };
    let report = match command {
        BackgroundCommand::Start { config, ceilings } => {
            let source = config
                .as_ref()
                .map(|file| crate::config::read_config(world, file));
            background::start_background(
                world,
                place,
                source.transpose()?.as_ref(),
                ceilings.to_raise(world)?,
            )?
        }
        BackgroundCommand::Resume => {
            background::start_background(world, place, None, Raise::default())?
        }
        BackgroundCommand::Status => background::read_background(world, place)?,
        BackgroundCommand::Stop { now } => {
            background::give_order(world, place, DriverOrder::Stop, when(now))?
        }
        BackgroundCommand::Pause { now } => {
            background::give_order(world, place, DriverOrder::Pause, when(now))?
        }
        BackgroundCommand::Logs { last } => {
            return print_supervisor_log(world, place, printer, *last);
        }
        BackgroundCommand::Attach => {
            let report = background::read_background(world, place)?;
            printer.print_report(&report)?;
            let filter = log::LogFilter {
                statuses: Vec::new(),
                last: Some(20),
            };
            return show_log(
                world,
                place,
                printer,
                &filter,
                LogStyle {
                    times: false,
                    follow: true,
                },
            );
        }
    };
    printer.print_report(&report)
}

fn print_supervisor_log(
    world: &World,
    place: &Place,
    printer: &Printer,
    last: usize,
) -> Result<ExitCode> {
    let lines = background::read_log_lines(world, place, last)?;
    if printer.json {
        return printer.print_json_line(&serde_json::json!({"lines": lines}));
    }
    let lines: Vec<String> = lines
        .iter()
        .map(|line| background::show_log_line(line))
        .collect();
    printer.print_text(&(lines.join("\n") + "\n"))
}

#[cfg(test)]
mod tests;
