//! Every line that the answer of `remeasure` can have, and what programs get of it.

use insta::assert_snapshot;

use super::*;

fn make_report_of(values: &[&str]) -> RemeasureReport {
    let values: Vec<Value> = values.iter().map(|value| value.parse().unwrap()).collect();
    let median = Value::median_of(&values);
    let delta = median
        .as_ref()
        .map(|median| (median - &100.into()).format_signed());
    RemeasureReport {
        run: "faster".to_owned(),
        state: NamedState::Incumbent,
        trial: 2,
        hash: CommitId::from_bytes(&[0x22; 20]),
        metric: "total".to_owned(),
        direction: "lower",
        unit: Unit::from_text("ms"),
        low: values.iter().min().cloned(),
        high: values.iter().max().cloned(),
        verify_runs: u32::try_from(values.len()).unwrap() + 1,
        values,
        median,
        believed: 100.into(),
        delta,
        gain: None,
        joined: true,
        spread: 0.0,
        why: None,
        interrupted: false,
        repaired: Vec::new(),
        next: "next: change one thing".to_owned(),
        told: "the kept state (trial 2)".to_owned(),
        turned_noisy: false,
    }
}

/// The line of an answer that begins with this word.
fn find_line(report: &RemeasureReport, word: &str) -> String {
    let text = report.to_string();
    let mut lines = text.lines().map(str::trim);
    let found = lines.find(|line| line.starts_with(word));
    found.unwrap_or_default().to_owned()
}

#[test]
fn a_noisy_state_is_told_with_its_interval_and_what_a_run_spreads_by() {
    let noisy = RemeasureReport {
        gain: Some(GainRange::of_shares(0.01, -0.01, 0.03)),
        spread: 0.97,
        ..make_report_of(&["99.5", "101.25", "98"])
    };
    assert_snapshot!(noisy, @"
    the kept state (trial 2) of run `faster` once more, commit 2222222
      values    99.5 101.25 98
      median    99.5 ms, 98 to 101.25 (3 runs)
      believed  100 ms of the kept state; the median differs by -0.5 (lower is better)
      against   cannot be told from nothing: 1 % (-1 to 3), 95 % interval
      evidence  these runs count for the next trial; a run spreads by 0.97 %
      cost      4 runs of verify
    next: change one thing
    ");
}

#[test]
fn what_was_repaired_comes_first_and_what_ended_the_runs_after_them() {
    let stopped = RemeasureReport {
        repaired: vec!["an incomplete line was moved".to_owned()],
        why: Some("verify failed: exit status 4".to_owned()),
        ..make_report_of(&["100"])
    };
    assert_snapshot!(stopped, @"
    repaired: an incomplete line was moved
    the kept state (trial 2) of run `faster` once more, commit 2222222
      values    100
      median    100 ms, all equal (1 run)
      believed  100 ms of the kept state; the median differs by 0 (lower is better)
      then      verify failed: exit status 4
      evidence  these runs count for the next trial
      cost      2 runs of verify
    next: change one thing
    ");
    let empty = RemeasureReport {
        why: stopped.why,
        joined: false,
        ..make_report_of(&[])
    };
    assert_snapshot!(empty, @"
    the kept state (trial 2) of run `faster` once more, commit 2222222
      values    none
      then      verify failed: exit status 4
      evidence  recorded; nothing that the run believes changes
      cost      1 run of verify
    next: change one thing
    ");
}

#[test]
fn an_interruption_is_said_beside_the_runs_that_were_made() {
    let cut = RemeasureReport {
        interrupted: true,
        ..make_report_of(&["100", "100"])
    };
    assert_eq!(find_line(&cut, "then"), "then      interrupted");
    assert_eq!(
        find_line(&cut, "median"),
        "median    100 ms, all equal (2 runs)"
    );
    assert_eq!(find_line(&cut, "cost"), "cost      3 runs of verify");
}

#[test]
fn an_interval_on_one_side_of_nothing_is_a_gain_or_a_loss() {
    let told = [(0.2, 0.18, 0.22), (-0.2, -0.22, -0.18), (0.0, -0.1, 0.1)].map(|shares| {
        let report = RemeasureReport {
            gain: Some(GainRange::of_shares(shares.0, shares.1, shares.2)),
            ..make_report_of(&["80"])
        };
        find_line(&report, "against")
    });
    assert_snapshot!(told.join("\n"), @"
    against   a gain of 20 % (18 to 22), 95 % interval
    against   a loss: -20 % (-22 to -18), 95 % interval
    against   cannot be told from nothing: 0 % (-10 to 10), 95 % interval
    ");
    assert_eq!(find_line(&make_report_of(&["80"]), "against"), "");
}

#[test]
fn what_becomes_of_the_runs_is_said_in_each_case() {
    let tell = |joined, turned_noisy, spread| {
        let report = RemeasureReport {
            joined,
            spread,
            turned_noisy,
            ..make_report_of(&["100"])
        };
        find_line(&report, "evidence")
    };
    let told = [
        tell(true, false, 0.0),
        tell(true, false, 1.5),
        tell(true, true, 1.5),
        tell(false, false, 1.5),
    ];
    assert_snapshot!(told.join("\n"), @"
    evidence  these runs count for the next trial
    evidence  these runs count for the next trial; a run spreads by 1.5 %
    evidence  the metric is noisy from now on: two runs of one commit differ
    evidence  recorded; nothing that the run believes changes
    ");
}

#[test]
fn programs_get_numbers_as_numbers_and_no_words_for_people() {
    let noisy = RemeasureReport {
        gain: Some(GainRange::of_shares(0.01, -0.01, 0.03)),
        ..make_report_of(&["99.5", "101.25"])
    };
    assert_snapshot!(serde_json::to_string_pretty(&noisy).unwrap(), @r#"
    {
      "run": "faster",
      "state": "incumbent",
      "trial": 2,
      "hash": "2222222222222222222222222222222222222222",
      "metric": "total",
      "direction": "lower",
      "unit": "ms",
      "values": [
        99.5,
        101.25
      ],
      "median": 100.375,
      "low": 99.5,
      "high": 101.25,
      "believed": 100,
      "delta": "+0.375",
      "gain": {
        "gain": 1,
        "low": -1,
        "high": 3
      },
      "joined": true,
      "spread": 0.0,
      "verify_runs": 3,
      "why": null,
      "interrupted": false,
      "repaired": [],
      "next": "next: change one thing"
    }
    "#);
}
