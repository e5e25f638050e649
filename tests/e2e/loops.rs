//! The loop itself: keep, discard, crash, no-op, and the named ends.

use crate::config_text::ConfigText;
use crate::shown::assert_answer;
use crate::testbed::{CONFIG, Testbed};

fn with(extra: &str) -> String {
    format!("{CONFIG}{extra}\n")
}

#[test]
fn every_verdict_is_measured_recorded_and_undone_by_the_tool() {
    let bed = Testbed::started(CONFIG);
    assert_eq!(bed.try_count(4), "keep");
    let kept = bed.head();
    assert_eq!(bed.try_count(6), "discard");
    assert_eq!(bed.agents_trial("4 any")["verdict"], "no-op");
    bed.write("src/new", "x\n");
    assert_eq!(bed.trial("a tie")["reason"], "tie");
    assert!(!bed.path("src/new").exists());
    bed.run(&["strategy", "refine", "-m", "fewer files\tnot fewer lines"])
        .ok();
    bed.write("src/d", "y");
    std::fs::remove_file(bed.path("src/a")).unwrap();
    assert_eq!(bed.trial("fewer by deletion")["verdict"], "keep");
    assert_eq!(bed.git(&["rev-parse", "HEAD~1"]).trim(), kept);
    assert_eq!(bed.git(&["status", "--porcelain"]), "");
    let rows: Vec<String> = bed
        .rows()
        .iter()
        .map(|row| {
            [&row[0], &row[2], &row[3], &row[4], &row[5], &row[6]]
                .map(String::as_str)
                .join(" | ")
        })
        .collect();
    insta::assert_snapshot!(rows.join("\n"), @r"
    0 | 10 | 0 | pass | baseline | the untouched tree, 3 runs
    1 | 9 | -1 | pass | keep | 4 any
    2 | 11 | +2 | - | discard | 6 any [worse-metric: the metric is not better]
    3 | - | - | - | no-op | 4 any [nothing-changed: no file in the scope was changed]
    4 | 9 | 0 | - | discard | a tie [tie: the metric is equal]
    - | - | - | - | refine | fewer files\tnot fewer lines
    5 | 5 | -4 | pass | keep | fewer by deletion
    ");
    assert_eq!(bed.rows()[1][1], kept[..7]);
    assert_eq!(bed.rows()[2][1], "-");
}

#[test]
fn a_crash_of_verify_is_never_a_metric() {
    let bed = Testbed::new();
    bed.write(
        "count.sh",
        "set -e\ntest -f src/a || exit 7\ncat src/* | grep -c any\n",
    );
    bed.git(&["commit", "-qam", "count"]);
    bed.start(CONFIG);
    std::fs::remove_file(bed.path("src/a")).unwrap();
    let report = bed.trial("no a");
    assert_eq!(
        (report["verdict"].as_str(), report["value"].is_null()),
        (Some("crash"), true)
    );
    assert_eq!(report["detail"], "verify failed: exit status 7");
    assert!(bed.path("src/a").exists());
}

#[test]
fn output_that_is_no_number_is_a_crash_with_the_line_in_the_reason() {
    let bed = Testbed::new();
    bed.write("count.sh", "cat src/value\n");
    bed.write("src/value", "10 problems\n");
    bed.git(&["add", "-A"]);
    bed.git(&["commit", "-qm", "value"]);
    bed.start(CONFIG);
    for (text, words) in [
        ("Infinity\n", "not a finite number"),
        ("nan\n", "not a finite number"),
        ("", "printed nothing"),
        ("3 of 4\n", "more than one number"),
        ("all good\n", "not a number"),
    ] {
        bed.write("src/value", text);
        let report = bed.trial("value");
        assert_eq!(report["verdict"], "crash", "{text}");
        assert!(
            report["detail"].as_str().unwrap().contains(words),
            "{report}"
        );
        if let Some(due @ ("refine" | "pivot" | "search")) = report["due"].as_str() {
            bed.run(&["strategy", due, "-m", "go on"]).ok();
        }
    }
    bed.write("src/value", "9.5 problems\n");
    assert_eq!(bed.trial("value")["delta"], "-0.5");
}

#[test]
fn a_simplification_is_kept_on_a_tie_when_it_removes_more_than_it_adds() {
    let bed = Testbed::new();
    bed.write("src/long", "one\ntwo\nthree\n");
    bed.git(&["add", "-A"]);
    bed.git(&["commit", "-qm", "long"]);
    bed.start(CONFIG);
    bed.write("src/long", "one\ntwo\nthree\nfour\n");
    let report = bed
        .run(&["trial", "-m", "longer", "--simplify", "--json"])
        .ok()
        .json();
    assert_eq!(report["verdict"], "discard");
    bed.write("src/long", "one\n");
    let report = bed
        .run(&["trial", "-m", "shorter", "--simplify", "--json"])
        .ok()
        .json();
    assert_eq!(
        (report["verdict"].as_str(), report["delta"].as_str()),
        (Some("keep"), Some("0"))
    );
}

#[test]
fn the_target_ends_the_run_at_once_and_no_trial_follows() {
    let bed = Testbed::started(&ConfigText::demo().target(7));
    bed.edit(2);
    let report = bed.trial("two");
    assert_eq!(
        (report["end"].as_str(), report["due"].as_str()),
        (Some("target"), Some("finish"))
    );
    bed.edit(1);
    assert_answer!(bed.run(&["trial", "-m", "one"]), @"
    exit code 2
    --- stderr
    error: no run is active here: `demo` has ended (target)
    hint: `autoresearch status` shows it; `autoresearch start --config FILE` starts a new one
    ");
    assert_eq!(bed.story(), ["0 baseline", "1 keep"]);
}

#[test]
fn the_iteration_cap_is_enforced_by_the_tool() {
    let bed = Testbed::started(&ConfigText::demo().iterations(2));
    bed.try_count(6);
    bed.edit(7);
    assert_eq!(bed.trial("seven")["end"], "iteration-cap");
    bed.edit(1);
    assert_answer!(bed.run(&["trial", "-m", "one"]), @"
    exit code 2
    --- stderr
    error: no run is active here: `demo` has ended (iteration-cap)
    hint: `autoresearch status` shows it; `autoresearch start --config FILE` starts a new one
    ");
}

#[test]
fn the_time_limit_is_enforced_by_the_tool() {
    let bed = Testbed::started(&with("time_limit: 1ms"));
    bed.edit(1);
    assert_answer!(bed.run(&["trial", "-m", "one"]), @"
    exit code 2
    --- stderr
    error: the run `demo` has ended: time-limit (reached the time limit of 1ms; any_count is 10)
    hint: `autoresearch raise` sets a higher limit, and the run continues; `autoresearch finish` goes back to your branch
    ");
    assert_eq!(
        bed.run(&["status", "--json"]).ok().json()["end"],
        "time-limit"
    );
}

#[test]
fn stop_when_and_required_labels_hold_the_end_back() {
    let bed = Testbed::new();
    bed.write("count.sh", "n=$(cat src/* | grep -c any)\necho \"METRIC any_count=$n\"\necho \"METRIC files=$(ls src | wc -l)\"\n");
    bed.git(&["commit", "-qam", "count"]);
    bed.start(&with("stop_when: [{metric: any_count, op: \"<=\", value: 8}, {metric: files, op: \">=\", value: 4}]\nrequired_labels: {stop: [real]}"));
    bed.edit(3);
    assert!(bed.trial("no label")["end"].is_null());
    bed.edit(2);
    let report = bed
        .run(&["trial", "-m", "labelled", "--label", "real", "--json"])
        .ok()
        .json();
    assert_eq!(report["end"], "target");
    assert!(bed.rows().last().unwrap()[6].contains("#real"));
}

#[test]
fn keep_when_and_required_labels_hold_a_keep_back() {
    let bed = Testbed::new();
    bed.write("count.sh", "echo \"{\\\"primary\\\": $(cat src/* | grep -c any), \\\"files\\\": $(ls src | wc -l)}\"\n");
    bed.git(&["commit", "-qam", "count"]);
    bed.start(&with(
        "keep_when: [{metric: files, op: \">=\", value: 4}]\nrequired_labels: {keep: [real]}",
    ));
    std::fs::remove_file(bed.path("src/a")).unwrap();
    assert_eq!(bed.trial("too few files")["reason"], "keep-when");
    bed.edit(1);
    assert_eq!(bed.trial("no label")["reason"], "missing-label");
    bed.edit(1);
    let report = bed
        .run(&["trial", "-m", "labelled", "--label", "real", "--json"])
        .ok()
        .json();
    assert_eq!(report["verdict"], "keep");
}

#[test]
fn a_noisy_metric_is_recognised_and_one_lucky_run_keeps_nothing() {
    let bed = Testbed::new();
    // The noise comes from a counter outside the repository: 0, 1, 2, 0, 1, 2, ...
    let counter = bed.home.join("counter");
    bed.write("count.sh", &format!("n=$(cat {0} 2>/dev/null || echo 0)\necho $(( (n + 1) % 3 )) > {0}\necho $(( $(cat src/* | grep -c any) * 10 + n ))\n", counter.display()));
    bed.git(&["commit", "-qam", "noise"]);
    let started = bed.run_start_json();
    assert_eq!(started["deterministic"], false);
    assert_eq!(started["samples"].as_array().unwrap().len(), 6);
    bed.write("src/x", "nothing\n");
    let report = bed.trial("does nothing");
    assert_eq!(report["verdict"], "discard");
    bed.edit(1);
    let report = bed.trial("a real gain");
    assert_eq!(report["verdict"], "keep", "{report}");
    assert!(report["value"].as_f64().unwrap() < 70.0);
    let outputs = std::fs::read_dir(bed.run_file("trials/2")).unwrap().count();
    assert!(
        outputs >= 6,
        "screening and fresh runs leave their output, found {outputs} files"
    );
}

impl Testbed {
    fn run_start_json(&self) -> serde_json::Value {
        let file = self.home.join("config.yaml");
        std::fs::write(&file, CONFIG).unwrap();
        self.run(&["start", "--config", file.to_str().unwrap(), "--json"])
            .ok()
            .json()
    }
}

#[test]
fn the_text_for_the_agent_is_short_and_ends_with_the_next_step() {
    let bed = Testbed::new();
    bed.write(
        "count.sh",
        "test -f src/a || { seq 1 5000 >&2; exit 3; }\ncat src/* | grep -c any\n",
    );
    bed.git(&["commit", "-qam", "loud"]);
    bed.start(CONFIG);
    std::fs::remove_file(bed.path("src/a")).unwrap();
    let long = "a very long story ".repeat(200);
    let answer = bed.run(&["trial", "-m", &long]).ok();
    assert!(
        answer.out.len() < 1_200,
        "about 300 tokens, found {} bytes:\n{}",
        answer.out.len(),
        answer.out
    );
    assert!(
        answer
            .out
            .trim_end()
            .lines()
            .last()
            .unwrap()
            .starts_with("next: ")
    );
}

#[test]
fn a_crash_shows_the_first_error_with_its_place_and_the_last_lines_within_the_budget() {
    let bed = Testbed::new();
    let filler = "x".repeat(300);
    bed.write(
        "count.sh",
        &format!(
            "test -f src/a || {{ echo '   Compiling shop'; echo 'error[E0308]: mismatched types {filler}'; echo ' --> src/b:3:5'; seq 1 40; echo 'could not compile {filler}'; exit 3; }} >&2\ncat src/* | grep -c any\n"
        ),
    );
    bed.git(&["commit", "-qam", "loud"]);
    bed.start(CONFIG);
    std::fs::remove_file(bed.path("src/a")).unwrap();
    for number in 0..30 {
        bed.write(&format!("src/a-file-with-a-name-{number}"), "x\n");
    }
    let answer = bed.run(&["trial", "-m", "broken"]).ok();
    for words in [
        "  | error[E0308]: mismatched types",
        "  |  --> src/b:3:5",
        "  | 40",
        "  | could not compile",
        "files: src/a, src/a-file-with-a-name-0",
        " more\n",
    ] {
        assert!(answer.out.contains(words), "{words}: {}", answer.out);
    }
    assert!(answer.out.len() < 1_200, "{} bytes", answer.out.len());
}

#[test]
fn the_answer_of_a_trial_lists_its_files_whatever_the_verdict() {
    let bed = Testbed::started(CONFIG);
    let files = |report: &serde_json::Value| {
        let names = report["files"].as_array().unwrap().clone();
        assert_eq!(report["files_count"], names.len());
        names
    };
    bed.edit(20);
    bed.write("src/new", "x\n");
    assert_eq!(files(&bed.trial("worse")), ["src/a", "src/new"]);
    assert!(files(&bed.trial("nothing")).is_empty());
    bed.edit(1);
    bed.write("src/state", "broken\n");
    let report = bed.trial("guard fails");
    assert_eq!(report["verdict"], "rework");
    assert_eq!(files(&report), ["src/a", "src/state"]);
    bed.write("src/state", "ok\n");
    let rework = ["trial", "--rework", "-m", "mend", "--json"];
    let report = bed.run(&rework).ok().json();
    assert_eq!(
        (report["verdict"].as_str(), files(&report)),
        (Some("keep"), vec!["src/a".into()]),
        "what the whole trial changed"
    );
    bed.edit(0);
    bed.write("outside", "x\n");
    assert_eq!(files(&bed.trial("void")), ["src/a"]);
}

#[test]
fn start_names_the_pinned_files() {
    let bed = Testbed::new();
    let answer = bed.start(CONFIG);
    assert_answer!(answer, @r#"
    run `demo` started: Fewer any
      metric    any_count = 10 (lower is better)
      noise     none: 3 equal runs; a keep takes two equal runs or three, a discard one
      guard     pass
      scope     src/**
      pinned    2 files: count.sh, guard.sh; a trial that changes one is void
      branch    autoresearch/demo in <bed>/repo
      limits    100 iterations
      log       autoresearch-results/demo/research-results.tsv
    next: change one thing in scope (src/**), leave git alone, then run: autoresearch trial -m "what you changed"
    "#);
    bed.run(&["finish"]).ok();
    let file = bed.home.join("config.yaml");
    let start = ["start", "--config", file.to_str().unwrap(), "--json"];
    let pinned = bed.run(&start).ok().json()["pinned"].clone();
    let names = pinned.as_array().unwrap();
    assert!(names.contains(&"count.sh".into()) && names.contains(&"guard.sh".into()));
}

#[test]
fn messages_with_tabs_and_newlines_stay_one_row() {
    let bed = Testbed::started(CONFIG);
    bed.edit(4);
    bed.trial("a\ttab\nand a line\u{1b}[31m");
    assert_eq!(bed.rows()[1].len(), 7);
    assert_eq!(bed.rows()[1][6], "a\\ttab\\nand a line\\u{1b}[31m");
    assert_eq!(
        bed.git(&["log", "-1", "--format=%s"]).trim(),
        "experiment: a\\ttab\\nand a line\\u{1b}[31m"
    );
}

#[test]
fn commands_work_from_any_folder_of_the_repository() {
    let bed = Testbed::started(CONFIG);
    bed.edit(4);
    let folder = bed.path("src");
    let answer = bed
        .run(&[
            "-C",
            folder.to_str().unwrap(),
            "trial",
            "-m",
            "from below",
            "--json",
        ])
        .ok();
    assert_eq!(answer.json()["verdict"], "keep");
}
