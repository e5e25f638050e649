//! Owns what a turn is asked with, how it ends, and the start of whatever edits.
//! Does not know whether Codex or a command of the user's edits.
//! Invariant: when a turn has ended, every process that it started has ended.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use autoresearch_core::agent::answer::AgentAnswer;
use autoresearch_core::agent::outage::TurnFault;
use autoresearch_core::config::Agent;
use autoresearch_core::config::span::whole_millis;

use crate::run::driven::MARK;
use autoresearch_sys::env::World;
use autoresearch_sys::error::{Failure, Result};
use autoresearch_sys::process::{
    CommandLine, CommandOutput, EndedCommand, Executor, Job, JobConditions, LocalExecutor,
};

/// What a turn is asked with.
pub(crate) struct TurnRequest<'a> {
    pub agent: &'a Agent,
    pub brief: &'a str,
    pub work_tree: PathBuf,
    /// A folder outside the work tree for the turn's own files.
    pub scratch: PathBuf,
    pub id: &'a str,
    /// The thread to go on with.
    pub thread: Option<String>,
    /// The tokens that this thread has used so far.
    pub thread_tokens: u64,
    /// When the turn is ended.
    pub limit: Duration,
}

/// How a turn came out.
pub(crate) enum TurnOutcome {
    /// The agent answered; `None` when its words could not be read, though its edits may be there.
    Answered(Option<AgentAnswer>),
    /// It came to no answer.
    Failed(TurnFault),
    /// We were asked to end.
    Cancelled,
}

/// A turn that has ended.
pub(crate) struct EndedTurn {
    pub thread: Option<String>,
    /// The tokens of this turn.
    pub tokens: u64,
    /// How it came out.
    pub outcome: TurnOutcome,
}

/// Starts what edits, with the brief on its standard input, and waits for its end.
pub(super) fn run_with_brief(
    world: &World,
    ask: &TurnRequest<'_>,
    command: CommandLine,
    env: &[(OsString, OsString)],
) -> Result<(EndedCommand, CommandOutput)> {
    let brief = ask.scratch.join("brief.md");
    write_text(&brief, ask.brief)?;
    let job = Job {
        command,
        directory: ask.work_tree.clone(),
        timeout_ms: whole_millis(ask.limit),
        input: Some(brief),
        own_temporary: false,
        view: None,
        confinement: None,
        conditions: JobConditions::default(),
    };
    Ok(LocalExecutor::new(world, env).run_job(&job)?)
}

pub(super) fn write_text(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text)
        .map_err(|error| Failure::io(format!("could not write {}", path.display()), &error))
}

/// The caller's variables for the agent, with the mark and without what belongs to a session that started us.
pub(super) fn make_environment(world: &World, ask: &TurnRequest<'_>) -> Vec<(OsString, OsString)> {
    let session = ["CODEX_SESSION_ID", "CODEX_THREAD_ID", "CODEX_TOOL_CALL_ID"];
    let inherited = world
        .vars
        .iter()
        .filter(|(name, _)| !session.iter().any(|known| *name == known))
        .map(|(name, value)| (name.clone(), value.clone()));
    inherited.chain([(MARK.into(), ask.id.into())]).collect()
}
