//! Owns `fix check`: the checks of a project, run one after the other in the order of repair.
//! Does not count what they find; `counting` does.
//! Invariant: a check that could not run has found nothing, and what runs is listed before it runs.

use std::ffi::OsString;

use autoresearch_core::config::span::{format_span, whole_millis};
use autoresearch_core::config::{Shell, UserCommand};
use autoresearch_core::journal::event::CommandFailure;
use autoresearch_core::scan::{Check, CheckKind, CheckedProject, WantedProject};
use autoresearch_core::words::text::escape_text;
use autoresearch_sys::env::{Stopwatch, World};
use autoresearch_sys::error::{Failure, READ_ONLY, Result};
use autoresearch_sys::process::LocalExecutor;
use autoresearch_sys::replacement::make_temporary;
use autoresearch_sys::store;

use super::counting::{Counted, count_findings};
use super::report::{CheckOutcome, CheckRow, FixReport};
use super::words::FixWords;
use crate::run::place::Place;
use crate::run::session;
use crate::scan::{ScannedRepository, refuse_written_config, survey_repository, write_candidate};
use crate::start::preflight::{StartSite, check_alone, read_start_site};
use crate::trees::left_gits::start_lock_folder;
use crate::trial::measure::Bench;
use crate::watch::traces::TreeBefore;

/// Finds what is broken in a project: runs its checks, and counts what the first broken one finds.
pub fn check_project(world: &World, place: &Place, words: &FixWords) -> Result<FixReport> {
    if !words.dry_run {
        store::check_folder_trust(&world.state_folder)?;
        session::refuse_confined(world, || Ok(READ_ONLY.to_owned()))?;
    }
    if words.write {
        refuse_written_config(world, place)?;
    }
    let scanned = survey_repository(world, place, "")?;
    let wanted = find_wanted(world, place, (&scanned, words))?;
    let project = CheckedProject::find(&scanned.survey, &wanted)
        .filter(|project| !project.checks.is_empty())
        .ok_or_else(|| refuse_unknown(&wanted))?;
    let mut report = FixReport::new(&project, words);
    if words.dry_run {
        report.name_next();
        return Ok(report);
    }
    let site = read_start_site(world, &place.search_folder(world), &[])?;
    let lock = start_lock_folder(world, &site.history);
    let _checking = store::take_lock(&lock, world, "fix check")?;
    check_alone(world, &site)?;
    let before = TreeBefore::look(&site.git)?;
    let counted = FixScene {
        world,
        site: &site,
        project: &project,
        words,
    }
    .run_checks(&mut report)?;
    report.take_traces(before.find_traces()?);
    if words.write
        && let Some(counted) = counted
    {
        let passing = project.checks.iter();
        let passing = passing.filter(|check| report.passes(check.kind));
        let mut candidate = counted.candidate;
        project.guard_with(&mut candidate, &passing.collect::<Vec<_>>(), words.limit);
        let written = write_candidate(world, place, &scanned, (candidate, "fix check"))?;
        report.file = Some(written.file);
        report.next = written.next;
    }
    report.name_next();
    Ok(report)
}

/// Which project is meant, from the repository's root.
fn find_wanted(
    world: &World,
    place: &Place,
    (scanned, words): (&ScannedRepository, &FixWords),
) -> Result<WantedProject> {
    let stack = words.stack.clone();
    let Some(typed) = &words.folder else {
        let folder = scanned.survey.here.clone();
        return Ok(WantedProject { folder, stack });
    };
    let shown = escape_text(&typed.to_string_lossy());
    let folder = place.search_folder(world).join(typed);
    let whole = folder.canonicalize().ok().filter(|whole| whole.is_dir());
    let inside = whole
        .as_ref()
        .map(|whole| whole.strip_prefix(&scanned.root));
    match inside {
        None => Err(Failure::usage(format!("{shown} is not a folder"))),
        Some(Err(_)) => Err(Failure::usage(format!(
            "{shown} lies outside the repository {}",
            scanned.root.display()
        ))),
        Some(Ok(inside)) => Ok(WantedProject {
            folder: inside.to_string_lossy().into_owned(),
            stack,
        }),
    }
}

fn refuse_unknown(wanted: &WantedProject) -> Failure {
    let folder = match wanted.folder.as_str() {
        "" => "the root of the repository",
        folder => folder,
    };
    let what = match &wanted.stack {
        Some(stack) => format!("no project of `{stack}` has a check in {folder}"),
        None => format!("no project with checks that are known is in {folder}"),
    };
    Failure::blocked(what).hint("`autoresearch scan` names the languages that are known here, and --folder names another folder; for others write a config by hand: `autoresearch config example failing-tests`")
}

/// Where and on what the checks run.
struct FixScene<'a> {
    world: &'a World,
    site: &'a StartSite,
    project: &'a CheckedProject<'a>,
    words: &'a FixWords,
}

impl FixScene<'_> {
    /// Runs each check that can run here, and counts what the first broken one finds.
    fn run_checks(&self, report: &mut FixReport) -> Result<Option<Counted>> {
        let pairs = self.site.env.iter();
        let env: Vec<(OsString, OsString)> = pairs
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        let executor = LocalExecutor::new(self.world, &env);
        let state = &self.world.state_folder;
        let outputs = make_temporary().tempdir_in(state).map_err(|error| {
            Failure::io(
                format!("could not make a folder in {}", state.display()),
                &error,
            )
        })?;
        let mut bench = Bench::new(
            &executor,
            (self.world.progress, self.world.clock),
            self.site.git.work_tree(),
            outputs.path().to_owned(),
            "",
        );
        self.announce(report);
        for (check, row) in self.project.checks.iter().zip(&mut report.checks) {
            if row.outcome == CheckOutcome::NotRun {
                self.run_check(&mut bench, check, row)?;
            }
        }
        report.note_broken()?;
        let Some(broken) = report.find_broken() else {
            return Ok(None);
        };
        let counted = count_findings(
            &mut bench,
            self.project,
            (self.find_check(broken), report.has_timed_out(broken)),
        )?;
        if let Some(counted) = &counted {
            report.take_count(counted);
        }
        Ok(counted)
    }

    fn find_check(&self, kind: CheckKind) -> Option<&Check> {
        let mut checks = self.project.checks.iter();
        checks.find(|check| check.kind == kind)
    }

    /// Tells a person at a terminal what is about to run.
    fn announce(&self, report: &FixReport) {
        let limit = format_span(self.words.limit);
        let folder = &report.folder;
        (self.world.progress)(&format!(
            "these run in {folder}, one after the other, each for at most {limit}:"
        ));
        let rows = report.checks.iter();
        for row in rows.filter(|row| row.outcome == CheckOutcome::NotRun) {
            (self.world.progress)(&format!("  {}: {}", row.kind.as_str(), row.command));
        }
    }

    fn run_check(&self, bench: &mut Bench<'_>, check: &Check, row: &mut CheckRow) -> Result<()> {
        let command = UserCommand {
            command: check.to_script(),
            shell: Shell::Sh,
            timeout: self.words.limit,
            working_directory: self.project.folder(),
            ok_exit: vec![0],
            retries: 0,
        };
        let watch = Stopwatch::start();
        let ended = bench.run_check(&command, check.kind.as_str())?;
        row.took_ms = Some(whole_millis(watch.elapsed()));
        let Err(how) = ended else {
            row.outcome = CheckOutcome::Passes;
            return Ok(());
        };
        let cannot_start = matches!(
            how,
            CommandFailure::Exit { status: 126 | 127 } | CommandFailure::Start { .. }
        );
        row.why = Some(escape_text(&how.to_string()));
        row.timed_out = matches!(how, CommandFailure::Timeout { .. });
        row.said.clone_from(&bench.tail);
        row.outcome = if cannot_start {
            row.remedy =
                Some("install what the command names, or what its script calls".to_owned());
            CheckOutcome::CannotRun
        } else {
            CheckOutcome::Fails
        };
        Ok(())
    }
}
