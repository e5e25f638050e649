//! Owns `ConfigFile`: the words that a person may write in a config, and the JSON Schema made from them.
//! Does not check what the words mean; `check` does.
//! Invariant: no `flatten` and no `untagged`, so that each mistake has a place.

use schemars::{JsonSchema, Schema, generate::SchemaSettings, json_schema};
use serde::Deserialize;

use crate::config::choices::{
    ClaimMode, Isolation, LadderMode, Mode, ReactionRule, RepositoryHooks, RequiredLabels,
    Rollback, Shell, SuppressionRule, SuspectPattern, Vary, ViewUse,
};
use crate::config::condition::Op;
use crate::config::gate::GateFile;
use crate::config::holdout::HoldoutFile;
use crate::config::parallel::ParallelFile;
use crate::config::sandboxing::{SandboxFile, read_switch_or_block};
use crate::config::unattended::{AgentFile, BudgetFile};
use crate::metric::definition::{Direction, Format};

/// The config of a codex-autoresearch run.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfigFile {
    /// What to improve, in one sentence.
    pub goal: String,
    /// The mode: one of seven ways of working.
    #[serde(default)]
    pub mode: Mode,
    /// The run's name. Default: made from the goal.
    #[serde(default)]
    pub tag: Option<String>,
    /// gitignore-style patterns, from the repository's root, of the files that a trial may change.
    #[serde(deserialize_with = "read_one_or_many")]
    #[schemars(schema_with = "make_patterns_schema")]
    pub scope: Vec<String>,
    /// gitignore-style patterns of files that no trial may change: their bytes are pinned at start.
    #[serde(default, deserialize_with = "read_one_or_many")]
    #[schemars(schema_with = "make_patterns_schema")]
    pub protect: Vec<String>,
    /// gitignore-style patterns of files that no trial may change although the scope holds them.
    #[serde(default, deserialize_with = "read_one_or_many")]
    #[schemars(schema_with = "make_patterns_schema")]
    pub pin: Vec<String>,
    /// What is measured.
    pub metric: MetricFile,
    /// How it is measured: a command that prints it, or one of the kinds that the tool measures itself.
    pub verify: VerifyFile,
    /// The command that must pass before a keep.
    #[serde(default)]
    pub guard: Option<CommandFile>,
    /// A check that the one who edits is not shown, and that a keep has to pass too. Only a config outside the repository may hold it.
    #[serde(default)]
    pub holdout: Option<HoldoutFile>,
    /// The checks of a release: `ship check` runs them, and with `verify: {gates: true}` the open ones are the metric.
    #[serde(default)]
    pub gates: Vec<GateFile>,
    /// Conditions that a trial must satisfy, besides the improvement, to be kept.
    #[serde(default)]
    pub keep_when: Vec<ConditionFile>,
    /// The run ends when a kept state satisfies all of these.
    #[serde(default)]
    pub stop_when: Vec<ConditionFile>,
    /// Labels that are required of a trial.
    #[serde(default)]
    pub required_labels: RequiredLabels,
    /// The run ends after this many trials; `none` if something else ends it. Default: 50.
    #[serde(
        default = "default_iterations",
        deserialize_with = "read_count_or_word"
    )]
    #[schemars(schema_with = "make_count_schema")]
    pub iterations: CountFile,
    /// The run ends when this much time has passed since its start, such as `8h`. Default: no limit.
    #[serde(default)]
    pub time_limit: Option<String>,
    /// Where the trials are made.
    #[serde(default)]
    pub isolation: Isolation,
    /// A command that runs once in each new tree of the run, before verify: a text, or a block with `command`. With isolation `worktree`.
    #[serde(default, deserialize_with = "read_command_or_text")]
    #[schemars(schema_with = "make_prepare_schema")]
    pub prepare: Option<CommandFile>,
    /// gitignore-style patterns of ignored paths of your checkout that each tree of the run gets as links: what verify only reads. With isolation `worktree`.
    #[serde(default, deserialize_with = "read_one_or_many")]
    #[schemars(schema_with = "make_patterns_schema")]
    pub link: Vec<String>,
    /// gitignore-style patterns of ignored paths of your checkout that each tree of the run gets as copies: what verify writes too. With isolation `worktree`.
    #[serde(default, deserialize_with = "read_one_or_many")]
    #[schemars(schema_with = "make_patterns_schema")]
    pub copy: Vec<String>,
    /// Do verify and guard see the folders of `link` and `copy` at their own paths, copied on write, where the system allows it?
    #[serde(default)]
    pub view: ViewUse,
    /// The folder in which the tool makes work trees, outside the repository: a whole path, or one that begins with `~/`.
    #[serde(default)]
    pub trees: Option<String>,
    /// How to undo a failed trial. Default: `reset` with isolation `branch` or `worktree`, `revert` with `in-place`.
    #[serde(default)]
    pub rollback: Option<Rollback>,
    /// The smallest improvement that is worth keeping: a number in the metric's unit, or a share such as `2%`.
    #[serde(default, deserialize_with = "read_number_or_text")]
    #[schemars(schema_with = "make_amount_schema")]
    pub min_improvement: Option<String>,
    /// Names of environment variables that verify and guard get, with their values at start.
    #[serde(default)]
    pub env: Vec<String>,
    /// Names of environment variables that verify and guard get, but whose values are never written to a file.
    #[serde(default)]
    pub secrets: Vec<String>,
    /// Whether the repository's git hooks run on trial commits.
    #[serde(default)]
    pub repository_hooks: RepositoryHooks,
    /// What happens after failed trials in a row: refine, pivot, search, and finally the end of the run.
    #[serde(default)]
    pub ladder: LadderMode,
    /// Whether the first and the last commit are measured afresh at the end, side by side in clean checkouts.
    #[serde(default)]
    pub claim: ClaimMode,
    /// Who edits in background and exec runs.
    #[serde(default)]
    pub agent: AgentFile,
    /// Ceilings besides `iterations` and `time_limit`.
    #[serde(default)]
    pub budget: BudgetFile,
    /// Several hypotheses at once, each in a work tree of its own.
    #[serde(default)]
    pub parallel: ParallelFile,
    /// A command that gets a JSON object on standard input at each keep, when the run is blocked, and when it ends.
    #[serde(default)]
    pub notify: Option<CommandFile>,
    /// How much output of verify and guard to keep under `trials/`.
    #[serde(default)]
    pub outputs: OutputsFile,
    /// The check at start that the metric reacts to the files of the scope.
    #[serde(default)]
    pub reaction: ReactionRule,
    /// Patterns of gaming that a person allows in edited code: a trial with one can be kept, and is flagged.
    #[serde(default)]
    pub allow_suspect: Vec<SuspectPattern>,
    /// Whether a trial that mutes findings instead of fixing them is void.
    #[serde(default)]
    pub suppressions: SuppressionRule,
}

/// How much output of verify and guard to keep under `trials/`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OutputsFile {
    /// MiB to keep of one output; a longer one is cut in the middle. Default: 4.
    #[serde(default)]
    #[schemars(range(min = 1, max = 64))]
    pub file_mib: Option<u32>,
    /// MiB to keep of all outputs together; the oldest trials are cut first. Default: 256.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub total_mib: Option<u32>,
}

/// What is measured.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MetricFile {
    /// Its name in the log, such as `any_count`.
    pub name: String,
    /// Which way is better.
    pub direction: Direction,
    /// The run ends when a kept state reaches this value: a number in the metric's unit, or one with a unit, such as `500 ms`.
    #[serde(default, deserialize_with = "read_number_or_text")]
    #[schemars(schema_with = "make_amount_schema")]
    pub target: Option<String>,
    /// How verify prints it.
    #[serde(default)]
    pub format: Format,
}

/// A comparison of a printed metric with a number.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConditionFile {
    /// The metric's name: the one of `metric.name`, or another that verify prints.
    pub metric: String,
    /// How to compare.
    pub op: Op,
    /// What to compare with: a number in the metric's unit, or one with a unit, such as `64 MiB`. Not for `not-worse`.
    #[serde(default, deserialize_with = "read_number_or_text")]
    #[schemars(schema_with = "make_quantity_schema")]
    pub value: Option<String>,
    /// Which way this metric is better, for `not-worse` alone. Default: `lower`.
    #[serde(default)]
    pub direction: Option<Direction>,
}

/// A command.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CommandFile {
    /// The text for the shell.
    pub command: String,
    /// The shell: `sh`, or `bash` with `-o pipefail`.
    #[serde(default)]
    pub shell: Shell,
    /// How long it may run, such as `90s` or `10m`. Default: 10m; of `prepare` 30m.
    #[serde(default)]
    pub timeout: Option<String>,
    /// Where it runs, from the repository's root. Default: the root.
    #[serde(default)]
    pub working_directory: Option<String>,
    /// Exit statuses that count as success. Default: only 0.
    #[serde(default = "default_ok_exit")]
    pub ok_exit: Vec<u8>,
    /// Guard only: how often to run it again before a failure counts. Default: 0.
    #[serde(default)]
    #[schemars(range(min = 0, max = 5))]
    pub retries: u32,
}

/// How the metric is measured: exactly one of `command`, `wall`, `cpu`, `peak_memory`, `size`, `count`, `exit_rate`, `gates`; or `covered` with `command`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VerifyFile {
    /// The command that prints the metric. With `covered` it writes the report, with `size` and `count` it may make the files.
    #[serde(default)]
    pub command: Option<String>,
    /// A command whose time is the metric, in ms.
    #[serde(default)]
    pub wall: Option<String>,
    /// A command whose processor time, with that of all that it starts, is the metric, in ms.
    #[serde(default)]
    pub cpu: Option<String>,
    /// A command of which the memory of the largest process is the metric, in bytes.
    #[serde(default)]
    pub peak_memory: Option<String>,
    /// gitignore-style patterns of files whose bytes together are the metric.
    #[serde(default, deserialize_with = "read_one_or_many")]
    #[schemars(schema_with = "make_patterns_schema")]
    pub size: Vec<String>,
    /// With `size`: the bytes of each file after gzip, at level 9.
    #[serde(default)]
    pub gzip: bool,
    /// The matches of a regular expression in files are the metric.
    #[serde(default)]
    pub count: Option<MatchesFile>,
    /// A command of which the number of failed runs is the metric.
    #[serde(default)]
    pub exit_rate: Option<String>,
    /// With `exit_rate`: how often it runs. Default: 10.
    #[serde(default)]
    #[schemars(range(min = 2, max = 1000))]
    pub runs: Option<u32>,
    /// With `exit_rate`: what differs between its runs, alike for every state that is measured. Default: nothing.
    #[serde(default)]
    pub vary: Vec<Vary>,
    /// The gates of the config are run, and how many of the required ones are open is the metric.
    #[serde(default)]
    pub gates: bool,
    /// A coverage report that `command` writes; the share of covered lines in it is the metric, in per cent.
    #[serde(default)]
    pub covered: Option<String>,
    /// With `wall`, `cpu` and `peak_memory`: runs that do not count, before those that do. Default: 1; of `peak_memory` 0.
    #[serde(default)]
    #[schemars(range(min = 0, max = 100))]
    pub warmup: Option<u32>,
    /// With `wall`, `cpu` and `peak_memory`: runs of one measurement; the median counts. Default: 3; of `peak_memory` 1.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100))]
    pub repeats: Option<u32>,
    /// A command that must succeed before each measurement: a text, or a block with `command`.
    #[serde(default, deserialize_with = "read_command_or_text")]
    #[schemars(schema_with = "make_prepare_schema")]
    pub check: Option<CommandFile>,
    /// Do verify, its check and guard run in a sandbox: `true`, or a block that opens parts of it? Default: false.
    #[serde(default, deserialize_with = "read_switch_or_block")]
    #[schemars(schema_with = "make_sandbox_schema")]
    pub sandbox: Option<SandboxFile>,
    /// The shell: `sh`, or `bash` with `-o pipefail`.
    #[serde(default)]
    pub shell: Shell,
    /// How long one run may take, such as `90s` or `10m`. Default: 10m.
    #[serde(default)]
    pub timeout: Option<String>,
    /// Where it runs, from the repository's root. Default: the root.
    #[serde(default)]
    pub working_directory: Option<String>,
    /// Exit statuses that count as success. Default: only 0.
    #[serde(default = "default_ok_exit")]
    pub ok_exit: Vec<u8>,
    /// Not for verify: only the guard can be retried.
    #[serde(default)]
    #[schemars(range(min = 0, max = 5))]
    pub retries: u32,
}

/// What is counted.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MatchesFile {
    /// A regular expression; `^` and `$` are the ends of a line.
    pub pattern: String,
    /// A regular expression for all among which it is counted, such as the tests that ran: the metric `total`.
    #[serde(default)]
    pub of: Option<String>,
    /// gitignore-style patterns, from the repository's root, of the files in which it is counted.
    #[serde(deserialize_with = "read_one_or_many")]
    #[schemars(schema_with = "make_patterns_schema")]
    pub files: Vec<String>,
}

/// A number of trials as it was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CountFile {
    /// A number.
    Number(u32),
    /// A word: `none`, or one that means nothing.
    Word(String),
}

/// The JSON Schema of the config file, draft 2020-12.
#[must_use]
pub fn make_config_schema() -> serde_json::Value {
    let settings = SchemaSettings::draft2020_12();
    let schema: Schema = settings
        .into_generator()
        .into_root_schema_for::<ConfigFile>();
    schema.to_value()
}

fn make_patterns_schema(_: &mut schemars::SchemaGenerator) -> Schema {
    json_schema!({"type": ["array", "string"], "items": {"type": "string"}})
}

fn make_prepare_schema(generator: &mut schemars::SchemaGenerator) -> Schema {
    let block = generator.subschema_for::<CommandFile>();
    json_schema!({"anyOf": [block, {"type": "string"}, {"type": "null"}]})
}

fn make_sandbox_schema(generator: &mut schemars::SchemaGenerator) -> Schema {
    let block = generator.subschema_for::<SandboxFile>();
    json_schema!({"anyOf": [block, {"type": "boolean"}, {"type": "null"}]})
}

fn make_amount_schema(_: &mut schemars::SchemaGenerator) -> Schema {
    json_schema!({"type": ["number", "string", "null"]})
}

fn make_quantity_schema(_: &mut schemars::SchemaGenerator) -> Schema {
    json_schema!({"type": ["number", "string"]})
}

fn make_count_schema(_: &mut schemars::SchemaGenerator) -> Schema {
    json_schema!({"type": ["integer", "string"], "default": 50, "minimum": 1, "maximum": 1_000_000, "pattern": "^none$"})
}

fn default_iterations() -> CountFile {
    CountFile::Number(50)
}

fn read_count_or_word<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<CountFile, D::Error> {
    match serde_json::Value::deserialize(deserializer)? {
        serde_json::Value::String(word) => Ok(CountFile::Word(word)),
        number => u32::deserialize(number)
            .map(CountFile::Number)
            .map_err(serde::de::Error::custom),
    }
}

fn default_ok_exit() -> Vec<u8> {
    vec![0]
}

/// A command that may be written as its text alone.
fn read_command_or_text<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<CommandFile>, D::Error> {
    let block = match serde_json::Value::deserialize(deserializer)? {
        serde_json::Value::Null => return Ok(None),
        serde_json::Value::String(text) => serde_json::json!({"command": text}),
        block => block,
    };
    CommandFile::deserialize(block)
        .map(Some)
        .map_err(serde::de::Error::custom)
}

fn read_one_or_many<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<String>, D::Error> {
    match serde_json::Value::deserialize(deserializer)? {
        serde_json::Value::String(one) => Ok(vec![one]),
        many => Vec::deserialize(many).map_err(serde::de::Error::custom),
    }
}

fn read_number_or_text<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    match serde_json::Value::deserialize(deserializer)? {
        serde_json::Value::Null => Ok(None),
        serde_json::Value::String(text) => Ok(Some(text)),
        number => Ok(Some(number.to_string())),
    }
}
