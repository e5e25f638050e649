//! Owns the turn of Codex: the brief goes in on standard input, the answer comes out of a file, the rest is read from
//! what Codex prints.
//! Does not know Codex's words; `home::turn` does.
//! Invariant: the turn runs with our hooks off, and in Codex's sandbox unless the config says otherwise.

use std::ffi::OsString;
use std::path::Path;

use autoresearch_core::agent::answer::{AgentAnswer, SCHEMA};
use autoresearch_core::agent::outage::TurnFault;

use super::turn::{
    EndedTurn, TurnOutcome, TurnRequest, make_environment, run_with_brief, write_text,
};
use autoresearch_codex::home;
use autoresearch_codex::home::CodexHome;
use autoresearch_codex::turn::{TurnArguments as Words, make_command_words, read_turn_result};
use autoresearch_sys::env::World;
use autoresearch_sys::error::{Failure, Result};
use autoresearch_sys::process::{CommandEnd, CommandLine};
use autoresearch_sys::regular_files::{NOTE_BYTES, read_text};

pub(super) fn run_codex_turn(world: &World, ask: &TurnRequest<'_>) -> Result<EndedTurn> {
    let Some(program) = home::find_program(world) else {
        return Ok(make_failed_turn(TurnFault::Setup(
            "codex was not found on PATH: install it, or set `agent.command`".to_owned(),
        )));
    };
    let home = match CodexHome::find_in(world) {
        Ok(home) => home,
        Err(error) => return Ok(make_failed_turn(TurnFault::Setup(error.to_string()))),
    };
    let [schema, answer, temporary] =
        ["schema.json", "answer.json", "tmp"].map(|name| ask.scratch.join(name));
    write_text(&schema, SCHEMA)?;
    let _ = std::fs::remove_file(&answer);
    std::fs::create_dir_all(&temporary).map_err(|error| {
        Failure::io(format!("could not create {}", temporary.display()), &error)
    })?;
    let words = make_command_words(&Words {
        program: &program,
        thread: ask.thread.as_deref(),
        schema: &schema,
        answer: &answer,
        sandbox: ask.agent.sandbox,
        model: ask.agent.model.as_deref(),
    });
    let words = words.into_iter();
    let command = CommandLine::Words(
        words
            .map(|word| word.to_string_lossy().into_owned())
            .collect(),
    );
    let (ended, printed) = run_with_brief(
        world,
        ask,
        command,
        &make_turn_environment(world, ask, &temporary),
    )?;
    let exited = match ended.how {
        CommandEnd::Exited(status) => Some(status),
        _ => None,
    };
    let hear = |before| read_turn_result(&home, before, &printed.stdout, &printed.stderr, exited);
    let mut heard = hear(ask.thread.as_ref().map_or(0, |_| ask.thread_tokens));
    if heard.thread != ask.thread {
        // A fresh thread, also where another one was asked for: it has cost nothing before.
        heard = hear(0);
    }
    let outcome = tell_outcome(ended.how, heard.fault, &answer);
    Ok(EndedTurn {
        thread: heard.thread,
        tokens: heard.tokens,
        outcome,
    })
}

/// What came of a turn that ended like this; `answer` is the file with what it said.
fn tell_outcome(how: CommandEnd, fault: Option<TurnFault>, answer: &Path) -> TurnOutcome {
    match (how, fault) {
        (CommandEnd::Cancelled, _) => TurnOutcome::Cancelled,
        (CommandEnd::TimedOut, _) => TurnOutcome::Failed(TurnFault::Deadline),
        (CommandEnd::Flooded, _) => {
            TurnOutcome::Failed(TurnFault::Other("it printed too much".to_owned()))
        }
        (
            CommandEnd::NotStarted(error)
            | CommandEnd::NotShown(error)
            | CommandEnd::NotConfined(error),
            _,
        ) => TurnOutcome::Failed(TurnFault::Setup(error)),
        (_, Some(fault)) => TurnOutcome::Failed(fault),
        (_, None) => TurnOutcome::Answered(read_answer(answer)),
    }
}

/// A separate temporary folder: sandboxes that share one get in each other's way.
fn make_turn_environment(
    world: &World,
    ask: &TurnRequest<'_>,
    temporary: &Path,
) -> Vec<(OsString, OsString)> {
    let mut env = make_environment(world, ask);
    env.retain(|(name, _)| name != "TMPDIR");
    env.push(("TMPDIR".into(), temporary.into()));
    env
}

fn read_answer(answer: &Path) -> Option<AgentAnswer> {
    AgentAnswer::find_in_text(&read_text(answer, NOTE_BYTES).unwrap_or_default())
}

fn make_failed_turn(fault: TurnFault) -> EndedTurn {
    EndedTurn {
        thread: None,
        tokens: 0,
        outcome: TurnOutcome::Failed(fault),
    }
}
