//! Owns the benchmark of a run without a person: what a trial costs beyond the agent and verify, and what waiting costs.
//! Does not test; a run that does not come to its end only stops it.
//! Invariant: the agent is a command that only edits, so that what is left is ours.
//!
//! `cargo bench -p autoresearch --bench background` takes about half a minute.

#![expect(
    clippy::disallowed_methods,
    reason = "the benchmark starts the supervisor as a process of its own"
)]
#![expect(clippy::print_stdout, reason = "the tables are what it is for")]

#[path = "trial/ground.rs"]
mod ground;

use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use autoresearch::config::ConfigSource;
use autoresearch::night::audience::{Audience, DriverEvent, DriverOrder};
use autoresearch::night::driver;
use autoresearch::night::supervisor;
use autoresearch::run::glance::Glance;
use autoresearch::run::place::{Place, WantedRun};
use autoresearch::start;
use autoresearch_core::journal::story::Story;
use autoresearch_sys::env::{ProcessRole, Stopwatch, World, sleep_for, temporary_folder};
use autoresearch_sys::polling::wait_until;
use autoresearch_sys::process::{RUNNER, runner_main};
use autoresearch_sys::store::{Access, Layout};

use self::ground::{Stop, exit, place};

/// The hidden word under which this program is the supervisor.
const SUPERVISE: &str = "__supervise";
/// Trials that are timed.
const TRIALS: usize = 40;
/// Milliseconds that a trial may cost beyond the agent and verify.
const BUDGET: f64 = 50.0;
/// Mebibytes that a waiting supervisor may hold.
const MEMORY: f64 = 15.0;
/// How long a waiting supervisor is watched.
const WATCH: Duration = Duration::from_secs(4);

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        [word, spec] if *word == RUNNER => return ExitCode::from(runner_main(spec)),
        [word, state, root] if *word == SUPERVISE => {
            supervisor::supervise_run(&world(Path::new(state)), &place(Path::new(root)))
                .map_err(|failure| failure.to_string().into())
        }
        _ => run(),
    };
    exit(done)
}

fn run() -> Result<(), Stop> {
    let at = tempfile::Builder::new()
        .prefix("autoresearch-bench-")
        .tempdir_in(temporary_folder())?;
    trials(&at.path().join("trials"))?;
    waiting(&at.path().join("waiting"))
}

/// Times the loop around trials whose agent and verify take next to nothing.
struct Clock {
    watch: Stopwatch,
    begun: Option<Duration>,
    /// For each trial: the whole, verify, and git, in milliseconds.
    whole: Vec<[f64; 3]>,
    measured: [f64; 2],
}

impl Audience for Clock {
    fn hear_event(&mut self, happening: &DriverEvent<'_>) {
        match happening {
            DriverEvent::Turn { .. } => {
                let now = self.watch.elapsed();
                if let Some(begun) = self.begun.replace(now) {
                    let [verify, git] = self.measured;
                    self.whole
                        .push([millis(now.saturating_sub(begun)), verify, git]);
                }
            }
            DriverEvent::Trial(report) => {
                self.measured = [report.timings.verify_ms, report.timings.git_ms];
            }
            _ => {}
        }
    }

    fn read_order(&mut self) -> Option<DriverOrder> {
        (self.whole.len() >= TRIALS).then_some(DriverOrder::Pause)
    }
}

fn trials(at: &Path) -> Result<(), Stop> {
    let agent = "n=$(cat src/number); echo $((n - 1)) > src/number";
    let (world, place) = begin(at, agent)?;
    let mut clock = Clock {
        watch: Stopwatch::start(),
        begun: None,
        whole: Vec::new(),
        measured: [0.0; 2],
    };
    {
        let glance = Glance::open_run(&world, &place, WantedRun::Latest, Access::Glance, "bench")
            .map_err(told)?;
        let anchor = glance.run.store.anchor_folder;
        let _held = driver::take_driver_lock(&world, &anchor, "bench").map_err(told)?;
        driver::drive_run(&world, &place, &mut clock).map_err(told)?;
    }
    let run = Glance::open_run(&world, &place, WantedRun::Latest, Access::Read, "bench")
        .map_err(told)?
        .run;
    let records = run.store.read_records()?;
    let turns: Vec<f64> = Story::of(&run.store.state.start, &records)
        .turns
        .iter()
        .filter_map(|turn| u32::try_from(turn.ms).ok().map(f64::from))
        .collect();
    let own: Vec<f64> = clock
        .whole
        .iter()
        .zip(&turns)
        .map(|([whole, verify, _], turn)| whole - verify - turn)
        .collect();
    let git = median(clock.whole.iter().map(|[_, _, git]| *git).collect());
    let own = median(own);
    println!("A trial of a background run, medians of {TRIALS} in one run, in milliseconds.");
    println!(
        "beyond the agent and verify: {own:.1} (budget {BUDGET:.0}){}",
        missed(own, BUDGET)
    );
    println!("of it git in the trial:      {git:.1}");
    println!("the agent, a shell command:  {:.1}", median(turns));
    println!();
    Ok(())
}

/// A supervisor that waits for better weather.
fn waiting(at: &Path) -> Result<(), Stop> {
    let (_, place) = begin(at, "exit 75")?;
    let root = place.directory.clone().unwrap_or_default();
    let mut child = Command::new(World::from_process().program)
        .arg(SUPERVISE)
        .arg(at.join("state"))
        .arg(&root)
        .stdin(Stdio::null())
        .spawn()?;
    let layout = Layout::new(&root, "bench");
    let waits = || {
        supervisor::read_runtime(&layout)
            .is_some_and(|runtime| runtime.phase == supervisor::SupervisorPhase::Waiting)
    };
    if !wait_until(Duration::from_secs(20), Duration::from_millis(20), waits) {
        child.kill()?;
        return Err("the supervisor does not wait".into());
    }
    let before = ticks(child.id())?;
    sleep_for(WATCH);
    let used = ticks(child.id())? - before;
    let memory = memory(child.id())?;
    child.kill()?;
    child.wait()?;
    println!(
        "A supervisor that waits, watched for {} s.",
        WATCH.as_secs()
    );
    println!("processor: {used} ticks of 10 ms");
    println!(
        "memory:    {memory:.1} MiB resident (budget {MEMORY:.0}){}",
        missed(memory, MEMORY)
    );
    Ok(())
}

fn missed(value: f64, budget: f64) -> &'static str {
    if value < budget { "" } else { "  MISSED" }
}

/// A repository with a run whose agent is this command.
fn begin(at: &Path, agent: &str) -> Result<(World, Place), Stop> {
    let root = at.join("repo");
    std::fs::create_dir_all(root.join("src"))?;
    std::fs::write(root.join("src/number"), "1000000\n")?;
    for words in [
        &["init", "-q", "--template=", "-b", "main"][..],
        &["add", "-A"],
        &[
            "-c",
            "user.name=b",
            "-c",
            "user.email=b@localhost",
            "commit",
            "-qm",
            "first",
        ],
    ] {
        let status = Command::new("git")
            .arg("-C")
            .arg(&root)
            .args(words)
            .status()?;
        if !status.success() {
            return Err("git failed".into());
        }
    }
    let text = format!(
        "goal: Lower the number\ntag: bench\nscope: [\"src/**\"]\nmetric: {{name: number, direction: lower}}\nverify: {{command: cat src/number}}\niterations: 1000000\nagent: {{command: '{agent}'}}\n"
    );
    let world = world(&at.join("state"));
    let source = ConfigSource {
        path: None,
        name: "bench.yaml".to_owned(),
        text,
        merged: false,
    };
    start::start_run(&world, &place(&root), &source).map_err(told)?;
    Ok((world, place(&root)))
}

/// User and system time of a process, in the kernel's ticks.
fn ticks(pid: u32) -> Result<u64, Stop> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let fields: Vec<&str> = stat
        .rsplit(") ")
        .next()
        .unwrap_or_default()
        .split(' ')
        .collect();
    let field = |at: usize| {
        fields
            .get(at)
            .and_then(|text| text.parse::<u64>().ok())
            .unwrap_or(0)
    };
    Ok(field(11) + field(12))
}

/// Resident memory of a process, in mebibytes.
fn memory(pid: u32) -> Result<f64, Stop> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kilobytes
        .map(|size| size / 1024.0)
        .ok_or_else(|| "no VmRSS".into())
}

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples.get(samples.len() / 2).copied().unwrap_or(f64::NAN)
}

fn millis(span: Duration) -> f64 {
    span.as_secs_f64() * 1e3
}

fn told(failure: autoresearch_sys::error::Failure) -> Stop {
    failure.error.into()
}

/// The world of a driver.
fn world(state: &Path) -> World {
    World {
        role: ProcessRole::Driver,
        ..ground::world(state)
    }
}
