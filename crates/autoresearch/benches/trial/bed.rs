//! Owns a bed: a repository with a run, its twin for the floor, and one turn of both.
//! Does not know how the log is made long, and prints no tables.
//! Invariant: tool and floor see the same files, the same edits and the same history, in twin folders.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use autoresearch::config::ConfigSource;
use autoresearch::start;
use autoresearch::trial::{self, TrialRequest};
use autoresearch_sys::env::{Stopwatch, World};
use autoresearch_sys::store;
use autoresearch_sys::store::Layout;
use serde_json::{Value, json};

use crate::figures::millis;
use crate::{Stop, floor, place, world};

/// The hidden word under which this program runs one trial, as the tool's process would.
pub(crate) const TRIAL: &str = "__trial";

/// The name of the run.
const RUN: &str = "bench";

const CONFIG: &str = r#"
goal: Lower the number
tag: bench
scope: ["src/**"]
metric: {name: number, direction: lower}
verify: {command: "sh measure.sh", timeout: 20s}
iterations: 1000000
"#;

/// What the number is at first.
const NUMBER: u64 = 1_000_000;

/// How a trial ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Taken back.
    Discard,
    /// Kept.
    Keep,
}

impl Kind {
    /// The word in the log.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Discard => "discard",
            Self::Keep => "keep",
        }
    }

    /// How many records it writes.
    pub(crate) fn records(self) -> u32 {
        match self {
            Self::Discard => 3,
            Self::Keep => 2,
        }
    }
}

/// What one trial cost, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turn {
    /// How it ended.
    pub kind: Kind,
    /// `trial::run` less verify, guard and git.
    pub own: f64,
    /// What the tool reports as its own.
    pub reported: f64,
    /// The whole process less verify, guard and git.
    pub process: f64,
    /// The syncs of journal, anchor and lessons alone.
    pub syncs: f64,
    /// The whole process.
    pub whole: f64,
    /// The floor's script.
    pub floor: f64,
}

/// A repository with a run, and its twin.
pub(crate) struct Bed {
    /// Where both are.
    pub world: World,
    /// The repository with the run.
    pub root: PathBuf,
    /// The run's files.
    pub layout: Layout,
    /// The run's folder outside the repository.
    pub anchor_folder: PathBuf,
    twin: PathBuf,
    script: PathBuf,
    number: u64,
    count: u32,
}

impl Bed {
    /// Makes both repositories with so many files, and starts the run.
    pub(crate) fn new(at: &Path, files: u32) -> Result<Self, Stop> {
        let (root, twin, state) = (at.join("repo"), at.join("twin"), at.join("state"));
        let stream = stream(files)?;
        for repository in [&root, &twin] {
            make_repository(repository, &stream)?;
        }
        let world = world(&state);
        let source = ConfigSource {
            path: None,
            name: "bench.yaml".to_owned(),
            text: CONFIG.to_owned(),
            merged: false,
        };
        start::start_run(&world, &place(&root), &source).map_err(floor::stop)?;
        let layout = Layout::new(&root, RUN);
        let anchor_folder = store::anchor_folder(&world.state_folder, &layout.read_run_id()?);
        floor::make(&twin)?;
        let script = at.join("floor.sh");
        std::fs::write(&script, floor::SCRIPT)?;
        Ok(Self {
            world,
            root,
            layout,
            anchor_folder,
            twin,
            script,
            number: NUMBER,
            count: 0,
        })
    }

    /// A discard and a keep by tool and floor, who change places each time.
    pub(crate) fn turns(&mut self) -> Result<[Turn; 2], Stop> {
        Ok([self.turn(Kind::Discard)?, self.turn(Kind::Keep)?])
    }

    /// What git alone takes to look at all files.
    pub(crate) fn run_status(&self) -> Result<(), Stop> {
        git(&self.twin, &["status", "--porcelain"], "")
    }

    fn turn(&mut self, kind: Kind) -> Result<Turn, Stop> {
        self.count += 1;
        let number = match kind {
            Kind::Discard => self.number + 1,
            Kind::Keep => self.number - 1,
        };
        for folder in [&self.root, &self.twin] {
            std::fs::write(folder.join("src/number"), format!("{number}\n"))?;
        }
        let floor_first = self.count % 4 < 2;
        let mut floor = 0.0;
        if floor_first {
            floor = self.floor(kind)?;
        }
        let (whole, answer) = self.tool(kind)?;
        if !floor_first {
            floor = self.floor(kind)?;
        }
        if kind == Kind::Keep {
            self.number = number;
        }
        let figure = |name: &str| answer[name].as_f64().ok_or(format!("no {name}: {answer}"));
        let spent = figure("spent")?;
        let watch = Stopwatch::start();
        floor::syncs(&self.twin, kind)?;
        Ok(Turn {
            kind,
            own: figure("run")? - spent,
            reported: figure("own")?,
            process: whole - spent,
            syncs: millis(watch.elapsed()),
            whole,
            floor,
        })
    }

    /// One trial by the tool, in a process of its own.
    fn tool(&self, kind: Kind) -> Result<(f64, Value), Stop> {
        let watch = Stopwatch::start();
        let output = Command::new(&self.world.program)
            .arg(TRIAL)
            .args([&self.world.state_folder, &self.root])
            .arg(format!("turn {}: another number", self.count))
            .stdin(Stdio::null())
            .output()?;
        let whole = millis(watch.elapsed());
        let text = String::from_utf8_lossy(&output.stdout);
        let answer: Value = serde_json::from_str(text.trim()).map_err(|_| text.into_owned())?;
        if answer["verdict"] == kind.word() {
            Ok((whole, answer))
        } else {
            Err(format!("not a {}: {answer}", kind.word()).into())
        }
    }

    /// The same by the floor.
    fn floor(&self, kind: Kind) -> Result<f64, Stop> {
        let watch = Stopwatch::start();
        let output = Command::new("/bin/sh")
            .arg(&self.script)
            .arg(kind.word())
            .arg(&self.twin)
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .output()?;
        floor::check(&output)?;
        Ok(millis(watch.elapsed()))
    }
}

/// One trial, timed around `trial::run`, as a process of its own.
pub(crate) fn process(state: &Path, root: &Path, message: &str) -> Result<(), Stop> {
    let world = world(state);
    let request = TrialRequest {
        message: message.to_owned(),
        ..TrialRequest::default()
    };
    let watch = Stopwatch::start();
    let ended = trial::run_trial(&world, &place(root), &request).map_err(floor::stop)?;
    let report = ended.report;
    let run = millis(watch.elapsed());
    let timings = &report.timings;
    let answer = json!({
        "verdict": report.verdict,
        "run": run,
        "own": timings.own_ms,
        "spent": timings.verify_ms + timings.guard_ms + timings.git_ms,
    });
    println!("{answer}");
    Ok(())
}

/// A repository as `git fast-import` reads it: the number, its measure, and other files, a hundred folders of them.
fn stream(files: u32) -> Result<String, std::fmt::Error> {
    let mut text = String::from(
        "commit refs/heads/main\ncommitter Bench <bench@localhost> 1700000000 +0000\ndata 5\nfirst\n",
    );
    let mut add = |path: &str, content: &str| {
        writeln!(
            text,
            "M 100644 inline {path}\ndata {}\n{content}",
            content.len()
        )
    };
    add("src/number", &format!("{NUMBER}\n"))?;
    add("measure.sh", "cat src/number\n")?;
    for file in 0..files {
        let path = format!("other/{:02}/{file}.txt", file % 100);
        add(&path, &format!("file {file}\n"))?;
    }
    text.push('\n');
    Ok(text)
}

fn make_repository(at: &Path, stream: &str) -> Result<(), Stop> {
    std::fs::create_dir_all(at)?;
    git(at, &["init", "--quiet", "--template=", "-b", "main"], "")?;
    for (name, value) in [("user.name", "Bench"), ("user.email", "bench@localhost")] {
        git(at, &["config", name, value], "")?;
    }
    git(at, &["fast-import", "--quiet"], stream)?;
    git(at, &["reset", "--quiet", "--hard"], "")
}

fn git(at: &Path, arguments: &[&str], input: &str) -> Result<(), Stop> {
    let mut child = Command::new("git")
        .arg("-C")
        .arg(at)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(input.as_bytes())?;
    }
    floor::check(&child.wait_with_output()?)
}
