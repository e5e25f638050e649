//! Limits of a run: raised by a person and by nobody else, left out where something else ends the run.

use crate::config_text::ConfigText;
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
        ended.ends_with("next: the run has ended (iteration-cap: all 1 iterations are used; the metric is 9); `autoresearch finish` goes back to your branch and shows what was kept; `autoresearch raise --help` says how to raise the limit and continue\n"),
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
    bed.run(&["raise"])
        .fails(2)
        .says("no limit was named")
        .says("raise --iterations N");
    bed.run(&["raise", "--time-limit", "8h"])
        .fails(2)
        .says("would end again at once: all 1 iterations are used");
    bed.run(&["raise", "--iterations", "1"])
        .fails(2)
        .says("higher than what is used");
    bed.run(&["raise", "--iterations", "5", "--time-limit", "1ms"])
        .fails(2)
        .says("would end again at once: reached the time limit of 1ms");
    bed.run(&["raise", "--iterations", "none"])
        .fails(2)
        .says("write a number");
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
    bed.run(&["raise", "--iterations", "9"])
        .fails(2)
        .says("has ended: user-stop");
    bed.run(&["finish"]).ok();
    bed.run(&["raise", "--iterations", "9"])
        .fails(2)
        .says("is finished");
}

#[test]
fn no_agent_raises_a_limit_and_none_is_told_to() {
    let bed = limited("");
    bed.edit(4);
    let said = bed.agent("s1", &["trial", "-m", "one"]).ok().out;
    let next = said.lines().last().unwrap();
    assert!(next.contains("tell the person (only the person can raise the limit, with `autoresearch raise` in a terminal)"), "{next}");
    bed.agent("s1", &["raise", "--iterations", "9"])
        .fails(4)
        .says("to raise a ceiling is for the person")
        .says("Tell the person the command");
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
    assert!(
        bed.hook("stop", "s1")
            .ok()
            .out
            .contains("has ended: iteration-cap")
    );
    bed.run(&["raise", "--iterations", "2"]).ok();
    assert!(bed.hook("stop", "s1").ok().out.contains("change one thing"));
    bed.edit(3);
    bed.agent("s1", &["trial", "-m", "two"]).ok();
    assert!(
        bed.hook("stop", "s1")
            .ok()
            .out
            .contains("has ended: iteration-cap")
    );
}

#[test]
fn a_run_without_a_limit_of_trials_needs_another_end() {
    let none = ConfigText::demo().iterations("none");
    Testbed::new()
        .try_start(&none)
        .fails(3)
        .says("iterations: with `none`, nothing would end this run")
        .says("add `time_limit`");
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
    assert!(
        bed.run(&["status"])
            .ok()
            .out
            .contains("  trials    0: 0 keep")
    );
    assert!(
        bed.run(&["resume"])
            .ok()
            .out
            .contains("so far: 0 iterations: 0 keep")
    );
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
    bed.run(&["start", "--goal", "-O3 only", "--metric", "m"])
        .fails(3)
        .says("the config made of the flags has");
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
