//! Owns the comparison of a command's time by its runner with the time when it is started and waited for directly.
//! Does not test: no figure of it fails anything.
//! Invariant: both ways take turns, so that a busy machine slows them alike.
//!
//! `cargo bench -p autoresearch --bench gauge` takes about a minute.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a benchmark prints, starts processes and reads the clock, and stops at the first surprise"
)]

use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use autoresearch_sys::env::World;
use autoresearch_sys::process::{
    CommandLine, Executor, Job, JobConditions, LocalExecutor, RUNNER, runner_main,
};

/// Runs of each command by each way.
const RUNS: usize = 15;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().collect();
    if let [_, word, spec] = words.as_slice()
        && word == RUNNER
    {
        return ExitCode::from(runner_main(spec));
    }
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::from_process();
    folder.path().clone_into(&mut world.state_folder);
    world.program = std::env::current_exe().unwrap();
    let env: Vec<_> = world.vars.clone().into_iter().collect();
    let executor = LocalExecutor::new(&world, &env);
    println!("| command | directly | by the runner | ratio |\n|---|---|---|---|");
    let busy = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done";
    for text in ["true", "sleep 0.1", "sleep 1", busy] {
        let (mut direct, mut measured) = (Vec::new(), Vec::new());
        for _ in 0..RUNS {
            let began = Instant::now();
            let mut shell = Command::new("/bin/sh");
            assert!(shell.args(["-c", text]).status().unwrap().success());
            direct.push(began.elapsed());
            let job = Job {
                command: CommandLine::Shell(text.to_owned()),
                directory: folder.path().to_owned(),
                timeout_ms: 60_000,
                input: None,
                own_temporary: false,
                view: None,
                confinement: None,
                conditions: JobConditions::default(),
            };
            let (ended, _) = executor.run_job(&job).unwrap();
            measured.push(Duration::from_micros(ended.used.wall_us));
        }
        let [direct, measured] = [direct, measured].map(find_median);
        let ratio = measured.as_secs_f64() / direct.as_secs_f64();
        println!("| `{text}` | {direct:.1?} | {measured:.1?} | {ratio:.3} |");
    }
    ExitCode::SUCCESS
}

fn find_median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}
