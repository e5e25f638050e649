//! Owns `Stack`: what is known of an ecosystem, read from the tables in `stacks/`.
//! Does not know a repository.
//! Invariant: the tables are part of the program, and a test reads each of them.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::config::GaugeKind;
use crate::metric::unit::Unit;
use crate::scan::check_kind::CheckKind;
use crate::scan::goal::Aim;

/// The tables, in the order in which languages are told.
const TABLES: [&str; 14] = [
    include_str!("stacks/rust.json"),
    include_str!("stacks/node.json"),
    include_str!("stacks/python.json"),
    include_str!("stacks/go.json"),
    include_str!("stacks/maven.json"),
    include_str!("stacks/gradle.json"),
    include_str!("stacks/cmake.json"),
    include_str!("stacks/make.json"),
    include_str!("stacks/ruby.json"),
    include_str!("stacks/php.json"),
    include_str!("stacks/dotnet.json"),
    include_str!("stacks/elixir.json"),
    include_str!("stacks/swift.json"),
    include_str!("stacks/shell.json"),
];

/// An ecosystem: which files belong to it, how its projects are tested, and what can be measured.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stack {
    /// What it is called to people.
    pub title: String,
    /// Patterns of the names of its manifests.
    pub manifests: Vec<String>,
    /// Endings of its source files, without the dot.
    pub endings: Vec<String>,
    /// Is there a project without a manifest, where there are sources?
    #[serde(default)]
    pub loose: bool,
    /// Patterns of tests and of what they read, from the folder of the project.
    #[serde(default)]
    pub tests: Vec<String>,
    /// Patterns of the files that decide how it is built and checked.
    #[serde(default)]
    pub configs: Vec<String>,
    /// Words that commands use, each the first whose conditions hold.
    #[serde(default)]
    pub words: BTreeMap<String, Vec<StackCommand>>,
    /// What passes or fails, by its exit status: of each kind the first whose conditions hold. Guards are made of them.
    pub checks: BTreeMap<CheckKind, Vec<StackCommand>>,
    /// What can be counted in its sources without a tool.
    #[serde(default)]
    pub counts: Vec<CountedPattern>,
    pub recipes: Vec<Recipe>,
    /// How to get what a recipe needs, by its name.
    #[serde(default)]
    pub remedies: BTreeMap<String, String>,
}

/// A command, with what has to be there for it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StackCommand {
    /// Conditions on the project, such as `file:package.json`, `dep:jest`, `script:test`, `!text:jacoco`; of those that `|`
    /// joins one is enough.
    #[serde(default)]
    pub when: Vec<String>,
    /// Programs, and `local:NAME` for one that the project has installed. What its words need comes along.
    #[serde(default)]
    pub needs: Vec<String>,
    /// Of a check: whose findings it tells. The recipe of the same aim and tool counts them, and no other one does.
    #[serde(default)]
    pub tool: Option<String>,
    pub command: String,
}

/// What of the sources can be counted.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CountedPattern {
    /// The metric.
    pub metric: String,
    /// A regular expression.
    pub pattern: String,
    /// Words of a sentence that ask for it.
    pub asked: Vec<String>,
    pub goal: String,
    /// Is it proposed to somebody who asks for nothing?
    #[serde(default)]
    pub is_offered: bool,
    /// Only where the project has a file that matches.
    #[serde(default)]
    pub when: Vec<String>,
}

/// What is measured, and how.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    pub aim: Aim,
    /// The tool of the checks whose findings it counts. For a check of it that fails, `when` is not asked.
    #[serde(default)]
    pub tool: Option<String>,
    pub metric: String,
    pub goal: String,
    #[serde(default)]
    pub when: Vec<String>,
    #[serde(default)]
    pub needs: Vec<String>,
    pub measure: Measure,
    /// Where the work has an end.
    #[serde(default)]
    pub target: Option<String>,
    /// Patterns of the scope, in place of the sources.
    #[serde(default)]
    pub scope: Vec<String>,
    /// Why the number can be believed, for the person who reads the config.
    pub why: String,
}

/// A report, and what of it is counted.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// In our folder.
    pub file: String,
    pub pattern: String,
    /// All among which is counted: the tests that ran.
    #[serde(default)]
    pub of: Option<String>,
    /// Exit statuses besides 0 by which the command says that it found something. A line of it keeps its own in `status`.
    #[serde(default)]
    pub found: Vec<u8>,
    pub command: Vec<String>,
}

/// How a recipe becomes a number. All of them but the last are measured by the tool itself.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub enum Measure {
    /// The time of a command.
    Wall(String),
    /// The time of one that builds from nothing: no run before it, and one run a measurement.
    BuildWall(Vec<String>),
    /// The memory of a command.
    PeakMemory(String),
    /// How often a command fails.
    ExitRate(String),
    /// Lines of a report that a command writes.
    Report(Report),
    /// The lines that a report says are covered.
    Covered { file: String, command: Vec<String> },
    /// The bytes of what a command builds.
    Size {
        files: Vec<String>,
        #[serde(default)]
        gzip: bool,
        command: Vec<String>,
    },
    /// A number that a command prints.
    Printed { command: Vec<String> },
}

impl Stack {
    /// The checks of these kinds, in their order.
    pub(super) fn list_checks(&self, kinds: &[CheckKind]) -> Vec<&StackCommand> {
        let checks = kinds.iter().filter_map(|kind| self.checks.get(kind));
        checks.flatten().collect()
    }

    /// All commands besides those of recipes.
    pub(super) fn list_commands(&self) -> impl Iterator<Item = &StackCommand> {
        self.words.values().chain(self.checks.values()).flatten()
    }
}

impl Measure {
    /// The lines that are run for it.
    pub(super) fn list_commands(&self) -> &[String] {
        match self {
            Self::Wall(command) | Self::PeakMemory(command) | Self::ExitRate(command) => {
                std::slice::from_ref(command)
            }
            Self::BuildWall(command)
            | Self::Report(Report { command, .. })
            | Self::Covered { command, .. }
            | Self::Size { command, .. }
            | Self::Printed { command } => command,
        }
    }

    /// The unit of the metric; what a command prints has none that is known before it runs.
    pub(super) fn unit(&self) -> Unit {
        let gauge = match self {
            Self::Wall(_) | Self::BuildWall(_) => GaugeKind::Wall,
            Self::PeakMemory(_) => GaugeKind::PeakMemory,
            Self::ExitRate(_) => GaugeKind::ExitRate {
                runs: 1,
                vary: Vec::new(),
            },
            Self::Covered { .. } => GaugeKind::Covered {
                report: String::new(),
            },
            Self::Size { gzip, .. } => GaugeKind::Size {
                files: Vec::new(),
                gzip: *gzip,
            },
            Self::Report(_) | Self::Printed { .. } => GaugeKind::Printed,
        };
        gauge.unit()
    }
}

/// The ecosystems that are known.
#[must_use]
pub fn list_stacks() -> &'static [Stack] {
    static STACKS: LazyLock<Vec<Stack>> = LazyLock::new(|| {
        let tables = TABLES.iter();
        // A table that cannot be read is found by the test of this file, not by a user.
        tables
            .filter_map(|table| serde_json::from_str(table).ok())
            .collect()
    });
    &STACKS
}

#[cfg(test)]
mod tests;
