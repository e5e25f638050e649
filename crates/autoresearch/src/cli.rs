//! Owns the edge: arguments in, one report out, the exit code. The only place that prints.
//! Does not do anything itself; each command calls one use case.
//! Invariant: with `--json` standard output is one JSON object, also for an error.

mod args;
mod background;
mod ceilings;
mod config;
mod exec;
pub mod hook;
mod install;
mod keys;
mod print;
pub mod supervisor;

use std::ffi::OsString;
use std::process::ExitCode;

use autoresearch_core::agent::session::Order;
use autoresearch_core::decide::ladder::Strategy;
use autoresearch_core::words::table::Row;
use clap::{CommandFactory, Parser};

use self::args::{Arguments, Command, StrategyWord, TrialWords};
use self::keys::ConfigFlags;
use self::print::Printer;
use crate::hook::propose;
use crate::look::{log, status};
use crate::run::Place;
use crate::run::{raise, resume, session, strategy};
use crate::trial::Request;
use crate::{demo, doctor, finish, start, trial};
use autoresearch_sys::env::World;
use autoresearch_sys::error::{Failure, Kind, Result};
use autoresearch_sys::process::{RUNNER, runner_main};

/// Runs one command of a process and returns its exit code.
#[must_use]
pub fn main(world: &World) -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().collect();
    if let Some(code) = runner(&words) {
        return code;
    }
    let json = words.iter().any(|word| word == "--json");
    let is_exec = self::exec::is_called(&words);
    let arguments = match Arguments::try_parse_from(words) {
        Ok(arguments) => arguments,
        Err(error) if is_exec && error.use_stderr() => {
            return self::exec::refuse(&print::misuse(&error));
        }
        Err(error) => return print::usage(&error, json),
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
    match run(world, &place, &printer, arguments.command) {
        Ok(code) => code,
        Err(failure) => printer.failure(&failure),
    }
}

/// Runs a user's command, when that is what this process was started for.
fn runner(words: &[OsString]) -> Option<ExitCode> {
    match words {
        [_, word, spec] if word == RUNNER => {
            Some(ExitCode::from(runner_main(&spec.to_string_lossy())))
        }
        _ => None,
    }
}

fn run(world: &World, place: &Place, printer: &Printer, command: Command) -> Result<ExitCode> {
    match command {
        Command::Start(flags) => begin(world, place, printer, &flags),
        Command::Trial(asked) => trial(world, place, printer, asked),
        Command::Propose(asked) if asked.drop => {
            printer.report(&propose::run(world, place, Order::Drop)?)
        }
        Command::Propose(asked) => {
            let order = Order::Trial(request(asked));
            printer.report(&propose::run(world, place, order)?)
        }
        Command::Background(command) => background::run(world, place, printer, &command),
        Command::Exec(words) => Ok(self::exec::run(world, place, &words)),
        Command::Strategy { strategy, message } => row(world, place, printer, strategy, &message),
        Command::Status => {
            let mut report = status::run(world, place)?;
            report.width = print::terminal_width().unwrap_or(0);
            printer.report(&report)
        }
        Command::Log {
            status,
            last,
            follow,
            times,
        } => show_log(
            world,
            place,
            printer,
            &log::Filter {
                statuses: status,
                last,
            },
            Show { times, follow },
        ),
        Command::Resume => printer.report(&resume::run(world, place)?),
        Command::Raise(ceilings) => {
            printer.report(&raise::run(world, place, ceilings.raise(world)?)?)
        }
        Command::Stop { message } => stop(world, place, printer, message),
        Command::Finish => finish(world, place, printer),
        Command::Doctor { repair, clean, yes } => {
            examine(world, place, printer, doctor::Orders { repair, clean, yes })
        }
        Command::Clean { yes } => examine(world, place, printer, doctor::Orders::cleaning(yes)),
        Command::Config(command) => config::run(world, place, printer, command),
        Command::Install(arguments) => install::install(world, place, printer, arguments),
        Command::Uninstall { agreement } => install::uninstall(world, printer, agreement),
        Command::Hooks(command) => install::hooks(world, place, printer, command),
        Command::Demo { folder } => {
            demo::run(world, folder.as_deref(), printer).and_then(|report| printer.report(&report))
        }
        Command::Completions { shell } => completions(printer, shell),
    }
}

fn finish(world: &World, place: &Place, printer: &Printer) -> Result<ExitCode> {
    if session::is_confined(world) {
        return printer.report(&propose::run(world, place, Order::Finish)?);
    }
    printer.report(&finish::finish(world, place)?)
}

fn examine(
    world: &World,
    place: &Place,
    printer: &Printer,
    orders: doctor::Orders,
) -> Result<ExitCode> {
    if orders.yes {
        session::refuse_agent(world, "to remove what the tool made")?;
    }
    let report = doctor::run(world, place, orders)?;
    printer.report(&report)?;
    Ok(if report.problems == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(Kind::Blocked.exit_code())
    })
}

fn begin(world: &World, place: &Place, printer: &Printer, flags: &ConfigFlags) -> Result<ExitCode> {
    let (source, variables) = keys::read_for_start(world, flags)?;
    let mut report = start::run(world, place, &source)?;
    if !variables.is_empty() {
        let told = format!("taken from variables: {}", variables.join(", "));
        report.warnings.push(told);
    }
    printer.report(&report)
}

fn stop(world: &World, place: &Place, printer: &Printer, message: String) -> Result<ExitCode> {
    if session::is_confined(world) {
        return printer.report(&propose::run(world, place, Order::Stop { message })?);
    }
    printer.report(&finish::stop(world, place, &message)?)
}

fn completions(printer: &Printer, shell: clap_complete::Shell) -> Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(
        shell,
        &mut Arguments::command(),
        "autoresearch",
        &mut script,
    );
    let script = String::from_utf8_lossy(&script);
    if printer.json {
        return printer.line(&serde_json::json!({"shell": shell.to_string(), "script": script}));
    }
    printer.text(&script)
}

fn trial(world: &World, place: &Place, printer: &Printer, asked: TrialWords) -> Result<ExitCode> {
    if asked.drop {
        return printer.report(&trial::drop_changes(world, place)?);
    }
    printer.report(&trial::run(world, place, &request(asked))?)
}

fn request(asked: TrialWords) -> Request {
    Request {
        message: asked.message.unwrap_or_default(),
        labels: asked.label,
        simplify: asked.simplify,
        rework: asked.rework,
        again: asked.again,
    }
}

fn row(
    world: &World,
    place: &Place,
    printer: &Printer,
    chosen: StrategyWord,
    message: &str,
) -> Result<ExitCode> {
    let strategy = match chosen {
        StrategyWord::Refine => Strategy::Refine,
        StrategyWord::Pivot => Strategy::Pivot,
        StrategyWord::Search => Strategy::Search,
        StrategyWord::Block if session::is_confined(world) => {
            let message = message.to_owned();
            return printer.report(&propose::run(world, place, Order::Block { message })?);
        }
        StrategyWord::Block => return printer.report(&finish::block(world, place, message)?),
    };
    if session::is_confined(world) {
        let message = message.to_owned();
        let order = Order::Strategy { strategy, message };
        return printer.report(&propose::run(world, place, order)?);
    }
    printer.report(&strategy::run(world, place, strategy, message)?)
}

/// How rows are shown.
#[derive(Clone, Copy)]
struct Show {
    /// Each with its time?
    times: bool,
    /// New ones too, as they come?
    follow: bool,
}

fn show_log(
    world: &World,
    place: &Place,
    printer: &Printer,
    filter: &log::Filter,
    show: Show,
) -> Result<ExitCode> {
    let width = print::terminal_width().unwrap_or(200);
    let line = |at: &str, row: &Row| {
        let time = if show.times {
            format!("{}  ", autoresearch_sys::env::clock_text_of(at))
        } else {
            String::new()
        };
        let room = width.saturating_sub(time.chars().count());
        format!("{time}{}\n", log::line(row, room))
    };
    let head = if show.times {
        String::new()
    } else {
        log::head() + "\n"
    };
    if show.follow {
        if !printer.json {
            printer.text(&head)?;
        }
        let mut shown = Ok(ExitCode::SUCCESS);
        log::follow(world, place, filter, |at, row| {
            if shown.is_ok() {
                shown = if printer.json {
                    printer.line(row)
                } else {
                    printer.text(&line(at, row))
                };
            }
        })?;
        return shown;
    }
    let report = log::run(world, place, filter)?;
    if printer.json {
        return printer.line(&report);
    }
    let rows = report.times.iter().zip(&report.rows);
    let lines: Vec<String> = rows.map(|(at, row)| line(at, row)).collect();
    printer.text(&(head + &lines.concat()))
}

/// Tells a person at a terminal what is being waited for; nothing in a pipe.
pub fn progress(what: &str) {
    print::progress(what);
}

/// What clap knows of a command.
pub type Clap = clap::Command;

/// The whole command line as clap knows it, for the documents' test.
#[must_use]
pub fn command() -> clap::Command {
    Arguments::command()
}

/// Lets `demo` show its rows as they come.
impl demo::Audience for Printer {
    fn is_terminal(&self) -> bool {
        !self.json && print::terminal_width().is_some()
    }

    fn show(&self, text: &str) -> Result<()> {
        if self.json {
            Ok(())
        } else {
            self.text(text).map(drop)
        }
    }
}

/// An error of the terminal or pipe that we print to.
fn print_failure(error: &std::io::Error) -> Failure {
    Failure::io("could not print", error)
}
