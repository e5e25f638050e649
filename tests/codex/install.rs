//! Owns the Codex CLI under test: one install of one version, below the folder of the cargo build.
//! Does not start it for a test; that is `bench`.
//! Invariant: an install without its mark `whole` is thrown away, so a killed one is never taken for a good one.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{OnceLock, mpsc};
use std::time::Duration;

use autoresearch_codex::release::TESTED;

use crate::testbed::note_skipped;

/// The release that this test binary is about: `codex` has the newest tested one, `codex_previous` the one before. A new
/// one is tried by adding it to `TESTED`.
pub(crate) fn release() -> &'static str {
    let [.., previous, newest] = TESTED;
    if env!("CARGO_CRATE_NAME").ends_with("_previous") {
        previous
    } else {
        newest
    }
}

/// An install takes some ten seconds; a slow network must not hang the tests.
const DEADLINE: Duration = Duration::from_mins(5);

/// An installed Codex CLI.
#[derive(Debug)]
pub(crate) struct Codex {
    /// The program itself. Kill this one: the wrapper does not take its child along when it is killed.
    pub native: PathBuf,
    /// The script that npm puts on the PATH; it starts the native program as its child.
    pub wrapper: PathBuf,
}

/// The CLI, installed when it was not there; `None` when this machine cannot have it.
///
/// A test that gets `None` must return at once: this function has already said on standard error that it was skipped.
/// With `CI` set, nothing is skipped: the test fails.
pub(crate) fn codex() -> Option<&'static Codex> {
    static CODEX: OnceLock<Result<Codex, String>> = OnceLock::new();
    match CODEX.get_or_init(install) {
        Ok(codex) => Some(codex),
        Err(why) => {
            let ci = std::env::var_os("CI").is_some_and(|value| !value.is_empty());
            assert!(!ci, "no Codex CLI, and CI does not skip: {why}");
            note_skipped(&format!("no Codex CLI {}: {why}", release()));
            None
        }
    }
}

fn install() -> Result<Codex, String> {
    let below = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let folder = below.join(format!("codex-cli-{}", release()));
    std::fs::create_dir_all(below).map_err(|error| error.to_string())?;
    // The kernel releases the lock when this process dies, however it dies.
    let _lock = lock(&below.join(format!("codex-cli-{}.lock", release())))?;
    whole(&folder, npm)
}

/// The install in a folder, fetched again unless an earlier fetch came to its end.
fn whole(folder: &Path, fetch: impl FnOnce(&Path) -> Result<(), String>) -> Result<Codex, String> {
    let mark = folder.join("whole");
    if !mark.exists() || find(folder).is_err() {
        if folder.exists() {
            std::fs::remove_dir_all(folder).map_err(|error| error.to_string())?;
        }
        fetch(folder)?;
        answers(&find(folder)?.native, folder)?;
        File::create(mark).map_err(|error| error.to_string())?;
    }
    find(folder)
}

fn lock(path: &Path) -> Result<File, String> {
    let file = File::create(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || send.send(file.lock().map(|()| file)));
    receive
        .recv_timeout(DEADLINE)
        .map_err(|_| "another process has been installing it for too long".to_owned())?
        .map_err(|error| error.to_string())
}

/// npm with the settings of this machine: which registry it asks is not our business.
fn npm(folder: &Path) -> Result<(), String> {
    let mut command = Command::new("npm");
    command
        .args(["install", "--no-fund", "--no-audit", "--loglevel=error"])
        .args(["--fetch-retries=2", "--fetch-retry-mintimeout=1000"])
        .arg("--fetch-retry-maxtimeout=5000")
        .arg("--prefix")
        .arg(folder)
        .arg(format!("@openai/codex@{}", release()));
    said(command).map(drop)
}

/// Asked with a home in its own folder: Codex makes one even for this question.
fn answers(native: &Path, folder: &Path) -> Result<(), String> {
    let home = folder.join("home");
    std::fs::create_dir_all(&home).map_err(|error| error.to_string())?;
    let mut command = Command::new(native);
    command.arg("--version").env("CODEX_HOME", &home);
    let version = said(command)?;
    if version.trim().ends_with(release()) {
        Ok(())
    } else {
        Err(format!("it says that it is {version}"))
    }
}

/// What a command printed, or why it failed.
fn said(mut command: Command) -> Result<String, String> {
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .map_err(|error| format!("{command:?}: {error}"))?;
    let group = rustix::process::Pid::from_child(&child);
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || send.send(child.wait_with_output()));
    let Ok(output) = receive.recv_timeout(DEADLINE) else {
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        return Err(format!("{command:?} took longer than {DEADLINE:?}"));
    };
    let output = output.map_err(|error| error.to_string())?;
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    );
    if output.status.success() {
        Ok(out)
    } else {
        Err(format!("{command:?} failed: {out}{err}"))
    }
}

/// The native program lies in the platform's package: `codex-<os>-<cpu>/vendor/<target>/bin/codex`.
fn find(folder: &Path) -> Result<Codex, String> {
    let packages = folder.join("node_modules/@openai");
    let wrapper = packages.join("codex/bin/codex.js");
    for package in entries(&packages)? {
        for target in entries(&package.join("vendor")).unwrap_or_default() {
            let native = target.join("bin/codex");
            if native.is_file() && wrapper.is_file() {
                return Ok(Codex { native, wrapper });
            }
        }
    }
    Err(format!("no program in {}", packages.display()))
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = std::fs::read_dir(folder)
        .map_err(|error| format!("{}: {error}", folder.display()))?
        .flatten();
    Ok(entries.map(|entry| entry.path()).collect())
}

/// What npm would make, with a script for a program.
fn fake(folder: &Path, version: &str) {
    let packages = folder.join("node_modules/@openai");
    let native = packages.join("codex-here/vendor/here/bin/codex");
    let wrapper = packages.join("codex/bin/codex.js");
    for file in [&native, &wrapper] {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        crate::testbed::write_program(file, &format!("#!/bin/sh\necho codex-cli {version}\n"));
    }
}

#[test]
fn a_half_done_install_is_thrown_away_and_a_whole_one_is_kept() {
    let below = tempfile::tempdir().unwrap();
    let folder = below.path().join("install");
    // Killed before its end: everything but the mark, or only a part of it.
    fake(&folder, "half");
    assert!(whole(&folder, |_| Err("no network".to_owned())).is_err());
    assert!(!folder.exists());
    let fetch = |version: &'static str| {
        move |folder: &Path| {
            fake(folder, version);
            Ok(())
        }
    };
    assert!(whole(&folder, fetch("9.9.9")).is_err());
    let codex = whole(&folder, fetch(release())).unwrap();
    assert!(codex.native.is_file() && codex.wrapper.is_file());
    whole(&folder, |_| panic!("it is there")).unwrap();
    std::fs::remove_file(&codex.native).unwrap();
    whole(&folder, fetch(release())).unwrap();
}
