//! What everybody else is told while a trial is measured: which phase it is in, for how long, and to wait.

use std::path::PathBuf;
use std::thread::JoinHandle;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::config_text::ConfigText;
use crate::testbed::{Answer, Testbed, finish, wait_until};

/// A run whose verify waits while `$HOME/hold-verify` stands, and whose guard waits while `$HOME/hold-guard` does.
fn gated() -> Testbed {
    let bed = Testbed::new();
    let home = bed.home.display();
    bed.write("count.sh", &format!("touch {home}/in-verify; while [ -e {home}/hold-verify ]; do sleep 0.02; done\ncat src/* | grep -c '^any$'\n"));
    bed.write(
        "guard.sh",
        &format!("touch {home}/in-guard; while [ -e {home}/hold-guard ]; do sleep 0.02; done\n"),
    );
    bed.git(&["commit", "-qam", "gates"]);
    bed.start(
        &ConfigText::demo()
            .verify_with("timeout", "100s")
            .guard_with("timeout", "100s"),
    );
    for mark in ["in-verify", "in-guard"] {
        std::fs::remove_file(bed.home.join(mark)).unwrap();
    }
    bed
}

fn file(bed: &Testbed, name: &str) -> PathBuf {
    bed.home.join(name)
}

/// Begins a trial that stops in verify or in the guard, and waits until it is there.
fn held_in(bed: &Testbed, gate: &str, env: &[(&str, &str)]) -> JoinHandle<Answer> {
    std::fs::write(file(bed, &format!("hold-{gate}")), "").unwrap();
    bed.edit(1);
    let mut command = bed.command(&["trial", "-m", "fewer", "--json"]);
    command.envs(env.iter().copied());
    let trial = std::thread::spawn(move || finish(command));
    wait_until("the gate", || file(bed, &format!("in-{gate}")).exists());
    trial
}

fn let_go(bed: &Testbed, gate: &str) {
    std::fs::remove_file(file(bed, &format!("hold-{gate}"))).unwrap();
}

/// A text without its times and process numbers.
fn timeless(text: &str) -> String {
    let mut words = Vec::new();
    for word in text.split(' ') {
        let bare = word.trim_end_matches([',', '.', ';', ':']);
        let is_time = bare.starts_with(|letter: char| letter.is_ascii_digit())
            && bare.ends_with(['s', 'm', 'h'])
            && bare
                .chars()
                .all(|letter| letter.is_ascii_digit() || "smh".contains(letter));
        words.push(if is_time {
            word.replacen(bare, "TIME", 1)
        } else {
            word.to_owned()
        });
    }
    words.join(" ")
}

fn next(report: &Value) -> String {
    timeless(report["next"].as_str().unwrap())
}

#[test]
fn status_during_a_trial_names_the_phase_and_says_wait() {
    let bed = gated();
    let trial = held_in(&bed, "verify", &[]);
    let status = bed.run(&["status", "--json"]).ok().json();
    assert_eq!(
        next(&status),
        "next: wait and change no file: trial 1 is being measured: verify run 1 for TIME, TIME in all. Its answer comes where it was started; `autoresearch status` looks again"
    );
    assert_eq!(status["due"], "wait");
    let under_way = &status["under_way"];
    assert_eq!(under_way["trial"], 1);
    assert_eq!(under_way["phase"], "verify");
    assert_eq!(under_way["verify_run"], 1);
    assert_eq!(under_way["command"], "trial");
    assert!(under_way["phase_ms"].as_u64() <= under_way["elapsed_ms"].as_u64());
    let text = bed.run(&["status"]).ok().out;
    assert!(
        text.contains("  now       trial 1 is being measured: verify run 1 for "),
        "{text}"
    );
    assert!(!text.contains("change one thing"), "{text}");
    let background = bed.run(&["background", "status", "--json"]).ok().json();
    assert!(
        next(&background).starts_with("next: wait and change no file: trial 1"),
        "{background}"
    );
    assert_eq!(background["under_way"]["phase"], "verify");
    assert_eq!(
        background["trial"], 1,
        "it is this one that is at work, not the next"
    );
    bed.run(&["resume"])
        .fails(5)
        .says("`autoresearch status` shows what it does");
    std::fs::write(file(&bed, "hold-guard"), "").unwrap();
    let_go(&bed, "verify");
    wait_until("the guard", || file(&bed, "in-guard").exists());
    let status = bed.run(&["status", "--json"]).ok().json();
    assert_eq!(status["under_way"]["phase"], "guard");
    assert!(status["under_way"]["verify_run"].is_null());
    let_go(&bed, "guard");
    assert_eq!(trial.join().unwrap().ok().json()["verdict"], "keep");
    let status = bed.run(&["status", "--json"]).ok().json();
    assert!(status["under_way"].is_null());
    assert_eq!(status["due"], "trial");
    assert!(
        status["next"]
            .as_str()
            .unwrap()
            .starts_with("next: change one thing")
    );
}

#[test]
fn a_killed_trial_is_not_said_to_be_under_way() {
    let bed = gated();
    let trial = held_in(&bed, "verify", &[]);
    let status = bed.run(&["status", "--json"]).ok().json();
    let pid = i32::try_from(status["under_way"]["pid"].as_u64().unwrap()).unwrap();
    kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
    trial.join().unwrap();
    assert!(
        bed.vault().join("phase.json").exists(),
        "the note outlives its writer"
    );
    let status = bed.run(&["status", "--json"]).ok().json();
    assert!(status["under_way"].is_null(), "{status}");
    assert_eq!(
        status["obstacle"],
        "a command was interrupted: `autoresearch resume` repairs it"
    );
    let_go(&bed, "verify");
    // Another command that holds the run is not taken for that trial.
    bed.run(&["resume"]).ok();
    assert!(!bed.vault().join("phase.json").exists());
}

#[test]
fn the_hooks_and_propose_of_a_session_say_wait_while_its_trial_is_measured() {
    let bed = gated();
    let session = [("CODEX_SESSION_ID", "s1")];
    let trial = held_in(&bed, "verify", &session);
    for event in ["session-start", "stop"] {
        let said = bed.hook(event, "s1").ok().out;
        assert!(
            said.contains("wait and change no file: trial 1 is being measured: verify run 1"),
            "{event}: {said}"
        );
        assert!(!said.contains("change one thing"), "{event}: {said}");
    }
    bed.agent("s1", &["propose", "-m", "another"])
        .fails(5)
        .says("trial 1 is being measured")
        .says("nothing was registered");
    let_go(&bed, "verify");
    assert_eq!(trial.join().unwrap().ok().json()["verdict"], "keep");
    let said = bed.hook("stop", "s1").ok().out;
    assert!(said.contains("change one thing"), "{said}");
}
