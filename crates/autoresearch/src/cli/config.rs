//! Owns `config check`, `config schema` and `config example`.
//! Does not know what a config means.
//! Invariant: `check` exits with 3 exactly when `start` would refuse the config as written.

use std::fmt;
use std::process::ExitCode;

use autoresearch_core::config::{Problem, Severity, nearest, schema};
use serde::Serialize;
use serde_json::json;

use super::args::ConfigCommand;
use super::print::Printer;
use crate::config::templates;
use crate::config::{Source, check_in, check_text, line, read};
use crate::run::Place;
use crate::start::preflight;
use autoresearch_sys::env::World;
use autoresearch_sys::error::{Failure, Kind, Result};

#[derive(Serialize)]
struct CheckReport {
    file: String,
    ok: bool,
    /// Was the repository looked at as well?
    in_repository: bool,
    problems: Vec<Problem>,
}

pub fn run(
    world: &World,
    place: &Place,
    printer: &Printer,
    command: ConfigCommand,
) -> Result<ExitCode> {
    match command {
        ConfigCommand::Check { file } => check(world, place, printer, &read(world, &file)?),
        ConfigCommand::Schema => {
            let text = serde_json::to_string_pretty(&schema()).map_err(|error| {
                Failure::new(Kind::Internal, "the schema could not be written as JSON")
                    .because(&error)
            })?;
            printer.text(&(text + "\n"))
        }
        ConfigCommand::Example { domain } => example(printer, domain.as_deref()),
    }
}

fn check(world: &World, place: &Place, printer: &Printer, source: &Source) -> Result<ExitCode> {
    let ground = preflight::ground(world, &place.folder(world), &[]);
    let checked = match &ground {
        Ok(ground) => check_in(world, source, &ground.git)?,
        Err(_) => check_text(source),
    };
    let ok = checked
        .problems
        .iter()
        .all(|problem| problem.severity != Severity::Error);
    let report = CheckReport {
        file: source.name.clone(),
        ok,
        in_repository: ground.is_ok(),
        problems: checked.problems,
    };
    printer.report(&report)?;
    Ok(if ok {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(Kind::Config.exit_code())
    })
}

impl fmt::Display for CheckReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in &self.problems {
            writeln!(out, "{}", line(&self.file, problem))?;
        }
        if !self.in_repository {
            writeln!(
                out,
                "this is no git repository with a commit: what the config says about files was not checked"
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
                "{}: {errors} error(s), {warnings} warning(s)",
                self.file
            ),
        }
    }
}

fn example(printer: &Printer, domain: Option<&str>) -> Result<ExitCode> {
    let Some(domain) = domain else {
        if printer.json {
            let domains: Vec<&str> = templates::ALL
                .iter()
                .map(|template| template.domain)
                .collect();
            return printer.line(&json!({"domains": domains}));
        }
        let rows: Vec<String> = templates::ALL
            .iter()
            .map(|template| format!("{:<18} {}\n", template.domain, templates::purpose(template)))
            .collect();
        return printer.text(&rows.concat());
    };
    let Some(template) = templates::ALL
        .iter()
        .find(|template| template.domain == domain)
    else {
        let names: Vec<&str> = templates::ALL
            .iter()
            .map(|template| template.domain)
            .collect();
        let hint = nearest(domain, &names).map_or_else(
            || format!("known: {}", names.join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        return Err(Failure::usage(format!("there is no example for `{domain}`")).hint(hint));
    };
    let text = templates::printed(template);
    if printer.json {
        printer.line(&json!({"domain": template.domain, "text": text}))
    } else {
        printer.text(&text)
    }
}
