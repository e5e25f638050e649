//! The summary of a job, and the config that it is made of.

use insta::assert_snapshot;
use serde_json::json;

use super::*;
use autoresearch_core::journal::state::Counts;

fn make_summary() -> ExecSummary {
    ExecSummary {
        kind: "summary",
        run: "fewer-any".to_owned(),
        status: "iterations",
        why: "20 of 20 iterations".to_owned(),
        metric: "any".to_owned(),
        baseline: 47.into(),
        best: 41.into(),
        best_iteration: 2,
        counts: Counts {
            keep: 2,
            discard: 3,
            crash: 1,
            no_op: 0,
            interrupted: 1,
            ..Counts::default()
        },
        serial: None,
        improved: true,
        reason: None,
        claim: None,
        cost: RunCost {
            turns: 7,
            tokens: 120_000,
            verify_runs: 9,
            seconds: 65,
        },
        branch: "autoresearch/fewer-any".to_owned(),
        commit: CommitId::parse(&"01234567".repeat(5)).unwrap(),
        merge: Some("git merge autoresearch/fewer-any".to_owned()),
    }
}

#[test]
fn the_summary_is_one_object_that_says_its_type_first() {
    let line = serde_json::to_string(&make_summary()).unwrap();
    assert!(line.starts_with("{\"type\":\"summary\","), "{line}");
    assert_snapshot!(serde_json::to_string_pretty(&make_summary()).unwrap(), @r#"
    {
      "type": "summary",
      "run": "fewer-any",
      "status": "iterations",
      "why": "20 of 20 iterations",
      "metric": "any",
      "baseline": 47,
      "best": 41,
      "best_iteration": 2,
      "counts": {
        "keep": 2,
        "discard": 3,
        "crash": 1,
        "no_op": 0,
        "interrupted": 1
      },
      "improved": true,
      "claim": null,
      "cost": {
        "turns": 7,
        "tokens": 120000,
        "verify_runs": 9,
        "seconds": 65
      },
      "branch": "autoresearch/fewer-any",
      "commit": "0123456701234567012345670123456701234567",
      "merge": "git merge autoresearch/fewer-any"
    }
    "#);
}

#[test]
fn a_job_is_in_its_own_mode_whatever_file_and_flags_say() {
    let file = ConfigSource {
        path: None,
        name: "a.yaml".to_owned(),
        text: "mode: loop\ngoal: less\nverify:\n  command: ./count\n  timeout: 5s\n".to_owned(),
        merged: false,
    };
    let mut fields = ConfigFields::new();
    fields.insert("mode".to_owned(), json!("loop"));
    fields.insert("verify".to_owned(), json!({"timeout": "9s"}));
    let source = make_exec_source(Some(file), fields).unwrap();
    assert!(source.merged);
    assert_eq!(source.name, "a.yaml");
    let document: serde_json::Value = serde_json::from_str(&source.text).unwrap();
    let expected = json!({
        "mode": "exec", "goal": "less",
        "verify": {"command": "./count", "timeout": "9s"},
    });
    assert_eq!(document, expected);
}

#[test]
fn a_job_without_a_file_is_made_of_its_flags_alone() {
    let source = make_exec_source(None, ConfigFields::new()).unwrap();
    assert_eq!(source.name, "made of the flags");
    assert_eq!(source.text, "{\n  \"mode\": \"exec\"\n}");
}
