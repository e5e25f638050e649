//! Every line that the answer about a background run can have, and what programs get of it.

use insta::assert_snapshot;

use super::*;

fn make_report() -> BackgroundReport {
    BackgroundReport {
        run: "fewer-any".to_owned(),
        alive: true,
        pid: Some(4711),
        phase: "measuring",
        why: None,
        until_ms: None,
        trial: 4,
        under_way: None,
        end: None,
        standing: "the best is 41 from trial 2".to_owned(),
        log: "autoresearch-results/fewer-any/runtime.log".to_owned(),
        warnings: Vec::new(),
        next: "next: nothing to do".to_owned(),
    }
}

#[test]
fn a_supervisor_at_work_is_shown_with_its_process_and_what_it_measures() {
    let report = BackgroundReport {
        under_way: Some(UnderWay {
            pid: Some(4711),
            command: "supervise".to_owned(),
            trial: Some(4),
            phase: Some("verify"),
            verify_run: Some(2),
            phase_ms: Some(65_000),
            elapsed_ms: Some(190_000),
        }),
        warnings: vec!["warning: the guard failed once".to_owned()],
        ..make_report()
    };
    assert_snapshot!(report, @"
    warning: the guard failed once
    run `fewer-any` in the background: measuring (process 4711)
      now       trial 4 is being measured: verify run 2 for 1m5s, 3m10s in all
      best      the best is 41 from trial 2
      trial     4
      log       autoresearch-results/fewer-any/runtime.log
    next: nothing to do
    ");
}

#[test]
fn a_supervisor_that_waits_says_why_and_until_when() {
    let report = BackgroundReport {
        phase: "waiting",
        why: Some("the usage limit\nis reached".to_owned()),
        until_ms: Some(0),
        ..make_report()
    };
    let text = report.to_string().replace(&clock_text(0), "<time>");
    assert_snapshot!(text, @r"
    run `fewer-any` in the background: waiting (process 4711)
      why       the usage limit\nis reached
      until     <time>
      best      the best is 41 from trial 2
      trial     4
      log       autoresearch-results/fewer-any/runtime.log
    next: nothing to do
    ");
}

#[test]
fn a_run_without_a_supervisor_names_no_process() {
    let report = BackgroundReport {
        alive: false,
        pid: None,
        phase: "died",
        ..make_report()
    };
    assert_snapshot!(report, @"
    run `fewer-any` in the background: died
      best      the best is 41 from trial 2
      trial     4
      log       autoresearch-results/fewer-any/runtime.log
    next: nothing to do
    ");
}

#[test]
fn programs_get_every_field_of_a_background_run() {
    assert_snapshot!(serde_json::to_string_pretty(&make_report()).unwrap(), @r#"
    {
      "run": "fewer-any",
      "alive": true,
      "pid": 4711,
      "phase": "measuring",
      "why": null,
      "until_ms": null,
      "trial": 4,
      "under_way": null,
      "end": null,
      "standing": "the best is 41 from trial 2",
      "log": "autoresearch-results/fewer-any/runtime.log",
      "warnings": [],
      "next": "next: nothing to do"
    }
    "#);
}

#[test]
fn only_a_supervisor_that_said_so_has_left_the_run() {
    use SupervisorPhase::{Blocked, Ended, Measuring, Paused, Starting, Turn, Waiting};
    for (phase, word, left) in [
        (Starting, "starting", false),
        (Turn, "turn", false),
        (Measuring, "measuring", false),
        (Waiting, "waiting", false),
        (Paused, "paused", true),
        (Blocked, "blocked", true),
        (Ended, "ended", true),
    ] {
        let said = SupervisorRuntime {
            format: 1,
            phase,
            trial: 1,
            why: None,
            until_ms: None,
            pid: 1,
            at: String::new(),
        };
        assert_eq!((phase.as_str(), has_left_run(&said)), (word, left));
        let written = serde_json::to_value(phase).unwrap();
        assert_eq!(written, word, "the word of runtime.json");
        assert_eq!(
            serde_json::from_value::<SupervisorPhase>(written).unwrap(),
            phase
        );
    }
}

#[test]
fn a_line_of_the_log_shows_its_time_by_the_clock_and_one_without_a_time_stays() {
    let at = "1970-01-01T00:00:00Z";
    let shown = show_log_line(&format!("{at} trial 4: keep"));
    assert_eq!(shown, format!("{} trial 4: keep", clock_text_of(at)));
    assert_eq!(show_log_line("garbled"), "garbled");
    assert_eq!(show_log_line(""), "");
}

#[test]
fn a_control_character_in_the_log_is_shown_and_other_letters_stay() {
    for (line, shown) in [
        ("plain text", "plain text"),
        ("a back\\slash", "a back\\slash"),
        ("größer", "größer"),
        ("\u{1b}[2Jgone", "\\u{1b}[2Jgone"),
    ] {
        assert_eq!(escape_line(line), shown);
    }
}

#[test]
fn without_codex_a_night_is_not_begun_unless_a_command_is_the_agent() {
    let mut world = World::from_process();
    world.vars.clear();
    let document = serde_json::json!({
        "goal": "less", "scope": ["src/**"], "metric": {"name": "n", "direction": "lower"},
        "verify": {"command": "./count"},
    });
    let mut agent = autoresearch_core::config::check_config(&document)
        .config
        .unwrap()
        .agent;
    let refused = check_agent_program(&world, &agent).unwrap_err();
    assert_eq!(refused.kind, FailureKind::Environment);
    assert_snapshot!(refused, @"
    error: codex was not found on PATH, so the agent could not edit
    hint: run the command in a shell whose PATH has codex (a login shell may have another PATH), or set `agent.command`
    ");
    agent.command = Some("./agent".to_owned());
    check_agent_program(&world, &agent).unwrap();
}
