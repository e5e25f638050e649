//! Owns the conversation of `install`, `uninstall` and `hooks`: the plan is shown, the yes is asked for, the rest follows.
//! Does not know what a plan does.
//! Invariant: without `--yes`, or a yes typed at a terminal, nothing is written.

use std::process::ExitCode;

use super::args::{Agreement, HooksCommand, InstallArguments};
use super::print::Printer;
use crate::run::Place;
use crate::run::session;
use autoresearch_codex::config::rules::StartRule;
use autoresearch_codex::install;
use autoresearch_codex::install::plan::{Plan, State};
use autoresearch_codex::install::remove;
use autoresearch_codex::install::remove::Scope;
use autoresearch_codex::install::{Request, Target, standing};
use autoresearch_sys::env::World;
use autoresearch_sys::error::{Failure, Result};

pub fn install(
    world: &World,
    place: &Place,
    printer: &Printer,
    arguments: InstallArguments,
) -> Result<ExitCode> {
    if arguments.rule_start && !arguments.agreement.dry_run {
        session::refuse_agent(
            world,
            "to let `start` out of the sandbox without a question",
        )?;
    }
    let rule = match (arguments.rule, arguments.rule_start) {
        (_, true) => Some(StartRule::Allow),
        (true, false) => Some(StartRule::Prompt),
        (false, false) => None,
    };
    let request = Request {
        target: Some(arguments.project.map_or(Target::User, Target::Project)),
        hooks: arguments.hooks,
        rule,
    };
    put_in(&there(world, place), printer, &request, arguments.agreement)
}

pub fn uninstall(world: &World, printer: &Printer, agreement: Agreement) -> Result<ExitCode> {
    take_out(world, printer, Scope::All, agreement)
}

pub fn hooks(
    world: &World,
    place: &Place,
    printer: &Printer,
    command: HooksCommand,
) -> Result<ExitCode> {
    match command {
        HooksCommand::Install { agreement } => {
            let request = Request {
                hooks: true,
                ..Request::default()
            };
            put_in(&there(world, place), printer, &request, agreement)
        }
        HooksCommand::Status => printer.report(&standing::look(world, &place.folder(world))),
        HooksCommand::Uninstall { agreement } => take_out(world, printer, Scope::Hooks, agreement),
    }
}

/// The world as seen from the folder of `-C`.
fn there(world: &World, place: &Place) -> World {
    World {
        cwd: place.folder(world),
        ..world.clone()
    }
}

fn put_in(
    world: &World,
    printer: &Printer,
    request: &Request,
    agreement: Agreement,
) -> Result<ExitCode> {
    let plan = install::plan(world, request)?;
    if !plan.is_empty() && !may_go_on(printer, &plan, agreement)? {
        return printer.report(&plan.report(State::Planned));
    }
    printer.report(&install::apply(world, plan)?)
}

fn take_out(
    world: &World,
    printer: &Printer,
    scope: Scope,
    agreement: Agreement,
) -> Result<ExitCode> {
    let plan = remove::plan(world, scope)?;
    if !plan.is_empty() && !may_go_on(printer, &plan, agreement)? {
        return printer.report(&plan.report(State::Planned));
    }
    printer.report(&remove::apply(world, plan, scope)?)
}

/// Is the person's yes there? A dry run and a no leave it at the plan.
fn may_go_on(printer: &Printer, plan: &Plan, agreement: Agreement) -> Result<bool> {
    if agreement.dry_run {
        return Ok(false);
    }
    if agreement.yes {
        return Ok(true);
    }
    let question = format!("{}\n\nGo on? [y/N] ", plan.report(State::Planned));
    match printer.ask(&question)? {
        Some(answer) => Ok(answer),
        None => Err(Failure::blocked(format!(
            "`{}` needs a yes, and there is no terminal to ask at",
            plan.action
        ))
        .hint(
            "nothing was written. Look at what it would do with --dry-run, then run it with --yes",
        )),
    }
}
