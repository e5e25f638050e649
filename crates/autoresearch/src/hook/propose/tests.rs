//! What an agent reads when it has registered something.

use insta::assert_snapshot;

use super::*;

fn make_report(registered: &'static str, files: &[&str]) -> ProposeReport {
    ProposeReport {
        run: "fewer-any".to_owned(),
        registered,
        files: files.iter().map(|file| (*file).to_owned()).collect(),
        hooks: "yes",
        next: "next: end your turn now".to_owned(),
    }
}

#[test]
fn what_was_registered_is_named_with_the_files_of_the_trial() {
    assert_snapshot!(make_report("trial", &["src/a.ts", "src/b.ts"]), @"
    trial registered: src/a.ts and 1 more; nothing is measured yet
    next: end your turn now
    ");
    assert_snapshot!(make_report("finish", &[]), @"
    finish registered; nothing is done yet
    next: end your turn now
    ");
}

#[test]
fn programs_get_the_files_and_whether_the_hooks_are_at_work() {
    let report = make_report("trial", &["src/a.ts"]);
    assert_snapshot!(serde_json::to_string_pretty(&report).unwrap(), @r#"
    {
      "run": "fewer-any",
      "registered": "trial",
      "files": [
        "src/a.ts"
      ],
      "hooks": "yes",
      "next": "next: end your turn now"
    }
    "#);
}

#[test]
fn every_order_has_its_word() {
    let message = || "why".to_owned();
    let strategy = autoresearch_core::decide::ladder::Strategy::Pivot;
    for (order, word) in [
        (ProposedOrder::Drop, "drop"),
        (ProposedOrder::Retry { trial: 3 }, "retry"),
        (ProposedOrder::Block { message: message() }, "block"),
        (ProposedOrder::Stop { message: message() }, "stop"),
        (ProposedOrder::Finish, "finish"),
        (
            ProposedOrder::Trial(autoresearch_core::agent::session::TrialRequest::default()),
            "trial",
        ),
        (
            ProposedOrder::Strategy {
                strategy,
                message: message(),
            },
            "strategy",
        ),
    ] {
        assert_eq!(order_word(&order), word);
    }
}
