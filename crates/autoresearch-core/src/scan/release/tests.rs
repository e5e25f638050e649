//! The gates that are proposed for small projects, and what is left out of them.

use super::*;
use crate::scan::block_text::format_config_text;
use crate::scan::goal::read_wish;
use crate::scan::survey::LastRelease;
use crate::scan::survey::sample::make_survey;

type Files<'f> = &'f [(&'f str, &'f str)];

/// The proposal for these files after this last release, if there is one.
fn propose(
    files: Files<'_>,
    programs: &str,
    (tag, changed): (&str, &[&str]),
    sentence: &str,
) -> Option<Candidate> {
    let mut survey = make_survey(files, programs);
    survey.release = (!tag.is_empty()).then(|| LastRelease {
        tag: tag.to_owned(),
        files: changed.iter().map(|file| (*file).to_owned()).collect(),
    });
    propose_release(&survey, &read_wish(sentence))
}

/// The names of the gates, each with its command in one line.
fn list_gates(candidate: &Candidate) -> String {
    let gates = candidate.config["gates"].as_array().unwrap().iter();
    let rows = gates.map(|gate| {
        let command = gate["command"].as_str().unwrap().replace('\n', "; ");
        let aside = if gate["required"] == false {
            " (not required)"
        } else {
            ""
        };
        format!("{}{aside}: {command}", gate["name"].as_str().unwrap())
    });
    rows.collect::<Vec<_>>().join("\n")
}

const CRATE: Files<'_> = &[
    (
        "Cargo.toml",
        r#"{"package": {"name": "tool", "version": "1.1.0"}}"#,
    ),
    ("Cargo.lock", ""),
    ("src/main.rs", "fn main() {}"),
    ("tests/all.rs", "fn t() {}"),
    ("CHANGELOG.md", "# Changes"),
    ("README.md", "# Tool"),
    ("docs/install.md", "cargo install tool"),
    (".github/workflows/ci.yml", "on: push"),
];

#[test]
fn a_release_of_rust_has_its_checks_its_version_and_its_changelog() {
    let changed = [
        "CHANGELOG.md",
        "Cargo.lock",
        "Cargo.toml",
        "docs/install.md",
        "src/main.rs",
        "gone.md",
        ".github/workflows/ci.yml",
    ];
    let candidate = propose(
        CRATE,
        "cargo cargo-clippy",
        ("v1.1.0", &changed),
        "release 1.2.0",
    )
    .unwrap();
    insta::assert_snapshot!(format_config_text(&candidate, "scan"), @r#"
    # Proposed by `autoresearch scan`. Change what you like, then: autoresearch ship check
    # Why: 8 gates; the last release, v1.1.0, changed CHANGELOG.md, Cargo.lock, Cargo.toml and 4 more
    goal: release 1.2.0
    mode: ship

    # What a trial may change.
    scope:
      - '/CHANGELOG.md'
      - '/Cargo.toml'
      - '/README.md'
      - '/Cargo.lock'
      - '/docs/install.md'

    # What no trial may change: tests and settings are the yardstick.
    protect:
      - 'src/**/*.rs'
      - 'tests/**'

    metric:
      name: open_gates
      direction: lower
      target: 0

    # How the number is made.
    verify:
      gates: true

    # What must hold before the release: `autoresearch ship check` runs these.
    gates:
      - name: Cargo.toml has version 1.2.0
        command: 'grep -nE ''^version *= *"1\.2\.0"'' Cargo.toml'
      - name: CHANGELOG.md says what is new in 1.2.0
        command: 'awk ''/^##? /{on = /[^0-9.]1\.2\.0([^0-9.]|$)/; next} on'' CHANGELOG.md'
        expect:
          prints: '^[^#\n]*\w'
      - name: what README.md links to is there
        command: 'ls -d -- . $(awk ''{while (match($0, /\]\([^)#:? \/][^)#:? ]*[)#]/)) {print substr($0, RSTART + 2, RLENGTH - 3); $0 = substr($0, RSTART + RLENGTH)}}'' README.md)'
        required: false
      - name: no debug code
        command: 'git grep -nE ''dbg!\('' -- ''*.rs'''
        expect:
          exit: 1
        required: false
      - name: it builds
        command: |
          set -eu
          cargo check --locked --quiet
          cargo check --locked --quiet --tests
        timeout: 15m
      - name: the tests pass
        command: cargo test --locked --quiet
        timeout: 15m
      - name: the linter finds nothing
        command: cargo clippy --locked --quiet -- -D warnings
        timeout: 15m
      - name: the package can be listed
        command: cargo package --list --allow-dirty
        timeout: 5m

    iterations: 40
    time_limit: 8h

    # To go on working in these files meanwhile, let the run work in a separate tree:
    # isolation: worktree
    "#);
}

#[test]
fn a_version_that_nobody_names_is_the_one_of_the_manifest_unless_it_was_released() {
    let gates = |tag: &str, sentence: &str| {
        let candidate = propose(CRATE, "cargo", (tag, &[]), sentence).unwrap();
        let first = list_gates(&candidate);
        let first: Vec<&str> = first.lines().take(2).collect();
        format!(
            "{}\n{}\n{}\n",
            candidate.title,
            candidate.reason,
            first.join("\n")
        )
    };
    insta::assert_snapshot!(gates("v1.0.3", "ship it"), @r#"
    Make 1.1.0 ready to release
    7 gates; the last release is v1.0.3; not in it: lint (missing cargo-clippy)
    Cargo.toml has version 1.1.0: grep -nE '^version *= *"1\.1\.0"' Cargo.toml
    CHANGELOG.md says what is new in 1.1.0: awk '/^##? /{on = /[^0-9.]1\.1\.0([^0-9.]|$)/; next} on' CHANGELOG.md
    "#);
    insta::assert_snapshot!(gates("v1.1.0", "ship it"), @r#"
    Make it ready to release
    6 gates; the last release is v1.1.0; name the version in the goal to have it checked; not in it: lint (missing cargo-clippy)
    CHANGELOG.md says what is unreleased: awk '/^##? /{on = tolower($0) ~ /unreleased/; next} on' CHANGELOG.md
    what README.md links to is there (not required): ls -d -- . $(awk '{while (match($0, /\]\([^)#:? \/][^)#:? ]*[)#]/)) {print substr($0, RSTART + 2, RLENGTH - 3); $0 = substr($0, RSTART + RLENGTH)}}' README.md)
    "#);
    insta::assert_snapshot!(gates("", "is it ready to release"), @r#"
    Make 1.1.0 ready to release
    7 gates; not in it: lint (missing cargo-clippy)
    Cargo.toml has version 1.1.0: grep -nE '^version *= *"1\.1\.0"' Cargo.toml
    CHANGELOG.md says what is new in 1.1.0: awk '/^##? /{on = /[^0-9.]1\.1\.0([^0-9.]|$)/; next} on' CHANGELOG.md
    "#);
    insta::assert_snapshot!(gates("v1.1.0", "release 2.0"), @r#"
    Make 2.0 ready to release
    7 gates; the last release is v1.1.0; not in it: lint (missing cargo-clippy)
    Cargo.toml has version 2.0: grep -nE '^version *= *"2\.0(\.0)?"' Cargo.toml
    CHANGELOG.md says what is new in 2.0: awk '/^##? /{on = /[^0-9.]2\.0(\.0)?([^0-9.]|$)/; next} on' CHANGELOG.md
    "#);
}

#[test]
fn manifests_in_step_have_one_version_and_others_have_their_own() {
    let files: Files<'_> = &[
        (
            "package.json",
            r#"{"name": "all", "version": "3.0.0", "scripts": {"test": "jest", "lint": "eslint ."}}"#,
        ),
        (
            "packages/a/package.json",
            r#"{"name": "a", "version": "3.0.0"}"#,
        ),
        (
            "packages/b/package.json",
            r#"{"name": "b", "version": "0.4.0"}"#,
        ),
        ("index.ts", "let a = 1"),
        ("packages/a/a.ts", "let a = 1"),
        ("packages/b/b.ts", "let a = 1"),
        ("CHANGES.rst", "Changes"),
    ];
    let candidate = propose(files, "node npm", ("", &[]), "release it").unwrap();
    insta::assert_snapshot!(list_gates(&candidate), @r#"
    package.json has version 3.0.0: grep -nE '"version": *"3\.0\.0"' package.json
    packages/a/package.json has version 3.0.0: grep -nE '"version": *"3\.0\.0"' packages/a/package.json
    CHANGES.rst names 3.0.0: grep -nE '(^|[^0-9.])3\.0\.0([^0-9.]|$)' CHANGES.rst
    no debug code (not required): git grep -nE '(^|[^[:alnum:]_])debugger;' -- '*.ts'
    the tests pass: CI=1 npm run -s test
    the linter finds nothing: npm run -s lint
    the package can be listed: npm pack --dry-run --ignore-scripts
    "#);
    insta::assert_snapshot!(candidate.config["scope"], @r#"["/CHANGES.rst","/package.json","/packages/a/package.json"]"#);
    let private = [
        (
            "package.json",
            r#"{"name": "all", "version": "3.0.0", "private": true, "scripts": {"test": "jest"}}"#,
        ),
        files[3],
    ];
    let candidate = propose(&private, "node npm", ("", &[]), "release it").unwrap();
    insta::assert_snapshot!(list_gates(&candidate), @r#"
    package.json has version 3.0.0: grep -nE '"version": *"3\.0\.0"' package.json
    no debug code (not required): git grep -nE '(^|[^[:alnum:]_])debugger;' -- '*.ts'
    the tests pass: CI=1 npm run -s test
    "#);
}

#[test]
fn a_project_in_a_folder_has_its_gates_there_and_what_lacks_a_program_is_named() {
    let files: Files<'_> = &[
        (
            "api/pyproject.toml",
            r#"{"project": {"name": "api", "version": "0.3.0"}, "tool": {"ruff": {}}}"#,
        ),
        ("api/app/main.py", "x = 1"),
        ("api/tests/test_app.py", "def test(): pass"),
        ("CHANGELOG.md", "root"),
        ("api/CHANGELOG.md", "own"),
        ("api/README.md", "api"),
    ];
    let mut survey = make_survey(files, "python3");
    "api".clone_into(&mut survey.here);
    let candidate = propose_release(&survey, &read_wish("ship it")).unwrap();
    insta::assert_snapshot!(format_config_text(&candidate, "scan"), @r#"
    # Proposed by `autoresearch scan`. Change what you like, then: autoresearch ship check
    # Why: 6 gates; not in it: lint (missing ruff)
    goal: ship it
    mode: ship

    # What a trial may change.
    scope:
      - '/api/CHANGELOG.md'
      - '/api/pyproject.toml'
      - '/api/README.md'

    # What no trial may change: tests and settings are the yardstick.
    protect:
      - 'api/app/**/*.py'
      - 'api/tests/**'

    metric:
      name: open_gates
      direction: lower
      target: 0

    # How the number is made.
    verify:
      gates: true

    # What must hold before the release: `autoresearch ship check` runs these.
    gates:
      - name: api/pyproject.toml has version 0.3.0
        command: 'grep -nE ''^version *= *"0\.3\.0"'' api/pyproject.toml'
      - name: api/CHANGELOG.md says what is new in 0.3.0
        command: 'awk ''/^##? /{on = /[^0-9.]0\.3\.0([^0-9.]|$)/; next} on'' api/CHANGELOG.md'
        expect:
          prints: '^[^#\n]*\w'
      - name: what api/README.md links to is there
        command: 'ls -d -- . $(awk ''{while (match($0, /\]\([^)#:? \/][^)#:? ]*[)#]/)) {print substr($0, RSTART + 2, RLENGTH - 3); $0 = substr($0, RSTART + RLENGTH)}}'' README.md)'
        working_directory: api
        required: false
      - name: no debug code
        command: 'git grep -nE ''(breakpoint\(\)|pdb\.set_trace\()'' -- ''*.py'''
        expect:
          exit: 1
        working_directory: api
        required: false
      - name: it builds
        command: |
          set -eu
          mkdir -p .measured
          echo '*' > .measured/.gitignore
          git --literal-pathspecs ls-files -zco --exclude-standard -- app > .measured/files
          PYTHONPYCACHEPREFIX=.measured/pycache xargs -0 sh -c 'for f; do shift; case $f in *.py) [ ! -f "$f" ] || set -- "$@" "./$f";; esac; done; [ $# -eq 0 ] || exec python3 -m compileall -q -f -x "/[.]?venv/" "$@"' sh < .measured/files
        timeout: 15m
        working_directory: api
      - name: the tests pass
        command: 'PYTHONDONTWRITEBYTECODE=1 python3 -c ''import sys, unittest; it = unittest.main(None, argv=["", "discover", "-q"], exit=False).result; sys.exit(not it.wasSuccessful() if it.testsRun else "no test ran")'''
        timeout: 15m
        working_directory: api

    iterations: 40
    time_limit: 8h

    # To go on working in these files meanwhile, let the run work in a separate tree:
    # isolation: worktree
    "#);
}

#[test]
fn nothing_is_proposed_where_nothing_is_known_or_could_be_edited() {
    assert!(propose(&[("README.md", "x")], "cargo", ("", &[]), "ship it").is_none());
    let bare: Files<'_> = &[("Makefile", "all:\n\tcc a.c\n"), ("a.c", "int a;")];
    assert!(propose(bare, "make cc", ("", &[]), "ship it").is_none());
}

#[test]
fn a_hostile_name_becomes_one_word_of_a_command_or_none() {
    let files: Files<'_> = &[
        (
            "Cargo.toml",
            r#"{"package": {"name": "tool", "version": "1.1.0; rm -rf /"}}"#,
        ),
        ("src/main.rs", "fn main() {}"),
        ("CHANGELOG.$(touch x).md", "# Changes"),
        ("changelog.md", "# Changes"),
    ];
    let candidate = propose(files, "cargo", ("v0.9.0", &["'; touch y; '.md"]), "ship it").unwrap();
    insta::assert_snapshot!(list_gates(&candidate), @r#"
    changelog.md says what is unreleased: awk '/^##? /{on = tolower($0) ~ /unreleased/; next} on' changelog.md
    no debug code (not required): git grep -nE 'dbg!\(' -- '*.rs'
    it builds: set -eu; cargo check --quiet; cargo check --quiet --tests; 
    the tests pass: cargo test --quiet
    the package can be listed: cargo package --list --allow-dirty
    "#);
}
