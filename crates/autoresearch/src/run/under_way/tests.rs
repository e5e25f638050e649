//! What is said while another process works on the run.

use insta::assert_snapshot;

use super::*;

fn make_work(phase: &'static str, verify_run: Option<u32>) -> UnderWay {
    UnderWay {
        pid: Some(4711),
        command: "trial".to_owned(),
        trial: Some(4),
        phase: Some(phase),
        verify_run,
        phase_ms: Some(65_432),
        elapsed_ms: Some(190_000),
    }
}

#[test]
fn every_phase_of_a_trial_is_described_with_its_time_and_the_whole() {
    let phases = [
        ("committing", None),
        ("verify", Some(2)),
        ("guard", None),
        ("deciding", None),
        ("undoing", None),
    ];
    let lines = phases.map(|(phase, run)| make_work(phase, run).describe_work());
    assert_snapshot!(lines.join("\n"), @"
    trial 4 is being measured: committing the edits for 1m5s, 3m10s in all
    trial 4 is being measured: verify run 2 for 1m5s, 3m10s in all
    trial 4 is being measured: guard for 1m5s, 3m10s in all
    trial 4 is being measured: deciding for 1m5s, 3m10s in all
    trial 4 is being measured: taking back what was not kept for 1m5s, 3m10s in all
    ");
}

#[test]
fn a_process_that_makes_no_trial_is_named_by_its_command() {
    let work = UnderWay {
        trial: None,
        ..make_work("guard", None)
    };
    assert_eq!(
        work.describe_work(),
        "process 4711 (`trial`) works on the run"
    );
    let work = UnderWay {
        phase: None,
        ..make_work("guard", None)
    };
    assert_eq!(
        work.describe_work(),
        "process 4711 (`trial`) works on the run"
    );
}

#[test]
fn whoever_looks_meanwhile_is_told_to_wait_and_change_nothing() {
    assert_snapshot!(make_work("guard", None).next_step("autoresearch"), @"next: wait and change no file: trial 4 is being measured: guard for 1m5s, 3m10s in all. Its answer comes where it was started; `autoresearch status` looks again");
}

#[test]
fn a_time_is_shown_in_whole_seconds() {
    for (ms, shown) in [
        (0, "0s"),
        (999, "0s"),
        (1_000, "1s"),
        (59_999, "59s"),
        (3_723_456, "1h2m"),
    ] {
        assert_eq!(show_whole_seconds(ms), shown);
    }
}
