//! Owns `autoresearch-results/ship`: the checklist as files, for people and for programs.
//! Does not run a gate.
//! Invariant: nothing is written through a link, or beside what somebody else put there.

use std::path::{Path, PathBuf};

use autoresearch_sys::error::{Failure, Result};
use autoresearch_sys::store::{FOLDER, StoreError, encode_pretty_json, write_output};

use super::report::ShipReport;

/// The folder among those of the runs.
const NAME: &str = "ship";
/// What is in it.
const FILES: [&str; 3] = [IGNORE, TEXT, RECORD];
const IGNORE: &str = ".gitignore";
const TEXT: &str = "checklist.md";
const RECORD: &str = "checklist.json";

/// Where the checklist goes.
pub(super) struct ChecklistFolder {
    /// The folder of all runs.
    all: PathBuf,
}

impl ChecklistFolder {
    /// Refuses what is not ours to write in, before anything was run.
    pub(super) fn check(root: &Path) -> Result<Self> {
        let all = root.join(FOLDER);
        let folder = all.join(NAME);
        for path in [&all, &folder] {
            match path.symlink_metadata() {
                Ok(meta) if meta.is_symlink() => {
                    return Err(StoreError::Link(path.clone()).into());
                }
                Ok(meta) if !meta.is_dir() => return Err(refuse_foreign(path, "is not a folder")),
                _ => {}
            }
        }
        match find_foreign(&folder) {
            Some(name) => Err(refuse_foreign(
                &folder,
                &format!("holds `{name}`, which is not of a checklist"),
            )),
            None => Ok(Self { all }),
        }
    }

    /// Writes the files, and notes in the report where they are.
    pub(super) fn write(&self, report: &mut ShipReport) -> Result<()> {
        let folder = self.all.join(NAME);
        report.checklist = Some(format!("{FOLDER}/{NAME}/{TEXT}"));
        let is_new = !self.all.exists();
        std::fs::create_dir_all(&folder).map_err(|error| {
            Failure::io(format!("could not create {}", folder.display()), &error)
        })?;
        if is_new {
            write_output(&self.all.join(IGNORE), b"*\n")?;
        }
        let record = encode_pretty_json(&folder.join(RECORD), report)?;
        let text = report.to_markdown();
        for (name, bytes) in [
            (IGNORE, &b"*\n"[..]),
            (RECORD, &record),
            (TEXT, text.as_bytes()),
        ] {
            write_output(&folder.join(name), bytes)?;
        }
        Ok(())
    }
}

/// Is this the folder of a checklist, with nothing else in it?
pub(crate) fn is_checklist_folder(folder: &Path) -> bool {
    let is_named = folder.file_name().is_some_and(|name| name == NAME);
    is_named && folder.join(RECORD).exists() && find_foreign(folder).is_none()
}

/// The first name in a folder that is not of a checklist.
fn find_foreign(folder: &Path) -> Option<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut foreign: Vec<String> = names
        .filter(|name| !FILES.contains(&name.as_str()))
        .collect();
    foreign.sort();
    foreign.into_iter().next()
}

fn refuse_foreign(path: &Path, why: &str) -> Failure {
    Failure::blocked(format!("{} {why}", path.display()))
        .hint("nothing was run. The checklist is written there, so move away what is; where it is of a run called `ship`, `autoresearch clean` removes that")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_folder_with_a_checklist_alone_is_one() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join(FOLDER).join(NAME);
        assert!(ChecklistFolder::check(root.path()).is_ok());
        std::fs::create_dir_all(&folder).unwrap();
        assert!(!is_checklist_folder(&folder));
        std::fs::write(folder.join(RECORD), "{}").unwrap();
        assert!(is_checklist_folder(&folder));
        assert!(ChecklistFolder::check(root.path()).is_ok());
        std::fs::write(folder.join("journal.jsonl"), "").unwrap();
        assert!(!is_checklist_folder(&folder));
        let refused = ChecklistFolder::check(root.path()).err().unwrap();
        assert!(
            refused
                .error
                .ends_with("holds `journal.jsonl`, which is not of a checklist")
        );
    }
}
