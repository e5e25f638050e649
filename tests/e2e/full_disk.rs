//! A disk that gets full in the middle of a command: afterwards the run is open or there is none, and nothing is lost.
//!
//! The disk is full for the real program and the real git: from a step on, the kernel lets no file grow beyond a few bytes.

use std::io::Write;

use serde_json::Value;

use crate::testbed::{Answer, CONFIG, Testbed};

/// Runs a command whose files cannot grow beyond so many bytes from a step on.
fn run_full(bed: &Testbed, arguments: &[&str], step: &str, bytes: u64) -> Answer {
    bed.run_with(arguments, &[("SEALED_FULL", &format!("{step}:{bytes}"))])
}

/// The steps of a command that has room.
fn steps_of(bed: &Testbed, arguments: &[&str]) -> Vec<String> {
    let file = bed.home.join("steps");
    bed.run_with(arguments, &[("SEALED_STEPS", file.to_str().unwrap())])
        .ok();
    let text = std::fs::read_to_string(file).unwrap();
    let mut steps: Vec<String> = text.lines().map(ToOwned::to_owned).collect();
    steps.sort();
    steps.dedup();
    steps
}

#[track_caller]
fn nothing_was_changed_from_outside(bed: &Testbed, answer: &Answer, case: &str) {
    let doctor = bed.run(&["doctor"]);
    for said in [&answer.out, &answer.err, &doctor.out, &doctor.err] {
        assert!(!said.contains("not what this tool left"), "{case}: {said}");
        assert!(!said.contains("changed from outside"), "{case}: {said}");
    }
}

#[test]
fn a_start_on_a_full_disk_leaves_a_run_that_is_open_or_none_at_all() {
    let config_of = |bed: &Testbed| {
        let config = bed.home.join("config.yaml");
        std::fs::write(&config, CONFIG).unwrap();
        config.to_str().unwrap().to_owned()
    };
    let steps = {
        let bed = Testbed::new();
        let config = config_of(&bed);
        steps_of(&bed, &["start", "--config", &config])
    };
    assert!(steps.contains(&"journal start".to_owned()), "{steps:?}");
    let mut refused = 0;
    for step in &steps {
        for bytes in [0, 100] {
            let case = format!("{step}, {bytes} bytes");
            let bed = Testbed::new();
            let before = bed.fingerprint();
            let config = config_of(&bed);
            let answer = run_full(&bed, &["start", "--config", &config], step, bytes);
            nothing_was_changed_from_outside(&bed, &answer, &case);
            if bed.run(&["resume"]).code != 0 {
                refused += 1;
                assert_ne!(answer.code, 0, "{case}");
                assert_eq!(
                    bed.fingerprint(),
                    before,
                    "{case}: no run, and nothing changed"
                );
                let left = bed.path("autoresearch-results/demo");
                assert!(!left.exists(), "{case}: {} stands", left.display());
                bed.start(CONFIG);
            }
            assert_eq!(bed.try_count(4), "keep", "{case}");
            bed.run(&["doctor"]).ok();
        }
    }
    assert!(refused > 0);
}

#[test]
fn a_trial_on_a_full_disk_loses_neither_the_run_nor_the_edits() {
    let mut seen = Vec::new();
    for (count, verdict) in [(4, "keep"), (6, "discard")] {
        let mut steps = {
            let bed = Testbed::started(CONFIG);
            bed.edit(count);
            steps_of(&bed, &["trial", "-m", "the idea"])
        };
        steps.retain(|step| !seen.contains(step));
        seen.extend(steps.clone());
        for step in steps {
            let bed = Testbed::started(CONFIG);
            bed.edit(count);
            let answer = run_full(&bed, &["trial", "-m", "the idea"], &step, 100);
            nothing_was_changed_from_outside(&bed, &answer, &step);
            bed.run(&["resume"]).ok();
            let story = bed.story();
            let decided = story.iter().any(|row| row.ends_with(verdict));
            if !decided {
                // The edits are where they were, or reachable under a reference of the run.
                let lines = bed.read("src/a").lines().count();
                let saved = bed.git(&["for-each-ref", "refs/autoresearch/demo"]);
                let crashed = story.iter().any(|row| row.ends_with("crash"));
                assert!(
                    lines == count || !saved.is_empty() || crashed,
                    "{step}: {story:?}"
                );
                assert_eq!(bed.try_count(count), verdict, "{step}: {story:?}");
            }
            bed.run(&["doctor"]).ok();
            assert_eq!(bed.git(&["status", "--porcelain"]), "", "{step}");
        }
    }
}

/// A start that dies when its anchor is written and its journal is not.
fn cut_off() -> (Testbed, String) {
    let bed = Testbed::new();
    let config = bed.home.join("config.yaml");
    std::fs::write(&config, CONFIG).unwrap();
    let start = ["start", "--config", config.to_str().unwrap()];
    bed.run_with(&start, &[("SEALED_CRASH_AT", "journal start")])
        .fails(-1);
    let anchor = std::fs::read(bed.vault().join("anchor.json")).unwrap();
    let anchor: Value = serde_json::from_slice(&anchor).unwrap();
    let line = anchor["last"].as_str().unwrap().to_owned();
    (bed, line)
}

#[test]
fn a_first_line_that_is_torn_anywhere_is_written_again_from_the_anchor() {
    let whole = cut_off().1.len();
    for length in [0, 1, whole / 2, whole - 1, whole] {
        let (bed, line) = cut_off();
        let length = length.min(line.len());
        std::fs::write(bed.run_file("journal.jsonl"), &line[..length]).unwrap();
        bed.run(&["resume"])
            .ok()
            .says("the start of the run was completed");
        assert_eq!(bed.try_count(4), "keep", "{length} bytes");
        bed.run(&["doctor"]).ok();
    }
}

#[test]
fn a_first_line_that_is_not_the_beginning_of_what_the_anchor_holds_is_not_believed() {
    for (from, to) in [("{", "["), ("\"seq\":0", "\"seq\":1")] {
        let (bed, line) = cut_off();
        let forged = line.replacen(from, to, 1);
        let mut file = std::fs::File::create(bed.run_file("journal.jsonl")).unwrap();
        file.write_all(&forged.as_bytes()[..forged.len() / 2])
            .unwrap();
        bed.run(&["resume"])
            .fails(4)
            .says("not what this tool left");
    }
}
