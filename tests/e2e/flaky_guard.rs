//! A guard that fails now and then: run again by the config, or by hand, and never until it happens to pass.

use crate::config_text::ConfigText;
use crate::shown::assert_answer;
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
    assert_answer!(bed.run(&["trial", "-m", "no flake"]).ok(), @r#"
    trial 2: keep, any_count 7 (-1, -12 %), guard pass, commit <commit>
    files: src/a
    next: change one thing in scope (src/**), leave git alone, then run: autoresearch trial -m "what you changed"
    "#);
    fail(&bed, 1);
    bed.edit(1);
    assert_answer!(bed.run(&["trial", "-m", "a flake"]).ok(), @r#"
    trial 3: keep, any_count 6 (-1, -14 %), guard pass (it ran 2 times), commit <commit>
    files: src/a
    next: change one thing in scope (src/**), leave git alone, then run: autoresearch trial -m "what you changed"
    "#);
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
    assert_answer!(bed.run(&["trial", "--again"]).fails(2), @"
    exit code 2
    --- stderr
    error: trial 1 was measured again already, and its guard failed again
    hint: `autoresearch trial --rework -m MSG` measures it with what you fixed, `autoresearch trial --drop` gives it up
    ");
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
    let refused = || bed.run(&["trial", "--again"]).fails(2);
    let none_waits = refused().to_string();
    assert_answer!(none_waits, @"
    exit code 2
    --- stderr
    error: no trial waits for a rework, so there is nothing to measure again
    hint: `--again` is for a trial whose guard failed; a verdict that was given stays
    ");
    assert_eq!(bed.try_count(6), "discard");
    assert_eq!(refused().to_string(), none_waits);
    assert_eq!(bed.try_count(4), "keep");
    assert_eq!(refused().to_string(), none_waits);
    fail(&bed, 1);
    bed.edit(3);
    assert_eq!(bed.trial("three any")["verdict"], "rework");
    bed.edit(2);
    assert_answer!(refused(), @"
    exit code 2
    --- stderr
    error: files in the scope were changed since the guard failed
    hint: `--again` measures what was measured: use --rework, with a message
    ");
    let both = ["trial", "--again", "--rework", "-m", "x"];
    assert_answer!(bed.run(&both).fails(2), @"
    exit code 2
    --- stderr
    error: the argument '--again' cannot be used with:
      --rework
      --message <MSG>

    Usage: autoresearch-sealed trial --again

    For more information, try '--help'.
    ");
    bed.edit(3);
    assert_answer!(bed.run(&["trial", "--again"]).ok(), @r#"
    trial 3: keep, any_count 8 (-1, -11 %), guard pass, commit <commit>
    files: src/a
    next: change one thing in scope (src/**), leave git alone, then run: autoresearch trial -m "what you changed"
    "#);
}

#[test]
fn a_guard_that_fails_at_start_is_known_before_verify_ran_twice() {
    let bed = bench();
    let ran = bed.home.join("verify-ran");
    bed.write(
        "count.sh",
        &format!("echo x >> '{}'\ntest -s src/a && echo 10\n", ran.display()),
    );
    bed.git(&["commit", "-qam", "counts its runs"]);
    fail(&bed, 9);
    assert_answer!(bed.try_start(&config(1)).fails(3), @"
    exit code 3
    --- stderr
    error: the guard fails on the untouched tree: exit status 1
    caused by: its last lines: flaked
    hint: a guard must pass before the first trial: fix the code or the guard; for a flaky guard, there is `guard.retries`
    ");
    // Once, because the guard may need what verify builds.
    assert_eq!(std::fs::read_to_string(&ran).unwrap().lines().count(), 1);
    fail(&bed, 1);
    assert_answer!(bed.start(&config(1)), @r#"
    warning: the guard failed 1 time before it passed on the untouched tree: its result does not depend only on the code
    run `demo` started: Fewer any
      metric    any_count = 10 (lower is better)
      noise     none: 3 equal runs; a keep takes two equal runs or three, a discard one
      guard     pass
      scope     src/**
      pinned    2 files: count.sh, guard.sh; a trial that changes one is void
      branch    autoresearch/demo in <bed>/repo
      limits    100 iterations
      log       autoresearch-results/demo/research-results.tsv
    next: change one thing in scope (src/**), leave git alone, then run: autoresearch trial -m "what you changed"
    "#);
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
    assert_answer!(bed.try_start(&config(6)).fails(3), @"
    exit code 3
    --- stderr
    error: the config <bed>/home/config.yaml has 1 error
    caused by: <bed>/home/config.yaml:7: guard.retries: 6 is out of range -> write a number from 0 to 5
    hint: fix these, then run `autoresearch config check <bed>/home/config.yaml`
    ");
    let of_verify = ConfigText::demo().verify_with("retries", 1);
    assert_answer!(bed.try_start(&of_verify).fails(3), @"
    exit code 3
    --- stderr
    error: the config <bed>/home/config.yaml has 1 error
    caused by: <bed>/home/config.yaml:6: verify.retries: only the guard can be retried -> leave it out: a verify that is run until it succeeds measures luck
    hint: fix these, then run `autoresearch config check <bed>/home/config.yaml`
    ");
}
