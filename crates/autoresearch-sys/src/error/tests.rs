//! Owns the tests of what people read of an error: the whole text of each.
//! Does not test which errors happen when.
//! Invariant: an error without a case here fails a test.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::io;
use std::time::Duration;

use autoresearch_core::journal::chain::ChainError;
use autoresearch_core::journal::state::FoldError;

use super::*;
use crate::git::history::HistoryError;
use crate::git::{GitError, StopCause};
use crate::process::ExecError;
use crate::store::{Holder, StoreError};

/// Each error under the name of its variant, as a person reads it.
fn show_failures<E: Debug + Into<Failure>>(errors: Vec<E>) -> String {
    let shown = errors.into_iter().map(|error| {
        let variant = name_variant(&error);
        let failure: Failure = error.into();
        format!("{variant}, exit as {}\n{failure}", failure.kind.as_str())
    });
    shown.collect::<Vec<_>>().join("\n\n")
}

fn name_variant(error: &impl Debug) -> String {
    let debug = format!("{error:?}");
    debug
        .split([' ', '('])
        .next()
        .unwrap_or_default()
        .to_owned()
}

/// Is there an error for each variant of this declaration?
fn check_completeness<E: Debug>(declaration: &str, errors: &[E]) {
    let variants: BTreeSet<String> = errors.iter().map(name_variant).collect();
    let declared = declaration.matches("#[error(").count();
    assert_eq!(variants.len(), declared, "{variants:?}");
}

fn io_error(kind: io::ErrorKind) -> io::Error {
    kind.into()
}

#[test]
fn every_kind_of_failure_has_its_exit_code_and_its_word() {
    let table = FailureKind::ALL.map(|kind| {
        let json = serde_json::to_string(&kind).unwrap();
        format!("{:3} {} {json}", kind.exit_code(), kind.as_str())
    });
    insta::assert_snapshot!(table.join("\n"), @r#"
      2 usage "usage"
      3 config "config"
      4 blocked "blocked"
      5 busy "busy"
      6 environment "environment"
     70 internal "internal"
    130 interrupted "interrupted"
    "#);
}

#[test]
fn a_failure_is_told_as_error_causes_warnings_and_hint_in_this_order() {
    let failure = Failure::config("the config cannot be used")
        .because(&io_error(io::ErrorKind::NotFound))
        .hint("look at it")
        .also_hint("or write another one");
    let failure = Failure {
        warnings: vec![
            "warning: it was edited".to_owned(),
            "warning: twice".to_owned(),
        ],
        ..failure
    };
    insta::assert_snapshot!(failure, @"
    error: the config cannot be used
    caused by: entity not found
    warning: it was edited
    warning: twice
    hint: look at it; or write another one
    ");
    insta::assert_snapshot!(Failure::usage("no such command").also_hint("see --help"), @"
    error: no such command
    hint: see --help
    ");
    insta::assert_snapshot!(Failure::blocked("nothing more"), @"error: nothing more");
}

#[test]
fn a_cause_that_says_the_same_as_the_one_above_it_is_told_once() {
    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct LayeredError {
        text: &'static str,
        source: Option<Box<LayeredError>>,
    }
    let chain = ["outside", "between", "between", "inside", "outside"]
        .into_iter()
        .rev()
        .fold(None, |source, text| {
            Some(Box::new(LayeredError { text, source }))
        });
    let failure = Failure::environment("it failed").because(&*chain.unwrap());
    assert_eq!(failure.causes, ["outside", "between", "inside", "outside"]);
}

#[test]
fn the_hint_for_a_fault_of_the_file_system_depends_on_its_kind_alone() {
    use io::ErrorKind as K;
    let told = [
        K::StorageFull,
        K::QuotaExceeded,
        K::ReadOnlyFilesystem,
        K::PermissionDenied,
        K::NotFound,
        K::InvalidData,
    ];
    let told = told.map(|kind| Failure::io("could not write /r/x", &io_error(kind)).to_string());
    insta::assert_snapshot!(told.join("\n\n"), @r#"
    error: could not write /r/x
    caused by: no storage space
    hint: free some disk space, then run the command again: nothing was lost

    error: could not write /r/x
    caused by: quota exceeded
    hint: free some disk space, then run the command again: nothing was lost

    error: could not write /r/x
    caused by: read-only filesystem or storage medium
    hint: this process may not write there. Inside a Codex sandbox, run this command outside it: call it again with `sandbox_permissions: "require_escalated"` and a `justification`, and the person is asked

    error: could not write /r/x
    caused by: permission denied
    hint: this process may not write there. Inside a Codex sandbox, run this command outside it: call it again with `sandbox_permissions: "require_escalated"` and a `justification`, and the person is asked

    error: could not write /r/x
    caused by: entity not found

    error: could not write /r/x
    caused by: invalid data
    "#);
}

fn list_git_errors() -> Vec<GitError> {
    use GitError as E;
    let (stderr, lock) = (|text: &str| text.to_owned(), "/r/.git/index.lock".into());
    vec![
        E::Start {
            program: "/usr/bin/git".into(),
            source: io_error(io::ErrorKind::NotFound),
        },
        E::NoScratch {
            source: io_error(io::ErrorKind::PermissionDenied),
        },
        E::Failed {
            arguments: "write-tree".to_owned(),
            work_tree: "/r".into(),
            stderr: stderr("fatal: unable to write new index file"),
        },
        E::Locked { lock },
        E::Orphan {
            note: "/s/runs/1/git".into(),
        },
        E::ReadOnly {
            stderr: stderr("fatal: Unable to create '/r/.git/index.lock': Read-only file system"),
        },
        E::NoLock {
            lock: "/r/.git/HEAD.lock".into(),
            stderr: stderr("fatal: Unable to create '/r/.git/HEAD.lock': No space left on device"),
        },
        E::Killed {
            arguments: "status --porcelain=v2".to_owned(),
            signal: 9,
        },
        E::Stopped {
            arguments: "update-index --stdin".to_owned(),
            cause: StopCause::Deadline(Duration::from_mins(30)),
        },
        E::Stopped {
            arguments: "update-index --stdin".to_owned(),
            cause: StopCause::Interruption,
        },
        E::Hook {
            hook: "pre-commit",
            output: stderr("src/a.rs: line 3 is too long\nfix it"),
        },
        E::Unexpected {
            arguments: "--version".to_owned(),
            answer: stderr("git version unknown"),
        },
    ]
}

#[test]
fn every_failure_of_git_is_told_whole() {
    insta::assert_snapshot!(show_failures(list_git_errors()), @r#"
    Start, exit as environment
    error: git failed
    caused by: could not start /usr/bin/git
    caused by: entity not found

    NoScratch, exit as environment
    error: git was not started
    caused by: cannot create a temporary file for git's output
    caused by: permission denied
    hint: set TMPDIR to a folder that this process can write

    Failed, exit as environment
    error: git failed
    caused by: `git write-tree` failed in /r: fatal: unable to write new index file

    Locked, exit as environment
    error: the git repository is locked
    caused by: the repository is locked by /r/.git/index.lock
    hint: wait for the other git process; if none is running, delete /r/.git/index.lock

    Orphan, exit as busy
    error: a git process of an earlier command is still running
    caused by: a git process of an earlier command is still running (it holds /s/runs/1/git)
    hint: wait until it ends, or kill it; nothing was changed

    ReadOnly, exit as environment
    error: git cannot write to its folder
    caused by: git cannot write to its folder: fatal: Unable to create '/r/.git/index.lock': Read-only file system
    hint: inside a Codex sandbox, run this command outside it: call it again with `sandbox_permissions: "require_escalated"` and a `justification`, and the person is asked; where nobody can be asked (codex exec), a person runs it in a terminal. Once the run is started, trials work from inside with `autoresearch install --hooks` or `--rule`

    NoLock, exit as environment
    error: git cannot write to its folder
    caused by: git could not create /r/.git/HEAD.lock: fatal: Unable to create '/r/.git/HEAD.lock': No space left on device
    hint: fix what git reports, then run the command again: nothing was lost

    Killed, exit as environment
    error: git was killed
    caused by: `git status --porcelain=v2` was killed by signal 9
    hint: out of memory, or a limit of the shell: remove the cause, then run the command again

    Stopped, exit as environment
    error: git did not end
    caused by: `git update-index --stdin` was ended after 30 minutes
    hint: a filter, a hook, a network folder or a lock may hold it up: run that git command by hand to see. The next command repairs what was begun

    Stopped, exit as interrupted
    error: interrupted while git was at work
    caused by: `git update-index --stdin` was ended because this command was asked to end
    hint: run the command again: it goes on from where this one was

    Hook, exit as environment
    error: git failed
    caused by: the pre-commit hook refused the commit: src/a.rs: line 3 is too long
    fix it

    Unexpected, exit as environment
    error: git failed
    caused by: `git --version` gave an unexpected answer: git version unknown
    "#);
}

#[test]
fn every_failure_to_read_a_repository_is_told_whole() {
    use HistoryError as E;
    let library = |text| git2::Error::new(git2::ErrorCode::NotFound, git2::ErrorClass::Odb, text);
    let git = || GitError::Failed {
        arguments: "rev-parse --show-toplevel".to_owned(),
        work_tree: "/r".into(),
        stderr: "fatal: unknown repository extension found".to_owned(),
    };
    let errors = vec![
        E::NotFound("/home/a".into()),
        E::Bare("/r.git".into()),
        E::Open {
            path: "/r".into(),
            source: library("unsupported extension name"),
        },
        E::Owner("/srv/it's ours".into()),
        E::Refused {
            path: "/r".into(),
            source: git(),
        },
        E::Asked(git()),
        E::Read {
            what: "commit 0123abc".to_owned(),
            source: library("object not found"),
        },
    ];
    check_completeness(include_str!("../git/history/repository.rs"), &errors);
    insta::assert_snapshot!(show_failures(errors), @r"
    NotFound, exit as environment
    error: the repository cannot be used
    caused by: /home/a is not inside a git repository
    hint: run this inside a git repository, or name one with -C; `git init` makes one

    Bare, exit as environment
    error: the repository cannot be used
    caused by: /r.git is a bare repository: it has no files to work on
    hint: run this in a clone that has files

    Open, exit as environment
    error: the repository cannot be used
    caused by: the repository at /r cannot be read
    caused by: unsupported extension name; class=Odb (9); code=NotFound (-3)
    hint: `git status` there must work first

    Owner, exit as environment
    error: the repository cannot be used
    caused by: git refuses the repository at /srv/it's ours: it belongs to another user
    hint: `git config --global --add safe.directory '/srv/it'\''s ours'` lets git use it, if you trust what is in it

    Refused, exit as environment
    error: the repository cannot be used
    caused by: git cannot use the repository at /r
    caused by: `git rev-parse --show-toplevel` failed in /r: fatal: unknown repository extension found
    hint: `git status` there must work first

    Asked, exit as environment
    error: the repository cannot be used
    caused by: git could not read the repository
    caused by: `git rev-parse --show-toplevel` failed in /r: fatal: unknown repository extension found
    hint: `git status` there must work first

    Read, exit as environment
    error: the repository cannot be used
    caused by: commit 0123abc cannot be read
    caused by: object not found; class=Odb (9); code=NotFound (-3)
    hint: `git fsck` tells whether the repository is damaged
    ");
}

/// The files of a run are not there, or not what was left.
fn list_damage_errors() -> Vec<StoreError> {
    use StoreError as E;
    let run = || "fast".to_owned();
    vec![
        E::Io {
            what: "append to",
            path: "/r/autoresearch-results/fast/journal.jsonl".into(),
            source: io_error(io::ErrorKind::StorageFull),
        },
        E::NoAnchor { run: run() },
        E::Tampered {
            run: run(),
            what: "its frozen config.yaml was edited".to_owned(),
        },
        E::Copied {
            run: run(),
            original: "/r/autoresearch-results/fast".into(),
        },
        E::Chain {
            run: run(),
            source: ChainError::NotARecord {
                line: 7,
                reason: "expected value at line 1 column 1".to_owned(),
            },
        },
        E::Chain {
            run: run(),
            source: ChainError::Broken { line: 7 },
        },
        E::Fold {
            run: run(),
            seq: 7,
            source: FoldError { event: "verdict" },
        },
        E::Newer {
            path: "/s/runs/1/anchor.json".into(),
            found: 3,
            known: 2,
        },
        E::Damaged {
            run: run(),
            path: "/s/runs/1/anchor.json".into(),
            what: "is empty".to_owned(),
        },
    ]
}

/// They are not ours to use, or not now.
fn list_access_errors() -> Vec<StoreError> {
    use StoreError as E;
    vec![
        E::NotText {
            run: "fast".to_owned(),
            root: "/r".into(),
        },
        E::NoHome,
        E::Untrusted {
            path: "/home/a b/.local".into(),
            why: "is writable by others".to_owned(),
        },
        E::Link("/r/autoresearch-results".into()),
        E::Busy(Holder {
            pid: 4711,
            command: "trial".to_owned(),
            since: "unknown".to_owned(),
        }),
    ]
}

#[test]
fn every_failure_for_damaged_files_of_a_run_is_told_whole() {
    insta::assert_snapshot!(show_failures(list_damage_errors()), @"
    Io, exit as environment
    error: could not append to /r/autoresearch-results/fast/journal.jsonl
    caused by: no storage space
    hint: free some disk space, then run the command again: nothing was lost

    NoAnchor, exit as blocked
    error: the run `fast` was not started by this user on this machine: it has no anchor
    hint: nothing of it was run. If you did not expect this run, delete its folder in autoresearch-results; a new `start` makes your own run

    Tampered, exit as blocked
    error: the run's files are not what this tool left
    caused by: the run `fast` was changed from outside: its frozen config.yaml was edited
    hint: nothing of it was run. Restore the file, or delete the run's folder in autoresearch-results and start a new run: the branch autoresearch/<run> still holds what was kept

    Copied, exit as blocked
    error: the run `fast` is a copy: the original is in /r/autoresearch-results/fast
    hint: work in the original, or delete the copied folder

    Chain, exit as blocked
    error: the run's files are not what this tool left
    caused by: the journal of `fast` cannot be trusted
    caused by: line 7 is not a record: expected value at line 1 column 1
    hint: nothing of it was run. Restore the file, or delete the run's folder in autoresearch-results and start a new run: the branch autoresearch/<run> still holds what was kept

    Chain, exit as blocked
    error: the run's files are not what this tool left
    caused by: the journal of `fast` cannot be trusted
    caused by: line 7 does not follow the line before it: the journal was edited
    hint: nothing of it was run. Restore the file, or delete the run's folder in autoresearch-results and start a new run: the branch autoresearch/<run> still holds what was kept

    Fold, exit as blocked
    error: the run's files are not what this tool left
    caused by: the journal of `fast` makes no sense at record 7
    caused by: the journal says `verdict` where it cannot occur
    hint: nothing of it was run. Restore the file, or delete the run's folder in autoresearch-results and start a new run: the branch autoresearch/<run> still holds what was kept

    Newer, exit as blocked
    error: /s/runs/1/anchor.json has format 3; this version reads up to format 2
    hint: update autoresearch

    Damaged, exit as blocked
    error: /s/runs/1/anchor.json of the run `fast` is empty
    hint: nothing was run, and this run cannot continue: only a backup of that file could restore it. The branch autoresearch/fast still holds what was kept. Delete autoresearch-results/fast and /s/runs/1, then start a new run
    ");
}

#[test]
fn every_failure_for_files_that_are_not_ours_to_use_is_told_whole() {
    insta::assert_snapshot!(show_failures(list_access_errors()), @"
    NotText, exit as blocked
    error: the run `fast` was moved to a path that is not UTF-8: /r
    hint: nothing was run or changed. Move the repository to a path in UTF-8, and the run can continue

    NoHome, exit as environment
    error: this user has no home folder in the user database, so the tool has no private folder for its records
    hint: nothing was run. Give the user a home folder (`usermod -d FOLDER USER`), or run this as a user who has one; HOME is ignored, because whoever sets it could choose which files are trusted

    Untrusted, exit as blocked
    error: /home/a b/.local is writable by others, so nothing in it can be trusted
    hint: nothing was run. If what is in it is yours, `chmod go-w '/home/a b/.local'` as its owner; if not, move it away

    Link, exit as blocked
    error: /r/autoresearch-results is a symbolic link
    hint: nothing was run. Remove the link

    Busy, exit as busy
    error: the run is held by process 4711 (`trial`, since unknown)
    hint: wait until it is done: `autoresearch status` shows what it does, and for how long. A dead process holds no lock
    ");
}

#[test]
fn every_failure_to_run_a_command_is_told_whole() {
    use ExecError as E;
    let errors = vec![
        E::Start {
            program: "/usr/local/bin/autoresearch".into(),
            source: io_error(io::ErrorKind::NotFound),
        },
        E::Temporary {
            folder: "/home/a b/.local/state/codex-autoresearch/tmp".into(),
            source: io_error(io::ErrorKind::StorageFull),
        },
        E::Wait {
            command: "make bench".to_owned(),
            source: io_error(io::ErrorKind::Interrupted),
        },
    ];
    check_completeness(include_str!("../process/job.rs"), &errors);
    insta::assert_snapshot!(show_failures(errors), @"
    Start, exit as environment
    error: a command could not be run
    caused by: could not start /usr/local/bin/autoresearch
    caused by: entity not found

    Temporary, exit as environment
    error: a command could not be run
    caused by: could not make a temporary folder in /home/a b/.local/state/codex-autoresearch/tmp
    caused by: no storage space

    Wait, exit as environment
    error: a command could not be run
    caused by: could not wait for `make bench`
    caused by: operation interrupted
    ");
}

#[test]
fn every_error_of_git_and_of_the_files_of_a_run_has_a_case_here() {
    check_completeness(include_str!("../git/error.rs"), &list_git_errors());
    let both = list_damage_errors().into_iter().chain(list_access_errors());
    let both: Vec<StoreError> = both.collect();
    check_completeness(include_str!("../store/error.rs"), &both);
}
