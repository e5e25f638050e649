//! What a person reads of the commands that look at a run, steer it or end it.

use insta::assert_snapshot;

use crate::cli::tests::format_own_help;

#[test]
fn the_help_of_what_looks_at_a_run_says_what_it_shows() {
    assert_snapshot!(format_own_help("status"), @"
    Show where the run stands

    Usage: autoresearch status [OPTIONS]

    Options:
      (and the options of every command)

    Example:
      autoresearch status --json
    ");
    assert_snapshot!(format_own_help("log"), @"
    Show the rows of the log

    Usage: autoresearch log [OPTIONS]

    Options:
          --status <STATUS>
              Only rows of this status; may be given more than once

              [possible values: baseline, keep, discard, crash, no-op, blocked, refine, pivot, search,
              interrupted, remeasured, measured]

          --last <N>
              Only the last N rows

      -f, --follow
              Keep showing new rows until the run ends

          --times
              Start each row with its local time and UTC

      (and the options of every command)

    Examples:
      autoresearch log --last 10
      autoresearch log --status keep --status crash
      autoresearch log --follow
    ");
    assert_snapshot!(format_own_help("resume"), @"
    Find the run, repair what a crash left, and print the brief to continue from

    Usage: autoresearch resume [OPTIONS]

    Options:
      (and the options of every command)

    Example:
      autoresearch resume
    ");
}

#[test]
fn the_help_of_retry_says_that_nothing_is_measured_and_what_it_refuses() {
    assert_snapshot!(format_own_help("retry"), @"
    Bring the changes of a trial that was not kept back as edits, on top of what was kept since

    Usage: autoresearch retry [OPTIONS] <N>

    Arguments:
      <N>
              The number of the trial, as the log has it

    Options:
      (and the options of every command)

    Example:
      autoresearch retry 4

    Nothing is measured: change of the edits what you want, then run a trial. It works for a trial that
    was discarded, crashed, void or interrupted, and refuses while there are other unmeasured edits.
    Where what was kept since changed the same places, nothing is changed, and the files are named.
    ");
}

#[test]
fn the_help_of_what_shows_trials_and_runs_again_says_that_it_reads_only() {
    assert_snapshot!(format_own_help("show"), @"
    Show a trial again, whatever became of it: its story, what it changed, what was printed

    Usage: autoresearch show [OPTIONS] <N>

    Arguments:
      <N>
              The number of the trial, as the log has it; 0 is the baseline, 5b a worker of a batch

    Options:
          --diff
              Show what it changed, as a patch

          --stat
              Show the files that it changed, with the number of lines

          --output
              Show the end of what verify and the guard printed

      (and the options of every command)

    Examples:
      autoresearch show 4
      autoresearch show 4 --stat
      autoresearch show 4 --diff | git apply --check
      autoresearch show 4 --output

    It reads only: also a run that has ended, or that another process works on.
    ");
    assert_snapshot!(format_own_help("runs"), @"
    List the runs of this repository, in all its work trees, the newest first

    Usage: autoresearch runs [OPTIONS]

    Options:
      (and the options of every command)

    Examples:
      autoresearch runs
      autoresearch runs --json
    ");
}

#[test]
fn the_help_of_strategy_tells_its_words_apart() {
    assert_snapshot!(format_own_help("strategy"), @r#"
    Log a change of strategy, or say that a person must act

    Usage: autoresearch strategy [OPTIONS] --message <MSG> <STRATEGY>

    Arguments:
      <STRATEGY>
              refine: adjust; pivot: choose another; search: look outside; block: end the run, a person
              must act

              Possible values:
              - refine: Adjust within the strategy
              - pivot:  Abandon the strategy and choose another
              - search: Abandon the strategy and look outside for another
              - block:  End the run: it is blocked by something that only a person can change

    Options:
      -m, --message <MSG>
              The reason and the plan

      (and the options of every command)

    Examples:
      autoresearch strategy refine -m "only leaf modules from now on"
      autoresearch strategy block -m "the API key has expired"
    "#);
}

#[test]
fn the_help_of_what_ends_or_lengthens_a_run_says_what_stays() {
    assert_snapshot!(format_own_help("raise"), @"
    Raise a limit of the run, even after the run ended at it (for a person at a terminal)

    Usage: autoresearch raise [OPTIONS]

    Options:
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

      (and the options of every command)

    Examples:
      autoresearch raise --iterations 80
      autoresearch raise --time-limit 12h --tokens 4000000

    A limit counts from the start of the run. A run that ended at the limit is open again: continue with
    a trial, or with `autoresearch background start`. An agent cannot call this.
    ");
    assert_snapshot!(format_own_help("stop"), @r#"
    End the run; the work tree stays as it is

    Usage: autoresearch stop [OPTIONS]

    Options:
      -m, --message <MSG>
              Why

              [default: "stopped by a person"]

      (and the options of every command)

    Example:
      autoresearch stop -m "good enough"
    "#);
    assert_snapshot!(format_own_help("finish"), @"
    End the run if it is open, go back to your branch, and show what was kept

    Usage: autoresearch finish [OPTIONS]

    Options:
          --claim
              Measure the gain afresh, however long it takes

          --no-claim
              Do not measure the gain afresh

      (and the options of every command)

    Example:
      autoresearch finish

    The run's branch stays, with one commit for each kept trial. Nothing is merged.

    Where something was kept, the first and the last commit are measured afresh in clean checkouts, for
    at most about ten minutes.
    ");
}

#[test]
fn the_help_of_doctor_and_clean_says_what_changes() {
    assert_snapshot!(format_own_help("doctor"), @"
    Check runs, journals, git and Codex

    Usage: autoresearch doctor [OPTIONS]

    Options:
          --repair
              Repair interrupted trials and rebuild the table and the snapshot

      (and the options of every command)

    Examples:
      autoresearch doctor
      autoresearch doctor --repair
    ");
    assert_snapshot!(format_own_help("clean"), @"
    List what the tool made here; with --yes, remove it

    Usage: autoresearch clean [OPTIONS]

    Options:
          --yes
              Remove it

      (and the options of every command)

    Examples:
      autoresearch clean          (only lists)
      autoresearch clean --yes
    ");
}

#[test]
fn the_help_of_demo_and_completions_shows_an_example() {
    assert_snapshot!(format_own_help("demo"), @"
    Watch a whole run on a small repository made for it; needs git and a shell

    Usage: autoresearch demo [OPTIONS] [DIR]

    Arguments:
      [DIR]
              An empty or new folder for it; a new one in the temporary folder otherwise

    Options:
      (and the options of every command)

    Example:
      autoresearch demo
    ");
    assert_snapshot!(format_own_help("completions"), @"
    Print a completion script for a shell

    Usage: autoresearch completions [OPTIONS] <SHELL>

    Arguments:
      <SHELL>
              The shell

              [possible values: bash, elvish, fish, powershell, zsh]

    Options:
      (and the options of every command)

    Example:
      autoresearch completions bash > ~/.local/share/bash-completion/completions/autoresearch
    ");
}

#[test]
fn the_help_of_remeasure_says_what_counts_and_that_nothing_of_the_user_is_touched() {
    assert_snapshot!(format_own_help("remeasure"), @"
    Run verify again on a state of the run: on the kept one, on the start, or on a trial's commit

    Usage: autoresearch remeasure [OPTIONS]

    Options:
          --tree <incumbent|start|N>
              The state: `incumbent` is the kept one, `start` the commit of the start, N the commit of
              trial N

              [default: incumbent]

          --runs <K>
              How often, from 1 to 50

              [default: 5]

      (and the options of every command)

    Examples:
      autoresearch remeasure
      autoresearch remeasure --runs 10
      autoresearch remeasure --tree start
      autoresearch remeasure --tree 4

    Each run is made in a clean checkout: neither your work tree nor a branch is touched. Runs of the
    kept state count: the next trial is judged with them. Those of another commit are recorded and
    change nothing that the run believes.

    All of them count for `budget.verify_runs`. It works after the end of a run, too. Ctrl-C ends it:
    what was measured until then is recorded.
    ");
}

#[test]
fn the_help_of_a_batch_says_what_becomes_of_each_hypothesis() {
    assert_snapshot!(format_own_help("parallel"), @r#"
    Try up to three hypotheses at once, each in a work tree of its own

    Usage: autoresearch parallel [OPTIONS] <COMMAND>

    Commands:
      open   Open a batch: make a work tree at the kept state for each hypothesis
      close  Measure what was edited in the trees, keep the best where it holds, give the trees back
      abort  Give the open batch up: it counts as nothing, and what was edited stays reachable

    Options:
      (and the options of every command)

    Examples:
      autoresearch parallel open -m "cache the parse" -m "drop the copy"
      autoresearch parallel close
    "#);
    assert_snapshot!(format_own_help("parallel open"), @r#"
    Open a batch: make a work tree at the kept state for each hypothesis

    Usage: autoresearch parallel open [OPTIONS] --message <MSG>

    Options:
      -n, --number <N>
              How many hypotheses: 2 or 3

      -m, --message <MSG>
              A hypothesis, in one sentence; once for each tree

          --stack
              Try further winners on top of the first, each in a trial of its own

      (and the options of every command)

    Example:
      autoresearch parallel open -n 3 -m "cache the parse" -m "drop the copy" -m "sort once"

    The answer names a tree for each hypothesis: edit there, and leave git alone. Until the batch is
    closed no other trial begins.

    Where the disk, the memory or the repository does not allow it, that is said, nothing is left open,
    and the run goes on with one trial after the other.
    "#);
    assert_snapshot!(format_own_help("parallel close"), @"
    Measure what was edited in the trees, keep the best where it holds, give the trees back

    Usage: autoresearch parallel close [OPTIONS]

    Options:
      (and the options of every command)

    Example:
      autoresearch parallel close

    Each tree is measured once. The best that passes the guard becomes a trial of its own: its changes
    are brought into the run's tree and measured afresh, and only that decides. Where it does not hold,
    the next best is tried. All of it is one trial for the limits.

    Called again after an interruption, it goes on where it stopped.
    ");
    assert_snapshot!(format_own_help("parallel abort"), @"
    Give the open batch up: it counts as nothing, and what was edited stays reachable

    Usage: autoresearch parallel abort [OPTIONS]

    Options:
      (and the options of every command)

    Example:
      autoresearch parallel abort
    ");
}

#[test]
fn the_help_of_fix() {
    assert_snapshot!(format_own_help("fix"), @"
    Find what is broken in a project, and write the config that brings it to zero

    Usage: autoresearch fix [OPTIONS] <COMMAND>

    Commands:
      check  Run what builds, tests, checks types and lints a project, and count what the first broken
             one finds

    Options:
      (and the options of every command)

    Examples:
      autoresearch fix check
      autoresearch fix check --write
    ");
    assert_snapshot!(format_own_help("fix check"), @"
    Run what builds, tests, checks types and lints a project, and count what the first broken one finds

    Usage: autoresearch fix check [OPTIONS]

    Options:
          --folder <F>
              The project's folder; the current one otherwise

          --stack <WORD>
              Its kind, where a folder has several: a part of its name, such as `python`

          --timeout <SPAN>
              How long each check may run, such as `90s` or `1h`

              [default: 15m]

          --write
              Write autoresearch.yaml for what is broken first

          --dry-run
              List the commands, and run nothing

      (and the options of every command)

    Examples:
      autoresearch fix check --dry-run
      autoresearch fix check
      autoresearch fix check --folder packages/web --write

    The checks run one after the other in your work tree, as the files are now, each for at most
    --timeout. Which commands that are comes from the kind of project; --dry-run lists them and runs
    nothing. A check that lacks a program cannot run here, and is not broken.

    With --write autoresearch.yaml gets mode fix: verify counts the findings of the first broken kind,
    in the order build, tests, types, lint, the target is 0, and the guard is what passes today. When it
    is at zero, call it again for the next kind. It never writes over a file.

    Exit code 0 also where something is broken; 6 where nothing could be checked.
    ");
}

#[test]
fn the_help_of_ship() {
    assert_snapshot!(format_own_help("ship"), @"
    Check what must hold before a release

    Usage: autoresearch ship [OPTIONS] <COMMAND>

    Commands:
      check  Run the gates of the config, and write which of them are open as a checklist

    Options:
      (and the options of every command)

    Examples:
      autoresearch ship check --dry-run
      autoresearch ship check
    ");
    assert_snapshot!(format_own_help("ship check"), @"
    Run the gates of the config, and write which of them are open as a checklist

    Usage: autoresearch ship check [OPTIONS]

    Options:
          --config <FILE>
              The config file; `-` reads standard input

              [default: autoresearch.yaml]

          --dry-run
              List the gates, and run nothing

      (and the options of every command)

    Examples:
      autoresearch ship check --dry-run
      autoresearch ship check
      autoresearch ship check --config release.yaml --json

    Each gate of `gates:` is a command with what it must come to: an exit status, and what it prints or
    does not print. They run one after the other in your work tree, as the files are now, each for at
    most its timeout; with `verify: {sandbox: true}` in the same sandbox as verify. --dry-run lists them
    and runs nothing. A gate that lacks a program cannot run here, and nothing is known of what it
    checks.

    The checklist goes to autoresearch-results/ship: checklist.md and checklist.json, which git ignores.
    Nothing is released: that is a person's to do.

    To let an agent close what is open, write `verify: {gates: true}`: the metric of the run is the
    number of open gates.

    Exit code 0 when every required gate passes, 1 when one is open or cannot run.
    ");
}
