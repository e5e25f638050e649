//! A slice of each campaign: a seed, and a few of its rounds. `campaign --help` says how to try more.

use std::process::{Command, Stdio};

use crate::testbed::{Answer, finish, processes_with, wait_until};

/// A campaign, which stands beside the binary under test.
fn run_campaign(words: &[&str]) -> Answer {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin("campaign"));
    command.args(words);
    finish(command)
}

#[test]
fn a_slice_of_the_kills_breaks_nothing() {
    let answer = run_campaign(&["kills", "--seed", "11", "--rounds", "1"]).ok();
    let opening = "kills, seed 11: 1 rounds, nothing broken; ";
    assert!(answer.out.starts_with(opening), "{answer:?}");
}

#[test]
fn a_slice_of_the_full_disks_breaks_nothing() {
    let answer = run_campaign(&["disk", "--seed", "11", "--rounds", "1"]).ok();
    let opening = "disk, seed 11: 1 rounds, nothing broken; 10 times too little (";
    assert!(answer.out.starts_with(opening), "{answer:?}");
}

#[test]
fn a_slice_of_the_crowd_breaks_nothing() {
    let answer = run_campaign(&["crowd", "--seed", "11", "--rounds", "1"]).ok();
    let opening = "crowd, seed 11: 1 rounds, nothing broken; 100 commands, 25 at a time: ";
    assert!(answer.out.starts_with(opening), "{answer:?}");
}

#[test]
fn a_slice_of_the_fuzzed_inputs_breaks_nothing() {
    let answer = run_campaign(&["fuzz", "--seed", "11", "--rounds", "150"]).ok();
    let opening = "fuzz, seed 11: 150 rounds, nothing broken (";
    assert!(answer.out.starts_with(opening), "{answer:?}");
}

#[test]
fn a_slice_of_the_nights_is_told_as_it_was() {
    let answer = run_campaign(&["nights", "--seed", "11", "--rounds", "1"]).ok();
    let opening = "nights, seed 11: 1 rounds, nothing broken; 0 of 1 nights without a good idea were told as a gain, 0 of 0 with one";
    assert!(answer.out.starts_with(opening), "{answer:?}");
}

#[test]
fn a_slice_of_the_drifting_nights_is_measured_again() {
    let answer = run_campaign(&["drift", "--seed", "11", "--rounds", "1"]).ok();
    // How many runs a trial takes, and so what one night keeps, hangs on the time that passes.
    let opening = "drift, seed 11: 1 rounds, nothing broken; ";
    assert!(answer.out.starts_with(opening), "{answer:?}");
    assert!(
        answer.out.contains(" claims: 30 pairs agreed with "),
        "{answer:?}"
    );
}

#[test]
fn a_slice_of_the_batches_is_counted() {
    let answer = run_campaign(&["batches", "--seed", "11", "--rounds", "1"]).ok();
    let opening = "batches, seed 11: 1 rounds, nothing broken; no idea helps: ";
    assert!(answer.out.starts_with(opening), "{answer:?}");
    assert!(
        answer.out.contains(" batches of three kept something ("),
        "{answer:?}"
    );
}

#[test]
fn a_campaign_that_is_interrupted_leaves_nothing_behind() {
    for word in ["kills", "fuzz"] {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().canonicalize().unwrap();
        let mut command = Command::new(assert_cmd::cargo::cargo_bin("campaign"));
        command.args([word, "--seed", "11"]).env("TMPDIR", &place);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut campaign = command.spawn().unwrap();
        let mark = format!("{}/", place.display());
        wait_until("it is at work", || !processes_with(&mark).is_empty());
        let pid = rustix::process::Pid::from_child(&campaign);
        rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
        assert_eq!(campaign.wait().unwrap().code(), Some(130), "{word}");
        assert_eq!(processes_with(&mark), Vec::<String>::new(), "{word}");
        assert_eq!(std::fs::read_dir(&place).unwrap().count(), 0, "{word}");
    }
}

#[test]
fn a_campaign_that_means_nothing_is_refused_and_the_help_names_each_word() {
    insta::assert_snapshot!(run_campaign(&["kills", "--round", "3"]).fails(2).err, @"
    error: `--round` is not an option of kills
    hint: campaign --help
    ");
    insta::assert_snapshot!(run_campaign(&["kills", "--seed", "x"]).fails(2).err, @"
    error: --seed wants a number, and `x` is none
    hint: campaign --help
    ");
    let help = run_campaign(&["--help"]).ok().out;
    for word in [
        "kills", "disk", "crowd", "fuzz", "cheats", "nights", "drift", "batches",
    ] {
        assert!(help.contains(&format!("\n  {word} ")), "{help}");
    }
    assert_eq!(run_campaign(&["kills", "--help"]).ok().out, help);
}
