//! Owns the places of a run's files, inside and outside the repository.
//! Does not read what is in them, but for the id in the journal's first line.
//! Invariant: a run's folder is a real folder in `autoresearch-results`, never a symbolic link.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use autoresearch_core::journal::event::{Event, Record};

use super::disk::open;
use super::{Disk, FORMAT, RealDisk, StoreError};

/// The folder of all runs, in the main work tree.
pub const FOLDER: &str = "autoresearch-results";

/// The places of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The main work tree of the repository.
    pub root: PathBuf,
    /// The run's name.
    pub run: String,
}

impl Layout {
    /// The places of a run.
    #[must_use]
    pub fn new(root: &Path, run: &str) -> Self {
        Self {
            root: root.to_owned(),
            run: run.to_owned(),
        }
    }

    /// The run's folder.
    #[must_use]
    pub fn folder(&self) -> PathBuf {
        self.root.join(FOLDER).join(&self.run)
    }

    /// The truth.
    #[must_use]
    pub fn journal(&self) -> PathBuf {
        self.folder().join("journal.jsonl")
    }

    /// The table for people.
    #[must_use]
    pub fn table(&self) -> PathBuf {
        self.folder().join("research-results.tsv")
    }

    /// The snapshot for programs.
    #[must_use]
    pub fn snapshot(&self) -> PathBuf {
        self.folder().join("autoresearch-state.json")
    }

    /// The frozen config.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.folder().join("config.yaml")
    }

    /// How a background run was started.
    #[must_use]
    pub fn launch(&self) -> PathBuf {
        self.folder().join("launch.json")
    }

    /// How its supervisor stands.
    #[must_use]
    pub fn runtime(&self) -> PathBuf {
        self.folder().join("runtime.json")
    }

    /// What its supervisor did.
    #[must_use]
    pub fn runtime_log(&self) -> PathBuf {
        self.folder().join("runtime.log")
    }

    /// The run's own work tree, when it has one.
    #[must_use]
    pub fn worktree(&self) -> PathBuf {
        self.folder().join("worktree")
    }

    /// The output of one trial's verify and guard.
    #[must_use]
    pub fn trial(&self, number: u32) -> PathBuf {
        self.folder().join("trials").join(number.to_string())
    }

    /// Creates the folder for one trial's output. A symbolic link in its place, or in place of the folder above it, is
    /// refused: output must not reach other people's files.
    pub fn make_trial(&self, number: u32) -> Result<PathBuf, StoreError> {
        let folder = self.trial(number);
        let above = self.folder().join("trials");
        if let Some(link) = [&above, &folder].into_iter().find(|path| path.is_symlink()) {
            return Err(StoreError::Link(link.clone()));
        }
        std::fs::create_dir_all(&folder).map_err(StoreError::io("create", &folder))?;
        Ok(folder)
    }

    /// The lessons of all runs of the repository.
    #[must_use]
    pub fn lessons(&self) -> PathBuf {
        self.root.join(FOLDER).join("lessons.md")
    }

    /// The names of all runs in a repository: folders with a journal, in the order of their names.
    #[must_use]
    pub fn runs(root: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(root.join(FOLDER))
            .into_iter()
            .flatten()
            .flatten();
        let texts = entries.filter_map(|entry| entry.file_name().into_string().ok());
        let mut names: Vec<String> = texts
            .filter(|name| Self::new(root, name).journal().symlink_metadata().is_ok())
            .collect();
        names.sort();
        names
    }

    /// Creates the run's folder with a `.gitignore` that hides it, and the folder of all runs with one of its own where
    /// that is not there yet. Fails when the run's folder exists. A folder of this name that was there before, and a
    /// `.gitignore` in it, are the user's: they stay byte for byte.
    pub fn create(&self) -> Result<Extent, StoreError> {
        self.check_links()?;
        let all = self.root.join(FOLDER);
        let made = match std::fs::create_dir(&all) {
            Ok(()) => Extent::Both,
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists && all.is_dir() => {
                Extent::Run
            }
            Err(error) => return Err(StoreError::io("create", &all)(error)),
        };
        let stands = all.join(".gitignore").symlink_metadata().is_ok();
        if made == Extent::Both || (!stands && self.holds_runs_alone()) {
            hide(&all)?;
        }
        let folder = self.folder();
        std::fs::create_dir(&folder).map_err(StoreError::io("create", &folder))?;
        let trials = folder.join("trials");
        let filled = hide(&folder)
            .and_then(|()| std::fs::create_dir(&trials).map_err(StoreError::io("create", &trials)));
        match filled {
            Ok(()) => Ok(made),
            Err(error) => {
                self.remove(made);
                Err(error)
            }
        }
    }

    /// Is everything in the folder of all runs ours, and something there?
    fn holds_runs_alone(&self) -> bool {
        let (runs, lessons) = (Self::runs(&self.root), self.lessons());
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
    pub fn remove(&self, made: Extent) {
        let _ = std::fs::remove_dir_all(self.folder());
        let all = self.root.join(FOLDER);
        let ours = std::fs::read_dir(&all).is_ok_and(|mut entries| {
            entries.all(|entry| entry.is_ok_and(|entry| entry.file_name() == ".gitignore"))
        });
        if made == Extent::Both && ours {
            let _ = std::fs::remove_file(all.join(".gitignore"));
            let _ = std::fs::remove_dir(all);
        }
    }

    /// Refuses symbolic links where our folders and files should be.
    pub fn check_links(&self) -> Result<(), StoreError> {
        let folder = self.folder();
        let parts = [
            self.root.join(FOLDER),
            folder.clone(),
            folder.join("trials"),
            self.journal(),
            self.config(),
            self.table(),
            self.snapshot(),
            self.worktree(),
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
    pub fn id(&self) -> Result<String, StoreError> {
        let path = self.journal();
        let file = open(&path).map_err(StoreError::io("read", &path))?;
        let mut line = String::new();
        let most = 16 << 20;
        BufReader::new(file.take(most))
            .read_line(&mut line)
            .map_err(StoreError::io("read", &path))?;
        let unreadable = || StoreError::Tampered {
            run: self.run.clone(),
            what: "the first line of its journal is not a start".to_owned(),
        };
        let format = serde_json::from_str::<serde_json::Value>(&line)
            .ok()
            .and_then(|line| line["event"]["start"]["format"].as_u64());
        if let Some(found) = format
            .and_then(|format| u32::try_from(format).ok())
            .filter(|format| *format > FORMAT)
        {
            return Err(StoreError::Newer { path, found });
        }
        let record: Record = serde_json::from_str(&line).map_err(|_| unreadable())?;
        match record.event {
            Event::Start(start) if is_id(&start.id) => Ok(start.id),
            _ => Err(unreadable()),
        }
    }
}

/// What `create` made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// The run's folder alone: the folder of all runs was there.
    Run,
    /// The folder of all runs too.
    Both,
}

/// Lets git see nothing of a folder of ours.
fn hide(folder: &Path) -> Result<(), StoreError> {
    let ignore = folder.join(".gitignore");
    RealDisk
        .replace(&ignore, b"*\n")
        .map_err(StoreError::io("write", &ignore))
}

fn is_id(text: &str) -> bool {
    text.len() == 32
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// The folder outside the repository of the run with this id.
#[must_use]
pub fn vault(state_folder: &Path, id: &str) -> PathBuf {
    state_folder.join("runs").join(id)
}

/// All folders outside repositories.
#[must_use]
pub fn vaults(state_folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(state_folder.join("runs"))
        .into_iter()
        .flatten()
        .flatten();
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    found.sort();
    found
}
