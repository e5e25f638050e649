//! Owns `init`: a candidate becomes a config file.
//! Does not change a file that is there.
//! Invariant: what is written passes `config check`, or nothing is written.

use std::fmt;
use std::io::{ErrorKind, Write};

use autoresearch_core::config::Severity;
use autoresearch_core::scan::{Candidate, format_config_text};
use autoresearch_core::shell::quote::quote_word;
use autoresearch_core::words::text::format_count;
use autoresearch_sys::env::World;
use autoresearch_sys::error::{Failure, FailureKind, Result};
use autoresearch_sys::replacement::make_temporary;
use serde::Serialize;

use super::report::{ScanReport, list_remedies};
use super::survey::{ScannedRepository, report_on, survey_repository};
use crate::config::{CONFIG_FILE, ConfigSource, check_config_in, check_config_text, config_error};
use crate::run::place::Place;

/// What a person asks of `init`.
#[derive(Clone, Debug, Default)]
pub struct InitWords {
    pub sentence: String,
    /// From 1, as `scan` lists them.
    pub candidate: Option<usize>,
}

/// The answer of `init`.
#[derive(Clone, Debug, Serialize)]
pub struct InitReport {
    pub file: String,
    pub candidate: Candidate,
    pub next: String,
}

/// Writes a candidate as `autoresearch.yaml` in the folder in which it is called.
pub fn init_config(world: &World, place: &Place, words: &InitWords) -> Result<InitReport> {
    refuse_written_config(world, place)?;
    let scanned = survey_repository(world, place, &words.sentence)?;
    let report = report_on(&scanned, &words.sentence);
    let candidate = choose_candidate(&report, words)?;
    write_candidate(world, place, &scanned, (candidate, "scan"))
}

/// Refuses to go on where a config is already.
pub(crate) fn refuse_written_config(world: &World, place: &Place) -> Result<()> {
    let path = place.search_folder(world).join(CONFIG_FILE);
    if path.symlink_metadata().is_ok() {
        return Err(refuse_existing(&world.path_from_here(&path)));
    }
    Ok(())
}

/// Writes a candidate as a new file. `by` are the words of the command that proposes it.
pub(crate) fn write_candidate(
    world: &World,
    place: &Place,
    scanned: &ScannedRepository,
    (candidate, by): (Candidate, &str),
) -> Result<InitReport> {
    let path = place.search_folder(world).join(CONFIG_FILE);
    let source = ConfigSource {
        name: CONFIG_FILE.to_owned(),
        text: format_config_text(&candidate, by),
        path: Some(path.clone()),
        merged: false,
    };
    check_written(world, scanned, &source)?;
    let shown = world.path_from_here(&path);
    let failed = |error: &std::io::Error| Failure::io(format!("could not write {shown}"), error);
    let folder = path.parent().unwrap_or(&path);
    let mut temporary = make_temporary()
        .permissions(readable_by_all())
        .tempfile_in(folder)
        .map_err(|error| failed(&error))?;
    temporary
        .write_all(source.text.as_bytes())
        .map_err(|error| failed(&error))?;
    temporary
        .persist_noclobber(&path)
        .map_err(|error| match error.error.kind() {
            ErrorKind::AlreadyExists => refuse_existing(&shown),
            _ => failed(&error.error),
        })?;
    let (mut file, mut config) = (String::new(), String::new());
    if shown != CONFIG_FILE {
        file = format!(" {}", quote_word(&shown));
        config = format!(" --config{file}");
    }
    let first = if candidate.config.get("gates").is_some() {
        format!("autoresearch ship check{config}")
    } else {
        format!("autoresearch config try{file}")
    };
    Ok(InitReport {
        next: format!("read it, then {first}, then autoresearch start{config}"),
        file: shown,
        candidate,
    })
}

fn readable_by_all() -> std::fs::Permissions {
    use std::os::unix::fs::PermissionsExt;
    std::fs::Permissions::from_mode(0o644)
}

fn refuse_existing(shown: &str) -> Failure {
    Failure::blocked(format!("{shown} exists already"))
        .hint("nothing was written. Look at it with `autoresearch config check`, or move it away and call this again")
}

fn choose_candidate(report: &ScanReport, words: &InitWords) -> Result<Candidate> {
    let number = words.candidate.unwrap_or(1);
    let found = number
        .checked_sub(1)
        .and_then(|at| report.candidates.get(at));
    if let Some(candidate) = found {
        return Ok(candidate.clone());
    }
    if !report.candidates.is_empty() {
        let known = format_count(report.candidates.len(), "candidate");
        return Err(Failure::usage(format!(
            "there is no candidate {number}; the scan has {known}"
        ))
        .hint("`autoresearch scan` with the same goal lists them"));
    }
    match report.not_here.first() {
        Some(candidate) => Err(Failure::environment(format!(
            "nothing that fits can run here: {} is not possible",
            candidate.title
        ))
        .hint(list_remedies(candidate))),
        None if report.aim.is_some() => Err(Failure::blocked(
            "nothing in this repository fits this goal",
        )
        .hint("`autoresearch scan` without --goal lists what it suggests")),
        None => Err(
            Failure::blocked("nothing in this repository suggests a config")
                .hint("write one by hand: `autoresearch config example` lists some to start from"),
        ),
    }
}

/// A text that the check refuses is a fault of ours, and is not written.
fn check_written(world: &World, scanned: &ScannedRepository, source: &ConfigSource) -> Result<()> {
    let checked = match check_config_in(world, source, &scanned.git) {
        Ok(checked) => checked,
        // Without a commit the repository can say nothing of it yet.
        Err(_) => check_config_text(source),
    };
    let refused = checked
        .problems
        .iter()
        .any(|problem| problem.severity == Severity::Error);
    if refused {
        let mut failure = config_error(source, &checked.problems);
        failure.kind = FailureKind::Internal;
        return Err(failure.hint(format!(
            "nothing was written in {}; choose another with --candidate N",
            scanned.root.display()
        )));
    }
    Ok(())
}

impl fmt::Display for InitReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "wrote {}: {}", self.file, self.candidate.title)?;
        write!(out, "next: {}", self.next)
    }
}

#[cfg(test)]
mod tests;
