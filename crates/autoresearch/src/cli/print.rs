//! Owns standard output and standard error.
//! Does not know what is printed.
//! Invariant: a reader that closes its pipe early is not an error.

use std::fmt::Display;
use std::io::{ErrorKind, IsTerminal, Write};
use std::process::ExitCode;

use serde::Serialize;
use serde_json::json;

use autoresearch_sys::env::World;
use autoresearch_sys::error::{Failure, FailureKind, Result};

/// Prints reports in the form that was asked for.
pub(super) struct Printer {
    /// One JSON object, or text for people.
    pub json: bool,
}

impl Printer {
    /// A printer.
    #[must_use]
    pub(super) fn new(json: bool) -> Self {
        Self { json }
    }

    /// Prints the report of a command.
    pub(super) fn print_report(&self, report: &(impl Serialize + Display)) -> Result<ExitCode> {
        if self.json {
            self.print_json_line(report)
        } else {
            self.print_text(&format!("{report}\n"))
        }
    }

    /// Prints an object as one line of JSON.
    pub(super) fn print_json_line(&self, object: &impl Serialize) -> Result<ExitCode> {
        let line = serde_json::to_string(object).map_err(|error| {
            Failure::new(
                FailureKind::Internal,
                "a report could not be written as JSON",
            )
            .because(&error)
        })?;
        self.print_text(&(line + "\n"))
    }

    /// Prints a text as it is.
    pub(super) fn print_text(&self, text: &str) -> Result<ExitCode> {
        self.print_bytes(text.as_bytes())
    }

    /// Prints bytes as they are.
    #[expect(clippy::unused_self, reason = "printing goes through the printer")]
    pub(super) fn print_bytes(&self, bytes: &[u8]) -> Result<ExitCode> {
        let mut out = std::io::stdout().lock();
        match out.write_all(bytes).and_then(|()| out.flush()) {
            Ok(()) => Ok(ExitCode::SUCCESS),
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(ExitCode::SUCCESS),
            Err(error) => Err(make_print_error(&error)),
        }
    }

    /// Asks a person at a terminal; `None` where nobody can be asked.
    pub(super) fn ask_yes_no(&self, question: &str) -> Result<Option<bool>> {
        let input = std::io::stdin();
        if self.json || !input.is_terminal() || !std::io::stdout().is_terminal() {
            return Ok(None);
        }
        self.print_text(question)?;
        let mut answer = String::new();
        input
            .read_line(&mut answer)
            .map_err(|error| Failure::io("could not read the answer", &error))?;
        let answer = answer.trim().to_lowercase();
        Ok(Some(["y", "yes"].contains(&answer.as_str())))
    }

    /// Prints a failure, and gives its exit code.
    #[must_use]
    pub(super) fn show_failure(&self, failure: &Failure) -> ExitCode {
        if self.json {
            let object = failure_to_json(failure, failure.kind.exit_code());
            let _ = self.print_text(&format!("{object}\n"));
        } else {
            let _ = writeln!(std::io::stderr().lock(), "{failure}");
        }
        ExitCode::from(failure.kind.exit_code())
    }
}

/// A failure as the one object that programs get.
#[must_use]
pub(super) fn failure_to_json(failure: &Failure, exit_code: u8) -> serde_json::Value {
    json!({
        "error": failure.error,
        "caused_by": failure.causes,
        "warnings": failure.warnings,
        "hint": failure.hint,
        "kind": failure.kind,
        "exit_code": exit_code,
    })
}

/// What clap has to say against the arguments, as a failure of ours.
#[must_use]
pub(super) fn make_usage_failure(error: &clap::Error) -> Failure {
    if error.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return Failure::usage("a command is missing").hint("see --help");
    }
    // What is missing and which values there are stands in lines of its own, before the first empty one.
    let text = error.to_string();
    let lines = text.lines().take_while(|line| !line.is_empty());
    let first = lines.map(str::trim).collect::<Vec<_>>().join(" ");
    Failure::usage(first.trim_start_matches("error: ")).hint("see --help")
}

/// Prints what clap has to say: help and version on standard output, errors on standard error, or as one JSON object.
#[must_use]
pub(super) fn print_clap_error(error: &clap::Error, json: bool) -> ExitCode {
    if json && error.use_stderr() {
        return Printer { json }.show_failure(&make_usage_failure(error));
    }
    let _ = error.print();
    if error.use_stderr() {
        ExitCode::from(FailureKind::Usage.exit_code())
    } else {
        ExitCode::SUCCESS
    }
}

/// An error of the terminal or pipe that we print to.
fn make_print_error(error: &std::io::Error) -> Failure {
    Failure::io("could not print", error)
}

/// One line on standard error, if that is a terminal.
pub(super) fn print_progress(what: &str) {
    let mut err = std::io::stderr().lock();
    if err.is_terminal() {
        let _ = writeln!(err, "… {what}");
    }
}

/// Does whoever reads a terminal want colours on it?
#[must_use]
pub(super) fn are_colours_wanted(world: &World) -> bool {
    let said = |name| world.find_variable(name).filter(|value| !value.is_empty());
    read_terminal_width().is_some()
        && said("NO_COLOR").is_none()
        && said("TERM").is_none_or(|term| term != "dumb")
}

/// The columns of the terminal that standard output is, if it is one.
#[must_use]
pub(super) fn read_terminal_width() -> Option<usize> {
    let out = std::io::stdout();
    let size = rustix::termios::tcgetwinsize(&out).ok()?;
    Some(if size.ws_col == 0 {
        80
    } else {
        size.ws_col.into()
    })
}

#[cfg(test)]
mod tests;
