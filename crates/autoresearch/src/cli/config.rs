//! Owns `config check`, `config try`, `config schema` and `config example`.
//! Does not know what a config means.
//! Invariant: `check` and `try` exit with 3 exactly when `start` would refuse what they looked at.

use std::fmt;
use std::process::ExitCode;

use autoresearch_core::config::{Problem, Severity, find_nearest_word, make_config_schema};
use autoresearch_core::words::text::format_count;
use serde::Serialize;
use serde_json::json;

use super::args::ConfigCommand;
use super::print::Printer;
use crate::config::templates;
use crate::config::{
    ConfigSource, check_config_in, check_config_text, format_problem, read_config,
};
use crate::run::Place;
use crate::start::preflight;
use crate::start::trying::try_config;
use autoresearch_sys::env::World;
use autoresearch_sys::error::{Failure, FailureKind, Result};

#[derive(Serialize)]
struct ConfigCheckReport {
    file: String,
    ok: bool,
    /// Was the repository looked at as well?
    in_repository: bool,
    problems: Vec<Problem>,
}

pub(super) fn run_config_command(
    world: &World,
    place: &Place,
    printer: &Printer,
    command: ConfigCommand,
) -> Result<ExitCode> {
    match command {
        ConfigCommand::Check { file } => {
            print_config_check(world, place, printer, &read_config(world, &file)?)
        }
        ConfigCommand::Try { file } => {
            let report = try_config(world, place, &read_config(world, &file)?)?;
            printer.print_report(&report)?;
            Ok(to_exit_code(report.ok))
        }
        ConfigCommand::Schema => {
            let text = serde_json::to_string_pretty(&make_config_schema()).map_err(|error| {
                Failure::new(
                    FailureKind::Internal,
                    "the schema could not be written as JSON",
                )
                .because(&error)
            })?;
            printer.print_text(&(text + "\n"))
        }
        ConfigCommand::Example { domain } => print_example(printer, domain.as_deref()),
    }
}

fn print_config_check(
    world: &World,
    place: &Place,
    printer: &Printer,
    source: &ConfigSource,
) -> Result<ExitCode> {
    let site = preflight::read_start_site(world, &place.search_folder(world), &[]);
    let checked = match &site {
        Ok(site) => check_config_in(world, source, &site.git)?,
        Err(_) => check_config_text(source),
    };
    let ok = checked
        .problems
        .iter()
        .all(|problem| problem.severity != Severity::Error);
    let report = ConfigCheckReport {
        file: source.name.clone(),
        ok,
        in_repository: site.is_ok(),
        problems: checked.problems,
    };
    printer.print_report(&report)?;
    Ok(to_exit_code(ok))
}

fn to_exit_code(ok: bool) -> ExitCode {
    if ok {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FailureKind::Config.exit_code())
    }
}

impl fmt::Display for ConfigCheckReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in &self.problems {
            writeln!(out, "{}", format_problem(&self.file, problem))?;
        }
        if !self.in_repository {
            writeln!(
                out,
                "this is not a git repository with a commit, so the file patterns were not checked"
            )?;
        }
        let errors = self
            .problems
            .iter()
            .filter(|problem| problem.severity == Severity::Error)
            .count();
        match (errors, self.problems.len() - errors) {
            (0, 0) => write!(out, "{}: no problems", self.file),
            (errors, warnings) => write!(
                out,
                "{}: {}, {}",
                self.file,
                format_count(errors, "error"),
                format_count(warnings, "warning")
            ),
        }
    }
}

fn print_example(printer: &Printer, domain: Option<&str>) -> Result<ExitCode> {
    let templates = templates::list_templates();
    let domains: Vec<&str> = templates.iter().map(|template| template.domain).collect();
    let Some(domain) = domain else {
        if printer.json {
            return printer.print_json_line(&json!({"domains": domains}));
        }
        let rows: Vec<String> = templates
            .iter()
            .map(|template| {
                format!(
                    "{:<18} {}\n",
                    template.domain,
                    templates::find_purpose(template)
                )
            })
            .collect();
        return printer.print_text(&rows.concat());
    };
    let Some(template) = templates.iter().find(|template| template.domain == domain) else {
        let hint = find_nearest_word(domain, &domains).map_or_else(
            || format!("known: {}", domains.join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        return Err(Failure::usage(format!("there is no example for `{domain}`")).hint(hint));
    };
    let text = templates::format_template(template);
    if printer.json {
        printer.print_json_line(&json!({"domain": template.domain, "text": text}))
    } else {
        printer.print_text(&text)
    }
}
