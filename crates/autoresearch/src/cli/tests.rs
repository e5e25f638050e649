//! What a person reads of each command, whole: an option, an example or a sentence changes here too.

use insta::assert_snapshot;

use super::*;

/// The options that every command has, as the program's own help shows them.
const OF_EVERY_COMMAND: &str = "      --json
          Answer with one JSON object

  -C <DIR>
          Work as if started in this folder

      --run <NAME>
          The run to use, when several are active

  -h, --help
          Print help
";

fn format_help(path: &str) -> String {
    let mut program = make_clap_command().term_width(100);
    program.build();
    let mut command = &mut program;
    for word in path.split_whitespace() {
        command = command.find_subcommand_mut(word).unwrap();
    }
    let help = command.render_long_help().to_string();
    let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
    lines.join("\n") + "\n"
}

/// The help of a command; the options that every command has are told to be there, and not repeated.
pub(super) fn format_own_help(path: &str) -> String {
    // clap says this where one of the values has its own line.
    let help = format_help(path).replace(" (see a summary with '-h')", "");
    assert!(help.contains(OF_EVERY_COMMAND), "{path}: {help}");
    help.replace(OF_EVERY_COMMAND, "  (and the options of every command)\n")
}

fn list_all_paths() -> Vec<String> {
    let mut paths = Vec::new();
    list_paths(&make_clap_command(), "", &mut paths);
    assert!(paths.len() > 30, "{paths:?}");
    paths
}

fn list_paths(command: &ClapCommand, above: &str, found: &mut Vec<String>) {
    for child in command.get_subcommands() {
        let path = format!("{above} {}", child.get_name());
        list_paths(child, &path, found);
        found.push(path);
    }
}

#[test]
fn every_command_says_what_it_does_in_a_line_shows_an_example_and_ends_with_the_options_of_all() {
    for path in list_all_paths() {
        let help = format_own_help(&path);
        let first = help.lines().next().unwrap();
        assert!(
            first.chars().count() <= 120 && !first.ends_with('.'),
            "{path}: {first}"
        );
        assert!(
            help.contains(&format!("Usage: autoresearch{path}")),
            "{path}"
        );
        assert!(
            help.contains("Example") && help.contains(&format!("\n  autoresearch{path}")),
            "{path}"
        );
    }
}

/// The tests that show the help of a command, whole.
const SHOWN: [&str; 5] = [
    include_str!("tests.rs"),
    include_str!("args/tests.rs"),
    include_str!("background/tests.rs"),
    include_str!("commands/tests.rs"),
    include_str!("modes/debug/tests.rs"),
];

#[test]
fn the_help_of_every_command_is_shown_whole_by_a_test() {
    let is_shown = |path: &str| {
        let call = format!("format_own_help(\"{}\")", path.trim_start());
        SHOWN.iter().any(|text| text.contains(&call))
    };
    let hidden: Vec<String> = list_all_paths()
        .into_iter()
        .filter(|path| !is_shown(path))
        .collect();
    assert!(
        hidden.is_empty(),
        "no test shows the help of these: {hidden:?}"
    );
}

#[test]
fn no_line_of_any_help_is_wider_than_the_terminal() {
    for path in [vec![String::new()], list_all_paths()].concat() {
        let help = format_help(&path);
        let wide: Vec<&str> = help
            .lines()
            .filter(|line| line.chars().count() > 100)
            .collect();
        assert!(wide.is_empty(), "{path}: {wide:?}");
    }
}

#[test]
fn the_help_of_the_program_names_every_command() {
    let help = format_help("");
    let (commands, _) = help.split_once("\nOptions:\n").unwrap();
    assert_snapshot!(commands, @"
    An honest improve-verify loop: the tool measures, decides, commits and undoes; the agent proposes

    Usage: autoresearch [OPTIONS] <COMMAND>

    Commands:
      scan         Look at the repository and the machine, and propose what to improve; nothing is run
      init         Write a candidate of `scan` as autoresearch.yaml, with comments
      fix          Find what is broken in a project, and write the config that brings it to zero
      ship         Check what must hold before a release
      debug        Search for the cause of a symptom, with evidence that the tool checks itself
      hypothesis   Add what could be the cause, and say what became of it
      experiment   As `hypothesis result`, but the command runs outside the sandbox of the tool, with
                   the network
      config       Check a config, try it, print its schema, or print an example
      start        Start a run: check the repository, measure the untouched tree, freeze the config
      trial        Measure what you changed: commit, verify, guard, then keep it or undo it
      retry        Bring the changes of a trial that was not kept back as edits, on top of what was kept
                   since
      remeasure    Run verify again on a state of the run: on the kept one, on the start, or on a
                   trial's commit
      propose      Register what you changed: the session's hook measures it when the turn ends (for an
                   agent in a Codex session)
      background   Run in the background, without a person: start, watch, pause or end it
      exec         Do a whole run without a person, as in CI: print JSON lines, exit with 0, 1 or 2
      parallel     Try up to three hypotheses at once, each in a work tree of its own
      strategy     Log a change of strategy, or say that a person must act
      status       Show where the run stands
      log          Show the rows of the log
      show         Show a trial again, whatever became of it: its story, what it changed, what was
                   printed
      runs         List the runs of this repository, in all its work trees, the newest first
      resume       Find the run, repair what a crash left, and print the brief to continue from
      raise        Raise a limit of the run, even after the run ended at it (for a person at a terminal)
      stop         End the run; the work tree stays as it is
      finish       End the run if it is open, go back to your branch, and show what was kept
      doctor       Check runs, journals, git and Codex
      clean        List what the tool made here; with --yes, remove it
      install      Install the skill, the program and, if asked for, the session hooks and an execution
                   rule
      uninstall    Remove everything that `install` added, and restore your files byte for byte
      hooks        Register, check or remove only the session hooks
      demo         Watch a whole run on a small repository made for it; needs git and a shell
      completions  Print a completion script for a shell
    ");
}

#[test]
fn the_help_of_the_program_ends_with_a_first_run_and_the_exit_codes() {
    let help = format_help("");
    let (_, options) = help.split_once("\nOptions:\n").unwrap();
    assert_snapshot!(options, @r#"
          --json
              Answer with one JSON object

      -C <DIR>
              Work as if started in this folder

          --run <NAME>
              The run to use, when several are active

      -h, --help
              Print help

      -V, --version
              Print version

    A first run:
      autoresearch scan --goal "get rid of the any types"
      autoresearch init --goal "get rid of the any types"   (writes autoresearch.yaml: read it)
      autoresearch config try
      autoresearch start
      # edit a file in the scope, then
      autoresearch trial -m "what you changed"
      autoresearch status
      autoresearch finish

    Exit codes: 0 done, 2 usage error, 3 config error, 4 a person must act, 5 another process holds the
    run, 6 missing requirement, 70 internal error, 130 interrupted. A discarded trial exits with 0.
    "#);
}

#[test]
#[expect(clippy::too_many_lines, reason = "the page is whole")]
fn the_help_of_start_names_every_key_that_is_a_flag() {
    assert_snapshot!(format_own_help("start"), @"
    Start a run: check the repository, measure the untouched tree, freeze the config

    Usage: autoresearch start [OPTIONS]

    Options:
          --config <FILE>
              The config file; `-` reads standard input

          --goal <GOAL>
              What to improve, in one sentence

          --tag <TAG>
              The run's name

          --scope <GLOB>
              A pattern of the files that a trial may change; may be given more than once

          --protect <GLOB>
              A pattern of files that no trial may change; may be given more than once

          --pin <GLOB>
              A pattern of files that no trial may change although the scope holds them; may be given
              more than once

          --metric <NAME>
              The metric's name

          --direction <WAY>
              Which way is better: lower or higher

          --target <NUMBER>
              The value that ends the run

          --verify <COMMAND>
              The command that measures

          --verify-wall <COMMAND>
              Instead: a command of which the tool measures the time

          --verify-cpu <COMMAND>
              Instead: a command of which the tool measures the processor time

          --verify-peak-memory <COMMAND>
              Instead: a command of whose largest process the tool measures the memory

          --verify-size <GLOB>
              Instead: a pattern of files of which the tool counts the bytes, after --verify if it is
              given; may be given more than once

          --verify-gzip
              Each file of --verify-size after gzip

          --verify-covered <FILE>
              The coverage report that --verify writes; the tool reads the share of covered lines

          --verify-check <COMMAND>
              A command that must succeed before each measurement

          --verify-shell <SHELL>
              The shell: sh, or bash with pipefail

          --verify-timeout <SPAN>
              How long it may run, such as 10m

          --verify-sandbox
              Verify and guard run in a sandbox: no network, and writes only in the tree and a temporary
              folder

          --guard <COMMAND>
              The command that must pass before a keep

          --guard-shell <SHELL>
              Its shell: sh, or bash with pipefail

          --guard-timeout <SPAN>
              How long it may run

          --iterations <N>
              The most trials in total; `none` only at start, if something else ends the run

          --time-limit <SPAN>
              The most time since the start, such as 8h

          --tokens <N>
              The most tokens in total

          --verify-runs <N>
              The most runs of verify in trials, in total

          --until <HH:MM>
              End at this time of day, such as 07:00

          --isolation <WHERE>
              branch, worktree or in-place

          --prepare <COMMAND>
              A command that runs once in each new tree of the run, before verify; with isolation
              worktree

          --prepare-timeout <SPAN>
              How long it may run

          --link <GLOB>
              A pattern of ignored paths that the trees of the run get as links; may be given more than
              once

          --copy <GLOB>
              A pattern of ignored paths that the trees of the run get as copies; may be given more than
              once

          --view <USE>
              auto or off: do verify and guard see the folders of link and copy at their own paths?

          --trees <FOLDER>
              The folder in which the work trees of the run are made, outside the repository

          --ladder <WAY>
              What happens after failed trials in a row: off, advise or enforce

          --claim <MODE>
              Whether the gain is measured afresh at the end: auto or never

          --min-improvement <AMOUNT>
              The smallest improvement worth keeping: a number, or a share such as 2%

          --agent-command <COMMAND>
              A command that gets the brief on standard input and edits files, instead of Codex

          --agent-model <MODEL>
              Codex's model

          --agent-sandbox <WHAT>
              What Codex may do: workspace-write or full-access

          --agent-timeout <SPAN>
              How long a turn of the agent may take

      (and the options of every command)

    Examples:
      autoresearch start
      autoresearch start --config autoresearch.yaml --iterations 20

    Without --config it reads autoresearch.yaml. Every other flag is a key of the config and overrides
    the file, as in `exec`; so does a variable such as AUTORESEARCH_ITERATIONS. The combined config is
    checked and frozen.

    A refused start leaves nothing behind.
    ");
}

#[test]
fn exec_takes_the_flags_of_start_and_its_help_names_the_exit_codes_and_the_variables() {
    let flags = |help: &str| {
        let (_, rest) = help.split_once("Options:\n").unwrap();
        rest.split_once("Examples:\n").unwrap().0.to_owned()
    };
    let help = format_own_help("exec");
    let own = flags(&help);
    assert_eq!(own, flags(&format_own_help("start")));
    assert_snapshot!(help.replace(&own, "  (the flags of start)\n\n"), @"
    Do a whole run without a person, as in CI: print JSON lines, exit with 0, 1 or 2

    Usage: autoresearch exec [OPTIONS]

    Options:
      (the flags of start)

    Examples:
      autoresearch exec --config autoresearch.yaml --iterations 10
      AUTORESEARCH_ITERATIONS=10 autoresearch exec --config autoresearch.yaml

    Standard output carries a JSON object for each trial and a summary at the end; an error is one
    object on standard error.

    Exit codes: 0 improved, 1 not improved, 2 blocked or set up wrong.

    Every flag is a key of the config, and has a variable: AUTORESEARCH_ and the key in capitals, with _
    for a dot (AUTORESEARCH_VERIFY_COMMAND).
    ");
}

#[test]
fn the_help_of_a_trial_tells_a_rework_from_a_repetition() {
    assert_snapshot!(format_own_help("trial"), @r#"
    Measure what you changed: commit, verify, guard, then keep it or undo it

    Usage: autoresearch trial [OPTIONS]

    Options:
      -m, --message <MSG>
              What you changed, in one sentence

          --label <L>
              A label of the trial, such as `real-backend`; may be given more than once

          --simplify
              Also keep it on a tie, if it removes more lines than it adds

          --rework
              Measure the trial whose guard failed again, with your fix

          --again
              Measure the trial whose guard failed again as it is, for a flaky guard. It counts as a
              rework

          --drop
              Undo the edits in the scope, or give up the trial that waits for a rework

      (and the options of every command)

    Examples:
      autoresearch trial -m "type-narrow the API handlers"
      autoresearch trial -m "drop the wrapper" --simplify
      autoresearch trial --rework -m "fix the failing test"
      autoresearch trial --again
      autoresearch trial --drop

    The answer ends with the next step. A discard is an answer, not an error: the exit code is 0.
    "#);
}

#[test]
fn the_help_of_propose_says_that_nothing_is_measured_yet() {
    assert_snapshot!(format_own_help("propose"), @r#"
    Register what you changed: the session's hook measures it when the turn ends (for an agent in a
    Codex session)

    Usage: autoresearch propose [OPTIONS]

    Options:
      -m, --message <MSG>
              What you changed, in one sentence

          --label <L>
              A label of the trial, such as `real-backend`; may be given more than once

          --simplify
              Also keep it on a tie, if it removes more lines than it adds

          --rework
              Measure the trial whose guard failed again, with your fix

          --again
              Measure the trial whose guard failed again as it is, for a flaky guard. It counts as a
              rework

          --drop
              Undo the edits in the scope, or give up the trial that waits for a rework

      (and the options of every command)

    Examples:
      autoresearch propose -m "type-narrow the API handlers"
      autoresearch propose --rework -m "fix the failing test"

    Nothing is measured or committed yet: end the turn, and the hook answers with the verdict and the
    next step.

    It works in a sandbox where git is read-only, and costs nothing while a long verify runs.
    "#);
}
