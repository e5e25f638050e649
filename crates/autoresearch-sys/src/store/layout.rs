//! Owns the places of a run's files, inside and outside the repository.
//! Does not read what is in them, but for the id in the journal's first line.
//! Invariant: a run's folder is a real folder in `autoresearch-results`, never a symbolic link.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use autoresearch_core::journal::event::{Event, Record, Start};

use super::disk::{Disk, RealDisk, open_regular_file};
use super::error::{FORMAT, StoreError};

/// The folder of all runs, in the main work tree.
pub const FOLDER: &str = "autoresearch-results";

/// The places of one run, or of one ledger that answers a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The main work tree of the repository.
    pub root: PathBuf,
    /// The name of its folder.
    pub run: String,
    kind: LayoutKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LayoutKind {
    Run,
    Ledger,
}

impl LayoutKind {
    /// The journal: a folder is what the name of this file says.
    fn journal_name(self) -> &'static str {
        match self {
            Self::Run => "journal.jsonl",
            Self::Ledger => "ledger.jsonl",
        }
    }

    /// What commands printed.
    fn outputs_name(self) -> &'static str {
        match self {
            Self::Run => "trials",
            Self::Ledger => "evidence",
        }
    }

    /// Where anchors are, below the state folder.
    fn anchors_name(self) -> &'static str {
        match self {
            Self::Run => "runs",
            Self::Ledger => "ledgers",
        }
    }
}

impl Layout {
    /// The places of a run.
    #[must_use]
    pub fn new(root: &Path, run: &str) -> Self {
        Self {
            root: root.to_owned(),
            run: run.to_owned(),
            kind: LayoutKind::Run,
        }
    }

    /// The places of a ledger.
    #[must_use]
    pub fn of_ledger(root: &Path, name: &str) -> Self {
        Self {
            kind: LayoutKind::Ledger,
            ..Self::new(root, name)
        }
    }

    /// The places of what has this name, a run or a ledger.
    #[must_use]
    pub fn of_folder(root: &Path, name: &str) -> Self {
        let ledger = Self::of_ledger(root, name);
        if ledger.journal_path().symlink_metadata().is_ok() {
            ledger
        } else {
            Self::new(root, name)
        }
    }

    /// Are these the places of a ledger?
    #[must_use]
    pub fn is_ledger(&self) -> bool {
        self.kind == LayoutKind::Ledger
    }

    /// The same at another root.
    pub(super) fn at_root(&self, root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            ..self.clone()
        }
    }

    #[must_use]
    pub fn run_folder(&self) -> PathBuf {
        self.root.join(FOLDER).join(&self.run)
    }

    #[must_use]
    pub fn journal_path(&self) -> PathBuf {
        self.run_folder().join(self.kind.journal_name())
    }

    /// The table for people.
    #[must_use]
    pub fn table_path(&self) -> PathBuf {
        self.run_folder().join("research-results.tsv")
    }

    /// The snapshot for programs.
    #[must_use]
    pub fn snapshot_path(&self) -> PathBuf {
        self.run_folder().join("autoresearch-state.json")
    }

    #[must_use]
    pub fn config_path(&self) -> PathBuf {
        self.run_folder().join("config.yaml")
    }

    /// How a background run was started.
    #[must_use]
    pub fn launch_path(&self) -> PathBuf {
        self.run_folder().join("launch.json")
    }

    /// How its supervisor stands.
    #[must_use]
    pub fn runtime_path(&self) -> PathBuf {
        self.run_folder().join("runtime.json")
    }

    /// What its supervisor did.
    #[must_use]
    pub fn runtime_log_path(&self) -> PathBuf {
        self.run_folder().join("runtime.log")
    }

    /// The run's own work tree, when it has one. The first versions made it in the run's folder, and wrote its path down
    /// from the root.
    #[must_use]
    pub fn own_tree(&self, start: &Start) -> Option<PathBuf> {
        let path = start.worktree.as_ref()?;
        Some(self.root.join(path))
    }

    /// The output of one trial's verify and guard.
    #[must_use]
    pub fn trial_folder(&self, number: u32) -> PathBuf {
        self.run_folder().join("trials").join(number.to_string())
    }

    /// Creates the folder for one trial's output. A symbolic link in its place, or in place of the folder above it, is
    /// refused: output must not reach other people's files.
    pub fn make_trial_folder(&self, number: u32) -> Result<PathBuf, StoreError> {
        let folder = self.trial_folder(number);
        let above = self.run_folder().join("trials");
        if let Some(link) = [&above, &folder].into_iter().find(|path| path.is_symlink()) {
            return Err(StoreError::Link(link.clone()));
        }
        std::fs::create_dir_all(&folder).map_err(StoreError::io_error("create", &folder))?;
        Ok(folder)
    }

    /// The lessons of all runs of the repository.
    #[must_use]
    pub fn lessons_path(&self) -> PathBuf {
        self.root.join(FOLDER).join("lessons.md")
    }

    /// What commands printed that a ledger has as evidence.
    #[must_use]
    pub fn evidence_folder(&self) -> PathBuf {
        self.run_folder().join(LayoutKind::Ledger.outputs_name())
    }

    /// Its folder outside the repository, by its id.
    #[must_use]
    pub fn anchor_folder(&self, state_folder: &Path, id: &str) -> PathBuf {
        state_folder.join(self.kind.anchors_name()).join(id)
    }

    /// The folders outside the repositories of all of its kind.
    pub(super) fn list_anchor_folders(&self, state_folder: &Path) -> Vec<PathBuf> {
        list_folders_in(&state_folder.join(self.kind.anchors_name()))
    }

    /// The names of all runs in a repository: folders with a journal, in the order of their names.
    #[must_use]
    pub fn list_runs(root: &Path) -> Vec<String> {
        Self::list_kind(root, LayoutKind::Run)
    }

    /// The names of all ledgers in a repository.
    #[must_use]
    pub fn list_ledgers(root: &Path) -> Vec<String> {
        Self::list_kind(root, LayoutKind::Ledger)
    }

    fn list_kind(root: &Path, kind: LayoutKind) -> Vec<String> {
        let entries = std::fs::read_dir(root.join(FOLDER))
            .into_iter()
            .flatten()
            .flatten();
        let texts = entries.filter_map(|entry| entry.file_name().into_string().ok());
        let mut names: Vec<String> = texts
            .filter(|name| {
                let layout = Self {
                    kind,
                    ..Self::new(root, name)
                };
                layout.journal_path().symlink_metadata().is_ok()
            })
            .collect();
        names.sort();
        names
    }

    /// Creates the run's folder with a `.gitignore` that hides it, and the folder of all runs with another one where that is
    /// not there yet. Fails when the run's folder exists. A folder of this name that was there before, and a
    /// `.gitignore` in it, are the user's: they stay byte for byte.
    pub fn create_folders(&self) -> Result<CreatedFolders, StoreError> {
        self.check_links()?;
        let all = self.root.join(FOLDER);
        let made = match std::fs::create_dir(&all) {
            Ok(()) => CreatedFolders::Both,
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists && all.is_dir() => {
                CreatedFolders::Run
            }
            Err(error) => return Err(StoreError::io_error("create", &all)(error)),
        };
        let stands = all.join(".gitignore").symlink_metadata().is_ok();
        if made == CreatedFolders::Both || (!stands && self.has_only_runs()) {
            hide_from_git(&all)?;
        }
        let folder = self.run_folder();
        std::fs::create_dir(&folder).map_err(StoreError::io_error("create", &folder))?;
        let outputs = folder.join(self.kind.outputs_name());
        let filled = hide_from_git(&folder).and_then(|()| {
            std::fs::create_dir(&outputs).map_err(StoreError::io_error("create", &outputs))
        });
        match filled {
            Ok(()) => Ok(made),
            Err(error) => {
                self.remove_folders(made);
                Err(error)
            }
        }
    }

    /// The folder of all runs, which is made where it is not there: hidden from git then.
    pub fn make_shared_folder(root: &Path) -> Result<PathBuf, StoreError> {
        let all = root.join(FOLDER);
        if all.is_symlink() {
            return Err(StoreError::Link(all));
        }
        match std::fs::create_dir(&all) {
            Ok(()) => hide_from_git(&all)?,
            Err(_) if all.is_dir() => {}
            Err(error) => return Err(StoreError::io_error("create", &all)(error)),
        }
        Ok(all)
    }

    /// Is everything in the folder of all runs ours, and something there?
    fn has_only_runs(&self) -> bool {
        let lessons = self.lessons_path();
        let mut runs = Self::list_runs(&self.root);
        runs.extend(Self::list_ledgers(&self.root));
        let entries = std::fs::read_dir(self.root.join(FOLDER));
        let mut names = entries.into_iter().flatten().flatten();
        !runs.is_empty()
            && names.all(|entry| {
                entry.path() == lessons
                    || entry
                        .file_name()
                        .to_str()
                        .is_some_and(|name| runs.iter().any(|run| run == name))
            })
    }

    /// Takes away what `create` made: the run's folder whole, and the folder of all runs if nothing else is in it.
    pub fn remove_folders(&self, made: CreatedFolders) {
        let _ = std::fs::remove_dir_all(self.run_folder());
        let all = self.root.join(FOLDER);
        let ours = std::fs::read_dir(&all).is_ok_and(|mut entries| {
            entries.all(|entry| entry.is_ok_and(|entry| entry.file_name() == ".gitignore"))
        });
        if made == CreatedFolders::Both && ours {
            let _ = std::fs::remove_file(all.join(".gitignore"));
            let _ = std::fs::remove_dir(all);
        }
    }

    /// Refuses symbolic links where our folders and files should be.
    pub fn check_links(&self) -> Result<(), StoreError> {
        let folder = self.run_folder();
        let parts = [
            self.root.join(FOLDER),
            folder.clone(),
            folder.join(self.kind.outputs_name()),
            self.journal_path(),
            self.config_path(),
            self.table_path(),
            self.snapshot_path(),
            self.run_folder().join("worktree"),
        ];
        let is_link = |path: &&PathBuf| {
            path.symlink_metadata()
                .is_ok_and(|meta| meta.file_type().is_symlink())
        };
        match parts.iter().find(is_link) {
            Some(link) => Err(StoreError::Link(link.clone())),
            None => Ok(()),
        }
    }

    /// The id in the journal's first record. It is only used to find the anchor, which then has to agree.
    pub fn read_run_id(&self) -> Result<String, StoreError> {
        let path = self.journal_path();
        let file = open_regular_file(&path).map_err(StoreError::io_error("read", &path))?;
        let mut line = String::new();
        let most = 16 << 20;
        BufReader::new(file.take(most))
            .read_line(&mut line)
            .map_err(StoreError::io_error("read", &path))?;
        let unreadable = || StoreError::Tampered {
            run: self.run.clone(),
            what: "the first line of its journal is not a start".to_owned(),
        };
        let format = serde_json::from_str::<serde_json::Value>(&line)
            .ok()
            .and_then(|line| {
                let event = &line["event"];
                let first =
                    [&event["start"], &event["opening"]].map(|first| first["format"].as_u64());
                first.into_iter().flatten().next()
            });
        if let Some(found) = format
            .and_then(|format| u32::try_from(format).ok())
            .filter(|format| *format > FORMAT)
        {
            return Err(StoreError::Newer {
                path,
                found,
                known: FORMAT,
            });
        }
        let record: Record = serde_json::from_str(&line).map_err(|_| unreadable())?;
        match record.event {
            Event::Start(start) if self.kind == LayoutKind::Run && is_run_id(&start.id) => {
                Ok(start.id)
            }
            Event::Opening(opening)
                if self.kind == LayoutKind::Ledger && is_run_id(&opening.id) =>
            {
                Ok(opening.id)
            }
            _ => Err(unreadable()),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreatedFolders {
    /// The run's folder alone: the folder of all runs was there.
    Run,
    /// The folder of all runs too.
    Both,
}

/// Lets git see nothing of a folder of ours.
fn hide_from_git(folder: &Path) -> Result<(), StoreError> {
    let ignore = folder.join(".gitignore");
    RealDisk
        .replace_file(&ignore, b"*\n")
        .map_err(StoreError::io_error("write", &ignore))
}

fn is_run_id(text: &str) -> bool {
    text.len() == 32
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// The folder outside the repository of the run with this id.
#[must_use]
pub fn anchor_folder(state_folder: &Path, id: &str) -> PathBuf {
    state_folder.join(LayoutKind::Run.anchors_name()).join(id)
}

/// All folders of runs outside repositories.
#[must_use]
pub fn list_anchor_folders(state_folder: &Path) -> Vec<PathBuf> {
    list_folders_in(&state_folder.join(LayoutKind::Run.anchors_name()))
}

fn list_folders_in(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn make_layout() -> (tempfile::TempDir, Layout) {
        let root = tempfile::tempdir().unwrap();
        let layout = Layout::new(root.path(), "demo");
        (root, layout)
    }

    #[test]
    fn new_folders_hide_themselves_from_git_and_go_again_without_a_trace() {
        let (root, layout) = make_layout();
        assert_eq!(layout.create_folders().unwrap(), CreatedFolders::Both);
        for folder in [root.path().join(FOLDER), layout.run_folder()] {
            let ignore = std::fs::read_to_string(folder.join(".gitignore")).unwrap();
            assert_eq!(ignore, "*\n");
        }
        assert!(layout.create_folders().is_err(), "the run is there");
        layout.remove_folders(CreatedFolders::Both);
        assert!(!root.path().join(FOLDER).exists());
    }

    #[test]
    fn a_folder_of_the_users_by_our_name_stays_byte_for_byte() {
        let (root, layout) = make_layout();
        let all = root.path().join(FOLDER);
        std::fs::create_dir(&all).unwrap();
        std::fs::write(all.join("notes"), "mine").unwrap();
        assert_eq!(layout.create_folders().unwrap(), CreatedFolders::Run);
        assert!(!all.join(".gitignore").exists());
        layout.remove_folders(CreatedFolders::Run);
        assert_eq!(std::fs::read(all.join("notes")).unwrap(), b"mine");
    }

    #[test]
    fn only_folders_with_a_journal_are_runs() {
        let (root, layout) = make_layout();
        layout.create_folders().unwrap();
        assert_eq!(Layout::list_runs(root.path()), Vec::<String>::new());
        std::fs::write(layout.journal_path(), "").unwrap();
        let first = Layout::new(root.path(), "a");
        first.create_folders().unwrap();
        std::fs::write(first.journal_path(), "").unwrap();
        assert_eq!(Layout::list_runs(root.path()), ["a", "demo"]);
    }

    #[test]
    fn a_link_in_place_of_anything_of_ours_is_refused() {
        let (root, layout) = make_layout();
        layout.create_folders().unwrap();
        layout.check_links().unwrap();
        let elsewhere = root.path().join("elsewhere");
        std::fs::create_dir(&elsewhere).unwrap();
        for path in [
            layout.journal_path(),
            layout.config_path(),
            layout.table_path(),
            layout.run_folder().join("worktree"),
        ] {
            std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
            assert!(matches!(layout.check_links(), Err(StoreError::Link(link)) if link == path));
            std::fs::remove_file(&path).unwrap();
        }
        std::os::unix::fs::symlink(&elsewhere, layout.trial_folder(1)).unwrap();
        assert!(matches!(
            layout.make_trial_folder(1),
            Err(StoreError::Link(_))
        ));
        assert!(layout.make_trial_folder(2).unwrap().is_dir());
    }

    #[test]
    fn the_id_of_a_run_is_lower_case_hex_of_one_length() {
        assert!(is_run_id("0123456789abcdef0123456789abcdef"));
        for text in [
            "",
            "0123456789abcdef",
            "0123456789ABCDEF0123456789ABCDEF",
            "../../../../etc/passwd0123456789",
        ] {
            assert!(!is_run_id(text), "{text}");
        }
    }
}
