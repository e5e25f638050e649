//! Owns the plan for the skill: where its folder goes, and which files of an earlier one go.
//! Does not write it.
//! Invariant: no link of a project leads our files out of it, and a file that the user edited stays.

use std::path::{Path, PathBuf};

use super::bundle::list_bundle_files;
use super::plan::InstallPlan;
use crate::config::{files, skills};
use crate::home::{SKILL, find_user_home};
use autoresearch_sys::env::World;
use autoresearch_sys::error::{Failure, Result};

/// Where the bundle goes.
#[derive(Clone, Debug)]
pub enum InstallTarget {
    User,
    Project(PathBuf),
}

/// Adds the skill to a plan.
pub(super) fn plan_skill(
    world: &World,
    target: &InstallTarget,
    plan: &mut InstallPlan,
) -> Result<()> {
    let base = match target {
        InstallTarget::User => find_user_home(world)?,
        InstallTarget::Project(folder) => {
            let folder = world.cwd.join(folder);
            folder
                .canonicalize()
                .ok()
                .filter(|real| real.is_dir())
                .ok_or_else(|| {
                    Failure::usage(format!("{} is not a folder", folder.display()))
                        .hint("name the root of the project: autoresearch install --project DIR")
                })?
        }
    };
    let folder = base.join(".agents/skills").join(SKILL);
    if folder.is_symlink() {
        plan.warnings.push(format!(
            "{} is a link: the skill behind it is left as it is",
            folder.display()
        ));
    } else {
        check_links(&base, &folder, target)?;
        for file in list_bundle_files() {
            plan.add_own_file(&folder.join(file.name), file.bytes, file.mode)?;
        }
        plan_stale_deletes(plan, &folder)?;
    }
    let seen_from = match target {
        InstallTarget::User => world.cwd.clone(),
        InstallTarget::Project(_) => base,
    };
    let real = folder.canonicalize().unwrap_or(folder);
    for copy in skills::find_skill_copies(world, &seen_from) {
        if copy != real {
            plan.warnings.push(format!(
                "{} is another copy of this skill: Codex loads neither of two skills with one name. Remove one of them",
                copy.display()
            ));
        }
    }
    Ok(())
}

/// A project came from somebody, perhaps with links that lead our files out of it. A user's own `.agents` may be a link.
fn check_links(base: &Path, folder: &Path, target: &InstallTarget) -> Result<()> {
    let real = files::resolve_path(folder);
    let stays = match target {
        InstallTarget::User => real.is_some(),
        InstallTarget::Project(_) => real.as_ref().is_some_and(|real| real.starts_with(base)),
    };
    let files = list_bundle_files();
    let mut places = files.iter().map(|file| folder.join(file.name));
    let astray = if stays {
        places.find(|place| {
            let above = files::resolve_path(place.parent().unwrap_or(place));
            !above
                .zip(real.as_ref())
                .is_some_and(|(above, real)| above.starts_with(real))
        })
    } else {
        Some(folder.to_owned())
    };
    match astray {
        Some(place) => Err(Failure::blocked(format!(
            "a link in the path of {} leads elsewhere",
            place.display()
        ))
        .hint("nothing was written. Replace the link by a folder, or install for the user: autoresearch install --user")),
        None => Ok(()),
    }
}

/// Files of an earlier bundle that this one does not have.
fn plan_stale_deletes(plan: &mut InstallPlan, folder: &Path) -> Result<()> {
    let files = list_bundle_files();
    for made in &plan.manifest.files {
        let Ok(name) = made.path.strip_prefix(folder) else {
            continue;
        };
        let current = files.iter().any(|file| Path::new(file.name) == name);
        if !current && made.is_unchanged()? {
            plan.deletes.push(made.path.clone());
        }
    }
    Ok(())
}
