//! Owns the benchmark of batches: how much sooner three workers have measured twelve hypotheses than one trial after the other.
//! Does not test; a run that does not come to its end only stops it.
//! Invariant: both runs have the same agent and verify, and neither finds an improvement.
//!
//! `cargo bench -p autoresearch --bench batches` takes about three minutes.

#![expect(
    clippy::disallowed_methods,
    reason = "git is called as a person would call it"
)]
#![expect(clippy::print_stdout, reason = "the table is what it is for")]

#[path = "trial/ground.rs"]
mod ground;

use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

use autoresearch::config::ConfigSource;
use autoresearch::night::audience::{Audience, DriverEvent, DriverOrder};
use autoresearch::night::driver;
use autoresearch::run::glance::Glance;
use autoresearch::run::place::WantedRun;
use autoresearch::start;
use autoresearch_sys::env::{ProcessRole, Stopwatch, World, temporary_folder};
use autoresearch_sys::error::Failure;
use autoresearch_sys::process::{RUNNER, runner_main};
use autoresearch_sys::store::Access;

use self::ground::{Stop, exit, place, world};

/// Hypotheses that are measured.
const HYPOTHESES: u32 = 12;
const WORKERS: u32 = 3;
/// Seconds of an edit, and of verify.
const EDIT: u32 = 3;
const VERIFY: u32 = 1;
/// So many times sooner they have to be there.
const BUDGET: f64 = 2.2;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let [word, spec] = words.as_slice()
        && word == RUNNER
    {
        return ExitCode::from(runner_main(spec));
    }
    exit(run())
}

fn run() -> Result<(), Stop> {
    let at = tempfile::Builder::new()
        .prefix("autoresearch-bench-")
        .tempdir_in(temporary_folder())?;
    let serial = time_run(&at.path().join("serial"), (1, HYPOTHESES), 0)?;
    println!(
        "{HYPOTHESES} hypotheses, an edit of {EDIT} s and a verify of {VERIFY} s each, none of which helps."
    );
    println!(
        "one after the other:                  {:5.1} s",
        serial.as_secs_f64()
    );
    for proposing in [0, EDIT] {
        let folder = at.path().join(format!("proposing-{proposing}"));
        let batches = time_run(&folder, (WORKERS, HYPOTHESES / WORKERS), proposing)?;
        let ratio = serial.as_secs_f64() / batches.as_secs_f64();
        let missed = if proposing == 0 && ratio < BUDGET {
            "  MISSED"
        } else {
            ""
        };
        println!(
            "{WORKERS} at once, proposed within {proposing} s:          {:5.1} s, {ratio:.2} times sooner{missed}",
            batches.as_secs_f64()
        );
    }
    Ok(())
}

/// Whoever does not listen.
struct Nobody;

impl Audience for Nobody {
    fn hear_event(&mut self, _: &DriverEvent<'_>) {}

    fn read_order(&mut self) -> Option<DriverOrder> {
        None
    }
}

/// How long a run takes to its last iteration, without its start.
fn time_run(
    at: &Path,
    (workers, iterations): (u32, u32),
    proposing: u32,
) -> Result<Duration, Stop> {
    let root = at.join("repo");
    std::fs::create_dir_all(root.join("src"))?;
    std::fs::write(root.join("src/number"), "1\n")?;
    let agent = format!(
        "case $(cat) in\n*\"Now: propose\"*) sleep {proposing}; echo '{{\"hypotheses\": [\"a\", \"b\", \"c\"]}}';;\n*) sleep {EDIT}; echo 2 >> src/number; echo \"$PWD $$\" > src/mark;;\nesac\n"
    );
    std::fs::write(root.join("agent.sh"), agent)?;
    let agent = root.join("agent.sh");
    run_git(&root, &["init", "-q", "--template=", "-b", "main"])?;
    run_git(&root, &["add", "-A"])?;
    let names = ["-c", "user.name=b", "-c", "user.email=b@localhost"];
    run_git(&root, &[&names[..], &["commit", "-qm", "first"]].concat())?;
    let text = format!(
        "goal: Lower the number\ntag: bench\nscope: [\"src/**\"]\nmetric: {{name: number, direction: lower}}\nverify: {{command: 'sleep {VERIFY}; cat src/number | wc -l'}}\niterations: {iterations}\nladder: off\nparallel: {{workers: {workers}}}\nagent: {{command: 'sh {}'}}\n",
        agent.display()
    );
    let world = World {
        role: ProcessRole::Driver,
        ..world(&at.join("state"))
    };
    let place = place(&root);
    let source = ConfigSource {
        path: None,
        name: "bench.yaml".to_owned(),
        text,
        merged: false,
    };
    start::start_run(&world, &place, &source).map_err(told)?;
    let glance = Glance::open_run(&world, &place, WantedRun::Latest, Access::Glance, "bench")
        .map_err(told)?;
    let anchor = glance.run.store.anchor_folder;
    let _held = driver::take_driver_lock(&world, &anchor, "bench").map_err(told)?;
    let watch = Stopwatch::start();
    driver::drive_run(&world, &place, &mut Nobody).map_err(told)?;
    Ok(watch.elapsed())
}

fn run_git(root: &Path, words: &[&str]) -> Result<(), Stop> {
    let status = Command::new("git")
        .arg("-C")
        .arg(root)
        .args(words)
        .status()?;
    if status.success() {
        Ok(())
    } else {
        Err("git failed".into())
    }
}

fn told(failure: Failure) -> Stop {
    failure.error.into()
}
