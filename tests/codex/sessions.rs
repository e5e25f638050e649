//! The hooks across sessions of the real Codex: whose run it is, compaction, death, idleness and interruption.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::process::Signal;

use crate::bench::{Bench, thread};
use crate::reply::{helped, patch, say, shell, silent};
use crate::request::Request;
use crate::scene::{Agent, add_hooks, hook_log, scene, set};

const FULL: &str = "danger-full-access";
const FIRST_WORDS: &str = "autoresearch run `demo`. Goal: \"Fewer any\"";

fn engine(words: &str) -> String {
    format!("{} {words}", Bench::engine().display())
}

/// A bench with trusted hooks and a session that has started the run and gone to rest; its thread.
fn with_a_run() -> Option<(Bench, String)> {
    let bench = scene()?;
    add_hooks(&bench);
    bench.trust_hooks();
    let start = engine("start --config autoresearch.yaml");
    let rest = std::iter::repeat_n(say("I rest"), 4);
    bench.model.play(std::iter::once(shell(&start)).chain(rest));
    let answer = bench.exec("$codex-autoresearch go").sandbox(FULL).json();
    let owner = thread(&answer.run().ok());
    Some((bench, owner))
}

fn forget(bench: &Bench) {
    for event in ["SessionStart", "Stop", "Interrupt"] {
        for which in ["in", "out"] {
            let _ = std::fs::remove_file(bench.root.join(format!("{event}.{which}")));
        }
    }
}

/// What our hooks said to a request, in whatever role.
fn told(request: &Request) -> bool {
    request.saw("autoresearch run `demo`") || request.saw("the run `demo` is open")
}

#[test]
fn a_model_that_does_nothing_is_sent_on_three_times_and_then_let_go() {
    let Some((bench, _)) = with_a_run() else {
        return;
    };
    let requests = bench.model.requests();
    // The start, the first stop, and three continuations.
    assert_eq!(requests.len(), 5);
    let prompts = bench.model.last().hook_prompts();
    assert_eq!(prompts.len(), 3, "{prompts:?}");
    let named = engine("trial -m \"what you changed\"");
    assert!(prompts[0].contains(&named), "{prompts:?}");
    assert_eq!(bench.bed.story(), ["0 baseline"]);
}

#[test]
fn another_session_a_review_and_another_folder_get_zero_bytes() {
    let Some((bench, _)) = with_a_run() else {
        return;
    };
    forget(&bench);
    bench.bed.edit(3);
    bench.model.play([say("hello")]);
    bench.exec("what is this?").sandbox(FULL).run().ok();
    // Looking at the run is not working on it.
    bench
        .model
        .play([shell(&engine("status")), say("it is at 10")]);
    bench.exec("how is the run?").sandbox(FULL).run().ok();
    bench.model.play([shell("git diff"), say("no findings")]);
    bench.review().run().ok();
    let elsewhere = bench.root.join("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    bench.model.play([say("hello")]);
    let folder = elsewhere.to_str().unwrap();
    let there = ["-C", folder, "--skip-git-repo-check"];
    bench.exec("hello").args(&there).run().ok();
    for event in ["SessionStart", "Stop"] {
        let read = hook_log(&bench, event, "in");
        assert!(
            read.matches("\"session_id\"").count() >= 3,
            "{event} ran: {read}"
        );
        assert_eq!(hook_log(&bench, event, "out"), "", "{event}");
    }
    assert!(
        bench
            .model
            .requests()
            .iter()
            .skip(5)
            .all(|request| !told(request))
    );
}

#[test]
fn a_subagent_of_the_runs_own_session_gets_zero_bytes() {
    let Some((bench, owner)) = with_a_run() else {
        return;
    };
    forget(&bench);
    bench.model.play(helped("count", "done"));
    bench.model.play([shell("echo 7"), say("seven")]);
    bench
        .resume(&owner, "ask a helper")
        .sandbox(FULL)
        .run()
        .ok();
    let requests = bench.model.requests();
    let helper: Vec<_> = requests
        .iter()
        .filter(|request| request.agent() == "collab_spawn")
        .collect();
    assert_eq!(helper.len(), 2);
    assert!(helper.iter().all(|request| !told(request)));
    // The owner's own session was resumed with the brief, and its stops were used up before.
    assert!(requests[5].saw(FIRST_WORDS));
}

#[test]
fn after_a_compaction_the_next_request_has_the_brief() {
    let Some(bench) = scene() else { return };
    add_hooks(&bench);
    bench.trust_hooks();
    bench.model.play([
        shell(&engine("start --config autoresearch.yaml")),
        shell(&set(3)),
        shell(&engine("trial -m \"two fewer\"")).costing(90_000),
        say("a summary that forgot the run"),
        shell(&set(0)),
        shell(&engine("trial -m \"none in a\"")),
        say("the run has ended"),
    ]);
    let limit = "model_auto_compact_token_limit=50000";
    let prompt = "$codex-autoresearch fewer any. Go.";
    bench.exec(prompt).sandbox(FULL).config(limit).run().ok();
    let requests = bench.model.requests();
    let at = requests.iter().position(Request::is_compaction).unwrap();
    let after = &requests[at + 1];
    let briefs = after.texts_of("developer");
    let brief = briefs.iter().find(|text| text.contains(FIRST_WORDS));
    let brief = brief.unwrap_or_else(|| panic!("{briefs:?}"));
    assert!(brief.chars().count() < 1_500);
    assert!(
        brief.contains("any_count 8") && brief.contains("next: "),
        "{brief}"
    );
    assert!(!after.saw("# codex-autoresearch") || after.saw(FIRST_WORDS));
    assert_eq!(bench.bed.story(), ["0 baseline", "1 keep", "2 keep"]);
}

#[test]
fn a_killed_session_is_followed_by_one_that_goes_on_without_the_wizard() {
    let Some(bench) = scene() else { return };
    add_hooks(&bench);
    bench.trust_hooks();
    bench.model.play([
        shell(&engine("start --config autoresearch.yaml")),
        shell(&set(3)),
        shell(&engine("trial -m \"two fewer\"")),
        shell(&set(1)),
        silent(),
    ]);
    let running = bench.exec("$codex-autoresearch go").sandbox(FULL).start();
    bench
        .model
        .wait_for("the fifth request", |request| request.number == 4);
    running.signal(Signal::KILL);
    running.wait();
    bench.kill_all();
    // The edit that the dead session made and never measured is not the new one's: it is dropped.
    let agent = Agent::new("resume", &[&set(0)]);
    let first = AtomicBool::new(true);
    bench.model.react(move |request| {
        if request.number > 5 && first.swap(false, Ordering::Relaxed) {
            let told = request.outputs().join("\n");
            assert!(told.contains("changed and not measured: src/a"), "{told}");
            return shell(&engine("trial --drop"));
        }
        agent.answer(request)
    });
    bench
        .exec("$codex-autoresearch resume")
        .sandbox(FULL)
        .run()
        .ok();
    let story = bench.bed.story();
    assert_eq!(story, ["0 baseline", "1 keep", "2 interrupted", "3 keep"]);
    let status = bench.bed.run(&["status", "--json"]).ok().json();
    assert_eq!(status["end"], "target");
    // The dead session's hooks have nothing to say any more; the new one's were told the end once.
    assert_eq!(
        hook_log(&bench, "Stop", "out")
            .matches("has ended: target")
            .count(),
        1
    );
}

#[test]
fn an_interruption_pauses_the_run_and_a_question_is_answered_in_peace() {
    let Some(bench) = scene() else { return };
    add_hooks(&bench);
    bench.trust_hooks();
    let mut server = bench.app_server();
    let thread = server.start_thread(FULL);
    bench.model.play([
        shell(&engine("start --config autoresearch.yaml")),
        patch("*** Update File: src/c\n@@\n any\n-any"),
        silent(),
    ]);
    let turn = server.start_turn(&thread, "$codex-autoresearch go");
    bench
        .model
        .wait_for("the third request", |request| request.number == 2);
    server.interrupt(&thread, &turn);
    assert_eq!(server.finish_turn(&turn)["status"], "interrupted");
    server.take("hook/completed", |params| {
        params["run"]["eventName"] == "interrupt"
    });
    let session = std::fs::read_to_string(bench.bed.run_file("session.json")).unwrap();
    assert!(session.contains("\"paused\":true"), "{session}");
    // A question is answered once: no hook sends the agent on.
    bench.model.play([say("it is at 10")]);
    let turn = server.start_turn(&thread, "how is it going?");
    assert_eq!(server.finish_turn(&turn)["status"], "completed");
    assert_eq!(bench.model.requests().len(), 4);
    // The person wants it to go on.
    bench.model.play([
        shell(&engine("resume")),
        shell(&engine("trial -m \"one fewer in c\"")),
        say("enough"),
        say("enough"),
        say("enough"),
        say("enough"),
    ]);
    let turn = server.start_turn(&thread, "go on");
    assert_eq!(server.finish_turn(&turn)["status"], "completed");
    assert_eq!(bench.bed.story(), ["0 baseline", "1 keep"]);
    assert_eq!(bench.model.last().hook_prompts().len(), 3);
}

#[test]
fn an_interruption_ends_a_verify_that_the_stop_hook_runs() {
    let Some(bench) = scene() else { return };
    add_hooks(&bench);
    bench.trust_hooks();
    bench.bed.run(&["start"]).ok();
    std::fs::write(bench.bed.home.join("slow"), "50").unwrap();
    let mut server = bench.app_server();
    let thread = server.start_thread("workspace-write");
    let agent = Arc::new(Agent::new("resume", &[&set(3)]));
    bench.model.react(move |request| agent.answer(request));
    let turn = server.start_turn(&thread, "$codex-autoresearch resume");
    let measuring = bench.bed.home.join("measuring");
    crate::testbed::wait_until("verify runs", || measuring.exists());
    server.interrupt(&thread, &turn);
    assert_eq!(server.finish_turn(&turn)["status"], "interrupted");
    drop(server);
    crate::testbed::wait_until("verify has ended", || {
        !bench.processes().iter().any(|line| line.contains("sleep"))
    });
    std::fs::remove_file(bench.bed.home.join("slow")).unwrap();
    bench.bed.run(&["resume"]).ok().says("was interrupted");
    assert_eq!(bench.bed.story(), ["0 baseline", "1 interrupted"]);
    assert_eq!(bench.bed.git(&["status", "--porcelain"]), "");
}
