//! Every line that the answer of `resume` can have, and what programs get of it.

use insta::assert_snapshot;

use super::*;

fn make_report() -> ResumeReport {
    ResumeReport {
        run: "fewer-any".to_owned(),
        repaired: vec!["trial 4 was interrupted and undone".to_owned()],
        unmeasured: vec!["src/a.ts".to_owned(), "src/b.ts".to_owned()],
        brief: "run `fewer-any`: remove every any\nnext: change one thing".to_owned(),
        end: None,
        due: "trial",
    }
}

#[test]
fn repairs_and_unmeasured_edits_come_before_the_brief() {
    assert_snapshot!(make_report(), @"
    repaired: trial 4 was interrupted and undone
    changed and not measured: src/a.ts and 1 more; a trial measures them, `autoresearch trial --drop` undoes them
    run `fewer-any`: remove every any
    next: change one thing
    ");
}

#[test]
fn one_unmeasured_file_is_named_alone_and_a_run_at_rest_shows_the_brief_only() {
    let mut report = make_report();
    report.repaired.clear();
    report.unmeasured.truncate(1);
    assert_snapshot!(report, @"
    changed and not measured: src/a.ts; a trial measures it, `autoresearch trial --drop` undoes it
    run `fewer-any`: remove every any
    next: change one thing
    ");
    report.unmeasured.clear();
    assert_eq!(report.to_string(), report.brief);
}

#[test]
fn programs_get_the_brief_as_one_text() {
    assert_snapshot!(serde_json::to_string_pretty(&make_report()).unwrap(), @r#"
    {
      "run": "fewer-any",
      "repaired": [
        "trial 4 was interrupted and undone"
      ],
      "unmeasured": [
        "src/a.ts",
        "src/b.ts"
      ],
      "brief": "run `fewer-any`: remove every any\nnext: change one thing",
      "end": null,
      "due": "trial"
    }
    "#);
}
