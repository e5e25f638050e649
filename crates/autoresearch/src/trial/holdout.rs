//! Owns the asking of the holdout: the check beside the anchor, on a tree that verify and guard would keep.
//! Does not decide what follows.
//! Invariant: what it printed and why it did not pass stay beside the anchor; a yes or a no comes out.

use std::path::Path;

use autoresearch_core::decide::fall::accept_value;
use autoresearch_core::git_names::TreeId;
use autoresearch_core::journal::state::RunState;
use autoresearch_core::metric::definition::{Format, Metric};
use autoresearch_core::metric::measurement::read_measurement;

use crate::trial::measure::Bench;
use crate::watch::yardstick::differs_from_pin;
use autoresearch_sys::error::{Failure, Result};
use autoresearch_sys::store::{HoldoutNote, RunStore, accept_bound, write_holdout_reason};

/// The holdout of a run, where it is.
pub struct ArmedHoldout<'a> {
    pub note: &'a HoldoutNote,
    anchor_folder: &'a Path,
}

/// What it is asked about.
pub struct HoldoutQuestion<'a> {
    pub state: &'a RunState,
    /// The tree that stands in the work tree.
    pub tree: &'a TreeId,
    /// What its output is called.
    pub name: String,
}

impl<'a> ArmedHoldout<'a> {
    /// That of an opened run, if it has one.
    #[must_use]
    pub fn of_run(store: &'a RunStore<'_>) -> Option<Self> {
        Some(Self {
            note: store.holdout.as_ref()?,
            anchor_folder: &store.anchor_folder,
        })
    }

    /// Refuses to go on where a file that it names is another one than at start. No name is told: who asks may be the agent.
    pub fn check_files(&self) -> Result<()> {
        let mut pins = self.note.pins.iter();
        if pins.all(|(path, pin)| !differs_from_pin(Path::new(path), Some(pin))) {
            return Ok(());
        }
        Err(Failure::blocked("a file of the holdout was changed since the start")
            .hint("nothing was done. A person puts it back as it was, or ends this run and starts a new one"))
    }

    /// Does it pass? The bench is that of the tree; its outputs go to the private folder here.
    pub fn ask(&self, bench: &mut Bench<'_>, question: &HoldoutQuestion<'_>) -> Result<bool> {
        bench.prefix = String::new();
        let asked = (&self.note.check.command, question.name.as_str());
        let reason = match bench.run_holdout(self.anchor_folder, asked)? {
            Err(how) => Some(how.to_string()),
            Ok(stdout) => self.find_fall(&stdout, question)?,
        };
        if let Some(reason) = &reason {
            write_holdout_reason(&bench.folder, &question.name, reason)?;
        }
        Ok(reason.is_none())
    }

    /// How what it printed is worse than what was accepted. What is not is the bound from this tree on.
    fn find_fall(&self, stdout: &str, question: &HoldoutQuestion<'_>) -> Result<Option<String>> {
        let (state, folder) = (question.state, self.anchor_folder);
        let incumbent = &state.incumbent;
        let bound = self.note.find_bound(folder, &incumbent.tree)?;
        let (Some(bound), Some((_, reading))) = (bound, &self.note.baseline) else {
            return Ok(None);
        };
        let metric = read_as_lines(&state.config().metric);
        let value = match read_measurement(stdout, &metric, Some(reading)) {
            Ok((measurement, _)) => measurement.value,
            Err(error) => return Ok(Some(error.to_string())),
        };
        let spread = state.evidence.find_run_spread();
        match accept_value(&metric, &bound, &value, spread) {
            None => Ok(Some(format!("it fell: {value} after {bound}"))),
            Some(bound) => {
                accept_bound(folder, question.tree, bound)?;
                Ok(None)
            }
        }
    }
}

/// The metric as a holdout prints it: in lines `METRIC name=value`, so that no other number is taken for it.
#[must_use]
pub fn read_as_lines(metric: &Metric) -> Metric {
    Metric {
        format: Format::Lines,
        ..metric.clone()
    }
}
