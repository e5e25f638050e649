//! Owns the check of a config: every problem at once, each with its place and a remedy.
//! Does not see the repository; what only the disk can tell is added by the caller.
//! Invariant: a config without errors becomes a `Config`; warnings do not stop it.

use std::collections::BTreeSet;
use std::time::Duration;

use super::file::{CommandFile, MetricFile};
use super::{
    Amount, Command, Config, ConfigFile, Direction, Isolation, Limit, Metric, Rollback, schema,
};
use crate::command_words::ends_in_counting_grep;
use crate::globs::Globs;
pub use crate::schema::nearest;
use crate::span;
use crate::value::Value;

/// How long a command may take when the config does not say.
const DEFAULT_TIMEOUT: Duration = Duration::from_mins(10);

/// Does a problem stop a run?
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The config cannot be used.
    Error,
    /// It can, and probably does not do what is meant.
    Warning,
}

/// One thing that is wrong with a config.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Problem {
    /// Does it stop a run?
    pub severity: Severity,
    /// The key, such as `verify.timeout`; empty for the whole file.
    pub place: String,
    /// The line in the file, counted from 1, when it is known.
    pub line: Option<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub remedy: String,
}

impl Problem {
    /// A problem that stops a run.
    pub fn error(place: &str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            place: place.to_owned(),
            line: None,
            message: message.into(),
            remedy: remedy.into(),
        }
    }

    /// A problem that does not.
    pub fn warning(place: &str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(place, message, remedy)
        }
    }
}

/// The outcome of a check.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The config, when no error was found.
    pub config: Option<Config>,
    /// Everything that was found, in the order of the keys.
    pub problems: Vec<Problem>,
}

/// Checks a parsed config.
#[must_use]
pub fn check(document: &serde_json::Value) -> Checked {
    if !document.is_object() {
        let problem = Problem::error(
            "",
            "the config is not a block of `key: value` lines",
            "start from `autoresearch config example`",
        );
        return Checked {
            config: None,
            problems: vec![problem],
        };
    }
    let faults = crate::schema::faults(&schema(), document);
    let paths: Vec<Vec<String>> = faults.iter().map(|fault| fault.path.clone()).collect();
    let mut problems: Vec<Problem> = faults
        .into_iter()
        .map(|fault| Problem::error(&place(&fault.path), fault.message, fault.remedy))
        .collect();
    let known = completed(document, &paths);
    let config = match serde_json::from_value::<ConfigFile>(known) {
        Ok(file) => Some(
            Meaning {
                problems: &mut problems,
            }
            .config(&file),
        ),
        Err(error) if problems.is_empty() => {
            problems.push(Problem::error(
                "",
                error.to_string(),
                "compare with `autoresearch config schema`",
            ));
            None
        }
        Err(_) => None,
    };
    let failed = problems
        .iter()
        .any(|problem| problem.severity == Severity::Error);
    Checked {
        config: config.filter(|_| !failed),
        problems,
    }
}

/// `verify.ok_exit[0]` for the path verify, `ok_exit`, 0.
fn place(path: &[String]) -> String {
    path.iter()
        .fold(String::new(), |place, part| match part.parse::<usize>() {
            Ok(index) => format!("{place}[{index}]"),
            Err(_) if place.is_empty() => part.clone(),
            Err(_) => format!("{place}.{part}"),
        })
}

/// The document without its faulty keys and with stand-ins for the required ones, so that the meaning of the rest is
/// checked in the same pass. A config that needed this is never used.
fn completed(document: &serde_json::Value, faults: &[Vec<String>]) -> serde_json::Value {
    let mut rest = document.clone();
    for path in faults {
        let keys: Vec<&String> = path
            .iter()
            .take_while(|key| key.parse::<usize>().is_err())
            .collect();
        let Some((last, parents)) = keys.split_last() else {
            continue;
        };
        let parent = parents
            .iter()
            .try_fold(&mut rest, |value, key| value.get_mut(key.as_str()));
        if let Some(fields) = parent.and_then(serde_json::Value::as_object_mut) {
            fields.remove(last.as_str());
        }
    }
    if !faults.is_empty() {
        let required = [
            ("", "goal", "-"),
            ("metric", "name", "m"),
            ("metric", "direction", "lower"),
            ("verify", "command", "-"),
        ];
        for (block, key, stand_in) in required {
            let block = if block.is_empty() {
                &mut rest
            } else {
                &mut rest[block]
            };
            if block.get(key).is_none() {
                block[key] = stand_in.into();
            }
        }
        if rest.get("scope").is_none() {
            rest["scope"] = serde_json::json!(["-"]);
        }
        if rest
            .get("guard")
            .is_some_and(|guard| guard.get("command").is_none())
        {
            rest["guard"]["command"] = "-".into();
        }
    }
    rest
}

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

/// Turns what was typed into what is true, and notes what cannot be.
struct Meaning<'a> {
    problems: &'a mut Vec<Problem>,
}

impl Meaning<'_> {
    fn error(&mut self, place: &str, message: impl Into<String>, remedy: &str) {
        self.problems.push(Problem::error(place, message, remedy));
    }

    fn config(&mut self, file: &ConfigFile) -> Config {
        if file.goal.trim().is_empty() {
            self.error(
                "goal",
                "the goal is empty",
                "say in one sentence what to improve",
            );
        }
        self.patterns(file);
        self.names(file);
        let metric = self.metric(&file.metric);
        self.conditions(file);
        let rollback = self.rollback(file);
        Config {
            goal: file.goal.split_whitespace().collect::<Vec<_>>().join(" "),
            mode: file.mode,
            tag: file.tag.clone(),
            scope: file.scope.clone(),
            protect: file.protect.clone(),
            verify: self.command("verify", &file.verify),
            guard: file
                .guard
                .as_ref()
                .map(|guard| self.command("guard", guard)),
            keep_when: file.keep_when.clone(),
            stop_when: file.stop_when.clone(),
            required_labels: file.required_labels.clone(),
            iterations: file.iterations,
            time_limit: file
                .time_limit
                .as_ref()
                .and_then(|text| self.span("time_limit", text))
                .map(|span| Limit { span }),
            isolation: file.isolation,
            rollback,
            min_improvement: file
                .min_improvement
                .as_ref()
                .and_then(|text| self.amount(text)),
            env: file.env.clone(),
            secrets: file.secrets.clone(),
            repository_hooks: file.repository_hooks,
            metric,
        }
    }

    fn patterns(&mut self, file: &ConfigFile) {
        if file.scope.is_empty() {
            self.error(
                "scope",
                "the scope is empty: no trial could change anything",
                "name the files to improve, such as `src/**`",
            );
        }
        for (key, patterns) in [("scope", &file.scope), ("protect", &file.protect)] {
            for (index, pattern) in patterns.iter().enumerate() {
                if let Err(error) = Globs::new(std::slice::from_ref(pattern)) {
                    self.error(
                        &format!("{key}[{index}]"),
                        error.to_string(),
                        "write a gitignore-style pattern from the repository's root",
                    );
                }
            }
        }
        if !file.scope.is_empty() && file.scope.iter().all(|pattern| pattern.starts_with('!')) {
            self.error(
                "scope",
                "the scope only takes files out",
                "add a pattern without `!`",
            );
        }
    }

    fn names(&mut self, file: &ConfigFile) {
        if let Some(tag) = file.tag.as_ref().filter(|tag| !crate::name::is_name(tag)) {
            let remedy = format!(
                "use letters a-z, digits and `-`, such as `{}`",
                crate::name::slug(tag)
            );
            self.error("tag", format!("`{tag}` cannot name a run"), &remedy);
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
                self.error(
                    &format!("{key}[{index}]"),
                    format!("`{name}` is no name of a variable"),
                    "write the name alone, without `$` and value",
                );
            }
        }
        for (index, name) in file
            .env
            .iter()
            .enumerate()
            .filter(|(_, name)| looks_secret(name))
        {
            let message =
                format!("`{name}` looks like a secret, and values under `env` are kept in a file");
            self.error(
                &format!("env[{index}]"),
                message,
                "name it under `secrets` instead",
            );
        }
    }

    fn metric(&mut self, file: &MetricFile) -> Metric {
        let plain = |letter: char| letter.is_alphanumeric() || "_-./%".contains(letter);
        if file.name.is_empty() || !file.name.chars().all(plain) {
            self.error(
                "metric.name",
                format!("`{}` cannot name a metric", file.name),
                "use letters, digits, `_`, `-`, `.`, such as `any_count`",
            );
        }
        Metric {
            name: file.name.clone(),
            direction: file.direction,
            target: file.target.clone(),
            format: file.format,
        }
    }

    fn conditions(&mut self, file: &ConfigFile) {
        for (key, conditions) in [
            ("keep_when", &file.keep_when),
            ("stop_when", &file.stop_when),
        ] {
            let metrics: BTreeSet<&str> = conditions
                .iter()
                .map(|condition| condition.metric.as_str())
                .collect();
            if metrics.contains("") {
                self.error(
                    key,
                    "a condition names no metric",
                    "write `{metric: NAME, op: \">=\", value: NUMBER}`",
                );
            }
        }
        let labels = file
            .required_labels
            .keep
            .iter()
            .chain(&file.required_labels.stop);
        if labels
            .clone()
            .any(|label| label.trim().is_empty() || label.chars().any(char::is_whitespace))
        {
            self.error(
                "required_labels",
                "a label is empty or has white space in it",
                "use one word, such as `real-backend`",
            );
        }
    }

    fn rollback(&mut self, file: &ConfigFile) -> Rollback {
        match (file.isolation, file.rollback) {
            (Isolation::InPlace, Some(Rollback::Reset)) => {
                let message = "`reset` would move your own branch back";
                self.error(
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

    fn command(&mut self, key: &str, file: &CommandFile) -> Command {
        if file.command.trim().is_empty() {
            self.error(
                &format!("{key}.command"),
                "the command is empty",
                "write what a shell should run",
            );
        }
        if file.ok_exit.is_empty() {
            self.error(
                &format!("{key}.ok_exit"),
                "no exit status would be a success",
                "list the good ones, such as [0]",
            );
        }
        if key == "verify" && ends_in_counting_grep(&file.command) && !file.ok_exit.contains(&1) {
            let message = "`grep -c` exits with 1 when it counts zero, so the moment of success would be a crash";
            self.problems.push(Problem::warning(
                "verify.command",
                message,
                "add `ok_exit: [0, 1]` to verify",
            ));
        }
        let directory = file
            .working_directory
            .clone()
            .unwrap_or_else(|| ".".to_owned());
        if directory.starts_with('/') || directory.split('/').any(|part| part == "..") {
            self.error(
                &format!("{key}.working_directory"),
                format!("`{directory}` leaves the repository"),
                "give a folder below the repository's root",
            );
        }
        let timeout = file
            .timeout
            .as_ref()
            .and_then(|text| self.span(&format!("{key}.timeout"), text));
        Command {
            command: file.command.clone(),
            timeout: timeout.unwrap_or(DEFAULT_TIMEOUT),
            working_directory: directory,
            ok_exit: file.ok_exit.clone(),
        }
    }

    fn span(&mut self, place: &str, text: &str) -> Option<Duration> {
        span::parse(text)
            .map_err(|error| {
                self.error(
                    place,
                    error.to_string(),
                    "write it like `90s`, `10m` or `1h30m`",
                );
            })
            .ok()
    }

    fn amount(&mut self, text: &str) -> Option<Amount> {
        let trimmed = text.trim();
        let parsed = match trimmed.strip_suffix('%') {
            Some(percent) => percent.trim().parse().map(Amount::Percent),
            None => trimmed.parse().map(Amount::Absolute),
        };
        let positive = parsed.ok().filter(|amount| matches!(amount, Amount::Absolute(value) | Amount::Percent(value) if *value > Value::zero()));
        if positive.is_none() {
            self.error(
                "min_improvement",
                format!("`{text}` is no amount above zero"),
                "write a number in the metric's unit, or a share such as `2%`",
            );
        }
        positive
    }
}

/// Words for messages.
impl Direction {
    /// `below` or `above`.
    #[must_use]
    pub fn better_side(self) -> &'static str {
        match self {
            Self::Lower => "below",
            Self::Higher => "above",
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn smallest() -> serde_json::Value {
        json!({
            "goal": "Get rid of the any types",
            "scope": ["src/**/*.ts"],
            "metric": {"name": "any_count", "direction": "lower", "target": 0},
            "verify": {"command": "node scripts/count-any.js"},
        })
    }

    fn listed(document: &serde_json::Value) -> String {
        let row = |problem: Problem| {
            format!(
                "{:?} {}: {} -> {}\n",
                problem.severity, problem.place, problem.message, problem.remedy
            )
        };
        check(document).problems.into_iter().map(row).collect()
    }

    #[test]
    fn the_smallest_config_gets_every_default() {
        let config = check(&smallest()).config.unwrap();
        assert_eq!(config.iterations, 50);
        assert_eq!(config.verify.timeout, Duration::from_mins(10));
        assert_eq!(config.isolation, Isolation::Branch);
        assert_eq!(config.rollback, Rollback::Reset);
        assert_eq!(
            serde_json::from_str::<Config>(&serde_json::to_string(&config).unwrap()).unwrap(),
            config
        );
    }

    #[test]
    fn every_problem_is_reported_at_once_with_its_place_and_a_remedy() {
        let document = json!({
            "gaol": "x", "scope": [], "iterations": 0, "mode": "lop", "isolation": "in-place", "rollback": "reset",
            "metric": {"name": "a b", "direction": "down"},
            "verify": {"command": "grep -c any x", "timout": "5m", "timeout": "soon"},
            "guard": "npm test", "env": ["GITHUB_TOKEN", "$HOME"], "min_improvement": "-1%", "tag": "My Run",
            "keep_when": [{"metric": "p95", "op": "=<", "value": 3}],
        });
        insta::assert_snapshot!(listed(&document));
    }

    #[test]
    fn meaning_is_checked_when_the_shape_is_right() {
        let mut document = smallest();
        document["scope"] = json!(["!src/**", "../x"]);
        document["verify"] = json!({"command": "grep -c any src/a.ts", "timeout": "soon", "working_directory": "../up", "ok_exit": []});
        document["goal"] = json!("  ");
        document["isolation"] = json!("in-place");
        document["rollback"] = json!("reset");
        document["env"] = json!(["MY_API_KEY", "1A"]);
        document["min_improvement"] = json!("0");
        document["tag"] = json!("My Run");
        document["unknwon"] = json!(1);
        insta::assert_snapshot!(listed(&document));
    }

    #[test]
    fn one_scope_pattern_may_be_written_without_a_list() {
        let mut document = smallest();
        document["scope"] = json!("src/**");
        document["min_improvement"] = json!("2%");
        let config = check(&document).config.unwrap();
        assert_eq!(config.scope, ["src/**"]);
        assert_eq!(
            config.min_improvement.unwrap().of(&Value::from(50)),
            Value::from(1)
        );
    }

    #[test]
    fn what_is_no_block_of_keys_is_one_clear_error() {
        for document in [json!(null), json!("x"), json!([1])] {
            assert_eq!(check(&document).problems.len(), 1);
        }
    }
}
