//! The exit codes of a job, and the words by which it is known.

use autoresearch_core::git_names::CommitId;
use autoresearch_core::journal::state::Counts;

use super::*;
use crate::night::exec::RunCost;

fn make_summary(status: &'static str, improved: bool) -> ExecSummary {
    ExecSummary {
        kind: "summary",
        run: "a".to_owned(),
        status,
        why: String::new(),
        metric: "n".to_owned(),
        baseline: 2.into(),
        best: 1.into(),
        best_iteration: 1,
        counts: Counts::default(),
        serial: None,
        improved,
        reason: None,
        claim: None,
        cost: RunCost {
            turns: 1,
            tokens: 1,
            verify_runs: 1,
            seconds: 1,
        },
        branch: "autoresearch/a".to_owned(),
        commit: CommitId::from_bytes(&[0xc1; 20]),
        merge: None,
    }
}

#[test]
fn a_job_that_is_blocked_exits_with_2_even_when_it_improved_and_others_with_0_or_1() {
    for (status, improved, code) in [
        ("iterations", true, 0),
        ("iterations", false, 1),
        ("goal-reached", true, 0),
        ("needs-human", false, 1),
        ("blocked", true, 2),
        ("blocked", false, 2),
        ("error", true, 2),
    ] {
        let found = choose_exit_code(&make_summary(status, improved));
        assert_eq!(found, code, "{status}, {improved}");
    }
    let hidden = ExecSummary {
        reason: Some("holdout"),
        ..make_summary("goal-reached", true)
    };
    assert_eq!(choose_exit_code(&hidden), 1);
}

#[test]
fn exec_is_the_first_word_that_is_neither_an_option_nor_its_value() {
    for (line, is_exec) in [
        ("autoresearch exec", true),
        ("autoresearch --json exec --nonsense", true),
        ("autoresearch -C /repo --run a exec", true),
        ("autoresearch -C exec", false),
        ("autoresearch -C exec trial", false),
        ("autoresearch --run exec status", false),
        ("autoresearch trial -m exec", false),
        ("autoresearch", false),
        ("exec", false),
    ] {
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        assert_eq!(is_exec_called(&words), is_exec, "{line}");
    }
}
