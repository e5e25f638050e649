//! Whole foreground runs in the real Codex: with full access, in the sandbox with hooks, without hooks, and with neither.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::bench::Bench;
use crate::reply::{say, shell};
use crate::scene::{Agent, add_hooks, hook_log, scene, set, start_in_a_terminal, tell};

/// Keep, discard, failed guard, crash, keep: the last one reaches the target.
fn five_edits() -> [String; 5] {
    [
        set(3),
        set(6),
        format!("{}; echo bad > src/state", set(2)),
        "touch src/crash".to_owned(),
        set(0),
    ]
}

fn play(bench: &Bench, first: &str) {
    let edits = five_edits();
    let edits: Vec<&str> = edits.iter().map(String::as_str).collect();
    let agent = Agent::new(first, &edits);
    bench.model.react(move |request| agent.answer(request));
}

const STORY: [&str; 7] = [
    "0 baseline",
    "1 keep",
    "2 discard",
    "3 discard",
    "4 crash",
    "- refine",
    "5 keep",
];

/// The log, the commits and the files are those of the five trials.
#[track_caller]
fn five_trials(bench: &Bench) {
    let bed = &bench.bed;
    assert_eq!(bed.story(), STORY);
    let metrics: Vec<String> = bed.rows().iter().map(|row| row[2].clone()).collect();
    assert_eq!(metrics, ["10", "8", "11", "7", "-", "-", "5"]);
    let commits: Vec<Vec<String>> = bed
        .run_commits("autoresearch/demo")
        .into_iter()
        .map(|(_, files)| files)
        .collect();
    assert_eq!(commits, [["src/a"], ["src/a"]]);
    assert_eq!(bed.run(&["status", "--json"]).ok().json()["end"], "target");
}

#[test]
fn a_whole_run_with_full_access_measures_keeps_and_undoes() {
    let Some(bench) = scene() else { return };
    play(&bench, "start --config autoresearch.yaml");
    let prompt = "$codex-autoresearch fewer any, please. Go.";
    bench.exec(prompt).sandbox("danger-full-access").run().ok();
    five_trials(&bench);
    assert_eq!(bench.bed.git(&["branch", "--show-current"]).trim(), "main");
    print_costs(&bench, "full access");
}

/// What the tool's answers cost the model. Bytes / 4 is the usual estimate of tokens.
fn print_costs(bench: &Bench, what: &str) {
    let outputs = bench.model.last().outputs();
    let trials: Vec<usize> = outputs
        .iter()
        .filter(|output| output.contains("trial ") && output.contains("next: "))
        .map(String::len)
        .collect();
    let most = trials.iter().max().copied().unwrap_or_default();
    tell(&format!(
        "{what}: an answer to a trial has at most {} tokens, of {}",
        most / 4,
        trials.len()
    ));
    assert!(trials.len() >= 5, "{outputs:?}");
    assert!(most / 4 < 300, "{outputs:?}");
}

#[test]
fn in_the_sandbox_the_stop_hook_measures_and_the_model_is_not_asked_meanwhile() {
    let Some(bench) = scene() else { return };
    add_hooks(&bench);
    bench.trust_hooks();
    start_in_a_terminal(&bench);
    std::fs::write(bench.bed.home.join("slow"), "15").unwrap();
    let (measuring, during) = (
        bench.bed.home.join("measuring"),
        Arc::new(AtomicUsize::new(0)),
    );
    let edits = [set(3), set(0)];
    let agent = Agent::new("resume", &[&edits[0], &edits[1]]);
    let counted = Arc::clone(&during);
    bench.model.react(move |request| {
        counted.fetch_add(usize::from(measuring.exists()), Ordering::Relaxed);
        agent.answer(request)
    });
    let begun = std::time::Instant::now();
    bench
        .exec("$codex-autoresearch go on with the run")
        .sandbox("workspace-write")
        .run()
        .ok();
    assert!(begun.elapsed().as_secs() >= 30, "verify was slow");
    assert_eq!(
        during.load(Ordering::Relaxed),
        0,
        "the model was asked while verify ran"
    );
    assert_eq!(bench.bed.story(), ["0 baseline", "1 keep", "2 keep"]);
    let prompts = bench.model.last().hook_prompts();
    let most = prompts.iter().map(String::len).max().unwrap();
    tell(&format!(
        "in the sandbox: a hook's answer has at most {} tokens",
        most / 4
    ));
    assert!(most / 4 < 300, "{prompts:?}");
    assert!(
        prompts[0].contains("trial 1: keep, any_count 8 (-2, -20 %)"),
        "{prompts:?}"
    );
    assert_eq!(
        bench.bed.git(&["branch", "--show-current"]).trim(),
        "main",
        "finish was carried out"
    );
}

#[test]
fn in_the_sandbox_all_five_verdicts_come_through_the_hook() {
    let Some(bench) = scene() else { return };
    add_hooks(&bench);
    bench.trust_hooks();
    start_in_a_terminal(&bench);
    play(&bench, "resume");
    let prompt = "$codex-autoresearch go on with the run";
    bench.exec(prompt).sandbox("workspace-write").run().ok();
    five_trials(&bench);
}

#[test]
fn with_a_rule_and_no_hooks_the_engine_works_from_inside_the_sandbox() {
    let Some(bench) = scene() else { return };
    bench.allow(&[&Bench::engine().display().to_string()]);
    play(&bench, "start --config autoresearch.yaml");
    let prompt = "$codex-autoresearch fewer any, please. Go.";
    bench.exec(prompt).sandbox("workspace-write").run().ok();
    five_trials(&bench);
}

#[test]
fn with_hooks_that_are_not_trusted_nothing_is_claimed_and_the_way_out_is_named() {
    let Some(bench) = scene() else { return };
    add_hooks(&bench);
    start_in_a_terminal(&bench);
    play(&bench, "resume");
    let prompt = "$codex-autoresearch go on with the run";
    bench.exec(prompt).sandbox("workspace-write").run().ok();
    assert_eq!(bench.bed.story(), ["0 baseline"]);
    let outputs = bench.model.last().outputs().join("\n");
    assert!(outputs.contains("not armed"), "{outputs}");
    assert!(outputs.contains("hooks status"), "{outputs}");
    assert_eq!(hook_log(&bench, "Stop", "in"), "", "the hook did not run");
    // What was registered is not lost: once the hooks are trusted, the same session's next stop measures it.
    bench.trust_hooks();
    let thread = bench.model.last().thread().to_owned();
    bench
        .resume(&thread, "go on")
        .sandbox("workspace-write")
        .run()
        .ok();
    five_trials(&bench);
}

#[test]
fn without_hooks_and_rule_one_line_names_the_remedy_at_once_and_nothing_is_lost() {
    let Some(bench) = scene() else { return };
    let before = bench.bed.fingerprint();
    let engine = Bench::engine().display().to_string();
    let start = format!("{engine} start --config autoresearch.yaml");
    bench.model.play([shell(&start), say("told")]);
    bench.exec("go").sandbox("workspace-write").run().ok();
    let output = bench.model.last().outputs().pop().unwrap();
    assert!(
        output.contains("call it again with `sandbox_permissions"),
        "{output}"
    );
    let (_, said) = output.split_once("Output:").unwrap();
    assert_eq!(
        said.trim().lines().count(),
        2,
        "an error and a hint: {said}"
    );
    assert_eq!(bench.bed.fingerprint(), before);
    assert!(!bench.bed.path("autoresearch-results").exists());
    // The same is told by the command that the skill looks with first.
    bench
        .model
        .play([shell(&format!("{engine} doctor")), say("told")]);
    bench.exec("look").sandbox("workspace-write").run().ok();
    let output = bench.model.last().outputs().pop().unwrap();
    assert!(output.contains("read-only for this process"), "{output}");
    assert!(output.contains("not armed"), "{output}");
    // A run that a person has started: a trial is refused as fast, and the edit stays.
    start_in_a_terminal(&bench);
    bench.model.play([
        shell(&set(3)),
        shell(&format!("{engine} trial -m \"fewer\"")),
        say("told"),
    ]);
    bench.exec("go").sandbox("workspace-write").run().ok();
    let output = bench.model.last().outputs().pop().unwrap();
    assert!(
        output.contains("nothing was done: in this sandbox git"),
        "{output}"
    );
    assert_eq!(bench.bed.story(), ["0 baseline"]);
    assert_eq!(bench.bed.read("src/a").lines().count(), 3);
}
