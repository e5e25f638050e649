//! Every line that the story of a trial can have.

use insta::assert_snapshot;

use super::*;

fn make_view() -> TrialView {
    TrialView {
        percent: Some("+4.3 %".to_owned()),
        gain: None,
        cases: None,
        rate: None,
        run: "fewer-any".to_owned(),
        trial: 4,
        worker: None,
        workers: Vec::new(),
        verdict: "discard",
        reason: Some("worse-metric"),
        detail: Some("the metric is not better".to_owned()),
        message: "type the\nAPI".to_owned(),
        hypothesis: Some("half of them go".to_owned()),
        labels: vec!["api".to_owned()],
        metric: "any".to_owned(),
        direction: "lower",
        before: Some(47.into()),
        value: Some(49.into()),
        delta: Some("+2".to_owned()),
        unit: Unit::from_text("problems"),
        suspects: vec![Suspicion {
            pattern: autoresearch_core::config::SuspectPattern::ReadsFrames,
            file: "src/api.ts".to_owned(),
            line: 12,
        }],
        metrics: BTreeMap::from([("lines".to_owned(), 120.into())]),
        guard: "-",
        began: Some("2026-01-31T12:00:00Z".to_owned()),
        ended: Some("2026-01-31T12:01:05Z".to_owned()),
        hash: CommitId::parse(&"01234567".repeat(5)),
        base: CommitId::parse(&"fedcba98".repeat(5)),
        files: vec![
            FileFigures {
                path: "src/api.ts".to_owned(),
                added: Some(3),
                removed: Some(1),
            },
            FileFigures {
                path: "src/logo.png".to_owned(),
                added: None,
                removed: None,
            },
        ],
        output: "autoresearch-results/fewer-any/trials/4".to_owned(),
        remeasured: Vec::new(),
        diff: None,
        outputs: None,
        next: Some("next: look".to_owned()),
        patch: Vec::new(),
    }
}

/// The clock of the machine has any zone.
fn format_without_time(view: &TrialView) -> String {
    let text = view.to_string();
    let lines = text.lines().map(|line| match line.split_once(", took ") {
        Some((_, lasted)) => format!("  time      <time>, took {lasted}"),
        None => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_story_of_a_discard_has_everything_that_is_known_of_it() {
    assert_snapshot!(format_without_time(&make_view()), @r#"
    trial 4 of run `fewer-any`: discard
      why       worse-metric: the metric is not better
      change    type the\nAPI #api
      expected  half of them go
      metric    any 47 problems -> 49 problems (+2, +4.3 %, lower is better)
      also      lines=120
      guard     -
      suspect   reads-frames src/api.ts:12
      time      <time>, took 1m5s
      commit    0123456701234567012345670123456701234567 on fedcba9
      files     2 files changed, +3 -1
        src/api.ts  +3 -1
        src/logo.png  binary
      output    autoresearch-results/fewer-any/trials/4
    next: look
    "#);
}

#[test]
fn what_is_not_known_has_no_line_or_says_so() {
    let bare = TrialView {
        verdict: "no-op",
        reason: Some("nothing-changed"),
        detail: Some("no file in the scope was changed".to_owned()),
        hypothesis: None,
        labels: Vec::new(),
        value: None,
        delta: None,
        percent: None,
        suspects: Vec::new(),
        metrics: BTreeMap::new(),
        began: None,
        hash: None,
        files: Vec::new(),
        next: None,
        ..make_view()
    };
    assert_snapshot!(bare, @r"
    trial 4 of run `fewer-any`: no-op
      why       nothing-changed: no file in the scope was changed
      change    type the\nAPI
      metric    any not measured, 47 problems to beat (lower is better)
      guard     -
      commit    none
      output    autoresearch-results/fewer-any/trials/4
    ");
}

#[test]
fn of_many_files_the_first_are_named() {
    let files = (0..25).map(|number| FileFigures {
        path: format!("src/{number}"),
        added: Some(1),
        removed: Some(0),
    });
    let view = TrialView {
        files: files.collect(),
        ..make_view()
    };
    let shown = view.to_string();
    assert!(shown.contains("25 files changed, +25 -0"), "{shown}");
    assert!(
        shown.contains("src/19  +1 -0\n    and 5 more: `--stat` names them all"),
        "{shown}"
    );
    assert!(!shown.contains("src/20"), "{shown}");
}
