//! Limits of a run: raised by a person and by nobody else, left out where something else ends the run.

use crate::config_text::ConfigText;
use crate::shown::assert_answer;
use crate::testbed::{CONFIG, Testbed};

fn limited(extra: &str) -> Testbed {
    Testbed::started(&format!("{}{extra}\n", ConfigText::demo().iterations(1)))
}

#[test]
fn a_person_raises_the_limit_that_ended_a_run_and_goes_on_by_hand() {
    let bed = limited("");
    bed.edit(4);
    let ended = bed.run(&["trial", "-m", "one"]).ok().out;
    assert!(
        ended.ends_with("next: the run has ended (iteration-cap: the only iteration is used; any_count is 9); `autoresearch finish` goes back to your branch and shows what was kept; `autoresearch raise --help` says how to raise the limit and continue\n"),
        "{ended}"
    );
    let raised = bed.run(&["raise", "--iterations", "3"]).ok().out;
    insta::assert_snapshot!(raised, @r#"
    run `demo`: it had ended, and is open again
      trials      1 of 3
    next: change one thing in scope (src/**), leave git alone, then run: autoresearch trial -m "what you changed"; or hand it over: autoresearch background start
    "#);
    assert_eq!(bed.try_count(3), "keep");
    assert_eq!(bed.try_count(2), "keep");
    let status = bed.run(&["status", "--json"]).ok().json();
    assert_eq!(
        (status["end"].as_str(), status["iterations_limit"].as_u64()),
        (Some("iteration-cap"), Some(3))
    );
    assert_eq!(bed.story(), ["0 baseline", "1 keep", "2 keep", "3 keep"]);
}

#[test]
fn a_limit_that_is_used_up_already_or_none_at_all_is_not_set() {
    let bed = limited("");
    assert_eq!(bed.try_count(4), "keep");
    assert_answer!(bed.run(&["raise"]), @"
    exit code 2
    --- stderr
    error: no limit was named
    hint: name one: `autoresearch raise --iterations N`
    ");
    assert_answer!(bed.run(&["raise", "--time-limit", "8h"]), @"
    exit code 2
    --- stderr
    error: the run would end again at once: the only iteration is used
    hint: nothing was changed. Limits count from the start of the run, all in all: set --iterations N higher than what is used
    ");
    assert_answer!(bed.run(&["raise", "--iterations", "1"]), @"
    exit code 2
    --- stderr
    error: the run would end again at once: the only iteration is used
    hint: nothing was changed. Limits count from the start of the run, all in all: set --iterations N higher than what is used
    ");
    assert_answer!(bed.run(&["raise", "--iterations", "5", "--time-limit", "1ms"]), @"
    exit code 2
    --- stderr
    error: the run would end again at once: reached the time limit of 1ms
    hint: nothing was changed. Limits count from the start of the run, all in all: set --time-limit SPAN higher than what is used
    ");
    assert_answer!(bed.run(&["raise", "--iterations", "none"]), @"
    exit code 2
    --- stderr
    error: --iterations: a run has a number of trials from its start on
    hint: write a number; `iterations: none` is for the config of a new run
    ");
    let status = bed.run(&["status", "--json"]).ok().json();
    assert_eq!(
        (status["end"].as_str(), status["iterations_limit"].as_u64()),
        (Some("iteration-cap"), Some(1))
    );
    // An open run can get more room before it ends, and other ends are final.
    let bed = limited("time_limit: 1h");
    let raised = bed
        .run(&["raise", "--time-limit", "2h", "--json"])
        .ok()
        .json();
    assert_eq!(
        (
            raised["reopened"].as_bool(),
            raised["time_limit_ms"].as_u64()
        ),
        (Some(false), Some(7_200_000))
    );
    bed.run(&["stop"]).ok();
    assert_answer!(bed.run(&["raise", "--iterations", "9"]), @"
    exit code 2
    --- stderr
    error: the run `demo` has ended: user-stop
    hint: only a run that reached a limit or was blocked can be reopened; `autoresearch start` starts a new run
    ");
    bed.run(&["finish"]).ok();
    assert_answer!(bed.run(&["raise", "--iterations", "9"]), @"
    exit code 2
    --- stderr
    error: the run `demo` is finished: `finish` has checked out what was there before it
    hint: `autoresearch start` starts a new run
    ");
}

#[test]
fn no_agent_raises_a_limit_and_none_is_told_to() {
    let bed = limited("");
    bed.edit(4);
    let said = bed.agent("s1", &["trial", "-m", "one"]).ok().out;
    let next = said.lines().last().unwrap();
    assert!(next.contains("tell the person (only the person can raise the limit, with `autoresearch raise` in a terminal)"), "{next}");
    assert_answer!(bed.agent("s1", &["raise", "--iterations", "9"]), @"
    exit code 4
    --- stderr
    error: to raise a ceiling is for the person, not for an agent's session
    hint: nothing was done. Tell the person the command; they run it in their own terminal
    ");
    for mark in ["CODEX_CI", "AUTORESEARCH_TURN", "CODEX_THREAD_ID"] {
        bed.run_with(&["raise", "--iterations", "9"], &[(mark, "1")])
            .fails(4)
            .says("to raise a ceiling is for the person");
    }
    assert_eq!(
        bed.run(&["status", "--json"]).ok().json()["iterations_limit"],
        1
    );
    // The session is told of the next end as well.
    assert_answer!(bed.hook("stop", "s1").ok(), @r#"{"systemMessage":"autoresearch: the run `demo` has ended: iteration-cap (the only iteration is used; any_count is 9); any_count 9 (lower is better, start 10, -10 %); `<program> finish` goes back to your branch"}"#);
    bed.run(&["raise", "--iterations", "2"]).ok();
    assert_answer!(bed.hook("stop", "s1").ok(), @r#"{"decision":"block","reason":"autoresearch: the run `demo` is open. next: change one thing in scope (src/**), leave git alone, then run: <program> trial -m \"what you changed\""}"#);
    bed.edit(3);
    bed.agent("s1", &["trial", "-m", "two"]).ok();
    assert_answer!(bed.hook("stop", "s1").ok(), @r#"{"systemMessage":"autoresearch: the run `demo` has ended: iteration-cap (all 2 iterations are used; any_count is 8); any_count 8 (lower is better, start 10, -20 %); `<program> finish` goes back to your branch"}"#);
}

#[test]
fn a_run_without_a_limit_of_trials_needs_another_end() {
    let none = ConfigText::demo().iterations("none");
    assert_answer!(Testbed::new().try_start(&none), @"
    exit code 3
    --- stderr
    error: the config <bed>/home/config.yaml has 1 error
    caused by: <bed>/home/config.yaml:8: iterations: with `none`, nothing would end this run -> add `time_limit`, `budget.until`, `budget.verify_runs`, `metric.target` or `stop_when`
    hint: fix these, then run `autoresearch config check <bed>/home/config.yaml`
    ");
    for wrong in ["never", "0", "\"\""] {
        Testbed::new()
            .try_start(&ConfigText::demo().iterations(wrong))
            .fails(3)
            .says("iterations: ");
    }
    for end in [
        "time_limit: 8h",
        "budget: {until: \"07:00\"}",
        "budget: {verify_runs: 9}",
        "stop_when: [{metric: any_count, op: \"<\", value: 3}]",
    ] {
        let bed = Testbed::started(&format!("{none}{end}\n"));
        let status = bed.run(&["status", "--json"]).ok().json();
        assert!(status["iterations_limit"].is_null(), "{status}");
    }
    let bed = Testbed::started(&none.target(7));
    assert_answer!(bed.run(&["status"]).ok(), @r#"
    run `demo`: Fewer any
      active    no process works on it now
      started   <time>, <span> ago
      metric    any_count (lower is better)
      start     10
      best      10 from trial 0, commit <commit>, target 7
      trials    0: 0 keep, 0 discard, 0 crash, 0 no-op
      ladder    0 failed in a row, 0 pivots without a keep
      branch    autoresearch/demo
    next: change one thing in scope (src/**), leave git alone, then run: autoresearch trial -m "what you changed"
    "#);
    assert_answer!(bed.run(&["resume"]).ok(), @r#"
    autoresearch run `demo`. Goal: "Fewer any"
    best: any_count 10 (lower is better, start 10, target 7) from trial 0
    so far: 0 iterations: 0 keep, 0 discard, 0 crash, 0 no-op; 0 failed in a row
    edit only: src/**; never: the scripts that verify and guard run
    next: change one thing in scope (src/**), leave git alone, then run: autoresearch trial -m "what you changed"
    "#);
    assert_eq!(bed.try_count(4), "keep");
    assert_eq!(bed.try_count(2), "keep");
    assert_eq!(bed.run(&["status", "--json"]).ok().json()["end"], "target");
}

#[test]
fn start_takes_keys_by_flag_and_variable_and_freezes_what_is_true() {
    let bed = Testbed::new();
    std::fs::write(bed.path("autoresearch.yaml"), format!("# mine\n{CONFIG}")).unwrap();
    let words = [
        "start",
        "--iterations",
        "7",
        "--tag",
        "mine",
        "--ladder",
        "off",
        "--json",
    ];
    let variables = [
        ("AUTORESEARCH_ITERATIONS", "9"),
        ("AUTORESEARCH_TIME_LIMIT", "3h"),
    ];
    let started = bed.run_with(&words, &variables).ok().json();
    assert_eq!(
        (started["run"].as_str(), started["limits"].as_str()),
        (Some("mine"), Some("7 iterations, 3h"))
    );
    assert_eq!(
        started["warnings"],
        serde_json::json!(["taken from variables: AUTORESEARCH_TIME_LIMIT"])
    );
    let frozen = bed.read("autoresearch-results/mine/config.yaml");
    let frozen: serde_json::Value = serde_json::from_str(&frozen).unwrap();
    assert_eq!(
        (frozen["iterations"].as_u64(), frozen["ladder"].as_str()),
        (Some(7), Some("off"))
    );
    assert!(frozen["mode"].is_null(), "only `exec` sets the mode");
    // Without a flag the file is frozen as it was typed.
    let bed = Testbed::new();
    std::fs::write(bed.path("autoresearch.yaml"), format!("# mine\n{CONFIG}")).unwrap();
    bed.run(&["start"]).ok();
    assert!(
        bed.read("autoresearch-results/demo/config.yaml")
            .starts_with("# mine\n")
    );
    // Without a file the flags have to say enough, and what is wrong has the name of a key.
    let bed = Testbed::new();
    assert_answer!(bed.run(&["start", "--goal", "-O3 only", "--metric", "m"]), @"
    exit code 3
    --- stderr
    error: the config made of the flags has 3 errors
    caused by: made of the flags: metric: `direction` is missing -> add `direction:` (Which way is better)
    caused by: made of the flags: `scope` is missing -> add `scope:` (gitignore-style patterns, from the repository's root, of the files that a trial may change)
    caused by: made of the flags: `verify` is missing -> add `verify:` (How it is measured: a command that prints it, or one of the kinds that the tool measures itself)
    warning: made of the flags: guard: there is no guard, so a trial that breaks the program can be kept -> add `guard: {command: ...}`, such as your tests
    hint: fix these, then run the command again
    ");
    let words = [
        "start",
        "--goal",
        "-O3 only",
        "--scope",
        "src/**",
        "--metric",
        "m",
        "--direction",
        "lower",
        "--verify",
        "sh count.sh",
        "--iterations",
        "none",
        "--time-limit",
        "1h",
        "--json",
    ];
    let started = bed.run(&words).ok().json();
    assert_eq!(
        (started["run"].as_str(), started["limits"].as_str()),
        (Some("o3-only"), Some("no limit of trials, 1h"))
    );
}
