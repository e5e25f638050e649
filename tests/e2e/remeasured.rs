//! `remeasure` runs verify again on a state of the run: runs of the kept state count for the next trial, others are told.

use std::process::Stdio;

use serde_json::Value;

use crate::config_text::ConfigText;
use crate::crash::steps_of;
use crate::noise::{DEVIATIONS, NoisyBed, VERIFY};
use crate::shown::assert_answer;
use crate::testbed::{CONFIG, Testbed, processes_with, wait_until};

/// A keep at 4, and a trial at 6 that was undone.
fn kept_and_undone() -> Testbed {
    let bed = Testbed::started(CONFIG);
    bed.edit(4);
    assert_eq!(bed.trial("fewer")["verdict"], "keep");
    bed.edit(6);
    assert_eq!(bed.trial("worse")["verdict"], "discard");
    bed
}

fn records(bed: &Testbed) -> Vec<Value> {
    let journal = bed.read("autoresearch-results/demo/journal.jsonl");
    let records = journal
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["event"]["remeasured"].clone());
    records.filter(|found| !found.is_null()).collect()
}

fn sides(row: &Value) -> Vec<&str> {
    let runs = row["runs"].as_array().unwrap().iter();
    runs.map(|run| run["side"].as_str().unwrap()).collect()
}

#[test]
fn each_state_of_a_run_is_measured_in_a_clean_checkout_and_told_in_the_log() {
    let bed = kept_and_undone();
    // What nobody has measured stays, and is no part of it.
    bed.edit(9);
    let head = bed.git(&["rev-parse", "HEAD"]);
    let answer = bed.run(&["remeasure", "--runs", "3"]).ok();
    assert_answer!(answer.out, @r#"
    the kept state (trial 1) of run `demo` once more, commit <commit>
      values    9 9 9
      median    9, all equal (3 runs)
      believed  9 of the kept state; the median differs by 0 (lower is better)
      evidence  these runs count for the next trial
      cost      3 runs of verify
    next: change one thing in scope (src/**), leave git alone, then run: autoresearch trial -m "what you changed"
    "#);
    assert_answer!(bed.run(&["remeasure", "--tree", "start", "--runs", "1"]).ok().out, @r#"
    the start of run `demo` once more, commit <commit>
      values    10
      median    10, all equal (1 run)
      believed  9 of the kept state; the median differs by +1 (lower is better)
      evidence  recorded; nothing that the run believes changes
      cost      1 run of verify
    next: change one thing in scope (src/**), leave git alone, then run: autoresearch trial -m "what you changed"
    "#);
    assert_answer!(bed.run(&["remeasure", "--tree", "2", "--runs", "2"]).ok().out, @r#"
    trial 2 of run `demo` once more, commit <commit>
      values    11 11
      median    11, all equal (2 runs)
      believed  9 of the kept state; the median differs by +2 (lower is better)
      evidence  recorded; nothing that the run believes changes
      cost      2 runs of verify
    next: change one thing in scope (src/**), leave git alone, then run: autoresearch trial -m "what you changed"
    "#);
    assert_eq!(bed.git(&["rev-parse", "HEAD"]), head);
    assert_eq!(bed.read("src/a"), "any\n".repeat(9));
    assert_eq!(bed.git(&["worktree", "list"]).lines().count(), 1);
    assert_answer!(bed.run(&["log", "--status", "remeasured"]).ok().out, @"
    iter  commit       metric     delta  guard  status       description
       -  <commit>           9         -  -      remeasured   the kept state (trial 1) once more: 3 runs, all 9
       -  <commit>          10         -  -      remeasured   the start once more: 1 run, all 10
       -  <commit>          11         -  -      remeasured   trial 2 once more: 2 runs, all 11
    ");
    let shown = bed.run(&["show", "2"]).ok().out;
    assert!(shown.contains("\n  again     2 runs, all "), "{shown}");
    let rows = records(&bed);
    let sides: Vec<Vec<&str>> = rows.iter().map(sides).collect();
    assert_eq!(
        sides,
        [
            vec!["incumbent"; 3],
            vec!["candidate"; 1],
            vec!["candidate"; 2]
        ]
    );
    bed.run(&["doctor"]).ok().says("no problems");
}

#[test]
fn what_stands_in_the_way_is_said_with_a_remedy_and_nothing_is_measured() {
    let bed = kept_and_undone();
    let refused = |words: &[&str], code: i32| {
        let answer = bed.run(&[&["remeasure"], words].concat());
        assert_eq!(answer.code, code, "{answer:?}");
        answer
    };
    assert_answer!(refused(&["--tree", "7"], 2), @"
    exit code 2
    --- stderr
    error: the run `demo` has no trial 7
    hint: `autoresearch log` lists its trials
    ");
    assert_answer!(refused(&["--tree", "best"], 2), @"
    exit code 2
    --- stderr
    error: invalid value 'best' for '--tree <incumbent|start|N>': a state is `incumbent`, `start` or the number of a trial

    For more information, try '--help'.
    ");
    assert_answer!(refused(&["--runs", "51"], 2), @"
    exit code 2
    --- stderr
    error: invalid value '51' for '--runs <K>': 51 is not in 1..=50

    For more information, try '--help'.
    ");
    bed.git(&["update-ref", "-d", "refs/autoresearch/demo/trial/2"]);
    bed.git(&["reflog", "expire", "--expire=now", "--all"]);
    bed.git(&["gc", "-q", "--prune=now"]);
    assert_answer!(refused(&["--tree", "2"], 2), @"
    exit code 2
    --- stderr
    error: the repository has no commit <commit> of trial 2 any more
    hint: fetch it from a clone of that time that still has it, then run the command again
    ");
    bed.edit(1);
    bed.write("src/state", "bad\n");
    bed.run(&["trial", "-m", "the guard fails"]).ok();
    assert_answer!(refused(&[], 2), @r#"
    exit code 2
    --- stderr
    error: trial 3 is under way: it waits for a rework
    hint: fix what the guard found without losing the gain (2 of 2 reworks left), then run: autoresearch trial --rework -m "what you fixed"; or give it up: autoresearch trial --drop
    "#);
    bed.run(&["trial", "--drop"]).ok();
    bed.write(".gitattributes", "src/** text\n");
    assert_eq!(refused(&[], 4).code, 4);
    std::fs::remove_file(bed.path(".gitattributes")).unwrap();
    assert_eq!(records(&bed), [] as [Value; 0]);
    bed.run(&["remeasure", "--runs", "1"]).ok();
}

#[test]
fn runs_of_the_kept_state_join_what_a_noisy_run_believes_and_those_of_others_get_an_interval() {
    let bed = NoisyBed::new(&DEVIATIONS);
    bed.start("budget: {verify_runs: 60}\n");
    assert_eq!(bed.try_cost("80\n")["verdict"], "keep");
    let start = bed
        .run(&["remeasure", "--tree", "start", "--json"])
        .ok()
        .json();
    assert_eq!(
        (&start["joined"], &start["verify_runs"]),
        (&false.into(), &6.into()),
        "the first warms the tree up: {start}"
    );
    let ends = ["low", "high"].map(|end| start["gain"][end].as_f64().unwrap());
    assert!(
        -30.0 < ends[0] && ends[1] < -20.0,
        "100 beside 80 is a loss of a quarter: {start}"
    );
    // The machine is slower now, and no trial has told the run.
    bed.set("speed", "1.3");
    let kept = bed.run(&["remeasure", "--json"]).ok().json();
    assert_eq!(kept["joined"], true, "{kept}");
    assert!(kept["gain"]["high"].as_f64().unwrap() < -20.0, "{kept}");
    let spent = bed.run(&["status", "--json"]).ok().json();
    let many = bed.run(&["remeasure", "--runs", "50"]);
    assert_eq!(many.code, 2, "{many:?} {spent}");
    assert!(
        many.err
            .contains("51 runs of verify are needed, and the limits"),
        "{many:?}"
    );
    let placebo = bed.try_cost("80 \n");
    assert_eq!(placebo["verdict"], "discard", "{placebo}");
    assert_eq!(bed.records("remeasured").len(), 2);
}

#[test]
fn an_interruption_keeps_the_runs_that_were_made_and_meanwhile_no_trial_gets_in() {
    let bed = NoisyBed::new(&DEVIATIONS);
    // From the run on that the file `slow` names, verify says that it runs, and waits.
    let verify = format!(
        "[ ! -e \"$BED/slow\" ] || [ \"$(cat \"$BED/count\")\" -lt \"$(cat \"$BED/slow\")\" ] || {{ : > \"$BED/waits\"; sleep 1000; }}\n{VERIFY}"
    );
    bed.0.write("verify.sh", &verify);
    bed.0.git(&["commit", "-qam", "a verify that can wait"]);
    bed.start("");
    let count: u32 = std::fs::read_to_string(bed.0.home.join("count"))
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    bed.set("slow", &(count + 3).to_string());
    let mut command = bed.0.command(&["remeasure", "--json"]);
    let place = bed.0.home.display().to_string();
    let child = command
        .env("BED", &place)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let waits = bed.0.home.join("waits");
    wait_until("the third run", || waits.exists());
    let trial = bed.run(&["trial", "-m", "meanwhile"]);
    assert_eq!(trial.code, 5, "{trial:?}");
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let ended = child.wait_with_output().unwrap();
    let told: Value = serde_json::from_slice(&ended.stdout).unwrap();
    assert_eq!(ended.status.code(), Some(130), "{told}");
    assert_eq!(told["interrupted"], true, "{told}");
    let row = &bed.records("remeasured")[0];
    assert_eq!(sides(row), ["incumbent"; 2]);
    assert_eq!(row["verify_runs"], 3, "one warms the tree up");
    assert_eq!(bed.0.git(&["worktree", "list"]).lines().count(), 1);
    assert_eq!(processes_with(&place), [] as [String; 0]);
}

#[test]
fn a_finished_run_is_measured_again_where_its_branch_was_that_of_the_checkout() {
    let bed = kept_and_undone();
    bed.run(&["finish"]).ok();
    let again = bed.run(&["remeasure", "--runs", "1", "--json"]).ok().json();
    assert_eq!(
        (&again["median"], &again["joined"]),
        (&again["believed"], &true.into())
    );
    assert_eq!(records(&bed).len(), 1);
    assert_eq!(bed.git(&["branch", "--show-current"]).trim(), "main");
}

#[test]
fn a_kill_at_every_step_leaves_nothing_that_the_next_commands_do_not_clear() {
    let bed = kept_and_undone();
    let words = ["remeasure", "--runs", "1"];
    let steps = steps_of(&bed, &words);
    assert!(
        steps.iter().any(|step| step == "journal remeasured"),
        "{steps:?}"
    );
    for step in 1..=steps.len() {
        let crashed = bed.run_with(&words, &[("SEALED_CRASH_AT", &step.to_string())]);
        assert_eq!(crashed.code, -1, "{step}: {crashed:?}");
        bed.run(&["resume"]).ok();
        bed.run(&["doctor"]).ok().says("no problems");
        bed.run(&words).ok();
        assert_eq!(bed.git(&["worktree", "list"]).lines().count(), 1, "{step}");
    }
}

#[test]
fn a_commit_that_verify_fails_on_is_told_with_the_reason_and_counts_as_a_run() {
    let bed = NoisyBed::new(&[0]);
    bed.start("");
    assert_eq!(bed.try_cost("")["verdict"], "crash");
    let answer = bed.run(&["remeasure", "--tree", "1"]).ok();
    assert_answer!(answer.out, @r#"
    trial 1 of run `demo` once more, commit <commit>
      values    none
      then      verify failed: exit status 1
      evidence  recorded; nothing that the run believes changes
      cost      1 run of verify
    next: change one thing in scope (src/**), leave git alone, then run: autoresearch trial -m "what you changed"
    "#);
    let row = &bed.records("remeasured")[0];
    assert_eq!(
        (&row["runs"], &row["verify_runs"]),
        (&serde_json::json!([]), &1.into())
    );
    assert_answer!(bed.run(&["log", "--status", "remeasured"]).ok().out, @"
    iter  commit       metric     delta  guard  status       description
       -  <commit>           -         -  -      remeasured   trial 1 once more: no number; then verify failed: exit status 1
    ");
}

#[test]
fn a_run_with_a_tree_of_its_own_is_measured_again_until_it_is_finished() {
    let config = ConfigText::demo().isolation("worktree").to_string();
    let bed = Testbed::started(&config);
    let open = bed.run(&["remeasure", "--runs", "1", "--json"]).ok().json();
    assert_eq!(
        (&open["trial"], &open["median"], &open["joined"]),
        (&0.into(), &open["believed"], &true.into())
    );
    assert_eq!(
        bed.git(&["worktree", "list"]).lines().count(),
        2,
        "the checkout, and the run's own"
    );
    bed.run(&["finish"]).ok();
    let gone = bed.run(&["remeasure"]);
    assert_answer!(gone, @"
    exit code 2
    --- stderr
    error: the run is finished, and the work tree that it had of its own is gone
    hint: nothing can be measured by it any more: check its branch out and run verify by hand, or start a new run from there
    ");
    assert_eq!(records(&bed).len(), 1);
}

#[test]
fn a_run_that_comes_to_its_budget_by_it_ends_and_can_still_be_measured() {
    let config = format!("{CONFIG}budget: {{verify_runs: 3}}\n");
    let bed = Testbed::started(&config);
    assert_answer!(bed.run(&["remeasure"]), @"
    exit code 2
    --- stderr
    error: 5 runs of verify are needed, and the limits of the run leave 3
    hint: ask for fewer with `--runs`, or a person raises the limit: `autoresearch raise`
    ");
    let last = bed.run(&["remeasure", "--runs", "3", "--json"]).ok().json();
    assert!(
        last["next"].as_str().unwrap().contains("finish"),
        "the run has ended: {last}"
    );
    assert_eq!(bed.run(&["status", "--json"]).json()["end"], "budget");
    bed.run(&["remeasure", "--runs", "3"]).ok();
    assert_eq!(records(&bed).len(), 2);
}
