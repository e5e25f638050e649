//! Owns the survey of a repository and the machine, and `scan`.
//! Does not write anything.
//! Invariant: git lists the files, says what the last release was where somebody asks for one, and is asked for nothing else.

use std::path::PathBuf;

use autoresearch_core::scan::{
    Aim, Survey, count_quoted, list_installed_places, propose_configs, read_wish,
};
use autoresearch_sys::env::World;
use autoresearch_sys::error::Result;
use autoresearch_sys::git::Git;

use super::facts::read_survey;
use super::machine::look_at_machine;
use super::releases::find_last_release;
use super::report::ScanReport;
use crate::run::place::{Place, caller_variables, history_around};

/// A repository that was looked at.
pub(crate) struct ScannedRepository {
    pub git: Git,
    pub root: PathBuf,
    pub survey: Survey,
}

/// Looks at the repository and the machine, and proposes configs for what a sentence asks for.
pub fn scan_repository(world: &World, place: &Place, sentence: &str) -> Result<ScanReport> {
    let scanned = survey_repository(world, place, sentence)?;
    Ok(report_on(&scanned, sentence))
}

pub(super) fn report_on(scanned: &ScannedRepository, sentence: &str) -> ScanReport {
    let wish = read_wish(sentence);
    let proposals = propose_configs(&scanned.survey, &wish);
    ScanReport::new(&scanned.survey, wish, proposals)
}

pub(crate) fn survey_repository(
    world: &World,
    place: &Place,
    sentence: &str,
) -> Result<ScannedRepository> {
    let folder = place.search_folder(world);
    let history = history_around(world, &folder)?;
    let root = history.work_tree();
    let program = World::find_program(&world.vars, "git").unwrap_or_default();
    let git = Git::new(&program, &root, &caller_variables(world)).obeying(world);
    // A run changes tracked files alone; where nothing is tracked yet, the others show what the project will be.
    let mut listed = git.list_tracked_below(".")?;
    if listed.is_empty() {
        listed = git.list_files()?;
    }
    let wish = read_wish(sentence);
    let wanted = count_quoted(&wish);
    let mut survey = read_survey(&root, &listed, wanted.as_ref());
    survey.machine = look_at_machine(world, &root);
    if wish.aim == Some(Aim::Release) {
        survey.release = find_last_release(&history);
    }
    let inside = folder.canonicalize().unwrap_or(folder);
    let inside = inside.strip_prefix(&root).unwrap_or(&inside);
    let here = inside.to_str().filter(|here| !here.starts_with('/'));
    here.unwrap_or_default().clone_into(&mut survey.here);
    survey.installed = list_installed_places(&survey)
        .into_iter()
        .filter(|path| root.join(path).metadata().is_ok())
        .collect();
    Ok(ScannedRepository { git, root, survey })
}
