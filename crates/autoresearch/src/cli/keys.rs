//! Owns the keys of the config that `start` and `exec` take as flags and variables, and the config put together of them.
//! Does not check the config.
//! Invariant: every flag is one key of the config, and the key is the name of its variable too; a flag wins over a variable,
//! a variable over the file.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::cli::ceilings::{Ceilings, TrialCount};
use crate::cli::gauges::Gauges;
use crate::config::{CONFIG_FILE, ConfigSource};
use crate::night::exec::ConfigFields;
use autoresearch_sys::env::World;
use autoresearch_sys::error::{Failure, Result};

/// What a variable with the key's name begins with.
const PREFIX: &str = "AUTORESEARCH_";
/// The variable that names the file.
const FILE: &str = "AUTORESEARCH_CONFIG";

/// A config by file, flag and variable.
#[derive(clap::Args, Debug)]
pub(super) struct ConfigFlags {
    /// The config file; `-` reads standard input
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// What to improve, in one sentence
    #[arg(long, allow_hyphen_values = true)]
    goal: Option<String>,
    /// The run's name
    #[arg(long)]
    tag: Option<String>,
    /// A pattern of the files that a trial may change; may be given more than once
    #[arg(long, value_name = "GLOB")]
    scope: Vec<String>,
    /// A pattern of files that no trial may change; may be given more than once
    #[arg(long, value_name = "GLOB")]
    protect: Vec<String>,
    /// A pattern of files that no trial may change although the scope holds them; may be given more than once
    #[arg(long, value_name = "GLOB")]
    pin: Vec<String>,
    /// The metric's name
    #[arg(long, value_name = "NAME")]
    metric: Option<String>,
    /// Which way is better: lower or higher
    #[arg(long, value_name = "WAY")]
    direction: Option<String>,
    /// The value that ends the run
    #[arg(long, value_name = "NUMBER", allow_negative_numbers = true)]
    target: Option<String>,
    /// The command that measures
    #[arg(long, value_name = "COMMAND")]
    verify: Option<String>,
    /// What the tool measures itself
    #[command(flatten)]
    gauges: Gauges,
    /// The shell: sh, or bash with pipefail
    #[arg(long, value_name = "SHELL")]
    verify_shell: Option<String>,
    /// How long it may run, such as 10m
    #[arg(long, value_name = "SPAN")]
    verify_timeout: Option<String>,
    /// Verify and guard run in a sandbox: no network, and writes only in the tree and a temporary folder
    #[arg(long)]
    verify_sandbox: bool,
    /// The command that must pass before a keep
    #[arg(long, value_name = "COMMAND")]
    guard: Option<String>,
    /// Its shell: sh, or bash with pipefail
    #[arg(long, value_name = "SHELL")]
    guard_shell: Option<String>,
    /// How long it may run
    #[arg(long, value_name = "SPAN")]
    guard_timeout: Option<String>,
    /// Ceilings of the run
    #[command(flatten)]
    ceilings: Ceilings,
    /// branch, worktree or in-place
    #[arg(long, value_name = "WHERE")]
    isolation: Option<String>,
    /// A command that runs once in each new tree of the run, before verify; with isolation worktree
    #[arg(long, value_name = "COMMAND")]
    prepare: Option<String>,
    /// How long it may run
    #[arg(long, value_name = "SPAN")]
    prepare_timeout: Option<String>,
    /// A pattern of ignored paths that the trees of the run get as links; may be given more than once
    #[arg(long, value_name = "GLOB")]
    link: Vec<String>,
    /// A pattern of ignored paths that the trees of the run get as copies; may be given more than once
    #[arg(long, value_name = "GLOB")]
    copy: Vec<String>,
    /// auto or off: do verify and guard see the folders of link and copy at their own paths?
    #[arg(long, value_name = "USE")]
    view: Option<String>,
    /// The folder in which the work trees of the run are made, outside the repository
    #[arg(long, value_name = "FOLDER")]
    trees: Option<String>,
    /// What happens after failed trials in a row: off, advise or enforce
    #[arg(long, value_name = "WAY")]
    ladder: Option<String>,
    /// Whether the gain is measured afresh at the end: auto or never
    #[arg(long, value_name = "MODE")]
    claim: Option<String>,
    /// The smallest improvement worth keeping: a number, or a share such as 2%
    #[arg(long, value_name = "AMOUNT")]
    min_improvement: Option<String>,
    /// A command that gets the brief on standard input and edits files, instead of Codex
    #[arg(long, value_name = "COMMAND")]
    agent_command: Option<String>,
    /// Codex's model
    #[arg(long, value_name = "MODEL")]
    agent_model: Option<String>,
    /// What Codex may do: workspace-write or full-access
    #[arg(long, value_name = "WHAT")]
    agent_sandbox: Option<String>,
    /// How long a turn of the agent may take
    #[arg(long, value_name = "SPAN")]
    agent_timeout: Option<String>,
}

/// A number where the text is one; otherwise the text, which may be a number with a unit.
fn parse_number_or_text(text: &str) -> Value {
    let number = text.trim().parse::<serde_json::Number>();
    number.map_or_else(|_| json!(text), |number| json!(number))
}

impl ConfigFlags {
    /// Every key, with the flag's value if it was given.
    fn list_keys(&self) -> Vec<(String, Option<Value>)> {
        let list = |items: &Vec<String>| (!items.is_empty()).then(|| json!(items));
        let text = |text: &Option<String>| text.as_ref().map(|text| json!(text));
        let fields = [
            ("goal", text(&self.goal)),
            ("tag", text(&self.tag)),
            ("scope", list(&self.scope)),
            ("protect", list(&self.protect)),
            ("pin", list(&self.pin)),
            ("metric.name", text(&self.metric)),
            ("metric.direction", text(&self.direction)),
            (
                "metric.target",
                self.target.as_deref().map(parse_number_or_text),
            ),
            ("verify.command", text(&self.verify)),
            ("verify.shell", text(&self.verify_shell)),
            ("verify.timeout", text(&self.verify_timeout)),
            (
                "verify.sandbox",
                self.verify_sandbox.then_some(Value::Bool(true)),
            ),
            ("guard.command", text(&self.guard)),
            ("guard.shell", text(&self.guard_shell)),
            ("guard.timeout", text(&self.guard_timeout)),
            (
                "iterations",
                self.ceilings.iterations.map(TrialCount::to_json),
            ),
            ("time_limit", text(&self.ceilings.time_limit)),
            (
                "budget.tokens",
                self.ceilings.tokens.map(|number| json!(number)),
            ),
            (
                "budget.verify_runs",
                self.ceilings.verify_runs.map(|number| json!(number)),
            ),
            ("budget.until", text(&self.ceilings.until)),
            ("isolation", text(&self.isolation)),
            ("prepare.command", text(&self.prepare)),
            ("prepare.timeout", text(&self.prepare_timeout)),
            ("link", list(&self.link)),
            ("copy", list(&self.copy)),
            ("view", text(&self.view)),
            ("trees", text(&self.trees)),
            ("ladder", text(&self.ladder)),
            ("claim", text(&self.claim)),
            ("min_improvement", text(&self.min_improvement)),
            ("agent.command", text(&self.agent_command)),
            ("agent.model", text(&self.agent_model)),
            ("agent.sandbox", text(&self.agent_sandbox)),
            ("agent.timeout", text(&self.agent_timeout)),
        ];
        fields
            .into_iter()
            .chain(self.gauges.list_keys())
            .map(|(key, value)| (key.to_owned(), value))
            .collect()
    }
}

/// What flags and variables say, and the variables among them.
pub(super) struct ConfigOverlay {
    /// The keys.
    pub fields: ConfigFields,
    /// The names of the variables that count.
    pub variables: Vec<String>,
}

/// What flags and variables say; a flag wins.
pub(super) fn read_overlay(world: &World, flags: &ConfigFlags) -> Result<ConfigOverlay> {
    let mut fields = ConfigFields::new();
    let mut variables = Vec::new();
    for (key, flag) in flags.list_keys() {
        let name = format!("{PREFIX}{}", key.replace('.', "_").to_ascii_uppercase());
        let variable = world.find_variable(&name).map(|value| {
            value
                .to_str()
                .map(ToOwned::to_owned)
                .ok_or_else(|| Failure::config(format!("{name} is not UTF-8")))
        });
        let value = match (flag, variable) {
            (Some(value), _) => value,
            (None, Some(value)) => {
                variables.push(name);
                parse_variable(&key, &value?)
            }
            (None, None) => continue,
        };
        match key.split_once('.') {
            None => fields.insert(key, value),
            Some((block, key)) => {
                let block = fields.entry(block).or_insert_with(|| json!({}));
                block[key] = value;
                None
            }
        };
    }
    Ok(ConfigOverlay { fields, variables })
}

/// The file that a flag or a variable names.
pub(super) fn find_named_file(world: &World, flags: &ConfigFlags) -> Option<PathBuf> {
    let named = flags.config.clone();
    named.or_else(|| world.find_variable(FILE).map(Into::into))
}

/// The config of `start`: the file as it was typed where nothing else is said, and otherwise what they say together. With
/// it come the variables that count, which the person should be told of.
pub(super) fn read_start_config(
    world: &World,
    flags: &ConfigFlags,
) -> Result<(ConfigSource, Vec<String>)> {
    let ConfigOverlay { fields, variables } = read_overlay(world, flags)?;
    let default = || {
        let stands = world.cwd.join(CONFIG_FILE).exists();
        (stands || fields.is_empty()).then(|| Path::new(CONFIG_FILE).to_owned())
    };
    let file = find_named_file(world, flags).or_else(default);
    let file = file
        .map(|file| crate::config::read_config(world, &file))
        .transpose()?;
    match file {
        Some(source) if fields.is_empty() => Ok((source, variables)),
        file => Ok((crate::config::merge_config(file, fields)?, variables)),
    }
}

/// A variable's text as the config has it: lists by line, numbers as numbers.
fn parse_variable(key: &str, text: &str) -> Value {
    match key {
        "scope" | "protect" | "pin" | "link" | "copy" | "verify.size" => {
            let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
            lines.map(ToOwned::to_owned).collect()
        }
        "verify.sandbox" | "verify.gzip" => match text {
            "true" | "false" => Value::Bool(text == "true"),
            _ => Value::from(text),
        },
        "iterations" | "metric.target" | "budget.tokens" | "budget.verify_runs" => {
            parse_number_or_text(text)
        }
        _ => Value::from(text),
    }
}

#[cfg(test)]
mod tests;
