//! Owns the edge of `exec`: JSON lines out, and the exit codes 0, 1 and 2.
//! Does not run anything itself; `batch` does.
//! Invariant: standard output carries one JSON object a line and nothing else; an error is one JSON object on standard
//! error.

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use autoresearch_core::journal::event::End;
use serde_json::json;

use super::keys::{self, ConfigFlags};
use super::print::{self, Printer};
use crate::night::audience::{Audience, DriverEvent, DriverOrder};
use crate::night::exec;
use crate::night::exec::ExecSummary;
use crate::run::Place;
use autoresearch_sys::env::World;
use autoresearch_sys::error::{Failure, Result};

/// The run improved the metric.
const IMPROVED: u8 = 0;
/// It came to its end without.
const NOT_IMPROVED: u8 = 1;
/// It was blocked, or could not begin.
const BLOCKED: u8 = 2;

/// Runs `exec` and gives its exit code.
#[must_use]
pub(super) fn run_exec(world: &World, place: &Place, flags: &ConfigFlags) -> ExitCode {
    match run_with_flags(world, place, flags) {
        Ok(summary) => {
            let _ = Printer::new(true).print_json_line(&summary);
            ExitCode::from(choose_exit_code(&summary))
        }
        Err(failure) => print_refusal(&failure),
    }
}

/// Says why nothing was run, or why it ended.
#[must_use]
pub(super) fn print_refusal(failure: &Failure) -> ExitCode {
    let line = print::failure_to_json(failure, BLOCKED);
    let _ = writeln!(std::io::stderr().lock(), "{line}");
    ExitCode::from(BLOCKED)
}

/// Is `exec` the command among words that could not be read?
#[must_use]
pub(super) fn is_exec_called(words: &[OsString]) -> bool {
    let mut words = words.iter().skip(1);
    while let Some(word) = words.next() {
        if word == "-C" || word == "--run" {
            words.next();
        } else if !word.as_encoded_bytes().starts_with(b"-") {
            return word == "exec";
        }
    }
    false
}

fn choose_exit_code(summary: &ExecSummary) -> u8 {
    let obstacle = [End::Blocked.as_str(), End::Error.as_str()].contains(&summary.status);
    match (summary.improved && summary.reason.is_none(), obstacle) {
        (_, true) => BLOCKED,
        (true, false) => IMPROVED,
        (false, false) => NOT_IMPROVED,
    }
}

fn run_with_flags(world: &World, place: &Place, flags: &ConfigFlags) -> Result<ExecSummary> {
    let file = keys::find_named_file(world, flags)
        .map(|file| crate::config::read_config(world, &file))
        .transpose()?;
    let source = exec::make_exec_source(file, keys::read_overlay(world, flags)?.fields)?;
    exec::exec_run(world, place, &source, &mut TrialLines)
}

/// Prints a line for each trial.
struct TrialLines;

impl Audience for TrialLines {
    fn hear_event(&mut self, happening: &DriverEvent<'_>) {
        match happening {
            DriverEvent::Trial(report) => {
                // A line without fields says at least that there was a trial; the log has the rest.
                let mut line = serde_json::to_value(report).unwrap_or_else(|_| json!({}));
                line["type"] = json!("trial");
                // What is due next is the driver's business.
                if let Some(fields) = line.as_object_mut() {
                    fields.remove("next");
                    fields.remove("due");
                }
                let _ = Printer::new(true).print_json_line(&line);
            }
            DriverEvent::Turn { trial } => {
                print::print_progress(&format!("trial {trial}: the agent edits"));
            }
            DriverEvent::Failed(fault) => print::print_progress(&fault.to_string()),
            DriverEvent::Waiting { why, .. } => print::print_progress(&format!("waiting: {why}")),
            DriverEvent::Note(note) => print::print_progress(note),
            DriverEvent::Measuring | DriverEvent::Strategy(_) => {}
        }
    }

    fn read_order(&mut self) -> Option<DriverOrder> {
        None
    }
}

#[cfg(test)]
mod tests;
