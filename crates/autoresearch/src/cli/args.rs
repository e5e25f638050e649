//! Owns the arguments of the commands and their help.
//! Does not act on them.
//! Invariant: an argument means the same in each command that has it.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::trial::remeasure::WantedState;

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

/// What is measured again, and how often.
#[derive(clap::Args, Debug)]
pub(super) struct RemeasureWords {
    /// The state: `incumbent` is the kept one, `start` the commit of the start, N the commit of trial N
    #[arg(long, value_name = "incumbent|start|N", default_value = "incumbent", value_parser = parse_wanted_state)]
    pub tree: WantedState,
    /// How often, from 1 to 50
    #[arg(long, value_name = "K", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=50))]
    pub runs: u32,
}

fn parse_wanted_state(word: &str) -> Result<WantedState, String> {
    match (word, word.parse()) {
        ("incumbent", _) => Ok(WantedState::Incumbent),
        ("start", _) | (_, Ok(0)) => Ok(WantedState::Start),
        (_, Ok(trial)) => Ok(WantedState::Trial(trial)),
        _ => Err("a state is `incumbent`, `start` or the number of a trial".to_owned()),
    }
}

/// What is to be improved.
#[derive(clap::Args, Debug)]
pub(super) struct ScanWords {
    /// What to improve, in one sentence; without it, the repository suggests something
    #[arg(long, short, value_name = "SENTENCE")]
    pub goal: Option<String>,
}

impl ScanWords {
    pub(super) fn to_sentence(&self) -> String {
        self.goal.clone().unwrap_or_default()
    }
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
    /// Measure the untouched tree and check that the metric reacts to the files of the scope, without a run
    #[command(
        after_help = "Example:\n  autoresearch config try autoresearch.yaml\n\nIt runs the guard once and verify at least twice, as `start` does. Then it runs verify in a scratch work tree: untouched, with the files of the scope emptied and, if nothing changes, deleted and full of garbage. A metric that never changes measures something else, and `start` refuses it.\n\nNothing stays: no run, no branch, no work tree. Exit code 3: `start` would refuse this config."
    )]
    Try {
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

#[cfg(test)]
mod tests;
