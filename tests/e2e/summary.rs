//! `tests/run`, the README's second command: it goes on after a failure, and ends with one line that is true.

use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use rustix::process::{Pid, Signal, kill_process_group};

use crate::testbed::{Answer, finish, pids_with, wait_until, write_program};

/// The script, with a stand-in for cargo.
fn script(folder: &Path, cargo: &str) -> Command {
    let bin = folder.join("bin");
    std::fs::create_dir_all(&bin).unwrap();
    write_program(&bin.join("cargo"), &format!("#!/bin/sh\n{cargo}\n"));
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let mut command = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("run"));
    command.env("PATH", path).env("TMPDIR", folder);
    command
}

fn runs(cargo: &str) -> Answer {
    let folder = tempfile::tempdir().unwrap();
    let answer = finish(script(folder.path(), cargo));
    let mut left = std::fs::read_dir(folder.path()).unwrap();
    assert_eq!(left.next().unwrap().unwrap().file_name(), "bin");
    assert!(left.next().is_none(), "its notes are removed");
    answer
}

#[track_caller]
fn ends(cargo: &str, code: i32, last: &str) {
    let answer = runs(cargo);
    let said = answer.out.lines().last();
    assert_eq!((answer.code, said), (code, Some(last)), "{answer:?}");
}

fn result(word: &str, passed: u32, failed: u32, ignored: u32) -> String {
    format!(
        "echo 'test result: {word}. {passed} passed; {failed} failed; {ignored} ignored; 0 measured; 0 filtered out; finished in 0.1s'"
    )
}

#[test]
fn the_summary_adds_up_every_test_binary_also_behind_one_that_failed() {
    let all = [
        result("ok", 12, 0, 0),
        result("FAILED", 58, 2, 0),
        result("\u{1b}[32mok\u{1b}[0m", 30, 0, 0),
        "exit 101".to_owned(),
    ];
    ends(&all.join("\n"), 101, "100 passed, 2 failed");
    ends(&result("ok", 3, 0, 0), 0, "3 passed, 0 failed");
    // What a test prints is no result, and a last line without an end is shown and counted as well.
    let odd = "echo ' test result: ok. 9 passed; 0 failed; 0 ignored;'\nprintf 'test result: ok. 1 passed; 0 failed; 0 ignored;'";
    ends(odd, 0, "1 passed, 0 failed");
}

#[test]
fn a_binary_that_crashes_or_is_not_built_is_a_failure_in_the_summary() {
    let crash = format!("{}\nexit 101", result("ok", 4, 0, 0));
    ends(&crash, 101, "4 passed, 1 failed");
    ends(
        "echo 'error: no such thing' >&2; exit 101",
        101,
        "0 passed, 1 failed",
    );
    ends("kill -9 $$", 137, "0 passed, 1 failed");
}

#[test]
fn what_was_skipped_is_not_counted_as_passed() {
    let skipped = format!(
        "printf 'one\\ntwo\\n' >> \"$AUTORESEARCH_SKIPPED\"\n{}\n{}",
        result("ok", 10, 0, 0),
        result("ok", 5, 0, 1)
    );
    ends(&skipped, 0, "13 passed, 0 failed, 3 skipped");
}

#[test]
fn the_whole_workspace_is_tested_without_stopping_and_words_go_to_cargo() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = script(folder.path(), "echo \"$*\"; echo \"$RUST_TEST_THREADS\"");
    command.env("RUST_TEST_THREADS", "7");
    command.args(["--test", "e2e", "--", "a b"]);
    let answer = finish(command).ok();
    let lines: Vec<&str> = answer.out.lines().take(2).collect();
    let words = "test --workspace --no-fail-fast --test e2e -- a b";
    assert_eq!(
        lines,
        [words, "7"],
        "a number of threads that was given stays"
    );
}

#[test]
fn ctrl_c_ends_the_tests_at_once_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path().to_str().unwrap();
    let wait = format!("touch '{here}/there'\nwhile :; do sleep 0.1; done");
    // Tests that were started in the background ignore Ctrl-C, and what they start inherits that. A handler is not
    // inherited; this one does what a process without a handler does.
    let always = Arc::new(AtomicBool::new(true));
    signal_hook::flag::register_conditional_default(signal_hook::consts::SIGINT, always).unwrap();
    let mut child = script(folder.path(), &wait)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .process_group(0)
        .spawn()
        .unwrap();
    wait_until("cargo runs", || folder.path().join("there").exists());
    // A terminal sends it to the whole group.
    kill_process_group(Pid::from_child(&child), Signal::INT).unwrap();
    wait_until("it ends", || child.try_wait().unwrap().is_some());
    assert_eq!(child.wait().unwrap().signal(), Some(2));
    wait_until("nothing is left", || pids_with(here).is_empty());
    let mut left = std::fs::read_dir(folder.path()).unwrap().flatten();
    assert!(left.all(|entry| ["bin", "there"].contains(&entry.file_name().to_str().unwrap())));
}
