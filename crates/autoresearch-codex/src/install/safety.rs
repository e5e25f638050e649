//! Owns what stands between a plan and its first write: one installation at a time, and no file that changed meanwhile.
//! Does not write anything.
//! Invariant: the person said yes to these changes, and to no others.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use super::plan::InstallPlan;
use crate::config::files;
use crate::error::CodexError;
use autoresearch_sys::error::{Failure, FailureKind, Result};
use autoresearch_sys::polling::wait_until;

/// How long an installation that just ended may still seem to hold the lock.
const ECHO: Duration = Duration::from_secs(2);

/// Two installations at once would each undo what the other notes.
pub(super) fn lock_installation(folder: &Path) -> Result<File> {
    let file = File::open(folder).map_err(CodexError::wrap_io("open", folder))?;
    // A process that is being started has the lock of its parent until it runs its own program.
    let is_taken = wait_until(ECHO, Duration::from_millis(5), || file.try_lock().is_ok());
    if !is_taken {
        return Err(
            Failure::new(FailureKind::Busy, "another installation is running")
                .hint("wait until it is done; a dead process holds no lock"),
        );
    }
    Ok(file)
}

/// Refuses a plan when a file is not as it was when the plan was shown.
pub(super) fn check_unchanged(plan: &InstallPlan) -> Result<()> {
    for edit in &plan.edits {
        let before = edit.before.as_deref();
        let same = files::read_bytes(&edit.path)?.as_deref() == before.map(str::as_bytes);
        check_file(&edit.path, same, before.is_some())?;
    }
    for write in &plan.writes {
        let same = files::hash_file(&write.path)? == write.before;
        check_file(&write.path, same, write.before.is_some())?;
    }
    Ok(())
}

fn check_file(path: &Path, same: bool, was_there: bool) -> Result<()> {
    let fault = match () {
        () if !same => Failure::blocked(format!(
            "{} was changed while the change was being shown",
            path.display()
        ))
        .hint("nothing was written. Run the command again"),
        () if !was_there && path.is_symlink() => {
            Failure::blocked(format!("{} is a broken link", path.display()))
                .hint("nothing was written. Create the file that it points to, or remove the link")
        }
        () => return Ok(()),
    };
    Err(fault)
}

#[cfg(test)]
mod tests;
