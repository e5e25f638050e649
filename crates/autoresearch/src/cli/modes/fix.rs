//! Owns the words of `fix`: what is broken, and the config for it.
//! Does not run a check.
//! Invariant: without `--write` no file is written.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use autoresearch_core::config::span::parse_span;
use clap::Subcommand;

use crate::cli::print::Printer;
use crate::modes::fix::{FixWords, check_project};
use crate::run::Place;
use autoresearch_sys::env::World;
use autoresearch_sys::error::Result;

/// The words of `fix`.
#[derive(Subcommand, Debug)]
pub(crate) enum FixCommand {
    /// Run what builds, tests, checks types and lints a project, and count what the first broken one finds
    #[command(
        after_help = "Examples:\n  autoresearch fix check --dry-run\n  autoresearch fix check\n  autoresearch fix check --folder packages/web --write\n\nThe checks run one after the other in your work tree, as the files are now, each for at most --timeout. Which commands that are comes from the kind of project; --dry-run lists them and runs nothing. A check that lacks a program cannot run here, and is not broken.\n\nWith --write autoresearch.yaml gets mode fix: verify counts the findings of the first broken kind, in the order build, tests, types, lint, the target is 0, and the guard is what passes today. When it is at zero, call it again for the next kind. It never writes over a file.\n\nExit code 0 also where something is broken; 6 where nothing could be checked."
    )]
    Check(FixCheckWords),
}

/// What `fix check` can be told.
#[derive(clap::Args, Debug)]
pub(crate) struct FixCheckWords {
    /// The project's folder; the current one otherwise
    #[arg(long, value_name = "F")]
    folder: Option<PathBuf>,
    /// Its kind, where a folder has several: a part of its name, such as `python`
    #[arg(long, value_name = "WORD")]
    stack: Option<String>,
    /// How long each check may run, such as `90s` or `1h`
    #[arg(long, value_name = "SPAN", default_value = "15m", value_parser = read_span)]
    timeout: Duration,
    /// Write autoresearch.yaml for what is broken first
    #[arg(long, conflicts_with = "dry_run")]
    write: bool,
    /// List the commands, and run nothing
    #[arg(long)]
    dry_run: bool,
}

fn read_span(text: &str) -> std::result::Result<Duration, String> {
    parse_span(text).map_err(|error| error.to_string())
}

pub(crate) fn run_fix_command(
    world: &World,
    place: &Place,
    printer: &Printer,
    command: FixCommand,
) -> Result<ExitCode> {
    let FixCommand::Check(words) = command;
    let words = FixWords {
        folder: words.folder,
        stack: words.stack,
        limit: words.timeout,
        write: words.write,
        dry_run: words.dry_run,
    };
    printer.print_report(&check_project(world, place, &words)?)
}
