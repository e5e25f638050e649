//! What a person reads of the commands about a run in the background.

use insta::assert_snapshot;

use crate::cli::tests::format_own_help;

#[test]
#[expect(clippy::too_many_lines, reason = "the pages are whole")]
fn the_help_of_background_names_how_a_night_is_begun_watched_and_ended() {
    assert_snapshot!(format_own_help("background"), @"
    Run in the background, without a person: start, watch, pause or end it

    Usage: autoresearch background [OPTIONS] <COMMAND>

    Commands:
      start   Hand a run over to a supervisor, which continues it to its end; with --config, start the
              run first
      status  Show whether a supervisor is at work, and where the run stands
      stop    End the run: a trial that is being measured finishes first, unmeasured edits are undone
      pause   Pause the run: continue it later, in the background or by hand
      resume  Continue a run that was paused, or whose supervisor died
      logs    Show what the supervisor did
      attach  Show the rows as they come, until the run ends or Ctrl-C; the run continues

    Options:
      (and the options of every command)

    Examples:
      autoresearch background start --config autoresearch.yaml --until 07:00
      autoresearch background attach
    ");
    assert_snapshot!(format_own_help("background start"), @"
    Hand a run over to a supervisor, which continues it to its end; with --config, start the run first

    Usage: autoresearch background start [OPTIONS]

    Options:
          --config <FILE>
              Start a run with this config first

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
      autoresearch background start --config autoresearch.yaml --until 07:00
      autoresearch background start                    (the run that is open here)
      autoresearch background start --iterations 30    (ends after 30 trials in total)
    ");
    assert_snapshot!(format_own_help("background status"), @"
    Show whether a supervisor is at work, and where the run stands

    Usage: autoresearch background status [OPTIONS]

    Options:
      (and the options of every command)

    Example:
      autoresearch background status --json
    ");
    assert_snapshot!(format_own_help("background stop"), @"
    End the run: a trial that is being measured finishes first, unmeasured edits are undone

    Usage: autoresearch background stop [OPTIONS]

    Options:
          --now
              Undo the current trial instead of finishing it

      (and the options of every command)

    Examples:
      autoresearch background stop
      autoresearch background stop --now
    ");
    assert_snapshot!(format_own_help("background pause"), @"
    Pause the run: continue it later, in the background or by hand

    Usage: autoresearch background pause [OPTIONS]

    Options:
          --now
              Undo the current trial instead of finishing it

      (and the options of every command)

    Example:
      autoresearch background pause
    ");
    assert_snapshot!(format_own_help("background resume"), @"
    Continue a run that was paused, or whose supervisor died

    Usage: autoresearch background resume [OPTIONS]

    Options:
      (and the options of every command)

    Example:
      autoresearch background resume
    ");
    assert_snapshot!(format_own_help("background logs"), @"
    Show what the supervisor did

    Usage: autoresearch background logs [OPTIONS]

    Options:
          --last <N>
              Only the last N lines

              [default: 50]

      (and the options of every command)

    Example:
      autoresearch background logs --last 20
    ");
    assert_snapshot!(format_own_help("background attach"), @"
    Show the rows as they come, until the run ends or Ctrl-C; the run continues

    Usage: autoresearch background attach [OPTIONS]

    Options:
      (and the options of every command)

    Example:
      autoresearch background attach
    ");
}
