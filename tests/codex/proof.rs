//! Owns the proof of the bench itself, and of the facts about Codex that every other test takes for granted.
//! Does not test what this project promises; the other modules do.
//! Invariant: each test takes about a second, and fails where the next release of Codex differs.

use std::panic::AssertUnwindSafe;

use rustix::process::Signal;
use serde_json::Value;

use crate::bench::{Bench, events, thread};
use crate::reply::{dropped, helped, patch, say, shell, silent, usage_limit};
use crate::testbed::{CONFIG, wait_until};

#[test]
fn a_prompt_gets_the_scripted_answer_also_when_resumed() {
    let Some(bench) = Bench::new() else { return };
    bench.model.play([say("hello from the script")]);
    bench.model.play([say("and again")]);
    let first = bench.exec("say hello").json().run().ok();
    assert!(
        events(&first)
            .iter()
            .any(|event| event["item"]["text"] == "hello from the script")
    );
    let id = thread(&first);
    bench
        .resume(&id, "once more")
        .json()
        .run()
        .ok()
        .says("and again");
    let last = bench.model.last();
    assert_eq!(last.thread(), id);
    assert_eq!(last.last_user_text(), "once more");
    assert!(last.saw("say hello") && last.saw("hello from the script"));
}

#[test]
fn a_sandboxed_command_writes_in_the_workspace_but_not_in_git() {
    let Some(bench) = Bench::new() else { return };
    bench.model.play([
        shell("echo new > src/new && cat src/new"),
        shell("echo bad > .git/bad; echo code $?"),
        shell(&format!("touch {}/bad", bench.codex_home.display())),
        patch("*** Update File: src/state\n@@\n-ok\n+edited"),
        say("done"),
    ]);
    bench.exec("work").sandbox("workspace-write").run().ok();
    let outputs = bench.model.last().outputs();
    assert!(outputs[0].contains("new"), "{outputs:?}");
    assert!(outputs[1].contains("Read-only file system"), "{outputs:?}");
    assert!(
        outputs[1].contains("code 1") || outputs[1].contains("code 2"),
        "{outputs:?}"
    );
    assert!(outputs[2].contains("Read-only file system"), "{outputs:?}");
    assert_eq!(bench.bed.read("src/new"), "new\n");
    assert_eq!(bench.bed.read("src/state"), "edited\n");
    assert!(!bench.bed.path(".git/bad").exists());
}

#[test]
fn a_trusted_stop_hook_blocks_and_its_reason_reaches_the_model() {
    let Some(bench) = Bench::new() else { return };
    let block = r#"{"decision":"block","reason":"Run: echo yes > src/asked"}"#;
    bench.listen("Stop", &format!("test -e src/asked || echo '{block}'"));
    bench.trust_hooks();
    // This model does what a hook tells it, once, as a real one would.
    bench.model.react(|request| {
        let prompts = request.hook_prompts();
        match prompts.last().and_then(|text| text.strip_prefix("Run: ")) {
            Some(command) if request.outputs().is_empty() => shell(command),
            Some(_) if prompts.len() > 1 => panic!("not run: {:?}", request.outputs()),
            Some(_) => say("now it is done"),
            None => say("finished"),
        }
    });
    bench.exec("work").run().ok().says("now it is done");
    // What the model reads is escaped, which a reason with a shell command in it has to reckon with.
    assert!(
        bench
            .model
            .last()
            .saw(">Run: echo yes &gt; src/asked</hook_prompt>")
    );
    assert_eq!(bench.bed.read("src/asked"), "yes\n");
    assert_eq!(bench.model.requests().len(), 3);
    let stops = bench.heard("Stop");
    let again: Vec<&Value> = stops.iter().map(|stop| &stop["stop_hook_active"]).collect();
    assert_eq!(again, [false, true]);
}

#[test]
fn an_untrusted_hook_is_skipped_in_silence() {
    let Some(bench) = Bench::new() else { return };
    bench.listen("Stop", "true");
    bench.model.play([say("finished")]);
    let answer = bench.exec("work").run().ok();
    assert!(!answer.err.contains("hook"), "{answer:?}");
    assert!(bench.heard("Stop").is_empty());
    assert_eq!(bench.app_server().hooks()[0]["trustStatus"], "untrusted");
}

#[test]
fn compaction_fires_session_start_with_the_source_compact() {
    let Some(bench) = Bench::new() else { return };
    bench.listen("SessionStart", "echo the brief");
    bench.trust_hooks();
    // Compaction comes before the next request, once an answer has claimed to cost more than the limit.
    bench.model.play([
        shell("echo work").costing(90_000),
        say("a summary"),
        say("done"),
    ]);
    let limit = "model_auto_compact_token_limit=50000";
    bench.exec("work").config(limit).run().ok().says("done");
    let [before, compaction, after] = bench.model.requests().try_into().unwrap();
    assert!(!before.is_compaction() && compaction.is_compaction() && !after.is_compaction());
    assert!(after.saw("a summary") && !after.saw("echo work"));
    let briefs = after.texts_of("developer");
    assert_eq!(briefs.iter().filter(|text| *text == "the brief").count(), 1);
    let starts = bench.heard("SessionStart");
    let sources: Vec<&Value> = starts.iter().map(|start| &start["source"]).collect();
    assert_eq!(sources, ["startup", "compact"]);
}

#[test]
fn an_interrupt_fires_the_interrupt_hook() {
    let Some(bench) = Bench::new() else { return };
    bench.listen("Interrupt", "true");
    bench.trust_hooks();
    bench.model.play([silent()]);
    let mut server = bench.app_server();
    let thread = server.start_thread("workspace-write");
    let turn = server.start_turn(&thread, "work");
    bench
        .model
        .wait_for("the turn", |request| request.thread() == thread);
    server.interrupt(&thread, &turn);
    assert_eq!(server.finish_turn(&turn)["status"], "interrupted");
    server.take("hook/completed", |params| {
        params["run"]["eventName"] == "interrupt"
    });
    assert_eq!(bench.heard("Interrupt")[0]["turn_id"], turn.as_str());
}

#[test]
fn a_review_can_be_played() {
    let Some(bench) = Bench::new() else { return };
    bench.bed.edit(3);
    bench
        .model
        .play([shell("git diff --stat"), say("no findings")]);
    bench.review().run().ok().says("no findings");
    let last = bench.model.last();
    assert_eq!(last.agent(), "review");
    assert!(last.outputs()[0].contains("src/a"), "{:?}", last.outputs());
}

#[test]
fn a_subagent_can_be_played() {
    let Some(bench) = Bench::new() else { return };
    bench.listen("SubagentStop", "true");
    bench.listen("Stop", "true");
    bench.trust_hooks();
    bench
        .model
        .play(helped("count the sheep", "the helper is done"));
    bench.model.play([shell("echo 7 sheep"), say("seven")]);
    bench.exec("work").run().ok().says("the helper is done");
    let requests = bench.model.requests();
    let helper = requests
        .iter()
        .rfind(|request| request.agent() == "collab_spawn");
    assert!(helper.unwrap().saw("count the sheep"));
    let heard = bench.model.last().texts_of("/root/helper");
    assert!(heard[0].ends_with("seven"), "{heard:?}");
    assert_eq!(
        bench.heard("SubagentStop")[0]["last_assistant_message"],
        "seven"
    );
    assert_eq!(bench.heard("Stop").len(), 1);
}

#[test]
fn a_usage_limit_and_a_dropped_stream_end_the_session_with_code_1() {
    let Some(bench) = Bench::new() else { return };
    bench.listen("Stop", "true");
    bench.listen("SessionEnd", "true");
    bench.trust_hooks();
    bench.model.play([usage_limit(4_102_444_800)]);
    bench.exec("work").run().fails(1).says("usage limit");
    // Without this setting Codex tries again for some seven seconds.
    bench.model.play([dropped()]);
    let once = "model_providers.scripted.stream_max_retries=0";
    bench.exec("work").config(once).run().fails(1);
    assert_eq!(bench.model.requests().len(), 2);
    assert_eq!(
        (bench.heard("Stop").len(), bench.heard("SessionEnd").len()),
        (0, 2)
    );
}

#[test]
fn a_signal_runs_the_hooks_of_an_interrupt_and_of_the_end() {
    let Some(bench) = Bench::new() else { return };
    bench.listen("Interrupt", "true");
    bench.listen("SessionEnd", "true");
    bench.trust_hooks();
    bench.model.play([silent()]);
    let running = bench.exec("work").start();
    bench.model.wait_for("the turn", |_| true);
    running.signal(Signal::INT);
    running.wait().fails(1);
    assert_eq!(
        (
            bench.heard("Interrupt").len(),
            bench.heard("SessionEnd").len()
        ),
        (1, 1)
    );
}

#[test]
fn a_skill_is_found_and_its_whole_text_follows_the_prompt_that_names_it() {
    let Some(bench) = Bench::new() else { return };
    let text = "---\nname: counting\ndescription: Counts sheep\n---\nCount them all.\n";
    bench.bed.write(".agents/skills/counting/SKILL.md", text);
    let skills = bench.app_server().skills();
    assert!(skills.iter().any(|skill| skill["name"] == "counting"));
    bench.model.play([say("done")]);
    bench.exec("$counting please").run().ok();
    let prompts = bench.model.last().texts_of("user");
    let place = prompts
        .iter()
        .position(|text| text == "$counting please")
        .unwrap();
    assert!(prompts[place + 1].contains(text), "{prompts:?}");
}

#[test]
fn the_engine_runs_outside_of_the_sandbox_where_a_rule_allows_it() {
    let Some(bench) = Bench::new() else { return };
    let engine = Bench::engine().display().to_string();
    let config = bench.bed.home.join("config.yaml");
    std::fs::write(&config, CONFIG).unwrap();
    let start = format!("{engine} start --config {}", config.display());
    bench.model.play([shell(&start), say("done")]);
    bench.exec("go").sandbox("workspace-write").run().ok();
    assert_eq!(bench.bed.git(&["branch", "--list", "autoresearch/*"]), "");
    bench.allow(&[&engine]);
    bench.model.play([shell(&start), say("done")]);
    bench.exec("go").sandbox("workspace-write").run().ok();
    assert!(
        bench
            .bed
            .git(&["branch", "--list", "autoresearch/*"])
            .contains("demo")
    );
}

#[test]
fn what_is_left_behind_is_found_and_a_question_without_a_script_is_a_fault() {
    let Some(bench) = Bench::new() else { return };
    // A hook runs outside of the sandbox, and its own session is nobody's child.
    bench.hook("Stop", "setsid sleep 1000 </dev/null >/dev/null 2>&1 &");
    bench.trust_hooks();
    bench.model.play([say("done")]);
    bench.exec("work").run().ok();
    wait_until("the sleep is found", || {
        bench.processes() == ["sleep 1000 "]
    });
    bench.kill_all();
    assert!(bench.processes().is_empty());
    bench.exec("more").run().fails(1);
    assert_eq!(bench.model.faults().len(), 1);
    std::panic::catch_unwind(AssertUnwindSafe(|| drop(bench))).unwrap_err();
}
