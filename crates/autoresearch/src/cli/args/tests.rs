//! What a person reads of the commands about configs, and of those that install.

use insta::assert_snapshot;

use crate::cli::tests::format_own_help;

#[test]
fn the_help_of_config_shows_how_one_is_checked_and_begun() {
    assert_snapshot!(format_own_help("config"), @"
    Check a config, try it, print its schema, or print an example

    Usage: autoresearch config [OPTIONS] <COMMAND>

    Commands:
      check    Report every problem of a config, each with its place and how to fix it
      try      Measure the untouched tree and check that the metric reacts to the files of the scope,
               without a run
      schema   Print the JSON Schema of the config, for editors
      example  Print a commented config to start from; without a domain, list the domains

    Options:
      (and the options of every command)

    Examples:
      autoresearch config example lint > autoresearch.yaml
      autoresearch config check
      autoresearch config try
    ");
    assert_snapshot!(format_own_help("config check"), @"
    Report every problem of a config, each with its place and how to fix it

    Usage: autoresearch config check [OPTIONS] [FILE]

    Arguments:
      [FILE]
              The config file; `-` reads standard input

              [default: autoresearch.yaml]

    Options:
      (and the options of every command)

    Example:
      autoresearch config check autoresearch.yaml
    ");
    assert_snapshot!(format_own_help("config try"), @"
    Measure the untouched tree and check that the metric reacts to the files of the scope, without a run

    Usage: autoresearch config try [OPTIONS] [FILE]

    Arguments:
      [FILE]
              The config file; `-` reads standard input

              [default: autoresearch.yaml]

    Options:
      (and the options of every command)

    Example:
      autoresearch config try autoresearch.yaml

    It runs the guard once and verify at least twice, as `start` does. Then it runs verify in a scratch
    work tree: untouched, with the files of the scope emptied and, if nothing changes, deleted and full
    of garbage. A metric that never changes measures something else, and `start` refuses it.

    Nothing stays: no run, no branch, no work tree. Exit code 3: `start` would refuse this config.
    ");
}

#[test]
fn the_help_of_config_shows_how_its_schema_and_its_examples_are_printed() {
    assert_snapshot!(format_own_help("config schema"), @"
    Print the JSON Schema of the config, for editors

    Usage: autoresearch config schema [OPTIONS]

    Options:
      (and the options of every command)

    Example:
      autoresearch config schema > config.schema.json
    ");
    assert_snapshot!(format_own_help("config example"), @"
    Print a commented config to start from; without a domain, list the domains

    Usage: autoresearch config example [OPTIONS] [DOMAIN]

    Arguments:
      [DOMAIN]
              The domain

    Options:
      (and the options of every command)

    Example:
      autoresearch config example test-coverage > autoresearch.yaml
    ");
}

#[test]
#[expect(clippy::too_many_lines, reason = "the pages are whole")]
fn the_help_of_the_installation_says_what_is_written_where() {
    assert_snapshot!(format_own_help("install"), @"
    Install the skill, the program and, if asked for, the session hooks and an execution rule

    Usage: autoresearch install [OPTIONS]

    Options:
          --user
              Put the skill into your own ~/.agents/skills; this is the default

          --project <DIR>
              Put the skill into DIR/.agents/skills

          --hooks
              Register the session hooks with Codex, and have it trust them

          --rule
              Let Codex run the commands of a run outside its sandbox; `start` asks you each time

          --rule-start
              The same, and `start` runs without a question: the agent can then run anything

          --yes
              Do it without asking

          --dry-run
              Show what would be done, and do nothing

      (and the options of every command)

    Examples:
      autoresearch install --hooks --rule            (skill, hooks and rule for this user)
      autoresearch install --project . --dry-run     (shows what it would do)
      autoresearch install --yes

    Every change outside our own folders is shown as a diff before anything is written.
    ");
    assert_snapshot!(format_own_help("uninstall"), @"
    Remove everything that `install` added, and restore your files byte for byte

    Usage: autoresearch uninstall [OPTIONS]

    Options:
          --yes
              Do it without asking

          --dry-run
              Show what would be done, and do nothing

      (and the options of every command)

    Examples:
      autoresearch uninstall --dry-run
      autoresearch uninstall

    Run folders, anchors and branches stay: see `autoresearch clean`.
    ");
    assert_snapshot!(format_own_help("hooks"), @"
    Register, check or remove only the session hooks

    Usage: autoresearch hooks [OPTIONS] <COMMAND>

    Commands:
      install    Register the session hooks with Codex, and have it trust them
      status     Show for each hook whether Codex will run it, and how to arm it
      uninstall  Remove our hooks and their trust from Codex's configuration

    Options:
      (and the options of every command)

    Example:
      autoresearch hooks status
    ");
    assert_snapshot!(format_own_help("hooks install"), @"
    Register the session hooks with Codex, and have it trust them

    Usage: autoresearch hooks install [OPTIONS]

    Options:
          --yes
              Do it without asking

          --dry-run
              Show what would be done, and do nothing

      (and the options of every command)

    Example:
      autoresearch hooks install --dry-run
    ");
    assert_snapshot!(format_own_help("hooks status"), @"
    Show for each hook whether Codex will run it, and how to arm it

    Usage: autoresearch hooks status [OPTIONS]

    Options:
      (and the options of every command)

    Example:
      autoresearch hooks status --json
    ");
    assert_snapshot!(format_own_help("hooks uninstall"), @"
    Remove our hooks and their trust from Codex's configuration

    Usage: autoresearch hooks uninstall [OPTIONS]

    Options:
          --yes
              Do it without asking

          --dry-run
              Show what would be done, and do nothing

      (and the options of every command)

    Example:
      autoresearch hooks uninstall
    ");
}

#[test]
fn the_help_of_scan_and_init_says_that_nothing_is_run() {
    assert_snapshot!(format_own_help("scan"), @r#"
    Look at the repository and the machine, and propose what to improve; nothing is run

    Usage: autoresearch scan [OPTIONS]

    Options:
      -g, --goal <SENTENCE>
              What to improve, in one sentence; without it, the repository suggests something

      (and the options of every command)

    Examples:
      autoresearch scan
      autoresearch scan --goal "get rid of the any types"
      autoresearch scan --goal "raise my coverage to 80 %" --json

    Each candidate is a whole config. The best comes first; what this machine lacks a program for is
    listed apart, with what is missing. `autoresearch init` with the same goal writes one. With --json
    each candidate has its config.

    Only file names, manifests and sources are read: no script, build tool or hook of the repository
    runs, and a program counts only where PATH has it outside the repository.
    "#);
    assert_snapshot!(format_own_help("init"), @r#"
    Write a candidate of `scan` as autoresearch.yaml, with comments

    Usage: autoresearch init [OPTIONS]

    Options:
      -g, --goal <SENTENCE>
              What to improve, in one sentence; without it, the repository suggests something

          --candidate <N>
              Which candidate of the scan

      (and the options of every command)

    Examples:
      autoresearch init
      autoresearch init --goal "make the tests faster"
      autoresearch init --candidate 2

    It never writes over a file, and runs nothing of the repository. Then: `autoresearch config try`
    measures the untouched tree without a run, `autoresearch start` begins one.
    "#);
}
