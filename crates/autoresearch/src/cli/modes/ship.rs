//! Owns the words of `ship`: the gates of a release.
//! Does not run a gate.
//! Invariant: the exit code says whether a required gate is open, and nothing else that a gate did.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;

use crate::cli::print::Printer;
use crate::config::CONFIG_FILE;
use crate::modes::ship::{ShipWords, check_gates};
use crate::run::Place;
use autoresearch_sys::env::World;
use autoresearch_sys::error::Result;

/// The exit code of a release that waits for something.
const OPEN: u8 = 1;

/// The words of `ship`.
#[derive(Subcommand, Debug)]
pub(crate) enum ShipCommand {
    /// Run the gates of the config, and write which of them are open as a checklist
    #[command(
        after_help = "Examples:\n  autoresearch ship check --dry-run\n  autoresearch ship check\n  autoresearch ship check --config release.yaml --json\n\nEach gate of `gates:` is a command with what it must come to: an exit status, and what it prints or does not print. They run one after the other in your work tree, as the files are now, each for at most its timeout; with `verify: {sandbox: true}` in the same sandbox as verify. --dry-run lists them and runs nothing. A gate that lacks a program cannot run here, and nothing is known of what it checks.\n\nThe checklist goes to autoresearch-results/ship: checklist.md and checklist.json, which git ignores. Nothing is released: that is a person's to do.\n\nTo let an agent close what is open, write `verify: {gates: true}`: the metric of the run is the number of open gates.\n\nExit code 0 when every required gate passes, 1 when one is open or cannot run."
    )]
    Check(ShipCheckWords),
}

/// What `ship check` can be told.
#[derive(clap::Args, Debug)]
pub(crate) struct ShipCheckWords {
    /// The config file; `-` reads standard input
    #[arg(long, value_name = "FILE", default_value = CONFIG_FILE)]
    config: PathBuf,
    /// List the gates, and run nothing
    #[arg(long)]
    dry_run: bool,
}

pub(crate) fn run_ship_command(
    world: &World,
    place: &Place,
    printer: &Printer,
    command: ShipCommand,
) -> Result<ExitCode> {
    let ShipCommand::Check(words) = command;
    let words = ShipWords {
        config: words.config,
        dry_run: words.dry_run,
    };
    let report = check_gates(world, place, &words)?;
    let shown = printer.print_report(&report)?;
    Ok(if report.is_ready() {
        shown
    } else {
        ExitCode::from(OPEN)
    })
}
