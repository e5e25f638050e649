//! Owns the benchmark of the session hooks: what each start and stop of a Codex session costs.
//! Does not test; wrong answers of the hook only stop it.
//! Invariant: every figure is a median over starts of a process, in turns with the start of `true`.
//!
//! `cargo bench -p autoresearch --bench hook` takes some seconds. The hook without a run is the shipped program; the one
//! with a run is this program, which calls the same function in a world with a state folder of its own.

#![expect(
    clippy::disallowed_methods,
    reason = "the benchmark starts the hook, and itself as the hook's process"
)]
#![expect(clippy::print_stdout, reason = "the tables are what it is for")]
#![expect(
    dead_code,
    reason = "the bed is shared with the benchmark of a trial, and each uses a part of it"
)]

#[path = "trial/bed.rs"]
mod bed;
#[path = "trial/figures.rs"]
mod figures;
#[path = "trial/floor.rs"]
mod floor;
#[path = "trial/ground.rs"]
mod ground;
#[path = "trial/journal.rs"]
mod journal;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use autoresearch::cli::hook;
use autoresearch::run::resume;
use autoresearch_core::agent::session::{GitAccess, Session};
use autoresearch_sys::env::{World, temporary_folder};
use autoresearch_sys::process::{RUNNER, runner_main};
use serde_json::json;

use self::bed::Bed;
use self::figures::Samples;
use self::ground::{Stop, exit, place, world};

/// The hidden word under which this program is the hook.
const HOOK: &str = "__hook";
/// Starts of each process.
const STARTS: usize = 50;
/// The session that owns the run.
const ME: &str = "0199-bench";

/// A line of the table.
struct Case<'a> {
    what: String,
    event: &'static str,
    session: &'static str,
    folder: &'a Path,
    /// The count of stops, which is taken away before each start.
    stops: Option<PathBuf>,
    /// The state folder, where this program is the hook; the shipped program otherwise.
    state: Option<&'a Path>,
    answers: bool,
    budget: f64,
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        [word, spec] if *word == RUNNER => return ExitCode::from(runner_main(spec)),
        [word, state, event] if *word == HOOK => {
            hook::answer_hook(world(Path::new(state)), event);
            return ExitCode::SUCCESS;
        }
        _ => {}
    }
    exit(run())
}

fn run() -> Result<(), Stop> {
    let at = tempfile::Builder::new()
        .prefix("autoresearch-bench-")
        .tempdir_in(temporary_folder())?;
    println!(
        "Session hooks: milliseconds from the start of the process to its end, medians of {STARTS} starts."
    );
    println!("{:<58} {:>8} {:>8} {:>8}", "", "hook", "`true`", "budget");
    let empty = at.path().join("empty/deep/below");
    std::fs::create_dir_all(&empty)?;
    for event in ["session-start", "stop"] {
        measure(&Case {
            what: format!("{event}: no run in the folder"),
            event,
            session: ME,
            folder: &empty,
            stops: None,
            state: None,
            answers: false,
            budget: 5.0,
        })?;
    }
    for rows in [10, 100_000] {
        let folder = at.path().join(rows.to_string());
        let bed = Bed::new(&folder, 100)?;
        journal::lengthen(&bed, rows)?;
        resume::resume_run(&bed.world, &place(&bed.root)).map_err(floor::stop)?;
        let state = folder.join("state");
        bed.layout
            .write_session(&Session::new(ME, GitAccess::Write))?;
        let rows = figures::grouped(rows);
        for (what, event, session, answers) in [
            ("another session's run", "stop", "0199-other", false),
            ("the brief", "session-start", ME, true),
            ("the next step", "stop", ME, true),
        ] {
            measure(&Case {
                what: format!("{event}: {what}, {rows} rows"),
                event,
                session,
                folder: &bed.root,
                stops: Some(bed.anchor_folder.join("stops.json")),
                state: Some(&state),
                answers,
                budget: if answers { 20.0 } else { 5.0 },
            })?;
            bed.layout
                .write_session(&Session::new(ME, GitAccess::Write))?;
        }
    }
    Ok(())
}

fn measure(case: &Case<'_>) -> Result<(), Stop> {
    let payload = json!({
        "session_id": case.session, "cwd": case.folder, "hook_event_name": case.event,
        "transcript_path": null, "model": "m", "permission_mode": "default", "turn_id": "t",
        "stop_hook_active": false, "last_assistant_message": "x".repeat(2_000),
    });
    let input = tempfile::NamedTempFile::new()?;
    std::fs::write(input.path(), payload.to_string())?;
    let [mut hook, mut floor] = [(); 2].map(|()| Samples::default());
    for _ in 0..STARTS {
        // The count of stops would end the answers.
        if let Some(stops) = case.stops.as_ref().filter(|stops| stops.exists()) {
            std::fs::remove_file(stops)?;
        }
        hook.time(|| {
            let said = process(case, input.path())?;
            (said == case.answers)
                .then_some(())
                .ok_or_else(|| format!("{} said {said}", case.what).into())
        })?;
        floor.time(|| {
            Command::new("true").stdin(Stdio::null()).output()?;
            Ok(())
        })?;
    }
    println!(
        "{:<58} {:>8.2} {:>8.2} {:>8.0}{}",
        case.what,
        hook.median(),
        floor.median(),
        case.budget,
        if hook.median() < case.budget {
            ""
        } else {
            "  MISSED"
        }
    );
    Ok(())
}

/// Starts the hook; whether it said anything.
fn process(case: &Case<'_>, input: &Path) -> Result<bool, Stop> {
    let mut command = if let Some(state) = case.state {
        let mut command = Command::new(World::from_process().program);
        command.arg(HOOK).arg(state);
        command
    } else {
        let mut command = Command::new(env!("CARGO_BIN_EXE_autoresearch"));
        command.arg("hook");
        command
    };
    let output = command
        .arg(case.event)
        .current_dir(case.folder)
        .stdin(std::fs::File::open(input)?)
        .output()?;
    floor::check(&output)?;
    Ok(!output.stdout.is_empty())
}
