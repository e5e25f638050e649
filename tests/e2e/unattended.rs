//! `exec` and the driver behind it, with a scripted command as the agent: the contract of a CI job, and what becomes of
//! an agent that fails, strays or has nothing to say.

use serde_json::Value;

use crate::config_text::ConfigText;
use crate::testbed::{Answer, Testbed};

/// Takes the next line of `$HOME/moves`, does it, and answers; without a line it has no idea left.
const AGENT: &str = r#"cat > "$HOME/brief-$(ls "$HOME" | grep -c '^brief')"
move=$(head -n 1 "$HOME/moves"); sed -i 1d "$HOME/moves"
if [ -z "$move" ]; then echo '{"message": "nothing left", "nothing_more": true}'; exit 0; fi
eval "$move"
echo "I did it: {\"message\": \"did: $move\", \"hypothesis\": \"fewer\", \"strategy\": \"another way\"}"
"#;

/// The edit that leaves so many `any` in `src/a`, of ten in all at the start.
fn set(count: usize) -> String {
    format!("seq {count} | sed s/.*/any/ > src/a")
}

/// A bench whose agent makes these moves.
fn bed(moves: &[String]) -> Testbed {
    let bed = Testbed::new();
    std::fs::write(bed.home.join("agent.sh"), AGENT).unwrap();
    std::fs::write(bed.home.join("moves"), moves.join("\n") + "\n").unwrap();
    bed
}

/// The config with the scripted command as the agent.
fn scripted() -> ConfigText {
    ConfigText::demo().agent("sh \"$HOME/agent.sh\"")
}

fn config(more: &str) -> String {
    format!("{}{more}", scripted())
}

fn exec(bed: &Testbed, config: &str, more: &[&str]) -> Answer {
    let file = bed.home.join("config.yaml");
    std::fs::write(&file, config).unwrap();
    let mut arguments = vec!["exec", "--config", file.to_str().unwrap()];
    arguments.extend(more);
    bed.run_with(&arguments, &[("SEALED_PATIENCE", "20")])
}

/// Every line of standard output; each must be a JSON object.
#[track_caller]
fn lines(answer: &Answer) -> Vec<Value> {
    let parsed = answer.out.lines().map(serde_json::from_str);
    parsed
        .map(|line| line.unwrap_or_else(|error| panic!("{error}: {answer:?}")))
        .collect()
}

#[test]
fn exec_prints_a_line_per_trial_and_a_summary_and_exits_with_0_when_it_improved() {
    let bed = bed(&[set(4), set(7), set(2)]);
    let before = bed.fingerprint();
    let answer = exec(&bed, &config(""), &["--iterations", "3"]);
    assert_eq!(answer.code, 0, "{answer:?}");
    assert_eq!(answer.err, "");
    let lines = lines(&answer);
    let verdicts: Vec<&Value> = lines.iter().map(|line| &line["verdict"]).collect();
    assert_eq!(verdicts[..3], ["keep", "discard", "keep"]);
    let summary = &lines[3];
    assert_eq!(summary["type"], "summary");
    assert_eq!(summary["status"], "iteration-cap");
    assert_eq!(
        (
            summary["baseline"].to_string(),
            summary["best"].to_string(),
            &summary["best_iteration"]
        ),
        ("10".to_owned(), "7".to_owned(), &Value::from(3))
    );
    assert_eq!(summary["improved"], true);
    assert_eq!(summary["cost"]["turns"], 3);
    assert_eq!(summary["cost"]["verify_runs"], 7);
    assert_eq!(summary["merge"], "git merge autoresearch/demo");
    assert_eq!(bed.fingerprint(), before, "the user's branch is as it was");
    assert_eq!(bed.run_commits("autoresearch/demo").len(), 2);
    let mode = bed.read("autoresearch-results/demo/config.yaml");
    assert!(mode.contains("\"exec\""), "{mode}");
    assert!(!bed.path("autoresearch-results/lessons.md").exists());
}

#[test]
fn exec_exits_with_1_when_nothing_improved_and_with_2_when_it_could_not_begin() {
    let bed = bed(&[set(7), set(8)]);
    let answer = exec(&bed, &config(""), &["--iterations", "2"]);
    assert_eq!(answer.code, 1, "{answer:?}");
    assert_eq!(lines(&answer)[2]["improved"], false);
    for (config, more) in [
        (config("scop: 1\n"), vec![]),
        (config(""), vec!["--direction", "down"]),
        ("[1]".to_owned(), vec![]),
        (config(""), vec!["--verify", "false"]),
    ] {
        let answer = exec(&bed, &config, &more);
        assert_eq!((answer.code, answer.out.as_str()), (2, ""), "{answer:?}");
        let error: Value = serde_json::from_str(answer.err.trim()).unwrap();
        assert_eq!(error["exit_code"], 2, "{error}");
        assert!(error["error"].is_string() && error["kind"].is_string());
    }
}

#[test]
fn exec_takes_every_field_from_flags_and_variables_and_a_flag_wins() {
    let bed = bed(&[set(4)]);
    let variables = [
        ("AUTORESEARCH_GOAL", "Fewer any"),
        ("AUTORESEARCH_TAG", "from-variables"),
        ("AUTORESEARCH_SCOPE", "src/**\nlib/**"),
        ("AUTORESEARCH_METRIC_NAME", "any_count"),
        ("AUTORESEARCH_METRIC_TARGET", "9"),
        ("AUTORESEARCH_VERIFY_COMMAND", "exit 1"),
        ("AUTORESEARCH_ITERATIONS", "7"),
        ("AUTORESEARCH_AGENT_COMMAND", "sh \"$HOME/agent.sh\""),
    ];
    let flags = ["exec", "--direction", "lower", "--verify", "sh count.sh"];
    let answer = bed.run_with(&flags, &variables);
    assert_eq!(answer.code, 0, "{answer:?}");
    let summary = lines(&answer).pop().unwrap();
    assert_eq!(summary["run"], "from-variables");
    assert_eq!(summary["status"], "target");
}

#[test]
fn the_ladder_is_walked_with_the_agents_own_plans() {
    let moves: Vec<String> = (6..16).map(set).collect();
    let bed = bed(&moves);
    let answer = exec(&bed, &config(""), &["--iterations", "5"]);
    assert_eq!(answer.code, 1, "{answer:?}");
    let story = bed.story();
    assert_eq!(
        story,
        [
            "0 baseline",
            "1 discard",
            "2 discard",
            "3 discard",
            "- refine",
            "4 discard",
            "5 discard"
        ]
    );
    let brief = std::fs::read_to_string(bed.home.join("brief-3")).unwrap();
    assert!(brief.contains("3 trials in a row failed"), "{brief}");
    assert!(brief.contains("#3 discard"), "{brief}");
}

#[test]
fn a_failed_guard_is_reworked_in_the_next_turn() {
    let bed = bed(&[
        format!("{}; echo bad > src/state", set(2)),
        "echo ok > src/state".to_owned(),
    ]);
    let answer = exec(&bed, &config(""), &["--iterations", "1"]);
    assert_eq!(answer.code, 0, "{answer:?}");
    assert_eq!(bed.story(), ["0 baseline", "1 keep"]);
    let brief = std::fs::read_to_string(bed.home.join("brief-1")).unwrap();
    assert!(brief.contains("the guard failed"), "{brief}");
}

#[test]
fn a_failing_agent_is_waited_out_and_does_not_count_and_in_the_end_blocks() {
    let bed = bed(&[
        "exit 75".to_owned(),
        "echo half > src/b; exit 75".to_owned(),
        set(4),
    ]);
    let answer = exec(&bed, &config(""), &["--iterations", "1"]);
    assert_eq!(answer.code, 0, "{answer:?}");
    // The half-done edit of the second turn is undone, and is no trial.
    assert_eq!(bed.story(), ["0 baseline", "1 interrupted", "2 keep"]);
    let bed = self::bed(&vec!["echo no service >&2; exit 75".to_owned(); 9]);
    let answer = exec(&bed, &config(""), &["--iterations", "1"]);
    assert_eq!(answer.code, 2, "{answer:?}");
    let summary = lines(&answer).pop().unwrap();
    assert_eq!(summary["status"], "blocked");
    let why = summary["why"].as_str().unwrap();
    assert!(why.contains("no service"), "{why}");
    assert_eq!(bed.story(), ["0 baseline", "- blocked"]);
}

#[test]
fn an_agent_that_strays_is_told_and_then_stopped() {
    let stray = format!("{}; echo mine >> other/notes.md", set(2));
    let back = format!("git show HEAD:other/notes.md > other/notes.md; {}", set(4));
    let bed = bed(&[stray.clone(), back]);
    let answer = exec(&bed, &config(""), &["--iterations", "2"]);
    assert_eq!(answer.code, 0, "{answer:?}");
    assert_eq!(bed.story(), ["0 baseline", "1 discard", "2 keep"]);
    let brief = std::fs::read_to_string(bed.home.join("brief-1")).unwrap();
    assert!(
        brief.contains("fix this first: `other/notes.md`"),
        "{brief}"
    );
    let bed = self::bed(&[stray, set(4), set(3), set(2)]);
    let answer = exec(&bed, &config(""), &["--iterations", "9"]);
    assert_eq!(answer.code, 2, "{answer:?}");
    let summary = lines(&answer).pop().unwrap();
    assert!(
        summary["why"].as_str().unwrap().contains("other/notes.md"),
        "{summary}"
    );
}

#[test]
fn verify_that_fails_on_the_kept_state_too_is_not_the_trials_fault() {
    let bed = bed(&[set(4), set(3), set(2)]);
    let broken = bed.home.join("broken");
    let config = scripted()
        .verify("test ! -e $HOME/broken && sh count.sh")
        .to_string();
    let first = format!("{}; touch {}", set(4), broken.display());
    std::fs::write(
        bed.home.join("moves"),
        format!("{first}\n{}\n{}\n", set(3), set(2)),
    )
    .unwrap();
    let answer = exec(&bed, &config, &["--iterations", "9"]);
    assert_eq!(answer.code, 2, "{answer:?}");
    let summary = lines(&answer).pop().unwrap();
    assert!(
        summary["why"]
            .as_str()
            .unwrap()
            .contains("on the kept state too"),
        "{summary}"
    );
    assert_eq!(summary["counts"]["crash"], 2);
}

#[test]
fn ceilings_end_a_run_within_one_trial() {
    let moves: Vec<String> = (0..5).rev().map(set).collect();
    let bed = bed(&moves);
    let answer = exec(&bed, &config("budget: {verify_runs: 4}\n"), &[]);
    let summary = lines(&answer).pop().unwrap();
    assert_eq!(summary["status"], "budget", "{summary}");
    assert_eq!(summary["counts"]["keep"], 2);
    // A turn that nothing else would end before the bench gives up.
    let bed = self::bed(&["sleep 100000".to_owned()]);
    let patient = format!(
        "{}time_limit: 2s\n",
        scripted().agent_with("timeout", "10h")
    );
    let answer = exec(&bed, &patient, &[]);
    assert_eq!(lines(&answer).pop().unwrap()["status"], "time-limit");
}

#[test]
fn an_agent_without_an_idea_ends_the_run_before_it_has_burnt_the_whole_ladder() {
    let bed = bed(&[set(4)]);
    let answer = exec(&bed, &config(""), &["--iterations", "20"]);
    assert_eq!(answer.code, 0, "{answer:?}");
    let summary = lines(&answer).pop().unwrap();
    assert_eq!(summary["status"], "needs-human", "{summary}");
    assert_eq!(summary["cost"]["turns"], 4);
    assert!(
        summary["why"]
            .as_str()
            .unwrap()
            .contains("nothing more to try")
    );
}

#[test]
fn keeps_and_the_end_are_notified_and_a_notification_that_fails_hurts_nothing() {
    let bed = bed(&[set(4), set(9), set(3)]);
    let more = "notify: {command: 'cat >> \"$HOME/news\"; exit 3', timeout: 1m}\n";
    let answer = exec(&bed, &config(more), &["--iterations", "3"]);
    assert_eq!(answer.code, 0, "{answer:?}");
    let news = std::fs::read_to_string(bed.home.join("news")).unwrap();
    let what: Vec<String> = news
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["what"].to_string())
        .collect();
    assert_eq!(what, ["\"keep\"", "\"keep\"", "\"end\""]);
}

#[test]
fn a_wrong_flag_of_exec_is_one_object_on_standard_error_too() {
    let bed = Testbed::new();
    for words in [&["exec", "--iterations", "x"][..], &["exec", "--nope"]] {
        let answer = bed.run(words);
        assert_eq!((answer.code, answer.out.as_str()), (2, ""), "{answer:?}");
        let error: Value = serde_json::from_str(answer.err.trim()).unwrap();
        assert_eq!(error["exit_code"], 2, "{error}");
    }
}
