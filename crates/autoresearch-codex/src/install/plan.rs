//! Owns `InstallPlan`: everything that an installation or a removal is going to do, before it does any of it.
//! Does not change anything on the disk.
//! Invariant: whatever lies outside our own folders is in the plan with its text before and after.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;
use similar::TextDiff;

use super::standing::HookStanding;
use crate::config::files;
use crate::config::manifest::Manifest;
use crate::error::CodexError;

/// Where the bytes of a file come from.
pub enum FileContent {
    Bytes(Vec<u8>),
    CopyOf(PathBuf),
    /// Another name of a file that was written before it; a copy where the file system allows no second name.
    LinkTo(PathBuf),
}

/// A file of our own to write.
pub struct FileWrite {
    pub path: PathBuf,
    /// The hash of the bytes now, if it is there.
    pub before: Option<String>,
    pub content: FileContent,
    /// The hash of the bytes afterwards.
    pub hash: String,
    /// With which rights, if it is new.
    pub mode: u32,
}

/// A change of a file of the user's.
pub struct FileEdit {
    pub path: PathBuf,
    pub before: Option<String>,
    /// The text afterwards; `None` deletes the file.
    pub after: Option<String>,
    /// The rights to give back.
    pub mode: Option<u32>,
}

/// Asking Codex to trust our hooks.
pub struct TrustRequest {
    pub codex: PathBuf,
    /// The program that the hooks run.
    pub program: String,
    /// The real path of the Codex home.
    pub home: PathBuf,
}

/// What is going to be done.
#[derive(Default)]
pub struct InstallPlan {
    pub action: &'static str,
    /// Files of our own to write.
    pub writes: Vec<FileWrite>,
    /// Files of the user's to change.
    pub edits: Vec<FileEdit>,
    /// Files of our own to delete.
    pub deletes: Vec<PathBuf>,
    /// What to ask of Codex.
    pub trust: Option<TrustRequest>,
    /// The rule file to have checked by Codex, and our program in it.
    pub rule: Option<(PathBuf, String)>,
    /// What the person must know before the yes.
    pub notes: Vec<String>,
    /// What is not as it should be.
    pub warnings: Vec<String>,
    /// Every change outside our own folders, as the person sees it.
    pub changes: Vec<FileDiff>,
    /// The manifest to save before anything is done.
    pub manifest: Manifest,
}

/// A change as the person sees it.
#[derive(Clone, Debug, Serialize)]
pub struct FileDiff {
    pub path: PathBuf,
    pub diff: String,
}

impl FileDiff {
    /// The change from one text to another.
    #[must_use]
    pub fn new(path: &Path, before: Option<&str>, after: Option<&str>) -> Self {
        let name = |text: Option<&str>| match text {
            Some(_) => path.display().to_string(),
            None => "/dev/null".to_owned(),
        };
        let diff = TextDiff::from_lines(before.unwrap_or_default(), after.unwrap_or_default())
            .unified_diff()
            .context_radius(2)
            .header(&name(before), &name(after))
            .to_string();
        Self {
            path: path.to_owned(),
            diff,
        }
    }
}

impl InstallPlan {
    /// Is there nothing to do?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty()
            && self.edits.is_empty()
            && self.deletes.is_empty()
            && self.trust.is_none()
    }

    /// Adds a file of our own.
    pub(super) fn add_write(&mut self, write: FileWrite) {
        self.manifest
            .note_installed_file(&write.path, write.hash.clone());
        self.writes.push(write);
    }

    /// Adds a text of our own, unless it is there. One that the user changed stays.
    pub(super) fn add_own_file(
        &mut self,
        path: &Path,
        bytes: &[u8],
        mode: u32,
    ) -> Result<(), CodexError> {
        let (before, hash) = (files::hash_file(path)?, files::hash_bytes(bytes));
        if before.as_ref() == Some(&hash) {
            return Ok(());
        }
        let known = self.manifest.find_installed_file(path);
        let is_ours = |now: &String| known.is_some_and(|made| made.hashes.contains(now));
        if before.as_ref().is_some_and(|now| !is_ours(now)) {
            self.warnings.push(format!(
                "{} was changed by somebody else and is left as it is; move it away and install again to get the new one",
                path.display()
            ));
            return Ok(());
        }
        self.add_write(FileWrite {
            path: path.to_owned(),
            before,
            content: FileContent::Bytes(bytes.to_owned()),
            hash,
            mode,
        });
        Ok(())
    }

    /// Adds a change of a file of the user's, if it is one.
    pub fn add_edit(&mut self, path: &Path, before: Option<String>, after: Option<String>) {
        if before == after {
            return;
        }
        self.changes
            .push(FileDiff::new(path, before.as_deref(), after.as_deref()));
        self.edits.push(FileEdit {
            path: path.to_owned(),
            before,
            after,
            mode: None,
        });
    }

    /// The plan as a report.
    #[must_use]
    pub fn to_report(&self, state: InstallState) -> InstallReport {
        InstallReport {
            action: self.action,
            state,
            written: self.writes.iter().map(|write| write.path.clone()).collect(),
            deleted: self.deletes.clone(),
            changes: self.changes.clone(),
            notes: self.notes.clone(),
            warnings: self.warnings.clone(),
            hooks: Vec::new(),
        }
    }
}

/// How far it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum InstallState {
    /// Nothing was done yet.
    Planned,
    /// All of it was done.
    Done,
    /// There was nothing to do.
    NothingToDo,
}

/// The answer of `install`, `uninstall`, `hooks install` and `hooks uninstall`.
#[derive(Clone, Debug, Serialize)]
pub struct InstallReport {
    pub action: &'static str,
    /// How far it came.
    pub state: InstallState,
    /// Files of our own that are written.
    pub written: Vec<PathBuf>,
    /// Files of our own that are deleted.
    pub deleted: Vec<PathBuf>,
    /// Changes outside our own folders.
    pub changes: Vec<FileDiff>,
    /// What the person must know.
    pub notes: Vec<String>,
    /// What is not as it should be.
    pub warnings: Vec<String>,
    /// The hooks, once they were registered.
    pub hooks: Vec<HookStanding>,
}

impl fmt::Display for InstallReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let planned = self.state == InstallState::Planned;
        for (word, paths) in [
            (if planned { "write " } else { "wrote  " }, &self.written),
            (if planned { "delete" } else { "deleted" }, &self.deleted),
        ] {
            for path in paths {
                writeln!(out, "{word} {}", path.display())?;
            }
        }
        let named = [self.written.as_slice(), &self.deleted].concat();
        for change in &self.changes {
            if planned {
                writeln!(out, "\n{}", change.diff.trim_end())?;
            } else if !named.contains(&change.path) {
                writeln!(out, "changed {}", change.path.display())?;
            }
        }
        if planned && !self.notes.is_empty() {
            writeln!(out)?;
        }
        for note in self.notes.iter().filter(|_| planned) {
            writeln!(out, "note: {note}")?;
        }
        for warning in &self.warnings {
            writeln!(out, "warning: {warning}")?;
        }
        for hook in &self.hooks {
            writeln!(out, "{hook}")?;
        }
        match (self.state, self.action) {
            (InstallState::Planned, _) => write!(out, "nothing was written yet"),
            (InstallState::Done, "install") => write!(
                out,
                "install: done\nnext: in Codex, type $codex-autoresearch and one sentence, such as: get rid of the any types"
            ),
            (InstallState::Done, action) => write!(out, "{action}: done"),
            (InstallState::NothingToDo, "install" | "hooks install") => {
                write!(out, "already installed")
            }
            (InstallState::NothingToDo, _) => write!(out, "nothing is installed"),
        }
    }
}
