//! The command line as a contract: help with an example, one JSON object, and an exit code for each kind of failure.

use serde_json::Value;

use crate::config_text::ConfigText;
use crate::looking::Gated;
use crate::shown::assert_answer;
use crate::testbed::{Answer, CONFIG, Testbed};

/// Every command, as it is typed.
const COMMANDS: [&[&str]; 58] = [
    &["background"],
    &["background", "start"],
    &["background", "status"],
    &["background", "stop"],
    &["background", "pause"],
    &["background", "resume"],
    &["background", "logs"],
    &["background", "attach"],
    &["exec"],
    &["scan"],
    &["init"],
    &["config"],
    &["fix"],
    &["fix", "check"],
    &["ship"],
    &["debug"],
    &["debug", "start"],
    &["debug", "status"],
    &["debug", "list"],
    &["debug", "stop"],
    &["debug", "fix"],
    &["hypothesis"],
    &["hypothesis", "add"],
    &["hypothesis", "result"],
    &["experiment"],
    &["ship", "check"],
    &["config", "check"],
    &["config", "try"],
    &["config", "schema"],
    &["config", "example"],
    &["start"],
    &["trial"],
    &["strategy"],
    &["status"],
    &["log"],
    &["show"],
    &["runs"],
    &["parallel"],
    &["parallel", "open"],
    &["parallel", "close"],
    &["parallel", "abort"],
    &["retry"],
    &["remeasure"],
    &["propose"],
    &["raise"],
    &["resume"],
    &["stop"],
    &["finish"],
    &["doctor"],
    &["clean"],
    &["install"],
    &["uninstall"],
    &["hooks"],
    &["hooks", "install"],
    &["hooks", "status"],
    &["hooks", "uninstall"],
    &["demo"],
    &["completions"],
];

/// The one JSON object of a failure, with all that a program needs.
#[track_caller]
fn failure(answer: &Answer, code: i32, kind: &str) -> Value {
    assert_eq!(answer.code, code, "{answer:?}");
    assert_eq!(answer.out.trim().lines().count(), 1, "one line: {answer:?}");
    let object = answer.json();
    assert!(
        object["error"]
            .as_str()
            .is_some_and(|text| !text.is_empty()),
        "{object}"
    );
    assert!(object["caused_by"].is_array(), "{object}");
    assert!(
        object["hint"].is_null() || object["hint"].is_string(),
        "{object}"
    );
    assert_eq!(
        (object["kind"].as_str(), object["exit_code"].as_i64()),
        (Some(kind), Some(code.into())),
        "{object}"
    );
    object
}

#[test]
fn the_list_of_commands_in_these_tests_is_the_one_of_the_binary() {
    let command = autoresearch::cli::make_clap_command();
    command.clone().debug_assert();
    let mut named: Vec<String> = Vec::new();
    for below in command.get_subcommands() {
        named.push(below.get_name().to_owned());
        named.extend(
            below
                .get_subcommands()
                .map(|deeper| format!("{} {}", below.get_name(), deeper.get_name())),
        );
    }
    let mut listed: Vec<String> = COMMANDS.iter().map(|words| words.join(" ")).collect();
    named.sort();
    listed.sort();
    assert_eq!(listed, named);
}

#[test]
fn every_command_has_help_with_an_example_that_names_it() {
    let bed = Testbed::bare();
    let mut without = Vec::new();
    for words in COMMANDS {
        let answer = bed.run(&[words, &["--help"]].concat()).ok();
        assert!(
            answer.out.contains("Usage: ") && answer.err.is_empty(),
            "{answer:?}"
        );
        assert_eq!(bed.run(&[words, &["-h"]].concat()).code, 0);
        let named = format!("autoresearch {}", words.join(" "));
        if !answer
            .out
            .split_once("Example")
            .is_some_and(|(_, example)| example.contains(&named))
        {
            without.push(named);
        }
    }
    assert_eq!(
        without,
        Vec::<String>::new(),
        "commands whose help shows no example"
    );
    let answer = bed.run(&["--help"]).ok();
    assert!(
        answer.out.contains("A first run:")
            && answer.out.contains("Exit codes: 0 done, 2 usage error"),
        "{answer:?}"
    );
    assert!(
        bed.run(&["--version"])
            .ok()
            .out
            .contains(env!("CARGO_PKG_VERSION"))
    );
}

/// One success of a command with `--json`: exactly one object.
#[track_caller]
fn success(bed: &Testbed, arguments: &[&str]) -> Value {
    let answer = bed.run(&[arguments, &["--json"]].concat()).ok();
    let object = answer.json();
    assert!(object.is_object(), "{answer:?}");
    object
}

#[test]
fn every_command_answers_with_one_json_object_on_success() {
    let bed = Testbed::new();
    let file = bed.home.join("config.yaml");
    std::fs::write(&file, CONFIG).unwrap();
    let file = file.to_str().unwrap();
    assert_eq!(success(&bed, &["config", "check", file])["ok"], true);
    assert!(success(&bed, &["config", "schema"])["properties"].is_object());
    assert!(success(&bed, &["config", "example"])["domains"].is_array());
    assert!(success(&bed, &["config", "example", "lint"])["text"].is_string());
    assert!(success(&bed, &["scan", "--goal", "faster"])["candidates"].is_array());
    assert_eq!(success(&bed, &["start", "--config", file])["run"], "demo");
    bed.edit(4);
    assert_eq!(success(&bed, &["trial", "-m", "x"])["verdict"], "keep");
    assert_eq!(
        success(&bed, &["strategy", "pivot", "-m", "x"])["logged"],
        "pivot"
    );
    assert_eq!(success(&bed, &["status"])["keep"], 1);
    assert_eq!(success(&bed, &["log"])["rows"].as_array().unwrap().len(), 3);
    assert_eq!(success(&bed, &["resume"])["due"], "trial");
    bed.edit(2);
    assert_eq!(success(&bed, &["trial", "--drop"])["verdict"], "dropped");
    assert_eq!(success(&bed, &["doctor"])["problems"], 0);
    assert_eq!(success(&bed, &["stop"])["end"], "user-stop");
    assert_eq!(success(&bed, &["finish"])["returned_to"], "main");
    assert!(success(&bed, &["clean"])["made"].is_array());
    assert_eq!(success(&bed, &["install", "--yes"])["state"], "done");
    assert!(success(&bed, &["hooks", "status"])["hooks"].is_array());
    assert_eq!(
        success(&bed, &["hooks", "uninstall"])["state"],
        "nothing-to-do"
    );
    assert_eq!(success(&bed, &["uninstall", "--yes"])["state"], "done");
    let demo = bed.home.join("demo");
    assert!(success(&bed, &["demo", demo.to_str().unwrap()]).is_object());
}

#[test]
fn completions_answer_with_one_json_object_too() {
    let bed = Testbed::bare();
    assert!(
        success(&bed, &["completions", "bash"])
            .to_string()
            .contains("_autoresearch")
    );
}

#[test]
fn every_command_answers_with_one_json_object_on_failure() {
    let bed = Testbed::bare();
    let nowhere = bed.home.to_str().unwrap();
    let file = bed.home.join("config.yaml");
    std::fs::write(&file, CONFIG).unwrap();
    let file = file.to_str().unwrap();
    for arguments in [
        &["scan"][..],
        &["init"],
        &["fix", "check"],
        &["start", "--config", file],
        &["trial", "-m", "x"],
        &["trial", "--drop"],
        &["propose", "-m", "x"],
        &["raise", "--iterations", "9"],
        &["background", "start"],
        &["background", "status"],
        &["background", "stop"],
        &["background", "pause"],
        &["background", "resume"],
        &["background", "logs"],
        &["strategy", "refine", "-m", "x"],
        &["strategy", "block", "-m", "x"],
        &["status"],
        &["log"],
        &["log", "--follow"],
        &["show", "1"],
        &["parallel", "open", "-m", "x", "-m", "y"],
        &["parallel", "close"],
        &["parallel", "abort"],
        &["retry", "1"],
        &["remeasure"],
        &["runs"],
        &["resume"],
        &["stop"],
        &["finish"],
        &["doctor"],
    ] {
        let answer = bed.run(&[&["-C", nowhere, "--json"], arguments].concat());
        let object = failure(&answer, 6, "environment");
        assert!(
            object["caused_by"][0]
                .as_str()
                .unwrap()
                .contains("not inside a git repository"),
            "{object}"
        );
        assert!(object["hint"].is_string(), "{object}");
    }
    failure(
        &bed.run(&["config", "check", "absent", "--json"]),
        3,
        "config",
    );
    failure(
        &bed.run(&["config", "example", "absent", "--json"]),
        2,
        "usage",
    );
    failure(&bed.run(&["-C", "absent", "status", "--json"]), 2, "usage");
    let full = bed.repo.join("full");
    std::fs::create_dir(&full).unwrap();
    std::fs::write(full.join("file"), "mine").unwrap();
    assert_ne!(
        bed.run(&["demo", full.to_str().unwrap(), "--json"]).json()["error"],
        Value::Null
    );
    assert_eq!(std::fs::read_to_string(full.join("file")).unwrap(), "mine");
}

#[test]
fn a_call_that_cannot_be_understood_is_one_json_object_too() {
    let bed = Testbed::bare();
    for arguments in [
        &["--json", "nonsense"][..],
        &["trial", "--json"],
        &["strategy", "perhaps", "-m", "x", "--json"],
        &["completions", "tcsh", "--json"],
        &["--json"],
    ] {
        failure(&bed.run(arguments), 2, "usage");
    }
}

#[test]
fn without_json_an_error_goes_to_standard_error_and_standard_output_stays_empty() {
    let bed = Testbed::new();
    for (arguments, code) in [
        (&["status"][..], 2),
        (&["trial", "-m", "x"], 2),
        (&["config", "check"], 3),
        (&["nonsense"], 2),
    ] {
        let answer = bed.run(arguments).fails(code);
        assert!(
            answer.out.is_empty() && answer.err.starts_with("error: "),
            "{answer:?}"
        );
    }
}

#[test]
fn exit_code_2_is_a_wrong_call() {
    let bed = Testbed::started(CONFIG);
    let object = failure(&bed.run(&["trial", "-m", "  ", "--json"]), 2, "usage");
    assert!(object["hint"].is_string(), "{object}");
    failure(
        &bed.run(&["trial", "--rework", "-m", "x", "--json"]),
        2,
        "usage",
    );
    failure(
        &bed.run(&["--run", "absent", "status", "--json"]),
        2,
        "usage",
    );
    failure(
        &bed.run(&["--run", "../demo", "status", "--json"]),
        2,
        "usage",
    );
}

#[test]
fn exit_code_3_is_a_wrong_config() {
    let bed = Testbed::new();
    let file = bed.home.join("config.yaml");
    std::fs::write(&file, ConfigText::demo().direction("down").to_string()).unwrap();
    let object = failure(
        &bed.run(&["start", "--config", file.to_str().unwrap(), "--json"]),
        3,
        "config",
    );
    assert_answer!(object["caused_by"][0].as_str().unwrap(), @"<bed>/home/config.yaml:5: metric.direction: unknown word `down` -> use one of `lower`, `higher`");
}

#[test]
fn exit_code_4_asks_for_a_person() {
    let bed = Testbed::started(CONFIG);
    bed.git(&["switch", "-q", "main"]);
    failure(&bed.run(&["trial", "-m", "x", "--json"]), 4, "blocked");
}

#[test]
fn exit_code_5_is_a_run_that_another_process_holds() {
    let gated = Gated::started();
    let child = gated.trial(4);
    for arguments in [
        &["trial", "-m", "x", "--json"][..],
        &["strategy", "refine", "-m", "x", "--json"],
        &["resume", "--json"],
        &["stop", "--json"],
        &["finish", "--json"],
    ] {
        failure(&gated.bed.run(arguments), 5, "busy");
    }
    gated.open();
    assert!(child.wait_with_output().unwrap().status.success());
}

#[test]
fn exit_code_6_is_a_machine_that_lacks_something() {
    let bed = Testbed::new();
    let file = bed.home.join("config.yaml");
    std::fs::write(&file, CONFIG).unwrap();
    let answer = bed.run_with(
        &["start", "--config", file.to_str().unwrap(), "--json"],
        &[("PATH", bed.home.to_str().unwrap())],
    );
    let object = failure(&answer, 6, "environment");
    assert_answer!(object["error"].as_str().unwrap(), @"git was not found on PATH");
}

#[test]
fn exit_code_130_is_an_interrupted_trial_which_is_undone_and_does_not_count() {
    let gated = Gated::started();
    let bed = &gated.bed;
    let before = bed.fingerprint();
    bed.write("src/new", "x\n");
    let child = gated.trial(1);
    let pid = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    let answer = Answer {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    };
    let object = failure(&answer, 130, "interrupted");
    assert_eq!(bed.fingerprint(), before);
    assert_eq!(bed.story(), ["0 baseline", "1 interrupted"]);
    let hint = object["hint"].as_str().unwrap();
    assert!(hint.contains("`autoresearch retry 1`"), "{object}");
    assert_eq!(
        bed.git(&["show", "refs/autoresearch/demo/interrupted-1:src/new"]),
        "x\n",
        "the work is not lost"
    );
    let status = bed.run(&["status", "--json"]).ok().json();
    for (field, expected) in [("interrupted", 1), ("failures", 0), ("iterations", 0)] {
        assert_eq!(status[field].as_u64(), Some(expected), "{field}");
    }
    gated.disarm();
    assert_eq!(bed.try_count(4), "keep");
}

#[test]
fn completions_print_a_script_for_each_shell() {
    let bed = Testbed::bare();
    for (shell, words) in [
        ("bash", "complete -F _autoresearch"),
        ("zsh", "#compdef autoresearch"),
        ("fish", "complete -c autoresearch"),
    ] {
        let script = bed.run(&["completions", shell]).ok().out;
        assert!(script.contains(words), "{shell}: {script}");
        for words in COMMANDS {
            assert!(
                script.contains(words[words.len() - 1]),
                "{shell} does not know {words:?}"
            );
        }
    }
    assert_answer!(bed.run(&["completions", "tcsh"]), @"
    exit code 2
    --- stderr
    error: invalid value 'tcsh' for '<SHELL>'
      [possible values: bash, elvish, fish, powershell, zsh]

      tip: a similar value exists: 'zsh'

    For more information, try '--help'.
    ");
}

#[test]
fn the_name_of_a_run_is_needed_only_when_several_are_active() {
    let bed = Testbed::started(CONFIG);
    assert_eq!(bed.try_count(4), "keep");
    bed.start(&ConfigText::demo().tag("other").isolation("worktree"));
    for arguments in [
        &["status"][..],
        &["trial", "-m", "x"],
        &["log"],
        &["stop"],
        &["finish"],
        &["resume"],
    ] {
        let answer = bed.run(arguments).fails(2);
        assert!(
            answer.err.contains("several runs are active")
                && answer.err.contains("--run: demo, other"),
            "{answer:?}"
        );
    }
    for run in ["demo", "other"] {
        assert_eq!(
            bed.run(&["status", "--run", run, "--json"]).ok().json()["run"],
            run
        );
    }
    let unknown = bed.run(&["status", "--run", "third"]).fails(2);
    assert_answer!(unknown, @"
    exit code 2
    --- stderr
    error: there is no run `third` in <bed>/repo
    hint: the runs here: demo, other
    ");
    bed.edit(3);
    assert_eq!(
        bed.run(&["trial", "--run", "demo", "-m", "x", "--json"])
            .ok()
            .json()["verdict"],
        "keep"
    );
    let inside = bed.own_tree_of("other");
    let status = bed
        .run(&["-C", inside.to_str().unwrap(), "status", "--json"])
        .ok()
        .json();
    assert_eq!(
        status["run"], "other",
        "inside its own work tree a run needs no name"
    );
    bed.run(&["finish", "--run", "other"]).ok();
    assert_eq!(
        bed.run(&["status", "--json"]).ok().json()["run"],
        "demo",
        "one is active again"
    );
}

#[test]
fn two_active_runs_do_not_see_each_others_trials() {
    let bed = Testbed::started(CONFIG);
    bed.start(&ConfigText::demo().tag("other").isolation("worktree"));
    let inside = bed.own_tree_of("other");
    std::fs::write(inside.join("src/a"), "any\n").unwrap();
    bed.edit(4);
    let other = bed
        .run(&["trial", "--run", "other", "-m", "one", "--json"])
        .ok()
        .json();
    let demo = bed
        .run(&["trial", "--run", "demo", "-m", "four", "--json"])
        .ok()
        .json();
    assert_eq!(
        (other["value"].as_u64(), demo["value"].as_u64()),
        (Some(6), Some(9))
    );
    assert_eq!(bed.run_commits("autoresearch/demo").len(), 1);
    assert_eq!(bed.run_commits("autoresearch/other").len(), 1);
}

#[test]
fn a_message_that_begins_with_a_dash_is_a_message() {
    let bed = Testbed::new();
    bed.start(CONFIG);
    bed.edit(4);
    let report = bed
        .run(&["trial", "-m", "-O3 for the hot loop", "--json"])
        .ok()
        .json();
    assert_eq!(report["verdict"], "keep");
    bed.edit(3);
    bed.run(&["trial", "--message", "--rework is only a word here"])
        .ok();
    bed.run(&["strategy", "search", "-m", "- a list of one"])
        .ok();
    bed.edit(2);
    bed.agent("s1", &["propose", "-m", "-1 any"]).ok();
    bed.git(&["checkout", "-q", "--", "src"]);
    bed.run(&["stop", "-m", "--enough--"]).ok();
    let told: Vec<String> = bed.rows().iter().map(|row| row[6].clone()).collect();
    assert_eq!(
        told[1..],
        [
            "-O3 for the hot loop",
            "--rework is only a word here",
            "- a list of one"
        ]
    );
    let status = bed.run(&["status", "--json"]).ok().json();
    assert_eq!(status["why"], "--enough--");
    // The message is still asked for, and the next flag is not taken for one.
    bed.run(&["trial", "-m"]).fails(2);
}
