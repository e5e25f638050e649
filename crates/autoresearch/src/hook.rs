//! Owns what the session hooks do: the brief at the start of a session, the registered trial and the next step at a stop,
//! the pause at an interruption.
//! Does not print, and does not know the form of an answer; `cli/hook` does.
//! Invariant: a session that does not own the run gets nothing, whatever its folder; a command is run only for a run that
//! its anchor vouches for.

pub(crate) mod propose;

use std::path::{Path, PathBuf};
use std::time::Duration;

use autoresearch_core::agent::session::{
    Proposal, ProposedOrder, Session, StopAnswer, is_session_id,
};
use autoresearch_core::ledger::orders::RegisteredOrders;
use autoresearch_core::words::brief;
use autoresearch_core::words::text::escape_text;
use serde::Deserialize;

use crate::finish::claim::ClaimPatience;
use crate::run::Run;
use crate::run::entry::{Entry, enter_tree};
use crate::run::glance::Glance;
use crate::run::lessons::read_quotes;
use crate::run::place::Place;
use crate::run::strategy;
use crate::trial::retry;
use crate::{finish, trial};
use autoresearch_sys::env::World;
use autoresearch_sys::error::{Failure, Result};
use autoresearch_sys::ledger_store::take_orders;
use autoresearch_sys::store::{Access, FOLDER, Layout, RunStore};

/// A hook has half a minute, and more to do than to measure what a run gained.
const CLAIM_PATIENCE: Duration = Duration::from_secs(15);

/// How many rows the brief quotes.
const ROWS: usize = 5;

/// What Codex tells a hook, as far as it is used here.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct HookPayload {
    pub session_id: Option<String>,
    pub cwd: Option<PathBuf>,
    /// Set in a subagent, which owns nothing.
    pub agent_id: Option<String>,
}

/// What a stop is answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StopReply {
    /// The agent goes on with this.
    GoOn(String),
    /// The session ends, and the person reads this.
    Tell(String),
}

/// A run that belongs to the session of a hook.
pub(crate) struct OwnedRun {
    layout: Layout,
    session: Session,
}

/// The runs that this session owns, found without opening anything.
#[must_use]
pub(crate) fn find_owned_runs(payload: &HookPayload) -> Vec<OwnedRun> {
    let Some(id) = payload.session_id.as_deref() else {
        return Vec::new();
    };
    let is_subagent = payload.agent_id.as_deref().is_some_and(|id| !id.is_empty());
    let root = payload.cwd.as_deref().and_then(find_runs_folder);
    let Some(root) = root.filter(|_| !is_subagent) else {
        return Vec::new();
    };
    Layout::list_runs(&root)
        .into_iter()
        .map(|run| Layout::new(&root, &run))
        .filter_map(|layout| {
            let session = layout
                .read_session()
                .filter(|session| session.matches_id(id))?;
            Some(OwnedRun { layout, session })
        })
        .collect()
}

/// What the session registered for a search for a cause, taken away: a stop does it, an interruption gives it up.
pub(crate) fn take_registered(
    payload: &HookPayload,
    event: &str,
) -> Option<(PathBuf, RegisteredOrders)> {
    let is_subagent = payload.agent_id.as_deref().is_some_and(|id| !id.is_empty());
    let id = payload
        .session_id
        .as_deref()
        .filter(|id| is_session_id(id) && !is_subagent)?;
    if event != "stop" && event != "interrupt" {
        return None;
    }
    let root = payload.cwd.as_deref().and_then(find_runs_folder)?;
    let orders = take_orders(&root, id)?;
    (event == "stop").then_some((root, orders))
}

/// The run that a session which owns several works on: an open one, and of these the one with something registered.
pub(crate) fn choose_current_run<'o>(
    world: &World,
    owned: &'o mut [OwnedRun],
) -> Option<&'o mut OwnedRun> {
    if owned.len() > 1 {
        owned.sort_by_cached_key(|owned| {
            let told = owned.session.told;
            let is_open = !told && owned.is_open(world);
            (!is_open, told, owned.layout.read_proposal().is_none())
        });
    }
    owned.first_mut()
}

/// The folder above that holds runs.
fn find_runs_folder(cwd: &Path) -> Option<PathBuf> {
    let mut folders = cwd.ancestors().filter(|folder| folder.is_absolute());
    let found = folders.find(|folder| folder.join(FOLDER).is_dir())?;
    Some(found.to_owned())
}

impl OwnedRun {
    /// Notes a fault of a hook in the run's folder, where a person who wonders finds it.
    pub(crate) fn log_fault(&self, world: &World, line: &str) {
        self.layout.append_hook_log(&world.now_text(), line);
    }

    /// Changes what is noted of the session, unless the run is another's by now.
    fn update_session(&mut self, change: fn(&mut Session)) -> Result<()> {
        let now = self.layout.read_session();
        let Some(now) = now.filter(|now| now.matches_id(&self.session.id)) else {
            return Ok(());
        };
        self.session = now.clone();
        change(&mut self.session);
        if self.session != now {
            self.layout.write_session(&self.session)?;
        }
        Ok(())
    }

    /// Is the run still this session's, and not paused? It may have been at work for hours.
    fn is_going_on(&self) -> bool {
        let now = self.layout.read_session();
        now.is_some_and(|now| now.matches_id(&self.session.id) && !now.paused)
    }

    fn is_open(&self, world: &World) -> bool {
        RunStore::open_run(world, self.layout.clone(), Access::Glance, "hook")
            .is_ok_and(|store| store.state.end.is_none())
    }

    fn to_place(&self) -> Place {
        Place {
            directory: Some(self.layout.root.clone()),
            run: Some(self.layout.run.clone()),
        }
    }

    fn open_glance<'w>(&self, world: &'w World) -> Result<Glance<'w>> {
        let store = RunStore::open_run(world, self.layout.clone(), Access::Glance, "hook")?;
        Glance::from_store(world, store)
    }
}

/// The brief, for a session that starts, was resumed, cleared or compacted.
pub(crate) fn answer_session_start(world: &World, owned: &mut OwnedRun) -> Result<Option<String>> {
    owned.update_session(|session| session.hooked = true)?;
    let run = owned.open_glance(world)?.run;
    if run.store.state.finish.is_some() || owned.session.told {
        return Ok(None);
    }
    let rows = run.read_last_rows(ROWS)?;
    let quoted = read_quotes(&run, &rows);
    let text = brief::format_brief(&run.store.state, &rows, &quoted, &run.caller);
    if owned.session.paused {
        return Ok(Some(brief::format_paused_brief(&text, &run.caller)));
    }
    if let ("wait", next) = run.next_step_meanwhile() {
        return Ok(Some(brief::format_busy_brief(&text, &next)));
    }
    let waits = owned.layout.read_proposal().is_some_and(|proposal| {
        owned.session.matches_id(&proposal.session)
            && proposal.records == run.store.journal_head().next
    });
    Ok(Some(if waits {
        brief::format_registered_brief(&text)
    } else {
        text
    }))
}

/// The answer to the end of a turn.
pub(crate) fn answer_stop(world: &World, owned: &mut OwnedRun) -> Result<Option<StopReply>> {
    owned.update_session(|session| session.hooked = true)?;
    if !owned.is_going_on() {
        return Ok(None);
    }
    let run = owned.open_glance(world)?.run;
    if let Some(under_way) = run.find_under_way() {
        // What is registered waits too: it would be refused now.
        let next = under_way.next_step(&run.caller.program);
        return answer_with_next_step(owned, &run, Some(format!("autoresearch: {next}")));
    }
    drop(run);
    if let Some(proposal) = take_own_proposal(owned) {
        let done = run_proposal(world, owned, proposal);
        if !owned.is_going_on() {
            return Ok(None);
        }
        let run = owned.open_glance(world)?.run;
        let mut stops = run.store.read_stops();
        if stops.reset_if_moved(&owned.session.id, run.store.state.to_progress()) {
            run.store.write_stops(&stops)?;
            return Ok(Some(StopReply::GoOn(format_result(done))));
        }
        return answer_with_next_step(owned, &run, Some(format_result(done)));
    }
    let run = owned.open_glance(world)?.run;
    if run.store.state.needs_repair() {
        drop(run);
        let repaired = repair_run(world, owned);
        let run = owned.open_glance(world)?.run;
        return answer_with_next_step(owned, &run, Some(format_result(repaired)));
    }
    answer_with_next_step(owned, &run, None)
}

/// The next step, or none: counted, so that no session is kept for ever.
fn answer_with_next_step(
    owned: &mut OwnedRun,
    run: &Run<'_>,
    first: Option<String>,
) -> Result<Option<StopReply>> {
    let state = &run.store.state;
    if state.end.is_some() {
        if owned.session.told {
            return Ok(None);
        }
        owned.update_session(|session| session.told = true)?;
        return Ok(Some(StopReply::Tell(format_end(owned, run))));
    }
    let mut stops = run.store.read_stops();
    let answer = stops.answer_stop(&owned.session.id, state.to_progress());
    run.store.write_stops(&stops)?;
    Ok(match answer {
        StopAnswer::Allow => None,
        StopAnswer::GoOn => Some(StopReply::GoOn(first.unwrap_or_else(|| {
            format!(
                "autoresearch: the run `{}` is open. {}",
                owned.layout.run,
                brief::format_next_step(state, &run.caller)
            )
        }))),
    })
}

/// What the person reads when the run has ended.
fn format_end(owned: &OwnedRun, run: &Run<'_>) -> String {
    let state = &run.store.state;
    let left = if state.finish.is_some() {
        "and is finished".to_owned()
    } else {
        format!("`{} finish` goes back to your branch", run.caller.program)
    };
    let (end, why) = state
        .end
        .as_ref()
        .map(|ending| (ending.end.as_str(), escape_text(&ending.why)))
        .unwrap_or_default();
    format!(
        "autoresearch: the run `{}` has ended: {end} ({why}); {}; {left}",
        owned.layout.run,
        brief::format_best_value(state)
    )
}

/// What the session registered. It is taken before it is looked at, so that of two hooks only one has it.
fn take_own_proposal(owned: &OwnedRun) -> Option<Proposal> {
    let proposal = owned.layout.take_proposal()?;
    owned
        .session
        .matches_id(&proposal.session)
        .then_some(proposal)
}

/// Does what was registered; the words for the agent.
fn run_proposal(world: &World, owned: &OwnedRun, proposal: Proposal) -> Result<String> {
    let now = RunStore::open_run(world, owned.layout.clone(), Access::Glance, "hook")?
        .journal_head()
        .next;
    if now != proposal.records {
        return Err(Failure::usage(
            "what was registered is out of date: the run has moved on since",
        )
        .hint("look at `status`, and register it again if it still holds"));
    }
    let place = owned.to_place();
    Ok(match proposal.order {
        ProposedOrder::Trial(request) => trial::run_trial(world, &place, &request)?
            .report
            .to_string(),
        ProposedOrder::Drop => trial::drop_changes(world, &place)?.report.to_string(),
        ProposedOrder::Retry { trial } => retry::retry_trial(world, &place, trial)?.to_string(),
        ProposedOrder::Strategy { strategy, message } => {
            strategy::log_strategy(world, &place, strategy, &message)?.to_string()
        }
        ProposedOrder::Block { message } => finish::block_run(world, &place, &message)?.to_string(),
        ProposedOrder::Stop { message } => finish::stop_run(world, &place, &message)?.to_string(),
        ProposedOrder::Finish => {
            finish::finish_run(world, &place, ClaimPatience::Within(CLAIM_PATIENCE))?.to_string()
        }
    })
}

/// Finishes or undoes what a crash left.
fn repair_run(world: &World, owned: &OwnedRun) -> Result<String> {
    let ready = enter_tree(world, &owned.to_place(), Entry::Step("hook"))?;
    let program = &ready.run.caller.program;
    let again = ready.repaired.taken_back.map_or_else(String::new, |trial| {
        format!(" `{program} retry {trial}` brings its edits back.")
    });
    Ok(format!(
        "a command was interrupted; it was undone and does not count.{again}\n{}",
        ready.finish()?.next_step()
    ))
}

fn format_result(done: Result<String>) -> String {
    done.unwrap_or_else(|failure| failure.to_string())
}

/// The person interrupted the session: nothing sends it on until the run is resumed.
pub(crate) fn pause_session(owned: &mut OwnedRun) -> Result<()> {
    let _dropped = owned.layout.take_proposal();
    owned.update_session(|session| {
        session.hooked = true;
        session.paused = true;
    })
}
