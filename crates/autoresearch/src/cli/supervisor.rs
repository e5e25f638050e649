//! Owns the entry of the supervisor: which run, and the exit code.
//! Does not drive; `supervise` does.
//! Invariant: nothing is printed but by `--version`; what happens is in the run's `runtime.log`.

use std::ffi::OsString;
use std::process::ExitCode;

use super::print::Printer;
use crate::night::supervisor;
use crate::run::Place;
use autoresearch_sys::env::World;
use autoresearch_sys::error::FailureKind;

/// Runs the supervisor: `-C ROOT --run NAME`.
pub(super) fn run_supervisor(world: &World, words: &[OsString]) -> ExitCode {
    let texts: Vec<&str> = words.iter().filter_map(|word| word.to_str()).collect();
    let place = match texts.as_slice() {
        ["--version"] => {
            let version = concat!("autoresearch-supervisor ", env!("CARGO_PKG_VERSION"), "\n");
            let _ = Printer::new(false).print_text(version);
            return ExitCode::SUCCESS;
        }
        ["-C", _, "--run", run] => Place {
            directory: words.get(1).map(Into::into),
            run: Some((*run).to_owned()),
        },
        _ => return ExitCode::from(FailureKind::Usage.exit_code()),
    };
    match supervisor::supervise_run(world, &place) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => ExitCode::from(failure.kind.exit_code()),
    }
}
