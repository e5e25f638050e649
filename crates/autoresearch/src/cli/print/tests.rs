//! What programs get of a failure, and of words that clap refuses.

use insta::assert_snapshot;

use super::*;
use crate::cli::make_clap_command;

#[test]
fn programs_get_a_failure_with_its_causes_hint_and_exit_code() {
    let failure = Failure::config("the config a.yaml has 1 error")
        .because(&std::io::Error::other("line 3"))
        .hint("fix it");
    let json = failure_to_json(&failure, failure.kind.exit_code());
    assert_snapshot!(serde_json::to_string_pretty(&json).unwrap(), @r#"
    {
      "caused_by": [
        "line 3"
      ],
      "error": "the config a.yaml has 1 error",
      "exit_code": 3,
      "hint": "fix it",
      "kind": "config",
      "warnings": []
    }
    "#);
}

#[test]
fn every_kind_of_failure_has_its_word_and_exit_code_in_json() {
    let rows: Vec<String> = FailureKind::ALL
        .into_iter()
        .map(|kind| {
            let json = failure_to_json(&Failure::new(kind, "x"), kind.exit_code());
            format!("{} {} {}", json["kind"], json["exit_code"], json["hint"])
        })
        .collect();
    assert_snapshot!(rows.join("\n"), @r#"
    "usage" 2 null
    "config" 3 null
    "blocked" 4 null
    "busy" 5 null
    "environment" 6 null
    "internal" 70 null
    "interrupted" 130 null
    "#);
}

#[test]
fn words_that_clap_refuses_are_a_usage_failure_in_one_sentence() {
    let refuse = |line: &str| {
        let words = line.split(' ');
        let error = make_clap_command().try_get_matches_from(words).unwrap_err();
        assert!(error.use_stderr(), "{line}");
        let failure = make_usage_failure(&error);
        assert_eq!(failure.kind, FailureKind::Usage);
        assert_eq!(failure.hint.as_deref(), Some("see --help"));
        format!("{line}\n  {}", failure.error)
    };
    let lines = [
        "autoresearch trail",
        "autoresearch trial",
        "autoresearch trial -m x --drop",
        "autoresearch trial --again --rework",
        "autoresearch strategy",
        "autoresearch strategy jump -m x",
        "autoresearch log --last many",
        "autoresearch log --status kept",
        "autoresearch raise --iterations 0",
        "autoresearch doctor --yes",
        "autoresearch install --user --project .",
        "autoresearch uninstall --yes --dry-run",
        "autoresearch hooks",
        "autoresearch completions basic",
    ];
    assert_snapshot!(lines.map(refuse).join("\n"), @"
    autoresearch trail
      unrecognized subcommand 'trail'
    autoresearch trial
      the following required arguments were not provided: --message <MSG>
    autoresearch trial -m x --drop
      the argument '--message <MSG>' cannot be used with '--drop'
    autoresearch trial --again --rework
      the argument '--again' cannot be used with '--rework'
    autoresearch strategy
      the following required arguments were not provided: --message <MSG> <STRATEGY>
    autoresearch strategy jump -m x
      invalid value 'jump' for '<STRATEGY>' [possible values: refine, pivot, search, block]
    autoresearch log --last many
      invalid value 'many' for '--last <N>': invalid digit found in string
    autoresearch log --status kept
      invalid value 'kept' for '--status <STATUS>' [possible values: baseline, keep, discard, crash, no-op, blocked, refine, pivot, search, interrupted, remeasured, measured]
    autoresearch raise --iterations 0
      invalid value '0' for '--iterations <N>': write a number of trials, such as 50, or `none`
    autoresearch doctor --yes
      the following required arguments were not provided: --clean
    autoresearch install --user --project .
      the argument '--user' cannot be used with '--project <DIR>'
    autoresearch uninstall --yes --dry-run
      the argument '--yes' cannot be used with '--dry-run'
    autoresearch hooks
      a command is missing
    autoresearch completions basic
      invalid value 'basic' for '<SHELL>' [possible values: bash, elvish, fish, powershell, zsh]
    ");
}

#[test]
fn help_and_version_are_answers_and_no_failures() {
    for line in [
        "autoresearch --help",
        "autoresearch -V",
        "autoresearch trial -h",
    ] {
        let words = line.split(' ');
        let error = make_clap_command().try_get_matches_from(words).unwrap_err();
        assert!(!error.use_stderr(), "{line}");
    }
}
