//! Owns what a run without a person says to whoever listens, and what these can order.
//! Does not drive the run.
//! Invariant: the driver does not know whether a terminal, a CI job or nobody listens.

use autoresearch_core::agent::outage::TurnFault;

use crate::run::strategy::StrategyReport;
use crate::trial::report::TrialReport;

/// What happens in a run, for whoever listens.
pub enum DriverEvent<'a> {
    Turn {
        /// The trial that it is for.
        trial: u32,
    },
    /// A turn came to no answer.
    Failed(&'a TurnFault),
    /// It is waited until a moment, in milliseconds since 1970.
    Waiting { why: &'a str, until_ms: u64 },
    /// A trial begins to be measured.
    Measuring,
    /// A trial was decided.
    Trial(&'a TrialReport),
    /// A strategy row was logged.
    Strategy(&'a StrategyReport),
    /// Something worth a line in the log.
    Note(&'a str),
}

/// Whoever listens to a run, and may end it.
pub trait Audience {
    fn hear_event(&mut self, happening: &DriverEvent<'_>);
    /// What a person wants now.
    fn read_order(&mut self) -> Option<DriverOrder>;
}

/// What a person wants of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DriverOrder {
    /// Leave it for now.
    Pause,
    Stop,
}
