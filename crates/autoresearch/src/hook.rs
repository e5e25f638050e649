//! Owns what the session hooks do: the brief at the start of a session, the registered trial and the next step at a stop,
//! the pause at an interruption.
//! Does not print, and does not know the form of an answer; `cli/hook` does.
//! Invariant: a session that does not own the run gets nothing, whatever its folder; a command is run only for a run that
//! its anchor vouches for.

pub mod propose;

use std::path::{Path, PathBuf};

use autoresearch_core::agent::session::{Order, Proposal, Session, StopAnswer};
use autoresearch_core::words::brief;
use autoresearch_core::words::table;
use serde::Deserialize;

use crate::run::{Place, Run};
use crate::run::{lessons, strategy};
use crate::{finish, trial};
use autoresearch_sys::env::World;
use autoresearch_sys::error::{Failure, Result};
use autoresearch_sys::store::{Access, FOLDER, Layout, RunStore};

/// How many rows the brief quotes.
const ROWS: usize = 5;

/// What Codex tells a hook, as far as it is used here.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Payload {
    /// The session.
    pub session_id: Option<String>,
    /// Its folder.
    pub cwd: Option<PathBuf>,
    /// Set in a subagent, which owns nothing.
    pub agent_id: Option<String>,
}

/// What a stop is answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The agent goes on with this.
    GoOn(String),
    /// The session ends, and the person reads this.
    Tell(String),
}

/// A run that belongs to the session of a hook.
pub struct Owned {
    layout: Layout,
    session: Session,
}

/// The runs that this session owns, found without opening anything.
#[must_use]
pub fn owned(payload: &Payload) -> Vec<Owned> {
    let Some(id) = payload.session_id.as_deref() else {
        return Vec::new();
    };
    let is_subagent = payload.agent_id.as_deref().is_some_and(|id| !id.is_empty());
    let root = payload.cwd.as_deref().and_then(root);
    let Some(root) = root.filter(|_| !is_subagent) else {
        return Vec::new();
    };
    Layout::runs(&root)
        .into_iter()
        .map(|run| Layout::new(&root, &run))
        .filter_map(|layout| {
            let session = layout.session().filter(|session| session.is(id))?;
            Some(Owned { layout, session })
        })
        .collect()
}

/// The run that a session which owns several works on: an open one, and of these the one with something registered.
pub fn current<'o>(world: &World, owned: &'o mut [Owned]) -> Option<&'o mut Owned> {
    if owned.len() > 1 {
        owned.sort_by_cached_key(|owned| {
            let told = owned.session.told;
            let is_open = !told && owned.is_open(world);
            (!is_open, told, owned.layout.proposal().is_none())
        });
    }
    owned.first_mut()
}

/// The folder above that holds runs.
fn root(cwd: &Path) -> Option<PathBuf> {
    let mut folders = cwd.ancestors().filter(|folder| folder.is_absolute());
    let found = folders.find(|folder| folder.join(FOLDER).is_dir())?;
    Some(found.to_owned())
}

impl Owned {
    /// Notes a fault of a hook in the run's folder, where a person who wonders finds it.
    pub fn note(&self, world: &World, line: &str) {
        self.layout.log_hook(&world.now_text(), line);
    }

    /// Changes what is noted of the session, unless the run is another's by now.
    fn note_session(&mut self, change: fn(&mut Session)) -> Result<()> {
        let now = self.layout.session();
        let Some(now) = now.filter(|now| now.is(&self.session.id)) else {
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
    fn goes_on(&self) -> bool {
        let now = self.layout.session();
        now.is_some_and(|now| now.is(&self.session.id) && !now.paused)
    }

    fn is_open(&self, world: &World) -> bool {
        RunStore::open(world, self.layout.clone(), Access::Glance, "hook")
            .is_ok_and(|store| store.state.end.is_none())
    }

    fn place(&self) -> Place {
        Place {
            directory: Some(self.layout.root.clone()),
            run: Some(self.layout.run.clone()),
        }
    }

    fn look<'w>(&self, world: &'w World) -> Result<Run<'w>> {
        let store = RunStore::open(world, self.layout.clone(), Access::Glance, "hook")?;
        Run::with(world, store)
    }
}

/// The brief, for a session that starts, was resumed, cleared or compacted.
pub fn session_start(world: &World, owned: &mut Owned) -> Result<Option<String>> {
    owned.note_session(|session| session.hooked = true)?;
    let run = owned.look(world)?;
    if run.store.state.finish.is_some() || owned.session.told {
        return Ok(None);
    }
    let rows = run.last_rows(ROWS)?;
    let lessons = lessons::matching(&run);
    let lessons: Vec<&str> = lessons.iter().map(String::as_str).collect();
    let text = brief::brief(&run.store.state, &rows, &lessons, &run.caller);
    if owned.session.paused {
        return Ok(Some(brief::paused(&text, &run.caller)));
    }
    if let ("wait", next) = run.next_meanwhile() {
        return Ok(Some(brief::waiting(&text, &next)));
    }
    let waits = owned.layout.proposal().is_some_and(|proposal| {
        owned.session.is(&proposal.session) && proposal.records == run.store.head().next
    });
    Ok(Some(if waits {
        brief::registered(&text)
    } else {
        text
    }))
}

/// The answer to the end of a turn.
pub fn stop(world: &World, owned: &mut Owned) -> Result<Option<Reply>> {
    owned.note_session(|session| session.hooked = true)?;
    if !owned.goes_on() {
        return Ok(None);
    }
    let run = owned.look(world)?;
    if let Some(under_way) = run.under_way() {
        // What is registered waits too: it would be refused now.
        let next = under_way.next(&run.caller.program);
        return answer(owned, &run, Some(format!("autoresearch: {next}")));
    }
    drop(run);
    if let Some(proposal) = take(owned) {
        let done = carry_out(world, owned, proposal);
        if !owned.goes_on() {
            return Ok(None);
        }
        let run = owned.look(world)?;
        let mut stops = run.store.stops();
        if stops.moved(&owned.session.id, run.store.state.progress()) {
            run.store.write_stops(&stops)?;
            return Ok(Some(Reply::GoOn(told(done))));
        }
        return answer(owned, &run, Some(told(done)));
    }
    let run = owned.look(world)?;
    if run.store.state.needs_repair() {
        drop(run);
        let repaired = mend(world, owned);
        let run = owned.look(world)?;
        return answer(owned, &run, Some(told(repaired)));
    }
    answer(owned, &run, None)
}

/// The next step, or none: counted, so that no session is kept for ever.
fn answer(owned: &mut Owned, run: &Run<'_>, first: Option<String>) -> Result<Option<Reply>> {
    let state = &run.store.state;
    if state.end.is_some() {
        if owned.session.told {
            return Ok(None);
        }
        owned.note_session(|session| session.told = true)?;
        return Ok(Some(Reply::Tell(told_end(owned, run))));
    }
    let mut stops = run.store.stops();
    let answer = stops.answer(&owned.session.id, state.progress());
    run.store.write_stops(&stops)?;
    Ok(match answer {
        StopAnswer::Allow => None,
        StopAnswer::GoOn => Some(Reply::GoOn(first.unwrap_or_else(|| {
            format!(
                "autoresearch: the run `{}` is open. {}",
                owned.layout.run,
                run.next()
            )
        }))),
    })
}

/// What the person reads when the run has ended.
fn told_end(owned: &Owned, run: &Run<'_>) -> String {
    let state = &run.store.state;
    let left = if state.finish.is_some() {
        "and was left".to_owned()
    } else {
        format!("`{} finish` leaves it", run.caller.program)
    };
    let (end, why) = state
        .end
        .as_ref()
        .map(|ending| (ending.end.word(), table::escape(&ending.why)))
        .unwrap_or_default();
    format!(
        "autoresearch: the run `{}` has ended: {end} ({why}); {}; {left}",
        owned.layout.run,
        brief::standing(state)
    )
}

/// What the session registered. It is taken before it is looked at, so that of two hooks only one has it.
fn take(owned: &Owned) -> Option<Proposal> {
    let proposal = owned.layout.take_proposal()?;
    owned.session.is(&proposal.session).then_some(proposal)
}

/// Does what was registered; the words for the agent.
fn carry_out(world: &World, owned: &Owned, proposal: Proposal) -> Result<String> {
    let now = RunStore::open(world, owned.layout.clone(), Access::Glance, "hook")?
        .head()
        .next;
    if now != proposal.records {
        return Err(Failure::usage(
            "what was registered is out of date: the run has moved on since",
        )
        .hint("look at `status`, and register it again if it still holds"));
    }
    let place = owned.place();
    Ok(match proposal.order {
        Order::Trial(request) => trial::run(world, &place, &request)?.to_string(),
        Order::Drop => trial::drop_changes(world, &place)?.to_string(),
        Order::Strategy { strategy, message } => {
            strategy::run(world, &place, strategy, &message)?.to_string()
        }
        Order::Block { message } => finish::block(world, &place, &message)?.to_string(),
        Order::Stop { message } => finish::stop(world, &place, &message)?.to_string(),
        Order::Finish => finish::finish(world, &place)?.to_string(),
    })
}

/// Finishes or undoes what a crash left.
fn mend(world: &World, owned: &Owned) -> Result<String> {
    let mut run = trial::open(world, &owned.place(), "hook")?;
    run.store.write_views()?;
    Ok(format!(
        "a command was cut short; it was undone and does not count.\n{}",
        run.next()
    ))
}

fn told(done: Result<String>) -> String {
    done.unwrap_or_else(|failure| failure.to_string())
}

/// The person interrupted the session: nothing sends it on until the run is resumed.
pub fn interrupt(owned: &mut Owned) -> Result<()> {
    let _dropped = owned.layout.take_proposal();
    owned.note_session(|session| {
        session.hooked = true;
        session.paused = true;
    })
}
