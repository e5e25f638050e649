//! Owns the inputs that only a command reads: the files of a run, what git prints, what a hook is sent.
//! Does not tell which part of the command reads them.
//! Invariant: whatever a command read, it answered, and nothing of the user's was changed.

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use serde_json::json;

use super::mutate::spoil;
use crate::belongings::{Picture, move_in, picture_files, tell_differences};
use crate::bench::{Bench, Said, make_folder, write_file};
use crate::dice::Dice;

const CONFIG: &str = "goal: Fewer any\ntag: demo\nscope: [\"src/**\"]\nmetric: {name: any_count, direction: lower}\n\
    verify: {command: \"sh count.sh\", timeout: 20s}\nguard: {command: \"sh guard.sh\", timeout: 20s}\niterations: 100\n";

/// What is called on spoiled files, and with a git that prints what it should not.
const COMMANDS: [&[&str]; 12] = [
    &["status", "--json"],
    &["log", "--json"],
    &["show", "1", "--diff"],
    &["doctor", "--json"],
    &["runs"],
    &["clean"],
    &["clean", "--yes"],
    &["resume", "--json"],
    &["trial", "-m", "an idea", "--json"],
    &["retry", "2"],
    &["finish"],
    &["doctor", "--repair"],
];

const EVENTS: [&str; 4] = [
    "session-start",
    "user-prompt-submit",
    "stop",
    "pre-tool-use",
];

/// A git that stands before the real one prints what the dice of this file make of the answer.
const PLAN: &str = "git-plan";
/// As many bytes as it was called.
const CALLS: &str = "git-calls";

/// A run, and how it was before it was fed.
pub(crate) struct Scene {
    bench: Bench,
    files: Vec<PathBuf>,
    theirs: Picture,
}

impl Scene {
    /// A run with a kept and a discarded trial.
    pub(crate) fn begin() -> Self {
        let bench = Bench::new(make_folder(), Bench::side_by_side);
        move_in(&bench);
        let config = bench.base.join("home/config.yaml");
        std::fs::write(&config, CONFIG).unwrap();
        bench
            .run(&["start", "--config", config.to_str().unwrap()])
            .ok("start");
        for lines in [30, 50] {
            bench.write("src/a", &"any\n".repeat(lines));
            bench.run(&["trial", "-m", "an idea"]).ok("trial");
        }
        let front = bench.base.join("front");
        std::fs::create_dir(&front).unwrap();
        std::os::unix::fs::symlink(std::env::current_exe().unwrap(), front.join("git")).unwrap();
        let mut files = vec![PathBuf::from("repo/.git/index")];
        for folder in ["state", "repo/autoresearch-results"] {
            list_files(&bench.base, &bench.base.join(folder), &mut files);
        }
        files.sort();
        let saved = bench.base.join("saved");
        std::fs::create_dir(&saved).unwrap();
        for part in ["repo", "state", "home"] {
            copy(&bench.base.join(part), &saved);
        }
        Self {
            theirs: picture_theirs(&bench),
            bench,
            files,
        }
    }

    /// Feeds a command; what was fed.
    pub(crate) fn feed(&self, dice: &mut Dice) -> &'static str {
        self.lay_back();
        self.bench.write("src/a", "any\nany\n");
        let (what, case, said) = match dice.below(10) {
            0..5 => self.feed_file(dice),
            5..8 => self.feed_git(dice),
            _ => self.feed_hook(dice),
        };
        assert!((0..64).contains(&said.code), "{what}, {case}: {said:?}");
        // A hook answers nothing where it panics, and ends well.
        let is_silent = !said.err.contains("panicked at");
        assert!(is_silent, "{what}, {case}: {said:?}");
        self.bench.expect_no_process(&case);
        let differences = tell_differences(&self.theirs, &picture_theirs(&self.bench));
        assert!(differences.is_empty(), "{what}, {case}: {differences:#?}");
        what
    }

    fn feed_file(&self, dice: &mut Dice) -> (&'static str, String, Said) {
        let name = &self.files[dice.index(self.files.len())];
        let file = self.bench.base.join(name);
        let other = self
            .bench
            .base
            .join(&self.files[dice.index(self.files.len())]);
        let read = |path: &Path| std::fs::read(path).unwrap();
        let spoiled = spoil(&read(&file), &read(&other), dice);
        std::fs::write(&file, spoiled).unwrap();
        let words = dice.pick(&COMMANDS);
        let said = self.bench.run(words);
        (
            "files of a run",
            format!("{} for {words:?}", name.display()),
            said,
        )
    }

    fn feed_git(&self, dice: &mut Dice) -> (&'static str, String, Said) {
        let plan = (dice.below(1 << 40), dice.below(25));
        let home = self.bench.base.join("home");
        write_file(&home.join(PLAN), &json!(plan).to_string());
        let words = dice.pick(&COMMANDS);
        let mut command = self.bench.tool(words);
        let path = std::env::var("PATH").unwrap_or_default();
        let front = self.bench.base.join("front");
        command.env("PATH", format!("{}:{path}", front.display()));
        let said = self.bench.started(command).finish();
        ("answers of git", format!("{plan:?} for {words:?}"), said)
    }

    fn feed_hook(&self, dice: &mut Dice) -> (&'static str, String, Said) {
        let payload = json!({
            "session_id": "0199a213-81c0-7800-8aa1-bbab2a035a53", "cwd": self.bench.places.repo,
            "hook_event_name": "Stop", "transcript_path": null, "model": "m", "permission_mode": "default",
            "turn_id": "t", "stop_hook_active": false, "last_assistant_message": "ok", "prompt": "go on",
            "tool_name": "Bash", "tool_input": {"command": "autoresearch trial -m x"}, "source": "startup",
        });
        let spoiled = spoil(payload.to_string().as_bytes(), CONFIG.as_bytes(), dice);
        let file = self.bench.base.join("payload");
        std::fs::write(&file, spoiled).unwrap();
        let event = dice.pick(&EVENTS);
        let mut command = self.bench.tool(&[event]);
        command
            .arg0("autoresearch-hook")
            .stdin(std::fs::File::open(&file).unwrap());
        let said = self.bench.started(command).finish();
        ("payloads of hooks", event.to_owned(), said)
    }

    fn lay_back(&self) {
        for part in ["repo", "state", "home"] {
            std::fs::remove_dir_all(self.bench.base.join(part)).unwrap();
            copy(&self.bench.base.join("saved").join(part), &self.bench.base);
        }
    }
}

/// The user's files; what git says of them is read by a git that nobody answers for.
fn picture_theirs(bench: &Bench) -> Picture {
    let mut found = picture_files(bench);
    found.retain(|name, _| !name.starts_with("src/"));
    found
}

fn copy(from: &Path, to: &Path) {
    let mut command = Command::new("cp");
    let status = command.arg("-a").args([from, to]).status().unwrap();
    assert!(status.success(), "{}", from.display());
}

/// Files below a folder, relative to the base. An empty one says nothing.
fn list_files(base: &Path, folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let meta = path.symlink_metadata().unwrap();
        if meta.is_dir() {
            list_files(base, &path, found);
        } else if meta.len() > 0 {
            found.push(path.strip_prefix(base).unwrap().to_owned());
        }
    }
}

/// What this program is by the name of git: the real one, whose answer is spoiled once.
pub(crate) fn run_as_git() -> ExitCode {
    let own = PathBuf::from(std::env::args_os().next().unwrap());
    let front = own.parent().unwrap().to_owned();
    let folders = std::env::var("PATH").unwrap_or_default();
    let mut gits = folders.split(':').map(Path::new);
    let real = gits
        .by_ref()
        .filter(|folder| *folder != front)
        .map(|folder| folder.join("git"))
        .find(|git| git.is_file())
        .unwrap();
    let home = PathBuf::from(std::env::var_os("HOME").unwrap_or_default());
    let plan = std::fs::read(home.join(PLAN)).unwrap_or_default();
    let (seed, nth): (u64, u64) = serde_json::from_slice(&plan).unwrap_or((0, u64::MAX));
    let calls = home.join(CALLS);
    let before = std::fs::metadata(&calls).map_or(0, |meta| meta.len());
    let mut log = std::fs::File::options()
        .append(true)
        .create(true)
        .open(&calls)
        .unwrap();
    std::io::Write::write_all(&mut log, b".").unwrap();
    let mut command = Command::new(real);
    command.args(std::env::args_os().skip(1));
    if before != nth {
        let failed = command.exec();
        panic!("{failed}");
    }
    let ended = command
        .stderr(std::process::Stdio::inherit())
        .output()
        .unwrap();
    let spoiled = spoil(&ended.stdout, b"", &mut Dice::of_round(seed, nth));
    let _ = std::io::Write::write_all(&mut std::io::stdout(), &spoiled);
    ExitCode::from(u8::try_from(ended.status.code().unwrap_or(1)).unwrap_or(1))
}
