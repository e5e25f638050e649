//! Owns how the rows of a log reach a terminal or a program, also as they come.
//! Does not choose or word them.
//! Invariant: a row fits the terminal, and with `--json` each line is one object.

use std::process::ExitCode;

use autoresearch_core::words::table::Row;

use super::print::{Printer, read_terminal_width};
use crate::look::log;
use crate::look::log::LogFilter;
use crate::run::Place;
use autoresearch_sys::env::World;
use autoresearch_sys::error::Result;

/// How rows are shown.
#[derive(Clone, Copy)]
pub(super) struct LogStyle {
    /// Each with its time?
    pub times: bool,
    /// New ones too, as they come?
    pub follow: bool,
}

pub(super) fn show_log(
    world: &World,
    place: &Place,
    printer: &Printer,
    filter: &LogFilter,
    show: LogStyle,
) -> Result<ExitCode> {
    let width = read_terminal_width().unwrap_or(200);
    let line = |at: &str, row: &Row| {
        let time = if show.times {
            format!("{}  ", autoresearch_sys::env::clock_text_of(at))
        } else {
            String::new()
        };
        let room = width.saturating_sub(time.chars().count());
        format!("{time}{}\n", log::format_row(row, room))
    };
    let head = if show.times {
        String::new()
    } else {
        log::format_head() + "\n"
    };
    if show.follow {
        if !printer.json {
            printer.print_text(&head)?;
        }
        let mut shown = Ok(ExitCode::SUCCESS);
        log::follow_log(world, place, filter, |at, row| {
            if shown.is_ok() {
                shown = if printer.json {
                    printer.print_json_line(row)
                } else {
                    printer.print_text(&line(at, row))
                };
            }
        })?;
        return shown;
    }
    let report = log::read_log(world, place, filter)?;
    if printer.json {
        return printer.print_json_line(&report);
    }
    let rows = report.times.iter().zip(&report.rows);
    let lines: Vec<String> = rows.map(|(at, row)| line(at, row)).collect();
    printer.print_text(&(head + &lines.concat()))
}
