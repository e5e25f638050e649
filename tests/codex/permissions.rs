//! Who may do what: each row of the table in crates/docs/trust.md, tried with the real CLI, and the one question of `start`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use autoresearch_core::shell::quote::quote_word;
use serde_json::{Value, json};

use crate::bench::Bench;
use crate::reply::{say, shell, shell_with};
use crate::scene::{built, person, scene, scene_without_skill, set, start_in_a_terminal};

/// The rows of the table: the words of a command, and who may call it.
fn table() -> Vec<(String, String)> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/docs/trust.md");
    let text = std::fs::read_to_string(file).unwrap();
    let (_, section) = text.split_once("## Who may do what").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    let rows: Vec<_> = rows
        .map(|line| {
            let mut cells = line.split('|').skip(1).map(str::trim);
            let command = cells.next().unwrap().trim_matches('`').to_owned();
            (command, cells.next().unwrap().to_owned())
        })
        .collect();
    assert!(rows.len() > 20);
    rows
}

/// A whole call of a command, which does what the command is for.
fn call(command: &str) -> String {
    let more = match command {
        "start" | "exec" | "background start" => "--config autoresearch.yaml",
        "trial" | "propose" | "stop" | "debug start" | "debug stop" => "-m why",
        "raise" => "--iterations 99",
        "strategy" => "refine -m why",
        "install" => "--hooks --yes",
        "clean" | "uninstall" | "hooks install" | "hooks uninstall" => "--yes",
        "completions" => "bash",
        // Where there is no config yet.
        "init" => "-C initial --goal faster",
        "show" | "retry" => "1",
        "hypothesis add" => "-m one --predicts two",
        "hypothesis result" => "1 lead -m one",
        "experiment" => "1 lead -m one --command true --expect-exit 0",
        "parallel open" => "-m one -m two",
        _ => "",
    };
    format!("{command} {more}").trim().to_owned()
}

/// Codex's own word on a command, with the rule that was installed; empty where the rule does not speak of it.
fn decision(bench: &Bench, engine: &Path, words: &str) -> String {
    let rules = bench.codex_home.join("rules/autoresearch.rules");
    let mut arguments = vec![
        "execpolicy",
        "check",
        "--rules",
        rules.to_str().unwrap(),
        "--",
    ];
    arguments.push(engine.to_str().unwrap());
    arguments.extend(words.split_whitespace());
    let answer = bench.run(&arguments).ok().json();
    answer["decision"].as_str().unwrap_or_default().to_owned()
}

/// A bench with the rule, and the program that it names.
pub(crate) fn with_the_rule() -> Option<(Bench, PathBuf)> {
    let bench = scene_without_skill()?;
    let built = built(&bench.root.join("built"));
    person(&bench, &built, &["install", "--rule", "--yes"]).ok();
    let engine = bench.bed.home.join("data/bin/autoresearch");
    Some((bench, engine))
}

#[test]
fn codex_lets_out_what_the_table_says_and_nothing_else() {
    let Some((bench, engine)) = with_the_rule() else {
        return;
    };
    for (command, who) in table() {
        let expected = match (command.as_str(), who.as_str()) {
            (_, "rule") => "allow",
            ("start", _) => "prompt",
            _ => "",
        };
        assert_eq!(
            decision(&bench, &engine, &call(&command)),
            expected,
            "{command}"
        );
    }
    // What follows an allowed word is never looked at; so the program itself has to.
    for (words, expected) in [
        ("trial -C /elsewhere -m why", "allow"),
        ("doctor --clean --yes", "allow"),
        ("-C /elsewhere trial -m why", ""),
        ("--json trial -m why", ""),
        ("start -C /elsewhere", "prompt"),
        ("config try", ""),
        ("merge", ""),
        ("raise --iterations 99", ""),
    ] {
        assert_eq!(decision(&bench, &engine, words), expected, "{words}");
    }
    assert_eq!(decision(&bench, Path::new("autoresearch"), "trial"), "");
}

/// Names and sizes of everything that a command outside the sandbox could have changed.
fn outside(bench: &Bench) -> BTreeMap<PathBuf, u64> {
    fn walk(at: &Path, found: &mut BTreeMap<PathBuf, u64>) {
        for entry in std::fs::read_dir(at).into_iter().flatten().flatten() {
            let meta = entry.metadata().unwrap();
            if meta.is_dir() {
                walk(&entry.path(), found);
            } else {
                found.insert(entry.path(), meta.len());
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(&bench.bed.state, &mut found);
    walk(&bench.bed.home, &mut found);
    for file in ["hooks.json", "config.toml", "rules"] {
        let path = bench.codex_home.join(file);
        found.insert(path.clone(), path.metadata().map_or(0, |meta| meta.len()));
    }
    // Codex's own.
    found.retain(|path, _| !path.starts_with(bench.bed.home.join(".cache")));
    found
}

#[test]
fn in_the_sandbox_each_command_does_what_its_row_says_and_nothing_leaves_it() {
    let Some(bench) = scene() else { return };
    start_in_a_terminal(&bench);
    // There is something to take out, to put in, and to show.
    person(&bench, &Bench::engine(), &["install", "--yes"]).ok();
    std::fs::write(bench.bed.run_file("runtime.log"), "begins\n").unwrap();
    let (before, head) = (outside(&bench), bench.bed.head());
    let branches = || bench.bed.git(&["for-each-ref"]);
    let refs = branches();
    let engine = Bench::engine().display().to_string();
    // `attach` goes on as long as the run does: it is called when that has ended.
    let calls = |which: &dyn Fn(&str) -> bool| -> String {
        let rows = table().into_iter().map(|(command, _)| command);
        let lines = rows.filter(|command| which(command)).map(|command| {
            let call = call(&command);
            [
                &format!("{engine} {call} > \"$TMPDIR/said\" 2>&1; echo \"{command}: $?\"\n"),
                "head -n 3 \"$TMPDIR/said\" | sed 's/^/  /'\n",
            ]
            .concat()
        });
        lines.collect()
    };
    bench.bed.write("initial/bench.sh", "true\n");
    bench.bed.git(&["add", "initial/bench.sh"]);
    bench.bed.write(
        "calls.sh",
        &calls(&|command| command != "background attach"),
    );
    bench.bed.write(
        "attach.sh",
        &calls(&|command| command == "background attach"),
    );
    bench.model.play([shell("sh calls.sh"), say("done")]);
    bench.exec("go").sandbox("workspace-write").run().ok();
    let mut said = bench.model.last().outputs().pop().unwrap();
    assert_eq!(outside(&bench), before, "{said}");
    assert_eq!((bench.bed.head(), branches()), (head, refs), "{said}");
    bench.bed.run(&["stop"]).ok();
    bench.model.play([shell("sh attach.sh"), say("done")]);
    bench.exec("go").sandbox("workspace-write").run().ok();
    said += &bench.model.last().outputs().pop().unwrap();
    for (command, who) in table() {
        let (_, code) = said.split_once(&format!("\n{command}: ")).unwrap();
        let code = code.lines().next().unwrap();
        match who.as_str() {
            "sandbox" => assert_eq!(code, "0", "{command}: {said}"),
            // No hooks are registered, so there are none to take out.
            "prompt" if command == "hooks uninstall" => {}
            "prompt" | "person" => assert_ne!(code, "0", "{command}: {said}"),
            _ => {}
        }
    }
}

#[test]
fn in_the_sandbox_the_commands_of_a_project_are_listed_and_none_of_them_runs() {
    let Some(bench) = scene() else { return };
    let ran = bench.bed.path("ran");
    bench.bed.write("Makefile", "all:\n\ttouch ran\n");
    bench.bed.write("a.c", "int a;\n");
    bench.bed.write(
        "release.yaml",
        "goal: g\nscope: [a.c]\nmetric: {name: m, direction: lower}\nverify: {gates: true}\ngates: [{name: builds, command: make -s}]\n",
    );
    bench.bed.git(&["add", "Makefile", "a.c"]);
    let engine = Bench::engine().display().to_string();
    bench.model.play([
        shell(&format!("{engine} fix check --stack make --dry-run")),
        shell(&format!("{engine} fix check --stack make")),
        shell(&format!(
            "{engine} ship check --config release.yaml --dry-run"
        )),
        shell(&format!("{engine} ship check --config release.yaml")),
        say("told"),
    ]);
    bench.exec("go").sandbox("workspace-write").run().ok();
    let outputs = bench.model.last().outputs();
    assert!(outputs[0].contains("build       make -s"), "{outputs:?}");
    assert!(outputs[1].contains("require_escalated"), "{outputs:?}");
    assert!(outputs[2].contains("builds   make -s"), "{outputs:?}");
    assert!(outputs[3].contains("require_escalated"), "{outputs:?}");
    assert!(!ran.exists());
    // The person's own terminal.
    let words = ["fix", "check", "--stack", "make"];
    bench.bed.run(&words).ok().says("build       passes");
    std::fs::remove_file(&ran).unwrap();
    let words = ["ship", "check", "--config", "release.yaml"];
    bench.bed.run(&words).ok().says("builds   passes");
    assert!(ran.exists());
}

#[test]
fn what_is_a_persons_is_refused_to_a_session_that_may_do_everything() {
    let Some(bench) = scene() else { return };
    start_in_a_terminal(&bench);
    bench.bed.run(&["stop"]).ok();
    let engine = Bench::engine().display().to_string();
    let mut calls: Vec<String> = table()
        .into_iter()
        .filter(|(_, who)| who == "person")
        .map(|(command, _)| call(&command))
        .collect();
    // An old spelling, and the flag of a word that a person may say yes to.
    calls.push("doctor --clean --yes".to_owned());
    calls.push("background start --iterations 99".to_owned());
    calls.push("install --rule-start --yes".to_owned());
    let turns = calls.iter().map(|call| shell(&format!("{engine} {call}")));
    bench.model.play(turns.chain([say("told")]));
    let before = outside(&bench);
    bench.exec("go").sandbox("danger-full-access").run().ok();
    let outputs = bench.model.last().outputs();
    assert_eq!(outputs.len(), calls.len());
    for (call, output) in calls.iter().zip(&outputs) {
        assert!(output.contains("is for the person"), "{call}: {output}");
    }
    assert_eq!(outside(&bench), before);
    // The person's own terminal.
    bench.bed.run(&["clean"]).ok().says("removes what it can");
    bench.bed.run(&["clean", "--yes"]).ok().says("removed");
}

#[test]
fn with_the_rule_every_command_of_its_rows_works_outside_of_the_sandbox() {
    let Some((bench, engine)) = with_the_rule() else {
        return;
    };
    person(&bench, &engine, &["start"]).ok();
    let engine = engine.display().to_string();
    let calls = [
        ("status", "trial -m"),
        ("log", "baseline"),
        ("doctor", "this process can write it"),
        ("strategy refine -m smaller", "logged"),
        ("trial -m fewer", "trial 1: keep"),
        ("parallel open -m one -m two", "batch 2 is open"),
        ("parallel abort", "batch 2 was given up"),
        ("parallel open -m one -m two", "batch 3 is open"),
        ("parallel close", "none-improved"),
        ("retry 1", "trial 1 was kept"),
        ("remeasure --runs 1", "these runs count"),
        ("show 1 --diff", "-any"),
        ("runs", "any_count 10 -> 8"),
        ("resume", "any_count 8"),
        ("propose -m more", ""),
        ("debug start -m hangs", "debug-1: opened"),
        ("hypothesis add -m one --predicts two", "hypothesis 1 added"),
        (
            "hypothesis result 1 confirmed -m one --at src/b:1 --quote any",
            "src/b:1: any",
        ),
        ("debug fix --scope src/a", "exists already"),
        ("debug start -m leaks", "debug-2: opened"),
        ("debug status", "leaks"),
        ("debug list", "debug-1"),
        ("debug stop -m enough", "stopped"),
        ("stop -m enough", "ended"),
        ("finish", "checked out: main"),
    ];
    let rows = table().into_iter().filter(|(_, who)| who == "rule");
    for (command, _) in rows {
        assert!(
            calls.iter().any(|(call, _)| call.starts_with(&command)),
            "{command}"
        );
    }
    let turns = calls.iter().flat_map(|(call, _)| {
        let edit = call.starts_with("trial").then(|| shell(&set(3)));
        edit.into_iter().chain([shell(&format!("{engine} {call}"))])
    });
    bench.model.play(turns.chain([say("done")]));
    bench.exec("go").sandbox("workspace-write").run().ok();
    let mut outputs = bench.model.last().outputs();
    outputs.remove(4);
    for ((call, words), output) in calls.iter().zip(&outputs) {
        assert!(output.contains(words), "{call}: {output}");
        assert!(!output.contains("nothing was done"), "{call}: {output}");
    }
    assert_eq!(bench.bed.git(&["branch", "--show-current"]).trim(), "main");
}

/// The call of `start` as SKILL.md and the refusal have it.
fn escalated(command: &str) -> Value {
    json!({
        "cmd": command,
        "yield_time_ms": 30_000,
        "sandbox_permissions": "require_escalated",
        "justification": "start the agreed run",
    })
}

#[test]
fn a_start_asks_once_with_its_reason_and_an_approved_one_runs_outside_of_the_sandbox() {
    for rule in [true, false] {
        let Some(bench) = scene_without_skill() else {
            return;
        };
        let built = built(&bench.root.join("built"));
        let mut words = vec!["install", "--yes"];
        words.extend(rule.then_some("--rule"));
        person(&bench, &built, &words).ok();
        let engine = bench.bed.home.join("data/bin/autoresearch");
        let start = format!("{} start --config autoresearch.yaml", engine.display());
        let mut server = bench.app_server();
        let thread = server.start_thread_that_asks("workspace-write", "on-request");
        bench
            .model
            .play([shell_with(&escalated(&start)), say("it runs")]);
        let turn = server.start_turn(&thread, "go");
        let question = server.take_whole("item/commandExecution/requestApproval", |_| true);
        let asked = question["params"].to_string();
        assert!(asked.contains(&start), "{asked}");
        let reason = if rule {
            "read them first"
        } else {
            "start the agreed run"
        };
        assert!(asked.contains(reason), "{asked}");
        server.answer(&question["id"], &json!({"decision": "accept"}));
        assert_eq!(server.finish_turn(&turn)["status"], "completed");
        assert_eq!(server.questions(), Vec::<&Value>::new(), "one question");
        let output = bench.model.last().outputs().pop().unwrap();
        assert!(output.contains("run `demo` started"), "{output}");
        assert_eq!(bench.bed.story(), ["0 baseline"]);
    }
}

#[test]
fn a_start_that_is_approved_without_the_escalation_stays_inside_and_names_it() {
    let Some((bench, engine)) = with_the_rule() else {
        return;
    };
    let start = format!("{} start", engine.display());
    let mut server = bench.app_server();
    let thread = server.start_thread_that_asks("workspace-write", "on-request");
    bench.model.play([shell(&start), say("told")]);
    let turn = server.start_turn(&thread, "go");
    let question = server.take_whole("item/commandExecution/requestApproval", |_| true);
    server.answer(&question["id"], &json!({"decision": "accept"}));
    assert_eq!(server.finish_turn(&turn)["status"], "completed");
    let output = bench.model.last().outputs().pop().unwrap();
    assert!(output.contains("require_escalated"), "{output}");
    assert!(!bench.bed.path("autoresearch-results").exists());
}

/// A rule is silently without effect for a command that is not made of plain words, so no path may be quoted without need.
#[test]
fn codex_applies_a_rule_to_each_path_that_our_quoting_leaves_bare() {
    let Some(bench) = scene_without_skill() else {
        return;
    };
    let out = bench.root.join("out");
    std::fs::create_dir(&out).unwrap();
    let names = [
        "plain",
        "größe",
        "日本",
        "a-b_c.d+e@f,g:h",
        "50%",
        "a=b",
        "a b",
        "it's",
    ];
    let calls = names.map(|name| {
        let program = bench.root.join("programs").join(name).join("probe");
        std::fs::create_dir_all(program.parent().unwrap()).unwrap();
        let script = format!("#!/bin/sh\necho > \"{}/{name}\"\n", out.display());
        crate::testbed::write_program(&program, &script);
        let program = program.to_str().unwrap();
        bench.allow(&[program, "run"]);
        let word = quote_word(program);
        (word == program, shell(&format!("{word} run")))
    });
    let bare: Vec<bool> = calls.iter().map(|(bare, _)| *bare).collect();
    let turns = calls.into_iter().map(|(_, call)| call);
    bench.model.play(turns.chain([say("done")]));
    bench.exec("go").sandbox("workspace-write").run().ok();
    let outside: Vec<bool> = names.iter().map(|name| out.join(name).exists()).collect();
    assert_eq!(outside, bare, "{names:?}");
}
