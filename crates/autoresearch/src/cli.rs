//! Owns the edge: arguments in, one report out, the exit code. The only place that prints.
//! Does not do anything itself; each command calls one use case.
//! Invariant: with `--json` standard output is one JSON object, also for an error.

mod args;
mod background;
mod ceilings;
mod commands;
mod config;
mod entry;
mod exec;
mod gauges;
pub mod hook;
mod install;
mod keys;
mod log;
mod modes;
mod parallel;
mod print;
mod show;
mod supervisor;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use self::commands::{Arguments, dispatch_command};
use self::entry::ProgramEntry;
use self::print::Printer;
use crate::demo;
use crate::run::Place;
use autoresearch_sys::env::World;
use autoresearch_sys::error::Result;
use autoresearch_sys::process::{RUNNER, runner_main};

/// Runs the part of the program that was called and returns its exit code.
#[must_use]
pub fn main(world: &World) -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().collect();
    // A runner is the program by whatever name its parent was called.
    if let Some(code) = run_as_runner(&words) {
        return code;
    }
    // Nobody waits in front of a hook or a supervisor.
    let silent = || World {
        progress: |_| {},
        ..world.clone()
    };
    match entry::find_entry(&words) {
        ProgramEntry::Hook(words) => hook::run_hook(silent(), words),
        ProgramEntry::Supervisor(words) => supervisor::run_supervisor(&silent(), words),
        ProgramEntry::CommandLine => run_command_line(world, words),
    }
}

fn run_command_line(world: &World, words: Vec<OsString>) -> ExitCode {
    let json = words.iter().any(|word| word == "--json");
    let is_exec = self::exec::is_exec_called(&words);
    let arguments = match Arguments::try_parse_from(words) {
        Ok(arguments) => arguments,
        Err(error) if is_exec && error.use_stderr() => {
            return self::exec::print_refusal(&print::make_usage_failure(&error));
        }
        Err(error) => return print::print_clap_error(&error, json),
    };
    let printer = Printer::new(arguments.json);
    let place = Place {
        directory: arguments.directory,
        run: arguments.run,
    };
    // With -C the reader stands elsewhere than the command works: whole paths are right from everywhere.
    let world = &World {
        reader_at: place.directory.is_none().then(|| world.cwd.clone()),
        ..world.clone()
    };
    match dispatch_command(world, &place, &printer, arguments.command) {
        Ok(code) => code,
        Err(failure) => printer.show_failure(&failure),
    }
}

/// Runs a user's command, when that is what this process was started for.
fn run_as_runner(words: &[OsString]) -> Option<ExitCode> {
    match words {
        [_, word, spec] if word == RUNNER => {
            Some(ExitCode::from(runner_main(&spec.to_string_lossy())))
        }
        _ => None,
    }
}

/// Tells a person at a terminal what is being waited for; nothing in a pipe.
pub fn show_progress(what: &str) {
    print::print_progress(what);
}

/// What clap knows of a command.
pub type ClapCommand = clap::Command;

/// The whole command line as clap knows it, for the documents' test.
#[must_use]
pub fn make_clap_command() -> clap::Command {
    Arguments::command()
}

/// Lets `demo` show its rows as they come.
impl demo::DemoAudience for Printer {
    fn is_terminal(&self) -> bool {
        !self.json && print::read_terminal_width().is_some()
    }

    fn show_text(&self, text: &str) -> Result<()> {
        if self.json {
            Ok(())
        } else {
            self.print_text(text).map(drop)
        }
    }
}
