//! Owns `propose`: something is registered that the session's hook does when the turn ends.
//! Does not measure, commit, or write anywhere but into the run's folder, so that it works in a sandbox.
//! Invariant: what would be refused then is refused now, as far as it can be told without writing.

use std::fmt;

use autoresearch_core::agent::caller::MeasureWay;
use autoresearch_core::agent::session::{Proposal, ProposedOrder};
use serde::Serialize;

use crate::run::Run;
use crate::run::driven::refuse_driven;
use crate::run::glance::Glance;
use crate::run::place::{Place, WantedRun};
use crate::run::session;
use crate::run::tree::Tree;
use crate::trial::intent::make_intent;
use crate::watch::tree_changes;
use autoresearch_sys::env::{ProcessRole, World};
use autoresearch_sys::error::{Failure, FailureKind, Result};
use autoresearch_sys::store::Access;

/// The answer of `propose`, and of other commands that a sandbox keeps from acting.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ProposeReport {
    pub run: String,
    /// What was registered: `trial`, `drop`, `retry`, `strategy`, `block`, `stop` or `finish`.
    pub registered: &'static str,
    /// Files in the scope that are changed: the trial, as it stands now.
    pub files: Vec<String>,
    /// Are the session hooks at work? `yes`, or `unknown`.
    pub hooks: &'static str,
    pub next: String,
}

/// Registers an order of the caller's session.
pub(crate) fn register_order(
    world: &World,
    place: &Place,
    order: ProposedOrder,
) -> Result<ProposeReport> {
    let glance = Glance::open_run(world, place, wanted_for(&order), Access::Read, "propose")?;
    let (run, tree) = (&glance.run, glance.tree()?);
    let Some(id) = world
        .session
        .clone()
        .filter(|_| world.role == ProcessRole::Command)
    else {
        return Err(Failure::usage("there is no session whose hook could do it")
            .hint("`propose` is for an agent in a Codex session; use `autoresearch trial`"));
    };
    session::refuse_paused(run)?;
    refuse_driven(world, &run.store.anchor_folder)?;
    refuse_meanwhile(run, &order)?;
    let files = check_order(run, tree, &order)?;
    session::claim_run(run, &tree.history);
    let way = run.caller.way;
    if way == MeasureWay::Nothing {
        return Err(Failure::blocked("the session hooks are not armed")
            .hint(autoresearch_core::words::brief::STUCK));
    }
    let registered = order_word(&order);
    run.store.layout.write_proposal(&Proposal {
        session: id,
        records: run.store.journal_head().next,
        order,
    })?;
    let unsure = matches!(way, MeasureWay::Trial | MeasureWay::ProposeUnsure);
    Ok(ProposeReport {
        run: run.store.layout.run.clone(),
        registered,
        files,
        hooks: if unsure { "unknown" } else { "yes" },
        next: if unsure {
            format!(
                "next: end your turn now. If the session hook is armed, it does this and answers; if no answer comes, the hooks are not armed: tell the person to run `{} hooks status`",
                run.caller.program
            )
        } else {
            "next: end your turn now; the session hook does this and answers with the next step"
                .to_owned()
        },
    })
}

/// While a trial is measured, what is changed now would void it, and the next trial cannot be registered yet.
fn refuse_meanwhile(run: &Run<'_>, order: &ProposedOrder) -> Result<()> {
    if matches!(order, ProposedOrder::Stop { .. } | ProposedOrder::Finish) {
        return Ok(());
    }
    match run.find_under_way() {
        None => Ok(()),
        Some(under_way) => Err(Failure::new(FailureKind::Busy, under_way.describe_work())
            .hint("nothing was registered. Wait for its answer and change no file meanwhile")),
    }
}

fn wanted_for(order: &ProposedOrder) -> WantedRun {
    match order {
        ProposedOrder::Stop { .. } | ProposedOrder::Finish => WantedRun::Latest,
        _ => WantedRun::Active,
    }
}

/// The files of the trial. What the hook would refuse is refused now.
fn check_order(run: &Run<'_>, tree: &Tree<'_>, order: &ProposedOrder) -> Result<Vec<String>> {
    let ProposedOrder::Trial(request) = order else {
        return Ok(Vec::new());
    };
    if run.store.state.needs_repair() {
        // The hook first undoes what was interrupted, and edits with it: there is nothing to look at yet.
        return Ok(Vec::new());
    }
    make_intent(&run.store.state, &run.caller, request)?;
    tree_changes::check_head(tree, &run.store.state)?;
    let changes = tree_changes::read_changes(tree, &run.store.state)?;
    let files: Vec<String> = changes.ours.iter().map(ToString::to_string).collect();
    if files.is_empty() && changes.find_void_why().is_none() && !request.again {
        return Err(Failure::usage("no file in the scope was changed")
            .hint("change one thing first, then register it"));
    }
    Ok(files)
}

fn order_word(order: &ProposedOrder) -> &'static str {
    match order {
        ProposedOrder::Trial(_) => "trial",
        ProposedOrder::Drop => "drop",
        ProposedOrder::Retry { .. } => "retry",
        ProposedOrder::Strategy { .. } => "strategy",
        ProposedOrder::Block { .. } => "block",
        ProposedOrder::Stop { .. } => "stop",
        ProposedOrder::Finish => "finish",
    }
}

impl fmt::Display for ProposeReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files = match self.files.as_slice() {
            [] => String::new(),
            [only] => format!(": {only}"),
            [first, rest @ ..] => format!(": {first} and {} more", rest.len()),
        };
        let rest = if self.registered == "trial" {
            "nothing is measured yet"
        } else {
            "nothing is done yet"
        };
        writeln!(out, "{} registered{files}; {rest}", self.registered)?;
        write!(out, "{}", self.next)
    }
}

#[cfg(test)]
mod tests;
