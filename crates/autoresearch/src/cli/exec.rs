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
use crate::night::driver::{Audience, Happening, Order};
use crate::night::exec;
use crate::night::exec::Summary;
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
pub fn run(world: &World, place: &Place, flags: &ConfigFlags) -> ExitCode {
    match attempt(world, place, flags) {
        Ok(summary) => {
            let _ = Printer::new(true).line(&summary);
            ExitCode::from(code(&summary))
        }
        Err(failure) => refuse(&failure),
    }
}

/// Says why nothing was run, or why it ended.
#[must_use]
pub fn refuse(failure: &Failure) -> ExitCode {
    let line = print::failure_object(failure, BLOCKED);
    let _ = writeln!(std::io::stderr().lock(), "{line}");
    ExitCode::from(BLOCKED)
}

/// Is `exec` the command among words that could not be read?
#[must_use]
pub fn is_called(words: &[OsString]) -> bool {
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

fn code(summary: &Summary) -> u8 {
    let obstacle = [End::Blocked.word(), End::Error.word()].contains(&summary.status);
    match (summary.improved, obstacle) {
        (_, true) => BLOCKED,
        (true, false) => IMPROVED,
        (false, false) => NOT_IMPROVED,
    }
}

fn attempt(world: &World, place: &Place, flags: &ConfigFlags) -> Result<Summary> {
    let file = keys::named_file(world, flags)
        .map(|file| crate::config::read(world, &file))
        .transpose()?;
    let source = exec::source(file, keys::overlay(world, flags)?.fields)?;
    exec::run(world, place, &source, &mut Lines)
}

/// Prints a line for each trial.
struct Lines;

impl Audience for Lines {
    fn hear(&mut self, happening: &Happening<'_>) {
        match happening {
            Happening::Trial(report) => {
                // A line without fields says at least that there was a trial; the log has the rest.
                let mut line = serde_json::to_value(report).unwrap_or_else(|_| json!({}));
                line["type"] = json!("trial");
                // What is due next is the driver's business.
                if let Some(fields) = line.as_object_mut() {
                    fields.remove("next");
                    fields.remove("due");
                }
                let _ = Printer::new(true).line(&line);
            }
            Happening::Turn { trial } => {
                print::progress(&format!("trial {trial}: the agent edits"));
            }
            Happening::Failed(fault) => print::progress(&fault.to_string()),
            Happening::Waiting { why, .. } => print::progress(&format!("waiting: {why}")),
            Happening::Note(note) => print::progress(note),
            Happening::Measuring | Happening::Strategy(_) => {}
        }
    }

    fn order(&mut self) -> Option<Order> {
        None
    }
}
