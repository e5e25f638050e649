//! Owns the words of `debug`, `hypothesis` and `experiment`: the search for a cause.
//! Does not look at evidence or record anything.
//! Invariant: a command line of an agent's that nobody confirmed has a word of its own where it runs outside the sandbox.

use std::process::ExitCode;
use std::time::Duration;

use autoresearch_core::config::span::{parse_span, whole_millis};
use autoresearch_core::ledger::evidence::{Expectation, ExpectedEnd};
use autoresearch_core::ledger::hypothesis::Outcome;
use autoresearch_core::ledger::opening::LedgerLimits;
use autoresearch_core::ledger::orders::{
    ClaimedPlace, ClaimedResult, DebugOrder, PlannedExperiment,
};
use clap::{Subcommand, ValueEnum};

use crate::cli::print::Printer;
use crate::modes::debug::{Enclosure, answer_order, list_searches, show_search, write_fix};
use crate::run::Place;
use autoresearch_sys::env::World;
use autoresearch_sys::error::{Failure, Result};

/// What can be done with a search for a cause.
#[derive(Subcommand, Debug)]
pub(crate) enum DebugCommand {
    /// Open a search for the cause of a symptom; no file, branch or commit of yours is changed
    #[command(
        after_help = "Example:\n  autoresearch debug start -m \"the API answers 503 after an hour\"\n\nIt ends when a cause is confirmed, when all hypotheses that --hypotheses allows were looked at, or when --fruitless results in a row were neither a cause nor a lead. Its folder in autoresearch-results has summary.md, findings.md, eliminated.md and debug.json."
    )]
    Start {
        /// The symptom: what is seen, where and when
        #[arg(short, long, value_name = "MSG", allow_hyphen_values = true)]
        message: String,
        /// So many hypotheses at most
        #[arg(long, value_name = "N", default_value_t = LedgerLimits::default().hypotheses, value_parser = clap::value_parser!(u32).range(1..=1000))]
        hypotheses: u32,
        /// So many results in a row may lead nowhere
        #[arg(long, value_name = "N", default_value_t = LedgerLimits::default().fruitless, value_parser = clap::value_parser!(u32).range(1..=1000))]
        fruitless: u32,
    },
    /// Show how the search stands, and what is next
    #[command(
        after_help = "Examples:\n  autoresearch debug status\n  autoresearch debug status --run debug-1 --json"
    )]
    Status,
    /// List the searches of this repository, the newest first
    #[command(after_help = "Example:\n  autoresearch debug list")]
    List,
    /// End the search before there is a cause
    #[command(
        after_help = "Example:\n  autoresearch debug stop -m \"it cannot be reproduced here\""
    )]
    Stop {
        /// Why
        #[arg(short, long, value_name = "MSG", allow_hyphen_values = true)]
        message: String,
    },
    /// Write autoresearch.yaml for a fix: the command that showed the cause becomes verify
    #[command(
        after_help = "Examples:\n  autoresearch debug fix\n  autoresearch debug fix --scope 'src/**'\n\nThe cause must be confirmed by a command. Mode is fix, the metric is how many of its runs fail, the target is 0. It never writes over a file, and starts nothing."
    )]
    Fix {
        /// What a trial may change; the files of the evidence otherwise
        #[arg(long, value_name = "PATTERN")]
        scope: Vec<String>,
    },
}

/// What can be done with a hypothesis.
#[derive(Subcommand, Debug)]
pub(crate) enum HypothesisCommand {
    /// Add what could be the cause
    #[command(
        after_help = "Example:\n  autoresearch hypothesis add -m \"the pool is never refilled\" --predicts \"no code gives a connection back after an error\""
    )]
    Add {
        /// What could be the cause, in one sentence
        #[arg(short, long, value_name = "MSG", allow_hyphen_values = true)]
        message: String,
        /// What would be seen if it were true, and not otherwise
        #[arg(long, value_name = "MSG", allow_hyphen_values = true)]
        predicts: String,
    },
    /// Say what became of a hypothesis, with evidence that the tool checks; a command runs in its sandbox
    #[command(
        after_help = "Examples:\n  autoresearch hypothesis result 1 confirmed -m \"the error path returns early\" --at src/pool.rs:41 --quote \"return Err(e);\"\n  autoresearch hypothesis result 2 disproven -m \"the limit is not reached\" --command \"sh probe.sh\" --expect-exit 0\n  autoresearch hypothesis result 3 confirmed -m \"it is a race\" --command \"sh probe.sh\" --expect-exit fails --runs 60 --at-least 1\n\n`confirmed` and `disproven` take evidence, as much as you like of it. A place is looked up in the commit of HEAD and in the work tree; a quotation that moved is found again. A command is run in a copy of your files, in a sandbox without network, and must show what is expected in at least --at-least of its --runs. Evidence that does not hold is refused with what is there, and nothing is recorded."
    )]
    Result(ResultWords),
}

/// What is said of a hypothesis.
#[derive(clap::Args, Debug)]
pub(crate) struct ResultWords {
    /// The number of the hypothesis
    #[arg(value_name = "N")]
    number: u32,
    /// How it came out
    #[arg(value_name = "OUTCOME")]
    outcome: OutcomeWord,
    /// What it says, in one sentence
    #[arg(short, long, value_name = "MSG", allow_hyphen_values = true)]
    message: String,
    /// A place in a file; once for each --quote
    #[arg(long, value_name = "PATH:LINE")]
    at: Vec<String>,
    /// What stands there; blanks do not count
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    quote: Vec<String>,
    /// A command, for `/bin/sh -c`
    #[arg(long, value_name = "COMMAND", allow_hyphen_values = true)]
    command: Option<String>,
    /// How it ends: an exit status, `fails` or `hangs`
    #[arg(long, value_name = "STATUS", requires = "command")]
    expect_exit: Option<ExpectedEnd>,
    /// What it prints
    #[arg(
        long,
        value_name = "TEXT",
        requires = "command",
        allow_hyphen_values = true
    )]
    expect_output: Option<String>,
    /// What it does not print
    #[arg(
        long,
        value_name = "TEXT",
        requires = "command",
        allow_hyphen_values = true
    )]
    expect_no_output: Option<String>,
    /// How often it runs
    #[arg(long, value_name = "N", requires = "command", value_parser = clap::value_parser!(u32).range(1..=1000))]
    runs: Option<u32>,
    /// In how many runs it is as expected; in all of them otherwise
    #[arg(long, value_name = "N", requires = "command")]
    at_least: Option<u32>,
    /// How long a run may take, such as `90s`
    #[arg(long, value_name = "SPAN", requires = "command", value_parser = read_span)]
    timeout: Option<Duration>,
}

/// How a run may last, where nothing is said.
const TIMEOUT: Duration = Duration::from_mins(1);

#[derive(Clone, Copy, Debug, ValueEnum)]
enum OutcomeWord {
    /// It is the cause
    Confirmed,
    /// It is not
    Disproven,
    /// It cannot be told
    Inconclusive,
    /// It is not the cause, and leads on
    Lead,
}

impl From<OutcomeWord> for Outcome {
    fn from(word: OutcomeWord) -> Self {
        match word {
            OutcomeWord::Confirmed => Self::Confirmed,
            OutcomeWord::Disproven => Self::Disproven,
            OutcomeWord::Inconclusive => Self::Inconclusive,
            OutcomeWord::Lead => Self::Lead,
        }
    }
}

fn read_span(text: &str) -> std::result::Result<Duration, String> {
    parse_span(text).map_err(|error| error.to_string())
}

impl ResultWords {
    fn into_claim(self) -> Result<ClaimedResult> {
        if self.at.len() != self.quote.len() {
            return Err(Failure::usage(format!(
                "there are {} --at and {} --quote",
                self.at.len(),
                self.quote.len()
            ))
            .hint(
                "nothing was recorded. Each place has its quotation: --at PATH:LINE --quote TEXT",
            ));
        }
        let places = self.at.iter().zip(&self.quote);
        let places: std::result::Result<Vec<_>, String> = places
            .map(|(at, quote)| ClaimedPlace::parse(at, quote))
            .collect();
        let runs = self.runs.unwrap_or(1);
        let experiment = self.command.map(|command| PlannedExperiment {
            command,
            expects: Expectation {
                exit: self.expect_exit,
                prints: self.expect_output,
                prints_not: self.expect_no_output,
            },
            runs,
            at_least: self.at_least.unwrap_or(runs),
            timeout_ms: whole_millis(self.timeout.unwrap_or(TIMEOUT)),
        });
        Ok(ClaimedResult {
            hypothesis: self.number,
            outcome: self.outcome.into(),
            message: self.message,
            places: places.map_err(Failure::usage)?,
            experiment,
        })
    }
}

pub(crate) fn run_debug(
    world: &World,
    place: &Place,
    printer: &Printer,
    command: DebugCommand,
) -> Result<ExitCode> {
    let order = match command {
        DebugCommand::Start {
            message,
            hypotheses,
            fruitless,
        } => DebugOrder::Open {
            symptom: message,
            limits: LedgerLimits {
                hypotheses,
                fruitless,
            },
        },
        DebugCommand::Stop { message } => DebugOrder::Stop { message },
        DebugCommand::Status => return printer.print_report(&show_search(world, place)?),
        DebugCommand::List => return printer.print_report(&list_searches(world, place)?),
        DebugCommand::Fix { scope } => {
            return printer.print_report(&write_fix(world, place, &scope)?);
        }
    };
    printer.print_report(&answer_order(world, place, order, Enclosure::Sandbox)?)
}

pub(crate) fn run_hypothesis(
    world: &World,
    place: &Place,
    printer: &Printer,
    command: HypothesisCommand,
) -> Result<ExitCode> {
    let order = match command {
        HypothesisCommand::Add { message, predicts } => DebugOrder::Add { message, predicts },
        HypothesisCommand::Result(words) => DebugOrder::Result(Box::new(words.into_claim()?)),
    };
    printer.print_report(&answer_order(world, place, order, Enclosure::Sandbox)?)
}

pub(crate) fn run_experiment(
    world: &World,
    place: &Place,
    printer: &Printer,
    words: ResultWords,
) -> Result<ExitCode> {
    let order = DebugOrder::Result(Box::new(words.into_claim()?));
    printer.print_report(&answer_order(world, place, order, Enclosure::Open)?)
}

#[cfg(test)]
mod tests;
