//! Owns the words of `exec`: each field of the config that a CI job may set by a flag.
//! Does not read variables or files.
//! Invariant: every flag is one key of the config, and the key is the name of its variable too.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::cli::ceilings::Ceilings;

/// The arguments of `exec`.
#[derive(clap::Args, Debug)]
pub struct ExecWords {
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
    /// The shell: sh, or bash with pipefail
    #[arg(long, value_name = "SHELL")]
    verify_shell: Option<String>,
    /// When it is ended, such as 10m
    #[arg(long, value_name = "SPAN")]
    verify_timeout: Option<String>,
    /// The command that must pass before a keep
    #[arg(long, value_name = "COMMAND")]
    guard: Option<String>,
    /// Its shell: sh, or bash with pipefail
    #[arg(long, value_name = "SHELL")]
    guard_shell: Option<String>,
    /// When it is ended
    #[arg(long, value_name = "SPAN")]
    guard_timeout: Option<String>,
    /// Ceilings of the run
    #[command(flatten)]
    ceilings: Ceilings,
    /// branch, worktree or in-place
    #[arg(long, value_name = "WHERE")]
    isolation: Option<String>,
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
    /// When a turn of the agent is ended
    #[arg(long, value_name = "SPAN")]
    agent_timeout: Option<String>,
}

/// A number where the text is one; otherwise the text, which may be a number with a unit.
pub fn number_or_text(text: &str) -> Value {
    let number = text.trim().parse::<serde_json::Number>();
    number.map_or_else(|_| json!(text), |number| json!(number))
}

impl ExecWords {
    /// Every field by its key, with the flag's value if it was given.
    pub fn fields(&self) -> Vec<(String, Option<Value>)> {
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
            ("metric.target", self.target.as_deref().map(number_or_text)),
            ("verify.command", text(&self.verify)),
            ("verify.shell", text(&self.verify_shell)),
            ("verify.timeout", text(&self.verify_timeout)),
            ("guard.command", text(&self.guard)),
            ("guard.shell", text(&self.guard_shell)),
            ("guard.timeout", text(&self.guard_timeout)),
            (
                "iterations",
                self.ceilings.iterations.map(|number| json!(number)),
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
            ("min_improvement", text(&self.min_improvement)),
            ("agent.command", text(&self.agent_command)),
            ("agent.model", text(&self.agent_model)),
            ("agent.sandbox", text(&self.agent_sandbox)),
            ("agent.timeout", text(&self.agent_timeout)),
        ];
        fields
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect()
    }
}
