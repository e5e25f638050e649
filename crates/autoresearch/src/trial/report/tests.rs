//! Every line that the answer of a trial can have, and what programs get of it.

use autoresearch_core::git_names::{CommitId, RepoPath};
use autoresearch_core::metric::cases::Cases;
use insta::assert_snapshot;

use super::*;

fn make_keep() -> TrialReport {
    TrialReport {
        percent: Some("-13 %".to_owned()),
        cases: None,
        rate: None,
        failed_runs: Vec::new(),
        run: "fewer-any".to_owned(),
        trial: 4,
        verdict: "keep",
        reason: None,
        detail: None,
        files: vec!["src/api.ts".to_owned(), "src/store.ts".to_owned()],
        files_count: 2,
        metric: "any".to_owned(),
        value: Some(41.into()),
        unit: Unit::from_text("problems"),
        metrics: BTreeMap::from([("lines".to_owned(), 120.into())]),
        metrics_before: BTreeMap::new(),
        open: Vec::new(),
        delta: Some("-6".to_owned()),
        gain: None,
        guard: "pass",
        jump: false,
        suspects: Vec::new(),
        guard_retries: 0,
        commit: CommitId::parse(&"01234567".repeat(5)),
        hash: CommitId::parse(&"01234567".repeat(5)),
        undone: None,
        notes: Vec::new(),
        incumbent: 41.into(),
        incumbent_trial: 4,
        left: Vec::new(),
        left_files: Vec::new(),
        swept: 0,
        output: "autoresearch-results/fewer-any/trials/0004".to_owned(),
        tail: None,
        end: None,
        due: "trial",
        next: "next: change one thing".to_owned(),
        timings: Timings {
            verify_ms: 1200.5,
            guard_ms: 300.0,
            git_ms: 12.0,
            own_ms: 3.25,
            tail: "not for programs".to_owned(),
            open_items: Vec::new(),
            swept: 2,
            failed_runs: BTreeMap::new(),
        },
        void: None,
        own_work_tree: false,
    }
}

/// A trial that was not kept.
fn make_loss(verdict: &'static str, reason: &'static str, detail: &str) -> TrialReport {
    TrialReport {
        verdict,
        reason: Some(reason),
        detail: Some(detail.to_owned()),
        metrics: BTreeMap::new(),
        commit: None,
        hash: None,
        incumbent: 47.into(),
        incumbent_trial: 2,
        ..make_keep()
    }
}

fn make_void() -> TrialReport {
    TrialReport {
        value: None,
        delta: None,
        guard: "-",
        files: Vec::new(),
        files_count: 0,
        undone: CommitId::parse(&"fedcba98".repeat(5)),
        void: Some(VoidEdits::TakenBack),
        ..make_loss(
            "discard",
            "out-of-scope",
            "files outside the scope were changed: README.md",
        )
    }
}

#[test]
fn a_keep_shows_its_number_guard_commit_and_files() {
    assert_snapshot!(make_keep(), @"
    trial 4: keep, any 41 problems (-6, -13 %), guard pass, commit 0123456
    also: lines=120
    files: src/api.ts, src/store.ts
    next: change one thing
    ");
}

#[test]
fn a_discard_shows_why_and_what_stays_the_best() {
    let report = make_loss("discard", "worse-metric", "the metric is worse");
    assert_snapshot!(report, @"
    trial 4: discard (worse-metric), any 41 problems (-6, -13 %), guard pass; the best is 47 from trial 2
    why: the metric is worse
    files: src/api.ts, src/store.ts
    next: change one thing
    ");
}

#[test]
fn a_guard_that_was_run_again_says_how_often_and_its_output_follows() {
    let report = TrialReport {
        guard: "fail",
        guard_retries: 2,
        tail: Some("error: broken\n3 tests failed".to_owned()),
        ..make_loss("rework", "guard-failed", "the guard failed: exit code 1")
    };
    assert_snapshot!(report, @"
    trial 4: rework (guard-failed), any 41 problems (-6, -13 %), guard fail (it ran 3 times); the best is 47 from trial 2
    why: the guard failed: exit code 1
    files: src/api.ts, src/store.ts
      | error: broken
      | 3 tests failed
    whole output: autoresearch-results/fewer-any/trials/0004
    next: change one thing
    ");
}

#[test]
fn a_crash_shows_no_number_and_the_end_of_the_output() {
    let report = TrialReport {
        value: None,
        delta: None,
        guard: "-",
        tail: Some("sh: count: not found".to_owned()),
        swept: 1,
        ..make_loss("crash", "verify-failed", "verify failed: exit code 127")
    };
    assert_snapshot!(report, @"
    trial 4: crash (verify-failed); the best is 47 from trial 2
    why: verify failed: exit code 127
    files: src/api.ts, src/store.ts
      | sh: count: not found
    whole output: autoresearch-results/fewer-any/trials/0004
    verify or guard left 1 process running; it was killed
    next: change one thing
    ");
}

#[test]
fn a_jump_asks_for_a_look_at_the_output() {
    let report = TrialReport {
        jump: true,
        ..make_keep()
    };
    assert_snapshot!(report, @"
    trial 4: keep, any 41 problems (-6, -13 %), guard pass, commit 0123456
    also: lines=120
    jump: far outside everything measured before; a second run agrees; make sure that verify still measures what it should: autoresearch-results/fewer-any/trials/0004
    files: src/api.ts, src/store.ts
    next: change one thing
    ");
}

#[test]
fn what_verify_left_and_what_was_moved_has_a_line_each_and_more_than_two_notes_are_counted() {
    let report = TrialReport {
        left_files: vec!["out.log".to_owned(), "cache.db".to_owned()],
        notes: ["one", "two", "three", "four"]
            .map(|file| format!("{file} was moved away"))
            .to_vec(),
        swept: 3,
        ..make_keep()
    };
    assert_snapshot!(report, @"
    trial 4: keep, any 41 problems (-6, -13 %), guard pass, commit 0123456
    also: lines=120
    files: src/api.ts, src/store.ts
    verify left untracked files, which no trial commits: out.log and 1 more
    one was moved away
    two was moved away
    and 2 more like these: `--json` has them all
    verify or guard left 3 processes running; they were killed
    next: change one thing
    ");
}

fn list_void_reports() -> [(&'static str, TrialReport); 7] {
    let clean = LeftChanges::default();
    let edits = LeftChanges {
        edits: true,
        others: Vec::new(),
    };
    let others = |count: usize| LeftChanges {
        edits: false,
        others: (0..count).map(|at| format!("docs/{at}.md")).collect(),
    };
    let unsaved = || TrialReport {
        undone: None,
        ..make_void()
    };
    let own = || TrialReport {
        own_work_tree: true,
        ..make_void()
    };
    [
        ("undone", make_void().with_left_changes(clean.clone())),
        (
            "undone in the run's tree",
            own().with_left_changes(clean.clone()),
        ),
        (
            "undone in part",
            make_void().with_left_changes(edits.clone()),
        ),
        ("left alone", unsaved().with_left_changes(edits)),
        ("nothing to undo", unsaved().with_left_changes(clean)),
        (
            "one file still changed",
            make_void().with_left_changes(others(1)),
        ),
        ("many still changed", own().with_left_changes(others(30))),
    ]
}

#[test]
fn a_void_trial_says_only_what_was_seen_of_its_edits_afterwards() {
    let shown = list_void_reports().map(|(what, report)| {
        let text = report.to_string();
        let lines: Vec<&str> = text.lines().skip(2).collect();
        format!("[{what}]\n{}\n", lines.join("\n"))
    });
    assert_snapshot!(shown.concat(), @"
    [undone]
    your edits in the scope were undone; they are in commit fedcba9
    next: change one thing
    [undone in the run's tree]
    the run's work tree was restored; what was there is in commit fedcba9
    next: change one thing
    [undone in part]
    your edits in the scope were undone as far as git could; they are in commit fedcba9
    next: change one thing
    [left alone]
    your edits in the scope are still in the work tree
    next: change one thing
    [nothing to undo]
    next: change one thing
    [one file still changed]
    your edits in the scope were undone; they are in commit fedcba9
    still changed: docs/0.md; restore it first, or the next trial is void too
    next: change one thing
    [many still changed]
    your edits in the scope were undone; they are in commit fedcba9
    still changed: docs/0.md, docs/1.md, docs/2.md, docs/3.md, docs/4.md, docs/5.md, docs/6.md and 23 more; restore them first, or the next trial is void too
    next: change one thing
    ");
}

#[test]
fn programs_get_every_field_of_a_keep_and_nothing_that_is_for_people_alone() {
    let json = serde_json::to_string_pretty(&make_keep()).unwrap();
    assert_snapshot!(json, @r#"
    {
      "run": "fewer-any",
      "trial": 4,
      "verdict": "keep",
      "reason": null,
      "detail": null,
      "files": [
        "src/api.ts",
        "src/store.ts"
      ],
      "files_count": 2,
      "metric": "any",
      "value": 41,
      "unit": "problems",
      "metrics": {
        "lines": 120
      },
      "delta": "-6",
      "percent": "-13 %",
      "guard": "pass",
      "commit": "0123456701234567012345670123456701234567",
      "hash": "0123456701234567012345670123456701234567",
      "undone": null,
      "notes": [],
      "incumbent": 41,
      "incumbent_trial": 4,
      "left": [],
      "droppings": [],
      "swept": 0,
      "output": "autoresearch-results/fewer-any/trials/0004",
      "tail": null,
      "end": null,
      "due": "trial",
      "next": "next: change one thing",
      "timings": {
        "verify_ms": 1200.5,
        "guard_ms": 300.0,
        "git_ms": 12.0,
        "own_ms": 3.25
      }
    }
    "#);
}

#[test]
fn programs_are_spared_a_unit_further_metrics_and_retries_that_are_not_there_and_get_a_jump() {
    let report = TrialReport {
        unit: Unit::default(),
        jump: true,
        metrics: BTreeMap::new(),
        ..make_keep()
    };
    let json = serde_json::to_value(&report).unwrap();
    let has = |field: &str| json.get(field).is_some();
    assert!(!has("unit") && !has("metrics") && !has("guard_retries") && !has("void"));
    assert_eq!(json["jump"], true);
    assert_eq!(
        json["droppings"],
        serde_json::json!([]),
        "its name of always"
    );
}

#[test]
fn at_most_fifty_files_are_named_with_their_odd_letters_shown_and_all_are_counted() {
    let paths: Vec<RepoPath> = (0..60)
        .map(|at| RepoPath::new(format!("src/{at}\n")))
        .collect();
    let report = make_keep().with_files(&paths);
    assert_eq!((report.files.len(), report.files_count), (50, 60));
    assert_eq!(report.files[0], "src/0\\n");
    let none = make_keep().with_files(&[]);
    assert_eq!((none.files.len(), none.files_count), (0, 0));
}

#[test]
fn notes_of_before_the_measurement_come_before_those_of_the_undoing() {
    let [head, tip] = [0xc1, 0xc2].map(|number| CommitId::from_bytes(&[number; 20]));
    let undone = UndoResult {
        head,
        tip: Some(tip.clone()),
        notes: vec!["undoing".to_owned()],
    };
    let report = make_keep()
        .with_undone(Some(undone))
        .with_notes(vec!["measuring".to_owned()])
        .with_note("last");
    assert_eq!(report.notes, ["measuring", "undoing", "last"]);
    assert_eq!(report.undone, Some(tip));
    assert_eq!(make_keep().with_undone(None).undone, None);
}

#[test]
fn a_rate_is_told_with_its_limit_whether_it_was_kept_or_not() {
    let rate = |failed: i64| RateInterval::of_runs([&failed.into()], 60);
    let kept = TrialReport {
        rate: rate(0),
        ..make_keep()
    };
    assert_snapshot!(kept, @"
    trial 4: keep, any 41 problems (-6, -13 %), guard pass, commit 0123456
    rate: 0 of 60: at most 4.9 %, with 95 % confidence
    also: lines=120
    files: src/api.ts, src/store.ts
    next: change one thing
    ");
    let flaky = TrialReport {
        rate: rate(7),
        failed_runs: (1..=7)
            .map(|run| format!("run {run} (seed {run})"))
            .collect(),
        ..make_keep()
    };
    assert_snapshot!(flaky, @"
    trial 4: keep, any 41 problems (-6, -13 %), guard pass, commit 0123456
    rate: 7 of 60: 12 % (4.8 to 23), 95 % interval
    failed: run 1 (seed 1), run 2 (seed 2), run 3 (seed 3), run 4 (seed 4), run 5 (seed 5) and 2 more; what they printed: autoresearch-results/fewer-any/trials/0004
    also: lines=120
    files: src/api.ts, src/store.ts
    next: change one thing
    ");
    let fields = serde_json::to_value(&flaky).unwrap();
    assert_eq!(fields["failed_runs"][6], "run 7 (seed 7)");
    let lost = TrialReport {
        rate: rate(3),
        ..make_loss("discard", "worse-metric", "the metric is worse")
    };
    assert_snapshot!(lost, @"
    trial 4: discard (worse-metric), any 41 problems (-6, -13 %), guard pass; the best is 47 from trial 2
    why: the metric is worse
    rate: 3 of 60: 5 % (1 to 14), 95 % interval
    files: src/api.ts, src/store.ts
    next: change one thing
    ");
}

/// What a state before the trial had, of these further metrics.
fn make_before(metrics: &[(&str, i64)]) -> Measurement {
    let metrics = metrics
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).into()));
    Measurement {
        value: 47.into(),
        metrics: metrics.collect(),
        missing: BTreeMap::new(),
        cases: Cases::default(),
    }
}

#[test]
fn a_keep_names_the_further_metrics_that_changed_and_what_is_still_open() {
    let metrics = [("failing", 2), ("ran", 148), ("warnings", 14)];
    let now = |trial: TrialReport| TrialReport {
        metrics: make_before(&metrics).metrics,
        ..trial
    };
    let before = [
        ("any", 47),
        ("failing", 3),
        ("gone", 1),
        ("ran", 148),
        ("warnings", 12),
    ];
    let kept = TrialReport {
        open: vec![
            "src/api.ts:3:10: error TS7006: no type".to_owned(),
            "src/b.ts(4,1): no".to_owned(),
        ],
        ..now(make_keep())
    };
    let kept = kept.with_before(&make_before(&before));
    assert_snapshot!(kept, @"
    trial 4: keep, any 41 problems (-6, -13 %), guard pass, commit 0123456
    also: failing 3 -> 2, warnings 12 -> 14; ran=148
    still open:
      | src/api.ts:3:10: error TS7006: no type
      | src/b.ts(4,1): no
    files: src/api.ts, src/store.ts
    next: change one thing
    ");
    let answer = serde_json::to_value(&kept).unwrap();
    assert_eq!(answer["open"][1], "src/b.ts(4,1): no");
    assert_eq!(
        answer["metrics_before"].to_string(),
        r#"{"failing":3,"warnings":12}"#
    );
    let same = now(make_keep()).with_before(&make_before(&metrics));
    assert!(
        same.to_string()
            .contains("\nalso: failing=2 ran=148 warnings=14\n"),
        "{same}"
    );
    let answer = serde_json::to_value(&same).unwrap();
    assert!(answer.get("open").is_none() && answer.get("metrics_before").is_none());
    let lost = now(make_loss("discard", "worse-metric", "the metric is worse"));
    assert!(
        lost.with_before(&make_before(&before))
            .metrics_before
            .is_empty()
    );
}
