//! Owns the text of a config as a person would type it: each setter sets one field, and says nothing of the others.
//! Does not check it: a value may be wrong, where a test is about that.
//! Invariant: without a setter it is, byte for byte, the config that most tests use.

use std::fmt::{Display, Formatter, Result};

/// A config file.
#[derive(Clone, Debug)]
pub(crate) struct ConfigText {
    goal: String,
    tag: String,
    protect: Option<String>,
    scope: String,
    metric: Fields,
    verify: Fields,
    guard: Option<Fields>,
    isolation: Option<String>,
    iterations: String,
    parallel: Option<Fields>,
    agent: Option<Fields>,
}

/// `{name: value, ...}`, each value as it is typed.
#[derive(Clone, Debug)]
struct Fields(Vec<(&'static str, String)>);

impl Fields {
    fn set(&mut self, name: &'static str, value: impl Display) {
        let value = value.to_string();
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name, value)),
        }
    }

    fn of_command(command: &str) -> Self {
        Self(vec![
            ("command", quote(command)),
            ("timeout", "20s".to_owned()),
        ])
    }
}

impl Display for Fields {
    fn fmt(&self, to: &mut Formatter) -> Result {
        let fields = self
            .0
            .iter()
            .map(|(name, value)| format!("{name}: {value}"));
        write!(to, "{{{}}}", fields.collect::<Vec<_>>().join(", "))
    }
}

/// Any text as a YAML scalar: what JSON puts between double quotes, YAML reads alike.
fn quote(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

impl ConfigText {
    /// The config that most tests use: the metric is the number of lines `any` in the sources.
    pub(crate) fn demo() -> Self {
        Self {
            goal: "Fewer any".to_owned(),
            tag: "demo".to_owned(),
            protect: None,
            scope: r#"["src/**"]"#.to_owned(),
            metric: Fields(vec![
                ("name", "any_count".to_owned()),
                ("direction", "lower".to_owned()),
            ]),
            verify: Fields::of_command("sh count.sh"),
            guard: Some(Fields::of_command("sh guard.sh")),
            isolation: None,
            iterations: "100".to_owned(),
            parallel: None,
            agent: None,
        }
    }

    pub(crate) fn goal(mut self, goal: &str) -> Self {
        goal.clone_into(&mut self.goal);
        self
    }

    pub(crate) fn tag(mut self, tag: &str) -> Self {
        tag.clone_into(&mut self.tag);
        self
    }

    pub(crate) fn protect(mut self, patterns: &[&str]) -> Self {
        self.protect = Some(serde_json::to_string(patterns).unwrap());
        self
    }

    pub(crate) fn scope(mut self, patterns: &[&str]) -> Self {
        self.scope = serde_json::to_string(patterns).unwrap();
        self
    }

    pub(crate) fn metric(mut self, name: &str) -> Self {
        self.metric.set("name", name);
        self
    }

    pub(crate) fn direction(mut self, word: &str) -> Self {
        self.metric.set("direction", word);
        self
    }

    /// A number, or a text with a unit.
    pub(crate) fn target(mut self, target: impl Display) -> Self {
        self.metric.set("target", target);
        self
    }

    pub(crate) fn verify(mut self, command: &str) -> Self {
        self.verify.set("command", quote(command));
        self
    }

    /// Another field of verify: `shell`, `timeout`, `working_directory`.
    pub(crate) fn verify_with(mut self, name: &'static str, value: impl Display) -> Self {
        self.verify.set(name, value);
        self
    }

    pub(crate) fn guard(mut self, command: &str) -> Self {
        self.guard = Some(Fields::of_command(command));
        self
    }

    /// Another field of the guard: `shell`, `timeout`, `retries`.
    pub(crate) fn guard_with(mut self, name: &'static str, value: impl Display) -> Self {
        self.guard.as_mut().unwrap().set(name, value);
        self
    }

    pub(crate) fn without_guard(mut self) -> Self {
        self.guard = None;
        self
    }

    pub(crate) fn isolation(mut self, word: &str) -> Self {
        self.isolation = Some(word.to_owned());
        self
    }

    /// A number, or a word where a test is about words.
    pub(crate) fn iterations(mut self, iterations: impl Display) -> Self {
        self.iterations = iterations.to_string();
        self
    }

    /// So many hypotheses at once.
    pub(crate) fn parallel(self, workers: usize) -> Self {
        self.parallel_with("workers", workers)
    }

    /// A field of the block of batches: `measuring`, `devices`.
    pub(crate) fn parallel_with(mut self, name: &'static str, value: impl Display) -> Self {
        let parallel = self.parallel.get_or_insert_with(|| Fields(Vec::new()));
        parallel.set(name, value);
        self
    }

    /// The command that stands for an agent.
    pub(crate) fn agent(mut self, command: &str) -> Self {
        self.agent = Some(Fields::of_command(command));
        self
    }

    /// A field of the agent, with a command or without: `timeout`, `turns_per_thread`.
    pub(crate) fn agent_with(mut self, name: &'static str, value: impl Display) -> Self {
        let agent = self.agent.get_or_insert_with(|| Fields(Vec::new()));
        agent.set(name, value);
        self
    }
}

impl Display for ConfigText {
    fn fmt(&self, to: &mut Formatter) -> Result {
        let optional = |key: &str, value: Option<&dyn Display>| {
            value.map_or_else(String::new, |value| format!("{key}: {value}\n"))
        };
        write!(to, "\ngoal: {}\ntag: {}\n", self.goal, self.tag)?;
        let protect = self
            .protect
            .as_ref()
            .map(|patterns| patterns as &dyn Display);
        to.write_str(&optional("protect", protect))?;
        writeln!(to, "scope: {}\nmetric: {}", self.scope, self.metric)?;
        writeln!(to, "verify: {}", self.verify)?;
        let guard = self.guard.as_ref().map(|fields| fields as &dyn Display);
        to.write_str(&optional("guard", guard))?;
        let isolation = self.isolation.as_ref().map(|word| word as &dyn Display);
        to.write_str(&optional("isolation", isolation))?;
        writeln!(to, "iterations: {}", self.iterations)?;
        let parallel = self.parallel.as_ref().map(|fields| fields as &dyn Display);
        to.write_str(&optional("parallel", parallel))?;
        let agent = self.agent.as_ref().map(|fields| fields as &dyn Display);
        to.write_str(&optional("agent", agent))
    }
}

#[test]
fn without_a_setter_the_built_config_is_the_one_that_most_tests_use() {
    assert_eq!(ConfigText::demo().to_string(), crate::testbed::CONFIG);
}
