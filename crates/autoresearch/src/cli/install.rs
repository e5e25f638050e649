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
use autoresearch_codex::install::plan::{InstallPlan, InstallState};
use autoresearch_codex::install::remove;
use autoresearch_codex::install::remove::RemovalScope;
use autoresearch_codex::install::skill::InstallTarget;
use autoresearch_codex::install::{InstallRequest, standing};
use autoresearch_sys::env::World;
use autoresearch_sys::error::{Failure, Result};

pub(super) fn run_install(
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
    let request = InstallRequest {
        target: Some(
            arguments
                .project
                .map_or(InstallTarget::User, InstallTarget::Project),
        ),
        hooks: arguments.hooks,
        rule,
    };
    install_after_yes(
        &make_world_at(world, place),
        printer,
        &request,
        arguments.agreement,
    )
}

pub(super) fn run_uninstall(
    world: &World,
    printer: &Printer,
    agreement: Agreement,
) -> Result<ExitCode> {
    remove_after_yes(world, printer, RemovalScope::All, agreement)
}

pub(super) fn run_hooks_command(
    world: &World,
    place: &Place,
    printer: &Printer,
    command: HooksCommand,
) -> Result<ExitCode> {
    match command {
        HooksCommand::Install { agreement } => {
            let request = InstallRequest {
                hooks: true,
                ..InstallRequest::default()
            };
            install_after_yes(&make_world_at(world, place), printer, &request, agreement)
        }
        HooksCommand::Status => {
            printer.print_report(&standing::report_hooks(world, &place.search_folder(world)))
        }
        HooksCommand::Uninstall { agreement } => {
            remove_after_yes(world, printer, RemovalScope::Hooks, agreement)
        }
    }
}

/// The world as seen from the folder of `-C`.
fn make_world_at(world: &World, place: &Place) -> World {
    World {
        cwd: place.search_folder(world),
        ..world.clone()
    }
}

fn install_after_yes(
    world: &World,
    printer: &Printer,
    request: &InstallRequest,
    agreement: Agreement,
) -> Result<ExitCode> {
    let plan = install::plan_installation(world, request)?;
    if !plan.is_empty() && !ask_for_yes(printer, &plan, agreement)? {
        return printer.print_report(&plan.to_report(InstallState::Planned));
    }
    printer.print_report(&install::apply_installation(world, plan)?)
}

fn remove_after_yes(
    world: &World,
    printer: &Printer,
    scope: RemovalScope,
    agreement: Agreement,
) -> Result<ExitCode> {
    let plan = remove::plan_removal(world, scope)?;
    if !plan.is_empty() && !ask_for_yes(printer, &plan, agreement)? {
        return printer.print_report(&plan.to_report(InstallState::Planned));
    }
    printer.print_report(&remove::apply_removal(world, plan, scope)?)
}

/// Is the person's yes there? A dry run and a no leave it at the plan.
fn ask_for_yes(printer: &Printer, plan: &InstallPlan, agreement: Agreement) -> Result<bool> {
    if agreement.dry_run {
        return Ok(false);
    }
    if agreement.yes {
        return Ok(true);
    }
    let question = format!("{}\n\nGo on? [y/N] ", plan.to_report(InstallState::Planned));
    match printer.ask_yes_no(&question)? {
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
