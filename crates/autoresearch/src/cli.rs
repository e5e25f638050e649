//! Owns the edge: arguments in, one report out, the exit code. The only place that prints.
//! Does not do anything itself; each command calls one use case.
//! Invariant: with `--json` standard output is one JSON object, also for an error.

mod args;
mod background;
mod ceilings;
mod config;
mod entry;
mod exec;
pub mod hook;
mod install;
mod keys;
mod log;
mod print;
mod supervisor;

use std::ffi::OsString;
use std::process::ExitCode;

use autoresearch_core::agent::session::ProposedOrder;
use autoresearch_core::decide::ladder::Strategy;
use clap::{CommandFactory, Parser};

use self::args::{Arguments, CliCommand, StrategyWord, TrialWords};
use self::entry::ProgramEntry;
use self::keys::ConfigFlags;
use self::print::Printer;
use crate::hook::propose;
use crate::look::log::LogFilter;
use crate::look::status;
use crate::run::Place;
use crate::run::{raise, resume, session, strategy};
use crate::trial::TrialRequest;
use crate::{demo, doctor, finish, start, trial};
use autoresearch_sys::env::World;
use autoresearch_sys::error::{FailureKind, Result};
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

fn to_order(asked: TrialWords) -> ProposedOrder {
    if asked.drop {
        return ProposedOrder::Drop;
    }
    ProposedOrder::Trial(to_trial_request(asked))
}

fn show_status(world: &World, place: &Place, printer: &Printer) -> Result<ExitCode> {
    let mut report = status::read_status(world, place)?;
    report.width = print::read_terminal_width().unwrap_or(0);
    printer.print_report(&report)
}

fn dispatch_command(
    world: &World,
    place: &Place,
    printer: &Printer,
    command: CliCommand,
) -> Result<ExitCode> {
    match command {
        CliCommand::Start(flags) => start_run(world, place, printer, &flags),
        CliCommand::Trial(asked) => run_trial(world, place, printer, asked),
        CliCommand::Propose(asked) => {
            printer.print_report(&propose::register_order(world, place, to_order(asked))?)
        }
        CliCommand::Background(command) => {
            background::run_background_command(world, place, printer, &command)
        }
        CliCommand::Exec(words) => Ok(self::exec::run_exec(world, place, &words)),
        CliCommand::Strategy { strategy, message } => {
            record_strategy(world, place, printer, strategy, &message)
        }
        CliCommand::Status => show_status(world, place, printer),
        CliCommand::Log {
            status,
            last,
            follow,
            times,
        } => log::show_log(
            world,
            place,
            printer,
            &LogFilter {
                statuses: status,
                last,
            },
            log::LogStyle { times, follow },
        ),
        CliCommand::Resume => printer.print_report(&resume::resume_run(world, place)?),
        CliCommand::Raise(ceilings) => printer.print_report(&raise::raise_limits(
            world,
            place,
            ceilings.to_raise(world)?,
        )?),
        CliCommand::Stop { message } => stop_run(world, place, printer, message),
        CliCommand::Finish => finish_run(world, place, printer),
        CliCommand::Doctor { repair, clean, yes } => run_doctor(
            world,
            place,
            printer,
            doctor::DoctorOptions { repair, clean, yes },
        ),
        CliCommand::Clean { yes } => run_doctor(
            world,
            place,
            printer,
            doctor::DoctorOptions::for_cleaning(yes),
        ),
        CliCommand::Config(command) => config::run_config_command(world, place, printer, command),
        CliCommand::Install(arguments) => install::run_install(world, place, printer, arguments),
        CliCommand::Uninstall { agreement } => install::run_uninstall(world, printer, agreement),
        CliCommand::Hooks(command) => install::run_hooks_command(world, place, printer, command),
        CliCommand::Demo { folder } => demo::run_demo(world, folder.as_deref(), printer)
            .and_then(|report| printer.print_report(&report)),
        CliCommand::Completions { shell } => print_completions(printer, shell),
    }
}

fn finish_run(world: &World, place: &Place, printer: &Printer) -> Result<ExitCode> {
    if session::is_confined(world) {
        return printer.print_report(&propose::register_order(
            world,
            place,
            ProposedOrder::Finish,
        )?);
    }
    printer.print_report(&finish::finish_run(world, place)?)
}

fn run_doctor(
    world: &World,
    place: &Place,
    printer: &Printer,
    orders: doctor::DoctorOptions,
) -> Result<ExitCode> {
    if orders.yes {
        session::refuse_agent(world, "to remove what the tool made")?;
    }
    let report = doctor::run_doctor(world, place, orders)?;
    printer.print_report(&report)?;
    Ok(if report.problems == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FailureKind::Blocked.exit_code())
    })
}

fn start_run(
    world: &World,
    place: &Place,
    printer: &Printer,
    flags: &ConfigFlags,
) -> Result<ExitCode> {
    let (source, variables) = keys::read_start_config(world, flags)?;
    let mut report = start::start_run(world, place, &source)?;
    if !variables.is_empty() {
        let told = format!("taken from variables: {}", variables.join(", "));
        report.warnings.push(told);
    }
    printer.print_report(&report)
}

fn stop_run(world: &World, place: &Place, printer: &Printer, message: String) -> Result<ExitCode> {
    if session::is_confined(world) {
        return printer.print_report(&propose::register_order(
            world,
            place,
            ProposedOrder::Stop { message },
        )?);
    }
    printer.print_report(&finish::stop_run(world, place, &message)?)
}

fn print_completions(printer: &Printer, shell: clap_complete::Shell) -> Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(
        shell,
        &mut Arguments::command(),
        "autoresearch",
        &mut script,
    );
    let script = String::from_utf8_lossy(&script);
    if printer.json {
        return printer
            .print_json_line(&serde_json::json!({"shell": shell.to_string(), "script": script}));
    }
    printer.print_text(&script)
}

fn run_trial(
    world: &World,
    place: &Place,
    printer: &Printer,
    asked: TrialWords,
) -> Result<ExitCode> {
    if asked.drop {
        return printer.print_report(&trial::drop_changes(world, place)?.report);
    }
    printer.print_report(&trial::run_trial(world, place, &to_trial_request(asked))?.report)
}

fn to_trial_request(asked: TrialWords) -> TrialRequest {
    TrialRequest {
        message: asked.message.unwrap_or_default(),
        labels: asked.label,
        simplify: asked.simplify,
        rework: asked.rework,
        again: asked.again,
    }
}

fn record_strategy(
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
            return printer.print_report(&propose::register_order(
                world,
                place,
                ProposedOrder::Block { message },
            )?);
        }
        StrategyWord::Block => {
            return printer.print_report(&finish::block_run(world, place, message)?);
        }
    };
    if session::is_confined(world) {
        let message = message.to_owned();
        let order = ProposedOrder::Strategy { strategy, message };
        return printer.print_report(&propose::register_order(world, place, order)?);
    }
    printer.print_report(&strategy::log_strategy(world, place, strategy, message)?)
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
