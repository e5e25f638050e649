//! `show` tells a trial again, whatever became of it and whoever works on the run; `runs` lists the runs of a repository.

use crate::config_text::ConfigText;
use crate::shown::assert_answer;
use crate::testbed::{Answer, Testbed, wait_until};

/// A keep, a crash with output on both streams, a void trial with a file outside the scope, and a no-op.
fn eventful() -> Testbed {
    let bed = Testbed::new();
    bed.write(
        "count.sh",
        "echo counting >&2\ntest ! -e src/stop || { echo half; exit 3; }\ncat src/* | grep -c '^any$'\n",
    );
    bed.git(&["commit", "-qam", "count"]);
    bed.start(&format!("{}ladder: off\n", ConfigText::demo()));
    assert_eq!(bed.try_count(4), "keep");
    bed.write("src/stop", "x\n");
    assert_eq!(bed.trial("crashes")["verdict"], "crash");
    bed.edit(3);
    bed.write("elsewhere", "x\n");
    assert_eq!(bed.trial("void")["reason"], "out-of-scope");
    std::fs::remove_file(bed.path("elsewhere")).unwrap();
    assert_eq!(bed.agents_trial("nothing")["verdict"], "no-op");
    bed
}

fn show(bed: &Testbed, words: &[&str]) -> Answer {
    let mut all = vec!["show"];
    all.extend(words);
    bed.run(&all)
}

/// The time of a trial depends on the machine.
pub(crate) fn without_span(answer: &Answer) -> String {
    let lines = answer
        .out
        .lines()
        .map(|line| match line.split_once(", took ") {
            Some((before, _)) => format!("{before}, took <span>"),
            None => line.to_owned(),
        });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_story_of_each_trial_says_what_became_of_it() {
    let bed = eventful();
    assert_answer!(without_span(&show(&bed, &["1"]).ok()), @"
    trial 1 of run `demo`: keep
      change    4 any
      metric    any_count 10 -> 9 (-1, -10 %, lower is better)
      guard     pass
      time      <time>, took <span>
      commit    <commit> on <commit>
      files     1 file changed, +0 -1
        src/a  +0 -1
      output    autoresearch-results/demo/trials/1
    next: `autoresearch show 1 --diff` shows what it changed, `--output` what was printed
    ");
    assert_answer!(without_span(&show(&bed, &["2"]).ok()), @"
    trial 2 of run `demo`: crash
      why       verify-failed: verify failed: exit status 3
      change    crashes
      metric    any_count not measured, 9 to beat (lower is better)
      guard     -
      time      <time>, took <span>
      commit    <commit> on <commit>
      files     1 file changed, +1 -0
        src/stop  +1 -0
      output    autoresearch-results/demo/trials/2
    next: `autoresearch show 2 --diff` shows what it changed, `--output` what was printed; `autoresearch retry 2` brings it back as edits
    ");
    let void = show(&bed, &["3"]).ok().out;
    assert!(
        void.contains("out-of-scope: files outside the scope were changed: elsewhere"),
        "{void}"
    );
    assert!(
        void.contains("  files     1 file changed, +0 -1\n    src/a"),
        "{void}"
    );
    let baseline = show(&bed, &["0"]).ok().out;
    assert!(
        baseline.contains("metric    any_count 10 (lower is better)"),
        "{baseline}"
    );
}

#[test]
fn a_patch_is_what_git_takes_and_the_figures_are_those_of_git() {
    let bed = Testbed::started(&format!("{}ladder: off\n", ConfigText::demo()));
    std::fs::remove_file(bed.path("src/b")).unwrap();
    bed.write("src/a name with \u{e4} \"quote\"", "text\n");
    std::fs::write(bed.path("src/picture.bin"), [0_u8, 159, 146, 150, 0, 1]).unwrap();
    bed.edit(50);
    assert_eq!(bed.trial("odd files")["verdict"], "discard");
    assert_answer!(show(&bed, &["1", "--stat"]).ok(), @r#"
    src/a  +45 -0
    src/a name with ä "quote"  +1 -0
    src/b  +0 -3
    src/picture.bin  binary
    4 files changed, +46 -3
    "#);
    let json = show(&bed, &["1", "--diff", "--json"]).ok().json();
    let patch = show(&bed, &["1", "--diff"]).ok().out;
    assert_eq!(json["diff"].as_str().unwrap(), patch);
    assert!(
        !patch.contains('\u{1b}') && patch.contains("Binary files"),
        "{patch}"
    );
    // Without what a text cannot hold it goes onto the state that it was made on.
    let hash = json["hash"].as_str().unwrap();
    bed.run(&["finish"]).ok();
    let text: Vec<&str> = patch
        .split("diff --git ")
        .filter(|part| !part.contains("Binary files"))
        .collect();
    let file = bed.home.join("patch");
    std::fs::write(&file, text.join("diff --git ")).unwrap();
    bed.git(&["apply", file.to_str().unwrap()]);
    bed.git(&["add", "-A"]);
    let left = bed.git(&["diff", "--cached", "--name-only", hash, "--", "src"]);
    assert_eq!(left, "src/picture.bin\n");
}

#[test]
fn the_output_of_each_command_is_shown_with_its_name() {
    let bed = eventful();
    assert_answer!(show(&bed, &["2", "--output"]).ok(), @"
    == verify-1.out
    half

    == verify-1.err
    counting
    ");
    let kept = show(&bed, &["1", "--output", "--json"]).ok().json();
    let names: Vec<&str> = kept["outputs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|output| output["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "verify-1.out",
            "verify-1.err",
            "verify-2.out",
            "verify-2.err",
            "verify-3.out",
            "verify-3.err"
        ]
    );
    show(&bed, &["4", "--output"])
        .fails(2)
        .says("nothing that verify or the guard printed in trial 4 is stored");
}

#[test]
fn what_cannot_be_shown_is_refused_with_the_way_out() {
    let bed = eventful();
    assert_answer!(show(&bed, &["9"]), @"
    exit code 2
    --- stderr
    error: the run `demo` has no trial 9
    hint: its trials are 1 to 4, and 0 is the baseline: `autoresearch log` lists them
    ");
    assert_answer!(show(&bed, &["4", "--diff"]), @"
    exit code 2
    --- stderr
    error: trial 4 has no commit: no file in the scope was changed
    hint: `autoresearch show 4` shows what is known of it
    ");
    show(&bed, &["0", "--stat"])
        .fails(2)
        .says("the baseline changed nothing");
    show(&bed, &["x"]).fails(2);
    show(&bed, &["1", "--run", "absent"])
        .fails(2)
        .says("there is no run `absent`");
    // As in a run of the version before: the commit is gone, and the story is not.
    bed.git(&["update-ref", "-d", "refs/autoresearch/demo/trial/2"]);
    bed.git(&["reflog", "expire", "--expire=now", "--all"]);
    bed.git(&["gc", "-q", "--prune=now"]);
    show(&bed, &["2"]).ok().says("verify-failed");
    show(&bed, &["2", "--diff"])
        .fails(2)
        .says("any more")
        .says("git gc");
    let none = Testbed::new();
    show(&none, &["1"]).fails(2).says("no run was started in");
}

#[test]
fn a_trial_is_shown_while_another_process_makes_one_and_after_the_run_has_ended() {
    let bed = Testbed::started(&ConfigText::demo().verify("test ! -e ../home/wait || { touch ../home/at-work; while test -e ../home/wait; do sleep 0.02; done; }; sh count.sh"));
    assert_eq!(bed.try_count(4), "keep");
    let wait = bed.home.join("wait");
    std::fs::write(&wait, "").unwrap();
    bed.edit(3);
    let mut trial = bed
        .command(&["trial", "-m", "slow"])
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    wait_until("verify runs", || bed.home.join("at-work").exists());
    show(&bed, &["1"]).ok().says("keep");
    show(&bed, &["1", "--diff"]).ok().says("-any");
    show(&bed, &["2"]).ok().says("not decided yet");
    show(&bed, &["2", "--diff"]).fails(2).says("is being made");
    bed.run(&["runs"])
        .ok()
        .says("demo  running, any_count 10 -> 9");
    std::fs::remove_file(&wait).unwrap();
    assert!(trial.wait().unwrap().success());
    bed.run(&["finish"]).ok();
    show(&bed, &["2"]).ok().says("keep");
    bed.run(&["runs"])
        .ok()
        .says("demo  ended: user-stop, any_count 10 -> 8, 2 trials, 2 kept");
}

/// A trial that waits for a rework has a commit, and what was reworked is shown whole.
#[test]
fn all_attempts_of_a_reworked_trial_are_shown_together() {
    let bed = Testbed::started(&ConfigText::demo());
    bed.edit(2);
    bed.write("src/state", "bad\n");
    assert_eq!(bed.trial("guard fails")["verdict"], "rework");
    show(&bed, &["1"])
        .ok()
        .says("waits for a rework")
        .says("guard-failed")
        .says("2 files changed");
    bed.write("src/state", "ok\n");
    let words = ["trial", "--rework", "-m", "fixed", "--json"];
    assert_eq!(bed.run(&words).ok().json()["verdict"], "keep");
    let shown = show(&bed, &["1"]).ok().out;
    assert!(
        shown.contains("guard fails; rework: fixed") && shown.contains("1 file changed"),
        "{shown}"
    );
}

#[test]
fn runs_lists_every_run_of_every_work_tree_with_what_is_wrong_with_it() {
    let bed = eventful();
    let first = bed.run(&["runs", "--json"]).ok().json();
    assert_eq!(first["runs"][0]["state"], "active");
    assert_eq!(
        (&first["runs"][0]["trials"], &first["runs"][0]["kept"]),
        (&4.into(), &1.into())
    );
    bed.run(&["finish"]).ok();
    let other = bed.home.join("other");
    bed.git(&[
        "worktree",
        "add",
        "-q",
        "-b",
        "side",
        other.to_str().unwrap(),
        "main",
    ]);
    let file = bed.home.join("config.yaml");
    std::fs::write(&file, ConfigText::demo().tag("aside").to_string()).unwrap();
    let there = other.to_str().unwrap();
    bed.run(&["-C", there, "start", "--config", file.to_str().unwrap()])
        .ok();
    std::fs::write(&file, ConfigText::demo().tag("edited").to_string()).unwrap();
    bed.run(&["start", "--config", file.to_str().unwrap()]).ok();
    bed.run(&["finish"]).ok();
    let journal = bed.path("autoresearch-results/edited/journal.jsonl");
    let text = std::fs::read_to_string(&journal).unwrap();
    std::fs::write(&journal, text.replace("Fewer any", "More of any")).unwrap();
    assert_answer!(bed.run(&["runs"]).ok(), @"
    aside  active, any_count 10 -> 10, 0 trials, 0 kept, in ../home/other, started <time>
      Fewer any
    demo  ended: user-stop, any_count 10 -> 9, 4 trials, 1 kept, started <time>
      Fewer any
    edited  unreadable
      the run's files are not what this tool left
    ");
    let aside = bed.run(&["runs", "--run", "aside", "--json"]).ok().json();
    assert_eq!(aside["runs"].as_array().unwrap().len(), 1);
    bed.run(&["runs", "--run", "absent"])
        .fails(2)
        .says("there is no run `absent` in this repository");
    std::fs::remove_dir_all(bed.path("autoresearch-results/demo")).unwrap();
    bed.run(&["runs"])
        .ok()
        .says("demo  lost, any_count 10 -> 9, 4 trials, 1 kept");
}
