//! Owns the campaign of inputs that nobody would write: which parser gets which, and what became of it.
//! Does not know the parsers: `texts` and `scene` do.
//! Invariant: an input that ends or holds the process is found as well: a worker of its own reads it, within limits.

mod codex;
mod mutate;
pub(crate) mod scene;
mod texts;

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::os::unix::process::CommandExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit};

use self::codex::CodexStand;
use self::scene::Scene;
use super::Figures;
use super::asked::Asked;
use super::bench::kill_processes;
use super::dice::Dice;
use super::rounds::{self, Tried};

/// Inputs of one worker.
const BATCH: u64 = 500;
/// Of so many inputs one is a command's, and one is Codex's.
const OF_COMMANDS: u64 = 20;
/// A worker that is at one input for longer hangs. The longest input takes a small part of this.
const HANGS: Duration = Duration::from_mins(4);
/// The memory of a worker.
const MEMORY: u64 = 2 << 30;

/// Feeds spoiled inputs, until the rounds are over.
pub(crate) fn try_inputs(asked: &Asked) -> Figures {
    let begun = Instant::now();
    let folder = tempfile::tempdir().unwrap();
    let mut tried = Tried::default();
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    let (mut next, last) = match asked.only {
        Some(round) => (round, round),
        None => (1, asked.rounds),
    };
    while next <= last && begun.elapsed() < asked.time() && !rounds::is_interrupted() {
        let end = last.min(next.saturating_add(BATCH - 1));
        let batch = Batch {
            seed: asked.seed,
            first: next,
            last: end,
        };
        let ended = batch.run_worker(folder.path());
        tried.broken += ended.broken;
        tried.rounds += ended.at.map_or(end + 1 - next, |at| at + 1 - next);
        for (target, count) in ended.counts {
            *counts.entry(target).or_default() += count;
        }
        if let Some(at) = ended.at.filter(|_| !rounds::is_interrupted()) {
            tried.broken += 1;
            rounds::say_broken(asked, at, &ended.how);
        }
        next = ended.at.unwrap_or(end) + 1;
        rounds::say(&format!(
            "fuzz: input {}, {} broken, {} s",
            next - 1,
            tried.broken,
            begun.elapsed().as_secs()
        ));
    }
    let shares: Vec<String> = counts
        .iter()
        .map(|(target, count)| format!("{count} {target}"))
        .collect();
    Figures {
        line: format!("{} ({})", tried.opening(asked), shares.join(", ")),
        held: tried.broken == 0,
    }
}

/// The inputs of one worker.
struct Batch {
    seed: u64,
    first: u64,
    last: u64,
}

/// How a worker ended.
#[derive(Default)]
struct EndedBatch {
    /// The input at which it died or hung.
    at: Option<u64>,
    how: String,
    /// Inputs of which it told itself.
    broken: u64,
    counts: BTreeMap<String, u64>,
}

impl Batch {
    fn run_worker(&self, folder: &Path) -> EndedBatch {
        let (at, said) = (folder.join("at"), folder.join("said"));
        std::fs::write(&at, self.first.to_le_bytes()).unwrap();
        let _ = std::fs::remove_file(&said);
        let mut worker = Command::new(std::env::current_exe().unwrap())
            .arg("fuzz-worker")
            .args([self.seed, self.first, self.last].map(|number| number.to_string()))
            .args([&at, &said])
            // What it leaves when it is killed goes with this folder.
            .env("TMPDIR", folder)
            .process_group(0)
            .spawn()
            .unwrap();
        let (mut position, mut since) = (self.first, Instant::now());
        let how = loop {
            if let Some(status) = worker.try_wait().unwrap() {
                break (!status.success()).then(|| status.to_string());
            }
            if read_position(&at) != position {
                (position, since) = (read_position(&at), Instant::now());
            }
            if since.elapsed() > HANGS || rounds::is_interrupted() {
                kill_processes(folder);
                let _ = worker.wait();
                break Some(format!("it hung for {HANGS:?}"));
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        let told = std::fs::read(&said).unwrap_or_default();
        let (broken, counts) = serde_json::from_slice(&told).unwrap_or_default();
        EndedBatch {
            at: how.is_some().then(|| read_position(&at)),
            how: how.unwrap_or_default(),
            broken,
            counts,
        }
    }
}

fn read_position(file: &Path) -> u64 {
    let bytes = std::fs::read(file).unwrap_or_default();
    bytes.try_into().map_or(0, u64::from_le_bytes)
}

/// Reads the inputs of a batch: `fuzz-worker SEED FIRST LAST AT SAID`.
pub(crate) fn run_worker(words: &[String]) -> ExitCode {
    let number = |at: usize| words[at].parse::<u64>().unwrap();
    let (first, last) = (number(1), number(2));
    let asked = Asked {
        seed: number(0),
        ..Asked::read("fuzz", &[]).unwrap()
    };
    let limit = Rlimit {
        current: Some(MEMORY),
        maximum: Some(MEMORY),
    };
    let _ = rustix::process::setrlimit(Resource::As, limit);
    let at = File::options().write(true).open(&words[3]).unwrap();
    let (mut broken, mut scene, mut codex) = (0, None, None);
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    rounds::note_places();
    for round in first..=last {
        at.write_at(&round.to_le_bytes(), 0).unwrap();
        let mut dice = Dice::of_round(asked.seed, round);
        let fed = match round % OF_COMMANDS {
            0 => feed_slowly(&mut || scene.get_or_insert_with(Scene::begin).feed(&mut dice)),
            1 => feed_slowly(&mut || codex.get_or_insert_with(CodexStand::begin).feed(&mut dice)),
            _ => feed_parser(&mut dice),
        };
        match fed {
            Ok(name) => *counts.entry(name).or_default() += 1,
            Err(why) => {
                broken += 1;
                rounds::say_broken(&asked, round, &why);
            }
        }
    }
    let told = serde_json::to_vec(&(broken, counts)).unwrap();
    std::fs::write(&words[4], told).unwrap();
    ExitCode::SUCCESS
}

/// Feeds a parser of a text; its name, or what was broken.
fn feed_parser(dice: &mut Dice) -> Result<&'static str, String> {
    let target = dice.index(texts::TARGETS.len());
    let target = &texts::TARGETS[target];
    let seed = dice.pick(target.seeds);
    let other = dice.index(texts::TARGETS.len());
    let other = dice.pick(texts::TARGETS[other].seeds);
    let input = mutate::spoil(seed, other, dice);
    catch_unwind(AssertUnwindSafe(|| (target.feed)(&input)))
        .map(|()| target.name)
        .map_err(|thrown| {
            let why = rounds::read_thrown(thrown.as_ref());
            let shown: String = String::from_utf8_lossy(&input).chars().take(300).collect();
            format!("{}: {why}: {shown:?}", target.name)
        })
}

/// Feeds what reads more than a text; the name of it, or what was broken.
fn feed_slowly(feed: &mut dyn FnMut() -> &'static str) -> Result<&'static str, String> {
    let ended = catch_unwind(AssertUnwindSafe(feed));
    ended.map_err(|thrown| rounds::read_thrown(thrown.as_ref()))
}
