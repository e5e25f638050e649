//! Owns a real trial of a case: a repository, a run, the edit, the verdict.
//! Does not judge the verdict.
//! Invariant: everything that it makes is below one temporary folder, and goes with it.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::cases::{Case, Project};

/// What became of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Kept, with nothing said about it.
    KeptInSilence,
    /// Kept, and flagged with these words.
    Flagged(String),
    /// Not kept, for this reason.
    Refused(String),
}

/// A repository with a run.
pub(crate) struct CaseBed {
    folder: TempDir,
    program: PathBuf,
    path: String,
}

impl CaseBed {
    /// Makes the repository of a project; the program is one in a sealed world.
    pub(crate) fn new(program: &Path, project: &Project) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("ar-case-")
            .tempdir()
            .unwrap();
        let bed = Self {
            folder,
            program: program.to_owned(),
            path: find_path(),
        };
        for place in ["repo", "home"] {
            std::fs::create_dir(bed.folder.path().join(place)).unwrap();
        }
        for (path, text) in &project.files {
            bed.write(path, text);
        }
        bed.git(&["init", "-q", "-b", "main"]);
        bed.git(&["add", "-A"]);
        bed.git(&["commit", "-qm", "first"]);
        bed
    }

    fn repo(&self) -> PathBuf {
        self.folder.path().join("repo")
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.repo().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.repo())
            .env_clear()
            .env("PATH", &self.path)
            .env("HOME", self.folder.path().join("home"))
            .env("SEALED_STATE", self.folder.path().join("state"))
            .env("SEALED_DATA", self.folder.path().join("data"))
            .env("GIT_CONFIG_NOSYSTEM", "1");
        command
    }

    fn git(&self, words: &[&str]) {
        let name = ["-c", "user.name=t", "-c", "user.email=t@example.org"];
        let mut command = self.command(Path::new("git"));
        let ended = command.args(name).args(words).output().unwrap();
        assert!(ended.status.success(), "git {words:?}: {ended:?}");
    }

    fn run(&self, words: &[&str]) -> Value {
        let ended = self.command(&self.program).args(words).output().unwrap();
        let printed = String::from_utf8_lossy(&ended.stdout).into_owned();
        serde_json::from_str(&printed).unwrap_or_else(|_| panic!("{words:?}: {ended:?}"))
    }

    /// Starts a run of the project.
    pub(crate) fn start(&self, project: &Project, verify: &Value) {
        let config = json!({
            "goal": "Count pairs faster", "tag": "case", "scope": project.scope,
            "metric": {"name": "ms", "direction": "lower"},
            "verify": verify,
            "guard": {"command": project.guard, "timeout": "60s"},
        });
        let file = self.folder.path().join("config.json");
        std::fs::write(&file, config.to_string()).unwrap();
        self.run(&["start", "--json", "--config", file.to_str().unwrap()]);
    }

    /// Makes the edit of a case, and tries it.
    pub(crate) fn try_case(&self, case: &Case) -> Fate {
        for (path, text) in &case.files {
            self.write(path, text);
        }
        if let Some(shell) = &case.shell {
            let mut command = self.command(Path::new("sh"));
            assert!(command.args(["-c", shell]).status().unwrap().success());
        }
        let answer = self.run(&["trial", "-m", &case.name, "--json"]);
        let is_true = |key: &str| answer.get(key).is_some_and(|value| *value == json!(true));
        match answer["verdict"].as_str().unwrap() {
            "keep" if is_true("jump") => Fate::Flagged("jump".to_owned()),
            "keep" if answer.get("suspects").is_some() => Fate::Flagged("suspect".to_owned()),
            "keep" => Fate::KeptInSilence,
            _ => Fate::Refused(answer["reason"].as_str().unwrap_or("-").to_owned()),
        }
    }
}

/// A `rustc` that is a switch between several needs a home; the one behind it does not.
fn find_path() -> String {
    let path = std::env::var("PATH").unwrap_or_default();
    let asked = Command::new("rustc").args(["--print", "sysroot"]).output();
    match asked {
        Ok(ended) if ended.status.success() => {
            let root = String::from_utf8_lossy(&ended.stdout).trim().to_owned();
            format!("{root}/bin:{path}")
        }
        _ => path,
    }
}
