//! Every line that the answer of `start` can have, and what programs get of it.

use insta::assert_snapshot;

use super::*;

fn make_report() -> StartReport {
    StartReport {
        rate: None,
        run: "fewer-any".to_owned(),
        folder: "autoresearch-results/fewer-any".to_owned(),
        goal: "remove every any".to_owned(),
        scope: vec!["src/**".to_owned(), "!src/vendor/**".to_owned()],
        pinned: vec!["scripts/count.sh".to_owned(), "tsconfig.json".to_owned()],
        metric: "any".to_owned(),
        direction: "lower",
        target: Some(0.into()),
        baseline: 47.into(),
        samples: vec![47.into(), 47.into()],
        deterministic: true,
        spread: 0.0,
        noise: None,
        guard: "pass",
        holdout: false,
        branch: "autoresearch/fewer-any".to_owned(),
        work_tree: "/repo".into(),
        left_alone: 0,
        limits: "50 iterations, 8h".to_owned(),
        reaction: None,
        stderr: None,
        warnings: Vec::new(),
        next: "next: change one thing in the scope".to_owned(),
    }
}

#[test]
fn an_exact_metric_is_called_free_of_noise_and_every_part_has_its_line() {
    assert_snapshot!(make_report(), @"
    run `fewer-any` started: remove every any
      metric    any = 47 (lower is better, target 0)
      noise     none: 2 equal runs; a keep takes two equal runs or three, a discard one
      guard     pass
      scope     src/** !src/vendor/**
      pinned    2 files: scripts/count.sh, tsconfig.json; a trial that changes one is void
      branch    autoresearch/fewer-any in /repo
      limits    50 iterations, 8h
      log       autoresearch-results/fewer-any/research-results.tsv
    next: change one thing in the scope
    ");
}

#[test]
fn a_noisy_metric_without_guard_pins_and_target_warns_first_and_counts_the_users_files() {
    let report = StartReport {
        target: None,
        pinned: Vec::new(),
        samples: vec![47.into(), 48.into(), 46.into()],
        deterministic: false,
        spread: 1.0,
        guard: "-",
        holdout: true,
        left_alone: 1,
        stderr: Some("warning: slow disk\nwarning: old cache".to_owned()),
        warnings: vec![
            "warning: the guard failed 1 time".to_owned(),
            "note: unsigned".to_owned(),
        ],
        ..make_report()
    };
    assert_snapshot!(report, @"
    warning: the guard failed 1 time
    note: unsigned
    run `fewer-any` started: remove every any
      metric    any = 47 (lower is better)
      noise     3 runs of any do not tell: the first trial measures the untouched tree further
      stderr    of verify, although it succeeded:
                | warning: slow disk
                | warning: old cache
      guard     none
      holdout   it passed; each keep must pass it, and nobody is shown it
      scope     src/** !src/vendor/**
      pinned    none
      yours     1 changed file outside the scope: left alone, never committed
      branch    autoresearch/fewer-any in /repo
      limits    50 iterations, 8h
      log       autoresearch-results/fewer-any/research-results.tsv
    next: change one thing in the scope
    ");
}

#[test]
fn a_long_scope_and_many_pins_are_cut_to_a_line() {
    let many = |what: &str| (0..90).map(|at| format!("{what}/{at}")).collect::<Vec<_>>();
    let report = StartReport {
        scope: many("src"),
        pinned: many("pins"),
        ..make_report()
    };
    let text = report.to_string();
    let long = text.lines().map(|line| line.chars().count()).max().unwrap();
    assert!(long <= 180, "{text}");
    assert!(
        text.contains("  pinned    90 files: pins/0, pins/1, "),
        "{text}"
    );
}

#[test]
fn programs_get_every_sample_and_the_spread() {
    assert_snapshot!(serde_json::to_string_pretty(&make_report()).unwrap(), @r#"
    {
      "run": "fewer-any",
      "folder": "autoresearch-results/fewer-any",
      "goal": "remove every any",
      "scope": [
        "src/**",
        "!src/vendor/**"
      ],
      "pinned": [
        "scripts/count.sh",
        "tsconfig.json"
      ],
      "metric": "any",
      "direction": "lower",
      "target": 0,
      "baseline": 47,
      "samples": [
        47,
        47
      ],
      "deterministic": true,
      "spread": 0.0,
      "noise": null,
      "guard": "pass",
      "branch": "autoresearch/fewer-any",
      "work_tree": "/repo",
      "left_alone": 0,
      "limits": "50 iterations, 8h",
      "reaction": null,
      "stderr": null,
      "warnings": [],
      "next": "next: change one thing in the scope"
    }
    "#);
}

#[test]
fn a_guard_that_passed_at_once_is_not_warned_of_and_a_flaky_one_is_with_its_count() {
    assert_eq!(warn_of_flaky_guard(0), None);
    assert_snapshot!(warn_of_flaky_guard(1).unwrap(), @"warning: the guard failed 1 time before it passed on the untouched tree: its result does not depend only on the code");
    assert!(
        warn_of_flaky_guard(3)
            .unwrap()
            .contains("failed 3 times before")
    );
}

#[test]
fn a_rate_without_a_failure_has_its_limit_under_the_metric() {
    let report = StartReport {
        rate: autoresearch_core::metric::rate::RateInterval::of_runs([&0.into()], 60),
        ..make_report()
    };
    let told = report.to_string();
    let lines: Vec<&str> = told.lines().skip(1).take(2).collect();
    assert_snapshot!(lines.join("\n"), @"
      metric    any = 47 (lower is better, target 0)
      rate      0 of 60: at most 4.9 %, with 95 % confidence
    ");
}
