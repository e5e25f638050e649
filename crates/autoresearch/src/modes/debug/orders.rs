//! Owns the two ways of an order: it is done at once, or, where a sandbox keeps the records from being written, registered for
//! the hook at the end of the turn.
//! Does not know what an order does.
//! Invariant: what would be refused then is refused now, as far as it can be told without writing, and a command that no person
//! confirmed runs in the sandbox of the tool alone, in the hook too.

use std::fmt;
use std::path::Path;

use autoresearch_codex::config::armed;
use autoresearch_core::agent::caller::HookReadiness;
use autoresearch_core::ledger::orders::{DebugOrder, RegisteredOrders};
use autoresearch_sys::env::World;
use autoresearch_sys::error::{Failure, READ_ONLY, Result};
use autoresearch_sys::ledger_store::{read_orders, write_orders};
use serde::Serialize;

use super::experiment::Enclosure;
use super::report::DebugReport;
use super::scene::SearchScene;
use crate::run::place::Place;
use crate::run::session;

/// More in one turn is no plan.
const MOST: usize = 50;

/// What became of an order.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum OrderAnswer {
    Done(Box<DebugReport>),
    Registered(RegisteredReport),
}

/// An order that waits for the end of the turn.
#[derive(Clone, Debug, Serialize)]
pub struct RegisteredReport {
    /// `open`, `add`, `result` or `stop`.
    pub registered: &'static str,
    /// How many wait, with this one.
    pub waiting: usize,
    pub next: String,
}

/// Does what is asked, or registers it.
pub fn answer_order(
    world: &World,
    place: &Place,
    order: DebugOrder,
    enclosure: Enclosure,
) -> Result<OrderAnswer> {
    if session::is_confined(world) {
        if enclosure == Enclosure::Open {
            session::refuse_confined(world, || Ok(READ_ONLY.to_owned()))?;
        }
        return register_order(world, place, order).map(OrderAnswer::Registered);
    }
    let report = SearchScene::open(world, place)?.carry_out(&order, enclosure)?;
    Ok(OrderAnswer::Done(Box::new(report)))
}

fn register_order(world: &World, place: &Place, mut order: DebugOrder) -> Result<RegisteredReport> {
    let scene = SearchScene::open(world, place)?;
    if armed::read_armed(world) == HookReadiness::NotArmed {
        return Err(Failure::blocked("in this sandbox no record can be written, and the session hooks are not armed")
            .hint("nothing was registered. `autoresearch install --hooks` or `--rule` in a terminal changes that; until then call it again with `sandbox_permissions: \"require_escalated\"`"));
    }
    if let DebugOrder::Result(claimed) = &mut order {
        // The hook knows no current folder.
        for place in &mut claimed.places {
            place.path = scene.look_at_place(place)?.path;
        }
    }
    let session = world.session.clone().unwrap_or_default();
    let mut registered = read_orders(&scene.root)
        .filter(|orders| orders.session == session)
        .unwrap_or_else(|| RegisteredOrders {
            session,
            orders: Vec::new(),
        });
    if registered.orders.len() >= MOST {
        return Err(Failure::usage(format!("{MOST} orders wait already"))
            .hint("end the turn: the session hook does them and answers"));
    }
    let registered_as = name_order(&order);
    registered.orders.push(order);
    write_orders(&scene.root, &registered)?;
    Ok(RegisteredReport {
        registered: registered_as,
        waiting: registered.orders.len(),
        next: "register what else belongs to this step, then end your turn; the session hook does it in this order and answers".to_owned(),
    })
}

fn name_order(order: &DebugOrder) -> &'static str {
    match order {
        DebugOrder::Open { .. } => "open",
        DebugOrder::Add { .. } => "add",
        DebugOrder::Result(_) => "result",
        DebugOrder::Stop { .. } => "stop",
    }
}

/// Does what a session registered, in its order; the words for the agent. What is refused ends it.
pub(crate) fn carry_out_registered(
    world: &World,
    root: &Path,
    registered: &RegisteredOrders,
) -> String {
    let place = Place {
        directory: Some(root.to_owned()),
        run: None,
    };
    let scene = match SearchScene::open(world, &place) {
        Ok(scene) => scene,
        Err(failure) => return failure.to_string(),
    };
    let mut answers = Vec::new();
    let (mut next, mut left) = (String::new(), registered.orders.len());
    for order in &registered.orders {
        left -= 1;
        match scene.carry_out(order, Enclosure::Sandbox) {
            Ok(report) => {
                let text = report.to_string();
                next = format!("next: {}", report.next);
                answers.push(text.trim_end_matches(&next).trim_end().to_owned());
            }
            Err(failure) => {
                answers.push(failure.to_string());
                if left > 0 {
                    answers.push(format!(
                        "{left} that were registered behind it were not done"
                    ));
                }
                break;
            }
        }
    }
    answers.push(next);
    answers.retain(|answer| !answer.is_empty());
    answers.join("\n")
}

impl fmt::Display for OrderAnswer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done(report) => report.fmt(out),
            Self::Registered(report) => report.fmt(out),
        }
    }
}

impl fmt::Display for RegisteredReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            registered,
            waiting,
            next,
        } = self;
        writeln!(
            out,
            "{registered} registered, {waiting} in all; nothing is done yet"
        )?;
        write!(out, "next: {next}")
    }
}
