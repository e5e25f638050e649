//! Every line that the answer of `stop` and `finish` can have, and what programs get of it.

use autoresearch_core::decide::gain::GainRange;
use autoresearch_core::git_names::{CommitId, HeadTarget, RefName};
use insta::assert_snapshot;

use super::*;

fn make_report() -> EndReport {
    EndReport {
        percent: Some("-13 %".to_owned()),
        rate: None,
        run: "fewer-any".to_owned(),
        end: "goal-reached",
        why: "the target 40 is reached".to_owned(),
        metric: "any".to_owned(),
        baseline: 47.into(),
        value: 40.into(),
        unit: Unit::from_text("ms"),
        improved: true,
        reason: None,
        claim: None,
        branch: "autoresearch/fewer-any".to_owned(),
        kept: vec![
            KeptTrial {
                commit: CommitId::from_bytes(&[0x11; 20]),
                subject: "type-narrow the handlers".to_owned(),
                jump: false,
                suspects: Vec::new(),
            },
            KeptTrial {
                commit: CommitId::from_bytes(&[0x22; 20]),
                subject: "one Json type".to_owned(),
                jump: true,
                suspects: Vec::new(),
            },
        ],
        returned_to: Some("main".to_owned()),
        checked_out: vec![CheckedOutHead {
            folder: "/repo".into(),
            head: HeadTarget::Branch(RefName::of_branch("main")),
            detached: false,
        }],
        saved: None,
        notes: Vec::new(),
        left: vec![
            "branch autoresearch/fewer-any".to_owned(),
            "folder runs".to_owned(),
        ],
        merge: Some("git merge autoresearch/fewer-any".to_owned()),
        next: "next: look at it, then `git merge autoresearch/fewer-any`".to_owned(),
    }
}

fn make_holder() -> BranchHolder {
    BranchHolder {
        root: "/other tree".into(),
        how: "checked out",
    }
}

#[test]
fn a_finished_run_names_what_was_kept_what_is_checked_out_and_what_is_left() {
    assert_snapshot!(make_report(), @"
    run `fewer-any` ended: goal-reached (the target 40 is reached)
    improved: any 47 ms -> 40 ms (-13 %), 2 trials kept on autoresearch/fewer-any
      1111111 type-narrow the handlers
      2222222 one Json type [jump: far outside everything measured before; a second run agrees; look at it before you merge]
    checked out: main
    left here: branch autoresearch/fewer-any, folder runs; `autoresearch clean` lists what can be removed
    next: look at it, then `git merge autoresearch/fewer-any`
    ");
}

#[test]
fn a_run_that_kept_nothing_says_so_and_has_nothing_to_merge() {
    let report = EndReport {
        end: "user-stop",
        why: "good enough".to_owned(),
        value: 47.into(),
        percent: None,
        improved: false,
        kept: Vec::new(),
        checked_out: Vec::new(),
        saved: Some(RefName::of_run("fewer-any", "edits")),
        left: Vec::new(),
        merge: None,
        next: "next: nothing to merge".to_owned(),
        ..make_report()
    };
    assert_snapshot!(report, @"
    run `fewer-any` ended: user-stop (good enough)
    no improvement: any 47 ms -> 47 ms, 0 trials kept on autoresearch/fewer-any
    unmeasured edits were undone; they are saved in refs/autoresearch/fewer-any/edits
    next: nothing to merge
    ");
}

#[test]
fn with_two_folders_each_checkout_names_its_own_and_a_detached_head_is_told() {
    let own = CheckedOutHead {
        folder: "/repo/autoresearch-results/fewer-any/worktree".into(),
        head: HeadTarget::Commit(CommitId::from_bytes(&[0x33; 20])),
        detached: true,
    };
    let mut report = make_report();
    report.checked_out.insert(0, own);
    let text = report.to_string();
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("checked out"))
        .collect();
    assert_snapshot!(lines.join("\n"), @"
    checked out: 3333333 without a branch in /repo/autoresearch-results/fewer-any/worktree
    checked out: main in /repo
    ");
}

#[test]
fn a_branch_that_another_work_tree_holds_is_merged_there() {
    let mut report = make_report();
    report.note_detached(&RefName::of_branch("main"), &make_holder());
    let merge = "git -C '/other tree' merge autoresearch/fewer-any";
    assert_eq!(report.merge.as_deref(), Some(merge));
    assert_eq!(report.next, format!("next: look at it, then `{merge}`"));
    assert_snapshot!(report.notes.join("\n"), @"main is checked out in /other tree, and git allows a branch in one work tree only: this one is at the same commit without a branch");
}

#[test]
fn a_held_branch_without_anything_to_merge_only_adds_the_note() {
    let mut report = EndReport {
        merge: None,
        ..make_report()
    };
    let next = report.next.clone();
    report.note_detached(&RefName::of_branch("main"), &make_holder());
    assert_eq!(
        (report.notes.len(), report.merge, report.next),
        (1, None, next)
    );
}

#[test]
fn programs_get_the_whole_of_a_finished_run() {
    assert_snapshot!(serde_json::to_string_pretty(&make_report()).unwrap(), @r#"
    {
      "run": "fewer-any",
      "end": "goal-reached",
      "why": "the target 40 is reached",
      "metric": "any",
      "baseline": 47,
      "value": 40,
      "percent": "-13 %",
      "unit": "ms",
      "improved": true,
      "claim": null,
      "branch": "autoresearch/fewer-any",
      "kept": [
        {
          "commit": "1111111111111111111111111111111111111111",
          "subject": "type-narrow the handlers"
        },
        {
          "commit": "2222222222222222222222222222222222222222",
          "subject": "one Json type",
          "jump": true
        }
      ],
      "returned_to": "main",
      "checked_out": [
        {
          "folder": "/repo",
          "head": "main",
          "detached": false
        }
      ],
      "saved": null,
      "notes": [],
      "left": [
        "branch autoresearch/fewer-any",
        "folder runs"
      ],
      "merge": "git merge autoresearch/fewer-any",
      "next": "next: look at it, then `git merge autoresearch/fewer-any`"
    }
    "#);
}

fn make_claim(pairs: u32, shares: (f64, f64, f64), after: i64) -> Claim {
    Claim {
        commit: CommitId::from_bytes(&[0x22; 20]),
        gain: Some(GainRange::of_shares(shares.0, shares.1, shares.2)),
        pairs,
        before: None,
        after: Some(after.into()),
        verify_runs: 14,
        why: None,
    }
}

/// The first two lines of an answer with this claim, and the one of the claim.
fn tell(improved: bool, claim: Claim) -> String {
    let report = EndReport {
        improved,
        claim: Some(claim),
        ..make_report()
    };
    let text = report.to_string();
    let told = text.lines().filter(|line| {
        let words = [
            "improved",
            "no improvement",
            "cannot tell",
            "claim",
            "a clean",
        ];
        words.iter().any(|word| line.starts_with(word))
    });
    told.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_verdict_says_no_more_than_the_claim() {
    let gained = make_claim(6, (0.041, 0.032, 0.05), 40);
    let open = make_claim(6, (0.01, -0.01, 0.03), 40);
    let lost = make_claim(6, (-0.04, -0.06, -0.02), 40);
    let missing = Claim::without_gain(
        CommitId::from_bytes(&[0x22; 20]),
        1,
        "exit status 4".to_owned(),
    );
    let told = [
        tell(true, gained),
        tell(false, open),
        tell(false, lost),
        tell(false, missing),
        tell(true, make_claim(0, (0.15, 0.15, 0.15), 40)),
        tell(true, make_claim(0, (0.11, 0.11, 0.11), 42)),
    ];
    assert_snapshot!(told.join("\n\n"), @"
    improved: any 47 ms -> 40 ms, 2 trials kept on autoresearch/fewer-any
    claim: a gain of 4.1 % (3.2 to 5), 95 % interval, measured afresh in 6 pairs

    cannot tell: any 47 ms -> 40 ms, 2 trials kept on autoresearch/fewer-any
    claim: cannot be told from nothing: 1 % (-1 to 3), 95 % interval, measured afresh in 6 pairs

    no improvement: any 47 ms -> 40 ms, 2 trials kept on autoresearch/fewer-any
    claim: a loss: -4 % (-6 to -2), 95 % interval, measured afresh in 6 pairs

    cannot tell: any 47 ms -> 40 ms, 2 trials kept on autoresearch/fewer-any
    claim: not checked in a clean checkout: exit status 4

    improved: any 47 ms -> 40 ms, 2 trials kept on autoresearch/fewer-any
    claim: a gain of 15 %: a clean checkout of the last commit was measured again

    a clean checkout of the last commit gives 42 and not 40: verify depends on files that are not committed
    improved: any 47 ms -> 40 ms, 2 trials kept on autoresearch/fewer-any
    claim: a gain of 11 %: a clean checkout of the last commit was measured again
    ");
}

#[test]
fn a_rate_at_the_end_has_its_limit_before_the_claim() {
    let report = EndReport {
        rate: RateInterval::of_mean(&0.into(), 6, 60),
        ..make_report()
    };
    let told = report.to_string();
    let lines: Vec<&str> = told.lines().skip(1).take(2).collect();
    assert_snapshot!(lines.join("\n"), @"
    improved: any 47 ms -> 40 ms (-13 %), 2 trials kept on autoresearch/fewer-any
    rate: 0 of 360: at most 0.83 %, with 95 % confidence
    ");
}
