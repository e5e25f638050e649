//! Owns `Meaning`: what was typed becomes what is true, and what cannot be is noted.
//! Does not check the shape; `check` did, with the schema.
//! Invariant: every problem of the meaning is noted, with its place and a remedy; none stops the rest.

use std::time::Duration;

use crate::config::choices::{Isolation, ReactionRule, Rollback, Shell};
use crate::config::command::UserCommand;
use crate::config::file::{CommandFile, ConfigFile, CountFile, MetricFile, OutputsFile};
use crate::config::gauge::Gauge;
use crate::config::gauge_meaning::resolve_verify;
use crate::config::globs::Globs;
use crate::config::parallel::resolve_parallel;
use crate::config::problem::Problem;
use crate::config::resolved::{Amount, Config, Outputs, TimeLimit, TreeSetup};
use crate::config::sandboxing::resolve_sandbox;
use crate::config::span;
use crate::config::unattended::{Agent, AgentFile, Budget, BudgetFile, TimeOfDay};
use crate::metric::definition::Metric;
use crate::metric::unit::Quantity;
use crate::metric::value::Value;
use crate::shell::words::ends_in_counting_grep;
use crate::shell::{has_pipe, list_bash_syntax};

/// How long a command may take when the config does not say.
const DEFAULT_TIMEOUT: Duration = Duration::from_mins(10);
/// The same for `prepare`, which may build everything.
const DEFAULT_PREPARE: Duration = Duration::from_mins(30);
/// How long a turn of the agent may take when the config does not say.
const DEFAULT_TURN: Duration = Duration::from_mins(30);

/// Does the name of a variable say that its value must not be written down?
#[must_use]
pub fn looks_secret(name: &str) -> bool {
    let words = [
        "TOKEN",
        "SECRET",
        "PASSWORD",
        "PASSWD",
        "APIKEY",
        "API_KEY",
        "PRIVATE_KEY",
        "ACCESS_KEY",
        "CREDENTIAL",
    ];
    let upper = name.to_ascii_uppercase();
    words.iter().any(|word| upper.contains(word)) || upper.ends_with("_KEY")
}

fn resolve_outputs(file: OutputsFile) -> Outputs {
    let usual = Outputs::default();
    Outputs {
        file_mib: file.file_mib.unwrap_or(usual.file_mib),
        total_mib: file.total_mib.unwrap_or(usual.total_mib),
    }
}

/// Turns what was typed into what is true, and notes what cannot be.
pub(super) struct ConfigMeaning<'a> {
    /// Where it notes them.
    pub problems: &'a mut Vec<Problem>,
}

impl ConfigMeaning<'_> {
    pub(super) fn note_error(&mut self, place: &str, message: impl Into<String>, remedy: &str) {
        self.problems.push(Problem::error(place, message, remedy));
    }

    /// The config that was meant; it is used only when no error was noted.
    pub(super) fn resolve_config(&mut self, file: &ConfigFile) -> Config {
        self.check_goal(file);
        self.check_patterns(file);
        self.check_names(file);
        let metric = self.resolve_metric(&file.metric);
        let keep_when = self.resolve_conditions("keep_when", &file.keep_when);
        let stop_when = self.resolve_conditions("stop_when", &file.stop_when);
        self.check_labels(file);
        self.check_trees(file);
        self.warn_without_guard(file);
        let rollback = self.resolve_rollback(file);
        let (verify, gauge) = self.resolve_verify(file);
        Config {
            goal: file.goal.split_whitespace().collect::<Vec<_>>().join(" "),
            mode: file.mode,
            tag: file.tag.clone(),
            scope: file.scope.clone(),
            protect: file.protect.clone(),
            pin: file.pin.clone(),
            verify,
            gauge,
            sandbox: resolve_sandbox(file.verify.sandbox.as_ref(), self.problems),
            guard: self.resolve_optional("guard", file.guard.as_ref()),
            gates: self.resolve_gates(file),
            keep_when,
            watched: self.resolve_watched(file),
            stop_when,
            required_labels: file.required_labels.clone(),
            iterations: self.resolve_iterations(file),
            time_limit: file
                .time_limit
                .as_ref()
                .and_then(|text| self.parse_span("time_limit", text))
                .map(|span| TimeLimit { span }),
            isolation: file.isolation,
            setup: self.resolve_setup(file),
            trees: file.trees.clone(),
            rollback,
            min_improvement: file
                .min_improvement
                .as_ref()
                .and_then(|text| self.parse_amount(text)),
            env: file.env.clone(),
            secrets: file.secrets.clone(),
            repository_hooks: file.repository_hooks,
            ladder: file.ladder,
            claim: file.claim,
            agent: self.resolve_agent(&file.agent),
            budget: self.resolve_budget(&file.budget),
            parallel: resolve_parallel(&file.parallel, self.problems),
            notify: self.resolve_optional("notify", file.notify.as_ref()),
            outputs: resolve_outputs(file.outputs),
            reaction: self.resolve_reaction(&file.reaction),
            allow_suspect: file.allow_suspect.clone(),
            suppressions: file.suppressions,
            metric,
        }
    }

    fn resolve_optional(&mut self, key: &str, file: Option<&CommandFile>) -> Option<UserCommand> {
        file.map(|command| self.resolve_command(key, command))
    }

    fn check_goal(&mut self, file: &ConfigFile) {
        if file.goal.trim().is_empty() {
            self.note_error(
                "goal",
                "the goal is empty",
                "say in one sentence what to improve",
            );
        }
    }

    fn check_trees(&mut self, file: &ConfigFile) {
        let Some(trees) = &file.trees else {
            return;
        };
        let is_whole = trees.starts_with('/') || trees.starts_with("~/");
        if !is_whole || trees.split('/').any(|part| part == "..") {
            self.note_error(
                "trees",
                format!("`{trees}` is not a whole path"),
                "name a folder outside the repository, such as `~/trees` or `/data/trees`",
            );
        }
    }

    fn warn_without_guard(&mut self, file: &ConfigFile) {
        let mut problems = self.problems.iter();
        let faulty = problems.any(|problem| problem.place.starts_with("guard"));
        // Gates are such checks, and each is counted.
        if file.guard.is_none() && !file.verify.gates && !faulty {
            self.problems.push(Problem::warning(
                "guard",
                "there is no guard, so a trial that breaks the program can be kept",
                "add `guard: {command: ...}`, such as your tests",
            ));
        }
    }

    fn check_patterns(&mut self, file: &ConfigFile) {
        if file.scope.is_empty() {
            self.note_error(
                "scope",
                "the scope is empty: no trial could change anything",
                "name the files to improve, such as `src/**`",
            );
        }
        for (key, patterns) in [
            ("scope", &file.scope),
            ("protect", &file.protect),
            ("pin", &file.pin),
            ("link", &file.link),
            ("copy", &file.copy),
        ] {
            for (index, pattern) in patterns.iter().enumerate() {
                if let Err(error) = Globs::new(std::slice::from_ref(pattern)) {
                    self.note_error(
                        &format!("{key}[{index}]"),
                        error.to_string(),
                        "write a gitignore-style pattern from the repository's root",
                    );
                }
            }
        }
        if !file.scope.is_empty() && file.scope.iter().all(|pattern| pattern.starts_with('!')) {
            self.note_error(
                "scope",
                "the scope only excludes files",
                "add a pattern without `!`",
            );
        }
    }

    /// The limit of trials. A run without one needs something else that ends it.
    fn resolve_iterations(&mut self, file: &ConfigFile) -> Option<u32> {
        let word = match &file.iterations {
            CountFile::Number(number) => return Some(*number),
            CountFile::Word(word) => word.trim(),
        };
        let ends = file.time_limit.is_some()
            || file.budget.until.is_some()
            || file.budget.verify_runs.is_some()
            || file.metric.target.is_some()
            || !file.stop_when.is_empty();
        if word != "none" {
            self.note_error(
                "iterations",
                format!("`{word}` is not a number of trials"),
                "write a number, such as 50, or `none`",
            );
        } else if !ends {
            self.note_error(
                "iterations",
                "with `none`, nothing would end this run",
                "add `time_limit`, `budget.until`, `budget.verify_runs`, `metric.target` or `stop_when`",
            );
        }
        None
    }

    fn check_names(&mut self, file: &ConfigFile) {
        if let Some(tag) = file
            .tag
            .as_ref()
            .filter(|tag| !crate::config::name::is_run_name(tag))
        {
            let remedy = format!(
                "use letters a-z, digits and `-`, such as `{}`",
                crate::config::name::make_run_name(tag)
            );
            self.note_error("tag", format!("`{tag}` is not a valid run name"), &remedy);
        }
        let variable = |name: &String| {
            !name.is_empty()
                && !name.starts_with(|letter: char| letter.is_ascii_digit())
                && name
                    .chars()
                    .all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
        };
        for (key, names) in [("env", &file.env), ("secrets", &file.secrets)] {
            for (index, name) in names.iter().enumerate().filter(|(_, name)| !variable(name)) {
                self.note_error(
                    &format!("{key}[{index}]"),
                    format!("`{name}` is not a valid variable name"),
                    "write only the name, without `$` and without a value",
                );
            }
        }
        for (index, name) in file
            .env
            .iter()
            .enumerate()
            .filter(|(_, name)| looks_secret(name))
        {
            let message = format!(
                "`{name}` looks like a secret, and values under `env` are written to a file"
            );
            self.note_error(
                &format!("env[{index}]"),
                message,
                "list it under `secrets` instead",
            );
        }
    }

    fn resolve_metric(&mut self, file: &MetricFile) -> Metric {
        let plain = |letter: char| letter.is_alphanumeric() || "_-./%".contains(letter);
        if file.name.is_empty() || !file.name.chars().all(plain) {
            self.note_error(
                "metric.name",
                format!("`{}` is not a valid metric name", file.name),
                "use letters, digits, `_`, `-`, `.`, such as `any_count`",
            );
        }
        Metric {
            name: file.name.clone(),
            direction: file.direction,
            target: file
                .target
                .as_ref()
                .and_then(|text| self.parse_quantity("metric.target", text)),
            format: file.format,
        }
    }

    /// A number with an optional unit. Whether the unit is the metric's is known when verify has printed it.
    pub(super) fn parse_quantity(&mut self, place: &str, text: &str) -> Option<Quantity> {
        text.parse()
            .map_err(|error: crate::metric::unit::QuantityError| {
                self.note_error(
                    place,
                    error.to_string(),
                    "write a number in the metric's unit, or one with a unit, such as `500 ms`",
                );
            })
            .ok()
    }

    fn check_labels(&mut self, file: &ConfigFile) {
        let labels = file
            .required_labels
            .keep
            .iter()
            .chain(&file.required_labels.stop);
        if labels
            .clone()
            .any(|label| label.trim().is_empty() || label.chars().any(char::is_whitespace))
        {
            self.note_error(
                "required_labels",
                "a label is empty or contains a space",
                "use one word, such as `real-backend`",
            );
        }
    }

    /// The reason is shown in one line.
    fn resolve_reaction(&mut self, file: &ReactionRule) -> ReactionRule {
        let words = |reason: &String| reason.split_whitespace().collect::<Vec<_>>().join(" ");
        let exempt = file.exempt.as_ref().map(words);
        if exempt.as_deref() == Some("") {
            self.note_error(
                "reaction.exempt",
                "the reason is empty",
                "say why the metric cannot react to the files of the scope, or remove `reaction`",
            );
        }
        ReactionRule { exempt }
    }

    fn resolve_rollback(&mut self, file: &ConfigFile) -> Rollback {
        match (file.isolation, file.rollback) {
            (Isolation::InPlace, Some(Rollback::Reset)) => {
                let message = "`reset` would move your own branch back";
                self.note_error(
                    "rollback",
                    message,
                    "use `rollback: revert`, or `isolation: branch`",
                );
                Rollback::Reset
            }
            (Isolation::InPlace, None) => Rollback::Revert,
            (_, chosen) => chosen.unwrap_or(Rollback::Reset),
        }
    }

    /// What a tree of the run gets. A run in the user's own work tree has all of it already.
    fn resolve_setup(&mut self, file: &ConfigFile) -> TreeSetup {
        let prepare = file.prepare.as_ref().map(|prepare| {
            let mut command = self.resolve_command("prepare", prepare);
            if prepare.timeout.is_none() {
                command.timeout = DEFAULT_PREPARE;
            }
            command
        });
        let written = [
            ("prepare", prepare.is_some()),
            ("link", !file.link.is_empty()),
            ("copy", !file.copy.is_empty()),
        ];
        if file.isolation != Isolation::Worktree {
            for (key, _) in written.iter().filter(|(_, written)| *written) {
                self.note_error(
                    key,
                    format!(
                        "`{key}` fills the separate tree of a run, and isolation is `{}`",
                        file.isolation.as_str()
                    ),
                    "add `isolation: worktree`, or remove it: in your own work tree everything is there",
                );
            }
        }
        for (index, pattern) in file.copy.iter().enumerate() {
            if file.link.contains(pattern) && !pattern.starts_with('!') {
                self.note_error(
                    &format!("copy[{index}]"),
                    format!("`{pattern}` stands under `link` too"),
                    "copy what verify writes, link what it only reads",
                );
            }
        }
        TreeSetup {
            prepare,
            link: file.link.clone(),
            copy: file.copy.clone(),
            view: file.view,
        }
    }

    fn resolve_verify(&mut self, file: &ConfigFile) -> (UserCommand, Gauge) {
        let typed = resolve_verify(file, self.problems);
        let verify = self.resolve_named("verify", typed.key, &typed.command);
        let check = file.verify.check.as_ref();
        let gauge = Gauge {
            check: check.map(|check| self.resolve_command("verify.check", check)),
            ..typed.gauge
        };
        (verify, gauge)
    }

    pub(super) fn resolve_command(&mut self, key: &str, file: &CommandFile) -> UserCommand {
        if file.command.trim().is_empty() {
            self.note_error(
                &format!("{key}.command"),
                "the command is empty",
                "write the command that the shell should run",
            );
        }
        self.resolve_named(key, "command", file)
    }

    /// A command whose text stands under this field.
    fn resolve_named(&mut self, key: &str, field: &str, file: &CommandFile) -> UserCommand {
        if file.ok_exit.is_empty() {
            self.note_error(
                &format!("{key}.ok_exit"),
                "no exit status would count as success",
                "list the good ones, such as [0]",
            );
        }
        if key == "verify" && ends_in_counting_grep(&file.command) && !file.ok_exit.contains(&1) {
            let message = "`grep -c` exits with 1 when it counts zero, so reaching zero would count as a crash";
            self.problems.push(Problem::warning(
                "verify.command",
                message,
                "add `ok_exit: [0, 1]` to verify",
            ));
        }
        self.check_shell(key, field, file);
        if key != "guard" && file.retries > 0 {
            self.note_error(
                &format!("{key}.retries"),
                "only the guard can be retried",
                "leave it out: a verify that is run until it succeeds measures luck",
            );
        }
        let directory = file
            .working_directory
            .clone()
            .unwrap_or_else(|| ".".to_owned());
        if directory.starts_with('/') || directory.split('/').any(|part| part == "..") {
            self.note_error(
                &format!("{key}.working_directory"),
                format!("`{directory}` is outside the repository"),
                "name a folder inside the repository",
            );
        }
        let timeout = file
            .timeout
            .as_ref()
            .and_then(|text| self.parse_span(&format!("{key}.timeout"), text));
        UserCommand {
            command: file.command.clone(),
            shell: file.shell,
            timeout: timeout.unwrap_or(DEFAULT_TIMEOUT),
            working_directory: directory,
            ok_exit: file.ok_exit.clone(),
            retries: file.retries,
        }
    }

    /// What `sh` does not understand, and what it hides.
    fn check_shell(&mut self, key: &str, field: &str, file: &CommandFile) {
        if file.shell == Shell::Bash {
            return;
        }
        let place = format!("{key}.{field}");
        let remedy = format!("add `shell: bash` to {key}");
        let syntax = list_bash_syntax(&file.command);
        if let Some(first) = syntax.first() {
            let message = format!("`{first}` is bash syntax, and `sh` may not support it");
            self.problems
                .push(Problem::warning(&place, message, remedy));
        } else if key != "notify" && has_pipe(&file.command) {
            let message = "`sh` reports only the status of the last command in a pipe, so an earlier failure is hidden";
            self.problems.push(Problem::warning(
                &place,
                message,
                format!("{remedy}, which fails when any part of a pipe fails"),
            ));
        }
    }

    fn resolve_agent(&mut self, file: &AgentFile) -> Agent {
        let blank =
            |text: &Option<String>| text.as_ref().is_some_and(|text| text.trim().is_empty());
        for (key, text) in [
            ("agent.command", &file.command),
            ("agent.model", &file.model),
        ] {
            if blank(text) {
                self.note_error(
                    key,
                    "it is empty",
                    "remove it to use Codex with its default model",
                );
            }
        }
        let timeout = file
            .timeout
            .as_ref()
            .and_then(|text| self.parse_span("agent.timeout", text));
        Agent {
            command: file.command.clone(),
            sandbox: file.sandbox,
            model: file.model.clone(),
            timeout: timeout.unwrap_or(DEFAULT_TURN),
            turns_per_thread: file.turns_per_thread,
            tokens_per_thread: file.tokens_per_thread,
        }
    }

    fn resolve_budget(&mut self, file: &BudgetFile) -> Budget {
        let until = file.until.as_ref().and_then(|text| {
            let time = TimeOfDay::parse(text);
            if time.is_none() {
                let message = format!("`{text}` is not a time of day");
                self.note_error(
                    "budget.until",
                    message,
                    "write hours and minutes, such as `07:00`",
                );
            }
            time
        });
        Budget {
            tokens: file.tokens,
            verify_runs: file.verify_runs,
            until,
        }
    }

    fn parse_span(&mut self, place: &str, text: &str) -> Option<Duration> {
        span::parse_span(text)
            .map_err(|error| {
                self.note_error(
                    place,
                    error.to_string(),
                    "write it like `90s`, `10m` or `1h30m`",
                );
            })
            .ok()
    }

    fn parse_amount(&mut self, text: &str) -> Option<Amount> {
        let trimmed = text.trim();
        let parsed = match trimmed.strip_suffix('%') {
            Some(percent) => percent.trim().parse().map(Amount::Percent).ok(),
            None => trimmed.parse().map(Amount::Absolute).ok(),
        };
        let above = |amount: &Amount| match amount {
            Amount::Absolute(Quantity { number, .. }) | Amount::Percent(number) => {
                *number > Value::zero()
            }
        };
        let positive = parsed.filter(above);
        if positive.is_none() {
            self.note_error(
                "min_improvement",
                format!("`{text}` is not a number above zero"),
                "write a number in the metric's unit, or a share such as `2%`",
            );
        }
        positive
    }
}

#[cfg(test)]
mod tests;
