//! Trials with scripted answers of verify and guard: what runs, what is kept, and what is on disk.

use autoresearch_core::config::check_config;
use autoresearch_core::decide::evidence::Evidence;
use autoresearch_core::decide::evidence::level::Side;
use autoresearch_core::decide::incumbent::Incumbent;
use autoresearch_core::decide::judge::{Attempt, Judgement, TrialOutcome};
use autoresearch_core::git_names::{CommitId, TreeId};
use autoresearch_core::journal::event::Guard;
use autoresearch_core::journal::runs::{imply_runs, record_runs};
use autoresearch_core::metric::value::Value;
use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::trial::scripted::{ScriptedAnswer, ScriptedExecutor};

fn make_config() -> Config {
    let document = json!({
        "goal": "fewer", "scope": ["src/**"],
        "metric": {"name": "count", "direction": "lower"},
        "verify": {"command": "count", "ok_exit": [0, 1], "working_directory": "sub", "timeout": "7s"},
        "guard": {"command": "check", "shell": "bash"},
    });
    check_config(&document).config.unwrap()
}

/// What a trial of a run that stands at 47 came to, with these answers of verify and guard, and its output files.
/// `runs` are those of the kept state, which gives the last of them once more when it is asked for.
fn measure(runs: &[i64], executor: &ScriptedExecutor) -> (Result<Judgement>, TempDir) {
    let config = make_config();
    let values: Vec<Value> = runs.iter().map(|value| Value::from(*value)).collect();
    let mut evidence = Evidence::new(config.metric.direction, 0.0);
    let time = RunTime::default();
    record_runs(&mut evidence, &imply_runs(Side::Incumbent, &values, time));
    let (measurement, _) = read_measurement("47", &config.metric, None).unwrap();
    let incumbent = Incumbent {
        trial: 0,
        commit: CommitId::from_bytes(&[0xc0; 20]),
        tree: TreeId::from_bytes(&[7; 20]),
        measurement,
        labels: Vec::new(),
    };
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().to_owned();
    let mut bench = Bench::new(
        executor,
        (
            |_| {},
            Clock::Fixed("1970-01-01T00:00:00Z".parse().unwrap()),
        ),
        Path::new("/srv"),
        place,
        "",
    );
    let mut judge = Judge::new(&config, &incumbent, evidence, Attempt::default());
    let kept = incumbent.measurement.clone();
    let measure_kept = || Ok((Some(kept.clone()), RunTime::default()));
    let checked = run_checks(&mut bench, &config, &mut judge, |_| {}, measure_kept);
    (checked.map(|()| judge.to_judgement().unwrap()), folder)
}

const EXACT: [i64; 3] = [47; 3];

fn measure_exact(answers: &[ScriptedAnswer]) -> Judgement {
    let executor = ScriptedExecutor::new(answers.iter().cloned());
    let judgement = measure(&EXACT, &executor).0.unwrap();
    assert_eq!(executor.count_left(), 0, "every answer was asked for");
    judgement
}

#[test]
fn a_better_number_with_a_guard_that_passes_is_kept_and_both_outputs_are_on_disk() {
    let exit = CommandEnd::Exited;
    let executor = ScriptedExecutor::new([
        (exit(1), "counting\n45\n"),
        (exit(0), "counted\n45\n"),
        (exit(0), "fine\n"),
    ]);
    let (judgement, folder) = measure(&EXACT, &executor);
    assert_eq!(judgement.unwrap().outcome, TrialOutcome::Keep);
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    assert_eq!(
        ["verify-1.out", "verify-2.out", "guard.out"].map(read),
        ["counting\n45\n", "counted\n45\n", "fine\n"]
    );
    let jobs = executor.take_jobs();
    assert!(matches!(&jobs[0].command, CommandLine::Shell(text) if text == "count"));
    assert_eq!(
        (jobs[0].directory.as_path(), jobs[0].timeout_ms),
        (Path::new("/srv/sub"), 7_000)
    );
    assert_eq!(jobs[1].command.to_string(), "count");
    assert!(matches!(&jobs[2].command, CommandLine::Bash(text) if text == "check"));
}

#[test]
fn a_guard_that_fails_behind_a_better_number_asks_for_a_rework() {
    let judgement = measure_exact(&[
        (CommandEnd::Exited(0), "45"),
        (CommandEnd::Exited(0), "45"),
        (CommandEnd::Exited(3), "broken"),
    ]);
    let why = Why::GuardFailed(How::Exit { status: 3 });
    assert_eq!(
        (judgement.outcome, judgement.guard),
        (TrialOutcome::Rework(why), Guard::Fail)
    );
}

#[test]
fn no_guard_runs_behind_a_worse_number() {
    let judgement = measure_exact(&[(CommandEnd::Exited(0), "48")]);
    assert_eq!(judgement.outcome, TrialOutcome::Discard(Why::WorseMetric));
}

#[test]
fn every_way_in_which_verify_can_fail_is_a_crash_with_its_reason() {
    for (end, how) in [
        (CommandEnd::Exited(2), How::Exit { status: 2 }),
        (CommandEnd::Signalled(11), How::Signal { signal: 11 }),
        (CommandEnd::TimedOut, How::Timeout { limit_ms: 7_000 }),
        (CommandEnd::Flooded, How::Flood { limit: MAX_OUTPUT }),
        (
            CommandEnd::NotStarted("no such folder".to_owned()),
            How::Start {
                error: "no such folder".to_owned(),
            },
        ),
    ] {
        // A number that was printed before does not count.
        let judgement = measure_exact(&[(end, "1")]);
        let why = Why::VerifyFailed(how);
        assert_eq!(judgement.outcome, TrialOutcome::Crash(why));
    }
    let judgement = measure_exact(&[(CommandEnd::Exited(0), "no number here")]);
    assert!(matches!(
        judgement.outcome,
        TrialOutcome::Crash(Why::NoMetric(_))
    ));
}

#[test]
fn a_noisy_number_far_below_is_measured_again_and_compared_with_the_kept_state_as_it_is_now() {
    let answers = ["20", "21", "fine"].map(|text| (CommandEnd::Exited(0), text));
    let executor = ScriptedExecutor::new(answers);
    let (judgement, folder) = measure(&[46, 47, 48, 47, 46, 48], &executor);
    let judgement = judgement.unwrap();
    assert_eq!(judgement.outcome, TrialOutcome::Keep);
    assert_eq!(judgement.samples, [20.into(), 21.into()]);
    let sides: Vec<Side> = judgement.runs.iter().map(|run| run.side).collect();
    assert_eq!(sides, [Side::Candidate, Side::Candidate, Side::Incumbent]);
    let jobs = executor.take_jobs();
    let texts: Vec<String> = jobs.iter().map(|job| job.command.to_string()).collect();
    assert_eq!(texts, ["count", "count", "check"]);
    let second = std::fs::read_to_string(folder.path().join("verify-2.out")).unwrap();
    assert_eq!(second, "21");
}

#[test]
fn a_cancelled_command_ends_the_trial_without_a_judgement() {
    let executor = ScriptedExecutor::new([(CommandEnd::Exited(0), "46")]);
    executor.cancel_jobs();
    let (judgement, _) = measure(&EXACT, &executor);
    assert_eq!(judgement.unwrap_err().kind, FailureKind::Interrupted);
    assert_eq!((executor.take_jobs().len(), executor.count_left()), (1, 1));
}

/// What is open after verify printed this, with these keys of the config.
fn list_open(more: &serde_json::Value, printed: &'static str) -> Vec<String> {
    let mut document = json!({
        "goal": "fewer", "scope": ["src/**"],
        "metric": {"name": "findings", "direction": "lower"}, "verify": {"command": "count"},
    });
    for (key, value) in more.as_object().unwrap() {
        document[key] = value.clone();
    }
    let config = check_config(&document).config.unwrap();
    let executor = ScriptedExecutor::new([
        (CommandEnd::Exited(0), printed),
        (CommandEnd::Exited(0), "not ok 9 - of the guard\n"),
    ]);
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::Fixed("1970-01-01T00:00:00Z".parse().unwrap());
    let place = folder.path().to_owned();
    let mut bench = Bench::new(&executor, (|_| {}, clock), Path::new("/srv"), place, "");
    bench.run_verify(&config).unwrap().unwrap();
    let before = bench.open_items.clone();
    bench.run_guard(&config.verify).unwrap().unwrap();
    assert_eq!(
        bench.open_items, before,
        "the guard says nothing of the metric"
    );
    before
}

#[test]
fn what_verify_names_is_open_where_the_metric_counts_findings() {
    let plain = json!({});
    let lint = "/srv/src/a.ts:3:1: no\nsrc/b.ts(4,1): no\n";
    let tests = "src/a.py:3: AssertionError\nFAILED src/a.py::test_x\n";
    let printed = |text: &str, last: &str| -> &'static str { format!("{text}{last}\n").leak() };
    assert_eq!(
        list_open(&plain, printed(lint, "2")),
        ["src/a.ts:3:1: no", "src/b.ts(4,1): no"]
    );
    assert_eq!(
        list_open(&plain, printed(tests, "1")),
        ["FAILED src/a.py::test_x"]
    );
    assert!(
        list_open(&plain, printed(lint, "0")).is_empty(),
        "nothing is left"
    );
    assert!(list_open(&plain, "2\n").is_empty());
    for amount in [
        json!({"metric": {"name": "passed", "direction": "higher"}}),
        json!({"metric": {"name": "build_ms", "direction": "lower"}}),
    ] {
        assert!(
            list_open(&amount, printed(lint, "2")).is_empty(),
            "{amount}"
        );
        assert_eq!(
            list_open(&amount, printed(tests, "2")),
            ["FAILED src/a.py::test_x"]
        );
    }
}
