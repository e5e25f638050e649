//! Owns the config of a run: `ConfigFile` is what a person typed, `Config` is what is true.
//! Does not read files or YAML: it gets the parsed text as JSON.
//! Invariant: nothing after `Config` asks whether something was set; the defaults are here and nowhere else.

mod check;
mod choices;
mod command;
pub mod condition;
mod condition_meaning;
mod file;
mod gate;
mod gauge;
mod gauge_meaning;
pub mod globs;
mod holdout;
mod meaning;
pub mod name;
mod parallel;
mod problem;
mod resolved;
mod sandboxing;
pub mod schema;
pub mod span;
mod unattended;

pub use self::check::{CheckedConfig, check_config};
pub use self::choices::{
    ClaimMode, Isolation, LadderMode, Mode, ReactionRule, RepositoryHooks, RequiredLabels,
    Rollback, Shell, SuppressionRule, SuspectPattern, Vary, ViewUse,
};
pub use self::command::UserCommand;
pub use self::file::{ConfigFile, OutputsFile, make_config_schema};
pub use self::gate::{Gate, GateFile};
pub use self::gauge::run_condition::{
    RunCondition, Zone, ZoneForm, is_set_by_runs, warn_of_zone_rules,
};
pub use self::gauge::{Gauge, GaugeKind, TOTAL};
pub use self::holdout::{Holdout, HoldoutTime};
pub use self::meaning::looks_secret;
pub use self::parallel::{Measuring, MeasuringRule, Parallel, ParallelFile};
pub use self::problem::{Problem, Severity};
pub use self::resolved::{Amount, Config, OtherUnit, Outputs, TimeLimit, TreeSetup};
pub use self::sandboxing::{SandboxFile, SandboxRule};
pub use self::schema::find_nearest_word;
pub use self::unattended::{Agent, AgentFile, Budget, BudgetFile, Sandbox, TimeOfDay};
