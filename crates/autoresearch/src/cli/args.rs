//! Owns the words of the command line and their help.
//! Does not act on them.
//! Invariant: every command says what it does in its first line and shows an example.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

const AFTER: &str = "\
A first run:
  autoresearch config example type-errors > autoresearch.yaml   (then edit it)
  autoresearch config check
  autoresearch start
  # edit a file in the scope, then
  autoresearch trial -m \"what you changed\"
  autoresearch status
  autoresearch finish

Exit codes: 0 done, 2 usage error, 3 config error, 4 a person must act, 5 another process holds the run,
6 missing requirement, 70 internal error, 130 interrupted. A discarded trial exits with 0.";

/// An honest improve-verify loop: you change one thing, the tool measures, keeps or undoes, and logs.
#[derive(Parser, Debug)]
#[command(name = "autoresearch", version, about, after_help = AFTER, max_term_width = 100, disable_help_subcommand = true)]
pub(super) struct Arguments {
    /// Answer with one JSON object
    #[arg(long, global = true)]
    pub json: bool,
    /// Work as if started in this folder
    #[arg(short = 'C', value_name = "DIR", global = true)]
    pub directory: Option<PathBuf>,
    /// The run to use, when several are active
    #[arg(long, value_name = "NAME", global = true)]
    pub run: Option<String>,
    /// What to do
    #[command(subcommand)]
    pub command: CliCommand,
}

/// The commands.
#[derive(Subcommand, Debug)]
pub(super) enum CliCommand {
    /// Check a config, print its schema, or print an example
    #[command(
        subcommand,
        after_help = "Example:\n  autoresearch config example lint > autoresearch.yaml\n  autoresearch config check"
    )]
    Config(ConfigCommand),
    /// Start a run: check the repository, measure the untouched tree, freeze the config
    #[command(
        after_help = "Examples:\n  autoresearch start\n  autoresearch start --config autoresearch.yaml --iterations 20\n\nWithout --config it reads autoresearch.yaml. Every other flag is a key of the config and overrides the file, as in\n`exec`; so does a variable such as AUTORESEARCH_ITERATIONS. The combined config is checked and frozen.\nA refused start leaves nothing behind."
    )]
    Start(Box<super::keys::ConfigFlags>),
    /// Measure what you changed: commit, verify, guard, then keep it or undo it
    #[command(
        after_help = "Examples:\n  autoresearch trial -m \"type-narrow the API handlers\"\n  autoresearch trial -m \"drop the wrapper\" --simplify\n  autoresearch trial --rework -m \"fix the failing test\"\n  autoresearch trial --again\n  autoresearch trial --drop\n\nThe answer ends with the next step. A discard is an answer, not an error: the exit code is 0."
    )]
    Trial(TrialWords),
    /// Register what you changed: the session's hook measures it when the turn ends (for an agent in a Codex session)
    #[command(
        after_help = "Examples:\n  autoresearch propose -m \"type-narrow the API handlers\"\n  autoresearch propose --rework -m \"fix the failing test\"\n\nNothing is measured or committed yet: end the turn, and the hook answers with the verdict and the next step.\nIt works in a sandbox where git is read-only, and costs nothing while a long verify runs."
    )]
    Propose(TrialWords),
    /// Run in the background, without a person: start, watch, pause or end it
    #[command(
        subcommand,
        after_help = "Example:\n  autoresearch background start --config autoresearch.yaml --until 07:00\n  autoresearch background attach"
    )]
    Background(super::background::BackgroundCommand),
    /// Do a whole run without a person, as in CI: print JSON lines, exit with 0, 1 or 2
    #[command(
        after_help = "Examples:\n  autoresearch exec --config autoresearch.yaml --iterations 10\n  AUTORESEARCH_ITERATIONS=10 autoresearch exec --config autoresearch.yaml\n\nStandard output carries a JSON object for each trial and a summary at the end; an error is one\nobject on standard error. Exit codes: 0 improved, 1 not improved, 2 blocked or set up wrong.\n\nEvery flag is a key of the config, and has a variable: AUTORESEARCH_ and the key in capitals,\nwith _ for a dot (AUTORESEARCH_VERIFY_COMMAND)."
    )]
    Exec(Box<super::keys::ConfigFlags>),
    /// Log a change of strategy, or say that a person must act
    #[command(
        after_help = "Examples:\n  autoresearch strategy refine -m \"only leaf modules from now on\"\n  autoresearch strategy block -m \"the API key has expired\""
    )]
    Strategy {
        /// refine: adjust; pivot: choose another; search: look outside; block: end the run, a person must act
        strategy: StrategyWord,
        /// The reason and the plan
        #[arg(short, long, value_name = "MSG", allow_hyphen_values = true)]
        message: String,
    },
    /// Show where the run stands
    #[command(after_help = "Example:\n  autoresearch status --json")]
    Status,
    /// Show the rows of the log
    #[command(
        after_help = "Examples:\n  autoresearch log --last 10\n  autoresearch log --status keep --status crash\n  autoresearch log --follow"
    )]
    Log {
        /// Only rows of this status; may be given more than once
        #[arg(long, value_name = "STATUS", value_parser = clap::builder::PossibleValuesParser::new(autoresearch_core::words::table::STATUSES))]
        status: Vec<String>,
        /// Only the last N rows
        #[arg(long, value_name = "N")]
        last: Option<usize>,
        /// Keep showing new rows until the run ends
        #[arg(long, short)]
        follow: bool,
        /// Start each row with its local time and UTC
        #[arg(long)]
        times: bool,
    },
    /// Find the run, repair what a crash left, and print the brief to continue from
    #[command(after_help = "Example:\n  autoresearch resume")]
    Resume,
    /// Raise a limit of the run, even after the run ended at it (for a person at a terminal)
    #[command(
        after_help = "Examples:\n  autoresearch raise --iterations 80\n  autoresearch raise --time-limit 12h --tokens 4000000\n\nA limit counts from the start of the run. A run that ended at the limit is open again:\ncontinue with a trial, or with `autoresearch background start`. An agent cannot call this."
    )]
    Raise(super::ceilings::Ceilings),
    /// End the run; the work tree stays as it is
    #[command(after_help = "Example:\n  autoresearch stop -m \"good enough\"")]
    Stop {
        /// Why
        #[arg(
            short,
            long,
            value_name = "MSG",
            default_value = "stopped by a person",
            allow_hyphen_values = true
        )]
        message: String,
    },
    /// End the run if it is open, go back to your branch, and show what was kept
    #[command(
        after_help = "Example:\n  autoresearch finish\n\nThe run's branch stays, with one commit for each kept trial. Nothing is merged."
    )]
    Finish,
    /// Check runs, journals, git and Codex
    #[command(after_help = "Examples:\n  autoresearch doctor\n  autoresearch doctor --repair")]
    Doctor {
        /// Repair interrupted trials and rebuild the table and the snapshot
        #[arg(long)]
        repair: bool,
        /// The same as `autoresearch clean`
        #[arg(long, hide = true)]
        clean: bool,
        /// The same as `autoresearch clean --yes`
        #[arg(long, requires = "clean", hide = true)]
        yes: bool,
    },
    /// List what the tool made here; with --yes, remove it
    #[command(
        after_help = "Examples:\n  autoresearch clean          (only lists)\n  autoresearch clean --yes"
    )]
    Clean {
        /// Remove it
        #[arg(long)]
        yes: bool,
    },
    /// Install the skill, the program and, if asked for, the session hooks and an execution rule
    #[command(
        after_help = "Examples:\n  autoresearch install --hooks --rule            (skill, hooks and rule for this user)\n  autoresearch install --project . --dry-run     (shows what it would do)\n  autoresearch install --yes\n\nEvery change outside our own folders is shown as a diff before anything is written."
    )]
    Install(InstallArguments),
    /// Remove everything that `install` added, and restore your files byte for byte
    #[command(
        after_help = "Examples:\n  autoresearch uninstall --dry-run\n  autoresearch uninstall\n\nRun folders, anchors and branches stay: see `autoresearch clean`."
    )]
    Uninstall {
        /// What the person has agreed to
        #[command(flatten)]
        agreement: Agreement,
    },
    /// Register, check or remove only the session hooks
    #[command(subcommand, after_help = "Example:\n  autoresearch hooks status")]
    Hooks(HooksCommand),
    /// Watch a whole run on a small repository made for it; needs git and a shell
    #[command(after_help = "Example:\n  autoresearch demo")]
    Demo {
        /// An empty or new folder for it; a new one in the temporary folder otherwise
        #[arg(value_name = "DIR")]
        folder: Option<PathBuf>,
    },
    /// Print a completion script for a shell
    #[command(
        after_help = "Example:\n  autoresearch completions bash > ~/.local/share/bash-completion/completions/autoresearch"
    )]
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// What a trial is asked for with.
#[derive(clap::Args, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub(super) struct TrialWords {
    /// What you changed, in one sentence
    #[arg(
        short,
        long,
        value_name = "MSG",
        required_unless_present_any = ["drop", "again"],
        allow_hyphen_values = true
    )]
    pub message: Option<String>,
    /// A label of the trial, such as `real-backend`; may be given more than once
    #[arg(long, value_name = "L")]
    pub label: Vec<String>,
    /// Also keep it on a tie, if it removes more lines than it adds
    #[arg(long)]
    pub simplify: bool,
    /// Measure the trial whose guard failed again, with your fix
    #[arg(long)]
    pub rework: bool,
    /// Measure the trial whose guard failed again as it is, for a flaky guard. It counts as a rework
    #[arg(long, conflicts_with_all = ["message", "label", "simplify", "rework"])]
    pub again: bool,
    /// Undo the edits in the scope, or give up the trial that waits for a rework
    #[arg(long, conflicts_with_all = ["message", "label", "simplify", "rework", "again"])]
    pub drop: bool,
}

/// What the person has agreed to.
#[derive(Args, Clone, Copy, Debug)]
pub(super) struct Agreement {
    /// Do it without asking
    #[arg(long)]
    pub yes: bool,
    /// Show what would be done, and do nothing
    #[arg(long, conflicts_with = "yes")]
    pub dry_run: bool,
}

/// The arguments of `install`.
#[derive(Args, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag that a person types"
)]
pub(super) struct InstallArguments {
    /// Put the skill into your own ~/.agents/skills; this is the default
    #[arg(long, conflicts_with = "project")]
    pub user: bool,
    /// Put the skill into DIR/.agents/skills
    #[arg(long, value_name = "DIR")]
    pub project: Option<PathBuf>,
    /// Register the session hooks with Codex, and have it trust them
    #[arg(long)]
    pub hooks: bool,
    /// Let Codex run the commands of a run outside its sandbox; `start` asks you each time
    #[arg(long)]
    pub rule: bool,
    /// The same, and `start` runs without a question: the agent can then run anything
    #[arg(long)]
    pub rule_start: bool,
    /// What the person has agreed to
    #[command(flatten)]
    pub agreement: Agreement,
}

/// The commands about hooks.
#[derive(Subcommand, Clone, Copy, Debug)]
pub(super) enum HooksCommand {
    /// Register the session hooks with Codex, and have it trust them
    #[command(after_help = "Example:\n  autoresearch hooks install --dry-run")]
    Install {
        /// What the person has agreed to
        #[command(flatten)]
        agreement: Agreement,
    },
    /// Show for each hook whether Codex will run it, and how to arm it
    #[command(after_help = "Example:\n  autoresearch hooks status --json")]
    Status,
    /// Remove our hooks and their trust from Codex's configuration
    #[command(after_help = "Example:\n  autoresearch hooks uninstall")]
    Uninstall {
        /// What the person has agreed to
        #[command(flatten)]
        agreement: Agreement,
    },
}

/// The commands about configs.
#[derive(Subcommand, Debug)]
pub(super) enum ConfigCommand {
    /// Report every problem of a config, each with its place and how to fix it
    #[command(after_help = "Example:\n  autoresearch config check autoresearch.yaml")]
    Check {
        /// The config file; `-` reads standard input
        #[arg(value_name = "FILE", default_value = "autoresearch.yaml")]
        file: PathBuf,
    },
    /// Print the JSON Schema of the config, for editors
    #[command(after_help = "Example:\n  autoresearch config schema > config.schema.json")]
    Schema,
    /// Print a commented config to start from; without a domain, list the domains
    #[command(
        after_help = "Example:\n  autoresearch config example test-coverage > autoresearch.yaml"
    )]
    Example {
        /// The domain
        domain: Option<String>,
    },
}

/// The words of `strategy`.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum StrategyWord {
    /// Adjust within the strategy
    Refine,
    /// Abandon the strategy and choose another
    Pivot,
    /// Abandon the strategy and look outside for another
    Search,
    /// End the run: it is blocked by something that only a person can change
    Block,
}
