//! Owns the way into a run: `Entry` says in what the commands differ, `enter_run` leads from a place to a run that is ready.
//! Does not act on the run.
//! Invariant: every command that writes comes through here, so that none forgets a check or a repair.

use autoresearch_core::agent::caller::Reader;
use autoresearch_core::journal::state::RunState;
use autoresearch_core::words::text::{escape_text, format_count};

use crate::run::Run;
use crate::run::driven::MARK;
use crate::run::glance::{Glance, lost_tree_error};
use crate::run::held::Held;
use crate::run::place::{Place, WantedRun};
use crate::run::ready::{Ready, RepairResult};
use crate::run::repair::{complete_tree, end_if_due, repair_run};
use crate::run::session;
use crate::watch::work_tree_check::check_branch_alone;
use autoresearch_sys::env::World;
use autoresearch_sys::error::{Failure, Result};
use autoresearch_sys::process;
use autoresearch_sys::store::Access;

/// What wants to act on a run. All go the same way; the methods below name where they differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// The next step of whoever works on the run: a trial, a strategy row, an obstacle. With its word in the lock.
    Step(&'static str),
    /// Runs of a state that somebody asks for: a step that a run takes also after its end.
    Remeasure,
    /// A round of a run without a person.
    Driver,
    Stop,
    Finish,
    Resume,
    Raise,
}

impl Entry {
    /// The word in the lock.
    fn as_str(self) -> &'static str {
        match self {
            Self::Step(word) => word,
            Self::Remeasure => "remeasure",
            Self::Driver => "driver",
            Self::Stop => "stop",
            Self::Finish => "finish",
            Self::Resume => "resume",
            Self::Raise => "raise",
        }
    }

    /// A step needs a run that is open; the others can mean one that has ended.
    fn wanted(self) -> WantedRun {
        match self {
            Self::Step(_) => WantedRun::Active,
            _ => WantedRun::Latest,
        }
    }

    /// What leads out of a run, or back into it, checks every line of the journal again.
    fn access(self) -> Access {
        match self {
            Self::Step(_) | Self::Remeasure | Self::Driver | Self::Stop => Access::Write,
            Self::Finish | Self::Resume | Self::Raise => Access::WriteChecked,
        }
    }

    /// Is it a step of the session that owns the run, or takes it?
    fn is_step(self) -> bool {
        matches!(self, Self::Step(_) | Self::Remeasure)
    }

    fn needs_tree(self) -> bool {
        matches!(self, Self::Step(_) | Self::Remeasure | Self::Driver)
    }

    /// Is a work tree that is gone made again, because there is something to do in it?
    fn remakes_tree(self, state: &RunState) -> bool {
        match self {
            Self::Step(_) | Self::Remeasure | Self::Driver | Self::Raise => false,
            Self::Stop => state.needs_repair(),
            Self::Finish => state.open_trial.is_some() || !state.ready,
            Self::Resume => state.end.is_none() || state.needs_repair(),
        }
    }

    /// Is the run's branch worked on, so that no other work tree may have it?
    fn works_on_branch(self, state: &RunState) -> bool {
        match self {
            Self::Step(_) | Self::Driver => true,
            Self::Resume => state.end.is_none() || state.needs_repair(),
            Self::Remeasure => state.finish.is_none(),
            Self::Stop | Self::Finish | Self::Raise => false,
        }
    }
}

/// A run that was entered.
pub enum Entered<'w> {
    Ready(Box<Ready<'w>>),
    /// Its own work tree is gone, and nothing is left to do in it: it can be ended and answered for.
    Lost(Box<Held<'w>>),
}

impl<'w> Entered<'w> {
    pub fn run_mut(&mut self) -> &mut Run<'w> {
        match self {
            Self::Ready(ready) => &mut ready.run,
            Self::Lost(held) => &mut held.run,
        }
    }

    /// What was repaired, one sentence each.
    #[must_use]
    pub fn list_repairs(&self) -> &[String] {
        match self {
            Self::Ready(ready) => &ready.repaired.done,
            Self::Lost(held) => &held.repaired,
        }
    }

    /// Leaves the run: the views are written, and what is answered is made from the glance.
    pub fn finish(self) -> Result<Glance<'w>> {
        match self {
            Self::Ready(ready) => ready.finish(),
            Self::Lost(held) => held.finish(),
        }
    }

    /// Leaves a run that was repaired and is not acted on.
    #[must_use]
    pub fn refuse(self, failure: Failure) -> Failure {
        self.finish().err().unwrap_or(failure)
    }
}

/// Finds a run, takes its lock, checks the repository, repairs what a crash left.
pub fn enter_run<'w>(world: &'w World, place: &Place, entry: Entry) -> Result<Entered<'w>> {
    if entry.is_step() {
        session::refuse_confined(world, || advise_meanwhile(world, place, entry))?;
    }
    let mut held = hold_run(world, place, entry)?;
    if held.seat.tree().is_none() {
        let state = &held.run.store.state;
        if entry.remakes_tree(state) {
            held = held.remake_work_tree()?;
        } else if state.needs_repair() {
            return Err(lost_tree_error(&held.run.store));
        }
    }
    held.check_repository()?;
    if entry.is_step() {
        session::refuse_paused(&held.run)?;
    }
    if let Some(tree) = held.seat.tree()
        && entry.works_on_branch(&held.run.store.state)
    {
        check_branch_alone(tree)?;
    }
    let mut entered = repair_held(held)?;
    if entry.works_on_branch(&entered.run_mut().store.state)
        && let Entered::Ready(ready) = &mut entered
    {
        complete_tree(ready)?;
    }
    if entry == Entry::Resume {
        entered.run_mut().store.distrust_table();
    }
    match entered {
        Entered::Ready(ready) if matches!(entry, Entry::Step(_)) => {
            session::claim_run(&ready.run, &ready.tree.history);
            Ok(Entered::Ready(Box::new(refuse_ended(*ready)?)))
        }
        entered => Ok(entered),
    }
}

/// The same for what needs the work tree.
pub fn enter_tree<'w>(world: &'w World, place: &Place, entry: Entry) -> Result<Ready<'w>> {
    match enter_run(world, place, entry)? {
        Entered::Ready(ready) => Ok(*ready),
        Entered::Lost(held) => held.take_tree(),
    }
}

/// Finds a run and takes its lock, without a check or a repair.
pub fn hold_run<'w>(world: &'w World, place: &Place, entry: Entry) -> Result<Held<'w>> {
    let layout = place.find_run(world, entry.wanted())?;
    let mut held = Held::open_run(world, layout, entry.access(), entry.as_str())?;
    if entry == Entry::Remeasure
        && held.seat.tree().is_none()
        && held.run.store.state.finish.is_some()
    {
        return Err(Failure::usage(
            "the run is finished, and the work tree that it had of its own is gone",
        )
        .hint("nothing can be measured by it any more: check its branch out and run verify by hand, or start a new run from there"));
    }
    if entry.needs_tree() && held.seat.tree().is_none() {
        return Err(lost_tree_error(&held.run.store));
    }
    if entry == Entry::Resume {
        let mark = format!("{MARK}={}", held.run.store.state.start.id);
        let left = process::end_marked_processes(&mark);
        if left > 0 {
            let processes = format_count(left, "process");
            held.repaired
                .push(format!("killed {processes} of a dead driver"));
        }
    }
    Ok(held)
}

/// Repairs a held run whose repository was checked.
pub fn repair_held(mut held: Held<'_>) -> Result<Entered<'_>> {
    let done = held.take_repaired();
    if held.seat.tree().is_none() {
        held.repaired = done;
        end_if_due(&mut held.run)?;
        return Ok(Entered::Lost(Box::new(held)));
    }
    let mut ready = held.take_tree()?;
    ready.repaired = RepairResult {
        done,
        taken_back: None,
    };
    repair_run(&mut ready)?;
    Ok(Entered::Ready(Box::new(ready)))
}

/// What a sandboxed session is told instead.
fn advise_meanwhile(world: &World, place: &Place, entry: Entry) -> Result<String> {
    let glance = Glance::open_run(world, place, entry.wanted(), Access::Read, entry.as_str())?;
    Ok(glance.with_tree()?.run.next_step_meanwhile().1)
}

/// No step follows the end of a run.
fn refuse_ended(ready: Ready<'_>) -> Result<Ready<'_>> {
    let Some(ending) = ready.run.store.state.end.clone() else {
        return Ok(ready);
    };
    let is_for_person = ready.run.caller.reader == Reader::Person;
    let failure = Failure::usage(format!(
        "the run `{}` has ended: {} ({})",
        ready.run.store.layout.run,
        ending.end.as_str(),
        escape_text(&ending.why)
    ))
    .hint(if ending.end.is_ceiling() && is_for_person {
            "`autoresearch raise` sets a higher limit, and the run continues; `autoresearch finish` goes back to your branch"
        } else {
            "`autoresearch finish` goes back to your branch; `autoresearch start` starts a new run"
        });
    Err(ready.refuse(failure))
}
