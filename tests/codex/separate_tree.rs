//! A run with a work tree of its own, in the real Codex: whoever edits can write there, and the user's checkout stays.

use std::path::PathBuf;

use crate::bench::Bench;
use crate::reply::{Reply, say, shell};
use crate::scene::{Agent, config, person, scene, set};
use crate::testbed::wait_until;

/// The work tree that git knows besides the user's.
const THERE: &str =
    "cd \"$(git worktree list --porcelain | sed -n 's/^worktree //p' | tail -n 1)\"";

/// A scene whose config asks for a separate work tree, and what the user's checkout is like.
fn separate(target: u64) -> Option<(Bench, String)> {
    let bench = scene()?;
    let config = config().target(target).isolation("worktree").iterations(2);
    bench.bed.write("autoresearch.yaml", &config.to_string());
    bench.bed.git(&["commit", "-qam", "config"]);
    let checkout = look_at_checkout(&bench);
    Some((bench, checkout))
}

fn look_at_checkout(bench: &Bench) -> String {
    let bed = &bench.bed;
    [
        bed.git(&["status", "--porcelain"]),
        bed.git(&["branch", "--show-current"]),
        bed.read("src/a"),
    ]
    .concat()
}

/// Two keeps in a tree of the run's own, which is gone after `finish`.
#[track_caller]
fn two_keeps(bench: &Bench, checkout: &str) {
    let bed = &bench.bed;
    assert_eq!(bed.story(), ["0 baseline", "1 keep", "2 keep"]);
    assert_eq!(look_at_checkout(bench), checkout);
    assert_eq!(bed.run_commits("autoresearch/demo").len(), 2);
}

#[test]
fn a_session_in_the_sandbox_edits_the_tree_that_its_start_made_in_the_temporary_folder() {
    let Some((bench, checkout)) = separate(5) else {
        return;
    };
    bench.allow(&[&Bench::engine().display().to_string()]);
    let edits = [3, 0].map(|count| format!("{THERE} && pwd && {}", set(count)));
    let agent = Agent::new("start --config autoresearch.yaml", &[&edits[0], &edits[1]]);
    bench.model.react(move |request| agent.answer(request));
    let prompt = "$codex-autoresearch fewer any, please. Go.";
    bench.exec(prompt).sandbox("workspace-write").run().ok();
    two_keeps(&bench, &checkout);
    let outputs = bench.model.last().outputs().join("\n");
    let tree = outputs
        .lines()
        .find(|line| line.starts_with('/') && line.ends_with("/autoresearch-demo"));
    let tree = PathBuf::from(tree.unwrap());
    let temporary = bench.root.join("tmp").canonicalize().unwrap();
    assert!(tree.starts_with(&temporary), "{}", tree.display());
    assert!(!tree.exists(), "finish removed it");
}

#[test]
fn a_session_that_cannot_write_in_the_tree_is_told_how_to_open_codex_and_that_works() {
    let Some((bench, checkout)) = separate(5) else {
        return;
    };
    let engine = Bench::engine().display().to_string();
    bench.allow(&[&engine]);
    bench.bed.run(&["start"]).ok();
    let edit = format!("{THERE} && {}", set(3));
    bench.model.play([
        shell(&format!("{engine} resume")),
        shell(&edit),
        say("told"),
    ]);
    bench.exec("go on").sandbox("workspace-write").run().ok();
    let outputs = bench.model.last().outputs();
    assert!(
        outputs[1].contains("Read-only file system") || outputs[1].contains("Permission denied"),
        "{outputs:?}"
    );
    let tree = bench.bed.own_tree();
    let way = format!("codex --add-dir {}`", tree.display());
    assert!(outputs[0].contains(&way), "{outputs:?}");

    let edits = [3, 0].map(|count| format!("{THERE} && {}", set(count)));
    let agent = Agent::new("resume", &[&edits[0], &edits[1]]);
    bench.model.react(move |request| agent.answer(request));
    let prompt = "$codex-autoresearch go on with the run";
    let opened = ["--add-dir", tree.to_str().unwrap()];
    bench
        .exec(prompt)
        .sandbox("workspace-write")
        .args(&opened)
        .run()
        .ok();
    two_keeps(&bench, &checkout);
    assert!(!tree.exists(), "finish removed it");
}

#[test]
fn the_turns_of_a_night_edit_the_tree_and_the_checkout_is_the_persons() {
    let Some((bench, checkout)) = separate(0) else {
        return;
    };
    let answer = r#"{"message": "fewer", "hypothesis": "fewer", "labels": [], "simplify": false, "strategy": "another way", "nothing_more": false}"#;
    let turn = |count: usize| -> [Reply; 2] { [shell(&set(count)), say(answer)] };
    bench.model.play([turn(3), turn(0)].concat());
    let start = ["background", "start", "--config", "autoresearch.yaml"];
    person(&bench, &Bench::engine(), &start).ok();
    wait_until("the supervisor ends", || {
        let status = ["background", "status", "--json"];
        person(&bench, &Bench::engine(), &status).ok().json()["alive"] == false
    });
    two_keeps(&bench, &checkout);
    assert_eq!(
        bench.bed.run(&["status", "--json"]).ok().json()["end"],
        "iteration-cap"
    );
    assert!(bench.bed.own_tree().starts_with(&bench.bed.state));
}
