//! The demonstration: a whole run, and a log that agrees with its commits.

use std::process::Command;

use crate::testbed::{Testbed, finish};

/// The demonstration shows every kind of row, and its log agrees with its commits.
#[test]
fn the_demonstration_runs_to_its_target_and_shows_every_kind_of_row() {
    let bed = Testbed::bare();
    let folder = bed.folder.path().join("demo");
    let mut command = bed.command(&["demo", folder.to_str().unwrap(), "--json"]);
    command.current_dir(bed.folder.path());
    let answer = finish(command).ok();
    let report = answer.json();
    assert_eq!(
        (
            report["end"].as_str(),
            report["baseline"].as_u64(),
            report["value"].as_u64()
        ),
        (Some("target"), Some(47), Some(0))
    );
    for status in ["baseline", "keep", "discard", "crash", "refine", "pivot"] {
        assert!(
            report["rows"][status].as_u64() > Some(0),
            "{status} is missing: {report}"
        );
    }
    let log = std::fs::read_to_string(report["log"].as_str().unwrap()).unwrap();
    assert!(
        log.contains("[protected: ") && log.contains("\tfail\t"),
        "{log}"
    );
    let git = |arguments: &[&str]| {
        let output = Command::new("git")
            .arg("-C")
            .arg(&folder)
            .args(arguments)
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let branch = format!("autoresearch/{}", report["run"].as_str().unwrap());
    let commits = git(&["rev-list", "--reverse", &format!("main..{branch}")]);
    let kept: Vec<&str> = report["kept"]
        .as_array()
        .unwrap()
        .iter()
        .map(|kept| kept["commit"].as_str().unwrap())
        .collect();
    let mut of_the_branch = commits.lines();
    assert!(
        kept.iter()
            .all(|commit| of_the_branch.any(|found| found == *commit)),
        "in their order: {kept:?}"
    );
    assert_eq!(
        of_the_branch.next(),
        None,
        "the last kept commit is the branch's tip"
    );
    assert_eq!(
        u64::try_from(kept.len()).ok(),
        report["rows"]["keep"].as_u64()
    );
    assert_eq!(git(&["status", "--porcelain"]), "");
    assert_eq!(git(&["branch", "--show-current"]).trim(), "main");
    let noisy = &report["noisy"];
    let low = noisy["claim"]["gain"]["low"].as_f64();
    assert!(low > Some(0.0), "the gain of 12 % is told: {noisy}");
    let branch = format!("autoresearch/{}", noisy["run"].as_str().unwrap());
    let kept = git(&["log", "--format=%s", &format!("main..{branch}")]);
    assert!(kept.contains("render the list once"), "{kept}");
}

#[test]
fn the_demonstration_needs_a_new_or_empty_folder() {
    let bed = Testbed::new();
    bed.run(&["demo", "."]).fails(2).says("is not empty");
}
