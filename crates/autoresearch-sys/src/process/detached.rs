//! Owns the start of a program that outlives us.
//! Does not wait for it.
//! Invariant: nothing of ours is connected to it, and no sweep of ours ends it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::descendants::spawn_kept;
use super::job::ExecError;

/// Starts a program that outlives us: nothing of ours is connected to it.
#[expect(clippy::disallowed_methods, reason = "this is the home of spawning")]
pub fn spawn_detached(
    program: &Path,
    words: &[OsString],
    env: &BTreeMap<OsString, OsString>,
) -> Result<Child, ExecError> {
    let mut command = Command::new(program);
    command
        .args(words)
        .env_clear()
        .envs(env)
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    spawn_kept(&mut command).map_err(|source| ExecError::Start {
        program: program.to_owned(),
        source,
    })
}
