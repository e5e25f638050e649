//! A result is kept only when a second run gives it too; one far outside everything measured before is named at the end.

use crate::config_text::ConfigText;
use crate::testbed::Testbed;

fn config() -> ConfigText {
    ConfigText::demo()
        .goal("Smaller")
        .metric("bytes")
        .verify("sh size.sh")
        .without_guard()
}

/// A repository with a verify of its own; the subject is `src/code`.
fn measuring(script: &str, code: &str) -> Testbed {
    let bed = Testbed::new();
    bed.write("size.sh", script);
    bed.write("src/code", code);
    bed.write(".gitignore", "made\n");
    bed.git(&["add", "-A"]);
    bed.git(&["commit", "-qm", "code"]);
    bed
}

/// What a trial says, without its time-dependent parts.
fn says(bed: &Testbed, code: &str) -> String {
    bed.write("src/code", code);
    let answer = bed.run(&["trial", "-m", "a change"]).ok().out;
    shown(&answer)
}

fn shown(answer: &str) -> String {
    let hash = |word: &str| {
        let bare = word.trim_end_matches(['.', ',']);
        bare.len() == 7 && bare.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    let line = |line: &str| {
        let words = line
            .split(' ')
            .map(|word| if hash(word) { "<hash>" } else { word });
        words.collect::<Vec<_>>().join(" ")
    };
    let kept = answer.lines().filter(|line| !line.starts_with("next:"));
    kept.map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_pipe_that_hides_a_failure_is_flagged_in_answer_log_and_finish() {
    // The compiler fails on the word `broken`, and the pipe goes on with what it had printed.
    let script = "{ grep -q broken src/code && { echo 'error: syntax' >&2; exit 1; }; cat src/code; } | wc -c\n";
    let bed = measuring(script, &"x".repeat(5_000));
    bed.start(&config());
    insta::assert_snapshot!(says(&bed, "broken"), @"
    trial 1: keep, bytes 0 (-5000, -100 %), commit <hash>
    jump: far outside everything measured before; a second run agrees; make sure that verify still measures what it should: autoresearch-results/demo/trials/1
    files: src/code
      | error: syntax
    whole output: autoresearch-results/demo/trials/1
    ");
    let rows = bed.run(&["log", "--json"]).ok().json();
    let row = rows["rows"][1]["description"].as_str().unwrap().to_owned();
    insta::assert_snapshot!(row, @"a change [jump: far outside everything measured before; a second run agrees]");
    assert_eq!(
        bed.run(&["status", "--json"]).ok().json()["incumbent"],
        serde_json::json!(0)
    );
    insta::assert_snapshot!(shown(&bed.run(&["finish"]).ok().out), @"
    run `demo` ended: user-stop (finished by a person)
    improved: bytes 5000 -> 0, 1 trial kept on autoresearch/demo
    claim: a gain of 100 %: a clean checkout of the last commit was measured again
      <hash> experiment: a change [jump: far outside everything measured before; a second run agrees; look at it before you merge]
    checked out: main
    left here: branch autoresearch/demo, folder autoresearch-results/demo; `autoresearch clean` lists what can be removed
    ");
}

#[test]
fn a_number_that_a_second_run_does_not_repeat_is_not_kept() {
    let script = "test -s src/code || exit 1; if grep -q lucky src/code && [ ! -e made ]; then : > made; echo 3; else echo 5000; fi\n";
    let bed = measuring(script, "x\n");
    bed.start(&config());
    let lucky = says(&bed, "lucky\n");
    assert!(
        lucky.contains("discard (cannot-tell), bytes 5000 (0)"),
        "{lucky}"
    );
    let trials = bed.run_file("trials/1");
    assert!(trials.join("verify-2.out").exists());
}

#[test]
fn a_lottery_wins_no_keep_and_what_it_costs_is_counted() {
    // Each run gives another number, and the first one is always below that of the baseline.
    let script = "test -s src/code || exit 1\ngrep -q lottery src/code || { echo 5000; exit; }\nn=$(cat made 2>/dev/null || echo 0); echo $((n + 1)) > made; set -- 4999 5001 5000; shift $((n % 3)); echo $1\n";
    let bed = measuring(script, "x\n");
    bed.start(&format!("{}budget: {{verify_runs: 9}}\n", config()));
    let lottery = says(&bed, "lottery\n");
    assert!(lottery.contains("discard (cannot-tell)"), "{lottery}");
    assert!(
        lottery.contains("after 3 runs and 6 of the kept state"),
        "{lottery}"
    );
    let state = bed.run(&["status", "--json"]).ok().json();
    assert_eq!(
        (&state["keep"], &state["incumbent"]),
        (&0.into(), &5000.into()),
        "{state}"
    );
    assert_eq!(state["end"], "budget");
}

#[test]
fn the_last_problems_may_go_at_once_and_are_measured_twice() {
    let bed = measuring(
        "grep -c problem src/code || [ $? -eq 1 ]\n",
        &"problem\n".repeat(12),
    );
    bed.start(&config().target(0));
    insta::assert_snapshot!(says(&bed, "fine\n"), @"
    trial 1: keep, bytes 0 (-12, -100 %), commit <hash>
    jump: far outside everything measured before; a second run agrees; make sure that verify still measures what it should: autoresearch-results/demo/trials/1
    files: src/code
      | 0
    whole output: autoresearch-results/demo/trials/1
    ");
    let state = bed.run(&["status", "--json"]).ok().json();
    assert_eq!(state["end"], "target");
}

#[test]
fn a_keep_costs_two_runs_three_by_one_digit_and_a_discard_one() {
    let bed = measuring(
        "grep -c problem src/code || [ $? -eq 1 ]\n",
        &"problem\n".repeat(12),
    );
    bed.start(&config());
    for left in [8, 5, 3, 1, 0] {
        let answer = says(&bed, &format!("{}end\n", "problem\n".repeat(left)));
        assert!(
            answer.contains("keep") && !answer.contains("jump"),
            "{answer}"
        );
    }
    let worse = says(&bed, "problem\n");
    assert!(worse.contains("worse-metric"), "{worse}");
    let runs = |trial: u32| {
        let outputs = (1..9).map(|run| bed.run_file(&format!("trials/{trial}/verify-{run}.out")));
        outputs.filter(|output| output.exists()).count()
    };
    assert_eq!((1..=6).map(runs).collect::<Vec<_>>(), [2, 2, 2, 2, 3, 1]);
}
