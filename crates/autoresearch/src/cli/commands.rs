//! Owns the commands: their words and help, and which use case each of them calls.
//! Does not print but through `print`, and does nothing itself.
//! Invariant: every command says what it does in its first line and shows an example.

use std::time::Duration;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use autoresearch_core::agent::session::ProposedOrder;
use autoresearch_core::decide::ladder::Strategy;
use clap::{CommandFactory, Parser, Subcommand};

use super::args::{
    Agreement, ConfigCommand, HooksCommand, InstallArguments, RemeasureWords, ScanWords,
    StrategyWord, TrialWords,
};
use super::keys::ConfigFlags;
use super::modes::{debug, fix, ship};
use super::print::Printer;
use super::{background, config, exec, install, keys, log, parallel, print, show};
use crate::finish::claim::ClaimPatience;
use crate::hook::propose;
use crate::look::log::LogFilter;
use crate::look::{runs, status};
use crate::run::Place;
use crate::run::{raise, resume, session, strategy};
use crate::scan::{InitWords, init_config, scan_repository};
use crate::trial::{TrialRequest, remeasure, retry};
use crate::{demo, doctor, finish, start, trial};
use autoresearch_sys::env::World;
use autoresearch_sys::error::{FailureKind, Result};

const AFTER: &str = "\
A first run:
  autoresearch scan --goal \"get rid of the any types\"
  autoresearch init --goal \"get rid of the any types\"   (writes autoresearch.yaml: read it)
  autoresearch config try
  autoresearch start
  # edit a file in the scope, then
  autoresearch trial -m \"what you changed\"
  autoresearch status
  autoresearch finish

Exit codes: 0 done, 2 usage error, 3 config error, 4 a person must act, 5 another process holds the run, \
6 missing requirement, 70 internal error, 130 interrupted. A discarded trial exits with 0.";

/// The options of every command come after its own.
const LAST: usize = 900;

/// An honest improve-verify loop: you change one thing, the tool measures, keeps or undoes, and logs.
#[derive(Parser, Debug)]
#[command(name = "autoresearch", version, about, after_help = AFTER, max_term_width = 100, disable_help_subcommand = true)]
pub(super) struct Arguments {
    /// Answer with one JSON object
    #[arg(long, global = true, display_order = LAST)]
    pub json: bool,
    /// Work as if started in this folder
    #[arg(short = 'C', value_name = "DIR", global = true, display_order = LAST + 1)]
    pub directory: Option<PathBuf>,
    /// The run to use, when several are active
    #[arg(long, value_name = "NAME", global = true, display_order = LAST + 2)]
    pub run: Option<String>,
    /// What to do
    #[command(subcommand)]
    pub command: CliCommand,
}

/// The commands.
#[derive(Subcommand, Debug)]
pub(super) enum CliCommand {
    /// Look at the repository and the machine, and propose what to improve; nothing is run
    #[command(
        after_help = "Examples:\n  autoresearch scan\n  autoresearch scan --goal \"get rid of the any types\"\n  autoresearch scan --goal \"raise my coverage to 80 %\" --json\n\nEach candidate is a whole config. The best comes first; what this machine lacks a program for is listed apart, with what is missing. `autoresearch init` with the same goal writes one. With --json each candidate has its config.\n\nOnly file names, manifests and sources are read: no script, build tool or hook of the repository runs, and a program counts only where PATH has it outside the repository."
    )]
    Scan(ScanWords),
    /// Write a candidate of `scan` as autoresearch.yaml, with comments
    #[command(
        after_help = "Examples:\n  autoresearch init\n  autoresearch init --goal \"make the tests faster\"\n  autoresearch init --candidate 2\n\nIt never writes over a file, and runs nothing of the repository. Then: `autoresearch config try` measures the untouched tree without a run, `autoresearch start` begins one."
    )]
    Init {
        /// What to improve, as in `scan`
        #[command(flatten)]
        scan: ScanWords,
        /// Which candidate of the scan
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=99))]
        candidate: Option<u16>,
    },
    /// Find what is broken in a project, and write the config that brings it to zero
    #[command(
        subcommand,
        after_help = "Examples:\n  autoresearch fix check\n  autoresearch fix check --write"
    )]
    Fix(super::modes::fix::FixCommand),
    /// Check what must hold before a release
    #[command(
        subcommand,
        after_help = "Examples:\n  autoresearch ship check --dry-run\n  autoresearch ship check"
    )]
    Ship(super::modes::ship::ShipCommand),
    /// Search for the cause of a symptom, with evidence that the tool checks itself
    #[command(
        subcommand,
        after_help = "Examples:\n  autoresearch debug start -m \"the API answers 503 after an hour\"\n  autoresearch debug status"
    )]
    Debug(super::modes::debug::DebugCommand),
    /// Add what could be the cause, and say what became of it
    #[command(
        subcommand,
        after_help = "Examples:\n  autoresearch hypothesis add -m \"the pool is never refilled\" --predicts \"no code gives a connection back after an error\"\n  autoresearch hypothesis result 1 confirmed -m \"the error path returns early\" --at src/pool.rs:41 --quote \"return Err(e);\""
    )]
    Hypothesis(super::modes::debug::HypothesisCommand),
    /// As `hypothesis result`, but the command runs outside the sandbox of the tool, with the network
    #[command(
        after_help = "Example:\n  autoresearch experiment 2 confirmed -m \"the gateway answers 503\" --command \"curl -si localhost:8080/health\" --expect-output \" 503 \"\n\nIt still runs in a copy of your files. For a machine without a sandbox, and for what needs the network or a service that runs; from a session a person says yes to each call."
    )]
    Experiment(Box<super::modes::debug::ResultWords>),
    /// Check a config, try it, print its schema, or print an example
    #[command(
        subcommand,
        after_help = "Examples:\n  autoresearch config example lint > autoresearch.yaml\n  autoresearch config check\n  autoresearch config try"
    )]
    Config(ConfigCommand),
    /// Start a run: check the repository, measure the untouched tree, freeze the config
    #[command(
        after_help = "Examples:\n  autoresearch start\n  autoresearch start --config autoresearch.yaml --iterations 20\n\nWithout --config it reads autoresearch.yaml. Every other flag is a key of the config and overrides the file, as in `exec`; so does a variable such as AUTORESEARCH_ITERATIONS. The combined config is checked and frozen.\n\nA refused start leaves nothing behind."
    )]
    Start(Box<super::keys::ConfigFlags>),
    /// Measure what you changed: commit, verify, guard, then keep it or undo it
    #[command(
        after_help = "Examples:\n  autoresearch trial -m \"type-narrow the API handlers\"\n  autoresearch trial -m \"drop the wrapper\" --simplify\n  autoresearch trial --rework -m \"fix the failing test\"\n  autoresearch trial --again\n  autoresearch trial --drop\n\nThe answer ends with the next step. A discard is an answer, not an error: the exit code is 0."
    )]
    Trial(TrialWords),
    /// Bring the changes of a trial that was not kept back as edits, on top of what was kept since
    #[command(
        after_help = "Example:\n  autoresearch retry 4\n\nNothing is measured: change of the edits what you want, then run a trial. It works for a trial that was discarded, crashed, void or interrupted, and refuses while there are other unmeasured edits. Where what was kept since changed the same places, nothing is changed, and the files are named."
    )]
    Retry {
        /// The number of the trial, as the log has it
        #[arg(value_name = "N")]
        trial: u32,
    },
    /// Run verify again on a state of the run: on the kept one, on the start, or on a trial's commit
    #[command(
        after_help = "Examples:\n  autoresearch remeasure\n  autoresearch remeasure --runs 10\n  autoresearch remeasure --tree start\n  autoresearch remeasure --tree 4\n\nEach run is made in a clean checkout: neither your work tree nor a branch is touched. Runs of the kept state count: the next trial is judged with them. Those of another commit are recorded and change nothing that the run believes.\n\nAll of them count for `budget.verify_runs`. It works after the end of a run, too. Ctrl-C ends it: what was measured until then is recorded."
    )]
    Remeasure(RemeasureWords),
    /// Register what you changed: the session's hook measures it when the turn ends (for an agent in a Codex session)
    #[command(
        after_help = "Examples:\n  autoresearch propose -m \"type-narrow the API handlers\"\n  autoresearch propose --rework -m \"fix the failing test\"\n\nNothing is measured or committed yet: end the turn, and the hook answers with the verdict and the next step.\n\nIt works in a sandbox where git is read-only, and costs nothing while a long verify runs."
    )]
    Propose(TrialWords),
    /// Run in the background, without a person: start, watch, pause or end it
    #[command(
        subcommand,
        after_help = "Examples:\n  autoresearch background start --config autoresearch.yaml --until 07:00\n  autoresearch background attach"
    )]
    Background(super::background::BackgroundCommand),
    /// Do a whole run without a person, as in CI: print JSON lines, exit with 0, 1 or 2
    #[command(
        after_help = "Examples:\n  autoresearch exec --config autoresearch.yaml --iterations 10\n  AUTORESEARCH_ITERATIONS=10 autoresearch exec --config autoresearch.yaml\n\nStandard output carries a JSON object for each trial and a summary at the end; an error is one object on standard error.\n\nExit codes: 0 improved, 1 not improved, 2 blocked or set up wrong.\n\nEvery flag is a key of the config, and has a variable: AUTORESEARCH_ and the key in capitals, with _ for a dot (AUTORESEARCH_VERIFY_COMMAND)."
    )]
    Exec(Box<super::keys::ConfigFlags>),
    /// Try up to three hypotheses at once, each in a work tree of its own
    #[command(
        subcommand,
        after_help = "Examples:\n  autoresearch parallel open -m \"cache the parse\" -m \"drop the copy\"\n  autoresearch parallel close"
    )]
    Parallel(super::parallel::ParallelCommand),
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
    /// Show a trial again, whatever became of it: its story, what it changed, what was printed
    #[command(
        after_help = "Examples:\n  autoresearch show 4\n  autoresearch show 4 --stat\n  autoresearch show 4 --diff | git apply --check\n  autoresearch show 4 --output\n\nIt reads only: also a run that has ended, or that another process works on."
    )]
    Show(super::show::ShowWords),
    /// List the runs of this repository, in all its work trees, the newest first
    #[command(after_help = "Examples:\n  autoresearch runs\n  autoresearch runs --json")]
    Runs,
    /// Find the run, repair what a crash left, and print the brief to continue from
    #[command(after_help = "Example:\n  autoresearch resume")]
    Resume,
    /// Raise a limit of the run, even after the run ended at it (for a person at a terminal)
    #[command(
        after_help = "Examples:\n  autoresearch raise --iterations 80\n  autoresearch raise --time-limit 12h --tokens 4000000\n\nA limit counts from the start of the run. A run that ended at the limit is open again: continue with a trial, or with `autoresearch background start`. An agent cannot call this."
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
        after_help = "Example:\n  autoresearch finish\n\nThe run's branch stays, with one commit for each kept trial. Nothing is merged.\n\nWhere something was kept, the first and the last commit are measured afresh in clean checkouts, for at most about ten minutes."
    )]
    Finish(FinishWords),
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

fn to_order(asked: TrialWords) -> ProposedOrder {
    if asked.drop {
        return ProposedOrder::Drop;
    }
    ProposedOrder::Trial(to_trial_request(asked))
}

fn show_status(world: &World, place: &Place, printer: &Printer) -> Result<ExitCode> {
    let mut report = status::read_status(world, place)?;
    report.width = print::read_terminal_width().unwrap_or(0);
    printer.print_report(&report)
}

fn raise_ceilings(
    world: &World,
    place: &Place,
    printer: &Printer,
    ceilings: &super::ceilings::Ceilings,
) -> Result<ExitCode> {
    let limits = ceilings.to_raise(world)?;
    printer.print_report(&raise::raise_limits(world, place, limits)?)
}

fn print_scan(
    world: &World,
    place: &Place,
    printer: &Printer,
    words: &ScanWords,
) -> Result<ExitCode> {
    printer.print_report(&scan_repository(world, place, &words.to_sentence())?)
}

fn print_init(
    world: &World,
    place: &Place,
    printer: &Printer,
    (scan, candidate): (&ScanWords, Option<u16>),
) -> Result<ExitCode> {
    let words = InitWords {
        sentence: scan.to_sentence(),
        candidate: candidate.map(usize::from),
    };
    printer.print_report(&init_config(world, place, &words)?)
}

pub(super) fn dispatch_command(
    world: &World,
    place: &Place,
    printer: &Printer,
    command: CliCommand,
) -> Result<ExitCode> {
    match command {
        CliCommand::Scan(words) => print_scan(world, place, printer, &words),
        CliCommand::Init { scan, candidate } => {
            print_init(world, place, printer, (&scan, candidate))
        }
        CliCommand::Fix(command) => fix::run_fix_command(world, place, printer, command),
        CliCommand::Ship(command) => ship::run_ship_command(world, place, printer, command),
        CliCommand::Debug(command) => debug::run_debug(world, place, printer, command),
        CliCommand::Hypothesis(command) => debug::run_hypothesis(world, place, printer, command),
        CliCommand::Experiment(words) => debug::run_experiment(world, place, printer, *words),
        CliCommand::Start(flags) => start_run(world, place, printer, &flags),
        CliCommand::Trial(asked) => run_trial(world, place, printer, asked),
        CliCommand::Retry { trial } => retry_trial(world, place, printer, trial),
        CliCommand::Remeasure(words) => remeasure_state(world, place, printer, &words),
        CliCommand::Propose(asked) => propose_trial(world, place, printer, asked),
        CliCommand::Background(command) => {
            background::run_background_command(world, place, printer, &command)
        }
        CliCommand::Parallel(command) => parallel::run_batch(world, place, printer, command),
        CliCommand::Exec(words) => Ok(exec::run_exec(world, place, &words)),
        CliCommand::Strategy { strategy, message } => {
            record_strategy(world, place, printer, strategy, &message)
        }
        CliCommand::Status => show_status(world, place, printer),
        CliCommand::Log {
            status,
            last,
            follow,
            times,
        } => print_log(
            world,
            place,
            printer,
            (status, last),
            log::LogStyle { times, follow },
        ),
        CliCommand::Show(words) => show::show_trial(world, place, printer, &words),
        CliCommand::Runs => printer.print_report(&runs::list_runs(world, place)?),
        CliCommand::Resume => printer.print_report(&resume::resume_run(world, place)?),
        CliCommand::Raise(ceilings) => raise_ceilings(world, place, printer, &ceilings),
        CliCommand::Stop { message } => stop_run(world, place, printer, message),
        CliCommand::Finish(words) => finish_run(world, place, printer, &words),
        CliCommand::Doctor { repair, clean, yes } => run_doctor(
            world,
            place,
            printer,
            doctor::DoctorOptions { repair, clean, yes },
        ),
        CliCommand::Clean { yes } => {
            let options = doctor::DoctorOptions::for_cleaning(yes);
            run_doctor(world, place, printer, options)
        }
        CliCommand::Config(command) => config::run_config_command(world, place, printer, command),
        CliCommand::Install(arguments) => install::run_install(world, place, printer, arguments),
        CliCommand::Uninstall { agreement } => install::run_uninstall(world, printer, agreement),
        CliCommand::Hooks(command) => install::run_hooks_command(world, place, printer, command),
        CliCommand::Demo { folder } => show_demo(world, printer, folder.as_deref()),
        CliCommand::Completions { shell } => print_completions(printer, shell),
    }
}

fn print_log(
    world: &World,
    place: &Place,
    printer: &Printer,
    (statuses, last): (Vec<String>, Option<usize>),
    style: log::LogStyle,
) -> Result<ExitCode> {
    let filter = LogFilter { statuses, last };
    log::show_log(world, place, printer, &filter, style)
}

fn propose_trial(
    world: &World,
    place: &Place,
    printer: &Printer,
    asked: TrialWords,
) -> Result<ExitCode> {
    printer.print_report(&propose::register_order(world, place, to_order(asked))?)
}

fn show_demo(world: &World, printer: &Printer, folder: Option<&Path>) -> Result<ExitCode> {
    printer.print_report(&demo::run_demo(world, folder, printer)?)
}

/// Whoever waits in front of a terminal is asked first about a claim that takes longer.
const CLAIM_PATIENCE: Duration = Duration::from_mins(10);

/// What `finish` can be told.
#[derive(Debug, clap::Args)]
pub(super) struct FinishWords {
    /// Measure the gain afresh, however long it takes
    #[arg(long, conflicts_with = "no_claim")]
    claim: bool,
    /// Do not measure the gain afresh
    #[arg(long)]
    no_claim: bool,
}

impl FinishWords {
    fn choose_patience(&self) -> ClaimPatience {
        match (self.claim, self.no_claim) {
            (true, _) => ClaimPatience::Whole,
            (_, true) => ClaimPatience::Never,
            _ => ClaimPatience::Within(CLAIM_PATIENCE),
        }
    }
}

fn finish_run(
    world: &World,
    place: &Place,
    printer: &Printer,
    words: &FinishWords,
) -> Result<ExitCode> {
    if session::is_confined(world) {
        return printer.print_report(&propose::register_order(
            world,
            place,
            ProposedOrder::Finish,
        )?);
    }
    printer.print_report(&finish::finish_run(world, place, words.choose_patience())?)
}

fn retry_trial(world: &World, place: &Place, printer: &Printer, trial: u32) -> Result<ExitCode> {
    if session::is_confined(world) {
        let order = ProposedOrder::Retry { trial };
        return printer.print_report(&propose::register_order(world, place, order)?);
    }
    printer.print_report(&retry::retry_trial(world, place, trial)?)
}

/// What was measured until an interruption is an answer; the exit code says that it was one.
fn remeasure_state(
    world: &World,
    place: &Place,
    printer: &Printer,
    words: &RemeasureWords,
) -> Result<ExitCode> {
    let report = remeasure::remeasure_state(world, place, words.tree, words.runs)?;
    let interrupted = report.interrupted;
    let done = printer.print_report(&report)?;
    Ok(if interrupted {
        ExitCode::from(FailureKind::Interrupted.exit_code())
    } else {
        done
    })
}

fn run_doctor(
    world: &World,
    place: &Place,
    printer: &Printer,
    orders: doctor::DoctorOptions,
) -> Result<ExitCode> {
    if orders.yes {
        session::refuse_agent(world, "to remove what the tool made")?;
    }
    let report = doctor::run_doctor(world, place, orders)?;
    printer.print_report(&report)?;
    Ok(if report.problems == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FailureKind::Blocked.exit_code())
    })
}

fn start_run(
    world: &World,
    place: &Place,
    printer: &Printer,
    flags: &ConfigFlags,
) -> Result<ExitCode> {
    let (source, variables) = keys::read_start_config(world, flags)?;
    let mut report = start::start_run(world, place, &source)?;
    if !variables.is_empty() {
        let told = format!("taken from variables: {}", variables.join(", "));
        report.warnings.push(told);
    }
    printer.print_report(&report)
}

fn stop_run(world: &World, place: &Place, printer: &Printer, message: String) -> Result<ExitCode> {
    if session::is_confined(world) {
        return printer.print_report(&propose::register_order(
            world,
            place,
            ProposedOrder::Stop { message },
        )?);
    }
    printer.print_report(&finish::stop_run(world, place, &message)?)
}

fn print_completions(printer: &Printer, shell: clap_complete::Shell) -> Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(
        shell,
        &mut Arguments::command(),
        "autoresearch",
        &mut script,
    );
    let script = String::from_utf8_lossy(&script);
    if printer.json {
        return printer
            .print_json_line(&serde_json::json!({"shell": shell.to_string(), "script": script}));
    }
    printer.print_text(&script)
}

fn run_trial(
    world: &World,
    place: &Place,
    printer: &Printer,
    asked: TrialWords,
) -> Result<ExitCode> {
    if asked.drop {
        return printer.print_report(&trial::drop_changes(world, place)?.report);
    }
    printer.print_report(&trial::run_trial(world, place, &to_trial_request(asked))?.report)
}

fn to_trial_request(asked: TrialWords) -> TrialRequest {
    TrialRequest {
        message: asked.message.unwrap_or_default(),
        labels: asked.label,
        simplify: asked.simplify,
        rework: asked.rework,
        again: asked.again,
    }
}

fn record_strategy(
    world: &World,
    place: &Place,
    printer: &Printer,
    chosen: StrategyWord,
    message: &str,
) -> Result<ExitCode> {
    let strategy = match chosen {
        StrategyWord::Refine => Strategy::Refine,
        StrategyWord::Pivot => Strategy::Pivot,
        StrategyWord::Search => Strategy::Search,
        StrategyWord::Block if session::is_confined(world) => {
            let message = message.to_owned();
            return printer.print_report(&propose::register_order(
                world,
                place,
                ProposedOrder::Block { message },
            )?);
        }
        StrategyWord::Block => {
            return printer.print_report(&finish::block_run(world, place, message)?);
        }
    };
    if session::is_confined(world) {
        let message = message.to_owned();
        let order = ProposedOrder::Strategy { strategy, message };
        return printer.print_report(&propose::register_order(world, place, order)?);
    }
    printer.print_report(&strategy::log_strategy(world, place, strategy, message)?)
}

#[cfg(test)]
mod tests;
