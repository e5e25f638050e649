//! Every line that the answer of `doctor` can have, and what programs get of it.

use insta::assert_snapshot;

use super::*;

fn make_findings() -> Vec<DoctorFinding> {
    let failure = Failure::blocked("the journal is damaged")
        .because(&std::io::Error::other("line 7"))
        .hint("restore it from a copy");
    vec![
        report_good("git", "git version 2.50.0 at /usr/bin/git"),
        report_note(
            "execution rule",
            "none",
            "autoresearch install --rule adds it",
        ),
        report_problem(
            "run a",
            "a command was interrupted",
            "`autoresearch resume` undoes it",
        ),
        report_failure("run b", &failure),
        report_failure("run c", &Failure::blocked("nobody knows")),
    ]
}

fn make_items() -> Vec<InventoryItem> {
    vec![
        InventoryItem::new("branch", "a", "autoresearch/a".to_owned(), None),
        InventoryItem::new(
            "folder",
            "a",
            "/repo/autoresearch-results/a".to_owned(),
            Some("the run is open".to_owned()),
        ),
    ]
}

#[test]
fn what_is_fine_what_could_be_better_and_what_is_wrong_are_told_apart_and_the_wrong_is_counted() {
    let report = DoctorReport {
        findings: make_findings(),
        problems: 3,
        made: Vec::new(),
        removed: false,
    };
    assert_snapshot!(report, @"
    ok       git: git version 2.50.0 at /usr/bin/git
    note     execution rule: none
             autoresearch install --rule adds it
    PROBLEM  run a: a command was interrupted
             `autoresearch resume` undoes it
    PROBLEM  run b: the journal is damaged: line 7
             restore it from a copy
    PROBLEM  run c: nobody knows
             see GUIDE.md
    3 problems
    ");
}

#[test]
fn what_the_tool_made_is_listed_with_its_fate_before_and_after_the_cleaning() {
    let report = |removed| DoctorReport {
        findings: Vec::new(),
        problems: 0,
        made: make_items(),
        removed,
    };
    assert_snapshot!(report(false), @"
    made by this tool (nothing was removed; `autoresearch clean --yes` removes what it can):
      branch     autoresearch/a (can be removed)
      folder     /repo/autoresearch-results/a (keep: the run is open)
    no problems
    ");
    assert_snapshot!(report(true), @"
    removed, or kept for the reason given:
      branch     autoresearch/a (removed)
      folder     /repo/autoresearch-results/a (keep: the run is open)
    no problems
    ");
}

#[test]
fn one_problem_is_counted_in_the_singular_and_programs_get_the_same() {
    let report = DoctorReport {
        findings: make_findings().split_off(2).drain(..1).collect(),
        problems: 1,
        made: make_items(),
        removed: false,
    };
    assert!(report.to_string().ends_with("\n1 problem"));
    assert_snapshot!(serde_json::to_string_pretty(&report).unwrap(), @r#"
    {
      "findings": [
        {
          "subject": "run a",
          "ok": false,
          "found": "a command was interrupted",
          "remedy": "`autoresearch resume` undoes it"
        }
      ],
      "problems": 1,
      "made": [
        {
          "kind": "branch",
          "name": "autoresearch/a",
          "kept_because": null
        },
        {
          "kind": "folder",
          "name": "/repo/autoresearch-results/a",
          "kept_because": "the run is open"
        }
      ],
      "removed": false
    }
    "#);
}

#[test]
fn cleaning_repairs_nothing_and_removes_only_with_a_yes() {
    for yes in [false, true] {
        let expected = DoctorOptions {
            repair: false,
            clean: true,
            yes,
        };
        assert_eq!(DoctorOptions::for_cleaning(yes), expected);
    }
}

#[test]
fn a_machine_without_git_is_told_to_install_it() {
    let mut world = World::from_process();
    world.vars.clear();
    let found = examine_git(&world);
    assert_eq!(
        (found.ok, found.found.as_str()),
        (false, "not found on PATH")
    );
    assert_eq!(found.remedy.as_deref(), Some("install git 2.36 or newer"));
}
