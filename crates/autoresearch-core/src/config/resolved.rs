//! Owns `Config`: what is true for a run, with every default in its place.
//! Does not know what was typed.
//! Invariant: nothing after it asks whether something was set.

use std::borrow::Cow;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::config::choices::{
    ClaimMode, Isolation, LadderMode, Mode, ReactionRule, RepositoryHooks, RequiredLabels,
    Rollback, SuppressionRule, SuspectPattern, ViewUse,
};
use crate::config::command::UserCommand;
use crate::config::condition::{Condition, WatchedMetric};
use crate::config::gate::Gate;
use crate::config::gauge::{Gauge, GaugeKind};
use crate::config::parallel::Parallel;
use crate::config::sandboxing::SandboxRule;
use crate::config::unattended::{Agent, Budget};
use crate::metric::definition::Metric;
use crate::metric::measurement::Reading;
use crate::metric::unit::{Doubt, Quantity, Unit};
use crate::metric::value::Value;

/// Everything that a run needs to know about what the person wants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    /// What to improve, in one sentence.
    pub goal: String,
    /// The mode: one of seven ways of working.
    pub mode: Mode,
    /// The run's name, when the person chose one.
    pub tag: Option<String>,
    /// Patterns of the files that a trial may change.
    pub scope: Vec<String>,
    /// Patterns of the files that no trial may change and whose bytes are pinned.
    pub protect: Vec<String>,
    /// Patterns of the files that are pinned although the scope holds them.
    #[serde(default)]
    pub pin: Vec<String>,
    pub metric: Metric,
    /// The command that measures or is measured; its text is empty where the gauge needs none.
    pub verify: UserCommand,
    /// What of it is the metric.
    #[serde(default, skip_serializing_if = "Gauge::is_default")]
    pub gauge: Gauge,
    /// The sandbox in which they and the guard run, if they do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sandbox: Option<SandboxRule>,
    /// The command that must pass before a keep.
    pub guard: Option<UserCommand>,
    /// The checks of a release.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gates: Vec<Gate>,
    /// What must hold for a keep, besides the improvement.
    pub keep_when: Vec<Condition>,
    /// What no keep makes worse.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub watched: Vec<WatchedMetric>,
    /// The run ends when an incumbent satisfies all of these (and there are any).
    pub stop_when: Vec<Condition>,
    /// Labels that a trial needs to be kept, and that an incumbent needs to end the run.
    pub required_labels: RequiredLabels,
    /// The run ends after this many trials; `None`: something else ends it.
    pub iterations: Option<u32>,
    /// The run ends when this much time has passed since its start.
    pub time_limit: Option<TimeLimit>,
    /// Where the trials are made.
    pub isolation: Isolation,
    /// What a tree of the run gets besides its tracked files.
    #[serde(default, skip_serializing_if = "TreeSetup::is_empty")]
    pub setup: TreeSetup,
    /// The folder in which work trees are made, where the person chose one: absolute, or below `~/`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trees: Option<String>,
    /// How a failed trial is undone.
    pub rollback: Rollback,
    /// The smallest improvement that is worth keeping.
    pub min_improvement: Option<Amount>,
    /// Variables that verify and guard see, with their values as they were at start.
    pub env: Vec<String>,
    /// Variables that verify and guard see and whose values are never written down.
    pub secrets: Vec<String>,
    /// Whether the repository's git hooks run on trial commits.
    pub repository_hooks: RepositoryHooks,
    /// What happens after failed trials in a row.
    #[serde(default)]
    pub ladder: LadderMode,
    /// Whether the gain is measured afresh at the end.
    #[serde(default)]
    pub claim: ClaimMode,
    /// Who edits in background and exec runs.
    pub agent: Agent,
    /// Ceilings besides iterations and time.
    pub budget: Budget,
    /// How hypotheses are tried at once.
    #[serde(default, skip_serializing_if = "Parallel::is_default")]
    pub parallel: Parallel,
    /// The command that is told of keeps, obstacles and the end.
    pub notify: Option<UserCommand>,
    /// How much output of verify and guard to keep.
    #[serde(default)]
    pub outputs: Outputs,
    /// Whether the start checks that the metric reacts to the scope, or why not.
    #[serde(default)]
    pub reaction: ReactionRule,
    /// Patterns of gaming with which a trial can be kept all the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow_suspect: Vec<SuspectPattern>,
    /// Whether a trial that mutes findings is void.
    #[serde(default, skip_serializing_if = "SuppressionRule::is_auto")]
    pub suppressions: SuppressionRule,
}

/// What each tree of a run gets besides its tracked files, before anything is measured in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TreeSetup {
    /// The command that runs once, when the links and copies are there.
    pub prepare: Option<UserCommand>,
    /// Patterns of ignored paths of the user's checkout that become links.
    pub link: Vec<String>,
    /// Patterns of ignored paths of the user's checkout that are copied.
    pub copy: Vec<String>,
    /// May verify and guard see their folders in a view of the tree?
    #[serde(skip_serializing_if = "ViewUse::is_auto")]
    pub view: ViewUse,
}

impl TreeSetup {
    /// Is a tree ready as git makes it?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.prepare.is_none() && self.link.is_empty() && self.copy.is_empty()
    }
}

/// How much of the outputs of verify and guard is kept, in MiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outputs {
    /// Of one output; a longer one is cut in the middle.
    pub file_mib: u32,
    /// Of all trials together; older ones are cut first.
    pub total_mib: u32,
}

impl Default for Outputs {
    fn default() -> Self {
        Self {
            file_mib: 4,
            total_mib: 256,
        }
    }
}

impl Outputs {
    /// The bytes of one output.
    #[must_use]
    pub fn file_bytes(self) -> u64 {
        u64::from(self.file_mib) << 20
    }

    /// The bytes of all outputs.
    #[must_use]
    pub fn total_bytes(self) -> u64 {
        u64::from(self.total_mib) << 20
    }
}

/// A limit in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeLimit {
    #[serde(with = "crate::config::span::millis", rename = "ms")]
    pub span: Duration,
}

/// An amount of the metric.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Amount {
    /// In the metric's own unit during a run, in the one that was typed before it.
    Absolute(Quantity),
    /// In per cent of the incumbent's value.
    Percent(Value),
}

/// An amount of the config in a unit that is not the metric's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherUnit {
    pub place: String,
    pub typed: Quantity,
    pub metric: String,
    /// The unit in which verify prints it.
    pub unit: Unit,
}

impl Config {
    /// The commands that decide what a measurement is, each with its key: what they execute is not the subject of the work.
    #[must_use]
    pub fn list_commands(&self) -> Vec<(Cow<'static, str>, &UserCommand)> {
        let verify = (!self.verify.command.is_empty()).then_some(&self.verify);
        let commands = [
            ("verify", verify),
            ("verify.check", self.gauge.check.as_ref()),
            ("guard", self.guard.as_ref()),
        ];
        let written = commands
            .into_iter()
            .filter_map(|(key, command)| Some((Cow::Borrowed(key), command?)));
        let gates = self.gates.iter().enumerate();
        let counted = gates.filter(|(_, gate)| self.counts_gate(gate));
        written
            .chain(counted.map(|(index, gate)| {
                let key = Cow::Owned(format!("gates[{index}]"));
                (key, &gate.command)
            }))
            .collect()
    }

    /// Is this gate a part of the metric?
    #[must_use]
    pub fn counts_gate(&self, gate: &Gate) -> bool {
        self.gauge.kind == GaugeKind::Gates && gate.required
    }

    /// The config with every amount in the unit of its metric, as the baseline showed it.
    pub fn into_metric_units(mut self, reading: &Reading) -> Result<Self, Box<OtherUnit>> {
        let settle = |place: String, metric: &str, quantity: &mut Quantity| {
            if quantity.unit.is_none() {
                return Ok(());
            }
            let unit = reading.unit_of(metric);
            let Some(number) = quantity.in_unit(&unit, Doubt::Refuse) else {
                return Err(Box::new(OtherUnit {
                    place,
                    typed: quantity.clone(),
                    metric: metric.to_owned(),
                    unit,
                }));
            };
            *quantity = number.into();
            Ok(())
        };
        let name = self.metric.name.clone();
        if let Some(target) = &mut self.metric.target {
            settle("metric.target".to_owned(), &name, target)?;
        }
        if let Some(Amount::Absolute(amount)) = &mut self.min_improvement {
            settle("min_improvement".to_owned(), &name, amount)?;
        }
        let lists = [
            ("keep_when", &mut self.keep_when),
            ("stop_when", &mut self.stop_when),
        ];
        for (key, conditions) in lists {
            for (index, condition) in conditions.iter_mut().enumerate() {
                let place = format!("{key}[{index}].value");
                settle(place, &condition.metric, &mut condition.value)?;
            }
        }
        Ok(self)
    }
}

impl Amount {
    /// The amount in the metric's unit, for an incumbent of this value.
    #[must_use]
    pub fn for_incumbent(&self, incumbent: &Value) -> Value {
        match self {
            Self::Absolute(quantity) => quantity.number.clone(),
            Self::Percent(percent) => incumbent.take_percent(percent),
        }
    }
}

#[cfg(test)]
mod tests;
