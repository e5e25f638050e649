//! Owns the plan for the program: one file, and its other names as hard links to it.
//! Does not write them.
//! Invariant: what was built is never held in memory, and a name is planned again only if other bytes are behind it.

use super::places::{OTHER_NAMES, PROGRAM, installed_path};
use super::plan::{FileContent, FileWrite, InstallPlan};
use crate::config::files;
use autoresearch_sys::env::World;
use autoresearch_sys::error::Result;

/// Adds the running program to a plan. Where it cannot be read, what is installed stays.
pub(super) fn plan_programs(world: &World, plan: &mut InstallPlan) -> Result<()> {
    let running = world.program.canonicalize();
    let running = running.unwrap_or_else(|_| world.program.clone());
    let Some(hash) = files::hash_file(&running)? else {
        return Ok(());
    };
    let mut others = Vec::new();
    let program = installed_path(world, PROGRAM);
    let installed = files::hash_file(&program)?;
    for name in OTHER_NAMES {
        let path = installed_path(world, name);
        let before = if files::is_same_file(&path, &program) {
            installed.clone()
        } else {
            files::hash_file(&path)?
        };
        others.push(FileWrite {
            path,
            before,
            content: FileContent::LinkTo(program.clone()),
            hash: hash.clone(),
            mode: 0o755,
        });
    }
    add_program(
        plan,
        FileWrite {
            before: installed,
            content: FileContent::CopyOf(running),
            hash,
            mode: 0o755,
            path: program,
        },
    );
    for write in others {
        add_program(plan, write);
    }
    Ok(())
}

fn add_program(plan: &mut InstallPlan, write: FileWrite) {
    // One that no manifest lists is from an installation whose manifest is gone: it is listed again.
    let listed = plan.manifest.find_installed_file(&write.path).is_some();
    if !listed || write.before.as_ref() != Some(&write.hash) {
        plan.add_write(write);
    }
}
