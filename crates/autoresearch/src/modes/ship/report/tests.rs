//! What a person reads of a release, in every state.

use std::path::PathBuf;

use autoresearch_core::config::{Shell, UserCommand};

use super::*;

fn gate(name: &str, command: &str, required: bool) -> Gate {
    Gate {
        name: name.to_owned(),
        command: UserCommand {
            command: command.to_owned(),
            shell: Shell::Sh,
            timeout: Duration::from_secs(9),
            working_directory: ".".to_owned(),
            ok_exit: vec![0],
            retries: 0,
        },
        prints: None,
        prints_not: None,
        required,
    }
}

fn source(name: &str) -> ConfigSource {
    ConfigSource {
        name: name.to_owned(),
        text: String::new(),
        path: Some(PathBuf::from(name)),
        merged: false,
    }
}

/// The report of these gates, each with what became of it.
fn report(gates: &[Gate], outcomes: &[GateOutcome]) -> ShipReport {
    let mut report = ShipReport::new(CONFIG_FILE, gates);
    let commit = CommitId::from_bytes(&[0x12; 20]);
    report.note_state("2026-11-28T12:00:00Z".to_owned(), &commit, true);
    for (row, outcome) in report.gates.iter_mut().zip(outcomes) {
        let said = match outcome {
            GateOutcome::Passes => "fine",
            _ => "first line\nlast line",
        };
        row.take_outcome(outcome, 1_200, said);
    }
    report
}

#[test]
fn what_is_open_is_told_with_its_last_words_and_the_first_is_the_next_step() {
    let gates = [
        gate("tests pass", "make test", true),
        gate(
            "a changelog entry with content for this version",
            "sh a.sh\nsh b.sh",
            true,
        ),
        gate("links", "sh links.sh", false),
        gate("package", "npm pack --dry-run", true),
    ];
    let outcomes = [
        GateOutcome::Passes,
        GateOutcome::Open("exit status 1".to_owned()),
        GateOutcome::Open("prints what `broken` matches: a.md is broken".to_owned()),
        GateOutcome::CannotRun("exit status 127 (command not found)".to_owned()),
    ];
    let mut report = report(&gates, &outcomes);
    report.take_traces(Traces {
        left: vec!["dist/a.tgz".to_owned()],
        changed: vec!["Cargo.lock".to_owned()],
    });
    report.name_next(&source(CONFIG_FILE));
    report.checklist = Some("autoresearch-results/ship/checklist.md".to_owned());
    assert!(!report.is_ready());
    insta::assert_snapshot!(report.to_string(), @"
    tests pass                                passes (1s200ms)
    a changelog entry with content for this version  open (1s200ms): exit status 1
                                              | first line
                                              | last line
    links                                     open (1s200ms), not required: prints what `broken` matches: a.md is broken
                                              | first line
                                              | last line
    package                                   cannot run here (1s200ms): exit status 127 (command not found)
                                              | first line
                                              | last line
    ready                                     1 of 3 required gates pass, at commit 1212121
    left                                      by the gates: dist/a.tgz; let git ignore it, or let the gate remove it
    changed                                   by the gates: Cargo.lock; look at it, and keep the gates from writing what is yours
    wrote                                     autoresearch-results/ship/checklist.md
    next: close `a changelog entry with content for this version`, then: autoresearch ship check
    ");
    insta::assert_snapshot!(report.to_markdown(), @"
    # Release checklist

    1 of 3 required gates pass, at commit 1212121 (2026-11-28T12:00:00Z).

    - [x] tests pass: passes (1s200ms)
    - [ ] a changelog entry with content for this version: open (1s200ms): exit status 1

          sh a.sh; sh b.sh
          | first line
          | last line

    - [ ] links: open (1s200ms), not required: prints what `broken` matches: a.md is broken

          sh links.sh
          | first line
          | last line

    - [ ] package: cannot run here (1s200ms): exit status 127 (command not found)

          npm pack --dry-run
          | first line
          | last line
    ");
}

#[test]
fn where_all_that_is_required_passes_the_state_decides_what_comes_next() {
    let gates = [gate("tests", "make test", true), gate("links", "x", false)];
    let open = GateOutcome::Open("exit status 1".to_owned());
    let mut report = report(&gates, &[GateOutcome::Passes, open]);
    report.name_next(&source(CONFIG_FILE));
    assert!(report.is_ready());
    insta::assert_snapshot!(report.to_string(), @"
    tests    passes (1s200ms)
    links    open (1s200ms), not required: exit status 1
             | first line
             | last line
    ready    1 of 1 required gate passes, at commit 1212121
    next: every required gate passes; what leaves this machine (merge, tag, push, publish) is for a person
    ");
    report.clean = Some(false);
    report.name_next(&source("my release.yaml"));
    insta::assert_snapshot!(report.to_string(), @"
    tests    passes (1s200ms)
    links    open (1s200ms), not required: exit status 1
             | first line
             | last line
    ready    1 of 1 required gate passes, at commit 1212121 and uncommitted changes
    next: every required gate passes, with changes that no commit holds: commit them, then: autoresearch ship check --config 'my release.yaml'
    ");
}

#[test]
fn what_would_run_is_listed_with_what_it_is_expected_to_come_to() {
    let mut version = gate("version", "./app --version", true);
    version.prints = Some(r"^1\.2\.0$".to_owned());
    version.prints_not = Some("dirty".to_owned());
    let mut todo = gate("no TODO", "grep -rn TODO src", false);
    todo.command.ok_exit = vec![1];
    let mut report = ShipReport::new(
        "release.yaml",
        &[version, todo, gate("tests", "make", true)],
    );
    report.name_next(&source("release.yaml"));
    insta::assert_snapshot!(report.to_string(), @r#"
    version  ./app --version  (expects exit status 0, and prints what `^1\.2\.0$` matches, and prints nothing that `dirty` …
    no TODO  not required: grep -rn TODO src  (expects exit status 1)
    tests    make
    next: autoresearch ship check --config release.yaml runs these
    "#);
}
