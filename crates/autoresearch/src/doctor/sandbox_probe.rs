//! Owns what `doctor` says of the sandbox of verify and guard: whether one can be closed on this machine, and of what it is.
//! Does not look at any config or run.
//! Invariant: a sandbox that is said to work was closed and tried a moment ago.

use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::finding::{DoctorFinding, report_good, report_note};
use crate::trees::place::find_temporary_folder;
use crate::trees::sandboxing::SANDBOX_NEEDS;
use autoresearch_sys::env::{World, make_random_id};
use autoresearch_sys::process::{
    CommandEnd, CommandLine, Confinement, Executor, Job, JobConditions, LocalExecutor,
};
use autoresearch_sys::store::removal::remove_folder_below;

/// How long the trial of a sandbox may take.
const PATIENCE_MS: u64 = 30_000;

/// Runs a command that does nothing in a sandbox.
pub(super) fn examine_sandbox(world: &World) -> DoctorFinding {
    match probe_sandbox(world) {
        Ok(()) => report_good(
            "sandbox",
            "works here (Landlock, read-only mounts, a network of its own): `sandbox: true` under `verify`; `config try` says whether your commands work in it",
        ),
        Err(why) => report_note("sandbox", &format!("not here: {why}"), SANDBOX_NEEDS),
    }
}

fn probe_sandbox(world: &World) -> Result<(), String> {
    let id = make_random_id().map_err(|error| error.to_string())?;
    let above = find_temporary_folder(world);
    let below = PathBuf::from(format!("autoresearch-{id}"));
    let place = above.join(&below);
    let made = std::fs::DirBuilder::new().mode(0o700).create(&place);
    let probed = made.map_err(|error| format!("{}: {error}", place.display()));
    let probed = probed.and_then(|()| close_one(world, &place));
    let _ = remove_folder_below(&above, &below);
    probed
}

/// What a job needs lies in the folder of the probe: a look makes nothing in the state folder.
fn close_one(world: &World, place: &Path) -> Result<(), String> {
    let place = place.canonicalize().map_err(|error| error.to_string())?;
    let here = World {
        state_folder: place.clone(),
        ..world.clone()
    };
    let job = Job {
        command: CommandLine::Shell(":".to_owned()),
        directory: place.clone(),
        timeout_ms: PATIENCE_MS,
        input: None,
        own_temporary: true,
        view: None,
        confinement: Some(Confinement {
            read_only: vec![place],
            ..Confinement::default()
        }),
        conditions: JobConditions::default(),
    };
    match LocalExecutor::new(&here, &[]).run_job(&job) {
        Ok((ended, _)) => match ended.how {
            CommandEnd::Exited(0) => Ok(()),
            CommandEnd::NotConfined(why) => Err(why),
            other => Err(format!("a command in it ended otherwise: {other:?}")),
        },
        Err(error) => Err(error.to_string()),
    }
}
