//! Owns `install` and its parts: what goes where, in which order, so that a half of it can be finished or undone.
//! Does not ask or print: the edge shows the plan and brings the yes.
//! Invariant: the manifest is written first, and a file of the user's is changed only as the plan showed it.

mod bundle;
pub mod places;
pub mod plan;
mod programs;
mod register;
pub mod remove;
mod rule;
mod safety;
pub mod skill;
pub mod standing;

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use self::plan::{FileContent, FileWrite, InstallPlan, InstallReport, InstallState};
use self::skill::InstallTarget;
use crate::config::files;
use crate::config::manifest::Manifest;
use crate::config::rules::StartRule;
use crate::error::CodexError;
use autoresearch_sys::env::World;
use autoresearch_sys::error::{Failure, Result};

#[derive(Clone, Debug, Default)]
pub struct InstallRequest {
    pub target: Option<InstallTarget>,
    pub hooks: bool,
    pub rule: Option<StartRule>,
}

/// What an installation is going to do.
pub fn plan_installation(world: &World, request: &InstallRequest) -> Result<InstallPlan> {
    let mut plan = InstallPlan {
        action: if request.target.is_some() {
            "install"
        } else {
            "hooks install"
        },
        manifest: Manifest::read_from(world)?,
        ..InstallPlan::default()
    };
    check_owner(&world.data_folder)?;
    programs::plan_programs(world, &mut plan)?;
    if let Some(target) = &request.target {
        skill::plan_skill(world, target, &mut plan)?;
    }
    if let Some(start) = request.rule {
        rule::plan_rule(world, start, &mut plan)?;
    }
    if request.hooks {
        register::plan_registration(world, &mut plan)?;
    }
    Ok(plan)
}

/// What Codex is told to run must not lie in somebody else's folder.
fn check_owner(folder: &Path) -> Result<()> {
    autoresearch_sys::store::check_folder_trust(folder)?;
    let owner = folder.metadata().map(|meta| (meta.is_dir(), meta.uid()));
    let me = rustix::process::geteuid().as_raw();
    match owner {
        Ok(found) if found != (true, me) => Err(Failure::blocked(format!(
            "{} is not a folder of yours",
            folder.display()
        ))
        .hint("nothing was written. Move it away and run the command again")),
        _ => Ok(()),
    }
}

/// Does what the plan says, and what Codex says of it afterwards.
pub fn apply_installation(world: &World, mut plan: InstallPlan) -> Result<InstallReport> {
    if plan.is_empty() {
        return Ok(plan.to_report(InstallState::NothingToDo));
    }
    let manifest_path = Manifest::path_in(world);
    plan.manifest.note_missing_folders(&manifest_path);
    files::make_parent_folder(&manifest_path)?;
    let _lock = safety::lock_installation(&world.data_folder)?;
    safety::check_unchanged(&plan)?;
    plan.manifest.write_to(world)?;
    for write in &plan.writes {
        (world.step)("install file");
        write_own_file(write)?;
    }
    for path in &plan.deletes {
        files::remove_if_present(path)?;
    }
    rule::check_written_rule(world, &plan)?;
    for edit in &plan.edits {
        (world.step)("install edit");
        let after = edit.after.as_deref().unwrap_or_default();
        files::make_parent_folder(&edit.path)?;
        files::replace_file(&edit.path, after.as_bytes(), 0o600)?;
        let hash = files::hash_bytes(after.as_bytes());
        plan.manifest.note_written_hash(&edit.path, &hash);
    }
    let trusted = match plan.trust.take() {
        Some(trust) => register::trust_our_hooks(world, &trust, &mut plan.manifest),
        None => Ok(()),
    };
    settle_manifest(&mut plan);
    (world.step)("install end");
    plan.manifest.write_to(world)?;
    trusted?;
    let mut report = plan.to_report(InstallState::Done);
    if !plan.manifest.hooks.is_empty() {
        report.hooks = standing::report_hooks(world, &world.cwd).hooks;
    }
    Ok(report)
}

fn write_own_file(write: &FileWrite) -> Result<(), CodexError> {
    let FileWrite {
        path, hash, mode, ..
    } = write;
    files::make_parent_folder(path)?;
    match &write.content {
        FileContent::Bytes(bytes) => files::replace_file(path, bytes, *mode)?,
        FileContent::CopyOf(source) => files::replace_with_copy(path, source, hash, *mode)?,
        FileContent::LinkTo(other) => files::replace_with_link(path, other, hash, *mode)?,
    }
    if files::read_mode(path) != Some(*mode) {
        files::set_mode(path, *mode)?;
    }
    Ok(())
}

/// Forgets what was there before an update, and files that are gone.
fn settle_manifest(plan: &mut InstallPlan) {
    for write in &plan.writes {
        for made in &mut plan.manifest.files {
            if made.path == write.path {
                made.hashes = vec![write.hash.clone()];
            }
        }
    }
    let deletes = &plan.deletes;
    plan.manifest
        .files
        .retain(|made| !deletes.contains(&made.path));
}

pub(crate) mod bench;
#[cfg(test)]
mod tests;
