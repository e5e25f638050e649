//! A guard that fails now and then: run again by the config, or by hand, and never until it happens to pass.

use crate::config_text::ConfigText;
use crate::testbed::{CONFIG, Testbed};

/// A guard that fails as often as the file `fails` beside the repository says, and then tells the truth.
const FLAKY: &str = "\
n=$(cat ../home/fails 2>/dev/null || echo 0)
if [ \"$n\" -gt 0 ]; then echo $((n - 1)) > ../home/fails; echo 'flaked' >&2; exit 1; fi
grep -qx ok src/state
";

fn config(retries: u32) -> ConfigText {
    ConfigText::demo().guard_with("retries", retries)
}

fn bench() -> Testbed {
    let bed = Testbed::new();
    bed.write("guard.sh", FLAKY);
    bed.git(&["commit", "-qam", "a flaky guard"]);
    bed
}

fn started(retries: u32) -> Testbed {
    let bed = bench();
    bed.start(&config(retries));
    bed
}

fn fail(bed: &Testbed, times: u32) {
    std::fs::write(bed.home.join("fails"), times.to_string()).unwrap();
}

#[test]
fn guard_retries_runs_a_failed_guard_again_and_says_how_often_it_ran() {
    let bed = started(2);
    fail(&bed, 2);
    bed.edit(3);
    let report = bed.trial("three any");
    assert_eq!(
        (report["verdict"].as_str(), report["guard_retries"].as_u64()),
        (Some("keep"), Some(2)),
        "{report}"
    );
    assert_eq!(bed.rows()[1][6], "three any [the guard ran 3 times]");
    for name in ["guard.err", "guard-2.err", "guard-3.err"] {
        assert!(bed.run_file("trials/1").join(name).exists(), "{name}");
    }
    bed.edit(2);
    bed.run(&["trial", "-m", "no flake"])
        .ok()
        .says("guard pass, commit");
    fail(&bed, 1);
    bed.edit(1);
    bed.run(&["trial", "-m", "a flake"])
        .ok()
        .says("guard pass (it ran 2 times)");
}

#[test]
fn a_guard_that_fails_more_often_than_guard_retries_has_failed() {
    let bed = started(1);
    fail(&bed, 2);
    bed.edit(3);
    let report = bed.trial("three any");
    assert_eq!(
        (report["verdict"].as_str(), report["guard_retries"].as_u64()),
        (Some("rework"), Some(1))
    );
    let report = bed.run(&["trial", "--drop", "--json"]).ok().json();
    assert_eq!(report["guard_retries"], 1);
    assert_eq!(bed.rows()[1][4], "fail");
}

#[test]
fn again_measures_the_same_commit_once_more_and_keeps_it() {
    let bed = started(0);
    fail(&bed, 1);
    bed.edit(3);
    assert_eq!(bed.trial("three any")["verdict"], "rework");
    let state_of = |bed: &Testbed| bed.git(&["rev-parse", "HEAD^{tree}", "HEAD^"]);
    let waiting = state_of(&bed);
    let report = bed.run(&["trial", "--again", "--json"]).ok().json();
    assert_eq!(
        (
            report["verdict"].as_str(),
            report["trial"].as_u64(),
            report["commit"].as_str()
        ),
        (Some("keep"), Some(1), Some(bed.head().as_str()))
    );
    assert_eq!(state_of(&bed), waiting, "but for its message");
    assert_eq!(bed.rows()[1][6], "three any");
    assert_eq!(bed.run_commits("autoresearch/demo").len(), 1);
    assert!(bed.run_file("trials/1/rework-1-guard.out").exists());
    bed.run(&["doctor"]).ok();
}

#[test]
fn again_works_once_for_a_commit_and_uses_up_a_rework() {
    let bed = started(0);
    fail(&bed, 4);
    bed.edit(3);
    assert_eq!(bed.trial("three any")["verdict"], "rework");
    assert_eq!(
        bed.run(&["trial", "--again", "--json"]).ok().json()["verdict"],
        "rework"
    );
    bed.run(&["trial", "--again"])
        .fails(2)
        .says("was measured again already");
    bed.edit(2);
    let report = bed
        .run(&["trial", "--rework", "-m", "mended", "--json"])
        .ok()
        .json();
    assert_eq!(
        (report["verdict"].as_str(), report["reason"].as_str()),
        (Some("discard"), Some("guard-failed")),
        "both reworks are used up"
    );
    assert_eq!(bed.git(&["status", "--porcelain"]), "");
}

#[test]
fn again_is_for_a_failed_guard_alone() {
    let bed = started(0);
    let refused = |words: &str| bed.run(&["trial", "--again"]).fails(2).says(words);
    refused("no trial waits for a rework");
    assert_eq!(bed.try_count(6), "discard");
    refused("no trial waits for a rework");
    assert_eq!(bed.try_count(4), "keep");
    refused("no trial waits for a rework");
    fail(&bed, 1);
    bed.edit(3);
    assert_eq!(bed.trial("three any")["verdict"], "rework");
    bed.edit(2);
    refused("were changed since the guard failed");
    let both = ["trial", "--again", "--rework", "-m", "x"];
    bed.run(&both).fails(2);
    bed.edit(3);
    bed.run(&["trial", "--again"]).ok().says("trial 3: keep");
}

#[test]
fn a_guard_that_fails_at_start_is_known_before_verify_ran_twice() {
    let bed = bench();
    let ran = bed.home.join("verify-ran");
    bed.write(
        "count.sh",
        &format!("echo x >> '{}'\necho 10\n", ran.display()),
    );
    bed.git(&["commit", "-qam", "counts its runs"]);
    fail(&bed, 9);
    bed.try_start(&config(1))
        .fails(3)
        .says("the guard fails on the untouched tree")
        .says("guard.retries");
    // Once, because the guard may need what verify builds.
    assert_eq!(std::fs::read_to_string(&ran).unwrap().lines().count(), 1);
    fail(&bed, 1);
    let answer = bed.start(&config(1));
    assert!(
        answer
            .out
            .contains("the guard failed 1 time before it passed"),
        "{answer:?}"
    );
}

#[test]
fn a_guard_that_needs_what_verify_builds_passes_at_start() {
    let bed = bench();
    bed.write(
        "count.sh",
        "touch ../home/built\ncat src/* | grep -c '^any$'\n",
    );
    bed.write(
        "guard.sh",
        "test -e ../home/built && grep -qx ok src/state\n",
    );
    bed.git(&["commit", "-qam", "a guard of what was built"]);
    bed.start(CONFIG);
    assert_eq!(bed.try_count(3), "keep");
}

#[test]
fn guard_retries_is_bounded_and_of_the_guard_alone() {
    let bed = bench();
    bed.try_start(&config(6)).fails(3).says("guard.retries");
    let of_verify = ConfigText::demo().verify_with("retries", 1);
    bed.try_start(&of_verify)
        .fails(3)
        .says("only the guard can be retried");
}
