//! Owns the turn of Codex: the brief goes in on standard input, the answer comes out of a file, the rest is read from
//! what Codex prints.
//! Does not know Codex's words; `home::turn` does.
//! Invariant: the turn runs with our hooks off, and in Codex's sandbox unless the config says otherwise.

use std::ffi::OsString;
use std::path::Path;

use autoresearch_core::agent::answer::{Answer, SCHEMA};
use autoresearch_core::agent::outage::Fault;

use super::{Ask, Ended, Outcome, environment, run, write};
use autoresearch_codex::home;
use autoresearch_codex::home::Home;
use autoresearch_codex::turn::{Ask as Words, hear, words};
use autoresearch_sys::env::World;
use autoresearch_sys::error::{Failure, Result};
use autoresearch_sys::process::{How, What};

/// Runs Codex.
pub fn turn(world: &World, ask: &Ask<'_>) -> Result<Ended> {
    let Some(program) = home::program(world) else {
        return Ok(failed(Fault::Setup(
            "codex was not found on PATH: install it, or set `agent.command`".to_owned(),
        )));
    };
    let home = match Home::of(world) {
        Ok(home) => home,
        Err(error) => return Ok(failed(Fault::Setup(error.to_string()))),
    };
    let [schema, answer, temporary] =
        ["schema.json", "answer.json", "tmp"].map(|name| ask.scratch.join(name));
    write(&schema, SCHEMA)?;
    let _ = std::fs::remove_file(&answer);
    std::fs::create_dir_all(&temporary).map_err(|error| {
        Failure::io(format!("could not create {}", temporary.display()), &error)
    })?;
    let words = words(&Words {
        program: &program,
        thread: ask.thread.as_deref(),
        schema: &schema,
        answer: &answer,
        sandbox: ask.agent.sandbox,
        model: ask.agent.model.as_deref(),
    });
    let words = words.into_iter();
    let command = What::Words(
        words
            .map(|word| word.to_string_lossy().into_owned())
            .collect(),
    );
    let (ended, printed) = run(world, ask, command, &variables(world, ask, &temporary))?;
    let exited = match ended.how {
        How::Exited(status) => Some(status),
        _ => None,
    };
    let hear = |before| hear(&home, before, &printed.stdout, &printed.stderr, exited);
    let mut heard = hear(ask.thread.as_ref().map_or(0, |_| ask.thread_tokens));
    if heard.thread != ask.thread {
        // A fresh thread, also where another one was asked for: it has cost nothing before.
        heard = hear(0);
    }
    let outcome = match (ended.how, heard.fault) {
        (How::Cancelled, _) => Outcome::Cancelled,
        (How::TimedOut, _) => Outcome::Failed(Fault::Deadline),
        (How::Flooded, _) => Outcome::Failed(Fault::Other("it printed too much".to_owned())),
        (How::NotStarted(error), _) => Outcome::Failed(Fault::Setup(error)),
        (_, Some(fault)) => Outcome::Failed(fault),
        (_, None) => Outcome::Answered(said(&answer)),
    };
    Ok(Ended {
        thread: heard.thread,
        tokens: heard.tokens,
        outcome,
    })
}

/// A temporary folder of its own: sandboxes that share one get in each other's way.
fn variables(world: &World, ask: &Ask<'_>, temporary: &Path) -> Vec<(OsString, OsString)> {
    let mut env = environment(world, ask);
    env.retain(|(name, _)| name != "TMPDIR");
    env.push(("TMPDIR".into(), temporary.into()));
    env
}

fn said(answer: &Path) -> Option<Answer> {
    Answer::read(&std::fs::read_to_string(answer).unwrap_or_default())
}

fn failed(fault: Fault) -> Ended {
    Ended {
        thread: None,
        tokens: 0,
        outcome: Outcome::Failed(fault),
    }
}
