//! A question in the real Codex: it is answered with evidence, and nothing of the repository is changed.

use crate::bench::Bench;
use crate::permissions::with_the_rule;
use crate::reply::{Reply, say, shell};
use crate::scene::{add_hooks, scene, tell};

/// What git knows of the repository: nothing of it may be another afterwards.
fn git_state(bench: &Bench) -> [String; 4] {
    [
        bench.bed.git(&["status", "--porcelain"]),
        bench.bed.git(&["for-each-ref"]),
        bench.bed.git(&["stash", "list"]),
        bench.bed.git(&["branch", "--show-current"]),
    ]
}

const SYMPTOM: &str = "debug start -m 'there is any'";
const ADD: &str = "hypothesis add -m 'src/b has it' --predicts 'a line of it is any'";
const LEAD: &str = "hypothesis result 1 lead -m 'it is in every file' --at src/c:2 --quote any";
const WRONG: &str = "hypothesis result 1 confirmed -m 'it is there' --at src/b:1 --quote many";
const RIGHT: &str = "hypothesis result 1 confirmed -m 'it is there' --at src/b:1 --quote any";

fn call(engine: &str, words: &str) -> Reply {
    shell(&format!("{engine} {words}"))
}

#[track_caller]
fn assert_answered(bench: &Bench) {
    let summary = bench.bed.read("autoresearch-results/debug-1/summary.md");
    insta::allow_duplicates! {
    insta::assert_snapshot!(summary.replace(&bench.bed.head()[..7], "<commit>"), @"
    # there is any

    The cause is confirmed, hypothesis 1: src/b has it.

    - lead: it is in every file
      - src/c:2: any
    - confirmed: it is there
      - src/b:1: any

    1 hypothesis since commit <commit>:

    1. confirmed: src/b has it

    [What was found](findings.md), [what was ruled out](eliminated.md)
    ");
    }
}

#[test]
fn in_the_sandbox_the_stop_hook_records_what_a_session_registered() {
    let Some(bench) = scene() else { return };
    add_hooks(&bench);
    bench.trust_hooks();
    bench.bed.write("src/a", "mine\n");
    let before = git_state(&bench);
    let engine = Bench::engine().display().to_string();
    bench.model.play([
        call(&engine, SYMPTOM),
        call(&engine, ADD),
        call(&engine, LEAD),
        say("I look"),
        // What cannot hold is refused at once.
        call(&engine, WRONG),
        call(&engine, RIGHT),
        say("I have it"),
        say("src/b has it"),
    ]);
    let prompt = "$codex-autoresearch why is there any?";
    bench.exec(prompt).sandbox("workspace-write").run().ok();
    let last = bench.model.last();
    let outputs = last.outputs();
    assert!(
        outputs[2].contains("result registered, 3 in all"),
        "{outputs:?}"
    );
    assert!(outputs[3].contains("line 1 is: any"), "{outputs:?}");
    let prompts = last.hook_prompts();
    assert_eq!(prompts.len(), 2, "{prompts:?}");
    assert!(prompts[0].contains("hypothesis 1 is lead"), "{prompts:?}");
    assert!(prompts[1].contains("the cause is confirmed"), "{prompts:?}");
    assert_answered(&bench);
    assert_eq!(git_state(&bench), before);
    let bytes: usize = outputs.iter().chain(&prompts).map(String::len).sum();
    tell(&format!(
        "{:>6} tokens  all answers to a question, registered",
        bytes / 4
    ));
}

#[test]
fn with_the_rule_a_question_is_answered_at_once() {
    let Some((bench, engine)) = with_the_rule() else {
        return;
    };
    bench.bed.write("src/a", "mine\n");
    let before = git_state(&bench);
    let engine = engine.display().to_string();
    let calls = [SYMPTOM, ADD, LEAD, WRONG, RIGHT, "debug status"];
    let turns = calls.iter().map(|words| call(&engine, words));
    bench.model.play(turns.chain([say("src/b has it")]));
    bench
        .exec("why is there any?")
        .sandbox("workspace-write")
        .run()
        .ok();
    let outputs = bench.model.last().outputs();
    assert!(outputs[3].contains("line 1 is: any"), "{outputs:?}");
    assert!(outputs[4].contains("the cause is confirmed"), "{outputs:?}");
    assert_answered(&bench);
    assert_eq!(git_state(&bench), before);
    let bytes: usize = outputs.iter().map(String::len).sum();
    tell(&format!(
        "{:>6} tokens  all answers to a question, at once",
        bytes / 4
    ));
}
