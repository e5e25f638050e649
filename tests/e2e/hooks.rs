//! The session hooks without Codex: who gets an answer, what it says, and that nobody else gets a byte.

use serde_json::Value;

use crate::config_text::ConfigText;
use crate::shown::assert_answer;
use crate::testbed::{Answer, CONFIG, Testbed};

const ME: &str = "0199-me";

/// A repository with a run that the session `ME` started.
fn mine() -> Testbed {
    let bed = Testbed::new();
    bed.write("../home/config.yaml", CONFIG);
    let config = bed.home.join("config.yaml");
    bed.agent(ME, &["start", "--config", config.to_str().unwrap()])
        .ok();
    bed
}

/// The answer was nothing, and the exit code 0.
#[track_caller]
fn silent(answer: &Answer) {
    assert_eq!((answer.code, answer.out.as_str()), (0, ""), "{answer:?}");
    assert_eq!(answer.err, "");
}

/// The reason for which the agent goes on.
#[track_caller]
fn reason(answer: &Answer) -> String {
    assert_eq!(answer.code, 0, "{answer:?}");
    let answer: Value = serde_json::from_str(&answer.out).unwrap_or_else(|_| panic!("{answer:?}"));
    assert_eq!(answer["decision"], "block");
    answer["reason"].as_str().unwrap().to_owned()
}

fn brief(answer: &Answer) -> String {
    let answer: Value = serde_json::from_str(&answer.out).unwrap_or_else(|_| panic!("{answer:?}"));
    let output = &answer["hookSpecificOutput"];
    assert_eq!(output["hookEventName"], "SessionStart");
    output["additionalContext"].as_str().unwrap().to_owned()
}

/// Everything in the run's folder, to see that nothing was written.
fn run_files(bed: &Testbed) -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(bed.run_file("")).unwrap().flatten();
    let mut files: Vec<_> = entries
        .filter(|entry| entry.path().is_file())
        .map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            (name, std::fs::read(entry.path()).unwrap())
        })
        .collect();
    files.sort();
    files
}

#[test]
fn a_session_that_does_not_own_the_run_gets_zero_bytes_and_writes_nothing() {
    let bed = mine();
    let before = run_files(&bed);
    let folder = bed.repo.display();
    for event in ["session-start", "stop", "interrupt"] {
        for session in ["0199-other", "", "null", " "] {
            silent(&bed.hook(event, session));
        }
        for payload in [
            format!(r#"{{"cwd":"{folder}"}}"#),
            format!(r#"{{"session_id":null,"cwd":"{folder}"}}"#),
            format!(r#"{{"session_id":7,"cwd":"{folder}"}}"#),
            format!(
                r#"{{"session_id":"{ME}","cwd":"{folder}","agent_id":"a1","agent_type":"default"}}"#
            ),
            format!(r#"{{"session_id":"{ME}","cwd":"/"}}"#),
            format!(r#"{{"session_id":"{ME}","cwd":"relative"}}"#),
            format!(r#"{{"session_id":"{ME}"}}"#),
            "not json".to_owned(),
            String::new(),
        ] {
            silent(&bed.hook_with(event, payload.as_bytes()));
        }
    }
    silent(&bed.hook("something-new", ME));
    assert_eq!(run_files(&bed), before);
}

#[test]
fn an_empty_session_id_binds_no_run() {
    for id in ["", "null", " "] {
        let bed = Testbed::new();
        let config = bed.home.join("config.yaml");
        std::fs::write(&config, CONFIG).unwrap();
        bed.agent(id, &["start", "--config", config.to_str().unwrap()])
            .ok();
        assert!(!bed.run_file("session.json").exists(), "{id:?}");
        silent(&bed.hook("stop", id));
    }
}

#[test]
fn who_looks_at_a_run_is_not_bound_and_who_asks_for_a_trial_is() {
    let bed = mine();
    for command in [&["status"][..], &["log"], &["doctor"]] {
        bed.agent("0199-visitor", command).ok();
    }
    silent(&bed.hook("stop", "0199-visitor"));
    reason(&bed.hook("stop", ME));
    bed.agent("0199-next", &["resume"]).ok();
    silent(&bed.hook("stop", ME));
    reason(&bed.hook("stop", "0199-next"));
    bed.edit(4);
    bed.agent(ME, &["trial", "-m", "back again"]).ok();
    silent(&bed.hook("stop", "0199-next"));
    reason(&bed.hook("stop", ME));
}

#[test]
fn the_brief_is_given_to_the_runs_own_session_with_the_whole_path_of_the_program() {
    let bed = mine();
    bed.edit(4);
    bed.agent(ME, &["trial", "-m", "fewer in a"]).ok();
    let text = brief(&bed.hook("session-start", ME));
    assert!(text.len() < 1_500, "{text}");
    for part in [
        "Goal: \"Fewer any\"",
        "any_count 9",
        "fewer in a",
        "next: ",
        "/autoresearch-sealed trial -m",
    ] {
        assert!(text.contains(part), "`{part}` is missing in {text}");
    }
}

#[test]
fn a_registered_trial_is_measured_at_the_stop_and_the_answer_is_its_verdict() {
    let bed = mine();
    bed.edit(3);
    let answer = bed
        .agent(ME, &["propose", "-m", "two fewer", "--json"])
        .ok();
    let report = answer.json();
    assert_eq!(report["registered"], "trial");
    assert_eq!(report["files"], serde_json::json!(["src/a"]));
    assert_eq!(bed.story(), ["0 baseline"], "nothing is measured yet");
    let said = reason(&bed.hook("stop", ME));
    assert!(
        said.contains("trial 1: keep, any_count 8 (-2, -20 %)"),
        "{said}"
    );
    assert!(said.lines().last().unwrap().starts_with("next: "), "{said}");
    assert_eq!(bed.story(), ["0 baseline", "1 keep"]);
    assert!(!bed.run_file("proposal.json").exists());
    let session = std::fs::read_to_string(bed.run_file("session.json")).unwrap();
    assert!(session.contains(r#""hooked":true"#), "{session}");
    // The agent is not measured twice for one proposal.
    let said = reason(&bed.hook("stop", ME));
    assert!(said.contains("is open. next:"), "{said}");
    assert_eq!(bed.story().len(), 2);
}

#[test]
fn a_registered_trial_of_another_session_is_not_run() {
    let bed = mine();
    bed.edit(3);
    bed.agent(ME, &["propose", "-m", "two fewer"]).ok();
    silent(&bed.hook("stop", "0199-other"));
    bed.agent("0199-other", &["resume"]).ok();
    let said = reason(&bed.hook("stop", "0199-other"));
    assert!(said.contains("is open"), "{said}");
    assert_eq!(bed.story(), ["0 baseline"]);
}

#[test]
fn a_proposal_is_refused_where_a_trial_would_be() {
    let bed = mine();
    assert_answer!(bed.agent(ME, &["propose", "-m", "nothing"]), @"
    exit code 2
    --- stderr
    error: no file in the scope was changed
    hint: change one thing first, then register it
    ");
    bed.edit(3);
    assert_answer!(bed.agent(ME, &["propose", "-m", " "]), @r#"
    exit code 2
    --- stderr
    error: the message is empty
    hint: say what you changed: -m "what you changed"
    "#);
    assert_answer!(bed.agent(ME, &["propose", "--rework", "-m", "x"]), @"
    exit code 2
    --- stderr
    error: no trial waits for a rework
    hint: leave out --rework
    ");
    assert_answer!(bed.run(&["propose", "-m", "no session"]), @"
    exit code 2
    --- stderr
    error: there is no session whose hook could do it
    hint: `propose` is for an agent in a Codex session; use `autoresearch trial`
    ");
    for count in [11, 12, 13] {
        bed.edit(count);
        bed.agent(ME, &["trial", "-m", "worse"]).ok();
    }
    bed.edit(3);
    assert_answer!(bed.agent(ME, &["propose", "-m", "now"]), @r#"
    exit code 2
    --- stderr
    error: a refine is due before the next trial
    hint: 3 trials in a row failed; say how you will adjust within the strategy: <program> strategy refine -m "reason and plan"
    "#);
    assert!(!bed.run_file("proposal.json").exists());
}

#[test]
fn a_proposal_that_the_run_has_passed_by_is_not_measured() {
    let bed = mine();
    bed.edit(3);
    bed.agent(ME, &["propose", "-m", "two fewer"]).ok();
    bed.run(&["trial", "-m", "a person was faster"]).ok();
    let said = reason(&bed.hook("stop", ME));
    assert!(said.contains("out of date"), "{said}");
    assert_eq!(bed.story(), ["0 baseline", "1 keep"]);
}

#[test]
fn three_stops_without_progress_are_answered_and_no_fourth() {
    let bed = mine();
    for _ in 0..3 {
        let said = reason(&bed.hook("stop", ME));
        assert!(said.contains("next: change one thing"), "{said}");
    }
    silent(&bed.hook("stop", ME));
    silent(&bed.hook("stop", ME));
    bed.edit(4);
    bed.agent(ME, &["trial", "-m", "something at last"]).ok();
    reason(&bed.hook("stop", ME));
}

#[test]
fn the_end_of_a_run_is_told_once_and_then_the_hooks_are_silent() {
    let bed = mine();
    bed.agent(ME, &["stop", "-m", "enough"]).ok();
    let answer = bed.hook("stop", ME);
    let told: Value = serde_json::from_str(&answer.out).unwrap();
    assert!(told.get("decision").is_none(), "{told}");
    let message = told["systemMessage"].as_str().unwrap();
    assert!(
        message.contains("has ended: user-stop (enough)"),
        "{message}"
    );
    silent(&bed.hook("stop", ME));
    silent(&bed.hook("session-start", ME));
}

#[test]
fn an_interruption_pauses_until_the_run_is_resumed() {
    let bed = mine();
    bed.edit(3);
    bed.agent(ME, &["propose", "-m", "two fewer"]).ok();
    silent(&bed.hook("interrupt", ME));
    silent(&bed.hook("stop", ME));
    assert_eq!(bed.story(), ["0 baseline"], "nothing was measured");
    assert_answer!(bed.agent(ME, &["trial", "-m", "anyway"]), @"
    exit code 2
    --- stderr
    error: the run is paused: the person interrupted the session
    hint: answer the person first; when they want the run to continue: <program> resume
    ");
    assert_answer!(bed.agent(ME, &["propose", "-m", "anyway"]), @"
    exit code 2
    --- stderr
    error: the run is paused: the person interrupted the session
    hint: answer the person first; when they want the run to continue: <program> resume
    ");
    assert_answer!(bed.run(&["status"]), @"
    run `demo`: Fewer any
      active    no process works on it now
      started   <time>, <span> ago
      obstacle  paused: the person interrupted the session
      metric    any_count (lower is better)
      start     10
      best      10 from trial 0, commit <commit>
      trials    0 of 100: 0 keep, 0 discard, 0 crash, 0 no-op
      ladder    0 failed in a row, 0 pivots without a keep
      branch    autoresearch/demo
    next: fix the cause, then run `autoresearch resume`
    ");
    let text = brief(&bed.hook("session-start", ME));
    assert!(text.contains("next: the run is paused"), "{text}");
    assert!(!text.contains("change one thing"), "{text}");
    bed.agent(ME, &["resume"]).ok();
    reason(&bed.hook("stop", ME));
    bed.agent(ME, &["trial", "-m", "two fewer"]).ok();
    assert_eq!(bed.story(), ["0 baseline", "1 keep"]);
}

#[test]
fn a_run_that_cannot_be_believed_lets_the_session_go_and_leaves_a_line() {
    let bed = mine();
    let journal = bed.run_file("journal.jsonl");
    let text = std::fs::read_to_string(&journal).unwrap();
    std::fs::write(&journal, text.replace("any_count", "any_kount")).unwrap();
    std::fs::remove_file(bed.vault().join("checkpoint.json")).unwrap();
    for event in ["session-start", "stop"] {
        silent(&bed.hook(event, ME));
    }
    let log = std::fs::read_to_string(bed.run_file("hooks.log")).unwrap();
    assert_eq!(log.lines().count(), 2, "{log}");
    assert!(log.contains("stop: error: "), "{log}");
    std::fs::write(bed.run_file("session.json"), "{").unwrap();
    silent(&bed.hook("stop", ME));
}

#[test]
fn a_run_folder_that_came_with_a_clone_runs_nothing_whatever_session_it_names() {
    let bed = mine();
    let mark = bed.home.join("mark");
    bed.edit(3);
    bed.agent(ME, &["propose", "-m", "two fewer"]).ok();
    // The same folder, as a clone would bring it: without the anchor.
    std::fs::remove_dir_all(bed.state.join("runs")).unwrap();
    bed.write("count.sh", &format!("touch {}\necho 1\n", mark.display()));
    for event in ["session-start", "stop"] {
        silent(&bed.hook(event, ME));
    }
    assert!(!mark.exists());
}

#[test]
fn links_in_place_of_the_sessions_files_are_not_followed() {
    let bed = mine();
    let elsewhere = bed.home.join("elsewhere.json");
    std::fs::rename(bed.run_file("session.json"), &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, bed.run_file("session.json")).unwrap();
    let before = std::fs::read(&elsewhere).unwrap();
    silent(&bed.hook("stop", ME));
    bed.agent(ME, &["resume"]).ok();
    assert_eq!(std::fs::read(&elsewhere).unwrap(), before);
    assert!(!bed.run_file("session.json").is_symlink());
}

#[test]
fn a_trial_that_was_killed_is_repaired_at_the_stop() {
    let bed = mine();
    bed.edit(3);
    let killed = bed.run_with(
        &["trial", "-m", "cut"],
        &[("SEALED_CRASH_AT", "6"), ("CODEX_SESSION_ID", ME)],
    );
    assert_eq!(killed.code, -1);
    let said = reason(&bed.hook("stop", ME));
    assert!(said.contains("was interrupted"), "{said}");
    assert_eq!(bed.git(&["status", "--porcelain"]), "");
    assert_eq!(bed.story(), ["0 baseline", "1 interrupted"]);
}

#[test]
fn strategy_stop_and_finish_are_carried_out_for_a_session_that_registered_them() {
    let bed = mine();
    for count in [11, 12, 13] {
        bed.edit(count);
        bed.agent(ME, &["trial", "-m", "worse"]).ok();
    }
    let records = bed
        .read("autoresearch-results/demo/journal.jsonl")
        .lines()
        .count();
    let register = |order: Value, records: usize| {
        let proposal = serde_json::json!({"session": ME, "records": records, "order": order});
        std::fs::write(bed.run_file("proposal.json"), proposal.to_string()).unwrap();
    };
    register(
        serde_json::json!({"strategy": {"strategy": "refine", "message": "leaves only"}}),
        records,
    );
    let said = reason(&bed.hook("stop", ME));
    assert!(said.contains("refine logged"), "{said}");
    register(serde_json::json!("finish"), records + 1);
    let said = reason(&bed.hook("stop", ME));
    assert!(said.contains("checked out: main"), "{said}");
    assert_eq!(bed.git(&["branch", "--show-current"]).trim(), "main");
}

/// Stops again and again, doing something before each; how many were answered until two in a row were not.
fn answered(bed: &Testbed, mut before: impl FnMut(u32)) -> u32 {
    let (mut answered, mut silent) = (0, 0);
    for turn in 0..12 {
        before(turn);
        if bed.hook("stop", ME).out.is_empty() {
            silent += 1;
        } else {
            (answered, silent) = (answered + 1, 0);
        }
        if silent == 2 {
            break;
        }
    }
    answered
}

#[test]
fn nothing_that_the_agent_writes_or_runs_without_a_trial_keeps_its_session_for_ever() {
    type Move = fn(&Testbed, u32);
    let moves: [(&str, Move); 5] = [
        ("writes its own session.json", |bed, _| {
            let forged = serde_json::json!({"id": ME, "records": 0, "stops": 0});
            std::fs::write(bed.run_file("session.json"), forged.to_string()).unwrap();
        }),
        ("registers what fails", |bed, _| {
            let forged = serde_json::json!({"session": ME, "records": 2, "order": {"trial":
                {"message": "", "labels": [], "simplify": false, "rework": false}}});
            std::fs::write(bed.run_file("proposal.json"), forged.to_string()).unwrap();
        }),
        ("resumes", |bed, _| {
            bed.agent(ME, &["resume"]).ok();
        }),
        ("gives up edits", |bed, _| {
            bed.edit(3);
            bed.agent(ME, &["propose", "--drop"]).ok();
        }),
        ("refines without need", |bed, _| {
            bed.agent(ME, &["strategy", "refine", "-m", "again"]).ok();
        }),
    ];
    for (what, act) in moves {
        let bed = mine();
        let answered = answered(&bed, |turn| act(&bed, turn));
        assert!((1..=4).contains(&answered), "{what}: {answered} answers");
    }
}

#[test]
fn trials_that_are_cut_short_again_and_again_do_not_keep_the_session() {
    let bed = mine();
    let answered = answered(&bed, |_| {
        bed.edit(3);
        let crash = [("SEALED_CRASH_AT", "6"), ("CODEX_SESSION_ID", ME)];
        assert_eq!(bed.run_with(&["trial", "-m", "cut"], &crash).code, -1);
    });
    assert_eq!(answered, 3);
}

#[test]
fn of_several_runs_of_a_session_the_open_one_is_answered_and_an_interruption_pauses_all() {
    let bed = Testbed::new();
    let start = |tag: &str| {
        let config = bed.home.join("config.yaml");
        std::fs::write(&config, ConfigText::demo().tag(tag).to_string()).unwrap();
        bed.agent(ME, &["start", "--config", config.to_str().unwrap()])
            .ok();
    };
    start("zoo");
    bed.agent(ME, &["finish"]).ok();
    start("demo");
    bed.edit(3);
    bed.agent(ME, &["propose", "-m", "two fewer"]).ok();
    let said = reason(&bed.hook("stop", ME));
    assert!(said.contains("trial 1: keep"), "{said}");
    silent(&bed.hook("interrupt", ME));
    silent(&bed.hook("stop", ME));
    assert_answer!(bed.run(&["status"]), @"
    run `demo`: Fewer any
      active    no process works on it now
      started   <time>, <span> ago
      obstacle  paused: the person interrupted the session
      metric    any_count (lower is better)
      start     10
      best      8 (-20 %) from trial 1, commit <commit>
      trials    1 of 100: 1 keep, 0 discard, 0 crash, 0 no-op
      ladder    0 failed in a row, 0 pivots without a keep
      branch    autoresearch/demo
    next: fix the cause, then run `autoresearch resume`
    ");
}

#[test]
fn a_session_that_lost_the_run_while_its_trial_was_measured_is_not_sent_on() {
    let bed = Testbed::new();
    let other = bed.home.join("other.json");
    let verify = format!(
        "[ ! -e {0} ] || cp {0} {1}/session.json; sh count.sh",
        other.display(),
        bed.run_file("").display()
    );
    let config = bed.home.join("config.yaml");
    std::fs::write(&config, ConfigText::demo().verify(&verify).to_string()).unwrap();
    bed.agent(ME, &["start", "--config", config.to_str().unwrap()])
        .ok();
    bed.edit(3);
    bed.agent(ME, &["propose", "-m", "two fewer"]).ok();
    std::fs::write(&other, r#"{"id":"0199-other"}"#).unwrap();
    silent(&bed.hook("stop", ME));
    assert_eq!(bed.story(), ["0 baseline", "1 keep"]);
    let now = std::fs::read_to_string(bed.run_file("session.json")).unwrap();
    assert!(now.contains("0199-other"), "{now}");
}

#[test]
fn a_pipe_in_place_of_a_file_keeps_no_hook_and_no_command_waiting() {
    for name in [
        "session.json",
        "proposal.json",
        "hooks.log",
        "config.yaml",
        "journal.jsonl",
    ] {
        let bed = mine();
        let path = bed.run_file(name);
        let _ = std::fs::remove_file(&path);
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.unwrap().success());
        for event in ["session-start", "stop", "interrupt"] {
            assert_eq!(bed.hook(event, ME).code, 0, "{name}");
        }
        bed.run(&["status"]);
    }
}

#[test]
fn files_without_end_in_place_of_the_runs_files_are_not_read() {
    for name in [
        "session.json",
        "proposal.json",
        "config.yaml",
        "../lessons.md",
    ] {
        let bed = mine();
        let file = std::fs::File::create(bed.run_file(name)).unwrap();
        file.set_len(1 << 40).unwrap();
        for event in ["session-start", "stop"] {
            assert_eq!(bed.hook(event, ME).code, 0, "{name}");
        }
    }
}

#[test]
fn of_two_hooks_at_once_one_measures_what_was_registered() {
    let bed = mine();
    bed.edit(3);
    bed.agent(ME, &["propose", "-m", "two fewer"]).ok();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| bed.hook("stop", ME));
        }
    });
    assert_eq!(bed.story(), ["0 baseline", "1 keep"]);
}
