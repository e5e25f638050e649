//! What a person reads of `debug`, `hypothesis` and `experiment`, and how their words become an order.

use clap::Parser;
use insta::assert_snapshot;

use super::*;
use crate::cli::tests::format_own_help;

#[test]
fn the_help_of_debug_says_what_ends_a_search_and_what_is_not_changed() {
    assert_snapshot!(format_own_help("debug"), @r#"
    Search for the cause of a symptom, with evidence that the tool checks itself

    Usage: autoresearch debug [OPTIONS] <COMMAND>

    Commands:
      start   Open a search for the cause of a symptom; no file, branch or commit of yours is changed
      status  Show how the search stands, and what is next
      list    List the searches of this repository, the newest first
      stop    End the search before there is a cause
      fix     Write autoresearch.yaml for a fix: the command that showed the cause becomes verify

    Options:
      (and the options of every command)

    Examples:
      autoresearch debug start -m "the API answers 503 after an hour"
      autoresearch debug status
    "#);
    assert_snapshot!(format_own_help("debug start"), @r#"
    Open a search for the cause of a symptom; no file, branch or commit of yours is changed

    Usage: autoresearch debug start [OPTIONS] --message <MSG>

    Options:
      -m, --message <MSG>
              The symptom: what is seen, where and when

          --hypotheses <N>
              So many hypotheses at most

              [default: 20]

          --fruitless <N>
              So many results in a row may lead nowhere

              [default: 6]

      (and the options of every command)

    Example:
      autoresearch debug start -m "the API answers 503 after an hour"

    It ends when a cause is confirmed, when all hypotheses that --hypotheses allows were looked at, or
    when --fruitless results in a row were neither a cause nor a lead. Its folder in
    autoresearch-results has summary.md, findings.md, eliminated.md and debug.json.
    "#);
}

#[test]
fn the_help_of_what_looks_at_a_search_or_ends_it() {
    assert_snapshot!(format_own_help("debug status"), @"
    Show how the search stands, and what is next

    Usage: autoresearch debug status [OPTIONS]

    Options:
      (and the options of every command)

    Examples:
      autoresearch debug status
      autoresearch debug status --run debug-1 --json
    ");
    assert_snapshot!(format_own_help("debug list"), @"
    List the searches of this repository, the newest first

    Usage: autoresearch debug list [OPTIONS]

    Options:
      (and the options of every command)

    Example:
      autoresearch debug list
    ");
    assert_snapshot!(format_own_help("debug stop"), @r#"
    End the search before there is a cause

    Usage: autoresearch debug stop [OPTIONS] --message <MSG>

    Options:
      -m, --message <MSG>
              Why

      (and the options of every command)

    Example:
      autoresearch debug stop -m "it cannot be reproduced here"
    "#);
}

#[test]
fn the_help_of_debug_fix_says_that_it_starts_nothing() {
    assert_snapshot!(format_own_help("debug fix"), @"
    Write autoresearch.yaml for a fix: the command that showed the cause becomes verify

    Usage: autoresearch debug fix [OPTIONS]

    Options:
          --scope <PATTERN>
              What a trial may change; the files of the evidence otherwise

      (and the options of every command)

    Examples:
      autoresearch debug fix
      autoresearch debug fix --scope 'src/**'

    The cause must be confirmed by a command. Mode is fix, the metric is how many of its runs fail, the
    target is 0. It never writes over a file, and starts nothing.
    ");
}

#[test]
fn the_help_of_hypothesis_says_what_to_name() {
    assert_snapshot!(format_own_help("hypothesis"), @r#"
    Add what could be the cause, and say what became of it

    Usage: autoresearch hypothesis [OPTIONS] <COMMAND>

    Commands:
      add     Add what could be the cause
      result  Say what became of a hypothesis, with evidence that the tool checks; a command runs in its
              sandbox

    Options:
      (and the options of every command)

    Examples:
      autoresearch hypothesis add -m "the pool is never refilled" --predicts "no code gives a connection
      back after an error"
      autoresearch hypothesis result 1 confirmed -m "the error path returns early" --at src/pool.rs:41
      --quote "return Err(e);"
    "#);
    assert_snapshot!(format_own_help("hypothesis add"), @r#"
    Add what could be the cause

    Usage: autoresearch hypothesis add [OPTIONS] --message <MSG> --predicts <MSG>

    Options:
      -m, --message <MSG>
              What could be the cause, in one sentence

          --predicts <MSG>
              What would be seen if it were true, and not otherwise

      (and the options of every command)

    Example:
      autoresearch hypothesis add -m "the pool is never refilled" --predicts "no code gives a connection
      back after an error"
    "#);
}

#[test]
fn the_help_of_a_result_says_which_evidence_is_checked_and_how() {
    let help = format_own_help("hypothesis result");
    let (head, options) = help.split_once("Options:\n").unwrap();
    assert_snapshot!(head, @"
    Say what became of a hypothesis, with evidence that the tool checks; a command runs in its sandbox

    Usage: autoresearch hypothesis result [OPTIONS] --message <MSG> <N> <OUTCOME>

    Arguments:
      <N>
              The number of the hypothesis

      <OUTCOME>
              How it came out

              Possible values:
              - confirmed:    It is the cause
              - disproven:    It is not
              - inconclusive: It cannot be told
              - lead:         It is not the cause, and leads on
    ");
    assert_snapshot!(options, @r#"
      -m, --message <MSG>
              What it says, in one sentence

          --at <PATH:LINE>
              A place in a file; once for each --quote

          --quote <TEXT>
              What stands there; blanks do not count

          --command <COMMAND>
              A command, for `/bin/sh -c`

          --expect-exit <STATUS>
              How it ends: an exit status, `fails` or `hangs`

          --expect-output <TEXT>
              What it prints

          --expect-no-output <TEXT>
              What it does not print

          --runs <N>
              How often it runs

          --at-least <N>
              In how many runs it is as expected; in all of them otherwise

          --timeout <SPAN>
              How long a run may take, such as `90s`

      (and the options of every command)

    Examples:
      autoresearch hypothesis result 1 confirmed -m "the error path returns early" --at src/pool.rs:41
      --quote "return Err(e);"
      autoresearch hypothesis result 2 disproven -m "the limit is not reached" --command "sh probe.sh"
      --expect-exit 0
      autoresearch hypothesis result 3 confirmed -m "it is a race" --command "sh probe.sh" --expect-exit
      fails --runs 60 --at-least 1

    `confirmed` and `disproven` take evidence, as much as you like of it. A place is looked up in the
    commit of HEAD and in the work tree; a quotation that moved is found again. A command is run in a
    copy of your files, in a sandbox without network, and must show what is expected in at least
    --at-least of its --runs. Evidence that does not hold is refused with what is there, and nothing is
    recorded.
    "#);
}

#[test]
fn the_help_of_an_experiment_is_that_of_a_result_but_for_the_sandbox() {
    let help = format_own_help("hypothesis result");
    let (_, options) = help.split_once("Options:\n").unwrap();
    let outside = format_own_help("experiment");
    let (head, rest) = outside.split_once("Options:\n").unwrap();
    assert_snapshot!(head.lines().next().unwrap(), @"As `hypothesis result`, but the command runs outside the sandbox of the tool, with the network");
    let (same, own) = rest.split_once("Example:\n").unwrap();
    assert!(options.starts_with(same), "{same}");
    assert_snapshot!(own, @r#"
      autoresearch experiment 2 confirmed -m "the gateway answers 503" --command "curl -si
      localhost:8080/health" --expect-output " 503 "

    It still runs in a copy of your files. For a machine without a sandbox, and for what needs the
    network or a service that runs; from a session a person says yes to each call.
    "#);
}

#[derive(Parser)]
struct Line {
    #[command(subcommand)]
    command: HypothesisCommand,
}

fn read(words: &[&str]) -> Result<ClaimedResult> {
    let line = ["x", "result", "1", "confirmed", "-m", "m"];
    match Line::try_parse_from(line.iter().chain(words))
        .unwrap()
        .command
    {
        HypothesisCommand::Result(words) => words.into_claim(),
        other @ HypothesisCommand::Add { .. } => panic!("{other:?}"),
    }
}

#[test]
fn places_and_quotations_go_together_in_their_order() {
    let claimed = read(&[
        "--at",
        "a:1",
        "--quote",
        "one",
        "--at",
        "b:2",
        "--quote=-two",
    ])
    .unwrap();
    let places = claimed.places.iter();
    let places: Vec<String> = places
        .map(|place| format!("{}:{} {}", place.path, place.line, place.quote))
        .collect();
    assert_eq!(places, ["a:1 one", "b:2 -two"]);
    assert_eq!(claimed.experiment, None);
    for (words, error) in [
        (&["--at", "a:1"][..], "there are 1 --at and 0 --quote"),
        (
            &["--at", "a", "--quote", "q"][..],
            "`a` is no place: PATH:LINE is meant, such as src/api.rs:12",
        ),
    ] {
        assert_eq!(read(words).unwrap_err().error, error);
    }
}

#[test]
fn an_experiment_has_to_be_met_in_all_of_its_runs_unless_it_is_said_otherwise() {
    let plan = |words: &[&str]| read(words).unwrap().experiment.unwrap();
    let once = plan(&["--command", "x", "--expect-exit", "fails"]);
    assert_eq!((once.runs, once.at_least, once.timeout_ms), (1, 1, 60_000));
    let often = plan(&["--command", "x", "--expect-output", "y", "--runs", "60"]);
    assert_eq!((often.runs, often.at_least), (60, 60));
    let rare = [
        "--command",
        "x",
        "--expect-exit",
        "hangs",
        "--runs",
        "60",
        "--at-least",
        "1",
        "--timeout",
        "2s",
    ];
    let rare = plan(&rare);
    assert_eq!((rare.runs, rare.at_least, rare.timeout_ms), (60, 1, 2_000));
    assert_eq!(rare.expects.to_string(), "it does not end in time");
}
