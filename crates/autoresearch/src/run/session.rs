//! Owns the bond between a run and the agent's session that works on it: taking it, pausing it, and how that session has
//! to call the tool.
//! Does not decide what a stop is answered with; `autoresearch_core::agent::session` does.
//! Invariant: only a session with an id is bound, and a bond that cannot be written never fails a command that measured.

use std::path::Path;
use std::time::Duration;

use autoresearch_core::agent::caller::{Caller, HookReadiness, Reader, choose_way};
use autoresearch_core::agent::session::{GitAccess, Session};
use autoresearch_core::shell::quote::{quote_path, quote_word};

use crate::run::Run;
use crate::run::driven::MARK;
use crate::trees::place::is_temporary_tree;
use autoresearch_codex::config::armed;
use autoresearch_codex::home;
use autoresearch_sys::env::{ProcessRole, World};
use autoresearch_sys::error::{Failure, Result};
use autoresearch_sys::git::history::History;
use autoresearch_sys::git::is_read_only;
use autoresearch_sys::store::{Layout, RunStore};

/// How the caller has to call the tool: a person by its name, an agent in a session by its whole path, which is what an
/// execution rule matches.
#[must_use]
pub fn make_caller(world: &World, store: &RunStore<'_>, git_folder: &Path) -> Caller {
    let Some(id) = &world.session else {
        return Caller {
            reader: find_reader(world),
            work_tree: show_own_work_tree(world, store),
            ..Caller::for_person()
        };
    };
    let known = store
        .layout
        .read_session()
        .filter(|session| session.matches_id(id));
    let (hooks, git) = if world.role == ProcessRole::Hook {
        (
            HookReadiness::Armed,
            known.map(|known| known.git).unwrap_or_default(),
        )
    } else if known.is_some_and(|known| known.hooked) {
        (HookReadiness::Armed, find_git_access(world, git_folder))
    } else {
        (armed::read_armed(world), find_git_access(world, git_folder))
    };
    let verify = Duration::from_millis(store.state.start.verify_ms);
    Caller {
        program: quote_program(world),
        way: choose_way(hooks, git, verify),
        reader: Reader::Agent,
        work_tree: show_own_work_tree(world, store),
        is_tree_shut: is_own_tree_shut(world, store),
    }
}

/// The run's separate work tree, as the reader can open it, if it has one.
fn show_own_work_tree(world: &World, store: &RunStore<'_>) -> Option<String> {
    let own = store.layout.own_tree(&store.state.start)?;
    let shown = world.path_from_here(&own);
    // Outside the repository a whole path is plainer, and stays right when the reader goes elsewhere.
    let is_outside = !own.starts_with(&store.layout.root) && shown.starts_with("../");
    Some(if is_outside {
        quote_path(&own)
    } else {
        quote_word(&shown)
    })
}

/// Does the run's own work tree lie where the sandbox of Codex may let nobody write: neither where a session's start makes it
/// nor around the place of this call?
fn is_own_tree_shut(world: &World, store: &RunStore<'_>) -> bool {
    let own = store.layout.own_tree(&store.state.start);
    own.is_some_and(|own| !world.cwd.starts_with(&own) && !is_temporary_tree(&own))
}

/// Who reads what this process answers: an agent, where a session or the environment of its commands says so.
#[must_use]
pub fn find_reader(world: &World) -> Reader {
    let marks = [
        "CODEX_CI",
        "CODEX_SANDBOX",
        "CODEX_SANDBOX_NETWORK_DISABLED",
    ];
    let is_agent = world.session.is_some()
        || world.role != ProcessRole::Command
        || marks.iter().any(|name| world.find_variable(name).is_some());
    if is_agent {
        Reader::Agent
    } else {
        Reader::Person
    }
}

/// The path of `autoresearch`, quoted where a shell would take it apart.
fn quote_program(world: &World) -> String {
    quote_path(&world.main_program())
}

/// The program, as the caller has to write it: a person by its name, an agent by its whole path.
#[must_use]
pub fn name_program(world: &World) -> String {
    match &world.session {
        Some(_) => quote_program(world),
        None => Caller::for_person().program,
    }
}

/// Can this process write git and the anchors? In the sandbox of Codex neither can.
fn find_git_access(world: &World, git_folder: &Path) -> GitAccess {
    if is_read_only(git_folder) || is_confined(world) {
        GitAccess::ReadOnly
    } else {
        GitAccess::Write
    }
}

/// Is this a command in a sandbox that keeps it from the anchors, so that nothing can be recorded?
#[must_use]
pub fn is_confined(world: &World) -> bool {
    let mut folders = world.state_folder.ancestors();
    world.session.is_some()
        && world.role == ProcessRole::Command
        && folders
            .find(|folder| folder.exists())
            .is_some_and(is_read_only)
}

/// The refusal of what a sandbox keeps from acting, with what to do instead.
pub fn refuse_confined(world: &World, run: impl FnOnce() -> Result<String>) -> Result<()> {
    if !is_confined(world) {
        return Ok(());
    }
    let next = run()?;
    Err(Failure::environment(
        "nothing was done: in this sandbox git and the run's records are read-only",
    )
    .hint(next.trim_start_matches("next: ")))
}

/// Refuses what only a person may do, also outside the sandbox: an execution rule matches the first words of a command,
/// and a session that has full access is asked nothing. Codex tells each command its session, and a command that a rule
/// lets out cannot change its variables.
pub fn refuse_agent(world: &World, what: &str) -> Result<()> {
    let in_turn = world.find_variable(MARK).is_some();
    if find_reader(world) == Reader::Person && !home::is_in_session(world) && !in_turn {
        return Ok(());
    }
    Err(Failure::blocked(format!(
        "{what} is for the person, not for an agent's session"
    ))
    .hint("nothing was done. Tell the person the command; they run it in their own terminal"))
}

/// Binds the run to the caller's session. Another session that had it loses it: who asks for a trial works on the run.
pub fn claim_run(run: &Run<'_>, history: &History) {
    let world = run.world;
    let Some(id) = world
        .session
        .as_ref()
        .filter(|_| world.role == ProcessRole::Command)
    else {
        return;
    };
    let git = find_git_access(world, &history.git_folder());
    let before = run.store.layout.read_session();
    let session = match before.clone().filter(|before| before.matches_id(id)) {
        Some(known) => Session { git, ..known },
        None => Session::new(id, git),
    };
    if before.as_ref() != Some(&session) {
        let _ = run.store.layout.write_session(&session);
    }
}

/// Takes a run up, also one that was paused.
pub fn take_up_run(run: &Run<'_>, history: &History) {
    claim_run(run, history);
    let layout = &run.store.layout;
    if let Some(session) = layout.read_session() {
        let _ = layout.write_session(&Session {
            paused: false,
            ..session
        });
    }
}

/// A run that had ended is open again: its session, if it has one, is told of the next end too.
pub fn reopen_session(layout: &Layout) {
    if let Some(session) = layout.read_session().filter(|session| session.told) {
        let _ = layout.write_session(&Session {
            told: false,
            ..session
        });
    }
}

/// A person interrupted the session: nothing goes on until the run is resumed.
pub fn refuse_paused(run: &Run<'_>) -> Result<()> {
    let paused = run
        .store
        .layout
        .read_session()
        .is_some_and(|session| session.paused);
    let ours = run.world.session.is_some() && run.world.role == ProcessRole::Command;
    if paused && ours {
        return Err(
            Failure::usage("the run is paused: the person interrupted the session").hint(format!(
                "answer the person first; when they want the run to continue: {} resume",
                run.caller.program
            )),
        );
    }
    Ok(())
}
